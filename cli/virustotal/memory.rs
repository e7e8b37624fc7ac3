//! Answers of the last day, kept in the lake: a file each, so that runs side by side do not meet.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::client::Verdict;
use super::subject::Subject;

/// Directory in the lake; readers of captures pass over names with a dot.
const PLACE: &str = ".reputations";
/// How long an answer holds.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    kind: String,
    value: String,
    /// Seconds since 1970.
    asked: u64,
    verdict: Verdict,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn file(lake: &Path, subject: &Subject) -> PathBuf {
    let digest = Sha256::digest(format!("{} {}", subject.kind.name(), subject.value));
    let name: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    lake.join(PLACE).join(name)
}

/// The answer about a subject, if it was asked about within the day.
pub fn recall(lake: &Path, subject: &Subject) -> Option<Verdict> {
    let kept: Kept = serde_json::from_slice(&fs::read(file(lake, subject)).ok()?).ok()?;
    let is_fresh = now().checked_sub(kept.asked).is_some_and(|age| age < DAY.as_secs());
    (is_fresh && kept.kind == subject.kind.name() && kept.value == subject.value).then_some(kept.verdict)
}

/// Keeps an answer; where that fails it is asked again.
pub fn keep(lake: &Path, subject: &Subject, verdict: &Verdict) {
    let kept = Kept { kind: subject.kind.name().to_owned(), value: subject.value.clone(), asked: now(), verdict: verdict.clone() };
    let path = file(lake, subject);
    let aside = path.with_extension(std::process::id().to_string());
    let write = || {
        fs::create_dir_all(lake.join(PLACE))?;
        fs::File::create(&aside)?.write_all(serde_json::to_string(&kept)?.as_bytes())?;
        fs::rename(&aside, &path)
    };
    let written: std::io::Result<()> = write();
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
}

/// Takes away what holds no more.
pub fn forget(lake: &Path) {
    for entry in fs::read_dir(lake.join(PLACE)).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|about| about.modified()).ok().and_then(|changed| changed.elapsed().ok());
        if age.is_some_and(|age| age > DAY) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
