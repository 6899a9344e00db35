//! Sending the body of a request, as the server gives room for it.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;

use super::super::ask::{Supply, Which, ask};
use super::super::clock::Clock;
use super::super::expect;
use super::super::upload::{PIECE, Pace};
use super::exchange::Exchange;
use super::failure::Failure;
use crate::body::Piece;
use crate::error::{Error, Phase};
use crate::h2::Call;
use crate::reactor::Timer;

/// How the server takes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Whole,
    /// It has answered, or ended that side of the stream: it does not want the rest.
    Enough,
}

impl Exchange<'_> {
    /// Sends the body, unless the server answers before it has everything and does not want it.
    pub(super) async fn send_body(&mut self, call: &mut Call) -> Result<(), Failure> {
        if expect::asks(self.trip) && self.wait_for_leave(call).await? == Taken::Enough {
            return Ok(());
        }
        match self.trip.request.body.bytes() {
            Some(bytes) => self.send_piece(call, bytes, true).await?,
            None => self.send_stream(call).await?,
        };
        self.sent_at = Some(Instant::now());
        Ok(())
    }

    /// Waits until the server asks for the body, or has kept silent for long enough.
    async fn wait_for_leave(&mut self, call: &mut Call) -> Result<Taken, Failure> {
        let settings = self.trip.settings;
        let mut total = Clock::total(settings);
        let limit = settings.timeout.expect_limit();
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut patience = end.map(Timer::new);
        poll_fn(|context| {
            if let Some(head) = self.poll_final(call, context, &mut total)? {
                self.early = Some(Box::new(head));
                return Poll::Ready(Ok(Taken::Enough));
            }
            if self.may_continue {
                return Poll::Ready(Ok(Taken::Whole));
            }
            if let Poll::Ready(error) = total.poll(context, Phase::Wait) {
                return Poll::Ready(Err(Failure::ours(error)));
            }
            let Some(patience) = &mut patience else { return Poll::Pending };
            ready!(patience.poll_elapsed(context));
            Poll::Ready(Ok(Taken::Whole))
        })
        .await
    }

    async fn send_stream(&mut self, call: &mut Call) -> Result<Taken, Failure> {
        let lease = self.trip.request.body.source().map(|source| source.lend()).transpose();
        let Some(lease) = lease.map_err(source_failed)? else { return Ok(Taken::Enough) };
        let mut pace = Pace::new(self.trip.framing);
        let mut supply = Supply::new(lease, PIECE);
        loop {
            let mut most = pace.most();
            if most == 0 {
                if !supply.has_an_end() {
                    break;
                }
                most = 1;
            }
            let asked = self.ask(call, supply, most).await?;
            let Some((given_back, piece)) = asked else { return Ok(Taken::Enough) };
            supply = given_back;
            let bytes = match piece {
                Piece::Chunk(chunk) => chunk,
                piece => match supply.bytes(&piece) {
                    Some(bytes) => Bytes::copy_from_slice(bytes),
                    None => break,
                },
            };
            pace.take(bytes.len()).map_err(source_failed)?;
            if self.send_piece(call, bytes, false).await? == Taken::Enough {
                return Ok(Taken::Enough);
            }
        }
        pace.end().map_err(source_failed)?;
        self.send_piece(call, Bytes::new(), true).await
    }

    /// Asks the source; `None`, if the server has answered meanwhile, and does not want the rest.
    async fn ask(
        &mut self,
        call: &mut Call,
        supply: Supply,
        most: usize,
    ) -> Result<Option<(Supply, Piece)>, Failure> {
        self.writing.progress(Phase::Send).map_err(Failure::ours)?;
        call.push();
        let settings = self.trip.settings;
        let answer = |context: &mut Context<'_>| self.poll_refusal(call, context);
        match ask(settings, supply, most, answer).await.map_err(source_failed)? {
            Which::Piece(supply, piece) => Ok(Some((supply, piece))),
            Which::Answer(Ok(())) => Ok(None),
            Which::Answer(Err(failure)) => Err(failure),
        }
    }

    /// Is ready when the server has answered, and does not want the rest; a success is kept.
    fn poll_refusal(
        &mut self,
        call: &mut Call,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        if self.early.is_some() {
            return Poll::Pending;
        }
        let mut total = Clock::total(self.trip.settings);
        let Some(head) = self.poll_final(call, context, &mut total)? else { return Poll::Pending };
        let wants_rest = head.status.is_success();
        self.early = Some(Box::new(head));
        if wants_rest {
            // Whatever else is waited for registers anew.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends all of it, and the end if it `is_last`.
    async fn send_piece(
        &mut self,
        call: &mut Call,
        mut bytes: Bytes,
        is_last: bool,
    ) -> Result<Taken, Failure> {
        let (mut sent, whole) = (0, bytes.len());
        if let Some(meter) = &mut self.meter {
            meter.announce(0, whole);
        }
        loop {
            let room = match bytes.len() {
                0 => 0,
                most => poll_fn(|context| self.poll_room(call, context, most)).await?,
            };
            let Some(room) = Some(room).filter(|room| *room > 0 || bytes.is_empty()) else {
                return Ok(Taken::Enough);
            };
            let part = bytes.split_to(room);
            let ends = bytes.is_empty() && is_last;
            if part.is_empty() && !ends {
                return Ok(Taken::Whole);
            }
            if call.send(part, ends).is_err() {
                // Why it is over is told where the head is read.
                return Ok(Taken::Enough);
            }
            sent += room;
            if let Some(meter) = &mut self.meter {
                meter.wrote(sent);
            }
            self.writing.progress(Phase::Send).map_err(Failure::ours)?;
            if bytes.is_empty() {
                return Ok(Taken::Whole);
            }
        }
    }

    /// How much the server takes; zero, if it wants no more.
    fn poll_room(
        &mut self,
        call: &mut Call,
        context: &mut Context<'_>,
        most: usize,
    ) -> Poll<Result<usize, Failure>> {
        match call.poll_room(context, most) {
            Poll::Ready(Ok(room)) => return Poll::Ready(Ok(room)),
            // The server may have answered before it ended the stream.
            Poll::Ready(Err(_)) => return Poll::Ready(Ok(0)),
            Poll::Pending => {}
        }
        if self.poll_refusal(call, context)?.is_ready() {
            return Poll::Ready(Ok(0));
        }
        self.writing.poll(context, Phase::Send).map(|error| Err(Failure::ours(error)))
    }
}

fn source_failed(error: Error) -> Failure {
    Failure::ours(error.during(Phase::Send))
}
