//! From targets to captures in the lake.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use arrow::array::RecordBatch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pcapper_ingest::capture::targets::{self, ProblemKind, Target};
use pcapper_ingest::lake::upkeep::{self, InUse};
use pcapper_ingest::lake::{IngestError, Ingested, Options, Spool, ingest, spool};
use pcapper_queries::catalog::Selected;
use pcapper_schema::lake::{Manifest, capture_id, capture_ids, captures};
use tracing::info;

use crate::arguments::Arguments;
use crate::export;
use crate::export::file::{reason, without_number};
use crate::log;
use crate::render::escape;
use crate::status::Status;

/// What the user's cache may hold unless the settings (`[lake] max_bytes`, `PCAPPER_LAKE_MAX_BYTES`) say otherwise. A lake that was chosen by name has no limit.
const CACHE_BYTES: u64 = 20_000_000_000;

/// The captures to ask, and where they lie.
pub struct Selection {
    pub lake: PathBuf,
    pub captures: Vec<Selected>,
    /// All that was named or found, in the order of the run.
    pub inputs: Vec<Input>,
    /// Captures that were named and could not be read: name and reason.
    pub skipped: Vec<(String, String)>,
    pub status: Status,
    /// Files carved out of captures, by the captures' places: rows of the table of files.
    pub carved: Vec<(usize, RecordBatch)>,
    /// While the run reads, no other takes captures out of the lake.
    in_use: Option<InUse>,
    /// Size that the lake is held to when the run is done with it.
    max_bytes: Option<u64>,
    /// A lake of this run alone goes when the run ends; so does what standard input brought.
    _throw_away: Option<ThrowAway>,
    _spools: Vec<Spool>,
}

/// Something that was named or found, and what became of it.
pub struct Input {
    /// As shown to the user.
    pub shown: String,
    /// Where it lies, links resolved; `None` for standard input, and for what is not there.
    pub place: Option<PathBuf>,
    pub size_bytes: Option<u64>,
    pub modified: Option<SystemTime>,
    /// Its manifest, or why it could not be read.
    pub outcome: Result<Manifest, String>,
}

impl Input {
    /// A capture as it lies there now.
    fn of(target: &Target) -> Self {
        let place = std::fs::canonicalize(&target.path).ok().filter(|_| !target.is_stdin());
        let metadata = place.as_ref().and_then(|place| std::fs::metadata(place).ok()).filter(std::fs::Metadata::is_file);
        Self {
            shown: target.shown.clone(),
            place,
            size_bytes: metadata.as_ref().map(std::fs::Metadata::len),
            modified: metadata.and_then(|metadata| metadata.modified().ok()),
            outcome: Err("not read".to_owned()),
        }
    }
}

/// Where decoded captures are kept.
pub struct Place {
    pub path: PathBuf,
    /// Size that the place is held to, if any.
    max_bytes: Option<u64>,
    throw_away: Option<ThrowAway>,
}

struct ThrowAway(PathBuf);

impl Drop for ThrowAway {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Selection {
    /// Holds the lake to its size, where one is set: nothing is read from it any more. Where that fails, the answers are none
    /// the worse.
    pub fn done_reading(&mut self, verbose: bool) {
        let (Some(in_use), Some(max_bytes)) = (self.in_use.take(), self.max_bytes) else { return };
        let own: BTreeSet<String> = self.captures.iter().map(|capture| capture.manifest.capture_id.clone()).collect();
        match upkeep::hold_to(&self.lake, max_bytes, &own, in_use) {
            Ok(gone) if gone > 0 && verbose => complain(&format!("{gone} captures were taken out of the lake, which may hold {max_bytes} bytes")),
            Ok(_) => {}
            Err(error) => complain(&format!("{}: the lake is larger than it may be: {}", self.lake.display(), reason(&error))),
        }
    }

