//! Texts about the tool itself: the menu, one flag, the data dictionary.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use pcapper_queries::analyzer::{self, Analyzer};
use pcapper_queries::examples;
use pcapper_queries::functions::{self, FunctionDoc, Kind};
use pcapper_queries::{catalog, nearest};
use pcapper_schema::TableDef;

use crate::flags::{Flag, Group, RENAMED};
use crate::render::terminal::Style;
use crate::render::value;

/// Column at which the menu's descriptions start.
const HELP_COLUMN: usize = 43;
/// The same for examples, and for variables and statuses.
const EXAMPLE_COLUMN: usize = 54;
const VARIABLE_COLUMN: usize = 26;

/// What pcapper is, in a sentence.
pub const ABOUT: &str = "Decodes network captures once into typed tables and answers questions about them: a flag a question, or SQL.";
/// What a target is.
pub const TARGET: &str = "A capture (pcap or pcapng, also gzip, zstd, lz4, xz), a directory, a quoted glob, or - for standard input";

const EXAMPLES: &[(&str, &str)] = &[
    ("pcapper capture.pcap", "What is this capture?"),
    ("pcapper --dns --http captures/ -r", "Two reports a capture, for a whole tree"),
    ("pcapper --modbus --summarize plant/*.pcapng", "One report over all of them"),
    ("pcapper office.pcap --sql \"SELECT query, count(*) FROM dns GROUP BY 1\"", "Anything else, in SQL"),
    ("pcapper --lake case42 --shell", "All captures of a lake, at a prompt"),
    ("pcapper office.pcap --rules team.yml --json -", "A team's own judgement over all findings"),
];

const VARIABLES: &[(&str, &str)] = &[
    ("NO_COLOR", "no colours, if not empty"),
    ("PCAPPER_ANALYST", "as --case-analyst"),
    ("PCAPPER_CONFIG", "configuration file, as --config; empty: none"),
    ("PCAPPER_DETERMINISTIC", "taken for compatibility: the order of rows is always total"),
    ("PCAPPER_GEOIP_ASN_DB", "database of networks and operators (MMDB), as [geoip] asn"),
    ("PCAPPER_GEOIP_CITY_DB", "database of countries and cities (MMDB), as [geoip] city"),
    ("PCAPPER_LAKE", "where decoded captures are kept, as --lake"),
    ("PCAPPER_LAKE_MAX_BYTES", "size that this place is held to: 20GB for the cache folder, else no limit"),
    ("PCAPPER_PLUGINS", "directories of plugins, as --plugins, separated as in PATH"),
    ("PCAPPER_QUOTE", "the quote of the banner"),
    ("PCAPPER_QUOTE_SEED", "chooses the quote of the banner, in place of the day"),
    ("PCAPPER_VT_MAX_LOOKUPS", "lookups a run with -vt, 500 if not set"),
    ("PCAPPER_VT_RATE", "lookups a minute with -vt, 4 if not set"),
    ("VT_API_KEY", "key for VirusTotal, needed by -vt"),
];

const STATUSES: &[(&str, &str)] = &[
    ("0", "everything asked for was done"),
    ("1", "part of it was not done (a capture missing, cut short or damaged)"),
    ("2", "nothing was done (no capture, bad option)"),
    ("130", "interrupted"),
    ("141", "the reader of our output went away"),
];

/// A blank at which no line ends.
const UNBROKEN: char = '\u{a0}';
/// Widest menu.
const MAX_WIDTH: usize = 120;

