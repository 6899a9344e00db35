//! What can be set for a session and for a request, and how the two merge.

mod waits;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use url::Url;

use crate::cancel::CancelToken;
use crate::charset::Detector;
#[cfg(feature = "cookies")]
use crate::cookies::CookieJar;
use crate::environment::Environment;
use crate::error::Result;
#[cfg(feature = "http2")]
use crate::h2::HttpVersions;
use crate::net::tls::{Identity, Verify};
use crate::progress::{OnProgress, Progress};
use crate::proxy::Proxies;
use crate::redirect::{RedirectPolicy, SensitiveHeaders};
use crate::retry::Retry;
use crate::timeout::Timeout;
pub(crate) use waits::earlier;

/// The most that is held in memory of one body, unless set otherwise: 2 GiB.
pub(crate) const MAX_CONTENT: u64 = 2 << 30;
/// How many redirects are followed, unless set otherwise.
pub(crate) const MAX_REDIRECTS: u32 = 30;

/// What can be said for one request; the rest is as the session has it.
///
/// ```
/// # use std::time::Duration;
/// # use bequest::{Request, SendOptions, Session};
/// # let s = Session::new();
/// # fn url() -> &'static str { "http://localhost:1/" }
/// let prepared = s.prepare(Request::new("GET", url()))?;
/// let options = SendOptions::new().stream(true).timeout(Duration::from_secs(5));
/// # if false {
/// let r = s.send(prepared, options)?;
/// # }
/// # Ok::<(), bequest::Error>(())
/// ```
// Behind a pointer: most requests say nothing, and options move with the request.
#[derive(Clone, Debug, Default)]
pub struct SendOptions(Option<Box<Said>>);

#[derive(Clone, Debug, Default)]
struct Said {
    stream: Option<bool>,
    timeout: Timeout,
    verify: Option<Verify>,
    /// This and the socket are said to be none, where a redirect has led to another origin.
    cert: Option<Option<Identity>>,
    proxies: Proxies,
    unix_socket: Option<Option<PathBuf>>,
    max_content: Option<Option<u64>>,
    on_progress: Option<OnProgress>,
    text_is_latin1: Option<bool>,
    detector: Option<Arc<dyn Detector>>,
    allow_redirects: Option<bool>,
    max_redirects: Option<u32>,
    redirect_policy: Option<Arc<dyn RedirectPolicy>>,
    sensitive_headers: Option<SensitiveHeaders>,
    https_only: Option<bool>,
    retry: Option<Retry>,
    cancel: Option<CancelToken>,
    #[cfg(feature = "http2")]
    http_versions: Option<HttpVersions>,
}

impl SendOptions {
    /// Says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the body is left unread, to be streamed.
    #[must_use]
    pub fn stream(mut self, stream: bool) -> Self {
        self.said().stream = Some(stream);
        self
    }

