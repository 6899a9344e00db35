//! Which proxy a request goes through, if any.

mod address;
mod auth;
mod environment;
mod key;
mod no_proxy;

use std::fmt;
use std::sync::Arc;

use url::Url;

pub use self::auth::{ProxyAuth, ProxyChallenge};
use self::key::Key;
use self::no_proxy::NoProxy;
use crate::error::{Error, Result};
use crate::headers::{Headers, ToHeaderValue};
use crate::net::ProxyServer;
use crate::net::tls::{Identity, Verify};

/// Which requests go through which proxy (Requests' `proxies`).
///
/// ```
/// use bequest::Proxies;
///
/// let proxies = Proxies::new()
///     .http("http://10.10.1.10:3128")? // for http:// URLs
///     .https("http://10.10.1.10:1080")? // for https:// URLs
///     .on("http://10.20.1.128", "http://10.10.1.10:5323")? // for one host
///     .all("https://user:pass@proxy.example:8443")? // for the rest
///     .no_proxy("localhost, .example.org, 10.0.0.0/8");
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// What is said for the scheme and the host of a URL (`http://host`) wins, then for its scheme
/// (`http`), then for the host with any scheme (`all://host`), then for all. Where nothing is said,
/// the next one is asked: of a request its session, of a session the environment.
///
/// The URL of a proxy has a scheme: `http`, `https` (TLS to the proxy itself), or, with the feature
/// `socks`, `socks4`, `socks4a`, `socks5` and `socks5h`; the ones that end in a letter have the
/// proxy look up names. User and password are percent-encoded in it.
///
/// A clone costs next to nothing, and so does asking when nothing is said.
#[derive(Clone, Default)]
pub struct Proxies(Option<Arc<Level>>);

/// What one says, and who is asked where that is nothing: put together for each request.
#[derive(Clone, Default)]
struct Level {
    said: Arc<Said>,
    then: Proxies,
}

#[derive(Clone, Default)]
struct Said {
    routes: Vec<(Key, Route)>,
    no_proxy: NoProxy,
    verify: Verify,
    cert: Option<Identity>,
    headers: Headers,
    auth: Option<ProxyAuth>,
}

#[derive(Clone)]
enum Route {
    Direct,
    Through {
        server: Arc<ProxyServer>,
        /// Its URL says who asks.
        has_login: bool,
    },
    /// What was said can't be used; that is told to whom it would have served.
    Malformed(Arc<Error>),
}

impl Proxies {
    /// Says nothing: the environment counts.
    pub fn new() -> Self {
        Self::default()
    }

    /// No proxy at all, whatever session and environment say.
    ///
    /// ```
    /// # let url = "http://localhost:1/";
    /// # use bequest::Proxies;
    /// let direct = Proxies::none();
    /// let but_one = Proxies::none().on("http://intranet.example", "http://10.10.1.10:3128")?;
    /// # Ok::<(), bequest::Error>(())
    /// ```
    pub fn none() -> Self {
        Self::default().with(Key::All, Route::Direct)
    }

    /// The proxy for `http` URLs.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidProxyUrl`](crate::ErrorKind::InvalidProxyUrl) if the URL has no scheme
    /// or an unknown one, names no host, or has more than scheme, credentials, host and port;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if its scheme needs a feature that
    /// the crate was built without.
    pub fn http(self, proxy: impl AsRef<str>) -> Result<Self> {
        self.on("http", proxy)
    }

    /// The proxy for `https` URLs. What goes through is encrypted for the server, not for the proxy.
    ///
    /// # Errors
    /// As [`http`](Self::http).
    pub fn https(self, proxy: impl AsRef<str>) -> Result<Self> {
        self.on("https", proxy)
    }

    /// The proxy for all URLs that nothing else is said for.
    ///
    /// # Errors
    /// As [`http`](Self::http).
    pub fn all(self, proxy: impl AsRef<str>) -> Result<Self> {
        self.on("all", proxy)
    }

    /// The proxy for URLs of a scheme (`http`), a host (`all://host`), or both (`http://host`).
    ///
    /// # Errors
    /// As [`http`](Self::http), or if what it is for is written another way: with a port or a path.
    pub fn on(self, what: impl AsRef<str>, proxy: impl AsRef<str>) -> Result<Self> {
        let key = Key::parse(what.as_ref())?;
        let server = address::parse(proxy.as_ref())?;
        Ok(self.with(key, Route::through(server)))
    }

    /// That no proxy is for URLs of a scheme, a host, or both (as in [`on`](Self::on)), whatever
    /// session and environment say.
    ///
    /// ```
    /// # use bequest::Proxies;
    /// let proxies = Proxies::new().all("http://10.10.1.10:3128")?.direct("http://10.20.1.128")?;
    /// # Ok::<(), bequest::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidProxyUrl`](crate::ErrorKind::InvalidProxyUrl) if it is written another way.
    pub fn direct(self, what: impl AsRef<str>) -> Result<Self> {
        Ok(self.with(Key::parse(what.as_ref())?, Route::Direct))
    }

    /// Hosts that are reached directly, in a list with commas: host names, which stand for all
    /// names below them, too (`example.org` and `.example.org` are the same); IP addresses; networks
    /// (`10.0.0.0/8`, `fd00::/8`); each of the first two with a port, if only that is meant; or `*`
    /// for all. Said again, it adds to the list.
    ///
    /// Names are not looked up to compare them with addresses.
    #[must_use]
    pub fn no_proxy(mut self, hosts: impl AsRef<str>) -> Self {
        self.said().no_proxy.add(hosts.as_ref());
        self
    }

