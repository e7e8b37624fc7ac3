//! `--markdown`: the report for a ticket: summary, findings with their evidence, the tables that matter, cut to what is read there.
//!
//! Nothing from a packet becomes markup, a link or a mention: what could is set as code, in which every renderer takes each
//! character for itself, and the three that could end the code or a table's cell are spelled out.

use std::fmt::Write as _;
use std::io::{self, Write};

use arrow::array::RecordBatch;
use pcapper_queries::report::{Shape, Unit, label};

use super::brief::Brief;
use super::found::{self, Finding, Kind};
use super::{Answered, Answers};
use crate::render::value::{self, Place, Secrets};
use crate::render::{escape, terminal};

/// Largest document, in bytes: trackers take 65,536 characters.
const LARGEST: usize = 60_000;
/// Rows of a table and findings of a kind: as many as there is room for, between these.
const ROWS: usize = 20;
const ROWS_LEAST: usize = 3;
/// Widest cell, and longest evidence, in columns.
const CELL: usize = 60;
const EVIDENCE: usize = 300;

/// Writes the document of a run, or of a part of it; gives the findings in it.
pub fn write(answers: &Answers<'_>, parts: &[&Answered], to: &mut dyn Write) -> io::Result<u64> {
    to.write_all(fitting(answers, parts).as_bytes())?;
    Ok(super::brief::findings(parts))
}

/// The fullest document that is not too large; where even the shortest is, it ends early and says so.
fn fitting(answers: &Answers<'_>, parts: &[&Answered]) -> String {
    let mut rows = ROWS;
    loop {
        let mut document = compose(answers, parts, rows);
        if document.len() <= LARGEST {
            return document;
        }
        if rows <= ROWS_LEAST {
            let end = document
                .get(..LARGEST)
                .map_or_else(|| document.char_indices().map(|(at, _)| at).take_while(|at| *at < LARGEST).last().unwrap_or(0), str::len);
            let end = document.get(..end).and_then(|kept| kept.rfind('\n')).map_or(end, |line| line + 1);
            let left = document.get(end..).map_or(0, |rest| rest.lines().count());
            document.truncate(end);
            let _ = writeln!(document, "\n{left} more lines were left out here; `--html` has them.");
            return document;
        }
        rows -= 1;
    }
}

fn compose(answers: &Answers<'_>, parts: &[&Answered], most: usize) -> String {
    let mut secrets = Secrets::default();
    let mut out = String::from("# Network capture report\n");
    for one in parts {
        part(answers, one, most, &mut secrets, &mut out);
    }
    let damaged =
        answers.captures.iter().flat_map(|capture| capture.manifest.faults.iter().map(|fault| (capture.name.clone(), fault.detail.clone())));
    let skipped = answers.skipped.iter().cloned();
    let mut unread = damaged.chain(skipped).peekable();
    if unread.peek().is_some() {
        out.push_str("\n## Not read, or not whole\n\n");
        for (name, reason) in unread {
            let _ = writeln!(out, "- {}: {}", code(&name, CELL), code(&reason, EVIDENCE));
        }
    }
    out
}

