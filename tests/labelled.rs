//! Captures with an answer key: is the incident found, by whom, against whom, when and how, and is anything else?
//!
//! `PCAPPER_CORPUS` names the folder that holds `labelled`; `PCAPPER_LABELLED` another folder of the same form, for other seeds
//! and difficulties.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::{Scratch, pcapper, text};
use serde_json::Value;

/// Seconds around an incident's events in which its evidence lies.
const BEFORE: f64 = 5.0;
const AFTER: f64 = 60.0;
/// Findings of high severity or above that may concern anything but the incident.
const STRAYS: usize = 1;

/// The folders of scenarios, in order of name.
fn scenarios() -> Vec<PathBuf> {
    let corpus = std::env::var_os("PCAPPER_CORPUS").map(|corpus| PathBuf::from(corpus).join("labelled"));
    let folders = [std::env::var_os("PCAPPER_LABELLED").map(PathBuf::from), corpus];
    let Some(folder) = folders.into_iter().flatten().find(|folder| folder.is_dir()) else {
        eprintln!("PCAPPER_CORPUS is unset: skipped");
        return Vec::new();
    };
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.join("answers.json").is_file()).collect();
    found.sort();
    found
}

fn capture(scenario: &Path) -> PathBuf {
    ["capture.pcap.gz", "capture.pcap"].iter().map(|name| scenario.join(name)).find(|path| path.is_file()).unwrap()
}

/// What the answer key says of an incident.
struct Incident {
    sources: BTreeSet<String>,
    targets: BTreeSet<String>,
    /// Techniques without their sub-technique.
    techniques: BTreeSet<String>,
    /// Time (seconds since 1970) and title of each event.
    events: Vec<(f64, String)>,
}

fn parent(technique: &str) -> String {
    technique.split('.').next().unwrap_or_default().to_owned()
}

impl Incident {
    fn read(scenario: &Path) -> Self {
        let key: Value = serde_json::from_slice(&std::fs::read(scenario.join("answers.json")).unwrap()).unwrap();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut addresses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for host in list(&key["topology"]["hosts"]) {
            let ips = list(&host["interfaces"]).iter().filter_map(|interface| interface["ip"].as_str().map(str::to_owned)).collect();
            addresses.insert(host["id"].as_str().unwrap_or_default().to_owned(), ips);
        }
        let targets: BTreeSet<String> = indicators(&key, "target").collect();
        let mut sources: BTreeSet<String> = indicators(&key, "source").collect();
        for actor in list(&key["actors"]).iter().filter(|actor| actor["incident"] == true) {
            for host in list(&actor["hosts"]) {
                sources.extend(addresses.get(host.as_str().unwrap_or_default()).into_iter().flatten().cloned());
            }
        }
        sources.retain(|source| !targets.contains(source));
        let events = list(&key["timeline"])
            .iter()
            .filter(|event| event["incident"] == true)
            .map(|event| (event["epoch"].as_f64().unwrap(), event["title"].as_str().unwrap_or_default().to_owned()))
            .collect();
        let techniques = list(&key["mitre"]).iter().filter_map(|technique| technique["id"].as_str().map(parent)).collect();
        Self { sources, targets, techniques, events }
    }

    /// Whether something from `first` to `last` is of the time of the incident.
    fn covers(&self, first: f64, last: f64, after: f64) -> bool {
        let begins = self.events.iter().map(|(time, _)| *time).fold(f64::INFINITY, f64::min);
        let ends = self.events.iter().map(|(time, _)| *time).fold(f64::NEG_INFINITY, f64::max);
        first <= ends + after && last >= begins - BEFORE
    }
}

fn indicators(key: &Value, role: &str) -> impl Iterator<Item = String> {
    let wanted = role.to_owned();
    let indicators = key["iocs"].as_array().cloned().unwrap_or_default();
    indicators
        .into_iter()
        .filter(move |indicator| indicator["type"] == "ip" && indicator["role"] == wanted.as_str())
        .filter_map(|indicator| indicator["value"].as_str().map(str::to_owned))
}

/// A finding of high severity or above.
struct Finding {
    detection: String,
    hosts: Vec<String>,
    details: String,
    techniques: BTreeSet<String>,
    first: f64,
    last: f64,
}

fn findings(lake: &Path, capture: &Path) -> Vec<Finding> {
    let query = "SELECT detection, src_ip, dst_ip, details, array_to_string(techniques, ' ') AS techniques, CAST(ts AS BIGINT) / 1e9 AS first, CAST(coalesce(end_ts, ts) AS BIGINT) / 1e9 AS last, array_length(frames) AS frames
      FROM findings WHERE severity IN ('critical', 'high') ORDER BY ts, frame, detection, src_ip, dst_ip";
    let output = pcapper(lake, &[&capture.to_string_lossy(), "--sql", query, "--format", "jsonl"]).output().unwrap();
    assert!(output.status.success(), "{}: {}", capture.display(), text(&output.stderr));
    let rows = text(&output.stdout);
    rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).map(|row| finding(&row)).collect()
}

