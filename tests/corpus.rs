//! Real captures, where they are at hand: set `PCAPPER_CORPUS` to the folder that holds `captures` and `labelled`.

use std::path::PathBuf;
use std::process::Command;

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("PCAPPER_CORPUS").map(PathBuf::from).filter(|path| path.join("captures").is_dir());
    if corpus.is_none() {
        eprintln!("PCAPPER_CORPUS is unset: skipped");
    }
    corpus
}

/// A lake that goes with the test.
struct Lake(PathBuf);

impl Lake {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("pcapper-corpus-{name}-{}", std::process::id())))
    }
    fn ask(&self, captures: &[PathBuf], query: &str) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_pcapper"))
            .args(captures)
            .args(["-r", "--lake"])
            .arg(&self.0)
            .args(["--sql", query, "--format", "csv"])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout).replace('\r', ""), text(&output.stderr))
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_capture_decodes() {
    let Some(corpus) = corpus() else { return };
    let lake = Lake::new("all");
    let query = "SELECT (SELECT count(*) FROM captures) AS captures, (SELECT count(*) FROM anomalies WHERE kind = 'decoder_fault') AS faults";
    let (status, out, errors) = lake.ask(&[corpus.join("captures")], query);
    assert!(matches!(status, Some(0 | 1)), "{status:?} {errors}");
    let last = out.lines().last().unwrap_or_default();
    let (captures, faults) = last.split_once(',').unwrap();
    assert!(captures.parse::<u32>().unwrap() > 2_000, "{out} {errors}");
    assert_eq!(faults, "0", "a decoder panicked");
}

/// Facts that the specifications state of public captures, and those of our own samples, one file a subject in `tests/facts`. A
/// fact is a paragraph: lines of comment (`#`), `capture FILE`, the question, `----`, and the rows of the answer as CSV.
#[test]
fn captures_show_their_facts() {
    let corpus = corpus();
    let lake = Lake::new("facts");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
            let lines: Vec<&str> = paragraph.lines().filter(|line| !line.starts_with('#')).collect();
            let (capture, rest) = lines.split_first().unwrap();
            let capture = capture.strip_prefix("capture ").unwrap_or_else(|| panic!("{}: {paragraph}", file.display()));
            let rule = rest.iter().position(|line| *line == "----").unwrap_or_else(|| panic!("{}: {paragraph}", file.display()));
            let (query, expected) = (rest[..rule].join("\n"), rest[rule + 1..].join("\n"));
            let path = match (capture.split_once('/'), &corpus) {
                (Some(("sample-data", _)), _) => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(capture),
                (_, None) => continue,
                (Some(("labelled", _)), Some(corpus)) => corpus.join(capture),
                (_, Some(corpus)) => corpus.join("captures").join(capture),
            };
            if !path.is_file() {
                eprintln!("{capture} is not at hand: skipped");
                continue;
            }
            let (_, out, errors) = lake.ask(&[path], &query);
            let rows = out.split_once('\n').map(|(_, rows)| rows.trim_end()).unwrap_or_default();
            if rows != expected {
                wrong.push(format!("{}: {capture}: {query}\nexpected\n{expected}\nfound\n{rows}\n{errors}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Ordinary traffic raises nothing that asks for attention.
#[test]
fn baselines_are_quiet() {
    let Some(corpus) = corpus() else { return };
    let lake = Lake::new("baselines");
    for name in ["it-baseline-operations-easy", "it-ot-baseline-operations-easy", "ot-baseline-operations-easy"] {
        let folder = corpus.join("labelled").join(name);
        if !folder.is_dir() {
            eprintln!("{name} is not at hand: skipped");
            continue;
        }
        let query = "SELECT detection, severity, details FROM findings WHERE severity <> 'info' ORDER BY detection, details";
        let (_, out, errors) = lake.ask(&[folder], query);
        assert_eq!(out.lines().count(), 1, "{name}: {out} {errors}");
    }
}

/// The commands of each incident in the answer keys are there, at their frame, and answered for by their actor.
#[test]
fn commands_of_incidents_are_found() {
    let Some(corpus) = corpus() else { return };
    let lake = Lake::new("incidents");
    let mut found = 0;
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(corpus.join("labelled")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("ot-") {
            continue;
        }
        let Ok(key) = std::fs::read(entry.path().join("answers.json")) else { continue };
        let key: serde_json::Value = serde_json::from_slice(&key).unwrap();
        let events = key["timeline"].as_array().cloned().unwrap_or_default();
        let commands = events.iter().filter(|event| {
            let techniques = event["techniques"].as_array().cloned().unwrap_or_default();
            event["incident"] == true
                && techniques.iter().any(|technique| ["T0855", "T0878", "T0836"].contains(&technique.as_str().unwrap_or_default()))
        });
        let frames: Vec<String> = commands.filter_map(|event| event["frame"].as_u64()).map(|frame| frame.to_string()).collect();
        if frames.is_empty() {
            continue;
        }
        let query = format!("SELECT DISTINCT request_frame FROM ot_commands WHERE request_frame IN ({})", frames.join(", "));
        let (_, out, errors) = lake.ask(&[entry.path().join("capture.pcap.gz")], &query);
        let told: Vec<&str> = out.lines().skip(1).collect();
        found += told.len();
        missing.extend(frames.iter().filter(|frame| !told.contains(&frame.as_str())).map(|frame| format!("{name} frame {frame} {errors}")));
    }
    assert!(missing.is_empty(), "{missing:?}");
    assert!(found >= 10, "{found} commands of incidents");
}
