//! URLs as callers give them.

mod origin;

use memchr::{memchr, memchr3, memrchr};
use url::{Position, Url};

use super::zone::Zone;
use crate::error::{Error, ErrorKind, Result};
use crate::secrets::masked_text;

/// What can be given where a URL is wanted: text, a [`Url`], an [`http::Uri`].
///
/// Text is checked before it is parsed: control characters, and blanks or backslashes before the
/// path, are [`ErrorKind::InvalidUrl`](crate::ErrorKind::InvalidUrl); so is a missing host, and
/// port 0. No scheme is [`ErrorKind::MissingSchema`](crate::ErrorKind::MissingSchema). The rest is
/// read as the WHATWG URL standard says, but for the zone of an IPv6 address
/// (`http://[fe80::1%25eth0]/`, RFC 6874): the connection is made in that zone, and nobody else is
/// told of it.
pub trait IntoUrl: sealed::IntoUrl {}

impl<T: sealed::IntoUrl> IntoUrl for T {}

/// What the text said that is not in the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// Path and query, where they are not what the URL has now.
    pub(super) target: Option<Box<str>>,
    pub(super) zone: Option<Box<Zone>>,
    /// `user:@host`: there is a password, and nothing in it.
    pub(super) empty_password: bool,
}

pub(super) use sealed::Given;

mod sealed {
    use super::{Result, Typed, Url, check, parse};

    /// A URL as it was given.
    #[derive(Clone, Debug)]
    pub struct Given {
        pub(in crate::request) url: Url,
        pub(in crate::request) typed: Option<Box<Typed>>,
    }

    pub trait IntoUrl {
        fn into_url(self) -> Result<Given>;
    }

    impl IntoUrl for &str {
        fn into_url(self) -> Result<Given> {
            parse(self, true)
        }
    }

    impl IntoUrl for String {
        fn into_url(self) -> Result<Given> {
            parse(&self, true)
        }
    }

    impl IntoUrl for &String {
        fn into_url(self) -> Result<Given> {
            parse(self, true)
        }
    }

    impl IntoUrl for Url {
        fn into_url(self) -> Result<Given> {
            check(self).map(|url| Given { url, typed: None })
        }
    }

    impl IntoUrl for &Url {
        fn into_url(self) -> Result<Given> {
            self.clone().into_url()
        }
    }

    impl IntoUrl for http::Uri {
        fn into_url(self) -> Result<Given> {
            parse(&self.to_string(), true)
        }
    }
}

/// The URL that a text is, by the same rules.
pub(crate) fn parse_url(text: &str) -> Result<Url> {
    parse(text, false).map(|given| given.url)
}

/// `is_typed`: by the program, which may ask that origin again.
fn parse(text: &str, is_typed: bool) -> Result<Given> {
    let text = text.trim_matches(' ');
    check_text(text)?;
    if let Some((url, path)) = origin::resolve(text) {
        let target = target_as_typed(&url, path);
        let typed =
            target.map(|target| Box::new(Typed { target: Some(target), ..Typed::default() }));
        return Ok(Given { url, typed });
    }
    let Some((scheme, rest)) = split_scheme(text) else {
        return Err(Error::with(
            ErrorKind::MissingSchema,
            format!("`{}` has no scheme", masked_text(text)),
        )
        .remedied(match text.trim_start_matches('/') {
            "" => "write `https://host/path`".to_owned(),
            text => format!("write `https://{}`", masked_text(text)),
        }));
    };
    if !is_http(scheme) {
        let url = parse_as_standard(text, text)?;
        return Ok(Given { url, typed: None });
    }
    let authority = Authority::split(text, rest)?;
    let (zone, url) = match Zone::split(text, authority.host)? {
        None => (None, parse_as_standard(text, text)?),
        Some((zone, without)) => {
            let Authority { before, path, .. } = authority;
            let url = parse_as_standard(text, &format!("{scheme}://{before}{without}{path}"))?;
            (Some(Box::new(zone)), url)
        }
    };
    let target = target_as_typed(&url, authority.path);
    let empty_password = authority.has_empty_password();
    if is_typed && authority.before.is_empty() && zone.is_none() {
        origin::remember(&text[..text.len() - authority.path.len()], &url);
    }
    let typed = if target.is_none() && zone.is_none() && !empty_password {
        None
    } else {
        Some(Box::new(Typed { target, zone, empty_password }))
    };
    Ok(Given { url, typed })
}

