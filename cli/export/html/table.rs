//! Sections of reports as HTML: facts, tables, trees.

use std::fmt::Write as _;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, UInt64Type};
use pcapper_queries::report::{Unit, label};
use serde_json::Value;

use super::escape;
use crate::render::value::{self, Place, Secrets};

/// Longest text of a cell, in characters.
const CELL: usize = 240;
/// Columns with a text longer than this, in bytes, break their lines.
const WIDE: usize = 44;
/// Bytes from which a text may be folded where the table has no room.
const LONG: usize = 16;
/// Deepest indent of a tree.
const DEPTH: u64 = 9;

/// Labels and values of a section of facts; facts that are not known are left out.
pub fn facts(rows: &RecordBatch, secrets: &mut Secrets, out: &mut String) {
    let schema = rows.schema();
    let mut list = String::new();
    for row in 0..rows.num_rows() {
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            let unit = Unit::of(field.name(), field.data_type());
            let shown = value::shown(column, row, unit, Place::Fact, 6, secrets);
            if shown != value::NULL {
                let _ = writeln!(list, "<div><dt>{}</dt><dd>{}</dd></div>", escape::text(&label(field.name())), content(&shown));
            }
        }
    }
    if list.is_empty() {
        out.push_str("<p class=\"none\">None</p>\n");
    } else {
        let _ = writeln!(out, "<dl class=\"facts\">\n{list}</dl>");
    }
}

/// What a table shows beside its rows.
pub struct Frame<'a> {
    pub caption: &'a str,
    /// Rows at most.
    pub most: usize,
    /// How to get the rows that are left out.
    pub rest: &'a str,
    /// Digits of a second in times.
    pub digits: usize,
}

/// A table of raw values; the script makes its heads sort it.
pub fn table(rows: &RecordBatch, frame: &Frame<'_>, secrets: &mut Secrets, out: &mut String) {
    if rows.num_rows() == 0 {
        let _ = writeln!(out, "<h4>{}</h4>\n<p class=\"none\">None</p>", escape::text(frame.caption));
        return;
    }
    let schema = rows.schema();
    let depth = rows.column_by_name("depth").and_then(|column| arrow::compute::cast(column, &DataType::UInt64).ok());
    let kept: Vec<usize> = schema.fields().iter().enumerate().filter(|(_, field)| field.name() != "depth").map(|(at, _)| at).collect();
    let count = rows.num_rows().min(frame.most);
    // Cells first: how a column is set is told by what it holds.
    let columns: Vec<Column> = kept
        .iter()
        .map(|&at| {
            let field = schema.field(at);
            let unit = Unit::of(field.name(), field.data_type());
            let column = rows.column(at);
            let cells = (0..count).map(|row| value::shown(column, row, unit, Place::Cell, frame.digits, secrets)).collect();
            let keys = matches!(unit, Unit::Bytes | Unit::Seconds | Unit::Milliseconds | Unit::Share)
                .then(|| (0..count).map(|row| value::json(column, row, secrets, false)).collect());
            Column::new(label(field.name()), unit, cells, keys)
        })
        .collect();
    open(frame.caption, out);
    for column in &columns {
        let _ = write!(out, "<th scope=\"col\"{}>{}</th>", column.class(), escape::text(&column.head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in 0..count {
        out.push_str("<tr>");
        for (place, column) in columns.iter().enumerate() {
            let indent = depth.as_ref().filter(|_| place == 0).map(|depth| depth.as_primitive::<UInt64Type>().value(row).min(DEPTH));
            column.cell(row, indent, out);
        }
        out.push_str("</tr>\n");
    }
    close(out);
    let left = rows.num_rows() - count;
    if left > 0 {
        let _ = writeln!(
            out,
            "<p class=\"more\">{} more {} left out here: {}.</p>",
            thousands(left),
            if left == 1 { "row was" } else { "rows were" },
            escape::text(frame.rest)
        );
    }
}

/// Opens a table up to the row of its heads.
pub fn open(caption: &str, out: &mut String) {
    let caption = escape::text(caption);
    let _ = write!(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table class=\"sort\">\n<caption>{caption}</caption>\n<thead><tr>"
    );
}

/// Closes what [`open`] opened.
pub fn close(out: &mut String) {
    out.push_str("</tbody></table></div>\n");
}

struct Column {
    head: String,
    class: &'static str,
    cells: Vec<String>,
    /// Raw values of measures, to sort by.
    keys: Option<Vec<Value>>,
}

impl Column {
    fn new(head: String, unit: Unit, cells: Vec<String>, keys: Option<Vec<Value>>) -> Self {
        let class = match unit {
            Unit::Count | Unit::Bytes | Unit::Seconds | Unit::Milliseconds | Unit::Share | Unit::Id => "n",
            Unit::Time => "m",
            Unit::Text if cells.iter().any(|cell| cell.len() > WIDE) => "w",
            Unit::Text if cells.iter().all(|cell| is_code(cell)) => "m",
            Unit::Text if cells.iter().any(|cell| cell.len() > LONG) => "t",
            Unit::Text => "",
        };
        Self { head, class, cells, keys }
    }

    fn class(&self) -> String {
        if self.class.is_empty() { String::new() } else { format!(" class=\"{}\"", self.class) }
    }

    fn cell(&self, row: usize, indent: Option<u64>, out: &mut String) {
        let shown = self.cells.get(row).map(String::as_str).unwrap_or_default();
        out.push_str("<td");
        match indent.filter(|indent| *indent > 0) {
            Some(indent) => {
                let _ = write!(out, " class=\"d{indent}\"");
            }
            None => out.push_str(&self.class()),
        }
        if let Some(Value::Number(key)) = self.keys.as_ref().and_then(|keys| keys.get(row)) {
            let _ = write!(out, " data-k=\"{key}\"");
        }
        let _ = write!(out, ">{}</td>", content(shown));
    }
}

/// Addresses, names of fields, hexadecimal: text that is no prose is set in fixed width.
fn is_code(cell: &str) -> bool {
    cell == value::NULL || (cell.bytes().all(|letter| letter.is_ascii_graphic()) && cell.contains(['.', ':', '/', '_']))
}

/// A value as content, cut where it is very long.
pub fn content(shown: &str) -> String {
    let (kept, left) = escape::cut(shown, CELL);
    if left == 0 { escape::text(kept) } else { format!("{}… <i>(+{} characters)</i>", escape::text(kept), thousands(left)) }
}

/// `12,345`.
pub fn thousands(number: usize) -> String {
    value::thousands(&number.to_string())
}
