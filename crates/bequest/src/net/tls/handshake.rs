//! From a connected socket to a TLS stream.

use std::sync::Arc;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::config::config;
use super::refusal::refused;
use super::settings::TlsSettings;
use super::verify::Verify;
use crate::error::{Error, ErrorKind, Result};
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
    let config = config(settings)?;
    let connector = TlsConnector::from(Arc::clone(&config));
    if *settings.verify == Verify::No {
        trace::warn(format_args!(
            "the certificate of {host} is not verified, since `verify` is off: anybody between may \
             be the one who answers"
        ));
    }
    let connecting = connector.connect(server_name(host)?, stream);
    let secured = connecting.await.map_err(|error| refused(host, error, &config))?;
    trace::event!(
        DEBUG,
        version = ?secured.get_ref().1.protocol_version(),
        cipher = ?secured.get_ref().1.negotiated_cipher_suite().map(|suite| suite.suite()),
        "secured"
    );
    Ok(secured)
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
