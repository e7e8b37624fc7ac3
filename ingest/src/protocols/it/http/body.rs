//! Where a body ends (RFC 9112, 6 and 7), and what it holds once its codings are undone (RFC 9110, 8.4).
//!
//! Bodies pass through and are never held: of each there is a count, a histogram, the first octets, and the state of its
//! decoders.

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

use crate::protocols::files::Follower;
use crate::protocols::it::mime::SNIFF_BYTES;

/// Octets of a body that its entropy is measured over.
const ENTROPY_BYTES: u32 = 64 << 10;
/// Most octets a body is decoded to.
const MAX_DECODED: u64 = 100 << 20;
/// Most octets that come of one.
const MAX_RATIO: u64 = 100;
/// Up to here any ratio is let pass: a page of blanks is no attack.
const FREE_DECODED: u64 = 1 << 20;
/// Codings in each other that are undone.
const MAX_CODINGS: usize = 8;
/// Longest line of a chunk's size and extensions, or of the trailer.
const MAX_LINE: usize = 8192;
/// Octets decoded at a time.
const PIECE: usize = 16 << 10;
/// Largest zstd window that HTTP allows is 8 MiB (RFC 9659, 3).
const ZSTD_WINDOW_LOG: u32 = 23;

/// What says where the body ends.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Framing {
    /// There is none.
    #[default]
    None,
    /// So many bytes are left.
    Length(u64),
    Chunked(Chunk),
    /// The end of the connection.
    UntilClose,
}

/// Where in a chunked body the next byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chunk {
    Size,
    /// So many bytes of the chunk are left.
    Data(u64),
    /// The line end behind a chunk.
    DataEnd,
    Trailer,
}

/// How far the bytes given brought the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fed {
    /// It goes on; so many bytes are done with.
    More(usize),
    /// It ended after so many bytes.
    Done(usize),
    /// Its framing broke after so many bytes: where the next message starts is not known.
    Broken(usize),
}

/// Takes the next bytes of a body.
pub fn feed(framing: &mut Framing, content: &mut Content, bytes: &[u8]) -> Fed {
    match framing {
        Framing::None => Fed::Done(0),
        Framing::UntilClose => {
            content.take(bytes);
            Fed::More(bytes.len())
        }
        Framing::Length(left) => {
            let count = part(*left, bytes);
            content.take(bytes.get(..count).unwrap_or_default());
            *left -= count as u64;
            if *left == 0 { Fed::Done(count) } else { Fed::More(count) }
        }
        Framing::Chunked(chunk) => chunks(chunk, content, bytes),
    }
}

/// How many of `bytes` belong to something of which `left` are left.
fn part(left: u64, bytes: &[u8]) -> usize {
    usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))
}

fn chunks(chunk: &mut Chunk, content: &mut Content, bytes: &[u8]) -> Fed {
    let mut done = 0;
    loop {
        let rest = bytes.get(done..).unwrap_or_default();
        match chunk {
            Chunk::Data(left) => {
                let count = part(*left, rest);
                content.take(rest.get(..count).unwrap_or_default());
                *left -= count as u64;
                done += count;
                if *left > 0 {
                    return Fed::More(done);
                }
                *chunk = Chunk::DataEnd;
            }
            Chunk::DataEnd => match rest {
                [b'\r', b'\n', ..] => {
                    done += 2;
                    *chunk = Chunk::Size;
                }
                [b'\n', ..] => {
                    done += 1;
                    *chunk = Chunk::Size;
                }
                [] | [b'\r'] => return Fed::More(done),
                _ => return Fed::Broken(done),
            },
            Chunk::Size | Chunk::Trailer => {
                // A size starts with a digit: nothing is gained by waiting for the rest of the line.
                if *chunk == Chunk::Size && rest.first().is_some_and(|first| first.is_ascii_graphic() && !first.is_ascii_hexdigit()) {
                    return Fed::Broken(done);
                }
                let Some(end) = rest.iter().take(MAX_LINE).position(|&octet| octet == b'\n') else {
                    return if rest.len() >= MAX_LINE { Fed::Broken(done) } else { Fed::More(done) };
                };
                let line = rest.get(..end).unwrap_or_default().trim_ascii();
                let next = done + end + 1;
                if *chunk == Chunk::Trailer {
                    if line.is_empty() {
                        return Fed::Done(next);
                    }
                } else {
                    match chunk_size(line) {
                        // Some servers write empty lines before it.
                        _ if line.is_empty() => {}
                        Some(0) => *chunk = Chunk::Trailer,
                        Some(size) => *chunk = Chunk::Data(size),
                        None => return Fed::Broken(done),
                    }
                }
                done = next;
            }
        }
    }
}

