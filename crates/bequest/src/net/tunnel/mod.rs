//! A way through a proxy to an origin: CONNECT, or SOCKS.

mod connect;
#[cfg(feature = "socks")]
mod socks;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Instant;

use tokio::io::AsyncWrite;

use super::buffer::Buffer;
use super::dial::{Dialed, Reached, Steps, Undialed, reach, secure};
use super::pool::Origin;
use super::proxy_server::ProxyProtocol;
use super::route::Route;
use super::sockets::Sockets;
use super::stream::Stream;
use crate::error::Result;
#[cfg(not(feature = "socks"))]
use crate::error::{Error, ErrorKind};
use crate::h1::ResponseHead;

/// What a proxy said in place of opening a tunnel.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) head: ResponseHead,
    /// As much of it as there was, and was wanted.
    pub(crate) body: Vec<u8>,
}

/// A connection to a proxy.
struct Gate {
    stream: Stream,
    reached: Steps,
    peer: Option<SocketAddr>,
    /// Something was asked on it before.
    used: bool,
}

/// Opens a connection to the origin through the proxy.
pub(super) async fn open(
    origin: Origin<'_>,
    route: Route<'_>,
    sockets: &Sockets,
    deadline: Option<Instant>,
) -> Result<Dialed, Undialed> {
    let started = Instant::now();
    let gate = match route.proxy.protocol {
        ProxyProtocol::Http | ProxyProtocol::Https => {
            connect::connect(origin, route, sockets, deadline).await?
        }
        #[cfg(feature = "socks")]
        _ => socks::connect(origin, route, sockets, deadline).await?,
        #[cfg(not(feature = "socks"))]
        _ => {
            return Err(Error::with(ErrorKind::Unsupported, "SOCKS is not built in")
                .remedied("build bequest with its feature `socks`")
                .of_proxy(&**route.proxy)
                .into());
        }
    };
    let Gate { stream, reached, peer, .. } = gate;
    let opened = Instant::now();
    let (stream, ready) = match origin.tls {
        None => (stream, opened),
        Some(tls) => (secure(stream, origin.host, tls, deadline).await?, Instant::now()),
    };
    let steps = Steps {
        resolve: reached.resolve,
        connect: (opened - started).saturating_sub(reached.resolve),
        tls: origin.tls.map(|_| ready - opened),
    };
    Ok(Dialed { stream, peer, steps, ready })
}

/// A connection to the proxy itself.
async fn approach(route: Route<'_>, sockets: &Sockets, deadline: Option<Instant>) -> Result<Gate> {
    let proxy = &**route.proxy;
    let to_proxy = Origin {
        host: &proxy.host,
        port: proxy.port,
        zone: None,
        tls: None,
        route: None,
        unix_socket: None,
    };
    let Reached { socket, peer, steps, .. } =
        reach(to_proxy, sockets, deadline).await.map_err(|error| error.of_proxy(proxy))?;
    let mut stream = Stream::Plain(socket);
    if let Some(tls) = route.tls() {
        stream = secure(stream, &proxy.host, tls, deadline)
            .await
            .map_err(|error| error.of_proxy(proxy))?;
    }
    Ok(Gate { stream, reached: steps, peer, used: false })
}

/// Writes all of it, and has it leave.
async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    let mut written = 0;
    poll_fn(|context| {
        while written < bytes.len() {
            match ready!(Pin::new(&mut *stream).poll_write(context, &bytes[written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => written += count,
            }
        }
        Pin::new(&mut *stream).poll_flush(context)
    })
    .await
}

/// Reads once; zero is the end.
async fn fill(stream: &mut Stream, input: &mut Buffer) -> io::Result<usize> {
    poll_fn(|context| input.poll_fill(stream, context)).await
}
