//! What a run found, written for other programs: one room for every form.

pub mod json;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pcapper_queries::catalog::Selected;
use pcapper_queries::report::Report;
use serde_json::Value;

use crate::arguments::Arguments;
use crate::render::{Output, write_whole};

/// The reports of one capture, or of all together.
pub struct Answered {
    /// `None`: all captures of the run, taken as one.
    pub capture: Option<Selected>,
    pub reports: Vec<Report>,
}

/// All that a run found.
pub struct Answers<'a> {
    pub captures: &'a [Selected],
    /// One entry a capture, or one for all of them.
    pub answered: Vec<Answered>,
    /// Reports about all captures together: what recurs in them, what changed since a baseline.
    pub across: Vec<Report>,
    /// Captures that were named and could not be read: name and reason.
    pub skipped: &'a [(String, String)],
}

/// Whether the run exports anything, so that its reports must be kept.
pub fn is_wanted(arguments: &Arguments) -> bool {
    arguments.json.is_some()
}

/// Writes every export that was asked for.
pub fn write(arguments: &Arguments, answers: &Answers<'_>, out: &mut Output) -> Result<(), String> {
    if let Some(path) = &arguments.json {
        let form = |value: &Value| format!("{value:#}\n").into_bytes();
        each(path, "json", answers, out, |answers| form(&json::document(answers)), |answers, one| form(&json::single(answers, one)))?;
    }
    Ok(())
}

/// Writes one document for the run, or one a capture where `path` is a directory.
fn each(
    path: &str,
    suffix: &str,
    answers: &Answers<'_>,
    out: &mut Output,
    whole: impl Fn(&Answers<'_>) -> Vec<u8>,
    single: impl Fn(&Answers<'_>, &Answered) -> Vec<u8>,
) -> Result<(), String> {
    let directory = Path::new(path);
    if path == "-" {
        out.write(&whole(answers));
        return Ok(());
    }
    if !path.ends_with('/') && !directory.is_dir() {
        return write_whole(directory, &whole(answers));
    }
    let mut taken = HashMap::new();
    for one in &answers.answered {
        write_whole(&file_in(directory, one, suffix, &mut taken), &single(answers, one))?;
    }
    Ok(())
}

/// A capture's file in a directory of exports; captures of equal stems get numbers.
fn file_in(directory: &Path, one: &Answered, suffix: &str, taken: &mut HashMap<String, usize>) -> PathBuf {
    let name = one.capture.as_ref().map_or("ALL_PCAPS", |capture| capture.name.as_str());
    let stem = name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(name).to_owned();
    let count = taken.entry(stem.clone()).and_modify(|count| *count += 1).or_insert(1);
    directory.join(if *count == 1 { format!("{stem}.{suffix}") } else { format!("{stem}_{count}.{suffix}") })
}
