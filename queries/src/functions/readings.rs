//! Aggregates over the readings of one point of a process: `jumps`, `last_change`, `change_without_write` and `replayed_run`, and
//! over the numbers of one sender: `goes_back`. They look at them in order of time, whatever order the rows come in. Windows of SQL would sort a table of millions of
//! values by five texts for each of these questions.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, StructArray, TimestampNanosecondArray, UInt64Array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Int64Type, TimeUnit, UInt64Type};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Accumulator, AggregateUDF, Signature, SimpleAggregateUDF, Volatility};

use super::periodicity::{quantile, sorted};
use super::{FunctionDoc, Kind};
use crate::{DataFusionError, Result};

/// Readings of a series that show what is usual.
const ENOUGH: usize = 12;
/// Readings of a run that is looked for again.
const RUN: usize = 12;
/// Frames that a result names as evidence.
const EVIDENCE: usize = 20;
/// Nanoseconds within which a write explains a change that is read after it.
const EXPLAINS: i64 = 60_000_000_000;

pub const DOCS: [FunctionDoc; 5] = [
    FunctionDoc {
        name: "jumps",
        kind: Kind::Aggregate,
        signature: "jumps(value f64, ts timestamp, frame u64, source_time timestamp) -> struct",
        meaning: "Steps of a point that moves up and down which are at least ten times its median step, six times the spread between its quartiles and among the largest half percent: count, before, value, frame, frames, ts, end_ts of the first, usual (median step) and span (greatest less least). Ordered by the device's time where there is one. Null where there are none, or fewer than twelve steps.",
        example: "jumps(CAST(CASE column1 WHEN 30 THEN 900 ELSE column1 % 5 * 2 % 7 END AS DOUBLE), to_timestamp(column1), column1, to_timestamp(column1))['value'] FROM generate_series(1, 40) AS t (column1)",
        gives: "900.0",
    },
    FunctionDoc {
        name: "last_change",
        kind: Kind::Aggregate,
        signature: "last_change(value f64, ts timestamp, frame u64) -> struct",
        meaning: "When a point last changed: readings, changes (readings that differ from the one before), changed (number of the reading that was the last to differ), its frame and ts, value and end_ts of the last reading.",
        example: "last_change(CAST(least(column1, 3) AS DOUBLE), to_timestamp(column1), column1)['changed'] FROM (VALUES (1), (2), (3), (4), (5)) AS t",
        gives: "3",
    },
    FunctionDoc {
        name: "change_without_write",
        kind: Kind::Aggregate,
        signature: "change_without_write(value f64, ts timestamp, frame u64, is_write bool) -> struct",
        meaning: "The first change of a point, by more than a twentieth of what it spans, that is read without a write in the minute before the last reading: frame, ts, before, value, and explained (changes before it that followed a write). Null where every change follows one.",
        example: "change_without_write(CAST(CASE WHEN column1 < 15 THEN 1 ELSE 5 END AS DOUBLE), to_timestamp(column1), column1, false)['frame'] FROM generate_series(1, 20) AS t (column1)",
        gives: "15",
    },
    FunctionDoc {
        name: "replayed_run",
        kind: Kind::Aggregate,
        signature: "replayed_run(value f64, ts timestamp, frame u64) -> struct",
        meaning: "Twelve readings in a row that are exactly twelve earlier ones, of a point that moves up and down with six values and five steps among the twelve: count (of such places), back (readings between both), frame, frames, ts, end_ts. Null where nothing repeats, and where it repeats from the beginning: that is a period, no replay.",
        example: "replayed_run(CAST(column1 AS DOUBLE), to_timestamp(column1), column1) IS NULL FROM generate_series(1, 99) AS t (column1)",
        gives: "true",
    },
    FunctionDoc {
        name: "goes_back",
        kind: Kind::Aggregate,
        signature: "goes_back(sequence f64, ts timestamp, frame u64) -> struct",
        meaning: "Places where a sequence number of 32 bits goes back, in order of the frames: by two or more (two messages may change places), round its end or not, and within a second (it may begin anew after a pause, or from the start): count, before and value, frame, frames, ts, end_ts of the first. Null where it never does.",
        example: "goes_back(CAST(CASE column1 WHEN 4 THEN 7 ELSE column1 + 10 END AS DOUBLE), to_timestamp(column1), column1)['before'] FROM generate_series(1, 9) AS t (column1)",
        gives: "13.0",
    },
];

