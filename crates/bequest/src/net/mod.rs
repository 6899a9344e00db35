//! Connections: found in the pool, or dialed. It knows sockets and TLS, and neither requests nor
//! sessions.

mod buffer;
mod connection;
mod dial;
mod pool;
mod proxy_server;
mod race;
mod route;
#[cfg(feature = "http2")]
mod shared;
mod sockets;
#[cfg(feature = "socks")]
mod socks;
mod stream;
pub(crate) mod tls;
mod tunnel;

pub(crate) use connection::Connection;
pub(crate) use dial::{Dialing, Undialed};
pub(crate) use pool::{Origin, Pool, PoolLimits, Turn, Vacancy, was_closed};
pub(crate) use proxy_server::{ProxyProof, ProxyProtocol, ProxyRequest, ProxyServer};
pub(crate) use route::Route;
#[cfg(feature = "http2")]
pub(crate) use shared::Shared;
pub use sockets::{AddressFamily, HostAddress};
pub(crate) use sockets::{HostOverride, Sockets};
#[cfg(all(fuzzing, feature = "socks"))]
pub(crate) use socks::{Socks, SocksStep, SocksTarget};
pub(crate) use stream::Stream;
pub(crate) use tunnel::Refusal;
