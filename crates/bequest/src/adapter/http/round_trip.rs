//! One request and the head of its response, over one connection.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use http::StatusCode;

use super::Work;
use super::clock::Clock;
use super::forward::Forward;
use super::meter::Meter;
use super::upload::{Sent, Upload};
use crate::body::RequestFraming;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::h1::{self, HeadReader, Limits, ResponseFraming, ResponseHead, frame_response};
use crate::net::Connection;
#[cfg(feature = "tls")]
use crate::net::tls::refused_late;
use crate::request::PreparedRequest;
use crate::settings::Settings;

/// What one exchange needs to know.
#[derive(Clone, Copy)]
pub(super) struct RoundTrip<'a> {
    pub(super) request: &'a PreparedRequest,
    pub(super) framing: RequestFraming,
    pub(super) settings: &'a Settings,
    pub(super) limits: &'a Limits,
    /// The proxy that is asked for it.
    pub(super) forward: Option<&'a Forward<'a>>,
}

/// The head of the response, and how its body is framed.
pub(super) struct Answer {
    pub(super) head: ResponseHead,
    pub(super) framing: ResponseFraming,
    pub(super) meter: Option<Box<Meter>>,
}

/// Why there is none, and what that means for a second try.
pub(super) struct Failure {
    pub(super) error: Error,
    /// The connection was lost, not given up.
    pub(super) lost: bool,
    /// The kernel took some of the request, or the body was begun.
    sent: bool,
    /// Some of a response arrived.
    received: bool,
}

impl Failure {
    /// Whether the request may be sent once more after a connection that had been used before was
    /// lost: nothing of a response was seen, and either doing it twice is the same as once (RFC
    /// 9110, section 9.2.2), or the server can't have seen it.
    pub(super) fn allows_replay(&self, request: &PreparedRequest) -> bool {
        self.lost && !self.received && (!self.sent || is_repeatable(request))
    }
}

/// Whether sending the request twice is the same as sending it once, and it can be.
pub(super) fn is_repeatable(request: &PreparedRequest) -> bool {
    request.method.is_idempotent() && request.body.is_rewindable()
}

impl<'a> RoundTrip<'a> {
    pub(super) fn new(
        work: &Work<'a>,
        limits: &'a Limits,
        forward: Option<&'a Forward<'a>>,
    ) -> Self {
        let &Work { request, framing, settings, .. } = work;
        Self { request, framing, settings, limits, forward }
    }

    pub(super) fn write_head(&self, out: &mut Vec<u8>) -> Result<()> {
        match self.forward {
            None => self.request.write_head(out),
            Some(forward) => forward.write_head(self.request, out),
        }
    }

    pub(super) async fn run(&self, connection: &mut Connection) -> Result<Answer, Failure> {
        let mut reader = HeadReader::default();
        let (sent, has_sent, meter) = {
            let mut upload = Upload::new(self, &mut reader);
            let sent = upload.run(connection).await;
            (sent, upload.has_sent(), upload.into_meter())
        };
        let fail = |connection: &Connection, reader: &HeadReader, Loss { error, lost }: Loss| {
            let received = reader.has_begun(connection.input.filled());
            Failure { error, lost, sent: has_sent, received }
        };
        let (answer, is_early) = match sent {
            Ok(Sent::Whole(answer)) => (answer, false),
            // The answer came before the body was out: the rest is not sent, and the connection
            // can't be used again, since the server would take what follows for the rest.
            Ok(Sent::Early(head)) => (Some(head), true),
            Err(loss) => return Err(fail(connection, &reader, loss)),
        };
        let head = match answer {
            Some(head) => *head,
            None => self
                .read_head(connection, &mut reader)
                .await
                .map_err(|loss| fail(connection, &reader, loss))?,
        };
        let framing = frame_response(&self.request.method, &head);
        let mut framing = framing
            .map_err(|error| fail(connection, &reader, Loss::ours(error.during(Phase::Wait))))?;
        framing.keep_alive &= !is_early && !h1::wants_close(&self.request.headers);
        Ok(Answer { head, framing, meter })
    }

