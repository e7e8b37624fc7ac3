//! What the user asked for.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use pcapper_queries::analyzer::Analyzer;
use pcapper_queries::catalog::Extension;
use pcapper_queries::ioc::Loaded;
use pcapper_queries::ot_rules::{self, OtRules};
use pcapper_queries::plugins::Plugins;
use pcapper_queries::rules::Pack;
use serde_json::{Map, Value};

use crate::case::{self, Case};
use crate::config::{self, Preset, Setting, Settings};
use crate::flags::{FLAGS, Flag, Group, RENAMED};
use crate::render::banner;
use crate::select::complain;
use crate::status::Status;
use crate::virustotal::VirusTotal;
use crate::{
    baseline, decrypt, evidence, export, geoip, help, hostdetails, ioc, lake, log, narrow, plugins, profile, rules, selfcheck, sql, suricata,
    timeline, virustotal,
};

/// What to do.
pub enum Command {
    Run(Box<Arguments>),
    /// Print a text and stop.
    Print(String),
    /// Find out something that a text tells, print that, and stop.
    Tell(Box<dyn FnOnce() -> (String, Status)>),
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
    /// Hosts that `--hostdetails` is about.
    pub hosts: Vec<String>,
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
    /// Questions in SQL, or a prompt for them.
    pub sql: Option<sql::Options>,
    pub lake_command: Option<lake::Command>,
    /// Indicators to look for.
    pub ioc: Option<Loaded>,
    /// The site's own rules for commands.
    pub ot_rules: Option<Arc<OtRules>>,
    pub baseline: baseline::Options,
    /// Captures that a thing must occur in to be correlated; `None` where nobody asked.
    pub correlate: Option<usize>,
    pub lake: Option<PathBuf>,
    /// Size that the lake is held to, where something is said of it; 0 for none.
    pub max_bytes: Option<u64>,
    pub no_cache: bool,
    /// Countries that a peer in is told.
    pub countries: Vec<String>,
    /// Who is asked for reputations, where that was wanted.
    pub virustotal: Option<VirusTotal>,
    /// Whether and where to say where the time went.
    pub profile: Option<profile::Options>,
    /// Rules over the findings.
    pub rules: Option<Pack>,
    /// What plugins and the configuration file add to the tables and detections.
    pub extension: Arc<Extension>,
    pub decrypt: decrypt::Options,
    /// What narrows the run.
    pub narrow: narrow::Options,
    /// What is read back from the captures.
    pub evidence: evidence::Options,
    /// Where alerts of Suricata come from.
    pub suricata: Option<suricata::Source>,
}

/// Environment variables that are options: not empty, they stand behind the command line and before the configuration file.
const ENVIRONMENT: &[(&str, &str)] = &[("lake", "PCAPPER_LAKE"), ("case-analyst", "PCAPPER_ANALYST"), ("no-color", "NO_COLOR")];

/// Environment variables that stand before what tables of the configuration file set; an empty one takes that back.
const ENVIRONMENT_OF_ENTRIES: &[(&str, &str)] =
    &[("lake.max_bytes", "PCAPPER_LAKE_MAX_BYTES"), ("geoip.city", "PCAPPER_GEOIP_CITY_DB"), ("geoip.asn", "PCAPPER_GEOIP_ASN_DB")];

/// Where the value of an option comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    CommandLine,
    /// The variable's name.
    Environment(&'static str),
    /// File, place and key.
    File(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CommandLine => "command line",
            Self::Environment(variable) => variable,
            Self::File(place) => place,
        })
    }
}

/// The options in force; a feature reads its own from here. The command line comes before the environment, that before the
/// configuration file, and that before what is built in.
#[derive(Clone, Debug)]
pub struct Given {
    matches: ArgMatches,
    settings: Settings,
    /// Options that the environment sets, with their values.
    environment: Vec<(&'static str, &'static str, String)>,
}

impl Given {
    fn new(matches: ArgMatches, settings: Settings) -> Self {
        let set = |(name, variable): &(&'static str, &'static str)| {
            let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
            Some((*name, *variable, value.to_string_lossy().into_owned()))
        };
        Self { matches, settings, environment: ENVIRONMENT.iter().filter_map(set).collect() }
    }

