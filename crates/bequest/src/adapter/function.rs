//! A function as an adapter.

use std::fmt;

use super::Adapter;
use crate::error::Result;
use crate::future::BoxFuture;
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::settings::Settings;

/// An adapter that answers by calling a function; for a program's own schemes, and for its tests.
///
/// ```
/// use bequest::{Response, Session, adapter_fn};
///
/// let mut s = Session::new();
/// s.mount("mock://", adapter_fn(|request, _settings| {
///     Response::builder().status(200).body(request.url.path()).build()
/// }));
/// assert_eq!(s.get("mock://anything/here").send()?.text()?, "/here");
/// # Ok::<(), bequest::Error>(())
/// ```
pub fn adapter_fn<F>(send: F) -> FnAdapter<F>
where
    F: Fn(&mut PreparedRequest, &Settings) -> Result<Response> + Send + Sync + 'static,
{
    FnAdapter(send)
}

/// What [`adapter_fn`] makes.
#[derive(Clone)]
pub struct FnAdapter<F>(F);

impl<F> Adapter for FnAdapter<F>
where
    F: Fn(&mut PreparedRequest, &Settings) -> Result<Response> + Send + Sync + 'static,
{
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move { (self.0)(request, settings) })
    }
}

impl<F> fmt::Debug for FnAdapter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnAdapter")
    }
}
