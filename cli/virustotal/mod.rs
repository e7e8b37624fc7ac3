//! `-vt`: what VirusTotal says of the names, addresses, URLs and hashes that a report shows. Nothing else in pcapper opens a
//! connection, and this does so only with the option and a key (`VT_API_KEY`). Which column of which section is asked about
//! stands in the analyzers (`indicator=`); of it, what a terminal shows is asked, all rows with `-v`. Bytes of captures,
//! private names and private addresses never leave ([`subject`]).
//!
//! `PCAPPER_VT_URL` names a stand-in for the service. Only plain HTTP to a loopback address is taken, so that neither the key
//! nor an indicator can be led off the machine by it; tests ask a server of their own that way.

mod client;
mod memory;
mod pace;
mod subject;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use pcapper_queries::analyzer::{self, Analyzer, SectionQuery};
use pcapper_queries::report::{Report, Section, Shape};

use crate::arguments::Given;
use crate::log;
use crate::select::{complain, tell};
use crate::sql;
use crate::status::Status;
use client::{Client, Verdict};
use pace::Pace;
use subject::{Kind, Subject};

pub use subject::Own;

/// The analyzer that the option alone asks for.
const IMPLIED: &str = "dns";
/// Questions a minute: what a key of the public sort allows.
const RATE: usize = 4;
/// Questions a run.
const MAX_LOOKUPS: usize = 500;
/// Failures of one question in a row, none of them lasting, after which no more is asked.
const PATIENCE: usize = 3;

/// Reputations for a run.
#[derive(Debug)]
pub struct VirusTotal {
    /// `None` without a key.
    client: Option<Client>,
    rate: usize,
    max_lookups: usize,
    is_quiet: bool,
    state: Mutex<State>,
}

/// What is known so far.
#[derive(Debug)]
struct State {
    known: HashMap<Subject, Verdict>,
    pace: Pace,
    /// What was sent, in order: the report it was for (analyzer and capture), and what came of it.
    sent: Vec<Sent>,
    /// Subjects for which there is no answer.
    missing: BTreeSet<Subject>,
    /// Of these, those that the limit left out.
    left_out: BTreeSet<Subject>,
    failures: BTreeSet<String>,
    failed_in_row: usize,
    /// No more is asked.
    has_ended: bool,
}

#[derive(Debug)]
struct Sent {
    report: (String, String),
    subject: Subject,
    answer: String,
}

/// Where a report is made.
pub struct Around<'a> {
    pub lake: &'a Path,
    pub verbose: bool,
    pub own: Own<'a>,
}

/// A whole number of the environment.
fn number(variable: &str, least: usize, default: usize) -> Result<usize, String> {
    let Some(value) = std::env::var_os(variable).filter(|value| !value.is_empty()) else { return Ok(default) };
    let number = value.to_str().and_then(|value| value.parse().ok()).filter(|number: &usize| *number >= least);
    number.ok_or_else(|| format!("{variable}={}: a number of {least} or more is needed", value.display()))
}

/// The service, where it was asked for.
pub fn options(given: &Given) -> Result<Option<VirusTotal>, String> {
    if !given.switch("vt") {
        return Ok(None);
    }
    let rate = number("PCAPPER_VT_RATE", 1, RATE)?;
    let max_lookups = number("PCAPPER_VT_MAX_LOOKUPS", 0, MAX_LOOKUPS)?;
    let set = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty());
    let stand_in = set(client::STAND_IN);
    let client = set("VT_API_KEY").map(|key| Client::new(&key, stand_in.as_deref())).transpose()?;
    let state = State {
        known: HashMap::new(),
        pace: Pace::new(rate),
        sent: Vec::new(),
        missing: BTreeSet::new(),
        left_out: BTreeSet::new(),
        failures: BTreeSet::new(),
        failed_in_row: 0,
        has_ended: false,
    };
    Ok(Some(VirusTotal { client, rate, max_lookups, is_quiet: given.switch("no-status"), state: Mutex::new(state) }))
}

/// Adds what the option implies to the analyzers: the names of DNS where nothing else would be asked about, and sections of
/// indicators that are shown for close looks only.
pub fn imply(given: &Given, sql: Option<&sql::Options>, analyzers: &mut Vec<Analyzer>) -> Result<(), String> {
    if !given.switch("vt") {
        return Ok(());
    }
    if sql.is_some() && given.has("vt") {
        return Err("-vt is about reports, not about --sql".to_owned());
    }
    if given.has("vt") && !analyzers.iter().any(takes) {
        analyzers.extend(analyzer::built_in().into_iter().find(|analyzer| analyzer.name == IMPLIED));
    }
    for section in analyzers.iter_mut().flat_map(|analyzer| &mut analyzer.sections).filter(|section| section.indicator.is_some()) {
        section.verbose = false;
    }
    Ok(())
}

