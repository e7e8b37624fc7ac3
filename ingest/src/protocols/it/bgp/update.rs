//! Update messages (RFC 4271 4.3, RFC 4760).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::protocols::it::prefix::Prefix;
use crate::wire::{Malformed, Reader, Wire};

/// A prefix, with its path id where the session has such.
#[derive(PartialEq, Debug)]
pub struct Route {
    pub prefix: Prefix,
    pub path_id: Option<u32>,
}

/// What an update says.
#[derive(Default)]
pub struct Update {
    pub announced: Vec<Route>,
    pub withdrawn: Vec<Route>,
    pub origin: Option<&'static str>,
    pub has_path: bool,
    pub path: Vec<u32>,
    pub path_text: String,
    pub origin_as: Option<u32>,
    pub next_hop: Option<String>,
    pub med: Option<u32>,
    pub local_pref: Option<u32>,
    pub communities: Vec<Cow<'static, str>>,
    pub large_communities: Vec<Cow<'static, str>>,
    pub ext_communities: Vec<Cow<'static, str>>,
    pub originator: Option<[u8; 4]>,
    pub family: Option<String>,
    pub end_of_rib: bool,
}

/// The least flags of a path attribute that tell a length of two octets.
const EXTENDED: u8 = 0x10;

impl Update {
    /// Reads the body of an update. `wide`: AS numbers have four octets, where both opens were seen; `with_ids` says which
    /// families carry path ids.
    pub fn read(&mut self, body: &[u8], wide: Option<bool>, with_ids: &dyn Fn(u16, u8) -> bool) -> Wire<()> {
        let mut wire = Reader::new(body);
        let length = wire.be_u16()?;
        let mut withdrawn = wire.sub(length.into())?;
        let ids = with_ids(1, 1);
        prefixes(&mut withdrawn, false, ids, &mut self.withdrawn)?;
        let length = wire.be_u16()?;
        let mut attributes = wire.sub(length.into())?;
        // RFC 4724 2: nothing at all, or an empty withdrawal of another family.
        let empty = length == 0 && body.len() == 4;
        let mut ends_family = false;
        let mut count = 0_usize;
        let mut fault = false;
        while !attributes.is_empty() {
            let (flags, kind) = (attributes.u8()?, attributes.u8()?);
            let length = if flags & EXTENDED != 0 { attributes.be_u16()?.into() } else { usize::from(attributes.u8()?) };
            let value = attributes.take(length)?;
            count += 1;
            ends_family = kind == 15 && length == 3;
            // A bad attribute does not keep the others from being read (RFC 7606 2).
            fault |= self.attribute(kind, value, wide, with_ids).is_err();
        }
        prefixes(&mut wire, false, ids, &mut self.announced)?;
        self.end_of_rib = empty || (count == 1 && ends_family && self.withdrawn.is_empty() && self.announced.is_empty());
        if self.family.is_none() && (empty || !self.withdrawn.is_empty() || !self.announced.is_empty()) {
            self.family = Some(family(1, 1));
        }
        if fault { Err(Malformed) } else { Ok(()) }
    }

