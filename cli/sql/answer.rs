//! The answer to `--sql`, streamed: a query over everything may give more rows than memory holds.

use std::io::Write as _;

use arrow::array::RecordBatch;
use futures::StreamExt as _;
use pcapper_queries::DataFusionError;
use pcapper_queries::datafusion::prelude::DataFrame;
use pcapper_queries::report::Unit;
use serde_json::Value;

use super::grid::grid;
use super::value::{self, Place, Secrets, shown};
use super::{Output, escape, terminal};
use crate::arguments::{Arguments, Form};
use crate::export::file::Whole;
use crate::export::{csv, json};

/// A query that was not understood, as one line.
pub fn explained(error: &DataFusionError) -> String {
    format!("--sql: {}", one_line(error))
}

/// An error of the query engine without its chain of causes on lines of their own.
pub fn one_line(error: &DataFusionError) -> String {
    pcapper_queries::run::one_line(error)
}

/// Runs the query and writes its rows in the form asked for: to `file`, else to standard output. Gives the rows and the
/// file's size.
pub async fn write(arguments: &Arguments, frame: DataFrame, mut file: Option<Whole>, out: &mut Output) -> Result<(u64, u64), String> {
    let schema = arrow::datatypes::SchemaRef::clone(frame.schema().inner());
    let mut stream = frame.execute_stream().await.map_err(|error| explained(&error))?;
    let mut secrets = Secrets::default();
    let mut rows = 0;
    let mut table = Vec::new();
    let mut text = Vec::new();
    match arguments.form {
        Form::Json => text.extend_from_slice(b"[\n"),
        Form::Csv => csv_row(schema.fields().iter().map(|field| (field.name().clone(), true)), &mut text),
        Form::Table | Form::JsonLines => {}
    }
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| explained(&error))?;
        for row in 0..batch.num_rows() {
            match arguments.form {
                Form::JsonLines => {
                    json_object(&batch, row, &mut secrets, &mut text);
                    text.push(b'\n');
                }
                Form::Json => {
                    if rows > 0 {
                        text.extend_from_slice(b",\n");
                    }
                    json_object(&batch, row, &mut secrets, &mut text);
                }
                Form::Csv => csv_row(cells(&batch, row, &mut secrets), &mut text),
                Form::Table => table.push(table_row(&batch, row, arguments.verbose, &mut secrets)),
            }
            rows += 1;
        }
        pass_on(&mut text, &mut file, out)?;
        if out.is_broken() {
            return Ok((rows, 0));
        }
    }
    match arguments.form {
        Form::Json => text.extend_from_slice(if rows == 0 { b"]\n" } else { b"\n]\n" }),
        Form::Table => {
            let header: Vec<String> = schema.fields().iter().map(|field| escape::text(field.name())).collect();
            for line in grid(&header, &table, |_, _, _| None) {
                text.extend_from_slice(line.as_bytes());
                text.push(b'\n');
            }
        }
        Form::JsonLines | Form::Csv => {}
    }
    pass_on(&mut text, &mut file, out)?;
    let bytes = file.map(Whole::commit).transpose()?;
    Ok((rows, bytes.unwrap_or_default()))
}

/// Hands over what was written so far.
fn pass_on(text: &mut Vec<u8>, file: &mut Option<Whole>, out: &mut Output) -> Result<(), String> {
    match file {
        Some(file) => file.write_all(text).map_err(|error| file.fault(&error))?,
        None => out.show(text),
    }
    text.clear();
    Ok(())
}

fn json_object(batch: &RecordBatch, row: usize, secrets: &mut Secrets, out: &mut Vec<u8>) {
    let object = Value::Object(json::object(batch, row, secrets, false)).to_string();
    out.extend_from_slice(escape::json(&object).as_bytes());
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

fn cells(batch: &RecordBatch, row: usize, secrets: &mut Secrets) -> Vec<csv::Cell> {
    batch.columns().iter().map(|column| csv::cell(&value::json(column, row, secrets, false))).collect()
}

fn csv_row(cells: impl IntoIterator<Item = csv::Cell>, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _ = csv::row(cells, out);
}
