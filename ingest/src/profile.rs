//! Where the time of a run goes, once somebody asks for it. Until then a stage costs one look at a flag.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One call of a dissector in so many is timed, and counted as that many: timing each would take longer than many calls do.
pub const ONE_IN: u32 = 16;

static ON: AtomicBool = AtomicBool::new(false);
static STAGES: Mutex<BTreeMap<(&str, Cow<'static, str>), Stage>> = Mutex::new(BTreeMap::new());

/// What one stage took, over all threads.
#[derive(Clone, Copy, Default, Debug)]
pub struct Stage {
    pub time: Duration,
    pub calls: u64,
    pub rows: u64,
    pub bytes: u64,
}

/// Starts to keep account.
pub fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}

/// The stages met so far: kind, name, account.
pub fn stages() -> Vec<(&'static str, String, Stage)> {
    stored().iter().map(|((kind, name), stage)| (*kind, name.to_string(), *stage)).collect()
}

fn stored() -> MutexGuard<'static, BTreeMap<(&'static str, Cow<'static, str>), Stage>> {
    // Sums only are kept: a panic elsewhere leaves them sound.
    STAGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stage under way.
#[must_use]
pub struct Timer {
    started: Option<Instant>,
    /// Calls that this one stands for.
    stands_for: u32,
}

/// Starts a stage that is always timed.
pub fn start() -> Timer {
    Timer { started: ON.load(Ordering::Relaxed).then(Instant::now), stands_for: 1 }
}

/// Starts a stage that is met so often that only some of its calls are timed.
#[inline]
pub fn sample() -> Timer {
    thread_local!(static MET: Cell<u32> = const { Cell::new(0) });
    let is_chosen = ON.load(Ordering::Relaxed)
        && MET.with(|met| {
            met.set(met.get().wrapping_add(1));
            met.get().is_multiple_of(ONE_IN)
        });
    Timer { started: is_chosen.then(Instant::now), stands_for: ONE_IN }
}

impl Timer {
    /// Ends it, with the rows and bytes that went through it.
    #[inline]
    pub fn stop(self, kind: &'static str, name: impl Into<Cow<'static, str>>, rows: u64, bytes: u64) {
        if let Some(started) = self.started {
            let (took, times) = (started.elapsed(), u64::from(self.stands_for));
            let mut stages = stored();
            let stage = stages.entry((kind, name.into())).or_default();
            stage.time += took * self.stands_for;
            stage.calls += times;
            stage.rows += rows * times;
            stage.bytes += bytes * times;
        }
    }
}

/// Counts something that takes no time to speak of.
pub fn count(kind: &'static str, name: &'static str) {
    if ON.load(Ordering::Relaxed) {
        stored().entry((kind, name.into())).or_default().calls += 1;
    }
}
