//! What is set for an adapter.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::HttpAdapter;
#[cfg(feature = "http2")]
use super::http2::Http2Options;
#[expect(unused_imports, reason = "documentation names it")]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::h1::Limits;
use crate::net::tls::TlsOptions;
use crate::net::{AddressFamily, HostAddress, HostOverride, PoolLimits, Sockets};
use crate::reactor::Resolver;
use crate::retry::Retry;

/// The longest that a thread asks before it sleeps: what is longer is no latency but a wait.
const MOST_BUSY: Duration = Duration::from_millis(1);

/// What is set for all requests of an adapter. Of it what is said of TLS alone is in the pool's key,
/// with the other settings for TLS: an adapter with other options has another pool.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) limits: Limits,
    pub(super) pool: PoolLimits,
    pub(super) sockets: Sockets,
    pub(super) retry: Option<Retry>,
    pub(super) tls: Arc<TlsOptions>,
    /// The same towards proxies.
    pub(super) proxy_tls: Arc<TlsOptions>,
    #[cfg(feature = "http2")]
    pub(super) http2: Http2Options,
}

impl Default for Options {
    fn default() -> Self {
        let pool =
            PoolLimits { origins: 100, idle: 100, block: false, keep: Duration::from_secs(90) };
        let tls = TlsOptions::default();
        Self {
            limits: Limits::default(),
            pool,
            sockets: Sockets::default(),
            retry: None,
            proxy_tls: Arc::new(tls.to_proxies()),
            #[cfg(feature = "http2")]
            http2: Http2Options::new(&tls),
            tls: Arc::new(tls),
        }
    }
}

/// Its options: each gives a new adapter, since they hold for all of its connections.
impl HttpAdapter {
    /// To how many origins idle connections are kept; 100 unless it is set. The origin that was
    /// not used for longest makes room. The adapter gets a new, empty pool.
    #[must_use]
    pub fn pool_connections(self, origins: usize) -> Self {
        self.changed(|options| options.pool.origins = origins)
    }

    /// How many idle connections are kept to one origin; 100 unless it is set. Requests beyond
    /// that open connections of their own, which are closed when they are done, unless
    /// [`pool_block`](Self::pool_block) has them wait. The adapter gets a new, empty pool.
    #[must_use]
    pub fn pool_maxsize(self, idle: usize) -> Self {
        self.changed(|options| options.pool.idle = idle)
    }

    /// Whether [`pool_maxsize`](Self::pool_maxsize) limits how many connections there are to one
    /// origin at all, idle or not; `false` unless it is set. Requests beyond that wait until one is
    /// free, first come, first served, for as long as [`Timeout::pool`](crate::Timeout::pool) says.
    /// A streamed response has its connection until it was read to its end or dropped: who holds
    /// one and waits for the next may wait for ever. Blocking and async sessions that share an
    /// adapter have connections of their own, and so many each. The adapter gets a new, empty pool.
    #[must_use]
    pub fn pool_block(self, block: bool) -> Self {
        self.changed(|options| options.pool.block = block)
    }

    /// How long a connection may idle; 90 seconds unless it is set, and less where the server says
    /// less in its Keep-Alive field. The adapter gets a new, empty pool.
    #[must_use]
    pub fn idle_timeout(self, keep: Duration) -> Self {
        self.changed(|options| options.pool.keep = keep)
    }

    /// When a request is sent again after it failed, unless it or its session say otherwise: a
    /// [`Retry`], or how often (Requests' `max_retries`). Unless it is set, nothing is sent again but
    /// what was lost with a connection that had been kept. The adapter gets a new, empty pool.
    #[must_use]
    pub fn max_retries(self, retry: impl Into<Retry>) -> Self {
        let retry = Some(retry.into()).filter(|retry| !retry.is_none());
        self.changed(|options| options.retry = retry)
    }

    /// Who is asked for the addresses of names, in place of the system. The adapter gets a new, empty
    /// pool.
    #[must_use]
    pub fn resolver(self, resolver: impl Resolver) -> Self {
        self.changed(|options| options.sockets.resolver = Some(Arc::new(resolver)))
    }

    /// Where a host's name leads, whatever a resolver would say (curl's `--resolve`): to an address,
    /// or to an address and port. Said again for the same host, it adds one to be tried. With a
    /// port behind the name it holds for URLs with that port alone. Host header, TLS and cookies go
    /// by the name as before. The adapter gets a new, empty pool.
    ///
    /// ```
    /// # let server = testbed::Testbed::start();
    /// # let (addr, url) = (server.addr(), "http://example.org/get");
    /// use bequest::{HttpAdapter, Session};
    ///
    /// let mut s = Session::new();
    /// s.mount("http://", HttpAdapter::new().resolve("example.org", addr)?);
    /// assert_eq!(s.get(url).send()?.remote_addr(), Some(addr));
    /// # Ok::<(), bequest::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidUrl`] for what can't be the host of a URL.
    pub fn resolve(self, host: &str, to: impl Into<HostAddress>) -> Result<Self> {
        let rule = HostOverride::new(host, to.into())?;
        Ok(self.changed(|options| options.sockets.overrides.push(rule)))
    }

