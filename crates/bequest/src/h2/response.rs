//! The head of a response, and its trailers.

use std::borrow::Cow;

use http::response::Parts;
use http::{HeaderMap, Method, StatusCode, Version};

use crate::error::{Error, ErrorKind, Result};
use crate::h1::{Limits, ResponseHead};
use crate::headers::Headers;

/// The head in the form that HTTP/1.1 has it in. HTTP/2 has no reason phrases: it gets the usual
/// one.
pub(crate) fn response_head(parts: &Parts, limits: &Limits) -> Result<ResponseHead> {
    check(&parts.headers, limits, "response")?;
    Ok(ResponseHead {
        version: Version::HTTP_2,
        status: parts.status,
        reason: Cow::Borrowed(parts.status.canonical_reason().unwrap_or_default()),
        headers: received(&parts.headers),
    })
}

/// The fields behind a body.
pub(crate) fn trailers(fields: &HeaderMap, limits: &Limits) -> Result<Headers> {
    check(fields, limits, "trailers")?;
    Ok(received(fields))
}

fn received(fields: &HeaderMap) -> Headers {
    let text = fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut headers = Headers::with_room(text, fields.len());
    for (name, value) in fields {
        headers.append(name.as_str(), value.as_bytes());
    }
    headers
}

fn check(fields: &HeaderMap, limits: &Limits, what: &str) -> Result<()> {
    if fields.len() <= limits.fields {
        return Ok(());
    }
    let what = format!("the {what} has more than {} header fields", limits.fields);
    Err(Error::with(ErrorKind::TooLarge, what)
        .remedied("if it may, say so by the adapter's `max_fields`"))
}

/// Whether the response has no body, whatever its fields say (RFC 9110, section 6.4.1).
pub(crate) fn is_bodyless(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// What it says of how long its body is; malformed lengths never come here.
pub(crate) fn length(head: &ResponseHead) -> Option<u64> {
    head.headers.get("content-length").and_then(|length| length.parse().ok())
}
