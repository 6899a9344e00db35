//! Functions of the caller's that see requests and responses pass.

use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::request::PreparedRequest;
use crate::response::Response;

/// The hooks of a session or a request (Requests' `hooks`). A session's run first, then the
/// request's, each in the order in which they were added.
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
    /// Called with each response.
    pub response: ResponseHooks,
    /// Called with each prepared request, before it is sent.
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
#[derive(Clone, Default)]
pub struct ResponseHooks(Vec<Arc<ResponseHook>>);

type ResponseHook = dyn Fn(Response) -> Result<Response> + Send + Sync;

impl ResponseHooks {
    /// Adds a hook behind those that are there. Its body is there already, unless the request is
    /// streamed. An error is the request's.
    pub fn push<F>(&mut self, hook: F)
    where
        F: Fn(Response) -> Result<Response> + Send + Sync + 'static,
    {
        self.0.push(Arc::new(hook));
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

    pub(crate) fn at(&self, index: usize) -> Option<Arc<ResponseHook>> {
        self.0.get(index).cloned()
    }
}

/// Hooks that see a prepared request, and may change it or refuse it.
#[derive(Clone, Default)]
pub struct RequestHooks(Vec<Arc<RequestHook>>);

type RequestHook = dyn Fn(&mut PreparedRequest) -> Result<()> + Send + Sync;

impl RequestHooks {
    /// Adds a hook behind those that are there. An error is the request's: nothing is sent.
    pub fn push<F>(&mut self, hook: F)
    where
        F: Fn(&mut PreparedRequest) -> Result<()> + Send + Sync + 'static,
    {
        self.0.push(Arc::new(hook));
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

    pub(crate) fn at(&self, index: usize) -> Option<Arc<RequestHook>> {
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
