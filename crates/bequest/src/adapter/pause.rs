//! Waiting between two tries.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use crate::error::{Phase, Result};
use crate::net::was_closed;
use crate::reactor::{self, Stop};
use crate::settings::Settings;

/// Ends pauses when their adapter is closed; later ones are of another time.
#[derive(Debug, Default)]
pub(super) struct Closing(Mutex<Arc<Stop>>);

impl Closing {
    pub(super) fn close(&self) {
        let old = std::mem::take(&mut *self.lock());
        old.stop();
    }

    fn now(&self) -> Arc<Stop> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Stop>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Waits until then. The request's token, its total timeout and `closing` end it before, each with
/// the error that the request then ends with.
pub(super) async fn pause(until: Instant, settings: &Settings, closing: &Closing) -> Result<()> {
    let sleep = reactor::sleep_until(until);
    let closing = closing.now();
    let slept = settings.within(closing.guard(sleep)).await;
    slept.and_then(|slept| slept.ok_or_else(was_closed)).map_err(|error| error.during(Phase::Sleep))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cancel::CancelToken;
    use crate::error::ErrorKind;
    use crate::reactor::block_on;
    use crate::settings::SendOptions;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(600);

    /// How a pause ends that others may end, and whether it took as long as a short one.
    fn paused(long: bool, options: &SendOptions, closing: &Closing) -> Result<()> {
        let now = Instant::now();
        let mut settings = Settings::default();
        settings.decide([Some(options), None], now).unwrap();
        let until = now + if long { LONG } else { SHORT };
        let result = block_on(pause(until, &settings, closing));
        assert!(long || now.elapsed() >= SHORT);
        result
    }

    #[test]
    fn ends_by_itself_by_the_token_by_the_total_and_by_closing() {
        let (closing, token) = (Closing::default(), CancelToken::new());
        let cancellable = SendOptions::new().cancel_with(&token);
        for options in [SendOptions::new(), cancellable.clone().timeout(LONG)] {
            paused(false, &options, &closing).unwrap();
        }
        let within = SendOptions::new().timeout(crate::timeout::Timeout::new().total(SHORT));
        let error = paused(true, &within, &closing).unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Deadline, Some(Phase::Sleep)));
        // From another thread, at any moment of the pause or before it.
        for delay in [0, 1, 20] {
            let (closing, token) = (Closing::default(), CancelToken::new());
            let cancellable = SendOptions::new().cancel_with(&token);
            std::thread::scope(|scope| {
                let paused = scope.spawn(|| paused(true, &cancellable, &closing));
                std::thread::sleep(Duration::from_millis(delay));
                token.cancel();
                let error = paused.join().unwrap().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
                let paused = scope.spawn(|| self::paused(true, &SendOptions::new(), &closing));
                while !paused.is_finished() {
                    closing.close();
                }
                let error = paused.join().unwrap().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
            });
        }
        paused(false, &cancellable, &closing).unwrap();
    }
}