    /// How long to wait: a duration, a pair of connect and read, `None`, or a [`Timeout`]. Parts
    /// that were said before and are not mentioned stay.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Timeout>) -> Self {
        let said = self.said();
        said.timeout = timeout.into().or(said.timeout);
        self
    }

    /// How the server is verified: a `bool`, the path of a PEM file, or a [`Verify`].
    #[must_use]
    pub fn verify(mut self, verify: impl Into<Verify>) -> Self {
        self.said().verify = Some(verify.into());
        self
    }

    /// Who the client is, where the server asks: the path of a PEM file with certificate and private
    /// key, a pair of paths, or an [`Identity`].
    #[must_use]
    pub fn cert(mut self, cert: impl Into<Identity>) -> Self {
        self.said().cert = Some(Some(cert.into()));
        self
    }

    /// Which proxies lead to servers, or that none does. Where these say nothing, the session's
    /// count, then those of the environment.
    #[must_use]
    pub fn proxies(mut self, proxies: impl Into<Proxies>) -> Self {
        let said = self.said();
        said.proxies = proxies.into().over(&said.proxies);
        self
    }

    /// The most that is held in memory of a body that is not streamed by its reader, in bytes;
    /// `None` is no limit. More is [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    #[must_use]
    pub fn max_content(mut self, most: impl Into<Option<u64>>) -> Self {
        self.said().max_content = Some(most.into());
        self
    }

    /// Whether text without a charset counts as ISO-8859-1 (RFC 2616, section 3.7.1; Requests does
    /// so), unless it is valid UTF-8; else its charset is detected.
    #[must_use]
    pub fn text_is_latin1(mut self, is_latin1: bool) -> Self {
        self.said().text_is_latin1 = Some(is_latin1);
        self
    }

    /// What finds out the charset of a text that nobody names.
    #[must_use]
    pub fn detector(mut self, detector: impl Detector + 'static) -> Self {
        self.said().detector = Some(Arc::new(detector));
        self
    }

    /// Is called with each part of a body that was sent or received.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.said().on_progress = Some(OnProgress::new(tell));
        self
    }

    /// Whether redirects are followed: unless it is set, they are, but not those of HEAD.
    #[must_use]
    pub fn allow_redirects(mut self, allow: bool) -> Self {
        self.said().allow_redirects = Some(allow);
        self
    }

    /// How many redirects are followed; the next one is
    /// [`ErrorKind::TooManyRedirects`](crate::ErrorKind::TooManyRedirects).
    #[must_use]
    pub fn max_redirects(mut self, most: u32) -> Self {
        self.said().max_redirects = Some(most);
        self
    }

    /// Which redirects are followed.
    #[must_use]
    pub fn redirect_policy(mut self, policy: impl RedirectPolicy) -> Self {
        self.said().redirect_policy = Some(Arc::new(policy));
        self
    }

    /// What a redirect to another origin goes without.
    #[must_use]
    pub fn sensitive_headers(mut self, names: impl Into<SensitiveHeaders>) -> Self {
        self.said().sensitive_headers = Some(names.into());
        self
    }

    /// Whether a URL that is not https, be it a redirect's, is
    /// [`ErrorKind::InvalidSchema`](crate::ErrorKind::InvalidSchema).
    #[must_use]
    pub fn https_only(mut self, only: bool) -> Self {
        self.said().https_only = Some(only);
        self
    }

    /// When it is sent again after it failed: a [`Retry`], or how often.
    #[must_use]
    pub fn retry(mut self, retry: impl Into<Retry>) -> Self {
        self.said().retry = Some(retry.into());
        self
    }

    /// Which versions of HTTP it may be sent by.
    #[cfg(feature = "http2")]
    #[must_use]
    pub fn http_versions(mut self, versions: HttpVersions) -> Self {
        self.said().http_versions = Some(versions);
        self
    }

    /// Who may end the request while it is on its way.
    #[must_use]
    pub fn cancel_with(mut self, token: &CancelToken) -> Self {
        self.said().cancel = Some(token.clone());
        self
    }

    /// The path of the Unix socket that is connected to, in place of the URL's host and of any
    /// proxy; a redirect to another origin does not lead there.
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.said().unix_socket = Some(Some(path.into()));
        self
    }

    /// Withdraws what was said for one origin, by these options or by `settings`: that a certificate
    /// is not verified, who the client is, and a Unix socket.
    pub(crate) fn leave_origin(&mut self, settings: &Settings) {
        if let Some(said) = &mut self.0 {
            said.verify.take_if(|verify| verify.is_off());
        }
        if settings.cert.is_some() {
            self.said().cert = Some(None);
        }
        if settings.unix_socket.is_some() {
            self.said().unix_socket = Some(None);
        }
    }

    /// Whether it says how servers are verified.
    pub(crate) fn says_verify(&self) -> bool {
        self.0.as_ref().is_some_and(|said| said.verify.is_some())
    }

    fn said(&mut self) -> &mut Said {
        self.0.get_or_insert_default()
    }
}

impl Said {
    /// Exhaustive, so that a new setting can't be forgotten; the pool's key is written the same way.
    fn apply_to(&self, settings: &mut Settings) {
        let Self {
            stream,
            timeout,
            verify,
            cert,
            proxies,
            unix_socket,
            max_content,
            on_progress,
            text_is_latin1,
            detector,
            allow_redirects,
            max_redirects,
            redirect_policy,
            sensitive_headers,
            https_only,
            retry,
            cancel,
            #[cfg(feature = "http2")]
            http_versions,
        } = self;
        #[cfg(feature = "http2")]
        {
            settings.http_versions = http_versions.or(settings.http_versions);
        }
        settings.timeout = timeout.or(settings.timeout);
        settings.proxies = proxies.over(&settings.proxies);
        if let Some(cert) = cert {
            settings.cert = cert.clone();
        }
        settings.stream = stream.unwrap_or(settings.stream);
        settings.max_content = max_content.unwrap_or(settings.max_content);
        settings.text_is_latin1 = text_is_latin1.unwrap_or(settings.text_is_latin1);
        settings.allow_redirects = allow_redirects.unwrap_or(settings.allow_redirects);
        settings.max_redirects = max_redirects.unwrap_or(settings.max_redirects);
        settings.https_only = https_only.unwrap_or(settings.https_only);
        if let Some(verify) = verify {
            settings.verify_is_said = true;
            let before = std::mem::replace(&mut settings.verify, verify.clone());
            // Said for the origin that was named, and no other.
            if settings.verify.is_off() {
                settings.elsewhere.get_or_insert(before);
            } else {
                settings.elsewhere = None;
            }
        }
        if let Some(unix_socket) = unix_socket {
            settings.unix_socket = unix_socket.clone();
        }
        if let Some(policy) = redirect_policy {
            settings.redirect_policy = Some(Arc::clone(policy));
        }
        if let Some(names) = sensitive_headers {
            settings.sensitive_headers = names.clone();
        }
        if let Some(on_progress) = on_progress {
            settings.on_progress = Some(on_progress.clone());
        }
        if let Some(retry) = retry {
            settings.retry = Some(retry.clone());
        }
        if let Some(token) = cancel {
            settings.cancel = Some(token.clone());
        }
        if let Some(detector) = detector {
            settings.detector = Some(Arc::clone(detector));
        }
    }
}

