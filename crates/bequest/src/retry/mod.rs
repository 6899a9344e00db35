//! Retries: what failed, and may go better the next time.
//!
//! This is the policy and its arithmetic, which wait for nothing; `adapter::retrying` acts on it.

mod after;
mod attempt;
mod backoff;
mod budget;
mod category;
mod decide;

use std::sync::Arc;
use std::time::Duration;

pub use attempt::Attempt;
pub(crate) use attempt::Attempts;
pub use backoff::Jitter;
pub use budget::RetryBudget;
pub(crate) use category::Category;
pub(crate) use decide::{Course, Decision, Facts, Outcome, Reason};

/// The methods that may be retried after the server may have seen the request, unless set
/// otherwise: doing them twice is the same as once (RFC 9110, section 9.2.2).
const IDEMPOTENT: [&str; 6] = ["HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE"];

/// When a request that failed is sent again, and after how long (urllib3's `Retry`).
///
/// ```
/// # use std::time::Duration;
/// use bequest::{HttpAdapter, Retry, Session};
///
/// let mut s = Session::new();
/// // For every request of a session,
/// s.retry = Some(Retry::new().total(3).backoff_factor(0.5).status_forcelist([502, 503, 504]));
/// // for some URLs, unless session or request say otherwise,
/// s.mount("https://example.org/", HttpAdapter::new().max_retries(3));
/// // or for one request.
/// let request = s.get("https://example.org/").retry(Retry::none());
/// ```
///
/// Four things can go wrong, and each has a number of retries, beside the `total`:
///
/// - [`connect`](Self::connect): there was no connection, so the server can't have seen the request.
///   Every method is sent again.
/// - [`read`](Self::read): it was sent, or begun, and there was no answer in time, or none that is
///   HTTP. It is sent again if its method is one of [`allowed_methods`](Self::allowed_methods).
/// - [`status`](Self::status): the answer's status is one of
///   [`status_forcelist`](Self::status_forcelist), or 413, 429 or 503 with a Retry-After field. The
///   same methods.
/// - [`other`](Self::other): TLS or a proxy failed. A certificate that is not trusted, an argument that
///   is wrong, a timeout of the whole request are final.
///
/// A new one allows 10 retries in total, without waiting; [`Retry::standard`] is a policy to start
/// with. A body that can be read only once is not sent twice: what failed then is the caller's.
/// What was tried is in [`Response::attempts`](crate::Response::attempts) and
/// [`Error::attempts`](crate::Error::attempts).
///
/// Each method returns a changed policy. Clones are cheap, and share nothing but a
/// [`RetryBudget`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Retry(Arc<Policy>);

#[derive(Clone, Debug)]
struct Policy {
    total: Option<u32>,
    connect: Option<u32>,
    read: Option<u32>,
    status: Option<u32>,
    other: Option<u32>,
    /// In upper case; `None` is every method.
    allowed_methods: Option<Vec<String>>,
    status_forcelist: Vec<u16>,
    backoff_factor: f64,
    backoff_max: Duration,
    jitter: Jitter,
    raise_on_status: bool,
    respect_retry_after: bool,
    retry_after_max: Duration,
    time_budget: Option<Duration>,
    budget: Option<RetryBudget>,
}

impl Retry {
    /// At most 10 retries, without waiting, and of no status but what asks for it by Retry-After.
    pub fn new() -> Self {
        Self(Arc::new(Policy {
            total: Some(10),
            connect: None,
            read: None,
            status: None,
            other: None,
            allowed_methods: Some(IDEMPOTENT.map(str::to_owned).into()),
            status_forcelist: Vec::new(),
            backoff_factor: 0.0,
            backoff_max: Duration::from_secs(120),
            jitter: Jitter::None,
            raise_on_status: true,
            respect_retry_after: true,
            retry_after_max: Duration::from_secs(6 * 3600),
            time_budget: None,
            budget: None,
        }))
    }

    /// Nothing is retried.
    pub fn none() -> Self {
        Self::new().total(0)
    }

    /// A policy to start with: three retries of what may be repeated, also of 429, 502, 503 and
    /// 504; waits of up to 0.5, 1 and 2 seconds, drawn at random so that many clients don't come
    /// back at once, or what Retry-After says up to a minute; and a budget, so that a server that
    /// is down does not get three times the load.
    pub fn standard() -> Self {
        Self::new()
            .total(3)
            .status_forcelist([429, 502, 503, 504])
            .backoff_factor(0.5)
            .jitter(Jitter::Full)
            .retry_after_max(Duration::from_secs(60))
            .budget(RetryBudget::new(10, 0.1))
    }

    /// How many retries there may be, whatever fails; `None` is no limit. It counts beside the
    /// numbers for each kind of failure: the one that is used up first decides.
    pub fn total(self, most: impl Into<Option<u32>>) -> Self {
        self.with(|policy| policy.total = most.into())
    }

