//! A body as a reader.

use std::io::{self, BufRead, Read};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use super::Response;
use super::loan::Loan;
use crate::error::Result;
use crate::reactor;

/// How much a buffered read takes at once.
const ROOM: usize = 16 * 1024;

/// What [`Response::reader`], [`Response::raw`] and their owning forms make. Its errors are
/// [`io::Error`]s that hold this crate's: `Error::from(io_error)` gives it back.
pub struct Reader<'a> {
    loan: Result<Loan<'a>>,
    buffer: BytesMut,
}

impl<'a> Reader<'a> {
    pub(super) fn borrowed(response: &'a Response, raw: bool) -> Self {
        Self { loan: Loan::take_as(response, raw), buffer: BytesMut::new() }
    }

    /// Reads into the free part of `out`; adding nothing is the end.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if out.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if !self.buffer.is_empty() {
            let count = out.remaining().min(self.buffer.len());
            out.put_slice(&self.buffer[..count]);
            self.buffer.advance(count);
            return Poll::Ready(Ok(()));
        }
        let loan = self.loan.as_mut().map_err(|error| error.again())?;
        loan.begin();
        loan.poll_read(context, out)
    }

    /// Sees to it that [`buffer`](Self::buffer) is empty at the end only.
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.buffer.is_empty() {
            let loan = self.loan.as_mut().map_err(|error| error.again())?;
            loan.begin();
            self.buffer = loan.take_pending();
            if self.buffer.is_empty() {
                ready!(loan.poll_read_more(context, &mut self.buffer, ROOM))?;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// What was read and not used.
    #[cfg(feature = "async")]
    pub(crate) fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    fn block_on<T>(
        &mut self,
        mut poll: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Result<T>>,
    ) -> Result<T> {
        let result = reactor::block_on_poll(|context| poll(self, context));
        result.unwrap_or_else(|interrupted| {
            if let Ok(loan) = &mut self.loan {
                loan.fail(&interrupted);
            }
            Err(interrupted)
        })
    }
}

impl Reader<'static> {
    pub(super) fn owned(response: Response, raw: bool) -> Self {
        Self { loan: Loan::own(response, raw), buffer: BytesMut::new() }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // What is here needs no reactor.
        if !self.buffer.is_empty() {
            let count = out.len().min(self.buffer.len());
            self.buffer.copy_to_slice(&mut out[..count]);
            return Ok(count);
        }
        let mut out = ReadBuf::new(out);
        self.block_on(|reader, context| reader.poll_read(context, &mut out))?;
        Ok(out.filled().len())
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffer.is_empty() {
            self.block_on(Self::poll_fill)?;
        }
        Ok(&self.buffer)
    }

    fn consume(&mut self, count: usize) {
        self.buffer.advance(count.min(self.buffer.len()));
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Ok(loan) = &mut self.loan {
            loan.give_back(std::mem::take(&mut self.buffer));
        }
    }
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
