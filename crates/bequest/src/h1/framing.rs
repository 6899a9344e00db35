//! How long a response's body is (RFC 9112, section 6.3), and whether the connection outlives it.

use http::{Method, StatusCode, Version};

use super::head::ResponseHead;
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none, or it has this many bytes.
    Length(u64),
    /// The last chunk ends it.
    Chunked,
    /// The connection's end ends it.
    UntilClose,
}

/// What the head says about what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResponseFraming {
    pub(crate) framing: Framing,
    /// The connection may carry another request, once the body was read.
    pub(crate) keep_alive: bool,
}

/// Frames a response to a request with that method.
pub(crate) fn frame_response(method: &Method, head: &ResponseHead) -> Result<ResponseFraming> {
    let keep_alive = keeps_alive(head);
    let without_body = *method == Method::HEAD
        || head.status.is_informational()
        || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let tunnel = *method == Method::CONNECT && head.status.is_success();
    if without_body || tunnel {
        // What became a tunnel, or switched protocols, speaks no HTTP any more.
        let switched = tunnel || head.status == StatusCode::SWITCHING_PROTOCOLS;
        let keep_alive = keep_alive && !switched;
        return Ok(ResponseFraming { framing: Framing::Length(0), keep_alive });
    }
    let length = content_length(&head.headers)?;
    // Both framings, or codings that HTTP/1.0 has none of, are the shape of an attack on somebody
    // between, even where the codings are an empty list: believed as section 6.1 says, but the
    // connection ends with it.
    let suspicious = head.headers.contains("transfer-encoding")
        && (length.is_some() || head.version == Version::HTTP_10);
    let keep_alive = keep_alive && !suspicious;
    if let Some(last) = last_coding(&head.headers) {
        return Ok(if last.eq_ignore_ascii_case(b"chunked") {
            ResponseFraming { framing: Framing::Chunked, keep_alive }
        } else {
            ResponseFraming { framing: Framing::UntilClose, keep_alive: false }
        });
    }
    Ok(match length {
        Some(length) => ResponseFraming { framing: Framing::Length(length), keep_alive },
        None => ResponseFraming { framing: Framing::UntilClose, keep_alive: false },
    })
}

/// Whether a message says that its connection ends with it (RFC 9112, section 9.6).
pub(crate) fn wants_close(headers: &Headers) -> bool {
    has_token(headers, "connection", "close")
}

fn keeps_alive(head: &ResponseHead) -> bool {
    let said = |option| has_token(&head.headers, "connection", option);
    match head.version {
        Version::HTTP_10 => said("keep-alive") && !wants_close(&head.headers),
        _ => !wants_close(&head.headers),
    }
}

/// Whether a list field has that member.
fn has_token(headers: &Headers, name: &str, token: &str) -> bool {
    headers
        .get_all_bytes(name)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .any(|member| member.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// The last of the transfer codings, without its parameters.
fn last_coding(headers: &Headers) -> Option<&[u8]> {
    let codings = headers
        .get_all_bytes("transfer-encoding")
        .flat_map(|value| value.split(|&byte| byte == b','));
    let last = codings.map(<[u8]>::trim_ascii).filter(|coding| !coding.is_empty()).last()?;
    last.split(|&byte| byte == b';').next().map(<[u8]>::trim_ascii)
}

/// The length that all fields and list members agree on.
fn content_length(headers: &Headers) -> Result<Option<u64>> {
    let mut length = None;
    let values = headers.get_all_bytes("content-length");
    for member in values.flat_map(|value| value.split(|&byte| byte == b',')) {
        let member = member.trim_ascii();
        let parsed = parse_length(member).ok_or_else(|| {
            let shown = String::from_utf8_lossy(member).escape_debug().to_string();
            invalid(format!("Content-Length `{shown}` is not a length"))
        })?;
        if length.is_some_and(|known| known != parsed) {
            return Err(invalid("the Content-Length fields contradict each other".into()));
        }
        length = Some(parsed);
    }
    Ok(length)
}

/// `1*DIGIT`: no sign, no blanks, no more than fits.
fn parse_length(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |length, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        length.checked_mul(10)?.checked_add(digit)
    })
}

fn invalid(what: String) -> Error {
    Error::with(ErrorKind::InvalidResponse, what)
}

#[cfg(test)]
mod tests;
