//! Who reads a body, has it: one at a time.

use std::future::poll_fn;
use std::ops::Deref;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::ReadBuf;

use super::decoded::Pieces;
use super::incoming::Live;
use super::{Body, Response, closed, consumed};
use crate::charset::{Charset, mark};
use crate::error::{Error, ErrorKind, Result};
use crate::settings::MAX_CONTENT;

/// The first piece of memory for a body whose length is unknown, or not to be believed yet.
const FIRST: usize = 8 * 1024;
/// How much is read at once.
pub(super) const PIECE: usize = 64 * 1024;

/// A borrowed body. Dropping it gives back what was not read.
pub(super) struct Loan<'a> {
    response: Lender<'a>,
    part: Part,
    /// The bytes as sent are wanted, not the content.
    raw: bool,
}

/// Whose body it is.
enum Lender<'a> {
    Borrowed(&'a Response),
    /// It lives as long as the loan.
    Owned(Box<Response>),
}

impl Deref for Lender<'_> {
    type Target = Response;

    fn deref(&self) -> &Response {
        match self {
            Self::Borrowed(response) => response,
            Self::Owned(response) => response,
        }
    }
}

/// What is lent.
enum Part {
    /// A copy of what was collected; the original stays.
    Copy(Bytes),
    Live(Live),
    /// Read to its end.
    Ended,
    Failed(Error),
}

impl Loan<'static> {
    pub(super) fn own(response: Response, raw: bool) -> Result<Self> {
        let part = lend(&response, raw)?;
        Ok(Self { response: Lender::Owned(Box::new(response)), part, raw })
    }
}

impl<'a> Loan<'a> {
    pub(super) fn take(response: &'a Response) -> Result<Self> {
        Self::take_as(response, false)
    }

    pub(super) fn take_as(response: &'a Response, raw: bool) -> Result<Self> {
        Ok(Self { part: lend(response, raw)?, response: Lender::Borrowed(response), raw })
    }

    /// What the body becomes, in place of being given back.
    pub(super) fn finish(mut self, body: Body) {
        self.part = Part::Ended;
        *self.response.lock() = body;
    }

    pub(super) fn begin(&mut self) {
        if let Part::Live(live) = &mut self.part {
            live.begin(self.raw);
        }
    }

    /// Takes back what was read and not used.
    pub(super) fn give_back(&mut self, rest: BytesMut) {
        if let Part::Live(live) = &mut self.part {
            live.give_back(rest);
        }
    }

    /// What others have given back.
    pub(super) fn take_pending(&mut self) -> BytesMut {
        match &mut self.part {
            Part::Live(live) if live.is_begun() => live.take_pending(),
            _ => BytesMut::new(),
        }
    }

    /// An LF, in these bytes, that comes next belongs to the line before.
    pub(super) fn leave_out(&mut self, line_feed: &'static [u8]) {
        match &mut self.part {
            Part::Live(live) => live.leave_out(line_feed),
            Part::Copy(bytes) if bytes.starts_with(line_feed) => bytes.advance(line_feed.len()),
            _ => {}
        }
    }

    /// The charset that a byte order mark says, which is left out if it comes next and nothing was
    /// read before.
    pub(super) fn poll_mark(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Charset>>> {
        Poll::Ready(Ok(match &mut self.part {
            Part::Copy(bytes) => mark(bytes).map(|(charset, length)| {
                bytes.advance(length);
                charset
            }),
            Part::Live(live) => {
                if !live.is_begun() {
                    live.prepare(self.raw);
                    let looked = ready!(live.poll_mark(context));
                    looked.map_err(|error| self.response.named(error))?;
                    live.begin(self.raw);
                }
                live.marked
            }
            Part::Ended | Part::Failed(_) => None,
        }))
    }

    pub(super) fn response(&self) -> &Response {
        &self.response
    }

    /// What decodes the text of a body that is read in pieces.
    pub(super) fn decoder(&mut self) -> Option<&mut Option<Box<Pieces>>> {
        match &mut self.part {
            Part::Live(live) => Some(&mut live.decoder),
            _ => None,
        }
    }

    /// Nobody reads on after this.
    pub(super) fn fail(&mut self, error: &Error) {
        if matches!(self.part, Part::Live(_)) {
            self.part = Part::Failed(error.again());
        }
    }

    fn remaining(&self) -> Option<u64> {
        match &self.part {
            Part::Copy(bytes) => Some(bytes.len() as u64),
            Part::Live(live) => live.remaining(),
            Part::Ended | Part::Failed(_) => Some(0),
        }
    }

    /// Reads into the free part of `out`; adding nothing is the end.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = out.filled().len();
        let read = match &mut self.part {
            Part::Copy(bytes) => {
                let count = bytes.len().min(out.remaining());
                out.put_slice(&bytes[..count]);
                bytes.advance(count);
                Ok(())
            }
            Part::Ended => Ok(()),
            Part::Failed(error) => Err(error.again()),
            Part::Live(live) => {
                let read = ready!(live.poll_read(context, out));
                self.went_on(read.map(|()| out.filled().len() - before))
            }
        };
        Poll::Ready(read)
    }

    /// The next bytes where they are, if that can be; none is the end.
    pub(super) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Option<Poll<Result<Bytes>>> {
        let Part::Live(live) = &mut self.part else { return None };
        let Poll::Ready(chunk) = live.poll_chunk(context)? else { return Some(Poll::Pending) };
        let (count, chunk) = match chunk {
            Ok(chunk) => (Ok(chunk.len()), chunk),
            Err(error) => (Err(error), Bytes::new()),
        };
        Some(Poll::Ready(self.went_on(count).map(|()| chunk)))
    }

