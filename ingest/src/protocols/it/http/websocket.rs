//! WebSocket (RFC 6455): the conversation in the frames of a connection that HTTP upgraded, whatever its protocol.
//!
//! ```text
//! end:1 bit  reserved:3  opcode:4    masked:1  length:7 (126: two octets more, 127: eight)   key:4 if masked   payload
//! ```

use crate::protocols::inner::Inner;
use crate::protocols::{Cx, Progress};
use crate::wire::{Malformed, Reader, Wire};

/// Both directions of a connection, from its upgrade on.
pub struct WebSocket {
    sides: [Frame; 2],
    inner: Inner,
    /// Where masked octets are put right.
    plain: Vec<u8>,
}

/// The frame that a direction is in.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Frame {
    /// Octets of the payload that are still to come.
    left: u64,
    /// They are the conversation's, not a control frame's.
    is_data: bool,
    key: Option<[u8; 4]>,
}

impl Frame {
    /// Reads a frame's head. Compressed messages (RFC 7692) and other extensions are not followed.
    fn read(reader: &mut Reader<'_>) -> Wire<Result<Self, Malformed>> {
        let [first, second] = reader.array()?;
        let left = match second & 0x7f {
            126 => reader.be_u16()?.into(),
            127 => reader.be_u64()?,
            short => short.into(),
        };
        let key = if second & 0x80 != 0 { Some(reader.array()?) } else { None };
        let is_data = matches!(first & 15, 0..=2);
        let is_control = matches!(first & 15, 8..=10) && left < 126;
        let is_sound = first & 0x70 == 0 && (is_data || is_control);
        Ok(if is_sound { Ok(Self { left, is_data, key }) } else { Err(Malformed) })
    }
}

impl WebSocket {
    pub fn new() -> Self {
        Self { sides: Default::default(), inner: Inner::tunnelled(), plain: Vec::new() }
    }

    /// Takes the next bytes of `cx.dir`.
    pub fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let side = &mut self.sides[cx.dir.index()];
        let mut reader = Reader::new(bytes);
        let mut done = 0;
        while !reader.is_empty() {
            if side.left == 0 {
                match Frame::read(&mut reader) {
                    Ok(Ok(frame)) => *side = frame,
                    Ok(Err(Malformed)) => return Progress::Stop,
                    Err(Malformed) => break,
                }
            }
            let length = usize::try_from(side.left).unwrap_or(usize::MAX).min(reader.len());
            let Ok(piece) = reader.take(length) else { break };
            side.left -= length as u64;
            if let (true, Some(key)) = (side.is_data, &mut side.key) {
                self.plain.clear();
                self.plain.extend(piece.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key));
                key.rotate_left(length % 4);
                self.inner.bytes(cx, &self.plain);
            } else if side.is_data {
                self.inner.bytes(cx, piece);
            }
            done = bytes.len() - reader.len();
        }
        Progress::Consumed(done)
    }

    /// `cx.dir` ends.
    pub fn end(&mut self, cx: &mut Cx<'_>) {
        self.inner.end(cx);
    }

    /// The connection is over.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        self.inner.close(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: &[u8]) -> Wire<Result<Frame, Malformed>> {
        Frame::read(&mut Reader::new(bytes))
    }

    #[test]
    fn heads() {
        assert_eq!(frame(&[0x82, 5]), Ok(Ok(Frame { left: 5, is_data: true, key: None })));
        assert_eq!(frame(&[0x81, 0xfe, 1, 0, 1, 2, 3, 4]), Ok(Ok(Frame { left: 256, is_data: true, key: Some([1, 2, 3, 4]) })));
        assert_eq!(frame(&[0x89, 0x80, 1, 2, 3, 4]), Ok(Ok(Frame { left: 0, is_data: false, key: Some([1, 2, 3, 4]) })));
        assert_eq!(frame(&[0x82, 0xff, 0, 0, 0]), Err(Malformed), "not whole yet");
        assert_eq!(frame(&[0xc1, 5]), Ok(Err(Malformed)), "compressed");
        assert_eq!(frame(&[0x83, 5]), Ok(Err(Malformed)), "reserved");
        assert_eq!(frame(&[0x88, 126, 0, 200]), Ok(Err(Malformed)), "control frames are short");
    }
}
