//! `--baseline-save`, `--baseline-compare`, `--correlate`: one network at two times, several captures together.

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, pcapper, run, sample, text};
use serde_json::{Value, json};

/// The drift report of a capture against a baseline.
fn drift(scratch: &Scratch, baseline: &Path, capture: &str) -> Value {
    let output = run(&scratch.0, &[&sample(capture), "--baseline-compare", baseline.to_str().unwrap(), "--json", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["summaries"], json!({}), "no other report");
    document["baseline_delta"].clone()
}

fn saved(scratch: &Scratch, capture: &str) -> (std::path::PathBuf, Value) {
    let path = scratch.path("baseline.json");
    let output = run(&scratch.0, &[&sample(capture), "--baseline-save", path.to_str().unwrap()]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{}", text(&output.stderr));
    let baseline = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    (path, baseline)
}

fn detections(report: &Value) -> Vec<String> {
    let mut found: Vec<_> = report["findings"].as_array().unwrap().iter().map(|row| row["detection"].as_str().unwrap().to_owned()).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_capture_does_not_drift_from_itself() {
    let scratch = Scratch::new("baseline-same");
    let (path, baseline) = saved(&scratch, "plant.pcapng");
    assert_eq!(baseline["schema"], 2);
    assert_eq!(
        baseline["ot_commands"],
        json!({"modbus read_device_identification": 1, "modbus write_single_coil": 1, "modbus write_single_register": 1})
    );
    let report = drift(&scratch, &path, "plant.pcapng");
    assert_eq!(report["sections"].as_array().unwrap().len(), 1, "only the facts");
    assert_eq!(report["sections"][0]["rows"][0]["verdict"], "No drift.");
    assert_eq!(detections(&report), Vec::<String>::new());
}

#[test]
fn a_new_writer_is_told() {
    let scratch = Scratch::new("baseline-writer");
    let (path, mut baseline) = saved(&scratch, "plant.pcapng");
    // As it was before the jump host came.
    let intruder = json!("192.168.50.20");
    for (key, field) in [("hosts", "ip"), ("ot_pairs", "client"), ("conversations", "src")] {
        let list = baseline[key].as_array_mut().unwrap();
        let before = list.len();
        list.retain(|row| row[field] != intruder);
        assert!(list.len() < before, "{key}");
    }
    baseline["ot_commands"] = json!({});
    baseline["control_targets"] = json!({});
    fs::write(&path, baseline.to_string()).unwrap();
    let report = drift(&scratch, &path, "plant.pcapng");
    let facts = &report["sections"][0]["rows"][0];
    assert_eq!((&facts["New Hosts"], &facts["New OT Commands"], &facts["New Control Targets"]), (&json!(1), &json!(3), &json!(2)), "{facts}");
    assert!(detections(&report).contains(&"baseline_new_ot_writer".to_owned()), "{:?}", detections(&report));
    let writer = report["findings"].as_array().unwrap().iter().find(|row| row["detection"] == "baseline_new_ot_writer").unwrap();
    assert_eq!((&writer["severity"], &writer["src_ip"], &writer["dst_ip"]), (&json!("high"), &intruder, &json!("192.168.50.10")));
}

#[test]
fn an_older_baseline_is_read() {
    let scratch = Scratch::new("baseline-old");
    let path = scratch.path("old.json");
    let old = json!({"created_at": "x", "hosts": [{"ip": "192.168.50.10", "macs": [], "hostnames": [], "os": "", "open_ports": []}], "services": [], "ot_commands": {}, "control_targets": {}});
    fs::write(&path, old.to_string()).unwrap();
    let report = drift(&scratch, &path, "plant.pcapng");
    assert!(report["sections"][0]["rows"][0]["verdict"].as_str().unwrap().contains("older form"));
    assert!(!detections(&report).contains(&"baseline_new_ot_writer".to_owned()), "the older form says nothing of writers");
}

#[test]
fn what_is_no_baseline_stops_before_work() {
    let scratch = Scratch::new("baseline-bad");
    let path = scratch.path("x.json");
    for (content, said) in [("[]", "no baseline: \"hosts\" and \"services\" are missing"), ("hosts", "not JSON (")] {
        fs::write(&path, content).unwrap();
        let output = run(&scratch.0, &[&sample("plant.pcapng"), "--baseline-compare", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
    let input = run(&scratch.0, &[&sample("plant.pcapng"), "--baseline-save", &sample("plant.pcapng")]);
    assert_eq!(input.status.code(), Some(2), "{}", text(&input.stderr));
    assert!(text(&input.stderr).contains("is a capture of this run"), "{}", text(&input.stderr));
}

#[test]
fn captures_are_correlated_by_content() {
    let scratch = Scratch::new("correlate");
    let output = run(&scratch.0, &[&sample("dns.pcap.gz"), &sample("ntp.pcap"), &sample("http.pcap"), "--correlate", "--json", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = &document["correlation"];
    assert_eq!(report["sections"][0]["rows"][0]["PCAPs"], 3);
    let hosts = report["sections"].as_array().unwrap().iter().find(|section| section["name"] == "Repeated Hosts").unwrap();
    assert!(hosts["rows"].as_array().unwrap().iter().all(|row| row["PCAPs"].as_u64().unwrap() >= 2));
    let copy = scratch.path("copy.pcap");
    fs::copy(sample("ntp.pcap"), &copy).unwrap();
    let twice = run(&scratch.0, &[&sample("ntp.pcap"), copy.to_str().unwrap(), "--correlate"]);
    assert_eq!(twice.status.code(), Some(2));
    assert_eq!(text(&twice.stderr), "pcapper: --correlate: Correlation needs at least two captures (two of different content)\n");
}

#[test]
fn a_site_says_what_controls_its_plant() {
    let scratch = Scratch::new("ot-rules");
    let file = scratch.path("rules.toml");
    let commands = |rules: &str| {
        fs::write(&file, rules).unwrap();
        let query = "SELECT command, class, risk FROM ot_commands ORDER BY frame";
        let output = run(&scratch.0, &[&sample("plant.pcapng"), "--ot-commands-config", file.to_str().unwrap(), "--sql", query, "--format", "csv"]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, rows, _) = commands(
        "[[rule]]\nprotocol = 'modbus'\ncommand = 'write_single_coil'\nignore = true\n[[rule]]\npoint = 'holding:*'\nclass = 'setpoint'\nrisk = 3\n",
    );
    assert_eq!(status, Some(0));
    assert_eq!(rows, "command,class,risk\r\nread_device_identification,discovery,none\r\nwrite_single_register,setpoint,high\r\n");
    let (status, _, said) = commands("[[rule]]\nprotokol = 'modbus'\n");
    assert_eq!(status, Some(2));
    assert!(said.contains("line 2: unknown field `protokol`"), "{said}");
}

#[test]
fn a_card_that_moved_to_another_address() {
    let scratch = Scratch::new("baseline-moved");
    let hosts = pcapper(
        &scratch.0,
        &[
            &sample("modbus.pcap"),
            "--sql",
            "SELECT ip, mac FROM hosts WHERE mac IS NOT NULL AND ip IS NOT NULL ORDER BY ip LIMIT 1",
            "--format",
            "jsonl",
        ],
    )
    .output()
    .unwrap();
    let host: serde_json::Value = serde_json::from_str(text(&hosts.stdout).lines().next().unwrap()).unwrap();
    let baseline = scratch.path("before.json");
    let before = serde_json::json!({"hosts": [{"ip": "192.168.50.250", "macs": [host["mac"]]}], "services": []});
    std::fs::write(&baseline, before.to_string()).unwrap();
    let query = "SELECT severity, src_ip, details, frame FROM findings WHERE detection = 'host_ip_moved'";
    let arguments = [&sample("modbus.pcap"), "--baseline-compare", &baseline.to_string_lossy(), "--sql", query, "--format", "jsonl"];
    let answer = pcapper(&scratch.0, &arguments).output().unwrap();
    let found: serde_json::Value = serde_json::from_str(text(&answer.stdout).lines().next().unwrap_or("null")).unwrap();
    assert_eq!((&found["severity"], &found["src_ip"]), (&"medium".into(), &host["ip"]), "{}", text(&answer.stderr));
    assert!(found["frame"].as_u64().is_some() && found["details"].as_str().unwrap().contains("192.168.50.250, now "));
}

#[test]
fn compare_comes_before_save_and_fast_changes_nothing() {
    let scratch = Scratch::new("baseline-both");
    let (path, before) = saved(&scratch, "plant.pcapng");
    let name = path.to_string_lossy().into_owned();
    let output = run(&scratch.0, &[&sample("modbus.pcap"), "--baseline-compare", &name, "--baseline-save", &name, "--baseline-fast"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "pcapper: --baseline-fast: decoded captures make it needless; nothing is left out\n");
    let report = text(&output.stdout);
    assert!(report.starts_with(&"=".repeat(72)) && report.contains("BASELINE DRIFT :: modbus.pcap") && !report.contains("No drift."), "{report}");
    assert_eq!(report.matches(" :: ").count(), 1, "only the drift is shown: {report}");
    let after: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_ne!(before["hosts"], after["hosts"]);
    assert_eq!(after["captures"][0]["path"], "modbus.pcap");
    // The union of several, in a stable order.
    let union = |captures: [&str; 2]| {
        let out = scratch.path("union.json").to_string_lossy().into_owned();
        let captures = captures.map(sample);
        assert!(run(&scratch.0, &[&captures[0], &captures[1], "--baseline-save", &out]).status.success());
        let mut baseline: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
        baseline.as_object_mut().unwrap().retain(|key, _| !["created_at", "captures", "sources"].contains(&key.as_str()));
        baseline
    };
    let one = union(["plant.pcapng", "modbus.pcap"]);
    assert_eq!(one, union(["modbus.pcap", "plant.pcapng"]));
    let ips = |baseline: &Value| -> Vec<String> { baseline["hosts"].as_array().unwrap().iter().map(|host| host["ip"].to_string()).collect() };
    assert!(ips(&before).iter().chain(&ips(&after)).all(|ip| ips(&one).contains(ip)));
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
}

#[test]
fn correlation_needs_what_recurs() {
    let scratch = Scratch::new("correlate-min");
    let captures = ["dns.pcap.gz", "ntp.pcap", "http.pcap"].map(sample);
    let report = |more: &[&str]| {
        let output = run(&scratch.0, &[&captures.each_ref().map(String::as_str)[..], &["--correlate"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    let (two, _) = report(&[]);
    assert!(two.contains("CORRELATION (MULTI-PCAP) :: ALL PCAPS (3)") && two.contains("\nplant.example  2 "), "{two}");
    let (three, _) = report(&["--correlate-min", "3"]);
    assert!(three.contains("\n10.20.30.50  3 ") && !three.contains("plant.example"), "{three}");
    let (one, told) = report(&["--correlate-min", "1"]);
    assert_eq!((one, told.lines().count()), (two, 1), "{told}");
    let (matrix, _) = report(&["-v"]);
    assert!(matrix.contains("10.20.30.50  dns.pcap.gz, http.pcap, ntp.pcap"), "{matrix}");
    for wrong in ["0", "x", "-1"] {
        let output = run(&scratch.0, &[&captures[0], &captures[1], "--correlate", &format!("--correlate-min={wrong}")]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}
