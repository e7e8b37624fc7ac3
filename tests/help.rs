//! The menu, what it says of one flag, other names of flags, completions and the manual page.

mod common;

use common::{Scratch, run, sample, text};
use serde_json::Value;

/// The menu's entries of a group, in order: the flag as spelled last, and its line.
fn group(menu: &str, heading: &str) -> Vec<(String, String)> {
    let after = menu.split(&format!("{heading}:\n")).nth(1).unwrap();
    let block = after.split("\n\n").next().unwrap();
    let entry = |line: &str| {
        let left = line.get(..43).unwrap_or(line);
        let flag = left.split_whitespace().rfind(|word| word.starts_with('-'))?;
        Some((flag.trim_end_matches(',').to_owned(), line.to_owned()))
    };
    block.lines().filter(|line| line.starts_with("  -")).filter_map(entry).collect()
}

#[test]
fn groups_are_alphabetical_and_lines_fit() {
    let scratch = Scratch::new("help");
    let output = run(&scratch.0, &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let menu = text(&output.stdout);
    for (heading, count) in [("GENERAL FLAGS", 62), ("IT/ENTERPRISE FUNCTIONS", 59), ("OT/ICS/INDUSTRIAL FUNCTIONS", 40), ("NEWER ANALYZERS", 13)] {
        let entries = group(&menu, heading);
        assert_eq!(entries.len(), count, "{heading}");
        let names: Vec<&str> =
            entries.iter().map(|(flag, _)| flag.trim_start_matches('-')).filter(|name| !["help[=FLAG]", "version"].contains(name)).collect();
        assert!(names.is_sorted(), "{heading}: {names:?}");
    }
    for variable in [
        "NO_COLOR",
        "PCAPPER_CONFIG",
        "PCAPPER_LAKE",
        "PCAPPER_PLUGINS",
        "PCAPPER_ANALYST",
        "PCAPPER_QUOTE",
        "PCAPPER_QUOTE_SEED",
        "PCAPPER_DETERMINISTIC",
        "VT_API_KEY",
        "PCAPPER_VT_MAX_LOOKUPS",
        "PCAPPER_VT_RATE",
        "PCAPPER_GEOIP_CITY_DB",
        "PCAPPER_GEOIP_ASN_DB",
    ] {
        assert!(menu.contains(&format!("\n  {variable} ")), "{variable}");
    }
    for heading in ["Examples:", "Environment:", "Exit status:"] {
        assert!(menu.contains(&format!("\n{heading}\n")), "{heading}");
    }
    assert!(!menu.contains('\x1b'));
    assert_eq!(menu, text(&run(&scratch.0, &["-h"]).stdout));
    assert!(text(&run(&scratch.0, &["--version"]).stdout).contains("pcapper "));
}

#[test]
fn the_menu_is_the_documented_one() {
    let Some(corpus) = std::env::var_os("PCAPPER_CORPUS") else {
        eprintln!("PCAPPER_CORPUS is unset: skipped");
        return;
    };
    let Ok(listed) = std::fs::read(std::path::Path::new(&corpus).join("spec/general/flags.json")) else {
        eprintln!("no list of flags in PCAPPER_CORPUS: skipped");
        return;
    };
    let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
    let scratch = Scratch::new("help-listed");
    let menu = text(&run(&scratch.0, &["--help"]).stdout);
    for (name, heading) in [("general", "GENERAL FLAGS"), ("it", "IT/ENTERPRISE FUNCTIONS"), ("ot", "OT/ICS/INDUSTRIAL FUNCTIONS")] {
        let entries: Vec<(String, String)> =
            group(&menu, heading).into_iter().filter(|(flag, _)| !["--help[=FLAG]", "--version"].contains(&flag.as_str())).collect();
        let wanted: Vec<&Value> = listed.iter().filter(|flag| flag["group"] == name).collect();
        let flags: Vec<&str> = wanted.iter().filter_map(|flag| flag["flag"].as_str()).collect();
        assert_eq!(entries.iter().map(|(flag, _)| flag.as_str()).collect::<Vec<_>>(), flags, "{heading}");
        for ((_, line), flag) in entries.iter().zip(wanted) {
            let help = flag["help"].as_str().unwrap();
            assert!(menu.contains(help), "{help}");
            if let Some(argument) = flag["arg"].as_str() {
                assert!(line.contains(&format!("{} {argument}", flag["flag"].as_str().unwrap())), "{line}");
            }
            for alias in flag["aliases"].as_array().unwrap().iter().filter_map(Value::as_str) {
                assert!(line.contains(&format!("{alias}, ")), "{line}");
            }
            match &flag["default"] {
                Value::Number(default) => assert!(menu.contains(&format!("{help} [default: {default}]")), "{line}"),
                _ => assert!(!line.contains("[default"), "{line}"),
            }
        }
    }
}

#[test]
fn one_flag_is_explained_and_a_wrong_one_guessed() {
    let scratch = Scratch::new("help-one");
    let about = text(&run(&scratch.0, &["--help=dns"]).stdout);
    for part in ["--dns\n", "Sections:\n", "Detections:\n", "SQL:\n", "FROM dns"] {
        assert!(about.contains(part), "{part}\n{about}");
    }
    assert!(text(&run(&scratch.0, &["--help=-l"]).stdout).starts_with("--limit-protocols N\n"));
    let told = |arguments: &[&str]| {
        let output = run(&scratch.0, arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        text(&output.stderr)
    };
    assert_eq!(told(&["--help=dnss"]), "pcapper: unknown option --dnss; did you mean --dns?\n");
    assert_eq!(told(&["--certif", "x"]), "pcapper: unknown option --certif; did you mean --certificates?\n");
    assert_eq!(told(&["--htpt", "x"]), "pcapper: unknown option --htpt; did you mean --http?\n");
    assert_eq!(told(&["--zzzzzz", "x"]), "pcapper: unknown option --zzzzzz (--help lists the options)\n");
}

#[test]
fn names_of_other_releases_are_taken() {
    let scratch = Scratch::new("help-names");
    let arp = sample("arp.pcap");
    let titles = |arguments: &[&str]| {
        let output = run(&scratch.0, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(titles(&["-q", &arp, "-summarize"]).contains("ALL PCAPS (1)"));
    assert!(titles(&["--quiet", "-rv", &arp, "-l5"]).contains("PCAPPER REPORT"));
    assert!(titles(&["-rqv", &arp, "--limit-protocols=5", "--arp", "--arp", "--no-arp"]).contains("PCAPPER REPORT"));
    assert!(titles(&["--no-arp", &arp, "--arp"]).contains("ARP ANALYSIS"));
    assert!(titles(&["--color", "--status", &arp]).contains("PCAPPER REPORT"));
    // Whatever the other name is, the option is known.
    for other in ["--hostnames", "-raw", "-vt"] {
        assert!(!text(&run(&scratch.0, &[other, "nowhere.pcap"]).stderr).contains("unknown option"), "{other}");
    }
    for other in ["-extract=x", "-view=x", "-id=1", "-categories=x", "-ip=10.0.0.1"] {
        assert!(!text(&run(&scratch.0, &[other, "nowhere.pcap"]).stderr).contains("unknown option"), "{other}");
    }
    assert!(!text(&run(&scratch.0, &["--help"]).stdout).contains("--quiet"));
}

#[test]
fn completions_and_manual_come_from_the_same_list() {
    let scratch = Scratch::new("help-shells");
    for (shell, part) in [
        ("bash", "complete -F _pcapper"),
        ("zsh", "#compdef pcapper"),
        ("fish", "complete -c pcapper"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let output = run(&scratch.0, &["--completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = text(&output.stdout);
        assert!(script.contains(part) && script.contains("encrypted-dns") && !script.contains("no-dns"), "{shell}");
    }
    assert_eq!(run(&scratch.0, &["--completions", "tcsh"]).status.code(), Some(2));
    let page = text(&run(&scratch.0, &["--man"]).stdout);
    for part in [".TH pcapper 1", ".SH OPTIONS", ".SH \"EXIT STATUS\"", "PCAPPER_LAKE", "\\-\\-modbus"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("no\\-modbus"), "hidden options are not listed");
}

#[test]
fn options_need_their_companions() {
    let scratch = Scratch::new("help-companions");
    let arp = sample("arp.pcap");
    for (words, message) in [
        (&["--baseline-fast"][..], "--baseline-fast needs --baseline-save or --baseline-compare"),
        (&["--correlate-min", "3"], "--correlate-min needs --correlate"),
        (&["--ot-commands-sessions=3", "--arp"], "--ot-commands-sessions needs --ot-commands or --ot-commands-fast"),
        (&["--ot-commands-config=x"], "--ot-commands-config needs --ot-commands or --ot-commands-fast or --sql or --sql-file or --shell"),
        (&["-l", "+5"], "--limit-protocols +5: a number of 1 or more is needed"),
        (&["--carve-limit", "3"], "--carve-limit needs --carve"),
        (&["--decrypt-limit", "3"], "--decrypt-limit needs --decrypt"),
        (&["--timeline-bins", "3"], "--timeline-bins needs --timeline"),
    ] {
        let output = run(&scratch.0, &[&[arp.as_str()], words].concat());
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), format!("pcapper: {message}\n")), "{words:?}");
    }
    // In the configuration file they are no error.
    let file = scratch.path("team.toml").to_string_lossy().into_owned();
    std::fs::write(&file, "[defaults]\ncorrelate_min = 3\not_commands_sessions = 5\nbaseline_fast = true\n").unwrap();
    assert_eq!(run(&scratch.0, &[&arp, "--config", &file]).status.code(), Some(0));
}

#[test]
fn the_menu_keeps_to_the_terminal() {
    let scratch = Scratch::new("help-width");
    if std::process::Command::new("script").arg("--version").output().is_err() {
        eprintln!("no script(1): skipped");
        return;
    }
    for (columns, widest) in [(80, 80), (100, 100), (200, 120)] {
        let command = format!("stty cols {columns}; '{}' --help", env!("CARGO_BIN_EXE_pcapper"));
        let output = std::process::Command::new("script")
            .args(["-qefc", &command, "/dev/null"])
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env_remove("COLUMNS")
            .env("PCAPPER_LAKE", &scratch.0)
            .output()
            .unwrap();
        let menu = text(&output.stdout).replace('\r', "");
        assert!(menu.contains("\x1b["), "colour on a terminal");
        for line in menu.lines() {
            let plain: String = line
                .split('\x1b')
                .enumerate()
                .map(|(at, part)| if at == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) })
                .collect();
            assert!(plain.chars().count() <= widest, "{columns}: {plain}");
        }
    }
}
