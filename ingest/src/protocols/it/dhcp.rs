//! DHCPv4 (RFC 2131, 2132) and BOOTP (RFC 951) over UDP.
//!
//! Option values are read after long options are joined (RFC 3396) and with the options that option 52 puts into the `file`
//! and `sname` fields (RFC 2132 section 9.3), in that order.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use pcapper_schema::Mac;
use pcapper_schema::tables::Dhcp;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// DHCP on any port; 67 and 68 are its own, 4011 is that of PXE boot servers.
pub static PROTOCOL: Protocol = Protocol {
    name: "dhcp",
    group: Group::It,
    ports: &[67, 68, 4011],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

/// Octets before `sname`: what a frame cut by the capture must still have.
const FIXED: usize = 44;
/// Octets before the magic cookie.
const BOOTP: usize = 236;
/// RFC 2131 section 3.
const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
/// Most octets of a domain name (RFC 1035 section 3.1).
const MAX_NAME: usize = 255;
/// Most names taken from one list.
const MAX_NAMES: usize = 256;

/// Codes of RFC 2132 and its successors that have a column.
mod option {
    pub const PAD: u8 = 0;
    pub const SUBNET_MASK: u8 = 1;
    pub const ROUTERS: u8 = 3;
    pub const DNS_SERVERS: u8 = 6;
    pub const HOST_NAME: u8 = 12;
    pub const DOMAIN_NAME: u8 = 15;
    pub const NTP_SERVERS: u8 = 42;
    pub const REQUESTED_ADDR: u8 = 50;
    pub const LEASE_TIME: u8 = 51;
    pub const OVERLOAD: u8 = 52;
    pub const MESSAGE_TYPE: u8 = 53;
    pub const SERVER_ID: u8 = 54;
    pub const PARAM_REQUEST_LIST: u8 = 55;
    pub const MESSAGE: u8 = 56;
    pub const MAX_MESSAGE_SIZE: u8 = 57;
    pub const RENEWAL_TIME: u8 = 58;
    pub const REBINDING_TIME: u8 = 59;
    pub const VENDOR_CLASS: u8 = 60;
    pub const CLIENT_ID: u8 = 61;
    pub const TFTP_SERVER: u8 = 66;
    pub const BOOT_FILE: u8 = 67;
    pub const USER_CLASS: u8 = 77;
    pub const CLIENT_FQDN: u8 = 81;
    pub const AGENT: u8 = 82;
    pub const CLIENT_ARCH: u8 = 93;
    pub const DOMAIN_SEARCH: u8 = 119;
    pub const ROUTES: u8 = 121;
    pub const TFTP_ADDRESSES: u8 = 150;
    pub const MICROSOFT_ROUTES: u8 = 249;
    pub const WPAD: u8 = 252;
    pub const END: u8 = 255;
}

/// Octets of an option that has one size only; such an option cannot be a part of a longer one.
fn fixed_size(code: u8) -> Option<usize> {
    match code {
        option::OVERLOAD | option::MESSAGE_TYPE => Some(1),
        option::MAX_MESSAGE_SIZE => Some(2),
        option::SUBNET_MASK | option::REQUESTED_ADDR | option::LEASE_TIME | option::SERVER_ID | option::RENEWAL_TIME | option::REBINDING_TIME => {
            Some(4)
        }
        _ => None,
    }
}

/// Name of option 53's value (RFC 2132 section 9.6, 3203, 4388, 6926, 7724).
fn message_type_name(kind: u8) -> Option<&'static str> {
    const NAMES: [&str; 18] = [
        "DISCOVER",
        "OFFER",
        "REQUEST",
        "DECLINE",
        "ACK",
        "NAK",
        "RELEASE",
        "INFORM",
        "FORCERENEW",
        "LEASEQUERY",
        "LEASEUNASSIGNED",
        "LEASEUNKNOWN",
        "LEASEACTIVE",
        "BULKLEASEQUERY",
        "LEASEQUERYDONE",
        "ACTIVELEASEQUERY",
        "LEASEQUERYSTATUS",
        "TLS",
    ];
    NAMES.get(usize::from(kind).checked_sub(1)?).copied()
}

