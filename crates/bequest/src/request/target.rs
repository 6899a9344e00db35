//! What the request line and the Host field say about a URL.

use std::borrow::Cow;

use url::{Position, Url};

/// Path and query (RFC 9112, section 3.2.1). Never the fragment, never credentials.
pub(super) fn target(url: &Url) -> Cow<'_, str> {
    let target = &url[Position::BeforePath..Position::AfterQuery];
    if target.starts_with('/') { Cow::Borrowed(target) } else { Cow::Owned(format!("/{target}")) }
}

/// The whole URL, for a proxy (RFC 9112, section 3.2.2): never the fragment, never credentials. What
/// a caller gives in place of path and query stands in their place; what does not begin as a path
/// is the caller's whole target.
pub(super) fn absolute(url: &Url, given: Option<&str>) -> String {
    let path = given.map_or_else(|| target(url), Cow::Borrowed);
    if !path.starts_with('/') {
        return path.into_owned();
    }
    format!("{}://{}{path}", url.scheme(), host(url))
}

/// Host, and port where it is not the scheme's own (RFC 9110, section 7.2).
pub(super) fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// Path and query as they were typed, and more of a query behind them.
pub(super) fn as_typed(typed: &str, query: &str) -> String {
    let slash = if typed.starts_with('/') { "" } else { "/" };
    let sign = match typed.split_once('?') {
        _ if query.is_empty() => "",
        None => "?",
        Some((_, known)) if known.is_empty() || known.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{slash}{typed}{sign}{query}")
}
