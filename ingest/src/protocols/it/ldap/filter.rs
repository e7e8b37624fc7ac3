//! Search filters as text (RFC 4515).

use std::fmt::Write as _;

use crate::protocols::ber;
use crate::wire::{Malformed, Reader, Wire};

/// Deepest nesting that is followed.
const MAX_DEPTH: u8 = 128;
/// Longest text, bytes.
const MAX_TEXT: usize = 1 << 16;

/// The filter that `reader` is at.
pub fn text(reader: &mut Reader<'_>) -> Wire<String> {
    let mut text = String::new();
    write(reader, &mut text, 0)?;
    Ok(text)
}

fn write(reader: &mut Reader<'_>, text: &mut String, depth: u8) -> Wire<()> {
    if depth > MAX_DEPTH || text.len() > MAX_TEXT {
        return Err(Malformed);
    }
    let (kind, content) = ber::element(reader)?;
    let mut content = Reader::new(content);
    text.push('(');
    match kind {
        0xa0 | 0xa1 => {
            text.push(if kind == 0xa0 { '&' } else { '|' });
            while !content.is_empty() {
                write(&mut content, text, depth + 1)?;
            }
        }
        0xa2 => {
            text.push('!');
            write(&mut content, text, depth + 1)?;
        }
        0xa3 | 0xa5 | 0xa6 | 0xa8 => {
            let (_, attribute) = ber::element(&mut content)?;
            let (_, value) = ber::element(&mut content)?;
            name(attribute, text);
            text.push_str(match kind {
                0xa3 => "=",
                0xa5 => ">=",
                0xa6 => "<=",
                _ => "~=",
            });
            escape(value, text);
        }
        0xa4 => {
            let (_, attribute) = ber::element(&mut content)?;
            name(attribute, text);
            text.push('=');
            let (_, parts) = ber::element(&mut content)?;
            let mut parts = Reader::new(parts);
            let mut starred = false;
            while !parts.is_empty() {
                let (place, part) = ber::element(&mut parts)?;
                // Initial, any, final: a star stands before each but the initial one, and one behind the last of any.
                if place != 0x80 && !starred {
                    text.push('*');
                }
                escape(part, text);
                starred = place != 0x82;
                if starred {
                    text.push('*');
                }
            }
        }
        0x87 => {
            name(content.rest(), text);
            text.push_str("=*");
        }
        0xa9 => {
            let (mut rule, mut attribute, mut value, mut in_dn): (&[u8], &[u8], &[u8], bool) = (&[], &[], &[], false);
            while !content.is_empty() {
                match ber::element(&mut content)? {
                    (0x81, found) => rule = found,
                    (0x82, found) => attribute = found,
                    (0x83, found) => value = found,
                    (0x84, found) => in_dn = found.first().is_some_and(|&octet| octet != 0),
                    _ => {}
                }
            }
            name(attribute, text);
            if in_dn {
                text.push_str(":dn");
            }
            if !rule.is_empty() {
                text.push(':');
                name(rule, text);
            }
            text.push_str(":=");
            escape(value, text);
        }
        _ => return Err(Malformed),
    }
    text.push(')');
    Ok(())
}

fn name(bytes: &[u8], text: &mut String) {
    text.push_str(&String::from_utf8_lossy(bytes));
}

/// A value: what has a meaning in filters, and what is no text, in two hexadecimal digits.
fn escape(value: &[u8], text: &mut String) {
    for chunk in value.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '*' | '(' | ')' | '\\' | '\0'..='\x1f' => {
                    let _ = write!(text, "\\{:02x}", u32::from(letter));
                }
                _ => text.push(letter),
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(text, "\\{octet:02x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn every_kind() {
        let equal = element(0xa3, &[element(4, b"cn"), element(4, b"a*(\xff")].concat());
        let parts = element(0x30, &[element(0x80, b"x"), element(0x81, b"y"), element(0x82, b"z")].concat());
        let substrings = element(0xa4, &[element(4, b"sn"), parts].concat());
        let any = element(0xa4, &[element(4, b"sn"), element(0x30, &element(0x81, b"y"))].concat());
        let rule = element(0xa9, &[element(0x81, b"1.2"), element(0x82, b"uac"), element(0x83, b"2"), element(0x84, &[0])].concat());
        let all = element(0xa0, &[equal, element(0xa2, &element(0x87, b"mail")), element(0xa1, &substrings), any, rule].concat());
        assert_eq!(text(&mut Reader::new(&all)).as_deref(), Ok("(&(cn=a\\2a\\28\\ff)(!(mail=*))(|(sn=x*y*z))(sn=*y*)(uac:1.2:=2))"));
        let mut deep = element(0x87, b"a");
        for _ in 0..50 {
            deep = element(0xa2, &deep);
        }
        assert!(text(&mut Reader::new(&deep)).is_ok());
        assert!(text(&mut Reader::new(&[0xaa, 0])).is_err());
    }
}
