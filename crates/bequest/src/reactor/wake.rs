//! Wakers that other threads may hold.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::task::Wake;

use super::fork;

/// Wakes a thread that polls a future. The pipe is made only when somebody holds a clone of the
/// waker while the thread goes to sleep: for plain requests it never is.
#[derive(Debug, Default)]
pub(super) struct Notifier {
    notified: AtomicBool,
    asleep: AtomicBool,
    pipe: OnceLock<(PipeReader, PipeWriter)>,
    born: u64,
}

impl Notifier {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { born: fork::generation(), ..Self::default() })
    }

    /// Whether it can serve another `block_on`: nobody holds an old clone, and its pipe is not
    /// shared with the process that this one was forked from.
    pub(super) fn is_fresh(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && self.born == fork::generation()
    }

    /// Whether it was woken since this was last asked.
    pub(super) fn take_notified(&self) -> bool {
        self.notified.swap(false, SeqCst)
    }

    /// The end to wait on, after which every wake writes to the pipe; `None` if it has been woken
    /// meanwhile.
    pub(super) fn fall_asleep(&self) -> std::io::Result<Option<&PipeReader>> {
        if self.pipe.get().is_none() {
            // Only the sleeper makes pipes, so nobody can have been faster.
            let _ = self.pipe.set(std::io::pipe()?);
        }
        self.asleep.store(true, SeqCst);
        if self.notified.load(SeqCst) {
            self.asleep.store(false, SeqCst);
            return Ok(None);
        }
        Ok(self.pipe.get().map(|(reader, _)| reader))
    }

    /// Ends what [`fall_asleep`](Self::fall_asleep) began; `written` says that the pipe is readable.
    pub(super) fn wake_up(&self, written: bool) {
        self.asleep.store(false, SeqCst);
        if let (true, Some((reader, _))) = (written, self.pipe.get()) {
            let _ = (&*reader).read(&mut [0; 64]);
        }
    }
}

impl Wake for Notifier {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // One byte a sleep at most, so the pipe can't fill up and block the waker.
        if !self.notified.swap(true, SeqCst)
            && self.asleep.swap(false, SeqCst)
            && let Some((_, writer)) = self.pipe.get()
        {
            let _ = (&*writer).write(&[1]);
        }
    }
}
