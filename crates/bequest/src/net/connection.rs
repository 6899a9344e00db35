//! A connection and what belongs to it while it lives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::dial::Dialed;
use super::pool::{Origin, PoolKey, Turn, Vacancy};
use super::stream::Stream;
use super::tls::TlsInfo;
use crate::reactor::{Home, Stop};
use crate::timings::{Stopwatch, Timings};

/// A connection that is not checked again this soon after its last use: a server that closes
/// needs longer to say so.
pub(super) const MOMENT: Duration = Duration::from_millis(5);

/// A stream, its buffers and its place in the pool.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) input: Buffer,
    /// Room for heads and small bodies, used again by each request.
    pub(crate) output: Vec<u8>,
    /// The next request's head is in there already.
    pub(crate) has_head: bool,
    /// `None` for a Unix socket.
    pub(crate) peer: Option<SocketAddr>,
    /// How it is secured to the origin; nothing is known of what a proxy does behind it.
    pub(crate) tls: Option<Arc<TlsInfo>>,
    /// What it took to get it, until the first request on it has told.
    pub(crate) opened: Option<Box<Timings>>,
    /// When the last request on it was out, if that took waiting.
    pub(crate) sent_at: Option<Instant>,
    /// How long the server keeps it when idle, where it said so.
    pub(crate) server_keeps: Option<Duration>,
    /// The last read took no more than it had to: what may follow was not seen.
    pub(crate) unseen: bool,
    pub(super) key: Arc<PoolKey>,
    /// Ends it when the pool is closed.
    pub(super) closing: Arc<Stop>,
    /// Of a pool that blocks, while it is in use.
    pub(crate) turn: Option<Turn>,
    pub(super) idle_since: Instant,
    home: Home,
}

impl Connection {
    pub(super) fn new(
        dialed: Dialed,
        origin: Origin<'_>,
        watch: &Stopwatch,
        vacancy: Vacancy,
    ) -> Box<Self> {
        let Vacancy { key, closing, turn } = vacancy;
        let is_origins = !origin.route.is_some_and(|route| route.forwards);
        let tls = origin.tls.filter(|_| is_origins);
        let tls = tls.and_then(|tls| dialed.stream.tls_info(origin.host, tls));
        Box::new(Self {
            stream: dialed.stream,
            input: Buffer::default(),
            output: Vec::new(),
            has_head: false,
            peer: dialed.peer,
            tls: tls.map(Arc::new),
            opened: Some(Box::new(watch.timings())),
            sent_at: None,
            server_keeps: None,
            unseen: false,
            key,
            closing,
            turn,
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
