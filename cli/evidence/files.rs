//! `--extract`, `--view`: the content of files that the protocols named.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::RecordBatch;
use pcapper_ingest::evidence::{self, Kept, Share};
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::{Report, Section, Shape};
use pcapper_queries::run;
use serde_json::json;

use super::rows::{self, Rows, facts};
use super::save::Saver;
use super::{LONGEST_NAME, Subject, dump, empty_findings, query, report};
use crate::log;
use crate::render::Output;
use crate::safe_name::safe_name;

/// Bytes of a file that are shown unless all are asked for.
const SHOWN: usize = 4 << 10;
/// Bytes of a file that are shown at most.
const MOST: usize = 16 << 20;
/// Rows on a terminal unless all are asked for.
const ROWS: usize = 10;

/// Files whose name contains something, and what is known of them.
pub struct Matched {
    files: RecordBatch,
    /// Rows of the files meant.
    rows: Vec<usize>,
}

/// The files of a capture whose name contains `wanted`, in any case; `*` takes all.
pub async fn matched(catalog: &Catalog, wanted: &str) -> Result<Matched, String> {
    let sql =
        "SELECT frame, ts, flow_id, source, filename, coalesce(mime, declared_mime) AS mime, size_bytes, complete, md5, sha1, sha256, src_ip, dst_ip
               FROM files ORDER BY frame, source, filename";
    let files = run::rows(catalog, sql).await.map_err(|error| query(&error))?;
    let lower = wanted.to_lowercase();
    let is_meant = |row: &usize| wanted == "*" || rows::text(&files, "filename", *row).is_some_and(|name| name.to_lowercase().contains(&lower));
    let meant = (0..files.num_rows()).filter(is_meant).collect();
    Ok(Matched { files, rows: meant })
}

impl Matched {
    /// Files that the capture has at all.
    pub fn seen(&self) -> usize {
        self.files.num_rows()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Decodes the capture again where the files are, and gives each with its row; those that did not come out, at the end.
    fn each(&self, subject: &Subject<'_>, mut take: impl FnMut(usize, Option<&Kept>)) -> Result<(), String> {
        super::unchanged(subject.capture)?;
        let mut waiting: HashMap<(u64, String, Option<String>), Vec<usize>> = HashMap::new();
        let mut frames = Vec::new();
        for &row in self.rows.iter().rev() {
            let frame = rows::number(&self.files, "frame", row).unwrap_or_default();
            frames.push(frame);
            let key = (frame, rows::text(&self.files, "source", row).unwrap_or_default(), rows::text(&self.files, "filename", row));
            waiting.entry(key).or_default().push(row);
        }
        // Frame 0 is no frame: such a row can be found only by going through everything.
        let share = if frames.contains(&0) { Share::All } else { Share::HostsOf(frames) };
        let mut left = self.rows.len();
        evidence::files(&subject.capture.path, &share, subject.keys.as_ref(), |kept| {
            let key = (kept.frame, kept.source.clone(), kept.filename.clone());
            if let Some(row) = waiting.get_mut(&key).and_then(Vec::pop) {
                take(row, Some(&kept));
                left -= 1;
            }
            left > 0
        })
        .map_err(|error| error.to_string())?;
        let mut lost: Vec<usize> = waiting.into_values().flatten().collect();
        lost.sort_unstable();
        lost.into_iter().for_each(|row| take(row, None));
        Ok(())
    }

    fn cell(&self, name: &str, row: usize) -> Option<String> {
        rows::text(&self.files, name, row)
    }

    /// Name on the wire; files without one are called by where they came from.
    fn name(&self, row: usize) -> String {
        self.cell("filename", row)
            .unwrap_or_else(|| format!("{}_{}", self.cell("source", row).unwrap_or_default(), self.cell("frame", row).unwrap_or_default()))
    }
}

/// Why a file is not whole; `None` if it is.
fn lacking(kept: &Kept) -> Option<&'static str> {
    match kept {
        Kept { cut: true, .. } => Some("cut at what can be kept"),
        Kept { complete: false, .. } => Some("bytes are missing"),
        _ => None,
    }
}

/// What was done with one file.
struct Done {
    frame: Option<u64>,
    source: Option<String>,
    name: String,
    mime: Option<String>,
    size: u64,
    sha256: String,
    outcome: String,
}

/// What was extracted from a capture.
pub struct Extracted {
    /// Name of the capture.
    pcap: String,
    seen: usize,
    matched: usize,
    done: Vec<Done>,
}

