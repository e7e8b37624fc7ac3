//! `pcapper lake list|add|remove|verify|compact`: looking after the decoded captures.

mod size;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use pcapper_ingest::lake::upkeep::{self, Entry};
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::{Report, Section, Shape};
use pcapper_queries::run::findings_schema;

use crate::arguments::Arguments;
use crate::export::{self, Answered, Answers};
use crate::render::Output;
use crate::select::{self, Selection, complain};
use crate::status::Status;

pub use size::bytes as size_in_bytes;

/// First word of the command line that asks for these commands; a capture of that name is reached as `./lake`.
const WORD: &str = "lake";
/// What `remove` calls captures that another schema decoded.
const OUTDATED: &str = "outdated";
/// Letters of an id that are shown; as few as these name it.
const SHORT_ID: usize = 12;
const FEWEST: usize = 4;

/// What to do with the lake.
#[derive(Debug)]
pub enum Command {
    /// All captures, or those named.
    List(Vec<String>),
    /// The captures are the run's targets.
    Add,
    Remove(Vec<String>),
    Verify(Vec<String>),
    /// Down to so many bytes, if said.
    Compact(Option<u64>),
}

/// Reads the command, if the words of the command line are one, and gives the targets of the run.
pub fn options(words: Vec<OsString>) -> Result<(Option<Command>, Vec<OsString>), String> {
    let Some((_, rest)) = words.split_first().filter(|(first, _)| *first == WORD) else { return Ok((None, words)) };
    let (verb, captures) = rest.split_first().map_or(("list".into(), Vec::new()), |(verb, names)| (verb.to_string_lossy(), names.to_vec()));
    let names: Vec<String> = captures.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let command = match verb.as_ref() {
        "list" => Command::List(names),
        "add" if names.is_empty() => return Err("lake add: no capture named".to_owned()),
        "add" => return Ok((Some(Command::Add), captures)),
        "remove" if names.is_empty() => return Err(format!("lake remove: name captures, ids (as few as {FEWEST} letters), or {OUTDATED}")),
        "remove" => Command::Remove(names),
        "verify" => Command::Verify(names),
        "compact" => match names.as_slice() {
            [] => Command::Compact(None),
            [size] => Command::Compact(Some(size_in_bytes(size).ok_or_else(|| format!("lake compact {size}: a size is needed (20GB, 500MiB)"))?)),
            _ => return Err("lake compact: one size is enough".to_owned()),
        },
        other => return Err(format!("lake {other}: list, add, remove, verify or compact is needed (a capture called lake is ./lake)")),
    };
    Ok((Some(command), Vec::new()))
}

/// Does it; the selection is that of the captures that were added.
pub async fn run(command: &Command, arguments: &Arguments, out: &mut Output) -> (Status, Option<Selection>) {
    let outcome = match command {
        Command::Add => add(arguments),
        Command::List(names) => on_lake(arguments, |lake| list(lake, names)),
        Command::Remove(names) => on_lake(arguments, |lake| remove(lake, names)),
        Command::Verify(names) => on_lake(arguments, |lake| verify(lake, names)),
        Command::Compact(size) => on_lake(arguments, |lake| compact(lake, *size)),
    };
    match outcome {
        Ok((report, status, selection)) => {
            out.report(&report, false);
            let answered = vec![Answered { capture: None, reports: vec![report], hosts: None, artifacts: None, brief: None }];
            let answers = Answers { captures: &selection.captures, answered, skipped: &selection.skipped, filter: &arguments.filter };
            let written = export::write(arguments, &selection, &answers, out).await;
            (status.worse(written), Some(selection))
        }
        Err(message) => {
            complain(&message);
            (Status::NothingDone, None)
        }
    }
}

type Outcome = Result<(Report, Status), String>;

fn on_lake(arguments: &Arguments, what: impl Fn(&Path) -> Outcome) -> Result<(Report, Status, Selection), String> {
    let place = select::lake(arguments)?;
    if !place.path.is_dir() {
        return Err(format!("{}: no lake there", place.path.display()));
    }
    export::check(&arguments.exports, &arguments.side_files(), &[])?;
    let (report, status) = what(&place.path)?;
    Ok((report, status, place.alone()))
}

