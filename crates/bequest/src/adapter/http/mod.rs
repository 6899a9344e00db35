//! The adapter for `http://` and `https://`: one request over one connection.

mod clock;
mod download;
mod expect;
mod forward;
mod meter;
mod options;
mod origin;
mod round_trip;
mod upload;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::Extensions;
use download::Download;
use forward::Forward;
use options::Options;
use round_trip::{Answer, RoundTrip};

pub(super) use clock::total_is_over;

use super::{Adapter, retrying};
use crate::body::RequestFraming;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::future::BoxFuture;
use crate::net::{
    Connection, Dialed, Origin, Pool, ProxyServer, Refusal, Route, Sockets, Undialed, dial,
};
use crate::reactor::{self, Reactor};
use crate::request::PreparedRequest;
use crate::response::{Encoding, Head, Response};
use crate::settings::Settings;
use crate::timings::Timings;

/// The most that is read of what a proxy says beside its challenge.
const DRAINED: u64 = 64 * 1024;

/// What is to be sent, and where to.
#[derive(Clone, Copy)]
struct Work<'a> {
    request: &'a PreparedRequest,
    framing: RequestFraming,
    settings: &'a Settings,
    origin: Origin<'a>,
}

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
            Some(retry) if settings.retry.is_none() => {
                Box::pin(
                    async move { retrying(&Once(self.clone()), retry, request, settings).await },
                )
            }
            _ => Box::pin(self.exchange(request, settings)),
        }
    }

    fn close(&self) {
        self.0.calling_thread.close();
        #[cfg(feature = "async")]
        self.0.tokio.close();
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
        Box::pin(self.0.exchange(request, settings))
    }
}

impl HttpAdapter {
    /// Sends the request straight, or has a proxy send it, which may ask who we are.
    async fn exchange(
        &self,
        request: &mut PreparedRequest,
        settings: &Settings,
    ) -> Result<Response> {
        let framing = request.seal().map_err(|error| error.during(Phase::Prepare))?;
        if !origin::is_forwarded(request, settings)? {
            // Whom it is meant for would not read it.
            request.headers.remove("proxy-authorization");
        }
        let request = &*request;
        let work = Work { request, framing, settings, origin: origin::of(request, settings)? };
        match work.origin.route {
            Some(Route { proxy, forwards: true }) => Box::pin(self.forward(&work, proxy)).await,
            _ => self.send_once(&work, None).await,
        }
    }

    /// Has a proxy send the request, and once more if it wants to know who we are.
    async fn forward(&self, work: &Work<'_>, proxy: &Arc<ProxyServer>) -> Result<Response> {
        let mut forward = Forward::new(work.request, proxy)?;
        loop {
            let sent = self.send_once(work, Some(&forward)).await;
            let response = sent.map_err(|error| match error.kind() {
                // It has the proxy's name already.
                ErrorKind::Proxy | ErrorKind::ConnectTimeout => error,
                _ => error.through(forward.proxy()),
            })?;
            if !forward.answers(work.request, response.status(), response.headers())? {
                return Ok(response);
            }
            response.drain(DRAINED).await;
        }
    }

    /// Sends the request over a pooled connection, and once more over a fresh one if that turns
    /// out to be closed and the request may be replayed.
    async fn send_once(&self, work: &Work<'_>, forward: Option<&Forward<'_>>) -> Result<Response> {
        let &Work { request, framing, settings, .. } = work;
        request.body.stream().map_or(Ok(()), |stream| stream.check())?;
        let pool = self.pool()?;
        let started = Instant::now();
        let trip =
            RoundTrip { request, framing, settings, limits: &self.0.options.limits, forward };
        // What can't be replayed is not sent on a connection that might be closed.
        let checked = !round_trip::is_repeatable(request);
        let (mut connection, mut reused) = match pool.take(work.origin, started, checked) {
            Ok(connection) => (connection, true),
            Err(vacancy) => {
                // What can't be sent is not worth a connection.
                let mut head = Vec::new();
                trip.write_head(&mut head).map_err(|error| error.during(Phase::Prepare))?;
                let mut connection = vacancy.fill(open(work, &self.0.options.sockets).await?);
                (connection.output, connection.has_head) = (head, true);
                (connection, false)
            }
        };
        loop {
            match trip.run(&mut connection).await {
                Ok(answer) => return Ok(self.respond(pool, connection, answer, settings, started)),
                Err(failure) if reused && failure.allows_replay(request) => {
                    connection =
                        pool.vacancy(work.origin).fill(open(work, &self.0.options.sockets).await?);
                    reused = false;
                }
                Err(failure) => return Err(failure.error),
            }
        }
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
        // A little less than it says: it may close while a request is on its way.
        connection.server_keeps =
            answer.framing.keeps.map(|keeps| keeps.saturating_sub(Duration::from_millis(500)));
        let head = Head {
            status: answer.head.status,
            version: answer.head.version,
            reason: answer.head.reason,
            headers: answer.head.headers,
            request: None,
            url: None,
            history: Vec::new(),
            attempts: Vec::new(),
            timings,
            peer: Some(connection.peer),
            extensions: Extensions::new(),
            max_content: settings.max_content,
            encoding: Encoding::default(),
        };
        let (framing, limits) = (answer.framing, self.0.options.limits);
        let live = Download::begin(connection, pool, framing, settings, limits, answer.meter);
        Response::new(head, live)
    }
}

/// Opens a connection within the connect timeout. Boxed: most requests find one in the pool, and
/// should not carry the room that this needs.
fn open<'a>(work: &Work<'a>, sockets: &'a Sockets) -> BoxFuture<'a, Result<Dialed>> {
    let &Work { request, settings, origin, .. } = work;
    Box::pin(async move {
        let limit = settings.timeout.connect_limit();
        let (deadline, is_total) = match (limit, settings.deadline) {
            (None, None) => (None, false),
            _ => settings.until(Instant::now(), limit),
        };
        let Undialed { error, refusal } = match dial(origin, sockets, deadline).await {
            Ok(dialed) => return Ok(dialed),
            Err(undialed) => undialed,
        };
        let error = match error.phase() {
            Some(phase) if is_total && error.kind() == ErrorKind::ConnectTimeout => {
                total_is_over(settings).during(phase)
            }
            _ => error,
        };
        Err(match refusal {
            None => error,
            Some(refusal) => error.carry_response(refused(*refusal, request)),
        })
    })
}

/// What a proxy has said, for whoever asks the error.
fn refused(refusal: Refusal, request: &PreparedRequest) -> Response {
    let head = Head {
        status: refusal.head.status,
        version: refusal.head.version,
        reason: refusal.head.reason,
        headers: refusal.head.headers,
        request: Some(Box::new(request.as_sent())),
        url: None,
        history: Vec::new(),
        attempts: Vec::new(),
        timings: Timings::default(),
        peer: None,
        extensions: Extensions::new(),
        max_content: None,
        encoding: Encoding::default(),
    };
    Response::brought(head, refusal.body.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    /// Each request allocates one; allocators are slower with more than 1 KiB.
    #[test]
    fn the_future_of_an_exchange_is_small() {
        let (adapter, settings) = (HttpAdapter::new(), Settings::default());
        let mut request = Request::new("GET", "http://h/").prepare().unwrap();
        let size = size_of_val(&adapter.exchange(&mut request, &settings));
        assert!(size <= 1024, "{size}");
    }
}
