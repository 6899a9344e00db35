//! A request as it is sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use http::{Extensions, Method};
use url::Url;

use super::target;
use super::zone::Zone;
use crate::auth::Auth;
use crate::body::{Body, RequestFraming, frame_request};
#[cfg(feature = "cookies")]
use crate::cookies::CookieJar;
use crate::error::Result;
use crate::h1;
use crate::headers::Headers;
use crate::hooks::Hooks;
use crate::secrets;
use crate::settings::{SendOptions, Settings};

/// Bytes for what is usually added to headers: Host, cookies, the body's length and type.
pub(super) const ROOM: usize = 512;

/// A request with everything in it, to be looked at, edited and sent (Requests'
/// `PreparedRequest`). What is edited is what is sent, byte for byte.
///
/// ```
/// # use bequest::{Request, Session};
/// let s = Session::new();
/// let mut prepared = s.prepare(Request::new("POST", "http://example.org/x").form([("k", "v")]))?;
/// prepared.body = "No, I want exactly this as the body.".into();
/// prepared.headers.remove("Content-Type");
/// prepared.headers.insert("Keep-Dead", "parrot");
/// prepared.target = Some("/signed/../as%2etyped".into());
/// let head = String::from_utf8(prepared.wire_head()?)?;
/// assert!(head.starts_with("POST /signed/../as%2etyped HTTP/1.1\r\nHost: example.org\r\n"));
/// assert!(head.ends_with("Keep-Dead: parrot\r\nContent-Length: 36\r\n\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`headers`](Self::headers) holds what the user, the session, the body and the auth bring. Host,
/// and the field that announces the body's length, are added when it is sent, unless they are
/// there. A clone of a request that was sent is without them again.
pub struct PreparedRequest {
    /// Any token is a method.
    pub method: Method,
    /// Where it goes. Its host and port are connected to.
    pub url: Url,
    /// What the request line says in place of the URL's path and query.
    pub target: Option<String>,
    /// In this order and case on the wire.
    pub headers: Headers,
    /// What follows the head.
    pub body: Body,
    /// Called before it is sent, and with its response.
    pub hooks: Hooks,
    /// Settings of this request; options given when it is sent win over them.
    pub options: SendOptions,
    /// Anything that hooks, auths and adapters want to remember with it.
    pub extensions: Extensions,
    pub(crate) auth: Option<Arc<dyn Auth>>,
    /// Its caller or the session says who asks: .netrc is not read for it.
    pub(crate) auth_is_said: bool,
    pub(super) zone: Option<Box<Zone>>,
    /// Its own, beside the jar's.
    #[cfg(feature = "cookies")]
    pub(super) cookies: Vec<(String, String)>,
    /// Its caller wants none to be sent, wherever it goes.
    #[cfg(feature = "cookies")]
    pub(super) goes_without_cookies: bool,
    /// The Cookie field that is made of its own and the jar's cookies; another is the caller's.
    made_cookies: Option<Vec<u8>>,
    /// What was set or changed by others than its caller.
    changes: Vec<(By, Box<str>)>,
    settings: Option<Arc<Settings>>,
    sealed: Sealed,
}

/// Who has set or changed a field.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Auth,
    Hooks,
}

/// Which fields were added for the wire.
#[derive(Clone, Copy, Default)]
struct Sealed {
    host: bool,
    length: bool,
    coding: bool,
}

