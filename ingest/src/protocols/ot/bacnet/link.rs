//! BACnet on Ethernet (ASHRAE 135 clause 7) and MS/TP (clause 9), where the network layer has no IP below it.
//!
//! ```text
//! Ethernet: 802.2 LLC with both addresses 0x82, unnumbered information, then the message
//! MS/TP:    55 FF  type:1  destination:1  source:1  length:2  header check:1  message  data check:2 (low octet first)
//! ```
//! A Cimetrics capture device sends MS/TP frames on, in SNAP: timer:2, value:1, then the frame without its first two octets.

use std::collections::BTreeMap;

use pcapper_schema::tables::Bacnet;

use super::Flow;
use crate::packet::{Layer, Llc, Packet};
use crate::protocols::{Cx, Dir, FrameDissector, Outcome};
use crate::wire::Reader;

/// LLC address of BACnet.
const SAP: u8 = 0x82;
/// Unnumbered information.
const UI: u16 = 3;
/// Cimetrics, and its number for frames of MS/TP.
const MIRRORED: Llc = Llc::Snap { oui: 0x0000_1090, pid: 1 };
/// Types of MS/TP frames with a message: one that expects a reply, one that does not.
const DATA: [u8; 2] = [5, 6];
/// Pairs of stations whose requests wait for answers.
const MAX_PAIRS: usize = 4096;

/// A message, and who sent it to whom.
struct Carried<'a> {
    link: &'static str,
    from: u64,
    to: u64,
    /// MS/TP: the station it goes to.
    station: Option<u8>,
    octets: &'a [u8],
}

pub fn claims(packet: &Packet<'_>) -> bool {
    carried(packet).is_some()
}

fn carried<'a>(packet: &Packet<'a>) -> Option<Carried<'a>> {
    match packet.llc {
        Some(Llc::Sap { dsap: SAP, ssap: SAP, control: UI }) => {
            let address = |mac: pcapper_schema::Mac| mac.0.iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
            let (from, to) = (address(packet.src_mac?), address(packet.dst_mac?));
            (packet.payload.first() == Some(&1)).then_some(Carried { link: "ethernet", from, to, station: None, octets: packet.payload })
        }
        Some(MIRRORED) => mstp(packet.payload.get(3..)?),
        None if packet.layers.first() == Some(&Layer::MsTp) => mstp(packet.payload.strip_prefix(&[0x55, 0xff])?),
        _ => None,
    }
}

/// An MS/TP frame with a message, from its type on.
fn mstp(frame: &[u8]) -> Option<Carried<'_>> {
    let (header, _) = frame.split_first_chunk::<5>()?;
    let mut reader = Reader::new(frame);
    let [kind, to, from] = reader.array().ok()?;
    let length = usize::from(reader.be_u16().ok()?);
    if !DATA.contains(&kind) || reader.u8().ok()? != header_check(header) {
        return None;
    }
    let octets = reader.take(length).ok()?;
    // Some captures leave the second check out.
    let is_sound = reader.is_empty() || reader.le_u16().is_ok_and(|check| check == data_check(octets));
    (is_sound && octets.first() == Some(&1)).then_some(Carried { link: "mstp", from: u64::from(from), to: u64::from(to), station: Some(to), octets })
}

/// Remainder by x^8 + x^7 + 1, low bit first, complemented (annex G.1).
fn header_check(octets: &[u8]) -> u8 {
    !octets.iter().fold(0xff, |check, octet| (0..8).fold(check ^ octet, |check, _| if check & 1 == 0 { check >> 1 } else { check >> 1 ^ 0x81 }))
}

/// Remainder by x^16 + x^12 + x^5 + 1, low bit first, complemented (annex G.2).
fn data_check(octets: &[u8]) -> u16 {
    !octets
        .iter()
        .fold(0xffff, |check, octet| (0..8).fold(check ^ u16::from(*octet), |check, _| if check & 1 == 0 { check >> 1 } else { check >> 1 ^ 0x8408 }))
}

/// What stations below IP say to each other, by link and pair of addresses.
#[derive(Default)]
pub struct Frames(BTreeMap<(&'static str, u64, u64), Flow>);

impl FrameDissector for Frames {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let Some(carried) = carried(packet) else { return Outcome::NotMine };
        let Carried { link, from, to, station, octets } = carried;
        // A pair has one direction for each of its two orders.
        if from > to {
            cx.ends.reverse();
            cx.dir = Dir::Resp;
        }
        let key = (link, from.min(to), from.max(to));
        if self.0.len() >= MAX_PAIRS && !self.0.contains_key(&key) {
            self.close(cx);
        }
        let flow = self.0.entry(key).or_default();
        flow.station = station;
        flow.npdu(cx, &mut Reader::new(octets), Bacnet { link: Some(link), ..Bacnet::default() });
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        for mut flow in std::mem::take(&mut self.0).into_values() {
            flow.give_up(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A read of a name that station 0 asks station 12 for.
    const READ: [u8; 23] = [5, 12, 0, 0, 15, 1, 1, 4, 2, 3, 0xf1, 12, 12, 2, 0, 0, 2, 0x19, 0x4c, 0x29, 0x21, 0x20, 0x4b];

    #[test]
    fn mstp_frames_agree_with_their_checks() {
        let carried = mstp(&READ).unwrap();
        assert_eq!((carried.link, carried.from, carried.to, carried.octets.len()), ("mstp", 0, 12, 15));
        assert!(mstp(&READ[..21]).is_some());
        let mut damaged = READ;
        damaged[10] ^= 1;
        assert!(mstp(&damaged).is_none());
        damaged = READ;
        damaged[1] ^= 1;
        assert!(mstp(&damaged).is_none());
        // Tokens carry nothing.
        assert!(mstp(&[0, 11, 0, 0, 0, 0x26]).is_none());
    }
}
