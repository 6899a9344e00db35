//! A connection and what belongs to it while it lives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::dial::Dialed;
use super::pool::PoolKey;
use super::stream::Stream;
use crate::reactor::{Home, Stop};
use crate::timings::{Stopwatch, Timings};

/// A connection that is not checked again this soon after its last use: a server that closes
/// needs longer to say so.
const MOMENT: Duration = Duration::from_millis(5);

/// A stream, its buffers and its place in the pool.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) input: Buffer,
    /// Room for heads and small bodies, used again by each request.
    pub(crate) output: Vec<u8>,
    /// The next request's head is in there already.
    pub(crate) has_head: bool,
    pub(crate) peer: SocketAddr,
    /// What it took to get it, until the first request on it has told.
    pub(crate) opened: Option<Box<Timings>>,
    /// How long the server keeps it when idle, where it said so.
    pub(crate) server_keeps: Option<Duration>,
    /// The last read took no more than it had to: what may follow was not seen.
    pub(crate) unseen: bool,
    pub(super) key: Arc<PoolKey>,
    /// Ends it when the pool is closed.
    pub(super) closing: Arc<Stop>,
    pub(super) idle_since: Instant,
    home: Home,
}

impl Connection {
    pub(super) fn new(
        dialed: Dialed,
        watch: &Stopwatch,
        key: Arc<PoolKey>,
        closing: Arc<Stop>,
    ) -> Box<Self> {
        Box::new(Self {
            stream: dialed.stream,
            input: Buffer::default(),
            output: Vec::new(),
            has_head: false,
            peer: dialed.peer,
            opened: Some(Box::new(watch.timings())),
            server_keeps: None,
            unseen: false,
            key,
            closing,
            idle_since: watch.since(),
            home: Home::here(),
        })
    }

    /// Whether it was opened by this process, not by the one it was forked from.
    pub(crate) fn is_ours(&self) -> bool {
        self.home.is_this_process()
    }

    /// When it became ready, if it has carried no request yet.
    pub(crate) fn ready(&self) -> Instant {
        self.idle_since
    }

    /// Whether the pool that it belongs to was closed since it was opened.
    pub(crate) fn was_closed(&self) -> bool {
        self.closing.has_stopped()
    }

    /// Whether it may carry another request, after it has idled until now. `checked` wants it to
    /// be looked at, however short that was.
    pub(super) fn is_usable(&mut self, now: Instant, keep: Duration, checked: bool) -> bool {
        let idle = now.saturating_duration_since(self.idle_since);
        let keep = self.server_keeps.map_or(keep, |server| server.min(keep));
        let checked = checked || idle >= MOMENT || std::mem::take(&mut self.unseen);
        self.home == Home::here() && idle < keep && !(checked && self.stream.is_stale())
    }

    /// Gives back what it does not need while it idles.
    pub(super) fn rest(&mut self, now: Instant) {
        const KEPT: usize = 8 * 1024;
        self.idle_since = now;
        self.unseen |= self.input.was_full();
        self.input.shrink();
        if self.output.capacity() > KEPT {
            self.output = Vec::new();
        }
    }
}
