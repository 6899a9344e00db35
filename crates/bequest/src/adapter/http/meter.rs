//! Telling a caller how much of a body has been sent.

use std::ops::Range;

use super::round_trip::RoundTrip;
use crate::progress::{OnProgress, Progress};

/// Counts what is written of a body.
pub(super) struct Meter<'a> {
    on_progress: &'a OnProgress,
    progress: Progress,
    /// What was sent before the present write, and where in it the body is.
    before: u64,
    body: Range<usize>,
}

impl<'a> Meter<'a> {
    /// `None` where nobody wants to know.
    pub(super) fn new(trip: &RoundTrip<'a>) -> Option<Box<Self>> {
        let on_progress = trip.settings.on_progress.as_ref()?;
        let progress = Progress { to_send: trip.request.body.len(), ..Progress::default() };
        Some(Box::new(Self { on_progress, progress, before: 0, body: 0..0 }))
    }

    /// A write begins that has `body` bytes of the body, behind `start` bytes that are not.
    pub(super) fn expect(&mut self, start: usize, body: usize) {
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
}
