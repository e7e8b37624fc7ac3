//! Link state advertisements (RFC 2328 appendix A.4, RFC 5340 appendix A.4).
//!
//! ```text
//! age u16 | 2: options u8, type u8; 3: type u16 | link state id 4 | router 4 | sequence u32 | checksum u16 | length u16 | body
//! ```

use std::borrow::Cow;
use std::net::Ipv4Addr;

use pcapper_schema::tables::{OspfLsas, RoutingRoutes};

use crate::protocols::Cx;
use crate::protocols::it::prefix::Prefix;
use crate::wire::{Malformed, Reader, Wire};

/// Length of a header.
const HEADER: usize = 20;
/// At this age an LSA is withdrawn (RFC 2328 appendix B).
const MAX_AGE: u16 = 3600;
/// Age bit: does not grow old (RFC 1793 2.1).
const DO_NOT_AGE: u16 = 0x8000;

/// One LSA, as much as was sent of it.
#[derive(Default, PartialEq, Debug)]
pub struct Lsa {
    header_only: bool,
    kind: u16,
    id: [u8; 4],
    router: [u8; 4],
    age: Option<u16>,
    sequence: Option<u32>,
    checksum: Option<u16>,
    length: Option<u16>,
    mask: Option<[u8; 4]>,
    metric: Option<u32>,
    forwarding: Option<String>,
    tag: Option<u32>,
    links: Vec<Cow<'static, str>>,
    flags: Option<String>,
    /// The prefix that the LSA is about.
    prefix: Option<Prefix>,
    external: bool,
}

/// Headers to the end of the packet.
pub fn headers(wire: &mut Reader<'_>, version: u8, lsas: &mut Vec<Lsa>) -> Wire<()> {
    while !wire.is_empty() {
        let mut lsa = header(wire, version)?;
        lsa.header_only = true;
        lsas.push(lsa);
    }
    Ok(())
}

/// Requests to the end of the packet.
pub fn requests(wire: &mut Reader<'_>, version: u8, lsas: &mut Vec<Lsa>) -> Wire<()> {
    while !wire.is_empty() {
        let kind = wire.be_u32()?;
        let kind = if version == 2 { u16::try_from(kind).map_err(|_| Malformed)? } else { (kind & 0xffff) as u16 };
        lsas.push(Lsa { header_only: true, kind, id: wire.array()?, router: wire.array()?, ..Lsa::default() });
    }
    Ok(())
}

/// The LSAs of an update.
pub fn whole(wire: &mut Reader<'_>, version: u8, count: u32, lsas: &mut Vec<Lsa>) -> Wire<()> {
    for _ in 0..count {
        let mut lsa = header(wire, version)?;
        let length = usize::from(lsa.length.unwrap_or(0)).checked_sub(HEADER);
        let body = length.and_then(|length| wire.take(length).ok());
        let read = match body {
            Some(body) if version == 2 => lsa.body_2(Reader::new(body)),
            Some(body) => lsa.body_3(Reader::new(body)),
            None => Err(Malformed),
        };
        lsas.push(lsa);
        read?;
    }
    Ok(())
}

fn header(wire: &mut Reader<'_>, version: u8) -> Wire<Lsa> {
    let age = wire.be_u16()?;
    let kind = wire.be_u16()?;
    Ok(Lsa {
        kind: if version == 2 { kind & 0xff } else { kind },
        age: Some(age),
        id: wire.array()?,
        router: wire.array()?,
        sequence: Some(wire.be_u32()?),
        checksum: Some(wire.be_u16()?),
        length: Some(wire.be_u16()?),
        ..Lsa::default()
    })
}

