//! What the members of a crowd wait for.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io::{self, PipeReader};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Weak};
use std::time::Instant;

use rustix::event::PollFlags;

use super::poller::Poller;
use crate::reactor::interrupt;
#[cfg(feature = "http2")]
use crate::reactor::presence::Presence;

/// Sockets, deadlines, and who is to be polled next.
pub(in crate::reactor) struct Watch {
    poller: Poller,
    /// By descriptor: they are small numbers, and used again.
    sockets: Vec<Option<Watched>>,
    /// Also some that were given up: only what `members` says counts.
    deadlines: BinaryHeap<Reverse<(Instant, usize)>>,
    members: Vec<Waiting>,
    called: VecDeque<usize>,
    /// The member that is being polled.
    current: usize,
    has_pipe: bool,
    /// Whether members are polled when they are woken, if anybody relies on that.
    #[cfg(feature = "http2")]
    pub(in crate::reactor) presence: Option<Arc<Presence>>,
}

struct Watched {
    // The number may be another socket's by now.
    socket: Weak<OwnedFd>,
    /// Who waits for what, and has not been told.
    wanted: Option<(usize, PollFlags)>,
    /// What the kernel has said, which says it once only, and nobody has made use of yet.
    known: PollFlags,
    /// No read will wait any more: at the end of what the peer says there is an answer to each.
    has_ended: bool,
    /// What ended the last wait.
    told: PollFlags,
}

impl Watched {
    /// Whether somebody waits for it, and it may come.
    fn has_hope(&self) -> bool {
        self.wanted.is_some() && self.socket.strong_count() > 0
    }

    fn is_ready(&self, events: PollFlags) -> bool {
        self.known.intersects(events) || self.has_ended && events.contains(PollFlags::IN)
    }
}

#[derive(Clone, Copy, Default)]
struct Waiting {
    deadline: Option<Instant>,
    is_called: bool,
}