/// The whole menu, for the terminal there is.
pub fn menu(flags: &[&'static Flag]) -> String {
    let (width, color) = terminal_of_menu();
    let style = Style { color, width: None };
    let mut text = format!(
        "pcapper {}\n\nUsage: pcapper [OPTIONS] TARGET...\n       pcapper [--lake DIR] lake list|add|remove|verify|compact [NAME...]\n\n",
        env!("CARGO_PKG_VERSION")
    );
    let target = format!("TARGET is a{}.", TARGET.trim_start_matches('A'));
    let _ = write!(text, "{}\n\n{}\n", wrapped(ABOUT, 0, width), wrapped(&target, 0, width));
    for group in Group::ALL {
        let mut listed: Vec<_> = flags.iter().filter(|flag| flag.group == group).collect();
        if listed.is_empty() {
            continue;
        }
        listed.sort_by_key(|flag| flag.name);
        let _ = write!(text, "\n{}\n", style.section(&format!("{}:", group.title())));
        for flag in listed {
            let mut left = String::from("  ");
            if let Some(short) = flag.short {
                let _ = write!(left, "-{short}, ");
            }
            if let Some(alias) = flag.alias {
                let _ = write!(left, "{alias}, ");
            }
            left.push_str(&flag.spelled());
            if let Some(name) = flag.value {
                let _ = write!(left, " {name}");
            }
            let default =
                flag.default.filter(|_| !flag.help.contains("[default")).map(|default| format!(" [default:{UNBROKEN}{default}]")).unwrap_or_default();
            line(&left, &format!("{}{default}", flag.help), width, &mut text);
        }
        if group == Group::General {
            line("  -h, --help[=FLAG]", "This menu; --help=FLAG says all about one flag", width, &mut text);
            line("  -V, --version", "Name and version", width, &mut text);
        }
    }
    let _ = write!(text, "\n{}\n", style.section("Examples:"));
    for (example, about) in EXAMPLES {
        entry(&format!("  {example}"), about, EXAMPLE_COLUMN, width, &mut text);
    }
    for (title, entries) in [("Environment:", VARIABLES), ("Exit status:", STATUSES)] {
        let _ = write!(text, "\n{}\n", style.section(title));
        for (name, about) in entries {
            entry(&format!("  {name}"), about, VARIABLE_COLUMN, width, &mut text);
        }
    }
    text
}

/// The menu's width, if it is a terminal that shows it, and whether in colour.
fn terminal_of_menu() -> (Option<usize>, bool) {
    let stdout = std::io::stdout();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || std::env::var("TERM").is_ok_and(|term| term == "dumb");
    (crate::render::width().map(|width| width.min(MAX_WIDTH)), stdout.is_terminal() && !plain)
}

/// One option.
fn line(left: &str, about: &str, width: Option<usize>, text: &mut String) {
    entry(left, about, HELP_COLUMN, width, text);
}

/// One entry: what is long starts its description on the next line.
fn entry(left: &str, about: &str, column: usize, width: Option<usize>, text: &mut String) {
    let about = wrapped(about, column, width);
    if left.len() + 2 > column {
        let _ = writeln!(text, "{left}\n{:column$}{about}", "");
    } else {
        let _ = writeln!(text, "{left:column$}{about}");
    }
}

/// Words in lines that end before `width` and stand at `column`; as they are where the width is not known or too small.
fn wrapped(about: &str, column: usize, width: Option<usize>) -> String {
    let Some(room) = width.and_then(|width| width.checked_sub(column)).filter(|room| *room >= 24) else {
        return about.replace(UNBROKEN, " ");
    };
    let mut out = String::new();
    let mut used = 0;
    for word in about.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if used > 0 && used + length > room {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', column));
            used = 0;
        }
        out.push_str(word);
        used += word.chars().count();
    }
    out.replace(UNBROKEN, " ")
}

