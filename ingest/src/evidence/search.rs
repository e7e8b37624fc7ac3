//! A text in bytes: as UTF-8 and UTF-16, in any case if wanted.

use std::collections::BTreeMap;

/// How a found text is encoded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }

    fn bytes(self, letter: char) -> Vec<u8> {
        let (mut utf8, mut utf16) = ([0; 4], [0; 2]);
        match self {
            Self::Utf8 => letter.encode_utf8(&mut utf8).as_bytes().to_vec(),
            Self::Utf16Le => letter.encode_utf16(&mut utf16).iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            Self::Utf16Be => letter.encode_utf16(&mut utf16).iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        }
    }
}

/// One occurrence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    pub start: usize,
    pub length: usize,
    pub encoding: Encoding,
}

/// A text to find.
#[derive(Clone, Debug)]
pub struct Needle {
    patterns: Vec<Pattern>,
    longest: usize,
}

/// The text in one encoding: for each letter, the byte sequences that stand for it.
#[derive(Clone, Debug)]
struct Pattern {
    encoding: Encoding,
    letters: Vec<Vec<Vec<u8>>>,
    /// Bytes that an occurrence can start with.
    first: Box<[bool; 256]>,
}

impl Needle {
    /// A text to find, in any case unless `exact`. Case is folded letter by letter, as Unicode's simple folding does.
    pub fn new(text: &str, exact: bool) -> Self {
        let alike = if exact { BTreeMap::new() } else { alike(text) };
        let patterns: Vec<Pattern> = [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be]
            .into_iter()
            .map(|encoding| {
                let letters: Vec<Vec<Vec<u8>>> = text
                    .chars()
                    .map(|letter| match alike.get(&folded(letter)) {
                        Some(letters) if !exact => letters.iter().map(|letter| encoding.bytes(*letter)).collect(),
                        _ => vec![encoding.bytes(letter)],
                    })
                    .collect();
                let mut first = Box::new([false; 256]);
                for byte in letters.first().into_iter().flatten().filter_map(|bytes| bytes.first()) {
                    first[usize::from(*byte)] = true;
                }
                Pattern { encoding, letters, first }
            })
            .collect();
        let length = |pattern: &Pattern| pattern.letters.iter().map(|letters| letters.iter().map(Vec::len).max().unwrap_or_default()).sum();
        let longest = patterns.iter().map(length).max().unwrap_or_default();
        Self { patterns, longest }
    }

    /// Most bytes that an occurrence takes.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// All occurrences, in order; of overlapping ones in the same encoding each counts.
    pub fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        for pattern in &self.patterns {
            let mut from = 0;
            while let Some(start) =
                bytes.get(from..).and_then(|rest| rest.iter().position(|byte| pattern.first[usize::from(*byte)])).map(|at| from + at)
            {
                if let Some(length) = pattern.length_at(bytes, start) {
                    found.push(Found { start, length, encoding: pattern.encoding });
                }
                from = start + 1;
            }
        }
        found.sort_by_key(|one| (one.start, one.encoding));
        // A text of one byte order, with zeros around, reads as the other order one byte off: it is one text all the same, and
        // little-endian is by far the likelier.
        let mut once: Vec<Found> = Vec::with_capacity(found.len());
        for one in found {
            let twin = once.iter_mut().rev().take(4).find(|last| {
                last.length == one.length && last.start + 1 == one.start && last.encoding == Encoding::Utf16Be && one.encoding == Encoding::Utf16Le
            });
            match twin {
                Some(last) => *last = one,
                None => {
                    let is_twin = one.encoding == Encoding::Utf16Be
                        && once
                            .iter()
                            .rev()
                            .take(4)
                            .any(|last| last.encoding == Encoding::Utf16Le && last.length == one.length && last.start + 1 == one.start);
                    if !is_twin {
                        once.push(one);
                    }
                }
            }
        }
        once
    }
}

impl Pattern {
    /// The length of the occurrence that starts here, if one does.
    fn length_at(&self, bytes: &[u8], start: usize) -> Option<usize> {
        let mut at = start;
        for letters in &self.letters {
            // No encoding of a letter is the start of another's.
            at += letters.iter().find(|letter| bytes.get(at..).is_some_and(|rest| rest.starts_with(letter)))?.len();
        }
        (at > start).then_some(at - start)
    }
}

