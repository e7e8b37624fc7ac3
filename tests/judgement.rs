//! What the judging flags say of the samples, and which options they refuse.

mod common;

use common::{Scratch, pcapper, rows, run, sample, text};
use serde_json::Value;

/// The rows of a section in an exported report.
fn section(lake: &std::path::Path, arguments: &[&str], analyzer: &str, name: &str) -> Vec<Value> {
    let file = lake.join("report.json");
    let mut all = arguments.to_vec();
    let path = file.to_string_lossy().into_owned();
    all.extend(["--json", &path]);
    let output = run(lake, &all);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let sections = report["summaries"][analyzer]["sections"].as_array().cloned().unwrap_or_default();
    let found = sections.iter().find(|section| section["name"] == name).unwrap_or_else(|| panic!("no section {name}"));
    found["rows"].as_array().cloned().unwrap()
}

#[test]
fn threats_name_who_explored_and_wrote() {
    let scratch = Scratch::new("threats");
    let rows = section(&scratch.0, &[&sample("modbus.pcap"), "--threats"], "threats", "Critical and high");
    let found = rows.iter().find(|row| row["title"] == "A controller was explored, then written").unwrap();
    assert_eq!((found["src_ip"].as_str(), found["dst_ip"].as_str()), (Some("192.168.50.30"), Some("192.168.50.10")));
    assert_eq!(found["techniques"], serde_json::json!(["T0855", "T0836"]));
    assert!(!found["frames"].as_array().unwrap().is_empty());
}