/// What to say of an option that there is not.
pub fn unknown(option: &str, flags: &[&'static Flag]) -> String {
    let bare = option.trim_start_matches('-');
    let names = || flags.iter().map(|flag| flag.name);
    // An abbreviation is no name, but what it begins is most likely meant.
    let begun = names().find(|name| bare.len() > 1 && name.starts_with(bare));
    let near = begun.or_else(|| nearest::name(bare, names())).and_then(|near| flags.iter().find(|flag| flag.name == near));
    match near {
        Some(flag) => format!("unknown option {option}; did you mean {}?", flag.spelled()),
        None => format!("unknown option {option} (--help lists the options)"),
    }
}

/// All about one flag.
pub fn about(flag: &str, flags: &[&'static Flag], analyzers: &[Analyzer]) -> Result<String, String> {
    let bare = flag.trim_start_matches('-');
    let other = RENAMED.iter().find(|(other, _)| other.trim_start_matches('-') == bare).map(|(_, ours)| *ours);
    let is_meant = |known: &&&'static Flag| {
        let is_short = known.short.is_some_and(|short| bare.chars().eq([short]));
        known.name == other.unwrap_or(bare) || is_short || known.alias.is_some_and(|alias| alias.trim_start_matches('-') == bare)
    };
    let Some(known) = flags.iter().find(is_meant) else {
        let spelled = if flag.starts_with('-') { flag.to_owned() } else { format!("--{flag}") };
        return Err(unknown(&spelled, flags));
    };
    let value = known.value.map(|value| format!(" {value}")).unwrap_or_default();
    let default = known.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
    let mut text = format!("{}{value}\n  {}{default}\n", known.spelled(), known.help);
    if let Some(analyzer) = analyzers.iter().find(|analyzer| known.value.is_none() && analyzer.name == known.analyzer()) {
        text.push_str("\nSections:\n");
        for section in &analyzer.sections {
            let _ = writeln!(text, "  {}", section.name);
        }
        if !analyzer.findings.is_empty() {
            text.push_str("\nDetections:\n");
            for finding in &analyzer.findings {
                let _ = writeln!(text, "{}", format!("  {:<32} {:<9} {}", finding.id, finding.severity, finding.techniques.join(", ")).trim_end());
            }
        }
        let _ = write!(text, "\nSQL:\n{}", sql_of(std::slice::from_ref(analyzer)));
    }
    Ok(text)
}

/// A script that completes options in a shell.
pub fn completions(shell: &str, mut command: clap::Command) -> Result<String, String> {
    let known =
        shell.parse::<clap_complete::Shell>().map_err(|_| format!("--completions {shell}: bash, elvish, fish, powershell or zsh is needed"))?;
    let mut script = Vec::new();
    clap_complete::generate(known, &mut command, "pcapper", &mut script);
    String::from_utf8(script).map_err(|_| format!("--completions {shell}: the script is no text"))
}

/// The manual page, for man(1).
pub fn manual(command: clap::Command) -> Result<String, String> {
    let fail = |error: std::io::Error| format!("--man: {error}");
    let man = clap_mangen::Man::new(command);
    let mut page = Vec::new();
    man.render_title(&mut page).map_err(fail)?;
    man.render_name_section(&mut page).map_err(fail)?;
    page.extend_from_slice(b".SH SYNOPSIS\n\\fBpcapper\\fR [\\fIOPTIONS\\fR] \\fITARGET\\fR...\n");
    man.render_description_section(&mut page).map_err(fail)?;
    man.render_options_section(&mut page).map_err(fail)?;
    let mut page = String::from_utf8(page).map_err(|_| "--man: the page is no text".to_owned())?;
    for (title, entries) in [("EXAMPLES", EXAMPLES), ("ENVIRONMENT", VARIABLES), ("EXIT STATUS", STATUSES)] {
        let _ = writeln!(page, ".SH \"{title}\"");
        for (name, about) in entries {
            let _ = writeln!(page, ".TP\n\\fB{}\\fR\n{}", roff(name), roff(about));
        }
    }
    Ok(page)
}

/// Text as roff takes it.
fn roff(text: &str) -> String {
    text.replace('\\', "\\\\").replace('-', "\\-").replace('\'', "\\(aq")
}

/// The queries that analyzers run, as they can be given to --sql.
pub fn sql_of(analyzers: &[Analyzer]) -> String {
    let mut text = String::new();
    for analyzer in analyzers {
        for section in &analyzer.sections {
            let _ = write!(text, "-- {}: {}\n{};\n\n", analyzer.name, section.name, section.sql);
        }
        for finding in &analyzer.findings {
            let _ = write!(text, "-- {}: finding {} ({})\n{};\n\n", analyzer.name, finding.id, finding.severity, finding.sql);
        }
    }
    text
}

/// The list of tables.
pub fn tables() -> String {
    let mut text = String::new();
    for def in pcapper_schema::all() {
        let _ = writeln!(text, "{:<18} {}", def.name, first_sentence(&def.doc));
    }
    text
}

/// Name under which `--describe` lists the functions.
const FUNCTIONS: &str = "functions";

/// The dictionary of one table, one function, or all functions.
pub fn describe(name: &str) -> Result<String, String> {
    if let Some(def) = pcapper_schema::all().into_iter().find(|def| def.name == name) {
        return Ok(dictionary(def));
    }
    if name == FUNCTIONS {
        return Ok(self::functions());
    }
    if let Some(doc) = functions::dictionary().iter().find(|doc| doc.name == name) {
        return Ok(function(doc));
    }
    match analyzer::views().into_iter().find(|(view, _)| view == name) {
        Some((view, query)) => Ok(derived(&view, &query)),
        None => Err(format!("--describe {name}: no such table or function (--tables and --describe {FUNCTIONS} list them)")),
    }
}

/// The functions that plain SQL lacks, and how to ask what needs none.
pub fn functions() -> String {
    let mut text = String::new();
    for doc in functions::dictionary() {
        let _ = writeln!(text, "{:<20} {}", doc.name, first_sentence(doc.meaning));
    }
    for (what, query) in functions::PATTERNS {
        let _ = write!(text, "\n{what}\n\n{query};\n");
    }
    text
}

/// A view: its columns, and the query behind it.
fn derived(view: &str, query: &str) -> String {
    let mut text = format!("{view}: computed when it is asked\n\n");
    for field in catalog::columns_of(view).iter().flat_map(|schema| schema.fields()) {
        let _ = writeln!(text, "{:<26} {}", field.name(), value::type_name(field.data_type()));
    }
    let _ = writeln!(text, "\n{query}");
    text
}

fn function(doc: &FunctionDoc) -> String {
    let kind = match doc.kind {
        Kind::Scalar => "function",
        Kind::Aggregate => "aggregate",
        Kind::Table => "table function",
    };
    format!("{}: {kind}\n\n{}\n\n{}\n\nSELECT {};\n  {}\n", doc.name, doc.signature, doc.meaning, doc.example, doc.gives)
}

fn dictionary(def: &TableDef) -> String {
    let mut text = format!("{}: {}\n\n", def.name, def.doc);
    for column in &def.columns {
        let _ = write!(text, "{:<26} {:<14} {}", column.name, value::type_name(&column.data_type), column.doc);
        if let Some(field) = column.wireshark {
            let _ = write!(text, " [Wireshark: {field}]");
        }
        if column.secret {
            text.push_str(" [secret]");
        }
        text.push('\n');
    }
    for example in examples::of(def.name) {
        let _ = write!(text, "\n{}\n  {};\n", example.question, example.sql);
    }
    text
}

/// What stands before the first full stop.
pub fn first_sentence(doc: &str) -> &str {
    doc.split_inclusive(". ").next().unwrap_or(doc).trim_end()
}
