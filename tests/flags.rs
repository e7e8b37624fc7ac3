//! Every documented option under every name it has, and every analyzer at once in every form of answer.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use common::{Scratch, run, sample, text};
use rusqlite::Connection;
use serde_json::Value;

/// The options of the menu: name as spelled, other names, name of the value.
fn listed(scratch: &Scratch) -> Vec<(String, Vec<String>, Option<String>)> {
    let menu = text(&run(&scratch.0, &["--help"]).stdout);
    let entries = menu.lines().filter(|line| line.starts_with("  -") && !line.contains("--help[=FLAG]") && !line.contains("--version"));
    entries
        .map(|line| {
            let mut words: Vec<&str> = line.trim_start().split("  ").next().unwrap().split(", ").collect();
            let last = words.pop().unwrap();
            let (name, value) = match last.split_once(' ') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (last.to_owned(), None),
            };
            (name, words.into_iter().map(str::to_owned).collect(), value)
        })
        .collect()
}

/// Options that end the run before any capture is looked for, and what their values may be.
const ENDS: [&str; 8] = ["--completions", "--man", "--tables", "--describe", "--list-plugins", "--self-check", "--show-sql", "--shell"];

/// A value that is read without complaint, or that is refused for itself and not for the option.
fn value_of(kind: &str) -> &str {
    match kind {
        "N" => "3",
        "ADDR" => "10.0.0.1",
        "TIME" => "1700000000",
        "NAME=VALUE" => "a=b",
        "FORM" => "csv",
        "SHELL" => "bash",
        "TABLE" => "dns",
        "EXPR" => "tcp",
        _ => "x",
    }
}

#[test]
fn every_name_of_every_option_is_taken() {
    let scratch = Scratch::new("flags-names");
    let work = scratch.path("work");
    fs::create_dir_all(&work).unwrap();
    let listed = listed(&scratch);
    assert!(listed.len() > 180, "{}", listed.len());
    let told = |arguments: &[&str]| {
        let output = common::pcapper(&scratch.0, arguments).current_dir(&work).output().unwrap();
        // The log is no complaint.
        let errors: String = text(&output.stderr).lines().filter(|line| !line.starts_with('{')).map(|line| format!("{line}\n")).collect();
        errors + text(&output.stdout).lines().next().unwrap_or_default()
    };
    for (name, others, value) in &listed {
        for spelled in std::iter::once(name).chain(others) {
            let refused = |told: &str| told.contains("unknown option") || told.contains("unexpected") || told.contains("takes no value");
            match value {
                None if ENDS.contains(&name.as_str()) => {}
                None => {
                    let told = told(&["nowhere.pcap", spelled]);
                    assert!(!refused(&told) && told.starts_with("pcapper: "), "{spelled}: {told}");
                    let with_value = run(&scratch.0, &["nowhere.pcap", &format!("{spelled}=x")]);
                    assert!(name == "--suricata" || with_value.status.code() == Some(2), "{spelled}=x");
                }
                Some(kind) => {
                    let value = value_of(kind);
                    for arguments in [vec!["nowhere.pcap", spelled, value], vec![&format!("{spelled}={value}"), "nowhere.pcap"]] {
                        let told = told(&arguments);
                        assert!(!refused(&told), "{arguments:?}: {told}");
                    }
                    let missing = told(&["nowhere.pcap", spelled]);
                    assert!(missing.contains(" needs a value"), "{spelled}: {missing}");
                }
            }
        }
        // Every switch can be taken back, and before it is given too.
        if value.is_none() && !ENDS.contains(&name.as_str()) {
            let bare = name.trim_start_matches('-');
            let opposite = bare.strip_prefix("no-").map_or_else(|| format!("--no-{bare}"), |rest| format!("--{rest}"));
            let told = told(&["nowhere.pcap", name, &opposite]);
            assert_eq!(told, "pcapper: nowhere.pcap: no such file or directory\n", "{opposite}");
        }
    }
    // Clusters of short options, and values that begin with a dash.
    assert_eq!(told(&["-rvl3", "nowhere.pcap"]), "pcapper: nowhere.pcap: no such file or directory\n");
    assert!(told(&["nowhere.pcap", "--search", "--dns"]).contains("--search needs a value"));
    assert_eq!(told(&["nowhere.pcap", "--search=--dns"]), "pcapper: nowhere.pcap: no such file or directory\n");
    let taken_for_options: Vec<_> = fs::read_dir(&work).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(taken_for_options.is_empty() || taken_for_options == ["x"], "{taken_for_options:?}");
}

