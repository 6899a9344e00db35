//! One builder for every door.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use http::{Extensions, Method};
use serde::Serialize;
#[expect(unused_imports, reason = "documentation names it")]
use url::Url;

use super::content::Content;
use super::into_url::{Given, IntoUrl};
use super::params::RequestParams;
use super::prepared::PreparedRequest;
use crate::auth::{Auth, IntoAuth};
use crate::body::Body;
use crate::body::form::{Pairs, to_pairs};
#[cfg(feature = "multipart")]
use crate::body::multipart::Part;
use crate::cancel::CancelToken;
use crate::charset::Detector;
use crate::error::{Error, ErrorKind, Result};
#[cfg(feature = "http2")]
use crate::h2::HttpVersions;
use crate::headers::{Headers, ToHeaderValue};
use crate::hooks::Hooks;
use crate::net::tls::{Identity, Verify};
use crate::progress::Progress;
use crate::proxy::Proxies;
use crate::redirect::{RedirectPolicy, SensitiveHeaders};
use crate::response::Response;
use crate::retry::Retry;
use crate::settings::SendOptions;
use crate::timeout::Timeout;

/// A request being put together. It is bound to a session, whose `send()` it then has, or to
/// nothing ([`Request::new`]).
///
/// A wrong argument is an error of `send()` or `prepare()`, so that calls can be chained.
///
/// ```no_run
/// # use std::time::Duration;
/// let r = bequest::get("https://example.org/search")
///     .params([("q", "rust"), ("page", "2")])
///     .header("Accept", "text/html")
///     .timeout(Duration::from_secs(5))
///     .send()?;
/// # Ok::<(), bequest::Error>(())
/// ```
#[must_use = "a request does nothing until it is sent"]
#[derive(Clone)]
pub struct Request<S = ()> {
    pub(crate) session: S,
    pub(crate) parts: Box<Parts>,
}

/// What a builder has collected.
pub(crate) struct Parts {
    pub(super) method: Method,
    pub(super) url: Option<Given>,
    pub(super) path_as_is: bool,
    pub(super) headers: Headers,
    pub(super) without_headers: Vec<String>,
    pub(super) params: RequestParams,
    #[cfg(feature = "cookies")]
    pub(super) cookies: Vec<(String, String)>,
    pub(super) content: Content,
    pub(super) auth: Option<Arc<dyn Auth>>,
    pub(super) hooks: Hooks,
    pub(super) options: SendOptions,
    pub(super) extensions: Extensions,
    /// The first wrong argument.
    pub(super) problem: Option<Error>,
}

impl Request {
    /// A request that belongs to no session; [`Session::prepare`](crate::Session::prepare) takes
    /// it. The method is upper-cased, as Requests does.
    pub fn new(method: impl AsRef<str>, url: impl IntoUrl) -> Self {
        Self::bound((), method.as_ref(), url)
    }

    /// The request with no session's state.
    ///
    /// # Errors
    /// Whatever was wrong with an argument.
    pub fn prepare(self) -> Result<PreparedRequest> {
        self.parts.prepare(&super::Defaults::none())
    }
}

impl<S> Request<S> {
    pub(crate) fn bound(session: S, method: &str, url: impl IntoUrl) -> Self {
        let mut problem = None;
        let mut keep = |error: Error| problem = problem.take().or(Some(error));
        let method = match known_method(method) {
            Some(method) => method,
            None => parse_method(method).map_err(&mut keep).unwrap_or_default(),
        };
        let url = url.into_url().map_err(&mut keep).ok();
        let parts = Parts {
            method,
            url,
            path_as_is: false,
            headers: Headers::new(),
            without_headers: Vec::new(),
            params: RequestParams::default(),
            #[cfg(feature = "cookies")]
            cookies: Vec::new(),
            content: Content::default(),
            auth: None,
            hooks: Hooks::new(),
            options: SendOptions::new(),
            extensions: Extensions::new(),
            problem,
        };
        Self { session, parts: Box::new(parts) }
    }

    /// Sets a header, in place of a session's of the same name.
    pub fn header(mut self, name: impl AsRef<str>, value: impl ToHeaderValue) -> Self {
        self.parts.headers.insert(name, value);
        self
    }

    /// Sets several headers; a name may repeat in them.
    pub fn headers(mut self, headers: impl Into<Headers>) -> Self {
        self.parts.headers.update(&headers.into());
        self
    }

