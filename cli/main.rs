//! The command line: captures in, answers out.

mod arguments;
mod ask;
mod export;
mod flags;
mod help;
mod render;
mod select;
mod status;
mod timeline;

use std::io::Write as _;
use std::process::ExitCode;

use arguments::{Arguments, Command};
use status::Status;

/// Decoding allocates little and often; this allocator makes that cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    quiet_panics();
    let arguments = match arguments::parse(std::env::args_os()) {
        Ok(Command::Run(arguments)) => *arguments,
        Ok(Command::Print(text)) => return printed(&text),
        Err(message) => {
            eprintln!("pcapper: {}", render::escape::text(&message));
            return Status::NothingDone.code();
        }
    };
    run(&arguments).code()
}

fn run(arguments: &Arguments) -> Status {
    let runtime = match tokio::runtime::Builder::new_multi_thread().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("pcapper: cannot start: {error}");
            return Status::NothingDone;
        }
    };
    let mut out = render::Output::new(arguments);
    let status = runtime.block_on(ask::answer(arguments, &mut out));
    // The reader of our output may have gone away: that is its right, and ends the run quietly.
    match out.finish() {
        Ok(()) => status,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Status::ReaderGone,
        Err(error) => {
            eprintln!("pcapper: cannot write the output: {error}");
            status.worse(Status::Partly)
        }
    }
}

fn printed(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Status::Done.code(),
        Err(_) => Status::ReaderGone.code(),
    }
}

/// A decoder that panics on a hostile message is caught, and the fault recorded in `anomalies`: its message on stderr would
/// only confuse. Panics elsewhere are told in one line.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let in_decoder = panic.location().is_some_and(|location| location.file().contains("protocols"));
        if !in_decoder {
            let place = panic.location().map(|location| format!(" at {}:{}", location.file(), location.line())).unwrap_or_default();
            eprintln!("pcapper: internal error{place}; please report it");
        }
    }));
}
