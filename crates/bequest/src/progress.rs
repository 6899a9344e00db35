//! How far a request has come.

use std::fmt;
use std::sync::Arc;

/// How many bytes of a request's body have been sent, and of its response's body have been
/// received, and of how many.
///
/// ```
/// # let server = testbed::Testbed::start();
/// # let url = server.url("/put");
/// let s = bequest::Session::new();
/// s.put(&url)
///     .body("x".repeat(100_000))
///     .on_progress(|p| println!("{} of {:?}", p.sent, p.to_send))
///     .send()?;
/// # Ok::<(), bequest::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the body that the system has taken; heads and chunk sizes don't count. It begins
    /// anew when the body is sent again.
    pub sent: u64,
    /// How many there are; `None` where only the end will tell.
    pub to_send: Option<u64>,
    /// Bytes of the response's body that have been read, as they were sent: before any
    /// Content-Encoding is undone. Of a body that is streamed they come as it is read.
    pub received: u64,
    /// How many there are; `None` where only the end will tell, and before there is a response.
    pub to_receive: Option<u64>,
}

/// Is told how far a request has come; see
/// [`Request::on_progress`](crate::Request::on_progress).
#[derive(Clone)]
pub struct OnProgress(Arc<dyn Fn(Progress) + Send + Sync>);

impl OnProgress {
    pub(crate) fn new(tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells it.
    pub fn call(&self, progress: Progress) {
        (self.0)(progress);
    }
}

impl fmt::Debug for OnProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnProgress")
    }
}
