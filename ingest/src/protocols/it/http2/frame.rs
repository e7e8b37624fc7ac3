//! Frames (RFC 9113, 4 and 6) and their rows.

use std::borrow::Cow;

use pcapper_schema::tables::Http2Frames;

use crate::protocols::Cx;
use crate::wire::{Reader, Wire};

/// Frame types (RFC 9113, 6).
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// On DATA and HEADERS; on SETTINGS and PING the same bit is ACK.
pub const END_STREAM: u8 = 1;
const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
pub const PRIORITY: u8 = 0x20;

/// A frame's first nine octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub length: usize,
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
}

impl Header {
    /// Reads a header; any nine octets are one.
    pub fn parse(bytes: &[u8; 9]) -> Self {
        let [a, b, c, kind, flags, rest @ ..] = *bytes;
        Self {
            length: usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX),
            kind,
            flags,
            stream: u32::from_be_bytes(rest) & 0x7fff_ffff,
        }
    }

    /// Type, length, flags and stream go together as the standard wants.
    pub fn is_plausible(self) -> bool {
        let (kind, connection) = (self.kind, self.stream == 0);
        match kind {
            kind::DATA => !connection && self.length <= 1 << 14 && self.flags & !(END_STREAM | PADDED) == 0,
            kind::HEADERS => !connection && self.length <= 1 << 14 && self.flags & !(END_STREAM | END_HEADERS | PADDED | PRIORITY) == 0,
            kind::PRIORITY => !connection && self.length == 5,
            kind::RST_STREAM => !connection && self.length == 4 && self.flags == 0,
            kind::SETTINGS => connection && self.length <= 96 && self.length.is_multiple_of(6) && self.flags <= ACK,
            kind::PING => connection && self.length == 8 && self.flags <= ACK,
            kind::GOAWAY => connection && (8..1024).contains(&self.length) && self.flags == 0,
            kind::WINDOW_UPDATE => self.length == 4 && self.flags == 0,
            _ => false,
        }
    }
}

/// Name of a type; those of extensions by RFC 7838 and RFC 8336.
fn type_name(kind: u8) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        kind::DATA => "DATA",
        kind::HEADERS => "HEADERS",
        kind::PRIORITY => "PRIORITY",
        kind::RST_STREAM => "RST_STREAM",
        kind::SETTINGS => "SETTINGS",
        kind::PUSH_PROMISE => "PUSH_PROMISE",
        kind::PING => "PING",
        kind::GOAWAY => "GOAWAY",
        kind::WINDOW_UPDATE => "WINDOW_UPDATE",
        kind::CONTINUATION => "CONTINUATION",
        10 => "ALTSVC",
        12 => "ORIGIN",
        other => return Cow::Owned(format!("TYPE-{other}")),
    })
}

/// Error codes (RFC 9113, 7).
fn error_name(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "NO_ERROR",
        1 => "PROTOCOL_ERROR",
        2 => "INTERNAL_ERROR",
        3 => "FLOW_CONTROL_ERROR",
        4 => "SETTINGS_TIMEOUT",
        5 => "STREAM_CLOSED",
        6 => "FRAME_SIZE_ERROR",
        7 => "REFUSED_STREAM",
        8 => "CANCEL",
        9 => "COMPRESSION_ERROR",
        10 => "CONNECT_ERROR",
        11 => "ENHANCE_YOUR_CALM",
        12 => "INADEQUATE_SECURITY",
        13 => "HTTP_1_1_REQUIRED",
        _ => return None,
    })
}

fn write(cx: &mut Cx<'_>, header: Header, row: Http2Frames<'_>) {
    let name = type_name(header.kind);
    cx.emit(Http2Frames {
        r#type: Some(header.kind),
        type_name: Some(&name),
        stream_id: Some(header.stream),
        length: u32::try_from(header.length).ok(),
        flags: Some(header.flags),
        end_stream: matches!(header.kind, kind::DATA | kind::HEADERS).then_some(header.flags & END_STREAM != 0),
        ack: matches!(header.kind, kind::SETTINGS | kind::PING).then_some(header.flags & ACK != 0),
        ..row
    });
}

/// Writes the row of a frame whose content passed through.
pub fn emit_header(cx: &mut Cx<'_>, header: Header) {
    write(cx, header, Http2Frames::default());
}

/// Writes the row of a frame; one too short for its kind is written with what its header says.
pub fn emit(cx: &mut Cx<'_>, header: Header, payload: &[u8]) -> Wire<()> {
    let read = fields(cx, header, payload);
    if read.is_err() {
        emit_header(cx, header);
    }
    read
}

fn fields(cx: &mut Cx<'_>, header: Header, payload: &[u8]) -> Wire<()> {
    let mut reader = Reader::new(payload);
    match header.kind {
        kind::SETTINGS => {
            let mut settings: Vec<Cow<'_, str>> = Vec::new();
            while !reader.is_empty() {
                let (id, value) = (reader.be_u16()?, reader.be_u32()?);
                settings.push(Cow::Owned(format!("{id}={value}")));
            }
            write(cx, header, Http2Frames { settings: (!settings.is_empty()).then_some(settings.as_slice()), ..Http2Frames::default() });
        }
        kind::RST_STREAM => {
            let code = reader.be_u32()?;
            write(cx, header, Http2Frames { error_code: Some(code), error: error_name(code), ..Http2Frames::default() });
        }
        kind::GOAWAY => {
            let last = reader.be_u32()? & 0x7fff_ffff;
            let code = reader.be_u32()?;
            let debug = String::from_utf8_lossy(reader.rest());
            let row = Http2Frames {
                error_code: Some(code),
                error: error_name(code),
                last_stream_id: Some(last),
                debug_data: (!debug.is_empty()).then_some(&debug),
                ..Http2Frames::default()
            };
            write(cx, header, row);
        }
        kind::WINDOW_UPDATE => {
            let increment = reader.be_u32()? & 0x7fff_ffff;
            write(cx, header, Http2Frames { window_increment: Some(increment), ..Http2Frames::default() });
        }
        _ => emit_header(cx, header),
    }
    Ok(())
}
