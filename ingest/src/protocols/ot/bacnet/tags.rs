//! Tagged data (ASHRAE 135 clause 20.2).

use crate::protocols::hex::hex;
use crate::wire::{Malformed, Reader, Wire};

/// A tag with what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag<'a> {
    pub number: u8,
    pub is_context: bool,
    pub kind: Kind<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind<'a> {
    Open,
    Close,
    Value(&'a [u8]),
    /// An application boolean, whose value is in the tag.
    Bool(bool),
}

/// The next tag.
pub fn next<'a>(reader: &mut Reader<'a>) -> Wire<Tag<'a>> {
    let first = reader.u8()?;
    let is_context = first & 8 != 0;
    let number = match first >> 4 {
        15 => reader.u8()?,
        short => short,
    };
    let kind = match first & 7 {
        6 if is_context => Kind::Open,
        7 if is_context => Kind::Close,
        value if !is_context && number == 1 => Kind::Bool(value == 1),
        5 => {
            let length = match reader.u8()? {
                254 => usize::from(reader.be_u16()?),
                255 => usize::try_from(reader.be_u32()?).map_err(|_| Malformed)?,
                short => usize::from(short),
            };
            Kind::Value(reader.take(length)?)
        }
        short @ 0..=4 => Kind::Value(reader.take(usize::from(short))?),
        _ => return Err(Malformed),
    };
    Ok(Tag { number, is_context, kind })
}

impl<'a> Tag<'a> {
    /// Content, where it has one.
    pub fn octets(&self) -> Option<&'a [u8]> {
        match self.kind {
            Kind::Value(octets) => Some(octets),
            _ => None,
        }
    }

    /// Content as an unsigned number.
    pub fn unsigned(&self) -> Option<u32> {
        unsigned(self.octets()?)
    }

    /// Content of the context tag of this number.
    pub fn context(&self, number: u8) -> Option<&'a [u8]> {
        self.octets().filter(|_| self.is_context && self.number == number)
    }

    /// The application value as a number, where it is one.
    pub fn number(&self) -> Option<f64> {
        let octets = match self.kind {
            Kind::Bool(value) => return Some(f64::from(u8::from(value))),
            Kind::Value(octets) if !self.is_context => octets,
            _ => return None,
        };
        match self.number {
            2 | 9 => unsigned(octets).map(f64::from),
            3 => signed(octets).map(f64::from),
            4 => octets.first_chunk().map(|octets| f64::from(f32::from_be_bytes(*octets))),
            5 => octets.first_chunk().map(|octets| f64::from_be_bytes(*octets)),
            _ => None,
        }
        .filter(|number| number.is_finite())
    }

    /// The application value as text.
    pub fn text(&self) -> String {
        let octets = match self.kind {
            Kind::Open => return "{".to_owned(),
            Kind::Close => return "}".to_owned(),
            Kind::Bool(value) => return value.to_string(),
            Kind::Value(octets) => octets,
        };
        match (self.is_context, self.number) {
            (false, 0) => "null".to_owned(),
            (false, 2 | 9) => unsigned(octets).map_or_else(|| hex(octets), |number| number.to_string()),
            (false, 3) => signed(octets).map_or_else(|| hex(octets), |number| number.to_string()),
            (false, 4) => octets.first_chunk().map_or_else(|| hex(octets), |octets| f32::from_be_bytes(*octets).to_string()),
            (false, 5) => octets.first_chunk().map_or_else(|| hex(octets), |octets| f64::from_be_bytes(*octets).to_string()),
            (false, 7) => string(octets),
            (false, 8) => bits(octets),
            (false, 10) => date(octets),
            (false, 11) => time(octets),
            (false, 12) => unsigned(octets).map_or_else(|| hex(octets), super::names::object_text),
            _ => hex(octets),
        }
    }
}

/// A big-endian number of up to four octets.
pub fn unsigned(octets: &[u8]) -> Option<u32> {
    (1..=4).contains(&octets.len()).then(|| octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}

/// The same with a sign.
pub fn signed(octets: &[u8]) -> Option<i32> {
    let first = *octets.first()?;
    let start = if first & 0x80 == 0 { 0 } else { -1 };
    (octets.len() <= 4).then(|| octets.iter().fold(start, |number: i32, octet| number << 8 | i32::from(*octet)))
}

/// A character string: its set, then the characters.
pub fn string(octets: &[u8]) -> String {
    match octets.split_first() {
        Some((4, wide)) => {
            let units: Vec<u16> = wide.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16_lossy(&units)
        }
        Some((5, latin)) => latin.iter().map(|octet| char::from(*octet)).collect(),
        Some((_, text)) => String::from_utf8_lossy(text).into_owned(),
        None => String::new(),
    }
}

fn bits(octets: &[u8]) -> String {
    let Some((unused, octets)) = octets.split_first() else { return String::new() };
    let count = (octets.len() * 8).saturating_sub(usize::from(*unused));
    octets.iter().flat_map(|octet| (0..8).map(move |bit| if octet >> (7 - bit) & 1 == 0 { '0' } else { '1' })).take(count).collect()
}

fn date(octets: &[u8]) -> String {
    match octets {
        [year, month, day, _] => {
            format!("{}-{}-{}", if *year == 255 { "*".to_owned() } else { (1900 + u16::from(*year)).to_string() }, part(*month), part(*day))
        }
        _ => hex(octets),
    }
}

fn time(octets: &[u8]) -> String {
    match octets {
        [hour, minute, second, hundredths] => format!("{}:{}:{}.{}", part(*hour), part(*minute), part(*second), part(*hundredths)),
        _ => hex(octets),
    }
}

fn part(octet: u8) -> String {
    if octet == 255 { "*".to_owned() } else { format!("{octet:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_values() {
        let mut reader = Reader::new(&[0x44, 0x3f, 0xc0, 0, 0, 0x2e, 0x11, 0x2f, 0x75, 3, 0, b'h', b'i', 0xc4, 2, 0, 0, 7]);
        let texts: Vec<String> = std::iter::from_fn(|| next(&mut reader).ok()).map(|tag| tag.text()).collect();
        assert_eq!(texts, ["1.5", "{", "true", "}", "hi", "device,7"]);
        assert_eq!(signed(&[0xff]), Some(-1));
        assert!(next(&mut Reader::new(&[0x0d])).is_err());
        assert_eq!(Tag { number: 8, is_context: false, kind: Kind::Value(&[4, 0xa0]) }.text(), "1010");
    }
}
