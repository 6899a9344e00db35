//! A body that is still to be read.

use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::ReadBuf;

use super::decode::Codings;
use super::decoded::Pieces;
use crate::charset::{Charset, mark};
use crate::error::Result;
use crate::headers::Headers;

/// Where a body comes from: a connection, or an adapter's own source.
pub(crate) trait Incoming: Send {
    /// Reads into the free part of `out`, which is not empty. Adding nothing is the end.
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<()>>;

    /// The next bytes where they are, without a copy; none is the end. `None` from a source that has
    /// to be given memory.
    fn poll_chunk(&mut self, _: &mut Context<'_>) -> Option<Poll<Result<Bytes>>> {
        None
    }

    /// How many bytes are still to come, where that is known.
    fn remaining(&self) -> Option<u64> {
        None
    }

    /// Whether reading may go on; asked where much is made of what was read before.
    #[cfg(feature = "compression")]
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The fields behind the body, after its end.
    fn take_trailers(&mut self) -> Option<Headers> {
        None
    }
}

/// The byte order marks; one more is the beginning of the third.
const MARKS: [&[u8]; 4] = [b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff"];

/// What a body is read as.
pub(super) enum Form {
    /// What was sent; it was not coded.
    Same,
    /// It is coded, and not begun.
    Coded(Box<Codings>),
    /// Decoded.
    Content,
    /// The bytes as sent, of a body that is coded.
    Raw,
}

/// An incoming body, and what was read of it but not used.
pub(crate) struct Live {
    incoming: Box<dyn Incoming>,
    /// Given back by an iterator or a reader.
    pending: BytesMut,
    form: Form,
    begun: bool,
    /// The last line that was given out ended in CR. An LF that follows, which in its charset is
    /// these bytes, belongs to it; empty otherwise.
    line_feed: &'static [u8],
    /// What a byte order mark said, which was left out.
    pub(super) marked: Option<Charset>,
    /// Decodes on where a reader of text stopped; whoever reads bytes ends that.
    pub(super) decoder: Option<Box<Pieces>>,
}

impl Live {
    pub(crate) fn new(incoming: impl Incoming + 'static) -> Self {
        Self {
            incoming: Box::new(incoming),
            pending: BytesMut::new(),
            form: Form::Same,
            begun: false,
            line_feed: b"",
            marked: None,
            decoder: None,
        }
    }

    /// One of nothing.
    pub(crate) fn empty() -> Self {
        Self::new(Nothing)
    }

    /// Its content is coded in these; nothing was read yet.
    pub(super) fn code(&mut self, codings: Codings) {
        self.form = Form::Coded(Box::new(codings));
    }

    /// Whether somebody has had a part of it.
    pub(super) fn is_begun(&self) -> bool {
        self.begun
    }

    /// What it is read as from now on, if it was not begun: its content, or the bytes as sent.
    pub(super) fn begin(&mut self, raw: bool) {
        self.prepare(raw);
        self.begun = true;
    }

    /// Nobody has had any of what was read of it.
    pub(super) fn unbegin(&mut self) {
        self.begun = false;
    }

    /// The same, while nobody has had a part of it.
    pub(super) fn prepare(&mut self, raw: bool) {
        if matches!(self.form, Form::Coded(_)) {
            let form = if raw { Form::Raw } else { Form::Content };
            if let (Form::Coded(codings), false) = (std::mem::replace(&mut self.form, form), raw) {
                let body = std::mem::replace(&mut self.incoming, Box::new(Nothing));
                self.incoming = codings.undo(body);
            }
        }
    }

    /// Whether it can still be read so, after what was read of it.
    pub(super) fn allows(&self, raw: bool) -> bool {
        match self.form {
            Form::Content => !raw,
            Form::Raw => raw,
            _ => true,
        }
    }

    /// Takes back what was read and not used; it comes first next time.
    pub(super) fn give_back(&mut self, mut rest: BytesMut) {
        if !rest.is_empty() {
            rest.extend_from_slice(&self.pending);
            self.pending = rest;
        }
    }

    /// Gives all that was given back to a reader that can hold any amount, without a copy.
    pub(super) fn take_pending(&mut self) -> BytesMut {
        self.stop_decoding();
        if self.line_feed.is_empty() { std::mem::take(&mut self.pending) } else { BytesMut::new() }
    }

    /// The beginning of a character comes next.
    fn stop_decoding(&mut self) {
        if let Some(decoder) = self.decoder.take() {
            self.give_back(BytesMut::from(&decoder.begun[..]));
        }
    }

    /// If these bytes come next, nobody sees them.
    pub(super) fn leave_out(&mut self, line_feed: &'static [u8]) {
        self.line_feed = line_feed;
    }

    fn poll_leave_out(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while self.pending.len() < self.line_feed.len() {
            if ready!(self.poll_more(context))? == 0 {
                break;
            }
        }
        if self.pending.starts_with(self.line_feed) {
            self.pending.advance(self.line_feed.len());
        }
        self.line_feed = b"";
        Poll::Ready(Ok(()))
    }

    /// Leaves out a byte order mark that comes next.
    pub(super) fn poll_mark(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while MARKS
            .iter()
            .any(|mark| mark.len() > self.pending.len() && mark.starts_with(&self.pending))
        {
            if ready!(self.poll_more(context))? == 0 {
                break;
            }
        }
        if let Some((charset, length)) = mark(&self.pending) {
            self.marked = Some(charset);
            self.pending.advance(length);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads a little, to look at it; says how much.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<Result<usize>> {
        let mut room = [0; 512];
        let mut out = ReadBuf::new(&mut room);
        ready!(self.incoming.poll_read(context, &mut out))?;
        self.pending.extend_from_slice(out.filled());
        Poll::Ready(Ok(out.filled().len()))
    }

    pub(super) fn remaining(&self) -> Option<u64> {
        Some(self.incoming.remaining()? + self.pending.len() as u64)
    }

    pub(super) fn take_trailers(&mut self) -> Option<Headers> {
        self.incoming.take_trailers()
    }

    /// The next bytes where they are, if that can be.
    pub(super) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Option<Poll<Result<Bytes>>> {
        let is_plain = self.pending.is_empty() && self.line_feed.is_empty();
        (is_plain && self.decoder.is_none()).then(|| self.incoming.poll_chunk(context))?
    }

    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        self.stop_decoding();
        if !self.line_feed.is_empty() {
            ready!(self.poll_leave_out(context))?;
        }
        if self.pending.is_empty() {
            return self.incoming.poll_read(context, out);
        }
        let count = out.remaining().min(self.pending.len());
        out.put_slice(&self.pending[..count]);
        self.pending.advance(count);
        Poll::Ready(Ok(()))
    }
}

/// Stands where a body was taken out, or where there is none.
struct Nothing;

impl Incoming for Nothing {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn remaining(&self) -> Option<u64> {
        Some(0)
    }
}