fn list(lake: &Path, names: &[String]) -> Outcome {
    let entries = named(lake, names)?;
    let outdated = entries.iter().filter(|entry| !entry.is_current()).count();
    let packets: u64 = entries.iter().filter_map(|entry| entry.outline.as_ref()).map(|outline| outline.packets).sum();
    let facts = facts(vec![
        ("captures", count(entries.len())),
        ("packets", Arc::new(UInt64Array::from(vec![packets]))),
        ("size_bytes", Arc::new(UInt64Array::from(vec![entries.iter().map(|entry| entry.bytes).sum::<u64>()]))),
        ("outdated_or_damaged", count(outdated)),
        ("present_schema", Arc::new(UInt32Array::from(vec![pcapper_schema::SCHEMA_VERSION]))),
    ])?;
    Ok((report(lake, vec![facts, table("Captures", &entries, None)?]), Status::Done))
}

fn add(arguments: &Arguments) -> Result<(Report, Status, Selection), String> {
    let place = select::lake(arguments)?;
    let before: BTreeSet<String> = upkeep::entries(&place.path).into_iter().map(|entry| entry.id).collect();
    let selection = select::select(arguments)?;
    if selection.captures.is_empty() {
        return Err("nothing was added".to_owned());
    }
    let mut added: Vec<(Entry, String)> = Vec::new();
    let entries = upkeep::entries(&selection.lake);
    for capture in &selection.captures {
        let id = &capture.manifest.capture_id;
        if let Some(entry) = entries.iter().find(|entry| entry.id == *id)
            && !added.iter().any(|(known, _)| known.id == *id)
        {
            added.push((entry.clone(), if before.contains(id) { "was there" } else { "added" }.to_owned()));
        }
    }
    let new = added.iter().filter(|(_, outcome)| outcome == "added").count();
    let (entries, outcomes): (Vec<Entry>, Vec<String>) = added.into_iter().unzip();
    let facts = facts(vec![("added", count(new)), ("were_there", count(entries.len() - new)), ("not_readable", count(selection.skipped.len()))])?;
    Catalog::prepare(&selection.lake);
    let report = report(&selection.lake, vec![facts, table("Captures", &entries, Some(("outcome", outcomes)))?]);
    Ok((report, selection.status, selection))
}

fn remove(lake: &Path, names: &[String]) -> Outcome {
    let entries = named(lake, names)?;
    let mut outcomes = Vec::new();
    let mut status = Status::Done;
    for entry in &entries {
        outcomes.push(match upkeep::remove(lake, &entry.id) {
            Ok(()) => "removed".to_owned(),
            Err(error) => {
                status = Status::Partly;
                complain(&format!("{}: cannot be removed: {error}", entry.id));
                "still there".to_owned()
            }
        });
    }
    let gone = outcomes.iter().filter(|outcome| *outcome == "removed").count();
    let facts = facts(vec![
        ("removed", count(gone)),
        ("size_bytes", Arc::new(UInt64Array::from(vec![entries.iter().map(|entry| entry.bytes).sum::<u64>()]))),
    ])?;
    Ok((report(lake, vec![facts, table("Captures", &entries, Some(("outcome", outcomes)))?]), status))
}

fn verify(lake: &Path, names: &[String]) -> Outcome {
    let entries = named(lake, names)?;
    let (mut captures, mut ids, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sound, mut files, mut unhashed) = (0, 0, 0);
    let outdated = entries.iter().filter(|entry| entry.is_outdated()).count();
    for entry in entries.iter().filter(|entry| !entry.is_outdated()) {
        let found = upkeep::verify(lake, entry);
        sound += usize::from(found.wrong.is_empty());
        files += found.files;
        unhashed += found.unhashed;
        for what in found.wrong {
            captures.push(entry.outline.as_ref().map(|outline| outline.capture.clone()));
            ids.push(short(&entry.id));
            wrong.push(what);
        }
    }
    let status = if wrong.is_empty() { Status::Done } else { Status::Partly };
    if status != Status::Done {
        complain(&format!("{} of {} captures are damaged: lake remove, then lake add", entries.len() - outdated - sound, entries.len()));
    }
    let facts = facts(vec![
        ("captures", count(entries.len())),
        ("sound", count(sound)),
        ("outdated_not_read", count(outdated)),
        ("files_read", count(files)),
        ("files_without_hash", count(unhashed)),
    ])?;
    let rows = batch(vec![
        ("capture", Arc::new(StringArray::from(captures)) as ArrayRef),
        ("capture_id", Arc::new(StringArray::from(ids))),
        ("damage", Arc::new(StringArray::from(wrong))),
    ])?;
    Ok((report(lake, vec![facts, Section { name: "Damage".to_owned(), shape: Shape::Table, limit: None, rows }]), status))
}

