//! Neighbor Discovery (RFC 4861, options also of RFC 3971, 4191, 8106) and Multicast Listener Discovery (RFC 2710, 3810).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use pcapper_schema::Mac;

use super::Body;
use crate::packet;
use crate::wire::{Malformed, Reader, Wire};

const SOURCE_LINK_ADDRESS: u8 = 1;
const TARGET_LINK_ADDRESS: u8 = 2;
const PREFIX_INFORMATION: u8 = 3;
const REDIRECTED_HEADER: u8 = 4;
const RDNSS: u8 = 25;
const DNSSL: u8 = 31;

/// Most names taken from one DNS search list option.
const MAX_NAMES: usize = 64;

fn address(wire: &mut Reader<'_>) -> Wire<Ipv6Addr> {
    wire.array::<16>().map(Ipv6Addr::from)
}

/// Router solicitation and advertisement, neighbor solicitation and advertisement, redirect (types 133 to 137), and the inverse
/// pair (141, 142). `wire` stands behind the checksum.
pub fn neighbor_discovery(kind: u8, wire: &mut Reader<'_>, body: &mut Body) -> Wire<()> {
    match kind {
        134 => {
            body.ra_cur_hop_limit = Some(wire.u8()?);
            let flags = wire.u8()?;
            body.ra_managed = Some(flags & 0x80 != 0);
            body.ra_other = Some(flags & 0x40 != 0);
            // RFC 4191 2.1; binary 10 is reserved.
            body.ra_preference = match flags >> 3 & 3 {
                0 => Some("medium"),
                1 => Some("high"),
                3 => Some("low"),
                _ => None,
            };
            body.ra_lifetime_s = Some(wire.be_u16()?.into());
            body.ra_reachable_ms = Some(wire.be_u32()?);
            body.ra_retrans_ms = Some(wire.be_u32()?);
        }
        135 => {
            wire.skip(4)?;
            body.target = Some(IpAddr::V6(address(wire)?));
        }
        136 => {
            let flags = wire.u8()?;
            body.na_router = Some(flags & 0x80 != 0);
            body.na_solicited = Some(flags & 0x40 != 0);
            body.na_override = Some(flags & 0x20 != 0);
            wire.skip(3)?;
            body.target = Some(IpAddr::V6(address(wire)?));
        }
        137 => {
            wire.skip(4)?;
            body.gateway = Some(IpAddr::V6(address(wire)?));
            body.redirect_destination = Some(IpAddr::V6(address(wire)?));
        }
        _ => wire.skip(4)?,
    }
    options(wire, body)
}