    /// How many retries there may be after there was no connection; `None` leaves it to `total`.
    pub fn connect(self, most: impl Into<Option<u32>>) -> Self {
        self.with(|policy| policy.connect = most.into())
    }

    /// How many retries there may be after the request was sent, or begun, and not answered; `None`
    /// leaves it to `total`.
    pub fn read(self, most: impl Into<Option<u32>>) -> Self {
        self.with(|policy| policy.read = most.into())
    }

    /// How many retries there may be after an answer with a status that asks for one; `None`
    /// leaves it to `total`.
    pub fn status(self, most: impl Into<Option<u32>>) -> Self {
        self.with(|policy| policy.status = most.into())
    }

    /// How many retries there may be after anything else; `None` leaves it to `total`.
    pub fn other(self, most: impl Into<Option<u32>>) -> Self {
        self.with(|policy| policy.other = most.into())
    }

    /// The methods that may be retried when the server may have seen the request; POST and PATCH are
    /// not among them unless they are named here. None at all is possible, too.
    pub fn allowed_methods<M: AsRef<str>>(self, methods: impl IntoIterator<Item = M>) -> Self {
        let methods = methods.into_iter().map(|method| method.as_ref().to_ascii_uppercase());
        let methods = Some(methods.collect());
        self.with(|policy| policy.allowed_methods = methods)
    }

    /// Every method may be retried (urllib3's `allowed_methods=None`).
    pub fn any_method(self) -> Self {
        self.with(|policy| policy.allowed_methods = None)
    }

    /// The statuses that are retried.
    pub fn status_forcelist(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        let statuses = statuses.into_iter().collect();
        self.with(|policy| policy.status_forcelist = statuses)
    }

    /// How long to wait, in seconds: nothing before the first retry, then two times this, four times,
    /// eight times, up to [`backoff_max`](Self::backoff_max). (With [`Jitter::Full`] and
    /// [`Jitter::Equal`] the first retry waits, too: once this.)
    pub fn backoff_factor(self, seconds: f64) -> Self {
        self.with(|policy| policy.backoff_factor = seconds)
    }

    /// The longest wait that `backoff_factor` leads to; two minutes unless it is set.
    pub fn backoff_max(self, most: Duration) -> Self {
        self.with(|policy| policy.backoff_max = most)
    }

    /// The most that chance adds to a wait: [`Jitter::Added`], as in urllib3.
    pub fn backoff_jitter(self, most: Duration) -> Self {
        self.jitter(Jitter::Added(most))
    }

    /// What chance does to a wait; nothing unless it is set.
    pub fn jitter(self, jitter: Jitter) -> Self {
        self.with(|policy| policy.jitter = jitter)
    }

    /// Whether a status that is still there after the last retry is
    /// [`ErrorKind::Retry`](crate::ErrorKind::Retry), with the response in it; else that response
    /// is returned. `true` unless it is set.
    pub fn raise_on_status(self, raise: bool) -> Self {
        self.with(|policy| policy.raise_on_status = raise)
    }

    /// Whether Retry-After (RFC 9110, section 10.2.3) of a response is obeyed, in place of the
    /// backoff, and makes 413, 429 and 503 be retried. `true` unless it is set.
    pub fn respect_retry_after_header(self, respect: bool) -> Self {
        self.with(|policy| policy.respect_retry_after = respect)
    }

    /// The longest wait that Retry-After leads to; six hours unless it is set.
    pub fn retry_after_max(self, most: Duration) -> Self {
        self.with(|policy| policy.retry_after_max = most)
    }

    /// How long after its beginning a request may be retried; `None` is no limit. A wait that would
    /// last longer is not begun: what failed last is the caller's at once. An attempt that has begun
    /// is not cut short: that is the total timeout's business, which ends a wait, too.
    pub fn time_budget(self, most: impl Into<Option<Duration>>) -> Self {
        self.with(|policy| policy.time_budget = most.into())
    }

    /// What all requests with this policy may spend on retries together.
    pub fn budget(self, budget: impl Into<Option<RetryBudget>>) -> Self {
        self.with(|policy| policy.budget = budget.into())
    }

    fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Whether there is anything that it would retry.
    pub(crate) fn is_none(&self) -> bool {
        self.0.total == Some(0) && self.0.status_forcelist.is_empty()
    }

    pub(crate) fn shared_budget(&self) -> Option<&RetryBudget> {
        self.0.budget.as_ref()
    }

    /// Whether the status was asked to be retried, and its staying to be an error.
    pub(crate) fn raises(&self, status: u16, reason: Reason) -> bool {
        let asked = reason == Reason::Exhausted || self.0.status_forcelist.contains(&status);
        self.0.raise_on_status && asked
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

impl From<u32> for Retry {
    /// That many in total (Requests' `max_retries=3`).
    fn from(total: u32) -> Self {
        Self::new().total(total)
    }
}

#[cfg(test)]
mod tests;
