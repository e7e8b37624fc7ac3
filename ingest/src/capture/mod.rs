//! Capture files: pcap and pcapng, plain or compressed, to frames.

pub(crate) mod compression;
mod pcap;
mod pcapng;
mod reader;
pub mod targets;

pub use reader::{CaptureReader, OpenError};

/// One captured frame's place in a [`Chunk`] and what the capture says of it.
#[derive(Clone, Copy, Debug)]
pub struct FrameMeta {
    /// 1-based number in the capture.
    pub number: u64,
    /// Nanoseconds since 1970, UTC.
    pub ts: i64,
    /// The frame carries a time (a pcapng simple packet block does not; `ts` is then that of the frame before).
    pub has_ts: bool,
    /// Where the bytes start in [`Chunk::data`].
    pub start: u32,
    /// Bytes captured.
    pub captured_len: u32,
    /// Bytes on the wire.
    pub frame_len: u32,
    /// Index into [`CaptureInfo::interfaces`].
    pub interface: u32,
    /// LINKTYPE_ number.
    pub link_type: u16,
    /// Bytes of frame check sequence that the link header or interface says are at the frame's end; 0 if unknown.
    pub fcs_len: u8,
    /// Worker that decodes the frame; set by the pipeline.
    pub shard: u8,
}

/// Several frames and their bytes: the unit that travels from the reader to the decoders.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Bytes of the (decompressed) capture, records and all.
    pub data: Vec<u8>,
    /// Offset of `data[0]` in the (decompressed) capture.
    pub base: u64,
    pub frames: Vec<FrameMeta>,
}

impl Chunk {
    /// The captured bytes of a frame of this chunk.
    #[inline]
    pub fn bytes(&self, frame: &FrameMeta) -> &[u8] {
        let start = frame.start as usize;
        self.data.get(start..start + frame.captured_len as usize).unwrap_or_default()
    }
}

/// One capture interface; fields as in the `interfaces` table.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    pub section: u32,
    pub name: Option<String>,
    pub description: Option<String>,
    pub link_type: u16,
    pub snaplen: u32,
    /// `us`, `ns`, `ms`, `s`, else `10^-n` or `2^-n`.
    pub ts_resolution: String,
    pub ts_offset_s: Option<i64>,
    pub timezone: Option<i32>,
    pub filter: Option<String>,
    pub mac: Option<String>,
    pub eui64: Option<String>,
    pub ipv4: Vec<String>,
    pub ipv6: Vec<String>,
    pub speed_bps: Option<u64>,
    pub os: Option<String>,
    pub hardware: Option<String>,
    pub fcs_len: Option<u8>,
    pub comments: Vec<String>,
    pub packets: u64,
    pub captured_bytes: u64,
    pub truncated_packets: u64,
    pub first_ts: Option<i64>,
    pub end_ts: Option<i64>,
    pub received_by_interface: Option<u64>,
    pub dropped_by_interface: Option<u64>,
    pub accepted_by_filter: Option<u64>,
    pub dropped_by_os: Option<u64>,
    pub delivered: Option<u64>,
    pub stats_start_ts: Option<i64>,
    pub stats_end_ts: Option<i64>,
    pub big_endian: bool,
}

/// A damaged or unreadable stretch of the file.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `truncated_record`, `bad_length`, `bad_block`, `decompression_failed`.
    pub kind: &'static str,
    /// Offset in the (decompressed) capture.
    pub offset: u64,
    /// Number of the last frame before it; 0 if none.
    pub after_frame: u64,
    /// One line for a person: what is wrong and where.
    pub detail: String,
}

/// What is known of a capture once it has been read to its end.
#[derive(Clone, Debug, Default)]
pub struct CaptureInfo {
    /// `pcap`, `pcap-ns`, `pcapng`, with `+gzip` and the like.
    pub format: String,
    pub interfaces: Vec<Interface>,
    pub packets: u64,
    pub wire_bytes: u64,
    pub captured_bytes: u64,
    pub first_ts: Option<i64>,
    pub last_ts: Option<i64>,
    /// Frames whose time lies before the frame ahead of them.
    pub out_of_order_timestamps: u64,
    /// The file ends inside a record.
    pub truncated: bool,
    pub skipped_bytes: u64,
    pub hardware: Option<String>,
    pub os: Option<String>,
    pub application: Option<String>,
    pub comments: Vec<String>,
    /// (frame, text) of packet comments.
    pub packet_comments: Vec<(u64, String)>,
    /// (address, name) of name resolution blocks.
    pub names: Vec<(std::net::IpAddr, String)>,
    /// (type, bytes) of decryption secrets blocks.
    pub secrets: Vec<(u32, Vec<u8>)>,
    /// Blocks seen that hold nothing of the above (custom, journal, unknown), by block type.
    pub other_blocks: std::collections::BTreeMap<u32, u64>,
    pub faults: Vec<Fault>,
    /// Time of the last frame that carried one.
    pub(crate) previous_ts: Option<i64>,
}
