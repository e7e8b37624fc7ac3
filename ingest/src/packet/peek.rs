//! Which frames belong together, at a glance.
//!
//! Frames are shared out over workers so that everything that must be seen together meets in one of them: both directions
//! of all that two hosts say to each other, all fragments of a datagram, a tunnel's whole content (by the tunnel's outer
//! ends), and the discovery protocols whose questions and answers go to different addresses.

use std::hash::Hasher as _;
use std::net::IpAddr;

use rustc_hash::FxHasher;

use super::{Layer, Llc, Transport, decode};

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

/// Ordinary Ethernet frames, without a full decode.
#[inline]
fn ethernet(bytes: &[u8]) -> Option<u64> {
    let mut at = 12;
    let mut kind = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    if kind == 0x8100 {
        at += 4;
        kind = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    }
    let packet = bytes.get(at + 2..)?;
    match kind {
        0x0800 => {
            let header = packet.first_chunk::<20>()?;
            if header[0] >> 4 != 4 {
                return None;
            }
            let proto = header[9];
            let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
            let (src, dst) = ([header[12], header[13], header[14], header[15]], [header[16], header[17], header[18], header[19]]);
            let ports = if proto == 17 && !fragment { ports(packet.get(usize::from(header[0] & 15) * 4..)?) } else { None };
            Some(between(IpAddr::from(src), IpAddr::from(dst), ports))
        }
        0x86dd => {
            let header = packet.first_chunk::<40>()?;
            let (src, rest) = packet.get(8..)?.split_first_chunk::<16>()?;
            let dst = rest.first_chunk::<16>()?;
            // Extension headers may hide a fragment or the ports.
            match header[6] {
                6 | 58 => Some(between(IpAddr::from(*src), IpAddr::from(*dst), None)),
                17 => Some(between(IpAddr::from(*src), IpAddr::from(*dst), ports(packet.get(40..)?))),
                _ => None,
            }
        }
        _ => None,
    }
}

fn ports(bytes: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = *bytes.first_chunk::<4>()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// The key of an IP packet; `ports` of unfragmented UDP only.
fn between(src: IpAddr, dst: IpAddr, ports: Option<(u16, u16)>) -> u64 {
    if let Some((a, b)) = ports
        && let Some(discovery) = discovery(a).or_else(|| discovery(b))
    {
        return hashed(&[1, discovery]);
    }
    if group(dst) {
        return hashed(&[2, number(dst), number(dst) >> 64]);
    }
    if group(src) {
        return hashed(&[2, number(src), number(src) >> 64]);
    }
    let (low, high) = if src <= dst { (src, dst) } else { (dst, src) };
    hashed(&[3, number(low), number(low) >> 64, number(high), number(high) >> 64])
}

/// Protocols whose answers come from elsewhere than the questions went to.
fn discovery(port: u16) -> Option<u128> {
    match port {
        67 | 68 => Some(67),
        546 | 547 => Some(546),
        137 | 138 | 1900 | 3702 | 5353 | 5355 => Some(u128::from(port)),
        _ => None,
    }
}

fn group(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn hashed(words: &[u128]) -> u64 {
    let mut hasher = FxHasher::default();
    for &word in words {
        hasher.write_u64(word as u64);
    }
    // The low bits choose the worker: let all bits have their say in them.
    let hash = hasher.finish();
    hash ^ hash >> 32 ^ hash >> 17
}

/// Everything else: decoded to see.
fn slowly(link_type: u16, bytes: &[u8]) -> u64 {
    let packet = decode(link_type, bytes, bytes.len() as u32, 0);
    if let Some((src, dst)) = packet.outer {
        return between(src, dst, None);
    }
    if let Some(ip) = &packet.ip {
        let ports = match packet.transport {
            Transport::Udp { src_port, dst_port, .. } => Some((src_port, dst_port)),
            _ => None,
        };
        return between(ip.src, ip.dst, ports);
    }
    // ARP: question and answer name the same two addresses, whoever they are sent to.
    if packet.layers.contains(&Layer::Arp)
        && let Some((sender, target)) = arp_addresses(packet.payload)
    {
        let (low, high) = if sender <= target { (sender, target) } else { (target, sender) };
        return hashed(&[4, u128::from(low), u128::from(high)]);
    }
    let kind = match (packet.ether_type, packet.llc) {
        (Some(kind), _) => u128::from(kind),
        (None, Some(Llc::Snap { oui, pid })) => u128::from(oui) << 16 | u128::from(pid) | 1 << 48,
        (None, Some(Llc::Sap { dsap, .. })) => u128::from(dsap) | 1 << 49,
        (None, None) => 1 << 50,
    };
    let mac = |mac: pcapper_schema::Mac| mac.0.iter().fold(0u128, |number, octet| number << 8 | u128::from(*octet));
    match (packet.src_mac, packet.dst_mac) {
        (Some(src), Some(dst)) if !dst.is_group() => {
            let (low, high) = (mac(src).min(mac(dst)), mac(src).max(mac(dst)));
            hashed(&[5, low, high])
        }
        _ => hashed(&[6, kind]),
    }
}

/// Sender's and target's IPv4 addresses of an ARP message.
fn arp_addresses(payload: &[u8]) -> Option<(u32, u32)> {
    let sender = payload.get(14..)?.first_chunk::<4>()?;
    let target = payload.get(24..)?.first_chunk::<4>()?;
    Some((u32::from_be_bytes(*sender), u32::from_be_bytes(*target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_meet() {
        let (a, b) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        assert_eq!(between(a, b, Some((1000, 53))), between(b, a, Some((53, 1000))));
        assert_ne!(between(a, b, None), between(a, "10.0.0.3".parse().unwrap(), None));
    }

    #[test]
    fn discovery_meets_whatever_the_addresses() {
        let (a, b, group) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap(), "224.0.0.252".parse().unwrap());
        assert_eq!(between(a, group, Some((50_000, 5355))), between(b, a, Some((5355, 50_000))));
    }
}
