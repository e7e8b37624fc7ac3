//! Detections held to rows made by hand: where no capture at hand shows what a detection is for, and for what it must be silent on.
//!
//! A file `tests/detections/{it,ot,base}/FLAG.rows` holds cases:
//!
//! ```text
//! # A comment.
//! == smb_gpp fires: a policy file with a password in it is read
//! smb_files {"action": "read", "path": "corp\\Policies\\Groups.xml"}
//! smb_files {"action": "read", "path": "corp\\Policies\\Groups.xml", "@times": 20, "@every_s": 1.5}
//! -> {"src_ip": "10.0.0.5", "count": 21}
//!
//! == smb_gpp silent: another file
//! smb_files {"action": "read", "path": "corp\\Policies\\Drives.txt"}
//! ```
//!
//! Columns that are not given are null, but for `capture`, `capture_id`, `frame` (counts from 1 over the case) and `ts` (one second
//! after the row before; `"@at_s"` sets seconds since the case's start, of the first where `@times` repeats it). `{n}` in a text is
//! the repetition, from 0. Each `->` tells values of one finding; there are as many findings as such lines, in any order, and a
//! case that fires has at least one. A column `details~` asks for a part of the text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pcapper_queries::analyzer::{self, FindingQuery};
use pcapper_queries::catalog::{Catalog, View};
use pcapper_queries::datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use pcapper_queries::datafusion::arrow::compute::cast;
use pcapper_queries::datafusion::arrow::datatypes::{DataType, Field, Schema};
use pcapper_queries::datafusion::arrow::json::{ArrayWriter, ReaderBuilder};
use pcapper_queries::run;
use serde_json::{Map, Value, json};

struct Case {
    place: String,
    detection: String,
    fires: bool,
    rows: BTreeMap<String, Vec<Map<String, Value>>>,
    found: Vec<Map<String, Value>>,
}

/// Nanoseconds of 2026-03-02T09:00:00Z, a Monday, when all cases start.
const START: i64 = 1_772_442_000_000_000_000;

/// Puts the number of the repetition where the text asks for it.
fn numbered(value: &Value, n: u64) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("{n}", &n.to_string())),
        Value::Array(values) => Value::Array(values.iter().map(|value| numbered(value, n)).collect()),
        other => other.clone(),
    }
}

fn cases(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    let (mut frame, mut now) = (0u64, START);
    for (at, line) in text.lines().enumerate() {
        let place = format!("{}:{}", file.display(), at + 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix("== ") {
            let (what, _) = head.split_once(':').unwrap_or_else(|| panic!("{place}: a case tells what it shows after a colon"));
            let (detection, word) = what.split_once(' ').unwrap_or_else(|| panic!("{place}: '== DETECTION fires|silent: ...'"));
            assert!(matches!(word, "fires" | "silent"), "{place}: {word}");
            cases.push(Case { place, detection: detection.to_owned(), fires: word == "fires", rows: BTreeMap::new(), found: Vec::new() });
            (frame, now) = (0, START);
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{place}: no case yet"));
        let (word, object) = line.split_once(' ').unwrap_or_else(|| panic!("{place}: '{line}'"));
        let mut object: Map<String, Value> = serde_json::from_str(object).unwrap_or_else(|error| panic!("{place}: {error}"));
        if word == "->" {
            case.found.push(object);
            continue;
        }
        let number = |value: Option<Value>| value.and_then(|value| value.as_f64());
        let times = number(object.remove("@times")).unwrap_or(1.0) as u64;
        let every = number(object.remove("@every_s")).unwrap_or(1.0);
        if let Some(start) = number(object.remove("@at_s")) {
            now = START + (start * 1e9) as i64 - (every * 1e9) as i64;
        }
        for n in 0..times {
            frame += 1;
            now += (every * 1e9) as i64;
            let mut row: Map<String, Value> = object.iter().map(|(name, value)| (name.clone(), numbered(value, n))).collect();
            for (name, value) in [("capture", json!("one.pcap")), ("capture_id", json!("one")), ("frame", json!(frame)), ("ts", json!(now))] {
                row.entry(name).or_insert(value);
            }
            case.rows.entry(word.to_owned()).or_default().push(row);
        }
    }
    cases
}

/// The type in which JSON is read before it becomes the column's.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => plain(value),
        DataType::Timestamp(..) => DataType::Int64,
        DataType::List(item) => DataType::List(Arc::new(Field::new(item.name(), plain(item.data_type()), true))),
        other => other.clone(),
    }
}

