//! A stream that keeps the request heads read through it.
//!
//! The HTTP library hands over parsed headers only, and groups equal names. The
//! tape follows the framing of the requests on the way in, so that each head is
//! known byte for byte.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::head::Head;

/// The complete heads that no request has claimed yet, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heads(Arc<Mutex<VecDeque<Head>>>);

impl Heads {
    /// Takes the head of the next request.
    pub(crate) fn take(&self) -> Option<Head> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn push(&self, head: Head) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(head);
    }
}

/// A stream with a [`Framer`] on its reading side.
#[derive(Debug)]
pub(crate) struct Tape<S> {
    stream: S,
    framer: Framer,
}

impl<S> Tape<S> {
    pub(crate) fn new(stream: S, heads: Heads) -> Self {
        Self { stream, framer: Framer::new(heads) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tape<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.framer.feed(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tape<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Where the next byte of the request stream belongs.
#[derive(Debug)]
enum Part {
    Head,
    Body(u64),
    ChunkSize,
    Chunk(u64),
    Trailers,
}

/// Follows the framing of HTTP/1.1 requests through pieces of any length.
#[derive(Debug)]
struct Framer {
    part: Part,
    /// The unfinished head, or the unfinished line of chunked framing.
    pending: Vec<u8>,
    /// Where the last line of `pending` starts.
    line: usize,
    heads: Heads,
}

impl Framer {
    fn new(heads: Heads) -> Self {
        Self { part: Part::Head, pending: Vec::new(), line: 0, heads }
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = match self.part {
                Part::Head => self.head(bytes),
                Part::Body(left) => self.skip(bytes, left, Part::Body, Part::Head),
                Part::ChunkSize => self.chunk_size(bytes),
                Part::Chunk(left) => self.skip(bytes, left, Part::Chunk, Part::ChunkSize),
                Part::Trailers => self.trailers(bytes),
            };
            bytes = &bytes[used..];
        }
    }

    /// Passes over at most `left` bytes of content.
    fn skip(&mut self, bytes: &[u8], left: u64, within: fn(u64) -> Part, after: Part) -> usize {
        let used = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let left = left - used as u64;
        self.part = if left == 0 { after } else { within(left) };
        used
    }

    fn head(&mut self, bytes: &[u8]) -> usize {
        let (used, complete) = self.take_line(bytes);
        if !complete {
            return used;
        }
        if !is_blank(&self.pending[self.line..]) {
            self.line = self.pending.len();
            return used;
        }
        let first = self.line == 0;
        let bytes = self.take_pending();
        // A server skips blank lines before a request line (RFC 9112, 2.2).
        if !first {
            let head = Head::parse(bytes);
            self.part = content(&head);
            self.heads.push(head);
        }
        used
    }

    fn chunk_size(&mut self, bytes: &[u8]) -> usize {
        let (used, complete) = self.take_line(bytes);
        if complete {
            let line = self.take_pending();
            let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let digits = String::from_utf8_lossy(digits);
            self.part = match u64::from_str_radix(digits.trim(), 16) {
                Ok(0) | Err(_) => Part::Trailers,
                // The line end after the chunk belongs to it.
                Ok(size) => Part::Chunk(size.saturating_add(2)),
            };
        }
        used
    }

    fn trailers(&mut self, bytes: &[u8]) -> usize {
        let (used, complete) = self.take_line(bytes);
        if complete && is_blank(&self.take_pending()) {
            self.part = Part::Head;
        }
        used
    }

    /// Moves bytes into `pending`, up to the end of a line; tells how many, and
    /// whether the line is complete.
    fn take_line(&mut self, bytes: &[u8]) -> (usize, bool) {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(bytes.len(), |end| end + 1);
        self.pending.extend_from_slice(&bytes[..used]);
        (used, end.is_some())
    }

    fn take_pending(&mut self) -> Vec<u8> {
        self.line = 0;
        std::mem::take(&mut self.pending)
    }
}

fn is_blank(line: &[u8]) -> bool {
    line == b"\r\n" || line == b"\n"
}

/// The part that follows a head.
fn content(head: &Head) -> Part {
    if head.values("transfer-encoding").next().is_some() {
        return Part::ChunkSize;
    }
    match head.value("content-length").map(|length| length.parse()) {
        None | Some(Ok(0) | Err(_)) => Part::Head,
        Some(Ok(length)) => Part::Body(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"\r\nPOST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n\
        PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;x=y\r\nab\n\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n\
        GET /c HTTP/1.1\r\n\r\n";

    fn heads(pieces: usize) -> Vec<Vec<u8>> {
        let heads = Heads::default();
        let mut framer = Framer::new(heads.clone());
        for piece in STREAM.chunks(pieces) {
            framer.feed(piece);
        }
        std::iter::from_fn(|| heads.take()).map(|head| head.bytes).collect()
    }

    #[test]
    fn finds_every_head_however_the_stream_is_cut() {
        for pieces in 1..=STREAM.len() {
            let heads = heads(pieces);
            assert_eq!(heads.len(), 3, "in pieces of {pieces}");
            assert_eq!(heads[0], b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\n");
            assert_eq!(heads[1], b"PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
            assert_eq!(heads[2], b"GET /c HTTP/1.1\r\n\r\n");
        }
    }
}
