//! Sessions: what persists across requests.

mod one_shot;
mod state;

pub use one_shot::{delete, get, head, options, patch, post, put, request};
pub(crate) use state::session_state;

use crate::error::Result;
use crate::exchange::exchange;
use crate::reactor;
use crate::request::{PreparedRequest, Request};
use crate::response::Response;
use crate::settings::SendOptions;

session_state! {
    /// Default data for requests, and the connections that they share (Requests' `Session`).
    ///
    /// Its state is public fields. What a request says for itself wins, and is not kept:
    ///
    /// ```
    /// # use bequest::Session;
    /// # let server = testbed::Testbed::start();
    /// # let url = server.url("/headers");
    /// let mut s = Session::new();
    /// s.set_auth(("user", "pass"));
    /// s.headers.insert("x-test", "true");
    /// let r = s.get(&url).header("x-test2", "true").send()?; // both are sent
    /// # assert_eq!(r.request().headers.get("x-test"), Some("true"));
    /// # assert_eq!(r.request().headers.get("x-test2"), Some("true"));
    /// # Ok::<(), bequest::Error>(())
    /// ```
    ///
    /// Requests take `&self`, from as many threads as there are. A clone has its own settings and
    /// shares the connections; they are closed when the last clone is dropped, or by
    /// [`close`](Self::close).
    ///
    /// A call runs on the calling thread: no runtime, no other thread. (One exception: a name that
    /// has to be looked up within a timeout is looked up on a short-lived thread, since the
    /// system's resolver can't be interrupted.) It may be made anywhere, also inside async code,
    /// which it then blocks.
}

impl Session {
    /// One that keeps nothing but connections.
    fn forgetful() -> Self {
        Self { forgetful: true, ..Self::new() }
    }

    /// The request with this session's state: headers, parameters, auth, hooks.
    ///
    /// # Errors
    /// Whatever was wrong with an argument of the request; an error of the auth.
    pub fn prepare<S>(&self, request: Request<S>) -> Result<PreparedRequest> {
        request.parts.prepare(&self.defaults())
    }

    /// Sends a prepared request. What `options` leave open is as the request has it, then as this
    /// session has it.
    ///
    /// # Errors
    /// [`Error`](crate::Error) has them all; it carries the request, or the response where there
    /// was one.
    #[expect(clippy::needless_pass_by_value, reason = "callers make them on the spot")]
    pub fn send(&self, request: PreparedRequest, options: SendOptions) -> Result<Response> {
        self.send_boxed(Box::new(request), Some(&options))
    }

    fn send_boxed(
        &self,
        request: Box<PreparedRequest>,
        options: Option<&SendOptions>,
    ) -> Result<Response> {
        let settings = self.settings(options, &request);
        reactor::block_on(exchange(self.mounts.clone(), request, settings))
    }
}

impl Request<&Session> {
    /// Sends it and waits for the response; with its body, unless it is streamed.
    ///
    /// # Errors
    /// Whatever was wrong with an argument, before anything is sent; whatever failed on the way.
    /// The status is no error: see [`Response::error_for_status`].
    pub fn send(self) -> Result<Response> {
        let session = self.session;
        let prepared = self.parts.ready(&session.defaults())?;
        session.send_boxed(prepared, None)
    }

    /// The request with its session's state, to be edited and sent.
    ///
    /// # Errors
    /// Those of [`Session::prepare`].
    pub fn prepare(self) -> Result<PreparedRequest> {
        self.session.prepare(self)
    }
}

#[cfg(test)]
mod tests;
