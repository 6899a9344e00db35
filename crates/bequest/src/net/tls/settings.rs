//! Everything that makes one TLS connection different from another to the same server.

use super::verify::Verify;

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TlsSettings<'a> {
    /// Whom to trust.
    pub(crate) verify: &'a Verify,
}

impl TlsSettings<'_> {
    /// For the key of a connection that is kept.
    pub(crate) fn keep(self) -> KeptTlsSettings {
        KeptTlsSettings { verify: self.verify.clone() }
    }
}

/// [`TlsSettings`] that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeptTlsSettings {
    verify: Verify,
}

impl KeptTlsSettings {
    pub(crate) fn lend(&self) -> TlsSettings<'_> {
        TlsSettings { verify: &self.verify }
    }
}
