//! Commands of the prompt, which begin with a backslash.

use crate::render::sql::Form;
use crate::sql::assignment;

/// The list that `\?` shows.
pub const HELP: &str = "\
SQL ends with ; and may take several lines. Ctrl-C stops a running query, Ctrl-D leaves.

\\d                    tables with rows in these captures
\\d*                   all tables
\\d NAME               columns of a table, or what a function does
\\df                   functions that plain SQL lacks
\\format [FORM]        table, json, jsonl or csv
\\o [FILE]             write answers to FILE; without FILE, to the screen again
\\i FILE               answer what stands in FILE
\\write-pcap FILE [SQL] write the frames behind the last answer, or behind that of SQL, as a capture
\\set [NAME=VALUE]     give the parameter $NAME its value; without, list them
\\timing               show or hide how long answers take
\\x                    show long cells whole, or cut them
\\?                    this list
\\q                    leave
";

/// Names, for completion.
pub const NAMES: &[&str] = &["\\d", "\\d*", "\\df", "\\format", "\\o", "\\i", "\\write-pcap", "\\set", "\\timing", "\\x", "\\?", "\\q"];

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Quit,
    Help,
    Tables { all: bool },
    Describe(String),
    Functions,
    Form(Option<Form>),
    Output(Option<String>),
    Include(String),
    WritePcap { path: String, query: Option<String> },
    Set(Option<(String, String)>),
    Timing,
    Verbose,
}

impl Command {
    /// Reads a command; an error is one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        // A semicolon after a command is a habit, not a part of it.
        let rest = rest.trim().trim_end_matches(';').trim_end();
        let name = if rest.is_empty() { name.trim_end_matches(';') } else { name };
        let given = (!rest.is_empty()).then(|| rest.to_owned());
        match (name, given) {
            ("\\q" | "\\quit" | "\\exit", None) => Ok(Self::Quit),
            ("\\?" | "\\h" | "\\help", None) => Ok(Self::Help),
            ("\\d" | "\\dt", None) => Ok(Self::Tables { all: false }),
            ("\\d*" | "\\d+", None) => Ok(Self::Tables { all: true }),
            ("\\d" | "\\df", Some(name)) => Ok(Self::Describe(name)),
            ("\\df", None) => Ok(Self::Functions),
            ("\\format", None) => Ok(Self::Form(None)),
            ("\\format", Some(form)) => {
                Form::named(&form).map(|form| Self::Form(Some(form))).ok_or_else(|| format!("\\format {form}: table, json, jsonl or csv is needed"))
            }
            ("\\o", path) => Ok(Self::Output(path)),
            ("\\i", Some(path)) => Ok(Self::Include(path)),
            ("\\i", None) => Err("\\i needs a file".to_owned()),
            ("\\write-pcap", Some(rest)) => {
                let (path, query) = first_word(&rest).ok_or_else(|| "\\write-pcap: the quote does not end".to_owned())?;
                Ok(Self::WritePcap { path: path.to_owned(), query: (!query.is_empty()).then(|| query.to_owned()) })
            }
            ("\\write-pcap", None) => Err("\\write-pcap needs a file".to_owned()),
            ("\\set", None) => Ok(Self::Set(None)),
            ("\\set", Some(pair)) => {
                // `\set name value` is what users of other prompts type.
                let pair = if pair.contains('=') { pair } else { pair.replacen(char::is_whitespace, "=", 1) };
                assignment(&pair).map(|pair| Self::Set(Some(pair))).map_err(|message| message.replacen("--set", "\\set", 1))
            }
            ("\\timing", None) => Ok(Self::Timing),
            ("\\x", None) => Ok(Self::Verbose),
            (known, Some(_)) if NAMES.contains(&known) => Err(format!("{known} takes nothing after it")),
            (other, _) => Err(format!("{other}: no such command (\\? lists them)")),
        }
    }
}

/// The first word, which quotes may hold together, and what follows it; `None` for a quote that does not end.
fn first_word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = match text.strip_prefix(['"', '\'']) {
        Some(quoted) => quoted.split_once(text.chars().next()?)?,
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    };
    Some((word, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        assert_eq!(Command::parse("\\d dns;"), Ok(Command::Describe("dns".into())));
        assert_eq!(Command::parse("\\q;"), Ok(Command::Quit));
        assert_eq!(Command::parse("\\set ip 10.0.0.1"), Ok(Command::Set(Some(("ip".into(), "10.0.0.1".into())))));
        assert_eq!(Command::parse("\\format xml"), Err("\\format xml: table, json, jsonl or csv is needed".into()));
        let written = |path: &str, query: Option<&str>| Ok(Command::WritePcap { path: path.into(), query: query.map(Into::into) });
        assert_eq!(Command::parse("\\write-pcap a.pcapng;"), written("a.pcapng", None));
        assert_eq!(Command::parse("\\write-pcap 'a b.pcapng'  SELECT frame FROM dns;"), written("a b.pcapng", Some("SELECT frame FROM dns")));
        assert_eq!(Command::parse("\\write-pcap 'a"), Err("\\write-pcap: the quote does not end".into()));
        assert_eq!(Command::parse("\\w"), Err("\\w: no such command (\\? lists them)".into()));
    }
}
