//! Version 4: operations in a COMPOUND (RFC 7530, section 16; RFC 8881, section 18; RFC 7862, section 15; RFC 8276).
//!
//! Operations act on a current handle. What it stands for is followed through the call, as names: the handle itself may
//! come with the reply only.

use super::v4_attributes::{attributes, bitmap};
use super::{At, Compound, Op, file_type};
use crate::protocols::it::oncrpc::tree::Node;
use crate::protocols::it::oncrpc::xdr::{each, flag, list, opaque, optional, string};
use crate::wire::{Malformed, Reader, Wire};

/// Most operations that are read of one COMPOUND.
const MAX_OPS: usize = 1024;
/// Lengths of what has a fixed one: `stateid4`, `sessionid4`, `verifier4`, `change_info4`, `nfstime4`, `deviceid4`.
const STATE: usize = 16;
const SESSION: usize = 16;
const VERIFIER: usize = 8;
const CHANGE: usize = 20;
const TIME: usize = 12;
const DEVICE: usize = 16;

/// Operations from 3 on.
const NAMES: &[&str] = &[
    "ACCESS",
    "CLOSE",
    "COMMIT",
    "CREATE",
    "DELEGPURGE",
    "DELEGRETURN",
    "GETATTR",
    "GETFH",
    "LINK",
    "LOCK",
    "LOCKT",
    "LOCKU",
    "LOOKUP",
    "LOOKUPP",
    "NVERIFY",
    "OPEN",
    "OPENATTR",
    "OPEN_CONFIRM",
    "OPEN_DOWNGRADE",
    "PUTFH",
    "PUTPUBFH",
    "PUTROOTFH",
    "READ",
    "READDIR",
    "READLINK",
    "REMOVE",
    "RENAME",
    "RENEW",
    "RESTOREFH",
    "SAVEFH",
    "SECINFO",
    "SETATTR",
    "SETCLIENTID",
    "SETCLIENTID_CONFIRM",
    "VERIFY",
    "WRITE",
    "RELEASE_LOCKOWNER",
    "BACKCHANNEL_CTL",
    "BIND_CONN_TO_SESSION",
    "EXCHANGE_ID",
    "CREATE_SESSION",
    "DESTROY_SESSION",
    "FREE_STATEID",
    "GET_DIR_DELEGATION",
    "GETDEVICEINFO",
    "GETDEVICELIST",
    "LAYOUTCOMMIT",
    "LAYOUTGET",
    "LAYOUTRETURN",
    "SECINFO_NO_NAME",
    "SEQUENCE",
    "SET_SSV",
    "TEST_STATEID",
    "WANT_DELEGATION",
    "DESTROY_CLIENTID",
    "RECLAIM_COMPLETE",
    "ALLOCATE",
    "COPY",
    "COPY_NOTIFY",
    "DEALLOCATE",
    "IO_ADVISE",
    "LAYOUTERROR",
    "LAYOUTSTATS",
    "OFFLOAD_CANCEL",
    "OFFLOAD_STATUS",
    "READ_PLUS",
    "SEEK",
    "WRITE_SAME",
    "CLONE",
    "GETXATTR",
    "SETXATTR",
    "LISTXATTRS",
    "REMOVEXATTR",
];

fn name(opcode: u32) -> Option<&'static str> {
    if opcode == 10_044 {
        return Some("ILLEGAL");
    }
    NAMES.get(usize::try_from(opcode.checked_sub(3)?).ok()?).copied()
}

/// A handle that operations act on.
#[derive(Clone, Default)]
struct Current {
    node: Option<Node>,
    handle: Option<Box<[u8]>>,
}

