//! Attributes of version 4 (RFC 7530, section 5; RFC 8881, section 5): a bit map, and the values of its bits in order.

use super::{Attributes, file_type};
use crate::protocols::it::oncrpc::xdr::{each, opaque, string};
use crate::wire::{Malformed, Reader, Wire};

/// What is read of attributes, which with READDIR may hold a handle.
#[derive(Default, Debug, PartialEq)]
pub struct Read<'a> {
    pub attributes: Attributes,
    pub handle: Option<&'a [u8]>,
}

/// Passes over a bit map.
pub fn bitmap(reader: &mut Reader<'_>) -> Wire<()> {
    words(reader).map(|_| ())
}

/// The first 64 bits of a bit map: all that is read lies there.
fn words(reader: &mut Reader<'_>) -> Wire<u64> {
    let count = usize::try_from(reader.be_u32()?).map_err(|_| Malformed)?;
    let mut words = reader.sub(count.checked_mul(4).ok_or(Malformed)?)?;
    let low = if count > 0 { words.be_u32()? } else { 0 };
    let high = if count > 1 { words.be_u32()? } else { 0 };
    Ok((u64::from(high) << 32) | u64::from(low))
}

/// Reads attributes with their bit map (`fattr4`).
pub fn attributes<'a>(reader: &mut Reader<'a>) -> Wire<Read<'a>> {
    let bits = words(reader)?;
    let mut values = Reader::new(opaque(reader)?);
    let mut read = Read::default();
    // Attributes behind the owner are of no use here; one that is unknown ends what can be read.
    for bit in (0..=36).filter(|bit| (bits >> bit) & 1 == 1) {
        value(bit, &mut values, &mut read)?;
    }
    Ok(read)
}

fn value<'a>(bit: u32, values: &mut Reader<'a>, read: &mut Read<'a>) -> Wire<()> {
    match bit {
        0 => bitmap(values)?,
        1 => read.attributes.file_type = file_type(values.be_u32()?, 4),
        4 => read.attributes.size = Some(values.be_u64()?),
        33 => read.attributes.mode = Some(values.be_u32()? & 0o7777),
        36 => read.attributes.owner = Some(string(values)?.into()),
        19 => read.handle = Some(opaque(values)?),
        // Number, truth, or another word.
        2 | 5..=7 | 9..=11 | 13..=18 | 25 | 26 | 28 | 29 | 34 | 35 => values.skip(4)?,
        3 | 20..=23 | 27 | 30 | 31 => values.skip(8)?,
        8 => values.skip(16)?,
        // The access control list.
        12 => each(values, |values| {
            values.skip(12)?;
            opaque(values).map(|_| ())
        })?,
        // Where the file system is.
        24 => {
            path(values)?;
            each(values, |values| {
                each(values, |values| opaque(values).map(|_| ()))?;
                path(values)
            })?;
        }
        32 => {
            opaque(values)?;
        }
        _ => return Err(Malformed),
    }
    Ok(())
}

fn path(values: &mut Reader<'_>) -> Wire<()> {
    each(values, |values| opaque(values).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_size_mode_owner() {
        // Bits 1, 4, 33, 36.
        let mut bytes: Vec<u8> = [2_u32, 0x12, 0x12, 24, 1, 0, 5, 0o644, 4].iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend_from_slice(b"root");
        let read = attributes(&mut Reader::new(&bytes)).unwrap();
        let expected = Attributes { file_type: Some("file"), mode: Some(0o644), owner: Some("root".into()), size: Some(5) };
        assert_eq!(read, Read { attributes: expected, handle: None });
    }
}
