//! The account that a run gives of itself.

mod common;

use std::fs;

use common::{Scratch, pcapper, run, sample, text};
use serde_json::Value;

/// The events of a log of JSON lines.
fn events(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["event"].as_str()).collect()
}

#[test]
fn json_lines_tell_the_run() {
    let scratch = Scratch::new("log-json");
    let (plant, log) = (sample("plant.pcapng"), scratch.path("deep/run.log"));
    let log_text = log.to_string_lossy().into_owned();
    let out = scratch.path("o.json").to_string_lossy().into_owned();
    let output = run(&scratch.0, &[&plant, "nope.pcap", "--modbus", "--arp", "--json", &out, "--log-file", &log_text, "--log-json"]);
    assert_eq!(output.status.code(), Some(1));
    let log = fs::read_to_string(&log).unwrap();
    let events = events(&log);
    assert_eq!(names(&events), ["start", "pcap_error", "pcap_start", "pcap_end", "finding", "finding", "finding", "export", "end"]);
    assert_eq!(events[0]["argv"][1], plant.as_str());
    assert_eq!((&events[0]["config"], &events[0]["version"]), (&Value::Null, &Value::from(env!("CARGO_PKG_VERSION"))));
    assert_eq!((events[1]["path"].as_str(), events[1]["reason"].as_str()), (Some("nope.pcap"), Some("no such file or directory")));
    let end = &events[3];
    assert_eq!((end["index"].as_u64(), end["total"].as_u64(), end["packets"].as_u64()), (Some(1), Some(1), Some(563)));
    assert_eq!(
        (&end["summaries"], &end["cached"], &end["truncated"]),
        (&serde_json::json!(["arp", "modbus"]), &Value::from(false), &Value::from(false))
    );
    assert_eq!(end["capture_id"].as_str().map(|id| id.len() > 32), Some(true));
    assert_eq!((events[4]["detection"].as_str(), events[4]["severity"].as_str()), (Some("modbus_identity_read"), Some("low")));
    assert_eq!(
        (events[4]["capture"].as_str(), events[4]["src_ip"].as_str(), events[4]["count"].as_u64()),
        (Some("plant.pcapng"), Some("192.168.50.20"), Some(1))
    );
    let bytes = fs::metadata(&out).unwrap().len();
    assert_eq!((events[7]["kind"].as_str(), events[7]["bytes"].as_u64()), (Some("json"), Some(bytes)));
    let last = &events[8];
    assert_eq!((last["status"].as_str(), last["exit_status"].as_u64()), (Some("partial"), Some(1)));
    assert!(last["duration_ms"].is_u64());
    for (event, line) in events.iter().zip(log.lines()) {
        assert!(line.starts_with("{\"ts\":\"") && event["ts"].as_str().is_some_and(|ts| ts.ends_with('Z')), "{line}");
    }
    // The second run finds the capture decoded, and appends.
    run(&scratch.0, &[&plant, "--arp", "--log-file", &log_text, "--log-json"]);
    let both = fs::read_to_string(&log_text).unwrap();
    assert!(both.starts_with(&log));
    assert_eq!(self::events(&both)[11]["cached"], Value::from(true));
}