/// Reads the operations of a call.
pub fn call(compound: &mut Compound, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    opaque(reader)?;
    compound.minor = u8::try_from(reader.be_u32()?).ok();
    let count = usize::try_from(reader.be_u32()?).map_err(|_| Malformed)?;
    let (mut current, mut saved) = (Current::default(), Current::default());
    let mut result = Ok(());
    for _ in 0..count {
        if compound.ops.len() >= MAX_OPS {
            result = Err(Malformed);
            break;
        }
        let Ok(opcode) = reader.be_u32() else {
            result = Err(Malformed);
            break;
        };
        let mut op = Op { opcode, name: name(opcode), node: current.node, handle: current.handle.clone(), ..Op::default() };
        match opcode {
            23 => current = Current::default(),
            24 => {
                current = Current { node: Some(at.tree.root()), handle: None };
                op.node = current.node;
            }
            31 => current = saved.clone(),
            32 => saved = current.clone(),
            _ => {}
        }
        result = arguments(&mut op, at, &mut current, &saved, reader);
        compound.ops.push(op);
        // Where the next one begins is known only of operations that are known.
        if result.is_err() {
            break;
        }
    }
    mark_main(&mut compound.ops);
    result
}

/// What a COMPOUND is about: what is not there to lead to the file or to look at it besides.
fn mark_main(ops: &mut [Op]) {
    let rank = |op: &Op| match op.opcode {
        53 | 22 | 23 | 24 | 31 | 32 => 0,
        10 => 1,
        9 => 2,
        3 => 3,
        15 | 16 => 4,
        _ => 5,
    };
    let Some(highest) = ops.iter().map(rank).max() else { return };
    // The first change, but the last step of a path.
    let mut of_rank = ops.iter_mut().filter(|op| rank(op) == highest);
    let main = if highest == 5 { of_rank.next() } else { of_rank.next_back() };
    if let Some(op) = main {
        op.main = true;
    }
}

impl Op {
    /// Acts on a name in the current directory, of which it says what it leads to.
    fn named(&mut self, at: &mut At<'_>, directory: &Current, name: &str) -> Current {
        self.node = directory.node.and_then(|node| at.tree.child(node, name));
        self.filename = Some(name.into());
        Current { node: self.node, handle: None }
    }
}

fn arguments(op: &mut Op, at: &mut At<'_>, current: &mut Current, saved: &Current, reader: &mut Reader<'_>) -> Wire<()> {
    match op.opcode {
        3 => op.access_asked = Some(reader.be_u32()?),
        4 => reader.skip(4 + STATE)?,
        5 => {
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u32()?.into());
        }
        6 => {
            let kind = reader.be_u32()?;
            op.file_type = file_type(kind, 4);
            match kind {
                5 => op.new_filename = Some(string(reader)?.into()),
                3 | 4 => reader.skip(8)?,
                _ => {}
            }
            *current = op.named(at, current, &string(reader)?);
            settings(op, reader)?;
        }
        7 | 30 | 57 => reader.skip(8)?,
        8 | 45 | 66 | 67 => reader.skip(STATE)?,
        9 => bitmap(reader)?,
        10 | 16 | 23 | 24 | 27 | 31 | 32 | 10_044 => {
            if op.opcode == 16 {
                *current = Current { node: current.node.and_then(|node| at.tree.parent(node)), handle: None };
                op.node = current.node;
            } else if op.opcode == 31 {
                (op.node, op.handle) = (current.node, current.handle.clone());
            }
        }
        11 => {
            let name = string(reader)?;
            op.new_node = current.node.and_then(|node| at.tree.child(node, &name));
            op.new_filename = Some(name.into());
            (op.node, op.handle) = (saved.node, saved.handle.clone());
        }
        12 => {
            reader.skip(8)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
            if flag(reader)? {
                reader.skip(4 + STATE + 4 + 8)?;
                opaque(reader)?;
            } else {
                reader.skip(STATE + 4)?;
            }
        }
        13 => {
            reader.skip(4)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
            reader.skip(8)?;
            opaque(reader)?;
        }
        14 => {
            reader.skip(8 + STATE)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
        }
        15 => *current = op.named(at, current, &string(reader)?),
        17 | 37 => {
            attributes(reader)?;
        }
        18 => open(op, at, current, reader)?,
        19 | 52 | 58 => reader.skip(4)?,
        20 => reader.skip(STATE + 4)?,
        21 => reader.skip(STATE + 12)?,
        22 => {
            op.object(at, opaque(reader)?);
            *current = Current { node: op.node, handle: op.handle.clone() };
        }
        25 | 68 => {
            reader.skip(STATE)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u32()?.into());
        }
        26 => {
            reader.skip(8 + VERIFIER + 4)?;
            op.count = Some(reader.be_u32()?.into());
            bitmap(reader)?;
        }
        28 | 33 => {
            op.named(at, current, &string(reader)?);
            if op.opcode == 33 {
                *current = Current::default();
            }
        }
        29 => {
            let old = string(reader)?;
            op.handle.clone_from(&saved.handle);
            op.named(at, saved, &old);
            let new = string(reader)?;
            op.new_node = current.node.and_then(|node| at.tree.child(node, &new));
            op.new_filename = Some(new.into());
        }
        34 => {
            reader.skip(STATE)?;
            settings(op, reader)?;
        }
        38 => {
            reader.skip(STATE)?;
            let offset = reader.be_u64()?;
            op.offset = Some(offset);
            reader.be_u32()?;
            op.count = Some(at.data(op.node, true, offset, reader)?);
        }
        35 | 36 | 39..=44 | 46..=51 | 53..=56 => session_arguments(op, reader)?,
        59..=65 | 69..=75 => later_arguments(op, reader)?,
        _ => return Err(Malformed),
    }
    Ok(())
}

