//! QPACK, the compression of header blocks in HTTP/3 (RFC 9204).
//!
//! The dynamic table of a direction is built by its encoder stream, which may come later than the blocks that refer to it:
//! such blocks wait. Entries count on from 0 for the whole connection.

use std::collections::VecDeque;

use crate::protocols::it::http2::huffman;
use crate::wire::{Malformed, Reader, Wire};

/// Octets of a dynamic table that are kept, by the count of RFC 9204, 3.2.1.
const MAX_SIZE: usize = 256 << 10;
/// What an entry costs beside its octets.
const OVERHEAD: usize = 32;

/// The static table (RFC 9204, appendix A).
#[rustfmt::skip]
const STATIC: [(&str, &str); 99] = [
    (":authority", ""),
    (":path", "/"),
    ("age", "0"),
    ("content-disposition", ""),
    ("content-length", "0"),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("referer", ""),
    ("set-cookie", ""),
    (":method", "CONNECT"),
    (":method", "DELETE"),
    (":method", "GET"),
    (":method", "HEAD"),
    (":method", "OPTIONS"),
    (":method", "POST"),
    (":method", "PUT"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "103"),
    (":status", "200"),
    (":status", "304"),
    (":status", "404"),
    (":status", "503"),
    ("accept", "*/*"),
    ("accept", "application/dns-message"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-ranges", "bytes"),
    ("access-control-allow-headers", "cache-control"),
    ("access-control-allow-headers", "content-type"),
    ("access-control-allow-origin", "*"),
    ("cache-control", "max-age=0"),
    ("cache-control", "max-age=2592000"),
    ("cache-control", "max-age=604800"),
    ("cache-control", "no-cache"),
    ("cache-control", "no-store"),
    ("cache-control", "public, max-age=31536000"),
    ("content-encoding", "br"),
    ("content-encoding", "gzip"),
    ("content-type", "application/dns-message"),
    ("content-type", "application/javascript"),
    ("content-type", "application/json"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("content-type", "image/gif"),
    ("content-type", "image/jpeg"),
    ("content-type", "image/png"),
    ("content-type", "text/css"),
    ("content-type", "text/html; charset=utf-8"),
    ("content-type", "text/plain"),
    ("content-type", "text/plain;charset=utf-8"),
    ("range", "bytes=0-"),
    ("strict-transport-security", "max-age=31536000"),
    ("strict-transport-security", "max-age=31536000; includesubdomains"),
    ("strict-transport-security", "max-age=31536000; includesubdomains; preload"),
    ("vary", "accept-encoding"),
    ("vary", "origin"),
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "1; mode=block"),
    (":status", "100"),
    (":status", "204"),
    (":status", "206"),
    (":status", "302"),
    (":status", "400"),
    (":status", "403"),
    (":status", "421"),
    (":status", "425"),
    (":status", "500"),
    ("accept-language", ""),
    ("access-control-allow-credentials", "FALSE"),
    ("access-control-allow-credentials", "TRUE"),
    ("access-control-allow-headers", "*"),
    ("access-control-allow-methods", "get"),
    ("access-control-allow-methods", "get, post, options"),
    ("access-control-allow-methods", "options"),
    ("access-control-expose-headers", "content-length"),
    ("access-control-request-headers", "content-type"),
    ("access-control-request-method", "get"),
    ("access-control-request-method", "post"),
    ("alt-svc", "clear"),
    ("authorization", ""),
    ("content-security-policy", "script-src 'none'; object-src 'none'; base-uri 'none'"),
    ("early-data", "1"),
    ("expect-ct", ""),
    ("forwarded", ""),
    ("if-range", ""),
    ("origin", ""),
    ("purpose", "prefetch"),
    ("server", ""),
    ("timing-allow-origin", "*"),
    ("upgrade-insecure-requests", "1"),
    ("user-agent", ""),
    ("x-forwarded-for", ""),
    ("x-frame-options", "deny"),
    ("x-frame-options", "sameorigin"),
];

/// Name and value.
type Entry = (Box<[u8]>, Box<[u8]>);

/// The dynamic table that one direction's encoder builds, and the blocks of that direction refer to.
#[derive(Default)]
pub struct Table {
    /// Oldest first.
    entries: VecDeque<Entry>,
    /// Entries that were dropped: the absolute index of the oldest one kept.
    dropped: u64,
    size: usize,
    limit: usize,
    /// Largest capacity that the encoder has set, from which required insert counts are told.
    largest: usize,
    /// Instructions were lost: what the table holds is not known any more.
    lost: bool,
}

/// What became of a block.
#[derive(PartialEq, Eq, Debug)]
pub enum Decoded {
    /// All fields were given out.
    Whole,
    /// Some could not be resolved.
    Lost,
    /// Entries that it refers to are not there yet.
    Waits,
}

impl Table {
    /// Entries inserted so far.
    fn inserted(&self) -> u64 {
        self.dropped.saturating_add(self.entries.len() as u64)
    }

    /// Octets of the encoder stream are missing.
    pub fn lose(&mut self) {
        self.lost = true;
        self.entries.clear();
        self.size = 0;
    }

    /// Takes an instruction of the encoder stream from the start of `bytes` (RFC 9204, 4.3); gives its octets, `None` while it
    /// is not whole.
    pub fn instruction(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut reader = Reader::new(bytes);
        let taken = self.insertion(&mut reader);
        // An end that comes too early looks as malformed: the rest is waited for, up to what the caller holds.
        taken.ok().map(|()| bytes.len() - reader.len())
    }

    fn insertion(&mut self, reader: &mut Reader<'_>) -> Wire<()> {
        let first = reader.u8()?;
        if first & 0x80 != 0 {
            let index = integer(reader, first, 6)?;
            let value = string(reader, 7)?;
            let name = if first & 0x40 != 0 {
                fixed(index).map(|(name, _)| name.as_bytes().into())
            } else {
                self.relative(index).map(|(name, _)| name.clone())
            };
            self.insert_or_lose(name, value);
        } else if first & 0x40 != 0 {
            let name = string_of(reader, first, 5)?;
            let value = string(reader, 7)?;
            self.insert(name.into(), value.into());
        } else if first & 0x20 != 0 {
            self.limit = usize::try_from(integer(reader, first, 5)?).unwrap_or(usize::MAX).min(MAX_SIZE);
            self.largest = self.largest.max(self.limit);
            self.shrink(self.limit);
        } else {
            let index = integer(reader, first, 5)?;
            let copy = self.relative(index).cloned();
            match copy {
                Some((name, value)) => self.insert(name, value),
                None => self.lose(),
            }
        }
        Ok(())
    }

    fn insert_or_lose(&mut self, name: Option<Box<[u8]>>, value: Vec<u8>) {
        match name {
            Some(name) => self.insert(name, value.into()),
            None => self.lose(),
        }
    }

    fn insert(&mut self, name: Box<[u8]>, value: Box<[u8]>) {
        let cost = name.len().saturating_add(value.len()).saturating_add(OVERHEAD);
        self.shrink(self.limit.saturating_sub(cost));
        if cost > self.limit {
            return self.lose();
        }
        self.size = self.size.saturating_add(cost);
        self.entries.push_back((name, value));
    }

    fn shrink(&mut self, limit: usize) {
        while self.size > limit {
            let Some((name, value)) = self.entries.pop_front() else {
                self.size = 0;
                return;
            };
            self.dropped = self.dropped.saturating_add(1);
            self.size = self.size.saturating_sub(name.len() + value.len() + OVERHEAD);
        }
    }

    /// The entry so many before the newest.
    fn relative(&self, back: u64) -> Option<&Entry> {
        self.absolute(self.inserted().checked_sub(1)?.checked_sub(back)?)
    }

    fn absolute(&self, index: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(index.checked_sub(self.dropped)?).ok()?)
    }

    /// Decodes a block (RFC 9204, 4.5) and gives each field to `field`.
    pub fn decode(&self, block: &[u8], field: &mut dyn FnMut(&[u8], &[u8])) -> Wire<Decoded> {
        let mut reader = Reader::new(block);
        let first = reader.u8()?;
        let encoded = integer(&mut reader, first, 8)?;
        let sign = reader.u8()?;
        let delta = integer(&mut reader, sign, 7)?;
        let required = self.required(encoded)?;
        if required > self.inserted() && !self.lost {
            return Ok(Decoded::Waits);
        }
        let base = if self.lost {
            Some(0)
        } else if sign & 0x80 == 0 {
            required.checked_add(delta)
        } else {
            required.checked_sub(delta).and_then(|base| base.checked_sub(1))
        };
        let base = base.ok_or(Malformed)?;
        let mut whole = true;
        while !reader.is_empty() {
            whole &= self.line(&mut reader, base, field)?;
        }
        Ok(if whole { Decoded::Whole } else { Decoded::Lost })
    }

    /// The required insert count, of which only the end is sent (RFC 9204, 4.5.1.1).
    fn required(&self, encoded: u64) -> Wire<u64> {
        if encoded == 0 || self.lost {
            return Ok(0);
        }
        let most = (self.largest / OVERHEAD) as u64;
        if most == 0 {
            // The encoder's stream, which sets the capacity, has yet to come.
            return Ok(u64::MAX);
        }
        let range = most * 2;
        if encoded > range {
            return Err(Malformed);
        }
        let highest = self.inserted().saturating_add(most);
        let required = (highest / range).saturating_mul(range).saturating_add(encoded - 1);
        if required > highest { required.checked_sub(range).ok_or(Malformed) } else { Ok(required) }
    }

    /// One field line; false if it refers to what was not seen.
    fn line(&self, reader: &mut Reader<'_>, base: u64, field: &mut dyn FnMut(&[u8], &[u8])) -> Wire<bool> {
        let first = reader.u8()?;
        let entry = |is_static: bool, index: u64, is_post: bool| -> Option<(Vec<u8>, Vec<u8>)> {
            if is_static {
                return fixed(index).map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
            }
            let at = if is_post { base.checked_add(index)? } else { base.checked_sub(1)?.checked_sub(index)? };
            self.absolute(at).filter(|_| !self.lost).map(|(name, value)| (name.to_vec(), value.to_vec()))
        };
        let (named, value) = if first & 0x80 != 0 {
            let index = integer(reader, first, 6)?;
            (entry(first & 0x40 != 0, index, false), None)
        } else if first & 0x40 != 0 {
            let index = integer(reader, first, 4)?;
            (entry(first & 0x10 != 0, index, false), Some(string(reader, 7)?))
        } else if first & 0x20 != 0 {
            let name = string_of(reader, first, 3)?;
            (Some((name, Vec::new())), Some(string(reader, 7)?))
        } else if first & 0x10 != 0 {
            let index = integer(reader, first, 4)?;
            (entry(false, index, true), None)
        } else {
            let index = integer(reader, first, 3)?;
            (entry(false, index, true), Some(string(reader, 7)?))
        };
        let Some((name, known)) = named else { return Ok(false) };
        field(&name, &value.unwrap_or(known));
        Ok(true)
    }
}

