//! PPTP (RFC 2637): control connection on TCP, PPP in an enhanced GRE.

use pcapper_schema::tables::Vpn;

use super::ppp::Login;
use super::{Tally, gre, note};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// The control connection, on TCP 1723.
pub static PROTOCOL: Protocol = Protocol {
    name: "pptp",
    group: Group::It,
    ports: &[1723],
    stream: Some(StreamKind { probe, start: || Box::<Control>::default() }),
    ..Protocol::NONE
};

/// PPP in GRE version 1. Packets that hold IP are followed into it and are not seen here; negotiation and logins are.
pub static DATA: Protocol = Protocol {
    name: "gre",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[47], probe: probe_data, start: || Box::<Call>::default() }),
    ..Protocol::NONE
};

const MAGIC: u32 = 0x1a2b_3c4d;
/// GRE's protocol type for PPP.
pub const PPP: u16 = 0x880b;

/// Length and type of a control message.
fn header(bytes: &[u8]) -> Wire<(usize, u16)> {
    let mut reader = Reader::new(bytes);
    let (length, kind, magic) = (reader.be_u16()?, reader.be_u16()?, reader.be_u32()?);
    let control = reader.be_u16()?;
    if kind != 1 || magic != MAGIC || length < 12 || !(1..=15).contains(&control) {
        return Err(Malformed);
    }
    Ok((usize::from(length), control))
}

fn probe(offer: &Offer<'_>) -> Verdict {
    match header(offer.current()) {
        Ok(_) => Verdict::Yes,
        Err(_) if offer.current().len() < 10 => Verdict::More,
        Err(_) => Verdict::No,
    }
}

#[derive(Default)]
struct Control {
    tally: Tally,
    messages: Vec<u16>,
    hostname: Option<String>,
    call: Option<u16>,
}

impl StreamDissector for Control {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let Ok((length, control)) = header(bytes) else {
            return if bytes.len() < 10 { Progress::Consumed(0) } else { Progress::Stop };
        };
        let Some(message) = bytes.get(..length) else { return Progress::Consumed(0) };
        note(&mut self.messages, control, 15);
        // Host names of the start request, and call ids of outgoing and incoming calls, stand at fixed places (2.1, 2.7).
        if control == 1
            && let Some(name) = message.get(28..92)
        {
            let name = name.split(|&octet| octet == 0).next().unwrap_or_default();
            self.hostname = (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned());
        }
        if matches!(control, 7 | 9)
            && let Some(id) = message.get(12..14).and_then(|id| id.try_into().ok())
        {
            self.call = Some(u16::from_be_bytes(id));
        }
        self.tally.packet(cx, length, matches!(control, 1 | 2 | 7..=11));
        Progress::Consumed(length)
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.tally.emit(
            cx,
            Vpn {
                kind: Some("pptp"),
                version: Some("1"),
                encapsulation: Some("tcp"),
                hostname: self.hostname.as_deref(),
                pptp_messages: Some(&self.messages),
                pptp_call_id: self.call,
                ..Vpn::default()
            },
        );
    }
}

/// Call id and payload of an enhanced GRE packet (RFC 2637, 4.1).
fn enhanced(bytes: &[u8]) -> Wire<(u16, &[u8])> {
    let mut reader = Reader::new(bytes);
    let (flags, protocol) = (reader.be_u16()?, reader.be_u16()?);
    if flags & 7 != 1 || protocol != PPP {
        return Err(Malformed);
    }
    let (length, call) = (reader.be_u16()?, reader.be_u16()?);
    if flags & 0x1000 != 0 {
        reader.skip(4)?;
    }
    if flags & 0x0080 != 0 {
        reader.skip(4)?;
    }
    Ok((call, reader.take(usize::from(length))?))
}

fn probe_data(offer: &Offer<'_>) -> Verdict {
    if enhanced(offer.current()).is_ok() { Verdict::Yes } else { Verdict::No }
}

#[derive(Default)]
struct Call {
    tally: Tally,
    call: Option<u16>,
    login: Login,
}

impl DatagramDissector for Call {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok((call, ppp)) = enhanced(payload) else { return Outcome::NotMine };
        self.call.get_or_insert(call);
        self.tally.packet(cx, payload.len(), false);
        self.login.frame(cx, "pptp", ppp);
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        // With the packets that were followed into what they hold.
        if let Some(all) = gre::take_call(cx) {
            self.tally = Tally { common: self.tally.common, ..all };
        }
        self.tally.emit(
            cx,
            Vpn {
                kind: Some("gre"),
                version: Some("1"),
                encapsulation: Some("native"),
                gre_protocol: Some(PPP),
                pptp_call_id: self.call,
                inner_protocol: Some("ppp"),
                username: self.login.username.as_deref(),
                password: self.login.password.as_deref(),
                chap_challenge: self.login.exchange.as_deref(),
                ..Vpn::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_data_headers() {
        assert_eq!(header(&[0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1]), Ok((156, 1)));
        assert!(header(&[0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4e, 0, 1]).is_err());
        assert_eq!(enhanced(&[0x30, 1, 0x88, 0x0b, 0, 2, 0, 5, 0, 0, 0, 1, 0xc0, 0x21]), Ok((5, &[0xc0, 0x21][..])));
        assert!(enhanced(&[0x30, 0, 0x88, 0x0b, 0, 2, 0, 5]).is_err());
    }
}
