//! What asks the kernel about many sockets: epoll(7).

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFlags, Timespec};
use rustix::io::Errno;

/// How much news is taken at once.
const MOST: usize = 256;

/// News come once, when something changes: a connection is announced once in its life, and not for
/// each wait, as `poll(2)` would have it.
pub(super) struct Poller {
    epoll: OwnedFd,
    news: Vec<Event>,
}

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, news: Vec::with_capacity(MOST) })
    }

    /// Hears of it from now on, until it is closed.
    pub(super) fn add(&self, fd: &impl AsRawFd, source: impl AsFd) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        #[expect(clippy::cast_sign_loss, reason = "descriptors are not negative")]
        let data = EventData::new_u64(fd.as_raw_fd() as u64);
        match epoll::add(&self.epoll, &source, data, flags) {
            // Announced anew, what is ready now is told again.
            Err(Errno::EXIST) => Ok(epoll::modify(&self.epoll, source, data, flags)?),
            result => Ok(result?),
        }
    }

    /// Waits for news, at most that long, and tells each; `false` if there were none.
    pub(super) fn wait(
        &mut self,
        limit: Option<Duration>,
        mut tell: impl FnMut(RawFd, PollFlags),
    ) -> io::Result<bool> {
        self.news.clear();
        let limit = limit.map(whole_milliseconds);
        match epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(&mut self.news),
            limit.as_ref(),
        ) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        for event in &self.news {
            let Ok(fd) = RawFd::try_from(event.data.u64()) else { continue };
            tell(fd, readiness(event.flags));
        }
        Ok(!self.news.is_empty())
    }
}

/// Never too early; the kernel's clock for this counts in milliseconds.
fn whole_milliseconds(limit: Duration) -> Timespec {
    let limit = limit.saturating_add(Duration::from_micros(999));
    Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(limit.subsec_millis()) * 1_000_000,
    }
}

/// In the words of `poll(2)`. Whoever has hung up, or failed, answers reads and writes at once.
fn readiness(flags: EventFlags) -> PollFlags {
    let mut ready = PollFlags::empty();
    if flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
        ready |= PollFlags::IN;
    }
    if flags.intersects(EventFlags::OUT | EventFlags::HUP | EventFlags::ERR) {
        ready |= PollFlags::OUT;
    }
    if flags.contains(EventFlags::ERR) {
        ready |= PollFlags::ERR;
    }
    if flags.contains(EventFlags::HUP) {
        ready |= PollFlags::HUP;
    }
    if flags.contains(EventFlags::RDHUP) {
        ready |= PollFlags::RDHUP;
    }
    ready
}
