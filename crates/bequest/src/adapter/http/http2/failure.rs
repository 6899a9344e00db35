//! What it means for a request that its stream has ended.

use super::super::round_trip::is_repeatable;
use crate::error::{Error, ErrorKind, Phase};
use crate::h2::{End, Http2Code, Hub};
use crate::request::PreparedRequest;

/// Why there is no answer, and what that means for a second try.
pub(super) struct Failure {
    pub(super) error: Error,
    /// The connection was lost.
    pub(super) is_lost: bool,
    /// The server says that it has done nothing.
    is_unprocessed: bool,
    pub(super) needs_http1: bool,
}

impl Failure {
    /// It was ended here.
    pub(super) fn ours(error: Error) -> Self {
        Self { error, is_lost: false, is_unprocessed: false, needs_http1: false }
    }

    pub(super) fn of(end: End, hub: &Hub, phase: Phase) -> Self {
        Self {
            is_lost: matches!(end, End::Lost(_)),
            is_unprocessed: match end {
                End::Unprocessed(_) => true,
                End::Lost(_) => hub.was_left(),
                _ => false,
            },
            needs_http1: matches!(end, End::NeedsHttp1(_)),
            error: error(end, Some(hub), phase),
        }
    }

    /// Whether it may be sent once more: the server has done nothing for it; or the connection had
    /// been there before and was lost, and doing it twice is the same as once.
    pub(super) fn allows_replay(&self, request: &PreparedRequest, is_fresh: bool) -> bool {
        (self.is_unprocessed && request.body.is_rewindable())
            || (self.is_lost && !is_fresh && is_repeatable(request))
    }
}

/// What is told of it.
pub(super) fn error(end: End, hub: Option<&Hub>, phase: Phase) -> Error {
    let lost = match phase {
        Phase::Body => ErrorKind::IncompleteBody,
        _ => ErrorKind::Disconnected,
    };
    let error = match end {
        End::Unprocessed(code) => {
            Error::with(lost, "the server has refused to process the request").because(code)
        }
        End::NeedsHttp1(code) => Error::with(lost, "the server wants the request by HTTP/1.1")
            .remedied("say so: `HttpVersions::Http1`")
            .because(code),
        End::Reset(code) => Error::with(lost, "the server has ended the stream").because(code),
        End::GoneAway(code) => {
            Error::with(lost, "the server has ended the connection").because(code)
        }
        // So is ended what goes far beyond the limit.
        End::Broken(Http2Code::ENHANCE_YOUR_CALM) if phase == Phase::Wait => too_large(),
        End::Broken(code) => {
            Error::with(ErrorKind::InvalidResponse, "the server's answer breaks a rule of HTTP/2")
                .because(code)
        }
        End::TooLarge => too_large(),
        End::Lost(_) if hub.is_some_and(Hub::fell_silent) => {
            Error::with(lost, "the connection was given up: the server had not answered a PING")
                .remedied("`HttpAdapter::http2_keepalive` says how long it is waited for")
        }
        End::Lost(None) => Error::with(lost, "the connection was lost"),
        End::Lost(Some(cause)) => Error::with(lost, "the connection was lost").because(cause),
    };
    error.during(phase)
}

fn too_large() -> Error {
    let what = "the response's head, or its trailers, are larger than they may be";
    Error::with(ErrorKind::TooLarge, what)
        .remedied("if they may, say so by the adapter's `max_head`")
}
