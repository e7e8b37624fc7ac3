//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers.

use std::net::IpAddr;

use etherparse::Ipv4HeaderSlice;

use super::{Fragment, Ip, Layer, Transport, Walk, transport};
use crate::wire::{Malformed, Reader, Wire};

/// Extension headers followed in one packet.
const MAX_EXTENSIONS: usize = 12;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT: u8 = 59;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Starts at an IP header of either version.
#[inline]
pub fn start<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    if !walk.descend(bytes) {
        return Ok(());
    }
    match bytes.first().map(|first| first >> 4) {
        Some(4) => v4(walk, bytes),
        Some(6) => v6(walk, bytes),
        Some(_) => {
            walk.anomaly("ip", "unexpected_state", "neither IPv4 nor IPv6 by its version field");
            walk.done(bytes);
        }
        None => walk.done(bytes),
    }
    Ok(())
}

/// These bytes can be an IP packet of which the frame may lack `cut` bytes: what a tunnel is only followed for.
pub fn plausible(bytes: &[u8], cut: u32) -> bool {
    let there = bytes.len().saturating_add(cut as usize);
    match bytes {
        [first @ 0x45..=0x4f, _, high, low, ..] if bytes.len() >= 20 => {
            let (header, total) = (usize::from(first & 15) * 4, usize::from(u16::from_be_bytes([*high, *low])));
            total == 0 || (header..=there).contains(&total)
        }
        [0x60..=0x6f, _, _, _, high, low, ..] if bytes.len() >= 40 => usize::from(u16::from_be_bytes([*high, *low])) + 40 <= there,
        _ => false,
    }
}

/// What stands behind an IP packet is padding or a trailer of the link's, unless a header further in knows better.
#[inline]
fn inside<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8], length: usize) -> &'a [u8] {
    let (inside, behind) = walk.bounded(bytes, length, "ip");
    if !behind.is_empty() {
        walk.packet.trailer = behind;
    }
    inside
}

fn v4<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) {
    let Ok(header) = Ipv4HeaderSlice::from_slice(bytes) else {
        walk.anomaly("ip", "truncated_header", "the frame ends inside the IPv4 header, or the header's length is wrong");
        walk.done(bytes);
        return;
    };
    let header_len = usize::from(header.ihl()) * 4;
    let total = match usize::from(header.total_len()) {
        // Segmentation offload: the capturing host had not filled it in yet.
        0 => bytes.len().saturating_add(walk.cut as usize),
        total if total < header_len => {
            walk.anomaly("ip", "bad_length", "the IPv4 total length is shorter than the header");
            header_len
        }
        total => total,
    };
    walk.layer(Layer::Ip);
    let inside = inside(walk, bytes, total);
    let offset = u32::from(header.fragments_offset().value()) * 8;
    let more = header.more_fragments();
    let is_fragment = offset > 0 || more;
    let proto = header.protocol().0;
    walk.packet.ip = Some(Ip {
        src: header.source_addr().into(),
        dst: header.destination_addr().into(),
        version: 4,
        proto,
        ttl: header.ttl(),
        id: Some(header.identification()),
        dscp: header.dcp().value(),
        ecn: header.ecn().value(),
        len: total as u32,
        checksum_ok: Some(checksum(header.slice()) == 0),
        fragment: is_fragment.then_some(Fragment { id: u32::from(header.identification()), offset, more }),
        router_alert: !header.options().is_empty() && has_router_alert(header.options()),
        depth: walk.depth,
    });
    let payload = inside.get(header_len..).unwrap_or_default();
    if is_fragment {
        walk.packet.transport = Transport::Fragment;
        walk.done(payload);
        return;
    }
    transport::start(walk, proto, payload);
}

/// The router alert option (RFC 2113, option 148) is among these.
fn has_router_alert(mut options: &[u8]) -> bool {
    loop {
        options = match options {
            [] | [0, ..] => return false,
            [1, rest @ ..] => rest,
            [148, ..] => return true,
            [_, length, ..] if *length >= 2 => options.get(usize::from(*length)..).unwrap_or_default(),
            _ => return false,
        }
    }
}

