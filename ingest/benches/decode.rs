//! Speed of the parts that every frame passes through, over the captures in `sample-data`.
//!
//! `cargo bench -p pcapper-ingest`; each figure is bytes of capture a second. The whole process is measured beside its peers
//! by `ingest/benches/peers.py`.

use std::io::Cursor;
use std::path::Path;

use divan::Bencher;
use divan::counter::BytesCount;
use pcapper_ingest::capture::{CaptureReader, Chunk};
use pcapper_ingest::flow::Worker;
use pcapper_ingest::packet;

fn main() {
    divan::main();
}

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn chunks(bytes: &[u8]) -> (Vec<Chunk>, bool) {
    let mut reader = CaptureReader::new(Box::new(Cursor::new(bytes.to_vec()))).expect("a capture");
    let is_pcapng = reader.is_pcapng();
    let mut chunks = Vec::new();
    loop {
        let mut chunk = Chunk::default();
        if !reader.next_chunk(&mut chunk) {
            return (chunks, is_pcapng);
        }
        chunks.push(chunk);
    }
}

fn frame_bytes(chunks: &[Chunk]) -> u64 {
    chunks.iter().flat_map(|chunk| &chunk.frames).map(|frame| u64::from(frame.captured_len)).sum()
}

/// Capture bytes to frames.
#[divan::bench(args = ["http.pcap", "plant.pcapng", "dns.pcap.gz"])]
fn reading(bencher: Bencher, name: &str) {
    let bytes = sample(name);
    let total: u64 = chunks(&bytes).0.iter().map(|chunk| chunk.data.len() as u64).sum();
    bencher.counter(BytesCount::new(total)).bench(|| chunks(&bytes).0.len());
}

/// Frames to transport payloads.
#[divan::bench(args = ["http.pcap", "vlan.pcapng", "modbus.pcap"])]
fn packets(bencher: Bencher, name: &str) {
    let (chunks, _) = chunks(&sample(name));
    bencher.counter(BytesCount::new(frame_bytes(&chunks))).bench(|| {
        let mut payload = 0;
        for chunk in &chunks {
            for frame in &chunk.frames {
                payload += packet::decode(frame.link_type, chunk.bytes(frame), frame.frame_len, frame.fcs_len).payload.len();
            }
        }
        payload
    });
}

/// Frames to rows: reassembly (`tcp.pcapng`), and one dissector of each kind: of frames (`goose.pcap`), of datagrams
/// (`dns.pcap.gz`), of streams (`modbus.pcap`, `http.pcap`).
#[divan::bench(args = ["tcp.pcapng", "goose.pcap", "dns.pcap.gz", "modbus.pcap", "http.pcap"])]
fn rows(bencher: Bencher, name: &str) {
    let (chunks, is_pcapng) = chunks(&sample(name));
    bencher.counter(BytesCount::new(frame_bytes(&chunks))).bench(|| {
        let mut worker = Worker::new(is_pcapng, None);
        for chunk in &chunks {
            for frame in &chunk.frames {
                worker.frame(frame, chunk.bytes(frame), chunk.base + u64::from(frame.start));
            }
        }
        worker.finish();
        worker.tables.take_full(0, 0, "sample", &|| "id").len()
    });
}
