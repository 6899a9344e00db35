//! Many futures at once, on the calling thread.
//!
//! Each has a waker of its own, and is polled only when something of its own has happened: a
//! thousand that wait cost nothing while one goes on.

mod poller;
mod watch;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

pub(super) use watch::Watch;

use super::calling_thread::{self, Entered};
use super::wake::Notifier;
use super::{fork, interrupt};
use crate::error::{Error, ErrorKind, Result};
use crate::future::BoxFuture;

/// Futures that the calling thread drives together, whenever it asks for one that is done.
pub(crate) struct Crowd<T> {
    members: Vec<Member<T>>,
    /// Members without a future.
    free: Vec<usize>,
    woken: Arc<Woken>,
    // Away while the thread is driving.
    watch: Option<Box<Watch>>,
    /// The process that it was made in: a child of it shares sockets and poller.
    born: u64,
}

struct Member<T> {
    future: Option<BoxFuture<'static, T>>,
    call: Arc<Call>,
    waker: Waker,
}

/// Wakes one member, from wherever.
struct Call {
    member: usize,
    woken: Arc<Woken>,
    /// It is among the woken: changed under their lock.
    is_woken: AtomicBool,
}

/// Who was woken by somebody else than the poller.
struct Woken {
    members: Mutex<Vec<usize>>,
    notifier: Arc<Notifier>,
}

impl Woken {
    fn lock(&self) -> MutexGuard<'_, Vec<usize>> {
        self.members.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut members = self.woken.lock();
        if !self.is_woken.swap(true, Relaxed) {
            members.push(self.member);
        }
        drop(members);
        self.woken.notifier.wake_by_ref();
    }
}

impl<T> Crowd<T> {
    /// # Errors
    /// The kernel has no room for another poller.
    pub(crate) fn new() -> Result<Self> {
        let notifier = Notifier::new();
        let woken = Arc::new(Woken { members: Mutex::default(), notifier });
        let watch = Some(Box::new(Watch::new().map_err(calling_thread::failed)?));
        let born = fork::generation();
        Ok(Self { members: Vec::new(), free: Vec::new(), woken, watch, born })
    }

    /// Whether it may go on in this process.
    ///
    /// # Errors
    /// It belongs to the process that this one was forked from.
    pub(crate) fn check(&self) -> Result<()> {
        if self.born == fork::generation() {
            return Ok(());
        }
        let what = "these requests belong to the process that this one was forked from";
        Err(Error::with(ErrorKind::Closed, what).remedied("begin them anew in the child"))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len() - self.free.len()
    }

    /// Takes a future in; its number is that of one that is done, later.
    pub(crate) fn push(&mut self, future: BoxFuture<'static, T>) -> usize {
        let index = self.free.pop().unwrap_or_else(|| self.grow());
        self.members[index].future = Some(future);
        if let Some(watch) = &mut self.watch {
            watch.call(index);
        }
        index
    }

    fn grow(&mut self) -> usize {
        let member = self.members.len();
        let woken = Arc::clone(&self.woken);
        let call = Arc::new(Call { member, woken, is_woken: AtomicBool::new(false) });
        let waker = Waker::from(Arc::clone(&call));
        self.members.push(Member { future: None, call, waker });
        member
    }

    /// Drives them until one is done; `None` if there is none.
    ///
    /// # Errors
    /// An interruption, that waiting failed, or what [`check`](Self::check) says; the futures are as
    /// they were.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, T)>> {
        self.check()?;
        if self.len() == 0 {
            return Ok(None);
        }
        let mut driving = Driving::enter(self);
        loop {
            while let Some(index) = calling_thread::with_watch(Watch::next_called).flatten() {
                if let Poll::Ready(output) = driving.crowd.poll(index) {
                    return Ok(Some((index, output)));
                }
            }
            driving.wait()?;
        }
    }

    fn poll(&mut self, index: usize) -> Poll<T> {
        let Some(member) = self.members.get_mut(index) else { return Poll::Pending };
        let Some(mut future) = member.future.take() else { return Poll::Pending };
        // It is done, unless it says otherwise: what panics is not asked again.
        self.free.push(index);
        let polled = future.as_mut().poll(&mut Context::from_waker(&member.waker));
        if polled.is_pending() {
            self.free.pop();
            member.future = Some(future);
        }
        // Dropped while the thread may still be entered: its end may wait, too.
        polled
    }

    /// Who was woken; whoever is woken from now on will be told again.
    fn take_woken(&self) -> Vec<usize> {
        let mut woken = self.woken.lock();
        for member in woken.iter().filter_map(|member| self.members.get(*member)) {
            member.call.is_woken.store(false, Relaxed);
        }
        std::mem::take(&mut *woken)
    }

    /// Whether somebody keeps a waker of one of them.
    fn is_awaited(&self) -> bool {
        self.members.iter().any(|member| Arc::strong_count(&member.call) > 2)
    }
}

/// The thread drives the crowd, until this is dropped.
struct Driving<'a, T> {
    crowd: &'a mut Crowd<T>,
    // Left behind the crowd, whose watch is taken back first.
    _entered: Entered,
}

impl<'a, T> Driving<'a, T> {
    fn enter(crowd: &'a mut Crowd<T>) -> Self {
        let entered = Entered::enter();
        calling_thread::put_watch(crowd.watch.take());
        Self { crowd, _entered: entered }
    }

    fn wait(&mut self) -> Result<()> {
        let woken = self.crowd.take_woken();
        if !woken.is_empty() {
            self.crowd.woken.notifier.take_notified();
            calling_thread::with_watch(|watch| {
                woken.into_iter().for_each(|member| watch.call(member));
            });
            return Ok(());
        }
        let notifier = Arc::clone(&self.crowd.woken.notifier);
        if notifier.take_notified() {
            return Ok(());
        }
        let lost = calling_thread::with_watch(|watch| !watch.has_hope()).unwrap_or(true);
        if lost && !self.crowd.is_awaited() && !interrupt::is_installed() {
            return Err(calling_thread::hopeless());
        }
        let Some(pipe) = notifier.fall_asleep().map_err(calling_thread::failed)? else {
            return Ok(());
        };
        let waited = calling_thread::with_watch(|watch| watch.wait(pipe));
        let waited = waited.unwrap_or_else(|| Err(std::io::ErrorKind::Other.into()));
        notifier.wake_up(waited.as_ref().is_ok_and(|waited| waited.is_written));
        match waited {
            Ok(waited) if waited.is_something => Ok(()),
            Ok(_) => interrupt::check(),
            Err(error) => Err(calling_thread::failed(error)),
        }
    }
}

impl<T> Drop for Driving<'_, T> {
    fn drop(&mut self) {
        self.crowd.watch = calling_thread::take_watch();
    }
}

#[cfg(test)]
mod tests;
