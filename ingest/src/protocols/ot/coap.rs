//! CoAP: the web's methods for constrained devices (RFC 7252), with observation (RFC 7641), block-wise transfer (RFC 7959),
//! FETCH and PATCH (RFC 8132) and OSCORE (RFC 8613), over UDP, and over TCP (RFC 8323).
//!
//! ```text
//! UDP: version:2 bits  type:2 bits  token length:4 bits   code:1 (class 3 bits, detail 5)   message id:2   token   options
//! TCP: length:4 bits  token length:4 bits  (length 13: one octet more, less 13; 14: two, less 269; 15: four, less 65805)
//!      code:1   token   options; the length counts from there on
//! option: delta:4 bits  length:4 bits  (13: one octet more, less 13; 14: two octets more, less 269)  value
//! ff: the payload follows
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;

use pcapper_schema::Common;
use pcapper_schema::tables::Coap;

use crate::protocols::files::{About, Follower};
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Dir, Group, Offer, Outcome, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// CoAP on any port; 5683 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "coap",
    group: Group::Ot,
    ports: &[5683],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Endpoints>::default() }),
    stream: Some(StreamKind { probe: probe_stream, start: || Box::<Connection>::default() }),
    ..Protocol::NONE
};

/// Requests of a flow that wait for their answers, and message ids remembered.
const MAX_WAITING: usize = 64;
/// How long a message id means the same message (EXCHANGE_LIFETIME, RFC 7252 section 4.8.2), nanoseconds.
const EXCHANGE_LIFETIME: i64 = 247_000_000_000;
/// Octets of the payload that a row keeps.
const MAX_PAYLOAD: usize = 1024;
/// Options of a message that are read.
const MAX_OPTIONS: usize = 256;
/// Octets of a message's options and payload that are waited for in a stream.
const MAX_MESSAGE: usize = 1 << 20;
/// What either side of a TCP connection says first: its capabilities and settings.
const CSM: u8 = 0xe1;
/// Signals between the two ends of a TCP connection are of this class of codes; options have other meanings in each.
const SIGNAL: u8 = 7;

const METHODS: [&str; 7] = ["get", "post", "put", "delete", "fetch", "patch", "ipatch"];

/// Type field: confirmable, non-confirmable, acknowledgement, reset.
const TYPES: [&str; 4] = ["con", "non", "ack", "rst"];
const ACK: u8 = 2;

/// Option numbers (RFC 7252 section 5.10, and the documents that add to them).
mod option {
    pub const URI_HOST: u16 = 3;
    pub const ETAG: u16 = 4;
    pub const OBSERVE: u16 = 6;
    pub const URI_PORT: u16 = 7;
    pub const LOCATION_PATH: u16 = 8;
    pub const OSCORE: u16 = 9;
    pub const URI_PATH: u16 = 11;
    pub const CONTENT_FORMAT: u16 = 12;
    pub const URI_QUERY: u16 = 15;
    pub const ACCEPT: u16 = 17;
    pub const BLOCK2: u16 = 23;
    pub const BLOCK1: u16 = 27;
    pub const SIZE2: u16 = 28;
    pub const PROXY_URI: u16 = 35;
    pub const PROXY_SCHEME: u16 = 39;
    pub const SIZE1: u16 = 60;

    /// Whether IANA's registry lists it (as of RFC 9668).
    pub fn is_known(number: u16) -> bool {
        matches!(
            number,
            1 | 3
                | 4
                | 5
                | 6
                | 7
                | 8
                | 9
                | 11
                | 12
                | 13
                | 14
                | 15
                | 16
                | 17
                | 19
                | 20
                | 21
                | 23
                | 27
                | 28
                | 31
                | 35
                | 39
                | 60
                | 252
                | 258
                | 292
                | 2049
                | 2053
        )
    }
}

