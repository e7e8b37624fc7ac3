//! HTTP/2 in the clear (RFC 9113): with prior knowledge, by an upgrade from HTTP/1.1, or met midway.
//!
//! Frames of both directions become rows of `http2_frames`; header blocks become rows of `http2` when their stream has ended
//! in their direction ([`streams`]). Blocks are decoded by [`hpack`], which tells what a loss has made unreadable.

mod frame;
mod hpack;
pub(super) mod huffman;
pub(super) mod streams;

use frame::{Header, kind};
use hpack::Decoder;
use pcapper_schema::Common;
use streams::{Block, Streams};

use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// Declaration. Its ports are those of HTTP/1, which would take the preface for a request.
pub static PROTOCOL: Protocol = Protocol {
    name: "http2",
    group: Group::It,
    ports: &[80, 8000, 8080, 8888, 50051],
    stream: Some(StreamKind { probe, start: || Box::new(Connection::default()) }),
    ..Protocol::NONE
};

/// What a client sends first (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Longest frame that is held in whole; DATA passes through.
const MAX_FRAME: usize = 1 << 20;

/// Longest header block put together of several frames.
const MAX_BLOCK: usize = 1 << 20;

fn probe(offer: &Offer<'_>) -> Verdict {
    let mut open = false;
    for bytes in offer.bytes {
        if bytes.starts_with(PREFACE) || opens_with_settings(bytes) {
            return Verdict::Yes;
        }
        open |= bytes.len() >= 3 && PREFACE.starts_with(bytes);
    }
    if open { Verdict::More } else { Verdict::No }
}

/// A connection met behind the preface, or its server's side: SETTINGS of known numbers on stream 0.
fn opens_with_settings(bytes: &[u8]) -> bool {
    let Some((header, payload)) = bytes.split_first_chunk::<9>() else { return false };
    let header = Header::parse(header);
    let (settings, rest) = payload.get(..header.length).unwrap_or_default().as_chunks::<6>();
    header.kind == kind::SETTINGS
        && header.flags == 0
        && header.stream == 0
        && rest.is_empty()
        && (1..=16).contains(&settings.len())
        && settings.iter().all(|[high, low, ..]| *high == 0 && (1..=9).contains(low))
}

/// Where a direction is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum State {
    /// At a frame's start (or at the preface).
    #[default]
    Frame,
    /// Within the content of a DATA frame: octets left of it, and of the padding behind.
    Data { header: Header, left: usize, padding: usize },
    /// Within a frame that is passed over.
    Skip { header: Header, left: usize },
    /// Where frames start is not known.
    Lost,
}

/// A header block that CONTINUATION frames go on with.
struct Open {
    stream: u32,
    promised: Option<u32>,
    end_stream: bool,
    bytes: Vec<u8>,
    /// It is longer than is held.
    dropped: bool,
}

/// One direction.
#[derive(Default)]
struct Side {
    state: State,
    /// Something was taken from it already.
    begun: bool,
    decoder: Decoder,
    open: Option<Open>,
}

/// One connection.
#[derive(Default)]
struct Connection {
    sides: [Side; 2],
    streams: Streams,
}

impl Connection {
    fn side(&mut self, dir: Dir) -> &mut Side {
        let [orig, resp] = &mut self.sides;
        if dir == Dir::Orig { orig } else { resp }
    }
}

impl StreamDissector for Connection {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        match self.side(cx.dir).state {
            State::Frame => self.frame(cx, bytes),
            State::Data { header, left, padding } => {
                let content = bytes.get(..left.min(bytes.len())).unwrap_or_default();
                self.streams.body(cx, header.stream, content);
                self.data_left(cx, header, left - content.len(), padding);
                Progress::Consumed(content.len())
            }
            State::Skip { header, left } => {
                let count = left.min(bytes.len());
                self.skip_left(cx, header, left - count);
                Progress::Consumed(count)
            }
            State::Lost => {
                if resumes(bytes) {
                    self.side(cx.dir).state = State::Frame;
                    return self.frame(cx, bytes);
                }
                Progress::Consumed(bytes.len())
            }
        }
    }

    fn gap(&mut self, cx: &mut Cx<'_>, missing: u64) -> bool {
        let dir = cx.dir;
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        match self.side(dir).state {
            State::Data { header, left, padding } if missing <= left => {
                self.streams.lose(dir, header.stream);
                self.data_left(cx, header, left - missing, padding);
            }
            State::Skip { header, left } if missing <= left => self.skip_left(cx, header, left - missing),
            _ => {
                self.streams.lose_all(dir);
                let side = self.side(dir);
                side.state = State::Lost;
                side.decoder.lose();
                side.open = None;
            }
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.streams.close(cx);
    }
}

