//! `periodicity(list of times)`: how regular a series of events is.
//!
//! A struct of `events`, `period_s` (median interval), `jitter` (median absolute deviation of the intervals, as a share of the
//! period), `skew` (Bowley's, 0 for symmetric), `regularity` (0 to 1), `persistence` (share of windows with an event), `missed`
//! (beats that are missing) and `span_s`; null for fewer than four events.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Int64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::{FunctionDoc, Kind};
use crate::{DataFusionError, Result};

const SECOND: f64 = 1e9;
const HOUR_S: f64 = 3600.0;
/// An interval of up to this many periods may be one with beats missing.
const MOST_MISSED: f64 = 6.0;

pub const DOC: FunctionDoc = FunctionDoc {
    name: "periodicity",
    kind: Kind::Scalar,
    signature: "periodicity(times list) -> struct",
    meaning: "How regular a list of times is: events, period_s, jitter (deviation as a share of the period), skew, regularity (0 to 1), persistence, missed beats, span_s; null for fewer than four. Of a column, periodicity(array_agg(ts)); periodicity_score(ts) is the short form.",
    example: "periodicity(array_agg(to_timestamp(column1)))['period_s'] FROM (VALUES (0), (60), (120), (180), (240))",
    gives: "60.0",
};

/// The function.
pub fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(Periodicity { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Periodicity {
    signature: Signature,
}

fn fields() -> Fields {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let count = |name: &str| Field::new(name, DataType::Int64, true);
    vec![
        count("events"),
        number("period_s"),
        number("jitter"),
        number("skew"),
        number("regularity"),
        number("persistence"),
        count("missed"),
        number("span_s"),
    ]
    .into()
}

impl ScalarUDFImpl for Periodicity {
    fn name(&self) -> &str {
        "periodicity"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let lists = arrays.first().and_then(|array| array.as_list_opt::<i32>());
        let lists = lists.ok_or_else(|| DataFusionError::Plan("periodicity needs a list of times, as array_agg(ts) gives".to_owned()))?;
        let rhythms: Vec<Option<Rhythm>> = lists
            .iter()
            .map(|list| {
                let Some(list) = list else { return Ok(None) };
                let times = cast(&list, &DataType::Int64)?;
                Ok(rhythm(times.as_primitive::<Int64Type>().iter().flatten().collect()))
            })
            .collect::<Result<_>>()?;
        let number = |of: fn(&Rhythm) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter(rhythms.iter().map(|rhythm| rhythm.as_ref().map(of)))) };
        let count = |of: fn(&Rhythm) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter(rhythms.iter().map(|rhythm| rhythm.as_ref().map(of)))) };
        let columns = vec![
            count(|rhythm| rhythm.events),
            number(|rhythm| rhythm.period_s),
            number(|rhythm| rhythm.jitter),
            number(|rhythm| rhythm.skew),
            number(|rhythm| rhythm.regularity),
            number(|rhythm| rhythm.persistence),
            count(|rhythm| rhythm.missed),
            number(|rhythm| rhythm.span_s),
        ];
        let known = NullBuffer::from_iter(rhythms.iter().map(Option::is_some));
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields(), columns, Some(known))?)))
    }
}

/// What the intervals between events show.
#[derive(Debug, PartialEq)]
struct Rhythm {
    events: i64,
    period_s: f64,
    jitter: f64,
    skew: f64,
    regularity: f64,
    persistence: f64,
    missed: i64,
    span_s: f64,
}

