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
