//! Which frames belong together, at a glance.
//!
//! Frames are shared out over workers so that everything that must be seen together meets in one of them: both directions
//! of all that two hosts say to each other, all fragments of a datagram, the discovery protocols whose questions and answers
//! go to different addresses, and everything between the outer ends of a tunnel. A tunnel is known by its outer ends, not
//! by what is in it, because fragments of the carrying packets show nothing else: by its inner ends, a conversation of which
//! some packets were fragmented on the way would be torn apart.

use std::hash::Hasher as _;
use std::net::IpAddr;

use pcapper_schema::Mac;
use rustc_hash::FxHasher;

use super::{Layer, Llc, Packet, Transport, decode, tunnel};

/// What sharding needs to know of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peek {
    /// Equal for frames that must meet.
    pub key: u64,
}

/// Looks at a frame.
#[inline]
pub fn peek(link_type: u16, bytes: &[u8]) -> Peek {
    let key = if link_type == 1 { ethernet(bytes) } else { None };
    Peek { key: key.unwrap_or_else(|| slowly(link_type, bytes)) }
}

/// Ordinary Ethernet frames, without a full decode. It must find what [`slowly`] finds.
#[inline]
fn ethernet(bytes: &[u8]) -> Option<u64> {
    let mut tail = bytes.get(12..)?;
    let mut kind = u16::from_be_bytes(*tail.first_chunk()?);
    for _ in 0..2 {
        if matches!(kind, 0x8100 | 0x88a8) {
            tail = tail.get(4..)?;
            kind = u16::from_be_bytes(*tail.first_chunk()?);
        }
    }
    let packet = tail.get(2..)?;
    match kind {
        0x0800 => {
            let header = packet.first_chunk::<20>()?;
            let header_len = usize::from(header[0] & 15) * 4;
            if header[0] >> 4 != 4 || !(20..=packet.len()).contains(&header_len) {
                return None;
            }
            let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
            let (src, dst) = ([header[12], header[13], header[14], header[15]], [header[16], header[17], header[18], header[19]]);
            let ports = match header[9] {
                _ if fragment => None,
                1 | 2 | 6 => None,
                17 => Some(ordinary_ports(packet.get(header_len..)?)?),
                _ => return None,
            };
            Some(between(IpAddr::from(src), IpAddr::from(dst), ports))
        }
        0x86dd => {
            let header = packet.first_chunk::<40>()?;
            let (src, rest) = packet.get(8..)?.split_first_chunk::<16>()?;
            let dst = rest.first_chunk::<16>()?;
            if header[0] >> 4 != 6 {
                return None;
            }
            // Extension headers may hide a fragment or the ports.
            let ports = match header[6] {
                6 | 58 => None,
                17 => Some(ordinary_ports(packet.get(40..)?)?),
                _ => return None,
            };
            Some(between(IpAddr::from(*src), IpAddr::from(*dst), ports))
        }
        _ => None,
    }
}

/// Ports of a UDP header that is all there and has nothing to do with tunnels.
#[inline]
fn ordinary_ports(bytes: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d, ..] = *bytes.first_chunk::<8>()?;
    let (src, dst) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    (!tunnel::is_tunnel_port(src, dst)).then_some((src, dst))
}

/// The key of an IP packet; `ports` of unfragmented UDP only.
#[inline]
fn between(src: IpAddr, dst: IpAddr, ports: Option<(u16, u16)>) -> u64 {
    if let Some(discovery) = ports.and_then(|(a, b)| discovery(a).or_else(|| discovery(b))) {
        return hashed(&[1, discovery]);
    }
    if is_group(dst) || is_group(src) {
        let (high, low) = words(if is_group(dst) { dst } else { src });
        return hashed(&[2, high, low]);
    }
    let (first, second) = if src <= dst { (words(src), words(dst)) } else { (words(dst), words(src)) };
    hashed(&[3, first.0, first.1, second.0, second.1])
}

