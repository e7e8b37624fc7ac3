//! Link frames (IEEE 1815-2012 clause 9).
//!
//! ```text
//! 0x05 0x64  length:1 (5 and the user data)  control:1  destination:2  source:2  CRC:2  then blocks of 16 octets and a CRC
//! ```

use crate::wire::Reader;

/// Octets of a frame without user data.
pub const HEADER: usize = 10;
const BLOCK: usize = 16;
/// What every frame starts with.
const SYNC: [u8; 2] = [5, 0x64];

/// A frame's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub length: u8,
    pub control: u8,
    pub destination: u16,
    pub source: u16,
    pub crc_ok: bool,
}

impl Header {
    /// Octets of the whole frame.
    pub fn total(&self) -> usize {
        let data = usize::from(self.length).saturating_sub(5);
        HEADER + data + 2 * data.div_ceil(BLOCK)
    }

    /// The sender is a master (bit DIR).
    pub fn is_from_master(&self) -> bool {
        self.control & 0x80 != 0
    }

    /// The sender is the primary station of the exchange (bit PRM).
    pub fn is_primary(&self) -> bool {
        self.control & 0x40 != 0
    }

    pub fn function_code(&self) -> u8 {
        self.control & 0x0f
    }

    /// Carries user data: confirmed or not.
    pub fn has_user_data(&self) -> bool {
        self.is_primary() && matches!(self.function_code(), 3 | 4) && self.length > 5
    }

    pub fn is_broadcast(&self) -> bool {
        self.destination >= 0xfffd
    }

    /// Name of the link function (table 9-1).
    pub fn function(&self) -> Option<&'static str> {
        Some(match (self.is_primary(), self.function_code()) {
            (true, 0) => "reset_link",
            (true, 1) => "reset_user_process",
            (true, 2) => "test_link",
            (true, 3) => "confirmed_user_data",
            (true, 4) => "unconfirmed_user_data",
            (true, 9) => "request_link_status",
            (false, 0) => "ack",
            (false, 1) => "nack",
            (false, 11) => "link_status",
            (false, 15) => "not_supported",
            _ => return None,
        })
    }
}

/// What stands at the start of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A header; the frame may reach beyond the bytes.
    Frame(Header),
    /// Perhaps part of one.
    Part,
    Nothing,
}

/// Looks for a frame.
pub fn find(bytes: &[u8]) -> Found {
    let is_sync = bytes.iter().zip(SYNC).all(|(octet, sync)| *octet == sync);
    if !is_sync || bytes.get(2).is_some_and(|length| *length < 5) {
        return Found::Nothing;
    }
    let Some(header) = bytes.get(..HEADER) else { return Found::Part };
    let read = || {
        let mut reader = Reader::new(header);
        reader.skip(2)?;
        Ok::<_, crate::wire::Malformed>(Header {
            length: reader.u8()?,
            control: reader.u8()?,
            destination: reader.le_u16()?,
            source: reader.le_u16()?,
            crc_ok: parts(header).is_some(),
        })
    };
    read().map_or(Found::Part, Found::Frame)
}

/// Where the next frame with a right header CRC starts.
pub fn resync(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len()).find(|at| matches!(find(bytes.get(*at..).unwrap_or_default()), Found::Frame(header) if header.crc_ok))
}

/// Takes the user data out of a frame's blocks; false where a CRC is wrong or the frame is cut.
pub fn user_data(frame: &[u8], into: &mut Vec<u8>) -> bool {
    let blocks = frame.get(HEADER..).unwrap_or_default();
    let mut right = true;
    for block in blocks.chunks(BLOCK + 2) {
        match parts(block) {
            Some(data) => into.extend_from_slice(data),
            None => right = false,
        }
    }
    right
}

/// The octets that a right CRC closes.
fn parts(block: &[u8]) -> Option<&[u8]> {
    let (data, sum) = block.split_last_chunk::<2>()?;
    (crc(data) == u16::from_le_bytes(*sum)).then_some(data)
}

/// CRC-16 of DNP3 (clause 9.2.4.3): reflected polynomial 0xA6BC, started with zeros, complemented.
pub fn crc(octets: &[u8]) -> u16 {
    let sum = octets.iter().fold(0_u16, |crc, octet| {
        let index = usize::from((crc ^ u16::from(*octet)) & 0xff);
        crc >> 8 ^ TABLE.get(index).copied().unwrap_or_default()
    });
    !sum
}

static TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        #[allow(clippy::cast_possible_truncation)]
        let mut crc = index as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xa6bc };
            bit += 1;
        }
        #[allow(clippy::indexing_slicing)]
        {
            table[index] = crc;
        }
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Request of the link status.
    const STATUS: [u8; 8] = [0x05, 0x64, 0x05, 0xc9, 0x01, 0x00, 0x00, 0x04];

    fn sealed(octets: &[u8]) -> Vec<u8> {
        [octets, &crc(octets).to_le_bytes()].concat()
    }

    #[test]
    fn crc_check_value() {
        // The value that catalogues of CRCs give for CRC-16/DNP.
        assert_eq!(crc(b"123456789"), 0xea82);
        let frame = sealed(&STATUS);
        let Found::Frame(header) = find(&frame) else { panic!() };
        assert!(header.crc_ok && header.is_from_master() && header.is_primary());
        assert_eq!((header.source, header.destination, header.function(), header.total()), (1024, 1, Some("request_link_status"), 10));
    }

    #[test]
    fn blocks_are_joined() {
        let data: Vec<u8> = (0..20).collect();
        let frame = [sealed(&[5, 0x64, 25, 0xc4, 1, 0, 2, 0]), sealed(&data[..16]), sealed(&data[16..])].concat();
        let Found::Frame(header) = find(&frame) else { panic!() };
        assert_eq!(header.total(), frame.len());
        let mut joined = Vec::new();
        assert!(user_data(&frame, &mut joined));
        assert_eq!(joined, data);
        let mut bad = frame.clone();
        bad[12] ^= 1;
        assert!(!user_data(&bad, &mut Vec::new()));
        assert_eq!(resync(&[&[5, 9], &frame[..]].concat()), Some(2));
    }
}
