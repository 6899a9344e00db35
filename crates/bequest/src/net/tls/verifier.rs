//! What rustls asks about a server's certificate.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::hash::HashAlgorithm;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::check::{Check, TlsServer};
use super::pin::Pin;
use super::refusal::Refusal;

/// Normal verification, unless anybody is trusted, then pins, then the user's own checks. With any
/// of these the handshake's signature has to show that the peer holds the key of its certificate.
pub(super) struct Verifier {
    pub(super) provider: Arc<CryptoProvider>,
    /// `None` trusts anybody.
    pub(super) authorities: Option<Authorities>,
    pub(super) pins: Box<[Pin]>,
    pub(super) checks: Box<[Check]>,
}

/// Those who may vouch for a server.
pub(super) struct Authorities {
    pub(super) roots: Arc<RootCertStore>,
    pub(super) verifier: Arc<WebPkiServerVerifier>,
}

type Result<T> = std::result::Result<T, rustls::Error>;

impl Verifier {
    /// Anybody can make a certificate, so that a proof of having its key proves nothing; and it may
    /// be one that can't be read.
    fn asks_nothing(&self) -> bool {
        self.authorities.is_none() && self.pins.is_empty() && self.checks.is_empty()
    }

    fn check_pins(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<()> {
        let leaf = parse(end_entity)?;
        let is_pinned = |key: &[u8]| self.pin(key).is_some_and(|pin| self.pins.contains(&pin));
        if is_pinned(leaf.subject_public_key_info().as_ref()) {
            return Ok(());
        }
        // Only those that really vouch for it count: a server may send what it likes.
        if let Some(authorities) = &self.authorities {
            let check = |path: &VerifiedPath<'_>| {
                let mut between = path.intermediate_certificates();
                let is_pinned = between.any(|c| is_pinned(c.subject_public_key_info().as_ref()))
                    || is_pinned(webpki::spki_for_anchor(path.anchor()).as_ref());
                if is_pinned { Ok(()) } else { Err(webpki::Error::UnknownIssuer) }
            };
            let found = leaf.verify_for_usage(
                self.provider.signature_verification_algorithms.all,
                &authorities.roots.roots,
                intermediates,
                now,
                KeyUsage::server_auth(),
                None,
                Some(&check),
            );
            if found.is_ok() {
                return Ok(());
            }
        }
        let shown = self.pin(leaf.subject_public_key_info().as_ref());
        Err(Refusal::NotPinned(shown.map(|pin| pin.to_string()).unwrap_or_default()).into())
    }

    fn ask_checks(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Result<()> {
        let pin = self.pin(parse(end_entity)?.subject_public_key_info().as_ref());
        let certificates = std::iter::once(end_entity).chain(intermediates);
        let server = TlsServer {
            name: &name.to_str(),
            certificates: certificates.map(AsRef::as_ref).collect(),
            pin: pin.map(|pin| pin.to_string()).unwrap_or_default(),
        };
        let mut checks = self.checks.iter();
        checks.try_for_each(|check| check.0.check(&server)).map_err(|e| Refusal::Check(e).into())
    }

    fn pin(&self, key: &[u8]) -> Option<Pin> {
        let mut hashes = self.provider.cipher_suites.iter().map(|suite| match suite {
            rustls::SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider,
            rustls::SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
        });
        let sha256 = hashes.find(|hash| hash.algorithm() == HashAlgorithm::SHA256)?;
        sha256.hash(key).as_ref().try_into().ok().map(Pin)
    }
}

/// What is wrong with a handshake's signature, not with one in a certificate.
fn unproven(error: rustls::Error) -> rustls::Error {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::BadSignature) => {
            Refusal::Unproven.into()
        }
        other => other,
    }
}

fn parse<'a>(certificate: &'a CertificateDer<'a>) -> Result<EndEntityCert<'a>> {
    EndEntityCert::try_from(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

/// rustls says no more of an unknown issuer than that.
fn explain(error: rustls::Error, certificate: &CertificateDer<'_>) -> rustls::Error {
    let rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) = error else {
        return error;
    };
    match parse(certificate) {
        Ok(leaf) if leaf.issuer() == leaf.subject() => Refusal::SelfSigned.into(),
        Ok(leaf) => Refusal::UnknownIssuer(super::names::common_name(leaf.issuer())).into(),
        Err(_) => error,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified> {
        if let Some(Authorities { verifier, .. }) = &self.authorities {
            verifier
                .verify_server_cert(end_entity, intermediates, name, ocsp, now)
                .map_err(|error| explain(error, end_entity))?;
        }
        if !self.pins.is_empty() {
            self.check_pins(end_entity, intermediates, now)?;
        }
        if !self.checks.is_empty() {
            self.ask_checks(end_entity, intermediates, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid> {
        if self.asks_nothing() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms).map_err(unproven)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid> {
        if self.asks_nothing() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms).map_err(unproven)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("pins", &self.pins).finish_non_exhaustive()
    }
}
