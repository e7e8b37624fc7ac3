//! Evidence: what is read back from the captures themselves. Packets, searches, conversations, files, carving, and frames
//! written out.

mod carve;
mod dump;
mod files;
mod follow;
mod packet;
mod rows;
mod save;
mod search;
mod write_pcap;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use pcapper_ingest::decrypt::Keyring;
use pcapper_ingest::evidence;
use pcapper_queries::DataFusionError;
use pcapper_queries::catalog::{Catalog, Selected, View};
use pcapper_queries::functions::payloads::{Reader, Take};
use pcapper_queries::report::{Report, Section, no_rows};
use pcapper_queries::run;

use crate::arguments::Given;
use crate::case::Case;
use crate::decrypt;
use crate::interrupt;
use crate::render::{Output, Written};
use crate::select::complain;
use crate::status::Status;

use follow::Which;
pub use write_pcap::Frames;

/// The options.
#[derive(Clone, Default, Debug)]
pub struct Options {
    packet: Option<u64>,
    raw: bool,
    search: Option<search::Options>,
    follow: Option<Which>,
    lookup: Option<Which>,
    /// Every stream is listed.
    pub all_streams: bool,
    extract: Option<String>,
    view: Option<String>,
    /// Where extracted files go.
    files: PathBuf,
    carve: Option<carve::Options>,
    /// Where the frames behind the answer are written.
    pub write_pcap: Option<PathBuf>,
}

/// Longest name of a file that is written, bytes.
const LONGEST_NAME: usize = 120;

/// Options that show something of their own, and so go with no query.
const SHOWING: [&str; 7] = ["packet", "search", "follow", "follow-id", "lookup-stream-id", "extract", "view"];

/// Reads the options; what is wrong with them is found before any capture is opened.
pub fn options(given: &Given, case: Option<&Case>) -> Result<Options, String> {
    if given.has("sql")
        && let Some(other) = SHOWING.into_iter().find(|name| given.has(name))
    {
        return Err(format!("--{other} does not go with --sql; run it by itself"));
    }
    let packet = match given.text("packet") {
        Some(text) => {
            let number = text.parse().ok().filter(|number: &u64| *number >= 1);
            Some(number.ok_or_else(|| format!("--packet {text}: a packet's number is needed, counted from 1"))?)
        }
        None => None,
    };
    let search = match given.text("search") {
        Some("") => return Err("--search needs a text to find".to_owned()),
        Some(text) => Some(search::Options { text: text.to_owned(), exact: given.switch("case") }),
        None if given.has("case") => return Err("-case belongs to --search: there is none".to_owned()),
        None => None,
    };
    let follow = match (given.text("follow"), given.text("follow-id")) {
        (Some(_), Some(_)) => return Err("--follow and --follow-id name the same thing in two ways; one will do".to_owned()),
        (Some(flow), None) => Some(Which::flow(flow)?),
        (None, Some(id)) => Some(Which::id("follow-id", id)?),
        (None, None) => None,
    };
    let lookup = given.text("lookup-stream-id").map(|id| Which::id("lookup-stream-id", id)).transpose()?;
    let (extract, view) = (given.text("extract").map(str::to_owned), given.text("view").map(str::to_owned));
    for (name, value) in [("extract", &extract), ("view", &view)] {
        if value.as_deref() == Some("") {
            return Err(format!("--{name} needs a part of a file's name, or * for all"));
        }
    }
    // A default in the configuration file is for runs that have a use for it.
    let is_one = [packet.is_some(), follow.is_some(), view.is_some()].iter().filter(|asked| **asked).count() == 1;
    let raw = given.switch("raw") && (is_one || given.has("raw"));
    if raw {
        if !is_one {
            return Err("-raw belongs to one of --packet, --follow, --follow-id and --view".to_owned());
        }
        if std::io::stdout().is_terminal() {
            return Err("-raw writes bytes that could steer the terminal: send them to a file or a program".to_owned());
        }
    }
    let all_streams = given.switch("streams-full");
    let write_pcap = given.text("write-pcap").map(|path| place(path, case));
    let files = place("files", case);
    Ok(Options { packet, raw, search, follow, lookup, all_streams, extract, view, files, carve: carve::options(given, case)?, write_pcap })
}

