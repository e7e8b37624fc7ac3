//! CDP, the Cisco Discovery Protocol: known from Cisco's configuration guides and from what devices send; there is no standard.
//!
//! ```text
//! version:1  time to live:1  checksum:2   then TLVs: type:2  length:2 (of the whole TLV)  value
//! ```

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use pcapper_schema::tables::Cdp;

use super::announcements::{Announcements, Fingerprint, hash};
use crate::packet::{Llc, Packet};
use crate::protocols::{Cx, FrameDissector, FrameKind, Group, Outcome, Protocol};
use crate::wire::{Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol =
    Protocol { name: "cdp", group: Group::Link, frame: Some(FrameKind { claims, start: || Box::<Dissector>::default() }), ..Protocol::NONE };

const CISCO: u32 = 0x00_000c;
const PID: u16 = 0x2000;
/// Octets before the first TLV.
const HEADER: usize = 4;
/// Addresses of one TLV that are kept.
const MAX_ADDRESSES: usize = 64;

fn claims(packet: &Packet<'_>) -> bool {
    match packet.llc {
        Some(Llc::Snap { oui, pid }) => oui == CISCO && pid == PID,
        // Cisco HDLC and PPP carry it by this number.
        _ => packet.ether_type == Some(PID),
    }
}

/// The message's checksum comes out right. It is the Internet checksum (RFC 1071), but an odd last octet counts as the low
/// half of its word, and as a signed number.
fn checksum_ok(bytes: &[u8]) -> bool {
    let mut pairs = bytes.chunks_exact(2);
    let mut sum: u32 = pairs.by_ref().map(|pair| pair.iter().fold(0, |word, octet| word << 8 | u32::from(*octet))).sum();
    if let [last] = pairs.remainder() {
        sum += if last & 0x80 == 0 { u32::from(*last) } else { 0xff00 | u32::from(last - 1) };
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum == 0xffff
}

/// What a message says.
#[derive(Default, Hash)]
struct Pdu<'a> {
    device_id: Option<Cow<'a, str>>,
    port_id: Option<Cow<'a, str>>,
    platform: Option<Cow<'a, str>>,
    software_version: Option<Cow<'a, str>>,
    capabilities: Option<u32>,
    addresses: Vec<Cow<'static, str>>,
    management_addresses: Vec<Cow<'static, str>>,
    native_vlan: Option<u16>,
    voice_vlan: Option<u16>,
    duplex: Option<bool>,
    vtp_domain: Option<Cow<'a, str>>,
    system_name: Option<Cow<'a, str>>,
    power_mw: Option<u32>,
    location: Option<Cow<'a, str>>,
}

fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let end = bytes.iter().position(|&octet| octet == 0).unwrap_or(bytes.len());
    bytes.get(..end).filter(|text| !text.is_empty()).map(String::from_utf8_lossy)
}

/// Addresses: a count, then protocol type, length and value, and length and value of the address.
fn addresses(wire: &mut Reader<'_>) -> Wire<Vec<Cow<'static, str>>> {
    let mut list = Vec::new();
    for _ in 0..wire.be_u32()? {
        let (_kind, length) = (wire.u8()?, wire.u8()?);
        let protocol = wire.take(usize::from(length))?;
        let length = wire.be_u16()?;
        let address = wire.take(usize::from(length))?;
        // NLPID 0xcc is IPv4; SNAP 86-dd IPv6. Others have no notation of their own.
        let shown = match (protocol, address.len()) {
            ([0xcc], 4) => address.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).to_string()),
            ([0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd], 16) => address.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).to_string()),
            _ => None,
        };
        if list.len() < MAX_ADDRESSES {
            list.extend(shown.map(Cow::Owned));
        }
    }
    Ok(list)
}

impl<'a> Pdu<'a> {
    /// Reads the TLVs; false if one contradicts itself or reaches beyond the message.
    fn read(&mut self, bytes: &'a [u8]) -> bool {
        let mut wire = Reader::new(bytes);
        while !wire.is_empty() {
            let tlv = wire.be_u16().and_then(|kind| Ok((kind, wire.be_u16()?)));
            let Some((kind, value)) = tlv.ok().and_then(|(kind, length)| Some((kind, wire.take(usize::from(length).checked_sub(4)?).ok()?))) else {
                return false;
            };
            if self.tlv(kind, value).is_err() {
                return false;
            }
        }
        true
    }

    fn tlv(&mut self, kind: u16, value: &'a [u8]) -> Wire<()> {
        let mut wire = Reader::new(value);
        match kind {
            0x0001 => self.device_id = text(value),
            0x0002 => self.addresses = addresses(&mut wire)?,
            0x0003 => self.port_id = text(value),
            0x0004 => self.capabilities = Some(wire.be_u32()?),
            0x0005 => self.software_version = text(value),
            0x0006 => self.platform = text(value),
            0x0009 => self.vtp_domain = text(value),
            0x000a => self.native_vlan = Some(wire.be_u16()?),
            0x000b => self.duplex = Some(wire.u8()? != 0),
            // A kind of appliance stands before the number.
            0x000e => {
                wire.skip(1)?;
                self.voice_vlan = Some(wire.be_u16()?);
            }
            0x0010 => self.power_mw = Some(u32::from(wire.be_u16()?)),
            0x0014 => self.system_name = text(value),
            0x0016 => self.management_addresses = addresses(&mut wire)?,
            0x0017 => {
                wire.skip(1)?;
                self.location = text(wire.rest());
            }
            _ => {}
        }
        Ok(())
    }

