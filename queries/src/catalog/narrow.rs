//! Narrowing: which frames of a capture are looked at, by time, address and number.
//!
//! A selection is worked out once, from `packets` (and `arp`, whose addresses stand in its messages), and kept as bit sets of
//! frame numbers and of flows. Every table is then filtered by them where the catalog makes it, so that no query knows of it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf};
use datafusion::prelude::{ident, lit};
use futures::StreamExt as _;
use pcapper_schema::{Shape, TableDef};

use super::{Catalog, Selected, View};
use crate::{DataFusionError, Result};

/// What is asked for.
#[derive(Clone, Default, Debug)]
pub struct Wanted {
    /// First and last moment, nanoseconds since 1970, both included.
    pub start: Option<i64>,
    pub end: Option<i64>,
    /// Addresses and networks (`10.0.0.0/8`), one of which either end must be in; empty for any.
    pub ips: Vec<String>,
    /// Frame numbers that matched something outside the catalog; `None` for any.
    pub frames: Option<Vec<u64>>,
}

/// The selected frames of one capture.
#[derive(Debug, Default)]
pub struct Frames {
    frames: Bits,
    /// Flows (by id) that have one of them.
    flows: Bits,
    /// How many they are.
    pub count: u64,
}

impl Frames {
    /// Whether the frame is selected.
    pub fn contains(&self, frame: u64) -> bool {
        self.frames.has(frame)
    }

    /// Whether a frame of the flow is selected.
    pub fn contains_flow(&self, flow_id: u64) -> bool {
        self.flows.has(flow_id)
    }

    /// The selected frames, in order.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.frames.numbers()
    }
}

/// A set of small numbers.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn add(&mut self, number: u64) {
        let (at, bit) = (usize::try_from(number / 64).unwrap_or(usize::MAX - 1), number % 64);
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at) {
            *word |= 1 << bit;
        }
    }

    fn last(&self) -> Option<u64> {
        let (at, word) = self.0.iter().enumerate().rev().find(|(_, word)| **word != 0)?;
        Some(at as u64 * 64 + u64::from(63 - word.leading_zeros()))
    }

    fn has(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|at| self.0.get(at));
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at as u64 * 64 + bit))
    }
}

/// Works out which frames of a capture are wanted.
pub async fn select(lake: &Path, capture: &Selected, wanted: &Wanted) -> Result<Frames> {
    let whole = Selected { narrowed: None, ..capture.clone() };
    let packets = whole.manifest.packets;
    let catalog = Catalog::open(lake, vec![whole], View::default())?;
    let listed = wanted.frames.as_ref().map(|frames| {
        let mut bits = Bits::default();
        // A capture that changed since it was decoded may have more frames than the lake knows.
        frames.iter().filter(|frame| **frame <= packets).for_each(|frame| bits.add(*frame));
        bits
    });
    let mut conditions = vec!["true".to_owned()];
    conditions.extend(wanted.start.map(|start| format!("CAST(ts AS BIGINT) >= {start}")));
    conditions.extend(wanted.end.map(|end| format!("CAST(ts AS BIGINT) <= {end}")));
    let mut by_arp = Bits::default();
    if !wanted.ips.is_empty() && catalog.rows("arp") > 0 {
        let query = format!("SELECT frame FROM arp WHERE {}", in_any(&["sender_ip", "target_ip"], &wanted.ips));
        let mut stream = catalog.sql(&query).await?.execute_stream().await?;
        while let Some(batch) = stream.next().await {
            numbers(batch?.column(0))?.values().iter().for_each(|frame| by_arp.add(*frame));
        }
    }
    let ends = ["src_ip", "dst_ip", "outer_src_ip", "outer_dst_ip"];
    let named = if wanted.ips.is_empty() { "true".to_owned() } else { in_any(&ends, &wanted.ips) };
    let mut found = Frames::default();
    let query = format!("SELECT frame, flow_id, {named} AS named FROM packets WHERE {}", conditions.join(" AND "));
    let mut stream = catalog.sql(&query).await?.execute_stream().await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let (frames, flows) = (numbers(batch.column(0))?, numbers(batch.column(1))?);
        let named = batch.column(2).as_boolean();
        for row in 0..batch.num_rows() {
            let frame = frames.value(row);
            if !(named.value(row) || by_arp.has(frame)) || listed.as_ref().is_some_and(|listed| !listed.has(frame)) {
                continue;
            }
            found.count += 1;
            found.frames.add(frame);
            if flows.is_valid(row) {
                found.flows.add(flows.value(row));
            }
        }
    }
    Ok(found)
}

