//! `--baseline-save`, `--baseline-compare`: what is normal here, and what changed since.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pcapper_queries::baseline::{self, Baseline};
use pcapper_queries::catalog::Catalog;

use crate::arguments::Given;
use crate::render;
use crate::select::complain;

/// What was asked about baselines.
#[derive(Debug, Default)]
pub struct Options {
    /// Read before any capture is opened.
    pub compare: Option<Baseline>,
    pub save: Option<PathBuf>,
}

/// Reads the options, and the baseline to compare with.
pub fn options(given: &Given) -> Result<Options, String> {
    let compare = given.text("baseline-compare").map(|path| baseline::load(path.as_ref())).transpose()?;
    let save = given.text("baseline-save").map(PathBuf::from);
    if let Some(path) = &save {
        let inputs = given.texts("TARGET");
        let same =
            |target: &String| std::fs::canonicalize(target).ok().is_some_and(|target| std::fs::canonicalize(path).is_ok_and(|path| path == target));
        if inputs.iter().any(same) {
            return Err(format!("--baseline-save {}: that is one of the captures", path.display()));
        }
        if path.is_dir() {
            return Err(format!("--baseline-save {}: is a directory", path.display()));
        }
    }
    if given.switch("baseline-fast") {
        complain("--baseline-fast: decoded captures make it needless; nothing is left out");
    }
    Ok(Options { compare, save })
}

/// Writes the captures of a catalog as a baseline.
pub async fn save(options: &Options, catalog: &Catalog) -> Result<(), String> {
    let Some(path) = &options.save else { return Ok(()) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or_default();
    let created_at = render::value::time(now.saturating_mul(1_000_000_000), 0);
    let snapshot = baseline::snapshot(catalog, &created_at, env!("CARGO_PKG_VERSION")).await.map_err(|error| render::sql::one_line(&error))?;
    render::write_whole(path, format!("{snapshot:#}\n").as_bytes())
}
