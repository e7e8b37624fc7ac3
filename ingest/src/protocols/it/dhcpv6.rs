//! DHCPv6 (RFC 8415) over UDP, with the messages of leasequery (RFC 5007) and of DHCPv4 over DHCPv6 (RFC 7341).
//!
//! A relayed message is unwrapped: its row is that of the client's or server's own message.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use pcapper_schema::Mac;
use pcapper_schema::tables::Dhcpv6;

use super::dhcp;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// DHCPv6 on any port; 546 and 547 are its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "dhcpv6",
    group: Group::It,
    ports: &[546, 547],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

/// Relays unwrapped; RFC 8415 section 7.6 lets a message pass through eight.
const MAX_RELAYS: usize = 16;
/// Options inside options that are followed: IA, address, status make three.
const MAX_DEPTH: u8 = 6;
/// Highest option code taken for one; the registry has reached 150.
const MAX_CODE: u16 = 255;
const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;
const DHCPV4_QUERY: u8 = 20;
const DHCPV4_RESPONSE: u8 = 21;

mod option {
    pub const CLIENT_ID: u16 = 1;
    pub const SERVER_ID: u16 = 2;
    pub const IA_NA: u16 = 3;
    pub const IA_TA: u16 = 4;
    pub const IA_ADDRESS: u16 = 5;
    pub const REQUESTED: u16 = 6;
    pub const PREFERENCE: u16 = 7;
    pub const RELAY_MESSAGE: u16 = 9;
    pub const STATUS: u16 = 13;
    pub const VENDOR_CLASS: u16 = 16;
    pub const DNS_SERVERS: u16 = 23;
    pub const DOMAIN_SEARCH: u16 = 24;
    pub const IA_PD: u16 = 25;
    pub const IA_PREFIX: u16 = 26;
    pub const CLIENT_FQDN: u16 = 39;
    pub const CLIENT_DATA: u16 = 45;
    pub const BOOT_FILE_URL: u16 = 59;
    pub const LINK_LAYER: u16 = 79;
    pub const DHCPV4_MESSAGE: u16 = 87;
}

/// Name of a message type (IANA registry of DHCPv6).
fn message_type_name(kind: u8) -> Option<&'static str> {
    const NAMES: [&str; 37] = [
        "solicit",
        "advertise",
        "request",
        "confirm",
        "renew",
        "rebind",
        "reply",
        "release",
        "decline",
        "reconfigure",
        "information_request",
        "relay_forward",
        "relay_reply",
        "leasequery",
        "leasequery_reply",
        "leasequery_done",
        "leasequery_data",
        "reconfigure_request",
        "reconfigure_reply",
        "dhcpv4_query",
        "dhcpv4_response",
        "active_leasequery",
        "starttls",
        "bndupd",
        "bndreply",
        "poolreq",
        "poolresp",
        "updreq",
        "updreqall",
        "upddone",
        "connect",
        "connectreply",
        "disconnect",
        "state",
        "contact",
        "addr_reg_inform",
        "addr_reg_reply",
    ];
    NAMES.get(usize::from(kind).checked_sub(1)?).copied()
}

fn is_relay(kind: u8) -> bool {
    matches!(kind, RELAY_FORWARD | RELAY_REPLY)
}

/// Walks the options that follow each other in `bytes`.
fn each_option<'a>(bytes: &'a [u8], mut found: impl FnMut(u16, &'a [u8])) -> Wire<()> {
    let mut r = Reader::new(bytes);
    while !r.is_empty() {
        let (code, length) = (r.be_u16()?, r.be_u16()?);
        found(code, r.take(usize::from(length))?);
    }
    Ok(())
}

/// Message type and options.
fn envelope(bytes: &[u8]) -> Wire<(u8, &[u8])> {
    let mut r = Reader::new(bytes);
    let kind = r.u8()?;
    r.skip(if is_relay(kind) { 33 } else { 3 })?;
    Ok((kind, r.rest()))
}

/// A message of a known type: enough for a port on which nothing else is expected, where damaged messages are DHCPv6 too.
fn plausible(bytes: &[u8]) -> bool {
    envelope(bytes).is_ok_and(|(kind, _)| message_type_name(kind).is_some())
}

