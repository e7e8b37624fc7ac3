//! Sampled values: currents and voltages of merging units, multicast on the process bus (IEC 61850-9-2, the 9-2LE guideline,
//! IEC 61869-9).
//!
//! ```text
//! Layer 2   APPID:2  Length:2  Reserved 1:2 (top bit: simulated)  Reserved 2:2  savPdu
//! savPdu    60 len  80 noASDU  a2 seqASDU { 30 { 80 svID  81 datSet  82 smpCnt  83 confRev  84 refrTm  85 smpSynch
//!           86 smpRate  87 seqData  88 smpMod  89 gmIdentity } ... }
//! ```
//! The routable form shares its session with R-GOOSE (IEC 61850-90-5), which hands its units over.

use std::borrow::Cow;

use pcapper_schema::tables::Sv;

use super::goose::{header, unsigned, utc_time, visible};
use crate::packet::Packet;
use crate::protocols::{Cx, FrameDissector, FrameKind, Group, Outcome, Protocol};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "sv",
    group: Group::Ot,
    frame: Some(FrameKind { claims: |packet| packet.ether_type == Some(ETHER_TYPE), start: || Box::new(Dissector) }),
    ..Protocol::NONE
};

/// EtherType of sampled values (IEC 61850-9-2 annex C).
const ETHER_TYPE: u16 = 0x88ba;
/// APPID, Length and the two reserved fields, octets.
const HEADER_LEN: usize = 8;
/// The data set of the 9-2LE guideline: four currents and four voltages, each a value and a quality of four octets.
const LE_DATA_SET: usize = 64;
/// Bits of a quality (IEC 61850-7-3 6.2): validity, and whether the value is a test's.
const VALIDITY: u32 = 0x3;
const TEST: u32 = 0x800;

struct Dissector;

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let mut reader = Reader::new(packet.payload);
        let Ok((appid, length, reserved)) = header(&mut reader) else {
            return Outcome::NotMine;
        };
        let is_cut = packet.payload.len() < packet.payload_len as usize;
        let rest = reader.rest();
        // Behind what Length counts there is padding; a Length beyond the frame is told with the element that it cuts.
        let body = usize::from(length).checked_sub(HEADER_LEN).and_then(|inside| rest.get(..inside)).unwrap_or(rest);
        let envelope =
            Envelope { tags: (packet.vlan_id, packet.vlan_priority), appid, length: Some(length), is_simulated: reserved & 0x8000 != 0, is_cut };
        asdus(cx, &envelope, body);
        Outcome::Decoded
    }
}

/// What surrounds a savPdu.
pub(super) struct Envelope {
    /// Innermost VLAN id and priority.
    pub tags: (Option<u16>, Option<u8>),
    pub appid: u16,
    pub length: Option<u16>,
    pub is_simulated: bool,
    /// The frame was captured in part.
    pub is_cut: bool,
}

/// An element: its tag, as much of its content as there is, and whether that is all.
fn element<'a>(reader: &mut Reader<'a>) -> Wire<(u8, &'a [u8], bool)> {
    let tag = reader.u8()?;
    let first = reader.u8()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81 | 0x82 => reader.take(usize::from(first & 0x7f))?.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)),
        _ => return Err(Malformed),
    };
    match reader.take(length) {
        Ok(content) => Ok((tag, content, true)),
        Err(_) => Ok((tag, reader.rest(), false)),
    }
}

