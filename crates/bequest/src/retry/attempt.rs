//! What was tried.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::error::Error;
use crate::response::Response;
use crate::timings::Timings;

/// The most that are remembered of one request; a policy may have no limit.
const KEPT: usize = 100;

/// An attempt that was retried: how it ended, and when the next one began.
#[derive(Clone)]
pub struct Attempt {
    pub(crate) end: Result<StatusCode, Arc<Error>>,
    pub(crate) took: Duration,
    pub(crate) wait: Duration,
    /// What was spent on it, and on the wait.
    pub(crate) timings: Timings,
}

impl Attempt {
    /// The status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.end.as_ref().ok().copied()
    }

    /// Why there was no response.
    pub fn error(&self) -> Option<&Error> {
        self.end.as_ref().err().map(|error| &**error)
    }

    /// How long it took until that was known.
    pub fn elapsed(&self) -> Duration {
        self.took
    }

    /// How long was waited before the next attempt.
    pub fn wait(&self) -> Duration {
        self.wait
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.end {
            Ok(status) => write!(f, "Attempt({status}, ")?,
            Err(error) => write!(f, "Attempt({:?}, ", error.kind())?,
        }
        write!(f, "took {:?}, waited {:?})", self.took, self.wait)
    }
}

/// The attempts of one request before the last one, oldest first.
#[derive(Default)]
pub(crate) struct Attempts {
    kept: Vec<Attempt>,
    count: usize,
}

impl Attempts {
    pub(crate) fn push(&mut self, attempt: Attempt) {
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push(attempt);
        self.count += 1;
    }

    pub(crate) fn leave_with(self, response: &mut Response) {
        response.head_mut().attempts = self.kept;
    }

    pub(crate) fn copy_to(&self, response: &mut Response) {
        response.head_mut().attempts.clone_from(&self.kept);
    }

    pub(crate) fn leave_with_error(self, error: Error) -> Error {
        match self.count {
            0 => error,
            count => error.carry_attempts(count, self.kept),
        }
    }
}

impl Response {
    /// The attempts before this one that were retried, oldest first: the last 100 of them. Those of
    /// redirects are with the responses of the [`history`](Self::history).
    pub fn attempts(&self) -> &[Attempt] {
        &self.head().attempts
    }
}

impl Error {
    /// It ended the last attempt, whose head had come: what was tried before that is with the response.
    pub(crate) fn after_attempts(self, response: &mut Response) -> Self {
        let tried = std::mem::take(&mut response.head_mut().attempts);
        if tried.is_empty() {
            return self;
        }
        let error = tried.iter().fold(self, |error, attempt| error.after(&attempt.timings));
        error.carry_attempts(tried.len(), tried)
    }

    /// The attempts before the one that failed last, oldest first: the last 100 of them.
    pub fn attempts(&self) -> &[Attempt] {
        let carried = self.carried_attempts().and_then(|attempts| attempts.downcast_ref());
        carried.map_or(&[], |attempts: &Vec<Attempt>| attempts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_are_kept() {
        let mut attempts = Attempts::default();
        for ms in 0..250 {
            let took = Duration::from_millis(ms);
            attempts.push(Attempt {
                end: Ok(StatusCode::BAD_GATEWAY),
                took,
                wait: Duration::ZERO,
                timings: Timings::default(),
            });
        }
        let error = attempts.leave_with_error(Error::other("x"));
        assert_eq!(error.attempts().len(), KEPT);
        let oldest = error.attempts().first().unwrap();
        assert_eq!(oldest.elapsed(), Duration::from_millis(150));
        assert_eq!(format!("{oldest:?}"), "Attempt(502 Bad Gateway, took 150ms, waited 0ns)");
        assert!(oldest.error().is_none());
        assert_eq!(error.to_string(), "x, in attempt 251");
        assert!(Error::other("x").attempts().is_empty());
    }
}
