//! Finding plugins and checking all that they bring.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use sha2::{Digest as _, Sha256};

use super::manifest::{self, Manifest, Parameter};
use super::{Plugin, lists, version};
use crate::analyzer::{self, Analyzer};
use crate::catalog::{Catalog, Extension, View};
use crate::report::Shape;
use crate::{run, trust};

/// Name of a plugin's manifest.
const MANIFEST: &str = "plugin.toml";
/// Largest file of a plugin, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// The plugins found, faulty ones among them, and what else is to be told.
#[derive(Default)]
pub struct Plugins {
    pub found: Vec<Found>,
    pub warnings: Vec<String>,
}

/// One plugin.
pub struct Found {
    pub name: String,
    pub version: String,
    pub description: String,
    pub author: Option<String>,
    pub license: Option<String>,
    pub directory: PathBuf,
    pub flags: Vec<Flag>,
    /// Detections without a flag: id and source.
    pub detections: Vec<(String, String)>,
    /// Tables made of its lists, with their rows.
    pub lists: Vec<(String, usize)>,
    pub parameters: Vec<Parameter>,
    /// Files it consists of, with their SHA-256 as hex.
    pub files: Vec<(String, String)>,
    /// Why it is left out; empty where it is sound.
    pub faults: Vec<String>,
    analyzers: Vec<Analyzer>,
    tables: Vec<(String, Arc<dyn TableProvider>)>,
}

/// A flag that a plugin gives.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Without leading dashes.
    pub name: String,
    /// `it` or `ot`.
    pub group: String,
    pub help: String,
}

impl Plugins {
    /// Flags of the sound plugins.
    pub fn flags(&self) -> Vec<Flag> {
        self.found.iter().filter(|found| found.faults.is_empty()).flat_map(|found| found.flags.clone()).collect()
    }

    /// Why a flag is not there, if a plugin that was left out would give it.
    pub fn why_not(&self, flag: &str) -> Option<String> {
        let found = self.found.iter().find(|found| !found.faults.is_empty() && found.flags.iter().any(|known| known.name == flag))?;
        Some(format!("plugin {} is left out: {}", found.name, found.faults.first()?))
    }

    /// Gives a parameter, named `PLUGIN.PARAMETER`, its value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let unknown = || format!("--set {name}: no plugin has such a parameter (--list-plugins -v lists them)");
        let (plugin, parameter) = name.split_once('.').ok_or_else(unknown)?;
        let found = self.found.iter_mut().find(|found| found.name == plugin && found.faults.is_empty()).ok_or_else(unknown)?;
        let known = found.parameters.iter_mut().find(|known| known.name == parameter).ok_or_else(unknown)?;
        known.value = Parameter::read(&known.kind, value).ok_or_else(|| format!("--set {name}={value}: {} is needed", known.kind))?;
        Ok(())
    }

    /// Analyzers and lists of the sound plugins.
    pub fn extension(&self) -> Extension {
        let mut extension = Extension::default();
        for found in self.found.iter().filter(|found| found.faults.is_empty()) {
            extension.analyzers.extend(found.bound());
            extension.lists.extend(found.tables.iter().cloned());
        }
        extension
    }
}

impl Found {
    /// Its analyzers with the values of its parameters.
    fn bound(&self) -> Vec<Analyzer> {
        let parameters = self.parameters.iter().map(|known| (known.name.clone(), known.value.clone())).collect();
        let plugin = Arc::new(Plugin { name: self.name.clone(), parameters });
        self.analyzers.iter().cloned().map(|analyzer| Analyzer { plugin: Some(Arc::clone(&plugin)), ..analyzer }).collect()
    }
}

