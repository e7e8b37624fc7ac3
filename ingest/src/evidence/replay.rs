//! Going through a capture once more.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pcapper_schema::TableSet;
use rustc_hash::FxHashSet;

use super::each_frame;
use crate::capture::{CaptureReader, Chunk, OpenError};
use crate::decrypt::Keyring;
use crate::decrypt::plaintext::Plaintext;
use crate::flow::{Heard, HeardLayer, Moment, What, Worker};
use crate::interrupt;
use crate::packet;
use crate::protocols::files::{Kept, keep, kept};

/// Which part of a capture is gone through.
#[derive(Clone, Debug)]
pub enum Share {
    All,
    /// Everything between the pairs of hosts that these frames (by number) are about: what they said to each other is put
    /// together as if all had been gone through.
    HostsOf(Vec<u64>),
}

impl Share {
    /// The keys by which the frames that belong together are known; `None` for all.
    fn keys(&self, path: &Path) -> Result<Option<FxHashSet<u64>>, OpenError> {
        let Self::HostsOf(frames) = self else { return Ok(None) };
        let mut wanted: Vec<u64> = frames.clone();
        wanted.sort_unstable();
        wanted.dedup();
        let Some(last) = wanted.last().copied() else { return Ok(Some(FxHashSet::default())) };
        let mut keys = FxHashSet::default();
        each_frame(path, |meta, bytes, _| {
            if wanted.binary_search(&meta.number).is_ok() {
                keys.insert(packet::peek(meta.link_type, bytes).key);
            }
            meta.number < last
        })?;
        Ok(Some(keys))
    }
}

/// Feeds the share's frames to a worker; `after` is called behind each and at the end, and stops all by giving false.
fn feed(path: &Path, share: &Share, worker: &mut Worker, mut after: impl FnMut(&mut Worker) -> bool) -> Result<(), OpenError> {
    let keys = share.keys(path)?;
    let mut reader = CaptureReader::open(path)?;
    let mut chunk = Chunk::default();
    let mut clock = i64::MIN;
    while reader.next_chunk(&mut chunk) {
        // The rows are in the lake already.
        worker.tables = TableSet::default();
        worker.sweep(clock);
        for meta in &chunk.frames {
            clock = clock.max(meta.ts);
            let bytes = chunk.bytes(meta);
            if keys.as_ref().is_some_and(|keys| !keys.contains(&packet::peek(meta.link_type, bytes).key)) {
                continue;
            }
            worker.frame(meta, bytes, chunk.base + u64::from(meta.start));
            if !after(worker) {
                return Ok(());
            }
        }
    }
    if interrupt::is_asked() {
        return Err(OpenError::Io(io::ErrorKind::Interrupted.into()));
    }
    worker.finish();
    after(worker);
    Ok(())
}

/// What is told of a capture that is gone through.
#[derive(Debug)]
pub enum Told {
    Heard(Heard),
    /// A file that a protocol carried is over: its content, in the clear.
    File(Kept),
}

/// Puts the conversations of a share together again and tells `each` what they carried, in the order in which it came out.
/// With keys, what they open is told beside what went over the line.
pub fn streams(path: &Path, share: &Share, keys: Option<&Arc<Keyring>>, mut each: impl FnMut(Heard)) -> Result<(), OpenError> {
    let mut worker = Worker::listening(keys.is_some(), keys.cloned());
    let opened = Opened::of(&mut worker);
    feed(path, share, &mut worker, |worker| {
        worker.heard().into_iter().chain(opened.take()).for_each(&mut each);
        true
    })
}

/// As [`streams`], and the files that protocols carried as well.
pub fn contents(path: &Path, share: &Share, keys: Option<&Arc<Keyring>>, mut each: impl FnMut(Told)) -> Result<(), OpenError> {
    let mut worker = Worker::listening(true, keys.cloned());
    let opened = Opened::of(&mut worker);
    keep(true);
    let done = feed(path, share, &mut worker, |worker| {
        let files = kept().into_iter().map(Told::File);
        worker.heard().into_iter().chain(opened.take()).map(Told::Heard).chain(files).for_each(&mut each);
        true
    });
    keep(false);
    done
}

/// What keys opened since it was last taken.
struct Opened(Arc<Mutex<Vec<Heard>>>);

impl Opened {
    fn of(worker: &mut Worker) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let tapped = Arc::clone(&heard);
        let tap = move |piece: &Plaintext<'_>| {
            let heard = Heard {
                flow_id: piece.flow_id,
                proto: if piece.protocol == "quic" { 17 } else { 6 },
                ends: piece.ends,
                dir: piece.dir,
                moment: Moment { frame: piece.frame, ts: piece.ts },
                layer: HeardLayer::Opened(piece.protocol, piece.stream),
                what: What::Bytes(piece.bytes.to_vec()),
            };
            tapped.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
        };
        worker.listen(Box::new(tap));
        Self(heard)
    }

    fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Decodes a share again, with keys if there are any, and gives `each` every file in it; it ends when `each` gives false.
pub fn files(path: &Path, share: &Share, keys: Option<&Arc<Keyring>>, mut each: impl FnMut(Kept) -> bool) -> Result<(), OpenError> {
    let mut worker = Worker::new(false, keys.cloned());
    keep(true);
    let done = feed(path, share, &mut worker, |_| kept().into_iter().all(&mut each));
    keep(false);
    done
}
