//! Files in transfer: their bytes hashed as they pass, one row in `files` at the end.
//!
//! A dissector that carries files keeps a [`Follower`] for each, feeds it the content (after transfer and content decoding)
//! and finishes it when the protocol says that the file ends, or when it is clear that it never will.

mod kept;

use std::borrow::Cow;
use std::collections::BTreeMap;

use md5::{Digest, Md5};
use pcapper_schema::tables::Files;
use pcapper_schema::{Common, Row as _, TableSet};
use sha1::Sha1;
use sha2::Sha256;

use kept::Body;
pub use kept::{Kept, keep, kept};

use super::hex::hex;
use super::it::mime;
use super::marks::Marks;
use super::{Cx, Dir, Endpoint};
use crate::text::{self, Place};

/// Most bytes that wait for a hole before them to be filled (reads and writes that overtake each other).
const MAX_WAITING: usize = 8 << 20;

/// What the protocol tells about a file.
#[derive(Clone, Copy, Default, Debug)]
pub struct About<'a> {
    /// Where it came from, as in `files.source`: `http`, `smb`, `ftp-data` ...
    pub source: &'a str,
    /// Name as the protocol gave it.
    pub filename: Option<&'a str>,
    /// Type as the protocol declared it.
    pub declared_mime: Option<&'a str>,
    /// Size as the protocol announced it, bytes.
    pub total_bytes: Option<u64>,
    /// Where its first byte lies in the reassembled stream of its sender, where there is one stream and it is known.
    pub stream_offset: Option<u64>,
}

/// Hashes one file's content as it arrives.
pub struct Follower {
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
    counts: Box<[u64; 256]>,
    first: Vec<u8>,
    /// First bytes, for as long as they look like text.
    text: Text,
    marks: Marks,
    /// Bytes hashed so far: the offset up to which nothing is missing.
    next: u64,
    /// Bytes seen, those behind a hole included.
    seen: u64,
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: usize,
    /// Bytes are missing for good.
    lost: bool,
    /// The content, where it is kept (see [`kept`]).
    body: Option<Body>,
}

/// The start of a file that may be text.
#[derive(Default)]
enum Text {
    #[default]
    Unseen,
    Kept(Vec<u8>),
    /// It is none.
    Other,
}

impl Text {
    fn push(&mut self, bytes: &[u8]) {
        if matches!(self, Self::Unseen) && !bytes.is_empty() {
            *self = if text::may_be(bytes) { Self::Kept(Vec::new()) } else { Self::Other };
        }
        if let Self::Kept(kept) = self {
            let room = text::SCRIPT_BYTES.saturating_sub(kept.len());
            kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            md5: Md5::new(),
            sha1: Sha1::new(),
            sha256: Sha256::new(),
            counts: Box::new([0; 256]),
            first: Vec::new(),
            text: Text::default(),
            marks: Marks::default(),
            next: 0,
            seen: 0,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            lost: false,
            body: Body::begin(),
        }
    }
}

impl Follower {
    /// Takes the bytes that follow those taken before.
    pub fn push(&mut self, bytes: &[u8]) {
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        if self.lost {
            return;
        }
        let room = mime::SNIFF_BYTES.saturating_sub(self.first.len());
        self.first.extend(bytes.iter().take(room));
        self.text.push(bytes);
        self.marks.push(&self.first, bytes);
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        for &byte in bytes {
            if let Some(count) = self.counts.get_mut(usize::from(byte)) {
                *count += 1;
            }
        }
        self.next = self.next.saturating_add(bytes.len() as u64);
        if let Some(body) = &mut self.body {
            body.push(bytes);
        }
    }

    /// Takes bytes at an offset of the file: blocks may come in any order and more than once.
    pub fn push_at(&mut self, offset: u64, bytes: &[u8]) {
        if self.lost {
            self.seen = self.seen.saturating_add(bytes.len() as u64);
            return;
        }
        let Some(end) = offset.checked_add(bytes.len() as u64) else { return };
        if end <= self.next {
            return;
        }
        if offset > self.next {
            if self.waiting_bytes.saturating_add(bytes.len()) > MAX_WAITING {
                self.lose();
                self.seen = self.seen.saturating_add(bytes.len() as u64);
                return;
            }
            let known = self.waiting.get(&offset).map_or(0, Vec::len);
            if bytes.len() > known {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(known).saturating_add(bytes.len());
                self.waiting.insert(offset, bytes.to_vec());
            }
            return;
        }
        let overlap = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
        self.push(bytes.get(overlap..).unwrap_or_default());
        while let Some((offset, block)) = self.waiting.pop_first() {
            if offset > self.next {
                self.waiting.insert(offset, block);
                break;
            }
            self.waiting_bytes = self.waiting_bytes.saturating_sub(block.len());
            let overlap = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
            self.push(block.get(overlap..).unwrap_or_default());
        }
    }

