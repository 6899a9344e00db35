//! Which cryptography does the work.

use std::sync::{Arc, OnceLock};

use rustls::crypto;

use super::options::CryptoProvider;
use crate::error::{Error, ErrorKind, Result};

/// What was chosen. Composed are aws-lc-rs' cipher suites, for their bulk speed, with ring's key
/// exchange, signatures and random numbers, since aws-lc-rs' first random number costs a
/// short-lived process 23 ms.
pub(crate) fn provider(choice: CryptoProvider) -> Result<Arc<crypto::CryptoProvider>> {
    static PROVIDERS: [OnceLock<Arc<crypto::CryptoProvider>>; 3] = [const { OnceLock::new() }; 3];
    let [composed, ring, aws_lc] = &PROVIDERS;
    let (known, make, missing): (_, fn() -> _, _) = match choice {
        CryptoProvider::Composed => (composed, compose, "ring` or `aws-lc-rs"),
        CryptoProvider::Ring => (ring, make_ring, "ring"),
        CryptoProvider::AwsLc => (aws_lc, make_aws_lc, "aws-lc-rs"),
    };
    if let Some(provider) = known.get() {
        return Ok(Arc::clone(provider));
    }
    let provider = make().ok_or_else(|| {
        Error::with(
            ErrorKind::Unsupported,
            format!("no TLS cryptography of `{missing}` was compiled"),
        )
        .remedied(format!("build bequest with its feature `{missing}`"))
    })?;
    Ok(Arc::clone(known.get_or_init(|| Arc::new(provider))))
}

#[cfg(all(feature = "ring", feature = "aws-lc-rs"))]
fn compose() -> Option<crypto::CryptoProvider> {
    let cipher_suites = crypto::aws_lc_rs::DEFAULT_CIPHER_SUITES.to_vec();
    Some(crypto::CryptoProvider { cipher_suites, ..crypto::ring::default_provider() })
}

#[cfg(not(all(feature = "ring", feature = "aws-lc-rs")))]
fn compose() -> Option<crypto::CryptoProvider> {
    make_ring().or_else(make_aws_lc)
}

#[cfg(feature = "ring")]
fn make_ring() -> Option<crypto::CryptoProvider> {
    Some(crypto::ring::default_provider())
}

#[cfg(not(feature = "ring"))]
fn make_ring() -> Option<crypto::CryptoProvider> {
    None
}

#[cfg(feature = "aws-lc-rs")]
fn make_aws_lc() -> Option<crypto::CryptoProvider> {
    let mut provider = crypto::aws_lc_rs::default_provider();
    let hybrid = rustls::NamedGroup::X25519MLKEM768;
    provider.kx_groups.sort_by_key(|group| group.name() != hybrid);
    Some(provider)
}

#[cfg(not(feature = "aws-lc-rs"))]
fn make_aws_lc() -> Option<crypto::CryptoProvider> {
    None
}
