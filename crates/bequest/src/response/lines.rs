//! A body in lines.

use bytes::{Buf, Bytes, BytesMut};

use super::Response;
use super::loan::{Loan, PIECE};
use crate::error::{Error, ErrorKind, Result};
use crate::reactor;

/// What [`Response::iter_lines`] makes: lines without their ends. After an error it is over.
pub struct IterLines<'a> {
    loan: Option<Result<Loan<'a>>>,
    /// What was read and is not a whole line yet.
    buffer: BytesMut,
    /// How much of it was searched.
    searched: usize,
    limit: u64,
}

impl<'a> IterLines<'a> {
    pub(super) fn new(response: &'a Response) -> Self {
        Self {
            loan: Some(Loan::take(response)),
            buffer: BytesMut::new(),
            searched: 0,
            limit: response.head.max_content.unwrap_or(u64::MAX),
        }
    }

    async fn next_line(&mut self) -> Option<Result<Bytes>> {
        match self.loan.as_mut()? {
            Ok(loan) => loan.begin(),
            Err(_) => return self.loan.take()?.err().map(Err),
        }
        loop {
            if let Some(line) = self.split_line() {
                return Some(Ok(line));
            }
            if self.buffer.len() as u64 > self.limit {
                self.loan = None;
                return Some(Err(Error::with(
                    ErrorKind::TooLarge,
                    format!("a line is longer than max_content, {} bytes", self.limit),
                )));
            }
            let Some(Ok(loan)) = &mut self.loan else { return None };
            match loan.read_more(&mut self.buffer, PIECE).await {
                Ok(0) => {
                    self.loan = None;
                    let last = self.buffer.split().freeze();
                    return (!last.is_empty()).then_some(Ok(last));
                }
                Ok(_) => {}
                Err(error) => {
                    self.loan = None;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Takes the first line out of the buffer, if it is whole. A line that ends in CR is whole at
    /// once: an LF that may follow is skipped when it comes.
    fn split_line(&mut self) -> Option<Bytes> {
        let Some(Ok(loan)) = &mut self.loan else { return None };
        let mut local = false;
        let after_cr = loan.live().map_or(&mut local, |live| &mut live.after_cr);
        if *after_cr && !self.buffer.is_empty() {
            if self.buffer[0] == b'\n' {
                self.buffer.advance(1);
            }
            *after_cr = false;
            self.searched = 0;
        }
        let is_end = |&byte: &u8| matches!(byte, b'\n' | b'\r');
        let Some(found) = self.buffer[self.searched..].iter().position(is_end) else {
            self.searched = self.buffer.len();
            return None;
        };
        let line = self.buffer.split_to(self.searched + found).freeze();
        self.searched = 0;
        let carriage_return = self.buffer.get_u8() == b'\r';
        if carriage_return && self.buffer.first() == Some(&b'\n') {
            self.buffer.advance(1);
        } else if carriage_return && self.buffer.is_empty() {
            *after_cr = true;
        }
        Some(line)
    }
}

impl Iterator for IterLines<'_> {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        self.loan.as_ref()?;
        let line = reactor::block_on(async { Ok(self.next_line().await) });
        line.unwrap_or_else(|interrupted| Some(Err(interrupted)))
    }
}

impl Drop for IterLines<'_> {
    fn drop(&mut self) {
        if let Some(Ok(loan)) = &mut self.loan
            && let Some(live) = loan.live()
        {
            live.give_back(std::mem::take(&mut self.buffer));
        }
    }
}

impl std::fmt::Debug for IterLines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IterLines").finish_non_exhaustive()
    }
}
