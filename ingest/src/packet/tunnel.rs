//! Tunnels: GRE and its kin, and those that ride on UDP.
//!
//! A tunnel is followed only where its header and the start of its content agree; else the bytes stay the payload of what
//! carries them.

use super::{Gre, Layer, Tunnel, Walk, ip, link, wlan};
use crate::wire::{Malformed, Reader, Wire};

/// The shortest Ethernet frame of which anything can be told.
const ETHERNET_HEADER: usize = 14;
/// Entries followed in lists of GRE's and GTP's headers.
const MAX_ENTRIES: usize = 16;

/// GRE (RFC 2784, 2890), enhanced GRE (RFC 2637), NVGRE (RFC 7637), ERSPAN, WCCP's redirection.
pub fn gre<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    walk.layer(Layer::Gre);
    match carried_by_gre(walk, payload, false) {
        Some(outcome) => outcome,
        None => {
            walk.done(payload);
            Ok(())
        }
    }
}

/// Outcome of trying a tunnel: `None` if the bytes are not one.
type Tried = Option<Wire<()>>;

fn carried_by_gre<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8], over_udp: bool) -> Tried {
    let mut reader = Reader::new(payload);
    let flags = reader.be_u16().ok()?;
    let protocol = reader.be_u16().ok()?;
    let has_sequence = flags & 0x1000 != 0;
    match flags & 7 {
        0 => {
            // Checksum and offset, key, sequence number.
            reader.skip(if flags & 0xc000 != 0 { 4 } else { 0 }).ok()?;
            let key = if flags & 0x2000 != 0 { Some(reader.be_u32().ok()?) } else { None };
            reader.skip(if has_sequence { 4 } else { 0 }).ok()?;
            if flags & 0x4000 != 0 {
                source_route(&mut reader)?;
            }
            note_gre(walk, payload, Gre { protocol, key, over_udp, ..Gre::NONE });
        }
        // PPTP: PPP in packets that are numbered and acknowledged.
        1 if protocol == 0x880b => {
            let length = usize::from(reader.be_u16().ok()?);
            let optional = [true, has_sequence, flags & 0x0080 != 0];
            reader.skip(optional.iter().filter(|present| **present).count() * 4 - 2).ok()?;
            let frame = reader.rest();
            note_gre(walk, payload, Gre { version: 1, protocol, over_udp, ..Gre::NONE });
            return enter_ppp(walk, Tunnel::Gre, None, frame.get(..length.min(frame.len()))?);
        }
        _ => return None,
    }
    // Cisco MetaData: behind GRE, unlike behind Ethernet, what it carries is named first.
    let mut protocol = protocol;
    if protocol == 0x8909 {
        protocol = reader.be_u16().ok()?;
        reader.skip(6).ok()?;
    }
    let body = reader.rest();
    match protocol {
        0x0800 => enter_ip(walk, Tunnel::Gre, None, body, Some(4)),
        0x86dd => enter_ip(walk, Tunnel::Gre, None, body, Some(6)),
        0x6558 => enter_frame(walk, Tunnel::Gre, None, body),
        0x8847 | 0x8848 => enter_mpls(walk, Tunnel::Gre, body),
        0x880b => enter_ppp(walk, Tunnel::Gre, None, body),
        // WCCP version 2 puts four octets before the redirected packet, version 1 none.
        0x883e if body.first().is_some_and(|first| first >> 4 == 4) => enter_ip(walk, Tunnel::Gre, None, body, Some(4)),
        0x883e => enter_ip(walk, Tunnel::Gre, None, body.get(4..)?, Some(4)),
        0x88be | 0x22eb => erspan(walk, protocol, has_sequence, body),
        // ARP and network service headers; 0x2000 is CDP, as over Cisco HDLC.
        0x0806 | 0x894f | 0x2000 if body.len() >= 8 && walk.enter(Tunnel::Gre) => Some(link::ether_type(walk, protocol, Reader::new(body))),
        _ => None,
    }
}

