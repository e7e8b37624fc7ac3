//! A capture's bytes, cut into chunks of whole records.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::compression::{self, Compression};
use super::pcap::Pcap;
use super::pcapng::PcapNg;
use super::{CaptureInfo, Chunk, Fault};
use crate::{interrupt, profile};

/// Bytes of records in a chunk.
const CHUNK: usize = 2 << 20;
/// Bytes asked of a decompressor at once. Where its data is damaged, what it had made of the piece at hand is lost with the
/// error: a small piece loses few packets.
const DECOMPRESSED: usize = 4 << 10;
/// Longest record: anything longer is a lying length.
pub(super) const MAX_RECORD: usize = 64 << 20;

/// Why a file is not read as a capture.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("file is empty")]
    Empty,
    #[error("not a capture (first bytes {0})")]
    NotACapture(String),
    #[error("{format} is not supported; convert it first: {hint}")]
    Known { format: &'static str, hint: &'static str },
    /// It breaks off before anything tells what it is.
    #[error("cannot be unpacked: {0}")]
    Packed(String),
    #[error("{}", super::targets::readable(.0))]
    Io(#[from] io::Error),
}

/// What a parser made of the bytes at hand.
pub(super) enum Step {
    /// One record of so many bytes.
    Record(usize),
    /// The record is longer than the bytes at hand.
    More,
    /// The record at hand is damaged; so many bytes are passed over.
    Damaged(usize, Fault),
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// Reads one capture from start to end.
pub struct CaptureReader {
    source: Box<dyn Read + Send>,
    format: Format,
    info: CaptureInfo,
    /// The start of a record whose rest is not read yet.
    carry: Vec<u8>,
    /// Offset of the carry in the (decompressed) capture.
    offset: u64,
    /// Most bytes that are asked for at once.
    step: usize,
    ended: bool,
    /// Why decompression ended early, and how far it came: told once the records before are decoded.
    failed: Option<(io::Error, u64)>,
}

impl CaptureReader {
    /// Opens a file, whatever it is called: the content decides.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::new(Box::new(File::open(path)?))
    }

