//! The one error type: a kind for programs, a sentence for people.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Method;
use url::Url;

use crate::secrets;
use crate::timings::Timings;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, for a program to match on.
///
/// Kinds are added as the crate grows, so a `match` needs a `_` arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An [`Auth`](crate::Auth) failed, or asked for more rounds than there may be.
    Auth,
    /// The request was ended by the program: by its [`CancelToken`](crate::CancelToken), or since the
    /// interrupt check said so.
    Cancelled,
    /// A chunked body was malformed (RFC 9112, section 7.1).
    ChunkedEncoding,
    /// What was asked for was closed: a response, the session or adapter while the request was on
    /// its way, or a connection of the process before a fork.
    Closed,
    /// No connection to any of the host's addresses. Nothing was sent.
    Connect,
    /// No connection was ready within the connect timeout.
    ConnectTimeout,
    /// The body is not what its Content-Encoding says, ends too early, or has codings that can't be
    /// undone; [`raw`](crate::Response::raw) of a streamed response gives the bytes as sent.
    ContentDecoding,
    /// Several cookies have the name that was asked for.
    CookieConflict,
    /// The total timeout was over.
    Deadline,
    /// The connection was lost after it was made, before the response's head was there. The server
    /// may have acted on the request, or not.
    Disconnected,
    /// The response's status was 400 or above, and
    /// [`error_for_status`](crate::Response::error_for_status) was asked.
    HttpStatus,
    /// The connection ended before the body did; what had arrived must not be taken for all of it.
    IncompleteBody,
    /// A cookie's name, value, domain or path has what is not allowed there; or a file of cookies is
    /// malformed.
    InvalidCookie,
    /// A header's name or value has characters that HTTP does not allow there.
    InvalidHeader,
    /// The body is not JSON, or not JSON of the type asked for; or a value has no JSON form.
    InvalidJson,
    /// The method has characters that HTTP does not allow there.
    InvalidMethod,
    /// The URL of a proxy, or what it is said to be for, can't be used.
    InvalidProxyUrl,
    /// The request contradicts itself.
    InvalidRequest,
    /// The server's answer is not HTTP, or breaks a rule that protects its reader.
    InvalidResponse,
    /// No adapter is mounted for the URL's scheme.
    InvalidSchema,
    /// A timeout of zero, or one too long to reckon with.
    InvalidTimeout,
    /// The URL can't be parsed or names no host.
    InvalidUrl,
    /// Reading or writing something that is not the connection failed: a file, a body's source.
    Io,
    /// The body's length is not the one that was announced.
    LengthMismatch,
    /// The URL has no scheme.
    MissingSchema,
    /// Anything else; what a plug-in makes with [`Error::other`].
    Other,
    /// No connection of a pool that blocks was free within the pool timeout.
    PoolTimeout,
    /// There was no connection to the proxy, or none through it. Where the proxy said no, its answer
    /// is [`response`](Error::response).
    Proxy,
    /// The server was silent for longer than the read timeout.
    ReadTimeout,
    /// The host's name has no address.
    Resolve,
    /// The last attempt that a [`Retry`](crate::Retry) allows had a status that it was to try again;
    /// the response is in it.
    Retry,
    /// The body was read already, or is being read by somebody else.
    StreamConsumed,
    /// The TLS handshake failed, or a certificate or key can't be used.
    Tls,
    /// Something is larger than a limit allows; the message names the setting.
    TooLarge,
    /// There were more redirects than `max_redirects` allows.
    TooManyRedirects,
    /// The body had to be sent again and can be read only once.
    UnrewindableBody,
    /// The crate was built without the feature that this needs.
    Unsupported,
    /// The server took nothing for longer than the timeout.
    WriteTimeout,
}

/// How far a request had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Before anything was sent: URL, headers, body and settings were put together.
    Prepare,
    /// A connection of a pool that blocks was waited for.
    Pool,
    /// The host's name was being resolved.
    Resolve,
    /// A connection was being made; to this address, where there was only one.
    Connect(Option<SocketAddr>),
    /// The proxy had been asked for a way to the server.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The request was being sent.
    Send,
    /// The request had been sent, the response's head had not arrived.
    Wait,
    /// The response's body was being read.
    Body,
    /// An attempt had failed, the next one had not begun.
    Retry,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare => f.write_str("while preparing the request"),
            Self::Pool => f.write_str("while waiting for a connection of the pool"),
            Self::Resolve => f.write_str("while resolving the name"),
            Self::Connect(None) => f.write_str("while connecting"),
            Self::Connect(Some(address)) => write!(f, "while connecting to {address}"),
            Self::Proxy => f.write_str("while waiting for the way through the proxy"),
            Self::Tls => f.write_str("in the TLS handshake"),
            Self::Send => f.write_str("while sending the request"),
            Self::Wait => f.write_str("while waiting for the response"),
            Self::Body => f.write_str("while reading the body"),
            Self::Retry => f.write_str("while waiting to try again"),
        }
    }
}

