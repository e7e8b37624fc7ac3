//! `--baseline-save`, `--baseline-compare`: what is normal here, and what changed since.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pcapper_queries::baseline::{self, Baseline};
use pcapper_queries::catalog::Catalog;

use crate::arguments::Given;
use crate::case::Case;
use crate::export::file::Files;
use crate::render::{self, Output};
use crate::select::complain;

/// What was asked about baselines.
#[derive(Debug, Default)]
pub struct Options {
    /// Read before any capture is opened.
    pub compare: Option<Baseline>,
    pub save: Option<PathBuf>,
}

/// Reads the options, and the baseline to compare with. A relative path lies in the case, if there is one.
pub fn options(given: &Given, case: Option<&Case>) -> Result<Options, String> {
    let compare = given.text("baseline-compare").map(|path| baseline::load(path.as_ref())).transpose()?;
    let save = given.text("baseline-save").map(|path| case.map_or_else(|| PathBuf::from(path), |case| case.place(path)));
    if let Some(path) = save.as_ref().filter(|path| path.is_dir()) {
        return Err(format!("--baseline-save {}: is a directory", path.display()));
    }
    if given.switch("baseline-fast") && (compare.is_some() || save.is_some()) {
        complain("--baseline-fast: decoded captures make it needless; nothing is left out");
    }
    Ok(Options { compare, save })
}

/// Writes the captures of a catalog as a baseline.
pub async fn save(options: &Options, catalog: &Catalog, files: &Files, out: &mut Output) -> Result<(), String> {
    let Some(path) = &options.save else { return Ok(()) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or_default();
    let created_at = render::value::time(now.saturating_mul(1_000_000_000), 0);
    let snapshot = baseline::snapshot(catalog, &created_at, env!("CARGO_PKG_VERSION")).await.map_err(|error| render::sql::one_line(&error))?;
    let mut file = files.create(path)?;
    file.write_all(format!("{snapshot:#}\n").as_bytes()).map_err(|error| file.fault(&error))?;
    let bytes = file.commit()?;
    out.wrote("baseline", path, 1, bytes);
    Ok(())
}