fn compact(lake: &Path, max_bytes: Option<u64>) -> Outcome {
    let tidied = upkeep::compact(lake, max_bytes).map_err(|error| format!("{}: {error}", lake.display()))?;
    Catalog::prepare(lake);
    let left = upkeep::entries(lake);
    let facts = facts(vec![
        ("outdated_removed", count(tidied.outdated)),
        ("unfinished_removed", count(tidied.unfinished)),
        ("removed_for_size", count(tidied.over_size)),
        ("freed_bytes", Arc::new(UInt64Array::from(vec![tidied.freed_bytes]))),
        ("captures_left", count(left.len())),
        ("left_bytes", Arc::new(UInt64Array::from(vec![left.iter().map(|entry| entry.bytes).sum::<u64>()]))),
    ])?;
    Ok((report(lake, vec![facts]), Status::Done))
}

/// The entries that names mean: a capture's name, the start of an id, or all that another schema decoded. No name: all.
fn named(lake: &Path, names: &[String]) -> Result<Vec<Entry>, String> {
    let entries = upkeep::entries(lake);
    let mut chosen = BTreeSet::new();
    for name in names {
        let is_meant = |entry: &Entry| {
            entry.outline.as_ref().is_some_and(|outline| outline.capture == *name)
                || (name.len() >= FEWEST && entry.id.starts_with(name.as_str()))
                || (name == OUTDATED && entry.is_outdated())
        };
        let before = chosen.len();
        chosen.extend(entries.iter().filter(|entry| is_meant(entry)).map(|entry| entry.id.clone()));
        if chosen.len() == before && name != OUTDATED && !entries.iter().any(is_meant) {
            return Err(format!("{name}: no such capture in {} (lake list names them)", lake.display()));
        }
    }
    Ok(entries.into_iter().filter(|entry| names.is_empty() || chosen.contains(&entry.id)).collect())
}

fn short(id: &str) -> String {
    id.chars().take(SHORT_ID).collect()
}

/// One row a capture, and one more column if given.
fn table(name: &str, entries: &[Entry], more: Option<(&str, Vec<String>)>) -> Result<Section, String> {
    let outline = |entry: &Entry| entry.outline.clone();
    let now = SystemTime::now();
    let age = |entry: &Entry| entry.added.and_then(|added| now.duration_since(added).ok()).map(|age| age.as_secs_f64().round());
    let span = |entry: &Entry| outline(entry).and_then(|it| Some(it.last_ts?.saturating_sub(it.first_ts?) as f64 / 1e9));
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("capture", Arc::new(entries.iter().map(|entry| outline(entry).map(|it| it.capture)).collect::<StringArray>())),
        ("capture_id", Arc::new(entries.iter().map(|entry| Some(short(&entry.id))).collect::<StringArray>())),
        ("packets", Arc::new(entries.iter().map(|entry| outline(entry).map(|it| it.packets)).collect::<UInt64Array>())),
        ("span_s", Arc::new(entries.iter().map(span).collect::<Float64Array>())),
        ("size_bytes", Arc::new(entries.iter().map(|entry| Some(entry.bytes)).collect::<UInt64Array>())),
        ("schema_version", Arc::new(entries.iter().map(|entry| outline(entry).map(|it| it.schema)).collect::<UInt32Array>())),
        ("age_s", Arc::new(entries.iter().map(age).collect::<Float64Array>())),
    ];
    if let Some((label, values)) = more {
        columns.push((label, Arc::new(StringArray::from(values))));
    }
    Ok(Section { name: name.to_owned(), shape: Shape::Table, limit: None, rows: batch(columns)? })
}

fn count(number: usize) -> ArrayRef {
    Arc::new(UInt64Array::from(vec![number as u64]))
}

fn facts(columns: Vec<(&str, ArrayRef)>) -> Result<Section, String> {
    Ok(Section { name: "summary".to_owned(), shape: Shape::Facts, limit: None, rows: batch(columns)? })
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, String> {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).map_err(|error| error.to_string())
}

fn report(lake: &Path, sections: Vec<Section>) -> Report {
    Report {
        analyzer: WORD.to_owned(),
        title: "LAKE".to_owned(),
        subject: lake.display().to_string(),
        sections,
        findings: RecordBatch::new_empty(findings_schema()),
    }
}
