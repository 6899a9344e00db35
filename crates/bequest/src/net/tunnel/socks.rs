//! SOCKS, over a connection to the proxy.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::{Gate, approach, write};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::net::dial::{Dialing, addresses, timed_out};
use crate::net::pool::Origin;
use crate::net::proxy_server::ProxyServer;
use crate::net::route::Route;
use crate::net::socks::{Socks, SocksStep, SocksTarget};
use crate::net::stream::Stream;
use crate::reactor::with_deadline;

/// Has a SOCKS proxy connect to the origin. A name that it shall not look up is looked up here, and
/// each of its addresses tried.
pub(super) async fn connect(
    origin: Origin<'_>,
    route: Route<'_>,
    dialing: &mut Dialing<'_>,
) -> Result<Gate> {
    let proxy = &**route.proxy;
    if let Some(target) = SocksTarget::of(proxy.protocol, origin.host) {
        let socks = Socks::new(proxy, target, origin.port);
        let socks = socks.map_err(|error| error.of_proxy(proxy))?;
        return attempt(socks, route, dialing).await.map_err(|failure| failure.error);
    }
    let mut last = None;
    for address in addresses(origin, dialing).await? {
        let failure = match Socks::new(proxy, SocksTarget::Address(address.ip()), origin.port) {
            Ok(socks) => match attempt(socks, route, dialing).await {
                Ok(gate) => return Ok(gate),
                Err(failure) => failure,
            },
            Err(error) => Failure::told(error, proxy),
        };
        if failure.is_final {
            return Err(failure.error);
        }
        last = Some(failure.error);
    }
    // There is at least one address.
    Err(last.unwrap_or_else(|| Error::with(ErrorKind::Proxy, "there is no address to connect to")))
}

struct Failure {
    error: Error,
    /// It does not depend on the address.
    is_final: bool,
}

impl Failure {
    /// The proxy can't connect there, but perhaps elsewhere; or there is something else wrong.
    fn told(error: Error, proxy: &ProxyServer) -> Self {
        let is_final = error.kind() != ErrorKind::Connect;
        Self { error: error.during(Phase::Proxy).of_proxy(proxy), is_final }
    }
}

async fn attempt(
    mut socks: Socks,
    route: Route<'_>,
    dialing: &mut Dialing<'_>,
) -> Result<Gate, Failure> {
    let proxy = &**route.proxy;
    let mut gate =
        approach(route, dialing).await.map_err(|error| Failure { error, is_final: true })?;
    match with_deadline(dialing.deadline, talk(&mut socks, &mut gate.stream)).await {
        Some(Ok(())) => Ok(gate),
        Some(Err(error)) => Err(Failure::told(error, proxy)),
        None => Err(Failure::told(timed_out(Phase::Proxy), proxy)),
    }
}

/// Says and hears what is to be said and heard; not a byte more, since what follows is the origin's.
async fn talk(socks: &mut Socks, stream: &mut Stream) -> Result<()> {
    loop {
        match socks.turn() {
            SocksStep::Done => return Ok(()),
            SocksStep::Send(bytes) => {
                write(stream, bytes).await.map_err(lost)?;
                socks.sent();
            }
            SocksStep::Receive(most) => {
                let mut room = [0; 512];
                let most = most.min(room.len());
                let count = read(stream, &mut room[..most]).await.map_err(lost)?;
                if count == 0 {
                    let end = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Err(socks.closed().because(end));
                }
                socks.received(&room[..count])?;
            }
        }
    }
}

async fn read(stream: &mut Stream, room: &mut [u8]) -> io::Result<usize> {
    poll_fn(|context| {
        let mut room = ReadBuf::new(room);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut room))?;
        Poll::Ready(Ok(room.filled().len()))
    })
    .await
}

fn lost(error: io::Error) -> Error {
    Error::with(ErrorKind::Proxy, "the connection was lost").because(error)
}
