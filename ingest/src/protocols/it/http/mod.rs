//! HTTP/0.9, 1.0 and 1.1 (RFC 1945, 9110, 9112) on any port.
//!
//! Each direction is a run of messages: a head ([`head`]), then a body that passes through ([`body`]). A message's row
//! ([`row`]) is written when its last byte was seen; one that is cut short is written when that is certain, in the frame that
//! completed its head. Responses are told their requests by [`pairing`]. Bytes that are no message are passed over a segment
//! at a time until one starts with a message again.

pub(super) mod body;
mod head;
mod ja4h;
mod login;
mod pairing;
mod row;
mod texts;
mod websocket;

use body::{Chunk, Content, Fault, Fed, Framing};
use head::{Head, Looks, MAX_HEAD, Name, looks};
use login::Logins;
use pairing::{Asked, Pairing};
use pcapper_schema::Common;
pub(crate) use row::percent_decoded;
use row::{Passage, upgrades_to};
use websocket::WebSocket;

use crate::protocols::it::{winrm, x509};
use crate::protocols::{Cx, Dir, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};

/// Declaration.
pub static PROTOCOL: Protocol = Protocol {
    name: "http",
    ports: &[80, 591, 631, 1900, 2710, 2869, 3128, 3132, 5000, 5985, 7547, 8000, 8008, 8080, 8081, 8088, 8888, 11371],
    stream: Some(StreamKind { probe, start: || Box::new(HttpStream::default()) }),
    ..Protocol::NONE
};

fn probe(offer: &Offer<'_>) -> Verdict {
    let mut open = false;
    for bytes in offer.bytes.into_iter().filter(|bytes| !bytes.is_empty()) {
        match looks(bytes) {
            Looks::Start => return Verdict::Yes,
            Looks::Loose | Looks::Simple | Looks::Likely if offer.usual_port => return Verdict::Yes,
            Looks::Open | Looks::Likely => open = true,
            Looks::Loose | Looks::Simple | Looks::Unlike => {}
        }
    }
    // On its own port a flow that starts midway may be a body whose connection goes on with messages.
    if open || offer.usual_port { Verdict::More } else { Verdict::No }
}

/// Longest answer of an OCSP responder that is read for its certificates, octets.
const MAX_OCSP: usize = 64 << 10;

/// Where a direction is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum State {
    /// A message starts, or its head is not complete.
    #[default]
    Start,
    /// Within the body of a message whose head is done.
    Body,
    /// Where messages start is not known: the next segment that looks like one is taken for one.
    Lost,
}

/// One direction, and the message it is in.
#[derive(Default)]
struct Side {
    state: State,
    /// How far an incomplete head was searched for its end.
    scan: usize,
    head: Head,
    framing: Framing,
    content: Content,
    /// Shared cells of the frame that completed the head.
    common: Common,
    depth: Option<u32>,
    asked: Option<Asked>,
    frames: u32,
    last_frame: u64,
    last_ts: i64,
}

/// The messages of one connection.
#[derive(Default)]
struct HttpStream {
    sides: [Side; 2],
    /// By who asks.
    pairing: [Pairing; 2],
    /// A CONNECT was granted: what follows is the tunnel's.
    tunnel: bool,
    /// An upgrade to WebSocket was granted: what follows are its frames.
    socket: Option<Box<WebSocket>>,
    logins: Option<Box<Logins>>,
    winrm: Option<Box<winrm::Exchanges>>,
}

/// What follows a message on the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    Messages,
    Tunnel,
    Socket,
    Other(&'static str),
    Stop,
}