/// Names of the answers' codes (RFC 7252 section 5.9; RFC 7959, 8132, 8516, 8768).
fn status_name(code: u8) -> Option<&'static str> {
    Some(match (code >> 5, code & 31) {
        (2, 1) => "2.01 created",
        (2, 2) => "2.02 deleted",
        (2, 3) => "2.03 valid",
        (2, 4) => "2.04 changed",
        (2, 5) => "2.05 content",
        (2, 31) => "2.31 continue",
        (4, 0) => "4.00 bad request",
        (4, 1) => "4.01 unauthorized",
        (4, 2) => "4.02 bad option",
        (4, 3) => "4.03 forbidden",
        (4, 4) => "4.04 not found",
        (4, 5) => "4.05 method not allowed",
        (4, 6) => "4.06 not acceptable",
        (4, 8) => "4.08 request entity incomplete",
        (4, 9) => "4.09 conflict",
        (4, 12) => "4.12 precondition failed",
        (4, 13) => "4.13 request entity too large",
        (4, 15) => "4.15 unsupported content-format",
        (4, 22) => "4.22 unprocessable entity",
        (4, 29) => "4.29 too many requests",
        (5, 0) => "5.00 internal server error",
        (5, 1) => "5.01 not implemented",
        (5, 2) => "5.02 bad gateway",
        (5, 3) => "5.03 service unavailable",
        (5, 4) => "5.04 gateway timeout",
        (5, 5) => "5.05 proxying not supported",
        (5, 8) => "5.08 hop limit reached",
        _ => return None,
    })
}

/// Media types of the content formats (IANA, CoAP Content-Formats).
fn format_name(number: u16) -> Option<&'static str> {
    Some(match number {
        0 => "text/plain",
        40 => "application/link-format",
        41 => "application/xml",
        42 => "application/octet-stream",
        47 => "application/exi",
        50 => "application/json",
        51 => "application/json-patch+json",
        60 => "application/cbor",
        61 => "application/cwt",
        62 => "application/multipart-core",
        110 => "application/senml+json",
        111 => "application/sensml+json",
        112 => "application/senml+cbor",
        11542 => "application/vnd.oma.lwm2m+tlv",
        11543 => "application/vnd.oma.lwm2m+json",
        11544 => "application/vnd.oma.lwm2m+cbor",
        _ => return None,
    })
}

/// What stands before the options. A stream needs neither version nor type nor message id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header<'a> {
    version: Option<u8>,
    kind: Option<u8>,
    code: u8,
    message_id: Option<u16>,
    token: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(reader: &mut Reader<'a>) -> Wire<Self> {
        let first = reader.u8()?;
        let (code, message_id) = (reader.u8()?, reader.be_u16()?);
        let length = usize::from(first & 15);
        if length > 8 {
            return Err(Malformed);
        }
        Ok(Self { version: Some(first >> 6), kind: Some(first >> 4 & 3), code, message_id: Some(message_id), token: reader.take(length)? })
    }

    fn is_signal(&self) -> bool {
        self.code >> 5 == SIGNAL
    }

    fn is_request(&self) -> bool {
        (1..=7).contains(&self.code)
    }

    /// Version, code and form agree with RFC 7252 (sections 3 and 4).
    fn is_sound(&self) -> bool {
        let known = self.code == 0 || self.is_request() || status_name(self.code).is_some();
        // An empty message has nothing behind its id; a reset is always empty; an acknowledgement carries no request.
        self.version == Some(1)
            && known
            && (self.code != 0 || self.token.is_empty())
            && match self.kind {
                Some(2) => !self.is_request(),
                Some(3) => self.code == 0,
                Some(1) => self.code != 0,
                _ => true,
            }
    }
}

/// What the options say.
#[derive(Default)]
struct Options<'a> {
    numbers: Vec<u16>,
    uri_host: Option<&'a [u8]>,
    uri_port: Option<u16>,
    uri_path: Option<String>,
    uri_query: Vec<Cow<'a, str>>,
    location_path: Option<String>,
    proxy_uri: Option<&'a [u8]>,
    proxy_scheme: Option<&'a [u8]>,
    content_format: Option<u16>,
    accept: Option<u16>,
    observe: Option<u32>,
    etag: Option<&'a [u8]>,
    /// Of Block1 (a request's body) or Block2 (an answer's): the option, number, whether more follow, octets a block.
    block: Option<(u16, u32, bool, u16)>,
    size: Option<u32>,
    oscore: bool,
    unknown_critical: Option<u16>,
    /// The message came in a stream, where blocks may be joined (RFC 8323 section 6).
    in_stream: bool,
    /// The message is a signal: its options are no others' and are only counted.
    is_signal: bool,
}

