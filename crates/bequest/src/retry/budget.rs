//! What many requests may spend on retries together.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number of retries that requests share: when a server is down, each of them trying again would
/// be the worst that could happen to it.
///
/// It is a bucket of tokens, full at the beginning. A retry takes one; where there is none, there is
/// no retry, and what failed is the caller's. Each response that needs no retry puts a part of one
/// back. So of many requests that fail, a few are retried; of a few that fail among many, all are.
///
/// ```
/// use bequest::{Retry, RetryBudget, Session};
///
/// // One retry for ten requests that went well, and up to 20 at once.
/// let budget = RetryBudget::new(20, 0.1);
/// let mut s = Session::new();
/// s.retry = Some(Retry::standard().budget(budget.clone()));
/// assert_eq!(budget.left(), 20);
/// ```
///
/// Clones share the tokens; so do the clones of the [`Retry`](crate::Retry) that it is given to, and
/// of the session.
#[derive(Clone)]
pub struct RetryBudget(Arc<Bucket>);

struct Bucket {
    /// In thousandths.
    tokens: AtomicU64,
    most: u64,
    share: u64,
}

const TOKEN: u64 = 1000;

impl RetryBudget {
    /// A full bucket of `most` retries, to which each success adds `share` of one, to a thousandth.
    pub fn new(most: u32, share: f64) -> Self {
        let most = u64::from(most) * TOKEN;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let share = (share.clamp(0.0, 1000.0) * 1000.0).round() as u64;
        Self(Arc::new(Bucket { tokens: AtomicU64::new(most), most, share }))
    }

    /// How many retries there may be now.
    pub fn left(&self) -> u64 {
        self.0.tokens.load(Relaxed) / TOKEN
    }

    /// Takes one retry, if there is one.
    pub(crate) fn take(&self) -> bool {
        let taken = |tokens: u64| tokens.checked_sub(TOKEN);
        self.0.tokens.fetch_update(Relaxed, Relaxed, taken).is_ok()
    }

    /// A request went well.
    pub(crate) fn reward(&self) {
        let Bucket { tokens, most, share } = &*self.0;
        let added = |tokens: u64| (tokens < *most).then(|| (tokens + share).min(*most));
        // An error is a full bucket.
        let _ = tokens.fetch_update(Relaxed, Relaxed, added);
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RetryBudget({} of {})", self.left(), self.0.most / TOKEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_spent_and_filled_again() {
        let budget = RetryBudget::new(2, 0.25);
        let clone = budget.clone();
        assert!(budget.take() && clone.take() && !budget.take());
        assert_eq!(format!("{clone:?}"), "RetryBudget(0 of 2)");
        for _ in 0..3 {
            budget.reward();
        }
        assert!(!clone.take(), "three quarters");
        budget.reward();
        assert!(clone.take() && !budget.take());
        for _ in 0..100 {
            budget.reward();
        }
        assert_eq!(clone.left(), 2, "no more than there was");
    }

    #[test]
    fn no_share_is_odd() {
        for (share, left) in [(f64::NAN, 0), (-1.0, 0), (0.0, 0), (1.0, 1), (f64::INFINITY, 3)] {
            let budget = RetryBudget::new(3, share);
            while budget.take() {}
            budget.reward();
            assert_eq!(budget.left(), left, "{share}");
        }
        assert!(!RetryBudget::new(0, 1.0).take());
    }
}
