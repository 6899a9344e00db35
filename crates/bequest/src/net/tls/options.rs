//! What an adapter has set for its TLS connections.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

/// A version of TLS. There is nothing older here: TLS 1.1 and what was before it are not safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    V1_2,
    /// TLS 1.3 (RFC 8446).
    V1_3,
}

impl TlsVersion {
    pub(crate) const ALL: [Self; 2] = [Self::V1_2, Self::V1_3];
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_2 => "TLS 1.2",
            Self::V1_3 => "TLS 1.3",
        })
    }
}

/// Whose cryptography secures connections. The features `ring` and `aws-lc-rs` say which of them
/// are compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CryptoProvider {
    /// aws-lc-rs' ciphers, which are the faster ones, with ring's key exchange and signatures, which
    /// cost a short-lived process less; or whichever of the two was compiled.
    #[default]
    Composed,
    /// ring alone.
    Ring,
    /// aws-lc-rs alone, which prefers a key exchange that quantum computers do not break
    /// (X25519MLKEM768). Its first random number takes some 20 milliseconds.
    AwsLc,
}

/// How TLS is spoken, whoever is on the other side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TlsOptions {
    pub(crate) provider: CryptoProvider,
    pub(crate) versions: Vec<TlsVersion>,
    /// By preference, as the standards number them; `None` is all that there are.
    pub(crate) suites: Option<Vec<u16>>,
    /// The protocols that are offered, by preference (ALPN, RFC 7301); none is no offer.
    pub(crate) alpn: Vec<Vec<u8>>,
    /// Whether the server is told which name it is asked for.
    pub(crate) sni: bool,
    /// The name that it is asked for, and verified by, if not the host of the URL.
    pub(crate) server_name: Option<Box<str>>,
    /// Whether sessions are resumed.
    pub(crate) resumption: bool,
    /// Where the keys of connections are written to.
    pub(crate) key_log: Option<Arc<Path>>,
    pub(crate) crls: Crls,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            provider: CryptoProvider::default(),
            versions: TlsVersion::ALL.to_vec(),
            suites: None,
            alpn: vec![b"http/1.1".to_vec()],
            sni: true,
            server_name: None,
            resumption: true,
            key_log: None,
            crls: Crls::default(),
        }
    }
}

impl TlsOptions {
    /// The same towards a proxy: what is said of origins does not hold there.
    pub(crate) fn to_proxies(&self) -> Self {
        let Self { alpn, sni, server_name, crls, .. } = Self::default();
        Self { alpn, sni, server_name, crls, ..self.clone() }
    }
}

/// Certificate revocation lists in DER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Crls(pub(crate) Arc<[Box<[u8]>]>);

impl Hash for Crls {
    /// They may be large, and a key is hashed for each request to another origin than the last.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
    }
}
