//! OSPF: version 2 (RFC 2328) and version 3 (RFC 5340), with their LSAs.
//!
//! ```text
//! version u8 | type u8 | length u16 | router id 4 | area id 4 | checksum u16
//! 2: authentication type u16 | 8 octets (2: 0 u16 | key id u8 | digest length u8 | sequence u32)      3: instance u8 | 0
//! ```

mod lsa;

use std::borrow::Cow;
use std::net::Ipv4Addr;

use pcapper_schema::tables::Ospf;

use crate::packet::Layer;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict, secrets};
use crate::wire::{Malformed, Reader, Wire};

/// OSPF, IP protocol 89.
pub static PROTOCOL: Protocol = Protocol {
    name: "ospf",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[89], probe, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

fn probe(offer: &Offer<'_>) -> Verdict {
    if is_packet(offer.current()) { Verdict::Yes } else { Verdict::No }
}

fn is_packet(payload: &[u8]) -> bool {
    payload.len() >= 16 && matches!(payload, [2 | 3, 1..=5, ..])
}

/// What a packet says beside its LSAs.
#[derive(Default)]
struct Pdu<'a> {
    version: u8,
    kind: u8,
    router: [u8; 4],
    area: [u8; 4],
    instance: Option<u8>,
    auth_type: Option<u16>,
    password: Option<&'a [u8]>,
    key_id: Option<u8>,
    sequence: Option<u32>,
    /// Version 3: a digest follows (RFC 7166).
    trailer: bool,
    mask: Option<[u8; 4]>,
    hello_interval: Option<u16>,
    dead_interval: Option<u32>,
    priority: Option<u8>,
    designated: Option<[[u8; 4]; 2]>,
    neighbors: Vec<Cow<'static, str>>,
    dd_sequence: Option<u32>,
    mtu: Option<u16>,
    lsas: Vec<lsa::Lsa>,
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
        let whole = pdu.read(payload);
        let shown = |id: [u8; 4]| Ipv4Addr::from(id).to_string();
        let (router, area, mask) = (shown(pdu.router), shown(pdu.area), pdu.mask.map(shown));
        let (designated, backup) = (pdu.designated.map(|ids| shown(ids[0])), pdu.designated.map(|ids| shown(ids[1])));
        let text = pdu.password.map(String::from_utf8_lossy);
        let is_ah = cx.packet.is_some_and(|packet| packet.layers.contains(&Layer::Ah));
        cx.emit(Ospf {
            version: Some(pdu.version),
            message_type: Some(pdu.kind),
            message_type_name: ["hello", "db_description", "ls_request", "ls_update", "ls_ack"].get(usize::from(pdu.kind).wrapping_sub(1)).copied(),
            ttl: cx.packet.and_then(|packet| packet.ip).map(|ip| ip.ttl),
            router_id: Some(&router),
            area_id: Some(&area),
            instance_id: pdu.instance,
            auth_type: pdu.auth_type,
            auth_type_name: match pdu.auth_type {
                Some(0) => Some("none"),
                Some(1) => Some("simple"),
                Some(2) => Some("cryptographic"),
                _ if pdu.trailer => Some("trailer"),
                _ if is_ah => Some("ah"),
                _ => None,
            },
            auth_password: text.as_deref(),
            auth_key_id: pdu.key_id,
            auth_sequence: pdu.sequence,
            network_mask: mask.as_deref(),
            hello_interval_s: pdu.hello_interval,
            dead_interval_s: pdu.dead_interval,
            priority: pdu.priority,
            designated_router: designated.as_deref(),
            backup_designated_router: backup.as_deref(),
            neighbors: (!pdu.neighbors.is_empty()).then_some(pdu.neighbors.as_slice()),
            dd_sequence: pdu.dd_sequence,
            interface_mtu: pdu.mtu,
            lsa_count: if pdu.kind == 1 { None } else { u32::try_from(pdu.lsas.len()).ok() },
        });
        for lsa in &pdu.lsas {
            lsa.emit(cx, pdu.version, pdu.kind, &router, &area);
        }
        if let (Some(secret), Some(text)) = (pdu.password, text) {
            self.told.tell(cx, "ospf", secret, &text);
        }
        if whole.is_err() {
            cx.anomaly("ospf", "bad_length", "a packet or an LSA ends inside its fields");
        }
        Outcome::Decoded
    }
}

