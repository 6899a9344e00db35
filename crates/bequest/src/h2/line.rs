//! Who of those that wait drives the connection.
//!
//! On calling threads nobody else does it: no thread and no task belongs to a connection. Of those
//! that wait for streams of it one *leads*. Each of its polls first polls the connection, which
//! reads and writes for all, and then its own stream; the others poll their own streams alone.
//!
//! No wakeup is lost, since
//!
//! 1. whoever has to wait takes a seat first, under the lock, and leads if nobody does; so there is
//!    a leader while anybody waits;
//! 2. one that begins to lead polls the connection before it waits, and by that registers the
//!    socket with the thread that it is on. The waker that the crate `h2` keeps is the line's own,
//!    and wakes whoever leads by then: it does not matter who polled last;
//! 3. one that stops leading (its stream is there, or it was dropped) appoints another under the
//!    same lock, and wakes it; that one polls, and rule 2 holds again;
//! 4. a leader that is alive and not polled would stop all others: a future may wait in a call that
//!    was made within it, or belong to a crowd that is not driven since it has given out a result.
//!    The thread's [`Presence`] tells of it when that begins, and another is appointed; those that
//!    are away are not. When it is over, and nobody leads, one of them is appointed;
//! 5. what happens to a stream wakes its own bell, which has its future's waker before the stream
//!    is asked.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Wake, Waker};

use crate::reactor::{Concerned, Presence};

/// Those who wait for streams of one connection.
#[derive(Debug, Default)]
pub(super) struct Line {
    seats: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    leader: Option<Arc<Bell>>,
    others: BTreeMap<Seat, Arc<Bell>>,
    last: u64,
    /// Something is to be done that the leader has not come to yet.
    due: bool,
}

/// Where one sits: with those whose thread is the same, in the order in which they came. A thread may
/// have hundreds, and is there or is not for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seat {
    /// The address of its `Presence`.
    thread: usize,
    number: u64,
}

/// Wakes one who waits. The crate `h2` gets it in place of the future's own waker, which is given
/// up when the wait is over.
#[derive(Debug, Default)]
pub(super) struct Bell(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    waker: Option<Waker>,
    presence: Option<Arc<Presence>>,
    seat: Option<Seat>,
}

impl Bell {
    /// Rings for that waker from now on.
    pub(super) fn hang(&self, waker: &Waker) {
        let mut waiting = self.lock();
        match &mut waiting.waker {
            Some(known) => known.clone_from(waker),
            None => waiting.waker = Some(waker.clone()),
        }
    }

    fn is_here(&self) -> bool {
        self.lock().presence.as_ref().is_some_and(|presence| presence.is_here())
    }

    fn seat(&self) -> Option<Seat> {
        self.lock().seat
    }

