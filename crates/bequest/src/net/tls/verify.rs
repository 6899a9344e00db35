//! Whom to trust.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;

/// Whether and against which roots a server's certificate is verified (Requests' `verify`).
///
/// ```no_run
/// use bequest::{Session, Verify};
///
/// bequest::get("https://example.org/").verify("/path/to/ca.pem").send()?; // this request
/// let mut s = Session::new();
/// s.verify = Verify::bundle("/path/to/ca.pem"); // every request of the session
/// # Ok::<(), bequest::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verify {
    /// Mozilla's roots, which come with the crate.
    #[default]
    Yes,
    /// Nothing is verified: anybody between can read and change what is sent. For tests.
    No,
    /// The certificates in this PEM file, and no others. It is read when the first connection
    /// needs it, and again when it has changed.
    Bundle(Arc<Path>),
    /// The certificates in this PEM text, and no others.
    Pem(Arc<[u8]>),
}

impl Verify {
    /// The certificates in a PEM file, and no others.
    pub fn bundle(path: impl Into<PathBuf>) -> Self {
        Self::Bundle(path.into().into())
    }

    /// The certificates in PEM text, and no others.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`](crate::ErrorKind::Tls) if there is none in it that can be a root.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        #[cfg(feature = "tls")]
        super::config::check_pem(pem.as_ref())?;
        Ok(Self::Pem(pem.as_ref().into()))
    }
}

impl From<bool> for Verify {
    fn from(verify: bool) -> Self {
        if verify { Self::Yes } else { Self::No }
    }
}

macro_rules! from_path {
    ($($path:ty)*) => {$(
        impl From<$path> for Verify {
            fn from(path: $path) -> Self {
                Self::bundle(path)
            }
        }
    )*};
}

from_path! { &str String &Path PathBuf }
