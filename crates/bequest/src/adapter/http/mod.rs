//! The adapter for `http://` and `https://`: one request over one connection.

mod clock;
mod download;
mod expect;
mod meter;
mod origin;
mod round_trip;
mod upload;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::Extensions;
use download::Download;
use round_trip::{Answer, RoundTrip};

use super::Adapter;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::future::BoxFuture;
use crate::h1::Limits;
use crate::headers::Headers;
use crate::net::{
    AddressFamily, Connection, Dialed, HostAddress, HostOverride, Origin, Pool, PoolLimits,
    Sockets, dial,
};
use crate::reactor::{self, Reactor, Resolver};
use crate::request::PreparedRequest;
use crate::response::{Encoding, Head, Live, Response};
use crate::settings::Settings;
use crate::timings::Timings;

/// Speaks HTTP/1.1 over TCP and TLS, and keeps connections to be used again (Requests'
/// `HTTPAdapter`). A session has one mounted on `http://` and `https://`; clones share it.
///
/// ```
/// use std::time::Duration;
/// use bequest::{HttpAdapter, Session};
///
/// let mut s = Session::new();
/// s.mount("https://", HttpAdapter::new().pool_maxsize(10).idle_timeout(Duration::from_secs(15)));
/// ```
#[derive(Clone)]
pub struct HttpAdapter(Arc<Inner>);

struct Inner {
    options: Options,
    /// Sockets belong to the reactor that they were opened under.
    calling_thread: Arc<Pool>,
    #[cfg(feature = "async")]
    tokio: Arc<Pool>,
}

/// What is set for all requests of an adapter. Nothing of it is in the pool's key: an adapter with
/// other options has another pool.
#[derive(Clone)]
struct Options {
    limits: Limits,
    pool: PoolLimits,
    sockets: Sockets,
}

impl HttpAdapter {
    /// An adapter with an empty pool.
    pub fn new() -> Self {
        let pool = PoolLimits { origins: 100, idle: 100, keep: Duration::from_secs(90) };
        Self::of(Options { limits: Limits::default(), pool, sockets: Sockets::default() })
    }

    /// To how many origins idle connections are kept; 100 unless it is set. The origin that was
    /// not used for longest makes room. The adapter gets a new, empty pool.
    #[must_use]
    pub fn pool_connections(self, origins: usize) -> Self {
        self.with(|options| options.pool.origins = origins)
    }

    /// How many idle connections are kept to one origin; 100 unless it is set. Requests beyond
    /// that open connections of their own, which are closed when they are done. The adapter gets a
    /// new, empty pool.
    #[must_use]
    pub fn pool_maxsize(self, idle: usize) -> Self {
        self.with(|options| options.pool.idle = idle)
    }

    /// How long a connection may idle; 90 seconds unless it is set, and less where the server says
    /// less in its Keep-Alive field. The adapter gets a new, empty pool.
    #[must_use]
    pub fn idle_timeout(self, keep: Duration) -> Self {
        self.with(|options| options.pool.keep = keep)
    }

    /// Who is asked for the addresses of names, in place of the system. The adapter gets a new, empty
    /// pool.
    #[must_use]
    pub fn resolver(self, resolver: impl Resolver) -> Self {
        self.with(|options| options.sockets.resolver = Some(Arc::new(resolver)))
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
        Ok(self.with(|options| options.sockets.overrides.push(rule)))
    }

    /// Which of a host's addresses are used; all of them unless it is set. The adapter gets a new,
    /// empty pool.
    #[must_use]
    pub fn address_family(self, family: AddressFamily) -> Self {
        self.with(|options| options.sockets.family = family)
    }

    /// Which of this machine's addresses connections come from; the system chooses unless it is
    /// set. Only addresses of its family are then connected to. The adapter gets a new, empty pool.
    #[must_use]
    pub fn local_address(self, address: impl Into<IpAddr>) -> Self {
        let address = address.into();
        self.with(|options| options.sockets.options.local = Some(address))
    }

    /// After how long the system probes whether a silent peer is still there, and how often then
    /// (the system says how many answers may be missing); never, unless it is set. Whole seconds
    /// count. The adapter gets a new, empty pool.
    #[must_use]
    pub fn tcp_keepalive(self, after: impl Into<Option<Duration>>) -> Self {
        let after = after.into();
        self.with(|options| options.sockets.options.keepalive = after)
    }

    /// Whether small packets are sent at once (TCP_NODELAY), without waiting for more to send; they
    /// are unless it is set. The adapter gets a new, empty pool.
    #[must_use]
    pub fn tcp_nodelay(self, at_once: bool) -> Self {
        self.with(|options| options.sockets.options.nodelay = at_once)
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.0.options.clone();
        change(&mut options);
        Self::of(options)
    }

