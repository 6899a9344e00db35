//! Opening a connection: name, address, TLS.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::pool::Origin;
use super::race::{Failures, race};
use super::sockets::Sockets;
use super::stream::Stream;
use super::tls::TlsSettings;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::reactor::{Socket, with_deadline};

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
    pub(crate) peer: SocketAddr,
    pub(crate) steps: Steps,
    pub(crate) ready: Instant,
}

/// Opens a connection. The deadline is for all of it: look-up, every address, handshake.
pub(crate) async fn dial(
    origin: Origin<'_>,
    sockets: &Sockets,
    deadline: Option<Instant>,
) -> Result<Dialed> {
    let started = Instant::now();
    let look_up = sockets.resolve(origin.host, origin.zone, origin.port, deadline.is_some());
    let addresses =
        with_deadline(deadline, look_up).await.ok_or_else(|| timed_out(Phase::Resolve))??;
    let resolved = Instant::now();
    let only = if let [address] = addresses[..] { Some(address) } else { None };
    let (socket, peer) = with_deadline(deadline, race(addresses, sockets.options))
        .await
        .ok_or_else(|| timed_out(Phase::Connect(only)))?
        .map_err(|failures| unconnected(origin, failures))?;
    let connected = Instant::now();
    let stream = match origin.tls {
        None => Stream::Plain(socket),
        Some(tls) => with_deadline(deadline, secure(socket, origin.host, tls))
            .await
            .ok_or_else(|| timed_out(Phase::Tls))??,
    };
    let ready = if origin.tls.is_some() { Instant::now() } else { connected };
    let steps = Steps {
        resolve: resolved - started,
        connect: connected - resolved,
        tls: origin.tls.map(|_| ready - connected),
    };
    Ok(Dialed { stream, peer, steps, ready })
}

#[cfg(feature = "tls")]
async fn secure(socket: Socket, host: &str, tls: TlsSettings<'_>) -> Result<Stream> {
    let stream = super::tls::handshake(socket, host, tls).await?;
    Ok(Stream::Tls(Box::new(stream)))
}

#[cfg(not(feature = "tls"))]
async fn secure(_: Socket, _: &str, _: TlsSettings<'_>) -> Result<Stream> {
    Err(Error::with(ErrorKind::Unsupported, "https needs TLS")
        .remedied("build bequest with its feature `tls`"))
}

fn timed_out(phase: Phase) -> Error {
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
