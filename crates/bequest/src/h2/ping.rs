//! Asking a silent server whether it is still there.

use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ::h2::{Ping, PingPong};

use super::hub::State;
use crate::reactor::Timer;

/// Sends a PING when a connection with open streams was silent for so long, and gives it up when
/// nothing has come for as long again.
pub(super) struct Pinger {
    pings: Option<PingPong>,
    interval: Option<Duration>,
    timer: Option<Timer>,
    heard: u64,
    asked: bool,
}

impl Pinger {
    pub(super) fn new(pings: Option<PingPong>, interval: Option<Duration>) -> Self {
        Self { pings, interval, timer: None, heard: 0, asked: false }
    }

    /// Is ready when something is to be done: with `true` a PING was queued, and is to be sent; with
    /// `false` the server has not answered one, and is given up.
    pub(super) fn poll(&mut self, state: &State, context: &mut Context<'_>) -> Poll<bool> {
        let (Some(pings), Some(interval)) = (&mut self.pings, self.interval) else {
            return Poll::Pending;
        };
        if self.asked && pings.poll_pong(context).is_ready() {
            self.asked = false;
        }
        let heard = state.heard.load(Ordering::Relaxed);
        if heard != self.heard {
            self.heard = heard;
            self.timer = None;
        }
        if state.open_streams() == 0 {
            self.timer = None;
            return Poll::Pending;
        }
        let end = || Timer::new(Instant::now().checked_add(interval).unwrap_or_else(far));
        let timer = self.timer.get_or_insert_with(end);
        if timer.poll_elapsed(context).is_pending() {
            return Poll::Pending;
        }
        if self.asked {
            return Poll::Ready(false);
        }
        self.asked = pings.send_ping(Ping::opaque()).is_ok();
        let mut timer = end();
        let _ = timer.poll_elapsed(context);
        self.timer = Some(timer);
        Poll::Ready(true)
    }
}

/// Longer than anybody waits.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(86_400 * 365)
}
