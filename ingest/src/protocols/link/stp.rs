//! Spanning tree: STP (IEEE 802.1D-1998 clause 9), RSTP (802.1D-2004), MSTP and SPB (802.1Q clause 14), and Cisco's per-VLAN
//! kind behind SNAP.
//!
//! ```text
//! protocol:2 (0)  version:1  type:1    then, but in a topology change notification:
//! flags:1  root:8  cost:4  bridge:8  port:2  age:2  max age:2  hello:2  delay:2  (times in 1/256 s)
//! version 2 on: length of version 1's part:1 (0)       version 3 on: length of version 3's part:2  MST configuration ...
//! ```

use pcapper_schema::Mac;
use pcapper_schema::tables::Stp;

use crate::packet::{Llc, Packet};
use crate::protocols::hex::hex;
use crate::protocols::{Cx, FrameDissector, FrameKind, Group, Outcome, Protocol};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol =
    Protocol { name: "stp", group: Group::Link, frame: Some(FrameKind { claims, start: || Box::new(Dissector) }), ..Protocol::NONE };

const CISCO: u32 = 0x00_000c;
/// Per-VLAN spanning tree's SNAP protocol.
const PVST: u16 = 0x010b;
/// LLC address of the spanning tree protocols.
const SAP: u8 = 0x42;

const CONFIG: u8 = 0x00;
const RAPID: u8 = 0x02;
const NOTIFICATION: u8 = 0x80;

fn claims(packet: &Packet<'_>) -> bool {
    match packet.llc {
        // GARP's protocols share the address; they have another protocol number.
        Some(Llc::Sap { dsap: SAP, ssap: SAP, .. }) => packet.payload.starts_with(&[0, 0]),
        Some(Llc::Snap { oui, pid }) => oui == CISCO && pid == PVST,
        _ => false,
    }
}

/// A bridge identifier: priority in the upper four bits, an extension (VLAN or instance) below, and an address.
fn bridge(wire: &mut Reader<'_>) -> Wire<(u16, u16, Mac)> {
    let first = wire.be_u16()?;
    Ok((first & 0xf000, first & 0x0fff, Mac(wire.array::<6>()?)))
}

fn seconds(wire: &mut Reader<'_>) -> Wire<f64> {
    Ok(f64::from(wire.be_u16()?) / 256.0)
}

/// Of MSTP: the region a bridge belongs to.
struct Region<'a> {
    name: &'a [u8],
    revision: u16,
    digest: [u8; 16],
}

/// The part of version 3, where it is there whole.
fn region<'a>(wire: &mut Reader<'a>) -> Wire<Region<'a>> {
    let length = usize::from(wire.be_u16()?);
    let mut part = wire.sub(length)?;
    // 0 is the only format.
    if part.u8()? != 0 {
        return Err(Malformed);
    }
    let name = part.take(32)?;
    let end = name.iter().position(|&octet| octet == 0).unwrap_or(name.len());
    Ok(Region { name: name.get(..end).unwrap_or_default(), revision: part.be_u16()?, digest: part.array()? })
}

struct Dissector;

