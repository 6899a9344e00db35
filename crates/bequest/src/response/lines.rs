//! A body in lines, or in records.

use bytes::{Bytes, BytesMut};

use super::Response;
use super::decoded::DecodedLines;
use super::loan::Loan;
use super::room::{Room, take};
use super::splitter::Splitter;
use crate::charset::Charset;
use crate::error::{Error, ErrorKind, Result};
use crate::reactor;

/// What [`Response::iter_lines`] makes: lines without their ends. After an error it is over.
pub struct IterLines<'a> {
    loan: Option<Result<Loan<'a>>>,
    /// What was read and is not a whole line yet.
    buffer: BytesMut,
    splitter: Splitter,
    room: Room,
    limit: u64,
    pub(super) response: &'a Response,
}

impl<'a> IterLines<'a> {
    pub(super) fn new(response: &'a Response) -> Self {
        let mut loan = Loan::take(response);
        Self {
            buffer: loan.as_mut().map(Loan::take_pending).unwrap_or_default(),
            loan: Some(loan),
            splitter: Splitter::lines(),
            room: Room::default(),
            limit: response.0.head.max_content.unwrap_or(u64::MAX),
            response,
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
            Err(error) => self.loan = Some(Err(error)),
        }
        self
    }

    /// Lines as text, in the [encoding](Response::encoding) of the response; UTF-8 if it has none.
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
        if let (Some(Ok(loan)), Some(line_feed)) = (&mut self.loan, self.splitter.line_feed()) {
            loan.leave_out(line_feed);
        }
    }

    /// The charset that a byte order mark says. An error comes with the next line.
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

    fn next_line(&mut self) -> Result<Option<Bytes>> {
        // Most lines are here already.
        match self.splitter.split(&mut self.buffer) {
            Some(line) => self.check(line.len()).map(|()| Some(line)),
            None => reactor::block_on(self.read_line()),
        }
    }

    async fn read_line(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(line) = self.splitter.split(&mut self.buffer) {
                self.check(line.len())?;
                return Ok(Some(line));
            }
            // What was read may hold all of the line's end but its last byte.
            self.check((self.buffer.len() + 1).saturating_sub(self.splitter.end_length()))?;
            let Some(Ok(loan)) = &mut self.loan else { return Ok(None) };
            loan.begin();
            let most = self.room.size();
            let count = loan.read_more(&mut self.buffer, most).await?;
            self.room.used(count, most);
            if count == 0 {
                let length = self.buffer.len();
                self.check(length)?;
                self.loan = None;
                return Ok((length > 0).then(|| take(&mut self.buffer, length)));
            }
        }
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
        if self.loan.as_ref()?.is_err() {
            return self.loan.take()?.err().map(Err);
        }
        match self.next_line() {
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
        }
        self.leave_out_line_feed();
    }
}

impl std::fmt::Debug for IterLines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IterLines").finish_non_exhaustive()
    }
}
