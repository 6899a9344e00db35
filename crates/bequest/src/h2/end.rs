//! How streams end before they should.

use ::h2::Reason;

use super::code::Http2Code;

/// Why a stream is over.
#[derive(Debug)]
pub(crate) enum End {
    /// The server says that it has done nothing for the request: it may be sent again (RFC 9113,
    /// section 8.7).
    Unprocessed(Http2Code),
    /// The server wants it by HTTP/1.1.
    NeedsHttp1(Http2Code),
    /// The server has ended the stream.
    Reset(Http2Code),
    /// The server has ended the connection.
    GoneAway(Http2Code),
    /// The server has broken a rule of HTTP/2, on this stream or the connection.
    Broken(Http2Code),
    /// The head is larger than it may be.
    TooLarge,
    /// The connection was lost.
    Lost(Option<std::io::Error>),
}

impl From<::h2::Error> for End {
    fn from(error: ::h2::Error) -> Self {
        let Some(reason) = error.reason() else {
            // What a user of the library does wrong comes of a stream that is over already.
            return Self::Lost(error.into_io());
        };
        let code = Http2Code::from(reason);
        if !error.is_remote() {
            // This is what it refuses itself, and nothing else.
            let is_large = error.is_reset() && reason == Reason::REFUSED_STREAM;
            return if is_large { Self::TooLarge } else { Self::Broken(code) };
        }
        match (error.is_go_away(), reason) {
            (true, Reason::NO_ERROR) | (false, Reason::REFUSED_STREAM) => Self::Unprocessed(code),
            (false, Reason::HTTP_1_1_REQUIRED) => Self::NeedsHttp1(code),
            (true, _) => Self::GoneAway(code),
            (false, _) => Self::Reset(code),
        }
    }
}
