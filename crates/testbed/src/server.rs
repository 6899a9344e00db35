//! The embedded server: how it is started, asked and stopped.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use rustls::ServerConfig;
use tokio::sync::oneshot;

use crate::listen;
use crate::pki::Pki;
use crate::record::{Record, Recorded};

/// An HTTP and HTTPS server with httpbin's routes, on ports of its own. It speaks HTTP/2, too: over
/// TLS where the client offers it, without where the client begins with it.
///
/// It runs on its own thread, so that blocking and async callers alike can use
/// it. Dropping it closes both listeners and every connection.
#[derive(Debug)]
pub struct Testbed {
    addr: SocketAddr,
    https_addr: SocketAddr,
    pki: Pki,
    record: Arc<Record>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Testbed {
    /// Starts a server on 127.0.0.1; it is ready when this returns.
    ///
    /// # Panics
    ///
    /// If the system grants no port, thread or temporary file.
    pub fn start() -> Self {
        Self::with(Pki::new())
    }

    /// Starts one whose TLS listener wants a certificate of the client's, from the same
    /// authority as its own.
    ///
    /// # Panics
    ///
    /// As [`Testbed::start`].
    pub fn for_known_clients() -> Self {
        Self::with(Pki::for_known_clients())
    }

    fn with(pki: Pki) -> Self {
        let record = Arc::new(Record::default());
        let (stop, stopped) = oneshot::channel();
        let (ready, addresses) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("testbed".to_owned())
            .spawn({
                let (mut tls, record) = (ServerConfig::clone(&pki.server()), Arc::clone(&record));
                tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                move || listen::run(Arc::new(tls), &record, &ready, stopped)
            })
            .expect("a thread for the server");
        let (addr, https_addr) = addresses.recv().expect("the server starts");
        Self { addr, https_addr, pki, record, stop: Some(stop), thread: Some(thread) }
    }

    /// The URL of a path on the plain listener.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{}", self.addr, path.trim_start_matches('/'))
    }

    /// The URL of a path on the TLS listener, under the name `localhost`.
    ///
    /// The certificate holds for `127.0.0.1` and `::1` too, though nothing
    /// listens on the latter.
    pub fn https_url(&self, path: &str) -> String {
        let port = self.https_addr.port();
        format!("https://localhost:{port}/{}", path.trim_start_matches('/'))
    }

    /// The address of the plain listener.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of the TLS listener.
    pub fn https_addr(&self) -> SocketAddr {
        self.https_addr
    }

    /// The certificate of the authority that signed the server's, as PEM.
    ///
    /// Each server has an authority of its own.
    pub fn ca_pem(&self) -> &str {
        self.pki.ca_pem()
    }

    /// A file with [`Testbed::ca_pem`], which exists as long as the server.
    pub fn ca_file(&self) -> &Path {
        self.pki.ca_file()
    }

    /// A certificate for a client and its key, as PEM, if this server
    /// [wants one](Testbed::for_known_clients).
    pub fn client_pem(&self) -> Option<(&str, &str)> {
        self.pki.client_pem()
    }

    /// How many connections the plain listener has accepted.
    pub fn connections(&self) -> usize {
        self.record.connections(false)
    }

    /// How many connections the TLS listener has accepted, failed handshakes
    /// included.
    pub fn https_connections(&self) -> usize {
        self.record.connections(true)
    }

    /// How many connections are open now, on both listeners.
    ///
    /// The server learns of a closed connection shortly after the client does.
    pub fn open_connections(&self) -> usize {
        self.record.open()
    }

    /// The most connections that were open at one time.
    pub fn most_connections(&self) -> usize {
        self.record.most()
    }

    /// The last requests received, at most 1,000, oldest first.
    ///
    /// A request is there before its response starts.
    pub fn requests(&self) -> Vec<Recorded> {
        self.record.requests()
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been reported on its own thread.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