/// Keeps the outermost header. Addresses and length are those of the packet.
fn note_gre(walk: &mut Walk<'_, '_>, payload: &[u8], header: Gre) {
    if walk.packet.gre.is_none()
        && let Some(ip) = walk.packet.ip
    {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).saturating_add(walk.cut);
        walk.packet.gre = Some(Gre { src: ip.src, dst: ip.dst, length, ..header });
    }
}

/// Source route entries (RFC 1701): address family, offset, length; all zero ends them.
fn source_route(reader: &mut Reader<'_>) -> Option<()> {
    for _ in 0..MAX_ENTRIES {
        let (family, _offset, length) = (reader.be_u16().ok()?, reader.u8().ok()?, reader.u8().ok()?);
        if family == 0 && length == 0 {
            return Some(());
        }
        reader.skip(usize::from(length)).ok()?;
    }
    None
}

/// ERSPAN: type I has no header, type II one of 8 octets, type III one of 12 and perhaps 8 more for the platform.
fn erspan<'a>(walk: &mut Walk<'_, 'a>, protocol: u16, has_sequence: bool, body: &'a [u8]) -> Tried {
    let version = body.first().map(|first| first >> 4);
    match (protocol, has_sequence, version) {
        (0x88be, false, _) => enter_frame(walk, Tunnel::Erspan, Some(Layer::Erspan), body),
        (0x88be, true, Some(1)) => enter_frame(walk, Tunnel::Erspan, Some(Layer::Erspan), body.get(8..)?),
        (0x22eb, _, Some(2)) => {
            let [high, low] = *body.get(10..)?.first_chunk::<2>()?;
            let frame = body.get(if low & 1 != 0 { 20 } else { 12 }..)?;
            match high >> 2 & 0x1f {
                0 => enter_frame(walk, Tunnel::Erspan, Some(Layer::Erspan), frame),
                2 => enter_ip(walk, Tunnel::Erspan, Some(Layer::Erspan), frame, None),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Follows a tunnel in a UDP payload; false if there is none.
#[inline]
pub fn over_udp<'a>(walk: &mut Walk<'_, 'a>, src_port: u16, dst_port: u16, body: &'a [u8]) -> bool {
    is_tunnel_port(src_port, dst_port) && try_over_udp(walk, src_port, dst_port, body)
}

/// A UDP datagram between these ports may carry a tunnel.
#[inline]
pub fn is_tunnel_port(src_port: u16, dst_port: u16) -> bool {
    matches!(dst_port, 1701 | 2152 | 3544 | 4754 | 4789 | 4790 | 5247 | 6081 | 6635 | 8472) || matches!(src_port, 1701 | 2152 | 3544 | 5247)
}

fn try_over_udp<'a>(walk: &mut Walk<'_, 'a>, src_port: u16, dst_port: u16, body: &'a [u8]) -> bool {
    let outcome = match (dst_port, src_port) {
        (4789 | 8472, _) => vxlan(walk, body),
        (4790, _) => vxlan_gpe(walk, body),
        (6081, _) => geneve(walk, body),
        (6635, _) => enter_mpls(walk, Tunnel::Mpls, body),
        // RFC 8086. What cannot be followed may be anything on this port.
        (4754, _) => {
            let before = walk.packet.gre;
            let outcome = carried_by_gre(walk, body, true);
            if outcome.is_none() {
                walk.packet.gre = before;
            }
            outcome
        }
        (2152, _) | (_, 2152) => gtp(walk, body),
        (3544, _) | (_, 3544) => teredo(walk, body),
        (1701, _) | (_, 1701) => l2tp(walk, body),
        (5247, _) | (_, 5247) => capwap(walk, body),
        _ => None,
    };
    if let Some(Err(Malformed)) = outcome {
        walk.anomaly("udp", "truncated_header", "the packet ends inside what its tunnel carries");
        walk.done(&[]);
    }
    outcome.is_some()
}

fn enter_frame<'a>(walk: &mut Walk<'_, 'a>, tunnel: Tunnel, layer: Option<Layer>, frame: &'a [u8]) -> Tried {
    if frame.len() < ETHERNET_HEADER || !walk.enter(tunnel) {
        return None;
    }
    layer.into_iter().for_each(|layer| walk.layer(layer));
    Some(link::ethernet(walk, frame))
}

fn enter_ip<'a>(walk: &mut Walk<'_, 'a>, tunnel: Tunnel, layer: Option<Layer>, packet: &'a [u8], version: Option<u8>) -> Tried {
    let is_right = version.is_none_or(|version| packet.first().is_some_and(|first| first >> 4 == version));
    if !is_right || !ip::plausible(packet, walk.cut) || !walk.enter(tunnel) {
        return None;
    }
    layer.into_iter().for_each(|layer| walk.layer(layer));
    Some(ip::start(walk, packet))
}