/// A letter in the case that all its variants share.
fn folded(letter: char) -> char {
    let upper = only(letter.to_uppercase()).unwrap_or(letter);
    only(upper.to_lowercase()).unwrap_or(upper)
}

/// The only letter of a mapping; `None` if it gives several.
fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

/// The letters of a text, folded, each with all that fold to it.
fn alike(text: &str) -> BTreeMap<char, Vec<char>> {
    let mut alike: BTreeMap<char, Vec<char>> = text.chars().map(|letter| (folded(letter), Vec::new())).collect();
    for letter in '\0'..=char::MAX {
        if let Some(letters) = alike.get_mut(&folded(letter)) {
            letters.push(letter);
        }
    }
    alike
}

/// Finds a text in a stream that comes in pieces: what no piece holds whole.
#[derive(Default)]
pub struct Searcher {
    /// The last bytes, as many as an occurrence may have started in, and where they start in the stream.
    tail: Vec<u8>,
    tail_at: u64,
}

impl Searcher {
    /// The next bytes: occurrences that begin in earlier pieces and end in this one, by offset in the stream, with the bytes
    /// around them.
    pub fn piece(&mut self, needle: &Needle, bytes: &[u8]) -> Vec<(u64, Found, Vec<u8>)> {
        let (around, keep) = (30, needle.longest().saturating_sub(1));
        let border = self.tail.len();
        let mut joined = std::mem::take(&mut self.tail);
        joined.extend(bytes.iter().take(keep + around));
        let crosses = |one: &Found| one.start < border && one.start + one.length > border;
        let found = needle.find(&joined).into_iter().filter(crosses).map(|one| (self.tail_at + one.start as u64, one, joined.clone())).collect();
        let total = border + bytes.len();
        let kept = total.min(keep + around);
        let mut tail = joined;
        tail.extend(bytes.iter().skip(keep + around));
        self.tail = tail.split_off(total - kept);
        self.tail_at += (total - kept) as u64;
        found
    }

    /// Where the next piece starts in the stream.
    pub fn next_offset(&self) -> u64 {
        self.tail_at + self.tail.len() as u64
    }

    /// Bytes are missing here: nothing reaches across.
    pub fn gap(&mut self, missing: u64) {
        self.tail_at += self.tail.len() as u64 + missing;
        self.tail.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(needle: &Needle, bytes: &[u8]) -> Vec<(usize, usize, Encoding)> {
        needle.find(bytes).into_iter().map(|one| (one.start, one.length, one.encoding)).collect()
    }

    #[test]
    fn encodings_and_case() {
        let needle = Needle::new("PoSt", false);
        assert_eq!(found(&needle, b"a POST, a post"), [(2, 4, Encoding::Utf8), (10, 4, Encoding::Utf8)]);
        assert_eq!(found(&needle, b"\0P\0o\0s\0t"), [(0, 8, Encoding::Utf16Be)]);
        assert_eq!(found(&needle, b"x\0P\0o\0s\0t\0y\0"), [(2, 8, Encoding::Utf16Le)]);
        assert!(Needle::new("PoSt", true).find(b"a POST").is_empty());
        let street = Needle::new("STRAßE", false);
        assert_eq!(found(&street, "straße".as_bytes()), [(0, 7, Encoding::Utf8)]);
        // The long s and the Kelvin sign fold to ordinary letters.
        assert_eq!(found(&Needle::new("sk", false), "\u{17f}\u{212a}".as_bytes()), [(0, 5, Encoding::Utf8)]);
    }

    #[test]
    fn across_pieces() {
        let needle = Needle::new("password", false);
        let mut searcher = Searcher::default();
        assert!(searcher.piece(&needle, b"... pass").is_empty());
        assert!(searcher.piece(&needle, b"wo").is_empty());
        let found = searcher.piece(&needle, b"rd and password");
        assert_eq!(found.len(), 1, "whole ones are the frames'");
        assert_eq!(found[0].0, 4);
        searcher.gap(10);
        assert!(searcher.piece(&needle, b"pass").is_empty());
        searcher.gap(1);
        assert!(searcher.piece(&needle, b"word").is_empty());
    }
}
