//! RIP (RFC 1058 version 1, RFC 2453 version 2, RFC 4822 digests) and RIPng (RFC 2080).
//!
//! ```text
//! RIP:   command u8 | version u8 | 0 u16 | entries: family u16 | tag u16 | address 4 | mask 4 | next hop 4 | metric u32
//!        family 0xffff: authentication type u16, 16 octets (3: packet length u16, key u8, length u8, sequence u32)
//! RIPng: command u8 | 1 | 0 u16 | entries: prefix 16 | tag u16 | length u8 | metric u8      metric 0xff: next hop
//! ```

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcapper_schema::tables::{Rip, RoutingRoutes};

use super::prefix::Prefix;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict, secrets};
use crate::wire::{Reader, Wire};

/// RIP, on its own port only: its header is three small numbers.
pub static PROTOCOL: Protocol = Protocol {
    name: "rip",
    group: Group::It,
    ports: &[520],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::new(Messages { ng: false, told: secrets::Repeated::default() }) }),
    ..Protocol::NONE
};

/// RIPng, on its own port only; in the same table.
pub static RIPNG: Protocol = Protocol {
    name: "ripng",
    group: Group::It,
    ports: &[521],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: probe_ng, start: || Box::new(Messages { ng: true, told: secrets::Repeated::default() }) }),
    ..Protocol::NONE
};

/// The metric of what cannot be reached.
const INFINITY: u32 = 16;
/// Where a router authenticates itself instead of naming a family.
const AUTHENTICATION: u16 = 0xffff;

fn probe(offer: &Offer<'_>) -> Verdict {
    if offer.usual_port && is_rip(offer.current()) { Verdict::Yes } else { Verdict::No }
}

fn probe_ng(offer: &Offer<'_>) -> Verdict {
    if offer.usual_port && is_ripng(offer.current()) { Verdict::Yes } else { Verdict::No }
}

fn is_rip(payload: &[u8]) -> bool {
    matches!(payload, [1..=11, 1 | 2, 0, 0, ..])
}

fn is_ripng(payload: &[u8]) -> bool {
    matches!(payload, [1 | 2, 1, 0, 0, rest @ ..] if !rest.is_empty() && rest.len() % 20 == 0)
}

/// One entry; `prefix` is `None` where the mask has holes or the family is not ours.
#[derive(PartialEq, Debug)]
struct Entry {
    prefix: Option<Prefix>,
    /// As the `prefixes` column spells it.
    text: String,
    metric: u32,
    tag: Option<u32>,
    next_hop: Option<IpAddr>,
}

#[derive(Default)]
struct Pdu<'a> {
    entries: Vec<Entry>,
    /// The only entry asks for everything.
    asks_all: bool,
    auth_type: Option<u16>,
    password: Option<&'a [u8]>,
    key_id: Option<u8>,
    sequence: Option<u32>,
}

