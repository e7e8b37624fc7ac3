//! Whether a file may be believed: one that others can write may say what they like.

use std::path::Path;

/// Checks that a file or directory belongs to the user or to root, and that nobody else can write it.
#[cfg(unix)]
pub fn check(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if found.uid() != 0 && user().is_some_and(|user| user != found.uid()) {
        return Err("belongs to another user".to_owned());
    }
    // A sticky directory lets others add files, not replace them: what lies in it is checked for itself.
    let is_shared = found.is_dir() && found.mode() & 0o1000 != 0;
    if found.mode() & 0o022 != 0 && !is_shared {
        return Err(format!("others can write it (chmod go-w {})", path.display()));
    }
    Ok(())
}

/// Checks that a file may be believed; where the system does not tell, it is.
#[cfg(not(unix))]
pub fn check(_: &Path) -> Result<(), String> {
    Ok(())
}

/// The user's number: owner of this process, else of the home folder.
#[cfg(unix)]
fn user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|found| found.uid());
    owner(Path::new("/proc/self")).or_else(|| owner(Path::new(&std::env::var_os("HOME")?)))
}
