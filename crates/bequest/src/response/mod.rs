//! Responses: what a server answered, and its body, read or yet to be read.

mod builder;
mod content_type;
mod convert;
#[cfg_attr(not(feature = "compression"), path = "undecoded.rs")]
mod decode;
mod decoded;
mod drain;
mod incoming;
mod iter;
mod lines;
mod links;
mod loan;
mod next;
mod reader;
mod room;
mod splitter;
mod text;

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Extensions, StatusCode, Version};
use url::Url;

pub use builder::ResponseBuilder;
#[cfg(fuzzing)]
pub(crate) use content_type::ContentType;
pub(crate) use decode::ACCEPTED as ACCEPT_ENCODING;
#[cfg(all(fuzzing, feature = "compression"))]
pub(crate) use decode::{Coding, Decode};
pub use decoded::{DecodedContent, DecodedLines};
pub(crate) use drain::DRAINED;
pub(crate) use incoming::{Incoming, Live};
pub use iter::IterContent;
pub use lines::IterLines;
pub use links::{Link, Links};
pub use reader::Reader;
pub(crate) use text::Encoding;
#[cfg(feature = "async")]
pub(crate) use text::decode_as;

use self::builder::Own;
use self::decode::Codings;
use self::loan::Loan;

#[cfg(feature = "cookies")]
use crate::cookies::CookieJar;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::headers::Headers;
use crate::net::tls::TlsInfo;
use crate::reactor;
use crate::request::PreparedRequest;
use crate::retry::Attempt;
use crate::timings::{HeadTimings, Timings};

/// What a server answered (Requests' `Response`).
///
/// Without `stream(true)` the body is there already, and [`content`](Self::content),
/// [`text`](Self::text) and [`json`](Self::json) can be called any number of times. A streamed body
/// is read by the first of them, or piece by piece by [`iter_content`](Self::iter_content),
/// [`iter_lines`](Self::iter_lines) or [`reader`](Self::reader). Dropping a response that was not
/// read to its end closes its connection.
pub struct Response(Box<Inner>);

/// In one place, so that a response is moved as one word.
struct Inner {
    head: Head,
    body: Mutex<Body>,
    trailers: OnceLock<Headers>,
}

/// Everything but the body.
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) headers: Headers,
    /// Put there by the exchange, which had it until the response came.
    pub(crate) request: Option<Box<PreparedRequest>>,
    /// Where a response came from that says so itself.
    pub(crate) url: Option<Url>,
    pub(crate) history: Vec<Response>,
    /// The same request, before.
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) timings: HeadTimings,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) tls: Option<Arc<TlsInfo>>,
    pub(crate) extensions: Extensions,
    pub(crate) max_content: Option<u64>,
    pub(crate) encoding: Encoding,
}

/// Where the body is.
enum Body {
    Collected(Bytes),
    Live(Live),
    /// An iterator, a reader or a call in another thread has it.
    Lent,
    Consumed,
    Closed,
    Failed(Error),
}

impl Response {
    pub(crate) fn new(head: Head, mut live: Live) -> Self {
        if let Some(codings) = Codings::of(&head.headers) {
            live.code(codings);
        }
        let (body, trailers) = (Mutex::new(Body::Live(live)), OnceLock::new());
        Self(Box::new(Inner { head, body, trailers }))
    }

    /// One whose body is at hand.
    pub(crate) fn brought(head: Head, body: Bytes) -> Self {
        Self::new(head, Live::new(Own::from(body)))
    }

    /// Whether the content is not what was sent.
    fn is_coded(&self) -> bool {
        Codings::of(&self.0.head.headers).is_some()
    }

    pub(crate) fn head(&self) -> &Head {
        &self.0.head
    }

    pub(crate) fn head_mut(&mut self) -> &mut Head {
        &mut self.0.head
    }

    /// A response to be returned by an adapter of your own, or in a test.
    pub fn builder() -> ResponseBuilder {
        ResponseBuilder::new()
    }

    /// The status code; it compares with numbers.
    pub fn status(&self) -> StatusCode {
        self.0.head.status
    }

    /// The reason phrase as the server sent it; often empty.
    pub fn reason(&self) -> &str {
        &self.0.head.reason
    }

    /// Whether the status is neither a client error nor a server error (400 to 599).
    pub fn ok(&self) -> bool {
        !(400..600).contains(&self.0.head.status.as_u16())
    }

    /// The HTTP version of the response.
    pub fn version(&self) -> Version {
        self.0.head.version
    }

    /// The header fields as the server sent them: order, case, repeats.
    pub fn headers(&self) -> &Headers {
        &self.0.head.headers
    }

    /// The URL that answered.
    pub fn url(&self) -> &Url {
        self.0.head.url.as_ref().unwrap_or(&self.request().url)
    }

