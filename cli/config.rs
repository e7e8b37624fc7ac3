//! Defaults for options from a TOML file.
//!
//! ```toml
//! [defaults]
//! dns = true
//! limit_protocols = 30
//!
//! [lake]
//! dir = "lake"
//! max_bytes = "50GB"
//!
//! [plugins]
//! paths = ["~/plugins"]
//!
//! [geoip]
//! city = "GeoLite2-City.mmdb"
//! asn = "GeoLite2-ASN.mmdb"
//! countries = ["KP"]
//!
//! [networks]
//! internal = ["203.0.113.0/24"]
//! ot = ["192.168.50.0/24"]
//! ```
//! One file is read: the one that `--config` or `PCAPPER_CONFIG` names, else the first there is of `./pcapper.toml`,
//! `~/.pcapper.toml` and `$XDG_CONFIG_HOME/pcapper/config.toml`. The command line and the environment come before it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pcapper_queries::document::{self, Key, Node, Place, Value};
use pcapper_queries::functions::Network;
use pcapper_queries::nearest;
use pcapper_queries::trust;

use crate::flags::Flag;
use crate::lake::size_in_bytes;
use crate::render::escape;

/// Largest file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Further keys of options, as an older release called them.
const OLDER_KEYS: &[(&str, &str)] = &[("timeline_ip", "ip"), ("search_case", "case"), ("view_raw", "raw")];

/// Options that a file found beside captures must not set: they write files, reveal secrets, load plugins, run programs or reach the network.
const REFUSED: &[&str] = &[
    "json",
    "csv",
    "sqlite",
    "html",
    "markdown",
    "output",
    "write-pcap",
    "log-file",
    "case-dir",
    "baseline-save",
    "extract",
    "carve",
    "decrypt",
    "show-secrets",
    "export-raw",
    "vt",
    "suricata",
    "plugins",
    "lake",
];

/// A configuration file, read.
pub struct File {
    pub path: PathBuf,
    /// It was found in the working directory, not named.
    is_local: bool,
    root: Node,
}

/// What a file sets.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub file: Option<PathBuf>,
    /// In the order of the file.
    pub options: Vec<Setting>,
    /// What the other tables set, in the order of the file.
    pub entries: Vec<Entry>,
    /// Networks whose addresses count as private.
    pub internal: Vec<Network>,
    /// Industrial networks.
    pub ot: Vec<Network>,
}

/// A value that is no option's.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Table and key: `geoip.city`.
    pub name: String,
    /// Several where the value is a list.
    pub values: Vec<String>,
    /// As for an option.
    pub origin: String,
}

/// One option's default.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The option, without dashes.
    pub name: &'static str,
    pub value: Preset,
    /// `FILE:LINE:COLUMN: KEY`.
    pub origin: String,
}

/// A default.
#[derive(Clone, Debug)]
pub enum Preset {
    Switch(bool),
    Texts(Vec<String>),
}

