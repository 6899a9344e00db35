//! What kind of failure an error is.

use std::error::Error as _;
use std::io;

use crate::error::{Error, ErrorKind, Phase};
use crate::net::tls;

/// What went wrong with an attempt that has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    /// The server can't have seen the request.
    Connect,
    /// It may have seen it.
    Read,
    /// Something between here and there.
    Other,
    /// It would be the same the next time, or nobody wants it.
    Final,
}

impl Category {
    pub(crate) fn of(error: &Error) -> Self {
        let nothing_sent = matches!(error.phase(), Some(Phase::Resolve | Phase::Connect(_)));
        match error.kind() {
            ErrorKind::Resolve | ErrorKind::Connect | ErrorKind::ConnectTimeout => Self::Connect,
            ErrorKind::Tls => Self::of_handshake(error),
            ErrorKind::Proxy => Self::of_proxy(error),
            ErrorKind::Disconnected if nothing_sent => Self::Connect,
            ErrorKind::Disconnected
            | ErrorKind::InvalidResponse
            | ErrorKind::ReadTimeout
            | ErrorKind::WriteTimeout => Self::Read,
            _ => Self::Final,
        }
    }

    fn of_handshake(error: &Error) -> Self {
        match tls::failure(error) {
            tls::Failure::Lost => Self::Connect,
            tls::Failure::Protocol => Self::Other,
            tls::Failure::Final => Self::Final,
        }
    }

    /// The server has seen nothing. A proxy that says no would say it again, and one that does not
    /// know us may count how often; but what is behind it may come back.
    fn of_proxy(error: &Error) -> Self {
        let is_lost = error.source().is_some_and(|cause| cause.is::<io::Error>());
        let status = error.response().map(|response| response.status().as_u16());
        match (error.phase(), status) {
            (Some(Phase::Resolve | Phase::Connect(_)), _) => Self::Connect,
            (Some(Phase::Tls), _) => Self::of_handshake(error),
            (_, Some(502..=504)) => Self::Other,
            (_, None) if is_lost => Self::Connect,
            _ => Self::Final,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Response;

    #[test]
    fn errors_have_categories() {
        let of = |kind, phase| Category::of(&Error::with(kind, "x").during(phase));
        for (kind, phase, expected) in [
            (ErrorKind::Resolve, Phase::Resolve, Category::Connect),
            (ErrorKind::Connect, Phase::Connect(None), Category::Connect),
            (ErrorKind::ConnectTimeout, Phase::Tls, Category::Connect),
            (ErrorKind::WriteTimeout, Phase::Send, Category::Read),
            (ErrorKind::Disconnected, Phase::Send, Category::Read),
            (ErrorKind::Disconnected, Phase::Wait, Category::Read),
            (ErrorKind::InvalidResponse, Phase::Wait, Category::Read),
            (ErrorKind::ReadTimeout, Phase::Wait, Category::Read),
            (ErrorKind::Tls, Phase::Tls, Category::Final),
            (ErrorKind::Proxy, Phase::Resolve, Category::Connect),
            (ErrorKind::Proxy, Phase::Connect(None), Category::Connect),
            (ErrorKind::Proxy, Phase::Tls, Category::Final),
            (ErrorKind::Proxy, Phase::Proxy, Category::Final),
            (ErrorKind::Deadline, Phase::Wait, Category::Final),
            (ErrorKind::Deadline, Phase::Connect(None), Category::Final),
            (ErrorKind::Cancelled, Phase::Wait, Category::Final),
            (ErrorKind::Closed, Phase::Wait, Category::Final),
            (ErrorKind::TooLarge, Phase::Wait, Category::Final),
            (ErrorKind::InvalidUrl, Phase::Prepare, Category::Final),
            (ErrorKind::LengthMismatch, Phase::Send, Category::Final),
            (ErrorKind::Io, Phase::Send, Category::Final),
            (ErrorKind::Other, Phase::Send, Category::Final),
        ] {
            assert_eq!(of(kind, phase), expected, "{kind:?} {phase:?}");
        }
    }

    #[test]
    fn a_proxy_s_no_is_final_and_its_end_is_not() {
        let proxy = || Error::with(ErrorKind::Proxy, "x").during(Phase::Proxy);
        let lost = proxy().because(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert_eq!(Category::of(&lost), Category::Connect);
        for (status, expected) in [
            (403, Category::Final),
            (407, Category::Final),
            (500, Category::Final),
            (502, Category::Other),
            (503, Category::Other),
            (504, Category::Other),
        ] {
            let refusal = Response::builder().status(status).build().unwrap();
            assert_eq!(Category::of(&proxy().carry_response(refusal)), expected, "{status}");
        }
    }
}
