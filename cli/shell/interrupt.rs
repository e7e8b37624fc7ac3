//! Ctrl-C while a query runs: it stops the query, not the prompt.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::channel::oneshot;

/// How often a running query looks.
const LOOK: Duration = Duration::from_millis(50);

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is noted and ends nothing by itself.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library offers no signals")]
pub fn listen() {
    extern "C" fn note(_: libc::c_int) {
        ASKED.store(true, Ordering::Relaxed);
    }
    let handler = note as extern "C" fn(libc::c_int);
    // SAFETY: the handler only stores to an atomic, which is allowed at any point of any thread.
    unsafe {
        libc::signal(libc::SIGINT, handler as libc::sighandler_t);
    }
}

/// Where signals are unknown, Ctrl-C ends the run.
#[cfg(not(unix))]
pub fn listen() {}

/// Forgets what was asked before the query began.
pub fn clear() {
    ASKED.store(false, Ordering::Relaxed);
}

/// Ends when Ctrl-C was pressed. A thread of its own looks: where queries keep all of the engine's threads busy, none of them
/// is left to wake a sleeper.
pub async fn asked() {
    let (tell, told) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        while !ASKED.load(Ordering::Relaxed) && !tell.is_canceled() {
            std::thread::sleep(LOOK);
        }
        // The query may have ended meanwhile.
        let _ = tell.send(());
    });
    let _ = told.await;
}
