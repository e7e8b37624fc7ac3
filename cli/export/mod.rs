//! What a run found, written for other programs: one room for every form.

mod artifacts;
mod check;
pub mod csv;
pub mod file;
pub mod json;
mod sqlite;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use pcapper_queries::catalog::Selected;
use pcapper_queries::report::Report;
use serde_json::{Value, json};

pub use artifacts::gather;
pub use check::check;
use file::Files;

use crate::arguments::{Arguments, Given};
use crate::ask;
use crate::case::Case;
use crate::log;
use crate::render::Output;
use crate::select::{Selection, complain};
use crate::status::Status;

/// Forms of export, by the flag that names the file.
const KINDS: [&str; 5] = ["json", "csv", "sqlite", "html", "markdown"];

/// The reports of one capture, or of all together.
#[derive(Debug)]
pub struct Answered {
    /// `None`: all captures of the run, taken as one.
    pub capture: Option<Selected>,
    pub reports: Vec<Report>,
    /// Hosts in the form of exports, where `--hosts` ran.
    pub hosts: Option<RecordBatch>,
    /// Files and credentials behind the reports, in the form of exports.
    pub artifacts: Option<RecordBatch>,
}

/// All that a run found. Secrets in it are marks or in clear, as exports may hold them: a writer passes every text through
/// its own [`crate::render::value::Secrets`].
#[derive(Debug)]
pub struct Answers<'a> {
    pub captures: &'a [Selected],
    /// One entry a capture, or one for all of them.
    pub answered: Vec<Answered>,
    /// Captures that were named and could not be read: name and reason.
    pub skipped: &'a [(String, String)],
    /// What narrowed the run.
    pub filter: &'a Filter,
}

/// What narrows a run, as given; nothing where it is `None`.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    pub bpf: Option<String>,
    pub time_start: Option<String>,
    pub time_end: Option<String>,
    pub ip: Option<String>,
}

impl Filter {
    /// The filters given.
    pub fn of(given: &Given) -> Self {
        let text = |name: &str| given.text(name).map(str::to_owned);
        Self { bpf: text("bpf"), time_start: text("time-start"), time_end: text("time-end"), ip: text("ip") }
    }

    /// As recorded in exports and case records.
    pub fn json(&self) -> Value {
        json!({"bpf": self.bpf, "time_start": self.time_start, "time_end": self.time_end, "ip": self.ip})
    }
}

/// Where exports go, and what they may hold.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// Kind and place of each export that was asked for.
    asked: Vec<(&'static str, Place)>,
    /// Stored tables that go into the SQLite database as well.
    tables: Vec<String>,
    /// Secrets in clear.
    pub in_clear: bool,
    /// Readable by whom the umask allows: redaction was asked for outright.
    pub shared: bool,
}

/// Where one export goes.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Stdout,
    File(PathBuf),
    /// What a case gets where nothing else was asked for: what an earlier run left there stays.
    Kept(PathBuf),
    /// One file a capture, in this directory.
    Directory(PathBuf),
}

/// Reads the options; relative paths lie in the case, if there is one.
pub fn options(given: &Given, case: Option<&Case>) -> Result<Options, String> {
    if given.switch("export-raw") && given.switch("export-redact") {
        return Err("--export-raw and --export-redact exclude one another".to_owned());
    }
    let mut asked = Vec::new();
    for kind in KINDS {
        let Some(path) = given.text(kind) else { continue };
        let place = match path {
            "" => return Err(format!("--{kind} needs a value")),
            "-" if matches!(kind, "json" | "csv") => Place::Stdout,
            "-" => return Err(format!("--{kind} -: a file is needed; only --json and --csv write to standard output")),
            path => {
                let placed = case.map_or_else(|| PathBuf::from(path), |case| case.place(path));
                if path.ends_with('/') || placed.is_dir() { Place::Directory(placed) } else { Place::File(placed) }
            }
        };
        asked.push((kind, place));
    }
    if asked.is_empty()
        && let Some(case) = case
        && !["sql", "sql-file", "shell"].iter().any(|name| given.has(name))
    {
        asked.push(("json", Place::Kept(case.place("pcapper.json"))));
    }
    let tables = sqlite::tables(given)?;
    let in_clear = given.switch("export-raw") || (given.switch("show-secrets") && !given.switch("export-redact"));
    Ok(Options { asked, tables, in_clear, shared: given.switch("export-redact") })
}

