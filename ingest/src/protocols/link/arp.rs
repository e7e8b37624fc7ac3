//! ARP (RFC 826), RARP (RFC 903) and Inverse ARP (RFC 2390).
//!
//! ```text
//! hardware type u16 | protocol type u16 | hardware length u8 | protocol length u8 | opcode u16
//! sender hardware address | sender protocol address | target hardware address | target protocol address
//! ```
//! A reply is held against the requests of the ten seconds before it: same VLAN, the asked address is the reply's sender, the
//! asker its target. One request may have several replies; all of them are solicited (and that is what a conflict looks like).

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use pcapper_schema::Mac;
use pcapper_schema::tables::Arp;
use rustc_hash::FxHashMap;

use crate::packet::{Layer, Llc, Packet};
use crate::protocols::{Cx, FrameDissector, FrameKind, Group, Outcome, Protocol};
use crate::wire::Reader;

/// Declaration.
pub static PROTOCOL: Protocol =
    Protocol { name: "arp", group: Group::Link, frame: Some(FrameKind { claims, start: || Box::<Dissector>::default() }), ..Protocol::NONE };

const ETHER_TYPE_ARP: u16 = 0x0806;
const ETHER_TYPE_RARP: u16 = 0x8035;
const ETHER_TYPE_IPV4: u16 = 0x0800;
/// Hardware types whose addresses are an Ethernet's: Ethernet and IEEE 802.
const HARDWARE_ETHERNET: [u16; 2] = [1, 6];
/// ATM addresses come with lengths of their own shape (RFC 2225): nothing behind the types is where Ethernet has it.
const HARDWARE_ATM: u16 = 19;

const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// How long a request may wait for its reply.
const WINDOW_NS: i64 = 10_000_000_000;
/// Requests remembered; beyond it the oldest are forgotten.
const MAX_REQUESTS: usize = 1 << 16;

fn claims(packet: &Packet<'_>) -> bool {
    let kind = match packet.llc {
        Some(Llc::Snap { pid, .. }) if packet.ether_type.is_none() => Some(pid),
        _ => packet.ether_type,
    };
    // ARCNET has numbers of its own for it (RFC 1051, RFC 1201), which the layers tell.
    matches!(kind, Some(ETHER_TYPE_ARP | ETHER_TYPE_RARP)) || kind.is_none() && packet.layers.contains(&Layer::Arp)
}

/// Who asked whom. Probes all ask from 0.0.0.0, so theirs are told apart by hardware address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Question {
    vlan_id: Option<u16>,
    asked: Ipv4Addr,
    asker: Ipv4Addr,
    prober: Option<Mac>,
}

impl Question {
    fn new(vlan_id: Option<u16>, asked: Ipv4Addr, asker: Ipv4Addr, asker_mac: Option<Mac>) -> Self {
        Self { vlan_id, asked, asker, prober: asker_mac.filter(|_| asker.is_unspecified()) }
    }
}

/// Requests of the last ten seconds.
#[derive(Default)]
struct Dissector {
    /// Frame and time of the latest request.
    open: FxHashMap<Question, (u64, i64)>,
    /// The same in order of arrival, to forget them by.
    order: VecDeque<(Question, u64, i64)>,
}

impl Dissector {
    fn asked(&mut self, question: Question, frame: u64, ts: i64) {
        while let Some(&(oldest, its_frame, its_ts)) = self.order.front() {
            if self.order.len() < MAX_REQUESTS && ts.saturating_sub(its_ts) <= WINDOW_NS {
                break;
            }
            self.order.pop_front();
            if self.open.get(&oldest).is_some_and(|(latest, _)| *latest == its_frame) {
                self.open.remove(&oldest);
            }
        }
        self.open.insert(question, (frame, ts));
        self.order.push_back((question, frame, ts));
    }

    fn request_of(&self, question: &Question, ts: i64) -> Option<(u64, i64)> {
        let (frame, asked_at) = *self.open.get(question)?;
        let waited = ts.saturating_sub(asked_at);
        (0..=WINDOW_NS).contains(&waited).then_some((frame, waited))
    }
}

/// The four addresses, as far as they are an Ethernet's and IPv4's.
#[derive(Default)]
struct Addresses {
    sender_mac: Option<Mac>,
    sender_ip: Option<Ipv4Addr>,
    target_mac: Option<Mac>,
    target_ip: Option<Ipv4Addr>,
    /// Everything the lengths promise is there.
    whole: bool,
}

