//! A connection for a request: one that is there, or a new one, which others will use, too.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{HttpAdapter, Work};
use super::failure;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::h2::Slot;
use crate::net::{Connection, Pool, Shared, Turn, was_closed};
use crate::reactor::with_deadline;

/// How long a request waits for a connection that another one opens, before it opens its own: that
/// one may be a future that nobody polls at present.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a request is sent over.
pub(super) enum Found {
    Shared {
        shared: Arc<Shared>,
        slot: Slot,
        /// It was opened for this request.
        is_fresh: bool,
    },
    /// The server speaks HTTP/1.1, and that may be.
    Http1,
}

impl HttpAdapter {
    /// Joins a connection with room for another stream; or opens one, unless somebody else does
    /// that already: then it waits a while for theirs.
    pub(super) async fn find(
        &self,
        pool: &Arc<Pool>,
        work: &Work<'_>,
        started: Instant,
    ) -> Result<Found> {
        let mut turn = None;
        let mut has_waited = false;
        loop {
            if let Some((shared, slot)) = pool.join(work.origin, Instant::now()) {
                return Ok(Found::Shared { shared, slot, is_fresh: false });
            }
            if self.negotiates(work) && pool.speaks_http1(work.origin) {
                return Ok(Found::Http1);
            }
            if has_waited {
                return Box::pin(self.open_shared(pool, work, started, turn)).await;
            }
            turn = Box::pin(wait_to_open(pool, work)).await?;
            has_waited = true;
        }
    }

    async fn open_shared(
        &self,
        pool: &Arc<Pool>,
        work: &Work<'_>,
        started: Instant,
        turn: Option<Turn>,
    ) -> Result<Found> {
        let vacancy = pool.miss(work.origin);
        let offered = Work { origin: self.offered(work), ..*work };
        let connection = self.open(vacancy, &offered, started).await?;
        if !speaks_http2(&connection) {
            if !self.negotiates(work) {
                return Err(unwanted());
            }
            pool.note_http1(work.origin);
            pool.put(connection, Instant::now());
            return Ok(Found::Http1);
        }
        let hub = self.0.options.hub();
        let opening = Shared::on(connection, hub);
        let opened = end_early(work, opening).await?;
        let shared = Arc::new(opened.map_err(|end| failure::error(end, None, Phase::Send))?);
        let slot = shared.hub.join().ok_or_else(|| {
            Error::with(ErrorKind::Disconnected, "the server allows no request").during(Phase::Send)
        })?;
        if let Some(turn) = turn {
            // Others would not know whether there is room for them.
            shared.hub.hold_until_settled(Box::new(turn));
        }
        pool.share(work.origin, &shared);
        Ok(Found::Shared { shared, slot, is_fresh: true })
    }
}

/// Without TLS it is known beforehand.
fn speaks_http2(connection: &Connection) -> bool {
    match &connection.tls {
        None => true,
        Some(_) => connection.stream.alpn() == Some(b"h2"),
    }
}

fn unwanted() -> Error {
    Error::with(ErrorKind::Tls, "the server does not speak HTTP/2")
        .during(Phase::Tls)
        .remedied("allow HTTP/1.1, too: `HttpVersions::Negotiate`")
}

/// Waits while somebody else opens a connection to the same origin; `None`, if that takes too long.
async fn wait_to_open(pool: &Pool, work: &Work<'_>) -> Result<Option<Turn>> {
    let settings = work.settings;
    let (end, is_total) = settings.until(Instant::now(), Some(PATIENCE));
    let waiting = end_early(work, with_deadline(end, pool.turn_to_open(work.origin)));
    match waiting.await? {
        Some(Some(turn)) => Ok(Some(turn)),
        Some(None) => Err(was_closed().during(Phase::Connect(None))),
        None if is_total => Err(settings.total_is_over().during(Phase::Connect(None))),
        None => Ok(None),
    }
}

/// Runs it until it is done, or the request is cancelled.
async fn end_early<T>(work: &Work<'_>, future: impl Future<Output = T>) -> Result<T> {
    match &work.settings.cancel {
        None => Ok(future.await),
        Some(token) => token.stop().guard(future).await.ok_or_else(|| {
            let error: Error = CancelToken::error();
            error.during(Phase::Connect(None))
        }),
    }
}
