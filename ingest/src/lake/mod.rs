//! From a capture file to its place in the lake.
//!
//! One thread reads; each worker decodes the frames of its share of the host pairs and encodes its own rows. What comes
//! out does not depend on the number of workers.

mod chunks;
mod delta;
mod index;
mod key;
pub mod upkeep;
mod writer;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use crossbeam_channel::{Receiver, Sender, bounded};
use pcapper_schema::lake::{Fault, Manifest, capture_id, read_manifest};
use pcapper_schema::tables::{Anomalies, Captures, HostNames, Interfaces};
use pcapper_schema::{Common, Row, SCHEMA_VERSION, TableDef, TableSet};

use crate::capture::targets::Target;
use crate::capture::{CaptureInfo, CaptureReader, Chunk, OpenError};
use crate::decrypt::Keyring;
use crate::flow::Worker;
use crate::{interrupt, packet, profile};
pub use index::{Spool, spool};
use writer::CaptureWriter;

/// Rows of a table that a worker collects before they are encoded.
const BATCH_ROWS: usize = 64 << 10;
/// Bytes of a table that a worker collects before they are encoded.
const BATCH_BYTES: usize = 16 << 20;
/// Captures smaller than this are decoded without threads: starting them would take longer.
const SMALL: u64 = 2 << 20;

/// Why a capture could not be brought into the lake.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("cannot write the lake at {}: {source}", path.display())]
    Lake { path: PathBuf, source: std::io::Error },
    #[error("cannot write the lake: {}", cause(.0))]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("cannot write the lake: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    #[error("changed while it was read; run again once nobody writes to it")]
    Changed,
    #[error("interrupted")]
    Interrupted,
}

/// What lies behind an error of the writer of tables: a full disk, mostly.
fn cause(error: &parquet::errors::ParquetError) -> String {
    match error {
        parquet::errors::ParquetError::External(source) => source.to_string(),
        other => other.to_string(),
    }
}

/// How to decode.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Worker threads; 0 for one a core.
    pub threads: usize,
    /// Keys to decrypt with, beside those in the capture itself.
    pub keys: &'a Keyring,
}

/// A capture of the lake.
#[derive(Clone, Debug)]
pub struct Ingested {
    pub manifest: Manifest,
    /// Its content was in the lake already: nothing was decoded.
    pub cached: bool,
}