/// Operation known and hardware address no longer than its field; hardware type 0 is reserved (RFC 5494).
fn header_makes_sense(bytes: &[u8]) -> bool {
    matches!(bytes, [1 | 2, kind, length, ..] if *kind > 0 && *length <= 16)
}

fn has_cookie(bytes: &[u8]) -> bool {
    bytes.get(BOOTP..).is_some_and(|rest| rest.starts_with(&COOKIE))
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let mine = header_makes_sense(bytes) && if offer.usual_port { bytes.len() >= FIXED } else { has_cookie(bytes) };
    if mine { Verdict::Yes } else { Verdict::No }
}

/// The datagrams of one flow.
#[derive(Default)]
struct Messages {
    scratch: Scratch,
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let cut = cx.packet.is_some_and(|packet| packet.payload_len as usize > packet.payload.len());
        decode(cx, payload, cut, &mut self.scratch)
    }
}

/// Space that is used again for every message.
#[derive(Default)]
pub(super) struct Scratch {
    parts: Vec<Part>,
    codes: Vec<u8>,
    duplicates: Vec<u8>,
    text: String,
}

/// Writes the row of the message `payload`; `cut` says that the capture lacks its end.
pub(super) fn decode(cx: &mut Cx<'_>, payload: &[u8], cut: bool, scratch: &mut Scratch) -> Outcome {
    if !header_makes_sense(payload) || payload.len() < BOOTP && !cut {
        return Outcome::NotMine;
    }
    match Header::read(payload) {
        Ok(header) => {
            emit(cx, &header, payload, cut, scratch);
            Outcome::Decoded
        }
        Err(Malformed) => Outcome::NotMine,
    }
}

/// The fields before `sname` (RFC 2131 section 2).
struct Header {
    op: u8,
    hardware_type: u8,
    hardware_len: u8,
    hops: u8,
    trans_id: u32,
    secs: u16,
    flags: u16,
    /// ciaddr, yiaddr, siaddr, giaddr.
    addresses: [Ipv4Addr; 4],
    chaddr: [u8; 16],
}

impl Header {
    fn read(payload: &[u8]) -> Wire<Self> {
        let mut r = Reader::new(payload);
        Ok(Self {
            op: r.u8()?,
            hardware_type: r.u8()?,
            hardware_len: r.u8()?,
            hops: r.u8()?,
            trans_id: r.be_u32()?,
            secs: r.be_u16()?,
            flags: r.be_u16()?,
            addresses: [r.array()?.into(), r.array()?.into(), r.array()?.into(), r.array()?.into()],
            chaddr: r.array()?,
        })
    }

    fn mac(&self) -> Option<Mac> {
        let [a, b, c, d, e, f, ..] = self.chaddr;
        (self.hardware_type == 1 && self.hardware_len == 6).then_some(Mac([a, b, c, d, e, f]))
    }
}

/// Where options stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Area {
    Options,
    File,
    Sname,
}

impl Area {
    fn of(self, payload: &[u8]) -> Range<usize> {
        match self {
            Self::Sname => FIXED..108,
            Self::File => 108..BOOTP,
            Self::Options => BOOTP.saturating_add(COOKIE.len())..payload.len(),
        }
    }
}

/// One option as it stands in the message.
struct Part {
    code: u8,
    /// It belongs to the option before it (RFC 3396).
    continues: bool,
    /// Its value, in the payload.
    at: Range<usize>,
}

/// The options of one message.
struct Options<'a> {
    payload: &'a [u8],
    parts: &'a [Part],
}

/// Reads the options of one area; an error if one claims to go on past the area's end.
fn read_area(payload: &[u8], area: Area, parts: &mut Vec<Part>) -> Wire<()> {
    let whole = area.of(payload);
    let first = parts.len();
    let mut r = Reader::new(payload.get(whole.clone()).unwrap_or_default());
    while let Ok(code) = r.u8() {
        match code {
            option::PAD => continue,
            option::END => break,
            _ => {}
        }
        let length = usize::from(r.u8()?);
        r.skip(length)?;
        let end = whole.end.saturating_sub(r.len());
        let at = end.saturating_sub(length)..end;
        let continues = parts
            .get(first..)
            .and_then(<[Part]>::last)
            .is_some_and(|last| last.code == code && fixed_size(code).is_none_or(|size| last.at.len().saturating_add(length) <= size));
        parts.push(Part { code, continues, at });
    }
    Ok(())
}

