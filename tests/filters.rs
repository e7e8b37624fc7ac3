//! `--bpf`, `--time-start`, `--time-end`, `-ip`: the run looks at some frames only, whatever is asked.

mod common;

use common::{Scratch, run, sample, text};
use serde_json::Value;

/// The only number that a query gives, under the options.
fn count(lake: &std::path::Path, capture: &str, options: &[&str], query: &str) -> u64 {
    let mut arguments = vec![capture, "--sql", query, "--format", "jsonl"];
    arguments.extend_from_slice(options);
    let output = run(lake, &arguments);
    assert!(output.status.success(), "{options:?} {query}: {}", text(&output.stderr));
    let row: Value = serde_json::from_str(text(&output.stdout).lines().next().unwrap()).unwrap();
    row.as_object().unwrap().values().next().unwrap().as_u64().unwrap()
}

#[test]
fn every_table_is_narrowed_to_the_frames_that_match() {
    let scratch = Scratch::new("bpf");
    let plant = sample("plant.pcapng");
    let packets = "SELECT count(*) FROM packets";
    // What tcpdump counts.
    for (expression, frames) in [("", 563), ("tcp port 502", 374), ("arp", 24), ("src or dst host 192.168.50.20", 79), ("tcp[13] & 2 != 0", 18)] {
        assert_eq!(count(&scratch.0, &plant, &["--bpf", expression], packets), frames, "{expression}");
    }
    let jump_host = ["--bpf", "host 192.168.50.20"];
    assert_eq!(count(&scratch.0, &plant, &jump_host, "SELECT count(*) FROM modbus WHERE src_ip <> '192.168.50.20' AND dst_ip <> '192.168.50.20'"), 0);
    assert!(count(&scratch.0, &plant, &jump_host, "SELECT count(*) FROM modbus") > 0);
    assert_eq!(count(&scratch.0, &plant, &["--bpf", "udp"], "SELECT count(*) FROM modbus"), 0);
    // Findings are made of what is left, and views too.
    assert_eq!(count(&scratch.0, &plant, &["--bpf", "udp"], "SELECT count(*) FROM findings WHERE source = 'modbus'"), 0);
    assert!(count(&scratch.0, &plant, &[], "SELECT count(*) FROM findings WHERE source = 'modbus'") > 0);
    assert_eq!(count(&scratch.0, &plant, &["--bpf", "udp"], "SELECT count(*) FROM hosts WHERE ip = '192.168.50.10'"), 0);
    // A flow is in with one of its packets, and counts all of them; captures and interfaces stay.
    let syn = ["--bpf", "tcp[tcpflags] == tcp-syn"];
    assert_eq!(count(&scratch.0, &plant, &syn, packets), 9);
    assert_eq!(count(&scratch.0, &plant, &syn, "SELECT count(*) FROM flows WHERE transport = 'tcp'"), 9);
    assert_eq!(count(&scratch.0, &plant, &syn, "SELECT sum(orig_packets + resp_packets) FROM flows"), 501);
    assert_eq!(count(&scratch.0, &plant, &syn, "SELECT packets FROM captures"), 563);
}

#[test]
fn times_and_addresses_narrow_as_well() {
    let scratch = Scratch::new("narrow");
    let plant = sample("plant.pcapng");
    let packets = "SELECT count(*) FROM packets";
    let window = ["--time-start", "2026-11-23T06:42:30Z", "--time-end", "2026-11-23 08:42:41+02:00"];
    assert_eq!(count(&scratch.0, &plant, &window, packets), 125);
    assert_eq!(count(&scratch.0, &plant, &window, "SELECT count(*) FROM packets WHERE ts < '2026-11-23T06:42:30Z'"), 0);
    // Both ends belong to it.
    let first = common::rows(&scratch.0, &plant, "SELECT CAST(ts AS VARCHAR) AS iso, CAST(ts AS BIGINT) AS ns FROM packets WHERE frame = 1");
    let (iso, ns) = (first[0]["iso"].as_str().unwrap(), first[0]["ns"].as_i64().unwrap());
    let seconds = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    assert_eq!(count(&scratch.0, &plant, &["--time-start", iso, "--time-end", &seconds], packets), 1);
    // ARP messages are about addresses too: as many frames as tcpdump finds for the host.
    assert_eq!(count(&scratch.0, &plant, &["-ip", "192.168.50.20"], packets), 79);
    assert_eq!(count(&scratch.0, &plant, &["-ip", "192.168.50.20/32"], packets), 79);
    assert_eq!(count(&scratch.0, &plant, &["-ip", "192.168.50.20, 10.9.9.9"], "SELECT count(*) FROM arp"), 6);
    let both = ["-ip", "192.168.50.20", "--bpf", "tcp port 502"];
    let tcpdump = "host 192.168.50.20 and tcp port 502";
    assert_eq!(count(&scratch.0, &plant, &both, packets), count(&scratch.0, &plant, &["--bpf", tcpdump], packets));
}

