//! `--rules`: a team's own judgement over findings, on our sample of a plant.

mod common;

use common::{Scratch, run, sample, text};
use serde_json::Value;

/// Writes a file and gives its path.
fn written(scratch: &Scratch, name: &str, content: &str) -> String {
    let path = scratch.path(name);
    std::fs::write(&path, content).unwrap();
    path.to_string_lossy().into_owned()
}

const PACK: &str = r#"{"rules": [
  {"id": "plc-write", "title": "PLC written outside a change window", "severity": "critical", "tags": ["change"], "techniques": ["T0831"],
   "match": {"all": [{"field": "category", "op": "eq", "value": "modbus_write"}, {"field": "dst_ip", "op": "cidr", "value": "192.168.50.0/28"}]}},
  {"id": "recon", "severity": "warning", "match": {"any": ["read the identity", {"field": "techniques", "op": "in", "value": ["T0846"]}]}},
  {"id": "often", "match": {"field": "detection", "value": "modbus"}, "threshold": 4},
  {"id": "off", "match": {"sources": ["modbus"]}, "enabled": false}
]}"#;

#[test]
fn hits_are_reported_and_are_findings() {
    let scratch = Scratch::new("rules");
    let pack = written(&scratch, "pack.json", PACK);
    let plant = sample("plant.pcapng");
    let output = run(&scratch.0, &[&plant, "--rules", &pack]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for line in [
        "RULES ANALYSIS :: plant.pcapng",
        "Rules Loaded             : 4",
        "Rules Matched            : 2",
        "Matches                  : 3",
        "plc-write  PLC written outside a change window  CRITICAL  2      modbus",
        "recon      recon                                MEDIUM    1      modbus",
        "plc-write  modbus: Values were written :: 1 x write_single_coil to unit 1: coil:00002",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    assert!(!report.contains("often"), "{report}");
    let all = text(&run(&scratch.0, &[&plant, "--modbus", "--rules", &pack, "-v"]).stdout);
    assert!(all.contains("often") && all.contains("off"), "{all}");

    let query = "SELECT detection, severity, title, tags, techniques, frames, src_ip FROM findings WHERE source = 'rules' ORDER BY detection, ts";
    let asked = run(&scratch.0, &[&plant, "--modbus", "--rules", &pack, "--sql", query, "--format", "jsonl"]);
    let hits: Vec<Value> = text(&asked.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(hits.len(), 3, "{hits:?}");
    assert_eq!(hits[0]["detection"], "plc-write");
    assert_eq!(hits[0]["severity"], "critical");
    assert_eq!(hits[0]["tags"], serde_json::json!(["change", "rule:pack.json"]));
    assert_eq!(hits[0]["techniques"], serde_json::json!(["T0831", "T0855", "T0836"]));
    assert_eq!(hits[0]["src_ip"], "192.168.50.20");
    assert_eq!(hits[2]["title"], "recon");

    let exported = run(&scratch.0, &[&plant, "--modbus", "--rules", &pack, "--json", "-"]);
    let document: Value = serde_json::from_slice(&exported.stdout).unwrap();
    assert_eq!(document["rules"]["findings"].as_array().unwrap().len(), 3);
}

#[test]
fn only_the_analyzers_asked_for_are_judged() {
    let scratch = Scratch::new("rules-asked");
    let pack = written(&scratch, "pack.yml", "id: any\nmatch: {field: severity, op: gte, value: info}\n");
    let count = |arguments: &[&str]| {
        let mut all = vec!["--rules", &pack];
        all.extend(arguments);
        let report = text(&run(&scratch.0, &all).stdout);
        report.lines().find_map(|line| line.strip_prefix("Matches                  : ").map(str::to_owned)).unwrap()
    };
    let plant = sample("plant.pcapng");
    assert_eq!(count(&[&plant, "--modbus"]), "3");
    assert_eq!(count(&[&plant, "--dns"]), "0");
    assert_eq!(count(&[&plant, "--dns", "--modbus"]), "3");
}

#[test]
fn every_operator_decides_as_told() {
    let scratch = Scratch::new("rules-ops");
    let plant = sample("plant.pcapng");
    // Findings of the plant that match, of one identity read and two writes.
    let cases = [
        (r#"{"field": "category", "op": "eq", "value": "modbus_write"}"#, 2),
        (r#"{"field": "category", "op": "neq", "value": "modbus_write"}"#, 1),
        (r#"{"field": "summary", "op": "contains", "value": ["VALUES were", "nothing"]}"#, 2),
        (r#"{"field": "details", "op": "regex", "value": "^1 x WRITE_single_(coil|register) "}"#, 2),
        (r#"{"field": "source", "op": "in", "value": "modbus"}"#, 3),
        (r#"{"field": "source", "op": "not_in", "value": ["modbus", "dns"]}"#, 0),
        (r#"{"field": "severity", "op": "gt", "value": "informational"}"#, 1),
        (r#"{"field": "severity", "op": "lte", "value": "low"}"#, 3),
        (r#"{"field": "count", "op": "gte", "value": 1}"#, 3),
        (r#"{"field": "count", "op": "eq", "value": "1"}"#, 3),
        (r#"{"field": "first_seen", "op": "gt", "value": "2026-11-23T06:42:39Z"}"#, 2),
        (r#"{"field": "last_seen", "op": "lt", "value": "2026-11-23 06:42:39"}"#, 1),
        (r#"{"field": "title", "op": "startswith", "value": "a client"}"#, 1),
        (r#"{"field": "title", "op": "endswith", "value": "written"}"#, 2),
        (r#"{"field": "src_port", "op": "exists", "value": false}"#, 3),
        (r#"{"field": "src_ip", "op": "exists", "value": true}"#, 3),
        (r#"{"field": "src_ip", "op": "cidr", "value": ["10.0.0.0/8", "192.168.50.20"]}"#, 3),
        (r#"{"field": "src_ip", "op": "cidr", "value": "fe80::/10"}"#, 0),
        (r#"{"field": "techniques", "op": "contains", "value": "t08"}"#, 3),
        (r#"{"field": "tags", "op": "neq", "value": "x"}"#, 3),
        (r#"{"field": "tags", "op": "contains", "value": "x"}"#, 0),
        (r#"{"field": "raw", "op": "contains", "value": "\"dst_ip\":\"192.168.50.10\""}"#, 3),
        (r#"{"none": ["written"]}"#, 1),
        (r#"{"none": ["written"], "all": [{"field": "severity", "op": "eq", "value": "info"}]}"#, 0),
        (r#"{"all": []}"#, 3),
        (r#"{"summary_contains": "written", "details_regex": "coil"}"#, 1),
        (r#""written""#, 2),
    ];
    let rules: Vec<String> = cases.iter().enumerate().map(|(at, (test, _))| format!(r#"{{"id": "r{at:02}", "match": {test}}}"#)).collect();
    let pack = written(&scratch, "ops.json", &format!("[{}]", rules.join(",\n")));
    let query = "SELECT detection, count(*) AS n FROM findings WHERE source = 'rules' GROUP BY detection ORDER BY detection";
    let asked = run(&scratch.0, &[&plant, "--modbus", "--rules", &pack, "--sql", query, "--format", "csv"]);
    assert_eq!(asked.status.code(), Some(0), "{}", text(&asked.stderr));
    let counts: std::collections::BTreeMap<String, usize> = text(&asked.stdout)
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(',').map(|(id, count)| (id.to_owned(), count.parse().unwrap())))
        .collect();
    for (at, (test, expected)) in cases.iter().enumerate() {
        assert_eq!(counts.get(&format!("r{at:02}")).copied().unwrap_or(0), *expected, "{test}");
    }
}

#[test]
fn every_fault_is_named_before_anything_is_read() {
    let scratch = Scratch::new("rules-faults");
    let pack = written(
        &scratch,
        "bad.yaml",
        "- id: a\n  match: {field: nope, value: x}\n- title: no id\n  match: x\n- id: a\n  severity: bad\n  match: {field: details, op: regex, value: '(?=x)'}\n- id: b\n  colour: red\n  match: {any: []}\n- id: c\n  match: {field: title, op: gt, value: 5}\n- id: d\n  match: x\n- id: d\n  match: x\n",
    );
    let output = run(&scratch.0, &["missing.pcap", "--rules", &pack]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = text(&output.stderr);
    let name = pack.as_str();
    for line in [
        format!("pcapper: {name}:2:18: rule a: unknown field nope ("),
        format!("pcapper: {name}:3:3: a rule needs an id"),
        format!("pcapper: {name}:6:13: rule a: unknown severity bad (critical, high, medium, low, info are known)"),
        format!("pcapper: {name}:7:45: rule a: regex (?=x): look-around"),
        format!("pcapper: {name}:9:3: rule b: unknown key colour ("),
        format!("pcapper: {name}:10:16: rule b: any: nothing can match an empty list"),
        format!("pcapper: {name}:12:40: rule c: gt compares numbers, times and severities; title is a text"),
    ] {
        assert!(told.contains(&line), "{line}\n{told}");
    }
    assert!(told.lines().all(|line| line.starts_with("pcapper: ")), "{told}");

    let twice = written(&scratch, "twice.yaml", "- id: d\n  match: x\n- id: d\n  match: x\n");
    let told = text(&run(&scratch.0, &["missing.pcap", "--rules", &twice]).stderr);
    assert_eq!(told, format!("pcapper: {twice}:3:3: rule d: the id is taken by the rule in {twice}:1\n"));

    let broken = written(&scratch, "broken.json", "[{\"id\": \"a\",\n \"match\": }]");
    let told = text(&run(&scratch.0, &["missing.pcap", "--rules", &broken]).stderr);
    assert!(told.starts_with(&format!("pcapper: {broken}:2:11: no JSON: ")), "{told}");

    let alias = written(&scratch, "alias.yml", "- &a {id: a, match: x}\n- *a\n");
    let told = text(&run(&scratch.0, &["missing.pcap", "--rules", &alias]).stderr);
    assert_eq!(told, format!("pcapper: {alias}:1:6: anchors and tags are not taken\n"));

    let none = written(&scratch, "none.json", "[]");
    assert_eq!(run(&scratch.0, &["missing.pcap", "--rules", &none]).status.code(), Some(2));
    let missing = run(&scratch.0, &["missing.pcap", "--rules", "nowhere.json"]);
    assert_eq!(text(&missing.stderr), "pcapper: nowhere.json: no such file or directory\n");
}

#[test]
fn packs_add_up_and_merge_over_captures() {
    let scratch = Scratch::new("rules-merge");
    let first = written(&scratch, "one.yml", "rules:\n  - id: one\n    match: written\n");
    let second = written(&scratch, "two.json", r#"[{"id": "two", "match": "simulat"}]"#);
    let output = run(
        &scratch.0,
        &[&sample("plant.pcapng"), &sample("goose.pcap"), "--modbus", "--goose", "--rules", &first, "--rules", &second, "--summarize"],
    );
    let report = text(&output.stdout);
    assert!(report.contains("RULES ANALYSIS :: ALL PCAPS (2)"), "{report}");
    assert!(report.contains("Rules Matched            : 2"), "{report}");
}
