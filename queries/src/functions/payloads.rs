//! `payloads(first, last)`: the bytes of frames, read back from the captures: `capture`, `capture_id`, `frame`, `payload` (of the
//! innermost transport) and `bytes` (the whole frame). `payloads(n)` is one frame, `payloads()` all that the run looks at.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, BinaryBuilder, RecordBatch, StringArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableFunctionImpl, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::{FunctionDoc, Kind};
use crate::catalog::Selected;
use crate::{DataFusionError, Result};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "payloads",
    kind: Kind::Table,
    signature: "payloads([first [, last]]) -> capture utf8, capture_id utf8, frame u64, payload binary, bytes binary",
    meaning: "Frames read back from the captures themselves: what the innermost transport carries, and the whole frame. With one number that frame, with two those between them, without any all that the run looks at; 256 MB at most. A lake holds no bytes: the captures must be named.",
    example: "left(hex(payload), 6) FROM payloads(4)",
    gives: "474554",
};

/// Most bytes that one call reads.
const MOST: usize = 256 << 20;

/// Takes a frame's number, the payload of its innermost transport and its bytes; false to end.
pub type Take<'t> = dyn FnMut(u64, &[u8], &[u8]) -> bool + 't;

/// Whoever can read captures: gives the frames of one, in order, and says what went wrong.
pub type Reader = Arc<dyn Fn(&Selected, &mut Take<'_>) -> std::result::Result<(), String> + Send + Sync>;

/// The function.
pub struct Payloads {
    pub captures: Vec<Selected>,
    pub reader: Reader,
}

impl std::fmt::Debug for Payloads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payloads")
    }
}

impl TableFunctionImpl for Payloads {
    fn call(&self, arguments: &[Expr]) -> Result<Arc<dyn TableProvider>> {
        let number = |argument: &Expr| match argument {
            Expr::Literal(ScalarValue::Int64(Some(number)), _) => u64::try_from(*number).ok(),
            Expr::Literal(ScalarValue::UInt64(Some(number)), _) => Some(*number),
            _ => None,
        };
        let wrong = || DataFusionError::Plan("payloads(first, last): numbers of frames are needed".to_owned());
        let (first, last) = match arguments {
            [] => (1, u64::MAX),
            [one] => number(one).map(|one| (one, one)).ok_or_else(wrong)?,
            [first, last] => number(first).zip(number(last)).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        Ok(Arc::new(PayloadsTable { captures: self.captures.clone(), reader: Arc::clone(&self.reader), first, last, schema: schema() }))
    }
}

fn schema() -> SchemaRef {
    let field = |name: &str, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![
        field("capture", DataType::Utf8),
        field("capture_id", DataType::Utf8),
        field("frame", DataType::UInt64),
        field("payload", DataType::Binary),
        field("bytes", DataType::Binary),
    ]))
}

/// The frames of one call.
struct PayloadsTable {
    captures: Vec<Selected>,
    reader: Reader,
    first: u64,
    last: u64,
    schema: SchemaRef,
}

impl std::fmt::Debug for PayloadsTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PayloadsTable")
    }
}

impl PayloadsTable {
    fn rows(&self, capture: &Selected) -> Result<RecordBatch> {
        let mut frames = Vec::new();
        let (mut payloads, mut whole, mut read) = (BinaryBuilder::new(), BinaryBuilder::new(), 0);
        (self.reader)(capture, &mut |frame, payload, bytes| {
            let is_selected = capture.narrowed.as_ref().is_none_or(|narrowed| narrowed.contains(frame));
            if is_selected && (self.first..=self.last).contains(&frame) {
                read += payload.len() + bytes.len();
                frames.push(frame);
                payloads.append_value(payload);
                whole.append_value(bytes);
            }
            frame < self.last && read <= MOST
        })
        .map_err(|error| DataFusionError::Execution(format!("{}: {error}", capture.name)))?;
        if read > MOST {
            let message = format!("payloads: more than {} MB; ask for fewer frames, as in payloads(1, 1000)", MOST >> 20);
            return Err(DataFusionError::Execution(message));
        }
        let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; frames.len()])) };
        let columns = vec![
            same(&capture.name),
            same(&capture.manifest.capture_id),
            Arc::new(UInt64Array::from(frames.clone())) as ArrayRef,
            Arc::new(payloads.finish()),
            Arc::new(whole.finish()),
        ];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

#[async_trait]
impl TableProvider for PayloadsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let batches = self.captures.iter().map(|capture| self.rows(capture)).collect::<Result<Vec<_>>>()?;
        MemTable::try_new(Arc::clone(&self.schema), vec![batches])?.scan(state, projection, filters, limit).await
    }
}
