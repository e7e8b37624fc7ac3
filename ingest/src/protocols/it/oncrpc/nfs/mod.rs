//! NFS versions 2 (RFC 1094), 3 (RFC 1813) and 4 (RFC 7530, 8881, 7862): operations, calls joined with replies.

mod status;
mod v2;
mod v3;
mod v4;
mod v4_attributes;

use std::borrow::Cow;

use pcapper_schema::tables::Nfs;
use pcapper_schema::{Common, Row as _, TableSet};

use super::header::Sys;
use super::programs;
use super::tree::{Node, Tree};
use crate::wire::{Reader, Wire};

/// One operation: a procedure of versions 2 and 3, a part of a COMPOUND in version 4.
#[derive(Default, Debug)]
pub struct Op {
    pub opcode: u32,
    pub name: Option<&'static str>,
    /// Version 4: whether the COMPOUND is about it.
    main: bool,
    /// What it acts on: for a name in a directory, what has that name.
    node: Option<Node>,
    new_node: Option<Node>,
    handle: Option<Box<[u8]>>,
    filename: Option<Box<str>>,
    new_filename: Option<Box<str>>,
    file_type: Option<&'static str>,
    set_mode: Option<u32>,
    /// Size that is set.
    set_size: Option<u64>,
    attributes: Attributes,
    offset: Option<u64>,
    count: Option<u64>,
    access_asked: Option<u32>,
    access_granted: Option<u32>,
    /// Version 4: who the client says it is.
    client: Option<Box<str>>,
    status: Option<u32>,
    returned: Option<u64>,
    entries: Option<Vec<String>>,
    /// Symbolic link: where it leads, from the reply.
    target: Option<Box<str>>,
}

/// What a reply tells of a file.
#[derive(Default, Clone, Debug, PartialEq)]
pub struct Attributes {
    file_type: Option<&'static str>,
    mode: Option<u32>,
    owner: Option<Box<str>>,
    size: Option<u64>,
}

/// A call of NFS: its operations.
#[derive(Default, Debug)]
pub struct Compound {
    pub minor: Option<u8>,
    pub ops: Vec<Op>,
}

/// What is at hand while a message is read.
pub struct At<'a> {
    pub tree: &'a mut Tree,
    pub tables: &'a mut TableSet,
    /// Cells of the message at hand, its sender as the source.
    pub common: Common,
}

impl At<'_> {
    /// Content read or written: it stands in the message with its length before it.
    fn data(&mut self, node: Option<Node>, is_write: bool, offset: u64, reader: &mut Reader<'_>) -> Wire<u64> {
        let length = u64::from(reader.peek().first_chunk::<4>().copied().map(u32::from_be_bytes).unwrap_or_default());
        let held = reader.peek().get(4..).unwrap_or_default();
        let fits = usize::try_from(length).unwrap_or(usize::MAX).min(held.len());
        let bytes = held.get(..fits).unwrap_or_default();
        self.tree.put(self.tables, node, is_write, &self.common, (offset, length), bytes);
        super::xdr::opaque(reader)?;
        Ok(length)
    }
}

impl Compound {
    /// Reads the arguments of a call.
    pub fn call(&mut self, at: &mut At<'_>, version: u32, procedure: u32, reader: &mut Reader<'_>) -> Wire<()> {
        if version == 4 && procedure == 1 {
            return v4::call(self, at, reader);
        }
        let name = programs::procedure(programs::NFS, version, procedure);
        self.ops.push(Op { opcode: procedure, name, ..Op::default() });
        match (self.ops.last_mut(), version) {
            (Some(op), 2) => v2::call(op, at, reader),
            (Some(op), 3) => v3::call(op, at, reader),
            _ => Ok(()),
        }
    }

    /// Reads the results of a successful call.
    pub fn reply(&mut self, at: &mut At<'_>, version: u32, procedure: u32, reader: &mut Reader<'_>) -> Wire<()> {
        if version == 4 && procedure == 1 {
            return v4::reply(self, at, reader);
        }
        let Some(op) = self.ops.first_mut().filter(|_| procedure > 0) else { return Ok(()) };
        let result = match version {
            2 => v2::reply(op, at, reader),
            3 => v3::reply(op, at, reader),
            _ => return Ok(()),
        };
        op.settle(at);
        result
    }