    /// Bytes are missing here for good: sizes are still counted, hashes are given up.
    pub fn lose(&mut self) {
        self.lost = true;
        self.seen = self.seen.saturating_add(self.waiting_bytes as u64);
        self.waiting.clear();
        self.waiting_bytes = 0;
    }

    /// Bytes seen so far.
    pub fn bytes(&self) -> u64 {
        self.seen.saturating_add(self.waiting_bytes as u64)
    }

    /// First bytes, up to [`mime::SNIFF_BYTES`].
    pub fn first_bytes(&self) -> &[u8] {
        &self.first
    }

    /// SHA-256 of the content so far, in hexadecimal, if it is whole.
    pub fn sha256(&self, ended: bool) -> Option<String> {
        (ended && !self.lost && self.waiting.is_empty()).then(|| hex(&self.sha256.clone().finalize()))
    }

    /// Writes the row. `ended` says that the protocol showed the file's end; `sender` sent its bytes. Call it in the frame
    /// in which the file completes.
    pub fn finish(self, cx: &mut Cx<'_>, sender: Dir, about: About<'_>, ended: bool) {
        let common = cx.common(sender);
        let direction = if sender == Dir::Orig { "upload" } else { "download" };
        self.finish_as(cx, &common, direction, about, ended);
    }

    /// As [`Self::finish`], with shared cells and direction of the caller's making.
    pub fn finish_as(self, cx: &mut Cx<'_>, common: &Common, direction: &str, about: About<'_>, ended: bool) {
        self.write(cx.tables, common, direction, about, ended);
    }

    /// As [`Self::finish_as`], where only the tables are at hand.
    pub fn write(mut self, tables: &mut TableSet, common: &Common, direction: &str, about: About<'_>, ended: bool) {
        if !self.waiting.is_empty() {
            self.lose();
        }
        let complete = ended && !self.lost && about.total_bytes.is_none_or(|total| total == self.seen);
        if let Some(body) = self.body.take() {
            body.keep(common, &about, direction == "upload", complete);
        }
        let entropy = self.entropy();
        let mime = mime::sniff(&self.first);
        let hashes = complete.then(|| (hex(&self.md5.finalize()), hex(&self.sha1.finalize()), hex(&self.sha256.finalize())));
        if let Text::Kept(first) = &self.text {
            let context = match about.source {
                "http" => "http_body".to_owned(),
                "smtp" | "imap" | "pop3" => "mail_attachment".to_owned(),
                source => format!("{}_file", source.replace('-', "_")),
            };
            let place = Place { filename: about.filename, sha256: hashes.as_ref().map(|h| h.2.as_str()), ..Place::new(common, &context, "files") };
            text::body(tables, place, first, self.seen, mime, about.declared_mime);
        }
        let marks: Vec<Cow<'_, str>> = self.marks.told(&self.first, complete.then_some(self.seen)).into_iter().map(Cow::Borrowed).collect();
        Files::slot(tables).push(
            common,
            Files {
                source: Some(about.source),
                filename: about.filename,
                declared_mime: about.declared_mime,
                mime,
                size_bytes: Some(self.seen),
                total_bytes: about.total_bytes,
                complete: Some(complete),
                md5: hashes.as_ref().map(|h| h.0.as_str()),
                sha1: hashes.as_ref().map(|h| h.1.as_str()),
                sha256: hashes.as_ref().map(|h| h.2.as_str()),
                entropy,
                marks: Some(&marks[..]).filter(|marks| !marks.is_empty()),
                direction: Some(direction),
                stream_offset: about.stream_offset,
            },
        );
    }

    /// Shannon entropy, bits a byte; `None` for an empty file or one with holes.
    fn entropy(&self) -> Option<f64> {
        if self.lost || self.next == 0 {
            return None;
        }
        let total = self.next as f64;
        let bits: f64 = self.counts.iter().filter(|&&n| n > 0).map(|&n| n as f64 / total).map(|p| -p * p.log2()).sum();
        Some(bits.max(0.0))
    }
}
