//! Rules from a file: every fault is found, each with its rule and its place.

use datafusion::arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use regex::{Regex, RegexBuilder};

use super::record::{Field, Kind};
use crate::document::{Fault, Node, Place, Value};
use crate::functions::Network;
use crate::run::SEVERITIES;

/// Deepest nesting of groups.
const MAX_DEPTH: usize = 16;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    pub id: String,
    pub title: String,
    /// One of [`SEVERITIES`].
    pub severity: String,
    pub tags: Vec<String>,
    pub techniques: Vec<String>,
    /// Findings that must match before the rule does.
    pub threshold: u64,
    pub enabled: bool,
    pub test: Test,
    /// Name of the file it stands in.
    pub file: String,
    pub place: Place,
}

/// What a finding must be.
#[derive(Debug)]
pub enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    None(Vec<Test>),
    Is(Field, Op),
}

/// A comparison, ready to be made.
#[derive(Debug)]
pub enum Op {
    /// Equal to one of these.
    Equal(Vec<Literal>),
    /// Equal to none of these; so is what is not there.
    Differs(Vec<Literal>),
    /// Contains one of these, in lower case.
    Contains(Vec<String>),
    StartsWith(Vec<String>),
    EndsWith(Vec<String>),
    Regex(Vec<Regex>),
    Exists(bool),
    Compare(Order, f64),
    CompareTime(Order, i64),
    Cidr(Vec<Network>),
}

/// A value to compare with.
#[derive(Debug)]
pub enum Literal {
    Text(String),
    Number(f64),
    /// Nanoseconds since 1970.
    Time(i64),
}

/// Orders of `gt gte lt lte`.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Greater,
    AtLeast,
    Less,
    AtMost,
}

/// Names of operators as rules write them.
const OPS: &[&str] = &["eq", "neq", "contains", "regex", "in", "not_in", "gt", "gte", "lt", "lte", "startswith", "endswith", "exists", "cidr"];

/// Keys of a rule.
const KEYS: &[&str] = &["id", "rule_id", "title", "severity", "match", "description", "tags", "techniques", "threshold", "enabled"];

/// A fault of a rule; `None` where it is not yet known which.
pub struct RuleFault {
    pub rule: Option<String>,
    pub fault: Fault,
}

/// Reads the rules of one file; what is wrong is added to `faults`.
pub fn rules(file: &str, root: &Node, faults: &mut Vec<RuleFault>) -> Vec<Rule> {
    let mut reader = Reader { rule: None, faults };
    let listed = match &root.value {
        Value::List(rules) => rules.iter().collect(),
        Value::Map(entries) if entries.iter().any(|(key, _)| key.name == "rules") => {
            let mut listed = Vec::new();
            for (key, node) in entries {
                match (key.name.as_str(), &node.value) {
                    ("rules", Value::List(rules)) => listed.extend(rules),
                    ("rules", other) => reader.fault(node.place, format!("rules: a list is needed, not {}", other.kind())),
                    (other, _) => reader.fault(key.place, format!("unknown key {other} beside rules")),
                }
            }
            listed
        }
        Value::Map(_) => vec![root],
        other => {
            reader.fault(root.place, format!("a list of rules is needed, not {}", other.kind()));
            return Vec::new();
        }
    };
    if listed.is_empty() && reader.faults.is_empty() {
        reader.fault(root.place, "no rule in it".to_owned());
    }
    listed.into_iter().filter_map(|node| reader.rule(file, node)).collect()
}

struct Reader<'a> {
    /// Rule in hand.
    rule: Option<String>,
    faults: &'a mut Vec<RuleFault>,
}