    /// Writes a row for each operation.
    pub fn emit(&self, at: &mut At<'_>, common: &Common, call: &Told<'_>) {
        let version = u8::try_from(call.version).ok();
        let by_compound = call.version == 4 && call.procedure == 1;
        for (index, op) in self.ops.iter().enumerate() {
            let status_name = op.status.and_then(|status| status::name(status, call.version));
            let entries: Option<Vec<Cow<'_, str>>> = op.entries.as_ref().map(|names| names.iter().map(|name| Cow::Borrowed(name.as_str())).collect());
            let path = op.node.and_then(|node| at.tree.path(node));
            let new_path = op.new_node.and_then(|node| at.tree.path(node));
            Nfs::slot(at.tables).push(
                common,
                Nfs {
                    xid: Some(call.xid),
                    version,
                    minor_version: self.minor,
                    opcode: Some(op.opcode),
                    operation: op.name,
                    compound_index: u16::try_from(index).ok().filter(|_| by_compound),
                    main_operation: by_compound.then_some(op.main),
                    status: op.status,
                    status_name,
                    filename: op.filename.as_deref().filter(|name| !name.is_empty()),
                    path: path.as_deref(),
                    new_filename: op.new_filename.as_deref().or(op.target.as_deref()),
                    new_path: new_path.as_deref(),
                    file_handle: op.handle.as_deref(),
                    file_type: op.file_type.or(op.attributes.file_type),
                    mode: op.set_mode.or(op.attributes.mode),
                    owner: op.attributes.owner.as_deref(),
                    size_bytes: op.attributes.size,
                    offset: op.offset,
                    // All ones: all there is, of locks and layouts.
                    count: op.count.filter(|&count| count != u64::MAX),
                    returned_bytes: op.returned,
                    entries: entries.as_deref(),
                    access_asked: op.access_asked,
                    access_granted: op.access_granted,
                    uid: call.sys.map(|sys| sys.uid),
                    gid: call.sys.map(|sys| sys.gid),
                    machine_name: call.sys.map(|sys| sys.machine.as_str()).filter(|name| !name.is_empty()).or(op.client.as_deref()),
                    response_frame: call.response_frame,
                    response_time_ms: call.response_time_ms,
                },
            );
        }
    }
}

/// What rows of operations have from their call.
pub struct Told<'a> {
    pub xid: u32,
    pub version: u32,
    pub procedure: u32,
    pub sys: Option<&'a Sys>,
    pub response_frame: Option<u64>,
    pub response_time_ms: Option<f64>,
}

impl Op {
    /// The object with this handle.
    fn object(&mut self, at: &mut At<'_>, handle: &[u8]) {
        self.node = Some(at.tree.of(handle));
        self.handle = Some(handle.into());
    }

    /// A name in the directory with this handle.
    fn entry(&mut self, at: &mut At<'_>, handle: &[u8], name: &str) {
        let directory = at.tree.of(handle);
        self.node = at.tree.child(directory, name);
        self.handle = Some(handle.into());
        self.filename = Some(name.into());
    }

    /// The name that something gets.
    fn target(&mut self, at: &mut At<'_>, handle: &[u8], name: &str) {
        let directory = at.tree.of(handle);
        self.new_node = at.tree.child(directory, name);
        self.new_filename = Some(name.into());
    }

    /// What follows from the results for what is known of the files. The effects of renaming and removal on paths come once
    /// the row is written, see [`Compound::apply`].
    fn settle(&mut self, at: &mut At<'_>) {
        let accepted = self.status == Some(0);
        match self.name {
            Some("WRITE") => at.tree.written(self.node, accepted),
            Some("SETATTR" | "CREATE" | "OPEN") if accepted && self.set_size.is_some() => {
                at.tree.cut(at.tables, self.node, self.set_size.unwrap_or_default());
            }
            _ => {}
        }
        if accepted && let Some(size) = self.attributes.size {
            at.tree.sized(self.node, size);
        }
    }
}

impl Compound {
    /// Names change by what succeeded: after the rows are written, which tell the names before.
    pub fn apply(&self, at: &mut At<'_>) {
        for op in self.ops.iter().filter(|op| op.status == Some(0)) {
            match op.name {
                Some("RENAME") => at.tree.rename(op.node, op.new_node),
                Some("REMOVE" | "RMDIR") => at.tree.remove(op.node),
                _ => {}
            }
        }
    }
}