/// One value of a point.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// When the device took it, or else when it was seen.
    at: i64,
    ts: i64,
    frame: u64,
    value: f64,
    is_write: bool,
}

/// What a series comes to: the cells of the struct.
type Tell = fn(&mut [Reading]) -> Option<Vec<ArrayRef>>;

/// That, the names of its columns, and how many arguments the aggregate has.
type Told = (Tell, &'static [&'static str], usize);

/// The aggregates.
pub fn functions() -> Vec<AggregateUDF> {
    let tells: [Told; 5] = [
        (jumps, &["count", "before", "value", "frame", "frames", "ts", "end_ts", "usual", "span"], 4),
        (last_change, &["readings", "changes", "changed", "frame", "ts", "value", "end_ts"], 3),
        (change_without_write, &["frame", "ts", "before", "value", "explained"], 4),
        (replayed_run, &["count", "back", "frame", "frames", "ts", "end_ts"], 3),
        (goes_back, &["count", "before", "value", "frame", "frames", "ts", "end_ts"], 3),
    ];
    DOCS.iter()
        .zip(tells)
        .map(|(doc, (tell, names, arguments))| {
            let fields: Fields = names.iter().map(|name| Field::new(*name, type_of(name), true)).collect();
            let result = DataType::Struct(fields.clone());
            AggregateUDF::from(SimpleAggregateUDF::new_with_signature(
                doc.name,
                // Numbers and times of any kind.
                Signature::any(arguments, Volatility::Immutable),
                result,
                Arc::new(move |_| Ok(Box::new(Series { readings: Vec::new(), fields: fields.clone(), tell }))),
                state().into_iter().map(|(name, data_type)| Arc::new(Field::new(name, list_of(data_type), true)) as FieldRef).collect(),
            ))
        })
        .collect()
}

/// The type of a result's column; what is not told here is a count or the number of a frame.
fn type_of(column: &str) -> DataType {
    match column {
        "before" | "value" | "usual" | "span" => DataType::Float64,
        "ts" | "end_ts" => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        "frames" => list_of(DataType::UInt64),
        _ => DataType::UInt64,
    }
}

fn list_of(data_type: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(data_type, true)))
}

