//! What the user asked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};
use pcapper_queries::analyzer::Analyzer;
use pcapper_queries::ioc::Loaded;
use pcapper_queries::ot_rules::{self, OtRules};
use serde_json::{Map, Value};

use crate::case::{self, Case};
use crate::flags::{FLAGS, Flag, Group};
use crate::render::banner;
use crate::select::complain;
use crate::{baseline, export, help, ioc, log, timeline};

/// What to do.
pub enum Command {
    Run(Box<Arguments>),
    /// Print a text and stop.
    Print(String),
}

/// Form of the answer to `--sql`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Table,
    Json,
    JsonLines,
    Csv,
}

/// A parsed command line.
pub struct Arguments {
    pub targets: Vec<OsString>,
    pub recursive: bool,
    pub verbose: bool,
    pub summarize: bool,
    pub no_color: bool,
    pub no_status: bool,
    pub show_secrets: bool,
    /// Rows of the protocol table.
    pub limit_protocols: usize,
    /// Rows of the sessions of `--ot-commands`; `None` for all.
    pub limit_sessions: Option<usize>,
    /// `--ot-commands-fast` was given.
    pub is_fast: bool,
    /// Analyzers asked for, in the order of their flags.
    pub analyzers: Vec<Analyzer>,
    pub timeline: timeline::Options,
    pub base: bool,
    pub exports: export::Options,
    pub filter: export::Filter,
    pub log: log::Options,
    pub case: Option<Case>,
    /// The configuration file.
    pub config: Option<String>,
    /// The options in force, for records of the run.
    pub effective: Value,
    pub sql: Option<String>,
    pub form: Form,
    pub output: Option<PathBuf>,
    /// Indicators to look for.
    pub ioc: Option<Loaded>,
    /// The site's own rules for commands.
    pub ot_rules: Option<Arc<OtRules>>,
    pub baseline: baseline::Options,
    /// Captures that a thing must occur in to be correlated; `None` where nobody asked.
    pub correlate: Option<usize>,
    pub lake: Option<PathBuf>,
    pub no_cache: bool,
}

/// The options as given, defaults filled in; a feature reads its own from here.
#[derive(Clone, Debug)]
pub struct Given(ArgMatches);

impl Given {
    /// The value of an option; of a repeated one, the last.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get_many::<String>(name)?.next_back().map(String::as_str)
    }

    /// All values of an option that may be repeated.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.0.get_many::<String>(name).into_iter().flatten().cloned().collect()
    }

    /// Whether a switch was given.
    pub fn switch(&self, name: &str) -> bool {
        self.0.get_flag(name)
    }

    /// Whether an option was given at all, rather than left at its default.
    pub fn has(&self, name: &str) -> bool {
        self.0.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
    }

    /// A whole number of 1 or more.
    pub fn count(&self, name: &str) -> Result<usize, String> {
        let given = self.text(name).unwrap_or_default();
        let number = given.parse().ok().filter(|&number: &usize| number >= 1);
        number.ok_or_else(|| format!("--{name} {given}: a number of 1 or more is needed"))
    }

    /// All options that are on or have a value, by name, `-` as `_`.
    fn in_force(&self) -> Value {
        let mut options = Map::new();
        for flag in FLAGS {
            let value = match flag.value {
                None if self.switch(flag.name) => Value::Bool(true),
                None => continue,
                Some(_) => match self.texts(flag.name).as_slice() {
                    [] => continue,
                    list if REPEATED.contains(&flag.name) => list.iter().cloned().collect(),
                    list => list.last().cloned().into(),
                },
            };
            options.insert(flag.analyzer(), value);
        }
        Value::Object(options)
    }
}

impl Arguments {
    /// Names of the reports of the run, sorted.
    pub fn summaries(&self) -> Vec<String> {
        if self.sql.is_some() {
            return Vec::new();
        }
        let mut names: Vec<String> = self.analyzers.iter().map(|analyzer| analyzer.name.clone()).collect();
        if self.base || names.is_empty() {
            names.push("base".to_owned());
        }
        names.sort();
        names
    }

    /// Files of the run that are no exports of reports, each with its flag.
    pub fn side_files(&self) -> Vec<(&'static str, &Path)> {
        let log = self.log.file.as_deref().map(|path| ("--log-file", path));
        let output = self.output.as_deref().map(|path| ("-o", path));
        let baseline = self.baseline.save.as_deref().map(|path| ("--baseline-save", path));
        [log, output, baseline].into_iter().flatten().collect()
    }
}

/// Options that are documented and not built yet, by theme: they say so and stop.
const NOT_BUILT: &[&[&str]] = &[
    // Configuration.
    &["config"],
    // Plugins.
    &["plugins", "list-plugins"],
    // Self-check and profile.
    &["self-check", "profile", "profile-out"],
    // Rules.
    &["rules"],
    // Filters.
    &["bpf", "time-start", "time-end", "ip"],
    // Search, packets, streams.
    &["search", "case", "packet", "raw", "follow", "follow-id", "lookup-stream-id", "streams-full"],
    // Files and carving.
    &["view", "extract", "carve", "carve-limit", "carve-max-bytes", "carve-out", "carve-stream-bytes"],
    &["write-pcap"],
    // Decryption.
    &["decrypt", "decrypt-limit", "decrypt-out", "tls-keylog", "ssh-keylog"],
    // Indicators.
    &["vt"],
    // The prompt.
    &["shell", "sql-file", "set"],
    // Reports to hand over.
    &["html"],
    &["markdown"],
];

