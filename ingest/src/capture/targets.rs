//! What the user named, to the captures in it.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::compression::Compression;
use super::pcap::Pcap;
use super::pcapng::PcapNg;
use super::{CaptureInfo, CaptureReader, OpenError};
use crate::interrupt;

/// Suffixes that claim to be captures.
const CLAIMS: [&str; 6] = [".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz"];

/// How standard input is shown.
pub const STDIN: &str = "stdin";

/// How to look.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// Descend into directories, and let `**` cross them.
    pub recursive: bool,
}

/// One capture to read.
#[derive(Clone, Debug)]
pub struct Target {
    pub path: PathBuf,
    /// As shown to the user: the path as given, or `stdin`.
    pub shown: String,
    /// What could be read only once lies at `path` in a file of this run.
    pub is_spooled: bool,
}

impl Target {
    /// Standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// File name, or `stdin` for what came from there.
    pub fn name(&self) -> String {
        let name = if self.is_spooled { Path::new(&self.shown).file_name() } else { self.path.file_name() };
        match name {
            Some(name) if !self.is_stdin() => display(Path::new(name)),
            _ => self.shown.clone(),
        }
    }

    /// It is no file: it can be read once, and not at all places.
    pub fn is_passing(&self) -> bool {
        self.is_stdin() || fs::metadata(&self.path).is_ok_and(|metadata| !metadata.is_file())
    }
}

/// Why something named, or found, is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProblemKind {
    Missing,
    Unreadable,
    NotACapture,
    /// Found in a directory, with a capture's suffix, and no capture.
    Skipped,
}

/// Something that is not read, with the reason.
#[derive(Clone, Debug)]
pub struct Problem {
    pub shown: String,
    pub message: String,
    pub kind: ProblemKind,
}

/// What was found.
#[derive(Default, Debug)]
pub struct Found {
    pub captures: Vec<Target>,
    pub problems: Vec<Problem>,
    /// Files of directories that are no captures and do not claim to be.
    pub passed_over: u64,
}

/// Finds the captures that the targets name: in the order given, inside directories and globs by path.
pub fn find(targets: &[OsString], options: &Options) -> Found {
    let mut search = Search { options: *options, found: Found::default(), files: HashSet::new(), dirs: HashSet::new() };
    for target in targets {
        search.target(target);
    }
    search.found
}

struct Search {
    options: Options,
    found: Found,
    /// Device and inode of the files taken already.
    files: HashSet<(u64, u64)>,
    dirs: HashSet<(u64, u64)>,
}

impl Search {
    fn target(&mut self, target: &OsStr) {
        let shown = display(Path::new(target));
        if target == "-" {
            if self.files.insert((u64::MAX, 0)) {
                self.found.captures.push(Target { path: "-".into(), shown: STDIN.to_owned(), is_spooled: false });
            }
            return;
        }
        let expanded = expand_home(target);
        if expanded.symlink_metadata().is_ok() {
            return self.named(&expanded, &shown);
        }
        let pattern = expanded.to_str().filter(|pattern| pattern.contains(['*', '?', '[']));
        let Some(pattern) = pattern.map(str::to_owned) else {
            return self.problem(&shown, "no such file or directory".to_owned(), ProblemKind::Missing);
        };
        let pattern = if self.options.recursive { pattern } else { pattern.replace("**", "*") };
        let matches = match glob::glob(&pattern) {
            Ok(matches) => matches,
            Err(error) => return self.problem(&shown, format!("not a glob: {}", error.msg), ProblemKind::Missing),
        };
        let mut paths: Vec<PathBuf> = matches.filter_map(Result::ok).collect();
        paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
        if paths.is_empty() {
            return self.problem(&shown, "nothing matches".to_owned(), ProblemKind::Missing);
        }
        for path in paths {
            if path.is_dir() {
                self.directory(&path);
            } else {
                self.candidate(&path);
            }
        }
    }

