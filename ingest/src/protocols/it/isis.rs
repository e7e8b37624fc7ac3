//! IS-IS (ISO/IEC 10589; RFC 1195 for IP, RFC 5305 and 5308 for wide metrics and IPv6), on LLC without IP.
//!
//! ```text
//! 0x83 | header length u8 | 1 | id length u8 (0: six) | PDU type, low 5 bits | 1 | 0 | areas u8 | fields of the type | TLVs
//! TLV: type u8 | length u8 | value
//! ```

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use pcapper_schema::tables::{Credentials, Isis, RoutingRoutes};

use super::prefix::Prefix;
use crate::packet::{Layer, Llc, Packet};
use crate::protocols::hex::joined;
use crate::protocols::{Cx, FrameDissector, FrameKind, Group, Outcome, Protocol, secrets};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol =
    Protocol { name: "isis", group: Group::It, frame: Some(FrameKind { claims, start: || Box::new(Dissector) }), ..Protocol::NONE };

/// LLC address of OSI's network layer.
const SAP: u8 = 0xfe;
/// Network layer protocol id of IS-IS.
const NLPID: u8 = 0x83;

fn claims(packet: &Packet<'_>) -> bool {
    pdu(packet).is_some_and(|bytes| bytes.first() == Some(&NLPID))
}

/// The PDU, from its protocol id on.
fn pdu<'a>(packet: &Packet<'a>) -> Option<&'a [u8]> {
    match packet.llc {
        Some(Llc::Sap { dsap: SAP, ssap: SAP, .. }) => Some(packet.payload),
        // Cisco HDLC puts an octet before it.
        None if packet.ether_type.is_none() && packet.layers.contains(&Layer::Chdlc) => packet.payload.split_first().map(|(_, rest)| rest),
        _ => None,
    }
}

/// A prefix of a link-state PDU.
#[derive(PartialEq, Debug)]
struct Route {
    prefix: Prefix,
    metric: u32,
    external: bool,
}

/// What a PDU says.
#[derive(Default)]
struct Pdu<'a> {
    kind: u8,
    system: Option<[u8; 6]>,
    circuit: Option<u8>,
    holding_time_s: Option<u16>,
    priority: Option<u8>,
    lan: Option<[u8; 7]>,
    state: Option<u8>,
    neighbors: Vec<Cow<'static, str>>,
    areas: Vec<Cow<'static, str>>,
    protocols: Vec<u8>,
    addresses: Vec<Cow<'static, str>>,
    lsp: Option<[u8; 8]>,
    sequence: Option<u32>,
    lifetime_s: Option<u16>,
    flags: Option<u8>,
    hostname: Option<Cow<'a, str>>,
    auth: Option<(u8, &'a [u8])>,
    entries: Vec<Cow<'static, str>>,
    tlvs: Vec<u8>,
    routes: Vec<Route>,
}

struct Dissector;

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let Some(bytes) = pdu(packet) else { return Outcome::NotMine };
        let mut pdu = Pdu::default();
        let whole = pdu.read(bytes);
        if pdu.kind == 0 {
            cx.anomaly("isis", "bad_length", "the header ends early, or is of another version or id length");
            return Outcome::NotMine;
        }
        emit(cx, &pdu);
        if whole.is_err() {
            cx.anomaly("isis", "bad_length", "a field reaches beyond its PDU");
        }
        Outcome::Decoded
    }
}

fn emit(cx: &mut Cx<'_>, pdu: &Pdu<'_>) {
    let system = pdu.system.map(|id| identifier(&id));
    let (lan, lsp) = (pdu.lan.map(|id| identifier(&id)), pdu.lsp.map(|id| identifier(&id)));
    let password = pdu.auth.filter(|(kind, _)| *kind == 1).map(|(_, value)| String::from_utf8_lossy(value));
    cx.emit(Isis {
        pdu_type: Some(pdu.kind),
        pdu_type_name: name(pdu.kind),
        level: level(pdu.kind),
        system_id: system.as_deref(),
        circuit_type: pdu.circuit,
        holding_time_s: pdu.holding_time_s,
        priority: pdu.priority,
        lan_id: lan.as_deref(),
        adjacency_state: pdu.state,
        neighbors: some(&pdu.neighbors),
        areas: some(&pdu.areas),
        protocols: some(&pdu.protocols),
        ip_addresses: some(&pdu.addresses),
        lsp_id: lsp.as_deref(),
        lsp_sequence: pdu.sequence,
        lsp_lifetime_s: pdu.lifetime_s,
        overload: pdu.flags.map(|flags| flags & 0x04 != 0),
        attached: pdu.flags.map(|flags| flags & 0x78 != 0),
        hostname: pdu.hostname.as_deref(),
        auth_type: pdu.auth.map(|(kind, _)| kind),
        auth_password: password.as_deref(),
        lsp_entries: some(&pdu.entries),
        tlv_types: some(&pdu.tlvs),
    });
    if let Some(password) = &password {
        cx.emit(Credentials {
            protocol: Some("isis"),
            kind: Some("password"),
            secret: Some(password),
            secret_id: secrets::id(password.as_bytes()).as_deref(),
            secret_length: u32::try_from(password.chars().count()).ok(),
            ..Credentials::default()
        });
    }
    let action = if pdu.lifetime_s == Some(0) { "withdraw" } else { "announce" };
    for route in &pdu.routes {
        let prefix = route.prefix.to_string();
        cx.emit(RoutingRoutes {
            protocol: Some("isis"),
            action: Some(action),
            prefix: Some(&prefix),
            prefix_len: Some(route.prefix.length),
            metric: Some(route.metric),
            router_id: system.as_deref(),
            external: Some(route.external),
            ..RoutingRoutes::default()
        });
    }
}