impl Options {
    /// Something is shown that no analyzer shows.
    pub fn shows(&self) -> bool {
        self.packet.is_some()
            || self.search.is_some()
            || self.follow.is_some()
            || self.lookup.is_some()
            || self.extract.is_some()
            || self.view.is_some()
            || self.carve.is_some()
    }

    /// What conversations carry is asked for.
    fn reads_content(&self) -> bool {
        self.search.is_some() || self.follow.is_some() || self.extract.is_some() || self.view.is_some()
    }

    /// Only bytes are written to standard output.
    pub fn is_raw(&self) -> bool {
        self.raw
    }

    /// Analyzers that go with what is asked.
    pub fn implied(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        if self.follow.is_some() || self.lookup.is_some() || self.all_streams {
            names.push("streams");
        }
        if self.extract.is_some() || self.view.is_some() {
            names.push("files");
        }
        names
    }
}

/// The capture at hand.
pub struct Subject<'s> {
    pub capture: &'s Selected,
    pub verbose: bool,
    /// Keys that open what it carries, those in it included.
    pub keys: Option<Arc<Keyring>>,
}

impl Subject<'_> {
    /// The frame is among those that the run looks at.
    fn has_frame(&self, frame: u64) -> bool {
        self.capture.narrowed.as_ref().is_none_or(|narrowed| narrowed.contains(frame))
    }

    /// A frame of the flow is among those that the run looks at.
    fn has_flow(&self, flow_id: u64) -> bool {
        self.capture.narrowed.as_ref().is_none_or(|narrowed| narrowed.contains_flow(flow_id))
    }
}

/// What was found over all captures of the run.
#[derive(Default)]
pub struct Found {
    /// Captures are taken as one: what is found in each is told together.
    pub merged: bool,
    hits: Vec<search::Hits>,
    extracted: Vec<files::Extracted>,
    /// Captures that were looked at so far.
    asked: usize,
    packet_seen: bool,
    /// Captures that lack the packet.
    without_packet: Vec<String>,
    followed: bool,
    looked_up: bool,
    files_seen: usize,
    files_matched: bool,
    viewed: bool,
    /// Files that could not be written.
    faults: Vec<String>,
}

/// What was carved out of the captures of a run, each under its place in it.
#[derive(Default)]
pub struct Carvings {
    parts: Vec<(usize, carve::Part)>,
    /// The files that were written.
    pub written: Vec<Written>,
    pub status: Status,
}

impl Carvings {
    /// Carves all captures, if that is asked for: what is found are rows of the table of files for whatever else is asked. What
    /// cannot be done is told.
    pub async fn of(options: &Options, keys: &decrypt::Options, lake: &Path, captures: &[Selected], verbose: bool) -> Self {
        let mut all = Self::default();
        let Some(carve) = &options.carve else { return all };
        let mut done = carve::Done::default();
        for (at, capture) in captures.iter().enumerate() {
            let part = async {
                unchanged(capture)?;
                let open = |capture: Selected| Catalog::open(lake, vec![capture], View::default()).map_err(|error| query(&error));
                let whole = open(Selected { narrowed: None, ..capture.clone() })?;
                let subject = Subject { capture, verbose, keys: decrypt::keys_of(keys, &whole, &capture.path).await? };
                carve::carve_capture(&subject, &open(capture.clone())?, carve, &mut done).await
            };
            let part = Box::pin(part).await;
            all.written.extend(done.take_written());
            match part {
                Ok(part) => all.parts.push((at, part)),
                Err(_) if interrupt::is_asked() => {
                    all.status = Status::Interrupted;
                    return all;
                }
                Err(message) => {
                    complain(&format!("{}: {message}", capture.name));
                    all.status = Status::Partly;
                }
            }
        }
        all.status = all.status.worse(tell_faults(&done.faults));
        all
    }

    /// The rows of files, each capture's under its place.
    pub fn rows(&mut self) -> Vec<(usize, RecordBatch)> {
        self.parts.iter_mut().filter_map(|(at, part)| Some((*at, part.rows.take()?))).collect()
    }

