//! LLDP (IEEE 802.1AB), with the TLVs of 802.1, 802.3, LLDP-MED (ANSI/TIA-1057), PROFINET (IEC 61158-6-10) and MUD (RFC 8520).
//!
//! ```text
//! type 7 bits | length 9 bits | value      chassis id, port id and time to live first, in this order; an end TLV closes
//! type 127: OUI 3 octets | subtype u8 | value
//! ```

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use pcapper_schema::Mac;
use pcapper_schema::tables::Lldp;

use super::announcements::{Announcements, Fingerprint, hash};
use crate::packet::{Llc, Packet};
use crate::protocols::hex::joined;
use crate::protocols::{Cx, FrameDissector, FrameKind, Group, Outcome, Protocol};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol =
    Protocol { name: "lldp", group: Group::Link, frame: Some(FrameKind { claims, start: || Box::<Dissector>::default() }), ..Protocol::NONE };

const ETHER_TYPE: u16 = 0x88cc;

const IEEE_802_1: [u8; 3] = [0x00, 0x80, 0xc2];
const IEEE_802_3: [u8; 3] = [0x00, 0x12, 0x0f];
const MED: [u8; 3] = [0x00, 0x12, 0xbb];
const PROFINET: [u8; 3] = [0x00, 0x0e, 0xcf];
const IANA: [u8; 3] = [0x00, 0x00, 0x5e];

fn claims(packet: &Packet<'_>) -> bool {
    match packet.llc {
        Some(Llc::Snap { pid, .. }) if packet.ether_type.is_none() => pid == ETHER_TYPE,
        _ => packet.ether_type == Some(ETHER_TYPE),
    }
}

type Texts = Vec<Cow<'static, str>>;

/// What a message says.
#[derive(Default, Hash)]
struct Pdu<'a> {
    chassis: Option<(u8, &'a [u8])>,
    port: Option<(u8, &'a [u8])>,
    ttl_s: Option<u16>,
    port_description: Option<Cow<'a, str>>,
    system_name: Option<Cow<'a, str>>,
    system_description: Option<Cow<'a, str>>,
    capabilities: Option<(u16, u16)>,
    management_addresses: Texts,
    management_oids: Texts,
    port_vlan_id: Option<u16>,
    vlan_names: Texts,
    max_frame_size: Option<u16>,
    autoneg: Option<String>,
    poe_class: Option<String>,
    med_class: Option<&'static str>,
    med_vlan: Option<u16>,
    med_inventory: Texts,
    /// Name a PROFINET alias TLV gives.
    alias: Option<Cow<'a, str>>,
    /// PROFINET's OUI was met.
    is_profinet: bool,
    mud_url: Option<Cow<'a, str>>,
    unknown_tlvs: Texts,
}

/// How a message is broken, as in `malformed`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    MissingMandatory,
    BadTlvLength,
    BadOrder,
    Truncated,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::MissingMandatory => "missing_mandatory",
            Self::BadTlvLength => "bad_tlv_length",
            Self::BadOrder => "bad_order",
            Self::Truncated => "truncated",
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::MissingMandatory => "chassis id, port id or time to live is missing",
            Self::BadTlvLength => "a TLV reaches beyond the message, or is shorter than its fields",
            Self::BadOrder => "TLVs out of order, or twice where one is allowed",
            Self::Truncated => "the frame was captured in part",
        }
    }
}

