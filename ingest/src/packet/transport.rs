//! Transport headers, and the tunnels that IP carries directly.

use super::{Layer, Tcp, Transport, Tunnel, Walk, ip, link, tunnel};
use crate::wire::{Reader, Wire};

const SYN: u16 = 2;

/// Starts at the payload of an IP packet.
#[inline]
pub fn start<'a>(walk: &mut Walk<'_, 'a>, proto: u8, payload: &'a [u8]) {
    walk.packet.transport = Transport::OtherIp;
    let outcome = match proto {
        6 => tcp(walk, payload),
        17 => udp(walk, payload),
        _ => other(walk, proto, payload),
    };
    if outcome.is_err() {
        walk.anomaly("ip", "truncated_header", "the packet ends inside its transport header");
        walk.done(&[]);
    }
}

fn other<'a>(walk: &mut Walk<'_, 'a>, proto: u8, payload: &'a [u8]) -> Wire<()> {
    match proto {
        1 => return icmp(walk, payload, Layer::Icmp),
        58 => return icmp(walk, payload, Layer::Icmp6),
        132 => return sctp(walk, payload),
        51 => return authenticated(walk, payload),
        47 => return tunnel::gre(walk, payload),
        4 => return inner_ip(walk, payload, 4, Tunnel::Ipip),
        41 => {
            let is_in_v4 = walk.packet.ip.as_ref().is_some_and(|ip| ip.version == 4);
            return inner_ip(walk, payload, 6, if is_in_v4 { Tunnel::SixInFour } else { Tunnel::Ipip });
        }
        // EtherIP (RFC 3378): version 3, then a frame.
        97 => {
            if let [0x30, 0, frame @ ..] = payload
                && frame.len() >= 14
                && walk.enter(Tunnel::EtherIp)
            {
                return link::ethernet(walk, frame);
            }
        }
        // MPLS in IP (RFC 4023).
        137 if tunnel::is_mpls(payload) && walk.enter(Tunnel::Mpls) => return link::mpls(walk, Reader::new(payload)),
        2 => walk.layer(Layer::Igmp),
        50 => walk.layer(Layer::Esp),
        89 => walk.layer(Layer::Ospf),
        _ => {}
    }
    walk.done(payload);
    Ok(())
}

/// AH before an IPv4 payload (RFC 4302); in IPv6 it is one of the extension headers.
fn authenticated<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    walk.layer(Layer::Ah);
    let mut reader = Reader::new(payload);
    let next = reader.u8()?;
    let length = usize::from(reader.u8()?) * 4 + 6;
    reader.skip(length)?;
    // Nothing authenticates itself twice: a loop of such headers ends here.
    if next == 51 {
        walk.done(reader.rest());
        return Ok(());
    }
    if let Some(ip) = &mut walk.packet.ip {
        ip.proto = next;
    }
    start(walk, next, reader.rest());
    Ok(())
}

/// IP directly in IP (RFC 2003, RFC 2473, RFC 4213).
fn inner_ip<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8], version: u8, kind: Tunnel) -> Wire<()> {
    let is_right = payload.first().is_some_and(|first| first >> 4 == version);
    if is_right && walk.enter(kind) {
        return ip::start(walk, payload);
    }
    walk.done(payload);
    Ok(())
}

/// RFC 9293, 3.1.
#[inline]
fn tcp<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let (src_port, dst_port) = (reader.be_u16()?, reader.be_u16()?);
    let (seq, ack) = (reader.be_u32()?, reader.be_u32()?);
    let offset_and_flags = reader.be_u16()?;
    let (window, checksum, urgent) = (reader.be_u16()?, reader.be_u16()?, reader.be_u16()?);
    let header_len = usize::from(offset_and_flags >> 12) * 4;
    let mut header = Tcp {
        src_port,
        dst_port,
        seq,
        ack,
        flags: offset_and_flags & 0x0fff,
        window,
        checksum,
        urgent,
        header_len: header_len as u8,
        ..Tcp::default()
    };
    walk.layer(Layer::Tcp);
    let lacking = header_len.saturating_sub(payload.len());
    if header_len < 20 || lacking > walk.cut as usize {
        walk.anomaly("tcp", "bad_length", "the TCP header length is impossible");
        header.header_len = 0;
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
    // Where the capture cut the options, all of the data is missing.
    walk.cut = walk.cut.saturating_sub(lacking as u32);
    walk.done(payload.get(header_len..).unwrap_or_default());
    Ok(())
}

/// Options that the analysis of the connection needs; others are passed, and one of impossible length ends the list.
fn read_options(header: &mut Tcp, mut options: &[u8]) {
    loop {
        options = match options {
            [] | [0, ..] => return,
            [1, rest @ ..] => rest,
            [kind, length, rest @ ..] => {
                let Some((value, behind)) = usize::from(*length).checked_sub(2).and_then(|length| rest.split_at_checked(length)) else { return };
                match (*kind, value) {
                    (2, [high, low]) => header.mss = Some(u16::from_be_bytes([*high, *low])),
                    (3, [shift]) if header.flags & SYN != 0 => header.window_scale = Some(*shift),
                    (4, []) => header.sack_permitted = true,
                    (5, [_, ..]) => header.sack = true,
                    (8, [a, b, c, d, e, f, g, h]) => {
                        header.timestamps = Some((u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h])));
                    }
                    (19, _) => header.authentication = Some("md5"),
                    (29, _) => header.authentication = Some("ao"),
                    _ => {}
                }
                behind
            }
            [_] => return,
        };
    }
}

