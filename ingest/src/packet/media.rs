//! Link headers other than Ethernet's and IEEE 802.11's (as the tcpdump group's LINKTYPE_ registry describes them).

use pcapper_schema::Mac;

use super::{Layer, Walk, ip, link, wlan};
use crate::wire::{Malformed, Reader, Wire};

/// IP without a link header, or what is left of one.
pub fn raw<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    walk.layer(Layer::Raw);
    ip::start(walk, bytes)
}

/// Link types seldom met; one that is not known here is all payload.
pub fn rarer<'a>(walk: &mut Walk<'_, 'a>, link_type: u16, bytes: &'a [u8]) -> Wire<()> {
    let after = |count: usize| bytes.get(count..).ok_or(Malformed);
    match link_type {
        6 => token_ring(walk, bytes),
        7 | 129 => arcnet(walk, bytes, link_type == 129),
        8 => slip(walk, bytes),
        10 => fddi(walk, bytes),
        11 | 100 => other(walk, bytes, link::llc),
        // Linux' classical IP over ATM, with LLC or without.
        106 if bytes.starts_with(&[0xaa, 0xaa, 3]) => other(walk, bytes, link::llc),
        106 => other(walk, bytes, ip::start),
        117 => packet_filter(walk, bytes),
        // IP over Fibre Channel (RFC 2625): two addresses of eight octets.
        122 => other(walk, after(16)?, link::llc),
        // IP over IEEE 1394, as Apple has it: two addresses of eight octets and an EtherType.
        138 => other(walk, after(16)?, typed),
        149 if bytes.starts_with(&[108, 0, 0, 0, 1, 0, 0, 0]) => apple(walk, bytes),
        // A direction octet before the real header.
        166 | 204 => link::ppp_framed(walk, after(1)?),
        205 => cisco_hdlc(walk, after(1)?),
        206 => frame_relay(walk, after(1)?),
        178 => juniper_ethernet(walk, bytes),
        // Solaris' IPNET: an octet each of version and address family, then hook, length, interfaces and zones.
        226 => other(walk, after(24)?, ip::start),
        239 => netfilter_log(walk, bytes),
        // IP over InfiniBand: two addresses of twenty octets, an EtherType and two reserved octets.
        242 => {
            let mut reader = Reader::new(after(40)?);
            let kind = reader.be_u16()?;
            reader.skip(2)?;
            walk.layer(Layer::Other);
            link::ether_type(walk, kind, reader)
        }
        258 => apple(walk, bytes),
        // An Ethernet mPacket (IEEE 802.3br) that is a whole frame: preamble, start delimiter, frame, check sequence.
        274 if bytes.get(7) == Some(&0xd5) => {
            let frame = walk.without_tail(after(8)?, 4);
            link::ethernet(walk, frame)
        }
        281 => switch_tag(walk, bytes, SwitchTag::Broadcom),
        282 => link::ethernet(walk, after(4)?),
        284 => switch_tag(walk, bytes, SwitchTag::Marvell),
        285 => switch_tag(walk, bytes, SwitchTag::MarvellTyped),
        _ => {
            walk.layer(Layer::Other);
            walk.done(bytes);
            Ok(())
        }
    }
}

/// A medium that has no layer of its own in our list.
fn other<'a, 'p>(walk: &mut Walk<'p, 'a>, bytes: &'a [u8], next: fn(&mut Walk<'p, 'a>, &'a [u8]) -> Wire<()>) -> Wire<()> {
    walk.layer(Layer::Other);
    next(walk, bytes)
}

fn typed<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let kind = reader.be_u16()?;
    link::ether_type(walk, kind, reader)
}

/// BSD loopback: the address family in the capturing host's byte order.
pub fn loopback<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let family = reader.be_u32()?;
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    walk.layer(Layer::Null);
    match family {
        2 | 10 | 23 | 24 | 28 | 30 => ip::start(walk, reader.rest()),
        // Some writers store an EtherType instead.
        1501..=0xffff => link::ether_type(walk, family as u16, reader),
        _ => {
            walk.done(reader.rest());
            Ok(())
        }
    }
}

/// Linux cooked capture, version 1.
pub fn cooked<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let _packet_type = reader.be_u16()?;
    let hardware = reader.be_u16()?;
    let address_len = reader.be_u16()?;
    let address = reader.array::<8>()?;
    let protocol = reader.be_u16()?;
    cooked_rest(walk, hardware, address_len, address, protocol, reader)
}

/// Linux cooked capture, version 2.
pub fn cooked2<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let protocol = reader.be_u16()?;
    reader.skip(6)?;
    let hardware = reader.be_u16()?;
    let _packet_type = reader.u8()?;
    let address_len = u16::from(reader.u8()?);
    let address = reader.array::<8>()?;
    cooked_rest(walk, hardware, address_len, address, protocol, reader)
}

