//! A finding as rules see it.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array};
use datafusion::arrow::compute::{cast, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, UInt64Type};
use serde_json::{Map, Number, Value as Json};

use super::also;
use super::rule::{Literal, Op, Order, Test, weight};
use crate::Result;

/// What a rule can ask about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    Source,
    Severity,
    Summary,
    Details,
    Category,
    Raw,
    Detection,
    Title,
    Confidence,
    Capture,
    SrcIp,
    DstIp,
    SrcPort,
    DstPort,
    Count,
    FirstSeen,
    LastSeen,
    Techniques,
    Tags,
}

/// How a field's values compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Text,
    Severity,
    Address,
    Number,
    Time,
    /// Several texts, of which one must match.
    List,
}

const FIELDS: &[(&str, Field, Kind)] = &[
    ("source", Field::Source, Kind::Text),
    ("severity", Field::Severity, Kind::Severity),
    ("summary", Field::Summary, Kind::Text),
    ("details", Field::Details, Kind::Text),
    ("category", Field::Category, Kind::Text),
    ("raw", Field::Raw, Kind::Text),
    ("detection", Field::Detection, Kind::Text),
    ("title", Field::Title, Kind::Text),
    ("confidence", Field::Confidence, Kind::Text),
    ("capture", Field::Capture, Kind::Text),
    ("src_ip", Field::SrcIp, Kind::Address),
    ("dst_ip", Field::DstIp, Kind::Address),
    ("src_port", Field::SrcPort, Kind::Number),
    ("dst_port", Field::DstPort, Kind::Number),
    ("count", Field::Count, Kind::Number),
    ("first_seen", Field::FirstSeen, Kind::Time),
    ("last_seen", Field::LastSeen, Kind::Time),
    ("techniques", Field::Techniques, Kind::List),
    ("tags", Field::Tags, Kind::List),
];

impl Field {
    /// The field of a name.
    pub fn named(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(known, ..)| *known == name).map(|(_, field, _)| *field)
    }

    /// All names, for messages.
    pub fn names() -> String {
        FIELDS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|(_, field, _)| *field == self).map_or("", |(name, ..)| name)
    }

    /// How its values compare.
    pub fn kind(self) -> Kind {
        FIELDS.iter().find(|(_, field, _)| *field == self).map_or(Kind::Text, |(.., kind)| *kind)
    }
}

/// A field's value in one finding.
enum Seen<'a> {
    Nothing,
    Text(Cow<'a, str>),
    Number(f64),
    Time(i64),
    List(Vec<String>),
}

/// Findings, ready to be asked.
pub struct Records {
    batch: RecordBatch,
}

impl Records {
    /// Takes rows in the shape of the `findings` table.
    pub fn new(batch: RecordBatch) -> Self {
        Self { batch }
    }

    /// Number of findings.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The rows themselves.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// A column's text in a row; empty where there is none.
    pub fn text(&self, column: &str, row: usize) -> String {
        self.batch.column_by_name(column).and_then(|column| text_of(column, row)).unwrap_or_default()
    }

    /// A column's texts in a row.
    pub fn texts(&self, column: &str, row: usize) -> Vec<String> {
        let Some(lists) = self.batch.column_by_name(column).and_then(|column| column.as_list_opt::<i32>()) else { return Vec::new() };
        if lists.is_null(row) {
            return Vec::new();
        }
        let items = lists.value(row);
        (0..items.len()).filter_map(|item| text_of(&items, item)).collect()
    }

    /// Title and summary in one line, as rules see them.
    pub fn summary(&self, row: usize) -> String {
        let (title, summary) = (self.text("title", row), self.text("summary", row));
        match (title.is_empty(), summary.is_empty()) {
            (false, false) => format!("{title}: {summary}"),
            _ => format!("{title}{summary}"),
        }
    }

    /// Whether a finding passes a test.
    pub fn passes(&self, row: usize, test: &Test) -> bool {
        match test {
            Test::All(tests) => tests.iter().all(|test| self.passes(row, test)),
            Test::Any(tests) => tests.iter().any(|test| self.passes(row, test)),
            Test::None(tests) => !tests.iter().any(|test| self.passes(row, test)),
            Test::Is(field, op) => {
                let seen = self.seen(*field, row);
                match op {
                    Op::Exists(wanted) => matches!(seen, Seen::Nothing) != *wanted,
                    Op::Differs(literals) => !equal(&seen, literals),
                    other => holds(&seen, *field, other),
                }
            }
        }
    }

    fn seen(&self, field: Field, row: usize) -> Seen<'_> {
        let column = |name: &str| self.batch.column_by_name(name).filter(|column| !column.is_null(row));
        let text = |name: &str| match column(name).and_then(|column| text_of(column, row)) {
            Some(text) => Seen::Text(Cow::Owned(text)),
            None => Seen::Nothing,
        };
        let number = |name: &str| match column(name).and_then(|column| cast(&column.slice(row, 1), &DataType::Float64).ok()) {
            Some(number) => Seen::Number(number.as_primitive::<Float64Type>().value(0)),
            None => Seen::Nothing,
        };
        let time = |name: &str| match column(name).and_then(|column| nanoseconds(column, row)) {
            Some(time) => Seen::Time(time),
            None => Seen::Nothing,
        };
        match field {
            Field::Summary => match self.summary(row) {
                empty if empty.is_empty() => Seen::Nothing,
                summary => Seen::Text(Cow::Owned(summary)),
            },
            Field::Detection | Field::Category => match text("detection") {
                Seen::Text(detection) => Seen::List(also::names(detection.into_owned())),
                nothing => nothing,
            },
            Field::Raw => Seen::Text(Cow::Owned(raw(&self.batch, row))),
            Field::FirstSeen => time("ts"),
            Field::LastSeen => match time("end_ts") {
                Seen::Nothing => time("ts"),
                last => last,
            },
            Field::SrcPort | Field::DstPort | Field::Count => number(field.name()),
            Field::Techniques | Field::Tags => match self.texts(field.name(), row) {
                empty if empty.is_empty() => Seen::Nothing,
                texts => Seen::List(texts),
            },
            _ => text(field.name()),
        }
    }
}

