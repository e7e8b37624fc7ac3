//! Aggregates over times: `median_gap_s(ts)`, `gap_mad_s(ts)`, `jitter_s(ts)`, `longest_gap_s(ts)`,
//! `periodicity_score(ts)`. They look at the gaps
//! between events in order of time, whatever order the rows come in; null times do not count.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, ListArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Accumulator, AggregateUDF, Signature, SimpleAggregateUDF, Volatility};

use super::{FunctionDoc, Kind};
use crate::{DataFusionError, Result};

pub const DOCS: [FunctionDoc; 5] = [
    FunctionDoc {
        name: "median_gap_s",
        kind: Kind::Aggregate,
        signature: "median_gap_s(ts timestamp) -> f64",
        meaning: "Median of the seconds from each event to the next; null for fewer than two.",
        example: "median_gap_s(to_timestamp(column1)) FROM (VALUES (0), (60), (120), (500))",
        gives: "60.0",
    },
    FunctionDoc {
        name: "gap_mad_s",
        kind: Kind::Aggregate,
        signature: "gap_mad_s(ts timestamp) -> f64",
        meaning: "Median absolute deviation of those gaps from their median, in seconds: how far a usual gap is from the usual gap. Outliers hardly move it. Null for fewer than three events.",
        example: "gap_mad_s(to_timestamp(column1)) FROM (VALUES (0), (60), (125), (185))",
        gives: "0.0",
    },
    FunctionDoc {
        name: "jitter_s",
        kind: Kind::Aggregate,
        signature: "jitter_s(ts timestamp) -> f64",
        meaning: "Mean difference between one gap and the next, in seconds (as RFC 3550, without smoothing); null for fewer than three events.",
        example: "jitter_s(to_timestamp(column1)) FROM (VALUES (0), (60), (125), (185))",
        gives: "5.0",
    },
    FunctionDoc {
        name: "longest_gap_s",
        kind: Kind::Aggregate,
        signature: "longest_gap_s(ts timestamp) -> f64",
        meaning: "The longest of those gaps: how long nothing happened. Null for fewer than two events.",
        example: "longest_gap_s(to_timestamp(column1)) FROM (VALUES (0), (60), (500), (120))",
        gives: "380.0",
    },
    FunctionDoc {
        name: "periodicity_score",
        kind: Kind::Aggregate,
        signature: "periodicity_score(ts timestamp) -> f64",
        meaning: "How regular events are, 0 to 1: half from the gaps' deviation (1 - gap_mad_s / median_gap_s, not below 0), half from their symmetry (1 - |Bowley's skewness|). A beacon is near 1, people are well below. Null for fewer than four events.",
        example: "periodicity_score(to_timestamp(column1)) FROM (VALUES (0), (60), (120), (180), (240))",
        gives: "1.0",
    },
];

/// What the gaps of a group, in seconds, come to.
type Measure = fn(&[f64]) -> Option<f64>;

/// The aggregates.
pub fn functions() -> Vec<AggregateUDF> {
    let measures: [Measure; 5] = [median, deviation, jitter, longest, regularity];
    DOCS.iter()
        .zip(measures)
        .map(|(doc, measure)| {
            let state = Field::new("times", DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true))), true);
            AggregateUDF::from(SimpleAggregateUDF::new_with_signature(
                doc.name,
                // Times of any unit and zone.
                Signature::any(1, Volatility::Immutable),
                DataType::Float64,
                Arc::new(move |_| Ok(Box::new(Gaps { times: Vec::new(), measure }))),
                vec![Arc::new(state)],
            ))
        })
        .collect()
}

/// The times of a group; eight octets an event.
#[derive(Debug)]
struct Gaps {
    times: Vec<i64>,
    measure: Measure,
}

impl Accumulator for Gaps {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for array in values {
            if !matches!(array.data_type(), DataType::Timestamp(..) | DataType::Null) {
                return Err(DataFusionError::Plan(format!("a column of times is needed, not {}", array.data_type())));
            }
            let times = cast(&cast(array, &DataType::Timestamp(TimeUnit::Nanosecond, None))?, &DataType::Int64)?;
            self.times.extend(times.as_primitive::<Int64Type>().iter().flatten());
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.times.sort_unstable();
        let gaps: Vec<f64> = self.times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]) as f64 / 1e9).collect();
        Ok(ScalarValue::Float64((self.measure)(&gaps)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.times.capacity() * size_of::<i64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let times = datafusion::arrow::array::Int64Array::from(std::mem::take(&mut self.times));
        let offsets = OffsetBuffer::from_lengths([times.len()]);
        let list = ListArray::try_new(Arc::new(Field::new_list_field(DataType::Int64, true)), offsets, Arc::new(times), None)?;
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for array in states {
            for times in array.as_list::<i32>().iter().flatten() {
                self.times.extend(times.as_primitive::<Int64Type>().iter().flatten());
            }
        }
        Ok(())
    }
}

fn sorted(gaps: &[f64]) -> Vec<f64> {
    let mut gaps = gaps.to_vec();
    gaps.sort_unstable_by(f64::total_cmp);
    gaps
}

/// The quantile of sorted values, between its neighbours.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (*sorted.get(place.floor() as usize)?, *sorted.get(place.ceil() as usize)?);
    Some(low + (high - low) * (place - place.floor()))
}

fn median(gaps: &[f64]) -> Option<f64> {
    quantile(&sorted(gaps), 0.5)
}

fn deviation(gaps: &[f64]) -> Option<f64> {
    if gaps.len() < 2 {
        return None;
    }
    let usual = median(gaps)?;
    median(&gaps.iter().map(|gap| (gap - usual).abs()).collect::<Vec<_>>())
}

fn jitter(gaps: &[f64]) -> Option<f64> {
    let steps: Vec<f64> = gaps.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    (!steps.is_empty()).then(|| steps.iter().sum::<f64>() / steps.len() as f64)
}

fn longest(gaps: &[f64]) -> Option<f64> {
    gaps.iter().copied().reduce(f64::max)
}

fn regularity(gaps: &[f64]) -> Option<f64> {
    if gaps.len() < 3 {
        return None;
    }
    let ordered = sorted(gaps);
    let (q1, usual, q3) = (quantile(&ordered, 0.25)?, quantile(&ordered, 0.5)?, quantile(&ordered, 0.75)?);
    if usual <= 0.0 {
        return None;
    }
    let skew = if q3 > q1 { ((q1 + q3 - 2.0 * usual) / (q3 - q1)).abs() } else { 0.0 };
    Some(0.5 * (1.0 - deviation(gaps)? / usual).max(0.0) + 0.5 * (1.0 - skew))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beacon_and_a_person() {
        let beacon: Vec<f64> = (0..50).map(|at| 60.0 + f64::from(at * 7 % 11) - 5.0).collect();
        let person: Vec<f64> = (0..50).map(|at| 1.5f64.powi(at % 13)).collect();
        assert!(regularity(&beacon).unwrap() > 0.9, "{:?}", regularity(&beacon));
        assert!(regularity(&person).unwrap() < 0.5, "{:?}", regularity(&person));
        assert_eq!(regularity(&[1.0, 1.0]), None);
        assert_eq!(median(&[]), None);
        assert_eq!((jitter(&[1.0]), deviation(&[1.0])), (None, None));
    }
}