    fn of(options: Options) -> Self {
        Self(Arc::new(Inner {
            calling_thread: Arc::new(Pool::new(options.pool)),
            #[cfg(feature = "async")]
            tokio: Arc::new(Pool::new(options.pool)),
            options,
        }))
    }

    fn pool(&self) -> Result<&Arc<Pool>> {
        match reactor::current() {
            Some(Reactor::CallingThread) => Ok(&self.0.calling_thread),
            #[cfg(feature = "async")]
            Some(Reactor::Tokio) => Ok(&self.0.tokio),
            None => Err(Error::with(
                ErrorKind::Unsupported,
                "this future is polled outside of a blocking call and of a tokio runtime",
            )
            .remedied("use `Session` in blocking code, `aio::Session` inside tokio")),
        }
    }
}

impl Default for HttpAdapter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HttpAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAdapter").finish_non_exhaustive()
    }
}

impl Adapter for HttpAdapter {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(self.exchange(request, settings))
    }

    fn close(&self) {
        self.0.calling_thread.close();
        #[cfg(feature = "async")]
        self.0.tokio.close();
    }
}

impl HttpAdapter {
    /// Sends the request over a pooled connection, and once more over a fresh one if that turns
    /// out to be closed and the request may be replayed.
    async fn exchange(
        &self,
        request: &mut PreparedRequest,
        settings: &Settings,
    ) -> Result<Response> {
        let framing = request.seal().map_err(|error| error.during(Phase::Prepare))?;
        let request = &*request;
        request.body.stream().map_or(Ok(()), |stream| stream.check())?;
        let origin = origin::of(request, settings)?;
        let pool = self.pool()?;
        let started = Instant::now();
        // What can't be replayed is not sent on a connection that might be closed.
        let checked = !round_trip::is_repeatable(request);
        let (mut connection, mut reused) = match pool.take(origin, started, checked) {
            Ok(connection) => (connection, true),
            Err(vacancy) => {
                // What can't be sent is not worth a connection.
                let mut head = Vec::new();
                request.write_head(&mut head).map_err(|error| error.during(Phase::Prepare))?;
                let mut connection = vacancy.fill(self.open(origin, settings).await?);
                (connection.output, connection.has_head) = (head, true);
                (connection, false)
            }
        };
        loop {
            let trip = RoundTrip { request, framing, settings, limits: &self.0.options.limits };
            match trip.run(&mut connection).await {
                Ok(answer) => return Ok(self.respond(pool, connection, answer, settings, started)),
                Err(failure) if reused && failure.allows_replay(request) => {
                    connection = pool.vacancy(origin).fill(self.open(origin, settings).await?);
                    reused = false;
                }
                Err(failure) => return Err(failure.error),
            }
        }
    }

    /// Opens a connection within the connect timeout. Boxed: most requests find one in the pool, and
    /// should not carry the room that this needs.
    fn open<'a>(
        &'a self,
        origin: Origin<'a>,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Dialed>> {
        Box::pin(async move {
            let limit = settings.timeout.connect_limit();
            let (deadline, is_total) = match (limit, settings.deadline) {
                (None, None) => (None, false),
                _ => settings.until(Instant::now(), limit),
            };
            dial(origin, &self.0.options.sockets, deadline).await.map_err(|error| {
                match error.phase() {
                    Some(phase) if is_total && error.kind() == ErrorKind::ConnectTimeout => {
                        clock::total_is_over(settings).during(phase)
                    }
                    _ => error,
                }
            })
        })
    }

    fn respond(
        &self,
        pool: &Arc<Pool>,
        mut connection: Box<Connection>,
        answer: Answer,
        settings: &Settings,
        started: Instant,
    ) -> Response {
        let now = Instant::now();
        let opened = connection.opened.take();
        let timings = Timings {
            resolve: opened.map(|steps| steps.resolve),
            connect: opened.map(|steps| steps.connect),
            tls: opened.and_then(|steps| steps.tls),
            head: now - started,
        };
        connection.server_keeps = server_keeps(&answer.head.headers);
        let head = Head {
            status: answer.head.status,
            version: answer.head.version,
            reason: answer.head.reason,
            headers: answer.head.headers,
            request: None,
            url: None,
            history: Vec::new(),
            timings,
            peer: Some(connection.peer),
            extensions: Extensions::new(),
            max_content: settings.max_content,
            encoding: Encoding::default(),
        };
        let download =
            Download::new(connection, pool, answer.framing, settings, self.0.options.limits, now)
                .measured(answer.meter);
        Response::new(head, Live::new(download))
    }
}

/// What the server says of how long it keeps an idle connection, a little less: it may close while
/// a request is on its way.
fn server_keeps(headers: &Headers) -> Option<Duration> {
    let parameters = headers.get("keep-alive")?;
    let timeout = parameters.split(',').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("timeout").then(|| value.trim().parse().ok())?
    });
    timeout.map(|seconds| Duration::from_secs(seconds).saturating_sub(Duration::from_millis(500)))
}
