//! What adapters have done so far.

use std::ops::AddAssign;

/// What the connections of a session have done so far, and what they do now:
/// [`Session::stats`](crate::Session::stats), [`Adapter::stats`](crate::Adapter::stats).
///
/// ```
/// # let server = testbed::Testbed::start();
/// # let url = server.url("/get");
/// let s = bequest::Session::new();
/// for _ in 0..3 {
///     s.get(&url).send()?;
/// }
/// let stats = s.stats();
/// assert_eq!((stats.requests, stats.opened, stats.reused), (3, 1, 2));
/// assert_eq!((stats.idle, stats.in_use), (1, 0));
/// # Ok::<(), bequest::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that asked for a connection; each redirect, round of an auth and retry is one.
    pub requests: u64,
    /// Connections that were opened.
    pub opened: u64,
    /// Requests that found a connection that had been kept.
    pub reused: u64,
    /// Requests that were sent once more, since the connection that they had found was closed.
    pub replayed: u64,
    /// Requests that were sent again as a [`Retry`](crate::Retry) says.
    pub retried: u64,
    /// Connections that are kept now, and carry nothing.
    pub idle: usize,
    /// Connections that carry something now, which may be a response that nobody reads.
    pub in_use: usize,
    /// Requests that wait now for a connection of a pool that blocks.
    pub waiting: usize,
}

impl AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        let Self { requests, opened, reused, replayed, retried, idle, in_use, waiting } = other;
        self.requests += requests;
        self.opened += opened;
        self.reused += reused;
        self.replayed += replayed;
        self.retried += retried;
        self.idle += idle;
        self.in_use += in_use;
        self.waiting += waiting;
    }
}