/// Why a request failed.
///
/// [`kind`](Self::kind) is for a program to match on. `Display` is one line for a person: the
/// request, what happened and where, the cause, and what to do about it where that is known.
/// Credentials in the URL, and query parameters named like secrets, are masked in it.
///
/// ```
/// # use bequest::ErrorKind;
/// let error = bequest::get("example.org/news").send().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::MissingSchema);
/// assert_eq!(
///     error.to_string(),
///     "`example.org/news` has no scheme; write `https://example.org/news`",
/// );
/// ```
pub struct Error(Box<Inner>);

type Cause = Arc<dyn StdError + Send + Sync>;
type Carried = Box<dyn Any + Send + Sync>;

struct Inner {
    kind: ErrorKind,
    what: Cow<'static, str>,
    remedy: Option<Cow<'static, str>>,
    cause: Option<Cause>,
    phase: Option<Phase>,
    timings: Option<Timings>,
    method: Option<Method>,
    url: Option<Url>,
    // Typed as what they are by the modules that own those types, which stand above this one.
    request: Option<Carried>,
    response: Option<Carried>,
    /// And how many there are.
    attempts: Option<(usize, Carried)>,
}

impl Error {
    /// An error of a plug-in's own: an adapter, an auth, a hook.
    pub fn new(kind: ErrorKind, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let cause = cause.into();
        Self::with(kind, cause.to_string()).because(cause)
    }

    /// An error of [`ErrorKind::Other`].
    pub fn other(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Other, cause)
    }

    /// What went wrong, for a program.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The request's method, once it was known.
    pub fn method(&self) -> Option<&Method> {
        self.0.method.as_ref()
    }

    /// The request's URL, once it was known; without user name and password.
    pub fn url(&self) -> Option<&Url> {
        self.0.url.as_ref()
    }

    /// How far the request had come.
    pub fn phase(&self) -> Option<Phase> {
        self.0.phase
    }

    /// How long each step took until it failed, if the request was on its way then.
    pub fn timings(&self) -> Option<Timings> {
        self.0.timings
    }

    /// What to do about it, where that is known.
    pub fn remedy(&self) -> Option<&str> {
        self.0.remedy.as_deref()
    }

    /// Whether a timeout ended it: connect, read, write, pool or total.
    pub fn is_timeout(&self) -> bool {
        use ErrorKind::{ConnectTimeout, Deadline, PoolTimeout, ReadTimeout, WriteTimeout};
        let kind = self.0.kind;
        matches!(kind, ConnectTimeout | Deadline | PoolTimeout | ReadTimeout | WriteTimeout)
    }

    /// Whether there was no connection, or it was lost.
    pub fn is_connection(&self) -> bool {
        use ErrorKind::{Connect, ConnectTimeout, Disconnected, IncompleteBody};
        use ErrorKind::{Proxy, Resolve, Tls};
        let kind = self.0.kind;
        matches!(kind, Connect | ConnectTimeout | Disconnected | IncompleteBody)
            || matches!(kind, Proxy | Resolve | Tls)
    }
}