fn state() -> [(&'static str, DataType); 5] {
    [("at", DataType::Int64), ("ts", DataType::Int64), ("frame", DataType::UInt64), ("value", DataType::Float64), ("is_write", DataType::Boolean)]
}

/// The readings of a group.
#[derive(Debug)]
struct Series {
    readings: Vec<Reading>,
    fields: Fields,
    tell: Tell,
}

/// Nanoseconds since 1970 of a column of times.
fn times(array: &ArrayRef) -> Result<Int64Array> {
    if !matches!(array.data_type(), DataType::Timestamp(..) | DataType::Null) {
        return Err(DataFusionError::Plan(format!("a column of times is needed, not {}", array.data_type())));
    }
    let times = cast(&cast(array, &DataType::Timestamp(TimeUnit::Nanosecond, None))?, &DataType::Int64)?;
    Ok(times.as_primitive::<Int64Type>().clone())
}

impl Accumulator for Series {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [value, ts, frame, rest @ ..] = values else { return Ok(()) };
        let (value, ts, frame) = (cast(value, &DataType::Float64)?, times(ts)?, cast(frame, &DataType::UInt64)?);
        let (value, frame) = (value.as_primitive::<Float64Type>(), frame.as_primitive::<UInt64Type>());
        let writes = rest.first().and_then(|given| given.as_boolean_opt()).cloned();
        let at = if writes.is_some() { None } else { rest.first().map(times).transpose()? };
        for (row, ((value, ts), frame)) in value.iter().zip(&ts).zip(frame).enumerate() {
            let (Some(value), Some(ts), Some(frame)) = (value, ts, frame) else { continue };
            let at = at.as_ref().filter(|at| at.is_valid(row)).map_or(ts, |at| at.value(row));
            let is_write = writes.as_ref().is_some_and(|writes| writes.is_valid(row) && writes.value(row));
            self.readings.push(Reading { at, ts, frame, value, is_write });
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let null = ScalarValue::try_from(&DataType::Struct(self.fields.clone()));
        let Some(cells) = (self.tell)(&mut self.readings) else { return null };
        Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(self.fields.clone(), cells, None)?)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.readings.capacity() * size_of::<Reading>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let readings = std::mem::take(&mut self.readings);
        let columns: [ArrayRef; 5] = [
            Arc::new(readings.iter().map(|reading| Some(reading.at)).collect::<Int64Array>()),
            Arc::new(readings.iter().map(|reading| Some(reading.ts)).collect::<Int64Array>()),
            Arc::new(readings.iter().map(|reading| Some(reading.frame)).collect::<UInt64Array>()),
            Arc::new(readings.iter().map(|reading| Some(reading.value)).collect::<Float64Array>()),
            Arc::new(readings.iter().map(|reading| Some(reading.is_write)).collect::<BooleanArray>()),
        ];
        columns.into_iter().map(|column| Ok(ScalarValue::List(Arc::new(list(column)?)))).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [at, ts, frame, value, is_write] = states else { return Ok(()) };
        let lists = [at, ts, frame, value, is_write].map(|column| column.as_list::<i32>());
        for row in 0..at.len() {
            let [at, ts, frame, value, is_write] = lists.map(|list| list.value(row));
            let (at, ts) = (at.as_primitive::<Int64Type>().values(), ts.as_primitive::<Int64Type>().values());
            let (frame, value) = (frame.as_primitive::<UInt64Type>().values(), value.as_primitive::<Float64Type>().values());
            let cells = at.iter().zip(ts).zip(frame).zip(value).zip(is_write.as_boolean().values().iter());
            self.readings.extend(cells.map(|((((&at, &ts), &frame), &value), is_write)| Reading { at, ts, frame, value, is_write }));
        }
        Ok(())
    }
}

/// A list of one row.
fn list(values: ArrayRef) -> Result<ListArray> {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(ListArray::try_new(field, OffsetBuffer::from_lengths([values.len()]), values, None)?)
}

fn count(number: usize) -> ArrayRef {
    Arc::new(UInt64Array::from(vec![number as u64]))
}

fn number(number: f64) -> ArrayRef {
    Arc::new(Float64Array::from(vec![number]))
}

fn moment(ts: Option<i64>) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(vec![ts]).with_timezone("UTC"))
}

fn frame(frame: Option<u64>) -> ArrayRef {
    Arc::new(UInt64Array::from(vec![frame]))
}

/// The first of these frames, in order.
fn frames(mut all: Vec<u64>) -> Option<ArrayRef> {
    all.sort_unstable();
    all.truncate(EVIDENCE);
    Some(Arc::new(list(Arc::new(UInt64Array::from(all))).ok()?))
}

fn in_order(readings: &mut [Reading], time: impl Fn(&Reading) -> i64) {
    readings.sort_unstable_by(|a, b| (time(a), a.frame).cmp(&(time(b), b.frame)).then(a.value.total_cmp(&b.value)));
}

fn span(values: impl Iterator<Item = f64>) -> f64 {
    let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    most - least
}

fn distinct(mut values: Vec<f64>) -> usize {
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    values.len()
}

/// The steps between neighbours.
fn steps(readings: &[Reading]) -> impl Iterator<Item = (&Reading, &Reading)> {
    readings.iter().zip(readings.iter().skip(1))
}

/// Whether some step goes up and some down.
fn moves(readings: &[Reading]) -> bool {
    steps(readings).any(|(before, after)| after.value > before.value) && steps(readings).any(|(before, after)| after.value < before.value)
}

