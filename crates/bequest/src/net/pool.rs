//! Idle connections, by everything that makes one different from another.

pub(super) mod turns;

use std::collections::HashMap;
use std::mem;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub(crate) use self::turns::Turn;
use self::turns::Turns;
use super::connection::Connection;
use super::dial::{Dialing, Undialed, dial};
use super::route::{KeptRoute, Route};
#[cfg(feature = "http2")]
use super::shared::SharedPool;
use super::tls::{KeptTlsSettings, TlsSettings};
use crate::error::{Error, ErrorKind};
use crate::reactor::Stop;
use crate::stats::Stats;

/// Where a connection leads, and how. Everything that makes a connection different is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// The zone of an IPv6 address.
    pub(crate) zone: Option<&'a str>,
    /// How it is secured; `None` is a connection without TLS.
    pub(crate) tls: Option<TlsSettings<'a>>,
    /// The proxy that leads there; `None` is the straight way.
    pub(crate) route: Option<Route<'a>>,
    /// The Unix socket that is connected to in place of the host.
    pub(crate) unix_socket: Option<&'a Path>,
}

/// An [`Origin`] that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PoolKey {
    host: Box<str>,
    port: u16,
    zone: Option<Box<str>>,
    tls: Option<KeptTlsSettings>,
    route: Option<KeptRoute>,
    unix_socket: Option<Box<Path>>,
}

impl PoolKey {
    pub(super) fn new(origin: Origin<'_>) -> Self {
        Self {
            host: origin.host.into(),
            port: origin.port,
            zone: origin.zone.map(Box::from),
            tls: origin.tls.map(TlsSettings::keep),
            route: origin.route.map(Route::keep),
            unix_socket: origin.unix_socket.map(Box::from),
        }
    }

    pub(super) fn is(&self, origin: Origin<'_>) -> bool {
        let own = Origin {
            host: &self.host,
            port: self.port,
            zone: self.zone.as_deref(),
            tls: self.tls.as_ref().map(KeptTlsSettings::lend),
            route: self.route.as_ref().map(KeptRoute::lend),
            unix_socket: self.unix_socket.as_deref(),
        };
        own == origin
    }
}

/// How much a pool keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolLimits {
    /// Origins with idle connections; the one not used for longest makes room.
    pub(crate) origins: usize,
    /// Idle connections to one origin; the oldest makes room.
    pub(crate) idle: usize,
    /// No more than that are opened at once either.
    pub(crate) block: bool,
    /// How long one may idle.
    pub(crate) keep: Duration,
}

/// Idle connections. The last used goes out first: it is the least likely to have been closed.
#[derive(Debug)]
pub(crate) struct Pool {
    limits: PoolLimits,
    state: Mutex<State>,
    /// Connections that many requests use at once.
    #[cfg(feature = "http2")]
    pub(super) shared: SharedPool,
}

#[derive(Debug, Default)]
struct State {
    /// The origin used last: most sessions have but one, which then costs no hash.
    recent: Option<Place>,
    others: HashMap<Arc<PoolKey>, Place>,
    /// Ends what was opened before the next `close`.
    closing: Option<Arc<Stop>>,
    /// Who has a connection that was opened before the next `close`, if the pool blocks.
    turns: Option<Arc<Turns>>,
    /// When what had idled too long was last looked for.
    swept: Option<Instant>,
    /// Counts uses, to tell which origin was not used for longest.
    clock: u64,
    counts: Counts,
}

/// What there was so far.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    requests: u64,
    /// Those that found no connection.
    missed: u64,
    replayed: u64,
    /// Connections that were opened before the last `close`.
    opened: u64,
}

#[derive(Debug)]
struct Place {
    key: Arc<PoolKey>,
    #[expect(clippy::vec_box, reason = "they stay boxed while they move in and out")]
    idle: Vec<Box<Connection>>,
    used: u64,
}

/// The right to open a connection that belongs to the pool.
#[derive(Debug)]
pub(crate) struct Vacancy {
    pub(super) key: Arc<PoolKey>,
    pub(super) closing: Arc<Stop>,
    /// Whose it is, if the pool blocks.
    pub(crate) turn: Option<Turn>,
}