impl StreamDissector for HttpStream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if let Some(socket) = &mut self.socket {
            return socket.data(cx, bytes);
        }
        if self.tunnel
            && let Some(progress) = self.tunnelled(bytes)
        {
            return progress;
        }
        match self.side(cx.dir).state {
            State::Body => self.body(cx, bytes, 0),
            State::Start | State::Lost => self.start(cx, bytes),
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, missing: u64) -> bool {
        if self.tunnel || self.socket.is_some() {
            return false;
        }
        let side = self.side(cx.dir);
        if side.state == State::Body {
            side.content.lose();
            if body::skip(&mut side.framing, missing) {
                if side.framing == Framing::Length(0) {
                    self.abandon(cx);
                }
                return true;
            }
            self.abandon(cx);
        }
        self.lose(cx.dir);
        true
    }

    fn end(&mut self, cx: &mut Cx<'_>, rest: &[u8]) {
        if let Some(socket) = &mut self.socket {
            return socket.end(cx);
        }
        let tunnel = self.tunnel;
        let side = self.side(cx.dir);
        match side.state {
            State::Body if side.framing == Framing::UntilClose => {
                let whole = !side.content.gap;
                let common = if whole { cx.common(cx.dir) } else { side.common };
                self.finish(cx, &common, whole);
            }
            State::Body => self.abandon(cx),
            State::Start if !tunnel && looks(rest) == Looks::Start && head::first_line(rest).is_some() => {
                let blank = head::blank(rest);
                self.begin(cx, rest.get(blank..).unwrap_or_default());
                self.abandon(cx);
            }
            State::Start | State::Lost => {}
        }
        self.lose(cx.dir);
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        for dir in [Dir::Orig, Dir::Resp] {
            cx.dir = dir;
            if self.side(dir).state == State::Body {
                self.abandon(cx);
            }
        }
        if let Some(socket) = &mut self.socket {
            socket.close(cx);
        }
        if let Some(logins) = &mut self.logins {
            logins.close(cx);
        }
        if let Some(winrm) = &mut self.winrm {
            winrm.close(cx);
        }
    }
}

impl HttpStream {
    fn side(&mut self, dir: Dir) -> &mut Side {
        let [orig, resp] = &mut self.sides;
        if dir == Dir::Orig { orig } else { resp }
    }

    /// The requests that `dir` makes.
    fn asked_by(&mut self, dir: Dir) -> &mut Pairing {
        let [orig, resp] = &mut self.pairing;
        if dir == Dir::Orig { orig } else { resp }
    }

    /// Where messages start is not known any more.
    fn lose(&mut self, dir: Dir) {
        let side = self.side(dir);
        side.state = State::Lost;
        side.scan = 0;
        for pairing in &mut self.pairing {
            pairing.missed();
        }
    }

    /// Takes the start of a message, once its head is complete.
    fn start(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let lost = self.side(cx.dir).state == State::Lost;
        if self.side(cx.dir).scan == 0 {
            let blank = head::blank(bytes);
            if blank > 0 {
                return Progress::Consumed(blank);
            }
            match looks(bytes) {
                Looks::Start => {}
                Looks::Loose | Looks::Likely if !lost => {}
                Looks::Simple if !lost => {
                    let line = head::first_line(bytes).unwrap_or(bytes.len());
                    // Tolerant of a head where the version alone is missing.
                    if bytes.get(line..).is_none_or(|rest| rest.is_empty() || head::blank(rest) > 0) {
                        let blank = bytes.get(line..).map_or(0, head::blank);
                        return self.message(cx, bytes, line + blank);
                    }
                }
                Looks::Open | Looks::Likely if !cut(cx) => return Progress::Consumed(0),
                Looks::Open | Looks::Likely | Looks::Loose | Looks::Simple | Looks::Unlike => return self.other(cx, bytes),
            }
        }
        match head::find_end(bytes, &mut self.side(cx.dir).scan) {
            Some(end) => self.message(cx, bytes, end),
            // The rest of this head is not in the capture.
            None if cut(cx) => {
                self.begin(cx, bytes);
                self.abandon(cx);
                self.lose(cx.dir);
                Progress::Consumed(bytes.len())
            }
            None if bytes.len() > MAX_HEAD => {
                cx.anomaly("http", "limit_reached", "a message head is longer than 256 KiB; the message is passed over");
                self.lose(cx.dir);
                Progress::Consumed(bytes.len())
            }
            None => Progress::Consumed(0),
        }
    }

