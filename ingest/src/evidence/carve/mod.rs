//! Files found in bytes by their content.
//!
//! A signature alone is no file: each format's header is checked, and its end found by its structure ([`Extent`]). What lies
//! inside a file that was found is not looked for.

mod archives;
mod documents;
mod media;
mod programs;

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// How far a file reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    pub length: usize,
    /// The end was found; else the file was followed as far as there were bytes, or as they made sense.
    pub complete: bool,
}

impl Extent {
    /// A file that by its header is so long, of `there` bytes.
    fn of(length: u64, there: usize) -> Self {
        match usize::try_from(length) {
            Ok(length) if length <= there => Self { length, complete: true },
            _ => Self { length: there, complete: false },
        }
    }

    /// The end was not found in `there` bytes.
    fn open(there: usize) -> Self {
        Self { length: there, complete: false }
    }
}

/// A format that can be found.
pub struct Format {
    /// Its name in reports.
    pub name: &'static str,
    pub extension: &'static str,
    pub class: Class,
    /// Bytes that its files have at an offset.
    magic: &'static [u8],
    offset: usize,
    /// How far the file that starts with these bytes reaches; `None` if it is none.
    measure: fn(&[u8]) -> Option<Extent>,
}

/// What kind of file a format is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Program,
    Archive,
    Other,
}

/// A file that was found.
pub struct Carved {
    pub format: &'static Format,
    pub start: usize,
    pub extent: Extent,
}

macro_rules! formats {
    ($($name:literal $extension:literal $class:ident $offset:literal $magic:literal $measure:path,)*) => {
        &[$(Format { name: $name, extension: $extension, class: Class::$class, magic: $magic, offset: $offset, measure: $measure },)*]
    };
}

/// All formats; of two with the same magic the first that measures wins.
static FORMATS: &[Format] = formats! {
    "PNG" "png" Other 0 b"\x89PNG\r\n\x1a\n" media::png,
    "JPEG" "jpg" Other 0 b"\xff\xd8\xff" media::jpeg,
    "GIF" "gif" Other 0 b"GIF87a" media::gif,
    "GIF" "gif" Other 0 b"GIF89a" media::gif,
    "WAV" "wav" Other 8 b"WAVEfmt " media::riff,
    "AVI" "avi" Other 8 b"AVI LIST" media::riff,
    "WEBP" "webp" Other 8 b"WEBPVP8" media::riff,
    "MP4" "mp4" Other 4 b"ftyp" media::mp4,
    "PDF" "pdf" Other 0 b"%PDF-" documents::pdf,
    "RTF" "rtf" Other 0 b"{\\rtf" documents::rtf,
    "OLE2" "ole" Other 0 b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" documents::ole2,
    "SQLite" "sqlite" Other 0 b"SQLite format 3\0" documents::sqlite,
    "DOCX" "docx" Other 0 b"PK\x03\x04" archives::docx,
    "XLSX" "xlsx" Other 0 b"PK\x03\x04" archives::xlsx,
    "PPTX" "pptx" Other 0 b"PK\x03\x04" archives::pptx,
    "ZIP" "zip" Archive 0 b"PK\x03\x04" archives::zip,
    "GZIP" "gz" Archive 0 b"\x1f\x8b\x08" archives::gzip,
    "RAR" "rar" Archive 0 b"Rar!\x1a\x07\x00" archives::rar4,
    "RAR" "rar" Archive 0 b"Rar!\x1a\x07\x01\x00" archives::rar5,
    "7z" "7z" Archive 0 b"7z\xbc\xaf\x27\x1c" archives::seven_zip,
    "CAB" "cab" Archive 0 b"MSCF\0\0\0\0" archives::cab,
    "ELF" "elf" Program 0 b"\x7fELF" programs::elf,
    "PE" "exe" Program 0 b"MZ" programs::pe,
    "Mach-O" "macho" Program 0 b"\xfe\xed\xfa\xce" programs::mach_o,
    "Mach-O" "macho" Program 0 b"\xfe\xed\xfa\xcf" programs::mach_o,
    "Mach-O" "macho" Program 0 b"\xce\xfa\xed\xfe" programs::mach_o,
    "Mach-O" "macho" Program 0 b"\xcf\xfa\xed\xfe" programs::mach_o,
    "Java class" "class" Other 0 b"\xca\xfe\xba\xbe" programs::java_class,
    "Mach-O" "macho" Program 0 b"\xca\xfe\xba\xbe" programs::mach_o_fat,
};

/// Finds the formats' magic numbers; `None` only if they could not be compiled, which a test rules out.
static MAGICS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(FORMATS.iter().map(|format| format.magic)).ok());

/// The files in `bytes`, in order. `nested` looks inside those found as well.
pub fn carve(bytes: &[u8], nested: bool) -> Vec<Carved> {
    let mut found: Vec<Carved> = Vec::new();
    let Some(magics) = &*MAGICS else { return found };
    let (mut free_from, mut last) = (0, None);
    for hit in magics.find_overlapping_iter(bytes) {
        let Some(format) = FORMATS.get(hit.pattern().as_usize()) else { continue };
        let Some(start) = hit.start().checked_sub(format.offset) else { continue };
        // Where one format's magic is another's too, the first to measure has it.
        if (start < free_from && !nested) || last == Some(start) {
            continue;
        }
        let Some(extent) = bytes.get(start..).and_then(format.measure).filter(|extent| extent.length > 0) else { continue };
        last = Some(start);
        free_from = if extent.complete { start.saturating_add(extent.length) } else { start.saturating_add(format.magic.len()) };
        found.push(Carved { format, start, extent });
    }
    if !nested {
        bound_open(&mut found);
    }
    found
}

/// A file whose end was not found ends at the latest where the next begins.
fn bound_open(found: &mut [Carved]) {
    let starts: Vec<usize> = found.iter().map(|one| one.start).collect();
    for (one, next) in found.iter_mut().zip(starts.iter().skip(1)) {
        if !one.extent.complete {
            one.extent.length = one.extent.length.min(next.saturating_sub(one.start));
        }
    }
}

/// A number at an offset; `None` past the end.
fn le(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let octets = bytes.get(at..at.checked_add(size)?)?;
    Some(octets.iter().rev().fold(0, |number, octet| number << 8 | u64::from(*octet)))
}

fn be(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let octets = bytes.get(at..at.checked_add(size)?)?;
    Some(octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests;
