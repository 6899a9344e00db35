//! Client configurations: built when the first handshake needs one, shared by the process.

use std::sync::{Arc, Mutex, MutexGuard};

use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

use super::identity_read;
use super::provider::provider;
use super::roots::{self, FileState};
use super::settings::{KeptTlsSettings, TlsSettings};
use super::verifier::{Authorities, Verifier};
use super::verify::Verify;
use crate::error::{Error, ErrorKind, Phase, Result};

/// How many configurations are kept; a program that uses more builds some again.
const MOST: usize = 64;

static CONFIGS: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// A configuration, what it was made for, and the states of the files that it was made from: files
/// that changed are other settings. Session tickets belong to a configuration, so they are never
/// shared between two settings.
struct Known {
    settings: KeptTlsSettings,
    files: Vec<FileState>,
    config: Arc<ClientConfig>,
}

/// The configuration for these settings.
pub(super) fn config(settings: TlsSettings<'_>) -> Result<Arc<ClientConfig>> {
    let mut files = roots::states(settings.verify)?;
    if let Some(identity) = settings.identity {
        identity_read::add_states(&mut files, identity)?;
    }
    if let Some(known) = find(&lock(), settings, &files) {
        return Ok(known);
    }
    // Built without the lock, since it may read a file; who comes second throws its own away.
    let config = Arc::new(build(settings)?);
    let mut configs = lock();
    if let Some(known) = find(&configs, settings, &files) {
        return Ok(known);
    }
    // What the files were before is not asked for again.
    configs.retain(|known| known.settings.lend() != settings);
    if configs.len() >= MOST {
        configs.remove(0);
    }
    configs.push(Known { settings: settings.keep(), files, config: Arc::clone(&config) });
    Ok(config)
}

fn find(
    configs: &[Known],
    settings: TlsSettings<'_>,
    files: &[FileState],
) -> Option<Arc<ClientConfig>> {
    let is_same = |known: &&Known| known.settings.lend() == settings && known.files == files;
    configs.iter().find(is_same).map(|known| Arc::clone(&known.config))
}

fn lock() -> MutexGuard<'static, Vec<Known>> {
    CONFIGS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn build(settings: TlsSettings<'_>) -> Result<ClientConfig> {
    let provider = provider()?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::with(ErrorKind::Tls, "TLS has no cipher suites").because(error))?;
    let verifier = Arc::new(verifier(settings.verify, Arc::clone(&provider))?);
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match settings.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let own = identity_read::certified(identity, &provider)?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)))
        }
    };
    config.alpn_protocols = settings.options.alpn.clone();
    if settings.identity.is_some() {
        // OpenSSL ends what would resume such a session with an internal error, unless its server
        // has named a context for sessions: squid, for one, does not.
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

fn verifier(verify: &Verify, provider: Arc<CryptoProvider>) -> Result<Verifier> {
    let authorities = match roots::roots(verify)? {
        Some(roots) => Some(authorities(roots, Arc::clone(&provider))?),
        None => None,
    };
    let (pins, checks) = (verify.pins().into(), verify.checks().into());
    Ok(Verifier { provider, authorities, pins, checks })
}

fn authorities(roots: RootCertStore, provider: Arc<CryptoProvider>) -> Result<Authorities> {
    let roots = Arc::new(roots);
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider)
        .build()
        .map_err(|error| {
            Error::with(ErrorKind::Tls, "no server can be verified")
                .during(Phase::Prepare)
                .because(error)
        })?;
    Ok(Authorities { roots, verifier })
}
