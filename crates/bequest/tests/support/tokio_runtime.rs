//! The one runtime of the process, whose threads drive every future of a `Door::Aio`.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::LazyLock;
use std::task::Poll;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// Runs it as a task, as most callers would. Its panic is the caller's.
pub(crate) fn run<F>(future: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    match RUNTIME.block_on(RUNTIME.spawn(future)) {
        Ok(output) => output,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Polls it once, and drops it if it is not ready.
pub(crate) fn give_up<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    RUNTIME.block_on(poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    }))
}

/// Runs what borrows, on the thread of the caller.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}
