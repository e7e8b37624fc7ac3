//! `--profile` and `--profile-out`: where the time went.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pcapper_ingest::profile::{ONE_IN, Stage, stages};
use serde_json::{Value, json};

use crate::arguments::Given;
use crate::export::file::Files;
use crate::render::value::{self, Place};
use crate::render::{escape, grid};
use crate::select::Selection;

/// Stages that are shown unless all detail is asked for.
const SHOWN: usize = 40;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the profile is also written.
    pub out: Option<PathBuf>,
    verbose: bool,
}

/// The options, checked; `None` where no profile is asked for.
pub fn options(given: &Given) -> Result<Option<Options>, String> {
    if !given.switch("profile") {
        return if given.has("profile-out") { Err("--profile-out needs --profile".to_owned()) } else { Ok(None) };
    }
    let out = given.text("profile-out").map(PathBuf::from);
    if let Some(path) = &out {
        can_write(path)?;
    }
    Ok(Some(Options { out, verbose: given.switch("verbose") }))
}

/// Whether a file can be made at a path, which is left as it is.
fn can_write(path: &Path) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("--profile-out {}: cannot write: {error}", path.display());
    if path.is_dir() {
        return Err(format!("--profile-out {}: is a directory", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail)?;
    let probe = folder.join(format!(".pcapper-{}.part", std::process::id()));
    let written = std::fs::write(&probe, b"");
    let _ = std::fs::remove_file(&probe);
    written.map_err(fail)
}

/// A run that is profiled.
pub struct Profile {
    options: Options,
    started: Instant,
}

impl Profile {
    /// Starts to keep account.
    pub fn start(options: &Options) -> Self {
        pcapper_ingest::profile::turn_on(clocks::of_processor());
        if options.out.is_some() {
            pcapper_queries::profile::turn_on();
        }
        Self { options: options.clone(), started: Instant::now() }
    }

    /// Tells on stderr, and in the file, where the time went.
    pub fn finish(self, selection: Option<&Selection>) -> Result<(), String> {
        let account = Account::new(self.started.elapsed(), selection);
        // Where stderr is closed nobody can be told.
        let _ = write!(std::io::stderr(), "{}", account.table(self.options.verbose));
        match &self.options.out {
            None => Ok(()),
            Some(path) => {
                let is_folded = path.extension().is_some_and(|suffix| suffix == "folded");
                let text = if is_folded { account.folded() } else { format!("{:#}\n", account.document()) };
                let mut file = Files::default().create(path)?;
                file.write_all(text.as_bytes()).map_err(|error| file.fault(&error))?;
                file.commit().map(|_| ())
            }
        }
    }
}

/// A stage by the name it is shown under.
struct Row {
    name: String,
    stage: Stage,
    /// It is a part of the decoding.
    is_decoding: bool,
}

/// All there is to tell.
struct Account {
    /// The stages, those of the longest time first.
    rows: Vec<Row>,
    wall: Duration,
    /// Processor time of the whole run.
    cpu: Option<Duration>,
    /// Bytes of the captures asked, as they lie in the lake.
    lake_bytes: u64,
}

impl Account {
    fn new(wall: Duration, selection: Option<&Selection>) -> Self {
        let mut rows: Vec<Row> = stages()
            .into_iter()
            .filter(|(kind, ..)| *kind != "lake")
            .map(|(kind, name, stage)| {
                let is_decoding = kind == "dissector" || ["packets", "flows"].contains(&name.as_str());
                let name = if kind == "stage" { name } else { format!("{kind} {name}") };
                Row { name, stage, is_decoding }
            })
            .collect();
        rows.sort_by(|a, b| b.stage.time.cmp(&a.stage.time).then_with(|| a.name.cmp(&b.name)));
        let cpu = clocks::of_processor().map(|clocks| (clocks.process)());
        Self { rows, wall, cpu, lake_bytes: selection.map_or(0, lake_bytes) }
    }

    fn table(&self, verbose: bool) -> String {
        let header = ["Stage", "Time", "CPU", "Calls", "Rows", "Bytes", "Rows/s"].map(str::to_owned);
        let shown = if verbose { self.rows.len() } else { SHOWN };
        let number = |number: u64, mark: &str| if number == 0 { "-".to_owned() } else { format!("{mark}{number}") };
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .take(shown)
            .map(|row| {
                let (stage, mark) = (row.stage, if row.stage.is_sampled { "~" } else { "" });
                let seconds = stage.time.as_secs_f64();
                let rate = if stage.rows == 0 || seconds <= 0.0 { "-".to_owned() } else { format!("{:.0}", stage.rows as f64 / seconds) };
                let time = format!("{mark}{seconds:.3} s");
                let cpu = self.cpu.map_or_else(|| "-".to_owned(), |_| format!("{mark}{:.3} s", stage.cpu.as_secs_f64()));
                let bytes = if stage.bytes == 0 { "-".to_owned() } else { format!("{mark}{}", value::bytes(stage.bytes as f64, Place::Cell)) };
                vec![escape::text(&row.name), time, cpu, number(stage.calls, mark), number(stage.rows, mark), bytes, rate]
            })
            .collect();
        let mut text = String::from("Profile (time over all threads");
        if self.rows.iter().any(|row| row.stage.is_sampled) {
            text.push_str(&format!("; ~ from one call in {ONE_IN}"));
        }
        text.push_str(")\n");
        for line in grid::grid(&header, &cells, |_, _, _| None) {
            text.push_str(&line);
            text.push('\n');
        }
        if self.rows.len() > shown {
            text.push_str(&format!("({} more rows; -v shows all)\n", self.rows.len() - shown));
        }
        let mut facts = vec![format!("wall time {:.3} s", self.wall.as_secs_f64())];
        facts.extend(self.cpu.map(|cpu| format!("processor {:.3} s", cpu.as_secs_f64())));
        facts.extend(peak_memory().map(|bytes| format!("peak memory {}", value::bytes(bytes as f64, Place::Cell))));
        let (decoded, known) = captures();
        facts.push(format!("captures decoded {decoded}, in the lake already {known}"));
        facts.push(format!("their tables {}", value::bytes(self.lake_bytes as f64, Place::Cell)));
        text.push_str(&facts.join(", "));
        text.push('\n');
        text
    }

    fn document(&self) -> Value {
        let cpu = |cpu: Duration| self.cpu.map(|_| cpu.as_secs_f64());
        let stage = |row: &Row| {
            json!({
                "stage": row.name, "seconds": row.stage.time.as_secs_f64(), "cpu_seconds": cpu(row.stage.cpu), "calls": row.stage.calls,
                "rows": row.stage.rows, "bytes": row.stage.bytes, "sampled": row.stage.is_sampled,
            })
        };
        let query = |query: pcapper_queries::profile::Query| {
            let operators: Vec<Value> = query
                .operators
                .iter()
                .map(|operator| {
                    let metrics: serde_json::Map<String, Value> = operator.metrics.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
                    json!({"depth": operator.depth, "operator": operator.name, "metrics": metrics})
                })
                .collect();
            json!({"sql": query.sql, "seconds": query.time.as_secs_f64(), "rows": query.rows, "operators": operators})
        };
        let (decoded, known) = captures();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "wall_s": self.wall.as_secs_f64(),
            "processor_s": self.cpu.map(|cpu| cpu.as_secs_f64()),
            "peak_memory_bytes": peak_memory(),
            "captures": {"decoded": decoded, "in_lake": known},
            "lake_bytes": self.lake_bytes,
            "stages": self.rows.iter().map(stage).collect::<Vec<_>>(),
            "queries": pcapper_queries::profile::queries().into_iter().map(query).collect::<Vec<_>>(),
        })
    }

    /// Collapsed stacks, as flame graphs take them, in microseconds.
    fn folded(&self) -> String {
        let line = |row: &Row| {
            let name = row.name.replace([';', '\n'], " ");
            let under = if row.is_decoding { "decode;" } else { "" };
            format!("pcapper;{under}{name} {}\n", row.stage.time.as_micros())
        };
        self.rows.iter().map(line).collect()
    }
}

