//! A response whose body is awaited.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Extensions, StatusCode, Version};
use url::Url;

use super::streams::{IterContent, IterLines, Reader};
#[cfg(feature = "cookies")]
use crate::cookies::CookieJar;
use crate::error::Result;
use crate::headers::Headers;
use crate::net::tls::TlsInfo;
use crate::request::PreparedRequest;
use crate::response::Links;
use crate::retry::Attempt;
use crate::timings::Timings;

/// A [`Response`](crate::Response) whose body is awaited. `From` goes both ways; a streamed body is
/// read in the world that it was opened in.
///
/// Timeouts hold while a body is read. The read timeout runs from when somebody began to wait in
/// vain until something arrives, whether or not they go on waiting.
pub struct Response(crate::response::Response);

/// What needs no waiting is the same.
macro_rules! same {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)*) => {
        impl Response {$(
            $(#[$doc])*
            pub fn $name(&self) -> $type {
                self.0.$name()
            }
        )*}
    };
}

same! {
    /// The status code; it compares with numbers.
    status -> StatusCode;
    /// The reason phrase as the server sent it; often empty.
    reason -> &str;
    /// Whether the status is neither a client error nor a server error (400 to 599).
    ok -> bool;
    /// The HTTP version of the response.
    version -> Version;
    /// The header fields as the server sent them: order, case, repeats.
    headers -> &Headers;
    /// The URL that answered.
    url -> &Url;
    /// The request that was answered, with the fields that went out.
    request -> &PreparedRequest;
    /// The responses before this one, oldest first.
    history -> &[crate::response::Response];
    /// The attempts before this one that were retried, oldest first: the last 100 of them.
    attempts -> &[Attempt];
    /// The time from just before the request was sent until the head of the response had arrived.
    elapsed -> Duration;
    /// How long each step until then took.
    timings -> Timings;
    /// The server's address; `None` where there was no connection.
    remote_addr -> Option<SocketAddr>;
    /// How the connection to the server was secured; `None` where it was not, and where there was
    /// none.
    tls -> Option<&TlsInfo>;
    /// What Content-Length says, if it is a number.
    content_length -> Option<u64>;
    /// The charset that [`text`](Response::text) goes by; `None` where nothing says it, so that it
    /// is detected.
    encoding -> Option<Cow<'_, str>>;
    /// The fields behind a chunked body, once it was read to its end.
    trailers -> Option<&Headers>;
    /// Whether the status and a Location say where to go on: 301, 302, 303, 307 or 308.
    is_redirect -> bool;
    /// Whether they say so for good: 301 or 308.
    is_permanent_redirect -> bool;
    /// The cookies that this response set, and no others.
    #[cfg(feature = "cookies")]
    cookies -> CookieJar;
    /// What the Link fields say (RFC 8288), to turn pages for example.
    links -> Links;
    /// Anything that hooks and adapters have put there.
    extensions -> &Extensions;
    /// Closes the connection, if the body is still to be read. What was read already stays.
    close -> ();
}

impl Response {
    /// Anything that hooks and adapters want to put there.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        self.0.extensions_mut()
    }

    /// The request that a redirect asks for, if this is one that was not followed; see
    /// [`Response::next_request`](crate::Response::next_request). Awaited, since an auth may have
    /// to wait.
    ///
    /// # Errors
    /// Those of the blocking one.
    pub async fn next_request(&self) -> Result<Option<PreparedRequest>> {
        self.0.next_request_async().await
    }

    /// The whole body. Given up before it is there, it can be asked for again.
    ///
    /// # Errors
    /// Those of [`Response::content`](crate::Response::content).
    pub async fn content(&self) -> Result<Bytes> {
        self.0.collect().await
    }

    /// Says which charset [`text`](Self::text) goes by, whatever the server says; `None` lets it be
    /// detected.
    pub fn set_encoding<'a>(&mut self, label: impl Into<Option<&'a str>>) {
        self.0.set_encoding(label);
    }

    /// The charset that the body seems to be in; `None` if that can't be told. It is detected once.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    pub async fn apparent_encoding(&self) -> Result<Option<&str>> {
        self.content().await.map(|content| self.0.detect(&content))
    }

    /// The body as text in this charset, whatever else is said.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    pub async fn text_with(&self, label: &str) -> Result<String> {
        self.content().await.map(|content| crate::response::decode_as(label, &content))
    }

    /// The body as text.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    pub async fn text(&self) -> Result<String> {
        self.content().await.map(|content| self.0.decode(&content))
    }

    /// The body in pieces of `size` bytes (the last may be smaller), or, for `None`, as they
    /// arrive. It holds the body while it lives; what it did not read is there for the next one.
    ///
    /// ```no_run
    /// # async fn example(r: bequest::aio::Response) -> bequest::Result<()> {
    /// let mut chunks = r.iter_content(64 * 1024);
    /// while let Some(chunk) = chunks.next().await {
    ///     let chunk: bytes::Bytes = chunk?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter_content(&self, size: impl Into<Option<usize>>) -> IterContent<'_> {
        self.0.iter_content(size).into()
    }

    /// The same, keeping the response alive: for another task, or another request's
    /// [`Body::stream`](crate::Body).
    pub fn into_iter_content(self, size: impl Into<Option<usize>>) -> IterContent<'static> {
        self.0.into_iter_content(size).into()
    }

    /// The body's lines, without their ends (`\n`, `\r\n` or `\r`), each as soon as it has
    /// arrived. It holds the body while it lives; what it did not read is there for the next one.
    pub fn iter_lines(&self) -> IterLines<'_> {
        self.0.iter_lines().into()
    }

    /// The same, keeping the response alive.
    pub fn into_iter_lines(self) -> IterLines<'static> {
        self.0.into_iter_lines().into()
    }

    /// The body as tokio's [`AsyncRead`](tokio::io::AsyncRead) and
    /// [`AsyncBufRead`](tokio::io::AsyncBufRead). It holds the body while it lives; what it did not
    /// read is there for the next one.
    pub fn reader(&self) -> Reader<'_> {
        self.0.reader().into()
    }

    /// The same, keeping the response alive.
    pub fn into_reader(self) -> Reader<'static> {
        self.0.into_reader().into()
    }

    /// The body as it was sent: a reader of the bytes before any Content-Encoding is undone. Once
    /// a part was read so, the rest can't be read decoded, nor the other way round.
    pub fn raw(&self) -> Reader<'_> {
        self.0.raw().into()
    }

    /// The same, keeping the response alive.
    pub fn into_raw(self) -> Reader<'static> {
        self.0.into_raw().into()
    }

    /// The body as JSON, read into a type of yours.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidJson`](crate::ErrorKind::InvalidJson); those of
    /// [`content`](Self::content).
    #[cfg(feature = "json")]
    pub async fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        self.content().await.and_then(|content| self.0.parse_json(&content))
    }

    /// Itself, unless the status is 400 to 599.
    ///
    /// # Errors
    /// [`ErrorKind::HttpStatus`](crate::ErrorKind::HttpStatus), with the response in it.
    pub fn error_for_status(self) -> Result<Self> {
        self.0.error_for_status().map(Self)
    }
}

impl From<crate::response::Response> for Response {
    fn from(response: crate::response::Response) -> Self {
        Self(response)
    }
}

impl From<Response> for crate::response::Response {
    fn from(response: Response) -> Self {
        response.0
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