/// PPP frames that carry IP; those that set the link up are left to whoever reads the tunnel's own protocol.
fn enter_ppp<'a>(walk: &mut Walk<'_, 'a>, tunnel: Tunnel, layer: Option<Layer>, frame: &'a [u8]) -> Tried {
    let (protocol, packet) = link::ppp_protocol(frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame))?;
    let is_followed = match protocol {
        0x0021 | 0x0057 => ip::plausible(packet, walk.cut),
        0x0281 | 0x0283 => is_mpls(packet),
        _ => false,
    };
    if !is_followed || !walk.enter(tunnel) {
        return None;
    }
    layer.into_iter().for_each(|layer| walk.layer(layer));
    Some(link::ppp_framed(walk, frame))
}

fn enter_mpls<'a>(walk: &mut Walk<'_, 'a>, tunnel: Tunnel, body: &'a [u8]) -> Tried {
    (is_mpls(body) && walk.enter(tunnel)).then(|| link::mpls(walk, Reader::new(body)))
}

/// A label stack that ends, and something behind it.
pub fn is_mpls(bytes: &[u8]) -> bool {
    let (entries, _) = bytes.as_chunks::<4>();
    entries.iter().take(MAX_ENTRIES).position(|[_, _, bottom, _]| bottom & 1 != 0).is_some_and(|at| bytes.len() > (at + 1) * 4)
}

/// RFC 7348: the I flag and a reserved octet of zero.
fn vxlan<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    match body {
        [flags, _, _, _, _, _, _, 0, frame @ ..] if flags & 0x08 != 0 => enter_frame(walk, Tunnel::Vxlan, Some(Layer::Vxlan), frame),
        _ => None,
    }
}

/// VXLAN with a next-protocol field (draft-ietf-nvo3-vxlan-gpe).
fn vxlan_gpe<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    match body {
        [flags, _, _, next, _, _, _, _, inner @ ..] if flags & 0x08 != 0 => match next {
            1 => enter_ip(walk, Tunnel::Vxlan, Some(Layer::Vxlan), inner, Some(4)),
            2 => enter_ip(walk, Tunnel::Vxlan, Some(Layer::Vxlan), inner, Some(6)),
            3 => enter_frame(walk, Tunnel::Vxlan, Some(Layer::Vxlan), inner),
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
        0x6558 => enter_frame(walk, Tunnel::Geneve, Some(Layer::Geneve), reader.rest()),
        0x0800 => enter_ip(walk, Tunnel::Geneve, Some(Layer::Geneve), reader.rest(), Some(4)),
        0x86dd => enter_ip(walk, Tunnel::Geneve, Some(Layer::Geneve), reader.rest(), Some(6)),
        _ => None,
    }
}

/// GTP-U (3GPP TS 29.281, 5): version 1, message type 255 carries a user's packet.
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
        while extension != 0 && flags & 4 != 0 && followed < MAX_ENTRIES {
            let length = usize::from(reader.u8().ok()?) * 4;
            reader.skip(length.checked_sub(2)?).ok()?;
            extension = reader.u8().ok()?;
            followed += 1;
        }
    }
    enter_ip(walk, Tunnel::Gtp, Some(Layer::Gtp), reader.rest(), None)
}

