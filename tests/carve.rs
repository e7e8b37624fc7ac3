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

/// A response of HTTP whose body, a picture, comes in chunks: no stream shows it whole.
fn chunked(path: &Path) -> String {
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 80);
    talk.send(true, b"GET / HTTP/1.1\r\nHost: plant.example\r\n\r\n", 1000);
    let (one, two) = GIF.split_at(20);
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in [one, two] {
        answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    talk.send(false, &answer, 1000);
    talk.write(path)
}

#[test]
fn bodies_are_carved_out_of_their_chunks() {
    let scratch = Scratch::new("carve-body");
    let capture = chunked(&scratch.path("web.pcap"));
    let report = text(&run_in(&scratch.0, &[&capture, "--carve"]).stdout);
    assert!(report.contains("Within") && report.contains("http body"), "{report}");
    assert_eq!(fs::read(scratch.path("carved/web_1_resp_0.gif")).unwrap(), GIF, "{report}");
}

#[test]
fn what_was_carved_is_in_the_table_of_files() {
    let scratch = Scratch::new("carve-files");
    let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 5555);
    talk.send(false, &[b"size 43\n", GIF, b"bye bye"].concat(), 7);
    let capture = talk.write(&scratch.path("talk.pcap"));
    let query = "SELECT frame, source, mime, size_bytes, complete, left(sha256, 12) AS sha256, direction, stream_offset FROM files";
    let asked = |arguments: &[&str]| {
        let output = run_in(&scratch.0, &[&[capture.as_str(), "--sql", query, "--format", "jsonl"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(asked(&[]), "");
    let row: serde_json::Value = serde_json::from_str(&asked(&["--carve"])).unwrap();
    let hash = pcapper_ingest::evidence::sha256(GIF);
    // Seven bytes a segment: the last byte of the picture, the 43rd of the stream, comes in the seventh, behind the handshake.
    let wanted = serde_json::json!({"frame": 10, "source": "carve", "mime": "image/gif", "size_bytes": GIF.len(), "complete": true,
        "sha256": &hash[..12], "direction": "download", "stream_offset": 8});
    assert_eq!(row, wanted);
    let report = text(&run_in(&scratch.0, &[&capture, "--carve", "--files"]).stdout);
    assert!(report.contains("STREAM CARVING") && report.matches(&hash[..12]).count() > 1, "{report}");
    assert_eq!(asked(&[]), "", "the lake holds what the protocols named");
}

#[test]
fn captures_taken_as_one_are_carved_as_one() {
    let scratch = Scratch::new("carve-merged");
    for name in ["a", "b"] {
        let mut talk = Talk::new([10, 0, 0, 1], [10, 0, 0, 2], if name == "a" { 5555 } else { 6666 });
        talk.send(false, GIF, 1000);
        talk.write(&scratch.path(&format!("{name}.pcap")));
    }
    let captures = [scratch.path("a.pcap"), scratch.path("b.pcap")].map(|path| path.to_string_lossy().into_owned());
    let output = run_in(&scratch.0, &[&captures[0], &captures[1], "--carve", "--summarize"]);
    let report = text(&output.stdout);
    assert_eq!(report.matches("STREAM CARVING :: ALL PCAPS (2)").count(), 1, "{report}");
    assert!(report.contains("Hits                     : 2\nExtracted                : 1\nSkipped                  : 0\n"), "{report}");
    assert!(report.contains("a.pcap, b.pcap"), "{report}");
}

#[test]
fn a_picture_of_the_web_is_the_same_by_either_way() {
    let Some(corpus) = std::env::var_os("PCAPPER_CORPUS").map(std::path::PathBuf::from) else {
        eprintln!("PCAPPER_CORPUS is unset: skipped");
        return;
    };
    let capture = corpus.join("captures/http/zeek_http-zeek-image-1080-80-x.pcapng");
    if !capture.is_file() {
        eprintln!("{}: not there, skipped", capture.display());
        return;
    }
    let scratch = Scratch::new("carve-corpus");
    let query = "SELECT source, size_bytes, left(sha256, 16) AS sha256 FROM files WHERE mime = 'image/png' ORDER BY source";
    let output = run_in(&scratch.0, &[&capture.to_string_lossy(), "--carve", "--sql", query, "--format", "jsonl"]);
    let found: Vec<serde_json::Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let row = |source: &str| serde_json::json!({"source": source, "size_bytes": 5816, "sha256": "42f34ab432e3c529"});
    assert_eq!(found, [row("carve"), row("http")]);
}
