//! What the integration tests share: both doors behind one face, and waiting without sleeping.
//!
//! A test is a function that takes a [`Door`] and is named in [`doors!`], which makes one test of
//! it for each door.

// Each test crate uses a part of this.
#![allow(dead_code, unused_macros)]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

pub(crate) mod bomb;
pub(crate) mod case;
#[cfg(feature = "async")]
pub(crate) mod fed;
pub(crate) mod full;
pub(crate) mod hello;
pub(crate) mod namespaces;
pub(crate) mod streams;
#[cfg(feature = "async")]
pub(crate) mod tokio_runtime;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bequest::{
    Adapter, Attempt, Auth, Bytes, Detector, Extensions, Headers, Hooks, Identity, IntoAuth,
    IntoUrl, Params, PreparedRequest, Proxies, RedirectPolicy, Request, Response, Result, Retry,
    SendOptions, Session, StatusCode, Timeout, Timings, TlsInfo, Url, Verify, Version,
};

/// Makes the modules `blocking` and `aio` with a test for each of the functions named, which take
/// a [`Door`]. To be used once in a file. Attributes may stand before a name.
macro_rules! doors {
    ($($(#[$attribute:meta])* $name:ident),* $(,)?) => {
        mod blocking {$(
            #[test]
            $(#[$attribute])*
            fn $name() {
                super::$name($crate::support::Door::Blocking);
            }
        )*}

        #[cfg(feature = "async")]
        mod aio {$(
            #[test]
            $(#[$attribute])*
            fn $name() {
                super::$name($crate::support::Door::Aio);
            }
        )*}
    };
}
#[allow(unused_imports)]
pub(crate) use doors;

/// The same tests once more, by HTTP/2: for those whose servers speak it, and that are not about
/// connections. To be used once in a file, beside [`doors!`].
macro_rules! http2_doors {
    ($($(#[$attribute:meta])* $name:ident),* $(,)?) => {
        #[cfg(feature = "http2")]
        mod blocking_http2 {$(
            #[test]
            $(#[$attribute])*
            fn $name() {
                $crate::support::by_http2(|| super::$name($crate::support::Door::Blocking));
            }
        )*}

        #[cfg(all(feature = "async", feature = "http2"))]
        mod aio_http2 {$(
            #[test]
            $(#[$attribute])*
            fn $name() {
                $crate::support::by_http2(|| super::$name($crate::support::Door::Aio));
            }
        )*}
    };
}
#[allow(unused_imports)]
pub(crate) use http2_doors;

#[cfg(feature = "http2")]
thread_local! {
    static BY_HTTP2: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs a test whose sessions, made on this thread, send all by HTTP/2.
#[cfg(feature = "http2")]
pub(crate) fn by_http2(test: impl FnOnce()) {
    BY_HTTP2.set(true);
    test();
    BY_HTTP2.set(false);
}

/// How requests are made: from a blocking session, or from an async one on tokio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Blocking,
    #[cfg(feature = "async")]
    Aio,
}

/// All of them, for programs that have no [`doors!`].
pub(crate) const DOORS: &[Door] = &[
    Door::Blocking,
    #[cfg(feature = "async")]
    Door::Aio,
];

impl Door {
    /// A new session, as `Session::new` makes it.
    pub(crate) fn session(self) -> Client {
        let client = match self {
            Self::Blocking => Client::Blocking(Session::new()),
            #[cfg(feature = "async")]
            Self::Aio => Client::Aio(bequest::aio::Session::new()),
        };
        #[cfg(feature = "http2")]
        if BY_HTTP2.get() {
            return client.by_http2();
        }
        client
    }

    /// A new session that trusts what this authority vouches for, and nobody else.
    pub(crate) fn trusting(self, ca_file: &Path) -> Client {
        let mut client = self.session();
        *client.verify() = ca_file.into();
        client
    }

    /// Sends with a new session, which is dropped.
    pub(crate) fn send<S>(self, request: Request<S>) -> Result<Reply> {
        self.session().send(request)
    }
}

/// A session of either door; a clone shares connections, as sessions' clones do.
#[derive(Clone, Debug)]
pub(crate) enum Client {
    Blocking(Session),
    #[cfg(feature = "async")]
    Aio(bequest::aio::Session),
}

/// The same expression for the session of whichever door.
macro_rules! each {
    ($client:expr, $session:ident => $what:expr) => {
        match $client {
            Client::Blocking($session) => $what,
            #[cfg(feature = "async")]
            Client::Aio($session) => $what,
        }
    };
}

impl Client {
    /// Prepares and sends; the request may be bound to another session, which is not asked.
    pub(crate) fn send<S>(&self, request: Request<S>) -> Result<Reply> {
        self.send_prepared(self.prepare(request)?, SendOptions::new())
    }

    pub(crate) fn prepare<S>(&self, request: Request<S>) -> Result<PreparedRequest> {
        match self {
            Self::Blocking(session) => session.prepare(request),
            #[cfg(feature = "async")]
            Self::Aio(session) => tokio_runtime::run(session.prepare(request)),
        }
    }

    pub(crate) fn send_prepared(
        &self,
        request: PreparedRequest,
        options: SendOptions,
    ) -> Result<Reply> {
        match self {
            Self::Blocking(session) => session.send(request, options).map(Reply::Blocking),
            #[cfg(feature = "async")]
            Self::Aio(session) => {
                tokio_runtime::run(session.send(request, options)).map(Reply::Aio)
            }
        }
    }

    #[cfg(feature = "http2")]
    fn by_http2(mut self) -> Self {
        *self.http_versions() = Some(bequest::HttpVersions::Http2);
        self
    }

    pub(crate) fn mount(&mut self, prefix: &str, adapter: impl Adapter) {
        each!(self, session => session.mount(prefix, adapter));
    }

    pub(crate) fn unmount(&mut self, prefix: &str) -> Option<Arc<dyn Adapter>> {
        each!(self, session => session.unmount(prefix))
    }

    /// The prefixes of the session's adapters.
    pub(crate) fn mounted(&self) -> Vec<String> {
        each!(self, session => session.adapters().map(|(prefix, _)| prefix.to_owned()).collect())
    }

    pub(crate) fn adapter_for(&self, url: &str) -> Result<Arc<dyn Adapter>> {
        let url = Url::parse(url).unwrap();
        each!(self, session => session.adapter_for(&url).cloned())
    }

    pub(crate) fn set_auth(&mut self, auth: impl IntoAuth) {
        each!(self, session => session.set_auth(auth));
    }

    pub(crate) fn merge_environment(&self, url: &Url, options: SendOptions) -> SendOptions {
        each!(self, session => session.merge_environment(url, options))
    }

    pub(crate) fn reload_environment(&self) {
        each!(self, session => session.reload_environment());
    }

    pub(crate) fn close(&self) {
        each!(self, session => session.close());
    }

    pub(crate) fn stats(&self) -> bequest::Stats {
        each!(self, session => session.stats())
    }

    // The public fields, to be read and written: `*client.stream() = true`.

    pub(crate) fn headers(&mut self) -> &mut Headers {
        each!(self, session => &mut session.headers)
    }

    pub(crate) fn params(&mut self) -> &mut Params {
        each!(self, session => &mut session.params)
    }

    pub(crate) fn auth(&mut self) -> &mut Option<Arc<dyn Auth>> {
        each!(self, session => &mut session.auth)
    }

    pub(crate) fn hooks(&mut self) -> &mut Hooks {
        each!(self, session => &mut session.hooks)
    }

    pub(crate) fn verify(&mut self) -> &mut Verify {
        each!(self, session => &mut session.verify)
    }

    pub(crate) fn cert(&mut self) -> &mut Option<Identity> {
        each!(self, session => &mut session.cert)
    }

    pub(crate) fn proxies(&mut self) -> &mut Proxies {
        each!(self, session => &mut session.proxies)
    }

    pub(crate) fn unix_socket(&mut self) -> &mut Option<PathBuf> {
        each!(self, session => &mut session.unix_socket)
    }

    pub(crate) fn trust_env(&mut self) -> &mut bool {
        each!(self, session => &mut session.trust_env)
    }

    pub(crate) fn timeout(&mut self) -> &mut Timeout {
        each!(self, session => &mut session.timeout)
    }

    pub(crate) fn stream(&mut self) -> &mut bool {
        each!(self, session => &mut session.stream)
    }

    pub(crate) fn detector(&mut self) -> &mut Option<Arc<dyn Detector>> {
        each!(self, session => &mut session.detector)
    }

    pub(crate) fn text_is_latin1(&mut self) -> &mut bool {
        each!(self, session => &mut session.text_is_latin1)
    }

    #[cfg(feature = "cookies")]
    pub(crate) fn cookies(&self) -> &Arc<bequest::CookieJar> {
        each!(self, session => &session.cookies)
    }

    #[cfg(feature = "cookies")]
    pub(crate) fn cookies_mut(&mut self) -> &mut Arc<bequest::CookieJar> {
        each!(self, session => &mut session.cookies)
    }

    pub(crate) fn max_redirects(&mut self) -> &mut u32 {
        each!(self, session => &mut session.max_redirects)
    }

    pub(crate) fn redirect_policy(&mut self) -> &mut Option<Arc<dyn RedirectPolicy>> {
        each!(self, session => &mut session.redirect_policy)
    }

    pub(crate) fn https_only(&mut self) -> &mut bool {
        each!(self, session => &mut session.https_only)
    }

    pub(crate) fn retry(&mut self) -> &mut Option<Retry> {
        each!(self, session => &mut session.retry)
    }

    #[cfg(feature = "http2")]
    pub(crate) fn http_versions(&mut self) -> &mut Option<bequest::HttpVersions> {
        each!(self, session => &mut session.http_versions)
    }

    pub(crate) fn max_content(&mut self) -> &mut Option<u64> {
        each!(self, session => &mut session.max_content)
    }
}

/// A response of either door, with what works in both of them.
#[derive(Debug)]
pub(crate) enum Reply {
    Blocking(Response),
    #[cfg(feature = "async")]
    Aio(bequest::aio::Response),
}

impl Reply {
    pub(crate) fn content(&self) -> Result<Bytes> {
        match self {
            Self::Blocking(response) => response.content(),
            #[cfg(feature = "async")]
            Self::Aio(response) => match tokio_runtime::give_up(response.content()) {
                Some(content) => content,
                None => tokio_runtime::block_on(response.content()),
            },
        }
    }

    pub(crate) fn text(&self) -> Result<String> {
        match self {
            Self::Blocking(response) => response.text(),
            #[cfg(feature = "async")]
            Self::Aio(response) => tokio_runtime::block_on(response.text()),
        }
    }

    pub(crate) fn text_with(&self, label: &str) -> Result<String> {
        match self {
            Self::Blocking(response) => response.text_with(label),
            #[cfg(feature = "async")]
            Self::Aio(response) => tokio_runtime::block_on(response.text_with(label)),
        }
    }

    pub(crate) fn apparent_encoding(&self) -> Result<Option<&str>> {
        match self {
            Self::Blocking(response) => response.apparent_encoding(),
            #[cfg(feature = "async")]
            Self::Aio(response) => tokio_runtime::block_on(response.apparent_encoding()),
        }
    }

    pub(crate) fn next_request(&self) -> Result<Option<PreparedRequest>> {
        match self {
            Self::Blocking(response) => response.next_request(),
            #[cfg(feature = "async")]
            Self::Aio(response) => tokio_runtime::block_on(response.next_request()),
        }
    }

    pub(crate) fn set_encoding<'a>(&mut self, label: impl Into<Option<&'a str>>) {
        match self {
            Self::Blocking(response) => response.set_encoding(label),
            #[cfg(feature = "async")]
            Self::Aio(response) => response.set_encoding(label),
        }
    }

    #[cfg(feature = "json")]
    pub(crate) fn json(&self) -> Result<serde_json::Value> {
        match self {
            Self::Blocking(response) => response.json(),
            #[cfg(feature = "async")]
            Self::Aio(response) => tokio_runtime::block_on(response.json()),
        }
    }

    pub(crate) fn into_response(self) -> Response {
        match self {
            Self::Blocking(response) => response,
            #[cfg(feature = "async")]
            Self::Aio(response) => response.into(),
        }
    }
}

/// What both doors' responses tell, by the methods of the same names.
macro_rules! tell {
    ($($(#[$attribute:meta])* $name:ident -> $told:ty;)*) => {
        impl Reply {$(
            $(#[$attribute])*
            pub(crate) fn $name(&self) -> $told {
                match self {
                    Self::Blocking(response) => response.$name(),
                    #[cfg(feature = "async")]
                    Self::Aio(response) => response.$name(),
                }
            }
        )*}
    };
}

tell! {
    status -> StatusCode;
    reason -> &str;
    ok -> bool;
    version -> Version;
    headers -> &Headers;
    url -> &Url;
    request -> &PreparedRequest;
    history -> &[Response];
    attempts -> &[Attempt];
    elapsed -> Duration;
    timings -> Timings;
    remote_addr -> Option<SocketAddr>;
    tls -> Option<&TlsInfo>;
    content_length -> Option<u64>;
    encoding -> Option<Cow<'_, str>>;
    trailers -> Option<&Headers>;
    extensions -> &Extensions;
    close -> ();
    is_redirect -> bool;
    is_permanent_redirect -> bool;
    #[cfg(feature = "cookies")]
    cookies -> bequest::CookieJar;
}

/// A request of no session, for [`Client::send`].
pub(crate) fn get(url: impl IntoUrl) -> Request {
    Request::new("GET", url)
}

/// A request of no session, for [`Client::send`].
pub(crate) fn post(url: impl IntoUrl) -> Request {
    Request::new("POST", url)
}

/// What a test waits for at most; it never takes so long unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

/// The most memory that this process has had, in bytes (proc(5): VmHWM).
pub(crate) fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}