impl<'a> Pdu<'a> {
    /// Reads all TLVs; `cut`: the frame was captured in part.
    fn read(bytes: &'a [u8], cut: bool) -> (Self, Option<Fault>) {
        let mut pdu = Self::default();
        let mut fault = None;
        let mut wire = Reader::new(bytes);
        let mut seen = 0_u8;
        let mut in_order = true;
        let mut position = 0_u8;
        while !wire.is_empty() {
            let tlv = wire.be_u16().and_then(|header| Ok(((header >> 9) as u8, wire.take(usize::from(header & 0x1ff))?)));
            let Ok((kind, value)) = tlv else {
                fault = Some(if cut { Fault::Truncated } else { Fault::BadTlvLength });
                break;
            };
            if kind == 0 {
                break;
            }
            position = position.saturating_add(1);
            // The first three have their places; all but management addresses and organizations' own come once.
            in_order &= (position > 3 || kind == position) && (kind > 7 || seen & (1 << kind) == 0);
            seen |= 1_u8.checked_shl(kind.into()).unwrap_or(0);
            if pdu.tlv(kind, value).is_err() {
                fault = fault.or(Some(Fault::BadTlvLength));
            }
        }
        let fault = fault.or(match () {
            () if seen & 0b1110 != 0b1110 => Some(if cut { Fault::Truncated } else { Fault::MissingMandatory }),
            () if !in_order => Some(Fault::BadOrder),
            () => None,
        });
        (pdu, fault)
    }

    fn tlv(&mut self, kind: u8, value: &'a [u8]) -> Wire<()> {
        let mut wire = Reader::new(value);
        match kind {
            1 => self.chassis = self.chassis.or(Some(identifier(&mut wire)?)),
            2 => self.port = self.port.or(Some(identifier(&mut wire)?)),
            3 => self.ttl_s = self.ttl_s.or(Some(wire.be_u16()?)),
            4 => self.port_description = text(value).map(one_line),
            5 => self.system_name = text(value).map(one_line),
            6 => self.system_description = text(value).map(one_line),
            7 => self.capabilities = Some((wire.be_u16()?, wire.be_u16()?)),
            8 => self.management_address(&mut wire)?,
            127 => {
                let (oui, subtype) = (wire.array::<3>()?, wire.u8()?);
                if !self.organization(oui, subtype, &mut wire)? {
                    let [a, b, c] = oui;
                    self.unknown_tlvs.push(format!("127/{a:02x}-{b:02x}-{c:02x}/{subtype}").into());
                }
            }
            _ => self.unknown_tlvs.push(kind.to_string().into()),
        }
        Ok(())
    }

    fn management_address(&mut self, wire: &mut Reader<'a>) -> Wire<()> {
        let mut address = Reader::new(octets(wire)?);
        let family = address.u8()?;
        self.management_addresses.push(network_address(family, address.rest()).into());
        // Interface numbering and number.
        wire.skip(5)?;
        let oid = octets(wire)?;
        self.management_oids.extend(object_identifier(oid).map(Cow::Owned));
        Ok(())
    }

