//! Checks of where pcapper runs: lake, temporary files, terminal, limits.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pcapper_queries::geoip::Database;
use pcapper_queries::trust;
use pcapper_schema::lake::captures;

use super::{Check, State};
use crate::arguments::Given;
use crate::export::file::reason;
use crate::geoip::DATABASES;
use crate::render::value;
use crate::select;

/// Free space below which a lake is soon full, in bytes.
const SCARCE: u64 = 1 << 30;
/// Open files below which many captures at once may not work.
const FEW_FILES: u64 = 256;
/// Age from which addresses may have moved too far.
const STALE: Duration = Duration::from_secs(180 * 86_400);

/// The nearest directory above a path that exists.
fn existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// Whether files can be made in a directory.
fn is_writable(directory: &Path) -> Result<(), String> {
    let probe = directory.join(format!(".pcapper-self-check-{}", std::process::id()));
    let written = std::fs::write(&probe, b"x");
    let _ = std::fs::remove_file(&probe);
    written.map_err(|error| reason(&error))
}

/// Bytes of a file system: free, and in all.
#[cfg(unix)]
fn space(directory: &Path) -> Option<(u64, u64)> {
    let found = rustix::fs::statvfs(directory).ok()?;
    Some((found.f_bavail.saturating_mul(found.f_frsize), found.f_blocks.saturating_mul(found.f_frsize)))
}

#[cfg(not(unix))]
fn space(_: &Path) -> Option<(u64, u64)> {
    None
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / f64::from(1 << 30))
}

pub fn lake(given: &Given) -> Check {
    let place = match select::place(given.text("lake").map(Path::new)) {
        Ok(place) => place,
        Err(reason) => return Check::new("lake", State::Fail, reason),
    };
    if place.exists() && !place.is_dir() {
        return Check::new("lake", State::Fail, format!("{}: is no directory", place.display()));
    }
    let standing = existing(&place);
    if let Err(reason) = is_writable(&standing) {
        return Check::new("lake", State::Fail, format!("{}: not writable: {reason}", place.display()));
    }
    let held = captures(&place).len();
    let entries = std::fs::read_dir(&place).into_iter().flatten().flatten();
    let all = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.') && entry.path().is_dir()).count();
    let mut check = Check::new("lake", State::Ok, place.display().to_string());
    if let Some((free, _)) = space(&standing) {
        check.detail.push_str(&format!(", {} free", gigabytes(free)));
        if free < SCARCE {
            check.state = State::Warn;
        }
    }
    check.detail.push_str(&format!(", {held} captures, schema {}", pcapper_schema::SCHEMA_VERSION));
    if all > held {
        check.state = State::Warn;
        check.detail.push_str(&format!(", {} of an older schema", all - held));
    }
    if place.is_dir()
        && let Err(reason) = trust::check(&place)
    {
        check.state = State::Fail;
        check.detail.push_str(&format!(": {reason}"));
    }
    check
}

pub fn temp() -> Check {
    let place = std::env::temp_dir();
    if let Err(reason) = is_writable(&place) {
        return Check::new("temp", State::Fail, format!("{}: not writable: {reason}", place.display()));
    }
    let mut check = Check::new("temp", State::Ok, format!("{}, writable", place.display()));
    if let Some((_, size)) = space(&place).filter(|(_, size)| is_in_memory(&place) && *size < SCARCE) {
        check.state = State::Warn;
        check.detail.push_str(&format!(", in memory and only {} large", gigabytes(size)));
    }
    check
}

/// Whether a directory lies on a tmpfs.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_cast, reason = "the field's type differs between architectures")]
fn is_in_memory(directory: &Path) -> bool {
    const TMPFS: i64 = 0x0102_1994;
    rustix::fs::statfs(directory).is_ok_and(|found| found.f_type as i64 == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}

/// The databases of places and operators, and how old they are.
pub fn geoip(given: &Given) -> Check {
    let (mut told, mut state) = (Vec::new(), State::Ok);
    for (name, what) in DATABASES {
        let Some((paths, origin)) = given.entry(name) else { continue };
        let path = paths.concat();
        match Database::open(Path::new(&path)).and_then(|database| database.about()) {
            Ok((kind, built)) => {
                let age = built.elapsed().unwrap_or_default();
                let days = age.as_secs() / 86_400;
                let day = since_1970(built).map(|seconds| value::time(seconds.saturating_mul(1_000_000_000), 0)).unwrap_or_default();
                told.push(format!("{what}: {kind} of {}, {days} days old", day.split('T').next().unwrap_or_default()));
                if age > STALE {
                    state = state.max(State::Warn);
                }
            }
            Err(reason) => {
                told.push(format!("{what}: {reason} ({origin})"));
                state = State::Fail;
            }
        }
    }
    if told.is_empty() {
        return Check::new("geoip", State::Warn, "no database ([geoip] city, asn; PCAPPER_GEOIP_CITY_DB, PCAPPER_GEOIP_ASN_DB)");
    }
    Check::new("geoip", state, told.join("; "))
}

fn since_1970(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Only whether a key is there; it is never shown, and nothing is sent.
pub fn virustotal() -> Check {
    if std::env::var_os("VT_API_KEY").is_some_and(|key| !key.is_empty()) {
        Check::new("virustotal", State::Warn, "VT_API_KEY is set; no connection is made here")
    } else {
        Check::new("virustotal", State::Ok, "no key (VT_API_KEY)")
    }
}

pub fn terminal() -> Check {
    use std::io::IsTerminal as _;
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let plain = set("NO_COLOR") || std::env::var("TERM").is_ok_and(|term| term == "dumb");
    let colors = if std::io::stdout().is_terminal() && !plain { "colours" } else { "no colours" };
    let width = crate::render::width().map_or_else(|| "no terminal".to_owned(), |width| format!("{width} columns"));
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let is_utf8 = named.as_ref().is_some_and(|locale| ["utf-8", "utf8"].iter().any(|form| locale.to_lowercase().contains(form)));
    let state = if is_utf8 { State::Ok } else { State::Warn };
    Check::new("terminal", state, format!("{colors}, {width}, {}", if is_utf8 { "UTF-8" } else { "not UTF-8 (LC_ALL, LC_CTYPE, LANG)" }))
}

pub fn limits() -> Check {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let memory = read("/proc/meminfo");
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let files = read("/proc/self/limits");
    let files = files.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next().map(str::to_owned));
    let few = files.as_ref().and_then(|files| files.parse::<u64>().ok()).is_some_and(|files| files < FEW_FILES);
    let mut parts = Vec::new();
    parts.extend(memory.map(|kilobytes| format!("{} memory available", gigabytes(kilobytes << 10))));
    parts.extend(files.map(|files| format!("{files} open files")));
    parts.push(format!("{threads} threads"));
    Check::new("limits", if few { State::Warn } else { State::Ok }, parts.join(", "))
}
