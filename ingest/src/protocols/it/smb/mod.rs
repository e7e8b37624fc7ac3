//! SMB: shares, files, pipes (MS-CIFS, MS-SMB for version 1; MS-SMB2 for 2 and 3), on port 445 and in NetBIOS sessions.
//!
//! A request and its final answer make one row, the client being its source; each member of a chain has its own. What
//! passes through a file's handle is followed into `files` and summed in `smb_files` when the handle is closed.

mod codes;
mod handles;
mod login;
mod request;
mod v1;
mod v2;

use self::handles::Sink;
use self::request::Connection;
use crate::protocols::it::netbios::sessions;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Reader, Wire};

/// SMB on any port; 445 is its own, 139 that of NetBIOS sessions.
pub static PROTOCOL: Protocol = Protocol {
    name: "smb",
    group: Group::It,
    ports: &[445, 139],
    stream: Some(StreamKind { probe, start: || Box::<Stream>::default() }),
    ..Protocol::NONE
};

/// Messages longer than this are not held: what they read or write is taken as it arrives.
const MAX_WHOLE: usize = 1 << 20;
/// First octets of a long message that are kept: header and fixed fields.
const HEAD_LEN: usize = 256;
/// Bytes of one direction in which the start of a message must have come, on the own ports.
const MAX_PROBED: usize = 128 << 10;

/// Length of the message that starts here, without its four octets of framing.
fn framed(bytes: &[u8]) -> Option<usize> {
    let &[kind, a, b, c, magic, s, m, letter] = bytes.first_chunk::<8>()?;
    let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
    let least = match magic {
        0xff => 35,
        0xfe => 64,
        0xfd => 52,
        0xfc => 16,
        _ => return None,
    };
    (kind == sessions::MESSAGE && [s, m, letter] == *b"SMB" && length >= least).then_some(length)
}

/// Where the next message seems to start.
fn resync(bytes: &[u8]) -> Option<usize> {
    bytes.windows(8).position(|window| framed(window).is_some())
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    if framed(bytes).is_some() {
        return Verdict::Yes;
    }
    if offer.usual_port && sessions::control_header(bytes).is_some() {
        return Verdict::Yes;
    }
    if bytes.len() < 8 {
        return if bytes.first().is_none_or(|&byte| byte == 0) || offer.usual_port { Verdict::More } else { Verdict::No };
    }
    // A capture that starts inside a message.
    match offer.usual_port {
        true if resync(bytes).is_some() => Verdict::Yes,
        true if bytes.len() < MAX_PROBED => Verdict::More,
        _ => Verdict::No,
    }
}

/// One direction's place in its stream.
#[derive(Default)]
struct Side {
    /// Length of the message being waited for, framing included, and how much of it has come.
    awaited: Option<(usize, usize)>,
    /// A long message whose bytes are taken as they come.
    long: Option<Long>,
    /// The place of messages is not known.
    lost: bool,
    /// A message was found: what is none now is the sender's fault, not that of a capture which starts in the midst.
    seen: bool,
}

/// A long message under way.
struct Long {
    head: Vec<u8>,
    /// Octets of the message that have passed.
    passed: usize,
    total: usize,
    sink: Option<Sink>,
}

/// A connection.
#[derive(Default)]
struct Stream {
    sides: [Side; 2],
    connection: Connection,
}

impl StreamDissector for Stream {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
            match self.step(cx, rest) {
                0 => break,
                count => used += count,
            }
        }
        Progress::Consumed(used)
    }

    fn gap(&mut self, cx: &mut Cx<'_>, missing: u64) -> bool {
        self.connection.handles.lose(cx.dir);
        let Some(side) = self.sides.get_mut(cx.dir.index()) else { return false };
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        // A gap within one message leaves the place of the next one known.
        if let Some(long) = &mut side.long {
            long.passed = long.passed.saturating_add(missing);
            side.lost = long.passed > long.total;
        } else if let Some((total, came)) = side.awaited.take() {
            let passed = came.saturating_add(missing);
            side.lost = passed > total;
            side.long = (!side.lost).then(|| Long { head: Vec::new(), passed, total, sink: None });
        } else {
            side.lost = true;
        }
        if side.lost {
            side.long = None;
        }
        true
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        self.connection.close(cx);
    }
}