/// Attributes to be set.
fn settings(op: &mut Op, reader: &mut Reader<'_>) -> Wire<()> {
    let set = attributes(reader)?.attributes;
    (op.set_mode, op.set_size) = (set.mode, set.size);
    Ok(())
}

/// OPEN (RFC 8881, section 18.16).
fn open(op: &mut Op, at: &mut At<'_>, current: &mut Current, reader: &mut Reader<'_>) -> Wire<()> {
    reader.skip(20)?;
    opaque(reader)?;
    if reader.be_u32()? == 1 {
        op.file_type = Some("file");
        let mode = reader.be_u32()?;
        match mode {
            0 | 1 => settings(op, reader)?,
            2 => reader.skip(VERIFIER)?,
            3 => {
                reader.skip(VERIFIER)?;
                settings(op, reader)?;
            }
            _ => return Err(Malformed),
        }
        // All but the first succeed only where there was no such file.
        if mode > 0 {
            op.set_size = op.set_size.or(Some(0));
        }
    }
    match reader.be_u32()? {
        0 | 3 => *current = op.named(at, current, &string(reader)?),
        1 => reader.skip(4)?,
        2 => {
            reader.skip(STATE)?;
            *current = op.named(at, current, &string(reader)?);
        }
        4 | 6 => {}
        5 => reader.skip(STATE)?,
        _ => return Err(Malformed),
    }
    Ok(())
}

