//! What is told of a request while it is under way: spans and events of `tracing`, all with the
//! target `bequest`; docs/tracing.md names them. Where nobody listens to those, they go to `log`.
//! Without the feature `tracing` nothing is told, and nothing is formatted.
//!
//! A value must not have secrets in it: use [`secrets`](crate::secrets).

use std::fmt::Arguments;
use std::future::Future;

use crate::future::BoxFuture;

/// Tells what works, and should not be left so. Call it with `format_args!`.
// What warns may not be compiled.
#[allow(dead_code)]
pub(crate) fn warn(text: Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "bequest", "{text}");
    #[cfg(not(feature = "tracing"))]
    let _ = text;
}

/// Tells what happened: `event!(DEBUG, field = value, "text")`. After `in span;` it happened there,
/// wherever the thread is.
#[cfg(feature = "tracing")]
macro_rules! event {
    (in $span:expr; $level:ident, $($what:tt)*) => {
        ::tracing::event!(
            target: "bequest", parent: &$span.0, ::tracing::Level::$level, $($what)*
        )
    };
    ($level:ident, $($what:tt)*) => {
        ::tracing::event!(target: "bequest", ::tracing::Level::$level, $($what)*)
    };
}
/// Nothing is told.
#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($($what:tt)*) => {{}};
}
pub(crate) use event;

/// A [`Span`]: `span!("name", field = value)`. `log` knows none, and would be asked at each poll.
#[cfg(feature = "tracing")]
macro_rules! span {
    ($($what:tt)*) => {
        $crate::trace::Span(match ::tracing::level_enabled!(::tracing::Level::DEBUG) {
            true => ::tracing::debug_span!(target: "bequest", $($what)*),
            false => ::tracing::Span::none(),
        })
    };
}
/// Nothing is told.
#[cfg(not(feature = "tracing"))]
macro_rules! span {
    ($($what:tt)*) => {
        $crate::trace::Span()
    };
}
pub(crate) use span;

/// Says a field of the span that the thread is in, which had none yet.
#[cfg(feature = "tracing")]
macro_rules! record {
    ($field:literal, $value:expr) => {
        if ::tracing::level_enabled!(::tracing::Level::DEBUG) {
            let span = ::tracing::Span::current();
            // A filter may have left ours out: then it is the caller's.
            if span.metadata().is_some_and(|of| of.target() == "bequest") {
                span.record($field, $value);
            }
        }
    };
}
/// Nothing is told.
#[cfg(not(feature = "tracing"))]
macro_rules! record {
    ($field:literal, $value:expr) => {{}};
}
pub(crate) use record;

/// A URL as a field may have it; masked only if somebody wants to know it.
#[cfg(feature = "tracing")]
pub(crate) fn masked(url: &url::Url) -> impl std::fmt::Display + '_ {
    std::fmt::from_fn(|f| f.write_str(&crate::secrets::masked(url)))
}

/// The value of a field that [`record!`] says later.
#[cfg(feature = "tracing")]
pub(crate) use tracing::field::Empty;

/// Something that takes time, of level DEBUG.
#[derive(Clone, Debug)]
pub(crate) struct Span(#[cfg(feature = "tracing")] pub(crate) tracing::Span);

/// A future that is in a span while it is polled or dropped. Between two polls it is not: the
/// thread may do anything else meanwhile.
#[cfg(feature = "tracing")]
pub(crate) type Held<F> = tracing::instrument::Instrumented<F>;
#[cfg(not(feature = "tracing"))]
pub(crate) type Held<F> = F;

impl Span {
    /// The one that the thread is in.
    pub(crate) fn current() -> Self {
        Self(
            #[cfg(feature = "tracing")]
            match tracing::level_enabled!(tracing::Level::DEBUG) {
                true => tracing::Span::current(),
                false => tracing::Span::none(),
            },
        )
    }

    /// Has the thread be in this span for some work, which must not be awaited.
    pub(crate) fn enclose<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        return self.0.in_scope(work);
        #[cfg(not(feature = "tracing"))]
        work()
    }

    /// What the work does is in this span.
    #[inline]
    pub(crate) fn hold<F: Future>(self, work: F) -> Held<F> {
        #[cfg(feature = "tracing")]
        return tracing::Instrument::instrument(work, self.0);
        #[cfg(not(feature = "tracing"))]
        work
    }

    /// The same, in a box that has no room for the span where nobody listens.
    #[inline]
    pub(crate) fn hold_boxed<'a, T>(
        self,
        work: impl Future<Output = T> + Send + 'a,
    ) -> BoxFuture<'a, T> {
        #[cfg(feature = "tracing")]
        if !self.0.is_disabled() {
            return Box::pin(tracing::Instrument::instrument(work, self.0));
        }
        Box::pin(work)
    }

    /// What the work does is in this span, and so is telling what came of it. The work is begun
    /// here: a future that is moved into another takes its room twice.
    #[inline]
    pub(crate) fn hold_telling<F: Future>(
        self,
        work: impl FnOnce() -> F,
        tell: impl FnOnce(&F::Output),
    ) -> impl Future<Output = F::Output> {
        #[cfg(feature = "tracing")]
        return self.hold(async move {
            let output = work().await;
            tell(&output);
            output
        });
        #[cfg(not(feature = "tracing"))]
        {
            let _ = tell;
            work()
        }
    }
}

/// When something began, if it is told how long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began(#[cfg(feature = "tracing")] std::time::Instant);

impl Began {
    #[inline]
    pub(crate) fn now() -> Self {
        Self(
            #[cfg(feature = "tracing")]
            std::time::Instant::now(),
        )
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn elapsed_ms(self) -> f64 {
        ms(self.0.elapsed())
    }
}

/// As fields have it.
#[cfg(feature = "tracing")]
pub(crate) fn ms(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
