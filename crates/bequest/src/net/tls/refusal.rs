//! Why there is no secure connection, in words: which rule failed, and what can be done.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rustls::{
    AlertDescription, CertificateError, ClientConfig, InvalidMessage, OtherError, PeerIncompatible,
};
use rustls_pki_types::UnixTime;

use crate::error::{Error, ErrorKind, Phase};

/// What our own verifier refuses, or can say more of than rustls.
#[derive(Debug)]
pub(super) enum Refusal {
    Check(Error),
    /// The pin of its key.
    NotPinned(String),
    SelfSigned,
    /// The issuer's name.
    UnknownIssuer(String),
    /// The certificate is someone's, but perhaps not the server's.
    Unproven,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(error) => write!(f, "a check of yours refused the server: {error}"),
            Self::NotPinned(pin) => {
                write!(
                    f,
                    "none of the pinned keys is in the certificate's chain; the server's is {pin}"
                )
            }
            Self::SelfSigned => f.write_str("the certificate is self-signed, and not trusted"),
            Self::UnknownIssuer(name) => {
                write!(f, "the certificate's issuer is unknown: `{name}`")
            }
            Self::Unproven => {
                f.write_str("the server does not prove that it has the key of its certificate")
            }
        }
    }
}

impl StdError for Refusal {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Check(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        CertificateError::Other(OtherError(Arc::new(refusal))).into()
    }
}

/// The error of a handshake that failed.
pub(super) fn refused(host: &str, error: io::Error, config: &ClientConfig) -> Error {
    let failed =
        Error::with(ErrorKind::Tls, format!("no secure connection to {host}")).during(Phase::Tls);
    let known = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let explained = match known {
        Some(error) => explain(error, config),
        // Some servers say no more than that when they lack what is offered.
        None => (error.kind() == io::ErrorKind::UnexpectedEof).then(|| hung_up(config)),
    };
    let Some((what, remedy)) = explained else {
        return failed.because(error);
    };
    failed.because(Explained { what, error }).remedied(remedy)
}

/// An error of rustls, in other words.
#[derive(Debug)]
struct Explained {
    what: String,
    error: io::Error,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Explained {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}

const NEW_CERTIFICATE: &str = "the server needs a new certificate, or this clock is wrong";
const TRUST_ISSUER: &str =
    "if you trust its issuer, give the issuer's certificate: `.verify(\"/path/to/ca.pem\")`";

/// What is wrong, and the remedy.
fn explain(error: &rustls::Error, config: &ClientConfig) -> Option<(String, String)> {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage as Message};
    let (what, remedy): (String, &str) = match error {
        InvalidCertificate(error) => explain_certificate(error)?,
        Message(InvalidMessage::InvalidContentType) => (
            "what the server sends is not TLS".into(),
            "the server does not speak TLS on this port: use http://, or another port",
        ),
        AlertReceived(alert) => return explain_alert(*alert, config),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => return Some(no_version()),
        rustls::Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon) => {
            return Some(no_suite(config));
        }
        rustls::Error::NoApplicationProtocol => return Some(no_protocol()),
        _ => return None,
    };
    Some((what, remedy.into()))
}

