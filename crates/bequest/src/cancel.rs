//! Ending a request that somebody else waits for.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::reactor::Stop;

/// Ends requests: from any thread, whatever they are waiting for. Clones are the same token.
///
/// A request that was given it by [`Request::cancel_with`](crate::Request::cancel_with) ends with
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled): while its name is looked up, while it
/// waits for a connection, for the server, or for the next try, and while the body of a streamed
/// response is read. Its connection is closed. What can't be interrupted is code of yours: a
/// hook, or a body's [`Read`](std::io::Read), is waited for.
///
/// ```
/// use bequest::{CancelToken, ErrorKind};
///
/// # let server = testbed::RawServer::start(testbed::Script::new().wait_close());
/// # let url = server.url("/");
/// let token = CancelToken::new();
/// let stop = token.clone();
/// std::thread::spawn(move || stop.cancel()); // when the user has had enough
/// let error = bequest::get(&url).cancel_with(&token).send().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Cancelled);
/// ```
///
/// It can't be taken back: what is sent with it later ends at once.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Stop>);

impl CancelToken {
    /// One that nobody has cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends what was given this token, now and later.
    pub fn cancel(&self) {
        self.0.stop();
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.has_stopped()
    }

    pub(crate) fn stop(&self) -> &Arc<Stop> {
        &self.0
    }

    /// What the request ends with.
    pub(crate) fn error() -> Error {
        Error::with(ErrorKind::Cancelled, "the request was cancelled")
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("is_cancelled", &self.is_cancelled()).finish()
    }
}
