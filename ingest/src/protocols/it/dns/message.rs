//! Messages: header, questions, records (RFC 1035 section 4).

use std::borrow::Cow;
use std::ops::Range;

use pcapper_schema::tables::{Dns, DnsRecords};

use super::edns::Options;
use super::name::{read_name, registered_domain, skip_name};
use super::pairing::{Conversation, Ends, Exchange, Groups, Question, name_key};
use super::rdata::{Parts, Rdata, present, push_type};
use super::types::{opcode_name, rcode_name, rr, type_name};
use super::{Carrier, Kind};
use crate::packet::Transport;
use crate::protocols::Cx;
use crate::wire::{Malformed, Reader, Wire};

/// Octets of a header.
pub const HEADER: usize = 12;
/// Octets of the shortest question: root, type, class.
const MIN_QUESTION: usize = 5;
/// Octets of the shortest record: root, type, class, TTL, length.
const MIN_RECORD: usize = 11;
/// Questions or answers of one multicast message that are matched.
const MAX_MATCHED: usize = 64;
/// Longest message a probe waits for on an unusual port.
const MAX_AWAITED: usize = 4096;
/// Opcode of a dynamic update (RFC 2136).
const UPDATE: u8 = 5;
/// Top bit of a class in multicast DNS: unicast answer wanted, or cache to be flushed (RFC 6762 section 18.12, 18.13).
const MDNS_CLASS_BIT: u16 = 0x8000;

/// The fixed part of a message.
#[derive(Clone, Copy, Debug)]
struct Header {
    id: u16,
    flags: u16,
    /// Questions, answers, authorities, additionals; in an update zones, prerequisites, updates, additionals.
    counts: [u16; 4],
}

impl Header {
    fn read(rest: &mut Reader<'_>) -> Wire<Self> {
        let (id, flags) = (rest.be_u16()?, rest.be_u16()?);
        Ok(Self { id, flags, counts: [rest.be_u16()?, rest.be_u16()?, rest.be_u16()?, rest.be_u16()?] })
    }

    fn flag(&self, mask: u16) -> bool {
        self.flags & mask != 0
    }

    fn is_response(&self) -> bool {
        self.flag(0x8000)
    }

    fn opcode(&self) -> u8 {
        (self.flags >> 11 & 15) as u8
    }

    fn records(&self) -> usize {
        let [_, answers, authorities, additionals] = self.counts;
        usize::from(answers).saturating_add(usize::from(authorities)).saturating_add(usize::from(additionals))
    }

    /// Least octets of a message with these counts.
    fn least(&self) -> usize {
        let [questions, ..] = self.counts;
        HEADER.saturating_add(usize::from(questions).saturating_mul(MIN_QUESTION)).saturating_add(self.records().saturating_mul(MIN_RECORD))
    }

    /// Values that are in use, of a message of `length` octets (or of a plain query whose name is damaged).
    fn makes_sense(&self, length: usize) -> bool {
        let plain_query = matches!(self.counts, [1, 0, 0, 0 | 1]);
        opcode_name(self.opcode()).is_some() && !self.flag(0x40) && (plain_query || self.least() <= length)
    }
}

/// Whether the header of a message of `length` octets may be one; on other than the usual ports it must have a question and
/// cannot be large.
pub fn header_makes_sense(header: &[u8; HEADER], length: usize, usual: bool) -> bool {
    let makes_sense = |header: Header| {
        let [questions, ..] = header.counts;
        header.makes_sense(length) && (usual || questions == 1 && length <= MAX_AWAITED)
    };
    Header::read(&mut Reader::new(header)).is_ok_and(makes_sense)
}

/// What a first pass finds: how much of the message holds together.
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    header: Header,
    length: usize,
    /// The first question could be read; with type and class.
    question: Option<(u16, u16)>,
    /// A record could be read, its data aside, and is of a known kind.
    record: bool,
    /// The first question's name has only characters of host and service names.
    plain_name: bool,
    /// All announced questions and records are there, and end at this offset.
    end: Option<usize>,
}

