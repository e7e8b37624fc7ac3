//! What file handles stand for, and the content that passes under them.
//!
//! A handle says nothing by itself: its file is known from the LOOKUP, CREATE, READDIRPLUS or mount that gave it. Clients
//! and servers are kept apart by address, not by connection: a mount goes over another one, and reads may go over several.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pcapper_schema::{Common, TableSet};
use rustc_hash::FxHashMap;

use crate::protocols::files::{About, Follower};

/// Pairs of client and server without open flows that are remembered.
const MAX_IDLE: usize = 256;
/// Most files and directories that are remembered for a pair.
const MAX_NODES: usize = 1 << 15;
/// Most files of a pair whose content is followed at once.
const MAX_FOLLOWED: usize = 256;
/// Most separate pieces of a file that are kept account of.
const MAX_PIECES: usize = 1024;
/// Longest name and deepest directory that are followed.
const MAX_NAME: usize = 1024;
const MAX_DEPTH: usize = 128;

/// Client and server.
pub type Pair = (IpAddr, IpAddr);

/// What is known of each pair.
#[derive(Default)]
pub struct Pairs(FxHashMap<Pair, Tree>);

impl Pairs {
    /// What is known of a pair.
    pub fn tree(&mut self, pair: Pair) -> &mut Tree {
        if self.0.len() >= MAX_IDLE && !self.0.contains_key(&pair) {
            self.0.retain(|_, tree| tree.flows > 0);
        }
        self.0.entry(pair).or_default()
    }
}

/// A file or directory, for one that reads its [`Tree`]: stale once that was emptied.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Node {
    index: u32,
    generation: u32,
}

#[derive(Default)]
struct Entry {
    parent: Option<u32>,
    /// Name in the parent; for a mounted directory its whole path; empty where only the handle is known.
    name: Box<str>,
    /// Size, bytes, where attributes or the end of a read told it.
    size: Option<u64>,
}

/// The files of one server as one client knows them.
#[derive(Default)]
pub struct Tree {
    /// Flows that use it.
    pub flows: u32,
    generation: u32,
    entries: Vec<Entry>,
    handles: FxHashMap<Box<[u8]>, u32>,
    children: FxHashMap<(u32, Box<str>), u32>,
    contents: FxHashMap<(u32, bool), Content>,
}

impl Tree {
    /// Makes room: everything is forgotten once there is too much of it.
    pub fn tidy(&mut self, tables: &mut TableSet) {
        if self.entries.len() < MAX_NODES {
            return;
        }
        self.finish_all(tables);
        self.generation = self.generation.wrapping_add(1);
        self.entries.clear();
        self.handles.clear();
        self.children.clear();
    }

    fn node(&self, index: u32) -> Node {
        Node { index, generation: self.generation }
    }

    fn entry(&self, node: Node) -> Option<&Entry> {
        self.entries.get(usize::try_from(node.index).ok()?).filter(|_| node.generation == self.generation)
    }

    fn entry_mut(&mut self, node: Node) -> Option<&mut Entry> {
        let current = self.generation;
        self.entries.get_mut(usize::try_from(node.index).ok()?).filter(|_| node.generation == current)
    }

    fn add(&mut self, entry: Entry) -> u32 {
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(entry);
        index
    }

    /// The file of a handle.
    pub fn of(&mut self, handle: &[u8]) -> Node {
        if let Some(&index) = self.handles.get(handle) {
            return self.node(index);
        }
        let index = self.add(Entry::default());
        self.handles.insert(handle.into(), index);
        self.node(index)
    }

    /// The top of the server's files, which version 4 has (RFC 7530, section 7.2).
    pub fn root(&mut self) -> Node {
        // No handle is empty: the place is free for it.
        let node = self.of(&[]);
        if let Some(entry) = self.entry_mut(node) {
            entry.name = "/".into();
        }
        node
    }

