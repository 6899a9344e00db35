//! Client configurations: built when the first handshake needs one, shared by the process.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::danger::AcceptAny;
use super::provider::provider;
use super::settings::TlsSettings;
use super::verify::Verify;
use crate::error::{Error, ErrorKind, Phase, Result};

/// How many configurations are kept; a program that uses more builds some again.
const MOST: usize = 64;

static CONFIGS: Mutex<Vec<(Key, Arc<ClientConfig>)>> = Mutex::new(Vec::new());

/// A setting, and the state of the file that it names: a file that changed is another setting.
/// Session tickets belong to a configuration, so they are never shared between two keys.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key(Verify, Option<FileState>);

/// Inode, size and time of change.
type FileState = (u64, u64, i64, i64);

/// The configuration for these settings.
pub(super) fn config(settings: TlsSettings<'_>) -> Result<Arc<ClientConfig>> {
    let TlsSettings { verify } = settings;
    let key = Key(verify.clone(), file_state(verify)?);
    if let Some(known) = find(&key) {
        return Ok(known);
    }
    // Built without the lock, since it may read a file; who comes second throws its own away.
    let config = Arc::new(build(verify)?);
    let mut configs = lock();
    if let Some((_, known)) = configs.iter().find(|(known, _)| *known == key) {
        return Ok(Arc::clone(known));
    }
    if configs.len() >= MOST {
        configs.remove(0);
    }
    configs.push((key, Arc::clone(&config)));
    Ok(config)
}

fn find(key: &Key) -> Option<Arc<ClientConfig>> {
    lock().iter().find(|(known, _)| known == key).map(|(_, config)| Arc::clone(config))
}

fn lock() -> MutexGuard<'static, Vec<(Key, Arc<ClientConfig>)>> {
    CONFIGS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn build(verify: &Verify) -> Result<ClientConfig> {
    let provider = provider()?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::with(ErrorKind::Tls, "TLS has no cipher suites").because(error))?;
    let builder = match roots(verify)? {
        Some(roots) => builder.with_root_certificates(roots),
        None => builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAny(provider))),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The roots to trust; `None` trusts anybody.
fn roots(verify: &Verify) -> Result<Option<RootCertStore>> {
    Ok(match verify {
        Verify::Yes => Some(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
        Verify::No => None,
        Verify::Pem(pem) => Some(parse(pem, "the PEM text given to `verify`")?),
        Verify::Bundle(path) => {
            let pem = fs::read(path).map_err(|error| unreadable(path, error))?;
            Some(parse(&pem, &format!("`{}`", path.display()))?)
        }
    })
}

/// Refuses text without a certificate.
pub(super) fn check_pem(pem: &[u8]) -> Result<()> {
    parse(pem, "the PEM text").map(drop)
}

fn parse(pem: &[u8], source: &str) -> Result<RootCertStore> {
    let unusable = |what: &str| {
        Error::with(ErrorKind::Tls, format!("{source} {what}"))
            .during(Phase::Prepare)
            .remedied("`verify` takes CA certificates in PEM form")
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable("is not PEM").because(error))?;
        roots
            .add(certificate)
            .map_err(|error| unusable("has a certificate that can't be a root").because(error))?;
    }
    if roots.is_empty() { Err(unusable("has no certificate")) } else { Ok(roots) }
}

fn file_state(verify: &Verify) -> Result<Option<FileState>> {
    let Verify::Bundle(path) = verify else { return Ok(None) };
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
    Ok(Some((metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec())))
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::with(ErrorKind::Tls, format!("the CA bundle `{}` can't be read", path.display()))
        .during(Phase::Prepare)
        .because(error)
        .remedied("check the path that was given to `verify`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_replaces_the_roots_of_the_crate() {
        let own = testbed::Testbed::start();
        let count = |verify| roots(&verify).unwrap().map(|roots| roots.len());
        assert!(count(Verify::Yes).is_some_and(|count| count > 50));
        assert_eq!(count(Verify::No), None);
        assert_eq!(count(Verify::bundle(own.ca_file())), Some(1));
        assert_eq!(count(Verify::Pem(own.ca_pem().as_bytes().into())), Some(1));
    }
}
