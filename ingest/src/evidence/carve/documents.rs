//! Documents and databases.

use memchr::memmem;

use super::{Extent, be, index, le};

/// PDF (ISO 32000): up to the last `%%EOF` before the next header.
pub fn pdf(bytes: &[u8]) -> Option<Extent> {
    if !bytes.get(5)?.is_ascii_digit() || *bytes.get(6)? != b'.' {
        return None;
    }
    let body = bytes.get(5..)?;
    let next = memmem::find(body, b"%PDF-").map_or(bytes.len(), |at| at + 5);
    let body = bytes.get(..next)?;
    let Some(at) = memmem::rfind(body, b"%%EOF") else { return Some(Extent::open(next)) };
    let mut end = at + 5;
    // The end of the line belongs to it.
    end += usize::from(body.get(end) == Some(&b'\r'));
    end += usize::from(body.get(end) == Some(&b'\n'));
    Some(Extent { length: end, complete: true })
}

/// RTF: up to the brace that closes the first.
pub fn rtf(bytes: &[u8]) -> Option<Extent> {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr3(b'{', b'}', b'\\', rest)) {
        at += next;
        match bytes.get(at) {
            Some(b'{') => depth += 1,
            Some(b'}') => depth = depth.saturating_sub(1),
            // Whatever follows a backslash closes nothing.
            _ => at += 1,
        }
        at += 1;
        if depth == 0 {
            return (at > 6).then_some(Extent { length: at, complete: true });
        }
    }
    Some(Extent::open(bytes.len()))
}

/// Compound file ([MS-CFB]): up to the last sector that its allocation table has in use.
pub fn ole2(bytes: &[u8]) -> Option<Extent> {
    const FREE: u64 = 0xffff_ffff;
    const REGULAR: u64 = 0xffff_fffa;
    let shift = le(bytes, 30, 2).filter(|shift| matches!(shift, 9 | 12))? as u32;
    if le(bytes, 28, 2)? != 0xfffe {
        return None;
    }
    let size = 1_usize << shift;
    let place = |sector: u64| index(sector)?.checked_add(1)?.checked_mul(size);
    let mut tables: Vec<u64> = (0..109).filter_map(|at| le(bytes, 76 + at * 4, 4)).take_while(|sector| *sector < REGULAR).collect();
    let mut more = le(bytes, 68, 4)?;
    // The chain of further tables can be no longer than the bytes there are.
    for _ in 0..bytes.len() / size {
        let Some(start) = place(more).filter(|_| more < REGULAR) else { break };
        let entries = size / 4 - 1;
        tables.extend((0..entries).filter_map(|at| le(bytes, start + at * 4, 4)).filter(|sector| *sector < REGULAR));
        let Some(next) = le(bytes, start + entries * 4, 4) else { return Some(Extent::open(bytes.len())) };
        more = next;
    }
    let per_table = size / 4;
    let mut last = 0;
    for (number, table) in tables.iter().enumerate() {
        let Some(start) = place(*table) else { return Some(Extent::open(bytes.len())) };
        for at in 0..per_table {
            match le(bytes, start.checked_add(at * 4)?, 4) {
                None => return Some(Extent::open(bytes.len())),
                Some(FREE) => {}
                Some(_) => last = last.max(number * per_table + at),
            }
        }
    }
    Some(Extent::of((last as u64 + 2) << shift, bytes.len()))
}

/// SQLite: pages by their number, where the header says that the number is to be trusted.
pub fn sqlite(bytes: &[u8]) -> Option<Extent> {
    let page = match be(bytes, 16, 2)? {
        1 => 65_536,
        page if page.is_power_of_two() && page >= 512 => page,
        _ => return None,
    };
    let (changed, valid_for, pages) = (be(bytes, 24, 4)?, be(bytes, 92, 4)?, be(bytes, 28, 4)?);
    if pages == 0 || changed != valid_for {
        return Some(Extent::open(bytes.len()));
    }
    Some(Extent::of(page * pages, bytes.len()))
}