    /// A name in a directory; `None` for names that lead elsewhere and cannot be followed.
    pub fn child(&mut self, directory: Node, name: &str) -> Option<Node> {
        match name {
            "." | "" => return Some(directory),
            ".." => return self.parent(directory),
            _ if name.len() > MAX_NAME => return None,
            _ => {}
        }
        self.entry(directory)?;
        if self.entries.len() >= 2 * MAX_NODES {
            return None;
        }
        let key = (directory.index, Box::from(name));
        if let Some(&index) = self.children.get(&key) {
            return Some(self.node(index));
        }
        let index = self.add(Entry { parent: Some(directory.index), name: name.into(), size: None });
        self.children.insert(key, index);
        Some(self.node(index))
    }

    /// The directory that a file is in.
    pub fn parent(&self, node: Node) -> Option<Node> {
        self.entry(node)?.parent.map(|index| self.node(index))
    }

    /// The server gave a file's handle.
    pub fn bind(&mut self, node: Option<Node>, handle: &[u8]) {
        let Some(node) = node.filter(|&node| self.entry(node).is_some() && !handle.is_empty()) else { return };
        match self.handles.get(handle).copied() {
            Some(known) if known == node.index => {}
            // Known by nothing but the handle until now: this is its name.
            Some(known) if self.is_nameless(known) && !self.is_below(node, known) => {
                let Some(entry) = self.entry(node) else { return };
                let (parent, name) = (entry.parent, entry.name.clone());
                if let Some(directory) = parent {
                    self.children.insert((directory, name.clone()), known);
                }
                let known = self.node(known);
                if let Some(entry) = self.entry_mut(known) {
                    (entry.parent, entry.name) = (parent, name);
                }
            }
            _ => {
                self.handles.insert(handle.into(), node.index);
            }
        }
    }

    fn is_nameless(&self, index: u32) -> bool {
        self.entry(self.node(index)).is_some_and(|entry| entry.parent.is_none() && entry.name.is_empty())
    }

    /// `node` is `index` or somewhere in it.
    fn is_below(&self, node: Node, index: u32) -> bool {
        let mut at = Some(node.index);
        for _ in 0..MAX_DEPTH {
            match at {
                Some(here) if here == index => return true,
                Some(here) => at = self.entry(self.node(here)).and_then(|entry| entry.parent),
                None => return false,
            }
        }
        true
    }

    /// A directory was mounted by its path.
    pub fn mounted(&mut self, handle: &[u8], path: &str) {
        let node = self.of(handle);
        if let Some(entry) = self.entry_mut(node) {
            (entry.parent, entry.name) = (None, path.into());
        }
    }

    /// A file has another name from here on, or is in another directory.
    pub fn rename(&mut self, old: Option<Node>, new: Option<Node>) {
        let (Some(old), Some(new)) = (old, new) else { return };
        if old == new || self.is_below(new, old.index) {
            return;
        }
        let Some(entry) = self.entry(new) else { return };
        let (parent, name) = (entry.parent, entry.name.clone());
        self.remove(Some(old));
        if let Some(directory) = parent {
            self.children.insert((directory, name.clone()), old.index);
        }
        if let Some(entry) = self.entry_mut(old) {
            (entry.parent, entry.name) = (parent, name);
        }
    }

    /// A name is gone; who holds the file open may still use its handle.
    pub fn remove(&mut self, node: Option<Node>) {
        let Some(node) = node else { return };
        let Some(entry) = self.entry(node) else { return };
        if let Some(directory) = entry.parent {
            let key = (directory, entry.name.clone());
            if self.children.get(&key) == Some(&node.index) {
                self.children.remove(&key);
            }
        }
    }

