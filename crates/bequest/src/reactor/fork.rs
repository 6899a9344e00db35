//! Notices forks, so that a child process never touches its parent's connections.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between this process and the one that first asked. A load, not a system
/// call: comparing process ids would cost one for each request.
pub(super) fn generation() -> u64 {
    static WATCH: Once = Once::new();
    WATCH.call_once(watch);
    GENERATION.load(Relaxed)
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Relaxed);
}

#[cfg(unix)]
#[allow(unsafe_code)] // `pthread_atfork` has no safe binding; asking `getpid` costs a system call.
fn watch() {
    // SAFETY: `in_child` is an `extern "C" fn` that lives as long as the program and does nothing
    // but an atomic addition, which is allowed between `fork` and `exec`.
    let result = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    debug_assert_eq!(result, 0, "the only failure is a lack of memory");
}
