//! Files that people write (rules, plugins, settings) as a tree that remembers where everything stands, so that each fault can
//! be shown to its author.

use std::ops::Range;

use serde::de::IgnoredAny;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Deepest nesting of a file.
const MAX_DEPTH: usize = 64;

/// A place in a file; both count from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// What is wrong, and where.
#[derive(Debug)]
pub struct Fault {
    pub place: Place,
    pub what: String,
}

/// A value and its place.
#[derive(Debug)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

/// The values that JSON, YAML and TOML share.
#[derive(Debug)]
pub enum Value {
    Null,
    Bool(bool),
    /// As written, and its value.
    Number(String, f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// The name of an entry.
#[derive(Debug)]
pub struct Key {
    pub place: Place,
    pub name: String,
}

impl Node {
    /// The value of an entry.
    pub fn entry(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// The entries of an object; of anything else, none.
    pub fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }
}

impl Value {
    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Number(..) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

/// Collects the tree from what a parser meets, without recursion.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
}

enum Open {
    List(Place, Vec<Node>),
    /// With the key whose value comes next.
    Map(Place, Vec<(Key, Node)>, Option<Key>),
}

impl Builder {
    fn open(&mut self, open: Open) -> Result<(), Fault> {
        let (Open::List(place, _) | Open::Map(place, ..)) = &open;
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault { place: *place, what: format!("nested deeper than {MAX_DEPTH}") });
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        match self.open.pop() {
            Some(Open::List(place, items)) => self.add(Node { place, value: Value::List(items) }),
            Some(Open::Map(place, entries, _)) => self.add(Node { place, value: Value::Map(entries) }),
            None => Ok(()),
        }
    }

    fn add(&mut self, node: Node) -> Result<(), Fault> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, next)) => match next.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    let Value::Text(name) = node.value else {
                        return Err(Fault { place: node.place, what: format!("{} cannot be a key", node.value.kind()) });
                    };
                    if entries.iter().any(|(key, _)| key.name == name) {
                        return Err(Fault { place: node.place, what: format!("the key {name} occurs twice") });
                    }
                    *next = Some(Key { place: node.place, name });
                }
            },
        }
        Ok(())
    }

    fn finish(self) -> Result<Node, Fault> {
        self.root.ok_or_else(|| Fault { place: Place { line: 1, column: 1 }, what: "the file is empty".to_owned() })
    }
}

/// Reads YAML 1.2 without aliases, anchors and tags.
pub fn yaml(text: &str) -> Result<Node, Fault> {
    let mut builder = Builder::default();
    for met in Parser::new_from_str(text) {
        let (event, span) = met.map_err(|error| {
            let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
            Fault { place, what: format!("no YAML: {}", error.info()) }
        })?;
        let place = Place { line: span.start.line(), column: span.start.col() + 1 };
        let refused = |what: &str| Err(Fault { place, what: what.to_owned() });
        match event {
            Event::Scalar(_, _, anchor, ref tag) | Event::SequenceStart(_, anchor, ref tag) | Event::MappingStart(_, anchor, ref tag)
                if anchor != 0 || tag.is_some() =>
            {
                return refused("anchors and tags are not taken");
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => builder.add(Node { place, value: plain(&text) })?,
            Event::Scalar(text, ..) => builder.add(Node { place, value: Value::Text(text.into_owned()) })?,
            Event::SequenceStart(..) => builder.open(Open::List(place, Vec::new()))?,
            Event::MappingStart(..) => builder.open(Open::Map(place, Vec::new(), None))?,
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            Event::Alias(_) => return refused("aliases are not taken"),
            Event::DocumentStart(..) if builder.root.is_some() => return refused("a second document begins here; one a file"),
            _ => {}
        }
    }
    builder.finish()
}

/// A plain scalar by YAML's core schema.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

/// A decimal number; words like `inf` are texts.
fn number(text: &str) -> Option<Value> {
    let starts = text.trim_start_matches(['-', '+']).starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let value: f64 = text.parse().ok().filter(|value: &f64| starts && value.is_finite())?;
    Some(Value::Number(text.to_owned(), value))
}

/// Reads JSON.
pub fn json(text: &str) -> Result<Node, Fault> {
    // Whether it is JSON at all, serde_json decides; what follows may rely on that and only looks where things stand.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or_default();
        return Err(Fault { place: Place { line: error.line(), column: error.column() }, what: format!("no JSON: {what}") });
    }
    let mut builder = Builder::default();
    let mut place = Place { line: 1, column: 1 };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            blank if blank.is_whitespace() => blank.len_utf8(),
            _ => rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match first {
            '{' => builder.open(Open::Map(place, Vec::new(), None))?,
            '[' => builder.open(Open::List(place, Vec::new()))?,
            '}' | ']' => builder.close()?,
            ',' | ':' => {}
            blank if blank.is_whitespace() => {}
            _ => builder.add(Node { place, value: literal(token) })?,
        }
        if first == '\n' {
            place = Place { line: place.line + 1, column: 1 };
        } else {
            place.column += token.chars().count();
        }
        rest = after;
    }
    builder.finish()
}

