//! A body that is still to be read.

use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use crate::error::Result;
use crate::headers::Headers;

/// Where a body comes from: a connection, or an adapter's own source.
pub(crate) trait Incoming: Send {
    /// Reads into the free part of `out`, which is not empty. Adding nothing is the end.
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<()>>;

    /// How many bytes are still to come, where that is known.
    fn remaining(&self) -> Option<u64> {
        None
    }

    /// The fields behind the body, after its end.
    fn take_trailers(&mut self) -> Option<Headers> {
        None
    }
}

/// An incoming body, and what was read of it but not used.
pub(crate) struct Live {
    incoming: Box<dyn Incoming>,
    /// Given back by an iterator or a reader.
    pending: BytesMut,
    begun: bool,
    /// The last line ended in CR: an LF that follows belongs to it.
    pub(super) after_cr: bool,
}

impl Live {
    pub(crate) fn new(incoming: impl Incoming + 'static) -> Self {
        Self {
            incoming: Box::new(incoming),
            pending: BytesMut::new(),
            begun: false,
            after_cr: false,
        }
    }

    /// Whether somebody has had a part of it.
    pub(super) fn is_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn begin(&mut self) {
        self.begun = true;
    }

    /// Takes back what was read and not used; it comes first next time.
    pub(super) fn give_back(&mut self, rest: BytesMut) {
        debug_assert!(self.pending.is_empty() || rest.is_empty());
        if !rest.is_empty() {
            self.pending = rest;
        }
    }

    pub(super) fn remaining(&self) -> Option<u64> {
        Some(self.incoming.remaining()? + self.pending.len() as u64)
    }

    pub(super) fn take_trailers(&mut self) -> Option<Headers> {
        self.incoming.take_trailers()
    }

    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if self.pending.is_empty() {
            return self.incoming.poll_read(context, out);
        }
        let count = out.remaining().min(self.pending.len());
        out.put_slice(&self.pending[..count]);
        self.pending.advance(count);
        Poll::Ready(Ok(()))
    }
}
