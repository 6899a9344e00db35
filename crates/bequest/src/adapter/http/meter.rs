//! Telling a caller how much of the bodies has been sent and received.

use std::ops::Range;

use super::round_trip::RoundTrip;
use crate::progress::{OnProgress, Progress};

/// Counts what is written of the request's body, then what is read of the response's.
pub(super) struct Meter {
    on_progress: OnProgress,
    progress: Progress,
    /// What was sent before the present write, and where in it the body is.
    before: u64,
    body: Range<usize>,
}

impl Meter {
    /// `None` where nobody wants to know.
    pub(super) fn new(trip: &RoundTrip<'_>) -> Option<Box<Self>> {
        let on_progress = trip.settings.on_progress.clone()?;
        let progress = Progress { to_send: trip.request.body.len(), ..Progress::default() };
        Some(Box::new(Self { on_progress, progress, before: 0, body: 0..0 }))
    }

    /// A write begins that has `body` bytes of the body, behind `start` bytes that are not.
    pub(super) fn announce(&mut self, start: usize, body: usize) {
        self.before = self.progress.sent;
        self.body = start..start + body;
    }

    /// So much of the write is out.
    pub(super) fn wrote(&mut self, written: usize) {
        let part = written.clamp(self.body.start, self.body.end) - self.body.start;
        let sent = self.before + part as u64;
        if sent > self.progress.sent {
            self.progress.sent = sent;
            self.on_progress.call(self.progress);
        }
    }

    /// A response has come, with a body of that length, if it is known.
    pub(super) fn receive(&mut self, length: Option<u64>) {
        self.progress.to_receive = length;
    }

    /// So much more of it was read.
    pub(super) fn read(&mut self, count: usize) {
        if count > 0 {
            self.progress.received += count as u64;
            self.on_progress.call(self.progress);
        }
    }
}
