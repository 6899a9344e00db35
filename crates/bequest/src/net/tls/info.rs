//! What a handshake has agreed on.

use super::options::TlsVersion;

/// How a response's connection was secured: [`Response::tls`](crate::Response::tls).
#[derive(Clone, Debug)]
pub struct TlsInfo {
    pub(super) version: TlsVersion,
    pub(super) suite: Box<str>,
    pub(super) group: Option<Box<str>>,
    pub(super) alpn: Option<Box<[u8]>>,
    pub(super) server_name: Option<Box<str>>,
    pub(super) certificates: Vec<Box<[u8]>>,
    pub(super) is_resumed: bool,
}

impl TlsInfo {
    /// The version.
    pub fn version(&self) -> TlsVersion {
        self.version
    }

    /// The cipher suite by the name that the standards give it: `TLS_AES_128_GCM_SHA256`.
    pub fn cipher_suite(&self) -> &str {
        &self.suite
    }

    /// By which group keys were exchanged, if they were: `X25519`.
    pub fn key_exchange(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// The protocol that both have agreed on (ALPN), if any: `http/1.1`.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.alpn.as_deref()
    }

    /// The name that the server was told that it is asked for (SNI); none where it is an address.
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The server's certificate, and what it sent of those that vouch for it, each in DER. Where a
    /// session was resumed it is what was sent when it began.
    pub fn certificates(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.certificates.iter().map(AsRef::as_ref)
    }

    /// Whether an earlier session with the server was resumed, which saves both of them work.
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }
}