/// Operations about clients, sessions and layouts.
fn session_arguments(op: &mut Op, reader: &mut Reader<'_>) -> Wire<()> {
    match op.opcode {
        35 => {
            reader.skip(VERIFIER)?;
            op.client = Some(owner(opaque(reader)?));
            reader.skip(4)?;
            opaque(reader)?;
            opaque(reader)?;
            reader.skip(4)?;
        }
        36 => reader.skip(8 + VERIFIER)?,
        39 => {
            reader.skip(8)?;
            opaque(reader)?;
        }
        40 => {
            reader.skip(4)?;
            each(reader, callback_security)?;
        }
        41 => reader.skip(SESSION + 8)?,
        42 => {
            reader.skip(VERIFIER)?;
            op.client = Some(owner(opaque(reader)?));
            reader.skip(4)?;
            match reader.be_u32()? {
                0 => {}
                1 => {
                    bitmap(reader)?;
                    bitmap(reader)?;
                }
                2 => {
                    bitmap(reader)?;
                    bitmap(reader)?;
                    each(reader, |reader| opaque(reader).map(|_| ()))?;
                    each(reader, |reader| opaque(reader).map(|_| ()))?;
                    reader.skip(8)?;
                }
                _ => return Err(Malformed),
            }
            each(reader, implementation)?;
        }
        43 => {
            reader.skip(16)?;
            channel(reader)?;
            channel(reader)?;
            reader.skip(4)?;
            each(reader, callback_security)?;
        }
        44 => reader.skip(SESSION)?,
        46 => {
            reader.skip(4)?;
            bitmap(reader)?;
            reader.skip(2 * TIME)?;
            bitmap(reader)?;
            bitmap(reader)?;
        }
        47 => {
            reader.skip(DEVICE + 8)?;
            bitmap(reader)?;
        }
        48 => reader.skip(16 + VERIFIER)?,
        49 => {
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
            reader.skip(4 + STATE)?;
            optional(reader, |reader| reader.skip(8))?;
            optional(reader, |reader| reader.skip(TIME))?;
            reader.skip(4)?;
            opaque(reader)?;
        }
        50 => {
            reader.skip(12)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
            reader.skip(8 + STATE + 4)?;
        }
        51 => {
            reader.skip(12)?;
            if reader.be_u32()? == 1 {
                op.offset = Some(reader.be_u64()?);
                op.count = Some(reader.be_u64()?);
                reader.skip(STATE)?;
                opaque(reader)?;
            }
        }
        53 => reader.skip(SESSION + 16)?,
        54 => {
            opaque(reader)?;
            opaque(reader)?;
        }
        55 => each(reader, |reader| reader.skip(STATE))?,
        56 => {
            reader.skip(4)?;
            if reader.be_u32()? == 1 {
                reader.skip(4)?;
            }
        }
        _ => return Err(Malformed),
    }
    Ok(())
}

/// Operations of minor version 2, and extended attributes.
fn later_arguments(op: &mut Op, reader: &mut Reader<'_>) -> Wire<()> {
    match op.opcode {
        59 | 62 => {
            reader.skip(STATE)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
        }
        60 => {
            reader.skip(2 * STATE + 8)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
            reader.skip(8)?;
            each(reader, location)?;
        }
        61 => {
            reader.skip(STATE)?;
            location(reader)?;
        }
        63 => {
            reader.skip(STATE)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
            bitmap(reader)?;
        }
        64 => {
            reader.skip(16 + STATE)?;
            each(reader, |reader| reader.skip(DEVICE + 8))?;
        }
        65 => {
            reader.skip(16 + STATE + 32 + DEVICE + 4)?;
            opaque(reader)?;
        }
        69 => {
            reader.skip(STATE)?;
            op.offset = Some(reader.be_u64()?);
            reader.skip(4)?;
        }
        70 => {
            reader.skip(STATE + 4)?;
            op.offset = Some(reader.be_u64()?);
            reader.skip(24 + 4 + 8)?;
            opaque(reader)?;
        }
        71 => {
            reader.skip(2 * STATE + 8)?;
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u64()?);
        }
        72 | 75 => {
            opaque(reader)?;
        }
        73 => {
            reader.skip(4)?;
            opaque(reader)?;
            opaque(reader)?;
        }
        74 => reader.skip(12)?,
        _ => return Err(Malformed),
    }
    Ok(())
}

/// Who a client says it is: text by custom, of which what is none is left out.
fn owner(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').into()
}

fn callback_security(reader: &mut Reader<'_>) -> Wire<()> {
    match reader.be_u32()? {
        0 => {}
        1 => {
            reader.skip(4)?;
            opaque(reader)?;
            reader.skip(8)?;
            each(reader, |reader| reader.skip(4))?;
        }
        6 => {
            reader.skip(4)?;
            opaque(reader)?;
            opaque(reader)?;
        }
        _ => return Err(Malformed),
    }
    Ok(())
}

fn implementation(reader: &mut Reader<'_>) -> Wire<()> {
    opaque(reader)?;
    opaque(reader)?;
    reader.skip(TIME)
}

fn channel(reader: &mut Reader<'_>) -> Wire<()> {
    reader.skip(24)?;
    each(reader, |reader| reader.skip(4))
}

