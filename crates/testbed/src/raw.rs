//! A server that plays scripts of raw bytes.

mod play;
mod script;
#[cfg(test)]
mod tests;
mod wire;

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;

pub use script::{Handshake, Script};

use crate::pki::Authority;

/// A TCP server that sends exactly the bytes its script says, right or wrong.
///
/// Connections are counted from 0 and each has its own thread. Dropping the
/// server closes all of them.
#[derive(Debug)]
pub struct RawServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl RawServer {
    /// Starts a server that plays the script on every connection.
    ///
    /// # Panics
    ///
    /// If the system grants no port or thread.
    pub fn start(script: Script) -> Self {
        Self::sequence(vec![script])
    }

    /// Starts a server that plays the first script on the first connection, the
    /// second on the second, and the last one on all that follow.
    ///
    /// # Panics
    ///
    /// If there is no script, or the system grants no port or thread.
    pub fn sequence(scripts: Vec<Script>) -> Self {
        Self::with(scripts, None)
    }

    /// As [`RawServer::sequence`], with a certificate for [`Script::tls`].
    ///
    /// # Panics
    ///
    /// As [`RawServer::sequence`].
    pub fn certified(authority: &Authority, scripts: Vec<Script>) -> Self {
        Self::with(scripts, Some(authority.server()))
    }

    fn with(scripts: Vec<Script>, tls: Option<Arc<ServerConfig>>) -> Self {
        assert!(!scripts.is_empty(), "a server needs a script");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("the port's address");
        let shared = Arc::new(Shared { tls, ..Shared::default() });
        let acceptor = thread::Builder::new()
            .name("raw-server".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || accept(&listener, &scripts, &shared)
            })
            .expect("a thread for the server");
        Self { addr, shared, acceptor: Some(acceptor) }
    }

    /// The URL of a path on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{}", self.addr, path.trim_start_matches('/'))
    }

    /// The URL of a path on this server, if its scripts speak TLS; under the name
    /// `localhost`.
    pub fn https_url(&self, path: &str) -> String {
        format!("https://localhost:{}/{}", self.addr.port(), path.trim_start_matches('/'))
    }

    /// The address that the server listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.shared.state().logs.len()
    }

    /// How many connections have ended on the server's side.
    pub fn closed(&self) -> usize {
        self.shared.closed.load(Ordering::SeqCst)
    }

    /// How many bytes the scripts have sent, over all connections.
    pub fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// All that the script has read so far on a connection; nothing for a
    /// connection that doesn't exist yet.
    pub fn received(&self, connection: usize) -> Vec<u8> {
        let state = self.shared.state();
        state.logs.get(connection).map_or_else(Vec::new, |log| lock(log).clone())
    }

    /// How many complete request heads [`Script::read_head`] has read, over all
    /// connections.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.shared.stop();
        // This wakes the acceptor, which then sees that it has to stop.
        let woken = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken.is_ok()) {
            // A panic there has been reported already.
            let _ = acceptor.join();
        }
    }
}

/// What the threads of one server share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    stopping: Condvar,
    requests: AtomicUsize,
    sent: AtomicUsize,
    closed: AtomicUsize,
    tls: Option<Arc<ServerConfig>>,
}

/// The bytes received on a connection.
type Log = Arc<Mutex<Vec<u8>>>;

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    logs: Vec<Log>,
    /// The open sockets. They are shared, not duplicated: a duplicate would
    /// keep a connection open that its script has closed.
    sockets: Vec<Arc<TcpStream>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn stopped(&self) -> bool {
        self.state().stopped
    }

    /// Tells all threads to stop, and ends what they wait for.
    fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        for socket in &state.sockets {
            // It may be closed by the peer already.
            let _ = socket.shutdown(Shutdown::Both);
        }
        self.stopping.notify_all();
    }

    /// Waits; `false` if the server was stopped.
    fn sleep(&self, duration: Duration) -> bool {
        let wait = self.stopping.wait_timeout_while(self.state(), duration, |state| !state.stopped);
        let (state, _) = wait.unwrap_or_else(PoisonError::into_inner);
        !state.stopped
    }

    /// Registers a connection; `None` if the server was stopped.
    fn open(&self, socket: TcpStream) -> Option<(Arc<TcpStream>, Log)> {
        let mut state = self.state();
        if state.stopped {
            return None;
        }
        let (socket, log) = (Arc::new(socket), Log::default());
        state.sockets.push(Arc::clone(&socket));
        state.logs.push(Arc::clone(&log));
        Some((socket, log))
    }

    fn forget(&self, socket: &Arc<TcpStream>) {
        self.state().sockets.retain(|open| !Arc::ptr_eq(open, socket));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accepts connections until the server stops, then waits for their threads.
fn accept(listener: &TcpListener, scripts: &[Script], shared: &Arc<Shared>) {
    let mut players = Vec::new();
    let mut scripts = scripts.iter().cloned();
    let mut script = scripts.next().unwrap_or_default();
    while !shared.stopped() {
        let Ok((socket, _)) = listener.accept() else {
            // Most likely no file descriptor is left: wait until one is.
            shared.sleep(Duration::from_millis(5));
            continue;
        };
        let Some((socket, log)) = shared.open(socket) else {
            break;
        };
        // A finished thread keeps its stack for as long as it can be joined.
        players.retain(|player: &JoinHandle<()>| !player.is_finished());
        players.push(thread::spawn({
            let (script, shared) = (script.clone(), Arc::clone(shared));
            move || {
                play(&script, &socket, log, &shared);
                drop(socket);
                shared.closed.fetch_add(1, Ordering::SeqCst);
            }
        }));
        script = scripts.next().unwrap_or(script);
    }
    for player in players {
        let _ = player.join();
    }
}

fn play(script: &Script, socket: &Arc<TcpStream>, log: Log, shared: &Shared) {
    let end =
        socket.set_nodelay(true).and_then(|()| play::Player::new(socket, log, shared).play(script));
    shared.forget(socket);
    // A script that fails has lost its client, and ends like any other.
    play::finish(socket, end.unwrap_or(play::End::Close));
}