#[test]
fn ordinary_samples_are_quiet() {
    let scratch = Scratch::new("quiet");
    for name in ["ntp.pcap", "lldp.pcap", "tls.pcapng"] {
        let found = rows(&scratch.0, &sample(name), "SELECT detection FROM findings WHERE severity IN ('critical', 'high')");
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

/// Captures asked together are judged each on its own: no finding mixes two, and each names its capture.
#[test]
fn captures_asked_together_are_judged_apart() {
    let scratch = Scratch::new("apart");
    // Some detections compare captures, or judge a host by what all of them show; and some samples share addresses.
    let query = "SELECT capture, detection, severity, frame, details, src_ip, dst_ip, count FROM findings WHERE source NOT IN ('correlate', 'compromised', 'baseline', 'threats')";
    let names = [
        "arp.pcap",
        "dhcp.pcap",
        "dnp3.pcap",
        "dns.pcap.gz",
        "goose.pcap",
        "iec104.pcap",
        "logins.pcap",
        "modbus.pcap",
        "s7.pcap",
        "smb.pcap",
        "tcp.pcapng",
        "udp.pcap",
    ];
    let captures: Vec<String> = names.iter().map(|name| sample(name)).collect();
    let lines = |rows: Vec<Value>| -> Vec<String> { rows.iter().map(Value::to_string).collect() };
    let mut apart: Vec<String> = captures.iter().flat_map(|capture| lines(rows(&scratch.0, capture, query))).collect();
    apart.sort();
    let mut arguments: Vec<&str> = captures.iter().map(String::as_str).collect();
    arguments.extend(["--sql", query, "--format", "jsonl"]);
    let output = run(&scratch.0, &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut together: Vec<String> = text(&output.stdout).lines().map(|line| serde_json::from_str::<Value>(line).unwrap().to_string()).collect();
    together.sort();
    assert!(apart.len() > 50, "{}", apart.len());
    let missing: Vec<&String> = apart.iter().filter(|row| !together.contains(row)).collect();
    let added: Vec<&String> = together.iter().filter(|row| !apart.contains(row)).collect();
    assert!(missing.is_empty() && added.is_empty(), "only apart: {missing:#?}\nonly together: {added:#?}");
}

#[test]
fn a_timeline_tells_what_one_host_did() {
    let scratch = Scratch::new("timeline");
    let capture = sample("plant.pcapng");
    let events = section(&scratch.0, &[&capture, "--timeline", "-ip", "192.168.50.20"], "timeline", "Events");
    let told: Vec<&str> = events.iter().filter(|event| event["category"] == "Modbus").filter_map(|event| event["summary"].as_str()).collect();
    let writes: Vec<usize> = ["write write_single_register holding:40001 unit 1", "write write_single_coil coil:00002 unit 1"]
        .iter()
        .map(|write| told.iter().position(|summary| summary == write).unwrap_or_else(|| panic!("{told:?}")))
        .collect();
    assert!(writes.is_sorted(), "{told:?}");
    let only = section(&scratch.0, &[&capture, "--timeline", "-ip", "192.168.50.20", "-categories", "arp"], "timeline", "Events");
    assert!(only.iter().all(|event| event["category"] == "ARP"), "{only:?}");
    let bins = section(&scratch.0, &[&capture, "--timeline", "-ip", "192.168.50.20", "--timeline-bins", "7"], "timeline", "Activity");
    assert!(!bins.is_empty() && bins.iter().all(|row| row["activity"].as_str().unwrap().chars().count() == 7), "{bins:?}");
    let output = text(&run(&scratch.0, &[&capture, "--timeline", "-ip", "192.168.50.20", "--timeline-storyline-off"]).stdout);
    assert!(output.contains("Events") && !output.contains("Storyline"), "{output}");
}

#[test]
fn options_of_the_timeline_are_checked_first() {
    let scratch = Scratch::new("timeline-options");
    let cases: &[(&[&str], &str)] = &[
        (&["absent.pcap", "--timeline"], "pcapper: --timeline needs the host: -ip ADDR"),
        (&["absent.pcap", "--timeline", "-ip", "10.0.0.0/40"], "pcapper: -ip 10.0.0.0/40: not a network"),
        (&["absent.pcap", "--timeline-bins", "9"], "pcapper: --timeline-bins needs --timeline"),
        (&["absent.pcap", "--timeline", "-ip", "::1", "--timeline-bins", "501"], "pcapper: --timeline-bins 501: a number from 1 to 500 is needed"),
    ];
    for (arguments, message) in cases {
        let output = run(&scratch.0, arguments);
        assert_eq!((output.status.code(), text(&output.stderr).trim_end()), (Some(2), *message));
    }
    let unknown = run(&scratch.0, &["absent.pcap", "--timeline", "-ip", "::1", "-categories", "DNS,modbuss"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("did you mean Modbus?"));
    let list = pcapper(&scratch.0, &["-categories", "false"]).output().unwrap();
    assert_eq!(list.status.code(), Some(0));
    let list = text(&list.stdout);
    assert!(list.starts_with("Supported timeline categories:\nNon-OT:\n  - ARP\n") && list.contains("\nOT/ICS:\n  - BACnet\n"), "{list}");
}

/// A jump host that is logged in to, then writes to a controller that it never spoke to while others polled it.
#[test]
fn the_jump_host_of_the_plant_is_a_pivot() {
    let scratch = Scratch::new("pivot");
    let found = rows(
        &scratch.0,
        &sample("plant.pcapng"),
        "SELECT detection, severity, src_ip, dst_ip, frames, details FROM findings WHERE severity IN ('critical', 'high')",
    );
    let [pivot] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (&pivot["detection"], &pivot["src_ip"], &pivot["dst_ip"]),
        (&"chain_it_to_ot".into(), &"192.168.50.20".into(), &"192.168.50.10".into())
    );
    assert_eq!(pivot["frames"], serde_json::json!([340, 349]));
    let details = pivot["details"].as_str().unwrap();
    assert!(details.starts_with("entered by 10.20.30.100 on port 22") && details.contains("write holding:40001 = 2900"), "{details}");
}

/// A capture of UDP datagrams: second, sender's and receiver's last octets.
fn datagrams(path: &std::path::Path, sent: impl Iterator<Item = (u32, u8, u8)>) -> String {
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for (second, from, to) in sent {
        let mut frame = vec![2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, from, 10, 0, 0, to];
        frame.extend_from_slice(&[0x9c, 0x40, 0x9c, 0x41, 0, 12, 0, 0, 1, 2, 3, 4]);
        if from > to {
            frame[34..38].copy_from_slice(&[0x9c, 0x41, 0x9c, 0x40]);
        }
        for field in [1_700_000_000 + second, 0, frame.len() as u32, frame.len() as u32] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&frame);
    }
    std::fs::write(path, bytes).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn silence_and_late_company_are_noted() {
    let scratch = Scratch::new("noted");
    let steady = (0..700).filter(|second| !(300..340).contains(second)).flat_map(|second| [(second, 1, 2), (second, 2, 1)]);
    let late = [(699, 1, 3), (699, 3, 1)];
    let capture = datagrams(&scratch.path("steady.pcap"), steady.chain(late));
    let found = rows(
        &scratch.0,
        &capture,
        "SELECT detection, severity, src_ip, details, frames FROM findings WHERE source = 'timeline' ORDER BY detection, src_ip",
    );
    let told: Vec<(&str, &str, &str)> =
        found.iter().map(|row| (row["detection"].as_str().unwrap(), row["src_ip"].as_str().unwrap(), row["details"].as_str().unwrap())).collect();
    let silence = "41 s without a frame, usually 1.0 s";
    assert_eq!(
        told,
        [("timeline_first_contact", "10.0.0.1", "10.0.0.3 (40001)"), ("timeline_gap", "10.0.0.1", silence), ("timeline_gap", "10.0.0.2", silence)]
    );
    assert!(found.iter().all(|row| row["severity"] == "info"));
    assert_eq!(found[1]["frames"], serde_json::json!([599, 601]));
}

#[test]
fn categories_are_listed_in_every_way_of_saying_no() {
    let scratch = Scratch::new("timeline-categories");
    let listed = |arguments: &[&str]| {
        let output = run(&scratch.0, arguments);
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{arguments:?}");
        text(&output.stdout)
    };
    let list = listed(&["--timeline-categories", "false"]);
    for word in ["no", "NONE", "0", "", "DNS,false"] {
        assert_eq!(listed(&["-categories", word]), list, "{word}");
    }
    for group in list.split("OT/ICS:\n") {
        let names: Vec<String> = group.lines().filter_map(|line| line.strip_prefix("  - ")).map(str::to_lowercase).collect();
        assert!(names.len() > 20 && names.is_sorted(), "{names:?}");
    }
    // Blanks and case do not matter.
    let plant = sample("plant.pcapng");
    let shown = listed(&[&plant, "--timeline", "-ip", "192.168.50.20", "-categories", " modBUS ,  ms   domain"]);
    assert!(shown.contains("\nModbus ") && !shown.contains("\nARP "), "{shown}");
}

#[test]
fn sparklines_are_plain_where_the_terminal_is() {
    let scratch = Scratch::new("timeline-plain");
    let plant = sample("plant.pcapng");
    let shown = |language: &str| {
        let arguments = [plant.as_str(), "--timeline", "-ip", "192.168.50.10", "--timeline-bins", "10"];
        let output = pcapper(&scratch.0, &arguments).env("LC_ALL", language).output().unwrap();
        text(&output.stdout).lines().find(|line| line.starts_with("Modbus ")).unwrap().to_owned()
    };
    assert!(shown("C").is_ascii() && shown("C").contains('#'), "{}", shown("C"));
    assert!(shown("C.UTF-8").contains('█') && shown("C.UTF-8").trim_end().ends_with(" s"), "{}", shown("C.UTF-8"));
    // Several hosts, or a network: each event says whose it is; another spelling of an address is the same.
    let rows = section(&scratch.0, &[&plant, "--timeline", "-ip", "192.168.50.0/24, ::ffff:10.0.0.1"], "timeline", "Events");
    let hosts: std::collections::BTreeSet<&str> = rows.iter().filter_map(|row| row["host"].as_str()).collect();
    assert!(hosts.len() > 2, "{hosts:?}");
    let times: Vec<&str> = rows.iter().filter_map(|row| row["time"].as_str().or(row["ts"].as_str())).collect();
    assert!(!times.is_empty() && times.is_sorted());
}
