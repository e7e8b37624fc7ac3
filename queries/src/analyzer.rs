//! Analyzers as data: one `.sql` file each, with what it is, its sections and its detections.
//!
//! ```sql
//! -- @analyzer dns
//! -- @group    it
//! -- @title    DNS ANALYSIS
//! -- @help     Names asked for and answered
//!
//! -- @section summary shape=facts
//! SELECT count(*) AS messages FROM dns;
//!
//! -- @section "Top names" shape=table limit=12
//! SELECT query, count(*) AS queries FROM dns GROUP BY query ORDER BY queries DESC, query;
//!
//! -- @finding dns_tunnel severity=high confidence=high technique=T1071.004
//! SELECT 'Data in DNS names' AS title, src_ip, ... FROM dns ...;
//! ```
//! `if=TABLE` leaves a section or a finding out where TABLE has no rows; `verbose` shows it only when all detail is asked for;
//! `unless_empty` leaves it out rather than say that there is nothing. `only=COLUMN:NEEDS,...` leaves columns of a section out where
//! a table has no rows, or a database ([`crate::geoip`]) is not given. `indicator=KIND:COLUMN` says which column holds what
//! may be asked about elsewhere (`-vt`): `host`, `url`, `hash`, or `typed` by the row's column `type`.
//! A file of `views/` defines a table by a query; one that begins with `-- @kept` is computed once a session. A comment above
//! `@analyzer` is for readers.

use std::sync::{Arc, LazyLock};

use include_dir::{Dir, include_dir};

use crate::plugins::Plugin;
use crate::report::Shape;

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/analyzers");
static VIEWS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/views");

/// A report and its detections.
#[derive(Clone, Debug, Default)]
pub struct Analyzer {
    /// Name: the flag without leading dashes, `-` as `_`.
    pub name: String,
    /// `base`, `it`, `ot`, `newer`.
    pub group: String,
    pub title: String,
    pub help: String,
    pub sections: Vec<SectionQuery>,
    pub findings: Vec<FindingQuery>,
    /// The plugin it comes from; `None` for what comes with pcapper.
    pub plugin: Option<Arc<Plugin>>,
}

/// What the values of a column are, for those who keep reputations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Indicator {
    /// Names and addresses of hosts.
    Host,
    Url,
    /// Hashes of files.
    Hash,
    /// What the row's column `type` says.
    Typed,
}

/// The query of one section.
#[derive(Clone, Debug)]
pub struct SectionQuery {
    pub name: String,
    pub shape: Shape,
    pub limit: Option<usize>,
    /// Shown only when all detail is asked for.
    pub verbose: bool,
    /// Left out where it has no rows, instead of saying so.
    pub unless_empty: bool,
    /// Left out where this table has no rows, or this is not given.
    pub only_if: Option<String>,
    /// Columns that are left out where a table has no rows or something is not given: column, and what it needs.
    pub only: Vec<(String, String)>,
    /// Column whose values may be asked about elsewhere (`-vt`), and what they are.
    pub indicator: Option<(Indicator, String)>,
    /// Line of its file, from 1.
    pub line: usize,
    pub sql: String,
}

/// One detection.
#[derive(Clone, Debug)]
pub struct FindingQuery {
    /// Stable snake_case id.
    pub id: String,
    /// Severity and confidence where the query does not say otherwise.
    pub severity: String,
    pub confidence: String,
    /// ATT&CK technique ids.
    pub techniques: Vec<String>,
    /// Not run where this table has no rows.
    pub only_if: Option<String>,
    /// Line of its file, from 1.
    pub line: usize,
    pub sql: String,
}

/// A file of analyzers that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct ParseError {
    pub file: String,
    pub line: usize,
    pub what: String,
}

/// The analyzers that come with pcapper, in order of name.
pub fn built_in() -> Vec<Analyzer> {
    // Read once: their text is a megabyte, and a run asks for them several times.
    static READ: LazyLock<Vec<Analyzer>> = LazyLock::new(|| {
        let mut analyzers: Vec<Analyzer> = files(&BUILT_IN)
            .into_iter()
            .map(|(path, text)| parse(&path, text).unwrap_or_else(|error| unreachable!("built-in analyzers are tested: {error}")))
            .collect();
        analyzers.sort_by(|a, b| a.name.cmp(&b.name));
        analyzers
    });
    READ.clone()
}

