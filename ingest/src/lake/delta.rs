//! Numbers as differences: the DELTA_BINARY_PACKED encoding (5) of the Parquet format.
//!
//! ```text
//! values a block: varint  miniblocks a block: varint  values: varint  first value: zigzag varint
//! each block: least difference: zigzag varint  bits a difference of each miniblock: octet each  packed differences above the least
//! ```
//! Differences wrap within the column's width, as the format asks.

use super::chunks::varint;

/// Values of a block, and of each of its four miniblocks.
const BLOCK: usize = 128;
const MINIBLOCKS: usize = 4;
const MINIBLOCK: usize = BLOCK / MINIBLOCKS;

/// Encodes `values`; `is_wide` for columns of 64 bits, else of 32.
pub fn encode(out: &mut Vec<u8>, values: &[i64], is_wide: bool) {
    varint(out, BLOCK as u64);
    varint(out, MINIBLOCKS as u64);
    varint(out, values.len() as u64);
    let Some((first, rest)) = values.split_first() else { return varint(out, 0) };
    zigzag(out, *first);
    let mut before = *first;
    let mut differences = [0_i64; BLOCK];
    for block in rest.chunks(BLOCK) {
        let mut least = i64::MAX;
        for (difference, value) in differences.iter_mut().zip(block) {
            *difference = if is_wide { value.wrapping_sub(before) } else { i64::from((*value as i32).wrapping_sub(before as i32)) };
            least = least.min(*difference);
            before = *value;
        }
        zigzag(out, least);
        let differences = differences.get_mut(..block.len()).unwrap_or_default();
        let mut widths = [0_u8; MINIBLOCKS];
        for (miniblock, width) in differences.chunks_mut(MINIBLOCK).zip(&mut widths) {
            let mut bits = 0;
            for difference in miniblock {
                let above = if is_wide { difference.wrapping_sub(least) } else { i64::from((*difference as i32).wrapping_sub(least as i32) as u32) };
                bits |= above;
                *difference = above;
            }
            *width = (i64::BITS - bits.leading_zeros()) as u8;
        }
        out.extend_from_slice(&widths);
        for (miniblock, width) in differences.chunks(MINIBLOCK).zip(widths) {
            pack(out, miniblock, width);
        }
    }
}

/// Encodes `count` times the same value.
pub fn constant(out: &mut Vec<u8>, value: i64, count: usize) {
    varint(out, BLOCK as u64);
    varint(out, MINIBLOCKS as u64);
    varint(out, count as u64);
    zigzag(out, value);
    for _ in 0..count.saturating_sub(1).div_ceil(BLOCK) {
        out.extend_from_slice(&[0; 1 + MINIBLOCKS]);
    }
}

/// A miniblock, filled with zeros to its full number of values.
fn pack(out: &mut Vec<u8>, values: &[i64], width: u8) {
    let end = out.len() + MINIBLOCK * usize::from(width) / 8;
    let (mut bits, mut held) = (0_u128, 0_u32);
    for value in values {
        bits |= u128::from(value.cast_unsigned()) << held;
        held += u32::from(width);
        if held >= 64 {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            held -= 64;
        }
    }
    out.extend_from_slice(&(bits as u64).to_le_bytes());
    out.resize(end, 0);
}

/// A signed number, small ones of either sign short.
fn zigzag(out: &mut Vec<u8>, number: i64) {
    varint(out, (number << 1 ^ number >> 63).cast_unsigned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_own_examples() {
        let mut out = Vec::new();
        encode(&mut out, &[1, 2, 3, 4, 5], true);
        // Difference 1 throughout: no bits are needed.
        assert_eq!(out, [128, 1, 4, 5, 2, 2, 0, 0, 0, 0]);
        out.clear();
        constant(&mut out, -1, 3);
        assert_eq!(out, [128, 1, 4, 3, 1, 0, 0, 0, 0, 0]);
        let mut same = Vec::new();
        encode(&mut same, &[-1; 3], true);
        assert_eq!(out, same);
        out.clear();
        encode(&mut out, &[7, 5, 3, 1, 2, 3, 4, 5], true);
        // Least difference -2, above it 0 0 0 3 3 3 3 in two bits each.
        assert_eq!(out.get(..10), Some(&[128, 1, 4, 8, 14, 3, 2, 0, 0, 0][..]));
        assert_eq!(out.get(10..), Some(&[0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0][..]));
    }
}