/// A segment behind a gap that is frames from its first octet on: each known, and of a length that its kind can have.
fn resumes(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((header, payload)) = rest.split_first_chunk::<9>() {
        let header = Header::parse(header);
        if !header.is_plausible() {
            return false;
        }
        match payload.get(header.length..) {
            Some(next) => rest = next,
            None => return rest.len() < bytes.len() || matches!(header.kind, kind::HEADERS | kind::DATA),
        }
    }
    rest.len() < bytes.len()
}

impl Connection {
    /// Takes what starts at a frame.
    fn frame(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let dir = cx.dir;
        if !self.side(dir).begun {
            if bytes.starts_with(PREFACE) {
                self.side(dir).begun = true;
                self.streams.preface(cx.is_decrypted());
                return Progress::Consumed(PREFACE.len());
            }
            if PREFACE.starts_with(bytes) {
                return Progress::Consumed(0);
            }
            self.side(dir).begun = true;
        }
        let Some((start, rest)) = bytes.split_first_chunk::<9>() else { return Progress::Consumed(0) };
        let header = Header::parse(start);
        if header.kind == kind::DATA {
            return self.begin_data(cx, header, rest);
        }
        if header.length > MAX_FRAME {
            cx.anomaly("http2", "limit_reached", "a frame is longer than 1 MiB; it is passed over");
            self.side(dir).state = State::Skip { header, left: header.length };
            return Progress::Consumed(9);
        }
        let Some(payload) = rest.get(..header.length) else { return Progress::Consumed(0) };
        if frame::emit(cx, header, payload).is_err() {
            cx.anomaly("http2", "bad_length", "a frame is too short for its kind");
        } else if self.take(cx, header, payload).is_err() {
            cx.anomaly("http2", "bad_length", "padding or priority of a header frame runs past its end");
            self.side(dir).decoder.lose();
        }
        Progress::Consumed(9 + header.length)
    }

    fn begin_data(&mut self, cx: &mut Cx<'_>, header: Header, rest: &[u8]) -> Progress {
        let padded = header.flags & frame::PADDED != 0 && header.length > 0;
        let (padding, used) = match (padded, rest.first()) {
            (false, _) => (0, 0),
            (true, Some(length)) => (usize::from(*length), 1),
            (true, None) => return Progress::Consumed(0),
        };
        let inside = header.length - used;
        if padding > inside {
            cx.anomaly("http2", "bad_length", "padding of a DATA frame runs past its end");
            self.side(cx.dir).state = State::Skip { header, left: inside };
            if inside == 0 {
                self.skip_left(cx, header, 0);
            }
            return Progress::Consumed(9 + used);
        }
        self.data_left(cx, header, inside - padding, padding);
        Progress::Consumed(9 + used)
    }

    /// So much of a DATA frame is still to come.
    fn data_left(&mut self, cx: &mut Cx<'_>, header: Header, left: usize, padding: usize) {
        if left > 0 {
            self.side(cx.dir).state = State::Data { header, left, padding };
        } else {
            self.skip_left(cx, header, padding);
        }
    }

    /// So much of a frame is still to be passed over.
    fn skip_left(&mut self, cx: &mut Cx<'_>, header: Header, left: usize) {
        if left > 0 {
            self.side(cx.dir).state = State::Skip { header, left };
            return;
        }
        self.side(cx.dir).state = State::Frame;
        // Only what is passed over in whole comes here: its fields beyond the header stay unread.
        frame::emit_header(cx, header);
        if header.kind == kind::DATA && header.flags & frame::END_STREAM != 0 {
            self.streams.end(cx, header.stream);
        }
    }

