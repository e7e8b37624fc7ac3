//! `--write-pcap FILE`, and `\write-pcap` at the prompt: the frames behind an answer, as a capture.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, UInt64Type};
use pcapper_ingest::evidence::{Writer, write_frames};
use pcapper_queries::catalog::Selected;
use pcapper_queries::report::Report;

use crate::export::file::{Files, Whole, without_number};
use crate::interrupt;
use crate::render::escape;
use crate::select::complain;

/// Frames by capture: the place of the capture in the run, and their numbers.
#[derive(Default)]
pub struct Frames {
    of: BTreeMap<usize, Vec<u64>>,
    /// Findings of which nothing says which capture they are about.
    unplaced: usize,
}

impl Frames {
    fn add(&mut self, capture: usize, frame: u64) {
        if frame > 0 {
            self.of.entry(capture).or_default().push(frame);
        }
    }

    /// The frames that a capture's run is narrowed to; all of them without a filter.
    pub fn selected(&mut self, at: usize, capture: &Selected) {
        let frames = self.of.entry(at).or_default();
        match &capture.narrowed {
            Some(narrowed) => frames.extend(narrowed.numbers()),
            None => frames.extend(1..=capture.manifest.packets),
        }
    }

    /// The frames that the findings of reports name; `of` is the capture they are about, where it is one.
    pub fn of_findings(&mut self, captures: &[Selected], of: Option<usize>, reports: &[Report]) {
        for report in reports {
            self.unplaced += self.take(captures, of, &report.findings);
        }
    }

    /// Whether no frame is named.
    pub fn is_empty(&self) -> bool {
        self.of.values().all(Vec::is_empty)
    }

    /// The frames that rows name in `frame` and `frames`, of the capture in `capture`, else of the only one there can be.
    pub fn rows(&mut self, captures: &[Selected], rows: &RecordBatch) -> Result<(), String> {
        if rows.column_by_name("frame").is_none() && rows.column_by_name("frames").is_none() {
            return Err("the answer names no frames; give it a column frame or frames".to_owned());
        }
        match self.take(captures, None, rows) {
            0 => Ok(()),
            _ => Err("with several captures the answer must name each row's in a column capture".to_owned()),
        }
    }

    /// Takes the frames of rows; gives the number of rows of which nothing says which capture they are about.
    fn take(&mut self, captures: &[Selected], of: Option<usize>, rows: &RecordBatch) -> usize {
        let only = of.or((captures.len() == 1).then_some(0));
        let names = rows.column_by_name("capture").and_then(|column| cast(column, &DataType::Utf8).ok());
        let single = rows.column_by_name("frame").and_then(|column| cast(column, &DataType::UInt64).ok());
        let list = DataType::List(Field::new("item", DataType::UInt64, true).into());
        let several = rows.column_by_name("frames").and_then(|column| cast(column, &list).ok());
        let mut unplaced = 0;
        for row in 0..rows.num_rows() {
            let name = names.as_ref().filter(|names| names.is_valid(row)).map(|names| names.as_string::<i32>().value(row));
            let named = name.and_then(|name| captures.iter().position(|capture| capture.name == name));
            let Some(capture) = only.or(named) else {
                unplaced += 1;
                continue;
            };
            if let Some(frames) = single.as_ref().filter(|frames| frames.is_valid(row)) {
                self.add(capture, frames.as_primitive::<UInt64Type>().value(row));
            }
            if let Some(lists) = several.as_ref().filter(|lists| lists.is_valid(row)) {
                let frames = lists.as_list::<i32>().value(row);
                for frame in frames.as_primitive::<UInt64Type>().iter().flatten() {
                    self.add(capture, frame);
                }
            }
        }
        unplaced
    }

    /// Writes them, whole or not at all; gives their number and the file's size.
    pub fn write(mut self, captures: &[Selected], files: &Files, path: &Path) -> Result<(u64, u64), String> {
        if self.unplaced > 0 {
            complain(&format!("--write-pcap: {} findings do not say which capture they are about; their frames are left out", self.unplaced));
        }
        let mut file = files.create(path)?;
        let frames = self.fill(captures, &mut file, path)?;
        file.commit().map(|bytes| (frames, bytes))
    }

    fn fill(&mut self, captures: &[Selected], file: &mut Whole, path: &Path) -> Result<u64, String> {
        let shown = escape::path(path);
        let fail = |error: &dyn std::fmt::Display| format!("{shown}: cannot write: {}", without_number(&error.to_string()));
        let mut writer = Writer::new(file).map_err(|error| fail(&error))?;
        for (at, frames) in &mut self.of {
            let Some(capture) = captures.get(*at) else { continue };
            frames.sort_unstable();
            frames.dedup();
            super::unchanged(capture).map_err(|error| format!("{}: {error}", capture.name))?;
            let before = writer.frames;
            write_frames(&capture.path, &capture.name, frames, &mut writer).map_err(|error| fail(&error))?;
            if interrupt::is_asked() {
                return Err("interrupted".to_owned());
            }
            let missing = frames.len() as u64 - (writer.frames - before);
            if missing > 0 {
                complain(&format!("{}: {missing} of the frames named are not in the capture", capture.name));
            }
        }
        let frames = writer.frames;
        writer.finish().map_err(|error| fail(&error))?;
        Ok(frames)
    }
}
