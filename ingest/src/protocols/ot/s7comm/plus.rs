//! S7comm-plus: the outline that can be seen.
//!
//! ```text
//! 0x72  version:1  length:2  [digest length:1  digest]  opcode:1  reserved:2  function:2  reserved:2  sequence:2 ...  0x72  version:1  0:2
//! ```
//! A PDU in several pieces has its trailer behind the last one only.

use pcapper_schema::tables::S7comm;

use super::names;
use crate::wire::Reader;

/// What of a piece can be told.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    version: u8,
    length: u16,
    body: Option<Body>,
    /// The PDU goes on in the next piece.
    pub is_open: bool,
}

#[derive(Clone, Copy, Debug)]
struct Body {
    opcode: u8,
    function: Option<u16>,
    sequence: Option<u16>,
    session: Option<u32>,
}

/// Reads a piece; `continues` an open PDU.
pub fn read(bytes: &[u8], continues: bool) -> Option<Piece> {
    let mut reader = Reader::new(bytes);
    reader.skip(1).ok()?;
    let (version, length) = (reader.u8().ok()?, reader.be_u16().ok()?);
    let rest = reader.rest();
    let is_open = version < 0xfe && length > 0 && rest.get(usize::from(length)..).is_none_or(|trailer| !trailer.starts_with(&[super::pdu::PLUS]));
    let data = rest.get(..usize::from(length)).unwrap_or(rest);
    let body = if continues || version >= 0xfe { None } else { body(version, data) };
    Some(Piece { version, length, body, is_open })
}

fn body(version: u8, data: &[u8]) -> Option<Body> {
    let mut reader = Reader::new(data);
    // Version 3 puts a digest of 32 octets first.
    if version == 3 && data.first() == Some(&0x20) {
        reader.skip(33).ok()?;
    }
    let opcode = reader.u8().ok().filter(|opcode| matches!(opcode, 0x31..=0x33 | 0x02))?;
    let mut body = Body { opcode, function: None, sequence: None, session: None };
    if matches!(opcode, 0x31 | 0x32) {
        reader.skip(2).ok()?;
        body.function = reader.be_u16().ok();
        reader.skip(2).ok()?;
        body.sequence = reader.be_u16().ok();
        body.session = reader.be_u32().ok().filter(|_| opcode == 0x31);
    }
    Some(body)
}

impl Piece {
    /// The row, without what it shares with classic PDUs.
    pub fn row(&self) -> S7comm<'static> {
        let opcode = self.body.map(|body| body.opcode);
        let function = self.body.and_then(|body| body.function);
        S7comm {
            protocol: Some("s7comm_plus"),
            plus_version: Some(self.version),
            plus_length: Some(self.length),
            plus_opcode: opcode,
            plus_opcode_name: opcode.and_then(|opcode| match opcode {
                0x31 => Some("request"),
                0x32 | 0x02 => Some("response"),
                0x33 => Some("notification"),
                _ => None,
            }),
            plus_function: function,
            plus_function_name: function.and_then(names::plus_function),
            plus_sequence: self.body.and_then(|body| body.sequence),
            plus_session_id: self.body.and_then(|body| body.session),
            encrypted: Some(false),
            ..S7comm::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_their_continuation() {
        let request = [0x72, 1, 0, 14, 0x31, 0, 0, 4, 0xca, 0, 0, 0, 1, 0, 0, 1, 0x20, 0x36, 0x72, 1, 0, 0];
        let piece = read(&request, false).unwrap();
        let row = piece.row();
        assert!(!piece.is_open);
        assert_eq!((row.plus_opcode_name, row.plus_function_name, row.plus_sequence), (Some("request"), Some("create_object"), Some(1)));
        assert_eq!(row.plus_session_id, Some(0x0000_0120));
        let open = read(&request[..18], false).unwrap();
        assert!(open.is_open);
        assert_eq!(read(&request, true).unwrap().row().plus_opcode, None);
    }
}
