//! Link layers: from the frame's first byte to an EtherType, an LLC header or an IP packet.

use pcapper_schema::Mac;

use super::{Layer, Llc, Tunnel, Walk, ip, wlan};
use crate::wire::{Reader, Wire};

const VLAN_TYPES: [u16; 5] = [0x8100, 0x88a8, 0x9100, 0x9200, 0x9300];
/// Tags followed in one frame.
const MAX_TAGS: usize = 8;

/// Starts at the link header that the capture names.
pub fn start<'a>(walk: &mut Walk<'_, 'a>, link_type: u16, bytes: &'a [u8]) {
    let outcome = match link_type {
        1 => ethernet(walk, bytes),
        0 | 108 => loopback(walk, bytes),
        12 | 14 | 101 => raw(walk, bytes),
        228 | 229 => raw(walk, bytes),
        113 => cooked(walk, bytes),
        276 => cooked2(walk, bytes),
        9 | 50 => ppp_framed(walk, bytes),
        51 => pppoe(walk, bytes),
        104 => cisco_hdlc(walk, bytes),
        107 => frame_relay(walk, bytes),
        105 => wlan::frame(walk, bytes, false),
        127 => wlan::radiotap(walk, bytes),
        119 | 163 => wlan::prism_or_avs(walk, bytes),
        192 => wlan::ppi(walk, bytes),
        165 => {
            walk.layer(Layer::MsTp);
            walk.done(bytes);
            Ok(())
        }
        138 => ip_over_firewire(walk, bytes),
        _ => {
            walk.layer(Layer::Other);
            walk.done(bytes);
            Ok(())
        }
    };
    if outcome.is_err() {
        walk.anomaly("eth", "truncated_header", "the frame ends inside its link header");
        walk.done(&[]);
    }
}

/// Ethernet II or IEEE 802.3.
#[inline]
pub fn ethernet<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let dst = reader.array::<6>()?;
    let src = reader.array::<6>()?;
    let kind = reader.be_u16()?;
    // Inter-Switch Link: a Cisco multicast address before the real frame.
    if matches!(dst, [0x01 | 0x03, 0, 0x0c, 0, 0, _]) && kind != 0 && reader.peek().starts_with(&[0xaa, 0xaa, 3]) && bytes.len() > 40 {
        walk.layer(Layer::Vlan);
        return ethernet(walk, bytes.get(26..).unwrap_or_default());
    }
    walk.packet.dst_mac = Some(Mac(dst));
    walk.packet.src_mac = Some(Mac(src));
    walk.layer(Layer::Eth);
    type_or_length(walk, kind, reader)
}

/// What follows the addresses: an EtherType, or an 802.3 length and LLC.
pub fn type_or_length<'a>(walk: &mut Walk<'_, 'a>, kind: u16, mut reader: Reader<'a>) -> Wire<()> {
    if kind > 1500 {
        return ether_type(walk, kind, reader);
    }
    let length = usize::from(kind);
    let body = reader.peek();
    // Novell's raw IPX: no LLC behind the length.
    if body.starts_with(&[0xff, 0xff]) {
        walk.done(body);
        return Ok(());
    }
    if length <= body.len() {
        let inner = reader.take(length)?;
        walk.packet.trailer = reader.rest();
        walk.cut = 0;
        return llc(walk, inner);
    }
    llc(walk, body)
}

/// IEEE 802.2 LLC, with SNAP.
pub fn llc<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let (dsap, ssap) = (reader.u8()?, reader.u8()?);
    let first = reader.u8()?;
    walk.layer(Layer::Llc);
    // Information and supervisory frames have a second control octet.
    let control = if first & 3 == 3 { u16::from(first) } else { u16::from(first) << 8 | u16::from(reader.u8()?) };
    if dsap == 0xaa && ssap == 0xaa && first == 3 {
        let oui = reader.be_u24()?;
        let pid = reader.be_u16()?;
        walk.layer(Layer::Snap);
        walk.packet.llc = Some(Llc::Snap { oui, pid });
        // RFC 1042 and bridge-tunnel encapsulation carry EtherTypes.
        if oui == 0 || oui == 0xf8 {
            return ether_type(walk, pid, reader);
        }
        walk.done(reader.rest());
        return Ok(());
    }
    walk.packet.llc = Some(Llc::Sap { dsap, ssap, control });
    if dsap == 0x06 && ssap == 0x06 {
        return ip::start(walk, reader.rest());
    }
    walk.done(reader.rest());
    Ok(())
}

