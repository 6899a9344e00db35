//! Waiting on the calling thread.
//!
//! A future that is pending has registered what it waits for: sockets, a deadline. If that is one
//! socket to be read and nobody else could wake the future, the thread does not ask `poll(2)` first
//! but grants that socket one blocking `recv`: two system calls for a request, not three. Otherwise
//! it waits in `poll(2)`.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::mem::{self, ManuallyDrop};
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::crowd::Watch;
#[cfg(feature = "http2")]
use super::presence::Presence;
use super::wake::Notifier;
use super::{descriptors, interrupt};
use crate::error::{Error, ErrorKind, Result};

/// What the future polled on this thread waits for.
#[derive(Default)]
struct Waits {
    entered: bool,
    sockets: Vec<(Arc<OwnedFd>, PollFlags)>,
    deadline: Option<Instant>,
    permit: Option<Permit>,
    // Sockets are told apart by their `Arc`, which also keeps the descriptor's number taken: a
    // number can be somebody else's within one poll.
    ready: Vec<(Arc<OwnedFd>, PollFlags)>,
    interrupted: bool,
    spare: Option<Arc<Notifier>>,
    /// Where it is one of many.
    watch: Option<Box<Watch>>,
    /// Whether it would take notice, if anybody relies on that.
    #[cfg(feature = "http2")]
    presence: Option<Arc<Presence>>,
}

/// One blocking `recv` on this socket, until then.
struct Permit {
    socket: Arc<OwnedFd>,
    until: Option<Instant>,
}

thread_local! {
    // Never dropped, so that a request made while the thread's other locals are being dropped
    // finds it alive; `TIDY` frees what it holds.
    static WAITS: ManuallyDrop<RefCell<Waits>> = const { ManuallyDrop::new(RefCell::new(Waits {
        entered: false,
        sockets: Vec::new(),
        deadline: None,
        permit: None,
        ready: Vec::new(),
        interrupted: false,
        spare: None,
        watch: None,
        #[cfg(feature = "http2")]
        presence: None,
    })) };
    static TIDY: Tidy = const { Tidy };
}

struct Tidy;

impl Drop for Tidy {
    fn drop(&mut self) {
        with(|waits| {
            if !waits.entered {
                *waits = Waits::default();
            }
        });
    }
}

/// The borrow never lasts while foreign code runs, so it can't fail.
fn with<T>(f: impl FnOnce(&mut Waits) -> T) -> T {
    WAITS.with(|waits| f(&mut waits.borrow_mut()))
}

pub(super) fn is_entered() -> bool {
    with(|waits| waits.entered)
}

/// Whether others are driven together with the future being polled: what blocks it, blocks them.
pub(super) fn is_one_of_many() -> bool {
    with(|waits| waits.watch.is_some())
}

/// The future being polled waits for this socket.
///
/// # Errors
/// The kernel can't watch one more.
pub(super) fn register(socket: &Arc<OwnedFd>, events: PollFlags) -> std::io::Result<()> {
    with(|waits| {
        if let Some(watch) = &mut waits.watch {
            return watch.register(socket, events);
        }
        waits.register(socket, events);
        Ok(())
    })
}

/// Whether the socket is known to be ready for that, without having been asked.
pub(super) fn take_known(socket: &Arc<OwnedFd>, events: PollFlags) -> bool {
    with(|waits| waits.watch.as_mut().is_some_and(|watch| watch.take_known(socket, events)))
}

/// How many sockets the future being polled waits for, so far.
pub(super) fn registered() -> usize {
    with(|waits| waits.sockets.len())
}

/// What it waits for beyond the first so many.
pub(super) fn registered_since<T>(first: usize, take: impl Fn(&Arc<OwnedFd>) -> T) -> Vec<T> {
    with(|waits| waits.sockets.iter().skip(first).map(|(socket, _)| take(socket)).collect())
}

/// The future being polled waits for this moment.
pub(super) fn register_deadline(at: Instant) {
    with(|waits| match &mut waits.watch {
        Some(watch) => watch.register_deadline(at),
        None => waits.deadline = Some(waits.deadline.map_or(at, |known| known.min(at))),
    });
}

/// Whether the socket may block in one `recv` now, and until when; asking uses the permission up.
pub(super) fn take_permit(socket: &Arc<OwnedFd>) -> Option<Option<Instant>> {
    with(|waits| {
        let permit = waits.permit.take_if(|permit| Arc::ptr_eq(&permit.socket, socket))?;
        let slice = interrupt::is_installed().then(|| Instant::now() + interrupt::SLICE);
        Some(match (permit.until, slice) {
            (Some(deadline), Some(slice)) => Some(deadline.min(slice)),
            (deadline, slice) => deadline.or(slice),
        })
    })
}

