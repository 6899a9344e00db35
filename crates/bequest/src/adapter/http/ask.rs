//! Asking the source of a body for more.

use std::future::poll_fn;
use std::io;
#[cfg(feature = "async")]
use std::task::Waker;
use std::task::{Context, Poll};

use super::round_trip::Loss;
use super::upload::{Upload, source_failed};
use crate::body::{Lease, Piece, Source};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::h1::ResponseHead;
use crate::net::Connection;
#[cfg(feature = "async")]
use crate::reactor::{self, Reactor};
use crate::settings::Settings;

/// A source that is being sent, and room for what it reads.
pub(super) struct Supply {
    lease: Lease,
    room: Vec<u8>,
}

impl Supply {
    pub(super) fn new(lease: Lease, room: usize) -> Self {
        Self { lease, room: vec![0; room] }
    }

    /// Whether asking for more than there is can't keep the caller waiting.
    pub(super) fn has_an_end(&self) -> bool {
        self.lease.source.as_ref().is_some_and(Source::has_an_end)
    }

    #[cfg(feature = "async")]
    fn may_block(&self) -> bool {
        self.lease.source.as_ref().is_some_and(|source| !source.is_awaited())
    }

    /// What a piece consists of; `None` is the end.
    pub(super) fn bytes<'a>(&'a self, piece: &'a Piece) -> Option<&'a [u8]> {
        match piece {
            Piece::Read(count) => Some(&self.room[..*count]),
            Piece::Chunk(chunk) => Some(chunk),
            Piece::End => None,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>, most: usize) -> Poll<io::Result<Piece>> {
        match &mut self.lease.source {
            Some(source) => source.poll_next(context, &mut self.room[..most]),
            None => Poll::Ready(Ok(Piece::End)),
        }
    }
}

/// What asking led to.
pub(super) enum Asked {
    Piece(Supply, Piece),
    /// The server answered meanwhile, and does not want the rest.
    Early(Box<ResponseHead>),
}

impl<'a, 'r> Upload<'a, 'r>
where
    'a: 'r,
{
    /// Asks for at most so much.
    pub(super) async fn ask(
        &mut self,
        connection: &mut Connection,
        supply: Supply,
        most: usize,
    ) -> Result<Asked, Loss> {
        self.clock.progress(Phase::Send).map_err(source_failed)?;
        let settings = self.trip.settings;
        let answer = |context: &mut Context<'_>| self.poll_answer(connection, context);
        match ask(settings, supply, most, answer).await.map_err(source_failed)? {
            Which::Piece(supply, piece) => Ok(Asked::Piece(supply, piece)),
            Which::Answer(Ok(head)) => Ok(Asked::Early(head)),
            Which::Answer(Err(loss)) if loss.lost => {
                self.last_words(connection).map(Asked::Early).ok_or(loss)
            }
            Which::Answer(Err(loss)) => Err(loss),
        }
    }
}

/// What came first: a piece, or an answer of the server.
pub(super) enum Which<A> {
    Piece(Supply, Piece),
    Answer(A),
}

/// Asks for at most so much. Under tokio, a source that may block is asked off the executor; the
/// calling thread blocks with it. While the source has nothing, the server may answer.
pub(super) async fn ask<A>(
    settings: &Settings,
    supply: Supply,
    most: usize,
    answer: impl FnMut(&mut Context<'_>) -> Poll<A>,
) -> Result<Which<A>> {
    #[cfg(feature = "async")]
    if reactor::current() == Some(Reactor::Tokio) && supply.may_block() {
        return ask_elsewhere(settings, supply, most, answer).await;
    }
    wait_for(settings, supply, most, answer).await
}

#[cfg(feature = "async")]
async fn ask_elsewhere<A>(
    settings: &Settings,
    mut supply: Supply,
    most: usize,
    answer: impl FnMut(&mut Context<'_>) -> Poll<A>,
) -> Result<Which<A>> {
    let asking = tokio::task::spawn_blocking(move || {
        let asked = supply.poll(&mut Context::from_waker(Waker::noop()), most);
        (supply, asked)
    });
    let asked = settings.within(asking).await?;
    match asked.map_err(|error| failed(io::Error::other(error)))? {
        (supply, Poll::Ready(piece)) => Ok(Which::Piece(supply, piece.map_err(failed)?)),
        // A form that has come to a part that is awaited.
        (supply, Poll::Pending) => wait_for(settings, supply, most, answer).await,
    }
}

async fn wait_for<A>(
    settings: &Settings,
    mut supply: Supply,
    most: usize,
    mut answer: impl FnMut(&mut Context<'_>) -> Poll<A>,
) -> Result<Which<A>> {
    let first = poll_fn(|context| match supply.poll(context, most) {
        Poll::Ready(piece) => Poll::Ready(Ok(piece)),
        Poll::Pending => answer(context).map(Err),
    });
    match settings.within(first).await? {
        Ok(piece) => Ok(Which::Piece(supply, piece.map_err(failed)?)),
        Err(answer) => Ok(Which::Answer(answer)),
    }
}

fn failed(error: io::Error) -> Error {
    let error = Error::from(error);
    // A body that is another response keeps the error that it had.
    if error.kind() == ErrorKind::Io && error.phase().is_none() {
        Error::with(ErrorKind::Io, "the body's source failed").because(error)
    } else {
        error
    }
}