/// One of the columns is in one of the networks.
fn in_any(columns: &[&str], ips: &[String]) -> String {
    let text = |ip: &String| format!("'{}'", ip.replace('\'', "''"));
    let (networks, addresses): (Vec<&String>, Vec<&String>) = ips.iter().partition(|ip| ip.contains('/'));
    let mut parts = Vec::new();
    for column in columns {
        if !addresses.is_empty() {
            let list: Vec<String> = addresses.iter().map(|ip| text(ip)).collect();
            parts.push(format!("coalesce({column} IN ({}), false)", list.join(", ")));
        }
        parts.extend(networks.iter().map(|network| format!("coalesce(cidr_match({}, CAST({column} AS VARCHAR)), false)", text(network))));
    }
    format!("({})", parts.join(" OR "))
}

fn numbers(column: &ArrayRef) -> Result<UInt64Array> {
    Ok(cast(column, &DataType::UInt64)?.as_primitive::<UInt64Type>().clone())
}

/// The condition under which rows of a table are in the selection; `None` where all are.
pub fn condition(def: &TableDef, captures: &[Selected]) -> Option<Expr> {
    if captures.iter().all(|capture| capture.narrowed.is_none()) || def.shape == Shape::Capture {
        return None;
    }
    let of_flows = def.name == "flows";
    let number = ident(if of_flows { "flow_id" } else { "frame" });
    if let [Selected { narrowed: Some(only), .. }] = captures {
        let bits = if of_flows { &only.flows } else { &only.frames };
        let (Some(first), Some(last)) = (bits.numbers().next(), bits.last()) else { return Some(lit(false)) };
        // Pages outside need not be read at all.
        let within = number.clone().gt_eq(lit(first)).and(number.clone().lt_eq(lit(last)));
        return Some(within.and(in_one(Arc::clone(only), of_flows).call(vec![number])));
    }
    let selected = captures.iter().map(|capture| (capture.manifest.capture_id.clone(), capture.narrowed.clone())).collect();
    Some(in_several(selected, of_flows).call(vec![ident_as_text("capture_id"), number]))
}

fn ident_as_text(column: &str) -> Expr {
    datafusion::logical_expr::cast(ident(column), DataType::Utf8)
}

impl Frames {
    fn has(&self, number: u64, of_flows: bool) -> bool {
        if of_flows { self.contains_flow(number) } else { self.contains(number) }
    }
}

/// `(number)`: whether the frame or flow of this number is selected.
fn in_one(selected: Arc<Frames>, of_flows: bool) -> ScalarUDF {
    let body = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let [numbers] = arrays.as_slice() else { return Err(DataFusionError::Internal("one argument is needed".to_owned())) };
        let numbers = numbers.as_primitive::<UInt64Type>();
        let answer: BooleanArray = numbers.iter().map(|number| Some(number.is_some_and(|number| selected.has(number, of_flows)))).collect();
        Ok(ColumnarValue::Array(Arc::new(answer)))
    };
    create_udf("is_selected", vec![DataType::UInt64], DataType::Boolean, Volatility::Immutable, Arc::new(body))
}

/// `(capture_id, number)`: the same of several captures.
fn in_several(selected: HashMap<String, Option<Arc<Frames>>>, of_flows: bool) -> ScalarUDF {
    let body = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let [captures, numbers] = arrays.as_slice() else { return Err(DataFusionError::Internal("two arguments are needed".to_owned())) };
        let rows = captures.as_string::<i32>().iter().zip(numbers.as_primitive::<UInt64Type>());
        let answer: BooleanArray = rows
            .map(|(capture, number)| {
                Some(match (capture.and_then(|capture| selected.get(capture)), number) {
                    (Some(None), _) => true,
                    (Some(Some(frames)), Some(number)) => frames.has(number, of_flows),
                    _ => false,
                })
            })
            .collect();
        Ok(ColumnarValue::Array(Arc::new(answer)))
    };
    create_udf("is_selected", vec![DataType::Utf8, DataType::UInt64], DataType::Boolean, Volatility::Immutable, Arc::new(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits() {
        let mut bits = Bits::default();
        for number in [0, 63, 64, 1000] {
            bits.add(number);
        }
        assert_eq!(bits.numbers().collect::<Vec<_>>(), [0, 63, 64, 1000]);
        assert_eq!(bits.last(), Some(1000));
        assert!(bits.has(64) && !bits.has(65) && !bits.has(1 << 40));
    }

    #[test]
    fn addresses_and_networks() {
        let ips = ["10.0.0.1".to_owned(), "fe80::/10".to_owned()];
        let expected = "(coalesce(src_ip IN ('10.0.0.1'), false) OR coalesce(cidr_match('fe80::/10', CAST(src_ip AS VARCHAR)), false))";
        assert_eq!(in_any(&["src_ip"], &ips), expected);
    }
}
