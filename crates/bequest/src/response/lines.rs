//! A body in lines, or in records.

use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use super::decoded::DecodedLines;
use super::loan::{Loan, apart};
use super::room::{Room, take};
use super::splitter::Splitter;
use crate::charset::Charset;
use crate::error::{Error, ErrorKind, Result};
use crate::reactor;

/// What [`Response::iter_lines`](crate::Response::iter_lines) makes: lines without their
/// ends. After an error it is over.
pub struct IterLines<'a> {
    /// `None` once there is no more.
    loan: Option<Loan<'a>>,
    /// What comes then.
    error: Option<Error>,
    /// What was read and is not a whole line yet.
    buffer: BytesMut,
    splitter: Splitter,
    room: Room,
    limit: u64,
}

impl<'a> IterLines<'a> {
    pub(super) fn new(loan: Result<Loan<'a>>) -> Self {
        let (mut loan, error) = apart(loan);
        let limit = loan.as_ref().and_then(|loan| loan.response().0.head.max_content);
        Self {
            buffer: loan.as_mut().map(Loan::take_pending).unwrap_or_default(),
            loan,
            error,
            splitter: Splitter::lines(),
            room: Room::default(),
            limit: limit.unwrap_or(u64::MAX),
        }
    }

    /// Ends records at these bytes in place of line ends. What is between the last delimiter and
    /// the end of the body is a record too, unless it is empty.
    ///
    /// ```
    /// # let r = bequest::Response::builder().body("a\x1eb\nc\x1e").build()?;
    /// let records: Vec<_> = r.iter_lines().delimiter("\x1e").collect::<Result<_, _>>()?;
    /// assert_eq!(records, ["a", "b\nc"]);
    /// # Ok::<(), bequest::Error>(())
    /// ```
    ///
    /// An empty delimiter is [`ErrorKind::InvalidRequest`].
    #[must_use]
    pub fn delimiter(mut self, delimiter: impl AsRef<[u8]>) -> Self {
        match Splitter::records(delimiter.as_ref()) {
            Ok(splitter) => {
                self.leave_out_line_feed();
                self.splitter = splitter;
            }
            Err(error) => {
                self.give_back();
                (self.loan, self.error) = (None, Some(error));
            }
        }
        self
    }

    /// Lines as text, in the [encoding](crate::Response::encoding) of the response; UTF-8 if it
    /// has none.
    /// Where that is ISO-8859-1 only since nothing says another, a line that is valid UTF-8 is
    /// UTF-8. A byte order mark beats both, and is left out. What is not valid becomes U+FFFD.
    ///
    /// ```
    /// # let r = bequest::Response::builder().body("caf\u{e9}\nth\u{e9}\n").build()?;
    /// let lines: Vec<String> = r.iter_lines().decode_unicode().collect::<Result<_, _>>()?;
    /// assert_eq!(lines, ["caf\u{e9}", "th\u{e9}"]);
    /// # Ok::<(), bequest::Error>(())
    /// ```
    pub fn decode_unicode(self) -> DecodedLines<'a> {
        DecodedLines::new(self)
    }

    /// Has characters of more than one byte, so that their bytes are no line ends.
    pub(super) fn widen(&mut self, width: usize, big_endian: bool) {
        self.splitter.widen(width, big_endian);
    }

    /// Sees to it that an LF behind the CR of the last line is no part of what follows.
    fn leave_out_line_feed(&mut self) {
        if let (Some(loan), Some(line_feed)) = (&mut self.loan, self.splitter.line_feed()) {
            loan.leave_out(line_feed);
        }
    }

    fn give_back(&mut self) {
        if let Some(loan) = &mut self.loan {
            loan.give_back(std::mem::take(&mut self.buffer));
        }
        self.leave_out_line_feed();
    }

    /// The charset that a byte order mark says. An error comes with the next line.
    pub(super) fn poll_mark(&mut self, context: &mut Context<'_>) -> Poll<Option<Charset>> {
        let Some(loan) = &mut self.loan else { return Poll::Ready(None) };
        Poll::Ready(ready!(loan.poll_mark(context)).unwrap_or_else(|error| {
            self.fail(error);
            None
        }))
    }

    /// The body, while there is more of it.
    pub(super) fn loan(&self) -> Option<&Loan<'a>> {
        self.loan.as_ref()
    }

    /// The next line; what was read of it is kept meanwhile.
    #[cfg(feature = "async")]
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        match self.at_hand() {
            Some(next) => Poll::Ready(next),
            None => self.poll_line(context).map(|line| self.settle(line)),
        }
    }

    /// What need not be waited for: most lines are here already.
    fn at_hand(&mut self) -> Option<Option<Result<Bytes>>> {
        if self.loan.is_none() {
            return Some(self.error.take().map(Err));
        }
        let line = self.splitter.split(&mut self.buffer)?;
        let checked = self.check(line.len()).map(|()| Some(line));
        Some(self.settle(checked))
    }

    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        loop {
            // What was read may hold all of the line's end but its last byte.
            self.check((self.buffer.len() + 1).saturating_sub(self.splitter.end_length()))?;
            let Some(loan) = &mut self.loan else { return Poll::Ready(Ok(None)) };
            loan.begin();
            let most = self.room.size();
            let count = ready!(loan.poll_read_more(context, &mut self.buffer, most))?;
            self.room.used(count, most);
            if count == 0 {
                let length = self.buffer.len();
                self.check(length)?;
                self.loan = None;
                let rest = (length > 0).then(|| take(&mut self.buffer, length));
                return Poll::Ready(Ok(rest));
            }
            if let Some(line) = self.splitter.split(&mut self.buffer) {
                self.check(line.len())?;
                return Poll::Ready(Ok(Some(line)));
            }
        }
    }

    fn settle(&mut self, line: Result<Option<Bytes>>) -> Option<Result<Bytes>> {
        line.unwrap_or_else(|error| {
            self.fail(error);
            None
        })
        .map(Ok)
        .or_else(|| self.error.take().map(Err))
    }

    /// Nothing is read after this.
    pub(super) fn fail(&mut self, error: Error) {
        if let Some(mut loan) = self.loan.take() {
            loan.fail(&error);
        }
        self.error = Some(error);
    }

    fn check(&self, length: usize) -> Result<()> {
        if length as u64 <= self.limit {
            return Ok(());
        }
        let what = format!("a line is longer than max_content, {} bytes", self.limit);
        Err(Error::with(ErrorKind::TooLarge, what)
            .remedied("raise `.max_content(...)`, or read pieces with `iter_content`"))
    }
}

impl Iterator for IterLines<'_> {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(next) = self.at_hand() {
            return next;
        }
        let line = reactor::block_on_poll(|context| self.poll_line(context));
        self.settle(line.and_then(|line| line))
    }
}

impl Drop for IterLines<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl std::fmt::Debug for IterLines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IterLines").finish_non_exhaustive()
    }
}
