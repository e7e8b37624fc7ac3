//! ICMP (RFC 792, 950, 1191, 4884, 4950, 8335) and ICMPv6 (RFC 4443) with Neighbor and Multicast Listener Discovery.
//!
//! ```text
//! type u8 | code u8 | checksum u16 | four octets by type (identifier and sequence, MTU, pointer, gateway ...) | payload
//! ```
//! Replies are held against the requests of the other host, by identifier and sequence number. An echo reply has its request's
//! checksum but for the type; that finds the right one of several equal numbers. Where numbers were used again for different
//! data (tunnels that leave them constant), or the reply's checksum is wrong, nothing but the checksum pairs.
//!
//! `quoted_flow_id` stays null: the conversation that an error quotes is rarely one of the two hosts that the error travels
//! between, so it is followed elsewhere; the quoted addresses and ports lead to it in `flows`.

mod names;
mod nd;
mod payload;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::IpAddr;

use pcapper_schema::tables::Icmp;
use rustc_hash::FxHashMap;
use sha1::{Digest, Sha1};

use crate::packet::{self, Ip, Quoted};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "icmp",
    group: Group::It,
    datagram: Some(DatagramKind { ip_protos: &[1, PROTO_V6], probe: |_| Verdict::Yes, start: || Box::<Dissector>::default() }),
    ..Protocol::NONE
};

const PROTO_V6: u8 = 58;
/// Type, code, checksum and the four octets by type.
const HEADER: usize = 8;
/// Requests remembered; beyond it the oldest are forgotten.
const MAX_REQUESTS: usize = 1 << 16;
/// Different requests remembered under the same numbers.
const MAX_ALIKE: usize = 16;
/// How long numbers alone tell which request is answered.
const PATIENCE_NS: i64 = 60_000_000_000;
/// Bytes kept in `payload_prefix`.
const PREFIX: usize = 64;
/// Quoted bytes before an extension structure, at the least (RFC 4884 4); where older routers put theirs without saying so.
const QUOTED_MIN: usize = 128;

/// What the octets behind the checksum say, by type. Kept from message to message for its lists' memory.
#[derive(Default)]
struct Body {
    identifier: Option<u16>,
    sequence: Option<u16>,
    mtu: Option<u32>,
    pointer: Option<u32>,
    gateway: Option<IpAddr>,
    redirect_destination: Option<IpAddr>,
    quoted: Option<Quoted>,
    target: Option<IpAddr>,
    na_router: Option<bool>,
    na_solicited: Option<bool>,
    na_override: Option<bool>,
    source_lladdr: Option<String>,
    target_lladdr: Option<String>,
    ra_cur_hop_limit: Option<u8>,
    ra_managed: Option<bool>,
    ra_other: Option<bool>,
    ra_preference: Option<&'static str>,
    ra_lifetime_s: Option<u32>,
    ra_reachable_ms: Option<u32>,
    ra_retrans_ms: Option<u32>,
    mpls_labels: Vec<u32>,
    prefixes: Vec<Cow<'static, str>>,
    prefix_valid_s: Vec<u32>,
    rdnss: Vec<Cow<'static, str>>,
    dnssl: Vec<Cow<'static, str>>,
    option_types: Vec<u8>,
    mcast_groups: Vec<Cow<'static, str>>,
    mld_record_types: Vec<u8>,
}

impl Body {
    /// Forgets everything but the lists' memory.
    fn reset(&mut self) {
        fn emptied<T>(list: &mut Vec<T>) -> Vec<T> {
            list.clear();
            std::mem::take(list)
        }
        *self = Self {
            mpls_labels: emptied(&mut self.mpls_labels),
            prefixes: emptied(&mut self.prefixes),
            prefix_valid_s: emptied(&mut self.prefix_valid_s),
            rdnss: emptied(&mut self.rdnss),
            dnssl: emptied(&mut self.dnssl),
            option_types: emptied(&mut self.option_types),
            mcast_groups: emptied(&mut self.mcast_groups),
            mld_record_types: emptied(&mut self.mld_record_types),
            ..Self::default()
        };
    }

