//! Telling the log about a body, in the span of its request: whoever reads it may be elsewhere.

#[cfg(feature = "tracing")]
use crate::trace::{self, Began, Span};

/// A body that is being received; nothing without the feature `tracing`.
pub(super) struct Log {
    #[cfg(feature = "tracing")]
    span: Span,
    #[cfg(feature = "tracing")]
    began: Began,
    #[cfg(feature = "tracing")]
    bytes: u64,
    #[cfg(feature = "tracing")]
    told: bool,
}

#[cfg(feature = "tracing")]
impl Log {
    pub(super) fn begin() -> Self {
        Self { span: Span::current(), began: Began::now(), bytes: 0, told: false }
    }

    pub(super) fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// No more of it will come: that was all, or nobody wants the rest. The first end counts.
    pub(super) fn end(&mut self, whole: bool) {
        if !std::mem::replace(&mut self.told, true) {
            trace::event!(
                in self.span;
                DEBUG,
                bytes = self.bytes,
                whole,
                elapsed_ms = self.began.elapsed_ms(),
                "body"
            );
        }
    }
}

#[cfg(not(feature = "tracing"))]
impl Log {
    pub(super) fn begin() -> Self {
        Self {}
    }

    pub(super) fn count(&mut self, _: usize) {}

    pub(super) fn end(&mut self, _: bool) {}
}
