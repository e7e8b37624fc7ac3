//! The run: captures into the lake, questions to it, answers to the renderers.

use pcapper_queries::DataFusionError;
use pcapper_queries::analyzer::{self, Analyzer};
use pcapper_queries::catalog::{Catalog, Selected, View};
use pcapper_queries::report::Report;
use pcapper_queries::{run, settings};

use std::sync::Arc;

use crate::arguments::{Arguments, OT_COMMANDS};
use crate::baseline;
use crate::export::{self, Answered, Answers};
use crate::ioc;
use crate::render::{self, Output};
use crate::select::{self, Selection, complain};
use crate::status::Status;

/// Analyzers that are about all captures together.
const CORRELATE: &str = "correlate";
const BASELINE: &str = "baseline";

/// Does what was asked; what went wrong was told on stderr and is in the status.
pub async fn answer(arguments: &Arguments, out: &mut Output) -> Status {
    let selection = match select::select(arguments) {
        Ok(selection) => selection,
        Err(message) => {
            complain(&message);
            return Status::NothingDone;
        }
    };
    if selection.captures.is_empty() {
        return selection.status;
    }
    if arguments.correlate.is_some() && selection.distinct() < 2 {
        complain("--correlate: Correlation needs at least two captures (two of different content)");
        return Status::NothingDone;
    }
    let outcome = match &arguments.sql {
        Some(query) => sql(arguments, &selection, query, out).await,
        None => reports(arguments, &selection, out).await,
    };
    match outcome {
        Ok(()) => selection.status,
        Err(message) => {
            complain(&message);
            if arguments.sql.is_some() { Status::NothingDone } else { selection.status.worse(Status::Partly) }
        }
    }
}

async fn open(arguments: &Arguments, selection: &Selection, captures: Vec<Selected>) -> Result<Catalog, String> {
    let catalog = Catalog::open(&selection.lake, captures, View { show_secrets: arguments.show_secrets }).map_err(|error| error.to_string())?;
    if let Some(loaded) = &arguments.ioc {
        ioc::bring(loaded, &catalog).await?;
    }
    let told = |error: DataFusionError| render::sql::one_line(&error);
    if let Some(minimum) = arguments.correlate {
        settings::bring(&catalog, &[("correlate_min", &minimum.to_string())]).map_err(told)?;
    }
    if let Some(rules) = &arguments.ot_rules {
        Arc::clone(rules).bring(&catalog).await.map_err(told)?;
    }
    if let Some(baseline) = &arguments.baseline.compare {
        baseline.bring(&catalog).map_err(told)?;
    }
    Ok(catalog)
}

async fn sql(arguments: &Arguments, selection: &Selection, query: &str, out: &mut Output) -> Result<(), String> {
    let catalog = open(arguments, selection, selection.captures.clone()).await?;
    let frame = catalog.sql(query).await.map_err(|error| render::sql::explained(&error))?;
    render::sql::write(arguments, frame, out).await
}

async fn reports(arguments: &Arguments, selection: &Selection, out: &mut Output) -> Result<(), String> {
    let analyzers = asked(arguments);
    let mut answers = Answers { captures: &selection.captures, answered: Vec::new(), across: Vec::new(), skipped: &selection.skipped };
    if arguments.summarize {
        let catalog = open(arguments, selection, selection.captures.clone()).await?;
        let subject = format!("ALL PCAPS ({})", selection.captures.len());
        let reports = run_all(&catalog, &analyzers, &subject, arguments, out).await?;
        answers.answered.push(Answered { capture: None, reports });
    } else {
        for capture in &selection.captures {
            let catalog = open(arguments, selection, vec![capture.clone()]).await?;
            let reports = run_all(&catalog, &analyzers, &capture.name, arguments, out).await?;
            if export::is_wanted(arguments) {
                answers.answered.push(Answered { capture: Some(capture.clone()), reports });
            }
        }
    }
    answers.across = across(arguments, selection, out).await?;
    export::write(arguments, &answers, out)
}

/// Reports that are about all captures together, whatever else was asked: what recurs, and what changed since a baseline.
async fn across(arguments: &Arguments, selection: &Selection, out: &mut Output) -> Result<Vec<Report>, String> {
    let mut names = Vec::new();
    names.extend(arguments.correlate.map(|_| CORRELATE));
    names.extend(arguments.baseline.compare.is_some().then_some(BASELINE));
    if names.is_empty() && arguments.baseline.save.is_none() {
        return Ok(Vec::new());
    }
    let catalog = open(arguments, selection, selection.captures.clone()).await?;
    let subject = match selection.captures.as_slice() {
        [one] if !arguments.summarize => one.name.clone(),
        several => format!("ALL PCAPS ({})", several.len()),
    };
    let analyzers: Vec<Analyzer> = names.iter().filter_map(|name| analyzer::built_in().into_iter().find(|analyzer| analyzer.name == *name)).collect();
    let reports = run_all(&catalog, &analyzers, &subject, arguments, out).await?;
    baseline::save(&arguments.baseline, &catalog).await?;
    Ok(reports)
}

async fn run_all(catalog: &Catalog, analyzers: &[Analyzer], subject: &str, arguments: &Arguments, out: &mut Output) -> Result<Vec<Report>, String> {
    let mut reports = Vec::with_capacity(analyzers.len());
    for analyzer in analyzers {
        let is_commands = analyzer.name == OT_COMMANDS;
        let fast;
        let subject = if is_commands && arguments.is_fast {
            fast = format!("{subject} (fast: no flow was left out, this is the whole report)");
            &fast
        } else {
            subject
        };
        let mut report = run::report(catalog, analyzer, subject, arguments.verbose).await.map_err(|error| render::sql::one_line(&error))?;
        for section in &mut report.sections {
            if section.name.starts_with("Protocol Summary") || (analyzer.name == "protocols" && section.name == "Services") {
                section.limit = Some(arguments.limit_protocols);
            }
            if is_commands && section.name == "Sessions" {
                section.limit = arguments.limit_sessions;
                let rows = section.rows.num_rows();
                // Exports hold all rows, and keep the name.
                if let Some(limit) = arguments.limit_sessions.filter(|limit| rows > *limit && !arguments.verbose && arguments.json.is_none()) {
                    section.name = format!("Sessions ({limit} of {rows})");
                }
            }
        }
        out.report(&report);
        reports.push(report);
    }
    Ok(reports)
}

/// The analyzers to run: the overview first where it was asked for, and alone where nothing was.
fn asked(arguments: &Arguments) -> Vec<Analyzer> {
    let mut analyzers = Vec::new();
    let nothing_else = arguments.correlate.is_none() && arguments.baseline.compare.is_none() && arguments.baseline.save.is_none();
    if arguments.base || (arguments.analyzers.is_empty() && nothing_else) {
        analyzers.extend(analyzer::built_in().into_iter().filter(|analyzer| analyzer.name == "base"));
    }
    analyzers.extend(arguments.analyzers.iter().cloned());
    analyzers
}