// Made and completed by the layers that a request travels through.
impl Error {
    pub(crate) fn with(kind: ErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            what: what.into(),
            remedy: None,
            cause: None,
            phase: None,
            timings: None,
            method: None,
            url: None,
            request: None,
            response: None,
            attempts: None,
        }))
    }

    pub(crate) fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(Arc::from(cause.into()));
        self
    }

    pub(crate) fn remedied(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// Where it happened, unless a layer below said so already.
    pub(crate) fn during(mut self, phase: Phase) -> Self {
        self.0.phase.get_or_insert(phase);
        self
    }

    /// How long the steps took, unless a layer below said so already.
    pub(crate) fn timed(mut self, timings: impl FnOnce() -> Timings) -> Self {
        self.0.timings.get_or_insert_with(timings);
        self
    }

    /// So much was spent on it before.
    pub(crate) fn after(mut self, timings: &Timings) -> Self {
        self.0.timings.get_or_insert_default().add(timings);
        self
    }

    /// It was a proxy that failed, not the server: which one is named in front.
    pub(crate) fn of_proxy(mut self, proxy: &impl fmt::Display) -> Self {
        use ErrorKind::{Cancelled, ConnectTimeout, Deadline, Tls, Unsupported};
        let kind = self.0.kind;
        if !matches!(kind, Cancelled | ConnectTimeout | Deadline | Unsupported) {
            self.0.kind = ErrorKind::Proxy;
        }
        if kind == Tls {
            // What helps with a server does not help here.
            self = self.remedied(
                "whom to trust is said by `Proxies::verify`, who one is by `Proxies::cert`; a proxy \
                 that speaks no TLS has `http://` in its URL",
            );
        }
        self.through(proxy)
    }

    /// It happened on the connection to a proxy, which is named in front.
    pub(crate) fn through(mut self, proxy: &impl fmt::Display) -> Self {
        self.0.what = format!("proxy {proxy}: {}", self.0.what).into();
        self
    }

    /// Which request it was, unless a layer below said so already.
    pub(crate) fn of(mut self, method: &Method, url: &Url) -> Self {
        self.0.method.get_or_insert_with(|| method.clone());
        self.0.url.get_or_insert_with(|| secrets::without_userinfo(url));
        self
    }

    pub(crate) fn carry_request(mut self, request: impl Any + Send + Sync) -> Self {
        self.0.request.get_or_insert_with(|| Box::new(request));
        self
    }

    pub(crate) fn carry_response(mut self, response: impl Any + Send + Sync) -> Self {
        self.0.response.get_or_insert_with(|| Box::new(response));
        self
    }

    /// What was tried before.
    pub(crate) fn carry_attempts(mut self, count: usize, attempts: impl Any + Send + Sync) -> Self {
        self.0.attempts.get_or_insert_with(|| (count, Box::new(attempts)));
        self
    }

    pub(crate) fn carried_attempts(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.0.attempts.as_ref().map(|(_, attempts)| &**attempts)
    }

    pub(crate) fn carried_request(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.0.request.as_deref()
    }

    pub(crate) fn carried_response(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.0.response.as_deref()
    }

    pub(crate) fn into_carried_response(self) -> Option<Carried> {
        self.0.response
    }

    /// The same error once more, for those who ask twice; what it carries stays with the first.
    pub(crate) fn again(&self) -> Self {
        let inner = &self.0;
        Self(Box::new(Inner {
            kind: inner.kind,
            what: inner.what.clone(),
            remedy: inner.remedy.clone(),
            cause: inner.cause.clone(),
            phase: inner.phase,
            timings: inner.timings,
            method: inner.method.clone(),
            url: inner.url.clone(),
            request: None,
            response: None,
            attempts: None,
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        // In Requests' words, the message names the URL.
        let named = inner.kind == ErrorKind::HttpStatus;
        if let (false, Some(method), Some(url)) = (named, &inner.method, &inner.url) {
            write!(f, "{method} {}: ", secrets::masked(url))?;
        }
        f.write_str(&inner.what)?;
        if let Some(phase) = inner.phase {
            write!(f, " {phase}")?;
        }
        if let Some((before, _)) = &inner.attempts {
            write!(f, ", in attempt {}", before + 1)?;
        }
        if let Some(cause) = &inner.cause {
            let cause = cause.to_string();
            if !inner.what.contains(&cause) {
                write!(f, ": {cause}")?;
            }
        }
        if let (true, Some(timings)) = (self.is_timeout(), &inner.timings) {
            let timings = timings.to_string();
            if !timings.is_empty() {
                write!(f, " ({timings})")?;
            }
        }
        match &inner.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

impl From<Error> for io::Error {
    /// For [`std::io::Read`]ers of a body. The error comes back whole from
    /// `Error::from(io_error)`.
    fn from(error: Error) -> Self {
        use ErrorKind::{ChunkedEncoding, Disconnected, IncompleteBody, InvalidResponse};
        let kind = match error.kind() {
            _ if error.is_timeout() => io::ErrorKind::TimedOut,
            IncompleteBody => io::ErrorKind::UnexpectedEof,
            ChunkedEncoding | InvalidResponse => io::ErrorKind::InvalidData,
            Disconnected => io::ErrorKind::ConnectionAborted,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<io::Error> for Error {
    /// An [`Error`] that passed through `io::Error` comes back as it was; any other is
    /// [`ErrorKind::Io`].
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::with(ErrorKind::Io, "reading or writing failed").because(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_with_request_place_cause_and_remedy() {
        let url = Url::parse("http://kenneth:reitz@example.org/a?api_key=1&q=2").unwrap();
        let error = Error::with(ErrorKind::Connect, "no connection")
            .because(io::Error::new(io::ErrorKind::ConnectionRefused, "refused"))
            .during(Phase::Connect("127.0.0.1:81".parse().ok()))
            .remedied("check the port")
            .of(&Method::GET, &url);
        let line = "GET http://example.org/a?api_key=***&q=2: no connection while connecting to \
                    127.0.0.1:81: refused; check the port";
        assert_eq!(error.to_string(), line);
        assert_eq!(format!("{error:?}"), format!("Error(Connect: {line})"));
        assert!(error.source().is_some_and(|cause| cause.to_string() == "refused"));
        assert_eq!(error.url().map(Url::as_str), Some("http://example.org/a?api_key=1&q=2"));
    }

    #[test]
    fn an_error_survives_the_way_through_io_error() {
        let error = Error::with(ErrorKind::ReadTimeout, "silent").during(Phase::Body);
        let through = io::Error::from(error);
        assert_eq!(through.kind(), io::ErrorKind::TimedOut);
        let back = Error::from(through);
        assert_eq!((back.kind(), back.phase()), (ErrorKind::ReadTimeout, Some(Phase::Body)));
        assert_eq!(Error::from(io::Error::other("disk")).kind(), ErrorKind::Io);
    }

    #[test]
    fn the_first_layer_to_name_the_place_is_believed() {
        let error = Error::other("x").during(Phase::Tls).during(Phase::Send);
        assert_eq!(error.phase(), Some(Phase::Tls));
        assert_eq!(error.to_string(), "x in the TLS handshake");
    }

    #[test]
    fn an_error_is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
