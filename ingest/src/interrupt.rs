//! A run that is to end before it is done: whoever reads captures stops at the next chunk.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Asks all reading to stop. It only stores, so that a signal's handler may call it.
pub fn ask() {
    ASKED.store(true, Ordering::Relaxed);
}

/// Whether reading is to stop.
pub fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
