//! What is handed to people: the reports of a run, and around them the picture of the whole capture.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use pcapper_queries::analyzer::{self, Analyzer};
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::{Report, Section, Shape};
use pcapper_queries::{Result, run};

use super::Answered;

/// The overview of a capture, which a run shows where nothing else was asked for.
const BASE: &str = "base";
/// Reports that open a whole report, in this order.
const FRONT: &[&str] = &["compromised", "mitre", "malware", "beacon", "exfil", "scan", "protocols", "hosts", "services"];
/// Reports that say again what the summary and others say, and those about what a user brings.
const LEFT_OUT: &[&str] = &[
    BASE,
    "overview",
    "threats",
    "timeline",
    "hostdetails",
    "hostname",
    "ctf",
    "strings",
    "ips",
    "streams",
    "tcp",
    "udp",
    "webrequests",
    "ioc",
    "rules",
    "baseline",
    "baseline_compare",
    "correlate",
];
/// Tables that nearly every capture fills: that they have rows says of no protocol that it is spoken.
const GENERAL: &[&str] = &["captures", "interfaces", "packets", "flows", "tcp_events", "anomalies", "findings", "hosts", "host_names"];

/// A capture, or several taken as one, for people who read pages.
#[derive(Debug)]
pub struct Brief {
    pub reports: Vec<Report>,
    /// Findings of all reports, most severe first; of everything where nothing was asked for.
    pub findings: RecordBatch,
    /// Answers of `picture.sql`, by name of section.
    picture: Vec<Section>,
    /// Reports were chosen by what the capture holds, not by flags.
    pub is_whole: bool,
}

impl Brief {
    /// Rows of one query of `picture.sql`.
    pub fn picture(&self, name: &str) -> Option<&RecordBatch> {
        self.picture.iter().find(|section| section.name == name).map(|section| &section.rows)
    }
}

impl Brief {
    /// Gathers the picture; where nothing but the overview of the capture was asked for, with every report that has something to
    /// say. Nothing where no report was asked for.
    pub async fn gather(catalog: &Catalog, asked: &[Report]) -> Result<Option<Self>> {
        let Some(first) = asked.first() else { return Ok(None) };
        let queries =
            analyzer::parse("picture.sql", include_str!("picture.sql")).unwrap_or_else(|error| unreachable!("picture.sql is tested: {error}"));
        let picture = run::report(catalog, &queries, &first.subject, false).await?.sections;
        if asked.iter().any(|report| report.analyzer != BASE) {
            let found: Vec<&RecordBatch> = asked.iter().map(|report| &report.findings).collect();
            let findings = run::by_severity(&concat_batches(&run::findings_schema(), found)?)?;
            return Ok(Some(Self { reports: asked.to_vec(), findings, picture, is_whole: false }));
        }
        let mut reports = asked.to_vec();
        for mut analyzer in present(catalog)? {
            // All detections run once, below.
            analyzer.findings.clear();
            let report = run::report(catalog, &analyzer, &first.subject, false).await?;
            if says_something(&report) {
                reports.push(report);
            }
        }
        let findings = run::findings(catalog).await?;
        Ok(Some(Self { reports, findings, picture, is_whole: true }))
    }
}

/// The reports that open, then those whose tables have rows, the office before the plant, by name.
fn present(catalog: &Catalog) -> Result<Vec<Analyzer>> {
    let all = analyzer::built_in();
    let mut chosen: Vec<Analyzer> = FRONT.iter().filter_map(|name| all.iter().find(|analyzer| analyzer.name == *name).cloned()).collect();
    let mut rest = Vec::new();
    for analyzer in all.into_iter().filter(|analyzer| ![FRONT, LEFT_OUT].concat().contains(&analyzer.name.as_str())) {
        if is_present(catalog, &analyzer)? {
            rest.push(analyzer);
        }
    }
    rest.sort_by_key(|analyzer| analyzer.group == "ot");
    chosen.extend(rest);
    Ok(chosen)
}

/// Whether a table of the analyzer's own has rows, be it behind a view.
fn is_present(catalog: &Catalog, analyzer: &Analyzer) -> Result<bool> {
    let views = analyzer::views();
    let (mut wanted, mut seen) = (Vec::new(), Vec::new());
    for section in &analyzer.sections {
        wanted.extend(catalog.tables_of(&section.sql)?);
    }
    while let Some(table) = wanted.pop() {
        if GENERAL.contains(&table.as_str()) || seen.contains(&table) {
            continue;
        }
        if let Some((_, query)) = views.iter().find(|(view, _)| *view == table) {
            wanted.extend(catalog.tables_of(query)?);
        }
        if catalog.rows(table.strip_prefix("stored_").unwrap_or(&table)) > 0 {
            return Ok(true);
        }
        seen.push(table);
    }
    Ok(false)
}

/// A report of nothing but facts, all its tables empty, is about what does not occur.
fn says_something(report: &Report) -> bool {
    report.sections.len() == 1 || report.sections.iter().any(|section| section.shape != Shape::Facts && section.rows.num_rows() > 0)
}

/// Findings that are handed over, in all parts.
pub fn findings(parts: &[&Answered]) -> u64 {
    parts.iter().filter_map(|one| one.brief.as_ref()).map(|brief| brief.findings.num_rows() as u64).sum()
}
