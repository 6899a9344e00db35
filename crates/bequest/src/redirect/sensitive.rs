//! Names of headers that are secrets between a caller and one origin.

use std::fmt;
use std::sync::Arc;

use crate::headers::Headers;

/// Headers that a redirect to another origin goes without, beside Authorization,
/// Proxy-Authorization, Cookie and Host, which never go along. Logs and the `Debug` output of a
/// session, and of a request that was sent, have no values of them.
///
/// Unless it is set: X-Api-Key, Api-Key, X-Auth-Token, X-Access-Token, X-Csrf-Token and
/// X-Amz-Security-Token.
///
/// ```
/// use bequest::{SensitiveHeaders, Session};
///
/// let mut s = Session::new();
/// s.sensitive_headers = s.sensitive_headers.with(["X-Tenant-Key"]);
/// assert!(s.sensitive_headers.contains("x-api-key"));
/// s.sensitive_headers = SensitiveHeaders::from(["X-Tenant-Key"]); // and no other
/// # assert!(!s.sensitive_headers.contains("x-api-key"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SensitiveHeaders(Option<Arc<[String]>>);

const USUAL: [&str; 6] = [
    "X-Api-Key",
    "Api-Key",
    "X-Auth-Token",
    "X-Access-Token",
    "X-Csrf-Token",
    "X-Amz-Security-Token",
];

impl SensitiveHeaders {
    /// These, and the ones that there are.
    #[must_use]
    pub fn with<N: Into<String>>(&self, names: impl IntoIterator<Item = N>) -> Self {
        let known = self.iter().map(str::to_owned);
        known.chain(names.into_iter().map(Into::into)).collect()
    }

    /// Whether the name is one of them; its case does not matter.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The fields as they may be shown.
    pub(crate) fn masked(&self, headers: &Headers) -> impl fmt::Debug {
        headers.masked(|name| self.contains(name))
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (own, usual) = match &self.0 {
            Some(own) => (&own[..], &[][..]),
            None => (&[][..], &USUAL[..]),
        };
        own.iter().map(String::as_str).chain(usual.iter().copied())
    }
}

impl<N: Into<String>> FromIterator<N> for SensitiveHeaders {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        Self(Some(names.into_iter().map(Into::into).collect()))
    }
}

impl<N: Into<String>, const LEN: usize> From<[N; LEN]> for SensitiveHeaders {
    fn from(names: [N; LEN]) -> Self {
        names.into_iter().collect()
    }
}

impl<N: Into<String>> From<Vec<N>> for SensitiveHeaders {
    fn from(names: Vec<N>) -> Self {
        names.into_iter().collect()
    }
}
