//! Frames (RFC 9000, 19; RFC 9221 and the drafts that are in use), and the handshake bytes that CRYPTO frames bring in any order.

use super::google;
use super::packet::varint;
use crate::wire::{Malformed, Reader, Wire};

/// Most handshake bytes kept of one direction.
const MAX_CRYPTO: usize = 1 << 16;
/// Pieces kept that wait for one before them.
const MAX_PIECES: usize = 256;
/// Frame types listed of one packet.
const MAX_TYPES: usize = 256;

/// Frame types.
mod kind {
    pub const PADDING: u64 = 0;
    pub const PING: u64 = 1;
    pub const ACK: u64 = 2;
    pub const ACK_ECN: u64 = 3;
    pub const CRYPTO: u64 = 6;
    pub const CLOSE: u64 = 0x1c;
    pub const CLOSE_APPLICATION: u64 = 0x1d;
    /// CRYPTO of Google's versions 50 and 51.
    pub const GOOGLE_CRYPTO: u64 = 8;
}

/// A CONNECTION_CLOSE frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Close {
    pub code: u64,
    pub reason: String,
}

/// A STREAM frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamPiece<'a> {
    pub id: u64,
    pub offset: u64,
    pub data: &'a [u8],
    /// The stream ends behind the data.
    pub is_last: bool,
}

/// What the frames of a packet amount to.
#[derive(Default, Debug)]
pub struct Frames<'a> {
    /// Types in their order, runs of padding once.
    pub types: Vec<u64>,
    /// Offset and data of CRYPTO frames.
    pub crypto: Vec<(usize, &'a [u8])>,
    pub close: Option<Close>,
    pub streams: Vec<StreamPiece<'a>>,
    /// Connection ids that the sender will answer to.
    pub ids: Vec<&'a [u8]>,
}

impl<'a> Frames<'a> {
    /// Reads frames up to the first that cannot be read; `google` for Google's versions 50 and 51, whose numbers differ.
    pub fn parse(payload: &'a [u8], google: bool) -> Self {
        let mut frames = Self::default();
        let mut reader = Reader::new(payload);
        while !reader.is_empty() && frames.types.len() < MAX_TYPES && frames.next(&mut reader, google).is_ok() {}
        frames
    }

    fn next(&mut self, reader: &mut Reader<'a>, google: bool) -> Wire<()> {
        let number = varint(reader)?;
        self.types.push(number);
        match number {
            kind::PADDING => {
                let run = reader.peek().iter().take_while(|octet| **octet == 0).count();
                reader.skip(run)
            }
            kind::GOOGLE_CRYPTO if google => self.crypto(reader),
            _ if google => Err(Malformed),
            kind::PING => Ok(()),
            kind::ACK | kind::ACK_ECN => ack(reader, number == kind::ACK_ECN),
            kind::CRYPTO => self.crypto(reader),
            // RESET_STREAM; STOP_SENDING, MAX_STREAM_DATA, STREAM_DATA_BLOCKED; limits of the connection, RETIRE_CONNECTION_ID.
            4 => varints(reader, 3),
            5 | 0x11 | 0x15 => varints(reader, 2),
            0x10 | 0x12..=0x14 | 0x16 | 0x17 | 0x19 => varints(reader, 1),
            7 => length(reader).and_then(|length| reader.skip(length)),
            8..=0x0f => self.stream(reader, number),
            0x18 => {
                varints(reader, 2)?;
                let length = reader.u8()?;
                let id = reader.take(length.into())?;
                self.ids.push(id);
                reader.skip(16)
            }
            0x1a | 0x1b => reader.skip(8),
            0x1e => Ok(()),
            // Datagrams (RFC 9221), without and with a length.
            0x30 => {
                reader.rest();
                Ok(())
            }
            0x31 => length(reader).and_then(|length| reader.skip(length)),
            // ACK_FREQUENCY, IMMEDIATE_ACK and TIMESTAMP of drafts.
            0xaf => varints(reader, 4),
            0xac => Ok(()),
            0x2f5 => varints(reader, 1),
            kind::CLOSE | kind::CLOSE_APPLICATION => {
                let code = varint(reader)?;
                if number == kind::CLOSE {
                    varint(reader)?;
                }
                let length = length(reader)?;
                let reason = String::from_utf8_lossy(reader.take(length)?).into_owned();
                // Codes of applications are numbers of their own.
                if number == kind::CLOSE {
                    self.close = Some(Close { code, reason });
                }
                Ok(())
            }
            _ => Err(Malformed),
        }
    }

