//! What README prints can be typed: every command runs, and what is shown beneath it is what it says.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Scratch, sample, text};

/// The samples that stand where README names a user's captures.
const STAND_INS: [(&str, &str); 6] = [
    ("capture.pcap", "http.pcap"),
    ("office.pcap", "windows.pcap"),
    ("plant.pcapng", "plant.pcapng"),
    ("x.pcap", "tls.pcapng"),
    ("captures/dns.pcap.gz", "dns.pcap.gz"),
    ("week/monday.pcapng", "tcp.pcapng"),
];

/// Words of README's examples, and those that the samples know.
const WORDS: [(&str, &str); 5] = [
    ("-ip 10.0.0.7", "-ip 10.20.30.50"),
    ("host 10.0.0.7", "host 192.168.50.30"),
    ("10.0.0.7:40000->10.0.0.1:502", "CLIENT"),
    ("ip=10.0.0.1", "ip=10.20.30.10"),
    ("sha256 = '...'", "sha256 IS NULL"),
];

/// The commands that README prints, each with what it shows beneath.
fn printed() -> Vec<(String, Vec<String>)> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for block in readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => commands.push((command.to_owned(), Vec::new())),
                None => commands.last_mut().unwrap().1.push(line.to_owned()),
            }
        }
    }
    commands
}

#[test]
fn every_command_runs_as_printed() {
    let scratch = Scratch::new("readme");
    for folder in ["captures", "week", "evidence", "bin"] {
        fs::create_dir_all(scratch.path(folder)).unwrap();
    }
    for (name, stand_in) in STAND_INS {
        fs::copy(sample(stand_in), scratch.path(name)).unwrap();
    }
    fs::copy(sample("arp.pcap"), scratch.path("evidence/arp.pcap")).unwrap();
    fs::write(scratch.path("q.sql"), "SELECT count(*) AS n FROM flows WHERE src_ip = $ip OR dst_ip = $ip;\n").unwrap();
    fs::write(scratch.path("big.pcap.gz"), fs::read(sample("dns.pcap.gz")).unwrap()).unwrap();
    std::os::unix::fs::symlink(sample(""), scratch.path("sample-data")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_pcapper"), scratch.path("bin/pcapper")).unwrap();
    let lake = scratch.path("lake");
    let query = "SELECT CAST(src_ip AS VARCHAR) || ':' || src_port || '->' || CAST(dst_ip AS VARCHAR) || ':' || dst_port AS flow FROM flows WHERE service = 'modbus' LIMIT 1";
    let flow = common::rows(&lake, &sample("plant.pcapng"), query)[0]["flow"].as_str().unwrap().to_owned();
    let path = format!("{}:{}", scratch.path("bin").display(), std::env::var("PATH").unwrap());
    let mut ran = 0;
    for (command, shown) in printed() {
        // The hunts have a test of their own; what builds is no command of pcapper's.
        if command.starts_with("pcapper sample-data --sql") || command.starts_with("cargo ") {
            continue;
        }
        let mut typed = command.split("  #").next().unwrap().to_owned();
        for (word, known) in WORDS {
            typed = typed.replace(word, if known == "CLIENT" { &flow } else { known });
        }
        if typed.contains("--shell") {
            typed = format!("echo '\\\\d' | {typed}");
        }
        let output = Command::new("sh")
            .args(["-c", &typed])
            .current_dir(&scratch.0)
            .env("PATH", &path)
            .env("PCAPPER_LAKE", &lake)
            .env("PCAPPER_CONFIG", "")
            .output()
            .unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{command} as {typed}");
        assert!(!output.stdout.is_empty(), "{command}");
        if !shown.is_empty() {
            assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), shown, "{command}");
        }
        ran += 1;
    }
    assert!(ran >= 18, "{ran}");
    for made in ["findings.json", "report.html", "evidence.pcapng", "case42"] {
        assert!(scratch.path(made).exists(), "{made}");
    }
}

/// The story that README begins with.
#[test]
fn the_first_report_ends_as_shown() {
    let scratch = Scratch::new("readme-first");
    let report = text(&common::run(&scratch.0, &[&sample("plant.pcapng"), "--modbus"]).stdout);
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let excerpt = readme.split("What the first command prints ends like this:\n\n```\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut rest = report.as_str();
    for part in excerpt.split("...\n") {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("not there, or out of order:\n{part}\n{report}"));
        rest = after;
    }
    assert_eq!(rest.trim_end(), "=".repeat(72));
}
