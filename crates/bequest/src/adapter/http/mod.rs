//! The adapter for `http://` and `https://`: one request over one connection.

mod clock;
mod download;
mod expect;
mod meter;
mod origin;
mod round_trip;
mod upload;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::Extensions;
use download::Download;
use round_trip::{Answer, Failure, RoundTrip};

use super::Adapter;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::future::BoxFuture;
use crate::h1::Limits;
use crate::headers::Headers;
use crate::net::{Connection, Origin, Patience, Pool, PoolLimits, Vacancy, was_closed};
use crate::reactor::{self, Reactor};
use crate::request::PreparedRequest;
use crate::response::{Encoding, Head, Live, Response};
use crate::settings::Settings;
use crate::timings::{Stopwatch, Timings};

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
    limits: Limits,
    pool_limits: PoolLimits,
    /// Sockets belong to the reactor that they were opened under.
    calling_thread: Arc<Pool>,
    #[cfg(feature = "async")]
    tokio: Arc<Pool>,
}

impl Inner {
    fn new(limits: Limits, pool_limits: PoolLimits) -> Self {
        Self {
            limits,
            pool_limits,
            calling_thread: Arc::new(Pool::new(pool_limits)),
            #[cfg(feature = "async")]
            tokio: Arc::new(Pool::new(pool_limits)),
        }
    }
}

impl HttpAdapter {
    /// An adapter with an empty pool.
    pub fn new() -> Self {
        let keep = Duration::from_secs(90);
        Self::with(PoolLimits { origins: 100, idle: 100, keep })
    }

    /// To how many origins idle connections are kept; 100 unless it is set. The origin that was
    /// not used for longest makes room. The adapter gets a new, empty pool.
    #[must_use]
    pub fn pool_connections(self, origins: usize) -> Self {
        Self::with(PoolLimits { origins, ..self.0.pool_limits })
    }

    /// How many idle connections are kept to one origin; 100 unless it is set. Requests beyond
    /// that open connections of their own, which are closed when they are done. The adapter gets a
    /// new, empty pool.
    #[must_use]
    pub fn pool_maxsize(self, idle: usize) -> Self {
        Self::with(PoolLimits { idle, ..self.0.pool_limits })
    }

    /// How long a connection may idle; 90 seconds unless it is set, and less where the server says
    /// less in its Keep-Alive field. The adapter gets a new, empty pool.
    #[must_use]
    pub fn idle_timeout(self, keep: Duration) -> Self {
        Self::with(PoolLimits { keep, ..self.0.pool_limits })
    }

    fn with(pool_limits: PoolLimits) -> Self {
        Self(Arc::new(Inner::new(Limits::default(), pool_limits)))
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
                let mut connection = open(vacancy, origin, settings, started).await?;
                (connection.output, connection.has_head) = (head, true);
                (connection, false)
            }
        };
        let mut ready = if reused { started } else { connection.ready() };
        loop {
            let trip = RoundTrip { request, framing, settings, limits: &self.0.limits };
            match trip.run(&mut connection).await {
                Ok(answer) => {
                    let began = Began { started, ready };
                    return Ok(self.respond(pool, connection, answer, settings, began));
                }
                Err(failure)
                    if reused && !connection.was_closed() && failure.allows_replay(request) =>
                {
                    connection = open(pool.vacancy(origin), origin, settings, started).await?;
                    (reused, ready) = (false, connection.ready());
                }
                Err(failure) => return Err(failed(&connection, failure, Began { started, ready })),
            }
        }
    }

    fn respond(
        &self,
        pool: &Arc<Pool>,
        mut connection: Box<Connection>,
        answer: Answer,
        settings: &Settings,
        began: Began,
    ) -> Response {
        let now = Instant::now();
        let timings = Timings {
            send: answer.sent_at.map(|sent| sent - began.ready),
            wait: Some(now - answer.sent_at.unwrap_or(began.ready)),
            head: now - began.started,
            ..connection.opened.take().map_or_else(Timings::default, |opened| *opened)
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
            arrived: Some(now),
            peer: Some(connection.peer),
            extensions: Extensions::new(),
            max_content: settings.max_content,
            encoding: Encoding::default(),
        };
        let download =
            Download::new(connection, pool, answer.framing, settings, self.0.limits, now)
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

/// When a request was handed over, and when a connection was ready for it.
#[derive(Clone, Copy)]
struct Began {
    started: Instant,
    ready: Instant,
}

/// What a request ends with that got no answer.
#[cold]
fn failed(connection: &Connection, failure: Failure, began: Began) -> Error {
    let now = Instant::now();
    let Failure { error, sent_at, lost, .. } = failure;
    let phase = error.phase().unwrap_or(Phase::Send);
    let mut timings = connection.opened.as_deref().copied().unwrap_or_default();
    if let Some(sent) = sent_at {
        timings.spend(Phase::Send, sent - began.ready);
    }
    timings.spend(phase, now - sent_at.unwrap_or(began.ready));
    timings.head = now - began.started;
    let error = if lost && connection.was_closed() { was_closed().during(phase) } else { error };
    error.timed(|| timings)
}

/// Opens a connection within the connect timeout. Boxed: most requests find one in the pool, and
/// should not carry the room that this needs.
fn open<'a>(
    vacancy: Vacancy,
    origin: Origin<'a>,
    settings: &'a Settings,
    started: Instant,
) -> BoxFuture<'a, Result<Box<Connection>>> {
    Box::pin(async move {
        let mut watch = Stopwatch::start(Phase::Prepare, Instant::now());
        let limit = settings.timeout.connect_limit();
        let (deadline, is_total) = settings.until(watch.since(), limit);
        let patience = Patience { deadline, ends_early: settings.cancel.is_some() };
        let dialed = {
            let dialing = pin!(vacancy.dial(origin, patience, &mut watch));
            match &settings.cancel {
                None => dialing.await,
                Some(token) => {
                    let dialed = token.stop().guard_sockets(dialing).await;
                    let dialed = dialed.filter(|_| !token.is_cancelled());
                    dialed.unwrap_or_else(|| Err(CancelToken::error()))
                }
            }
        };
        dialed.map_err(|error| {
            let phase = error.phase().unwrap_or(watch.phase());
            let error = match error.kind() {
                ErrorKind::ConnectTimeout if is_total => settings.total_is_over(),
                _ => error,
            };
            watch.enter(Phase::Send);
            let timings = Timings { head: started.elapsed(), ..watch.timings() };
            error.during(phase).timed(|| timings)
        })
    })
}
