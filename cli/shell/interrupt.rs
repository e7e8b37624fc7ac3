//! Ctrl-C while a query runs: it stops the query, not the prompt.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

/// Ends when Ctrl-C was pressed.
pub async fn asked() {
    while !ASKED.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK).await;
    }
}