/// Finds the plugins in the directories named; where two have the same name, the first is taken. `taken` are flags, without
/// dashes, that are not free.
pub fn load(directories: &[PathBuf], taken: &[String]) -> Plugins {
    let mut plugins = Plugins::default();
    let mut flags: Vec<String> = taken.to_vec();
    let built_in = analyzer::built_in();
    let mut ids: Vec<String> = built_in.iter().flat_map(|analyzer| &analyzer.findings).map(|finding| finding.id.clone()).collect();
    let mut names: Vec<String> = built_in.iter().map(|analyzer| analyzer.name.clone()).collect();
    for directory in directories {
        let mut inside: Vec<PathBuf> = match std::fs::read_dir(directory) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).filter(|path| path.join(MANIFEST).is_file()).collect(),
            Err(error) => {
                plugins.warnings.push(format!("{}: cannot read: {error}", directory.display()));
                continue;
            }
        };
        inside.sort();
        if let (Err(reason), false) = (trust::check(directory), inside.is_empty()) {
            plugins.warnings.push(format!("{}: no plugins are read from it: it {reason}", directory.display()));
            continue;
        }
        for path in inside {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(first) = plugins.found.iter().find(|found| found.name == name) {
                plugins.warnings.push(format!("{}: left out: a plugin of this name is in {}", path.display(), first.directory.display()));
                continue;
            }
            let found = one(&path, name, &flags, &ids, &names);
            if found.faults.is_empty() {
                flags.extend(found.flags.iter().map(|flag| flag.name.clone()));
                ids.extend(found.analyzers.iter().flat_map(|analyzer| &analyzer.findings).map(|finding| finding.id.clone()));
                names.extend(found.flags.iter().map(|flag| flag.name.replace('-', "_")));
                if let Some((list, _)) =
                    found.lists.iter().find(|(list, _)| plugins.found.iter().any(|other| other.lists.iter().any(|(known, _)| known == list)))
                {
                    let fault = format!("{}: the table {list} is another plugin's", path.join(MANIFEST).display());
                    plugins.found.push(Found { faults: vec![fault], ..found });
                    continue;
                }
            }
            plugins.found.push(found);
        }
    }
    plugins
}

/// Reads files of one plugin.
struct Files<'a> {
    root: &'a Path,
    manifest: PathBuf,
    /// As the manifest lists them.
    listed: Option<BTreeMap<String, (String, usize)>>,
    /// Read so far, with their hashes.
    read: BTreeMap<String, String>,
}

impl Files<'_> {
    fn fault(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.manifest.display())
    }

    /// The place of a file that the manifest names, once it is sure that it is the plugin's own and as listed.
    fn path(&mut self, name: &str, line: usize) -> Result<PathBuf, String> {
        let relative = Path::new(name);
        if name.is_empty() || !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(self.fault(line, &format!("{name}: a path inside the plugin is needed, without ..")));
        }
        let told = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("{name}: no such file"),
            _ => format!("{name}: cannot read: {error}"),
        };
        let path = self.root.join(relative).canonicalize().map_err(|error| self.fault(line, &told(error)))?;
        let root = self.root.canonicalize().map_err(|error| self.fault(line, &told(error)))?;
        if !path.starts_with(&root) {
            return Err(self.fault(line, &format!("{name}: leads out of the plugin")));
        }
        let about = std::fs::metadata(&path).map_err(|error| self.fault(line, &told(error)))?;
        if !about.is_file() || about.len() > MAX_BYTES {
            return Err(self.fault(line, &format!("{name}: a file of up to {} MB is needed", MAX_BYTES >> 20)));
        }
        trust::check(&path).map_err(|reason| self.fault(line, &format!("{name}: {reason}")))?;
        let bytes = std::fs::read(&path).map_err(|error| self.fault(line, &told(error)))?;
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        match self.listed.as_ref().map(|listed| listed.get(name)) {
            Some(None) => return Err(self.fault(line, &format!("{name}: [files] does not list it"))),
            Some(Some((wanted, at))) if *wanted != hash => {
                return Err(self.fault(*at, &format!("{name}: its SHA-256 is {hash}")));
            }
            _ => {}
        }
        self.read.insert(name.to_owned(), hash);
        Ok(path)
    }

    fn text(&mut self, name: &str, line: usize) -> Result<(PathBuf, String), String> {
        let path = self.path(name, line)?;
        let shown = self.root.join(name);
        let bytes = std::fs::read(&path).map_err(|error| self.fault(line, &format!("{name}: cannot read: {error}")))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok((shown, text)),
            Err(_) => Err(self.fault(line, &format!("{name}: no UTF-8 text"))),
        }
    }
}

