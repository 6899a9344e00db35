//! TLS: whom to trust, and the handshake.

mod check;
#[cfg(feature = "tls")]
mod config;
#[cfg(feature = "tls")]
mod crls;
#[cfg(feature = "tls")]
mod default_roots;
#[cfg(feature = "tls")]
mod encrypted;
mod failure;
#[cfg(feature = "tls")]
mod handshake;
mod identity;
#[cfg(feature = "tls")]
mod identity_read;
mod info;
#[cfg(feature = "tls")]
mod key_log;
#[cfg(feature = "tls")]
mod names;
mod options;
mod pin;
#[cfg(feature = "pkcs12")]
mod pkcs12;
#[cfg(feature = "tls")]
mod provider;
#[cfg(feature = "tls")]
mod refusal;
#[cfg(feature = "tls")]
mod roots;
mod settings;
#[cfg(feature = "tls")]
mod suites;
#[cfg(feature = "tls")]
mod system;
#[cfg(feature = "tls")]
mod verifier;
mod verify;

pub use check::{ServerCheck, TlsServer};
#[cfg(feature = "tls")]
pub(crate) use crls::crls;
#[cfg(feature = "tls")]
pub use default_roots::{DefaultRoots, default_roots};
pub(crate) use failure::{Failure, failure};
#[cfg(feature = "tls")]
pub(crate) use handshake::{agreed, handshake, server_name};
pub use identity::Identity;
pub use info::TlsInfo;
pub(crate) use options::TlsOptions;
pub use options::{CryptoProvider, TlsVersion};
#[cfg(feature = "tls")]
pub(crate) use provider::provider;
#[cfg(feature = "tls")]
pub(crate) use refusal::refused_late;
pub(crate) use settings::{KeptTlsSettings, TlsSettings};
#[cfg(feature = "tls")]
pub(crate) use suites::numbers as suite_numbers;
pub use verify::{Verify, VerifyRules};

/// The name of a cipher suite as the standards write it.
#[cfg(feature = "tls")]
fn suite_name(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    // rustls' own way for TLS 1.3.
    name.strip_prefix("TLS13_").map(|rest| format!("TLS_{rest}")).unwrap_or(name)
}
