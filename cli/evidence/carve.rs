//! `--carve`: files found in streams by their content, where no dissector names them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;

use pcapper_ingest::evidence::carve::{Class, Format, carve};
use pcapper_ingest::evidence::{self, Dir, Heard, Share, What};
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::{Report, Shape};
use pcapper_queries::run;
use serde_json::json;

use super::rows::{self, Rows, facts};
use super::save::{Saver, WRITE_ERROR};
use super::{LONGEST_NAME, Subject, query, report};
use crate::arguments::Given;
use crate::case::Case;
use crate::render::value::thousands;
use crate::safe_name::safe_name;

/// Rows on a terminal unless all are asked for.
const ROWS: usize = 10;
/// Bytes of all streams that are held while they are open.
const MAX_HELD: usize = 256 << 20;
/// Ports of industrial protocols (IANA and the vendors' documents).
const INDUSTRIAL_PORTS: [u16; 19] =
    [102, 502, 789, 1089, 1911, 1962, 2222, 2404, 4000, 4840, 4911, 5007, 9600, 18245, 20000, 20547, 34962, 44818, 47808];
/// Services whose business is to carry files; `files` where a file was named, whatever the service.
const FILE_SERVICES: [&str; 14] = ["http", "http2", "smb", "ftp", "ftp_data", "smtp", "imap", "pop3", "tftp", "nfs", "rpc", "tls", "ssh", "dicom"];

/// The options.
#[derive(Clone, Debug)]
pub struct Options {
    directory: PathBuf,
    /// Files a run.
    limit: usize,
    /// Bytes a file.
    max_bytes: usize,
    /// Bytes scanned of a stream direction.
    stream_bytes: usize,
}

/// Reads the options; `None` if nothing is to be carved.
pub fn options(given: &Given, case: Option<&Case>) -> Result<Option<Options>, String> {
    if !given.switch("carve") {
        let companion = ["carve-out", "carve-limit", "carve-max-bytes", "carve-stream-bytes"].into_iter().find(|name| given.has(name));
        return companion.map_or(Ok(None), |name| Err(format!("--{name} needs --carve")));
    }
    Ok(Some(Options {
        directory: super::place(given.text("carve-out").unwrap_or("carved"), case),
        limit: given.count("carve-limit")?,
        max_bytes: bytes(given, "carve-max-bytes")?,
        stream_bytes: bytes(given, "carve-stream-bytes")?,
    }))
}

/// A number of bytes of 1 or more, with `K`, `M` or `G` behind it perhaps.
fn bytes(given: &Given, name: &str) -> Result<usize, String> {
    let text = given.text(name).unwrap_or_default();
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (text.get(..at), 1 << 10),
        Some((at, 'M' | 'm')) => (text.get(..at), 1 << 20),
        Some((at, 'G' | 'g')) => (text.get(..at), 1 << 30),
        _ => (Some(text), 1_usize),
    };
    let number = digits.and_then(|digits| digits.parse().ok()).and_then(|number: usize| number.checked_mul(unit)).filter(|number| *number >= 1);
    number.ok_or_else(|| format!("--{name} {text}: a number of bytes of 1 or more is needed (K, M, G may follow)"))
}

/// What the run has carved so far: limits and duplicates are the run's.
#[derive(Default)]
pub struct Done {
    saver: Option<Saver>,
    files: usize,
    /// Files that could not be written.
    pub faults: Vec<String>,
}

/// A stream direction in progress.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    /// Offset of the first byte in the stream.
    start: u64,
    /// Bytes taken into account so far.
    scanned: usize,
    /// Where each piece starts in `bytes`, and its frame and time.
    pieces: Vec<(usize, u64, i64)>,
}

/// A file that was found.
struct Hit {
    flow_id: u64,
    dir: Dir,
    offset: u64,
    frame: u64,
    ts: i64,
    format: &'static Format,
    length: usize,
    complete: bool,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    ports: [Option<u16>; 2],
    hash: String,
    outcome: Result<String, String>,
}

struct Carving<'c> {
    options: &'c Options,
    subject: &'c Subject<'c>,
    done: &'c mut Done,
    held: HashMap<(u64, Dir), Held>,
    held_bytes: usize,
    streams: BTreeSet<u64>,
    scanned: u64,
    hits: Vec<Hit>,
}

