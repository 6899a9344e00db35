//! Which cryptography does the work.

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;

use crate::error::{Error, ErrorKind, Result};

/// aws-lc-rs' cipher suites, for its bulk speed, with ring's key exchange, signatures and random
/// numbers, since aws-lc-rs' first random number costs a short-lived process 23 ms; or whichever
/// of the two was compiled.
pub(super) fn provider() -> Result<Arc<CryptoProvider>> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    if let Some(provider) = PROVIDER.get() {
        return Ok(Arc::clone(provider));
    }
    let provider = compose().ok_or_else(|| {
        Error::with(ErrorKind::Unsupported, "no TLS cryptography was compiled")
            .remedied("build bequest with its feature `ring` or `aws-lc-rs`")
    })?;
    Ok(Arc::clone(PROVIDER.get_or_init(|| Arc::new(provider))))
}

#[cfg(all(feature = "ring", feature = "aws-lc-rs"))]
fn compose() -> Option<CryptoProvider> {
    let cipher_suites = rustls::crypto::aws_lc_rs::DEFAULT_CIPHER_SUITES.to_vec();
    Some(CryptoProvider { cipher_suites, ..rustls::crypto::ring::default_provider() })
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn compose() -> Option<CryptoProvider> {
    Some(rustls::crypto::ring::default_provider())
}

#[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
fn compose() -> Option<CryptoProvider> {
    Some(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
fn compose() -> Option<CryptoProvider> {
    None
}
