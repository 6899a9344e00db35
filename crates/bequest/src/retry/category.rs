//! What kind of failure an error is.

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

    /// Nothing was sent to the server, whatever a proxy made of it.
    fn of_proxy(error: &Error) -> Self {
        match error.phase() {
            Some(Phase::Resolve | Phase::Connect(_)) => Self::Connect,
            Some(Phase::Tls) => Self::of_handshake(error),
            // The same credentials again are no better, and some proxies count.
            _ if error.response().is_some_and(|said| said.status() == 407) => Self::Final,
            _ => Self::Other,
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
            (ErrorKind::Proxy, Phase::Proxy, Category::Other),
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
    fn a_proxy_is_not_asked_twice_with_the_same_credentials() {
        let said = |status| {
            let error = Error::with(ErrorKind::Proxy, "no tunnel").during(Phase::Proxy);
            error.carry_response(Response::builder().status(status).build().unwrap())
        };
        assert_eq!(Category::of(&said(407)), Category::Final);
        assert_eq!(Category::of(&said(502)), Category::Other);
    }
}