/// Options that may be given more than once; each adds to the others.
const REPEATED: &[&str] = &["ioc-file", "rules", "tls-keylog", "ssh-keylog", "plugins", "set"];

/// Analyzer that the flags `--ot-commands-fast` and `--ot-commands-sessions` are about.
pub const OT_COMMANDS: &str = "ot_commands";
/// Sessions that are shown where nothing is said.
const SESSIONS: usize = 10;

/// Reads the command line; an error is one line for the user.
pub fn parse(given: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let given: Vec<OsString> = given.map(unbundled).collect();
    if given.len() <= 1 {
        return Err("no capture named: pcapper [OPTIONS] TARGET... (--help lists the options)".to_owned());
    }
    let matches = command().try_get_matches_from(given).map_err(|error| explained(&error))?;
    let analyzers = pcapper_queries::analyzer::built_in();
    if matches.contains_id("help") {
        let about = matches.get_one::<String>("help").filter(|about| !about.is_empty());
        return match about {
            Some(about) => help::about(about, &analyzers).map(Command::Print),
            None => Ok(Command::Print(format!("{}{}", banner::text(), help::menu()))),
        };
    }
    if matches.get_flag("version") {
        return Ok(Command::Print(banner::text()));
    }
    let given = Given(matches);
    for flag in FLAGS {
        let is_analyzer = flag.value.is_none() && !matches!(flag.group, Group::General | Group::Data) && flag.name != "ot-commands-fast";
        let built = !NOT_BUILT.iter().any(|theme| theme.contains(&flag.name))
            && (!is_analyzer || analyzers.iter().any(|analyzer| analyzer.name == flag.analyzer()));
        // The host in focus of a report about one host.
        let built = built || (flag.name == "ip" && given.switch(timeline::TIMELINE));
        if given.has(flag.name) && !built {
            return Err(format!("{} is not built yet; it comes with a later version", flag.spelled()));
        }
    }
    if let Some(list) = timeline::listing(&given) {
        return Ok(Command::Print(list));
    }
    if given.switch("tables") {
        return Ok(Command::Print(help::tables()));
    }
    if let Some(table) = given.text("describe") {
        return help::describe(table).map(Command::Print);
    }
    let mut asked = in_order(&given, &analyzers);
    // A flag that only tells how implies the report it is about.
    if given.has("ioc-file") && asked.iter().all(|analyzer| analyzer.name != "ioc") {
        asked.extend(analyzers.iter().find(|analyzer| analyzer.name == "ioc").cloned());
    }
    if given.switch("ot-commands-fast") && asked.iter().all(|analyzer| analyzer.name != OT_COMMANDS) {
        asked.extend(analyzers.iter().find(|analyzer| analyzer.name == OT_COMMANDS).cloned());
    }
    if given.switch("show-sql") {
        return Ok(Command::Print(help::sql_of(&asked)));
    }
    arguments(&given, asked).map(|arguments| Command::Run(Box::new(arguments)))
}

fn arguments(given: &Given, analyzers: Vec<Analyzer>) -> Result<Arguments, String> {
    let text = |name: &str| given.text(name).map(str::to_owned);
    let targets: Vec<OsString> = given.0.get_many("TARGET").into_iter().flatten().cloned().collect();
    if targets.is_empty() {
        return Err("no capture named: pcapper [OPTIONS] TARGET...".to_owned());
    }
    let limit_protocols = given.count("limit-protocols")?;
    let limit_sessions = match text("ot-commands-sessions").as_deref() {
        None => Some(SESSIONS),
        Some("0" | "all") => None,
        Some(given) => {
            let number = given.parse().map_err(|_| format!("--ot-commands-sessions {given}: a number is needed, 0 or all for no limit"))?;
            Some(number)
        }
    };
    let form = match text("format").as_deref() {
        None | Some("table") => Form::Table,
        Some("json") => Form::Json,
        Some("jsonl") => Form::JsonLines,
        Some("csv") => Form::Csv,
        Some(other) => return Err(format!("--format {other}: table, json, jsonl or csv is needed")),
    };
    let sql = text("sql");
    for companion in ["format", "output"] {
        if given.has(companion) && sql.is_none() {
            return Err(format!("{} needs --sql", if companion == "output" { "-o" } else { "--format" }));
        }
    }
    let case = case::options(given)?;
    let exports = export::options(given, case.as_ref())?;
    // `-` is standard output, as is no name at all.
    let output =
        given.text("output").filter(|path| *path != "-").map(|path| case.as_ref().map_or_else(|| PathBuf::from(path), |case| case.place(path)));
    let baseline = baseline::options(given, case.as_ref())?;
    Ok(Arguments {
        targets,
        effective: given.in_force(),
        recursive: given.switch("recursive"),
        verbose: given.switch("verbose"),
        summarize: given.switch("summarize"),
        no_color: given.switch("no-color"),
        no_status: given.switch("no-status"),
        show_secrets: given.switch("show-secrets"),
        limit_protocols,
        limit_sessions,
        is_fast: given.switch("ot-commands-fast"),
        timeline: timeline::options(given)?,
        base: given.switch("base"),
        analyzers,
        exports,
        filter: export::Filter::of(given),
        log: log::options(given.text("log-file"), given.switch("log-json"), case.as_ref()),
        case,
        config: text("config"),
        sql,
        form,
        output,
        ioc: ioc::options(given)?,
        ot_rules: ot_rules(given)?,
        baseline,
        correlate: correlate(given)?,
        lake: text("lake").map(PathBuf::from),
        no_cache: given.switch("no-cache"),
    })
}

