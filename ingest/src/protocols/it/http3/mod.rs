//! HTTP/3 (RFC 9114): the streams of a QUIC connection that was decrypted.
//!
//! Requests and answers become rows of `http2`, as those of HTTP/2 do; header blocks are decoded by [`qpack`].

mod qpack;

use std::collections::BTreeMap;

use self::qpack::{Decoded, Table};
use super::http2::streams::{Block, Streams};
use super::quic::varint;
use crate::protocols::{Cx, Dir};
use crate::wire::{Malformed, Reader};

/// Longest header block.
const MAX_BLOCK: usize = 1 << 20;
/// Most octets of a stream that wait for more.
const MAX_HELD: usize = MAX_BLOCK + 16;
/// Blocks that wait for the table they refer to.
const MAX_WAITING: usize = 64;

/// Frame types (RFC 9114, 7.2).
const DATA: u64 = 0;
const HEADERS: u64 = 1;
/// Type of a stream that builds a table (RFC 9204, 4.2).
const ENCODER: u64 = 2;

/// What a stream of one direction is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum State {
    /// One that goes one way, and has not said what for.
    #[default]
    Untold,
    /// At the start of a frame.
    Frame,
    /// Within DATA: octets left.
    Data(u64),
    /// Within a frame that is passed over.
    Skip(u64),
    /// Instructions of QPACK's encoder.
    Encoder,
    /// Nothing to read.
    Ignored,
}

#[derive(Default)]
struct Side {
    state: State,
    held: Vec<u8>,
    ended: bool,
}

/// A header block whose table is not there yet.
struct Waiting {
    id: u32,
    dir: Dir,
    common: pcapper_schema::Common,
    block: Vec<u8>,
}

/// One connection.
pub struct Http3 {
    streams: Streams,
    sides: BTreeMap<(u64, bool), Side>,
    /// What the encoders of originator and responder built.
    tables: [Table; 2],
    waiting: Vec<Waiting>,
}

impl Default for Http3 {
    fn default() -> Self {
        Self { streams: Streams::http3(), sides: BTreeMap::new(), tables: Default::default(), waiting: Vec::new() }
    }
}

impl Http3 {
    fn table(&mut self, dir: Dir) -> &mut Table {
        let [orig, resp] = &mut self.tables;
        if dir == Dir::Orig { orig } else { resp }
    }

    fn take_side(&mut self, id: u64, dir: Dir) -> Side {
        self.sides.remove(&(id, dir == Dir::Orig)).unwrap_or_else(|| {
            // Streams that clients open both ways carry one request each (RFC 9000, 2.1).
            let state = match id & 3 {
                0 => State::Frame,
                1 => State::Ignored,
                _ => State::Untold,
            };
            Side { state, ..Side::default() }
        })
    }

    /// Takes the next octets that `cx.dir` sends on a stream.
    pub fn bytes(&mut self, cx: &mut Cx<'_>, id: u64, bytes: &[u8]) {
        let mut side = self.take_side(id, cx.dir);
        let mut held = std::mem::take(&mut side.held);
        held.extend_from_slice(bytes);
        let mut done = 0;
        while let Some(rest) = held.get(done..).filter(|rest| !rest.is_empty()) {
            match self.step(cx, id, &mut side, rest) {
                Some(taken) if taken > 0 => done += taken.min(rest.len()),
                _ => break,
            }
        }
        held.drain(..done);
        if held.len() > MAX_HELD {
            cx.anomaly("http2", "limit_reached", "a header block of HTTP/3 is longer than 1 MiB; the rest of its stream is not decoded");
            side.state = State::Ignored;
            held.clear();
        }
        side.held = held;
        self.sides.insert((id, cx.dir == Dir::Orig), side);
    }

