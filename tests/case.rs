//! Case records: what a run leaves for those who come after.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Scratch, pcapper, sample, text};
use serde_json::Value;

fn run_in(scratch: &Scratch, arguments: &[&str]) -> std::process::Output {
    let dir = scratch.path("work");
    fs::create_dir_all(&dir).unwrap();
    pcapper(&scratch.path("lake"), arguments).current_dir(dir).env_remove("PCAPPER_ANALYST").output().unwrap()
}

fn case(scratch: &Scratch) -> PathBuf {
    scratch.path("work/cases/Plant 7")
}

fn record(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("case.json")).unwrap()).unwrap()
}

/// Path and hash of each output.
fn outputs(run: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    run["outputs"].as_array().unwrap().iter().map(|output| (word(&output["path"]), word(&output["sha256"]))).collect()
}

const NAMED: [&str; 4] = ["--case-dir", "cases", "--case-name", "../Plant 7"];

#[test]
fn a_case_holds_the_run_and_its_record() {
    let scratch = Scratch::new("case");
    let arp = sample("arp.pcap");
    let output =
        run_in(&scratch, &[&[arp.as_str(), "nope.pcap", "--arp"], &NAMED[..], &["--case-analyst", "Ada", "--case-notes", "first look"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let dir = case(&scratch);
    assert_eq!(fs::read(dir.join("report.txt")).unwrap(), output.stdout, "what was shown");
    let summary: Value = serde_json::from_slice(&fs::read(dir.join("pcapper.json")).unwrap()).unwrap();
    assert_eq!(summary["path"], "arp.pcap");
    let record = record(&dir);
    assert_eq!((&record["case_id"], &record["analyst"], &record["notes"]), (&"../Plant 7".into(), &"Ada".into(), &"first look".into()));
    assert_eq!((&record["exit_status"], &record["config_path"], &record["runs"]), (&1.into(), &Value::Null, &serde_json::json!([])));
    assert_eq!(record["argv"][3], "--arp");
    assert_eq!((&record["config"]["arp"], &record["config"]["case_dir"]), (&true.into(), &"cases".into()));
    assert_eq!(record["skipped"], serde_json::json!([{"path": "nope.pcap", "reason": "no such file or directory"}]));
    let bytes = fs::read(&arp).unwrap();
    let input = &record["inputs"][0];
    assert_eq!((&input["path"], &input["size_bytes"], &input["format"]), (&arp.as_str().into(), &bytes.len().into(), &"pcap".into()));
    assert_eq!((&input["packets"], &input["truncated"], &input["skipped_bytes"]), (&28.into(), &false.into(), &0.into()));
    assert_eq!(input["capture_id"].as_str().unwrap()[..32], input["sha256"].as_str().unwrap()[..32]);
    assert_eq!((&record["inputs"][1]["path"], &record["inputs"][1]["error"]), (&"nope.pcap".into(), &"no such file or directory".into()));
    assert_eq!(outputs(&record).iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["pcapper.json", "report.txt"]);
    for key in ["start_time", "end_time"] {
        assert!(record[key].as_str().unwrap().ends_with('Z'), "{key}");
    }
}

#[cfg(unix)]
#[test]
fn a_case_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("case-mode");
    run_in(&scratch, &[&[sample("arp.pcap").as_str()], &NAMED[..], &["--log-file", "logs/run.log"]].concat());
    for (path, wanted) in [("", 0o700), ("case.json", 0o600), ("report.txt", 0o600), ("pcapper.json", 0o600), ("logs/run.log", 0o600)] {
        assert_eq!(fs::metadata(case(&scratch).join(path)).unwrap().permissions().mode() & 0o777, wanted, "{path}");
    }
}

#[test]
fn runs_are_added_and_equal_runs_give_equal_hashes() {
    let scratch = Scratch::new("case-again");
    let plant = sample("plant.pcapng");
    let first = [&[plant.as_str(), "--modbus"], &NAMED[..]].concat();
    run_in(&scratch, &first);
    let dir = case(&scratch);
    let one = record(&dir);
    // The same again, from a lake that has never seen the capture.
    fs::remove_dir_all(scratch.path("lake")).unwrap();
    run_in(&scratch, &first);
    let two = record(&dir);
    assert_eq!(outputs(&one), outputs(&two));
    assert_eq!(two["runs"].as_array().unwrap().len(), 1);
    assert_eq!(two["runs"][0]["start_time"], one["start_time"]);
    // Another question leaves what the first answered; named exports go where they are told.
    run_in(&scratch, &[&[plant.as_str(), "--arp", "--csv", "sub/arp.csv"], &NAMED[..]].concat());
    run_in(&scratch, &[&[plant.as_str(), "--arp"], &NAMED[..]].concat());
    let four = record(&dir);
    let runs = four["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().all(|run| run.get("runs").is_none()), "a chain, not a tree");
    let names: Vec<String> = outputs(&runs[2]).into_iter().map(|(path, _)| path).collect();
    assert!(
        names.contains(&"sub/arp.csv".to_owned()) && names.contains(&"report_2.txt".to_owned()) && !names.contains(&"pcapper.json".to_owned()),
        "{names:?}"
    );
    assert_eq!(outputs(&four).iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["pcapper_2.json", "report_2.txt"]);
    // Whatever a record says of a file holds still.
    for run in runs.iter().chain([&four]) {
        for (path, hash) in outputs(run) {
            assert_eq!(pcapper_ingest::capture::targets::sha256_file(&dir.join(&path)).unwrap().0, hash, "{path}");
        }
    }
}

#[test]
fn failed_runs_are_recorded_and_unusable_cases_refused() {
    let scratch = Scratch::new("case-refused");
    let output = run_in(&scratch, &[&["nope.pcap"], &NAMED[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(record(&case(&scratch))["exit_status"], 2);
    fs::write(scratch.path("work/file"), "x").unwrap();
    fs::create_dir_all(scratch.path("work/strange")).unwrap();
    fs::write(scratch.path("work/strange/case.json"), "[]").unwrap();
    let arp = sample("arp.pcap");
    for (arguments, message) in [
        (&["--case-dir", "file"][..], "--case-dir file: is no directory"),
        (&["--case-dir", "strange"][..], "strange/case.json: is no record of a case; move it away, or name another --case-dir"),
        (&["--case-id", "7"][..], "--case-id needs --case-dir"),
        (&["--case-notes=x"][..], "--case-notes needs --case-dir"),
    ] {
        let output = run_in(&scratch, &[&[arp.as_str()], arguments].concat());
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), format!("pcapper: {message}\n")), "{arguments:?}");
    }
}

#[test]
fn standard_input_is_an_input_like_any_other() {
    let scratch = Scratch::new("case-stdin");
    fs::create_dir_all(scratch.path("work")).unwrap();
    let file = fs::File::open(sample("arp.pcap")).unwrap();
    let status = pcapper(&scratch.path("lake"), &["-", "--case-dir", "c"])
        .current_dir(scratch.path("work"))
        .stdin(file)
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let record = record(&scratch.path("work/c"));
    assert_eq!((&record["inputs"][0]["path"], &record["inputs"][0]["modified_time"]), (&"stdin".into(), &Value::Null));
    assert_eq!(
        record["inputs"][0]["sha256"].as_str().unwrap(),
        pcapper_ingest::capture::targets::sha256_file(Path::new(&sample("arp.pcap"))).unwrap().0
    );
    assert!(record["case_id"].as_str().unwrap().starts_with("case-2"), "{record}");
}

#[test]
fn files_from_the_traffic_are_outputs_and_settings_are_told() {
    let scratch = Scratch::new("case-files");
    let mut talk = common::Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 80);
    let body = "the thing";
    talk.send(true, b"GET /one.txt HTTP/1.1\r\nHost: x.example\r\n\r\n", 500);
    talk.send(false, format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes(), 500);
    let capture = talk.write(&scratch.path("http.pcap"));
    let config = scratch.path("team.toml").to_string_lossy().into_owned();
    fs::write(&config, "[networks]\not = [\"10.0.0.0/8\"]\n").unwrap();
    let output = run_in(&scratch, &[&[capture.as_str(), "--extract", "one", "--config", &config], &NAMED[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let record = record(&case(&scratch));
    let file = outputs(&record).into_iter().find(|(path, _)| path.starts_with("files/")).unwrap();
    assert_eq!(file.0, "files/one.txt");
    assert_eq!(pcapper_ingest::capture::targets::sha256_file(&case(&scratch).join(&file.0)).unwrap().0, file.1);
    assert_eq!(record["config"]["networks.ot"], "10.0.0.0/8");
}
