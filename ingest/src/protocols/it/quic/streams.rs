//! Streams of a connection that was decrypted, put in order and decoded (RFC 9000, 2 and 3).

use std::collections::BTreeMap;

use super::frames::StreamPiece;
use crate::decrypt::plaintext::Plaintext;
use crate::protocols::inner::Inner;
use crate::protocols::it::dns;
use crate::protocols::it::http3::Http3;
use crate::protocols::{Cx, Dir};
use crate::wire::Reader;

/// Streams kept of a connection; the oldest is given up for one more.
const MAX_STREAMS: usize = 4096;
/// Octets and pieces of all streams that wait behind a hole.
const MAX_WAITING: usize = 1 << 20;
const MAX_PIECES: usize = 1024;
/// Longest DNS message, and the length before it.
const MAX_DNS: usize = 2 + (1 << 16);

/// One direction of a stream.
#[derive(Default)]
struct Half {
    /// Offset of the next octet in order.
    next: u64,
    waiting: BTreeMap<u64, Box<[u8]>>,
    end: Option<u64>,
    ended: bool,
    /// The message of DNS so far.
    message: Vec<u8>,
}

#[derive(Default)]
struct Stream {
    halves: [Half; 2],
    inner: Option<Box<Inner>>,
    conversation: dns::Conversation,
}

impl Stream {
    fn half(&mut self, dir: Dir) -> &mut Half {
        let [orig, resp] = &mut self.halves;
        if dir == Dir::Orig { orig } else { resp }
    }
}

/// Who reads the streams.
enum App {
    Http3(Box<Http3>),
    /// DNS, a message a stream and direction.
    Dns,
    /// Whatever a probe knows.
    Any,
}

/// All streams of a connection.
pub struct Streams {
    client: Dir,
    app: App,
    streams: BTreeMap<u64, Stream>,
    /// Streams below this number are over.
    over: u64,
    waiting: usize,
    pieces: usize,
    /// Octets from client and server.
    pub bytes: [u64; 2],
    service: Option<&'static str>,
}

/// What happens next to a stream.
enum Event {
    Bytes(Box<[u8]>),
    Gap,
    End,
}

impl Streams {
    /// Streams of a connection that agreed on this protocol (ALPN).
    pub fn new(client: Dir, alpn: Option<&str>) -> Self {
        let is = |prefix: &str| alpn.is_some_and(|alpn| alpn == prefix || alpn.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-')));
        let (app, service) = match () {
            () if is("h3") => (App::Http3(Box::default()), Some("http3")),
            () if is("doq") => (App::Dns, Some("dns")),
            () => (App::Any, None),
        };
        Self { client, app, streams: BTreeMap::new(), over: 0, waiting: 0, pieces: 0, bytes: [0; 2], service }
    }

    /// What the streams carry.
    pub fn service(&self) -> Option<&'static str> {
        self.service
    }