impl<'a> Pdu<'a> {
    fn read(&mut self, payload: &'a [u8]) -> Wire<()> {
        let mut wire = Reader::new(payload);
        (self.version, self.kind) = (wire.u8()?, wire.u8()?);
        let length = usize::from(wire.be_u16()?);
        (self.router, self.area) = (wire.array()?, wire.array()?);
        wire.skip(2)?;
        if self.version == 2 {
            let kind = wire.be_u16()?;
            self.auth_type = Some(kind);
            let mut data = wire.sub(8)?;
            match kind {
                1 => self.password = data.rest().split(|&byte| byte == 0).next().filter(|text| !text.is_empty()),
                2 => {
                    data.skip(2)?;
                    self.key_id = Some(data.u8()?);
                    data.skip(1)?;
                    self.sequence = Some(data.be_u32()?);
                }
                _ => {}
            }
        } else {
            self.instance = Some(wire.u8()?);
            wire.skip(1)?;
        }
        // The digest, or a block of local data, stands behind the length that the header gives.
        let body_len = length.checked_sub(payload.len().saturating_sub(wire.len())).ok_or(Malformed)?;
        let mut body = Reader::new(wire.peek().get(..body_len.min(wire.len())).unwrap_or_default());
        match self.kind {
            1 => self.hello(&mut body)?,
            2 => {
                let options = if self.version == 2 {
                    self.mtu = Some(body.be_u16()?);
                    body.skip(2)?;
                    0
                } else {
                    let options = body.be_u32()?;
                    self.mtu = Some(body.be_u16()?);
                    body.skip(2)?;
                    options
                };
                self.note_trailer(options);
                self.dd_sequence = Some(body.be_u32()?);
                lsa::headers(&mut body, self.version, &mut self.lsas)?;
            }
            3 => lsa::requests(&mut body, self.version, &mut self.lsas)?,
            4 => {
                let count = body.be_u32()?;
                lsa::whole(&mut body, self.version, count, &mut self.lsas)?;
            }
            _ => lsa::headers(&mut body, self.version, &mut self.lsas)?,
        }
        if body_len > wire.len() { Err(Malformed) } else { Ok(()) }
    }

    fn hello(&mut self, wire: &mut Reader<'_>) -> Wire<()> {
        if self.version == 2 {
            self.mask = Some(wire.array()?);
            self.hello_interval = Some(wire.be_u16()?);
            wire.skip(1)?;
            self.priority = Some(wire.u8()?);
            self.dead_interval = Some(wire.be_u32()?);
        } else {
            wire.skip(4)?;
            let word = wire.be_u32()?;
            self.priority = Some((word >> 24) as u8);
            self.note_trailer(word);
            self.hello_interval = Some(wire.be_u16()?);
            self.dead_interval = Some(wire.be_u16()?.into());
        }
        self.designated = Some([wire.array()?, wire.array()?]);
        while !wire.is_empty() {
            self.neighbors.push(Cow::Owned(Ipv4Addr::from(wire.array::<4>()?).to_string()));
        }
        Ok(())
    }

    /// The AT bit of version 3's options (RFC 7166 2.1).
    fn note_trailer(&mut self, options: u32) {
        self.trailer |= self.version == 3 && options & 0x400 != 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_of_version_2() {
        let mut bytes = vec![2, 1, 0, 48, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, b'k', 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([255, 255, 255, 0, 0, 10, 2, 1, 0, 0, 0, 40, 10, 0, 0, 1, 0, 0, 0, 0, 2, 2, 2, 2]);
        let mut pdu = Pdu::default();
        assert!(pdu.read(&bytes).is_ok());
        assert_eq!((pdu.hello_interval, pdu.dead_interval, pdu.password), (Some(10), Some(40), Some(&b"k"[..])));
        assert_eq!((pdu.designated, pdu.neighbors.as_slice()), (Some([[10, 0, 0, 1], [0; 4]]), &["2.2.2.2".into()][..]));
        assert!(Pdu::default().read(&bytes[..40]).is_err());
    }

    #[test]
    fn hello_of_version_3() {
        let mut bytes = vec![3, 1, 0, 36, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 5, 0];
        bytes.extend([0, 0, 0, 5, 1, 0, 4, 0x13, 0, 10, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut pdu = Pdu::default();
        assert!(pdu.read(&bytes).is_ok());
        assert_eq!((pdu.instance, pdu.priority, pdu.dead_interval, pdu.trailer), (Some(5), Some(1), Some(40), true));
    }
}
