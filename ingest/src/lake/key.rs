//! The lake's key: secrets get ids under it (`credentials.secret_id`) that mean nothing outside the lake.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::writer::make_private_dir;
use crate::protocols::secrets;

/// Reads the key, or makes one on the lake's first use. Of two processes that make one at once, the first to finish wins and
/// both use its key.
pub fn load(lake: &Path) -> io::Result<()> {
    let path = lake.join(".key");
    if let Some(key) = read(&path)? {
        secrets::set_key(key);
        return Ok(());
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    make_private_dir(lake)?;
    let aside = lake.join(format!(".key-{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&aside)?.write_all(&key)?;
    // A link, unlike a rename, never replaces what another process has put there meanwhile.
    let linked = fs::hard_link(&aside, &path);
    let _ = fs::remove_file(&aside);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    secrets::set_key(read(&path)?.unwrap_or(key));
    Ok(())
}

fn read(path: &Path) -> io::Result<Option<[u8; 32]>> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes.try_into().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
