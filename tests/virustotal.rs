//! `-vt`, against a stand-in on this machine: what leaves, what stays, and what is told.

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use common::{Scratch, Talk, pcapper, text};
use serde_json::Value;

const KEY: &str = "0123456789abcdef-the-key";

/// Paths of questions in order, each with the key that came with it.
type Questions = Arc<Mutex<Vec<(String, String)>>>;

/// A service that answers every question with `answer`: status and body, by path.
fn service(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> (SocketAddr, Questions) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, questions) = (listener.local_addr().unwrap(), Questions::default());
    let noted = Arc::clone(&questions);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let path = lines.next().unwrap().unwrap().split(' ').nth(1).unwrap().to_owned();
            let headers: Vec<String> = lines.map_while(|line| line.ok().filter(|line| !line.is_empty())).collect();
            let key = headers.iter().find_map(|header| header.strip_prefix("x-apikey: ")).unwrap_or_default().to_owned();
            noted.lock().unwrap().push((path.clone(), key));
            let (status, body) = answer(&path);
            let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        }
    });
    (address, questions)
}

/// An answer of the service: three of seventy engines.
fn known(id: &str) -> (u16, String) {
    let stats = r#"{"malicious":3,"suspicious":1,"harmless":60,"undetected":6,"timeout":2}"#;
    (200, format!(r#"{{"data":{{"id":"{id}","attributes":{{"last_analysis_stats":{stats}}}}}}}"#))
}

fn paths(questions: &Questions) -> Vec<String> {
    questions.lock().unwrap().iter().map(|(path, _)| path.trim_start_matches("/api/v3/").to_owned()).collect()
}

fn at(scratch: &Scratch, address: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = pcapper(&scratch.path("lake"), arguments);
    command.current_dir(&scratch.0).env("PCAPPER_CONFIG", "").env("VT_API_KEY", KEY);
    command.env("PCAPPER_VT_URL", format!("http://{address}/api/v3")).env("PCAPPER_VT_RATE", "1000").env_remove("PCAPPER_VT_MAX_LOOKUPS");
    command
}

fn run(scratch: &Scratch, address: SocketAddr, arguments: &[&str]) -> Output {
    at(scratch, address, arguments).output().unwrap()
}

/// A client that asks for names, of which one is answered with an address inside, and fetches a page.
fn capture(scratch: &Scratch) -> (String, String) {
    let mut talk = Talk::new([10, 0, 0, 5], [9, 9, 9, 9], 53);
    for name in ["bad.example.com", "bad.example.com", "good.example.org", "intranet.example.net", "printer.local", "host", "plc.plant"] {
        let inside = name.starts_with("intranet");
        let message = |is_answer: bool| {
            let mut message = vec![0, 7, if is_answer { 0x81 } else { 1 }, 0, 0, 1, 0, u8::from(is_answer), 0, 0, 0, 0];
            for label in name.split('.') {
                message.push(label.len() as u8);
                message.extend(label.as_bytes());
            }
            message.extend([0, 0, 1, 0, 1]);
            if is_answer {
                message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3]);
            }
            let mut framed = (message.len() as u16).to_be_bytes().to_vec();
            framed.extend(message);
            framed
        };
        talk.send(true, &message(false), 500);
        if inside {
            talk.send(false, &message(true), 500);
        }
    }
    let dns = talk.write(&scratch.path("dns.pcap"));
    let mut talk = Talk::new([10, 0, 0, 5], [8, 8, 4, 4], 80);
    let body = "MZ, or so it says";
    for (host, path) in [("www.example.com", "/a?b=c"), ("intranet.lan", "/secret"), ("8.8.4.4", "/x")] {
        talk.send(true, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(), 500);
        talk.send(false, format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes(), 500);
    }
    (dns, talk.write(&scratch.path("http.pcap")))
}

fn section<'v>(report: &'v Value, analyzer: &str, name: &str) -> &'v Value {
    let sections = report["summaries"][analyzer]["sections"].as_array().unwrap();
    sections.iter().find(|section| section["name"] == name).unwrap_or_else(|| panic!("{name}: {sections:?}"))
}

/// Everything below a directory, in one.
fn bytes_of(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { bytes_of(&path) } else { std::fs::read(&path).unwrap() });
    }
    all
}