/// RFC 4380, 5.1.1: authentication and origin may stand before the IPv6 packet.
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
    enter_ip(walk, Tunnel::Teredo, Some(Layer::Teredo), reader.rest(), Some(6))
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
    enter_ppp(walk, Tunnel::L2tp, Some(Layer::L2tp), reader.rest())
}

/// CAPWAP data (RFC 5415, 4.3): whole frames in clear text, of IEEE 802.3 or of 802.11; some controllers exchange the octets
/// of the latter's frame control field.
fn capwap<'a>(walk: &mut Walk<'_, 'a>, body: &'a [u8]) -> Tried {
    let [0x00, high, low, flags, ..] = *body else { return None };
    let (length, binding) = (usize::from(high >> 3) * 4, low >> 1 & 0x1f);
    let (is_native, is_fragment, is_keep_alive) = (low & 1 != 0, flags & 0x80 != 0, flags & 0x08 != 0);
    let frame = body.get(length..).filter(|_| length >= 8 && !is_fragment && !is_keep_alive)?;
    if !is_native {
        return enter_frame(walk, Tunnel::Capwap, Some(Layer::Capwap), frame);
    }
    let is_swapped = !wlan::is_clear_data(frame, false);
    if binding != 1 || (is_swapped && !wlan::is_clear_data(frame, true)) || !walk.enter(Tunnel::Capwap) {
        return None;
    }
    walk.layer(Layer::Capwap);
    Some(wlan::shaped(walk, frame, wlan::Shape { is_swapped, ..wlan::Shape::default() }))
}

#[cfg(test)]
mod tests {
    use super::super::{Packet, Transport, Tunnel, decode};

    const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