/// Whether a report of an analyzer may have something to ask about.
pub fn takes(analyzer: &Analyzer) -> bool {
    analyzer.plugin.is_none() && analyzer.sections.iter().any(|section| section.indicator.is_some())
}

impl VirusTotal {
    fn state(&self) -> MutexGuard<'_, State> {
        // Whole entries only are put in: a panic elsewhere leaves it sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says so where nothing can be asked, and clears answers of earlier days away.
    pub fn begin(&self, lake: &Path) {
        if self.client.is_none() {
            complain("VT_API_KEY is not set; no lookups made");
        }
        memory::forget(lake);
    }

    /// Asks about what a report shows, and adds the answers to it.
    pub fn annotate(&self, report: &mut Report, analyzer: &Analyzer, around: &Around<'_>) -> Result<(), String> {
        let Some(client) = self.client.as_ref().filter(|_| takes(analyzer)) else { return Ok(()) };
        let mut columns: Vec<(usize, Vec<Option<Subject>>)> = Vec::new();
        for (at, section) in report.sections.iter().enumerate() {
            let Some(query) = analyzer.sections.iter().find(|query| query.name == section.name && query.indicator.is_some()) else { continue };
            columns.push((at, subjects(section, query, around)?));
        }
        let wanted: BTreeSet<&Subject> = columns.iter().flat_map(|(_, subjects)| subjects).flatten().collect();
        let of = (report.analyzer.clone(), report.subject.clone());
        let mut state = self.state();
        // In the order of the report: what is shown first is asked first.
        let mut seen = BTreeSet::new();
        let in_order = columns.iter().flat_map(|(_, subjects)| subjects).flatten().filter(|subject| seen.insert(*subject));
        self.ask(client, &mut state, in_order, &of, around.lake);
        for (at, subjects) in &columns {
            let Some(section) = report.sections.get_mut(*at) else { continue };
            section.rows = with_columns(&section.rows, subjects, &state.known)?;
        }
        let missing = wanted.iter().filter(|subject| state.missing.contains(**subject)).count();
        if missing > 0 && !state.failures.is_empty() {
            let word = if missing == wanted.len() { "unavailable" } else { "incomplete" };
            if let Some(facts) = report.sections.iter_mut().find(|section| section.shape == Shape::Facts) {
                facts.rows = with_fact(&facts.rows, word)?;
            }
        }
        if around.verbose {
            report.sections.extend(sent(&state.sent, &of)?);
        }
        Ok(())
    }

    fn ask<'s>(&self, client: &Client, state: &mut State, subjects: impl Iterator<Item = &'s Subject>, of: &(String, String), lake: &Path) {
        let mut open = Vec::new();
        for subject in subjects {
            if state.known.contains_key(subject) {
                continue;
            }
            match memory::recall(lake, subject) {
                Some(verdict) => {
                    state.known.insert(subject.clone(), verdict);
                }
                None => open.push(subject),
            }
        }
        let asked = open.len().min(self.max_lookups.saturating_sub(state.sent.len()));
        if asked > self.rate && !state.has_ended && !self.is_quiet {
            let minutes = asked.div_ceil(self.rate);
            tell(&format!("{}: {asked} lookups, {} a minute: about {minutes} minutes", client.host, self.rate));
        }
        for subject in open {
            if state.sent.len() >= self.max_lookups {
                state.left_out.insert(subject.clone());
                state.missing.insert(subject.clone());
                continue;
            }
            if state.has_ended {
                state.missing.insert(subject.clone());
                continue;
            }
            std::thread::sleep(state.pace.wait(Instant::now()));
            state.pace.asks(Instant::now());
            let answer = match client.ask(subject) {
                Ok(verdict) => {
                    state.failed_in_row = 0;
                    memory::keep(lake, subject, &verdict);
                    let answer = if verdict == Verdict::Unknown { "not known there" } else { "known" };
                    state.known.insert(subject.clone(), verdict);
                    answer.to_owned()
                }
                Err(failure) => {
                    state.failed_in_row += 1;
                    state.has_ended = failure.is_lasting || state.failed_in_row >= PATIENCE;
                    state.missing.insert(subject.clone());
                    if state.failures.insert(failure.reason.clone()) {
                        complain(&format!("{}: {}", client.host, failure.reason));
                    }
                    failure.reason
                }
            };
            state.sent.push(Sent { report: of.clone(), subject: subject.clone(), answer });
        }
    }

    /// Logs what was asked, tells what was not, and says how it went.
    pub fn conclude(&self) -> Status {
        let state = self.state();
        let mut counts: BTreeMap<Kind, u64> = BTreeMap::new();
        state.sent.iter().for_each(|sent| *counts.entry(sent.subject.kind).or_default() += 1);
        for (kind, count) in counts {
            log::lookup("virustotal", kind.name(), count);
        }
        if !state.left_out.is_empty() {
            let (left_out, most) = (state.left_out.len(), self.max_lookups);
            complain(&format!("{left_out} indicators were not looked up: a run looks up {most} at most (PCAPPER_VT_MAX_LOOKUPS)"));
        }
        if self.client.is_none() || !state.missing.is_empty() { Status::Partly } else { Status::Done }
    }
}

