//! Compressed captures, known by their first bytes.

use std::io::{BufRead, BufReader, Read};

use crate::profile::Timed;

/// How a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
    Lz4,
    Xz,
}

impl Compression {
    /// Known by magic number.
    pub fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::None,
        }
    }

    /// What `captures.format` appends.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => "+gzip",
            Self::Zstd => "+zstd",
            Self::Lz4 => "+lz4",
            Self::Xz => "+xz",
        }
    }
}

/// Memory that an xz stream may ask for.
const XZ_MEMORY: u64 = 256 << 20;
/// Largest zstd window, as a power of two.
const ZSTD_WINDOW: u32 = 27;

/// The decompressed bytes of a source, and how they were compressed.
pub fn open(source: Box<dyn Read + Send>) -> std::io::Result<(Box<dyn Read + Send>, Compression)> {
    let source = Timed { source, stage: "read", is_sampled: false };
    let mut source = BufReader::with_capacity(256 << 10, source);
    let compression = Compression::of(source.fill_buf()?);
    let plain: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(source),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
        Compression::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(source)),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(source, stream))
        }
    };
    // Decompressors are asked for little at a time.
    let plain: Box<dyn Read + Send> = match compression {
        Compression::None => plain,
        _ => Box::new(Timed { source: plain, stage: "decompress", is_sampled: true }),
    };
    Ok((plain, compression))
}
