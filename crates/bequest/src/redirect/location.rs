//! What a Location means.

use url::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::request::{check_text, parse_url};
use crate::response::Response;

/// The URL that a redirect leads to; relative to the one that answered (RFC 9110, section 10.2.2).
pub(super) fn target(location: &[u8], response: &Response) -> Result<Url> {
    if response.headers().get_all_bytes("Location").any(|other| other != location) {
        return Err(Error::with(
            ErrorKind::InvalidResponse,
            "the redirect has several Locations, and they differ",
        ));
    }
    let location = std::str::from_utf8(location).map_err(|error| {
        Error::with(ErrorKind::InvalidUrl, "the redirect's Location is not UTF-8").because(error)
    })?;
    resolve(location.trim_matches(' '), response.url()).map_err(|error| {
        let what = format!(
            "the redirect's Location `{}` is no URL to follow",
            crate::secrets::masked_text(location)
        );
        Error::with(ErrorKind::InvalidUrl, what).because(error)
    })
}

fn resolve(location: &str, base: &Url) -> Result<Url> {
    if is_plain_path(location) && base.has_host() {
        return Ok(at_path(base, location));
    }
    check_text(location)?;
    // The standard takes a backslash for a slash: another reader would go to another host.
    let start = location.as_bytes().get(..2).unwrap_or_default();
    if start.contains(&b'\\') {
        return Err(Error::with(ErrorKind::InvalidUrl, "a backslash is not allowed before a path"));
    }
    if location.starts_with("//") {
        return parse_url(&format!("{}:{location}", base.scheme()));
    }
    if has_scheme(location) {
        return parse_url(location);
    }
    base.join(location).map_err(|error| Error::with(ErrorKind::InvalidUrl, error.to_string()))
}

/// Whether it is an absolute path, as most are, of letters that no rule is about.
pub(super) fn is_plain_path(location: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~');
    location.starts_with('/') && !location.starts_with("//") && location.bytes().all(is_plain)
}

/// The same as `join` would give for a plain path, for less.
fn at_path(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    if base.query().is_some() || base.fragment().is_some() {
        url.set_fragment(None);
        url.set_query(None);
    }
    url.set_path(path);
    url
}

/// Whether it begins as no relative reference does (RFC 3986, section 4.2).
fn has_scheme(location: &str) -> bool {
    let Some((scheme, _)) = location.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}
