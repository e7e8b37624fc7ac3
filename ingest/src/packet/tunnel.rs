//! Tunnels: GRE and its kin, and those that ride on UDP.
//!
//! A UDP tunnel is followed only where port and content agree; else the bytes stay an ordinary payload.

use super::{Layer, Transport, Tunnel, Walk, ip, link};
use crate::wire::{Malformed, Reader, Wire};

/// GRE (RFC 2784, 2890), enhanced GRE (RFC 2637), NVGRE (RFC 7637), ERSPAN.
pub fn gre<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let flags = reader.be_u16()?;
    let protocol = reader.be_u16()?;
    walk.layer(Layer::Gre);
    let sequence = flags & 0x1000 != 0;
    match flags & 7 {
        0 => {
            if flags & 0xc000 != 0 {
                reader.skip(4)?;
            }
            if flags & 0x2000 != 0 {
                reader.skip(4)?;
            }
            if sequence {
                reader.skip(4)?;
            }
        }
        1 => {
            let length = usize::from(reader.be_u16()?);
            reader.skip(2)?;
            if sequence {
                reader.skip(4)?;
            }
            if flags & 0x0080 != 0 {
                reader.skip(4)?;
            }
            let body = reader.rest();
            if protocol != 0x880b || length == 0 || !walk.enter(Tunnel::Gre) {
                walk.done(body);
                return Ok(());
            }
            return link::ppp_framed(walk, body.get(..length.min(body.len())).unwrap_or_default());
        }
        _ => {
            walk.done(reader.rest());
            return Ok(());
        }
    }
    let body = reader.rest();
    match protocol {
        0x0800 | 0x86dd if !body.is_empty() => {
            if walk.enter(Tunnel::Gre) {
                return ip::start(walk, body);
            }
        }
        0x6558 if body.len() >= 14 => {
            if walk.enter(Tunnel::Gre) {
                walk.packet.transport = Transport::None;
                return link::ethernet(walk, body);
            }
        }
        0x8847 | 0x8848 => {
            if walk.enter(Tunnel::Gre) {
                return link::mpls(walk, Reader::new(body));
            }
        }
        0x880b => {
            if walk.enter(Tunnel::Gre) {
                return link::ppp_framed(walk, body);
            }
        }
        0x88be | 0x22eb => return erspan(walk, protocol, sequence, body),
        _ => {}
    }
    walk.done(body);
    Ok(())
}

/// ERSPAN I (no header), II (8 octets) and III (12, and 8 more with a platform header).
fn erspan<'a>(walk: &mut Walk<'_, 'a>, protocol: u16, sequence: bool, body: &'a [u8]) -> Wire<()> {
    walk.layer(Layer::Erspan);
    let header = match protocol {
        0x88be if !sequence => 0,
        0x88be => 8,
        _ => 12 + if body.get(11).is_some_and(|flags| flags & 1 != 0) { 8 } else { 0 },
    };
    let frame = body.get(header..).ok_or(Malformed)?;
    if frame.len() < 14 || !walk.enter(Tunnel::Erspan) {
        walk.done(body);
        return Ok(());
    }
    walk.packet.transport = Transport::None;
    link::ethernet(walk, frame)
}

/// Follows a tunnel in a UDP payload; false if there is none.
pub fn over_udp<'a>(walk: &mut Walk<'_, 'a>, src_port: u16, dst_port: u16, body: &'a [u8]) -> bool {
    let outcome = match dst_port {
        4789 | 8472 => vxlan(walk, body),
        4790 => vxlan_gpe(walk, body),
        6081 => geneve(walk, body),
        6635 => mpls(walk, body),
        2152 => gtp(walk, body),
        _ if src_port == 2152 => gtp(walk, body),
        _ if src_port == 3544 || dst_port == 3544 => teredo(walk, body),
        _ if src_port == 1701 || dst_port == 1701 => l2tp(walk, body),
        _ => return false,
    };
    match outcome {
        Some(Ok(())) => true,
        Some(Err(Malformed)) => {
            walk.anomaly("udp", "truncated_header", "the packet ends inside what its tunnel carries");
            walk.done(&[]);
            true
        }
        None => false,
    }
}

/// Outcome of trying a tunnel: `None` if the bytes are not one.
type Tried = Option<Wire<()>>;

fn enter_frame<'a>(walk: &mut Walk<'_, 'a>, tunnel: Tunnel, layer: Layer, frame: &'a [u8]) -> Tried {
    if frame.len() < 14 || !walk.enter(tunnel) {
        return None;
    }
    walk.layer(layer);
    walk.packet.transport = Transport::None;
    Some(link::ethernet(walk, frame))
}