/// Saves the files.
pub fn extract(subject: &Subject<'_>, matched: &Matched, directory: &Path, faults: &mut Vec<String>, out: &mut Output) -> Result<Extracted, String> {
    let mut saver = Saver::open(directory)?;
    let mut done: Vec<(usize, u64, String, String)> = Vec::new();
    matched.each(subject, |row, kept| {
        let Some(kept) = kept else {
            done.push((row, 0, String::new(), "not found again in the capture".to_owned()));
            return;
        };
        let hash = evidence::sha256(&kept.bytes);
        let about = json!({
            "wire_name": matched.cell("filename", row),
            "capture": subject.capture.name,
            "capture_id": subject.capture.manifest.capture_id,
            "source": kept.source,
            "flow_id": kept.flow_id,
            "frame": kept.frame,
            "complete": kept.complete && !kept.cut,
            "md5": matched.cell("md5", row),
            "sha1": matched.cell("sha1", row),
        });
        let outcome = match saver.twin(&hash) {
            Some(twin) => format!("same as {twin}"),
            None => match saver.save(&safe_name(&matched.name(row), LONGEST_NAME), &kept.bytes, &hash, about) {
                Ok(saved) => lacking(kept).map_or_else(|| saved.clone(), |lacking| format!("{saved} ({lacking})")),
                Err(error) => {
                    faults.push(format!("{}: {error}", matched.name(row)));
                    error
                }
            },
        };
        done.push((row, kept.bytes.len() as u64, hash, outcome));
    })?;
    let written = saver.take_written();
    log::extract(written.len(), done.len() - written.len(), directory);
    out.saved(written);
    done.sort_by_key(|(row, ..)| *row);
    let done = done.into_iter().map(|(row, size, sha256, outcome)| Done {
        frame: rows::number(&matched.files, "frame", row),
        source: matched.cell("source", row),
        name: matched.name(row),
        mime: matched.cell("mime", row),
        size,
        sha256,
        outcome,
    });
    Ok(Extracted { pcap: subject.capture.name.clone(), seen: matched.seen(), matched: matched.rows.len(), done: done.collect() })
}

/// The report on what was extracted from one capture, or from several as one.
pub fn report_on(parts: &[Extracted], directory: &Path, subject: String, merged: bool, verbose: bool) -> Report {
    let sum = |count: fn(&Extracted) -> usize| parts.iter().map(count).sum::<usize>().to_string();
    let told = vec![("Files Seen", sum(|part| part.seen)), ("Matched", sum(|part| part.matched)), ("Directory", directory.display().to_string())];
    let digits = if verbose { 64 } else { 12 };
    let all: Vec<(&str, &Done)> = parts.iter().flat_map(|part| part.done.iter().map(|done| (part.pcap.as_str(), done))).collect();
    let mut table = Rows::default();
    if merged {
        table = table.text("PCAP", all.iter().map(|(pcap, _)| (*pcap).to_owned()));
    }
    let table = table
        .number("Frame", all.iter().map(|(_, done)| done.frame))
        .text("Source", all.iter().map(|(_, done)| done.source.clone()))
        .text("Name", all.iter().map(|(_, done)| done.name.clone()))
        .text("Type", all.iter().map(|(_, done)| done.mime.clone()))
        .number("Size", all.iter().map(|(_, done)| done.size))
        .text("SHA256", all.iter().map(|(_, done)| done.sha256.get(..digits).unwrap_or_default().to_owned()))
        .text("Saved As", all.iter().map(|(_, done)| done.outcome.clone()))
        .section("Extracted Files", Shape::Table, Some(ROWS));
    report("extract", "FILE EXTRACTION", subject, vec![facts(told), table], empty_findings())
}

/// Shows the files.
pub fn view(subject: &Subject<'_>, matched: &Matched) -> Result<Vec<Report>, String> {
    let mut shown = Vec::new();
    let limit = if subject.verbose { MOST } else { SHOWN };
    matched.each(subject, |row, kept| {
        let name = matched.name(row);
        let bytes = kept.map(|kept| kept.bytes.as_slice()).unwrap_or_default();
        let visible = bytes.get(..bytes.len().min(limit)).unwrap_or_default();
        let whole = match kept {
            None => "not found again in the capture".to_owned(),
            Some(kept) => lacking(kept).unwrap_or("yes").to_owned(),
        };
        let mut told = vec![
            ("File", name.clone()),
            ("Source", matched.cell("source", row).unwrap_or_default()),
            ("Type", matched.cell("mime", row).unwrap_or_else(|| "-".to_owned())),
            ("Size", format!("{} bytes", bytes.len())),
            ("Complete", whole),
            ("SHA256", evidence::sha256(bytes)),
            ("Frame", matched.cell("frame", row).unwrap_or_default()),
        ];
        if visible.len() < bytes.len() {
            told.push(("Shown", format!("the first {} bytes (-v shows more, -raw all)", visible.len())));
        }
        let lines: Vec<dump::Line> = dump::lines(visible, 0).collect();
        let content = Rows::default()
            .text("Offset", lines.iter().map(|line| format!("{:08x}", line.offset)))
            .text("Hex", lines.iter().map(|line| line.hex.clone()))
            .text("Text", lines.iter().map(|line| line.text.clone()))
            .section("Content", Shape::Table, None);
        let sections: Vec<Section> = vec![facts(told), content];
        shown.push((row, report("view", "FILE VIEW", format!("{} :: {name}", subject.capture.name), sections, empty_findings())));
    })?;
    shown.sort_by_key(|(row, _)| *row);
    Ok(shown.into_iter().map(|(_, report)| report).collect())
}

/// Gives `sink` the bytes of the files, in order of the capture.
pub fn raw(subject: &Subject<'_>, matched: &Matched, mut sink: impl FnMut(&[u8])) -> Result<(), String> {
    matched.each(subject, |_, kept| sink(kept.map(|kept| kept.bytes.as_slice()).unwrap_or_default()))
}
