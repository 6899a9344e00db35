//! HTTP for humans: the model of Python's Requests, in Rust.
//!
//! A [`Session`] keeps defaults and connections. A [`Request`] is built by its verbs, prepared into
//! a [`PreparedRequest`] that can be edited, and sent by the [`Adapter`] that is mounted for its
//! URL. The [`Response`] has everything that the server said, and what it was asked.
//!
//! ```
//! # let server = testbed::Testbed::start();
//! # let (get, post, stream) = (server.url("/get"), server.url("/post"), server.url("/stream/3"));
//! use std::time::Duration;
//! use bequest::Session;
//!
//! let mut s = Session::new();
//! s.timeout = Duration::from_secs(5).into();
//!
//! let r = s.get(&get).params([("lang", "en")]).send()?;
//! assert_eq!(r.status(), 200);
//! println!("{}", r.text()?);
//!
//! s.post(&post).form([("name", "value")]).send()?.error_for_status()?;
//!
//! let r = s.get(&stream).stream(true).send()?;
//! for line in r.iter_lines() {
//!     println!("{}", String::from_utf8_lossy(&line?));
//! }
//! # Ok::<(), bequest::Error>(())
//! ```
//!
//! Blocking calls run on the calling thread, with no runtime; they may be made anywhere, also in
//! async code. [`aio`] (feature `async`) has the same names for tokio.
//!
//! | subject | where |
//! |---|---|
//! | defaults and connections of several requests | [`Session`] |
//! | one request without a session | [`get`], [`post`], [`request()`] and their like |
//! | query, headers, body, settings of a request | [`Request`] |
//! | editing what will be sent | [`PreparedRequest`] |
//! | bodies that are sent, and forms with files | [`Body`], [`Part`] |
//! | the answer, and its body in whole or in part | [`Response`] |
//! | many at once, on this thread | [`Session::map`], [`Session::imap`] |
//! | a request on another thread | [`Session::spawn`], [`Pending`] |
//! | how long to wait | [`Timeout`] |
//! | when to try again | [`Retry`] |
//! | ending a request from another thread | [`CancelToken`], [`Session::close`] |
//! | whom to trust, and who one is | [`Verify`], [`Identity`] |
//! | how TLS is spoken, and what came of it | [`HttpAdapter::tls_versions`], [`TlsInfo`] |
//! | where names lead | [`Resolver`], [`HttpAdapter::resolve`] |
//! | who asks | [`Auth`], [`Basic`], [`Bearer`], [`Digest`] |
//! | what stands between | [`Proxies`] |
//! | functions that see requests and responses | [`Hooks`] |
//! | what servers want to be told again | [`CookieJar`] |
//! | which redirects are followed, and with what | [`RedirectPolicy`], [`SensitiveHeaders`] |
//! | in which charset a text is | [`Detector`], [`StandardDetector`] |
//! | who carries requests | [`Adapter`], [`HttpAdapter`], [`adapter_fn`] |
//! | how programs are tested without a network | [`MockAdapter`], [`Response::builder`] |
//! | how far a body is, and what connections do | [`Progress`], [`Stats`] |
//! | names of status codes | [`codes`] |
//! | what went wrong | [`Error`], [`ErrorKind`] |
//!
//! # Features
//!
//! `tls`, `ring`, `aws-lc-rs`, `json`, `multipart`, `compression`, `charset`, `cookies` and `digest`
//! are on by default. `ring` and `aws-lc-rs` say which cryptography is compiled: with both, aws-lc-rs' ciphers
//! do the bulk and ring does the rest. `compression` decodes bodies in gzip, deflate, brotli and zstd;
//! `json` has [`Request::json`] and [`Response::json`], `multipart` forms with files, `digest` [`Digest`];
//! `charset` reads text in other charsets than Unicode's and ISO-8859-1, and detects them; `cookies`
//! has the jar. `async` adds [`aio`], `socks` proxies of that kind, `system-roots`
//! [`Verify::System`]; `encrypted-keys` and `pkcs12` read client certificates with a passphrase;
//! `http2` brings HTTP/2, where [`HttpVersions`] allows it;
//! `tracing` tells the program's log what requests do, and warns there, by `tracing` or by `log`,
//! whichever it uses.

mod adapter;
#[cfg(feature = "async")]
pub mod aio;
mod auth;
mod body;
mod cancel;
mod charset;
pub mod codes;
#[cfg(feature = "cookies")]
mod cookies;
mod crew;
mod environment;
mod error;
mod exchange;
mod future;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod h1;
#[cfg(feature = "http2")]
mod h2;
mod headers;
mod hooks;
mod net;
mod progress;
mod proxy;
mod random;
mod reactor;
mod redirect;
mod request;
mod response;
mod retry;
mod secrets;
mod session;
mod settings;
mod stats;
mod timeout;
mod timings;
mod trace;

#[cfg(feature = "http2")]
pub use self::h2::{Http2Code, HttpVersions};
pub use adapter::{
    Adapter, Expectation, FnAdapter, HttpAdapter, MockAdapter, SeenRequest, adapter_fn,
};
#[cfg(feature = "digest")]
pub use auth::Digest;
pub use auth::{Auth, Basic, Bearer, FnAuth, IntoAuth, NoAuth, Round, auth_fn};
pub use body::Body;
#[cfg(feature = "multipart")]
pub use body::multipart::Part;
pub use bytes::Bytes;
pub use cancel::CancelToken;
pub use charset::{Detector, StandardDetector};
#[cfg(feature = "cookies")]
pub use cookies::{
    Cookie, CookieBuilder, CookieFile, CookieFilter, CookieJar, CookiePolicy, SameSite,
};
pub use error::{Error, ErrorKind, Phase, Result};
pub use future::BoxFuture;
pub use headers::{Headers, ToHeaderValue};
pub use hooks::{Hooks, RequestHooks, ResponseHooks};
pub use http::{Extensions, Method, StatusCode, Version};
pub use net::tls::{
    CryptoProvider, Identity, ServerCheck, TlsInfo, TlsServer, TlsVersion, Verify, VerifyRules,
};
pub use net::{AddressFamily, HostAddress};
pub use progress::{OnProgress, Progress};
pub use proxy::{Proxies, ProxyAuth, ProxyChallenge};
pub use reactor::{Resolver, SystemResolver, on_interrupt};
pub use redirect::{Hop, Next, RedirectPolicy, SensitiveHeaders};
pub use request::{IntoUrl, Params, PreparedRequest, Request};
pub use response::{
    DecodedContent, DecodedLines, IterContent, IterLines, Link, Links, Reader, Response,
    ResponseBuilder,
};
pub use retry::{Attempt, Jitter, Retry, RetryBudget};
pub use session::{
    Imap, Map, Pending, Session, delete, get, head, options, patch, post, put, request,
};
pub use settings::{SendOptions, Settings};
pub use stats::Stats;
pub use timeout::Timeout;
pub use timings::Timings;
pub use url::Url;

/// What there is to know of TLS beside [`Verify`] and the settings.
#[cfg(feature = "tls")]
pub mod tls {
    pub use crate::net::tls::{DefaultRoots, default_roots};
}
