//! From targets to captures in the lake.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pcapper_ingest::capture::targets::{self, ProblemKind};
use pcapper_ingest::lake::{Options, ingest};
use pcapper_queries::catalog::Selected;

use crate::arguments::Arguments;
use crate::render::escape;
use crate::status::Status;

/// The captures to ask, and where they lie.
pub struct Selection {
    pub lake: PathBuf,
    pub captures: Vec<Selected>,
    /// Captures that were named and could not be read: name and reason.
    pub skipped: Vec<(String, String)>,
    pub status: Status,
    /// A lake of this run alone goes when the run ends.
    _throw_away: Option<ThrowAway>,
}

struct ThrowAway(PathBuf);

impl Drop for ThrowAway {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Selection {
    /// Captures of different content.
    pub fn distinct(&self) -> usize {
        self.captures.iter().map(|capture| &capture.manifest.capture_id).collect::<std::collections::HashSet<_>>().len()
    }
}

/// Finds the captures and brings them into the lake.
pub fn select(arguments: &Arguments) -> Result<Selection, String> {
    let (lake, throw_away) = lake(arguments)?;
    let found = targets::find(&arguments.targets, &targets::Options { recursive: arguments.recursive });
    let mut status = Status::Done;
    let mut skipped = Vec::new();
    for problem in &found.problems {
        complain(&format!("{}: {}", problem.shown, problem.message));
        skipped.push((problem.shown.clone(), problem.message.clone()));
        if !matches!(problem.kind, ProblemKind::Skipped) {
            status = status.worse(Status::Partly);
        }
    }
    if arguments.verbose && found.passed_over > 0 {
        complain(&format!("{} files that are no captures were passed over", found.passed_over));
    }
    let bar = progress_bar(arguments);
    let threads = std::env::var("PCAPPER_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(0);
    let mut captures = Vec::new();
    for target in &found.captures {
        bar.set_message(escape::text(&target.shown));
        match ingest(target, &lake, Options { threads }, &|bytes| bar.set_position(bytes)) {
            Ok(manifest) => {
                for fault in &manifest.faults {
                    bar.suspend(|| complain(&format!("{}: {fault}", target.shown)));
                    status = status.worse(Status::Partly);
                }
                let name = target
                    .path
                    .file_name()
                    .filter(|_| !target.is_stdin())
                    .map_or_else(|| "stdin".to_owned(), |name| name.to_string_lossy().into_owned());
                captures.push(Selected { manifest, name });
            }
            Err(error) => {
                bar.suspend(|| complain(&format!("{}: {error}", target.shown)));
                skipped.push((target.shown.clone(), error.to_string()));
                status = status.worse(Status::Partly);
            }
        }
    }
    bar.finish_and_clear();
    if captures.is_empty() {
        if found.problems.is_empty() && found.captures.is_empty() {
            complain("no capture among the targets");
        }
        status = Status::NothingDone;
    }
    Ok(Selection { lake, captures, skipped, status, _throw_away: throw_away })
}

/// One line on stderr.
pub fn complain(message: &str) {
    eprintln!("pcapper: {}", escape::text(message));
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

/// Where decoded captures are kept: the option, the environment, else the user's cache folder (XDG).
fn lake(arguments: &Arguments) -> Result<(PathBuf, Option<ThrowAway>), String> {
    if arguments.no_cache {
        let dir = std::env::temp_dir().join(format!("pcapper-{}", std::process::id()));
        return Ok((dir.clone(), Some(ThrowAway(dir))));
    }
    if let Some(lake) = &arguments.lake {
        return Ok((lake.clone(), None));
    }
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(lake) = named("PCAPPER_LAKE") {
        return Ok((lake, None));
    }
    let cache = named("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| named("HOME").map(|home| home.join(".cache")));
    let cache = cache.ok_or("no place to keep decoded captures: set HOME, or name one with --lake DIR")?;
    Ok((Path::new(&cache).join("pcapper/lake"), None))
}