    fn v4(proto: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0];
        packet.extend((20 + payload.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, proto, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        packet.extend(payload);
        packet
    }

    fn udp(src: u16, dst: u16, parts: &[&[u8]]) -> Vec<u8> {
        let payload = parts.concat();
        let mut datagram = [src.to_be_bytes(), dst.to_be_bytes(), (8 + payload.len() as u16).to_be_bytes(), [0, 0]].concat();
        datagram.extend(payload);
        v4(17, &datagram)
    }

    fn ping() -> Vec<u8> {
        v4(1, &[8, 0, 0, 0])
    }

    fn ping6() -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, 4, 58, 64];
        packet.extend([0; 32]);
        packet.extend([128, 0, 0, 0]);
        packet
    }

    fn seen(bytes: &[u8]) -> Packet<'_> {
        decode(228, bytes, bytes.len() as u32, 0)
    }

    fn reaches_ping(bytes: &[u8], tunnel: Tunnel) -> bool {
        let packet = seen(bytes);
        matches!(packet.transport, Transport::Icmp { kind: 8 | 128, .. })
            && packet.tunnels[..2] == [tunnel, Tunnel::None]
            && packet.outer == Some(([192, 0, 2, 1].into(), [192, 0, 2, 2].into()))
            && packet.anomalies.is_empty()
    }

    #[test]
    fn gre_with_all_its_options() {
        assert!(reaches_ping(&v4(47, &[&[0, 0, 8, 0][..], &ping()].concat()), Tunnel::Gre));
        let keyed = v4(47, &[&[0xb0, 0, 8, 0, 1, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1][..], &ping()].concat());
        assert!(reaches_ping(&keyed, Tunnel::Gre));
        let gre = seen(&keyed).gre.map(|gre| (gre.src.to_string(), gre.protocol, gre.key, gre.length, gre.over_udp));
        assert_eq!(gre, Some(("192.0.2.1".to_owned(), 0x0800, Some(9), 40, false)));
        assert!(reaches_ping(&v4(47, &[&[0, 0, 0x65, 0x58][..], &MACS, &[8, 0], &ping()].concat()), Tunnel::Gre));
        assert!(reaches_ping(&v4(47, &[&[0, 0, 0x88, 0x47, 0, 1, 1, 64][..], &ping()].concat()), Tunnel::Gre));
        assert!(reaches_ping(
            &v4(47, &[&[0x30, 0x81, 0x88, 0x0b, 0, 28, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21][..], &ping()].concat()),
            Tunnel::Gre
        ));
        assert!(reaches_ping(&v4(47, &[&[0, 0, 0x89, 0x09, 8, 0, 1, 1, 0, 1, 0, 5][..], &ping()].concat()), Tunnel::Gre));
        assert!(reaches_ping(&v4(47, &[&[0, 0, 0x88, 0x3e, 0, 0, 0, 72][..], &ping()].concat()), Tunnel::Gre));
    }

    #[test]
    fn gre_that_carries_nothing_we_follow_is_a_payload() {
        let bytes = v4(47, &[0, 0, 0, 0]);
        let packet = seen(&bytes);
        assert!(matches!(packet.transport, Transport::OtherIp) && packet.outer.is_none() && packet.payload == [0, 0, 0, 0]);
    }

    #[test]
    fn erspan_of_three_types() {
        let frame = [&MACS[..], &[8, 0], &ping()].concat();
        assert!(reaches_ping(&v4(47, &[&[0, 0, 0x88, 0xbe][..], &frame].concat()), Tunnel::Erspan));
        assert!(reaches_ping(&v4(47, &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 0][..], &frame].concat()), Tunnel::Erspan));
        let third = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(reaches_ping(&v4(47, &[&third[..], &frame].concat()), Tunnel::Erspan));
    }

    #[test]
    fn udp_tunnels() {
        let frame = [&MACS[..], &[8, 0], &ping()].concat();
        assert!(reaches_ping(&udp(40000, 4789, &[&[8, 0, 0, 0, 0, 0, 1, 0], &frame]), Tunnel::Vxlan));
        assert!(reaches_ping(&udp(40000, 4790, &[&[0x0c, 0, 0, 1, 0, 0, 1, 0], &ping()]), Tunnel::Vxlan));
        assert!(reaches_ping(&udp(40000, 6081, &[&[1, 0, 0x65, 0x58, 0, 0, 1, 0, 0, 0, 0, 0], &frame]), Tunnel::Geneve));
        assert!(reaches_ping(&udp(2152, 2152, &[&[0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0], &ping()]), Tunnel::Gtp));
        assert!(reaches_ping(&udp(3544, 40000, &[&[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0, 0, 1, 2, 3, 4, 5, 6], &ping6()]), Tunnel::Teredo));
        assert!(reaches_ping(&udp(1701, 1701, &[&[0x02, 2, 0, 1, 0, 1, 0, 0, 0xff, 3, 0, 0x21], &ping()]), Tunnel::L2tp));
        assert!(reaches_ping(&udp(40000, 4754, &[&[0, 0, 8, 0], &ping()]), Tunnel::Gre));
        assert!(reaches_ping(&udp(40000, 6635, &[&[0, 1, 1, 64], &ping()]), Tunnel::Mpls));
        let mut wireless = vec![0x00, 0x10, 0x03, 0, 0, 0, 0, 0, 0x11, 0x08, 0, 0];
        wireless.extend([2; 20]);
        wireless.extend([0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
        assert!(reaches_ping(&udp(40000, 5247, &[&wireless, &ping()]), Tunnel::Capwap));
    }

    #[test]
    fn what_only_has_the_port_stays_a_payload() {
        for (port, payload) in [
            (4789, &[0u8; 40][..]),
            (3544, b"GET / HTTP/1.1\r\nHost: example\r\n\r\n........"),
            (1701, &[0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]),
            (2152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let bytes = udp(40000, port, &[payload]);
            let packet = seen(&bytes);
            assert!(matches!(packet.transport, Transport::Udp { .. }) && packet.outer.is_none() && packet.payload == payload);
        }
    }
}