fn location(reader: &mut Reader<'_>) -> Wire<()> {
    match reader.be_u32()? {
        1 | 2 => opaque(reader).map(|_| ()),
        3 => {
            opaque(reader)?;
            opaque(reader).map(|_| ())
        }
        _ => Err(Malformed),
    }
}

/// Reads the results of operations.
pub fn reply(compound: &mut Compound, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    reader.be_u32()?;
    opaque(reader)?;
    let count = usize::try_from(reader.be_u32()?).map_err(|_| Malformed)?;
    for op in compound.ops.iter_mut().take(count) {
        let opcode = reader.be_u32()?;
        // An operation that the server does not know comes back as ILLEGAL.
        if opcode != op.opcode && opcode != 10_044 {
            return Err(Malformed);
        }
        op.status = Some(reader.be_u32()?);
        let result = results(op, at, reader);
        op.settle(at);
        result?;
    }
    Ok(())
}

fn results(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    let accepted = op.status == Some(0);
    if op.opcode == 34 {
        return bitmap(reader);
    }
    // Others say no more than that they failed, and are the last, but for the lock that is in the way.
    if !accepted {
        return Ok(());
    }
    match op.opcode {
        3 => {
            reader.be_u32()?;
            op.access_granted = Some(reader.be_u32()?);
        }
        4 => {
            reader.skip(STATE)?;
            if let Some(node) = op.node {
                at.tree.finish(at.tables, node, false);
                at.tree.finish(at.tables, node, true);
            }
        }
        5 => reader.skip(VERIFIER)?,
        6 => {
            reader.skip(CHANGE)?;
            bitmap(reader)?;
        }
        9 => op.attributes = attributes(reader)?.attributes,
        10 => {
            let handle = opaque(reader)?;
            at.tree.bind(op.node, handle);
            op.handle = Some(handle.into());
        }
        11 | 28 | 73 | 75 => reader.skip(CHANGE)?,
        12 | 14 | 20 | 21 => reader.skip(STATE)?,
        18 => {
            reader.skip(STATE + CHANGE + 4)?;
            bitmap(reader)?;
            delegation(reader)?;
        }
        25 => {
            let to_end = flag(reader)?;
            let offset = op.offset.unwrap_or_default();
            let length = at.data(op.node, false, offset, reader)?;
            op.returned = Some(length);
            if to_end {
                at.tree.read_to_end(at.tables, op.node, offset.saturating_add(length));
            }
        }
        26 => {
            reader.skip(VERIFIER)?;
            entries(op, at, reader)?;
            flag(reader)?;
        }
        27 => op.target = Some(string(reader)?.into()),
        29 => reader.skip(2 * CHANGE)?,
        33 | 52 => each(reader, |reader| {
            if reader.be_u32()? == 6 {
                opaque(reader)?;
                reader.skip(8)?;
            }
            Ok(())
        })?,
        35 => reader.skip(8 + VERIFIER)?,
        38 => {
            let taken = u64::from(reader.be_u32()?);
            op.returned = Some(taken);
            if Some(taken) < op.count {
                at.tree.written(op.node, false);
            }
            reader.skip(4 + VERIFIER)?;
        }
        41 => reader.skip(SESSION + 8)?,
        42 => exchanged(reader)?,
        43 => {
            reader.skip(SESSION + 8)?;
            channel(reader)?;
            channel(reader)?;
        }
        46 => match reader.be_u32()? {
            0 => {
                reader.skip(VERIFIER + STATE)?;
                (0..3).try_for_each(|_| bitmap(reader))?;
            }
            _ => reader.skip(4)?,
        },
        47 => {
            reader.skip(4)?;
            opaque(reader)?;
            bitmap(reader)?;
        }
        48 => {
            reader.skip(8 + VERIFIER)?;
            each(reader, |reader| reader.skip(DEVICE))?;
            flag(reader)?;
        }
        49 => {
            optional(reader, |reader| reader.skip(8))?;
        }
        50 => {
            reader.skip(4 + STATE)?;
            each(reader, |reader| {
                reader.skip(24)?;
                opaque(reader).map(|_| ())
            })?;
        }
        51 => {
            optional(reader, |reader| reader.skip(STATE))?;
        }
        53 => reader.skip(SESSION + 20)?,
        54 | 72 => {
            opaque(reader)?;
        }
        55 => each(reader, |reader| reader.skip(4))?,
        56 => delegation(reader)?,
        60 => {
            op.returned = Some(copied(reader)?);
            reader.skip(8)?;
        }
        61 => {
            reader.skip(TIME + STATE)?;
            each(reader, location)?;
        }
        63 => bitmap(reader)?,
        67 => {
            op.returned = Some(reader.be_u64()?);
            each(reader, |reader| reader.skip(4))?;
        }
        68 => read_plus(op, at, reader)?,
        69 => reader.skip(12)?,
        70 => op.returned = Some(copied(reader)?),
        74 => {
            reader.skip(8)?;
            each(reader, |reader| opaque(reader).map(|_| ()))?;
            flag(reader)?;
        }
        // The others return nothing.
        _ => {}
    }
    Ok(())
}