impl Outline {
    /// `None` if there is no header.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let header = Header::read(&mut Reader::new(bytes)).ok()?;
        let mut outline = Self { header, length: bytes.len(), question: None, record: false, plain_name: false, end: None };
        outline.end = outline.walk(bytes).ok();
        Some(outline)
    }

    fn walk(&mut self, bytes: &[u8]) -> Wire<usize> {
        let mut at = HEADER;
        let [questions, ..] = self.header.counts;
        for index in 0..questions {
            let after = skip_name(bytes, at)?;
            let mut fixed = Reader::new(bytes.get(after..).ok_or(Malformed)?);
            let kind_and_class = (fixed.be_u16()?, fixed.be_u16()?);
            if index == 0 {
                self.question = Some(kind_and_class);
                self.plain_name = is_plain(bytes.get(at..after).unwrap_or_default());
            }
            at = after.saturating_add(4);
        }
        for _ in 0..self.header.records() {
            let head = RecordHead::read(bytes, at)?;
            self.record |= head.kind == rr::OPT || type_name(head.kind).is_some() && is_common_class(head.class & !MDNS_CLASS_BIT);
            at = head.data.end;
            if at > bytes.len() {
                return Err(Malformed);
            }
        }
        Ok(at)
    }

    /// Enough for a port on which DNS is expected: what is damaged or cut is DNS too.
    pub fn plausible(&self) -> bool {
        if self.end == Some(self.length) {
            return true;
        }
        let [questions, ..] = self.header.counts;
        let question = self.question.is_some_and(|(_, class)| questions == 1 || is_common_class(class & !MDNS_CLASS_BIT));
        opcode_name(self.header.opcode()).is_some() && !self.header.flag(0x40) && (question || self.record || self.header.makes_sense(self.length))
    }

    /// Enough for any port: one complete message of a common kind and nothing behind it.
    pub fn certain(&self) -> bool {
        let [questions, answers, authorities, _] = self.header.counts;
        let (Some((kind, class)), Some(end)) = (self.question, self.end) else { return false };
        let records_fit = self.header.is_response() || self.header.opcode() != 0 || answers == 0 && authorities == 0;
        questions == 1
            && end == self.length
            && matches!(self.header.opcode(), 0 | 4 | UPDATE)
            && !self.header.flag(0x40)
            && records_fit
            && self.plain_name
            && (type_name(kind).is_some() || kind >= 0xff00)
            && is_common_class(class)
    }
}

/// IN, CH, HS, NONE, ANY.
fn is_common_class(class: u16) -> bool {
    matches!(class, 1 | 3 | 4 | 254 | 255)
}

/// Whether the labels of a name (as on the wire) hold only letters, digits, `-`, `_` and the like, and the name is not one
/// of NetBIOS (one label of 32 letters A to P, RFC 1001 section 14.1).
fn is_plain(name: &[u8]) -> bool {
    if let [32, encoded @ .., 0] = name
        && encoded.len() == 32
        && encoded.iter().all(|octet| matches!(octet, b'A'..=b'P'))
    {
        return false;
    }
    let mut rest = Reader::new(name);
    while let Ok(length @ 1..64) = rest.u8() {
        let Ok(label) = rest.take(usize::from(length)) else { return false };
        if !label.iter().all(u8::is_ascii_graphic) {
            return false;
        }
    }
    rest.is_empty()
}

/// What stands before a record's data.
struct RecordHead {
    kind: u16,
    class: u16,
    ttl: u32,
    /// Where the data should be; it may end after the message does.
    data: Range<usize>,
}

impl RecordHead {
    /// The record whose owner name is at `at`.
    fn read(bytes: &[u8], at: usize) -> Wire<Self> {
        let after = skip_name(bytes, at)?;
        let mut fixed = Reader::new(bytes.get(after..).ok_or(Malformed)?);
        let (kind, class, ttl, length) = (fixed.be_u16()?, fixed.be_u16()?, fixed.be_u32()?, fixed.be_u16()?);
        let start = after.saturating_add(10);
        Ok(Self { kind, class, ttl, data: start..start.saturating_add(usize::from(length)) })
    }

    /// RDLENGTH.
    fn length(&self) -> u16 {
        u16::try_from(self.data.len()).unwrap_or(u16::MAX)
    }
}

/// Buffers that every message reuses; one set a worker.
#[derive(Default)]
struct Scratch {
    query: String,
    domain: String,
    name: String,
    data: String,
    kind: String,
    /// Texts of the answer section, one after the other, and where each ends.
    answers: String,
    answer_ends: Vec<usize>,
    ttls: Vec<u32>,
    options: Options,
    /// What a multicast message asks or answers.
    matched: Vec<Question>,
}

/// The first question.
#[derive(Clone, Copy, Default)]
struct Asked {
    kind: Option<u16>,
    class: Option<u16>,
    length: Option<u16>,
    labels: Option<u8>,
}

