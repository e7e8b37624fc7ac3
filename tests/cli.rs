//! The binary, as its users run it, on our own sample captures.

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, facts, number, pcapper, rows, run, sample, text};
use serde_json::Value;

#[test]
fn every_sample_has_its_packets() {
    let scratch = Scratch::new("packets");
    for (file, facts) in facts().as_object().unwrap() {
        let Some(packets) = facts["packets"].as_u64() else { continue };
        assert_eq!(number(&scratch.0, &sample(file), "SELECT count(*) FROM packets"), packets, "{file}");
        assert_eq!(number(&scratch.0, &sample(file), "SELECT packets FROM captures"), packets, "{file}");
    }
}

#[test]
fn the_overview_tells_what_the_capture_is() {
    let scratch = Scratch::new("overview");
    let output = run(&scratch.0, &[&sample("plant.pcapng")]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    for line in [
        "PCAPPER REPORT :: plant.pcapng",
        "Type                     : pcapng",
        "Packets                  : 563",
        "plant           -                not net 10.20.30.0/24  ETHERNET   262144             386      ns",
        "No VLAN-tagged traffic detected.",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    assert!(report.lines().all(|line| line == line.trim_end()), "trailing blanks");
    assert!(!report.contains('\x1b'), "colour where nobody asked for it");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn dns_agrees_with_its_facts() {
    let scratch = Scratch::new("dns");
    let dns = sample("dns.pcap.gz");
    assert_eq!(number(&scratch.0, &dns, "SELECT count(*) FROM dns WHERE NOT is_response"), 25);
    assert_eq!(number(&scratch.0, &dns, "SELECT count(*) FROM dns WHERE is_response"), 23);
    assert_eq!(number(&scratch.0, &dns, "SELECT count(*) FROM dns WHERE rcode_name = 'NXDOMAIN'"), 1);
    assert_eq!(number(&scratch.0, &dns, "SELECT count(*) FROM dns WHERE transport = 'tcp'"), 6);
    assert_eq!(rows(&scratch.0, &dns, "SELECT format FROM captures")[0]["format"], "pcap+gzip");
}

#[test]
fn arp_and_lldp_agree_with_their_facts() {
    let scratch = Scratch::new("arp");
    assert_eq!(number(&scratch.0, &sample("arp.pcap"), "SELECT count(*) FROM arp WHERE operation = 'request'"), 14);
    assert_eq!(number(&scratch.0, &sample("arp.pcap"), "SELECT count(*) FROM arp WHERE operation = 'reply'"), 8);
    let names = rows(
        &scratch.0,
        &sample("lldp.pcap"),
        "SELECT system_name, count(*) AS n FROM lldp WHERE ttl_s > 0 GROUP BY system_name ORDER BY system_name",
    );
    let names: Vec<&str> = names.iter().filter_map(|row| row["system_name"].as_str()).collect();
    assert_eq!(names, ["plc1", "sw-plant-1", "sw-plant-2"]);
}

#[test]
fn mail_is_the_same_whatever_carries_it() {
    let scratch = Scratch::new("mail");
    let mail = sample("mail.pcap");
    let carried = rows(&scratch.0, &mail, "SELECT source, count(*) FILTER (WHERE complete) AS n FROM email GROUP BY source ORDER BY source");
    let carried: Vec<_> = carried.iter().map(|row| (row["source"].as_str().unwrap_or_default(), row["n"].as_u64())).collect();
    assert_eq!(carried, [("imap", Some(426)), ("lmtp", Some(4)), ("pop3", Some(1)), ("smtp", Some(1))]);
    // One mail sent with DATA, delivered in chunks, fetched in pieces, and as header and text: the same file each time.
    let plans = "SELECT count(*) AS n, count(DISTINCT sha256) AS hashes FROM files WHERE filename = 'plan für Ventil 7.csv' AND complete";
    assert_eq!(rows(&scratch.0, &mail, plans)[0], serde_json::json!({"n": 5, "hashes": 1}));
    let found = rows(&scratch.0, &mail, "SELECT DISTINCT detection FROM findings WHERE source = 'email' ORDER BY detection");
    let found: Vec<_> = found.iter().filter_map(|row| row["detection"].as_str()).collect();
    assert_eq!(found, ["email_attachment_exec", "email_auth_fail", "email_brute", "email_clear_login", "email_mass_download", "email_phish"]);
    assert_eq!(number(&scratch.0, &mail, "SELECT count(*) FROM findings WHERE detection = 'email_phish' AND details LIKE '%News%'"), 0);
}

#[test]
fn plant_story_is_told_by_sql() {
    let scratch = Scratch::new("plant");
    let plant = sample("plant.pcapng");
    let writes = rows(&scratch.0, &plant, "SELECT src_ip, dst_ip, func, point, write_values FROM modbus WHERE is_write ORDER BY frame");
    assert_eq!(writes.len(), 2, "{writes:?}");
    for write in &writes {
        assert_eq!((write["src_ip"].as_str(), write["dst_ip"].as_str()), (Some("192.168.50.20"), Some("192.168.50.10")));
    }
    assert!(writes.iter().any(|write| write["write_values"] == serde_json::json!([2900])), "{writes:?}");
    assert_eq!(number(&scratch.0, &plant, "SELECT count(*) FROM modbus WHERE src_ip = '192.168.50.30' AND func_code = 3"), 58);
}

#[test]
fn goose_agrees_with_its_facts() {
    let scratch = Scratch::new("goose");
    let streams = rows(&scratch.0, &sample("goose.pcap"), "SELECT gocb_ref, count(*) AS n FROM goose GROUP BY gocb_ref ORDER BY n DESC");
    let counts: Vec<u64> = streams.iter().filter_map(|row| row["n"].as_u64()).collect();
    assert_eq!(counts, [29, 18]);
    assert_eq!(rows(&scratch.0, &sample("goose.pcap"), "SELECT format FROM captures")[0]["format"], "pcap-ns");
}

#[test]
fn the_second_time_nothing_is_decoded() {
    let scratch = Scratch::new("again");
    let plant = sample("plant.pcapng");
    run(&scratch.0, &[&plant]);
    let folder = std::fs::read_dir(&scratch.0).unwrap().flatten().find(|entry| !entry.file_name().to_string_lossy().starts_with('.')).unwrap();
    let before = std::fs::metadata(folder.path().join("packets.parquet")).unwrap().modified().unwrap();
    let other = scratch.path("renamed.bin");
    std::fs::copy(&plant, &other).unwrap();
    // The same content under another name is not decoded again, and is reported under that name.
    let other = other.to_string_lossy().into_owned();
    let named = rows(&scratch.0, &other, "SELECT DISTINCT capture FROM packets");
    assert_eq!(named[0]["capture"], "renamed.bin");
    assert!(text(&run(&scratch.0, &[&other]).stdout).contains(&format!("Path                     : {other}\n")));
    assert_eq!(before, std::fs::metadata(folder.path().join("packets.parquet")).unwrap().modified().unwrap());
}

/// Every table's rows, sorted, as one text.
fn whole_lake(lake: &Path, capture: &str, threads: &str) -> String {
    let listed = run(lake, &["--tables"]);
    let mut all = String::new();
    for table in text(&listed.stdout).lines().filter_map(|line| line.split_whitespace().next()) {
        if ["findings", "hosts", "host_names", "http_transactions", "tls_sessions"].contains(&table) {
            continue;
        }
        let query = format!("SELECT * FROM {table}");
        let output = pcapper(lake, &[capture, "--sql", &query, "--format", "jsonl"]).env("PCAPPER_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{table}: {}", text(&output.stderr));
        let mut lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        all.push_str(&format!("== {table}\n{}\n", lines.join("\n")));
    }
    all
}

#[test]
fn threads_do_not_change_the_tables() {
    for file in ["plant.pcapng", "tcp.pcapng", "icmp.pcapng", "udp.pcap", "vlan.pcapng", "dhcp.pcap"] {
        let lakes: Vec<Scratch> = ["1", "2", "8"].iter().map(|threads| Scratch::new(&format!("threads-{threads}-{file}"))).collect();
        let one = whole_lake(&lakes[0].0, &sample(file), "1");
        assert_eq!(one, whole_lake(&lakes[1].0, &sample(file), "2"), "{file}");
        assert_eq!(one, whole_lake(&lakes[2].0, &sample(file), "8"), "{file}");
    }
}

#[test]
fn errors_are_one_line_and_a_status() {
    let scratch = Scratch::new("errors");
    let missing = run(&scratch.0, &["nope.pcap"]);
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(text(&missing.stderr), "pcapper: nope.pcap: no such file or directory\n");

    let not = scratch.path("text.pcap");
    std::fs::write(&not, "hello, this is no capture at all").unwrap();
    let output = run(&scratch.0, &[&not.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).ends_with("not a capture (first bytes 68 65 6c 6c)\n"), "{}", text(&output.stderr));

    let empty = scratch.path("empty.pcap");
    std::fs::write(&empty, "").unwrap();
    assert!(text(&run(&scratch.0, &[&empty.to_string_lossy()]).stderr).ends_with("file is empty\n"));

    let typo = run(&scratch.0, &["--dnss", "x"]);
    assert_eq!(typo.status.code(), Some(2));
    assert_eq!(text(&typo.stderr), "pcapper: unknown option --dnss; did you mean --dns?\n");

    let one_good = run(&scratch.0, &["nope.pcap", &sample("arp.pcap")]);
    assert_eq!(one_good.status.code(), Some(1));
    assert!(text(&one_good.stdout).contains("Packets                  : 28"));
}

#[test]
fn a_truncated_capture_gives_what_it_has() {
    let scratch = Scratch::new("truncated");
    let cut = scratch.path("cut.pcap");
    let whole = std::fs::read(sample("arp.pcap")).unwrap();
    std::fs::write(&cut, &whole[..300]).unwrap();
    let output = run(&scratch.0, &[&cut.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the file ends inside a record"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("Truncated                : yes"));
    let asked = run(&scratch.0, &[&cut.to_string_lossy(), "--sql", "SELECT packets, truncated FROM captures", "--format", "csv"]);
    assert_eq!(text(&asked.stdout), "packets,truncated\r\n3,true\r\n");
    assert_eq!(asked.status.code(), Some(1));
}

#[test]
fn only_questions_are_answered() {
    let scratch = Scratch::new("questions");
    for query in ["DROP TABLE packets", "CREATE TABLE x AS SELECT 1", "COPY packets TO '/tmp/x.csv'", "INSERT INTO packets VALUES (1)"] {
        let output = run(&scratch.0, &[&sample("arp.pcap"), "--sql", query]);
        assert_eq!(output.status.code(), Some(2), "{query}");
        assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    }
}

#[test]
fn json_holds_every_section() {
    let scratch = Scratch::new("json");
    let output = run(&scratch.0, &[&sample("plant.pcapng"), "--tcp", "--base", "--json", "-"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["path"], "plant.pcapng");
    assert_eq!(document["summaries"]["tcp"]["sections"][0]["rows"][0]["connections"], 9);
    assert_eq!(document["summaries"]["base"]["sections"][0]["rows"][0]["packets"], 563);
}

#[test]
fn the_menu_lists_every_flag_in_its_group() {
    let scratch = Scratch::new("menu");
    let menu = text(&run(&scratch.0, &["--help"]).stdout);
    let mut last = 0;
    for heading in ["GENERAL FLAGS:", "IT/ENTERPRISE FUNCTIONS:", "OT/ICS/INDUSTRIAL FUNCTIONS:", "DATA:", "NEWER ANALYZERS:"] {
        let at = menu.find(heading).unwrap();
        assert!(at >= last, "{heading}");
        last = at;
    }
    for flag in ["-ip ADDR", "-l, --limit-protocols N", "--modbus ", "--dns ", "--goose ", "-raw "] {
        assert!(menu.contains(flag), "{flag}");
    }
}

#[test]
fn csv_and_parquet_of_two_captures_are_one_question() {
    let scratch = Scratch::new("two");
    let output = run(
        &scratch.0,
        &[
            &sample("arp.pcap"),
            &sample("ntp.pcap"),
            "--sql",
            "SELECT capture, count(*) AS n FROM packets GROUP BY capture ORDER BY capture",
            "--format",
            "csv",
        ],
    );
    assert_eq!(text(&output.stdout), "capture,n\r\narp.pcap,28\r\nntp.pcap,41\r\n");
}

/// Flags whose analyzers are built.
const FLAGS: &[&str] = &[
    "--base",
    "--pcapmeta",
    "--protocols",
    "--ips",
    "--hosts",
    "--services",
    "--sizes",
    "--streams",
    "--tcp",
    "--udp",
    "--vlan",
    "--modbus",
    "--goose",
];

#[test]
fn every_flag_reports_on_every_sample() {
    let scratch = Scratch::new("flags");
    let mut arguments = vec![sample(""), "--no-status".to_owned()];
    arguments.extend(FLAGS.iter().map(|flag| (*flag).to_owned()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = run(&scratch.0, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let titles = text(&output.stdout).matches(" :: ").count();
    let samples = fs::read_dir(sample("")).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".pcap")).count();
    assert_eq!(titles, FLAGS.len() * samples, "a report of each flag for each sample");
}

#[test]
fn one_report_over_all_captures() {
    let scratch = Scratch::new("summarize");
    let output = run(&scratch.0, &[&sample("arp.pcap"), &sample("ntp.pcap"), "--base", "--summarize"]);
    let report = text(&output.stdout);
    assert!(report.contains("PCAPPER REPORT :: ALL PCAPS (2)"), "{report}");
    assert!(report.contains("Packets                  : 69"), "{report}");
    assert!(report.contains("Combined Duration        : "), "{report}");
}

#[test]
fn findings_name_the_evidence() {
    let scratch = Scratch::new("findings");
    let found = rows(&scratch.0, &sample("goose.pcap"), "SELECT detection, severity, frames FROM findings WHERE source = 'goose' ORDER BY detection");
    assert_eq!(found[0]["detection"], "goose_simulation");
    assert_eq!(found[0]["frames"], serde_json::json!([44]));
    // Also where the detection does not tell the capture, as long as only one can be meant.
    let query = "SELECT capture FROM findings WHERE detection = 'goose_simulation'";
    let output = run(&scratch.0, &[&sample("arp.pcap"), &sample("goose.pcap"), "--sql", query, "--format", "csv"]);
    assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), ["capture", "goose.pcap"]);
    // Reading an identity and writing two values is what the jump host does in the plant.
    let plant = rows(&scratch.0, &sample("plant.pcapng"), "SELECT detection, src_ip FROM findings WHERE source = 'modbus' ORDER BY detection, frame");
    assert!(plant.iter().all(|finding| finding["src_ip"] == "192.168.50.20"), "{plant:?}");
    assert_eq!(plant.iter().filter(|finding| finding["detection"] == "modbus_write").count(), 2);
    assert_eq!(plant.iter().filter(|finding| finding["detection"] == "modbus_identity_read").count(), 1);
}

#[test]
fn a_kill_leaves_no_half_capture() {
    let scratch = Scratch::new("kill");
    // A capture that takes a moment to decode: the sample's records many times over.
    let one = std::fs::read(sample("tcp.pcapng")).unwrap();
    let many = scratch.path("many.pcapng");
    std::fs::write(&many, one.repeat(400)).unwrap();
    let many = many.to_string_lossy().into_owned();
    let lake = scratch.path("lake");
    for wait in [5, 20, 60, 120] {
        let mut child = pcapper(&lake, &[&many]).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        let _ = child.kill();
        let _ = child.wait();
        for entry in std::fs::read_dir(&lake).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(name.starts_with('.') || entry.path().join("capture.json").is_file(), "{name} is half a capture");
        }
    }
    assert_eq!(number(&lake, &many, "SELECT count(*) FROM packets"), 212 * 400);
    let left: Vec<String> = std::fs::read_dir(&lake).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.starts_with(".building")), "{left:?}");
}

#[test]
fn two_processes_may_decode_the_same_capture() {
    let scratch = Scratch::new("both");
    let one = std::fs::read(sample("tcp.pcapng")).unwrap();
    let many = scratch.path("many.pcapng");
    std::fs::write(&many, one.repeat(100)).unwrap();
    let many = many.to_string_lossy().into_owned();
    let lake = scratch.path("lake");
    let children: Vec<_> = (0..3).map(|_| pcapper(&lake, &[&many]).stdout(std::process::Stdio::piped()).spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("Packets                  : 21,200"));
    }
}

#[test]
fn sessions_of_commands_are_limited_as_asked() {
    let scratch = Scratch::new("sessions");
    let capture = sample("industrial.pcap");
    let two = text(&run(&scratch.0, &[&capture, "--ot-commands", "--ot-commands-sessions", "2"]).stdout);
    assert!(two.contains("Sessions (2 of 5)"), "{two}");
    let all = text(&run(&scratch.0, &[&capture, "--ot-commands", "--ot-commands-sessions=0"]).stdout);
    assert!(
        all.contains("Sessions\n")
            && !all.contains("more rows; -v shows all)\n------------------------------------------------------------------------\nTargets"),
        "{all}"
    );
    let wrong = run(&scratch.0, &[&capture, "--ot-commands", "--ot-commands-sessions", "-1"]);
    assert_eq!(wrong.status.code(), Some(2));
    // Fast says that it left nothing out, and shows the same rows.
    let fast = text(&run(&scratch.0, &[&capture, "--ot-commands-fast"]).stdout);
    let whole = text(&run(&scratch.0, &[&capture, "--ot-commands"]).stdout);
    assert!(fast.lines().nth(1).is_some_and(|title| title.contains("(fast: ")), "{fast}");
    assert_eq!(fast.lines().skip(2).collect::<Vec<_>>(), whole.lines().skip(2).collect::<Vec<_>>());
}