impl PreparedRequest {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            target: None,
            headers: Headers::new(),
            body: Body::empty(),
            hooks: Hooks::new(),
            options: SendOptions::new(),
            extensions: Extensions::new(),
            auth: None,
            auth_is_said: false,
            zone: None,
            #[cfg(feature = "cookies")]
            cookies: Vec::new(),
            #[cfg(feature = "cookies")]
            goes_without_cookies: false,
            made_cookies: None,
            changes: Vec::new(),
            settings: None,
            sealed: Sealed::default(),
        }
    }

    /// What a response shows that answered no request: GET of `about:blank`.
    pub(crate) fn none() -> &'static Self {
        static NONE: OnceLock<PreparedRequest> = OnceLock::new();
        NONE.get_or_init(|| {
            let url = Url::parse("about:blank").expect("a constant, checked by a test");
            Self::new(Method::GET, url)
        })
    }

    /// The settings that it was sent with; `None` before.
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.as_deref()
    }

    pub(crate) fn set_settings(&mut self, settings: &Arc<Settings>) {
        self.settings = Some(Arc::clone(settings));
    }

    /// Adds the Cookie field, unless the caller has one or wants none: the jar's cookies for its URL, and its own.
    ///
    /// # Errors
    /// A name or value of its own can't be sent.
    #[cfg(feature = "cookies")]
    pub(crate) fn add_cookies(&mut self, jar: Option<&CookieJar>) -> Result<()> {
        if self.goes_without_cookies || jar.is_none() && self.cookies.is_empty() {
            return Ok(());
        }
        let none;
        let jar = match jar {
            Some(jar) => jar,
            None => {
                none = CookieJar::new();
                &none
            }
        };
        // Asked first: most jars have nothing for most URLs.
        if let Some(value) = jar.header_with(&self.url, &self.cookies)?
            && !self.headers.contains("Cookie")
        {
            self.headers.append("Cookie", &value);
            self.made_cookies = Some(value);
        }
        Ok(())
    }

    /// Takes the Cookie field out, unless it is the caller's.
    #[cfg(feature = "cookies")]
    pub(crate) fn forget_cookies(&mut self) {
        if self.has_made_cookies() {
            self.headers.remove("Cookie");
        }
        self.made_cookies = None;
    }

    fn has_made_cookies(&self) -> bool {
        let Some(made) = &self.made_cookies else { return false };
        let mut fields = self.headers.get_all_bytes("Cookie");
        fields.next() == Some(made) && fields.next().is_none()
    }

    /// Its own cookies were for the origin that it leaves.
    pub(crate) fn drop_own_cookies(&mut self) {
        #[cfg(feature = "cookies")]
        self.cookies.clear();
    }

    /// Has its auth change it, and remembers what that has changed.
    pub(crate) fn apply_auth(&mut self) -> Result<()> {
        let Some(auth) = self.auth.clone() else { return Ok(()) };
        let before = self.headers.clone();
        auth.apply(self)?;
        self.record_auth(&before);
        Ok(())
    }

    /// The same, awaited.
    #[cfg(feature = "async")]
    pub(crate) async fn apply_auth_async(&mut self) -> Result<()> {
        let Some(auth) = self.auth.clone() else { return Ok(()) };
        let before = self.headers.clone();
        auth.apply_async(self).await?;
        self.record_auth(&before);
        Ok(())
    }

    /// What is not as it was before was set or changed by the auth.
    pub(crate) fn record_auth(&mut self, before: &Headers) {
        note_changes(&mut self.changes, By::Auth, before, &self.headers);
    }

    /// Takes out what the auth has set or changed.
    pub(crate) fn forget_auth(&mut self) {
        for name in self.take_changes(By::Auth) {
            self.headers.remove(&name);
        }
    }

    /// What is not as it was before was set or changed by request hooks.
    pub(crate) fn record_hooks(&mut self, before: &Headers) {
        note_changes(&mut self.changes, By::Hooks, before, &self.headers);
    }

    /// The names of what request hooks have set or changed, which are then forgotten.
    pub(crate) fn take_hook_headers(&mut self) -> Vec<Box<str>> {
        self.take_changes(By::Hooks)
    }

    fn take_changes(&mut self, who: By) -> Vec<Box<str>> {
        if self.changes.is_empty() {
            return Vec::new();
        }
        let changes = std::mem::take(&mut self.changes).into_iter();
        let (taken, left) = changes.partition(|(by, _)| *by == who);
        self.changes = left;
        let taken: Vec<(By, Box<str>)> = taken;
        taken.into_iter().map(|(_, name)| name).collect()
    }

    /// The head as it will be on the wire: request line, fields, empty line.
    ///
    /// # Errors
    /// The same as sending it would give: fields and target with characters that are not allowed,
    /// a Content-Length that contradicts the body.
    pub fn wire_head(&self) -> Result<Vec<u8>> {
        let mut sealed = self.clone();
        sealed.seal()?;
        let mut head = Vec::new();
        sealed.write_head(&mut head)?;
        Ok(head)
    }

    /// Itself, if its fields can be sent; known here, the caller need not wait for the sending.
    pub(crate) fn checked(self: Box<Self>) -> Result<Box<Self>> {
        match h1::check_headers(&self.headers) {
            Ok(()) => Ok(self),
            Err(error) => Err(error.of_request(self)),
        }
    }

    /// Adds what the wire needs, in place of what an earlier sealing added.
    pub(crate) fn seal(&mut self) -> Result<RequestFraming> {
        self.unseal();
        let (framing, announce) = frame_request(&self.method, &self.headers, &self.body)?;
        if announce {
            match framing {
                RequestFraming::Length(length) => {
                    self.headers.append("Content-Length", length);
                    self.sealed.length = true;
                }
                RequestFraming::Chunked => {
                    self.headers.append("Transfer-Encoding", "chunked");
                    self.sealed.coding = true;
                }
            }
        }
        if !self.headers.contains("Host") {
            self.headers.prepend("Host", target::host(&self.url));
            self.sealed.host = true;
        }
        Ok(framing)
    }

    fn unseal(&mut self) {
        let added = std::mem::take(&mut self.sealed);
        for (added, name) in [
            (added.host, "Host"),
            (added.length, "Content-Length"),
            (added.coding, "Transfer-Encoding"),
        ] {
            if added {
                self.headers.remove(name);
            }
        }
    }

    /// The zone of the address that its URL has.
    pub(crate) fn zone(&self) -> Option<&str> {
        self.zone.as_ref()?.of(&self.url)
    }

    pub(crate) fn write_head(&self, out: &mut Vec<u8>) -> Result<()> {
        h1::write_head(out, self.method.as_str(), &self.request_target(), &self.headers)
    }

    /// What its request line says.
    pub(crate) fn request_target(&self) -> Cow<'_, str> {
        self.target.as_deref().map_or_else(|| target::target(&self.url), Cow::Borrowed)
    }

    /// What it says to a proxy.
    pub(crate) fn absolute_target(&self) -> String {
        target::absolute(&self.url, self.target.as_deref())
    }

    /// A copy that still has what was added for the wire, and room for what will be.
    pub(crate) fn as_sent(&self) -> Self {
        let (target, made_cookies) = (self.target.clone(), self.made_cookies.clone());
        let headers = self.headers.clone_with_room(ROOM, 4);
        Self { target, made_cookies, ..self.copy_with(self.url.clone(), headers) }
    }

    /// A copy for where a redirect leads, without what was made for its own URL.
    pub(crate) fn led_to(&self, url: Url) -> Self {
        let (made, has_made_cookies) = (self.sealed, self.has_made_cookies());
        let is_made = |name: &[u8]| match name.len() {
            4 => made.host && name.eq_ignore_ascii_case(b"Host"),
            6 => has_made_cookies && name.eq_ignore_ascii_case(b"Cookie"),
            14 => made.length && name.eq_ignore_ascii_case(b"Content-Length"),
            17 => made.coding && name.eq_ignore_ascii_case(b"Transfer-Encoding"),
            _ => false,
        };
        let headers = self.headers.clone_without(is_made, ROOM, 4);
        Self { sealed: Sealed::default(), ..self.copy_with(url, headers) }
    }

    fn copy_with(&self, url: Url, headers: Headers) -> Self {
        Self {
            method: self.method.clone(),
            url,
            target: None,
            headers,
            body: self.body.clone(),
            hooks: self.hooks.clone(),
            options: self.options.clone(),
            extensions: self.extensions.clone(),
            auth: self.auth.clone(),
            auth_is_said: self.auth_is_said,
            zone: self.zone.clone(),
            #[cfg(feature = "cookies")]
            cookies: self.cookies.clone(),
            #[cfg(feature = "cookies")]
            goes_without_cookies: self.goes_without_cookies,
            made_cookies: None,
            changes: self.changes.clone(),
            settings: self.settings.clone(),
            sealed: self.sealed,
        }
    }
}

/// Adds the names of the fields that are not as they were.
fn note_changes(known: &mut Vec<(By, Box<str>)>, by: By, before: &Headers, after: &Headers) {
    // Most add a field at the end: what was there before need not be looked up then.
    for (name, _) in after.fields_behind(before) {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let is_known =
            known.iter().any(|known| known.0 == by && known.1.eq_ignore_ascii_case(name));
        if !is_known && !after.get_all_bytes(name).eq(before.get_all_bytes(name)) {
            known.push((by, name.into()));
        }
    }
}

impl Clone for PreparedRequest {
    fn clone(&self) -> Self {
        let mut clone = self.as_sent();
        clone.unseal();
        clone
    }
}

impl fmt::Debug for PreparedRequest {
    /// Method, URL and headers, secrets masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sensitive = self.settings.as_ref().map(|settings| &settings.sensitive_headers);
        let is_secret = |name: &str| sensitive.is_some_and(|names| names.contains(name));
        f.debug_struct("PreparedRequest")
            .field("method", &self.method)
            .field("url", &secrets::masked(&self.url))
            .field("headers", &self.headers.masked(is_secret))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
