//! Servers for the tests, examples and benches of Bequest.
//!
//! [`Testbed`] is an HTTP and HTTPS server with the routes of httpbin, some of
//! GitHub's API (`/repos/…`) and WebDAV's collections (`/dav/…`), in this process
//! and without a network. [`RawServer`] plays scripts of raw bytes, for
//! everything that a correct server never does, [`StreamServer`] has HTTP/2 streams that depend on
//! each other. [`Proxy`] leads to them by whatever
//! protocol a proxy is spoken to.
//!
//! Nothing here uses Bequest: a client must not be tested against itself.

mod raw;
mod server;

mod body;
mod exchange;
mod head;
mod lab;
mod listen;
mod multipart;
mod pki;
mod proxy;
mod record;
mod reply;
mod routes;
mod streams;
mod tape;

#[cfg(test)]
mod client;

pub use body::pattern;
pub use lab::{Lab, Server};
pub use pki::Authority;
pub use proxy::{Asked, Proxy};
pub use raw::{Handshake, RawServer, Script};
pub use record::Recorded;
pub use server::Testbed;
pub use streams::StreamServer;
