//! VRRP: several routers, one address (RFC 3768 version 2, RFC 9568 version 3), and CARP, which shares its protocol number.
//!
//! ```text
//! version and type u8 | router id u8 | priority u8 | count u8
//! 2: authentication type u8 | interval, s, u8 | checksum u16 | addresses | authentication data 8
//! 3: interval, cs, 12 bits | checksum u16 | addresses
//! CARP: 0x21 | host id u8 | skew u8 | 7 | demotion u8 | base, s, u8 | checksum u16 | counter 8 | digest 20
//! ```

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use pcapper_schema::tables::Vrrp;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict, secrets};
use crate::wire::{Reader, Wire};

/// VRRP and CARP, IP protocol 112.
pub static PROTOCOL: Protocol = Protocol {
    name: "vrrp",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[112], probe, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

fn probe(offer: &Offer<'_>) -> Verdict {
    if is_advertisement(offer.current()) { Verdict::Yes } else { Verdict::No }
}

fn is_advertisement(payload: &[u8]) -> bool {
    payload.len() >= 8 && matches!(payload.first(), Some(0x21 | 0x31))
}

/// CARP puts the length of its digest, in words and a counter's two, where VRRP counts addresses; seven addresses are longer.
fn is_carp(payload: &[u8]) -> bool {
    payload.len() == 36 && matches!(payload, [0x21, _, _, 7, ..])
}

#[derive(Default)]
struct Messages {
    /// The password last written to `credentials`.
    told: secrets::Repeated,
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if !is_advertisement(payload) {
            return Outcome::NotMine;
        }
        let ip = cx.packet.and_then(|packet| packet.ip);
        let mut row = Vrrp { carp: Some(false), ttl: ip.map(|ip| ip.ttl), ..Vrrp::default() };
        if let ([_, host, skew, _, _, base, ..], true) = (payload, is_carp(payload)) {
            cx.emit(Vrrp {
                version: Some(2),
                carp: Some(true),
                virtual_router_id: Some(*host),
                advert_interval_ms: Some(u32::from(*base) * 1000 + u32::from(*skew) * 1000 / 256),
                ..row
            });
            return Outcome::Decoded;
        }
        let mut ips = Vec::new();
        let mut secret = None;
        let whole = read(payload, ip.is_some_and(|ip| ip.version == 6), &mut row, &mut ips, &mut secret);
        let text = secret.map(String::from_utf8_lossy);
        row.auth_text = text.as_deref();
        row.virtual_ips = (!ips.is_empty()).then_some(ips.as_slice());
        cx.emit(row);
        if let (Some(secret), Some(text)) = (secret, text) {
            self.told.tell(cx, "vrrp", secret, &text);
        }
        if whole.is_err() {
            cx.anomaly("vrrp", "bad_length", "an advertisement ends before the addresses that it announces");
        }
        Outcome::Decoded
    }
}

fn read<'a>(payload: &'a [u8], v6: bool, row: &mut Vrrp<'_>, ips: &mut Vec<Cow<'static, str>>, secret: &mut Option<&'a [u8]>) -> Wire<()> {
    let mut wire = Reader::new(payload);
    let version = wire.u8()? >> 4;
    row.version = Some(version);
    row.virtual_router_id = Some(wire.u8()?);
    row.priority = Some(wire.u8()?);
    let count = wire.u8()?;
    if version == 2 {
        row.auth_type = Some(wire.u8()?);
        row.advert_interval_ms = Some(u32::from(wire.u8()?) * 1000);
    } else {
        row.advert_interval_ms = Some(u32::from(wire.be_u16()? & 0x0fff) * 10);
    }
    wire.skip(2)?;
    for _ in 0..count {
        ips.push(Cow::Owned(if v6 { Ipv6Addr::from(wire.array::<16>()?).to_string() } else { Ipv4Addr::from(wire.array::<4>()?).to_string() }));
    }
    if version == 2 && row.auth_type == Some(1) {
        let data = wire.take(8)?;
        let text = data.split(|&byte| byte == 0).next().unwrap_or_default();
        *secret = (!text.is_empty()).then_some(text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_with_password() {
        let bytes = [0x21, 42, 100, 1, 1, 5, 0, 0, 10, 0, 0, 1, b'a', b'b', 0, 0, 0, 0, 0, 0];
        let (mut row, mut ips, mut secret) = (Vrrp::default(), Vec::new(), None);
        assert!(read(&bytes, false, &mut row, &mut ips, &mut secret).is_ok());
        assert_eq!((row.virtual_router_id, row.priority, row.advert_interval_ms), (Some(42), Some(100), Some(5000)));
        assert_eq!((ips.as_slice(), secret), (&[Cow::from("10.0.0.1")][..], Some(&b"ab"[..])));
        assert!(!is_carp(&bytes));
    }

    #[test]
    fn version_3_counts_hundredths() {
        let bytes = [0x31, 7, 255, 1, 0x00, 0x64, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let (mut row, mut ips, mut secret) = (Vrrp::default(), Vec::new(), None);
        assert!(read(&bytes, true, &mut row, &mut ips, &mut secret).is_ok());
        assert_eq!((row.advert_interval_ms, row.auth_type, ips.as_slice()), (Some(1000), None, &[Cow::from("fe80::1")][..]));
    }

    #[test]
    fn carp_is_told_apart() {
        let mut bytes = [0_u8; 36];
        bytes[..6].copy_from_slice(&[0x21, 1, 0, 7, 0, 1]);
        assert!(is_carp(&bytes));
    }
}
