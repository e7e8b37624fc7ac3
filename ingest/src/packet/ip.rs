//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers.

use std::net::IpAddr;

use etherparse::Ipv4HeaderSlice;

use super::{Fragment, Ip, Layer, Transport, Walk, transport};
use crate::wire::{Malformed, Reader, Wire};

/// Extension headers followed in one packet.
const MAX_EXTENSIONS: usize = 12;

/// Starts at an IP header of either version.
#[inline]
pub fn start<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => v4(walk, bytes),
        Some(6) => v6(walk, bytes),
        _ => {
            walk.done(bytes);
            Ok(())
        }
    }
}

/// Bytes of `total` that are there, and those behind them; what the capture cut off stays counted.
#[inline]
fn bounded<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8], total: usize) -> &'a [u8] {
    match bytes.split_at_checked(total) {
        Some((inside, behind)) => {
            walk.cut = 0;
            walk.packet.trailer = behind;
            inside
        }
        None => {
            let missing = (total - bytes.len()) as u32;
            if missing > walk.cut {
                walk.anomaly("ip", "bad_length", "the IP header promises more bytes than the frame has");
            }
            walk.cut = walk.cut.min(missing);
            bytes
        }
    }
}

fn v4<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let Ok(header) = Ipv4HeaderSlice::from_slice(bytes) else {
        walk.anomaly("ip", "truncated_header", "the frame ends inside the IPv4 header, or the header's length is wrong");
        walk.done(bytes);
        return Ok(());
    };
    let header_len = usize::from(header.ihl()) * 4;
    let total = match usize::from(header.total_len()) {
        // Segmentation offload: the capturing host had not filled it in yet.
        0 => bytes.len() + walk.cut as usize,
        total if total < header_len => {
            walk.anomaly("ip", "bad_length", "the IPv4 total length is shorter than the header");
            header_len
        }
        total => total,
    };
    walk.layer(Layer::Ip);
    let inside = bounded(walk, bytes, total);
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
        depth: walk.depth,
    });
    let payload = inside.get(header_len..).unwrap_or_default();
    if is_fragment {
        walk.packet.transport = Transport::Fragment;
        walk.done(payload);
        return Ok(());
    }
    let wire_len = (total - header_len) as u32;
    transport::start(walk, proto, payload, wire_len);
    Ok(())
}

/// The Internet checksum (RFC 1071) of bytes that include their checksum: zero if it is right.
pub fn checksum(bytes: &[u8]) -> u16 {
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

fn v6<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let (Ok(first), Ok(length), Ok(next), Ok(ttl), Ok(src), Ok(dst)) =
        (reader.be_u32(), reader.be_u16(), reader.u8(), reader.u8(), reader.array::<16>(), reader.array::<16>())
    else {
        walk.anomaly("ip", "truncated_header", "the frame ends inside the IPv6 header");
        walk.done(bytes);
        return Ok(());
    };
    walk.layer(Layer::Ipv6);
    let class = (first >> 20 & 0xff) as u8;
    let payload_len = match usize::from(length) {
        // A jumbogram, or segmentation offload.
        0 => reader.len() + walk.cut as usize,
        length => length,
    };
    let inside = bounded(walk, reader.rest(), payload_len);
    let mut ip = Ip {
        src: IpAddr::from(src),
        dst: IpAddr::from(dst),
        version: 6,
        proto: next,
        ttl,
        id: None,
        dscp: class >> 2,
        ecn: class & 3,
        len: (payload_len + 40) as u32,
        checksum_ok: None,
        fragment: None,
        depth: walk.depth,
    };
    let outcome = extensions(&mut ip, inside);
    walk.packet.ip = Some(ip);
    let Ok(used) = outcome else {
        walk.anomaly("ip", "truncated_header", "the frame ends inside an IPv6 extension header");
        walk.packet.transport = Transport::OtherIp;
        walk.done(&[]);
        return Ok(());
    };
    let payload = inside.get(used..).unwrap_or_default();
    if ip.fragment.is_some() {
        walk.packet.transport = Transport::Fragment;
        walk.done(payload);
        return Ok(());
    }
    transport::start(walk, ip.proto, payload, payload_len.saturating_sub(used) as u32);
    Ok(())
}

/// Passes the extension headers; gives their length. `ip.proto` becomes the upper-layer protocol.
fn extensions(ip: &mut Ip, bytes: &[u8]) -> Wire<usize> {
    let mut reader = Reader::new(bytes);
    for _ in 0..MAX_EXTENSIONS {
        match ip.proto {
            // Hop-by-hop, routing, destination options, mobility, HIP, shim6: length in units of eight octets less one.
            0 | 43 | 60 | 135 | 139 | 140 => {
                let next = reader.u8()?;
                let length = usize::from(reader.u8()?) * 8 + 6;
                if matches!(ip.proto, 135 | 139 | 140) && next == 59 {
                    return Ok(bytes.len() - reader.len() - 2);
                }
                reader.skip(length)?;
                ip.proto = next;
            }
            // Authentication: length in units of four octets less two.
            51 => {
                let next = reader.u8()?;
                let length = usize::from(reader.u8()?) * 4 + 6;
                reader.skip(length)?;
                ip.proto = next;
            }
            44 => {
                let next = reader.u8()?;
                reader.skip(1)?;
                let place = reader.be_u16()?;
                let id = reader.be_u32()?;
                ip.proto = next;
                let fragment = Fragment { id, offset: u32::from(place & 0xfff8), more: place & 1 == 1 };
                // An atomic fragment (RFC 6946) is whole.
                if fragment.offset > 0 || fragment.more {
                    ip.fragment = Some(fragment);
                    break;
                }
            }
            _ => break,
        }
    }
    bytes.len().checked_sub(reader.len()).ok_or(Malformed)
}