    /// The value of an option; of a repeated one, the last.
    pub fn text(&self, name: &str) -> Option<&str> {
        let given = self.matches.get_many::<String>(name).and_then(|mut values| values.next_back()).map(String::as_str);
        if self.has(name) {
            return given;
        }
        if let Some((.., value)) = self.environment.iter().find(|(known, ..)| *known == name) {
            return Some(value);
        }
        match self.setting(name).map(|setting| &setting.value) {
            Some(Preset::Texts(values)) => values.last().map(String::as_str),
            _ => given,
        }
    }

    /// All values of an option that may be repeated.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.setting(name).map(|setting| &setting.value) {
            Some(Preset::Texts(values)) if !self.has(name) => values.clone(),
            _ => self.matches.get_many::<String>(name).into_iter().flatten().cloned().collect(),
        }
    }

    /// Whether a switch is on.
    pub fn switch(&self, name: &str) -> bool {
        if self.has(name) {
            return true;
        }
        if self.is_off(name) {
            return false;
        }
        let is_quiet = ["no-status", "no-color"].contains(&name) && self.matches.get_flag("quiet");
        let in_environment = || self.environment.iter().any(|(known, ..)| *known == name);
        is_quiet || in_environment() || matches!(self.setting(name).map(|setting| &setting.value), Some(Preset::Switch(true)))
    }

    /// Whether an option stands on the command line, rather than being set elsewhere or left at its default.
    pub fn has(&self, name: &str) -> bool {
        self.matches.value_source(name) == Some(ValueSource::CommandLine)
    }

    /// Whether a switch was taken back on the command line.
    fn is_off(&self, name: &str) -> bool {
        let opposite = name.strip_prefix("no-").map_or_else(|| format!("no-{name}"), str::to_owned);
        matches!(self.matches.try_get_one::<bool>(&opposite), Ok(Some(true)))
    }

    fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.options.iter().find(|setting| setting.name == name)
    }

    /// The configuration file that was read.
    pub fn file(&self) -> Option<&std::path::Path> {
        self.settings.file.as_deref()
    }

    /// Whether the configuration file sets an option, be it in force or not.
    pub fn is_in_file(&self, name: &str) -> bool {
        self.setting(name).is_some()
    }

    /// What a table of the configuration file other than `[defaults]` sets, or the environment in its place, with its origin.
    pub fn entry(&self, name: &str) -> Option<(Vec<String>, Origin)> {
        let variable = ENVIRONMENT_OF_ENTRIES.iter().find(|(known, _)| *known == name).map(|(_, variable)| *variable);
        if let Some((variable, value)) = variable.and_then(|variable| Some((variable, std::env::var_os(variable)?))) {
            let value = value.to_string_lossy().into_owned();
            return (!value.is_empty()).then(|| (vec![value], Origin::Environment(variable)));
        }
        let entry = self.settings.entries.iter().find(|entry| entry.name == name)?;
        Some((entry.values.clone(), Origin::File(entry.origin.clone())))
    }

    /// Names of what tables of the file other than `[defaults]` and the environment set, in order.
    pub fn entries(&self) -> BTreeSet<&str> {
        let of_environment = ENVIRONMENT_OF_ENTRIES.iter().map(|(name, _)| *name);
        self.settings.entries.iter().map(|entry| entry.name.as_str()).chain(of_environment).collect()
    }

    /// Whether a table of the configuration file sets something, be it in force or not.
    pub fn is_entry_in_file(&self, name: &str) -> bool {
        self.settings.entries.iter().any(|entry| entry.name == name)
    }

    /// A whole number of 1 or more.
    pub fn count(&self, name: &str) -> Result<usize, String> {
        let given = self.text(name).unwrap_or_default();
        // A sign is no digit.
        let number = given.parse().ok().filter(|&number: &usize| number >= 1 && !given.starts_with('+'));
        number.ok_or_else(|| format!("--{name} {given}: a number of 1 or more is needed"))
    }

    /// Where the value of an option comes from; `None` where it is built in.
    pub fn origin(&self, name: &str) -> Option<Origin> {
        if self.has(name) || self.is_off(name) {
            return Some(Origin::CommandLine);
        }
        if let Some((_, variable, _)) = self.environment.iter().find(|(known, ..)| *known == name) {
            return Some(Origin::Environment(variable));
        }
        self.setting(name).map(|setting| Origin::File(setting.origin.clone()))
    }

    /// Where the command line names an option, in order; options that only the file sets stand after all others.
    fn place(&self, name: &str) -> Option<usize> {
        match self.matches.indices_of(name) {
            Some(mut places) if self.has(name) => places.next(),
            _ => Some(usize::MAX / 2 + self.settings.options.iter().position(|setting| setting.name == name)?),
        }
    }

    /// A message about an option (`--name ...`) with the place in the configuration file that sets it.
    fn located(&self, message: String) -> String {
        let name = message.trim_start_matches('-').split([' ', ':', '=']).next().unwrap_or_default();
        match self.setting(name) {
            Some(setting) if message.starts_with('-') && matches!(self.origin(name), Some(Origin::File(_))) => {
                format!("{}: {message}", setting.origin)
            }
            _ => message,
        }
    }

    /// All options that are on or have a value, by name, `-` as `_`, and what tables of the configuration file set.
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
        for name in self.entries() {
            let value = |(values, _): (Vec<String>, Origin)| match values.as_slice() {
                [one] => Value::from(one.as_str()),
                several => Value::from(several),
            };
            options.extend(self.entry(name).map(|entry| (name.to_owned(), value(entry))));
        }
        if let Some(eve) = self.text(suricata::EVE) {
            options.insert("suricata".to_owned(), eve.into());
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
        if self.base || (names.is_empty() && self.rules.is_none()) {
            names.push("base".to_owned());
        }
        names.extend(self.rules.is_some().then(|| "rules".to_owned()));
        names.sort();
        names
    }

    /// Files of the run that are no exports of reports, each with its flag.
    pub fn side_files(&self) -> Vec<(&'static str, &Path)> {
        let log = self.log.file.as_deref().map(|path| ("--log-file", path));
        let output = self.sql.as_ref().and_then(|sql| sql.output.as_deref()).map(|path| ("-o", path));
        let baseline = self.baseline.save.as_deref().map(|path| ("--baseline-save", path));
        let frames = self.evidence.write_pcap.as_deref().map(|path| ("--write-pcap", path));
        [log, output, baseline, frames].into_iter().flatten().collect()
    }
}