fn text_of(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    let one = cast(&column.slice(row, 1), &DataType::Utf8).ok()?;
    let texts: &StringArray = one.as_string_opt()?;
    texts.is_valid(0).then(|| texts.value(0).to_owned())
}

fn nanoseconds(column: &ArrayRef, row: usize) -> Option<i64> {
    let zone = match column.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => return None,
    };
    let one = cast(&column.slice(row, 1), &DataType::Timestamp(TimeUnit::Nanosecond, zone)).ok()?;
    let number = cast(&one, &DataType::Int64).ok()?;
    Some(number.as_primitive::<Int64Type>().value(0))
}

/// The whole finding as JSON text.
fn raw(batch: &RecordBatch, row: usize) -> String {
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(batch.columns());
    Json::Object(fields.map(|(field, column)| (field.name().clone(), json(column, row))).collect::<Map<_, _>>()).to_string()
}

fn json(column: &ArrayRef, row: usize) -> Json {
    if column.is_null(row) {
        return Json::Null;
    }
    match column.data_type() {
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            Json::Array((0..items.len()).map(|item| json(&items, item)).collect())
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => cast(&column.slice(row, 1), &DataType::UInt64)
            .map_or(Json::Null, |number| Json::Number(Number::from(number.as_primitive::<UInt64Type>().value(0)))),
        DataType::Timestamp(..) => nanoseconds(column, row).map_or(Json::Null, |time| Json::String(iso(time))),
        _ => text_of(column, row).map_or(Json::Null, Json::String),
    }
}

/// Whether the value is one of the literals; what is not there is none.
fn equal(seen: &Seen<'_>, literals: &[Literal]) -> bool {
    literals.iter().any(|literal| match (seen, literal) {
        (Seen::Text(text), Literal::Text(wanted)) => text.as_ref() == wanted,
        (Seen::List(texts), Literal::Text(wanted)) => texts.contains(wanted),
        (Seen::Number(number), Literal::Number(wanted)) => number == wanted,
        (Seen::Time(time), Literal::Time(wanted)) => time == wanted,
        _ => false,
    })
}

fn holds(seen: &Seen<'_>, field: Field, op: &Op) -> bool {
    let any_text = |test: &dyn Fn(&str) -> bool| match seen {
        Seen::Nothing => false,
        Seen::Text(text) => test(text),
        Seen::Number(number) => test(&number.to_string()),
        Seen::Time(time) => test(&iso(*time)),
        Seen::List(texts) => texts.iter().any(|text| test(text)),
    };
    match op {
        Op::Equal(literals) => equal(seen, literals),
        Op::Contains(wanted) => any_text(&|text| {
            let text = text.to_lowercase();
            wanted.iter().any(|wanted| text.contains(wanted))
        }),
        Op::StartsWith(wanted) => any_text(&|text| {
            let text = text.to_lowercase();
            wanted.iter().any(|wanted| text.starts_with(wanted))
        }),
        Op::EndsWith(wanted) => any_text(&|text| {
            let text = text.to_lowercase();
            wanted.iter().any(|wanted| text.ends_with(wanted))
        }),
        Op::Regex(wanted) => any_text(&|text| wanted.iter().any(|wanted| wanted.is_match(text))),
        Op::Cidr(networks) => any_text(&|text| text.parse().is_ok_and(|ip| networks.iter().any(|network| network.contains(ip)))),
        Op::Compare(order, wanted) => match seen {
            Seen::Number(number) => ordered(*order, number, wanted),
            Seen::Text(severity) if field == Field::Severity => ordered(*order, &weight(severity), wanted),
            _ => false,
        },
        Op::CompareTime(order, wanted) => matches!(seen, Seen::Time(time) if ordered(*order, time, wanted)),
        Op::Differs(_) | Op::Exists(_) => false,
    }
}

fn ordered<T: PartialOrd>(order: Order, value: &T, wanted: &T) -> bool {
    match order {
        Order::Greater => value > wanted,
        Order::AtLeast => value >= wanted,
        Order::Less => value < wanted,
        Order::AtMost => value <= wanted,
    }
}

/// A time as ISO 8601, UTC.
fn iso(nanoseconds: i64) -> String {
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![nanoseconds]));
    format!("{}Z", text_of(&times, 0).unwrap_or_default())
}

/// Rows chosen from a batch.
pub fn chosen(batch: &RecordBatch, rows: &[usize]) -> Result<RecordBatch> {
    let rows: UInt64Array = rows.iter().map(|&row| row as u64).collect();
    Ok(take_record_batch(batch, &rows)?)
}