/// Views that come with pcapper: (table name, query).
pub fn views() -> Vec<(String, String)> {
    files(&VIEWS)
        .into_iter()
        .filter_map(|(path, text)| {
            let name = path.rsplit('/').next()?.strip_suffix(".sql")?.to_owned();
            Some((name, text.trim().trim_end_matches(';').to_owned()))
        })
        .collect()
}

fn files(dir: &'static Dir<'static>) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for file in dir.files() {
        if file.path().extension().is_some_and(|extension| extension == "sql")
            && let Some(text) = file.contents_utf8()
        {
            found.push((file.path().to_string_lossy().into_owned(), text));
        }
    }
    for inner in dir.dirs() {
        found.extend(files(inner));
    }
    found.sort();
    found
}

enum Part {
    Section(SectionQuery),
    Finding(FindingQuery),
}

/// Reads one analyzer file; `file` names it in errors.
pub fn parse(file: &str, text: &str) -> Result<Analyzer, ParseError> {
    let analyzer = parts(file, text)?;
    if analyzer.name.is_empty() || analyzer.title.is_empty() {
        return Err(ParseError { file: file.to_owned(), line: text.lines().count().max(1), what: "@analyzer and @title are required".to_owned() });
    }
    Ok(analyzer)
}

/// Reads the sections and detections of a file that need not say whose they are.
pub fn parts(file: &str, text: &str) -> Result<Analyzer, ParseError> {
    let mut analyzer = Analyzer::default();
    let mut open: Option<(usize, Part)> = None;
    let mut sql = String::new();
    let fail = |line: usize, what: String| ParseError { file: file.to_owned(), line: line + 1, what };
    for (number, line) in text.lines().enumerate() {
        let Some(directive) = line.trim_start().strip_prefix("-- @") else {
            if open.is_some() {
                sql.push_str(line);
                sql.push('\n');
            }
            continue;
        };
        close_part(&mut analyzer, &mut open, &mut sql).map_err(|(line, what)| fail(line, what))?;
        let (keyword, rest) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
        let rest = rest.trim();
        match keyword {
            "analyzer" => analyzer.name = rest.to_owned(),
            "group" => analyzer.group = rest.to_owned(),
            "title" => analyzer.title = rest.to_owned(),
            "help" => analyzer.help = rest.to_owned(),
            "section" => open = Some((number, Part::Section(section(rest).map_err(|what| fail(number, what))?))),
            "finding" => open = Some((number, Part::Finding(finding(rest).map_err(|what| fail(number, what))?))),
            other => return Err(fail(number, format!("unknown directive @{other}"))),
        }
    }
    close_part(&mut analyzer, &mut open, &mut sql).map_err(|(line, what)| fail(line, what))?;
    Ok(analyzer)
}

fn close_part(analyzer: &mut Analyzer, open: &mut Option<(usize, Part)>, sql: &mut String) -> Result<(), (usize, String)> {
    let text = std::mem::take(sql).trim().trim_end_matches(';').trim_end().to_owned();
    let Some((line, part)) = open.take() else { return Ok(()) };
    if text.is_empty() {
        return Err((line, "no query follows".to_owned()));
    }
    match part {
        Part::Section(mut section) => {
            section.sql = text;
            section.line = line + 1;
            analyzer.sections.push(section);
        }
        Part::Finding(mut finding) => {
            finding.sql = text;
            finding.line = line + 1;
            analyzer.findings.push(finding);
        }
    }
    Ok(())
}

