//! How reports look, and what no packet and no file name can do to a terminal.

mod common;

use std::fs;

use common::{Scratch, pcapper, run, sample, text};

/// Width of a text without its colours.
fn uncoloured(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('\x1b') {
        plain.push_str(&rest[..at]);
        rest = rest[at..].split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[test]
fn colours_change_no_column() {
    let scratch = Scratch::new("output-colour");
    let arguments = [sample("plant.pcapng"), "--modbus".to_owned(), "--hosts".to_owned()];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let plain = text(&run(&scratch.0, &arguments).stdout);
    let forced =
        |name: &str, value: &str| text(&pcapper(&scratch.0, &arguments).env("CLICOLOR_FORCE", "1").env(name, value).output().unwrap().stdout);
    let coloured = forced("NO_COLOR", "");
    assert!(coloured.contains("\x1b[97;44mMODBUS ANALYSIS :: plant.pcapng\x1b[0m"), "{coloured}");
    assert!(coloured.contains("\x1b[1;36mWrites\x1b[0m"));
    assert_eq!(coloured.lines().map(uncoloured).collect::<Vec<_>>().join("\n") + "\n", plain);
    assert_eq!(forced("NO_COLOR", "1"), plain);
    assert_eq!(forced("TERM", "dumb"), plain);
    for line in plain.lines().filter(|line| line.contains(" : ") && !line.contains("  ATT&CK")) {
        assert_eq!(line.chars().nth(25), Some(':'), "{line}");
    }
}

#[test]
fn every_label_fits_its_column() {
    let scratch = Scratch::new("output-labels");
    let menu = text(&run(&scratch.0, &["--help"]).stdout);
    let analyzers = menu.split("IT/ENTERPRISE FUNCTIONS:").nth(1).unwrap();
    let mut flags: Vec<&str> =
        analyzers.lines().filter(|line| line.get(..4) == Some("  --")).filter_map(|line| line.split_whitespace().next()).collect();
    let capture = sample("arp.pcap");
    // What needs a companion, or takes a value, is named in the refusal, and left out.
    let report = loop {
        let output = run(&scratch.0, &[&[capture.as_str()], flags.as_slice()].concat());
        if output.status.success() {
            break text(&output.stdout);
        }
        let refusal = text(&output.stderr);
        let refused = flags.iter().position(|flag| refusal.split([' ', ':', ';', '\n']).any(|word| word == *flag));
        flags.remove(refused.unwrap_or_else(|| panic!("{refusal}")));
    };
    assert!(flags.len() > 60, "{flags:?}");
    for line in report.lines().filter(|line| line.contains(" : ") && !line.starts_with(' ')) {
        assert!(line.chars().nth(25) == Some(':'), "the colon stands in column 26: {line}");
    }
}

#[test]
fn hidden_rows_are_told_where_they_are_hidden() {
    let scratch = Scratch::new("output-hidden");
    let short = text(&run(&scratch.0, &[&sample("plant.pcapng"), "--protocols", "-l", "2"]).stdout);
    assert!(short.contains("more rows; -v shows all)"), "{short}");
    let long = text(&run(&scratch.0, &[&sample("plant.pcapng"), "--protocols", "-l", "2", "-v"]).stdout);
    assert!(!long.contains("more rows"), "{long}");
    assert_eq!(run(&scratch.0, &[&sample("plant.pcapng"), "-l", "0"]).status.code(), Some(2));
}

#[test]
fn the_banner_is_no_part_of_a_report() {
    let scratch = Scratch::new("output-banner");
    let arp = sample("arp.pcap");
    let quiet = run(&scratch.0, &[&arp]);
    assert!(quiet.stderr.is_empty());
    let quoted = |name: &str, value: &str| {
        let output = pcapper(&scratch.0, &[&arp]).env(name, value).output().unwrap();
        assert_eq!(output.stdout, quiet.stdout, "the report is the same");
        text(&output.stderr)
    };
    let rule = "=".repeat(72);
    let own = quoted("PCAPPER_QUOTE", "Trust \x1b[31mno\u{202e} one\nsecond line");
    assert_eq!(own, format!("{rule}\npcapper {}\nQuote of the Day: \"Trust \\x1b[31mno\\u{{202e}} one\"\n{rule}\n", env!("CARGO_PKG_VERSION")));
    // A text counts as the sum of its code points, and the list goes round.
    assert_eq!(quoted("PCAPPER_QUOTE_SEED", "ab"), quoted("PCAPPER_QUOTE_SEED", "195"));
    assert_eq!(quoted("PCAPPER_QUOTE_SEED", "-1"), quoted("PCAPPER_QUOTE_SEED", "15"));
    assert_ne!(quoted("PCAPPER_QUOTE_SEED", "1"), quoted("PCAPPER_QUOTE_SEED", "2"));
    for flag in ["--help", "--version"] {
        let output = run(&scratch.0, &[flag]);
        assert!(text(&output.stdout).contains("Quote of the Day: \"") && output.stderr.is_empty(), "{flag}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_spelled_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let scratch = Scratch::new("output-names");
    let folder = scratch.path("in");
    fs::create_dir_all(&folder).unwrap();
    let odd = folder.join(std::ffi::OsStr::from_bytes(b"a\xff\x1b[2J.pcap"));
    fs::copy(sample("arp.pcap"), &odd).unwrap();
    for named in [&odd, &folder] {
        let output = pcapper(&scratch.path("lake"), &[]).arg(named).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("PCAPPER REPORT :: a\\xff\\x1b[2J.pcap\n"), "{}", text(&output.stdout));
    }
    let missing = pcapper(&scratch.path("lake"), &[]).arg(std::ffi::OsStr::from_bytes(b"no\xfe\x9b.pcap")).output().unwrap();
    assert_eq!(text(&missing.stderr), "pcapper: no\\xfe\\x9b.pcap: no such file or directory\n");
}

#[test]
fn a_merged_report_says_what_it_is_about() {
    let scratch = Scratch::new("output-merged");
    let (goose, arp) = (sample("goose.pcap"), sample("arp.pcap"));
    let output = run(&scratch.0, &[&goose, &arp, "nope.pcap", "--goose", "--arp", "--summarize"]);
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout);
    let (one, other) = report.split_once("ARP").unwrap();
    assert!(one.contains("GOOSE ANALYSIS :: ALL PCAPS (2)"), "{report}");
    for part in [one, other] {
        for fact in [
            "PCAPs Analyzed           : 2\n",
            "Total Packets            : 75\n",
            "Total Bytes              : ",
            "Span                     : ",
            "Combined Duration        : ",
        ] {
            assert!(part.contains(fact), "{fact} in {part}");
        }
        assert!(part.contains("\nSkipped\nPcap       Reason\nnope.pcap  no such file or directory\n"), "{part}");
    }
    assert!(one.contains("  Frames   goose.pcap#44\n"), "{one}");
    // One capture: the same numbers, and the title says so.
    let alone = text(&run(&scratch.0, &[&goose, "--goose", "--summarize"]).stdout);
    assert!(alone.contains("GOOSE ANALYSIS :: ALL PCAPS (1)") && alone.contains("PCAPs Analyzed           : 1"), "{alone}");
}

#[test]
fn rows_of_several_captures_tell_where_they_come_from() {
    let scratch = Scratch::new("output-across");
    // The same capture cut after its first half: what it holds occurs in both.
    let whole = fs::read(sample("dhcp.pcap")).unwrap();
    let mut end = 24;
    while end < whole.len() / 2 {
        end += 16 + u32::from_le_bytes(whole[end + 8..end + 12].try_into().unwrap()) as usize;
    }
    let half = scratch.path("half.pcap");
    fs::write(&half, &whole[..end]).unwrap();
    let output = run(&scratch.0, &[&sample("dhcp.pcap"), &half.to_string_lossy(), "--ips", "--summarize", "-v"]);
    let report = text(&output.stdout);
    assert!(report.contains("Counted Twice            : dhcp.pcap and half.pcap share "), "{report}");
    assert!(report.lines().any(|line| line.ends_with("Captures")), "{report}");
    // Not where it was not asked for.
    let short = text(&run(&scratch.0, &[&sample("dhcp.pcap"), &half.to_string_lossy(), "--ips", "--summarize"]).stdout);
    assert!(!short.lines().any(|line| line.ends_with("  Captures")), "{short}");
}

/// A capture of one request with a very long path.
fn long_request(scratch: &Scratch) -> String {
    let mut talk = common::Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 80);
    let path = "abcdefghi/".repeat(20);
    talk.send(true, format!("GET /{path} HTTP/1.1\r\nHost: x.example\r\n\r\n").as_bytes(), 500);
    talk.send(false, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 500);
    talk.write(&scratch.path("long.pcap"))
}

#[test]
fn verbose_takes_away_every_limit() {
    let scratch = Scratch::new("output-verbose");
    let report = |arguments: &[&str]| text(&run(&scratch.path("lake"), arguments).stdout);
    // Cells: cut at 80 columns, whole with -v.
    let long = long_request(&scratch);
    let (short, whole) = (report(&[&long, "--webrequests"]), report(&[&long, "--webrequests", "-v"]));
    assert!(!short.contains(&"abcdefghi/".repeat(20)) && short.contains("abcdefghi…"), "{short}");
    assert!(whole.contains(&"abcdefghi/".repeat(20)) && !whole.contains('…'), "{whole}");
    // Findings of information only.
    let plant = sample("plant.pcapng");
    assert!(!report(&[&plant, "--modbus"]).contains("[INFO] Values were written"));
    assert!(report(&[&plant, "--modbus", "-v"]).contains("[INFO] Values were written"));
    // Times of tables.
    assert!(report(&[&plant, "--modbus"]).contains("\n2026-11-23T06:42:40Z  192.168.50.20"));
    assert!(report(&[&plant, "--modbus", "-v"]).contains("\n2026-11-23T06:42:40.425332"));
    // Streams: ten, or all by an option of their own.
    let http = sample("http.pcap");
    let streams = |report: &str| report.lines().filter(|line| line.contains("10.20.30.10:80")).count();
    let (ten, all) = (report(&[&http, "--streams"]), report(&[&http, "--streams", "--streams-full"]));
    assert!(streams(&ten) < streams(&all) && ten.contains("(20 more rows; -v shows all)"), "{ten}");
    assert!(report(&[&http, "--streams-full"]) == all, "the option implies the report");
    // Rows of the protocol table.
    for flag in ["--base", "--protocols"] {
        assert!(report(&[&plant, flag, "-l", "2"]).contains("more rows; -v shows all)"), "{flag}");
    }
    for wrong in ["0", "-1", "x", "1.5", "99999999999999999999"] {
        let output = run(&scratch.path("lake"), &[&plant, &format!("--limit-protocols={wrong}")]);
        let told = format!("pcapper: --limit-protocols {wrong}: a number of 1 or more is needed\n");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), told));
    }
}