/// The blocking `recv` returned without data: a signal, or its time was over.
pub(super) fn note_interruption() {
    with(|waits| waits.interrupted = true);
}

/// What the last `poll(2)` found out about the socket, if it is ready.
pub(super) fn readiness(socket: &Arc<OwnedFd>) -> Option<PollFlags> {
    with(|waits| {
        if let Some(watch) = &mut waits.watch {
            return watch.told(socket);
        }
        let known = waits.ready.iter().find(|(ready, _)| Arc::ptr_eq(ready, socket));
        known.map(|(_, events)| *events)
    })
}

/// Runs the future to its end on this thread. May be nested, and may be called inside any other
/// executor, which it then blocks.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    // Declared before the future: dropped after it, so that the future's own drop may wait too.
    let scope = Scope::enter();
    let mut future = pin!(future);
    let waker = Waker::from(Arc::clone(&scope.notifier));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        scope.wait()?;
    }
}

/// The same for what is polled without a future.
///
/// # Errors
/// An interruption, or that waiting failed.
pub(crate) fn block_on_poll<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Result<T> {
    block_on(poll_fn(|context| poll(context).map(Ok)))
}

/// The thread drives a crowd: what an outer `block_on` waits for is put aside meanwhile.
pub(super) struct Entered {
    _scope: Scope,
}

impl Entered {
    pub(super) fn enter() -> Self {
        Self { _scope: Scope::enter() }
    }
}

pub(super) fn put_watch(watch: Option<Box<Watch>>) {
    with(|waits| waits.watch = watch);
    #[cfg(feature = "http2")]
    tell(with(|waits| waits.known_presence()), true);
}

pub(super) fn take_watch() -> Option<Box<Watch>> {
    #[cfg(feature = "http2")]
    tell(with(|waits| waits.known_presence()), false);
    with(|waits| waits.watch.take())
}

/// Tells who relies on futures of this thread whether these are polled when they are woken; `None`
/// outside of a blocking call.
#[cfg(feature = "http2")]
pub(crate) fn presence() -> Option<Arc<Presence>> {
    with(|waits| {
        let presence = match &mut waits.watch {
            _ if !waits.entered => return None,
            Some(watch) => &mut watch.presence,
            None => &mut waits.presence,
        };
        Some(Arc::clone(presence.get_or_insert_with(Presence::new)))
    })
}

#[cfg(feature = "http2")]
fn tell(presence: Option<Arc<Presence>>, here: bool) {
    if let Some(presence) = presence {
        presence.change(here);
    }
}

/// Something with what the members of the crowd wait for; `None` without a crowd.
pub(super) fn with_watch<T>(f: impl FnOnce(&mut Watch) -> T) -> Option<T> {
    with(|waits| waits.watch.as_deref_mut().map(f))
}

/// One `block_on`: what an outer one on the same thread waits for is put aside meanwhile.
struct Scope {
    outer: Waits,
    notifier: Arc<Notifier>,
}

impl Scope {
    fn enter() -> Self {
        let (outer, spare) = with(|waits| {
            let spare = waits.spare.take().filter(Notifier::is_fresh);
            // Capacity is kept for the usual case, where nothing is nested.
            let outer = if waits.entered { mem::take(waits) } else { Waits::default() };
            waits.clear();
            waits.entered = true;
            waits.interrupted = false;
            (outer, spare)
        });
        #[cfg(feature = "http2")]
        if outer.entered {
            tell(outer.known_presence(), false);
        }
        Self { outer, notifier: spare.unwrap_or_else(Notifier::new) }
    }

    /// Waits for what was registered, or grants the one socket its blocking `recv`.
    fn wait(&self) -> Result<()> {
        if with(|waits| mem::take(&mut waits.interrupted)) {
            interrupt::check()?;
        }
        // The waker, and `self.notifier`: nobody else could wake the future. Asked before the
        // flag, since whoever wakes does so before letting go.
        let alone = Arc::strong_count(&self.notifier) == 2;
        fence(Ordering::Acquire);
        if self.notifier.take_notified() {
            with(Waits::clear);
            return Ok(());
        }
        if alone && with(Waits::grant) {
            return Ok(());
        }
        self.sleep(alone)
    }

