//! Which captures a run reads: files, directories, globs, standard input, formats and compressions; what is passed over.

mod common;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use common::{Scratch, pcapper, run, sample, text};

/// A run in a folder, at home there.
fn run_in(scratch: &Scratch, folder: &str, arguments: &[&str]) -> Output {
    let dir = scratch.path(folder);
    fs::create_dir_all(&dir).unwrap();
    pcapper(&scratch.path("lake"), arguments).current_dir(&dir).env("HOME", &dir).env("PCAPPER_CONFIG", "").output().unwrap()
}

/// Names and packets of the captures that a run reads, in its order, and what it says.
fn read(scratch: &Scratch, folder: &str, arguments: &[&str]) -> (Vec<(String, u64)>, Option<i32>, String) {
    let output = run_in(scratch, folder, &[arguments, &["--base", "--json", "-"]].concat());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let one = |entry: &serde_json::Value| {
        let packets = entry["summaries"]["base"]["sections"][0]["rows"][0]["packets"].as_u64().unwrap();
        (entry["path"].as_str().unwrap().to_owned(), packets)
    };
    let captures = match document["captures"].as_array() {
        Some(captures) => captures.iter().map(one).collect(),
        None if document["path"].is_string() => vec![one(&document)],
        None => Vec::new(),
    };
    (captures, output.status.code(), text(&output.stderr))
}

fn named(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(name, packets)| ((*name).to_owned(), *packets)).collect()
}

/// `in/`: captures under names that say nothing, a directory below, what claims to be a capture and is not, and other files.
fn tree(scratch: &Scratch) {
    let root = scratch.path("in");
    fs::create_dir_all(root.join("deep/er")).unwrap();
    fs::copy(sample("arp.pcap"), root.join("noext")).unwrap();
    fs::copy(sample("ntp.pcap"), root.join("B.cap")).unwrap();
    fs::copy(sample("dns.pcap.gz"), root.join("a.bin")).unwrap();
    fs::copy(sample("goose.pcap"), root.join("deep/er/x.pcap")).unwrap();
    fs::write(root.join("liar.PCAP"), "no capture").unwrap();
    fs::write(root.join("empty.pcapng"), "").unwrap();
    fs::write(root.join("notes.txt"), "notes").unwrap();
}

const ARP: u64 = 28;
const NTP: u64 = 41;
const GOOSE: u64 = 47;

fn dns() -> u64 {
    common::facts()["dns.pcap.gz"]["packets"].as_u64().unwrap()
}

#[test]
fn the_content_decides_and_the_order_is_bytewise() {
    let scratch = Scratch::new("targets-tree");
    tree(&scratch);
    let (captures, status, told) = read(&scratch, ".", &["in"]);
    assert_eq!(captures, named(&[("B.cap", NTP), ("a.bin", dns()), ("noext", ARP)]));
    assert_eq!(status, Some(0), "{told}");
    assert_eq!(
        told, "pcapper: in/empty.pcapng: skipped: file is empty\npcapper: in/liar.PCAP: skipped: not a capture (first bytes 6e 6f 20 63)\n",
        "the one that claims nothing is passed over in silence"
    );
    let (_, _, told) = read(&scratch, ".", &["in", "-v"]);
    assert!(told.ends_with("pcapper: 1 files that are no captures were passed over\n"), "{told}");
    let (captures, ..) = read(&scratch, ".", &["in", "-r"]);
    assert_eq!(captures, named(&[("B.cap", NTP), ("a.bin", dns()), ("x.pcap", GOOSE), ("noext", ARP)]));
    // In the order given, whatever kinds are mixed.
    let (captures, ..) = read(&scratch, "in", &["noext", "deep/er", "B.cap"]);
    assert_eq!(captures, named(&[("noext", ARP), ("x.pcap", GOOSE), ("B.cap", NTP)]));
    let (captures, status, told) = read(&scratch, "in", &["deep"]);
    assert_eq!((captures, status, told.as_str()), (Vec::new(), Some(2), "pcapper: no capture among the targets\n"));
}

