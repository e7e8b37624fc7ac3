//! `--carve`: files found in streams by their content, where no dissector names them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use pcapper_ingest::evidence::carve::{Carved, Class, Format, carve};
use pcapper_ingest::evidence::{self, Dir, Endpoint, FileRows, Heard, HeardLayer, Kept, Share, Told, What};
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::{Report, Shape};
use pcapper_queries::run;
use pcapper_schema::Common;
use serde_json::json;

use super::rows::{self, Rows, facts};
use super::save::{Saver, WRITE_ERROR};
use super::{LONGEST_NAME, Subject, query, report};
use crate::arguments::Given;
use crate::case::Case;
use crate::log;
use crate::render::Written;
use crate::render::value::thousands;
use crate::safe_name::safe_name;

/// Rows on a terminal unless all are asked for.
const ROWS: usize = 10;
/// How the reason begins why a file was not written again.
const DUPLICATE: &str = "duplicate of";
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

impl Done {
    /// Files written since the last time that this was asked.
    pub fn take_written(&mut self) -> Vec<Written> {
        self.saver.as_mut().map(Saver::take_written).unwrap_or_default()
    }
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

/// Where a file was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Within {
    /// In a stream as it went over the line.
    Stream,
    /// In what a key opened of one.
    Opened(&'static str),
    /// In a message's body, out of its chunks and uncompressed.
    Body,
}

impl Within {
    fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Opened(protocol) => protocol,
            Self::Body => "http body",
        }
    }
}

/// A file that was found.
struct Hit {
    flow_id: u64,
    within: Within,
    dir: Dir,
    offset: u64,
    frame: u64,
    ts: i64,
    /// Frame and time of its last byte.
    done: (u64, i64),
    format: &'static Format,
    length: usize,
    complete: bool,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    ports: [Option<u16>; 2],
    hash: String,
    outcome: Result<String, String>,
}

impl Hit {
    /// A file of a flow: where in it, whose bytes begin at `start` and went from the first of `ends` to the second; `moments` are
    /// those of its first and last byte.
    fn of(
        found: &Carved,
        content: &[u8],
        flow_id: u64,
        (within, dir): (Within, Dir),
        start: u64,
        ends: [Endpoint; 2],
        moments: [(u64, i64); 2],
    ) -> Self {
        Self {
            flow_id,
            within,
            dir,
            offset: start + found.start as u64,
            frame: moments[0].0,
            ts: moments[0].1,
            done: moments[1],
            format: found.format,
            length: content.len(),
            complete: found.extent.complete,
            src: ends[0].ip,
            dst: ends[1].ip,
            ports: ends.map(|end| end.port),
            hash: evidence::sha256(content),
            outcome: Ok(String::new()),
        }
    }

    /// It was written, in this place or in another with the same content.
    fn is_taken(&self) -> bool {
        self.outcome.as_ref().err().is_none_or(|reason| reason.starts_with(DUPLICATE))
    }
}

/// A find, its content, and whether a gap follows it.
type Find = (Hit, Vec<u8>, bool);

struct Carving<'c> {
    options: &'c Options,
    subject: &'c Subject<'c>,
    done: &'c mut Done,
    /// What is held of each flow that is open: as it went over the line, and as keys opened it.
    held: HashMap<u64, Vec<(HeardLayer, Dir, Held)>>,
    held_bytes: usize,
    /// What was found in bodies of flows that are open: it counts only where the stream itself does not show it.
    bodies: HashMap<u64, Vec<Find>>,
    streams: BTreeSet<u64>,
    scanned: u64,
    hits: Vec<Hit>,
    rows: FileRows,
}

