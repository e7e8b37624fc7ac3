//! Frames written as a pcapng file (draft-ietf-opsawg-pcapng) that any tool opens.

use std::io::{self, Write};
use std::path::Path;

use crate::capture::{CaptureReader, Chunk, FrameMeta, Interface, OpenError};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// Option codes.
const COMMENT: u16 = 1;
const NAME: u16 = 2;
const DESCRIPTION: u16 = 3;
const APPLICATION: u16 = 4;
const TS_RESOLUTION: u16 = 9;
const FCS_LEN: u16 = 13;

/// Longest text of an option.
const MAX_TEXT: usize = 60_000;

/// Writes frames of any captures, one after the other.
pub struct Writer<W> {
    out: W,
    /// Interfaces described so far: capture, interface there, link type, and the nanoseconds of a unit of time.
    interfaces: Vec<(String, u32, u16, i64)>,
    /// Frames written.
    pub frames: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut body = Vec::new();
        body.extend_from_slice(&BYTE_ORDER.to_le_bytes());
        body.extend_from_slice(&[1, 0, 0, 0]);
        // The section's length is not known.
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        option(&mut body, APPLICATION, concat!("pcapper ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(&mut body, 0, &[]);
        block(&mut out, SECTION, &body)?;
        Ok(Self { out, interfaces: Vec::new(), frames: 0 })
    }

    /// Number of the interface in the file, which is described on its first use.
    fn interface(&mut self, capture: &str, meta: &FrameMeta, interface: Option<&Interface>) -> io::Result<(u32, i64)> {
        let known =
            self.interfaces.iter().position(|(of, number, link_type, _)| of == capture && *number == meta.interface && *link_type == meta.link_type);
        if let Some((at, (.., unit_ns))) = known.and_then(|at| Some((at, self.interfaces.get(at)?))) {
            return Ok((at as u32, *unit_ns));
        }
        let unit_ns = if interface.is_some_and(|interface| interface.ts_resolution == "us") { 1000 } else { 1 };
        let mut body = Vec::new();
        body.extend_from_slice(&meta.link_type.to_le_bytes());
        body.extend_from_slice(&[0, 0]);
        body.extend_from_slice(&interface.map_or(0, |interface| interface.snaplen).to_le_bytes());
        if let Some(name) = interface.and_then(|interface| interface.name.as_ref()) {
            option(&mut body, NAME, name.as_bytes());
        }
        if let Some(text) = interface.and_then(|interface| interface.description.as_ref()) {
            option(&mut body, DESCRIPTION, text.as_bytes());
        }
        option(&mut body, TS_RESOLUTION, &[if unit_ns == 1000 { 6 } else { 9 }]);
        if meta.fcs_len > 0 {
            option(&mut body, FCS_LEN, &[meta.fcs_len]);
        }
        option(&mut body, COMMENT, format!("from {capture}").as_bytes());
        option(&mut body, 0, &[]);
        block(&mut self.out, INTERFACE, &body)?;
        self.interfaces.push((capture.to_owned(), meta.interface, meta.link_type, unit_ns));
        Ok((self.interfaces.len() as u32 - 1, unit_ns))
    }

    /// Writes one frame, with its number in its capture as a comment in front of those it had.
    pub fn frame(&mut self, capture: &str, meta: &FrameMeta, bytes: &[u8], interface: Option<&Interface>, comments: &[&str]) -> io::Result<()> {
        let (number, unit_ns) = self.interface(capture, meta, interface)?;
        let ticks = u64::try_from(meta.ts / unit_ns).unwrap_or(0);
        let mut body = Vec::with_capacity(bytes.len() + 64);
        body.extend_from_slice(&number.to_le_bytes());
        body.extend_from_slice(&((ticks >> 32) as u32).to_le_bytes());
        body.extend_from_slice(&(ticks as u32).to_le_bytes());
        body.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        body.extend_from_slice(&meta.frame_len.to_le_bytes());
        body.extend_from_slice(bytes);
        pad(&mut body);
        let untimed = if meta.has_ts { "" } else { ", which bears no time: that of the frame before" };
        option(&mut body, COMMENT, format!("frame {} of {capture}{untimed}", meta.number).as_bytes());
        for comment in comments {
            option(&mut body, COMMENT, comment.as_bytes());
        }
        option(&mut body, 0, &[]);
        block(&mut self.out, ENHANCED_PACKET, &body)?;
        self.frames += 1;
        Ok(())
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Writes the frames of these numbers, in ascending order, of one capture; frames that the capture lacks are left out.
pub fn write_frames<W: Write>(path: &Path, capture: &str, frames: &[u64], writer: &mut Writer<W>) -> Result<(), OpenError> {
    let mut wanted = frames.iter().copied().peekable();
    let mut reader = CaptureReader::open(path)?;
    let mut chunk = Chunk::default();
    while wanted.peek().is_some() && reader.next_chunk(&mut chunk) {
        for meta in &chunk.frames {
            while wanted.next_if(|frame| *frame < meta.number).is_some() {}
            if wanted.next_if_eq(&meta.number).is_none() {
                continue;
            }
            let info = reader.so_far();
            // Comments are listed in order of their frames.
            let first = info.packet_comments.partition_point(|(frame, _)| *frame < meta.number);
            let comments = info.packet_comments.get(first..).unwrap_or_default().iter();
            let comments: Vec<&str> = comments.take_while(|(frame, _)| *frame == meta.number).map(|(_, text)| text.as_str()).collect();
            let interface = info.interfaces.get(meta.interface as usize);
            writer.frame(capture, meta, chunk.bytes(meta), interface, &comments)?;
        }
    }
    Ok(())
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    // A text is cut between characters.
    let mut length = value.len().min(MAX_TEXT);
    while length < value.len() && value.get(length).is_some_and(|byte| byte & 0xc0 == 0x80) {
        length -= 1;
    }
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&(length as u16).to_le_bytes());
    body.extend_from_slice(value.get(..length).unwrap_or_default());
    pad(body);
}

fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length)?;
    out.write_all(body)?;
    out.write_all(&length)
}