fn enter_ip<'a>(walk: &mut Walk<'_, 'a>, tunnel: Tunnel, layer: Layer, packet: &'a [u8]) -> Tried {
    if !matches!(packet.first().map(|first| first >> 4), Some(4 | 6)) || !walk.enter(tunnel) {
        return None;
    }
    walk.layer(layer);
    Some(ip::start(walk, packet))
}

/// RFC 7348: the I flag and a reserved octet of zero.
fn vxlan<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    match body {
        [flags, _, _, _, _, _, _, 0, frame @ ..] if flags & 0x08 != 0 => enter_frame(walk, Tunnel::Vxlan, Layer::Vxlan, frame),
        _ => None,
    }
}

/// VXLAN with a next-protocol field (draft-ietf-nvo3-vxlan-gpe).
fn vxlan_gpe<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    match body {
        [flags, _, _, next, _, _, _, _, inner @ ..] if flags & 0x08 != 0 => match next {
            1 | 2 => enter_ip(walk, Tunnel::Vxlan, Layer::Vxlan, inner),
            3 => enter_frame(walk, Tunnel::Vxlan, Layer::Vxlan, inner),
            _ => None,
        },
        _ => None,
    }
}

/// RFC 8926: version 0, options, then an EtherType's payload.
fn geneve<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    let mut reader = Reader::new(body);
    let first = reader.u8().ok()?;
    if first >> 6 != 0 {
        return None;
    }
    reader.skip(1).ok()?;
    let protocol = reader.be_u16().ok()?;
    reader.skip(4 + usize::from(first & 0x3f) * 4).ok()?;
    match protocol {
        0x6558 => enter_frame(walk, Tunnel::Geneve, Layer::Geneve, reader.rest()),
        0x0800 | 0x86dd => enter_ip(walk, Tunnel::Geneve, Layer::Geneve, reader.rest()),
        _ => None,
    }
}

fn mpls<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    if body.len() < 4 || !walk.enter(Tunnel::Mpls) {
        return None;
    }
    Some(link::mpls(walk, Reader::new(body)))
}

/// GTP-U (3GPP TS 29.281): version 1, message type 255 carries a user's packet.
fn gtp<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    let mut reader = Reader::new(body);
    let flags = reader.u8().ok()?;
    let kind = reader.u8().ok()?;
    if flags & 0xf0 != 0x30 || kind != 255 {
        return None;
    }
    reader.skip(6).ok()?;
    if flags & 7 != 0 {
        reader.skip(3).ok()?;
        let mut extension = reader.u8().ok()?;
        let mut followed = 0;
        while extension != 0 && flags & 4 != 0 && followed < 16 {
            let length = usize::from(reader.u8().ok()?) * 4;
            reader.skip(length.checked_sub(2)?).ok()?;
            extension = reader.u8().ok()?;
            followed += 1;
        }
    }
    enter_ip(walk, Tunnel::Gtp, Layer::Gtp, reader.rest())
}

/// RFC 4380: authentication and origin may stand before the IPv6 packet.
fn teredo<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    let mut reader = Reader::new(body);
    if reader.peek().starts_with(&[0, 1]) {
        reader.skip(2).ok()?;
        let (id, auth) = (usize::from(reader.u8().ok()?), usize::from(reader.u8().ok()?));
        reader.skip(id + auth + 9).ok()?;
    }
    if reader.peek().starts_with(&[0, 0]) {
        reader.skip(8).ok()?;
    }
    let packet = reader.rest();
    let length = usize::from(u16::from_be_bytes(*packet.get(4..)?.first_chunk::<2>()?));
    let fits = packet.first()? >> 4 == 6 && packet.len() >= 40 && length <= packet.len() + walk.cut as usize - 40;
    if fits { enter_ip(walk, Tunnel::Teredo, Layer::Teredo, packet) } else { None }
}

/// L2TP version 2 data messages (RFC 2661, 3.1): PPP inside.
fn l2tp<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    let mut reader = Reader::new(body);
    let flags = reader.be_u16().ok()?;
    if flags & 0x000f != 2 || flags & 0x8000 != 0 {
        return None;
    }
    if flags & 0x4000 != 0 {
        reader.skip(2).ok()?;
    }
    reader.skip(4).ok()?;
    if flags & 0x0800 != 0 {
        reader.skip(4).ok()?;
    }
    if flags & 0x0200 != 0 {
        let pad = usize::from(reader.be_u16().ok()?);
        reader.skip(pad).ok()?;
    }
    if !walk.enter(Tunnel::L2tp) {
        return None;
    }
    walk.layer(Layer::L2tp);
    Some(link::ppp_framed(walk, reader.rest()))
}
