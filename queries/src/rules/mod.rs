//! Rule packs: a team's own judgement over findings, without SQL.
//!
//! A pack is a list of rules in JSON or YAML. Each names what a finding must be; findings that match become findings of the
//! rule, with its severity and tags, so that they reach everything that reads findings. [`rule`] reads what
//! stands in a file, [`record`] is a finding as rules see it.

mod also;
mod record;
mod report;
mod rule;

use std::io::Read as _;
use std::path::Path;

pub use report::apply;
pub use rule::Rule;

use crate::document;

/// Name of rules as a source of findings.
pub const SOURCE: &str = "rules";
/// Largest file of rules, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// The rules of a run, each id once.
#[derive(Debug)]
pub struct Pack {
    /// Names of the files, as given.
    pub files: Vec<String>,
    pub rules: Vec<Rule>,
}

/// Reads files of rules; if anything is wrong, everything that is, one line each.
pub fn load(files: &[String]) -> Result<Pack, Vec<String>> {
    let mut pack = Pack { files: files.to_vec(), rules: Vec::new() };
    let mut wrong = Vec::new();
    for file in files {
        match one(file) {
            Ok(rules) => {
                for rule in rules {
                    match pack.rules.iter().find(|known| known.id == rule.id) {
                        Some(known) => wrong.push(format!(
                            "{file}:{}:{}: rule {}: the id is taken by the rule in {}:{}",
                            rule.place.line, rule.place.column, rule.id, known.file, known.place.line
                        )),
                        None => pack.rules.push(rule),
                    }
                }
            }
            Err(faults) => wrong.extend(faults),
        }
    }
    if wrong.is_empty() { Ok(pack) } else { Err(wrong) }
}

fn one(file: &str) -> Result<Vec<Rule>, Vec<String>> {
    let text = read(Path::new(file)).map_err(|what| vec![format!("{file}: {what}")])?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_yaml = Path::new(file).extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("yml") || suffix.eq_ignore_ascii_case("yaml"));
    let root = if is_yaml { document::yaml(text) } else { document::json(text) };
    let root = root.map_err(|fault| vec![format!("{file}:{}:{}: {}", fault.place.line, fault.place.column, fault.what)])?;
    let mut faults = Vec::new();
    let rules = rule::rules(file, &root, &mut faults);
    if faults.is_empty() {
        return Ok(rules);
    }
    let line = |fault: rule::RuleFault| {
        let rule = fault.rule.map(|id| format!("rule {id}: ")).unwrap_or_default();
        let place = fault.fault.place;
        format!("{file}:{}:{}: {rule}{}", place.line, place.column, fault.fault.what)
    };
    Err(faults.into_iter().map(line).collect())
}

fn read(path: &Path) -> Result<String, String> {
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        _ => format!("cannot read: {error}"),
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(told)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("larger than {MAX_BYTES} bytes: no file of rules"));
    }
    String::from_utf8(bytes).map_err(|error| format!("no UTF-8 text (byte {})", error.utf8_error().valid_up_to()))
}