fn one(directory: &Path, name: String, flags: &[String], ids: &[String], names: &[String]) -> Found {
    let mut found = Found {
        name,
        version: String::new(),
        description: String::new(),
        author: None,
        license: None,
        directory: directory.to_owned(),
        flags: Vec::new(),
        detections: Vec::new(),
        lists: Vec::new(),
        parameters: Vec::new(),
        files: Vec::new(),
        faults: Vec::new(),
        analyzers: Vec::new(),
        tables: Vec::new(),
    };
    let file = directory.join(MANIFEST);
    for path in [directory, &file] {
        if let Err(reason) = trust::check(path) {
            found.faults.push(format!("{}: {reason}", path.display()));
        }
    }
    let text = match std::fs::read_to_string(&file) {
        Ok(text) if found.faults.is_empty() => text,
        Ok(_) => return found,
        Err(error) => {
            found.faults.push(format!("{}: cannot read: {error}", file.display()));
            return found;
        }
    };
    let mut faults = Vec::new();
    let manifest = manifest::read(&file, &text, &mut faults);
    found.version.clone_from(&manifest.version);
    found.description.clone_from(&manifest.description);
    found.author.clone_from(&manifest.author);
    found.license.clone_from(&manifest.license);
    found.parameters.clone_from(&manifest.parameters);
    found.flags =
        manifest.analyzers.iter().map(|entry| Flag { name: entry.flag.clone(), group: entry.group.clone(), help: entry.help.clone() }).collect();
    let mut files = Files {
        root: directory,
        manifest: file,
        listed: manifest.files.as_ref().map(|files| files.iter().map(|(name, hash, line)| (name.clone(), (hash.clone(), *line))).collect()),
        read: BTreeMap::new(),
    };
    if faults.is_empty() {
        identity(&manifest, &found, &files, &mut faults);
        contents(&manifest, &mut found, &mut files, &mut faults);
    }
    if faults.is_empty() {
        unique(&manifest, &found, &files, (flags, ids, names), &mut faults);
        // A table may start tasks while a query over it is planned.
        match tokio::runtime::Builder::new_current_thread().build() {
            Ok(runtime) => runtime.block_on(plans(&manifest, &found, &files, &mut faults)),
            Err(error) => faults.push(files.fault(1, &error.to_string())),
        }
    }
    found.files = files.read.into_iter().collect();
    found.faults.extend(faults);
    found
}

/// Whether it is what its directory says, and meant for this tool.
fn identity(manifest: &Manifest, found: &Found, files: &Files<'_>, faults: &mut Vec<String>) {
    if manifest.name != found.name {
        faults.push(files.fault(1, &format!("name {} differs from the directory's, {}", manifest.name, found.name)));
    }
    if let Some((range, line)) = &manifest.requires {
        match version::within(env!("CARGO_PKG_VERSION"), range) {
            Some(true) => {}
            Some(false) => faults.push(files.fault(*line, &format!("requires pcapper {range}, this is {}", env!("CARGO_PKG_VERSION")))),
            None => faults.push(files.fault(*line, &format!("requires {range}: a range such as >=0.3, <1.0 is needed"))),
        }
    }
    let (schema, line) = manifest.schema;
    if schema > pcapper_schema::SCHEMA_VERSION {
        faults.push(files.fault(line, &format!("written for table schema {schema}, this is {}", pcapper_schema::SCHEMA_VERSION)));
    }
    for (name, _, line) in manifest.files.iter().flatten() {
        if name == MANIFEST {
            faults.push(files.fault(*line, "[files] cannot list the manifest itself"));
        }
    }
}

/// Reads the files that the manifest names.
fn contents(manifest: &Manifest, found: &mut Found, files: &mut Files<'_>, faults: &mut Vec<String>) {
    for entry in &manifest.analyzers {
        match files.text(&entry.sql, entry.line) {
            Ok((path, text)) => match analyzer::parts(&path.display().to_string(), &text) {
                Ok(parts) => {
                    let name = entry.flag.replace('-', "_");
                    found.analyzers.push(Analyzer {
                        name,
                        group: entry.group.clone(),
                        title: entry.title.clone(),
                        help: entry.help.clone(),
                        ..parts
                    });
                }
                Err(error) => faults.push(error.to_string()),
            },
            Err(fault) => faults.push(fault),
        }
    }
    for entry in &manifest.detections {
        match files.text(&entry.sql, entry.line) {
            Ok((path, text)) => match analyzer::parts(&path.display().to_string(), &text) {
                Ok(parts) => {
                    if let Some(section) = parts.sections.first() {
                        faults.push(format!("{}:{}: a detection has no sections", path.display(), section.line));
                    }
                    found.detections.extend(parts.findings.iter().map(|finding| (finding.id.clone(), entry.source.clone())));
                    found.analyzers.push(Analyzer { name: entry.source.clone(), ..parts });
                }
                Err(error) => faults.push(error.to_string()),
            },
            Err(fault) => faults.push(fault),
        }
    }
    for entry in &manifest.lists {
        let table = files
            .path(&entry.file, entry.line)
            .and_then(|path| lists::table(&path).map_err(|what| files.fault(entry.line, &format!("{}: {what}", entry.file))));
        match table {
            Ok((table, rows)) => {
                found.lists.push((format!("list_{}", entry.name), rows));
                found.tables.push((format!("list_{}", entry.name), Arc::new(table)));
            }
            Err(fault) => faults.push(fault),
        }
    }
}