fn jumps(readings: &mut [Reading]) -> Option<Vec<ArrayRef>> {
    if readings.len() <= ENOUGH || !moves(readings) {
        return None;
    }
    in_order(readings, |reading| reading.at);
    let after: Vec<f64> = readings.iter().skip(1).map(|reading| reading.value).collect();
    if !moves(readings) || distinct(after.clone()) <= 4 {
        return None;
    }
    let sizes = sorted(steps(readings).map(|(before, after)| (after.value - before.value).abs()).collect());
    let (usual, high) = (quantile(&sizes, 0.5), quantile(&sizes, 0.995));
    let (after, span) = (sorted(after), span(readings.iter().map(|reading| reading.value)));
    let spread = quantile(&after, 0.75) - quantile(&after, 0.25);
    if usual <= 0.0 || spread <= 0.0 {
        return None;
    }
    let least = (10.0 * usual).max(6.0 * spread).max(0.01 * span);
    let large = |(before, after): &(&Reading, &Reading)| {
        let size = (after.value - before.value).abs();
        size > least && size >= high
    };
    let mut found: Vec<(&Reading, &Reading)> = steps(readings).filter(large).collect();
    found.sort_by(|(_, a), (_, b)| a.frame.cmp(&b.frame).then(a.value.total_cmp(&b.value)));
    let (before, first) = *found.first()?;
    Some(vec![
        count(found.len()),
        number(before.value),
        number(first.value),
        frame(Some(first.frame)),
        frames(found.iter().map(|(_, after)| after.frame).collect())?,
        moment(found.iter().map(|(_, after)| after.ts).min()),
        moment(found.iter().map(|(_, after)| after.ts).max()),
        number(usual),
        number(span),
    ])
}

fn last_change(readings: &mut [Reading]) -> Option<Vec<ArrayRef>> {
    in_order(readings, |reading| reading.ts);
    let last = readings.last()?;
    let changed = |(_, (before, after)): &(usize, (&Reading, &Reading))| before.value != after.value;
    let changes = steps(readings).enumerate().filter(changed).count();
    let latest = steps(readings).enumerate().filter(changed).last();
    Some(vec![
        count(readings.len()),
        count(changes),
        Arc::new(UInt64Array::from(vec![latest.map(|(at, _)| at as u64 + 2)])),
        frame(latest.map(|(_, (_, after))| after.frame)),
        moment(latest.map(|(_, (_, after))| after.ts)),
        number(last.value),
        moment(Some(last.ts)),
    ])
}

fn change_without_write(readings: &mut [Reading]) -> Option<Vec<ArrayRef>> {
    let read = || readings.iter().filter(|reading| !reading.is_write);
    let span = span(read().map(|reading| reading.value));
    if read().count() < ENOUGH || span <= 0.0 {
        return None;
    }
    in_order(readings, |reading| reading.ts);
    let (mut written, mut before, mut explained) = (None, None::<&Reading>, 0);
    for reading in readings.iter() {
        if reading.is_write {
            written = Some(reading.ts);
            continue;
        }
        if let Some(before) = before.filter(|before| (reading.value - before.value).abs() > 0.05 * span) {
            if written.is_some_and(|written| written >= before.ts.saturating_sub(EXPLAINS)) {
                explained += 1;
            } else {
                return Some(vec![
                    frame(Some(reading.frame)),
                    moment(Some(reading.ts)),
                    number(before.value),
                    number(reading.value),
                    count(explained),
                ]);
            }
        }
        before = Some(reading);
    }
    None
}

