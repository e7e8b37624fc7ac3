//! Reports as text: the frame, facts, tables, findings.

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, UInt64Type};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use pcapper_queries::report::{Report, Section, Shape, Unit, label};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::escape;
use super::value::{Place, Secrets, shown};

/// Width of the rules.
const WIDTH: usize = 72;
/// Width of labels.
const LABEL: usize = 24;
/// Widest cell unless all detail is asked for.
const CELL: usize = 80;
/// Digits of a second in tables, and where the exact time matters.
const FULL_DIGITS: usize = 6;

/// Colours or not.
#[derive(Clone, Copy)]
pub struct Style {
    pub color: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
    fn title(self, text: &str) -> String {
        self.paint("97;44", text)
    }
    fn section(self, text: &str) -> String {
        self.paint("1;36", text)
    }
    fn label(self, text: &str) -> String {
        self.paint("1;34", text)
    }
    fn hint(self, text: &str) -> String {
        self.paint("2", text)
    }
    fn severity(self, severity: &str) -> String {
        let word = severity.to_uppercase();
        match severity {
            "critical" | "high" => self.paint("31", &word),
            "medium" => self.paint("33", &word),
            _ => word,
        }
    }
}

/// Appends a report.
pub fn report(report: &Report, style: Style, verbose: bool, out: &mut String) {
    let mut secrets = Secrets::default();
    rule('=', out);
    line(&style.title(&format!("{} :: {}", report.title, escape::text(&report.subject))), out);
    rule('=', out);
    let mut first = true;
    let facts_only = report.sections.first().is_some_and(|section| section.shape == Shape::Facts)
        && report.sections.iter().skip(1).all(|section| section.rows.num_rows() == 0)
        && report.sections.len() > 1;
    for section in &report.sections {
        let is_summary = first && section.shape == Shape::Facts;
        if !is_summary {
            if facts_only {
                continue;
            }
            rule('-', out);
            line(&style.section(&escape::text(&section.name)), out);
        }
        first = false;
        one_section(section, style, verbose, &mut secrets, out);
    }
    findings(&report.findings, style, verbose, &mut secrets, out);
    rule('=', out);
}

fn one_section(section: &Section, style: Style, verbose: bool, secrets: &mut Secrets, out: &mut String) {
    if section.rows.num_rows() == 0 {
        line("(none)", out);
        return;
    }
    match section.shape {
        Shape::Facts => facts(&section.rows, style, verbose, secrets, out),
        Shape::Findings => findings(&section.rows, style, verbose, secrets, out),
        Shape::Tree => tree(&section.rows, verbose, secrets, out),
        Shape::Timeline => table(section, true, style, verbose, secrets, out),
        Shape::Table | Shape::Series => table(section, false, style, verbose, secrets, out),
    }
}

fn facts(rows: &RecordBatch, style: Style, verbose: bool, secrets: &mut Secrets, out: &mut String) {
    let schema = rows.schema();
    for row in 0..rows.num_rows() {
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            let unit = Unit::of(field.name(), field.data_type());
            let digits = if verbose { 9 } else { FULL_DIGITS };
            let value = escape::text(&shown(column, row, unit, Place::Fact, digits, secrets));
            let name = label(field.name());
            let padding = " ".repeat(LABEL.saturating_sub(name.width()));
            line(&format!("{}{padding} : {value}", style.label(&name)), out);
        }
    }
}

fn table(section: &Section, exact: bool, style: Style, verbose: bool, secrets: &mut Secrets, out: &mut String) {
    let limit = section.limit.filter(|_| !verbose).unwrap_or(usize::MAX);
    let digits = match (verbose, exact) {
        (true, _) => 9,
        (_, true) => FULL_DIGITS,
        _ => 0,
    };
    let schema = section.rows.schema();
    let header: Vec<String> = schema.fields().iter().map(|field| label(field.name())).collect();
    let mut cells = Vec::new();
    for row in 0..section.rows.num_rows().min(limit) {
        let cell = |(field, column): (&arrow::datatypes::FieldRef, &arrow::array::ArrayRef)| {
            let unit = Unit::of(field.name(), field.data_type());
            let text = escape::text(&shown(column, row, unit, Place::Cell, digits, secrets));
            if verbose { text } else { cut(&text, CELL) }
        };
        cells.push(schema.fields().iter().zip(section.rows.columns()).map(cell).collect());
    }
    for text in grid(&header, &cells) {
        line(&text, out);
    }
    let hidden = section.rows.num_rows().saturating_sub(limit);
    if hidden > 0 {
        line(&style.hint(&format!("({hidden} more rows; -v shows all)")), out);
    }
}

