//! Everything that makes one TLS connection different from another to the same server.

use std::sync::Arc;

use super::identity::Identity;
use super::options::TlsOptions;
use super::verify::Verify;

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TlsSettings<'a> {
    /// Whom to trust.
    pub(crate) verify: &'a Verify,
    /// Who the client is, where the server asks.
    pub(crate) identity: Option<&'a Identity>,
    /// What the adapter has set.
    pub(crate) options: &'a Arc<TlsOptions>,
}

impl TlsSettings<'_> {
    /// For the key of a connection that is kept.
    pub(crate) fn keep(self) -> KeptTlsSettings {
        KeptTlsSettings {
            verify: self.verify.clone(),
            identity: self.identity.cloned(),
            options: Arc::clone(self.options),
        }
    }
}

/// [`TlsSettings`] that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeptTlsSettings {
    verify: Verify,
    identity: Option<Identity>,
    options: Arc<TlsOptions>,
}

impl KeptTlsSettings {
    pub(crate) fn lend(&self) -> TlsSettings<'_> {
        TlsSettings {
            verify: &self.verify,
            identity: self.identity.as_ref(),
            options: &self.options,
        }
    }
}
