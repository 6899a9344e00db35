//! A response's body, from the connection that it arrives on.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, ReadBuf};

use super::clock::Clock;
use super::log::Log;
use super::meter::Meter;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::h1::{ChunkStep, ChunkedDecoder, Framing, Limits, ResponseFraming};
use crate::headers::Headers;
use crate::net::{Connection, Pool, Stream, was_closed};
use crate::response::{Incoming, Live};
use crate::settings::Settings;

/// A reader with less room than this is served from the connection's buffer: it will come again.
const DIRECT: usize = 4 * 1024;
/// The rest of a large piece is read to its place, too, unless it is smaller than this: a full
/// buffer would be copied into the next pieces.
const DIRECT_REST: usize = 256;

/// Reads the body to its framed end, then gives the connection back to the pool. Dropped before,
/// it closes the connection.
pub(super) struct Download {
    connection: Option<Box<Connection>>,
    pool: Weak<Pool>,
    left: Left,
    /// The last read went straight to its place.
    direct: bool,
    keep_alive: bool,
    limits: Limits,
    clock: Clock,
    trailers: Option<Headers>,
    meter: Option<Box<Meter>>,
    log: Log,
}

/// What is still to come.
enum Left {
    Length(u64),
    Chunked(Box<ChunkedDecoder>),
    UntilClose,
}

impl Download {
    /// Whoever counts is told what is to come.
    pub(super) fn begin(
        connection: Box<Connection>,
        pool: &Arc<Pool>,
        framing: ResponseFraming,
        settings: &Settings,
        limits: Limits,
        mut meter: Option<Box<Meter>>,
    ) -> Live {
        let (left, length) = match framing.framing {
            Framing::Length(length) => (Left::Length(length), Some(length)),
            Framing::Chunked => (Left::Chunked(Box::new(ChunkedDecoder::new())), None),
            Framing::UntilClose => (Left::UntilClose, None),
        };
        if let Some(meter) = &mut meter {
            meter.receive(length);
        }
        if length == Some(0) {
            // As of most redirects.
            give_back(connection, pool, framing.keep_alive);
            return Live::empty();
        }
        Live::new(Self {
            connection: Some(connection),
            pool: Arc::downgrade(pool),
            left,
            direct: false,
            keep_alive: framing.keep_alive,
            limits,
            clock: Clock::reading(settings),
            trailers: None,
            meter,
            log: Log::begin(),
        })
    }

    /// The body is over.
    fn finish(&mut self) {
        self.log.end(true);
        if let (Some(connection), Some(pool)) = (self.connection.take(), self.pool.upgrade()) {
            give_back(connection, &pool, self.keep_alive);
        }
    }