#[test]
fn globs_are_expanded_unless_a_file_has_that_name() {
    let scratch = Scratch::new("targets-glob");
    tree(&scratch);
    let paths = |arguments: &[&str]| read(&scratch, "in", arguments).0;
    assert_eq!(paths(&["*.cap"]), named(&[("B.cap", NTP)]));
    assert_eq!(paths(&["[a-n]*"]), named(&[("a.bin", dns()), ("noext", ARP)]));
    assert_eq!(paths(&["?oext"]), named(&[("noext", ARP)]));
    assert_eq!(paths(&["~/no*"]), named(&[("noext", ARP)]), "the home folder");
    assert_eq!(paths(&["de*/er"]), named(&[("x.pcap", GOOSE)]), "a match that is a directory is read as one");
    assert_eq!(paths(&["**/*.pcap"]), [], "crosses directories only if asked to");
    assert_eq!(paths(&["**/*.pcap", "-r"]), named(&[("x.pcap", GOOSE)]));
    fs::copy(sample("arp.pcap"), scratch.path("in/cap[1].pcap")).unwrap();
    fs::copy(sample("ntp.pcap"), scratch.path("in/cap1.pcap")).unwrap();
    assert_eq!(paths(&["cap[1].pcap"]), named(&[("cap[1].pcap", ARP)]), "a path that exists is no pattern");
    let (.., status, told) = read(&scratch, "in", &["*.none"]);
    assert_eq!((status, told.as_str()), (Some(2), "pcapper: *.none: nothing matches\n"));
    fs::copy(sample("arp.pcap"), scratch.path("in/-x.pcap")).unwrap();
    let output = run_in(&scratch, "in", &["--base", "--", "-x.pcap"]);
    assert!(text(&output.stdout).contains("PCAPPER REPORT :: -x.pcap"), "{}", text(&output.stderr));
}

#[test]
fn no_file_is_read_twice() {
    let scratch = Scratch::new("targets-twice");
    tree(&scratch);
    assert_eq!(read(&scratch, ".", &["in/noext", "in/../in/noext", "in/n*"]).0, named(&[("noext", ARP)]));
    // Equal content under two names is decoded once, and reported under both.
    fs::copy(sample("arp.pcap"), scratch.path("in/second")).unwrap();
    assert_eq!(read(&scratch, ".", &["in/noext", "in/second"]).0, named(&[("noext", ARP), ("second", ARP)]));
    let decoded = fs::read_dir(scratch.path("lake")).unwrap().flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count();
    assert_eq!(decoded, 1);
}

#[cfg(unix)]
#[test]
fn links_are_followed_once_and_no_device_is_opened() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new("targets-links");
    tree(&scratch);
    let root = scratch.path("in");
    symlink("noext", root.join("link.pcap")).unwrap();
    symlink("../in", root.join("deep/circle")).unwrap();
    symlink("gone.pcap", root.join("dangling.pcap")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(root.join("pipe.pcap")).status().unwrap().success());
    let (captures, status, _) = read(&scratch, ".", &["in", "-r"]);
    // The link comes before what it leads to, and that counts once.
    assert_eq!(captures, named(&[("B.cap", NTP), ("a.bin", dns()), ("x.pcap", GOOSE), ("link.pcap", ARP)]));
    assert_eq!(status, Some(0));
}

