//! What the request line and the Host field say about a URL.

use std::borrow::Cow;

use url::{Position, Url};

/// Path and query (RFC 9112, section 3.2.1). Never the fragment, never credentials.
pub(super) fn target(url: &Url) -> Cow<'_, str> {
    let target = &url[Position::BeforePath..Position::AfterQuery];
    if target.starts_with('/') { Cow::Borrowed(target) } else { Cow::Owned(format!("/{target}")) }
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
