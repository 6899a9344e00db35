//! Whether to try again: the arithmetic of urllib3 2.8, without waiting for anything.

use std::time::{Duration, SystemTime};

use http::Method;

use super::{Category, Policy, Retry, after};

/// The statuses that Retry-After makes be retried.
const MAY_COME_BACK: [u16; 3] = [413, 429, 503];

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome<'a> {
    Failed(Category),
    Answered { status: u16, retry_after: Option<&'a str> },
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Another attempt, after so long.
    Again(Duration),
    /// The caller gets what there is: it was not for a retry.
    Leave,
    /// The caller gets what there is, though a retry was wanted.
    GiveUp(Reason),
}

/// Why there is no retry where one was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A number of retries is used up.
    Exhausted,
    /// The body can be read only once, and was.
    BodySpent,
    /// The time budget would be over.
    OutOfTime,
    /// The budget that is shared with others is used up.
    OverBudget,
}

/// What is known of a request when an attempt has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) method: &'a Method,
    pub(crate) outcome: Outcome<'a>,
    /// Its body is as it was.
    pub(crate) repeatable: bool,
    /// Since the first attempt began.
    pub(crate) elapsed: Duration,
    pub(crate) now: SystemTime,
    /// 0 to 1.
    pub(crate) random: f64,
}

/// How far a request has come with its retries.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    retry: Retry,
    /// What is left of each number; below zero it is used up.
    total: Option<i64>,
    connect: Option<i64>,
    read: Option<i64>,
    status: Option<i64>,
    other: Option<i64>,
    failures: u32,
}

impl Course {
    pub(crate) fn new(retry: Retry) -> Self {
        let Policy { total, connect, read, status, other, .. } = &*retry.0;
        Self {
            total: total.map(i64::from),
            connect: connect.map(i64::from),
            read: read.map(i64::from),
            status: status.map(i64::from),
            other: other.map(i64::from),
            failures: 0,
            retry,
        }
    }

    /// An attempt has ended.
    pub(crate) fn decide(&mut self, facts: &Facts<'_>) -> Decision {
        let after = match facts.outcome {
            Outcome::Answered { retry_after, .. } => {
                retry_after.and_then(|value| after::parse(value, facts.now))
            }
            Outcome::Failed(_) => None,
        };
        if !self.wants(facts, after.is_some()) {
            return Decision::Leave;
        }
        self.count(facts.outcome);
        if self.is_exhausted() {
            return Decision::GiveUp(Reason::Exhausted);
        }
        let wait = self.wait(after, facts.random);
        let policy = &*self.retry.0;
        if !facts.repeatable {
            return Decision::GiveUp(Reason::BodySpent);
        }
        if policy.time_budget.is_some_and(|most| facts.elapsed.saturating_add(wait) > most) {
            return Decision::GiveUp(Reason::OutOfTime);
        }
        Decision::Again(wait)
    }

    fn wants(&self, facts: &Facts<'_>, has_retry_after: bool) -> bool {
        let policy = &*self.retry.0;
        match facts.outcome {
            Outcome::Failed(Category::Connect | Category::Other) => true,
            Outcome::Failed(Category::Read) => policy.allows(facts.method),
            Outcome::Failed(Category::Final) => false,
            Outcome::Answered { status, .. } => {
                let comes_back = has_retry_after
                    && policy.respect_retry_after
                    && MAY_COME_BACK.contains(&status)
                    && self.total.is_some_and(|total| total != 0);
                policy.allows(facts.method)
                    && (policy.status_forcelist.contains(&status) || comes_back)
            }
        }
    }

    fn count(&mut self, outcome: Outcome<'_>) {
        let counter = match outcome {
            Outcome::Failed(Category::Connect) => &mut self.connect,
            Outcome::Failed(Category::Read) => &mut self.read,
            Outcome::Failed(Category::Other | Category::Final) => &mut self.other,
            Outcome::Answered { .. } => &mut self.status,
        };
        for counter in [&mut self.total, counter].into_iter().flatten() {
            *counter -= 1;
        }
        self.failures = self.failures.saturating_add(1);
    }

    fn is_exhausted(&self) -> bool {
        let counters = [self.total, self.connect, self.read, self.status, self.other];
        counters.into_iter().flatten().any(|left| left < 0)
    }

    /// What the server says, if it says more than nothing; else the backoff.
    fn wait(&self, after: Option<Duration>, random: f64) -> Duration {
        let policy = &*self.retry.0;
        let after = after.filter(|_| policy.respect_retry_after).unwrap_or_default();
        match after.min(policy.retry_after_max) {
            Duration::ZERO => policy.backoff(self.failures, random),
            wait => wait,
        }
    }
}

impl Policy {
    fn allows(&self, method: &Method) -> bool {
        let is_it = |allowed: &String| allowed.eq_ignore_ascii_case(method.as_str());
        self.allowed_methods.as_ref().is_none_or(|allowed| allowed.iter().any(is_it))
    }
}