/// The rhythm of events at these times (nanoseconds), in any order.
fn rhythm(mut times: Vec<i64>) -> Option<Rhythm> {
    times.sort_unstable();
    let (first, last) = (*times.first()?, *times.last()?);
    let intervals: Vec<f64> = times.windows(2).filter_map(|pair| Some((pair.get(1)?.checked_sub(*pair.first()?)?) as f64 / SECOND)).collect();
    if times.len() < 4 || intervals.len() < 3 {
        return None;
    }
    let period_s = quantile(&sorted(intervals.clone()), 0.5);
    if period_s <= 0.0 {
        return None;
    }
    let span_s = last.checked_sub(first)? as f64 / SECOND;
    let (plain, jitter, skew) = regularity(&intervals, period_s);
    // The better of two views: a beat that is missing makes one interval of several periods.
    let mut missed = 0;
    let folded: Vec<f64> = intervals
        .iter()
        .map(|interval| {
            let beats = (interval / period_s).round().clamp(1.0, MOST_MISSED);
            missed += beats as i64 - 1;
            interval / beats
        })
        .collect();
    let (with_gaps, ..) = regularity(&folded, period_s);
    // Windows of one period, or hours where the period is shorter, so that a short pause is no absence.
    let window = if period_s < HOUR_S && span_s >= 4.0 * HOUR_S { HOUR_S } else { period_s };
    let windows = (span_s / window).floor() + 1.0;
    let mut held: Vec<i64> = times.iter().filter_map(|time| Some((time.checked_sub(first)? as f64 / SECOND / window).round() as i64)).collect();
    held.dedup();
    let persistence = (held.len() as f64 / windows).min(1.0);
    Some(Rhythm { events: times.len() as i64, period_s, jitter, skew, regularity: plain.max(with_gaps), persistence, missed, span_s })
}

/// Regularity, relative deviation and skew of intervals about a period.
fn regularity(intervals: &[f64], period_s: f64) -> (f64, f64, f64) {
    let intervals = sorted(intervals.to_vec());
    let (q1, median, q3) = (quantile(&intervals, 0.25), quantile(&intervals, 0.5), quantile(&intervals, 0.75));
    let deviation = quantile(&sorted(intervals.iter().map(|interval| (interval - median).abs()).collect()), 0.5);
    let jitter = deviation / period_s;
    // Where the quartiles all but meet, their asymmetry is noise.
    let skew = if q3 - q1 <= 0.02 * period_s { 0.0 } else { ((q1 + q3 - 2.0 * median) / (q3 - q1)).abs() };
    (0.5 * (1.0 - jitter.min(1.0)) + 0.5 * (1.0 - skew), jitter, skew)
}

/// The values in order.
pub fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The quantile of sorted values, between its neighbours; 0 where there are none.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or_default();
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * (place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(times: &[f64]) -> Vec<i64> {
        times.iter().map(|time| (time * SECOND) as i64).collect()
    }

    #[test]
    fn a_clock_is_regular() {
        let times: Vec<f64> = (0..30).map(|beat| f64::from(beat) * 60.0).collect();
        let rhythm = rhythm(seconds(&times)).unwrap();
        assert_eq!((rhythm.period_s, rhythm.jitter, rhythm.regularity, rhythm.missed), (60.0, 0.0, 1.0, 0));
        assert!(rhythm.persistence > 0.95, "{rhythm:?}");
    }

    #[test]
    fn jitter_and_missed_beats_are_borne() {
        // Intervals spread evenly over 60 s +- 30 %.
        let mut at = 0.0;
        let jittered: Vec<f64> = (0..40)
            .map(|beat| {
                at += 42.0 + 36.0 * f64::from(beat * 7 % 40) / 39.0;
                at
            })
            .collect();
        assert!(rhythm(seconds(&jittered)).unwrap().regularity >= 0.8);
        let gappy: Vec<f64> = (0..40).filter(|beat| beat % 9 != 4).map(|beat| f64::from(beat) * 60.0).collect();
        let rhythm = rhythm(seconds(&gappy)).unwrap();
        assert!(rhythm.regularity > 0.98 && rhythm.missed == 4, "{rhythm:?}");
    }

    #[test]
    fn people_are_not() {
        let times: Vec<f64> = (0..30).map(|beat| 1.7f64.powi(beat % 11) * 3.0 + f64::from(beat / 11) * 700.0).collect();
        assert!(rhythm(seconds(&times)).unwrap().regularity < 0.6);
    }

    #[test]
    fn too_few_events_show_nothing() {
        assert_eq!(rhythm(vec![1, 2, 3]), None);
        assert_eq!(rhythm(vec![5; 9]), None);
    }
}
