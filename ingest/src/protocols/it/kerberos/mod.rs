//! Kerberos 5 (RFC 4120): exchanges with a KDC over UDP and TCP, with password services (RFC 3244), and messages that
//! [`gssapi`](super::gssapi) finds in other protocols.
//!
//! A request's row waits for its answer, which says how the request ended.

mod message;

use std::borrow::Cow;
use std::collections::VecDeque;

use message::{Message, cipher_name, error_name, kind, kind_name, starts};
use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Kerberos};

use crate::protocols::it::x509;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::Reader;

/// Kerberos on any port; 88 is the KDC's, 464 that of the password service.
pub static PROTOCOL: Protocol = Protocol {
    name: "kerberos",
    group: Group::It,
    ports: &[88, 464],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Datagrams>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

/// Port of the service that turns tickets into those of version 4 (krb524): it is sent a ticket and nothing else.
const CONVERTER: u16 = 4444;
/// Requests of a conversation that wait for their answer.
const MAX_WAITING: usize = 64;
/// Longest message that is waited for in a stream, bytes.
const MAX_MESSAGE: usize = 1 << 20;

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let known = starts(bytes).is_some()
        || offer.has_port(464) && password_parts(bytes).is_some()
        || offer.has_port(CONVERTER) && Message::bare_ticket(bytes).is_some();
    if known { Verdict::Yes } else { Verdict::No }
}

fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let mut seen = Verdict::More;
    for bytes in offer.bytes.into_iter().filter(|bytes| !bytes.is_empty()) {
        let Some(message) = bytes.get(4..) else { continue };
        let length = mark(bytes);
        if starts(message).is_some_and(|whole| Some(whole) == length) || offer.has_port(464) && password_parts(message).is_some() {
            return Verdict::Yes;
        }
        let plausible = length.is_some_and(|length| (16..=MAX_MESSAGE).contains(&length))
            && message.first().is_none_or(|first| matches!(first, 0x6a..=0x6f | 0x74..=0x76 | 0x7e) || offer.has_port(464));
        if !plausible || message.len() >= 24 {
            // A capture that starts midway has the rest of a request, and then its answer.
            let answered = offer.bytes.iter().all(|bytes| !bytes.is_empty());
            seen = if offer.usual_port && !answered { Verdict::More } else { Verdict::No };
        }
    }
    seen
}

/// The record mark of a stream (RFC 4120, 7.2.2): four octets with the length.
fn mark(bytes: &[u8]) -> Option<usize> {
    usize::try_from(Reader::new(bytes).be_u32().ok()?).ok()
}

/// The two messages of a password change (RFC 3244, 2): AP-REQ or AP-REP, and what it protects.
fn password_parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(bytes);
    let length = usize::from(reader.be_u16().ok()?);
    let version = reader.be_u16().ok()?;
    let first = usize::from(reader.be_u16().ok()?);
    if length != bytes.len() || !matches!(version, 1 | 0xff80) {
        return None;
    }
    let first = reader.take(first).ok()?;
    let second = reader.rest();
    (starts(first).is_some() || starts(second).is_some()).then_some((first, second))
}

