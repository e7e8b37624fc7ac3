//! Rules made ready, and what they say of one command.

use std::collections::BTreeMap;
use std::net::IpAddr;

use glob::Pattern;

use super::file::{Code, File, Hours, Written};
use crate::functions::cidr_matches;

/// A command as the rules see it.
#[derive(Debug, Default)]
pub struct Command {
    pub protocol: String,
    pub command: String,
    pub code: Option<String>,
    pub point: Option<String>,
    /// Address and name.
    pub actor: [Option<String>; 2],
    pub target: [Option<String>; 2],
    pub class: String,
    pub is_refused: bool,
    pub is_broadcast: bool,
    /// Nanoseconds since 1970.
    pub ts: Option<i64>,
    /// Reasons that decoding gave.
    pub reasons: Vec<String>,
}

/// What becomes of it.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    pub class: String,
    pub risk: &'static str,
    pub reasons: Vec<String>,
    pub ignore: bool,
}

/// All rules of a file.
#[derive(Debug, Default)]
pub struct OtRules {
    classes: BTreeMap<String, u8>,
    rules: Vec<Rule>,
    safety: Vec<Who>,
    /// Engineering stations and gateways: known to command.
    known: Vec<Who>,
    quiet: Vec<Quiet>,
}

#[derive(Debug, Default)]
struct Rule {
    protocol: Option<String>,
    command: Option<Pattern>,
    /// Whole words of the command's name, any of which fits.
    words: Vec<String>,
    code: Option<u64>,
    point: Option<Pattern>,
    actor: Option<Who>,
    target: Option<Who>,
    /// Only commands without effect of their own: what older files add words for.
    only_harmless: bool,
    class: Option<String>,
    risk: Option<u8>,
    ignore: bool,
}

/// A host: address, network or name.
#[derive(Debug)]
enum Who {
    Network(String),
    Name(String),
}

/// Seconds of the day, and the zone's distance from UTC in seconds.
#[derive(Debug)]
struct Quiet {
    from: i64,
    to: i64,
    offset: i64,
}

/// Classes that do nothing to the process.
const HARMLESS: [&str; 4] = ["read", "diagnostic", "discovery", "subscribe"];
/// Reasons that weigh one each.
const WEIGHTY: [&str; 3] = ["public_peer", "broadcast", "unauthenticated"];

/// How much a class weighs where the file says nothing: as when decoding.
fn weight(class: &str) -> u8 {
    match class {
        "stop" | "download" | "firmware" | "mode_change" | "restart" => 3,
        "operate" | "force" | "delete" | "time_set" | "setpoint" | "config" => 2,
        "write" | "select" | "upload" | "auth" | "comm_control" => 1,
        _ => 0,
    }
}

impl OtRules {
    /// Makes a file's rules ready; the second value are remarks for the user.
    pub fn from_file(file: File) -> Result<(Self, Vec<String>), String> {
        let mut rules = Self::default();
        for (name, class) in file.class {
            let risk = within(class.risk, &format!("class.{name}.risk"))?;
            rules.classes.insert(name, risk);
        }
        for (at, written) in file.rule.into_iter().enumerate() {
            rules.rules.push(Rule::new(&written, at + 1)?);
        }
        for name in &file.safety_controllers {
            rules.safety.push(Who::new(name));
        }
        for name in file.engineering_stations.iter().chain(&file.gateways) {
            rules.known.push(Who::new(name));
        }
        for (at, hours) in file.quiet_hours.iter().enumerate() {
            rules.quiet.push(Quiet::new(hours).map_err(|what| format!("quiet_hours {}: {what}", at + 1))?);
        }
        let mut remarks = Vec::new();
        let mut markers = |key: &str, protocol: Option<&str>, words: &[String], codes: &[Code]| -> Result<(), String> {
            if words.is_empty() && codes.is_empty() {
                return Ok(());
            }
            remarks.push(format!("{key} is deprecated; write [[rule]] with command or code, and class"));
            let rule = || Rule { only_harmless: true, protocol: protocol.map(str::to_owned), class: Some("write".to_owned()), ..Rule::default() };
            if !words.is_empty() {
                rules.rules.push(Rule { words: words.iter().map(|word| word.to_lowercase()).collect(), ..rule() });
            }
            for code in codes {
                rules.rules.push(Rule { code: Some(number(code).ok_or_else(|| format!("{key}: {code:?} is no code"))?), ..rule() });
            }
            Ok(())
        };
        markers("write_markers", None, &file.write_markers, &[])?;
        for (protocol, words) in &file.protocol_markers {
            markers("protocol_markers", Some(&protocol.to_lowercase()), words, &[])?;
        }
        for (key, protocol, block) in [("dnp3", "dnp3", &file.dnp3), ("iec104", "iec104", &file.iec104), ("mms", "mms", &file.mms)] {
            let codes: Vec<Code> = block.functions.iter().chain(&block.asdu_types).chain(&block.services).cloned().collect();
            markers(key, Some(protocol), &block.names, &codes)?;
        }
        Ok((rules, remarks))
    }