fn replayed_run(readings: &mut [Reading]) -> Option<Vec<ArrayRef>> {
    // Few readings, few values and what only rises or falls cannot tell a repetition.
    if readings.len() < 3 * RUN || distinct(readings.iter().map(|reading| reading.value).collect()) < 8 {
        return None;
    }
    in_order(readings, |reading| reading.ts);
    if !moves(readings) {
        return None;
    }
    let mut seen: HashMap<u64, usize> = HashMap::new();
    // Places of the last reading of a run, and of the earlier one.
    let mut again: Vec<(usize, usize)> = Vec::new();
    for (start, run) in readings.windows(RUN).enumerate() {
        // A ramp is the same each time; twelve readings with their noise are not.
        let stepped = readings.get(start.saturating_sub(1)..start + RUN).unwrap_or_default();
        let rounded = |(before, after): (&Reading, &Reading)| ((after.value - before.value) * 1e9).round();
        let of_steps = distinct(steps(stepped).map(rounded).collect()) + usize::from(start == 0);
        if of_steps < 5 || distinct(run.iter().map(|reading| reading.value).collect()) < 6 {
            continue;
        }
        let mut hasher = DefaultHasher::new();
        run.iter().for_each(|reading| hasher.write_u64(reading.value.to_bits()));
        if let Some(earlier) = seen.insert(hasher.finish(), start) {
            let same = |(a, b): (&Reading, &Reading)| a.value.to_bits() == b.value.to_bits();
            if start - earlier >= RUN && readings.get(earlier..earlier + RUN)?.iter().zip(run).all(same) {
                again.push((start + RUN - 1, earlier + RUN - 1));
            }
        }
    }
    let (first, earlier) = *again.first()?;
    let back = first - earlier;
    // What repeats itself from the beginning has a period of its own: a schedule, or a signal without noise. A replay comes
    // after more than was recorded.
    if first + 1 - RUN < 2 * back {
        return None;
    }
    let repeats = || again.iter().filter_map(|(place, _)| readings.get(*place));
    let mut all: Vec<u64> = repeats().map(|reading| reading.frame).collect();
    all.sort_unstable();
    all.truncate(EVIDENCE - 1);
    all.push(readings.get(earlier)?.frame);
    Some(vec![
        count(again.len()),
        count(back),
        frame(repeats().map(|reading| reading.frame).min()),
        frames(all)?,
        moment(repeats().map(|reading| reading.ts).min()),
        moment(repeats().map(|reading| reading.ts).max()),
    ])
}

