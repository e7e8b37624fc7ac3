//! Reports as JSON: raw typed values, all rows, written as they are read.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use arrow::array::RecordBatch;
use pcapper_queries::catalog::Selected;
use pcapper_queries::report::{Report, Unit, label};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value, json};

use super::{Answered, Answers, extra_key};
use crate::render::escape;
use crate::render::value::{self, Secrets};

/// Version of the documents' form.
pub const SCHEMA: u32 = 1;

/// Writes the document of a run, or of a part of it; gives the rows in it.
pub fn write(answers: &Answers<'_>, answered: &[&Answered], to: &mut dyn Write) -> io::Result<u64> {
    let numbering = Numbering::default();
    let mut out = Plain(to);
    let document = Document { answers, answered, numbering: &numbering };
    serde_json::to_writer_pretty(&mut out, &document).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(numbering.rows.get())
}

/// What is counted while a document is written.
#[derive(Default)]
struct Numbering {
    secrets: RefCell<Secrets>,
    rows: Cell<u64>,
}

/// Spells out, as JSON escapes, characters that would steer a terminal. The serializer hands over whole characters.
struct Plain<'a>(&'a mut dyn Write);

impl Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.0.write_all(escape::json(text).as_bytes())?,
            Err(_) => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

struct Document<'a> {
    answers: &'a Answers<'a>,
    answered: &'a [&'a Answered],
    numbering: &'a Numbering,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let single: Vec<(&Selected, &Answered)> = self.answered.iter().filter_map(|one| Some((one.capture.as_ref()?, *one))).collect();
        let together: Vec<&Report> = self.answered.iter().filter(|one| one.capture.is_none()).flat_map(|one| &one.reports).collect();
        let summaries = |reports| Summaries { reports, numbering: self.numbering };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &SCHEMA)?;
        map.serialize_entry("version", env!("CARGO_PKG_VERSION"))?;
        match single.as_slice() {
            [] => {
                map.serialize_entry("path", "ALL_PCAPS")?;
                map.serialize_entry("filter", &self.answers.filter.json())?;
                let packets = |capture: &Selected| json!({"path": capture.name, "capture_id": capture.manifest.capture_id, "packets": capture.manifest.packets});
                map.serialize_entry("captures", &self.answers.captures.iter().map(packets).collect::<Vec<_>>())?;
                summaries(together).entries(&mut map, true)?;
            }
            [(capture, one)] => {
                map.serialize_entry("path", &capture.name)?;
                map.serialize_entry("capture_id", &capture.manifest.capture_id)?;
                map.serialize_entry("filter", &self.answers.filter.json())?;
                summaries(one.reports.iter().chain(together).collect()).entries(&mut map, true)?;
            }
            several => {
                map.serialize_entry("filter", &self.answers.filter.json())?;
                let entries: Vec<_> =
                    several.iter().map(|(capture, one)| Entry { capture, summaries: summaries(one.reports.iter().collect()) }).collect();
                map.serialize_entry("captures", &entries)?;
                if !together.is_empty() {
                    summaries(together).entries(&mut map, false)?;
                }
            }
        }
        let skipped: Vec<Value> = self.answers.skipped.iter().map(|(path, reason)| json!({"path": path, "reason": reason})).collect();
        map.serialize_entry("skipped", &skipped)?;
        map.end()
    }
}

/// One of several captures.
struct Entry<'a> {
    capture: &'a Selected,
    summaries: Summaries<'a>,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.capture.name)?;
        map.serialize_entry("capture_id", &self.capture.manifest.capture_id)?;
        self.summaries.entries(&mut map, true)?;
        map.end()
    }
}

struct Summaries<'a> {
    reports: Vec<&'a Report>,
    numbering: &'a Numbering,
}

impl Summaries<'_> {
    /// `summaries`, and the reports that have keys of their own; `always` writes `summaries` even when it is empty.
    fn entries<M: SerializeMap>(&self, map: &mut M, always: bool) -> Result<(), M::Error> {
        if always || self.reports.iter().any(|report| extra_key(&report.analyzer).is_none()) {
            map.serialize_entry("summaries", self)?;
        }
        for report in &self.reports {
            if let Some(key) = extra_key(&report.analyzer) {
                map.serialize_entry(key, &OneReport { report, numbering: self.numbering })?;
            }
        }
        Ok(())
    }
}

impl Serialize for Summaries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for report in self.reports.iter().filter(|report| extra_key(&report.analyzer).is_none()) {
            map.serialize_entry(&report.analyzer, &OneReport { report, numbering: self.numbering })?;
        }
        map.end()
    }
}

struct OneReport<'a> {
    report: &'a Report,
    numbering: &'a Numbering,
}

impl Serialize for OneReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = |batch| Rows { batch, numbering: self.numbering };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("title", &self.report.title)?;
        let sections: Vec<_> = self.report.sections.iter().map(|section| OneSection { section, rows: rows(&section.rows) }).collect();
        map.serialize_entry("sections", &sections)?;
        map.serialize_entry("findings", &rows(&self.report.findings))?;
        map.end()
    }
}

struct OneSection<'a> {
    section: &'a pcapper_queries::report::Section,
    rows: Rows<'a>,
}

impl Serialize for OneSection<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.section.name)?;
        map.serialize_entry("shape", self.section.shape.name())?;
        map.serialize_entry("columns", &columns(&self.section.rows))?;
        map.serialize_entry("rows", &self.rows)?;
        map.end()
    }
}

fn columns(batch: &RecordBatch) -> Vec<Value> {
    let column = |field: &arrow::datatypes::FieldRef| {
        let unit = Unit::of(field.name(), field.data_type());
        json!({"name": field.name(), "type": value::type_name(field.data_type()), "unit": unit.name(), "label": label(field.name())})
    };
    batch.schema().fields().iter().map(column).collect()
}

struct Rows<'a> {
    batch: &'a RecordBatch,
    numbering: &'a Numbering,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.batch.num_rows()))?;
        for row in 0..self.batch.num_rows() {
            rows.serialize_element(&Row { batch: self.batch, row, numbering: self.numbering })?;
        }
        self.numbering.rows.set(self.numbering.rows.get() + self.batch.num_rows() as u64);
        rows.end()
    }
}

struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
    numbering: &'a Numbering,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let schema = self.batch.schema();
        let mut map = serializer.serialize_map(None)?;
        for (field, column) in schema.fields().iter().zip(self.batch.columns()) {
            let cell = value::json(column, self.row, &mut self.numbering.secrets.borrow_mut(), true);
            map.serialize_entry(field.name(), &cell)?;
        }
        map.end()
    }
}

/// One row as an object.
pub fn object(batch: &RecordBatch, row: usize, secrets: &mut Secrets, big_as_text: bool) -> Map<String, Value> {
    let schema = batch.schema();
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| (field.name().clone(), value::json(column, row, secrets, big_as_text)))
        .collect()
}
