//! A body that is decoded as it is read.

use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use super::{Broken, Decode, failed};
use crate::error::{Error, Result};
use crate::headers::Headers;
use crate::response::incoming::Incoming;

/// The most that one read decodes.
const MOST_OUT: usize = 64 * 1024;
/// How much is read of the coded body at once.
const PIECE: usize = 32 * 1024;
/// The least that is worth reading at once; a body may be smaller.
const LEAST: usize = 512;
/// After so much of it without anything else coming of it, others get a turn.
const TURN: usize = 1 << 20;
/// So much that decodes to nothing at all is an attack: empty gzip members, for one, which may
/// have been made from almost nothing by another coding of the chain.
const MOST_FRUITLESS: usize = 16 << 20;
/// How much is skipped behind the end of the data, where that is ignored, before the connection is
/// given up.
const MOST_SKIPPED: usize = 64 * 1024;

/// One coding of a body, over the body or over the next coding.
pub(super) struct Stage {
    /// The coding's.
    name: &'static str,
    decoder: Box<dyn Decode>,
    source: Box<dyn Incoming>,
    /// What was read and not yet decoded: `start..end` of it.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// The last push filled its output: there may be more without more input.
    more: bool,
    begun: bool,
    ended: bool,
    /// How much has decoded to nothing since something came.
    fruitless: usize,
    skipped: usize,
}

impl Stage {
    pub(super) fn new(
        name: &'static str,
        decoder: Box<dyn Decode>,
        source: Box<dyn Incoming>,
    ) -> Self {
        Self {
            name,
            decoder,
            source,
            input: Vec::new(),
            start: 0,
            end: 0,
            more: false,
            begun: false,
            ended: false,
            fruitless: 0,
            skipped: 0,
        }
    }

    /// Reads more of the coded body; says how much. Zero is its end.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<Result<usize>> {
        if self.input.is_empty() {
            let expected = self.source.remaining().unwrap_or(PIECE as u64);
            let size = usize::try_from(expected).unwrap_or(PIECE).clamp(LEAST, PIECE);
            self.input = vec![0; size];
        }
        let mut room = ReadBuf::new(&mut self.input);
        ready!(self.source.poll_read(context, &mut room))?;
        (self.start, self.end) = (0, room.filled().len());
        Poll::Ready(Ok(self.end))
    }

    /// Decodes what is there; says how much came of it.
    fn push(&mut self, out: &mut ReadBuf<'_>) -> Result<usize> {
        let most = out.remaining().min(MOST_OUT);
        let input = &self.input[self.start..self.end];
        let room = out.initialize_unfilled_to(most);
        let pushed = self.decoder.push(input, room).map_err(|broken| self.broken(broken))?;
        let stuck = pushed.consumed == 0 && pushed.produced == 0 && !pushed.ended;
        if stuck && !input.is_empty() {
            return Err(self.broken(Broken::new("it makes no progress")));
        }
        out.advance(pushed.produced);
        self.start += pushed.consumed;
        self.more = pushed.produced == most;
        self.ended = pushed.ended;
        self.fruitless = match pushed.produced {
            0 => self.fruitless + pushed.consumed,
            _ => 0,
        };
        if self.fruitless > MOST_FRUITLESS {
            let what = format!("more than {MOST_FRUITLESS} bytes of it decode to nothing");
            return Err(self.broken(Broken(what)));
        }
        Ok(pushed.produced)
    }

    /// Reads to the end of the body behind the end of the data, so that the connection can be used
    /// again.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if self.start < self.end && !self.decoder.ignores_rest() {
                let what = Broken::new("something follows the end of its data");
                return Poll::Ready(Err(self.broken(what)));
            }
            self.skipped += self.end - self.start;
            if self.skipped > MOST_SKIPPED || ready!(self.poll_fill(context))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn broken(&self, Broken(what): Broken) -> Error {
        failed(format!("the body's {} coding is broken: {what}", self.name))
    }
}

impl Incoming for Stage {
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let mut done = 0;
        loop {
            if self.ended {
                return self.poll_rest(context);
            }
            if self.start < self.end || self.more {
                if done > TURN {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                self.source.check()?;
                let before = self.start;
                if self.push(out)? > 0 {
                    return Poll::Ready(Ok(()));
                }
                done += self.start - before;
            } else if ready!(self.poll_fill(context))? > 0 {
                self.begun = true;
            } else if self.begun && !self.decoder.is_whole() {
                let what = Broken::new("the body ends within its data");
                return Poll::Ready(Err(self.broken(what)));
            } else {
                self.ended = true;
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn check(&self) -> Result<()> {
        self.source.check()
    }

    fn take_trailers(&mut self) -> Option<Headers> {
        self.source.take_trailers()
    }
}

/// A body whose codings can't be undone.
pub(super) struct Refused(pub(super) Error);

impl Incoming for Refused {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Poll::Ready(Err(self.0.again()))
    }
}