#[cfg(unix)]
#[test]
fn text_lines_cannot_be_forged_by_a_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("log-text");
    let odd = scratch.path("a b\n2026-01-01T00:00:00Z end status=ok \u{202e}.pcap");
    fs::copy(sample("arp.pcap"), &odd).unwrap();
    let log = scratch.path("run.log");
    let output = run(&scratch.0, &[&odd.to_string_lossy(), "--arp", "--log-file", &log.to_string_lossy()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    let events: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').nth(1)).filter(|event| *event != "finding").collect();
    assert_eq!(events, ["start", "pcap_start", "pcap_end", "end"]);
    assert!(lines[1].contains("a b\\n2026-01-01T00:00:00Z end status=ok \\u{202e}.pcap\" index=1 total=1"), "{}", lines[1]);
    assert!(lines[2].contains(" summaries=arp capture_id="), "{}", lines[2]);
    let last = lines.last().unwrap();
    assert!(last.contains(" status=ok exit_status=0 duration_ms="), "{last}");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn usage_errors_and_help_are_logged_as_well() {
    let scratch = Scratch::new("log-usage");
    let log = scratch.path("run.log").to_string_lossy().into_owned();
    for (arguments, events, status) in [
        (&["--dnss", "x", "--log-file", log.as_str(), "--log-json"][..], &["start", "warning", "end"][..], "fail"),
        (&["--help", "--log-json", "--log-file", log.as_str()][..], &["start", "end"][..], "ok"),
        (&["nope.pcap", "--log-json", "--log-file", log.as_str()][..], &["start", "pcap_error", "end"][..], "fail"),
    ] {
        run(&scratch.0, arguments);
        let told = self::events(&fs::read_to_string(&log).unwrap());
        assert_eq!(names(&told), events, "{arguments:?}");
        assert_eq!(told.last().unwrap()["status"], status, "{arguments:?}");
        fs::remove_file(&log).unwrap();
    }
}

#[test]
fn runs_without_captures_and_saved_files_have_events() {
    let scratch = Scratch::new("log-others");
    let told = |arguments: &[&str]| {
        let log = scratch.path("run.log");
        let mut command = pcapper(&scratch.path("lake"), arguments);
        command
            .current_dir(&scratch.0)
            .env("PCAPPER_CONFIG", "")
            .env_remove("PCAPPER_PLUGINS")
            .env("XDG_DATA_HOME", &scratch.0)
            .env("HOME", &scratch.0);
        assert!(command.args(["--log-json", "--log-file", "run.log"]).output().unwrap().status.success(), "{arguments:?}");
        let told = self::events(&fs::read_to_string(&log).unwrap());
        fs::remove_file(&log).unwrap();
        told
    };
    let listed = told(&["--list-plugins"]);
    assert_eq!(names(&listed), ["start", "list_plugins", "end"]);
    assert_eq!(listed[1]["count"], 0);
    let checked = told(&["--self-check"]);
    assert_eq!(names(&checked), ["start", "self_check", "end"]);
    assert_eq!(checked[1]["status"], "ok");
    // The same content twice is saved once.
    let body = "the same thing";
    let mut talk = common::Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 80);
    for path in ["/one.txt", "/two.txt"] {
        talk.send(true, format!("GET {path} HTTP/1.1\r\nHost: x.example\r\n\r\n").as_bytes(), 500);
        talk.send(false, format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes(), 500);
    }
    let capture = talk.write(&scratch.path("http.pcap"));
    let extracted = told(&[&capture, "--extract", ".txt"]);
    let event = extracted.iter().find(|event| event["event"] == "extract").unwrap();
    assert_eq!((event["count"].as_u64(), event["skipped"].as_u64()), (Some(1), Some(1)), "{event}");
    assert!(event["dir"].as_str().is_some_and(|dir| scratch.path(dir).is_dir()), "{event}");
    let carved = told(&[&capture, "--carve"]);
    let event = carved.iter().find(|event| event["event"] == "carve").unwrap();
    assert_eq!((event["count"].as_u64(), event["skipped"].as_u64()), (Some(0), Some(0)), "{event}");
    assert!(event["dir"].is_string());
}

#[test]
fn a_damaged_capture_is_an_error_with_its_place() {
    let scratch = Scratch::new("log-cut");
    let cut = scratch.path("cut.pcap");
    fs::write(&cut, &fs::read(sample("arp.pcap")).unwrap()[..300]).unwrap();
    let output = run(&scratch.0, &[&cut.to_string_lossy(), "--log-json"]);
    let told = self::events(&text(&output.stderr).lines().filter(|line| line.starts_with('{')).collect::<Vec<_>>().join("\n"));
    let error = told.iter().find(|event| event["event"] == "pcap_error").unwrap();
    assert_eq!((error["index"].as_u64(), error["offset"].as_u64()), (Some(1), Some(254)));
    assert!(text(&output.stderr).contains("the file ends inside a record at byte 254 "), "{}", text(&output.stderr));
    assert_eq!(told.iter().find(|event| event["event"] == "pcap_end").unwrap()["truncated"], true);
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written() {
    let scratch = Scratch::new("log-full");
    let arp = sample("arp.pcap");
    let full = run(&scratch.0, &[&arp, "--log-file", "/dev/full"]);
    assert_eq!(
        (full.status.code(), text(&full.stderr).as_str()),
        (Some(1), "pcapper: --log-file /dev/full: cannot write: no space left on device\n")
    );
    assert!(text(&full.stdout).contains("PCAPPER REPORT"), "the run goes on");
    let refused = run(&scratch.0, &[&arp, "--log-file", "/proc/none/x.log"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stdout.is_empty() && text(&refused.stderr).lines().count() == 1, "{}", text(&refused.stderr));
}

#[test]
fn lines_of_several_runs_stay_whole() {
    let scratch = Scratch::new("log-parallel");
    let log = scratch.path("run.log").to_string_lossy().into_owned();
    let arp = sample("arp.pcap");
    run(&scratch.0, &[&arp]);
    let children: Vec<_> =
        (0..4).map(|_| pcapper(&scratch.0, &[&arp, "--log-file", &log, "--log-json"]).stdout(std::process::Stdio::null()).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let told = events(&fs::read_to_string(&log).unwrap());
    assert_eq!(names(&told).iter().filter(|name| **name == "end").count(), 4);
}
