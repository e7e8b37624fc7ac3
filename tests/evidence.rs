//! What is read back from captures: packets, searches, conversations, files, and captures written out.

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, Talk, number, pcapper, rows, run, sample, text};

/// A run in a directory of its own, where files are put.
fn run_in(directory: &Path, lake: &Path, arguments: &[&str]) -> std::process::Output {
    pcapper(lake, arguments).current_dir(directory).output().unwrap()
}

#[test]
fn a_packet_is_shown_as_it_was_captured() {
    let scratch = Scratch::new("packet");
    let http = sample("http.pcap");
    let output = run(&scratch.0, &[&http, "--packet", "4"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(report.contains("PACKET VIEW :: http.pcap :: #4"), "{report}");
    assert!(report.contains("10.20.30.50 port 47336 -> 10.20.30.10 port 80"), "{report}");
    assert!(report.contains("00000040  "), "{report}");
    assert!(report.contains("Link Type                : ETHERNET"), "{report}");
    // Only the packet was asked for, and filters do not matter to it.
    assert!(!report.contains("PCAPPER REPORT"), "{report}");
    assert_eq!(run(&scratch.0, &[&http, "--packet", "4", "--bpf", "arp"]).stdout, output.stdout);
    // The bytes themselves, from plain and compressed captures.
    let offset = number(&scratch.0, &http, "SELECT file_offset FROM packets WHERE frame = 4") as usize;
    let length = number(&scratch.0, &http, "SELECT captured_len FROM packets WHERE frame = 4") as usize;
    let raw = run(&scratch.0, &[&http, "--packet", "4", "-raw"]).stdout;
    assert_eq!(raw, fs::read(&http).unwrap()[offset..offset + length]);
    let dns = run(&scratch.0, &[&sample("dns.pcap.gz"), "--packet", "1", "-raw"]).stdout;
    assert_eq!(dns.len() as u64, number(&scratch.0, &sample("dns.pcap.gz"), "SELECT captured_len FROM packets WHERE frame = 1"));
    assert_eq!(&dns[12..14], &[8, 0]);
    let beyond = run(&scratch.0, &[&sample("arp.pcap"), "--packet", "9999"]);
    assert_eq!((beyond.status.code(), text(&beyond.stderr).as_str()), (Some(1), "pcapper: arp.pcap: no packet 9999 (28 packets)\n"));
}

#[test]
fn a_capture_that_changed_is_not_read_back() {
    let scratch = Scratch::new("changed");
    let copy = scratch.path("copy.pcap");
    fs::copy(sample("arp.pcap"), &copy).unwrap();
    let name = copy.to_string_lossy().into_owned();
    // It changes between the decoding and the answer only if somebody writes to it just then; a lake cannot be asked without
    // its capture, so that a missing one is a target that is missing.
    fs::remove_file(&copy).unwrap();
    let output = run(&scratch.0, &[&name, "--packet", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no such file or directory"));
}

#[test]
fn texts_are_found_in_frames_and_across_segments() {
    let scratch = Scratch::new("search");
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 5555);
    talk.send(true, b"user=operator; pass", 1000);
    talk.send(true, b"word=Geheim", 1000);
    talk.send(false, &"Geheim".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), 1000);
    talk.send(false, b"GEHEIM, geheim", 1000);
    let capture = talk.write(&scratch.path("talk.pcap"));
    let found = |arguments: &[&str]| {
        let mut all = vec![capture.as_str()];
        all.extend_from_slice(arguments);
        let output = run(&scratch.0, &all);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let report = found(&["--search", "geheim"]);
    assert!(report.contains("SEARCH RESULTS :: talk.pcap"), "{report}");
    assert!(report.contains("Matches                  : 4\n") && report.contains("Packets Matched          : 3\n"), "{report}");
    assert!(report.contains("utf-16le"), "{report}");
    let exact = found(&["--search", "geheim", "-case"]);
    assert!(exact.contains("Matches                  : 1\n") && exact.contains("Case Sensitive           : yes"), "{exact}");
    // No segment holds this whole.
    let cut = found(&["--search", "PASSWORD="]);
    assert!(cut.contains("Matches                  : 1\n") && cut.contains("stream+15"), "{cut}");
    assert!(cut.contains("user=operator; password=Geheim"), "{cut}");
    let narrowed = found(&["--search", "geheim", "--bpf", "src host 10.0.0.1"]);
    assert!(narrowed.contains("Matches                  : 1\n"), "{narrowed}");
    assert!(found(&["--search", "not there"]).contains("No matches found."));
}

/// A capture of one UDP datagram in fragments of so many bytes.
fn fragmented(path: &Path, payload: &[u8], fragment: usize) -> String {
    let mut datagram = vec![0x9c, 0x40, 0x30, 0x39];
    datagram.extend_from_slice(&(payload.len() as u16 + 8).to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(payload);
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for (at, piece) in datagram.chunks(fragment).enumerate() {
        let more = (at + 1) * fragment < datagram.len();
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
        frame.extend_from_slice(&(20 + piece.len() as u16).to_be_bytes());
        frame.extend_from_slice(&[0, 7]);
        frame.extend_from_slice(&((at * fragment / 8) as u16 | if more { 0x2000 } else { 0 }).to_be_bytes());
        frame.extend_from_slice(&[64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend_from_slice(piece);
        for field in [1_700_000_000, at as u32, frame.len() as u32, frame.len() as u32] {
            file.extend_from_slice(&field.to_le_bytes());
        }
        file.extend_from_slice(&frame);
    }
    fs::write(path, file).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn texts_are_found_across_fragments_and_point_out() {
    let scratch = Scratch::new("search-fragments");
    let capture = fragmented(&scratch.path("cut.pcap"), b"valve open; valve closed", 16);
    let report = text(&run(&scratch.0, &[&capture, "--search", "VALVE"]).stdout);
    // Each lies in a fragment of its own; what lies between them is cut.
    assert!(report.contains("Matches                  : 2\n") && report.contains("Packets Matched          : 2\n"), "{report}");
    let cut = text(&run(&scratch.0, &[&capture, "--search", "open; valve"]).stdout);
    assert!(cut.contains("Matches                  : 1\n") && cut.contains("datagram+14"), "{cut}");
    let colours = pcapper(&scratch.0, &[&capture, "--search", "VALVE"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(text(&colours.stdout).contains("\x1b[1;33mvalve\x1b[0m"), "{}", text(&colours.stdout));
}

#[test]
fn a_conversation_is_followed_from_either_end() {
    let scratch = Scratch::new("follow");
    let mut talk = Talk::new([10, 0, 0, 9], [10, 0, 0, 2], 5555);
    talk.send(true, b"hello from the client", 1000);
    talk.send(false, b"hello from the server", 1000);
    talk.lose(false, 1448);
    talk.send(false, b"after the gap", 1000);
    talk.segment(true, 0x10, &[]);
    let capture = talk.write(&scratch.path("talk.pcap"));
    let run = |arguments: &[&str]| {
        let mut all = vec![capture.as_str()];
        all.extend_from_slice(arguments);
        run(&scratch.0, &all)
    };
    let forward = text(&run(&["--follow", "10.0.0.9:40000->10.0.0.2:5555"]).stdout);
    assert!(forward.contains("STREAM ANALYSIS :: talk.pcap") && forward.contains("STREAM :: talk.pcap"), "{forward}");
    assert!(forward.contains("Client                   : 10.0.0.9:40000"), "{forward}");
    assert!(forward.contains("From Server              : 34 bytes, 1 gaps of 1448 bytes"), "{forward}");
    let turns: Vec<&str> = forward.lines().filter(|line| line.starts_with("client  ") || line.starts_with("server  ")).collect();
    assert!(turns[0].contains("hello from the c") && turns[0].starts_with("client"), "{turns:?}");
    assert!(turns[2].contains("hello from the s") && turns[2].starts_with("server"), "{turns:?}");
    assert!(turns[4].contains("-- 1448 bytes missing --"), "{turns:?}");
    assert_eq!(text(&run(&["--follow", "10.0.0.2:5555->10.0.0.9:40000"]).stdout), forward);
    // Every kind of id leads to the same.
    let ids = rows(
        &scratch.0,
        &capture,
        "SELECT stream_id(CAST(src_ip AS VARCHAR), src_port, CAST(dst_ip AS VARCHAR), dst_port) AS id, community_id FROM flows",
    );
    let (id, community) = (ids[0]["id"].as_str().unwrap(), ids[0]["community_id"].as_str().unwrap());
    for id in [id, community, "1"] {
        assert_eq!(text(&run(&["--follow-id", id]).stdout), forward, "{id}");
    }
    let looked_up = text(&run(&["--lookup-stream-id", id]).stdout);
    assert!(looked_up.contains(&format!("Lookup Stream ID         : {id}")), "{looked_up}");
    assert!(looked_up.contains("Lookup 5-Tuple           : TCP 10.0.0.2:5555 <-> 10.0.0.9:40000"), "{looked_up}");
    let raw = run(&["--follow-id", id, "-raw"]);
    assert_eq!(text(&raw.stdout), "hello from the clienthello from the serverafter the gap");
    let missing = run(&["--follow", "10.0.0.9:1->10.0.0.2:2"]);
    assert_eq!((missing.status.code(), text(&missing.stderr).as_str()), (Some(1), "pcapper: no such stream: tcp 10.0.0.9:1 -> 10.0.0.2:2\n"));
}

#[test]
fn files_are_saved_under_safe_names() {
    let scratch = Scratch::new("extract");
    let http = sample("http.pcap");
    let output = run_in(&scratch.0, &scratch.path("lake"), &[&http, "--extract", "REPORT"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(report.contains("FILE EXTRACTION :: http.pcap"), "{report}");
    let saved = fs::read(scratch.path("files/report.txt")).unwrap();
    assert_eq!(saved.len(), 12_644);
    let hash = rows(&scratch.path("lake"), &http, "SELECT sha256 FROM files WHERE filename = 'report.txt'");
    let list = fs::read_to_string(scratch.path("files/files.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(list.lines().next().unwrap()).unwrap();
    assert_eq!(line["sha256"], hash[0]["sha256"]);
    assert_eq!((&line["wire_name"], &line["saved_name"], &line["complete"]), (&"report.txt".into(), &"report.txt".into(), &true.into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(scratch.path("files/report.txt")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(scratch.path("files")).unwrap().permissions().mode() & 0o777, 0o700);
    }
    // Again: nothing is written twice. All: each content once, equal names numbered.
    run_in(&scratch.0, &scratch.path("lake"), &[&http, "--extract", "report"]);
    assert!(!scratch.path("files/report_2.txt").exists());
    run_in(&scratch.0, &scratch.path("lake"), &[&http, "--extract", "firmware"]);
    assert_eq!(fs::read(scratch.path("files/firmware_2.bin")).unwrap().len(), 20_000, "the first has 200 bytes");
    let raw = run_in(&scratch.0, &scratch.path("lake"), &[&http, "--view", "report.txt", "-raw"]);
    assert_eq!(raw.stdout, saved);
    let view = text(&run_in(&scratch.0, &scratch.path("lake"), &[&http, "--view", "report.txt"]).stdout);
    assert!(view.contains("FILE VIEW :: http.pcap :: report.txt") && view.contains("Size                     : 12644 bytes"), "{view}");
    let none = run_in(&scratch.0, &scratch.path("lake"), &[&http, "--extract", "zzz"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("no file named like \"zzz\"; "), "{}", text(&none.stderr));
}

#[test]
fn files_of_every_carrier_come_out_as_they_were_hashed() {
    let scratch = Scratch::new("carriers");
    for capture in ["http.pcap", "smb.pcap", "mail.pcap", "logins.pcap", "nfs.pcap"] {
        let place = scratch.path(capture);
        fs::create_dir_all(&place).unwrap();
        run_in(&place, &scratch.path("lake"), &[&sample(capture), "--extract", "*"]);
        let hashes: std::collections::BTreeSet<String> = fs::read_to_string(place.join("files/files.jsonl"))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["sha256"].as_str().map(str::to_owned))
            .collect();
        for row in rows(&scratch.path("lake"), &sample(capture), "SELECT DISTINCT sha256 FROM files WHERE complete") {
            assert!(hashes.contains(row["sha256"].as_str().unwrap()), "{capture}: {row}");
        }
    }
}

#[test]
fn the_frames_behind_an_answer_become_a_capture() {
    let scratch = Scratch::new("write");
    let plant = sample("plant.pcapng");
    let out = scratch.path("out.pcapng").to_string_lossy().into_owned();
    let written = |arguments: &[&str]| {
        let mut all = vec!["--write-pcap", out.as_str()];
        all.extend_from_slice(arguments);
        let output = run(&scratch.0, &all);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    };
    let packets = |query: &str| number(&scratch.0, &out, query);
    // The selection itself.
    written(&[&plant, "--bpf", "arp"]);
    assert_eq!(packets("SELECT count(*) FROM packets"), 24);
    assert_eq!(packets("SELECT count(*) FROM packets WHERE protocol = 'arp'"), 24);
    // Times, lengths and interfaces are those of the original; comments name it.
    let first = "SELECT ts, frame_len FROM packets ORDER BY frame LIMIT 1";
    let original = "SELECT ts, frame_len FROM packets WHERE protocol = 'arp' ORDER BY frame LIMIT 1";
    assert_eq!(rows(&scratch.0, &out, first), rows(&scratch.0, &plant, original));
    let frames = rows(&scratch.0, &plant, "SELECT frame FROM packets WHERE protocol = 'arp' ORDER BY frame LIMIT 1");
    let comments = rows(&scratch.0, &out, "SELECT detail FROM anomalies WHERE kind = 'packet_comment' ORDER BY frame LIMIT 1");
    assert_eq!(comments[0]["detail"], format!("frame {} of plant.pcapng", frames[0]["frame"]));
    assert_eq!(rows(&scratch.0, &out, "SELECT name, ts_resolution FROM interfaces")[0], serde_json::json!({"name": "plant", "ts_resolution": "ns"}));
    // What a query names, of several captures.
    let arp = sample("arp.pcap");
    written(&[&plant, &arp, "--sql", "SELECT capture, frame FROM arp WHERE operation = 'reply' ORDER BY capture, frame"]);
    let replies = |capture: &str| number(&scratch.0, capture, "SELECT count(*) FROM arp WHERE operation = 'reply'");
    assert_eq!(packets("SELECT count(*) FROM packets"), replies(&plant) + replies(&arp));
    assert_eq!(packets("SELECT count(*) FROM interfaces WHERE comments[1] = 'from arp.pcap'"), 1);
    // The frames of a report's findings.
    written(&[&sample("goose.pcap"), "--goose"]);
    assert!(packets("SELECT count(*) FROM anomalies WHERE detail = 'frame 44 of goose.pcap'") == 1);
    // Others read it too: the same frames, with their times.
    written(&[&plant, "--bpf", "tcp port 502"]);
    match std::process::Command::new("tshark").args(["-r", &out, "-T", "fields", "-e", "frame.time_epoch"]).output() {
        Ok(shown) => {
            let ns = rows(&scratch.0, &plant, "SELECT CAST(ts AS BIGINT) AS ns FROM packets WHERE 502 IN (src_port, dst_port) ORDER BY frame");
            let wanted: Vec<String> =
                ns.iter().map(|row| row["ns"].as_i64().unwrap()).map(|ns| format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)).collect();
            assert_eq!(text(&shown.stdout).lines().collect::<Vec<_>>(), wanted, "{}", text(&shown.stderr));
        }
        Err(_) => eprintln!("no tshark: only read back by ourselves"),
    }
    let nameless = run(&scratch.0, &[&plant, "--write-pcap", &out, "--sql", "SELECT count(*) AS n FROM packets"]);
    assert_eq!(nameless.status.code(), Some(2));
    assert!(text(&nameless.stderr).contains("give it a column frame or frames"));
}

#[test]
fn queries_can_read_bytes_back() {
    let scratch = Scratch::new("payloads");
    let http = sample("http.pcap");
    let query = "SELECT p.frame, h.method, arrow_cast(p.payload, 'Utf8') AS text FROM payloads(1, 10) p JOIN http h ON h.frame = p.frame AND h.capture_id = p.capture_id WHERE h.method IS NOT NULL";
    let found = rows(&scratch.0, &http, query);
    assert!(!found.is_empty());
    // The dictionary's example is true of this capture.
    let doc = pcapper_queries::functions::dictionary().into_iter().find(|doc| doc.name == "payloads").unwrap();
    let example = run(&scratch.0, &[&http, "--format", "csv", "--sql", &format!("SELECT {}", doc.example)]);
    assert_eq!(text(&example.stdout).lines().nth(1), Some(doc.gives), "{}", text(&example.stderr));
    let asked = rows(&scratch.0, &http, "SELECT arrow_cast(payload, 'Utf8') AS text FROM payloads(4)");
    assert!(asked[0]["text"].as_str().unwrap().starts_with("GET /index.html HTTP/1.1\r\n"), "{asked:?}");
    assert_eq!(number(&scratch.0, &http, "SELECT count(*) FROM payloads()"), 359);
    let narrowed = run(&scratch.0, &[&sample("plant.pcapng"), "--bpf", "arp", "--format", "csv", "--sql", "SELECT count(*) FROM payloads()"]);
    assert_eq!(text(&narrowed.stdout).lines().nth(1), Some("24"));
}

#[test]
fn what_is_wrong_is_said_before_anything_is_opened() {
    let scratch = Scratch::new("evidence-wrong");
    for (options, message) in [
        (&["--packet", "0"][..], "--packet 0: a packet's number is needed"),
        (&["--packet", "x"], "--packet x"),
        (&["--search", ""], "--search needs a"),
        (&["-case"], "-case belongs to --search"),
        (&["-raw"], "-raw belongs to"),
        (&["--follow", "10.0.0.1:80"], "src:port->dst:port"),
        (&["--follow", "1.1.1.1:1->2.2.2.2:2", "--follow-id", "1"], "one will do"),
        (&["--follow-id", "zz"], "12 hexadecimal digits"),
        (&["--carve-limit", "5"], "--carve-limit needs --carve"),
        (&["--carve", "--carve-limit", "0"], "a number of 1 or more"),
        (&["--carve", "--carve-max-bytes", "2T"], "--carve-max-bytes 2T"),
        (&["--packet", "1", "--sql", "SELECT 1"], "--packet does not go with --sql"),
    ] {
        let mut arguments = vec!["no-such-capture.pcap"];
        arguments.extend_from_slice(options);
        let output = run(&scratch.0, &arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {error}");
        assert!(error.contains(message) && error.lines().count() == 1, "{options:?}: {error}");
    }
}

/// Three connections of one pair of ports, one after the other, then a datagram over IPv6.
fn reused(path: &Path) -> String {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    let mut second = 1_700_000_000_u32;
    for word in ["first", "other", "third"] {
        let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 5555);
        talk.send(true, word.as_bytes(), 500);
        let one = talk.write(path);
        let records = fs::read(one).unwrap();
        let mut at = 24;
        while at < records.len() {
            let length = 16 + u32::from_le_bytes(records[at + 8..at + 12].try_into().unwrap()) as usize;
            file.extend(second.to_le_bytes());
            file.extend(&records[at + 4..at + length]);
            (at, second) = (at + length, second + 1);
        }
        second += 1000;
    }
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 12, 17, 64];
    for last in [1, 2] {
        frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    frame.extend([0x9c, 0x40, 0x30, 0x39, 0, 12, 0, 0]);
    frame.extend(b"six!");
    for field in [second, 0, frame.len() as u32, frame.len() as u32] {
        file.extend(field.to_le_bytes());
    }
    file.extend(frame);
    fs::write(path, file).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn streams_are_named_in_every_way() {
    let scratch = Scratch::new("follow-names");
    let capture = reused(&scratch.path("reused.pcap"));
    let raw = |flow: &str| {
        let output = run(&scratch.path("lake"), &[&capture, "--follow", flow, "-raw"]);
        assert_eq!(output.status.code(), Some(0), "{flow}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let flow = "10.0.0.1:40000->10.0.0.2:5555";
    assert_eq!(raw(flow), "first");
    assert_eq!(raw(&format!("{flow}#2")), "other");
    assert_eq!(raw(&format!("{flow}#3")), "third");
    let shown = text(&run(&scratch.path("lake"), &[&capture, "--follow", flow]).stdout);
    assert!(shown.contains("  first\n") && shown.contains("\nConnections of these ends\n#  Flow") && shown.contains("\n2  8     "), "{shown}");
    for six in ["udp:fd00::1:40000->fd00::2:12345", "udp:[fd00::2]:12345->[fd00:0::1]:40000"] {
        assert_eq!(raw(six), "six!", "{six}");
    }
    let beyond = run(&scratch.path("lake"), &[&capture, "--follow", &format!("{flow}#4")]);
    assert_eq!(beyond.status.code(), Some(1), "{}", text(&beyond.stdout));
    for wrong in ["10.0.0.1->10.0.0.2", "x:1->y:2", "10.0.0.1:1", "10.0.0.1:99999->10.0.0.2:1", "sctp:10.0.0.1:1->10.0.0.2:2"] {
        let output = run(&scratch.path("lake"), &["absent.pcap", "--follow", wrong]);
        assert_eq!((output.status.code(), text(&output.stderr).lines().count()), (Some(2), 1), "{wrong}");
    }
    // One id for the same ends, in whatever capture.
    let id = rows(
        &scratch.path("lake"),
        &capture,
        "SELECT stream_id('10.0.0.1', 40000, '10.0.0.2', 5555) AS id, stream_id('54.243.55.129', 80, '141.142.228.5', 53595) AS known",
    );
    assert_eq!(id[0]["known"], "9ebe5d847364");
    let by_id = run(&scratch.path("lake"), &[&capture, "--follow-id", id[0]["id"].as_str().unwrap(), "-raw"]);
    assert_eq!(text(&by_id.stdout), "first");
}

#[test]
fn a_search_lists_some_and_counts_all() {
    let scratch = Scratch::new("search-many");
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 5555);
    (0..30).for_each(|_| talk.segment(true, 0x18, b"needle and needle"));
    talk.send(false, &"n\u{e9}edle".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>(), 1000);
    talk.send(false, "NÉEDLE".as_bytes(), 1000);
    let capture = talk.write(&scratch.path("talk.pcap"));
    let found = |arguments: &[&str]| text(&run(&scratch.path("lake"), &[&[capture.as_str()], arguments].concat()).stdout);
    let short = found(&["--search", "needle"]);
    assert!(short.contains("Matches                  : 60\n") && short.contains("Packets Matched          : 30\n"), "{short}");
    assert!(short.contains("(40 more rows; -v shows all)"), "{short}");
    assert_eq!(found(&["--search", "needle", "-v"]).matches("needle and").count(), 60);
    let accented = found(&["--search", "n\u{e9}edle"]);
    assert!(accented.contains("Matches                  : 2\n") && accented.contains("utf-16be"), "{accented}");
    let document: serde_json::Value =
        serde_json::from_slice(&run(&scratch.path("lake"), &[&capture, "--search", "needle", "--json", "-"]).stdout).unwrap();
    assert_eq!(document["summaries"]["search"]["sections"][1]["rows"].as_array().unwrap().len(), 60);
}

#[test]
fn names_on_the_wire_are_made_safe() {
    let scratch = Scratch::new("extract-names");
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 80);
    let names = ["../../evil name?.txt", "CON.txt", "..", ".hidden", "a\x1b[2Jb.txt", "C:\\\\x\\\\deep.txt"];
    for (at, name) in names.iter().enumerate() {
        talk.send(true, format!("GET /f{at} HTTP/1.1\r\nHost: x.example\r\n\r\n").as_bytes(), 1000);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nbody {at}"
        );
        talk.send(false, head.as_bytes(), 1000);
    }
    let capture = talk.write(&scratch.path("web.pcap"));
    let place = scratch.path("work");
    fs::create_dir_all(&place).unwrap();
    let output = run_in(&place, &scratch.path("lake"), &[&capture, "--extract", "*"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains('\x1b'));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1, "nothing outside of the directory");
    let mut saved: Vec<String> = fs::read_dir(place.join("files")).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
    saved.sort();
    saved.retain(|name| name != "files.jsonl");
    assert_eq!(saved.len(), names.len(), "{saved:?}");
    for name in &saved {
        assert!(name.chars().all(|letter| letter.is_alphanumeric() || " ._-+()".contains(letter)) && !name.starts_with(['.', '-', ' ']), "{saved:?}");
        assert!(!name.to_uppercase().starts_with("CON."), "{saved:?}");
    }
    // No link is followed out of it.
    let target = scratch.path("precious");
    fs::write(&target, "precious").unwrap();
    let other = scratch.path("other");
    fs::create_dir_all(other.join("files")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&target, other.join("files").join(&saved[0])).unwrap();
        run_in(&other, &scratch.path("lake"), &[&capture, "--extract", "*"]);
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }
}

#[test]
fn options_that_imply_their_report_show_it() {
    let scratch = Scratch::new("implied");
    let http = sample("http.pcap");
    for (arguments, title) in [
        (&["--lookup-stream-id", "1"][..], "STREAM ANALYSIS :: http.pcap"),
        (&["--streams-full"], "STREAM ANALYSIS :: http.pcap"),
        (&["--view", "report.txt"], "FILES :: http.pcap"),
        (&["--extract", "report.txt"], "FILES :: http.pcap"),
    ] {
        let output = run_in(&scratch.0, &scratch.path("lake"), &[&[http.as_str()], arguments].concat());
        assert!(text(&output.stdout).contains(title), "{arguments:?}: {}", text(&output.stdout));
    }
}

#[test]
fn bytes_are_not_sent_to_a_terminal() {
    if std::process::Command::new("script").arg("--version").output().is_err() {
        eprintln!("no script(1): skipped");
        return;
    }
    let scratch = Scratch::new("raw-terminal");
    for what in ["--packet 4", "--follow-id 1", "--view report.txt"] {
        let command = format!("'{}' '{}' {what} -raw", env!("CARGO_BIN_EXE_pcapper"), sample("http.pcap"));
        let output = std::process::Command::new("script")
            .args(["-qefc", &command, "/dev/null"])
            .envs([("TERM", "xterm"), ("SHELL", "/bin/sh")])
            .env("PCAPPER_LAKE", &scratch.0)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{what}");
        assert!(text(&output.stdout).contains("pcapper: -raw writes bytes that could steer the terminal"), "{what}: {}", text(&output.stdout));
    }
}

#[test]
fn long_conversations_and_files_are_cut_unless_all_is_asked_for() {
    let scratch = Scratch::new("follow-long");
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 5555);
    talk.send(true, &[b'x'; 6000], 1000);
    let capture = talk.write(&scratch.path("talk.pcap"));
    let shown =
        |more: &[&str]| text(&run(&scratch.path("lake"), &[&[capture.as_str(), "--follow-id", "1"], more].concat()).stdout).matches('x').count();
    let (short, whole) = (shown(&[]), shown(&["-v"]));
    assert!((4096..4200).contains(&short) && (6000..6100).contains(&whole), "{short} {whole}");
    assert_eq!(run(&scratch.path("lake"), &[&capture, "--follow-id", "1", "-raw"]).stdout, [b'x'; 6000]);
}

#[test]
fn what_cannot_be_written_as_a_capture_is_told() {
    let scratch = Scratch::new("write-none");
    let (plant, out) = (sample("plant.pcapng"), scratch.path("out.pcapng"));
    let out_text = out.to_string_lossy().into_owned();
    for (arguments, message) in [
        (&["--sql", "SELECT frame FROM modbus WHERE false"][..], "--write-pcap: no row names a frame; nothing is written"),
        (&["--vlan"], "--write-pcap: there are no frames behind the answer; nothing is written"),
    ] {
        let output = run(&scratch.path("lake"), &[&[plant.as_str(), "--write-pcap", &out_text], arguments].concat());
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), format!("pcapper: {message}\n")));
        assert!(!out.exists() && !output.stdout.is_empty());
    }
    // A filter chooses the frames, whatever is asked beside it.
    let output = run(&scratch.path("lake"), &[&plant, "--arp", "--bpf", "tcp port 502", "--write-pcap", &out_text]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(number(&scratch.path("lake"), &out_text, "SELECT count(*) FROM packets"), 374);
}