fn read<'a>(payload: &'a [u8], pdu: &mut Pdu<'a>) -> Wire<()> {
    let mut wire = Reader::new(payload);
    let (command, version) = (wire.u8()?, wire.u8()?);
    wire.skip(2)?;
    let mut unspecified = 0;
    while !wire.is_empty() {
        let family = wire.be_u16()?;
        let tag = wire.be_u16()?;
        // The digest behind the last entry is as long as its algorithm makes it.
        if family == AUTHENTICATION && pdu.auth_type.is_some() {
            break;
        }
        if family == AUTHENTICATION && version == 2 {
            let mut data = wire.sub(16)?;
            pdu.auth_type = Some(tag);
            match tag {
                2 => pdu.password = data.rest().split(|&byte| byte == 0).next().filter(|text| !text.is_empty()),
                3 => {
                    data.skip(2)?;
                    pdu.key_id = Some(data.u8()?);
                    data.skip(1)?;
                    pdu.sequence = Some(data.be_u32()?);
                }
                _ => {}
            }
            continue;
        }
        let (address, mask, hop, metric) = (wire.array::<4>()?, wire.array::<4>()?, wire.array::<4>()?, wire.be_u32()?);
        if family == 0 {
            unspecified += usize::from(metric == INFINITY && command == 1);
            pdu.entries.push(Entry { prefix: None, text: String::new(), metric, tag: None, next_hop: None });
            continue;
        }
        let prefix = if family != 2 {
            None
        } else if version == 1 {
            classful(address)
        } else {
            Prefix::masked(address, mask)
        };
        let text = match prefix {
            Some(prefix) => prefix.to_string(),
            None if version == 1 || family != 2 => Ipv4Addr::from(address).to_string(),
            None => format!("{}/{}", Ipv4Addr::from(address), Ipv4Addr::from(mask)),
        };
        let next_hop = (version == 2 && hop != [0; 4]).then(|| Ipv4Addr::from(hop).into());
        pdu.entries.push(Entry { prefix, text, metric, tag: (version == 2).then_some(tag.into()), next_hop });
    }
    pdu.asks_all = unspecified == 1 && pdu.entries.len() == 1;
    Ok(())
}

/// A network of version 1, whose mask is that of its class; an address within one has a mask that only its routers know.
fn classful(address: [u8; 4]) -> Option<Prefix> {
    let length = match address {
        [0, 0, 0, 0] => 0,
        [0..=127, ..] => 8,
        [128..=191, ..] => 16,
        [192..=223, ..] => 24,
        _ => return None,
    };
    Prefix::v4(address, length).filter(|prefix| prefix.address == IpAddr::from(address))
}

fn read_ng(payload: &[u8], pdu: &mut Pdu<'_>) -> Wire<()> {
    let mut wire = Reader::new(payload);
    let command = wire.u8()?;
    wire.skip(3)?;
    let mut next_hop = None;
    while !wire.is_empty() {
        let address = wire.array::<16>()?;
        let (tag, length, metric) = (wire.be_u16()?, wire.u8()?, wire.u8()?);
        if metric == 0xff {
            // RFC 2080 2.1.1: holds for the entries that follow; the unspecified address takes it back.
            next_hop = (address != [0; 16]).then(|| Ipv6Addr::from(address).into());
            continue;
        }
        let prefix = Prefix::v6(address, length);
        let text = prefix.map_or_else(|| format!("{}/{length}", Ipv6Addr::from(address)), |prefix| prefix.to_string());
        pdu.entries.push(Entry { prefix, text, metric: metric.into(), tag: Some(tag.into()), next_hop });
    }
    pdu.asks_all = command == 1 && matches!(pdu.entries.as_slice(), [only] if only.metric == INFINITY && only.text == "::/0");
    Ok(())
}

struct Messages {
    ng: bool,
    /// The password last written to `credentials`.
    told: secrets::Repeated,
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let [command, version, ..] = *payload else { return Outcome::NotMine };
        if !(if self.ng { is_ripng(payload) } else { is_rip(payload) }) {
            return Outcome::NotMine;
        }
        let mut pdu = Pdu::default();
        let whole = if self.ng { read_ng(payload, &mut pdu) } else { read(payload, &mut pdu) };
        let text = pdu.password.map(String::from_utf8_lossy);
        let prefixes: Vec<Cow<'_, str>> =
            pdu.entries.iter().filter(|entry| !entry.text.is_empty()).map(|entry| Cow::Borrowed(entry.text.as_str())).collect();
        let metrics: Vec<u32> = pdu.entries.iter().map(|entry| entry.metric).collect();
        cx.emit(Rip {
            version: Some(version),
            ripng: Some(self.ng),
            command: Some(command),
            command_name: name(command),
            full_table_request: Some(pdu.asks_all),
            entry_count: u16::try_from(pdu.entries.len()).ok(),
            prefixes: (!prefixes.is_empty()).then_some(prefixes.as_slice()),
            metrics: (!metrics.is_empty()).then_some(metrics.as_slice()),
            auth_type: pdu.auth_type,
            auth_password: text.as_deref(),
            auth_key_id: pdu.key_id,
            auth_sequence: pdu.sequence,
        });
        if command == 2 {
            let sender = cx.common(cx.dir).src_ip;
            for entry in pdu.entries.iter().filter(|entry| entry.prefix.is_some()) {
                let next_hop = entry.next_hop.or(sender).map(|hop| hop.to_string());
                cx.emit(RoutingRoutes {
                    protocol: Some(if self.ng { "ripng" } else { "rip" }),
                    action: Some(if entry.metric >= INFINITY { "withdraw" } else { "announce" }),
                    prefix: Some(&entry.text),
                    prefix_len: entry.prefix.map(|prefix| prefix.length),
                    next_hop: next_hop.as_deref(),
                    metric: Some(entry.metric),
                    tag: entry.tag,
                    ..RoutingRoutes::default()
                });
            }
        }
        if let (Some(secret), Some(text)) = (pdu.password, text) {
            self.told.tell(cx, "rip", secret, &text);
        }
        if whole.is_err() {
            cx.anomaly("rip", "bad_length", "a message ends inside an entry");
        }
        Outcome::Decoded
    }
}

