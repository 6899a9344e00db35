//! What becomes of a field that a response had (RFC 6265bis, section 5.7).

use std::time::{Duration, SystemTime};

use super::cookie::{Cookie, Pair, end_of_time, from_unix};
use super::matching::{Place, domain_match};
use super::parse::{LONGEST_ATTRIBUTE, SetCookie};
use super::suffix;

/// No server can have a cookie kept for longer: 400 days (section 5.5).
const LONGEST_LIFE: Duration = Duration::from_secs(400 * 86_400);

/// The cookie, or `None` if the place may not set it. What the jar has is not looked at.
pub(super) fn receive(field: &[u8], place: &Place<'_>, now: SystemTime) -> Option<Cookie> {
    let read = SetCookie::parse(field)?;
    if read.secure && !place.secure {
        return None;
    }
    let (domain, host_only) = scope(read.domain.unwrap_or_default(), place)?;
    let path = match read.path {
        Some(path) if path.starts_with(b"/") => String::from_utf8_lossy(path),
        // Cookies may be ignored for their size. What nobody wrote must not be longer than what somebody may.
        _ if place.default_path().len() > LONGEST_ATTRIBUTE => return None,
        _ => place.default_path().into(),
    };
    // No URL has one.
    if path.contains('\t') {
        return None;
    }
    let cookie = Cookie {
        pair: Pair::new(read.name, read.value),
        domain,
        path: path.into(),
        host_only,
        secure: read.secure,
        http_only: read.http_only,
        same_site: read.same_site,
        expires: end(&read, now),
        creation: now,
    };
    // `__Host-` needs the path to be said.
    let promised = cookie.keeps_its_promise()
        && (read.path.is_some() || !read.name.to_ascii_lowercase().starts_with(b"__host-"));
    promised.then_some(cookie)
}

/// The domain, and whether it is for that host alone.
fn scope(attribute: &[u8], place: &Place<'_>) -> Option<(Box<str>, bool)> {
    let for_host = || Some((place.host.as_ref().into(), true));
    if attribute.is_empty() {
        return for_host();
    }
    if !attribute.is_ascii() {
        return None;
    }
    let domain = String::from_utf8(attribute.to_ascii_lowercase()).ok()?;
    if suffix::is_public(&domain) {
        return if domain == place.host { for_host() } else { None };
    }
    domain_match(&place.host, &domain).then(|| (domain.into(), false))
}

/// Sections 5.6.1 and 5.6.2, and 5.5: Max-Age says more than Expires.
fn end(read: &SetCookie<'_>, now: SystemTime) -> Option<SystemTime> {
    let end = match (read.max_age, read.expires) {
        (Some(age), _) => match u64::try_from(age) {
            Ok(age @ 1..) => now.checked_add(Duration::from_secs(age)).unwrap_or_else(end_of_time),
            _ => from_unix(0),
        },
        (None, Some(end)) => from_unix(end),
        (None, None) => return None,
    };
    Some(end.min(now.checked_add(LONGEST_LIFE).unwrap_or(end)))
}