fn part(answers: &Answers<'_>, one: &Answered, most: usize, secrets: &mut Secrets, out: &mut String) {
    let Some(brief) = &one.brief else { return };
    let name = match &one.capture {
        Some(capture) => code(&capture.name, CELL),
        None => format!("{} captures taken as one", answers.captures.len()),
    };
    let _ = writeln!(out, "\n## {name}\n");
    if let Some(capture) = &one.capture {
        let _ = writeln!(out, "- SHA-256: {}", code(&capture.manifest.sha256, 64));
    }
    if let Some(rows) = brief.picture("summary") {
        facts(rows, secrets, out);
    }
    let kinds = found::kinds(&brief.findings, secrets);
    let notable: Vec<&Kind> = kinds.iter().filter(|kind| kind.severity() != "info").collect();
    let _ = writeln!(out, "\n### Findings ({})", notable.len());
    if notable.is_empty() {
        out.push_str("\nNo detection fired. That is no proof of innocence.\n");
    }
    for kind in &notable {
        finding(kind, most.min(5), out);
    }
    let for_information = kinds.len() - notable.len();
    if for_information > 0 {
        let _ = writeln!(out, "\n{for_information} more kinds of findings are for information only; `--html` and `--json` have them.");
    }
    if brief.is_whole {
        picture(brief, most, secrets, out);
        return;
    }
    for report in &brief.reports {
        let _ = writeln!(out, "\n### {}", plain(&report.title));
        let mut hints = Vec::new();
        for section in report.sections.iter().filter(|section| section.rows.num_rows() > 0) {
            match section.shape {
                Shape::Facts => {
                    out.push('\n');
                    facts(&section.rows, secrets, out);
                }
                _ => {
                    let most = section.limit.unwrap_or(most).min(most);
                    table(&section.name, &section.rows, most, secrets, out);
                    if section.rows.num_rows() > most {
                        hints.push(&section.name);
                    }
                }
            }
        }
        if !hints.is_empty() {
            let _ = writeln!(out, "\n`--{} --csv FILE` writes all rows.", report.analyzer.replace('_', "-"));
        }
    }
}

/// Tables that say what a capture is where no report was asked for.
fn picture(brief: &Brief, most: usize, secrets: &mut Secrets, out: &mut String) {
    for (name, title) in [("protocols", "Protocols"), ("hosts", "Hosts"), ("conversations", "Conversations")] {
        if let Some(rows) = brief.picture(name).filter(|rows| rows.num_rows() > 0) {
            let kept: Vec<usize> = (0..rows.num_columns())
                .filter(|at| !["mac", "responded", "services", "scope"].contains(&rows.schema().field(*at).name().as_str()) || name != "hosts")
                .collect();
            if let Ok(rows) = rows.project(&kept) {
                table(title, &rows, most.min(10), secrets, out);
            }
        }
    }
    let names: Vec<String> = brief.reports.iter().map(|report| format!("`--{}`", report.analyzer.replace('_', "-"))).collect();
    let _ = writeln!(out, "\nReports with more: {}. `--html FILE` writes them all.", names.join(", "));
}

fn facts(rows: &RecordBatch, secrets: &mut Secrets, out: &mut String) {
    let schema = rows.schema();
    for row in 0..rows.num_rows() {
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            let shown = value::shown(column, row, Unit::of(field.name(), field.data_type()), Place::Fact, 0, secrets);
            if shown != value::NULL {
                let _ = writeln!(out, "- {}: {}", plain(&label(field.name())), code(&shown, EVIDENCE));
            }
        }
    }
}

fn finding(kind: &Kind, most: usize, out: &mut String) {
    let Some(first) = kind.first() else { return };
    let _ = write!(out, "\n#### {}: {}\n\n- Detection {}", first.severity.to_uppercase(), plain(&first.title), code(&first.detection, CELL));
    if !first.techniques.is_empty() {
        let _ = write!(out, ", ATT&CK {}", code(&first.techniques, CELL));
    }
    if kind.members.len() > 1 {
        let _ = write!(out, ", {} times", kind.members.len());
    }
    out.push('\n');
    for finding in kind.members.iter().take(most) {
        member(finding, out);
    }
    let left = kind.members.len().saturating_sub(most);
    if left > 0 {
        let _ = writeln!(out, "- {left} more were left out here; `--json FILE` writes them all");
    }
}