    /// A file's path: from the top of what was mounted, or as much of it as is known.
    pub fn path(&self, node: Node) -> Option<String> {
        let mut names = Vec::new();
        let mut at = Some(node);
        while let Some(here) = at {
            let entry = self.entry(here)?;
            if !entry.name.is_empty() {
                names.push(entry.name.as_ref());
            }
            if names.len() > MAX_DEPTH {
                break;
            }
            at = entry.parent.map(|index| self.node(index));
        }
        if names.is_empty() {
            return None;
        }
        let mut path = String::new();
        for name in names.into_iter().rev() {
            if !path.is_empty() && !path.ends_with('/') {
                path.push('/');
            }
            path.push_str(name);
        }
        Some(path)
    }

    /// Attributes told a file's size.
    pub fn sized(&mut self, node: Option<Node>, size: u64) {
        if let Some(entry) = node.and_then(|node| self.entry_mut(node)) {
            entry.size = Some(size);
        }
    }

    /// A file was cut to a size, or made anew: what was written before is another content.
    pub fn cut(&mut self, tables: &mut TableSet, node: Option<Node>, size: u64) {
        if size == 0
            && let Some(node) = node
        {
            self.finish(tables, node, true);
        }
        self.sized(node, size);
    }

    /// Content passes. `bytes` are fewer than `length` where the capture does not hold them all.
    pub fn put(&mut self, tables: &mut TableSet, node: Option<Node>, is_write: bool, common: &Common, at: (u64, u64), bytes: &[u8]) {
        let (offset, length) = at;
        let Some(node) = node.filter(|&node| self.entry(node).is_some() && length > 0) else { return };
        let key = (node.index, is_write);
        if self.contents.len() >= MAX_FOLLOWED && !self.contents.contains_key(&key) {
            let oldest = self.contents.iter().min_by_key(|(_, content)| content.common.frame).map(|(&key, _)| key);
            if let Some((index, is_write)) = oldest {
                self.finish(tables, self.node(index), is_write);
            }
        }
        let end = offset.saturating_add(length);
        if is_write && let Some(entry) = self.entry_mut(node) {
            entry.size = entry.size.map(|size| size.max(end));
        }
        let path = if self.contents.contains_key(&key) { None } else { self.path(node) };
        let content = self.contents.entry(key).or_insert_with(|| Content { path, ..Content::default() });
        content.put(offset, length, bytes, is_write);
        content.common = *common;
    }

    /// The server took what was written, or did not.
    pub fn written(&mut self, node: Option<Node>, accepted: bool) {
        if let Some(content) = node.filter(|&node| self.entry(node).is_some()).and_then(|node| self.contents.get_mut(&(node.index, true))) {
            content.accepted |= accepted;
            if !accepted {
                content.spoil();
            }
        }
    }

    /// A read came to the file's end.
    pub fn read_to_end(&mut self, tables: &mut TableSet, node: Option<Node>, end: u64) {
        self.sized(node, end);
        if let Some(node) = node.filter(|&node| self.entry(node).is_some())
            && self.contents.get(&(node.index, false)).is_some_and(|content| content.is_whole(end))
        {
            self.finish(tables, node, false);
        }
    }

    /// A file's content is over: its row is written.
    pub fn finish(&mut self, tables: &mut TableSet, node: Node, is_write: bool) {
        if self.entry(node).is_none() {
            return;
        }
        let Some(content) = self.contents.remove(&(node.index, is_write)) else { return };
        if is_write && !content.accepted {
            return;
        }
        let size = self.entry(node).and_then(|entry| entry.size);
        let path = content.path.clone().or_else(|| self.path(node));
        let whole = size.is_some_and(|size| content.is_whole(size));
        let about = About { source: "nfs", filename: path.as_deref(), total_bytes: size, ..About::default() };
        content.follower.write(tables, &content.common, if is_write { "upload" } else { "download" }, about, whole);
    }

    /// Nothing more will pass: the rows of all files are written.
    pub fn finish_all(&mut self, tables: &mut TableSet) {
        let mut keys: Vec<(u64, u32, bool)> =
            self.contents.iter().map(|(&(index, is_write), content)| (content.common.frame, index, is_write)).collect();
        keys.sort_unstable();
        for (_, index, is_write) in keys {
            self.finish(tables, self.node(index), is_write);
        }
    }
}