/// A message of clients, servers or relays that is whole and names one of the two, or holds a relayed message.
fn certain(bytes: &[u8]) -> bool {
    let Ok((kind, options)) = envelope(bytes) else { return false };
    let (mut known, mut named) = (true, false);
    let whole = each_option(options, |code, value| {
        known &= (1..=MAX_CODE).contains(&code);
        named |= match code {
            option::CLIENT_ID | option::SERVER_ID => !is_relay(kind) && matches!(value, [0, 1..=4, _, _, ..]),
            option::RELAY_MESSAGE => is_relay(kind) && plausible(value),
            _ => false,
        };
    });
    (1..=RELAY_REPLY).contains(&kind) && whole.is_ok() && known && named
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let mine = if offer.usual_port { plausible(offer.current()) } else { certain(offer.current()) };
    if mine { Verdict::Yes } else { Verdict::No }
}

/// The datagrams of one flow.
#[derive(Default)]
struct Messages {
    lists: Lists,
    dhcpv4: dhcp::Scratch,
}

/// Lists of one message; kept for the next.
#[derive(Default)]
struct Lists {
    iaid: Vec<u32>,
    addresses: Vec<Cow<'static, str>>,
    lifetimes: Vec<u32>,
    prefixes: Vec<Cow<'static, str>>,
    dns_servers: Vec<Cow<'static, str>>,
    domain_search: Vec<Cow<'static, str>>,
    requested: Vec<u16>,
}

impl Lists {
    fn clear(&mut self) {
        let Self { iaid, addresses, lifetimes, prefixes, dns_servers, domain_search, requested } = self;
        iaid.clear();
        lifetimes.clear();
        requested.clear();
        [addresses, prefixes, dns_servers, domain_search].into_iter().for_each(Vec::clear);
    }
}

/// A status (RFC 8415 section 21.13) and how deep in options it stood.
struct Status<'a> {
    depth: u8,
    code: u16,
    message: &'a [u8],
}

/// What the options of a message and of the relays around it say.
#[derive(Default)]
struct Found<'a> {
    client_duid: Option<&'a [u8]>,
    server_duid: Option<&'a [u8]>,
    link_layer: Option<Mac>,
    client_fqdn: Option<Cow<'static, str>>,
    vendor_class: Option<Cow<'a, str>>,
    enterprise: Option<u32>,
    boot_file_url: Option<&'a [u8]>,
    status: Option<Status<'a>>,
    preference: Option<u8>,
    dhcpv4: Option<&'a [u8]>,
}

/// `Some` unless the list is empty.
fn filled<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

fn ethernet(hardware_type: u16, address: &[u8]) -> Option<Mac> {
    (hardware_type == 1).then(|| address.try_into().ok().map(Mac)).flatten()
}

/// Link-layer address in a DUID of type 1 (with time) or 3 (RFC 8415 section 11.2, 11.4).
fn duid_mac(duid: &[u8]) -> Option<Mac> {
    let mut r = Reader::new(duid);
    let (kind, hardware_type) = (r.be_u16().ok()?, r.be_u16().ok()?);
    match kind {
        1 => r.skip(4).ok()?,
        3 => {}
        _ => return None,
    }
    ethernet(hardware_type, r.rest())
}

impl<'a> Found<'a> {
    /// Takes in the options in `bytes`; an error if some are damaged, after what could be read was taken.
    fn options(&mut self, bytes: &'a [u8], depth: u8, lists: &mut Lists) -> Wire<()> {
        let mut inner = Ok(());
        let whole = each_option(bytes, |code, value| {
            let read = self.option(code, value, depth, lists);
            inner = inner.and(read);
        });
        whole.and(inner)
    }

