//! Classic pcap (draft-ietf-opsawg-pcap): a header, then records.

use super::reader::{MAX_RECORD, Step};
use super::{CaptureInfo, Fault, FrameMeta, Interface};

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Kuznetzov's variant: eight more octets in each record header.
const MODIFIED: u32 = 0xa1b2_cd34;

/// Longest stretch that is searched for the next record behind a damaged one.
const RESYNC: usize = 1 << 20;

/// The file's own conventions.
pub struct Pcap {
    big_endian: bool,
    /// Nanoseconds in a unit of the fraction.
    fraction_ns: i64,
    header_len: usize,
    link_type: u16,
    fcs_len: u8,
    snaplen: u32,
}

struct Record {
    seconds: u32,
    fraction: u32,
    captured: u32,
    length: u32,
}

impl Pcap {
    /// Reads the file header, if it is one.
    pub fn start(first: &[u8], info: &mut CaptureInfo) -> Option<Self> {
        let header: &[u8; 24] = first.first_chunk()?;
        let word = |at: usize, big: bool| -> u32 {
            let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
            if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let (big_endian, magic) =
            [false, true].into_iter().map(|big| (big, word(0, big))).find(|(_, magic)| [MICROSECONDS, NANOSECONDS, MODIFIED].contains(magic))?;
        let network = word(20, big_endian);
        // Bit 26 says that the top nibble holds the length of the frame check sequence, in 16-bit units.
        let fcs_len = if network & 0x0400_0000 != 0 { (network >> 28) as u8 * 2 } else { 0 };
        let link_type = (network & 0xffff) as u16;
        let snaplen = word(16, big_endian);
        info.format = match magic {
            NANOSECONDS => "pcap-ns",
            MODIFIED => "pcap-modified",
            _ => "pcap",
        }
        .to_owned();
        info.interfaces.push(Interface {
            link_type,
            snaplen,
            ts_resolution: if magic == NANOSECONDS { "ns" } else { "us" }.to_owned(),
            fcs_len: (fcs_len > 0).then_some(fcs_len),
            big_endian,
            ..Interface::default()
        });
        let header_len = if magic == MODIFIED { 24 } else { 16 };
        Some(Self { big_endian, fraction_ns: if magic == NANOSECONDS { 1 } else { 1000 }, header_len, link_type, fcs_len, snaplen })
    }

    fn header(&self, bytes: &[u8]) -> Option<Record> {
        let header: &[u8; 16] = bytes.first_chunk()?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *header;
        let word = |bytes| if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        Some(Record { seconds: word([a, b, c, d]), fraction: word([e, f, g, h]), captured: word([i, j, k, l]), length: word([m, n, o, p]) })
    }

    /// Takes the record at the start of `rest`, which lies at `start` of the chunk and `offset` of the capture.
    #[inline]
    pub fn record(&mut self, rest: &[u8], start: usize, offset: u64, info: &mut CaptureInfo, frames: &mut Vec<FrameMeta>) -> Step {
        let Some(record) = self.header(rest) else { return Step::More };
        let captured = record.captured as usize;
        if captured > MAX_RECORD || (captured > self.longest() && record.captured > record.length) {
            return self.resynchronise(rest, offset, info.packets, &record);
        }
        let whole = self.header_len + captured;
        if rest.len() < whole {
            return Step::More;
        }
        let ts = i64::from(record.seconds) * 1_000_000_000 + i64::from(record.fraction) * self.fraction_ns;
        info.count(Some(ts), 0, record.captured, record.length);
        frames.push(FrameMeta {
            number: info.packets,
            ts,
            has_ts: true,
            start: (start + self.header_len) as u32,
            captured_len: record.captured,
            frame_len: record.length,
            interface: 0,
            link_type: self.link_type,
            fcs_len: self.fcs_len,
            shard: 0,
        });
        Step::Record(whole)
    }

    /// Most bytes that a sound record of this file holds: some writers exceed their own limit.
    fn longest(&self) -> usize {
        (self.snaplen as usize).max(262_144)
    }

    /// Looks for the next record behind a damaged header: two plausible headers in a row.
    fn resynchronise(&self, rest: &[u8], offset: u64, packets: u64, damaged: &Record) -> Step {
        let plausible = |at: usize| -> Option<usize> {
            let record = self.header(rest.get(at..)?)?;
            let near = record.seconds.abs_diff(damaged.seconds) < 86_400 || damaged.seconds == 0;
            let sane = (record.fraction as i64) < 1_000_000_000 / self.fraction_ns && record.captured > 0 && record.captured <= record.length;
            (near && sane && (record.length as usize) <= self.longest()).then_some(at + self.header_len + record.captured as usize)
        };
        let window = rest.len().min(RESYNC);
        let found = (1..window).find(|&at| plausible(at).is_some_and(|next| plausible(next).is_some()));
        let skipped = found.unwrap_or(rest.len());
        Step::Damaged(
            skipped,
            Fault {
                kind: "bad_length",
                offset,
                after_frame: packets,
                detail: format!(
                    "record after packet {packets} (byte {offset}) says it holds {} bytes; {skipped} bytes were passed over",
                    damaged.captured
                ),
            },
        )
    }
}