/// Brings a capture into the lake, unless its content is there already. `progress` is told the bytes of the capture decoded
/// so far.
pub fn ingest(target: &Target, lake: &Path, options: Options<'_>, progress: &(dyn Fn(u64) + Sync)) -> Result<Ingested, IngestError> {
    let source = index::identify(target, lake)?;
    let threads = match options.threads {
        0 if source.size < SMALL => 1,
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let digest = options.keys.digest();
    let id_of = |sha256: &str| capture_id(sha256, digest.as_deref());
    let sha256 = match &source.sha256 {
        None if threads == 1 => Some(source.hash()?),
        known => known.clone(),
    };
    if let Some(manifest) = sha256.as_ref().and_then(|sha256| read_manifest(lake, &id_of(sha256))) {
        profile::count("lake", "in the lake already");
        return Ok(Ingested { manifest, cached: true });
    }
    let reader = CaptureReader::new(Box::new(source.open()?))?;
    key::load(lake).map_err(|source| IngestError::Lake { path: lake.to_owned(), source })?;
    let mut writer = CaptureWriter::create(lake)?;
    let names = Names { capture: source.name.clone(), id: OnceLock::new() };
    if let Some(sha256) = &sha256 {
        let _ = names.id.set(id_of(sha256));
    }
    let decode = |reader, writer: &CaptureWriter, keys, is_known: &AtomicBool| match threads {
        1 => decode_alone(reader, writer, &names, keys, progress),
        _ => decode_shared(reader, writer, &names, threads, keys, progress, is_known),
    };
    let first = FirstKeys { given: options.keys, of_capture: None };
    let (mut decoded, sha256) = match sha256 {
        Some(sha256) => (decode(reader, &writer, &first, &AtomicBool::new(false))?, sha256),
        // The hash is made while the capture is decoded. Where the same content turns out to be in the lake, that stops.
        None => {
            let (is_known, in_lake) = (AtomicBool::new(false), OnceLock::new());
            let (decoded, hash) = std::thread::scope(|scope| {
                let hashing = scope.spawn(|| {
                    let hash = source.hash();
                    let id = hash.as_deref().map(id_of).unwrap_or_default();
                    if let Some(manifest) = read_manifest(lake, &id) {
                        let _ = in_lake.set(manifest);
                        is_known.store(true, Ordering::Relaxed);
                    }
                    let _ = names.id.set(id);
                    hash
                });
                let decoded = decode(reader, &writer, &first, &is_known);
                (decoded, hashing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            });
            let sha256 = hash?;
            if let Some(manifest) = in_lake.into_inner() {
                profile::count("lake", "in the lake already");
                return Ok(Ingested { manifest, cached: true });
            }
            (decoded?, sha256)
        }
    };
    // Keys in the capture hold for the packets before them as well: where they come late, it is decoded once more.
    if decoded.late_keys {
        writer = CaptureWriter::create(lake)?;
        let all = FirstKeys { given: options.keys, of_capture: Some(&decoded.info.secrets) };
        decoded = decode(CaptureReader::new(Box::new(source.open()?))?, &writer, &all, &AtomicBool::new(false))?;
    }
    if interrupt::is_asked() {
        return Err(IngestError::Interrupted);
    }
    if !source.is_as_it_was() {
        return Err(IngestError::Changed);
    }
    let info = decoded.info;
    let manifest = Manifest {
        schema: SCHEMA_VERSION,
        capture_id: id_of(&sha256),
        capture: source.name.clone(),
        sha256,
        file_size_bytes: source.size,
        ..Manifest::default()
    };
    profile::count("lake", "decoded");
    finish(&info, &source, writer, manifest).map(|manifest| Ingested { manifest, cached: false })
}

/// Keys that are known when the decode begins.
struct FirstKeys<'a> {
    given: &'a Keyring,
    /// Decryption secrets of the whole capture, where it was read before.
    of_capture: Option<&'a [(u32, Vec<u8>)]>,
}

impl FirstKeys<'_> {
    /// Keys to decode with, when so much of the capture's own secrets was met before the first packets are decoded.
    fn ring(&self, met: &[(u32, Vec<u8>)]) -> Option<Arc<Keyring>> {
        let mut ring = self.given.clone();
        for (kind, data) in self.of_capture.unwrap_or(met) {
            ring.add_block(*kind, data);
        }
        (!ring.is_empty()).then(|| Arc::new(ring))
    }
}

/// What a decode gave beside the rows.
struct Decoded {
    info: CaptureInfo,
    /// Decryption secrets came behind the first packets.
    late_keys: bool,
}

impl Decoded {
    fn new(info: CaptureInfo, keys: &FirstKeys<'_>, met: usize) -> Self {
        Self { late_keys: keys.of_capture.is_none() && info.secrets.len() > met, info }
    }
}

/// What stands in every row of a capture's tables.
struct Names {
    capture: String,
    /// May be found only while the decode runs.
    id: OnceLock<String>,
}

impl Names {
    /// The rows of each table that has collected enough of them.
    fn take_full(&self, tables: &mut TableSet, rows: usize, bytes: usize) -> Vec<Batch> {
        // The id is waited for when there is something to name.
        tables.take_full(rows, bytes, &self.capture, &|| self.id.wait().as_str())
    }
}