    /// So much was read of a live body; nothing is its end.
    fn went_on(&mut self, read: Result<usize>) -> Result<()> {
        match read {
            Ok(0) => {
                if let Part::Live(live) = &mut self.part
                    && let Some(trailers) = live.take_trailers()
                {
                    let _ = self.response.0.trailers.set(trailers);
                }
                self.part = Part::Ended;
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.response.named(error);
                self.part = Part::Failed(error.again());
                Err(error)
            }
        }
    }

    /// Reads more behind what `buffer` holds; says how much. Zero is the end.
    #[allow(unsafe_code)] // For what zeros would cost, see `reactor::socket`.
    pub(super) fn poll_read_more(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut BytesMut,
        most: usize,
    ) -> Poll<Result<usize>> {
        buffer.reserve(most);
        let mut out = ReadBuf::uninit(&mut buffer.spare_capacity_mut()[..most]);
        ready!(self.poll_read(context, &mut out))?;
        let count = out.filled().len();
        // SAFETY: `ReadBuf` counts as filled only what was initialised, and it began where the
        // buffer ends; nothing has touched the buffer since.
        unsafe { buffer.set_len(buffer.len() + count) };
        Poll::Ready(Ok(count))
    }

    /// The whole body, if it is not larger than `limit`. Given up half-way, it is as if nothing
    /// had been read.
    pub(super) async fn collect(&mut self, limit: Option<u64>) -> Result<Bytes> {
        let limit = limit.unwrap_or(u64::MAX);
        let announced = self.remaining();
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        // An announced length is believed as far as it has begun to come.
        let first = announced.map_or(FIRST, |length| clamp(length, 4 * PIECE));
        let mut gathered = Gathered::new(self, first);
        let Gathered { loan, content } = &mut gathered;
        // A known length ends where it ends; anything else where a read adds nothing.
        while loan.remaining() != Some(0) {
            let room = content.capacity() - content.len();
            let more =
                loan.remaining().map_or(content.len(), |left| clamp(left, 16 * content.len()));
            let most = if room > 0 { room } else { more };
            poll_fn(|context| loan.poll_read_more(context, content, most)).await?;
            if content.len() as u64 > limit {
                return Err(too_large(limit));
            }
        }
        let content = std::mem::take(content);
        // Room that is not needed is given back where it is much.
        Ok(if content.capacity() > 2 * content.len() + FIRST {
            Bytes::copy_from_slice(&content)
        } else {
            content.freeze()
        })
    }
}

/// A body that is being read to its end. Given up before, it gives back what was read.
struct Gathered<'l, 'a> {
    loan: &'l mut Loan<'a>,
    content: BytesMut,
}

impl<'l, 'a> Gathered<'l, 'a> {
    fn new(loan: &'l mut Loan<'a>, first: usize) -> Self {
        let mut content = loan.take_pending();
        if content.is_empty() {
            content = BytesMut::with_capacity(first);
        }
        Self { loan, content }
    }
}

impl Drop for Gathered<'_, '_> {
    fn drop(&mut self) {
        if let Part::Live(live) = &mut self.loan.part {
            live.give_back(std::mem::take(&mut self.content));
            live.unbegin();
        }
    }
}

/// A loan, or why there is none.
pub(super) fn apart(loan: Result<Loan<'_>>) -> (Option<Loan<'_>>, Option<Error>) {
    match loan {
        Ok(loan) => (Some(loan), None),
        Err(error) => (None, Some(error)),
    }
}

/// Takes the body out of its response.
fn lend(response: &Response, raw: bool) -> Result<Part> {
    let mut body = response.lock();
    match std::mem::replace(&mut *body, Body::Lent) {
        Body::Live(live) if live.allows(raw) => Ok(Part::Live(live)),
        other => {
            let result = match &other {
                Body::Collected(_) if raw && response.is_coded() => Err(was_decoded()),
                Body::Collected(bytes) => Ok(Part::Copy(bytes.clone())),
                Body::Live(_) if raw => Err(was_decoded()),
                Body::Lent => Err(consumed("the body is being read by another")),
                Body::Closed => Err(closed()),
                Body::Failed(error) => Err(error.again()),
                Body::Live(_) | Body::Consumed => Err(consumed("the body was read")),
            };
            *body = other;
            result.map_err(|error| response.named(error))
        }
    }
}

fn was_decoded() -> Error {
    Error::with(ErrorKind::StreamConsumed, "the body was decoded as it was read")
        .remedied("`.stream(true)`, and `raw()` before anything else, give the bytes as sent")
}

fn clamp(length: u64, most: usize) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).min(most)
}

fn too_large(limit: u64) -> Error {
    let error = Error::with(
        ErrorKind::TooLarge,
        format!("the body is larger than max_content, {limit} bytes"),
    );
    if limit == MAX_CONTENT {
        error.remedied("stream it with `.stream(true)`, or raise `.max_content(...)`")
    } else {
        error.remedied("raise `.max_content(...)`, or stream it with `.stream(true)`")
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let body = match std::mem::replace(&mut self.part, Part::Ended) {
            // The response keeps its own.
            Part::Copy(_) => return,
            Part::Live(live) => Body::Live(live),
            Part::Ended => Body::Consumed,
            Part::Failed(error) => Body::Failed(error),
        };
        let mut state = self.response.lock();
        if matches!(*state, Body::Lent) {
            *state = body;
        }
    }
}
