//! TLS: whom to trust, and the handshake.

#[cfg(feature = "tls")]
mod config;
#[cfg(feature = "tls")]
mod danger;
mod failure;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(feature = "tls")]
mod provider;
mod settings;
mod verify;

pub(crate) use failure::{Failure, failure};
#[cfg(feature = "tls")]
pub(crate) use handshake::handshake;
pub(crate) use settings::{KeptTlsSettings, TlsSettings};
pub use verify::Verify;
