//! Rules over the findings of a catalog: the report, and the hits as findings.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt64Array};
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{DataType, Field, Schema};

use super::record::{Records, chosen};
use super::{Pack, Rule, SOURCE, rule};
use crate::catalog::Catalog;
use crate::report::{Report, Section, Shape};
use crate::{Result, run};

/// Rows of the table of rules that a terminal shows.
const SHOWN: usize = 10;
/// Findings of each rule that are shown.
const EXAMPLES: usize = 3;

/// Sources whose findings are judged whatever was asked for: the user brought what they compare with.
const ALWAYS: [&str; 3] = ["baseline", "carve", "ioc"];

/// What one rule matched.
struct Matched<'a> {
    rule: &'a Rule,
    /// Rows of the findings.
    rows: Vec<usize>,
}

/// Judges the findings of some analyzers, or of all (`None`), adds what rules matched to the catalog's findings and reports it.
/// Indicator matches, carved files, changes since a baseline and what was added to the catalog are always judged, rule hits never.
pub async fn apply(catalog: &Catalog, pack: &Pack, analyzers: Option<&[String]>, subject: &str, verbose: bool) -> Result<Report> {
    let found = findings(catalog, analyzers).await?;
    let records = Records::new(run::by_severity(&found)?);
    let mut matched: Vec<Matched<'_>> = pack
        .rules
        .iter()
        .map(|rule| {
            let mut rows: Vec<usize> =
                if rule.enabled { (0..records.len()).filter(|&row| records.passes(row, &rule.test)).collect() } else { Vec::new() };
            if (rows.len() as u64) < rule.threshold {
                rows.clear();
            }
            Matched { rule, rows }
        })
        .collect();
    let key = |matched: &Matched<'_>| {
        (std::cmp::Reverse(rule::weight(&matched.rule.severity) as u64), std::cmp::Reverse(matched.rows.len()), matched.rule.id.clone())
    };
    matched.sort_by_key(key);
    let hits = hits(&records, &matched)?;
    catalog.add_findings(hits.clone())?;
    let sections = vec![facts(pack, &matched)?, table(&records, &matched, verbose)?, examples(&records, &matched, verbose)?];
    Ok(Report { analyzer: SOURCE.to_owned(), title: "RULES ANALYSIS".to_owned(), subject: subject.to_owned(), sections, findings: hits })
}

async fn findings(catalog: &Catalog, analyzers: Option<&[String]>) -> Result<RecordBatch> {
    let schema = run::findings_schema();
    let Some(analyzers) = analyzers else {
        return run::rows(catalog, &format!("SELECT * FROM findings WHERE source <> '{SOURCE}'")).await;
    };
    let mut sources: Vec<String> = analyzers.iter().cloned().chain(ALWAYS.map(str::to_owned)).collect();
    for added in catalog.added_findings() {
        let records = Records::new(added);
        sources.extend((0..records.len()).map(|row| records.text("source", row)));
    }
    sources.sort();
    sources.dedup();
    let mut batches = Vec::new();
    for source in sources.iter().filter(|source| *source != SOURCE) {
        batches.push(run::rows(catalog, &format!("SELECT * FROM findings WHERE source = '{}'", source.replace('\'', "''"))).await?);
    }
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(concat_batches(&schema, &batches)?)
}

fn text(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl IntoIterator<Item = usize>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values.into_iter().map(|value| value as u64)))
}

fn section(name: &str, shape: Shape, limit: Option<usize>, columns: Vec<(&str, ArrayRef)>) -> Result<Section> {
    let schema = Schema::new(columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect::<Vec<_>>());
    let rows = RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())?;
    Ok(Section { name: name.to_owned(), shape, limit, rows })
}