impl Reader<'_> {
    fn fault(&mut self, place: Place, what: String) {
        self.faults.push(RuleFault { rule: self.rule.clone(), fault: Fault { place, what } });
    }

    fn rule(&mut self, file: &str, node: &Node) -> Option<Rule> {
        self.rule = None;
        let Value::Map(entries) = &node.value else {
            self.fault(node.place, format!("a rule is an object, not {}", node.value.kind()));
            return None;
        };
        let entry = |name: &str| node.entry(name);
        let named = entry("id").or_else(|| entry("rule_id"));
        let id = match named.map(|node| (node, &node.value)) {
            Some((_, Value::Text(id))) if !id.trim().is_empty() => Some(id.clone()),
            Some((_, Value::Number(id, _))) => Some(id.clone()),
            Some((node, other)) => {
                self.fault(
                    node.place,
                    format!("id: a text is needed, not {}", if matches!(other, Value::Text(_)) { "an empty one" } else { other.kind() }),
                );
                None
            }
            None => {
                self.fault(node.place, "a rule needs an id".to_owned());
                None
            }
        };
        self.rule.clone_from(&id);
        if let (Some(_), Some(second)) = (entry("id"), entry("rule_id")) {
            self.fault(second.place, "id and rule_id are the same; one is enough".to_owned());
        }
        for (key, _) in entries.iter().filter(|(key, _)| !KEYS.contains(&key.name.as_str())) {
            self.fault(key.place, format!("unknown key {} ({} are known)", key.name, KEYS.join(", ")));
        }
        let title = entry("title").and_then(|node| self.text("title", node)).or_else(|| id.clone());
        if let Some(node) = entry("description") {
            self.text("description", node);
        }
        let severity = match entry("severity") {
            None => Some("info".to_owned()),
            Some(node) => self.text("severity", node).and_then(|given| self.severity(node.place, &given)),
        };
        let tags = entry("tags").map(|node| self.texts("tags", node)).unwrap_or_default();
        let techniques = entry("techniques").map(|node| self.texts("techniques", node)).unwrap_or_default();
        let threshold = match entry("threshold").map(|node| (node, &node.value)) {
            None => 1,
            Some((_, Value::Number(_, number))) if *number >= 1.0 && number.fract() == 0.0 && *number < 1e15 => *number as u64,
            Some((node, _)) => {
                self.fault(node.place, "threshold: a whole number of 1 or more is needed".to_owned());
                1
            }
        };
        let enabled = match entry("enabled").map(|node| (node, &node.value)) {
            None => true,
            Some((_, Value::Bool(enabled))) => *enabled,
            Some((node, other)) => {
                self.fault(node.place, format!("enabled: true or false is needed, not {}", other.kind()));
                true
            }
        };
        let test = match entry("match") {
            Some(node) => self.test(node, 0),
            None => {
                self.fault(node.place, "a rule needs match".to_owned());
                None
            }
        };
        self.rule = None;
        let file = file.to_owned();
        Some(Rule { id: id?, title: title?, severity: severity?, tags, techniques, threshold, enabled, test: test?, file, place: node.place })
    }

    fn text(&mut self, name: &str, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            other => {
                self.fault(node.place, format!("{name}: a text is needed, not {}", other.kind()));
                None
            }
        }
    }

    fn texts(&mut self, name: &str, node: &Node) -> Vec<String> {
        match &node.value {
            Value::List(items) => items.iter().filter_map(|item| self.text(name, item)).collect(),
            other => {
                self.fault(node.place, format!("{name}: a list of texts is needed, not {}", other.kind()));
                Vec::new()
            }
        }
    }

    fn severity(&mut self, place: Place, given: &str) -> Option<String> {
        let meant = severity(given);
        if meant.is_none() {
            self.fault(place, format!("unknown severity {given} ({} are known)", SEVERITIES.join(", ")));
        }
        meant.map(str::to_owned)
    }

    /// A condition, a group, or a text; all that stands in one object must hold.
    fn test(&mut self, node: &Node, depth: usize) -> Option<Test> {
        if depth > MAX_DEPTH {
            self.fault(node.place, format!("groups nest deeper than {MAX_DEPTH}"));
            return None;
        }
        let entries = match &node.value {
            Value::Text(text) => return Some(Test::Is(Field::Summary, Op::Contains(vec![text.to_lowercase()]))),
            Value::Map(entries) => entries,
            other => {
                self.fault(node.place, format!("match: an object or a text is needed, not {}", other.kind()));
                return None;
            }
        };
        let before = self.faults.len();
        let mut tests = Vec::new();
        if entries.iter().any(|(key, _)| ["field", "op", "value"].contains(&key.name.as_str())) {
            tests.extend(self.condition(node.place, node.entry("field"), node.entry("op"), node.entry("value")));
        }
        for (key, value) in entries {
            let short = key.name.rsplit_once('_').filter(|(_, op)| ["contains", "regex"].contains(op));
            match (key.name.as_str(), short) {
                ("field" | "op" | "value", _) => {}
                ("all" | "any" | "none", _) => tests.extend(self.group(&key.name, value, depth)),
                ("sources", _) => tests.extend(self.op(value.place, Field::Source, "in", Some(value)).map(|op| Test::Is(Field::Source, op))),
                (_, Some((name, op))) => match Field::named(name) {
                    Some(field) => tests.extend(self.op(value.place, field, op, Some(value)).map(|op| Test::Is(field, op))),
                    None => self.fault(key.place, format!("unknown field {name} ({} are known)", Field::names())),
                },
                (other, None) => self.fault(
                    key.place,
                    format!("unknown key {other} in match (all, any, none, field, op, value, sources, FIELD_contains, FIELD_regex are known)"),
                ),
            }
        }
        if tests.is_empty() && self.faults.len() == before {
            self.fault(node.place, "match: nothing to match".to_owned());
        }
        if self.faults.len() > before {
            return None;
        }
        Some(if tests.len() == 1 { tests.pop()? } else { Test::All(tests) })
    }

    fn group(&mut self, name: &str, node: &Node, depth: usize) -> Option<Test> {
        let Value::List(items) = &node.value else {
            self.fault(node.place, format!("{name}: a list is needed, not {}", node.value.kind()));
            return None;
        };
        if items.is_empty() && name == "any" {
            self.fault(node.place, "any: nothing can match an empty list".to_owned());
        }
        let tests = items.iter().filter_map(|item| self.test(item, depth + 1)).collect();
        Some(match name {
            "all" => Test::All(tests),
            "any" => Test::Any(tests),
            _ => Test::None(tests),
        })
    }

    fn condition(&mut self, place: Place, field: Option<&Node>, op: Option<&Node>, value: Option<&Node>) -> Option<Test> {
        let field = match field {
            None => {
                self.fault(place, "a condition needs a field".to_owned());
                None
            }
            Some(node) => {
                let name = self.text("field", node)?;
                let field = Field::named(&name);
                if field.is_none() {
                    self.fault(node.place, format!("unknown field {name} ({} are known)", Field::names()));
                }
                field
            }
        };
        let op = match op {
            None => "contains".to_owned(),
            Some(node) => {
                let name = self.text("op", node)?;
                if !OPS.contains(&name.as_str()) {
                    self.fault(node.place, format!("unknown op {name} ({} are known)", OPS.join(", ")));
                    return None;
                }
                name
            }
        };
        let field = field?;
        Some(Test::Is(field, self.op(place, field, &op, value)?))
    }

    fn op(&mut self, place: Place, field: Field, op: &str, value: Option<&Node>) -> Option<Op> {
        let Some(value) = value else {
            self.fault(place, format!("{op}: a value is needed"));
            return None;
        };
        let place = value.place;
        let is_list = matches!(value.value, Value::List(_));
        let one_or_more: Vec<&Node> = match &value.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![value],
        };
        match op {
            "eq" | "neq" if is_list => {
                self.fault(place, format!("{op} takes one value; in and not_in take a list"));
                None
            }
            "eq" | "in" => self.literals(field, op, &one_or_more).map(Op::Equal),
            "neq" | "not_in" => self.literals(field, op, &one_or_more).map(Op::Differs),
            "contains" | "startswith" | "endswith" => {
                let texts = self.each(&one_or_more, |reader, node| reader.as_text(op, node))?;
                let texts = texts.into_iter().map(|text| text.to_lowercase()).collect();
                Some(match op {
                    "contains" => Op::Contains(texts),
                    "startswith" => Op::StartsWith(texts),
                    _ => Op::EndsWith(texts),
                })
            }
            "regex" => self.each(&one_or_more, Self::regex).map(Op::Regex),
            "exists" => match value.value {
                Value::Bool(wanted) => Some(Op::Exists(wanted)),
                _ => {
                    self.fault(place, format!("exists: true or false is needed, not {}", value.value.kind()));
                    None
                }
            },
            "cidr" if field.kind() != Kind::Address => {
                self.fault(place, format!("cidr: {} is no address", field.name()));
                None
            }
            "cidr" => self.each(&one_or_more, Self::network).map(Op::Cidr),
            _ => self.order(field, op, value),
        }
    }

    /// All of them, or `None` if one is at fault; all are looked at.
    fn each<T>(&mut self, nodes: &[&Node], mut read: impl FnMut(&mut Self, &Node) -> Option<T>) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = nodes.iter().map(|node| read(self, node)).collect();
        read.into_iter().collect()
    }

    fn literals(&mut self, field: Field, op: &str, nodes: &[&Node]) -> Option<Vec<Literal>> {
        self.each(nodes, |reader, node| match field.kind() {
            Kind::Number => reader.as_number(field, op, node).map(Literal::Number),
            Kind::Time => reader.as_time(field, op, node).map(Literal::Time),
            Kind::Severity => {
                let given = reader.as_text(op, node)?;
                reader.severity(node.place, &given).map(Literal::Text)
            }
            Kind::Text | Kind::Address | Kind::List => reader.as_text(op, node).map(Literal::Text),
        })
    }

    fn order(&mut self, field: Field, op: &str, value: &Node) -> Option<Op> {
        let order = match op {
            "gt" => Order::Greater,
            "gte" => Order::AtLeast,
            "lt" => Order::Less,
            _ => Order::AtMost,
        };
        match field.kind() {
            Kind::Number => Some(Op::Compare(order, self.as_number(field, op, value)?)),
            Kind::Time => Some(Op::CompareTime(order, self.as_time(field, op, value)?)),
            Kind::Severity => {
                let given = self.as_text(op, value)?;
                let severity = self.severity(value.place, &given)?;
                Some(Op::Compare(order, weight(&severity)))
            }
            Kind::Text | Kind::Address | Kind::List => {
                self.fault(value.place, format!("{op} compares numbers, times and severities; {} is a text", field.name()));
                None
            }
        }
    }

    fn as_text(&mut self, op: &str, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) | Value::Number(text, _) => Some(text.clone()),
            other => {
                self.fault(node.place, format!("{op}: a text is needed, not {}", other.kind()));
                None
            }
        }
    }

    fn as_number(&mut self, field: Field, op: &str, node: &Node) -> Option<f64> {
        let number = match &node.value {
            Value::Number(_, number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        if number.is_none() {
            self.fault(node.place, format!("{op}: {} is a number, the value is {}", field.name(), node.value.kind()));
        }
        number
    }

    fn as_time(&mut self, field: Field, op: &str, node: &Node) -> Option<i64> {
        let time = match &node.value {
            Value::Text(text) => string_to_timestamp_nanos(text.trim()).ok(),
            _ => None,
        };
        if time.is_none() {
            self.fault(node.place, format!("{op}: {} is a time; write it as 2026-01-31T10:00:00Z", field.name()));
        }
        time
    }

    fn regex(&mut self, node: &Node) -> Option<Regex> {
        let text = self.as_text("regex", node)?;
        match RegexBuilder::new(&text).case_insensitive(true).build() {
            Ok(regex) => Some(regex),
            Err(error) => {
                let message = error.to_string();
                let why = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.fault(node.place, format!("regex {text}: {why}"));
                None
            }
        }
    }

    fn network(&mut self, node: &Node) -> Option<Network> {
        let text = self.as_text("cidr", node)?;
        let network = Network::parse(text.trim());
        if network.is_none() {
            self.fault(node.place, format!("cidr: {text} is no network"));
        }
        network
    }
}

/// A severity under its usual name.
pub fn severity(given: &str) -> Option<&'static str> {
    let meant = match given.to_lowercase().as_str() {
        "warning" => "medium",
        "informational" => "info",
        other => return SEVERITIES.into_iter().find(|known| *known == other),
    };
    Some(meant)
}

/// Severities as numbers, the most severe the greatest.
pub fn weight(severity: &str) -> f64 {
    let place = SEVERITIES.iter().position(|known| *known == severity).unwrap_or(SEVERITIES.len());
    (SEVERITIES.len() - place) as f64
}