/// Size of a chunk, its extensions passed over (RFC 9112, 7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|octet| *octet == b';' || !octet.is_ascii_graphic()).find(|part| !part.is_empty())?;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Passes over `missing` lost bytes; false if the body may have ended among them.
pub fn skip(framing: &mut Framing, missing: u64) -> bool {
    match framing {
        Framing::None => false,
        Framing::UntilClose => true,
        Framing::Length(left) | Framing::Chunked(Chunk::Data(left)) => match left.checked_sub(missing) {
            Some(still) => {
                *left = still;
                true
            }
            None => false,
        },
        Framing::Chunked(_) => false,
    }
}

/// What is known of a body's content so far.
pub struct Content {
    /// Bytes on the wire, after chunk decoding.
    pub wire_bytes: u64,
    /// Bytes are missing within.
    pub gap: bool,
    octets: Box<[u32; 256]>,
    octets_counted: u32,
    stages: Vec<Stage>,
    decoded: Decoded,
    fault: Option<Fault>,
}

/// Why a body is not decoded any further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A coding we do not know, or bytes that are not of the coding named.
    Undecodable,
    /// More comes out than is plausible.
    Limit,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            wire_bytes: 0,
            gap: false,
            octets: Box::new([0; 256]),
            octets_counted: 0,
            stages: Vec::new(),
            decoded: Decoded::default(),
            fault: None,
        }
    }
}

impl Content {
    /// Starts over, for a body with these codings in the order in which they were applied; `is_file` if what comes out is to
    /// be hashed, and up to `keep` octets of it kept.
    pub fn start<'a>(&mut self, codings: impl DoubleEndedIterator<Item = &'a str>, is_file: bool, keep: usize) {
        self.wire_bytes = 0;
        self.gap = false;
        if self.octets_counted > 0 {
            self.octets.fill(0);
            self.octets_counted = 0;
        }
        self.stages.clear();
        self.decoded.start(is_file, keep);
        self.fault = None;
        for coding in codings.rev() {
            match Coder::of(coding) {
                _ if coding.is_empty() || coding.eq_ignore_ascii_case("identity") => {}
                Some(coder) if self.stages.len() < MAX_CODINGS => self.stages.push(Stage::new(coder)),
                _ => self.fault = Some(Fault::Undecodable),
            }
        }
    }

    /// The file that the body was, if it was one and had any bytes.
    pub fn take_file(&mut self) -> Option<Follower> {
        let mut file = self.decoded.file.take()?;
        if self.fault.is_some() {
            file.lose();
        }
        Some(file)
    }

    /// Bytes were lost within the body.
    pub fn lose(&mut self) {
        self.gap = true;
        self.decoded.frozen = true;
        if let Some(file) = &mut self.decoded.file {
            file.lose();
        }
        if !self.stages.is_empty() {
            self.fault.get_or_insert(Fault::Undecodable);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.wire_bytes = self.wire_bytes.saturating_add(bytes.len() as u64);
        let room = ENTROPY_BYTES.saturating_sub(self.octets_counted) as usize;
        if room > 0 {
            let sample = bytes.get(..room).unwrap_or(bytes);
            for &octet in sample {
                // Indexed by an octet: all 256 values are there.
                self.octets[usize::from(octet)] += 1;
            }
            self.octets_counted += sample.len() as u32;
        }
        if self.fault.is_some() {
            return;
        }
        let ceiling = if self.stages.is_empty() { u64::MAX } else { MAX_DECODED.min(FREE_DECODED.max(self.wire_bytes.saturating_mul(MAX_RATIO))) };
        if let Err(fault) = decode(&mut self.stages, bytes, &mut self.decoded, ceiling) {
            self.fault = Some(fault);
            // The decoders' memory is not needed any more.
            self.stages.clear();
        }
    }

    /// Bytes after content decoding; `None` if they cannot be known.
    pub fn decoded_bytes(&self) -> Option<u64> {
        self.fault.is_none().then_some(self.decoded.total)
    }

    /// The first bytes after content decoding, as many as [`SNIFF_BYTES`].
    pub fn first_bytes(&self) -> &[u8] {
        if self.fault == Some(Fault::Undecodable) && self.decoded.total == 0 { &[] } else { &self.decoded.first }
    }

    /// What was kept of the content, as [`Content::start`] was told to.
    pub fn kept(&self) -> &[u8] {
        &self.decoded.kept
    }

    /// What ended decoding.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Shannon entropy of the first octets before content decoding, bits each; `None` under 64 octets.
    pub fn entropy(&self) -> Option<f64> {
        if self.octets_counted < 64 {
            return None;
        }
        let total = f64::from(self.octets_counted);
        Some(self.octets.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total).map(|share| -share * share.log2()).sum())
    }
}

