//! One direction of a TCP connection put in order.
//!
//! The first copy of a byte wins. Bytes behind a hole wait, bounded in number; the hole becomes a gap once the receiver has
//! acknowledged beyond it (so the capture lacks the bytes, not the receiver) or once too much waits behind it. What waited
//! behind a hole that is filled came whole with the bytes that fill it; what waited behind a gap was there when its own frame
//! came.

use std::collections::BTreeMap;

/// Most bytes that wait behind a hole.
const MAX_WAITING_BYTES: usize = 1 << 20;
/// Most segments that wait behind a hole.
const MAX_WAITING_SEGMENTS: usize = 256;

/// A step in the life of a stream.
pub enum Piece<'a> {
    /// The next bytes in order, which the segment at hand brings or releases.
    Bytes(&'a [u8]),
    /// The next bytes behind a gap, and when they came.
    Late(Moment, &'a [u8]),
    /// So many bytes are lost.
    Gap(u64),
}

/// A frame, and its time.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Moment {
    pub frame: u64,
    pub ts: i64,
}

/// A segment behind a hole.
struct Waiting {
    came: Moment,
    wire_len: u32,
    /// Its bytes; fewer than `wire_len` where the capture cut them or nobody listens.
    bytes: Box<[u8]>,
}

/// Reassembly state of one direction.
#[derive(Default)]
pub struct Stream {
    /// Sequence number of the next byte in order; `None` before the first segment.
    next: Option<u32>,
    /// Highest acknowledgement of the other side.
    acked: Option<u32>,
    /// Segments ahead of `next`, by distance from `base`.
    waiting: BTreeMap<u64, Waiting>,
    waiting_bytes: usize,
    /// Stream offset of `next`: bytes delivered and lost so far.
    offset: u64,
    /// Sequence number behind the last byte, once FIN was seen.
    fin: Option<u32>,
    /// Bytes delivered in order.
    pub delivered: u64,
    /// Bytes lost.
    pub missed: u64,
    /// Keep bytes behind a hole; off where nobody listens (then only numbers are kept).
    pub keep: bool,
}

/// Signed distance from `from` to `to` in sequence space (RFC 9293, 3.4).
pub fn distance(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from) as i32)
}

impl Stream {
    /// The connection's SYN: the stream starts behind it.
    pub fn start(&mut self, isn: u32) {
        if self.next.is_none() {
            self.next = Some(isn.wrapping_add(1));
        }
    }

    /// Every byte up to the sender's FIN was delivered or is lost.
    pub fn ended(&self) -> bool {
        matches!((self.next, self.fin), (Some(next), Some(fin)) if distance(next, fin) <= 0)
    }