impl<'a> Options<'a> {
    fn bytes(&self, part: &Part) -> &'a [u8] {
        self.payload.get(part.at.clone()).unwrap_or_default()
    }

    /// Occurrences of an option, each with the parts that continue it.
    fn occurrences(&self) -> impl Iterator<Item = (u8, &'a [Part])> + use<'a> {
        self.parts.chunk_by(|_, next| next.continues).filter_map(|run| Some((run.first()?.code, run)))
    }

    fn joined(&self, run: &'a [Part]) -> Cow<'a, [u8]> {
        match run {
            [only] => Cow::Borrowed(self.bytes(only)),
            _ => Cow::Owned(run.iter().flat_map(|part| self.bytes(part)).copied().collect()),
        }
    }

    /// The option's value where it first appears, which is the one that a later area or repetition cannot override.
    fn first(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        self.occurrences().find(|(found, _)| *found == code).map(|(_, run)| self.joined(run))
    }

    /// All that was sent under the code, in order: what RFC 3396 has a receiver read of an option that holds a list.
    fn all(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        let mut found = self.parts.iter().filter(|part| part.code == code);
        let mut value = Cow::Borrowed(self.bytes(found.next()?));
        for part in found {
            value.to_mut().extend_from_slice(self.bytes(part));
        }
        Some(value)
    }

    fn array<const N: usize>(&self, code: u8) -> Option<[u8; N]> {
        self.first(code)?.as_ref().try_into().ok()
    }

    fn u8(&self, code: u8) -> Option<u8> {
        self.array(code).map(u8::from_be_bytes)
    }

    fn u32(&self, code: u8) -> Option<u32> {
        self.array(code).map(u32::from_be_bytes)
    }

    fn address(&self, code: u8) -> Option<IpAddr> {
        self.array::<4>(code).map(IpAddr::from)
    }

    fn addresses(&self, code: u8) -> Vec<Cow<'static, str>> {
        let value = self.all(code).unwrap_or_default();
        value.as_chunks().0.iter().map(|&address: &[u8; 4]| Ipv4Addr::from(address).to_string().into()).collect()
    }

    fn text(&self, code: u8) -> Option<Cow<'a, str>> {
        match self.first(code)? {
            Cow::Borrowed(value) => text(value),
            Cow::Owned(value) => text(&value).map(|text| text.into_owned().into()),
        }
    }

    /// Codes that appear again with another value.
    fn duplicates(&self, found: &mut Vec<u8>) {
        let mut seen: [Option<&'a [Part]>; 256] = [None; 256];
        for (code, run) in self.occurrences() {
            let Some(first) = seen.get_mut(usize::from(code)) else { continue };
            match first {
                None => *first = Some(run),
                Some(first) if self.joined(first) != self.joined(run) && !found.contains(&code) => found.push(code),
                Some(_) => {}
            }
        }
    }
}

/// Text of an option without the zeros that some senders end it with; `None` if there is nothing else.
pub(super) fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    let kept = value.iter().rposition(|octet| *octet != 0)?;
    Some(String::from_utf8_lossy(value.get(..=kept)?))
}

/// Text of a field of fixed size, which a zero ends: what follows the zero is often left from an earlier use of the memory.
fn field_text(payload: &[u8], area: Area) -> Option<Cow<'_, str>> {
    let field = payload.get(area.of(payload))?;
    text(field.split(|octet| *octet == 0).next()?)
}

/// `Some` unless the list is empty.
fn filled<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

