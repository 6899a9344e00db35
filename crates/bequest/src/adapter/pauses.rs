//! What lies between two tries of a request.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::reactor::Stop;

/// Counts pauses, and ends them when their adapter is closed.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    count: AtomicU64,
    /// Ends those that began before the next `close`.
    closing: Mutex<Option<Arc<Stop>>>,
}

impl Pauses {
    /// One begins; says what ends it.
    pub(super) fn begin(&self) -> Arc<Stop> {
        self.count.fetch_add(1, Relaxed);
        Arc::clone(self.lock().get_or_insert_default())
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    pub(super) fn close(&self) {
        let old = self.lock().take();
        if let Some(old) = old {
            old.stop();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Stop>>> {
        self.closing.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