/// Options that may be given more than once; each adds to the others.
pub const REPEATED: &[&str] = &["ioc-file", "rules", "tls-keylog", "ssh-keylog", "plugins", "set"];

/// Analyzer that the flags `--ot-commands-fast` and `--ot-commands-sessions` are about.
pub const OT_COMMANDS: &str = "ot_commands";
/// Sessions that are shown where nothing is said.
const SESSIONS: usize = 10;

/// Reads the command line, and what stands behind it; an error is a line for the user, or several.
pub fn parse(given: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let given: Vec<OsString> = given.map(unbundled).flat_map(with_file).collect();
    if given.len() <= 1 {
        return Err("no capture named: pcapper [OPTIONS] TARGET... (--help lists the options)".to_owned());
    }
    // The configuration file names plugins, and plugins give flags: both are read before the rest is understood.
    let mut warnings = Vec::new();
    let file = config::find(&given, &mut |warning| warnings.push(warning.to_owned()));
    let mut plugins = plugins::find(&given, file.as_ref().ok().and_then(Option::as_ref))?;
    let flags = crate::flags::with_plugins(&plugins.flags());
    let matches = command(&flags).try_get_matches_from(&given).map_err(|error| explained(&error, &flags, &plugins))?;
    let mut analyzers = pcapper_queries::analyzer::built_in();
    analyzers.extend(
        plugins
            .extension()
            .analyzers
            .into_iter()
            .filter(|analyzer| flags.iter().any(|flag| flag.group == Group::Plugins && flag.analyzer() == analyzer.name)),
    );
    if matches.contains_id("help") {
        let about = matches.get_one::<String>("help").filter(|about| !about.is_empty());
        return match about {
            Some(about) => help::about(about, &flags, &analyzers).map(Command::Print),
            None => Ok(Command::Print(format!("{}{}", banner::text(), help::menu(&flags)))),
        };
    }
    if matches.get_flag("version") {
        return Ok(Command::Print(banner::text()));
    }
    if let Some(shell) = matches.get_one::<String>("completions") {
        return help::completions(shell, listed(&flags)).map(Command::Print);
    }
    if matches.get_flag("man") {
        return help::manual(listed(&flags)).map(Command::Print);
    }
    for warning in warnings.iter().chain(&plugins.warnings) {
        complain(warning);
    }
    let settings = file.and_then(|file| file.map_or_else(|| Ok(Settings::default()), |file| file.settings(&flags)));
    if matches.get_flag("self-check") {
        let fault = settings.as_ref().err().cloned();
        let given = Given::new(matches, settings.unwrap_or_default());
        return Ok(Command::Tell(Box::new(move || {
            let (text, status) = selfcheck::check(&given, &flags, &plugins, fault.as_deref());
            log::self_check(status);
            (text, status)
        })));
    }
    let given = Given::new(matches, settings?);
    understood(&given, &flags, &mut plugins, &analyzers).map_err(|message| given.located(message))
}