/// Content in one direction.
#[derive(Default)]
struct Content {
    /// Path when it began to pass: the file may be renamed later.
    path: Option<String>,
    follower: Follower,
    /// Cells of the last message that carried some of it.
    common: Common,
    /// What has passed: end by start.
    pieces: BTreeMap<u64, u64>,
    /// Not whole, or not what was hashed.
    spoiled: bool,
    accepted: bool,
}

impl Content {
    /// Content passes; bytes written twice make the file other than what was hashed, unless all of it is written anew.
    fn put(&mut self, offset: u64, length: u64, bytes: &[u8], is_write: bool) {
        if is_write && offset == 0 && self.pieces.values().next_back().is_some_and(|&end| end <= length) {
            *self = Self { path: self.path.take(), accepted: self.accepted, ..Self::default() };
        }
        let mut end = offset.saturating_add(length);
        let mut start = offset;
        while let Some((&from, &to)) = self.pieces.range(..=end).next_back() {
            if to < offset {
                break;
            }
            if is_write && to > offset && from < offset.saturating_add(length) {
                self.spoil();
            }
            self.pieces.remove(&from);
            start = start.min(from);
            end = end.max(to);
        }
        if self.pieces.len() < MAX_PIECES {
            self.pieces.insert(start, end);
        } else {
            self.spoil();
        }
        if (bytes.len() as u64) < length {
            self.spoil();
        }
        self.follower.push_at(offset, bytes);
    }

    fn spoil(&mut self) {
        self.spoiled = true;
        self.follower.lose();
    }

    /// All of a file of this size has passed.
    fn is_whole(&self, size: u64) -> bool {
        !self.spoiled && self.pieces.len() == 1 && self.pieces.get(&0) == Some(&size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_names() {
        let mut tree = Tree::default();
        tree.mounted(b"r", "/export");
        let root = tree.of(b"r");
        let a = tree.child(root, "a");
        tree.bind(a, b"A");
        let node = tree.of(b"A");
        assert_eq!(tree.path(node).as_deref(), Some("/export/a"));
        let b = tree.child(node, "b");
        tree.bind(b, b"B");
        let moved = tree.child(root, "c");
        tree.rename(a, moved);
        let node = tree.of(b"B");
        assert_eq!(tree.path(node).as_deref(), Some("/export/c/b"));
        assert_eq!(tree.child(node, ".."), a);
        // A directory does not come into itself.
        tree.rename(a, b);
        assert_eq!(tree.path(node).as_deref(), Some("/export/c/b"));
    }

    #[test]
    fn a_handle_gets_its_name_later() {
        let mut tree = Tree::default();
        let file = tree.of(b"F");
        assert_eq!(tree.path(file), None);
        let directory = tree.of(b"D");
        let named = tree.child(directory, "f.txt");
        tree.bind(named, b"F");
        assert_eq!(tree.path(file).as_deref(), Some("f.txt"));
        tree.mounted(b"D", "/");
        assert_eq!(tree.path(file).as_deref(), Some("/f.txt"));
    }

    #[test]
    fn whole_only_without_holes_and_rewriting() {
        let mut content = Content::default();
        content.put(4, 4, b"efgh", true);
        assert!(!content.is_whole(8));
        content.put(0, 4, b"abcd", true);
        assert!(content.is_whole(8));
        content.put(2, 2, b"XX", true);
        assert!(!content.is_whole(8));
        content.put(0, 9, b"ABCDEFGHI", true);
        assert!(content.is_whole(9));
        let mut content = Content::default();
        content.put(0, 4, b"abcd", false);
        content.put(2, 4, b"cdef", false);
        assert!(content.is_whole(6));
    }
}
