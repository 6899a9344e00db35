//! Asking the kernel over and over, for a short while, before the thread goes to sleep.

use std::hint;
use std::time::{Duration, Instant};

use rustix::io::Errno;

/// Whether and how long it is worth while: a thread that sleeps is woken late, and on a core that has
/// gone idle, so an answer that comes within microseconds is better waited for awake. One that comes
/// later would have the core work for nothing.
#[derive(Debug)]
pub(super) struct BusyPoll {
    most: Duration,
    /// How long the last wait took.
    last: Duration,
}

impl BusyPoll {
    /// `None` for no time at all.
    pub(super) fn new(most: Duration) -> Option<Box<Self>> {
        (!most.is_zero()).then(|| Box::new(Self { most, last: Duration::ZERO }))
    }

    /// Asks until there is an answer other than that there is nothing, or the time for that is over:
    /// `None`. Where the last wait was longer than it may take, it does not ask at all.
    pub(super) fn ask<T>(
        &self,
        began: Instant,
        until: Option<Instant>,
        mut ask: impl FnMut() -> Result<T, Errno>,
    ) -> Option<Result<T, Errno>> {
        if self.last > self.most {
            return None;
        }
        let end = began + self.most;
        let end = until.map_or(end, |until| until.min(end));
        loop {
            match ask() {
                Err(Errno::AGAIN | Errno::INTR) => {}
                answer => return Some(answer),
            }
            if Instant::now() >= end {
                return None;
            }
            hint::spin_loop();
        }
    }

    /// The wait that began then is over.
    pub(super) fn waited(&mut self, began: Instant) {
        self.last = began.elapsed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_as_long_as_it_may() {
        let most = Duration::from_millis(20);
        let busy = BusyPoll::new(most).unwrap();
        let ask = |until: Option<Duration>, answers: usize| {
            let (began, mut asked) = (Instant::now(), 0);
            let answer = busy.ask(began, until.map(|until| began + until), || {
                asked += 1;
                if asked > answers { Ok(asked) } else { Err(Errno::AGAIN) }
            });
            (answer, began.elapsed())
        };
        assert_eq!(ask(None, 3).0, Some(Ok(4)));
        let (answer, took) = ask(None, usize::MAX);
        assert!(answer.is_none() && took >= most, "{took:?}");
        let (answer, took) = ask(Some(Duration::ZERO), usize::MAX);
        assert!(answer.is_none() && took < most, "{took:?}");
        let failed = busy.ask(Instant::now(), None, || Err::<(), _>(Errno::CONNRESET));
        assert_eq!(failed, Some(Err(Errno::CONNRESET)));
    }

    #[test]
    fn does_not_ask_where_the_last_answer_was_late() {
        assert!(BusyPoll::new(Duration::ZERO).is_none());
        let mut busy = BusyPoll::new(Duration::from_millis(1)).unwrap();
        let now = Instant::now();
        let ask = |busy: &BusyPoll| busy.ask(now, None, || Ok::<_, Errno>(()));
        assert!(ask(&busy).is_some());
        busy.waited(now.checked_sub(Duration::from_secs(1)).unwrap());
        assert!(ask(&busy).is_none());
        busy.last = Duration::from_micros(900);
        assert!(ask(&busy).is_some());
    }
}
