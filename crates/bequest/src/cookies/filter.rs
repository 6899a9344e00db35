//! Which cookies of a jar are meant.

use std::borrow::Cow;

use super::cookie::Cookie;
use super::matching::{canonical, in_lower_case};

/// Which cookies are meant: all, or those of a name, a domain, a path. A name alone can be given
/// as text.
///
/// ```
/// use bequest::{CookieFilter, CookieJar};
///
/// let jar = CookieJar::new();
/// jar.set("id", "1", "https://one.example/")?;
/// jar.set("id", "2", "https://two.example/")?;
/// let two = CookieFilter::new().name("id").domain("two.example");
/// assert_eq!(jar.get(two)?.unwrap().value(), "2");
/// assert_eq!(jar.remove("id"), 2);
/// # Ok::<(), bequest::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CookieFilter<'a> {
    name: Option<&'a [u8]>,
    domain: Option<Cow<'a, str>>,
    path: Option<&'a str>,
}

impl<'a> CookieFilter<'a> {
    /// All cookies.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of these, those with this name. Upper and lower case differ.
    pub fn name(mut self, name: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.name = Some(name.as_ref());
        self
    }

    /// Of these, those that have exactly this domain, with a dot before it or without.
    pub fn domain(mut self, domain: &'a str) -> Self {
        // What is no domain is that of no cookie.
        self.domain = Some(canonical(domain).map_or_else(|| in_lower_case(domain), Cow::Owned));
        self
    }

    /// Of these, those that have exactly this path.
    pub fn path(mut self, path: &'a str) -> Self {
        self.path = Some(path);
        self
    }

    pub(super) fn is_for(&self, cookie: &Cookie) -> bool {
        self.name.is_none_or(|name| name == cookie.name_bytes())
            && self.domain.as_ref().is_none_or(|domain| **domain == *cookie.domain)
            && self.path.is_none_or(|path| *path == *cookie.path)
    }

    /// The name that is looked for, to be shown.
    pub(super) fn wanted(&self) -> String {
        String::from_utf8_lossy(self.name.unwrap_or_default()).escape_debug().to_string()
    }
}

impl<'a> From<&'a str> for CookieFilter<'a> {
    fn from(name: &'a str) -> Self {
        Self::new().name(name)
    }
}

impl<'a> From<&'a String> for CookieFilter<'a> {
    fn from(name: &'a String) -> Self {
        Self::new().name(name)
    }
}
