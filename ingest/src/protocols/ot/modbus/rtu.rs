//! Modbus RTU frames, where gateways carry them as they are (Modbus over Serial Line V1.02, section 2.5.1).
//!
//! ```text
//! unit:1  PDU  CRC-16:2 (low octet first)
//! ```
//! Nothing in the frame says how long it is: the function's shape does, and the CRC proves it.

use super::pdu;

/// Highest unit address on a serial line (section 2.2).
const MAX_UNIT: u8 = 247;
/// Longest frame.
pub const MAX_LEN: usize = 256;

/// CRC-16, polynomial 0xA001 reflected, started with ones (section 6.2.2).
pub fn crc(octets: &[u8]) -> u16 {
    octets
        .iter()
        .fold(0xffff, |crc, octet| (0..8).fold(crc ^ u16::from(*octet), |crc: u16, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xa001 }))
}

/// Unit and PDU of a whole frame whose CRC holds.
pub fn parts(frame: &[u8]) -> Option<(u8, &[u8])> {
    let (covered, sum) = frame.split_last_chunk::<2>()?;
    let (unit, pdu) = covered.split_first()?;
    (!pdu.is_empty() && crc(covered) == u16::from_le_bytes(*sum)).then_some((*unit, pdu))
}

/// What stands at the start of a direction's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A sound frame of this many octets.
    Frame(usize),
    /// The octets are all that the function's shape wants, but the CRC is wrong.
    BadCrc,
    /// Not yet a whole frame.
    Part,
    /// No frame starts here.
    Nothing,
}

/// Looks for a frame; `is_answer` where the sender's role is known.
pub fn find(bytes: &[u8], is_answer: Option<bool>) -> Found {
    let Some((_, pdu)) = bytes.split_first() else {
        return Found::Part;
    };
    let mut is_whole = false;
    for role in [false, true] {
        if is_answer.is_some_and(|is_answer| is_answer != role) {
            continue;
        }
        let Ok(total) = pdu::length(pdu, role).map(|length| length.saturating_add(3)) else {
            continue;
        };
        is_whole |= total == bytes.len();
        if bytes.get(..total).and_then(parts).is_some() {
            return Found::Frame(total);
        }
    }
    // A function whose length only its vendor knows: the segment is the frame.
    if bytes.len() <= MAX_LEN && parts(bytes).is_some() {
        return Found::Frame(bytes.len());
    }
    match bytes.len() {
        MAX_LEN.. => Found::Nothing,
        _ if is_whole && is_answer.is_some() => Found::BadCrc,
        _ => Found::Part,
    }
}

/// Sound frames of described functions at the start of `bytes`, and whether what is left could be the start of another.
pub fn evidence(bytes: &[u8]) -> (usize, bool) {
    let (mut rest, mut frames) = (bytes, 0);
    loop {
        match rest {
            [] => return (frames, true),
            [unit] => return (frames, *unit <= MAX_UNIT),
            [unit, code, ..] if *unit > MAX_UNIT || !pdu::is_known(code & !pdu::EXCEPTION) => return (frames, false),
            _ => {}
        }
        match find(rest, None) {
            Found::Frame(total) => {
                let sound = rest.get(..total).and_then(parts).is_some_and(|(_, pdu)| pdu::is_request(pdu) || pdu::is_answer(pdu));
                if !sound {
                    return (frames, false);
                }
                frames += 1;
                rest = rest.get(total..).unwrap_or_default();
            }
            Found::Part => return (frames, true),
            Found::BadCrc | Found::Nothing => return (frames, false),
        }
    }
}