fn finding(row: &Value) -> Finding {
    let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let detection = word("detection");
    assert!(row["frames"].as_u64().unwrap_or_default() > 0, "{detection} names no evidence");
    assert!(!word("details").is_empty(), "{detection} names no values");
    Finding {
        hosts: ["src_ip", "dst_ip"].iter().filter_map(|name| row[*name].as_str().map(str::to_owned)).collect(),
        details: word("details"),
        techniques: word("techniques").split_whitespace().map(parent).collect(),
        first: row["first"].as_f64().unwrap(),
        last: row["last"].as_f64().unwrap(),
        detection,
    }
}

#[test]
fn incidents_are_found_and_nothing_else() {
    let scratch = Scratch::new("labelled");
    let mut failed = Vec::new();
    println!("{:<44} {:<6} {:<7} {:<10} {:<5} {:<5} others", "scenario", "actor", "target", "technique", "time", "named");
    for scenario in scenarios() {
        let name = scenario.file_name().unwrap().to_string_lossy().into_owned();
        let incident = Incident::read(&scenario);
        let all = findings(&scratch.path("lake"), &capture(&scenario));
        let names = |finding: &Finding, hosts: &BTreeSet<String>| {
            finding.hosts.iter().any(|host| hosts.contains(host)) || hosts.iter().any(|host| finding.details.contains(host.as_str()))
        };
        let (mine, others): (Vec<&Finding>, Vec<&Finding>) = all.iter().partition(|finding| {
            finding.hosts.iter().any(|host| incident.sources.contains(host))
                || (finding.hosts.iter().any(|host| incident.targets.contains(host)) && incident.covers(finding.first, finding.last, AFTER))
        });
        let actor = mine.iter().any(|finding| finding.hosts.first().is_some_and(|host| incident.sources.contains(host)));
        let target = incident.targets.is_empty() || mine.iter().any(|finding| names(finding, &incident.targets));
        let technique = mine.iter().any(|finding| !finding.techniques.is_disjoint(&incident.techniques));
        let time = mine.iter().any(|finding| incident.covers(finding.first, finding.last, BEFORE));
        let told = |told: bool| {
            if incident.events.is_empty() {
                "-"
            } else if told {
                "yes"
            } else {
                "NO"
            }
        };
        println!("{name:<44} {:<6} {:<7} {:<10} {:<5} {:<5} {}", told(actor), told(target), told(technique), told(time), mine.len(), others.len());
        for finding in &others {
            println!("    {} {:?} {}", finding.detection, finding.hosts, finding.details);
        }
        let found = incident.events.is_empty() || (actor && target && technique && time);
        let allowed = if incident.events.is_empty() { 0 } else { STRAYS };
        if !found || others.len() > allowed {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// The timeline of the incident's actor holds the events of the answer key, in their order.
#[test]
fn timelines_tell_the_incident() {
    let scratch = Scratch::new("timelines");
    let mut failed = Vec::new();
    for scenario in scenarios() {
        let incident = Incident::read(&scenario);
        // What a victim does on its own stands in its own timeline.
        let hosts: Vec<&str> = incident.sources.iter().map(String::as_str).collect();
        if hosts.is_empty() || incident.events.is_empty() {
            continue;
        }
        let json = scratch.path("timeline.json");
        let (path, file) = (capture(&scenario), json.to_string_lossy().into_owned());
        let output =
            pcapper(&scratch.path("lake"), &[&path.to_string_lossy(), "--timeline", "-ip", &hosts.join(","), "--json", &file]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let answer: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        let rows = events_of(&answer);
        let mut order = Vec::new();
        for (time, title) in &incident.events {
            // An event stands at its time, or within a run of the same again.
            match rows.iter().position(|(first, last)| *first <= time + 2.0 && *last >= time - 2.0) {
                Some(_) => order.push(*time),
                None => failed.push(format!("{}: {title}", scenario.display())),
            }
        }
        assert!(rows.is_sorted_by(|a, b| a.0 <= b.0), "{}: out of order", scenario.display());
        assert!(order.is_sorted(), "{}", scenario.display());
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// First and last second of each event in the section of events, wherever the report stands.
fn events_of(answer: &Value) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    let mut open = vec![answer];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) if fields.get("name").is_some_and(|name| name == "Events") => {
                for row in fields.get("rows").and_then(Value::as_array).into_iter().flatten() {
                    found.push((seconds(&row["ts"]), seconds(&row["Until"])));
                }
            }
            Value::Object(fields) => open.extend(fields.values()),
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    found
}

/// Seconds since 1970 of a time as exported: `2026-01-02T03:04:05.678901234Z`.
fn seconds(time: &Value) -> f64 {
    let time = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    let number = |from: usize, to: usize| time.get(from..to).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or_else(|| panic!("{time}"));
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    // Days of the civil calendar, counted from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let whole = days * 86_400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19);
    let rest: f64 = time.get(19..).and_then(|rest| format!("0{}", rest.trim_end_matches('Z')).parse().ok()).unwrap_or_default();
    whole as f64 + rest
}