impl Addresses {
    fn read(wire: &mut Reader<'_>, hardware_len: u8, protocol_len: u8, ethernet: bool, ipv4: bool) -> Self {
        let mut addresses = Self::default();
        let mac = |wire: &mut Reader<'_>| {
            let octets: Option<[u8; 6]> = wire.take(hardware_len.into()).ok()?.try_into().ok();
            Some(octets.filter(|_| ethernet).map(Mac))
        };
        let ip = |wire: &mut Reader<'_>| {
            let octets: Option<[u8; 4]> = wire.take(protocol_len.into()).ok()?.try_into().ok();
            Some(octets.filter(|_| ipv4).map(Ipv4Addr::from))
        };
        let mut all = || {
            addresses.sender_mac = mac(wire)?;
            addresses.sender_ip = ip(wire)?;
            addresses.target_mac = mac(wire)?;
            addresses.target_ip = ip(wire)?;
            Some(())
        };
        addresses.whole = all().is_some();
        addresses
    }

    /// The use a request or reply is put to (RFC 5227 for probes and announcements).
    fn kind(&self, opcode: u16, broadcast: Option<bool>) -> Option<&'static str> {
        let own = self.sender_ip.is_some() && self.sender_ip == self.target_ip;
        match opcode {
            REQUEST if self.sender_ip.is_some_and(|ip| ip.is_unspecified()) => Some("probe"),
            REQUEST if own => Some("announcement"),
            REQUEST if broadcast == Some(false) => Some("unicast_request"),
            REQUEST => Some("request"),
            REPLY if own => Some("gratuitous"),
            REPLY => Some("reply"),
            _ => None,
        }
    }
}

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let mut wire = Reader::new(packet.payload);
        let mut header = || Some((wire.be_u16().ok()?, wire.be_u16().ok()?, wire.u8().ok()?, wire.u8().ok()?, wire.be_u16().ok()?));
        let Some((hardware_type, protocol_type, hardware_len, protocol_len, opcode)) = header() else {
            cx.anomaly("arp", "truncated_header", "shorter than its eight fixed octets");
            return Outcome::Decoded;
        };
        if hardware_type == HARDWARE_ATM {
            cx.emit(Arp {
                hardware_type: Some(hardware_type),
                protocol_type: Some(protocol_type),
                opcode: Some(opcode),
                operation: Some(&operation(opcode)),
                vlan_id: packet.vlan_id,
                ..Default::default()
            });
            return Outcome::Decoded;
        }
        let ethernet_ipv4 = hardware_len == 6 && protocol_len == 4;
        if HARDWARE_ETHERNET.contains(&hardware_type) && protocol_type == ETHER_TYPE_IPV4 && !ethernet_ipv4 {
            cx.anomaly("arp", "bad_length", "Ethernet and IPv4, yet the address lengths are not 6 and 4");
        }
        let ethernet = HARDWARE_ETHERNET.contains(&hardware_type);
        let addresses = Addresses::read(&mut wire, hardware_len, protocol_len, ethernet, protocol_type == ETHER_TYPE_IPV4);
        if !addresses.whole {
            cx.anomaly("arp", "truncated_header", "the frame ends before the addresses do");
        }
        let kind = addresses.kind(opcode, packet.dst_mac.map(Mac::is_group));

        let mut solicited = None;
        let mut request = None;
        if let (Some(sender), Some(target)) = (addresses.sender_ip, addresses.target_ip) {
            if opcode == REQUEST {
                self.asked(Question::new(packet.vlan_id, target, sender, addresses.sender_mac), cx.frame, cx.ts);
            } else if kind == Some("reply") {
                request = self.request_of(&Question::new(packet.vlan_id, sender, target, addresses.target_mac), cx.ts);
                solicited = Some(request.is_some());
            }
        }
        cx.emit(Arp {
            hardware_type: Some(hardware_type),
            protocol_type: Some(protocol_type),
            hardware_len: Some(hardware_len),
            protocol_len: Some(protocol_len),
            opcode: Some(opcode),
            operation: Some(&operation(opcode)),
            sender_mac: addresses.sender_mac,
            sender_ip: addresses.sender_ip.map(IpAddr::V4),
            target_mac: addresses.target_mac,
            target_ip: addresses.target_ip.map(IpAddr::V4),
            kind,
            solicited,
            request_frame: request.map(|(frame, _)| frame),
            response_time_ms: request.map(|(_, waited)| waited as f64 / 1e6),
            sender_mac_matches_frame: addresses.sender_mac.zip(packet.src_mac).map(|(sender, frame)| sender == frame),
            trailer_bytes: addresses.whole.then(|| trailer(wire.rest(), packet.trailer)),
            vlan_id: packet.vlan_id,
        });
        Outcome::Decoded
    }
}

