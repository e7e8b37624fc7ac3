//! CODESYS, the engineering traffic of many vendors' controllers.
//!
//! Version 2 is known from a script of nmap, version 3 from published research; the service header's order is that of the
//! vendor's library documentation. What cannot be checked against itself (magic, lengths, tags) is not read.
//!
//! ```text
//! V2 TCP    bb bb  length:4, in the order of the client  body
//! V3 TCP    00 01 17 e8  length:4, of the whole, low octet first  datagram
//! datagram  c5  hops:5 header:3 bits  flags:1  service:1  id:1  address lengths:1  addresses, padded to 4     (also UDP)
//! channel   type:1  flags:1  channel:2  block:4  acknowledged:4  [rest:4  checksum:4]
//! services  cd 55 or 55 cd  header size:2  group:2  service:2  session:4  length:4
//! ```

use pcapper_schema::tables::Codesys;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// CODESYS: 1200 and 2455 are those of version 2, 1740 to 1743 (UDP) and 11740 to 11743 (TCP) those of version 3.
pub static PROTOCOL: Protocol = Protocol {
    name: "codesys",
    group: Group::Ot,
    ports: &[1200, 2455, 1740, 1741, 1742, 1743, 11740, 11741, 11742, 11743],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_datagram, start: || Box::<Routed>::default() }),
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

const V2: [u8; 2] = [0xbb, 0xbb];
const V3: [u8; 4] = [0x00, 0x01, 0x17, 0xe8];
/// First octet of a routed datagram.
const ROUTED: u8 = 0xc5;
/// Longest message that is believed.
const MAX_LENGTH: u32 = 1 << 20;
/// Service of a datagram that goes to a channel.
const CHANNEL: u8 = 64;
/// Tag of plain services.
const PLAIN: u16 = 0xcd55;

fn channel_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0x01 => "block",
        0x02 => "ack",
        0x03 => "keepalive",
        0xc2 => "get_info",
        0xc3 => "open_channel",
        0xc4 => "close_channel",
        _ => return None,
    })
}

/// Components, by the numbers of the vendor's library documentation.
fn component(group: u16) -> Option<&'static str> {
    Some(match group {
        0x01 => "CmpDevice",
        0x02 => "CmpApp",
        0x04 => "CmpVisuServer",
        0x05 => "CmpLog",
        0x06 => "CmpSettings",
        0x08 => "CmpFileTransfer",
        0x09 => "CmpIecVarAccess",
        0x0b => "CmpIoMgr",
        0x0c => "CmpUserMgr",
        0x0f => "CmpTraceMgr",
        0x11 => "PlcShell",
        0x12 => "CmpAppBP",
        0x13 => "CmpAppForce",
        0x1b => "CmpMonitor",
        _ => return None,
    })
}

/// A routed datagram of version 3.
struct Datagram<'a> {
    service: u8,
    rest: &'a [u8],
}

impl<'a> Datagram<'a> {
    fn read(bytes: &'a [u8]) -> Wire<Self> {
        let mut reader = Reader::new(bytes);
        let [magic, hops, _, service, _, lengths] = reader.array::<6>()?;
        // The header is three words of 16 bits in what was seen.
        if magic != ROUTED || hops & 7 != 3 {
            return Err(Malformed);
        }
        let words = usize::from(lengths >> 4) + usize::from(lengths & 15);
        reader.skip(words * 2)?;
        // Padded so that what follows starts on a multiple of four.
        reader.skip((4 - (6 + words * 2) % 4) % 4)?;
        Ok(Self { service, rest: reader.rest() })
    }
}

/// What the layers above a datagram say.
#[derive(Default)]
struct Above {
    kind: Option<u8>,
    channel: Option<u16>,
    services: Option<Services>,
}

struct Services {
    group: u16,
    service: u16,
    session: u32,
}

impl Above {
    fn read(datagram: &Datagram<'_>) -> Self {
        let mut above = Self::default();
        if datagram.service != CHANNEL {
            return above;
        }
        let mut reader = Reader::new(datagram.rest);
        let head = |reader: &mut Reader<'_>| -> Wire<(u8, u16)> {
            let [kind, _] = reader.array::<2>()?;
            Ok((kind, reader.le_u16()?))
        };
        let Ok((kind, channel)) = head(&mut reader) else { return above };
        above.kind = Some(kind);
        above.channel = Some(channel).filter(|_| kind <= 3);
        if kind == 1 {
            above.services = services(&mut reader).ok();
        }
        above
    }
}

