//! What stands out in a file's content as it passes: it is locked, packed, brings programs of its own, or holds more than its
//! format ends with.
//!
//! Only formats that can have such marks are searched, and only for a few words; nothing is unpacked.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::it::mime;

/// Longest word sought, less one: what of a piece is kept for a word that spans two.
const OVERLAP: usize = 31;

/// Words and what they mean. A word counts in files of the kind that it is listed for.
static WORDS: &[(&[u8], Word)] = &[
    (b"vbaProject.bin", Word::Macros),
    (b"xl/macrosheets/", Word::Macros),
    (b"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0", Word::Macros),
    (b"\\objdata", Word::Active),
    (b"\\objupdate", Word::Active),
    (b"/Launch", Word::Active),
    (b"/JavaScript", Word::Active),
    (b"IEND\xaeB`\x82", Word::EndOfPng),
    (b"\xff\xd9", Word::EndOfJpeg),
    (b"PK\x03\x04", Word::Inside),
    (b"7z\xbc\xaf\x27\x1c", Word::Inside),
    (b"Rar!\x1a\x07", Word::Inside),
    (b"\x7fELF\x01\x01\x01", Word::Inside),
    (b"\x7fELF\x02\x01\x01", Word::Inside),
    (b"!This program cannot be run", Word::Inside),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Macros,
    Active,
    EndOfPng,
    EndOfJpeg,
    /// Another file starts here.
    Inside,
}

#[allow(clippy::expect_used, reason = "a constant list of words")]
static AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| AhoCorasick::new(WORDS.iter().map(|(word, _)| *word)).expect("few short words"));

/// Formats that are searched.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Unseen,
    Png,
    Jpeg,
    /// Office documents of either kind, rich text, PDF.
    Document,
    Other,
}

/// Marks of one file.
#[derive(Default)]
pub struct Marks {
    format: Format,
    /// Bytes before those in `tail`, and the last bytes.
    before: u64,
    tail: Vec<u8>,
    end: Option<u64>,
    macros: bool,
    active: bool,
    inside: bool,
}

impl Marks {
    /// Takes the next bytes; `first` are the first ones, as many as there are so far.
    pub fn push(&mut self, first: &[u8], bytes: &[u8]) {
        if self.format == Format::Unseen {
            self.format = match mime::sniff(first) {
                Some("image/png") => Format::Png,
                Some("image/jpeg") => Format::Jpeg,
                Some("application/pdf" | "application/rtf" | "application/x-ole-storage") => Format::Document,
                Some(kind) if kind.starts_with("application/vnd.openxmlformats") || kind == "application/zip" => Format::Document,
                _ => Format::Other,
            };
        }
        if self.format == Format::Other {
            return;
        }
        let joined = !self.tail.is_empty();
        if joined {
            self.tail.extend_from_slice(bytes);
        }
        let all: &[u8] = if joined { &self.tail } else { bytes };
        let mut found = Vec::new();
        for hit in AUTOMATON.find_overlapping_iter(all) {
            if let Some((_, word)) = WORDS.get(hit.pattern().as_usize()) {
                found.push((*word, self.before.saturating_add(hit.start() as u64), self.before.saturating_add(hit.end() as u64)));
            }
        }
        let kept = all.get(all.len().saturating_sub(OVERLAP)..).unwrap_or_default().to_vec();
        self.before = self.before.saturating_add((all.len() - kept.len()) as u64);
        self.tail = kept;
        for (word, start, end) in found {
            match (word, self.format) {
                (Word::Macros, Format::Document) => self.macros = true,
                (Word::Active, Format::Document) => self.active = true,
                (Word::EndOfPng, Format::Png) | (Word::EndOfJpeg, Format::Jpeg) => self.end = Some(self.end.map_or(end, |known| known.max(end))),
                (Word::Inside, Format::Png | Format::Jpeg) if start > 0 => self.inside = true,
                _ => {}
            }
        }
    }

    /// The marks of a file that starts with `first`; `total` is its size if it is whole.
    pub fn told(&self, first: &[u8], total: Option<u64>) -> Vec<&'static str> {
        let mut marks = Vec::new();
        if is_locked(first) {
            marks.push("encrypted");
        }
        if is_packed(first) {
            marks.push("packed");
        }
        if self.macros {
            marks.push("macros");
        }
        if self.active {
            marks.push("active_content");
        }
        // Cameras and editors pad with a few bytes.
        if self.end.zip(total).is_some_and(|(end, total)| total.saturating_sub(end) >= 16) {
            marks.push("trailing_data");
        }
        if self.inside {
            marks.push("embedded_file");
        }
        marks
    }
}

/// The first entry of an archive asks for a password: ZIP (APPNOTE 4.4.4, bit 0), RAR 4 and 5 with encrypted headers.
fn is_locked(first: &[u8]) -> bool {
    match first {
        [b'P', b'K', 3, 4, _, _, flags, ..] => flags & 1 != 0,
        [b'R', b'a', b'r', b'!', 0x1a, 7, 0, _, _, 0x73, low, _, ..] => low & 0x80 != 0,
        [b'R', b'a', b'r', b'!', 0x1a, 7, 1, 0, _, _, _, _, _, 4, ..] => true,
        _ => false,
    }
}

/// The sections of a Windows program bear the names that packers give them.
fn is_packed(first: &[u8]) -> bool {
    first.starts_with(b"MZ")
        && [&b"UPX0\0"[..], b"UPX1\0", b".aspack", b".petite", b"MPRESS1", b".vmp0", b".themida", b".enigma1", b"PEC2"]
            .iter()
            .any(|name| memchr::memmem::find(first, name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(pieces: &[&[u8]]) -> Vec<&'static str> {
        let (mut marks, mut first) = (Marks::default(), Vec::new());
        for piece in pieces {
            first.extend_from_slice(piece);
            marks.push(&first, piece);
        }
        marks.told(&first, Some(first.len() as u64))
    }

    #[test]
    fn data_behind_a_picture() {
        let png = b"\x89PNG\r\n\x1a\n....IE";
        assert_eq!(marks(&[png, b"ND\xaeB`\x82"]), Vec::<&str>::new());
        assert_eq!(marks(&[png, b"ND\xaeB`\x82sixteen bytes more"]), ["trailing_data"]);
        assert_eq!(marks(&[png, b"ND\xaeB`\x82PK\x03", b"\x04and the rest of it"]), ["trailing_data", "embedded_file"]);
    }

    #[test]
    fn locks_and_programs() {
        assert_eq!(marks(&[b"PK\x03\x04\x14\0\x01\0\x08\0 and so on"]), ["encrypted"]);
        assert_eq!(marks(&[b"%PDF-1.4 1 0 obj /OpenAction << /S /Java", b"Script >>"]), ["active_content"]);
    }
}
