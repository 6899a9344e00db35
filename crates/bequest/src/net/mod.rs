//! Connections: found in the pool, or dialed. It knows sockets and TLS, and neither requests nor
//! sessions.

mod buffer;
mod connection;
mod dial;
mod pool;
#[allow(dead_code, reason = "nobody proves anything yet")]
mod proxy_server;
mod race;
mod route;
mod sockets;
#[cfg(feature = "socks")]
mod socks;
mod stream;
pub(crate) mod tls;
mod tunnel;

pub(crate) use connection::Connection;
pub(crate) use dial::{Dialed, Undialed, dial};
pub(crate) use pool::{Origin, Pool, PoolLimits};
#[allow(unused_imports, reason = "for who implements the proof")]
pub(crate) use proxy_server::ProxyProof;
pub(crate) use proxy_server::{ProxyProtocol, ProxyRequest, ProxyServer};
pub(crate) use route::Route;
pub use sockets::{AddressFamily, HostAddress};
pub(crate) use sockets::{HostOverride, Sockets};
pub(crate) use stream::Stream;
pub(crate) use tunnel::Refusal;
