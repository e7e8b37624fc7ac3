//! Names and values (ISO 9506-2 sections 5 and 7, IEC 61850-8-1 sections 7 and 8).

use std::fmt::Write as _;

use super::stack::{Element, Elements};
use crate::protocols::ber;

/// How deep structures are shown.
const MAX_DEPTH: usize = 12;
/// How long the text of one value gets.
const MAX_TEXT: usize = 4096;

/// Name of an object: of the server, of a domain, or of the association.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Name {
    pub domain: Option<String>,
    pub item: String,
}

impl Name {
    /// Reads an object name.
    pub fn read(element: &Element<'_>) -> Option<Self> {
        match element.number {
            0 => Some(Self { domain: None, item: element.text() }),
            1 => {
                let mut parts = element.inside();
                Some(Self { domain: Some(parts.next()?.text()), item: parts.next()?.text() })
            }
            2 => Some(Self { domain: None, item: format!("@{}", element.text()) }),
            _ => None,
        }
    }

    /// Domain and item.
    pub fn whole(&self) -> String {
        self.domain.as_ref().map_or_else(|| self.item.clone(), |domain| format!("{domain}/{}", self.item))
    }

    /// Second part of the item, where it is a functional constraint.
    pub fn constraint(&self) -> Option<&str> {
        self.item.split('$').nth(1).filter(|part| part.len() == 2 && part.bytes().all(|octet| octet.is_ascii_uppercase()))
    }

    /// What access to a control object means.
    pub fn control(&self, is_write: bool) -> Option<&'static str> {
        if self.constraint() != Some("CO") {
            return None;
        }
        match (self.item.rsplit('$').next()?, is_write) {
            ("Oper", true) => Some("operate"),
            ("SBOw", true) => Some("select_with_value"),
            ("Cancel", true) => Some("cancel"),
            ("SBO", false) => Some("select"),
            _ => None,
        }
    }

    /// Object that a control acts on: the item without its last part.
    pub fn controlled(&self) -> String {
        let item = self.item.rsplit_once('$').map_or(self.item.as_str(), |(object, _)| object);
        self.domain.as_ref().map_or_else(|| item.to_owned(), |domain| format!("{domain}/{item}"))
    }
}

/// Names in a list of variables: each `SEQUENCE { name [0], ... }`.
pub fn variables(list: &Element<'_>) -> Vec<Name> {
    list.inside()
        .filter_map(|variable| variable.inside().next())
        .filter(|name| name.is_context(0))
        .filter_map(|name| Name::read(&name.inside().next()?))
        .collect()
}

/// Text of a value.
pub fn text(value: &Element<'_>) -> String {
    let mut text = String::new();
    show(value, &mut text, 0);
    text
}

fn show(value: &Element<'_>, text: &mut String, depth: usize) {
    if text.len() > MAX_TEXT || depth > MAX_DEPTH {
        text.push('…');
        return;
    }
    let content = value.content;
    // Writing to a String cannot fail.
    let _ = match value.number {
        1 | 2 => {
            text.push(if value.number == 2 { '{' } else { '[' });
            for (at, part) in value.inside().enumerate() {
                if at > 0 {
                    text.push_str(", ");
                }
                show(&part, text, depth + 1);
            }
            text.push(if value.number == 2 { '}' } else { ']' });
            Ok(())
        }
        3 => write!(text, "{}", content.first().is_some_and(|octet| *octet != 0)),
        4 => bits(content, text),
        5 => ber::signed(content).map_or(Ok(()), |number| write!(text, "{number}")),
        6 => ber::unsigned(content).map_or(Ok(()), |number| write!(text, "{number}")),
        7 => float(content).map_or(Ok(()), |number| write!(text, "{number}")),
        10 | 16 => text.write_str(&String::from_utf8_lossy(content)),
        11 => text.write_str(&String::from_utf8_lossy(content)),
        17 => utc(content).map_or(Ok(()), |(seconds, nanoseconds)| write!(text, "@{seconds}.{:03}", nanoseconds / 1_000_000)),
        _ => content.iter().try_for_each(|octet| write!(text, "{octet:02x}")),
    };
}

/// Bits of a string, the number of unused ones first.
fn bits(content: &[u8], text: &mut String) -> std::fmt::Result {
    let Some((unused, octets)) = content.split_first() else { return Ok(()) };
    let count = (octets.len() * 8).saturating_sub(usize::from(*unused));
    octets.iter().flat_map(|octet| (0..8).map(move |bit| octet >> (7 - bit) & 1)).take(count.min(MAX_TEXT)).try_for_each(|bit| write!(text, "{bit}"))
}

