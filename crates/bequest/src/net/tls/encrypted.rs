//! Private keys that are encrypted (PKCS#8, RFC 5958).

use crate::error::Result;

#[cfg(not(feature = "encrypted-keys"))]
pub(super) fn decrypt(_: &[u8], _: &str) -> Result<Vec<u8>> {
    use crate::error::{Error, ErrorKind, Phase};
    Err(Error::with(ErrorKind::Unsupported, "encrypted private keys can't be read")
        .during(Phase::Prepare)
        .remedied("build bequest with its feature `encrypted-keys`"))
}

/// The key within, in PKCS#8.
#[cfg(feature = "encrypted-keys")]
pub(super) fn decrypt(der: &[u8], passphrase: &str) -> Result<Vec<u8>> {
    use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};

    use super::identity_read::unusable;

    // Methods that are too old are not known to be any.
    let unknown = || {
        let what = "the private key is malformed, or encrypted in a way that is not safe";
        unusable(what, "encrypt it anew: `openssl pkcs8 -topk8 -v2 aes256`")
    };
    let encrypted =
        EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| unknown().because(error))?;
    let scheme = &encrypted.encryption_algorithm;
    if !is_affordable(scheme) {
        let remedy = "encrypt it anew, with fewer rounds: `openssl pkcs8 -topk8`";
        return Err(unusable("the encrypted private key takes too long to decrypt", remedy));
    }
    let opened = encrypted.decrypt(passphrase).map_err(|error| match scheme.pbes2() {
        Some(_) => wrong_passphrase().because(error),
        None => unknown().because(error),
    })?;
    // What a wrong passphrase makes of it may end as it should, but is no key.
    PrivateKeyInfoRef::try_from(opened.as_bytes())
        .map_err(|error| wrong_passphrase().because(error))?;
    Ok(opened.as_bytes().to_vec())
}

#[cfg(feature = "encrypted-keys")]
pub(super) fn wrong_passphrase() -> crate::error::Error {
    super::identity_read::unusable(
        "the private key can't be decrypted: it is another passphrase, or the key is damaged",
        "check the passphrase",
    )
}

/// Whether the file asks for no more than a moment and some memory: more is an attack, or a mistake.
#[cfg(feature = "encrypted-keys")]
fn is_affordable(scheme: &pkcs8::pkcs5::EncryptionScheme) -> bool {
    use pkcs8::pkcs5::pbes2::Kdf;

    // A fuzz target has no moment.
    const MOST_ROUNDS: u32 = if cfg!(fuzzing) { 10_000 } else { 10_000_000 };
    const MOST_MEMORY: u64 = if cfg!(fuzzing) { 1 << 20 } else { 256 << 20 };
    match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(pbkdf2)) => pbkdf2.iteration_count <= MOST_ROUNDS,
        Some(Kdf::Scrypt(scrypt)) => {
            let memory = 128_u64
                .saturating_mul(scrypt.cost_parameter)
                .saturating_mul(scrypt.block_size.into());
            memory <= MOST_MEMORY && scrypt.parallelization <= 16
        }
        _ => true,
    }
}
