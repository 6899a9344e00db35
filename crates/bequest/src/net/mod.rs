//! Connections: found in the pool, or dialed. It knows sockets and TLS, and neither requests nor
//! sessions.

mod buffer;
mod connection;
mod dial;
mod pool;
mod race;
mod stream;
pub(crate) mod tls;

pub(crate) use connection::Connection;
pub(crate) use dial::Patience;
pub(crate) use pool::{Origin, Pool, PoolLimits, Vacancy, was_closed};
pub(crate) use stream::Stream;
