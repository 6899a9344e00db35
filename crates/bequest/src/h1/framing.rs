//! How long a response's body is (RFC 9112, section 6.3), and whether the connection outlives it.

use std::time::Duration;

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
    /// How long the server keeps it while it idles, where it says so.
    pub(crate) keeps: Option<Duration>,
}

/// Frames a response to a request with that method.
pub(crate) fn frame_response(method: &Method, head: &ResponseHead) -> Result<ResponseFraming> {
    let fields = FramingFields::of(&head.headers);
    let keeps = fields.keeps;
    let keep_alive = match head.version {
        Version::HTTP_10 => fields.keep_alive && !fields.close,
        _ => !fields.close,
    };
    let without_body = *method == Method::HEAD
        || head.status.is_informational()
        || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let tunnel = *method == Method::CONNECT && head.status.is_success();
    if without_body || tunnel {
        // What became a tunnel, or switched protocols, speaks no HTTP any more.
        let switched = tunnel || head.status == StatusCode::SWITCHING_PROTOCOLS;
        let keep_alive = keep_alive && !switched;
        return Ok(ResponseFraming { framing: Framing::Length(0), keep_alive, keeps });
    }
    let length = fields.length.transpose()?;
    // Both framings, or codings that HTTP/1.0 has none of, are the shape of an attack on somebody
    // between, even where the codings are an empty list: believed as section 6.1 says, but the
    // connection ends with it.
    let suspicious = fields.coded && (length.is_some() || head.version == Version::HTTP_10);
    let keep_alive = keep_alive && !suspicious;
    if fields.chunked? {
        return Ok(ResponseFraming { framing: Framing::Chunked, keep_alive, keeps });
    }
    Ok(match length {
        Some(length) => ResponseFraming { framing: Framing::Length(length), keep_alive, keeps },
        None => ResponseFraming { framing: Framing::UntilClose, keep_alive: false, keeps },
    })
}

/// Whether a message says that its connection ends with it (RFC 9112, section 9.6).
pub(crate) fn wants_close(headers: &Headers) -> bool {
    // Nearly all that say something say `keep-alive`.
    let mut said = headers.get_all_bytes("Connection");
    said.any(|value| value != b"keep-alive" && has_member(value, b"close"))
}

/// What the head's fields say, found in one walk.
struct FramingFields {
    close: bool,
    keep_alive: bool,
    keeps: Option<Duration>,
    /// What all fields and list members agree on, or why that is none.
    length: Option<Result<u64>>,
    /// There is a Transfer-Encoding.
    coded: bool,
    /// Whether the body comes in chunks, or why that can't be said.
    chunked: Result<bool>,
}

impl FramingFields {
    fn of(headers: &Headers) -> Self {
        let mut found = Self {
            close: false,
            keep_alive: false,
            keeps: None,
            length: None,
            coded: false,
            chunked: Ok(false),
        };
        // Most are spelled as usual, which is quicker to see.
        let is = |name: &[u8], usual: &[u8]| name == usual || name.eq_ignore_ascii_case(usual);
        for (name, value) in headers.fields() {
            match name.len() {
                10 if is(name, b"Connection") => {
                    found.close |= has_member(value, b"close");
                    found.keep_alive |= has_member(value, b"keep-alive");
                }
                10 if is(name, b"Keep-Alive") => found.keeps = found.keeps.or(idle_time(value)),
                14 if is(name, b"Content-Length") => {
                    found.length = Some(agree(found.length.take(), value));
                }
                17 if is(name, b"Transfer-Encoding") => {
                    found.coded = true;
                    found.chunked = found.chunked.and_then(|known| chunked(known, value));
                }
                _ => {}
            }
        }
        found
    }
}

/// Whether a list has that member.
fn has_member(list: &[u8], member: &[u8]) -> bool {
    list.split(|&byte| byte == b',').any(|known| known.trim_ascii().eq_ignore_ascii_case(member))
}

/// What Keep-Alive says of how long a connection may idle: `timeout=5, max=100`, in seconds.
fn idle_time(value: &[u8]) -> Option<Duration> {
    let seconds = std::str::from_utf8(value).ok()?.split(',').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("timeout").then(|| value.trim().parse().ok())?
    });
    seconds.map(Duration::from_secs)
}

/// Whether these transfer codings and those before them are chunked. It comes last and once
/// (section 6.1); `identity`, which is history, says nothing; no other was asked for, and undoing
/// none of them, the body would be something else than the caller thinks.
fn chunked(mut known: bool, list: &[u8]) -> Result<bool> {
    for coding in list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
        if coding.eq_ignore_ascii_case(b"chunked") && !known {
            known = true;
        } else if !coding.is_empty() && (known || !coding.eq_ignore_ascii_case(b"identity")) {
            let shown = String::from_utf8_lossy(list).escape_debug().to_string();
            let rule = if known { "chunked comes last, and once" } else { "it was not asked for" };
            return Err(invalid(format!("Transfer-Encoding `{shown}`: {rule}")));
        }
    }
    Ok(known)
}

/// The length that this list and those before it agree on.
fn agree(known: Option<Result<u64>>, list: &[u8]) -> Result<u64> {
    let mut known = known.transpose()?;
    for member in list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
        let length = parse_length(member).ok_or_else(|| {
            let shown = String::from_utf8_lossy(member).escape_debug().to_string();
            invalid(format!("Content-Length `{shown}` is not a length"))
        })?;
        if known.is_some_and(|known| known != length) {
            return Err(invalid("the Content-Length fields contradict each other".into()));
        }
        known = Some(length);
    }
    // A list has at least one member, if only an empty one.
    known.ok_or_else(|| invalid("Content-Length is empty".into()))
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