impl Lsa {
    fn body_2(&mut self, mut wire: Reader<'_>) -> Wire<()> {
        match self.kind {
            1 => {
                self.flags = Some(router_flags(wire.u8()?));
                wire.skip(1)?;
                for _ in 0..wire.be_u16()? {
                    let (id, data) = (Ipv4Addr::from(wire.array::<4>()?), Ipv4Addr::from(wire.array::<4>()?));
                    let (kind, services) = (wire.u8()?, wire.u8()?);
                    let metric = wire.be_u16()?;
                    wire.skip(usize::from(services) * 4)?;
                    self.links.push(Cow::Owned(format!("{kind}:{id}/{data}:{metric}")));
                }
            }
            2 => self.mask = Some(wire.array()?),
            3 | 4 => {
                let mask = wire.array()?;
                self.mask = Some(mask);
                self.metric = Some(wire.be_u32()? & 0x00ff_ffff);
                if self.kind == 3 {
                    self.prefix = Prefix::masked(self.id, mask);
                }
            }
            5 | 7 => {
                let mask = wire.array()?;
                self.mask = Some(mask);
                self.metric = Some(wire.be_u32()? & 0x00ff_ffff);
                self.forwarding = Some(Ipv4Addr::from(wire.array::<4>()?).to_string());
                self.tag = Some(wire.be_u32()?);
                self.prefix = Prefix::masked(self.id, mask);
                self.external = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn body_3(&mut self, mut wire: Reader<'_>) -> Wire<()> {
        match self.kind {
            0x2001 => {
                self.flags = Some(router_flags(wire.u8()?));
                wire.skip(3)?;
                while !wire.is_empty() {
                    let kind = wire.u8()?;
                    wire.skip(1)?;
                    let metric = wire.be_u16()?;
                    let (own, _) = (wire.be_u32()?, wire.be_u32()?);
                    let neighbor = Ipv4Addr::from(wire.array::<4>()?);
                    self.links.push(Cow::Owned(format!("{kind}:{neighbor}/{own}:{metric}")));
                }
            }
            0x2003 => {
                self.metric = Some(wire.be_u32()? & 0x00ff_ffff);
                self.prefix = Some(prefix(&mut wire)?.0);
            }
            0x2004 => {
                wire.skip(4)?;
                self.metric = Some(wire.be_u32()? & 0x00ff_ffff);
            }
            0x4005 | 0x2007 => {
                let word = wire.be_u32()?;
                self.metric = Some(word & 0x00ff_ffff);
                let (prefix, referenced) = prefix(&mut wire)?;
                self.prefix = Some(prefix);
                self.external = true;
                if word & 0x0200_0000 != 0 {
                    self.forwarding = Some(std::net::Ipv6Addr::from(wire.array::<16>()?).to_string());
                }
                if word & 0x0100_0000 != 0 {
                    self.tag = Some(wire.be_u32()?);
                }
                if referenced != 0 {
                    wire.skip(4)?;
                }
            }
            0x2009 => {
                let count = wire.be_u16()?;
                wire.skip(10)?;
                // Each prefix has a metric of its own: the LSA has one where it lists one prefix.
                if count == 1 {
                    wire.skip(2)?;
                    self.metric = Some(wire.be_u16()?.into());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the LSA, and the route that it announces.
    pub fn emit(&self, cx: &mut Cx<'_>, version: u8, message: u8, sender: &str, area: &str) {
        let (id, router) = (Ipv4Addr::from(self.id).to_string(), Ipv4Addr::from(self.router).to_string());
        let mask = self.mask.map(|mask| Ipv4Addr::from(mask).to_string());
        let age = self.age.map(|age| age & !DO_NOT_AGE);
        cx.emit(OspfLsas {
            version: Some(version),
            message_type: Some(message),
            header_only: Some(self.header_only),
            router_id: Some(sender),
            area_id: Some(area),
            lsa_type: Some(self.kind),
            lsa_type_name: name(version, self.kind),
            link_state_id: Some(&id),
            advertising_router: Some(&router),
            age_s: age,
            do_not_age: self.age.map(|age| age & DO_NOT_AGE != 0),
            sequence: self.sequence,
            checksum: self.checksum,
            length: self.length,
            mask: mask.as_deref(),
            metric: self.metric,
            forwarding_address: self.forwarding.as_deref(),
            external_tag: self.tag,
            links: (!self.links.is_empty()).then_some(self.links.as_slice()),
            router_flags: self.flags.as_deref(),
        });
        if let Some(prefix) = self.prefix {
            let text = prefix.to_string();
            let given = self.forwarding.as_deref().filter(|address| !matches!(*address, "0.0.0.0" | "::"));
            let source = cx.common(cx.dir).src_ip.map(|ip| ip.to_string());
            cx.emit(RoutingRoutes {
                protocol: Some("ospf"),
                action: Some(if age >= Some(MAX_AGE) { "withdraw" } else { "announce" }),
                prefix: Some(&text),
                prefix_len: Some(prefix.length),
                next_hop: given.or(source.as_deref()),
                metric: self.metric,
                tag: self.tag,
                router_id: Some(&router),
                external: Some(self.external),
                ..RoutingRoutes::default()
            });
        }
    }
}

/// A prefix of version 3 (RFC 5340 A.4.1): length, options, 16 bits by LSA, and as many words as the length needs.
fn prefix(wire: &mut Reader<'_>) -> Wire<(Prefix, u16)> {
    let length = wire.u8()?;
    wire.skip(1)?;
    let referenced = wire.be_u16()?;
    let mut words = wire.sub(usize::from(length).div_ceil(32) * 4)?;
    Ok((Prefix::packed(&mut words, length, true)?, referenced))
}

fn router_flags(bits: u8) -> String {
    [(4, 'V'), (2, 'E'), (1, 'B')].iter().filter(|(bit, _)| bits & bit != 0).map(|(_, letter)| letter).collect()
}

fn name(version: u8, kind: u16) -> Option<&'static str> {
    Some(match (version, kind) {
        (2, 1) | (3, 0x2001) => "router",
        (2, 2) | (3, 0x2002) => "network",
        (2, 3) => "summary",
        (2, 4) | (3, 0x2004) => "asbr_summary",
        (2, 5) | (3, 0x4005) => "as_external",
        (2, 6) | (3, 0x2006) => "group_membership",
        (2, 7) | (3, 0x2007) => "nssa",
        (2, 9) => "opaque_link",
        (2, 10) => "opaque_area",
        (2, 11) => "opaque_as",
        (3, 0x2003) => "inter_area_prefix",
        (3, 8) => "link",
        (3, 0x2009) => "intra_area_prefix",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_lsa_and_its_prefix() {
        let mut bytes = vec![0x0e, 0x10, 0x20, 5, 10, 1, 0, 0, 1, 1, 1, 1, 0x80, 0, 0, 2, 0xab, 0xcd, 0, 36];
        bytes.extend([255, 255, 0, 0, 0x80, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 7]);
        let mut lsas = Vec::new();
        assert!(whole(&mut Reader::new(&bytes), 2, 1, &mut lsas).is_ok());
        let lsa = &lsas[0];
        assert_eq!((lsa.kind, lsa.age, lsa.sequence, lsa.metric, lsa.tag), (5, Some(3600), Some(0x8000_0002), Some(20), Some(7)));
        assert_eq!(lsa.prefix.unwrap().to_string(), "10.1.0.0/16");
        assert!(whole(&mut Reader::new(&bytes[..30]), 2, 1, &mut Vec::new()).is_err());
    }

    #[test]
    fn inter_area_prefix_of_version_3() {
        let mut bytes = vec![0, 1, 0x20, 3, 0, 0, 0, 1, 1, 1, 1, 1, 0x80, 0, 0, 1, 0, 0, 0, 36, 0, 0, 0, 64];
        bytes.extend([64, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1]);
        let mut lsas = Vec::new();
        assert!(whole(&mut Reader::new(&bytes), 3, 1, &mut lsas).is_ok());
        assert_eq!((lsas[0].metric, lsas[0].prefix.unwrap().to_string().as_str()), (Some(64), "2001:db8:0:1::/64"));
    }

    #[test]
    fn metric_of_an_only_prefix() {
        let mut bytes = vec![0, 1, 0x20, 9, 0, 0, 0, 1, 1, 1, 1, 1, 0x80, 0, 0, 1, 0, 0, 0, 44];
        bytes.extend([0, 1, 0x20, 1, 0, 0, 0, 0, 1, 1, 1, 1, 64, 0, 0, 10, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1]);
        let mut lsas = Vec::new();
        assert!(whole(&mut Reader::new(&bytes), 3, 1, &mut lsas).is_ok());
        assert_eq!(lsas[0].metric, Some(10));
    }

    #[test]
    fn bits_of_a_router() {
        assert_eq!((router_flags(7).as_str(), router_flags(0).as_str()), ("VEB", ""));
    }
}