impl Options {
    /// Whether the run exports anything, so that its reports must be kept.
    pub fn is_wanted(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Whether an export owns standard output: no report is printed then.
    pub fn owns_stdout(&self) -> bool {
        self.asked.iter().any(|(_, place)| *place == Place::Stdout)
    }

    fn has(&self, kind: &str) -> bool {
        self.asked.iter().any(|(asked, _)| *asked == kind)
    }
}

/// Writes every export that was asked for; one that fails is told on stderr and does not keep the others.
pub async fn write(arguments: &Arguments, selection: &Selection, answers: &Answers<'_>, out: &mut Output) -> Status {
    let options = &arguments.exports;
    if options.in_clear && options.is_wanted() {
        complain("warning: exports hold secrets in clear");
    }
    let mut status = Status::Done;
    for (kind, place) in &options.asked {
        let mut parts = Vec::new();
        match place {
            Place::Stdout => parts.push((None, answers.answered.iter().collect::<Vec<_>>())),
            Place::File(path) | Place::Kept(path) => parts.push((Some(path.clone()), answers.answered.iter().collect())),
            Place::Directory(directory) => {
                let mut taken = Vec::new();
                for one in &answers.answered {
                    let name = one.capture.as_ref().map_or("ALL_PCAPS", |capture| capture.name.as_str());
                    parts.push((Some(directory.join(file_name(name, kind, &mut taken))), vec![one]));
                }
            }
        }
        for (path, answered) in parts {
            let part = Part { kind, path, answered, keeps: matches!(place, Place::Kept(_)) };
            if let Err(message) = part.write(arguments, selection, answers, out).await {
                complain(&message);
                status = status.worse(Status::Partly);
            }
        }
    }
    status
}

/// What goes into one file.
struct Part<'a> {
    kind: &'static str,
    /// `None` for standard output.
    path: Option<PathBuf>,
    answered: Vec<&'a Answered>,
    /// A file that is there already stays.
    keeps: bool,
}

