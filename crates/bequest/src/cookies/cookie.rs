//! One cookie, as it is kept.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::matching::canonical;
use super::parse::{LONGEST_PAIR, is_control};
use super::suffix;
use crate::error::{Error, ErrorKind, Result};
use crate::secrets::MASK;

/// A cookie: name and value, and for which requests it is.
///
/// Servers make them, [`CookieJar::set`](crate::CookieJar::set) does, and for everything that can
/// be said of one there is [`Cookie::builder`]. A cookie does not change; another one with the same
/// name, domain and path takes its place in the jar.
///
/// Names and values are bytes on the wire, mostly UTF-8: [`name`](Self::name) and
/// [`value`](Self::value) show them as text, [`name_bytes`](Self::name_bytes) and
/// [`value_bytes`](Self::value_bytes) as they are. `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cookie {
    pub(super) pair: Pair,
    pub(super) domain: Box<str>,
    pub(super) path: Box<str>,
    pub(super) host_only: bool,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
    pub(super) expires: Option<SystemTime>,
    pub(super) creation: SystemTime,
}

impl Cookie {
    /// Begins a cookie for the host `domain` alone; with a dot before it (`.example.org`), or
    /// [`host_only(false)`](CookieBuilder::host_only), also for the hosts below.
    ///
    /// ```
    /// use std::time::Duration;
    /// use bequest::{Cookie, CookieJar};
    ///
    /// let jar = CookieJar::new();
    /// let cookie = Cookie::builder("lang", "en", ".example.org").max_age(Duration::from_secs(60));
    /// jar.insert(cookie.build()?);
    /// let url = "http://www.example.org/".parse()?;
    /// assert_eq!(jar.header_for(&url).as_deref(), Some(&b"lang=en"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(
        name: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        domain: impl AsRef<str>,
    ) -> CookieBuilder {
        let domain = domain.as_ref();
        CookieBuilder(Self {
            pair: Pair::new(name.as_ref(), value.as_ref()),
            domain: domain.into(),
            path: "/".into(),
            host_only: !domain.starts_with('.'),
            secure: false,
            http_only: false,
            same_site: None,
            expires: None,
            creation: SystemTime::now(),
        })
    }

    /// The name; empty for what a server set without `=`.
    pub fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.name_bytes())
    }

    /// The value, in quotes if the server wrote them.
    pub fn value(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.value_bytes())
    }

    /// The name as it is sent.
    pub fn name_bytes(&self) -> &[u8] {
        self.pair.name()
    }

    /// The value as it is sent.
    pub fn value_bytes(&self) -> &[u8] {
        self.pair.value()
    }

    /// The host, or the domain whose hosts it is for; without a dot before it.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether it is for the host [`domain`](Self::domain) alone, not for those below.
    pub fn host_only(&self) -> bool {
        self.host_only
    }

    /// The path that requests must be below.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it is sent over https only.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// Whether scripts in a browser would not see it. Here it is only kept.
    pub fn http_only(&self) -> bool {
        self.http_only
    }

    /// On which requests a browser would send it. Here it is only kept: there is no page that a
    /// request could come from.
    pub fn same_site(&self) -> Option<SameSite> {
        self.same_site
    }

    /// When it ends; `None` if it does with the session.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// When it was first set. A cookie that takes the place of another has its time.
    pub fn creation(&self) -> SystemTime {
        self.creation
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Whether one takes the place of the other (section 5.7).
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.pair.name == other.pair.name
            && self.name_bytes() == other.name_bytes()
            && self.path == other.path
            && self.host_only == other.host_only
            && self.domain == other.domain
    }

    /// Section 5.4: names that promise something. A cookie without a name must not look like one
    /// that has such a name.
    pub(super) fn keeps_its_promise(&self) -> bool {
        let begins = |text: &[u8], prefix: &str| {
            text.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        let [secure, host] = ["__secure-", "__host-"];
        let (name, value) = (self.name_bytes(), self.value_bytes());
        if name.is_empty() {
            return !begins(value, secure) && !begins(value, host);
        }
        let for_host = self.secure && self.host_only && &*self.path == "/";
        (!begins(name, secure) || self.secure) && (!begins(name, host) || for_host)
    }

    /// What holds for all cookies, and what of a cookie from elsewhere must be checked. The domain
    /// is canonical afterwards.
    pub(super) fn checked(mut self) -> Result<Self> {
        check_pair(self.name_bytes(), self.value_bytes())?;
        let wrong = |rule: &str| invalid(self.pair.name(), rule);
        self.domain = match canonical(&self.domain) {
            Some(domain) => domain.into(),
            None => {
                return Err(wrong("its domain can't be that of a host")
                    .remedied("write the domain alone, as `example.org`"));
            }
        };
        if !self.host_only && suffix::is_public(&self.domain) {
            return Err(wrong(&format!("`{}` is a public suffix", self.domain))
                .remedied("name the domain of a site, or make the cookie host-only"));
        }
        if !self.path.starts_with('/') || self.path.bytes().any(is_control) {
            return Err(wrong("its path does not begin with `/`, or has a control character")
                .remedied("write it as in a URL"));
        }
        if !self.keeps_its_promise() {
            return Err(wrong("it isn't what the prefix of its name says").remedied(
                "`__Secure-` needs `secure(true)`; `__Host-` that, no hosts below and path `/`",
            ));
        }
        Ok(self)
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name())
            .field("value", &format_args!("{MASK}"))
            .field("domain", &self.domain)
            .field("host_only", &self.host_only)
            .field("path", &self.path)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .field("expires", &self.expires)
            .field("creation", &self.creation)
            .finish()
    }
}

