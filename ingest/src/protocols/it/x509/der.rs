//! DER (ITU-T X.690), read leniently: what a certificate says is wanted even where it breaks the rules.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::wire::Reader;

/// Identifier octets of the types met in certificates.
pub mod tag {
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const OID: u8 = 0x06;
    pub const UTF8_STRING: u8 = 0x0c;
    pub const SEQUENCE: u8 = 0x30;
    pub const NUMERIC_STRING: u8 = 0x12;
    pub const PRINTABLE_STRING: u8 = 0x13;
    pub const TELETEX_STRING: u8 = 0x14;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const VISIBLE_STRING: u8 = 0x1a;
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    pub const BMP_STRING: u8 = 0x1e;
    /// `[n]` constructed, n below 31.
    pub const fn context(number: u8) -> u8 {
        0xa0 | number
    }
    /// `[n]` primitive.
    pub const fn context_plain(number: u8) -> u8 {
        0x80 | number
    }
}

/// One element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Element<'a> {
    /// Identifier octet.
    pub tag: u8,
    pub content: &'a [u8],
    /// Identifier, length and content.
    pub whole: &'a [u8],
}

/// Walks elements that follow each other; ends at the first that is cut or malformed.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a>(Reader<'a>);

impl<'a> Elements<'a> {
    /// The elements in `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(Reader::new(bytes))
    }

    /// The next element, if it has this tag; else it stays.
    pub fn next_if(&mut self, tag: u8) -> Option<Element<'a>> {
        let before = *self;
        match self.next() {
            Some(element) if element.tag == tag => Some(element),
            _ => {
                *self = before;
                None
            }
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let start = self.0.peek();
        let mut reader = self.0;
        let tag = reader.u8().ok()?;
        // Tag numbers from 31 on take several octets; X.509 has none.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let length = match reader.u8().ok()? {
            short @ 0..=0x7f => usize::from(short),
            // 0x80 is the indefinite length of BER.
            0x81 => usize::from(reader.u8().ok()?),
            0x82 => usize::from(reader.be_u16().ok()?),
            0x83 => usize::try_from(reader.be_u24().ok()?).ok()?,
            _ => return None,
        };
        let content = reader.take(length).ok()?;
        self.0 = reader;
        let whole = start.get(..start.len().checked_sub(reader.len())?)?;
        Some(Element { tag, content, whole })
    }
}

/// The one element that `bytes` begin with, if it has this tag: its content.
pub fn inside(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    Elements::of(bytes).next_if(tag).map(|element| element.content)
}

/// Dotted text of an object identifier's content; `None` where it is malformed.
pub fn dotted(content: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut arc = 0u64;
    let mut first = true;
    let (last, _) = content.split_last()?;
    if last & 0x80 != 0 {
        return None;
    }
    for octet in content {
        arc = arc.checked_mul(128)?.checked_add(u64::from(octet & 0x7f))?;
        if octet & 0x80 != 0 {
            continue;
        }
        let _ = if first {
            // The first two arcs share a number (X.690, 8.19.4).
            let root = (arc / 40).min(2);
            write!(text, "{root}.{}", arc - root * 40)
        } else {
            write!(text, ".{arc}")
        };
        first = false;
        arc = 0;
    }
    Some(text)
}

/// Text of a character string; `None` for other types.
pub fn text(element: Element<'_>) -> Option<Cow<'_, str>> {
    let content = element.content;
    match element.tag {
        tag::UTF8_STRING | tag::NUMERIC_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => Some(bytes_text(content)),
        // T.61 is hardly ever meant; Latin-1 is what writers of it use.
        tag::TELETEX_STRING => {
            Some(if content.is_ascii() { bytes_text(content) } else { content.iter().copied().map(char::from).collect::<String>().into() })
        }
        tag::BMP_STRING => {
            let units = content.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
            Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into())
        }
        tag::UNIVERSAL_STRING => {
            let units = content.as_chunks::<4>().0.iter().map(|four| u32::from_be_bytes(*four));
            Some(units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into())
        }
        _ => None,
    }
}

/// UTF-8 where it is, else Latin-1: no octet is lost.
pub fn bytes_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.iter().copied().map(char::from).collect::<String>().into(),
    }
}

/// Seconds since 1970 of a UTCTime or GeneralizedTime: seconds may be missing, an offset may stand for the Z.
pub fn time(element: Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(element.content).ok()?;
    let (year, rest) = match element.tag {
        tag::UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year = digits(year)?;
            // RFC 5280, 4.1.2.5.1.
            (if year < 50 { year + 2000 } else { year + 1900 }, rest)
        }
        tag::GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (digits(year)?, rest)
        }
        _ => return None,
    };
    let (month, rest) = two(rest)?;
    let (day, rest) = two(rest)?;
    let (hour, rest) = two(rest)?;
    let (minute, rest) = two(rest)?;
    let (second, rest) = two(rest).unwrap_or((0, rest));
    let rest = rest.strip_prefix(['.', ',']).map_or(rest, |fraction| fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    let offset = match rest.split_at_checked(1) {
        Some(("Z", "")) => 0,
        // Without a zone it is local time of the issuer: taken as UTC, as every verifier does.
        None => 0,
        Some((sign @ ("+" | "-"), zone)) => {
            let (hours, zone) = two(zone)?;
            let (minutes, _) = two(zone)?;
            let seconds = hours * 3600 + minutes * 60;
            if sign == "+" { seconds } else { -seconds }
        }
        Some(_) => return None,
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    Some(days_before(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset)
}

/// The next two digits.
fn two(text: &str) -> Option<(i64, &str)> {
    let (number, rest) = text.split_at_checked(2)?;
    Some((digits(number)?, rest))
}

fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, counting years from March so that leap days come last.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tag: u8, text: &str) -> Option<i64> {
        time(Element { tag, content: text.as_bytes(), whole: &[] })
    }

    #[test]
    fn times() {
        assert_eq!(at(tag::UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(at(tag::UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(at(tag::UTC_TIME, "0003010000Z"), Some(951_868_800));
        assert_eq!(at(tag::UTC_TIME, "140101010000+0100"), Some(1_388_534_400));
        assert_eq!(at(tag::GENERALIZED_TIME, "20240229120000Z"), Some(1_709_208_000));
        assert_eq!(at(tag::GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
        assert_eq!(at(tag::GENERALIZED_TIME, "20241301000000Z"), None);
        assert_eq!(at(tag::UTC_TIME, "14-101010000Z"), None);
    }

    #[test]
    fn identifiers() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]).as_deref(), Some("1.2.840.113549"));
        assert_eq!(dotted(&[0x55, 4, 3]).as_deref(), Some("2.5.4.3"));
        assert_eq!(dotted(&[0x88, 0x37]).as_deref(), Some("2.999"));
        assert_eq!(dotted(&[0x2a, 0x86]), None);
        assert_eq!(dotted(&[]), None);
    }

    #[test]
    fn elements_end_at_the_first_cut_one() {
        let bytes = [0x02, 1, 5, 0x30, 0x81, 2, 1, 2, 0x04, 9, 0];
        let tags: Vec<u8> = Elements::of(&bytes).map(|element| element.tag).collect();
        assert_eq!(tags, [tag::INTEGER, tag::SEQUENCE]);
        assert_eq!(inside(&bytes[3..], tag::SEQUENCE), Some(&[1, 2][..]));
    }
}
