//! Reports as JSON: raw typed values, all rows.

use arrow::array::RecordBatch;
use pcapper_queries::catalog::Selected;
use pcapper_queries::report::{Report, Unit, label};
use serde_json::{Map, Value, json};

use super::value::{self, Secrets};
use crate::ask::Answered;

/// Version of the documents' form.
const SCHEMA: u32 = 1;

/// The document of one capture.
pub fn single(one: &Answered, skipped: &[(String, String)]) -> Value {
    let mut document = head();
    document.insert("path".into(), json!(one.capture.name));
    document.insert("capture_id".into(), json!(one.capture.manifest.capture_id));
    document.insert("filter".into(), no_filter());
    document.insert("summaries".into(), summaries(&one.reports, &mut Secrets::default()));
    document.insert("skipped".into(), skips(skipped));
    Value::Object(document)
}

/// The document of several captures, each with its own summaries; of one, [`single`].
pub fn separate(answered: &[Answered], skipped: &[(String, String)]) -> Value {
    if let [one] = answered {
        return single(one, skipped);
    }
    let mut secrets = Secrets::default();
    let captures: Vec<Value> = answered
        .iter()
        .map(|one| json!({"path": one.capture.name, "capture_id": one.capture.manifest.capture_id, "summaries": summaries(&one.reports, &mut secrets)}))
        .collect();
    let mut document = head();
    document.insert("filter".into(), no_filter());
    document.insert("captures".into(), Value::Array(captures));
    document.insert("skipped".into(), skips(skipped));
    Value::Object(document)
}

/// The document of several captures taken as one.
pub fn merged(captures: &[Selected], reports: &[Report], skipped: &[(String, String)]) -> Value {
    let list: Vec<Value> = captures
        .iter()
        .map(|capture| json!({"path": capture.name, "capture_id": capture.manifest.capture_id, "packets": capture.manifest.packets}))
        .collect();
    let mut document = head();
    document.insert("path".into(), json!("ALL_PCAPS"));
    document.insert("filter".into(), no_filter());
    document.insert("captures".into(), Value::Array(list));
    document.insert("summaries".into(), summaries(reports, &mut Secrets::default()));
    document.insert("skipped".into(), skips(skipped));
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
