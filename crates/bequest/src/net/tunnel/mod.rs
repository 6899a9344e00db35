//! A way through a proxy to an origin: CONNECT, or SOCKS.

mod connect;
#[cfg(feature = "socks")]
mod socks;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Poll, ready};

use tokio::io::AsyncWrite;

use super::buffer::Buffer;
use super::dial::{Dialed, Dialing, Reached, Undialed, reach, secure};
use super::pool::Origin;
use super::proxy_server::ProxyProtocol;
use super::route::Route;
use super::stream::Stream;
#[cfg(not(feature = "socks"))]
use crate::error::{Error, ErrorKind};
use crate::error::{Phase, Result};
use crate::h1::ResponseHead;
use crate::trace;

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
    peer: Option<SocketAddr>,
    /// Something was asked on it before.
    used: bool,
}

/// Opens a connection to the origin through the proxy.
pub(super) async fn open(
    origin: Origin<'_>,
    route: Route<'_>,
    dialing: &mut Dialing<'_>,
) -> Result<Dialed, Undialed> {
    let span = trace::span!("proxy", proxy = %route.proxy, host = origin.host, port = origin.port);
    let gate = match route.proxy.protocol {
        ProxyProtocol::Http | ProxyProtocol::Https => {
            span.hold(connect::connect(origin, route, dialing)).await?
        }
        #[cfg(feature = "socks")]
        _ => span.hold(socks::connect(origin, route, dialing)).await?,
        #[cfg(not(feature = "socks"))]
        _ => {
            return Err(Error::with(ErrorKind::Unsupported, "SOCKS is not built in")
                .remedied("build bequest with its feature `socks`")
                .of_proxy(&**route.proxy)
                .into());
        }
    };
    trace::event!(DEBUG, host = origin.host, port = origin.port, "a tunnel is open");
    let Gate { stream, peer, .. } = gate;
    let stream = match origin.tls {
        None => stream,
        Some(tls) => secure(stream, origin.host, tls, dialing).await?,
    };
    Ok(Dialed { stream, peer })
}

/// A connection to the proxy itself.
async fn approach(route: Route<'_>, dialing: &mut Dialing<'_>) -> Result<Gate> {
    let proxy = &**route.proxy;
    let to_proxy = Origin {
        host: &proxy.host,
        port: proxy.port,
        zone: None,
        tls: None,
        route: None,
        unix_socket: None,
    };
    let Reached { socket, peer } =
        reach(to_proxy, dialing).await.map_err(|error| error.of_proxy(proxy))?;
    let mut stream = Stream::Plain(socket);
    if let Some(tls) = route.tls(dialing.proxy_tls) {
        stream = secure(stream, &proxy.host, tls, dialing)
            .await
            .map_err(|error| error.of_proxy(proxy))?;
    }
    dialing.watch.enter(Phase::Proxy);
    Ok(Gate { stream, peer, used: false })
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
