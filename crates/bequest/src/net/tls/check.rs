//! Checks of the user's own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::error::Result;

/// Decides whether to talk to a server, after everything else that [`Verify`](crate::Verify) asks
/// for has held: [`Verify::checked_by`](crate::Verify::checked_by). Functions are such checks.
///
/// It is asked in the handshake, on the thread that polls the request, and so should not wait. A
/// session that is resumed was checked when it began.
pub trait ServerCheck: Send + Sync + 'static {
    /// Whether to go on.
    ///
    /// # Errors
    /// Whatever the reason is; the request fails with [`ErrorKind::Tls`](crate::ErrorKind::Tls) and
    /// this as its cause.
    fn check(&self, server: &TlsServer<'_>) -> Result<()>;
}

impl<F: Fn(&TlsServer<'_>) -> Result<()> + Send + Sync + 'static> ServerCheck for F {
    fn check(&self, server: &TlsServer<'_>) -> Result<()> {
        self(server)
    }
}

/// What a server shows in the handshake.
#[derive(Debug)]
pub struct TlsServer<'a> {
    pub(super) name: &'a str,
    pub(super) certificates: Vec<&'a [u8]>,
    pub(super) pin: String,
}

impl TlsServer<'_> {
    /// Whom it was asked to be: a host name or an address.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Its certificate, and what it sent of those that vouch for it, each in DER.
    pub fn certificates(&self) -> &[&[u8]] {
        &self.certificates
    }

    /// The pin of its key, for [`Verify::pinned`](crate::Verify::pinned).
    pub fn pin(&self) -> &str {
        &self.pin
    }
}

/// A check that is kept; each is only the same as itself.
#[derive(Clone)]
pub(super) struct Check(pub(super) Arc<dyn ServerCheck>);

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Check {}

impl Hash for Check {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).cast::<()>().hash(state);
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check")
    }
}
