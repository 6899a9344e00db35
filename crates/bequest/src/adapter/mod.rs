//! Adapters: what carries a prepared request to a server and brings a response back.

mod closing;
mod function;
mod http;
mod mock;
mod mount;
mod retrying;

use std::sync::Arc;

pub use function::{FnAdapter, adapter_fn};
pub use http::HttpAdapter;
pub use mock::{Expectation, MockAdapter, SeenRequest};
pub(crate) use mount::Mounts;
pub(crate) use retrying::retrying;

use crate::error::Result;
use crate::future::BoxFuture;
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::settings::Settings;

/// Carries requests (Requests' `BaseAdapter`). It is mounted on a prefix of URLs:
/// [`Session::mount`](crate::Session::mount). For one that does not wait, [`adapter_fn`] is shorter.
///
/// ```
/// use bequest::{Adapter, BoxFuture, HttpAdapter, PreparedRequest, Response, Result, Settings};
///
/// struct Marked(HttpAdapter);
///
/// impl Adapter for Marked {
///     fn send<'a>(
///         &'a self,
///         request: &'a mut PreparedRequest,
///         settings: &'a Settings,
///     ) -> BoxFuture<'a, Result<Response>> {
///         request.headers.insert("X-Via", "Marked");
///         self.0.send(request, settings)
///     }
/// }
///
/// let mut s = bequest::Session::new();
/// s.mount("https://example.org/", Marked(HttpAdapter::new()));
/// ```
pub trait Adapter: Send + Sync + 'static {
    /// Sends the request, once, and returns when the head of the response is there; what `request`
    /// is afterwards is what [`Response::request`] shows. Everything in `settings` is decided.
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>>;

    /// Closes what is idle. A later request opens it anew.
    fn close(&self) {}
}

impl<A: Adapter + ?Sized> Adapter for Arc<A> {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        (**self).send(request, settings)
    }

    fn close(&self) {
        (**self).close();
    }
}
