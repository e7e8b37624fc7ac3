//! Ethernet and what shims stand between it and IP: from the frame's first byte to an EtherType, an LLC header or an IP packet.

use pcapper_schema::Mac;

use super::{Layer, Llc, Tunnel, Walk, ip, media, wlan};
use crate::wire::{Reader, Wire};

const VLAN_TYPES: [u16; 5] = [0x8100, 0x88a8, 0x9100, 0x9200, 0x9300];
/// The longest payload that an 802.3 length field can announce; larger numbers are EtherTypes.
const MAX_LENGTH: u16 = 1500;
/// Tags and shims followed in one frame.
const MAX_TAGS: usize = 12;
/// Entries followed in one MPLS label stack.
const MAX_LABELS: usize = 16;
/// Check value behind the user data of a MACsec frame, in its default cipher suites.
const MACSEC_ICV: u8 = 16;

/// Starts at the link header that the capture names.
pub fn start<'a>(walk: &mut Walk<'_, 'a>, link_type: u16, bytes: &'a [u8]) {
    let outcome = match link_type {
        1 => ethernet(walk, bytes),
        0 | 108 => media::loopback(walk, bytes),
        12 | 14 | 101 | 228 | 229 => media::raw(walk, bytes),
        113 => media::cooked(walk, bytes),
        276 => media::cooked2(walk, bytes),
        9 | 50 => ppp_framed(walk, bytes),
        51 => pppoe(walk, bytes),
        104 => media::cisco_hdlc(walk, bytes),
        107 => media::frame_relay(walk, bytes),
        105 => wlan::frame(walk, bytes),
        127 => wlan::radiotap(walk, bytes),
        119 | 163 => wlan::prism_or_avs(walk, bytes),
        192 => wlan::ppi(walk, bytes),
        165 => {
            walk.layer(Layer::MsTp);
            walk.done(bytes);
            Ok(())
        }
        _ => media::rarer(walk, link_type, bytes),
    };
    if outcome.is_err() {
        walk.anomaly("link", "truncated_header", "the frame ends inside its link header");
        walk.done(&[]);
    }
}

/// Ethernet II or IEEE 802.3.
#[inline]
pub fn ethernet<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    if !walk.descend(bytes) {
        return Ok(());
    }
    let mut reader = Reader::new(bytes);
    addresses(walk, &mut reader)?;
    let kind = reader.be_u16()?;
    type_or_length(walk, kind, reader)
}

/// The two addresses that a frame starts with. What an outer frame said of its content is no longer so.
#[inline]
pub fn addresses(walk: &mut Walk<'_, '_>, reader: &mut Reader<'_>) -> Wire<()> {
    let dst = reader.array::<6>()?;
    let src = reader.array::<6>()?;
    walk.packet.dst_mac = Some(Mac(dst));
    walk.packet.src_mac = Some(Mac(src));
    walk.packet.ether_type = None;
    walk.packet.llc = None;
    walk.packet.trailer = &[];
    walk.layer(Layer::Eth);
    Ok(())
}

/// What follows the addresses: an EtherType, or an 802.3 length and LLC.
pub fn type_or_length<'a>(walk: &mut Walk<'_, 'a>, kind: u16, reader: Reader<'a>) -> Wire<()> {
    if kind > MAX_LENGTH { ether_type(walk, kind, reader) } else { with_length(walk, kind, reader.peek()) }
}

fn with_length<'a>(walk: &mut Walk<'_, 'a>, length: u16, body: &'a [u8]) -> Wire<()> {
    // Inter-Switch Link: a Cisco multicast address and a SNAP header before the real frame, of which 26 octets are not its own.
    if let (Some(Mac([0x01 | 0x03, 0, 0x0c, 0, 0, _])), [0xaa, 0xaa, 0x03, ..]) = (walk.packet.dst_mac, body)
        && let Some(inner) = body.get(12..).filter(|inner| inner.len() >= 14)
    {
        let inner = walk.without_tail(inner, 4);
        return ethernet(walk, inner);
    }
    let (inner, behind) = walk.bounded(body, usize::from(length), "eth");
    walk.packet.trailer = behind;
    // Novell's raw IPX has no LLC header.
    if length < 3 || inner.starts_with(&[0xff, 0xff]) {
        walk.done(inner);
        return Ok(());
    }
    llc(walk, inner)
}

