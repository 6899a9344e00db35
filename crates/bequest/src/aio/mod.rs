//! The same session for async code, on tokio (feature `async`).
//!
//! Names, settings, errors and behaviour are those of the blocking [`Session`](crate::Session);
//! what reads a body is awaited.
//!
//! ```
//! # let server = testbed::Testbed::start();
//! # let url = server.url("/get");
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let s = bequest::aio::Session::new();
//! let r = s.get(&url).send().await?;
//! println!("{}", r.text().await?);
//! # Ok::<(), bequest::Error>(())
//! # }).unwrap();
//! ```
//!
//! A body that is streamed is read in parts, each of which is awaited:
//!
//! ```
//! # let server = testbed::Testbed::start();
//! # let url = server.url("/stream/3");
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! # let s = bequest::aio::Session::new();
//! let r = s.get(&url).stream(true).send().await?;
//! let mut lines = r.iter_lines();
//! while let Some(line) = lines.next().await {
//!     println!("{}", String::from_utf8_lossy(&line?));
//! }
//! # Ok::<(), bequest::Error>(())
//! # }).unwrap();
//! ```
//!
//! A future that is dropped ends its request; one that reads a body loses no byte by it, and can be
//! had again. [`Body::stream`](crate::Body::stream) and
//! [`Body::async_reader`](crate::Body::async_reader) send what is awaited, another response for
//! example. Auths and hooks may await, too: see [`Auth`](crate::Auth) and
//! [`Hooks`](crate::Hooks).

mod convert;
mod response;
mod streams;

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

pub use response::Response;
pub use streams::{DecodedContent, DecodedLines, IterContent, IterLines, Reader};

use crate::error::{Phase, Result};
use crate::exchange::exchange;
use crate::future::BoxFuture;
use crate::request::{PreparedRequest, Request};
use crate::session::session_state;
use crate::settings::SendOptions;

session_state! {
    /// Default data for requests, and the connections that they share, for async code.
    ///
    /// Requests take `&self`; the future of a request borrows nothing, so that it can be spawned:
    /// it has the settings as they were when it was made. A clone has its own settings and shares
    /// the connections.
    {}
}

impl Session {
    /// The request with this session's state: headers, parameters, auth, hooks.
    ///
    /// # Errors
    /// Whatever was wrong with an argument of the request; an error of the auth.
    pub fn prepare<S>(&self, request: Request<S>) -> BoxFuture<'static, Result<PreparedRequest>> {
        let assembled = request.parts.assemble(&self.defaults());
        Box::pin(async move {
            let mut prepared = assembled?;
            match prepared.apply_auth_async().await {
                Ok(()) => prepared.checked().map(|prepared| *prepared),
                Err(error) => Err(error.of_request(prepared)),
            }
        })
    }

    /// Has the auth see what is sent at once, within the request's limits; says when its total
    /// timeout is over, which begins here.
    async fn apply_auth(&self, prepared: &mut PreparedRequest) -> Result<Option<Instant>> {
        if prepared.auth.is_none() {
            return Ok(None);
        }
        let settings = self.settings(None, prepared);
        let settings = settings.map_err(|error| error.during(Phase::Prepare))?;
        settings.within(prepared.apply_auth_async()).await??;
        Ok(settings.deadline)
    }

    /// Sends a prepared request. What `options` leave open is as the request has it, then as this
    /// session has it.
    ///
    /// # Errors
    /// [`Error`](crate::Error) has them all; it carries the request, or the response where there
    /// was one.
    #[expect(clippy::needless_pass_by_value, reason = "callers make them on the spot")]
    pub fn send(
        &self,
        request: PreparedRequest,
        options: SendOptions,
    ) -> impl Future<Output = Result<Response>> + Send + use<> {
        self.send_boxed(Box::new(request), Some(&options), None)
    }

    fn send_boxed(
        &self,
        request: Box<PreparedRequest>,
        options: Option<&SendOptions>,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Result<Response>> + Send + use<> {
        let mut settings = self.settings(options, &request);
        if let (Ok(settings), Some(deadline)) = (&mut settings, deadline) {
            Arc::make_mut(settings).deadline = Some(deadline);
        }
        let exchange = exchange(self.mounts.clone(), request, settings);
        async move { exchange.await.map(Response::from) }
    }
}

impl Request<&Session> {
    /// Sends it; the response comes with its body, unless it is streamed. The future borrows
    /// nothing.
    ///
    /// # Errors
    /// Whatever was wrong with an argument, before anything is sent; whatever failed on the way.
    pub fn send(self) -> impl Future<Output = Result<Response>> + Send + use<> {
        let session = self.session.clone();
        let assembled = self.parts.assemble(&session.defaults());
        async move {
            let mut prepared = assembled?;
            match session.apply_auth(&mut prepared).await {
                Ok(deadline) => session.send_boxed(prepared, None, deadline).await,
                Err(error) => Err(error.of_request(prepared)),
            }
        }
    }
}

/// Futures of this module can be spawned: checked by the compiler.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn futures_are_send_and_borrow_nothing() {
        fn spawnable(_: impl Future + Send + 'static) {}
        let s = Session::new();
        spawnable(s.get("http://localhost:1/").send());
        spawnable(s.prepare(s.get("http://localhost:1/")));
        let prepared = Request::new("GET", "http://localhost:1/").prepare().unwrap();
        spawnable(s.send(prepared, SendOptions::new()));
    }
}