#[test]
fn public_names_are_asked_once_a_day_and_nothing_else_leaves() {
    let scratch = Scratch::new("vt");
    let (dns, _) = capture(&scratch);
    let (address, questions) = service(|path| if path.contains("bad") { known("x") } else { (404, "{}".to_owned()) });
    let words = [&dns, "-vt", "-v", "--log-file", "run.log", "--log-json", "--case-dir", "case", "--json", "out.json"];
    let output = run(&scratch, address, &words);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    assert_eq!(paths(&questions), ["domains/bad.example.com", "domains/good.example.org"]);
    assert!(questions.lock().unwrap().iter().all(|(_, key)| key == KEY));
    let shown = text(&output.stdout);
    // Alone, the option is about the names of DNS.
    assert!(shown.contains("DNS ANALYSIS") && shown.contains("Sent to VirusTotal"), "{shown}");
    let report: Value = serde_json::from_slice(&std::fs::read(scratch.path("case/out.json")).unwrap()).unwrap();
    let rows = section(&report, "dns", "Top names")["rows"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    let bad = row("bad.example.com");
    assert_eq!((&bad["VT Malicious"], &bad["VT Suspicious"], &bad["VT Total"]), (&3.into(), &1.into(), &70.into()));
    assert_eq!(bad["VT Link"], "https://www.virustotal.com/gui/domain/bad.example.com");
    assert_eq!((&row("good.example.org")["VT Total"], &row("good.example.org")["VT Link"]), (&Value::Null, &"not known there".into()));
    assert_eq!((&row("printer.local")["VT Total"], &row("printer.local")["VT Link"]), (&Value::Null, &Value::Null));
    let sent = section(&report, "dns", "Sent to VirusTotal")["rows"].as_array().unwrap();
    assert_eq!(sent[0], serde_json::json!({"kind": "domain", "indicator": "bad.example.com", "answer": "known"}));
    assert_eq!(sent.len(), 2);
    let log = std::fs::read_to_string(scratch.path("case/run.log")).unwrap();
    let lookups: Vec<&str> = log.lines().filter(|line| line.contains("\"lookup\"")).collect();
    assert_eq!(lookups.len(), 1);
    assert!(lookups[0].ends_with(r#""event":"lookup","service":"virustotal","kind":"domain","count":2}"#), "{lookups:?}");
    // The key stands in nothing that the run wrote.
    let key = KEY.as_bytes();
    assert!(!bytes_of(&scratch.0).windows(key.len()).any(|window| window == key) && !shown.contains(KEY));

    // Within the day the lake answers; later it is asked again.
    let again = run(&scratch, address, &[&dns, "-vt", "--json", "-"]);
    assert_eq!((again.status.code(), paths(&questions).len()), (Some(0), 2));
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(section(&report, "dns", "Top names")["rows"][0]["VT Malicious"], 3);
    for entry in std::fs::read_dir(scratch.path("lake/.reputations")).unwrap() {
        let path = entry.unwrap().path();
        let mut kept: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        kept["asked"] = (kept["asked"].as_u64().unwrap() - 24 * 3600).into();
        std::fs::write(&path, kept.to_string()).unwrap();
    }
    assert_eq!(run(&scratch, address, &[&dns, "-vt"]).status.code(), Some(0));
    assert_eq!(paths(&questions).len(), 4);
}

#[test]
fn urls_hosts_addresses_and_hashes() {
    let scratch = Scratch::new("vt-kinds");
    let (_, http) = capture(&scratch);
    let id = "ab".repeat(32);
    let page = id.clone();
    let (address, questions) = service(move |_| known(&page));
    let output = run(&scratch, address, &[&http, "--vt", "--http", "--files", "--ips", "--json", "-"]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let hash = section(&report, "files", "Hashes")["rows"][0]["sha256"].as_str().unwrap().to_owned();
    let mut asked = paths(&questions);
    asked.sort();
    let url = |url: &str| format!("urls/{}", base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, url));
    let mut expected = vec![
        "domains/www.example.com".to_owned(),
        format!("files/{hash}"),
        "ip_addresses/8.8.4.4".to_owned(),
        url("http://8.8.4.4/x"),
        url("http://www.example.com/a?b=c"),
    ];
    expected.sort();
    assert_eq!(asked, expected);
    let urls = section(&report, "http", "URLs")["rows"].as_array().unwrap();
    let row = urls.iter().find(|row| row["url"] == "http://www.example.com/a?b=c").unwrap();
    assert_eq!(row["VT Link"], format!("https://www.virustotal.com/gui/url/{id}"));
    let addresses = section(&report, "ips", "Addresses")["rows"].as_array().unwrap();
    let told: Vec<(&str, &Value)> = addresses.iter().map(|row| (row["ip"].as_str().unwrap(), &row["VT Total"])).collect();
    assert!(told.contains(&("8.8.4.4", &70.into())) && told.contains(&("10.0.0.5", &Value::Null)), "{told:?}");
}

#[test]
fn without_a_key_nothing_is_asked() {
    let scratch = Scratch::new("vt-no-key");
    let (dns, _) = capture(&scratch);
    let (address, questions) = service(|_| known("x"));
    for key in [None, Some("")] {
        let mut command = at(&scratch, address, &[&dns, "-vt"]);
        match key {
            None => command.env_remove("VT_API_KEY"),
            Some(key) => command.env("VT_API_KEY", key),
        };
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), "pcapper: VT_API_KEY is not set; no lookups made\n"));
        let shown = text(&output.stdout);
        assert!(shown.contains("bad.example.com") && !shown.contains("VT "), "{shown}");
    }
    // Nor is anything asked where the option is not given.
    let plain = run(&scratch, address, &[&dns, "--dns"]);
    assert_eq!((plain.status.code(), text(&plain.stderr).as_str()), (Some(0), ""));
    assert!(!text(&plain.stdout).contains("VT "));
    assert_eq!(paths(&questions).len(), 0);
}

