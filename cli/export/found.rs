//! Findings as people read them: those of one kind together.

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{TimestampNanosecondType, UInt64Type};
use pcapper_queries::report::Unit;

use crate::render::value::{self, Place, Secrets};

/// One finding. Texts are as they came from the capture: whoever writes them escapes them.
pub struct Finding {
    pub severity: String,
    pub detection: String,
    pub source: String,
    pub title: String,
    pub techniques: String,
    pub confidence: String,
    pub capture: String,
    /// What was seen: summary and details.
    pub evidence: Vec<String>,
    pub src: Option<String>,
    pub dst: Option<String>,
    /// First and last evidence, nanoseconds since 1970.
    pub ts: Option<i64>,
    pub end_ts: Option<i64>,
    /// Events behind it.
    pub count: u64,
    pub frames: String,
    pub tags: String,
}

impl Finding {
    /// `a -> b`, the one that is known, or nothing.
    pub fn hosts(&self, arrow: &str) -> String {
        match (&self.src, &self.dst) {
            (Some(src), Some(dst)) => format!("{src} {arrow} {dst}"),
            (one, other) => one.clone().or_else(|| other.clone()).unwrap_or_default(),
        }
    }
}

/// Findings of one detection with one severity and headline.
pub struct Kind {
    pub members: Vec<Finding>,
}

impl Kind {
    /// The first of them: there is no kind without.
    pub fn first(&self) -> Option<&Finding> {
        self.members.first()
    }

    pub fn severity(&self) -> &str {
        self.first().map_or("info", |finding| &finding.severity)
    }
}

/// Severities, most severe first.
pub const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// Place among [`SEVERITIES`]; what is none comes last.
pub fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|known| *known == severity).unwrap_or(SEVERITIES.len())
}

/// The findings, gathered by kind, in order of their first.
pub fn kinds(rows: &RecordBatch, secrets: &mut Secrets) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for finding in read(rows, secrets) {
        let key = (finding.severity.clone(), finding.detection.clone(), finding.title.clone());
        let place = *places.entry(key).or_insert_with(|| {
            kinds.push(Kind { members: Vec::new() });
            kinds.len() - 1
        });
        if let Some(kind) = kinds.get_mut(place) {
            kind.members.push(finding);
        }
    }
    kinds
}

fn read(rows: &RecordBatch, secrets: &mut Secrets) -> Vec<Finding> {
    let time = |name: &str, row: usize| {
        let column = rows.column_by_name(name)?.as_primitive_opt::<TimestampNanosecondType>()?;
        (!column.is_null(row)).then(|| column.value(row))
    };
    let counts = rows.column_by_name("count").and_then(|column| column.as_primitive_opt::<UInt64Type>());
    (0..rows.num_rows())
        .map(|row| {
            let mut text = |name: &str| {
                let column = rows.column_by_name(name).filter(|column| !column.is_null(row))?;
                let shown = value::shown(column, row, Unit::Id, Place::Cell, 0, secrets);
                (shown != value::NULL).then_some(shown)
            };
            let detection = text("detection").unwrap_or_default();
            Finding {
                title: text("title").unwrap_or_else(|| detection.clone()),
                detection,
                severity: text("severity").unwrap_or_else(|| "info".to_owned()),
                source: text("source").unwrap_or_default(),
                techniques: text("techniques").unwrap_or_default(),
                confidence: text("confidence").unwrap_or_default(),
                capture: text("capture").unwrap_or_default(),
                evidence: [text("summary"), text("details")].into_iter().flatten().collect(),
                src: text("src_ip"),
                dst: text("dst_ip"),
                frames: text("frames").or_else(|| text("frame")).unwrap_or_default(),
                tags: text("tags").unwrap_or_default(),
                ts: time("ts", row),
                end_ts: time("end_ts", row),
                count: counts.filter(|counts| !counts.is_null(row)).map_or(1, |counts| counts.value(row)),
            }
        })
        .collect()
}