/// Where files lie.
struct Places {
    home: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Places {
    fn of_user() -> Self {
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = named("HOME");
        let config = named("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| Some(home.as_ref()?.join(".config")));
        Self { home, config }
    }
}

/// The value of an option that must be known before all others; of several, the last.
pub fn early(arguments: &[OsString], name: &str) -> Vec<String> {
    let (spelled, with_value) = (format!("--{name}"), format!("--{name}="));
    let mut found = Vec::new();
    let mut rest = arguments.iter().skip(1).map_while(|argument| (argument != "--").then(|| argument.to_string_lossy()));
    while let Some(argument) = rest.next() {
        if argument == spelled {
            found.extend(rest.next().map(|value| value.into_owned()));
        } else if let Some(value) = argument.strip_prefix(&with_value) {
            found.push(value.to_owned());
        }
    }
    found
}

/// Finds and reads the file that applies, if any; `warn` is told of one that is passed over.
pub fn find(arguments: &[OsString], warn: &mut dyn FnMut(&str)) -> Result<Option<File>, String> {
    let places = Places::of_user();
    if let Some(named) = early(arguments, "config").pop() {
        return if named == "none" { Ok(None) } else { read(&expanded(&named, &places), false).map(Some) };
    }
    if let Some(named) = std::env::var_os("PCAPPER_CONFIG") {
        let named = named.to_string_lossy();
        return if named.is_empty() || named == "none" { Ok(None) } else { read(&expanded(&named, &places), false).map(Some) };
    }
    let local = Path::new("pcapper.toml");
    if local.is_file() {
        match trust::check(local) {
            Ok(()) => return read(local, true).map(Some),
            Err(reason) => warn(&format!("./pcapper.toml is not read: {reason}; --config ./pcapper.toml reads it all the same")),
        }
    }
    let others = [places.home.map(|home| home.join(".pcapper.toml")), places.config.map(|config| config.join("pcapper/config.toml"))];
    match others.into_iter().flatten().find(|path| path.is_file()) {
        Some(path) => read(&path, false).map(Some),
        None => Ok(None),
    }
}

/// A leading `~` is the home folder.
fn expanded(path: &str, places: &Places) -> PathBuf {
    match (path.strip_prefix('~'), &places.home) {
        (Some(""), Some(home)) => home.clone(),
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

fn read(path: &Path, is_local: bool) -> Result<File, String> {
    use std::io::Read as _;
    let shown = escape::text(&path.display().to_string());
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{shown}: no such file or directory"),
        _ => format!("{shown}: cannot read: {error}"),
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(told)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{shown}: larger than {MAX_BYTES} bytes: no configuration file"));
    }
    let text = String::from_utf8(bytes).map_err(|error| format!("{shown}: no UTF-8 text (byte {})", error.utf8_error().valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = |faults: Vec<document::Fault>| {
        let line = |fault: document::Fault| format!("{shown}:{}:{}: {}", fault.place.line, fault.place.column, escape::text(&fault.what));
        faults.into_iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let root = document::toml(text).map_err(lines)?;
    Ok(File { path: path.to_owned(), is_local, root })
}

impl File {
    /// Directories of plugins that it names; what is wrong with them, [`File::settings`] tells.
    pub fn plugins(&self) -> Vec<PathBuf> {
        if self.is_local {
            return Vec::new();
        }
        let paths = self.root.entry("plugins").and_then(|table| table.entry("paths"));
        let Some(Value::List(paths)) = paths.map(|node| &node.value) else { return Vec::new() };
        let text = |node: &Node| match &node.value {
            Value::Text(path) => Some(self.relative(path)),
            _ => None,
        };
        paths.iter().filter_map(text).collect()
    }

    /// A path as the file means it: from where the file lies.
    fn relative(&self, path: &str) -> PathBuf {
        let path = expanded(path, &Places::of_user());
        match self.path.parent() {
            Some(folder) if path.is_relative() => folder.join(path),
            _ => path,
        }
    }

    /// Everything it sets; if anything is wrong, everything that is, a line each.
    pub fn settings(&self, flags: &[&'static Flag]) -> Result<Settings, String> {
        let mut reader =
            Reader { file: self, flags, settings: Settings { file: Some(self.path.clone()), ..Settings::default() }, faults: Vec::new() };
        for (key, node) in self.root.entries() {
            reader.table(key, node);
        }
        if reader.faults.is_empty() { Ok(reader.settings) } else { Err(reader.faults.join("\n")) }
    }
}

struct Reader<'a> {
    file: &'a File,
    flags: &'a [&'static Flag],
    settings: Settings,
    faults: Vec<String>,
}

/// Tables that a file may have.
const TABLES: &[&str] = &["defaults", "logging", "lake", "plugins", "geoip", "networks"];

impl Reader<'_> {
    fn at(&self, place: Place) -> String {
        format!("{}:{}:{}", escape::text(&self.file.path.display().to_string()), place.line, place.column)
    }

    fn fault(&mut self, place: Place, what: &str) {
        let line = format!("{}: {}", self.at(place), escape::text(what));
        self.faults.push(line);
    }

    fn unknown(&mut self, key: &Key, whole: &str, known: &[String]) {
        let near = nearest::name(&key.name, known.iter().map(String::as_str)).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        self.fault(key.place, &format!("unknown {whole} {}{near}", key.name));
    }

    fn table(&mut self, key: &Key, node: &Node) {
        let is_table = matches!(node.value, Value::Map(_));
        match key.name.as_str() {
            "log_file" | "log_json" => self.option(key, node),
            name if TABLES.contains(&name) && !is_table => self.fault(key.place, &format!("{name}: a table is needed: [{name}]")),
            "defaults" => {
                for (key, node) in node.entries() {
                    self.option(key, node);
                }
            }
            "logging" => self.entries(node, &["log_file", "log_json"], |reader, key, node| reader.option(key, node)),
            "lake" => self.entries(node, &["dir", "max_bytes"], |reader, key, node| match key.name.as_str() {
                "dir" => {
                    let as_option = Key { place: key.place, name: "lake".to_owned() };
                    reader.option(&as_option, node);
                }
                _ => reader.max_bytes(key, node),
            }),
            "plugins" => self.entries(node, &["paths"], Self::plugin_paths),
            "geoip" => self.entries(node, &["city", "asn", "countries"], Self::geoip),
            "networks" => self.entries(node, &["internal", "ot"], Self::networks),
            _ => {
                let known: Vec<String> = TABLES.iter().chain(&["log_file", "log_json"]).map(|name| (*name).to_owned()).collect();
                self.unknown(key, if is_table { "table" } else { "key" }, &known);
            }
        }
    }

    fn entries(&mut self, table: &Node, known: &[&str], mut each: impl FnMut(&mut Self, &Key, &Node)) {
        for (key, node) in table.entries() {
            if known.contains(&key.name.as_str()) {
                each(self, key, node);
            } else {
                self.unknown(key, "key", &known.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
            }
        }
    }

    fn plugin_paths(&mut self, key: &Key, node: &Node) {
        if self.file.is_local {
            self.refuse(key, "plugins");
        }
        let paths = self.list(key, node, "directories");
        self.entry("plugins", key, paths.into_iter().map(|(_, path)| path).collect());
    }

    /// The texts of a list, with their places.
    fn list(&mut self, key: &Key, node: &Node, of: &str) -> Vec<(Place, String)> {
        let Value::List(items) = &node.value else {
            self.fault(node.place, &format!("{}: a list of {of} is needed", key.name));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push((item.place, text.clone())),
                other => self.fault(item.place, &format!("{}: a text is needed, not {}", key.name, other.kind())),
            }
        }
        texts
    }

    fn entry(&mut self, table: &str, key: &Key, values: Vec<String>) {
        let origin = format!("{}: {}", self.at(key.place), escape::text(&key.name));
        self.settings.entries.push(Entry { name: format!("{table}.{}", key.name), values, origin });
    }

    fn networks(&mut self, key: &Key, node: &Node) {
        let mut networks = Vec::new();
        let texts = self.list(key, node, "networks");
        for (place, text) in &texts {
            match Network::parse(text) {
                Some(known) => networks.push(known),
                None => self.fault(*place, &format!("{text} is no network such as 10.0.0.0/8")),
            }
        }
        match key.name.as_str() {
            "ot" => self.settings.ot = networks,
            _ => self.settings.internal = networks,
        }
        self.entry("networks", key, texts.into_iter().map(|(_, text)| text).collect());
    }

    fn max_bytes(&mut self, key: &Key, node: &Node) {
        if self.file.is_local {
            self.refuse(key, "lake");
        }
        match &node.value {
            Value::Text(size) | Value::Number(size, _) if size_in_bytes(size).is_some() => self.entry("lake", key, vec![size.clone()]),
            _ => self.fault(node.place, "max_bytes: a size is needed (20GB; 0 for no limit)"),
        }
    }

    fn geoip(&mut self, key: &Key, node: &Node) {
        match (&node.value, key.name.as_str()) {
            (_, "countries") => {
                let texts = self.list(key, node, "countries");
                for (place, text) in &texts {
                    if text.len() != 2 || !text.bytes().all(|letter| letter.is_ascii_uppercase()) {
                        self.fault(*place, &format!("{text} is no country in two letters such as DE"));
                    }
                }
                self.entry("geoip", key, texts.into_iter().map(|(_, text)| text).collect());
            }
            (Value::Text(path), _) => {
                let path = self.file.relative(path).to_string_lossy().into_owned();
                self.entry("geoip", key, vec![path]);
            }
            (other, _) => self.fault(node.place, &format!("{}: a path is needed, not {}", key.name, other.kind())),
        }
    }

    fn refuse(&mut self, key: &Key, name: &str) {
        self.fault(key.place, &format!("{name} is not taken from a file that merely lies here; --config ./pcapper.toml takes it"));
    }

    fn option(&mut self, key: &Key, node: &Node) {
        let older = OLDER_KEYS.iter().find(|(older, _)| *older == key.name).map(|(_, name)| *name);
        let wanted = older.map_or_else(|| key.name.clone(), str::to_owned);
        let Some(flag) = self.flags.iter().copied().find(|flag| flag.key() == wanted && flag.name != "config") else {
            let known: Vec<String> = self.flags.iter().map(|flag| flag.key()).filter(|key| key != "config").collect();
            self.unknown(key, "key", &known);
            return;
        };
        if self.file.is_local && (REFUSED.contains(&flag.name) || flag.name.ends_with("-out")) {
            self.refuse(key, &key.name);
        }
        if self.settings.options.iter().any(|setting| setting.name == flag.name) {
            self.fault(key.place, &format!("{} is set twice", key.name));
        }
        let value = match flag.value {
            None => switch(node).map(Preset::Switch),
            Some(kind) => self.texts(flag, kind, node).map(Preset::Texts),
        };
        match value {
            Ok(value) => {
                let origin = format!("{}: {}", self.at(key.place), escape::text(&key.name));
                self.settings.options.push(Setting { name: flag.name, value, origin });
            }
            Err(what) => self.fault(node.place, &format!("{}: {what}", key.name)),
        }
    }

    fn texts(&self, flag: &Flag, kind: &str, node: &Node) -> Result<Vec<String>, String> {
        let one = |node: &Node| match &node.value {
            Value::Text(text) => Ok(text.clone()),
            Value::Number(text, _) => Ok(text.clone()),
            other => Err(format!("a text or a number is needed, not {}", other.kind())),
        };
        let is_path = ["PATH", "FILE", "DIR"].contains(&kind) && flag.name != "log-file";
        let placed = |text: String| if is_path && text != "-" { self.file.relative(&text).to_string_lossy().into_owned() } else { text };
        let is_repeated = crate::arguments::REPEATED.contains(&flag.name);
        match &node.value {
            Value::List(items) if is_repeated => items.iter().map(|item| one(item).map(placed)).collect(),
            Value::List(items) if flag.name == "timeline-categories" => Ok(vec![items.iter().map(one).collect::<Result<Vec<_>, _>>()?.join(",")]),
            _ => Ok(vec![placed(one(node)?)]),
        }
    }
}

fn switch(node: &Node) -> Result<bool, String> {
    let text = match &node.value {
        Value::Bool(on) => return Ok(*on),
        Value::Text(text) | Value::Number(text, _) => text.to_lowercase(),
        other => return Err(format!("true or false is needed, not {}", other.kind())),
    };
    match text.as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("true or false is needed, not {text}")),
    }
}