/// The fixed fields of the OPT record (RFC 6891 section 6.1.3).
#[derive(Clone, Copy)]
struct Edns {
    udp_size: u16,
    extended_rcode: u8,
    version: u8,
    dnssec_ok: bool,
}

/// Decodes one message from `cx.dir`, without length prefix: a row of `dns`, a row of `dns_records` a record.
///
/// `conversation` keeps the queries of the flow. What cannot be read ends the message: the rows hold what came before, and
/// an anomaly says so. False, and nothing written, if there is not even a header.
pub fn decode(cx: &mut Cx<'_>, carrier: Carrier, bytes: &[u8], conversation: &mut Conversation) -> bool {
    let Ok(header) = Header::read(&mut Reader::new(bytes)) else { return false };
    let mut scratch = std::mem::take(cx.shared.get::<Scratch>());
    scratch.clear();
    let kind = Kind::of(cx, carrier);
    let mut message = Message { bytes, header, carrier, kind, at: HEADER, scratch, asked: Asked::default(), edns: None, odd_data: false };
    let complete = message.sections(cx).is_ok();
    message.write(cx, complete, conversation);
    *cx.shared.get::<Scratch>() = message.scratch;
    true
}

impl Scratch {
    fn clear(&mut self) {
        self.query.clear();
        self.domain.clear();
        self.answers.clear();
        self.answer_ends.clear();
        self.ttls.clear();
        self.options.clear();
        self.matched.clear();
    }
}

/// A message being decoded.
struct Message<'a> {
    bytes: &'a [u8],
    header: Header,
    carrier: Carrier,
    kind: Kind,
    /// How far it was read.
    at: usize,
    scratch: Scratch,
    asked: Asked,
    edns: Option<Edns>,
    /// Some record's data did not fit its type.
    odd_data: bool,
}