fn fixed(index: u64) -> Option<&'static (&'static str, &'static str)> {
    STATIC.get(usize::try_from(index).ok()?)
}

/// An integer with a prefix of `bits` in its first octet (RFC 9204, 4.1.1).
fn integer(reader: &mut Reader<'_>, first: u8, bits: u32) -> Wire<u64> {
    let most = (1_u64 << bits) - 1;
    let mut value = u64::from(first) & most;
    if value < most {
        return Ok(value);
    }
    for shift in (0..56).step_by(7) {
        let octet = reader.u8()?;
        value = value.checked_add(u64::from(octet & 0x7f) << shift).ok_or(Malformed)?;
        if octet & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

/// A string whose length has a prefix of `bits`, the bit above saying that it is Huffman coded.
fn string(reader: &mut Reader<'_>, bits: u32) -> Wire<Vec<u8>> {
    let first = reader.u8()?;
    string_of(reader, first, bits)
}

fn string_of(reader: &mut Reader<'_>, first: u8, bits: u32) -> Wire<Vec<u8>> {
    let length = integer(reader, first, bits)?;
    let bytes = reader.take(usize::try_from(length).map_err(|_| Malformed)?)?;
    if u64::from(first) & 1 << bits == 0 {
        return Ok(bytes.to_vec());
    }
    let mut text = Vec::new();
    huffman::decode(bytes, &mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(table: &Table, block: &[u8]) -> (Vec<String>, Wire<Decoded>) {
        let mut fields = Vec::new();
        let outcome = table.decode(block, &mut |name, value| {
            fields.push(format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
        });
        (fields, outcome)
    }

    /// The examples of RFC 9204, B.1 and B.2.
    #[test]
    fn examples_of_the_standard() {
        let mut table = Table::default();
        let first = [0, 0, 0x51, 0x0b, b'/', b'i', b'n', b'd', b'e', b'x', b'.', b'h', b't', b'm', b'l'];
        assert_eq!(decode(&table, &first), (vec![":path=/index.html".to_owned()], Ok(Decoded::Whole)));
        let block = [3, 0x81, 0x10, 0x11];
        assert_eq!(decode(&table, &block).1, Ok(Decoded::Waits));
        let mut stream = vec![0x3f, 0xbd, 0x01, 0xc0, 0x0f];
        stream.extend(b"www.example.com");
        stream.extend([0xc1, 0x0c]);
        stream.extend(b"/sample/path");
        let mut rest = &stream[..];
        while let Some(taken) = table.instruction(rest).filter(|_| !rest.is_empty()) {
            rest = &rest[taken..];
        }
        assert_eq!((rest.len(), table.inserted(), table.size), (0, 2, 106));
        let (fields, outcome) = decode(&table, &block);
        assert_eq!((fields, outcome), (vec![":authority=www.example.com".to_owned(), ":path=/sample/path".to_owned()], Ok(Decoded::Whole)));
    }

    #[test]
    fn malformed_and_lost() {
        let mut table = Table::default();
        assert_eq!(decode(&table, &[0]).1, Err(Malformed));
        assert_eq!(decode(&table, &[0, 0, 0xff, 0x24]).1, Ok(Decoded::Lost));
        assert_eq!(table.instruction(&[0xc0, 0x0f, b'w']), None);
        table.lose();
        assert_eq!(decode(&table, &[3, 0x81, 0x10]).1, Ok(Decoded::Lost));
    }
}