    /// Judges one command. Rules apply in the order of the file; the last that fits decides.
    pub fn judge(&self, command: &Command) -> Verdict {
        let (mut class, mut risk, mut ignore, mut by) = (command.class.clone(), None, false, None);
        for (at, rule) in self.rules.iter().enumerate() {
            if !rule.fits(command) {
                continue;
            }
            if let Some(given) = &rule.class {
                class.clone_from(given);
            }
            risk = rule.risk.or(risk);
            ignore = rule.ignore;
            by = Some(at + 1);
        }
        let base = i32::from(risk.or_else(|| self.classes.get(&class).copied()).unwrap_or_else(|| weight(&class)));
        let mut reasons = command.reasons.clone();
        let mut score = base;
        if base > 0 {
            score += i32::try_from(reasons.iter().filter(|reason| WEIGHTY.contains(&reason.as_str())).count()).unwrap_or_default();
            if command.is_broadcast && !reasons.iter().any(|reason| reason == "broadcast") {
                score += 1;
                reasons.push("broadcast".to_owned());
            }
            if self.safety.iter().any(|who| who.is(&command.target)) {
                score += 1;
                reasons.push("safety_controller".to_owned());
            }
            if command.ts.is_some_and(|ts| self.quiet.iter().any(|quiet| quiet.holds(ts))) {
                score += 1;
                reasons.push("quiet_hours".to_owned());
            }
            if command.is_refused {
                score -= 1;
            }
            if score > base && self.known.iter().any(|who| who.is(&command.actor)) {
                score -= 1;
                reasons.push("known_station".to_owned());
            }
        }
        reasons.extend(by.map(|rule| format!("rule:{rule}")));
        let risk = match score {
            4.. => "critical",
            3 => "high",
            2 => "medium",
            1 => "low",
            _ => "none",
        };
        Verdict { class, risk, reasons, ignore }
    }
}

impl Rule {
    fn new(written: &Written, at: usize) -> Result<Self, String> {
        let fail = |what: String| format!("rule {at}: {what}");
        let pattern = |text: Option<&String>, key: &str| {
            text.map(|text| Pattern::new(text).map_err(|error| fail(format!("{key} = {text:?}: {error}")))).transpose()
        };
        let does_nothing = written.class.is_none() && written.risk.is_none() && !written.ignore;
        if does_nothing {
            return Err(fail("says neither class, risk nor ignore".to_owned()));
        }
        let code = match &written.code {
            None => None,
            Some(code) => Some(number(code).ok_or_else(|| fail(format!("code = {code:?}: a number or text such as 0x05 is needed")))?),
        };
        Ok(Self {
            protocol: written.protocol.as_ref().map(|protocol| protocol.to_lowercase()),
            command: pattern(written.command.as_ref(), "command")?,
            code,
            point: pattern(written.point.as_ref(), "point")?,
            actor: written.actor.as_deref().map(Who::new),
            target: written.target.as_deref().map(Who::new),
            class: written.class.clone(),
            risk: written.risk.map(|risk| within(risk, "risk").map_err(fail)).transpose()?,
            ignore: written.ignore,
            ..Self::default()
        })
    }

    fn fits(&self, command: &Command) -> bool {
        let name = command.command.to_lowercase();
        let words = || name.split(|c: char| !c.is_alphanumeric());
        self.protocol.as_ref().is_none_or(|protocol| *protocol == command.protocol)
            && self.command.as_ref().is_none_or(|pattern| pattern.matches(&command.command))
            && (self.words.is_empty() || self.words.iter().any(|word| *word == name || words().any(|part| part == word)))
            && self.code.is_none_or(|code| command.code.as_ref().and_then(|text| parsed(text)) == Some(code))
            && self.point.as_ref().is_none_or(|pattern| command.point.as_ref().is_some_and(|point| pattern.matches(point)))
            && self.actor.as_ref().is_none_or(|who| who.is(&command.actor))
            && self.target.as_ref().is_none_or(|who| who.is(&command.target))
            && (!self.only_harmless || HARMLESS.contains(&command.class.as_str()))
    }
}

impl Who {
    fn new(text: &str) -> Self {
        let base = text.split_once('/').map_or(text, |(base, _)| base);
        if base.parse::<IpAddr>().is_ok() { Self::Network(text.to_owned()) } else { Self::Name(text.to_lowercase()) }
    }

    fn is(&self, [address, name]: &[Option<String>; 2]) -> bool {
        match self {
            Self::Network(network) => address.as_ref().is_some_and(|address| cidr_matches(network, address) == Some(true)),
            // A host without IP is named by its hardware address.
            Self::Name(wanted) => [address, name].into_iter().flatten().any(|known| known.to_lowercase() == *wanted),
        }
    }
}