/// Numbers are sent with as few octets as they need, none for 0.
fn number(value: &[u8]) -> Wire<u32> {
    if value.len() > 4 {
        return Err(Malformed);
    }
    Ok(value.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}

fn small(value: &[u8]) -> Wire<u16> {
    u16::try_from(number(value)?).map_err(|_| Malformed)
}

fn append(path: &mut Option<String>, segment: &[u8]) {
    let path = path.get_or_insert_with(String::new);
    path.push('/');
    path.push_str(&String::from_utf8_lossy(segment));
}

impl<'a> Options<'a> {
    /// Reads all options; what is left is the payload, if its marker was met.
    fn read(&mut self, reader: &mut Reader<'a>) -> Wire<Option<&'a [u8]>> {
        let mut at = 0_u16;
        while !reader.is_empty() {
            let first = reader.u8()?;
            if first == 0xff {
                // A marker with nothing behind it is an error (RFC 7252 section 3).
                return if reader.is_empty() { Err(Malformed) } else { Ok(Some(reader.rest())) };
            }
            let delta = extended(reader, first >> 4)?;
            let length = extended(reader, first & 15)?;
            at = at.checked_add(delta).ok_or(Malformed)?;
            let value = reader.take(usize::from(length))?;
            if self.numbers.len() >= MAX_OPTIONS {
                return Err(Malformed);
            }
            self.numbers.push(at);
            if !self.is_signal {
                self.option(at, value)?;
            }
        }
        Ok(None)
    }

    fn option(&mut self, at: u16, value: &'a [u8]) -> Wire<()> {
        match at {
            option::URI_HOST => self.uri_host = Some(value),
            option::URI_PORT => self.uri_port = Some(small(value)?),
            option::URI_PATH => append(&mut self.uri_path, value),
            option::URI_QUERY => self.uri_query.push(String::from_utf8_lossy(value)),
            option::LOCATION_PATH => append(&mut self.location_path, value),
            option::PROXY_URI => self.proxy_uri = Some(value),
            option::PROXY_SCHEME => self.proxy_scheme = Some(value),
            option::CONTENT_FORMAT => self.content_format = Some(small(value)?),
            option::ACCEPT => self.accept = Some(small(value)?),
            option::OBSERVE => self.observe = Some(number(value)?),
            option::ETAG => self.etag = Some(value),
            option::BLOCK1 | option::BLOCK2 => {
                let block = number(value)?;
                // 7 as exponent is reserved in UDP (RFC 7959 section 2.2); in a stream it means any number of blocks of 1024.
                let exponent = block & 7;
                if exponent == 7 && !self.in_stream || value.len() > 3 {
                    return Err(Malformed);
                }
                self.block = self.block.or(Some((at, block >> 4, block & 8 != 0, 16 << exponent.min(6))));
            }
            option::SIZE1 | option::SIZE2 => self.size = Some(number(value)?),
            option::OSCORE => self.oscore = true,
            // An odd number is critical: who does not know it must refuse the message.
            _ if at & 1 != 0 && !option::is_known(at) => self.unknown_critical = self.unknown_critical.or(Some(at)),
            _ => {}
        }
        Ok(())
    }
}

/// A nibble of an option's head, with the octets that extend it.
fn extended(reader: &mut Reader<'_>, nibble: u8) -> Wire<u16> {
    match nibble {
        13 => Ok(u16::from(reader.u8()?) + 13),
        14 => reader.be_u16()?.checked_add(269).ok_or(Malformed),
        15 => Err(Malformed),
        nibble => Ok(u16::from(nibble)),
    }
}

/// On CoAP's port a sound header, whatever the options are; elsewhere a request that names a path in plain text.
fn probe(offer: &Offer<'_>) -> Verdict {
    let mut reader = Reader::new(offer.current());
    let Ok(header) = Header::read(&mut reader) else { return Verdict::No };
    let mut options = Options::default();
    let empty = header.code != 0 || offer.current().len() == 4;
    let names_a_path = options.read(&mut reader).is_ok()
        && header.is_request()
        && options.unknown_critical.is_none()
        && options.uri_path.is_some_and(|path| path.len() > 1 && path.bytes().all(|octet| octet.is_ascii_graphic()));
    if header.is_sound() && empty && (offer.usual_port || names_a_path) { Verdict::Yes } else { Verdict::No }
}

/// The message that a stream starts with, what follows its header, and the length of all; `None` if it is not whole yet.
fn unit(bytes: &[u8]) -> Wire<Option<(Header<'_>, &[u8], usize)>> {
    let mut reader = Reader::new(bytes);
    let Ok((length, token)) = length(&mut reader) else { return Ok(None) };
    if token > 8 || length > MAX_MESSAGE {
        return Err(Malformed);
    }
    let Ok(code) = reader.u8() else { return Ok(None) };
    let (Ok(token), Ok(rest)) = (reader.take(token), reader.take(length)) else { return Ok(None) };
    Ok(Some((Header { version: None, kind: None, code, message_id: None, token }, rest, bytes.len() - reader.len())))
}

/// Lengths of what follows the header, and of the token.
fn length(reader: &mut Reader<'_>) -> Wire<(usize, usize)> {
    let first = reader.u8()?;
    let length = match first >> 4 {
        13 => usize::from(reader.u8()?) + 13,
        14 => usize::from(reader.be_u16()?) + 269,
        15 => (reader.be_u32()? as usize).saturating_add(65_805),
        short => short.into(),
    };
    Ok((length, usize::from(first & 15)))
}

/// Either side begins with its settings, on CoAP's port or if the other does too.
fn probe_stream(offer: &Offer<'_>) -> Verdict {
    let begins = |bytes: &[u8]| match unit(bytes) {
        Ok(Some((header, rest, _))) if header.code == CSM && header.token.is_empty() => {
            let mut options = Options { in_stream: true, is_signal: true, ..Options::default() };
            Some(matches!(options.read(&mut Reader::new(rest)), Ok(None)))
        }
        Ok(None) => {
            let mut reader = Reader::new(bytes);
            let starts_so = match (length(&mut reader), reader.u8()) {
                (Ok((..64, 0)), Ok(code)) => code == CSM,
                (Ok((..64, 0)) | Err(Malformed), Err(Malformed)) => offer.usual_port,
                _ => false,
            };
            if starts_so { None } else { Some(false) }
        }
        _ => Some(false),
    };
    let [orig, resp] = offer.bytes.map(|bytes| (!bytes.is_empty()).then(|| begins(bytes)).flatten());
    match (orig, resp) {
        (Some(false), _) | (_, Some(false)) => Verdict::No,
        (Some(true), Some(true)) => Verdict::Yes,
        (Some(true), _) | (_, Some(true)) if offer.usual_port => Verdict::Yes,
        _ => Verdict::More,
    }
}

/// A request that waits for its answer.
struct Waiting {
    from: Dir,
    token: Box<[u8]>,
    message_id: Option<u16>,
    frame: u64,
    ts: i64,
    path: Option<String>,
}

/// A body that comes in blocks.
struct Transfer {
    /// Who sends it.
    sender: Dir,
    path: Option<String>,
    follower: Follower,
    common: Common,
}

/// Two endpoints that talk.
#[derive(Default)]
struct Endpoints {
    waiting: VecDeque<Waiting>,
    /// Sender, message id, and time of the latest messages.
    seen: VecDeque<(Dir, u16, i64)>,
    transfer: Option<Transfer>,
}

impl Endpoints {
    /// Whether the sender used this message id within its lifetime; remembers it.
    fn is_repeated(&mut self, dir: Dir, message_id: u16, ts: i64) -> bool {
        let known = self.seen.iter().any(|(from, id, then)| *from == dir && *id == message_id && ts.saturating_sub(*then) <= EXCHANGE_LIFETIME);
        if !known {
            if self.seen.len() >= MAX_WAITING {
                self.seen.pop_front();
            }
            self.seen.push_back((dir, message_id, ts));
        }
        known
    }

    /// The request that an answer belongs to: an acknowledgement has its message id, others only its token.
    fn request(&self, dir: Dir, header: &Header<'_>) -> Option<&Waiting> {
        let fits = |waiting: &&Waiting| {
            waiting.from != dir && *waiting.token == *header.token && (header.kind != Some(ACK) || waiting.message_id == header.message_id)
        };
        self.waiting.iter().rev().find(fits)
    }

    /// Follows a body in blocks: Block1 is the request's, Block2 the answer's.
    fn block(&mut self, cx: &mut Cx<'_>, is_request: bool, options: &Options<'_>, path: Option<&str>, payload: &[u8]) {
        let Some((kind, number, more, size)) = options.block else { return };
        if (kind == option::BLOCK1) != is_request {
            return;
        }
        let sender = cx.dir;
        if number == 0 || self.transfer.as_ref().is_none_or(|transfer| transfer.sender != sender) {
            self.end_transfer(cx, false);
            if number == 0 && !more {
                return;
            }
            self.transfer = Some(Transfer { sender, path: path.map(str::to_owned), follower: Follower::default(), common: cx.common(sender) });
        }
        let common = cx.common(sender);
        if let Some(transfer) = &mut self.transfer {
            transfer.follower.push_at(u64::from(number) * u64::from(size), payload);
            transfer.common = common;
        }
        if !more {
            self.end_transfer(cx, true);
        }
    }

    fn end_transfer(&mut self, cx: &mut Cx<'_>, ended: bool) {
        let Some(transfer) = self.transfer.take() else { return };
        let name = transfer.path.as_deref().and_then(|path| path.rsplit('/').next()).filter(|name| !name.is_empty());
        let direction = if transfer.sender == Dir::Orig { "upload" } else { "download" };
        transfer.follower.finish_as(cx, &transfer.common, direction, About { source: "coap", filename: name, ..About::default() }, ended);
    }
}

fn text(bytes: Option<&[u8]>) -> Option<Cow<'_, str>> {
    bytes.map(String::from_utf8_lossy)
}

impl DatagramDissector for Endpoints {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let mut reader = Reader::new(payload);
        let Ok(header) = Header::read(&mut reader) else {
            let fault = match payload.first() {
                Some(first) if first & 15 > 8 => "token_too_long",
                _ => "truncated",
            };
            cx.anomaly("coap", "bad_length", "the message is shorter than its header, or its token longer than 8 octets");
            cx.emit(Coap { transport: Some("udp"), malformed: Some(fault), ..Coap::default() });
            return Outcome::Decoded;
        };
        if header.version != Some(1) {
            return Outcome::NotMine;
        }
        self.message(cx, "udp", &header, reader);
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.end_transfer(cx, false);
    }
}

