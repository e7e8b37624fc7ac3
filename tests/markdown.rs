//! `--markdown`: a ticket's text in which nothing of a packet is more than text.

mod common;
#[path = "common/hostile.rs"]
mod hostile;

use std::fs;

use common::{Scratch, run, sample, text};

fn document(scratch: &Scratch, arguments: &[&str]) -> String {
    let path = scratch.path("report.md");
    let shown = path.to_string_lossy().into_owned();
    let output = run(&scratch.0.join("lake"), &[arguments, &["--markdown", &shown]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    fs::read_to_string(path).unwrap()
}

/// What is left of a line when its code spans are gone.
fn outside_code(line: &str) -> String {
    assert_eq!(line.matches('`').count() % 2, 0, "code is left open: {line}");
    line.split('`').step_by(2).collect()
}

#[test]
fn a_ticket_has_findings_and_tables() {
    let scratch = Scratch::new("markdown");
    let whole = document(&scratch, &[&sample("plant.pcapng")]);
    for line in [
        "# Network capture report",
        "## `plant.pcapng`",
        "- Packets: `563`",
        "#### LOW: A client read the identity of devices",
        "- Detection `modbus_identity_read`, ATT&CK `T0888`",
        "**Conversations**",
    ] {
        assert!(whole.lines().any(|known| known == line), "{line}\n{whole}");
    }
    assert!(whole.contains("`192.168.50.20 -> 192.168.50.10`; 2026-11-23T"));
    let asked = document(&scratch, &[&sample("plant.pcapng"), "--modbus"]);
    assert!(asked.contains("### MODBUS ANALYSIS") && asked.contains("**Writes**") && asked.contains("`holding:40001`"));
    assert_eq!(asked, document(&scratch, &[&sample("plant.pcapng"), "--modbus"]));
}

#[test]
fn tables_are_whole() {
    let scratch = Scratch::new("markdown-tables");
    let whole = document(&scratch, &[&sample("logins.pcap"), "--ntlm", "--kerberos"]);
    let mut columns = None;
    let mut tables = 0;
    for line in whole.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        assert!(line.ends_with('|'), "{line}");
        let count = line.matches('|').count();
        tables += usize::from(columns.is_none());
        assert_eq!(*columns.get_or_insert(count), count, "{line}");
    }
    assert!(tables > 3);
}

#[test]
fn nothing_of_a_packet_is_markup() {
    let scratch = Scratch::new("markdown-hostile");
    let capture = scratch.path("@all [x](http:).pcap");
    hostile::write(&capture);
    for flags in [&[][..], &["--dns", "--syslog"]] {
        let whole = document(&scratch, &[&[&*capture.to_string_lossy()], flags].concat());
        for line in whole.lines() {
            let outside = outside_code(line);
            for mark in ["<", "@", "](", "http", "www", "evil", "\u{202e}", "onload", "#12"] {
                assert!(!outside.contains(mark), "{mark} in {line}");
            }
            if line.starts_with('|') {
                assert_eq!(line.matches('|').count(), outside.matches('|').count(), "a cell that splits: {line}");
            }
        }
    }
    let whole = document(&scratch, &[&capture.to_string_lossy(), "--dns", "--syslog"]);
    assert!(whole.contains("<script>alert(1)</script>") && whole.contains("\\x7c") && whole.contains("\\x60"), "{whole}");
}

#[test]
fn it_fits_a_tracker() {
    let scratch = Scratch::new("markdown-size");
    let captures: Vec<String> =
        ["plant.pcapng", "logins.pcap", "mail.pcap", "smb.pcap", "iec104.pcap", "industrial.pcap", "winrm.pcap"].map(sample).to_vec();
    let arguments: Vec<&str> = captures.iter().map(String::as_str).collect();
    assert!(document(&scratch, &arguments).len() <= 61_000);
}
