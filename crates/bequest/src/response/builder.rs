//! Responses that no server sent.

use std::borrow::Cow;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Extensions, StatusCode, Version};
use tokio::io::ReadBuf;
use url::Url;

use super::incoming::{Incoming, Live};
use super::{Encoding, Head, Response};
use crate::body::{Body, Piece};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::headers::{Headers, ToHeaderValue};
use crate::timings::HeadTimings;

/// Puts a response together, for an adapter of your own or for a test.
///
/// ```
/// # use bequest::Response;
/// let r = Response::builder().status(404).header("X-Why", "gone").body("no such page").build()?;
/// assert_eq!(r.status(), 404);
/// assert_eq!(r.text()?, "no such page");
/// # Ok::<(), bequest::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build()`"]
pub struct ResponseBuilder {
    status: u16,
    reason: Option<Cow<'static, str>>,
    pub(super) version: Version,
    pub(super) headers: Headers,
    body: Body,
    url: Option<Url>,
    pub(super) extensions: Extensions,
}

impl ResponseBuilder {
    pub(super) fn new() -> Self {
        Self {
            status: 200,
            reason: None,
            version: Version::HTTP_11,
            headers: Headers::new(),
            body: Body::empty(),
            url: None,
            extensions: Extensions::new(),
        }
    }

    /// The status code, 100 to 999; 200 unless it is set.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The reason phrase; the usual one of the status unless it is set.
    pub fn reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds a header field.
    pub fn header(mut self, name: impl AsRef<str>, value: impl ToHeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The body. A reader or an iterator is read when the response is.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// The URL that answered; that of the request unless it is set.
    pub fn url(mut self, url: Url) -> Self {
        self.url = Some(url);
        self
    }

    /// The response.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidResponse`] for a status that is none.
    pub fn build(self) -> Result<Response> {
        let status = StatusCode::from_u16(self.status).map_err(|error| {
            Error::with(ErrorKind::InvalidResponse, format!("status {}", self.status))
                .because(error)
        })?;
        let usual = status.canonical_reason().unwrap_or_default();
        let head = Head {
            status,
            version: self.version,
            reason: self.reason.unwrap_or(Cow::Borrowed(usual)),
            headers: self.headers,
            request: None,
            url: self.url,
            history: Vec::new(),
            attempts: Vec::new(),
            timings: HeadTimings::default(),
            peer: None,
            tls: None,
            extensions: self.extensions,
            max_content: None,
            encoding: Encoding::default(),
        };
        Ok(Response::new(head, Live::new(Own::new(&self.body)?)))
    }
}

/// A body that an adapter brought itself.
pub(super) struct Own {
    body: Option<crate::body::Lease>,
    rest: Bytes,
}

impl Own {
    fn new(body: &Body) -> Result<Self> {
        let rest = body.bytes().unwrap_or_default();
        Ok(Self { body: body.source().map(|stream| stream.lend()).transpose()?, rest })
    }
}

impl From<Bytes> for Own {
    fn from(rest: Bytes) -> Self {
        Self { body: None, rest }
    }
}

impl Incoming for Own {
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let source = self.body.as_mut().and_then(|lease| lease.source.as_mut());
        if let (true, Some(source)) = (self.rest.is_empty(), source) {
            let piece = source.poll_next(context, out.initialize_unfilled());
            let piece = ready!(piece).map_err(|error| {
                Error::with(ErrorKind::Io, "the body's source failed")
                    .because(error)
                    .during(Phase::Body)
            })?;
            match piece {
                Piece::Read(count) => out.advance(count),
                Piece::Chunk(chunk) => self.rest = chunk,
                Piece::End => {}
            }
        }
        let count = self.rest.len().min(out.remaining());
        out.put_slice(&self.rest.split_to(count));
        Poll::Ready(Ok(()))
    }

    fn remaining(&self) -> Option<u64> {
        self.body.is_none().then_some(self.rest.len() as u64)
    }
}