    /// Takes bytes that are no message's start.
    fn other(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        if self.asked_by(cx.dir).last().is_some_and(|asked| &*asked.method == "CONNECT") {
            // The client goes on before the proxy's answer was seen.
            return self.tunnelled(bytes).unwrap_or(Progress::Stop);
        }
        if self.side(cx.dir).state == State::Start && self.asked_by(cx.dir.reverse()).next().is_some_and(|asked| asked.simple) {
            self.begin(cx, &[]);
            return self.body(cx, bytes, 0);
        }
        self.lose(cx.dir);
        Progress::Consumed(bytes.len())
    }

    /// What the bytes of a tunnel are; `None` if they are messages of HTTP again.
    fn tunnelled(&mut self, bytes: &[u8]) -> Option<Progress> {
        match bytes {
            [0x16] => Some(Progress::Consumed(0)),
            [0x16, 3, ..] => Some(Progress::Handover(0, "tls")),
            _ => match looks(bytes) {
                Looks::Start => {
                    self.tunnel = false;
                    self.pairing = Default::default();
                    None
                }
                Looks::Open | Looks::Likely => Some(Progress::Consumed(0)),
                Looks::Loose | Looks::Simple | Looks::Unlike => Some(Progress::Anew(0)),
            },
        }
    }

    /// Takes the head in the first `end` of `bytes`, and what follows of the body.
    fn message(&mut self, cx: &mut Cx<'_>, bytes: &[u8], end: usize) -> Progress {
        self.begin(cx, bytes.get(..end).unwrap_or(bytes));
        self.body(cx, bytes, end)
    }

    /// Reads a head: from here on the direction is within its message. Without any bytes it is an answer of HTTP/0.9.
    fn begin(&mut self, cx: &Cx<'_>, bytes: &[u8]) {
        let dir = cx.dir;
        let side = self.side(dir);
        if bytes.is_empty() {
            side.head.clear();
        } else {
            side.head.parse(bytes);
        }
        side.state = State::Body;
        side.scan = 0;
        side.common = cx.common(dir);
        side.frames = cx.frames_spanned.max(1);
        side.last_frame = cx.frame;
        side.last_ts = cx.ts;
        // The pairing needs the head while the side is not borrowed.
        let head = std::mem::take(&mut side.head);
        let (asked, depth) = if head.is_request() {
            (None, Some(self.asked_by(dir).request(&head)))
        } else {
            // Switching protocols is the last answer of its request (RFC 9110, 15.2.2).
            let interim = head.status().is_some_and(|status| (100..200).contains(&status) && status != 101);
            self.asked_by(dir.reverse()).response(interim)
        };
        let side = self.side(dir);
        side.framing = framing(&head, asked.as_ref());
        side.content.start(
            head.list(Name::ContentEncoding).chain(head.list(Name::TransferEncoding).filter(|coding| !is_chunked(coding))),
            carries_file(&head),
            if is_winrm(&head, asked.as_ref()) {
                winrm::MAX_BODY
            } else if is_ocsp(&head) {
                MAX_OCSP
            } else if texts::is_form(&head) {
                texts::FORM_BYTES
            } else {
                0
            },
        );
        side.head = head;
        side.asked = asked;
        side.depth = depth;
    }