/// `bytes` in the form of a compression.
fn compressed(name: &str, bytes: &[u8]) -> Vec<u8> {
    match name {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => zstd::encode_all(bytes, 1).unwrap(),
        "lz4" => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        _ => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

#[test]
fn compressions_are_known_by_their_first_bytes() {
    let scratch = Scratch::new("targets-compressed");
    let plain = fs::read(sample("plant.pcapng")).unwrap();
    for kind in ["gzip", "zstd", "lz4", "xz"] {
        let path = scratch.path(kind);
        fs::write(&path, compressed(kind, &plain)).unwrap();
        let row = &common::rows(&scratch.path("lake"), &path.to_string_lossy(), "SELECT packets, format FROM captures")[0];
        assert_eq!((row["packets"].as_u64(), row["format"].as_str()), (Some(563), Some(format!("pcapng+{kind}").as_str())));
        // Breaks off before anything is told, or in the middle: what came before is there.
        let cut = scratch.path(&format!("{kind}-cut"));
        fs::write(&cut, &fs::read(&path).unwrap()[..20]).unwrap();
        let output = run(&scratch.path("lake"), &[&cut.to_string_lossy()]);
        let told = format!("pcapper: {}: cannot be unpacked: the compressed data breaks off\n", cut.display());
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), told), "{kind}");
        let whole = compressed(kind, &plain.repeat(30));
        // What repeats takes almost no room: only the very end is cut off.
        fs::write(&cut, &whole[..whole.len() - 40]).unwrap();
        let output = run(&scratch.path("lake"), &[&cut.to_string_lossy()]);
        // LZ4 and XZ may hold all of it in one block, of which nothing can be had.
        let is_partial = output.status.code() == Some(1) || (["lz4", "xz"].contains(&kind) && output.status.code() == Some(2));
        assert!(is_partial, "{kind}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1, "{kind}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("the compressed data breaks off"), "{kind}: {}", text(&output.stderr));
    }
}

/// The sample of ARP in another byte order, with other magic and resolution of time, with longer record headers.
fn rewritten(big: bool, magic: u32, scale: u32, extra: usize) -> Vec<u8> {
    let whole = fs::read(sample("arp.pcap")).unwrap();
    let word = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap());
    let put = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut out = put(magic).to_vec();
    let version = if big { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
    out.extend(version);
    (8..24).step_by(4).for_each(|at| out.extend(put(word(at))));
    let mut at = 24;
    while at < whole.len() {
        let length = word(at + 8) as usize;
        for field in [word(at), word(at + 4) * scale, word(at + 8), word(at + 12)] {
            out.extend(put(field));
        }
        out.extend(std::iter::repeat_n(0, extra));
        out.extend(&whole[at + 16..at + 16 + length]);
        at += 16 + length;
    }
    out
}

#[test]
fn every_classic_form_gives_the_same_rows() {
    let scratch = Scratch::new("targets-forms");
    let lake = scratch.path("lake");
    let query = "SELECT frame, ts, captured_len, src_mac, dst_mac FROM packets ORDER BY frame";
    let wanted = common::rows(&lake, &sample("arp.pcap"), query);
    for (name, bytes, format) in [
        ("big", rewritten(true, 0xa1b2_c3d4, 1, 0), "pcap"),
        ("little-ns", rewritten(false, 0xa1b2_3c4d, 1000, 0), "pcap-ns"),
        ("big-ns", rewritten(true, 0xa1b2_3c4d, 1000, 0), "pcap-ns"),
        ("modified", rewritten(false, 0xa1b2_cd34, 1, 8), "pcap"),
    ] {
        let path = scratch.path(name);
        fs::write(&path, bytes).unwrap();
        let path = path.to_string_lossy().into_owned();
        assert_eq!(common::rows(&lake, &path, query), wanted, "{name}");
        let known = common::rows(&lake, &path, "SELECT format FROM captures")[0]["format"].as_str().unwrap().to_owned();
        assert!(known.starts_with(format), "{name}: {known}");
    }
}