/// A number whose exponent is as wide as its first octet says: 8 bits in four octets, 11 in eight.
fn float(content: &[u8]) -> Option<f64> {
    match content {
        [8, a, b, c, d] => Some(f64::from(f32::from_be_bytes([*a, *b, *c, *d]))),
        [11, rest @ ..] => rest.first_chunk().map(|octets| f64::from_be_bytes(*octets)),
        _ => None,
    }
}

/// UTC time (IEC 61850-8-1 section 8.1.3.6): seconds since 1970, 24 bits of their fraction, quality.
fn utc(content: &[u8]) -> Option<(u32, u64)> {
    let [a, b, c, d, e, f, g, ..] = content else { return None };
    let fraction = u64::from(u32::from_be_bytes([0, *e, *f, *g]));
    Some((u32::from_be_bytes([*a, *b, *c, *d]), (fraction * 1_000_000_000) >> 24))
}

/// What a control structure says (IEC 61850-8-1 section 20): value, originator, number, time, test.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Control {
    pub value: Option<String>,
    pub category: Option<u8>,
    pub ident: Option<Vec<u8>>,
    pub number: Option<u8>,
    pub test: Option<bool>,
}

/// Reads the structure written to Oper, SBOw or Cancel.
pub fn control(value: &Element<'_>) -> Control {
    let mut control = Control::default();
    if value.number != 2 {
        return control;
    }
    let mut origin_seen = false;
    for (at, part) in value.inside().enumerate() {
        match part.number {
            _ if at == 0 => control.value = Some(text(&part)),
            2 if !origin_seen => {
                let mut parts = part.inside();
                control.category = parts
                    .next()
                    .filter(|part| matches!(part.number, 5 | 6))
                    .and_then(|part| part.number32())
                    .and_then(|number| u8::try_from(number).ok());
                control.ident = parts.next().filter(|part| part.number == 9).map(|part| part.content.to_vec());
                origin_seen = true;
            }
            5 | 6 if origin_seen && control.number.is_none() => control.number = part.number32().and_then(|number| u8::try_from(number & 0xff).ok()),
            3 if origin_seen && control.test.is_none() => control.test = part.content.first().map(|octet| *octet != 0),
            _ => {}
        }
    }
    control
}

/// What a report says of itself (IEC 61850-8-1 section 17): its entries are there as its option field says.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Report {
    pub id: Option<String>,
    pub sequence: Option<u32>,
    pub dataset: Option<String>,
}

/// Reads the first entries of a report.
pub fn report(mut entries: Elements<'_>) -> Report {
    let mut report = Report { id: entries.next().filter(|entry| entry.number == 10).map(|entry| entry.text()), ..Report::default() };
    let options = entries.next().filter(|entry| entry.number == 4).and_then(|entry| entry.content.get(1)).copied().unwrap_or(0);
    // Bits from the left: 1 sequence number, 2 time, 3 reasons, 4 name of the data set.
    if options & 0x40 != 0 {
        report.sequence = entries.next().and_then(|entry| entry.number32());
    }
    if options & 0x20 != 0 {
        entries.next();
    }
    if options & 0x08 != 0 {
        report.dataset = entries.next().filter(|entry| entry.number == 10).map(|entry| entry.text());
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Element<'_> {
        Elements::new(bytes).next().unwrap()
    }

    #[test]
    fn values_have_text() {
        let structure = [0xa2, 16, 0x83, 1, 1, 0x85, 1, 0xff, 0x87, 5, 8, 0x3f, 0xc0, 0, 0, 0x84, 1, 7];
        assert_eq!(text(&parse(&structure)), "{true, -1, 1.5, }");
        assert_eq!(text(&parse(&[0x84, 2, 6, 0x40])), "01");
        assert_eq!(text(&parse(&[0x8a, 2, b'o', b'k'])), "ok");
        assert_eq!(text(&parse(&[0x91, 8, 0, 0, 0, 2, 0x80, 0, 0, 0])), "@2.500");
    }

    #[test]
    fn names_of_61850() {
        let name = Name { domain: Some("LD0".into()), item: "XCBR1$CO$Pos$Oper".into() };
        assert_eq!((name.constraint(), name.control(true), name.control(false)), (Some("CO"), Some("operate"), None));
        assert_eq!(name.controlled(), "LD0/XCBR1$CO$Pos");
    }

    #[test]
    fn controls_are_read() {
        let oper = [0xa2, 20, 0x83, 1, 1, 0xa2, 7, 0x85, 1, 3, 0x89, 2, b'H', b'M', 0x86, 1, 9, 0x83, 1, 0, 0x80, 0];
        let control = control(&parse(&oper));
        assert_eq!(
            control,
            Control { value: Some("true".into()), category: Some(3), ident: Some(b"HM".to_vec()), number: Some(9), test: Some(false) }
        );
    }
}