/// RFC 768.
#[inline]
fn udp<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let (src_port, dst_port) = (reader.be_u16()?, reader.be_u16()?);
    let (length, checksum) = (usize::from(reader.be_u16()?), reader.be_u16()?);
    walk.layer(Layer::Udp);
    walk.packet.transport = Transport::Udp { src_port, dst_port, checksum };
    let body = match length {
        // A jumbogram (RFC 2675), or an offloaded datagram.
        0 => reader.rest(),
        1..8 => {
            walk.anomaly("udp", "bad_length", "the UDP length is shorter than the header");
            walk.cut = 0;
            &[]
        }
        _ => walk.bounded(reader.rest(), length - 8, "udp").0,
    };
    if !tunnel::over_udp(walk, src_port, dst_port, body) {
        walk.done(body);
    }
    Ok(())
}

/// RFC 9260, 3.1; the payload is the chunks.
fn sctp<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let (src_port, dst_port) = (reader.be_u16()?, reader.be_u16()?);
    reader.skip(8)?;
    walk.layer(Layer::Sctp);
    walk.packet.transport = Transport::Sctp { src_port, dst_port };
    walk.done(reader.rest());
    Ok(())
}

/// ICMP (RFC 792) and ICMPv6 (RFC 4443): the payload keeps type and code.
fn icmp<'a>(walk: &mut Walk<'_, 'a>, payload: &'a [u8], layer: Layer) -> Wire<()> {
    let mut reader = Reader::new(payload);
    let (kind, code) = (reader.u8()?, reader.u8()?);
    walk.layer(layer);
    walk.packet.transport = Transport::Icmp { kind, code };
    walk.done(payload);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, Packet, Transport, Tunnel, decode};
    use super::*;

    fn v4(proto: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0];
        packet.extend((20 + payload.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, proto, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        packet.extend(payload);
        packet
    }

    fn tcp_of(packet: &Packet<'_>) -> Tcp {
        match packet.transport {
            Transport::Tcp(header) => header,
            _ => panic!("not TCP"),
        }
    }

    #[test]
    fn tcp_options_past_unknown_and_bad_ones() {
        let mut segment = vec![0, 80, 4, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0xd1, 0x02, 0xff, 0xff, 0, 0, 0, 0];
        // Unknown, MSS, SACK permitted, scale, timestamps.
        segment.extend([77, 4, 9, 9, 2, 4, 5, 0xb4, 4, 2, 3, 3, 7, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4, 1, 1, 1, 3, 0, 1, 1, 1, 1]);
        segment.push(0xaa);
        let bytes = v4(6, &segment);
        let packet = decode(228, &bytes, bytes.len() as u32, 0);
        let header = tcp_of(&packet);
        assert_eq!((header.mss, header.sack_permitted, header.window_scale, header.timestamps), (Some(1460), true, Some(7), Some((3, 4))));
        assert_eq!((header.seq, header.ack, header.flags, header.header_len, packet.payload), (1, 2, 0x102, 52, &[0xaa][..]));
        assert!(packet.anomalies.is_empty());
        // The capture ends among the options: the data is known to be there.
        let packet = decode(228, &bytes[..50], bytes.len() as u32, 0);
        assert_eq!((tcp_of(&packet).mss, packet.payload_len, packet.anomalies.len()), (Some(1460), 1, 0));
    }

    #[test]
    fn tcp_header_longer_than_the_packet() {
        let bytes = v4(6, &[0, 80, 4, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
        let packet = decode(228, &bytes, bytes.len() as u32, 0);
        assert_eq!((tcp_of(&packet).dst_port, packet.anomalies[0].kind, packet.payload_len), (1024, "bad_length", 0));
    }

    #[test]
    fn udp_length_against_ip_length() {
        let payload = |length: u8| v4(17, &[0, 7, 0, 9, 0, length, 0, 0, 1, 2, 3]);
        let seen = |length: u8| {
            let bytes = payload(length);
            let packet = decode(228, &bytes, bytes.len() as u32, 0);
            (packet.payload.len(), packet.payload_len, packet.anomalies.len())
        };
        assert_eq!((seen(11), seen(9), seen(0), seen(12), seen(4)), ((3, 3, 0), (1, 1, 0), (3, 3, 0), (3, 3, 1), (0, 0, 1)));
    }

    #[test]
    fn ip_in_ip_keeps_the_outermost_addresses() {
        let bytes = v4(4, &v4(4, &v4(1, &[8, 0, 0, 0])));
        let packet = decode(228, &bytes, bytes.len() as u32, 0);
        assert_eq!((packet.tunnels[..3].to_vec(), packet.ip.unwrap().depth), (vec![Tunnel::Ipip, Tunnel::Ipip, Tunnel::None], 2));
        assert_eq!(packet.outer, Some(([192, 0, 2, 1].into(), [192, 0, 2, 2].into())));
        assert!(matches!(packet.transport, Transport::Icmp { kind: 8, code: 0 }));
    }

    #[test]
    fn tunnels_in_each_other_end_at_eight() {
        let mut bytes = v4(1, &[8, 0, 0, 0]);
        for _ in 0..12 {
            bytes = v4(4, &bytes);
        }
        let packet = decode(228, &bytes, bytes.len() as u32, 0);
        assert_eq!((packet.ip.unwrap().depth, packet.anomalies[0].kind), (8, "limit_reached"));
        assert!(matches!(packet.transport, Transport::OtherIp));
    }

    #[test]
    fn authentication_header_is_passed() {
        let mut ah = vec![1, 4];
        ah.extend([0; 22]);
        ah.extend([8, 0, 0, 0]);
        let bytes = v4(51, &ah);
        let packet = decode(228, &bytes, bytes.len() as u32, 0);
        assert_eq!((packet.ip.unwrap().proto, packet.layers[2], packet.payload.len()), (1, Layer::Ah, 4));
    }
}
