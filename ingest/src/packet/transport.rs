//! Transport headers, and the tunnels that IP carries directly.

use etherparse::{TcpOptionElement, TcpOptionsIterator};

use super::{Layer, Tcp, Transport, Tunnel, Walk, ip, link, tunnel};
use crate::wire::{Reader, Wire};

/// Starts at the payload of an IP packet. `wire_len` is its length by the IP header.
#[inline]
pub fn start<'a>(walk: &mut Walk<'_, 'a>, proto: u8, payload: &'a [u8], wire_len: u32) {
    walk.packet.transport = Transport::OtherIp;
    let outcome = match proto {
        6 => tcp(walk, payload, wire_len),
        17 => udp(walk, payload),
        1 => icmp(walk, payload, Layer::Icmp),
        58 => icmp(walk, payload, Layer::Icmp6),
        132 => sctp(walk, payload),
        2 => other(walk, payload, Layer::Igmp),
        50 => other(walk, payload, Layer::Esp),
        89 => other(walk, payload, Layer::Ospf),
        51 => authenticated(walk, payload),
        4 => inner_ip(walk, payload, Tunnel::Ipip),
        41 => {
            let outer_is_v4 = walk.packet.ip.as_ref().is_some_and(|ip| ip.version == 4);
            inner_ip(walk, payload, if outer_is_v4 { Tunnel::SixInFour } else { Tunnel::Ipip })
        }
        47 => tunnel::gre(walk, payload),
        97 => ether_ip(walk, payload),
        137 => {
            if walk.enter(Tunnel::Mpls) {
                link::mpls(walk, Reader::new(payload))
            } else {
                walk.done(payload);
                Ok(())
            }
        }
        _ => {
            walk.done(payload);
            Ok(())
        }
    };
    if outcome.is_err() {
        walk.anomaly("ip", "truncated_header", "the packet ends inside its transport header");
        walk.done(&[]);
    }
}

fn other<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8], layer: Layer) -> Wire<()> {
    walk.layer(layer);
    walk.done(payload);
    Ok(())
}

/// AH before an IPv4 payload (RFC 4302).
fn authenticated<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    walk.layer(Layer::Ah);
    let mut reader = Reader::new(payload);
    let next = reader.u8()?;
    let length = usize::from(reader.u8()?) * 4 + 6;
    reader.skip(length)?;
    // Nothing carries itself: a loop of such headers ends here.
    if next == 51 {
        walk.done(reader.rest());
        return Ok(());
    }
    if let Some(ip) = &mut walk.packet.ip {
        ip.proto = next;
    }
    let rest = reader.rest();
    let wire_len = (rest.len() as u32).saturating_add(walk.cut);
    start(walk, next, rest, wire_len);
    Ok(())
}

fn inner_ip<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8], kind: Tunnel) -> Wire<()> {
    let plausible = matches!(payload.first().map(|first| first >> 4), Some(4 | 6));
    if !plausible || !walk.enter(kind) {
        walk.done(payload);
        return Ok(());
    }
    ip::start(walk, payload)
}

/// EtherIP (RFC 3378).
fn ether_ip<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    match payload {
        [0x30, 0, frame @ ..] if frame.len() >= 14 => {
            if walk.enter(Tunnel::Ipip) {
                walk.packet.transport = Transport::None;
                return link::ethernet(walk, frame);
            }
            walk.done(payload);
            Ok(())
        }
        _ => {
            walk.done(payload);
            Ok(())
        }
    }
}

#[inline]
fn tcp<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8], wire_len: u32) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let (src_port, dst_port) = (reader.be_u16()?, reader.be_u16()?);
    let (seq, ack) = (reader.be_u32()?, reader.be_u32()?);
    let offset_and_flags = reader.be_u16()?;
    let (window, checksum, urgent) = (reader.be_u16()?, reader.be_u16()?, reader.be_u16()?);
    let header_len = usize::from(offset_and_flags >> 12) * 4;
    let mut header =
        Tcp { src_port, dst_port, seq, ack, flags: offset_and_flags & 0x0fff, window, checksum, urgent, header_len: header_len as u8, ..Tcp::default() };
    walk.layer(Layer::Tcp);
    if header_len < 20 || header_len > wire_len as usize {
        walk.anomaly("tcp", "bad_length", "the TCP header length is impossible");
        walk.packet.transport = Transport::Tcp(header);
        walk.cut = 0;
        walk.done(&[]);
        return Ok(());
    }
    let options = payload.get(20..header_len.min(payload.len())).unwrap_or_default();
    if !options.is_empty() {
        read_options(&mut header, options);
    }
    walk.packet.transport = Transport::Tcp(header);
    match payload.get(header_len..) {
        Some(data) => walk.done(data),
        None => {
            // The capture cut the options: all of the data is missing.
            walk.cut = wire_len - header_len as u32;
            walk.done(&[]);
        }
    }
    Ok(())
}

/// Options that the analysis of the connection needs; a malformed one ends the list.
fn read_options(header: &mut Tcp, options: &[u8]) {
    for element in TcpOptionsIterator::from_slice(options) {
        match element {
            Ok(TcpOptionElement::WindowScale(shift)) => header.window_scale = Some(shift),
            Ok(TcpOptionElement::MaximumSegmentSize(mss)) => header.mss = Some(mss),
            Ok(TcpOptionElement::SelectiveAcknowledgementPermitted) => header.sack_permitted = true,
            Ok(TcpOptionElement::SelectiveAcknowledgement(..)) => header.sack = true,
            Ok(TcpOptionElement::Timestamp(value, echo)) => header.timestamps = Some((value, echo)),
            Ok(TcpOptionElement::Noop) => {}
            // Unknown options end the iterator: those above stand before them in practice.
            Err(_) => break,
        }
    }
}

#[inline]
fn udp<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let (src_port, dst_port) = (reader.be_u16()?, reader.be_u16()?);
    let (length, checksum) = (usize::from(reader.be_u16()?), reader.be_u16()?);
    walk.layer(Layer::Udp);
    walk.packet.transport = Transport::Udp { src_port, dst_port, checksum };
    let body = reader.rest();
    let body = match length {
        // A jumbogram (RFC 2675), or an offloaded datagram.
        0 => body,
        1..8 => {
            walk.anomaly("udp", "bad_length", "the UDP length is shorter than the header");
            body
        }
        _ => match body.split_at_checked(length - 8) {
            Some((inside, _)) => {
                walk.cut = 0;
                inside
            }
            None => {
                walk.cut = walk.cut.min((length - 8 - body.len()) as u32);
                body
            }
        },
    };
    if tunnel::over_udp(walk, src_port, dst_port, body) {
        return Ok(());
    }
    walk.done(body);
    Ok(())
}

fn sctp<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let (src_port, dst_port) = (reader.be_u16()?, reader.be_u16()?);
    reader.skip(8)?;
    walk.layer(Layer::Sctp);
    walk.packet.transport = Transport::Sctp { src_port, dst_port };
    walk.done(reader.rest());
    Ok(())
}

/// ICMP: the payload keeps type and code.
fn icmp<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8], layer: Layer) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let (kind, code) = (reader.u8()?, reader.u8()?);
    walk.layer(layer);
    walk.packet.transport = Transport::Icmp { kind, code };
    walk.done(payload);
    Ok(())
}