    /// Takes what the octets start with; `None` while it is not whole.
    fn step(&mut self, cx: &mut Cx<'_>, id: u64, side: &mut Side, rest: &[u8]) -> Option<usize> {
        match side.state {
            State::Ignored => Some(rest.len()),
            State::Untold => {
                let mut reader = Reader::new(rest);
                side.state = if varint(&mut reader).ok()? == ENCODER { State::Encoder } else { State::Ignored };
                Some(rest.len() - reader.len())
            }
            State::Encoder => {
                let taken = self.table(cx.dir).instruction(rest)?;
                self.retry(cx);
                Some(taken)
            }
            State::Data(left) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                if let (Ok(id), Some(content)) = (u32::try_from(id), rest.get(..taken)) {
                    self.streams.body(cx, id, content);
                }
                let left = left - taken as u64;
                side.state = if left == 0 { State::Frame } else { State::Data(left) };
                Some(taken)
            }
            State::Skip(left) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                let left = left - taken as u64;
                side.state = if left == 0 { State::Frame } else { State::Skip(left) };
                Some(taken)
            }
            State::Frame => {
                let mut reader = Reader::new(rest);
                let (kind, length) = (varint(&mut reader).ok()?, varint(&mut reader).ok()?);
                let header = rest.len() - reader.len();
                match kind {
                    DATA if length > 0 => side.state = State::Data(length),
                    HEADERS if length <= MAX_BLOCK as u64 => {
                        let block = reader.take(usize::try_from(length).ok()?).ok()?;
                        self.block(cx, id, block);
                        return Some(header + block.len());
                    }
                    _ if length > 0 => side.state = State::Skip(length),
                    _ => {}
                }
                Some(header)
            }
        }
    }

    /// Takes a header block of `cx.dir`.
    fn block(&mut self, cx: &mut Cx<'_>, id: u64, bytes: &[u8]) {
        let Ok(id) = u32::try_from(id) else { return };
        let common = cx.common(cx.dir);
        if !self.decode(cx, id, common, bytes, false) {
            if self.waiting.len() >= MAX_WAITING {
                let oldest = self.waiting.remove(0);
                self.give_up(cx, &oldest);
            }
            self.waiting.push(Waiting { id, dir: cx.dir, common, block: bytes.to_vec() });
        }
    }

    /// Decodes a block; false if its table is not there yet. `finally`: what cannot be resolved is lost.
    fn decode(&mut self, cx: &mut Cx<'_>, id: u32, common: pcapper_schema::Common, bytes: &[u8], finally: bool) -> bool {
        let mut block = Block::new(common, bytes.len());
        match self.table(cx.dir).decode(bytes, &mut |name, value| block.field(name, value)) {
            Ok(Decoded::Waits) if !finally => return false,
            Ok(Decoded::Whole) => {}
            Ok(Decoded::Lost | Decoded::Waits) => block.lost = true,
            Err(Malformed) => {
                block.lost = true;
                cx.anomaly("http2", "bad_length", "a header block of HTTP/3 ends early or refers to no entry");
            }
        }
        self.streams.block(cx, id, None, block, false);
        true
    }

    /// Decodes the blocks that wait, as far as the table is there now.
    fn retry(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            let before = std::mem::replace(&mut cx.dir, waiting.dir);
            let is_done = self.decode(cx, waiting.id, waiting.common, &waiting.block, false);
            if is_done {
                self.end_if(cx, waiting.id);
            } else {
                self.waiting.push(waiting);
            }
            cx.dir = before;
        }
    }

    fn give_up(&mut self, cx: &mut Cx<'_>, waiting: &Waiting) {
        let before = std::mem::replace(&mut cx.dir, waiting.dir);
        self.decode(cx, waiting.id, waiting.common, &waiting.block, true);
        self.end_if(cx, waiting.id);
        cx.dir = before;
    }

    /// Tells the end of a stream that ended while its block waited.
    fn end_if(&mut self, cx: &mut Cx<'_>, id: u32) {
        if self.sides.get(&(u64::from(id), cx.dir == Dir::Orig)).is_some_and(|side| side.ended) {
            self.streams.end(cx, id);
        }
    }

    /// Octets that `cx.dir` sent on a stream are missing.
    pub fn gap(&mut self, cx: &mut Cx<'_>, id: u64) {
        let mut side = self.take_side(id, cx.dir);
        if side.state == State::Encoder || id & 3 != 0 {
            self.table(cx.dir).lose();
            self.retry(cx);
        } else if let Ok(id) = u32::try_from(id) {
            self.streams.lose(cx.dir, id);
        }
        side.state = State::Ignored;
        side.held = Vec::new();
        self.sides.insert((id, cx.dir == Dir::Orig), side);
    }

    /// `cx.dir` ended a stream.
    pub fn end(&mut self, cx: &mut Cx<'_>, id: u64) {
        let mut side = self.take_side(id, cx.dir);
        side.ended = true;
        side.held = Vec::new();
        self.sides.insert((id, cx.dir == Dir::Orig), side);
        if let Ok(id) = u32::try_from(id)
            && id & 3 == 0
            && !self.waiting.iter().any(|waiting| waiting.id == id && waiting.dir == cx.dir)
        {
            self.streams.end(cx, id);
        }
    }

    /// A stream is over, both ways: nothing of it is kept.
    pub fn forget(&mut self, id: u64) {
        if !self.waiting.iter().any(|waiting| u64::from(waiting.id) == id) {
            self.sides.remove(&(id, true));
            self.sides.remove(&(id, false));
        }
    }

    /// Writes all that is still owed.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            self.give_up(cx, &waiting);
        }
        self.streams.close(cx);
    }
}

