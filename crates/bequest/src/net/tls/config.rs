//! Client configurations: built when the first handshake needs one, shared by the process.

use std::sync::{Arc, Mutex, MutexGuard};

use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::CertificateRevocationListDer;

use super::identity_read;
use super::key_log::KeyLog;
use super::options::{TlsOptions, TlsVersion};
use super::provider::provider;
use super::roots::{self, FileState};
use super::settings::{KeptTlsSettings, TlsSettings};
use super::suites;
use super::verifier::{Authorities, Verifier};
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
    let options = &**settings.options;
    let mut provider = provider(options.provider)?;
    if let Some(numbers) = &options.suites {
        provider = Arc::new(suites::restricted(&provider, numbers));
    }
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(&provider, &options.versions)?)
        .map_err(|error| Error::with(ErrorKind::Tls, "TLS has no cipher suites").because(error))?;
    let verifier = Arc::new(verifier(settings, Arc::clone(&provider))?);
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match settings.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let own = identity_read::certified(identity, &provider)?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)))
        }
    };
    config.alpn_protocols = options.alpn.clone();
    config.enable_sni = options.sni;
    if let Some(path) = &options.key_log {
        config.key_log = Arc::new(KeyLog::open(path)?);
    }
    if settings.identity.is_some() || !options.resumption {
        // OpenSSL ends what would resume a session with a certificate with an internal error, unless its server
        // has named a context for sessions: squid, for one, does not.
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

/// Those of the versions that there is a cipher suite for.
fn versions(
    provider: &CryptoProvider,
    allowed: &[TlsVersion],
) -> Result<Vec<&'static SupportedProtocolVersion>> {
    let mut versions: Vec<_> = allowed
        .iter()
        .map(|version| match version {
            TlsVersion::V1_2 => &rustls::version::TLS12,
            TlsVersion::V1_3 => &rustls::version::TLS13,
        })
        .collect();
    versions.retain(|&version| provider.cipher_suites.iter().any(|s| s.version() == version));
    if versions.is_empty() {
        return Err(Error::with(ErrorKind::Tls, "no version of TLS is left that may be spoken")
            .during(Phase::Prepare)
            .remedied(
                "see the adapter's `tls_versions` and `cipher_suites`: they exclude each other",
            ));
    }
    Ok(versions)
}

fn verifier(settings: TlsSettings<'_>, provider: Arc<CryptoProvider>) -> Result<Verifier> {
    let TlsSettings { verify, options, .. } = settings;
    let authorities = match roots::roots(verify)? {
        Some(roots) => Some(authorities(roots, options, Arc::clone(&provider))?),
        None => None,
    };
    let (pins, checks) = (verify.pins().into(), verify.checks().into());
    Ok(Verifier { provider, authorities, pins, checks })
}

fn authorities(
    roots: RootCertStore,
    options: &TlsOptions,
    provider: Arc<CryptoProvider>,
) -> Result<Authorities> {
    let roots = Arc::new(roots);
    let mut builder = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider);
    if !options.crls.0.is_empty() {
        let lists = options.crls.0.iter();
        let lists = lists.map(|list| CertificateRevocationListDer::from(list.to_vec()));
        builder = builder.with_crls(lists).enforce_revocation_expiration();
    }
    let verifier = builder.build().map_err(|error| {
        Error::with(ErrorKind::Tls, "no server can be verified")
            .during(Phase::Prepare)
            .because(error)
    })?;
    Ok(Authorities { roots, verifier })
}

#[cfg(test)]
mod tests {
    use super::super::Verify;
    use super::super::options::CryptoProvider as Choice;
    use super::*;

    fn of(verify: &Verify, options: &Arc<TlsOptions>) -> Arc<ClientConfig> {
        config(TlsSettings { verify, identity: None, options }).unwrap()
    }

    #[test]
    fn equal_settings_share_a_configuration() {
        let server = testbed::Testbed::start();
        let make = || (Verify::bundle(server.ca_file()).and_default(), Arc::default());
        let (verify, options) = make();
        let first = of(&verify, &options);
        for _ in 0..10_000 {
            let (verify, options) = make();
            assert!(Arc::ptr_eq(&of(&verify, &options), &first));
        }
    }

    #[test]
    fn each_option_makes_another_configuration() {
        let verify = Verify::No;
        let changes: [fn(&mut TlsOptions); 9] = [
            |_| {},
            |options| options.provider = Choice::Ring,
            |options| options.versions = vec![TlsVersion::V1_2],
            |options| options.suites = Some(vec![0x1301]),
            |options| options.alpn.clear(),
            |options| options.sni = false,
            |options| options.server_name = Some("example.org".into()),
            |options| options.resumption = false,
            |options| options.key_log = Some(std::path::Path::new("/dev/null").into()),
        ];
        let mut made: Vec<Arc<ClientConfig>> = Vec::new();
        for change in changes {
            let mut options = TlsOptions::default();
            change(&mut options);
            if provider(options.provider).is_err() {
                continue;
            }
            let config = of(&verify, &Arc::new(options));
            assert!(made.iter().all(|other| !Arc::ptr_eq(other, &config)));
            made.push(config);
        }
        assert!(made.len() >= 8);
    }
}