    /// The request that was answered, with the fields that went out.
    pub fn request(&self) -> &PreparedRequest {
        self.0.head.request.as_deref().unwrap_or_else(|| PreparedRequest::none())
    }

    /// The responses before this one, oldest first.
    pub fn history(&self) -> &[Self] {
        &self.0.head.history
    }

    /// The time from just before the request was sent until the head of the response had arrived.
    pub fn elapsed(&self) -> Duration {
        self.0.head.timings.head
    }

    /// How long each step until then took.
    pub fn timings(&self) -> Timings {
        self.0.head.timings.all()
    }

    /// The server's address; `None` where there was no connection.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.head.peer
    }

    /// How the connection to the server was secured; `None` where it was not, and where there was
    /// none.
    ///
    /// ```
    /// # let server = testbed::Testbed::start();
    /// # let (url, ca) = (server.https_url("/get"), server.ca_file());
    /// # if cfg!(feature = "tls") {
    /// let r = bequest::get(url).verify(ca).send()?;
    /// let tls = r.tls().expect("it is https");
    /// println!("{}, {}", tls.version(), tls.cipher_suite());
    /// # assert!(tls.cipher_suite().starts_with("TLS_"));
    /// # }
    /// # Ok::<(), bequest::Error>(())
    /// ```
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.0.head.tls.as_deref()
    }

    /// What Content-Length says, if it is a number.
    pub fn content_length(&self) -> Option<u64> {
        self.0.head.headers.get("content-length")?.trim().parse().ok()
    }

    /// The fields behind a chunked body (RFC 9110, section 6.5), once it was read to its end.
    pub fn trailers(&self) -> Option<&Headers> {
        self.0.trailers.get()
    }

    /// Whether the status and a Location say where to go on: 301, 302, 303, 307 or 308.
    pub fn is_redirect(&self) -> bool {
        matches!(self.0.head.status.as_u16(), 301 | 302 | 303 | 307 | 308)
            && self.0.head.headers.contains("location")
    }

    /// Whether they say so for good: 301 or 308.
    pub fn is_permanent_redirect(&self) -> bool {
        matches!(self.0.head.status.as_u16(), 301 | 308) && self.0.head.headers.contains("location")
    }

    /// The cookies that this response set, and no others: those of redirects before it are those
    /// of its [`history`](Self::history). What a rule forbids is left out.
    #[cfg(feature = "cookies")]
    pub fn cookies(&self) -> CookieJar {
        let jar = CookieJar::new();
        jar.store(self.url(), self.0.head.headers.get_all_bytes("set-cookie"));
        jar
    }

    /// What the Link fields say (RFC 8288), to turn pages for example.
    pub fn links(&self) -> Links {
        Links::parse(self.0.head.headers.get_all("link"), self.url())
    }

    /// Anything that hooks and adapters have put there.
    pub fn extensions(&self) -> &Extensions {
        &self.0.head.extensions
    }

    /// Anything that hooks and adapters want to put there.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.0.head.extensions
    }

    /// Itself, unless the status is 400 to 599 (Requests' `raise_for_status`). A hook, too.
    ///
    /// # Errors
    /// [`ErrorKind::HttpStatus`], with this response in [`Error::response`].
    pub fn error_for_status(self) -> Result<Self> {
        if self.ok() {
            return Ok(self);
        }
        let side = if self.status().is_client_error() { "Client" } else { "Server" };
        let what = format!(
            "{} {side} Error: {} for url: {}",
            self.status().as_u16(),
            self.reason(),
            crate::secrets::masked(self.url())
        );
        let error = Error::with(ErrorKind::HttpStatus, what);
        Err(error.of(&self.request().method, self.url()).carry_response(self))
    }

    /// Closes the connection, if the body is still to be read. What was read already stays.
    pub fn close(&self) {
        let mut body = self.lock();
        if matches!(*body, Body::Live(_)) {
            *body = Body::Closed;
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// Whatever ended the reading, each time it is asked; [`ErrorKind::TooLarge`] beyond
    /// [`max_content`](crate::Session::max_content); [`ErrorKind::StreamConsumed`] after the body
    /// was iterated or while it is; [`ErrorKind::Closed`] after [`close`](Self::close).
    pub fn content(&self) -> Result<Bytes> {
        match self.collected() {
            Some(content) => content,
            None => reactor::block_on(self.collect()),
        }
    }

    /// The body if it is there, or why it won't be; `None` if it has to be read.
    pub(crate) fn collected(&self) -> Option<Result<Bytes>> {
        Some(match &*self.lock() {
            Body::Collected(bytes) => Ok(bytes.clone()),
            Body::Live(live) if !live.is_begun() => return None,
            Body::Live(_) | Body::Consumed => Err(self.named(consumed("the body was iterated"))),
            Body::Lent => Err(self.named(consumed("the body is being read"))),
            Body::Closed => Err(self.named(closed())),
            Body::Failed(error) => Err(error.again()),
        })
    }

    /// Reads the body to its end, keeps it and returns it.
    pub(crate) async fn collect(&self) -> Result<Bytes> {
        match self.collected() {
            Some(content) => content,
            None => {
                self.read_in().await?;
                self.collected().unwrap_or_else(|| Ok(Bytes::new()))
            }
        }
    }

    /// Reads the body to its end and keeps it.
    pub(crate) async fn read_in(&self) -> Result<()> {
        let mut loan = Loan::take(self)?;
        loan.begin();
        match loan.collect(self.0.head.max_content).await {
            Ok(bytes) => {
                loan.finish(Body::Collected(bytes));
                Ok(())
            }
            Err(error) => {
                let error = self.named(error);
                loan.finish(Body::Failed(error.again()));
                Err(error)
            }
        }
    }

    /// The error with this response's request in it.
    fn named(&self, error: Error) -> Error {
        let error = match (error.phase(), self.0.head.timings.arrived) {
            (Some(Phase::Body), Some(arrived)) => error.timed(|| self.timings_since(arrived)),
            _ => error,
        };
        error.of(&self.request().method, self.url())
    }

    /// How long everything took, until now.
    #[cold]
    fn timings_since(&self, arrived: Instant) -> Timings {
        let body = arrived.elapsed();
        let mut timings = Timings { body: Some(body), ..self.timings() };
        timings.head += body;
        for earlier in self.history() {
            timings.add(&earlier.timings());
        }
        timings
    }

    fn lock(&self) -> MutexGuard<'_, Body> {
        self.0.body.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The body in pieces of `size` bytes (the last may be smaller), or, for `None`, as they
    /// arrive. It holds the body while it lives; what it did not read is there for the next one.
    ///
    /// ```no_run
    /// # let r = bequest::get("http://localhost:1/").stream(true).send()?;
    /// for chunk in r.iter_content(64 * 1024) {
    ///     let chunk: bytes::Bytes = chunk?;
    /// }
    /// # Ok::<(), bequest::Error>(())
    /// ```
    pub fn iter_content(&self, size: impl Into<Option<usize>>) -> IterContent<'_> {
        IterContent::new(size.into(), || Loan::take(self))
    }

    /// The same, keeping the response alive.
    pub fn into_iter_content(self, size: impl Into<Option<usize>>) -> IterContent<'static> {
        IterContent::new(size.into(), || Loan::own(self, false))
    }

    /// The body's lines, without their ends (`\n`, `\r\n` or `\r`), each as soon as it has arrived.
    /// It holds the body while it lives; what it did not read is there for the next one.
    pub fn iter_lines(&self) -> IterLines<'_> {
        IterLines::new(Loan::take(self))
    }

    /// The same, keeping the response alive.
    pub fn into_iter_lines(self) -> IterLines<'static> {
        IterLines::new(Loan::own(self, false))
    }

    /// The body as a [`Read`](std::io::Read) and [`BufRead`](std::io::BufRead). It holds the body
    /// while it lives; what it did not read is there for the next one.
    pub fn reader(&self) -> Reader<'_> {
        Reader::borrowed(self, false)
    }

    /// The body as a reader that keeps the response alive, for another thread, a decoder, or
    /// another request's body.
    pub fn into_reader(self) -> Reader<'static> {
        Reader::owned(self, false)
    }

    /// The body as it was sent: a reader of the bytes before any Content-Encoding is undone. Once
    /// a part was read so, the rest can't be read decoded, nor the other way round.
    pub fn raw(&self) -> Reader<'_> {
        Reader::borrowed(self, true)
    }

    /// The body as it was sent, as a reader that keeps the response alive.
    pub fn into_raw(self) -> Reader<'static> {
        Reader::owned(self, true)
    }
}

fn consumed(why: &'static str) -> Error {
    Error::with(ErrorKind::StreamConsumed, why)
        .remedied("keep the pieces, or call `content()` first: it can be called again")
}

fn closed() -> Error {
    Error::with(ErrorKind::Closed, "the response was closed before its body was read")
}

impl Error {
    /// The response that came with the failure, if one did.
    pub fn response(&self) -> Option<&Response> {
        self.carried_response()?.downcast_ref()
    }

    /// The response that came with the failure, if one did.
    pub fn into_response(self) -> Option<Response> {
        self.into_carried_response()?.downcast().ok().map(|response| *response)
    }
}

impl fmt::Debug for Response {
    /// `<Response [200]>`, as Requests has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Response [{}]>", self.0.head.status.as_u16())
    }
}

#[cfg(test)]
mod tests;
