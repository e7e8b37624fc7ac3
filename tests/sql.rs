//! Questions in SQL: from the command line, a file, standard input; with parameters; several at once.

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use common::{Scratch, number, pcapper, rows, run, sample, text};

fn with_input(lake: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = pcapper(lake, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn several_questions_from_a_file_with_parameters() {
    let scratch = Scratch::new("sql-file");
    let file = scratch.path("questions.sql");
    let questions = "-- Who asks for it?\nSELECT sender_ip, count(*) AS n FROM arp WHERE target_ip = $ip AND operation = 'request' GROUP BY sender_ip ORDER BY n DESC, sender_ip LIMIT $top;\nSELECT count(*) AS later FROM packets\n  WHERE ts > $since AND frame_len >= $len; -- done\nSELECT $word AS word, cidr_match($net, '192.168.50.3') AS inside";
    std::fs::write(&file, questions).unwrap();
    let (file, arp) = (file.to_string_lossy().into_owned(), sample("arp.pcap"));
    let set =
        ["--set", "ip=192.168.50.21", "--set", "top=1", "--set", "since=2026-11-23T06:35:50Z", "--set", "len=54", "--set", "net=192.168.50.0/24"];
    let asked = |more: &[&str]| run(&scratch.0, &[&[arp.as_str(), "--sql-file", &file, "--format", "csv"][..], &set, more].concat());
    // What looks like SQL in a value is a value.
    let output = asked(&["--set", "word=x' OR '1'='1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let answers: Vec<String> = text(&output.stdout).split("\r\n\n").map(|answer| answer.trim_end().replace("\r\n", "|")).collect();
    assert_eq!(answers.len(), 3, "{answers:?}");
    assert!(answers[0].starts_with("sender_ip,n|"), "{answers:?}");
    assert_eq!(answers[0].matches('|').count(), 1, "LIMIT $top: {answers:?}");
    assert!(answers[1].starts_with("later|") && answers[1] != "later|0" && answers[1] != "later|28", "{answers:?}");
    assert_eq!(answers[2], "word,inside|x' OR '1'='1,true");
    // A number is one where the place does not ask for text.
    assert!(text(&asked(&["--set", "word=7"]).stdout).ends_with("word,inside\r\n7,true\r\n"));
}

#[test]
fn a_place_decides_what_a_value_is() {
    let scratch = Scratch::new("sql-types");
    let arp = sample("arp.pcap");
    let one = |query: &str, set: &str| text(&run(&scratch.0, &[&arp, "--sql", query, "--set", set, "--format", "csv"]).stdout).replace("\r\n", "|");
    assert_eq!(one("SELECT count(*) AS n FROM arp WHERE opcode = $op", "op=1"), "n|14|");
    assert_eq!(one("SELECT count(*) AS n FROM arp WHERE opcode IN ($op, 2)", "op=1"), "n|22|");
    assert_eq!(one("SELECT count(*) AS n FROM arp WHERE operation = $op", "op=reply"), "n|8|");
    // Digits are text where text is compared, and a number beyond a column's range is in no row.
    assert_eq!(one("SELECT count(*) AS n FROM arp WHERE operation = $op", "op=1"), "n|0|");
    assert_eq!(one("SELECT count(*) AS n FROM arp WHERE opcode = $op", "op=70000"), "n|0|");
    assert_eq!(
        one("SELECT count(*) AS n FROM arp WHERE solicited = $yes", "yes=true"),
        one("SELECT count(*) AS n FROM arp WHERE solicited = $x", "x=true")
    );
}

#[test]
fn questions_from_standard_input() {
    let scratch = Scratch::new("sql-stdin");
    let arp = sample("arp.pcap");
    let output = with_input(&scratch.0, &[&arp, "--sql", "-", "--format", "jsonl"], "SELECT 1 AS a;\nSELECT ';' AS b\n");
    assert_eq!(text(&output.stdout), "{\"a\":1}\n{\"b\":\";\"}\n");
    assert_eq!(output.status.code(), Some(0));
    let twice = with_input(&scratch.0, &["-", "--sql", "-"], "SELECT 1");
    assert_eq!(twice.status.code(), Some(2));
    assert!(text(&twice.stderr).starts_with("pcapper: standard input is asked for twice"), "{}", text(&twice.stderr));
}

#[test]
fn mistakes_are_one_line_and_told_before_any_capture_is_opened() {
    let scratch = Scratch::new("sql-errors");
    let file = scratch.path("bad.sql");
    std::fs::write(&file, "SELECT 1;\n\nSELECT $x;\n").unwrap();
    let file = file.to_string_lossy().into_owned();
    // `nope.pcap` would be complained about if it were looked at.
    for (arguments, error) in [
        (vec!["nope.pcap", "--sql", "SELECT 'a"], "--sql: Unterminated string literal at line 1, column 8"),
        (vec!["nope.pcap", "--sql-file", "nope.sql"], "--sql-file nope.sql: no such file"),
        (vec!["nope.pcap", "--sql-file", &file], "bad.sql:3: parameter $x has no value: give it with --set x=VALUE"),
        (vec!["nope.pcap", "--sql", "SELECT 1", "--set", "y=1"], "--set y: no query has a parameter $y"),
        (vec!["nope.pcap", "--sql", "SELECT $y", "--set", "y"], "--set y: NAME=VALUE is needed"),
        (vec!["nope.pcap", "--sql", "/* nothing */"], "--sql: no question in it"),
        (vec!["nope.pcap", "--sql", "SELECT 1", "--format", "xml"], "--format xml: table, json, jsonl or csv is needed"),
        (vec!["nope.pcap", "--format", "csv"], "--format needs --sql, --sql-file or --shell"),
    ] {
        let output = run(&scratch.0, &arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(told.trim_end().ends_with(error) && told.lines().count() == 1, "{arguments:?}: {told}");
    }
    let arp = sample("arp.pcap");
    let wrong = run(&scratch.0, &[&arp, "--sql", "SELECT count(*) FROM packets WHERE ts > $t", "--set", "t=yesterday"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("parameter $t: yesterday is no time"), "{}", text(&wrong.stderr));
    // What was answered before a mistake was answered.
    std::fs::write(scratch.path("half.sql"), "SELECT 1 AS a;\nSELECT nope FROM arp;").unwrap();
    let half = run(&scratch.0, &[&arp, "--sql-file", &scratch.path("half.sql").to_string_lossy(), "--format", "csv"]);
    assert_eq!((half.status.code(), text(&half.stdout)), (Some(1), "a\r\n1\r\n".to_owned()));
    assert!(text(&half.stderr).contains("half.sql:2: "), "{}", text(&half.stderr));
    for change in ["DROP TABLE arp", "SELECT 1; COPY arp TO '/tmp/x.csv'", "SET x = 1"] {
        assert_ne!(run(&scratch.0, &[&arp, "--sql", change]).status.code(), Some(0), "{change}");
    }
}

/// What is not there is named, with what may have been meant, and without what only the engine's authors want to know.
#[test]
fn mistaken_names_are_told_with_the_nearest() {
    let scratch = Scratch::new("sql-names");
    let arp = sample("arp.pcap");
    for (query, told) in [
        ("SELECT sender_mc FROM arp", "no column sender_mc; did you mean sender_mac?"),
        ("SELECT a.oprcode FROM arp a", "no column a.oprcode; did you mean opcode?"),
        ("SELECT b.opcode FROM arp a", "no column b.opcode: no table in this query is called b"),
        ("SELECT flagg FROM found_flags", "no column flagg; did you mean flag?"),
        ("SELECT * FROM pakets", "no table pakets; did you mean packets?"),
        ("SELECT * FROM zebras", "no table zebras (--tables lists them; \\d at the prompt)"),
        ("SELECT cidr_mach('a', 'b')", "no function cidr_mach; did you mean cidr_match?"),
        ("SELECT sum(operation) FROM arp", "sum(Utf8): the function takes other types"),
    ] {
        let output = run(&scratch.0, &[&arp, "--sql", query]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), format!("pcapper: --sql: {told}\n")), "{query}");
    }
    let unlike = text(&run(&scratch.0, &[&arp, "--sql", "SELECT zebra FROM arp"]).stderr);
    assert!(unlike.contains("no column zebra; there are capture, capture_id, frame, ts, ") && !unlike.contains("arp."), "{unlike}");
}

#[test]
fn an_answer_goes_whole_into_a_file_or_not_at_all() {
    let scratch = Scratch::new("sql-output");
    let arp = sample("arp.pcap");
    let file = scratch.path("new/answer.csv");
    let name = file.to_string_lossy().into_owned();
    let output = run(&scratch.0, &[&arp, "--sql", "SELECT frame FROM arp ORDER BY frame; SELECT 1 AS one", "--format", "csv", "-o", &name]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let answer = std::fs::read_to_string(&file).unwrap();
    assert_eq!(answer.lines().count(), 22 + 1 + 1 + 2, "{answer}");
    run(&scratch.0, &[&arp, "--sql", "SELECT 1 AS a; SELECT nope", "--format", "csv", "-o", &name]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), answer, "a mistake leaves the file as it was");
    assert_eq!(std::fs::read_dir(scratch.path("new")).unwrap().count(), 1, "nothing is left beside it");
}

/// A filter on a column of repeated words that some captures leave empty once stopped the engine.
#[test]
fn findings_of_many_captures_can_be_filtered() {
    let scratch = Scratch::new("sql-findings");
    let query = "SELECT severity, count(*) AS n FROM findings WHERE severity = 'high' GROUP BY severity";
    let output = run(&scratch.0, &[&sample(""), "--no-status", "--sql", query, "--format", "csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("severity,n\r\nhigh,"), "{}", text(&output.stdout));
}

#[test]
fn a_table_that_no_capture_has_is_empty_wherever_it_stands() {
    let scratch = Scratch::new("sql-absent");
    let arp = sample("arp.pcap");
    let hosts = number(&scratch.0, &arp, "SELECT count(*) FROM hosts");
    assert!(hosts > 0);
    for (query, rows) in [
        ("ip IN (SELECT src_ip FROM modbus)", 0),
        ("ip NOT IN (SELECT CAST(yiaddr AS VARCHAR) FROM dhcp WHERE yiaddr IS NOT NULL)", hosts),
        ("mac IS NOT NULL OR ip IN (SELECT src_ip FROM modbus WHERE is_write)", hosts),
        ("EXISTS (SELECT 1 FROM modbus m WHERE m.src_ip = hosts.ip)", 0),
        ("NOT EXISTS (SELECT 1 FROM modbus m WHERE m.src_ip = hosts.ip)", hosts),
        ("(SELECT count(*) FROM modbus) = 0", hosts),
        ("(SELECT max(frame) FROM modbus) IS NULL", hosts),
        ("(SELECT min(m.frame) FROM modbus m WHERE m.src_ip = hosts.ip) IS NULL", hosts),
    ] {
        assert_eq!(number(&scratch.0, &arp, &format!("SELECT count(*) FROM hosts WHERE {query}")), rows, "{query}");
    }
}

/// Numbers told as text have no order of numbers, and what is grouped by them is filtered all the same.
#[test]
fn numbers_cast_to_text_can_be_grouped_and_filtered() {
    let scratch = Scratch::new("cast");
    let query = "SELECT length, count(*) AS n FROM (SELECT CAST(frame_len AS VARCHAR) AS length FROM packets) GROUP BY length HAVING count(*) > 2 ORDER BY length";
    let found = rows(&scratch.0, &sample("ntp.pcap"), query);
    assert_eq!(found, [serde_json::json!({"length": "114", "n": 6}), serde_json::json!({"length": "90", "n": 35})]);
}