#[test]
fn failures_are_told_once_and_the_report_is_whole() {
    let scratch = Scratch::new("vt-fails");
    let (dns, _) = capture(&scratch);
    // A port on which nobody listens.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(&scratch, closed, &[&dns, "-vt"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), format!("pcapper: {closed}: could not connect\n")));
    let shown = text(&output.stdout);
    assert!(shown.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == ["VT", ":", "unavailable"]), "{shown}");
    assert!(shown.contains("bad.example.com") && shown.contains("printer.local"), "{shown}");

    for (status, body, reason, asked) in [
        (401, "", "VT_API_KEY is refused", 1),
        (403, "", "VT_API_KEY is refused", 1),
        (429, "", "the quota of the key is used up", 1),
        (500, "", "answers with status 500", 2),
        (302, "", "answers with status 302", 2),
        (200, "{\"data\":7}", "an answer cannot be read", 2),
    ] {
        let (address, questions) = service(move |_| (status, body.to_owned()));
        let output = run(&scratch, address, &[&dns, "-vt"]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), format!("pcapper: {address}: {reason}\n")), "{status}");
        assert_eq!(paths(&questions).len(), asked, "{status}");
    }
    // Part of the answers.
    let (address, _) = service(|path| if path.contains("bad") { known("x") } else { (503, String::new()) });
    let output = run(&scratch, address, &[&dns, "-vt"]);
    assert!(output.status.code() == Some(1) && text(&output.stdout).contains("incomplete"), "{}", text(&output.stdout));
}

#[test]
fn limits_and_misuse() {
    let scratch = Scratch::new("vt-limits");
    let (dns, _) = capture(&scratch);
    let (address, questions) = service(|_| known("x"));
    let output = at(&scratch, address, &[&dns, "-vt"]).env("PCAPPER_VT_MAX_LOOKUPS", "1").output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(1), "pcapper: 1 indicators were not looked up: a run looks up 1 at most (PCAPPER_VT_MAX_LOOKUPS)\n")
    );
    assert_eq!(paths(&questions), ["domains/bad.example.com"]);
    let refused = |variable: &str, value: &str, words: &[&str]| {
        let output = at(&scratch, address, words).env(variable, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}={value}");
        text(&output.stderr)
    };
    assert_eq!(refused("PCAPPER_VT_RATE", "0", &[&dns, "-vt"]), "pcapper: PCAPPER_VT_RATE=0: a number of 1 or more is needed\n");
    assert_eq!(refused("PCAPPER_VT_MAX_LOOKUPS", "many", &[&dns, "-vt"]), "pcapper: PCAPPER_VT_MAX_LOOKUPS=many: a number of 0 or more is needed\n");
    let elsewhere = refused("PCAPPER_VT_URL", "http://192.0.2.1/", &[&dns, "-vt"]);
    assert_eq!(elsewhere, "pcapper: PCAPPER_VT_URL=http://192.0.2.1/: http:// and a loopback address are needed\n");
    assert_eq!(refused("PCAPPER_VT_RATE", "9", &[&dns, "-vt", "--sql", "SELECT 1"]), "pcapper: -vt is about reports, not about --sql\n");
    assert_eq!(paths(&questions).len(), 1);
    // In a settings file it is no wish for the names of DNS, and `--no-vt` takes it back.
    std::fs::write(scratch.path("team.toml"), "[defaults]\nvt = true\n").unwrap();
    let shown = text(&run(&scratch, address, &[&dns, "--config", "team.toml", "--arp"]).stdout);
    assert!(shown.contains("ARP ANALYSIS") && !shown.contains("DNS ANALYSIS"), "{shown}");
    let shown = text(&run(&scratch, address, &[&dns, "--config", "team.toml", "--dns", "--no-vt"]).stdout);
    assert!(shown.contains("DNS ANALYSIS") && !shown.contains("VT "), "{shown}");
    assert_eq!(paths(&questions).len(), 1);
}
