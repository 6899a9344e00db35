//! Sessions: what persists across requests.

mod many;
mod one_shot;
mod spawn;
mod state;

pub use many::{Imap, Map};
pub use one_shot::{delete, get, head, options, patch, post, put, request};
pub use spawn::Pending;
pub(crate) use state::session_state;

use crate::error::Result;
use crate::exchange::exchange;
use crate::reactor;
use crate::request::{PreparedRequest, Request};
use crate::response::Response;
use crate::settings::SendOptions;

/// How many threads a new session may start.
pub(crate) const SPAWN_THREADS: usize = 8;

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
    /// which it then blocks. [`spawn`](Self::spawn) is for those who want threads.
    {
        /// How many threads [`spawn`](Self::spawn) starts at most, for all clones together; 8 in a
        /// new session.
        pub spawn_threads: usize = SPAWN_THREADS,
    }
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

    fn exchange(
        &self,
        request: Box<PreparedRequest>,
        options: Option<&SendOptions>,
    ) -> impl Future<Output = Result<Response>> + Send + use<> {
        let settings = self.settings(options, &request);
        exchange(self.mounts.clone(), request, settings)
    }

    fn send_boxed(
        &self,
        request: Box<PreparedRequest>,
        options: Option<&SendOptions>,
    ) -> Result<Response> {
        reactor::block_on(self.exchange(request, options))
    }
}

/// Many at once, on the calling thread: no other is started, but for names that must be looked up
/// with the resolver of the system.
impl Session {
    /// The responses to many requests, in their order; at most `at_once` are on their way, or done
    /// and not yet taken (grequests' `map`).
    ///
    /// Requests are taken from the iterator one by one, as there is room for them. They go on only
    /// while a response is waited for: what the loop does in between, it does to all of them. A
    /// request whose body is read from a blocking source has the others wait, too.
    ///
    /// ```
    /// # let server = testbed::Testbed::start();
    /// # let url = |n: u32| server.url(&format!("/get?n={n}"));
    /// use bequest::{Request, Session};
    ///
    /// let s = Session::new();
    /// let requests = (0..10).map(|n| Request::new("GET", url(n)));
    /// for r in s.map(requests, 4) {
    ///     match r {
    ///         Ok(r) => println!("{} {}", r.status(), r.url()),
    ///         Err(error) => eprintln!("{error}"),
    ///     }
    /// }
    /// ```
    pub fn map<I, S>(&self, requests: I, at_once: usize) -> Map<'_, I::IntoIter>
    where
        I: IntoIterator<Item = Request<S>>,
    {
        Map::new(self, requests.into_iter(), at_once)
    }

    /// The same as they finish, each with the number of its request, from 0 (grequests'
    /// `imap_enumerated`).
    pub fn imap<I, S>(&self, requests: I, at_once: usize) -> Imap<'_, I::IntoIter>
    where
        I: IntoIterator<Item = Request<S>>,
    {
        Imap::new(self, requests.into_iter(), at_once)
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
