//! The answer to `--sql`, streamed: a query over everything may give more rows than memory holds.

use std::io::Write as _;
use std::path::Path;

use arrow::array::RecordBatch;
use futures::StreamExt as _;
use pcapper_queries::DataFusionError;
use pcapper_queries::datafusion::prelude::DataFrame;
use pcapper_queries::report::Unit;
use serde_json::Value;

use super::value::{self, Place, Secrets, shown};
use super::{Output, escape, terminal, write_whole};
use crate::arguments::{Arguments, Form};
use crate::export::json;

/// A query that was not understood, as one line.
pub fn explained(error: &DataFusionError) -> String {
    format!("--sql: {}", one_line(error))
}

/// An error of the query engine without its chain of causes on lines of their own.
pub fn one_line(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    text.lines().filter(|line| !line.is_empty() && *line != "caused by").take(3).collect::<Vec<_>>().join(": ")
}

/// Runs the query and writes its rows in the form asked for.
pub async fn write(arguments: &Arguments, frame: DataFrame, out: &mut Output) -> Result<(), String> {
    let schema = arrow::datatypes::SchemaRef::clone(frame.schema().inner());
    let mut stream = frame.execute_stream().await.map_err(|error| explained(&error))?;
    let mut secrets = Secrets::default();
    let mut file = Vec::new();
    let mut first = true;
    let mut table = Vec::new();
    match arguments.form {
        Form::Json => file.extend_from_slice(b"[\n"),
        Form::Csv => csv_row(schema.fields().iter().map(|field| (field.name().clone(), true)), &mut file),
        Form::Table | Form::JsonLines => {}
    }
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| explained(&error))?;
        for row in 0..batch.num_rows() {
            match arguments.form {
                Form::JsonLines => json_line(&batch, row, &mut secrets, &mut file),
                Form::Json => {
                    if !first {
                        file.extend_from_slice(b",\n");
                    }
                    json_object(&batch, row, &mut secrets, &mut file);
                }
                Form::Csv => csv_row(cells(&batch, row, &mut secrets), &mut file),
                Form::Table => table.push(table_row(&batch, row, arguments.verbose, &mut secrets)),
            }
            first = false;
        }
        if arguments.output.is_none() {
            out.write(&file);
            file.clear();
            if out.is_broken() {
                return Ok(());
            }
        }
    }
    match arguments.form {
        Form::Json => file.extend_from_slice(if first { b"]\n" } else { b"\n]\n" }),
        Form::Table => {
            let header: Vec<String> = schema.fields().iter().map(|field| escape::text(field.name())).collect();
            for line in terminal::grid(&header, &table) {
                file.extend_from_slice(line.as_bytes());
                file.push(b'\n');
            }
        }
        Form::JsonLines | Form::Csv => {}
    }
    match &arguments.output {
        Some(path) if path != Path::new("-") => write_whole(path, &file),
        _ => {
            out.write(&file);
            Ok(())
        }
    }
}

fn json_line(batch: &RecordBatch, row: usize, secrets: &mut Secrets, out: &mut Vec<u8>) {
    json_object(batch, row, secrets, out);
    out.push(b'\n');
}

fn json_object(batch: &RecordBatch, row: usize, secrets: &mut Secrets, out: &mut Vec<u8>) {
    let object = Value::Object(json::object(batch, row, secrets, false));
    // Writing into memory cannot fail.
    let _ = write!(out, "{object}");
}

fn table_row(batch: &RecordBatch, row: usize, verbose: bool, secrets: &mut Secrets) -> Vec<String> {
    let digits = if verbose { 9 } else { 6 };
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(batch.columns());
    fields
        .map(|(_, column)| {
            // A query's own columns are shown as they are: its author knows their units.
            let text = escape::text(&shown(column, row, Unit::Id, Place::Cell, digits, secrets));
            if verbose { text } else { terminal::cut(&text, 80) }
        })
        .collect()
}

/// A row's cells, and whether each is text.
fn cells(batch: &RecordBatch, row: usize, secrets: &mut Secrets) -> Vec<(String, bool)> {
    batch
        .columns()
        .iter()
        .map(|column| match value::json(column, row, secrets, false) {
            Value::Null => (String::new(), false),
            Value::String(text) => (text, true),
            other => (other.to_string(), matches!(other, Value::Array(_))),
        })
        .collect()
}

/// RFC 4180; text that a spreadsheet would run as a formula is defused with a leading apostrophe.
fn csv_row(cells: impl IntoIterator<Item = (String, bool)>, out: &mut Vec<u8>) {
    for (at, (cell, is_text)) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let runs = cell.starts_with(['\t', '\r']) || cell.trim_start().starts_with(['=', '+', '-', '@']);
        let cell = if is_text && runs { format!("'{cell}") } else { cell };
        let cell = cell.replace('\0', "\\x00");
        if cell.contains(['"', ',', '\n', '\r']) {
            out.push(b'"');
            out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_defused() {
        let mut out = Vec::new();
        csv_row([("=cmd|' /C calc'!A0".to_owned(), true), ("-5".to_owned(), false), ("a\"b,c".to_owned(), true)], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "'=cmd|' /C calc'!A0,-5,\"a\"\"b,c\"\r\n");
    }
}
