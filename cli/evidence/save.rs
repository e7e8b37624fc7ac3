//! Files from the traffic, written where they can do no harm.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use pcapper_ingest::evidence::sha256;
use serde_json::Value;

use crate::export::file::reason;
use crate::render::Written;

/// How the reason begins why a file could not be written.
pub const WRITE_ERROR: &str = "write error";

/// A directory that files are written to, with a list of them beside them.
pub struct Saver {
    directory: PathBuf,
    /// The directory as it was named.
    named: PathBuf,
    /// SHA-256 of what was written, and the name it has.
    known: HashMap<String, String>,
    /// What the run has not been told of.
    written: Vec<Written>,
}

impl Saver {
    /// Opens the directory, made if it is missing.
    pub fn open(directory: &Path) -> Result<Self, String> {
        let fail = |error: io::Error| format!("{}: cannot be used: {}", directory.display(), reason(&error));
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory).map_err(fail)?;
        Ok(Self { directory: fs::canonicalize(directory).map_err(fail)?, named: directory.to_owned(), known: HashMap::new(), written: Vec::new() })
    }

    /// The name under which the same content was written in this run.
    pub fn twin(&self, hash: &str) -> Option<&str> {
        self.known.get(hash).map(String::as_str)
    }

    /// Writes a file under a safe name, or the next free one like it, and its line in `files.jsonl`. What is there already with
    /// the same content is not written again.
    pub fn save(&mut self, name: &str, bytes: &[u8], hash: &str, mut about: Value) -> Result<String, String> {
        let fail = |error: io::Error| format!("{WRITE_ERROR}: {}", reason(&error));
        let saved = self.write(name, bytes, hash).map_err(fail)?;
        if let Some(about) = about.as_object_mut() {
            about.insert("saved_name".to_owned(), saved.clone().into());
            about.insert("size".to_owned(), bytes.len().into());
            about.insert("sha256".to_owned(), hash.into());
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut list = options.open(self.directory.join("files.jsonl")).map_err(fail)?;
        list.write_all(format!("{about}\n").as_bytes()).map_err(fail)?;
        self.known.insert(hash.to_owned(), saved.clone());
        self.written.push(Written { path: self.named.join(&saved), bytes: bytes.len() as u64 });
        Ok(saved)
    }

    /// The files since the last time that this was asked.
    pub fn take_written(&mut self) -> Vec<Written> {
        std::mem::take(&mut self.written)
    }

    fn write(&self, name: &str, bytes: &[u8], hash: &str) -> io::Result<String> {
        let (stem, suffix) = match name.rsplit_once('.') {
            Some((stem, suffix)) => (stem, format!(".{suffix}")),
            None => (name, String::new()),
        };
        let mut number = 1_u32;
        loop {
            let free = if number == 1 { name.to_owned() } else { format!("{stem}_{number}{suffix}") };
            let path = self.directory.join(&free);
            // A new file, or none: links and files that are there are never followed or touched.
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&path) {
                Ok(mut file) => {
                    if let Err(error) = file.write_all(bytes) {
                        let _ = fs::remove_file(&path);
                        return Err(error);
                    }
                    return Ok(free);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if free != "files.jsonl" && is_same(&path, bytes, hash) {
                        return Ok(free);
                    }
                    number = number.checked_add(1).ok_or(error)?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A plain file of exactly this content.
fn is_same(path: &Path, bytes: &[u8], hash: &str) -> bool {
    let Ok(metadata) = fs::symlink_metadata(path) else { return false };
    if !metadata.is_file() || metadata.len() != bytes.len() as u64 {
        return false;
    }
    let mut there = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(bytes.len() as u64 + 1).read_to_end(&mut there));
    read.is_ok() && sha256(&there) == hash
}
