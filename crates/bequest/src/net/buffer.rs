//! The read buffer of a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// What a connection starts with, and keeps while it idles.
const SMALL: usize = 8 * 1024;
/// What it grows to while a body streams; more adds little.
const LARGE: usize = 64 * 1024;

/// Bytes that were read and not yet used.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// The last read took all the room there was: more may be waiting.
    full: bool,
}

impl Buffer {
    /// What was read and not yet used.
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Whether the last read may have left something behind.
    pub(crate) fn was_full(&self) -> bool {
        self.full
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// That much was used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads once, behind what is there; says how much. Zero is the stream's end.
    pub(crate) fn poll_fill(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let mut room = ReadBuf::new(&mut self.bytes[self.end..]);
        let wanted = room.remaining();
        ready!(Pin::new(stream).poll_read(context, &mut room))?;
        let read = room.filled().len();
        self.end += read;
        self.full = read == wanted;
        if read == wanted && self.bytes.len() < LARGE {
            // More is waiting, probably: take it in larger pieces.
            self.bytes.resize((self.bytes.len() * 4).min(LARGE), 0);
        }
        Poll::Ready(Ok(read))
    }

    /// Gives a large buffer back, when the connection idles.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() && self.bytes.len() > SMALL {
            *self = Self::default();
        }
    }

    fn make_room(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = vec![0; SMALL];
        }
        if self.end < self.bytes.len() {
            return;
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        } else {
            // A head that does not fit; its limit is the reader's business.
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn fill(buffer: &mut Buffer, mut from: &[u8]) -> usize {
        let mut context = Context::from_waker(Waker::noop());
        match buffer.poll_fill(&mut from, &mut context) {
            Poll::Ready(read) => read.unwrap(),
            Poll::Pending => panic!("a slice is always ready"),
        }
    }

    #[test]
    fn grows_while_streaming_and_shrinks_when_idle() {
        let mut buffer = Buffer::default();
        let source = vec![7; 1 << 20];
        assert_eq!(fill(&mut buffer, &source), SMALL);
        buffer.consume(SMALL);
        assert_eq!(fill(&mut buffer, &source), 4 * SMALL);
        buffer.consume(SMALL);
        assert_eq!(buffer.filled().len(), 3 * SMALL);
        assert_eq!(fill(&mut buffer, &source), LARGE - 4 * SMALL);
        buffer.consume(usize::MAX);
        assert!(buffer.is_empty() && buffer.filled().is_empty());
        buffer.shrink();
        assert_eq!(buffer.bytes.len(), 0);
        assert_eq!(fill(&mut buffer, b""), 0);
    }

    #[test]
    fn unused_bytes_move_to_the_front_or_stay() {
        let mut buffer = Buffer::default();
        fill(&mut buffer, b"abcdef");
        buffer.consume(4);
        fill(&mut buffer, b"ghi");
        assert_eq!(buffer.filled(), b"efghi");
    }
}
