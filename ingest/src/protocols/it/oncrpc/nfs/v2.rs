//! Version 2 (RFC 1094, section 2.2). Handles have 32 octets, sizes and offsets 32 bits.

use super::{At, Attributes, Op, file_type};
use crate::protocols::it::oncrpc::xdr::{flag, string};
use crate::wire::{Reader, Wire};

const HANDLE: usize = 32;

/// Reads the arguments of a procedure.
pub fn call(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    match op.opcode {
        1 | 5 | 17 => op.object(at, reader.take(HANDLE)?),
        2 => {
            op.object(at, reader.take(HANDLE)?);
            settings(op, reader)?;
        }
        4 | 10 | 15 => entry(op, at, reader)?,
        6 => {
            op.object(at, reader.take(HANDLE)?);
            op.offset = Some(reader.be_u32()?.into());
            op.count = Some(reader.be_u32()?.into());
        }
        8 => {
            op.object(at, reader.take(HANDLE)?);
            reader.be_u32()?;
            let offset = u64::from(reader.be_u32()?);
            op.offset = Some(offset);
            reader.be_u32()?;
            op.count = Some(at.data(op.node, true, offset, reader)?);
        }
        9 | 14 => {
            entry(op, at, reader)?;
            op.file_type = Some(if op.opcode == 9 { "file" } else { "dir" });
            settings(op, reader)?;
        }
        11 => {
            entry(op, at, reader)?;
            target(op, at, reader)?;
        }
        12 => {
            op.object(at, reader.take(HANDLE)?);
            target(op, at, reader)?;
        }
        13 => {
            entry(op, at, reader)?;
            op.file_type = Some("symlink");
            op.new_filename = Some(string(reader)?.into());
        }
        16 => {
            op.object(at, reader.take(HANDLE)?);
            reader.skip(4)?;
            op.count = Some(reader.be_u32()?.into());
        }
        _ => {}
    }
    Ok(())
}

fn entry(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    let handle = reader.take(HANDLE)?;
    op.entry(at, handle, &string(reader)?);
    Ok(())
}

fn target(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    let handle = reader.take(HANDLE)?;
    op.target(at, handle, &string(reader)?);
    Ok(())
}

/// Attributes to be set: all ones leave one as it is (section 2.3.6).
fn settings(op: &mut Op, reader: &mut Reader<'_>) -> Wire<()> {
    let set = |value: u32| (value != u32::MAX).then_some(value);
    op.set_mode = set(reader.be_u32()?).map(|mode| mode & 0o7777);
    reader.skip(8)?;
    op.set_size = set(reader.be_u32()?).map(u64::from);
    Ok(())
}

fn attributes(reader: &mut Reader<'_>) -> Wire<Attributes> {
    let kind = reader.be_u32()?;
    let mode = reader.be_u32()?;
    reader.be_u32()?;
    let owner = reader.be_u32()?;
    reader.be_u32()?;
    let size = reader.be_u32()?;
    reader.skip(44)?;
    Ok(Attributes { file_type: file_type(kind, 2), mode: Some(mode & 0o7777), owner: Some(owner.to_string().into()), size: Some(size.into()) })
}

/// Reads the results of a procedure.
pub fn reply(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    if matches!(op.opcode, 3 | 7) {
        return Ok(());
    }
    op.status = Some(reader.be_u32()?);
    if op.status != Some(0) {
        return Ok(());
    }
    match op.opcode {
        1 | 2 => op.attributes = attributes(reader)?,
        4 | 9 | 14 => {
            at.tree.bind(op.node, reader.take(HANDLE)?);
            op.attributes = attributes(reader)?;
        }
        5 => op.target = Some(string(reader)?.into()),
        6 => {
            op.attributes = attributes(reader)?;
            let offset = op.offset.unwrap_or_default();
            if let Some(size) = op.attributes.size {
                at.tree.sized(op.node, size);
            }
            let length = at.data(op.node, false, offset, reader)?;
            op.returned = Some(length);
            let end = offset.saturating_add(length);
            if op.attributes.size == Some(end) {
                at.tree.read_to_end(at.tables, op.node, end);
            }
        }
        8 => {
            op.attributes = attributes(reader)?;
            op.returned = op.count;
        }
        16 => {
            let names = op.entries.insert(Vec::new());
            while flag(reader)? {
                reader.be_u32()?;
                names.push(string(reader)?.into_owned());
                reader.skip(4)?;
            }
        }
        _ => {}
    }
    Ok(())
}
