//! On a terminal of 100 columns every table of every flag keeps to its lines; a pipe gets the tables whole.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Scratch, run, sample, text};
use pcapper_queries::analyzer::built_in;
use unicode_width::UnicodeWidthStr as _;

const WIDTH: usize = 100;
/// Reports about what a user brings or chooses.
const BROUGHT: [&str; 7] = ["baseline", "correlate", "hostdetails", "ioc", "rules", "suricata", "timeline"];

/// All samples, and the flags of all analyzers.
fn everything() -> (Vec<String>, Vec<String>) {
    let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut captures: Vec<String> = names.filter(|name| name.contains(".pcap")).map(|name| sample(&name)).collect();
    captures.sort();
    let names = built_in().into_iter().map(|analyzer| analyzer.name);
    let flags = names.filter(|name| !BROUGHT.contains(&name.as_str())).map(|name| format!("--{}", name.replace('_', "-"))).collect();
    (captures, flags)
}

/// Lines of tables: what stands between a section's name and the next rule, but for facts and findings, whose
/// sentences may be long.
fn table_lines(report: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut in_table = false;
    let mut named = false;
    for line in report.lines() {
        if line.starts_with("-----") || line.starts_with("=====") {
            (in_table, named) = (false, line.starts_with('-'));
        } else if named {
            (in_table, named) = (line != "Findings", false);
        } else if in_table && line.get(24..27) != Some(" : ") && !["  Details  ", "  Frames   "].iter().any(|start| line.starts_with(start)) {
            lines.push(line);
        }
    }
    lines
}

#[test]
fn tables_fit_a_terminal() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("script is not installed: no terminal to look at");
        return;
    }
    let scratch = Scratch::new("width");
    let (captures, flags) = everything();
    let words: Vec<&str> = [env!("CARGO_BIN_EXE_pcapper")].into_iter().chain(flags.iter().chain(&captures).map(String::as_str)).collect();
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let mut child = Command::new("script")
        .args(["-qec", &format!("stty rows 40 cols {WIDTH}; {} --summarize --no-status --no-color 2>/dev/null", quoted.join(" ")), "/dev/null"])
        .env("PCAPPER_LAKE", &scratch.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The terminal hangs up when its input ends.
    let input = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(input);
    let report = text(&output.stdout).replace('\r', "");
    let lines = table_lines(&report);
    assert!(lines.len() > 500, "{report}");
    let wide: Vec<&&str> = lines.iter().filter(|line| line.width() > WIDTH).collect();
    assert!(wide.is_empty(), "{} lines are too wide:\n{wide:#?}", wide.len());
    assert!(report.contains("; -v shows all)"), "nothing was left out, or nothing said so");
}

#[test]
fn a_pipe_gets_all_columns() {
    let scratch = Scratch::new("width-pipe");
    let report = text(&run(&scratch.0, &[&sample("tls.pcapng"), "--certificates"]).stdout);
    assert!(report.contains("Not After") && report.contains("SHA256") && !report.contains("(no room for"), "{report}");
}
