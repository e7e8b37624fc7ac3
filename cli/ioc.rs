//! `--ioc-file`: the analyst's indicators, loaded before any capture is opened and matched in each.

use pcapper_queries::catalog::Catalog;
use pcapper_queries::ioc::{self, Loaded};

use crate::arguments::Given;
use crate::render;
use crate::select::complain;

/// Rejected lines that are told one by one.
const NAMED: usize = 3;

/// The indicators of a run; `None` where no file was named.
pub fn options(given: &Given) -> Result<Option<Loaded>, String> {
    let files = given.texts("ioc-file");
    if files.is_empty() {
        return if given.switch("ioc") { Err("--ioc needs --ioc-file PATH".to_owned()) } else { Ok(None) };
    }
    let loaded = ioc::load(&files)?;
    for (what, lines) in [("not understood", &loaded.rejected), ("a poor indicator", &loaded.notes)] {
        for line in lines.iter().take(NAMED) {
            complain(&format!("--ioc-file: {what}: {line}"));
        }
        if lines.len() > NAMED {
            complain(&format!("--ioc-file: {what}: {} more", lines.len() - NAMED));
        }
    }
    if loaded.ignored > 0 {
        complain(&format!("--ioc-file: {} entries of kinds that no capture shows were left out", loaded.ignored));
    }
    Ok(Some(loaded))
}

/// Makes the indicators known to a catalog.
pub async fn bring(loaded: &Loaded, catalog: &Catalog) -> Result<(), String> {
    ioc::bring(loaded, catalog).await.map_err(|error| render::sql::one_line(&error))
}
