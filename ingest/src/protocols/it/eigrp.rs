//! EIGRP (RFC 7868), IP protocol 88.
//!
//! ```text
//! version u8 | opcode u8 | checksum u16 | flags u32 | sequence u32 | ack u32 | virtual router u16 | AS u16 | TLVs
//! TLV: type u16 | length u16, header included | value
//! ```

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcapper_schema::tables::{Eigrp, RoutingRoutes};

use super::prefix::Prefix;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "eigrp",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[88], probe, start: || Box::new(Messages) }),
    ..Protocol::NONE
};

const HEADER: usize = 20;
const HELLO: u8 = 5;
const INIT: u32 = 1;

fn probe(offer: &Offer<'_>) -> Verdict {
    if is_eigrp(offer.current()) { Verdict::Yes } else { Verdict::No }
}

fn is_eigrp(payload: &[u8]) -> bool {
    payload.len() >= HEADER && matches!(payload, [1..=2, 1..=11, ..])
}

/// A destination that a message carries.
#[derive(PartialEq, Debug)]
struct Route {
    prefix: Prefix,
    next_hop: Option<IpAddr>,
    tag: Option<u32>,
    /// Who brought it into the protocol.
    origin: Option<Ipv4Addr>,
    external: bool,
    unreachable: bool,
}

/// What the TLVs say.
#[derive(Default, PartialEq, Debug)]
struct Body {
    k_values: Option<[u8; 6]>,
    hold_time_s: Option<u16>,
    software: Option<String>,
    tlv_version: Option<String>,
    auth: Option<(u16, u32)>,
    stub: Option<u16>,
    routes: Vec<Route>,
}

struct Messages;

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if !is_eigrp(payload) {
            return Outcome::NotMine;
        }
        if message(cx, payload).is_err() {
            cx.anomaly("eigrp", "bad_length", "a field reaches beyond its message");
        }
        Outcome::Decoded
    }
}

fn message(cx: &mut Cx<'_>, payload: &[u8]) -> Wire<()> {
    let mut wire = Reader::new(payload);
    let (version, opcode) = (wire.u8()?, wire.u8()?);
    wire.skip(2)?;
    let (flags, sequence, ack) = (wire.be_u32()?, wire.be_u32()?, wire.be_u32()?);
    let (virtual_router, asn) = (wire.be_u16()?, wire.be_u16()?);
    let mut body = Body::default();
    let whole = body.read(&mut wire);
    let texts = |unreachable: bool| -> Vec<Cow<'static, str>> {
        body.routes
            .iter()
            .filter(|route| route.unreachable == unreachable || !unreachable)
            .map(|route| Cow::Owned(route.prefix.to_string()))
            .collect()
    };
    let (prefixes, unreachable) = (texts(false), texts(true));
    cx.emit(Eigrp {
        version: Some(version),
        opcode: Some(opcode),
        opcode_name: name(opcode, ack),
        flags: Some(flags),
        init: Some(flags & INIT != 0),
        sequence: Some(sequence),
        ack: Some(ack),
        virtual_router_id: Some(virtual_router),
        asn: Some(asn),
        k_values: body.k_values.as_ref().map(|values| values.as_slice()),
        hold_time_s: body.hold_time_s,
        // A peer that takes its leave (RFC 7868 5.3.2).
        goodbye: body.k_values.map(|[one, two, three, four, five, _]| [one, two, three, four, five] == [255; 5]),
        software_version: body.software.as_deref(),
        tlv_version: body.tlv_version.as_deref(),
        auth_type: body.auth.map(|(kind, _)| kind),
        auth_key_id: body.auth.map(|(_, key)| key),
        stub_options: body.stub,
        prefixes: (!prefixes.is_empty()).then_some(prefixes.as_slice()),
        unreachable_prefixes: (!unreachable.is_empty()).then_some(unreachable.as_slice()),
    });
    // Queries ask for a route; only updates and replies state one.
    if matches!(opcode, 1 | 4 | 11) {
        let sender = cx.common(cx.dir).src_ip;
        for route in &body.routes {
            let prefix = route.prefix.to_string();
            let next_hop = route.next_hop.or(sender).map(|ip| ip.to_string());
            let origin = route.origin.map(|id| id.to_string());
            cx.emit(RoutingRoutes {
                protocol: Some("eigrp"),
                action: Some(if route.unreachable { "withdraw" } else { "announce" }),
                prefix: Some(&prefix),
                prefix_len: Some(route.prefix.length),
                next_hop: next_hop.as_deref(),
                tag: route.tag,
                router_id: origin.as_deref(),
                external: Some(route.external),
                ..RoutingRoutes::default()
            });
        }
    }
    whole
}

