//! The run: captures into the lake, questions to it, answers to the renderers.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::concat_batches;
use pcapper_ingest::profile;
use pcapper_queries::analyzer::{self, Analyzer};
use pcapper_queries::catalog::{Catalog, Selected, View};
use pcapper_queries::report::Report;
use pcapper_queries::run;

use crate::arguments::{Arguments, OT_COMMANDS};
use crate::evidence::{self, Carvings, Found, Frames, Subject};
use crate::export::{self, Answers};
use crate::hostdetails;
use crate::log;
use crate::narrow;
use crate::render::{self, Output};
use crate::select::{self, Selection, complain};
use crate::status::Status;
use crate::timeline::{STORYLINE, TIMELINE};
use crate::{baseline, brought, decrypt, interrupt, lake, merged, rules, shell, sql, virustotal};

/// Analyzers that are about all captures together.
const CORRELATE: &str = "correlate";
const BASELINE: &str = "baseline";

/// Does what was asked. What went wrong was told on stderr and is in the status. The selection is put into `chosen`, where it
/// stays should the run be cut short; it is missing where it could not be made.
pub async fn answer(arguments: &Arguments, chosen: &mut Option<Selection>, out: &mut Output) -> Status {
    render::banner::greet();
    if let Some(command) = &arguments.lake_command {
        let (status, selection) = lake::run(command, arguments, out).await;
        *chosen = selection;
        return status;
    }
    let selection = match select::select(arguments) {
        Ok(selection) => chosen.insert(selection),
        Err(message) => {
            complain(&message);
            return Status::NothingDone;
        }
    };
    if selection.status == Status::Interrupted {
        return selection.status;
    }
    narrow::apply(&arguments.narrow, selection).await;
    if interrupt::is_asked() {
        return Status::Interrupted;
    }
    if selection.captures.is_empty() {
        return selection.status;
    }
    if arguments.correlate.is_some() && selection.distinct() < 2 {
        complain("--correlate: Correlation needs at least two captures (two of different content)");
        return Status::NothingDone;
    }
    if arguments.decrypt.report && !is_decryptable(arguments, selection).await {
        return Status::NothingDone;
    }
    // Large futures lie on the heap: queries are planned deep in the stack.
    let carvings = Carvings::of(&arguments.evidence, &arguments.decrypt, &selection.lake, &selection.captures, arguments.verbose);
    let mut carvings = Box::pin(carvings).await;
    out.saved(std::mem::take(&mut carvings.written));
    if carvings.status == Status::Interrupted {
        return carvings.status;
    }
    selection.carved = carvings.rows();
    let status = selection.status.worse(carvings.status);
    status.worse(match &arguments.sql {
        Some(options) => match Box::pin(questions(options, arguments, selection, out)).await {
            Ok(status) => status,
            Err((message, status)) => {
                complain(&message);
                status
            }
        },
        None => Box::pin(reports(arguments, selection, carvings, out)).await,
    })
}

/// A session over captures of the run, with what the user brought.
pub async fn open(arguments: &Arguments, selection: &Selection, captures: Vec<Selected>, show_secrets: bool) -> Result<Catalog, String> {
    let extension = Arc::clone(&arguments.extension);
    let mut seen = BTreeSet::new();
    let carved: Vec<&RecordBatch> = selection
        .carved
        .iter()
        .filter_map(|(at, rows)| Some((&selection.captures.get(*at)?.manifest.capture_id, rows)))
        .filter(|(id, _)| captures.iter().any(|capture| capture.manifest.capture_id == **id) && seen.insert(*id))
        .map(|(_, rows)| rows)
        .collect();
    let catalog = Catalog::extended(&selection.lake, captures, View { show_secrets }, extension).map_err(|error| error.to_string())?;
    brought::bring(arguments, &catalog).await?;
    if let Some(first) = carved.first() {
        let rows = concat_batches(&first.schema(), carved).map_err(|error| error.to_string())?;
        catalog.add_rows("files", rows).await.map_err(|error| render::sql::one_line(&error))?;
    }
    Ok(catalog.with_payloads(evidence::payloads()))
}

