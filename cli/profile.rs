//! `--profile` and `--profile-out`: where the time went.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pcapper_ingest::lake::DECODE;
use pcapper_ingest::profile::{ONE_IN, Stage, stages};
use serde_json::{Value, json};

use crate::arguments::Given;
use crate::export::file::Files;
use crate::render::value::{self, Place};
use crate::render::{escape, grid};

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
        pcapper_ingest::profile::turn_on();
        if options.out.is_some() {
            pcapper_queries::profile::turn_on();
        }
        Self { options: options.clone(), started: Instant::now() }
    }

    /// Tells on stderr, and in the file, where the time went.
    pub fn finish(self) -> Result<(), String> {
        let wall = self.started.elapsed();
        let rows = rows();
        // Where stderr is closed nobody can be told.
        let _ = write!(std::io::stderr(), "{}", table(&rows, wall, self.options.verbose));
        match &self.options.out {
            None => Ok(()),
            Some(path) => {
                let is_folded = path.extension().is_some_and(|suffix| suffix == "folded");
                let text = if is_folded { folded(&rows) } else { format!("{:#}\n", document(&rows, wall)) };
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
    /// Some of its calls were timed and stand for all.
    is_sampled: bool,
}

/// The stages, those of the longest time first. What decoding frames took includes what the dissectors took: that is taken
/// out, so that each moment is in one stage.
fn rows() -> Vec<Row> {
    let all = stages();
    let dissectors: Duration = all.iter().filter(|(kind, ..)| *kind == "dissector").map(|(.., stage)| stage.time).sum();
    let mut rows: Vec<Row> = all
        .into_iter()
        .filter(|(kind, ..)| *kind != "lake")
        .map(|(kind, name, mut stage)| {
            let is_decode = kind == "stage" && name == DECODE;
            if is_decode {
                stage.time = stage.time.saturating_sub(dissectors);
            }
            let name = match kind {
                _ if is_decode => "packets and flows".to_owned(),
                "stage" => name,
                kind => format!("{kind} {name}"),
            };
            Row { name, stage, is_sampled: kind == "dissector" }
        })
        .collect();
    rows.sort_by(|a, b| b.stage.time.cmp(&a.stage.time).then_with(|| a.name.cmp(&b.name)));
    rows
}

fn table(rows: &[Row], wall: Duration, verbose: bool) -> String {
    let header = ["Stage", "Time", "Calls", "Rows", "Bytes", "Rows/s"].map(str::to_owned);
    let shown = if verbose { rows.len() } else { SHOWN };
    let number = |number: u64, mark: &str| if number == 0 { "-".to_owned() } else { format!("{mark}{number}") };
    let cells: Vec<Vec<String>> = rows
        .iter()
        .take(shown)
        .map(|row| {
            let (stage, mark) = (row.stage, if row.is_sampled { "~" } else { "" });
            let seconds = stage.time.as_secs_f64();
            let rate = if stage.rows == 0 || seconds <= 0.0 { "-".to_owned() } else { format!("{:.0}", stage.rows as f64 / seconds) };
            let time = format!("{mark}{:.3} s", seconds);
            let bytes = if stage.bytes == 0 { "-".to_owned() } else { format!("{mark}{}", value::bytes(stage.bytes as f64, Place::Cell)) };
            vec![escape::text(&row.name), time, number(stage.calls, mark), number(stage.rows, mark), bytes, rate]
        })
        .collect();
    let mut text = String::from("Profile (time over all threads");
    if rows.iter().any(|row| row.is_sampled) {
        text.push_str(&format!("; ~ from one call in {ONE_IN}"));
    }
    text.push_str(")\n");
    for line in grid::grid(&header, &cells, |_, _, _| None) {
        text.push_str(&line);
        text.push('\n');
    }
    if rows.len() > shown {
        text.push_str(&format!("({} more rows; -v shows all)\n", rows.len() - shown));
    }
    let mut facts = vec![format!("wall time {:.3} s", wall.as_secs_f64())];
    facts.extend(processor().map(|seconds| format!("processor {seconds:.2} s")));
    facts.extend(peak_memory().map(|bytes| format!("peak memory {}", value::bytes(bytes as f64, Place::Cell))));
    let (decoded, known) = captures();
    facts.push(format!("captures decoded {decoded}, in the lake already {known}"));
    text.push_str(&facts.join(", "));
    text.push('\n');
    text
}

/// Captures that were decoded, and those that were in the lake.
fn captures() -> (u64, u64) {
    let all = stages();
    let count = |wanted: &str| all.iter().find(|(kind, name, _)| *kind == "lake" && name == wanted).map_or(0, |(.., stage)| stage.calls);
    (count("decoded"), count("in the lake already"))
}

/// Seconds of processor time that the process took; what the system does not tell is left out.
fn processor() -> Option<f64> {
    // Times stand in hundredths of a second, whatever the kernel's clock.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) as f64 / TICKS)
}

/// Most memory that the process held, in bytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

fn document(rows: &[Row], wall: Duration) -> Value {
    let stage = |row: &Row| {
        json!({
            "stage": row.name, "seconds": row.stage.time.as_secs_f64(), "calls": row.stage.calls, "rows": row.stage.rows,
            "bytes": row.stage.bytes, "sampled": row.is_sampled,
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
        "wall_s": wall.as_secs_f64(),
        "processor_s": processor(),
        "peak_memory_bytes": peak_memory(),
        "captures": {"decoded": decoded, "in_lake": known},
        "stages": rows.iter().map(stage).collect::<Vec<_>>(),
        "queries": pcapper_queries::profile::queries().into_iter().map(query).collect::<Vec<_>>(),
    })
}

/// Collapsed stacks, as flame graphs take them, in microseconds.
fn folded(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let name = row.name.replace([';', '\n'], " ");
        let under = if row.is_sampled { "packets and flows;" } else { "" };
        format!("pcapper;{under}{name} {}\n", row.stage.time.as_micros())
    };
    rows.iter().map(line).collect()
}
