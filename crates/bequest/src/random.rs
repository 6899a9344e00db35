//! Numbers that nobody can foresee.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// One of them. A `RandomState` has keys from the system, and hashes with a function that does not
/// tell them.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}
