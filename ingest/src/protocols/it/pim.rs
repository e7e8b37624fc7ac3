//! PIM: multicast routing (RFC 7761 sparse mode, RFC 3973 dense mode, RFC 5059 bootstrap), and its version 1 inside IGMP.
//!
//! ```text
//! 2: version and type u8 | 0 | checksum u16 | body      unicast address: family u8 | 0 | address
//!    group: family u8 | 0 | flags u8 | mask length u8 | address        source: the same
//! 1: 0x14 | code u8 | checksum u16 | version u8 | 0 u24 | body         addresses are plain
//! ```

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcapper_schema::tables::Pim;

use super::prefix::Prefix;
use crate::packet;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// PIM version 2, IP protocol 103.
pub static PROTOCOL: Protocol = Protocol {
    name: "pim",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[103], probe, start: || Box::new(Messages) }),
    ..Protocol::NONE
};

fn probe(offer: &Offer<'_>) -> Verdict {
    if is_version_2(offer.current()) { Verdict::Yes } else { Verdict::No }
}

fn is_version_2(payload: &[u8]) -> bool {
    payload.len() >= 4 && payload.first().is_some_and(|first| first >> 4 == 2)
}

/// What a message says.
#[derive(Default, PartialEq, Debug)]
struct Pdu<'a> {
    holdtime_s: Option<u16>,
    dr_priority: Option<u32>,
    generation_id: Option<u32>,
    upstream: Option<IpAddr>,
    groups: Vec<Cow<'static, str>>,
    joins: Vec<Cow<'static, str>>,
    prunes: Vec<Cow<'static, str>>,
    bsr: Option<IpAddr>,
    bsr_priority: Option<u8>,
    rps: Vec<Cow<'static, str>>,
    metric: Option<u32>,
    /// The packet that a register wraps.
    wrapped: Option<&'a [u8]>,
}

struct Messages;

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let Some(&first) = payload.first().filter(|_| is_version_2(payload)) else { return Outcome::NotMine };
        let mut pdu = Pdu::default();
        let whole = pdu.read(first & 15, payload);
        emit(cx, 2, first & 15, &pdu, whole)
    }
}

/// A message of version 1, IGMP's header included.
pub fn version_1(cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
    let [_, code, _, _, version, ..] = *payload else { return Outcome::NotMine };
    let mut pdu = Pdu::default();
    let whole = pdu.read_1(code, payload);
    emit(cx, version >> 4, code, &pdu, whole)
}

fn emit(cx: &mut Cx<'_>, version: u8, kind: u8, pdu: &Pdu<'_>, whole: Wire<()>) -> Outcome {
    let text = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string());
    let (upstream, bsr) = (text(pdu.upstream), text(pdu.bsr));
    let wrapped = pdu.wrapped.and_then(|bytes| packet::quoted(bytes, bytes.first().is_some_and(|first| first >> 4 == 6)));
    let (source, group) = (text(wrapped.as_ref().map(|inner| inner.src)), text(wrapped.as_ref().map(|inner| inner.dst)));
    let list = |texts: &[Cow<'static, str>]| !texts.is_empty();
    cx.emit(Pim {
        version: Some(version),
        message_type: Some(kind),
        message_type_name: name(version, kind),
        holdtime_s: pdu.holdtime_s,
        dr_priority: pdu.dr_priority,
        generation_id: pdu.generation_id,
        upstream_neighbor: upstream.as_deref(),
        groups: list(&pdu.groups).then_some(pdu.groups.as_slice()),
        joins: list(&pdu.joins).then_some(pdu.joins.as_slice()),
        prunes: list(&pdu.prunes).then_some(pdu.prunes.as_slice()),
        bsr: bsr.as_deref(),
        bsr_priority: pdu.bsr_priority,
        rps: list(&pdu.rps).then_some(pdu.rps.as_slice()),
        register_source: source.as_deref(),
        register_group: group.as_deref(),
        metric: pdu.metric,
    });
    if whole.is_err() {
        cx.anomaly("pim", "bad_length", "a message ends inside its fields, or an address is of an unknown family");
    }
    Outcome::Decoded
}