fn emit(cx: &mut Cx<'_>, header: &Header, payload: &[u8], cut: bool, scratch: &mut Scratch) {
    let Scratch { parts, codes, duplicates, text: fingerprint } = scratch;
    parts.clear();
    codes.clear();
    duplicates.clear();
    fingerprint.clear();

    let cookie = payload.get(BOOTP..BOOTP.saturating_add(COOKIE.len())).map(|found| found == COOKIE);
    let mut whole = Ok(());
    let mut overload = None;
    if cookie == Some(true) {
        whole = read_area(payload, Area::Options, parts);
        overload = Options { payload, parts }.u8(option::OVERLOAD);
        for (bit, area) in [(1, Area::File), (2, Area::Sname)] {
            if overload.is_some_and(|value| value & bit != 0) {
                whole = read_area(payload, area, parts).and(whole);
            }
        }
    }
    let options = Options { payload, parts };
    options.duplicates(duplicates);
    codes.extend(options.parts.iter().map(|part| part.code));
    let misfit = options.parts.iter().any(|part| !part.continues && fixed_size(part.code).is_some_and(|size| part.at.len() != size));

    let message_type = options.u8(option::MESSAGE_TYPE);
    let message_type_name = message_type.map(|kind| message_type_name(kind).map_or_else(|| format!("TYPE-{kind}").into(), Cow::Borrowed));
    let requested = options.all(option::PARAM_REQUEST_LIST).unwrap_or_default();
    for (index, code) in requested.iter().enumerate() {
        // Writing into a String cannot fail.
        let _ = write!(fingerprint, "{}{code}", if index == 0 { "" } else { "," });
    }
    let used_for_options = |bit| overload.is_some_and(|value| value & bit != 0);
    let file = (!used_for_options(1)).then(|| field_text(payload, Area::File)).flatten();
    let agent = options.all(option::AGENT).unwrap_or_default();
    let routers = options.addresses(option::ROUTERS);
    let dns_servers = options.addresses(option::DNS_SERVERS);
    let ntp_servers = options.addresses(option::NTP_SERVERS);
    let tftp_addresses = options.addresses(option::TFTP_ADDRESSES);
    let routes = options.all(option::ROUTES).or_else(|| options.all(option::MICROSOFT_ROUTES)).map(|value| routes(&value)).unwrap_or_default();
    let (fqdn, user_classes) = (options.first(option::CLIENT_FQDN), options.first(option::USER_CLASS));
    let mut domain_search = Vec::new();
    let names_read = domain_names(&options.all(option::DOMAIN_SEARCH).unwrap_or_default(), &mut domain_search);

    let [ciaddr, yiaddr, siaddr, giaddr] = header.addresses.map(|address| Some(IpAddr::from(address)));
    cx.emit(Dhcp {
        op: Some(header.op),
        hardware_type: Some(header.hardware_type),
        hops: Some(header.hops),
        trans_id: Some(header.trans_id),
        secs: Some(header.secs),
        broadcast: Some(header.flags & 0x8000 != 0),
        ciaddr,
        yiaddr,
        siaddr,
        giaddr,
        client_mac: header.mac(),
        sname: (!used_for_options(2)).then(|| field_text(payload, Area::Sname)).flatten().as_deref(),
        boot_file: file.or_else(|| options.text(option::BOOT_FILE)).as_deref(),
        message_type,
        message_type_name: message_type_name.as_deref(),
        requested_addr: options.address(option::REQUESTED_ADDR),
        server_id: options.address(option::SERVER_ID),
        lease_time_s: options.u32(option::LEASE_TIME),
        renewal_time_s: options.u32(option::RENEWAL_TIME),
        rebinding_time_s: options.u32(option::REBINDING_TIME),
        subnet_mask: options.address(option::SUBNET_MASK),
        routers: filled(&routers),
        dns_servers: filled(&dns_servers),
        ntp_servers: filled(&ntp_servers),
        domain_name: options.text(option::DOMAIN_NAME).as_deref(),
        domain_search: filled(&domain_search),
        classless_routes: filled(&routes),
        host_name: options.text(option::HOST_NAME).as_deref(),
        client_fqdn: fqdn.as_deref().and_then(client_fqdn).as_deref(),
        client_id: options.first(option::CLIENT_ID).as_deref().and_then(filled),
        vendor_class: options.text(option::VENDOR_CLASS).as_deref(),
        user_class: user_classes.as_deref().and_then(user_class).as_deref(),
        param_request_list: filled(&requested),
        options: filled(codes),
        fingerprint: (!requested.is_empty()).then_some(fingerprint.as_str()),
        max_message_size: options.array(option::MAX_MESSAGE_SIZE).map(u16::from_be_bytes),
        message: options.text(option::MESSAGE).as_deref(),
        tftp_server: options.text(option::TFTP_SERVER).as_deref(),
        tftp_addresses: filled(&tftp_addresses),
        client_arch: options.first(option::CLIENT_ARCH).and_then(|value| Reader::new(&value).be_u16().ok()),
        wpad_url: options.text(option::WPAD).as_deref(),
        circuit_id: sub_option(&agent, 1),
        remote_id: sub_option(&agent, 2),
        subscriber_id: sub_option(&agent, 6).and_then(text).as_deref(),
        option_overload: overload,
        duplicate_options: filled(duplicates),
        magic_cookie_ok: cookie,
        vlan_id: cx.packet.and_then(|packet| packet.vlan_id),
    });
    if cut {
        return;
    }
    if whole.is_err() {
        cx.anomaly("dhcp", "bad_length", "option goes on past the end of its field");
    } else if misfit || names_read.is_err() {
        cx.anomaly("dhcp", "bad_length", "option is not of the size its code calls for");
    }
}