    fn option(&mut self, code: u16, value: &'a [u8], depth: u8, lists: &mut Lists) -> Wire<()> {
        let mut r = Reader::new(value);
        match code {
            option::CLIENT_ID => _ = self.client_duid.get_or_insert(value),
            option::SERVER_ID => _ = self.server_duid.get_or_insert(value),
            option::IA_NA | option::IA_PD => {
                lists.iaid.push(r.be_u32()?);
                r.skip(8)?;
            }
            option::IA_TA => lists.iaid.push(r.be_u32()?),
            option::IA_ADDRESS => {
                let address = Ipv6Addr::from(r.array::<16>()?);
                r.skip(4)?;
                lists.lifetimes.push(r.be_u32()?);
                lists.addresses.push(address.to_string().into());
            }
            option::IA_PREFIX => {
                r.skip(8)?;
                let width = r.u8()?;
                let prefix = Ipv6Addr::from(r.array::<16>()?);
                if width > 128 {
                    return Err(Malformed);
                }
                lists.prefixes.push(format!("{prefix}/{width}").into());
            }
            option::REQUESTED => {
                while let Ok(code) = r.be_u16() {
                    lists.requested.push(code);
                }
            }
            option::PREFERENCE => self.preference = Some(r.u8()?),
            option::STATUS => {
                let code = r.be_u16()?;
                if self.status.as_ref().is_none_or(|known| depth < known.depth) {
                    self.status = Some(Status { depth, code, message: r.rest() });
                }
            }
            option::VENDOR_CLASS => {
                self.enterprise = Some(r.be_u32()?);
                self.vendor_class = vendor_class(r.rest());
            }
            option::DNS_SERVERS => {
                while let Ok(address) = r.array::<16>() {
                    lists.dns_servers.push(Ipv6Addr::from(address).to_string().into());
                }
            }
            option::DOMAIN_SEARCH => dhcp::domain_names(value, &mut lists.domain_search)?,
            option::CLIENT_FQDN => {
                r.skip(1)?;
                let mut names = Vec::with_capacity(1);
                dhcp::domain_names(r.rest(), &mut names)?;
                self.client_fqdn = names.into_iter().next();
            }
            option::BOOT_FILE_URL => self.boot_file_url = Some(value),
            option::LINK_LAYER => self.link_layer = ethernet(r.be_u16()?, r.rest()),
            option::DHCPV4_MESSAGE => self.dhcpv4 = Some(value),
            _ => {}
        }
        let nested = matches!(code, option::IA_NA | option::IA_TA | option::IA_PD | option::IA_ADDRESS | option::IA_PREFIX | option::CLIENT_DATA);
        if nested && depth < MAX_DEPTH { self.options(r.rest(), depth.saturating_add(1), lists) } else { Ok(()) }
    }
}

/// Vendor classes (RFC 8415 section 21.16), comma-separated.
fn vendor_class(value: &[u8]) -> Option<Cow<'_, str>> {
    let mut r = Reader::new(value);
    let mut next = || r.be_u16().and_then(|length| r.take(usize::from(length))).ok().map(String::from_utf8_lossy);
    let mut all = next()?;
    while let Some(class) = next() {
        let all = all.to_mut();
        all.push(',');
        all.push_str(&class);
    }
    (!all.is_empty()).then_some(all)
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let usual = cx.ends.iter().any(|end| end.port.is_some_and(|port| PROTOCOL.ports.contains(&port)));
        if !(usual && plausible(payload) || certain(payload)) {
            return Outcome::NotMine;
        }
        let cut = cx.packet.is_some_and(|packet| packet.payload_len as usize > packet.payload.len());
        match self.message(cx, payload, cut) {
            Ok(whole) => {
                if whole.is_err() && !cut {
                    cx.anomaly("dhcpv6", "bad_length", "option goes on past its end or is too short for its code");
                }
                Outcome::Decoded
            }
            Err(Malformed) => Outcome::NotMine,
        }
    }
}

