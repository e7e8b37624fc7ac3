//! The Huffman code of HPACK (RFC 7541, 5.2 and appendix B), also of QPACK.

use std::sync::OnceLock;

use crate::wire::{Malformed, Wire};

/// Length in bits of each octet's code; the last is that of the end of string. The code is canonical: codes of one length
/// run in the order of the octets.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// Longest code.
const LONGEST: usize = 30;

/// Of each length: its first code, how many there are, and where their octets start in `symbols`.
struct Code {
    rows: [(u32, u32, usize); LONGEST + 1],
    symbols: Vec<u16>,
}

fn code() -> &'static Code {
    static CODE: OnceLock<Code> = OnceLock::new();
    CODE.get_or_init(|| {
        let mut code = Code { rows: [(0, 0, 0); LONGEST + 1], symbols: Vec::with_capacity(LENGTHS.len()) };
        let mut next = 0_u32;
        for (length, row) in code.rows.iter_mut().enumerate().skip(1) {
            next <<= 1;
            let start = code.symbols.len();
            code.symbols.extend((0_u16..).zip(LENGTHS).filter(|(_, of)| usize::from(*of) == length).map(|(symbol, _)| symbol));
            let count = u32::try_from(code.symbols.len() - start).unwrap_or(0);
            *row = (next, count, start);
            next += count;
        }
        code
    })
}

/// Decodes a whole string and appends it to `out`.
pub fn decode(bytes: &[u8], out: &mut Vec<u8>) -> Wire<()> {
    let table = code();
    let (mut code, mut length, mut ones) = (0_u32, 0_usize, true);
    for byte in bytes {
        for shift in (0..8).rev() {
            let bit = u32::from(byte >> shift) & 1;
            code = code << 1 | bit;
            length += 1;
            ones &= bit == 1;
            let (first, count, start) = *table.rows.get(length).ok_or(Malformed)?;
            let Some(offset) = code.checked_sub(first).filter(|offset| *offset < count) else { continue };
            let symbol = table.symbols.get(start + offset as usize).ok_or(Malformed)?;
            // The end of string must not stand in a string.
            out.push(u8::try_from(*symbol).map_err(|_| Malformed)?);
            (code, length, ones) = (0, 0, true);
        }
    }
    // What fills the last octet is the start of the end of string: ones, fewer than eight.
    if length < 8 && ones { Ok(()) } else { Err(Malformed) }
}