    fn ring(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

impl Line {
    /// That of a connection which nobody has driven yet, so that it can't tell what it has to do.
    pub(super) fn of_a_new_connection() -> Self {
        let seats = Seats { due: true, ..Seats::default() };
        Self { seats: Mutex::new(seats) }
    }

    /// Whether something is to be done that nobody has come to yet.
    pub(super) fn is_due(&self) -> bool {
        self.lock().due
    }

    /// Takes a seat, or keeps it; `true` for the one who leads, and then does what is due.
    pub(super) fn enter(self: &Arc<Self>, bell: &Arc<Bell>, presence: &Arc<Presence>) -> bool {
        let is_new = {
            let mut waiting = bell.lock();
            let known = waiting.presence.as_ref();
            let is_new = !known.is_some_and(|known| Arc::ptr_eq(known, presence));
            if is_new {
                waiting.presence = Some(Arc::clone(presence));
            }
            is_new
        };
        if is_new {
            let line: Arc<dyn Concerned> = Arc::<Self>::clone(self);
            presence.tell(&line);
        }
        let mut seats = self.lock();
        let thread = Arc::as_ptr(presence).addr();
        let before = bell.seat().filter(|seat| seat.thread == thread);
        if before.is_none() {
            seats.free(bell);
        }
        let seat = before.unwrap_or_else(|| seats.next(thread));
        bell.lock().seat = Some(seat);
        let leads = match &seats.leader {
            Some(leader) if Arc::ptr_eq(leader, bell) => true,
            Some(leader) => !leader.is_here(),
            None => true,
        };
        if leads {
            seats.due = false;
            seats.others.remove(&seat);
            let before = seats.leader.replace(Arc::clone(bell));
            seats.take(before.filter(|before| !Arc::ptr_eq(before, bell)));
        } else if before.is_none() {
            seats.others.insert(seat, Arc::clone(bell));
        }
        leads
    }

    /// Gives the seat up, and the lead to another.
    pub(super) fn leave(&self, bell: &Arc<Bell>) {
        if bell.seat().is_none() {
            return;
        }
        let mut seats = self.lock();
        seats.free(bell);
        *bell.lock() = Waiting::default();
        let appointed = match &seats.leader {
            Some(leader) if Arc::ptr_eq(leader, bell) => {
                seats.leader = None;
                seats.appoint()
            }
            _ => None,
        };
        drop(seats);
        if let Some(appointed) = appointed {
            appointed.ring();
        }
    }

    /// Wakes whoever leads.
    fn call(&self) {
        let mut seats = self.lock();
        seats.due = true;
        let leader = seats.leader.clone().filter(|leader| leader.is_here());
        let woken = leader.or_else(|| seats.appoint());
        drop(seats);
        if let Some(woken) = woken {
            woken.ring();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Seats {
    fn next(&mut self, thread: usize) -> Seat {
        self.last += 1;
        Seat { thread, number: self.last }
    }

    /// One sits among the others again.
    fn take(&mut self, bell: Option<Arc<Bell>>) {
        if let Some((seat, bell)) = bell.and_then(|bell| Some((bell.seat()?, bell))) {
            self.others.insert(seat, bell);
        }
    }

    /// The seat of one among the others is free.
    fn free(&mut self, bell: &Bell) {
        if let Some(seat) = bell.seat() {
            self.others.remove(&seat);
        }
    }

    /// Has another lead, who is there to do it; it is to be woken.
    fn appoint(&mut self) -> Option<Arc<Bell>> {
        let away = self.leader.take();
        self.take(away);
        let seat = self.first_here()?;
        let appointed = self.others.remove(&seat)?;
        self.leader = Some(Arc::clone(&appointed));
        Some(appointed)
    }

    /// Of each thread the first one is asked.
    fn first_here(&self) -> Option<Seat> {
        let mut next = self.others.first_key_value();
        loop {
            let (seat, bell) = next?;
            if bell.is_here() {
                return Some(*seat);
            }
            let end = Seat { number: u64::MAX, ..*seat };
            next = self.others.range((Bound::Excluded(end), Bound::Unbounded)).next();
        }
    }
}

impl Wake for Line {
    fn wake(self: Arc<Self>) {
        self.call();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.call();
    }
}

impl Concerned for Line {
    fn presence_changed(&self) {
        let mut seats = self.lock();
        if seats.leader.as_ref().is_some_and(|leader| leader.is_here()) {
            return;
        }
        let appointed = seats.appoint();
        drop(seats);
        if let Some(appointed) = appointed {
            appointed.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::reactor::{block_on, presence};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// One that waits, and how often it was woken.
    #[derive(Default)]
    struct Waiter {
        bell: Arc<Bell>,
        woken: Arc<Count>,
    }

    impl Waiter {
        /// As a poll does; whether it leads.
        fn poll(&self, line: &Arc<Line>) -> bool {
            self.bell.hang(&Waker::from(Arc::clone(&self.woken)));
            line.enter(&self.bell, &presence().unwrap())
        }

        fn woken(&self) -> usize {
            self.woken.0.load(Ordering::SeqCst)
        }
    }

    fn waiters<const N: usize>() -> (Arc<Line>, [Waiter; N]) {
        (Arc::default(), std::array::from_fn(|_| Waiter::default()))
    }

    fn entered<T>(work: impl FnOnce() -> T) -> T {
        block_on(async { Ok(work()) }).unwrap()
    }

    #[test]
    fn the_lead_is_passed_on() {
        let (line, [a, b, c]) = waiters();
        entered(|| {
            assert_eq!([a.poll(&line), b.poll(&line), c.poll(&line)], [true, false, false]);
            assert!(a.poll(&line), "who leads goes on");
            line.call();
            assert_eq!([a.woken(), b.woken(), c.woken()], [1, 0, 0]);
            // One that did not lead goes without a word.
            line.leave(&b.bell);
            line.leave(&a.bell);
            assert_eq!([a.woken(), b.woken(), c.woken()], [1, 0, 1]);
            assert!(c.poll(&line));
            line.leave(&c.bell);
            line.leave(&c.bell);
        });
        let seats = line.lock();
        assert!(seats.leader.is_none() && seats.others.is_empty());
    }

    #[test]
    fn one_who_was_appointed_and_gives_up_passes_it_on() {
        let (line, [a, b, c]) = waiters();
        entered(|| {
            let _ = [a.poll(&line), b.poll(&line), c.poll(&line)];
            line.leave(&a.bell);
            assert_eq!([b.woken(), c.woken()], [1, 0]);
            line.leave(&b.bell);
            assert_eq!([b.woken(), c.woken()], [1, 1]);
        });
    }

    #[test]
    fn what_nobody_is_there_for_is_due() {
        let (line, [a]) = waiters();
        line.call();
        assert!(line.is_due());
        entered(|| {
            assert!(a.poll(&line) && !line.is_due());
            line.call();
            assert!(line.is_due(), "until the leader comes to it");
            line.leave(&a.bell);
            assert!(line.is_due());
        });
    }

    #[test]
    fn who_is_away_does_not_lead() {
        let (line, [a, b, c]) = waiters();
        entered(|| {
            assert!(a.poll(&line));
            entered(|| assert!(b.poll(&line), "the outer call is away"));
            // The inner one is over, though nobody has dropped what was polled there.
            assert_eq!([a.woken(), b.woken()], [1, 0]);
            assert!(a.poll(&line) && !c.poll(&line));
            entered(|| assert_eq!([a.woken(), c.woken()], [1, 0], "all of them are away"));
            assert_eq!(a.woken() + b.woken() + c.woken(), 2, "and back: one is woken");
        });
        let seats = line.lock();
        let is_led = seats.leader.as_ref().is_some_and(|leader| leader.is_here());
        assert!(!is_led, "nobody is there any more");
    }

    /// The one that was away, on another thread, is woken and leads.
    #[test]
    fn another_thread_takes_the_lead() {
        let (line, [a, b]) = waiters();
        entered(|| {
            assert!(a.poll(&line));
            std::thread::scope(|scope| {
                let other = scope.spawn(|| {
                    entered(|| {
                        assert!(!b.poll(&line));
                        while b.woken() == 0 {
                            std::thread::yield_now();
                        }
                        assert!(b.poll(&line));
                        line.leave(&b.bell);
                    });
                });
                while line.lock().others.is_empty() {
                    std::thread::yield_now();
                }
                // This thread turns to something else.
                entered(|| other.join().unwrap());
            });
            assert_eq!(a.woken(), 1, "back, and nobody leads");
            assert!(a.poll(&line));
        });
    }
}
