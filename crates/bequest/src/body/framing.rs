//! How a request's body is delimited (RFC 9112, section 6).

use http::Method;

use super::Body;
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;

/// Where a request's body ends. Never both, which is how requests are smuggled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestFraming {
    /// That many bytes.
    Length(u64),
    /// The last chunk ends it.
    Chunked,
}

/// Decides the framing from what the caller set, then from the body; and says whether the fields
/// that announce it still have to be added.
pub(crate) fn frame_request(
    method: &Method,
    headers: &Headers,
    body: &Body,
) -> Result<(RequestFraming, bool)> {
    match said(headers) {
        (Some(_), Some(_)) => Err(invalid(
            "both Content-Length and Transfer-Encoding are set",
            "set one of them, or neither: bequest adds what the body needs",
        )),
        (Some(coding), None) => {
            chunked_by_caller(headers, coding).map(|()| (RequestFraming::Chunked, false))
        }
        (None, Some(length)) => {
            length_by_caller(headers, length, body).map(|n| (RequestFraming::Length(n), false))
        }
        (None, None) => Ok(match body.len() {
            // A body of nothing is announced too, where a body would be expected.
            Some(0) if body.is_empty() => {
                let expected = !matches!(*method, Method::GET | Method::HEAD);
                (RequestFraming::Length(0), expected)
            }
            Some(length) => (RequestFraming::Length(length), true),
            None => (RequestFraming::Chunked, true),
        }),
    }
}

/// Transfer-Encoding and Content-Length, found in one walk.
fn said(headers: &Headers) -> (Option<&[u8]>, Option<&[u8]>) {
    let (mut coding, mut length) = (None, None);
    for (name, value) in headers.fields() {
        match name.len() {
            14 if name.eq_ignore_ascii_case(b"Content-Length") => length = length.or(Some(value)),
            17 if name.eq_ignore_ascii_case(b"Transfer-Encoding") => {
                coding = coding.or(Some(value));
            }
            _ => {}
        }
    }
    (coding, length)
}

fn chunked_by_caller(headers: &Headers, coding: &[u8]) -> Result<()> {
    let once = headers.get_all_bytes("transfer-encoding").count() == 1;
    if once && coding.trim_ascii().eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    Err(invalid(
        "a request can have no Transfer-Encoding but `chunked`",
        "leave it out: bequest adds it where the body needs it",
    ))
}

fn length_by_caller(headers: &Headers, length: &[u8], body: &Body) -> Result<u64> {
    let once = headers.get_all_bytes("content-length").count() == 1;
    let digits = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
    let parsed = std::str::from_utf8(length).ok().and_then(|text| text.parse::<u64>().ok());
    let Some(announced) = parsed.filter(|_| once && digits) else {
        let shown = String::from_utf8_lossy(length).escape_debug().to_string();
        return Err(Error::with(
            ErrorKind::InvalidHeader,
            format!("Content-Length `{shown}`: it must be one decimal number"),
        )
        .remedied("leave it out: bequest adds it"));
    };
    match body.len() {
        Some(actual) if actual != announced => Err(Error::with(
            ErrorKind::LengthMismatch,
            format!("Content-Length is {announced}, the body has {actual} bytes"),
        )
        .remedied("leave the header out: bequest adds the right one")),
        _ => Ok(announced),
    }
}

fn invalid(what: &'static str, remedy: &'static str) -> Error {
    Error::with(ErrorKind::InvalidRequest, what).remedied(remedy)
}

#[cfg(test)]
mod tests {
    use super::RequestFraming::{Chunked, Length};
    use super::*;

    fn framed(
        method: &Method,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Result<(RequestFraming, bool)> {
        frame_request(method, &headers.into(), &body.into())
    }

    fn reader() -> Body {
        Body::reader(std::io::empty())
    }

    #[test]
    fn without_headers_the_body_decides() {
        for (method, body, expected) in [
            (Method::GET, Body::empty(), (Length(0), false)),
            (Method::HEAD, "".into(), (Length(0), false)),
            (Method::POST, Body::empty(), (Length(0), true)),
            (Method::OPTIONS, Body::empty(), (Length(0), true)),
            (Method::DELETE, "".into(), (Length(0), true)),
            (Method::GET, "abc".into(), (Length(3), true)),
            (Method::POST, reader(), (Chunked, true)),
            (Method::POST, reader().with_length(5), (Length(5), true)),
            (Method::GET, reader().with_length(0), (Length(0), true)),
        ] {
            let shown = format!("{method} {body:?}");
            assert_eq!(framed(&method, &[], body).unwrap(), expected, "{shown}");
        }
    }

    #[test]
    fn the_callers_headers_decide_first() {
        let post = Method::POST;
        let length = |value| [("content-length", value)];
        assert_eq!(framed(&post, &length("3"), "abc").unwrap(), (Length(3), false));
        assert_eq!(framed(&post, &length("3"), reader()).unwrap(), (Length(3), false));
        let chunked = [("Transfer-Encoding", "Chunked")];
        assert_eq!(framed(&post, &chunked, "abc").unwrap(), (Chunked, false));
        assert_eq!(framed(&post, &chunked, Body::empty()).unwrap(), (Chunked, false));
    }

    #[test]
    fn contradictions_are_refused() {
        let kind = |headers: &[(&str, &str)], body| {
            framed(&Method::POST, headers, body).unwrap_err().kind()
        };
        let three = reader().with_length(3);
        for (value, body) in [("2", "abc".into()), ("1", Body::empty()), ("4", three)] {
            assert_eq!(kind(&[("Content-Length", value)], body), ErrorKind::LengthMismatch);
        }
        for value in ["", "+3", "-3", "3, 3", "0x3", "99999999999999999999999"] {
            assert_eq!(kind(&[("Content-Length", value)], "abc".into()), ErrorKind::InvalidHeader);
        }
        let twice = [("Content-Length", "3"), ("content-length", "3")];
        assert_eq!(kind(&twice, "abc".into()), ErrorKind::InvalidHeader);
        let both = [("Content-Length", "3"), ("Transfer-Encoding", "chunked")];
        assert_eq!(kind(&both, "abc".into()), ErrorKind::InvalidRequest);
        for coding in ["gzip", "gzip, chunked", ""] {
            assert_eq!(
                kind(&[("Transfer-Encoding", coding)], "abc".into()),
                ErrorKind::InvalidRequest
            );
        }
    }
}