    /// Reads an ICMP message of type `kind`; `message` is all of it.
    fn read_v4(&mut self, kind: u8, code: u8, message: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(message);
        wire.skip(4)?;
        match kind {
            0 | 8 | 13..=18 => self.numbers(&mut wire)?,
            42 | 43 => self.extended_numbers(&mut wire)?,
            3..=5 | 11 | 12 => {
                let fields = wire.array::<4>()?;
                match kind {
                    3 if code == 4 => self.mtu = Some(u16::from_be_bytes([fields[2], fields[3]]).into()),
                    5 => self.gateway = Some(IpAddr::from(fields)),
                    12 => self.pointer = Some(fields[0].into()),
                    _ => {}
                }
                // RFC 4884 4: the length is in units of 32 bits, and only these three types are extended.
                let quoted_len = if matches!(kind, 3 | 11 | 12) { usize::from(fields[1]) * 4 } else { 0 };
                self.quote(wire.peek(), quoted_len, matches!(kind, 3 | 11 | 12), false)?;
                if kind == 5 {
                    self.redirect_destination = self.quoted.as_ref().map(|quoted| quoted.dst);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads an ICMPv6 message of type `kind`; `message` is all of it.
    fn read_v6(&mut self, kind: u8, message: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(message);
        wire.skip(4)?;
        match kind {
            1..=4 => {
                let fields = wire.array::<4>()?;
                match kind {
                    2 => self.mtu = Some(u32::from_be_bytes(fields)),
                    4 => self.pointer = Some(u32::from_be_bytes(fields)),
                    _ => {}
                }
                // RFC 4884 4: the length is in units of 64 bits.
                let quoted_len = if matches!(kind, 1 | 3) { usize::from(fields[0]) * 8 } else { 0 };
                self.quote(wire.peek(), quoted_len, matches!(kind, 1 | 3), true)?;
            }
            128 | 129 => self.numbers(&mut wire)?,
            160 | 161 => self.extended_numbers(&mut wire)?,
            130..=132 => nd::listener(&mut wire, self)?,
            133..=137 | 141 | 142 => nd::neighbor_discovery(kind, &mut wire, self)?,
            143 => nd::listener_report(&mut wire, self)?,
            _ => {}
        }
        Ok(())
    }

    fn numbers(&mut self, wire: &mut Reader<'_>) -> Wire<()> {
        self.identifier = Some(wire.be_u16()?);
        self.sequence = Some(wire.be_u16()?);
        Ok(())
    }

    /// Extended echo (RFC 8335 2): the sequence number has one octet.
    fn extended_numbers(&mut self, wire: &mut Reader<'_>) -> Wire<()> {
        self.identifier = Some(wire.be_u16()?);
        self.sequence = Some(wire.u8()?.into());
        Ok(())
    }

    /// The packet that an error quotes, and the extension structure behind it. `quoted_len` is 0 where the message does not tell.
    fn quote(&mut self, bytes: &[u8], quoted_len: usize, extended: bool, v6: bool) -> Wire<()> {
        let (quoted, extension) = match quoted_len {
            0 => match bytes.split_at_checked(QUOTED_MIN) {
                Some((quoted, extension)) if extended && is_extension(extension) => (quoted, extension),
                _ => (bytes, &[][..]),
            },
            _ => bytes.split_at_checked(quoted_len).unwrap_or((bytes, &[])),
        };
        self.quoted = packet::quoted(quoted, v6);
        if extension.is_empty() { Ok(()) } else { self.extension(extension) }
    }

    /// The objects of an extension structure (RFC 4884 7); of them, MPLS label stacks (RFC 4950 3: class 1, type 1).
    fn extension(&mut self, bytes: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(bytes);
        wire.skip(4)?;
        while !wire.is_empty() {
            let length = usize::from(wire.be_u16()?);
            let (class, kind) = (wire.u8()?, wire.u8()?);
            let mut object = wire.sub(length.checked_sub(4).ok_or(Malformed)?)?;
            while (class, kind) == (1, 1) && !object.is_empty() {
                self.mpls_labels.push(object.be_u32()? >> 12);
            }
        }
        Ok(())
    }
}

/// Bytes that are an extension structure though no length says so: version 2, and a right checksum.
fn is_extension(bytes: &[u8]) -> bool {
    matches!(bytes, [0x20, _, high, low, _, ..] if (*high, *low) != (0, 0)) && ones_sum(0, bytes) == 0xffff
}

/// One's complement sum of 16-bit words (RFC 1071), added to `start`. Over data with a right checksum it is 0xffff.
fn ones_sum(start: u64, bytes: &[u8]) -> u16 {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut sum = pairs.iter().fold(start, |sum, pair| sum.wrapping_add(u16::from_be_bytes(*pair).into()));
    if let [last] = odd {
        sum = sum.wrapping_add(u64::from(*last) << 8);
    }
    while sum > 0xffff {
        sum = (sum >> 16).wrapping_add(sum & 0xffff);
    }
    sum as u16
}

/// Whether the checksum over the whole of `message` is right. ICMPv6's covers the last destination, which a routing header may
/// hold: behind extension headers a sum that does not fit tells nothing.
fn checksum_ok(ip: &Ip, v6: bool, message: &[u8]) -> Option<bool> {
    if message.len() < 4 {
        return None;
    }
    let start = if v6 { pseudo_header(ip, message.len()) } else { 0 };
    let right = ones_sum(start, message) == 0xffff;
    let extended = v6 && ip.len as usize != message.len().saturating_add(40);
    (right || !extended).then_some(right)
}

/// The sum over an ICMPv6 message's pseudo-header (RFC 8200 8.1).
fn pseudo_header(ip: &Ip, length: usize) -> u64 {
    let octets = |address: IpAddr| match address {
        IpAddr::V4(v4) => u64::from(ones_sum(0, &v4.octets())),
        IpAddr::V6(v6) => u64::from(ones_sum(0, &v6.octets())),
    };
    octets(ip.src).wrapping_add(octets(ip.dst)).wrapping_add(length as u64).wrapping_add(PROTO_V6.into())
}

/// The sum that a checksum promises over a message without its type: request and reply have it in common.
fn sum_without_type(checksum: u16, kind: u8) -> u16 {
    let sum = u32::from(!checksum) + u32::from(!(u16::from(kind) << 8));
    let folded = (sum >> 16) + (sum & 0xffff);
    // Both mean nothing in one's complement.
    if folded == 0xffff { 0 } else { folded as u16 }
}

/// What a request and its reply have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Question {
    asker: IpAddr,
    asked: IpAddr,
    /// The request's type.
    kind: u8,
    identifier: u16,
    sequence: u16,
}

/// A request that may be answered.
#[derive(Clone, Copy)]
struct Request {
    /// See [`sum_without_type`].
    sum: u16,
    /// SHA-1 of its payload, unless that was captured in part.
    payload: Option<[u8; 20]>,
    frame: u64,
    ts: i64,
    /// The question was asked with different data too, shortly before or after.
    reused: bool,
    answered: bool,
}

/// The latest requests of all hosts. They are not kept by flow: a mirror port may show request and reply in different VLANs.
#[derive(Default)]
struct Requests {
    by_question: FxHashMap<Question, Vec<Request>>,
    /// Questions and frames in order of arrival, to forget them by.
    order: VecDeque<(Question, u64)>,
}

impl Requests {
    fn remember(&mut self, question: Question, mut request: Request) {
        if self.order.len() >= MAX_REQUESTS
            && let Some((oldest, frame)) = self.order.pop_front()
            && let Some(requests) = self.by_question.get_mut(&oldest)
        {
            requests.retain(|request| request.frame != frame);
            if requests.is_empty() {
                self.by_question.remove(&oldest);
            }
        }
        let requests = self.by_question.entry(question).or_default();
        requests.retain_mut(|old| {
            // Sent again: the latest is the one that is answered.
            if old.sum == request.sum && old.payload == request.payload {
                request.reused |= old.reused;
                return false;
            }
            if request.ts.saturating_sub(old.ts) <= PATIENCE_NS {
                (old.reused, request.reused) = (true, true);
            }
            true
        });
        if requests.len() >= MAX_ALIKE {
            requests.remove(0);
        }
        requests.push(request);
        self.order.push_back((question, request.frame));
    }

    /// The request that a reply answers; each is answered once. `sum` is the reply's, if it may tell; `by_number`: the numbers
    /// may, where they stand on one request only.
    fn answer(&mut self, question: &Question, sum: Option<u16>, by_number: bool, ts: i64) -> Option<Request> {
        let requests = self.by_question.get_mut(question)?;
        let exact = requests.iter().rposition(|request| !request.answered && sum == Some(request.sum));
        let alone = |request: &Request| !request.answered && !request.reused && ts.saturating_sub(request.ts) <= PATIENCE_NS;
        let position = exact.or_else(|| requests.iter().rposition(alone).filter(|_| by_number))?;
        let request = requests.get_mut(position)?;
        request.answered = true;
        Some(*request)
    }
}

/// Whether a type asks or answers: the type of the request in both cases.
enum Part {
    Request(u8),
    Reply(u8),
    Neither,
}

fn part(v6: bool, kind: u8) -> Part {
    match (v6, kind) {
        (false, 8 | 13 | 15 | 17 | 42) | (true, 128 | 160) => Part::Request(kind),
        (false, 0) => Part::Reply(8),
        (false, 14) => Part::Reply(13),
        (false, 16) => Part::Reply(15),
        (false, 18) => Part::Reply(17),
        (false, 43) => Part::Reply(42),
        (true, 129) => Part::Reply(128),
        (true, 161) => Part::Reply(160),
        _ => Part::Neither,
    }
}

/// Whether the bytes behind the header are free data: not fields that the type defines.
fn is_free(v6: bool, kind: u8) -> bool {
    if v6 {
        matches!(kind, 128 | 129) || names::v6_type(kind).is_none_or(|name| name == "private_experimentation")
    } else {
        matches!(kind, 0 | 8 | 253 | 254) || names::v4_type(kind).is_none()
    }
}

/// Lower-case hexadecimal of a hash, in `buffer`.
fn hex<'a>(hash: &[u8; 20], buffer: &'a mut [u8; 40]) -> Option<&'a str> {
    let digits = b"0123456789abcdef";
    for (pair, octet) in buffer.as_chunks_mut::<2>().0.iter_mut().zip(hash) {
        *pair = [digits.get(usize::from(octet >> 4)), digits.get(usize::from(octet & 15))].map(|digit| digit.copied().unwrap_or_default());
    }
    std::str::from_utf8(buffer).ok()
}

fn some<T>(list: &[T]) -> Option<&[T]> {
    Some(list).filter(|list| !list.is_empty())
}

/// Decodes the ICMP messages between two hosts.
#[derive(Default)]
struct Dissector {
    body: Body,
}

impl DatagramDissector for Dissector {
    fn datagram(&mut self, cx: &mut Cx<'_>, message: &[u8]) -> Outcome {
        let Some((packet, ip)) = cx.packet.and_then(|packet| Some((packet, packet.ip.as_ref()?))) else { return Outcome::NotMine };
        let v6 = ip.proto == PROTO_V6;
        let Some(&kind) = message.first() else { return Outcome::NotMine };
        let code = message.get(1).copied();
        let wire_len = (packet.payload_len as usize).max(message.len());
        let cut = message.len() < wire_len;

        self.body.reset();
        let read = if v6 { self.body.read_v6(kind, message) } else { self.body.read_v4(kind, code.unwrap_or_default(), message) };
        if read.is_err() && !cut {
            let whole = message.len() >= HEADER;
            cx.anomaly("icmp", if whole { "bad_length" } else { "truncated_header" }, "the message ends before its fields do");
        }
        let checksum_ok = if cut { None } else { checksum_ok(ip, v6, message) };
        if checksum_ok == Some(false) {
            cx.anomaly("icmp", "bad_checksum", "the ICMP checksum is wrong");
        }

        let payload = message.get(HEADER..).unwrap_or_default();
        let digest: Option<[u8; 20]> = (!cut && !payload.is_empty()).then(|| Sha1::digest(payload).into());
        let mut answered = None;
        let mut payload_matches_request = None;
        if let (Some(identifier), Some(sequence), Some(&[_, _, high, low])) = (self.body.identifier, self.body.sequence, message.first_chunk()) {
            let sum = sum_without_type(u16::from_be_bytes([high, low]), kind);
            let requests = cx.shared.get::<Requests>();
            match part(v6, kind) {
                Part::Request(kind) => {
                    let question = Question { asker: ip.src, asked: ip.dst, kind, identifier, sequence };
                    requests.remember(question, Request { sum, payload: digest, frame: cx.frame, ts: cx.ts, reused: false, answered: false });
                }
                Part::Reply(kind) => {
                    let question = Question { asker: ip.dst, asked: ip.src, kind, identifier, sequence };
                    let is_echo = matches!((v6, kind), (false, 8) | (true, 128));
                    if let Some(request) = requests.answer(&question, Some(sum).filter(|_| is_echo), checksum_ok != Some(false), cx.ts) {
                        answered = Some((request.frame, cx.ts.saturating_sub(request.ts)));
                        payload_matches_request = request.payload.zip(digest).map(|(asked, answered)| asked == answered).filter(|_| is_echo);
                    }
                }
                Part::Neither => {}
            }
        }

        let is_error = if v6 { kind < 5 } else { matches!(kind, 3..=5 | 11 | 12) };
        let payload_class = match () {
            () if payload.is_empty() => None,
            () if is_error => Some("quoted_packet"),
            () if cut || !is_free(v6, kind) => None,
            () => payload::class(payload),
        };
        let body = &self.body;
        let quoted = body.quoted.as_ref();
        let mut digits = [0; 40];
        // The flow's hardware addresses are those of its first packet; a row is about this one.
        let mut common = cx.common(cx.dir);
        (common.src_mac, common.dst_mac) = (packet.src_mac, packet.dst_mac);
        let row = Icmp {
            ip_version: Some(ip.version),
            r#type: Some(kind),
            type_name: if v6 { names::v6_type(kind) } else { names::v4_type(kind) },
            code,
            code_name: code.and_then(|code| if v6 { names::v6_code(kind, code) } else { names::v4_code(kind, code) }),
            ttl: Some(ip.ttl),
            checksum_ok,
            identifier: body.identifier,
            sequence: body.sequence,
            response_to: answered.map(|(frame, _)| frame),
            response_time_ms: answered.map(|(_, waited)| waited as f64 / 1e6),
            payload_len: wire_len.checked_sub(HEADER).and_then(|length| length.try_into().ok()),
            payload_entropy: payload::entropy(payload).filter(|_| !cut),
            payload_sha1: digest.as_ref().and_then(|digest| hex(digest, &mut digits)),
            payload_prefix: some(payload.get(..PREFIX).unwrap_or(payload)),
            payload_class,
            payload_matches_request,
            mtu: body.mtu,
            pointer: body.pointer,
            gateway: body.gateway,
            redirect_destination: body.redirect_destination,
            quoted_src_ip: quoted.map(|quoted| quoted.src),
            quoted_dst_ip: quoted.map(|quoted| quoted.dst),
            quoted_proto: quoted.map(|quoted| quoted.proto),
            quoted_src_port: quoted.and_then(|quoted| quoted.src_port),
            quoted_dst_port: quoted.and_then(|quoted| quoted.dst_port),
            quoted_flow_id: None,
            mpls_labels: some(&body.mpls_labels),
            target: body.target,
            na_router: body.na_router,
            na_solicited: body.na_solicited,
            na_override: body.na_override,
            source_lladdr: body.source_lladdr.as_deref(),
            target_lladdr: body.target_lladdr.as_deref(),
            ra_cur_hop_limit: body.ra_cur_hop_limit,
            ra_managed: body.ra_managed,
            ra_other: body.ra_other,
            ra_preference: body.ra_preference,
            ra_lifetime_s: body.ra_lifetime_s,
            ra_reachable_ms: body.ra_reachable_ms,
            ra_retrans_ms: body.ra_retrans_ms,
            prefixes: some(&body.prefixes),
            prefix_valid_s: some(&body.prefix_valid_s),
            rdnss: some(&body.rdnss),
            dnssl: some(&body.dnssl),
            option_types: some(&body.option_types),
            mcast_groups: some(&body.mcast_groups),
            mld_record_types: some(&body.mld_record_types),
        };
        cx.emit_as(&common, row);
        Outcome::Decoded
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const QUESTION: Question = Question {
        asker: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
        asked: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)),
        kind: 8,
        identifier: 7,
        sequence: 1,
    };