/// IEEE 802.2 LLC, with SNAP.
pub fn llc<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    if !walk.descend(bytes) {
        return Ok(());
    }
    let mut reader = Reader::new(bytes);
    let (dsap, ssap) = (reader.u8()?, reader.u8()?);
    let first = reader.u8()?;
    walk.layer(Layer::Llc);
    // Information and supervisory frames have a second control octet.
    let unnumbered = first & 3 == 3;
    let control = if unnumbered { u16::from(first) } else { u16::from(first) << 8 | u16::from(reader.u8()?) };
    if dsap == 0xaa && ssap == 0xaa && unnumbered {
        return snap(walk, reader);
    }
    walk.packet.llc = Some(Llc::Sap { dsap, ssap, control });
    if dsap == 0x06 && ssap == 0x06 && unnumbered {
        return ip::start(walk, reader.rest());
    }
    walk.done(reader.rest());
    Ok(())
}

/// SNAP (IEEE 802, 9.5): who defines the protocol number, and the number.
pub fn snap<'a>(walk: &mut Walk<'_, 'a>, mut reader: Reader<'a>) -> Wire<()> {
    let oui = reader.be_u24()?;
    let pid = reader.be_u16()?;
    walk.layer(Layer::Snap);
    walk.packet.llc = Some(Llc::Snap { oui, pid });
    match (oui, pid) {
        // RFC 1042 and bridge-tunnel encapsulation carry EtherTypes.
        (0x000000 | 0x0000f8, _) => ether_type(walk, pid, reader),
        // Bridged Ethernet (RFC 2427, RFC 2684), with (1) or without (7) the frame check sequence.
        (0x0080c2, 1 | 7) => {
            let frame = reader.rest();
            let frame = if pid == 1 { walk.without_tail(frame, 4) } else { frame };
            ethernet(walk, frame)
        }
        _ => {
            walk.done(reader.rest());
            Ok(())
        }
    }
}

/// What an EtherType announces: tags and shims are passed, IP entered, anything else is payload.
#[inline]
pub fn ether_type<'a>(walk: &mut Walk<'_, 'a>, kind: u16, reader: Reader<'a>) -> Wire<()> {
    match kind {
        0x0800 | 0x86dd => {
            walk.packet.ether_type = Some(kind);
            let mut reader = reader;
            ip::start(walk, reader.rest())
        }
        _ => other_type(walk, kind, reader),
    }
}

fn other_type<'a>(walk: &mut Walk<'_, 'a>, mut kind: u16, mut reader: Reader<'a>) -> Wire<()> {
    for _ in 0..MAX_TAGS {
        match kind {
            _ if VLAN_TYPES.contains(&kind) => {
                let tag = reader.be_u16()?;
                walk.layer(Layer::Vlan);
                vlan(walk, tag);
            }
            // HSR tag (IEC 62439-3): path and size, sequence number.
            0x892f => {
                reader.skip(4)?;
                walk.layer(Layer::Hsr);
            }
            // Cisco MetaData: version, length, option, group tag. VN-Tag. IEEE 802.1BR E-Tag.
            0x8909 | 0x893f => reader.skip(6)?,
            0x8926 => reader.skip(4)?,
            // Arista's timestamp: subtype, then a version that tells 64 bits from 48.
            0xd28b => {
                let (subtype, version) = (reader.be_u16()?, reader.be_u16()?);
                match (subtype, version & 0x00f0) {
                    (1, 0x10) => reader.skip(8)?,
                    (1, 0x20) => reader.skip(6)?,
                    _ => break,
                }
            }
            0x88e5 => match macsec(walk, reader) {
                Some(inside) => reader = inside,
                None => break,
            },
            _ => break,
        }
        kind = reader.be_u16()?;
        if kind <= MAX_LENGTH {
            return with_length(walk, kind, reader.peek());
        }
    }
    walk.packet.ether_type = Some(kind);
    match kind {
        0x0800 | 0x86dd => return ip::start(walk, reader.rest()),
        0x8847 | 0x8848 => return mpls(walk, reader),
        0x8864 => return pppoe(walk, reader.rest()),
        0x894f => return nsh(walk, reader),
        // IEEE 802.1ah: a service tag, then the customer's frame. Cisco FabricPath: the same with a tag of two octets.
        0x88e7 if reader.len() >= 18 => {
            reader.skip(4)?;
            return ethernet(walk, reader.rest());
        }
        0x8903 if reader.len() >= 16 => {
            reader.skip(2)?;
            return ethernet(walk, reader.rest());
        }
        0x6558 if reader.len() >= 14 => return ethernet(walk, reader.rest()),
        0x0806 | 0x8035 => walk.layer(Layer::Arp),
        _ => {}
    }
    walk.done(reader.rest());
    Ok(())
}

