//! A body of several pieces, one after the other.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::boundary::Watch;
use crate::body::source::{Lease, Piece, Source, Streamed};
use crate::error::{Error, ErrorKind, Result};

/// One piece.
pub(super) enum Segment {
    Bytes(Bytes),
    Streamed { part: Box<str>, source: Arc<Streamed> },
}

impl Segment {
    pub(super) fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Streamed { .. } => None,
        }
    }

    /// Whether it is read from the same source.
    pub(super) fn shares(&self, other: &Streamed) -> bool {
        matches!(self, Self::Streamed { source, .. } if source.shares(other))
    }
}

/// Gives the segments in order, as many at once as there is room for.
pub(crate) struct Segments {
    segments: Arc<[Segment]>,
    /// For each of the sources that are streamed.
    watch: Option<Watch>,
    at: usize,
    /// How much of the current segment was given, if it is bytes.
    given: usize,
    /// The current segment, if it is streamed and was begun.
    open: Option<Open>,
}

/// A source that is being read.
struct Open {
    lease: Lease,
    /// What was announced, and what is still to come of it.
    left: Option<(u64, u64)>,
    watch: Option<Watch>,
}

impl Segments {
    pub(super) fn new(segments: Vec<Segment>, watch: Option<Watch>) -> Self {
        Self { segments: segments.into(), watch, at: 0, given: 0, open: None }
    }

    /// The same from the beginning. Whether the sources can begin anew, they say when they are asked.
    pub(in crate::body) fn afresh(&self) -> Self {
        let (segments, watch) = (Arc::clone(&self.segments), self.watch.clone());
        Self { segments, watch, at: 0, given: 0, open: None }
    }

    fn sources(&self) -> impl Iterator<Item = &Arc<Streamed>> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Bytes(_) => None,
            Segment::Streamed { source, .. } => Some(source),
        })
    }

    pub(in crate::body) fn is_rewindable(&self) -> bool {
        self.sources().all(|source| source.is_rewindable())
    }

    /// Refuses what can't be sent, before anything is.
    pub(in crate::body) fn check(&self) -> Result<()> {
        self.sources().try_for_each(|source| source.check())
    }

    #[inline]
    pub(in crate::body) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<Piece>> {
        if let Some(open) = &mut self.open
            && let Some(count) = open.read_within(room)
        {
            return Poll::Ready(Ok(Piece::Read(count)));
        }
        self.poll_fill(context, room)
    }

    #[inline(never)]
    fn poll_fill(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<Piece>> {
        let mut filled = 0;
        while filled < room.len() {
            match self.segments.get(self.at) {
                None => break,
                Some(Segment::Bytes(bytes)) => {
                    let rest = &bytes[self.given..];
                    if filled == 0 && rest.len() >= room.len() {
                        let chunk = bytes.slice(self.given..);
                        self.step();
                        return Poll::Ready(Ok(Piece::Chunk(chunk)));
                    }
                    let count = rest.len().min(room.len() - filled);
                    room[filled..filled + count].copy_from_slice(&rest[..count]);
                    filled += count;
                    self.given += count;
                    if count == rest.len() {
                        self.step();
                    }
                }
                Some(Segment::Streamed { part, source }) => {
                    let open = match &mut self.open {
                        Some(open) => open,
                        none => none.insert(Open::new(source, self.watch.clone())?),
                    };
                    // What may wait, or brings bytes of its own, comes when nothing waits for it.
                    if filled > 0 && !open.is_file() {
                        break;
                    }
                    match ready!(open.poll_next(context, part, &mut room[filled..]))? {
                        Piece::Read(count) if open.is_file() => filled += count,
                        Piece::End => self.step(),
                        piece => return Poll::Ready(Ok(piece)),
                    }
                }
            }
        }
        Poll::Ready(Ok(if filled > 0 { Piece::Read(filled) } else { Piece::End }))
    }

    fn step(&mut self) {
        (self.at, self.given, self.open) = (self.at + 1, 0, None);
    }
}

impl Open {
    fn new(source: &Arc<Streamed>, watch: Option<Watch>) -> io::Result<Self> {
        let lease = source.lend().map_err(io::Error::other)?;
        Ok(Self { lease, left: source.length.map(|length| (length, length)), watch })
    }

    /// Nearly all of a large file is read here, for as little as a file alone: in the midst of it, there
    /// is nothing to decide. What is not so simple is `None`.
    #[inline]
    fn read_within(&mut self, room: &mut [u8]) -> Option<usize> {
        let (Some(Source::File { file, .. }), Some((_, left)), None) =
            (&mut self.lease.source, &mut self.left, &self.watch)
        else {
            return None;
        };
        if *left < room.len() as u64 {
            return None;
        }
        // An end or an error comes again when `next` asks.
        let Ok(count @ 1..) = file.read(room) else { return None };
        *left -= count as u64;
        Some(count)
    }

    fn is_file(&self) -> bool {
        matches!(self.lease.source, Some(Source::File { .. }))
    }

    /// The next piece, kept to the length that was announced: one byte more is asked for, to notice
    /// that there is more; but not of what might never end.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        part: &str,
        room: &mut [u8],
    ) -> Poll<io::Result<Piece>> {
        let Some(source) = &mut self.lease.source else { return Poll::Ready(Ok(Piece::End)) };
        let most = match self.left {
            Some((_, 0)) if !source.has_an_end() => return Poll::Ready(Ok(Piece::End)),
            Some((_, left)) => usize::try_from(left.saturating_add(1)).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let most = most.min(room.len());
        let piece = ready!(source.poll_next(context, &mut room[..most]));
        let piece = piece.map_err(|error| failed(part, error))?;
        Poll::Ready(self.took(part, room, piece))
    }

    fn took(&mut self, part: &str, room: &[u8], piece: Piece) -> io::Result<Piece> {
        let bytes = match &piece {
            Piece::Read(count) => &room[..*count],
            Piece::Chunk(chunk) => chunk,
            Piece::End => &[],
        };
        if let Some(watch) = &mut self.watch {
            watch.look(part, bytes).map_err(io::Error::other)?;
        }
        let count = bytes.len() as u64;
        let Some((length, left)) = &mut self.left else { return Ok(piece) };
        match left.checked_sub(count) {
            Some(rest) if count > 0 || rest == 0 => *left = rest,
            Some(rest) => {
                let what =
                    format!("ended after {} of the {length} bytes announced", *length - rest);
                return Err(mismatch(part, &what));
            }
            None => {
                let what = format!("gives more than the {length} bytes announced");
                return Err(mismatch(part, &what));
            }
        }
        Ok(piece)
    }
}

fn failed(part: &str, error: io::Error) -> io::Error {
    // A part that is another response, or a form, keeps the error that it had.
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        return error;
    }
    let what = format!("the source of the part `{}` failed", part.escape_debug());
    io::Error::other(Error::with(ErrorKind::Io, what).because(error))
}

fn mismatch(part: &str, what: &str) -> io::Error {
    let what = format!("the source of the part `{}` {what}", part.escape_debug());
    io::Error::other(Error::with(ErrorKind::LengthMismatch, what))
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segments({})", self.segments.len())
    }
}