fn facts(pack: &Pack, matched: &[Matched<'_>]) -> Result<Section> {
    let hit = matched.iter().filter(|matched| !matched.rows.is_empty());
    section(
        "summary",
        Shape::Facts,
        None,
        vec![
            ("Rule File", text([pack.files.join(", ")])),
            ("Rules Loaded", numbers([pack.rules.len()])),
            ("Rules Matched", numbers([hit.clone().count()])),
            ("Matches", numbers([hit.map(|matched| matched.rows.len()).sum()])),
        ],
    )
}

fn table(records: &Records, matched: &[Matched<'_>], verbose: bool) -> Result<Section> {
    let shown: Vec<&Matched<'_>> = matched.iter().filter(|matched| verbose || !matched.rows.is_empty()).collect();
    let sources = |matched: &&Matched<'_>| {
        let mut sources: Vec<String> = matched.rows.iter().map(|&row| records.text("source", row)).collect();
        sources.sort();
        sources.dedup();
        sources.join(", ")
    };
    section(
        "Rule Hits",
        Shape::Table,
        Some(SHOWN),
        vec![
            ("rule", text(shown.iter().map(|matched| matched.rule.id.clone()))),
            ("title", text(shown.iter().map(|matched| matched.rule.title.clone()))),
            ("severity", text(shown.iter().map(|matched| matched.rule.severity.clone()))),
            ("count", numbers(shown.iter().map(|matched| matched.rows.len()))),
            ("sources", text(shown.iter().map(sources))),
        ],
    )
}

/// The findings behind the hits: the first of each rule before the rest, so that the limit leaves each rule its examples and
/// an export has them all.
fn examples(records: &Records, matched: &[Matched<'_>], verbose: bool) -> Result<Section> {
    let each = |from: usize, to: usize| {
        matched.iter().flat_map(move |matched| matched.rows.iter().skip(from).take(to - from).map(move |&row| (matched.rule, row)))
    };
    let rows: Vec<(&Rule, usize)> =
        if verbose { each(0, usize::MAX).collect() } else { each(0, EXAMPLES).chain(each(EXAMPLES, usize::MAX)).collect() };
    let first = each(0, EXAMPLES).count();
    let mut frames = ListBuilder::new(datafusion::arrow::array::UInt64Builder::new());
    for (_, row) in &rows {
        frames.append_option(frame_numbers(records, *row));
    }
    section(
        "Matched Findings",
        Shape::Table,
        Some(first),
        vec![
            ("rule", text(rows.iter().map(|(rule, _)| rule.id.clone()))),
            ("finding", text(rows.iter().map(|(_, row)| told(records, *row)))),
            ("frames", Arc::new(frames.finish())),
        ],
    )
}

fn frame_numbers(records: &Records, row: usize) -> Option<Vec<Option<u64>>> {
    let frames = records.texts("frames", row);
    (!frames.is_empty()).then(|| frames.iter().map(|frame| frame.parse().ok()).collect())
}

/// A finding in one line.
fn told(records: &Records, row: usize) -> String {
    let details = records.text("details", row);
    let details = if details.is_empty() { details } else { format!(" :: {details}") };
    format!("{}: {}{details}", records.text("source", row), records.summary(row))
}

/// Each match as a finding of its rule: the evidence is the matched finding's, the judgement the rule's.
fn hits(records: &Records, matched: &[Matched<'_>]) -> Result<RecordBatch> {
    let all: Vec<(&Rule, usize)> = matched.iter().flat_map(|matched| matched.rows.iter().map(|&row| (matched.rule, row))).collect();
    let evidence = chosen(records.batch(), &all.iter().map(|(_, row)| *row).collect::<Vec<_>>())?;
    let schema = run::findings_schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column: ArrayRef = match field.name().as_str() {
                "detection" => text(all.iter().map(|(rule, _)| rule.id.clone())),
                "source" => text(all.iter().map(|_| SOURCE.to_owned())),
                "severity" => text(all.iter().map(|(rule, _)| rule.severity.clone())),
                "title" => text(all.iter().map(|(rule, _)| rule.title.clone())),
                "summary" => text(all.iter().map(|(_, row)| format!("{}: {}", records.text("source", *row), records.summary(*row)))),
                "techniques" => lists(all.iter().map(|(rule, row)| joined(&rule.techniques, records.texts("techniques", *row)))),
                "tags" => lists(all.iter().map(|(rule, row)| {
                    let file = Path::new(&rule.file).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                    let own: Vec<String> = rule.tags.iter().cloned().chain([format!("rule:{file}")]).collect();
                    joined(&own, records.texts("tags", *row))
                })),
                name => match evidence.column_by_name(name) {
                    Some(column) => Arc::clone(column),
                    None => datafusion::arrow::array::new_null_array(&DataType::Utf8, all.len()),
                },
            };
            Ok(cast(&column, field.data_type())?)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}

fn joined(first: &[String], more: Vec<String>) -> Vec<String> {
    let mut all = first.to_vec();
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

fn lists(rows: impl Iterator<Item = Vec<String>>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for text in &row {
            builder.values().append_value(text);
        }
        builder.append(!row.is_empty());
    }
    Arc::new(builder.finish())
}