impl<'a> Pdu<'a> {
    /// Reads a message of version 2, header included.
    fn read(&mut self, kind: u8, payload: &'a [u8]) -> Wire<()> {
        let mut wire = Reader::new(payload);
        wire.skip(4)?;
        match kind {
            0 => self.hello(&mut wire)?,
            1 => {
                wire.skip(4)?;
                self.wrapped = Some(wire.rest());
            }
            2 => {
                self.group(&mut wire)?;
                unicast(&mut wire)?;
            }
            3 | 6 | 7 => self.join_prune(&mut wire)?,
            4 => {
                wire.skip(3)?;
                self.bsr_priority = Some(wire.u8()?);
                self.bsr = Some(unicast(&mut wire)?);
                while !wire.is_empty() {
                    self.group(&mut wire)?;
                    wire.skip(1)?;
                    let count = wire.u8()?;
                    wire.skip(2)?;
                    for _ in 0..count {
                        self.rps.push(Cow::Owned(unicast(&mut wire)?.to_string()));
                        self.holdtime_s.get_or_insert(wire.be_u16()?);
                        wire.skip(2)?;
                    }
                }
            }
            5 => {
                self.group(&mut wire)?;
                unicast(&mut wire)?;
                wire.skip(4)?;
                self.metric = Some(wire.be_u32()?);
            }
            8 => {
                let count = wire.u8()?;
                wire.skip(1)?;
                self.holdtime_s = Some(wire.be_u16()?);
                self.rps.push(Cow::Owned(unicast(&mut wire)?.to_string()));
                for _ in 0..count {
                    self.group(&mut wire)?;
                }
            }
            9 => {
                self.group(&mut wire)?;
                unicast(&mut wire)?;
                unicast(&mut wire)?;
                wire.skip(4)?;
                self.metric = Some(wire.be_u32()?);
            }
            // Election of a designated forwarder (RFC 5015 3.7): what the sender offers towards the rendezvous point.
            10 => {
                self.rps.push(Cow::Owned(unicast(&mut wire)?.to_string()));
                wire.skip(4)?;
                self.metric = Some(wire.be_u32()?);
            }
            _ => {}
        }
        Ok(())
    }

    fn hello(&mut self, wire: &mut Reader<'_>) -> Wire<()> {
        while !wire.is_empty() {
            let (option, length) = (wire.be_u16()?, wire.be_u16()?);
            let mut value = wire.sub(length.into())?;
            match (option, length) {
                (1, 2) => self.holdtime_s = Some(value.be_u16()?),
                (19, 4) => self.dr_priority = Some(value.be_u32()?),
                (20, 4) => self.generation_id = Some(value.be_u32()?),
                _ => {}
            }
        }
        Ok(())
    }

    fn join_prune(&mut self, wire: &mut Reader<'_>) -> Wire<()> {
        self.upstream = Some(unicast(wire)?);
        wire.skip(1)?;
        let count = wire.u8()?;
        self.holdtime_s = Some(wire.be_u16()?);
        for _ in 0..count {
            let group = self.group(wire)?;
            let (joins, prunes) = (wire.be_u16()?, wire.be_u16()?);
            for _ in 0..joins {
                self.joins.push(source(wire, &group)?);
            }
            for _ in 0..prunes {
                self.prunes.push(source(wire, &group)?);
            }
        }
        Ok(())
    }