#[test]
fn other_formats_are_named_with_the_way_out() {
    let scratch = Scratch::new("targets-formats");
    for (first, message) in [
        (&b"snoop\0\0\0\0\0\0\x02\0\0\0\x04________"[..], "snoop is not supported; convert it first: editcap -F pcapng IN OUT"),
        (b"GMBU____________________", "Microsoft Network Monitor 2 is not supported; convert it first: editcap -F pcapng IN OUT"),
        (b"PK\x03\x04____________________", "a zip archive is not supported; convert it first: unpack it"),
        (b"BZh9____________________", "bzip2 is not supported; convert it first: bunzip2"),
    ] {
        let path = scratch.path("x.pcap");
        fs::write(&path, first).unwrap();
        let output = run(&scratch.path("lake"), &[&path.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).ends_with(&format!("x.pcap: {message}\n")), "{}", text(&output.stderr));
    }
}

#[test]
fn standard_input_is_a_capture_too() {
    let scratch = Scratch::new("targets-stdin");
    let with = |bytes: &[u8], arguments: &[&str]| {
        let mut child = pcapper(&scratch.path("lake"), arguments);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        child.wait_with_output().unwrap()
    };
    let report = with(&fs::read(sample("dns.pcap.gz")).unwrap(), &["-"]);
    assert_eq!(report.status.code(), Some(0));
    assert!(text(&report.stdout).contains("PCAPPER REPORT :: stdin") && text(&report.stdout).contains("pcap+gzip"), "{}", text(&report.stdout));
    let cut = with(&fs::read(sample("arp.pcap")).unwrap()[..300], &["-", "--arp"]);
    assert_eq!(cut.status.code(), Some(1));
    assert!(text(&cut.stderr).starts_with("pcapper: stdin: the file ends inside a record at byte 254 "), "{}", text(&cut.stderr));
    let empty = with(b"", &["-"]);
    assert_eq!((empty.status.code(), text(&empty.stderr).as_str()), (Some(2), "pcapper: stdin: file is empty\n"));
    let noise = with(b"hello world, this is text", &["-"]);
    assert_eq!((noise.status.code(), text(&noise.stderr).as_str()), (Some(2), "pcapper: stdin: not a capture (first bytes 68 65 6c 6c)\n"));
}

