//! Whether a thread that waits would take notice.
//!
//! A future that drives something for others is no use while its thread does not poll it: since a
//! call that was made within it waits, or since a crowd has given out a result. Whoever relies on
//! such a future is told when that begins and when it is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// Whether the futures of one blocking call, or of one crowd, are being polled when they are woken.
#[derive(Debug)]
pub(crate) struct Presence {
    here: AtomicBool,
    concerned: Mutex<Vec<Weak<dyn Concerned>>>,
}

/// Who is told when a thread turns to something else, or comes back.
pub(crate) trait Concerned: Send + Sync + std::fmt::Debug {
    fn presence_changed(&self);
}

impl Presence {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { here: AtomicBool::new(true), concerned: Mutex::default() })
    }

    pub(crate) fn is_here(&self) -> bool {
        self.here.load(Ordering::Acquire)
    }

    /// Tells of every change from now on, for as long as there is anybody to tell.
    pub(crate) fn tell(&self, who: &Arc<dyn Concerned>) {
        let mut concerned = self.lock();
        let is_same = |known: &Weak<dyn Concerned>| {
            std::ptr::addr_eq(known.as_ptr(), Arc::as_ptr(who)) && known.strong_count() > 0
        };
        if !concerned.iter().any(is_same) {
            concerned.retain(|known| known.strong_count() > 0);
            concerned.push(Arc::downgrade(who));
        }
    }

    pub(super) fn change(&self, here: bool) {
        self.here.store(here, Ordering::Release);
        let concerned: Vec<_> = self.lock().iter().filter_map(Weak::upgrade).collect();
        concerned.iter().for_each(|who| who.presence_changed());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<dyn Concerned>>> {
        self.concerned.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
