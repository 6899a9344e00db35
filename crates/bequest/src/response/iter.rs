//! A body in pieces.

use bytes::{Bytes, BytesMut};

use super::Response;
use super::decoded::DecodedContent;
use super::loan::Loan;
use super::room::{Room, take};
use crate::charset::Charset;
use crate::error::{Error, ErrorKind, Result};
use crate::reactor;

/// What [`Response::iter_content`] makes: pieces of the body. After an error it is over.
pub struct IterContent<'a> {
    loan: Option<Result<Loan<'a>>>,
    size: Option<usize>,
    buffer: BytesMut,
    room: Room,
    /// Comes when the bytes before it have been given out.
    error: Option<Error>,
    pub(super) response: &'a Response,
}

impl<'a> IterContent<'a> {
    pub(super) fn new(response: &'a Response, size: Option<usize>) -> Self {
        let loan = if size == Some(0) {
            Err(Error::with(ErrorKind::InvalidRequest, "pieces of 0 bytes never end")
                .remedied("give a size of at least 1, or `None` for pieces as they arrive"))
        } else {
            Loan::take(response)
        };
        Self {
            loan: Some(loan),
            size,
            buffer: BytesMut::new(),
            room: Room::default(),
            error: None,
            response,
        }
    }

    /// Pieces as text, in the [encoding](Response::encoding) of the response; UTF-8 if it has none.
    /// Where that is ISO-8859-1 only since nothing says another, it is UTF-8 for as long as that is
    /// valid. A byte order mark beats both, and is left out. What is not valid becomes U+FFFD; a character that is split between two pieces comes
    /// with the second.
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
    pub(super) fn mark(&mut self) -> Option<Charset> {
        let Some(Ok(loan)) = &mut self.loan else { return None };
        match reactor::block_on(loan.mark()) {
            Ok(marked) => marked,
            Err(error) => {
                loan.fail(&error);
                self.loan = Some(Err(error));
                None
            }
        }
    }

    /// The body, while there is more of it.
    pub(super) fn loan(&mut self) -> Option<&mut Loan<'a>> {
        self.loan.as_mut()?.as_mut().ok()
    }

    /// The next piece; `None` at the end.
    async fn next_piece(&mut self) -> Result<Option<Bytes>> {
        let Some(Ok(loan)) = &mut self.loan else { return Ok(None) };
        loan.begin();
        let wanted = self.size.unwrap_or(usize::MAX);
        while self.buffer.len() < wanted {
            // Room for a large piece is made as it fills.
            let most = (wanted - self.buffer.len()).min(self.room.size());
            let count = loan.read_more(&mut self.buffer, most).await?;
            self.room.used(count, most);
            if count == 0 || self.size.is_none() {
                break;
            }
        }
        let length = self.buffer.len();
        Ok((length > 0).then(|| take(&mut self.buffer, length)))
    }
}

impl Iterator for IterContent<'_> {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        if self.loan.as_ref()?.is_err() {
            return self.loan.take()?.err().map(Err);
        }
        let piece = reactor::block_on(self.next_piece());
        match piece {
            Ok(Some(piece)) => return Some(Ok(piece)),
            Ok(None) => self.loan = None,
            Err(error) => {
                if let Some(Ok(mut loan)) = self.loan.take() {
                    loan.fail(&error);
                }
                if self.buffer.is_empty() {
                    return Some(Err(error));
                }
                // What came before is not lost.
                self.error = Some(error);
                let length = self.buffer.len();
                return Some(Ok(take(&mut self.buffer, length)));
            }
        }
        None
    }
}

impl std::fmt::Debug for IterContent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IterContent").field("size", &self.size).finish_non_exhaustive()
    }
}
