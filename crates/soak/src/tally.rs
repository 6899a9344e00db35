//! What was done, and what came of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bequest::{Error, ErrorKind, Phase};

use crate::Outcome;

/// Shared by all who work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// Of the async door, and of the blocking one.
    done: [Done; 2],
    good: u64,
    given_up: u64,
    errors: BTreeMap<String, u64>,
}

/// What the counters of a door's sessions must say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) requests: u64,
    pub(crate) retries: u64,
    /// Connections that could not be opened.
    pub(crate) unopened: u64,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn done(&self, blocking: bool) -> Done {
        self.lock().done[usize::from(blocking)]
    }

    /// A request was made, of which each of these attempts but the last was followed by another.
    pub(crate) fn request(&self, blocking: bool, retries: usize, errors: &[&Error]) {
        let mut told = self.lock();
        let done = &mut told.done[usize::from(blocking)];
        done.requests += 1;
        done.retries += retries as u64;
        done.unopened += errors.iter().filter(|error| never_opened(error)).count() as u64;
    }

    pub(crate) fn good(&self) {
        self.lock().good += 1;
    }

    pub(crate) fn given_up(&self) {
        self.lock().given_up += 1;
    }

    /// An error that docs/faults.md has for connections that are closed, reset or silent.
    pub(crate) fn bad(&self, error: &Error) -> Outcome {
        use ErrorKind::{Connect, ConnectTimeout, Disconnected, IncompleteBody};
        use ErrorKind::{ReadTimeout, Tls, WriteTimeout};
        let kind = error.kind();
        let known = [Connect, ConnectTimeout, Tls, Disconnected, IncompleteBody];
        let known = known.contains(&kind) || [ReadTimeout, WriteTimeout].contains(&kind);
        if !known {
            return Err(format!("this may not be: {error}").into());
        }
        *self.lock().errors.entry(format!("{kind:?}")).or_default() += 1;
        Ok(())
    }

    pub(crate) fn report(&self, took: Duration) {
        let told = self.lock();
        let requests: u64 = told.done.iter().map(|done| done.requests).sum();
        let retries: u64 = told.done.iter().map(|done| done.retries).sum();
        println!(
            "{requests} requests in {took:.0?}, {} good, {} given up, {retries} retries; errors: {:?}",
            told.good, told.given_up, told.errors
        );
    }

    /// Whether there was enough of everything for the rest to mean something.
    pub(crate) fn is_worth_something(&self) -> Outcome {
        let told = self.lock();
        let errors: u64 = told.errors.values().sum();
        let enough = told.good > 1000 && errors > 20 && told.given_up > 20;
        let retries: u64 = told.done.iter().map(|done| done.retries).sum();
        let all = retries > 10 && told.done.iter().all(|done| done.requests > 300);
        if enough && all { Ok(()) } else { Err(format!("too little was done: {told:?}").into()) }
    }
}

fn never_opened(error: &Error) -> bool {
    matches!(error.phase(), Some(Phase::Resolve | Phase::Connect(_) | Phase::Tls))
}