impl Vacancy {
    /// Opens it, unless the pool is closed meanwhile.
    pub(crate) async fn dial(
        self,
        origin: Origin<'_>,
        dialing: &mut Dialing<'_>,
    ) -> Result<Box<Connection>, Undialed> {
        let dialed = {
            // Pinned here, as it is large: it would be moved twice.
            let dialed = pin!(dial(origin, dialing));
            self.closing.guard_sockets(dialed).await
        };
        // A socket that was shut down fails in its own way.
        let dialed = dialed.filter(|_| !self.closing.has_stopped());
        let mut dialed = dialed.ok_or_else(was_closed)??;
        if !self.closing.watch(dialed.stream.socket().descriptor()) {
            return Err(was_closed().into());
        }
        Ok(Connection::new(dialed, origin, &dialing.watch, self))
    }
}

/// What a request ends with when the connections of its adapter are closed.
pub(crate) fn was_closed() -> Error {
    Error::with(ErrorKind::Closed, "the session or its adapter was closed meanwhile")
}

impl Pool {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            #[cfg(feature = "http2")]
            shared: SharedPool::default(),
        }
    }

    /// Whether [`turn`](Self::turn) has to be asked.
    pub(crate) fn blocks(&self) -> bool {
        self.limits.block
    }

    /// Waits until there may be another connection to the origin. `None`: the pool was closed.
    pub(crate) async fn turn(&self, origin: Origin<'_>) -> Option<Turn> {
        let (turns, Vacancy { key, closing, .. }) = {
            let mut state = self.lock();
            let turns = state.turns.get_or_insert_with(|| Turns::new(self.limits.idle));
            (Arc::clone(turns), state.vacancy(origin))
        };
        closing.guard(turns.next(key)).await
    }

    /// A connection that may be used at once; looked at, if `checked`, however short it was idle.
    pub(crate) fn take(
        &self,
        origin: Origin<'_>,
        now: Instant,
        checked: bool,
    ) -> Result<Box<Connection>, Vacancy> {
        let mut dead = Vec::new(); // Closed when the lock is gone.
        loop {
            let mut state = self.lock();
            state.counts.requests += u64::from(dead.is_empty());
            let Some(mut connection) = state.place(origin).idle.pop() else {
                state.counts.missed += 1;
                return Err(state.vacancy(origin));
            };
            drop(state);
            if connection.is_usable(now, self.limits.keep, checked) {
                return Ok(connection);
            }
            dead.push(connection);
        }
    }

    /// The right to open a connection, whatever idles, for a request whose connection, with that
    /// turn, was closed.
    pub(crate) fn replay(&self, origin: Origin<'_>, turn: Option<Turn>) -> Vacancy {
        let mut state = self.lock();
        state.counts.replayed += 1;
        Vacancy { turn, ..state.vacancy(origin) }
    }

    /// The right to open a connection for a request that has found none.
    #[cfg(feature = "http2")]
    pub(crate) fn miss(&self, origin: Origin<'_>) -> Vacancy {
        let mut state = self.lock();
        state.counts.requests += 1;
        state.counts.missed += 1;
        state.vacancy(origin)
    }

    /// A request has found a connection that others use, too.
    #[cfg(feature = "http2")]
    pub(super) fn count_joined(&self) {
        self.lock().counts.requests += 1;
    }

    #[cfg(feature = "http2")]
    pub(super) fn vacancy(&self, origin: Origin<'_>) -> Vacancy {
        self.lock().vacancy(origin)
    }

    /// A request is sent once more.
    #[cfg(feature = "http2")]
    pub(crate) fn count_replay(&self) {
        let counts = &mut self.lock().counts;
        counts.replayed += 1;
        // It will be counted as another.
        counts.requests = counts.requests.saturating_sub(1);
    }

    #[cfg(feature = "http2")]
    pub(super) fn limits(&self) -> PoolLimits {
        self.limits
    }

    /// Takes a connection whose response was read to its end.
    pub(crate) fn put(&self, mut connection: Box<Connection>, now: Instant) {
        connection.rest(now);
        let mut state = self.lock();
        let is_current = |closing| Arc::ptr_eq(closing, &connection.closing);
        if !state.closing.as_ref().is_some_and(is_current) || !connection.is_ours() {
            return;
        }
        let key = Arc::clone(&connection.key);
        let turn = connection.turn.take();
        let place = state.place_of(key);
        place.idle.push(connection);
        let surplus = (place.idle.len() > self.limits.idle).then(|| place.idle.remove(0));
        let evicted = state.evict(self.limits.origins);
        let expired = state.sweep(now, self.limits.keep);
        drop(state);
        drop((surplus, evicted, expired));
        // Whoever is next finds the connection.
        drop(turn);
    }

    /// Closes what idles and ends what is in use or being opened.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        let mut counts = state.counts;
        counts.opened += state.closing.as_ref().map_or(0, |closing| closing.sockets().0);
        let old = mem::replace(&mut *state, State { counts, ..State::default() });
        drop(state);
        if let Some(closing) = &old.closing {
            closing.stop();
        }
        #[cfg(feature = "http2")]
        self.shared.clear();
    }

    /// What there was so far, and what there is now.
    pub(crate) fn stats(&self) -> Stats {
        let state = self.lock();
        let Counts { requests, missed, replayed, opened } = state.counts;
        let (ever, open) = state.closing.as_ref().map_or((0, 0), |closing| closing.sockets());
        let idle = state.others.values().chain(&state.recent).map(|place| place.idle.len());
        let idle: usize = idle.sum();
        #[cfg(feature = "http2")]
        let idle = idle + self.shared.count_idle();
        Stats {
            requests,
            reused: requests - missed,
            replayed,
            opened: opened + ever,
            idle,
            in_use: open.saturating_sub(idle),
            waiting: state.turns.as_ref().map_or(0, |turns| turns.waiting()),
            ..Stats::default()
        }
    }

    /// Nothing that runs under the lock leaves the state half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    fn vacancy(&mut self, origin: Origin<'_>) -> Vacancy {
        let key = Arc::clone(&self.place(origin).key);
        let closing = Arc::clone(self.closing.get_or_insert_default());
        Vacancy { key, closing, turn: None }
    }

    fn place(&mut self, origin: Origin<'_>) -> &mut Place {
        if !self.recent.as_ref().is_some_and(|recent| recent.key.is(origin)) {
            self.make_recent(Arc::new(PoolKey::new(origin)));
        }
        self.touch()
    }

    fn place_of(&mut self, key: Arc<PoolKey>) -> &mut Place {
        let is_recent = |recent: &Place| Arc::ptr_eq(&recent.key, &key) || recent.key == key;
        if !self.recent.as_ref().is_some_and(is_recent) {
            self.make_recent(key);
        }
        self.touch()
    }

    fn make_recent(&mut self, key: Arc<PoolKey>) {
        let place = self.others.remove(&key);
        let place = place.unwrap_or(Place { key, idle: Vec::new(), used: 0 });
        if let Some(old) = self.recent.replace(place)
            && !old.idle.is_empty()
        {
            self.others.insert(Arc::clone(&old.key), old);
        }
    }

    fn touch(&mut self) -> &mut Place {
        self.clock += 1;
        let used = self.clock;
        let place = self.recent.as_mut().expect("both callers have just put one there");
        place.used = used;
        place
    }

    /// Takes out what has idled too long, everywhere, once in a while: nobody may ask for it again.
    #[expect(clippy::vec_box, reason = "they are boxed already")]
    fn sweep(&mut self, now: Instant, keep: Duration) -> Vec<Box<Connection>> {
        let swept = *self.swept.get_or_insert(now);
        if now.saturating_duration_since(swept) <= keep {
            return Vec::new();
        }
        self.swept = Some(now);
        let places = self.others.values_mut().chain(&mut self.recent);
        let expired = places.flat_map(|place| {
            let mut idle = place.idle.iter().map(|c| now.saturating_duration_since(c.idle_since));
            let fresh = idle.position(|idle| idle < keep).unwrap_or(place.idle.len());
            place.idle.drain(..fresh)
        });
        let expired = expired.collect();
        self.others.retain(|_, place| !place.idle.is_empty());
        expired
    }

    /// Takes out the origin not used for longest, if there are too many.
    fn evict(&mut self, most: usize) -> Option<Place> {
        if self.others.len() < most.max(1) {
            return None;
        }
        let oldest = self.others.values().min_by_key(|place| place.used)?.key.clone();
        self.others.remove(&oldest)
    }
}

#[cfg(test)]
mod tests;
