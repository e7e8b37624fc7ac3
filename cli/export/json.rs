//! Reports as JSON: raw typed values, all rows.

use arrow::array::RecordBatch;
use pcapper_queries::report::{Report, Unit, label};
use serde_json::{Map, Value, json};

use super::{Answered, Answers};
use crate::render::value::{self, Secrets};

/// Version of the documents' form.
const SCHEMA: u32 = 1;

/// The document of a run.
pub fn document(answers: &Answers<'_>) -> Value {
    let mut document = match answers.answered.as_slice() {
        [one] if one.capture.is_none() => merged(answers, one),
        [one] => single(answers, one),
        several => separate(answers, several),
    };
    if let Some(document) = document.as_object_mut() {
        let told = summaries(&answers.across, &mut Secrets::default());
        for (analyzer, key) in [("correlate", "correlation"), ("baseline", "baseline_delta")] {
            document.extend(told.get(analyzer).map(|report| (key.to_owned(), report.clone())));
        }
    }
    document
}

/// The document of one capture.
pub fn single(answers: &Answers<'_>, one: &Answered) -> Value {
    let mut document = head();
    document.extend(identity(one));
    document.insert("filter".into(), no_filter());
    document.insert("summaries".into(), summaries(&one.reports, &mut Secrets::default()));
    document.insert("skipped".into(), skips(answers.skipped));
    Value::Object(document)
}

fn identity(one: &Answered) -> Map<String, Value> {
    let capture = one.capture.as_ref();
    let entry = |key: &str, value: Option<&str>| (key.to_owned(), json!(value));
    [entry("path", capture.map(|capture| capture.name.as_str())), entry("capture_id", capture.map(|capture| capture.manifest.capture_id.as_str()))]
        .into_iter()
        .collect()
}

/// Several captures, each with its own summaries.
fn separate(answers: &Answers<'_>, answered: &[Answered]) -> Value {
    let mut secrets = Secrets::default();
    let captures: Vec<Value> = answered
        .iter()
        .map(|one| {
            let mut entry = identity(one);
            entry.insert("summaries".into(), summaries(&one.reports, &mut secrets));
            Value::Object(entry)
        })
        .collect();
    let mut document = head();
    document.insert("filter".into(), no_filter());
    document.insert("captures".into(), Value::Array(captures));
    document.insert("skipped".into(), skips(answers.skipped));
    Value::Object(document)
}

/// Several captures taken as one.
fn merged(answers: &Answers<'_>, all: &Answered) -> Value {
    let list: Vec<Value> = answers
        .captures
        .iter()
        .map(|capture| json!({"path": capture.name, "capture_id": capture.manifest.capture_id, "packets": capture.manifest.packets}))
        .collect();
    let mut document = head();
    document.insert("path".into(), json!("ALL_PCAPS"));
    document.insert("filter".into(), no_filter());
    document.insert("captures".into(), Value::Array(list));
    document.insert("summaries".into(), summaries(&all.reports, &mut Secrets::default()));
    document.insert("skipped".into(), skips(answers.skipped));
    Value::Object(document)
}

fn head() -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("schema".into(), json!(SCHEMA));
    document.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
    document
}

fn no_filter() -> Value {
    json!({"bpf": null, "time_start": null, "time_end": null, "ip": null})
}

fn skips(skipped: &[(String, String)]) -> Value {
    skipped.iter().map(|(path, reason)| json!({"path": path, "reason": reason})).collect()
}

fn summaries(reports: &[Report], secrets: &mut Secrets) -> Value {
    let mut summaries = Map::new();
    for report in reports {
        let sections: Vec<Value> = report
            .sections
            .iter()
            .map(|section| json!({"name": section.name, "shape": section.shape.name(), "columns": columns(&section.rows), "rows": rows(&section.rows, secrets)}))
            .collect();
        summaries.insert(report.analyzer.clone(), json!({"title": report.title, "sections": sections, "findings": rows(&report.findings, secrets)}));
    }
    Value::Object(summaries)
}

fn columns(batch: &RecordBatch) -> Value {
    batch
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let unit = Unit::of(field.name(), field.data_type());
            json!({"name": field.name(), "type": value::type_name(field.data_type()), "unit": unit.name(), "label": label(field.name())})
        })
        .collect()
}

fn rows(batch: &RecordBatch, secrets: &mut Secrets) -> Value {
    (0..batch.num_rows()).map(|row| Value::Object(object(batch, row, secrets, true))).collect()
}

/// One row as an object.
pub fn object(batch: &RecordBatch, row: usize, secrets: &mut Secrets, big_as_text: bool) -> Map<String, Value> {
    let schema = batch.schema();
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| (field.name().clone(), value::json(column, row, secrets, big_as_text)))
        .collect()
}
