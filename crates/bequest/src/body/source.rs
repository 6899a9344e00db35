//! What a streamed body is read from.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard};
#[cfg(any(test, feature = "digest"))]
use std::task::Waker;
use std::task::{Context, Poll};

use bytes::Bytes;

#[cfg(feature = "async")]
use super::awaited::Awaited;
#[cfg(feature = "multipart")]
use super::multipart::Segments;
use crate::error::{Error, ErrorKind, Result};

/// Where the bytes come from.
pub(crate) enum Source {
    Reader(Box<dyn Read + Send>),
    File {
        file: File,
        start: u64,
    },
    Chunks(Box<dyn Iterator<Item = io::Result<Bytes>> + Send>),
    #[cfg(feature = "async")]
    Awaited(Box<dyn Awaited>),
    #[cfg(feature = "multipart")]
    Segments(Box<Segments>),
}

/// What a source gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// That many bytes in the room that was offered.
    Read(usize),
    /// A chunk of the source's own.
    Chunk(Bytes),
    End,
}

impl Source {
    /// The next piece, where it need not be awaited.
    #[cfg(any(test, feature = "digest"))]
    pub(crate) fn next(&mut self, room: &mut [u8]) -> io::Result<Piece> {
        match self.poll_next(&mut Context::from_waker(Waker::noop()), room) {
            Poll::Ready(piece) => piece,
            Poll::Pending => Err(io::Error::other(Error::with(
                ErrorKind::Unsupported,
                "the body has to be awaited, and is read where nothing can be",
            ))),
        }
    }

    /// The next piece. `room` is for sources that don't bring bytes of their own, and not empty.
    /// All but what is awaited block until they have one.
    #[cfg_attr(
        not(any(feature = "async", feature = "multipart")),
        expect(unused_variables, reason = "nothing is awaited")
    )]
    pub(crate) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<Piece>> {
        Poll::Ready(match self {
            Self::Reader(reader) => read(reader, room),
            Self::File { file, .. } => read(file, room),
            Self::Chunks(chunks) => next_chunk(chunks),
            #[cfg(feature = "async")]
            Self::Awaited(source) => return source.poll_next(context, room),
            #[cfg(feature = "multipart")]
            Self::Segments(segments) => return segments.poll_next(context, room),
        })
    }

    /// Whether it says itself when to ask it again, and never blocks.
    #[cfg(feature = "async")]
    pub(crate) fn is_awaited(&self) -> bool {
        matches!(self, Self::Awaited(_))
    }

    fn is_rewindable(&self) -> bool {
        match self {
            Self::File { .. } => true,
            Self::Reader(_) | Self::Chunks(_) => false,
            #[cfg(feature = "async")]
            Self::Awaited(_) => false,
            #[cfg(feature = "multipart")]
            Self::Segments(segments) => segments.is_rewindable(),
        }
    }

    /// Refuses what can't be sent though it was not sent before.
    fn check(&self) -> Result<()> {
        match self {
            #[cfg(feature = "multipart")]
            Self::Segments(segments) => segments.check(),
            _ => Ok(()),
        }
    }

    /// Whether asking for more than there is can't keep the caller waiting, as a socket would.
    pub(crate) fn has_an_end(&self) -> bool {
        match self {
            Self::Reader(_) => false,
            #[cfg(feature = "async")]
            Self::Awaited(_) => false,
            _ => true,
        }
    }

    fn rewind(&mut self) -> Result<()> {
        match self {
            Self::File { file, start } => {
                file.seek(SeekFrom::Start(*start)).map(drop).map_err(|error| {
                    Error::with(ErrorKind::UnrewindableBody, "the file can't be rewound")
                        .because(error)
                })
            }
            Self::Reader(_) | Self::Chunks(_) => Err(spent()),
            #[cfg(feature = "async")]
            Self::Awaited(_) => Err(spent()),
            #[cfg(feature = "multipart")]
            Self::Segments(_) => Ok(()),
        }
    }
}

fn busy() -> Error {
    Error::with(ErrorKind::UnrewindableBody, "the body is being sent by another request")
}

fn spent() -> Error {
    Error::with(ErrorKind::UnrewindableBody, "the body has been sent, and can be read only once")
        .remedied("send bytes or a file, or make a new body for each request")
}

fn next_chunk(chunks: &mut impl Iterator<Item = io::Result<Bytes>>) -> io::Result<Piece> {
    loop {
        match chunks.next().transpose()? {
            Some(chunk) if chunk.is_empty() => {}
            Some(chunk) => return Ok(Piece::Chunk(chunk)),
            None => return Ok(Piece::End),
        }
    }
}