fn name(command: u8) -> Option<&'static str> {
    Some(match command {
        1 => "request",
        2 => "response",
        3 => "trace_on",
        4 => "trace_off",
        5 => "reserved",
        6 => "triggered_request",
        7 => "triggered_response",
        8 => "triggered_acknowledgement",
        9 => "update_request",
        10 => "update_response",
        11 => "update_acknowledgement",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_for_everything() {
        let mut bytes = vec![1, 2, 0, 0];
        bytes.extend([0; 19]);
        bytes.push(16);
        let mut pdu = Pdu::default();
        assert!(read(&bytes, &mut pdu).is_ok());
        assert!(pdu.asks_all && pdu.entries.len() == 1);
    }

    #[test]
    fn response_with_password() {
        let mut bytes = vec![2, 2, 0, 0, 0xff, 0xff, 0, 2];
        bytes.extend(b"secret\0\0\0\0\0\0\0\0\0\0");
        bytes.extend([0, 2, 0, 9, 10, 1, 1, 0, 255, 255, 255, 0, 10, 0, 0, 9, 0, 0, 0, 16]);
        let mut pdu = Pdu::default();
        assert!(read(&bytes, &mut pdu).is_ok());
        assert_eq!((pdu.password, pdu.auth_type), (Some(&b"secret"[..]), Some(2)));
        let expected =
            Entry { prefix: Prefix::v4([10, 1, 1, 0], 24), text: "10.1.1.0/24".into(), metric: 16, tag: Some(9), next_hop: "10.0.0.9".parse().ok() };
        assert_eq!(pdu.entries, [expected]);
        assert!(read(&bytes[..30], &mut Pdu::default()).is_err());
    }

    #[test]
    fn classes_of_version_1() {
        assert_eq!(classful([10, 0, 0, 0]).unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(classful([192, 168, 3, 0]).unwrap().length, 24);
        assert_eq!(classful([10, 1, 0, 0]), None);
        assert_eq!(classful([0; 4]).unwrap().length, 0);
    }

    #[test]
    fn next_hop_of_ripng() {
        let mut bytes = vec![2, 1, 0, 0, 0xfe, 0x80];
        bytes.extend([0; 13]);
        bytes.extend([1, 0, 0, 0, 0xff, 0x20, 1, 0xd, 0xb8]);
        bytes.extend([0; 14]);
        bytes.extend([32, 2]);
        assert!(is_ripng(&bytes));
        let mut pdu = Pdu::default();
        assert!(read_ng(&bytes, &mut pdu).is_ok());
        assert_eq!((pdu.entries[0].text.as_str(), pdu.entries[0].next_hop), ("2001:db8::/32", "fe80::1".parse().ok()));
    }
}