impl Carving<'_> {
    fn hear(&mut self, heard: &Heard) {
        if !matches!(heard.proto, 6 | 17) || !self.subject.has_flow(heard.flow_id) {
            return;
        }
        match &heard.what {
            What::Bytes(bytes) => {
                self.streams.insert(heard.flow_id);
                let held = self.held.entry((heard.flow_id, heard.dir)).or_default();
                let room = self.options.stream_bytes.saturating_sub(held.scanned);
                let taken = bytes.get(..bytes.len().min(room)).unwrap_or_default();
                if !taken.is_empty() {
                    held.pieces.push((held.bytes.len(), heard.moment.frame, heard.moment.ts));
                    held.bytes.extend_from_slice(taken);
                }
                held.scanned += taken.len();
                self.scanned += taken.len() as u64;
                self.held_bytes += taken.len();
                if self.held_bytes > MAX_HELD {
                    let found = self.look(heard, heard.dir, false);
                    self.take(found);
                }
            }
            What::Gap(lost) => {
                let found = self.look(heard, heard.dir, true);
                self.take(found);
                if let Some(held) = self.held.get_mut(&(heard.flow_id, heard.dir)) {
                    held.start += lost;
                }
            }
            What::Datagram(..) => {}
            What::Closed => {
                let mut found = Vec::new();
                for dir in [Dir::Orig, Dir::Resp] {
                    found.extend(self.look(heard, dir, false));
                    self.held.remove(&(heard.flow_id, dir));
                }
                self.take(found);
            }
        }
    }

    /// Saves what was found, in order of time, as far as the limits allow.
    fn take(&mut self, mut found: Vec<(Hit, Vec<u8>, bool)>) {
        found.sort_by_key(|(hit, ..)| (hit.ts, hit.frame, hit.offset));
        for (mut hit, content, ends_in_gap) in found {
            hit.outcome = self.save(&hit, &content, ends_in_gap);
            if let Err(error) = &hit.outcome
                && error.starts_with(WRITE_ERROR)
            {
                self.done.faults.push(format!("{} at byte {} of stream {}: {error}", hit.format.name, hit.offset, hit.flow_id));
            }
            self.hits.push(hit);
        }
    }

    /// The files in what is held of a direction, their content, and whether a gap follows them.
    fn look(&mut self, heard: &Heard, dir: Dir, gap: bool) -> Vec<(Hit, Vec<u8>, bool)> {
        let Some(held) = self.held.get_mut(&(heard.flow_id, dir)) else { return Vec::new() };
        let (bytes, pieces, start) = (std::mem::take(&mut held.bytes), std::mem::take(&mut held.pieces), held.start);
        held.start += bytes.len() as u64;
        self.held_bytes -= bytes.len();
        let (sender, receiver) = (heard.ends[dir.index()], heard.ends[dir.reverse().index()]);
        let hits = carve(&bytes, self.subject.verbose).into_iter().map(|found| {
            let mut length = found.extent.length;
            if !found.extent.complete {
                length = length.min(self.options.max_bytes);
            }
            let at = pieces.partition_point(|(start, ..)| *start <= found.start).saturating_sub(1);
            let (_, frame, ts) = pieces.get(at).copied().unwrap_or((0, heard.moment.frame, heard.moment.ts));
            let content = bytes.get(found.start..found.start.saturating_add(length)).unwrap_or_default();
            let hit = Hit {
                flow_id: heard.flow_id,
                dir,
                offset: start + found.start as u64,
                frame,
                ts,
                format: found.format,
                length,
                complete: found.extent.complete,
                src: sender.ip,
                dst: receiver.ip,
                ports: [sender.port, receiver.port],
                hash: evidence::sha256(content),
                outcome: Ok(String::new()),
            };
            (hit, content.to_vec(), gap && found.start + found.extent.length == bytes.len())
        });
        hits.collect()
    }

    fn save(&mut self, hit: &Hit, content: &[u8], ends_in_gap: bool) -> Result<String, String> {
        if ends_in_gap && !hit.complete {
            return Err("gap in stream".to_owned());
        }
        if hit.length > self.options.max_bytes {
            return Err("over --carve-max-bytes".to_owned());
        }
        let saver = match &mut self.done.saver {
            Some(saver) => saver,
            empty => empty.insert(Saver::open(&self.options.directory)?),
        };
        if let Some(twin) = saver.twin(&hit.hash) {
            return Err(format!("duplicate of {twin}"));
        }
        if self.done.files >= self.options.limit {
            return Err("over --carve-limit".to_owned());
        }
        let stem = self.subject.capture.name.split('.').next().unwrap_or_default();
        let name = format!("{stem}_{}_{}_{}.{}", hit.flow_id, side(hit.dir), hit.offset, hit.format.extension);
        let about = json!({
            "wire_name": null,
            "capture": self.subject.capture.name,
            "capture_id": self.subject.capture.manifest.capture_id,
            "source": "carve",
            "type": hit.format.name,
            "flow_id": hit.flow_id,
            "frame": hit.frame,
            "direction": side(hit.dir),
            "stream_offset": hit.offset,
            "complete": hit.complete,
        });
        let saved = saver.save(&safe_name(&name, LONGEST_NAME), content, &hit.hash, about)?;
        self.done.files += 1;
        Ok(saved)
    }
}