/// Fills the row's cells; an error leaves what was read before it.
fn read<'a>(wire: &mut Reader<'a>, row: &mut Stp<'_>, per_vlan: bool) -> Wire<Option<Region<'a>>> {
    if wire.be_u16()? != 0 {
        return Err(Malformed);
    }
    let version = wire.u8()?;
    row.version_code = Some(version);
    row.variant = match version {
        _ if per_vlan => Some("pvst"),
        0 => Some("stp"),
        2 => Some("rstp"),
        3 => Some("mstp"),
        4 => Some("spb"),
        _ => None,
    };
    let kind = wire.u8()?;
    row.bpdu_type_code = Some(kind);
    row.bpdu_type = match kind {
        CONFIG => Some("config"),
        RAPID => Some("rst"),
        NOTIFICATION => Some("tcn"),
        _ => None,
    };
    if !matches!(kind, CONFIG | RAPID) {
        return Ok(None);
    }
    let flags = wire.u8()?;
    let flag = |bit: u8| Some(flags & bit != 0);
    row.topology_change = flag(0x01);
    row.topology_change_ack = flag(0x80);
    if kind == RAPID {
        row.proposal = flag(0x02);
        row.agreement = flag(0x40);
        row.port_role = ["unknown", "alternate_backup", "root", "designated"].get(usize::from(flags >> 2 & 3)).copied();
        row.port_state = Some(match flags & 0x30 {
            0x30 | 0x20 => "forwarding",
            0x10 => "learning",
            _ => "discarding",
        });
    }
    let (priority, extension, mac) = bridge(wire)?;
    (row.root_priority, row.root_extension, row.root_mac) = (Some(priority), Some(extension), Some(mac));
    row.root_cost = Some(wire.be_u32()?);
    let (priority, _, mac) = bridge(wire)?;
    (row.bridge_priority, row.bridge_mac) = (Some(priority), Some(mac));
    row.port_identifier = Some(wire.be_u16()?);
    row.message_age_s = Some(seconds(wire)?);
    row.max_age_s = Some(seconds(wire)?);
    row.hello_s = Some(seconds(wire)?);
    row.forward_delay_s = Some(seconds(wire)?);
    if kind == RAPID {
        // Length of version 1's part, which is empty.
        wire.u8()?;
    }
    if per_vlan {
        // PVID TLV: type 0, length 2. In a configuration message an octet of padding may stand before it.
        let rest = wire.rest();
        let tlv = [0, 1].into_iter().find_map(|at| match rest.get(at..) {
            Some([0, 0, 0, 2, high, low, ..]) => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        });
        row.originating_vlan = tlv;
        return Ok(None);
    }
    if kind == RAPID && version >= 3 { region(wire).map(Some) } else { Ok(None) }
}

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let per_vlan = matches!(packet.llc, Some(Llc::Snap { .. }));
        let mut row = Stp { vlan_id: packet.vlan_id, ..Stp::default() };
        let outcome = read(&mut Reader::new(packet.payload), &mut row, per_vlan);
        if outcome.is_err() {
            row.malformed = Some("truncated");
            cx.anomaly("stp", "truncated_header", "a bridge's message is shorter than its fields");
        } else if row.variant.is_none() {
            row.malformed = Some("bad_version");
            cx.anomaly("stp", "unexpected_state", "a version of the spanning tree protocol that is not known");
        }
        let region = outcome.ok().flatten();
        let name = region.as_ref().map(|region| String::from_utf8_lossy(region.name));
        let digest = region.as_ref().map(|region| hex(&region.digest));
        cx.emit(Stp { mst_region: name.as_deref(), mst_revision: region.map(|region| region.revision), mst_digest: digest.as_deref(), ..row });
        Outcome::Decoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RST: [u8; 36] = [
        0, 0, 2, 2, 0x3d, 0x80, 0x01, 0, 0x19, 6, 0xea, 0xb8, 0x80, 0, 0, 0, 4, 0x90, 0x01, 0, 0x19, 6, 0xea, 0xb8, 0x85, 0x80, 5, 1, 0, 20, 0, 2, 0,
        15, 0, 0,
    ];

    #[test]
    fn a_rapid_message() {
        let mut row = Stp::default();
        assert!(read(&mut Reader::new(&RST), &mut row, false).is_ok());
        assert_eq!((row.variant, row.bpdu_type, row.port_role, row.port_state), (Some("rstp"), Some("rst"), Some("designated"), Some("forwarding")));
        assert_eq!((row.root_priority, row.root_extension, row.root_cost), (Some(32768), Some(1), Some(4)));
        assert_eq!((row.bridge_priority, row.bridge_mac), (Some(36864), Some(Mac([0, 0x19, 6, 0xea, 0xb8, 0x85]))));
        assert_eq!((row.message_age_s, row.max_age_s, row.hello_s, row.forward_delay_s), (Some(1.0), Some(20.0), Some(2.0), Some(15.0)));
        assert_eq!(row.topology_change, Some(true));
    }

    #[test]
    fn a_short_message_keeps_what_it_has() {
        let mut row = Stp::default();
        assert!(read(&mut Reader::new(&RST[..14]), &mut row, false).is_err());
        assert_eq!((row.root_priority, row.root_cost), (Some(32768), None));
    }

    #[test]
    fn a_vlan_behind_the_message() {
        let bytes = [&RST[..], &[0, 0, 0, 2, 0, 20]].concat();
        let mut row = Stp::default();
        assert!(read(&mut Reader::new(&bytes), &mut row, true).is_ok());
        assert_eq!((row.variant, row.originating_vlan), (Some("pvst"), Some(20)));
    }
}
