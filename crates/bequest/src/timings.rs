//! How long each step of a request took.

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::Phase;

/// How long each step took: of a response, until its head was there; of an
/// [`Error`](crate::Error), until it failed. What did not happen is `None`: resolving and
/// connecting, if the connection had been used before.
///
/// A response tells its own steps, an error those of the whole request: of redirects, too, and of
/// what was tried before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Waiting for a connection of a pool that blocks.
    pub pool: Option<Duration>,
    /// Looking up the host's name; next to nothing for an address.
    pub resolve: Option<Duration>,
    /// Connecting: the race between the host's addresses.
    pub connect: Option<Duration>,
    /// Having a proxy open a tunnel, once there was a connection to it.
    pub proxy: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// Sending the request; `None` if the system took all of it at once, which is no wait.
    pub send: Option<Duration>,
    /// From then on until the head of the response was there.
    pub wait: Option<Duration>,
    /// Reading the body, from the head on; only an error tells it.
    pub body: Option<Duration>,
    /// Waiting for another try.
    pub sleep: Option<Duration>,
    /// All of it: from just before the request was handed to the adapter until the head was there,
    /// or it failed.
    pub head: Duration,
}

impl Timings {
    /// What was spent on something else comes to this.
    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.pool, other.pool),
            (&mut self.resolve, other.resolve),
            (&mut self.connect, other.connect),
            (&mut self.proxy, other.proxy),
            (&mut self.tls, other.tls),
            (&mut self.send, other.send),
            (&mut self.wait, other.wait),
            (&mut self.body, other.body),
            (&mut self.sleep, other.sleep),
        ];
        for (own, other) in pairs {
            add(own, other);
        }
        self.head += other.head;
    }

    /// So much was spent in that phase.
    pub(crate) fn spend(&mut self, phase: Phase, spent: Duration) {
        let own = match phase {
            Phase::Prepare => return,
            Phase::Pool => &mut self.pool,
            Phase::Resolve => &mut self.resolve,
            Phase::Connect(_) => &mut self.connect,
            Phase::Tls => &mut self.tls,
            Phase::Send => &mut self.send,
            Phase::Wait => &mut self.wait,
            Phase::Body => &mut self.body,
            Phase::Proxy => &mut self.proxy,
            Phase::Retry => &mut self.sleep,
        };
        add(own, Some(spent));
    }
}

/// What a response keeps of them, in less room: most had a connection at once.
#[derive(Debug, Default)]
pub(crate) struct HeadTimings {
    /// What it took to get a connection.
    pub(crate) before: Option<Box<Timings>>,
    pub(crate) send: Option<Duration>,
    pub(crate) wait: Option<Duration>,
    pub(crate) head: Duration,
}

impl HeadTimings {
    pub(crate) fn all(&self) -> Timings {
        let before = self.before.as_deref().copied().unwrap_or_default();
        Timings { send: self.send, wait: self.wait, head: self.head, ..before }
    }
}

fn add(own: &mut Option<Duration>, other: Option<Duration>) {
    if let Some(other) = other {
        *own.get_or_insert_default() += other;
    }
}

impl fmt::Display for Timings {
    /// The steps that there were, as `connect 12ms, wait 300ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = [
            ("pool", self.pool),
            ("resolve", self.resolve),
            ("connect", self.connect),
            ("proxy", self.proxy),
            ("tls", self.tls),
            ("send", self.send),
            ("wait", self.wait),
            ("body", self.body),
            ("sleep", self.sleep),
        ];
        let mut sign = "";
        for (name, spent) in steps {
            if let Some(spent) = spent {
                write!(f, "{sign}{name} {}ms", spent.as_millis())?;
                sign = ", ";
            }
        }
        Ok(())
    }
}

/// Measures phases that follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    phase: Phase,
    since: Instant,
    timings: Timings,
}

impl Stopwatch {
    pub(crate) fn start(phase: Phase, now: Instant) -> Self {
        Self { phase, since: now, timings: Timings::default() }
    }

    /// One phase is over, the next begins; says when.
    pub(crate) fn enter(&mut self, phase: Phase) -> Instant {
        let now = Instant::now();
        self.timings.spend(self.phase, now.saturating_duration_since(self.since));
        (self.phase, self.since) = (phase, now);
        now
    }

    /// What is under way.
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// When that began.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// What is over.
    pub(crate) fn timings(&self) -> Timings {
        self.timings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn phases_are_added_up_and_told_in_order() {
        let mut timings = Timings::default();
        assert_eq!(timings.to_string(), "");
        for (phase, spent) in [
            (Phase::Prepare, 7),
            (Phase::Wait, 200),
            (Phase::Connect(None), 12),
            (Phase::Wait, 100),
            (Phase::Resolve, 0),
        ] {
            timings.spend(phase, ms(spent));
        }
        assert_eq!(timings.to_string(), "resolve 0ms, connect 12ms, wait 300ms");
        let before = Timings { sleep: Some(ms(5)), head: ms(1), ..timings };
        timings.add(&before);
        assert_eq!(timings.to_string(), "resolve 0ms, connect 24ms, wait 600ms, sleep 5ms");
        assert_eq!(timings.head, ms(1));
    }
}