/// Rows of a table from objects.
fn batch(table: &str, rows: &[Map<String, Value>], place: &str) -> RecordBatch {
    let def = pcapper_schema::all().into_iter().find(|def| def.name == table).unwrap_or_else(|| panic!("{place}: no stored table {table}"));
    for name in rows.iter().flat_map(Map::keys) {
        assert!(
            def.schema.field_with_name(name).is_ok() || matches!(name.as_str(), "capture" | "capture_id" | "frame" | "ts"),
            "{place}: {table} has no column {name}"
        );
    }
    let fields: Vec<Field> = def.schema.fields().iter().map(|field| Field::new(field.name(), plain(field.data_type()), true)).collect();
    let mut reader = ReaderBuilder::new(Arc::new(Schema::new(fields))).with_batch_size(rows.len()).build_decoder().unwrap();
    reader.serialize(rows).unwrap_or_else(|error| panic!("{place}: {table}: {error}"));
    let read = reader.flush().unwrap_or_else(|error| panic!("{place}: {table}: {error}")).unwrap();
    let columns: Vec<ArrayRef> =
        read.columns().iter().zip(def.schema.fields()).map(|(column, field)| cast(column, field.data_type()).unwrap()).collect();
    let fields: Vec<Field> = def.schema.fields().iter().map(|field| Field::new(field.name(), field.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// What a detection finds in a case.
async fn found(query: &FindingQuery, case: &Case) -> Result<Vec<Map<String, Value>>, String> {
    let catalog = Catalog::open(Path::new(""), Vec::new(), View::default()).unwrap();
    for (table, rows) in &case.rows {
        catalog.bring(table, batch(table, rows, &case.place)).unwrap();
    }
    let batch = run::rows(&catalog, &query.sql).await.map_err(|error| error.to_string())?;
    let mut json = ArrayWriter::new(Vec::new());
    json.write(&batch).unwrap();
    json.finish().unwrap();
    let json = json.into_inner();
    Ok(if json.is_empty() { Vec::new() } else { serde_json::from_slice(&json).unwrap() })
}

/// Whether a finding has the values that are told.
fn agrees(finding: &Map<String, Value>, told: &Map<String, Value>) -> bool {
    told.iter().all(|(name, value)| match name.strip_suffix('~') {
        Some(name) => finding.get(name).and_then(Value::as_str).is_some_and(|text| value.as_str().is_some_and(|part| text.contains(part))),
        None => finding.get(name).unwrap_or(&Value::Null) == value,
    })
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detections");
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut files: Vec<PathBuf> =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()).collect();
    files.sort();
    files
}

#[test]
fn detections_fire_and_are_silent_as_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().thread_stack_size(64 << 20).build().unwrap();
    let detections: BTreeMap<String, FindingQuery> =
        analyzer::built_in().into_iter().flat_map(|analyzer| analyzer.findings).map(|query| (query.id.clone(), query)).collect();
    let mut wrong: Vec<String> = Vec::new();
    let mut fired = BTreeSet::new();
    let mut count = 0;
    // Plans of long queries are deep.
    let judge = || {
        for case in files().iter().flat_map(|file| cases(file)) {
            count += 1;
            let Some(query) = detections.get(&case.detection) else {
                wrong.push(format!("{}: no detection {}", case.place, case.detection));
                continue;
            };
            let findings = match runtime.block_on(found(query, &case)) {
                Ok(findings) => findings,
                Err(error) => {
                    wrong.push(format!("{}: {} fails: {error}", case.place, case.detection));
                    continue;
                }
            };
            if case.fires {
                fired.insert(case.detection.clone());
            }
            let expected = if case.found.is_empty() && case.fires { findings.len().max(1) } else { case.found.len() };
            let missing = case.found.iter().find(|told| !findings.iter().any(|finding| agrees(finding, told)));
            if findings.len() != expected || missing.is_some() {
                wrong.push(format!(
                    "{}: {} gives {}, expected {expected} {}",
                    case.place,
                    case.detection,
                    json!(findings),
                    missing.map_or(String::new(), |told| json!(told).to_string())
                ));
            }
        }
    };
    std::thread::scope(|scope| std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, judge).unwrap().join()).unwrap();
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!fired.is_empty());
}
