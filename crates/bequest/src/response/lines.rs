//! A body in lines.

use bytes::{Buf, Bytes, BytesMut};

use super::Response;
use super::loan::Loan;
use super::room::{Room, take};
use crate::error::{Error, ErrorKind, Result};
use crate::reactor;

/// What [`Response::iter_lines`] makes: lines without their ends. After an error it is over.
pub struct IterLines<'a> {
    loan: Option<Result<Loan<'a>>>,
    /// What was read and is not a whole line yet.
    buffer: BytesMut,
    /// How much of it was searched.
    searched: usize,
    /// The last line ended in CR: an LF that follows belongs to it.
    after_cr: bool,
    room: Room,
    limit: u64,
}

impl<'a> IterLines<'a> {
    pub(super) fn new(response: &'a Response) -> Self {
        let mut loan = Loan::take(response);
        let after_cr = loan.as_mut().ok().and_then(Loan::after_cr).is_some_and(std::mem::take);
        Self {
            loan: Some(loan),
            buffer: BytesMut::new(),
            searched: 0,
            after_cr,
            room: Room::default(),
            limit: response.head.max_content.unwrap_or(u64::MAX),
        }
    }

    async fn next_line(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(line) = self.split_line() {
                return Ok(Some(line));
            }
            if self.buffer.len() as u64 > self.limit {
                return Err(Error::with(
                    ErrorKind::TooLarge,
                    format!("a line is longer than max_content, {} bytes", self.limit),
                ));
            }
            let Some(Ok(loan)) = &mut self.loan else { return Ok(None) };
            loan.begin();
            let most = self.room.size();
            let count = loan.read_more(&mut self.buffer, most).await?;
            self.room.used(count, most);
            if count == 0 {
                self.loan = None;
                let length = self.buffer.len();
                return Ok((length > 0).then(|| take(&mut self.buffer, length)));
            }
        }
    }

    /// Takes the first line out of the buffer, if it is whole. A line that ends in CR is whole at
    /// once: an LF that may follow is skipped when it comes.
    fn split_line(&mut self) -> Option<Bytes> {
        if self.after_cr && !self.buffer.is_empty() {
            if self.buffer[0] == b'\n' {
                self.buffer.advance(1);
            }
            self.after_cr = false;
            self.searched = 0;
        }
        let Some(found) = memchr::memchr2(b'\n', b'\r', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            return None;
        };
        let line = take(&mut self.buffer, self.searched + found);
        self.searched = 0;
        let carriage_return = self.buffer.get_u8() == b'\r';
        if carriage_return && self.buffer.first() == Some(&b'\n') {
            self.buffer.advance(1);
        } else {
            self.after_cr = carriage_return && self.buffer.is_empty();
        }
        Some(line)
    }
}

impl Iterator for IterLines<'_> {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.loan.as_ref()?.is_err() {
            return self.loan.take()?.err().map(Err);
        }
        match reactor::block_on(self.next_line()) {
            Ok(line) => line.map(Ok),
            Err(error) => {
                if let Some(Ok(mut loan)) = self.loan.take() {
                    loan.fail(&error);
                }
                Some(Err(error))
            }
        }
    }
}

impl Drop for IterLines<'_> {
    fn drop(&mut self) {
        if let Some(Ok(loan)) = &mut self.loan {
            loan.give_back(std::mem::take(&mut self.buffer));
            if let Some(after_cr) = loan.after_cr() {
                *after_cr = self.after_cr;
            }
        }
    }
}

impl std::fmt::Debug for IterLines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IterLines").finish_non_exhaustive()
    }
}