/// Bytes that the tables of the captures take in the lake.
fn lake_bytes(selection: &Selection) -> u64 {
    let ids: BTreeSet<&str> = selection.captures.iter().map(|capture| capture.manifest.capture_id.as_str()).collect();
    let files = ids.into_iter().flat_map(|id| std::fs::read_dir(selection.lake.join(id)).into_iter().flatten().flatten());
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Captures that were decoded, and those that were in the lake.
fn captures() -> (u64, u64) {
    let all = stages();
    let count = |wanted: &str| all.iter().find(|(kind, name, _)| *kind == "lake" && name == wanted).map_or(0, |(.., stage)| stage.calls);
    (count("decoded"), count("in the lake already"))
}

/// Most memory that the process held, in bytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// How long the processor worked, by the clocks of the system.
#[cfg(unix)]
mod clocks {
    use std::time::Duration;

    use pcapper_ingest::profile::Clocks;

    pub fn of_processor() -> Option<Clocks> {
        Some(Clocks { thread: || read(libc::CLOCK_THREAD_CPUTIME_ID), process: || read(libc::CLOCK_PROCESS_CPUTIME_ID) })
    }

    #[allow(unsafe_code, reason = "the standard library offers no such clock")]
    fn read(clock: libc::clockid_t) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the structure is plain data that lives for the call; where the call fails it stays zero.
        unsafe {
            libc::clock_gettime(clock, &raw mut time);
        }
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
    }
}

/// Where the system has no such clocks, the processor's time is left out.
#[cfg(not(unix))]
mod clocks {
    use pcapper_ingest::profile::Clocks;

    pub fn of_processor() -> Option<Clocks> {
        None
    }
}
