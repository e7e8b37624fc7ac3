//! Pictures, sound and film.

use super::{Extent, be, index, le};

/// PNG (RFC 2083): chunks with checksums, up to IEND.
pub fn png(bytes: &[u8]) -> Option<Extent> {
    let mut at = 8;
    loop {
        let length = be(bytes, at, 4).and_then(index);
        let chunk = length.and_then(|length| bytes.get(at + 4..at.checked_add(length)?.checked_add(8)?));
        let checksum = length.and_then(|length| be(bytes, at.checked_add(length)?.checked_add(8)?, 4));
        let kind = bytes.get(at + 4..at + 8);
        if at == 8 && (length? != 13 || kind? != b"IHDR" || chunk.is_none()) {
            return None;
        }
        let (Some(length), Some(chunk), Some(checksum)) = (length, chunk, checksum) else { return Some(Extent::open(bytes.len())) };
        let mut crc = flate2::Crc::new();
        crc.update(chunk);
        if u64::from(crc.sum()) != checksum {
            return (at > 8).then_some(Extent { length: at, complete: false });
        }
        at += length + 12;
        if kind == Some(b"IEND") {
            return Some(Extent { length: at, complete: true });
        }
    }
}

/// JPEG (ITU-T T.81, B): marker segments and coded data, up to EOI.
pub fn jpeg(bytes: &[u8]) -> Option<Extent> {
    let mut at = 2;
    let mut scans = 0;
    loop {
        let (Some(0xff), Some(marker)) = (bytes.get(at).copied(), bytes.get(at + 1).copied()) else {
            return (at >= bytes.len() && at > 64).then(|| Extent::open(bytes.len()));
        };
        match marker {
            0xff => at += 1,
            0x01 | 0xd0..=0xd7 => at += 2,
            0xd9 => return (scans > 0).then_some(Extent { length: at + 2, complete: true }),
            0xc0..=0xc8 | 0xca..=0xcf | 0xda..=0xfe => {
                let Some(length) = be(bytes, at + 2, 2).and_then(index) else { return (scans > 0).then(|| Extent::open(bytes.len())) };
                if length < 2 {
                    return None;
                }
                at += 2 + length;
                if marker != 0xda {
                    continue;
                }
                scans += 1;
                // In coded data an FF is followed by 00 or a restart marker.
                loop {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let Some(next) = memchr::memchr(0xff, rest) else { return Some(Extent::open(bytes.len())) };
                    match rest.get(next + 1) {
                        None => return Some(Extent::open(bytes.len())),
                        Some(0x00 | 0xd0..=0xd7) => at += next + 2,
                        Some(_) => {
                            at += next;
                            break;
                        }
                    }
                }
            }
            _ => return None,
        }
    }
}

/// GIF (87a, 89a): blocks up to the trailer.
pub fn gif(bytes: &[u8]) -> Option<Extent> {
    let table = |flags: u8| if flags & 0x80 != 0 { 3 << ((flags & 7) + 1) } else { 0 };
    let open = || Some(Extent::open(bytes.len()));
    let (width, height, flags) = (le(bytes, 6, 2)?, le(bytes, 8, 2)?, bytes.get(10)?);
    if width == 0 || height == 0 {
        return None;
    }
    let mut at = 13 + table(*flags);
    let mut pictures = 0;
    loop {
        let Some(kind) = bytes.get(at) else { return open() };
        at += match kind {
            0x3b => return (pictures > 0).then_some(Extent { length: at + 1, complete: true }),
            0x21 => 2,
            0x2c => {
                pictures += 1;
                let Some(flags) = bytes.get(at + 9) else { return open() };
                11 + table(*flags)
            }
            _ => return (pictures > 0).then_some(Extent { length: at, complete: false }),
        };
        loop {
            let Some(length) = bytes.get(at) else { return open() };
            at += 1 + usize::from(*length);
            if *length == 0 {
                break;
            }
        }
    }
}

/// RIFF: its length stands in the header.
pub fn riff(bytes: &[u8]) -> Option<Extent> {
    let length = le(bytes, 4, 4).filter(|length| *length >= 12 && bytes.starts_with(b"RIFF"))?;
    Some(Extent::of(8 + length + length % 2, bytes.len()))
}

/// ISO base media (ISO/IEC 14496-12): boxes, as long as they follow each other.
pub fn mp4(bytes: &[u8]) -> Option<Extent> {
    let mut at = 0;
    let mut described = false;
    while at < bytes.len() {
        let kind = bytes.get(at + 4..at + 8);
        let known = kind.is_some_and(|kind| {
            const TOP: [&[u8]; 12] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"udta", b"uuid", b"moof", b"mfra", b"sidx", b"styp"];
            TOP.contains(&kind) || kind == b"meta" || kind == b"pdin" || kind == b"emsg"
        });
        if !known {
            break;
        }
        described |= kind == Some(b"moov");
        let length = match be(bytes, at, 4)? {
            0 => return Some(Extent::open(bytes.len())),
            1 => be(bytes, at + 8, 8).filter(|length| *length >= 16)?,
            length => length,
        };
        if at == 0 && !(16..=512).contains(&length) {
            return None;
        }
        let length = index(length).filter(|length| *length >= 8)?;
        match at.checked_add(length).filter(|end| *end <= bytes.len()) {
            Some(end) => at = end,
            None => return Some(Extent::open(bytes.len())),
        }
    }
    Some(Extent { length: at, complete: described })
}
