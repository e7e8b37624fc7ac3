//! Reports as text: the frame, facts, tables, findings.

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, UInt64Type};
use pcapper_ingest::evidence::{Encoding, Needle};
use pcapper_queries::across::is_frame_number;
use pcapper_queries::functions::ip_scope;
use pcapper_queries::report::{Report, Section, Shape, Unit, label};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::escape;
use super::fit::{self, Kind};
use super::grid::grid;
use super::value::{self, Place, Secrets, instant, shown};

/// Width of the rules.
const WIDTH: usize = 72;
/// Width of labels.
const LABEL: usize = 24;
/// Widest cell unless all detail is asked for.
const CELL: usize = 80;
/// Deepest indentation of a tree.
const DEPTH: u64 = 32;

/// What was looked for in a column's texts, in the field's metadata; and whether capitals count.
pub const MATCH: &str = "pcapper.match";
pub const MATCH_EXACT: &str = "pcapper.match_exact";

/// What was looked for in a column's texts.
fn sought(field: &FieldRef) -> Option<Needle> {
    let text = field.metadata().get(MATCH)?;
    Some(Needle::new(text, field.metadata().get(MATCH_EXACT).is_some_and(|exact| exact == "yes")))
}

/// Colours or not.
#[derive(Clone, Copy)]
pub struct Style {
    pub color: bool,
    /// Columns of the terminal; `None` where no one looks at a screen.
    pub width: Option<usize>,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
    fn title(self, text: &str) -> String {
        self.paint("97;44", text)
    }
    pub fn section(self, text: &str) -> String {
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
        self.word(&word).unwrap_or(word)
    }
    /// A severity in its colour.
    fn word(self, word: &str) -> Option<String> {
        match word {
            "CRITICAL" | "HIGH" => Some(self.paint("31", word)),
            "MEDIUM" => Some(self.paint("33", word)),
            _ => None,
        }
    }
    /// A text in which what was looked for stands out.
    fn matches(self, needle: &Needle, text: &str) -> Option<String> {
        let (mut painted, mut from) = (String::new(), 0);
        for found in needle.find(text.as_bytes()) {
            let (before, hit) = (text.get(from..found.start), text.get(found.start..found.start + found.length));
            // What overlaps the one before, or is no text of this encoding, stays as it is.
            let (Some(before), Some(hit), true) = (before, hit, found.encoding == Encoding::Utf8) else { continue };
            painted.push_str(before);
            painted.push_str(&self.paint("1;33", hit));
            from = found.start + found.length;
        }
        (from > 0).then(|| painted + text.get(from..).unwrap_or_default())
    }

    /// A value that stands out, in its colour: a public address, a severity, `ok`.
    fn cell(self, column: &str, text: &str) -> Option<String> {
        if !self.color {
            return None;
        }
        match (column, text) {
            ("severity", word) => self.word(word),
            (_, "ok") => Some(self.paint("32", text)),
            (_, text) => {
                let address = endpoint(text).parse().ok()?;
                (ip_scope(address) == "public").then(|| self.paint("31", text))
            }
        }
    }
}

/// The address of `address`, `address:port` or `[address]:port`.
fn endpoint(text: &str) -> &str {
    if text.parse::<std::net::IpAddr>().is_ok() {
        return text;
    }
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// How reports are shown.
#[derive(Clone, Copy)]
pub struct Look {
    pub style: Style,
    /// All rows, whole cells, all findings.
    pub verbose: bool,
    /// Several captures are taken as one: a frame's number means something only with its capture's name.
    pub merged: bool,
}

/// What stays the same within one report.
struct Page {
    look: Look,
    secrets: Secrets,
    /// Digits of a second that the capture's clock had: 6, or 9 where some time of the report needs them.
    digits: usize,
}

/// Appends a report.
pub fn report(report: &Report, look: Look, out: &mut String) {
    let mut page = Page { look, secrets: Secrets::default(), digits: clock_digits(report) };
    let style = look.style;
    rule('=', out);
    line(&style.title(&format!("{} :: {}", escape::text(&report.title), escape::text(&report.subject))), out);
    rule('=', out);
    let mut first = true;
    let facts_only = is_absent(report);
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
        one_section(section, &mut page, out);
    }
    // A rule's hits repeat findings that its tables have shown.
    if report.analyzer != pcapper_queries::rules::SOURCE {
        findings(&report.findings, true, &mut page, out);
    }
    rule('=', out);
}

/// Whether the report is about something that does not occur: it has facts, and no other rows.
pub fn is_absent(report: &Report) -> bool {
    let rest = report.sections.get(1..).unwrap_or_default();
    let has_facts = report.sections.first().is_some_and(|section| section.shape == Shape::Facts);
    has_facts && !rest.is_empty() && rest.iter().all(|section| section.rows.num_rows() == 0)
}

