//! The jar, as a program reads and edits it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::SystemTime;

use url::Url;

use super::cookie::Cookie;
use super::filter::CookieFilter;
use super::jar::CookieJar;
use super::matching::Place;
use crate::error::{Error, ErrorKind, Result};
use crate::secrets::masked_text;

impl CookieJar {
    /// Sets a cookie for the host of `url` alone, for all of its paths and until the session ends;
    /// if that is https, for https only. What more can be said of a cookie,
    /// [`insert`](Self::insert) takes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCookie`](crate::ErrorKind::InvalidCookie): name or value can't be sent, or
    /// the name begins with `__Host-` or `__Secure-` and the URL is not https.
    /// [`ErrorKind::InvalidUrl`](crate::ErrorKind::InvalidUrl): it has no host, or is none.
    pub fn set(
        &self,
        name: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        url: impl AsRef<str>,
    ) -> Result<()> {
        let text = url.as_ref();
        let bad = |rule: &str| {
            Error::with(ErrorKind::InvalidUrl, format!("URL `{}`: {rule}", masked_text(text)))
                .remedied("write it as `https://host/`")
        };
        let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
        let place = Place::of(&url).ok_or_else(|| bad("it has no host for cookies"))?;
        let cookie = Cookie::builder(name, value, &place.host).secure(place.secure);
        self.insert(cookie.host_only(true).build()?);
        Ok(())
    }

    /// Puts a cookie in. One with the same name, domain and path, and for the same hosts, gives its
    /// place to it; one that has expired only takes that away.
    pub fn insert(&self, cookie: Cookie) {
        self.insert_at(cookie, SystemTime::now());
    }

    pub(super) fn insert_at(&self, cookie: Cookie, now: SystemTime) {
        self.change(|store| store.insert(cookie, now));
    }

    /// The one cookie of this name, or the one that a [`CookieFilter`] means.
    ///
    /// # Errors
    /// [`ErrorKind::CookieConflict`](crate::ErrorKind::CookieConflict): there are several.
    pub fn get<'a>(&self, which: impl Into<CookieFilter<'a>>) -> Result<Option<Cookie>> {
        let which = which.into();
        let mut found = self.select(which.clone());
        if found.len() > 1 {
            let (name, count) = (which.wanted(), found.len());
            let what = format!("there are {count} cookies with name `{name}`");
            return Err(Error::with(ErrorKind::CookieConflict, what)
                .remedied("say which by `CookieFilter`, or take all by `select`"));
        }
        Ok(found.pop())
    }

    /// All cookies that are meant, as they were created.
    pub fn select<'a>(&self, which: impl Into<CookieFilter<'a>>) -> Vec<Cookie> {
        let which = which.into();
        let inside = self.lock();
        let found = inside.store.select(SystemTime::now(), |cookie| which.is_for(cookie));
        found.into_iter().cloned().collect()
    }

    /// Whether there is any.
    pub fn contains<'a>(&self, which: impl Into<CookieFilter<'a>>) -> bool {
        let which = which.into();
        self.lock().store.live(SystemTime::now()).any(|cookie| which.is_for(cookie))
    }

    /// Takes out those that are meant; says how many they were.
    pub fn remove<'a>(&self, which: impl Into<CookieFilter<'a>>) -> usize {
        let which = which.into();
        let now = SystemTime::now();
        self.change(|store| {
            store.retain(|cookie| !cookie.is_expired(now));
            store.retain(|cookie| !which.is_for(cookie))
        })
    }

    /// Takes out all.
    pub fn clear(&self) {
        self.change(|store| store.retain(|_| false));
    }

    /// Frees the memory of those that have expired, which nothing shows any more; says how many
    /// they were.
    pub fn clear_expired(&self) -> usize {
        self.clear_expired_at(SystemTime::now())
    }

    pub(super) fn clear_expired_at(&self, now: SystemTime) -> usize {
        self.change(|store| store.retain(|cookie| !cookie.is_expired(now)))
    }

    /// Takes out those that end with the session; says how many they were.
    pub fn clear_session(&self) -> usize {
        self.change(|store| store.retain(|cookie| cookie.expires.is_some()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().store.live(SystemTime::now()).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lock().store.live(SystemTime::now()).next().is_none()
    }

    /// All cookies as they are now, in the order of their creation.
    pub fn iter(&self) -> std::vec::IntoIter<Cookie> {
        self.snapshot(SystemTime::now()).into_iter()
    }

    /// The domains that have cookies, each once, in alphabetical order.
    pub fn domains(&self) -> Vec<String> {
        let all: BTreeSet<_> = self.iter().map(|cookie| cookie.domain).collect();
        all.into_iter().map(String::from).collect()
    }

    /// The paths that have cookies, each once, in alphabetical order.
    pub fn paths(&self) -> Vec<String> {
        let all: BTreeSet<_> = self.iter().map(|cookie| cookie.path).collect();
        all.into_iter().map(String::from).collect()
    }

    /// Puts in all cookies of another jar, over those that are the same.
    pub fn update(&self, other: &Self) {
        // One jar is locked at a time, so that it may be the same one.
        self.add(other.iter());
    }

    pub(super) fn snapshot(&self, now: SystemTime) -> Vec<Cookie> {
        self.lock().store.select(now, |_| true).into_iter().cloned().collect()
    }

    fn add(&self, cookies: impl IntoIterator<Item = Cookie>) {
        for cookie in cookies {
            self.insert(cookie);
        }
    }
}

impl Extend<Cookie> for CookieJar {
    fn extend<I: IntoIterator<Item = Cookie>>(&mut self, cookies: I) {
        self.add(cookies);
    }
}

impl FromIterator<Cookie> for CookieJar {
    fn from_iter<I: IntoIterator<Item = Cookie>>(cookies: I) -> Self {
        let jar = Self::new();
        jar.add(cookies);
        jar
    }
}

impl IntoIterator for &CookieJar {
    type Item = Cookie;
    type IntoIter = std::vec::IntoIter<Cookie>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for CookieJar {
    /// The cookies, without their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