/// Notes an IEEE 802.1Q tag: the last is the innermost, the first the outermost.
pub fn vlan(walk: &mut Walk<'_, '_>, tag: u16) {
    let packet = &mut *walk.packet;
    packet.vlan_outer_id = packet.vlan_outer_id.or(packet.vlan_id);
    packet.vlan_id = Some(tag & 0x0fff);
    packet.vlan_priority = Some((tag >> 13) as u8);
}

/// MACsec (IEEE 802.1AE) that only protects integrity: the user data behind the tag, without the check value. `None` where
/// it is encrypted.
fn macsec<'a>(walk: &mut Walk<'_, 'a>, mut reader: Reader<'a>) -> Option<Reader<'a>> {
    let (control, short) = (reader.u8().ok()?, usize::from(reader.u8().ok()? & 0x3f));
    if control & 0x8c != 0 {
        return None;
    }
    reader.skip(if control & 0x20 != 0 { 12 } else { 4 }).ok()?;
    walk.layer(Layer::Macsec);
    let rest = reader.rest();
    Some(Reader::new(if short > 0 { walk.bounded(rest, short, "eth").0 } else { walk.without_tail(rest, MACSEC_ICV) }))
}

/// Network Service Header (RFC 8300).
fn nsh<'a>(walk: &mut Walk<'_, 'a>, mut reader: Reader<'a>) -> Wire<()> {
    let whole = reader.peek();
    let (first, _kind, next) = (reader.be_u16()?, reader.u8()?, reader.u8()?);
    let length = usize::from(first & 0x3f) * 4;
    let Some(inner) = whole.get(length..).filter(|_| first >> 14 == 0 && length >= 8) else {
        walk.done(whole);
        return Ok(());
    };
    match next {
        1 | 2 => ip::start(walk, inner),
        3 => ethernet(walk, inner),
        5 => mpls(walk, Reader::new(inner)),
        _ => {
            walk.done(whole);
            Ok(())
        }
    }
}

/// MPLS label stack (RFC 3032), then IP by its first nibble, as routers do, or a pseudowire.
pub fn mpls<'a>(walk: &mut Walk<'_, 'a>, mut reader: Reader<'a>) -> Wire<()> {
    if !walk.descend(reader.peek()) {
        return Ok(());
    }
    walk.layer(Layer::Mpls);
    let mut bottom = false;
    for _ in 0..MAX_LABELS {
        let entry = reader.be_u32()?;
        walk.packet.mpls_label = Some(entry >> 12);
        bottom = entry & 0x100 != 0;
        if bottom {
            break;
        }
    }
    let rest = reader.rest();
    let nibble = rest.first().map(|first| first >> 4);
    match nibble {
        _ if !bottom => walk.anomaly("mpls", "limit_reached", "the label stack has no end"),
        Some(4 | 6) => return ip::start(walk, rest),
        // The associated channel (RFC 4385).
        Some(1) => {}
        // Ethernet, with a control word (RFC 4448) or without: the reading under which the frame makes more sense.
        _ => {
            let (plain, word) = (resemblance(rest), rest.get(4..).filter(|_| nibble == Some(0)));
            let behind_word = word.map_or(0, resemblance);
            if let Some(frame) = word.filter(|_| behind_word > 0 && behind_word >= plain) {
                return ethernet(walk, frame);
            }
            if plain > 0 {
                return ethernet(walk, rest);
            }
        }
    }
    walk.done(rest);
    Ok(())
}

