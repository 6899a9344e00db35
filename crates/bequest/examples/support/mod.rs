//! What the examples share: they check what they say.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static PASSED: AtomicUsize = AtomicUsize::new(0);
static FAILED: AtomicUsize = AtomicUsize::new(0);

/// Begins a section of the output.
pub(crate) fn section(title: &str) {
    println!("\n── {title}");
}

/// Counts a claim, and says so if it does not hold.
pub(crate) fn check(claim: &str, holds: bool) {
    if holds {
        PASSED.fetch_add(1, Relaxed);
    } else {
        FAILED.fetch_add(1, Relaxed);
        println!("   FAILED: {claim}");
    }
}

/// The last line of an example; an error if a claim did not hold.
pub(crate) fn conclude() -> Result<(), Box<dyn std::error::Error>> {
    let (passed, failed) = (PASSED.load(Relaxed), FAILED.load(Relaxed));
    if failed > 0 {
        return Err(format!("{failed} of {} checks failed", passed + failed).into());
    }
    println!("\n{passed} checks passed");
    Ok(())
}