fn side(dir: Dir) -> &'static str {
    if dir == Dir::Orig { "orig" } else { "resp" }
}

/// Carves a capture.
pub async fn carve_capture(subject: &Subject<'_>, catalog: &Catalog, options: &Options, done: &mut Done) -> Result<Report, String> {
    super::unchanged(subject.capture)?;
    let mut carving = Carving { options, subject, done, held: HashMap::new(), held_bytes: 0, streams: BTreeSet::new(), scanned: 0, hits: Vec::new() };
    evidence::streams(&subject.capture.path, &Share::All, None, |heard| carving.hear(&heard)).map_err(|error| error.to_string())?;
    let Carving { streams, scanned, mut hits, .. } = carving;
    hits.sort_by_key(|hit| (hit.ts, hit.frame, hit.offset));
    let (taken, skipped): (Vec<&Hit>, Vec<&Hit>) = hits.iter().partition(|hit| hit.outcome.is_ok());
    let mut told = vec![
        ("Streams", thousands(&streams.len().to_string())),
        ("Scanned Bytes", thousands(&scanned.to_string())),
        ("Hits", hits.len().to_string()),
        ("Extracted", taken.len().to_string()),
        ("Skipped", skipped.len().to_string()),
    ];
    if !taken.is_empty() {
        told.push(("Directory", options.directory.display().to_string()));
    }
    let digits = if subject.verbose { 64 } else { 12 };
    let ip = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string());
    let mut sections = vec![facts(told)];
    if !taken.is_empty() {
        let files = Rows::default()
            .number("Stream", taken.iter().map(|hit| hit.flow_id))
            .text("Dir", taken.iter().map(|hit| side(hit.dir).to_owned()))
            .number("Offset", taken.iter().map(|hit| hit.offset))
            .text("Type", taken.iter().map(|hit| hit.format.name.to_owned()))
            .number("Length", taken.iter().map(|hit| hit.length as u64))
            .flag("Complete", taken.iter().map(|hit| hit.complete))
            .text("Src", taken.iter().map(|hit| ip(hit.src)))
            .text("Dst", taken.iter().map(|hit| ip(hit.dst)))
            .text("SHA256", taken.iter().map(|hit| hit.hash.get(..digits).unwrap_or_default().to_owned()))
            .text("Saved As", taken.iter().map(|hit| hit.outcome.clone().unwrap_or_default()));
        sections.push(files.section("Carved Files", Shape::Table, Some(ROWS)));
    }
    if !skipped.is_empty() {
        let reasons = Rows::default()
            .number("Stream", skipped.iter().map(|hit| hit.flow_id))
            .number("Offset", skipped.iter().map(|hit| hit.offset))
            .text("Type", skipped.iter().map(|hit| hit.format.name.to_owned()))
            .text("Reason", skipped.iter().map(|hit| hit.outcome.clone().err().unwrap_or_default()));
        sections.push(reasons.section("Skipped", Shape::Table, Some(ROWS)));
    }
    let findings = findings(subject, catalog, &hits).await?;
    Ok(report("carve", "STREAM CARVING", subject.capture.name.clone(), sections, findings))
}

/// Addresses of nobody's local network (the ranges of RFC 6890 that are not global).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_documentation()
                || matches!(a, 0 | 240..)
                || (a == 100 && b & 0xc0 == 64)
                || (a == 198 && b & 0xfe == 18))
        }
        IpAddr::V6(ip) => matches!(ip.segments()[0], 0x2000..=0x3fff) && !(ip.segments()[0] == 0x2001 && ip.segments()[1] == 0x0db8),
    }
}

/// One detection's case.
struct Finding<'h> {
    hit: &'h Hit,
    id: &'static str,
    severity: &'static str,
    title: &'static str,
    techniques: &'static str,
}

