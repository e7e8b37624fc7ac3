//! The session service (RFC 1002, section 4.3): who calls whom, and the framing of what sessions carry.

use std::net::{IpAddr, Ipv4Addr};

use pcapper_schema::tables::Nbss;

use super::nbname;
use crate::protocols::{Cx, Offer, Progress, StreamDissector, Verdict};
use crate::wire::{Reader, Wire};

/// Octets of a message's header.
pub const HEADER_LEN: usize = 4;
/// Type of a message that carries the session's own bytes.
pub const MESSAGE: u8 = 0;
const REQUEST: u8 = 0x81;
const POSITIVE: u8 = 0x82;
const NEGATIVE: u8 = 0x83;
const RETARGET: u8 = 0x84;
const KEEP_ALIVE: u8 = 0x85;

/// Type of a control message and the length of what follows, where the header is sound.
pub fn control_header(bytes: &[u8]) -> Option<(u8, usize)> {
    let &[kind, flags, high, low] = bytes.first_chunk::<HEADER_LEN>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let sound = flags == 0
        && match kind {
            REQUEST => (68..=512).contains(&length),
            POSITIVE | KEEP_ALIVE => length == 0,
            NEGATIVE => length == 1,
            RETARGET => length == 6,
            _ => false,
        };
    sound.then_some((kind, length))
}

/// Session requests with two names on any port; on the own one other control messages too.
pub fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    if bytes.len() < HEADER_LEN {
        return if bytes.is_empty() || matches!(bytes.first(), Some(REQUEST..=KEEP_ALIVE)) { Verdict::More } else { Verdict::No };
    }
    match control_header(bytes) {
        Some((REQUEST, length)) => match bytes.get(HEADER_LEN..HEADER_LEN + length) {
            Some(names) if called_and_calling(names).is_ok() => Verdict::Yes,
            Some(_) => Verdict::No,
            None => Verdict::More,
        },
        Some(_) if offer.usual_port => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// A connection before its first session message.
pub struct Sessions;

impl StreamDissector for Sessions {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if bytes.first() == Some(&MESSAGE) {
            return Progress::Handover(0, "smb");
        }
        if bytes.len() < HEADER_LEN {
            return Progress::Consumed(0);
        }
        let Some((kind, length)) = control_header(bytes) else {
            cx.anomaly("nbss", "unexpected_state", "no session header where one should be");
            return Progress::Stop;
        };
        let Some(body) = bytes.get(HEADER_LEN..HEADER_LEN + length) else { return Progress::Consumed(0) };
        control(cx, kind, body);
        Progress::Consumed(HEADER_LEN + length)
    }
}

/// Writes the row of a control message.
pub fn control(cx: &mut Cx<'_>, kind: u8, body: &[u8]) {
    let mut reader = Reader::new(body);
    let names = if kind == REQUEST { called_and_calling(body).ok() } else { None };
    if kind == REQUEST && names.is_none() {
        cx.anomaly("nbss", "bad_length", "a session request without two names");
    }
    let mut retarget = || Some((Ipv4Addr::from(reader.array::<4>().ok()?), reader.be_u16().ok()?));
    let retarget = if kind == RETARGET { retarget() } else { None };
    cx.emit(Nbss {
        message_type: Some(kind),
        message_type_name: Some(match kind {
            REQUEST => "session_request",
            POSITIVE => "positive_response",
            NEGATIVE => "negative_response",
            RETARGET => "retarget_response",
            _ => "keep_alive",
        }),
        called_name: names.as_ref().map(|names| names.0.as_str()),
        calling_name: names.as_ref().map(|names| names.1.as_str()),
        error_code: if kind == NEGATIVE { body.first().copied() } else { None },
        retarget_ip: retarget.map(|to| IpAddr::V4(to.0)),
        retarget_port: retarget.map(|to| to.1),
    });
}

fn called_and_calling(body: &[u8]) -> Wire<(String, String)> {
    let mut reader = Reader::new(body);
    let called = nbname::read(&mut reader, None)?.full();
    Ok((called, nbname::read(&mut reader, None)?.full()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_messages() {
        assert_eq!(control_header(&[0x85, 0, 0, 0]), Some((0x85, 0)));
        assert_eq!(control_header(&[0x81, 0, 0, 68, 0x20]), Some((0x81, 68)));
        assert_eq!(control_header(&[0x83, 0, 0, 2]), None);
        let names = b"\x20EIEPFDFEDBCACACACACACACACACACACA\0\x20EIEPFDFEDBCACACACACACACACACACAAA\0";
        assert_eq!(called_and_calling(names), Ok(("HOST1<20>".to_owned(), "HOST1<00>".to_owned())));
    }
}
