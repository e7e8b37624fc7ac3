//! A world that does not cooperate: readers that leave, disks that fill, signals, pipes, places that cannot be written. Each
//! costs one clear line and an exit status, and leaves nothing half-written.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Scratch, number, pcapper, run, sample, text};

/// A run in which no file grows beyond some blocks of 512 bytes, as on a disk that is full.
fn in_little_room(scratch: &Scratch, blocks: u32, arguments: &[&str]) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_pcapper")]).args(arguments);
    fs::create_dir_all(scratch.path("work")).unwrap();
    command.env("PCAPPER_LAKE", scratch.path("lake")).current_dir(scratch.path("work")).output().unwrap()
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn one_line(output: &Output, wanted: &str) {
    let told = text(&output.stderr);
    assert!(told.starts_with("pcapper: ") && told.contains(wanted) && told.lines().count() == 1, "{wanted}: {told}");
}

#[test]
fn a_reader_that_leaves_ends_the_run_in_silence() {
    let scratch = Scratch::new("reader");
    let plant = sample("plant.pcapng");
    for arguments in [&["--modbus"][..], &["--json", "-"], &["--sql", "SELECT * FROM packets"], &["--packet", "4", "-raw"]] {
        let mut child =
            pcapper(&scratch.path("lake"), &[&[plant.as_str()], arguments].concat()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(141), ""), "{arguments:?}");
    }
    let help = Command::new("sh").args(["-c", "\"$0\" --help | head -1", env!("CARGO_BIN_EXE_pcapper")]).output().unwrap();
    assert_eq!((text(&help.stderr).as_str(), text(&help.stdout).lines().count()), ("", 1));
}

