//! From a connected socket to a TLS stream, and what was agreed on.

use std::sync::Arc;

use rustls::{ClientConnection, HandshakeKind, ProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::config::config;
use super::info::TlsInfo;
use super::options::{TlsOptions, TlsVersion};
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
    let name = server_name(asked_for(host, settings.options))?;
    let connecting = connector.connect(name, stream);
    let secured = connecting.await.map_err(|error| refused(host, error, &config))?;
    trace::event!(
        DEBUG,
        version = ?secured.get_ref().1.protocol_version(),
        cipher = ?secured.get_ref().1.negotiated_cipher_suite().map(|suite| suite.suite()),
        "secured"
    );
    Ok(secured)
}

/// Whom the server has to be.
fn asked_for<'a>(host: &'a str, options: &'a TlsOptions) -> &'a str {
    options.server_name.as_deref().unwrap_or(host)
}

/// The host without the brackets of an IPv6 literal and without the dot of a complete name.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>> {
    let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = name.strip_suffix('.').unwrap_or(name);
    ServerName::try_from(name.to_owned()).map_err(|error| {
        Error::with(ErrorKind::InvalidUrl, format!("`{host}` can't be the name of a TLS server"))
            .because(error)
    })
}

/// What the handshake with that host has agreed on; `None` before its end.
pub(crate) fn agreed(
    connection: &ClientConnection,
    host: &str,
    options: &TlsOptions,
) -> Option<TlsInfo> {
    let name = options.sni.then(|| server_name(asked_for(host, options)).ok()).flatten();
    let name = name.filter(|name| matches!(name, ServerName::DnsName(_)));
    let group = connection.negotiated_key_exchange_group();
    Some(TlsInfo {
        version: match connection.protocol_version()? {
            ProtocolVersion::TLSv1_2 => TlsVersion::V1_2,
            ProtocolVersion::TLSv1_3 => TlsVersion::V1_3,
            _ => return None,
        },
        suite: super::suite_name(connection.negotiated_cipher_suite()?.suite()).into(),
        group: group.map(|group| format!("{:?}", group.name()).into()),
        alpn: connection.alpn_protocol().map(Box::from),
        server_name: name.map(|name| Box::from(&*name.to_str())),
        certificates: connection.peer_certificates().map_or_else(Vec::new, |chain| {
            chain.iter().map(|certificate| Box::from(certificate.as_ref())).collect()
        }),
        is_resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
    })
}
