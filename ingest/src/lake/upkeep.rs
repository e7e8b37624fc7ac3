//! Keeping a lake: what is in it, taking captures out, holding it to its manifests, and to a size.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pcapper_schema::SCHEMA_VERSION;
use pcapper_schema::lake::{MANIFEST, Outline, capture_dir, capture_id, capture_ids, read_manifest, read_outline, table_file};

use super::writer::{clear_abandoned, make_private_dir};
use crate::capture::targets::sha256_file;

/// Prefix of directories on their way out; readers pass over names with a dot.
const REMOVED: &str = ".removed-";
/// File in a capture's directory whose time of change says when it was last asked.
const USED: &str = ".used";
/// File that every run which reads captures holds a lock on, shared by all of them.
const LOCK: &str = ".lock";
/// Captures asked within this time stay where no lock can tell whether another run reads them.
const IN_USE: Duration = Duration::from_secs(3600);
/// What a reader holds at once.
const ROWS_AT_ONCE: usize = 8192;

/// A directory of a lake that is, or should be, a capture.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name of the directory: the capture's id.
    pub id: String,
    /// `None` where no manifest can be read: half a capture.
    pub outline: Option<Outline>,
    /// Size of its files.
    pub bytes: u64,
    /// When it was added.
    pub added: Option<SystemTime>,
    /// When it was last asked, else added.
    pub used: Option<SystemTime>,
}

impl Entry {
    /// Whether the present schema reads it.
    pub fn is_current(&self) -> bool {
        self.outline.as_ref().is_some_and(|outline| outline.schema == SCHEMA_VERSION)
    }

    /// Whether another schema than the present one decoded it.
    pub fn is_outdated(&self) -> bool {
        self.outline.as_ref().is_some_and(|outline| outline.schema != SCHEMA_VERSION)
    }
}

/// All captures of a lake, in order of name and id.
pub fn entries(lake: &Path) -> Vec<Entry> {
    let mut entries: Vec<Entry> = capture_ids(lake)
        .into_iter()
        .filter(|id| capture_dir(lake, id).is_dir())
        .map(|id| {
            let dir = capture_dir(lake, &id);
            let changed = |name: &str| fs::metadata(dir.join(name)).and_then(|about| about.modified()).ok();
            let added = changed(MANIFEST);
            Entry { outline: read_outline(lake, &id), bytes: size(&dir), added, used: changed(USED).or(added), id }
        })
        .collect();
    entries.sort_by_cached_key(|entry| (entry.outline.as_ref().map(|outline| outline.capture.clone()), entry.id.clone()));
    entries
}

/// The part of a capture's id that names its content.
fn content(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// Bytes of the files directly in a directory.
fn size(dir: &Path) -> u64 {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|about| about.len())
        .sum()
}

/// Takes a capture out of the lake: first out of sight, then off the disk.
pub fn remove(lake: &Path, id: &str) -> io::Result<()> {
    let aside = lake.join(format!("{REMOVED}{}-{id}", std::process::id()));
    fs::rename(capture_dir(lake, id), &aside)?;
    fs::remove_dir_all(aside)
}

/// What reading a capture showed.
#[derive(Clone, Default, Debug)]
pub struct Verified {
    /// What is wrong, one line each; nothing if all is as it was written.
    pub wrong: Vec<String>,
    pub files: usize,
    /// Files written without a hash, by earlier builds.
    pub unhashed: usize,
}

/// Holds a capture to its manifest: every page of every file is read.
pub fn verify(lake: &Path, entry: &Entry) -> Verified {
    let mut verified = Verified::default();
    if entry.is_outdated() {
        return verified;
    }
    let Some(manifest) = read_manifest(lake, &entry.id) else {
        verified.wrong.push(format!("{MANIFEST} is missing or cannot be read"));
        return verified;
    };
    verified.files = manifest.tables.len();
    verified.unhashed = manifest.tables.keys().filter(|table| !manifest.files.contains_key(*table)).count();
    let wrong = &mut verified.wrong;
    if manifest.capture_id != entry.id || content(&entry.id) != content(&capture_id(&manifest.sha256, None)) {
        wrong.push(format!("{MANIFEST} is that of {}", manifest.capture_id));
    }
    let mut expected: BTreeSet<String> = manifest.tables.keys().map(|table| format!("{table}.parquet")).collect();
    for (table, rows) in &manifest.tables {
        let path = table_file(lake, &entry.id, table);
        let name = format!("{table}.parquet");
        if let Some(stored) = manifest.files.get(table) {
            match sha256_file(&path) {
                Ok((_, bytes)) if bytes != stored.bytes => wrong.push(format!("{name} has {bytes} bytes, was written with {}", stored.bytes)),
                Ok((sha256, _)) if sha256 != stored.sha256 => wrong.push(format!("{name} was changed: its hash is not the one it was written with")),
                Ok(_) | Err(_) => {}
            }
        }
        match rows_of(&path) {
            Ok(found) if found != *rows => wrong.push(format!("{name} has {found} rows, was written with {rows}")),
            Ok(_) => {}
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    let found = fs::read_dir(capture_dir(lake, &entry.id)).into_iter().flatten().flatten();
    for name in found.filter_map(|file| file.file_name().into_string().ok()) {
        if name != MANIFEST && !name.starts_with('.') && !expected.remove(&name) {
            wrong.push(format!("{name} is not named in {MANIFEST}"));
        }
    }
    verified
}

/// Rows of a file, by reading all of it.
fn rows_of(path: &Path) -> Result<u64, String> {
    let file = File::open(path).map_err(|error| if error.kind() == io::ErrorKind::NotFound { "is missing".to_owned() } else { error.to_string() })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| format!("its footer cannot be read ({error})"))?;
    let reader = builder.with_batch_size(ROWS_AT_ONCE).build().map_err(|error| error.to_string())?;
    let mut rows = 0;
    for batch in reader {
        rows += batch.map_err(|error| format!("a page cannot be read ({error})"))?.num_rows() as u64;
    }
    Ok(rows)
}

/// What tidying took away.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tidied {
    /// Captures of another schema.
    pub outdated: usize,
    /// Directories without a manifest, and those that were being built or removed when their process ended.
    pub unfinished: usize,
    /// Captures not asked for longest, for the sake of the size.
    pub over_size: usize,
    pub freed_bytes: u64,
}