/// A type of file (RFC 1813, section 2.6; version 2 has the first five and, by use, the others).
fn file_type(code: u32, version: u32) -> Option<&'static str> {
    Some(match (code, version) {
        (1, _) => "file",
        (2, _) => "dir",
        (3, _) => "block",
        (4, _) => "char",
        (5, _) => "symlink",
        (6, 2) => "socket",
        (8, 2) => "fifo",
        (6, 3 | 4) => "socket",
        (7, 3 | 4) => "fifo",
        (8, 4) => "attrdir",
        (9, 4) => "namedattr",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers as words; texts with their length before and padding behind.
    fn xdr(parts: &[Result<u32, &str>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in parts {
            match part {
                Ok(word) => bytes.extend(word.to_be_bytes()),
                Err(text) => {
                    bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
                    bytes.extend(text.bytes());
                    bytes.resize(bytes.len().next_multiple_of(4), 0);
                }
            }
        }
        bytes
    }

    fn run(version: u32, procedure: u32, call: &[Result<u32, &str>], reply: &[Result<u32, &str>], tree: &mut Tree) -> Compound {
        let mut tables = TableSet::default();
        let mut at = At { tree, tables: &mut tables, common: Common::default() };
        let mut compound = Compound::default();
        compound.call(&mut at, version, procedure, &mut Reader::new(&xdr(call))).unwrap();
        compound.reply(&mut at, version, procedure, &mut Reader::new(&xdr(reply))).unwrap();
        compound
    }

    #[test]
    fn version_3_looks_up_a_name() {
        let mut tree = Tree::default();
        tree.mounted(b"root", "/export");
        let attributes = [1, 0o100_644, 1, 1000, 100, 0, 7, 0, 7].into_iter().chain([0; 12]).map(Ok);
        let reply: Vec<_> = [Ok(0), Err("file"), Ok(1)].into_iter().chain(attributes).chain([Ok(0)]).collect();
        let compound = run(3, 3, &[Err("root"), Err("a.txt")], &reply, &mut tree);
        let op = &compound.ops[0];
        assert_eq!((op.name, op.status, op.filename.as_deref()), (Some("LOOKUP"), Some(0), Some("a.txt")));
        let expected = Attributes { file_type: Some("file"), mode: Some(0o644), owner: Some("1000".into()), size: Some(7) };
        assert_eq!(op.attributes, expected);
        let file = tree.of(b"file");
        assert_eq!(tree.path(file).as_deref(), Some("/export/a.txt"));
    }

    #[test]
    fn version_3_tells_what_failed() {
        let compound = run(3, 12, &[Err("root"), Err("a.txt")], &[Ok(13), Ok(0), Ok(0)], &mut Tree::default());
        let op = &compound.ops[0];
        assert_eq!((op.name, op.status.and_then(|status| status::name(status, 3))), (Some("REMOVE"), Some("ACCES")));
    }

    #[test]
    fn version_4_goes_through_names_to_a_handle() {
        let mut tree = Tree::default();
        let call = [Err("tag"), Ok(1), Ok(5), Ok(24), Ok(15), Err("plans"), Ok(15), Err("a"), Ok(10), Ok(3), Ok(1)];
        let reply = [Ok(0), Err("tag"), Ok(5), Ok(24), Ok(0), Ok(15), Ok(0), Ok(15), Ok(0), Ok(10), Ok(0), Err("file"), Ok(3), Ok(0), Ok(1), Ok(1)];
        let compound = run(4, 1, &call, &reply, &mut tree);
        assert_eq!(compound.minor, Some(1));
        let names: Vec<_> = compound.ops.iter().map(|op| (op.name.unwrap(), op.main, op.status)).collect();
        let expected = [("PUTROOTFH", false), ("LOOKUP", false), ("LOOKUP", true), ("GETFH", false), ("ACCESS", false)];
        assert_eq!(names, expected.map(|(name, main)| (name, main, Some(0))));
        let file = tree.of(b"file");
        assert_eq!(tree.path(file).as_deref(), Some("/plans/a"));
    }

    #[test]
    fn version_4_ends_with_what_failed() {
        let call = [Err(""), Ok(0), Ok(3), Ok(22), Err("root"), Ok(28), Err("a"), Ok(9), Ok(1), Ok(2)];
        let reply = [Ok(2), Err(""), Ok(2), Ok(22), Ok(0), Ok(28), Ok(2)];
        let compound = run(4, 1, &call, &reply, &mut Tree::default());
        let statuses: Vec<_> = compound.ops.iter().map(|op| op.status).collect();
        assert_eq!(statuses, [Some(0), Some(2), None]);
    }
}
