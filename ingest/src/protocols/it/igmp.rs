//! IGMP: who listens to which multicast group (RFC 1112, RFC 2236, RFC 3376), with RGMP (RFC 3488) and DVMRP told apart.
//! Version 1 of PIM travels in IGMP as well and is left to [`pim`](super::pim).
//!
//! ```text
//! type u8 | max response code u8 | checksum u16 | group 4
//! query of version 3: S and robustness u8 | interval code u8 | count u16 | sources
//! report of version 3: reserved u16 | count u16 | records: type u8, auxiliary words u8, count u16, group 4, sources, auxiliary
//! ```

use std::borrow::Cow;
use std::net::Ipv4Addr;

use pcapper_schema::tables::Igmp;

use super::pim;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Reader, Wire};

/// IGMP, IP protocol 2.
pub static PROTOCOL: Protocol = Protocol {
    name: "igmp",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[2], probe, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

/// PIM version 1.
const PIM_V1: u8 = 0x14;

fn probe(offer: &Offer<'_>) -> Verdict {
    if offer.current().len() >= 8 { Verdict::Yes } else { Verdict::No }
}

/// Kept from message to message for the memory of its lists.
#[derive(Default)]
struct Messages {
    groups: Vec<Cow<'static, str>>,
    sources: Vec<Cow<'static, str>>,
    record_types: Vec<u8>,
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if payload.len() < 8 {
            cx.anomaly("igmp", "truncated_header", "a message has less than eight octets");
            return Outcome::NotMine;
        }
        if payload.first() == Some(&PIM_V1) {
            return pim::version_1(cx, payload);
        }
        self.groups.clear();
        self.sources.clear();
        self.record_types.clear();
        let mut row = Igmp::default();
        let whole = self.read(payload, &mut row);
        if let Some(ip) = cx.packet.and_then(|packet| packet.ip) {
            row.ttl = Some(ip.ttl);
            row.router_alert = (ip.version == 4).then_some(ip.router_alert);
        }
        row.group = self.groups.first().map(AsRef::as_ref);
        row.groups = (!self.groups.is_empty()).then_some(self.groups.as_slice());
        row.sources = (!self.sources.is_empty()).then_some(self.sources.as_slice());
        row.record_types = (!self.record_types.is_empty()).then_some(self.record_types.as_slice());
        cx.emit(row);
        if whole.is_err() {
            cx.anomaly("igmp", "bad_length", "a message ends before the groups and sources that it announces");
        }
        Outcome::Decoded
    }
}

impl Messages {
    fn read(&mut self, payload: &[u8], row: &mut Igmp<'_>) -> Wire<()> {
        let mut wire = Reader::new(payload);
        let (kind, code) = (wire.u8()?, wire.u8()?);
        wire.skip(2)?;
        row.message_type = Some(kind);
        row.message_type_name = name(kind);
        match kind {
            0x11 => {
                self.groups.push(address(&mut wire)?);
                // RFC 3376 7.1: twelve octets and more are version 3; a code of 0 is version 1.
                if payload.len() < 12 {
                    row.version = Some(if code == 0 { 1 } else { 2 });
                    row.max_response_ms = (code != 0).then_some(u32::from(code) * 100);
                    return Ok(());
                }
                row.version = Some(3);
                row.max_response_ms = Some(decoded(code) * 100);
                row.robustness = Some(wire.u8()? & 7);
                row.querier_interval_s = Some(decoded(wire.u8()?));
                let count = wire.be_u16()?;
                self.sources(&mut wire, count)?;
            }
            0x12 | 0x16 | 0x17 => {
                row.version = Some(if kind == 0x12 { 1 } else { 2 });
                self.groups.push(address(&mut wire)?);
            }
            0x22 => {
                row.version = Some(3);
                wire.skip(2)?;
                for _ in 0..wire.be_u16()? {
                    self.record_types.push(wire.u8()?);
                    let auxiliary = usize::from(wire.u8()?) * 4;
                    let count = wire.be_u16()?;
                    self.groups.push(address(&mut wire)?);
                    self.sources(&mut wire, count)?;
                    wire.skip(auxiliary)?;
                }
            }
            // RGMP: join and leave name a group. So does a trace; 0.0.0.0 asks for the way to a source whatever the group.
            0x1e | 0x1f | 0xfc | 0xfd => self.groups.push(address(&mut wire)?),
            _ => {}
        }
        Ok(())
    }

    fn sources(&mut self, wire: &mut Reader<'_>, count: u16) -> Wire<()> {
        for _ in 0..count {
            self.sources.push(address(wire)?);
        }
        Ok(())
    }
}

fn address(wire: &mut Reader<'_>) -> Wire<Cow<'static, str>> {
    Ok(Cow::Owned(Ipv4Addr::from(wire.array::<4>()?).to_string()))
}

/// A code of version 3 (RFC 3376 4.1.1): from 128 on three bits of exponent and four of mantissa.
fn decoded(code: u8) -> u32 {
    let code = u32::from(code);
    if code < 128 { code } else { (code & 15 | 16) << ((code >> 4 & 7) + 3) }
}

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0x11 => "membership_query",
        0x12 => "v1_report",
        0x13 => "dvmrp",
        0x16 => "v2_report",
        0x17 => "leave",
        0x1e | 0x1f => "mtrace",
        0x22 => "v3_report",
        0xfc..=0xff => "rgmp",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_beyond_127_are_floating() {
        assert_eq!((decoded(125), decoded(128), decoded(0x8a), decoded(255)), (125, 128, 208, 31744));
    }

    #[test]
    fn report_of_two_groups() {
        let bytes = [0x22, 0, 0, 0, 0, 0, 0, 2, 4, 0, 0, 0, 239, 1, 1, 1, 5, 1, 0, 1, 232, 2, 2, 2, 10, 0, 0, 1, 9, 9, 9, 9];
        let mut messages = Messages::default();
        let mut row = Igmp::default();
        assert!(messages.read(&bytes, &mut row).is_ok());
        assert_eq!((row.version, messages.groups.as_slice()), (Some(3), &["239.1.1.1".into(), "232.2.2.2".into()][..]));
        assert_eq!((messages.record_types.as_slice(), messages.sources.as_slice()), (&[4, 5][..], &[Cow::from("10.0.0.1")][..]));
        assert!(messages.read(&bytes[..20], &mut row).is_err());
    }

    #[test]
    fn queries_of_three_versions() {
        let mut messages = Messages::default();
        for (bytes, version, wait) in [
            (&[0x11, 0, 0, 0, 0, 0, 0, 0][..], 1, None),
            (&[0x11, 100, 0, 0, 0, 0, 0, 0], 2, Some(10_000)),
            (&[0x11, 24, 0, 0, 0, 0, 0, 0, 0x0a, 125, 0, 0], 3, Some(2400)),
        ] {
            let mut row = Igmp::default();
            assert!(messages.read(bytes, &mut row).is_ok());
            assert_eq!((row.version, row.max_response_ms), (Some(version), wait));
        }
    }
}
