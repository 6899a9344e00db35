//! Reading client certificates and keys.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys};
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::identity::{Identity, Key, Pair, Source};
use super::options::CryptoProvider as Choice;
use super::provider::provider;
use super::roots::{self, FileState};
use crate::error::{Error, ErrorKind, Phase, Result};

const ENCRYPTED: (&str, &str) =
    ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----");

/// What a server gets that asks for a certificate.
pub(super) fn certified(identity: &Identity, provider: &CryptoProvider) -> Result<CertifiedKey> {
    certify(&*read(identity.source())?, provider)
}

/// The states of the files that it is in: when one changes, it is another identity.
pub(super) fn add_states(states: &mut Vec<FileState>, identity: &Identity) -> Result<()> {
    if let Source::Files(certificate, key) = identity.source() {
        for path in [Some(certificate), key.as_ref()].into_iter().flatten() {
            let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
            states.push(roots::file_state(&metadata));
        }
    }
    Ok(())
}

/// Reads it, to see whether it can be used.
pub(super) fn check(source: &Source) -> Result<()> {
    read(source).map(drop)
}

fn read(source: &Source) -> Result<Arc<Pair>> {
    let (certificate, key) = match source {
        Source::Given(pair) => return Ok(Arc::clone(pair)),
        Source::Files(certificate, key) => (certificate, key.as_ref().unwrap_or(certificate)),
    };
    let text = |path: &Path| roots::read(path).map_err(|error| unreadable(path, error));
    let name = |path: &Path| format!("`{}`", path.display());
    let chain = chain(&text(certificate)?, &name(certificate))?;
    let key = plain_key(&text(key)?, &name(key))?;
    Ok(Arc::new(checked(Pair { chain, key })?))
}

const GIVEN: &str = "the PEM text";

/// From text with both.
pub(super) fn from_pem(pem: &[u8], passphrase: Option<&str>) -> Result<Pair> {
    let key = match passphrase {
        Some(passphrase) => encrypted_key(pem, passphrase)?,
        None => plain_key(pem, GIVEN)?,
    };
    checked(Pair { chain: chain(pem, GIVEN)?, key })
}

fn chain(pem: &[u8], source: &str) -> Result<Vec<Vec<u8>>> {
    let chain: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem)
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(format!("{source} is not PEM"), PEM).because(error))?;
    if chain.is_empty() {
        return Err(unusable(format!("{source} has no client certificate"), PEM));
    }
    Ok(chain)
}

fn plain_key(pem: &[u8], source: &str) -> Result<Key> {
    let text = String::from_utf8_lossy(pem);
    if text.contains(ENCRYPTED.0) {
        let what = format!("the private key in {source} is encrypted");
        return Err(unusable(what, "say the passphrase: `Identity::from_pem_encrypted`"));
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(old_encryption(source));
    }
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(PrivateKeyDer::Pkcs1(key)) => Ok(Key::Pkcs1(key.secret_pkcs1_der().to_vec())),
        Ok(PrivateKeyDer::Pkcs8(key)) => Ok(Key::Pkcs8(key.secret_pkcs8_der().to_vec())),
        Ok(PrivateKeyDer::Sec1(key)) => Ok(Key::Sec1(key.secret_sec1_der().to_vec())),
        Ok(_) | Err(PemError::NoItemsFound) => {
            let remedy = "put it behind the certificate, or give both files: \
                          `.cert((\"client.pem\", \"client.key\"))`";
            Err(unusable(format!("{source} has no private key"), remedy))
        }
        Err(error) => Err(unusable(format!("{source} is not PEM"), PEM).because(error)),
    }
}

fn encrypted_key(pem: &[u8], passphrase: &str) -> Result<Key> {
    let text = String::from_utf8_lossy(pem);
    let base64 = text.split_once(ENCRYPTED.0).and_then(|(_, rest)| rest.split_once(ENCRYPTED.1));
    let Some((base64, _)) = base64 else {
        if text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(old_encryption(GIVEN));
        }
        let what = format!("{GIVEN} has no encrypted private key");
        let remedy = "it has to begin with `BEGIN ENCRYPTED PRIVATE KEY`; without a passphrase it is \
                      `Identity::from_pem`";
        return Err(unusable(what, remedy));
    };
    let base64: String = base64.split_ascii_whitespace().collect();
    let der = BASE64_STANDARD
        .decode(base64)
        .map_err(|error| unusable(format!("{GIVEN} is not PEM"), PEM).because(error))?;
    super::encrypted::decrypt(&der, passphrase).map(Key::Pkcs8)
}

#[cfg(feature = "pkcs12")]
pub(super) fn from_pkcs12(der: &[u8], passphrase: &str) -> Result<Pair> {
    checked(super::pkcs12::read(der, passphrase)?)
}

#[cfg(not(feature = "pkcs12"))]
pub(super) fn from_pkcs12(_: &[u8], _: &str) -> Result<Pair> {
    Err(Error::with(ErrorKind::Unsupported, "PKCS#12 can't be read")
        .during(Phase::Prepare)
        .remedied("build bequest with its feature `pkcs12`"))
}

/// Refuses a key that is not the certificate's.
fn checked(pair: Pair) -> Result<Pair> {
    certify(&pair, &*provider(Choice::default())?)?;
    Ok(pair)
}

fn certify(pair: &Pair, provider: &CryptoProvider) -> Result<CertifiedKey> {
    let chain = pair.chain.iter().cloned().map(CertificateDer::from).collect();
    let key = match &pair.key {
        Key::Pkcs1(der) => PrivateKeyDer::Pkcs1(der.clone().into()),
        Key::Pkcs8(der) => PrivateKeyDer::Pkcs8(der.clone().into()),
        Key::Sec1(der) => PrivateKeyDer::Sec1(der.clone().into()),
    };
    CertifiedKey::from_der(chain, key, provider).map_err(|error| {
        let (what, remedy) = match error {
            TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => (
                "the private key is not that of the client certificate",
                "the first certificate must be the client's own, and the key belong to it",
            ),
            TlsError::InvalidCertificate(_) => (
                "the client certificate is malformed",
                "`openssl x509 -text -in FILE` shows what is in it",
            ),
            _ => (
                "the private key can't be used",
                "RSA of 2048 to 8192 bits, ECDSA with P-256 or P-384, and Ed25519 can",
            ),
        };
        unusable(what, remedy).because(error)
    })
}

const PEM: &str = "`cert` takes a certificate and its private key in PEM form";

pub(super) fn unusable(what: impl Into<Cow<'static, str>>, remedy: &'static str) -> Error {
    Error::with(ErrorKind::Tls, what).during(Phase::Prepare).remedied(remedy)
}

fn old_encryption(source: &str) -> Error {
    let what = format!("the private key in {source} is encrypted in a way that is not safe");
    unusable(what, "convert it to PKCS#8: `openssl pkcs8 -topk8 -in OLD -out NEW`")
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    let what = format!("the client certificate or key `{}` can't be read", path.display());
    unusable(what, "check the path that was given to `cert`").because(error)
}