    /// Captures of different content.
    pub fn distinct(&self) -> usize {
        self.captures.iter().map(|capture| &capture.manifest.capture_id).collect::<std::collections::HashSet<_>>().len()
    }
}

/// Finds the captures, sees that what the run will write can be written, and brings the captures into the lake.
pub fn select(arguments: &Arguments) -> Result<Selection, String> {
    let place = lake(arguments)?;
    if arguments.targets.is_empty() {
        export::check(&arguments.exports, &arguments.side_files(), &[])?;
        return Ok(whole_lake(place));
    }
    let Place { path: lake, max_bytes, throw_away } = place;
    let found = targets::find(&arguments.targets, &targets::Options { recursive: arguments.recursive });
    let in_use = (!found.captures.is_empty()).then(|| upkeep::read_lock(&lake));
    let mut inputs: Vec<Input> = found.captures.iter().map(Input::of).collect();
    let places: Vec<(PathBuf, String)> =
        found.captures.iter().zip(&inputs).filter_map(|(target, input)| Some((input.place.clone()?, name(target)))).collect();
    export::check(&arguments.exports, &arguments.side_files(), &places)?;
    let mut status = Status::Done;
    let mut skipped = Vec::new();
    let total = found.captures.len() as u64;
    for problem in &found.problems {
        tell(&format!("{}: {}", problem.shown, problem.message));
        pcap_error(&problem.shown, None, total, &problem.message, None);
        skipped.push((problem.shown.clone(), problem.message.clone()));
        let outcome = Err(problem.message.clone());
        inputs.push(Input { shown: problem.shown.clone(), place: None, size_bytes: None, modified: None, outcome });
        if !matches!(problem.kind, ProblemKind::Skipped) {
            status = status.worse(Status::Partly);
        }
    }
    if arguments.verbose && found.passed_over > 0 {
        complain(&format!("{} files that are no captures were passed over", found.passed_over));
    }
    let bar = progress_bar(arguments);
    let threads = std::env::var("PCAPPER_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(0);
    let (mut captures, mut decoded): (Vec<Selected>, bool) = (Vec::new(), false);
    let mut spools = Vec::new();
    for ((index, target), input) in (1..).zip(&found.captures).zip(&mut inputs) {
        bar.set_message(escape::text(&target.shown));
        info!(name: "pcap_start", target: log::TARGET, path = target.shown, index, total);
        let began = Instant::now();
        let spooled;
        let kept = if target.is_passing() {
            // It can be read once, and may be needed as often as any capture.
            spool(target, &lake).map(|(kept, guard)| {
                spools.push(guard);
                kept
            })
        } else {
            Ok(target.clone())
        };
        let (target, ingested) = match kept {
            Ok(kept) => {
                spooled = kept;
                (&spooled, ingest(&spooled, &lake, Options { threads, keys: &arguments.decrypt.keys }, &|bytes| bar.set_position(bytes)))
            }
            Err(error) => (target, Err(error)),
        };
        match ingested {
            Ok(Ingested { manifest, cached }) => {
                for fault in &manifest.faults {
                    bar.suspend(|| tell(&format!("{}: {fault}", target.shown)));
                    pcap_error(&target.shown, Some(index), total, &fault.detail, Some(fault.offset));
                    status = status.worse(Status::Partly);
                }
                let summaries = log::list(arguments.summaries());
                info!(name: "pcap_end", target: log::TARGET, path = target.shown, index, total, summaries = ?summaries, capture_id = manifest.capture_id,
                    packets = manifest.packets, bytes = manifest.wire_bytes, cached, duration_ms = log::millis(began.elapsed()), truncated = manifest.truncated);
                decoded |= !cached;
                input.outcome = Ok(manifest.clone());
                captures.push(Selected {
                    manifest,
                    name: name(target),
                    shown: Some(target.shown.clone()),
                    path: target.path.clone(),
                    narrowed: None,
                });
            }
            Err(error @ IngestError::Interrupted) => {
                input.outcome = Err(error.to_string());
                status = status.worse(Status::Interrupted);
                break;
            }
            Err(error) => {
                let reason = without_number(&error.to_string());
                bar.suspend(|| tell(&format!("{}: {reason}", target.shown)));
                pcap_error(&target.shown, Some(index), total, &reason, None);
                input.outcome = Err(reason.clone());
                skipped.push((target.shown.clone(), reason));
                status = status.worse(Status::Partly);
            }
        }
    }
    bar.finish_and_clear();
    if captures.is_empty() && status != Status::Interrupted {
        if found.problems.is_empty() && found.captures.is_empty() {
            complain("no capture among the targets");
        }
        status = Status::NothingDone;
    }
    if max_bytes.is_some() {
        upkeep::mark_used(&lake, captures.iter().map(|capture| capture.manifest.capture_id.as_str()));
    }
    let max_bytes = max_bytes.filter(|_| decoded || in_use.as_ref().is_some_and(InUse::is_overdue));
    Ok(Selection { lake, captures, inputs, skipped, status, carved: Vec::new(), in_use, max_bytes, _throw_away: throw_away, _spools: spools })
}

/// The name a capture is reported under.
fn name(target: &Target) -> String {
    escape::text(&target.name())
}

/// `pcap_error`: something that cannot be read, or a stretch of it. `index` is missing for what is no capture.
fn pcap_error(path: &str, index: Option<u64>, total: u64, reason: &str, offset: Option<u64>) {
    info!(name: "pcap_error", target: log::TARGET, path, index = ?log::or_null(index), total, reason, offset = ?log::or_null(offset));
}

/// One line on stderr, and in the log.
pub fn complain(message: &str) {
    tell(message);
    log::warning(message, None);
}

/// One line on stderr. Where that is closed or full nobody can be told.
pub fn tell(message: &str) {
    let _ = writeln!(std::io::stderr(), "pcapper: {}", escape::text(&without_number(message)));
}

/// A line on stderr while a terminal watches.
fn progress_bar(arguments: &Arguments) -> ProgressBar {
    if arguments.no_status || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{spinner} decoding {wide_msg} {bytes} {bytes_per_sec}") {
        bar.set_style(style);
    }
    bar
}

impl Place {
    /// A run that is about the place itself and asks no capture.
    pub fn alone(self) -> Selection {
        let (captures, inputs, skipped) = (Vec::new(), Vec::new(), Vec::new());
        Selection {
            lake: self.path,
            captures,
            inputs,
            skipped,
            status: Status::Done,
            carved: Vec::new(),
            in_use: None,
            max_bytes: None,
            _throw_away: self.throw_away,
            _spools: Vec::new(),
        }
    }
}

/// All captures of a lake that was named, where no target was.
fn whole_lake(place: Place) -> Selection {
    // One that is not there is not made.
    let in_use = place.path.is_dir().then(|| upkeep::read_lock(&place.path));
    let there = capture_ids(&place.path).len();
    let manifests = captures(&place.path);
    let readable = manifests.len();
    // What was decoded with keys holds all that was decoded without: no capture is counted twice for it.
    let plain = |manifest: &Manifest| manifest.capture_id == capture_id(&manifest.sha256, None);
    let opened: BTreeSet<String> = manifests.iter().filter(|manifest| !plain(manifest)).map(|manifest| manifest.sha256.clone()).collect();
    let kept = manifests.into_iter().filter(|manifest| !plain(manifest) || !opened.contains(&manifest.sha256));
    // Where the captures lie now is not known.
    let captures: Vec<Selected> =
        kept.map(|manifest| Selected { name: manifest.capture.clone(), shown: None, path: PathBuf::new(), manifest, narrowed: None }).collect();
    let mut status = Status::Done;
    if captures.is_empty() {
        complain(&format!("{}: no capture in this lake (pcapper --lake DIR lake add TARGET...)", place.path.display()));
        status = Status::NothingDone;
    } else if readable < there {
        let left_out = there - readable;
        complain(&format!("{left_out} captures of the lake were decoded by another version and are left out (lake list names them)"));
        status = Status::Partly;
    }
    let input = |capture: &Selected| Input {
        shown: capture.name.clone(),
        place: None,
        size_bytes: Some(capture.manifest.file_size_bytes),
        modified: None,
        outcome: Ok(capture.manifest.clone()),
    };
    let inputs = captures.iter().map(input).collect();
    Selection {
        lake: place.path,
        captures,
        inputs,
        skipped: Vec::new(),
        status,
        carved: Vec::new(),
        in_use,
        max_bytes: None,
        _throw_away: place.throw_away,
        _spools: Vec::new(),
    }
}

/// Where decoded captures are kept: a place of this run alone, or one that stays.
pub fn lake(arguments: &Arguments) -> Result<Place, String> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if arguments.no_cache {
        let path = std::env::temp_dir().join(format!("pcapper-{}", std::process::id()));
        return Ok(Place { path: path.clone(), max_bytes: None, throw_away: Some(ThrowAway(path)) });
    }
    let is_chosen = arguments.lake.is_some() || named("PCAPPER_LAKE").is_some();
    let limit = arguments.max_bytes.or((!is_chosen).then_some(CACHE_BYTES)).filter(|&bytes| bytes > 0);
    Ok(Place { path: place(arguments.lake.as_deref())?, max_bytes: limit, throw_away: None })
}

/// Where decoded captures stay: the option, the environment, else the user's cache folder (XDG).
pub fn place(option: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(lake) = option {
        return Ok(lake.to_owned());
    }
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(lake) = named("PCAPPER_LAKE") {
        return Ok(lake);
    }
    let cache = named("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| named("HOME").map(|home| home.join(".cache")));
    let cache = cache.ok_or("no place to keep decoded captures: set HOME, or name one with --lake DIR")?;
    Ok(cache.join("pcapper/lake"))
}