    /// Goes without a header that the session has; without Cookie, no cookies are sent wherever the
    /// request is led.
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.parts.without_headers.push(name.into());
        self
    }

    /// Adds query parameters: pairs, a map, a struct; or text that is used as it is, in place of
    /// the session's. `None` leaves a name out, a list repeats it.
    pub fn params(mut self, params: impl Serialize) -> Self {
        match to_pairs(&params) {
            Ok(Pairs::List(pairs)) => self.parts.params.pairs.extend(pairs),
            Ok(Pairs::Raw(text)) => self.parts.params.raw = Some(text),
            Err(error) => self.fail(error),
        }
        self
    }

    /// Goes without a query parameter that the session has.
    pub fn without_param(mut self, name: impl Into<String>) -> Self {
        self.parts.params.without.push(name.into());
        self
    }

    /// Adds a cookie, for this request and its origin: it is not kept, and redirects to other
    /// origins go without it. It takes the place of the session's of the same name. A Cookie header
    /// of your own, of the request or the session, takes the place of all cookies.
    #[cfg(feature = "cookies")]
    pub fn cookie(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parts.cookies.push((name.into(), value.into()));
        self
    }

    /// Adds several cookies.
    #[cfg(feature = "cookies")]
    pub fn cookies<N, V>(mut self, cookies: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let cookies = cookies.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.parts.cookies.extend(cookies);
        self
    }

    /// Whether path and query are sent exactly as they were typed, dot segments and all (curl's
    /// `--path-as-is`); parameters come behind them. What can't stand in a request line is
    /// [`ErrorKind::InvalidUrl`]. A [`Url`] was not typed, and is sent as it is in any case.
    pub fn path_as_is(mut self, as_is: bool) -> Self {
        self.parts.path_as_is = as_is;
        self
    }

    /// Sets the body: text, bytes, a [`File`](std::fs::File), a [`Body`].
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.content(Ok(Content::Body(body.into())));
        self
    }

    /// Sets a form as the body (`application/x-www-form-urlencoded`): pairs, a map, a struct, or
    /// text that is encoded already. With [`files`](Self::files), its fields are parts before them.
    pub fn form(mut self, form: impl Serialize) -> Self {
        self.content(to_pairs(&form).map(Content::Form));
        self
    }

    /// Sends files as the body (`multipart/form-data`, RFC 7578): names of fields, and a [`Part`]
    /// or what can be made into one for each. A name may repeat. They are streamed, with their
    /// length where it is known; called again, it adds.
    ///
    /// A Content-Type of yours keeps its boundary, and gets one if it has none.
    ///
    /// ```
    /// # let server = testbed::Testbed::start();
    /// # let url = server.url("/post");
    /// use bequest::Part;
    ///
    /// let r = bequest::post(&url)
    ///     .files([
    ///         ("images", Part::new("a").file_name("foo.png").mime("image/png")),
    ///         ("images", Part::new("b").file_name("bar.png").guess_mime()),
    ///     ])
    ///     .send()?;
    /// let echo: serde_json::Value = r.json()?;
    /// assert_eq!(echo["files"]["images"], serde_json::json!(["a", "b"]));
    /// # Ok::<(), bequest::Error>(())
    /// ```
    #[cfg(feature = "multipart")]
    pub fn files<N, P>(mut self, files: impl IntoIterator<Item = (N, P)>) -> Self
    where
        N: Into<String>,
        P: Into<Part>,
    {
        let files: Vec<_> =
            files.into_iter().map(|(name, part)| (name.into(), part.into())).collect();
        if !files.is_empty() {
            self.content(Ok(Content::Multipart { fields: Vec::new(), files }));
        }
        self
    }

    /// Sets JSON as the body, compact and in UTF-8.
    #[cfg(feature = "json")]
    pub fn json(mut self, value: impl Serialize) -> Self {
        let body = serde_json::to_vec(&value).map_err(|error| {
            Error::with(ErrorKind::InvalidJson, "the value has no JSON form").because(error)
        });
        self.content(body.map(|json| Content::Json(json.into())));
        self
    }

    /// Who asks: any [`Auth`], or a pair of user name and password. In place of the session's.
    pub fn auth(mut self, auth: impl IntoAuth) -> Self {
        self.parts.auth = Some(auth.into_auth());
        self
    }

    /// Adds a hook that sees the response, after the session's.
    pub fn hook<F>(mut self, hook: F) -> Self
    where
        F: Fn(Response) -> Result<Response> + Send + Sync + 'static,
    {
        self.parts.hooks.response.push(hook);
        self
    }

    /// How long to wait: a duration for connect and read, a pair of them, `None` for ever, or a
    /// [`Timeout`].
    pub fn timeout(self, timeout: impl Into<Timeout>) -> Self {
        self.options(|options| options.timeout(timeout))
    }

    /// How the server is verified: a `bool`, the path of a PEM file with CA certificates, or a
    /// [`Verify`].
    pub fn verify(self, verify: impl Into<Verify>) -> Self {
        self.options(|options| options.verify(verify))
    }

    /// Who the client is, if the server asks: the path of a PEM file with certificate and private key,
    /// a pair of paths, or an [`Identity`].
    pub fn cert(self, cert: impl Into<Identity>) -> Self {
        self.options(|options| options.cert(cert))
    }

    /// Which proxies lead to the server, or that none does; see [`Proxies`]. Where these say nothing,
    /// the session's count, then those of the environment.
    pub fn proxies(self, proxies: impl Into<Proxies>) -> Self {
        self.options(|options| options.proxies(proxies))
    }

    /// Whether the body is left unread, to be streamed.
    pub fn stream(self, stream: bool) -> Self {
        self.options(|options| options.stream(stream))
    }

    /// The most that is held in memory of the body, in bytes; `None` is no limit.
    pub fn max_content(self, most: impl Into<Option<u64>>) -> Self {
        self.options(|options| options.max_content(most))
    }

    /// Whether text without a charset counts as ISO-8859-1, as Requests has it; else its charset is
    /// detected.
    pub fn text_is_latin1(self, is_latin1: bool) -> Self {
        self.options(|options| options.text_is_latin1(is_latin1))
    }

    /// What finds out the charset of a text that nobody names.
    pub fn detector(self, detector: impl Detector + 'static) -> Self {
        self.options(|options| options.detector(detector))
    }

    /// Whether redirects are followed: unless it is set, they are, but not those of HEAD. What is
    /// not followed is a response as any other; its
    /// [`next_request`](Response::next_request) is where it leads.
    pub fn allow_redirects(self, allow: bool) -> Self {
        self.options(|options| options.allow_redirects(allow))
    }

    /// How many redirects are followed; the next one is
    /// [`ErrorKind::TooManyRedirects`](crate::ErrorKind::TooManyRedirects).
    pub fn max_redirects(self, most: u32) -> Self {
        self.options(|options| options.max_redirects(most))
    }

    /// Which redirects are followed.
    pub fn redirect_policy(self, policy: impl RedirectPolicy) -> Self {
        self.options(|options| options.redirect_policy(policy))
    }

    /// What a redirect to another origin goes without, beside credentials.
    pub fn sensitive_headers(self, names: impl Into<SensitiveHeaders>) -> Self {
        self.options(|options| options.sensitive_headers(names))
    }

    /// Whether a URL that is not https, be it a redirect's, is
    /// [`ErrorKind::InvalidSchema`](crate::ErrorKind::InvalidSchema).
    pub fn https_only(self, only: bool) -> Self {
        self.options(|options| options.https_only(only))
    }

    /// Which versions of HTTP it may be sent by, in place of the session's, and of the adapter's.
    #[cfg(feature = "http2")]
    pub fn http_versions(self, versions: HttpVersions) -> Self {
        self.options(|options| options.http_versions(versions))
    }

    /// Who may end the request while it is on its way, from any thread.
    pub fn cancel_with(self, token: &CancelToken) -> Self {
        self.options(|options| options.cancel_with(token))
    }

    /// When it is sent again after it failed: a [`Retry`], or how often. In place of the session's,
    /// and of the adapter's.
    pub fn retry(self, retry: impl Into<Retry>) -> Self {
        self.options(|options| options.retry(retry))
    }

    /// The path of the Unix socket that is connected to, in place of the URL's host and of any
    /// proxy. The URL still says what the server is called; a redirect to another origin does not
    /// lead there.
    pub fn unix_socket(self, path: impl Into<PathBuf>) -> Self {
        self.options(|options| options.unix_socket(path))
    }

    /// Is called with each part of a body that was sent or received: how much there is now, and of
    /// how much.
    pub fn on_progress(self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.options(|options| options.on_progress(tell))
    }

    /// Anything that hooks, auths and adapters shall find with the request.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.parts.extensions.insert(value);
        self
    }

    fn options(mut self, change: impl FnOnce(SendOptions) -> SendOptions) -> Self {
        self.parts.options = change(std::mem::take(&mut self.parts.options));
        self
    }

    fn content(&mut self, content: Result<Content>) {
        if let Err(error) = content.and_then(|content| self.parts.content.set(content)) {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: Error) {
        self.parts.problem.get_or_insert(error);
    }
}