/// Rows on their way to a file.
type Batch = (&'static TableDef, RecordBatch);

/// A share of the work on its way to the workers.
struct Work {
    chunk: Chunk,
    /// Latest time that the capture had reached before this chunk.
    clock: i64,
}

fn decode_alone(
    mut reader: CaptureReader,
    writer: &CaptureWriter,
    names: &Names,
    keys: &FirstKeys<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Decoded, IngestError> {
    let mut chunk = Chunk::default();
    let mut goes_on = reader.next_chunk(&mut chunk);
    let met = reader.secrets().len();
    let mut worker = Worker::new(reader.is_pcapng(), keys.ring(reader.secrets()));
    let mut clock = i64::MIN;
    while goes_on {
        let timer = profile::start();
        worker.sweep(clock);
        for meta in &chunk.frames {
            worker.frame(meta, chunk.bytes(meta), chunk.base + u64::from(meta.start));
            clock = clock.max(meta.ts);
        }
        timer.stop("stage", "flows", chunk.frames.len() as u64, chunk.data.len() as u64);
        flush(&mut worker.tables, writer, names, BATCH_ROWS, BATCH_BYTES)?;
        progress(chunk.base + chunk.data.len() as u64);
        goes_on = reader.next_chunk(&mut chunk);
    }
    worker.finish();
    flush(&mut worker.tables, writer, names, 0, 0)?;
    Ok(Decoded::new(reader.finish(), keys, met))
}

fn decode_shared(
    mut reader: CaptureReader,
    writer: &CaptureWriter,
    names: &Names,
    threads: usize,
    keys: &FirstKeys<'_>,
    progress: &(dyn Fn(u64) + Sync),
    is_known: &AtomicBool,
) -> Result<Decoded, IngestError> {
    let has_interfaces = reader.is_pcapng();
    let mut first = Work { chunk: Chunk::default(), clock: i64::MIN };
    let mut first = reader.next_chunk(&mut first.chunk).then_some(first);
    let met = reader.secrets().len();
    let ring = keys.ring(reader.secrets());
    std::thread::scope(|scope| {
        let mut queues = Vec::new();
        let mut workers = Vec::new();
        // A few hosts may have most of the traffic: whoever is idle encodes what the busy worker decoded.
        let (to_encode, batches) = bounded::<Batch>(1);
        for shard in 0..threads {
            let (sender, queue) = bounded::<Arc<Work>>(4);
            queues.push(sender);
            let to_encode = to_encode.clone();
            let keys = ring.clone();
            workers.push(scope.spawn(move || run_worker(&queue, shard, has_interfaces, keys, &to_encode, names)));
        }
        drop(to_encode);
        let mut encoders: Vec<_> = (0..threads.min(2))
            .map(|_| {
                let batches = batches.clone();
                scope.spawn(move || batches.iter().try_for_each(|(def, batch)| writer.write(def, &batch)))
            })
            .collect();
        drop(batches);
        let mut clock = i64::MIN;
        let mut sent: VecDeque<Arc<Work>> = VecDeque::new();
        loop {
            if is_known.load(Ordering::Relaxed) {
                break;
            }
            let next = first.take().or_else(|| {
                let mut work = spare(&mut sent);
                reader.next_chunk(&mut work.chunk).then_some(work)
            });
            let Some(mut work) = next else { break };
            work.clock = clock;
            let chunk = &mut work.chunk;
            for at in 0..chunk.frames.len() {
                let Some(meta) = chunk.frames.get(at).copied() else { break };
                let key = packet::peek(meta.link_type, chunk.bytes(&meta)).key;
                clock = clock.max(meta.ts);
                if let Some(meta) = chunk.frames.get_mut(at) {
                    meta.shard = (key % threads as u64) as u8;
                }
            }
            let done = chunk.base + chunk.data.len() as u64;
            let work = Arc::new(work);
            // A worker that failed has hung up; its error is found below.
            if queues.iter().any(|queue| queue.send(Arc::clone(&work)).is_err()) {
                break;
            }
            sent.push_back(work);
            progress(done);
        }
        drop(queues);
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
        for encoder in encoders.drain(..) {
            match encoder.join() {
                Ok(outcome) => outcome?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(Decoded::new(reader.finish(), keys, met))
    })
}

/// A chunk whose memory can be used: one that every worker is done with, else a new one.
fn spare(sent: &mut VecDeque<Arc<Work>>) -> Work {
    if sent.front().is_some_and(|oldest| Arc::strong_count(oldest) == 1)
        && let Some(oldest) = sent.pop_front()
        && let Some(work) = Arc::into_inner(oldest)
    {
        return work;
    }
    Work { chunk: Chunk::default(), clock: i64::MIN }
}

fn run_worker(queue: &Receiver<Arc<Work>>, shard: usize, has_interfaces: bool, keys: Option<Arc<Keyring>>, to_encode: &Sender<Batch>, names: &Names) {
    let mut worker = Worker::new(has_interfaces, keys);
    let pass_on = |tables: &mut TableSet, rows: usize, bytes: usize| {
        let mut full = names.take_full(tables, rows, bytes).into_iter();
        // The encoders hang up when writing fails: then nothing more is worth decoding.
        full.all(|batch| to_encode.send(batch).is_ok())
    };
    for work in queue {
        let timer = profile::start();
        let (mut frames, mut bytes) = (0, 0);
        worker.sweep(work.clock);
        for meta in work.chunk.frames.iter().filter(|meta| usize::from(meta.shard) == shard) {
            let frame = work.chunk.bytes(meta);
            worker.frame(meta, frame, work.chunk.base + u64::from(meta.start));
            (frames, bytes) = (frames + 1, bytes + frame.len() as u64);
        }
        timer.stop("stage", "flows", frames, bytes);
        if !pass_on(&mut worker.tables, BATCH_ROWS, BATCH_BYTES) {
            return;
        }
    }
    worker.finish();
    pass_on(&mut worker.tables, 0, 0);
}

fn flush(tables: &mut TableSet, writer: &CaptureWriter, names: &Names, rows: usize, bytes: usize) -> Result<(), IngestError> {
    for (def, batch) in names.take_full(tables, rows, bytes) {
        writer.write(def, &batch)?;
    }
    Ok(())
}

/// Writes what is known only at the end, and gives the capture its place.
fn finish(info: &CaptureInfo, source: &index::Source, writer: CaptureWriter, mut manifest: Manifest) -> Result<Manifest, IngestError> {
    manifest.format = info.format.clone();
    manifest.packets = info.packets;
    manifest.wire_bytes = info.wire_bytes;
    manifest.first_ts = info.first_ts;
    manifest.last_ts = info.last_ts;
    manifest.faults = info.faults.iter().map(|fault| Fault { offset: fault.offset, detail: fault.detail.clone() }).collect();
    manifest.truncated = info.truncated;
    manifest.skipped_bytes = info.skipped_bytes;
    let mut tables = TableSet::default();
    capture_rows(info, source, &manifest.sha256, &mut tables);
    let names = Names { capture: manifest.capture.clone(), id: OnceLock::from(manifest.capture_id.clone()) };
    flush(&mut tables, &writer, &names, 0, 0)?;
    writer.commit(manifest)
}

fn capture_rows(info: &CaptureInfo, source: &index::Source, sha256: &str, tables: &mut TableSet) {
    let texts = |list: &[String]| list.iter().map(|text| std::borrow::Cow::Owned(text.clone())).collect::<Vec<_>>();
    let mut link_types: Vec<std::borrow::Cow<'_, str>> = Vec::new();
    for interface in info.interfaces.iter().filter(|interface| interface.packets > 0 || info.packets == 0) {
        let name = packet::link_type_name(interface.link_type);
        if !link_types.contains(&name) {
            link_types.push(name);
        }
    }
    let comments = texts(&info.comments);
    let span = info.first_ts.zip(info.last_ts);
    let row = Captures {
        path: Some(&source.shown),
        sha256: Some(sha256),
        file_size_bytes: Some(source.size),
        format: Some(&info.format),
        link_types: Some(&link_types),
        snaplen: info.interfaces.iter().map(|interface| interface.snaplen).filter(|&length| length > 0).min(),
        packets: Some(info.packets),
        wire_bytes: Some(info.wire_bytes),
        captured_bytes: Some(info.captured_bytes),
        end_ts: info.last_ts,
        duration_s: span.map(|(first, last)| last.saturating_sub(first) as f64 / 1e9),
        out_of_order_timestamps: Some(info.out_of_order_timestamps),
        truncated: Some(info.truncated),
        skipped_bytes: Some(info.skipped_bytes),
        hardware: info.hardware.as_deref(),
        os: info.os.as_deref(),
        application: info.application.as_deref(),
        comments: Some(&comments[..]).filter(|list| !list.is_empty()),
    };
    Captures::slot(tables).push(&Common { ts: info.first_ts, ..Common::default() }, row);
    for (number, interface) in info.interfaces.iter().enumerate() {
        let (ipv4, ipv6, comments) = (texts(&interface.ipv4), texts(&interface.ipv6), texts(&interface.comments));
        let link_type_name = packet::link_type_name(interface.link_type);
        let row = Interfaces {
            interface_id: Some(number as u32),
            section: Some(interface.section),
            name: interface.name.as_deref(),
            description: interface.description.as_deref(),
            link_type: Some(interface.link_type),
            link_type_name: Some(&link_type_name),
            snaplen: Some(interface.snaplen),
            ts_resolution: Some(&interface.ts_resolution),
            ts_offset_s: interface.ts_offset_s,
            timezone: interface.timezone,
            filter: interface.filter.as_deref(),
            mac: interface.mac.as_deref(),
            eui64: interface.eui64.as_deref(),
            ipv4: Some(&ipv4[..]).filter(|list| !list.is_empty()),
            ipv6: Some(&ipv6[..]).filter(|list| !list.is_empty()),
            speed_bps: interface.speed_bps,
            os: interface.os.as_deref(),
            hardware: interface.hardware.as_deref(),
            fcs_len: interface.fcs_len,
            comments: Some(&comments[..]).filter(|list| !list.is_empty()),
            packets: Some(interface.packets),
            captured_bytes: Some(interface.captured_bytes),
            truncated_packets: Some(interface.truncated_packets),
            first_ts: interface.first_ts,
            end_ts: interface.end_ts,
            received_by_interface: interface.received_by_interface,
            dropped_by_interface: interface.dropped_by_interface,
            accepted_by_filter: interface.accepted_by_filter,
            dropped_by_os: interface.dropped_by_os,
            delivered: interface.delivered,
            stats_start_ts: interface.stats_start_ts,
            stats_end_ts: interface.stats_end_ts,
            byte_order: Some(if interface.big_endian { "big" } else { "little" }),
        };
        Interfaces::slot(tables).push(&Common { ts: interface.first_ts, ..Common::default() }, row);
    }
    for fault in &info.faults {
        let common = Common { frame: fault.after_frame, ..Common::default() };
        let row = Anomalies { protocol: Some("captures"), kind: Some(fault.kind), detail: Some(&fault.detail) };
        Anomalies::slot(tables).push(&common, row);
    }
    for (frame, comment) in &info.packet_comments {
        let row = Anomalies { protocol: Some("captures"), kind: Some("packet_comment"), detail: Some(comment) };
        Anomalies::slot(tables).push(&Common { frame: *frame, ..Common::default() }, row);
    }
    for (kind, bytes) in &info.secrets {
        let detail = format!("decryption secrets of type 0x{kind:08x}, {} bytes", bytes.len());
        let row = Anomalies { protocol: Some("captures"), kind: Some("embedded_secrets"), detail: Some(&detail) };
        Anomalies::slot(tables).push(&Common::default(), row);
    }
    for (address, name) in &info.names {
        let name = name.to_lowercase();
        let row = HostNames {
            ip: Some(*address),
            name: Some(&name),
            kind: Some("user_given"),
            source: Some("pcapng.name_resolution"),
            confidence: Some("medium"),
            seen: Some(1),
            ..HostNames::default()
        };
        HostNames::slot(tables).push(&Common { ts: info.first_ts, ..Common::default() }, row);
    }
}