    /// Waits for the final head.
    async fn read_head(
        &self,
        connection: &mut Connection,
        reader: &mut HeadReader,
    ) -> Result<ResponseHead, Loss> {
        let mut interim = Interim::new(reader, self.limits);
        let mut clock = Clock::reading(self.settings);
        poll_fn(|context| {
            loop {
                if let Some(head) = interim.next_final(connection)? {
                    return Poll::Ready(Ok(head));
                }
                if !poll_arrival(connection, &mut clock, context)? {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

/// Reads once; says whether anything arrived.
pub(super) fn poll_arrival(
    connection: &mut Connection,
    clock: &mut Clock,
    context: &mut Context<'_>,
) -> Result<bool, Loss> {
    let Connection { stream, input, .. } = connection;
    match input.poll_fill(stream, context) {
        Poll::Ready(Ok(0)) => Err(Loss::closed(input.is_empty(), Phase::Wait)),
        Poll::Ready(Ok(_)) => match clock.progress(Phase::Wait) {
            Ok(()) => Ok(true),
            Err(error) => Err(Loss::ours(error)),
        },
        Poll::Ready(Err(error)) => Err(Loss::broken(error, Phase::Wait)),
        Poll::Pending => match clock.poll(context, Phase::Wait) {
            Poll::Ready(error) => Err(Loss::ours(error)),
            Poll::Pending => Ok(false),
        },
    }
}

/// Skips interim responses (RFC 9110, section 15.2).
pub(super) struct Interim<'a> {
    reader: &'a mut HeadReader,
    limits: &'a Limits,
    seen: usize,
    /// The server asked for the body (RFC 9110, section 15.2.1).
    pub(super) may_continue: bool,
}

impl<'a> Interim<'a> {
    pub(super) fn new(reader: &'a mut HeadReader, limits: &'a Limits) -> Self {
        Self { reader, limits, seen: 0, may_continue: false }
    }

    /// The final head, if it has arrived.
    pub(super) fn next_final(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Option<ResponseHead>, Loss> {
        while !connection.input.is_empty() {
            let read = self.reader.read(connection.input.filled(), self.limits);
            let read = read.map_err(|error| Loss::ours(error.during(Phase::Wait)))?;
            let Some((head, taken)) = read else { return Ok(None) };
            connection.input.consume(taken);
            if !head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS {
                return Ok(Some(head));
            }
            self.may_continue |= head.status == StatusCode::CONTINUE;
            self.seen += 1;
            if self.seen > self.limits.interim {
                let error = self.limits.too_many_interim();
                return Err(Loss::ours(error.during(Phase::Wait)));
            }
        }
        Ok(None)
    }
}

/// How a connection ended.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) error: Error,
    /// By the peer or the network; not by us.
    pub(super) lost: bool,
}

impl Loss {
    /// Given up by us.
    pub(super) fn ours(error: Error) -> Self {
        Self { error, lost: false }
    }

    /// The peer ended it before the head was whole.
    pub(super) fn closed(without_a_byte: bool, phase: Phase) -> Self {
        let what = match without_a_byte {
            true => "the server closed the connection without an answer",
            false => "the server closed the connection within the head of its answer",
        };
        let error = Error::with(ErrorKind::Disconnected, what);
        Self { error: error.during(phase), lost: true }
    }

    pub(super) fn broken(error: io::Error, phase: Phase) -> Self {
        #[cfg(feature = "tls")]
        let error = match refused_late(error) {
            Ok(refused) => return Self { error: refused.during(phase), lost: true },
            Err(other) => other,
        };
        let error = Error::with(ErrorKind::Disconnected, "the connection was lost")
            .during(phase)
            .because(error);
        Self { error, lost: true }
    }
}
