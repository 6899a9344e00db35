//! A connection where the pool has none: waiting for leave to open it, and opening it.

use std::pin::pin;
use std::time::Instant;

use http::Extensions;

use super::Work;
use super::options::Options;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::net::{Connection, Dialing, Pool, Refusal, Turn, Undialed, Vacancy, was_closed};
use crate::reactor::with_deadline;
use crate::request::PreparedRequest;
use crate::response::{Encoding, Head, Response};
use crate::timings::{HeadTimings, Stopwatch, Timings};
use crate::trace;

/// Waits until the pool may have another connection, within the pool timeout; says when that was.
pub(super) async fn wait_for_turn(
    pool: &Pool,
    work: &Work<'_>,
    started: Instant,
) -> Result<(Option<Turn>, Instant)> {
    let &Work { settings, origin, .. } = work;
    let limit = settings.timeout.pool_limit();
    let (end, is_total) = settings.until(started, limit);
    let span = trace::span!("pool", host = origin.host, port = origin.port);
    let waiting = with_deadline(end, span.hold(pool.turn(origin)));
    let waited = match &settings.cancel {
        None => Ok(waiting.await),
        Some(token) => token.stop().guard(waiting).await.ok_or_else(CancelToken::error),
    };
    let error = match waited {
        Ok(Some(Some(turn))) => return Ok((Some(turn), Instant::now())),
        Ok(Some(None)) => was_closed(),
        Ok(None) if is_total => settings.total_is_over(),
        Ok(None) => {
            let limit = limit.unwrap_or_default();
            let what = format!("no connection of the pool was free for {limit:?}");
            Error::with(ErrorKind::PoolTimeout, what)
                .remedied("read or drop streamed responses, or raise `pool_maxsize`")
        }
        Err(error) => error,
    };
    let head = started.elapsed();
    let timings = Timings { pool: Some(head), head, ..Timings::default() };
    Err(error.during(Phase::Pool).timed(|| timings))
}

/// Opens a connection within the connect timeout.
pub(super) async fn open(
    vacancy: Vacancy,
    work: &Work<'_>,
    options: &Options,
    started: Instant,
) -> Result<Box<Connection>> {
    let &Work { request, settings, origin, .. } = work;
    let now = Instant::now();
    let (deadline, is_total) = settings.until(now, settings.timeout.connect_limit());
    // What was not opening it was waiting for leave to do so.
    let watch = match vacancy.turn {
        Some(_) => Stopwatch::start(Phase::Pool, started),
        None => Stopwatch::start(Phase::Prepare, now),
    };
    let ends_early = settings.cancel.is_some();
    let Options { sockets, proxy_tls, .. } = options;
    let mut dialing = Dialing { sockets, proxy_tls, deadline, ends_early, watch };
    let dialed = {
        let dialed = pin!(vacancy.dial(origin, &mut dialing));
        match &settings.cancel {
            None => dialed.await,
            Some(token) => {
                let dialed = token.stop().guard_sockets(dialed).await;
                let dialed = dialed.filter(|_| !token.is_cancelled());
                dialed.unwrap_or_else(|| Err(CancelToken::error().into()))
            }
        }
    };
    let Undialed { error, refusal } = match dialed {
        Ok(connection) => return Ok(connection),
        Err(undialed) => undialed,
    };
    let phase = error.phase().unwrap_or(dialing.watch.phase());
    let error = match error.kind() {
        ErrorKind::ConnectTimeout if is_total => match origin.route {
            None => settings.total_is_over(),
            Some(route) => settings.total_is_over().through(&**route.proxy),
        },
        _ => error,
    };
    dialing.watch.enter(Phase::Send);
    let timings = Timings { head: started.elapsed(), ..dialing.watch.timings() };
    let error = error.during(phase).timed(|| timings);
    Err(match refusal {
        None => error,
        Some(refusal) => error.carry_response(refused(*refusal, request)),
    })
}

/// What a proxy has said, for whoever asks the error.
fn refused(refusal: Refusal, request: &PreparedRequest) -> Response {
    let head = Head {
        status: refusal.head.status,
        version: refusal.head.version,
        reason: refusal.head.reason,
        headers: refusal.head.headers,
        request: Some(Box::new(request.as_sent())),
        url: None,
        history: Vec::new(),
        attempts: Vec::new(),
        timings: HeadTimings::default(),
        peer: None,
        tls: None,
        extensions: Extensions::new(),
        max_content: None,
        encoding: Encoding::default(),
    };
    Response::brought(head, refusal.body.into())
}