/// Takes away what no question can reach, and the captures not asked for longest while the lake is larger than `max_bytes`.
pub fn compact(lake: &Path, max_bytes: Option<u64>) -> io::Result<Tidied> {
    let mut tidied = Tidied { unfinished: clear_abandoned(lake), ..Tidied::default() };
    for entry in fs::read_dir(lake)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(REMOVED).and_then(|rest| rest.split('-').next());
        let is_over = owner.is_some_and(|owner| Path::new("/proc/self").exists() && !Path::new("/proc").join(owner).exists());
        if is_over && fs::remove_dir_all(entry.path()).is_ok() {
            tidied.unfinished += 1;
        }
    }
    for entry in entries(lake) {
        if entry.is_current() {
            continue;
        }
        remove(lake, &entry.id)?;
        tidied.freed_bytes += entry.bytes;
        if entry.is_outdated() {
            tidied.outdated += 1;
        } else {
            tidied.unfinished += 1;
        }
    }
    forget_hashes(lake);
    if let Some(max_bytes) = max_bytes {
        let (over_size, freed) = shrink(lake, max_bytes, &BTreeSet::new(), Duration::ZERO)?;
        tidied.over_size = over_size;
        tidied.freed_bytes += freed;
    }
    Ok(tidied)
}

/// A lake that a run reads: until it is dropped, no other run takes captures out for the sake of the size.
pub struct InUse(Option<File>);

impl InUse {
    /// Whether another run left it to the next to hold the lake to its size.
    pub fn is_overdue(&self) -> bool {
        self.0.as_ref().and_then(|lock| lock.metadata().ok()).is_some_and(|about| about.len() > 0)
    }
}

/// Tells other runs that this one reads the lake; waits while another takes captures out. Where the file system has no locks,
/// or the lake cannot be written, nobody is told.
pub fn read_lock(lake: &Path) -> InUse {
    let lock = make_private_dir(lake).and_then(|()| lock_file(lake));
    InUse(lock.ok().filter(|lock| lock.lock_shared().is_ok()))
}

fn lock_file(lake: &Path) -> io::Result<File> {
    File::options().read(true).append(true).create(true).open(lake.join(LOCK))
}

/// Holds a lake to its size when a run is done with it: takes out the captures not asked for longest, those of this run
/// excepted. While other runs read the lake all stays, and a mark in the lock tells the next run. Gives how many went.
pub fn hold_to(lake: &Path, max_bytes: u64, own: &BTreeSet<String>, in_use: InUse) -> io::Result<usize> {
    let could_tell = in_use.0.is_some();
    drop(in_use);
    let lock = lock_file(lake)?;
    let spared = match lock.try_lock() {
        Ok(()) => Duration::ZERO,
        Err(TryLockError::WouldBlock) if could_tell => {
            (&lock).write_all(b"x")?;
            return Ok(0);
        }
        Err(_) => IN_USE,
    };
    lock.set_len(0)?;
    shrink(lake, max_bytes, own, spared).map(|(gone, _)| gone)
}

fn shrink(lake: &Path, max_bytes: u64, in_use: &BTreeSet<String>, spared: Duration) -> io::Result<(usize, u64)> {
    let mut entries = entries(lake);
    let mut bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    // What no question can reach goes first, then what was not asked for longest.
    entries.sort_by_key(|entry| (entry.is_current(), entry.used));
    let (mut gone, mut freed) = (0, 0);
    for entry in entries {
        if bytes <= max_bytes {
            break;
        }
        let is_recent = entry.used.and_then(|used| used.elapsed().ok()).is_none_or(|age| age < spared);
        if in_use.contains(&entry.id) || (!spared.is_zero() && is_recent) {
            continue;
        }
        remove(lake, &entry.id)?;
        bytes = bytes.saturating_sub(entry.bytes);
        freed += entry.bytes;
        gone += 1;
    }
    Ok((gone, freed))
}

/// Notes that captures are asked now; a convenience that may fail.
pub fn mark_used<'i>(lake: &Path, ids: impl IntoIterator<Item = &'i str>) {
    for id in ids {
        if let Ok(file) = File::options().create(true).append(true).open(capture_dir(lake, id).join(USED)) {
            let _ = file.set_modified(SystemTime::now());
        }
    }
}

/// Hashes of files whose captures are not in the lake need no remembering.
fn forget_hashes(lake: &Path) {
    let ids = capture_ids(lake);
    let known: BTreeSet<&str> = ids.iter().map(|id| content(id)).collect();
    for entry in fs::read_dir(lake.join(super::index::MEMORY)).into_iter().flatten().flatten() {
        let sha256 = super::index::remembered_hash(&entry.path());
        if sha256.is_none_or(|sha256| !known.contains(content(&capture_id(&sha256, None)))) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
