//! Addresses where nobody answers.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A listener whose queue is full, so that nothing more is accepted, and what fills it.
pub(crate) fn listener() -> (SocketAddr, (TcpListener, Vec<TcpStream>)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        waiting.push(stream);
    }
    (address, (listener, waiting))
}

/// Where nobody listens: a port that was free a moment ago.
pub(crate) fn refused() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