fn explain_certificate(error: &CertificateError) -> Option<(String, &'static str)> {
    use CertificateError::{
        ApplicationVerificationFailure, BadEncoding, BadSignature, Expired, ExpiredContext,
        ExpiredRevocationList, ExpiredRevocationListContext, InvalidPurpose, InvalidPurposeContext,
        NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext, Other, Revoked,
        UnhandledCriticalExtension, UnknownIssuer, UnknownRevocationStatus,
        UnsupportedSignatureAlgorithmContext, UnsupportedSignatureAlgorithmForPublicKeyContext,
    };
    Some(match error {
        Expired => ("the certificate has expired".into(), NEW_CERTIFICATE),
        ExpiredContext { time, not_after } => {
            let (now, end) = (Date(*time), Date(*not_after));
            (format!("the certificate expired on {end}; now it is {now}"), NEW_CERTIFICATE)
        }
        NotValidYet => ("the certificate is not valid yet".into(), NEW_CERTIFICATE),
        NotValidYetContext { time, not_before } => {
            let (now, begin) = (Date(*time), Date(*not_before));
            (format!("the certificate is not valid before {begin}; now it is {now}"), NEW_CERTIFICATE)
        }
        NotValidForName => ("the certificate is for another name".into(), OTHER_HOST),
        NotValidForNameContext { expected, presented } => {
            let what = format!("asked for {}, the certificate is for {}", expected.to_str(), names(presented));
            (what, OTHER_HOST)
        }
        Revoked => ("the certificate is revoked".into(), "the server needs a new certificate; do not trust this one"),
        UnknownRevocationStatus => (
            "no revocation list tells whether the certificate is revoked".into(),
            "give the list of its issuer, too: `HttpAdapter::crls`",
        ),
        ExpiredRevocationList => ("the revocation list has expired".into(), NEW_LIST),
        ExpiredRevocationListContext { next_update, .. } => {
            (format!("the revocation list expired on {}", Date(*next_update)), NEW_LIST)
        }
        // A signature is bad where an issuer of the same name has another key.
        BadSignature => ("the certificate was not signed by the issuer that is trusted".into(), TRUST_ISSUER),
        UnknownIssuer => ("the certificate's issuer is unknown".into(), TRUST_ISSUER),
        InvalidPurpose | InvalidPurposeContext { .. } => (
            "the certificate, or one of those that vouch for it, is not meant for servers".into(),
            "the server needs another certificate",
        ),
        BadEncoding => ("the certificate is malformed".into(), "the server needs another certificate"),
        UnhandledCriticalExtension => (
            "the certificate has a critical extension that is not known".into(),
            "the server needs another certificate",
        ),
        UnsupportedSignatureAlgorithmContext { .. }
        | UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            "the certificate, or one of those that vouch for it, is signed by a method that is not safe, or not known".into(),
            "the server needs another certificate",
        ),
        ApplicationVerificationFailure => return None,
        Other(OtherError(inner)) => explain_refusal(inner)?,
        _ => return None,
    })
}

const OTHER_HOST: &str = "the certificate is for another host: check the URL";
const NEW_LIST: &str = "get a new one, and give it to `HttpAdapter::crls`";

fn explain_refusal(inner: &Arc<dyn StdError + Send + Sync>) -> Option<(String, &'static str)> {
    let Some(refusal) = inner.downcast_ref::<Refusal>() else {
        let what = inner.downcast_ref::<webpki::Error>()?;
        return Some((
            format!("the certificates do not make a chain that can be trusted ({what:?})"),
            "the server needs other certificates",
        ));
    };
    let remedy = match refusal {
        Refusal::Check(_) => "ask whoever wrote the check that was given to `Verify::checked_by`",
        Refusal::NotPinned(_) => {
            "if the server has changed its key, pin the new one, once you know that it is its own"
        }
        Refusal::SelfSigned => {
            "if it is the right server, trust its certificate: `.verify(\"/path/to/certificate.pem\")`"
        }
        Refusal::UnknownIssuer(_) => TRUST_ISSUER,
        Refusal::Unproven => {
            "the server needs another key: RSA of 2048 to 8192 bits, ECDSA with P-256 or P-384, or \
             Ed25519"
        }
    };
    Some((refusal.to_string(), remedy))
}

/// What the server says of the client's certificate behind the handshake: in TLS 1.3 it looks at that
/// when the client is through with it. Any other error comes back.
pub(crate) fn refused_late(error: io::Error) -> Result<Error, io::Error> {
    let known = error.get_ref().and_then(|inner| inner.downcast_ref());
    let explained = match known {
        Some(rustls::Error::AlertReceived(alert)) => explain_certificate_alert(*alert),
        _ => None,
    };
    let Some((what, remedy)) = explained else { return Err(error) };
    let refused = Error::with(ErrorKind::Tls, "the server has ended the connection");
    Ok(refused.because(Explained { what, error }).remedied(remedy))
}

fn explain_alert(alert: AlertDescription, config: &ClientConfig) -> Option<(String, String)> {
    use AlertDescription as Alert;
    match alert {
        Alert::ProtocolVersion => Some(no_version()),
        Alert::HandshakeFailure | Alert::InsufficientSecurity => Some(no_suite(config)),
        Alert::UnrecognisedName => Some((
            "the server does not know the name that it was asked for".into(),
            "check the URL, and `HttpAdapter::server_name`".into(),
        )),
        Alert::NoApplicationProtocol => Some(no_protocol()),
        _ => explain_certificate_alert(alert),
    }
}