#[test]
fn a_capture_without_packets_is_a_capture() {
    let scratch = Scratch::new("targets-none");
    let path = scratch.path("none.pcap");
    fs::write(&path, &fs::read(sample("arp.pcap")).unwrap()[..24]).unwrap();
    let output = run(&scratch.path("lake"), &[&path.to_string_lossy(), "--base", "--dns", "--threats"]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    let report = text(&output.stdout);
    for line in ["Packets                  : 0\n", "Start                    : -\n", "Duration                 : -\n", "DNS ANALYSIS :: none.pcap"] {
        assert!(report.contains(line), "{line}\n{report}");
    }
}

#[test]
fn damage_inside_is_stepped_over_and_told() {
    let scratch = Scratch::new("targets-damage");
    let path = scratch.path("torn.pcap");
    let mut bytes = fs::read(sample("arp.pcap")).unwrap();
    // The length of the third record lies.
    let second = 24 + 16 + u32::from_le_bytes(bytes[32..36].try_into().unwrap()) as usize;
    let third = second + 16 + u32::from_le_bytes(bytes[second + 8..second + 12].try_into().unwrap()) as usize;
    bytes[third + 8..third + 12].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let output =
        run(&scratch.path("lake"), &[&path.to_string_lossy(), "--sql", "SELECT packets, skipped_bytes > 0 AS lost FROM captures", "--format", "csv"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "packets,lost\r\n27,true\r\n");
}

#[test]
fn what_asks_no_capture_needs_none() {
    let scratch = Scratch::new("targets-needless");
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["--self-check"],
        &["--list-plugins"],
        &["-categories", "false"],
        &["--tables"],
        &["--describe", "dns"],
        &["--dns", "--show-sql"],
        &["--completions", "bash"],
        &["--man"],
    ] {
        let output = run_in(&scratch, "work", arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
    let nothing = run_in(&scratch, "work", &[]);
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(2), 0));
    assert_eq!(text(&nothing.stderr), "pcapper: no capture named: pcapper [OPTIONS] TARGET... (--help lists the options)\n");
    assert!(!Path::new(&scratch.path("work/lake")).exists());
}

/// The second of two captures goes away, or becomes another, while the run waits for the first, a pipe.
#[cfg(unix)]
#[test]
fn a_file_that_vanishes_during_the_run_is_told_in_one_line() {
    use std::io::{BufRead as _, BufReader};
    let scratch = Scratch::new("targets-vanish");
    let (pipe, second) = (scratch.path("live.pcap"), scratch.path("second.pcap"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::copy(sample("ntp.pcap"), &second).unwrap();
    let paths = [&pipe, &second].map(|path| path.to_string_lossy().into_owned());
    let mut child = pcapper(&scratch.path("lake"), &[&paths[0], &paths[1], "--base", "--log-json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    // It has found both, and waits for the first.
    assert!(log.any(|line| line.contains("\"pcap_start\"")));
    fs::remove_file(&second).unwrap();
    fs::write(&pipe, fs::read(sample("arp.pcap")).unwrap()).unwrap();
    let told: Vec<String> = log.filter(|line| !line.starts_with('{')).collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(told, [format!("pcapper: {}: no such file or directory", paths[1])]);
    assert!(text(&output.stdout).contains("PCAPPER REPORT :: live.pcap"));
}

/// What changes below the reader's hands is not taken for a capture that ends early, and does not stay in the lake.
#[cfg(unix)]
#[test]
fn a_file_that_shrinks_or_changes_while_it_is_read_is_told() {
    use pcapper_ingest::capture::targets::{Options as Look, find};
    use pcapper_ingest::decrypt::Keyring;
    use pcapper_ingest::lake::{IngestError, Options, ingest};
    let scratch = Scratch::new("targets-shrink");
    let (path, lake) = (scratch.path("live.pcap"), scratch.path("lake"));
    let one = fs::read(sample("tcp.pcapng")).unwrap();
    let keys = Keyring::default();
    let read = |threads: usize, meanwhile: &(dyn Fn() + Sync)| {
        // Larger than what is read at once, so that there is a meanwhile.
        fs::write(&path, one.repeat(6 << 20 >> one.len().ilog2())).unwrap();
        let target = find(&[path.clone().into_os_string()], &Look::default()).captures.remove(0);
        let once = std::sync::Once::new();
        let outcome = ingest(&target, &lake, Options { threads, keys: &keys }, &|_| once.call_once(meanwhile));
        let kept = fs::read_dir(&lake).unwrap().flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count();
        let _ = fs::remove_dir_all(&lake);
        (outcome, kept)
    };
    let length = |length: u64| fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
    for threads in [1, 2] {
        let (outcome, kept) = read(threads, &|| length(5000));
        assert!(matches!(outcome, Err(IngestError::Changed)) && kept == 0, "{threads}: {outcome:?}");
        let (outcome, kept) = read(threads, &|| fs::write(&path, one.repeat(6 << 20 >> one.len().ilog2())).unwrap());
        assert!(matches!(outcome, Err(IngestError::Changed)) && kept == 0, "{threads}: {outcome:?}");
        // One that is still written is read as far as it was when it was found.
        let more = || fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&one).unwrap();
        let (outcome, kept) = read(threads, &more);
        let manifest = outcome.unwrap().manifest;
        assert_eq!((manifest.truncated, kept), (false, 1));
        assert_eq!(manifest.file_size_bytes % one.len() as u64, 0);
        assert_eq!(manifest.packets, manifest.file_size_bytes / one.len() as u64 * 212);
        // One that is taken away is read to its end.
        let (outcome, kept) = read(threads, &|| fs::remove_file(&path).unwrap());
        assert!(outcome.is_ok() && kept == 1, "{threads}: {outcome:?}");
    }
}
