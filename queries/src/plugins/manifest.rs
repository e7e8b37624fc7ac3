//! `plugin.toml`: what a plugin says of itself.

use std::path::Path;

use datafusion::common::ScalarValue;

use crate::document::{self, Node, Place, Value};

/// A manifest. Every entry has the place at which it stands, for faults found later.
#[derive(Debug, Default)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    pub description: String,
    pub author: Option<String>,
    pub license: Option<String>,
    /// Versions of this tool that it works with, and the line that says so.
    pub requires: Option<(String, usize)>,
    /// Table schema it was written for, and the line that says so.
    pub schema: (u32, usize),
    pub analyzers: Vec<AnalyzerEntry>,
    pub detections: Vec<DetectionEntry>,
    pub lists: Vec<ListEntry>,
    pub parameters: Vec<Parameter>,
    /// Files and their SHA-256 as hex, with their lines; `None`: not listed.
    pub files: Option<Vec<(String, String, usize)>>,
}

/// `[[analyzer]]`: a flag and its report.
#[derive(Debug)]
pub struct AnalyzerEntry {
    pub line: usize,
    /// Without leading dashes.
    pub flag: String,
    /// `it` or `ot`.
    pub group: String,
    pub title: String,
    pub help: String,
    pub sql: String,
    pub needs: Vec<String>,
}

/// `[[detection]]`: findings without a flag.
#[derive(Debug)]
pub struct DetectionEntry {
    pub line: usize,
    pub sql: String,
    pub source: String,
}

/// `[[list]]`: a table from a file.
#[derive(Debug)]
pub struct ListEntry {
    pub line: usize,
    pub name: String,
    pub file: String,
}

/// `[[parameter]]`: a value that a user may set.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub line: usize,
    pub name: String,
    /// `i64`, `f64`, `utf8`, `bool`.
    pub kind: String,
    pub value: ScalarValue,
}

impl Parameter {
    /// The parameter's type read from a text.
    pub fn read(kind: &str, text: &str) -> Option<ScalarValue> {
        match kind {
            "i64" => text.parse().ok().map(|value| ScalarValue::Int64(Some(value))),
            "f64" => text.parse().ok().filter(|value: &f64| value.is_finite()).map(|value| ScalarValue::Float64(Some(value))),
            "bool" => text.parse().ok().map(|value| ScalarValue::Boolean(Some(value))),
            "utf8" => Some(ScalarValue::Utf8(Some(text.to_owned()))),
            _ => None,
        }
    }
}

/// Whether a name has one to forty of the letters allowed.
fn is_name(name: &str, dash: char) -> bool {
    (1..=40).contains(&name.len()) && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == dash)
}

/// Reads a manifest; what is wrong is added to `faults`, each with file and line.
pub fn read(file: &Path, text: &str, faults: &mut Vec<String>) -> Manifest {
    let mut reader = Reader { file: file.display().to_string(), faults };
    match document::toml(text) {
        Ok(root) => reader.manifest(&root),
        Err(wrong) => {
            for fault in wrong {
                reader.fault(fault.place, fault.what);
            }
            Manifest::default()
        }
    }
}