/// Length that the header of a password change gives.
fn password_length(bytes: &[u8]) -> Option<usize> {
    Reader::new(bytes).be_u16().ok().map(usize::from)
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Waiting {
    common: Common,
    carrier: &'static str,
    transport: &'static str,
    kind: u8,
    bytes: Vec<u8>,
}

/// The messages between two hosts, in order.
#[derive(Default, Debug)]
pub struct Conversation {
    waiting: VecDeque<Waiting>,
}

/// How a request ended.
#[derive(Clone, Copy, Default)]
struct Ending {
    success: Option<bool>,
    frame: Option<u64>,
}

impl Conversation {
    /// Takes a message that `carrier` brought; `false` if it is none.
    pub fn message(&mut self, cx: &mut Cx<'_>, common: &Common, carrier: &'static str, transport: &'static str, bytes: &[u8]) -> bool {
        if starts(bytes).is_none() {
            return false;
        }
        let (message, read) = Message::parse(bytes);
        if read.is_err() {
            cx.anomaly("kerberos", "bad_length", "a message ends early or contradicts itself");
        }
        if !message.certificates.is_empty() {
            let role = if message.kind == kind::AS_REQ { "client" } else { "server" };
            let presented = x509::Presented { carrier: "kerberos", role: Some(role), server_name: None };
            x509::emit_chain(cx, &presented, &message.certificates);
        }
        let asks = match message.kind {
            kind::AS_REQ | kind::TGS_REQ | kind::AP_REQ => {
                if self.waiting.len() >= MAX_WAITING
                    && let Some(oldest) = self.waiting.pop_front()
                {
                    settle(cx, &oldest, Ending::default());
                }
                if bytes.len() > MAX_MESSAGE {
                    cx.anomaly("kerberos", "limit_reached", "a request is longer than 1 MiB");
                    return true;
                }
                self.waiting.push_back(Waiting { common: *common, carrier, transport, kind: message.kind, bytes: bytes.to_vec() });
                return true;
            }
            kind::AS_REP => kind::AS_REQ,
            kind::TGS_REP => kind::TGS_REQ,
            kind::AP_REP => kind::AP_REQ,
            kind::ERROR => 0,
            _ => {
                emit(cx, common, carrier, transport, &message, Ending::default());
                return true;
            }
        };
        // The answer goes the other way than its request.
        let found = self.waiting.iter().position(|request| {
            (asks == 0 || request.kind == asks) && (request.common.src_ip, request.common.src_port) == (common.dst_ip, common.dst_port)
        });
        if let Some(request) = found.and_then(|at| self.waiting.remove(at)) {
            settle(cx, &request, Ending { success: Some(message.kind != kind::ERROR), frame: Some(common.frame) });
        }
        emit(cx, common, carrier, transport, &message, Ending::default());
        true
    }

    /// A request waits for its answer.
    pub fn is_pending(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The carrier told how the requests ended.
    pub fn outcome(&mut self, cx: &mut Cx<'_>, success: Option<bool>, frame: Option<u64>) {
        while let Some(request) = self.waiting.pop_front() {
            settle(cx, &request, Ending { success, frame });
        }
    }

    /// Writes the requests that were not answered.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        self.outcome(cx, None, None);
    }

    /// What is in a datagram or a record.
    fn payload(&mut self, cx: &mut Cx<'_>, transport: &'static str, bytes: &[u8]) -> bool {
        let common = cx.common(cx.dir);
        if self.message(cx, &common, "kdc", transport, bytes) {
            return true;
        }
        if cx.ends.iter().any(|end| end.port == Some(CONVERTER))
            && let Some(message) = Message::bare_ticket(bytes)
        {
            emit(cx, &common, "kdc", transport, &message, Ending::default());
            return true;
        }
        let Some((first, second)) = password_parts(bytes) else { return false };
        self.message(cx, &common, "kdc", transport, first);
        self.message(cx, &common, "kdc", transport, second);
        true
    }
}

fn settle(cx: &mut Cx<'_>, request: &Waiting, ending: Ending) {
    let (message, _) = Message::parse(&request.bytes);
    emit(cx, &request.common, request.carrier, request.transport, &message, ending);
}

fn emit(cx: &mut Cx<'_>, common: &Common, carrier: &'static str, transport: &'static str, message: &Message<'_>, ending: Ending) {
    let request = matches!(message.kind, kind::AS_REQ | kind::TGS_REQ);
    let ticket_hash = message.ticket_hash();
    let preauth_hash = message.preauth_hash();
    let error = message.error_code.map(|code| error_name(code).map_or_else(|| Cow::Owned(code.to_string()), Cow::Borrowed));
    let option = |bit: u32| message.options.map(|options| options & bit != 0);
    cx.emit_as(
        common,
        Kerberos {
            msg_type: Some(message.kind).filter(|&kind| kind > 0),
            request_type: Some(kind_name(message.kind)),
            carrier: Some(carrier),
            client: message.client.as_deref(),
            client_name_type: message.client_name_type,
            realm: message.realm.as_deref(),
            service: message.service.as_deref(),
            service_class: message.service.as_deref().map(|service| service.split('/').next().unwrap_or_default()),
            ticket_realm: message.ticket_realm.as_deref(),
            success: ending.success,
            response_frame: ending.frame,
            error_code: message.error_code,
            error: error.as_deref(),
            error_text: message.error_text.as_deref(),
            server_ts: message.server_ts,
            etypes: Some(&message.etypes[..]).filter(|etypes| !etypes.is_empty()),
            weak_etypes_only: message.weak_only(),
            ticket_etype: message.ticket.map(|ticket| ticket.etype),
            ticket_cipher: message.ticket.and_then(|ticket| cipher_name(ticket.etype)),
            enc_part_etype: message.enc_part.map(|part| part.etype).filter(|_| matches!(message.kind, kind::AS_REP | kind::TGS_REP)),
            ticket_kvno: message.ticket.and_then(|ticket| ticket.kvno),
            padata_types: Some(&message.padata[..]).filter(|types| !types.is_empty()),
            preauth: message.preauth(),
            kdc_options: message.options,
            forwardable: option(0x4000_0000),
            renewable: option(0x0080_0000),
            constrained_delegation: option(0x0002_0000),
            s4u_user: message.s4u_user.as_deref(),
            from_ts: message.from,
            till_ts: message.till,
            addresses: Some(&message.addresses[..]).filter(|addresses| !addresses.is_empty()),
            salt: message.salt.as_deref(),
            ticket_hash: ticket_hash.as_ref().map(|(_, line)| line.as_str()),
            preauth_hash: preauth_hash.as_ref().map(|(_, line)| line.as_str()),
            transport: Some(transport),
        },
    );
    let Some((mode, line)) = ticket_hash.or(preauth_hash) else { return };
    let service = message.service.as_deref().filter(|_| message.kind == kind::TGS_REP);
    cx.emit_as(
        common,
        Credentials {
            protocol: Some("kerberos"),
            kind: Some(if request { "hash" } else { "ticket" }),
            // A service ticket's secret is the service's: its account is not named.
            username: message.client.as_deref().filter(|_| message.kind != kind::TGS_REP),
            domain: message.ticket_realm.as_deref().filter(|_| message.kind == kind::TGS_REP).or(message.realm.as_deref()),
            hash_line: Some(&line),
            hashcat_mode: Some(mode),
            service: service.or(message.service.as_deref()),
            outcome: Some(match (request, ending.success) {
                (false, _) | (true, Some(true)) => "success",
                (true, Some(false)) => "failure",
                (true, None) => "unknown",
            }),
            outcome_frame: ending.frame,
            field: Some(kind_name(message.kind)),
            ..Credentials::default()
        },
    );
}

#[derive(Default)]
struct Datagrams(Conversation);

impl DatagramDissector for Datagrams {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        if self.0.payload(cx, "udp", payload) { Outcome::Decoded } else { Outcome::NotMine }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.0.close(cx);
    }
}

#[derive(Default)]
struct Stream(Conversation);

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let Some(length) = mark(bytes) else { return Progress::Consumed(0) };
        let record = bytes.get(4..).unwrap_or_default();
        if length > MAX_MESSAGE || length == 0 || record.len() >= 24 && starts(record).is_none() && password_length(record) != Some(length) {
            // Where the next message starts is not known; most connections have one of each side.
            return Progress::Consumed(bytes.len());
        }
        match record.get(..length) {
            Some(record) => {
                self.0.payload(cx, "tcp", record);
                Progress::Consumed(4 + length)
            }
            None => Progress::Consumed(0),
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        true
    }

    /// The end of a direction brings what came of a message whose rest is missing.
    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        if let Some(record) = rest.get(4..).filter(|record| !record.is_empty()) {
            self.0.payload(cx, "tcp", record);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.0.close(cx);
    }
}
