//! Results as CSV (RFC 4180): findings and artifacts in one file, the inventory and every table in files beside it.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use pcapper_queries::report::{Section, Shape};
use serde_json::Value;

use super::{Answered, capture_of, table_name};
use crate::render::value::{self, Secrets};

/// Columns of findings and artifacts behind `category`.
pub const FINDING: [&str; 15] = [
    "module",
    "capture",
    "severity",
    "detection",
    "title",
    "summary",
    "details",
    "src_ip",
    "dst_ip",
    "first_seen",
    "last_seen",
    "count",
    "frames",
    "techniques",
    "tags",
];

/// Where the values of such a row stand in the `findings` table, where they have another name there.
fn in_findings(column: &str) -> &str {
    match column {
        "module" => "source",
        "first_seen" => "ts",
        "last_seen" => "end_ts",
        other => other,
    }
}

/// One row of findings or artifacts.
pub struct Entry {
    /// `detection` or `artifact`.
    pub category: &'static str,
    /// In the order of [`FINDING`].
    pub values: Vec<Value>,
}

/// All findings, then all artifacts, in the order of the reports.
pub fn entries<'a>(answered: &'a [&'a Answered], secrets: &'a mut Secrets) -> impl Iterator<Item = Entry> + 'a {
    let found = answered.iter().flat_map(|one| one.reports.iter().map(move |report| (*one, &report.findings, true)));
    let artifacts = answered.iter().filter_map(|one| Some((*one, one.artifacts.as_ref()?, false)));
    let rows = found.chain(artifacts).flat_map(|(one, batch, is_finding)| (0..batch.num_rows()).map(move |row| (one, batch, is_finding, row)));
    rows.map(move |(one, batch, is_finding, row)| {
        let mut cell = |name: &str| batch.column_by_name(name).map_or(Value::Null, |column| value::json(column, row, secrets, false));
        let values: Vec<Value> = FINDING
            .iter()
            .map(|&column| match (cell(if is_finding { in_findings(column) } else { column }), column) {
                (Value::Null, "capture") => one.capture.as_ref().map_or(Value::Null, |capture| Value::String(capture.name.clone())),
                (Value::Null, "last_seen") => cell("ts"),
                (value, _) => value,
            })
            .collect();
        let is_indicator = values.first().and_then(Value::as_str) == Some("ioc");
        Entry { category: if is_finding && !is_indicator { "detection" } else { "artifact" }, values }
    })
}

/// The findings and artifacts, under their header.
pub fn findings(answered: &[&Answered], to: &mut dyn Write) -> io::Result<u64> {
    row(std::iter::once("category").chain(FINDING).map(heading), to)?;
    let mut rows = 0;
    let mut secrets = Secrets::default();
    for entry in entries(answered, &mut secrets) {
        row(std::iter::once(heading(entry.category)).chain(entry.values.iter().map(cell)), to)?;
        rows += 1;
    }
    Ok(rows)
}

