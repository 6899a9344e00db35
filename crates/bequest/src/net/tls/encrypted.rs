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
        return Err(unaffordable());
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

#[cfg(feature = "encrypted-keys")]
pub(super) fn unaffordable() -> crate::error::Error {
    super::identity_read::unusable(
        "the private key takes too long to decrypt, or no time at all",
        "encrypt it anew, with fewer rounds: `openssl pkcs8 -topk8`",
    )
}

/// Whether the file asks for no more than a moment and some memory: more is an attack, or a mistake.
/// So is nothing, on which the decryption panics.
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
            memory > 0 && memory <= MOST_MEMORY && scrypt.parallelization <= 16
        }
        _ => true,
    }
}

#[cfg(test)]
#[cfg(feature = "encrypted-keys")]
mod tests {
    use super::*;

    /// A value in DER, of what is in it.
    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [&[tag, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    }

    /// A key that is encrypted by scrypt at that cost.
    fn encrypted(cost: &[u8]) -> Vec<u8> {
        const SCRYPT: &[u8] = &[0x2B, 6, 1, 4, 1, 0xDA, 0x47, 4, 0x0B];
        const PBES2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 0x0D];
        const AES256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2A];
        let (cost, one) = (der(2, &[cost]), der(2, &[&[1]]));
        let numbers = der(0x30, &[&der(4, &[&[7; 8]]), &cost, &one, &one]);
        let derived = der(0x30, &[&der(6, &[SCRYPT]), &numbers]);
        let cipher = der(0x30, &[&der(6, &[AES256]), &der(4, &[&[7; 16]])]);
        let method = der(0x30, &[&der(6, &[PBES2]), &der(0x30, &[&derived, &cipher])]);
        der(0x30, &[&method, &der(4, &[&[7; 16]])])
    }

    #[test]
    fn what_costs_nothing_or_too_much_is_refused() {
        let told = |cost: &[u8]| decrypt(&encrypted(cost), "secret").unwrap_err().to_string();
        for cost in [&[0][..], &[0x7F, 0xFF, 0xFF, 0xFF], &[1, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(told(cost).contains("too long to decrypt, or no time"), "{}", told(cost));
        }
        for cost in [&[1][..], &[2], &[3], &[16]] {
            assert!(told(cost).contains("passphrase"), "{}", told(cost));
        }
    }

    #[test]
    #[cfg(feature = "pkcs12")]
    fn pkcs12_that_costs_nothing_is_refused() {
        let told = |key: &[u8]| crate::Identity::from_pkcs12(key, "x").unwrap_err().to_string();
        assert!(told(&encrypted(&[0])).contains("no time"));
        assert!(!told(&encrypted(&[16])).contains("no time"));
    }
}