/// The Internet checksum (RFC 1071) of bytes that include their checksum: zero if it is right.
fn checksum(bytes: &[u8]) -> u16 {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut sum: u64 = pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum();
    if let [last] = odd {
        sum += u64::from(*last) << 8;
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn v6<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) {
    let mut reader = Reader::new(bytes);
    let (Ok(first), Ok(length), Ok(next), Ok(ttl), Ok(src), Ok(dst)) =
        (reader.be_u32(), reader.be_u16(), reader.u8(), reader.u8(), reader.array::<16>(), reader.array::<16>())
    else {
        walk.anomaly("ip", "truncated_header", "the frame ends inside the IPv6 header");
        walk.done(bytes);
        return;
    };
    walk.layer(Layer::Ipv6);
    let class = (first >> 20 & 0xff) as u8;
    let rest = reader.rest();
    let payload_len = match usize::from(length) {
        0 if next == NO_NEXT => 0,
        // Without the option it was segmentation offload: the capturing host had not filled the length in.
        0 => jumbo(next, rest).unwrap_or_else(|| rest.len().saturating_add(walk.cut as usize)),
        length => length,
    };
    let inside = inside(walk, rest, payload_len);
    walk.packet.ip = Some(Ip {
        src: IpAddr::from(src),
        dst: IpAddr::from(dst),
        version: 6,
        proto: next,
        ttl,
        id: None,
        dscp: class >> 2,
        ecn: class & 3,
        len: u32::try_from(payload_len.saturating_add(40)).unwrap_or(u32::MAX),
        checksum_ok: None,
        fragment: None,
        router_alert: false,
        depth: walk.depth,
    });
    datagram(walk, next, inside);
}

/// The jumbo payload option (RFC 2675), which by that standard is alone in its hop-by-hop header.
fn jumbo(next: u8, bytes: &[u8]) -> Option<usize> {
    match bytes {
        [_, _, 0xc2, 4, a, b, c, d, ..] if next == HOP_BY_HOP => usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok(),
        _ => None,
    }
}

/// Goes on behind the fixed header, or at the start of a reassembled payload.
pub fn datagram<'a>(walk: &mut Walk<'_, 'a>, proto: u8, payload: &'a [u8]) {
    let Some(ip) = walk.packet.ip.as_mut().filter(|ip| ip.version == 6) else {
        return transport::start(walk, proto, payload);
    };
    let mut reader = Reader::new(payload);
    let mut fragment = None;
    let outcome = extensions(proto, &mut reader, &mut fragment);
    let Ok((upper, authenticated)) = outcome else {
        walk.anomaly("ip", "truncated_header", "the packet ends inside an IPv6 extension header");
        walk.packet.transport = Transport::OtherIp;
        walk.done(&[]);
        return;
    };
    ip.proto = upper;
    ip.fragment = fragment.or(ip.fragment);
    if authenticated {
        walk.layer(Layer::Ah);
    }
    if fragment.is_some() {
        walk.packet.transport = Transport::Fragment;
        walk.done(reader.rest());
        return;
    }
    transport::start(walk, upper, reader.rest());
}