impl Endpoints {
    /// Takes a message whose header was read.
    fn message(&mut self, cx: &mut Cx<'_>, transport: &'static str, header: &Header<'_>, mut reader: Reader<'_>) {
        let mut options = Options { in_stream: header.version.is_none(), is_signal: header.is_signal(), ..Options::default() };
        let body = options.read(&mut reader);
        if body.is_err() {
            cx.anomaly("coap", "bad_length", "options reach beyond the message, or a marker has no payload");
        }
        let payload = body.unwrap_or_default();
        let is_request = header.is_request();
        let repeated = header.message_id.map(|id| self.is_repeated(cx.dir, id, cx.ts));
        let answers = (header.code != 0 && !is_request && !header.is_signal()).then(|| self.request(cx.dir, header)).flatten();
        let asked = answers.map(|waiting| (waiting.frame, waiting.ts, waiting.path.clone()));
        let path = if is_request { options.uri_path.clone() } else { asked.as_ref().and_then(|(_, _, path)| path.clone()) };
        if is_request && repeated != Some(true) {
            if self.waiting.len() >= MAX_WAITING {
                self.waiting.pop_front();
            }
            self.waiting.push_back(Waiting {
                from: cx.dir,
                token: header.token.into(),
                message_id: header.message_id,
                frame: cx.frame,
                ts: cx.ts,
                path: options.uri_path.clone(),
            });
        }
        let code_text = format!("{}.{:02}", header.code >> 5, header.code & 31);
        let is_text =
            payload.and_then(|payload| std::str::from_utf8(payload).ok()).filter(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()));
        let kept = payload.map(|payload| payload.get(..MAX_PAYLOAD).unwrap_or(payload));
        let (host, proxy_uri, scheme) = (text(options.uri_host), text(options.proxy_uri), text(options.proxy_scheme));
        let dst = cx.ends[cx.dir.reverse().index()].ip;
        cx.emit(Coap {
            transport: Some(transport),
            version: header.version,
            type_code: header.kind,
            r#type: header.kind.and_then(|kind| TYPES.get(usize::from(kind))).copied(),
            code: Some(header.code),
            code_text: Some(&code_text),
            method: usize::from(header.code).checked_sub(1).and_then(|index| METHODS.get(index)).copied(),
            status: status_name(header.code),
            is_request: Some(is_request),
            message_id: header.message_id,
            token: Some(header.token).filter(|token| !token.is_empty()),
            request_frame: asked.as_ref().map(|(frame, _, _)| *frame),
            #[allow(clippy::cast_precision_loss)]
            response_time_ms: asked.as_ref().map(|(_, ts, _)| cx.ts.saturating_sub(*ts) as f64 / 1e6),
            uri_host: host.as_deref(),
            uri_port: options.uri_port,
            uri_path: options.uri_path.as_deref(),
            uri_query: Some(options.uri_query.as_slice()).filter(|list| !list.is_empty()),
            location_path: options.location_path.as_deref(),
            proxy_uri: proxy_uri.as_deref(),
            proxy_scheme: scheme.as_deref(),
            content_format: options.content_format,
            content_format_name: options.content_format.and_then(format_name),
            accept: options.accept,
            observe: options.observe,
            etag: options.etag,
            block_number: options.block.map(|(_, number, _, _)| number),
            block_more: options.block.map(|(_, _, more, _)| more),
            block_size: options.block.map(|(_, _, _, size)| size),
            size: options.size,
            option_numbers: Some(options.numbers.as_slice()).filter(|list| !list.is_empty()),
            unknown_critical_option: options.unknown_critical,
            oscore: Some(options.oscore),
            payload: kept,
            payload_len: payload.and_then(|payload| u32::try_from(payload.len()).ok()),
            payload_text: is_text.map(|text| text.get(..MAX_PAYLOAD).unwrap_or(text)),
            is_retransmission: repeated,
            is_multicast: dst.map(|ip| ip.is_multicast()),
            malformed: body.is_err().then_some("bad_option"),
        });
        if repeated != Some(true) && !options.oscore {
            self.block(cx, is_request, &options, path.as_deref(), payload.unwrap_or_default());
        }
    }
}