impl Body {
    fn read(&mut self, wire: &mut Reader<'_>) -> Wire<()> {
        while !wire.is_empty() {
            let (kind, length) = (wire.be_u16()?, wire.be_u16()?);
            let mut value = wire.sub(usize::from(length).checked_sub(4).ok_or(Malformed)?)?;
            match kind {
                0x0001 => {
                    self.k_values = Some(value.array()?);
                    self.hold_time_s = Some(value.be_u16()?);
                }
                0x0002 => {
                    let algorithm = value.be_u16()?;
                    value.skip(2)?;
                    self.auth = Some((algorithm, value.be_u32()?));
                }
                0x0004 => {
                    let [major, minor, tlv_major, tlv_minor] = value.array()?;
                    self.software = Some(format!("{major}.{minor}"));
                    self.tlv_version = Some(format!("{tlv_major}.{tlv_minor}"));
                }
                0x0006 => self.stub = Some(value.be_u16()?),
                0x0102 | 0x0103 | 0x0402 | 0x0403 => self.classic(&mut value, kind >= 0x0400, kind & 1 != 0)?,
                0x0602 | 0x0603 => self.wide(&mut value, kind & 1 != 0)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Internal and external routes with metrics of 32 bits (RFC 7868 6.6).
    fn classic(&mut self, wire: &mut Reader<'_>, v6: bool, external: bool) -> Wire<()> {
        let next_hop = address(wire, v6)?;
        let (origin, tag) = if external { originator(wire)? } else { (None, None) };
        let unreachable = wire.be_u32()? == u32::MAX;
        // Bandwidth, MTU and hop count, reliability, load, tag and flags.
        wire.skip(12)?;
        self.destinations(wire, v6, Route { prefix: NOWHERE, next_hop, tag, origin, external, unreachable })
    }

    /// Routes of any family with metrics of 64 bits (RFC 7868 6.9); other families than IPv4 and IPv6 are passed over.
    fn wide(&mut self, wire: &mut Reader<'_>, external: bool) -> Wire<()> {
        wire.skip(2)?;
        let family = wire.be_u16()?;
        let router: [u8; 4] = wire.array()?;
        let attributes = usize::from(wire.u8()?) * 2;
        wire.skip(7)?;
        let unreachable = wire.array::<6>()? == [0xff; 6];
        // Bandwidth, reserved, opaque flags.
        wire.skip(10)?;
        wire.skip(attributes)?;
        let v6 = match family {
            1 => false,
            2 => true,
            _ => return Ok(()),
        };
        let next_hop = address(wire, v6)?;
        let (origin, tag) = if external { originator(wire)? } else { (Some(Ipv4Addr::from(router)), None) };
        self.destinations(wire, v6, Route { prefix: NOWHERE, next_hop, tag, origin, external, unreachable })
    }

    /// Prefixes to the end of the TLV, which share what `about` says.
    fn destinations(&mut self, wire: &mut Reader<'_>, v6: bool, about: Route) -> Wire<()> {
        while !wire.is_empty() {
            let length = wire.u8()?;
            let prefix = Prefix::packed(wire, length, v6)?;
            self.routes.push(Route { prefix, ..about });
        }
        Ok(())
    }
}

const NOWHERE: Prefix = Prefix { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), length: 0 };

/// A next hop; the unspecified address means the sender.
fn address(wire: &mut Reader<'_>, v6: bool) -> Wire<Option<IpAddr>> {
    let ip: IpAddr = if v6 { Ipv6Addr::from(wire.array::<16>()?).into() } else { Ipv4Addr::from(wire.array::<4>()?).into() };
    Ok(Some(ip).filter(|ip| !ip.is_unspecified()))
}

/// What external routes say of where they come from: router, AS, tag, metric, protocol, flags.
fn originator(wire: &mut Reader<'_>) -> Wire<(Option<Ipv4Addr>, Option<u32>)> {
    let router = Ipv4Addr::from(wire.array::<4>()?);
    wire.skip(4)?;
    let tag = wire.be_u32()?;
    wire.skip(8)?;
    Ok((Some(router), Some(tag)))
}

/// A hello that acknowledges something is an acknowledgement.
fn name(opcode: u8, ack: u32) -> Option<&'static str> {
    Some(match opcode {
        1 => "update",
        2 => "request",
        3 => "query",
        4 => "reply",
        HELLO if ack != 0 => "ack",
        HELLO => "hello",
        10 => "sia_query",
        11 => "sia_reply",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_versions() {
        let mut body = Body::default();
        let hello = [0, 1, 0, 12, 1, 0, 1, 0, 0, 0, 0, 15, 0, 4, 0, 8, 12, 4, 1, 2];
        assert_eq!(body.read(&mut Reader::new(&hello)), Ok(()));
        assert_eq!((body.k_values, body.hold_time_s), (Some([1, 0, 1, 0, 0, 0]), Some(15)));
        assert_eq!((body.software.as_deref(), body.tlv_version.as_deref()), (Some("12.4"), Some("1.2")));
        assert!(Body::default().read(&mut Reader::new(&hello[..10])).is_err());
    }

    #[test]
    fn internal_route_lost() {
        let mut tlv = vec![1, 2, 0, 28, 0, 0, 0, 0, 255, 255, 255, 255];
        tlv.extend([0; 12]);
        tlv.extend([24, 192, 168, 4]);
        let mut body = Body::default();
        assert_eq!(body.read(&mut Reader::new(&tlv)), Ok(()));
        let [route] = body.routes.as_slice() else { panic!("one route") };
        assert_eq!((route.prefix.to_string().as_str(), route.next_hop, route.unreachable, route.external), ("192.168.4.0/24", None, true, false));
        assert_eq!((name(5, 0), name(5, 7), name(3, 0)), (Some("hello"), Some("ack"), Some("query")));
    }
}