fn cooked_rest<'a>(walk: &mut Walk<'_, 'a>, hardware: u16, address_len: u16, address: [u8; 8], protocol: u16, mut reader: Reader<'a>) -> Wire<()> {
    walk.layer(Layer::Sll);
    let [a, b, c, d, e, f, ..] = address;
    if address_len == 6 {
        walk.packet.src_mac = Some(Mac([a, b, c, d, e, f]));
    }
    match (hardware, protocol) {
        // Netlink: the protocol is a netlink family.
        (824, _) => {}
        (803, _) => return wlan::radiotap(walk, reader.rest()),
        (_, 0x0004) => return link::llc(walk, reader.rest()),
        (_, kind) if kind > 1500 => return link::ether_type(walk, kind, reader),
        _ => {}
    }
    walk.done(reader.rest());
    Ok(())
}

/// Cisco HDLC.
pub fn cisco_hdlc<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    if bytes.starts_with(&[0xff, 0x03]) {
        return link::ppp_framed(walk, bytes);
    }
    let mut reader = Reader::new(bytes);
    reader.skip(2)?;
    let kind = reader.be_u16()?;
    walk.layer(Layer::Chdlc);
    match kind {
        // SLARP has RARP's number, and 0xfefe are OSI protocols: neither is an EtherType here.
        0x8035 | 0xfefe | 0..=1500 => {
            walk.done(reader.rest());
            Ok(())
        }
        _ => link::ether_type(walk, kind, reader),
    }
}

/// Frame Relay (RFC 2427), or Cisco's framing with an EtherType.
pub fn frame_relay<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    walk.layer(Layer::Other);
    // Two to four octets of address; the last has its lowest bit set.
    let mut octets = 0;
    while reader.u8()? & 1 == 0 {
        octets += 1;
        if octets == 4 {
            walk.done(reader.rest());
            return Ok(());
        }
    }
    let mut information = reader;
    let next = reader.u8()?;
    if next != 3 {
        let kind = information.be_u16()?;
        if kind > 1500 {
            return link::ether_type(walk, kind, information);
        }
        walk.done(information.rest());
        return Ok(());
    }
    let mut nlpid = reader.u8()?;
    if nlpid == 0 {
        nlpid = reader.u8()?;
    }
    match nlpid {
        0xcc | 0x8e => ip::start(walk, reader.rest()),
        0x80 => link::snap(walk, reader),
        _ => {
            walk.done(information.rest());
            Ok(())
        }
    }
}

/// IEEE 802.5: access and frame control, addresses, perhaps a route, LLC.
fn token_ring<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let [_, control] = reader.array::<2>()?;
    let dst = reader.array::<6>()?;
    let [first, src @ ..] = reader.array::<6>()?;
    walk.layer(Layer::Other);
    walk.packet.dst_mac = Some(Mac(dst));
    let [b, c, d, e, f] = src;
    walk.packet.src_mac = Some(Mac([first & 0x7f, b, c, d, e, f]));
    if first & 0x80 != 0 {
        let length = usize::from(reader.peek().first().ok_or(Malformed)? & 0x1f);
        reader.skip(length)?;
    }
    if control & 0xc0 == 0x40 {
        return link::llc(walk, reader.rest());
    }
    walk.done(reader.rest());
    Ok(())
}

/// FDDI: frame control, addresses, LLC.
fn fddi<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let control = reader.u8()?;
    let (dst, src) = (reader.array::<6>()?, reader.array::<6>()?);
    walk.layer(Layer::Other);
    walk.packet.dst_mac = Some(Mac(dst));
    walk.packet.src_mac = Some(Mac(src));
    if control & 0x70 == 0x50 {
        return link::llc(walk, reader.rest());
    }
    walk.done(reader.rest());
    Ok(())
}

/// ARCNET: addresses of one octet, on Linux an offset, and a protocol number (RFC 1051, RFC 1201).
fn arcnet<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8], linux: bool) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(2)?;
    walk.layer(Layer::Other);
    // Some BSD captures have the offset as well: 256 less the length of what follows it, and a second octet of zero.
    let has_offset = |rest: &[u8]| matches!(rest, [offset, 0, data @ ..] if usize::from(*offset) + data.len() == 256);
    if linux || has_offset(reader.peek()) {
        reader.skip(2)?;
    }
    let kind = reader.u8()?;
    let fragment = match kind {
        0xd4 | 0xd5 | 0xc4 => {
            let mut flag = reader.u8()?;
            if flag == 0xff && !linux {
                // An exception frame repeats flag and type behind its padding.
                reader.skip(2)?;
                reader.skip(1)?;
                flag = reader.u8()?;
            }
            reader.skip(2)?;
            flag != 0
        }
        _ => false,
    };
    match kind {
        _ if fragment => {}
        0xf0 | 0xd4 | 0xc4 => return ip::start(walk, reader.rest()),
        0xf1 | 0xd5 => walk.layer(Layer::Arp),
        // BACnet's data link is LLC on ARCNET too (ANSI/ASHRAE 135, clause 8).
        0xcd => return link::llc(walk, reader.rest()),
        _ => {}
    }
    walk.done(reader.rest());
    Ok(())
}

