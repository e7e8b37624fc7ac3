//! The file of rules as written.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file. Unknown keys are refused: a misspelt rule would silently do nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    pub class: BTreeMap<String, Class>,
    pub rule: Vec<Written>,
    pub safety_controllers: Vec<String>,
    pub engineering_stations: Vec<String>,
    pub gateways: Vec<String>,
    pub quiet_hours: Vec<Hours>,
    // What older files hold: words that make a command a control command.
    pub write_markers: Vec<String>,
    pub protocol_markers: BTreeMap<String, Vec<String>>,
    pub dnp3: Markers,
    pub iec104: Markers,
    pub mms: Markers,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub risk: u8,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    pub protocol: Option<String>,
    pub command: Option<String>,
    pub code: Option<Code>,
    pub point: Option<String>,
    pub actor: Option<String>,
    pub target: Option<String>,
    pub class: Option<String>,
    pub risk: Option<u8>,
    pub ignore: bool,
}

/// A code is written as a number, or as text such as `0x05`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Code {
    Number(u64),
    Text(String),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// `22:00`
    pub from: String,
    /// `06:00`; earlier than `from`: the next day.
    pub to: String,
    /// `Z`, `UTC` or an offset such as `+02:00`.
    #[serde(default)]
    pub zone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Markers {
    pub functions: Vec<Code>,
    pub asdu_types: Vec<Code>,
    pub services: Vec<Code>,
    pub names: Vec<String>,
}

/// Reads a file by its suffix, and where that says nothing, by what it is.
pub fn parse(name: &str, text: &str) -> Result<File, String> {
    let lower = name.to_ascii_lowercase();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| lower.ends_with(suffix));
    // A parser's message has its lines; ours is one.
    let flat = |message: String| message.split_whitespace().collect::<Vec<_>>().join(" ");
    if ends(&[".json"]) || (!ends(&[".toml", ".yml", ".yaml"]) && text.trim_start().starts_with('{')) {
        return serde_json::from_str(text).map_err(|error| flat(error.to_string()));
    }
    if ends(&[".yml", ".yaml"]) {
        return serde_saphyr::from_str(text).map_err(|error| flat(error.to_string()));
    }
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        format!("{place}{}", flat(error.message().to_owned()))
    })
}