    /// A path that the user named outright.
    fn named(&mut self, path: &Path, shown: &str) {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.problem(shown, readable(&error), ProblemKind::Unreadable),
        };
        if metadata.is_dir() {
            return self.directory(path);
        }
        if metadata.is_file() {
            match sniff(path) {
                Ok(()) => {}
                Err(OpenError::Io(error)) => return self.problem(shown, readable(&error), ProblemKind::Unreadable),
                Err(error) => return self.problem(shown, error.to_string(), ProblemKind::NotACapture),
            }
        }
        self.take(path, shown.to_owned(), &metadata);
    }

    fn directory(&mut self, path: &Path) {
        let shown = display(path);
        match fs::metadata(path) {
            Ok(metadata) if !self.dirs.insert(identity(&metadata)) => return,
            Ok(_) => {}
            Err(error) => return self.problem(&shown, readable(&error), ProblemKind::Unreadable),
        }
        let mut paths: Vec<PathBuf> = match fs::read_dir(path) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) => return self.problem(&shown, readable(&error), ProblemKind::Unreadable),
        };
        paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
        for path in paths {
            if path.is_dir() {
                if self.options.recursive {
                    self.directory(&path);
                }
            } else {
                self.candidate(&path);
            }
        }
    }

    /// A file found in a directory or by a glob: taken if it is a capture.
    fn candidate(&mut self, path: &Path) {
        let shown = display(path);
        let metadata = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            _ => {
                self.found.passed_over += 1;
                return;
            }
        };
        match sniff(path) {
            Ok(()) => self.take(path, shown, &metadata),
            Err(error) => {
                let lower = shown.to_lowercase();
                if CLAIMS.iter().any(|claim| lower.ends_with(claim)) {
                    let (message, kind) = match error {
                        OpenError::Io(error) => (readable(&error), ProblemKind::Unreadable),
                        other => (format!("skipped: {other}"), ProblemKind::Skipped),
                    };
                    self.problem(&shown, message, kind);
                } else {
                    self.found.passed_over += 1;
                }
            }
        }
    }

    fn take(&mut self, path: &Path, shown: String, metadata: &fs::Metadata) {
        if self.files.insert(identity(metadata)) {
            self.found.captures.push(Target { path: path.to_owned(), shown, is_spooled: false });
        }
    }

    fn problem(&mut self, shown: &str, message: String, kind: ProblemKind) {
        self.found.problems.push(Problem { shown: shown.to_owned(), message, kind });
    }
}

/// An operating system's error without its number.
pub(super) fn readable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

/// Whether a file's first bytes (decompressed) are a capture's.
fn sniff(path: &Path) -> Result<(), OpenError> {
    let mut first = [0; 24];
    let mut file = File::open(path)?;
    let mut have = 0;
    while have < first.len() {
        match file.read(first.get_mut(have..).unwrap_or_default())? {
            0 => break,
            count => have += count,
        }
    }
    let first = first.get(..have).unwrap_or_default();
    if Compression::of(first) == Compression::None && (Pcap::start(first, &mut CaptureInfo::default()).is_some() || PcapNg::recognises(first)) {
        return Ok(());
    }
    CaptureReader::open(path).map(|_| ())
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (metadata.len(), metadata.modified().ok()).hash(&mut hasher);
    (0, hasher.finish())
}

/// `~` and `~/...` stand for the user's home.
fn expand_home(target: &OsStr) -> PathBuf {
    let rest = match target.to_str().and_then(|target| target.strip_prefix('~')) {
        Some("") => "",
        Some(rest) if rest.starts_with('/') => rest.trim_start_matches('/'),
        _ => return target.into(),
    };
    match std::env::var_os("HOME") {
        Some(home) => Path::new(&home).join(rest),
        None => target.into(),
    }
}

/// A path as text; octets that are no UTF-8 as `\xNN`.
pub fn display(path: &Path) -> String {
    let mut shown = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        shown.extend(chunk.invalid().iter().map(|octet| format!("\\x{octet:02x}")));
    }
    shown
}

/// SHA-256 of a file as stored, hex, and its size.
pub fn sha256_file(path: &Path) -> std::io::Result<(String, u64)> {
    sha256(&mut File::open(path)?)
}

/// SHA-256 of all that a source gives, hex, and how much that is.
pub fn sha256(source: &mut impl Read) -> std::io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        match source.read(&mut block) {
            Ok(0) => break,
            Ok(count) => {
                hash.update(block.get(..count).unwrap_or_default());
                size += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted && !interrupt::is_asked() => {}
            Err(error) => return Err(error),
        }
    }
    let hex = hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect();
    Ok((hex, size))
}
