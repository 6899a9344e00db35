//! How long a request may wait, as its settings say.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use super::Settings;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind, Result};
use crate::reactor;

impl Settings {
    /// What a request ends with when the total timeout is over.
    pub(crate) fn total_is_over(&self) -> Error {
        let limit = self.timeout.total_limit().unwrap_or_default();
        Error::with(ErrorKind::Deadline, format!("the total timeout of {limit:?} was over"))
    }

    /// Whether the total timeout or a token may end the request.
    pub(crate) fn may_end(&self) -> bool {
        self.deadline.is_some() || self.cancel.is_some()
    }

    /// Runs the future until it is done, the total timeout is over, or the request is cancelled.
    /// It is asked once more when that has happened: it may know better where it was.
    pub(crate) async fn within<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        let (mut future, mut end) = (pin!(future), pin!(self.end()));
        let mut ended = None;
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            if let Some(error) = ended.take() {
                return Poll::Ready(Err(error));
            }
            ended = Some(ready!(end.as_mut().poll(context)));
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Waits until the total timeout is over or the request is cancelled.
    async fn end(&self) -> Error {
        let over = reactor::with_deadline(self.deadline, std::future::pending::<()>());
        match &self.cancel {
            None => drop(over.await),
            Some(token) => {
                if token.stop().guard(over).await.is_none() {
                    return CancelToken::error();
                }
            }
        }
        self.total_is_over()
    }

    /// When a wait that begins now must end, and whether the total timeout ends it.
    pub(crate) fn until(&self, now: Instant, limit: Option<Duration>) -> (Option<Instant>, bool) {
        earlier(now, limit, self.deadline)
    }
}

/// The earlier of a limit that begins now and the total timeout's end; `true` for the latter.
pub(crate) fn earlier(
    now: Instant,
    limit: Option<Duration>,
    total: Option<Instant>,
) -> (Option<Instant>, bool) {
    let own = limit.and_then(|limit| now.checked_add(limit));
    match (own, total) {
        (Some(own), Some(total)) => (Some(own.min(total)), total <= own),
        (None, Some(total)) => (Some(total), true),
        (own, None) => (own, false),
    }
}
