//! A proxy that speaks everything that proxies speak, on one port.

mod http;
mod socks;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::pki::Pki;

/// A proxy for HTTP, HTTP within TLS, and SOCKS 4, 4a and 5; the first byte of a
/// connection says which.
///
/// It looks up no names, so that nothing leaves the machine: it knows `localhost`
/// and what [`Proxy::leads`] says. Dropping it closes all connections.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    pki: Pki,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a proxy was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The scheme of a URL by which a proxy is asked in this way: `socks5h` if a
    /// name was given, `socks5` for an address.
    pub scheme: &'static str,
    /// The target of the request line, or host and port.
    pub target: String,
    /// The head, if it was asked by HTTP.
    pub head: String,
    /// The user who has proved to be that.
    pub user: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    login: Option<(String, String)>,
    hosts: Mutex<HashMap<String, SocketAddr>>,
    asked: Mutex<Vec<Asked>>,
}

impl Proxy {
    /// Starts a proxy for everybody.
    ///
    /// # Panics
    ///
    /// If the system grants no port, thread or temporary file.
    pub fn start() -> Self {
        Self::with(None)
    }

    /// Starts a proxy for who has user and password: by Basic or RFC 1929. SOCKS 4
    /// has the user alone.
    ///
    /// # Panics
    ///
    /// As [`Proxy::start`].
    pub fn with_login(user: &str, password: &str) -> Self {
        Self::with(Some((user.to_owned(), password.to_owned())))
    }

    fn with(login: Option<(String, String)>) -> Self {
        let pki = Pki::new();
        let shared = Arc::new(Shared { login, ..Shared::default() });
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("proxy".to_owned())
            .spawn({
                let (tls, shared) = (TlsAcceptor::from(pki.server()), Arc::clone(&shared));
                move || run(tls, &shared, &ready, stopped)
            })
            .expect("a thread for the proxy");
        let addr = address.recv().expect("the proxy starts");
        Self { addr, pki, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The proxy's URL, with this scheme.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.addr.port())
    }

    /// The same, with its user and password.
    pub fn url_with_login(&self, scheme: &str) -> String {
        let login = self.shared.login.as_ref();
        let login = login.map_or(String::new(), |(user, password)| format!("{user}:{password}@"));
        format!("{scheme}://{login}localhost:{}", self.addr.port())
    }

    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A file with the certificate of the authority that vouches for it, as an
    /// `https` proxy; it exists as long as the proxy.
    pub fn ca_file(&self) -> &Path {
        self.pki.ca_file()
    }

    /// From now on this host, at any port, is at this address.
    pub fn leads(&self, host: &str, to: SocketAddr) {
        lock(&self.shared.hosts).insert(host.to_owned(), to);
    }

    /// All that it was asked for, refused or not, in order.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the proxy has been reported on its own thread.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn record(&self, asked: Asked) {
        lock(&self.asked).push(asked);
    }

    async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let known = lock(&self.hosts).get(host).copied();
        let address = match (known, host) {
            (Some(address), _) => address,
            (None, "localhost") => SocketAddr::from(([127, 0, 0, 1], port)),
            (None, host) => {
                let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
                let address = literal.map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
                SocketAddr::new(address, port)
            }
        };
        TcpStream::connect(address).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves until the sender of `stopped` is gone; all connections end with it.
fn run(
    tls: TlsAcceptor,
    shared: &Arc<Shared>,
    ready: &mpsc::SyncSender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for the proxy");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let shared = Arc::clone(shared);
        ready.send(listener.local_addr().expect("the port's address")).expect("the starter waits");
        tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    // Most likely no file descriptor is left: wait until one is.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                };
                let (tls, shared) = (tls.clone(), Arc::clone(&shared));
                // A failed connection is the client's business, and often the test.
                tokio::spawn(async move { serve(socket, tls, &shared).await });
            }
        });
        let _ = stopped.await;
    });
}

async fn serve(socket: TcpStream, tls: TlsAcceptor, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut first = [0];
    socket.peek(&mut first).await?;
    match first[0] {
        4 => socks::four(socket, shared).await,
        5 => socks::five(socket, shared).await,
        // The beginning of a handshake.
        22 => http::serve(tls.accept(socket).await?, "https", shared).await,
        _ => http::serve(socket, "http", shared).await,
    }
}

/// What is on one side goes to the other, until both have ended.
async fn join(client: &mut (impl AsyncRead + AsyncWrite + Unpin), mut server: TcpStream) {
    // An end that was not clean is passed on as an end.
    let _ = copy_bidirectional(client, &mut server).await;
}

/// What stands before `end`, which is read, too.
async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &[u8]) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        read.push(stream.read_u8().await?);
        if read.len() > 1 << 16 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    read.truncate(read.len() - end.len());
    Ok(read)
}
