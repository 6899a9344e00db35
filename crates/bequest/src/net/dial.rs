//! Opening a connection: name, address, TLS, and a proxy between.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::pool::Origin;
use super::race::{Failures, race};
use super::route::Route;
use super::sockets::Sockets;
use super::stream::Stream;
use super::tls::{TlsOptions, TlsSettings};
use super::tunnel::{self, Refusal};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::reactor::{self, Socket, with_deadline};
use crate::timings::Stopwatch;
use crate::trace;

/// An attempt to open a connection: when it is given up, and how far it has come.
#[derive(Debug)]
pub(crate) struct Dialing<'a> {
    pub(crate) sockets: &'a Sockets,
    /// How TLS is spoken with a proxy that a tunnel leads through.
    pub(crate) proxy_tls: &'a Arc<TlsOptions>,
    /// For all of it: look-up, every address, proxy, handshake.
    pub(crate) deadline: Option<Instant>,
    /// It may be given up at any other time, too.
    pub(crate) ends_early: bool,
    pub(crate) watch: Stopwatch,
}

/// A connection that is ready to carry requests.
#[derive(Debug)]
pub(crate) struct Dialed {
    pub(crate) stream: Stream,
    /// `None` for a Unix socket.
    pub(crate) peer: Option<SocketAddr>,
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

/// Opens a connection.
pub(crate) async fn dial(
    origin: Origin<'_>,
    dialing: &mut Dialing<'_>,
) -> Result<Dialed, Undialed> {
    let dialed = match origin.route {
        None => go(origin, dialing).await?,
        Some(Route { proxy, forwards: true }) => {
            go(origin, dialing).await.map_err(|error| error.of_proxy(&**proxy))?
        }
        Some(route) => Box::pin(tunnel::open(origin, route, dialing)).await?,
    };
    dialing.watch.enter(Phase::Send);
    Ok(dialed)
}

/// Goes straight to where the connection leads.
async fn go(origin: Origin<'_>, dialing: &mut Dialing<'_>) -> Result<Dialed> {
    let Reached { socket, peer } = reach(origin, dialing).await?;
    let stream = Stream::Plain(socket);
    let stream = match origin.tls {
        None => stream,
        Some(tls) => secure(stream, origin.host, tls, dialing).await?,
    };
    Ok(Dialed { stream, peer })
}

/// A connection without anything over it.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) socket: Socket,
    pub(super) peer: Option<SocketAddr>,
}

/// Connects to the host; whether it is the origin's or a proxy's is not its business.
pub(super) async fn reach(origin: Origin<'_>, dialing: &mut Dialing<'_>) -> Result<Reached> {
    if let Some(path) = origin.unix_socket {
        return reach_unix(path, dialing).await;
    }
    let addresses = addresses(origin, dialing).await?;
    let only = if let [address] = addresses[..] { Some(address) } else { None };
    dialing.watch.enter(Phase::Connect(only));
    let span = trace::span!("connect", host = origin.host, port = origin.port);
    let racing = span.hold(race(addresses, dialing.sockets.options));
    let (socket, peer) = with_deadline(dialing.deadline, racing)
        .await
        .ok_or_else(|| timed_out(Phase::Connect(only)))?
        .map_err(|failures| unconnected(origin, failures))?;
    Ok(Reached { socket, peer: Some(peer) })
}

async fn reach_unix(path: &Path, dialing: &mut Dialing<'_>) -> Result<Reached> {
    let phase = Phase::Connect(None);
    dialing.watch.enter(phase);
    let connecting = trace::span!("connect", path = ?path).hold(reactor::connect_unix(path));
    let socket = with_deadline(dialing.deadline, connecting)
        .await
        .ok_or_else(|| timed_out(phase))?
        .map_err(|cause| {
            let what = format!("no connection to the Unix socket {path:?}");
            Error::with(ErrorKind::Connect, what)
                .during(phase)
                .remedied("check the path, whether you may write there, and that the server runs")
                .because(cause)
        })?;
    Ok(Reached { socket, peer: None })
}

/// The addresses of the host: at least one.
pub(super) async fn addresses(
    origin: Origin<'_>,
    dialing: &mut Dialing<'_>,
) -> Result<Vec<SocketAddr>> {
    dialing.watch.enter(Phase::Resolve);
    let &mut Dialing { sockets, deadline, ends_early, .. } = dialing;
    let bounded = deadline.is_some() || ends_early;
    let look_up = sockets.resolve(origin.host, origin.zone, origin.port, bounded);
    let look_up = trace::span!("resolve", host = origin.host).hold(look_up);
    let found = with_deadline(deadline, look_up).await;
    let found = found.ok_or_else(|| timed_out(Phase::Resolve))??;
    trace::event!(DEBUG, addresses = ?found, "resolved");
    Ok(found)
}

/// Does a TLS handshake with the host over what leads to it.
pub(super) async fn secure(
    stream: Stream,
    host: &str,
    tls: TlsSettings<'_>,
    dialing: &mut Dialing<'_>,
) -> Result<Stream> {
    dialing.watch.enter(Phase::Tls);
    let securing = trace::span!("tls", host).hold(stream.secured(host, tls));
    with_deadline(dialing.deadline, securing).await.ok_or_else(|| timed_out(Phase::Tls))?
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
    } else if let Some(remedy) = failures.iter().find_map(|(_, error)| reactor::remedy(error)) {
        error = error.remedied(remedy);
    }
    match failures.into_iter().next_back() {
        Some((_, cause)) => error.because(cause),
        None => error,
    }
}