    /// The report on one capture, by its place, or on all.
    pub fn report(&self, options: &Options, of: Option<(usize, &str)>, verbose: bool) -> Option<Report> {
        let carve = options.carve.as_ref()?;
        let parts: Vec<&carve::Part> = self.parts.iter().filter(|(at, _)| of.is_none_or(|(of, _)| of == *at)).map(|(_, part)| part).collect();
        if parts.is_empty() {
            return None;
        }
        let subject = of.map_or_else(|| format!("ALL PCAPS ({})", parts.len()), |(_, name)| name.to_owned());
        Some(carve::report_on(&parts, carve, subject, of.is_none(), verbose))
    }
}

/// Tells of files that could not be written: one full disk is told once.
fn tell_faults(faults: &[String]) -> Status {
    let Some(first) = faults.first() else { return Status::Done };
    let more = if faults.len() > 1 { format!(" (and {} more files)", faults.len() - 1) } else { String::new() };
    complain(&format!("{first}{more}"));
    Status::Partly
}

/// Answers what is asked of one capture: shows the reports, and gives them. What cannot be done is told and in the status.
pub async fn run(
    options: &Options,
    keys: &decrypt::Options,
    lake: &Path,
    mut subject: Subject<'_>,
    found: &mut Found,
    out: &mut Output,
) -> (Vec<Report>, Status) {
    let mut reports = Vec::new();
    found.asked += 1;
    match Box::pin(answer(options, keys, lake, &mut subject, found, out, &mut reports)).await {
        Ok(()) => (reports, Status::Done),
        Err(_) if interrupt::is_asked() => (reports, Status::Interrupted),
        Err(message) => {
            complain(&format!("{}: {message}", subject.capture.name));
            if found.merged && options.search.is_some() && found.hits.len() < found.asked {
                found.hits.push(search::Hits::failed(&subject.capture.name, &message));
            }
            (reports, Status::Partly)
        }
    }
}

/// The reports over all captures, where they are taken as one.
pub fn merged(options: &Options, found: &mut Found, captures: usize, verbose: bool) -> Vec<Report> {
    let subject = || format!("ALL PCAPS ({captures})");
    let mut reports = Vec::new();
    let hits = std::mem::take(&mut found.hits);
    if let Some(search) = options.search.as_ref().filter(|_| !hits.is_empty()) {
        reports.push(search::report_on(&hits, search, subject(), true));
    }
    let extracted = std::mem::take(&mut found.extracted);
    if !extracted.is_empty() {
        reports.push(files::report_on(&extracted, &options.files, subject(), true, verbose));
    }
    reports
}

async fn answer(
    options: &Options,
    keys: &decrypt::Options,
    lake: &Path,
    subject: &mut Subject<'_>,
    found: &mut Found,
    out: &mut Output,
    reports: &mut Vec<Report>,
) -> Result<(), String> {
    let open = |capture: Selected| Catalog::open(lake, vec![capture], View::default()).map_err(|error| query(&error));
    let catalog = open(subject.capture.clone())?;
    // A packet, a stream or a search's frame is found whatever narrows the run.
    let whole = open(Selected { narrowed: None, ..subject.capture.clone() })?;
    if options.reads_content() {
        unchanged(subject.capture)?;
        subject.keys = decrypt::keys_of(keys, &whole, &subject.capture.path).await?;
    }
    let subject = &*subject;
    let mut show = |report: Report, out: &mut Output| {
        out.report(&report, false);
        reports.push(report);
    };
    if let Some(number) = options.packet {
        let packets = subject.capture.manifest.packets;
        if found.merged && number > packets {
            found.without_packet.push(format!("{}: {}", subject.capture.name, packet::missing(number, packets)));
        } else if options.raw {
            out.write_out(&packet::raw(subject, &whole, number).await?);
            found.packet_seen = true;
        } else {
            show(packet::view(subject, &whole, number).await?, out);
            found.packet_seen = true;
        }
    }
    if let Some(which) = &options.lookup
        && let Some(report) = follow::lookup(subject, &whole, which).await?
    {
        found.looked_up = true;
        show(report, out);
    }
    if let Some(which) = &options.follow {
        if options.raw {
            found.followed |= follow::raw(subject, &whole, which, |bytes| out.write_out(bytes)).await?;
        } else if let Some(report) = follow::follow(subject, &whole, which).await? {
            found.followed = true;
            show(report, out);
        }
    }
    if let Some(wanted) = &options.search {
        let hits = search::search(subject, &whole, wanted).await?;
        if found.merged {
            found.hits.push(hits);
        } else {
            show(search::report_on(&[hits], wanted, subject.capture.name.clone(), false), out);
        }
    }
    for (wanted, is_view) in [(&options.extract, false), (&options.view, true)] {
        let Some(wanted) = wanted else { continue };
        let matched = files::matched(&catalog, wanted).await?;
        found.files_seen = found.files_seen.max(matched.seen());
        if matched.is_empty() {
            continue;
        }
        *(if is_view { &mut found.viewed } else { &mut found.files_matched }) = true;
        match (is_view, options.raw) {
            (true, true) => files::raw(subject, &matched, |bytes| out.write_out(bytes))?,
            (true, false) => files::view(subject, &matched)?.into_iter().for_each(|report| show(report, out)),
            (false, _) => {
                let extracted = files::extract(subject, &matched, &options.files, &mut found.faults, out)?;
                if found.merged {
                    found.extracted.push(extracted);
                } else {
                    show(files::report_on(&[extracted], &options.files, subject.capture.name.clone(), false, subject.verbose), out);
                }
            }
        }
    }
    Ok(())
}

