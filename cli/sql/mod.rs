//! Questions in SQL: `--sql`, `--sql-file`, `--set`, `--format`, `-o`.

pub mod sink;

use std::ffi::OsString;
use std::io::Read as _;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use pcapper_ingest::profile;
use pcapper_queries::catalog::Catalog;
use pcapper_queries::catalog::parameters::Parameters;
use pcapper_queries::statements::{self, Statement};

use crate::arguments::{Arguments, Given};
use crate::case::Case;
use crate::export::file::Files;
use crate::render::Output;
use crate::render::sql::{self as answer, Form};
use crate::render::value::Secrets;
use sink::Sink;

/// Questions and how to answer them.
#[derive(Debug)]
pub struct Options {
    /// Empty where a prompt takes them.
    questions: Vec<Question>,
    /// Ask at a prompt.
    pub is_shell: bool,
    /// Values of `$name` parameters.
    pub set: Parameters,
    pub form: Form,
    pub output: Option<PathBuf>,
}

impl Options {
    /// Everything is asked at the prompt.
    pub fn has_no_questions(&self) -> bool {
        self.questions.is_empty()
    }
}

/// A statement and where it stands, for errors.
#[derive(Debug)]
struct Question {
    statement: Statement,
    source: String,
}

/// Reads the options; `None` where no question in SQL is asked. Texts are read here, so that a mistake in one is told before
/// any capture is opened.
pub fn options(given: &Given, targets: &[OsString], case: Option<&Case>) -> Result<Option<Options>, String> {
    let (query, file, is_shell) = (given.text("sql"), given.text("sql-file"), given.switch("shell"));
    if query.is_none() && file.is_none() && !is_shell {
        for (companion, spelled) in [("format", "--format"), ("output", "-o"), ("set", "--set")] {
            if given.has(companion) && (companion != "set" || !parameters(given).is_empty()) {
                return Err(format!("{spelled} needs --sql, --sql-file or --shell"));
            }
        }
        return Ok(None);
    }
    let form = given
        .text("format")
        .map_or(Ok(Form::Table), |name| Form::named(name).ok_or_else(|| format!("--format {name}: table, json, jsonl or csv is needed")))?;
    let set = parameters(given).iter().map(|pair| assignment(pair)).collect::<Result<Parameters, String>>()?;
    let reads_stdin = query == Some("-") || file == Some("-");
    if reads_stdin && (is_shell || targets.iter().any(|target| target == "-")) {
        return Err("standard input is asked for twice: a query and a capture (or the prompt) cannot both be read from it".to_owned());
    }
    let mut questions = Vec::new();
    if let Some(path) = file {
        questions.extend(read(path, "--sql-file")?);
    }
    match query {
        Some("-") if file == Some("-") => return Err("standard input is asked for twice: --sql - and --sql-file -".to_owned()),
        Some("-") => questions.extend(read("-", "--sql")?),
        Some(query) => questions.extend(taken_apart(query, "--sql")?),
        None => {}
    }
    if questions.is_empty() && !is_shell {
        return Err(format!("{}: no question in it", if query.is_some() { "--sql" } else { "--sql-file" }));
    }
    check_parameters(&questions, &set, is_shell)?;
    // `-` is standard output, as is no name at all.
    let output = given.text("output").filter(|path| *path != "-").map(|path| case.map_or_else(|| PathBuf::from(path), |case| case.place(path)));
    Ok(Some(Options { questions, is_shell, set, form, output }))
}

/// What `--set` gives, without the parameters of plugins (`PLUGIN.NAME=VALUE`).
fn parameters(given: &Given) -> Vec<String> {
    given.texts("set").into_iter().filter(|pair| !pair.split('=').next().unwrap_or_default().contains('.')).collect()
}

/// Every parameter needs a value, and every value a parameter: a mistyped name must not go unnoticed.
fn check_parameters(questions: &[Question], set: &Parameters, is_shell: bool) -> Result<(), String> {
    for Question { statement, source } in questions {
        if let Some(missing) = statement.parameters.iter().find(|name| !set.contains_key(*name)) {
            return Err(format!("{source}: parameter ${missing} has no value: give it with --set {missing}=VALUE"));
        }
    }
    let used = |name: &String| questions.iter().any(|question| question.statement.parameters.contains(name));
    match set.keys().find(|name| !used(name)) {
        Some(unused) if !is_shell => Err(format!("--set {unused}: no query has a parameter ${unused}")),
        _ => Ok(()),
    }
}

