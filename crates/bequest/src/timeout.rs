//! How long to wait, and for what.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// How long a request may wait.
///
/// Each part is unmentioned (as the session has it), `None` (for ever) or a duration. A new
/// session waits for ever, as Requests does; one line changes that:
///
/// ```
/// use std::time::Duration;
/// use bequest::{Session, Timeout};
///
/// let mut s = Session::new();
/// s.timeout = Duration::from_secs(5).into(); // connect and read
/// s.timeout = Timeout::new()
///     .connect(Duration::from_secs(3))
///     .read(Duration::from_secs(27))
///     .total(Duration::from_secs(60));
/// ```
///
/// A `Duration` stands for connect and read, a pair for connect and read each; `None` waits for
/// ever. Zero, and a duration that the clock can't add, are
/// [`ErrorKind::InvalidTimeout`](crate::ErrorKind::InvalidTimeout) when the request is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeout {
    pool: Option<Limit>,
    connect: Option<Limit>,
    read: Option<Limit>,
    write: Option<Limit>,
    total: Option<Limit>,
    expect: Option<Limit>,
}

/// How long to wait for leave to send a body, unless set otherwise.
const EXPECT: Duration = Duration::from_secs(1);

/// `None` is "for ever".
type Limit = Option<Duration>;

impl Timeout {
    /// Mentions nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long to wait for a connection of a pool that blocks
    /// ([`HttpAdapter::pool_block`](crate::HttpAdapter::pool_block)). No other timeout but the total
    /// counts meanwhile.
    #[must_use]
    pub fn pool(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.pool = Some(limit.into());
        self
    }

    /// One budget from the start of name resolution until the connection is ready, TLS included.
    #[must_use]
    pub fn connect(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect = Some(limit.into());
        self
    }

    /// The longest silence of the server: until its answer begins, and between any two pieces.
    #[must_use]
    pub fn read(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.read = Some(limit.into());
        self
    }

    /// The longest time in which the server takes nothing of what is being sent; unmentioned
    /// everywhere, it is the read timeout.
    #[must_use]
    pub fn write(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.write = Some(limit.into());
        self
    }

    /// A deadline by the clock on the wall, from the call until the last byte of the body.
    #[must_use]
    pub fn total(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.total = Some(limit.into());
        self
    }

    /// How long a request with `Expect: 100-continue` waits for the server's leave before it sends
    /// its body all the same (RFC 9110, section 10.1.1); zero does not wait. Unmentioned
    /// everywhere, it is one second.
    #[must_use]
    pub fn expect_continue(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.expect = Some(limit.into());
        self
    }

    /// What is not mentioned here is taken from `fallback`.
    pub(crate) fn or(self, fallback: Self) -> Self {
        Self {
            pool: self.pool.or(fallback.pool),
            connect: self.connect.or(fallback.connect),
            read: self.read.or(fallback.read),
            write: self.write.or(fallback.write),
            total: self.total.or(fallback.total),
            expect: self.expect.or(fallback.expect),
        }
    }

    /// The pool timeout; `None` waits for ever.
    pub fn pool_limit(&self) -> Option<Duration> {
        self.pool.flatten()
    }

    /// The connect timeout; `None` waits for ever.
    pub fn connect_limit(&self) -> Option<Duration> {
        self.connect.flatten()
    }

    /// The read timeout; `None` waits for ever.
    pub fn read_limit(&self) -> Option<Duration> {
        self.read.flatten()
    }

    /// The write timeout; `None` waits for ever.
    pub fn write_limit(&self) -> Option<Duration> {
        self.write.unwrap_or_else(|| self.read_limit())
    }

    /// The total timeout; `None` waits for ever.
    pub fn total_limit(&self) -> Option<Duration> {
        self.total.flatten()
    }

    /// How long to wait for leave to send a body; `None` waits for ever.
    pub fn expect_limit(&self) -> Option<Duration> {
        self.expect.unwrap_or(Some(EXPECT))
    }

    /// Refuses what can't be meant.
    pub(crate) fn check(&self, now: Instant) -> Result<()> {
        let limits = [
            ("pool", self.pool_limit()),
            ("connect", self.connect_limit()),
            ("read", self.read_limit()),
            ("write", self.write_limit()),
            ("total", self.total_limit()),
            ("expect_continue", self.expect_limit()),
        ];
        for (name, limit) in limits {
            let Some(limit) = limit else { continue };
            let problem = if limit.is_zero() && name != "expect_continue" {
                "a timeout must be more than zero"
            } else if now.checked_add(limit).is_none() {
                "the clock does not reach that far"
            } else {
                continue;
            };
            return Err(Error::with(
                ErrorKind::InvalidTimeout,
                format!("{name} timeout of {limit:?}: {problem}"),
            )
            .remedied("use `None` to wait for ever"));
        }
        Ok(())
    }
}

impl From<Duration> for Timeout {
    fn from(limit: Duration) -> Self {
        Some(limit).into()
    }
}

impl From<Option<Duration>> for Timeout {
    /// A duration is for connect and read; `None` takes every limit away.
    fn from(limit: Option<Duration>) -> Self {
        let both = Self::new().connect(limit).read(limit);
        if limit.is_some() { both } else { both.write(None).pool(None).total(None) }
    }
}

macro_rules! from_pair {
    ($($connect:ty, $read:ty;)*) => {$(
        impl From<($connect, $read)> for Timeout {
            fn from((connect, read): ($connect, $read)) -> Self {
                Self::new().connect(connect).read(read)
            }
        }
    )*};
}

from_pair! {
    Duration, Duration;
    Duration, Option<Duration>;
    Option<Duration>, Duration;
    Option<Duration>, Option<Duration>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn unmentioned_parts_come_from_the_session() {
        let session = Timeout::from(secs(5)).total(secs(60));
        let merged = Timeout::new().read(secs(1)).or(session);
        assert_eq!(merged.connect_limit(), Some(secs(5)));
        assert_eq!(merged.read_limit(), Some(secs(1)));
        assert_eq!(merged.total_limit(), Some(secs(60)));
        let forever = Timeout::from(None).or(session);
        assert_eq!((forever.connect_limit(), forever.read_limit()), (None, None));
        assert_eq!((forever.write_limit(), forever.total_limit()), (None, None));
        assert_eq!(Timeout::from(None).or(Timeout::new().pool(secs(1))).pool_limit(), None);
    }

    #[test]
    fn pairs_are_connect_and_read() {
        let both: Timeout = (secs(3), None).into();
        assert_eq!((both.connect_limit(), both.read_limit()), (Some(secs(3)), None));
        let read: Timeout = (None, secs(27)).into();
        assert_eq!((read.connect_limit(), read.read_limit()), (None, Some(secs(27))));
        assert_eq!(read.write_limit(), Some(secs(27)), "write falls back to read");
        assert_eq!(read.write(None).write_limit(), None);
    }

    #[test]
    fn impossible_timeouts_are_refused() {
        let now = Instant::now();
        for bad in [Duration::ZERO, Duration::MAX] {
            let error = Timeout::new().read(bad).check(now).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidTimeout);
            assert!(error.to_string().starts_with("read timeout of "), "{error}");
            assert!(error.remedy().is_some());
        }
        assert!(Timeout::from(None).check(now).is_ok());
    }
}
