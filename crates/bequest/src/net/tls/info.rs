//! What a handshake has agreed on.

use std::fmt;

use super::options::TlsVersion;

/// How a response's connection was secured: [`Response::tls`](crate::Response::tls).
#[derive(Clone)]
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

impl fmt::Debug for TlsInfo {
    /// Certificates are told by their number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsInfo")
            .field("version", &self.version)
            .field("cipher_suite", &self.suite)
            .field("key_exchange", &self.group)
            .field("alpn", &self.alpn().map(String::from_utf8_lossy))
            .field("server_name", &self.server_name)
            .field("certificates", &self.certificates.len())
            .field("is_resumed", &self.is_resumed)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_in_a_few_words() {
        let info = TlsInfo {
            version: TlsVersion::V1_3,
            suite: "TLS_AES_128_GCM_SHA256".into(),
            group: Some("X25519".into()),
            alpn: Some(b"http/1.1".as_slice().into()),
            server_name: None,
            certificates: vec![[0; 1000].into(), [0; 1000].into()],
            is_resumed: false,
        };
        let shown = "TlsInfo { version: V1_3, cipher_suite: \"TLS_AES_128_GCM_SHA256\", \
                     key_exchange: Some(\"X25519\"), alpn: Some(\"http/1.1\"), server_name: None, \
                     certificates: 2, is_resumed: false }";
        assert_eq!(format!("{info:?}"), shown);
    }
}