/// What an adapter gets: every setting merged, nothing left unsaid.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Whether the body is left unread.
    pub stream: bool,
    /// How long to wait; unmentioned parts are for ever.
    pub timeout: Timeout,
    /// How the server is verified.
    pub verify: Verify,
    /// Who the client is, where the server asks.
    pub cert: Option<Identity>,
    /// Which proxies lead to servers.
    pub proxies: Proxies,
    /// The Unix socket that is connected to in place of the URL's host.
    pub unix_socket: Option<PathBuf>,
    /// The most that is held in memory of a body.
    pub max_content: Option<u64>,
    /// Who is told how far it has come.
    pub on_progress: Option<OnProgress>,
    /// Whether text without a charset counts as ISO-8859-1.
    pub text_is_latin1: bool,
    /// What finds out the charset of a text; `None` is the standard one.
    pub detector: Option<Arc<dyn Detector>>,
    /// Whether redirects are followed.
    pub allow_redirects: bool,
    /// How many redirects are followed.
    pub max_redirects: u32,
    /// Which redirects are followed; `None` follows all that lead to http and https.
    pub redirect_policy: Option<Arc<dyn RedirectPolicy>>,
    /// What a redirect to another origin goes without.
    pub sensitive_headers: SensitiveHeaders,
    /// Whether a URL that is not https is an error.
    pub https_only: bool,
    /// When it is sent again after it failed; `None` leaves that to the adapter.
    pub retry: Option<Retry>,
    /// Which versions of HTTP it may be sent by; `None` leaves that to the adapter.
    #[cfg(feature = "http2")]
    pub http_versions: Option<HttpVersions>,
    /// Where cookies are kept; `None` for a call without a session.
    #[cfg(feature = "cookies")]
    pub cookies: Option<Arc<CookieJar>>,
    /// Who may end the request.
    pub cancel: Option<CancelToken>,
    /// When the total timeout is over.
    pub deadline: Option<Instant>,
    /// How servers of other origins are verified, if the request said that its own is not.
    pub(crate) elsewhere: Option<Verify>,
    /// Who is asked how a server is verified, if nobody else says it.
    pub(crate) environment: Option<Arc<Environment>>,
    /// Who is asked for the credentials of another origin that a redirect leads to.
    pub(crate) netrc: Option<Arc<Environment>>,
    /// The request says it.
    pub(crate) verify_is_said: bool,
}

impl Default for Settings {
    /// What a new session says.
    fn default() -> Self {
        Self {
            stream: false,
            timeout: Timeout::new(),
            verify: Verify::Yes,
            cert: None,
            proxies: Proxies::new(),
            unix_socket: None,
            max_content: Some(MAX_CONTENT),
            on_progress: None,
            text_is_latin1: true,
            detector: None,
            allow_redirects: true,
            max_redirects: MAX_REDIRECTS,
            redirect_policy: None,
            sensitive_headers: SensitiveHeaders::default(),
            https_only: false,
            retry: None,
            #[cfg(feature = "http2")]
            http_versions: None,
            #[cfg(feature = "cookies")]
            cookies: None,
            cancel: None,
            deadline: None,
            elsewhere: None,
            environment: None,
            netrc: None,
            verify_is_said: false,
        }
    }
}

impl Settings {
    /// A session's settings with what a request says over them, and over both what is said as it is
    /// sent. The total timeout begins now.
    pub(crate) fn decide(&mut self, said: [Option<&SendOptions>; 2], now: Instant) -> Result<()> {
        for said in said.into_iter().flatten().filter_map(|options| options.0.as_ref()) {
            said.apply_to(self);
        }
        self.timeout.check(now)?;
        self.deadline = self.timeout.total_limit().map(|limit| now + limit);
        Ok(())
    }

    /// For the next hop, if it needs others: that a certificate is not verified was said for the
    /// first origin alone, and so was who the client is, or a Unix socket; and the environment is
    /// asked when there is a certificate.
    pub(crate) fn on_the_way(&self, url: &Url, leaves_origin: bool) -> Option<Self> {
        let withdraws =
            self.elsewhere.is_some() || self.cert.is_some() || self.unix_socket.is_some();
        if !(leaves_origin && withdraws) {
            return self.as_environment_says(url);
        }
        let settings = self.elsewhere();
        settings.as_environment_says(url).or(Some(settings))
    }

    /// As the environment wants it for the URL, if it says anything.
    fn as_environment_says(&self, url: &Url) -> Option<Self> {
        let verify = self.said_by_environment(url)?;
        Some(Self { verify, environment: None, ..self.clone() })
    }

    /// Without what was said for the origin that was named.
    fn elsewhere(&self) -> Self {
        let mut settings = Self { cert: None, unix_socket: None, ..self.clone() };
        if let Some(verify) = settings.elsewhere.take() {
            settings.verify = verify;
            settings.verify_is_said = false;
        }
        settings
    }

    /// How the server of the URL is verified, if only the environment says it.
    pub(crate) fn said_by_environment(&self, url: &Url) -> Option<Verify> {
        self.environment.as_ref().filter(|_| !self.verify_is_said)?.verify(url)
    }
}

#[cfg(test)]
mod tests;