/// The inventory.
pub fn hosts(answered: &[&Answered], to: &mut dyn Write) -> io::Result<u64> {
    let mut secrets = Secrets::default();
    let batches: Vec<&RecordBatch> = answered.iter().filter_map(|one| one.hosts.as_ref()).collect();
    if let Some(first) = batches.first() {
        row(first.schema().fields().iter().map(|field| heading(field.name())), to)?;
    }
    let mut rows = 0;
    for batch in batches {
        for at in 0..batch.num_rows() {
            row(batch.columns().iter().map(|column| cell(&value::json(column, at, &mut secrets, false))), to)?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// A table of the run: the same section of every capture's report.
pub struct TableOf {
    pub analyzer: String,
    pub section: String,
    /// What the file's or table's name ends in.
    pub suffix: String,
}

/// Every table of the run, in order of appearance.
pub fn sections(answered: &[&Answered]) -> Vec<TableOf> {
    tables(answered, |section| section.shape != Shape::Facts)
}

/// Every section that `wanted` picks; equal names get numbers.
pub fn tables(answered: &[&Answered], wanted: impl Fn(&Section) -> bool) -> Vec<TableOf> {
    let mut tables: Vec<TableOf> = Vec::new();
    for report in answered.iter().flat_map(|one| &one.reports) {
        for section in report.sections.iter().filter(|section| wanted(section)) {
            if tables.iter().any(|table| table.analyzer == report.analyzer && table.section == section.name) {
                continue;
            }
            let plain = table_name(&report.analyzer, &section.name);
            let numbered = (2..).map(|number| format!("{plain}_{number}"));
            let is_free = |name: &String| !tables.iter().any(|table| table.suffix == *name);
            let suffix = std::iter::once(plain.clone()).chain(numbered).find(is_free).unwrap_or_default();
            tables.push(TableOf { analyzer: report.analyzer.clone(), section: section.name.clone(), suffix });
        }
    }
    tables
}

impl TableOf {
    /// The batches of this table, each with its capture's answers.
    pub fn batches<'a>(&'a self, answered: &'a [&'a Answered]) -> impl Iterator<Item = (&'a Answered, &'a RecordBatch)> {
        answered.iter().flat_map(move |one| {
            one.reports
                .iter()
                .filter(|report| report.analyzer == self.analyzer)
                .flat_map(|report| &report.sections)
                .filter(|section| section.name == self.section)
                .map(|section| (*one, &section.rows))
        })
    }

    /// Its columns: `capture`, then all others that occur.
    pub fn columns(&self, answered: &[&Answered]) -> Vec<String> {
        let mut columns = vec!["capture".to_owned()];
        for (_, batch) in self.batches(answered) {
            for field in batch.schema().fields() {
                if !columns.contains(field.name()) {
                    columns.push(field.name().clone());
                }
            }
        }
        columns
    }
}

/// The value of a table's column in one row.
pub fn value_of(one: &Answered, batch: &RecordBatch, column: &str, row: usize, secrets: &mut Secrets) -> Value {
    let value = batch.column_by_name(column).map_or(Value::Null, |array| value::json(array, row, secrets, false));
    if value.is_null() && column == "capture" { Value::String(capture_of(one).to_owned()) } else { value }
}

/// One table.
pub fn section(answered: &[&Answered], table: &TableOf, to: &mut dyn Write) -> io::Result<u64> {
    let columns = table.columns(answered);
    row(columns.iter().map(|name| heading(name)), to)?;
    let mut secrets = Secrets::default();
    let mut rows = 0;
    for (one, batch) in table.batches(answered) {
        for at in 0..batch.num_rows() {
            row(columns.iter().map(|column| cell(&value_of(one, batch, column, at, &mut secrets))), to)?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// A cell: its text, and whether it is text rather than a number.
pub type Cell = (String, bool);

fn heading(name: &str) -> Cell {
    (name.to_owned(), true)
}

/// A value as a cell: lists as JSON, nothing for null.
pub fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => (String::new(), false),
        Value::String(text) => (text.clone(), true),
        other => (other.to_string(), matches!(other, Value::Array(_) | Value::Object(_))),
    }
}

/// One record; text that a spreadsheet would run as a formula is defused with a leading apostrophe.
pub fn row(cells: impl IntoIterator<Item = Cell>, to: &mut dyn Write) -> io::Result<()> {
    let mut line = String::new();
    for (at, (cell, is_text)) in cells.into_iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let runs = is_text && (cell.starts_with(['\t', '\r']) || cell.trim_start().starts_with(['=', '+', '-', '@']));
        let cell = if runs { format!("'{cell}") } else { cell };
        let cell = if cell.contains('\0') { cell.replace('\0', "\\x00") } else { cell };
        if cell.contains(|letter: char| matches!(letter, '"' | ',') || letter.is_control()) {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&cell);
        }
    }
    line.push_str("\r\n");
    to.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused() {
        let mut out = Vec::new();
        let text = |text: &str| (text.to_owned(), true);
        row([text("=cmd|' /C calc'!A0"), ("-5".to_owned(), false), text("a\"b,c"), text(" @x"), text("\rx"), text("a\0b")], &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "'=cmd|' /C calc'!A0,-5,\"a\"\"b,c\",' @x,\"'\rx\",a\\x00b\r\n");
    }
}
