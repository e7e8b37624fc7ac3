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

/// A request to a public address, answered with a file.
fn web(scratch: &Scratch) -> String {
    let mut talk = common::Talk::new([10, 0, 0, 1], [54, 243, 55, 129], 80);
    talk.send(true, b"POST /post?id=1 HTTP/1.1\r\nHost: httpbin.org\r\nUser-Agent: evil/1.0\r\nContent-Length: 0\r\n\r\n", 500);
    talk.send(
        false,
        b"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"drop.txt\"\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
        500,
    );
    talk.write(&scratch.path("web.pcap"))
}

#[test]
fn indicators_match_typed_columns_and_nothing_else() {
    let scratch = Scratch::new("ioc-web");
    let capture = web(&scratch);
    let first = scratch.path("first.txt");
    // SHA-256 of "hello"; the word bin, which is in httpbin.org, and no name.
    fs::write(
        &first,
        "54[.]243[.]55[.]129  # refanged\nhxxp://httpbin[.]org/post\nbin\nbin.org\n10.0.0.1\n2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n",
    )
    .unwrap();
    let second = scratch.path("second.json");
    fs::write(&second, r#"{"indicators": [{"value": "54.243.55.0/24", "type": "cidr", "source": "team", "confidence": 80, "tags": "a, b", "mitre": ["T1071"]}, {"value": ".org", "type": "domain"}, "9.9.9.9"]}"#).unwrap();
    let (first, second) = (first.to_string_lossy().into_owned(), second.to_string_lossy().into_owned());
    let output = run(&scratch.path("lake"), &[&capture, "--ioc-file", &first, "--ioc-file", &second, "--json", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["summaries"], serde_json::json!({}), "the file implies its report, and only that");
    let report = &document["ioc"];
    let mut matched: Vec<String> = matches(report).into_iter().map(|(indicator, ..)| indicator).collect();
    matched.dedup();
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    for indicator in ["54.243.55.129", "54.243.55.0/24", hash] {
        assert!(matched.contains(&indicator.to_owned()), "{indicator}: {matched:?}");
    }
    assert!(matched.iter().any(|indicator| indicator.contains("httpbin.org/post")), "{matched:?}");
    for other in ["bin", "bin.org", "9.9.9.9"] {
        assert!(!matched.contains(&other.to_owned()), "{other}: {matched:?}");
    }
    let findings: Vec<(&str, &str)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["detection"].as_str().unwrap(), finding["severity"].as_str().unwrap()))
        .collect();
    for detection in ["ioc_ip", "ioc_url", "ioc_hash"] {
        assert!(findings.iter().any(|(known, _)| *known == detection), "{detection}: {findings:?}");
    }
    // An address of the inside is a remark on the list, not a finding.
    assert!(!report["findings"].to_string().contains("10.0.0.1 is on the list"), "{report}");
    let titles: Vec<&str> = report["sections"].as_array().unwrap().iter().filter_map(|section| section["name"].as_str()).collect();
    assert!(report.to_string().contains("10.0.0.1"), "{titles:?}");
    let network = report["findings"].as_array().unwrap().iter().find(|finding| finding["techniques"].to_string().contains("T1071"));
    assert!(network.is_some(), "{}", report["findings"]);
}
