//! Opening a connection: name, address, TLS, and a proxy between.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::pool::Origin;
use super::race::{Failures, race};
use super::route::Route;
use super::sockets::Sockets;
use super::stream::Stream;
use super::tls::TlsSettings;
use super::tunnel::{self, Refusal};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::reactor::{self, Socket, with_deadline};

/// How long the steps to a connection took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    pub(crate) resolve: Duration,
    pub(crate) connect: Duration,
    pub(crate) tls: Option<Duration>,
}

/// A connection that is ready to carry requests.
#[derive(Debug)]
pub(crate) struct Dialed {
    pub(crate) stream: Stream,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) steps: Steps,
    pub(crate) ready: Instant,
}

/// Why there is no connection, and what a proxy has said to that.
#[derive(Debug)]
pub(crate) struct Undialed {
    pub(crate) error: Error,
    pub(crate) refusal: Option<Box<Refusal>>,
}

impl From<Error> for Undialed {
    fn from(error: Error) -> Self {
        Self { error, refusal: None }
    }
}

/// Opens a connection. The deadline is for all of it: look-up, every address, proxy, handshake.
pub(crate) async fn dial(
    origin: Origin<'_>,
    sockets: &Sockets,
    deadline: Option<Instant>,
) -> Result<Dialed, Undialed> {
    match origin.route {
        None => Ok(go(origin, sockets, deadline).await?),
        Some(Route { proxy, forwards: true }) => {
            Ok(go(origin, sockets, deadline).await.map_err(|error| error.of_proxy(&**proxy))?)
        }
        Some(route) => Box::pin(tunnel::open(origin, route, sockets, deadline)).await,
    }
}

/// Goes straight to where the connection leads.
async fn go(origin: Origin<'_>, sockets: &Sockets, deadline: Option<Instant>) -> Result<Dialed> {
    let reached = reach(origin, sockets, deadline).await?;
    let stream = Stream::Plain(reached.socket);
    let Some(tls) = origin.tls else {
        let Reached { peer, connected: ready, .. } = reached;
        return Ok(Dialed { stream, peer, steps: reached.steps, ready });
    };
    let stream = secure(stream, origin.host, tls, deadline).await?;
    let ready = Instant::now();
    let steps = Steps { tls: Some(ready - reached.connected), ..reached.steps };
    Ok(Dialed { stream, peer: reached.peer, steps, ready })
}

/// A connection without anything over it.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) socket: Socket,
    /// `None` for a Unix socket.
    pub(super) peer: Option<SocketAddr>,
    pub(super) steps: Steps,
    pub(super) connected: Instant,
}

/// Connects to the host; whether it is the origin's or a proxy's is not its business.
pub(super) async fn reach(
    origin: Origin<'_>,
    sockets: &Sockets,
    deadline: Option<Instant>,
) -> Result<Reached> {
    if let Some(path) = origin.unix_socket {
        return reach_unix(path, deadline).await;
    }
    let started = Instant::now();
    let addresses = addresses(origin, sockets, deadline).await?;
    let resolved = Instant::now();
    let only = if let [address] = addresses[..] { Some(address) } else { None };
    let (socket, peer) = with_deadline(deadline, race(addresses, sockets.options))
        .await
        .ok_or_else(|| timed_out(Phase::Connect(only)))?
        .map_err(|failures| unconnected(origin, failures))?;
    let connected = Instant::now();
    let steps = Steps { resolve: resolved - started, connect: connected - resolved, tls: None };
    Ok(Reached { socket, peer: Some(peer), steps, connected })
}

async fn reach_unix(path: &Path, deadline: Option<Instant>) -> Result<Reached> {
    let started = Instant::now();
    let socket = with_deadline(deadline, reactor::connect_unix(path))
        .await
        .ok_or_else(|| timed_out(Phase::Connect(None)))?
        .map_err(|cause| {
            let what = format!("no connection to the Unix socket {path:?}");
            Error::with(ErrorKind::Connect, what)
                .during(Phase::Connect(None))
                .remedied("check the path, whether you may write there, and that the server runs")
                .because(cause)
        })?;
    let connected = Instant::now();
    let steps = Steps { resolve: Duration::ZERO, connect: connected - started, tls: None };
    Ok(Reached { socket, peer: None, steps, connected })
}

/// The addresses of the host: at least one.
pub(super) async fn addresses(
    origin: Origin<'_>,
    sockets: &Sockets,
    deadline: Option<Instant>,
) -> Result<Vec<SocketAddr>> {
    let look_up = sockets.resolve(origin.host, origin.zone, origin.port, deadline.is_some());
    with_deadline(deadline, look_up).await.ok_or_else(|| timed_out(Phase::Resolve))?
}

/// Does a TLS handshake with the host over what leads to it.
pub(super) async fn secure(
    stream: Stream,
    host: &str,
    tls: TlsSettings<'_>,
    deadline: Option<Instant>,
) -> Result<Stream> {
    with_deadline(deadline, stream.secured(host, tls)).await.ok_or_else(|| timed_out(Phase::Tls))?
}

pub(super) fn timed_out(phase: Phase) -> Error {
    Error::with(ErrorKind::ConnectTimeout, "the connect timeout was over").during(phase)
}

/// Names every address that was tried.
fn unconnected(origin: Origin<'_>, failures: Failures) -> Error {
    let only = if let [(address, _)] = failures[..] { Some(address) } else { None };
    let name = format!("{}:{}", origin.host, origin.port);
    // The place on the way names the address, too.
    let mut what = match only {
        Some(address) if address.to_string() == name => "no connection".to_owned(),
        _ => format!("no connection to {name}"),
    };
    if only.is_none() {
        for (at, (address, error)) in failures.iter().enumerate() {
            let sign = if at == 0 { " (" } else { ", " };
            // Writing to a String can't fail.
            let _ = write!(what, "{sign}{address}: {error}");
        }
        what.push(')');
    }
    let refused =
        failures.iter().all(|(_, error)| error.kind() == std::io::ErrorKind::ConnectionRefused);
    let mut error = Error::with(ErrorKind::Connect, what).during(Phase::Connect(only));
    if refused {
        error = error.remedied("nothing listens there: check the port, and that the server runs");
    }
    match failures.into_iter().next_back() {
        Some((_, cause)) => error.because(cause),
        None => error,
    }
}