    /// Takes bytes of the body from `at` on.
    fn body(&mut self, cx: &mut Cx<'_>, bytes: &[u8], at: usize) -> Progress {
        let rest = bytes.get(at..).unwrap_or_default();
        if at == 0 && self.answers_again(cx.dir, rest) {
            let side = self.side(cx.dir);
            let common = Common { frame: side.last_frame, ts: Some(side.last_ts), ..side.common };
            let whole = !side.content.gap;
            self.finish(cx, &common, whole);
            return self.start(cx, bytes);
        }
        let side = self.side(cx.dir);
        if !rest.is_empty() && cx.frame != side.last_frame {
            side.last_frame = cx.frame;
            side.last_ts = cx.ts;
            side.frames = side.frames.saturating_add(1);
        }
        match body::feed(&mut side.framing, &mut side.content, rest) {
            Fed::More(count) => Progress::Consumed(at + count),
            Fed::Done(count) => {
                let whole = !side.content.gap;
                let common = if whole { cx.common(cx.dir) } else { side.common };
                let done = at + count;
                match self.finish(cx, &common, whole) {
                    Then::Messages => Progress::Consumed(done),
                    Then::Tunnel => {
                        self.tunnel = true;
                        Progress::Consumed(done)
                    }
                    Then::Socket => {
                        self.socket = Some(Box::new(WebSocket::new()));
                        Progress::Consumed(done)
                    }
                    Then::Other(protocol) => Progress::Handover(done, protocol),
                    Then::Stop => Progress::Stop,
                }
            }
            // Said to be chunked, and is not from its first byte on: then its end is found otherwise.
            Fed::Broken(0) if side.content.wire_bytes == 0 && side.framing == Framing::Chunked(Chunk::Size) => {
                cx.anomaly("http", "unexpected_state", "a body said to be chunked is not");
                self.side(cx.dir).framing = unchunked(&self.side(cx.dir).head);
                self.body(cx, bytes, at)
            }
            Fed::Broken(_) => {
                cx.anomaly("http", "bad_length", "the size of a chunk is not where it should be");
                let common = cx.common(cx.dir);
                self.finish(cx, &common, false);
                self.lose(cx.dir);
                Progress::Consumed(bytes.len())
            }
        }
    }

    /// A body that lasts until the connection's end is followed by another answer that is owed: it had ended before, though
    /// its server did not say so.
    fn answers_again(&mut self, dir: Dir, rest: &[u8]) -> bool {
        let side = self.side(dir);
        side.framing == Framing::UntilClose
            && !side.head.is_request()
            && rest.starts_with(b"HTTP/")
            && looks(rest) == Looks::Start
            && self.asked_by(dir.reverse()).next().is_some()
    }

    /// Writes the message that direction `cx.dir` is in, and says what comes behind it.
    fn finish(&mut self, cx: &mut Cx<'_>, common: &Common, complete: bool) -> Then {
        let dir = cx.dir;
        let [orig, resp] = &mut self.sides;
        let side = if dir == Dir::Orig { orig } else { resp };
        side.state = State::Start;
        if side.content.fault() == Some(Fault::Limit) {
            cx.anomaly("http", "limit_reached", "a body unpacks to more than 100 MiB or 100 times its size; it was not unpacked further");
        }
        let passage = Passage { depth: side.depth, asked: side.asked.as_ref(), complete, frames: side.frames };
        row::emit(cx.tables, common, &side.head, &side.content, passage);
        login::take(&mut self.logins, cx, common, &side.head, &side.content, passage);
        texts::take(cx.tables, common, &side.head, &side.content);
        if is_winrm(&side.head, side.asked.as_ref()) {
            take_winrm(&mut self.winrm, cx, common, side);
        }
        if complete && is_ocsp(&side.head) && side.content.decoded_bytes().is_some() {
            let presented = x509::Presented { carrier: "ocsp", role: Some("server"), server_name: None };
            x509::emit_chain(cx, &presented, &x509::ocsp_certificates(side.content.kept()));
        }
        if let Some(file) = side.content.take_file() {
            row::emit_file(cx.tables, common, dir, &side.head, &side.content, file, passage);
        }
        let then = then(&side.head, side.asked.as_ref());
        if side.head.is_request()
            && let (Some(depth), Some(ts)) = (side.depth, common.ts)
        {
            self.asked_by(dir).completed(depth, common.frame, ts);
        }
        then
    }