/// Answers questions in SQL, and opens the prompt for more.
async fn questions(options: &sql::Options, arguments: &Arguments, selection: &Selection, out: &mut Output) -> Result<Status, (String, Status)> {
    let nothing = |message: String| (message, Status::NothingDone);
    let catalog = open(arguments, selection, selection.captures.clone(), arguments.show_secrets).await.map_err(nothing)?;
    rules::judge(arguments, &catalog, "").await.map_err(nothing)?;
    let mut status = Status::Done;
    if let Some(path) = &arguments.evidence.write_pcap {
        let mut frames = Frames::default();
        for batch in sql::rows(options, &catalog).await.map_err(nothing)? {
            frames.rows(&selection.captures, &batch).map_err(|message| nothing(format!("--write-pcap: {message}")))?;
        }
        if frames.is_empty() {
            complain("--write-pcap: no row names a frame; nothing is written");
            status = Status::Partly;
        } else {
            let (frames, bytes) = frames.write(&selection.captures, &export::files(arguments, selection), path).map_err(nothing)?;
            out.wrote("pcapng", path, frames, bytes);
        }
    }
    let files = export::files(arguments, selection);
    sql::answer(options, arguments, &files, &catalog, out)
        .await
        .map_err(|failure| (failure.message, if failure.is_partial { Status::Partly } else { Status::NothingDone }))?;
    if options.is_shell {
        shell::run(options, arguments, files, &catalog, out).await?;
    }
    Ok(status.worse(faults(&catalog)))
}

/// Tells what went wrong in plugins.
fn faults(catalog: &Catalog) -> Status {
    let faults = catalog.plugin_faults();
    for fault in &faults {
        complain(fault);
    }
    if faults.is_empty() { Status::Done } else { Status::Partly }
}

/// `--decrypt` has keys to work with; it is told where not.
async fn is_decryptable(arguments: &Arguments, selection: &Selection) -> bool {
    let answer = match open(arguments, selection, selection.captures.clone(), false).await {
        Ok(catalog) => decrypt::has_keys(&arguments.decrypt, &catalog).await,
        Err(message) => Err(message),
    };
    match answer {
        Ok(true) => return true,
        Ok(false) => complain("--decrypt has no keys: name a key log with --tls-keylog or --ssh-keylog (the captures bring none)"),
        Err(message) => complain(&message),
    }
    false
}

/// One capture after the other, or all of them as one.
async fn reports(arguments: &Arguments, selection: &Selection, carvings: Carvings, out: &mut Output) -> Status {
    let analyzers = asked(arguments);
    let mut answers = Answers { captures: &selection.captures, answered: Vec::new(), skipped: &selection.skipped, filter: &arguments.filter };
    let rounds: Vec<Option<Selected>> = if arguments.summarize { vec![None] } else { selection.captures.iter().cloned().map(Some).collect() };
    let (mut status, mut brought_back) = (Status::Done, Back { carvings, ..Back::default() });
    brought_back.found.merged = arguments.summarize;
    if let Some(virustotal) = &arguments.virustotal {
        virustotal.begin(&selection.lake);
    }
    for capture in rounds {
        if interrupt::is_asked() {
            return Status::Interrupted;
        }
        if out.is_broken() && !arguments.exports.is_wanted() {
            break;
        }
        let done = round(arguments, selection, &analyzers, capture, Some(&mut brought_back), &mut answers, out).await;
        status = status.worse(done.unwrap_or_else(|message| {
            complain(&message);
            Status::Partly
        }));
    }
    if interrupt::is_asked() {
        return Status::Interrupted;
    }
    let done = across(arguments, selection, &mut answers, out).await;
    status = status.worse(done.unwrap_or_else(|message| {
        complain(&message);
        Status::Partly
    }));
    status = status.worse(write_back(arguments, selection, brought_back, out));
    if let Some(virustotal) = &arguments.virustotal {
        status = status.worse(virustotal.conclude());
    }
    if answers.answered.is_empty() {
        return status;
    }
    status.worse(export::write(arguments, selection, &answers, out).await)
}

/// What the run reads back from its captures, as it goes along.
#[derive(Default)]
struct Back {
    found: Found,
    carvings: Carvings,
    /// Frames that findings name.
    frames: Frames,
}

/// Tells what no capture has, and writes the frames behind the answers.
fn write_back(arguments: &Arguments, selection: &Selection, back: Back, out: &mut Output) -> Status {
    let Back { found, mut frames, .. } = back;
    let evidence = &arguments.evidence;
    let status = evidence::conclude(evidence, &found);
    let Some(path) = &evidence.write_pcap else { return status };
    // Frames that were chosen, or without any question all of them, are what is wanted; else those behind the findings.
    if !arguments.narrow.is_empty() || (arguments.analyzers.is_empty() && !evidence.shows()) {
        frames = Frames::default();
        selection.captures.iter().enumerate().for_each(|(at, capture)| frames.selected(at, capture));
    }
    if frames.is_empty() {
        complain("--write-pcap: there are no frames behind the answer; nothing is written");
        return status.worse(Status::Partly);
    }
    match frames.write(&selection.captures, &export::files(arguments, selection), path) {
        Ok((frames, bytes)) => {
            out.wrote("pcapng", path, frames, bytes);
            status
        }
        Err(message) => {
            complain(&message);
            Status::Partly
        }
    }
}

