//! The jar, as servers fill it and requests use it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use url::Url;

use super::cookie::{Cookie, Pair, check_pair};
use super::matching::Place;
use super::policy::CookiePolicy;
use super::receive::receive;
use super::store::Store;
use crate::error::Result;

/// The cookies of a session, kept and sent as browsers do (RFC 6265bis).
///
/// A jar is shared by reference or in an `Arc`: all that can be done with it needs `&self`, and may
/// be done by several threads at once. What it gives are copies. `clone` copies the cookies, too;
/// the policy is shared.
///
/// A server's cookie is for its own host, or with `Domain` for the hosts below a domain that it is
/// in, but never for a public suffix; ports do not matter. `Secure` is taken from https and sent
/// over https only, on the local machine, too. A domain has up to 50 cookies and a jar 3,000; those
/// that were not used for longest go first. `SameSite` and `HttpOnly` are kept and mean nothing
/// here.
///
/// ```
/// use bequest::CookieJar;
///
/// let jar = CookieJar::new();
/// jar.set("lang", "en", "https://example.org/")?;
///
/// let url = "https://example.org/account".parse()?;
/// jar.store(&url, [&b"sid=31d4; Path=/account; Secure"[..]]);
/// assert_eq!(jar.header_for(&url).as_deref(), Some(&b"sid=31d4; lang=en"[..]));
///
/// let other = "https://www.example.org/".parse()?;
/// assert_eq!(jar.header_for(&other), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct CookieJar {
    inside: Mutex<Inside>,
    // Of the store, so that a jar with nothing in it needs no lock.
    count: AtomicUsize,
}

#[derive(Clone, Default)]
pub(super) struct Inside {
    pub(super) store: Store,
    policy: Option<Arc<dyn CookiePolicy>>,
}

impl CookieJar {
    /// An empty jar.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the cookies that an answer from `url` set, and gives back those that are kept. The
    /// values are those of its Set-Cookie fields, each of which is one cookie, in their order. What
    /// breaks a rule is ignored, as the RFC wants it.
    pub fn store<'a>(
        &self,
        url: &Url,
        set_cookie: impl IntoIterator<Item = &'a [u8]>,
    ) -> Vec<Cookie> {
        let mut fields = set_cookie.into_iter().peekable();
        // Most answers set none.
        if fields.peek().is_none() {
            return Vec::new();
        }
        self.store_at(url, fields, SystemTime::now())
    }

    pub(crate) fn store_at<'a>(
        &self,
        url: &Url,
        fields: impl Iterator<Item = &'a [u8]>,
        now: SystemTime,
    ) -> Vec<Cookie> {
        let mut kept: Vec<Cookie> = Vec::new();
        self.take_in(url, fields, now, |cookie| {
            kept.retain(|old| !old.is_same(cookie));
            if !cookie.is_expired(now) {
                kept.push(cookie.clone());
            }
        });
        kept
    }

    /// The same for one who doesn't ask what is kept.
    pub(crate) fn absorb<'a>(&self, url: &Url, fields: impl Iterator<Item = &'a [u8]>) {
        self.take_in(url, fields, SystemTime::now(), |_| {});
    }

    /// Tells which cookies go in, just before they do.
    fn take_in<'a>(
        &self,
        url: &Url,
        fields: impl Iterator<Item = &'a [u8]>,
        now: SystemTime,
        mut tell: impl FnMut(&Cookie),
    ) {
        let Some(place) = Place::of(url) else { return };
        let policy = self.policy();
        for field in fields {
            let Some(cookie) = receive(field, &place, now) else { continue };
            // It may look into the jar, so it is asked while that isn't locked.
            if policy.as_ref().is_some_and(|policy| !policy.may_set(url, &cookie)) {
                continue;
            }
            self.change(|store| {
                if cookie.secure || place.secure || !store.would_hide_secure(&cookie, now) {
                    tell(&cookie);
                    store.insert(cookie, now);
                }
            });
        }
    }

    /// What a request for `url` has in its Cookie field; `None` if it has none. The cookies count
    /// as used.
    pub fn header_for(&self, url: &Url) -> Option<Vec<u8>> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.header_at::<&[u8], &[u8]>(url, &[], SystemTime::now())
    }

    /// The same for a request that has cookies of its own: they come last, as if they had just been
    /// set for all paths, and the jar's of the same names are left out. Of two of its own with one
    /// name the last one counts. An empty name sends the value alone.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCookie`](crate::ErrorKind::InvalidCookie): a name or value of its own
    /// can't be sent.
    pub fn header_with<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        url: &Url,
        own: &[(N, V)],
    ) -> Result<Option<Vec<u8>>> {
        for (name, value) in own {
            check_pair(name.as_ref(), value.as_ref())?;
        }
        if own.is_empty() {
            return Ok(self.header_for(url));
        }
        Ok(self.header_at(url, own, SystemTime::now()))
    }

    pub(crate) fn header_at<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        url: &Url,
        own: &[(N, V)],
        now: SystemTime,
    ) -> Option<Vec<u8>> {
        let mut header = Header::default();
        let is_own =
            |cookie: &Cookie| own.iter().any(|(name, _)| name.as_ref() == cookie.name_bytes());
        if let Some(place) = Place::of(url).filter(|_| self.count.load(Ordering::Relaxed) > 0) {
            let inside = self.lock();
            let policy = inside.policy.clone();
            let mut to_ask = Vec::new();
            inside.store.matching(&place, now, |cookie| {
                if own.is_empty() || !is_own(cookie) {
                    match &policy {
                        None => header.add(&cookie.pair),
                        Some(_) => to_ask.push(cookie.clone()),
                    }
                }
            });
            // As above: it is asked while the jar isn't locked.
            drop(inside);
            if let Some(policy) = policy {
                let allowed = to_ask.iter().filter(|cookie| policy.may_send(url, cookie));
                allowed.for_each(|cookie| header.add(&cookie.pair));
            }
        }
        for (at, (name, _)) in own.iter().enumerate() {
            let name = name.as_ref();
            let same = |(other, _): &&(N, V)| other.as_ref() == name;
            if own.iter().take(at).any(|pair| same(&pair)) {
                continue;
            }
            if let Some((_, value)) = own.iter().rev().find(same) {
                header.add(&Pair::new(name, value.as_ref()));
            }
        }
        (!header.0.is_empty()).then_some(header.0)
    }

    /// Who is asked about each cookie that a server sets and each that is sent.
    pub fn set_policy(&self, policy: impl CookiePolicy + 'static) {
        self.lock().policy = Some(Arc::new(policy));
    }

    /// Who is asked, if somebody is.
    pub fn policy(&self) -> Option<Arc<dyn CookiePolicy>> {
        self.lock().policy.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every change of the store goes through here.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Store) -> R) -> R {
        let mut inside = self.lock();
        let result = change(&mut inside.store);
        self.count.store(inside.store.count(), Ordering::Relaxed);
        result
    }
}

impl Clone for CookieJar {
    fn clone(&self) -> Self {
        let inside = self.lock().clone();
        Self { count: AtomicUsize::new(inside.store.count()), inside: Mutex::new(inside) }
    }
}

/// Room for the cookies of most requests.
const USUAL: usize = 512;

/// The value of a Cookie field (section 5.8.3).
#[derive(Default)]
struct Header(Vec<u8>);

impl Header {
    fn add(&mut self, pair: &Pair) {
        if self.0.is_empty() {
            self.0.reserve(USUAL);
            self.0.extend_from_slice(pair.as_first());
        } else {
            self.0.extend_from_slice(pair.as_following());
        }
    }
}