/// Options to the end of the message: type, length in units of eight octets, value.
fn options(wire: &mut Reader<'_>, body: &mut Body) -> Wire<()> {
    while !wire.is_empty() {
        let kind = wire.u8()?;
        let length = usize::from(wire.u8()?) * 8;
        let mut value = wire.sub(length.checked_sub(2).ok_or(Malformed)?)?;
        body.option_types.push(kind);
        match kind {
            SOURCE_LINK_ADDRESS if body.source_lladdr.is_none() => body.source_lladdr = Some(link_address(value.peek())),
            TARGET_LINK_ADDRESS if body.target_lladdr.is_none() => body.target_lladdr = Some(link_address(value.peek())),
            PREFIX_INFORMATION => {
                let bits = value.u8()?;
                value.skip(1)?;
                let valid = value.be_u32()?;
                value.skip(8)?;
                body.prefixes.push(Cow::Owned(format!("{}/{bits}", address(&mut value)?)));
                body.prefix_valid_s.push(valid);
            }
            REDIRECTED_HEADER => {
                value.skip(6)?;
                body.quoted = packet::quoted(value.peek(), true);
            }
            RDNSS => {
                value.skip(6)?;
                while !value.is_empty() {
                    body.rdnss.push(Cow::Owned(address(&mut value)?.to_string()));
                }
            }
            DNSSL => {
                value.skip(6)?;
                search_list(&mut value, &mut body.dnssl)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A hardware address as text: an Ethernet's with colons, any other as plain hexadecimal. IEEE 802.15.4 pads its eight octets
/// with six zeros (RFC 4944 8).
fn link_address(value: &[u8]) -> String {
    if let Ok(ethernet) = value.try_into() {
        return Mac(ethernet).to_string();
    }
    let address = match value {
        [long @ .., 0, 0, 0, 0, 0, 0] if long.len() == 8 => long,
        _ => value,
    };
    address.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Domain names one after the other, uncompressed (RFC 8106 5.2), padded with zeros.
fn search_list(wire: &mut Reader<'_>, names: &mut Vec<Cow<'static, str>>) -> Wire<()> {
    let mut name = String::new();
    while !wire.is_empty() {
        let length = wire.u8()?;
        if length == 0 {
            if !name.is_empty() && names.len() < MAX_NAMES {
                names.push(Cow::Owned(std::mem::take(&mut name)));
            }
            continue;
        }
        if length > 63 {
            return Err(Malformed);
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&String::from_utf8_lossy(wire.take(length.into())?));
    }
    if name.is_empty() { Ok(()) } else { Err(Malformed) }
}

/// MLD query, report and done (types 130 to 132): one group, `::` in a general query.
pub fn listener(wire: &mut Reader<'_>, body: &mut Body) -> Wire<()> {
    wire.skip(4)?;
    body.mcast_groups.push(Cow::Owned(address(wire)?.to_string()));
    Ok(())
}

/// MLDv2 report (type 143): a record for each group.
pub fn listener_report(wire: &mut Reader<'_>, body: &mut Body) -> Wire<()> {
    wire.skip(2)?;
    for _ in 0..wire.be_u16()? {
        let kind = wire.u8()?;
        let auxiliary = usize::from(wire.u8()?) * 4;
        let sources = usize::from(wire.be_u16()?) * 16;
        let group = address(wire)?;
        body.mld_record_types.push(kind);
        body.mcast_groups.push(Cow::Owned(group.to_string()));
        wire.skip(sources)?;
        wire.skip(auxiliary)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn router_advertisement() {
        let mut message = vec![64, 0b1000_1000, 0x07, 0x08, 0, 0, 0, 1, 0, 0, 0, 2];
        message.extend([1, 1, 0xc2, 0, 0x54, 0xf5, 0, 0]);
        message.extend([3, 4, 64, 0xc0, 0, 0x27, 0x8d, 0, 0, 9, 0x3a, 0x80, 0, 0, 0, 0]);
        message.extend("2001:db8:0:1::".parse::<Ipv6Addr>().unwrap().octets());
        message.extend([31, 3, 0, 0, 0, 0, 0, 60, 3, b'l', b'a', b'b', 4, b't', b'e', b's', b't', 0, 1, b'x', 0, 0, 0, 0]);
        let mut body = Body::default();
        neighbor_discovery(134, &mut Reader::new(&message), &mut body).unwrap();
        assert_eq!((body.ra_cur_hop_limit, body.ra_managed, body.ra_other), (Some(64), Some(true), Some(false)));
        assert_eq!((body.ra_preference, body.ra_lifetime_s), (Some("high"), Some(1800)));
        assert_eq!((body.ra_reachable_ms, body.ra_retrans_ms), (Some(1), Some(2)));
        assert_eq!(body.source_lladdr.as_deref(), Some("c2:00:54:f5:00:00"));
        assert_eq!(body.prefixes, ["2001:db8:0:1::/64"]);
        assert_eq!(body.prefix_valid_s, [2_592_000]);
        assert_eq!(body.dnssl, ["lab.test", "x"]);
        assert_eq!(body.option_types, [1, 3, 31]);
    }

    #[test]
    fn link_addresses() {
        assert_eq!(link_address(&[0xc2, 0, 0x54, 0xf5, 0, 0]), "c2:00:54:f5:00:00");
        assert_eq!(link_address(&[0xac, 0xde, 0x48, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]), "acde480000000002");
    }

    #[test]
    fn zero_length_option_ends_the_list() {
        let mut body = Body::default();
        let message = [0, 0, 0, 0, 14, 0, 1, 1];
        assert_eq!(neighbor_discovery(133, &mut Reader::new(&message), &mut body), Err(Malformed));
        assert_eq!(body.option_types, [0_u8; 0]);
    }

    #[test]
    fn listener_records() {
        let group: Ipv6Addr = "ff02::1:fff5:0".parse().unwrap();
        let mut message = vec![0, 0, 0, 2, 4, 0, 0, 1];
        message.extend(group.octets());
        message.extend([0; 16]);
        message.extend([2, 1, 0, 0]);
        message.extend(group.octets());
        message.extend([9; 4]);
        let mut body = Body::default();
        listener_report(&mut Reader::new(&message), &mut body).unwrap();
        assert_eq!(body.mld_record_types, [4, 2]);
        assert_eq!(body.mcast_groups, ["ff02::1:fff5:0", "ff02::1:fff5:0"]);
    }
}
