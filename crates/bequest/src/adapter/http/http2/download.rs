//! A response's body, from the stream that it arrives on.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::ReadBuf;

use super::super::clock::Clock;
use super::super::log::Log;
use super::super::meter::Meter;
use super::failure;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::h1::Limits;
use crate::h2::{self, Call, End};
use crate::headers::Headers;
use crate::net::{Shared, Turn, was_closed};
use crate::response::{Incoming, Live};
use crate::settings::Settings;

/// Reads the body to its end. Dropped before, it cancels the stream, and no other.
struct Download {
    shared: Arc<Shared>,
    /// `None` once it is over.
    call: Option<Call>,
    /// What has arrived and was not read yet.
    arrived: Bytes,
    /// What is still to come, if the server has said it.
    left: Option<u64>,
    limits: Limits,
    clock: Clock,
    trailers: Option<Headers>,
    /// Comes when the bytes before it have been given out.
    failed: Option<Error>,
    meter: Option<Box<Meter>>,
    /// Of a pool that blocks.
    turn: Option<Turn>,
    log: Log,
}

/// Whoever counts is told what is to come.
pub(super) fn begin(
    shared: &Arc<Shared>,
    body: Option<Call>,
    length: Option<u64>,
    turn: Option<Turn>,
    settings: &Settings,
    limits: Limits,
    mut meter: Option<Box<Meter>>,
) -> Live {
    let length = if body.is_some() { length } else { Some(0) };
    if let Some(meter) = &mut meter {
        meter.receive(length);
    }
    let Some(call) = body else { return Live::empty() };
    Live::new(Download {
        shared: Arc::clone(shared),
        call: Some(call),
        arrived: Bytes::new(),
        left: length,
        limits,
        clock: Clock::reading(settings),
        trailers: None,
        failed: None,
        meter,
        turn,
        log: Log::begin(),
    })
}

impl Download {
    /// Waits for more, unless there is some; none is the end.
    fn poll_arrived(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while self.arrived.is_empty() {
            let Some(call) = &mut self.call else { break };
            let data = match call.poll_data(context) {
                Poll::Pending => return self.clock.poll(context, Phase::Body).map(Err),
                Poll::Ready(Ok(data)) => data,
                Poll::Ready(Err(end)) => return Poll::Ready(Err(self.ended(end))),
            };
            self.clock.progress(Phase::Body)?;
            match data {
                Some(data) => self.arrived = data,
                None => {
                    ready!(self.poll_trailers(context))?;
                    // The stream's place is free, and so is the turn.
                    self.call = None;
                    self.turn = None;
                    self.log.end(true);
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes up to so many bytes of what has arrived, or waits for some; none is the end.
    fn poll_take(&mut self, context: &mut Context<'_>, most: usize) -> Poll<Result<Bytes>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        if self.call.is_none() && self.arrived.is_empty() {
            return Poll::Ready(Ok(Bytes::new()));
        }
        check_home(&self.shared)?;
        ready!(self.poll_arrived(context))?;
        let count = self.arrived.len().min(most);
        let taken = self.arrived.split_to(count);
        if let Some(call) = &mut self.call {
            call.release(count);
        }
        self.left = self.left.map(|left| left.saturating_sub(count as u64));
        self.log.count(count);
        if self.left == Some(0) && self.arrived.is_empty() {
            // The stream's end has come with the last byte, as a rule.
            if let Poll::Ready(Err(error)) = self.poll_arrived(context) {
                self.failed = Some(error);
            }
        }
        if let Some(meter) = &mut self.meter {
            meter.read(count);
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_trailers(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(call) = &mut self.call else { return Poll::Ready(Ok(())) };
        let fields = match call.poll_trailers(context) {
            Poll::Pending => return self.clock.poll(context, Phase::Body).map(Err),
            Poll::Ready(Ok(fields)) => fields,
            Poll::Ready(Err(end)) => return Poll::Ready(Err(self.ended(end))),
        };
        if let Some(fields) = fields {
            let trailers = h2::trailers(&fields, &self.limits);
            self.trailers = Some(trailers.map_err(|error| error.during(Phase::Body))?);
        }
        Poll::Ready(Ok(()))
    }

    /// What the body ends with that is not its end.
    fn ended(&self, end: End) -> Error {
        if self.shared.was_closed() {
            return was_closed().during(Phase::Body);
        }
        match (&end, self.left) {
            // What is found so is that it ends too early, or too late.
            (End::Broken(_), Some(left)) if left > 0 => Error::with(
                ErrorKind::IncompleteBody,
                "the body is not as long as its Content-Length says",
            )
            .during(Phase::Body),
            _ => failure::error(end, Some(&self.shared.hub), Phase::Body),
        }
    }
}

impl Incoming for Download {
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let bytes = ready!(self.poll_take(context, out.remaining()))?;
        out.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Option<Poll<Result<Bytes>>> {
        Some(self.poll_take(context, usize::MAX))
    }

    fn remaining(&self) -> Option<u64> {
        match self.call {
            // It is read on for its end, if that has not come yet, and for its trailers.
            Some(_) => self.left.filter(|left| *left > 0),
            None if self.trailers.is_some() => None,
            None => Some(self.arrived.len() as u64),
        }
    }

    #[cfg(feature = "compression")]
    fn check(&self) -> Result<()> {
        self.clock.check(Phase::Body)
    }

    fn take_trailers(&mut self) -> Option<Headers> {
        self.trailers.take()
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.log.end(false);
    }
}

/// Whoever reads must be where the connection is.
fn check_home(shared: &Shared) -> Result<()> {
    if !shared.hub.is_of_this_process() {
        return Err(Error::with(
            ErrorKind::Closed,
            "this response belongs to the process that this one was forked from",
        ));
    }
    if !shared.hub.can_be_awaited() {
        return Err(Error::with(
            ErrorKind::Unsupported,
            "this connection was opened by a blocking call: read it in one",
        ));
    }
    Ok(())
}
