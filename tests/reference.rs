//! The dictionary cannot go stale: its page, its questions and the queries behind the flags are held to the code.

mod common;

use std::path::Path;

use common::{Scratch, run, sample, text};
use pcapper_queries::catalog::{Catalog, View};
use pcapper_queries::{analyzer, examples, functions, reference, statements};

#[test]
fn the_page_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/REFERENCE.md");
    let page = reference::page();
    if std::env::var_os("PCAPPER_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    let differs = written.lines().zip(page.lines()).find(|(written, made)| written != made);
    assert!(written == page, "schema/REFERENCE.md is stale ({differs:?}): PCAPPER_WRITE_REFERENCE=1 cargo test --test reference writes it anew");
}

#[test]
fn every_table_and_function_is_described() {
    let scratch = Scratch::new("describe");
    let told = |name: &str| text(&run(&scratch.0, &["--describe", name]).stdout);
    let dns = told("dns");
    for line in ["query                      utf8", "Which names were asked for most, and by how many?", "  SELECT query, count(*) AS queries"] {
        assert!(dns.contains(line), "{line}\n{dns}");
    }
    for doc in functions::dictionary() {
        let shown = told(doc.name);
        assert!(shown.contains(doc.signature) && shown.contains(doc.meaning) && shown.contains(doc.example), "{shown}");
    }
    let all = told("functions");
    assert!(all.contains("attack_name ") && all.contains("As-of join"), "{all}");
    assert!(told("encrypted_dns").contains("SELECT"), "a view shows its query");
    let none = run(&scratch.0, &["--describe", "nope"]);
    assert_eq!((none.status.code(), text(&none.stderr).lines().count()), (Some(2), 1));
}

/// The as-of joins that the dictionary shows find the row before.
#[test]
fn as_of_joins_find_the_row_before() {
    let scratch = Scratch::new("as-of");
    let asked = |what: &str| {
        let (_, query) = functions::PATTERNS.iter().find(|(meaning, _)| meaning.starts_with(what)).expect(what);
        text(&run(&scratch.0, &[&sample("plant.pcapng"), "--sql", query, "--format", "csv"]).stdout)
    };
    let held = asked("As-of join of a process");
    let expected = [
        "ts,src_ip,dst_ip,kind,address,held,written",
        "2026-11-23T06:42:40.425332979Z,192.168.50.20,192.168.50.10,holding,0,1500,2900",
        "2026-11-23T06:42:40.926278531Z,192.168.50.20,192.168.50.10,coil,1,0,1",
    ];
    assert_eq!(held.lines().collect::<Vec<_>>(), expected);
    let named = asked("As-of join:");
    for line in ["10.20.30.100,2026-11-23T06:42:20.750029217Z,10.20.30.10,80,intranet.plant.example", "192.168.50.20,22,jump.plant.example"] {
        assert!(named.contains(line), "{line}\n{named}");
    }
}

/// Every question answers on a capture too: what plans may still fail when it runs.
#[test]
fn example_questions_are_answered() {
    let scratch = Scratch::new("examples");
    let file = scratch.path("all.sql");
    let questions: String = examples::all().iter().map(|example| format!("-- {}: {}\n{};\n", example.table, example.question, example.sql)).collect();
    std::fs::write(&file, questions).unwrap();
    let output = run(&scratch.0, &[&sample("plant.pcapng"), "--sql-file", &file.to_string_lossy(), "--format", "jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).lines().count() > 50);
}

#[test]
fn queries_behind_the_flags_run_as_printed() {
    let scratch = Scratch::new("show-sql");
    // Planned one and all; what a flag's help shows is the same text.
    let catalog = Catalog::open(Path::new("/nonexistent"), Vec::new(), View::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let menu = text(&run(&scratch.0, &["--help"]).stdout);
    let mut arguments = vec!["--show-sql".to_owned()];
    for analyzer in analyzer::built_in() {
        // A baseline is reported on by the option that names its file.
        let flag = if analyzer.name == "baseline" { "baseline-compare".to_owned() } else { analyzer.name.replace('_', "-") };
        let line = menu.lines().find_map(|line| line.split_once(&format!("--{flag} "))).unwrap_or_else(|| panic!("no flag for {}", analyzer.name));
        arguments.push(format!("--{flag}"));
        if line.1.starts_with(|letter: char| letter.is_uppercase()) {
            arguments.push("nothing".to_owned());
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = run(&scratch.0, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = statements::split(&text(&output.stdout)).unwrap();
    let expected: usize = analyzer::built_in().iter().map(|analyzer| analyzer.sections.len() + analyzer.findings.len()).sum();
    assert_eq!(printed.statements.len(), expected);
    for statement in printed.statements {
        runtime.block_on(catalog.sql(&statement.sql)).unwrap_or_else(|error| panic!("{}: {error}", statement.sql));
    }
    // And run, as a user would: what is printed, saved to a file and asked of a capture.
    let file = scratch.path("all.sql");
    std::fs::write(&file, &output.stdout).unwrap();
    let asked = run(&scratch.0, &[&sample("plant.pcapng"), "--sql-file", &file.to_string_lossy()]);
    assert_eq!(asked.status.code(), Some(0), "{}", text(&asked.stderr));
    assert!(text(&asked.stdout).contains("192.168.50.20"), "{}", text(&asked.stdout));
    assert!(text(&run(&scratch.0, &["--show-sql"]).stdout).starts_with("-- base: "));
}

/// The hunts that README shows give what it shows.
#[test]
fn the_hunts_are_true() {
    let scratch = Scratch::new("hunts");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let section = readme.split("\n## Ten hunts\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("README has the hunts");
    let (mut hunts, mut found) = (0, section.to_owned());
    for block in section.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let command = block.lines().next().unwrap_or_default();
        let query = command.strip_prefix("$ pcapper sample-data --sql \"").and_then(|rest| rest.strip_suffix('"')).expect(command);
        let output = run(&scratch.0, &[&sample(""), "--no-status", "--sql", query]);
        assert_eq!(output.status.code(), Some(0), "{command}: {}", text(&output.stderr));
        let answer = text(&output.stdout);
        assert!((2..=8).contains(&answer.lines().count()), "{command}\n{answer}");
        found = found.replacen(block, &format!("{command}\n{answer}"), 1);
        hunts += 1;
    }
    assert_eq!(hunts, 10);
    if std::env::var_os("PCAPPER_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, readme.replacen(section, &found, 1)).unwrap();
    } else {
        assert_eq!(section, found);
    }
}