    /// A TLV of an organization; false if its subtype is none of those decoded.
    fn organization(&mut self, oui: [u8; 3], subtype: u8, wire: &mut Reader<'a>) -> Wire<bool> {
        match (oui, subtype) {
            (IEEE_802_1, 1) => self.port_vlan_id = Some(wire.be_u16()?),
            (IEEE_802_1, 3) => {
                let id = wire.be_u16()?;
                let name = octets(wire)?;
                self.vlan_names.push(format!("{id} {}", text(name).unwrap_or_default()).trim_end().to_owned().into());
            }
            (IEEE_802_3, 1) => {
                let status = wire.u8()?;
                self.autoneg = Some(advertised(status, wire.be_u16()?));
            }
            (IEEE_802_3, 2) => {
                let (support, _pairs, class) = (wire.u8()?, wire.u8()?, wire.u8()?);
                self.poe_class = Some(power_class(support, class));
            }
            (IEEE_802_3, 4) => self.max_frame_size = Some(wire.be_u16()?),
            (MED, 1) => {
                wire.skip(2)?;
                self.med_class = match wire.u8()? {
                    1 => Some("endpoint_class_1"),
                    2 => Some("endpoint_class_2"),
                    3 => Some("endpoint_class_3"),
                    4 => Some("network_connectivity"),
                    _ => None,
                };
            }
            (MED, 2) => {
                wire.skip(1)?;
                let policy = wire.be_u24()?;
                // An unknown policy (the top bit) has no VLAN.
                if policy & 0x80_0000 == 0 && self.med_vlan.is_none() {
                    self.med_vlan = Some((policy >> 9 & 0xfff) as u16);
                }
            }
            (MED, 5..=11) => {
                let name = ["hardware", "firmware", "software", "serial", "manufacturer", "model", "asset"].get(usize::from(subtype) - 5);
                if let (Some(name), Some(value)) = (name, text(wire.rest())) {
                    self.med_inventory.push(format!("{name}={value}").into());
                }
            }
            (PROFINET, _) => {
                self.is_profinet = true;
                if subtype != 3 {
                    return Ok(false);
                }
                self.alias = text(wire.rest());
            }
            (IANA, 1) => self.mud_url = text(wire.rest()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The PROFINET name of the announcing device: of its alias, of its port id `port-001.name`, or its chassis id where that is
    /// the station's name (IEC 61158-6-10 4.3).
    fn profinet_station(&self) -> Option<String> {
        if !self.is_profinet {
            return None;
        }
        if let Some(alias) = &self.alias {
            return Some(alias.clone().into_owned());
        }
        let local = |id: Option<(u8, &'a [u8])>| id.filter(|(subtype, _)| *subtype == 7).and_then(|(_, id)| text(id));
        let port = local(self.port);
        if let Some(name) = port.as_deref().filter(|port| port.starts_with("port-")).and_then(|port| port.split_once('.')) {
            return Some(name.1.to_owned()).filter(|name| !name.is_empty());
        }
        local(self.chassis).map(|name| name.trim_end().to_owned())
    }

    /// A hash of each column that should not change while a port lives.
    fn fingerprint(&self) -> Fingerprint<18> {
        [
            ("ttl_s", hash(self.ttl_s)),
            ("port_description", hash(&self.port_description)),
            ("system_name", hash(&self.system_name)),
            ("system_description", hash(&self.system_description)),
            ("capabilities", hash(self.capabilities.map(|(all, _)| all))),
            ("enabled_capabilities", hash(self.capabilities.map(|(_, enabled)| enabled))),
            ("management_addresses", hash(&self.management_addresses)),
            ("management_oids", hash(&self.management_oids)),
            ("port_vlan_id", hash(self.port_vlan_id)),
            ("vlan_names", hash(&self.vlan_names)),
            ("max_frame_size", hash(self.max_frame_size)),
            ("autoneg", hash(&self.autoneg)),
            ("poe_class", hash(&self.poe_class)),
            ("med_class", hash(self.med_class)),
            ("med_vlan", hash(self.med_vlan)),
            ("med_inventory", hash(&self.med_inventory)),
            ("profinet_station", hash(self.profinet_station())),
            ("mud_url", hash(&self.mud_url)),
        ]
    }
}

/// Subtype and value of a chassis or port id: one octet at the least.
fn identifier<'a>(wire: &mut Reader<'a>) -> Wire<(u8, &'a [u8])> {
    let subtype = wire.u8()?;
    Some((subtype, wire.rest())).filter(|(_, id)| !id.is_empty()).ok_or(Malformed)
}

/// Bytes with their length in an octet before them.
fn octets<'a>(wire: &mut Reader<'a>) -> Wire<&'a [u8]> {
    let length = wire.u8()?;
    wire.take(length.into())
}

/// Text without the zeros that some pad it with; `None` if nothing is left.
fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let end = bytes.iter().rposition(|octet| *octet != 0)?;
    Some(String::from_utf8_lossy(bytes.get(..=end)?))
}

/// Text of several lines as one: descriptions are copyright notices and the like, and compared and listed as one value.
fn one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(['\n', '\r', '\t']) { Cow::Owned(text.replace('\r', "\\r").replace('\n', "\\n").replace('\t', "\\t")) } else { text }
}