/// `NAME=VALUE`; a `$` before the name is understood.
pub fn assignment(pair: &str) -> Result<(String, String), String> {
    let (name, value) = pair.split_once('=').ok_or_else(|| format!("--set {pair}: NAME=VALUE is needed"))?;
    let name = name.trim_start_matches('$');
    if name.is_empty() || !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
        return Err(format!("--set {pair}: a name of letters, digits and _ is needed before ="));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// The questions in a file, or on standard input.
fn read(path: &str, option: &str) -> Result<Vec<Question>, String> {
    let mut text = String::new();
    let (outcome, name) = if path == "-" {
        (std::io::stdin().lock().read_to_string(&mut text).map(|_| ()), option)
    } else {
        (std::fs::read_to_string(path).map(|content| text = content), path)
    };
    outcome.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{option} {path}: no such file"),
        std::io::ErrorKind::InvalidData => format!("{option} {path}: not UTF-8 text"),
        _ => format!("{option} {path}: {error}"),
    })?;
    // Editors of some systems put a byte order mark first.
    taken_apart(text.trim_start_matches('\u{feff}'), name)
}

fn taken_apart(text: &str, source: &str) -> Result<Vec<Question>, String> {
    let split = statements::split(text).map_err(|error| format!("{source}: {error}"))?;
    let is_one = split.statements.len() == 1 && source == "--sql";
    let name = |statement: &Statement| if is_one { source.to_owned() } else { format!("{source}:{}", statement.line) };
    Ok(split.statements.into_iter().map(|statement| Question { source: name(&statement), statement }).collect())
}

/// A question that could not be answered.
pub struct Failure {
    pub message: String,
    /// Others were answered before it.
    pub is_partial: bool,
}

/// Answers all questions, in order; the first that fails ends it.
pub async fn answer(options: &Options, arguments: &Arguments, files: &Files, catalog: &Catalog, out: &mut Output) -> Result<(), Failure> {
    if options.questions.is_empty() {
        return Ok(());
    }
    let whole = |message: String| Failure { message, is_partial: false };
    match &options.output {
        Some(path) => {
            let mut file = files.create(path).map_err(whole)?;
            let rows = answer_into(options, arguments, catalog, &mut file).await.map_err(|failure| whole(failure.message))?;
            let bytes = file.commit().map_err(whole)?;
            out.wrote("sql", path, rows, bytes);
            Ok(())
        }
        None => answer_into(options, arguments, catalog, out).await.map(|_| ()),
    }
}

/// The rows of all answers, for those who need them whole.
pub async fn rows(options: &Options, catalog: &Catalog) -> Result<Vec<RecordBatch>, String> {
    let mut all = Vec::new();
    for Question { statement, source } in &options.questions {
        let told = |error: &_| format!("{source}: {}", answer::one_line(error));
        let frame = catalog.ask(&statement.sql, &options.set).await.map_err(|error| told(&error))?;
        all.extend(frame.collect().await.map_err(|error| told(&error))?);
    }
    Ok(all)
}

/// Gives the rows of all answers.
async fn answer_into(options: &Options, arguments: &Arguments, catalog: &Catalog, sink: &mut dyn Sink) -> Result<u64, Failure> {
    // Equal secrets get equal numbers in all answers of a run.
    let (mut secrets, mut rows) = (Secrets::default(), 0);
    for (at, Question { statement, source }) in options.questions.iter().enumerate() {
        let failed = |message: String| Failure { message, is_partial: at > 0 };
        let told = |error: &_| failed(format!("{source}: {}", answer::one_line(error)));
        let timer = profile::start_alone();
        let frame = catalog.ask(&statement.sql, &options.set).await.map_err(|error| told(&error))?;
        if at > 0 && options.form.parts_answers() && !sink.take(b"\n").map_err(failed)? {
            return Ok(rows);
        }
        let written = answer::write(frame, options.form, arguments.verbose, &mut secrets, sink).await.map_err(failed)?;
        let written = written.map_err(|error| told(&error))?;
        timer.stop("query", "--sql", written.rows, 0);
        rows += written.rows;
        if !written.is_read {
            break;
        }
    }
    Ok(rows)
}