/// The names in a directory, of which attributes may tell the handles.
fn entries(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    let directory = op.node;
    let names = op.entries.insert(Vec::new());
    list(reader, |reader| {
        reader.skip(8)?;
        let name = string(reader)?;
        let read = attributes(reader)?;
        if let (Some(directory), Some(handle)) = (directory, read.handle) {
            let child = at.tree.child(directory, &name);
            at.tree.bind(child, handle);
        }
        names.push(name.into_owned());
        Ok(())
    })
}

/// What goes with a file that was opened (RFC 8881, section 18.16.2; RFC 9754).
fn delegation(reader: &mut Reader<'_>) -> Wire<()> {
    let kind = reader.be_u32()?;
    match kind {
        0 => return Ok(()),
        1 | 2 | 4 | 5 => reader.skip(STATE + 4)?,
        3 => return if matches!(reader.be_u32()?, 1 | 2) { reader.skip(4) } else { Ok(()) },
        _ => return Err(Malformed),
    }
    if matches!(kind, 2 | 5) {
        reader.skip(4 + 8)?;
    }
    reader.skip(12)?;
    opaque(reader).map(|_| ())
}

/// Results of EXCHANGE_ID (RFC 8881, section 18.35).
fn exchanged(reader: &mut Reader<'_>) -> Wire<()> {
    reader.skip(16)?;
    match reader.be_u32()? {
        0 => {}
        1 => {
            bitmap(reader)?;
            bitmap(reader)?;
        }
        2 => {
            bitmap(reader)?;
            bitmap(reader)?;
            reader.skip(16)?;
            each(reader, |reader| opaque(reader).map(|_| ()))?;
        }
        _ => return Err(Malformed),
    }
    reader.skip(8)?;
    opaque(reader)?;
    opaque(reader)?;
    each(reader, implementation)
}

/// How much was copied (RFC 7862, section 4.4.1).
fn copied(reader: &mut Reader<'_>) -> Wire<u64> {
    each(reader, |reader| reader.skip(STATE))?;
    let count = reader.be_u64()?;
    reader.skip(4 + VERIFIER)?;
    Ok(count)
}

/// READ_PLUS (RFC 7862, section 15.10): content and holes.
fn read_plus(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    let to_end = flag(reader)?;
    let node = op.node;
    let (mut returned, mut end) = (0_u64, op.offset.unwrap_or_default());
    each(reader, |reader| {
        let kind = reader.be_u32()?;
        let offset = reader.be_u64()?;
        let length = match kind {
            0 => at.data(node, false, offset, reader)?,
            1 => reader.be_u64()?,
            _ => return Err(Malformed),
        };
        if kind == 0 {
            returned = returned.saturating_add(length);
        }
        end = end.max(offset.saturating_add(length));
        Ok(())
    })?;
    op.returned = Some(returned);
    if to_end {
        at.tree.read_to_end(at.tables, node, end);
    }
    Ok(())
}
