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

use std::collections::VecDeque;
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
    others: VecDeque<Arc<Bell>>,
    /// Something is to be done that the leader has not come to yet.
    due: bool,
}

/// Wakes one who waits. The crate `h2` gets it in place of the future's own waker, which is given
/// up when the wait is over.
#[derive(Debug, Default)]
pub(super) struct Bell(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    waker: Option<Waker>,
    presence: Option<Arc<Presence>>,
    seated: bool,
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

    fn is_seated(&self) -> bool {
        self.lock().seated
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
    /// Whether something is to be done that nobody has come to yet.
    pub(super) fn is_due(&self) -> bool {
        self.lock().due
    }

    /// Takes a seat, or keeps it; `true` for the one who leads, and then does what is due.
    pub(super) fn enter(self: &Arc<Self>, bell: &Arc<Bell>, presence: Arc<Presence>) -> bool {
        let is_new = {
            let mut waiting = bell.lock();
            let known = waiting.presence.as_ref();
            let is_new = !known.is_some_and(|known| Arc::ptr_eq(known, &presence));
            if is_new {
                waiting.presence = Some(Arc::clone(&presence));
            }
            is_new
        };
        if is_new {
            let line: Arc<dyn Concerned> = Arc::<Self>::clone(self);
            presence.tell(&line);
        }
        let mut seats = self.lock();
        let is_seated = std::mem::replace(&mut bell.lock().seated, true);
        let leads = match &seats.leader {
            Some(leader) if Arc::ptr_eq(leader, bell) => true,
            Some(leader) => !leader.is_here(),
            None => true,
        };
        if leads {
            seats.due = false;
            if is_seated {
                seats.others.retain(|other| !Arc::ptr_eq(other, bell));
            }
            let before = seats.leader.replace(Arc::clone(bell));
            seats.others.extend(before.filter(|before| !Arc::ptr_eq(before, bell)));
        } else if !is_seated {
            seats.others.push_back(Arc::clone(bell));
        }
        leads
    }

    /// Gives the seat up, and the lead to another.
    pub(super) fn leave(&self, bell: &Arc<Bell>) {
        if !bell.is_seated() {
            return;
        }
        let mut seats = self.lock();
        *bell.lock() = Waiting::default();
        let appointed = match &seats.leader {
            Some(leader) if Arc::ptr_eq(leader, bell) => {
                seats.leader = None;
                seats.appoint()
            }
            _ => {
                seats.others.retain(|other| !Arc::ptr_eq(other, bell));
                None
            }
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
    /// Has another lead, who is there to do it; it is to be woken.
    fn appoint(&mut self) -> Option<Arc<Bell>> {
        let away = self.leader.take();
        self.others.extend(away);
        let at = self.others.iter().position(|other| other.is_here())?;
        let appointed = self.others.remove(at)?;
        self.leader = Some(Arc::clone(&appointed));
        Some(appointed)
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
