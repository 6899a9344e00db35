//! The limit of one kind of waiting, and the total timeout above it.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::reactor::{StopWait, Timer};
use crate::settings::{Settings, earlier};

/// Runs while nothing happens, and knows who may end the request. It is looked at only when there
/// is something to wait for, and costs nothing where no limit is set.
pub(super) struct Clock {
    kind: ErrorKind,
    limit: Option<Duration>,
    total: Option<Instant>,
    total_limit: Option<Duration>,
    running: Option<(Timer, bool)>,
    cancel: Option<Box<StopWait>>,
}

impl Clock {
    pub(super) fn reading(settings: &Settings) -> Self {
        Self::new(ErrorKind::ReadTimeout, settings.timeout.read_limit(), settings)
    }

    pub(super) fn writing(settings: &Settings) -> Self {
        Self::new(ErrorKind::WriteTimeout, settings.timeout.write_limit(), settings)
    }

    /// For a wait whose own limit is no error.
    pub(super) fn total(settings: &Settings) -> Self {
        Self::new(ErrorKind::Deadline, None, settings)
    }

    fn new(kind: ErrorKind, limit: Option<Duration>, settings: &Settings) -> Self {
        let total_limit = settings.timeout.total_limit();
        let cancel = settings.cancel.as_ref();
        let cancel = cancel.map(|token| Box::new(StopWait::new(Arc::clone(token.stop()))));
        Self { kind, limit, total: settings.deadline, total_limit, running: None, cancel }
    }

    /// Something happened: the limit begins anew at the next wait. The total timeout does not,
    /// however much is happening.
    pub(super) fn progress(&mut self, phase: Phase) -> Result<()> {
        self.running = None;
        if let Some(cancel) = &mut self.cancel {
            cancel.rest();
        }
        self.check(phase)
    }

    /// The error, once the total timeout is over or the request was cancelled.
    pub(super) fn check(&self, phase: Phase) -> Result<()> {
        if self.cancel.as_ref().is_some_and(|cancel| cancel.has_stopped()) {
            return Err(CancelToken::error().during(phase));
        }
        match self.total {
            Some(total) if Instant::now() >= total => Err(over(self.total_limit).during(phase)),
            _ => Ok(()),
        }
    }

    /// The error, once a limit is reached or the request was cancelled.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, phase: Phase) -> Poll<Error> {
        if let Some(cancel) = &mut self.cancel
            && cancel.poll_stopped(context).is_ready()
        {
            return Poll::Ready(CancelToken::error().during(phase));
        }
        if self.limit.is_none() && self.total.is_none() {
            return Poll::Pending;
        }
        let (limit, total) = (self.limit, self.total);
        let (timer, is_total) = self.running.get_or_insert_with(|| {
            let now = Instant::now();
            let (at, is_total) = earlier(now, limit, total);
            // One of the two is set, and `Timeout::check` refused what can't be added.
            (Timer::new(at.unwrap_or(now)), is_total)
        });
        let is_total = *is_total;
        ready!(timer.poll_elapsed(context));
        Poll::Ready(if is_total { over(self.total_limit) } else { self.silent() }.during(phase))
    }

    fn silent(&self) -> Error {
        let limit = self.limit.unwrap_or_default();
        let what = match self.kind {
            ErrorKind::WriteTimeout => format!("the server took nothing for {limit:?}"),
            _ => format!("the server was silent for {limit:?}"),
        };
        Error::with(self.kind, what)
    }
}

fn over(limit: Option<Duration>) -> Error {
    let limit = limit.unwrap_or_default();
    Error::with(ErrorKind::Deadline, format!("the total timeout of {limit:?} was over"))
}
