//! The header that carries Modbus over TCP and UDP (Modbus Messaging on TCP/IP V1.0b, section 3.1.3).
//!
//! ```text
//! transaction id:2  protocol id:2 (0)  length:2 (of what follows)  unit:1  PDU
//! ```

use super::function::UMAS;
use super::pdu;
use crate::wire::Reader;

/// Octets before what the length counts.
pub const PREFIX_LEN: usize = 6;
/// Longest that the standard allows: unit and a PDU of 253 octets.
const MAX_LENGTH: u16 = 254;
/// Schneider controllers agree on longer UMAS messages.
const MAX_UMAS_LENGTH: u16 = 2048;

/// Header and function code: the least that says anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub tid: u16,
    pub protocol: u16,
    pub length: u16,
    pub unit: u8,
    pub code: u8,
}

impl Header {
    /// The first eight octets; `None` if there are fewer.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let (tid, protocol, length) = (reader.be_u16().ok()?, reader.be_u16().ok()?, reader.be_u16().ok()?);
        Some(Self { tid, protocol, length, unit: reader.u8().ok()?, code: reader.u8().ok()? })
    }

    /// The length is one that Modbus can have.
    pub fn has_fit_length(&self) -> bool {
        let most = if self.code & !pdu::EXCEPTION == UMAS { MAX_UMAS_LENGTH } else { MAX_LENGTH };
        (2..=most).contains(&self.length)
    }

    /// Protocol identifier and length are Modbus's.
    pub fn is_sound(&self) -> bool {
        self.protocol == 0 && self.has_fit_length()
    }

    /// Octets of header and PDU together.
    pub fn total(&self) -> usize {
        PREFIX_LEN + usize::from(self.length)
    }
}

/// PDU of the whole message at the start of `bytes`, if it is there.
pub fn message(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let header = Header::read(bytes)?;
    let pdu = bytes.get(PREFIX_LEN + 1..header.total())?;
    Some((header, pdu))
}

/// Whether fewer than eight octets could be the start of a message.
pub fn could_start(bytes: &[u8]) -> bool {
    // Protocol identifier 0, and no length needs the upper octet but that of UMAS.
    bytes.iter().skip(2).take(2).all(|octet| *octet == 0) && bytes.get(4).is_none_or(|high| *high <= 8)
}

/// Sound messages of described functions at the start of `bytes` (the first of them given), and whether what is left could be
/// the start of another.
pub fn evidence(bytes: &[u8]) -> (usize, bool, Option<(Header, &[u8])>) {
    let (mut rest, mut messages, mut first) = (bytes, 0, None);
    loop {
        let Some(header) = Header::read(rest) else {
            return (messages, could_start(rest), first);
        };
        if !header.is_sound() || !pdu::is_known(header.code & !pdu::EXCEPTION) {
            return (messages, false, first);
        }
        let Some((_, pdu)) = message(rest) else {
            return (messages, true, first);
        };
        if !pdu::is_request(pdu) && !pdu::is_answer(pdu) {
            return (messages, false, first);
        }
        messages += 1;
        first = first.or(Some((header, pdu)));
        rest = rest.get(header.total()..).unwrap_or_default();
    }
}

/// Where the next message starts that is whole and sound in itself, in bytes that do not start with one.
pub fn resync(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len()).find(|at| {
        let rest = bytes.get(*at..).unwrap_or_default();
        Header::read(rest).is_some_and(|header| header.is_sound())
            && message(rest).is_some_and(|(_, pdu)| pdu::is_request(pdu) || pdu::is_answer(pdu))
    })
}