#[test]
fn what_does_not_occur_is_told_in_few_lines() {
    let scratch = Scratch::new("output-absent");
    let report = text(&run(&scratch.0, &[&sample("arp.pcap"), "--dns", "--modbus"]).stdout);
    let (dns, modbus) = report.split_once("\n\n").unwrap();
    for part in [dns, modbus] {
        assert!(part.lines().filter(|line| line.starts_with("---")).count() == 0, "facts and nothing else: {part}");
        assert!(part.lines().last() == Some(&*"=".repeat(72)), "{part}");
    }
    assert!(dns.contains("Messages                 : 0"), "{dns}");
    // A section without rows says so.
    assert!(text(&run(&scratch.0, &[&sample("plant.pcapng"), "--modbus"]).stdout).contains("\nExceptions\n(none)\n"));
}

#[test]
fn reports_stand_in_the_order_asked_for() {
    let scratch = Scratch::new("output-order");
    let rules = scratch.path("rules.yml").to_string_lossy().into_owned();
    fs::write(&rules, "id: any\nmatch: {field: severity, op: gte, value: info}\n").unwrap();
    let baseline = scratch.path("b.json").to_string_lossy().into_owned();
    let (plant, decrypt) = (sample("plant.pcapng"), sample("decrypt.pcapng"));
    run(&scratch.0, &[&plant, "--baseline-save", &baseline]);
    let out = scratch.path("out").to_string_lossy().into_owned();
    let arguments = [
        "--baseline-compare",
        &baseline,
        "--correlate",
        "--decrypt",
        "--decrypt-out",
        &out,
        "--rules",
        &rules,
        "--udp",
        "--base",
        "--arp",
        "--summarize",
    ];
    let output = run(&scratch.0, &[&[plant.as_str(), &decrypt], &arguments[..]].concat());
    let report = text(&output.stdout);
    let titles: Vec<&str> = report
        .lines()
        .filter_map(|line| line.split_once(" :: "))
        .map(|(title, _)| title)
        .filter(|title| !title.contains(char::is_lowercase))
        .collect();
    assert_eq!(
        titles,
        ["PCAPPER REPORT", "UDP ANALYSIS", "ARP ANALYSIS", "RULES ANALYSIS", "TLS DECRYPTION", "CORRELATION (MULTI-PCAP)", "BASELINE DRIFT"],
        "{}",
        text(&output.stderr)
    );
    assert_eq!(report.matches("\n\n").count(), titles.len() - 1, "one empty line between reports");
}