    fn attribute(&mut self, kind: u8, value: &[u8], wide: Option<bool>, with_ids: &dyn Fn(u16, u8) -> bool) -> Wire<()> {
        let mut wire = Reader::new(value);
        match kind {
            1 => self.origin = ["igp", "egp", "incomplete"].get(usize::from(wire.u8()?)).copied(),
            2 => {
                // Without the opens the lengths tell: four octets first, as nearly everybody has them.
                let four = wide.unwrap_or_else(|| segments(value, 4));
                self.path(value, if four { 4 } else { 2 })?;
            }
            3 if value.len() == 4 => {
                let hop = Ipv4Addr::from(wire.array::<4>()?).to_string();
                self.next_hop.get_or_insert(hop);
            }
            4 => self.med = Some(wire.be_u32()?),
            5 => self.local_pref = Some(wire.be_u32()?),
            8 => {
                while !wire.is_empty() {
                    let (high, low) = (wire.be_u16()?, wire.be_u16()?);
                    self.communities.push(Cow::Owned(format!("{high}:{low}")));
                }
            }
            9 => self.originator = Some(wire.array()?),
            14 => {
                let (afi, safi) = (wire.be_u16()?, wire.u8()?);
                let length = wire.u8()?;
                let hop = wire.take(length.into())?;
                wire.skip(1)?;
                self.family = Some(family(afi, safi));
                self.next_hop = next_hop(hop).or(self.next_hop.take());
                match (afi, safi) {
                    (1 | 2, 1 | 2) => prefixes(&mut wire, afi == 2, with_ids(afi, safi), &mut self.announced)?,
                    (1 | 2, 4) => labeled(&mut wire, afi == 2, with_ids(afi, safi), &mut self.announced)?,
                    _ => {}
                }
            }
            15 => {
                let (afi, safi) = (wire.be_u16()?, wire.u8()?);
                self.family.get_or_insert_with(|| family(afi, safi));
                match (afi, safi) {
                    (1 | 2, 1 | 2) => prefixes(&mut wire, afi == 2, with_ids(afi, safi), &mut self.withdrawn)?,
                    (1 | 2, 4) => labeled(&mut wire, afi == 2, with_ids(afi, safi), &mut self.withdrawn)?,
                    _ => {}
                }
            }
            16 => {
                while !wire.is_empty() {
                    let community = wire.array::<8>()?;
                    self.ext_communities.push(Cow::Owned(extended(community)));
                }
            }
            // RFC 6793 4.2.3: the path in four octets, from behind a speaker that has only two.
            17 if wide == Some(false) && self.path.contains(&23456) => {
                let (path, text) = (std::mem::take(&mut self.path), std::mem::take(&mut self.path_text));
                if self.path(value, 4).is_err() || self.path.len() > path.len() {
                    (self.path, self.path_text) = (path, text);
                } else {
                    let lead = path.len() - self.path.len();
                    let mut whole: Vec<u32> = path.into_iter().take(lead).collect();
                    let mut spelled: String = whole.iter().fold(String::new(), |mut text, number| {
                        let _ = write!(text, "{number} ");
                        text
                    });
                    whole.append(&mut self.path);
                    spelled.push_str(&self.path_text);
                    (self.path, self.path_text) = (whole, spelled);
                }
            }
            32 => {
                while !wire.is_empty() {
                    let (global, one, two) = (wire.be_u32()?, wire.be_u32()?, wire.be_u32()?);
                    self.large_communities.push(Cow::Owned(format!("{global}:{one}:{two}")));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Segments of a path: type u8 | count u8 | numbers. Sets stand in braces, confederations in brackets.
    fn path(&mut self, value: &[u8], width: usize) -> Wire<()> {
        let mut wire = Reader::new(value);
        self.has_path = true;
        self.origin_as = None;
        while !wire.is_empty() {
            let (kind, count) = (wire.u8()?, wire.u8()?);
            let (open, close, gap) = match kind {
                1 => ("{", "}", ","),
                3 => ("(", ")", " "),
                4 => ("[", "]", ","),
                _ => ("", "", " "),
            };
            if !self.path_text.is_empty() {
                self.path_text.push(' ');
            }
            self.path_text.push_str(open);
            for index in 0..count {
                let number = if width == 4 { wire.be_u32()? } else { wire.be_u16()?.into() };
                if index > 0 {
                    self.path_text.push_str(gap);
                }
                let _ = write!(self.path_text, "{number}");
                self.path.push(number);
                // A set has no last member.
                self.origin_as = (kind == 2).then_some(number);
            }
            self.path_text.push_str(close);
        }
        Ok(())
    }
}

/// The value is segments of AS numbers this wide.
fn segments(value: &[u8], width: usize) -> bool {
    let mut wire = Reader::new(value);
    while !wire.is_empty() {
        let (Ok(1..=4), Ok(count @ 1..)) = (wire.u8(), wire.u8()) else { return false };
        if wire.skip(usize::from(count) * width).is_err() {
            return false;
        }
    }
    true
}

/// Prefixes to the end: path id u32 where the session has them | length u8 | as many octets as it needs.
fn prefixes(wire: &mut Reader<'_>, v6: bool, with_ids: bool, routes: &mut Vec<Route>) -> Wire<()> {
    while !wire.is_empty() {
        let path_id = if with_ids { Some(wire.be_u32()?) } else { None };
        let length = wire.u8()?;
        if usize::from(length) > if v6 { 128 } else { 32 } {
            return Err(Malformed);
        }
        routes.push(Route { prefix: Prefix::packed(wire, length, v6)?, path_id });
    }
    Ok(())
}

/// Prefixes behind labels of 24 bits, whose bits their length counts (RFC 8277 2).
fn labeled(wire: &mut Reader<'_>, v6: bool, with_ids: bool, routes: &mut Vec<Route>) -> Wire<()> {
    while !wire.is_empty() {
        let path_id = if with_ids { Some(wire.be_u32()?) } else { None };
        let mut length = wire.u8()?;
        loop {
            length = length.checked_sub(24).ok_or(Malformed)?;
            let label = wire.be_u24()?;
            // The bottom of the stack, or what stands in a withdrawal.
            if label & 1 != 0 || matches!(label, 0 | 0x80_0000) {
                break;
            }
        }
        routes.push(Route { prefix: Prefix::packed(wire, length, v6)?, path_id });
    }
    Ok(())
}

/// A next hop of either family; the global one where a link-local follows. VPN families put eight octets before it.
fn next_hop(bytes: &[u8]) -> Option<String> {
    let address = if matches!(bytes.len(), 12 | 24 | 48) { bytes.get(8..)? } else { bytes };
    match address.len() {
        4 => Some(Ipv4Addr::from(*address.first_chunk::<4>()?).to_string()),
        16 | 32 | 40 => Some(Ipv6Addr::from(*address.first_chunk::<16>()?).to_string()),
        _ => None,
    }
}

/// An extended community (RFC 4360): route targets and origins by name, others by their octets.
fn extended(community: [u8; 8]) -> String {
    let [kind, sub, a, b, c, d, e, f] = community;
    let name = match sub {
        2 => "rt",
        3 => "soo",
        _ => "",
    };
    match (kind & 0x3f, name) {
        (0, "rt" | "soo") => format!("{name}:{}:{}", u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])),
        (1, "rt" | "soo") => format!("{name}:{}:{}", Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([e, f])),
        (2, "rt" | "soo") => format!("{name}:{}:{}", u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f])),
        _ => format!("0x{kind:02x}{sub:02x}:{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}"),
    }
}