impl Message<'_> {
    fn sections(&mut self, cx: &mut Cx<'_>) -> Wire<()> {
        let [questions, answers, authorities, additionals] = self.header.counts;
        for index in 0..questions {
            self.question(index == 0)?;
        }
        let names = if self.header.opcode() == UPDATE { ["prerequisite", "update"] } else { ["answer", "authority"] };
        let [first, second] = names;
        for (section, count) in [(first, answers), (second, authorities), ("additional", additionals)] {
            for _ in 0..count {
                self.record(cx, section)?;
            }
        }
        Ok(())
    }

    /// Splits the bit off that multicast DNS keeps in the class.
    fn class(&self, class: u16) -> (u16, Option<bool>) {
        match self.kind {
            Kind::Mdns => (class & !MDNS_CLASS_BIT, Some(class & MDNS_CLASS_BIT != 0)),
            _ => (class, None),
        }
    }

    fn remember(&mut self, name: u64, kind: u16) {
        if self.kind != Kind::Dns && self.scratch.matched.len() < MAX_MATCHED {
            self.scratch.matched.push(Question { name, kind });
        }
    }

    fn question(&mut self, first: bool) -> Wire<()> {
        let end = if first {
            let info = read_name(self.bytes, self.at, &mut self.scratch.query)?;
            self.asked.length = Some(info.length);
            self.asked.labels = Some(info.labels);
            info.end
        } else {
            skip_name(self.bytes, self.at)?
        };
        let mut fixed = Reader::new(self.bytes.get(end..).ok_or(Malformed)?);
        let kind = fixed.be_u16()?;
        if first {
            self.asked.kind = Some(kind);
        }
        let class = fixed.be_u16()?;
        if first {
            self.asked.class = Some(class);
        }
        if self.kind != Kind::Dns && !self.header.is_response() {
            self.scratch.name.clear();
            read_name(self.bytes, self.at, &mut self.scratch.name)?;
            self.remember(name_key(&self.scratch.name), kind);
        }
        self.at = end.saturating_add(4);
        Ok(())
    }

    fn record(&mut self, cx: &mut Cx<'_>, section: &'static str) -> Wire<()> {
        self.scratch.name.clear();
        read_name(self.bytes, self.at, &mut self.scratch.name)?;
        let head = RecordHead::read(self.bytes, self.at)?;
        let data = self.bytes.get(head.data.clone());
        self.scratch.data.clear();
        let parts = match data {
            Some(data) if head.kind == rr::OPT => self.opt(&head, data),
            Some(data) => present(head.kind, Rdata { message: self.bytes, at: head.data.start, bytes: data }, &mut self.scratch.data),
            None => Parts::default(),
        };
        self.odd_data |= parts.malformed;
        if section == "answer" && data.is_some() {
            self.answer(&head, &parts);
        }
        let (class, cache_flush) = self.class(head.class);
        let is_opt = head.kind == rr::OPT;
        let scratch = &mut self.scratch;
        scratch.kind.clear();
        push_type(&mut scratch.kind, head.kind);
        let part = |range: &Option<Range<usize>>| range.clone().and_then(|range| scratch.data.get(range));
        cx.emit(DnsRecords {
            trans_id: Some(self.header.id),
            is_response: Some(self.header.is_response()),
            transport: Some(self.carrier.name()),
            section: Some(section),
            name: Some(&scratch.name),
            r#type: Some(head.kind),
            type_name: Some(&scratch.kind),
            class: (!is_opt).then_some(class),
            cache_flush,
            ttl: (!is_opt).then_some(head.ttl),
            rdata_bytes: Some(head.length()),
            data: (!scratch.data.is_empty()).then_some(&scratch.data),
            address: parts.address,
            target: part(&parts.target),
            text: (!parts.text.is_empty()).then_some(&parts.text),
            preference: parts.preference,
            srv_port: parts.srv_port,
            soa_mname: part(&parts.soa_mname),
            soa_rname: part(&parts.soa_rname),
            soa_serial: parts.soa_serial,
            alpn: (!parts.alpn.is_empty()).then_some(&parts.alpn),
            ech: parts.ech,
        });
        self.at = head.data.end;
        data.map(|_| ()).ok_or(Malformed)
    }

    fn opt<'d>(&mut self, head: &RecordHead, data: &[u8]) -> Parts<'d> {
        let [extended_rcode, version, flags, _] = head.ttl.to_be_bytes();
        let (udp_size, _) = self.class(head.class);
        let edns = Edns { udp_size, extended_rcode, version, dnssec_ok: flags & 0x80 != 0 };
        let malformed = match self.edns {
            // A second OPT is an error (RFC 6891 section 6.1.1): the first counts.
            Some(_) => !Options::default().read(data, &mut self.scratch.data),
            None => {
                self.edns = Some(edns);
                !self.scratch.options.read(data, &mut self.scratch.data)
            }
        };
        Parts { malformed, ..Parts::default() }
    }

    /// Adds a record of the answer section to the lists of the message's row.
    fn answer(&mut self, head: &RecordHead, parts: &Parts<'_>) {
        let scratch = &mut self.scratch;
        match parts.target.clone().or(parts.soa_mname.clone()).and_then(|range| scratch.data.get(range)) {
            Some(name) => scratch.answers.push_str(name),
            // RFC 3597 section 5: how data of no length is written.
            None if scratch.data.is_empty() => scratch.answers.push_str("\\# 0"),
            None => scratch.answers.push_str(&scratch.data),
        }
        scratch.answer_ends.push(scratch.answers.len());
        scratch.ttls.push(head.ttl);
        if self.header.is_response() && self.kind == Kind::Mdns {
            let key = name_key(&self.scratch.name);
            self.remember(key, head.kind);
        }
    }

    /// Matches the message with what was asked before.
    fn exchange(&self, cx: &mut Cx<'_>, conversation: &mut Conversation) -> Exchange {
        let question = self.asked.kind.map(|kind| Question { name: name_key(&self.scratch.query), kind });
        let (id, is_response) = (self.header.id, self.header.is_response());
        if self.kind == Kind::Dns || self.carrier != Carrier::Udp {
            return match is_response {
                true => conversation.response(cx.dir, id, question, cx.ts),
                false => conversation.query(cx.dir, id, question, cx.frame, cx.ts),
            };
        }
        let common = cx.common(cx.dir);
        let ends = Ends { src: common.src_ip, src_port: common.src_port, dst: common.dst_ip, dst_port: common.dst_port };
        let (frame, ts) = (cx.frame, cx.ts);
        let groups = cx.shared.get::<Groups>();
        match (is_response, self.kind) {
            (false, kind) => groups.query(kind == Kind::Mdns, ends, id, &self.scratch.matched, frame, ts),
            (true, Kind::Mdns) => groups.mdns_response(ends, &self.scratch.matched, ts),
            (true, _) => groups.llmnr_response(ends, id, question, ts),
        }
    }

    fn write(&mut self, cx: &mut Cx<'_>, complete: bool, conversation: &mut Conversation) {
        let on_wire = self.bytes.len().max(match cx.packet {
            Some(packet) if matches!(packet.transport, Transport::Udp { .. }) && self.carrier == Carrier::Udp => packet.payload_len as usize,
            _ => 0,
        });
        if !complete && on_wire == self.bytes.len() {
            cx.anomaly("dns", "bad_length", "message ends before the questions and records it announces, or a name cannot be read");
        } else if self.odd_data {
            cx.anomaly("dns", "bad_length", "record data does not fit its type");
        }
        let exchange = self.exchange(cx, conversation);
        let header = self.header;
        let is_response = header.is_response();
        let rcode = is_response.then_some(header.flags & 15);
        let rcode_extended = rcode.map(|low| self.edns.map_or(low, |edns| u16::from(edns.extended_rcode) << 4 | low));
        let [questions, answers_count, authority_count, additional_count] = header.counts;
        let (qclass, unicast_response) = match self.asked.class {
            Some(class) => {
                let (class, bit) = self.class(class);
                (Some(class), bit)
            }
            None => (None, None),
        };
        let scratch = &mut self.scratch;
        scratch.kind.clear();
        if let Some(kind) = self.asked.kind {
            push_type(&mut scratch.kind, kind);
        }
        let has_domain = registered_domain(&scratch.query, &mut scratch.domain);
        let mut start = 0;
        let answers: Vec<Cow<'_, str>> = scratch
            .answer_ends
            .iter()
            .map(|&end| Cow::Borrowed(scratch.answers.get(std::mem::replace(&mut start, end)..end).unwrap_or_default()))
            .collect();
        let unless_llmnr = |mask| (self.kind != Kind::Llmnr).then_some(header.flag(mask));
        let edns = self.edns;
        cx.emit(Dns {
            transport: Some(self.carrier.name()),
            protocol: Some(self.kind.name()),
            trans_id: Some(header.id),
            is_response: Some(is_response),
            opcode: Some(header.opcode()),
            opcode_name: opcode_name(header.opcode()),
            rcode,
            rcode_extended,
            rcode_name: rcode_extended.and_then(rcode_name),
            aa: unless_llmnr(0x400).filter(|_| is_response),
            tc: Some(header.flag(0x200)),
            rd: (self.kind == Kind::Dns).then_some(header.flag(0x100)),
            ra: unless_llmnr(0x80).filter(|_| is_response),
            ad: unless_llmnr(0x20),
            cd: unless_llmnr(0x10),
            z: Some(match self.kind {
                // Four reserved bits (RFC 4795 section 2.1.1) instead of RA, Z, AD and CD.
                Kind::Llmnr => (header.flags >> 4 & 15) as u8,
                _ => u8::from(header.flag(0x40)),
            }),
            query: self.asked.length.map(|_| scratch.query.as_str()),
            qtype: self.asked.kind,
            qtype_name: self.asked.kind.map(|_| scratch.kind.as_str()),
            qclass,
            unicast_response,
            query_length: self.asked.length,
            label_count: self.asked.labels,
            registered_domain: has_domain.then_some(scratch.domain.as_str()),
            questions: Some(questions),
            answers_count: Some(answers_count),
            authority_count: Some(authority_count),
            additional_count: Some(additional_count),
            answers: (!answers.is_empty()).then_some(&answers),
            ttls: (!scratch.ttls.is_empty()).then_some(&scratch.ttls),
            edns_version: edns.map(|edns| edns.version),
            edns_udp_size: edns.map(|edns| edns.udp_size),
            edns_do: edns.map(|edns| edns.dnssec_ok),
            edns_options: edns.map(|_| scratch.options.codes.as_slice()).filter(|codes| !codes.is_empty()),
            client_subnet: (!scratch.options.client_subnet.is_empty()).then_some(&scratch.options.client_subnet),
            nsid: (!scratch.options.nsid.is_empty()).then_some(&scratch.options.nsid),
            extended_error: scratch.options.extended_error,
            message_bytes: u32::try_from(on_wire).ok(),
            request_frame: exchange.request_frame,
            rtt_ms: exchange.rtt_ms,
            retransmission: exchange.retransmission,
            unsolicited: exchange.unsolicited,
            trailing_bytes: complete.then(|| u32::try_from(on_wire.saturating_sub(self.at)).ok()).flatten(),
        });
    }
}
