//! Where tables lie on disk.
//!
//! A lake is a directory; every capture in it is a directory of its own, named by the capture id, that holds one Parquet
//! file a table and `capture.json`, written last:
//!
//! ```text
//! lake/<capture-id>/capture.json
//! lake/<capture-id>/packets.parquet
//! ```
//! A directory without a manifest, or one whose name starts with a dot, is no capture: readers pass it over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Name of the manifest in a capture's directory.
pub const MANIFEST: &str = "capture.json";

/// What a capture's directory holds, and how it came to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`crate::SCHEMA_VERSION`] of the tables.
    pub schema: u32,
    pub capture_id: String,
    /// File name the capture had when it was decoded; stands in the tables' `capture` column.
    pub capture: String,
    /// SHA-256 of the file as stored, hex.
    pub sha256: String,
    pub file_size_bytes: u64,
    /// `pcap`, `pcap-ns`, `pcapng`, with `+gzip` and the like.
    pub format: String,
    pub packets: u64,
    /// Sum of the frames' lengths on the wire.
    pub wire_bytes: u64,
    /// Time of the earliest and the latest frame, nanoseconds since 1970.
    pub first_ts: Option<i64>,
    pub last_ts: Option<i64>,
    /// What could not be read; empty for a sound capture.
    pub faults: Vec<Fault>,
    /// The file ends inside a record.
    pub truncated: bool,
    /// Bytes of damaged records passed over.
    pub skipped_bytes: u64,
    /// Rows of each table that has any.
    pub tables: BTreeMap<String, u64>,
    /// File of each of those tables, to tell later damage; captures decoded by earlier builds lack it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, StoredFile>,
}

/// A file as it was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredFile {
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// A stretch of a capture that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Offset in the (decompressed) capture.
    pub offset: u64,
    /// One line for a person: what is wrong and where.
    pub detail: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

/// The capture id: the content's hash, the schema that decoded it, and a hash of the keys given to decrypt it, if any.
pub fn capture_id(sha256: &str, keys: Option<&str>) -> String {
    let id = format!("{}-{}", sha256.get(..32).unwrap_or(sha256), crate::SCHEMA_VERSION);
    keys.map_or_else(|| id.clone(), |keys| format!("{id}-{keys}"))
}

/// Directory of a capture.
pub fn capture_dir(lake: &Path, capture_id: &str) -> PathBuf {
    lake.join(capture_id)
}

/// File of one table of a capture; it exists only if the table has rows.
pub fn table_file(lake: &Path, capture_id: &str, table: &str) -> PathBuf {
    capture_dir(lake, capture_id).join(format!("{table}.parquet"))
}

/// What every manifest says, whatever schema wrote it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    pub schema: u32,
    pub capture_id: String,
    #[serde(default)]
    pub capture: String,
    #[serde(default)]
    pub packets: u64,
    pub first_ts: Option<i64>,
    pub last_ts: Option<i64>,
}

/// Reads a capture's manifest; `None` if the capture is not in the lake (or not wholly, or decoded by another schema).
pub fn read_manifest(lake: &Path, capture_id: &str) -> Option<Manifest> {
    let manifest: Manifest = read(lake, capture_id)?;
    (manifest.schema == crate::SCHEMA_VERSION).then_some(manifest)
}

/// Reads what a manifest of any schema says.
pub fn read_outline(lake: &Path, capture_id: &str) -> Option<Outline> {
    read(lake, capture_id)
}

fn read<T: for<'d> Deserialize<'d>>(lake: &Path, capture_id: &str) -> Option<T> {
    let bytes = std::fs::read(capture_dir(lake, capture_id).join(MANIFEST)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Names of all directories in a lake that may be captures, in order.
pub fn capture_ids(lake: &Path) -> Vec<String> {
    let mut ids: Vec<String> = std::fs::read_dir(lake)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    ids.sort();
    ids
}

/// Manifests of all captures in a lake that the present schema decoded, in order of capture id.
pub fn captures(lake: &Path) -> Vec<Manifest> {
    capture_ids(lake).iter().filter_map(|id| read_manifest(lake, id)).collect()
}