/// Flags, detections, lists and parameters must each be free.
fn unique(manifest: &Manifest, found: &Found, files: &Files<'_>, (flags, ids, names): (&[String], &[String], &[String]), faults: &mut Vec<String>) {
    let mut seen: Vec<String> = Vec::new();
    let mut free = |kind: &str, name: &str, taken: &[String]| {
        let key = format!("{kind} {name}");
        let is_free = !taken.iter().any(|known| known == name) && !seen.contains(&key);
        seen.push(key);
        is_free
    };
    for entry in &manifest.analyzers {
        if !free("flag", &entry.flag, flags) || names.contains(&entry.flag.replace('-', "_")) {
            faults.push(files.fault(entry.line, &format!("the flag --{} is taken", entry.flag)));
        }
    }
    for finding in found.analyzers.iter().flat_map(|analyzer| &analyzer.findings) {
        if !free("detection", &finding.id, ids) {
            faults.push(files.fault(1, &format!("the detection {} is there already", finding.id)));
        }
    }
    for entry in &manifest.lists {
        if !free("list", &entry.name, &[]) {
            faults.push(files.fault(entry.line, &format!("the list {} is there already", entry.name)));
        }
    }
    for entry in &manifest.parameters {
        if !free("parameter", &entry.name, &[]) {
            faults.push(files.fault(entry.line, &format!("the parameter {} is there already", entry.name)));
        }
    }
}

/// Plans every query over empty tables, and looks at the columns that it gives.
async fn plans(manifest: &Manifest, found: &Found, files: &Files<'_>, faults: &mut Vec<String>) {
    let extension = Extension { lists: found.tables.clone(), ..Extension::default() };
    let catalog = match Catalog::extended(Path::new(""), Vec::new(), View::default(), Arc::new(extension)) {
        Ok(catalog) => catalog,
        Err(error) => {
            faults.push(run::one_line(&error));
            return;
        }
    };
    for entry in &manifest.analyzers {
        for table in entry.needs.iter().filter(|table| !catalog.has_table(table)) {
            faults.push(files.fault(entry.line, &format!("needs {table}: no such table (--tables lists them)")));
        }
    }
    let sources = manifest.analyzers.iter().map(|entry| &entry.sql).chain(manifest.detections.iter().map(|entry| &entry.sql));
    for (analyzer, file) in found.bound().iter().zip(sources) {
        let Some(plugin) = &analyzer.plugin else { continue };
        let file = files.root.join(file);
        for section in &analyzer.sections {
            let planned = catalog.plugin_plan(plugin, &section.sql).await;
            let fault = match planned {
                Ok(schema) => misshapen(section.shape, &schema),
                Err(error) => Some(run::one_line(&error)),
            };
            faults.extend(fault.map(|fault| format!("{}:{}: {fault}", file.display(), section.line)));
            if let Some(table) = section.only_if.as_ref().filter(|table| !catalog.has_table(table)) {
                faults.push(format!("{}:{}: if={table}: no such table", file.display(), section.line));
            }
        }
        for finding in &analyzer.findings {
            let planned = catalog.plugin_plan(plugin, &finding.sql).await;
            let fault = match planned {
                Ok(schema) => no_finding(&schema),
                Err(error) => Some(run::one_line(&error)),
            };
            faults.extend(fault.map(|fault| format!("{}:{}: {fault}", file.display(), finding.line)));
        }
    }
}

/// What keeps columns from being shown in a shape.
fn misshapen(shape: Shape, schema: &SchemaRef) -> Option<String> {
    let lacks = |name: &str| schema.column_with_name(name).is_none();
    match shape {
        Shape::Tree if lacks("depth") => Some("shape=tree needs a column depth".to_owned()),
        Shape::Timeline if lacks("ts") => Some("shape=timeline needs a column ts".to_owned()),
        Shape::Findings => no_finding(schema),
        _ => None,
    }
}

/// What keeps columns from being a finding.
fn no_finding(schema: &SchemaRef) -> Option<String> {
    if schema.column_with_name("title").is_none() {
        return Some("a finding needs a column title".to_owned());
    }
    let wanted = run::findings_schema();
    schema.fields().iter().find_map(|field| {
        let (_, known) = wanted.column_with_name(field.name())?;
        let fits = can_cast_types(field.data_type(), known.data_type());
        (!fits).then(|| format!("column {} is no {} ({})", field.name(), known.data_type(), field.data_type()))
    })
}