/// What the rows of a section may be asked about: those that are shown, each with at most one subject.
fn subjects(section: &Section, query: &SectionQuery, around: &Around<'_>) -> Result<Vec<Option<Subject>>, String> {
    let Some((kind, column)) = &query.indicator else { return Ok(Vec::new()) };
    let shown = if around.verbose { section.rows.num_rows() } else { section.limit.unwrap_or(usize::MAX).min(section.rows.num_rows()) };
    let text = |name: &str| -> Result<Option<ArrayRef>, String> {
        section.rows.column_by_name(name).map(|column| cast(column, &DataType::Utf8).map_err(|error| error.to_string())).transpose()
    };
    let Some(values) = text(column)? else { return Ok(Vec::new()) };
    let types = text("type")?;
    let said = |row: usize| types.as_ref().map(|types| types.as_string::<i32>()).filter(|types| !types.is_null(row)).map(|types| types.value(row));
    let values = values.as_string::<i32>();
    Ok((0..shown).map(|row| (!values.is_null(row)).then(|| Subject::of(*kind, values.value(row), said(row), &around.own)).flatten()).collect())
}

/// Rows with what is known of their subjects behind them.
fn with_columns(rows: &RecordBatch, subjects: &[Option<Subject>], known: &HashMap<Subject, Verdict>) -> Result<RecordBatch, String> {
    let found = |row: usize| {
        let subject = subjects.get(row)?.as_ref()?;
        Some((subject, known.get(subject)?))
    };
    let count =
        |of: fn(&Verdict) -> Option<u64>| -> ArrayRef { Arc::new((0..rows.num_rows()).map(|row| of(found(row)?.1)).collect::<UInt64Array>()) };
    let link = |row: usize| {
        let (subject, verdict) = found(row)?;
        if *verdict == Verdict::Unknown { Some("not known there".to_owned()) } else { client::page(subject, verdict) }
    };
    let columns: [(&str, ArrayRef); 4] = [
        ("VT Malicious", count(|verdict| verdict.counts().map(|(malicious, ..)| malicious))),
        ("VT Suspicious", count(|verdict| verdict.counts().map(|(_, suspicious, _)| suspicious))),
        ("VT Total", count(|verdict| verdict.counts().map(|(.., total)| total))),
        ("VT Link", Arc::new((0..rows.num_rows()).map(link).collect::<StringArray>())),
    ];
    widened(rows, columns)
}

/// Facts with one more, which says that the answers are not all there.
fn with_fact(facts: &RecordBatch, word: &str) -> Result<RecordBatch, String> {
    widened(facts, [("VT", Arc::new(StringArray::from(vec![word; facts.num_rows()])) as ArrayRef)])
}

fn widened<const N: usize>(rows: &RecordBatch, columns: [(&str, ArrayRef); N]) -> Result<RecordBatch, String> {
    let mut fields: Vec<Arc<Field>> = rows.schema().fields().iter().cloned().collect();
    let mut arrays = rows.columns().to_vec();
    for (name, array) in columns {
        fields.push(Arc::new(Field::new(name, array.data_type().clone(), true)));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| error.to_string())
}

/// The section that lists what was sent for a report.
fn sent(all: &[Sent], of: &(String, String)) -> Result<Option<Section>, String> {
    let rows: Vec<&Sent> = all.iter().filter(|sent| sent.report == *of).collect();
    let text = |each: fn(&Sent) -> &str| -> ArrayRef { Arc::new(rows.iter().map(|sent| Some(each(sent))).collect::<StringArray>()) };
    let columns =
        [("kind", text(|sent| sent.subject.kind.name())), ("indicator", text(|sent| &sent.subject.value)), ("answer", text(|sent| &sent.answer))];
    let rows_of = RecordBatch::try_from_iter(columns).map_err(|error| error.to_string())?;
    Ok((!rows.is_empty()).then(|| Section { name: "Sent to VirusTotal".to_owned(), shape: Shape::Table, limit: None, rows: rows_of }))
}
