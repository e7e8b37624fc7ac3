//! Google's QUIC before the IETF's: public headers (versions up to 43), the first long headers (44 to 49), and the tags of
//! the client hello, which went in the clear.

use super::packet::{self, varint};
use crate::wire::{Malformed, Reader, Wire};

/// Flags of the public header.
mod flag {
    pub const VERSION: u8 = 0x01;
    pub const CONNECTION_ID: u8 = 0x08;
    /// Two bits: octets of the packet number.
    pub const NUMBER: u8 = 0x30;
    pub const RESERVED: u8 = 0x80;
}

/// Octets of the hash that stands where packets in the clear have no tag.
const HASH: usize = 12;
/// Tags read of one hello.
const MAX_TAGS: u16 = 128;

/// The start of a packet that names its version.
#[derive(Debug)]
pub struct Header<'a> {
    pub version: u32,
    /// The connection's id, which the client chose.
    pub id: &'a [u8],
    /// What the packet number precedes: hash and frames, or ciphertext.
    pub payload: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads a packet that names one of Google's versions before 50.
    pub fn parse(datagram: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(datagram);
        let first = reader.u8()?;
        if first & flag::RESERVED != 0 {
            let version = old(reader.be_u32()?)?;
            // Lengths in four bits each, 3 less than they are (as drafts before 22 had it): only the server has an id.
            if !matches!(reader.u8()?, 0x50 | 0x05) {
                return Err(Malformed);
            }
            let id = reader.take(8)?;
            reader.skip(usize::from(first & 3) + 1)?;
            return Ok(Self { version, id, payload: reader.rest() });
        }
        if first & (flag::VERSION | flag::CONNECTION_ID) != flag::VERSION | flag::CONNECTION_ID {
            return Err(Malformed);
        }
        let id = reader.take(8)?;
        let version = old(reader.be_u32()?)?;
        reader.skip(match (first & flag::NUMBER) >> 4 {
            0 => 1,
            1 => 2,
            2 => 4,
            _ => 6,
        })?;
        Ok(Self { version, id, payload: reader.rest() })
    }

    /// The client hello, if the packet starts with it.
    pub fn hello(&self) -> Option<Hello> {
        stream_1(self.payload).ok().and_then(Hello::parse)
    }
}

/// A version before 50, which is where the header became the IETF's.
fn old(version: u32) -> Wire<u32> {
    match packet::google(version) {
        Some([b'Q', _, b'0'..=b'4', _]) => Ok(version),
        _ => Err(Malformed),
    }
}

/// Data at the start of stream 1, which is the handshake's, from the first STREAM frame.
fn stream_1(payload: &[u8]) -> Wire<&[u8]> {
    let mut reader = Reader::new(payload);
    reader.skip(HASH)?;
    while reader.peek().first() == Some(&0) {
        reader.skip(1)?;
    }
    let kind = reader.u8()?;
    // 1 f d ooo ss: end, length given, octets of offset and of the stream's number.
    let offset = kind >> 2 & 7;
    if kind & 0x80 == 0 || offset != 0 || kind & 3 != 0 || reader.u8()? != 1 {
        return Err(Malformed);
    }
    if kind & 0x20 != 0 {
        // Its order of octets changed with version 39; the hello tells its own length.
        reader.skip(2)?;
    }
    Ok(reader.rest())
}

/// Transport parameter in which Chrome told its user agent.
const USER_AGENT: u64 = 0x3129;

/// The user agent among transport parameters (RFC 9000, 18; drafts before 27 had numbers of two octets).
pub fn user_agent(parameters: &[u8]) -> Option<String> {
    let now = parameter(parameters, varint);
    let before = || parameter(parameters.get(2..)?, |reader| reader.be_u16().map(u64::from));
    let value = now.or_else(before)?;
    Some(String::from_utf8_lossy(value).into_owned()).filter(|text| !text.is_empty())
}

/// The user agent's bytes, where `number` reads parameter ids and lengths.
fn parameter<'a>(parameters: &'a [u8], number: fn(&mut Reader<'a>) -> Wire<u64>) -> Option<&'a [u8]> {
    let mut reader = Reader::new(parameters);
    loop {
        let id = number(&mut reader).ok()?;
        let length = number(&mut reader).ok()?;
        let value = reader.take(usize::try_from(length).ok()?).ok()?;
        if id == USER_AGENT {
            return Some(value);
        }
    }
}

/// What a client hello of Google's own handshake tells.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Hello {
    pub server_name: Option<String>,
    pub user_agent: Option<String>,
    /// All values were there.
    pub whole: bool,
}

impl Hello {
    /// Reads tags and values; values that are missing at the end are left out.
    pub fn parse(message: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(message);
        if &reader.array::<4>().ok()? != b"CHLO" {
            return None;
        }
        let count = reader.le_u16().ok()?;
        reader.skip(2).ok()?;
        if count > MAX_TAGS {
            return None;
        }
        let mut index = reader.sub(usize::from(count).checked_mul(8)?).ok()?;
        let values = reader.rest();
        let mut hello = Self { whole: true, ..Self::default() };
        let mut start = 0;
        while let (Ok(tag), Ok(end)) = (index.array::<4>(), index.le_u32()) {
            let end = usize::try_from(end).ok()?;
            let Some(value) = values.get(start..end) else {
                hello.whole = false;
                break;
            };
            start = end;
            let text = || Some(String::from_utf8_lossy(value).into_owned()).filter(|text| !text.is_empty());
            match &tag {
                b"SNI\0" => hello.server_name = text().map(|name| name.to_lowercase()),
                b"UAID" => hello.user_agent = text(),
                _ => {}
            }
        }
        Some(hello)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chlo() -> Vec<u8> {
        let mut hello = b"CHLO\x02\0\0\0SNI\0".to_vec();
        hello.extend([9, 0, 0, 0]);
        hello.extend(b"UAID\x0f\0\0\0A.exampleChrome");
        hello
    }

    #[test]
    fn a_hello_behind_a_public_header() {
        let mut datagram = vec![0x09, 1, 2, 3, 4, 5, 6, 7, 8];
        datagram.extend(b"Q043\x01");
        datagram.extend([0xee; HASH]);
        datagram.extend([0xa0, 1, 0, 31]);
        datagram.extend(chlo());
        let header = Header::parse(&datagram).unwrap();
        assert_eq!((header.version, header.id), (0x5130_3433, &[1, 2, 3, 4, 5, 6, 7, 8][..]));
        let hello = header.hello().unwrap();
        assert_eq!((hello.server_name.as_deref(), hello.user_agent.as_deref(), hello.whole), (Some("a.example"), Some("Chrome"), true));
    }

    #[test]
    fn a_parameter_tells_the_program() {
        assert_eq!(user_agent(&[1, 2, 0x40, 0x64, 0x71, 0x29, 2, b'A', b'b']).as_deref(), Some("Ab"));
        assert_eq!(user_agent(&[0, 13, 0, 1, 0, 1, 7, 0x31, 0x29, 0, 2, b'A', b'b', 0, 9]).as_deref(), Some("Ab"));
        assert_eq!(user_agent(&[1, 9, 0]), None);
    }

    #[test]
    fn a_cut_hello_keeps_what_came() {
        let message = chlo();
        let hello = Hello::parse(&message[..message.len() - 1]).unwrap();
        assert_eq!((hello.server_name.as_deref(), hello.user_agent, hello.whole), (Some("a.example"), None, false));
        assert!(Header::parse(b"\xc3Q050\x50........").is_err());
    }
}
