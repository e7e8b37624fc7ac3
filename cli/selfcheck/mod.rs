//! `--self-check`: will this installation work here?

mod engine;
mod machine;

use std::fmt::Write as _;

use pcapper_queries::plugins::Plugins;
use serde_json::json;

use crate::arguments::{Given, Origin};
use crate::flags::Flag;
use crate::render::{escape, grid};
use crate::status::Status;

/// Width of the rule under the title.
const WIDTH: usize = 72;

/// How a check went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Warn,
    Fail,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// One check.
struct Check {
    name: &'static str,
    state: State,
    detail: String,
    /// Lines below it.
    more: Vec<String>,
}

impl Check {
    fn new(name: &'static str, state: State, detail: impl Into<String>) -> Self {
        Self { name, state, detail: detail.into(), more: Vec::new() }
    }

    /// OK unless there are faults, which are listed.
    fn of_faults(name: &'static str, detail: String, faults: Vec<String>) -> Self {
        let state = if faults.is_empty() { State::Ok } else { State::Fail };
        Self { name, state, detail, more: faults }
    }
}

/// Runs every check: what they say, and the status of the run. `fault` is what is wrong with the configuration file.
pub fn check(given: &Given, flags: &[&'static Flag], plugins: &Plugins, fault: Option<&str>) -> (String, Status) {
    let checks = [
        engine::version(),
        config(given, flags, fault),
        machine::lake(given),
        machine::temp(),
        engine::tables(),
        engine::analyzers(),
        engine::dissectors(),
        of_plugins(plugins),
        engine::decompress(),
        engine::bpf(),
        engine::crypto(),
        machine::geoip(given),
        machine::virustotal(),
        machine::terminal(),
        machine::limits(),
    ];
    let status = if checks.iter().any(|check| check.state == State::Fail) { Status::Partly } else { Status::Done };
    if given.text("json") == Some("-") {
        let listed: Vec<_> = checks
            .iter()
            .map(|check| json!({"check": check.name, "status": check.state.name().to_lowercase(), "detail": check.detail, "more": check.more}))
            .collect();
        return (format!("{:#}\n", serde_json::Value::Array(listed)), status);
    }
    let mut text = format!("PCAPPER SELF-CHECK\n{}\n", "=".repeat(WIDTH));
    for check in &checks {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{:<12} {:<6} {}", check.name, format!("[{}]", check.state.name()), escape::text(&check.detail));
        for line in &check.more {
            let _ = writeln!(text, "{:19} {}", "", escape::text(line));
        }
    }
    (text, status)
}

/// The file used, and every value that is not built in, with its origin.
fn config(given: &Given, flags: &[&'static Flag], fault: Option<&str>) -> Check {
    if let Some(fault) = fault {
        let mut lines = fault.lines().map(str::to_owned);
        let mut check = Check::new("config", State::Fail, lines.next().unwrap_or_default());
        check.more = lines.collect();
        return check;
    }
    let file = given.file().map_or_else(|| "none".to_owned(), |file| file.display().to_string());
    let (mut rows, mut overridden) = (Vec::new(), Vec::new());
    for flag in flags.iter().filter(|flag| flag.name != "self-check") {
        let Some(origin) = given.origin(flag.name) else { continue };
        let value = match flag.value {
            Some(_) => match given.texts(flag.name).as_slice() {
                several @ [_, _, ..] => several.join(", "),
                _ => given.text(flag.name).unwrap_or_default().to_owned(),
            },
            None => given.switch(flag.name).to_string(),
        };
        if matches!(origin, Origin::Environment(_)) && given.is_in_file(flag.name) {
            overridden.push(flag.key());
        }
        rows.push(vec![flag.key(), format!("= {value}"), format!("({origin})")]);
    }
    for name in given.entries() {
        let Some((values, origin)) = given.entry(name) else { continue };
        if matches!(origin, Origin::Environment(_)) && given.is_entry_in_file(name) {
            overridden.push(name.to_owned());
        }
        rows.push(vec![name.to_owned(), format!("= {}", values.join(", ")), format!("({origin})")]);
    }
    let mut check = Check::new("config", State::Ok, file);
    if !overridden.is_empty() {
        check.state = State::Warn;
        let _ = write!(check.detail, "; the environment overrides {}", overridden.join(", "));
    }
    check.more = grid::columns(&rows);
    check
}

fn of_plugins(plugins: &Plugins) -> Check {
    let (sound, faulty): (Vec<_>, Vec<_>) = plugins.found.iter().partition(|found| found.faults.is_empty());
    let mut check = Check::new("plugins", State::Ok, format!("{} loaded", sound.len()));
    check.more = faulty.iter().flat_map(|found| found.faults.iter().map(|fault| format!("{}: {fault}", found.name))).collect();
    check.more.extend(plugins.warnings.iter().cloned());
    if !check.more.is_empty() {
        check.state = State::Warn;
        let _ = write!(check.detail, ", {} left out", faulty.len());
    }
    check
}