#[cfg(test)]
mod tests {
    use pcapper_schema::tables::Http2;
    use pcapper_schema::{Row, TableSet};

    use super::*;
    use crate::protocols::{Endpoint, Shared};

    struct World {
        tables: TableSet,
        shared: Shared,
    }

    impl World {
        fn cx(&mut self, dir: Dir) -> Cx<'_> {
            Cx {
                tables: &mut self.tables,
                shared: &mut self.shared,
                frame: 1,
                ts: 0,
                packet: None,
                flow_id: Some(1),
                ends: [Endpoint::default(); 2],
                dir,
                frames_spanned: 1,
            }
        }

        fn rows(&mut self) -> usize {
            Http2::slot(&mut self.tables).finish("c", "i").num_rows()
        }
    }

    fn world() -> World {
        World { tables: TableSet::default(), shared: Shared::default() }
    }

    #[test]
    fn a_block_waits_for_its_table() {
        let (mut world, mut http) = (world(), Http3::default());
        // A request in pieces, whose block refers to an entry that the encoder's stream brings later.
        for piece in [&[1, 5][..], &[2, 0x80, 0xd1, 0x10], &[0xd7]] {
            http.bytes(&mut world.cx(Dir::Orig), 0, piece);
        }
        http.end(&mut world.cx(Dir::Orig), 0);
        assert_eq!(http.waiting.len(), 1);
        http.bytes(&mut world.cx(Dir::Orig), 2, &[2, 0x3f, 0xbd, 0x01, 0xc0, 3, b'a', b'.', b'b']);
        assert!(http.waiting.is_empty());
        http.close(&mut world.cx(Dir::Orig));
        assert_eq!(world.rows(), 1);
    }

    #[test]
    fn noise() {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for _ in 0..200 {
            let (mut world, mut http) = (world(), Http3::default());
            for _ in 0..40 {
                let id = u64::from(next() & 15);
                let dir = if next() & 1 == 0 { Dir::Orig } else { Dir::Resp };
                let bytes: Vec<u8> = (0..next() & 31).map(|_| next() & if id & 2 == 0 { 0x1f } else { 0xff }).collect();
                http.bytes(&mut world.cx(dir), id, &bytes);
                match next() & 15 {
                    0 => http.gap(&mut world.cx(dir), id),
                    1 => http.end(&mut world.cx(dir), id),
                    _ => {}
                }
            }
            http.close(&mut world.cx(Dir::Orig));
        }
    }
}