/// Writes a row for each ASDU of a savPdu.
pub(super) fn asdus(cx: &mut Cx<'_>, envelope: &Envelope, body: &[u8]) {
    let short = if envelope.is_cut { "truncated" } else { "bad_length" };
    let mut no_asdu = None;
    let mut index = 0_u8;
    let mut whole = true;
    if let Ok((0x60, pdu, all)) = element(&mut Reader::new(body)) {
        whole = all;
        let mut fields = Reader::new(pdu);
        while let Ok((tag, content, all)) = element(&mut fields) {
            whole &= all;
            match tag {
                0x80 => no_asdu = unsigned(content).ok().and_then(|count| u8::try_from(count).ok()),
                0xa2 => {
                    let mut list = Reader::new(content);
                    while let Ok((0x30, asdu, all)) = element(&mut list) {
                        whole &= all;
                        emit(cx, envelope, no_asdu, index, asdu, short);
                        index = index.saturating_add(1);
                    }
                }
                _ => {}
            }
        }
    }
    if index == 0 {
        cx.anomaly("sv", if envelope.is_cut { "truncated_header" } else { "bad_length" }, "no sample can be read");
        let (vlan_id, priority) = envelope.tags;
        cx.emit(Sv {
            vlan_id,
            priority,
            appid: Some(envelope.appid),
            length: envelope.length,
            simulated: Some(envelope.is_simulated),
            no_asdu,
            malformed: Some(short),
            ..Sv::default()
        });
    } else if !whole && !envelope.is_cut {
        cx.anomaly("sv", "bad_length", "an element claims more octets than there are");
    }
}

fn emit(cx: &mut Cx<'_>, envelope: &Envelope, no_asdu: Option<u8>, index: u8, asdu: &[u8], short: &'static str) {
    let (vlan_id, priority) = envelope.tags;
    let mut row = Sv {
        vlan_id,
        priority,
        appid: Some(envelope.appid),
        length: envelope.length,
        simulated: Some(envelope.is_simulated),
        no_asdu,
        asdu_index: Some(index),
        ..Sv::default()
    };
    let (mut sv_id, mut dat_set): (Option<Cow<'_, str>>, Option<Cow<'_, str>>) = (None, None);
    let mut le = ([0_i32; 8], [0_u32; 8]);
    let mut is_le = false;
    let small = |content: &[u8]| unsigned(content).ok().and_then(|number| u16::try_from(number).ok());
    let mut fields = Reader::new(asdu);
    while !fields.is_empty() {
        let Ok((tag, content, true)) = element(&mut fields) else {
            row.malformed = Some(short);
            break;
        };
        match tag {
            0x80 => sv_id = Some(visible(content)),
            0x81 => dat_set = Some(visible(content)),
            0x82 => row.smp_cnt = small(content),
            0x83 => row.conf_rev = unsigned(content).ok(),
            0x84 => row.refr_tm = utc_time(content).ok().map(|(time, _)| time),
            0x85 => row.smp_synch = small(content).and_then(|synch| u8::try_from(synch).ok()),
            0x86 => row.smp_rate = small(content),
            0x87 => {
                row.seq_data_len = u16::try_from(content.len()).ok();
                if content.len() == LE_DATA_SET {
                    is_le = true;
                    let mut words = content.chunks_exact(4).map(|word| word.iter().fold(0_u32, |word, octet| word << 8 | u32::from(*octet)));
                    for (value, quality) in le.0.iter_mut().zip(&mut le.1) {
                        *value = words.next().unwrap_or_default().cast_signed();
                        *quality = words.next().unwrap_or_default();
                    }
                }
            }
            0x88 => row.smp_mod = small(content),
            0x89 => row.gm_identity = Some(content),
            _ => {}
        }
    }
    if is_le {
        row.any_test = Some(le.1.iter().any(|quality| quality & TEST != 0));
        row.any_invalid = Some(le.1.iter().any(|quality| quality & VALIDITY != 0));
    }
    cx.emit(Sv {
        sv_id: sv_id.as_deref(),
        dat_set: dat_set.as_deref(),
        values: is_le.then_some(le.0.as_slice()),
        qualities: is_le.then_some(le.1.as_slice()),
        ..row
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_that_claim_too_much_give_what_there_is() {
        assert_eq!(element(&mut Reader::new(&[0x87, 4, 1, 2])), Ok((0x87, &[1, 2][..], false)));
        assert_eq!(element(&mut Reader::new(&[0x82, 2, 8, 0x72, 0x83])), Ok((0x82, &[8, 0x72][..], true)));
        assert_eq!(element(&mut Reader::new(&[0x60, 0x82, 0, 1, 9])), Ok((0x60, &[9][..], true)));
        assert!(element(&mut Reader::new(&[0x60, 0x84, 1, 1, 1, 1])).is_err());
    }
}
