//! Where the time of a run goes, once somebody asks for it. Until then a stage costs one look at a flag.
//!
//! Stages lie within one another (a dissector within the decoding of a frame, reading within unpacking): what one took is not
//! counted again in the one around it, so each moment of a thread is in one stage.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// One call of a stage that is met for every packet in so many is timed, and counted as that many: timing each would take
/// longer than many calls do.
pub const ONE_IN: u32 = 16;

static ON: AtomicBool = AtomicBool::new(false);
static CLOCKS: OnceLock<Clocks> = OnceLock::new();
static STAGES: Mutex<BTreeMap<(&str, Cow<'static, str>), Stage>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// What stages inside the one under way took in this thread: time, and the processor's.
    static INSIDE: Cell<(Duration, Duration)> = const { Cell::new((Duration::ZERO, Duration::ZERO)) };
}

/// What tells how long the processor worked.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// For the thread that asks.
    pub thread: fn() -> Duration,
    /// For the whole process.
    pub process: fn() -> Duration,
}

/// What one stage took, over all threads.
#[derive(Clone, Copy, Default, Debug)]
pub struct Stage {
    pub time: Duration,
    /// The processor's time; nothing where no clock tells it.
    pub cpu: Duration,
    pub calls: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Some of its calls were timed and stand for all.
    pub is_sampled: bool,
}

/// Starts to keep account; without clocks the processor's time is left out.
pub fn turn_on(clocks: Option<Clocks>) {
    if let Some(clocks) = clocks {
        let _ = CLOCKS.set(clocks);
    }
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
    started: Option<Started>,
    /// Calls that this one stands for.
    stands_for: u32,
}

struct Started {
    at: Instant,
    cpu: Duration,
    clock: Option<fn() -> Duration>,
    /// What the stage around this one had inside it before.
    before: (Duration, Duration),
}

impl Started {
    fn now(clock: Option<fn() -> Duration>) -> Self {
        let before = INSIDE.replace((Duration::ZERO, Duration::ZERO));
        Self { cpu: clock.map_or(Duration::ZERO, |clock| clock()), at: Instant::now(), clock, before }
    }
}

/// Starts a stage that is always timed.
pub fn start() -> Timer {
    Timer { started: is_on().then(|| Started::now(CLOCKS.get().map(|clocks| clocks.thread))), stands_for: 1 }
}

/// Starts a stage that works in several threads while nothing else of the run does: a query.
pub fn start_alone() -> Timer {
    Timer { started: is_on().then(|| Started::now(CLOCKS.get().map(|clocks| clocks.process))), stands_for: 1 }
}

/// Starts a stage that is met so often that only some of its calls are timed.
#[inline]
pub fn sample() -> Timer {
    // By lot: stages take turns, and every sixteenth call might always be the same one's.
    thread_local!(static LOT: Cell<u32> = const { Cell::new(1) });
    let is_chosen = is_on()
        && LOT.with(|lot| {
            lot.set(lot.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
            (lot.get() >> 16).is_multiple_of(ONE_IN)
        });
    Timer { started: is_chosen.then(|| Started::now(CLOCKS.get().map(|clocks| clocks.thread))), stands_for: ONE_IN }
}

#[inline]
fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

impl Timer {
    /// Ends it, with the rows and bytes that went through it.
    #[inline]
    pub fn stop(self, kind: &'static str, name: impl Into<Cow<'static, str>>, rows: u64, bytes: u64) {
        if let Some(started) = self.started {
            started.stop(self.stands_for, (kind, name.into()), rows, bytes);
        }
    }
}

impl Started {
    fn stop(self, stands_for: u32, name: (&'static str, Cow<'static, str>), rows: u64, bytes: u64) {
        let (took, cpu) = (self.at.elapsed(), self.clock.map_or(Duration::ZERO, |clock| clock()).saturating_sub(self.cpu));
        let inside = INSIDE.get();
        let (time, cpu) = (took.saturating_sub(inside.0) * stands_for, cpu.saturating_sub(inside.1) * stands_for);
        INSIDE.set((self.before.0 + inside.0 + time, self.before.1 + inside.1 + cpu));
        let times = u64::from(stands_for);
        let mut stages = stored();
        let stage = stages.entry(name).or_default();
        stage.time += time;
        stage.cpu += cpu;
        stage.calls += times;
        stage.rows += rows * times;
        stage.bytes += bytes * times;
        stage.is_sampled |= stands_for > 1;
    }
}

/// Counts something that takes no time to speak of.
pub fn count(kind: &'static str, name: &'static str) {
    if is_on() {
        stored().entry((kind, name.into())).or_default().calls += 1;
    }
}

/// A source of bytes whose reads are a stage.
pub struct Timed<R> {
    pub source: R,
    pub stage: &'static str,
    /// Reads are many and small.
    pub is_sampled: bool,
}

impl<R> Timed<R> {
    fn timed<T>(&mut self, read: impl FnOnce(&mut R) -> io::Result<T>, bytes: impl FnOnce(&T) -> usize) -> io::Result<T> {
        let timer = if self.is_sampled { sample() } else { start() };
        let outcome = read(&mut self.source);
        timer.stop("stage", self.stage, 0, outcome.as_ref().map_or(0, bytes) as u64);
        outcome
    }
}

impl<R: Read> Read for Timed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.timed(|source| source.read(buffer), |count| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_a_stage_is_not_counted_twice() {
        turn_on(None);
        let around = start();
        let inside = start();
        std::thread::sleep(Duration::from_millis(30));
        inside.stop("test", "inside", 3, 0);
        let deeper = start();
        let deepest = start();
        std::thread::sleep(Duration::from_millis(30));
        deepest.stop("test", "inside", 4, 0);
        deeper.stop("test", "deeper", 0, 0);
        around.stop("test", "around", 0, 0);
        let stage = |name: &str| stages().into_iter().find(|(kind, known, _)| (*kind, known.as_str()) == ("test", name)).unwrap().2;
        assert!(stage("inside").time >= Duration::from_millis(60) && (stage("inside").calls, stage("inside").rows) == (2, 7));
        assert!(stage("around").time + stage("deeper").time < Duration::from_millis(25), "{:?} {:?}", stage("around"), stage("deeper"));
    }
}