/// The methods of the verbs, which need no look at each character.
fn known_method(method: &str) -> Option<Method> {
    Some(match method {
        "GET" => Method::GET,
        "OPTIONS" => Method::OPTIONS,
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return None,
    })
}

fn parse_method(method: &str) -> Result<Method> {
    let upper = method.to_ascii_uppercase();
    Method::from_bytes(upper.as_bytes()).map_err(|_| {
        Error::with(
            ErrorKind::InvalidMethod,
            format!(
                "method `{}`: only letters, digits and !#$%&'*+-.^_`|~ are allowed",
                method.escape_debug()
            ),
        )
        .remedied("write the method alone, as in `request(\"MKCOL\", url)`")
    })
}

impl Clone for Parts {
    fn clone(&self) -> Self {
        Self {
            method: self.method.clone(),
            url: self.url.clone(),
            path_as_is: self.path_as_is,
            headers: self.headers.clone(),
            without_headers: self.without_headers.clone(),
            params: self.params.clone(),
            #[cfg(feature = "cookies")]
            cookies: self.cookies.clone(),
            content: self.content.clone(),
            auth: self.auth.clone(),
            hooks: self.hooks.clone(),
            options: self.options.clone(),
            extensions: self.extensions.clone(),
            problem: self.problem.as_ref().map(Error::again),
        }
    }
}

impl<S> fmt::Debug for Request<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &self.parts;
        f.debug_struct("Request")
            .field("method", &parts.method)
            .field("url", &parts.url.as_ref().map(|given| crate::secrets::masked(&given.url)))
            .field("headers", &parts.headers)
            .field("content", &parts.content)
            .finish_non_exhaustive()
    }
}