/// A TCP connection.
#[derive(Default)]
struct Connection(Endpoints);

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        match unit(bytes) {
            Ok(Some((header, rest, length))) => {
                self.0.message(cx, "tcp", &header, Reader::new(rest));
                Progress::Consumed(length)
            }
            Ok(None) => Progress::Consumed(0),
            Err(Malformed) => Progress::Stop,
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.0.end_transfer(cx, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(bytes: &[u8]) -> (Options<'_>, Wire<Option<&[u8]>>) {
        let mut options = Options::default();
        let rest = options.read(&mut Reader::new(bytes));
        (options, rest)
    }

    #[test]
    fn options_are_differences() {
        let (found, rest) = options(&[0xb3, b'f', b'w', b'1', 0x01, b'2', 0x10, 0x61, 0x2a, 0xd1, 0x03, 0x0e, 0xff, b'x']);
        assert_eq!(found.uri_path.as_deref(), Some("/fw1/2"));
        assert_eq!((found.content_format, found.numbers.as_slice()), (Some(0), &[11, 11, 12, 18, 34][..]));
        assert_eq!(rest, Ok(Some(&b"x"[..])));
    }

    #[test]
    fn a_block_has_number_more_and_size() {
        let (found, _) = options(&[0xd2, 0x0e, 0x01, 0x2e]);
        assert_eq!(found.block, Some((option::BLOCK1, 18, true, 1024)));
        assert!(options(&[0xd1, 0x0e, 0x07]).1.is_err(), "7 is reserved");
    }

    #[test]
    fn broken_options_are_told() {
        for bytes in [&[0xf0][..], &[0xb9, 1], &[0xff], &[0xe0, 0xff, 0xff, 0xe0, 0xff, 0xff]] {
            assert!(options(bytes).1.is_err(), "{bytes:?}");
        }
        assert_eq!(options(&[0xe1, 0x08, 0x00, 9]).0.unknown_critical, Some(2317));
    }

    #[test]
    fn headers_that_cannot_be() {
        let sound = |bytes: &[u8]| Header::read(&mut Reader::new(bytes)).is_ok_and(|header| header.is_sound());
        assert!(sound(&[0x42, 0x01, 0, 1, 7, 7]));
        assert!(sound(&[0x60, 0, 0, 1]), "an empty acknowledgement");
        assert!(!sound(&[0x60, 1, 0, 1]), "an acknowledgement with a method");
        assert!(!sound(&[0x49, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "nine octets of token");
        assert!(!sound(&[0x40, 0x31, 0, 1]), "class 1");
    }
    #[test]
    fn messages_of_a_stream() {
        // Settings with a largest message of 1152 octets, a request, and an answer in the long form of its length.
        let settings = [0x30, CSM, 0x22, 0x04, 0x80];
        let (header, rest, length) = unit(&settings).unwrap().unwrap();
        assert_eq!((header.code, header.version, length), (CSM, None, 5));
        let mut signal = Options { in_stream: true, is_signal: true, ..Options::default() };
        assert_eq!((signal.read(&mut Reader::new(rest)), signal.numbers.as_slice(), signal.etag), (Ok(None), &[2][..], None));
        let request = [0x51, 1, 0x4a, 0xb4, b't', b'e', b'm', b'p', 9, 9];
        let (header, rest, length) = unit(&request).unwrap().unwrap();
        assert_eq!((header.token, rest, length), (&[0x4a][..], &[0xb4, b't', b'e', b'm', b'p'][..], 8));
        assert!(header.is_request());
        assert_eq!(unit(&request[..7]), Ok(None), "not whole yet");
        let long = [&[0xd0, 2, 0x45, 0xff][..], &[b'x'; 14]].concat();
        assert_eq!(unit(&long).unwrap().map(|(_, rest, length)| (rest.len(), length)), Some((15, 18)));
        assert!(unit(&[0xf0, 0xff, 0xff, 0xff, 0xff, CSM]).is_err());
        assert!(unit(&[0x09, 1]).is_err(), "nine octets of token");
    }

    #[test]
    fn streams_begin_with_settings() {
        let offer = |orig: &'static [u8], resp: &'static [u8], usual_port| Offer {
            bytes: [orig, resp],
            dir: Dir::Orig,
            ports: [Some(40_000), Some(5683)],
            usual_port,
            src: None,
            dst: None,
        };
        const SETTINGS: &[u8] = &[0x30, CSM, 0x22, 0x04, 0x80];
        assert_eq!(probe_stream(&offer(SETTINGS, &[], true)), Verdict::Yes);
        assert_eq!(probe_stream(&offer(SETTINGS, &[], false)), Verdict::More);
        assert_eq!(probe_stream(&offer(SETTINGS, &[0x00, CSM], false)), Verdict::Yes);
        assert_eq!(probe_stream(&offer(SETTINGS, b"SSH-2.0-", false)), Verdict::No);
        assert_eq!(probe_stream(&offer(&[0x51, 1, 0x4a, 0xb4, b't', b'e', b'm', b'p'], &[], true)), Verdict::No);
    }
}