/// Digits of a second that every time of the report can be shown with, whole microseconds at least.
fn clock_digits(report: &Report) -> usize {
    let finer = |column: &ArrayRef| (0..column.len()).any(|row| instant(column, row).is_some_and(|ns| ns % 1000 != 0));
    let is_time = |column: &&ArrayRef| matches!(column.data_type(), DataType::Timestamp(..));
    let batches = report.sections.iter().map(|section| &section.rows).chain([&report.findings]);
    if batches.flat_map(RecordBatch::columns).filter(is_time).any(finer) { 9 } else { 6 }
}

fn one_section(section: &Section, page: &mut Page, out: &mut String) {
    if section.rows.num_rows() == 0 {
        line("(none)", out);
        return;
    }
    match section.shape {
        Shape::Facts => facts(&section.rows, page, out),
        Shape::Findings => findings(&section.rows, false, page, out),
        Shape::Tree => tree(&section.rows, page, out),
        Shape::Timeline => table(section, page.digits, page, out),
        Shape::Table | Shape::Series => table(section, if page.look.verbose { page.digits } else { 0 }, page, out),
    }
}

fn facts(rows: &RecordBatch, page: &mut Page, out: &mut String) {
    let schema = rows.schema();
    let style = page.look.style;
    for row in 0..rows.num_rows() {
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            let unit = Unit::of(field.name(), field.data_type());
            let value = escape::text(&shown(column, row, unit, Place::Fact, page.digits, &mut page.secrets));
            let name = escape::text(&label(field.name()));
            let padding = " ".repeat(LABEL.saturating_sub(name.width()));
            let value = style.cell(field.name(), &value).unwrap_or(value);
            line(&format!("{}{padding} : {value}", style.label(&name)), out);
        }
    }
}

fn table(section: &Section, digits: usize, page: &mut Page, out: &mut String) {
    let Look { style, verbose, merged } = page.look;
    let limit = section.limit.filter(|_| !verbose).unwrap_or(usize::MAX);
    let schema = section.rows.schema();
    let has_frames = schema.fields().iter().any(|field| is_frame_number(field));
    let captures = section.rows.column_by_name("capture").filter(|_| merged && has_frames);
    // A capture that stands in front of its frames needs no column of its own.
    let mut kept: Vec<(&FieldRef, &ArrayRef)> =
        schema.fields().iter().zip(section.rows.columns()).filter(|(field, _)| captures.is_none() || field.name() != "capture").collect();
    let mut header: Vec<String> = kept.iter().map(|(field, _)| escape::text(&label(field.name()))).collect();
    let mut cells: Vec<Vec<String>> = Vec::new();
    for row in 0..section.rows.num_rows().min(limit) {
        let cell = |&(field, column): &(&FieldRef, &ArrayRef)| {
            let unit = Unit::of(field.name(), field.data_type());
            let text = shown(column, row, unit, Place::Cell, digits, &mut page.secrets);
            let text = match captures {
                Some(captures) if is_frame_number(field) => named(captures, row, &text),
                _ if field.name() == "severity" => text.to_uppercase(),
                _ => text,
            };
            let text = escape::text(&text);
            if verbose { text } else { cut(&text, CELL) }
        };
        cells.push(kept.iter().map(cell).collect());
    }
    let mut left_out = Vec::new();
    if let Some(width) = style.width.filter(|_| !verbose) {
        let kind = |(field, _): &(&FieldRef, &ArrayRef)| match Unit::of(field.name(), field.data_type()) {
            Unit::Text => Kind::Text,
            Unit::Time => Kind::Time,
            _ if is_frame_number(field) => Kind::Frame,
            _ => Kind::Number,
        };
        let kinds: Vec<Kind> = kept.iter().map(kind).collect();
        let fitted = fit::fit(&mut header, &mut cells, &kinds, width);
        kept = fitted.kept.iter().filter_map(|at| kept.get(*at).copied()).collect();
        left_out = fitted.left_out;
    }
    let sought: Vec<Option<Needle>> = kept.iter().map(|(field, _)| sought(field).filter(|_| style.color)).collect();
    let paint = |_: usize, column: usize, text: &str| {
        let (field, _) = kept.get(column)?;
        match sought.get(column)? {
            Some(needle) => style.matches(needle, text),
            None => style.cell(field.name(), text),
        }
    };
    for text in grid(&header, &cells, paint) {
        line(&text, out);
    }
    if !left_out.is_empty() {
        line(&style.hint(&format!("(no room for {}; -v shows all)", left_out.join(", "))), out);
    }
    let hidden = section.rows.num_rows().saturating_sub(limit);
    if hidden > 0 {
        line(&style.hint(&format!("({hidden} more rows; -v shows all)")), out);
    }
}

