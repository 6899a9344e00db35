//! Which redirects are followed.

use std::fmt;

use http::StatusCode;
use url::Url;

use crate::error::Result;
use crate::secrets;

/// Decides which redirects are followed; see [`Session::redirect_policy`](crate::Session).
///
/// A function of a [`Hop`] is one:
///
/// ```
/// use std::sync::Arc;
/// use bequest::{Hop, Next, Session};
///
/// let mut s = Session::new();
/// // Only within the host that was asked.
/// s.redirect_policy = Some(Arc::new(|hop: &Hop<'_>| {
///     Ok(if hop.from.host() == hop.to.host() { Next::Follow } else { Next::Stop })
/// }));
/// ```
pub trait RedirectPolicy: Send + Sync + 'static {
    /// Whether the redirect is followed. If not, the response that asks for it is the caller's; an
    /// error ends the request, with that response in it.
    fn decide(&self, hop: &Hop<'_>) -> Result<Next>;

    /// Whether redirects may lead to URLs of that scheme; to http and https only, unless this says
    /// otherwise. A scheme needs an adapter, too.
    fn allows_scheme(&self, scheme: &str) -> bool {
        is_http(scheme)
    }
}

impl<F> RedirectPolicy for F
where
    F: Fn(&Hop<'_>) -> Result<Next> + Send + Sync + 'static,
{
    fn decide(&self, hop: &Hop<'_>) -> Result<Next> {
        self(hop)
    }
}

/// A redirect that could be followed.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Hop<'a> {
    /// The status that asks for it.
    pub status: StatusCode,
    /// The URL that was asked.
    pub from: &'a Url,
    /// The URL that it leads to.
    pub to: &'a Url,
    /// How many redirects were followed before it.
    pub followed: usize,
}

impl fmt::Debug for Hop<'_> {
    /// Secrets masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hop")
            .field("status", &self.status)
            .field("from", &secrets::masked(self.from))
            .field("to", &secrets::masked(self.to))
            .field("followed", &self.followed)
            .finish()
    }
}

/// What becomes of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// It is followed.
    Follow,
    /// It is not: the response is the caller's.
    Stop,
}

impl fmt::Debug for dyn RedirectPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedirectPolicy")
    }
}

pub(super) fn is_http(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}