pub(super) struct Waited {
    /// There were news, or a deadline is over.
    pub(super) is_something: bool,
    /// Somebody has written to the pipe.
    pub(super) is_written: bool,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            poller: Poller::new()?,
            sockets: Vec::new(),
            deadlines: BinaryHeap::new(),
            members: Vec::new(),
            called: VecDeque::new(),
            current: 0,
            has_pipe: false,
            #[cfg(feature = "http2")]
            presence: None,
        })
    }

    /// The member is polled next.
    pub(super) fn call(&mut self, member: usize) {
        if self.members.len() <= member {
            self.members.resize(member + 1, Waiting::default());
        }
        if !std::mem::replace(&mut self.members[member].is_called, true) {
            self.called.push_back(member);
        }
    }

    /// Whose turn it is. What it waited for before is forgotten: it will say so again.
    pub(super) fn next_called(&mut self) -> Option<usize> {
        let member = self.called.pop_front()?;
        self.members[member] = Waiting::default();
        self.current = member;
        Some(member)
    }

    /// Whether anything could ever happen by itself.
    pub(super) fn has_hope(&self) -> bool {
        self.members.iter().any(|member| member.deadline.is_some())
            || self.sockets.iter().flatten().any(Watched::has_hope)
    }

    /// The member being polled waits for this socket.
    pub(in crate::reactor) fn register(
        &mut self,
        socket: &Arc<OwnedFd>,
        events: PollFlags,
    ) -> io::Result<()> {
        let member = self.current;
        let watched = self.watched(socket)?;
        if watched.is_ready(events) {
            watched.told = watched.known | events;
            watched.known -= events;
            self.call(member);
            return Ok(());
        }
        watched.told = PollFlags::empty();
        let before = watched.wanted.filter(|(waiting, _)| *waiting == member);
        let before = before.map_or(PollFlags::empty(), |(_, events)| events);
        watched.wanted = Some((member, before | events));
        Ok(())
    }

    /// Whether the socket is ready for that, as far as is known; then it is known no more.
    pub(in crate::reactor) fn take_known(
        &mut self,
        socket: &Arc<OwnedFd>,
        events: PollFlags,
    ) -> bool {
        let Some(watched) = self.find(socket) else { return false };
        let known = watched.is_ready(events);
        watched.known -= events;
        known
    }

    /// What ended the last wait for the socket.
    pub(in crate::reactor) fn told(&mut self, socket: &Arc<OwnedFd>) -> Option<PollFlags> {
        self.find(socket).map(|watched| watched.told).filter(|told| !told.is_empty())
    }

    fn find(&mut self, socket: &Arc<OwnedFd>) -> Option<&mut Watched> {
        let watched = self.sockets.get_mut(index(socket))?.as_mut()?;
        std::ptr::eq(watched.socket.as_ptr(), Arc::as_ptr(socket)).then_some(watched)
    }

    fn watched(&mut self, socket: &Arc<OwnedFd>) -> io::Result<&mut Watched> {
        let index = index(socket);
        if self.sockets.len() <= index {
            self.sockets.resize_with(index + 1, || None);
        }
        let is_it = |watched: &Watched| std::ptr::eq(watched.socket.as_ptr(), Arc::as_ptr(socket));
        let place = &mut self.sockets[index];
        place.take_if(|watched| !is_it(watched));
        if place.is_none() {
            // The kernel forgets what is closed: this one is another.
            self.poller.add(&**socket, &**socket)?;
        }
        Ok(place.get_or_insert_with(|| Watched {
            socket: Arc::downgrade(socket),
            wanted: None,
            known: PollFlags::empty(),
            has_ended: false,
            told: PollFlags::empty(),
        }))
    }

    /// The member being polled waits for this moment.
    pub(in crate::reactor) fn register_deadline(&mut self, at: Instant) {
        let Some(member) = self.members.get_mut(self.current) else { return };
        if member.deadline.is_some_and(|known| known <= at) {
            return;
        }
        member.deadline = Some(at);
        self.deadlines.push(Reverse((at, self.current)));
        if self.deadlines.len() > 4 * self.members.len() + 64 {
            let members = &self.members;
            self.deadlines.retain(|Reverse((at, member))| members[*member].deadline == Some(*at));
        }
    }

    /// The next moment that somebody still waits for.
    fn next_deadline(&mut self) -> Option<Instant> {
        loop {
            let Reverse((at, member)) = *self.deadlines.peek()?;
            if self.members[member].deadline == Some(at) {
                return Some(at);
            }
            self.deadlines.pop();
        }
    }

    /// Waits until there is somebody to be called, or the pipe is written to.
    pub(super) fn wait(&mut self, pipe: &PipeReader) -> io::Result<Waited> {
        if !std::mem::replace(&mut self.has_pipe, true) {
            self.poller.add(pipe, pipe)?;
        }
        let mut limit = self.next_deadline().map(|at| at.saturating_duration_since(Instant::now()));
        if interrupt::is_installed() {
            limit = Some(limit.map_or(interrupt::SLICE, |limit| limit.min(interrupt::SLICE)));
        }
        let Self { poller, sockets, members, called, .. } = self;
        let (pipe, mut is_written) = (pipe.as_raw_fd(), false);
        let mut is_something = poller.wait(limit, |fd, ready| {
            if fd == pipe {
                is_written = true;
            } else if let Some(member) = tell(sockets, fd, ready)
                && !std::mem::replace(&mut members[member].is_called, true)
            {
                called.push_back(member);
            }
        })?;
        is_something |= self.call_due(Instant::now());
        Ok(Waited { is_something, is_written })
    }

    /// Calls those whose deadline is over.
    fn call_due(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(at) = self.next_deadline().filter(|at| *at <= now) {
            let Some(Reverse((_, member))) = self.deadlines.pop() else { break };
            debug_assert_eq!(self.members[member].deadline, Some(at));
            self.members[member].deadline = None;
            self.call(member);
            any = true;
        }
        any
    }
}

/// Notes what is known of the socket; says who has waited for it.
fn tell(sockets: &mut [Option<Watched>], fd: RawFd, ready: PollFlags) -> Option<usize> {
    let watched = sockets.get_mut(usize::try_from(fd).ok()?)?.as_mut()?;
    watched.has_ended |= ready.intersects(PollFlags::RDHUP | PollFlags::HUP);
    watched.known |= ready;
    let (member, events) = watched.wanted.filter(|(_, events)| ready.intersects(*events))?;
    watched.wanted = None;
    watched.told = ready;
    // A write is tried at once, whatever is known; who is called may have something else to do
    // before it reads.
    watched.known -= events - PollFlags::IN;
    Some(member)
}

fn index(socket: &Arc<OwnedFd>) -> usize {
    usize::try_from(socket.as_raw_fd()).unwrap_or_default()
}