struct Reader<'a> {
    file: String,
    faults: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn fault(&mut self, place: Place, what: String) {
        self.faults.push(format!("{}:{}: {what}", self.file, place.line));
    }

    /// Tells of entries that no manifest has.
    fn only(&mut self, node: &Node, known: &[&str]) {
        for (key, _) in node.entries().iter().filter(|(key, _)| !known.contains(&key.name.as_str())) {
            self.fault(key.place, format!("unknown key {} ({} are known)", key.name, known.join(", ")));
        }
    }

    fn optional(&mut self, table: &Node, name: &str) -> Option<String> {
        let node = table.entry(name)?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            other => {
                self.fault(node.place, format!("{name}: a text is needed, not {}", other.kind()));
                None
            }
        }
    }

    fn required(&mut self, table: &Node, name: &str) -> String {
        match self.optional(table, name) {
            Some(text) if !text.trim().is_empty() => text,
            _ => {
                if table.entry(name).is_none_or(|node| matches!(node.value, Value::Text(_))) {
                    self.fault(table.place, format!("{name} is missing"));
                }
                String::new()
            }
        }
    }

    fn manifest(&mut self, root: &Node) -> Manifest {
        self.only(root, &["plugin", "analyzer", "detection", "list", "parameter", "files"]);
        let mut manifest = Manifest::default();
        match root.entry("plugin") {
            Some(plugin) => self.plugin(plugin, &mut manifest),
            None => self.fault(root.place, "[plugin] is missing".to_owned()),
        }
        for entry in self.tables(root, "analyzer") {
            let read = self.analyzer(entry);
            manifest.analyzers.push(read);
        }
        for entry in self.tables(root, "detection") {
            self.only(entry, &["sql", "source"]);
            let (sql, source) = (self.required(entry, "sql"), self.required(entry, "source"));
            if !is_name(&source, '_') {
                self.fault(entry.place, format!("source {source}: lower-case letters, digits and _ make a name"));
            }
            manifest.detections.push(DetectionEntry { line: entry.place.line, sql, source });
        }
        for entry in self.tables(root, "list") {
            self.only(entry, &["name", "file"]);
            let (name, file) = (self.required(entry, "name"), self.required(entry, "file"));
            if !is_name(&name, '_') {
                self.fault(entry.place, format!("list {name}: lower-case letters, digits and _ make a name"));
            }
            manifest.lists.push(ListEntry { line: entry.place.line, name, file });
        }
        for entry in self.tables(root, "parameter") {
            let read = self.parameter(entry);
            manifest.parameters.extend(read);
        }
        if let Some(files) = root.entry("files") {
            let mut listed = Vec::new();
            for (key, node) in files.entries() {
                match &node.value {
                    Value::Text(hash) if hash.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64) => {
                        listed.push((key.name.clone(), hash.trim_start_matches("sha256:").to_lowercase(), key.place.line));
                    }
                    _ => self.fault(node.place, format!("{}: \"sha256:\" and 64 hex digits are needed", key.name)),
                }
            }
            manifest.files = Some(listed);
        }
        manifest
    }

    fn tables<'a>(&mut self, root: &'a Node, name: &str) -> Vec<&'a Node> {
        match root.entry(name).map(|node| (node, &node.value)) {
            None => Vec::new(),
            Some((_, Value::List(items))) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => items.iter().collect(),
            Some((node, _)) => {
                self.fault(node.place, format!("{name}: [[{name}]] tables are needed"));
                Vec::new()
            }
        }
    }

    fn plugin(&mut self, table: &Node, manifest: &mut Manifest) {
        self.only(table, &["name", "version", "description", "author", "license", "requires", "schema"]);
        manifest.name = self.required(table, "name");
        if !manifest.name.is_empty() && !is_name(&manifest.name, '-') {
            self.fault(table.place, format!("name {}: up to 40 lower-case letters, digits and - make a name", manifest.name));
        }
        manifest.version = self.required(table, "version");
        manifest.description = self.required(table, "description");
        manifest.author = self.optional(table, "author");
        manifest.license = self.optional(table, "license");
        let line = |name: &str| table.entry(name).map_or(table.place.line, |node| node.place.line);
        manifest.requires = self.optional(table, "requires").map(|range| (range, line("requires")));
        match table.entry("schema").map(|node| (node, &node.value)) {
            Some((_, Value::Number(_, number))) if *number >= 1.0 && number.fract() == 0.0 => manifest.schema = (*number as u32, line("schema")),
            Some((node, _)) => self.fault(node.place, "schema: a number of 1 or more is needed".to_owned()),
            None => self.fault(table.place, "schema is missing".to_owned()),
        }
    }

    fn analyzer(&mut self, entry: &Node) -> AnalyzerEntry {
        self.only(entry, &["flag", "group", "title", "help", "sql", "needs"]);
        let spelled = self.required(entry, "flag");
        let flag = spelled.trim_start_matches("--").to_owned();
        if !spelled.is_empty() && (!spelled.starts_with("--") || !is_name(&flag, '-') || flag.starts_with('-')) {
            self.fault(entry.place, format!("flag {spelled}: -- and lower-case letters, digits and - are needed"));
        }
        let group = self.required(entry, "group");
        if !group.is_empty() && group != "it" && group != "ot" {
            self.fault(entry.place, format!("group {group}: it or ot is needed"));
        }
        let mut needs = Vec::new();
        match entry.entry("needs").map(|node| (node, &node.value)) {
            None => {}
            Some((_, Value::List(tables))) => {
                for table in tables {
                    match &table.value {
                        Value::Text(name) => needs.push(name.clone()),
                        other => self.fault(table.place, format!("needs: names of tables are needed, not {}", other.kind())),
                    }
                }
            }
            Some((node, other)) => self.fault(node.place, format!("needs: a list is needed, not {}", other.kind())),
        }
        let (title, help, sql) = (self.required(entry, "title"), self.required(entry, "help"), self.required(entry, "sql"));
        AnalyzerEntry { line: entry.place.line, flag, group, title, help, sql, needs }
    }

    fn parameter(&mut self, entry: &Node) -> Option<Parameter> {
        self.only(entry, &["name", "type", "default"]);
        let (name, kind) = (self.required(entry, "name"), self.required(entry, "type"));
        if !is_name(&name, '_') {
            self.fault(entry.place, format!("parameter {name}: lower-case letters, digits and _ make a name"));
        }
        if !["i64", "f64", "utf8", "bool"].contains(&kind.as_str()) {
            self.fault(entry.place, format!("parameter {name}: type i64, f64, utf8 or bool is needed"));
            return None;
        }
        let Some(default) = entry.entry("default") else {
            self.fault(entry.place, format!("parameter {name}: default is missing"));
            return None;
        };
        let value = match (&default.value, kind.as_str()) {
            (Value::Number(text, _), "i64" | "f64") | (Value::Text(text), "utf8") => Parameter::read(&kind, text),
            (Value::Bool(value), "bool") => Some(ScalarValue::Boolean(Some(*value))),
            _ => None,
        };
        if value.is_none() {
            self.fault(default.place, format!("parameter {name}: the default is no {kind}"));
        }
        Some(Parameter { line: entry.place.line, name, kind, value: value? })
    }
}
