//! Deadlines.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::calling_thread;

/// Runs the future until it is done or the moment has come (`None`). The future is asked first,
/// so that what is there already costs no look at the clock.
pub(crate) async fn with_deadline<T>(
    at: Option<Instant>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let Some(at) = at else { return Some(future.await) };
    let mut timer = Timer::new(at);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.poll_elapsed(context).map(|()| None),
    })
    .await
}

/// Does nothing until the moment has come.
pub(crate) async fn sleep_until(at: Instant) {
    let mut timer = Timer::new(at);
    poll_fn(|context| timer.poll_elapsed(context)).await;
}

/// Is ready once its moment has come, under either reactor.
pub(crate) struct Timer {
    at: Instant,
    #[cfg(feature = "async")]
    sleep: Option<std::pin::Pin<Box<tokio::time::Sleep>>>,
}

impl Timer {
    pub(crate) fn new(at: Instant) -> Self {
        Self {
            at,
            #[cfg(feature = "async")]
            sleep: None,
        }
    }

    pub(crate) fn poll_elapsed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        if calling_thread::is_entered() {
            calling_thread::register_deadline(self.at);
            return Poll::Pending;
        }
        self.poll_foreign(context)
    }

    #[cfg(feature = "async")]
    fn poll_foreign(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let at = self.at.into();
        self.sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)))
            .as_mut()
            .poll(context)
    }

    #[cfg(not(feature = "async"))]
    fn poll_foreign(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}
