//! Connections that many requests use at once: they are not taken out of a pool but joined.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::connection::{Connection, MOMENT};
use super::pool::turns::Turns;
use super::pool::{Origin, Pool, PoolKey, Turn, Vacancy};
use super::tls::TlsInfo;
use crate::h2::{End, Hub, HubOptions, Slot};
use crate::reactor::Stop;
use crate::timings::Timings;

/// A connection, and where it belongs.
pub(crate) struct Shared {
    pub(crate) hub: Arc<Hub>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) tls: Option<Arc<TlsInfo>>,
    closing: Arc<Stop>,
    /// What it took to get it, and when it was ready, until the first request on it has told.
    opened: Mutex<Option<(Box<Timings>, Instant)>>,
}

impl Shared {
    /// Begins to speak HTTP/2 on what was opened for it.
    pub(crate) async fn on(connection: Box<Connection>, options: HubOptions) -> Result<Self, End> {
        let ready = connection.ready();
        let Connection { stream, peer, tls, opened, closing, .. } = *connection;
        let hub = Hub::open(Box::new(stream), options).await?;
        let opened = Mutex::new(opened.map(|opened| (opened, ready)));
        Ok(Self { hub: Arc::new(hub), peer, tls, closing, opened })
    }

    /// Whether the pool that it belongs to was closed since it was opened.
    pub(crate) fn was_closed(&self) -> bool {
        self.closing.has_stopped()
    }

    /// What it took to get it; told once.
    pub(crate) fn take_opened(&self) -> Option<(Box<Timings>, Instant)> {
        self.opened.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }

    /// Whether it can carry another request, now or when there is room.
    fn is_usable(&self, now: Instant, keep: Duration) -> bool {
        if self.was_closed() || !self.hub.is_ours() {
            return false;
        }
        if self.hub.open_streams() == 0 {
            let idle = now.saturating_duration_since(self.hub.idle_since());
            if idle >= keep {
                return false;
            }
            // Nobody has listened meanwhile.
            if idle >= MOMENT {
                self.hub.look();
            }
        }
        self.hub.is_open()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("hub", &self.hub).field("peer", &self.peer).finish()
    }
}

/// Those connections, by where they lead, and what is known of servers without.
#[derive(Debug, Default)]
pub(super) struct SharedPool(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    places: HashMap<Arc<PoolKey>, Place>,
    /// Who may open one: one at a time, so that those who come together find one connection.
    turns: Option<Arc<Turns>>,
    /// Counts uses, to tell which place was not used for longest.
    clock: u64,
}

#[derive(Debug, Default)]
struct Place {
    connections: Vec<Arc<Shared>>,
    /// The server has chosen HTTP/1.1.
    speaks_http1: bool,
    used: u64,
}

impl SharedPool {
    pub(super) fn clear(&self) {
        let old = std::mem::take(&mut *self.lock());
        drop(old);
    }

    pub(super) fn count_idle(&self) -> usize {
        let places = self.lock();
        let all = places.places.values().flat_map(|place| &place.connections);
        all.filter(|shared| shared.hub.open_streams() == 0).count()
    }

    /// Nothing that runs under the lock leaves it half changed.
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Pool {
    /// A place on a connection that is there.
    pub(crate) fn join(&self, origin: Origin<'_>, now: Instant) -> Option<(Arc<Shared>, Slot)> {
        let key = PoolKey::new(origin);
        let keep = self.limits().keep;
        let known = {
            let mut places = self.shared.lock();
            let used = places.tick();
            let place = places.places.get_mut(&key)?;
            place.used = used;
            place.connections.clone()
        };
        let mut lost = Vec::new();
        let mut joined = None;
        for shared in known {
            if !shared.is_usable(now, keep) {
                lost.push(shared);
            } else if let Some(slot) = shared.hub.join() {
                joined = Some((shared, slot));
                break;
            }
        }
        if !lost.is_empty() {
            let mut places = self.shared.lock();
            if let Some(place) = places.places.get_mut(&key) {
                let is_lost =
                    |known: &Arc<Shared>| lost.iter().any(|lost| Arc::ptr_eq(lost, known));
                place.connections.retain(|known| !is_lost(known));
            }
        }
        if joined.is_some() {
            self.count_joined();
        }
        joined
    }

    /// Whether the server has chosen HTTP/1.1 when it could choose.
    pub(crate) fn speaks_http1(&self, origin: Origin<'_>) -> bool {
        let places = self.shared.lock();
        !places.places.is_empty()
            && places.places.get(&PoolKey::new(origin)).is_some_and(|place| place.speaks_http1)
    }

    /// It has.
    pub(crate) fn note_http1(&self, origin: Origin<'_>) {
        let evicted = self.place(origin, |place| place.speaks_http1 = true);
        drop(evicted);
    }

    /// Waits until nobody else opens such a connection. `None`: the pool was closed.
    pub(crate) async fn turn_to_open(&self, origin: Origin<'_>) -> Option<Turn> {
        let turns = {
            let mut places = self.shared.lock();
            Arc::clone(places.turns.get_or_insert_with(|| Turns::new(1)))
        };
        let Vacancy { key, closing, .. } = self.vacancy(origin);
        closing.guard(turns.next(key)).await
    }

    /// Takes a connection that was opened; whoever has opened it joins it at once.
    pub(crate) fn share(&self, origin: Origin<'_>, shared: &Arc<Shared>) {
        if shared.was_closed() {
            return;
        }
        let evicted = self.place(origin, |place| {
            place.speaks_http1 = false;
            place.connections.push(Arc::clone(shared));
        });
        drop(evicted);
        if shared.was_closed() {
            // In between: those that were opened before must not be found after.
            self.shared.clear();
        }
    }

    /// Changes a place; what was not used for longest makes room, if nothing is under way there.
    fn place(&self, origin: Origin<'_>, change: impl FnOnce(&mut Place)) -> Vec<Place> {
        let (limits, now) = (self.limits(), Instant::now());
        let mut places = self.shared.lock();
        let used = places.tick();
        let place = places.places.entry(Arc::new(PoolKey::new(origin))).or_default();
        place.used = used;
        change(place);
        let mut evicted = Vec::new();
        for place in places.places.values_mut() {
            let is_expired = |shared: &Arc<Shared>| {
                shared.hub.open_streams() == 0
                    && now.saturating_duration_since(shared.hub.idle_since()) >= limits.keep
            };
            let connections =
                place.connections.extract_if(.., |shared| is_expired(shared)).collect();
            evicted.push(Place { connections, ..Place::default() });
        }
        while places.places.len() > limits.origins.max(1) {
            let is_idle = |place: &Place| {
                place.connections.iter().all(|shared| shared.hub.open_streams() == 0)
            };
            let idle = places.places.iter().filter(|(_, place)| is_idle(place));
            let oldest = idle.min_by_key(|(_, place)| place.used);
            let Some(oldest) = oldest.map(|(key, _)| Arc::clone(key)) else { break };
            evicted.extend(places.places.remove(&oldest));
        }
        evicted
    }
}

impl Places {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}