    fn echo(checksum: u16, data: u8, frame: u64) -> Request {
        Request { sum: sum_without_type(checksum, 8), payload: Some([data; 20]), frame, ts: 0, reused: false, answered: false }
    }

    fn answer(requests: &mut Requests, checksum: u16, by_number: bool, ts: i64) -> Option<u64> {
        requests.answer(&QUESTION, Some(sum_without_type(checksum, 0)), by_number, ts).map(|request| request.frame)
    }

    #[test]
    fn reply_has_the_sum_of_its_request() {
        assert_eq!(sum_without_type(0xbdf3, 8), sum_without_type(0xc5f3, 0));
        assert_eq!(sum_without_type(0xf8a1, 8), sum_without_type(0x00a2, 0));
        assert_ne!(sum_without_type(0xbdf3, 8), sum_without_type(0xc5f4, 0));
        assert_eq!(sum_without_type(0x1234, 128), sum_without_type(0x1134, 129));
    }

    #[test]
    fn pairs_by_checksum_then_by_number() {
        let mut requests = Requests::default();
        requests.remember(QUESTION, echo(0xbdf3, 1, 1));
        requests.remember(QUESTION, echo(0xbdf3, 1, 2));
        assert_eq!(answer(&mut requests, 0xc5f3, true, 0), Some(2));
        assert_eq!(answer(&mut requests, 0xc5f3, true, 0), None);

        let mut altered = Requests::default();
        altered.remember(QUESTION, echo(0xbdf3, 1, 1));
        assert_eq!(answer(&mut altered, 0x1111, false, 0), None);
        assert_eq!(answer(&mut altered, 0x1111, true, PATIENCE_NS + 1), None);
        assert_eq!(answer(&mut altered, 0x1111, true, 0), Some(1));

        let mut tunnel = Requests::default();
        tunnel.remember(QUESTION, echo(0, 1, 1));
        tunnel.remember(QUESTION, echo(0, 2, 2));
        assert_eq!(answer(&mut tunnel, 0, true, 0), None);
    }

