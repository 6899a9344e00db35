//! From a connected socket to a TLS stream.

use std::io;

use rustls::CertificateError;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::config::config;
use super::settings::TlsSettings;
use super::verify::Verify;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::trace;

/// Does the handshake with the server of that name, over whatever leads to it.
pub(crate) async fn handshake<S>(
    stream: S,
    host: &str,
    settings: TlsSettings<'_>,
) -> Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let connector = TlsConnector::from(config(settings)?);
    if *settings.verify == Verify::No {
        trace::warn(format_args!(
            "the certificate of {host} is not verified, since `verify` is off: anybody between may \
             be the one who answers"
        ));
    }
    let connecting = connector.connect(server_name(host)?, stream);
    connecting.await.map_err(|error| refused(host, error))
}

/// The host without the brackets of an IPv6 literal and without the dot of a complete name.
fn server_name(host: &str) -> Result<ServerName<'static>> {
    let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = name.strip_suffix('.').unwrap_or(name);
    ServerName::try_from(name.to_owned()).map_err(|error| {
        Error::with(ErrorKind::InvalidUrl, format!("`{host}` can't be the name of a TLS server"))
            .because(error)
    })
}

fn refused(host: &str, error: io::Error) -> Error {
    let remedy = error.get_ref().and_then(|inner| inner.downcast_ref()).and_then(remedy);
    let failed = Error::with(ErrorKind::Tls, format!("no secure connection to {host}"))
        .during(Phase::Tls)
        .because(error);
    match remedy {
        Some(remedy) => failed.remedied(remedy),
        None => failed,
    }
}

fn remedy(error: &rustls::Error) -> Option<&'static str> {
    Some(match error {
        // A signature is bad where an issuer of the same name has another key.
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => {
            "if you trust its issuer, give the issuer's certificate: `.verify(\"/path/to/ca.pem\")`"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the certificate is for another host: check the URL",
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "the server needs a new certificate, or this clock is wrong",
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS on this port: use http://, or another port"
        }
        _ => return None,
    })
}
