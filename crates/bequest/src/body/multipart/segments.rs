//! A body of several pieces, one after the other.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::body::source::{Lease, Piece, Source, Streamed};
use crate::error::{Error, ErrorKind, Result};

/// One piece.
pub(super) enum Segment {
    Bytes(Bytes),
    Streamed { part: Box<str>, source: Arc<Streamed> },
}

/// Gives the segments in order, as many at once as there is room for.
pub(crate) struct Segments {
    segments: Vec<Segment>,
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
}

impl Segments {
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        Self { segments, at: 0, given: 0, open: None }
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

    /// Begins anew; whether the sources can, they say when they are asked.
    pub(in crate::body) fn rewind(&mut self) {
        self.go_to(0);
    }

    /// Refuses what can't be sent, before anything is.
    pub(in crate::body) fn check(&self) -> Result<()> {
        self.sources().try_for_each(|source| source.check())
    }

    pub(in crate::body) fn next(&mut self, room: &mut [u8]) -> io::Result<Piece> {
        let mut filled = 0;
        while filled < room.len() {
            match self.segments.get(self.at) {
                None => break,
                Some(Segment::Bytes(bytes)) => {
                    let rest = &bytes[self.given..];
                    if filled == 0 && rest.len() >= room.len() {
                        let chunk = bytes.slice(self.given..);
                        self.step();
                        return Ok(Piece::Chunk(chunk));
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
                        none => none.insert(Open::new(source)?),
                    };
                    // What may wait, or brings bytes of its own, comes when nothing waits for it.
                    if filled > 0 && !open.is_file() {
                        break;
                    }
                    match open.next(part, &mut room[filled..])? {
                        Piece::Read(count) if open.is_file() => filled += count,
                        Piece::End => self.step(),
                        piece => return Ok(piece),
                    }
                }
            }
        }
        Ok(if filled > 0 { Piece::Read(filled) } else { Piece::End })
    }

    fn step(&mut self) {
        self.go_to(self.at + 1);
    }

    fn go_to(&mut self, at: usize) {
        (self.at, self.given, self.open) = (at, 0, None);
    }
}

impl Open {
    fn new(source: &Arc<Streamed>) -> io::Result<Self> {
        let lease = source.lend().map_err(io::Error::other)?;
        Ok(Self { lease, left: source.length.map(|length| (length, length)) })
    }

    fn is_file(&self) -> bool {
        matches!(self.lease.source, Some(Source::File { .. }))
    }

    /// The next piece, kept to the length that was announced: one byte more is asked for, to notice
    /// that there is more; but not of what might never end.
    fn next(&mut self, part: &str, room: &mut [u8]) -> io::Result<Piece> {
        let Some(source) = &mut self.lease.source else { return Ok(Piece::End) };
        let most = match self.left {
            Some((_, 0)) if !source.has_an_end() => return Ok(Piece::End),
            Some((_, left)) => usize::try_from(left.saturating_add(1)).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let most = most.min(room.len());
        let piece = source.next(&mut room[..most]).map_err(|error| failed(part, error))?;
        let count = match &piece {
            Piece::Read(count) => *count as u64,
            Piece::Chunk(chunk) => chunk.len() as u64,
            Piece::End => 0,
        };
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