impl Carving<'_> {
    fn told(&mut self, told: &Told) {
        match told {
            Told::Heard(heard) if matches!(heard.proto, 6 | 17) && self.subject.has_flow(heard.flow_id) => self.hear(heard),
            Told::Heard(_) => {}
            Told::File(kept) => self.body(kept),
        }
    }

    fn hear(&mut self, heard: &Heard) {
        match &heard.what {
            What::Bytes(bytes) => {
                self.streams.insert(heard.flow_id);
                let room_of = self.options.stream_bytes;
                let held = self.held_of(heard);
                let room = room_of.saturating_sub(held.scanned);
                let taken = bytes.get(..bytes.len().min(room)).unwrap_or_default();
                if !taken.is_empty() {
                    held.pieces.push((held.bytes.len(), heard.moment.frame, heard.moment.ts));
                    held.bytes.extend_from_slice(taken);
                }
                held.scanned += taken.len();
                self.scanned += taken.len() as u64;
                self.held_bytes += taken.len();
                if self.held_bytes > MAX_HELD {
                    let found = self.look(heard, heard.layer, heard.dir, false);
                    self.take(found);
                }
            }
            What::Gap(lost) => {
                let found = self.look(heard, heard.layer, heard.dir, true);
                self.take(found);
                self.held_of(heard).start += lost;
            }
            What::Datagram(..) => {}
            What::Closed => {
                let parts: Vec<(HeardLayer, Dir)> =
                    self.held.get(&heard.flow_id).into_iter().flatten().map(|(layer, dir, _)| (*layer, *dir)).collect();
                let mut found = Vec::new();
                for (layer, dir) in parts {
                    found.extend(self.look(heard, layer, dir, false));
                }
                self.held.remove(&heard.flow_id);
                self.take(found);
                let bodies = self.bodies.remove(&heard.flow_id).unwrap_or_default();
                self.take_new(bodies);
            }
        }
    }

    /// What is held of the direction that something was heard in.
    fn held_of(&mut self, heard: &Heard) -> &mut Held {
        let of_flow = self.held.entry(heard.flow_id).or_default();
        let at = of_flow.iter().position(|(layer, dir, _)| (*layer, *dir) == (heard.layer, heard.dir)).unwrap_or_else(|| {
            of_flow.push((heard.layer, heard.dir, Held::default()));
            of_flow.len() - 1
        });
        &mut of_flow[at].2
    }

    /// Looks into a body of HTTP that has no name: cut into chunks and compressed, no stream shows what it is.
    fn body(&mut self, kept: &Kept) {
        let Some(flow_id) = kept.flow_id.filter(|flow_id| self.subject.has_flow(*flow_id)) else { return };
        if !matches!(kept.source.as_str(), "http" | "http2") || kept.filename.is_some() {
            return;
        }
        let bytes = kept.bytes.get(..kept.bytes.len().min(self.options.stream_bytes)).unwrap_or_default();
        self.scanned += bytes.len() as u64;
        let dir = if kept.is_upload { Dir::Orig } else { Dir::Resp };
        let moment = (kept.frame, kept.ts);
        let found: Vec<Find> = carve(bytes, self.subject.verbose)
            .into_iter()
            .map(|found| {
                let content = self.content(bytes, &found);
                (Hit::of(&found, content, flow_id, (Within::Body, dir), 0, kept.ends, [moment; 2]), content.to_vec(), false)
            })
            .collect();
        if self.held.contains_key(&flow_id) {
            self.bodies.entry(flow_id).or_default().extend(found);
        } else {
            self.take_new(found);
        }
    }

    /// Saves what was not found in the same direction of the same flow before.
    fn take_new(&mut self, found: Vec<Find>) {
        for (hit, content, gap) in found {
            let is_known = self.hits.iter().rev().any(|known| (known.flow_id, known.dir, &known.hash) == (hit.flow_id, hit.dir, &hit.hash));
            if !is_known {
                self.take(vec![(hit, content, gap)]);
            }
        }
    }

    /// The bytes of what was found, as many as the limit allows where its end was not.
    fn content<'b>(&self, bytes: &'b [u8], found: &Carved) -> &'b [u8] {
        let length = if found.extent.complete { found.extent.length } else { found.extent.length.min(self.options.max_bytes) };
        bytes.get(found.start..found.start.saturating_add(length)).unwrap_or_default()
    }

    /// Saves what was found, in order of time, as far as the limits allow.
    fn take(&mut self, mut found: Vec<Find>) {
        found.sort_by_key(|(hit, ..)| (hit.ts, hit.frame, hit.offset));
        for (mut hit, content, ends_in_gap) in found {
            hit.outcome = self.save(&hit, &content, ends_in_gap);
            if hit.is_taken() {
                let common = Common {
                    frame: hit.done.0,
                    ts: Some(hit.done.1),
                    flow_id: Some(hit.flow_id),
                    src_ip: hit.src,
                    dst_ip: hit.dst,
                    src_port: hit.ports[0],
                    dst_port: hit.ports[1],
                    ..Common::default()
                };
                self.rows.add(&common, &content, hit.dir == Dir::Orig, (hit.within == Within::Stream).then_some(hit.offset), hit.complete);
            }
            if let Err(error) = &hit.outcome
                && error.starts_with(WRITE_ERROR)
            {
                self.done.faults.push(format!("{} at byte {} of stream {}: {error}", hit.format.name, hit.offset, hit.flow_id));
            }
            self.hits.push(hit);
        }
    }

    /// The files in what is held of a direction.
    fn look(&mut self, heard: &Heard, layer: HeardLayer, dir: Dir, gap: bool) -> Vec<Find> {
        let of_flow = self.held.get_mut(&heard.flow_id).into_iter().flatten();
        let Some((.., held)) = of_flow.into_iter().find(|(of_layer, of_dir, _)| (*of_layer, *of_dir) == (layer, dir)) else { return Vec::new() };
        let (bytes, pieces, start) = (std::mem::take(&mut held.bytes), std::mem::take(&mut held.pieces), held.start);
        held.start += bytes.len() as u64;
        self.held_bytes -= bytes.len();
        let ends = [heard.ends[dir.index()], heard.ends[dir.reverse().index()]];
        let moment_of = |at: usize| {
            let at = pieces.partition_point(|(start, ..)| *start <= at).saturating_sub(1);
            pieces.get(at).map_or((heard.moment.frame, heard.moment.ts), |(_, frame, ts)| (*frame, *ts))
        };
        let within = match layer {
            HeardLayer::Wire => Within::Stream,
            HeardLayer::Opened(protocol, _) => Within::Opened(protocol),
        };
        let hits = carve(&bytes, self.subject.verbose).into_iter().map(|found| {
            let content = self.content(&bytes, &found);
            let moments = [moment_of(found.start), moment_of(found.start + content.len().saturating_sub(1))];
            let hit = Hit::of(&found, content, heard.flow_id, (within, dir), start, ends, moments);
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
            return Err(format!("{DUPLICATE} {twin}"));
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
            "within": hit.within.name(),
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

/// What carving one capture gave.
pub struct Part {
    /// Name of the capture.
    capture: String,
    streams: usize,
    scanned: u64,
    hits: Vec<Hit>,
    findings: RecordBatch,
    /// The files, as rows of the table of files.
    pub rows: Option<RecordBatch>,
}

/// Carves a capture.
pub async fn carve_capture(subject: &Subject<'_>, catalog: &Catalog, options: &Options, done: &mut Done) -> Result<Part, String> {
    super::unchanged(subject.capture)?;
    let mut carving = Carving {
        options,
        subject,
        done,
        held: HashMap::new(),
        held_bytes: 0,
        bodies: HashMap::new(),
        streams: BTreeSet::new(),
        scanned: 0,
        hits: Vec::new(),
        rows: FileRows::default(),
    };
    evidence::contents(&subject.capture.path, &Share::All, subject.keys.as_ref(), |told| carving.told(&told)).map_err(|error| error.to_string())?;
    let Carving { streams, scanned, mut hits, rows, .. } = carving;
    hits.sort_by_key(|hit| (hit.ts, hit.frame, hit.offset));
    let taken = hits.iter().filter(|hit| hit.outcome.is_ok()).count();
    log::carve(taken, hits.len() - taken, &options.directory);
    let (capture, id) = (subject.capture.name.clone(), &subject.capture.manifest.capture_id);
    let rows = rows.finish(&capture, id);
    let findings = findings(subject, catalog, &hits).await?;
    Ok(Part { capture, streams: streams.len(), scanned, hits, findings, rows })
}

/// The report on some captures; `merged` if they are taken as one.
pub fn report_on(parts: &[&Part], options: &Options, subject: String, merged: bool, verbose: bool) -> Report {
    let hits = || parts.iter().flat_map(|part| part.hits.iter().map(|hit| (part.capture.as_str(), hit)));
    // The same content in several captures is one file, whose captures are told.
    let (taken, mut skipped): (Vec<_>, Vec<_>) = hits().partition(|(_, hit)| hit.outcome.is_ok());
    let captures_of = |hash: &str| {
        let names: BTreeSet<&str> = hits().filter(|(_, hit)| hit.hash == hash && hit.is_taken()).map(|(capture, _)| capture).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    if merged {
        skipped.retain(|(_, hit)| !hit.is_taken());
    }
    let mut told = vec![
        ("Streams", thousands(&parts.iter().map(|part| part.streams).sum::<usize>().to_string())),
        ("Scanned Bytes", thousands(&parts.iter().map(|part| part.scanned).sum::<u64>().to_string())),
        ("Hits", hits().count().to_string()),
        ("Extracted", taken.len().to_string()),
        ("Skipped", skipped.len().to_string()),
    ];
    if !taken.is_empty() {
        told.push(("Directory", options.directory.display().to_string()));
    }
    let digits = if verbose { 64 } else { 12 };
    let ip = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string());
    let is_deep = hits().any(|(_, hit)| hit.within != Within::Stream);
    let mut sections = vec![facts(told)];
    if !taken.is_empty() {
        let mut files = Rows::default()
            .number("Stream", taken.iter().map(|(_, hit)| hit.flow_id))
            .text("Dir", taken.iter().map(|(_, hit)| side(hit.dir).to_owned()));
        if is_deep {
            files = files.text("Within", taken.iter().map(|(_, hit)| hit.within.name().to_owned()));
        }
        files = files
            .number("Offset", taken.iter().map(|(_, hit)| hit.offset))
            .text("Type", taken.iter().map(|(_, hit)| hit.format.name.to_owned()))
            .number("Length", taken.iter().map(|(_, hit)| hit.length as u64))
            .flag("Complete", taken.iter().map(|(_, hit)| hit.complete))
            .text("Src", taken.iter().map(|(_, hit)| ip(hit.src)))
            .text("Dst", taken.iter().map(|(_, hit)| ip(hit.dst)))
            .text("SHA256", taken.iter().map(|(_, hit)| hit.hash.get(..digits).unwrap_or_default().to_owned()))
            .text("Saved As", taken.iter().map(|(_, hit)| hit.outcome.clone().unwrap_or_default()));
        if merged {
            files = files.text("Captures", taken.iter().map(|(_, hit)| captures_of(&hit.hash)));
        }
        sections.push(files.section("Carved Files", Shape::Table, Some(ROWS)));
    }
    if !skipped.is_empty() {
        let mut reasons = Rows::default();
        if merged {
            reasons = reasons.text("PCAP", skipped.iter().map(|(capture, _)| (*capture).to_owned()));
        }
        let reasons = reasons
            .number("Stream", skipped.iter().map(|(_, hit)| hit.flow_id))
            .number("Offset", skipped.iter().map(|(_, hit)| hit.offset))
            .text("Type", skipped.iter().map(|(_, hit)| hit.format.name.to_owned()))
            .text("Reason", skipped.iter().map(|(_, hit)| hit.outcome.clone().err().unwrap_or_default()));
        sections.push(reasons.section("Skipped", Shape::Table, Some(ROWS)));
    }
    let all: Vec<&RecordBatch> = parts.iter().map(|part| &part.findings).collect();
    let findings = concat_batches(&run::findings_schema(), all).unwrap_or_else(|_| super::empty_findings());
    report("carve", "STREAM CARVING", subject, sections, findings)
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
async fn findings(subject: &Subject<'_>, catalog: &Catalog, hits: &[Hit]) -> Result<RecordBatch, String> {
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