    /// Waits in `poll(2)`; on the notifier's pipe too, if somebody else could wake the future.
    fn sleep(&self, alone: bool) -> Result<()> {
        let (sockets, deadline) = with(|waits| {
            let taken = (mem::take(&mut waits.sockets), waits.deadline);
            waits.clear();
            taken
        });
        if alone && sockets.is_empty() && deadline.is_none() && !interrupt::is_installed() {
            return Err(hopeless());
        }
        let mut fds: Vec<PollFd<'_>> =
            sockets.iter().map(|(socket, events)| PollFd::new(&**socket, *events)).collect();
        let result = if alone {
            poll_until(&mut fds, deadline)
        } else {
            let Some(pipe) = self.notifier.fall_asleep().map_err(failed)? else { return Ok(()) };
            fds.push(PollFd::new(pipe, PollFlags::IN));
            let result = poll_until(&mut fds, deadline);
            let written = fds.pop().is_some_and(|pipe| !pipe.revents().is_empty());
            self.notifier.wake_up(result.is_ok() && written);
            result
        };
        match result {
            Ok(true) => {
                let ready = sockets.iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
                let ready = ready.map(|((socket, _), fd)| (Arc::clone(socket), fd.revents()));
                with(|waits| waits.ready.extend(ready));
                Ok(())
            }
            Ok(false) | Err(Errno::INTR) => interrupt::check(),
            Err(error) => Err(failed(error.into())),
        }
    }
}

pub(super) fn hopeless() -> Error {
    Error::with(
        ErrorKind::Other,
        "a future waits for something that can't come: nobody holds its waker",
    )
    .remedied("an async source in a blocking call must not need a runtime")
}

pub(super) fn failed(error: std::io::Error) -> Error {
    let failed = Error::with(ErrorKind::Io, "waiting for sockets failed");
    match descriptors::remedy(&error) {
        Some(remedy) => failed.remedied(remedy).because(error),
        None => failed.because(error),
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let (outer, notifier) = (mem::take(&mut self.outer), Arc::clone(&self.notifier));
        #[cfg(feature = "http2")]
        let (mut own, mut back) = (None, None);
        with(|waits| {
            #[cfg(feature = "http2")]
            {
                own = waits.presence.take();
            }
            if outer.entered {
                #[cfg(feature = "http2")]
                {
                    back = outer.known_presence();
                }
                *waits = outer;
            } else {
                waits.clear();
                waits.entered = false;
            }
            waits.spare = Some(notifier);
        });
        #[cfg(feature = "http2")]
        {
            // What was polled here may live on, and be polled no more.
            tell(own, false);
            tell(back, true);
        }
        if TIDY.try_with(|_| ()).is_err() {
            with(|waits| drop(mem::take(&mut waits.spare)));
        }
    }
}

impl Waits {
    fn register(&mut self, socket: &Arc<OwnedFd>, events: PollFlags) {
        match self.sockets.iter_mut().find(|(known, _)| Arc::ptr_eq(known, socket)) {
            Some((_, known)) => *known |= events,
            None => self.sockets.push((Arc::clone(socket), events)),
        }
    }

    #[cfg(feature = "http2")]
    fn known_presence(&self) -> Option<Arc<Presence>> {
        self.watch.as_ref().map_or(&self.presence, |watch| &watch.presence).clone()
    }

    fn clear(&mut self) {
        self.sockets.clear();
        self.ready.clear();
        self.deadline = None;
        self.permit = None;
    }

    /// Grants the permission, if one read of one socket is all that is waited for. One that was
    /// not used last time is not granted again: that future wants something else.
    fn grant(&mut self) -> bool {
        let unused = self.permit.take().is_some();
        let [(socket, events)] = &self.sockets[..] else { return false };
        if unused || *events != PollFlags::IN {
            return false;
        }
        let permit = Permit { socket: Arc::clone(socket), until: self.deadline };
        self.clear();
        self.permit = Some(permit);
        true
    }
}

/// `poll(2)` until something is ready (`true`) or the time is over.
fn poll_until(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> Result<bool, Errno> {
    let mut limit = deadline.map(|at| at.saturating_duration_since(Instant::now()));
    if interrupt::is_installed() {
        limit = Some(limit.map_or(interrupt::SLICE, |limit| limit.min(interrupt::SLICE)));
    }
    let limit = limit.map(timespec);
    poll(fds, limit.as_ref()).map(|ready| ready > 0)
}

fn timespec(limit: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(limit.subsec_nanos()),
    }
}
