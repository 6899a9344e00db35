//! Functions of the caller's that see requests and responses pass.

use std::fmt;
use std::sync::Arc;

use crate::error::Result;
#[cfg(feature = "async")]
use crate::future::BoxFuture;
use crate::request::PreparedRequest;
use crate::response::Response;

/// The hooks of a session or a request (Requests' `hooks`). A session's run first, then the
/// request's, each in the order in which they were added.
///
/// Both doors call them. Those that wait are added by `push_async` (feature `async`).
///
/// ```
/// use bequest::{Response, Session};
///
/// let mut s = Session::new();
/// s.hooks.response.push(Response::error_for_status);
/// s.hooks.request.push(|request| {
///     request.headers.insert("X-Sent-By", "us");
///     Ok(())
/// });
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Hooks {
    /// Called with each response, those of redirects and challenges included.
    pub response: ResponseHooks,
    /// Called with each prepared request before it is sent, also for another round of the auth and
    /// for a redirect, wherever that leads: look at its URL before you add a secret. What they set
    /// does not go along to another origin; they are called again there. The auth and the cookies
    /// were chosen before, for the URL as it was: a hook that changes the URL's host sends them to
    /// the new one, unless it removes `Authorization` and `Cookie`.
    pub request: RequestHooks,
}

impl Hooks {
    /// No hooks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds those of `other` behind these.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.response.0.extend_from_slice(&other.response.0);
        self.request.0.extend_from_slice(&other.request.0);
    }
}

/// Hooks that see a response, and may replace it, add to its
/// [`extensions`](Response::extensions_mut), or fail the request.
///
/// What they leave is what counts: a redirect that was replaced is not followed, and one that was
/// put there is. The cookies of the server's response are in the session's jar by then; those of
/// what replaces it are not put there.
#[derive(Clone, Default)]
pub struct ResponseHooks(Vec<ResponseHook>);

/// One of them, in either form.
#[derive(Clone)]
pub(crate) enum ResponseHook {
    Plain(Arc<dyn Fn(Response) -> Result<Response> + Send + Sync>),
    #[cfg(feature = "async")]
    Awaited(Arc<dyn Fn(Response) -> BoxFuture<'static, Result<Response>> + Send + Sync>),
}

impl ResponseHook {
    pub(crate) async fn call(&self, response: Response) -> Result<Response> {
        match self {
            Self::Plain(hook) => hook(response),
            #[cfg(feature = "async")]
            Self::Awaited(hook) => hook(response).await,
        }
    }
}

impl ResponseHooks {
    /// Adds a hook behind those that are there. Its body is there already, unless the request is
    /// streamed. An error is the request's.
    pub fn push<F>(&mut self, hook: F)
    where
        F: Fn(Response) -> Result<Response> + Send + Sync + 'static,
    {
        self.0.push(ResponseHook::Plain(Arc::new(hook)));
    }

    /// Adds a hook that awaits. In a blocking session the calling thread polls it: it must not need
    /// a runtime there.
    #[cfg(feature = "async")]
    pub fn push_async<F, R>(&mut self, hook: F)
    where
        F: Fn(Response) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response>> + Send + 'static,
    {
        self.0.push(ResponseHook::Awaited(Arc::new(move |response| Box::pin(hook(response)))));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all of them away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn at(&self, index: usize) -> Option<&ResponseHook> {
        self.0.get(index)
    }
}

/// Hooks that see a prepared request, and may change it or refuse it.
#[derive(Clone, Default)]
pub struct RequestHooks(Vec<RequestHook>);

/// One of them, in either form.
#[derive(Clone)]
pub(crate) enum RequestHook {
    Plain(Arc<PlainRequestHook>),
    #[cfg(feature = "async")]
    Awaited(Arc<AwaitedRequestHook>),
}

type PlainRequestHook = dyn Fn(&mut PreparedRequest) -> Result<()> + Send + Sync;
#[cfg(feature = "async")]
type AwaitedRequestHook = dyn Fn(&mut PreparedRequest) -> BoxFuture<'_, Result<()>> + Send + Sync;

impl RequestHook {
    pub(crate) async fn call(&self, request: &mut PreparedRequest) -> Result<()> {
        match self {
            Self::Plain(hook) => hook(request),
            #[cfg(feature = "async")]
            Self::Awaited(hook) => hook(request).await,
        }
    }
}

impl RequestHooks {
    /// Adds a hook behind those that are there. An error is the request's: nothing is sent.
    pub fn push<F>(&mut self, hook: F)
    where
        F: Fn(&mut PreparedRequest) -> Result<()> + Send + Sync + 'static,
    {
        self.0.push(RequestHook::Plain(Arc::new(hook)));
    }

    /// Adds a hook that awaits; it returns a boxed future, since that borrows the request. In a
    /// blocking session the calling thread polls it: it must not need a runtime there.
    #[cfg(feature = "async")]
    pub fn push_async<F>(&mut self, hook: F)
    where
        F: Fn(&mut PreparedRequest) -> BoxFuture<'_, Result<()>> + Send + Sync + 'static,
    {
        self.0.push(RequestHook::Awaited(Arc::new(hook)));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all of them away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn at(&self, index: usize) -> Option<RequestHook> {
        self.0.get(index).cloned()
    }
}

impl fmt::Debug for ResponseHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} hooks]", self.len())
    }
}

impl fmt::Debug for RequestHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} hooks]", self.len())
    }
}