fn explain_certificate_alert(alert: AlertDescription) -> Option<(String, String)> {
    use AlertDescription as Alert;
    let certificate = |what: &str| {
        Some((
            format!("the server {what}"),
            "give it a certificate that it accepts: `.cert(...)`".to_owned(),
        ))
    };
    match alert {
        Alert::CertificateRequired => certificate("wants a client certificate"),
        Alert::BadCertificate | Alert::UnsupportedCertificate | Alert::CertificateUnknown => {
            certificate("refuses the client certificate")
        }
        Alert::CertificateExpired => certificate("says that the client certificate has expired"),
        Alert::CertificateRevoked => certificate("says that the client certificate is revoked"),
        Alert::UnknownCA => certificate("does not know the issuer of the client certificate"),
        _ => None,
    }
}

fn no_version() -> (String, String) {
    (
        "server and client have no TLS version in common".into(),
        "this client speaks TLS 1.2 and 1.3, or what `HttpAdapter::tls_versions` says; nothing \
         older can be had"
            .into(),
    )
}

fn no_protocol() -> (String, String) {
    (
        "server and client have no application protocol in common".into(),
        "check what `HttpAdapter::alpn` offers".into(),
    )
}

/// Servers say no more than that it failed; it is most often this.
fn no_suite(config: &ClientConfig) -> (String, String) {
    (
        "the server refuses what is offered, so it may have no cipher suite in common".into(),
        format!("what this client has: {}", suites(config)),
    )
}

fn hung_up(config: &ClientConfig) -> (String, String) {
    let remedy = format!(
        "it may speak no TLS on this port, or nothing that this client has, which is TLS 1.2 and 1.3, \
         or what `HttpAdapter::tls_versions` says, with {}",
        suites(config)
    );
    ("the server closed the connection in the middle of it".into(), remedy)
}

fn suites(config: &ClientConfig) -> String {
    super::suites::known(&config.crypto_provider().cipher_suites)
}

/// Names in a certificate: rustls writes what kind they are of, which says nothing more.
fn names(presented: &[String]) -> String {
    const MOST: usize = 5;
    let plain = presented.iter().take(MOST).map(|name| {
        let inner = name.split_once('(').and_then(|(_, name)| name.strip_suffix(')'));
        inner.unwrap_or(name).trim_matches('"')
    });
    let mut text = plain.collect::<Vec<_>>().join(", ");
    match presented.len() {
        0 => text.push_str("no name"),
        n if n > MOST => text.push_str(&format!(" and {} more", n - MOST)),
        _ => {}
    }
    text.retain(|sign| !sign.is_control());
    text
}

/// A moment in GMT, as HTTP writes it.
struct Date(UnixTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The end of the year 9999, after which HTTP has no dates.
        const LAST: u64 = 253_402_300_799;
        let since = Duration::from_secs(self.0.as_secs().min(LAST));
        f.write_str(&httpdate::fmt_http_date(UNIX_EPOCH + since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_out_however_far() {
        let date =
            |seconds| Date(UnixTime::since_unix_epoch(Duration::from_secs(seconds))).to_string();
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(u64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn what_is_told_in_other_words_is_still_known() {
        let provider = super::super::provider::provider(Default::default()).unwrap();
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let of = |error: rustls::Error| {
            let error = refused("host", io::Error::new(io::ErrorKind::InvalidData, error), &config);
            (super::super::failure(&error), error.to_string())
        };
        let (kind, message) = of(rustls::Error::AlertReceived(AlertDescription::HandshakeFailure));
        assert_eq!(kind, super::super::Failure::Protocol, "{message}");
        assert!(message.contains("TLS_AES_256_GCM_SHA384"), "{message}");
        let (kind, message) = of(Refusal::SelfSigned.into());
        assert_eq!(kind, super::super::Failure::Final, "{message}");
        assert!(message.contains("self-signed"), "{message}");
    }

    #[test]
    fn names_are_shown_without_their_kind_and_not_all() {
        let presented =
            |names: &[&str]| super::names(&names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>());
        assert_eq!(
            presented(&["DnsName(\"a.example\")", "IpAddress(127.0.0.1)"]),
            "a.example, 127.0.0.1"
        );
        assert_eq!(presented(&[]), "no name");
        assert_eq!(presented(&["a"; 7]), "a, a, a, a, a and 2 more");
    }
}
