//! What a program may have against a cookie.

use std::sync::Arc;

use url::Url;

use super::cookie::Cookie;

/// Says which cookies are kept and which are sent. It is asked about each one, after the rules of
/// RFC 6265bis: it can refuse what they allow, and not the reverse. It is not asked about cookies
/// that the program puts in itself.
///
/// ```
/// use bequest::{Cookie, CookieJar, CookiePolicy, Url};
///
/// /// Keeps nothing for longer than the session.
/// struct SessionOnly;
///
/// impl CookiePolicy for SessionOnly {
///     fn may_set(&self, _: &Url, cookie: &Cookie) -> bool {
///         cookie.expires().is_none()
///     }
/// }
///
/// let jar = CookieJar::new();
/// jar.set_policy(SessionOnly);
/// let url = "https://example.org/".parse()?;
/// jar.store(&url, [&b"a=1"[..], b"b=2; Max-Age=60"]);
/// assert!(jar.contains("a") && !jar.contains("b"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CookiePolicy: Send + Sync {
    /// Whether the cookie, which the answer from `url` had, is kept. One that ends at once takes
    /// another out.
    fn may_set(&self, url: &Url, cookie: &Cookie) -> bool {
        let _ = (url, cookie);
        true
    }

    /// Whether the cookie goes along with a request for `url`.
    fn may_send(&self, url: &Url, cookie: &Cookie) -> bool {
        let _ = (url, cookie);
        true
    }
}

/// Refuses nothing, as a jar without a policy does.
impl CookiePolicy for () {}

impl<P: CookiePolicy + ?Sized> CookiePolicy for Arc<P> {
    fn may_set(&self, url: &Url, cookie: &Cookie) -> bool {
        (**self).may_set(url, cookie)
    }

    fn may_send(&self, url: &Url, cookie: &Cookie) -> bool {
        (**self).may_send(url, cookie)
    }
}
