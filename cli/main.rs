//! The command line: captures in, answers out.

mod arguments;
mod ask;
mod baseline;
mod brought;
mod case;
mod config;
mod decrypt;
mod evidence;
mod export;
mod flags;
mod geoip;
mod help;
mod hostdetails;
mod interrupt;
mod ioc;
mod lake;
mod log;
mod merged;
mod narrow;
mod plugins;
mod profile;
mod render;
mod rules;
mod safe_name;
mod select;
mod selfcheck;
mod shell;
mod sql;
mod status;
mod suricata;
mod timeline;
mod virustotal;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use arguments::{Arguments, Command};
use case::{Case, Ran};
use export::file::{Files, Whole, reason};
use select::{Selection, complain, tell};
use status::Status;

/// Decoding allocates little and often; this allocator makes that cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    quiet_panics();
    let (began, timer) = (SystemTime::now(), Instant::now());
    let argv: Vec<OsString> = std::env::args_os().collect();
    let mut command = arguments::parse(argv.iter().cloned());
    let (case, log, config) = match &command {
        Ok(Command::Run(arguments)) => (arguments.case.clone(), arguments.log.clone(), arguments.config.clone()),
        _ => (None, log::scan(&argv), None),
    };
    // The log may lie in the case.
    if let Some(Err(message)) = case.as_ref().map(Case::prepare) {
        command = Err(message);
    }
    if let Err(message) = log::open(&log) {
        tell(command.as_ref().err().unwrap_or(&message));
        return Status::NothingDone.code();
    }
    log::start(&argv, config.as_deref());
    let status = match command {
        Ok(Command::Run(arguments)) => run(&arguments, &argv, began),
        Ok(Command::Print(text)) => printed(&text),
        Ok(Command::Tell(tell)) => {
            let (text, status) = tell();
            status.worse(printed(&text))
        }
        Err(message) => {
            for line in message.lines() {
                complain(line);
            }
            Status::NothingDone
        }
    };
    let status = if log::has_failed() { status.worse(Status::Partly) } else { status };
    log::end(status, timer.elapsed());
    // The last line itself may have been the first that could not be written.
    if log::has_failed() { status.worse(Status::Partly).code() } else { status.code() }
}

fn run(arguments: &Arguments, argv: &[OsString], began: SystemTime) -> Status {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return Status::NothingDone;
        }
    };
    let profile = arguments.profile.as_ref().map(profile::Profile::start);
    let mut out = render::Output::new(arguments);
    let mut status = Status::Done;
    if let Some(case) = &arguments.case {
        match Files::default().create(&case.place("report.txt")) {
            Ok(copy) => out.copy_to(copy),
            Err(message) => {
                complain(&message);
                status = Status::Partly;
            }
        }
    }
    interrupt::listen();
    let mut selection = None;
    let answered = runtime.block_on(async {
        tokio::select! {
            biased;
            answered = ask::answer(arguments, &mut selection, &mut out) => answered,
            () = interrupt::asked() => Status::Interrupted,
        }
    });
    if answered == Status::Interrupted {
        // What still runs is for nobody.
        runtime.shutdown_background();
    } else if let Some(selection) = &mut selection {
        selection.done_reading(arguments.verbose);
    }
    status = status.worse(answered);
    if let Some(Err(message)) = profile.map(|profile| profile.finish(selection.as_ref())) {
        complain(&message);
        status = status.worse(Status::Partly);
    }
    // The reader of our output may have gone away: that is its right, and ends the run quietly.
    if let Err(error) = out.finish() {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            status = Status::ReaderGone;
        } else {
            complain(&format!("cannot write the output: {}", reason(&error)));
            status = status.worse(Status::Partly);
        }
    }
    if let Some(case) = &arguments.case
        && let Err(message) = close_case(case, arguments, argv, began, status, selection.as_ref(), &mut out)
    {
        complain(&message);
        status = status.worse(Status::Partly);
    }
    status
}

/// Puts what was shown into the case, and the run into its record.
fn close_case(
    case: &Case,
    arguments: &Arguments,
    argv: &[OsString],
    began: SystemTime,
    status: Status,
    selection: Option<&Selection>,
    out: &mut render::Output,
) -> Result<(), String> {
    let copied = out.take_copy().and_then(|copy| match copy.filter(Whole::is_begun) {
        Some(copy) => {
            let (path, bytes) = copy.commit_beside()?;
            out.wrote("report", &path, 0, bytes);
            Ok(())
        }
        None => Ok(()),
    });
    let ran = Ran {
        argv: argv.iter().map(|word| render::escape::path(Path::new(word))).collect(),
        config_path: arguments.config.as_deref(),
        began,
        status: if copied.is_err() { status.worse(Status::Partly) } else { status },
        inputs: selection.map_or(&[], |selection| &selection.inputs),
        skipped: selection.map_or(&[], |selection| &selection.skipped),
        filters: arguments.filter.json(),
        config: arguments.effective.clone(),
        written: out.written(),
    };
    case.record(&ran).and(copied)
}

fn printed(text: &str) -> Status {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Status::Done,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Status::ReaderGone,
        Err(error) => {
            complain(&format!("cannot write the output: {}", reason(&error)));
            Status::NothingDone
        }
    }
}

/// A decoder that panics on a hostile message is caught, and the fault recorded in `anomalies`: its message on stderr would
/// only confuse. Panics elsewhere are told in one line.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let in_decoder = panic.location().is_some_and(|location| location.file().contains("protocols"));
        if !in_decoder {
            let place = panic.location().map(|location| format!(" at {}:{}", location.file(), location.line())).unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "pcapper: internal error{place}; please report it");
        }
    }));
}
