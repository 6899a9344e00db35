//! How long to wait, if the server does not say it.

use std::time::Duration;

use super::Policy;

/// What chance does to the wait before a retry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// Nothing.
    #[default]
    None,
    /// Adds up to that much (urllib3's `backoff_jitter`).
    Added(Duration),
    /// Draws from all of it: any time up to what the backoff says.
    Full,
    /// Draws from half of it: at least half of what the backoff says.
    Equal,
}

impl Policy {
    /// The wait after so many failures in a row; `random` is 0 to 1.
    pub(super) fn backoff(&self, failures: u32, random: f64) -> Duration {
        let doubled = |times: u32| {
            // More doublings than a number has room for change nothing.
            let times = i32::try_from(times).unwrap_or(i32::MAX).min(1000);
            // No number is no wait.
            self.backoff_factor.max(0.0) * 2f64.powi(times)
        };
        let most = self.backoff_max;
        let drawn = match self.jitter {
            Jitter::None | Jitter::Added(_) if failures <= 1 => return Duration::ZERO,
            Jitter::None => doubled(failures - 1),
            Jitter::Added(jitter) => doubled(failures - 1) + random * jitter.as_secs_f64(),
            // These are for waits that chance has made shorter, so the first one is one, too.
            Jitter::Full => random * at_most(doubled(failures.saturating_sub(1)), most),
            Jitter::Equal => {
                (0.5 + random / 2.0) * at_most(doubled(failures.saturating_sub(1)), most)
            }
        };
        seconds(drawn).min(most)
    }
}

fn at_most(value: f64, most: Duration) -> f64 {
    value.min(most.as_secs_f64())
}

/// What is no time is none; what is too much is for ever.
fn seconds(value: f64) -> Duration {
    match Duration::try_from_secs_f64(value) {
        Ok(duration) => duration,
        Err(_) if value > 0.0 => Duration::MAX,
        Err(_) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Retry;
    use super::*;

    fn waits(retry: &Retry, random: f64) -> Vec<f64> {
        (1..=9).map(|failures| retry.0.backoff(failures, random).as_secs_f64()).collect()
    }

    #[test]
    fn without_chance_it_doubles() {
        let retry = Retry::new().backoff_factor(0.5);
        assert_eq!(waits(&retry, 0.9), [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0]);
        let short = retry.backoff_max(Duration::from_secs(3));
        assert_eq!(waits(&short, 0.9), [0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]);
        assert_eq!(waits(&Retry::new(), 0.9), [0.0; 9]);
    }

    #[test]
    fn chance_adds_or_takes() {
        let retry = Retry::new().backoff_factor(1.0).backoff_max(Duration::from_secs(10));
        let jitter = |jitter, random| waits(&retry.clone().jitter(jitter), random)[..5].to_vec();
        let added = Jitter::Added(Duration::from_secs(3));
        assert_eq!(jitter(added, 0.5), [0.0, 3.5, 5.5, 9.5, 10.0]);
        assert_eq!(jitter(Jitter::Full, 0.5), [0.5, 1.0, 2.0, 4.0, 5.0]);
        assert_eq!(jitter(Jitter::Full, 0.0), [0.0; 5]);
        assert_eq!(jitter(Jitter::Equal, 0.0), [0.5, 1.0, 2.0, 4.0, 5.0]);
        assert_eq!(jitter(Jitter::Equal, 1.0), [1.0, 2.0, 4.0, 8.0, 10.0]);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for factor in [f64::NAN, -1.0, f64::NEG_INFINITY, 0.0] {
            let retry = Retry::new().backoff_factor(factor);
            for jitter in [Jitter::None, Jitter::Full, Jitter::Equal] {
                let wait = retry.clone().jitter(jitter).0.backoff(u32::MAX, 0.5);
                assert_eq!(wait, Duration::ZERO, "{factor} {jitter:?}");
            }
        }
        for factor in [f64::INFINITY, f64::MAX] {
            let retry = Retry::new().backoff_factor(factor);
            assert_eq!(retry.0.backoff(9, 0.5), Duration::from_secs(120));
        }
    }
}
