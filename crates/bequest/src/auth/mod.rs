//! Proving who asks.

mod basic;
mod bearer;
pub(crate) mod challenge;
#[cfg(feature = "digest")]
mod digest;
mod netrc;

use std::fmt;
use std::sync::Arc;

pub use basic::Basic;
pub use bearer::Bearer;
#[cfg(feature = "digest")]
pub use digest::Digest;
#[cfg(feature = "digest")]
pub(crate) use digest::ProxyDigest;
pub(crate) use netrc::Netrc;

use crate::error::Result;
use crate::request::PreparedRequest;
use crate::response::Response;

/// Adds to a request what proves who asks, and may answer a challenge (Requests' `AuthBase`).
///
/// ```
/// use bequest::{Auth, PreparedRequest, Result};
///
/// struct PizzaAuth {
///     username: String,
/// }
///
/// impl Auth for PizzaAuth {
///     fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
///         request.headers.insert("X-Pizza", &self.username);
///         Ok(())
///     }
/// }
///
/// # let url = "http://localhost:1/";
/// let request = bequest::get(url).auth(PizzaAuth { username: "kenneth".into() });
/// assert_eq!(request.prepare()?.headers.get("x-pizza"), Some("kenneth"));
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// One that has to wait for something, a token for example, overrides `apply_async` and
/// `answer_async` (feature `async`), too: async sessions call these and no others, wherever an auth
/// is called. By default they call the plain ones, which then block the executor.
pub trait Auth: Send + Sync + 'static {
    /// Changes the request, which is complete but for this. An error ends it before it is sent.
    fn apply(&self, request: &mut PreparedRequest) -> Result<()>;

    /// Sees the response to the request that was sent, and may change `request`, a copy of it, and
    /// have it sent again. What it must remember between rounds belongs into the request's
    /// `extensions`.
    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        let _ = (response, request);
        Ok(Round::Done)
    }

    /// Whether [`answer`](Self::answer) wants to see this response; where it does not, nothing is
    /// copied for it.
    fn answers_to(&self, response: &Response) -> bool {
        let _ = response;
        true
    }

    /// [`apply`](Self::apply) for an async session; override it where it has to wait.
    #[cfg(feature = "async")]
    fn apply_async<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> crate::future::BoxFuture<'a, Result<()>> {
        let result = self.apply(request);
        Box::pin(std::future::ready(result))
    }

    /// [`answer`](Self::answer) for an async session; override it where it has to wait.
    #[cfg(feature = "async")]
    fn answer_async<'a>(
        &'a self,
        response: &'a Response,
        request: &'a mut PreparedRequest,
    ) -> crate::future::BoxFuture<'a, Result<Round>> {
        let result = self.answer(response, request);
        Box::pin(std::future::ready(result))
    }
}

/// What follows a response that an [`Auth`] has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Round {
    /// The response is the caller's.
    Done,
    /// The request is sent again; the response goes to the history.
    Again,
}

impl<A: Auth + ?Sized> Auth for Arc<A> {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        (**self).apply(request)
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        (**self).answer(response, request)
    }

    fn answers_to(&self, response: &Response) -> bool {
        (**self).answers_to(response)
    }

    #[cfg(feature = "async")]
    fn apply_async<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> crate::future::BoxFuture<'a, Result<()>> {
        (**self).apply_async(request)
    }

    #[cfg(feature = "async")]
    fn answer_async<'a>(
        &'a self,
        response: &'a Response,
        request: &'a mut PreparedRequest,
    ) -> crate::future::BoxFuture<'a, Result<Round>> {
        (**self).answer_async(response, request)
    }
}

/// What can be given where an [`Auth`] is wanted: every `Auth`, and a pair of user name and
/// password for [`Basic`].
pub trait IntoAuth {
    /// The same as an object.
    fn into_auth(self) -> Arc<dyn Auth>;
}

impl<A: Auth> IntoAuth for A {
    fn into_auth(self) -> Arc<dyn Auth> {
        Arc::new(self)
    }
}

impl<U: AsRef<str>, P: AsRef<str>> IntoAuth for (U, P) {
    fn into_auth(self) -> Arc<dyn Auth> {
        Arc::new(Basic::new(self.0, self.1))
    }
}

/// No authentication: neither the session's, nor that of .netrc or the URL.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuth;

impl Auth for NoAuth {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }

    fn answers_to(&self, _: &Response) -> bool {
        false
    }
}

/// A function as an [`Auth`].
///
/// ```
/// let auth = bequest::auth_fn(|request| {
///     request.headers.insert("X-Pizza", "kenneth");
///     Ok(())
/// });
/// # let _ = bequest::get("http://localhost:1/").auth(auth);
/// ```
pub fn auth_fn<F>(apply: F) -> FnAuth<F>
where
    F: Fn(&mut PreparedRequest) -> Result<()> + Send + Sync + 'static,
{
    FnAuth(apply)
}

/// What [`auth_fn`] makes.
#[derive(Clone)]
pub struct FnAuth<F>(F);

impl<F> Auth for FnAuth<F>
where
    F: Fn(&mut PreparedRequest) -> Result<()> + Send + Sync + 'static,
{
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        (self.0)(request)
    }

    fn answers_to(&self, _: &Response) -> bool {
        false
    }
}

impl<F> fmt::Debug for FnAuth<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnAuth")
    }
}