    fn crypto(&mut self, reader: &mut Reader<'a>) -> Wire<()> {
        let offset = length(reader)?;
        let length = length(reader)?;
        self.crypto.push((offset, reader.take(length)?));
        Ok(())
    }

    /// A STREAM frame; its three low bits say which fields it has (RFC 9000, 19.8).
    fn stream(&mut self, reader: &mut Reader<'a>, number: u64) -> Wire<()> {
        let id = varint(reader)?;
        let offset = if number & 4 != 0 { varint(reader)? } else { 0 };
        let data = if number & 2 != 0 { length(reader).and_then(|length| reader.take(length))? } else { reader.rest() };
        self.streams.push(StreamPiece { id, offset, data, is_last: number & 1 != 0 });
        Ok(())
    }
}

fn length(reader: &mut Reader<'_>) -> Wire<usize> {
    usize::try_from(varint(reader)?).map_err(|_| Malformed)
}

fn varints(reader: &mut Reader<'_>, count: usize) -> Wire<()> {
    (0..count).try_for_each(|_| varint(reader).map(|_| ()))
}

fn ack(reader: &mut Reader<'_>, ecn: bool) -> Wire<()> {
    varint(reader)?;
    varint(reader)?;
    let ranges = varint(reader)?;
    varint(reader)?;
    for _ in 0..ranges {
        varint(reader)?;
        varint(reader)?;
    }
    if ecn {
        for _ in 0..3 {
            varint(reader)?;
        }
    }
    Ok(())
}

/// Type and body of the handshake message at the start.
fn first_message(bytes: &[u8]) -> Wire<(u8, Vec<u8>)> {
    let mut reader = Reader::new(bytes);
    let kind = reader.u8()?;
    let length = usize::try_from(reader.be_u24()?).map_err(|_| Malformed)?;
    Ok((kind, reader.take(length)?.to_vec()))
}

/// The handshake bytes of one direction.
#[derive(Default)]
pub struct Crypto {
    /// Without a hole from the start.
    joined: Vec<u8>,
    /// Pieces behind a hole, in order of their offset.
    pieces: Vec<(usize, Vec<u8>)>,
    held: usize,
    /// Frames that brought something new.
    pub fragments: u32,
    /// The hello was given out; the rest does not matter.
    done: bool,
    /// Octets given out as messages.
    given: usize,
}

impl Crypto {
    /// Takes the data of a frame.
    pub fn add(&mut self, offset: usize, data: &[u8]) {
        let Some(end) = offset.checked_add(data.len()) else { return };
        let known = |(start, piece): &(usize, Vec<u8>)| *start <= offset && start.saturating_add(piece.len()) >= end;
        if self.done || data.is_empty() || end > MAX_CRYPTO || end <= self.joined.len() || self.pieces.iter().any(known) {
            return;
        }
        self.fragments = self.fragments.saturating_add(1);
        if offset > self.joined.len() {
            let room = self.held.saturating_add(data.len()) <= MAX_CRYPTO && self.pieces.len() < MAX_PIECES;
            if room {
                self.held += data.len();
                let at = self.pieces.partition_point(|(start, _)| *start <= offset);
                self.pieces.insert(at, (offset, data.to_vec()));
            }
            return;
        }
        self.append(offset, data);
        let ready = self.pieces.partition_point(|(start, _)| *start <= self.joined.len());
        if ready == 0 {
            return;
        }
        let mut waiting = std::mem::take(&mut self.pieces).into_iter().peekable();
        while let Some((start, piece)) = waiting.next_if(|(start, _)| *start <= self.joined.len()) {
            self.held = self.held.saturating_sub(piece.len());
            self.append(start, &piece);
        }
        self.pieces = waiting.collect();
    }

