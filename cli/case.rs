//! Case records: one directory that holds all a run produced, and `case.json`, which lets someone else repeat the run and
//! trust what it gave.

use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pcapper_ingest::capture::targets::sha256_file;
use serde_json::{Map, Value, json};

use crate::arguments::Given;
use crate::export::file::{Files, reason};
use crate::export::json::SCHEMA;
use crate::render::{Written, escape, value};
use crate::safe_name::safe_name;
use crate::select::Input;
use crate::status::Status;

/// Longest name of a case, in bytes.
const NAME: usize = 80;
/// The record.
const RECORD: &str = "case.json";

/// A case's directory and what is known of the case beforehand.
#[derive(Clone, Debug)]
pub struct Case {
    dir: PathBuf,
    /// Identifier, where one was given.
    id: Option<String>,
    analyst: String,
    notes: String,
}

/// What a run adds to the record.
pub struct Ran<'a> {
    pub argv: Vec<String>,
    pub config_path: Option<&'a str>,
    pub began: SystemTime,
    pub status: Status,
    pub inputs: &'a [Input],
    /// What was named and could not be read: name and reason.
    pub skipped: &'a [(String, String)],
    pub filters: Value,
    /// The options in force.
    pub config: Value,
    pub written: &'a [Written],
}

/// Reads the options.
pub fn options(given: &Given) -> Result<Option<Case>, String> {
    let text = |name: &str| given.text(name).map(str::to_owned);
    let Some(root) = text("case-dir") else {
        let lonely = ["case-name", "case-id", "case-analyst", "case-notes"].into_iter().find(|companion| given.has(companion));
        return lonely.map_or(Ok(None), |companion| Err(format!("--{companion} needs --case-dir")));
    };
    if root.is_empty() {
        return Err("--case-dir needs a value".to_owned());
    }
    let name = text("case-name").filter(|name| !name.is_empty());
    let dir = name.as_ref().map_or_else(|| PathBuf::from(&root), |name| Path::new(&root).join(safe_name(name, NAME)));
    let analyst = text("case-analyst").or_else(|| std::env::var("PCAPPER_ANALYST").ok()).unwrap_or_default();
    Ok(Some(Case { dir, id: text("case-id").or(name), analyst, notes: text("case-notes").unwrap_or_default() }))
}

impl Case {
    /// Where a path of the run lies: a relative one in the case.
    pub fn place(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.join(path)
    }

    /// Makes the directory, for its owner only, and sees that a record can be written there.
    pub fn prepare(&self) -> Result<(), String> {
        let shown = escape::path(&self.dir);
        if self.dir.exists() && !self.dir.is_dir() {
            return Err(format!("--case-dir {shown}: is no directory"));
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir).map_err(|error| format!("--case-dir {shown}: cannot write: {}", reason(&error)))?;
        Files::default().create(&self.place(RECORD)).map(drop)?;
        self.earlier().map(drop)
    }