impl Stream {
    /// Takes what it can from the start of `bytes`; 0 means that more must come.
    fn step(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> usize {
        let Some(side) = self.sides.get_mut(cx.dir.index()) else { return bytes.len() };
        if side.long.is_some() {
            return self.go_on(cx, bytes);
        }
        if side.lost {
            // The last seven octets may be the start of a header.
            let Some(skipped) = resync(bytes) else { return bytes.len().saturating_sub(7) };
            side.lost = false;
            if skipped > 0 {
                return skipped;
            }
        }
        if let Some((kind, length)) = sessions::control_header(bytes) {
            let Some(body) = bytes.get(sessions::HEADER_LEN..sessions::HEADER_LEN + length) else { return 0 };
            sessions::control(cx, kind, body);
            return sessions::HEADER_LEN + length;
        }
        let Some(length) = framed(bytes) else {
            if bytes.len() < 8 {
                return 0;
            }
            // Something else in a session's framing is passed over as it is.
            if let Some(&[sessions::MESSAGE, a, b, c]) = bytes.first_chunk::<4>()
                && (a, b, c) != (0, 0, 0)
                && a <= 1
                && side.seen
            {
                let total = sessions::HEADER_LEN + usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(0);
                cx.anomaly("smb", "unexpected_state", "a session message that does not start with SMB's signature");
                side.long = Some(Long { head: Vec::new(), passed: 0, total, sink: None });
                return self.go_on(cx, bytes);
            }
            if side.seen {
                cx.anomaly("smb", "unexpected_state", "no SMB message where one should start");
            }
            side.lost = true;
            return bytes.len().min(1);
        };
        side.seen = true;
        let total = sessions::HEADER_LEN + length;
        if let Some(message) = bytes.get(sessions::HEADER_LEN..total) {
            side.awaited = None;
            self.connection.message(cx, message);
            return total;
        }
        side.awaited = Some((total, bytes.len()));
        if total <= MAX_WHOLE || bytes.len() < HEAD_LEN {
            return 0;
        }
        let head = bytes.get(sessions::HEADER_LEN..HEAD_LEN).unwrap_or_default().to_vec();
        let sink = self.connection.sink(&head);
        side.awaited = None;
        side.long = Some(Long { head, passed: 0, total, sink });
        self.go_on(cx, bytes)
    }

    /// Goes on with a long message.
    fn go_on(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> usize {
        let Some(long) = self.sides.get_mut(cx.dir.index()).and_then(|side| side.long.as_mut()) else { return 0 };
        let count = long.total.saturating_sub(long.passed).min(bytes.len());
        let taken = bytes.get(..count).unwrap_or_default();
        if let Some(sink) = &long.sink {
            // Offsets in the message do not count its framing.
            let start = long.passed.saturating_sub(sessions::HEADER_LEN);
            let skipped = sessions::HEADER_LEN.saturating_sub(long.passed);
            self.connection.handles.pour(sink, start, taken.get(skipped..).unwrap_or_default());
        }
        long.passed += count;
        if long.passed >= long.total
            && let Some(long) = self.sides.get_mut(cx.dir.index()).and_then(|side| side.long.take())
            && !long.head.is_empty()
        {
            self.connection.message(cx, &long.head);
        }
        count
    }
}

/// UTF-16 in little-endian order.
fn wide(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| pair.iter().rev().fold(0, |unit, &byte| unit << 8 | u16::from(byte))).collect();
    String::from_utf16_lossy(units.split(|&unit| unit == 0).next().unwrap_or_default())
}

/// Text with a NUL behind it, or up to the end; the reader stands behind it.
fn text(reader: &mut Reader<'_>, message_len: usize, is_unicode: bool) -> Wire<String> {
    if !is_unicode {
        let rest = reader.peek();
        let length = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
        let text = String::from_utf8_lossy(reader.take(length)?).into_owned();
        let _ = reader.skip(1);
        return Ok(text);
    }
    // Characters of two octets lie at even distances from the header.
    if message_len.saturating_sub(reader.len()) % 2 == 1 && !reader.is_empty() {
        reader.skip(1)?;
    }
    let rest = reader.peek();
    let length = rest.chunks_exact(2).position(|pair| pair == [0, 0]).map_or(rest.len() / 2 * 2, |at| at * 2);
    let text = wide(reader.take(length)?);
    let _ = reader.skip(2.min(reader.len()));
    Ok(text)
}

/// The client's side, by who sent a message.
fn client(cx: &Cx<'_>, is_response: bool) -> Dir {
    if is_response { cx.dir.reverse() } else { cx.dir }
}

#[cfg(test)]
mod tests;