fn understood(given: &Given, flags: &[&'static Flag], plugins: &mut Plugins, analyzers: &[Analyzer]) -> Result<Command, String> {
    if let Some(list) = timeline::listing(given) {
        return Ok(Command::Print(list));
    }
    for setting in given.texts("set") {
        match setting.split_once('=') {
            Some((name, value)) if name.contains('.') && !suricata::owns(name) => plugins.set(name, value)?,
            // Those of questions in SQL, and of --suricata, are read with them.
            _ => {}
        }
    }
    if given.switch("list-plugins") {
        let (listed, count) = (plugins::list(plugins, given), plugins.found.len());
        return Ok(Command::Tell(Box::new(move || {
            log::list_plugins(count);
            listed
        })));
    }
    if given.switch("tables") {
        return Ok(Command::Print(help::tables()));
    }
    if let Some(table) = given.text("describe") {
        return help::describe(table).map(Command::Print);
    }
    let mut extension = plugins.extension();
    extension.internal.clone_from(&given.settings.internal);
    extension.ot.clone_from(&given.settings.ot);
    extension.geo = geoip::options(given)?;
    // The values of parameters are known by now.
    let bound = |analyzer: &Analyzer| {
        extension.analyzers.iter().find(|own| analyzer.plugin.is_some() && own.name == analyzer.name).unwrap_or(analyzer).clone()
    };
    let analyzers: Vec<Analyzer> = analyzers.iter().map(bound).collect();
    let mut asked = in_order(given, flags, &analyzers);
    // A flag that only tells how implies the report it is about.
    if given.has("ioc-file") && asked.iter().all(|analyzer| analyzer.name != "ioc") {
        asked.extend(analyzers.iter().find(|analyzer| analyzer.name == "ioc").cloned());
    }
    if given.switch("ot-commands-fast") && asked.iter().all(|analyzer| analyzer.name != OT_COMMANDS) {
        asked.extend(analyzers.iter().find(|analyzer| analyzer.name == OT_COMMANDS).cloned());
    }
    if given.switch("show-sql") {
        // Some reports are asked for by the file that they are about, or are made apart from the others.
        for flag in FLAGS.iter().filter(|flag| given.has(flag.name) && flag.name != "base") {
            let name = if flag.name == "baseline-compare" { "baseline".to_owned() } else { flag.analyzer() };
            if asked.iter().all(|analyzer| analyzer.name != name) {
                asked.extend(analyzers.iter().find(|analyzer| analyzer.name == name).cloned());
            }
        }
        if asked.is_empty() || given.switch("base") {
            asked.splice(0..0, analyzers.iter().filter(|analyzer| analyzer.name == "base").cloned());
        }
        return Ok(Command::Print(help::sql_of(&asked)));
    }
    let mut arguments = arguments(given, asked)?;
    arguments.extension = Arc::new(extension);
    Ok(Command::Run(Box::new(arguments)))
}

fn arguments(given: &Given, mut analyzers: Vec<Analyzer>) -> Result<Arguments, String> {
    let text = |name: &str| given.text(name).map(str::to_owned);
    let targets: Vec<OsString> = given.matches.get_many("TARGET").into_iter().flatten().cloned().collect();
    let (lake_command, targets) = lake::options(targets)?;
    // A lake that is named is asked as a whole where no capture is.
    if targets.is_empty() && lake_command.is_none() && !given.has("lake") {
        return Err("no capture named: pcapper [OPTIONS] TARGET... (or --lake DIR for all captures of a lake)".to_owned());
    }
    companions(given)?;
    let limit_protocols = given.count("limit-protocols")?;
    let limit_sessions = match text("ot-commands-sessions").as_deref() {
        None => Some(SESSIONS),
        Some("0" | "all") => None,
        Some(given) => {
            let number = given.parse().map_err(|_| format!("--ot-commands-sessions {given}: a number is needed, 0 or all for no limit"))?;
            Some(number)
        }
    };
    let hosts = hostdetails::options(given)?;
    let case = case::options(given)?;
    let exports = export::options(given, case.as_ref())?;
    let sql = sql::options(given, &targets, case.as_ref())?;
    let baseline = baseline::options(given, case.as_ref())?;
    let evidence = evidence::options(given, case.as_ref())?;
    let decrypt = decrypt::options(given, case.as_ref())?;
    for name in evidence.implied() {
        if analyzers.iter().all(|analyzer| analyzer.name != name) {
            analyzers.extend(pcapper_queries::analyzer::built_in().into_iter().find(|analyzer| analyzer.name == name));
        }
    }
    virustotal::imply(given, sql.as_ref(), &mut analyzers)?;
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
        hosts,
        base: given.switch("base"),
        analyzers,
        exports,
        filter: export::Filter::of(given),
        log: log::options(given.text("log-file"), given.switch("log-json"), case.as_ref()),
        case,
        config: given.file().map(|file| file.display().to_string()),
        sql,
        lake_command,
        ioc: ioc::options(given)?,
        ot_rules: ot_rules(given)?,
        baseline,
        correlate: correlate(given)?,
        lake: text("lake").map(PathBuf::from),
        max_bytes: max_bytes(given)?,
        countries: given.entry("geoip.countries").map(|(countries, _)| countries).unwrap_or_default(),
        virustotal: virustotal::options(given)?,
        no_cache: given.switch("no-cache"),
        profile: profile::options(given)?,
        rules: rules::options(given)?,
        extension: Arc::default(),
        decrypt,
        narrow: narrow::options(given)?,
        evidence,
        suricata: suricata::options(given)?,
    })
}