fn read(reader: &mut impl Read, room: &mut [u8]) -> io::Result<Piece> {
    loop {
        match reader.read(room) {
            Ok(0) => return Ok(Piece::End),
            Ok(count) => return Ok(Piece::Read(count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reader(_) => "Reader",
            Self::File { .. } => "File",
            Self::Chunks(_) => "Chunks",
            #[cfg(feature = "async")]
            Self::Awaited(_) => "Awaited",
            #[cfg(feature = "multipart")]
            Self::Segments(_) => "Segments",
        })
    }
}

/// A source that clones of a body share, and who has it.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(super) length: Option<u64>,
    slot: Arc<Mutex<Slot>>,
}

#[derive(Debug)]
struct Slot {
    /// `None` while it is being sent.
    source: Option<Source>,
    begun: bool,
}

impl Streamed {
    pub(super) fn new(source: Source, length: Option<u64>) -> Self {
        let slot = Slot { source: Some(source), begun: false };
        Self { length, slot: Arc::new(Mutex::new(slot)) }
    }

    pub(super) fn with_length(self, length: u64) -> Self {
        Self { length: Some(length), ..self }
    }

    /// The same source, with a length.
    pub(super) fn sharing(other: &Self, length: u64) -> Self {
        Self { length: Some(length), slot: Arc::clone(&other.slot) }
    }

    pub(super) fn is_rewindable(&self) -> bool {
        let slot = self.lock();
        slot.source.as_ref().is_some_and(Source::is_rewindable)
    }

    /// Whether reading it takes it away.
    #[cfg(feature = "multipart")]
    pub(super) fn is_read_once(&self) -> bool {
        self.lock().source.as_ref().is_some_and(|source| !source.is_rewindable())
    }

    /// Refuses what can't be lent, before anything is done for it.
    pub(crate) fn check(&self) -> Result<()> {
        match &*self.lock() {
            Slot { source: None, .. } => Err(busy()),
            Slot { source: Some(source), begun: true } if !source.is_rewindable() => Err(spent()),
            Slot { source: Some(source), .. } => source.check(),
        }
    }

    /// Whether both read the same.
    #[cfg(feature = "multipart")]
    pub(super) fn shares(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slot, &other.slot)
    }

    /// Lends the source, at its beginning.
    pub(crate) fn lend(self: &Arc<Self>) -> Result<Lease> {
        let mut slot = self.lock();
        // Each reads a form by itself: it is the parts that are lent to one only.
        #[cfg(feature = "multipart")]
        if let Some(Source::Segments(segments)) = &slot.source {
            segments.check()?;
            let source = Some(Source::Segments(Box::new(segments.afresh())));
            return Ok(Lease { source, streamed: Arc::clone(self) });
        }
        let mut source = slot.source.take().ok_or_else(busy)?;
        if std::mem::replace(&mut slot.begun, true)
            && let Err(error) = source.rewind()
        {
            slot.source = Some(source);
            return Err(error);
        }
        Ok(Lease { source: Some(source), streamed: Arc::clone(self) })
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A source that is being sent; dropping it gives the source back.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) source: Option<Source>,
    streamed: Arc<Streamed>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let source = self.source.take();
        #[cfg(feature = "multipart")]
        if matches!(source, Some(Source::Segments(_))) {
            return;
        }
        self.streamed.lock().source = source;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(source: Source) -> Arc<Streamed> {
        Arc::new(Streamed::new(source, None))
    }

    #[test]
    fn what_can_be_read_once_is_lent_once() {
        let streamed = streamed(Source::Reader(Box::new(&b"abc"[..])));
        let mut lease = streamed.lend().unwrap();
        let mut room = [0; 8];
        let busy = streamed.lend().unwrap_err();
        assert!(busy.to_string().contains("another request"), "{busy}");
        assert_eq!(lease.source.as_mut().unwrap().next(&mut room).unwrap(), Piece::Read(3));
        assert_eq!(&room[..3], b"abc");
        drop(lease);
        for _ in 0..2 {
            assert_eq!(streamed.lend().unwrap_err().kind(), ErrorKind::UnrewindableBody);
        }
    }

    #[test]
    fn empty_chunks_are_skipped() {
        let chunks = ["", "hi", "", "there"].map(|chunk| Ok(Bytes::from(chunk)));
        let mut source = Source::Chunks(Box::new(chunks.into_iter()));
        assert_eq!(source.next(&mut []).unwrap(), Piece::Chunk("hi".into()));
        assert_eq!(source.next(&mut []).unwrap(), Piece::Chunk("there".into()));
        assert_eq!(source.next(&mut []).unwrap(), Piece::End);
    }
}