    /// How `https` proxies are verified: a `bool`, the path of a PEM file, or a [`Verify`]. What is
    /// set for servers does not count for proxies.
    #[must_use]
    pub fn verify(mut self, verify: impl Into<Verify>) -> Self {
        let verify = verify.into();
        self.said().verify = verify.clone();
        self.each_server(|server| server.verify = verify.clone());
        self
    }

    /// Who `https` proxies are told that the client is, where they ask: a path, a pair of paths, or an
    /// [`Identity`](crate::Identity). What is set for servers does not count for proxies.
    #[must_use]
    pub fn cert(mut self, cert: impl Into<Identity>) -> Self {
        let cert = Some(cert.into());
        self.said().cert = cert.clone();
        self.each_server(|server| server.cert = cert.clone());
        self
    }

    /// A header for the proxy alone: with CONNECT, or with each request that the proxy reads.
    /// It is never sent to a server through a tunnel.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl ToHeaderValue) -> Self {
        let headers = &mut self.said().headers;
        headers.append(name, value);
        let headers = headers.clone();
        self.each_server(|server| server.headers = headers.clone());
        self
    }

    /// Who asks, for proxies whose URL does not say it: a pair of user name and password, a
    /// [`Basic`](crate::Basic), a [`Digest`](crate::Digest), or who knows it ([`ProxyAuth::ask`]).
    /// SOCKS proxies, which say no more than that they want to know it, take pairs.
    ///
    /// No server ever gets it, nor does a server's 407.
    #[must_use]
    pub fn auth(mut self, auth: impl Into<ProxyAuth>) -> Self {
        let auth = auth.into();
        self.said().auth = Some(auth.clone());
        for (_, route) in &mut self.said().routes {
            if let Route::Through { server, has_login: false } = route {
                auth.give_to(Arc::make_mut(server));
            }
        }
        self
    }

    fn with(mut self, key: Key, mut route: Route) -> Self {
        let said = self.said();
        if let Route::Through { server, has_login } = &mut route {
            let server = Arc::make_mut(server);
            server.verify = said.verify.clone();
            server.cert = said.cert.clone();
            server.headers = said.headers.clone();
            if let (Some(auth), false) = (&said.auth, *has_login) {
                auth.give_to(server);
            }
        }
        said.routes.retain(|(known, _)| *known != key);
        said.routes.push((key, route));
        self
    }

    fn said(&mut self) -> &mut Said {
        let level = Arc::make_mut(self.0.get_or_insert_default());
        Arc::make_mut(&mut level.said)
    }

    fn each_server(&mut self, change: impl Fn(&mut ProxyServer)) {
        for (_, route) in &mut self.said().routes {
            if let Route::Through { server, .. } = route {
                change(Arc::make_mut(server));
            }
        }
    }
}

impl Proxies {
    /// These, and where they say nothing, others.
    pub(crate) fn over(&self, others: &Self) -> Self {
        match (&self.0, &others.0) {
            (None, _) => others.clone(),
            (_, None) => self.clone(),
            (Some(level), Some(_)) => {
                let (said, then) = (Arc::clone(&level.said), level.then.over(others));
                Self(Some(Arc::new(Level { said, then })))
            }
        }
    }

    /// The proxy for a URL; `None` is the direct way.
    pub(crate) fn select(&self, url: &Url) -> Result<Option<&Arc<ProxyServer>>> {
        let mut next = &self.0;
        while let Some(level) = next {
            match level.said.route(url) {
                None => next = &level.then.0,
                Some(Route::Direct) => return Ok(None),
                Some(Route::Through { server, .. }) => return Ok(Some(server)),
                Some(Route::Malformed(error)) => return Err(error.again()),
            }
        }
        Ok(None)
    }
}

impl Said {
    /// `None` if nothing is said.
    fn route(&self, url: &Url) -> Option<&Route> {
        if self.no_proxy.matches(url) {
            return Some(&Route::Direct);
        }
        let fitting =
            self.routes.iter().filter_map(|(key, route)| Some((key.precedence_for(url)?, route)));
        fitting.max_by_key(|(precedence, _)| *precedence).map(|(_, route)| route)
    }
}

impl Route {
    fn through(mut server: ProxyServer) -> Self {
        server.proof = server.credentials.as_ref().map(auth::by_url);
        let has_login = server.credentials.is_some();
        Self::Through { server: Arc::new(server), has_login }
    }
}

impl From<&Self> for Proxies {
    fn from(proxies: &Self) -> Self {
        proxies.clone()
    }
}

impl fmt::Debug for Proxies {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Level { said, then }) = self.0.as_deref() else { return f.write_str("Proxies") };
        let mut shown = f.debug_struct("Proxies");
        for (key, route) in &said.routes {
            shown.field(&key.to_string(), route);
        }
        if !said.no_proxy.is_empty() {
            shown.field("no_proxy", &said.no_proxy);
        }
        if then.0.is_some() {
            shown.field("else", then);
        }
        shown.finish()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Through { server, .. } => fmt::Debug::fmt(server, f),
            Self::Malformed(_) => f.write_str("malformed"),
        }
    }
}

#[cfg(test)]
mod tests;