/// Options that mean nothing alone, and what each needs one of; questions in SQL see what rules for commands change.
const COMPANIONS: &[(&str, &[&str])] = &[
    ("baseline-fast", &["baseline-save", "baseline-compare"]),
    ("correlate-min", &["correlate"]),
    ("ot-commands-config", &["ot-commands", "ot-commands-fast", "sql", "sql-file", "shell"]),
    ("ot-commands-sessions", &["ot-commands", "ot-commands-fast"]),
];

/// Sees that no option stands on the command line without its companion.
fn companions(given: &Given) -> Result<(), String> {
    for (option, needs) in COMPANIONS.iter().filter(|(option, _)| given.has(option)) {
        let in_file = |name: &str| matches!(given.setting(name).map(|setting| &setting.value), Some(Preset::Texts(_)));
        if !needs.iter().any(|name| given.switch(name) || in_file(name)) {
            let listed: Vec<String> = needs.iter().map(|name| format!("--{name}")).collect();
            return Err(format!("--{option} needs {}", listed.join(" or ")));
        }
    }
    Ok(())
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

/// The size that the lake is held to, where something is said of it.
fn max_bytes(given: &Given) -> Result<Option<u64>, String> {
    let Some((sizes, origin)) = given.entry("lake.max_bytes") else { return Ok(None) };
    let size = sizes.concat();
    let bytes = lake::size_in_bytes(&size);
    // What a file says was read when the file was.
    bytes.map(Some).ok_or_else(|| match origin {
        Origin::Environment(variable) => format!("{variable}={size}: a size is needed (20GB; 0 for no limit)"),
        _ => format!("max_bytes: {size} is no size"),
    })
}

/// The least number of captures to correlate over, where correlation was asked for.
fn correlate(given: &Given) -> Result<Option<usize>, String> {
    let minimum = given.count("correlate-min")?;
    if minimum < 2 && given.switch("correlate") {
        complain("--correlate-min 1: taken as 2, what occurs in one capture is correlated with nothing");
    }
    Ok(given.switch("correlate").then_some(minimum.max(2)))
}

/// Analyzers whose flags are on, in the order of the command line, then of the configuration file.
fn in_order(given: &Given, flags: &[&'static Flag], analyzers: &[Analyzer]) -> Vec<Analyzer> {
    let mut asked: Vec<(usize, &Analyzer)> = flags
        .iter()
        .filter(|flag| flag.value.is_none() && !matches!(flag.name, "base" | "correlate") && given.switch(flag.name))
        .filter_map(|flag| {
            let analyzer = analyzers.iter().find(|analyzer| analyzer.name == flag.analyzer())?;
            Some((given.place(flag.name)?, analyzer))
        })
        .collect();
    asked.sort_by_key(|(at, _)| *at);
    asked.into_iter().map(|(_, analyzer)| analyzer.clone()).collect()
}

/// The options that are listed, as the parser knows them.
fn listed(flags: &[&'static Flag]) -> clap::Command {
    let command = clap::Command::new("pcapper")
        .version(env!("CARGO_PKG_VERSION"))
        .about(help::ABOUT)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .infer_long_args(false)
        .args_override_self(true)
        .arg(
            Arg::new("TARGET")
                .num_args(0..)
                .action(ArgAction::Append)
                .value_parser(ValueParser::os_string())
                .help(help::TARGET)
                .value_hint(clap::ValueHint::AnyPath),
        )
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .value_name("FLAG")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("")
                .action(ArgAction::Set)
                .help("List the options, or say all about one flag"),
        )
        .arg(Arg::new("version").short('V').long("version").action(ArgAction::SetTrue).help("Name and version"));
    flags.iter().fold(command, |command, flag| command.arg(argument(flag)))
}

/// The parser: the options that are listed, and those that take switches back.
fn command(flags: &[&'static Flag]) -> clap::Command {
    let mut command = listed(flags).arg(Arg::new(suricata::EVE).long(suricata::EVE).hide(true));
    command = command.arg(Arg::new("quiet").short('q').long("quiet").action(ArgAction::SetTrue).hide(true));
    for flag in flags.iter().filter(|flag| flag.value.is_none()) {
        // Names of options live as long as the run.
        let opposite: &'static str = Box::leak(flag.opposite().into_boxed_str());
        command = command.arg(Arg::new(opposite).long(opposite).action(ArgAction::SetTrue).overrides_with(flag.name).hide(true));
    }
    command
}

fn argument(flag: &Flag) -> Arg {
    let mut arg = Arg::new(flag.name).long(flag.name).help(flag.help).help_heading(flag.group.title());
    if let Some(short) = flag.short {
        arg = arg.short(short);
    }
    if let Some(alias) = flag.alias {
        arg = arg.alias(alias.trim_start_matches('-'));
    }
    match flag.value {
        Some(value) => {
            let action = if REPEATED.contains(&flag.name) { ArgAction::Append } else { ArgAction::Set };
            let hint = match value {
                "PATH" | "FILE" => clap::ValueHint::FilePath,
                "DIR" => clap::ValueHint::DirPath,
                _ => clap::ValueHint::Other,
            };
            arg = arg.value_name(value).action(action).value_parser(ValueParser::string()).value_hint(hint);
            match flag.default {
                Some(default) if flag.group == Group::General => arg.default_value(default),
                _ => arg,
            }
        }
        None => arg.action(ArgAction::SetTrue),
    }
}

/// Long options that are written with one dash must not be taken for bundled short ones: `-raw` is never `-r -a -w`. Names of
/// other releases become ours.
fn unbundled(argument: OsString) -> OsString {
    let Some(text) = argument.to_str() else { return argument };
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let renamed = RENAMED.iter().find(|(other, _)| *other == name).map(|(_, ours)| *ours);
    let is_long = |flag: &&Flag| (flag.single_dash && flag.spelled() == name) || (flag.alias == Some(name) && name.len() > 2);
    match (renamed.or_else(|| FLAGS.iter().find(is_long).map(|flag| flag.name)), value) {
        (Some(ours), Some(value)) => format!("--{ours}={value}").into(),
        (Some(ours), None) => format!("--{ours}").into(),
        (None, _) => argument,
    }
}

/// `--suricata=FILE` is the switch, and where its alerts lie.
fn with_file(argument: OsString) -> Vec<OsString> {
    match argument.to_str().and_then(|text| text.strip_prefix("--suricata=")) {
        Some(file) => vec!["--suricata".into(), format!("--{}={file}", suricata::EVE).into()],
        None => vec![argument],
    }
}

/// clap's error as one line.
fn explained(error: &clap::Error, flags: &[&'static Flag], plugins: &Plugins) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let option = context(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            if let Some(reason) = plugins.why_not(option.trim_start_matches('-')) {
                return format!("{option}: {reason}");
            }
            help::unknown(&option, flags)
        }
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_none_or(|value| value.is_empty()) => {
            format!("{} needs a value", option.split_whitespace().next().unwrap_or(&option))
        }
        ErrorKind::TooManyValues => format!("{} takes no value", option.split('=').next().unwrap_or(&option)),
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}
