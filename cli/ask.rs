//! The run: captures into the lake, questions to it, answers to the renderers.

use pcapper_queries::analyzer::{self, Analyzer};
use pcapper_queries::catalog::{Catalog, Selected, View};
use pcapper_queries::report::Report;
use pcapper_queries::run;

use crate::arguments::{Arguments, OT_COMMANDS};
use crate::export::{self, Answered, Answers};
use crate::render::{self, Output};
use crate::select::{self, Selection, complain};
use crate::status::Status;
use crate::timeline::{STORYLINE, TIMELINE};

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

fn open(arguments: &Arguments, selection: &Selection, captures: Vec<Selected>) -> Result<Catalog, String> {
    let catalog = Catalog::open(&selection.lake, captures, View { show_secrets: arguments.show_secrets }).map_err(|error| error.to_string())?;
    catalog.focus(&arguments.timeline.focus);
    Ok(catalog)
}

async fn sql(arguments: &Arguments, selection: &Selection, query: &str, out: &mut Output) -> Result<(), String> {
    let catalog = open(arguments, selection, selection.captures.clone())?;
    let frame = catalog.sql(query).await.map_err(|error| render::sql::explained(&error))?;
    render::sql::write(arguments, frame, out).await
}

async fn reports(arguments: &Arguments, selection: &Selection, out: &mut Output) -> Result<(), String> {
    let analyzers = asked(arguments);
    let mut answers = Answers { captures: &selection.captures, answered: Vec::new(), skipped: &selection.skipped };
    if arguments.summarize {
        let catalog = open(arguments, selection, selection.captures.clone())?;
        let subject = format!("ALL PCAPS ({})", selection.captures.len());
        let reports = run_all(&catalog, &analyzers, &subject, arguments, out).await?;
        answers.answered.push(Answered { capture: None, reports });
    } else {
        for capture in &selection.captures {
            let catalog = open(arguments, selection, vec![capture.clone()])?;
            let reports = run_all(&catalog, &analyzers, &capture.name, arguments, out).await?;
            if export::is_wanted(arguments) {
                answers.answered.push(Answered { capture: Some(capture.clone()), reports });
            }
        }
    }
    export::write(arguments, &answers, out)
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
    if arguments.base || arguments.analyzers.is_empty() {
        analyzers.extend(analyzer::built_in().into_iter().filter(|analyzer| analyzer.name == "base"));
    }
    analyzers.extend(arguments.analyzers.iter().cloned());
    if arguments.timeline.storyline_off {
        for analyzer in analyzers.iter_mut().filter(|analyzer| analyzer.name == TIMELINE) {
            analyzer.sections.retain(|section| section.name != STORYLINE);
        }
    }
    analyzers
}
