//! The prompt, as a script uses it, and as a person does (through a terminal, where `script` offers one).

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{Scratch, number, pcapper, run, sample, text};

fn shell(lake: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child =
        pcapper(lake, arguments).env("XDG_STATE_HOME", lake).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_script_is_answered_line_by_line() {
    let scratch = Scratch::new("shell");
    let arp = sample("arp.pcap");
    let input = "\\format csv\nSELECT count(*) AS n\n  FROM arp\n  WHERE operation = 'reply';\n\\set op request\nSELECT count(*) AS n FROM arp WHERE operation = $op; SELECT 'a;b' AS x;\n\\format jsonl\nSELECT NULL AS nothing";
    let output = shell(&scratch.0, &[&arp, "--shell"], input);
    assert_eq!(text(&output.stdout), "n\r\n8\r\nn\r\n14\r\nx\r\na;b\r\n{\"nothing\":null}\n");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn tables_columns_functions_and_commands_are_told() {
    let scratch = Scratch::new("shell-d");
    let arp = sample("arp.pcap");
    let told = |input: &str| text(&shell(&scratch.0, &[&arp, "--shell"], input).stdout);
    let tables = told("\\d\n");
    assert!(tables.lines().any(|line| line.split_whitespace().take(2).collect::<Vec<_>>() == ["arp", "22"]), "{tables}");
    assert!(!tables.contains("modbus ") && told("\\d*\n").contains("modbus "), "{tables}");
    assert!(tables.contains("more tables have no rows here"), "{tables}");
    assert!(told("\\d arp\n").contains("sender_mac                 utf8"));
    assert!(told("\\d periodicity_score;\n").contains("periodicity_score(ts timestamp) -> f64"));
    assert!(told("\\df\n").contains("cidr_match "));
    assert!(told("\\?\n").contains("\\format [FORM]") && told("\\?\n").contains("\\write-pcap FILE [SQL]"));
    assert!(told("\\d found_flags\n").contains("chain                      list<utf8>"));
    assert!(told("\\d payloads\n").contains("payloads: table function"));
}

#[test]
fn answers_go_to_a_file_until_told_otherwise() {
    let scratch = Scratch::new("shell-o");
    let (file, other) = (scratch.path("answer.csv"), scratch.path("more.sql"));
    std::fs::write(&other, "SELECT 3 AS c;\n\\q\n").unwrap();
    let input = format!("\\format csv\n\\o {}\nSELECT 1 AS a;\n\\o\nSELECT 2 AS b;\n\\i {}\nSELECT 4 AS d;\n", file.display(), other.display());
    let output = shell(&scratch.0, &[&sample("arp.pcap"), "--shell"], &input);
    assert_eq!(text(&output.stdout), "b\r\n2\r\nc\r\n3\r\nd\r\n4\r\n", "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "a\r\n1\r\n");
}

#[test]
fn a_mistake_ends_nothing_and_shows_in_the_status() {
    let scratch = Scratch::new("shell-errors");
    let input = "SELECT nope;\n\\nope\n\\d nope\nDROP TABLE arp;\n\\timing\nSELECT 5 AS e;\n\\q\nSELECT 6;\n";
    let output = shell(&scratch.0, &[&sample("arp.pcap"), "--shell", "--format", "csv"], input);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "times are shown\ne\r\n5\r\n");
    let errors = text(&output.stderr);
    assert!(errors.contains("\\nope: no such command") && errors.contains("\\d nope: no such table or function"), "{errors}");
    assert!(errors.contains("(1 row, 0."), "{errors}");
}

#[test]
fn frames_behind_an_answer_are_written() {
    let scratch = Scratch::new("shell-write-pcap");
    let (plant, arp) = (sample("plant.pcapng"), sample("arp.pcap"));
    let (last, asked) = (scratch.path("last one.pcapng"), scratch.path("asked.pcapng"));
    let input = format!(
        "SELECT frame FROM modbus WHERE point = $p AND is_write;\n\\set p x\n\\write-pcap '{}'\n\\set op reply\n\\write-pcap {} SELECT frame FROM arp WHERE operation = $op;\n",
        last.display(),
        asked.display()
    );
    let output = shell(&scratch.0, &[&plant, "--shell", "--set", "p=holding:40001", "--format", "csv"], &input);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(told.starts_with("frame\r\n341\r\n1 frame written to ") && told.contains("frames written to "), "{told}");
    let last = last.to_string_lossy().into_owned();
    // What the file holds is what was asked, with the parameters it was asked with.
    let query = "SELECT func, write_values[1] AS written FROM modbus";
    assert_eq!(text(&run(&scratch.0, &[&last, "--sql", query, "--format", "csv"]).stdout), "func,written\r\nwrite_single_register,2900\r\n");
    let replies = "SELECT count(*) FROM arp WHERE operation = 'reply'";
    assert_eq!(number(&scratch.0, &asked.to_string_lossy(), replies), number(&scratch.0, &plant, replies));
    assert_eq!(number(&scratch.0, &asked.to_string_lossy(), "SELECT count(*) FROM packets"), number(&scratch.0, &plant, replies));
    // What cannot be written is told, and no file is made or touched.
    let copy = scratch.path("copy.pcap");
    std::fs::copy(&arp, &copy).unwrap();
    let (copy, none) = (copy.to_string_lossy().into_owned(), scratch.path("none.pcapng"));
    let wrong = format!(
        "\\write-pcap {0}\n\\write-pcap\n\\write-pcap '{0}\n\\write-pcap {0} SELECT count(*) FROM arp\n\\write-pcap {0} SELECT frame FROM arp WHERE false\n\\write-pcap {0} SELECT fram FROM arp\n\\write-pcap {0} SELECT frame FROM arp WHERE operation = $op\n\\write-pcap {copy} SELECT frame FROM arp\n",
        none.display()
    );
    let output = shell(&scratch.0, &[&copy, "--shell"], &wrong);
    let errors = text(&output.stderr);
    for error in [
        "\\write-pcap: nothing was asked yet",
        "\\write-pcap needs a file",
        "the quote does not end",
        "the answer names no frames; give it a column frame or frames",
        "no row names a frame; nothing is written",
        "no column fram; did you mean frame?",
        "parameter $op has no value: give it with \\set op=VALUE",
        "is a capture of this run; name another file",
    ] {
        assert!(errors.contains(error), "{error}\n{errors}");
    }
    assert_eq!(output.status.code(), Some(1));
    assert!(!none.exists() && std::fs::read(&copy).unwrap() == std::fs::read(&arp).unwrap());
    // Of several captures, each row names its own; a lake alone holds no bytes.
    let two = shell(
        &scratch.0,
        &[&copy, &plant, "--shell"],
        &format!("\\write-pcap {0} SELECT frame FROM arp\n\\write-pcap {0} SELECT capture, frame FROM arp\n", none.display()),
    );
    assert!(text(&two.stderr).contains("must name each row's in a column capture"), "{}", text(&two.stderr));
    assert_eq!(number(&scratch.0, &none.to_string_lossy(), "SELECT count(*) FROM packets"), 22 + 24);
    let lake = scratch.0.to_string_lossy().into_owned();
    let bare = shell(&scratch.0, &["--lake", &lake, "--shell"], &format!("\\write-pcap {} SELECT capture, frame FROM arp\n", asked.display()));
    assert!(text(&bare.stderr).contains("the lake holds no bytes of captures"), "{}", text(&bare.stderr));
}

/// A person: several lines, completion, Ctrl-C while a query runs and at the prompt, history.
#[test]
fn a_person_at_a_terminal() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("no script(1): skipped");
        return;
    }
    let scratch = Scratch::new("shell-tty");
    let binary = env!("CARGO_BIN_EXE_pcapper");
    let command = format!("'{binary}' '{}' --shell --no-status --no-color", sample("plant.pcapng"));
    let mut child = Command::new("script")
        .args(["-qefc", &command, "/dev/null"])
        .envs([("PCAPPER_LAKE", scratch.0.as_os_str()), ("XDG_STATE_HOME", scratch.0.as_os_str())])
        .envs([("TERM", "xterm"), ("PAGER", "cat"), ("SHELL", "/bin/sh")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut type_in = |keys: &str, wait_ms: u64| {
        input.write_all(keys.as_bytes()).unwrap();
        input.flush().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
    };
    type_in("", 1500);
    type_in("SELECT 6 *\r", 200);
    type_in("7 AS answer;\r", 800);
    // Completion: the only column that begins so.
    type_in("SELECT count(sender_mac_ma\t) AS completed FROM arp;\r", 1000);
    // Columns of what is computed when it is asked, a function that stands for a table, a command.
    type_in("SELECT count(place) AS n FROM found_fl\t;\r", 1000);
    type_in("SELECT count(*) AS frames_read FROM payl\t(1, 9);\r", 800);
    type_in("\\wri\t\r", 300);
    type_in("SELECT this is dropped\x03", 300);
    // Ends only when it is told to, though it keeps every thread busy and gives no row.
    type_in("SELECT count(*) AS endless FROM packets a, packets b, packets c, packets d, packets e, packets f, packets g WHERE ", 100);
    type_in("a.frame + b.frame + c.frame + d.frame + e.frame + f.frame + g.frame = 5;\r", 2000);
    type_in("\x03", 1500);
    type_in("SELECT 'still ' || 'here' AS x;\r", 800);
    type_in("\\q\r", 300);
    drop(input);
    let shown = String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned();
    assert!(shown.contains("1 capture. SQL ends with ;"), "{shown}");
    assert!(shown.contains("answer") && shown.contains("42"), "{shown}");
    assert!(shown.contains("completed\r\n"), "{shown}");
    assert!(shown.contains("\r\npcapper: cancelled"), "{shown}");
    assert!(shown.contains("frames_read\r\n9\r\n") && shown.contains("\\write-pcap needs a file"), "{shown}");
    assert!(shown.contains("still here"), "{shown}");
    let history = std::fs::read_to_string(scratch.path("pcapper/history")).unwrap();
    assert!(history.contains("'still '") && history.contains("7 AS answer;"), "{history}");
}
