//! Response bodies that are made while they are sent.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

const PIECE: usize = 64 * 1024;

/// What every large body repeats. All of them share this one buffer.
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| random(PIECE, 1).into());

/// The first `length` bytes of the bodies that `/big` and `/big-chunked` send.
pub fn pattern(length: usize) -> Vec<u8> {
    PATTERN.iter().copied().cycle().take(length).collect()
}

/// Bytes that look random and depend on `seed` only (SplitMix64).
pub(crate) fn random(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    });
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend(words.next().unwrap_or_default().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A body of any length in constant memory.
#[derive(Debug)]
pub(crate) struct Pattern {
    left: u64,
    /// Whether the length is told in advance.
    sized: bool,
}

impl Pattern {
    pub(crate) fn new(length: u64, sized: bool) -> Self {
        Self { left: length, sized }
    }
}

impl Body for Pattern {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = usize::try_from(self.left).map_or(PIECE, |left| left.min(PIECE));
        self.left -= length as u64;
        Poll::Ready(Some(Ok(Frame::data(PATTERN.slice(..length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && self.sized
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized { SizeHint::with_exact(self.left) } else { SizeHint::default() }
    }
}

/// A body in given pieces, with a pause after each.
#[derive(Debug)]
pub(crate) struct Paced {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    sized: bool,
}

impl Paced {
    pub(crate) fn new(pieces: impl IntoIterator<Item = Bytes>, pause: Duration) -> Self {
        Self { pieces: pieces.into_iter().collect(), pause, sleep: None, sized: false }
    }

    /// Cuts `bytes` into pieces of `size`.
    pub(crate) fn cut(bytes: &Bytes, size: usize, pause: Duration) -> Self {
        let size = size.max(1);
        let starts = (0..bytes.len()).step_by(size);
        Self::new(starts.map(|at| bytes.slice(at..bytes.len().min(at + size))), pause)
    }

    /// Waits before the first piece.
    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.sleep = (!delay.is_zero()).then(|| sleep(delay));
        self
    }

    /// Tells the length in advance.
    pub(crate) fn sized(mut self) -> Self {
        self.sized = true;
        self
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(sleep) = &mut self.sleep {
            ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
        }
        let Some(piece) = self.pieces.pop_front() else {
            return Poll::Ready(None);
        };
        if !self.pause.is_zero() {
            self.sleep = Some(sleep(self.pause));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized {
            SizeHint::with_exact(self.pieces.iter().map(|piece| piece.len() as u64).sum())
        } else {
            SizeHint::default()
        }
    }
}

fn sleep(duration: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_depend_on_the_seed_only() {
        assert_eq!(random(100, 7), random(100, 7));
        assert_ne!(random(100, 7), random(100, 8));
        assert_eq!(random(3, 7), random(100, 7)[..3]);
    }

    #[test]
    fn the_pattern_repeats() {
        let bytes = pattern(PIECE + 10);
        assert_eq!(bytes.len(), PIECE + 10);
        assert_eq!(bytes[..10], bytes[PIECE..]);
    }

    #[test]
    fn cutting_loses_nothing() {
        let bytes = Bytes::from_static(b"0123456789");
        let paced = Paced::cut(&bytes, 4, Duration::ZERO).sized();
        assert_eq!(paced.pieces, [&b"0123"[..], b"4567", b"89"]);
        assert_eq!(paced.size_hint().exact(), Some(10));
    }
}
