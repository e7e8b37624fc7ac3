//! A stored table over many captures, of which a question's filters leave out those that cannot hold its rows.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::cache::TableScopedPath;
use datafusion::execution::cache::cache_manager::CachedFileMetadata;
use datafusion::execution::cache::default_cache::DefaultCache;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::RowGroupMetaData;
use pcapper_schema::TableDef;
use pcapper_schema::lake::{Manifest, table_file};

use super::format::StoredFormat;
use super::needles::Needles;
use crate::{DataFusionError, Result};

/// Fewer captures than this are opened without asking the index first.
const MANY: usize = 32;

/// Cells of a table that is kept in memory once a question was asked of it.
const FEW: u64 = 1 << 20;
/// Most bytes that its files hold once decompressed: a few cells can hold long texts.
const SMALL: i64 = 32 << 20;

/// Most bytes of the statistics of a table's files that are remembered.
const STATISTICS: usize = 8 << 20;

/// The table's files.
#[derive(Debug)]
pub struct StoredTable {
    lake: PathBuf,
    def: &'static TableDef,
    /// Captures that have rows, each once.
    captures: Vec<Manifest>,
    needles: OnceLock<Needles>,
    /// The rows, where they are few: many questions are asked of them, and each would open and decode the files again.
    few: OnceLock<Option<MemTable>>,
    /// The table over all of them, which remembers its files' statistics.
    whole: Arc<dyn TableProvider>,
}

impl StoredTable {
    pub fn new(lake: PathBuf, def: &'static TableDef, captures: Vec<Manifest>) -> Result<Self> {
        let whole = listing(&lake, def, captures.iter())?;
        Ok(Self { lake, def, captures, needles: OnceLock::new(), few: OnceLock::new(), whole })
    }

    /// The table in memory, if it is small. A file that cannot be read is told of by who asks it for rows.
    fn few(&self) -> Option<&MemTable> {
        let rows: u64 = self.captures.iter().filter_map(|capture| capture.tables.get(self.def.name)).sum();
        let is_small = self.captures.len() < MANY && rows.saturating_mul(self.def.columns.len() as u64) <= FEW;
        let read = || {
            let (mut batches, mut bytes) = (Vec::new(), 0);
            for capture in &self.captures {
                let file = File::open(table_file(&self.lake, &capture.capture_id, self.def.name)).ok()?;
                let reader = ParquetRecordBatchReaderBuilder::try_new(file).ok()?;
                bytes += reader.metadata().row_groups().iter().map(RowGroupMetaData::total_byte_size).sum::<i64>();
                if bytes > SMALL {
                    return None;
                }
                for batch in reader.build().ok()? {
                    // Columns of other types are not of this build: the files are left to the engine.
                    batches.push(RecordBatch::try_new(self.schema(), batch.ok()?.columns().to_vec()).ok()?);
                }
            }
            MemTable::try_new(self.schema(), vec![batches]).ok()
        };
        if is_small { self.few.get_or_init(read).as_ref() } else { None }
    }

    fn needles(&self) -> &Needles {
        self.needles.get_or_init(|| {
            let ids: Vec<&str> = self.captures.iter().map(|capture| capture.capture_id.as_str()).collect();
            Needles::of(&self.lake, self.def, &ids)
        })
    }

