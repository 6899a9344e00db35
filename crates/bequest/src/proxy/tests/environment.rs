//! One line a rule.

use super::*;

fn given(variables: &[(&str, &str)]) -> Proxies {
    Proxies::from_environment(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

#[test]
fn which_variable_names_the_proxy() {
    for (variables, target, expected) in [
        (&[][..], "http://h/", "direct"),
        // By scheme, and else for all.
        (&[("http_proxy", "http://p:1")], "http://h/", "p"),
        (&[("http_proxy", "http://p:1")], "https://h/", "direct"),
        (&[("https_proxy", "http://p:1")], "https://h/", "p"),
        (&[("https_proxy", "http://p:1")], "http://h/", "direct"),
        (&[("all_proxy", "http://p:1")], "http://h/", "p"),
        (&[("all_proxy", "http://p:1")], "https://h/", "p"),
        (&[("all_proxy", "http://a"), ("http_proxy", "http://p")], "http://h/", "p"),
        (&[("all_proxy", "http://a"), ("http_proxy", "http://p")], "https://h/", "a"),
        // In both cases, and the lower one wins, also when it is empty.
        (&[("HTTP_PROXY", "http://p")], "http://h/", "p"),
        (&[("HTTPS_PROXY", "http://p")], "https://h/", "p"),
        (&[("ALL_PROXY", "http://p")], "https://h/", "p"),
        (&[("HTTP_PROXY", "http://u"), ("http_proxy", "http://l")], "http://h/", "l"),
        (&[("HTTPS_PROXY", "http://u"), ("https_proxy", "http://l")], "https://h/", "l"),
        (&[("ALL_PROXY", "http://u"), ("all_proxy", "http://l")], "https://h/", "l"),
        (&[("HTTP_PROXY", "http://u"), ("http_proxy", "")], "http://h/", "direct"),
        (&[("HTTP_PROXY", ""), ("all_proxy", "http://a")], "http://h/", "a"),
        (&[("http_proxy", ""), ("all_proxy", "http://a")], "http://h/", "a"),
        // Who answers requests by CGI has HTTP_PROXY from whoever asks (httpoxy).
        (&[("HTTP_PROXY", "http://p"), ("REQUEST_METHOD", "GET")], "http://h/", "direct"),
        (&[("HTTP_PROXY", "http://p"), ("REQUEST_METHOD", "")], "http://h/", "direct"),
        (&[("http_proxy", "http://p"), ("REQUEST_METHOD", "GET")], "http://h/", "p"),
        (&[("HTTPS_PROXY", "http://p"), ("REQUEST_METHOD", "GET")], "https://h/", "p"),
        (&[("ALL_PROXY", "http://p"), ("REQUEST_METHOD", "GET")], "http://h/", "p"),
        // A scheme may be missing.
        (&[("http_proxy", "p:3128")], "http://h/", "p"),
        (&[("http_proxy", "u:s@p:3128/")], "http://h/", "p"),
        (&[("http_proxy", " p ")], "http://h/", "p"),
        // What no_proxy excepts, in both cases; an empty one says nothing.
        (&[("http_proxy", "p"), ("no_proxy", "h")], "http://h/", "direct"),
        (&[("http_proxy", "p"), ("NO_PROXY", "h")], "http://h/", "direct"),
        (&[("http_proxy", "p"), ("no_proxy", "i"), ("NO_PROXY", "h")], "http://h/", "p"),
        (&[("http_proxy", "p"), ("no_proxy", ""), ("NO_PROXY", "h")], "http://h/", "direct"),
        (&[("all_proxy", "p"), ("no_proxy", "h")], "https://h/", "direct"),
        (&[("all_proxy", "p"), ("no_proxy", "*")], "https://h/", "direct"),
    ] {
        assert_eq!(chosen(&given(variables), target), expected, "{variables:?} {target}");
    }
}

#[test]
fn without_a_proxy_nothing_is_kept() {
    assert!(given(&[("no_proxy", "a,b"), ("REQUEST_METHOD", "GET")]).0.is_none());
}

#[test]
fn what_is_malformed_is_told_to_whom_it_would_serve() {
    for value in ["ftp://p", "http://", "p:x", "http://u:secret@p/x", ":", "\u{1}"] {
        let proxies = given(&[("HTTPS_PROXY", value), ("http_proxy", "p"), ("no_proxy", "h")]);
        let error = proxies.select(&url("https://i/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidProxyUrl, "{value:?}");
        let shown = error.to_string();
        assert!(shown.starts_with("the variable `HTTPS_PROXY` of the environment"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(chosen(&proxies, "http://i/"), "p", "{value:?}");
        assert_eq!(chosen(&proxies, "https://h/"), "direct", "{value:?}");
        let explicit = Proxies::new().https("http://mine").unwrap();
        assert_eq!(chosen(&explicit.over(&proxies), "https://i/"), "mine", "{value:?}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_not_utf_8_is_malformed() {
    use std::os::unix::ffi::OsStringExt;
    let value = || OsString::from_vec(b"http://p\xff".to_vec());
    let proxies = Proxies::from_environment(|name| (name == "http_proxy").then(value));
    let error = proxies.select(&url("http://h/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidProxyUrl);
    assert!(error.to_string().contains("`http_proxy`"), "{error}");
}

#[cfg(not(feature = "socks"))]
#[test]
fn what_is_not_built_is_told_by_the_variables_name() {
    let proxies = given(&[("all_proxy", "socks5://p")]);
    let error = proxies.select(&url("http://h/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`all_proxy`"), "{error}");
}