    #[test]
    fn forgets_the_oldest() {
        let mut requests = Requests::default();
        for frame in 0..=MAX_REQUESTS {
            requests.remember(Question { sequence: frame as u16, identifier: (frame >> 16) as u16, ..QUESTION }, echo(0xbdf3, 1, frame as u64));
        }
        assert_eq!((requests.by_question.len(), requests.order.len()), (MAX_REQUESTS, MAX_REQUESTS));
        assert!(!requests.by_question.contains_key(&Question { sequence: 0, identifier: 0, ..QUESTION }));
    }

    #[test]
    fn fragmentation_needed_and_redirect() {
        let mut quoted = vec![0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7];
        quoted.extend([0xe4, 0x3f, 0x00, 0x35, 0, 40, 0, 0]);
        let mut message = vec![3, 4, 0, 0, 0, 0, 0x05, 0x78];
        message.extend(&quoted);
        let mut body = Body::default();
        body.read_v4(3, 4, &message).unwrap();
        assert_eq!(body.mtu, Some(1400));
        let inner = body.quoted.as_ref().unwrap();
        assert_eq!((inner.src, inner.dst, inner.proto), ([192, 0, 2, 1].into(), [198, 51, 100, 7].into(), 17));
        assert_eq!((inner.src_port, inner.dst_port), (Some(58_431), Some(53)));

        let mut message = vec![5, 1, 0, 0, 10, 0, 0, 254];
        message.extend(&quoted);
        body.reset();
        body.read_v4(5, 1, &message).unwrap();
        assert_eq!((body.mtu, body.gateway), (None, Some([10, 0, 0, 254].into())));
        assert_eq!(body.redirect_destination, Some([198, 51, 100, 7].into()));
    }

    #[test]
    fn mpls_labels_behind_the_quoted_packet() {
        let mut message = vec![11, 0, 0, 0, 0, 32, 0, 0];
        message.extend([0; 128]);
        message.extend([0x20, 0, 0, 0, 0, 12, 1, 1]);
        message.extend([0x00, 0x01, 0x00, 0x01, 0x12, 0x34, 0x51, 0x40]);
        let mut body = Body::default();
        body.read_v4(11, 0, &message).unwrap();
        assert_eq!(body.mpls_labels, [16, 0x12345]);
        // Without a length, only a right checksum makes it an extension.
        let mut silent = message.clone();
        silent[5] = 0;
        body.reset();
        body.read_v4(11, 0, &silent).unwrap();
        assert_eq!(body.mpls_labels, [0_u32; 0]);
        let checksum = !ones_sum(0, &silent[136..]);
        silent[138..140].copy_from_slice(&checksum.to_be_bytes());
        body.reset();
        body.read_v4(11, 0, &silent).unwrap();
        assert_eq!(body.mpls_labels, [16, 0x12345]);
    }
}
