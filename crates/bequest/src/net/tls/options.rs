//! What an adapter has set for its TLS connections.

/// How TLS is spoken, whoever is on the other side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TlsOptions {
    /// The protocols that are offered, by preference (ALPN, RFC 7301); none is no offer.
    pub(crate) alpn: Vec<Vec<u8>>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { alpn: vec![b"http/1.1".to_vec()] }
    }
}

impl TlsOptions {
    /// The same towards a proxy: what is said of origins does not hold there.
    pub(crate) fn to_proxies(&self) -> Self {
        Self { alpn: Self::default().alpn }
    }
}
