//! What must be refused before any work is done.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::file::{Files, reason};
use super::{KINDS, Options, Place, file_name};
use crate::render::escape;

/// Marks a database of ours: `PCAP`.
pub const APPLICATION_ID: i32 = 0x5043_4150;

/// Refuses places that cannot or must not be written: the same one twice, a capture of the run, a folder that is not
/// writable, a file in the place of a database that is none of ours. `inputs` are the captures, links resolved, with the
/// names they are reported under; `others` are files of the run that are no exports, each with its flag.
pub fn check(options: &Options, others: &[(&str, &Path)], inputs: &[(PathBuf, String)]) -> Result<(), String> {
    let files = Files { shared: options.shared, inputs: inputs.iter().map(|(path, _)| path.clone()).collect() };
    let mut taken: Vec<(String, PathBuf)> = Vec::new();
    let mut claim = |flag: &str, path: &Path| -> Result<(), String> {
        let place = resolved(path);
        let flag = if KINDS.contains(&flag) { format!("--{flag}") } else { flag.to_owned() };
        if let Some((other, _)) = taken.iter().find(|(_, known)| *known == place) {
            return Err(format!("{}: named for {other} and for {flag}", escape::path(path)));
        }
        taken.push((flag, place));
        Ok(())
    };
    let mut stdout = None;
    for (kind, place) in &options.asked {
        match place {
            Place::Stdout => {
                if let Some(other) = stdout.replace(*kind) {
                    return Err(format!("--{other} and --{kind} cannot both write to standard output"));
                }
            }
            Place::File(path) | Place::Kept(path) => {
                claim(kind, path)?;
                one(&files, kind, path)?;
            }
            Place::Directory(directory) => {
                fs::create_dir_all(directory).map_err(|error| format!("{}: cannot write: {}", escape::path(directory), reason(&error)))?;
                let mut names = Vec::new();
                for (_, name) in inputs {
                    let path = directory.join(file_name(name, kind, &mut names));
                    claim(kind, &path)?;
                    one(&files, kind, &path)?;
                }
            }
        }
    }
    for (flag, path) in others {
        claim(flag, path)?;
        if files.inputs.contains(&resolved(path)) {
            return Err(format!("{}: is a capture of this run; name another file", escape::path(path)));
        }
        one(&files, flag, path)?;
    }
    Ok(())
}

/// One file: it must be possible to make it, and nothing of a stranger's may go for it.
fn one(files: &Files, kind: &str, path: &Path) -> Result<(), String> {
    if kind == "sqlite" {
        database(path)?;
    }
    // The file in the making goes at once.
    files.create(path).map(drop)
}

/// An existing file in the place of a database must be a database of ours, or empty.
fn database(path: &Path) -> Result<(), String> {
    let shown = escape::path(path);
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if !metadata.is_file() {
        return Err(format!("{shown}: is no file, and no place for a database"));
    }
    if metadata.len() == 0 {
        return Ok(());
    }
    let mut head = [0; 72];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    if read.is_err() || !head.starts_with(b"SQLite format 3\0") {
        return Err(format!("{shown}: exists and is no SQLite database; name another file"));
    }
    if head.get(68..72) != Some(&APPLICATION_ID.to_be_bytes()) {
        return Err(format!("{shown}: is a database of another program; name another file"));
    }
    Ok(())
}

/// The place a path means, whether something is there already or not.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(place) = fs::canonicalize(path) {
        return place;
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = fs::canonicalize(parent).or_else(|_| std::path::absolute(parent)).unwrap_or_else(|_| parent.to_owned());
    path.file_name().map_or_else(|| parent.clone(), |name| parent.join(name))
}