/// Bytes of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn literal(token: &str) -> Value {
    match token {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text if text.starts_with('"') => Value::Text(serde_json::from_str(text).unwrap_or_default()),
        other => number(other).unwrap_or_else(|| Value::Text(other.to_owned())),
    }
}

/// Reads TOML; if anything is wrong, everything that is. Entries stand in the order of the file.
pub fn toml(text: &str) -> Result<Node, Vec<Fault>> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(Node { place: Place { line: 1, column: 1 }, value: Value::Map(lines.entries(table.get_ref())) });
    }
    let fault =
        |error: toml::de::Error| Fault { place: lines.place(error.span().unwrap_or_default()), what: format!("no TOML: {}", error.message()) };
    Err(errors.into_iter().map(fault).collect())
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    begins: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let begins = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, begins }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let line = self.begins.partition_point(|&begin| begin <= span.start).max(1);
        let begin = self.begins.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(begin..span.start).unwrap_or_default();
        Place { line, column: before.chars().count() + 1 }
    }

    fn entries(&self, table: &DeTable<'_>) -> Vec<(Key, Node)> {
        let mut entries: Vec<(usize, (Key, Node))> = table
            .iter()
            .map(|(key, value)| {
                let named = Key { place: self.place(key.span()), name: key.get_ref().to_string() };
                (key.span().start, (named, self.node(value)))
            })
            .collect();
        entries.sort_by_key(|(at, _)| *at);
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let value_of = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(value) => Value::Number(value.to_string(), value as f64),
                Err(_) => Value::Text(number.to_string()),
            },
            DeValue::Float(number) => Value::Number(number.to_string(), number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(time) => Value::Text(time.to_string()),
            DeValue::Array(items) => Value::List(items.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => Value::Map(self.entries(table)),
        };
        Node { place: self.place(value.span()), value: value_of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_keeps_order_and_places() {
        let root = toml("b = 1\na = \"x\"\n[t]\nlist = [true, 0x10]\n").unwrap();
        let names: Vec<&str> = root.entries().iter().map(|(key, _)| key.name.as_str()).collect();
        assert_eq!(names, ["b", "a", "t"]);
        let list = root.entry("t").and_then(|table| table.entry("list")).unwrap();
        assert_eq!(list.place, Place { line: 4, column: 8 });
        let Value::List(items) = &list.value else { panic!("{list:?}") };
        assert!(matches!(&items[1].value, Value::Number(text, value) if text == "16" && *value == 16.0));
        let faults = toml("a = 1\nb = = 2\n").unwrap_err();
        assert_eq!(faults[0].place.line, 2, "{faults:?}");
    }

    #[test]
    fn json_and_yaml_give_the_same_tree() {
        let json = json("[\n  {\"id\": \"a \\\"b\\\" \\ud83d\\ude00\", \"n\": -1.5e2, \"on\": true}\n]").unwrap();
        let yaml = yaml("- id: \"a \\\"b\\\" 😀\"\n  n: -1.5e2\n  on: true\n").unwrap();
        let entries = |node: &Node| -> Vec<String> {
            let Value::List(rules) = &node.value else { panic!("{node:?}") };
            let Value::Map(entries) = &rules[0].value else { panic!("{node:?}") };
            entries.iter().map(|(key, node)| format!("{} {:?}", key.name, node.value)).collect()
        };
        assert_eq!(entries(&json), entries(&yaml));
        let Value::List(rules) = &json.value else { panic!() };
        assert_eq!(rules[0].place, Place { line: 2, column: 3 });
    }

    #[test]
    fn what_is_refused_has_a_place() {
        let place = |fault: Fault| (fault.place.line, fault.place.column, fault.what);
        assert_eq!(place(json("{\"a\": 1,\n \"a\": 2}").unwrap_err()), (2, 2, "the key a occurs twice".to_owned()));
        assert_eq!(place(json("[1,\n]").unwrap_err()).0, 2);
        assert_eq!(place(yaml("a: &x 1\nb: *x\n").unwrap_err()).2, "anchors and tags are not taken");
        assert_eq!(place(yaml("a: !!binary eA==\n").unwrap_err()).2, "anchors and tags are not taken");
        assert!(place(json(&"[".repeat(100)).unwrap_err()).2.starts_with("no JSON"));
        assert_eq!(place(json(&format!("{}{}", "[".repeat(100), "]".repeat(100))).unwrap_err()).2, "nested deeper than 64");
    }
}
