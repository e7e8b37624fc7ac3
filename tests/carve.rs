//! `--carve`: files found in streams by their content.

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, Talk, pcapper, text};

fn run_in(directory: &Path, arguments: &[&str]) -> std::process::Output {
    pcapper(&directory.join("lake"), arguments).current_dir(directory).output().unwrap()
}

/// A GIF of one pixel.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";

/// A PE of one section, from the fields that say how long it is.
fn program() -> Vec<u8> {
    let mut pe = vec![0; 0x400];
    pe[..2].copy_from_slice(b"MZ");
    pe[0x3c] = 0x40;
    pe[0x40..0x44].copy_from_slice(b"PE\0\0");
    pe[0x46] = 1;
    pe[0x54] = 0xe0;
    pe[0x58..0x5a].copy_from_slice(&[0x0b, 0x01]);
    pe[0x58 + 60..0x58 + 62].copy_from_slice(&[0, 2]);
    let section = 0x58 + 0xe0;
    pe[section + 16..section + 18].copy_from_slice(&[0, 2]);
    pe[section + 20..section + 22].copy_from_slice(&[0, 2]);
    pe
}

#[test]
fn files_are_taken_whole_whatever_stands_around_them() {
    let scratch = Scratch::new("carve");
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 5555);
    talk.send(true, b"get picture\n", 1000);
    talk.send(false, &[b"size 43\n", GIF, b"bye bye"].concat(), 7);
    talk.send(true, GIF, 11);
    let capture = talk.write(&scratch.path("talk.pcap"));
    let output = run_in(&scratch.0, &[&capture, "--carve"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(report.contains("STREAM CARVING :: talk.pcap"), "{report}");
    assert!(report.contains("Hits                     : 2\nExtracted                : 1\nSkipped                  : 1\n"), "{report}");
    assert!(report.contains("duplicate of talk_1_resp_8.gif"), "{report}");
    assert_eq!(fs::read(scratch.path("carved/talk_1_resp_8.gif")).unwrap(), GIF);
    let list = fs::read_to_string(scratch.path("carved/files.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!((&line["source"], &line["stream_offset"], &line["complete"]), (&"carve".into(), &8.into(), &true.into()));
}

#[test]
fn a_program_to_a_controller_is_a_finding() {
    let scratch = Scratch::new("carve-program");
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 20547);
    talk.send(true, &[b"\x01\x02update", program().as_slice(), b"end"].concat(), 500);
    let capture = talk.write(&scratch.path("update.pcap"));
    let report = text(&run_in(&scratch.0, &[&capture, "--carve", "--carve-out", "here"]).stdout);
    assert!(report.contains("[HIGH] A program passed where no file transfer was recognised"), "{report}");
    assert_eq!(fs::read(scratch.path("here/update_1_orig_8.exe")).unwrap(), program());
    // The frames of the finding become evidence.
    let out = scratch.path("out.pcapng").to_string_lossy().into_owned();
    run_in(&scratch.0, &[&capture, "--carve", "--write-pcap", &out]);
    assert_eq!(common::number(&scratch.path("lake"), &out, "SELECT count(*) FROM packets"), 1);
}

#[test]
fn what_is_not_taken_is_told() {
    let scratch = Scratch::new("carve-limits");
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 5555);
    let mut other = GIF.to_vec();
    other[13] = 0x55;
    talk.send(true, &[GIF, &other, b"rest"].concat(), 1000);
    let cut = &program()[..700];
    talk.send(false, cut, 1000);
    talk.lose(false, 100);
    talk.send(false, b"behind the gap", 1000);
    talk.segment(true, 0x10, &[]);
    let capture = talk.write(&scratch.path("talk.pcap"));
    let report = text(&run_in(&scratch.0, &[&capture, "--carve", "--carve-limit", "1"]).stdout);
    assert!(report.contains("over --carve-limit"), "{report}");
    assert!(report.contains("gap in stream"), "{report}");
    let report = text(&run_in(&scratch.0, &[&capture, "--carve", "--carve-max-bytes", "20"]).stdout);
    assert_eq!(report.matches("over --carve-max-bytes").count(), 2, "{report}");
    // Beyond the bytes that are scanned nothing is found.
    let report = text(&run_in(&scratch.0, &[&capture, "--carve", "--carve-stream-bytes", "60", "--carve-out", "few"]).stdout);
    assert!(report.contains("Scanned Bytes            : 120\n"), "{report}");
    assert!(fs::read_dir(scratch.path("few")).unwrap().count() > 0);
}