    fn append(&mut self, offset: usize, data: &[u8]) {
        let known = self.joined.len().saturating_sub(offset);
        self.joined.extend_from_slice(data.get(known..).unwrap_or_default());
    }

    /// The first handshake message, type and body, once it is whole; given out one time.
    pub fn message(&mut self) -> Option<(u8, Vec<u8>)> {
        if self.done {
            return None;
        }
        let message = first_message(&self.joined).ok()?;
        self.finish();
        Some(message)
    }

    /// The next handshake message, type and body, once it is whole.
    pub fn next_message(&mut self) -> Option<(u8, Vec<u8>)> {
        let message = first_message(self.joined.get(self.given..)?).ok()?;
        self.given = self.given.saturating_add(4).saturating_add(message.1.len());
        Some(message)
    }

    /// The client hello of Google's own handshake, once it is whole; given out one time.
    pub fn google(&mut self) -> Option<google::Hello> {
        if self.done {
            return None;
        }
        let hello = google::Hello::parse(&self.joined)?;
        if !hello.whole {
            return None;
        }
        self.finish();
        Some(hello)
    }

    fn finish(&mut self) {
        self.done = true;
        self.joined = Vec::new();
        self.pieces = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_between_padding() {
        let payload = [0, 0, 1, 2, 5, 0, 0, 0, 6, 3, 2, 0xaa, 0xbb, 0, 0x1c, 0x41, 0x28, 0, 2, b'n', b'o', 0, 0];
        let frames = Frames::parse(&payload, false);
        assert_eq!(frames.types, [0, 1, 2, 6, 0, 0x1c, 0]);
        assert_eq!(frames.crypto, [(3, &[0xaa, 0xbb][..])]);
        assert_eq!(frames.close, Some(Close { code: 0x128, reason: "no".into() }));
    }

    #[test]
    fn a_hello_in_disorder() {
        let mut crypto = Crypto::default();
        crypto.add(4, &[3, 4]);
        assert!(crypto.message().is_none());
        crypto.add(2, &[0, 4, 1]);
        crypto.add(6, &[9]);
        crypto.add(4, &[3, 4]);
        crypto.add(0, &[1, 0]);
        // Octet 4 came twice; the first piece in order of offset stands.
        assert_eq!(crypto.message(), None);
        crypto.add(7, &[8]);
        assert_eq!(crypto.message(), Some((1, vec![1, 4, 9, 8])));
        assert_eq!(crypto.fragments, 5);
        assert!(crypto.message().is_none());
    }

    #[test]
    fn frames_of_packets_with_a_short_header() {
        let mut payload = vec![0x18, 1, 0, 2, 7, 8];
        payload.extend([0; 16]);
        // A stream's start with a length, one with an offset and an end, which takes the rest.
        payload.extend([0x0a, 3, 2, b'h', b'i', 0x1d, 0x41, 0, 0, 0x0d, 0, 9, b'x']);
        let frames = Frames::parse(&payload, false);
        assert_eq!(frames.ids, [&[7, 8][..]]);
        assert_eq!(
            frames.streams,
            [StreamPiece { id: 3, offset: 0, data: b"hi", is_last: false }, StreamPiece { id: 0, offset: 9, data: b"x", is_last: true },]
        );
        assert_eq!(frames.close, None);
    }

    #[test]
    fn noise() {
        let mut state = 1_u32;
        for _ in 0..2000 {
            let noise: Vec<u8> = (0..64)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8 & 0x3f
                })
                .collect();
            Frames::parse(&noise, false);
        }
    }
}
