//! The proxies that variables of the environment name.

use std::ffi::OsString;
use std::sync::Arc;

use super::key::Key;
use super::no_proxy::NoProxy;
use super::{Level, Proxies, Route, Said, address};
use crate::error::{Error, ErrorKind, Result};
use crate::net::ProxyServer;

/// In lower case, which wins, and in upper case. Other schemes have variables, too, but no adapter
/// here speaks them.
const VARIABLES: [(&str, &str, &str); 3] = [
    ("http", "http_proxy", "HTTP_PROXY"),
    ("https", "https_proxy", "HTTPS_PROXY"),
    ("all", "all_proxy", "ALL_PROXY"),
];

impl Proxies {
    /// What the variables say, through a function that reads one.
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut routes = Vec::new();
        for (what, lower, upper) in VARIABLES {
            let Some((name, value)) = first(&variable, lower, upper) else { continue };
            let route = match server(name, value) {
                Ok(server) => Route::through(server),
                Err(error) => Route::Malformed(Arc::new(error)),
            };
            let key = if what == "all" { Key::All } else { Key::Scheme(what.into()) };
            routes.push((key, route));
        }
        if routes.is_empty() {
            return Self::new();
        }
        let mut no_proxy = NoProxy::default();
        let said = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(list) = said("no_proxy").or_else(|| said("NO_PROXY")) {
            no_proxy.add(&list.to_string_lossy());
        }
        let said = Arc::new(Said { routes, no_proxy, ..Said::default() });
        Self(Some(Arc::new(Level { said, then: Self::new() })))
    }
}

/// An empty variable in lower case takes back the other one.
fn first<'a>(
    variable: impl Fn(&str) -> Option<OsString>,
    lower: &'a str,
    upper: &'a str,
) -> Option<(&'a str, OsString)> {
    let (name, value) = match variable(lower) {
        Some(value) => (lower, value),
        // Whoever sends a request to a CGI program sets this one, by the header `Proxy`
        // (CVE-2016-1000110).
        None if upper == "HTTP_PROXY" && variable("REQUEST_METHOD").is_some() => return None,
        None => (upper, variable(upper)?),
    };
    (!value.is_empty()).then_some((name, value))
}

fn server(name: &str, value: OsString) -> Result<ProxyServer> {
    let read = match value.into_string() {
        Ok(text) => address::parse_variable(&text),
        Err(_) => Err(Error::with(ErrorKind::InvalidProxyUrl, "it is not UTF-8")),
    };
    read.map_err(|cause| {
        let what = format!("the variable `{name}` of the environment names no usable proxy");
        Error::with(cause.kind(), what).because(cause)
    })
}
