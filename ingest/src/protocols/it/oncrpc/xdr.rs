//! XDR (RFC 4506): everything in units of four octets, big end first.

use std::borrow::Cow;

use crate::wire::{Malformed, Reader, Wire};

/// Octets with their length before and padding behind (section 4.10). Padding that the message's end lacks is not missed.
pub fn opaque<'a>(reader: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let length = usize::try_from(reader.be_u32()?).map_err(|_| Malformed)?;
    let bytes = reader.take(length)?;
    let padding = (4 - length % 4) % 4;
    reader.skip(padding.min(reader.len()))?;
    Ok(bytes)
}

/// A string (section 4.11).
pub fn string<'a>(reader: &mut Reader<'a>) -> Wire<Cow<'a, str>> {
    Ok(String::from_utf8_lossy(opaque(reader)?))
}

/// A boolean (section 4.4).
pub fn flag(reader: &mut Reader<'_>) -> Wire<bool> {
    Ok(reader.be_u32()? != 0)
}

/// A value that may be absent (section 4.19).
pub fn optional<'a, T>(reader: &mut Reader<'a>, read: impl FnOnce(&mut Reader<'a>) -> Wire<T>) -> Wire<Option<T>> {
    if flag(reader)? { read(reader).map(Some) } else { Ok(None) }
}

/// Passes over an array of elements, each read by `read`.
pub fn each<'a>(reader: &mut Reader<'a>, mut read: impl FnMut(&mut Reader<'a>) -> Wire<()>) -> Wire<()> {
    for _ in 0..reader.be_u32()? {
        // An element of no length at all would make the count the limit.
        let before = reader.len();
        read(reader)?;
        if reader.len() == before {
            return Err(Malformed);
        }
    }
    Ok(())
}

/// A list in which each element is announced by a true boolean (section 4.19).
pub fn list<'a>(reader: &mut Reader<'a>, mut read: impl FnMut(&mut Reader<'a>) -> Wire<()>) -> Wire<()> {
    while flag(reader)? {
        read(reader)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_has_padding() {
        let mut reader = Reader::new(&[0, 0, 0, 1, b'a', 0, 0, 0, 9]);
        assert_eq!(opaque(&mut reader), Ok(&b"a"[..]));
        assert_eq!(reader.peek(), [9]);
        assert_eq!(opaque(&mut Reader::new(&[0, 0, 0, 1, b'a'])), Ok(&b"a"[..]));
        assert!(opaque(&mut Reader::new(&[0xff, 0xff, 0xff, 0xff, b'a'])).is_err());
    }
}
