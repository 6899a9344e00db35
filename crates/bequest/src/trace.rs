//! What is told to the program's log: events of `tracing`, or of `log` where nobody listens to
//! those. Without the feature `tracing` nothing is, and nothing is formatted.
//!
//! A text must not have secrets in it: use [`secrets`](crate::secrets).

use std::fmt::Arguments;

/// Tells what works, and should not be left so. Call it with `format_args!`.
// What warns may not be compiled.
#[allow(dead_code)]
pub(crate) fn warn(text: Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "bequest", "{text}");
    #[cfg(not(feature = "tracing"))]
    let _ = text;
}
