//! The adapter's HTTP/2: a request over a connection that others use at the same time.

mod download;
mod exchange;
mod failure;
mod find;
mod options;
mod upload;

use std::sync::Arc;
use std::time::Instant;

use self::exchange::{Answer, Exchange};
use self::failure::Failure;
use self::find::Found;
pub(super) use self::options::Http2Options;
use super::answered::{Way, answered};
use super::open::wait_for_turn;
use super::round_trip::RoundTrip;
use super::{Began, HttpAdapter, Work};
use crate::error::{Error, Phase, Result};
use crate::h2;
use crate::net::{Shared, Turn, was_closed};
use crate::response::Response;
use crate::timings::Timings;
use crate::trace;

/// How often a request is sent again that a server says it has not processed: one that refuses it
/// goes on refusing, one that leaves has others come to a connection of their own.
const MOST_REFUSALS: u32 = 3;
const MOST_LEAVES: u32 = 10;

impl HttpAdapter {
    /// Sends the request by HTTP/2, or by HTTP/1.1 if that is what the server chooses.
    pub(super) async fn send_shared(&self, work: Work<'_>) -> Result<Response> {
        let Work { request, .. } = work;
        request.body.source().map_or(Ok(()), |source| source.check())?;
        let pool = self.pool()?;
        let started = Instant::now();
        let trip = RoundTrip::new(&work, &self.0.options.limits, None);
        // What can't be sent is not worth a connection.
        let is_https = work.origin.tls.is_some();
        let target = request.request_target();
        let write_head = || {
            h2::request(&request.method, is_https, &target, &request.headers)
                .map_err(|error| error.during(Phase::Prepare))
        };
        let mut head = write_head()?;
        let (turn, mut waited) = match pool.blocks() {
            true => {
                let (turn, now) = wait_for_turn(pool, &work, started).await?;
                (turn, Some(now - started))
            }
            false => (None, None),
        };
        let mut replays = 0;
        loop {
            let (shared, slot, is_fresh) = match self.find(pool, &work, started).await? {
                Found::Shared { shared, slot, is_fresh } => (shared, slot, is_fresh),
                Found::Http1 => {
                    // It takes a turn of its own.
                    drop(turn);
                    return self.send_once(work, None).await;
                }
            };
            let mut opened = shared.take_opened().map(|(opened, _)| opened);
            if let Some(waited) = waited.take() {
                opened.get_or_insert_default().pool = Some(waited);
            }
            announce(&work, &shared, is_fresh);
            let began = Began { started, ready: Instant::now() };
            let mut exchange = Exchange::new(&trip);
            let failure = match exchange.run(&shared, head, slot).await {
                Ok(answer) => {
                    let timings = (began, opened, exchange.sent_at());
                    return Ok(self.respond_shared(&shared, &work, answer, turn, timings));
                }
                Err(failure) => failure,
            };
            if failure.needs_http1 && self.negotiates(&work) && request.body.is_rewindable() {
                drop(turn);
                return self.send_once(work, None).await;
            }
            let most = if shared.hub.is_open() { MOST_REFUSALS } else { MOST_LEAVES };
            let may_replay = replays < most && !shared.was_closed();
            if !(may_replay && failure.allows_replay(request, is_fresh)) {
                return Err(failed(&shared, failure, began, opened.as_deref()));
            }
            trace::event!(DEBUG, error = %failure.error, "it was not processed, or lost: once more");
            replays += 1;
            pool.count_replay();
            head = write_head()?;
        }
    }

    fn respond_shared(
        &self,
        shared: &Arc<Shared>,
        work: &Work<'_>,
        answer: Answer,
        turn: Option<Turn>,
        (began, opened, sent_at): (Began, Option<Box<Timings>>, Option<Instant>),
    ) -> Response {
        let way = Way { opened, sent_at, peer: shared.peer, tls: shared.tls.clone() };
        let settings = work.settings;
        let head = answered(answer.head, began, way, settings);
        let limits = self.0.options.limits;
        let Answer { body, length, meter, .. } = answer;
        let live = download::begin(shared, body, length, turn, settings, limits, meter);
        Response::new(head, live)
    }
}

/// Tells the log which connection it is.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nothing is told"))]
fn announce(work: &Work<'_>, shared: &Shared, is_fresh: bool) {
    if is_fresh {
        let (host, port) = (work.origin.host, work.origin.port);
        trace::event!(DEBUG, host, port, "on a new connection");
    } else {
        trace::event!(DEBUG, peer = ?shared.peer, "on a kept connection");
    }
    trace::event!(TRACE, headers = ?work.settings.sensitive_headers.masked(&work.request.headers), "request");
}

/// What a request ends with that got no answer.
#[cold]
fn failed(shared: &Shared, failure: Failure, began: Began, opened: Option<&Timings>) -> Error {
    let now = Instant::now();
    let phase = failure.error.phase().unwrap_or(Phase::Send);
    let mut timings = opened.copied().unwrap_or_default();
    timings.spend(phase, now - began.ready);
    timings.head = now - began.started;
    let is_closed = failure.is_lost && shared.was_closed();
    let error = if is_closed { was_closed().during(phase) } else { failure.error };
    error.timed(|| timings)
}
