//! `--ioc`, `--ioc-file`: indicators of the analyst, matched on typed columns.

mod common;

use std::fs;

use common::{Scratch, run, sample, text};
use serde_json::Value;

fn report(scratch: &Scratch, list: &str, name: &str, capture: &str) -> Value {
    let file = scratch.path(name);
    fs::write(&file, list).unwrap();
    let output = run(&scratch.0, &[&sample(capture), "--ioc", "--ioc-file", file.to_str().unwrap(), "--json", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["ioc"].clone()
}

fn section<'a>(report: &'a Value, name: &str) -> &'a Vec<Value> {
    let sections = report["sections"].as_array().unwrap();
    sections.iter().find(|section| section["name"] == name).unwrap()["rows"].as_array().unwrap()
}

fn matches(report: &Value) -> Vec<(String, String, u64)> {
    let mut rows: Vec<_> = section(report, "Matches")
        .iter()
        .map(|row| (row["indicator"].as_str().unwrap().to_owned(), row["where"].as_str().unwrap().to_owned(), row["hits"].as_u64().unwrap()))
        .collect();
    rows.sort();
    rows
}

#[test]
fn names_match_whole_labels_only() {
    let scratch = Scratch::new("ioc-names");
    let report = report(&scratch, "plant.example\nant.example\nlant\n", "list.txt", "dns.pcap.gz");
    let found = matches(&report);
    assert!(!found.is_empty());
    assert!(found.iter().all(|(indicator, _, _)| indicator == "plant.example"), "{found:?}");
    let detections: Vec<_> = report["findings"].as_array().unwrap().iter().map(|finding| finding["detection"].as_str().unwrap()).collect();
    assert!(detections.iter().all(|detection| *detection == "ioc_domain"), "{detections:?}");
}

#[test]
fn a_list_without_indicators_stops_before_work() {
    let scratch = Scratch::new("ioc-empty");
    let file = scratch.path("list.txt");
    fs::write(&file, "# nothing\nnot an indicator\n").unwrap();
    let output = run(&scratch.0, &[&sample("dns.pcap.gz"), "--ioc-file", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "pcapper: --ioc-file: no usable indicator (list.txt:2: \"not an indicator\" is no address, name, hash, URL or mail address)\n"
    );
    let missing = run(&scratch.0, &[&sample("dns.pcap.gz"), "--ioc-file", "/no/such/list"]);
    assert_eq!(missing.status.code(), Some(2));
    let alone = run(&scratch.0, &[&sample("dns.pcap.gz"), "--ioc"]);
    assert_eq!((alone.status.code(), text(&alone.stderr)), (Some(2), "pcapper: --ioc needs --ioc-file PATH\n".to_owned()));
}