#[test]
fn a_full_disk_leaves_no_half_file() {
    let scratch = Scratch::new("full");
    let plant = sample("plant.pcapng");
    let lake = scratch.path("lake");
    // The lake itself: nothing of the capture stays, and with room it is decoded as ever.
    let output = in_little_room(&scratch, 8, &[&plant]);
    assert_eq!(output.status.code(), Some(2));
    one_line(&output, "plant.pcapng: cannot write the lake: File too large");
    assert!(files(&lake).iter().all(|file| [".key", ".lock"].contains(&file.as_str()) || file.starts_with(".files/")), "{:?}", files(&lake));
    assert_eq!(number(&lake, &plant, "SELECT count(*) FROM packets"), 563);
    // What the run hands out. The reports are none the worse.
    let decrypt = sample("decrypt.pcapng");
    run(&lake, &[&decrypt]);
    for (arguments, wanted) in [
        (&["--json", "x.json"][..], "x.json: cannot write: file too large"),
        (&["--csv", "x.csv"], "x.csv: cannot write: file too large"),
        (&["--sqlite", "x.db"], "x.db: cannot write: "),
        (&["--html", "x.html"], "x.html: cannot write: file too large"),
        (&["--markdown", "x.md"], "x.md: cannot write: file too large"),
        (&["--write-pcap", "x.pcapng"], "x.pcapng: cannot write: "),
        (&["--baseline-save", "x.json"], "x.json: cannot write: file too large"),
        (&["--decrypt"], "cannot write plaintext: file too large"),
    ] {
        let output = in_little_room(&scratch, 2, &[&[decrypt.as_str(), "--http", "--email", "--hosts"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stderr));
        one_line(&output, wanted);
        assert!(text(&output.stdout).contains("HTTP ANALYSIS :: decrypt.pcapng"), "{arguments:?}");
        assert_eq!(files(&scratch.path("work")), Vec::<String>::new(), "{arguments:?}");
    }
    let http = sample("http.pcap");
    run(&lake, &[&http]);
    let output = in_little_room(&scratch, 4, &[&http, "--extract", "report.txt"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    one_line(&output, "write error: file too large");
    assert!(!files(&scratch.path("work")).contains(&"files/report.txt".to_owned()));
    if Path::new("/dev/full").exists() {
        let output = pcapper(&lake, &[&plant]).stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        one_line(&output, "cannot write the output: no space left on device");
    }
}

#[test]
fn places_that_cannot_be_written_or_read_are_told_before_any_work() {
    let scratch = Scratch::new("places");
    let arp = sample("arp.pcap");
    let folder = scratch.path("folder");
    fs::create_dir_all(&folder).unwrap();
    fs::write(scratch.path("file"), "x").unwrap();
    std::os::unix::fs::symlink("loop.pcap", scratch.path("loop.pcap")).unwrap();
    let below_a_file = scratch.path("file/x").to_string_lossy().into_owned();
    let folder = folder.to_string_lossy().into_owned();
    let circle = scratch.path("loop.pcap").to_string_lossy().into_owned();
    for (arguments, wanted) in [
        (vec![arp.as_str(), "--write-pcap", folder.as_str()], "folder: cannot write: is a directory"),
        (vec![&arp, "--profile", "--profile-out", &folder], "folder: is a directory"),
        (vec![&arp, "--baseline-save", &folder], "folder: is a directory"),
        (vec![&arp, "--write-pcap", &below_a_file], "file/x: cannot write: "),
        (vec![&arp, "--json", &below_a_file], "file/x: cannot write: "),
        (vec![&arp, "--lake", &below_a_file], "arp.pcap: cannot write the lake at "),
        (vec![&circle], "loop.pcap: too many levels of symbolic links"),
    ] {
        let output = run(&scratch.path("lake"), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        one_line(&output, wanted);
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

/// A run by somebody whom permissions hold: also where the tests run as a user whom they do not.
fn held_by_permissions(scratch: &Scratch, arguments: &[&str]) -> Output {
    let probe = scratch.path("probe");
    fs::write(&probe, "x").unwrap();
    fs::set_permissions(&probe, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let binary = env!("CARGO_BIN_EXE_pcapper");
    let mut command = if fs::File::open(&probe).is_err() {
        Command::new(binary)
    } else {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search", binary]);
        command
    };
    fs::create_dir_all(scratch.path("work")).unwrap();
    command.env("PCAPPER_LAKE", scratch.path("lake")).current_dir(scratch.path("work")).args(arguments).output().unwrap()
}

#[test]
fn files_that_cannot_be_read_do_not_keep_others() {
    use std::os::unix::fs::PermissionsExt as _;
    if Command::new("setpriv").arg("--version").output().is_err() {
        eprintln!("no setpriv(1): skipped");
        return;
    }
    let scratch = Scratch::new("unreadable");
    let folder = scratch.path("in");
    fs::create_dir_all(folder.join("closed")).unwrap();
    let closed = folder.join("closed.pcap");
    fs::copy(sample("arp.pcap"), &closed).unwrap();
    fs::copy(sample("arp.pcap"), folder.join("unnamed")).unwrap();
    for path in [&closed, &folder.join("unnamed"), &folder.join("closed")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    let (closed, ntp) = (closed.to_string_lossy().into_owned(), sample("ntp.pcap"));
    let output = held_by_permissions(&scratch, &[&closed, &ntp, "--ntp"]);
    assert_eq!(output.status.code(), Some(1));
    one_line(&output, "closed.pcap: permission denied");
    assert!(text(&output.stdout).contains("NTP ANALYSIS :: ntp.pcap"));
    let output = held_by_permissions(&scratch, &[&closed]);
    assert_eq!(output.status.code(), Some(2));
    one_line(&output, "closed.pcap: permission denied");
    // In a directory, what claims to be a capture and a directory below; what cannot be opened and claims nothing is passed over.
    let output = held_by_permissions(&scratch, &[&folder.to_string_lossy(), &ntp, "-r", "--ntp"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(told.contains("/in/closed: permission denied\n") && told.contains("/in/closed.pcap: permission denied\n"), "{told}");
    // Side files are read before any capture is opened.
    for option in ["--rules", "--ioc-file", "--tls-keylog", "--config", "--baseline-compare", "--sql-file", "--ot-commands-config"] {
        let output = held_by_permissions(&scratch, &["absent.pcap", "--ot-commands", option, &closed]);
        assert_eq!(output.status.code(), Some(2), "{option}");
        one_line(&output, "ermission denied");
        assert!(!text(&output.stderr).contains("absent.pcap") && !text(&output.stderr).contains("os error"), "{option}: {}", text(&output.stderr));
    }
    // A place that may not be written, for each kind of file.
    let shut = scratch.path("shut");
    fs::create_dir_all(&shut).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o555)).unwrap();
    let in_shut = |name: &str| shut.join(name).to_string_lossy().into_owned();
    for (option, name) in [
        ("--json", "x.json"),
        ("--csv", "x.csv"),
        ("--sqlite", "x.db"),
        ("--html", "x.html"),
        ("--markdown", "x.md"),
        ("--write-pcap", "x.pcapng"),
        ("--baseline-save", "x.json"),
        ("--log-file", "x.log"),
        ("--case-dir", "case"),
        ("--lake", "lake"),
    ] {
        let output = held_by_permissions(&scratch, &[ntp.as_str(), option, &in_shut(name)]);
        assert_eq!(output.status.code(), Some(2), "{option}: {}", text(&output.stderr));
        one_line(&output, "ermission denied");
        assert!(output.stdout.is_empty(), "{option}");
        assert!(!text(&output.stderr).contains("os error"), "{option}: {}", text(&output.stderr));
    }
    assert_eq!(fs::read_dir(&shut).unwrap().count(), 0);
    for path in ["in/closed", "shut"] {
        fs::set_permissions(scratch.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn pipes_are_read_as_files_are() {
    let scratch = Scratch::new("pipe");
    let pipe = scratch.path("live.pcap");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let feed = std::thread::spawn({
        let (pipe, bytes) = (pipe.clone(), fs::read(sample("http.pcap")).unwrap());
        move || fs::write(pipe, bytes)
    });
    let output = pcapper(&scratch.path("lake"), &[&pipe.to_string_lossy(), "--extract", "report.txt"]).current_dir(&scratch.0).output().unwrap();
    feed.join().unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("FILE EXTRACTION :: live.pcap"));
    // Read once, and used twice.
    assert_eq!(fs::metadata(scratch.path("files/report.txt")).unwrap().len(), 12_644);
    assert!(files(&scratch.path("lake")).iter().all(|file| !file.starts_with(".stdin")), "what it brought is gone");
}

#[test]
fn an_interrupted_run_is_recorded_and_leaves_nothing_half_written() {
    let scratch = Scratch::new("interrupt");
    let lake = scratch.path("lake");
    let mut child = pcapper(&lake, &["-", "--case-dir", "case", "--json", "x.json", "--log-file", "run.log"])
        .current_dir(&scratch.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The run waits for its standard input.
    let began = Instant::now();
    while !files(&lake).iter().any(|file| file.starts_with(".stdin")) {
        assert!(began.elapsed() < Duration::from_secs(60), "it never began to read");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((status.code(), told.as_str()), (Some(130), ""));
    let record: serde_json::Value = serde_json::from_slice(&fs::read(scratch.path("case/case.json")).unwrap()).unwrap();
    assert_eq!(
        (&record["exit_status"], &record["inputs"][0]["error"], &record["outputs"]),
        (&130.into(), &"interrupted".into(), &serde_json::json!([]))
    );
    assert_eq!(files(&scratch.path("case")), ["case.json", "run.log"]);
    assert!(fs::read_to_string(scratch.path("case/run.log")).unwrap().contains(" exit_status=130 "));
    assert_eq!(files(&lake), [".lock"]);
}

#[test]
fn a_decode_that_is_interrupted_leaves_the_lake_sound() {
    let scratch = Scratch::new("interrupt-decode");
    let one = fs::read(sample("tcp.pcapng")).unwrap();
    let many = scratch.path("many.pcapng");
    fs::write(&many, one.repeat(300)).unwrap();
    let many = many.to_string_lossy().into_owned();
    let lake = scratch.path("lake");
    let mut child = pcapper(&lake, &[&many, "--case-dir", "case"]).current_dir(&scratch.0).stdout(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !files(&lake).iter().any(|file| file.starts_with(".building")) && child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never began to decode");
    }
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let status = child.wait().unwrap().code();
    let record: serde_json::Value = serde_json::from_slice(&fs::read(scratch.path("case/case.json")).unwrap()).unwrap();
    // However fast the machine is: what is recorded is what happened.
    assert!(status == Some(130) || status == Some(0), "{status:?}");
    assert_eq!(record["exit_status"].as_i64(), status.map(i64::from));
    assert!(!files(&lake).iter().any(|file| file.starts_with(".building")), "{:?}", files(&lake));
    assert_eq!(number(&lake, &many, "SELECT count(*) FROM packets"), 63_600);
}
