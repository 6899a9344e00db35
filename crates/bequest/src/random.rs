//! Numbers that nobody can foresee.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// One of them. A `RandomState` has keys from the system, and hashes with a function that does not
/// tell them.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// From 0 to, but not, 1.
#[expect(clippy::cast_precision_loss, reason = "a fraction has 53 bits")]
pub(crate) fn fraction() -> f64 {
    (random() >> 11) as f64 / (1_u64 << 53) as f64
}