    /// Which of a host's addresses are used; all of them unless it is set. The adapter gets a new,
    /// empty pool.
    #[must_use]
    pub fn address_family(self, family: AddressFamily) -> Self {
        self.changed(|options| options.sockets.family = family)
    }

    /// Which of this machine's addresses connections come from; the system chooses unless it is
    /// set. Only addresses of its family are then connected to. The adapter gets a new, empty pool.
    #[must_use]
    pub fn local_address(self, address: impl Into<IpAddr>) -> Self {
        let address = address.into();
        self.changed(|options| options.sockets.options.local = Some(address))
    }

    /// After how long the system probes whether a silent peer is still there, and how often then
    /// (the system says how many answers may be missing); never, unless it is set. Whole seconds
    /// count. The adapter gets a new, empty pool.
    #[must_use]
    pub fn tcp_keepalive(self, after: impl Into<Option<Duration>>) -> Self {
        let after = after.into();
        self.changed(|options| options.sockets.options.keepalive = after)
    }

    /// Whether small packets are sent at once (TCP_NODELAY), without waiting for more to send; they
    /// are unless it is set. The adapter gets a new, empty pool.
    #[must_use]
    pub fn tcp_nodelay(self, at_once: bool) -> Self {
        self.changed(|options| options.sockets.options.nodelay = at_once)
    }

    /// How long a blocking call asks the kernel over and over for the answer before its thread goes
    /// to sleep; it does not ask at all unless it is set. On loopback and in fast networks that
    /// saves the time in which a sleeping thread is woken, for the work of one core: set it to a
    /// little more than the server takes, 50 microseconds perhaps, and not where cores are scarce. Where
    /// answers on a connection come later than that, it soon asks only now and then; async sessions
    /// never do. More than a millisecond is taken for a millisecond.
    /// The adapter gets a new, empty pool.
    #[must_use]
    pub fn busy_poll(self, most: Duration) -> Self {
        self.changed(|options| options.sockets.options.busy_poll = most.min(MOST_BUSY))
    }

    /// The largest head of a response, in bytes; 256 KiB unless it is set. A larger one is
    /// [`ErrorKind::TooLarge`]. The adapter gets a new, empty pool.
    #[must_use]
    pub fn max_head(self, bytes: usize) -> Self {
        self.changed(|options| options.limits.head = bytes)
    }

    /// How many fields the head of a response may have, and its trailers; 256 unless it is set. More
    /// are [`ErrorKind::TooLarge`], in trailers [`ErrorKind::ChunkedEncoding`]. The adapter gets a
    /// new, empty pool.
    #[must_use]
    pub fn max_fields(self, count: usize) -> Self {
        self.changed(|options| options.limits.fields = count)
    }

    /// The most bytes of trailers, behind a chunked body; 64 KiB unless it is set. More are
    /// [`ErrorKind::ChunkedEncoding`]. The adapter gets a new, empty pool.
    #[must_use]
    pub fn max_trailers(self, bytes: usize) -> Self {
        self.changed(|options| options.limits.trailers = bytes)
    }

    /// The most bytes of chunk extensions in one body, which mean nothing; 16 KiB unless it is set.
    /// More are [`ErrorKind::ChunkedEncoding`]. The adapter gets a new, empty pool.
    #[must_use]
    pub fn max_chunk_extensions(self, bytes: usize) -> Self {
        self.changed(|options| options.limits.extensions = bytes)
    }

    /// How many interim responses (1xx) may come before the final one; 100 unless it is set. More
    /// are [`ErrorKind::InvalidResponse`]. The adapter gets a new, empty pool.
    #[must_use]
    pub fn max_interim(self, count: usize) -> Self {
        self.changed(|options| options.limits.interim = count)
    }

    pub(super) fn changed(self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.0.options.clone();
        change(&mut options);
        Self::with(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_polling_has_a_largest_time() {
        let set = |most| HttpAdapter::new().busy_poll(most).0.options.sockets.options.busy_poll;
        let micros = Duration::from_micros;
        for (asked, taken) in [(0, 0), (50, 50), (1_000, 1_000), (1_001, 1_000)] {
            assert_eq!(set(micros(asked)), micros(taken));
        }
        assert_eq!(set(Duration::MAX), micros(1_000));
    }
}
