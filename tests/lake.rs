//! Looking after a lake, and asking all of it.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Scratch, number, pcapper, run, sample, text};
use serde_json::Value;

fn lake(dir: &Path, words: &[&str]) -> std::process::Output {
    pcapper(dir, &[&["lake"], words].concat()).output().unwrap()
}

fn rows(dir: &Path, words: &[&str]) -> Vec<Value> {
    let output = lake(dir, &[words, &["--json", "-"]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    document["summaries"]["lake"]["sections"][1]["rows"].as_array().cloned().unwrap_or_default()
}

fn directories(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn captures_are_added_listed_and_removed() {
    let scratch = Scratch::new("lake-list");
    let output = lake(&scratch.0, &["add", &sample("arp.pcap"), &sample("ntp.pcap")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("Added                    : 2"), "{}", text(&output.stdout));
    assert!(text(&lake(&scratch.0, &["add", &sample("arp.pcap")]).stdout).contains("Were There               : 1"));
    let listed = rows(&scratch.0, &["list"]);
    let named: Vec<_> = listed.iter().map(|row| (row["capture"].as_str().unwrap(), row["packets"].as_u64().unwrap())).collect();
    assert_eq!(named, [("arp.pcap", 28), ("ntp.pcap", 41)]);
    assert!(
        listed.iter().all(|row| row["size_bytes"].as_u64() > Some(1000) && row["schema_version"].is_u64() && row["age_s"].is_number()),
        "{listed:?}"
    );
    let id = listed[1]["capture_id"].as_str().unwrap().to_owned();
    let text_form = text(&lake(&scratch.0, &["list"]).stdout);
    assert!(text_form.lines().all(|line| line.chars().count() <= 100), "{text_form}");

    assert_eq!(lake(&scratch.0, &["remove", "arp.pcap"]).status.code(), Some(0));
    assert_eq!(rows(&scratch.0, &["remove", &id]).len(), 1);
    assert!(directories(&scratch.0).is_empty());
    let none = lake(&scratch.0, &["remove", "arp.pcap"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("arp.pcap: no such capture in"), "{}", text(&none.stderr));
}

#[test]
fn commands_are_checked() {
    let scratch = Scratch::new("lake-words");
    for (words, error) in [
        (&["add"][..], "lake add: no capture named"),
        (&["remove"], "lake remove: name captures"),
        (&["compact", "much"], "lake compact much: a size is needed"),
        (&["destroy"], "lake destroy: list, add, remove, verify or compact is needed (a capture called lake is ./lake)"),
    ] {
        let output = lake(&scratch.0, words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text(&output.stderr).contains(error), "{}", text(&output.stderr));
    }
    // A capture of that name.
    fs::copy(sample("arp.pcap"), scratch.path("lake")).unwrap();
    let named = Command::new(env!("CARGO_BIN_EXE_pcapper"))
        .current_dir(&scratch.0)
        .args(["./lake", "--no-cache", "--sql", "SELECT packets FROM captures", "--format", "csv"])
        .output()
        .unwrap();
    assert_eq!(text(&named.stdout), "packets\r\n28\r\n", "{}", text(&named.stderr));
}

#[test]
fn damage_is_found() {
    let scratch = Scratch::new("lake-verify");
    lake(&scratch.0, &["add", &sample("arp.pcap"), &sample("ntp.pcap"), &sample("dns.pcap.gz")]);
    let sound = lake(&scratch.0, &["verify"]);
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stderr));
    assert!(text(&sound.stdout).contains("Sound                    : 3"), "{}", text(&sound.stdout));
    let listed = rows(&scratch.0, &["list"]);
    let dir = |name: &str| {
        let id = listed.iter().find(|row| row["capture"] == name).unwrap()["capture_id"].as_str().unwrap().to_owned();
        let whole = directories(&scratch.0).into_iter().find(|dir| dir.starts_with(&id)).unwrap();
        scratch.path(&whole)
    };
    // One octet of a page, a file that went, a manifest that tells other numbers.
    let packets = dir("arp.pcap").join("packets.parquet");
    let mut bytes = fs::read(&packets).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x55;
    fs::write(&packets, bytes).unwrap();
    fs::remove_file(dir("ntp.pcap").join("ntp.parquet")).unwrap();
    let manifest = dir("dns.pcap.gz").join("capture.json");
    let told = fs::read_to_string(&manifest).unwrap();
    let mut value: Value = serde_json::from_str(&told).unwrap();
    value["tables"]["dns"] = 7.into();
    fs::write(&manifest, value.to_string()).unwrap();
    let output = lake(&scratch.0, &["verify"]);
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout);
    for line in ["packets.parquet was changed: its hash is not the one it was written with", "ntp.parquet: is missing", "was written with 7"] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    assert!(text(&output.stderr).contains("3 of 3 captures are damaged"), "{}", text(&output.stderr));
}

#[test]
fn what_no_question_reaches_is_taken_away() {
    let scratch = Scratch::new("lake-compact");
    lake(&scratch.0, &["add", &sample("arp.pcap"), &sample("ntp.pcap")]);
    let id = directories(&scratch.0).into_iter().next().unwrap();
    // An older schema's capture, half a capture, and what a killed process left.
    let old = scratch.path("0123456789abcdef0123456789abcdef-1");
    fs::create_dir(&old).unwrap();
    fs::write(old.join("capture.json"), r#"{"schema":1,"capture_id":"0123456789abcdef0123456789abcdef-1","capture":"old.pcap","packets":3}"#)
        .unwrap();
    fs::create_dir(scratch.path("fedcba9876543210fedcba9876543210-2")).unwrap();
    fs::create_dir(scratch.path(".building-4194305-0")).unwrap();
    fs::create_dir(scratch.path(".removed-4194305-x")).unwrap();
    let all = run(&scratch.0, &["--lake", &scratch.0.to_string_lossy(), "--sql", "SELECT count(*) AS n FROM captures", "--format", "csv"]);
    assert_eq!((all.status.code(), text(&all.stdout)), (Some(1), "n\r\n2\r\n".to_owned()));
    assert!(text(&all.stderr).contains("2 captures of the lake were decoded by another version"), "{}", text(&all.stderr));
    let listed = rows(&scratch.0, &["list"]);
    assert!(listed.iter().any(|row| row["capture"] == "old.pcap" && row["schema_version"] == 1), "{listed:?}");
    let output = text(&lake(&scratch.0, &["compact"]).stdout);
    for line in ["Outdated Removed         : 1", "Captures Left            : 2"] {
        assert!(output.contains(line), "{line}\n{output}");
    }
    assert!(!scratch.path(".building-4194305-0").exists() && !scratch.path(".removed-4194305-x").exists() && !old.exists());
    assert!(scratch.path(&id).exists());
    // Down to a size: the capture asked for longest ago goes first.
    fs::write(scratch.path(&id).join(".used"), "").unwrap();
    let output = text(&lake(&scratch.0, &["compact", "1"]).stdout);
    assert!(output.contains("Removed For Size         : 2"), "{output}");
}

#[test]
fn the_cache_is_held_to_its_size() {
    let scratch = Scratch::new("lake-cap");
    let ask = |capture: &str| {
        let output = pcapper(&scratch.0, &[&sample(capture), "--sql", "SELECT 1"]).env("PCAPPER_LAKE_MAX_BYTES", "1KB").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    };
    ask("arp.pcap");
    ask("ntp.pcap");
    assert_eq!(directories(&scratch.0).len(), 1, "only the capture of the last run is left");
    let wrong = pcapper(&scratch.0, &[&sample("arp.pcap")]).env("PCAPPER_LAKE_MAX_BYTES", "lots").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

/// A run that still reads the lake keeps its captures; what is too much goes when nobody reads any more.
#[test]
fn captures_that_another_run_reads_stay() {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::Stdio;
    let scratch = Scratch::new("lake-two");
    fs::create_dir(scratch.path("lake")).unwrap();
    let capped = |words: &[&str]| {
        let mut command = pcapper(&scratch.path("lake"), words);
        command.env("PCAPPER_LAKE_MAX_BYTES", "1KB").env("XDG_STATE_HOME", &scratch.0);
        command
    };
    let mut reader = capped(&[&sample("arp.pcap"), "--shell"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut asks = reader.stdin.take().unwrap();
    // Its capture is there: from then on until its input ends, it reads.
    while directories(&scratch.path("lake")).is_empty() {
        assert!(reader.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(capped(&[&sample("ntp.pcap"), "--sql", "SELECT 1"]).output().unwrap().status.success());
    assert_eq!(directories(&scratch.path("lake")).len(), 2);
    writeln!(asks, "\\format csv\nSELECT count(*) AS n FROM arp;").unwrap();
    drop(asks);
    let told: Vec<String> = BufReader::new(reader.stdout.take().unwrap()).lines().map(|line| line.unwrap().trim_end().to_owned()).collect();
    assert_eq!(told, ["n", "22"]);
    assert!(reader.wait().unwrap().success());
    // The reader was the last, and had decoded something.
    assert_eq!(directories(&scratch.path("lake")).len(), 1);
    assert_eq!(fs::metadata(scratch.path("lake/.lock")).unwrap().len(), 0);
}

/// What one run could not do because others read, the next does, even if it decodes nothing.
#[test]
fn what_was_left_is_made_good() {
    let scratch = Scratch::new("lake-left");
    for capture in ["arp.pcap", "ntp.pcap"] {
        run(&scratch.0, &[&sample(capture), "--sql", "SELECT 1"]);
    }
    let again = || pcapper(&scratch.0, &[&sample("arp.pcap"), "--sql", "SELECT 1"]).env("PCAPPER_LAKE_MAX_BYTES", "1KB").output().unwrap();
    assert!(again().status.success());
    assert_eq!(directories(&scratch.0).len(), 2, "nothing new was decoded");
    fs::write(scratch.path(".lock"), "x").unwrap();
    assert!(again().status.success());
    assert_eq!(directories(&scratch.0).len(), 1);
}

#[cfg(unix)]
#[test]
fn a_lake_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("lake-private");
    run(&scratch.path("deep/lake"), &[&sample("arp.pcap"), "--sql", "SELECT 1"]);
    assert_eq!(fs::metadata(scratch.path("deep/lake")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_lake_is_asked_as_a_whole() {
    let scratch = Scratch::new("lake-whole");
    let dir = scratch.0.to_string_lossy().into_owned();
    let empty = run(&scratch.0, &["--lake", &dir, "--sql", "SELECT 1"]);
    assert_eq!(empty.status.code(), Some(2));
    assert!(text(&empty.stderr).contains("no capture in this lake"), "{}", text(&empty.stderr));
    lake(&scratch.0, &["add", &sample("arp.pcap"), &sample("ntp.pcap")]);
    let counted = run(
        &scratch.0,
        &["--lake", &dir, "--sql", "SELECT capture, count(*) AS n FROM packets GROUP BY capture ORDER BY capture", "--format", "csv"],
    );
    assert_eq!(text(&counted.stdout), "capture,n\r\narp.pcap,28\r\nntp.pcap,41\r\n");
    let report = text(&run(&scratch.0, &["--lake", &dir, "--base", "--summarize"]).stdout);
    assert!(report.contains("PCAPPER REPORT :: ALL PCAPS (2)"), "{report}");
    let each = text(&run(&scratch.0, &["--lake", &dir, "--arp"]).stdout);
    assert_eq!(each.matches(" :: ").count(), 2, "{each}");
}

/// Many captures, one needle: what the index leaves out has no such row, and it never leaves out one that has.
#[test]
fn a_needle_is_found_in_many_captures() {
    let scratch = Scratch::new("lake-needle");
    let (captures, lake_dir) = (scratch.path("captures"), scratch.path("lake"));
    fs::create_dir(&captures).unwrap();
    let whole = fs::read(sample("arp.pcap")).unwrap();
    for number in 0..40u8 {
        // Other captures: the first sender's address differs, everything else is the same.
        let mut bytes = whole.clone();
        let sender = [192, 168, 50, 21];
        for at in 24..bytes.len() - 4 {
            if bytes[at..at + 4] == sender {
                bytes[at..at + 4].copy_from_slice(&[10, 9, 8, number]);
            }
        }
        fs::write(captures.join(format!("c{number:02}.pcap")), bytes).unwrap();
    }
    let dir = lake_dir.to_string_lossy().into_owned();
    let added = run(&lake_dir, &["lake", "add", &captures.to_string_lossy()]);
    assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    let ask = |query: &str| text(&run(&lake_dir, &["--lake", &dir, "--sql", query, "--format", "csv"]).stdout).replace("\r\n", "|");
    let needle = "SELECT DISTINCT capture FROM arp WHERE sender_ip = '10.9.8.17'";
    assert_eq!(ask(needle), "capture|c17.pcap|");
    assert!(lake_dir.join(".index/arp").is_file());
    assert_eq!(ask("SELECT count(DISTINCT capture) AS n FROM arp WHERE sender_ip IN ('10.9.8.3', '10.9.8.4') OR capture = 'c09.pcap'"), "n|3|");
    assert_eq!(ask("SELECT count(*) AS n FROM arp WHERE sender_ip = '10.9.9.9'"), "n|0|");
    assert_eq!(ask("SELECT count(DISTINCT capture) AS n FROM arp WHERE sender_ip <> '10.9.8.17'"), "n|40|");
    assert_eq!(ask("SELECT count(*) AS n FROM arp WHERE ts > TIMESTAMP '2030-01-01T00:00:00Z'"), "n|0|");
    // Without the index, with a damaged one, and with one that cannot be written: the same.
    for damage in ["", "pcapper needles 1\nxx"] {
        fs::write(lake_dir.join(".index/arp"), damage).unwrap();
        assert_eq!(ask(needle), "capture|c17.pcap|");
    }
    fs::remove_dir_all(lake_dir.join(".index")).unwrap();
    fs::write(lake_dir.join(".index"), "").unwrap();
    assert_eq!(ask(needle), "capture|c17.pcap|");
    assert_eq!(number(&lake_dir, &captures.to_string_lossy(), "SELECT count(*) FROM captures"), 40);
}