/// Value of a sub-option of option 82 (RFC 3046 section 2.0); `None` if empty.
fn sub_option(agent: &[u8], code: u8) -> Option<&[u8]> {
    let mut r = Reader::new(agent);
    loop {
        let (found, length) = (r.u8().ok()?, r.u8().ok()?);
        let value = r.take(usize::from(length)).ok()?;
        if found == code {
            return filled(value);
        }
    }
}

/// Classless routes (RFC 3442) as `10.0.0.0/8>192.0.2.1`; ends at the first that makes no sense.
fn routes(value: &[u8]) -> Vec<Cow<'static, str>> {
    let mut r = Reader::new(value);
    let mut route = || -> Wire<Cow<'static, str>> {
        let width = r.u8()?;
        if width > 32 {
            return Err(Malformed);
        }
        let mut prefix = [0; 4];
        for (octet, sent) in prefix.iter_mut().zip(r.take(usize::from(width.div_ceil(8)))?) {
            *octet = *sent;
        }
        let router = Ipv4Addr::from(r.array()?);
        Ok(format!("{}/{width}>{router}", Ipv4Addr::from(prefix)).into())
    };
    std::iter::from_fn(|| route().ok()).collect()
}

/// User classes (RFC 3004), comma-separated; many clients send plain text in place of the counted strings.
fn user_class(value: &[u8]) -> Option<Cow<'_, str>> {
    let mut r = Reader::new(value);
    let mut classes = Vec::new();
    while let Ok(length) = r.u8() {
        match r.take(usize::from(length)) {
            Ok(class) if length > 0 => classes.push(String::from_utf8_lossy(class)),
            _ => return text(value),
        }
    }
    (!classes.is_empty()).then(|| classes.join(",").into())
}

/// Name of option 81 (RFC 4702): three octets of flags and results, then the name in DNS form if the E bit says so.
fn client_fqdn(value: &[u8]) -> Option<Cow<'_, str>> {
    let (&[flags, _, _], name) = value.split_first_chunk::<3>()?;
    if flags & 4 == 0 {
        let name = text(name)?;
        let kept = name.trim_end_matches('.').len();
        return match name {
            Cow::Borrowed(name) => name.get(..kept).filter(|name| !name.is_empty()).map(Cow::Borrowed),
            Cow::Owned(mut name) => {
                name.truncate(kept);
                (!name.is_empty()).then_some(Cow::Owned(name))
            }
        };
    }
    let mut names = Vec::with_capacity(1);
    // A partial name lacks the closing zero; what was read of it stands.
    let _ = domain_names(name, &mut names);
    names.into_iter().next()
}

/// Appends the names of a list in DNS form (RFC 1035 section 3.1), without final dots. Pointers (RFC 3397) lead back into
/// the list. A last name that lacks its closing zero is kept if nothing else is wrong with it (partial names, RFC 4702 and
/// 4704); an error if the list contradicts itself.
pub(super) fn domain_names(list: &[u8], names: &mut Vec<Cow<'static, str>>) -> Wire<()> {
    let mut at = 0;
    while at < list.len() && names.len() < MAX_NAMES {
        let mut name = String::new();
        at = domain_name(list, at, &mut name)?;
        if !name.is_empty() {
            names.push(name.into());
        }
    }
    Ok(())
}

