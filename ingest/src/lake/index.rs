//! Which content a file holds, without reading it anew each time.
//!
//! Hashing a large capture takes longer than answering a question about it. So the lake remembers, for each file it has
//! hashed, size, time of change, device and inode; while none of them changes, the hash holds.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::IngestError;
use super::writer::make_private_dir;
use crate::capture::OpenError;
use crate::capture::targets::{Target, sha256};
use crate::interrupt;

/// Where a capture's bytes are, and their hash.
pub struct Source {
    pub path: PathBuf,
    /// Path as the user gave it.
    pub shown: String,
    /// File name, for the `capture` column.
    pub name: String,
    /// Hash of the content, where it is known without reading the file.
    pub sha256: Option<String>,
    pub size: u64,
    /// By what it is known again.
    stamp: Stamp,
    /// Where the hash is remembered.
    memory: Option<PathBuf>,
}

#[derive(Clone, Copy, Serialize, Deserialize, PartialEq)]
struct Stamp {
    size: u64,
    modified_ns: i128,
    changed_ns: i128,
    device: u64,
    inode: u64,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    stamp: Stamp,
    sha256: String,
}

impl Source {
    /// Starts to read the bytes that were there when the file was found: a capture that is still written is read so far, in
    /// every pass.
    pub fn open(&self) -> Result<io::Take<File>, IngestError> {
        let file = File::open(&self.path).map_err(OpenError::Io)?;
        let now = stamp(&file.metadata().map_err(OpenError::Io)?);
        if (now.device, now.inode) != (self.stamp.device, self.stamp.inode) {
            return Err(IngestError::Changed);
        }
        Ok(file.take(self.size))
    }

    /// Reads the file for its hash, and remembers it.
    pub fn hash(&self) -> Result<String, IngestError> {
        let (sha256, size) = sha256(&mut self.open()?).map_err(OpenError::Io)?;
        if size < self.size {
            return Err(IngestError::Changed);
        }
        if let Some(memory) = &self.memory {
            remember(memory, &Remembered { stamp: self.stamp, sha256: sha256.clone() });
        }
        Ok(sha256)
    }

    /// Sees that what was read is what was there when the file was found. One that has grown still begins with it; one that is
    /// gone was read to its end.
    pub fn is_as_it_was(&self) -> bool {
        let Ok(metadata) = fs::metadata(&self.path) else { return true };
        let now = stamp(&metadata);
        let is_same_file = (now.device, now.inode) == (self.stamp.device, self.stamp.inode);
        is_same_file && (now.size > self.size || (now.size == self.size && now.modified_ns == self.stamp.modified_ns))
    }
}

/// Finds a target's file, and the hash of its content if it is remembered.
pub fn identify(target: &Target, lake: &Path) -> Result<Source, IngestError> {
    let path = target.path.clone();
    let metadata = fs::metadata(&path).map_err(OpenError::Io)?;
    let stamp = stamp(&metadata);
    let memory = memory_file(lake, &path);
    let remembered = fs::read(&memory).ok().and_then(|bytes| serde_json::from_slice::<Remembered>(&bytes).ok());
    let sha256 = remembered.filter(|remembered| remembered.stamp == stamp).map(|remembered| remembered.sha256);
    // A file of this run alone is not met again.
    let memory = (!target.is_spooled).then_some(memory);
    Ok(Source { path, shown: target.shown.clone(), name: target.name(), sha256, size: metadata.len(), stamp, memory })
}

/// Directory of the hashes that are remembered.
pub const MEMORY: &str = ".files";

/// The hash that a file of that directory remembers.
pub fn remembered_hash(memory: &Path) -> Option<String> {
    let remembered: Remembered = serde_json::from_slice(&fs::read(memory).ok()?).ok()?;
    Some(remembered.sha256)
}

fn memory_file(lake: &Path, path: &Path) -> PathBuf {
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let hash = Sha256::digest(whole.as_os_str().as_encoded_bytes());
    let name: String = hash.iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    lake.join(MEMORY).join(name)
}

/// Remembering is a convenience: where it fails, the next run hashes again.
fn remember(memory: &Path, remembered: &Remembered) {
    let Some(dir) = memory.parent() else { return };
    let Ok(text) = serde_json::to_vec(remembered) else { return };
    let aside = memory.with_extension(std::process::id().to_string());
    let written = fs::create_dir_all(dir).and_then(|()| fs::write(&aside, text)).and_then(|()| fs::rename(&aside, memory));
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
}

#[cfg(unix)]
fn stamp(metadata: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    let ns = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    Stamp {
        size: metadata.len(),
        modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
        changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
        device: metadata.dev(),
        inode: metadata.ino(),
    }
}

#[cfg(not(unix))]
fn stamp(metadata: &Metadata) -> Stamp {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Stamp { size: metadata.len(), modified_ns: modified.map_or(0, |age| age.as_nanos() as i128), changed_ns: 0, device: 0, inode: 0 }
}

/// A file that is removed with its owner.
pub struct Spool(PathBuf);

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Standard input and pipes can be read once, and are needed more often (hash, decode, evidence): what they bring is kept in
/// a file of the lake, as long as the guard lives.
pub fn spool(target: &Target, lake: &Path) -> Result<(Target, Spool), IngestError> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let fail = |source| IngestError::Lake { path: lake.to_owned(), source };
    make_private_dir(lake).map_err(fail)?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = lake.join(format!(".stdin-{}-{number}", std::process::id()));
    let guard = Spool(path.clone());
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(fail)?;
    let mut source: Box<dyn Read> = if target.is_stdin() { Box::new(io::stdin().lock()) } else { Box::new(open(&target.path)?) };
    let mut block = vec![0; 256 << 10];
    loop {
        let read = source.read(&mut block);
        if interrupt::is_asked() {
            return Err(IngestError::Interrupted);
        }
        match read {
            Ok(0) => break,
            Ok(count) => file.write_all(block.get(..count).unwrap_or_default()).map_err(fail)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(OpenError::Io(error).into()),
        }
    }
    Ok((Target { path, shown: target.shown.clone(), is_spooled: true }, guard))
}

/// Opens a pipe, for which another process may have to be waited.
fn open(path: &Path) -> Result<fs::File, IngestError> {
    loop {
        match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted && !interrupt::is_asked() => {}
            Err(_) if interrupt::is_asked() => return Err(IngestError::Interrupted),
            opened => return opened.map_err(|error| OpenError::Io(error).into()),
        }
    }
}