    /// A hash of each column that should not change while a port lives.
    fn fingerprint(&self) -> Fingerprint<11> {
        [
            ("platform", hash(&self.platform)),
            ("software_version", hash(&self.software_version)),
            ("capabilities", hash(self.capabilities)),
            ("addresses", hash(&self.addresses)),
            ("management_addresses", hash(&self.management_addresses)),
            ("native_vlan", hash(self.native_vlan)),
            ("voice_vlan", hash(self.voice_vlan)),
            ("duplex", hash(self.duplex)),
            ("vtp_domain", hash(&self.vtp_domain)),
            ("system_name", hash(&self.system_name)),
            ("location", hash(&self.location)),
        ]
    }
}

/// Names of the capability bits, from the lowest.
const CAPABILITIES: [&str; 8] = ["router", "bridge", "source_route_bridge", "switch", "host", "igmp", "repeater", "phone"];
const REMOTE: u32 = 0x100;

fn capability_names(bits: u32) -> Vec<Cow<'static, str>> {
    let low = CAPABILITIES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0).map(|(_, name)| Cow::Borrowed(*name));
    low.chain((bits & REMOTE != 0).then_some(Cow::Borrowed("remote"))).collect()
}

/// A device's name and the port it announces on.
type Port = (Box<str>, Box<str>);

/// The last announcement of each port.
#[derive(Default)]
struct Dissector {
    announced: Announcements<Port, 11>,
}

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let bytes = packet.payload;
        let Some((&[version, ttl, _, _], tlvs)) = bytes.split_first_chunk::<HEADER>() else {
            cx.anomaly("cdp", "truncated_header", "the message is shorter than its header");
            return Outcome::Decoded;
        };
        let cut = bytes.len() < packet.payload_len as usize;
        let mut pdu = Pdu::default();
        let sound = pdu.read(tlvs);
        let checksum = (!cut).then(|| checksum_ok(bytes));
        let malformed = match (sound, cut, checksum) {
            (false, true, _) => Some("truncated"),
            (false, false, _) => Some("bad_tlv_length"),
            (true, _, Some(false)) => Some("bad_checksum"),
            _ => None,
        };
        match malformed {
            Some("truncated") => cx.anomaly("cdp", "truncated_header", "the frame was captured in part"),
            Some("bad_tlv_length") => cx.anomaly("cdp", "bad_length", "a TLV reaches beyond the message, or is shorter than its fields"),
            Some(_) => cx.anomaly("cdp", "bad_checksum", "the checksum of a CDP message is wrong"),
            None => {}
        }
        let port = pdu.device_id.as_deref().zip(pdu.port_id.as_deref()).filter(|_| malformed.is_none());
        let changed = port.map(|(device, port)| self.announced.changes((device.into(), port.into()), Some(pdu.fingerprint()))).unwrap_or_default();
        let capabilities = pdu.capabilities.map(capability_names);
        let some = |list: &Vec<Cow<'static, str>>| !list.is_empty();
        cx.emit(Cdp {
            version: Some(version),
            ttl_s: Some(ttl),
            checksum_ok: checksum,
            device_id: pdu.device_id.as_deref(),
            port_id: pdu.port_id.as_deref(),
            platform: pdu.platform.as_deref(),
            software_version: pdu.software_version.as_deref(),
            capabilities: capabilities.as_deref(),
            addresses: Some(&pdu.addresses).filter(|list| some(list)).map(Vec::as_slice),
            management_addresses: Some(&pdu.management_addresses).filter(|list| some(list)).map(Vec::as_slice),
            native_vlan: pdu.native_vlan,
            voice_vlan: pdu.voice_vlan,
            duplex: pdu.duplex,
            vtp_domain: pdu.vtp_domain.as_deref(),
            system_name: pdu.system_name.as_deref(),
            power_mw: pdu.power_mw,
            location: pdu.location.as_deref(),
            changed_fields: Some(&changed).filter(|list| some(list)).map(Vec::as_slice),
            malformed,
        });
        Outcome::Decoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(kind: u16, value: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &(value.len() as u16 + 4).to_be_bytes(), value].concat()
    }

    #[test]
    fn reads_what_a_switch_announces() {
        let bytes = [
            tlv(1, b"plant-sw"),
            tlv(2, &[0, 0, 0, 1, 1, 1, 0xcc, 0, 4, 192, 168, 0, 253]),
            tlv(3, b"Gi0/1"),
            tlv(4, &[0, 0, 1, 0x28]),
            tlv(0x0a, &[0, 7]),
            tlv(0x0b, &[1]),
            tlv(0x0e, &[1, 0, 30]),
            tlv(0x17, b"\x00hall 3"),
        ]
        .concat();
        let mut pdu = Pdu::default();
        assert!(pdu.read(&bytes));
        assert_eq!(pdu.addresses, ["192.168.0.253"]);
        assert_eq!((pdu.native_vlan, pdu.duplex, pdu.voice_vlan), (Some(7), Some(true), Some(30)));
        assert_eq!(pdu.location.as_deref(), Some("hall 3"));
        assert_eq!(capability_names(0x128), ["switch", "igmp", "remote"]);
    }

    #[test]
    fn lengths_that_lie_are_told() {
        for bytes in [&[0, 1, 0, 3][..], &[0, 1, 0, 9, b'x'], &[0, 2, 0, 8, 0xff, 0xff, 0xff, 0xff], &[0]] {
            assert!(!Pdu::default().read(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn an_odd_last_octet_counts_in_ciscos_way() {
        assert!(checksum_ok(&[2, 180, 0xfd, 0x4b]));
        assert!(checksum_ok(&[2, 180, 0xfd, 0x0b, 0x40]));
        assert!(checksum_ok(&[2, 180, 0xfd, 0xcb, 0x80]), "the high octet is filled with the sign, less one");
        assert!(!checksum_ok(&[2, 180, 0, 0]));
    }
}
