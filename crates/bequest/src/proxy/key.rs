//! Which URLs a proxy is for.

use std::fmt;

use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// Scheme, host, both, or neither; from the weakest to the strongest, but that a scheme beats a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    All,
    /// Any scheme.
    Host(Box<str>),
    Scheme(Box<str>),
    SchemeAndHost(Box<str>, Box<str>),
}

impl Key {
    /// `http`, `http://host`, `all://host`, `all`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (scheme, host) = match text.split_once("://") {
            Some((scheme, host)) => (scheme, Some(host)),
            None => (text, None),
        };
        let scheme = scheme.to_ascii_lowercase();
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if !is_scheme {
            return Err(invalid(text, "it has no scheme"));
        }
        // A scheme may have a dot, but none has. A host would never be reached by its proxy, and
        // nobody would know.
        if host.is_none() && scheme.contains('.') {
            return Err(invalid(text, "a host needs a scheme before it")
                .remedied(format!("write `all://{scheme}`, or `http://{scheme}` for one scheme")));
        }
        let host = host.map(|host| parse_host(text, host)).transpose()?;
        Ok(match (scheme.as_str(), host) {
            ("all", None) => Self::All,
            ("all", Some(host)) => Self::Host(host),
            (_, None) => Self::Scheme(scheme.into()),
            (_, Some(host)) => Self::SchemeAndHost(scheme.into(), host),
        })
    }

    /// How well it fits; `None` if it does not.
    pub(super) fn precedence_for(&self, url: &Url) -> Option<u8> {
        let is_scheme = |scheme: &str| scheme == url.scheme();
        let is_host = |host: &str| url.host_str().is_some_and(|other| other == host);
        match self {
            Self::All => Some(0),
            Self::Host(host) => is_host(host).then_some(1),
            Self::Scheme(scheme) => is_scheme(scheme).then_some(2),
            Self::SchemeAndHost(scheme, host) => (is_scheme(scheme) && is_host(host)).then_some(3),
        }
    }
}

/// As a URL of http has it: one parser for what is asked and what answers.
fn parse_host(key: &str, host: &str) -> Result<Box<str>> {
    let is_bare = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => !address.contains(['[', ']']),
        None => !host.contains(':'),
    };
    let is_host = is_bare
        && !host.contains(['/', '?', '#', '@', '\\'])
        && !host.contains(|c: char| c.is_whitespace() || c.is_control());
    if !is_host {
        return Err(invalid(key, "behind the scheme stands more than a host"));
    }
    let url = Url::parse(&format!("http://{host}/"))
        .map_err(|error| invalid(key, "its host can't be parsed").because(error))?;
    Ok(url.host_str().unwrap_or_default().into())
}

fn invalid(key: &str, rule: &str) -> Error {
    let key = crate::secrets::masked_text(key);
    Error::with(ErrorKind::InvalidProxyUrl, format!("a proxy can't be for `{key}`: {rule}"))
        .remedied(
            "write `http`, `http://host`, `all://host` or `all`; proxies go by no port or path",
        )
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Host(host) => write!(f, "all://{host}"),
            Self::Scheme(scheme) => f.write_str(scheme),
            Self::SchemeAndHost(scheme, host) => write!(f, "{scheme}://{host}"),
        }
    }
}