/// Splits `"Top names" shape=table limit=12` into its words; quotes keep blanks together.
fn words(rest: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut any) = (false, false);
    for letter in rest.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            blank if blank.is_whitespace() && !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            other => {
                word.push(other);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

fn section(rest: &str) -> Result<SectionQuery, String> {
    let mut words = words(rest).into_iter();
    let name = words.next().ok_or("a section needs a name")?;
    let mut section = SectionQuery {
        name,
        shape: Shape::Table,
        limit: None,
        verbose: false,
        unless_empty: false,
        only_if: None,
        only: Vec::new(),
        indicator: None,
        line: 0,
        sql: String::new(),
    };
    for word in words {
        match word.split_once('=') {
            Some(("shape", shape)) => {
                section.shape = match shape {
                    "facts" => Shape::Facts,
                    "table" => Shape::Table,
                    "findings" => Shape::Findings,
                    "timeline" => Shape::Timeline,
                    "series" => Shape::Series,
                    "tree" => Shape::Tree,
                    other => return Err(format!("unknown shape {other}")),
                }
            }
            Some(("limit", limit)) => section.limit = Some(limit.parse().map_err(|_| format!("limit={limit} is no number"))?),
            Some(("if", table)) => section.only_if = Some(table.to_owned()),
            Some(("only", list)) => {
                let pair = |entry: &str| entry.split_once(':').map(|(column, needs)| (column.to_owned(), needs.to_owned()));
                section.only = list.split(',').map(pair).collect::<Option<_>>().ok_or_else(|| format!("only={list}: COLUMN:NEEDS,... is needed"))?;
            }
            Some(("indicator", told)) => {
                let (kind, column) = told.split_once(':').ok_or_else(|| format!("indicator={told}: KIND:COLUMN is needed"))?;
                let kind = match kind {
                    "host" => Indicator::Host,
                    "url" => Indicator::Url,
                    "hash" => Indicator::Hash,
                    "typed" => Indicator::Typed,
                    other => return Err(format!("unknown kind of indicator {other}")),
                };
                section.indicator = Some((kind, column.to_owned()));
            }
            None if word == "verbose" => section.verbose = true,
            None if word == "unless_empty" => section.unless_empty = true,
            _ => return Err(format!("unknown word {word}")),
        }
    }
    Ok(section)
}

fn finding(rest: &str) -> Result<FindingQuery, String> {
    let mut words = words(rest).into_iter();
    let id = words.next().ok_or("a finding needs an id")?;
    let mut finding = FindingQuery {
        id,
        severity: String::new(),
        confidence: "medium".to_owned(),
        techniques: Vec::new(),
        only_if: None,
        line: 0,
        sql: String::new(),
    };
    for word in words {
        match word.split_once('=') {
            Some(("severity", severity)) if ["critical", "high", "medium", "low", "info"].contains(&severity) => {
                finding.severity = severity.to_owned()
            }
            Some(("confidence", confidence)) if ["high", "medium", "low"].contains(&confidence) => finding.confidence = confidence.to_owned(),
            Some(("if", table)) => finding.only_if = Some(table.to_owned()),
            Some(("technique", list)) => finding.techniques = list.split(',').map(str::to_owned).collect(),
            _ => return Err(format!("unknown word {word}")),
        }
    }
    if finding.severity.is_empty() {
        return Err("a finding needs severity=critical|high|medium|low|info".to_owned());
    }
    Ok(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_analyzer() {
        let text = "-- @analyzer x\n-- @title X\n-- @section \"A b\" shape=facts limit=3 verbose if=dns only=x:dns,y:tls \"indicator=host:c d\"\nSELECT 1;\n-- @finding f severity=low technique=T1,T2\nSELECT 2\n;\n";
        let analyzer = parse("x.sql", text).unwrap();
        assert_eq!(analyzer.sections[0].name, "A b");
        assert_eq!(analyzer.sections[0].sql, "SELECT 1");
        assert_eq!((analyzer.sections[0].limit, analyzer.sections[0].verbose), (Some(3), true));
        assert_eq!(analyzer.sections[0].only, [("x".to_owned(), "dns".to_owned()), ("y".to_owned(), "tls".to_owned())]);
        assert_eq!(analyzer.sections[0].indicator, Some((Indicator::Host, "c d".to_owned())));
        assert_eq!(analyzer.findings[0].techniques, ["T1", "T2"]);
        assert_eq!(analyzer.findings[0].sql, "SELECT 2");
    }

    #[test]
    fn errors_name_file_and_line() {
        let error = parse("bad.sql", "-- @analyzer x\n-- @title X\n-- @finding f\nSELECT 1;").unwrap_err();
        assert_eq!(error.to_string(), "bad.sql:3: a finding needs severity=critical|high|medium|low|info");
    }

    #[test]
    fn every_technique_is_known() {
        let (_, known) = views().into_iter().find(|(name, _)| name == "attack_techniques").unwrap();
        for finding in built_in().into_iter().flat_map(|analyzer| analyzer.findings) {
            for technique in finding.techniques {
                assert!(known.contains(&format!("('{technique}',")), "{}: {technique}", finding.id);
            }
        }
    }

    #[test]
    fn every_built_in_is_sound() {
        let mut ids = std::collections::BTreeSet::new();
        for analyzer in built_in() {
            assert!(!analyzer.help.is_empty(), "{} has no help", analyzer.name);
            for finding in analyzer.findings {
                assert!(ids.insert(finding.id.clone()), "{} occurs twice", finding.id);
            }
        }
    }
}
