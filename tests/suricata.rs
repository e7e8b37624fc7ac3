//! `--suricata`: an eve.json beside our own findings, and the engine that is run for one.

mod common;

use common::{Scratch, pcapper, rows, run, sample, text};
use serde_json::Value;

fn eve() -> String {
    format!("--suricata={}", sample("http.eve.json"))
}

#[test]
fn alerts_stand_beside_our_findings() {
    let scratch = Scratch::new("suricata");
    let output = run(&scratch.0, &[&sample("http.pcap"), &eve()]);
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stderr);
    assert!(
        told.starts_with("pcapper: --suricata: not understood: ") && told.contains("http.eve.json:3: EOF while parsing") && told.lines().count() == 1,
        "{told}"
    );
    let report = text(&output.stdout);
    for line in [
        "Alerts                   : 5",
        "Of no flow here          : 1",
        "Rules                    : 4",
        "tcp.reassembly_gap",
        "stream.pkt_broken_ack",
        "not in these captures",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    let said = |word: &str| report.lines().filter(|line| line.starts_with(word)).count();
    assert!(said("both ") >= 2 && said("only Suricata ") == 1, "{report}");
    assert!(report.contains("[HIGH] Suricata: LOCAL Basic login without encryption"), "{report}");
}

#[test]
fn findings_and_tables_for_sql() {
    let scratch = Scratch::new("suricata-sql");
    let ask = |query: &str| -> Vec<Value> {
        let output = run(&scratch.0, &[&sample("http.pcap"), &eve(), "--sql", query, "--format", "jsonl"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let found = ask("SELECT severity, src_ip, dst_ip, frames, techniques FROM findings WHERE detection = 'ids_alert' ORDER BY frame");
    assert_eq!(found.len(), 3);
    assert_eq!(found[1]["severity"], "high");
    assert_eq!(found[1]["frames"], serde_json::json!([247, 257]));
    assert_eq!(found[1]["techniques"], serde_json::json!(["T1552"]));
    // The alert is of the flow that our table has, and its packet is ours.
    let joined = ask("SELECT m.sid, p.frame FROM suricata_matches m JOIN packets p ON p.frame = m.packet AND p.flow_id = m.flow_id ORDER BY p.frame");
    assert_eq!(joined.len(), 4);
    let confirmed = ask("SELECT details FROM findings WHERE detection = 'ids_confirms' AND details LIKE 'http_method_risky: 9000002%'");
    assert_eq!(confirmed.len(), 1);
    assert!(ask("SELECT 1 FROM merged_findings WHERE detection = 'ids_confirms'").is_empty());
    // Nobody brought alerts: none are there.
    assert!(rows(&scratch.0, &sample("http.pcap"), "SELECT * FROM suricata_alerts").is_empty());
}

#[test]
fn what_the_user_asks_wrongly() {
    let scratch = Scratch::new("suricata-wrong");
    let told = |arguments: &[&str]| {
        let mut command = pcapper(&scratch.0, arguments);
        let output = command.env("PATH", "/nonexistent").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        text(&output.stderr)
    };
    let capture = sample("http.pcap");
    assert_eq!(
        told(&[&capture, "--suricata"]),
        "pcapper: --suricata: Suricata is not installed (not in PATH); --suricata=FILE reads the eve.json of a run elsewhere\n"
    );
    assert!(told(&[&capture, "--suricata=nope.json"]).starts_with("pcapper: --suricata nope.json: "));
    assert!(told(&[&capture, &format!("--suricata={}", sample("README.md"))]).contains("README.md:1: "));
    assert_eq!(
        told(&[&capture, &eve(), "--set", "suricata.sid=1"]),
        "pcapper: --set suricata.sid=1: --suricata has config, rules, events, sids, without, seconds\n"
    );
    assert_eq!(told(&[&capture, "--http", "--set", "suricata.sids=1"]), "pcapper: --set suricata.sids=1 needs --suricata\n");
    let output = run(&scratch.0, &[&capture, &eve(), "--set", "suricata.sids=9000002"]);
    assert!(text(&output.stdout).contains("Alerts                   : 1\n"), "{}", text(&output.stdout));
}

/// A stand-in for the engine: what it is asked, what it writes, and how it fails.
#[cfg(unix)]
#[test]
fn the_engine_is_run() {
    use std::os::unix::fs::PermissionsExt as _;

    let scratch = Scratch::new("suricata-engine");
    let engine = |body: &str| {
        let folder = scratch.path("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("suricata");
        std::fs::write(&program, format!("#!/bin/sh\nif [ \"$1\" = -V ]; then echo 'This is Suricata version 9.9.9 RELEASE'; exit 0; fi\n{body}\n"))
            .unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let asked = |arguments: &[&str]| {
        let path = format!("{}:/usr/bin:/bin", scratch.path("bin").display());
        let output = pcapper(&scratch.0, arguments).env("PATH", path).env("TMPDIR", &scratch.0).output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let capture = sample("http.pcap");
    engine(&format!("echo \"$@\" > {}; cp {} \"$4/eve.json\"", scratch.path("asked").display(), sample("http.eve.json")));
    let (status, report, told) = asked(&[&capture, "--suricata", "--set", "suricata.rules=our.rules"]);
    assert_eq!(status, Some(0), "{told}");
    assert!(report.contains("9.9.9 RELEASE") && report.contains("Alerts                   : 5"), "{report}");
    let words = std::fs::read_to_string(scratch.path("asked")).unwrap();
    assert!(
        words.starts_with("-r ") && words.contains("/frames.pcapng -l ") && words.ends_with("-k none --runmode single -S our.rules\n"),
        "{words}"
    );
    // Nothing is left of its folder.
    assert!(!std::fs::read_dir(&scratch.0).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("pcapper-suricata-")));

    engine("echo 'no rules' >&2; exit 3");
    let (status, _, told) = asked(&[&capture, "--suricata"]);
    assert!(status != Some(0) && told.contains("Suricata ended with exit status: 3: no rules"), "{told}");
    engine("exec sleep 60");
    let (status, _, told) = asked(&[&capture, "--suricata", "--set", "suricata.seconds=1"]);
    assert!(status != Some(0) && told.contains("stopped after 1 s"), "{told}");
}