/// Header and rows in columns two blanks apart, without trailing blanks.
pub fn grid(header: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header.to_vec());
    for row in rows {
        table.add_row(row.clone());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2)).set_cell_alignment(CellAlignment::Left);
    }
    table.lines().map(|text| text.trim_end().to_owned()).collect()
}

/// The text, ending in `…` where it is wider than `width` columns.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        out.push(letter);
    }
    out.push('…');
    out
}

/// Rows with a `depth` column: their first text column is indented by it.
fn tree(rows: &RecordBatch, verbose: bool, secrets: &mut Secrets, out: &mut String) {
    let schema = rows.schema();
    let depth = rows.column_by_name("depth").and_then(|column| arrow::compute::cast(column, &DataType::UInt64).ok());
    let kept: Vec<usize> = schema.fields().iter().enumerate().filter(|(_, field)| field.name() != "depth").map(|(at, _)| at).collect();
    let header: Vec<String> = kept.iter().map(|&at| label(schema.field(at).name())).collect();
    let mut cells = Vec::new();
    for row in 0..rows.num_rows() {
        let indent = depth.as_ref().map_or(0, |depth| depth.as_primitive::<UInt64Type>().value(row)) as usize;
        let mut texts = Vec::new();
        for (place, &at) in kept.iter().enumerate() {
            let unit = Unit::of(schema.field(at).name(), schema.field(at).data_type());
            let text = escape::text(&shown(rows.column(at), row, unit, Place::Cell, 0, secrets));
            let text = if verbose { text } else { cut(&text, CELL) };
            texts.push(if place == 0 { format!("{}{text}", "  ".repeat(indent)) } else { text });
        }
        cells.push(texts);
    }
    for text in grid(&header, &cells) {
        line(&text, out);
    }
}

/// The findings block; those for information only are shown where all detail is asked for.
fn findings(rows: &RecordBatch, style: Style, verbose: bool, secrets: &mut Secrets, out: &mut String) {
    let text = |name: &str, row: usize, secrets: &mut Secrets| -> Option<String> {
        let column = rows.column_by_name(name)?;
        if column.is_null(row) {
            return None;
        }
        let unit = if name == "frames" { Unit::Id } else { Unit::Text };
        Some(escape::text(&shown(column, row, unit, Place::Fact, FULL_DIGITS, secrets)))
    };
    let mut named = false;
    for row in 0..rows.num_rows() {
        let severity = text("severity", row, secrets).unwrap_or_default();
        if severity == "info" && !verbose {
            continue;
        }
        if !named {
            rule('-', out);
            line(&style.section("Findings"), out);
            named = true;
        }
        let title = text("title", row, secrets).or_else(|| text("detection", row, secrets)).unwrap_or_default();
        line(&format!("[{}] {title}", style.severity(&severity)), out);
        if let Some(summary) = text("summary", row, secrets) {
            line(&format!("  {summary}"), out);
        }
        let hosts = match (text("src_ip", row, secrets), text("dst_ip", row, secrets)) {
            (Some(src), Some(dst)) => Some(format!("{src} -> {dst}")),
            (one, other) => one.or(other),
        };
        let lines = [
            ("Details", text("details", row, secrets)),
            ("Hosts", hosts),
            ("Frames", text("frames", row, secrets)),
            ("ATT&CK", text("techniques", row, secrets)),
        ];
        for (name, value) in lines {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                line(&format!("  {name:<8} {value}"), out);
            }
        }
    }
}

fn rule(mark: char, out: &mut String) {
    out.extend(std::iter::repeat_n(mark, WIDTH));
    out.push('\n');
}

fn line(text: &str, out: &mut String) {
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_has_no_trailing_blanks() {
        let rows = vec![vec!["a".to_owned(), "longer".to_owned()], vec!["bcd".to_owned(), "x".to_owned()]];
        let lines = grid(&["One".to_owned(), "Two".to_owned()], &rows);
        assert_eq!(lines, ["One  Two", "a    longer", "bcd  x"]);
    }

    #[test]
    fn cuts_by_display_width() {
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