/// What is about all captures together, whatever else was asked: what recurs in them, and what changed since a baseline.
async fn across(arguments: &Arguments, selection: &Selection, answers: &mut Answers<'_>, out: &mut Output) -> Result<Status, String> {
    let wanted = |name: &str| match name {
        CORRELATE => arguments.correlate.is_some(),
        BASELINE => arguments.baseline.compare.is_some(),
        _ => false,
    };
    let analyzers: Vec<Analyzer> = analyzer::built_in().into_iter().filter(|analyzer| wanted(&analyzer.name)).rev().collect();
    let mut status = Status::Done;
    if !analyzers.is_empty() {
        status = round(arguments, selection, &analyzers, None, None, answers, out).await?;
    }
    if arguments.baseline.save.is_some() {
        let catalog = open(arguments, selection, selection.captures.clone(), false).await?;
        baseline::save(&arguments.baseline, &catalog, &export::files(arguments, selection), out).await?;
    }
    Ok(status)
}

/// The reports of one capture, or of all; with `back`, what is read back from the captures as well.
async fn round(
    arguments: &Arguments,
    selection: &Selection,
    analyzers: &[Analyzer],
    capture: Option<Selected>,
    back: Option<&mut Back>,
    answers: &mut Answers<'_>,
    out: &mut Output,
) -> Result<Status, String> {
    let captures = capture.as_ref().map_or_else(|| selection.captures.clone(), |one| vec![one.clone()]);
    let exports = &arguments.exports;
    // Where nothing is shown the reports are run once, as the exports may hold them.
    let shown_in_clear = if exports.owns_stdout() { exports.in_clear } else { arguments.show_secrets };
    let mut catalog = open(arguments, selection, captures.clone(), shown_in_clear).await?;
    let shown = |report: &Report| {
        let timer = profile::start();
        log::findings(report, capture.as_ref().map(|one| one.name.as_str()));
        match &capture {
            Some(_) => out.report(report, false),
            None => out.report(&merged::with_skipped(report, &selection.skipped), true),
        }
        timer.stop("stage", "render", 0, 0);
    };
    let (mut reports, mut status) = run_all(&catalog, analyzers, capture.as_ref(), arguments, selection, shown).await?;
    let mut more = Vec::new();
    if back.is_some() && arguments.decrypt.report {
        let answer = decrypt::answer(&arguments.decrypt, &catalog, selection, capture.as_ref()).await?;
        for report in &answer.reports {
            out.report(report, capture.is_none());
        }
        if answer.is_partly {
            status = status.worse(Status::Partly);
        }
        out.saved(answer.written);
        more = answer.reports;
    }
    if let Some(back) = back {
        let of = capture.as_ref().and_then(|one| selection.captures.iter().position(|other| other.path == one.path));
        back.frames.of_findings(&selection.captures, of, &reports);
        for (at, one) in selection.captures.iter().enumerate().filter(|(at, _)| of.is_none_or(|of| of == *at)) {
            let subject = Subject { capture: one, verbose: arguments.verbose, keys: None };
            let (told, outcome) = evidence::run(&arguments.evidence, &arguments.decrypt, &selection.lake, subject, &mut back.found, out).await;
            status = status.worse(outcome);
            back.frames.of_findings(&selection.captures, Some(at), &told);
            more.extend(told);
        }
        let told = evidence::merged(&arguments.evidence, &mut back.found, selection.captures.len(), arguments.verbose);
        if !told.is_empty() {
            let facts = merged::facts(&catalog, &selection.captures).await?;
            for mut report in told {
                merged::put_first(&facts, &mut report);
                out.report(&merged::with_skipped(&report, &selection.skipped), true);
                more.push(report);
            }
        }
        let of_one = of.and_then(|at| Some((at, selection.captures.get(at)?.name.as_str())));
        if let Some(report) = back.carvings.report(&arguments.evidence, of_one, arguments.verbose) {
            out.report(&report, of.is_none());
            back.frames.of_findings(&selection.captures, of, std::slice::from_ref(&report));
            more.push(report);
        }
    }
    if !exports.is_wanted() {
        return Ok(status);
    }
    if exports.in_clear != shown_in_clear {
        catalog = open(arguments, selection, captures, exports.in_clear).await?;
        reports = run_all(&catalog, analyzers, capture.as_ref(), arguments, selection, |_| {}).await?.0;
    }
    reports.extend(more);
    answers.answered.push(export::gather(&catalog, exports, capture, reports).await?);
    Ok(status)
}

