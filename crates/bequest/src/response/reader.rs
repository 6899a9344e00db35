//! A body as a reader.

use std::future::poll_fn;
use std::io::{self, BufRead, Read};

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use super::Response;
use super::loan::Loan;
use crate::error::{Error, Result};
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

    fn read_with<T>(&mut self, read: impl AsyncFnOnce(&mut Loan<'a>) -> Result<T>) -> Result<T> {
        let loan = self.loan.as_mut().map_err(|error| error.again())?;
        loan.begin();
        let result = reactor::block_on(read(loan));
        result.inspect_err(|error| loan.fail(error))
    }
}

impl Reader<'static> {
    pub(super) fn owned(response: Response, raw: bool) -> Self {
        Self { loan: Loan::own(response, raw), buffer: BytesMut::new() }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if !self.buffer.is_empty() {
            let count = out.len().min(self.buffer.len());
            self.buffer.copy_to_slice(&mut out[..count]);
            return Ok(count);
        }
        self.read_with(async |loan| {
            poll_fn(|context| {
                let mut out = ReadBuf::new(out);
                loan.poll_read(context, &mut out).map_ok(|()| out.filled().len())
            })
            .await
        })
        .map_err(Error::into)
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffer.is_empty() {
            let mut buffer = std::mem::take(&mut self.buffer);
            self.read_with(async |loan| {
                buffer = loan.take_pending();
                match buffer.len() {
                    0 => loan.read_more(&mut buffer, ROOM).await,
                    pending => Ok(pending),
                }
            })?;
            self.buffer = buffer;
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
