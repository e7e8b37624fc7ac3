//! Reading back from a capture what the lake does not keep: frames, reassembled streams, the content of files.
//!
//! The lake holds where things are, the capture holds the bytes. A single frame is read where it lies; everything else is got
//! by going through the capture once more, with the machinery that decoded it, so that streams and flows are the same.

pub mod carve;
mod file_rows;
mod pcapng;
mod replay;
mod search;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::capture::{CaptureReader, Chunk, FrameMeta, OpenError};

pub use crate::capture::Interface;
pub use crate::flow::{Heard, HeardLayer, Moment, What};
pub use crate::protocols::files::Kept;
pub use crate::protocols::{Dir, Endpoint};
pub use file_rows::FileRows;
pub use pcapng::{Writer, write_frames};
pub use replay::{Share, Told, contents, files, streams};
pub use search::{Encoding, Found, Needle, Searcher};

/// The bytes of one frame, which lie at an offset of the (decompressed) capture.
pub fn frame(path: &Path, format: &str, offset: u64, length: u32) -> Result<Vec<u8>, OpenError> {
    if format.contains('+') {
        let mut found = None;
        each_frame(path, |_, bytes, at| {
            if at == offset {
                found = Some(bytes.to_vec());
            }
            at < offset
        })?;
        return found.ok_or_else(|| OpenError::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "the capture ends before this frame")));
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(OpenError::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "the capture ends inside this frame")));
    }
    Ok(bytes)
}

/// Goes through the frames of a capture in order, with their offsets, until `each` gives false.
pub fn each_frame(path: &Path, mut each: impl FnMut(&FrameMeta, &[u8], u64) -> bool) -> Result<(), OpenError> {
    let mut reader = CaptureReader::open(path)?;
    let mut chunk = Chunk::default();
    while reader.next_chunk(&mut chunk) {
        for meta in &chunk.frames {
            if !each(meta, chunk.bytes(meta), chunk.base + u64::from(meta.start)) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What a frame carries above its link layer: the bytes behind link header and VLAN tags, or all of them where the link type
/// is not known.
pub fn above_link(link_type: u16, bytes: &[u8]) -> &[u8] {
    let type_at = |at: usize| bytes.get(at..at + 2).map(|octets| u16::from_be_bytes([octets[0], octets[1]]));
    let start = match link_type {
        1 => {
            let mut at = 12;
            while matches!(type_at(at), Some(0x8100 | 0x88a8 | 0x9100)) && at < 28 {
                at += 4;
            }
            at + 2
        }
        0 | 108 => 4,
        9 | 50 | 104 => 4,
        113 => 16,
        276 => 20,
        105 => 24,
        127 => bytes.get(2..4).map_or(0, |octets| usize::from(u16::from_le_bytes([octets[0], octets[1]]))) + 24,
        _ => 0,
    };
    bytes.get(start..).unwrap_or_default()
}

/// The payload of a frame's innermost transport, as captured.
pub fn payload<'b>(meta: &FrameMeta, bytes: &'b [u8]) -> &'b [u8] {
    crate::packet::decode(meta.link_type, bytes, meta.frame_len, meta.fcs_len).payload
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    crate::protocols::hex::hex(&sha2::Sha256::digest(bytes))
}