#[test]
fn secrets_are_numbered_by_content() {
    let scratch = Scratch::new("output-secrets");
    let mut talk = common::Talk::new([10, 0, 0, 1], [10, 0, 0, 2], 21);
    talk.send(false, b"220 ready\r\n", 500);
    for (user, password) in [("anna", "alpha"), ("bert", "omega"), ("carl", "alpha")] {
        talk.send(true, format!("USER {user}\r\n").as_bytes(), 500);
        talk.send(false, b"331 password\r\n", 500);
        talk.send(true, format!("PASS {password}\r\n").as_bytes(), 500);
        talk.send(false, b"230 in\r\n", 500);
    }
    let capture = talk.write(&scratch.path("ftp.pcap"));
    let report = |more: &[&str]| text(&run(&scratch.path("lake"), &[&[capture.as_str(), "--ftp", "--creds", "-v"], more].concat()).stdout);
    let (hidden, shown) = (report(&[]), report(&["--show-secrets"]));
    assert!(!hidden.contains("alpha") && !hidden.contains("omega"), "{hidden}");
    assert!(hidden.contains("redacted:1") && hidden.contains("redacted:2") && !hidden.contains("redacted:3"), "{hidden}");
    assert!(shown.contains("alpha") && shown.contains("omega") && !shown.contains("redacted:"), "{shown}");
}
