//! For which requests a cookie is (RFC 6265bis, section 5.1).

use std::borrow::Cow;

use memchr::{memchr, memrchr};
use url::{Host, Url};

/// No name that DNS can resolve is longer (RFC 1035, section 3.1, with a dot at the end). Looking
/// for the cookies of longer ones would only cost time.
const LONGEST_HOST: usize = 254;

/// Where a request goes, as far as it matters to cookies. The port doesn't: cookies are not kept
/// apart by it.
pub(super) struct Place<'a> {
    pub(super) host: Cow<'a, str>,
    pub(super) path: &'a str,
    /// What is told there can't be overheard.
    pub(super) secure: bool,
}

impl<'a> Place<'a> {
    /// `None`, if the URL has no host that could have cookies.
    pub(super) fn of(url: &'a Url) -> Option<Self> {
        let host = url.host_str().filter(|host| !host.is_empty() && host.len() <= LONGEST_HOST)?;
        let (secure, host) = match url.scheme() {
            // Their hosts are in lower case and in ASCII (section 5.1.2).
            "https" | "wss" => (true, Cow::Borrowed(host)),
            "http" | "ws" => (false, Cow::Borrowed(host)),
            // Others are as they were typed.
            _ => (false, in_lower_case(host)),
        };
        Some(Self { host, path: url.path(), secure })
    }

    /// The path of cookies that say none: up to the last slash (section 5.1.4).
    pub(super) fn default_path(&self) -> &'a str {
        match self.path.rfind('/') {
            Some(end) if end > 0 && self.path.starts_with('/') => &self.path[..end],
            _ => "/",
        }
    }

    /// The domains whose cookies may go there: the host, and the domains that it is in. One label
    /// alone is no domain for others to be in: it is a public suffix.
    pub(super) fn domains(&self) -> impl Iterator<Item = &str> {
        let host = &*self.host;
        let last_dot = if is_address(host) { None } else { memrchr(b'.', host.as_bytes()) };
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let start = next?;
            let domain = &host[start..];
            next = last_dot.and_then(|last| {
                let dot = start + memchr(b'.', domain.as_bytes())?;
                (dot < last).then_some(dot + 1)
            });
            Some(domain)
        })
    }
}

pub(super) fn in_lower_case(text: &str) -> Cow<'_, str> {
    // Without an early exit this is a loop over words.
    if text.bytes().fold(false, |found, byte| found | byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// A domain as people write it, in the form in which URLs have it; a dot before it is dropped.
/// `None`, if no host can have such a name.
pub(super) fn canonical(domain: &str) -> Option<String> {
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let host = match domain.parse() {
        // As cookies.txt has it: without the brackets of a URL.
        Ok(address) => Host::Ipv6(address),
        Err(_) => Host::parse(domain).ok()?,
    };
    let host = host.to_string();
    (!host.is_empty() && host.len() <= LONGEST_HOST && !host.starts_with('.')).then_some(host)
}

/// Section 5.1.3. Both are canonical.
pub(super) fn domain_match(host: &str, domain: &str) -> bool {
    let Some(before) = host.strip_suffix(domain) else { return false };
    before.is_empty() || (before.ends_with('.') && !is_address(host))
}

/// Section 5.1.4.
pub(super) fn path_match(request: &str, cookie: &str) -> bool {
    let Some(rest) = request.strip_prefix(cookie) else { return false };
    rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/')
}

/// Whether a host is an IP address. A last label that is a number makes it one, or makes it nothing
/// that can be a host (WHATWG URL, "ends in a number").
fn is_address(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    match host {
        [.., b'0'..=b'9'] => {
            let last = host.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
            last.iter().all(u8::is_ascii_digit)
        }
        _ => host.ends_with(b"]"),
    }
}