/// Runs the analyzers; each report is handed to `shown` as soon as it is there. One that fails is told, and the others run.
async fn run_all(
    catalog: &Catalog,
    analyzers: &[Analyzer],
    capture: Option<&Selected>,
    arguments: &Arguments,
    selection: &Selection,
    mut shown: impl FnMut(&Report),
) -> Result<(Vec<Report>, Status), String> {
    let subject = match (capture, selection.captures.as_slice()) {
        (Some(one), _) => one.name.clone(),
        (None, [one]) if !arguments.summarize => one.name.clone(),
        (None, several) => format!("ALL PCAPS ({})", several.len()),
    };
    hostdetails::ask_about(catalog, &arguments.hosts, &subject).await?;
    // What is about all captures together is no finding's.
    let is_across = analyzers.iter().any(|analyzer| [CORRELATE, BASELINE].contains(&analyzer.name.as_str()));
    let judged = if is_across { None } else { rules::judge(arguments, catalog, &subject).await? };
    let facts = if arguments.summarize { Some(merged::facts(catalog, &selection.captures).await?) } else { None };
    let mut reports = Vec::with_capacity(analyzers.len());
    let mut status = Status::Done;
    for analyzer in analyzers {
        let is_commands = analyzer.name == OT_COMMANDS;
        let fast;
        let subject = if is_commands && arguments.is_fast {
            fast = format!("{subject} (fast: no flow was left out, this is the whole report)");
            &fast
        } else {
            &subject
        };
        let timer = profile::start_alone();
        let mut report = match run::report(catalog, analyzer, subject, arguments.verbose).await {
            Ok(report) => report,
            Err(error) => {
                complain(&render::sql::one_line(&error));
                status = status.worse(Status::Partly);
                continue;
            }
        };
        let rows: usize = report.sections.iter().map(|section| section.rows.num_rows()).sum();
        timer.stop("query", analyzer.name.clone(), rows as u64, 0);
        for section in &mut report.sections {
            if section.name.starts_with("Protocol Summary") || (analyzer.name == "protocols" && section.name == "Services") {
                section.limit = Some(arguments.limit_protocols);
            }
            if is_commands && section.name == "Sessions" {
                section.limit = arguments.limit_sessions;
                let rows = section.rows.num_rows();
                // Exports hold all rows, and keep the name.
                if let Some(limit) = arguments.limit_sessions.filter(|limit| rows > *limit && !arguments.verbose && !arguments.exports.is_wanted()) {
                    section.name = format!("Sessions ({limit} of {rows})");
                }
            }
        }
        if analyzer.name == "streams" && arguments.evidence.all_streams {
            report.sections.iter_mut().filter(|section| section.name == "Streams").for_each(|section| section.limit = None);
        }
        if let Some(virustotal) = arguments.virustotal.as_ref().filter(|_| virustotal::takes(analyzer)) {
            let own = virustotal::Own { networks: &arguments.extension.internal, names: private_names(catalog).await? };
            let around = virustotal::Around { lake: &selection.lake, verbose: arguments.verbose, own };
            tokio::task::block_in_place(|| virustotal.annotate(&mut report, analyzer, &around))?;
        }
        narrow::tell(&arguments.narrow, catalog.captures(), &mut report);
        if let Some(facts) = &facts {
            merged::put_first(facts, &mut report);
        }
        shown(&report);
        reports.push(report);
    }
    if let Some(report) = judged {
        shown(&report);
        reports.push(report);
    }
    Ok((reports, status.worse(faults(catalog))))
}

/// Names that the captures show to stand for private addresses.
async fn private_names(catalog: &Catalog) -> Result<HashSet<String>, String> {
    let query = "SELECT DISTINCT lower(name) FROM dns_records WHERE is_private(address) AND name IS NOT NULL";
    let rows = run::rows(catalog, query).await.map_err(|error| render::sql::one_line(&error))?;
    let names = arrow::compute::cast(rows.column(0), &arrow::datatypes::DataType::Utf8).map_err(|error| error.to_string())?;
    Ok(names.as_string::<i32>().iter().flatten().map(|name| name.trim_end_matches('.').to_owned()).collect())
}

/// The analyzers to run: the overview first where it was asked for, and alone where nothing was.
fn asked(arguments: &Arguments) -> Vec<Analyzer> {
    let mut analyzers = Vec::new();
    let nothing_else = arguments.correlate.is_none() && arguments.baseline.compare.is_none() && arguments.baseline.save.is_none();
    let nothing_else = nothing_else && arguments.rules.is_none() && !arguments.decrypt.report && !arguments.evidence.shows();
    if arguments.evidence.is_raw() {
        return analyzers;
    }
    if arguments.base || (arguments.analyzers.is_empty() && nothing_else) {
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
