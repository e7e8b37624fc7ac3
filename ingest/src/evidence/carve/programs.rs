//! Programs.

use super::{Extent, be, index, le};

/// Most entries of a table in a header that are believed.
const MAX_ENTRIES: u64 = 4096;

/// ELF: as far as its segments, sections and their tables reach.
pub fn elf(bytes: &[u8]) -> Option<Extent> {
    let is_64 = match bytes.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let read: fn(&[u8], usize, usize) -> Option<u64> = match bytes.get(5)? {
        1 => le,
        2 => be,
        _ => return None,
    };
    if *bytes.get(6)? != 1 || !matches!(read(bytes, 16, 2)?, 1..=4) {
        return None;
    }
    let word = if is_64 { 8 } else { 4 };
    let (segments, sections) = if is_64 { (read(bytes, 32, 8)?, read(bytes, 40, 8)?) } else { (read(bytes, 28, 4)?, read(bytes, 32, 4)?) };
    let counts = if is_64 { 54 } else { 42 };
    let field = |at: usize| read(bytes, counts + at * 2, 2);
    let (segment_size, segment_count, section_size, section_count) = (field(0)?, field(1)?, field(2)?, field(3)?);
    if segment_count > MAX_ENTRIES || section_count > MAX_ENTRIES {
        return None;
    }
    let mut end = segments.checked_add(segment_size * segment_count)?.max(sections.checked_add(section_size * section_count)?);
    let entry = |table: u64, size: u64, number: u64| index(table.checked_add(size * number)?).filter(|at| *at < bytes.len());
    for number in 0..segment_count {
        let Some(at) = entry(segments, segment_size, number) else { continue };
        let (offset, length) = if is_64 { (8, 32) } else { (4, 16) };
        if let Some((offset, length)) = read(bytes, at + offset, word).zip(read(bytes, at + length, word)) {
            end = end.max(offset.saturating_add(length));
        }
    }
    for number in 0..section_count {
        let Some(at) = entry(sections, section_size, number) else { continue };
        let (offset, length) = if is_64 { (24, 32) } else { (16, 20) };
        let kind = read(bytes, at + 4, 4);
        // Sections without bits, as .bss, take no room.
        if let (Some(kind), Some(offset), Some(length)) = (kind, read(bytes, at + offset, word), read(bytes, at + length, word))
            && kind != 8
        {
            end = end.max(offset.saturating_add(length));
        }
    }
    Some(Extent::of(end, bytes.len()))
}

/// PE: as far as its sections and its certificates reach.
pub fn pe(bytes: &[u8]) -> Option<Extent> {
    let at = index(le(bytes, 0x3c, 4)?).filter(|at| (0x40..0x10_0000).contains(at))?;
    if bytes.get(at..at + 4)? != b"PE\0\0" {
        return None;
    }
    let (sections, optional_size) = (le(bytes, at + 6, 2)?, index(le(bytes, at + 20, 2)?)?);
    let optional = at + 24;
    let directories = match le(bytes, optional, 2)? {
        0x10b => optional + 96,
        0x20b => optional + 112,
        _ => return None,
    };
    if !(1..=96).contains(&sections) {
        return None;
    }
    let headers = le(bytes, optional + 60, 4).unwrap_or_default();
    let certificates = le(bytes, directories + 32, 4).zip(le(bytes, directories + 36, 4)).filter(|_| directories + 40 <= optional + optional_size);
    let mut end = headers;
    if let Some((offset, length)) = certificates.filter(|(offset, _)| *offset > 0) {
        end = end.max(offset.saturating_add(length));
    }
    for number in 0..index(sections)? {
        let entry = optional + optional_size + number * 40;
        let (Some(length), Some(offset)) = (le(bytes, entry + 16, 4), le(bytes, entry + 20, 4)) else { return Some(Extent::open(bytes.len())) };
        if length > 0 {
            end = end.max(offset.saturating_add(length));
        }
    }
    Some(Extent::of(end, bytes.len()))
}

