//! HPACK, the compression of header blocks (RFC 7541).
//!
//! The tables of a direction are only as good as what was seen of it: after a loss the dynamic table is emptied, and a
//! reference to an entry that was never seen is said to be lost instead of guessed. Entries added since are exact, because
//! the table counts from its newest entry and drops its oldest.

use std::collections::VecDeque;

use super::huffman;
use crate::wire::{Malformed, Reader, Wire};

/// Size that a dynamic table starts with (RFC 9113, 6.5.2).
const DEFAULT_SIZE: usize = 4096;

/// Largest dynamic table kept, octets by the count of RFC 7541, 4.1.
const MAX_SIZE: usize = 256 << 10;

/// What a field costs beside its octets (RFC 7541, 4.1).
const OVERHEAD: usize = 32;

/// The static table (RFC 7541, appendix A); index 1 comes first.
#[rustfmt::skip]
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// Name and value.
type Field = (Box<[u8]>, Box<[u8]>);

/// Decoder of one direction's header blocks.
pub struct Decoder {
    /// Newest first.
    entries: VecDeque<Field>,
    size: usize,
    limit: usize,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { entries: VecDeque::new(), size: 0, limit: DEFAULT_SIZE, name: Vec::new(), value: Vec::new() }
    }
}

/// A name, or that it is not known.
enum Named {
    Known,
    Lost,
}

impl Decoder {
    /// Blocks were lost: what the table held before does not stand where it stood.
    pub fn lose(&mut self) {
        self.entries.clear();
        self.size = 0;
    }

    /// Decodes a block and gives each field to `field`. True if a field could not be resolved; `Err` if the block is
    /// malformed, after which the table is empty.
    pub fn decode(&mut self, block: &[u8], field: &mut dyn FnMut(&[u8], &[u8])) -> Wire<bool> {
        let mut reader = Reader::new(block);
        let mut lost = false;
        while !reader.is_empty() {
            match self.field(&mut reader, field) {
                Ok(resolved) => lost |= !resolved,
                Err(error) => {
                    self.lose();
                    return Err(error);
                }
            }
        }
        Ok(lost)
    }

    /// One representation (RFC 7541, 6); false if it refers to what was not seen.
    fn field(&mut self, reader: &mut Reader<'_>, field: &mut dyn FnMut(&[u8], &[u8])) -> Wire<bool> {
        let first = reader.u8()?;
        if first & 0x80 != 0 {
            let index = integer(reader, first, 7)?;
            return match self.get(index)? {
                Some((name, value)) => {
                    field(name, value);
                    Ok(true)
                }
                None => Ok(false),
            };
        }
        if first & 0xe0 == 0x20 {
            self.limit = integer(reader, first, 5)?.min(MAX_SIZE);
            self.shrink(self.limit);
            return Ok(true);
        }
        let indexed = first & 0x40 != 0;
        let index = integer(reader, first, if indexed { 6 } else { 4 })?;
        let mut name = std::mem::take(&mut self.name);
        let mut value = std::mem::take(&mut self.value);
        let read = self.literal(reader, index, &mut name, &mut value);
        let outcome = read.map(|named| match named {
            Named::Known => {
                if indexed {
                    self.insert(&name, &value);
                }
                field(&name, &value);
                true
            }
            Named::Lost => {
                if indexed {
                    self.lose();
                }
                false
            }
        });
        self.name = name;
        self.value = value;
        outcome
    }

    fn literal(&self, reader: &mut Reader<'_>, index: usize, name: &mut Vec<u8>, value: &mut Vec<u8>) -> Wire<Named> {
        name.clear();
        value.clear();
        let named = if index == 0 {
            string(reader, name)?;
            Named::Known
        } else {
            match self.get(index)? {
                Some((known, _)) => {
                    name.extend_from_slice(known);
                    Named::Known
                }
                None => Named::Lost,
            }
        };
        string(reader, value)?;
        Ok(named)
    }

    /// The entry of an index; `None` if it lies behind the entries seen.
    fn get(&self, index: usize) -> Wire<Option<(&[u8], &[u8])>> {
        let at = index.checked_sub(1).ok_or(Malformed)?;
        if let Some((name, value)) = STATIC.get(at) {
            return Ok(Some((name.as_bytes(), value.as_bytes())));
        }
        Ok(self.entries.get(at - STATIC.len()).map(|(name, value)| (&**name, &**value)))
    }

    fn insert(&mut self, name: &[u8], value: &[u8]) {
        let cost = name.len().saturating_add(value.len()).saturating_add(OVERHEAD);
        self.shrink(self.limit.saturating_sub(cost));
        // An entry larger than the table empties it (RFC 7541, 4.4).
        if cost <= self.limit {
            self.size = self.size.saturating_add(cost);
            self.entries.push_front((name.into(), value.into()));
        }
    }

    fn shrink(&mut self, limit: usize) {
        while self.size > limit {
            let Some((name, value)) = self.entries.pop_back() else {
                self.size = 0;
                return;
            };
            self.size = self.size.saturating_sub(name.len() + value.len() + OVERHEAD);
        }
    }
}

/// An integer with a prefix of `bits` in its first octet (RFC 7541, 5.1), of at most 28 bits more.
fn integer(reader: &mut Reader<'_>, first: u8, bits: u32) -> Wire<usize> {
    let most = (1_usize << bits) - 1;
    let mut value = usize::from(first) & most;
    if value < most {
        return Ok(value);
    }
    for shift in [0, 7, 14, 21] {
        let octet = reader.u8()?;
        value += usize::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

/// A string, plain or Huffman coded (RFC 7541, 5.2).
fn string(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Wire<()> {
    let first = reader.u8()?;
    let length = integer(reader, first, 7)?;
    let bytes = reader.take(length)?;
    if first & 0x80 == 0 {
        out.extend_from_slice(bytes);
        return Ok(());
    }
    huffman::decode(bytes, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(decoder: &mut Decoder, block: &[u8]) -> (Vec<String>, Wire<bool>) {
        let mut fields = Vec::new();
        let lost = decoder.decode(block, &mut |name, value| {
            fields.push(format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
        });
        (fields, lost)
    }

    /// The examples of RFC 7541, C.4.
    #[test]
    fn requests_with_huffman() {
        let mut decoder = Decoder::default();
        let first = [0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        let expected = [":method=GET", ":scheme=http", ":path=/", ":authority=www.example.com"];
        assert_eq!(decode(&mut decoder, &first), (expected.map(str::to_owned).to_vec(), Ok(false)));
        assert_eq!(decoder.size, 57);
        let second = [0x82, 0x86, 0x84, 0xbe, 0x58, 0x86, 0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf];
        assert_eq!(decode(&mut decoder, &second).0.last().map(String::as_str), Some("cache-control=no-cache"));
        assert_eq!(decoder.size, 110);
        decoder.lose();
        assert_eq!(decode(&mut decoder, &second).1, Ok(true));
    }

    #[test]
    fn malformed() {
        let mut decoder = Decoder::default();
        assert_eq!(decode(&mut decoder, &[0x80]).1, Err(Malformed));
        assert_eq!(decode(&mut decoder, &[0x40, 5, b'a']).1, Err(Malformed));
        assert_eq!(decode(&mut decoder, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).1, Err(Malformed));
        // A table of size 0 keeps nothing.
        assert_eq!(decode(&mut decoder, &[0x20, 0x40, 1, b'a', 1, b'b']), (vec!["a=b".to_owned()], Ok(false)));
        assert!(decoder.entries.is_empty());
    }
}
