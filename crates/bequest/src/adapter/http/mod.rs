//! The adapter for `http://` and `https://`: one request over one connection.

mod answered;
mod ask;
mod clock;
mod download;
mod expect;
mod forward;
#[cfg(feature = "http2")]
mod http2;
mod log;
mod meter;
mod open;
mod options;
mod origin;
mod round_trip;
#[cfg(feature = "tls")]
mod tls;
mod upload;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use answered::{Way, answered};
use download::Download;
use forward::Forward;
use open::{open, wait_for_turn};
use options::Options;
use round_trip::{Answer, Failure, RoundTrip};

use super::pauses::Pauses;
use super::{Adapter, retrying};
use crate::body::RequestFraming;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::future::BoxFuture;
use crate::net::{Connection, Origin, Pool, ProxyServer, Route, Vacancy, was_closed};
use crate::reactor::{self, Reactor};
use crate::request::PreparedRequest;
use crate::response::{DRAINED, Response};
use crate::settings::Settings;
use crate::stats::Stats;
use crate::timings::Timings;
use crate::trace;

/// What is to be sent, and where to.
#[derive(Clone, Copy)]
struct Work<'a> {
    request: &'a PreparedRequest,
    framing: RequestFraming,
    settings: &'a Settings,
    origin: Origin<'a>,
}

impl<'a> Work<'a> {
    fn on(
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
        options: &'a Options,
    ) -> Result<Self> {
        let framing = request.seal().map_err(|error| error.during(Phase::Prepare))?;
        // Hardly any request has it.
        if request.headers.contains("proxy-authorization")
            && !origin::is_forwarded(request, settings, options)?
        {
            // Whom it is meant for would not read it.
            request.headers.remove("proxy-authorization");
        }
        let origin = origin::of(request, settings, options)?;
        Ok(Self { request, framing, settings, origin })
    }
}

/// Speaks HTTP/1.1 over TCP and TLS, and HTTP/2 where that is asked for, and keeps connections to be
/// used again (Requests' `HTTPAdapter`). A session has one mounted on `http://` and `https://`; clones share it.
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
    /// Between two tries.
    pauses: Pauses,
    /// Sockets belong to the reactor that they were opened under.
    calling_thread: Arc<Pool>,
    #[cfg(feature = "async")]
    tokio: Arc<Pool>,
}

impl HttpAdapter {
    /// An adapter with an empty pool.
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        Self(Arc::new(Inner {
            calling_thread: Arc::new(Pool::new(options.pool)),
            #[cfg(feature = "async")]
            tokio: Arc::new(Pool::new(options.pool)),
            options,
            pauses: Pauses::default(),
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
        match &self.0.options.retry {
            Some(retry) if settings.retry.is_none() => Box::pin(async move {
                let pauses = &self.0.pauses;
                retrying(&Once(self.clone()), retry, pauses, request, settings).await
            }),
            _ => self.exchange(request, settings),
        }
    }

    fn close(&self) {
        self.0.pauses.close();
        self.0.calling_thread.close();
        #[cfg(feature = "async")]
        self.0.tokio.close();
    }

    fn stats(&self) -> Stats {
        let mut stats = Stats { retried: self.0.pauses.count(), ..Stats::default() };
        stats += self.0.calling_thread.stats();
        #[cfg(feature = "async")]
        {
            stats += self.0.tokio.stats();
        }
        stats
    }
}

/// The adapter without its retries.
struct Once(HttpAdapter);

impl Adapter for Once {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        self.0.exchange(request, settings)
    }
}

impl HttpAdapter {
    /// Sends the request straight, or has a proxy send it, which may ask who we are. What needs no
    /// waiting is done at once: a future that does it all would be larger, and is copied.
    fn exchange<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        match Work::on(request, settings, &self.0.options) {
            Err(error) => Box::pin(std::future::ready(Err(error))),
            Ok(work) => {
                trace::event!(
                    DEBUG,
                    method = work.request.method.as_str(),
                    url = %trace::masked(&work.request.url),
                    "sending"
                );
                let span = trace::span!(
                    "send",
                    method = work.request.method.as_str(),
                    url = %trace::masked(&work.request.url),
                    status = trace::Empty,
                );
                #[cfg(feature = "http2")]
                if self.0.options.speaks_http2(&work) {
                    return span.hold_boxed(self.send_shared(work));
                }
                match work.origin.route {
                    Some(Route { proxy, forwards: true }) => {
                        span.hold_boxed(self.forward(work, proxy))
                    }
                    _ => span.hold_boxed(self.send_once(work, None)),
                }
            }
        }
    }

    /// Has a proxy send the request, and once more if it wants to know who we are.
    async fn forward(&self, work: Work<'_>, proxy: &Arc<ProxyServer>) -> Result<Response> {
        let mut forward = Forward::new(work.request, proxy)?;
        loop {
            let sent = self.send_once(work, Some(&forward)).await;
            let response = sent.map_err(|error| match error.kind() {
                // It has the proxy's name already.
                ErrorKind::Proxy | ErrorKind::ConnectTimeout => error,
                // It has refused the client's certificate late.
                ErrorKind::Tls => error.of_proxy(forward.proxy()),
                _ => error.through(forward.proxy()),
            })?;
            if !forward.answers(work.request, response.status(), response.headers())? {
                return Ok(response);
            }
            response.drain(DRAINED).await;
            trace::event!(DEBUG, "asked again by the proxy");
        }
    }