    /// Whether a capture can hold a row that passes; where the filter is not understood, it can.
    fn can_hold(&self, capture: &Manifest, filter: &Expr) -> bool {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => self.can_hold(capture, left) && self.can_hold(capture, right),
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => self.can_hold(capture, left) || self.can_hold(capture, right),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), Expr::Literal(value, _)) => self.can_compare(capture, &column.name, *op, value),
                (Expr::Literal(value, _), Expr::Column(column)) => op.swap().is_none_or(|op| self.can_compare(capture, &column.name, op, value)),
                _ => true,
            },
            Expr::InList(list) if !list.negated => match list.expr.as_ref() {
                Expr::Column(column) => list.list.iter().any(|item| match item {
                    Expr::Literal(value, _) => self.can_compare(capture, &column.name, Operator::Eq, value),
                    _ => true,
                }),
                _ => true,
            },
            _ => true,
        }
    }

    fn can_compare(&self, capture: &Manifest, column: &str, op: Operator, value: &ScalarValue) -> bool {
        match (column, op, text_of(value)) {
            ("capture", Operator::Eq, Some(text)) => capture.capture == text,
            ("capture_id", Operator::Eq, Some(text)) => capture.capture_id == text,
            ("ts", ..) => time_of(value).is_none_or(|time| in_span(capture, op, time)),
            (_, Operator::Eq, Some(text)) if self.captures.len() >= MANY && is_hunted(self.def, column) => {
                let needles = self.needles();
                !needles.knows(column) || needles.can_hold(&capture.capture_id, column, text)
            }
            _ => true,
        }
    }
}

fn is_hunted(def: &TableDef, column: &str) -> bool {
    def.columns.iter().any(|known| known.name == column && known.bloom && is_text(&known.data_type))
}

fn is_text(data_type: &arrow::datatypes::DataType) -> bool {
    use arrow::datatypes::DataType;
    match data_type {
        DataType::Utf8 => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

fn text_of(value: &ScalarValue) -> Option<&str> {
    match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => text.as_deref(),
        ScalarValue::Dictionary(_, inner) => text_of(inner),
        _ => None,
    }
}

fn time_of(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::TimestampNanosecond(time, _) => *time,
        _ => None,
    }
}

/// Whether a capture's span reaches where the filter looks. Rows without a time pass no such filter.
fn in_span(capture: &Manifest, op: Operator, time: i64) -> bool {
    let (Some(first), Some(last)) = (capture.first_ts, capture.last_ts) else { return true };
    match op {
        Operator::Eq => (first..=last).contains(&time),
        Operator::Gt => last > time,
        Operator::GtEq => last >= time,
        Operator::Lt => first < time,
        Operator::LtEq => first <= time,
        _ => true,
    }
}

/// The files of captures as one table.
fn listing<'m>(lake: &std::path::Path, def: &TableDef, captures: impl Iterator<Item = &'m Manifest>) -> Result<Arc<dyn TableProvider>> {
    let mut paths = Vec::new();
    for capture in captures {
        let file = std::path::absolute(table_file(lake, &capture.capture_id, def.name)).map_err(DataFusionError::IoError)?;
        let text = file.to_str().ok_or_else(|| DataFusionError::Plan(format!("{}: not a Unicode path", file.display())))?;
        paths.push(ListingTableUrl::parse(text)?);
    }
    if paths.is_empty() {
        return Ok(Arc::new(EmptyTable::new(Arc::clone(&def.schema))));
    }
    let options = ListingOptions::new(Arc::new(StoredFormat::default())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(paths).with_listing_options(options).with_schema(Arc::clone(&def.schema));
    // A table is asked many times in a session, and its files do not change.
    let statistics = DefaultCache::<TableScopedPath, CachedFileMetadata>::new(STATISTICS);
    Ok(Arc::new(ListingTable::try_new(config)?.with_cache(Some(Arc::new(statistics)))))
}

#[async_trait]
impl TableProvider for StoredTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.def.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.whole.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(few) = self.few() {
            return few.scan(state, projection, filters, limit).await;
        }
        let can_hold = |capture: &&Manifest| filters.iter().all(|filter| self.can_hold(capture, filter));
        let kept: Vec<&Manifest> = self.captures.iter().filter(can_hold).collect();
        if kept.len() == self.captures.len() {
            return self.whole.scan(state, projection, filters, limit).await;
        }
        listing(&self.lake, self.def, kept.into_iter())?.scan(state, projection, filters, limit).await
    }
}
