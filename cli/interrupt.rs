//! Ctrl-C, and whoever else asks the run to end: it stops where it can, and leaves no file half-written.

use std::time::Duration;

use pcapper_ingest::interrupt;

/// How often a run looks.
const LOOK: Duration = Duration::from_millis(50);

/// From now on the first such signal asks the run to end, and the second ends it at once.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library offers no signals")]
pub fn listen() {
    extern "C" fn ask(_: libc::c_int) {
        interrupt::ask();
    }
    let handler = ask as extern "C" fn(libc::c_int);
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the structures are plain data that are valid when zeroed, and live for the calls; the handler only stores to
        // an atomic, which is allowed at any point of any thread. What is ignored (nohup, a shell's background) stays so.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(signal, std::ptr::null(), &raw mut before) != 0 || before.sa_sigaction == libc::SIG_IGN {
                continue;
            }
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as libc::sighandler_t;
            // A read that waits comes back, and the second signal is no longer ours.
            action.sa_flags = libc::SA_RESETHAND;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// Where signals are unknown, the run ends as the system has it.
#[cfg(not(unix))]
pub fn listen() {}

/// Ends when the run is to end.
pub async fn asked() {
    while !interrupt::is_asked() {
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether the run is to end.
pub fn is_asked() -> bool {
    interrupt::is_asked()
}