/// An address of an IANA address family (1 IPv4, 2 IPv6, 6 hardware).
fn network_address(family: u8, address: &[u8]) -> String {
    match (family, address.len()) {
        (1, 4) => address.first_chunk::<4>().map(|address| Ipv4Addr::from(*address).to_string()),
        (2, 16) => address.first_chunk::<16>().map(|address| Ipv6Addr::from(*address).to_string()),
        _ => None,
    }
    .unwrap_or_else(|| joined(address, ":"))
}

/// A chassis or port id as text; `mac` and `network` are the subtypes of these notations, all others name things in text.
fn notation(id: (u8, &[u8]), mac: u8, network: u8) -> String {
    let (subtype, value) = id;
    if subtype == mac {
        return joined(value, ":");
    }
    if subtype == network
        && let Some((family, address)) = value.split_first()
    {
        return network_address(*family, address);
    }
    match text(value) {
        Some(name) if std::str::from_utf8(value).is_ok() && !name.chars().any(char::is_control) => name.into_owned(),
        _ => joined(value, ":"),
    }
}

/// The contents of an ASN.1 object identifier, dotted (X.690 8.19).
fn object_identifier(contents: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut arc = 0_u64;
    for octet in contents {
        arc = arc.checked_mul(128)?.checked_add(u64::from(octet & 0x7f))?;
        if octet & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let root = (arc / 40).min(2);
            text = format!("{root}.{}", arc - root * 40);
        } else {
            text.push('.');
            text.push_str(&arc.to_string());
        }
        arc = 0;
    }
    Some(text).filter(|text| !text.is_empty())
}

/// 802.3 auto-negotiation: what is advertised, or that it is not used (IEEE 802.3 79.3.1, RFC 4836 for the bits).
fn advertised(status: u8, abilities: u16) -> String {
    const SPEEDS: [(u16, &str); 11] = [
        (0x4000, "10BASE-T"),
        (0x2000, "10BASE-T-FD"),
        (0x1000, "100BASE-T4"),
        (0x0800, "100BASE-TX"),
        (0x0400, "100BASE-TX-FD"),
        (0x0200, "100BASE-T2"),
        (0x0100, "100BASE-T2-FD"),
        (0x0008, "1000BASE-X"),
        (0x0004, "1000BASE-X-FD"),
        (0x0002, "1000BASE-T"),
        (0x0001, "1000BASE-T-FD"),
    ];
    // Some send the bits in reverse. It shows where a port would have both pluggable and copper gigabit.
    let abilities = if abilities & 0x000c != 0 && abilities & 0x0003 != 0 { abilities.reverse_bits() } else { abilities };
    match status & 3 {
        3 if abilities & 0x8000 == 0 || abilities & 0x7f0f != 0 => {
            let names: Vec<&str> = SPEEDS.iter().filter(|(bit, _)| abilities & bit != 0).map(|(_, name)| *name).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(" ") }
        }
        3 => "other".to_owned(),
        1 => "disabled".to_owned(),
        _ => "unsupported".to_owned(),
    }
}

/// 802.3 power via MDI: role, class and, of a source, its state (IEEE 802.3 79.3.2; the class is sent one too high).
fn power_class(support: u8, class: u8) -> String {
    let role = if support & 1 == 0 { "pd" } else { "pse" };
    let state = match support & 7 {
        1 | 5 => " unsupported",
        3 => " disabled",
        7 => " enabled",
        _ => "",
    };
    match class.checked_sub(1) {
        Some(class) => format!("{role} class {class}{state}"),
        None => format!("{role}{state}"),
    }
}

/// Names of the capability bits, from the lowest (IEEE 802.1AB table 8-4).
const CAPABILITIES: [&str; 11] =
    ["other", "repeater", "bridge", "wlan_ap", "router", "telephone", "docsis", "station", "c_vlan", "s_vlan", "two_port_mac_relay"];

fn capability_names(bits: u16) -> Vec<Cow<'static, str>> {
    CAPABILITIES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0).map(|(_, name)| Cow::Borrowed(*name)).collect()
}