/// Mach-O: as far as its load commands say.
pub fn mach_o(bytes: &[u8]) -> Option<Extent> {
    let magic = be(bytes, 0, 4)?;
    let read: fn(&[u8], usize, usize) -> Option<u64> = if matches!(magic, 0xfeed_face | 0xfeed_facf) { be } else { le };
    let is_64 = matches!(magic, 0xfeed_facf | 0xcffa_edfe);
    let (kind, commands, commands_size) = (read(bytes, 12, 4)?, read(bytes, 16, 4)?, read(bytes, 20, 4)?);
    if !(1..=12).contains(&kind) || !(1..=MAX_ENTRIES).contains(&commands) {
        return None;
    }
    let mut at: usize = if is_64 { 32 } else { 28 };
    let mut end = at as u64 + commands_size;
    for _ in 0..commands {
        let (Some(command), Some(size)) = (read(bytes, at, 4), read(bytes, at + 4, 4)) else { return Some(Extent::open(bytes.len())) };
        if size < 8 {
            return None;
        }
        let field = |offset: usize, length: usize| read(bytes, at + offset, length).unwrap_or_default();
        let reach = match command {
            0x01 => field(32, 4).saturating_add(field(36, 4)),
            0x19 => field(40, 8).saturating_add(field(48, 8)),
            0x02 => (field(8, 4) + field(12, 4) * if is_64 { 16 } else { 12 }).max(field(16, 4) + field(20, 4)),
            0x1d => field(8, 4) + field(12, 4),
            _ => 0,
        };
        end = end.max(reach);
        at = at.checked_add(index(size)?)?;
    }
    Some(Extent::of(end, bytes.len()))
}

/// A universal binary: as far as the programs in it reach.
pub fn mach_o_fat(bytes: &[u8]) -> Option<Extent> {
    let count = be(bytes, 4, 4).filter(|count| (1..20).contains(count)).and_then(index)?;
    let mut end = 0;
    for number in 0..count {
        let entry = 8 + number * 20;
        end = end.max(be(bytes, entry + 8, 4)? + be(bytes, entry + 12, 4)?);
    }
    Some(Extent::of(end, bytes.len()))
}

/// Java class file (JVMS 4): constants, fields, methods and attributes, one after the other.
pub fn java_class(bytes: &[u8]) -> Option<Extent> {
    if !(45..=90).contains(&be(bytes, 6, 2)?) {
        return None;
    }
    let open = Some(Extent::open(bytes.len()));
    let constants = be(bytes, 8, 2)?;
    let mut at = 10;
    let mut number = 1;
    while number < constants {
        let Some(tag) = bytes.get(at) else { return open };
        at += match tag {
            1 => match be(bytes, at + 1, 2).and_then(index) {
                Some(length) => 3 + length,
                None => return open,
            },
            3 | 4 | 9..=12 | 17 | 18 => 5,
            // Two places in the pool each.
            5 | 6 => {
                number += 1;
                9
            }
            7 | 8 | 16 | 19 | 20 => 3,
            15 => 4,
            _ => return None,
        };
        number += 1;
    }
    at += 6;
    let Some(interfaces) = be(bytes, at, 2).and_then(index) else { return open };
    at += 2 + interfaces * 2;
    for _ in 0..2 {
        let Some(members) = be(bytes, at, 2) else { return open };
        at += 2;
        for _ in 0..members {
            at += 6;
            match attributes(bytes, at) {
                Some(end) => at = end,
                None => return open,
            }
        }
    }
    match attributes(bytes, at) {
        Some(end) if end <= bytes.len() => Some(Extent { length: end, complete: true }),
        _ => open,
    }
}

/// Where a list of attributes ends.
fn attributes(bytes: &[u8], mut at: usize) -> Option<usize> {
    let count = be(bytes, at, 2)?;
    at += 2;
    for _ in 0..count {
        at = at.checked_add(6)?.checked_add(index(be(bytes, at + 2, 4)?)?)?;
    }
    Some(at)
}