    /// Writes a message whose end will not be seen.
    fn abandon(&mut self, cx: &mut Cx<'_>) {
        let common = self.side(cx.dir).common;
        self.finish(cx, &common, false);
    }
}

/// The message is of WS-Management: a request to its path, or the answer to one.
fn is_winrm(head: &Head, asked: Option<&Asked>) -> bool {
    let target = if head.is_request() { head.target() } else { asked.map(|asked| &*asked.target) };
    target.is_some_and(winrm::is_target)
}

/// The message is the answer of an OCSP responder (RFC 6960, A.2).
fn is_ocsp(head: &Head) -> bool {
    let kind = head.get(Name::ContentType).and_then(|kind| kind.split(';').next()).unwrap_or_default();
    !head.is_request() && kind.trim_ascii().eq_ignore_ascii_case("application/ocsp-response")
}

fn take_winrm(exchanges: &mut Option<Box<winrm::Exchanges>>, cx: &mut Cx<'_>, common: &Common, side: &Side) {
    let head = &side.head;
    let message = winrm::Message {
        common,
        depth: side.depth,
        target: head.target(),
        host: head.get(Name::Host),
        user_agent: head.get(Name::UserAgent),
        authorization: head.get(Name::Authorization),
        content_type: head.get(Name::ContentType),
        status: head.status(),
        body: side.content.kept(),
        length: side.content.wire_bytes,
    };
    let exchanges = exchanges.get_or_insert_default();
    match head.status() {
        None => exchanges.request(cx, &message),
        // What comes before the answer is no answer.
        Some(100..200) => {}
        Some(_) => exchanges.answer(cx, &message),
    }
}

/// The frame at hand was cut by the capture's snap length: what is missing of it will not come.
fn cut(cx: &Cx<'_>) -> bool {
    cx.packet.is_some_and(|packet| packet.payload.len() < packet.payload_len as usize)
}

/// The body is a file in its own right: what an answer brings, or a request sends, other than a form, whose fields are many
/// things in one.
fn carries_file(head: &Head) -> bool {
    let kind = head.get(Name::ContentType).unwrap_or_default();
    let is = |name: &str| kind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let answers = head.is_request() || head.status().is_none_or(|status| (200..300).contains(&status));
    answers && !is("application/x-www-form-urlencoded") && !is("multipart/")
}

fn is_chunked(coding: &str) -> bool {
    coding.eq_ignore_ascii_case("chunked")
}

/// The answer grants a CONNECT (RFC 9110, 9.3.6).
fn grants_tunnel(head: &Head, asked: Option<&Asked>) -> bool {
    let success = head.status().is_some_and(|status| (200..300).contains(&status));
    success
        && match asked {
            Some(asked) => &*asked.method == "CONNECT",
            None => head.reason().is_some_and(|reason| reason.eq_ignore_ascii_case("connection established")),
        }
}

/// What says where the body ends (RFC 9112, 6.3).
fn framing(head: &Head, asked: Option<&Asked>) -> Framing {
    if !head.is_request() {
        let bare = matches!(head.status(), Some(100..200 | 204 | 304));
        if bare || asked.is_some_and(|asked| &*asked.method == "HEAD") || grants_tunnel(head, asked) {
            return Framing::None;
        }
    }
    if head.list(Name::TransferEncoding).next_back().is_some_and(is_chunked) {
        return Framing::Chunked(Chunk::Size);
    }
    unchunked(head)
}

fn unchunked(head: &Head) -> Framing {
    match row::content_length(head) {
        Some(length) => Framing::Length(length),
        None if head.is_request() => Framing::None,
        None => Framing::UntilClose,
    }
}

