//! Answers to people and programs.

pub mod escape;
pub mod sql;
pub mod terminal;
pub mod value;

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use pcapper_queries::report::Report;

use crate::arguments::Arguments;

/// Where the run's answers go.
pub struct Output {
    out: io::BufWriter<Box<dyn Write>>,
    style: terminal::Style,
    verbose: bool,
    /// The machine-readable answer owns standard output: no reports are printed there.
    silent: bool,
    reports: usize,
    broken: Option<io::Error>,
}

impl Output {
    /// Standard output, in the style that the options and the environment ask for.
    pub fn new(arguments: &Arguments) -> Self {
        let stdout = io::stdout();
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let forced = std::env::var("CLICOLOR_FORCE").is_ok_and(|value| value == "1");
        let plain = arguments.no_color || set("NO_COLOR") || std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let style = terminal::Style { color: !plain && (forced || stdout.is_terminal()) };
        let silent = arguments.json.as_deref() == Some("-");
        Self { out: io::BufWriter::new(Box::new(stdout.lock())), style, verbose: arguments.verbose, silent, reports: 0, broken: None }
    }

    /// Prints a report.
    pub fn report(&mut self, report: &Report) {
        if self.silent {
            return;
        }
        let mut text = String::new();
        if self.reports > 0 {
            text.push('\n');
        }
        self.reports += 1;
        terminal::report(report, self.style, self.verbose, &mut text);
        self.write(text.as_bytes());
    }

    /// Writes to standard output; the first failure is kept for [`Output::finish`].
    pub fn write(&mut self, bytes: &[u8]) {
        if self.broken.is_none()
            && let Err(error) = self.out.write_all(bytes)
        {
            self.broken = Some(error);
        }
    }

    /// Whether the reader of our output is gone or the output failed.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Flushes; the first failure of the run comes out here.
    pub fn finish(mut self) -> io::Result<()> {
        match self.broken.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

/// Writes a file whole or not at all, readable by its owner only.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let fail = |error: io::Error| format!("{}: cannot write: {error}", path.display());
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(fail)?;
    }
    let mut aside = PathBuf::from(path).into_os_string();
    aside.push(format!(".{}.part", std::process::id()));
    let aside = PathBuf::from(aside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(&aside).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).and_then(|()| std::fs::rename(&aside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&aside);
    }
    written.map_err(fail)
}