fn some<T>(list: &[T]) -> Option<&[T]> {
    Some(list).filter(|list| !list.is_empty())
}

/// What identifies an announcing port. A port may announce to several group addresses, each time something else.
type Port = (Option<Mac>, Option<u16>, Box<[u8]>);

/// The last announcement of each port.
#[derive(Default)]
struct Dissector {
    announced: Announcements<Port, 18>,
}

impl Dissector {
    /// Names of the columns that differ from the port's announcement before.
    fn changes(&mut self, packet: &Packet<'_>, pdu: &Pdu<'_>) -> Vec<Cow<'static, str>> {
        let (Some(chassis), Some(port)) = (pdu.chassis, pdu.port) else { return Vec::new() };
        let mut id = vec![chassis.0, port.0, chassis.1.len() as u8];
        id.extend_from_slice(chassis.1);
        id.extend_from_slice(port.1);
        // A shutdown says no more than the port's name; what comes after it is a new start.
        let now = (pdu.ttl_s != Some(0)).then(|| pdu.fingerprint());
        self.announced.changes((packet.dst_mac, packet.vlan_id, id.into_boxed_slice()), now)
    }
}

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let cut = packet.payload.len() < packet.payload_len as usize;
        let (pdu, fault) = Pdu::read(packet.payload, cut);
        if let Some(fault) = fault {
            let kind = if fault == Fault::Truncated { "truncated_header" } else { "bad_length" };
            cx.anomaly("lldp", if matches!(fault, Fault::BadOrder | Fault::MissingMandatory) { "unexpected_state" } else { kind }, fault.detail());
        }
        let changed_fields = if fault.is_none() { self.changes(packet, &pdu) } else { Vec::new() };
        let chassis_id = pdu.chassis.map(|id| notation(id, 4, 5));
        let port_id = pdu.port.map(|id| notation(id, 3, 4));
        let capabilities = pdu.capabilities.map(|(all, _)| capability_names(all));
        let enabled_capabilities = pdu.capabilities.map(|(_, enabled)| capability_names(enabled));
        let profinet_station = pdu.profinet_station();
        cx.emit(Lldp {
            vlan_id: packet.vlan_id,
            chassis_subtype: pdu.chassis.map(|(subtype, _)| subtype),
            chassis_id: chassis_id.as_deref(),
            chassis_mac: pdu.chassis.filter(|(subtype, _)| *subtype == 4).and_then(|(_, id)| id.try_into().ok().map(Mac)),
            port_subtype: pdu.port.map(|(subtype, _)| subtype),
            port_id: port_id.as_deref(),
            ttl_s: pdu.ttl_s,
            port_description: pdu.port_description.as_deref(),
            system_name: pdu.system_name.as_deref(),
            system_description: pdu.system_description.as_deref(),
            capabilities: capabilities.as_deref(),
            enabled_capabilities: enabled_capabilities.as_deref(),
            management_addresses: some(&pdu.management_addresses),
            management_oids: some(&pdu.management_oids),
            port_vlan_id: pdu.port_vlan_id,
            vlan_names: some(&pdu.vlan_names),
            max_frame_size: pdu.max_frame_size,
            autoneg: pdu.autoneg.as_deref(),
            poe_class: pdu.poe_class.as_deref(),
            med_class: pdu.med_class,
            med_vlan: pdu.med_vlan,
            med_inventory: some(&pdu.med_inventory),
            profinet_station: profinet_station.as_deref(),
            mud_url: pdu.mud_url.as_deref(),
            unknown_tlvs: some(&pdu.unknown_tlvs),
            changed_fields: some(&changed_fields),
            malformed: fault.map(Fault::name),
        });
        Outcome::Decoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
        let mut bytes = (u16::from(kind) << 9 | value.len() as u16).to_be_bytes().to_vec();
        bytes.extend_from_slice(value);
        bytes
    }

    fn mandatory() -> Vec<u8> {
        [tlv(1, &[4, 0, 0x1b, 0x1b, 0x34, 0x34, 0xcb]), tlv(2, b"\x07port-003.plc-1"), tlv(3, &[0, 20])].concat()
    }

    #[test]
    fn reads_tlvs_of_all_organizations() {
        let mut bytes = mandatory();
        bytes.extend(tlv(6, b"IOS 12.2\r\nCopyright\0"));
        bytes.extend(tlv(7, &[0, 0x14, 0, 4]));
        bytes.extend(tlv(8, &[5, 1, 10, 10, 10, 70, 2, 0, 0, 0, 1, 8, 0x2b, 6, 1, 4, 1, 0x81, 0xc0, 0x6e]));
        bytes.extend(tlv(127, &[0, 0x80, 0xc2, 3, 0, 5, 3, b'o', b'p', b's']));
        bytes.extend(tlv(127, &[0, 0x12, 0x0f, 1, 3, 0x6c, 0x01, 0, 16]));
        bytes.extend(tlv(127, &[0, 0x12, 0x0f, 2, 7, 1, 5]));
        bytes.extend(tlv(127, &[0, 0x12, 0xbb, 2, 1, 0x40, 0xc9, 0x6e]));
        bytes.extend(tlv(127, b"\x00\x12\xbb\x08SN-1"));
        bytes.extend(tlv(127, &[0, 0x0e, 0xcf, 2, 0, 0, 0, 0]));
        bytes.extend(tlv(9, &[]));
        bytes.extend(tlv(0, &[]));
        let (pdu, fault) = Pdu::read(&bytes, false);
        assert!(fault.is_none());
        assert_eq!(pdu.chassis.map(|id| notation(id, 4, 5)).as_deref(), Some("00:1b:1b:34:34:cb"));
        assert_eq!(pdu.ttl_s, Some(20));
        assert_eq!(pdu.system_description.as_deref(), Some(r"IOS 12.2\r\nCopyright"));
        assert_eq!(pdu.capabilities.map(|(all, _)| capability_names(all)), Some(vec!["bridge".into(), "router".into()]));
        assert_eq!(pdu.management_addresses, ["10.10.10.70"]);
        assert_eq!(pdu.management_oids, ["1.3.6.1.4.1.24686"]);
        assert_eq!(pdu.vlan_names, ["5 ops"]);
        assert_eq!(pdu.autoneg.as_deref(), Some("10BASE-T 10BASE-T-FD 100BASE-TX 100BASE-TX-FD 1000BASE-T-FD"));
        assert_eq!(pdu.poe_class.as_deref(), Some("pse class 4 enabled"));
        assert_eq!(pdu.med_vlan, Some(100));
        assert_eq!(pdu.med_inventory, ["serial=SN-1"]);
        assert_eq!(pdu.profinet_station().as_deref(), Some("plc-1"));
        assert_eq!(pdu.unknown_tlvs, ["127/00-0e-cf/2", "9"]);
    }

    #[test]
    fn abilities_in_reverse() {
        assert_eq!(advertised(3, 0x0036), "10BASE-T 10BASE-T-FD 100BASE-TX 100BASE-TX-FD");
        assert_eq!(advertised(3, 0x0001), "1000BASE-T-FD");
        assert_eq!(advertised(1, 0x6c00), "disabled");
    }

    #[test]
    fn names_what_is_broken() {
        let fault = |bytes: &[u8], cut| Pdu::read(bytes, cut).1.map(Fault::name);
        let sound = mandatory();
        assert_eq!(fault(&sound, false), None);
        assert_eq!(fault(&sound[9..], false), Some("missing_mandatory"));
        assert_eq!(fault(&sound[..20], false), Some("bad_tlv_length"));
        assert_eq!(fault(&sound[..20], true), Some("truncated"));
        assert_eq!(fault(&[tlv(3, &[0, 20]), sound.clone()].concat(), false), Some("bad_order"));
        assert_eq!(fault(&[sound, tlv(5, b"a"), tlv(5, b"b")].concat(), false), Some("bad_order"));
    }
}