/// Name and value as they stand behind others on the wire, `; name=value`, or the value alone: a
/// request's cookies are written with one copy each.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pair {
    text: Box<[u8]>,
    name: usize,
}

impl Pair {
    const SEPARATOR: &[u8] = b"; ";

    pub(super) fn new(name: &[u8], value: &[u8]) -> Self {
        let sign: &[u8] = if name.is_empty() { b"" } else { b"=" };
        let parts = [Self::SEPARATOR, name, sign, value];
        let mut text = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| text.extend_from_slice(part));
        Self { text: text.into(), name: name.len() }
    }

    pub(super) fn as_following(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn as_first(&self) -> &[u8] {
        &self.text[Self::SEPARATOR.len()..]
    }

    fn name(&self) -> &[u8] {
        &self.as_first()[..self.name]
    }

    fn value(&self) -> &[u8] {
        &self.as_first()[self.name + usize::from(self.name > 0)..]
    }
}

/// On which requests a browser would send a cookie (RFC 6265bis, section 5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SameSite {
    /// Those of its own site, and when somebody follows a link to it.
    Lax,
    /// All.
    None,
    /// Those of its own site.
    Strict,
}

impl SameSite {
    pub(super) const ALL: [Self; 3] = [Self::Lax, Self::None, Self::Strict];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::None => "None",
            Self::Strict => "Strict",
        }
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let is = |one: &Self| text.eq_ignore_ascii_case(one.as_str().as_bytes());
        Self::ALL.into_iter().find(is)
    }
}

/// What [`Cookie::builder`] begins. Unless something else is said, the cookie is for every path, over
/// http and https, until the session ends.
#[derive(Clone, Debug)]
pub struct CookieBuilder(Cookie);

impl CookieBuilder {
    /// Whether it is for this host alone, not for those below.
    pub fn host_only(mut self, host_only: bool) -> Self {
        self.0.host_only = host_only;
        self
    }

    /// The path that requests must be below.
    pub fn path(mut self, path: impl AsRef<str>) -> Self {
        self.0.path = path.as_ref().into();
        self
    }

    /// Whether it is sent over https only.
    pub fn secure(mut self, secure: bool) -> Self {
        self.0.secure = secure;
        self
    }

    /// What a browser's scripts would not see.
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.0.http_only = http_only;
        self
    }

    /// On which requests a browser would send it.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.0.same_site = Some(same_site);
        self
    }

    /// When it ends.
    pub fn expires(mut self, end: SystemTime) -> Self {
        self.0.expires = Some(end);
        self
    }

    /// How long from now it lasts. What is longer than time can be told lasts for ever.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.0.expires = Some(SystemTime::now().checked_add(age).unwrap_or_else(end_of_time));
        self
    }

    /// The cookie.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCookie`](crate::ErrorKind::InvalidCookie): name or value has a control
    /// character or a semicolon, the name has `=`, both are empty or too long; the domain is none or
    /// a public suffix, the path is none, or the name begins with `__Host-` or `__Secure-` and the
    /// cookie isn't so.
    pub fn build(self) -> Result<Cookie> {
        self.0.checked()
    }
}

/// Whether a name and a value can be sent as a cookie.
pub(super) fn check_pair(name: &[u8], value: &[u8]) -> Result<()> {
    let wrong = |part: &[u8], what: &str, signs: &[u8]| {
        let is_bad = |&byte: &u8| is_control(byte) || signs.contains(&byte);
        let at = part.iter().position(is_bad)?;
        let sign = char::from(part[at]);
        let rule = format!("its {what} has {sign:?} at {at}, which is not allowed there");
        Some(invalid(name, &rule).remedied("take it out, or percent-encode it"))
    };
    let found = wrong(name, "name", b";=").or_else(|| wrong(value, "value", b";"));
    if let Some(error) = found {
        return Err(error);
    }
    if name.first().or(value.first()) == Some(&b' ') {
        return Err(invalid(name, "it begins with a blank").remedied("take it out"));
    }
    if name.is_empty() && value.is_empty() {
        return Err(invalid(name, "it has neither name nor value").remedied("give it a name"));
    }
    if name.len() + value.len() > LONGEST_PAIR {
        let length = name.len() + value.len();
        let rule = format!("name and value have {length} bytes, more than {LONGEST_PAIR}");
        return Err(invalid(name, &rule).remedied("servers and browsers take no longer ones"));
    }
    Ok(())
}

/// Without the value, whatever is wrong with it.
pub(super) fn invalid(name: &[u8], rule: &str) -> Error {
    let shown: String = String::from_utf8_lossy(name).chars().take(64).collect();
    Error::with(ErrorKind::InvalidCookie, format!("cookie `{}`: {rule}", shown.escape_debug()))
}

/// The last second that a four-digit year has: far enough, and every platform's clock goes there.
pub(super) fn end_of_time() -> SystemTime {
    from_unix(253_402_300_799)
}

/// Seconds since 1970 as a time; one that can't be told is the nearest that can.
pub(super) fn from_unix(seconds: i64) -> SystemTime {
    const LIMIT: i64 = 253_402_300_799;
    let ago = Duration::from_secs(seconds.clamp(-LIMIT, LIMIT).unsigned_abs());
    let time = if seconds < 0 { UNIX_EPOCH.checked_sub(ago) } else { UNIX_EPOCH.checked_add(ago) };
    time.unwrap_or(UNIX_EPOCH)
}

/// Whole seconds since 1970, rounded down.
pub(super) fn to_unix(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            let up = i64::from(before.subsec_nanos() > 0);
            i64::try_from(before.as_secs()).map_or(i64::MIN, |seconds| -seconds - up)
        }
    }
}