/// Length of what follows the message, unless it is nothing but zeros.
fn trailer(rest: &[u8], padding: &[u8]) -> u32 {
    let zeros = rest.iter().chain(padding).all(|octet| *octet == 0);
    let length = rest.len().saturating_add(padding.len());
    if zeros { 0 } else { u32::try_from(length).unwrap_or(u32::MAX) }
}

/// IANA's names, in snake case.
fn operation(opcode: u16) -> std::borrow::Cow<'static, str> {
    match opcode {
        REQUEST => "request",
        REPLY => "reply",
        3 => "rarp_request",
        4 => "rarp_reply",
        8 => "inarp_request",
        9 => "inarp_reply",
        10 => "nak",
        _ => return format!("opcode-{opcode}").into(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const B: Mac = Mac([2, 0, 0, 0, 0, 2]);

    fn ip(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, last)
    }

    #[test]
    fn addresses_by_their_lengths() {
        let bytes = [2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2, 0xee];
        let mut wire = Reader::new(&bytes);
        let addresses = Addresses::read(&mut wire, 6, 4, true, true);
        assert!(addresses.whole);
        assert_eq!((addresses.sender_mac, addresses.sender_ip), (Some(A), Some(ip(1))));
        assert_eq!((addresses.target_mac, addresses.target_ip), (Some(Mac([0; 6])), Some(ip(2))));
        assert_eq!(trailer(wire.rest(), &[0, 0]), 3);
        assert_eq!(trailer(&[], &[0, 0]), 0);

        let addresses = Addresses::read(&mut Reader::new(&bytes), 7, 3, true, true);
        assert_eq!((addresses.whole, addresses.sender_mac, addresses.sender_ip), (true, None, None));
        assert!(!Addresses::read(&mut Reader::new(&bytes), 255, 4, true, true).whole);
    }

    #[test]
    fn kinds() {
        let kind = |sender, target, opcode, broadcast| {
            Addresses { sender_ip: Some(sender), target_ip: Some(target), ..Addresses::default() }.kind(opcode, Some(broadcast))
        };
        assert_eq!(kind(ip(1), ip(2), REQUEST, true), Some("request"));
        assert_eq!(kind(ip(1), ip(2), REQUEST, false), Some("unicast_request"));
        assert_eq!(kind(ip(1), ip(1), REQUEST, true), Some("announcement"));
        assert_eq!(kind(Ipv4Addr::UNSPECIFIED, ip(2), REQUEST, true), Some("probe"));
        assert_eq!(kind(ip(1), ip(1), REPLY, true), Some("gratuitous"));
        assert_eq!(kind(ip(1), ip(2), REPLY, false), Some("reply"));
        assert_eq!(kind(ip(1), ip(2), 8, true), None);
    }

    #[test]
    fn requests_wait_ten_seconds() {
        let mut dissector = Dissector::default();
        dissector.asked(Question::new(None, ip(2), ip(1), Some(A)), 1, 0);
        let reply = Question::new(None, ip(2), ip(1), Some(A));
        assert_eq!(dissector.request_of(&reply, 5_453_000), Some((1, 5_453_000)));
        assert_eq!(dissector.request_of(&reply, WINDOW_NS + 1), None);
        assert_eq!(dissector.request_of(&Question::new(Some(5), ip(2), ip(1), Some(A)), 1), None);

        dissector.asked(Question::new(None, ip(9), Ipv4Addr::UNSPECIFIED, Some(A)), 2, 2 * WINDOW_NS);
        assert_eq!(dissector.open.len(), 1);
        assert_eq!(dissector.request_of(&Question::new(None, ip(9), Ipv4Addr::UNSPECIFIED, Some(B)), 2 * WINDOW_NS), None);
    }
}