    /// Records of the runs before, oldest first.
    fn earlier(&self) -> Result<Vec<Value>, String> {
        let path = self.place(RECORD);
        let fail = |what: String| format!("{}: {what}", escape::path(&path));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail(format!("cannot read: {}", reason(&error)))),
        };
        let Ok(Value::Object(mut last)) = serde_json::from_slice(&bytes) else {
            return Err(fail("is no record of a case; move it away, or name another --case-dir".to_owned()));
        };
        let mut runs = match last.remove("runs") {
            Some(Value::Array(runs)) => runs,
            _ => Vec::new(),
        };
        runs.push(Value::Object(last));
        Ok(runs)
    }

    /// Adds a run to the record.
    pub fn record(&self, ran: &Ran<'_>) -> Result<(), String> {
        let ended = SystemTime::now();
        let mut record = self.this_run(ran, ended);
        // Of two runs that end at once, the second waits for the first.
        let lock = File::open(&self.dir).and_then(|dir| dir.lock().map(|()| dir));
        let runs = self.earlier()?;
        record.insert("runs".to_owned(), Value::Array(runs));
        let path = self.place(RECORD);
        let mut file = Files::default().create(&path)?;
        writeln!(file, "{:#}", Value::Object(record)).map_err(|error| file.fault(&error))?;
        file.commit()?;
        drop(lock);
        Ok(())
    }

    fn this_run(&self, ran: &Ran<'_>, ended: SystemTime) -> Map<String, Value> {
        let took = ended.duration_since(ran.began).unwrap_or_default();
        let outputs: Vec<Value> = ran.written.iter().map(|written| self.output(written)).collect();
        let skipped: Vec<Value> = ran.skipped.iter().map(|(path, reason)| json!({"path": path, "reason": reason})).collect();
        let record = json!({
            "case_id": self.id.clone().unwrap_or_else(|| stamped(ended)),
            "analyst": self.analyst,
            "notes": self.notes,
            "version": env!("CARGO_PKG_VERSION"),
            "schema": SCHEMA,
            "start_time": iso(ran.began, 6),
            "end_time": iso(ended, 6),
            "duration_seconds": (took.as_secs_f64() * 1e3).round() / 1e3,
            "argv": ran.argv,
            "config_path": ran.config_path,
            "config": ran.config,
            "exit_status": ran.status.number(),
            "host": {"os": std::env::consts::OS, "machine": std::env::consts::ARCH},
            "filters": ran.filters,
            "inputs": ran.inputs.iter().map(input).collect::<Vec<_>>(),
            "outputs": outputs,
            "skipped": skipped,
        });
        match record {
            Value::Object(record) => record,
            _ => Map::new(),
        }
    }

    /// A file the run wrote, by its path in the case where it lies there.
    fn output(&self, written: &Written) -> Value {
        let path = escape::path(written.path.strip_prefix(&self.dir).unwrap_or(&written.path));
        match sha256_file(&written.path) {
            Ok((sha256, size)) => json!({"path": path, "size_bytes": size, "sha256": sha256}),
            Err(error) => json!({"path": path, "size_bytes": written.bytes, "sha256": null, "error": reason(&error)}),
        }
    }
}

/// A capture of the run, as it was when it was read. The hash is of the bytes that were decoded.
fn input(input: &Input) -> Value {
    let mut entry = json!({
        "path": input.shown,
        "size_bytes": input.size_bytes,
        "modified_time": input.modified.map(|time| iso(time, 9)),
        "sha256": null,
    });
    match &input.outcome {
        Ok(manifest) => {
            let time = |ns: Option<i64>| ns.map(|ns| value::time(ns, 9));
            entry["sha256"] = json!(manifest.sha256);
            entry["size_bytes"] = json!(manifest.file_size_bytes);
            entry["capture_id"] = json!(manifest.capture_id);
            entry["format"] = json!(manifest.format);
            entry["packets"] = json!(manifest.packets);
            entry["first_packet"] = json!(time(manifest.first_ts));
            entry["last_packet"] = json!(time(manifest.last_ts));
            entry["truncated"] = json!(manifest.truncated);
            entry["skipped_bytes"] = json!(manifest.skipped_bytes);
        }
        Err(reason) => entry["error"] = json!(reason),
    }
    entry
}

fn nanoseconds(time: SystemTime) -> i64 {
    let whole = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    time.duration_since(UNIX_EPOCH).map_or_else(|before| -whole(before.duration()), whole)
}

fn iso(time: SystemTime, digits: usize) -> String {
    value::time(nanoseconds(time), digits)
}

/// `case-YYYYMMDD-HHMMSS`, UTC.
fn stamped(time: SystemTime) -> String {
    let digits: String = iso(time, 0).chars().filter(char::is_ascii_digit).collect();
    format!("case-{}-{}", digits.get(..8).unwrap_or_default(), digits.get(8..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_without_a_name_is_called_by_its_end() {
        assert_eq!(stamped(UNIX_EPOCH + Duration::from_secs(951_782_400)), "case-20000229-000000");
    }
}
