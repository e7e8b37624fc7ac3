//! The bytes themselves that decryption gave, for whoever writes, follows or searches them.
//!
//! They are not kept in the lake: the capture is decoded once more, with somebody listening where plaintext comes out.

use std::path::Path;
use std::sync::Arc;

use pcapper_schema::TableSet;

use super::Keyring;
use crate::capture::{CaptureReader, Chunk, OpenError};
use crate::flow::Worker;
use crate::protocols::{Dir, Endpoint};

/// The next bytes of a decrypted stream.
pub struct Plaintext<'a> {
    /// Protocol that encrypted them: `tls`, `quic`, `ssh`.
    pub protocol: &'static str,
    /// Flow that carried them.
    pub flow_id: u64,
    /// The flow's originator and responder.
    pub ends: [Endpoint; 2],
    /// Stream within the connection (QUIC).
    pub stream: Option<u64>,
    /// Who sent them, by the flow's originator.
    pub dir: Dir,
    /// The client of the encrypted session sent them.
    pub is_client: bool,
    /// Frame that completed their record, and its time.
    pub frame: u64,
    pub ts: i64,
    pub bytes: &'a [u8],
}

/// Who listens.
pub type Tap = Box<dyn FnMut(&Plaintext<'_>) + Send>;

/// Decodes a capture with keys, those in the capture included, and gives `tap` what they open, in order of each stream.
pub fn each(path: &Path, keys: &Keyring, tap: Tap) -> Result<(), OpenError> {
    let keys = with_capture_keys(path, keys)?;
    let mut reader = CaptureReader::open(path)?;
    let mut worker = Worker::new(reader.is_pcapng(), (!keys.is_empty()).then(|| Arc::new(keys)));
    worker.listen(tap);
    let mut chunk = Chunk::default();
    let mut clock = i64::MIN;
    while reader.next_chunk(&mut chunk) {
        worker.sweep(clock);
        for meta in &chunk.frames {
            worker.frame(meta, chunk.bytes(meta), chunk.base + u64::from(meta.start));
            clock = clock.max(meta.ts);
        }
        // The rows are in the lake already.
        worker.tables = TableSet::default();
    }
    worker.finish();
    Ok(())
}

/// The keys given, and those of the capture's decryption-secrets blocks.
pub fn with_capture_keys(path: &Path, keys: &Keyring) -> Result<Keyring, OpenError> {
    let mut keys = keys.clone();
    let mut reader = CaptureReader::open(path)?;
    if reader.is_pcapng() {
        let mut chunk = Chunk::default();
        while reader.next_chunk(&mut chunk) {}
        for (kind, data) in reader.secrets() {
            keys.add_block(*kind, data);
        }
    }
    Ok(keys)
}