#[test]
fn reports_and_documents_say_what_was_selected() {
    let scratch = Scratch::new("told");
    let plant = sample("plant.pcapng");
    let output = run(&scratch.0, &[&plant, "--modbus", "--bpf", "tcp port 502", "-ip", "192.168.50.20"]);
    let report = text(&output.stdout);
    assert!(report.contains("Filter                   : address 192.168.50.20; bpf tcp port 502"), "{report}");
    assert!(report.contains("Packets Selected         : 18 of 563") || report.contains("of 563"), "{report}");
    let output = run(&scratch.0, &[&plant, "--arp", "--json", "-", "--bpf", "arp", "--time-start", "2026-11-23"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["filter"], serde_json::json!({"bpf": "arp", "time_start": "2026-11-23", "time_end": null, "ip": null}));
    // Nothing selected: an empty report, and a line that says so.
    let output = run(&scratch.0, &[&plant, "--modbus", "--bpf", "tcp port 9"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "pcapper: plant.pcapng: no packet matches the filter\n");
    assert!(text(&output.stdout).contains("Packets Selected         : 0 of 563"));
}

#[test]
fn standard_input_can_be_filtered_too() {
    let scratch = Scratch::new("stdin");
    let mut child = common::pcapper(&scratch.0, &["-", "--bpf", "tcp port 502", "--sql", "SELECT count(*) AS n FROM packets", "--format", "jsonl"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &std::fs::read(sample("plant.pcapng")).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "{\"n\":374}\n");
    let left: Vec<_> =
        std::fs::read_dir(&scratch.0).unwrap().flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(".stdin")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_opened() {
    let scratch = Scratch::new("wrong");
    for (options, message) in [
        (&["--bpf", "tcp prot 80"][..], "--bpf: \"prot\" does not fit here (position 5)"),
        (&["--time-start", "2025"], "write 2025-01-01"),
        (&["--time-start", "yesterday"], "--time-start yesterday: seconds since 1970"),
        (&["--time-end", "nan"], "--time-end nan"),
        (&["--time-start", "2025-01-02", "--time-end", "2025-01-01"], "lies after --time-end"),
        (&["-ip", "plc1"], "-ip plc1: an address or a network"),
        (&["-ip", "10.0.0.0/33"], "an address or a network"),
    ] {
        let mut arguments = vec!["no-such-capture.pcap", "--arp"];
        arguments.extend_from_slice(options);
        let output = run(&scratch.0, &arguments);
        let error = text(&output.stderr);
        let first = error.lines().next().unwrap_or_default();
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(first.contains(message), "{options:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    // An expression that makes no sense for the frames there are.
    let output = run(&scratch.0, &[&sample("arp.pcap"), "--arp", "--bpf", "inbound"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("arp.pcap: --bpf: frames of link type ETHERNET do not say in which direction they went (position 1)"));
}

#[test]
fn moments_are_read_in_every_form() {
    let scratch = Scratch::new("moments");
    let plant = sample("plant.pcapng");
    let packets = "SELECT count(*) FROM packets";
    let from = |moment: &str| count(&scratch.0, &plant, &["--time-start", moment], packets);
    let wanted = from("2026-11-23T06:42:30Z");
    assert!(wanted > 0 && wanted < 563, "{wanted}");
    for moment in [
        "2026-11-23T06:42:30",
        "2026-11-23 06:42:30",
        "2026-11-23 06:42:30.000000000Z",
        "2026-11-23T08:42:30+02:00",
        "2026-11-23T08:42:30+0200",
        "2026-11-23T08:42:30+02",
        "2026-11-23T01:42:30-05",
        "1795416150",
        "1795416150.0",
        "1795416150.000000000",
    ] {
        assert_eq!(from(moment), wanted, "{moment}");
    }
    assert_eq!(from("2026-11-23"), 563);
    assert_eq!(from("2026-11-23T06:42"), from("2026-11-23T06:42:00Z"));
    for wrong in ["", "2026", "2026-13-01", "2026-02-30", "2026-11-23T25:00", "inf", "1e9", "2026-11-23T06:42:30+99", "1795416150.0000000001"] {
        let output = run(&scratch.0, &["absent.pcap", &format!("--time-end={wrong}"), "--arp"]);
        assert_eq!((output.status.code(), text(&output.stderr).lines().count()), (Some(2), 1), "{wrong}: {}", text(&output.stderr));
        assert!(!text(&output.stderr).contains("absent.pcap"), "{wrong}");
    }
}

#[test]
fn whatever_is_asked_is_narrowed() {
    let scratch = Scratch::new("narrow-all");
    let plant = sample("plant.pcapng");
    let arguments = ["--bpf", "arp", "--base", "--modbus", "--arp", "--threats", "--hosts"];
    let output = run(&scratch.0, &[&[plant.as_str()], &arguments[..]].concat());
    let report = text(&output.stdout);
    assert_eq!(report.matches("Filter                   : bpf arp\n").count(), 5, "{report}");
    assert_eq!(report.matches("Packets Selected         : 24 of 563\n").count(), 5, "{report}");
    assert!(!report.contains("A client read the identity of devices"), "{report}");
    // Exports, rules, baselines and the prompt.
    let rules = scratch.path("rules.yml").to_string_lossy().into_owned();
    std::fs::write(&rules, "id: any\nmatch: {field: severity, op: gte, value: info}\n").unwrap();
    let judged = text(&run(&scratch.0, &[&plant, "--rules", &rules, "--modbus", "--bpf", "arp"]).stdout);
    assert!(judged.contains("Matches                  : 0\n"), "{judged}");
    let saved = scratch.path("b.json").to_string_lossy().into_owned();
    run(&scratch.0, &[&plant, "--baseline-save", &saved, "--bpf", "arp"]);
    let baseline: Value = serde_json::from_slice(&std::fs::read(&saved).unwrap()).unwrap();
    assert_eq!(baseline["ot_commands"], serde_json::json!({}));
    let summarized = text(&run(&scratch.0, &[&plant, &sample("arp.pcap"), "--bpf", "arp", "--base", "--summarize"]).stdout);
    assert!(summarized.contains("Packets Selected         : 46 of 591\n"), "{summarized}");
}