/// Frame numbers with their capture's name: `a.pcap#3, #4`.
fn named(captures: &ArrayRef, row: usize, frames: &str) -> String {
    let mut kept = Secrets::kept();
    match value::json(captures, row, &mut kept, false) {
        serde_json::Value::String(capture) if frames != value::NULL => {
            format!("{capture}#{}", frames.replace(", ", ", #"))
        }
        _ => frames.to_owned(),
    }
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
fn tree(rows: &RecordBatch, page: &mut Page, out: &mut String) {
    let Look { style, verbose, .. } = page.look;
    let schema = rows.schema();
    let depth = rows.column_by_name("depth").and_then(|column| arrow::compute::cast(column, &DataType::UInt64).ok());
    let kept: Vec<usize> = schema.fields().iter().enumerate().filter(|(_, field)| field.name() != "depth").map(|(at, _)| at).collect();
    let header: Vec<String> = kept.iter().map(|&at| escape::text(&label(schema.field(at).name()))).collect();
    let mut cells = Vec::new();
    for row in 0..rows.num_rows() {
        let indent = depth.as_ref().map_or(0, |depth| depth.as_primitive::<UInt64Type>().value(row)).min(DEPTH) as usize;
        let mut texts = Vec::new();
        for (place, &at) in kept.iter().enumerate() {
            let unit = Unit::of(schema.field(at).name(), schema.field(at).data_type());
            let digits = if verbose { page.digits } else { 0 };
            let text = escape::text(&shown(rows.column(at), row, unit, Place::Cell, digits, &mut page.secrets));
            let text = if verbose { text } else { cut(&text, CELL) };
            texts.push(if place == 0 { format!("{}{text}", "  ".repeat(indent)) } else { text });
        }
        cells.push(texts);
    }
    let paint = |_: usize, column: usize, text: &str| kept.get(column).and_then(|&at| style.cell(schema.field(at).name(), text));
    for text in grid(&header, &cells, paint) {
        line(&text, out);
    }
}

/// The findings block, under its heading where no section names it; those for information only are shown where all detail is
/// asked for.
fn findings(rows: &RecordBatch, heading: bool, page: &mut Page, out: &mut String) {
    let Look { style, verbose, merged } = page.look;
    let digits = page.digits;
    let mut text = |name: &str, row: usize| -> Option<String> {
        let column = rows.column_by_name(name)?;
        if column.is_null(row) {
            return None;
        }
        let unit = if name == "frames" { Unit::Id } else { Unit::Text };
        Some(shown(column, row, unit, Place::Fact, digits, &mut page.secrets))
    };
    let captures = rows.column_by_name("capture").filter(|_| merged);
    let mut headed = !heading;
    for row in 0..rows.num_rows() {
        let severity = text("severity", row).unwrap_or_default();
        if severity == "info" && !verbose {
            continue;
        }
        if !headed {
            rule('-', out);
            line(&style.section("Findings"), out);
            headed = true;
        }
        let title = text("title", row).or_else(|| text("detection", row)).unwrap_or_default();
        line(&format!("[{}] {}", style.severity(&escape::text(&severity)), escape::text(&title)), out);
        if let Some(summary) = text("summary", row) {
            line(&format!("  {}", escape::text(&summary)), out);
        }
        let address = |address: String| style.cell("ip", &escape::text(&address)).unwrap_or_else(|| escape::text(&address));
        let hosts = match (text("src_ip", row).map(address), text("dst_ip", row).map(address)) {
            (Some(src), Some(dst)) => Some(format!("{src} -> {dst}")),
            (one, other) => one.or(other),
        };
        let frames = text("frames", row).map(|frames| match captures {
            Some(captures) if captures.is_valid(row) => named(captures, row, &frames),
            Some(_) => format!("{frames} (of several captures)"),
            None => frames,
        });
        let plain = |text: Option<String>| text.map(|text| escape::text(&text));
        let lines =
            [("Details", plain(text("details", row))), ("Hosts", hosts), ("Frames", plain(frames)), ("ATT&CK", plain(text("techniques", row)))];
        for (name, value) in lines {
            if let Some(value) = value.filter(|value| !value.is_empty() && value != value::NULL) {
                line(&format!("  {name:<8} {value}"), out);
            }
        }
    }
}

/// A line across the page.
pub fn rule(mark: char, out: &mut String) {
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
    fn cuts_by_display_width() {
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn matches_point_out() {
        let style = Style { color: true, width: None };
        assert_eq!(style.matches(&Needle::new("post", false), "a POST, ß post").as_deref(), Some("a \x1b[1;33mPOST\x1b[0m, ß \x1b[1;33mpost\x1b[0m"));
        assert_eq!(style.matches(&Needle::new("post", true), "a POST"), None);
    }

    #[test]
    fn colours_point_out() {
        let style = Style { color: true, width: None };
        assert_eq!(style.cell("dst_ip", "8.8.8.8").as_deref(), Some("\x1b[31m8.8.8.8\x1b[0m"));
        assert_eq!(style.cell("server", "2001:4860:4860::8888").as_deref(), Some("\x1b[31m2001:4860:4860::8888\x1b[0m"));
        assert_eq!(style.cell("dst_ip", "10.0.0.1"), None);
        assert_eq!(style.cell("severity", "HIGH").as_deref(), Some("\x1b[31mHIGH\x1b[0m"));
        assert_eq!(style.cell("login", "ok").as_deref(), Some("\x1b[32mok\x1b[0m"));
        assert_eq!(Style { color: false, width: None }.cell("dst_ip", "8.8.8.8"), None);
    }
}
