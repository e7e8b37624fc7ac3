//! What a report over several captures says beside its own rows.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{Field, Schema};
use pcapper_queries::catalog::{Catalog, Selected};
use pcapper_queries::report::{Report, Section, Shape};
use pcapper_queries::run;
use serde_json::Value;

use crate::render;
use crate::render::terminal::is_absent;
use crate::render::value::{self, Secrets};

/// Rows of the list of skipped captures that are shown.
const SKIPPED: usize = 20;
/// Share of a capture's frames that must be in another as well before that is told.
const TWICE: f64 = 0.01;

/// The facts that every report over several captures begins with, as one row.
pub async fn facts(catalog: &Catalog, captures: &[Selected]) -> Result<RecordBatch, String> {
    // Captures of the same content are counted once, as in every query.
    let mut seen = HashSet::new();
    let manifests: Vec<_> = captures.iter().map(|capture| &capture.manifest).filter(|manifest| seen.insert(&manifest.capture_id)).collect();
    let seconds = |from: Option<i64>, to: Option<i64>| Some(to?.saturating_sub(from?) as f64 / 1e9);
    let first = manifests.iter().filter_map(|manifest| manifest.first_ts).min();
    let last = manifests.iter().filter_map(|manifest| manifest.last_ts).max();
    let combined: f64 = manifests.iter().filter_map(|manifest| seconds(manifest.first_ts, manifest.last_ts)).sum();
    let count = |number: u64| -> ArrayRef { Arc::new(UInt64Array::from(vec![number])) };
    let mut columns = vec![
        ("PCAPs Analyzed", count(captures.len() as u64)),
        ("Total Packets", count(manifests.iter().map(|manifest| manifest.packets).sum())),
        ("Total Bytes", count(manifests.iter().map(|manifest| manifest.wire_bytes).sum())),
        ("Span", Arc::new(Float64Array::from(vec![seconds(first, last)]))),
        ("Combined Duration", Arc::new(Float64Array::from(vec![Some(combined)]))),
    ];
    if manifests.len() < captures.len() {
        let note = format!("{} captures have the content of another and are counted once", captures.len() - manifests.len());
        columns.push(("Same Content", Arc::new(StringArray::from(vec![note]))));
    }
    if let Some(note) = twice(catalog, captures).await? {
        columns.push(("Counted Twice", Arc::new(StringArray::from(vec![note]))));
    }
    batch(columns)
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, String> {
    let fields: Vec<Field> = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, column)| column).collect()).map_err(|error| error.to_string())
}

/// Puts the facts in front of the report's own.
pub fn put_first(facts: &RecordBatch, report: &mut Report) {
    let own = report.sections.first_mut().filter(|section| section.shape == Shape::Facts && section.rows.num_rows() == 1);
    let Some(section) = own else {
        report.sections.insert(0, Section { name: "summary".to_owned(), shape: Shape::Facts, limit: None, rows: facts.clone() });
        return;
    };
    let (ours, theirs) = (facts.schema(), section.rows.schema());
    let kept = |name: &str| ours.column_with_name(name).is_none();
    let added = theirs.fields().iter().zip(section.rows.columns()).filter(|(field, _)| kept(field.name()));
    let (fields, columns): (Vec<_>, Vec<_>) =
        ours.fields().iter().zip(facts.columns()).chain(added).map(|(field, column)| (Arc::clone(field), Arc::clone(column))).unzip();
    if let Ok(rows) = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns) {
        section.rows = rows;
    }
}

/// The report with a list of the captures that could not be read, as it is shown.
pub fn with_skipped(report: &Report, skipped: &[(String, String)]) -> Report {
    let mut report = report.clone();
    if skipped.is_empty() {
        return report;
    }
    // What does not occur has no empty tables shown, whatever follows.
    if is_absent(&report) {
        report.sections.truncate(1);
    }
    let column = |texts: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(texts)) };
    let names = column(skipped.iter().map(|(name, _)| name.as_str()).collect());
    let reasons = column(skipped.iter().map(|(_, reason)| reason.as_str()).collect());
    if let Ok(rows) = batch(vec![("pcap", names), ("reason", reasons)]) {
        report.sections.push(Section { name: "Skipped".to_owned(), shape: Shape::Table, limit: Some(SKIPPED), rows });
    }
    report
}

/// Pairs of captures that overlap in time and carry the same frames, such as those of two taps on one line. A frame is the
/// same if time, length, addresses and what its headers number are.
async fn twice(catalog: &Catalog, captures: &[Selected]) -> Result<Option<String>, String> {
    let mut notes = Vec::new();
    for (at, one) in captures.iter().enumerate() {
        for other in captures.iter().skip(at + 1) {
            let (a, b) = (&one.manifest, &other.manifest);
            let (Some((a_first, a_last)), Some((b_first, b_last))) = (a.first_ts.zip(a.last_ts), b.first_ts.zip(b.last_ts)) else { continue };
            if a.capture_id == b.capture_id || a_first > b_last || b_first > a_last {
                continue;
            }
            let side = |id: &str| {
                format!(
                    "(SELECT ts, frame_len, coalesce(CAST(src_ip AS VARCHAR), CAST(src_mac AS VARCHAR), '') AS src, coalesce(CAST(dst_ip AS VARCHAR), CAST(dst_mac AS VARCHAR), '') AS dst,
                        coalesce(CAST(ip_id AS BIGINT), -1) AS ip_id, coalesce(CAST(tcp_seq AS BIGINT), -1) AS seq, coalesce(CAST(src_port AS BIGINT), -1) AS port, count(*) AS n
                      FROM packets WHERE capture_id = '{id}' AND CAST(ts AS BIGINT) BETWEEN {} AND {} GROUP BY 1, 2, 3, 4, 5, 6, 7)",
                    a_first.max(b_first),
                    a_last.min(b_last)
                )
            };
            let query = format!(
                "SELECT CAST(coalesce(sum(least(a.n, b.n)), 0) AS BIGINT) AS same FROM {} a JOIN {} b
                 ON a.ts = b.ts AND a.frame_len = b.frame_len AND a.src = b.src AND a.dst = b.dst AND a.ip_id = b.ip_id AND a.seq = b.seq AND a.port = b.port",
                side(&a.capture_id),
                side(&b.capture_id)
            );
            let rows = run::rows(catalog, &query).await.map_err(|error| format!("summarize: {}", render::sql::one_line(&error)))?;
            let same = rows.columns().first().filter(|_| rows.num_rows() > 0).map(|column| value::json(column, 0, &mut Secrets::default(), false));
            let same = same.as_ref().and_then(Value::as_u64).unwrap_or_default();
            let share = same as f64 / a.packets.min(b.packets).max(1) as f64;
            if share > TWICE {
                notes.push(format!("{} and {} share {same} frames ({:.1}%)", one.name, other.name, share * 100.0));
            }
        }
    }
    Ok((!notes.is_empty()).then(|| notes.join("; ")))
}
