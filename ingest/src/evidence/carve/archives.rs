//! Archives and what is built on them.

use std::io::{self, Read};

use memchr::memmem;

use super::{Extent, be, index, le};

/// Most bytes that a compressed file is unpacked to while its end is sought.
const MAX_UNPACKED: u64 = 256 << 20;

/// ZIP (APPNOTE): up to the end-of-central-directory record whose directory lies right before it.
pub fn zip(bytes: &[u8]) -> Option<Extent> {
    let (version, method, name) = (le(bytes, 4, 2)?, le(bytes, 8, 2)?, le(bytes, 26, 2)?);
    if version & 0xff > 63 || method > 99 || !(1..=1024).contains(&name) {
        return None;
    }
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| memmem::find(rest, b"PK\x05\x06")).map(|at| from + at) {
        let directory = le(bytes, at + 12, 4).zip(le(bytes, at + 16, 4)).zip(le(bytes, at + 20, 2));
        let Some(((size, offset), comment)) = directory else { break };
        // With ZIP64 (all ones, or two records more in front of this one) the directory lies somewhat before it.
        let end = size.saturating_add(offset);
        let is_zip64 = (offset == 0xffff_ffff || end + 76 == at as u64)
            && bytes.get(at.saturating_sub(20)..at).is_some_and(|locator| locator.starts_with(b"PK\x06\x07"));
        if end == at as u64 || is_zip64 {
            return Some(Extent::of(at as u64 + 22 + comment, bytes.len()));
        }
        from = at + 4;
    }
    Some(Extent::open(bytes.len()))
}

/// An Office document: a ZIP that names its parts so.
fn office(bytes: &[u8], part: &[u8]) -> Option<Extent> {
    let names = le(bytes, 26, 2).and_then(index)?;
    let first = bytes.get(30..30_usize.checked_add(names)?)?;
    if first != b"[Content_Types].xml" && first != b"_rels/.rels" && !first.starts_with(part) && first != b"docProps/app.xml" {
        return None;
    }
    let extent = zip(bytes)?;
    let mut from = 0;
    let whole = bytes.get(..extent.length)?;
    while let Some(at) = whole.get(from..).and_then(|rest| memmem::find(rest, b"PK\x03\x04")).map(|at| from + at) {
        if whole.get(at + 30..).is_some_and(|name| name.starts_with(part)) {
            return Some(extent);
        }
        from = at + 4;
    }
    None
}

pub fn docx(bytes: &[u8]) -> Option<Extent> {
    office(bytes, b"word/")
}

pub fn xlsx(bytes: &[u8]) -> Option<Extent> {
    office(bytes, b"xl/")
}

pub fn pptx(bytes: &[u8]) -> Option<Extent> {
    office(bytes, b"ppt/")
}

/// GZIP (RFC 1952): unpacked to its trailer, whose checksum must hold.
pub fn gzip(bytes: &[u8]) -> Option<Extent> {
    if bytes.get(3)? & 0xe0 != 0 {
        return None;
    }
    let mut decoder = flate2::bufread::GzDecoder::new(bytes);
    let mut unpacked = 0;
    let mut room = [0; 16 << 10];
    loop {
        match decoder.read(&mut room) {
            Ok(0) => break,
            Ok(count) => unpacked += count as u64,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && unpacked > 0 => return Some(Extent::open(bytes.len())),
            Err(_) => return None,
        }
        if unpacked > MAX_UNPACKED {
            return Some(Extent::open(bytes.len()));
        }
    }
    Some(Extent { length: bytes.len() - decoder.into_inner().len(), complete: true })
}

/// RAR 1.5 to 4: blocks up to the archive's end block.
pub fn rar4(bytes: &[u8]) -> Option<Extent> {
    let mut at = 7;
    loop {
        let header = le(bytes, at + 2, 1).zip(le(bytes, at + 3, 2)).zip(le(bytes, at + 5, 2));
        let Some(((kind, flags), size)) = header else { return (at > 7).then(|| Extent::open(bytes.len())) };
        if !(0x72..=0x7b).contains(&kind) || size < 7 || (at == 7 && kind != 0x73) {
            return (at > 20).then_some(Extent { length: at, complete: false });
        }
        let data = if flags & 0x8000 != 0 || kind == 0x74 { le(bytes, at + 7, 4).unwrap_or(0) } else { 0 };
        match index(size + data).and_then(|step| at.checked_add(step)).filter(|end| *end <= bytes.len()) {
            Some(end) => at = end,
            None => return Some(Extent::open(bytes.len())),
        }
        if kind == 0x7b {
            return Some(Extent { length: at, complete: true });
        }
    }
}

/// RAR 5: blocks up to the archive's end block.
pub fn rar5(bytes: &[u8]) -> Option<Extent> {
    let mut at = 8;
    loop {
        let open = || (at > 8).then(|| Extent::open(bytes.len()));
        let mut cursor = at + 4;
        let Some(size) = variable(bytes, &mut cursor) else { return open() };
        let end_of_header = index(size).and_then(|size| cursor.checked_add(size));
        let (Some(end), Some(kind), Some(flags)) = (end_of_header, variable(bytes, &mut cursor), variable(bytes, &mut cursor)) else { return open() };
        if !(1..=5).contains(&kind) || size > 2 << 20 {
            return (at > 8).then_some(Extent { length: at, complete: false });
        }
        if flags & 1 != 0 && variable(bytes, &mut cursor).is_none() {
            return open();
        }
        let data = if flags & 2 != 0 { variable(bytes, &mut cursor) } else { Some(0) };
        match data.and_then(index).and_then(|data| end.checked_add(data)).filter(|end| *end <= bytes.len()) {
            Some(next) => at = next,
            None => return Some(Extent::open(bytes.len())),
        }
        if kind == 5 {
            return Some(Extent { length: at, complete: true });
        }
    }
}

/// RAR 5's number: seven bits an octet, lowest first.
fn variable(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let octet = *bytes.get(*at)?;
        *at += 1;
        number |= u64::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// 7z: the start header, whose checksum must hold, says where the end header is.
pub fn seven_zip(bytes: &[u8]) -> Option<Extent> {
    let mut crc = flate2::Crc::new();
    crc.update(bytes.get(12..32)?);
    if u64::from(crc.sum()) != le(bytes, 8, 4)? {
        return None;
    }
    let end = le(bytes, 12, 8)?.checked_add(le(bytes, 20, 8)?)?.checked_add(32)?;
    Some(Extent::of(end, bytes.len()))
}

/// Cabinet ([MS-CAB]): its length stands in the header.
pub fn cab(bytes: &[u8]) -> Option<Extent> {
    let (length, version) = (le(bytes, 8, 4)?, be(bytes, 24, 2)?);
    (version == 0x0301 && length >= 36).then(|| Extent::of(length, bytes.len()))
}