    fn poll_length(
        &mut self,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
        left: u64,
    ) -> Poll<Result<()>> {
        let count = ready!(self.poll_data(context, out, left))?;
        if count == 0 {
            return Poll::Ready(Err(incomplete(&format!("{left} bytes before its end"), None)));
        }
        let left = left - count as u64;
        self.left = Left::Length(left);
        if left == 0 {
            self.finish();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_chunked(
        &mut self,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        loop {
            let (Left::Chunked(decoder), Some(connection)) = (&mut self.left, &mut self.connection)
            else {
                return Poll::Ready(Ok(()));
            };
            let step = decoder.step(connection.input.filled(), &self.limits);
            let (taken, step) = step.map_err(|error| error.during(Phase::Body))?;
            connection.input.consume(taken);
            match step {
                ChunkStep::Data(left) => {
                    let count = ready!(self.poll_data(context, out, left))?;
                    if count == 0 {
                        return Poll::Ready(Err(incomplete("within a chunk", None)));
                    }
                    if let Left::Chunked(decoder) = &mut self.left {
                        decoder.took(count as u64);
                    }
                    return Poll::Ready(Ok(()));
                }
                ChunkStep::More => {
                    if ready!(self.poll_fill(context))? == 0 {
                        return Poll::Ready(Err(incomplete("before its last chunk", None)));
                    }
                }
                ChunkStep::Done => {
                    let trailers = decoder.trailers(&self.limits);
                    self.trailers = Some(trailers.map_err(|error| error.during(Phase::Body))?);
                    self.finish();
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// Reads up to `most` bytes of body into `out`: from the buffer, or straight from the stream.
    fn poll_data(
        &mut self,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
        most: u64,
    ) -> Poll<Result<usize>> {
        let count = ready!(self.poll_unmeasured(context, out, most))?;
        self.log.count(count);
        if let Some(meter) = &mut self.meter {
            meter.read(count);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_unmeasured(
        &mut self,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
        most: u64,
    ) -> Poll<Result<usize>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(out.remaining());
        let Some(connection) = &mut self.connection else { return Poll::Ready(Ok(0)) };
        if connection.input.is_empty() {
            self.direct = most >= if self.direct { DIRECT_REST } else { DIRECT };
            if self.direct {
                // Extra bytes behind the body would stay in the kernel: the next user must look.
                connection.unseen = true;
                let polled = poll_direct(&mut connection.stream, context, out, most);
                return self.watch(context, polled);
            }
            if ready!(self.poll_fill(context))? == 0 {
                return Poll::Ready(Ok(0));
            }
        }
        let Some(connection) = &mut self.connection else { return Poll::Ready(Ok(0)) };
        let filled = connection.input.filled();
        let count = filled.len().min(most);
        out.put_slice(&filled[..count]);
        connection.input.consume(count);
        Poll::Ready(Ok(count))
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<Result<usize>> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(Ok(0)) };
        let Connection { stream, input, .. } = &mut **connection;
        let polled = input.poll_fill(stream, context);
        self.watch(context, polled)
    }

    fn was_closed(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.was_closed())
    }

    /// Lets the clock run while nothing arrives.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<Result<usize>> {
        match polled {
            // A socket that was shut down looks as if the server had closed it.
            Poll::Ready(Ok(0) | Err(_)) if self.was_closed() => {
                Poll::Ready(Err(was_closed().during(Phase::Body)))
            }
            Poll::Ready(Ok(count)) => Poll::Ready(self.clock.progress(Phase::Body).map(|()| count)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(incomplete("before its end", Some(error)))),
            Poll::Pending => self.clock.poll(context, Phase::Body).map(Err),
        }
    }
}

/// Reads up to `most` bytes into `out`; says how much.
fn poll_direct(
    stream: &mut Stream,
    context: &mut Context<'_>,
    out: &mut ReadBuf<'_>,
    most: usize,
) -> Poll<io::Result<usize>> {
    let before = out.filled().len();
    if most == out.remaining() {
        let polled = Pin::new(stream).poll_read(context, out);
        return polled.map_ok(|()| out.filled().len() - before);
    }
    let mut part = ReadBuf::new(out.initialize_unfilled_to(most));
    let polled = Pin::new(stream).poll_read(context, &mut part);
    let count = part.filled().len();
    out.advance(count);
    polled.map_ok(|()| count)
}

impl Incoming for Download {
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let Some(connection) = &self.connection else { return Poll::Ready(Ok(())) };
        if !connection.is_ours() {
            return Poll::Ready(Err(Error::with(
                ErrorKind::Closed,
                "this response belongs to the process that this one was forked from",
            )));
        }
        match self.left {
            Left::Length(left) => self.poll_length(context, out, left),
            Left::Chunked(_) => self.poll_chunked(context, out),
            Left::UntilClose => {
                if ready!(self.poll_data(context, out, u64::MAX))? == 0 {
                    self.log.end(true);
                    self.connection = None;
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    fn remaining(&self) -> Option<u64> {
        match self.left {
            _ if self.connection.is_none() => Some(0),
            Left::Length(left) => Some(left),
            Left::Chunked(_) | Left::UntilClose => None,
        }
    }

    #[cfg(feature = "compression")]
    fn check(&self) -> Result<()> {
        self.clock.check(Phase::Body)
    }

    fn take_trailers(&mut self) -> Option<Headers> {
        self.trailers.take()
    }
}

impl Drop for Download {
    /// A rest that has arrived already is thrown away here; any other closes the connection.
    fn drop(&mut self) {
        if let (Left::Length(left), Some(connection)) = (&self.left, &mut self.connection)
            && *left == connection.input.filled().len() as u64
        {
            connection.input.consume(usize::MAX);
            self.finish();
        }
        self.log.end(false);
    }
}

/// A connection with bytes that nobody asked for is not used again.
fn give_back(connection: Box<Connection>, pool: &Pool, keep_alive: bool) {
    if keep_alive && connection.input.is_empty() && connection.stream.is_clean() {
        pool.put(connection, Instant::now());
    }
}

fn incomplete(when: &str, cause: Option<io::Error>) -> Error {
    let error = Error::with(ErrorKind::IncompleteBody, format!("the body ended {when}"))
        .during(Phase::Body);
    match cause {
        Some(cause) => error.because(cause),
        None => error,
    }
}
