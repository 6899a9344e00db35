//! What a connection is read from and written to.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::hub::State;

/// How often is read in one turn. A server that never stops must not keep the one who drives from
/// its own stream, and what nobody has looked at yet is held in memory.
const READS: u32 = 16;

/// A connected stream.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {
    /// The next read asks the kernel, whatever was known before.
    fn try_at_once(&mut self);
    /// Somebody has waited, whoever that was: the next read asks, where no runtime says when to.
    fn try_after_wait(&mut self);
}

/// Counts what is read, and asks the kernel anew in each turn: whoever drove before may have
/// learned that there is something to be read, and not have read it.
///
/// A write that fails is told by the next read that finds nothing: what the server said before may
/// be which requests it has not processed.
pub(super) struct Wire {
    transport: Box<dyn Transport>,
    state: Arc<State>,
    /// Those of this turn.
    reads: u32,
    /// The last turn's reads had come to an end.
    waited: bool,
    /// Of a write.
    failed: Option<io::Error>,
}

impl Wire {
    pub(super) fn new(transport: Box<dyn Transport>, state: Arc<State>) -> Self {
        Self { transport, state, reads: 0, waited: false, failed: None }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.reads >= READS {
            this.reads = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let waited = std::mem::take(&mut this.waited);
        if this.failed.is_some() {
            this.transport.try_at_once();
        } else if waited {
            this.transport.try_after_wait();
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.transport).poll_read(context, buffer);
        match &polled {
            Poll::Ready(Ok(())) if buffer.filled().len() > before => {
                this.reads += 1;
                this.state.heard.fetch_add(1, Ordering::Relaxed);
            }
            Poll::Ready(_) => this.state.lost.store(true, Ordering::Release),
            Poll::Pending => (this.reads, this.waited) = (0, true),
        }
        match this.failed.take() {
            Some(error) if polled.is_pending() => {
                this.state.lost.store(true, Ordering::Release);
                Poll::Ready(Err(error))
            }
            failed => {
                this.failed = failed;
                polled
            }
        }
    }
}

impl Wire {
    /// The result, but for an error, which is kept.
    fn written<T>(
        &mut self,
        polled: Poll<io::Result<T>>,
        as_if: T,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        let Poll::Ready(Err(error)) = polled else { return polled };
        self.failed = Some(error);
        self.reads = 0;
        context.waker().wake_by_ref();
        Poll::Ready(Ok(as_if))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.transport).poll_write(context, bytes);
        this.written(polled, bytes.len(), context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.transport).poll_write_vectored(context, slices);
        let length = slices.iter().map(|slice| slice.len()).sum();
        this.written(polled, length, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.transport).poll_flush(context);
        this.written(polled, (), context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.transport).poll_shutdown(context);
        this.written(polled, (), context)
    }
}