/// The service header in the first block of a message: its tag, size and length must all fit.
fn services(reader: &mut Reader<'_>) -> Wire<Services> {
    reader.skip(16)?;
    let (tag, size) = (reader.le_u16()?, reader.le_u16()?);
    if tag != PLAIN || size != 16 {
        return Err(Malformed);
    }
    Ok(Services { group: reader.le_u16()?, service: reader.le_u16()?, session: reader.le_u32()? })
}

fn datagram(cx: &mut Cx<'_>, magic: &[u8], length: usize, datagram: Option<&Datagram<'_>>) {
    let above = datagram.map(Above::read).unwrap_or_default();
    let services = above.services.as_ref();
    let other_kind = above.kind.filter(|kind| channel_name(*kind).is_none()).map(|kind| format!("0x{kind:02x}"));
    let group = services.map(|services| services.group & 0x7fff);
    let other_group = group.filter(|group| component(*group).is_none()).map(|group| format!("group_0x{group:02x}"));
    let name = services.map(|services| format!("service_0x{:02x}", services.service));
    cx.emit(Codesys {
        is_orig: Some(cx.dir == Dir::Orig),
        generation: Some(3),
        confidence: Some(if datagram.is_some() { "signature" } else { "signature_only" }),
        magic: Some(magic),
        message_len: u32::try_from(length).ok(),
        datagram_type: datagram.map(|datagram| datagram.service),
        channel_type: above.kind.and_then(channel_name).or(other_kind.as_deref()),
        channel_id: above.channel,
        protocol_id: services.map(|_| PLAIN),
        service_group: group,
        service_group_name: group.and_then(component).or(other_group.as_deref()),
        service_id: services.map(|services| services.service),
        service_name: name.as_deref(),
        is_response: services.map(|services| services.group & 0x8000 != 0),
        session_id: services.map(|services| services.session),
        ..Codesys::default()
    });
}

/// Datagrams are known by their first octet and their lengths alone: on their ports only.
fn probe_datagram(offer: &Offer<'_>) -> Verdict {
    if offer.usual_port && Datagram::read(offer.current()).is_ok() { Verdict::Yes } else { Verdict::No }
}

#[derive(Default)]
struct Routed;

impl DatagramDissector for Routed {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Ok(read) = Datagram::read(payload) else { return Outcome::NotMine };
        datagram(cx, &[ROUTED], payload.len(), Some(&read));
        Outcome::Decoded
    }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let is_v3 = |bytes: &[u8]| matches!(bytes.split_first_chunk::<4>(), Some((&V3, rest)) if rest.first_chunk::<4>().is_some_and(|length| (8..=MAX_LENGTH).contains(&u32::from_le_bytes(*length))));
    let is_v2 = |bytes: &[u8]| bytes.get(2..).and_then(length_v2).is_some() && bytes.starts_with(&V2);
    let [a, b] = offer.bytes;
    if is_v3(a) || is_v3(b) || is_v2(a) || is_v2(b) {
        return Verdict::Yes;
    }
    let may_be = |bytes: &[u8]| {
        bytes.len() < 8
            && (V3.starts_with(bytes.get(..bytes.len().min(4)).unwrap_or_default())
                || V2.starts_with(bytes.get(..bytes.len().min(2)).unwrap_or_default()) && bytes.len() < 6)
    };
    if may_be(a) && may_be(b) { Verdict::More } else { Verdict::No }
}

/// Length of a body of version 2, and whether its low octet comes first.
fn length_v2(bytes: &[u8]) -> Option<(u32, bool)> {
    let octets = *bytes.first_chunk::<4>()?;
    let (little, big) = (u32::from_le_bytes(octets), u32::from_be_bytes(octets));
    [(little, true), (big, false)].into_iter().filter(|(length, _)| (1..=u32::from(u16::MAX)).contains(length)).min()
}

/// Places of the texts in the body of an identification's answer.
const IDENTITY: [usize; 3] = [58, 90, 122];

fn text(body: &[u8], at: usize) -> Option<&str> {
    let text = body.get(at..)?.split(|octet| *octet == 0).next()?;
    let text = std::str::from_utf8(text).ok()?.trim();
    (!text.is_empty() && text.chars().all(|character| !character.is_control())).then_some(text)
}