    /// Starts on a source of bytes, which may be compressed.
    pub fn new(source: Box<dyn Read + Send>) -> Result<Self, OpenError> {
        let (mut source, compression) = compression::open(source)?;
        let mut first = vec![0; 4096];
        let mut have = 0;
        let mut fault = None;
        while have < 24 {
            match source.read(first.get_mut(have..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(count) => have += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted && !interrupt::is_asked() => {}
                Err(error) if compression == Compression::None => return Err(error.into()),
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        first.truncate(have);
        if first.len() < 24
            && let Some(error) = fault
        {
            return Err(OpenError::Packed(why_not_unpacked(&error)));
        }
        if first.is_empty() {
            return Err(OpenError::Empty);
        }
        let mut info = CaptureInfo::default();
        let (format, header) = match (Pcap::start(&first, &mut info), PcapNg::recognises(&first)) {
            (Some(pcap), _) => (Format::Pcap(pcap), 24),
            (None, true) => {
                info.format = "pcapng".to_owned();
                (Format::PcapNg(PcapNg::default()), 0)
            }
            (None, false) => return Err(unknown(&first)),
        };
        info.format.push_str(compression.suffix());
        let step = if compression == Compression::None { CHUNK } else { DECOMPRESSED };
        Ok(Self { source, format, info, carry: first.split_off(header), offset: header as u64, step, ended: false, failed: None })
    }

    /// The frames bear interface numbers of the capture's own.
    pub fn is_pcapng(&self) -> bool {
        matches!(self.format, Format::PcapNg(_))
    }

    /// What is known of the capture so far.
    pub fn so_far(&self) -> &CaptureInfo {
        &self.info
    }

    /// Fills `chunk` with the next records; false at the end, and where all is to stop.
    pub fn next_chunk(&mut self, chunk: &mut Chunk) -> bool {
        let timer = profile::start();
        let is_more = self.cut_chunk(chunk);
        timer.stop("stage", "records", chunk.frames.len() as u64, chunk.data.len() as u64);
        is_more
    }

    fn cut_chunk(&mut self, chunk: &mut Chunk) -> bool {
        chunk.frames.clear();
        chunk.data.clear();
        if interrupt::is_asked() {
            return false;
        }
        chunk.data.append(&mut self.carry);
        chunk.base = self.offset;
        let mut target = CHUNK;
        let mut done = 0;
        loop {
            self.fill(&mut chunk.data, target);
            loop {
                let rest = chunk.data.get(done..).unwrap_or_default();
                if rest.is_empty() {
                    break;
                }
                let at = self.offset + done as u64;
                let step = match &mut self.format {
                    Format::Pcap(pcap) => pcap.record(rest, done, at, &mut self.info, &mut chunk.frames),
                    Format::PcapNg(pcapng) => pcapng.block(rest, done, at, &mut self.info, &mut chunk.frames),
                };
                match step {
                    Step::Record(length) => done += length,
                    Step::More => break,
                    Step::Damaged(length, fault) => {
                        self.info.skipped_bytes += length as u64;
                        self.info.faults.push(fault);
                        done += length;
                    }
                }
            }
            let left = chunk.data.len() - done;
            if self.ended {
                // One reason is told: what could not be read ends inside a record too.
                if let Some((error, at)) = self.failed.take() {
                    self.info.truncated = true;
                    self.info.faults.push(decompression_fault(&error, at, self.info.packets));
                } else if left > 0 {
                    self.cut_short(left, self.offset + done as u64);
                }
                chunk.data.truncate(done);
                break;
            }
            // A record longer than the chunk, or nothing but blocks without frames: read on.
            if done > 0 && (!chunk.frames.is_empty() || left == 0) {
                break;
            }
            target = chunk.data.len() + CHUNK;
        }
        self.carry = chunk.data.split_off(done.min(chunk.data.len()));
        self.offset += done as u64;
        !chunk.frames.is_empty() || !self.ended
    }

    /// Decryption secrets met so far: type and content.
    pub fn secrets(&self) -> &[(u32, Vec<u8>)] {
        &self.info.secrets
    }

    /// What is known of the capture, once [`CaptureReader::next_chunk`] has given false.
    pub fn finish(self) -> CaptureInfo {
        self.info
    }

    /// Reads until `data` holds `target` bytes or the source ends.
    fn fill(&mut self, data: &mut Vec<u8>, target: usize) {
        let mut have = data.len();
        data.resize(target.max(have), 0);
        while have < target && !self.ended {
            let end = have.saturating_add(self.step).min(target);
            match self.source.read(data.get_mut(have..end).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(count) => have += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.failed = Some((error, self.offset + have as u64));
                }
            }
        }
        data.truncate(have);
    }

    /// The file ends inside the record at `offset`.
    fn cut_short(&mut self, left: usize, offset: u64) {
        self.info.truncated = true;
        let packets = self.info.packets;
        self.info.faults.push(Fault {
            kind: "truncated_record",
            offset,
            after_frame: packets,
            detail: format!(
                "the file ends inside a record at byte {offset} ({left} bytes of it are there); {packets} packets before it were decoded"
            ),
        });
    }
}

fn why_not_unpacked(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed data breaks off".to_owned(),
        _ => error.to_string(),
    }
}

fn decompression_fault(error: &io::Error, offset: u64, packets: u64) -> Fault {
    let why = why_not_unpacked(error);
    Fault {
        kind: "decompression_failed",
        offset,
        after_frame: packets,
        detail: format!("cannot be read beyond byte {offset} of the capture: {why}; {packets} packets before it were decoded"),
    }
}

/// Looks like the first record of an Endace ERF file, a format without a magic number: a time since 1990 (its upper half
/// counts seconds, little-endian), a known record type, and a record at least as long as its header.
fn is_erf(first: &[u8]) -> bool {
    let [_, _, _, _, s0, s1, s2, s3, kind, _, len0, len1, _, _, wire0, wire1, ..] = *first else { return false };
    let seconds = u32::from_le_bytes([s0, s1, s2, s3]);
    (631_152_000..=2_208_988_800).contains(&seconds)
        && matches!(kind & 0x7f, 1..=27 | 48)
        && u16::from_be_bytes([len0, len1]) >= 16
        && u16::from_be_bytes([wire0, wire1]) > 0
}

/// Formats of other tools are named, with the way out.
fn unknown(first: &[u8]) -> OpenError {
    const EDITCAP: &str = "editcap -F pcapng IN OUT";
    let known = |format| OpenError::Known { format, hint: EDITCAP };
    match first {
        [b's', b'n', b'o', b'o', b'p', 0, 0, 0, ..] => known("snoop"),
        [b'G', b'M', b'B', b'U', ..] => known("Microsoft Network Monitor 2"),
        [b'R', b'T', b'S', b'S', ..] => known("Microsoft Network Monitor 1"),
        [b'X', b'C', b'P', 0, ..] => known("NetXRay"),
        [b'T', b'R', b'S', b'N', b'I', b'F', b'F', ..] => known("Network General Sniffer"),
        [b'P', b'K', 3, 4, ..] => OpenError::Known { format: "a zip archive", hint: "unpack it" },
        [b'B', b'Z', b'h', ..] => OpenError::Known { format: "bzip2", hint: "bunzip2" },
        _ if is_erf(first) => known("Endace ERF"),
        _ => {
            let bytes: Vec<String> = first.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            OpenError::NotACapture(bytes.join(" "))
        }
    }
}

impl CaptureInfo {
    /// Counts one frame.
    pub(super) fn count(&mut self, ts: Option<i64>, interface: usize, captured: u32, length: u32) {
        self.packets += 1;
        self.wire_bytes += u64::from(length);
        self.captured_bytes += u64::from(captured);
        if let Some(ts) = ts {
            if self.previous_ts.is_some_and(|previous| ts < previous) {
                self.out_of_order_timestamps += 1;
            }
            self.previous_ts = Some(ts);
            self.first_ts = Some(self.first_ts.map_or(ts, |first| first.min(ts)));
            self.last_ts = Some(self.last_ts.map_or(ts, |last| last.max(ts)));
        }
        if let Some(interface) = self.interfaces.get_mut(interface) {
            interface.packets += 1;
            interface.captured_bytes += u64::from(captured);
            interface.truncated_packets += u64::from(captured < length);
            if let Some(ts) = ts {
                interface.first_ts = Some(interface.first_ts.map_or(ts, |first| first.min(ts)));
                interface.end_ts = Some(interface.end_ts.map_or(ts, |last| last.max(ts)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    /// A capture of 2,000 frames of 100 bytes that do not compress well.
    fn capture() -> Vec<u8> {
        let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
        let mut noise = 1_u32;
        for second in 0..2000_u32 {
            for field in [second, 0, 100, 100] {
                bytes.extend_from_slice(&field.to_le_bytes());
            }
            for _ in 0..25 {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.extend_from_slice(&noise.to_be_bytes());
            }
        }
        bytes
    }

    fn read(bytes: Vec<u8>) -> (u64, Vec<Fault>) {
        let mut reader = CaptureReader::new(Box::new(Cursor::new(bytes))).unwrap();
        let mut chunk = Chunk::default();
        while reader.next_chunk(&mut chunk) {}
        let info = reader.finish();
        (info.packets, info.faults)
    }

    #[test]
    fn frames_before_damage_in_compressed_data_are_kept() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&capture()).unwrap();
        let mut bytes = encoder.finish().unwrap();
        assert_eq!(read(bytes.clone()).0, 2000);
        let middle = bytes.len() / 2;
        bytes.truncate(middle);
        let (packets, faults) = read(bytes);
        assert!((940..=1000).contains(&packets), "{packets}");
        assert!(faults[0].detail.contains("the compressed data breaks off"), "{}", faults[0].detail);
    }

    #[test]
    fn formats_of_other_tools_are_named() {
        let erf = [0, 0, 0, 0, 0, 0, 0, 0x60, 2, 4, 0, 82, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0];
        let Err(error) = CaptureReader::new(Box::new(Cursor::new(erf.to_vec()))) else { panic!("accepted") };
        assert!(error.to_string().starts_with("Endace ERF is not supported"), "{error}");
    }
}