#[test]
fn every_option_has_a_key_in_the_configuration_file() {
    let scratch = Scratch::new("flags-keys");
    let path = scratch.path("one.toml").to_string_lossy().into_owned();
    for (name, _, value) in listed(&scratch) {
        let key = name.trim_start_matches('-').replace('-', "_");
        if key == "config" || ENDS.contains(&name.as_str()) {
            continue;
        }
        let written = match value.as_deref() {
            None => "false".to_owned(),
            Some("N") => "7".to_owned(),
            Some(kind) => format!("\"{}\"", value_of(kind)),
        };
        fs::write(&path, format!("[defaults]\n{key} = {written}\n")).unwrap();
        let output = common::pcapper(&scratch.0, &["nowhere.pcap", "--config", &path]).current_dir(&scratch.0).output().unwrap();
        let told = text(&output.stderr);
        // The value is the option's business: x may be no file, but never no key.
        assert!(output.status.code() == Some(2) && !told.contains("unknown") && !told.contains("is needed, not "), "{key}: {told}");
        if value.is_none() {
            assert_eq!(told, "pcapper: nowhere.pcap: no such file or directory\n", "{key}");
        }
    }
}

/// A document's capture or all of them: name, and its reports by analyzer.
fn documents(document: &Value) -> Vec<(String, BTreeMap<String, Value>)> {
    let reports = |one: &Value| {
        let mut reports: BTreeMap<String, Value> =
            one["summaries"].as_object().unwrap().iter().map(|(name, report)| (name.clone(), report.clone())).collect();
        reports.insert("ioc".to_owned(), one["ioc"].clone());
        (one["path"].as_str().unwrap().to_owned(), reports)
    };
    match document["captures"].as_array().filter(|captures| captures[0]["summaries"].is_object()) {
        Some(captures) => captures.iter().map(reports).collect(),
        None => vec![reports(document)],
    }
}

