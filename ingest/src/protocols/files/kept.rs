//! The content of files, kept while a capture is decoded anew to get it.
//!
//! Ordinarily a file's bytes are hashed and gone. Where they are wanted, this thread's decoding is told to keep them
//! ([`keep`]), and each finished file is handed out ([`kept`]). A file that grows beyond [`MAX_FILE`], or does not fit into
//! [`MAX_TOTAL`] with those still open, is kept up to there.

use std::cell::{Cell, RefCell};

use pcapper_schema::Common;

use super::{About, Endpoint};

/// Most bytes kept of one file.
pub const MAX_FILE: usize = 256 << 20;
/// Most bytes kept at a time.
const MAX_TOTAL: usize = 512 << 20;

thread_local! {
    static KEEPING: Cell<bool> = const { Cell::new(false) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static DONE: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// A file's content, with what tells its row in `files` from others.
#[derive(Debug)]
pub struct Kept {
    pub frame: u64,
    pub ts: i64,
    pub flow_id: Option<u64>,
    /// Who sent it, and who got it.
    pub ends: [Endpoint; 2],
    /// The flow's originator sent it.
    pub is_upload: bool,
    pub source: String,
    pub filename: Option<String>,
    /// Up to the first missing byte.
    pub bytes: Vec<u8>,
    /// Nothing is missing on the wire.
    pub complete: bool,
    /// The file is longer than what can be kept.
    pub cut: bool,
}

/// Starts or stops keeping the content of files that this thread decodes.
pub fn keep(on: bool) {
    KEEPING.set(on);
    DONE.with_borrow_mut(Vec::clear);
}

/// The files finished since the last call.
pub fn kept() -> Vec<Kept> {
    DONE.with_borrow_mut(std::mem::take)
}

/// The bytes of one file so far.
pub(super) struct Body {
    bytes: Vec<u8>,
    cut: bool,
}

impl Body {
    /// A body to fill, if content is kept.
    pub fn begin() -> Option<Self> {
        KEEPING.get().then(|| Self { bytes: Vec::new(), cut: false })
    }

    pub fn push(&mut self, bytes: &[u8]) {
        let held = HELD.get();
        if self.cut || self.bytes.len().saturating_add(bytes.len()) > MAX_FILE || held.saturating_add(bytes.len()) > MAX_TOTAL {
            self.cut = true;
            return;
        }
        HELD.set(held + bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// The file is finished: it waits for [`kept`].
    pub fn keep(mut self, common: &Common, about: &About<'_>, is_upload: bool, complete: bool) {
        let bytes = std::mem::take(&mut self.bytes);
        HELD.set(HELD.get().saturating_sub(bytes.len()));
        let done = Kept {
            frame: common.frame,
            ts: common.ts.unwrap_or_default(),
            flow_id: common.flow_id,
            ends: [
                Endpoint { ip: common.src_ip, port: common.src_port, mac: common.src_mac },
                Endpoint { ip: common.dst_ip, port: common.dst_port, mac: common.dst_mac },
            ],
            is_upload,
            source: about.source.to_owned(),
            filename: about.filename.map(str::to_owned),
            bytes,
            complete,
            cut: self.cut,
        };
        DONE.with_borrow_mut(|all| all.push(done));
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        HELD.set(HELD.get().saturating_sub(self.bytes.len()));
    }
}
