//! One request and the head of its response, as a stream.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Request, StatusCode};

use super::super::clock::Clock;
use super::super::meter::Meter;
use super::super::round_trip::RoundTrip;
use super::failure::Failure;
use crate::body::RequestFraming;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::h1::ResponseHead;
use crate::h2::{self, Call, Headline, Slot};
use crate::net::Shared;

/// The head of a response, and where its body comes from.
pub(super) struct Answer {
    pub(super) head: ResponseHead,
    /// `None`: there is none.
    pub(super) body: Option<Call>,
    /// What the server says of how long it is.
    pub(super) length: Option<u64>,
    pub(super) meter: Option<Box<Meter>>,
}

pub(super) struct Exchange<'a> {
    pub(super) trip: &'a RoundTrip<'a>,
    pub(super) writing: Clock,
    pub(super) meter: Option<Box<Meter>>,
    interim: usize,
    /// The server has asked for the body.
    pub(super) may_continue: bool,
    /// The final head, if it came before the request was out.
    pub(super) early: Option<Box<ResponseHead>>,
    pub(super) sent_at: Option<Instant>,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(trip: &'a RoundTrip<'a>) -> Self {
        Self {
            trip,
            writing: Clock::writing(trip.settings),
            meter: Meter::new(trip),
            interim: 0,
            may_continue: false,
            early: None,
            sent_at: None,
        }
    }

    /// When the request was out, if that took waiting.
    pub(super) fn sent_at(&self) -> Option<Instant> {
        self.sent_at
    }

    pub(super) async fn run(
        &mut self,
        shared: &Shared,
        head: Request<()>,
        slot: Slot,
    ) -> Result<Answer, Failure> {
        self.writing.progress(Phase::Send).map_err(Failure::ours)?;
        let has_body =
            self.trip.framing != RequestFraming::Length(0) || !self.trip.request.body.is_empty();
        let begun = shared.hub.call(head, slot, has_body);
        let mut call = begun.map_err(|end| Failure::of(end, &shared.hub, Phase::Send))?;
        if has_body {
            Box::pin(self.send_body(&mut call)).await?;
        }
        let head = match self.early.take() {
            Some(head) => *head,
            None => self.read_head(&mut call).await?,
        };
        let is_bodyless = h2::is_bodyless(&self.trip.request.method, head.status);
        let body = (!is_bodyless && !call.is_over()).then_some(call);
        let length = h2::length(&head);
        Ok(Answer { head, body, length, meter: self.meter.take() })
    }

    async fn read_head(&mut self, call: &mut Call) -> Result<ResponseHead, Failure> {
        let mut clock = Clock::reading(self.trip.settings);
        poll_fn(|context| {
            if let Some(head) = self.poll_final(call, context, &mut clock)? {
                return Poll::Ready(Ok(head));
            }
            clock.poll(context, Phase::Wait).map(|error| Err(Failure::ours(error)))
        })
        .await
    }

    /// The final head, if it has arrived.
    pub(super) fn poll_final(
        &mut self,
        call: &mut Call,
        context: &mut Context<'_>,
        clock: &mut Clock,
    ) -> Result<Option<ResponseHead>, Failure> {
        loop {
            let head = match call.poll_head(context) {
                Poll::Pending => return Ok(None),
                Poll::Ready(Err(end)) => return Err(Failure::of(end, call.hub(), Phase::Wait)),
                Poll::Ready(Ok(head)) => head,
            };
            clock.progress(Phase::Wait).map_err(Failure::ours)?;
            match head {
                Headline::Final(parts) => {
                    let head = h2::response_head(&parts, self.trip.limits);
                    let head = head.map_err(|error| Failure::ours(error.during(Phase::Wait)))?;
                    return Ok(Some(head));
                }
                Headline::Interim(status) => self.take_interim(status).map_err(Failure::ours)?,
            }
        }
    }

    fn take_interim(&mut self, status: StatusCode) -> Result<()> {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            let what = "the server switches protocols, which HTTP/2 does not have";
            return Err(Error::with(ErrorKind::InvalidResponse, what).during(Phase::Wait));
        }
        self.may_continue |= status == StatusCode::CONTINUE;
        self.interim += 1;
        match self.interim <= self.trip.limits.interim {
            true => Ok(()),
            false => Err(self.trip.limits.too_many_interim().during(Phase::Wait)),
        }
    }
}
