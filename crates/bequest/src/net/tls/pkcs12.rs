//! PKCS#12: certificate and key in one encrypted file (RFC 7292).

use p12_keystore::error::Error as P12Error;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};

use super::encrypted::{unaffordable, wrong_passphrase};
use super::identity::{Key, Pair};
use super::identity_read::unusable;
use super::names::Values;
use crate::error::Result;

/// The first key with its certificate, and those that vouch for it.
pub(super) fn read(der: &[u8], passphrase: &str) -> Result<Pair> {
    if has_scrypt_without_cost(der) {
        return Err(unaffordable());
    }
    let store = KeyStore::from_pkcs12(der, passphrase, Pkcs12ImportPolicy::Strict);
    let store = store.map_err(|error| match error {
        P12Error::MacError(_) | P12Error::Pkcs5Error(_) | P12Error::UnpadError => {
            wrong_passphrase().because(error)
        }
        _ => unusable(
            "this is not PKCS#12 that can be read",
            "`openssl pkcs12 -info -in FILE` shows what is in it",
        )
        .because(error),
    })?;
    let Some((_, chain)) = store.private_key_chain() else {
        let remedy = "export it with both: `openssl pkcs12 -export -in CERTIFICATE -inkey KEY`";
        return Err(unusable("the PKCS#12 has no private key with a certificate", remedy));
    };
    let certificates = chain.certs().iter().map(|certificate| certificate.as_der().to_vec());
    Ok(Pair { chain: certificates.collect(), key: Key::Pkcs8(chain.key().as_der().to_vec()) })
}

/// The library limits what decryption may cost, but panics where that is nothing.
fn has_scrypt_without_cost(der: &[u8]) -> bool {
    /// 1.3.6.1.4.1.11591.4.11; its parameters follow: a salt, and the cost.
    const SCRYPT: &[u8] = &[6, 9, 0x2B, 6, 1, 4, 1, 0xDA, 0x47, 4, 0x0B];
    let is_free = |at: usize| {
        let parameters = der.get(at + SCRYPT.len()..).and_then(|rest| Values(rest).next());
        let cost = parameters.and_then(|parameters| Values(parameters).nth(1));
        cost.is_some_and(|cost| cost.iter().all(|byte| *byte == 0))
    };
    let places = der.windows(SCRYPT.len()).enumerate();
    places.filter(|(_, part)| *part == SCRYPT).any(|(at, _)| is_free(at))
}
