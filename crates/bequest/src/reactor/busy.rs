//! Asking the kernel over and over, for a short while, before the thread goes to sleep.

use std::hint;
use std::time::{Duration, Instant};

use rustix::io::Errno;

/// The most waits in a row for which it does not ask.
const MOST_SKIPPED: u32 = 64;

/// Whether and how long it is worth while: a thread that sleeps is woken late, and on a core that has
/// gone idle, so an answer that comes within microseconds is better waited for awake. One that comes
/// later would have the core work for nothing, so after it the next wait is slept through, then two,
/// four, and so on, until an answer comes in time again.
#[derive(Debug)]
pub(super) struct BusyPoll {
    most: Duration,
    /// How many waits are slept through after the next answer that is late.
    penalty: u32,
    /// How many are still to be.
    skip: u32,
}

impl BusyPoll {
    /// `None` for no time at all.
    pub(super) fn new(most: Duration) -> Option<Box<Self>> {
        (!most.is_zero()).then(|| Box::new(Self { most, penalty: 1, skip: 0 }))
    }

    /// Asks until there is an answer other than that there is nothing. `None`: the time for that is
    /// over, or it is not worth while.
    pub(super) fn ask<T>(
        &mut self,
        until: Option<Instant>,
        mut ask: impl FnMut() -> Result<T, Errno>,
    ) -> Option<Result<T, Errno>> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        let end = Instant::now() + self.most;
        let end = until.map_or(end, |until| until.min(end));
        loop {
            match ask() {
                Err(Errno::AGAIN | Errno::INTR) => {}
                answer => {
                    self.penalty = 1;
                    return Some(answer);
                }
            }
            if Instant::now() >= end {
                self.skip = self.penalty;
                self.penalty = (self.penalty * 2).min(MOST_SKIPPED);
                return None;
            }
            hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_as_long_as_it_may() {
        assert!(BusyPoll::new(Duration::ZERO).is_none());
        let most = Duration::from_millis(20);
        let ask = |until: Option<Duration>, answers: usize| {
            let mut busy = BusyPoll::new(most).unwrap();
            let (began, mut asked) = (Instant::now(), 0);
            let answer = busy.ask(until.map(|until| began + until), || {
                asked += 1;
                if asked > answers { Ok(asked) } else { Err(Errno::AGAIN) }
            });
            (answer, began.elapsed())
        };
        assert_eq!(ask(None, 3).0, Some(Ok(4)));
        let (answer, took) = ask(None, usize::MAX);
        assert!(answer.is_none() && took >= most, "{took:?}");
        assert!(ask(Some(Duration::ZERO), usize::MAX).0.is_none());
        let mut busy = BusyPoll::new(most).unwrap();
        let failed = busy.ask(None, || Err::<(), _>(Errno::CONNRESET));
        assert_eq!(failed, Some(Err(Errno::CONNRESET)));
    }

    #[test]
    fn late_answers_make_it_ask_less_and_less() {
        let mut busy = BusyPoll::new(Duration::from_nanos(1)).unwrap();
        let mut asked = 0;
        let waits = 10_000;
        for _ in 0..waits {
            let late = busy.ask(None, || {
                asked += 1;
                Err::<(), _>(Errno::AGAIN)
            });
            assert!(late.is_none());
        }
        let least = waits / MOST_SKIPPED as usize;
        assert!((least..least + 20).contains(&asked), "{asked} of {waits}");
        // One in time, and it asks again each time.
        let in_time = |busy: &mut BusyPoll| busy.ask(None, || Ok(())).is_some();
        assert!((0..=MOST_SKIPPED).any(|_| in_time(&mut busy)));
        assert!((0..100).all(|_| in_time(&mut busy)));
    }
}
