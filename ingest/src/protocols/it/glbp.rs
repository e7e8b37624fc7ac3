//! GLBP: Cisco's gateway redundancy that shares the load. Cisco has not published it; the layout is that of the packets.
//!
//! ```text
//! 1 | u8 | group u16 | u16 | owner's MAC 6 | TLVs: type u8 | length u8, itself included | value
//! 1 hello: u8 | state u8 | u8 | priority u8 | u16 | hello u32 | hold u32 | redirect u16 | timeout u16 | u16 | family u8 | length u8 | address
//! 2 forwarder: number u8 | state u8 | u8 | priority u8 | weight u8 | 7 octets | MAC 6
//! 3 authentication: type u8 | length u8 | data
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcapper_schema::Mac;
use pcapper_schema::tables::Glbp;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict, secrets};
use crate::wire::{Malformed, Reader, Wire};

/// GLBP, on its own port only.
pub static PROTOCOL: Protocol = Protocol {
    name: "glbp",
    group: Group::It,
    ports: &[3222],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

fn probe(offer: &Offer<'_>) -> Verdict {
    if offer.usual_port && is_packet(offer.current()) { Verdict::Yes } else { Verdict::No }
}

fn is_packet(payload: &[u8]) -> bool {
    payload.len() >= 14 && payload.first() == Some(&1)
}

#[derive(Default, PartialEq, Debug)]
struct Pdu<'a> {
    group: u16,
    owner: Mac,
    hello: Option<(u8, u8, Option<IpAddr>)>,
    forwarder: Option<(u8, u8, u8, Mac)>,
    auth_type: Option<u8>,
    password: Option<&'a [u8]>,
}

fn read<'a>(payload: &'a [u8], pdu: &mut Pdu<'a>) -> Wire<()> {
    let mut wire = Reader::new(payload);
    wire.skip(2)?;
    pdu.group = wire.be_u16()?;
    wire.skip(2)?;
    pdu.owner = Mac(wire.array()?);
    while let Ok(kind) = wire.u8() {
        let length = usize::from(wire.u8()?);
        let mut value = wire.sub(length.checked_sub(2).ok_or(Malformed)?)?;
        match kind {
            1 => {
                value.skip(1)?;
                let state = value.u8()?;
                value.skip(1)?;
                let priority = value.u8()?;
                value.skip(2 + 4 + 4 + 2 + 2 + 2)?;
                let address = match (value.u8()?, value.u8()?) {
                    (1, 4) => Some(Ipv4Addr::from(value.array::<4>()?).into()),
                    (2, 16) => Some(Ipv6Addr::from(value.array::<16>()?).into()),
                    _ => None,
                };
                pdu.hello = Some((state, priority, address));
            }
            2 if pdu.forwarder.is_none() => {
                let (number, state) = (value.u8()?, value.u8()?);
                value.skip(2)?;
                let weight = value.u8()?;
                value.skip(7)?;
                pdu.forwarder = Some((number, state, weight, Mac(value.array()?)));
            }
            3 => {
                let (kind, length) = (value.u8()?, value.u8()?);
                pdu.auth_type = Some(kind);
                if kind == 1 {
                    let text = value.take(length.into())?;
                    pdu.password = text.split(|&byte| byte == 0).next().filter(|text| !text.is_empty());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[derive(Default)]
struct Messages {
    /// The password last written to `credentials`.
    told: secrets::Repeated,
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if !is_packet(payload) {
            return Outcome::NotMine;
        }
        let mut pdu = Pdu::default();
        let whole = read(payload, &mut pdu);
        let text = pdu.password.map(String::from_utf8_lossy);
        let owner = pdu.owner.to_string();
        let virtual_ip = pdu.hello.and_then(|hello| hello.2).map(|ip| ip.to_string());
        let virtual_mac = pdu.forwarder.map(|forwarder| forwarder.3.to_string());
        cx.emit(Glbp {
            group: Some(pdu.group),
            owner_id: Some(&owner),
            hello: Some(pdu.hello.is_some()),
            state: pdu.hello.map(|hello| hello.0),
            priority: pdu.hello.map(|hello| hello.1),
            virtual_ip: virtual_ip.as_deref(),
            forwarder: pdu.forwarder.map(|forwarder| forwarder.0),
            forwarder_state: pdu.forwarder.map(|forwarder| forwarder.1),
            weight: pdu.forwarder.map(|forwarder| forwarder.2),
            virtual_mac: virtual_mac.as_deref(),
            auth_type: pdu.auth_type,
            auth_text: text.as_deref(),
        });
        if let (Some(secret), Some(text)) = (pdu.password, text) {
            self.told.tell(cx, "glbp", secret, &text);
        }
        if whole.is_err() {
            cx.anomaly("glbp", "bad_length", "a TLV reaches beyond the packet, or is shorter than its fields");
        }
        Outcome::Decoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_forwarder_and_password() {
        let mut bytes = vec![1, 4, 0, 10, 0, 0, 0xc2, 0, 5, 0x5c, 0, 1];
        bytes.extend([1, 28, 0, 32, 0, 100, 0, 0, 0, 0, 0x0b, 0xb8, 0, 0, 0x27, 0x10, 2, 0x58, 0x38, 0x40, 0, 0, 1, 4, 10, 0, 0, 254]);
        bytes.extend([2, 20, 1, 32, 0, 167, 100, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xb4, 0, 10, 1]);
        bytes.extend([3, 8, 1, 4, b'k', b'e', b'y', 0]);
        let mut pdu = Pdu::default();
        assert!(read(&bytes, &mut pdu).is_ok());
        assert_eq!((pdu.group, pdu.hello), (10, Some((32, 100, "10.0.0.254".parse().ok()))));
        assert_eq!((pdu.forwarder, pdu.password), (Some((1, 32, 100, Mac([0, 7, 0xb4, 0, 10, 1]))), Some(&b"key"[..])));
        assert!(read(&bytes[..62], &mut Pdu::default()).is_err());
    }
}
