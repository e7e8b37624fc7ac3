//! Indicators into a catalog: the `indicators` table, and the hosts that fit its patterns.

use std::borrow::Cow;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{TimestampNanosecondType, UInt64Type};
use pcapper_schema::table::{Common, Row, TableBuilder};
use pcapper_schema::tables::IndicatorPatterns;

use super::pattern::{Hit, Sighting, find};
use super::{Loaded, Pattern};
use crate::Result;
use crate::catalog::Catalog;
use crate::run::rows;

/// Where the facts of patterns were seen.
const SIGHTINGS: &str = "SELECT CAST(host AS VARCHAR) AS host, CAST(capture AS VARCHAR) AS capture, pattern, type AS kind, indicator AS value, ts, frame FROM ioc_matches \
    WHERE pattern IS NOT NULL AND host IS NOT NULL AND ts IS NOT NULL ORDER BY ts, frame";

/// Makes indicators known to a catalog.
pub async fn bring(loaded: &Loaded, catalog: &Catalog) -> Result<()> {
    catalog.bring("indicators", loaded.batch())?;
    if loaded.patterns.is_empty() {
        return Ok(());
    }
    let sightings = sightings(&rows(catalog, SIGHTINGS).await?);
    catalog.bring("indicator_patterns", batch(&loaded.patterns, &find(&loaded.patterns, &sightings)))
}

fn sightings(rows: &RecordBatch) -> Vec<Sighting> {
    let text = |name: &str| rows.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let (Some(host), Some(capture), Some(pattern)) = (text("host"), text("capture"), text("pattern")) else { return Vec::new() };
    let (Some(kind), Some(value)) = (text("kind"), text("value")) else { return Vec::new() };
    let Some(ts) = rows.column_by_name("ts").and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>()) else { return Vec::new() };
    let frame = rows.column_by_name("frame").and_then(|column| column.as_primitive_opt::<UInt64Type>());
    (0..rows.num_rows())
        .map(|row| Sighting {
            host: host.value(row).to_owned(),
            capture: capture.value(row).to_owned(),
            pattern: pattern.value(row).to_owned(),
            kind: kind.value(row).to_owned(),
            value: value.value(row).to_owned(),
            ts: ts.value(row),
            frame: frame.filter(|frame| !frame.is_null(row)).map(|frame| frame.value(row)),
        })
        .collect()
}

fn batch(patterns: &[Pattern], hits: &[Hit]) -> RecordBatch {
    let mut table: TableBuilder<_> = TableBuilder::<<IndicatorPatterns<'_> as Row>::Columns>::default();
    for hit in hits {
        let Some(pattern) = patterns.get(hit.pattern) else { continue };
        let entry = &pattern.entry;
        let list = |texts: &[String]| -> Vec<Cow<'static, str>> { texts.iter().map(|text| Cow::Owned(text.clone())).collect() };
        let (tags, techniques) = (list(&entry.tags), list(&entry.techniques));
        let expired = entry.valid_until.is_some_and(|until| until < hit.ts);
        let severity = match entry.confidence {
            _ if expired => "info",
            Some(confidence) if confidence < 20.0 => "info",
            Some(confidence) if confidence < 50.0 => "medium",
            _ => "high",
        };
        table.push(
            &Common::default(),
            IndicatorPatterns {
                pattern: Some(&pattern.id),
                text: Some(&pattern.text),
                host: Some(&hit.host),
                capture: Some(&hit.capture),
                ts: Some(hit.ts),
                end_ts: Some(hit.end_ts),
                frames: Some(&hit.frames),
                severity: Some(severity),
                confidence: entry.confidence,
                feed: entry.feed.as_deref(),
                tags: (!tags.is_empty()).then_some(tags.as_slice()),
                techniques: (!techniques.is_empty()).then_some(techniques.as_slice()),
            },
        );
    }
    table.finish("", "")
}