/// Passes the extension headers from `next` on: what follows them, and whether an authentication header was among them.
fn extensions(mut next: u8, reader: &mut Reader<'_>, fragment: &mut Option<Fragment>) -> Wire<(u8, bool)> {
    let mut authenticated = false;
    for _ in 0..MAX_EXTENSIONS {
        match next {
            // Length in units of eight octets, less one.
            HOP_BY_HOP | ROUTING | DESTINATION => {
                next = reader.u8()?;
                let length = usize::from(reader.u8()?) * 8 + 6;
                reader.skip(length)?;
            }
            // The same shape; where nothing follows, the header is itself the message.
            MOBILITY | HIP | SHIM6 => {
                let Some(&[upper, length]) = reader.peek().first_chunk::<2>() else { return Err(Malformed) };
                if upper == NO_NEXT {
                    break;
                }
                reader.skip(usize::from(length) * 8 + 8)?;
                next = upper;
            }
            // Length in units of four octets, less two.
            AUTHENTICATION => {
                next = reader.u8()?;
                let length = usize::from(reader.u8()?) * 4 + 6;
                reader.skip(length)?;
                authenticated = true;
            }
            FRAGMENT => {
                next = reader.u8()?;
                reader.skip(1)?;
                let place = reader.be_u16()?;
                let id = reader.be_u32()?;
                // An atomic fragment (RFC 6946) is whole.
                if place & 0xfff9 != 0 {
                    *fragment = Some(Fragment { id, offset: u32::from(place & 0xfff8), more: place & 1 == 1 });
                    break;
                }
            }
            _ => break,
        }
    }
    Ok((next, authenticated))
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, Transport, decode, decode_cut_fragment, decode_datagram};
    use super::*;

    fn v6_header(length: u16, next: u8) -> Vec<u8> {
        let mut header = vec![0x6b, 0x80, 0, 0];
        header.extend(length.to_be_bytes());
        header.extend([next, 64]);
        header.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        header.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        header
    }

    #[test]
    fn v4_fields_and_checksum() {
        let mut frame = vec![0x46, 0xb9, 0, 26, 0x12, 0x34, 0x40, 0, 63, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x94, 4, 0, 0, 7, 8, 0, 0];
        let sum = checksum(&frame[..24]);
        frame[10..12].copy_from_slice(&sum.to_be_bytes());
        let packet = decode(228, &frame, 28, 0);
        let ip = packet.ip.unwrap();
        assert_eq!((ip.ttl, ip.id, ip.dscp, ip.ecn, ip.len, ip.checksum_ok), (63, Some(0x1234), 46, 1, 26, Some(true)));
        assert!(ip.router_alert);
        assert_eq!((packet.payload, packet.trailer), (&[7, 8][..], &[0, 0][..]));
        frame[8] = 62;
        assert_eq!(decode(228, &frame, 28, 0).ip.unwrap().checksum_ok, Some(false));
    }

    #[test]
    fn v4_length_of_zero_is_the_capture() {
        let frame = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3];
        let packet = decode(101, &frame, 100, 0);
        assert_eq!((packet.ip.unwrap().len, packet.payload, packet.payload_len), (100, &[1, 2, 3][..], 80));
    }

    #[test]
    fn v6_extensions_lead_to_the_transport() {
        let mut frame = v6_header(8 + 8 + 8, 0);
        frame.extend([44, 0, 1, 4, 0, 0, 0, 0]);
        // An atomic fragment.
        frame.extend([17, 0, 0, 0, 0, 0, 0, 9]);
        frame.extend([0, 53, 0, 99, 0, 8, 0, 0]);
        let packet = decode(229, &frame, frame.len() as u32, 0);
        let ip = packet.ip.unwrap();
        assert_eq!((ip.version, ip.proto, ip.dscp, ip.ecn, ip.id), (6, 17, 46, 0, None));
        assert!(ip.fragment.is_none() && packet.anomalies.is_empty());
        assert!(matches!(packet.transport, Transport::Udp { src_port: 53, dst_port: 99, .. }));
    }

    #[test]
    fn v6_fragments_and_what_they_make() {
        let mut frame = v6_header(8 + 4, 44);
        frame.extend([60, 0, 0x05, 0xa9, 0, 0, 0, 7, 1, 2, 3, 4]);
        let mut packet = decode(229, &frame, frame.len() as u32, 0);
        let fragment = packet.ip.unwrap().fragment.unwrap();
        assert_eq!((fragment.id, fragment.offset, fragment.more, packet.payload), (7, 0x5a8, true, &[1, 2, 3, 4][..]));
        let whole = [17, 0, 1, 4, 0, 0, 0, 0, 0, 53, 0, 99, 0, 9, 0, 0, 0xaa];
        decode_datagram(&mut packet, 60, &whole);
        assert!(matches!(packet.transport, Transport::Udp { src_port: 53, dst_port: 99, .. }));
        assert_eq!((packet.ip.unwrap().proto, packet.payload), (17, &[0xaa][..]));
    }

    #[test]
    fn cut_first_fragment_shows_its_ports() {
        let mut frame = vec![0x45, 0, 0, 60, 0, 7, 0x20, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        frame.extend([0, 53, 0, 99, 0x10, 0, 0, 0, 0xaa]);
        let mut packet = decode(228, &frame, 60, 0);
        assert!(matches!(packet.transport, Transport::Fragment));
        decode_cut_fragment(&mut packet, 17);
        assert!(matches!(packet.transport, Transport::Udp { src_port: 53, dst_port: 99, .. }));
        assert_eq!((packet.payload, packet.payload_len, packet.anomalies.len()), (&[0xaa][..], 32, 0));
    }

    #[test]
    fn v6_jumbo_length_counts() {
        let mut frame = v6_header(0, 0);
        frame.extend([59, 0, 0xc2, 4, 0, 1, 0, 0]);
        let packet = decode(229, &frame, 40 + 0x10000, 0);
        assert_eq!((packet.ip.unwrap().len, packet.payload_len), (40 + 0x10000, 0x10000 - 8));
        assert_eq!(packet.layers[..2], [Layer::Raw, Layer::Ipv6]);
    }
}