/// What follows a whole message.
fn then(head: &Head, asked: Option<&Asked>) -> Then {
    if grants_tunnel(head, asked) {
        Then::Tunnel
    } else if head.status() != Some(101) {
        Then::Messages
    } else if upgrades_to(head, "h2c") {
        Then::Other("http2")
    } else if upgrades_to(head, "tls") {
        Then::Other("tls")
    } else if upgrades_to(head, "websocket") {
        Then::Socket
    } else {
        Then::Stop
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::DataType;
    use arrow::util::display::array_value_to_string;
    use pcapper_schema::tables::Http;
    use pcapper_schema::{Row, TableSet};

    use super::*;
    use crate::protocols::{Endpoint, Shared};

    enum Step<'a> {
        Data(Dir, &'a str),
        Gap(Dir, u64),
        End(Dir),
    }
    use Dir::{Orig, Resp};
    use Step::{Data, End, Gap};

    /// Feeds the pieces, one a frame and a millisecond, then closes: rows of the columns named, and how the decoding went on.
    fn run(steps: &[Step<'_>], columns: &[&str]) -> (Vec<String>, Option<Progress>) {
        let (mut tables, mut shared) = (TableSet::default(), Shared::default());
        let mut stream = HttpStream::default();
        let mut pending = [String::new(), String::new()];
        let mut left = None;
        let mut cx = Cx {
            tables: &mut tables,
            shared: &mut shared,
            frame: 0,
            ts: 0,
            packet: None,
            flow_id: None,
            ends: [Endpoint::default(); 2],
            dir: Orig,
            frames_spanned: 1,
        };
        for step in steps {
            let (Data(dir, _) | Gap(dir, _) | End(dir)) = *step;
            cx.frame += 1;
            cx.ts += 1_000_000;
            cx.dir = dir;
            let held = &mut pending[dir.index()];
            match step {
                Data(_, bytes) => {
                    held.push_str(bytes);
                    while !held.is_empty() {
                        match stream.data(&mut cx, held.as_bytes()) {
                            Progress::Consumed(0) => break,
                            Progress::Consumed(count) => drop(held.drain(..count)),
                            other => {
                                left = Some(other);
                                break;
                            }
                        }
                    }
                }
                Gap(_, missing) => {
                    held.clear();
                    assert!(stream.gap(&mut cx, *missing));
                }
                End(_) => stream.end(&mut cx, std::mem::take(held).as_bytes()),
            }
        }
        stream.close(&mut cx);
        let batch = Http::slot(&mut tables).finish("c", "id");
        let cell = |name: &str, row| {
            let array = batch.column_by_name(name).unwrap();
            let array = if matches!(array.data_type(), DataType::Dictionary(..)) {
                arrow::compute::cast(array, &DataType::Utf8).unwrap()
            } else {
                array.clone()
            };
            if array.is_null(row) {
                return "-".to_owned();
            }
            match array.data_type() {
                DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
                _ => array_value_to_string(&array, row).unwrap(),
            }
        };
        let rows = (0..batch.num_rows()).map(|row| columns.iter().map(|name| cell(name, row)).collect::<Vec<_>>().join(" ")).collect();
        (rows, left)
    }

    const EXCHANGE: &[&str] = &["frame", "trans_depth", "method", "uri", "status_code", "request_frame", "body_bytes", "body_complete"];

    #[test]
    fn pipelined_with_and_without_bodies() {
        let (rows, left) = run(
            &[
                Data(Orig, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"),
                Data(Orig, "cdGET /c HTTP/1.0\r\n\r\n"),
                Data(
                    Resp,
                    "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz",
                ),
                Data(Resp, "\r\n0\r\n\r\nHTTP/1.0 200 OK\r\n\r\nuntil"),
                Data(Resp, " close"),
                End(Resp),
            ],
            EXCHANGE,
        );
        let expected = [
            "1 1 HEAD /a - - 0 true",
            "2 2 POST /b - - 4 true",
            "2 3 GET /c - - 0 true",
            "3 1 - - 200 1 0 true",
            "3 2 - - 100 2 0 true",
            "4 2 - - 201 2 3 true",
            "6 3 - - 200 2 11 true",
        ];
        assert_eq!((rows, left), (expected.map(str::to_owned).to_vec(), None));
    }

    #[test]
    fn cut_short() {
        let (rows, _) = run(
            &[
                Data(Orig, "GET /a HTTP/1.1\r\n\r\n"),
                Data(Resp, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12"),
                Gap(Resp, 6),
                Data(Resp, "90HTTP/1.1 204 No Content\r\n\r\n"),
                Data(Orig, "GET /b HTTP/1.1\r\n\r\n"),
                Data(Resp, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1"),
                Gap(Resp, 20),
                Data(Resp, "tail of something\r\n"),
                Data(Orig, "GET /c HTTP/1.1\r\n\r\n"),
                Data(Resp, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1"),
            ],
            EXCHANGE,
        );
        let expected = [
            "1 1 GET /a - - 0 true",
            "2 1 - - 200 1 4 false",
            "4 2 - - 204 - 0 true",
            "5 3 GET /b - - 0 true",
            "6 3 - - 200 5 1 false",
            "9 4 GET /c - - 0 true",
            "10 4 - - 200 9 1 false",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn hands_over() {
        let connect = [
            Data(Orig, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"),
            Data(Resp, "HTTP/1.1 200 Connection established\r\n\r\n"),
            Data(Orig, "\u{16}\u{3}\u{1}"),
        ];
        let (rows, left) = run(&connect, &["url", "status_code", "body_bytes"]);
        assert_eq!(rows, ["h:443 - 0", "- 200 0"]);
        assert_eq!(left, Some(Progress::Handover(0, "tls")));
        let mail = [
            Data(Orig, "CONNECT h:25 HTTP/1.1\r\nHost: h:25\r\n\r\n"),
            Data(Resp, "HTTP/1.1 200 Connection established\r\n\r\n"),
            Data(Resp, "220 h ESMTP\r\n"),
        ];
        assert_eq!(run(&mail, &["url"]).1, Some(Progress::Anew(0)));

        let upgrade = [
            Data(Orig, "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
            Data(Resp, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\r\n\u{1}"),
        ];
        assert_eq!(run(&upgrade, &["websocket"]), (vec!["true".to_owned(), "true".to_owned()], None));
    }

    #[test]
    fn oldest_and_one_sided() {
        let (rows, _) = run(&[Data(Orig, "GET /a\r\n"), Data(Resp, "<html>"), End(Resp)], &["version", "status_code", "body_mime", "request_frame"]);
        assert_eq!(rows, ["0.9 - - -", "0.9 - text/html 1"]);
        // The capture starts within a body.
        let (rows, _) = run(&[Data(Resp, "ody}\n"), Data(Resp, "HTTP/1.1 304 Not Modified\r\n\r\n")], &["frame", "trans_depth", "status_code"]);
        assert_eq!(rows, ["2 1 304"]);
    }

    #[test]
    fn secrets_and_names() {
        let (rows, _) = run(
            &[
                Data(Orig, "GET /d/a%20b.exe?x=1 HTTP/1.1\r\nHost: h:81\r\nCookie: a=1; b=2\r\nAuthorization: Basic dTpw\r\n\r\n"),
                Data(Resp, "HTTP/1.1 200 OK\r\nSet-Cookie: s=1; Secure\r\nContent-Length: 2\r\nX-Frame-Options: DENY\r\n\r\n{}"),
            ],
            &["url", "cookie_names", "auth_scheme", "username", "secret_cookie", "filename", "security_headers", "body_mime", "response_time_ms"],
        );
        assert_eq!(
            rows,
            [
                "http://h:81/d/a%20b.exe?x=1 [a, b] basic u [a=1; b=2] - - - -",
                "- [s] - - [s=1; Secure] a b.exe [X-Frame-Options] application/json 1.0"
            ]
        );
    }
}