    /// An encoded group, which is listed.
    fn group(&mut self, wire: &mut Reader<'_>) -> Wire<Cow<'static, str>> {
        let (address, _, length) = encoded(wire)?;
        let group = Cow::Owned(spelled(address, length));
        self.groups.push(Cow::clone(&group));
        Ok(group)
    }

    /// Reads a message of version 1, IGMP's header included.
    fn read_1(&mut self, code: u8, payload: &'a [u8]) -> Wire<()> {
        let mut wire = Reader::new(payload);
        wire.skip(8)?;
        match code {
            0 => {
                wire.skip(2)?;
                self.holdtime_s = Some(wire.be_u16()?);
            }
            1 => self.wrapped = Some(wire.rest()),
            2 => self.groups.push(Cow::Owned(plain(&mut wire)?.to_string())),
            3 | 6 | 7 => {
                self.upstream = Some(plain(&mut wire)?);
                wire.skip(2)?;
                self.holdtime_s = Some(wire.be_u16()?);
                wire.skip(3)?;
                for _ in 0..wire.u8()? {
                    let (address, mask) = (wire.array::<4>()?, wire.array::<4>()?);
                    let group: Cow<'static, str> = Cow::Owned(spelled(address.into(), u32::from_be_bytes(mask).leading_ones() as u8));
                    self.groups.push(Cow::clone(&group));
                    let (joins, prunes) = (wire.be_u16()?, wire.be_u16()?);
                    for index in 0..u32::from(joins) + u32::from(prunes) {
                        let flags = wire.u8()?;
                        wire.skip(1)?;
                        let entry = entry(plain(&mut wire)?, flags & 2 != 0, &group);
                        if index < u32::from(joins) { &mut self.joins } else { &mut self.prunes }.push(entry);
                    }
                }
            }
            4 => {
                self.groups.push(Cow::Owned(plain(&mut wire)?.to_string()));
                wire.skip(4)?;
                self.rps.push(Cow::Owned(plain(&mut wire)?.to_string()));
                wire.skip(2)?;
                self.holdtime_s = Some(wire.be_u16()?);
            }
            5 => {
                self.groups.push(Cow::Owned(plain(&mut wire)?.to_string()));
                wire.skip(8)?;
                self.metric = Some(wire.be_u32()?);
            }
            _ => {}
        }
        Ok(())
    }
}

fn plain(wire: &mut Reader<'_>) -> Wire<IpAddr> {
    Ok(Ipv4Addr::from(wire.array::<4>()?).into())
}

/// An address of the family told (RFC 7761 4.9.1).
fn address(wire: &mut Reader<'_>, family: u8) -> Wire<IpAddr> {
    match family {
        1 => plain(wire),
        2 => Ok(Ipv6Addr::from(wire.array::<16>()?).into()),
        _ => Err(Malformed),
    }
}

/// An encoded unicast address. Encoding 1 (RFC 5384) puts attributes behind it.
fn unicast(wire: &mut Reader<'_>) -> Wire<IpAddr> {
    let (family, encoding) = (wire.u8()?, wire.u8()?);
    let ip = address(wire, family)?;
    attributes(wire, encoding)?;
    Ok(ip)
}

/// An encoded group or source: address, flags, length of its mask.
fn encoded(wire: &mut Reader<'_>) -> Wire<(IpAddr, u8, u8)> {
    let (family, encoding, flags, length) = (wire.u8()?, wire.u8()?, wire.u8()?, wire.u8()?);
    let ip = address(wire, family)?;
    attributes(wire, encoding)?;
    Ok((ip, flags, length))
}

/// Join attributes (RFC 5384 3.1): forward, end, type | length | value, to the one that says it is the last.
fn attributes(wire: &mut Reader<'_>, encoding: u8) -> Wire<()> {
    let mut more = encoding == 1;
    while more {
        let (kind, length) = (wire.u8()?, wire.u8()?);
        wire.skip(length.into())?;
        more = kind & 0x40 == 0;
    }
    Ok(())
}

fn source(wire: &mut Reader<'_>, group: &str) -> Wire<Cow<'static, str>> {
    let (address, flags, _) = encoded(wire)?;
    Ok(entry(address, flags & 2 != 0, group))
}

/// `source,group`; with the wildcard bit the address is the rendezvous point's and every source is meant.
fn entry(source: IpAddr, wildcard: bool, group: &str) -> Cow<'static, str> {
    Cow::Owned(if wildcard { format!("*,{group}") } else { format!("{source},{group}") })
}

/// An address, as a prefix where it is one.
fn spelled(address: IpAddr, length: u8) -> String {
    let prefix = match address {
        IpAddr::V4(ip) if length < 32 => Prefix::v4(ip.octets(), length),
        IpAddr::V6(ip) if length < 128 => Prefix::v6(ip.octets(), length),
        _ => None,
    };
    prefix.map_or_else(|| address.to_string(), |prefix| prefix.to_string())
}

fn name(version: u8, kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "hello",
        1 => "register",
        2 => "register_stop",
        3 => "join_prune",
        4 if version < 2 => "rp_reachability",
        4 => "bootstrap",
        5 => "assert",
        6 => "graft",
        7 => "graft_ack",
        8 if version >= 2 => "candidate_rp",
        9 => "state_refresh",
        10 => "df_election",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_options() {
        let bytes = [0x20, 0, 0, 0, 0, 1, 0, 2, 0, 105, 0, 20, 0, 4, 1, 2, 3, 4, 0, 19, 0, 4, 0, 0, 0, 1];
        let mut pdu = Pdu::default();
        assert!(pdu.read(0, &bytes).is_ok());
        assert_eq!((pdu.holdtime_s, pdu.generation_id, pdu.dr_priority), (Some(105), Some(0x0102_0304), Some(1)));
    }

    #[test]
    fn joins_of_a_source_and_of_all() {
        let mut bytes = vec![0x23, 0, 0, 0, 1, 0, 10, 0, 0, 1, 0, 1, 0, 210, 1, 0, 0, 32, 239, 1, 1, 1, 0, 1, 0, 1];
        bytes.extend([1, 0, 7, 32, 10, 9, 9, 9]);
        bytes.extend([1, 0, 4, 32, 10, 8, 8, 8]);
        let mut pdu = Pdu::default();
        assert!(pdu.read(3, &bytes).is_ok());
        assert_eq!((pdu.upstream, pdu.holdtime_s), ("10.0.0.1".parse().ok(), Some(210)));
        assert_eq!((pdu.joins.as_slice(), pdu.prunes.as_slice()), (&["*,239.1.1.1".into()][..], &["10.8.8.8,239.1.1.1".into()][..]));
        assert!(Pdu::default().read(3, &bytes[..40]).is_err());
    }

    #[test]
    fn bootstrap_of_a_range() {
        let bytes = [0x24, 0, 0, 0, 0, 7, 30, 192, 1, 0, 10, 0, 0, 5, 1, 0, 0, 4, 224, 0, 0, 0, 1, 1, 0, 0, 1, 0, 10, 0, 0, 6, 0, 150, 0, 0];
        let mut pdu = Pdu::default();
        assert!(pdu.read(4, &bytes).is_ok());
        assert_eq!((pdu.bsr, pdu.bsr_priority), ("10.0.0.5".parse().ok(), Some(192)));
        assert_eq!((pdu.groups.as_slice(), pdu.rps.as_slice()), (&["224.0.0.0/4".into()][..], &["10.0.0.6".into()][..]));
    }
}