/// All analyzers in one run over several captures, in all forms of answer; apart, then taken as one.
#[test]
fn every_analyzer_at_once_in_every_form() {
    let scratch = Scratch::new("flags-forms");
    let lake = scratch.path("lake");
    let names = ["plant.pcapng", "industrial.pcap", "windows.pcap", "http.pcap", "goose.pcap"];
    let captures = names.map(sample);
    let indicators = scratch.path("list.txt");
    fs::write(&indicators, "192.168.50.10\nplant.example\n").unwrap();
    let menu = text(&run(&lake, &["--help"]).stdout);
    let analyzers = menu.split("IT/ENTERPRISE FUNCTIONS:").nth(1).unwrap().split("Examples:").next().unwrap();
    let (analyzers, newer) = analyzers.split_once("\nDATA:").unwrap();
    let newer = newer.split_once("NEWER ANALYZERS:").unwrap().1;
    let switches: Vec<String> = format!("{analyzers}{newer}")
        .lines()
        .filter_map(|line| line.strip_prefix("  --"))
        .map(|line| line.split_once("  ").unwrap().0)
        .filter(|flag| !flag.contains(' ') && *flag != "ot-commands-fast")
        .map(|flag| if flag == "suricata" { format!("--suricata={}", sample("http.eve.json")) } else { format!("--{flag}") })
        .collect();
    assert!(switches.len() > 105, "{switches:?}");
    let wanted: BTreeSet<String> = switches.iter().map(|flag| flag[2..].split('=').next().unwrap().replace('-', "_")).collect();
    for together in [false, true] {
        let place = |suffix: &str| scratch.path(&format!("all-{together}.{suffix}"));
        let mut arguments: Vec<String> = captures.to_vec();
        arguments.extend(switches.iter().cloned());
        arguments.extend(["--ioc-file", &indicators.to_string_lossy(), "-ip", "192.168.50.10"].map(str::to_owned));
        for (flag, suffix) in [("--json", "json"), ("--csv", "csv"), ("--sqlite", "db"), ("--html", "html"), ("--markdown", "md")] {
            arguments.extend([flag.to_owned(), place(suffix).to_string_lossy().into_owned()]);
        }
        arguments.extend(together.then(|| "--summarize".to_owned()));
        let output = run(&lake, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        // What the run is given is remarked upon: a private address as an indicator, the broken line of the alerts, the captures
        // without that host.
        let remarks = text(&output.stderr);
        let is_known = |line: &str| ["a poor indicator", "http.eve.json:3: EOF", "no host 192.168.50.10"].iter().any(|known| line.contains(known));
        assert!(output.status.success() && remarks.lines().all(is_known), "{remarks}");
        // JSON: every analyzer of every capture.
        let document: Value = serde_json::from_slice(&fs::read(place("json")).unwrap()).unwrap();
        let reports = documents(&document);
        assert_eq!(reports.len(), if together { 1 } else { names.len() });
        let shown = text(&output.stdout);
        let mut rows: BTreeMap<String, usize> = BTreeMap::new();
        let mut findings = 0;
        for (path, reports) in &reports {
            assert_eq!(reports.keys().cloned().collect::<BTreeSet<_>>(), wanted, "{path}");
            for (analyzer, report) in reports {
                // The terminal: a report each.
                let subject = if together { format!("ALL PCAPS ({})", names.len()) } else { path.clone() };
                let title = format!("\n{} :: {subject}", report["title"].as_str().unwrap());
                assert!(shown.contains(&title), "{title}");
                for section in report["sections"].as_array().unwrap() {
                    let name = format!("{analyzer}_{}", section["name"].as_str().unwrap());
                    let plain: String = name
                        .to_lowercase()
                        .split(|letter: char| !letter.is_alphanumeric())
                        .filter(|word| !word.is_empty())
                        .collect::<Vec<_>>()
                        .join("_");
                    *rows.entry(plain).or_default() += section["rows"].as_array().unwrap().len();
                }
                findings += report["findings"].as_array().unwrap().len();
            }
        }
        assert_eq!(
            shown
                .lines()
                .filter(|line| line.contains(" :: ") && line.split(" :: ").next().unwrap().chars().all(|letter| !letter.is_lowercase()))
                .count(),
            reports.len() * wanted.len()
        );
        assert!(findings > 20 && rows.len() > 300, "{findings} {}", rows.len());
        // SQLite and CSV: the same tables with as many rows.
        let base = Connection::open(place("db")).unwrap();
        let count = |table: &str| base.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get::<_, i64>(0));
        // A hit of an indicator is no judgement: it is among the artifacts.
        let csv = fs::read_to_string(place("csv")).unwrap();
        let detections = csv.matches("\r\ndetection,").count();
        assert_eq!(detections + csv.matches("\r\nartifact,ioc,").count(), findings);
        assert_eq!(count("findings"), Ok(detections as i64));
        for (table, expected) in &rows {
            assert_eq!(count(table), Ok(*expected as i64), "{table}");
        }
        // The page has a part for each capture; the ticket has what it has room for.
        let page = fs::read_to_string(place("html")).unwrap();
        assert!(page.ends_with("</html>\n") && page.len() < 5_000_000, "{}", page.len());
        let ticket = fs::read_to_string(place("md")).unwrap();
        assert!(ticket.starts_with("# Network capture report\n") && ticket.len() <= 65_536, "{}", ticket.len());
        for name in names.iter().filter(|_| !together) {
            assert!(page.contains(name), "{name}");
        }
    }
}
