//! Who the client is: a certificate and its private key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;

/// A client certificate with its private key (Requests' `cert`): for servers that want to know who
/// asks.
///
/// ```no_run
/// use bequest::{Identity, Session};
///
/// bequest::get("https://example.org/").cert("/path/to/both.pem").send()?;
/// bequest::get("https://example.org/").cert(("/path/client.cert", "/path/client.key")).send()?;
/// let mut s = Session::new();
/// s.cert = Some(Identity::from_pem_file("/path/to/both.pem")?); // every request of the session
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// Keys are RSA, ECDSA or Ed25519, in PKCS#8, PKCS#1 or SEC1. A path is read when the first
/// connection needs it; what `from_…` makes is checked at once. Files that have changed are read
/// again for new connections.
///
/// It is offered to the origin that the caller named, and to no other that a redirect leads to. A
/// connection that was made with one is used for nobody else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity(Source);

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// The key is in the file of the certificate, unless it has one of its own.
    Files(Arc<Path>, Option<Arc<Path>>),
    Given(Arc<Pair>),
}

/// In DER: the certificate, those that vouch for it, and the key.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Pair {
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) key: Key,
}

#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "only TLS reads keys"))]
pub(super) enum Key {
    Pkcs1(Vec<u8>),
    Pkcs8(Vec<u8>),
    Sec1(Vec<u8>),
}

impl Identity {
    /// From a PEM file with the certificate, those that vouch for it if the server needs them, and
    /// the private key.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`](crate::ErrorKind::Tls) if it can't be read, a part is missing or
    /// encrypted, or the key is not the certificate's.
    pub fn from_pem_file(path: impl Into<PathBuf>) -> Result<Self> {
        Self(Source::Files(path.into().into(), None)).checked()
    }

    /// From a PEM file with the certificates and one with the private key.
    ///
    /// # Errors
    /// Those of [`from_pem_file`](Self::from_pem_file).
    pub fn from_pem_files(
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self> {
        Self(Source::Files(certificate.into().into(), Some(key.into().into()))).checked()
    }

    /// From PEM text with the certificates and the private key.
    ///
    /// # Errors
    /// Those of [`from_pem_file`](Self::from_pem_file).
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Self::given(read::from_pem(pem.as_ref(), None)?)
    }

    /// From PEM text in which the private key is encrypted: PKCS#8, `BEGIN ENCRYPTED PRIVATE KEY`
    /// (feature `encrypted-keys`).
    ///
    /// # Errors
    /// Those of [`from_pem_file`](Self::from_pem_file), and if it is not the passphrase;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) without the feature.
    pub fn from_pem_encrypted(pem: impl AsRef<[u8]>, passphrase: impl AsRef<str>) -> Result<Self> {
        Self::given(read::from_pem(pem.as_ref(), Some(passphrase.as_ref()))?)
    }

    /// From PKCS#12, the content of a `.p12` or `.pfx` file (feature `pkcs12`).
    ///
    /// # Errors
    /// Those of [`from_pem_encrypted`](Self::from_pem_encrypted).
    pub fn from_pkcs12(der: impl AsRef<[u8]>, passphrase: impl AsRef<str>) -> Result<Self> {
        Self::given(read::from_pkcs12(der.as_ref(), passphrase.as_ref())?)
    }

    fn given(pair: Pair) -> Result<Self> {
        Ok(Self(Source::Given(Arc::new(pair))))
    }

    fn checked(self) -> Result<Self> {
        read::check(&self.0)?;
        Ok(self)
    }

    #[cfg(feature = "tls")]
    pub(super) fn source(&self) -> &Source {
        &self.0
    }
}

#[cfg(feature = "tls")]
use super::identity_read as read;

/// Without TLS nobody asks for certificates.
#[cfg(not(feature = "tls"))]
mod read {
    use super::{Pair, Source};
    use crate::error::{Error, ErrorKind, Result};

    fn missing<T>() -> Result<T> {
        Err(Error::with(ErrorKind::Unsupported, "client certificates need TLS")
            .remedied("build bequest with its feature `tls`"))
    }

    pub(super) fn from_pem(_: &[u8], _: Option<&str>) -> Result<Pair> {
        missing()
    }

    pub(super) fn from_pkcs12(_: &[u8], _: &str) -> Result<Pair> {
        missing()
    }

    pub(super) fn check(_: &Source) -> Result<()> {
        missing()
    }
}

impl fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Files(certificate, None) => {
                f.debug_tuple("Identity").field(certificate).finish()
            }
            Source::Files(certificate, Some(key)) => {
                f.debug_tuple("Identity").field(certificate).field(key).finish()
            }
            Source::Given(_) => f.debug_tuple("Identity").finish_non_exhaustive(),
        }
    }
}

macro_rules! from_path {
    ($($path:ty)*) => {$(
        impl From<$path> for Identity {
            /// A file with certificate and key; it is read when the first connection needs it.
            fn from(path: $path) -> Self {
                Self(Source::Files(PathBuf::from(path).into(), None))
            }
        }
    )*};
}

from_path! { &str String &String &Path PathBuf &PathBuf }

impl<C: Into<PathBuf>, K: Into<PathBuf>> From<(C, K)> for Identity {
    /// Files with the certificate and with the key; they are read when the first connection needs
    /// them.
    fn from((certificate, key): (C, K)) -> Self {
        Self(Source::Files(certificate.into().into(), Some(key.into().into())))
    }
}
