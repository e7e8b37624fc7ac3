//! The answer to one question, streamed: a query over everything may give more rows than memory holds.

use arrow::array::RecordBatch;
use futures::StreamExt as _;
use pcapper_queries::DataFusionError;
use pcapper_queries::datafusion::prelude::DataFrame;
use pcapper_queries::report::Unit;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::value::{self, Place, Secrets, shown};
use super::{escape, terminal};
use crate::export::{csv, json};
use crate::sql::sink::Sink;

/// Rows of a table that are laid out together; columns keep their width from one block to the next, or grow.
const BLOCK: usize = 5_000;
/// Blanks between columns.
const GAP: usize = 2;

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Table,
    Json,
    JsonLines,
    Csv,
}

impl Form {
    /// All forms, by name.
    pub const NAMES: [(&'static str, Self); 4] = [("table", Self::Table), ("json", Self::Json), ("jsonl", Self::JsonLines), ("csv", Self::Csv)];

    /// The form of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
    }

    /// Whether an empty line stands between two answers.
    pub fn parts_answers(self) -> bool {
        matches!(self, Self::Table | Self::Csv)
    }
}

/// An error of the query engine without its chain of causes on lines of their own.
pub fn one_line(error: &DataFusionError) -> String {
    pcapper_queries::run::one_line(error)
}

/// What became of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub rows: u64,
    /// False when nobody reads on.
    pub is_read: bool,
}

/// Runs a query and writes its rows. The outer error is the sink's, the inner one the query's.
pub async fn write(
    frame: DataFrame,
    form: Form,
    verbose: bool,
    secrets: &mut Secrets,
    sink: &mut dyn Sink,
) -> Result<Result<Written, DataFusionError>, String> {
    let schema = arrow::datatypes::SchemaRef::clone(frame.schema().inner());
    let mut stream = match frame.execute_stream().await {
        Ok(stream) => stream,
        Err(error) => return Ok(Err(error)),
    };
    let mut piece = Vec::new();
    let mut rows = 0;
    let mut table = Grid::new(schema.fields().iter().map(|field| escape::text(field.name())).collect());
    match form {
        Form::Json => piece.extend_from_slice(b"[\n"),
        Form::Csv => csv_row(schema.fields().iter().map(|field| (field.name().clone(), true)), &mut piece),
        Form::Table | Form::JsonLines => {}
    }
    while let Some(batch) = stream.next().await {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => return Ok(Err(error)),
        };
        for row in 0..batch.num_rows() {
            match form {
                Form::JsonLines => {
                    json_object(&batch, row, secrets, &mut piece);
                    piece.push(b'\n');
                }
                Form::Json => {
                    if rows > 0 {
                        piece.extend_from_slice(b",\n");
                    }
                    json_object(&batch, row, secrets, &mut piece);
                }
                Form::Csv => csv_row(cells(&batch, row, secrets), &mut piece),
                Form::Table => table.push(table_row(&batch, row, verbose, secrets), &mut piece),
            }
            rows += 1;
        }
        if !sink.take(&piece)? {
            return Ok(Ok(Written { rows, is_read: false }));
        }
        piece.clear();
    }
    match form {
        Form::Json => piece.extend_from_slice(if rows == 0 { b"]\n" } else { b"\n]\n" }),
        Form::Table => table.end(&mut piece),
        Form::JsonLines | Form::Csv => {}
    }
    sink.take(&piece).map(|is_read| Ok(Written { rows, is_read }))
}

/// A table that is laid out block by block.
struct Grid {
    header: Option<Vec<String>>,
    widths: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    fn new(header: Vec<String>) -> Self {
        Self { widths: vec![0; header.len()], header: Some(header), rows: Vec::new() }
    }

    fn push(&mut self, row: Vec<String>, out: &mut Vec<u8>) {
        self.rows.push(row);
        if self.rows.len() >= BLOCK {
            self.end(out);
        }
    }

    /// Writes the rows that are waiting, the header before the first of all.
    fn end(&mut self, out: &mut Vec<u8>) {
        let rows: Vec<Vec<String>> = self.header.take().into_iter().chain(std::mem::take(&mut self.rows)).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        for row in &rows {
            let mut line = String::new();
            for (width, cell) in self.widths.iter().zip(row) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + GAP));
            }
            out.extend_from_slice(line.trim_end().as_bytes());
            out.push(b'\n');
        }
    }
}

fn json_object(batch: &RecordBatch, row: usize, secrets: &mut Secrets, out: &mut Vec<u8>) {
    let object = Value::Object(json::object(batch, row, secrets, false)).to_string();
    out.extend_from_slice(escape::json(&object).as_bytes());
}

fn table_row(batch: &RecordBatch, row: usize, verbose: bool, secrets: &mut Secrets) -> Vec<String> {
    let digits = if verbose { 9 } else { 6 };
    batch
        .columns()
        .iter()
        .map(|column| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_table_stay_in_line() {
        let (mut grid, mut out) = (Grid::new(vec!["a".into(), "b".into()]), Vec::new());
        for row in 0..=BLOCK {
            grid.push(vec![row.to_string(), "x".into()], &mut out);
        }
        grid.end(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().next(), Some("a     b"));
        assert_eq!(text.lines().last(), Some("5000  x"));
        assert_eq!(text.lines().count(), BLOCK + 2);
    }
}