fn goes_back(readings: &mut [Reading]) -> Option<Vec<ArrayRef>> {
    readings.sort_unstable_by_key(|reading| reading.frame);
    let is_back = |(before, after): &(&Reading, &Reading)| {
        let by = (before.value - after.value).rem_euclid(4_294_967_296.0);
        (2.0..=2_147_483_647.0).contains(&by) && after.value > 1.0 && after.ts.saturating_sub(before.ts) <= 1_000_000_000
    };
    let mut all = steps(readings).filter(is_back);
    let (before, first) = all.next()?;
    let (mut evidence, mut found, mut start, mut end) = (vec![first.frame], 1, first.ts, first.ts);
    for (_, after) in all {
        found += 1;
        (start, end) = (start.min(after.ts), end.max(after.ts));
        if evidence.len() < EVIDENCE {
            evidence.push(after.frame);
        }
    }
    Some(vec![
        count(found),
        number(before.value),
        number(first.value),
        frame(Some(first.frame)),
        frames(evidence)?,
        moment(Some(start)),
        moment(Some(end)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One reading a second.
    fn series(values: &[f64]) -> Vec<Reading> {
        let reading = |(at, value): (usize, &f64)| {
            let ts = at as i64 * 1_000_000_000;
            Reading { at: ts, ts, frame: at as u64 + 1, value: *value, is_write: false }
        };
        values.iter().enumerate().map(reading).collect()
    }

    fn cell(cells: &[ArrayRef], at: usize) -> f64 {
        cast(&cells[at], &DataType::Float64).unwrap().as_primitive::<Float64Type>().value(0)
    }

    /// A signal with noise that does not repeat.
    fn noisy(count: usize) -> Vec<f64> {
        (0..count).map(|at| (at as f64 * 0.7).sin() * 10.0 + ((at * at * 31 + at * 17) % 97) as f64 / 10.0).collect()
    }

    #[test]
    fn a_jump_stands_out() {
        let mut values = noisy(80);
        assert!(jumps(&mut series(&values)).is_none());
        values[79] = 500.0;
        let found = jumps(&mut series(&values)).unwrap();
        assert_eq!((cell(&found, 0), cell(&found, 1), cell(&found, 2), cell(&found, 3)), (1.0, values[78], 500.0, 80.0));
        assert!(jumps(&mut series(&[1.0, 500.0])).is_none());
    }

    #[test]
    fn the_last_change_is_counted_from_the_first_reading() {
        let told = last_change(&mut series(&[1.0, 2.0, 2.0, 3.0, 3.0])).unwrap();
        assert_eq!((cell(&told, 0), cell(&told, 1), cell(&told, 2), cell(&told, 3), cell(&told, 5)), (5.0, 2.0, 4.0, 4.0, 3.0));
        let still = last_change(&mut series(&[1.0, 1.0])).unwrap();
        assert!(still[2].is_null(0) && last_change(&mut []).is_none());
    }

    #[test]
    fn a_change_is_explained_by_a_write() {
        let mut readings = series(&[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let write = Reading { at: 3_500_000_000, ts: 3_500_000_000, frame: 4, value: 1.0, is_write: true };
        // A minute covers both changes.
        readings.push(write);
        assert!(change_without_write(&mut readings).is_none());
        readings.retain(|reading| !reading.is_write);
        let found = change_without_write(&mut readings).unwrap();
        assert_eq!((cell(&found, 0), cell(&found, 2), cell(&found, 3), cell(&found, 4)), (5.0, 0.0, 1.0, 0.0));
    }

    #[test]
    fn a_sequence_goes_back() {
        let back = |values: &[f64]| goes_back(&mut series(values)).map(|found| (cell(&found, 0), cell(&found, 1), cell(&found, 2), cell(&found, 3)));
        assert_eq!(back(&[5.0, 6.0, 3.0, 4.0, 2.0]), Some((2.0, 6.0, 3.0, 3.0)));
        // Two change places, it wraps, it begins anew.
        assert_eq!(back(&[5.0, 7.0, 6.0, 8.0, 4_294_967_295.0, 0.0, 1.0, 9.0]), Some((1.0, 8.0, 4_294_967_295.0, 5.0)));
        assert_eq!(back(&[4_294_967_294.0, 4_294_967_295.0, 0.0, 1.0, 900.0, 1.0, 2.0]), None);
    }

    #[test]
    fn groups_in_parts_are_put_together() {
        let mut whole = Series { readings: Vec::new(), fields: Fields::empty(), tell: last_change };
        let states: Vec<Vec<ScalarValue>> = [&[1.0, 2.0][..], &[3.0], &[]]
            .map(|values| Series { readings: series(values), fields: Fields::empty(), tell: last_change }.state().unwrap())
            .into();
        let columns: Vec<ArrayRef> = (0..5).map(|at| ScalarValue::iter_to_array(states.iter().map(|state| state[at].clone())).unwrap()).collect();
        // A group is given its rows as slices of the columns of all groups.
        let slices: Vec<ArrayRef> = columns.iter().map(|column| column.slice(1, 2)).collect();
        whole.merge_batch(&slices).unwrap();
        assert_eq!(whole.readings.iter().map(|reading| reading.value).collect::<Vec<_>>(), [3.0]);
    }

    #[test]
    fn a_replay_is_found_and_a_period_is_not() {
        let mut values = noisy(60);
        assert!(replayed_run(&mut series(&values)).is_none());
        let recorded = values[40..60].to_vec();
        values.extend(recorded);
        let found = replayed_run(&mut series(&values)).unwrap();
        assert_eq!((cell(&found, 0), cell(&found, 1), cell(&found, 2)), (9.0, 20.0, 72.0));
        let period = noisy(20);
        let periodic: Vec<f64> = (0..100).map(|at| period[at % 20]).collect();
        assert!(replayed_run(&mut series(&periodic)).is_none());
    }
}
