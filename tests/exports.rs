//! What a run hands to other programs: JSON, CSV, SQLite, and what is refused before any work.

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, pcapper, run, sample, text};
use rusqlite::Connection;
use serde_json::Value;

/// Runs in a folder of its own, where relative paths land.
fn run_in(scratch: &Scratch, arguments: &[&str]) -> std::process::Output {
    let dir = scratch.path("work");
    fs::create_dir_all(&dir).unwrap();
    pcapper(&scratch.path("lake"), arguments).current_dir(dir).output().unwrap()
}

fn in_work(scratch: &Scratch, name: &str) -> std::path::PathBuf {
    scratch.path("work").join(name)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn lines(path: &Path) -> Vec<String> {
    let whole = fs::read_to_string(path).unwrap();
    assert!(whole.ends_with("\r\n"), "lines end in CR LF: {whole:?}");
    whole.trim_end_matches("\r\n").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn json_of_one_capture_of_several_and_of_all() {
    let scratch = Scratch::new("export-json");
    let (plant, goose) = (sample("plant.pcapng"), sample("goose.pcap"));
    assert!(run_in(&scratch, &[&plant, "--modbus", "--json", "a/b/one.json"]).status.success());
    let one = json(&in_work(&scratch, "a/b/one.json"));
    assert_eq!((one["schema"].as_u64(), one["path"].as_str()), (Some(1), Some("plant.pcapng")));
    assert_eq!(one["filter"], serde_json::json!({"bpf": null, "time_start": null, "time_end": null, "ip": null}));
    assert_eq!(one["skipped"], serde_json::json!([]));
    let modbus = &one["summaries"]["modbus"];
    assert_eq!(modbus["title"], "MODBUS ANALYSIS");
    let found: Vec<&str> = modbus["findings"].as_array().unwrap().iter().filter_map(|finding| finding["detection"].as_str()).collect();
    assert_eq!(found, ["modbus_identity_read", "modbus_write", "modbus_write"]);
    assert_eq!(modbus["findings"][0]["frames"], serde_json::json!([323]));
    assert_eq!(modbus["findings"][0]["ts"], "2026-11-23T06:42:38.422534742Z");

    assert!(run_in(&scratch, &[&plant, &goose, "--goose", "--json", "two.json"]).status.success());
    let two = json(&in_work(&scratch, "two.json"));
    let names: Vec<&str> = two["captures"].as_array().unwrap().iter().filter_map(|one| one["path"].as_str()).collect();
    assert_eq!(names, ["plant.pcapng", "goose.pcap"]);
    assert!(two["captures"][1]["summaries"]["goose"]["sections"].is_array());

    let output = run_in(&scratch, &[&plant, &goose, "nope.pcap", "--goose", "--summarize", "--json", "all.json"]);
    assert_eq!(output.status.code(), Some(1));
    let all = json(&in_work(&scratch, "all.json"));
    assert_eq!(all["path"], "ALL_PCAPS");
    assert_eq!(all["captures"][0]["packets"], 563);
    assert_eq!(all["skipped"], serde_json::json!([{"path": "nope.pcap", "reason": "no such file or directory"}]));
    // No flag: the overview.
    let base = run_in(&scratch, &[&plant, "--json", "-"]);
    let base: Value = serde_json::from_slice(&base.stdout).unwrap();
    assert_eq!(base["summaries"]["base"]["title"], "PCAPPER REPORT");
}

#[cfg(unix)]
#[test]
fn files_are_private_unless_redaction_was_asked_for() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("export-mode");
    let mode = |name: &str| fs::metadata(in_work(&scratch, name)).unwrap().permissions().mode() & 0o777;
    let arp = sample("arp.pcap");
    run_in(&scratch, &[&arp, "--json", "p.json", "--sqlite", "p.db", "--csv", "p.csv"]);
    assert_eq!((mode("p.json"), mode("p.db"), mode("p.csv")), (0o600, 0o600, 0o600));
    run_in(&scratch, &[&arp, "--json", "s.json", "--export-redact"]);
    fs::write(in_work(&scratch, "any"), "").unwrap();
    assert_eq!(mode("s.json"), mode("any"), "as any file");
}

#[test]
fn a_directory_gets_one_file_a_capture() {
    let scratch = Scratch::new("export-dir");
    let twin = scratch.path("twin");
    fs::create_dir_all(&twin).unwrap();
    fs::copy(sample("ntp.pcap"), twin.join("arp.pcap")).unwrap();
    let output = run_in(&scratch, &[&sample("arp.pcap"), &twin.join("arp.pcap").to_string_lossy(), "--arp", "--json", "out/", "--csv", "out/"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(json(&in_work(&scratch, "out/arp.json"))["path"], "arp.pcap");
    assert_ne!(json(&in_work(&scratch, "out/arp.json"))["capture_id"], json(&in_work(&scratch, "out/arp_2.json"))["capture_id"]);
    assert!(in_work(&scratch, "out/arp_2.csv").is_file());
}

#[test]
fn csv_has_a_fixed_header_and_files_beside_it() {
    let scratch = Scratch::new("export-csv");
    let output = run_in(&scratch, &[&sample("plant.pcapng"), &sample("mail.pcap"), "--modbus", "--email", "--hosts", "--csv", "x.csv"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows = lines(&in_work(&scratch, "x.csv"));
    let header = "category,module,capture,severity,detection,title,summary,details,src_ip,dst_ip,first_seen,last_seen,count,frames,techniques,tags";
    assert_eq!(rows[0], header);
    assert!(rows[1].starts_with("detection,modbus,plant.pcapng,low,modbus_identity_read,"), "{}", rows[1]);
    assert!(rows[1].ends_with(",[323],\"[\"\"T0888\"\"]\","), "{}", rows[1]);
    assert!(rows.iter().any(|row| row.starts_with("artifact,email,mail.pcap,") && row.contains("plan für Ventil 7.csv")), "{rows:?}");
    let hosts = lines(&in_work(&scratch, "x_hosts.csv"));
    assert_eq!(
        hosts[0],
        "pcap_path,module,ip,macs,hostnames,operating_system,os_evidence,packets_sent,packets_recv,bytes_sent,bytes_recv,first_seen,last_seen,open_ports"
    );
    assert!(hosts.iter().any(|row| row.starts_with("plant.pcapng,hosts,192.168.50.10,")), "{hosts:?}");
    let writes = lines(&in_work(&scratch, "x_modbus_writes.csv"));
    assert!(writes[0].starts_with("capture,") && writes[1].starts_with("plant.pcapng,"), "{writes:?}");
    // Nothing found is a header, not an empty file.
    run_in(&scratch, &[&sample("ntp.pcap"), "--ntp", "--csv", "none.csv"]);
    assert_eq!(lines(&in_work(&scratch, "none.csv"))[0], header);
}

#[test]
fn a_spreadsheet_runs_nothing_from_a_packet() {
    let scratch = Scratch::new("export-formula");
    // A request whose Host header is a formula, written as a capture by hand.
    let request = b"GET / HTTP/1.1\r\nHost: =cmd|' /C calc'!A0\r\nUser-Agent: a\x1b[2Jb\r\n\r\n";
    fs::create_dir_all(scratch.path("work")).unwrap();
    fs::write(in_work(&scratch, "evil.pcap"), http_capture(request)).unwrap();
    let output = run_in(&scratch, &["evil.pcap", "--http", "--csv", "e.csv"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains('\x1b'), "raw escape on the terminal");
    let mut formulas = 0;
    for entry in fs::read_dir(scratch.path("work")).unwrap().flatten().filter(|entry| entry.path().extension().is_some_and(|suffix| suffix == "csv"))
    {
        let whole = fs::read_to_string(entry.path()).unwrap();
        formulas += whole.matches("'=cmd|' /C calc'!A0").count();
        assert!(!whole.contains(",=cmd") && !whole.contains("\n=cmd") && !whole.contains("\"=cmd"), "{}: {whole}", entry.path().display());
    }
    assert!(formulas > 0, "the formula is somewhere");
}

/// A classic capture of one connection that carries one request: handshake, request, acknowledgement.
fn http_capture(request: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for number in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 1] {
        file.extend(number.to_le_bytes());
    }
    let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let steps: [(bool, u32, u32, u8, &[u8]); 5] = [
        (true, 1, 0, 0x02, b""),
        (false, 1, 2, 0x12, b""),
        (true, 2, 2, 0x10, b""),
        (true, 2, 2, 0x18, request),
        (false, 2, 2 + request.len() as u32, 0x10, b""),
    ];
    for (at, (from_client, seq, ack, flags, payload)) in steps.into_iter().enumerate() {
        let (src, dst, ports) = if from_client { (client, server, [40000_u16, 80]) } else { (server, client, [80, 40000]) };
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
        let mut ip = vec![0x45, 0];
        ip.extend((40 + payload.len() as u16).to_be_bytes());
        ip.extend([0, at as u8, 0x40, 0, 64, 6, 0, 0]);
        ip.extend(src.iter().chain(&dst));
        let sum: u32 = ip.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        frame.extend(ip);
        frame.extend(ports[0].to_be_bytes().iter().chain(&ports[1].to_be_bytes()));
        frame.extend(seq.to_be_bytes().iter().chain(&ack.to_be_bytes()));
        frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(payload);
        for number in [1_700_000_000 + at as u32, 0, frame.len() as u32, frame.len() as u32] {
            file.extend(number.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

#[test]
fn sqlite_has_typed_tables_and_the_two_views() {
    let scratch = Scratch::new("export-sqlite");
    let arguments = ["--modbus", "--hosts", "--sqlite", "x.db", "--sqlite-tables", "modbus,sv"];
    let plant = sample("plant.pcapng");
    let output = run_in(&scratch, &[&[plant.as_str(), "nope.pcap"], &arguments[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    let base = Connection::open(in_work(&scratch, "x.db")).unwrap();
    let number = |query: &str| base.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let word = |query: &str| base.query_row(query, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(number("PRAGMA user_version"), 1);
    assert_eq!(number("PRAGMA application_id"), 0x5043_4150);
    assert_eq!(word("SELECT capture FROM captures WHERE packets = 563"), "plant.pcapng");
    assert_eq!(word("SELECT reason FROM skipped WHERE capture = 'nope.pcap'"), "no such file or directory");
    assert_eq!(number("SELECT count(*) FROM findings WHERE module = 'modbus'"), 3);
    assert_eq!(
        word("SELECT json_extract(data, '$.frames[0]') || '' FROM detections WHERE json_extract(data, '$.detection') = 'modbus_identity_read'"),
        "323"
    );
    assert_eq!(word("SELECT typeof(writes) FROM modbus_writes LIMIT 1"), "integer");
    assert_eq!(word("SELECT capture FROM hosts WHERE ip = '192.168.50.10'"), "plant.pcapng");
    assert!(number("SELECT count(*) FROM raw_modbus") > 100);
    assert_eq!(word("SELECT type FROM pragma_table_info('raw_modbus') WHERE name = 'frame'"), "INTEGER");
    assert_eq!(number("SELECT count(*) FROM raw_sv"), 0);
    drop(base);
    // Ours is replaced; what is a stranger's stays.
    let again = run_in(&scratch, &[&plant, "--arp", "--sqlite", "x.db"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(
        Connection::open(in_work(&scratch, "x.db")).unwrap().query_row("SELECT count(*) FROM raw_modbus", [], |row| row.get::<_, i64>(0)).is_err()
    );
}

#[test]
fn two_runs_give_the_same_bytes() {
    let scratch = Scratch::new("export-same");
    let captures: Vec<String> = ["mail.pcap", "plant.pcapng"].iter().map(|name| sample(name)).collect();
    let kinds = [("json", "--json"), ("csv", "--csv"), ("db", "--sqlite")];
    for (number, lake) in [("1", "lake-a"), ("2", "lake-a"), ("3", "lake-b")] {
        let names: Vec<String> = kinds.iter().map(|(suffix, _)| format!("{number}.{suffix}")).collect();
        let mut arguments: Vec<&str> = captures.iter().map(String::as_str).collect();
        arguments.extend(["--email", "--sqlite-tables", "flows,credentials"]);
        for ((_, flag), name) in kinds.iter().zip(&names) {
            arguments.extend([flag, name.as_str()]);
        }
        fs::create_dir_all(scratch.path("work")).unwrap();
        let output = pcapper(&scratch.path(lake), &arguments).current_dir(scratch.path("work")).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    for (suffix, _) in kinds {
        let first = fs::read(in_work(&scratch, &format!("1.{suffix}"))).unwrap();
        for other in ["2", "3"] {
            assert!(first == fs::read(in_work(&scratch, &format!("{other}.{suffix}"))).unwrap(), "{suffix} of run {other} differs");
        }
    }
}

/// Whether exports and terminal show the passwords of mqtt_coap.pcap in clear, and what stderr tells.
fn secrets(scratch: &Scratch, options: &[&str]) -> (bool, bool, String) {
    let mqtt = sample("mqtt_coap.pcap");
    let output = run_in(
        scratch,
        &[&[mqtt.as_str(), "--mqtt", "--json", "s.json", "--csv", "s.csv", "--sqlite", "s.db", "--sqlite-tables", "credentials"], options].concat(),
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let base = Connection::open(in_work(scratch, "s.db")).unwrap();
    let secret: String =
        base.query_row("SELECT secret FROM raw_credentials WHERE secret IS NOT NULL ORDER BY frame DESC LIMIT 1", [], |row| row.get(0)).unwrap();
    let is_clear = !secret.starts_with("redacted:");
    for name in ["s.csv", "s.json"] {
        let whole = fs::read_to_string(in_work(scratch, name)).unwrap();
        assert_eq!(whole.contains("redacted:"), !is_clear, "{name}");
    }
    (is_clear, !text(&output.stdout).contains("redacted:"), text(&output.stderr))
}

#[test]
fn secrets_in_exports_are_shown_or_hidden_apart_from_the_terminal() {
    let scratch = Scratch::new("export-secrets");
    let warning = "pcapper: warning: exports hold secrets in clear\n";
    for (options, in_export, on_terminal) in [
        (&[][..], false, false),
        (&["--show-secrets"][..], true, true),
        (&["--show-secrets", "--export-redact"][..], false, true),
        (&["--export-redact"][..], false, false),
        (&["--export-raw"][..], true, false),
        (&["--export-raw", "--show-secrets"][..], true, true),
    ] {
        let (exported, shown, told) = secrets(&scratch, options);
        assert_eq!((exported, shown), (in_export, on_terminal), "{options:?}");
        assert_eq!(told, if in_export { warning } else { "" }, "{options:?}");
    }
}

#[test]
fn what_cannot_be_done_is_refused_before_any_work() {
    let scratch = Scratch::new("export-refused");
    fs::create_dir_all(scratch.path("work")).unwrap();
    fs::copy(sample("arp.pcap"), in_work(&scratch, "in.pcap")).unwrap();
    fs::write(in_work(&scratch, "note.db"), "no database").unwrap();
    Connection::open(in_work(&scratch, "other.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    for (arguments, message) in [
        (&["--json", "x", "--csv", "x"][..], "x: named for --json and for --csv"),
        (&["--json", "./x", "--csv", "x"][..], "x: named for --json and for --csv"),
        (&["--json", "-", "--csv", "-"][..], "--json and --csv cannot both write to standard output"),
        (&["--json", "in.pcap"][..], "in.pcap: is a capture of this run; name another file"),
        (&["--json", "in.pcap/x.json"][..], "in.pcap/x.json: cannot write: "),
        (&["--sqlite", "note.db"][..], "note.db: exists and is no SQLite database; name another file"),
        (&["--sqlite", "other.db"][..], "other.db: is a database of another program; name another file"),
        (&["--sqlite", "-"][..], "--sqlite -: a file is needed; only --json and --csv write to standard output"),
        (&["--export-raw", "--export-redact", "--json", "x"][..], "--export-raw and --export-redact exclude one another"),
        (&["--sqlite-tables", "dns"][..], "--sqlite-tables needs --sqlite"),
        (&["--sqlite", "x", "--sqlite-tables", "dnss"][..], "--sqlite-tables dnss: no such table (--tables lists them; all takes every one)"),
        (&["--sql", "SELECT 1", "-o", "in.pcap"][..], "in.pcap: is a capture of this run; name another file"),
        (&["--log-file", "in.pcap"][..], "--log-file in.pcap: cannot write: the file is there and is no log; name another"),
    ] {
        let output = run_in(&scratch, &[&["in.pcap"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        let told = text(&output.stderr);
        assert!(told.starts_with(&format!("pcapper: {message}")) && told.lines().count() == 1, "{arguments:?}: {told}");
    }
    assert!(!in_work(&scratch, "x").exists(), "something was written");
    assert_eq!(fs::read(in_work(&scratch, "in.pcap")).unwrap(), fs::read(sample("arp.pcap")).unwrap());
    let parts = fs::read_dir(scratch.path("work")).unwrap().flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(".part")).count();
    assert_eq!(parts, 0, "files in the making were left");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_reader_that_leaves() {
    let scratch = Scratch::new("export-full");
    let arp = sample("arp.pcap");
    for flag in ["--json", "--csv"] {
        let output = run_in(&scratch, &[&arp, flag, "/dev/full"]);
        assert_eq!(
            (output.status.code(), text(&output.stderr).as_str()),
            (Some(1), "pcapper: /dev/full: cannot write: no space left on device\n"),
            "{flag}"
        );
    }
    let full = || std::process::Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let output = pcapper(&scratch.path("lake"), &[&arp]).stdout(full()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), "pcapper: cannot write the output: no space left on device\n"));
    // Nobody can be told, and nothing breaks.
    assert_eq!(pcapper(&scratch.path("lake"), &["nope.pcap"]).stderr(full()).status().unwrap().code(), Some(2));
    let mut child =
        pcapper(&scratch.path("lake"), &[&arp, &sample("plant.pcapng"), "--json", "-"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

#[test]
fn large_numbers_and_bytes_survive_json() {
    let scratch = Scratch::new("export-big");
    let query = "SELECT CAST(9007199254740993 AS BIGINT UNSIGNED) AS big, CAST('ab' AS BYTEA) AS bytes, to_timestamp_seconds(1) AS ts";
    let output = run(&scratch.0, &[&sample("arp.pcap"), "--sql", query, "--format", "jsonl"]);
    assert_eq!(text(&output.stdout), "{\"big\":9007199254740993,\"bytes\":\"6162\",\"ts\":\"1970-01-01T00:00:01.000000000Z\"}\n");
}

#[test]
fn standard_output_holds_the_export_and_nothing_else() {
    let scratch = Scratch::new("export-stdout");
    let plant = sample("plant.pcapng");
    let csv = text(&run_in(&scratch, &[&plant, "--modbus", "--csv", "-"]).stdout);
    assert!(csv.starts_with("category,module,capture,") && csv.lines().count() == 4, "{csv}");
    let both = run_in(&scratch, &[&plant, "--modbus", "--json", "-", "--csv", "f.csv", "--sqlite", "f.db"]);
    let document: Value = serde_json::from_slice(&both.stdout).unwrap();
    assert_eq!(document["path"], "plant.pcapng");
    assert!(in_work(&scratch, "f.csv").is_file() && in_work(&scratch, "f.db").is_file());
}

#[test]
fn an_export_that_fails_leaves_what_was_there_and_does_not_keep_the_others() {
    let scratch = Scratch::new("export-keeps");
    fs::create_dir_all(scratch.path("work")).unwrap();
    let plant = sample("plant.pcapng");
    run_in(&scratch, &[&plant]);
    fs::write(in_work(&scratch, "old.html"), "old").unwrap();
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_pcapper"), &plant, "--modbus", "--html", "old.html", "--csv", "x.csv"])
        .env("PCAPPER_LAKE", scratch.path("lake"))
        .current_dir(scratch.path("work"))
        .output()
        .unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).lines().count()), (Some(1), 1), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(in_work(&scratch, "old.html")).unwrap(), "old");
    assert!(in_work(&scratch, "x.csv").is_file());
    assert!(fs::read_dir(scratch.path("work")).unwrap().flatten().all(|entry| !entry.file_name().to_string_lossy().ends_with(".part")));
}

#[test]
fn columns_tell_type_unit_and_label() {
    let scratch = Scratch::new("export-units");
    let document: Value = serde_json::from_slice(&run_in(&scratch, &[&sample("plant.pcapng"), "--base", "--json", "-"]).stdout).unwrap();
    let facts = &document["summaries"]["base"]["sections"][0];
    let column = |name: &str| facts["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap().clone();
    assert_eq!((&column("size_bytes")["unit"], &column("packets")["unit"]), (&"bytes".into(), &"count".into()));
    let row = &facts["rows"][0];
    assert_eq!(row["packets"], 563);
    assert!(row["duration_s"].is_f64() && row["start"].as_str().unwrap().len() == "2013-03-19T16:05:11.062053000Z".len(), "{row}");
    let table = &document["summaries"]["base"]["sections"][2]["rows"][0];
    assert!(table.as_object().unwrap().values().any(|value| value.as_f64() == Some(1.0)), "shares are 0..1: {table}");
}