/// Where decoded bytes go.
#[derive(Default)]
struct Decoded {
    total: u64,
    first: Vec<u8>,
    /// Bytes are missing: what follows are not the first.
    frozen: bool,
    /// They are those of a file.
    is_file: bool,
    /// How many are to be kept, and those that are.
    keep: usize,
    kept: Vec<u8>,
    file: Option<Follower>,
}

impl Decoded {
    fn start(&mut self, is_file: bool, keep: usize) {
        self.keep = keep;
        self.kept.clear();
        self.total = 0;
        self.first.clear();
        self.frozen = false;
        self.is_file = is_file;
        self.file = None;
    }

    fn take(&mut self, bytes: &[u8], ceiling: u64) -> Result<(), Fault> {
        self.total = self.total.saturating_add(bytes.len() as u64);
        let room = SNIFF_BYTES.saturating_sub(self.first.len());
        if room > 0 && !self.frozen {
            self.first.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
        let room = self.keep.saturating_sub(self.kept.len());
        if room > 0 && !self.frozen {
            self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
        if self.is_file && !bytes.is_empty() {
            self.file.get_or_insert_default().push(bytes);
        }
        if self.total > ceiling { Err(Fault::Limit) } else { Ok(()) }
    }
}

/// Sends bytes through the stages that are left. Goes as deep as there are stages.
fn decode(stages: &mut [Stage], mut input: &[u8], decoded: &mut Decoded, ceiling: u64) -> Result<(), Fault> {
    let Some((stage, rest)) = stages.split_first_mut() else { return decoded.take(input, ceiling) };
    loop {
        let (read, written) = stage.step(input)?;
        input = input.get(read..).unwrap_or_default();
        if written > 0 {
            decode(rest, stage.output.get(..written).unwrap_or_default(), decoded, ceiling)?;
        } else if read == 0 || input.is_empty() {
            return Ok(());
        }
    }
}

/// One coding being undone.
struct Stage {
    coder: Coder,
    output: Box<[u8]>,
}

enum Coder {
    Gzip {
        inflate: Box<Decompress>,
        ended: bool,
    },
    /// Zlib by the standard, raw deflate by some servers (RFC 9110, 8.4.1.2): the first two octets tell.
    Deflate {
        inflate: Option<Box<Decompress>>,
        first: Option<u8>,
        ended: bool,
    },
    Zstd(ZstdDecoder<'static>),
    Brotli {
        state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
        ended: bool,
    },
}

impl Coder {
    fn of(coding: &str) -> Option<Self> {
        let is = |name: &str| coding.eq_ignore_ascii_case(name);
        if is("gzip") || is("x-gzip") {
            Some(Self::gzip())
        } else if is("deflate") {
            Some(Self::Deflate { inflate: None, first: None, ended: false })
        } else if is("zstd") {
            let mut decoder = ZstdDecoder::new().ok()?;
            decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).ok()?;
            Some(Self::Zstd(decoder))
        } else if is("br") {
            let allocator = StandardAlloc::default;
            Some(Self::Brotli { state: Box::new(BrotliState::new(allocator(), allocator(), allocator())), ended: false })
        } else {
            None
        }
    }

    fn gzip() -> Self {
        Self::Gzip { inflate: Box::new(Decompress::new_gzip(15)), ended: false }
    }
}

impl Stage {
    fn new(coder: Coder) -> Self {
        Self { coder, output: vec![0; PIECE].into_boxed_slice() }
    }

    /// Decodes some of `input` into `output`: bytes read and written.
    fn step(&mut self, input: &[u8]) -> Result<(usize, usize), Fault> {
        match &mut self.coder {
            Coder::Gzip { inflate, ended } => {
                if *ended {
                    // A further member may follow (RFC 1952, 2.2); anything else behind the end is padding.
                    if input.first() != Some(&0x1f) {
                        return Ok((input.len(), 0));
                    }
                    **inflate = Decompress::new_gzip(15);
                    *ended = false;
                }
                run(inflate, ended, input, &mut self.output)
            }
            Coder::Deflate { ended: true, .. } => Ok((input.len(), 0)),
            Coder::Deflate { inflate: Some(inflate), ended, .. } => run(inflate, ended, input, &mut self.output),
            Coder::Deflate { inflate, first, ended } => {
                let (a, b) = match (*first, input) {
                    (Some(a), [b, ..]) => (a, *b),
                    (None, [a, b, ..]) => (*a, *b),
                    (None, [a]) => {
                        *first = Some(*a);
                        return Ok((1, 0));
                    }
                    (_, []) => return Ok((0, 0)),
                };
                // RFC 1950, 2.2: method 8, and the two octets are a multiple of 31.
                let zlib = a & 0x0f == 8 && u16::from_be_bytes([a, b]) % 31 == 0;
                let mut decoder = Box::new(Decompress::new(zlib));
                if first.is_some() {
                    // One octet alone gives no output yet.
                    run(&mut decoder, ended, &[a], &mut self.output)?;
                }
                let step = run(&mut decoder, ended, input, &mut self.output);
                *inflate = Some(decoder);
                step
            }
            Coder::Brotli { ended: true, .. } => Ok((input.len(), 0)),
            Coder::Brotli { state, ended } => {
                let (mut read, mut written, mut total) = (0, 0, 0);
                let (mut unread, mut room) = (input.len(), self.output.len());
                let result = BrotliDecompressStream(&mut unread, &mut read, input, &mut room, &mut written, &mut self.output, &mut total, state);
                *ended = matches!(result, BrotliResult::ResultSuccess);
                if matches!(result, BrotliResult::ResultFailure) { Err(Fault::Undecodable) } else { Ok((read, written)) }
            }
            Coder::Zstd(decoder) => {
                let status = decoder.run_on_buffers(input, &mut self.output).map_err(|_| Fault::Undecodable)?;
                Ok((status.bytes_read, status.bytes_written))
            }
        }
    }
}

fn run(inflate: &mut Decompress, ended: &mut bool, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), Fault> {
    let (read, written) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, FlushDecompress::None).map_err(|_| Fault::Undecodable)?;
    *ended = status == Status::StreamEnd;
    let count = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or(0);
    Ok((count(inflate.total_in(), read), count(inflate.total_out(), written)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// Decodes in pieces of that size: bytes, first bytes.
    fn decoded(codings: &str, wire: &[u8], piece: usize) -> (Option<u64>, Vec<u8>) {
        let mut content = Content::default();
        content.start(codings.split(',').map(str::trim), true, 0);
        let mut framing = Framing::Length(wire.len() as u64);
        for piece in wire.chunks(piece) {
            feed(&mut framing, &mut content, piece);
        }
        (content.decoded_bytes(), content.first_bytes().to_vec())
    }

    #[test]
    fn undoes_codings() {
        let plain = b"some text, some text, some text".repeat(9);
        let length = Some(plain.len() as u64);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(&plain).unwrap();
        let zlib = zlib.finish().unwrap();
        let raw = &zlib[2..zlib.len() - 4];
        for piece in [1, 7, 4096] {
            assert_eq!(decoded("gzip", &gzip(&plain), piece), (length, plain.clone()));
            assert_eq!(decoded("identity, GZIP, x-gzip", &gzip(&gzip(&plain)), piece), (length, plain.clone()));
            assert_eq!(decoded("deflate", &zlib, piece), (length, plain.clone()));
            assert_eq!(decoded("deflate", raw, piece), (length, plain.clone()));
            assert_eq!(decoded("zstd", &zstd::encode_all(&plain[..], 1).unwrap(), piece), (length, plain.clone()));
            let mut br = Vec::new();
            brotli::BrotliCompress(&mut &plain[..], &mut br, &Default::default()).unwrap();
            assert_eq!(decoded("br", &br, piece), (length, plain.clone()));
            assert_eq!(decoded("gzip", &[gzip(b"one "), gzip(b"two")].concat(), piece), (Some(7), b"one two".to_vec()));
        }
        assert_eq!(decoded("compress", b"x", 1), (None, vec![]));
        assert_eq!(decoded("gzip", b"not gzip", 3), (None, vec![]));
    }

    #[test]
    fn bombs_are_not_unpacked() {
        let bomb = gzip(&vec![0; 4 << 20]);
        let mut content = Content::default();
        content.start(["gzip"].into_iter(), false, 0);
        feed(&mut Framing::UntilClose, &mut content, &bomb);
        assert_eq!((content.decoded_bytes(), content.fault()), (None, Some(Fault::Limit)));
    }

    #[test]
    fn chunked() {
        let wire = b"4;name=\"v\"\r\nWiki\r\n5\npedia\n0\r\nTrailer: x\r\n\r\nGET";
        for piece in [1, 2, wire.len()] {
            let (mut framing, mut content) = (Framing::Chunked(Chunk::Size), Content::default());
            let (mut at, mut given) = (0, 0);
            let end = loop {
                given = (given + piece).min(wire.len());
                match feed(&mut framing, &mut content, &wire[at..given]) {
                    Fed::More(count) => at += count,
                    Fed::Done(count) => break at + count,
                    Fed::Broken(_) => panic!("broken at {at}"),
                }
            };
            assert_eq!((&wire[end..], content.first_bytes()), (&b"GET"[..], &b"Wikipedia"[..]));
        }
        let mut framing = Framing::Chunked(Chunk::Size);
        assert_eq!(feed(&mut framing, &mut Content::default(), b"zz\r\n"), Fed::Broken(0));
        framing = Framing::Chunked(Chunk::Data(5));
        assert_eq!(feed(&mut framing, &mut Content::default(), b"12345xx"), Fed::Broken(5));
    }

    #[test]
    fn lost_bytes() {
        let mut framing = Framing::Length(10);
        assert!(skip(&mut framing, 4));
        assert_eq!(framing, Framing::Length(6));
        assert!(!skip(&mut framing, 7));
        assert!(!skip(&mut Framing::Chunked(Chunk::Size), 1));
    }
}