/// Programs where no protocol of files carries them, and archives that leave unrecognised.
async fn findings(subject: &Subject<'_>, catalog: &Catalog, hits: &[Hit]) -> Result<arrow::array::RecordBatch, String> {
    let suspects: Vec<&Hit> = hits.iter().filter(|hit| hit.complete && hit.format.class != Class::Other).collect();
    if suspects.is_empty() {
        return Ok(super::empty_findings());
    }
    let ids: BTreeSet<String> = suspects.iter().map(|hit| hit.flow_id.to_string()).collect();
    let sql = format!(
        "SELECT f.flow_id, CASE WHEN named.flow_id IS NOT NULL THEN 'files' ELSE f.service END AS service
         FROM flows f LEFT JOIN (SELECT DISTINCT flow_id FROM files) named ON named.flow_id = f.flow_id WHERE f.flow_id IN ({})",
        ids.into_iter().collect::<Vec<_>>().join(", ")
    );
    let flows = run::rows(catalog, &sql).await.map_err(|error| query(&error))?;
    let services: BTreeMap<u64, String> =
        (0..flows.num_rows()).filter_map(|row| Some((rows::number(&flows, "flow_id", row)?, rows::text(&flows, "service", row)?))).collect();
    let found: Vec<Finding<'_>> = suspects
        .into_iter()
        .filter_map(|hit| {
            let service = services.get(&hit.flow_id).map(String::as_str);
            match hit.format.class {
                Class::Program if !service.is_some_and(|service| FILE_SERVICES.contains(&service)) => {
                    let industrial = hit.ports.iter().flatten().any(|port| INDUSTRIAL_PORTS.contains(port));
                    let high = industrial || hit.src.is_some_and(is_public);
                    Some(Finding {
                        hit,
                        id: "carved_executable",
                        severity: if high { "high" } else { "medium" },
                        title: "A program passed where no file transfer was recognised",
                        techniques: "T1105",
                    })
                }
                Class::Archive if service.is_none() && hit.dst.is_some_and(is_public) && hit.format.name != "GZIP" && hit.format.name != "CAB" => {
                    Some(Finding {
                        hit,
                        id: "carved_archive_odd_port",
                        severity: "low",
                        title: "An archive left to a public address in an unrecognised protocol",
                        techniques: "T1560,T1048",
                    })
                }
                _ => None,
            }
        })
        .collect();
    let details = |one: &Finding<'_>| {
        format!("{} of {} bytes at byte {} of the stream, SHA-256 {}", one.hit.format.name, one.hit.length, one.hit.offset, one.hit.hash)
    };
    let mut techniques = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    let mut frames = arrow::array::ListBuilder::new(arrow::array::UInt64Builder::new());
    for one in &found {
        one.techniques.split(',').for_each(|technique| techniques.values().append_value(technique));
        techniques.append(true);
        frames.values().append_value(one.hit.frame);
        frames.append(true);
    }
    let flat = Rows::default()
        .text("detection", found.iter().map(|one| one.id.to_owned()))
        .text("source", found.iter().map(|_| "carve".to_owned()))
        .text("severity", found.iter().map(|one| one.severity.to_owned()))
        .text("confidence", found.iter().map(|_| "high".to_owned()))
        .text("title", found.iter().map(|one| one.title.to_owned()))
        .text("details", found.iter().map(details))
        .text("src_ip", found.iter().map(|one| one.hit.src.map(|ip| ip.to_string())))
        .text("dst_ip", found.iter().map(|one| one.hit.dst.map(|ip| ip.to_string())))
        .number("src_port", found.iter().map(|one| one.hit.ports[0].map(u64::from)))
        .number("dst_port", found.iter().map(|one| one.hit.ports[1].map(u64::from)))
        .number("frame", found.iter().map(|one| one.hit.frame))
        .number("flow_id", found.iter().map(|one| one.hit.flow_id))
        .number("count", found.iter().map(|_| 1))
        .time("ts", found.iter().map(|one| one.hit.ts))
        .text("capture", found.iter().map(|_| subject.capture.name.clone()))
        .text("capture_id", found.iter().map(|_| subject.capture.manifest.capture_id.clone()))
        .array("techniques", std::sync::Arc::new(techniques.finish()))
        .array("frames", std::sync::Arc::new(frames.finish()));
    Ok(rows::shaped(&flat.batch(), &run::findings_schema()))
}