/// How much bytes look like an Ethernet frame: 0 not at all, 1 possibly, 2 probably.
fn resemblance(bytes: &[u8]) -> u8 {
    let [_, _, _, _, _, _, source, _, _, _, _, _, high, low, rest @ ..] = bytes else { return 0 };
    let kind = u16::from_be_bytes([*high, *low]);
    let is_version = |version: u8| rest.first().is_some_and(|first| first >> 4 == version);
    match kind {
        _ if source & 1 != 0 => 0,
        0x0800 if is_version(4) => 2,
        0x86dd if is_version(6) => 2,
        0x0800 | 0x86dd => 0,
        0x0806 | 0x8100 | 0x8847 | 0x8848 | 0x8863 | 0x8864 | 0x888e | 0x88a8 | 0x88cc | 0x88e7 | 0x8902 | 0x9000 => 2,
        3..=MAX_LENGTH if usize::from(kind) <= rest.len() => 2,
        0x0600.. => 1,
        _ => 0,
    }
}

/// PPPoE session (RFC 2516, 4).
fn pppoe<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let [_, code] = reader.array::<2>()?;
    reader.skip(2)?;
    let length = usize::from(reader.be_u16()?);
    walk.layer(Layer::Pppoe);
    let (inner, behind) = walk.bounded(reader.rest(), length, "pppoe");
    walk.packet.trailer = behind;
    // Discovery, where the capture has no EtherType to tell.
    if code != 0 {
        walk.done(inner);
        return Ok(());
    }
    walk.wrapped_in(Tunnel::Pppoe);
    ppp(walk, inner)
}

/// PPP with or without the address and control octets of HDLC-like framing (RFC 1662).
pub fn ppp_framed<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    ppp(walk, bytes.strip_prefix(&[0xff, 0x03]).unwrap_or(bytes))
}

/// PPP's protocol number and what follows it. An odd first octet is a compressed number.
pub fn ppp_protocol(bytes: &[u8]) -> Option<(u16, &[u8])> {
    match bytes {
        [first, rest @ ..] if first & 1 == 1 => Some((u16::from(*first), rest)),
        [first, second, rest @ ..] => Some((u16::from_be_bytes([*first, *second]), rest)),
        _ => None,
    }
}

