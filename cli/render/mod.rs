//! Answers to people and programs.

pub mod banner;
pub mod escape;
mod fit;
pub mod grid;
pub mod sql;
pub mod terminal;
pub mod value;

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use pcapper_queries::report::Report;

use crate::arguments::Arguments;
use crate::export::file::Whole;
use crate::log;

/// A file that the run wrote.
#[derive(Clone, Debug)]
pub struct Written {
    pub path: PathBuf,
    pub bytes: u64,
}

/// Columns that tables take at least, however narrow the terminal is.
const NARROWEST: usize = 60;

/// Where the run's answers go.
pub struct Output {
    out: io::BufWriter<Box<dyn Write>>,
    look: terminal::Look,
    /// The machine-readable answer owns standard output: no reports are printed there.
    silent: bool,
    reports: usize,
    broken: Option<io::Error>,
    /// What a case keeps of all that is shown.
    copy: Option<Whole>,
    /// The copy could not be written.
    copy_fault: Option<String>,
    written: Vec<Written>,
}

impl Output {
    /// Standard output, in the style that the options and the environment ask for.
    pub fn new(arguments: &Arguments) -> Self {
        let stdout = io::stdout();
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let forced = std::env::var("CLICOLOR_FORCE").is_ok_and(|value| value == "1");
        let plain = arguments.no_color || set("NO_COLOR") || std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let style = terminal::Style { color: !plain && (forced || stdout.is_terminal()), width: width().map(|columns| columns.max(NARROWEST)) };
        let look = terminal::Look { style, verbose: arguments.verbose, merged: false };
        Self {
            out: io::BufWriter::new(Box::new(stdout.lock())),
            look,
            silent: arguments.exports.owns_stdout(),
            reports: 0,
            broken: None,
            copy: None,
            copy_fault: None,
            written: Vec::new(),
        }
    }

    /// Keeps a copy, without colours, of what is shown from now on.
    pub fn copy_to(&mut self, file: Whole) {
        self.copy = Some(file);
    }

    /// Ends the copy; `None` if there is none or nothing was shown.
    pub fn take_copy(&mut self) -> Result<Option<Whole>, String> {
        match self.copy_fault.take() {
            Some(fault) => Err(fault),
            None => Ok(self.copy.take()),
        }
    }

    /// Prints a report; `merged` if it is over several captures.
    pub fn report(&mut self, report: &Report, merged: bool) {
        if self.silent {
            return;
        }
        let gap = if self.reports > 0 { "\n" } else { "" };
        self.reports += 1;
        let mut text = gap.to_owned();
        let look = terminal::Look { merged, ..self.look };
        terminal::report(report, look, &mut text);
        self.write_out(text.as_bytes());
        if self.copy.is_some() {
            let mut plain = gap.to_owned();
            terminal::report(report, terminal::Look { style: terminal::Style { color: false, width: None }, ..look }, &mut plain);
            self.write_copy(plain.as_bytes());
        }
    }

    /// Shows text that is no report; the first failure is kept for [`Output::finish`].
    pub fn show(&mut self, bytes: &[u8]) {
        self.write_out(bytes);
        self.write_copy(bytes);
    }

    /// Writes to standard output alone: bytes that are no text go into no copy.
    pub fn write_out(&mut self, bytes: &[u8]) {
        if self.broken.is_none()
            && let Err(error) = self.out.write_all(bytes)
        {
            self.broken = Some(error);
        }
    }

    fn write_copy(&mut self, bytes: &[u8]) {
        if let Some(copy) = &mut self.copy
            && let Err(error) = copy.write_all(bytes)
        {
            self.copy_fault = Some(copy.fault(&error));
            self.copy = None;
        }
    }

    /// Shows at once what was written so far.
    pub fn show_now(&mut self) {
        if self.broken.is_none()
            && let Err(error) = self.out.flush()
        {
            self.broken = Some(error);
        }
    }

    /// Whether the reader of our output is gone or the output failed.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Notes a file that the run wrote.
    pub fn wrote(&mut self, kind: &str, path: &Path, rows: u64, bytes: u64) {
        log::export(kind, path, rows, bytes);
        self.written.push(Written { path: path.to_owned(), bytes });
    }

    /// Notes files that the run saved from the traffic; the log tells of them together.
    pub fn saved(&mut self, files: Vec<Written>) {
        self.written.extend(files);
    }

    /// The files the run wrote so far.
    pub fn written(&self) -> &[Written] {
        &self.written
    }

    /// Flushes; the first failure of the run comes out here.
    pub fn finish(&mut self) -> io::Result<()> {
        match self.broken.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

/// Columns of the terminal that standard output is, if it is one.
pub fn width() -> Option<usize> {
    #[cfg(unix)]
    return rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    #[cfg(not(unix))]
    None
}

/// Exports to standard output are no part of what a case keeps of the screen.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_out(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