/// The rules for commands that a file gives.
fn ot_rules(given: &Given) -> Result<Option<Arc<OtRules>>, String> {
    let Some(path) = given.text("ot-commands-config") else { return Ok(None) };
    let (rules, remarks) = ot_rules::load(path.as_ref())?;
    for remark in remarks {
        complain(&format!("--ot-commands-config {path}: {remark}"));
    }
    Ok(Some(Arc::new(rules)))
}

/// The least number of captures to correlate over, where correlation was asked for.
fn correlate(given: &Given) -> Result<Option<usize>, String> {
    let minimum = given.count("correlate-min")?;
    if minimum < 2 && given.switch("correlate") {
        complain("--correlate-min 1: taken as 2, what occurs in one capture is correlated with nothing");
    }
    Ok(given.switch("correlate").then_some(minimum.max(2)))
}

/// Analyzers whose flags were given, in the order of the command line.
fn in_order(given: &Given, analyzers: &[Analyzer]) -> Vec<Analyzer> {
    let mut asked: Vec<(usize, &Analyzer)> = FLAGS
        .iter()
        .filter(|flag| flag.value.is_none() && !matches!(flag.name, "base" | "correlate") && given.switch(flag.name))
        .filter_map(|flag| {
            let analyzer = analyzers.iter().find(|analyzer| analyzer.name == flag.analyzer())?;
            Some((given.0.indices_of(flag.name)?.next()?, analyzer))
        })
        .collect();
    asked.sort_by_key(|(at, _)| *at);
    asked.into_iter().map(|(_, analyzer)| analyzer.clone()).collect()
}

/// The parser, made from the list of flags.
fn command() -> clap::Command {
    let mut command = clap::Command::new("pcapper")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .infer_long_args(false)
        .args_override_self(true)
        .arg(Arg::new("TARGET").num_args(0..).action(ArgAction::Append).value_parser(ValueParser::os_string()))
        .arg(Arg::new("help").short('h').long("help").num_args(0..=1).require_equals(true).default_missing_value("").action(ArgAction::Set))
        .arg(Arg::new("version").short('V').long("version").action(ArgAction::SetTrue));
    for flag in FLAGS {
        command = command.arg(argument(flag));
    }
    command
}

fn argument(flag: &Flag) -> Arg {
    let mut arg = Arg::new(flag.name).long(flag.name);
    if let Some(short) = flag.short {
        arg = arg.short(short);
    }
    if let Some(alias) = flag.alias {
        arg = arg.alias(alias.trim_start_matches('-'));
    }
    match flag.value {
        Some(value) => {
            let action = if REPEATED.contains(&flag.name) { ArgAction::Append } else { ArgAction::Set };
            arg = arg.value_name(value).action(action).value_parser(ValueParser::string());
            match flag.default {
                Some(default) if flag.group == Group::General => arg.default_value(default),
                _ => arg,
            }
        }
        None => arg.action(ArgAction::SetTrue),
    }
}

/// Long options that are written with one dash must not be taken for bundled short ones: `-raw` is never `-r -a -w`.
fn unbundled(argument: OsString) -> OsString {
    let Some(text) = argument.to_str() else { return argument };
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let long = FLAGS.iter().find(|flag| (flag.single_dash && flag.spelled() == name) || (flag.alias == Some(name) && name.len() > 2));
    match (long, value) {
        (Some(flag), Some(value)) => format!("--{}={value}", flag.name).into(),
        (Some(flag), None) => format!("--{}", flag.name).into(),
        (None, _) => argument,
    }
}

/// clap's error as one line.
fn explained(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let option = context(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => match context(ContextKind::SuggestedArg) {
            Some(near) => format!("unknown option {option}; did you mean {near}?"),
            None => format!("unknown option {option} (--help lists the options)"),
        },
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_none_or(|value| value.is_empty()) => {
            format!("{} needs a value", option.split_whitespace().next().unwrap_or(&option))
        }
        ErrorKind::TooManyValues => format!("{} takes no value", option.split('=').next().unwrap_or(&option)),
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}
