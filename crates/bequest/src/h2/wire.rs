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
}

/// Counts what is read, and asks the kernel anew in each turn: whoever drove before may have
/// learned that there is something to be read, and not have read it.
pub(super) struct Wire {
    transport: Box<dyn Transport>,
    state: Arc<State>,
    /// Those of this turn.
    reads: u32,
    /// The last turn's reads had come to an end.
    waited: bool,
}

impl Wire {
    pub(super) fn new(transport: Box<dyn Transport>, state: Arc<State>) -> Self {
        Self { transport, state, reads: 0, waited: false }
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
        if std::mem::take(&mut this.waited) {
            this.transport.try_at_once();
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
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().transport).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().transport).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().transport).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().transport).poll_shutdown(context)
    }
}
