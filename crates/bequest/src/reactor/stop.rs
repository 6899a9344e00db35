//! Ending waits from elsewhere.

use std::future::{Future, poll_fn};
use std::mem;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};

use super::{calling_thread, fork};

/// Ends what waits under it, once and for all. What is in the middle of a read or a write of a
/// socket is ended by shutting the socket down: whoever waits for it need not look elsewhere, too.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    stopped: AtomicBool,
    watched: Mutex<Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    waits: Vec<(u64, Bell)>,
    /// Numbers waits.
    next: u64,
    sockets: Vec<Watch>,
    /// With so many sockets, those that are gone are looked for.
    full: usize,
}

/// How somebody who waits is told.
#[derive(Debug)]
enum Bell {
    Waker(Waker),
    /// What a thread waits for that would need a pipe to be woken.
    Sockets(Vec<Watch>),
}

/// A socket of the process that opened it.
#[derive(Debug)]
pub(super) struct Watch {
    socket: Weak<OwnedFd>,
    generation: u64,
}

impl Watch {
    pub(super) fn new(socket: &Arc<OwnedFd>) -> Self {
        Self { socket: Arc::downgrade(socket), generation: fork::generation() }
    }

    fn is_open(&self) -> bool {
        self.socket.strong_count() > 0
    }

    /// Its peer is told, too, so a child must leave its parent's alone.
    fn shut_down(&self) {
        if self.generation == fork::generation()
            && let Some(socket) = self.socket.upgrade()
        {
            // One that is not connected any more has nobody to be told.
            let _ = rustix::net::shutdown(&socket, rustix::net::Shutdown::Both);
        }
    }
}

impl Bell {
    fn ring(self) {
        match self {
            Self::Waker(waker) => waker.wake(),
            Self::Sockets(sockets) => sockets.iter().for_each(Watch::shut_down),
        }
    }
}

impl Stop {
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Ends what waits, and what will.
    pub(crate) fn stop(&self) {
        let mut watched = self.lock();
        // Under the lock: who comes later sees it.
        self.stopped.store(true, Ordering::Release);
        let Watched { waits, sockets, .. } = mem::take(&mut *watched);
        drop(watched);
        waits.into_iter().for_each(|(_, bell)| bell.ring());
        sockets.iter().for_each(Watch::shut_down);
    }

    /// Has the socket shut down, too, if it is still open then; `false` if it is too late.
    pub(crate) fn watch(&self, socket: &Arc<OwnedFd>) -> bool {
        let mut watched = self.lock();
        if self.has_stopped() {
            return false;
        }
        if watched.sockets.len() >= watched.full {
            watched.sockets.retain(Watch::is_open);
            watched.full = 2 * watched.sockets.len().max(8);
        }
        watched.sockets.push(Watch::new(socket));
        true
    }

    /// How many of the sockets are open.
    #[allow(dead_code)] // Statistics ask.
    pub(crate) fn open_sockets(&self) -> usize {
        self.lock().sockets.iter().filter(|watch| watch.is_open()).count()
    }

    /// Runs the future until it is done, or waits although this has stopped (`None`).
    pub(crate) async fn guard<T>(self: &Arc<Self>, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut wait = StopWait::new(Arc::clone(self));
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => wait.poll_stopped(context).map(|()| None),
        })
        .await
    }

    /// The same for a future that nobody needs once this has stopped: the sockets that it waits for
    /// on the calling thread are shut down, so that the thread needs no pipe to be woken by.
    pub(crate) async fn guard_sockets<T>(
        self: &Arc<Self>,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let mut future = pin!(future);
        let mut wait = StopWait::new(Arc::clone(self));
        poll_fn(|context| {
            let others = calling_thread::registered();
            match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => {
                    let sockets = calling_thread::registered_since(others, Watch::new);
                    let polled = match sockets.is_empty() {
                        true => wait.poll_stopped(context),
                        false => wait.hang(Bell::Sockets(sockets)),
                    };
                    polled.map(|()| None)
                }
            }
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// One wait that a [`Stop`] ends.
#[derive(Debug)]
pub(crate) struct StopWait {
    stop: Arc<Stop>,
    number: Option<u64>,
}

impl StopWait {
    pub(crate) fn new(stop: Arc<Stop>) -> Self {
        Self { stop, number: None }
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stop.has_stopped()
    }

    /// Is ready once it has stopped.
    pub(crate) fn poll_stopped(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.hang(Bell::Waker(context.waker().clone()))
    }

    fn hang(&mut self, bell: Bell) -> Poll<()> {
        let mut watched = self.stop.lock();
        if self.stop.has_stopped() {
            return Poll::Ready(());
        }
        let own = self.number;
        match watched.waits.iter_mut().find(|(number, _)| Some(*number) == own) {
            Some((_, hung)) => *hung = bell,
            None => {
                watched.next += 1;
                let number = watched.next;
                watched.waits.push((number, bell));
                self.number = Some(number);
            }
        }
        Poll::Pending
    }

    /// Is not told any more, until it asks again.
    pub(crate) fn rest(&mut self) {
        if let Some(number) = self.number.take() {
            let mut watched = self.stop.lock();
            if let Some(at) = watched.waits.iter().position(|(known, _)| *known == number) {
                watched.waits.swap_remove(at);
            }
        }
    }
}

impl Drop for StopWait {
    fn drop(&mut self) {
        self.rest();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::reactor::{Timer, block_on};

    fn for_ever() -> impl Future<Output = ()> {
        let mut timer = Timer::new(Instant::now() + Duration::from_secs(600));
        poll_fn(move |context| timer.poll_elapsed(context))
    }

    fn guarded(stop: &Arc<Stop>) -> Option<()> {
        block_on(async { Ok(stop.guard(for_ever()).await) }).unwrap()
    }

    #[test]
    fn ends_what_waits_and_what_will() {
        let stop = Arc::new(Stop::default());
        let done = block_on(async { Ok(stop.guard(async { 7 }).await) });
        assert_eq!(done.unwrap(), Some(7));
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| guarded(&stop))).collect();
            while stop.lock().waits.len() < 4 {
                std::thread::yield_now();
            }
            stop.stop();
            assert!(waiting.into_iter().all(|thread| thread.join().unwrap().is_none()));
        });
        assert_eq!(guarded(&stop), None);
        let done = block_on(async { Ok(stop.guard(async { 7 }).await) });
        assert_eq!(done.unwrap(), Some(7), "what need not wait is not ended");
    }

    #[test]
    fn keeps_nothing_of_waits_and_sockets_that_are_over() {
        let stop = Arc::new(Stop::default());
        let mut wait = StopWait::new(Arc::clone(&stop));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(wait.poll_stopped(&mut context).is_pending());
            assert_eq!(stop.lock().waits.len(), 1);
        }
        wait.rest();
        assert!(stop.lock().waits.is_empty());
        assert!(wait.poll_stopped(&mut context).is_pending());
        drop(wait);
        assert!(stop.lock().waits.is_empty());
        let open = || Arc::new(OwnedFd::from(std::fs::File::open("/").unwrap()));
        let kept: Vec<_> = (0..20).map(|_| open()).collect();
        assert!(kept.iter().all(|socket| stop.watch(socket)));
        for _ in 0..1000 {
            assert!(stop.watch(&open()));
        }
        assert_eq!(stop.open_sockets(), 20);
        assert!(stop.lock().sockets.len() <= 42, "{}", stop.lock().sockets.len());
        stop.stop();
        assert!(!stop.watch(&kept[0]));
    }
}