fn member(finding: &Finding, out: &mut String) {
    let mut said = Vec::new();
    for text in &finding.evidence {
        said.push(plain_or_code(text, EVIDENCE));
    }
    let hosts = finding.hosts("->");
    if !hosts.is_empty() {
        said.push(code(&hosts, 120));
    }
    if let Some(ts) = finding.ts {
        said.push(value::time(ts, 0));
    }
    if !finding.frames.is_empty() {
        said.push(format!("{} {}", if finding.frames.contains(',') { "frames" } else { "frame" }, terminal::cut(&finding.frames, 80)));
    }
    let _ = writeln!(out, "- {}", said.join("; "));
}

fn table(name: &str, rows: &RecordBatch, most: usize, secrets: &mut Secrets, out: &mut String) {
    let schema = rows.schema();
    let _ = write!(out, "\n**{}**\n\n|", plain(name));
    for field in schema.fields() {
        let _ = write!(out, " {} |", plain(&label(field.name())));
    }
    out.push_str("\n|");
    for field in schema.fields() {
        let unit = Unit::of(field.name(), field.data_type());
        out.push_str(if matches!(unit, Unit::Text | Unit::Time) { " --- |" } else { " ---: |" });
    }
    out.push('\n');
    for row in 0..rows.num_rows().min(most) {
        out.push('|');
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            let unit = Unit::of(field.name(), field.data_type());
            let shown = value::shown(column, row, unit, Place::Cell, 0, secrets);
            let cell = if unit == Unit::Text { plain_or_code(&shown, CELL) } else { shown };
            let _ = write!(out, " {cell} |");
        }
        out.push('\n');
    }
    let left = rows.num_rows().saturating_sub(most);
    if left > 0 {
        let _ = writeln!(out, "\n{left} more rows were left out here.");
    }
}

/// A text as code: one line, in which no character means anything but itself.
fn code(raw: &str, most: usize) -> String {
    let shown = terminal::cut(&escape::text(raw), most).replace('`', "\\x60").replace('|', "\\x7c");
    if shown.trim().is_empty() { value::NULL.to_owned() } else { format!("`{shown}`") }
}

/// Words are written as they are; everything that could be more than words is code.
fn plain_or_code(raw: &str, most: usize) -> String {
    if is_plain(raw) { terminal::cut(raw, most) } else { code(raw, most) }
}

/// A title or label: its words, or code.
fn plain(raw: &str) -> String {
    plain_or_code(raw, 120)
}

/// Words, commas within, full stops behind all but the first: no renderer sees markup, a link or a mention in these. What looks
/// like a commit is none of them.
fn is_plain(raw: &str) -> bool {
    let is_commit = |word: &str| word.len() >= 7 && word.bytes().all(|letter| letter.is_ascii_hexdigit());
    let is_word = |(at, word): (usize, &str)| {
        // The first of a line must not number a list.
        let ends: &[char] = if at > 0 { &[',', ')', '%', '.', ':', ';'] } else { &[',', '%'] };
        let bare = word.trim_end_matches(ends).trim_start_matches('(');
        !is_commit(bare) && bare.split('/').all(|part| !part.is_empty() && part.bytes().all(|letter| letter.is_ascii_alphanumeric()))
    };
    raw == value::NULL || (raw.starts_with(|first: char| first.is_ascii_alphanumeric()) && raw.split(' ').enumerate().all(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_plain() {
        for text in ["Data in DNS names", "12 of 13, 5%", "-", "MODICON (UMAS)", "ETHERNET/IP", "so it is: yes."] {
            assert_eq!(plain(text), text);
        }
        for text in [
            "@all",
            "at deadbeef",
            "https://a/b",
            "x ://y",
            "1) x",
            "see #12",
            "[x](http://y)",
            "www.example.com",
            "a_b_c",
            "*x*",
            "example.com",
            "<b>",
            "- x",
            "1. x",
            "a\nb",
            "GH-1",
        ] {
            let shown = plain(text);
            assert!(shown.starts_with('`') && shown.ends_with('`') && !shown.contains('\n'), "{shown}");
        }
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a`b|c", 60), "`a\\x60b\\x7cc`");
        assert_eq!(code(" ", 60), "-");
    }
}
