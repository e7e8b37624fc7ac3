//! What the user asked for.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};
use pcapper_queries::analyzer::Analyzer;

use crate::flags::{FLAGS, Flag, Group};
use crate::{help, timeline};

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
    pub targets: Vec<String>,
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
    pub json: Option<String>,
    pub sql: Option<String>,
    pub form: Form,
    pub output: Option<PathBuf>,
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
}

/// Options that are documented and not built yet, by theme: they say so and stop.
const NOT_BUILT: &[&[&str]] = &[
    // Exports.
    &["csv", "sqlite", "export-raw", "export-redact"],
    // Logging.
    &["log-file", "log-json"],
    // Case record.
    &["case-dir", "case-name", "case-id", "case-analyst", "case-notes"],
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
    // Baselines.
    &["baseline-compare", "baseline-fast", "baseline-save"],
    // Correlation.
    &["correlate", "correlate-min"],
    // Indicators.
    &["ioc-file", "vt"],
    // Commands of one's own.
    &["ot-commands-config"],
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
            None => Ok(Command::Print(help::menu())),
        };
    }
    if matches.get_flag("version") {
        return Ok(Command::Print(format!("pcapper {}\n", env!("CARGO_PKG_VERSION"))));
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
    let targets = given.texts("TARGET");
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
    Ok(Arguments {
        targets,
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
        json: text("json"),
        sql,
        form,
        output: text("output").map(PathBuf::from),
        lake: text("lake").map(PathBuf::from),
        no_cache: given.switch("no-cache"),
    })
}

/// Analyzers whose flags were given, in the order of the command line.
fn in_order(given: &Given, analyzers: &[Analyzer]) -> Vec<Analyzer> {
    let mut asked: Vec<(usize, &Analyzer)> = FLAGS
        .iter()
        .filter(|flag| flag.value.is_none() && flag.name != "base" && given.switch(flag.name))
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
        .arg(Arg::new("TARGET").num_args(0..).action(ArgAction::Append))
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