/// What an EtherType announces: tags and shims are passed, IP entered, anything else is payload.
pub fn ether_type<'a>(walk: &mut Walk<'_, 'a>, mut kind: u16, mut reader: Reader<'a>) -> Wire<()> {
    for _ in 0..MAX_TAGS {
        if VLAN_TYPES.contains(&kind) {
            let tag = reader.be_u16()?;
            walk.layer(Layer::Vlan);
            if let (Some(inner), None) = (walk.packet.vlan_id, walk.packet.vlan_outer_id) {
                walk.packet.vlan_outer_id = Some(inner);
            }
            walk.packet.vlan_id = Some(tag & 0x0fff);
            walk.packet.vlan_priority = Some((tag >> 13) as u8);
            kind = reader.be_u16()?;
            if kind <= 1500 {
                return type_or_length(walk, kind, reader);
            }
            continue;
        }
        match kind {
            // HSR tag (IEC 62439-3): path and size, sequence, then the real type.
            0x892f => {
                reader.skip(4)?;
                walk.layer(Layer::Hsr);
                kind = reader.be_u16()?;
                continue;
            }
            // IEEE 802.1ah: the customer's frame inside the provider's.
            0x88e7 => {
                reader.skip(4)?;
                let inner = reader.rest();
                return ethernet(walk, inner);
            }
            // Cisco MetaData.
            0x8909 => {
                reader.skip(6)?;
                kind = reader.be_u16()?;
                continue;
            }
            _ => break,
        }
    }
    walk.packet.ether_type = Some(kind);
    match kind {
        0x0800 | 0x86dd => ip::start(walk, reader.rest()),
        0x8847 | 0x8848 => mpls(walk, reader),
        0x8864 => pppoe(walk, reader.rest()),
        0x0806 | 0x8035 => {
            walk.layer(Layer::Arp);
            walk.done(reader.rest());
            Ok(())
        }
        _ => {
            walk.done(reader.rest());
            Ok(())
        }
    }
}

/// MPLS label stack (RFC 3032), then IP or a pseudowire, told apart by the first nibble as routers do.
pub fn mpls<'a>(walk: &mut Walk<'_, 'a>, mut reader: Reader<'a>) -> Wire<()> {
    walk.layer(Layer::Mpls);
    for _ in 0..16 {
        let entry = reader.be_u32()?;
        walk.packet.mpls_label = Some(entry >> 12);
        if entry & 0x100 != 0 {
            break;
        }
    }
    let rest = reader.rest();
    match rest.first().map(|first| first >> 4) {
        Some(4 | 6) => ip::start(walk, rest),
        // A control word of zeros before an Ethernet frame (RFC 4448).
        Some(0) if rest.len() >= 18 => ethernet(walk, rest.get(4..).unwrap_or_default()),
        Some(1) => {
            walk.done(rest);
            Ok(())
        }
        Some(_) if rest.len() >= 14 => ethernet(walk, rest),
        _ => {
            walk.done(rest);
            Ok(())
        }
    }
}

/// PPPoE session (RFC 2516, 4).
fn pppoe<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let [_, code] = reader.array::<2>()?;
    reader.skip(2)?;
    let length = usize::from(reader.be_u16()?);
    walk.layer(Layer::Pppoe);
    let rest = reader.rest();
    if code != 0 {
        walk.done(rest);
        return Ok(());
    }
    if let Some(slot) = walk.packet.tunnels.iter_mut().find(|slot| **slot == Tunnel::None) {
        *slot = Tunnel::Pppoe;
    }
    ppp(walk, rest.get(..length.min(rest.len())).unwrap_or_default())
}

/// PPP with or without HDLC-like framing (RFC 1662).
pub fn ppp_framed<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    match bytes {
        [0xff, 0x03, rest @ ..] => ppp(walk, rest),
        _ => ppp(walk, bytes),
    }
}

/// From the protocol field on.
pub fn ppp<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    walk.layer(Layer::Ppp);
    // An odd first octet is a compressed protocol field.
    let first = reader.u8()?;
    let protocol = if first & 1 == 1 { u16::from(first) } else { u16::from(first) << 8 | u16::from(reader.u8()?) };
    match protocol {
        0x0021 | 0x0057 => ip::start(walk, reader.rest()),
        0x0281 | 0x0283 => mpls(walk, reader),
        _ => {
            walk.done(reader.rest());
            Ok(())
        }
    }
}

