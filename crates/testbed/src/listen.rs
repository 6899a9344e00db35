//! The listeners, and what happens on each connection.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::exchange::{Connection, Exchange};
use crate::head::Head;
use crate::record::{Connected, Record};
use crate::routes::{self, State};
use crate::tape::{Heads, Tape};

/// Serves until the sender of `stopped` is gone.
///
/// The runtime ends with this function, and with it every task; that closes
/// the sockets without waiting for any client.
pub(crate) fn run(
    tls: Arc<ServerConfig>,
    record: &Arc<Record>,
    ready: &mpsc::SyncSender<(SocketAddr, SocketAddr)>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for the server");
    runtime.block_on(async {
        let (plain, addr) = bind().await;
        let (secure, https_addr) = bind().await;
        let state = Arc::new(State::default());
        tokio::spawn(accept(plain, None, Arc::clone(record), Arc::clone(&state)));
        tokio::spawn(accept(secure, Some(TlsAcceptor::from(tls)), Arc::clone(record), state));
        ready.send((addr, https_addr)).expect("the starter waits");
        let _ = stopped.await;
    });
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let addr = listener.local_addr().expect("the port's address");
    (listener, addr)
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    record: Arc<Record>,
    state: Arc<State>,
) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Most likely no file descriptor is left: wait until one is.
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let connected = record.connected(tls.is_some());
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            // A failed connection is the client's business, and often the test.
            let _ = connection(stream, peer, tls, connected, state).await;
        });
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    connected: Connected,
    state: Arc<State>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection { peer: peer.ip(), local: stream.local_addr()?, connected };
    match tls {
        None if is_http2(&stream).await? => serve_http2(stream, connection, state).await,
        None => serve(stream, connection, state).await,
        Some(tls) => {
            let stream = tls.accept(stream).await?;
            let tls = stream.get_ref().1;
            let shown = tls.peer_certificates().and_then(<[_]>::first);
            connection.connected.client = shown.map(|certificate| Arc::from(certificate.as_ref()));
            match tls.alpn_protocol() {
                Some(b"h2") => serve_http2(stream, connection, state).await,
                _ => serve(stream, connection, state).await,
            }
        }
    }
}

/// Whether the client begins to speak HTTP/2, as one that knows it beforehand does.
async fn is_http2(stream: &TcpStream) -> io::Result<bool> {
    const PREFACE: &[u8] = b"PRI * ";
    let mut begun = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut begun).await?;
        if length == 0 || !PREFACE.starts_with(&begun[..length]) {
            return Ok(false);
        }
        if length == PREFACE.len() {
            return Ok(true);
        }
        // The rest is on its way, and nothing tells of it.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn serve_http2<S>(stream: S, connection: Connection, state: Arc<State>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = Arc::new(connection);
    let served = AtomicUsize::new(0);
    let service = service_fn(|request| {
        let head = Head::of(&request);
        let nth = served.fetch_add(1, Ordering::Relaxed) + 1;
        let exchange = Exchange::new(head, request, Arc::clone(&connection), nth);
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(routes::respond(exchange, &state).await) }
    });
    http2::Builder::new(TokioExecutor::new())
        .max_header_list_size(1 << 20)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}

async fn serve<S>(stream: S, connection: Connection, state: Arc<State>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heads = Heads::default();
    let connection = Arc::new(connection);
    let served = AtomicUsize::new(0);
    let io = TokioIo::new(Tape::new(stream, heads.clone()));
    let service = service_fn(|request| {
        let head = heads.take().unwrap_or_default();
        let nth = served.fetch_add(1, Ordering::Relaxed) + 1;
        let exchange = Exchange::new(head, request, Arc::clone(&connection), nth);
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(routes::respond(exchange, &state).await) }
    });
    http1::Builder::new()
        .title_case_headers(true)
        .serve_connection(io, service)
        .await
        .map_err(io::Error::other)
}
