//! Connections: found in the pool, or dialed. It knows sockets and TLS, and neither requests nor
//! sessions.

mod buffer;
mod connection;
mod dial;
mod pool;
mod race;
mod sockets;
mod stream;
pub(crate) mod tls;

pub(crate) use connection::Connection;
pub(crate) use dial::{Dialed, dial};
pub(crate) use pool::{Origin, Pool, PoolLimits};
pub use sockets::{AddressFamily, HostAddress};
pub(crate) use sockets::{HostOverride, Sockets};
pub(crate) use stream::Stream;
