//! OPC UA over TCP (OPC UA Part 6, sections 6.7 and 7.1): messages of secure channels, their chunks joined, and the services in
//! them where nothing hides these.
//!
//! ```text
//! type:3  chunk:1 (F C A)  size:4  then
//! HEL  version:4 receive:4 send:4 message:4 chunks:4  URL          ACK  the same without URL      ERR  status:4  reason
//! OPN  channel:4  policy  certificate  thumbprint  sequence:4 request:4  body
//! MSG, CLO  channel:4  token:4  sequence:4 request:4  body                                  all low octet first
//! ```

mod encoding;
mod names;
mod service;

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::{Credentials, Opcua, OtCommands, ProcessValues};
use rustc_hash::FxHashMap;
use sha1::{Digest, Sha1};

use self::encoding::{DataValue, octets, text};
use self::service::Said;
use super::calendar;
use super::points::{self, MAX_COMMANDS, Owner};
use crate::protocols::hex::hex;
use crate::protocols::it::x509;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets};
use crate::wire::{Malformed, Reader, Wire};

/// OPC UA on any port; 4840 is its own, 4843 that of its TLS form, and the others are common.
pub static PROTOCOL: Protocol = Protocol {
    name: "opcua",
    group: Group::Ot,
    ports: &[4840, 4843, 12001, 48010, 49320, 53530],
    stream: Some(StreamKind { probe, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

const HEADER: usize = 8;
/// Largest chunk that is believed, and most octets of a message's chunks that are joined.
const MAX_CHUNK: u32 = 16 << 20;
const MAX_MESSAGE: usize = 8 << 20;
/// Messages whose chunks are awaited, requests that wait, and handles of monitored items.
const MAX_PARTIAL: usize = 16;
const MAX_WAITING: usize = 256;
const MAX_HANDLES: usize = 1 << 14;
/// Items of a message that are shown.
const SHOWN: usize = 1024;
/// Attribute that holds a node's value.
const VALUE: u32 = 13;

/// Nanoseconds since 1970 of a time in units of 100 ns since 1601.
fn nanoseconds(octets: [u8; 8]) -> Option<i64> {
    let ticks = i64::from_le_bytes(octets);
    if ticks == 0 { None } else { ticks.checked_sub(116_444_736_000_000_000)?.checked_mul(100) }
}

/// Such a time as text.
fn time(octets: [u8; 8]) -> String {
    nanoseconds(octets).map_or_else(|| "-".to_owned(), calendar::iso)
}

/// Kind, chunk type and size of the chunk that the bytes start with.
fn header(bytes: &[u8]) -> Wire<([u8; 3], u8, u32)> {
    let mut reader = Reader::new(bytes);
    let [a, b, c, chunk] = reader.array::<4>()?;
    let size = reader.le_u32()?;
    let known = matches!(
        [a, b, c],
        [b'H', b'E', b'L']
            | [b'A', b'C', b'K']
            | [b'E', b'R', b'R']
            | [b'R', b'H', b'E']
            | [b'O', b'P', b'N']
            | [b'M', b'S', b'G']
            | [b'C', b'L', b'O']
    );
    let fits = matches!(chunk, b'F' | b'C' | b'A') && (8..=MAX_CHUNK).contains(&size);
    if known && fits { Ok(([a, b, c], chunk, size)) } else { Err(Malformed) }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let mut open = true;
    for bytes in offer.bytes.into_iter().filter(|bytes| !bytes.is_empty()) {
        if header(bytes).is_ok() {
            return Verdict::Yes;
        }
        let kinds: [&[u8]; 7] = [b"HELF", b"ACKF", b"ERRF", b"RHEF", b"OPNF", b"MSG", b"CLOF"];
        open &= bytes.len() < HEADER && kinds.iter().any(|kind| kind.starts_with(bytes.get(..kind.len().min(bytes.len())).unwrap_or_default()));
    }
    if open { Verdict::More } else { Verdict::No }
}

/// A secure channel.
#[derive(Clone, Default)]
struct Channel {
    policy: Option<String>,
    mode: Option<u32>,
}

impl Channel {
    fn is_open(&self) -> bool {
        self.policy.as_deref() == Some("None") || self.mode == Some(1)
    }
}

/// Chunks of a message so far.
struct Partial {
    request: u32,
    body: Vec<u8>,
    size: u32,
    chunks: u16,
    too_large: bool,
}

/// A request that waits for its answer.
struct Waiting {
    common: Common,
    request: u32,
    service: Option<&'static str>,
    nodes: Vec<String>,
    attributes: Vec<u32>,
    methods: Vec<String>,
    values: Vec<DataValue>,
    handles: Vec<u32>,
    user: Option<(Option<String>, Option<Vec<u8>>, bool)>,
}

/// One TCP connection.
#[derive(Default)]
struct Connection {
    channels: FxHashMap<u32, Channel>,
    /// Policy and mode that the client asked for in a channel that has no number yet.
    asked: Channel,
    partial: [Vec<Partial>; 2],
    waiting: VecDeque<Waiting>,
    sequence: [Option<u32>; 2],
    /// Nodes by the handle under which they are monitored.
    handles: FxHashMap<u32, String>,
    gap: [bool; 2],
}

/// What a chunk of a channel starts with.
struct Place {
    channel: u32,
    token: Option<u32>,
    sequence: Option<u32>,
    request: Option<u32>,
}

impl Connection {
    fn chunk(&mut self, cx: &mut Cx<'_>, kind: [u8; 3], chunk: u8, size: u32, body: &[u8]) {
        let mut reader = Reader::new(body);
        let name = match &kind {
            b"HEL" => "HEL",
            b"ACK" => "ACK",
            b"ERR" => "ERR",
            b"RHE" => "RHE",
            b"OPN" => "OPN",
            b"CLO" => "CLO",
            _ => "MSG",
        };
        let base = Opcua {
            is_orig: Some(cx.dir == Dir::Orig),
            msg_type: Some(name),
            is_final: Some(match chunk {
                b'A' => "A",
                b'C' => "C",
                _ => "F",
            }),
            msg_size: Some(size),
            chunks: Some(1),
            ..Opcua::default()
        };
        let read = match &kind {
            b"HEL" | b"ACK" => hello(cx, &mut reader, &base),
            b"ERR" => error(cx, &mut reader, &base),
            b"RHE" => reverse(cx, &mut reader, &base),
            b"OPN" => self.open(cx, &mut reader, &base),
            _ => self.message(cx, &mut reader, chunk, &base),
        };
        if read.is_err() {
            cx.anomaly("opcua", "bad_length", "a message ends before its fields do");
            cx.emit(Opcua { malformed: Some("truncated"), ..base });
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>, reader: &mut Reader<'_>, base: &Opcua<'_>) -> Wire<()> {
        let channel = reader.le_u32()?;
        let uri = text(reader)?.unwrap_or_default();
        let certificate = octets(reader)?.filter(|certificate| !certificate.is_empty());
        octets(reader)?;
        let policy = names::policy(&uri).to_owned();
        let is_open = policy == "None";
        let (sequence, request) = if is_open { (Some(reader.le_u32()?), Some(reader.le_u32()?)) } else { (None, None) };
        let said = if is_open { Said::read(reader.rest()) } else { None };
        let mode = said.as_ref().and_then(|said| said.mode);
        let is_request = cx.dir == Dir::Orig;
        if is_request {
            self.asked = Channel { policy: Some(policy.clone()), mode };
        }
        let mode = mode.or(self.asked.mode.filter(|_| !is_request));
        if channel != 0 && self.channels.len() < MAX_WAITING {
            self.channels.insert(channel, Channel { policy: Some(policy.clone()), mode });
        }
        let thumbprint = certificate.map(|certificate| hex(&Sha1::digest(certificate)));
        let place = Place { channel, token: None, sequence, request };
        let row = Opcua {
            security_policy: Some(&policy),
            security_mode: mode.and_then(names::mode),
            encrypted: Some(!is_open),
            client_cert_sha1: thumbprint.as_deref(),
            ..base_of(base)
        };
        self.row(cx, &place, said.as_ref(), row);
        if let Some(certificate) = certificate {
            let role = if is_request { "client" } else { "server" };
            x509::emit_chain(cx, &x509::Presented { carrier: "opcua", role: Some(role), server_name: None }, &[certificate]);
        }
        Ok(())
    }

    fn message(&mut self, cx: &mut Cx<'_>, reader: &mut Reader<'_>, chunk: u8, base: &Opcua<'_>) -> Wire<()> {
        let (channel, token) = (reader.le_u32()?, reader.le_u32()?);
        let known = self.channels.get(&channel).cloned().unwrap_or_default();
        let start = *reader;
        let (sequence, request) = (reader.le_u32()?, reader.le_u32()?);
        let body = reader.rest();
        let size = base.msg_size.unwrap_or_default();
        let index = cx.dir.index();
        let joined;
        let (body, size, chunks, malformed) = match (chunk, self.join(index, request, body, size, chunk)) {
            (b'C', _) => return Ok(()),
            (b'A', _) => (&[][..], size, 1, None),
            (_, Some(partial)) => {
                joined = partial;
                (joined.body.as_slice(), joined.size, joined.chunks, joined.too_large.then_some("bad_chunk"))
            }
            (_, None) => (body, size, 1, None),
        };
        // Where the mode is not known, what reads as a service of known number is one.
        let said = Said::read(body).filter(|said| known.is_open() || said.service.is_some_and(|_| said.request_handle.is_some()));
        let encrypted = said.is_none() && !known.is_open() && chunk != b'A';
        let gap = if encrypted { false } else { self.follows(index, sequence) };
        let place = if encrypted {
            let mut hidden = start;
            hidden.rest();
            Place { channel, token: Some(token), sequence: None, request: None }
        } else {
            Place { channel, token: Some(token), sequence: Some(sequence), request: Some(request) }
        };
        let row = Opcua {
            msg_size: Some(size),
            chunks: Some(chunks),
            security_policy: known.policy.as_deref(),
            security_mode: known.mode.and_then(names::mode),
            encrypted: Some(encrypted),
            malformed: malformed.or(gap.then_some("gap")),
            ..base_of(base)
        };
        if gap {
            cx.anomaly("opcua", "sequence_gap", "chunks of a secure channel are missing");
        }
        self.row(cx, &place, said.as_ref(), row);
        if let (Some(said), Some(request)) = (said, place.request) {
            self.pair(cx, request, said);
        }
        Ok(())
    }

    /// Joins the chunks of a message: gives what they hold when the last one came and there were others before.
    fn join(&mut self, index: usize, request: u32, body: &[u8], size: u32, chunk: u8) -> Option<Partial> {
        let waiting = self.partial.get_mut(index)?;
        let at = waiting.iter().position(|partial| partial.request == request);
        if chunk == b'C' && at.is_none() {
            if waiting.len() >= MAX_PARTIAL {
                waiting.remove(0);
            }
            waiting.push(Partial { request, body: Vec::new(), size: 0, chunks: 0, too_large: false });
        }
        let at = waiting.iter().position(|partial| partial.request == request)?;
        let partial = waiting.get_mut(at)?;
        partial.size = partial.size.saturating_add(size);
        partial.chunks = partial.chunks.saturating_add(1);
        if partial.body.len() + body.len() > MAX_MESSAGE {
            partial.too_large = true;
        } else if !partial.too_large {
            partial.body.extend_from_slice(body);
        }
        (chunk != b'C').then(|| waiting.remove(at))
    }

    /// Whether chunks are missing before this one; the number starts over near its end (Part 6, section 6.7.2.4).
    fn follows(&mut self, index: usize, sequence: u32) -> bool {
        let Some(last) = self.sequence.get_mut(index) else { return false };
        let expected = last.map(|last| last.wrapping_add(1));
        *last = Some(sequence);
        expected.is_some_and(|expected| sequence != expected && sequence >= 1024)
    }

    fn row(&mut self, cx: &mut Cx<'_>, place: &Place, said: Option<&Said<'_>>, base: Opcua<'_>) {
        let asked = said.filter(|said| !is_request(said)).and_then(|_| self.waiting.iter().find(|waiting| Some(waiting.request) == place.request));
        let request_frame = asked.map(|waiting| waiting.common.frame);
        let base = Opcua {
            sec_channel_id: Some(place.channel),
            sec_token_id: place.token,
            seq_number: place.sequence,
            request_id: place.request,
            request_frame,
            ..base
        };
        let Some(said) = said else { return cx.emit(base) };
        let nodes = list(&said.nodes);
        let (methods, endpoints) = (list(&said.methods), list(&said.endpoints));
        let values = service::shown(&said.values);
        let result = said.result.filter(|result| names::is_bad(*result));
        cx.emit(Opcua {
            service_id: Some(said.encoding),
            service: said.service.map(|(name, _)| name),
            is_request: said.service.map(|(_, is_request)| is_request),
            request_handle: said.request_handle,
            service_result: said.result,
            error: result.and_then(names::status),
            session_name: said.session_name.as_deref(),
            application_uri: said.application_uri.as_deref(),
            application_name: said.application_name.as_deref(),
            product_uri: said.product_uri.as_deref(),
            session_id: said.session_id.as_deref(),
            auth_token: said.auth_token.as_deref(),
            identity_type: said.identity,
            username: said.username.as_deref(),
            password: said.password,
            password_encrypted: said.password_encrypted,
            node_ids: some(&nodes),
            attribute_ids: some(&said.attributes),
            method_ids: some(&methods),
            values: some(&values),
            status_codes: some(&said.statuses),
            item_count: said.items.and_then(|items| u32::try_from(items).ok()),
            endpoints: some(&endpoints),
            subscription_id: said.subscription,
            publishing_interval_ms: said.interval,
            malformed: base.malformed.or((said.service.is_some() && !said.whole).then_some("truncated")),
            ..base
        });
    }

    /// Requests wait; answers settle them.
    fn pair(&mut self, cx: &mut Cx<'_>, request: u32, said: Said<'_>) {
        if is_request(&said) {
            if self.waiting.len() >= MAX_WAITING
                && let Some(unanswered) = self.waiting.pop_front()
            {
                tell(cx, &unanswered, None);
            }
            let user = (said.identity == Some("username"))
                .then(|| (said.username.as_deref().map(str::to_owned), said.password.map(<[u8]>::to_vec), said.password_encrypted == Some(true)));
            self.waiting.push_back(Waiting {
                common: cx.common(cx.dir),
                request,
                service: said.service.map(|(name, _)| name),
                nodes: said.nodes,
                attributes: said.attributes,
                methods: said.methods,
                values: said.values,
                handles: said.handles,
                user,
            });
            return;
        }
        let at = self.waiting.iter().position(|waiting| waiting.request == request);
        let asked = at.and_then(|at| self.waiting.remove(at));
        match (said.service, &asked) {
            (Some(("Publish", _)), _) => self.changes(cx, &said),
            (Some(("Read", _)), Some(asked)) => read(cx, asked, &said),
            (Some(("CreateMonitoredItems", _)), Some(asked)) => {
                for (handle, node) in
                    asked.handles.iter().zip(&asked.nodes).zip(&said.statuses).filter(|(_, status)| !names::is_bad(**status)).map(|(item, _)| item)
                {
                    if self.handles.len() < MAX_HANDLES {
                        self.handles.insert(*handle, node.clone());
                    }
                }
            }
            _ => {}
        }
        if let Some(asked) = asked {
            tell(cx, &asked, Some(&said));
        }
    }

    /// Values that a subscription reports.
    fn changes(&self, cx: &mut Cx<'_>, said: &Said<'_>) {
        for (handle, value) in said.handles.iter().zip(&said.values).take(SHOWN) {
            if let Some(node) = self.handles.get(handle) {
                report(cx, node, value, "report", None);
            }
        }
    }
}

fn is_request(said: &Said<'_>) -> bool {
    said.service.is_some_and(|(_, is_request)| is_request)
}

/// The columns that all rows of a chunk share.
fn base_of<'a>(base: &Opcua<'a>) -> Opcua<'a> {
    Opcua {
        is_orig: base.is_orig,
        msg_type: base.msg_type,
        is_final: base.is_final,
        msg_size: base.msg_size,
        chunks: base.chunks,
        ..Opcua::default()
    }
}

fn list(texts: &[String]) -> Vec<Cow<'_, str>> {
    texts.iter().take(SHOWN).map(|text| text.as_str().into()).collect()
}

fn some<T>(list: &[T]) -> Option<&[T]> {
    Some(list).filter(|list| !list.is_empty())
}

fn hello(cx: &mut Cx<'_>, reader: &mut Reader<'_>, base: &Opcua<'_>) -> Wire<()> {
    let row = Opcua {
        version: Some(reader.le_u32()?),
        rcv_buf_size: Some(reader.le_u32()?),
        snd_buf_size: Some(reader.le_u32()?),
        max_msg_size: Some(reader.le_u32()?),
        max_chunk_count: Some(reader.le_u32()?),
        ..base_of(base)
    };
    let url = if base.msg_type == Some("HEL") { text(reader)? } else { None };
    cx.emit(Opcua { endpoint_url: url.as_deref(), ..row });
    Ok(())
}

fn error(cx: &mut Cx<'_>, reader: &mut Reader<'_>, base: &Opcua<'_>) -> Wire<()> {
    let code = reader.le_u32()?;
    let reason = text(reader)?;
    cx.emit(Opcua { error_code: Some(code), error: names::status(code), error_reason: reason.as_deref(), ..base_of(base) });
    Ok(())
}

/// A server that connects to its client (Part 6, section 7.1.2.6).
fn reverse(cx: &mut Cx<'_>, reader: &mut Reader<'_>, base: &Opcua<'_>) -> Wire<()> {
    let (server, url) = (text(reader)?, text(reader)?);
    cx.emit(Opcua { application_uri: server.as_deref(), endpoint_url: url.as_deref(), ..base_of(base) });
    Ok(())
}

/// Writes a value that the server tells.
fn report(cx: &mut Cx<'_>, node: &str, value: &DataValue, direction: &'static str, asked: Option<u64>) {
    let Some(found) = value.value.as_ref() else { return };
    let common = cx.common(cx.dir);
    let status = value.status.unwrap_or(0);
    let quality = if status == 0 { "good".to_owned() } else { names::status(status).map_or_else(|| format!("0x{status:08x}"), str::to_owned) };
    points::value(
        cx,
        &common,
        Owner::Source,
        ProcessValues {
            source_protocol: Some("opcua"),
            request_frame: asked,
            point: Some(node),
            object_type: Some("variable"),
            direction: Some(direction),
            value: found.number,
            raw_type: Some(found.kind),
            quality: Some(&quality),
            source_time: value.source_time,
            ..ProcessValues::default()
        },
    );
}

fn read(cx: &mut Cx<'_>, asked: &Waiting, said: &Said<'_>) {
    for ((node, attribute), value) in asked.nodes.iter().zip(&asked.attributes).zip(&said.values).take(SHOWN) {
        if *attribute == VALUE && value.value.as_ref().is_some_and(|value| value.number.is_some()) {
            report(cx, node, value, "read", Some(asked.common.frame));
        }
    }
}

/// Writes the commands, values and logins behind a request, when its outcome is known.
fn tell(cx: &mut Cx<'_>, asked: &Waiting, answer: Option<&Said<'_>>) {
    let Some(service) = asked.service else { return };
    let class = match service {
        "Write" => "write",
        "Call" => "operate",
        "ActivateSession" => "auth",
        "AddNodes" | "DeleteNodes" | "AddReferences" | "DeleteReferences" | "HistoryUpdate" => "config",
        _ => return,
    };
    let common = if answer.is_some() { Common { frame: cx.frame, ts: Some(cx.ts), ..asked.common } } else { asked.common };
    let result = answer.and_then(|answer| answer.result);
    let of = |index: usize| {
        let single = answer.and_then(|answer| answer.statuses.get(index)).copied().filter(|_| class != "auth");
        match (answer, result, single) {
            (None, ..) => ("no_response", None),
            (Some(_), Some(code), _) if names::is_bad(code) => ("refused", Some(code)),
            (Some(_), _, Some(code)) if names::is_bad(code) => ("refused", Some(code)),
            _ => ("ok", None),
        }
    };
    if let Some((name, password, encrypted)) = &asked.user {
        let clear = password.as_deref().filter(|_| !encrypted).map(String::from_utf8_lossy);
        let (outcome, _) = of(0);
        let turned = Common { frame: asked.common.frame, ts: asked.common.ts, ..asked.common };
        cx.emit_as(
            &turned,
            Credentials {
                protocol: Some("opcua"),
                kind: Some("password"),
                username: name.as_deref(),
                secret: clear.as_deref(),
                secret_id: clear.as_ref().and_then(|secret| secrets::id(secret.as_bytes())).as_deref(),
                secret_length: clear.as_ref().and_then(|secret| u32::try_from(secret.chars().count()).ok()),
                encrypted: Some(*encrypted),
                outcome: Some(match outcome {
                    "ok" => "success",
                    "refused" => "failure",
                    _ => "unknown",
                }),
                field: Some("user name token"),
                ..Credentials::default()
            },
        );
    }
    let items = asked.nodes.len().max(1);
    let shown = if items > MAX_COMMANDS { 1 } else { items };
    for index in 0..shown {
        let (outcome, code) = of(index);
        let (node, method) = (asked.nodes.get(index), asked.methods.get(index));
        let value = asked.values.get(index).and_then(|value| value.value.as_ref());
        let arguments;
        let text = match class {
            "operate" => {
                arguments = asked.values.iter().take(16).filter_map(|value| Some(value.value.as_ref()?.text.as_str())).collect::<Vec<_>>().join(", ");
                Some(arguments.as_str()).filter(|arguments| !arguments.is_empty())
            }
            "auth" => asked.user.as_ref().and_then(|(name, ..)| name.as_deref()),
            _ => value.map(|value| value.text.as_str()),
        };
        let point = method.or(node);
        points::command(
            cx,
            &common,
            false,
            OtCommands {
                protocol: Some("opcua"),
                record_frame: Some(asked.common.frame),
                request_frame: Some(asked.common.frame),
                response_frame: answer.map(|_| common.frame),
                class: Some(class),
                command: Some(service),
                point: point.map(String::as_str).filter(|_| class != "auth"),
                value: text,
                quantity: (items > shown).then(|| u32::try_from(items).unwrap_or(u32::MAX)),
                is_broadcast: Some(false),
                outcome: Some(outcome),
                error: code.and_then(names::status),
                latency_ms: answer.and_then(|_| points::milliseconds(asked.common.ts, common.ts)),
                ..OtCommands::default()
            },
        );
    }
    if class != "write" {
        return;
    }
    for (index, ((node, attribute), value)) in asked.nodes.iter().zip(&asked.attributes).zip(&asked.values).take(SHOWN).enumerate() {
        let Some(number) = value.value.as_ref().filter(|_| *attribute == VALUE) else { continue };
        points::value(
            cx,
            &common,
            Owner::Destination,
            ProcessValues {
                source_protocol: Some("opcua"),
                request_frame: Some(asked.common.frame),
                point: Some(node),
                object_type: Some("variable"),
                direction: Some("write"),
                value: number.number,
                raw_type: Some(number.kind),
                outcome: Some(of(index).0),
                ..ProcessValues::default()
            },
        );
    }
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.len() < HEADER {
                return Progress::Consumed(used);
            }
            let Ok((kind, chunk, size)) = header(rest) else {
                if let Some(lost) = self.gap.get_mut(cx.dir.index())
                    && *lost
                {
                    // Behind lost bytes a chunk is looked for.
                    let next = rest.windows(HEADER).skip(1).position(|window| header(window).is_ok());
                    match next {
                        Some(at) => {
                            used += at + 1;
                            continue;
                        }
                        None => return Progress::Consumed(used + rest.len().saturating_sub(HEADER - 1)),
                    }
                }
                cx.anomaly("opcua", "unexpected_state", "no message where one should start");
                return Progress::Stop;
            };
            let size_of = size as usize;
            let Some(body) = rest.get(HEADER..size_of) else { return Progress::Consumed(used) };
            if let Some(lost) = self.gap.get_mut(cx.dir.index()) {
                *lost = false;
            }
            self.chunk(cx, kind, chunk, size, body);
            used += size_of;
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, _missing: u64) -> bool {
        let index = cx.dir.index();
        if let (Some(lost), Some(partial)) = (self.gap.get_mut(index), self.partial.get_mut(index)) {
            *lost = true;
            partial.clear();
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            tell(cx, &waiting, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_known_by_type_and_size() {
        assert_eq!(header(b"HELF\x39\0\0\0"), Ok((*b"HEL", b'F', 57)));
        assert!(header(b"HELX\x39\0\0\0").is_err());
        assert!(header(b"MSGF\x04\0\0\0").is_err());
        let verdict = |bytes: &'static [u8]| {
            probe(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [None, None], usual_port: false, src: None, dst: None })
        };
        assert_eq!(verdict(b"HELF\x39"), Verdict::More);
        assert_eq!(verdict(b"OPNF\x84\0\0\0"), Verdict::Yes);
        assert_eq!(verdict(b"HELLO wo"), Verdict::No);
    }

    #[test]
    fn sequences_start_over() {
        let mut connection = Connection::default();
        assert!(!connection.follows(0, 51));
        assert!(!connection.follows(0, 52));
        assert!(!connection.follows(0, 1));
        connection.follows(0, 5000);
        assert!(connection.follows(0, 5002));
    }

    #[test]
    fn times_of_1601() {
        assert_eq!(nanoseconds(116_444_736_000_000_010_i64.to_le_bytes()), Some(1000));
        assert_eq!(time([0; 8]), "-");
    }
}