fn some<T>(values: &[T]) -> Option<&[T]> {
    (!values.is_empty()).then_some(values)
}

impl<'a> Pdu<'a> {
    fn read(&mut self, bytes: &'a [u8]) -> Wire<()> {
        let mut wire = Reader::new(bytes);
        let [_, header, version, id_length, kind, ..] = wire.array::<8>()?;
        if version != 1 || !matches!(id_length, 0 | 6) {
            return Err(Malformed);
        }
        let kind = kind & 0x1f;
        let length = match kind {
            15..=17 => {
                self.kind = kind;
                self.circuit = Some(wire.u8()? & 3);
                self.system = Some(wire.array()?);
                self.holding_time_s = Some(wire.be_u16()?);
                let length = wire.be_u16()?;
                if kind == 17 {
                    wire.skip(1)?;
                } else {
                    self.priority = Some(wire.u8()? & 0x7f);
                    self.lan = Some(wire.array()?);
                }
                length
            }
            18 | 20 => {
                self.kind = kind;
                let length = wire.be_u16()?;
                self.lifetime_s = Some(wire.be_u16()?);
                let id: [u8; 8] = wire.array()?;
                self.lsp = Some(id);
                self.system = id.first_chunk().copied();
                self.sequence = Some(wire.be_u32()?);
                wire.skip(2)?;
                self.flags = Some(wire.u8()?);
                length
            }
            24..=27 => {
                self.kind = kind;
                let length = wire.be_u16()?;
                self.system = wire.array::<7>()?.first_chunk().copied();
                // Complete ones say which range they are complete for.
                wire.skip(if kind < 26 { 16 } else { 0 })?;
                length
            }
            _ => return Err(Malformed),
        };
        let (header, length) = (usize::from(header), usize::from(length));
        let body = bytes.get(header.max(bytes.len() - wire.len())..length.min(bytes.len())).ok_or(Malformed)?;
        self.tlvs(&mut Reader::new(body))?;
        if length > bytes.len() { Err(Malformed) } else { Ok(()) }
    }

    fn tlvs(&mut self, wire: &mut Reader<'a>) -> Wire<()> {
        let mut fault = false;
        while !wire.is_empty() {
            let (kind, length) = (wire.u8()?, wire.u8()?);
            let value = wire.sub(length.into())?;
            self.tlvs.push(kind);
            fault |= self.tlv(kind, value).is_err();
        }
        if fault { Err(Malformed) } else { Ok(()) }
    }

