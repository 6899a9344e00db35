//! Ending what waits in an adapter, and not in a connection of its own.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::reactor::Stop;

/// Ends waits when it is closed; those that begin later are of another time.
#[derive(Debug, Default)]
pub(crate) struct Closing(Mutex<Option<Arc<Stop>>>);

impl Closing {
    pub(super) fn close(&self) {
        let old = self.lock().take();
        if let Some(old) = old {
            old.stop();
        }
    }

    /// What ends a wait that begins now.
    pub(super) fn now(&self) -> Arc<Stop> {
        Arc::clone(self.lock().get_or_insert_default())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Stop>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
