//! `--rules`: packs are read before any capture is opened, and judge before anything is shown.

use pcapper_ingest::profile;
use pcapper_queries::catalog::Catalog;
use pcapper_queries::report::Report;
use pcapper_queries::rules::{self, Pack};
use pcapper_queries::run::one_line;

use crate::arguments::{Arguments, Given};
use crate::render::escape;

/// The rules asked for; every fault of every file in an error, a line each.
pub fn options(given: &Given) -> Result<Option<Pack>, String> {
    let files = given.texts("rules");
    if files.is_empty() {
        return Ok(None);
    }
    let told = |faults: Vec<String>| faults.iter().map(|fault| escape::text(fault)).collect::<Vec<_>>().join("\n");
    rules::load(&files).map(Some).map_err(told)
}

/// Lets the rules judge the findings of the analyzers asked for, or of all: their hits become findings that all later questions
/// see. `None` where there are no rules.
pub async fn judge(arguments: &Arguments, catalog: &Catalog, subject: &str) -> Result<Option<Report>, String> {
    let Some(pack) = &arguments.rules else { return Ok(None) };
    let analyzers: Vec<String> = arguments.analyzers.iter().map(|analyzer| analyzer.name.clone()).collect();
    let analyzers = (!analyzers.is_empty()).then_some(analyzers.as_slice());
    let timer = profile::start_alone();
    let report = rules::apply(catalog, pack, analyzers, subject, arguments.verbose).await;
    timer.stop("query", rules::SOURCE, 0, 0);
    report.map(Some).map_err(|error| one_line(&error))
}