/// From the protocol field on.
fn ppp<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    walk.layer(Layer::Ppp);
    match ppp_protocol(bytes) {
        Some((0x0021 | 0x0057, rest)) => return ip::start(walk, rest),
        Some((0x0281 | 0x0283, rest)) => return mpls(walk, Reader::new(rest)),
        Some((_, rest)) => walk.done(rest),
        None => walk.done(bytes),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, Llc, Transport, Tunnel, decode};
    use pcapper_schema::Mac;

    const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    const UDP: [u8; 30] = [0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 7, 0, 9, 0, 10, 0, 0, 0xca, 0xfe];

    fn frame(parts: &[&[u8]]) -> Vec<u8> {
        [&MACS[..]].iter().chain(parts).flat_map(|part| part.iter().copied()).collect()
    }

    fn carries_udp(bytes: &[u8]) -> bool {
        let packet = decode(1, bytes, bytes.len() as u32, 0);
        matches!(packet.transport, Transport::Udp { src_port: 7, dst_port: 9, .. }) && packet.payload == [0xca, 0xfe] && packet.anomalies.is_empty()
    }

    #[test]
    fn tags_from_the_outside_in() {
        let bytes = frame(&[&[0x88, 0xa8, 0x60, 5, 0x81, 0, 0x20, 6, 0x81, 0, 0xa0, 7, 0x88, 0xb8, 1, 2]]);
        let packet = decode(1, &bytes, bytes.len() as u32, 0);
        assert_eq!((packet.vlan_outer_id, packet.vlan_id, packet.vlan_priority, packet.ether_type), (Some(5), Some(7), Some(5), Some(0x88b8)));
        assert_eq!((packet.payload, packet.src_mac), (&[1, 2][..], Some(Mac([2, 0, 0, 0, 0, 2]))));
    }

    #[test]
    fn length_bounds_llc_and_leaves_the_padding() {
        let bytes = frame(&[&[0, 5, 0x42, 0x42, 3, 1, 2, 0, 0, 0]]);
        let packet = decode(1, &bytes, bytes.len() as u32, 0);
        assert_eq!((packet.ether_type, packet.llc), (None, Some(Llc::Sap { dsap: 0x42, ssap: 0x42, control: 3 })));
        assert_eq!((packet.payload, packet.payload_len, packet.trailer), (&[1, 2][..], 2, &[0, 0, 0][..]));
    }

    #[test]
    fn snap_names_cisco_and_ether_types() {
        let bytes = frame(&[&[0, 9, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 9]]);
        let packet = decode(1, &bytes, bytes.len() as u32, 0);
        assert_eq!((packet.llc, packet.payload), (Some(Llc::Snap { oui: 0x0c, pid: 0x2000 }), &[9][..]));
        assert!(carries_udp(&frame(&[&[0, 38, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &UDP])));
    }

    #[test]
    fn shims_lead_to_ip() {
        assert!(carries_udp(&frame(&[&[0x89, 0x2f, 0, 40, 0, 1, 8, 0], &UDP])));
        assert!(carries_udp(&frame(&[&[0x89, 0x26, 0, 0, 0, 0, 0x81, 0, 0, 1, 8, 0], &UDP])));
        assert!(carries_udp(&frame(&[&[0x88, 0xe7, 0, 0, 0, 1], &MACS, &[8, 0], &UDP])));
        assert!(carries_udp(&frame(&[&[0x89, 0x4f, 0x0f, 0xc2, 1, 1, 0, 0, 0, 1], &UDP])));
        assert!(carries_udp(&frame(&[&[0x88, 0xe5, 0, 0, 0, 0, 0, 1, 8, 0], &UDP, &[0; 16]])));
        // Encrypted: nothing to see.
        assert!(!carries_udp(&frame(&[&[0x88, 0xe5, 0x0c, 0, 0, 0, 0, 1, 8, 0], &UDP, &[0; 16]])));
    }

    #[test]
    fn mpls_guesses_what_it_carries() {
        let stack = [0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64];
        assert!(carries_udp(&frame(&[&stack, &UDP])));
        assert!(carries_udp(&frame(&[&stack, &MACS, &[8, 0], &UDP])));
        assert!(carries_udp(&frame(&[&stack, &[0, 0, 0, 9], &MACS, &[8, 0], &UDP])));
        let bytes = frame(&[&stack, &[0x10, 0, 0, 0x21, 5]]);
        let packet = decode(1, &bytes, bytes.len() as u32, 0);
        assert_eq!((packet.mpls_label, packet.payload.len(), packet.layers[1]), (Some(0x20), 5, Layer::Mpls));
    }

    #[test]
    fn pppoe_is_listed_and_bounded() {
        let bytes = frame(&[&[0x88, 0x64, 0x11, 0, 0, 1, 0, 32, 0, 0x21], &UDP, &[0, 0]]);
        assert!(carries_udp(&bytes));
        let packet = decode(1, &bytes, bytes.len() as u32, 0);
        assert_eq!((packet.tunnels[0], packet.outer, packet.trailer), (Tunnel::Pppoe, None, &[0, 0][..]));
    }

    #[test]
    fn check_sequence_and_cut_are_told_apart() {
        let bytes = frame(&[&[0x88, 0xb8, 1, 2, 3, 4, 5, 6]]);
        assert_eq!(decode(1, &bytes, 20, 4).payload, &[1, 2][..]);
        // One octet of the sequence is missing, and then two of the payload as well.
        assert_eq!((decode(1, &bytes, 21, 4).payload, decode(1, &bytes, 21, 4).payload_len), (&[1, 2, 3][..], 3));
        assert_eq!((decode(1, &bytes, 26, 4).payload.len(), decode(1, &bytes, 26, 4).payload_len), (6, 8));
    }

    #[test]
    fn nesting_without_end_ends() {
        for link in [&[5, 0, 0xaa, 0xaa, 3, 0, 0, 0, 0x88, 0xe7, 0, 0, 0, 0][..], &[0x88, 0x47, 0, 0, 1, 0, 0, 0, 0, 0]] {
            let layer = [&MACS[..], link].concat();
            let bytes = layer.repeat(200_000 / layer.len());
            let packet = decode(1, &bytes, bytes.len() as u32, 0);
            assert_eq!(packet.anomalies.iter().filter(|anomaly| anomaly.kind == "limit_reached").count(), 1);
        }
    }
}
