//! Sending a request, while watching for an answer that comes early.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::ask::{Asked, Supply};
use super::clock::Clock;
use super::expect;
use super::meter::Meter;
use super::round_trip::{Interim, Loss, RoundTrip};
use crate::body::RequestFraming;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::h1::{CHUNK_END, ChunkSize, HeadReader, LAST_CHUNK, ResponseHead};
use crate::net::Connection;

/// A body up to this size is copied behind the head, so that both leave in one write; a larger one
/// leaves in one write too, but from where it is.
const SMALL: usize = 16 * 1024;
/// How much is asked of a source at once.
pub(super) const PIECE: usize = 64 * 1024;
/// How much of an answer is kept while the request is still being sent.
const MOST_EARLY: usize = 1024 * 1024;

/// How sending ended.
pub(super) enum Sent {
    /// All of it is out; the answer may have come meanwhile.
    Whole(Option<Box<ResponseHead>>),
    /// The server answered before it had everything, and does not want the rest.
    Early(Box<ResponseHead>),
}

pub(super) struct Upload<'a, 'r> {
    pub(super) trip: &'a RoundTrip<'a>,
    pub(super) clock: Clock,
    interim: Interim<'r>,
    meter: Option<Box<Meter>>,
    /// A success that came before the request was out: the rest is sent all the same.
    answer: Option<Box<ResponseHead>>,
    sent: bool,
    /// The kernel was asked once more before giving up.
    probed: bool,
    /// It was not out at once.
    waited: bool,
}