    fn tlv(&mut self, kind: u8, mut value: Reader<'a>) -> Wire<()> {
        match kind {
            1 => {
                while !value.is_empty() {
                    let length = value.u8()?;
                    self.areas.push(Cow::Owned(area(value.take(length.into())?)));
                }
            }
            2 => {
                value.skip(1)?;
                while !value.is_empty() {
                    value.skip(4)?;
                    self.neighbors.push(Cow::Owned(identifier(&value.array::<7>()?)));
                }
            }
            6 => {
                while !value.is_empty() {
                    self.neighbors.push(Cow::Owned(joined(value.take(6)?, ":")));
                }
            }
            9 => {
                while !value.is_empty() {
                    value.skip(2)?;
                    self.entries.push(Cow::Owned(identifier(&value.array::<8>()?)));
                    value.skip(6)?;
                }
            }
            10 => self.auth = Some((value.u8()?, value.rest())),
            22 | 222 => {
                value.skip(if kind == 222 { 2 } else { 0 })?;
                while !value.is_empty() {
                    self.neighbors.push(Cow::Owned(identifier(&value.array::<7>()?)));
                    value.skip(3)?;
                    let length = value.u8()?;
                    value.skip(length.into())?;
                }
            }
            128 | 130 => {
                while !value.is_empty() {
                    let metric = value.u8()?;
                    value.skip(3)?;
                    let (address, mask) = (value.array::<4>()?, value.array::<4>()?);
                    if let Some(prefix) = Prefix::masked(address, mask) {
                        self.routes.push(Route { prefix, metric: u32::from(metric & 0x3f), external: kind == 130 });
                    }
                }
            }
            129 => self.protocols.extend_from_slice(value.rest()),
            132 => {
                while !value.is_empty() {
                    self.addresses.push(Cow::Owned(Ipv4Addr::from(value.array::<4>()?).to_string()));
                }
            }
            135 | 235 => {
                value.skip(if kind == 235 { 2 } else { 0 })?;
                while !value.is_empty() {
                    let (metric, control) = (value.be_u32()?, value.u8()?);
                    let prefix = Prefix::packed(&mut value, control & 0x3f, false)?;
                    // External or not is not told here (RFC 7794 has a sub-TLV for it).
                    self.routes.push(Route { prefix, metric, external: false });
                    sub_tlvs(&mut value, control & 0x40 != 0)?;
                }
            }
            137 => self.hostname = Some(String::from_utf8_lossy(value.rest())).filter(|name| !name.is_empty()),
            232 => {
                while !value.is_empty() {
                    self.addresses.push(Cow::Owned(Ipv6Addr::from(value.array::<16>()?).to_string()));
                }
            }
            236 | 237 => {
                value.skip(if kind == 237 { 2 } else { 0 })?;
                while !value.is_empty() {
                    let (metric, control, length) = (value.be_u32()?, value.u8()?, value.u8()?);
                    let prefix = Prefix::packed(&mut value, length, true)?;
                    self.routes.push(Route { prefix, metric, external: control & 0x40 != 0 });
                    sub_tlvs(&mut value, control & 0x20 != 0)?;
                }
            }
            240 => self.state = Some(value.u8()?),
            _ => {}
        }
        Ok(())
    }
}

fn sub_tlvs(wire: &mut Reader<'_>, present: bool) -> Wire<()> {
    let length = if present { wire.u8()? } else { 0 };
    wire.skip(length.into())
}

/// A system id in groups of two octets, its pseudonode number behind a dot, a fragment's number behind a dash.
fn identifier(octets: &[u8]) -> String {
    let mut text = String::with_capacity(20);
    for (index, octet) in octets.iter().enumerate() {
        text.push_str(match index {
            2 | 4 | 6 => ".",
            7 => "-",
            _ => "",
        });
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// An area address: its first octet, then groups of two.
fn area(octets: &[u8]) -> String {
    let mut text = String::new();
    for (index, octet) in octets.iter().enumerate() {
        text.push_str(if index % 2 == 1 { "." } else { "" });
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn level(kind: u8) -> Option<u8> {
    match kind {
        15 | 18 | 24 | 26 => Some(1),
        16 | 20 | 25 | 27 => Some(2),
        _ => None,
    }
}

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        15 => "l1_hello",
        16 => "l2_hello",
        17 => "p2p_hello",
        18 => "l1_lsp",
        20 => "l2_lsp",
        24 => "l1_csnp",
        25 => "l2_csnp",
        26 => "l1_psnp",
        27 => "l2_psnp",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_state_pdu() {
        let mut bytes = vec![0x83, 27, 1, 0, 18, 1, 0, 0, 0, 64, 4, 0xb0, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0, 0, 0, 0, 0, 5, 0, 0, 0x0f];
        bytes.extend([1, 4, 3, 0x49, 0, 1, 137, 2, b'R', b'2', 135, 8, 0, 0, 0, 10, 24, 10, 1, 2]);
        bytes.extend([2, 12, 0, 10, 0x80, 0x80, 0x80, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 2, 240, 1, 0]);
        let mut pdu = Pdu::default();
        assert_eq!(pdu.read(&bytes), Ok(()));
        assert_eq!(
            (identifier(&pdu.lsp.unwrap()).as_str(), pdu.sequence, pdu.flags, pdu.lifetime_s),
            ("2222.2222.2222.00-00", Some(5), Some(0x0f), Some(1200))
        );
        assert_eq!(
            (pdu.hostname.as_deref(), &pdu.areas[..], &pdu.neighbors[..]),
            (Some("R2"), &["49.0001".into()][..], &["3333.3333.3333.02".into()][..])
        );
        assert_eq!(pdu.routes, [Route { prefix: Prefix::v4([10, 1, 2, 0], 24).unwrap(), metric: 10, external: false }]);
        assert_eq!(pdu.tlvs, [1, 137, 135, 2, 240]);
        let mut pdu = Pdu::default();
        assert!(pdu.read(&bytes[..40]).is_err() && pdu.kind == 18);
    }
}
