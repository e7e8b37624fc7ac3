//! Basic Encoding Rules (ITU-T X.690), as far as network protocols use them: definite lengths, tags below 31.

use std::fmt::Write as _;

use crate::wire::{Malformed, Reader, Wire};

/// Tags of the universal class.
pub mod tag {
    pub const INTEGER: u8 = 0x02;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OID: u8 = 0x06;
    pub const SEQUENCE: u8 = 0x30;
}

/// The next element: its tag octet and content.
pub fn element<'a>(reader: &mut Reader<'a>) -> Wire<(u8, &'a [u8])> {
    let tag = reader.u8()?;
    if tag & 0x1f == 0x1f {
        return Err(Malformed);
    }
    let first = reader.u8()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => {
            let mut length = 0_usize;
            for _ in 0..first & 0x7f {
                length = length << 8 | usize::from(reader.u8()?);
            }
            length
        }
        _ => return Err(Malformed),
    };
    Ok((tag, reader.take(length)?))
}

/// The content of the next element, which must bear this tag.
pub fn expect<'a>(reader: &mut Reader<'a>, tag: u8) -> Wire<&'a [u8]> {
    match element(reader)? {
        (found, content) if found == tag => Ok(content),
        _ => Err(Malformed),
    }
}

/// A signed integer of up to eight octets.
pub fn signed(content: &[u8]) -> Wire<i64> {
    let (&first, _) = content.split_first().ok_or(Malformed)?;
    if content.len() > 8 {
        return Err(Malformed);
    }
    let start = if first & 0x80 == 0 { 0 } else { -1 };
    Ok(content.iter().fold(start, |value: i64, &octet| value << 8 | i64::from(octet)))
}

/// An unsigned integer of up to 64 bits, whose ninth octet may be a leading zero.
pub fn unsigned(content: &[u8]) -> Wire<u64> {
    let digits = match content {
        [] => return Err(Malformed),
        [0, rest @ ..] if rest.len() == 8 => rest,
        _ if content.len() <= 8 => content,
        _ => return Err(Malformed),
    };
    Ok(digits.iter().fold(0, |value: u64, &octet| value << 8 | u64::from(octet)))
}

/// An object identifier in dotted numbers.
pub fn oid(content: &[u8]) -> Wire<String> {
    let mut text = String::new();
    let mut value = 0_u64;
    let mut first = true;
    for &octet in content {
        if value > u64::MAX >> 7 {
            return Err(Malformed);
        }
        value = value << 7 | u64::from(octet & 0x7f);
        if octet & 0x80 != 0 {
            continue;
        }
        if first {
            // The first two numbers share one: 40 times the first, plus the second.
            let root = (value / 40).min(2);
            let _ = write!(text, "{root}.{}", value - root * 40);
            first = false;
        } else {
            let _ = write!(text, ".{value}");
        }
        value = 0;
    }
    if content.is_empty() || content.last().is_some_and(|octet| octet & 0x80 != 0) { Err(Malformed) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_sign() {
        assert_eq!(signed(&[0xff, 0x7f]), Ok(-129));
        assert_eq!(signed(&[0x00, 0x80]), Ok(128));
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Ok(u64::MAX));
    }

    #[test]
    fn long_lengths_and_identifiers() {
        let mut reader = Reader::new(&[0x04, 0x82, 0, 1, 7, 9]);
        assert_eq!(expect(&mut reader, tag::OCTET_STRING), Ok(&[7][..]));
        assert_eq!(oid(&[0x2b, 6, 1, 4, 1, 0x81, 0xf4, 0x69]), Ok("1.3.6.1.4.1.31337".to_owned()));
        assert!(oid(&[0x2b, 0x81]).is_err());
    }
}
