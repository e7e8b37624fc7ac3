//! L2TP: version 2 over UDP (RFC 2661), version 3 over IP (RFC 3931).

use pcapper_schema::tables::Vpn;

use super::ppp::Login;
use super::{Tally, note};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Version 2, on UDP 1701. Data that holds IP is followed into it and is not seen here.
pub static PROTOCOL: Protocol = Protocol {
    name: "l2tp",
    group: Group::It,
    ports: &[1701],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Tunnel>::default() }),
    ..Protocol::NONE
};

/// Version 3 directly in IP, protocol 115.
pub static VERSION_3: Protocol = Protocol {
    name: "l2tpv3",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[115], probe: |_| Verdict::Yes, start: || Box::<Pseudowire>::default() }),
    ..Protocol::NONE
};

/// Control message types and sessions of a tunnel that are remembered.
const MAX_MESSAGES: usize = 64;
/// Attribute-value pairs of a control message that are read.
const MAX_PAIRS: usize = 64;

/// A version 2 header, and what follows.
struct Header<'a> {
    is_control: bool,
    tunnel: u16,
    session: u16,
    body: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(bytes);
        let flags = reader.be_u16()?;
        let is_control = flags & 0x8000 != 0;
        // Version 2; reserved bits are zero; a control message has length and sequence (RFC 2661, 3.1).
        if flags & 0x000f != 2 || flags & 0x34f0 != 0 || is_control && flags & 0x4800 != 0x4800 {
            return Err(Malformed);
        }
        let length = if flags & 0x4000 != 0 { usize::from(reader.be_u16()?) } else { bytes.len() };
        let (tunnel, session) = (reader.be_u16()?, reader.be_u16()?);
        if flags & 0x0800 != 0 {
            reader.skip(4)?;
        }
        if flags & 0x0200 != 0 {
            let offset = usize::from(reader.be_u16()?);
            reader.skip(offset)?;
        }
        let head = bytes.len().saturating_sub(reader.len());
        let body = reader.take(length.checked_sub(head).ok_or(Malformed)?)?;
        Ok(Self { is_control, tunnel, session, body })
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    match Header::read(offer.current()) {
        Ok(header) if offer.usual_port || header.is_control && pairs(header.body).is_ok_and(|pairs| pairs.message.is_some()) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// What the attribute-value pairs of a control message say (RFC 2661, 4.4).
#[derive(Default)]
struct Pairs {
    message: Option<u16>,
    hostname: Option<String>,
}

fn pairs(body: &[u8]) -> Wire<Pairs> {
    let mut reader = Reader::new(body);
    let mut pairs = Pairs::default();
    for _ in 0..MAX_PAIRS {
        if reader.is_empty() {
            break;
        }
        let flags = reader.be_u16()?;
        let mut pair = reader.sub(usize::from(flags & 0x03ff).checked_sub(2).ok_or(Malformed)?)?;
        let (vendor, kind) = (pair.be_u16()?, pair.be_u16()?);
        // Hidden values are encrypted (4.3).
        if vendor != 0 || flags & 0x4000 != 0 {
            continue;
        }
        match kind {
            0 => pairs.message = Some(pair.be_u16()?),
            7 => pairs.hostname = Some(String::from_utf8_lossy(pair.rest()).into_owned()),
            _ => {}
        }
    }
    Ok(pairs)
}

#[derive(Default)]
struct Tunnel {
    tally: Tally,
    /// Of the first message that has them.
    tunnel: Option<u16>,
    session: Option<u16>,
    messages: Vec<u16>,
    hostname: Option<String>,
    login: Login,
}

impl DatagramDissector for Tunnel {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok(header) = Header::read(payload) else { return Outcome::NotMine };
        self.tunnel = self.tunnel.filter(|&id| id != 0).or(Some(header.tunnel));
        self.session = self.session.filter(|&id| id != 0).or(Some(header.session));
        let mut setup = false;
        if header.is_control {
            match pairs(header.body) {
                Ok(Pairs { message, hostname }) => {
                    // Tunnel and session set-up are messages 1 to 3 and 7 to 12.
                    setup = matches!(message, Some(1..=3 | 7..=12));
                    if let Some(message) = message {
                        note(&mut self.messages, message, MAX_MESSAGES);
                    }
                    self.hostname = self.hostname.take().or(hostname);
                }
                Err(Malformed) => cx.anomaly("l2tp", "bad_length", "an attribute of a control message ends beyond it"),
            }
        } else {
            self.login.frame(cx, "l2tp", header.body);
        }
        self.tally.packet(cx, payload.len(), setup);
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.tally.emit(
            cx,
            Vpn {
                kind: Some("l2tp"),
                version: Some("2"),
                encapsulation: Some("udp_other"),
                l2tp_tunnel_id: self.tunnel,
                l2tp_session_id: self.session.map(u32::from),
                l2tp_messages: (!self.messages.is_empty()).then_some(&self.messages),
                hostname: self.hostname.as_deref(),
                username: self.login.username.as_deref(),
                password: self.login.password.as_deref(),
                chap_challenge: self.login.exchange.as_deref(),
                ..Vpn::default()
            },
        );
    }
}

/// A session of version 3, by the first session id seen.
#[derive(Default)]
struct Pseudowire {
    tally: Tally,
    session: Option<u32>,
}

impl DatagramDissector for Pseudowire {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok(session) = Reader::new(payload).be_u32() else { return Outcome::NotMine };
        // Zero marks a control message (RFC 3931, 4.1.1.2).
        if session != 0 {
            self.session.get_or_insert(session);
        }
        self.tally.packet(cx, payload.len(), session == 0);
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.tally.emit(
            cx,
            Vpn { kind: Some("l2tpv3"), version: Some("3"), encapsulation: Some("native"), l2tp_session_id: self.session, ..Vpn::default() },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_request() {
        let mut message = vec![0xc8, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        message.extend([0x80, 8, 0, 0, 0, 0, 0, 1]);
        message.extend([0x80, 9, 0, 0, 0, 7, b'l', b'a', b'c']);
        message[3] = message.len() as u8;
        let header = Header::read(&message).unwrap();
        let pairs = pairs(header.body).unwrap();
        assert_eq!((header.is_control, pairs.message, pairs.hostname.as_deref()), (true, Some(1), Some("lac")));
        assert!(Header::read(&message[..11]).is_err());
    }
}
