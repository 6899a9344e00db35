//! Sources that are awaited: streams, and tokio's readers.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncRead, ReadBuf};

use super::source::Piece;

/// A source that says when to ask it again.
pub(crate) trait Awaited: Send {
    /// The next piece. `room` is for sources that don't bring bytes of their own, and not empty.
    fn poll_next(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<Piece>>;
}

/// Each item is a chunk; empty ones are skipped.
pub(super) struct Items<S>(pub(super) Pin<Box<S>>);

impl<S, T, E> Awaited for Items<S>
where
    S: Stream<Item = Result<T, E>> + Send,
    T: Into<Bytes>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn poll_next(&mut self, context: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<Piece>> {
        loop {
            let chunk = match ready!(self.0.as_mut().poll_next(context)) {
                Some(Ok(chunk)) => chunk.into(),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(Piece::End)),
            };
            if !chunk.is_empty() {
                return Poll::Ready(Ok(Piece::Chunk(chunk)));
            }
        }
    }
}

/// Read to its end.
pub(super) struct Reading<R>(pub(super) Pin<Box<R>>);

impl<R: AsyncRead + Send> Awaited for Reading<R> {
    fn poll_next(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<Piece>> {
        let mut room = ReadBuf::new(room);
        loop {
            match ready!(self.0.as_mut().poll_read(context, &mut room)) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(match room.filled().len() {
            0 => Piece::End,
            count => Piece::Read(count),
        }))
    }
}