    /// Acts on a frame that is here in whole.
    fn take(&mut self, cx: &mut Cx<'_>, header: Header, payload: &[u8]) -> Wire<()> {
        let end_stream = header.flags & frame::END_STREAM != 0;
        match header.kind {
            kind::HEADERS | kind::PUSH_PROMISE => {
                let mut reader = Reader::new(payload);
                let padding = if header.flags & frame::PADDED != 0 { usize::from(reader.u8()?) } else { 0 };
                let mut promised = None;
                if header.kind == kind::PUSH_PROMISE {
                    promised = Some(reader.be_u32()? & 0x7fff_ffff);
                } else if header.flags & frame::PRIORITY != 0 {
                    reader.skip(5)?;
                }
                let fragment = reader.take(reader.len().checked_sub(padding).ok_or(Malformed)?)?;
                let open = Open { stream: header.stream, promised, end_stream: end_stream && promised.is_none(), bytes: Vec::new(), dropped: false };
                if header.flags & frame::END_HEADERS != 0 {
                    self.block(cx, &open, fragment);
                } else {
                    self.side(cx.dir).open = Some(Open { bytes: fragment.to_vec(), ..open });
                }
            }
            kind::CONTINUATION => {
                let Some(mut open) = self.side(cx.dir).open.take() else {
                    // Its start was lost, or there was none.
                    self.side(cx.dir).decoder.lose();
                    return Ok(());
                };
                if open.bytes.len().saturating_add(payload.len()) > MAX_BLOCK {
                    if !open.dropped {
                        cx.anomaly("http2", "limit_reached", "a header block is longer than 1 MiB; it is not decoded");
                    }
                    open.dropped = true;
                } else {
                    open.bytes.extend_from_slice(payload);
                }
                if header.flags & frame::END_HEADERS == 0 {
                    self.side(cx.dir).open = Some(open);
                } else if open.dropped {
                    self.side(cx.dir).decoder.lose();
                } else {
                    let bytes = std::mem::take(&mut open.bytes);
                    self.block(cx, &open, &bytes);
                }
            }
            kind::RST_STREAM => self.streams.reset(cx, header.stream),
            _ => {}
        }
        Ok(())
    }

    /// Decodes a whole header block.
    fn block(&mut self, cx: &mut Cx<'_>, open: &Open, bytes: &[u8]) {
        let common: Common = cx.common(cx.dir);
        let mut block = Block::new(common, bytes.len());
        match self.side(cx.dir).decoder.decode(bytes, &mut |name, value| block.field(name, value)) {
            Ok(lost) => block.lost = lost,
            Err(Malformed) => {
                block.lost = true;
                cx.anomaly("http2", "bad_length", "a header block ends early or refers to no entry");
            }
        }
        self.streams.block(cx, open.stream, open.promised, block, open.end_stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer<'a>(bytes: [&'a [u8]; 2]) -> Offer<'a> {
        Offer { bytes, dir: Dir::Orig, ports: [None; 2], usual_port: false, src: None, dst: None }
    }

    #[test]
    fn openings() {
        assert_eq!(probe(&offer([PREFACE, b""])), Verdict::Yes);
        assert_eq!(probe(&offer([b"PRI *", b""])), Verdict::More);
        assert_eq!(probe(&offer([b"", &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]])), Verdict::Yes);
        assert_eq!(probe(&offer([b"", &[0, 0, 6, 4, 0, 0, 0, 0, 1, 0, 3, 0, 0, 0, 100]])), Verdict::No);
        assert_eq!(probe(&offer([b"GET / HTTP/1.1\r\n", b""])), Verdict::No);
    }

    #[test]
    fn frames_behind_a_gap() {
        assert!(resumes(&[0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]));
        assert!(!resumes(&[0, 0, 7, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7]));
        assert!(!resumes(b"plain text of some body"));
    }
}