impl Quiet {
    fn new(hours: &Hours) -> Result<Self, String> {
        let offset = match hours.zone.as_deref() {
            None | Some("" | "Z" | "z" | "UTC") => 0,
            Some(zone) => {
                let (sign, rest) = match zone.split_at_checked(1) {
                    Some(("+", rest)) => (1, rest),
                    Some(("-", rest)) => (-1, rest),
                    _ => return Err(format!("zone = {zone:?}: Z, UTC or an offset such as +02:00 is needed")),
                };
                sign * clock(rest)?
            }
        };
        Ok(Self { from: clock(&hours.from)?, to: clock(&hours.to)?, offset })
    }

    fn holds(&self, ts: i64) -> bool {
        let second = (ts.div_euclid(1_000_000_000) + self.offset).rem_euclid(86_400);
        if self.from <= self.to { (self.from..self.to).contains(&second) } else { second >= self.from || second < self.to }
    }
}

/// `22:00` as seconds.
fn clock(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?}: a time such as 22:00 is needed");
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let (hours, minutes): (i64, i64) = (hours.parse().map_err(|_| wrong())?, minutes.parse().map_err(|_| wrong())?);
    if (0..=24).contains(&hours) && (0..60).contains(&minutes) { Ok(hours * 3600 + minutes * 60) } else { Err(wrong()) }
}

fn within(risk: u8, key: &str) -> Result<u8, String> {
    if risk <= 3 { Ok(risk) } else { Err(format!("{key} = {risk}: 0 to 3 is needed")) }
}

fn number(code: &Code) -> Option<u64> {
    match code {
        Code::Number(number) => Some(*number),
        Code::Text(text) => parsed(text),
    }
}

/// A code as decimal or hexadecimal text.
fn parsed(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;
    use super::*;

    fn rules(text: &str) -> OtRules {
        OtRules::from_file(parse("x.toml", text).unwrap()).unwrap().0
    }

    fn write() -> Command {
        Command {
            protocol: "modbus".to_owned(),
            command: "write_multiple_coils".to_owned(),
            code: Some("0x0f".to_owned()),
            point: Some("coil:00002".to_owned()),
            actor: [Some("10.0.0.5".to_owned()), None],
            target: [Some("10.0.0.9".to_owned()), Some("PLC-1".to_owned())],
            class: "write".to_owned(),
            ts: Some(1_700_000_000_000_000_000), // 22:13:20 UTC
            ..Command::default()
        }
    }

    #[test]
    fn the_last_rule_that_fits_decides() {
        let rules = rules("[[rule]]\nprotocol = 'modbus'\nignore = true\n[[rule]]\ncode = 15\npoint = 'coil:*'\nclass = 'operate'\n");
        let verdict = rules.judge(&write());
        assert_eq!((verdict.class.as_str(), verdict.risk, verdict.ignore), ("operate", "medium", false));
        assert_eq!(verdict.reasons, ["rule:2"]);
    }

    #[test]
    fn hosts_and_hours_weigh() {
        let text = "safety_controllers = ['plc-1']\nquiet_hours = [{from = '22:00', to = '06:00'}]\n[class.write]\nrisk = 2\n";
        assert_eq!(rules(text).judge(&write()).risk, "critical");
        let known = format!("engineering_stations = ['10.0.0.0/24']\n{text}");
        assert_eq!(rules(&known).judge(&write()).risk, "high");
        let elsewhere = text.replace("to = '06:00'", "to = '06:00', zone = '+08:00'");
        assert_eq!(rules(&elsewhere).judge(&write()).risk, "high", "06:13 there");
    }

    #[test]
    fn mistakes_are_named() {
        let message = |name: &str, text: &str| {
            parse(name, text).map_err(|error| error.to_string()).and_then(|file| OtRules::from_file(file).map(drop)).unwrap_err()
        };
        assert!(message("x.toml", "\n[[rule]]\nprotokol = 'modbus'\n").starts_with("line 3: unknown field `protokol`"));
        assert!(message("x.json", "{\"rules\": []}").contains("unknown field `rules`"));
        assert!(message("x.yaml", "rule:\n  - command: x\n    ignored: true\n").contains("ignored"));
        assert_eq!(message("x.toml", "[[rule]]\nclass = 'write'\nrisk = 9\n"), "rule 1: risk = 9: 0 to 3 is needed");
        assert_eq!(message("x.toml", "[[rule]]\ncommand = 'x'\n"), "rule 1: says neither class, risk nor ignore");
        assert!(message("x.toml", "[[rule]]\npoint = 'a[b'\nignore = true\n").starts_with("rule 1: point = \"a[b\""));
        assert!(message("x.toml", "quiet_hours = [{from = '22:00', to = '6', zone = 'Z'}]").starts_with("quiet_hours 1: \"6\""));
    }

    #[test]
    fn older_words_make_control_commands() {
        let (rules, remarks) = OtRules::from_file(parse("x.json", "{\"write_markers\": [\"coils\"]}").unwrap()).unwrap();
        assert_eq!(remarks.len(), 1);
        let harmless = Command { class: "diagnostic".to_owned(), ..write() };
        assert_eq!(rules.judge(&harmless).class, "write");
        let other = Command { command: "read_state".to_owned(), ..harmless };
        assert_eq!(rules.judge(&other).class, "diagnostic");
    }
}
