//! Where plugins lie, and the list of them.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use pcapper_queries::plugins::{Found, Plugins, load};
use serde_json::{Value, json};

use crate::arguments::Given;
use crate::config::{self, File};
use crate::flags::FLAGS;
use crate::render::{escape, grid};
use crate::status::Status;

/// Reads the plugins of all places: options, environment, configuration file, the user's and the system's data folders.
pub fn find(arguments: &[OsString], file: Option<&File>) -> Result<Plugins, String> {
    let mut directories = Vec::new();
    let named = |how: &str, path: PathBuf| {
        if path.is_dir() { Ok(path) } else { Err(format!("{how} {}: no such directory", path.display())) }
    };
    for path in config::early(arguments, "plugins") {
        directories.push(named("--plugins", PathBuf::from(path))?);
    }
    if let Some(paths) = std::env::var_os("PCAPPER_PLUGINS") {
        for path in std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()) {
            directories.push(named("PCAPPER_PLUGINS:", path)?);
        }
    }
    directories.extend(file.map(File::plugins).unwrap_or_default());
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")));
    let common = [data.map(|data| data.join("pcapper/plugins")), Some(PathBuf::from("/usr/share/pcapper/plugins"))];
    directories.extend(common.into_iter().flatten().filter(|path| path.is_dir()));
    let mut seen = Vec::new();
    directories.retain(|path| {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let is_new = !seen.contains(&real);
        seen.push(real);
        is_new
    });
    let taken: Vec<String> =
        FLAGS.iter().flat_map(|flag| [flag.name.to_owned(), flag.opposite()]).chain(["help", "version", "quiet"].map(str::to_owned)).collect();
    Ok(load(&directories, &taken))
}

/// What `--list-plugins` says, and whether all is well.
pub fn list(plugins: &Plugins, given: &Given) -> (String, Status) {
    let is_faulty = plugins.found.iter().any(|found| !found.faults.is_empty());
    let status = if is_faulty { Status::Partly } else { Status::Done };
    if given.text("json") == Some("-") {
        let listed: Vec<Value> = plugins.found.iter().map(as_json).collect();
        return (format!("{:#}\n", Value::Array(listed)), status);
    }
    if plugins.found.is_empty() {
        return ("No plugins discovered.\n".to_owned(), status);
    }
    let verbose = given.switch("verbose");
    let header = ["Name", "Version", "Flag", "Group", "Source Directory", "Status"].map(str::to_owned);
    let mut rows = Vec::new();
    for found in &plugins.found {
        let state = found.faults.first().map_or("ok", String::as_str);
        let directory = found.directory.to_string_lossy();
        let row = |flag: String, group: &str| -> Vec<String> {
            let cells = [found.name.as_str(), &found.version, &flag, group, &directory, state];
            cells.iter().map(|cell| escape::text(if cell.is_empty() { "-" } else { cell })).collect()
        };
        if found.flags.is_empty() {
            rows.push(row("-".to_owned(), "-"));
        }
        rows.extend(found.flags.iter().map(|flag| row(format!("--{}", flag.name), &flag.group)));
    }
    let mut text = String::from("Plugins:\n");
    for line in grid::grid(&header, &rows, |_, _, _| None) {
        text.push_str(&line);
        text.push('\n');
    }
    if verbose {
        for found in &plugins.found {
            more(found, &mut text);
        }
    }
    (text, status)
}

/// All about one plugin.
fn more(found: &Found, text: &mut String) {
    // Writing into a String cannot fail.
    let _ = writeln!(text, "\n{}: {}", escape::text(&found.name), escape::text(&found.description));
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "  {label:<12} {}", escape::text(value));
    };
    for (label, value) in [("Author", &found.author), ("Licence", &found.license)] {
        if let Some(value) = value {
            line(label, value);
        }
    }
    for fault in &found.faults {
        line("Fault", fault);
    }
    for (id, source) in &found.detections {
        line("Detection", &format!("{id} ({source})"));
    }
    for (table, rows) in &found.lists {
        line("List", &format!("{table} ({rows} rows)"));
    }
    for parameter in &found.parameters {
        line("Parameter", &format!("{}.{}={} ({})", found.name, parameter.name, parameter.value, parameter.kind));
    }
    for (file, hash) in &found.files {
        line("File", &format!("{file} sha256:{hash}"));
    }
}

fn as_json(found: &Found) -> Value {
    json!({
        "name": found.name,
        "version": found.version,
        "description": found.description,
        "author": found.author,
        "license": found.license,
        "directory": found.directory.to_string_lossy(),
        "status": if found.faults.is_empty() { "ok" } else { "faulty" },
        "faults": found.faults,
        "flags": found.flags.iter().map(|flag| json!({"flag": format!("--{}", flag.name), "group": flag.group, "help": flag.help})).collect::<Vec<_>>(),
        "detections": found.detections.iter().map(|(id, source)| json!({"id": id, "source": source})).collect::<Vec<_>>(),
        "lists": found.lists.iter().map(|(table, rows)| json!({"table": table, "rows": rows})).collect::<Vec<_>>(),
        "parameters": found.parameters.iter().map(|known| json!({"name": known.name, "type": known.kind, "value": known.value.to_string()})).collect::<Vec<_>>(),
        "files": found.files.iter().map(|(file, hash)| json!({"file": file, "sha256": hash})).collect::<Vec<_>>(),
    })
}
