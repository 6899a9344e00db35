//! A certificate authority made for one server, and the server's certificate.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;

/// A certificate authority for [`RawServer::certified`](crate::RawServer::certified).
#[derive(Debug)]
pub struct Authority {
    pki: Pki,
    server: Arc<ServerConfig>,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    ///
    /// If the system grants no temporary file.
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        let pki = Pki::new();
        let mut server = ServerConfig::clone(&pki.server());
        // Each handshake is a whole one, so that scripts know what it consists of.
        server.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Self { pki, server: Arc::new(server) }
    }

    /// A file with the authority's certificate, which exists as long as this value.
    pub fn ca_file(&self) -> &Path {
        self.pki.ca_file()
    }

    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }
}

/// The authority's certificate in the forms a client takes, and the TLS setup
/// of the server it vouches for.
#[derive(Debug)]
pub(crate) struct Pki {
    ca_pem: String,
    ca_file: std::path::PathBuf,
    /// A certificate for a client and its key.
    client_pem: Option<(String, String)>,
    /// Removes the directory, and the file in it, when dropped.
    _directory: TempDir,
    server: Arc<ServerConfig>,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let (issuer, ca_pem) = authority();
        Self::with(&issuer, ca_pem, None)
    }

    /// One whose server wants certificates of its clients, from the same authority.
    pub(crate) fn for_known_clients() -> Self {
        let (issuer, ca_pem) = authority();
        let client = client_certificate(&issuer);
        Self::with(&issuer, ca_pem, Some(client))
    }

    fn with(
        issuer: &Issuer<'static, KeyPair>,
        ca_pem: String,
        client_pem: Option<(String, String)>,
    ) -> Self {
        let (certificate, key) = server_certificate(issuer);
        let directory = TempDir::with_prefix("testbed-").expect("a temporary directory");
        let ca_file = directory.path().join("ca.pem");
        std::fs::File::create_new(&ca_file)
            .and_then(|mut file| file.write_all(ca_pem.as_bytes()))
            .expect("a file for the certificate authority");
        let clients = client_pem.is_some().then_some(&*ca_pem);
        let server = Arc::new(server_config(certificate, key, clients));
        Self { ca_pem, ca_file, client_pem, _directory: directory, server }
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    pub(crate) fn client_pem(&self) -> Option<(&str, &str)> {
        self.client_pem.as_ref().map(|(certificate, key)| (&**certificate, &**key))
    }
}

fn authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().expect("a key for the authority");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Testbed CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let pem = params.self_signed(&key).expect("a certificate for the authority").pem();
    (Issuer::new(params, key), pem)
}

fn server_certificate(
    issuer: &Issuer<'static, KeyPair>,
) -> (CertificateDer<'static>, PrivatePkcs8KeyDer<'static>) {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let key = KeyPair::generate().expect("a key for the server");
    let mut params = CertificateParams::new(names).expect("valid names");
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict verifiers, such as OpenSSL's, require it.
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, issuer).expect("a certificate for the server");
    (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()))
}

fn client_certificate(issuer: &Issuer<'static, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().expect("a key for the client");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "a known client");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, issuer).expect("a certificate for the client");
    (certificate.pem(), key.serialize_pem())
}

/// The setup of a server that wants certificates of its clients if it has an authority for them.
fn server_config(
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    clients: Option<&str>,
) -> ServerConfig {
    // Naming the provider keeps other crates' choice of one out of this.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the protocol versions are supported");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(ca_pem) => builder.with_client_cert_verifier(client_verifier(ca_pem, provider)),
    };
    let mut config = builder
        .with_single_cert(vec![certificate], key.into())
        .expect("the key belongs to the certificate");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

fn client_verifier(ca_pem: &str, provider: Arc<CryptoProvider>) -> Arc<dyn ClientCertVerifier> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("it was just written");
    roots.add(authority).expect("an authority can be a root");
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .expect("a verifier with a root")
}