/// An address family and what of it is meant, by name (IANA).
pub fn family(afi: u16, safi: u8) -> String {
    let first = match afi {
        1 => "ipv4",
        2 => "ipv6",
        25 => "l2vpn",
        16388 => "link_state",
        _ => "",
    };
    let second = match safi {
        1 => "unicast",
        2 => "multicast",
        4 => "labeled",
        5 => "mvpn",
        65 => "vpls",
        70 => "evpn",
        71 => "link_state",
        73 => "sr_policy",
        128 => "vpn",
        132 => "route_target",
        133 => "flowspec",
        134 => "flowspec_vpn",
        _ => "",
    };
    let afi = if first.is_empty() { afi.to_string() } else { first.to_owned() };
    if second.is_empty() { format!("{afi}/{safi}") } else { format!("{afi}/{second}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn update_of_two_prefixes() {
        let mut body = vec![0, 0, 0, 24, 0x40, 1, 1, 0, 0x40, 2, 10, 2, 2, 0, 0, 0xfd, 0xe8, 0, 1, 0, 0];
        body.extend([0x40, 3, 4, 10, 0, 0, 1]);
        body.extend([24, 203, 0, 113, 16, 172, 16]);
        let mut update = Update::default();
        assert!(update.read(&body, None, &|_, _| false).is_ok());
        assert_eq!((update.origin, update.path_text.as_str(), update.origin_as), (Some("igp"), "65000 65536", Some(65536)));
        assert_eq!((update.next_hop.as_deref(), update.family.as_deref()), (Some("10.0.0.1"), Some("ipv4/unicast")));
        let texts: Vec<String> = update.announced.iter().map(|route| route.prefix.to_string()).collect();
        assert_eq!(texts, ["203.0.113.0/24", "172.16.0.0/16"]);
        assert!(Update::default().read(&body[..20], None, &|_, _| false).is_err());
    }

    #[test]
    fn widths_of_as_numbers() {
        assert!(segments(&[2, 1, 0, 0, 0xfd, 0xe8], 4) && !segments(&[2, 1, 0xfd, 0xe8], 4) && segments(&[2, 1, 0xfd, 0xe8], 2));
    }

    #[test]
    fn end_of_the_table() {
        let mut update = Update::default();
        assert!(update.read(&[0, 0, 0, 0], Some(true), &|_, _| false).is_ok());
        assert!(update.end_of_rib);
        let mut update = Update::default();
        assert!(update.read(&[0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1], Some(true), &|_, _| false).is_ok());
        assert_eq!((update.end_of_rib, update.family.as_deref()), (true, Some("ipv6/unicast")));
    }

    #[test]
    fn families_and_communities() {
        assert_eq!((family(25, 70).as_str(), family(1, 200).as_str()), ("l2vpn/evpn", "ipv4/200"));
        assert_eq!(extended([0, 2, 0xfd, 0xe8, 0, 0, 0, 100]), "rt:65000:100");
    }
}
