//! A body in pieces.

use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use super::decoded::DecodedContent;
use super::loan::{Loan, apart};
use super::room::{Room, compact, take};
use crate::charset::Charset;
use crate::error::{Error, ErrorKind, Result};
use crate::reactor;

/// What [`Response::iter_content`](crate::Response::iter_content) makes: pieces of the body.
/// After an error it is over.
pub struct IterContent<'a> {
    /// `None` once there is no more.
    loan: Option<Loan<'a>>,
    size: Option<usize>,
    buffer: BytesMut,
    room: Room,
    /// Comes when the bytes before it have been given out.
    error: Option<Error>,
}

impl<'a> IterContent<'a> {
    pub(super) fn new(size: Option<usize>, lend: impl FnOnce() -> Result<Loan<'a>>) -> Self {
        let loan = if size == Some(0) {
            Err(Error::with(ErrorKind::InvalidRequest, "pieces of 0 bytes never end")
                .remedied("give a size of at least 1, or `None` for pieces as they arrive"))
        } else {
            lend()
        };
        let (loan, error) = apart(loan);
        Self { loan, size, buffer: BytesMut::new(), room: Room::default(), error }
    }

    /// Pieces as text, in the [encoding](crate::Response::encoding) of the response; UTF-8 if it
    /// has none.
    /// Where that is ISO-8859-1 only since nothing says another, it is UTF-8 for as long as that is
    /// valid. A byte order mark beats both, and is left out. What is not valid becomes U+FFFD; a
    /// character that is split between two pieces comes with the second.
    ///
    /// ```
    /// # let r = bequest::Response::builder().body("caf\u{e9}").build()?;
    /// let text: String = r.iter_content(4).decode_unicode().collect::<Result<_, _>>()?;
    /// assert_eq!(text, "caf\u{e9}");
    /// # Ok::<(), bequest::Error>(())
    /// ```
    pub fn decode_unicode(self) -> DecodedContent<'a> {
        DecodedContent::new(self)
    }

    /// The charset that a byte order mark says. An error comes with the next piece.
    pub(super) fn poll_mark(&mut self, context: &mut Context<'_>) -> Poll<Option<Charset>> {
        let Some(loan) = &mut self.loan else { return Poll::Ready(None) };
        Poll::Ready(ready!(loan.poll_mark(context)).unwrap_or_else(|error| {
            self.fail(error);
            None
        }))
    }

    /// The body, while there is more of it.
    pub(super) fn loan(&mut self) -> Option<&mut Loan<'a>> {
        self.loan.as_mut()
    }

    /// The next piece; what was read of it is kept meanwhile.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if self.loan.is_none() {
            return Poll::Ready(self.rest());
        }
        Poll::Ready(match ready!(self.poll_piece(context)) {
            Ok(Some(piece)) => Some(Ok(piece)),
            Ok(None) => {
                self.loan = None;
                None
            }
            Err(error) => {
                self.fail(error);
                self.rest()
            }
        })
    }

    /// `None` at the end.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let Some(loan) = &mut self.loan else { return Poll::Ready(Ok(None)) };
        loan.begin();
        if self.size.is_none()
            && self.buffer.is_empty()
            && let Some(chunk) = loan.poll_chunk(context)
        {
            let chunk = ready!(chunk)?;
            return Poll::Ready(Ok((!chunk.is_empty()).then(|| compact(chunk))));
        }
        let wanted = self.size.unwrap_or(usize::MAX);
        while self.buffer.len() < wanted {
            // Room for a large piece is made as it fills.
            let most = (wanted - self.buffer.len()).min(self.room.size());
            let count = ready!(loan.poll_read_more(context, &mut self.buffer, most))?;
            self.room.used(count, most);
            if count == 0 || self.size.is_none() {
                break;
            }
        }
        let length = self.buffer.len();
        Poll::Ready(Ok((length > 0).then(|| take(&mut self.buffer, length))))
    }

    /// Nothing is read after this.
    pub(super) fn fail(&mut self, error: Error) {
        if let Some(mut loan) = self.loan.take() {
            loan.fail(&error);
        }
        self.error = Some(error);
    }

    /// What comes when nothing more is read.
    fn rest(&mut self) -> Option<Result<Bytes>> {
        match self.buffer.len() {
            0 => self.error.take().map(Err),
            length => Some(Ok(take(&mut self.buffer, length))),
        }
    }
}

impl Iterator for IterContent<'_> {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match reactor::block_on_poll(|context| self.poll_next(context)) {
                Ok(next) => return next,
                Err(interrupted) => self.fail(interrupted),
            }
        }
    }
}

impl Drop for IterContent<'_> {
    /// What was read of a piece that nobody has waited for.
    fn drop(&mut self) {
        if let Some(loan) = &mut self.loan {
            loan.give_back(std::mem::take(&mut self.buffer));
        }
    }
}

impl std::fmt::Debug for IterContent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IterContent").field("size", &self.size).finish_non_exhaustive()
    }
}