/// Path and query as they were typed, if the URL has others.
fn target_as_typed(url: &Url, path: &str) -> Option<Box<str>> {
    let path = memchr(b'#', path.as_bytes()).map_or(path, |at| &path[..at]);
    let as_sent = &url[Position::BeforePath..Position::AfterQuery];
    let as_typed = path == as_sent || path.is_empty() && as_sent == "/";
    (!as_typed).then(|| path.into())
}

fn parse_as_standard(typed: &str, text: &str) -> Result<Url> {
    check(Url::parse(text).map_err(|error| {
        invalid(typed, &error.to_string()).remedied("write it as `https://host:port/path`")
    })?)
}

pub(crate) fn check_text(text: &str) -> Result<()> {
    // Without an early exit this is a loop over words, and enough for nearly every URL.
    let plain = text.bytes().fold(true, |plain, byte| plain & (byte > 0x1f) & (byte < 0x7f));
    if plain {
        return Ok(());
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        None => Ok(()),
        Some((at, c)) => Err(invalid(text, &format!("it has the control character {c:?} at {at}"))
            .remedied("percent-encode it, or take it out")),
    }
}

/// Scheme and what follows its colon. `localhost:8080` and `example.org:80/x` have none, though
/// the standard would say so.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let is_port = rest.starts_with(|c: char| c.is_ascii_digit());
    (is_scheme && (!is_port || is_http(scheme))).then_some((scheme, rest))
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// What stands between the scheme and the path, and the path with all that follows.
struct Authority<'a> {
    /// User name and password with their `@`, or nothing.
    before: &'a str,
    /// With its port.
    host: &'a str,
    path: &'a str,
}

impl<'a> Authority<'a> {
    /// The standard forgives what must not be forgiven here: slashes too few or too many, blanks
    /// and backslashes, which other parsers read as another host.
    fn split(text: &str, rest: &'a str) -> Result<Self> {
        let rest = rest.strip_prefix("//").unwrap_or_default();
        let (authority, path) =
            rest.split_at(memchr3(b'/', b'?', b'#', rest.as_bytes()).unwrap_or(rest.len()));
        let (before, host) =
            authority.split_at(memrchr(b'@', authority.as_bytes()).map_or(0, |at| at + 1));
        if host.is_empty() || host.starts_with(':') {
            return Err(invalid(text, "it names no host")
                .remedied("write `https://host/path`, with two slashes"));
        }
        match authority.chars().find(|c| matches!(c, ' ' | '\\')) {
            None => Ok(Self { before, host, path }),
            Some(c) => Err(invalid(text, &format!("{c:?} is not allowed before the path"))
                .remedied("percent-encode it in a user name or password; a host has none")),
        }
    }

    fn has_empty_password(&self) -> bool {
        let user_info = self.before.strip_suffix('@').unwrap_or_default();
        user_info.split_once(':').is_some_and(|(_, password)| password.is_empty())
    }
}

/// What holds for URLs however they were made.
fn check(url: Url) -> Result<Url> {
    if url.port() == Some(0) {
        return Err(invalid(url.as_str(), "nothing can listen on port 0")
            .remedied("leave the port out, or write the one that the server has"));
    }
    Ok(url)
}

pub(super) fn invalid(text: &str, rule: &str) -> Error {
    Error::with(ErrorKind::InvalidUrl, format!("URL `{}`: {rule}", masked_text(text)))
}