#[derive(Default)]
struct Session {
    /// The last request of version 2 was the one that asks for the identity.
    asked: bool,
}

impl Session {
    fn v2(&mut self, cx: &mut Cx<'_>, body: &[u8], is_little: bool) {
        let is_answer = cx.dir == Dir::Resp;
        let is_identity = is_answer && self.asked;
        self.asked = !is_answer && body == [1];
        let [os, version, product] = IDENTITY.map(|at| text(body, at).filter(|_| is_identity));
        cx.emit(Codesys {
            is_orig: Some(!is_answer),
            generation: Some(2),
            confidence: Some("signature"),
            magic: Some(&V2),
            endian: Some(if is_little { "little" } else { "big" }),
            message_len: u32::try_from(body.len()).ok(),
            is_response: Some(is_answer),
            os_name: os,
            os_version: version,
            product,
            ..Codesys::default()
        });
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.len() < 8 && !rest.starts_with(&V2) || rest.len() < 6 {
                return Progress::Consumed(used);
            }
            if let Some((&V2, body)) = rest.split_first_chunk::<2>()
                && let Some((length, is_little)) = length_v2(body)
            {
                let Some(body) = body.get(4..4 + length as usize) else { return Progress::Consumed(used) };
                self.v2(cx, body, is_little);
                used += 6 + body.len();
            } else if let Some((&V3, body)) = rest.split_first_chunk::<4>()
                && let Some(length) = body.first_chunk::<4>().map(|length| u32::from_le_bytes(*length))
                && (8..=MAX_LENGTH).contains(&length)
            {
                let Some(message) = rest.get(8..length as usize) else { return Progress::Consumed(used) };
                datagram(cx, &V3, length as usize, Datagram::read(message).ok().as_ref());
                used += 8 + message.len();
            } else {
                cx.anomaly("codesys", "unexpected_state", "no message where one should start");
                return Progress::Stop;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bytes: [&[u8]; 2]) -> Verdict {
        probe(&Offer { bytes, dir: Dir::Orig, ports: [None, None], usual_port: true, src: None, dst: None })
    }

    #[test]
    fn both_versions_by_their_magic() {
        assert_eq!(verdict([&[0xbb, 0xbb, 1, 0, 0, 0, 1], &[]]), Verdict::Yes);
        assert_eq!(verdict([&[0xbb, 0xbb, 0, 0, 0, 1, 1], &[]]), Verdict::Yes);
        assert_eq!(verdict([&[0xbb, 0xbb, 0, 0], &[]]), Verdict::More);
        assert_eq!(verdict([&[0, 1, 0x17, 0xe8, 20, 0, 0, 0], &[]]), Verdict::Yes);
        assert_eq!(verdict([&[0, 1, 0, 0, 0, 6, 1, 3], &[]]), Verdict::No, "Modbus");
        assert_eq!(verdict([&[0x16, 3, 1], &[]]), Verdict::No, "TLS");
        assert_eq!((length_v2(&[1, 0, 0, 0]), length_v2(&[0, 0, 1, 0])), (Some((1, true)), Some((256, false))));
    }

    #[test]
    fn layers_of_version_3() {
        let seen = Datagram::read(&[0xc5, 0x0b, 0x40, 1, 0, 0x10, 1, 0xa2]).unwrap();
        assert_eq!((seen.service, seen.rest.len()), (1, 0));
        assert!(Datagram::read(&[0xc5, 0x0b, 0x40, 1, 0, 0x20, 0, 0, 0xff, 0x2a, 0, 0]).is_ok());
        assert!(Datagram::read(&[0xc5, 0x0b, 0x40, 1, 0, 0x30, 0, 0]).is_err());
        let mut message = vec![0xc5, 0x0b, 0x40, CHANNEL, 0, 0x10, 1, 0xa2, 1, 0, 7, 0];
        message.extend([0; 16]);
        message.extend([0x55, 0xcd, 16, 0, 0x11, 0x80, 2, 0, 9, 0, 0, 0]);
        let above = Above::read(&Datagram::read(&message).unwrap());
        let services = above.services.unwrap();
        assert_eq!((above.kind, above.channel, services.group & 0x7fff, services.service, services.session), (Some(1), Some(7), 0x11, 2, 9));
    }
}
