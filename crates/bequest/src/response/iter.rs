//! A body in pieces.

use bytes::{Bytes, BytesMut};

use super::Response;
use super::loan::{Loan, PIECE};
use crate::error::{Error, ErrorKind, Result};
use crate::reactor;

/// What [`Response::iter_content`] makes: pieces of the body. After an error it is over.
pub struct IterContent<'a> {
    loan: Option<Result<Loan<'a>>>,
    size: Option<usize>,
    buffer: BytesMut,
}

impl<'a> IterContent<'a> {
    pub(super) fn new(response: &'a Response, size: Option<usize>) -> Self {
        let loan = if size == Some(0) {
            Err(Error::with(ErrorKind::InvalidRequest, "pieces of 0 bytes never end")
                .remedied("give a size of at least 1, or `None` for pieces as they arrive"))
        } else {
            Loan::take(response)
        };
        Self { loan: Some(loan), size, buffer: BytesMut::new() }
    }

    /// The next piece; `None` at the end.
    async fn next_piece(&mut self) -> Option<Result<Bytes>> {
        let mut loan = match self.loan.take()? {
            Ok(loan) => loan,
            Err(error) => return Some(Err(error)),
        };
        loan.begin();
        let wanted = self.size.unwrap_or(PIECE);
        let mut piece = std::mem::take(&mut self.buffer);
        while piece.len() < wanted {
            // Room for a large piece is made as it fills.
            let most = (wanted - piece.len()).min(PIECE);
            match loan.read_more(&mut piece, most).await {
                Ok(0) => break,
                Ok(_) if self.size.is_none() => break,
                Ok(_) => {}
                // What came before the error is lost with it: it was not a whole piece.
                Err(error) => return Some(Err(error)),
            }
        }
        let done = piece.split().freeze();
        if done.is_empty() {
            return None;
        }
        self.buffer = piece;
        self.loan = Some(Ok(loan));
        Some(Ok(done))
    }
}

impl Iterator for IterContent<'_> {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        self.loan.as_ref()?;
        let piece = reactor::block_on(async { Ok(self.next_piece().await) });
        piece.unwrap_or_else(|interrupted| Some(Err(interrupted)))
    }
}

impl std::fmt::Debug for IterContent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IterContent").field("size", &self.size).finish_non_exhaustive()
    }
}
