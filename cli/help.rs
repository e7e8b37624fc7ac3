//! Texts about the tool itself: the menu, one flag, the data dictionary.

use std::fmt::Write as _;

use pcapper_queries::analyzer::Analyzer;
use pcapper_schema::TableDef;

use crate::flags::{FLAGS, Group};
use crate::render::value;

/// Column at which the menu's descriptions start.
const HELP_COLUMN: usize = 43;

/// The whole menu.
pub fn menu() -> String {
    let mut text = format!("pcapper {}\n\nUsage: pcapper [OPTIONS] TARGET...\n\n", env!("CARGO_PKG_VERSION"));
    text.push_str("Decodes network captures once into typed tables and answers questions about them: a flag a question, or SQL.\n\n");
    text.push_str("TARGET is a capture (pcap or pcapng, also gzip, zstd, lz4, xz), a directory, a quoted glob, or - for standard input.\n");
    for group in Group::ALL {
        let _ = write!(text, "\n{}:\n", group.title());
        let mut flags: Vec<_> = FLAGS.iter().filter(|flag| flag.group == group).collect();
        flags.sort_by_key(|flag| flag.name);
        for flag in flags {
            let mut left = String::from("  ");
            if let Some(short) = flag.short {
                let _ = write!(left, "-{short}, ");
            }
            left.push_str(&flag.spelled());
            if let Some(name) = flag.value {
                let _ = write!(left, " {name}");
            }
            let default =
                flag.default.filter(|_| !flag.help.contains("[default")).map(|default| format!(" [default: {default}]")).unwrap_or_default();
            let _ = writeln!(text, "{left:<width$}{}{default}", flag.help, width = HELP_COLUMN);
        }
        if group == Group::General {
            let _ = writeln!(text, "{:<HELP_COLUMN$}This menu; --help=FLAG says all about one flag", "  -h, --help[=FLAG]");
            let _ = writeln!(text, "{:<HELP_COLUMN$}Name and version", "  -V, --version");
        }
    }
    text.push_str(
        "\nExamples:\n  pcapper capture.pcap                                What is this capture?\n  pcapper --dns --http captures/ -r                   Two reports a capture, for a whole tree\n  pcapper --modbus --summarize plant/*.pcapng         One report over all of them\n  pcapper office.pcap --sql \"SELECT query, count(*) FROM dns GROUP BY query ORDER BY 2 DESC\"\n",
    );
    text.push_str("\nEnvironment:\n  NO_COLOR       no colours, if not empty\n  PCAPPER_LAKE   where decoded captures are kept\n");
    text.push_str(
        "\nExit status:\n  0   everything asked for was done\n  1   part of it was not done (a capture missing, cut short or damaged)\n  2   nothing was done (no capture, bad option)\n  130 interrupted\n  141 the reader of our output went away\n",
    );
    text
}

/// All about one flag.
pub fn about(flag: &str, analyzers: &[Analyzer]) -> Result<String, String> {
    let bare = flag.trim_start_matches('-');
    let Some(known) = FLAGS.iter().find(|known| known.name == bare) else { return Err(format!("--help={flag}: no such option")) };
    let mut text = format!("{}\n  {}\n", known.spelled(), known.help);
    if let Some(analyzer) = analyzers.iter().find(|analyzer| analyzer.name == known.analyzer()) {
        text.push_str("\nSections:\n");
        for section in &analyzer.sections {
            let _ = writeln!(text, "  {}", section.name);
        }
        if !analyzer.findings.is_empty() {
            text.push_str("\nDetections:\n");
            for finding in &analyzer.findings {
                let _ = writeln!(text, "  {:<32} {:<9} {}", finding.id, finding.severity, finding.techniques.join(", "));
            }
        }
        let _ = write!(text, "\nSQL:\n{}", sql_of(std::slice::from_ref(analyzer)));
    }
    Ok(text)
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

/// The dictionary of one table.
pub fn describe(name: &str) -> Result<String, String> {
    let defs = pcapper_schema::all();
    let Some(def) = defs.iter().find(|def| def.name == name) else {
        return Err(format!("--describe {name}: no such table (--tables lists them)"));
    };
    Ok(dictionary(def))
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
    text
}

fn first_sentence(doc: &str) -> &str {
    doc.split_inclusive(". ").next().unwrap_or(doc).trim_end()
}
