//! `--summarize`: one answer over several captures, as if they were one.

mod common;

use std::fs;

use common::{Scratch, Talk, pcapper, run, sample, text};
use serde_json::Value;

/// Two captures of one talk each: three matches of a word in the first, one in the second, and a file in each.
fn talks(scratch: &Scratch) -> [String; 2] {
    let mut first = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 80);
    first.send(true, b"GET /plan.txt HTTP/1.1\r\nHost: geheim.example\r\n\r\n", 500);
    first.send(false, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nGeheim, geheim", 500);
    let mut second = Talk::new([10, 0, 0, 3], [10, 0, 0, 2], 80);
    second.send(true, b"GET /plan-b.txt HTTP/1.1\r\nHost: x.example\r\n\r\n", 500);
    second.send(false, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\ngeheim", 500);
    [first.write(&scratch.path("one.pcap")), second.write(&scratch.path("two.pcap"))]
}

#[test]
fn a_search_is_one_report_with_the_totals_of_each_capture() {
    let scratch = Scratch::new("merged-search");
    let [one, two] = talks(&scratch);
    let lake = scratch.path("lake");
    let output = run(&lake, &[&one, &two, &sample("arp.pcap"), "nope.pcap", "--search", "geheim", "--summarize"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    assert_eq!(report.matches(" :: ").count(), 1, "{report}");
    for part in [
        "SEARCH RESULTS :: ALL PCAPS (3)\n",
        "PCAPs Analyzed           : 3\n",
        "Matches                  : 4\n",
        "Packets Matched          : 3\n",
        "Match Details\nPCAP      Pkt  ",
        "one.pcap  4    ",
        "two.pcap  5    ",
        "Per-PCAP Match Totals\nPCAP      Matches  Packets  Shown Hits  Errors\none.pcap  3        2        3           -\ntwo.pcap  1        1        1           -\narp.pcap  0        0        0           -\n",
        "\nSkipped\n",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
    let document = run(&lake, &[&one, &two, "--search", "geheim", "--summarize", "--json", "-"]);
    let document: Value = serde_json::from_slice(&document.stdout).unwrap();
    let sections = document["summaries"]["search"]["sections"].as_array().unwrap();
    let details = sections.iter().find(|section| section["name"] == "Match Details").unwrap();
    assert_eq!(details["rows"].as_array().unwrap().len(), 4);
    let apart = text(&run(&lake, &[&one, &two, "--search", "geheim"]).stdout);
    assert_eq!(apart.matches("SEARCH RESULTS :: ").count(), 2, "{apart}");
    assert!(!apart.contains("Per-PCAP"), "{apart}");
}

#[test]
fn files_of_all_captures_are_one_list() {
    let scratch = Scratch::new("merged-extract");
    let [one, two] = talks(&scratch);
    let output = pcapper(&scratch.path("lake"), &[&one, &two, "--extract", "plan", "--summarize"]).current_dir(&scratch.0).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    assert_eq!(report.matches("FILE EXTRACTION :: ALL PCAPS (2)").count(), 1, "{report}");
    assert!(report.contains("Matched                  : 2\n") && report.contains("\none.pcap  5      http    plan.txt"), "{report}");
    assert_eq!(fs::read(scratch.path("files/plan.txt")).unwrap(), b"Geheim, geheim");
    assert_eq!(fs::read(scratch.path("files/plan-b.txt")).unwrap(), b"geheim");
}

#[test]
fn packets_and_streams_are_shown_of_each_capture_that_has_them() {
    let scratch = Scratch::new("merged-packet");
    let [one, two] = talks(&scratch);
    let (lake, arp) = (scratch.path("lake"), sample("arp.pcap"));
    let output = run(&lake, &[&one, &arp, "--packet", "20", "--summarize"]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "one of them has it");
    assert!(text(&output.stdout).contains("PACKET VIEW :: arp.pcap :: #20"));
    let none = run(&lake, &[&one, &arp, "--packet", "99", "--summarize"]);
    assert_eq!(
        (none.status.code(), text(&none.stderr).as_str()),
        (Some(1), "pcapper: one.pcap: no packet 99 (8 packets)\npcapper: arp.pcap: no packet 99 (28 packets)\n")
    );
    let followed = run(&lake, &[&one, &two, "--follow", "10.0.0.3:40000->10.0.0.2:80", "--summarize"]);
    assert_eq!(followed.status.code(), Some(0), "{}", text(&followed.stderr));
    let shown = text(&followed.stdout);
    assert!(shown.contains("STREAM :: two.pcap") && !shown.contains("STREAM :: one.pcap"), "{shown}");
}

/// What a capture is cut into is told as the whole: counts, distinct names, medians and detections that need all parts.
#[test]
fn parts_together_tell_what_the_whole_tells() {
    let scratch = Scratch::new("merged-parts");
    let lake = scratch.path("lake");
    let whole = fs::read(sample("modbus.pcap")).unwrap();
    let mut ends = vec![24];
    while *ends.last().unwrap() < whole.len() {
        let at = *ends.last().unwrap();
        ends.push(at + 16 + u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap()) as usize);
    }
    let middle = ends[ends.len() / 2];
    let parts = [("first.pcap", 24..middle), ("second.pcap", middle..whole.len())].map(|(name, range)| {
        fs::write(scratch.path(name), [&whole[..24], &whole[range]].concat()).unwrap();
        scratch.path(name).to_string_lossy().into_owned()
    });
    let tables = |arguments: &[&str]| {
        let output = run(&lake, &[arguments, &["--sizes", "--udp", "--arp", "--json", "-"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let facts = &document["summaries"]["sizes"]["sections"];
        let mut rows = facts.as_array().unwrap().iter().find(|section| section["shape"] == "table").unwrap()["rows"].clone();
        // The rate is over the captures' own durations, and these leave out the pause between two of them.
        rows.as_array_mut().unwrap().iter_mut().for_each(|row| row.as_object_mut().unwrap().retain(|column, _| column != "Rate per ms"));
        rows
    };
    assert_eq!(tables(&[&sample("modbus.pcap")]), tables(&[&parts[0], &parts[1], "--summarize"]));
    // One capture: the same rows, and the title of all.
    assert_eq!(tables(&[&sample("modbus.pcap")]), tables(&[&sample("modbus.pcap"), "--summarize"]));
}

#[test]
fn captures_that_fail_are_listed_and_none_left_is_nothing_done() {
    let scratch = Scratch::new("merged-failed");
    let none = run(&scratch.0, &["nope.pcap", "gone.pcap", "--arp", "--summarize"]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(2), 0));
    assert_eq!(text(&none.stderr), "pcapper: nope.pcap: no such file or directory\npcapper: gone.pcap: no such file or directory\n");
    let cut = scratch.path("cut.pcap");
    fs::write(&cut, &fs::read(sample("arp.pcap")).unwrap()[..300]).unwrap();
    let partly = run(&scratch.0, &[&cut.to_string_lossy(), &sample("ntp.pcap"), "--arp", "--summarize"]);
    assert_eq!(partly.status.code(), Some(1));
    assert!(text(&partly.stdout).contains("Total Packets            : 44\n"), "{}", text(&partly.stdout));
}

#[test]
fn rules_indicators_and_timelines_are_merged_too() {
    let scratch = Scratch::new("merged-more");
    let (plant, goose) = (sample("plant.pcapng"), sample("goose.pcap"));
    let list = scratch.path("list.txt");
    fs::write(&list, "192.168.50.0/24\n").unwrap();
    let output = run(&scratch.0, &[&plant, &goose, "--timeline", "-ip", "192.168.50.10", "--ioc-file", &list.to_string_lossy(), "--summarize"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    let titles: Vec<&str> = report.lines().filter(|line| line.contains(" :: ")).collect();
    assert_eq!(titles, ["TIMELINE :: ALL PCAPS (2)", "IOC ANALYSIS :: ALL PCAPS (2)"], "in the order given");
}
