//! Open files, what passes through them, and their rows when they are closed.

use std::collections::BTreeMap;
use std::sync::Arc;

use pcapper_schema::Common;
use pcapper_schema::tables::SmbFiles;

use super::codes;
use crate::protocols::files::{About, Follower};
use crate::protocols::it::dcerpc::Pipe;
use crate::protocols::{Cx, Dir};

/// Most files of a connection that are open at once.
const MAX_OPEN: usize = 8192;
/// Most of them whose content is followed at once.
const MAX_FOLLOWED: usize = 256;
/// Most separate pieces of a file that are kept account of.
const MAX_PIECES: usize = 1024;

/// A file's id: version 2 has sixteen octets, version 1 two.
pub type Key = u128;

/// Where the bytes of a long message go.
pub struct Sink {
    pub key: Key,
    pub is_write: bool,
    /// Place of the content in the message, and its length.
    pub start: usize,
    pub length: usize,
    /// Place in the file.
    pub offset: u64,
}

/// What the server said of a file when it was opened.
#[derive(Clone, Default)]
pub struct Facts {
    pub size: Option<u64>,
    pub allocation: Option<u64>,
    /// Created, accessed, written, changed.
    pub times: [Option<i64>; 4],
    pub attributes: Option<u32>,
    pub action: Option<&'static str>,
}

/// Content in one direction.
#[derive(Default)]
struct Content {
    follower: Option<Follower>,
    bytes: u64,
    /// What has passed: end by start.
    pieces: BTreeMap<u64, u64>,
    /// Not whole, or not in order to be told.
    spoiled: bool,
    used: bool,
}

impl Content {
    /// Content passes; bytes written twice make the file other than what was hashed.
    fn put(&mut self, offset: u64, bytes: &[u8], is_write: bool) {
        self.used = true;
        let end = offset.saturating_add(bytes.len() as u64);
        let before = self.pieces.range(..end).next_back().map(|(&start, &end)| (start, end));
        let overlaps = before.is_some_and(|(_, known)| known > offset);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if overlaps && is_write {
            self.spoil();
        }
        match before {
            Some((start, known)) if known >= offset => {
                self.pieces.insert(start, known.max(end));
            }
            _ if self.pieces.len() < MAX_PIECES => {
                self.pieces.insert(offset, end);
            }
            _ => self.spoil(),
        }
        if let Some(follower) = &mut self.follower {
            follower.push_at(offset, bytes);
        }
    }

    fn spoil(&mut self) {
        self.spoiled = true;
        if let Some(follower) = &mut self.follower {
            follower.lose();
        }
    }
}

/// An open file.
pub struct Handle {
    pub path: Option<Arc<str>>,
    pub share: Option<Arc<str>>,
    pub user: Option<Arc<str>>,
    pub pipe: bool,
    pub facts: Facts,
    pub id: String,
    pub client: Dir,
    pub delete: bool,
    pub listed: bool,
    pub changed: bool,
    /// Size that the client set.
    pub set_size: Option<u64>,
    /// What passes through a pipe.
    rpc: Option<Box<Pipe>>,
    read: Content,
    written: Content,
}

impl Handle {
    pub fn new(id: String, client: Dir) -> Self {
        Self {
            path: None,
            share: None,
            user: None,
            pipe: false,
            facts: Facts::default(),
            id,
            client,
            delete: false,
            listed: false,
            changed: false,
            set_size: None,
            rpc: None,
            read: Content::default(),
            written: Content::default(),
        }
    }

    fn is_directory(&self) -> Option<bool> {
        self.facts.attributes.map(|bits| bits & 0x10 != 0)
    }

    /// Writes a row about something done to the file.
    pub fn event(&self, cx: &mut Cx<'_>, common: &Common, action: &str, previous: Option<&str>, status: Option<&str>, sha256: Option<&str>) {
        let attributes = codes::bits(self.facts.attributes.unwrap_or(0), codes::ATTRIBUTES);
        let [created, accessed, modified, changed] = self.facts.times;
        cx.emit_as(
            common,
            SmbFiles {
                action: Some(action),
                share: self.share.as_deref(),
                path: self.path.as_deref(),
                prev_path: previous,
                file_id: Some(self.id.as_str()).filter(|id| !id.is_empty()),
                username: self.user.as_deref(),
                is_directory: self.is_directory(),
                size_bytes: self.facts.size,
                allocation_size_bytes: self.facts.allocation,
                bytes_read: self.read.used.then_some(self.read.bytes),
                bytes_written: self.written.used.then_some(self.written.bytes),
                create_action: self.facts.action,
                delete_on_close: Some(self.delete),
                created,
                modified,
                accessed,
                changed,
                attributes: (!attributes.is_empty()).then_some(attributes.as_slice()),
                status,
                sha256,
            },
        );
    }