/// Reads the name at `at`; gives the offset after it.
fn domain_name(list: &[u8], at: usize, name: &mut String) -> Wire<usize> {
    let (mut at, mut end) = (at, None);
    loop {
        let Some(&head) = list.get(at) else { return Ok(end.unwrap_or(at)) };
        let next = at.saturating_add(1);
        match head {
            0 => return Ok(end.unwrap_or(next)),
            1..=63 => {
                let label_end = next.saturating_add(usize::from(head));
                let label = String::from_utf8_lossy(list.get(next..label_end).ok_or(Malformed)?);
                if name.len().saturating_add(label.len()) >= MAX_NAME {
                    return Err(Malformed);
                }
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(&label);
                at = label_end;
            }
            0xc0.. => {
                let target = usize::from(head & 0x3f) << 8 | usize::from(*list.get(next).ok_or(Malformed)?);
                end.get_or_insert(next.saturating_add(1));
                // Only backwards: no circle can arise from pointers alone, and labels make the name longer.
                if target >= at {
                    return Err(Malformed);
                }
                at = target;
            }
            _ => return Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array as _, RecordBatch};
    use arrow::util::display::array_value_to_string;
    use pcapper_schema::tables::Anomalies;
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
            ends: [end(68), end(67)],
            dir: Dir::Orig,
            frames_spanned: 1,
        };
        Messages::default().datagram(&mut cx, payload)
    }

    fn row(payload: &[u8]) -> (RecordBatch, RecordBatch) {
        let mut tables = TableSet::default();
        assert_eq!(send(&mut tables, payload), Outcome::Decoded);
        (Dhcp::slot(&mut tables).finish("c", "i"), Anomalies::slot(&mut tables).finish("c", "i"))
    }

    /// Cells as text, nulls as `-`.
    fn cells(batch: &RecordBatch, columns: &[&str]) -> String {
        let cell = |name: &&str| {
            let column = batch.column_by_name(name).unwrap();
            if column.is_null(0) { "-".into() } else { array_value_to_string(column, 0).unwrap() }
        };
        columns.iter().map(cell).collect::<Vec<_>>().join(" ")
    }

    fn message(sname: &[u8], file: &[u8], options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![2, 1, 6, 1, 0xde, 0xad, 0xbe, 0xef, 0x0c, 0, 0x80, 0];
        bytes.extend([0, 0, 0, 0, 192, 0, 2, 7, 192, 0, 2, 1, 0, 0, 0, 0]);
        bytes.extend([2, 0, 0, 0, 0, 9, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(sname);
        bytes.resize(108, 0);
        bytes.extend(file);
        bytes.resize(236, 0);
        bytes.extend(COOKIE);
        bytes.extend(options);
        bytes
    }

    #[test]
    fn header_and_scalars() {
        let options = b"\x35\x01\x02\x36\x04\xc0\0\x02\x01\x33\x04\0\0\x0e\x10\x0c\x05host\0\x37\x03\x01\x03\x06\x00\xff\x0cjunk";
        let (row, anomalies) = row(&message(b"srv\0old", b"boot.bin", options));
        let head = ["op", "hardware_type", "hops", "trans_id", "secs", "broadcast", "ciaddr", "yiaddr", "siaddr", "giaddr", "client_mac"];
        assert_eq!(cells(&row, &head), "2 1 1 3735928559 3072 true 0.0.0.0 192.0.2.7 192.0.2.1 0.0.0.0 02:00:00:00:00:09");
        let names =
            ["sname", "boot_file", "message_type_name", "server_id", "lease_time_s", "host_name", "fingerprint", "options", "duplicate_options"];
        assert_eq!(cells(&row, &names), "srv boot.bin OFFER 192.0.2.1 3600 host 1,3,6 [53, 54, 51, 12, 55] -");
        assert_eq!(cells(&row, &["magic_cookie_ok", "option_overload", "routers", "renewal_time_s", "domain_name"]), "true - - - -");
        assert_eq!(anomalies.num_rows(), 0);
    }

    #[test]
    fn long_options_are_joined_and_repetitions_are_not() {
        let options = b"\x0f\x03ab.\x0f\x02cd\x06\x04\x01\x01\x01\x01\x0f\x04evil\x33\x04\0\0\0\x01\x33\x04\0\0\0\x02\xff";
        let (row, _) = row(&message(b"", b"", options));
        assert_eq!(cells(&row, &["domain_name", "lease_time_s", "duplicate_options", "options"]), "ab.cd 1 [15, 51] [15, 15, 6, 15, 51, 51]");
    }

    #[test]
    fn overload_reads_file_then_sname() {
        let options = b"\x34\x01\x03\x0f\x01a\xff";
        let (row, _) = row(&message(b"\x0f\x01c\x06\x04\x05\x05\x05\x05\xff", b"\x0f\x01b\x06\x04\x04\x04\x04\x04\xff", options));
        let names = ["option_overload", "options", "domain_name", "dns_servers", "duplicate_options", "sname", "boot_file"];
        assert_eq!(cells(&row, &names), "3 [52, 15, 15, 6, 15, 6] a [4.4.4.4, 5.5.5.5] [15, 6] - -");
    }

    #[test]
    fn lists_names_and_agents() {
        let options = [
            &b"\x77\x0f\x03eng\x01x\0\x05sales\xc0\x04"[..],
            b"\x79\x0e\x18\x0a\x01\x02\xc0\0\x02\x01\0\xc0\0\x02\x02\x30",
            b"\x51\x09\x05\0\0\x02pc\x01d\0",
            b"\x4d\x06\x02ab\x02cd",
            b"\x52\x0a\x01\x02\x00\x04\x06\x01s\x02\x00\x09",
            b"\x5d\x02\0\x07\xff",
        ]
        .concat();
        let (row, _) = row(&message(b"", b"", &options));
        assert_eq!(cells(&row, &["domain_search", "classless_routes"]), "[eng.x, sales.x] [10.1.2.0/24>192.0.2.1, 0.0.0.0/0>192.0.2.2]");
        assert_eq!(cells(&row, &["client_fqdn", "user_class", "circuit_id", "remote_id", "subscriber_id", "client_arch"]), "pc.d ab,cd 0004 - s 7");
    }

    #[test]
    fn plain_text_in_counted_fields() {
        let (row, _) = row(&message(b"", b"", b"\x4d\x04iPXE\x51\x09\0\0\0host.d\xff"));
        assert_eq!(cells(&row, &["user_class", "client_fqdn", "message_type"]), "iPXE host.d -");
    }

    #[test]
    fn damaged_messages_keep_what_was_read() {
        let (row, anomalies) = row(&message(b"", b"", b"\x35\x01\x6a\x0c\x02ab\x3c\x31MSFT"));
        assert_eq!(cells(&row, &["message_type_name", "host_name", "vendor_class"]), "TYPE-106 ab -");
        assert_eq!(cells(&anomalies, &["protocol", "kind"]), "dhcp bad_length");
        let whole = message(b"", b"", b"");
        let mut tables = TableSet::default();
        assert_eq!(send(&mut tables, &whole[..235]), Outcome::NotMine);
        let (row, _) = self::row(&[&whole[..236], &[0; 8][..]].concat());
        assert_eq!(cells(&row, &["magic_cookie_ok", "message_type", "options"]), "false - -");
    }

    #[test]
    fn names_that_point_wrong() {
        let mut names = Vec::new();
        assert_eq!(domain_names(b"\x01a\xc0\x00", &mut names), Err(Malformed));
        assert_eq!(domain_names(b"\xc0\x02\x01a\0", &mut names), Err(Malformed));
        assert_eq!(domain_names(b"\x05ab", &mut names), Err(Malformed));
        assert!(names.is_empty());
        assert_eq!(domain_names(b"\x03abc", &mut names), Ok(()));
        assert_eq!(names, ["abc"]);
    }

    #[test]
    fn probe_by_port_and_cookie() {
        let whole = message(b"", b"", b"\xff");
        let ask = |bytes: &[u8], usual_port| {
            probe(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [Some(1), Some(2)], usual_port, src: None, dst: None })
        };
        assert_eq!(ask(&whole, false), Verdict::Yes);
        assert_eq!(ask(&whole[..236], false), Verdict::No);
        assert_eq!(ask(&whole[..236], true), Verdict::Yes);
        assert_eq!(ask(&[3; 300], true), Verdict::No);
    }
}