impl<'a, 'r> Upload<'a, 'r>
where
    'a: 'r,
{
    pub(super) fn new(trip: &'a RoundTrip<'a>, reader: &'r mut HeadReader) -> Self {
        Self {
            trip,
            clock: Clock::writing(trip.settings),
            interim: Interim::new(reader, trip.limits),
            meter: Meter::new(trip),
            answer: None,
            sent: false,
            probed: false,
            waited: false,
        }
    }

    /// Whether the kernel may have taken any of it, or the body was begun.
    pub(super) fn has_sent(&self) -> bool {
        self.sent
    }

    /// The count goes on with what is received.
    pub(super) fn into_meter(self) -> Option<Box<Meter>> {
        self.meter
    }

    pub(super) async fn run(&mut self, connection: &mut Connection) -> Result<Sent, Loss> {
        self.clock.progress(Phase::Send).map_err(Loss::ours)?;
        let mut head = std::mem::take(&mut connection.output);
        let written = match std::mem::take(&mut connection.has_head) {
            true => Ok(()),
            false => {
                head.clear();
                self.trip.write_head(&mut head)
            }
        };
        let result = match written {
            Err(error) => Err(Loss::ours(error.during(Phase::Prepare))),
            Ok(()) if expect::asks(self.trip) => {
                Box::pin(self.ask_and_send(connection, &mut head)).await
            }
            Ok(()) => self.send(connection, &mut head).await,
        };
        connection.output = head;
        connection.sent_at = (self.waited && result.is_ok()).then(Instant::now);
        match (result?, self.answer.take()) {
            (Sent::Whole(None), Some(head)) => Ok(Sent::Whole(Some(head))),
            (sent, _) => Ok(sent),
        }
    }

    /// Sends the head alone and waits for leave to send the body.
    async fn ask_and_send(
        &mut self,
        connection: &mut Connection,
        head: &mut Vec<u8>,
    ) -> Result<Sent, Loss> {
        if let early @ Sent::Early(_) = self.write(connection, [head, &[], &[]]).await? {
            return Ok(early);
        }
        head.clear();
        if let Some(answer) = expect::leave(self.trip, connection, &mut self.interim).await? {
            return Ok(Sent::Early(Box::new(answer)));
        }
        self.send(connection, head).await
    }

    /// Sends what is in `head`, and the body.
    async fn send(
        &mut self,
        connection: &mut Connection,
        head: &mut Vec<u8>,
    ) -> Result<Sent, Loss> {
        // Boxed, but for the form that nearly every request has.
        match (self.trip.request.body.bytes(), self.trip.framing) {
            (Some(bytes), RequestFraming::Length(_)) => {
                self.send_bytes(connection, head, &bytes).await
            }
            (Some(bytes), RequestFraming::Chunked) => {
                Box::pin(self.send_one_chunk(connection, head, &bytes)).await
            }
            (None, _) => Box::pin(self.send_stream(connection, head)).await,
        }
    }

    async fn send_bytes(
        &mut self,
        connection: &mut Connection,
        head: &mut Vec<u8>,
        body: &Bytes,
    ) -> Result<Sent, Loss> {
        if body.len() <= SMALL {
            self.measure(head.len(), body.len());
            head.extend_from_slice(body);
            return self.write(connection, [head, &[], &[]]).await;
        }
        self.measure(head.len(), body.len());
        self.write(connection, [head, body, &[]]).await
    }

    /// The next write has that much of the body in it, behind so much that is not.
    fn measure(&mut self, before: usize, body: usize) {
        if let Some(meter) = &mut self.meter {
            meter.announce(before, body);
        }
    }

    async fn send_one_chunk(
        &mut self,
        connection: &mut Connection,
        head: &mut Vec<u8>,
        body: &Bytes,
    ) -> Result<Sent, Loss> {
        if body.is_empty() {
            return self.write(connection, [head, LAST_CHUNK, &[]]).await;
        }
        head.extend_from_slice(ChunkSize::new(body.len()).as_bytes());
        self.measure(head.len(), body.len());
        let end = [CHUNK_END, LAST_CHUNK].concat();
        self.write(connection, [head, body, &end]).await
    }

    /// The head first, alone: until it is out, the source is not touched, so that a connection
    /// that was closed meanwhile costs no body.
    async fn send_stream(
        &mut self,
        connection: &mut Connection,
        head: &[u8],
    ) -> Result<Sent, Loss> {
        if let early @ Sent::Early(_) = self.write(connection, [head, &[], &[]]).await? {
            return Ok(early);
        }
        let lease = self.trip.request.body.source().map(|stream| stream.lend()).transpose();
        let Some(lease) = lease.map_err(source_failed)? else { return Ok(Sent::Whole(None)) };
        self.sent = true;
        self.waited = true;
        let mut pace = Pace::new(self.trip.framing);
        let mut supply = Supply::new(lease, PIECE);
        loop {
            let mut most = pace.most();
            if most == 0 {
                if !supply.has_an_end() {
                    return Ok(Sent::Whole(None));
                }
                most = 1;
            }
            let piece;
            (supply, piece) = match self.ask(connection, supply, most).await? {
                Asked::Piece(supply, piece) => (supply, piece),
                Asked::Early(head) => return Ok(Sent::Early(head)),
            };
            let Some(bytes) = supply.bytes(&piece) else { break };
            pace.take(bytes.len()).map_err(source_failed)?;
            let size = pace.is_chunked().then(|| ChunkSize::new(bytes.len()));
            let parts = match &size {
                Some(size) => [size.as_bytes(), bytes, CHUNK_END],
                None => [&[], bytes, &[]],
            };
            self.measure(parts[0].len(), bytes.len());
            if let early @ Sent::Early(_) = self.write(connection, parts).await? {
                return Ok(early);
            }
        }
        pace.end().map_err(source_failed)?;
        match pace.is_chunked() {
            true => {
                self.measure(0, 0);
                self.write(connection, [LAST_CHUNK, &[], &[]]).await
            }
            false => Ok(Sent::Whole(None)),
        }
    }

    /// Writes all of it, in one system call where the socket takes it.
    async fn write(
        &mut self,
        connection: &mut Connection,
        parts: [&[u8]; 3],
    ) -> Result<Sent, Loss> {
        let mut written = 0;
        // What TLS has taken may have left in part when it fails.
        self.sent |= connection.stream.is_buffered();
        let written_all =
            poll_fn(|context| self.poll_write(connection, context, &parts, &mut written));
        match written_all.await {
            Ok(sent) => Ok(sent),
            // A server that does not want the rest may close as soon as it has answered: what it
            // said counts, not that it stopped listening.
            Err(loss) if loss.lost => self.last_words(connection).map(Sent::Early).ok_or(loss),
            Err(loss) => Err(loss),
        }
    }

    fn poll_write(
        &mut self,
        connection: &mut Connection,
        context: &mut Context<'_>,
        parts: &[&[u8]; 3],
        written: &mut usize,
    ) -> Poll<Result<Sent, Loss>> {
        let broken = |error| Loss::broken(error, Phase::Send);
        loop {
            let (slices, count) = unwritten(parts, *written);
            let stream = Pin::new(&mut connection.stream);
            let polled = match &slices[..count] {
                [] => match stream.poll_flush(context) {
                    Poll::Ready(Ok(())) => return Poll::Ready(Ok(Sent::Whole(None))),
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    Poll::Pending => Poll::Pending,
                },
                [slice] => stream.poll_write(context, slice),
                slices => stream.poll_write_vectored(context, slices),
            };
            match polled {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(broken(io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(count)) => {
                    *written += count;
                    self.sent = true;
                    self.probed = false;
                    if let Some(meter) = &mut self.meter {
                        meter.wrote(*written);
                    }
                    self.clock.progress(Phase::Send).map_err(Loss::ours)?;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(broken(error))),
                Poll::Pending => return self.poll_early(connection, context),
            }
        }
    }

    /// While the server takes nothing, it may have answered. A refusal ends the upload; after a
    /// success the rest is sent, and what arrives meanwhile is kept, up to a limit.
    fn poll_early(
        &mut self,
        connection: &mut Connection,
        context: &mut Context<'_>,
    ) -> Poll<Result<Sent, Loss>> {
        self.waited = true;
        if let Poll::Ready(answer) = self.poll_answer(connection, context) {
            return Poll::Ready(answer.map(Sent::Early));
        }
        let error = ready!(self.clock.poll(context, Phase::Send));
        if !std::mem::replace(&mut self.probed, true) {
            // A kernel announces room when there is much of it: a slow server makes less.
            connection.stream.socket().try_at_once();
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Err(Loss::ours(error)))
    }

    /// A refusal that comes while something else is waited for.
    pub(super) fn poll_answer(
        &mut self,
        connection: &mut Connection,
        context: &mut Context<'_>,
    ) -> Poll<Result<Box<ResponseHead>, Loss>> {
        let Connection { stream, input, .. } = connection;
        if input.filled().len() >= MOST_EARLY {
            return Poll::Pending;
        }
        match ready!(input.poll_fill(stream, context)) {
            Ok(0) => return Poll::Ready(Err(Loss::closed(input.is_empty(), Phase::Send))),
            Ok(_) => {}
            Err(error) => return Poll::Ready(Err(Loss::broken(error, Phase::Send))),
        }
        if let Some(head) = self.next_final(connection)? {
            return Poll::Ready(Ok(Box::new(head)));
        }
        // Come back at once: there may be more.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// The final head, if it has arrived and is a refusal; a success is kept for later.
    fn next_final(&mut self, connection: &mut Connection) -> Result<Option<ResponseHead>, Loss> {
        if self.answer.is_some() {
            return Ok(None);
        }
        let head = self.interim.next_final(connection)?;
        if head.as_ref().is_some_and(|head| head.status.is_success()) {
            self.answer = head.map(Box::new);
            return Ok(None);
        }
        Ok(head)
    }

    /// What the server had said before the connection broke.
    pub(super) fn last_words(&mut self, connection: &mut Connection) -> Option<Box<ResponseHead>> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        loop {
            if let Some(head) = self.answer.take() {
                return Some(head);
            }
            connection.stream.socket().try_at_once();
            if let Some(head) = self.interim.next_final(connection).ok()? {
                return Some(Box::new(head));
            }
            let Connection { stream, input, .. } = connection;
            match input.poll_fill(stream, &mut context) {
                Poll::Ready(Ok(1..)) => {}
                _ => return None,
            }
        }
    }
}

/// What is left of the parts, without the empty ones.
fn unwritten<'a>(parts: &[&'a [u8]; 3], mut written: usize) -> ([IoSlice<'a>; 3], usize) {
    let mut slices = [IoSlice::new(&[]); 3];
    let mut count = 0;
    for part in parts {
        let skipped = written.min(part.len());
        written -= skipped;
        if skipped < part.len() {
            slices[count] = IoSlice::new(&part[skipped..]);
            count += 1;
        }
    }
    (slices, count)
}

/// Keeps a source to the length that was announced.
pub(super) struct Pace {
    /// What was announced, and what is still to come of it; `None` is sent in chunks.
    left: Option<(u64, u64)>,
}

impl Pace {
    pub(super) fn new(framing: RequestFraming) -> Self {
        Self {
            left: match framing {
                RequestFraming::Length(length) => Some((length, length)),
                RequestFraming::Chunked => None,
            },
        }
    }

    fn is_chunked(&self) -> bool {
        self.left.is_none()
    }

    /// How much to ask the source for: one byte beyond the length, to notice that there is more.
    /// Nothing at its end, where a source that may be a socket that stays open is not asked.
    pub(super) fn most(&self) -> usize {
        match self.left {
            Some((_, 0)) => 0,
            Some((_, left)) => {
                usize::try_from(left).map_or(PIECE, |left| left.saturating_add(1).min(PIECE))
            }
            None => PIECE,
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<()> {
        let Some((length, left)) = &mut self.left else { return Ok(()) };
        *left = left.checked_sub(count as u64).ok_or_else(|| {
            mismatch(format!("the body's source gives more than the {length} bytes announced"))
        })?;
        Ok(())
    }

    /// The source is at its end.
    pub(super) fn end(&self) -> Result<()> {
        match self.left {
            Some((length, left)) if left > 0 => Err(mismatch(format!(
                "the body's source ended after {} of the {length} bytes announced",
                length - left
            ))),
            _ => Ok(()),
        }
    }
}

pub(super) fn source_failed(error: Error) -> Loss {
    Loss::ours(error.during(Phase::Send))
}

fn mismatch(what: String) -> Error {
    Error::with(ErrorKind::LengthMismatch, what)
}