/// BSD loopback: the address family in the capturing host's byte order.
fn loopback<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let family = reader.be_u32()?;
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    walk.layer(Layer::Null);
    match family {
        2 | 10 | 23 | 24 | 28 | 30 => ip::start(walk, reader.rest()),
        // Some writers store an EtherType instead.
        other if other > 1500 => ether_type(walk, other as u16, reader),
        _ => {
            walk.done(reader.rest());
            Ok(())
        }
    }
}

fn raw<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    walk.layer(Layer::Raw);
    ip::start(walk, bytes)
}

/// Linux cooked capture, version 1.
fn cooked<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let _packet_type = reader.be_u16()?;
    let hardware = reader.be_u16()?;
    let address_len = reader.be_u16()?;
    let address = reader.array::<8>()?;
    let protocol = reader.be_u16()?;
    walk.layer(Layer::Sll);
    cooked_rest(walk, hardware, address_len, address, protocol, reader)
}

/// Linux cooked capture, version 2.
fn cooked2<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let protocol = reader.be_u16()?;
    reader.skip(6)?;
    let hardware = reader.be_u16()?;
    let _packet_type = reader.u8()?;
    let address_len = u16::from(reader.u8()?);
    let address = reader.array::<8>()?;
    walk.layer(Layer::Sll);
    cooked_rest(walk, hardware, address_len, address, protocol, reader)
}

fn cooked_rest<'a>(walk: &mut Walk<'_, 'a>, hardware: u16, address_len: u16, address: [u8; 8], protocol: u16, mut reader: Reader<'a>) -> Wire<()> {
    let [a, b, c, d, e, f, ..] = address;
    if address_len == 6 {
        walk.packet.src_mac = Some(Mac([a, b, c, d, e, f]));
    }
    // ARPHRD_NETLINK, ARPHRD_IPGRE and the like do not carry EtherTypes.
    match (hardware, protocol) {
        (824, _) => {
            walk.done(reader.rest());
            Ok(())
        }
        (_, 0x0004) => llc(walk, reader.rest()),
        (_, kind) if kind > 1500 => ether_type(walk, kind, reader),
        _ => {
            walk.done(reader.rest());
            Ok(())
        }
    }
}

/// Cisco HDLC.
fn cisco_hdlc<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    if matches!(bytes, [0xff, 0x03, ..]) {
        return ppp_framed(walk, bytes);
    }
    let mut reader = Reader::new(bytes);
    reader.skip(2)?;
    let kind = reader.be_u16()?;
    walk.layer(Layer::Chdlc);
    // OSI protocols follow two octets of padding: their NLPID is payload.
    if kind > 1500 {
        return ether_type(walk, kind, reader);
    }
    walk.done(reader.rest());
    Ok(())
}

/// Frame Relay with a two-octet address (RFC 2427).
fn frame_relay<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(2)?;
    walk.layer(Layer::Other);
    let next = reader.u8()?;
    if next != 3 {
        // Cisco's own framing: an EtherType behind the address.
        let kind = u16::from(next) << 8 | u16::from(reader.u8()?);
        return ether_type(walk, kind, reader);
    }
    let mut nlpid = reader.u8()?;
    if nlpid == 0 {
        nlpid = reader.u8()?;
    }
    match nlpid {
        0xcc | 0x8e => ip::start(walk, reader.rest()),
        0x80 => {
            let (oui, pid) = (reader.be_u24()?, reader.be_u16()?);
            walk.packet.llc = Some(Llc::Snap { oui, pid });
            if oui == 0 {
                return ether_type(walk, pid, reader);
            }
            // Bridged Ethernet, with (1) or without (7) the frame check sequence.
            if oui == 0x0080c2 && matches!(pid, 1 | 7) {
                return ethernet(walk, reader.rest());
            }
            walk.done(reader.rest());
            Ok(())
        }
        _ => {
            walk.done(reader.rest());
            Ok(())
        }
    }
}

/// Apple's IP over IEEE 1394: two 64-bit identifiers and an EtherType.
fn ip_over_firewire<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(16)?;
    walk.layer(Layer::Other);
    let kind = reader.be_u16()?;
    ether_type(walk, kind, reader)
}
