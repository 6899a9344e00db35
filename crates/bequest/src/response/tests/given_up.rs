//! Waiting that is given up: what was read meanwhile is there for whoever asks next.

#[cfg(feature = "async")]
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

/// A body whose reader is kept waiting before each byte, and at the end.
struct Hesitant {
    rest: Bytes,
    waited: bool,
}

impl Incoming for Hesitant {
    fn poll_read(
        &mut self,
        _: &mut Context<'_>,
        out: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if !std::mem::replace(&mut self.waited, false) {
            self.waited = true;
            return Poll::Pending;
        }
        let byte = self.rest.split_to(1.min(self.rest.len()));
        out.put_slice(&byte);
        Poll::Ready(Ok(()))
    }
}

fn hesitant(content: &[u8]) -> Response {
    let mut r = response("");
    let incoming = Hesitant { rest: Bytes::copy_from_slice(content), waited: false };
    r.0.body = Mutex::new(Body::Live(Live::new(incoming)));
    r
}

/// Polls futures, each only once, until one is ready; says how many it took.
fn insist<T, F: Future<Output = T>>(mut make: impl FnMut() -> F) -> (T, usize) {
    let mut context = Context::from_waker(Waker::noop());
    for count in 1.. {
        if let Poll::Ready(output) = pin!(make()).poll(&mut context) {
            return (output, count);
        }
    }
    unreachable!("it would have to wait for ever")
}

const TEXT: &[u8] = b"\xef\xbb\xbfone\r\ntwo\n\nth\xc3\xa9";

#[test]
fn content_can_be_asked_for_again() {
    let r = hesitant(TEXT);
    let (content, polls) = insist(|| r.collect());
    assert_eq!(content.unwrap(), TEXT);
    assert_eq!(polls, TEXT.len() + 2, "once for each byte, once for the end");
}

#[cfg(feature = "async")]
#[test]
fn another_reads_on_where_content_was_given_up() {
    let r = hesitant(TEXT);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        assert!(pin!(r.collect()).poll(&mut context).is_pending());
    }
    drop(r.iter_lines());
    let first = insist(async || {
        let mut lines = r.iter_lines().decode_unicode();
        poll_fn(|context| lines.poll_next(context)).await
    });
    assert_eq!(first.0.unwrap().unwrap(), "one", "the mark is seen, though it was read before");
    assert_eq!(r.collected().unwrap().unwrap_err().kind(), ErrorKind::StreamConsumed);
}

/// Every way, with every step given up, and with each iterator given up after so many steps.
#[test]
fn iterators_lose_nothing() {
    for steps in 1..2 * TEXT.len() + 4 {
        let r = hesitant(TEXT);
        let mut context = Context::from_waker(Waker::noop());
        let mut read = Vec::new();
        'whole: loop {
            let mut pieces = r.iter_content(4);
            for _ in 0..steps {
                match pieces.poll_next(&mut context) {
                    Poll::Ready(Some(Ok(piece))) => read.extend_from_slice(&piece),
                    // The end, or that it was reached before.
                    Poll::Ready(_) => break 'whole,
                    Poll::Pending => {}
                }
            }
        }
        assert_eq!(read, TEXT, "{steps} steps an iterator");
    }
}

#[cfg(feature = "async")]
#[test]
fn lines_and_text_are_the_same() {
    let mut context = Context::from_waker(Waker::noop());
    let (lined, piecewise) = (hesitant(TEXT), hesitant(TEXT));
    let mut lines = Vec::new();
    while lines.len() < 4 {
        // Each is dropped after one step.
        if let Poll::Ready(line) = lined.iter_lines().decode_unicode().poll_next(&mut context) {
            lines.push(line.unwrap().unwrap());
        }
    }
    assert_eq!(lines, ["one", "two", "", "th\u{e9}"]);
    let mut text = String::new();
    loop {
        match piecewise.iter_content(2).decode_unicode().poll_next(&mut context) {
            Poll::Ready(Some(Ok(piece))) => text.push_str(&piece),
            Poll::Ready(_) => break,
            Poll::Pending => {}
        }
    }
    assert_eq!(text, "one\r\ntwo\n\nth\u{e9}");
}

#[cfg(feature = "async")]
#[test]
fn readers_lose_nothing() {
    let (r, mut read) = (hesitant(TEXT), Vec::new());
    loop {
        let mut room = [0; 3];
        let (mut reader, _) = insist(async || {
            let mut reader = r.reader();
            poll_fn(|context| reader.poll_fill(context)).await.unwrap();
            reader
        });
        let count = reader.read(&mut room).unwrap();
        if count == 0 {
            break;
        }
        read.extend_from_slice(&room[..count]);
    }
    assert_eq!(read, TEXT);
}