    /// The handle is closed, or the connection ended.
    fn finish(mut self, cx: &mut Cx<'_>, closed: bool) {
        if let Some(mut rpc) = self.rpc.take() {
            rpc.close(cx);
        }
        if self.pipe {
            return;
        }
        let common = cx.common(self.client);
        let mut told = self.changed;
        for is_write in [false, true] {
            let content = if is_write { &mut self.written } else { &mut self.read };
            if !content.used {
                continue;
            }
            told = true;
            let follower = content.follower.take();
            let total = match is_write {
                false => self.facts.size,
                true if self.set_size.is_some() => self.set_size,
                // Part of an older file was written over.
                true if self.facts.action == Some("opened") => self.facts.size.filter(|&size| size > self.written.bytes),
                true => None,
            };
            // A read may come again, and a write without its file's opening may be any part of it.
            let (bytes, spoiled) = if is_write { (self.written.bytes, self.written.spoiled) } else { (self.read.bytes, self.read.spoiled) };
            let whole = !spoiled && closed && if is_write { self.facts.action.is_some() } else { total.is_some() };
            let about = About { source: "smb", filename: self.path.as_deref(), total_bytes: total, ..About::default() };
            let sha256 =
                follower.as_ref().filter(|follower| total.is_none_or(|total| total == follower.bytes())).and_then(|follower| follower.sha256(whole));
            if bytes > 0
                && let Some(follower) = follower
            {
                let sender = if is_write { self.client } else { self.client.reverse() };
                let from = cx.common(sender);
                follower.finish_as(cx, &from, if sender == Dir::Orig { "upload" } else { "download" }, about, whole);
            }
            self.event(cx, &common, if is_write { "write" } else { "read" }, None, None, sha256.as_deref());
        }
        if self.listed {
            self.event(cx, &common, "list", None, None, None);
        }
        if self.delete {
            self.event(cx, &common, "delete", None, None, None);
        }
        if !told && !self.listed && !self.delete && self.facts.action.is_some() {
            self.event(cx, &common, "open", None, Some("STATUS_SUCCESS"), None);
        }
    }
}

/// The open files of a connection.
#[derive(Default)]
pub struct Handles {
    open: BTreeMap<Key, Handle>,
    followed: usize,
}

impl Handles {
    pub fn get(&mut self, key: Key) -> Option<&mut Handle> {
        self.open.get_mut(&key)
    }

    /// A file is opened; an id that is used again closed the one before.
    pub fn insert(&mut self, cx: &mut Cx<'_>, key: Key, handle: Handle) {
        self.remove(cx, key, false);
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self.open.keys().next().copied()
        {
            self.remove(cx, oldest, false);
        }
        self.open.insert(key, handle);
    }

    pub fn remove(&mut self, cx: &mut Cx<'_>, key: Key, closed: bool) {
        if let Some(handle) = self.open.remove(&key) {
            let followers = usize::from(handle.read.follower.is_some()) + usize::from(handle.written.follower.is_some());
            self.followed = self.followed.saturating_sub(followers);
            handle.finish(cx, closed);
        }
    }

    /// Bytes of a file pass.
    pub fn content(&mut self, key: Key, offset: u64, bytes: &[u8], is_write: bool) {
        let Some(handle) = self.open.get_mut(&key).filter(|handle| !handle.pipe) else { return };
        let content = if is_write { &mut handle.written } else { &mut handle.read };
        if content.follower.is_none() && !content.used && self.followed < MAX_FOLLOWED {
            content.follower = Some(Follower::default());
            self.followed += 1;
        }
        content.put(offset, bytes, is_write);
    }

    /// Bytes pass through a pipe; where the connect or the opening was not captured, they must look
    /// like DCE/RPC. `client` is who would
    /// have opened it.
    pub fn pipe(&mut self, cx: &mut Cx<'_>, key: Key, bytes: &[u8], client: Dir) {
        if bytes.is_empty() {
            return;
        }
        match self.open.get_mut(&key) {
            Some(handle) => handle.pipe |= handle.share.is_none() && !handle.read.used && !handle.written.used && Pipe::starts(bytes),
            None if Pipe::starts(bytes) => self.insert(cx, key, Handle { pipe: true, ..Handle::new(String::new(), client) }),
            None => {}
        }
        let Some(handle) = self.open.get_mut(&key).filter(|handle| handle.pipe) else { return };
        let path = handle.path.as_deref().unwrap_or_default();
        handle.rpc.get_or_insert_with(|| Box::new(Pipe::new(path.trim_start_matches('\\')))).data(cx, bytes);
    }

    /// Part of a long message, which starts at octet `start` of it.
    pub fn pour(&mut self, sink: &Sink, start: usize, bytes: &[u8]) {
        let end = start.saturating_add(bytes.len());
        let (from, to) = (start.max(sink.start), end.min(sink.start.saturating_add(sink.length)));
        if from < to
            && let Some(piece) = bytes.get(from - start..to - start)
        {
            self.content(sink.key, sink.offset.saturating_add((from - sink.start) as u64), piece, sink.is_write);
        }
    }

    /// Bytes that `dir` sent are lost: no file that was in transfer is whole.
    pub fn lose(&mut self, dir: Dir) {
        for handle in self.open.values_mut() {
            if handle.client == dir {
                handle.written.spoil()
            } else {
                handle.read.spoil()
            }
            if let Some(rpc) = &mut handle.rpc {
                rpc.lose(dir);
            }
        }
    }

    /// The server did not take what was written.
    pub fn refuse(&mut self, key: Key) {
        if let Some(handle) = self.open.get_mut(&key) {
            handle.written.spoil();
        }
    }

    pub fn close(&mut self, cx: &mut Cx<'_>) {
        while let Some(key) = self.open.keys().next().copied() {
            self.remove(cx, key, false);
        }
    }
}
