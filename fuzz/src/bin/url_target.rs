//! From a URL to the request line and Host. The first character says what the rest is: `u` a URL, `p` a
//! URL and query parameters (U+001F between them all), `r` a URL and a query that is text, `a` the same
//! with the path as it is typed, `t` a request target.
#![no_main]

use bequest::{ErrorKind, PreparedRequest, Request, Url};
use bequest_fuzz::parse_request;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(input) else { return Corpus::Reject };
    let Some(rest) = text.get(1..) else { return Corpus::Reject };
    match &text[..1] {
        "u" => url(rest),
        "p" => params(rest),
        "r" => raw_params(rest, false),
        "a" => raw_params(rest, true),
        "t" => target(rest),
        _ => return Corpus::Reject,
    }
    Corpus::Keep
});

fn prepare(request: Request) -> Option<PreparedRequest> {
    match request.prepare() {
        Ok(prepared) => Some(prepared),
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "an error is one line: {error}");
            None
        }
    }
}

fn url(text: &str) {
    let Some(prepared) = prepare(Request::new("GET", text)) else { return };
    if !matches!(prepared.url.scheme(), "http" | "https") {
        // An adapter of the user's may speak it; over HTTP it must do no harm.
        if let Ok(head) = prepared.wire_head() {
            parse_request(&head);
        }
        return;
    }
    assert!(text.chars().all(|c| !c.is_control()), "controls are refused");
    check_host(text, &prepared.url);
    let head = check_head(text, &prepared);
    let again = Request::new("GET", prepared.url.as_str()).prepare().expect("it was a URL before");
    assert_eq!(again.url, prepared.url);
    // An empty password is in what was typed only.
    if expected_fields(text, &again.url) == expected_fields(again.url.as_str(), &again.url) {
        assert_eq!(again.wire_head().expect("the same URL"), head);
    }
}

/// The head has the lines that the URL asks for, and no others.
fn check_head(address: &str, prepared: &PreparedRequest) -> Vec<u8> {
    let url = &prepared.url;
    let head = prepared.wire_head().expect("what was prepared can be written");
    let (method, target, fields) = parse_request(&head);
    assert_eq!(method, "GET");
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    assert_eq!(target, format!("{}{query}", url.path()));
    assert!(target.starts_with('/') && !target.contains('#'), "{target:?}");
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = format!("{}{port}", url.host_str().expect("HTTP URLs have a host"));
    assert!(
        host.bytes().all(|byte| byte.is_ascii_graphic() && !b"@/?#\\".contains(&byte)),
        "{host:?}"
    );
    assert!(!host.is_empty() && !host.starts_with(':'));
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, expected_fields(address, url));
    assert_eq!(fields[0].1, host.as_bytes());
    head
}

/// A password is sent, also an empty one, which a `Url` does not tell from none.
fn expected_fields(address: &str, url: &Url) -> &'static [&'static str] {
    let (_, rest) = address.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user_info = authority.rsplit_once('@').map_or("", |(user_info, _)| user_info);
    let is_empty = user_info.split_once(':').is_some_and(|(_, password)| password.is_empty());
    let has_password = url.password().is_some() || is_empty;
    if has_password { &["Host", "Authorization"] } else { &["Host"] }
}

/// Where other parsers can't but agree on the host, we do, too.
fn check_host(text: &str, url: &Url) {
    let text = text.trim_matches(' ');
    let (scheme, rest) = text.split_once("://").expect("it was taken, so it has both slashes");
    assert!(scheme.eq_ignore_ascii_case(url.scheme()));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = place.split_once(':').unwrap_or((place, ""));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    // Names that end in a number are IPv4 addresses, in one of many spellings.
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let number = last.starts_with(|c: char| c.is_ascii_digit());
    if host.chars().all(plain) && !number && !host.to_lowercase().contains("xn--") {
        assert_eq!(url.host_str(), Some(&host.to_lowercase()[..]));
    }
    if !host.starts_with('[') && !port.is_empty() {
        assert_eq!(url.port_or_known_default(), port.parse().ok());
    }
}

fn params(text: &str) {
    let mut parts = text.split('\u{1f}');
    let address = parts.next().unwrap_or_default();
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        pairs.push((name, value));
    }
    let Some(prepared) = prepare(Request::new("GET", address).params(&pairs)) else { return };
    if !matches!(prepared.url.scheme(), "http" | "https") {
        return;
    }
    check_head(address, &prepared);
    let all: Vec<_> = prepared.url.query_pairs().collect();
    let added = &all[all.len().checked_sub(pairs.len()).expect("all were added")..];
    let added: Vec<_> = added.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    assert_eq!(added, pairs, "a server finds what was given");
}

/// A query that is text comes behind the one that is there, escaped where it must be.
fn raw_params(text: &str, as_is: bool) {
    let (address, query) = text.split_once('\u{1f}').unwrap_or((text, ""));
    let request = || Request::new("GET", address).path_as_is(as_is).params(query);
    let Some(prepared) = prepare(request()) else { return };
    if !matches!(prepared.url.scheme(), "http" | "https") {
        return;
    }
    if !as_is {
        check_head(address, &prepared);
    }
    let head = match prepared.wire_head() {
        Ok(head) => head,
        Err(error) => {
            assert!(as_is && error.kind() == ErrorKind::InvalidUrl, "{error}");
            let good = |c: char| c.is_ascii_graphic();
            assert!(!address.trim_matches(' ').chars().all(good), "{error}");
            return;
        }
    };
    let (_, target, fields) = parse_request(&head);
    let host = prepared.url.host_str().expect("HTTP URLs have a host");
    let port = prepared.url.port().map(|port| format!(":{port}")).unwrap_or_default();
    assert_eq!(fields[0], ("Host".to_owned(), format!("{host}{port}").into_bytes()));
    assert_eq!(fields.len(), expected_fields(address, &prepared.url).len());
    assert!(target.starts_with('/') && !target.contains('#'), "{target:?}");
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
    let known = Url::parse("http://h/").map(|mut url| {
        url.set_query(Some(query));
        url.query().unwrap_or_default().to_owned()
    });
    let known = known.expect("a constant");
    let query = known.strip_prefix('?').unwrap_or(&known);
    assert!(target.ends_with(query), "{target:?} without {query:?}");
    if as_is {
        let typed = address.trim_matches(' ');
        let path = typed.split_once("//").map_or("", |(_, rest)| rest);
        let path = &path[path.find(['/', '?', '#']).unwrap_or(path.len())..];
        let path = path.split('#').next().unwrap_or_default();
        let path = path.strip_suffix('?').unwrap_or(path);
        assert!(target.contains(path), "{target:?} is not {path:?}");
    }
}

fn target(text: &str) {
    let mut prepared = Request::new("GET", "http://h/").prepare().expect("a constant");
    prepared.target = Some(text.to_owned());
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    match prepared.wire_head() {
        Ok(head) => {
            assert!(good);
            assert_eq!(head, format!("GET {text} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes());
            assert_eq!(parse_request(&head).1, text);
        }
        Err(error) => {
            assert!(!good, "{error}");
            assert!(!error.to_string().contains(char::is_control), "an error is one line");
        }
    }
}
