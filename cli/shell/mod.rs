//! `--shell`: a prompt over the selected captures. Input that is no terminal is answered the same way, so that a script can
//! be piped in.

mod command;
mod complete;
mod interrupt;
mod pager;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::StreamExt as _;
use pcapper_queries::DataFusionError;
use pcapper_queries::catalog::Catalog;
use pcapper_queries::catalog::parameters::Parameters;
use pcapper_queries::statements;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use crate::arguments::Arguments;
use crate::evidence::Frames;
use crate::export::file::{Files, Whole};
use crate::help;
use crate::render::sql::{self as answer, Form};
use crate::render::value::Secrets;
use crate::render::{Output, escape};
use crate::select::complain;
use crate::sql::Options;
use crate::sql::sink::Sink;
use crate::status::Status;
use command::Command;
use complete::Words;
use pager::Paged;

/// What stands before the user's words.
const PROMPT: &str = "pcapper> ";
/// Entries of the history.
const REMEMBERED: usize = 10_000;
/// How deep files may call files.
const DEEPEST: usize = 8;

/// The prompt's state.
struct Shell<'a> {
    catalog: &'a Catalog,
    out: &'a mut Output,
    form: Form,
    verbose: bool,
    timing: bool,
    set: Parameters,
    /// Where answers go instead of the screen.
    file: Option<Whole>,
    /// Maker of such files.
    files: Files,
    /// Equal secrets get equal numbers as long as the prompt is open.
    secrets: Secrets,
    /// The question that was answered last, with the parameters it had.
    last: Option<(String, Parameters)>,
    /// Somebody sits at both ends: answers are paged, mistakes end nothing.
    is_interactive: bool,
    /// Files that call each other.
    depth: usize,
    failed: bool,
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Next {
    Line,
    Quit,
}

/// Runs the prompt until it is left; a script in which something failed has the status of a run that was done in part.
pub async fn run(options: &Options, arguments: &Arguments, files: Files, catalog: &Catalog, out: &mut Output) -> Result<(), (String, Status)> {
    let is_interactive = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    // What was asked on the command line has its answers in that file by now.
    let output = options.output.as_deref().filter(|_| options.has_no_questions());
    let file = output.map(|path| files.create(path)).transpose().map_err(|message| (message, Status::NothingDone))?;
    let mut shell = Shell {
        catalog,
        out,
        form: options.form,
        verbose: arguments.verbose,
        timing: is_interactive,
        set: options.set.clone(),
        file,
        files,
        secrets: Secrets::default(),
        last: None,
        is_interactive,
        depth: 0,
        failed: false,
    };
    if is_interactive { shell.prompt().await } else { shell.script(&mut std::io::stdin().lock()).await }
        .map_err(|message| (message, Status::Partly))?;
    let failed = shell.failed;
    if let Some(file) = shell.file.take() {
        file.commit().map_err(|message| (message, Status::Partly))?;
    }
    if failed && !is_interactive { Err(("some of the input could not be answered".to_owned(), Status::Partly)) } else { Ok(()) }
}

