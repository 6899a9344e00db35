//! Opening a connection: name, address, TLS.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Instant;

use super::pool::Origin;
use super::race::{Failures, race};
use super::stream::Stream;
use super::tls::Verify;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::reactor::{self, Socket, with_deadline};
use crate::timings::Stopwatch;

/// A connection that is ready to carry requests.
#[derive(Debug)]
pub(crate) struct Dialed {
    pub(crate) stream: Stream,
    pub(crate) peer: SocketAddr,
}

/// When somebody gives up waiting for a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    /// For all of it: look-up, every address, handshake.
    pub(crate) deadline: Option<Instant>,
    /// It may also be at any other time.
    pub(crate) ends_early: bool,
}

/// Opens a connection; `watch` knows how far it has come.
pub(crate) async fn dial(
    origin: Origin<'_>,
    patience: Patience,
    watch: &mut Stopwatch,
) -> Result<Dialed> {
    let Patience { deadline, ends_early } = patience;
    let bounded = deadline.is_some() || ends_early;
    watch.enter(Phase::Resolve);
    let look_up = reactor::resolve(origin.host, origin.zone, origin.port, bounded);
    let addresses = with_deadline(deadline, look_up)
        .await
        .ok_or_else(|| timed_out(Phase::Resolve))?
        .map_err(|error| unresolved(origin).because(error))?;
    if addresses.is_empty() {
        return Err(unresolved(origin));
    }
    let only = if let [address] = addresses[..] { Some(address) } else { None };
    watch.enter(Phase::Connect(only));
    let (socket, peer) = with_deadline(deadline, race(addresses))
        .await
        .ok_or_else(|| timed_out(Phase::Connect(only)))?
        .map_err(|failures| unconnected(origin, failures))?;
    let stream = match origin.tls {
        None => Stream::Plain(socket),
        Some(verify) => {
            watch.enter(Phase::Tls);
            with_deadline(deadline, secure(socket, origin.host, verify))
                .await
                .ok_or_else(|| timed_out(Phase::Tls))??
        }
    };
    watch.enter(Phase::Send);
    Ok(Dialed { stream, peer })
}

#[cfg(feature = "tls")]
async fn secure(socket: Socket, host: &str, verify: &Verify) -> Result<Stream> {
    super::tls::handshake(socket, host, verify).await
}

#[cfg(not(feature = "tls"))]
async fn secure(_: Socket, _: &str, _: &Verify) -> Result<Stream> {
    Err(Error::with(ErrorKind::Unsupported, "https needs TLS")
        .remedied("build bequest with its feature `tls`"))
}

fn timed_out(phase: Phase) -> Error {
    Error::with(ErrorKind::ConnectTimeout, "the connect timeout was over").during(phase)
}

fn unresolved(origin: Origin<'_>) -> Error {
    let Origin { host, zone, .. } = origin;
    let error = |what| Error::with(ErrorKind::Resolve, what).during(Phase::Resolve);
    match zone {
        None => {
            error(format!("no address for `{host}`")).remedied("check the name, and the network")
        }
        Some(zone) => error(format!("no interface `{zone}` for {host}"))
            .remedied("write the name or the number of one of this machine's interfaces"),
    }
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
