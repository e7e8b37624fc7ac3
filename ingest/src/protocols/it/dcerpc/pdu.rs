//! Headers of PDUs of the connection-oriented protocol (C706, 12.6; MS-RPCE, 2.2.2).

use super::interface::Uuid;
use crate::wire::{Malformed, Reader, Wire};

/// Bytes of the header that all connection-oriented PDUs start with.
pub const HEADER: usize = 16;

/// PDU types (C706, 12.1).
pub mod kind {
    pub const REQUEST: u8 = 0;
    pub const RESPONSE: u8 = 2;
    pub const FAULT: u8 = 3;
    pub const BIND: u8 = 11;
    pub const BIND_ACK: u8 = 12;
    pub const BIND_NAK: u8 = 13;
    pub const ALTER_CONTEXT: u8 = 14;
    pub const ALTER_CONTEXT_RESP: u8 = 15;
    pub const AUTH3: u8 = 16;
    pub const SHUTDOWN: u8 = 17;
    pub const CO_CANCEL: u8 = 18;
    pub const ORPHANED: u8 = 19;
    pub const RTS: u8 = 20;
}

/// Name of a PDU type.
pub fn kind_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        kind::REQUEST => "request",
        kind::RESPONSE => "response",
        kind::FAULT => "fault",
        kind::BIND => "bind",
        kind::BIND_ACK => "bind_ack",
        kind::BIND_NAK => "bind_nak",
        kind::ALTER_CONTEXT => "alter_context",
        kind::ALTER_CONTEXT_RESP => "alter_context_resp",
        kind::AUTH3 => "auth3",
        kind::SHUTDOWN => "shutdown",
        kind::CO_CANCEL => "co_cancel",
        kind::ORPHANED => "orphaned",
        kind::RTS => "rts",
        _ => return None,
    })
}

/// Header of a connection-oriented PDU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub minor: u8,
    pub kind: u8,
    pub flags: u8,
    pub little: bool,
    /// Bytes of the fragment, this header included.
    pub length: u16,
    /// Bytes of the authentication value.
    pub auth_length: u16,
    pub call_id: u32,
}

/// Flags of a connection-oriented header (C706, 12.6.3.1).
pub mod flag {
    pub const FIRST: u8 = 0x01;
    pub const LAST: u8 = 0x02;
    pub const OBJECT: u8 = 0x80;
}

impl Header {
    /// Reads a header; an error if it cannot be one.
    pub fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        let major = reader.u8()?;
        let minor = reader.u8()?;
        let kind = reader.u8()?;
        let flags = reader.u8()?;
        let label = reader.array::<4>()?;
        let little = little_endian(label).ok_or(Malformed)?;
        let known = matches!(kind, kind::REQUEST | kind::RESPONSE | kind::FAULT | kind::BIND..=kind::RTS);
        if major != 5 || minor > 1 || !known {
            return Err(Malformed);
        }
        let length = u16_of(reader, little)?;
        let auth_length = u16_of(reader, little)?;
        let call_id = u32_of(reader, little)?;
        let verifier = if auth_length > 0 { usize::from(auth_length) + 8 } else { 0 };
        if usize::from(length) < HEADER + verifier {
            return Err(Malformed);
        }
        Ok(Self { minor, kind, flags, little, length, auth_length, call_id })
    }
}

/// The integer representation of a label (C706, 14.2.5), if the label is one.
pub fn little_endian([integers, floats, reserved, last]: [u8; 4]) -> Option<bool> {
    // Characters are ASCII or EBCDIC; nobody has seen EBCDIC.
    if floats > 3 || reserved != 0 || last != 0 {
        return None;
    }
    match integers {
        0x10 => Some(true),
        0 => Some(false),
        _ => None,
    }
}

/// 16 bits in the order of the label.
pub fn u16_of(reader: &mut Reader<'_>, little: bool) -> Wire<u16> {
    if little { reader.le_u16() } else { reader.be_u16() }
}

/// 32 bits in the order of the label.
pub fn u32_of(reader: &mut Reader<'_>, little: bool) -> Wire<u32> {
    if little { reader.le_u32() } else { reader.be_u32() }
}

/// An interface or transfer syntax: UUID, major and minor version.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Syntax {
    pub uuid: Uuid,
    pub major: u16,
    pub minor: u16,
}

impl Syntax {
    /// Reads a `p_syntax_id_t` (C706, 12.6.3.1).
    pub fn read(reader: &mut Reader<'_>, little: bool) -> Wire<Self> {
        let uuid = Uuid::read(reader, little)?;
        let version = u32_of(reader, little)?;
        Ok(Self { uuid, major: version as u16, minor: (version >> 16) as u16 })
    }

    /// The version, written as usual.
    pub fn version(&self) -> String {
        format!("{}.{}", self.major, self.minor)
    }
}

/// What stands behind a fragment's body (MS-RPCE, 2.2.2.11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verifier<'a> {
    pub kind: u8,
    pub level: u8,
    pub token: &'a [u8],
}

/// Parts the bytes behind the header: body without padding, and verifier.
pub fn parts<'a>(header: &Header, rest: &'a [u8]) -> Wire<(&'a [u8], Option<Verifier<'a>>)> {
    if header.auth_length == 0 {
        return Ok((rest, None));
    }
    let token = usize::from(header.auth_length);
    let at = rest.len().checked_sub(token + 8).ok_or(Malformed)?;
    let (body, trailer) = rest.split_at_checked(at).ok_or(Malformed)?;
    let mut trailer = Reader::new(trailer);
    let (kind, level, padding) = (trailer.u8()?, trailer.u8()?, trailer.u8()?);
    trailer.skip(5)?;
    let body = body.get(..body.len().checked_sub(usize::from(padding)).ok_or(Malformed)?).ok_or(Malformed)?;
    Ok((body, Some(Verifier { kind, level, token: trailer.rest() })))
}

/// Authentication services (MS-RPCE, 2.2.1.1.7).
pub fn auth_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "none",
        9 => "spnego",
        10 => "ntlm",
        14 => "schannel",
        16 => "kerberos",
        68 => "netlogon",
        _ => return None,
    })
}

/// Protection levels (MS-RPCE, 2.2.1.1.8).
pub fn level_name(level: u8) -> Option<&'static str> {
    Some(match level {
        1 => "none",
        2 => "connect",
        3 => "call",
        4 => "packet",
        5 => "integrity",
        6 => "privacy",
        _ => return None,
    })
}