    /// Sends the request over a pooled connection, and once more over a fresh one if that turns
    /// out to be closed and the request may be replayed.
    #[expect(
        clippy::manual_async_fn,
        reason = "the future of a block has its arguments once, that of a function twice"
    )]
    fn send_once<'a>(
        &'a self,
        work: Work<'a>,
        forward: Option<&'a Forward<'a>>,
    ) -> impl Future<Output = Result<Response>> + Send + 'a {
        async move {
            work.request.body.source().map_or(Ok(()), |stream| stream.check())?;
            let pool = self.pool()?;
            let started = Instant::now();
            let trip = RoundTrip::new(&work, &self.0.options.limits, forward);
            // What can't be replayed is not sent on a connection that might be closed.
            let checked = !round_trip::is_repeatable(work.request);
            let (turn, now) = match pool.blocks() {
                true => Box::pin(wait_for_turn(pool, &work, started)).await?,
                false => (None, started),
            };
            let (mut connection, mut reused) = match pool.take(work.origin, now, checked) {
                Ok(mut connection) => {
                    trace::event!(DEBUG, peer = ?connection.peer, "on a kept connection");
                    if turn.is_some() {
                        let waited = Timings { pool: Some(now - started), ..Timings::default() };
                        (connection.opened, connection.turn) = (Some(Box::new(waited)), turn);
                    }
                    (connection, true)
                }
                Err(mut vacancy) => {
                    trace::event!(
                        DEBUG,
                        host = work.origin.host,
                        port = work.origin.port,
                        "on a new connection"
                    );
                    vacancy.turn = turn;
                    // What can't be sent is not worth a connection.
                    let mut head = Vec::new();
                    trip.write_head(&mut head).map_err(|error| error.during(Phase::Prepare))?;
                    let mut connection = self.open(vacancy, &work, started).await?;
                    (connection.output, connection.has_head) = (head, true);
                    (connection, false)
                }
            };
            let mut ready = if reused { now } else { connection.ready() };
            trace::event!(TRACE, headers = ?work.settings.sensitive_headers.masked(&work.request.headers), "request");
            loop {
                match trip.run(&mut connection).await {
                    Ok(answer) => {
                        let began = Began { started, ready };
                        return Ok(self.respond(pool, connection, answer, work.settings, began));
                    }
                    Err(failure) => {
                        let replays = reused && !connection.was_closed();
                        if !(replays && failure.allows_replay(work.request)) {
                            return Err(failed(&connection, failure, Began { started, ready }));
                        }
                        trace::event!(
                            DEBUG,
                            error = %failure.error,
                            "the kept connection was closed: once more, on a new one"
                        );
                    }
                }
                let vacancy = pool.replay(work.origin, connection.turn.take());
                connection = self.open(vacancy, &work, started).await?;
                (reused, ready) = (false, connection.ready());
            }
        }
    }

    /// Opens a connection within the connect timeout. Boxed: most requests find one in the pool,
    /// and should not carry the room that this needs.
    fn open<'a>(
        &'a self,
        vacancy: Vacancy,
        work: &'a Work<'a>,
        started: Instant,
    ) -> BoxFuture<'a, Result<Box<Connection>>> {
        Box::pin(open(vacancy, work, &self.0.options, started))
    }

    fn respond(
        &self,
        pool: &Arc<Pool>,
        mut connection: Box<Connection>,
        answer: Answer,
        settings: &Settings,
        began: Began,
    ) -> Response {
        // A little less than it says: it may close while a request is on its way.
        connection.server_keeps =
            answer.framing.keeps.map(|keeps| keeps.saturating_sub(Duration::from_millis(500)));
        let way = Way {
            opened: connection.opened.take(),
            sent_at: connection.sent_at,
            peer: connection.peer,
            tls: connection.tls.clone(),
        };
        let head = answered(answer.head, began, way, settings);
        let (framing, limits) = (answer.framing, self.0.options.limits);
        let live = Download::begin(connection, pool, framing, settings, limits, answer.meter);
        Response::new(head, live)
    }
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
    let Failure { error, lost, .. } = failure;
    let sent_at = connection.sent_at;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    /// It is boxed for each request, and what is larger than that costs an allocator some 400
    /// instructions more: glibc keeps no cache of it.
    #[test]
    fn what_waits_for_a_response_is_small() {
        let (adapter, settings) = (HttpAdapter::new(), Settings::default());
        let mut request = Request::new("GET", "http://h/").prepare().unwrap();
        let work = Work::on(&mut request, &settings, &adapter.0.options).unwrap();
        let size = size_of_val(&adapter.send_once(work, None));
        assert!(size <= 1032, "{size}");
    }
}
