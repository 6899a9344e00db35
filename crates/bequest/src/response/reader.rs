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

/// What [`Response::reader`] and [`Response::into_reader`] make. Its errors are
/// [`io::Error`]s that hold this crate's: `Error::from(io_error)` gives it back.
pub struct Reader<'a> {
    owner: Owner<'a>,
    buffer: BytesMut,
}

enum Owner<'a> {
    Borrowed(Result<Loan<'a>>),
    Owned(Box<Response>),
}

impl<'a> Reader<'a> {
    pub(super) fn borrowed(response: &'a Response) -> Self {
        Self { owner: Owner::Borrowed(Loan::take(response)), buffer: BytesMut::new() }
    }

    fn with_loan<T>(&mut self, read: impl FnOnce(&mut Loan<'_>) -> Result<T>) -> Result<T> {
        match &mut self.owner {
            Owner::Borrowed(Ok(loan)) => {
                loan.begin();
                read(loan)
            }
            Owner::Borrowed(Err(error)) => Err(error.again()),
            Owner::Owned(response) => {
                let mut loan = Loan::take(response)?;
                loan.begin();
                read(&mut loan)
            }
        }
    }
}

impl Reader<'static> {
    pub(super) fn owned(response: Response) -> Self {
        Self { owner: Owner::Owned(Box::new(response)), buffer: BytesMut::new() }
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
        self.with_loan(|loan| {
            reactor::block_on(poll_fn(|context| {
                let mut out = ReadBuf::new(out);
                loan.poll_read(context, &mut out).map_ok(|()| out.filled().len())
            }))
        })
        .map_err(Error::into)
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffer.is_empty() {
            let mut buffer = std::mem::take(&mut self.buffer);
            self.with_loan(|loan| reactor::block_on(loan.read_more(&mut buffer, ROOM)))?;
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
        if let Owner::Borrowed(Ok(loan)) = &mut self.owner
            && let Some(live) = loan.live()
        {
            live.give_back(std::mem::take(&mut self.buffer));
        }
    }
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