/// BSD's SLIP capture: a direction, fifteen octets on compression, and the IP packet unless it is compressed.
fn slip<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    walk.layer(Layer::Other);
    match bytes {
        [0 | 1, 0x40..=0x6f, ..] if bytes.len() > 16 => ip::start(walk, bytes.get(16..).unwrap_or_default()),
        _ => {
            walk.done(bytes);
            Ok(())
        }
    }
}

/// OpenBSD's packet filter log: the header's length, the address family, names and rules.
fn packet_filter<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let length = usize::from(reader.u8()?).next_multiple_of(4);
    other(walk, bytes.get(length..).ok_or(Malformed)?, ip::start)
}

/// Linux' netfilter log: family, version, and attributes of which one is the packet.
fn netfilter_log<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    const PAYLOAD: u16 = 9;
    let mut reader = Reader::new(bytes);
    let family = reader.u8()?;
    reader.skip(3)?;
    walk.layer(Layer::Other);
    // Attributes are in the capturing host's byte order, which a length of less than 256 gives away.
    let swapped = matches!(reader.peek(), [0, low, ..] if *low != 0);
    for _ in 0..32 {
        let (Ok(length), Ok(kind)) = (reader.le_u16(), reader.le_u16()) else { break };
        let (length, kind) = if swapped { (length.swap_bytes(), kind.swap_bytes()) } else { (length, kind) };
        let length = usize::from(length).checked_sub(4).ok_or(Malformed)?;
        if kind & 0x7fff == PAYLOAD && matches!(family, 2 | 10) {
            let packet = walk.bounded(reader.rest(), length, "link").0;
            return ip::start(walk, packet);
        }
        reader.skip(length.next_multiple_of(4).min(reader.len()))?;
    }
    walk.done(bytes);
    Ok(())
}

/// Apple's PKTAP: a header that names its own length and the link type of what follows.
fn apple<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let length = reader.le_u32()?;
    reader.skip(4)?;
    let link_type = reader.le_u32()?;
    walk.layer(Layer::Other);
    nested(walk, link_type, bytes.get(length as usize..).ok_or(Malformed)?)
}

/// Goes on with a link type named in a header.
pub fn nested<'a>(walk: &mut Walk<'_, 'a>, link_type: u32, bytes: &'a [u8]) -> Wire<()> {
    if walk.descend(bytes) {
        match u16::try_from(link_type) {
            Ok(link_type) => link::start(walk, link_type, bytes),
            Err(_) => walk.done(bytes),
        }
    }
    Ok(())
}

/// Juniper's header before an Ethernet frame: a magic number, flags, perhaps extensions with their length.
fn juniper_ethernet<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let [a, b, c, flags] = reader.array::<4>()?;
    // Without the second flag the link header is there.
    if [a, b, c] != *b"MGC" || flags & 2 != 0 {
        walk.layer(Layer::Other);
        walk.done(bytes);
        return Ok(());
    }
    if flags & 0x80 != 0 {
        let length = usize::from(reader.be_u16()?);
        reader.skip(length)?;
    }
    walk.layer(Layer::Other);
    link::ethernet(walk, reader.rest())
}

/// How a switch chip marks frames for the host behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SwitchTag {
    /// Four octets of Broadcom's.
    Broadcom,
    /// Four octets of Marvell's, in which a frame's VLAN tag is absorbed.
    Marvell,
    /// The same behind an EtherType and two reserved octets.
    MarvellTyped,
}

/// Ethernet with a tag of the switch chip between the addresses and the EtherType.
fn switch_tag<'a>(walk: &mut Walk<'_, 'a>, bytes: &'a [u8], kind: SwitchTag) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    link::addresses(walk, &mut reader)?;
    if kind == SwitchTag::MarvellTyped {
        reader.skip(4)?;
    }
    let tag = reader.be_u32()?;
    if kind != SwitchTag::Broadcom && tag & 0x2000_0000 != 0 {
        walk.layer(Layer::Vlan);
        link::vlan(walk, tag as u16);
    }
    let kind = reader.be_u16()?;
    link::type_or_length(walk, kind, reader)
}
