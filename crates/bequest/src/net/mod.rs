//! Connections: found in the pool, or dialed. It knows sockets and TLS, and neither requests nor
//! sessions.

mod buffer;
mod connection;
mod dial;
mod pool;
#[allow(dead_code, reason = "no connection is made through one yet")]
mod proxy_server;
mod race;
#[cfg(feature = "socks")]
#[allow(dead_code, reason = "no connection is made through one yet")]
mod socks;
mod stream;
pub(crate) mod tls;

pub(crate) use connection::Connection;
pub(crate) use dial::{Dialed, dial};
pub(crate) use pool::{Origin, Pool, PoolLimits};
#[allow(unused_imports, reason = "for who implements the proof")]
pub(crate) use proxy_server::{ProxyProof, ProxyProtocol, ProxyRequest, ProxyServer};
#[cfg(feature = "socks")]
#[allow(unused_imports, reason = "no connection is made through one yet")]
pub(crate) use socks::{Socks, SocksTarget, Turn};
pub(crate) use stream::Stream;