    /// Takes a STREAM frame of `cx.dir`.
    pub fn piece(&mut self, cx: &mut Cx<'_>, piece: &StreamPiece<'_>) {
        if piece.id < self.over {
            return;
        }
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&piece.id) {
            self.drop_oldest(cx);
        }
        let dir = cx.dir;
        let mut stream = self.streams.remove(&piece.id).unwrap_or_default();
        let mut events = Vec::new();
        self.order(stream.half(dir), piece, &mut events);
        for event in events {
            self.event(cx, piece.id, &mut stream, &event);
        }
        if stream.halves.iter().all(|half| half.ended)
            && let App::Http3(http) = &mut self.app
        {
            http.forget(piece.id);
        }
        self.streams.insert(piece.id, stream);
        if self.waiting > MAX_WAITING || self.pieces > MAX_PIECES {
            self.give_up_holes(cx);
        }
    }

    /// Puts a piece in its place; what it releases is added to `events`.
    fn order(&mut self, half: &mut Half, piece: &StreamPiece<'_>, events: &mut Vec<Event>) {
        let Some(end) = piece.offset.checked_add(piece.data.len() as u64) else { return };
        if half.ended {
            return;
        }
        if piece.is_last {
            half.end.get_or_insert(end);
        }
        if piece.offset > half.next {
            let known = half.waiting.get(&piece.offset).is_some_and(|known| known.len() >= piece.data.len());
            if !known && !piece.data.is_empty() {
                self.waiting += piece.data.len();
                self.pieces += 1;
                if let Some(shorter) = half.waiting.insert(piece.offset, piece.data.into()) {
                    self.waiting = self.waiting.saturating_sub(shorter.len());
                    self.pieces = self.pieces.saturating_sub(1);
                }
            }
        } else if end > half.next {
            let fresh = usize::try_from(half.next - piece.offset).ok().and_then(|old| piece.data.get(old..));
            events.push(Event::Bytes(fresh.unwrap_or_default().into()));
            half.next = end;
        }
        self.release(half, events);
    }

    fn release(&mut self, half: &mut Half, events: &mut Vec<Event>) {
        while let Some(entry) = half.waiting.first_entry().filter(|entry| *entry.key() <= half.next) {
            let (offset, data) = entry.remove_entry();
            self.waiting = self.waiting.saturating_sub(data.len());
            self.pieces = self.pieces.saturating_sub(1);
            let end = offset.saturating_add(data.len() as u64);
            if let Some(fresh) = usize::try_from(half.next - offset).ok().and_then(|old| data.get(old..)).filter(|fresh| !fresh.is_empty()) {
                events.push(Event::Bytes(fresh.into()));
                half.next = end;
            }
        }
        if half.end.is_some_and(|end| end <= half.next) && !half.ended {
            half.ended = true;
            events.push(Event::End);
        }
    }

    /// Too much waits: what lies before it will not come any more.
    fn give_up_holes(&mut self, cx: &mut Cx<'_>) {
        for (id, mut stream) in std::mem::take(&mut self.streams) {
            self.skip_holes(cx, id, &mut stream);
            self.streams.insert(id, stream);
        }
    }

    fn skip_holes(&mut self, cx: &mut Cx<'_>, id: u64, stream: &mut Stream) {
        let before = cx.dir;
        for dir in [Dir::Orig, Dir::Resp] {
            cx.dir = dir;
            while let Some((&offset, _)) = stream.half(dir).waiting.first_key_value() {
                let mut events = vec![Event::Gap];
                stream.half(dir).next = offset;
                self.release(stream.half(dir), &mut events);
                for event in events {
                    self.event(cx, id, stream, &event);
                }
            }
        }
        cx.dir = before;
    }

    fn event(&mut self, cx: &mut Cx<'_>, id: u64, stream: &mut Stream, event: &Event) {
        let is_client = cx.dir == self.client;
        if let Event::Bytes(bytes) = event {
            let [client, server] = &mut self.bytes;
            let counted = if is_client { client } else { server };
            *counted = counted.saturating_add(bytes.len() as u64);
            if let (Some(tap), Some(flow_id)) = (&mut cx.shared.tap, cx.flow_id) {
                let (frame, ts, ends) = (cx.frame, cx.ts, cx.ends);
                tap(&Plaintext { protocol: "quic", flow_id, ends, stream: Some(id), dir: cx.dir, is_client, frame, ts, bytes });
            }
        }
        cx.shared.opened = cx.shared.opened.saturating_add(1);
        match (&mut self.app, event) {
            (App::Http3(http), Event::Bytes(bytes)) => http.bytes(cx, id, bytes),
            (App::Http3(http), Event::Gap) => http.gap(cx, id),
            (App::Http3(http), Event::End) => http.end(cx, id),
            (App::Dns, Event::Bytes(bytes)) => {
                let half = stream.half(cx.dir);
                if half.message.len().saturating_add(bytes.len()) <= MAX_DNS {
                    half.message.extend_from_slice(bytes);
                }
            }
            (App::Dns, Event::Gap) => stream.half(cx.dir).message.clear(),
            (App::Dns, Event::End) => {
                let message = std::mem::take(&mut stream.half(cx.dir).message);
                dns(cx, &message, &mut stream.conversation);
            }
            (App::Any, _) => {}
        }
        cx.shared.opened = cx.shared.opened.saturating_sub(1);
        // Streams of other protocols that go both ways are conversations of their own.
        if matches!(self.app, App::Any) && id & 2 == 0 {
            let inner = stream.inner.get_or_insert_with(|| Box::new(Inner::new(vec!["http"])));
            match event {
                Event::Bytes(bytes) => inner.bytes(cx, bytes),
                Event::Gap => inner.gap(cx),
                Event::End => inner.end(cx),
            }
            self.service = self.service.or(inner.service());
        }
    }

    fn drop_oldest(&mut self, cx: &mut Cx<'_>) {
        if let Some((id, mut stream)) = self.streams.pop_first() {
            self.over = id.saturating_add(1);
            self.finish(cx, id, &mut stream);
        }
    }

    fn finish(&mut self, cx: &mut Cx<'_>, id: u64, stream: &mut Stream) {
        self.skip_holes(cx, id, stream);
        if let Some(inner) = &mut stream.inner {
            inner.close(cx);
        }
    }

    /// Nothing more comes: writes all that is still owed.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        for (id, mut stream) in std::mem::take(&mut self.streams) {
            self.finish(cx, id, &mut stream);
        }
        if let App::Http3(http) = &mut self.app {
            http.close(cx);
        }
    }
}

/// Takes what one direction of a stream carried: a message behind its length (RFC 9250, 4.2), or as the first drafts had it
/// the message alone.
fn dns(cx: &mut Cx<'_>, bytes: &[u8], conversation: &mut dns::Conversation) {
    let mut rest = Reader::new(bytes);
    let is_counted = |rest: &Reader<'_>| rest.clone().be_u16().is_ok_and(|length| usize::from(length) + 2 <= rest.len() && length >= 12);
    if !is_counted(&rest) {
        if !bytes.is_empty() && !dns::decode(cx, dns::Carrier::Quic, bytes, conversation) {
            cx.anomaly("dns", "bad_length", "a stream of DNS over QUIC holds no message");
        }
        return;
    }
    // Zone transfers send several.
    while let Ok(message) = rest.be_u16().and_then(|length| rest.take(length.into())) {
        dns::decode(cx, dns::Carrier::Quic, message, conversation);
    }
}
