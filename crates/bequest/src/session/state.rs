//! What both doors' sessions are made of.

/// Defines a session type: its fields, how it is made and changed, and its verbs. Written once, so
/// that the blocking and the async session can't differ but in the fields given here.
macro_rules! session_state {
    (
        $(#[$doc:meta])*
        { $($(#[$field_doc:meta])* $visible:vis $field:ident: $type:ty = $first:expr,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct Session {
            /// Sent with every request, in this order, unless a request replaces or omits one.
            pub headers: $crate::headers::Headers,
            /// Put into the query of every request.
            pub params: $crate::request::Params,
            /// Who asks. [`set_auth`](Self::set_auth) sets it; `None` takes it back.
            pub auth: Option<std::sync::Arc<dyn $crate::auth::Auth>>,
            /// The cookies that servers have set, and those that you set; clones of the session
            /// share them.
            #[cfg(feature = "cookies")]
            pub cookies: std::sync::Arc<$crate::cookies::CookieJar>,
            /// Called with every request and response.
            pub hooks: $crate::hooks::Hooks,
            /// How servers are verified.
            pub verify: $crate::net::tls::Verify,
            /// Who the client is, where a server asks: a client certificate and its key. It is offered
            /// to the origin that a request names, and to no other that a redirect leads to.
            pub cert: Option<$crate::net::tls::Identity>,
            /// Which proxies lead to servers; where these say nothing, the environment is asked, if
            /// `trust_env` is set.
            pub proxies: $crate::proxy::Proxies,
            /// The path of the Unix socket that is connected to, in place of the URL's host and of
            /// any proxy. The URL still says what the server is called: in Host, in TLS, to
            /// cookies. A redirect to another origin does not lead there. On Linux a path that
            /// begins with a zero byte is an abstract name.
            pub unix_socket: Option<std::path::PathBuf>,
            /// How long to wait; a new session waits for ever.
            pub timeout: $crate::timeout::Timeout,
            /// Whether bodies are left unread, to be streamed.
            pub stream: bool,
            /// The most that is held in memory of a body, in bytes; more is
            /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge). 2 GiB in a new session, `None`
            /// is no limit. What is streamed is not limited.
            pub max_content: Option<u64>,
            /// Whether text without a charset counts as ISO-8859-1 (RFC 2616, section 3.7.1;
            /// Requests does so), unless it is valid UTF-8; else its charset is detected. `true`
            /// in a new session.
            pub text_is_latin1: bool,
            /// What finds out the charset of a text that nobody names; `None` is
            /// [`StandardDetector`](crate::StandardDetector).
            pub detector: Option<std::sync::Arc<dyn $crate::charset::Detector>>,
            /// How many redirects are followed; 30 in a new session. The next one is
            /// [`ErrorKind::TooManyRedirects`](crate::ErrorKind::TooManyRedirects).
            pub max_redirects: u32,
            /// Which redirects are followed; `None` follows all that lead to http and https.
            pub redirect_policy: Option<std::sync::Arc<dyn $crate::redirect::RedirectPolicy>>,
            /// What a redirect to another origin goes without, beside credentials.
            pub sensitive_headers: $crate::redirect::SensitiveHeaders,
            /// Whether a URL that is not https, be it a redirect's, is
            /// [`ErrorKind::InvalidSchema`](crate::ErrorKind::InvalidSchema).
            pub https_only: bool,
            /// When a request is sent again after it failed; `None` leaves that to the adapter:
            /// [`HttpAdapter::max_retries`](crate::HttpAdapter::max_retries).
            pub retry: Option<$crate::retry::Retry>,
            /// Which versions of HTTP requests may be sent by; `None` leaves that to the adapter:
            /// [`HttpAdapter::http_versions`](crate::HttpAdapter::http_versions).
            #[cfg(feature = "http2")]
            pub http_versions: Option<$crate::h2::HttpVersions>,
            /// Whether variables of the environment count where nothing else is said:
            /// REQUESTS_CA_BUNDLE, else CURL_CA_BUNDLE, else SSL_CERT_FILE and SSL_CERT_DIR name
            /// the files or directories with the CA certificates to trust, in place of
            /// [`Verify::Yes`](crate::Verify::Yes); and whether
            /// credentials are taken from the file that NETRC names, else from the first that
            /// exists of `~/.netrc` and `~/_netrc`; and whether http_proxy, https_proxy, all_proxy
            /// and no_proxy, in lower or upper case, name proxies where `proxies` says nothing.
            /// `true` in a new session. All of it is read once a session, when it is first needed.
            ///
            /// A request has the credentials of its host's `machine` entry in that file, or of
            /// `default`, unless it has an auth or an Authorization header, or this session has.
            /// They win over those in its URL. A redirect to another origin gets those of that
            /// host's `machine` entry, over https only. A file that can't be read or is malformed
            /// is as none; one that other users can read is warned of in the log.
            pub trust_env: bool,
            $($(#[$field_doc])* $visible $field: $type,)*
            pub(crate) environment: std::sync::Arc<$crate::environment::Environment>,
            /// Nothing is kept but connections: it is many callers'.
            #[cfg_attr(
                not(any(feature = "async", feature = "cookies")),
                expect(dead_code, reason = "cookies would be kept")
            )]
            pub(crate) forgetful: bool,
            pub(crate) mounts: $crate::adapter::Mounts,
        }

        impl Session {
            /// A session with Requests' default headers, and connections of its own.
            pub fn new() -> Self {
                Self {
                    headers: $crate::headers::Headers::from([
                        ("User-Agent", concat!("bequest/", env!("CARGO_PKG_VERSION"))),
                        ("Accept-Encoding", $crate::response::ACCEPT_ENCODING),
                        ("Accept", "*/*"),
                        ("Connection", "keep-alive"),
                    ]),
                    params: $crate::request::Params::new(),
                    auth: None,
                    #[cfg(feature = "cookies")]
                    cookies: std::sync::Arc::default(),
                    hooks: $crate::hooks::Hooks::new(),
                    verify: $crate::net::tls::Verify::Yes,
                    cert: None,
                    proxies: $crate::proxy::Proxies::new(),
                    unix_socket: None,
                    timeout: $crate::timeout::Timeout::new(),
                    stream: false,
                    max_content: Some($crate::settings::MAX_CONTENT),
                    text_is_latin1: true,
                    detector: None,
                    max_redirects: $crate::settings::MAX_REDIRECTS,
                    redirect_policy: None,
                    sensitive_headers: $crate::redirect::SensitiveHeaders::default(),
                    https_only: false,
                    retry: None,
                    #[cfg(feature = "http2")]
                    http_versions: None,
                    trust_env: true,
                    $($field: $first,)*
                    environment: std::sync::Arc::default(),
                    forgetful: false,
                    mounts: $crate::adapter::Mounts::new(),
                }
            }

            /// Sets who asks: any [`Auth`](crate::Auth), or a pair of user name and password.
            pub fn set_auth(&mut self, auth: impl $crate::auth::IntoAuth) {
                self.auth = Some(auth.into_auth());
            }

            /// Has an adapter serve all URLs that begin with the prefix, without regard to case;
            /// the longest prefix wins. One that was mounted on the same prefix goes. Clones that
            /// were made before are not changed.
            ///
            /// End the prefix of a host with a slash: `http://localhost` is also the beginning of
            /// `http://localhost.evil.example/`. Such a prefix is warned of (feature `tracing`), and so
            /// is a host without a scheme, which is the beginning of no URL.
            pub fn mount(
                &mut self,
                prefix: impl Into<String>,
                adapter: impl $crate::adapter::Adapter,
            ) {
                self.mounts.mount(&prefix.into(), std::sync::Arc::new(adapter));
            }

            /// Takes away the adapter that is mounted on exactly this prefix, and returns it
            /// (Requests' `del session.adapters[prefix]`). It is not closed. Clones that were made
            /// before are not changed.
            pub fn unmount(
                &mut self,
                prefix: &str,
            ) -> Option<std::sync::Arc<dyn $crate::adapter::Adapter>> {
                self.mounts.unmount(prefix)
            }

            /// What is mounted: prefixes and adapters, in the order in which they are tried.
            pub fn adapters(
                &self,
            ) -> impl ExactSizeIterator<Item = (&str, &std::sync::Arc<dyn $crate::adapter::Adapter>)>
            {
                self.mounts.iter()
            }

            /// The adapter that serves a URL (Requests' `get_adapter`).
            ///
            /// # Errors
            /// [`ErrorKind::InvalidSchema`](crate::ErrorKind::InvalidSchema): there is none.
            pub fn adapter_for(
                &self,
                url: &url::Url,
            ) -> $crate::error::Result<&std::sync::Arc<dyn $crate::adapter::Adapter>> {
                self.mounts.find(url)
            }

            /// What the environment says for a URL, where neither `options` nor this session say it:
            /// for [`send`](Self::send), which does not ask it (Requests'
            /// `merge_environment_settings`). Requests that are sent by their own `send()` need it
            /// not. The environment's proxies need it in neither case: they count for both.
            pub fn merge_environment(
                &self,
                url: &url::Url,
                options: $crate::settings::SendOptions,
            ) -> $crate::settings::SendOptions {
                let said = self.asked_environment().and_then(|environment| environment.verify(url));
                match said {
                    Some(verify) if !options.says_verify() => options.verify(verify),
                    _ => options,
                }
            }

            /// Reads the environment again when it is next needed, for clones of this session, too.
            pub fn reload_environment(&self) {
                self.environment.reload();
            }

            /// Unless this session says how servers are verified.
            fn asked_environment(
                &self,
            ) -> Option<&std::sync::Arc<$crate::environment::Environment>> {
                let asked = self.trust_env && self.verify == $crate::net::tls::Verify::Yes;
                asked.then_some(&self.environment)
            }

            fn asked_proxies(&self) -> $crate::proxy::Proxies {
                if self.trust_env {
                    self.proxies.over(&self.environment.proxies())
                } else {
                    self.proxies.clone()
                }
            }

            /// Closes all connections, those of clones, too. What is on its way ends with
            /// [`ErrorKind::Closed`](crate::ErrorKind::Closed), and so does reading a response whose
            /// body has not arrived yet; any thread may call it. A later request opens a connection
            /// anew.
            ///
            /// Adapters of your own do what their [`Adapter::close`](crate::Adapter::close) does.
            pub fn close(&self) {
                self.mounts.close();
            }

            /// What the connections have done so far, those of clones, too, and what they do now.
            pub fn stats(&self) -> $crate::stats::Stats {
                self.mounts.stats()
            }

            /// `GET` (RFC 9110, section 9.3.1).
            pub fn get(
                &self,
                url: impl $crate::request::IntoUrl,
            ) -> $crate::request::Request<&Self> {
                self.request("GET", url)
            }

            /// `OPTIONS` (RFC 9110, section 9.3.7).
            pub fn options(
                &self,
                url: impl $crate::request::IntoUrl,
            ) -> $crate::request::Request<&Self> {
                self.request("OPTIONS", url)
            }

            /// `HEAD` (RFC 9110, section 9.3.2).
            pub fn head(
                &self,
                url: impl $crate::request::IntoUrl,
            ) -> $crate::request::Request<&Self> {
                self.request("HEAD", url)
            }

            /// `POST` (RFC 9110, section 9.3.3).
            pub fn post(
                &self,
                url: impl $crate::request::IntoUrl,
            ) -> $crate::request::Request<&Self> {
                self.request("POST", url)
            }

            /// `PUT` (RFC 9110, section 9.3.4).
            pub fn put(
                &self,
                url: impl $crate::request::IntoUrl,
            ) -> $crate::request::Request<&Self> {
                self.request("PUT", url)
            }

            /// `PATCH` (RFC 5789).
            pub fn patch(
                &self,
                url: impl $crate::request::IntoUrl,
            ) -> $crate::request::Request<&Self> {
                self.request("PATCH", url)
            }

            /// `DELETE` (RFC 9110, section 9.3.5).
            pub fn delete(
                &self,
                url: impl $crate::request::IntoUrl,
            ) -> $crate::request::Request<&Self> {
                self.request("DELETE", url)
            }

            /// Any method; it is upper-cased.
            pub fn request(
                &self,
                method: impl AsRef<str>,
                url: impl $crate::request::IntoUrl,
            ) -> $crate::request::Request<&Self> {
                $crate::request::Request::bound(self, method.as_ref(), url)
            }

            /// What goes into a request when it is prepared.
            fn defaults(&self) -> $crate::request::Defaults<'_> {
                $crate::request::Defaults {
                    headers: Some(&self.headers),
                    params: Some(&self.params),
                    auth: self.auth.as_ref(),
                    environment: self.trust_env.then_some(&*self.environment),
                    #[cfg(feature = "cookies")]
                    cookies: (!self.forgetful).then_some(&*self.cookies),
                    hooks: Some(&self.hooks),
                }
            }

            /// What goes along when it is sent: said then, by the request, or by this session; or by
            /// the environment, for a request that is the session's own.
            fn settings(
                &self,
                given: Option<&$crate::settings::SendOptions>,
                request: &$crate::request::PreparedRequest,
            ) -> $crate::error::Result<std::sync::Arc<$crate::settings::Settings>> {
                // In its place from the beginning: it is large.
                let mut own = std::sync::Arc::new($crate::settings::Settings {
                    stream: self.stream,
                    timeout: self.timeout,
                    verify: self.verify.clone(),
                    cert: self.cert.clone(),
                    proxies: self.asked_proxies(),
                    unix_socket: self.unix_socket.clone(),
                    max_content: self.max_content,
                    on_progress: None,
                    text_is_latin1: self.text_is_latin1,
                    detector: self.detector.clone(),
                    allow_redirects: request.method != http::Method::HEAD,
                    max_redirects: self.max_redirects,
                    redirect_policy: self.redirect_policy.clone(),
                    sensitive_headers: self.sensitive_headers.clone(),
                    https_only: self.https_only,
                    retry: self.retry.clone(),
                    #[cfg(feature = "http2")]
                    http_versions: self.http_versions,
                    #[cfg(feature = "cookies")]
                    cookies: (!self.forgetful).then(|| std::sync::Arc::clone(&self.cookies)),
                    cancel: None,
                    deadline: None,
                    elsewhere: None,
                    environment: self.asked_environment().filter(|_| given.is_none()).cloned(),
                    netrc: (self.trust_env && self.auth.is_none())
                        .then(|| std::sync::Arc::clone(&self.environment)),
                    verify_is_said: false,
                });
                let now = std::time::Instant::now();
                std::sync::Arc::make_mut(&mut own).decide([Some(&request.options), given], now)?;
                let by_environment = own.on_the_way(&request.url, false);
                Ok(by_environment.map_or(own, std::sync::Arc::new))
            }
        }

        impl Default for Session {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Debug for Session {
            /// Without secrets.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct("Session")
                    .field("headers", &self.sensitive_headers.masked(&self.headers))
                    .field("params", &self.params)
                    .field("hooks", &self.hooks)
                    .field("verify", &self.verify)
                    .field("timeout", &self.timeout)
                    .field("stream", &self.stream)
                    .field("mounts", &self.mounts)
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use session_state;