/// Tells what no capture of the run has.
pub fn conclude(options: &Options, found: &Found) -> Status {
    let mut status = tell_faults(&found.faults);
    let mut miss = |message: String| {
        complain(&message);
        status = Status::Partly;
    };
    // Of captures taken as one, one that has the packet is enough.
    found.without_packet.iter().filter(|_| !found.packet_seen).cloned().for_each(&mut miss);
    if let Some(which) = options.follow.as_ref().filter(|_| !found.followed) {
        miss(format!("no such stream: {}", which.spelled()));
    }
    if let Some(which) = options.lookup.as_ref().filter(|_| !found.looked_up) {
        miss(format!("no such stream: {}", which.spelled()));
    }
    for (wanted, done) in [(&options.extract, found.files_matched), (&options.view, found.viewed)] {
        if let Some(wanted) = wanted.as_ref().filter(|_| !done) {
            let files = if found.files_seen == 1 { "1 file".to_owned() } else { format!("{} files", found.files_seen) };
            miss(format!("no file named like \"{wanted}\"; {files} seen"));
        }
    }
    status
}

/// What gives queries the bytes of frames.
pub fn payloads() -> Reader {
    Arc::new(|capture: &Selected, take: &mut Take<'_>| {
        unchanged(capture)?;
        evidence::each_frame(&capture.path, |meta, bytes, _| take(meta.number, evidence::payload(meta, bytes), bytes))
            .map_err(|error| error.to_string())
    })
}

/// Whether a capture is still the file that was decoded, as far as its size tells.
pub fn unchanged(capture: &Selected) -> Result<(), String> {
    if capture.path.as_os_str().is_empty() {
        return Err("the lake holds no bytes of captures: name the capture itself to read it back".to_owned());
    }
    let path = capture.path.display();
    let size = match std::fs::metadata(&capture.path) {
        Ok(metadata) => metadata.len(),
        Err(error) => return Err(format!("cannot be read back from {path}: {error}; put the capture where it was, or name it where it is")),
    };
    if size != capture.manifest.file_size_bytes {
        return Err(format!("{path} has changed since it was decoded ({size} bytes, {} then); run again", capture.manifest.file_size_bytes));
    }
    Ok(())
}

/// Where a path of the run lies: a relative one in the case, if there is one.
pub fn place(path: &str, case: Option<&Case>) -> PathBuf {
    case.map_or_else(|| PathBuf::from(path), |case| case.place(path))
}

fn report(analyzer: &str, title: &str, subject: String, sections: Vec<Section>, findings: RecordBatch) -> Report {
    Report { analyzer: analyzer.to_owned(), title: title.to_owned(), subject, sections, findings }
}

fn empty_findings() -> RecordBatch {
    no_rows(&run::findings_schema())
}

/// An error of the query engine as one line.
fn query(error: &DataFusionError) -> String {
    crate::render::sql::one_line(error)
}