impl Shell<'_> {
    /// Talks to a person.
    async fn prompt(&mut self) -> Result<(), String> {
        interrupt::listen();
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(REMEMBERED)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(|error| error.to_string())?
            .history_ignore_space(true)
            .build();
        let mut editor: Editor<Words, FileHistory> = Editor::with_history(config, FileHistory::new()).map_err(|error| error.to_string())?;
        editor.set_helper(Some(Words::of(self.catalog)));
        let history = history_file();
        if let Some(history) = &history {
            let _ = editor.load_history(history);
        }
        let captures = self.catalog.captures().len();
        self.say(&format!("{captures} capture{}. SQL ends with ; and \\? lists the commands.\n", if captures == 1 { "" } else { "s" }));
        loop {
            self.out.show_now();
            match editor.readline(PROMPT) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    let _ = editor.add_history_entry(text.trim_end());
                    let height = editor.dimensions().map(|(columns, rows)| (usize::from(columns), usize::from(rows)));
                    if self.entered(&text, height).await == Next::Quit {
                        break;
                    }
                }
                // Ctrl-C at the prompt drops what was typed.
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(format!("cannot read the prompt: {error}")),
            }
        }
        if let Some(history) = &history
            && let Err(error) = keep(&mut editor, history)
        {
            complain(&format!("{}: the history cannot be kept: {error}", history.display()));
        }
        Ok(())
    }

    /// Answers lines of a file; a question may take several.
    async fn script(&mut self, input: &mut dyn std::io::BufRead) -> Result<(), String> {
        let (mut open, mut line) = (String::new(), String::new());
        loop {
            line.clear();
            let read = input.read_line(&mut line).map_err(|error| format!("cannot read the input: {error}"))?;
            let is_command = open.trim().is_empty() && line.trim_start().starts_with('\\');
            open.push_str(&line);
            if read > 0 && !is_command && complete::is_open(&open) {
                continue;
            }
            let text = std::mem::take(&mut open);
            if self.entered(&text, None).await == Next::Quit || read == 0 || self.out.is_broken() {
                return Ok(());
            }
        }
    }

    /// Does what was entered: a command, or questions.
    async fn entered(&mut self, text: &str, screen: Option<(usize, usize)>) -> Next {
        if text.trim_start().starts_with('\\') {
            return match Command::parse(text.trim()) {
                Ok(command) => self.command(command, screen).await,
                Err(message) => self.fail(&message),
            };
        }
        let split = match statements::split(text) {
            Ok(split) => split,
            Err(error) => return self.fail(&error.to_string()),
        };
        for statement in split.statements {
            if !self.question(&statement.sql, screen).await {
                break;
            }
        }
        Next::Line
    }

    /// Answers one question; false if what follows should not be answered either.
    async fn question(&mut self, query: &str, screen: Option<(usize, usize)>) -> bool {
        let start = Instant::now();
        interrupt::clear();
        let screen = screen.filter(|_| self.file.is_none());
        let mut paged = Paged::new(self.out, screen, self.form == Form::Table);
        let sink: &mut dyn Sink = match &mut self.file {
            Some(file) => file,
            None => &mut paged,
        };
        let (catalog, set, form, verbose, secrets) = (self.catalog, &self.set, self.form, self.verbose, &mut self.secrets);
        let work = async {
            let frame = catalog.ask(query, set).await.map_err(|error| told(&error))?;
            answer::write(frame, form, verbose, secrets, sink).await?.map_err(|error| told(&error))
        };
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = interrupt::asked(), if self.is_interactive => Err(cancelled()),
        };
        paged.finish();
        match outcome {
            Ok(written) => {
                self.last = Some((query.to_owned(), self.set.clone()));
                if self.timing {
                    self.out.show_now();
                    let rows = written.rows;
                    eprintln!("({rows} row{}, {:.3} s)", if rows == 1 { "" } else { "s" }, start.elapsed().as_secs_f64());
                }
                true
            }
            Err(message) => {
                self.fail(&message);
                false
            }
        }
    }

    async fn command(&mut self, command: Command, screen: Option<(usize, usize)>) -> Next {
        match command {
            Command::Quit => return Next::Quit,
            Command::Help => self.show(command::HELP, screen),
            Command::Tables { all } => {
                let text = self.tables(all);
                self.show(&text, screen);
            }
            Command::Describe(name) => match help::describe(&name) {
                Ok(text) => self.show(&text, screen),
                Err(_) => return self.fail(&format!("\\d {name}: no such table or function")),
            },
            Command::Functions => self.show(&help::functions(), screen),
            Command::Form(Some(form)) => self.form = form,
            Command::Form(None) => {
                let name = Form::NAMES.iter().find(|(_, form)| *form == self.form).map_or("", |(name, _)| *name);
                self.say(&format!("{name}\n"));
            }
            Command::Timing => {
                self.timing = !self.timing;
                self.say(if self.timing { "times are shown\n" } else { "times are not shown\n" });
            }
            Command::Verbose => {
                self.verbose = !self.verbose;
                self.say(if self.verbose { "cells are shown whole\n" } else { "cells are cut at 80 columns\n" });
            }
            Command::Set(None) => {
                let text: String = self.set.iter().map(|(name, value)| format!("{name}={}\n", escape::text(value))).collect();
                self.say(&text);
            }
            Command::Set(Some((name, value))) => {
                self.set.insert(name, value);
            }
            Command::Output(path) => {
                if let Some(file) = self.file.take()
                    && let Err(message) = file.commit()
                {
                    self.fail(&message);
                }
                match path.map(|path| self.files.create(Path::new(&path))).transpose() {
                    Ok(file) => self.file = file,
                    Err(message) => return self.fail(&message),
                }
            }
            Command::Include(path) => return self.include(&path).await,
            Command::WritePcap { path, query } => {
                if let Err(message) = self.write_pcap(&path, query).await {
                    return self.fail(&format!("\\write-pcap: {message}"));
                }
            }
        }
        Next::Line
    }

    /// Writes the frames that an answer names as a capture: the last answer, or that of a query.
    async fn write_pcap(&mut self, path: &str, query: Option<String>) -> Result<(), String> {
        let place = self.files.allowed(Path::new(path))?;
        let (query, set) = match query {
            Some(query) => (query, self.set.clone()),
            None => self.last.clone().ok_or_else(|| "nothing was asked yet: ask, or give a query after the file".to_owned())?,
        };
        let catalog = self.catalog;
        let mut frames = Frames::default();
        interrupt::clear();
        let work = async {
            let frame = catalog.ask(&query, &set).await.map_err(|error| told(&error))?;
            let nothing = RecordBatch::new_empty(SchemaRef::clone(frame.schema().inner()));
            // What names no frames is told of an answer without rows as well.
            frames.rows(catalog.captures(), &nothing)?;
            let mut rows = frame.execute_stream().await.map_err(|error| told(&error))?;
            while let Some(batch) = rows.next().await {
                frames.rows(catalog.captures(), &batch.map_err(|error| told(&error))?)?;
            }
            Ok(())
        };
        tokio::select! {
            outcome = work => outcome,
            () = interrupt::asked(), if self.is_interactive => Err(cancelled()),
        }?;
        if frames.is_empty() {
            return Err("no row names a frame; nothing is written".to_owned());
        }
        let (frames, bytes) = frames.write(catalog.captures(), &self.files, &place)?;
        self.out.wrote("pcapng", &place, frames, bytes);
        self.say(&format!("{frames} frame{} written to {}\n", if frames == 1 { "" } else { "s" }, escape::text(path)));
        Ok(())
    }

    /// Answers what stands in a file.
    async fn include(&mut self, path: &str) -> Next {
        if self.depth >= DEEPEST {
            return self.fail(&format!("\\i {path}: files call each other too deep"));
        }
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) => return self.fail(&format!("\\i {path}: {error}")),
        };
        self.depth += 1;
        let outcome = Box::pin(self.script(&mut text.as_slice())).await;
        self.depth -= 1;
        match outcome {
            Ok(()) => Next::Line,
            Err(message) => self.fail(&message),
        }
    }

    /// Tables with their rows in the selected captures; those without any only if all are asked for.
    fn tables(&self, all: bool) -> String {
        let (mut lines, mut empty) = (Vec::new(), 0);
        for (name, doc) in self.catalog.tables() {
            let rows = if self.catalog.is_derived(&name) { "derived".to_owned() } else { self.catalog.rows(&name).to_string() };
            if rows == "0" && !all {
                empty += 1;
            } else {
                lines.push(format!("{name:<22} {rows:>10}  {}\n", help::first_sentence(&doc)));
            }
        }
        let mut text: String = lines.concat();
        if empty > 0 {
            text.push_str(&format!("({empty} more tables have no rows here; \\d* lists them too)\n"));
        }
        text
    }

    fn show(&mut self, text: &str, screen: Option<(usize, usize)>) {
        let mut paged = Paged::new(self.out, screen, true);
        // Text in memory has no more to tell when its reader leaves.
        let _ = paged.take(text.as_bytes());
        paged.finish();
    }

    fn say(&mut self, text: &str) {
        self.out.show(text.as_bytes());
    }

    /// Tells what went wrong. A script goes on, and its status tells.
    fn fail(&mut self, message: &str) -> Next {
        self.out.show_now();
        complain(message);
        self.failed = true;
        Next::Line
    }
}

/// An error of the query engine, as the prompt tells it.
fn told(error: &DataFusionError) -> String {
    answer::one_line(error).replacen("with --set", "with \\set", 1)
}

/// The terminal shows `^C` where the cursor was; what is told begins a line of its own.
fn cancelled() -> String {
    eprintln!();
    "cancelled".to_owned()
}

/// The user's history, by the XDG rules.
fn history_file() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = named("XDG_STATE_HOME").filter(|path| path.is_absolute()).or_else(|| named("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("pcapper/history"))
}

fn keep(editor: &mut Editor<Words, FileHistory>, history: &Path) -> Result<(), String> {
    if let Some(parent) = history.parent() {
        std::fs::create_dir_all(parent).map_err(|error| error.to_string())?;
    }
    // Two prompts may be open: each adds its own lines.
    editor.append_history(history).map_err(|error| error.to_string())
}