impl Part<'_> {
    async fn write(&self, arguments: &Arguments, selection: &Selection, answers: &Answers<'_>, out: &mut Output) -> Result<(), String> {
        let files = files(arguments, selection);
        match self.kind {
            "json" => self.one(&files, out, None, |to| json::write(answers, &self.answered, to)),
            "csv" => {
                self.one(&files, out, None, |to| csv::findings(&self.answered, to))?;
                if self.path.is_none() {
                    return Ok(());
                }
                if self.answered.iter().any(|one| one.hosts.is_some()) {
                    self.one(&files, out, Some("hosts"), |to| csv::hosts(&self.answered, to))?;
                }
                for section in csv::sections(&self.answered) {
                    self.one(&files, out, Some(&section.suffix), |to| csv::section(&self.answered, &section, to))?;
                }
                Ok(())
            }
            "sqlite" => {
                let Some(path) = &self.path else { return Ok(()) };
                let captures: Vec<Selected> = match self.answered.as_slice() {
                    [Answered { capture: Some(one), .. }] => vec![one.clone()],
                    _ => answers.captures.to_vec(),
                };
                let catalog = ask::open(arguments, selection, captures, arguments.exports.in_clear).await?;
                let file = files.create(path)?;
                let (rows, bytes) = sqlite::write(answers, &self.answered, &arguments.exports.tables, &catalog, file).await?;
                out.wrote(self.kind, path, rows, bytes);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// One file of text; `suffix` makes it a companion of the named one.
    fn one(&self, files: &Files, out: &mut Output, suffix: Option<&str>, body: impl FnOnce(&mut dyn Write) -> io::Result<u64>) -> Result<(), String> {
        let Some(path) = &self.path else {
            let mut counted = Counted { out, bytes: 0 };
            // A reader of standard output that goes away is noticed at the end of the run.
            if let Ok(rows) = body(&mut counted) {
                log::export(self.kind, Path::new("-"), rows, counted.bytes);
            }
            return Ok(());
        };
        let path = suffix.map_or_else(|| path.clone(), |suffix| companion(path, suffix));
        let mut file = files.create(&path)?;
        let rows = body(&mut file).map_err(|error| file.fault(&error))?;
        let (path, bytes) = if self.keeps { file.commit_beside()? } else { (path, file.commit()?) };
        out.wrote(self.kind, &path, rows, bytes);
        Ok(())
    }
}

/// Standard output, with a count of what went there.
struct Counted<'a> {
    out: &'a mut Output,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The maker of this run's files.
pub fn files(arguments: &Arguments, selection: &Selection) -> Files {
    Files { shared: arguments.exports.shared, inputs: selection.inputs.iter().filter_map(|input| input.place.clone()).collect() }
}

/// `out.csv` and `hosts` give `out_hosts.csv`.
fn companion(path: &Path, suffix: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    path.with_file_name(format!("{stem}_{suffix}.csv"))
}

/// The name of a capture's file in a directory of exports; captures of equal stems get numbers.
fn file_name(capture: &str, kind: &str, taken: &mut Vec<String>) -> String {
    let suffix = match kind {
        "markdown" => "md",
        other => other,
    };
    let stem = stem(capture);
    let numbered = (2..).map(|number| format!("{stem}_{number}.{suffix}"));
    let name = std::iter::once(format!("{stem}.{suffix}")).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default();
    taken.push(name.clone());
    name
}

/// A capture's name without the suffixes that say how it is stored.
fn stem(name: &str) -> &str {
    let without = |name, suffixes: &[&str]| suffixes.iter().find_map(|suffix| strip_suffix(name, suffix)).unwrap_or(name);
    without(without(name, &[".gz", ".zst", ".lz4", ".xz"]), &[".pcapng", ".pcap", ".cap"])
}

fn strip_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(suffix.len()).filter(|at| *at > 0)?;
    let (stem, end) = name.split_at_checked(at)?;
    end.eq_ignore_ascii_case(suffix).then_some(stem)
}

/// Reports that exports keep apart from the summaries, each under the key it has there.
fn extra_key(analyzer: &str) -> Option<&'static str> {
    Some(match analyzer {
        "rules" => "rules",
        "ioc" => "ioc",
        "correlate" | "correlation" => "correlation",
        "baseline" | "baseline_compare" | "baseline_delta" => "baseline_delta",
        "decrypt" => "decrypt",
        "carve" => "carve",
        _ => return None,
    })
}

/// Name of a section's table: flag and section in lower case, `_` for all else.
fn table_name(analyzer: &str, section: &str) -> String {
    let mut name = String::new();
    for letter in format!("{analyzer}_{section}").chars() {
        if letter.is_alphanumeric() {
            name.extend(letter.to_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_end_matches('_').to_owned()
}

/// What stands for the capture of a row that does not tell its own.
fn capture_of(one: &Answered) -> &str {
    one.capture.as_ref().map_or("ALL_PCAPS", |capture| capture.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_directory() {
        let mut taken = Vec::new();
        let names: Vec<String> =
            ["a.pcap", "a.pcapng.gz", "a_2.cap", "b.c.PCAP", ".pcap", "stdin"].iter().map(|name| file_name(name, "json", &mut taken)).collect();
        assert_eq!(names, ["a.json", "a_2.json", "a_2_2.json", "b.c.json", ".pcap.json", "stdin.json"]);
        assert_eq!(companion(Path::new("x/out.csv"), "hosts"), Path::new("x/out_hosts.csv"));
        assert_eq!(table_name("dns", "Top queries (A/AAAA)"), "dns_top_queries_a_aaaa");
    }
}
