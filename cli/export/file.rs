//! Files that appear whole or not at all, and never in the place of a capture.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use pcapper_ingest::capture::targets::sha256_file;

use crate::render::escape;

/// Makes the files of a run.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Readable by whom the umask allows, rather than by their owner only.
    pub shared: bool,
    /// The captures of the run, links resolved: they are never written.
    pub inputs: Vec<PathBuf>,
}

/// A file in the making: written beside its place, moved there by [`Whole::commit`], removed if that never comes.
#[derive(Debug)]
pub struct Whole {
    file: BufWriter<File>,
    /// Path as the user gave it.
    given: PathBuf,
    /// Where it is written, and where it belongs; `None` for a device or pipe, which is written straight.
    moves: Option<(PathBuf, PathBuf)>,
    bytes: u64,
}

impl Files {
    /// Starts a file. Missing folders are made; a link is followed.
    pub fn create(&self, path: &Path) -> Result<Whole, String> {
        let shown = escape::path(path);
        let fail = |error: io::Error| format!("{shown}: cannot write: {}", reason(&error));
        let place = self.allowed(path)?;
        if let Ok(metadata) = fs::metadata(&place)
            && !metadata.is_file()
        {
            let file = OpenOptions::new().write(true).open(&place).map_err(fail)?;
            return Ok(Whole { file: BufWriter::new(file), given: path.to_owned(), moves: None, bytes: 0 });
        }
        if let Some(parent) = place.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        let (file, aside) = self.beside(&place).map_err(fail)?;
        Ok(Whole { file: BufWriter::new(file), given: path.to_owned(), moves: Some((aside, place)), bytes: 0 })
    }

    /// The place of a file, links resolved; a capture of the run is refused.
    pub fn allowed(&self, path: &Path) -> Result<PathBuf, String> {
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if self.inputs.contains(&place) {
            return Err(format!("{}: is a capture of this run; name another file", escape::path(path)));
        }
        Ok(place)
    }

    /// A new file next to `place`, under a name that nobody has.
    fn beside(&self, place: &Path) -> io::Result<(File, PathBuf)> {
        let name = place.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::IsADirectory, "is a directory"))?;
        let mut options = OpenOptions::new();
        options.write(true).read(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if self.shared { 0o666 } else { 0o600 });
        let mut attempt = 0;
        loop {
            let mut aside = OsString::from(".");
            aside.push(name);
            aside.push(format!(".{}-{attempt}.part", std::process::id()));
            let aside = place.with_file_name(aside);
            match options.open(&aside) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
                opened => return opened.map(|file| (file, aside)),
            }
        }
    }
}

impl Whole {
    /// The file while it is written; `None` for a device.
    pub fn aside(&self) -> Option<&Path> {
        self.moves.as_ref().map(|(aside, _)| aside.as_path())
    }

    /// Whether anything was written.
    pub fn is_begun(&self) -> bool {
        self.bytes > 0
    }

    /// An error of this file, as one line.
    pub fn fault(&self, error: &io::Error) -> String {
        format!("{}: cannot write: {}", escape::path(&self.given), reason(error))
    }

    /// Gives the file its place, and tells its size.
    pub fn commit(mut self) -> Result<u64, String> {
        let Some((aside, place)) = self.moves.clone() else {
            return match self.file.flush() {
                Ok(()) => Ok(self.bytes),
                Err(error) => Err(self.fault(&error)),
            };
        };
        let done = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| fs::metadata(&aside))
            .and_then(|metadata| fs::rename(&aside, &place).map(|()| metadata.len()));
        match done {
            Ok(bytes) => {
                self.moves = None;
                Ok(bytes)
            }
            // The file beside goes with `self`.
            Err(error) => Err(self.fault(&error)),
        }
    }
}

impl Whole {
    /// As [`Whole::commit`], but what another file holds stays: the place then gets a number (`report_2.txt`). A file that is
    /// there already with the same content is left as it is. Tells the place as well.
    pub fn commit_beside(mut self) -> Result<(PathBuf, u64), String> {
        let Some((aside, place)) = self.moves.clone() else {
            let given = self.given.clone();
            return self.commit().map(|bytes| (given, bytes));
        };
        let done = self.file.flush().and_then(|()| self.file.get_ref().sync_all()).and_then(|()| settle(&aside, &place));
        let (name, bytes) = done.map_err(|error| self.fault(&error))?;
        Ok((self.given.with_file_name(name), bytes))
    }
}

/// Links the file to the first of its names that is free, or that holds the same already.
fn settle(aside: &Path, place: &Path) -> io::Result<(OsString, u64)> {
    let (hash, size) = sha256_file(aside)?;
    let stem = place.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let suffix = place.extension().map(|suffix| format!(".{}", suffix.to_string_lossy())).unwrap_or_default();
    let mut number = 1;
    loop {
        let name = if number == 1 { place.file_name().unwrap_or_default().to_owned() } else { format!("{stem}_{number}{suffix}").into() };
        let free = place.with_file_name(&name);
        match fs::hard_link(aside, &free) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let metadata = fs::metadata(&free)?;
                if metadata.is_file() && metadata.len() == size && sha256_file(&free)?.0 == hash {
                    return Ok((name, size));
                }
                number += 1;
            }
            linked => return linked.map(|()| (name, size)),
        }
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if let Some((aside, _)) = &self.moves {
            let _ = fs::remove_file(aside);
        }
    }
}

/// An operating system's error in words, without its number.
pub fn reason(error: &io::Error) -> String {
    let text = without_number(&error.to_string());
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A message without the number that the operating system gave an error in it.
pub fn without_number(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" (os error ") else { return text.to_owned() };
    match rest.split_once(')') {
        Some((number, after)) if number.bytes().all(|digit| digit.is_ascii_digit()) => format!("{before}{}", without_number(after)),
        _ => text.to_owned(),
    }
}