    /// Bytes waiting behind a hole.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Takes a segment that came `now`; `sink` gets what it releases. `wire_len` counts bytes that the capture cut off.
    pub fn segment(&mut self, now: Moment, seq: u32, bytes: &[u8], wire_len: u32, fin: bool, sink: &mut dyn FnMut(Piece<'_>)) {
        if fin {
            self.fin.get_or_insert(seq.wrapping_add(wire_len));
        }
        let next = *self.next.get_or_insert(seq);
        if wire_len == 0 {
            return;
        }
        let ahead = distance(next, seq);
        if ahead > 0 {
            // Far outside any window: not of this stream's present (or a wild sequence number): no room is kept for it.
            if ahead > 1 << 30 {
                return;
            }
            self.wait(now, ahead as u64, bytes, wire_len);
            let known_lost = self.acked.is_some_and(|acked| distance(seq, acked) >= 0);
            if known_lost || self.waiting_bytes > MAX_WAITING_BYTES || self.waiting.len() > MAX_WAITING_SEGMENTS {
                self.skip_hole(sink);
            }
            return;
        }
        let old = ahead.unsigned_abs() as usize;
        if old >= wire_len as usize {
            return; // all of it was there before
        }
        self.deliver(None, bytes.get(old..).unwrap_or_default(), wire_len - old as u32, sink);
        self.release(false, sink);
    }

    /// The other side acknowledged everything before `ack`.
    pub fn acknowledged(&mut self, ack: u32, sink: &mut dyn FnMut(Piece<'_>)) {
        if self.acked.is_none_or(|acked| distance(acked, ack) > 0) {
            self.acked = Some(ack);
        }
        let Some(next) = self.next else { return };
        if let Some((&offset, _)) = self.waiting.first_key_value() {
            let first_waiting = next.wrapping_add((offset - self.offset) as u32);
            if distance(first_waiting, ack) > 0 {
                self.skip_hole(sink);
            }
        }
    }

    /// The connection ends: what waits is delivered behind its gap.
    pub fn flush(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        while !self.waiting.is_empty() {
            self.skip_hole(sink);
        }
        // Bytes that the other side acknowledged and nobody captured.
        if let (Some(next), Some(acked)) = (self.next, self.acked) {
            let end = self.fin.map_or(acked, |fin| if distance(fin, acked) > 0 { fin } else { acked });
            let lost = distance(next, end);
            if lost > 0 && lost < 1 << 30 && self.delivered > 0 {
                self.missed += lost as u64;
            }
        }
    }

    fn wait(&mut self, came: Moment, ahead: u64, bytes: &[u8], wire_len: u32) {
        let kept = if self.keep { bytes } else { &[] };
        let offset = self.offset + ahead;
        if self.waiting.get(&offset).is_some_and(|present| present.wire_len >= wire_len) {
            return;
        }
        self.waiting_bytes += kept.len();
        if let Some(shorter) = self.waiting.insert(offset, Waiting { came, wire_len, bytes: kept.into() }) {
            self.waiting_bytes -= shorter.bytes.len();
        }
    }

    fn deliver(&mut self, late: Option<Moment>, bytes: &[u8], wire_len: u32, sink: &mut dyn FnMut(Piece<'_>)) {
        self.next = self.next.map(|next| next.wrapping_add(wire_len));
        self.offset += u64::from(wire_len);
        self.delivered += u64::from(wire_len);
        if !bytes.is_empty() {
            sink(late.map_or(Piece::Bytes(bytes), |came| Piece::Late(came, bytes)));
        }
        let cut = u64::from(wire_len).saturating_sub(bytes.len() as u64);
        if cut > 0 && self.keep {
            // Cut by the snap length: on the wire, not in the capture.
            self.missed += cut;
            sink(Piece::Gap(cut));
        }
    }

    /// Delivers what no longer has a hole before it; `is_late` where that became a gap.
    fn release(&mut self, is_late: bool, sink: &mut dyn FnMut(Piece<'_>)) {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > self.offset {
                break;
            }
            let (offset, waiting) = entry.remove_entry();
            self.waiting_bytes -= waiting.bytes.len();
            let old = (self.offset - offset).min(u64::from(waiting.wire_len)) as u32;
            if old < waiting.wire_len {
                let late = is_late.then_some(waiting.came);
                self.deliver(late, waiting.bytes.get(old as usize..).unwrap_or_default(), waiting.wire_len - old, sink);
            }
        }
    }

    /// Gives up the bytes before the first waiting segment.
    fn skip_hole(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        let Some((&offset, _)) = self.waiting.first_key_value() else { return };
        let lost = offset.saturating_sub(self.offset);
        if lost > 0 {
            self.missed += lost;
            self.next = self.next.map(|next| next.wrapping_add(lost as u32));
            self.offset = offset;
            sink(Piece::Gap(lost));
        }
        self.release(true, sink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(segments: &[(u32, &[u8])], ack: Option<u32>) -> String {
        let mut stream = Stream { keep: true, ..Stream::default() };
        stream.start(99);
        let mut out = String::new();
        let mut sink = |piece: Piece<'_>| match piece {
            Piece::Bytes(bytes) => out.push_str(std::str::from_utf8(bytes).unwrap()),
            Piece::Late(came, bytes) => out.push_str(&format!("{}@{}", std::str::from_utf8(bytes).unwrap(), came.frame)),
            Piece::Gap(lost) => out.push_str(&format!("<{lost}>")),
        };
        for ((seq, bytes), frame) in segments.iter().zip(1..) {
            stream.segment(Moment { frame, ts: 0 }, *seq, bytes, bytes.len() as u32, false, &mut sink);
        }
        if let Some(ack) = ack {
            stream.acknowledged(ack, &mut sink);
        }
        stream.flush(&mut sink);
        out
    }

    #[test]
    fn orders_and_trims() {
        assert_eq!(play(&[(100, b"ab"), (104, b"ef"), (102, b"cd")], None), "abcdef");
        assert_eq!(play(&[(100, b"ab"), (101, b"XYc")], None), "abYc");
        assert_eq!(play(&[(100, b"ab"), (100, b"ab")], None), "ab");
    }

    #[test]
    fn gap_when_acknowledged() {
        assert_eq!(play(&[(100, b"ab"), (104, b"ef")], Some(106)), "ab<2>ef@2");
        assert_eq!(play(&[(100, b"ab"), (104, b"ef")], None), "ab<2>ef@2");
    }

    #[test]
    fn wraps_around() {
        let mut stream = Stream { keep: true, ..Stream::default() };
        stream.start(u32::MAX - 1);
        let mut got = Vec::new();
        let mut sink = |piece: Piece<'_>| {
            if let Piece::Bytes(bytes) = piece {
                got.extend_from_slice(bytes);
            }
        };
        stream.segment(Moment::default(), u32::MAX, b"ab", 2, false, &mut sink);
        stream.segment(Moment::default(), 1, b"cd", 2, true, &mut sink);
        assert_eq!(got, b"abcd");
        assert!(stream.ended());
    }
}