impl Messages {
    /// Writes the row; says whether all options could be read.
    fn message(&mut self, cx: &mut Cx<'_>, payload: &[u8], cut: bool) -> Wire<Wire<()>> {
        let lists = &mut self.lists;
        lists.clear();
        let mut found = Found::default();
        let mut whole = Ok(());
        let mut relay = None;
        let (mut message, mut kind, mut options) = (payload, 0, &payload[..0]);
        let mut relayed = false;
        for level in 0..=MAX_RELAYS {
            (kind, options) = match envelope(message) {
                Ok(read) => read,
                Err(Malformed) if level == 0 => return Err(Malformed),
                Err(Malformed) => {
                    whole = Err(Malformed);
                    break;
                }
            };
            relayed = level > 0;
            if !is_relay(kind) {
                break;
            }
            let mut r = Reader::new(message);
            r.skip(2)?;
            let ends = (Ipv6Addr::from(r.array::<16>()?), Ipv6Addr::from(r.array::<16>()?));
            relay.get_or_insert(ends);
            let mut inner = None;
            let read = each_option(options, |code, value| match code {
                option::RELAY_MESSAGE => inner = Some(value),
                // The relay next to the client is the one that saw its address (RFC 6939), and is read last.
                option::LINK_LAYER => whole = whole.and(found.option(code, value, 0, lists)),
                _ => {}
            });
            whole = whole.and(read);
            match inner {
                Some(inner) => message = inner,
                None => break,
            }
        }
        let is_dhcpv4 = matches!(kind, DHCPV4_QUERY | DHCPV4_RESPONSE);
        if !is_relay(kind) {
            whole = whole.and(found.options(options, 0, lists));
        }
        // Octets 1 to 3 are flags in DHCPv4 over DHCPv6, and addresses in what relays say themselves.
        let trans_id = (!is_relay(kind) && !is_dhcpv4).then(|| message.get(1..).and_then(|rest| Reader::new(rest).be_u24().ok())).flatten();
        cx.emit(Dhcpv6 {
            message_type: Some(kind),
            message_type_name: message_type_name(kind),
            relayed: Some(relayed),
            link_addr: relay.map(|(link, _)| IpAddr::from(link)),
            peer_addr: relay.map(|(_, peer)| IpAddr::from(peer)),
            trans_id,
            client_duid: found.client_duid.and_then(filled),
            server_duid: found.server_duid.and_then(filled),
            client_mac: found.client_duid.and_then(duid_mac).or(found.link_layer),
            iaid: filled(&lists.iaid),
            addresses: filled(&lists.addresses),
            valid_lifetimes_s: filled(&lists.lifetimes),
            prefixes: filled(&lists.prefixes),
            dns_servers: filled(&lists.dns_servers),
            domain_search: filled(&lists.domain_search),
            client_fqdn: found.client_fqdn.as_deref(),
            vendor_class: found.vendor_class.as_deref(),
            enterprise: found.enterprise,
            requested_options: filled(&lists.requested),
            boot_file_url: found.boot_file_url.and_then(dhcp::text).as_deref(),
            status_code: found.status.as_ref().map(|status| status.code),
            status_message: found.status.as_ref().and_then(|status| dhcp::text(status.message)).as_deref(),
            preference: found.preference,
        });
        if let Some(dhcpv4) = found.dhcpv4.filter(|_| is_dhcpv4) {
            dhcp::decode(cx, dhcpv4, cut, &mut self.dhcpv4);
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array as _, RecordBatch};
    use arrow::util::display::array_value_to_string;
    use pcapper_schema::tables::{Anomalies, Dhcp};
    use pcapper_schema::{Row, TableSet};

    use super::*;
    use crate::protocols::{Dir, Endpoint, Shared};

    fn send(tables: &mut TableSet, payload: &[u8]) -> Outcome {
        let end = |port| Endpoint { ip: None, port: Some(port), mac: None };
        let mut shared = Shared::default();
        let mut cx = Cx {
            tables,
            shared: &mut shared,
            frame: 1,
            ts: 0,
            packet: None,
            flow_id: None,
            ends: [end(546), end(547)],
            dir: Dir::Orig,
            frames_spanned: 1,
        };
        Messages::default().datagram(&mut cx, payload)
    }

    fn row(payload: &[u8]) -> (RecordBatch, usize) {
        let mut tables = TableSet::default();
        assert_eq!(send(&mut tables, payload), Outcome::Decoded);
        (Dhcpv6::slot(&mut tables).finish("c", "i"), Anomalies::slot(&mut tables).finish("c", "i").num_rows())
    }

    /// Cells as text, nulls as `-`.
    fn cells(batch: &RecordBatch, columns: &[&str]) -> String {
        let cell = |name: &&str| {
            let column = batch.column_by_name(name).unwrap();
            if column.is_null(0) { "-".into() } else { array_value_to_string(column, 0).unwrap() }
        };
        columns.iter().map(cell).collect::<Vec<_>>().join(" ")
    }

    fn opt(code: u16, value: &[u8]) -> Vec<u8> {
        [&code.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
    }

    const DUID: &[u8] = &[0, 1, 0, 1, 1, 2, 3, 4, 2, 0, 0, 0, 0, 9];

    fn address(last: u8) -> [u8; 16] {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()).octets()
    }

    fn reply() -> Vec<u8> {
        let nested_status = opt(13, b"\0\x02none");
        let ia_address = opt(5, &[&address(5)[..], &60u32.to_be_bytes(), &120u32.to_be_bytes(), &nested_status].concat());
        let prefix = opt(26, &[&[0; 8][..], &[56], &address(0)].concat());
        [
            vec![7, 0x12, 0x34, 0x56],
            opt(1, DUID),
            opt(2, &[0, 2, 0, 0, 0, 9, 1]),
            opt(3, &[&[0, 0, 0, 1][..], &[0; 8], &ia_address].concat()),
            opt(25, &[&[0, 0, 0, 2][..], &[0; 8], &prefix].concat()),
            opt(13, b"\0\0fine"),
            opt(23, &[address(1), address(2)].concat()),
            opt(24, b"\x01a\x01b\0\x01c\0"),
            opt(39, b"\0\x02pc"),
            opt(16, b"\0\0\x01\x37\0\x04MSFT\0\x015"),
            opt(7, &[10]),
            opt(59, b"tftp://h/f"),
        ]
        .concat()
    }

    #[test]
    fn options_and_nested_options() {
        let (row, anomalies) = row(&reply());
        assert_eq!(
            cells(&row, &["message_type", "message_type_name", "relayed", "trans_id", "client_mac"]),
            "7 reply false 1193046 02:00:00:00:00:09"
        );
        let lists = ["iaid", "addresses", "valid_lifetimes_s", "prefixes", "dns_servers", "domain_search", "requested_options"];
        assert_eq!(cells(&row, &lists), "[1, 2] [2001:db8::5] [120] [2001:db8::/56] [2001:db8::1, 2001:db8::2] [a.b, c] -");
        let rest = ["client_fqdn", "vendor_class", "enterprise", "status_code", "status_message", "preference", "boot_file_url", "server_duid"];
        assert_eq!(cells(&row, &rest), "pc MSFT,5 311 0 fine 10 tftp://h/f 00020000000901");
        assert_eq!(anomalies, 0);
    }

    #[test]
    fn relays_are_unwrapped() {
        let duid = [0, 2, 0, 0, 0, 9, 1];
        let solicit = [vec![1, 0, 0, 7], opt(1, &duid), opt(6, &[0, 23, 0, 24])].concat();
        let relay = |hops, ends: [u8; 2], more: Vec<u8>, inner: &[u8]| {
            [vec![12, hops], address(ends[0]).to_vec(), address(ends[1]).to_vec(), more, opt(9, inner)].concat()
        };
        let near = relay(0, [1, 2], opt(79, &[0, 1, 2, 0, 0, 0, 0, 8]), &solicit);
        let (row, _) = row(&relay(1, [3, 4], Vec::new(), &near));
        let names = ["message_type_name", "relayed", "link_addr", "peer_addr", "trans_id", "client_mac", "requested_options"];
        assert_eq!(cells(&row, &names), "solicit true 2001:db8::3 2001:db8::4 7 02:00:00:00:00:08 [23, 24]");
        let (empty, _) = self::row(&[vec![13, 0], address(1).to_vec(), address(2).to_vec(), opt(18, b"if")].concat());
        assert_eq!(cells(&empty, &["message_type_name", "relayed", "trans_id"]), "relay_reply false -");
    }

    #[test]
    fn damaged_messages_keep_what_was_read() {
        let (row, anomalies) = row(&[vec![1, 0, 0, 7], opt(1, DUID), opt(3, &[0, 0]), vec![0, 23, 0, 16, 1]].concat());
        assert_eq!((cells(&row, &["client_mac", "iaid", "dns_servers"]).as_str(), anomalies), ("02:00:00:00:00:09 - -", 1));
    }

    #[test]
    fn carries_dhcpv4() {
        let mut bootp = vec![1, 1, 6, 0];
        bootp.resize(236, 0);
        bootp.extend(b"\x63\x82\x53\x63\x35\x01\x01\xff");
        let mut tables = TableSet::default();
        assert_eq!(send(&mut tables, &[vec![20, 0x80, 0, 0], opt(87, &bootp)].concat()), Outcome::Decoded);
        assert_eq!(cells(&Dhcpv6::slot(&mut tables).finish("c", "i"), &["message_type_name", "trans_id"]), "dhcpv4_query -");
        assert_eq!(cells(&Dhcp::slot(&mut tables).finish("c", "i"), &["message_type_name"]), "DISCOVER");
    }

    #[test]
    fn probe_by_port_and_content() {
        let ask = |bytes: &[u8], usual_port| {
            probe(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [Some(1), Some(2)], usual_port, src: None, dst: None })
        };
        assert_eq!(ask(&reply(), false), Verdict::Yes);
        assert_eq!(ask(&[vec![7, 0, 0, 1], opt(13, &[0, 0])].concat(), false), Verdict::No);
        assert_eq!(ask(&[vec![7, 0, 0, 1], opt(13, &[0, 0])].concat(), true), Verdict::Yes);
        assert_eq!(ask(&[99, 0, 0, 1], true), Verdict::No);
    }
}
