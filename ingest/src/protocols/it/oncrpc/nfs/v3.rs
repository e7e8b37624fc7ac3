//! Version 3 (RFC 1813, section 3.3).

use super::{At, Attributes, Op, file_type};
use crate::protocols::it::oncrpc::xdr::{flag, list, opaque, optional, string};
use crate::wire::{Reader, Wire};

/// Reads the arguments of a procedure.
pub fn call(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    match op.opcode {
        1 | 5 | 18..=20 => op.object(at, opaque(reader)?),
        2 => {
            op.object(at, opaque(reader)?);
            settings(op, reader)?;
        }
        3 | 12 | 13 => entry(op, at, reader)?,
        4 => {
            op.object(at, opaque(reader)?);
            op.access_asked = Some(reader.be_u32()?);
        }
        6 | 21 => {
            op.object(at, opaque(reader)?);
            op.offset = Some(reader.be_u64()?);
            op.count = Some(reader.be_u32()?.into());
        }
        7 => {
            op.object(at, opaque(reader)?);
            let offset = reader.be_u64()?;
            op.offset = Some(offset);
            op.count = Some(reader.be_u32()?.into());
            reader.be_u32()?;
            at.data(op.node, true, offset, reader)?;
        }
        8 => {
            entry(op, at, reader)?;
            op.file_type = Some("file");
            // An exclusive one has a verifier in place of attributes.
            if reader.be_u32()? < 2 {
                settings(op, reader)?;
            }
        }
        9 => {
            entry(op, at, reader)?;
            op.file_type = Some("dir");
            settings(op, reader)?;
        }
        10 => {
            entry(op, at, reader)?;
            op.file_type = Some("symlink");
            settings(op, reader)?;
            op.new_filename = Some(string(reader)?.into());
        }
        11 => {
            entry(op, at, reader)?;
            op.file_type = file_type(reader.be_u32()?, 3);
            if op.file_type.is_some_and(|kind| matches!(kind, "char" | "block" | "socket" | "fifo")) {
                settings(op, reader)?;
            }
        }
        14 => {
            entry(op, at, reader)?;
            target(op, at, reader)?;
        }
        15 => {
            op.object(at, opaque(reader)?);
            target(op, at, reader)?;
        }
        16 | 17 => {
            op.object(at, opaque(reader)?);
            reader.skip(16)?;
            // Of READDIRPLUS the length of the whole reply, not that of the names alone.
            if op.opcode == 17 {
                reader.be_u32()?;
            }
            op.count = Some(reader.be_u32()?.into());
        }
        _ => {}
    }
    Ok(())
}

fn entry(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    let handle = opaque(reader)?;
    op.entry(at, handle, &string(reader)?);
    Ok(())
}

fn target(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    let handle = opaque(reader)?;
    op.target(at, handle, &string(reader)?);
    Ok(())
}

/// Attributes to be set (section 2.6, `sattr3`).
fn settings(op: &mut Op, reader: &mut Reader<'_>) -> Wire<()> {
    op.set_mode = optional(reader, |reader| reader.be_u32())?.map(|mode| mode & 0o7777);
    optional(reader, |reader| reader.be_u32())?;
    optional(reader, |reader| reader.be_u32())?;
    op.set_size = optional(reader, |reader| reader.be_u64())?;
    Ok(())
}

/// Attributes (section 2.6, `fattr3`).
fn attributes(reader: &mut Reader<'_>) -> Wire<Attributes> {
    let kind = reader.be_u32()?;
    let mode = reader.be_u32()?;
    reader.be_u32()?;
    let owner = reader.be_u32()?;
    reader.be_u32()?;
    let size = reader.be_u64()?;
    reader.skip(56)?;
    Ok(Attributes { file_type: file_type(kind, 3), mode: Some(mode & 0o7777), owner: Some(owner.to_string().into()), size: Some(size) })
}

/// Attributes that may be absent: whether they are told after the operation.
fn after(op: &mut Op, reader: &mut Reader<'_>) -> Wire<()> {
    if let Some(attributes) = optional(reader, attributes)? {
        op.attributes = attributes;
    }
    Ok(())
}

/// Attributes before and after a change (section 2.6, `wcc_data`).
fn change(reader: &mut Reader<'_>) -> Wire<Option<Attributes>> {
    optional(reader, |reader| reader.skip(24))?;
    optional(reader, attributes)
}

/// Reads the results of a procedure.
pub fn reply(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    op.status = Some(reader.be_u32()?);
    let accepted = op.status == Some(0);
    match op.opcode {
        1 if accepted => op.attributes = attributes(reader)?,
        2 | 7 => {
            if let Some(attributes) = change(reader)? {
                op.attributes = attributes;
            }
            if accepted && op.opcode == 7 {
                let taken = u64::from(reader.be_u32()?);
                op.returned = Some(taken);
                // What the server did not take is sent again.
                if Some(taken) < op.count {
                    at.tree.written(op.node, false);
                }
            }
        }
        3 if accepted => {
            at.tree.bind(op.node, opaque(reader)?);
            after(op, reader)?;
        }
        4 => {
            after(op, reader)?;
            if accepted {
                op.access_granted = Some(reader.be_u32()?);
            }
        }
        5 => {
            after(op, reader)?;
            if accepted {
                op.target = Some(string(reader)?.into());
            }
        }
        6 => {
            after(op, reader)?;
            if accepted {
                op.returned = Some(reader.be_u32()?.into());
                let to_end = flag(reader)?;
                let offset = op.offset.unwrap_or_default();
                let length = at.data(op.node, false, offset, reader)?;
                if to_end {
                    at.tree.read_to_end(at.tables, op.node, offset.saturating_add(length));
                }
            }
        }
        8..=11 if accepted => {
            if let Some(handle) = optional(reader, opaque)? {
                at.tree.bind(op.node, handle);
            }
            after(op, reader)?;
        }
        15 | 18..=20 => after(op, reader)?,
        16 | 17 => {
            after(op, reader)?;
            if accepted {
                reader.skip(8)?;
                entries(op, at, reader)?;
            }
        }
        21 => {
            if let Some(attributes) = change(reader)? {
                op.attributes = attributes;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The names in a directory; READDIRPLUS gives their handles too (section 3.3.17).
fn entries(op: &mut Op, at: &mut At<'_>, reader: &mut Reader<'_>) -> Wire<()> {
    let (directory, plus) = (op.node, op.opcode == 17);
    let names = op.entries.insert(Vec::new());
    list(reader, |reader| {
        reader.skip(8)?;
        let name = string(reader)?;
        reader.skip(8)?;
        if plus {
            optional(reader, attributes)?;
            let handle = optional(reader, opaque)?;
            if let (Some(directory), Some(handle)) = (directory, handle)
                && !matches!(name.as_ref(), "." | "..")
            {
                let child = at.tree.child(directory, &name);
                at.tree.bind(child, handle);
            }
        }
        names.push(name.into_owned());
        Ok(())
    })
}