/// Protocols whose answers come from elsewhere than the questions went to.
#[inline]
fn discovery(port: u16) -> Option<u64> {
    match port {
        67 | 68 => Some(67),
        546 | 547 => Some(546),
        137 | 138 | 1900 | 3702 | 5353 | 5355 => Some(u64::from(port)),
        _ => None,
    }
}

#[inline]
fn is_group(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

#[inline]
fn words(ip: IpAddr) -> (u64, u64) {
    match ip {
        IpAddr::V4(v4) => (0, u64::from(v4.to_bits())),
        IpAddr::V6(v6) => ((v6.to_bits() >> 64) as u64, v6.to_bits() as u64),
    }
}

#[inline]
fn hashed(words: &[u64]) -> u64 {
    let mut hasher = FxHasher::default();
    for word in words {
        hasher.write_u64(*word);
    }
    // The low bits choose the worker: let all bits have their say in them.
    let hash = hasher.finish();
    hash ^ hash >> 32 ^ hash >> 17
}

/// Everything else: decoded to see.
fn slowly(link_type: u16, bytes: &[u8]) -> u64 {
    let packet = decode(link_type, bytes, bytes.len() as u32, 0);
    let ports = match packet.transport {
        Transport::None => return below_ip(&packet),
        Transport::Udp { src_port, dst_port, .. } => Some((src_port, dst_port)),
        _ => None,
    };
    match (packet.outer, packet.ip) {
        (Some((src, dst)), _) => between(src, dst, ports),
        (None, Some(ip)) => between(ip.src, ip.dst, ports),
        (None, None) => below_ip(&packet),
    }
}

/// The key of a frame that has no IP packet, or none that can be read, in its innermost frame.
pub fn below_ip(packet: &Packet<'_>) -> u64 {
    // ARP: question and answer name the same two addresses, whoever they are sent to.
    if packet.layers.contains(&Layer::Arp)
        && let Some((sender, target)) = arp_addresses(packet.payload)
    {
        return hashed(&[4, u64::from(sender.min(target)), u64::from(sender.max(target))]);
    }
    // PROFINET's stations answer by themselves what all were asked: question and answers must meet.
    let is_dcp = packet.ether_type == Some(0x8892) && matches!(packet.payload, [0xfe, 0xfc..=0xff, ..]);
    if let (Some(src), Some(dst)) = (packet.src_mac, packet.dst_mac)
        && !dst.is_group()
        && !is_dcp
    {
        let (src, dst) = (number(src), number(dst));
        return hashed(&[5, src.min(dst), src.max(dst)]);
    }
    let kind = match (packet.ether_type, packet.llc) {
        _ if is_dcp => 1 << 51,
        (Some(kind), _) => u64::from(kind),
        (None, Some(Llc::Snap { oui, pid })) => u64::from(oui) << 16 | u64::from(pid) | 1 << 48,
        (None, Some(Llc::Sap { dsap, .. })) => u64::from(dsap) | 1 << 49,
        (None, None) => 1 << 50,
    };
    hashed(&[6, kind])
}

fn number(Mac([a, b, c, d, e, f]): Mac) -> u64 {
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// Sender's and target's IPv4 addresses of an ARP message (RFC 826), behind hardware addresses of any length.
fn arp_addresses(payload: &[u8]) -> Option<(u32, u32)> {
    let [_, _, 0x08, 0x00, hardware, 4, _, _, addresses @ ..] = payload else { return None };
    let hardware = usize::from(*hardware);
    let sender = addresses.get(hardware..)?.first_chunk::<4>()?;
    let target = addresses.get(hardware * 2 + 4..)?.first_chunk::<4>()?;
    Some((u32::from_be_bytes(*sender), u32::from_be_bytes(*target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

    fn v4(src: u8, dst: [u8; 4], proto: u8, fragment: [u8; 2], payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 20 + payload.len() as u8, 0, 1, fragment[0], fragment[1], 64, proto, 0, 0, 10, 0, 0, src];
        packet.extend(dst);
        packet.extend(payload);
        packet
    }

    fn frame(packet: &[u8]) -> Vec<u8> {
        [&MACS[..], &[8, 0], packet].concat()
    }

    fn udp(src_port: u16, dst_port: u16) -> Vec<u8> {
        [src_port.to_be_bytes(), dst_port.to_be_bytes(), [0, 8], [0, 0]].concat()
    }

    fn key(bytes: &[u8]) -> u64 {
        let key = peek(1, bytes).key;
        assert_eq!(key, slowly(1, bytes));
        key
    }

    #[test]
    fn both_directions_and_fragments_meet() {
        let question = key(&frame(&v4(1, [10, 0, 0, 2], 17, [0, 0], &udp(1000, 53))));
        assert_eq!(question, key(&frame(&v4(2, [10, 0, 0, 1], 17, [0, 0], &udp(53, 1000)))));
        assert_eq!(question, key(&frame(&v4(2, [10, 0, 0, 1], 17, [0x20, 0], &udp(53, 1000)))));
        assert_eq!(question, key(&frame(&v4(2, [10, 0, 0, 1], 17, [0, 9], &[67, 68, 69]))));
        assert_eq!(question, key(&[&MACS[..], &[0x81, 0, 0, 5, 8, 0], &v4(1, [10, 0, 0, 2], 6, [0, 0], &[])].concat()));
        assert_ne!(question, key(&frame(&v4(1, [10, 0, 0, 3], 17, [0, 0], &udp(1000, 53)))));
    }

    #[test]
    fn discovery_and_groups_meet_whatever_the_sender() {
        let discover = key(&frame(&v4(0, [255; 4], 17, [0, 0], &udp(68, 67))));
        assert_eq!(discover, key(&frame(&v4(9, [10, 0, 0, 7], 17, [0, 0], &udp(67, 68)))));
        let group = key(&frame(&v4(1, [224, 0, 0, 5], 89, [0, 0], &[])));
        assert_eq!(group, key(&frame(&v4(2, [224, 0, 0, 5], 89, [0, 0], &[]))));
        assert_ne!(group, key(&frame(&v4(2, [224, 0, 0, 6], 89, [0, 0], &[]))));
    }

    #[test]
    fn tunnels_meet_their_own_fragments() {
        let inner = v4(7, [10, 9, 9, 9], 1, [0, 0], &[8, 0, 0, 0]);
        let whole = key(&frame(&v4(1, [10, 0, 0, 2], 4, [0, 0], &inner)));
        assert_eq!(whole, key(&frame(&v4(2, [10, 0, 0, 1], 4, [0, 3], &inner))));
    }

    #[test]
    fn arp_goes_by_the_addresses_asked_and_told() {
        let arp = |dst: [u8; 6], sender: u8, target: u8| {
            [&dst[..], &[2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &[0; 6], &[10, 0, 0, sender], &[0; 6], &[10, 0, 0, target]].concat()
        };
        assert_eq!(key(&arp([0xff; 6], 1, 2)), key(&arp([2, 0, 0, 0, 0, 1], 2, 1)));
    }

    #[test]
    fn other_frames_go_by_stations_or_by_kind() {
        let other = |dst: u8, src: u8, kind: u8| [&[dst, 0, 0, 0, 0, 1][..], &[src, 0, 0, 0, 0, 2, 0x88, kind]].concat();
        assert_eq!(key(&other(1, 2, 0xb8)), key(&other(3, 6, 0xb8)));
        assert_ne!(key(&other(1, 2, 0xb8)), key(&other(1, 2, 0xba)));
        assert_eq!(key(&[&MACS[..], &[0x88, 0xb8]].concat()), key(&[&MACS[6..], &MACS[..6], &[0x88, 0xba]].concat()));
    }
}
