//! What callers get wrong: refused before anything is sent, with a message that names what was
//! given, the rule and the remedy.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use bequest::{
    Body, Error, ErrorKind, Phase, PreparedRequest, Request, Response, SendOptions, Timeout, Url,
    adapter_fn,
};
use support::{Door, doors, get, post, until};
use testbed::{RawServer, Script};

doors![
    header_names_are_tokens,
    header_values_are_one_line,
    a_refused_value_is_not_shown,
    methods_are_tokens,
    urls_without_scheme_or_host,
    urls_with_what_is_not_allowed,
    targets_are_visible,
    schemes_without_an_adapter,
    impossible_timeouts,
    conflicting_bodies,
    bodies_without_a_form,
    contradicting_framing,
    sources_that_break_their_word,
    sources_that_go_on,
    a_wrong_argument_is_the_first_error,
    what_a_hook_spoils_is_refused,
];

/// What would end a line, a field or a string somewhere on the way.
const CONTROLS: [&str; 6] = ["\r\n", "\r", "\n", "\t", "\0", "\x7f"];

/// A server that must never be connected to.
struct Untouched(RawServer);

impl Untouched {
    fn new() -> Self {
        Self(RawServer::start(Script::new().close()))
    }

    fn url(&self) -> String {
        self.0.url("/path")
    }

    /// Checks what an error says, and that nobody has connected.
    #[track_caller]
    fn assert_refused(&self, error: &Error, kind: ErrorKind, named: &[&str]) {
        let message = error.to_string();
        assert_eq!(error.kind(), kind, "{message}");
        for named in named {
            assert!(message.contains(named), "{named:?} is not in: {message}");
        }
        assert!(error.remedy().is_some(), "no remedy in: {message}");
        assert!(!message.contains(char::is_control), "not on one line: {message:?}");
        assert!(!error.is_timeout() && !error.is_connection());
        assert_eq!(self.0.connections(), 0, "{message}");
    }

    /// The same, for a request that must be refused both when it is prepared and when it is sent.
    #[track_caller]
    fn assert_bad<S>(&self, door: Door, request: Request<S>, kind: ErrorKind, named: &[&str])
    where
        S: Clone,
    {
        let s = door.session();
        self.assert_refused(&s.prepare(request.clone()).unwrap_err(), kind, named);
        self.assert_refused(&s.send(request).unwrap_err(), kind, named);
    }

    /// For what can only be wrong once it is sent; the head that it would have is refused as well.
    #[track_caller]
    fn assert_unsendable(
        &self,
        door: Door,
        prepared: PreparedRequest,
        kind: ErrorKind,
        named: &[&str],
    ) {
        self.assert_refused(&prepared.wire_head().unwrap_err(), kind, named);
        let error = door.session().send_prepared(prepared, SendOptions::new()).unwrap_err();
        self.assert_refused(&error, kind, named);
        assert_eq!(error.phase(), Some(Phase::Prepare), "{error}");
        assert!(error.request().is_some(), "{error}");
    }
}

fn header_names_are_tokens(door: Door) {
    let server = Untouched::new();
    let rule = "only letters, digits and ";
    let mut names =
        vec!["".into(), "a b".into(), "a:".into(), "é".into(), "a/b".into(), " a".into()];
    for control in CONTROLS {
        names.extend([format!("X{control}Y: z"), format!("X{control}"), format!("{control}X")]);
    }
    for name in names {
        let shown = format!("header name `{}`", name.escape_debug());
        let named = [shown.as_str(), rule];
        let request = get(server.url()).header(&name, "v");
        server.assert_bad(door, request, ErrorKind::InvalidHeader, &named);
        // Of the session, and put into a prepared request.
        let mut s = door.session();
        s.headers().append(&name, "v");
        let error = s.send(get(server.url())).unwrap_err();
        server.assert_refused(&error, ErrorKind::InvalidHeader, &named);
        let mut prepared = get(server.url()).prepare().unwrap();
        prepared.headers.append(&name, "v");
        server.assert_unsendable(door, prepared, ErrorKind::InvalidHeader, &named);
    }
}

fn header_values_are_one_line(door: Door) {
    let server = Untouched::new();
    let mut values = vec![(" v".to_owned(), "white space at its beginning".to_owned())];
    for control in CONTROLS {
        let first = control.chars().next().unwrap();
        for (before, after) in [("", ""), ("", "v"), ("v", ""), ("a", "Evil: 1")] {
            let rule = format!("the control character {first:?} at {}", before.len());
            values.push((format!("{before}{control}{after}"), rule));
        }
    }
    for (value, rule) in values {
        let named = ["header `X-Name`", &rule, "take it out"];
        let request = get(server.url()).header("X-Name", &value);
        server.assert_bad(door, request, ErrorKind::InvalidHeader, &named);
        let mut prepared = get(server.url()).prepare().unwrap();
        prepared.headers.insert("X-Name", &value);
        server.assert_unsendable(door, prepared, ErrorKind::InvalidHeader, &named);
        // Also in the fields that we would otherwise write ourselves.
        let request = get(server.url()).header("Host", &value);
        server.assert_bad(door, request, ErrorKind::InvalidHeader, &["header `Host`", &rule]);
    }
}

fn a_refused_value_is_not_shown(door: Door) {
    let server = Untouched::new();
    let request = get(server.url()).header("Authorization", "Bearer opensesame\n");
    let error = door.send(request).unwrap_err();
    server.assert_refused(&error, ErrorKind::InvalidHeader, &["header `Authorization`"]);
    assert!(!format!("{error} {error:?}").contains("opensesame"), "{error}");
    let request = get(server.url()).auth(bequest::Bearer::new("open\nsesame"));
    let error = door.send(request).unwrap_err();
    server.assert_refused(&error, ErrorKind::InvalidHeader, &["header `Authorization`"]);
    assert!(!format!("{error} {error:?}").contains("sesame"), "{error}");
}

fn methods_are_tokens(door: Door) {
    let server = Untouched::new();
    let mut methods = vec!["".into(), "GET ".into(), " GET".into(), "GE T".into(), "É".into()];
    methods.extend(["GET / HTTP/1.1\r\nX: y".into(), "G(T".into(), "a/b".into()]);
    methods.extend(CONTROLS.map(|control| format!("GET{control}")));
    for method in methods {
        let shown = format!("method `{}`", method.escape_debug());
        let request = Request::new(&method, server.url());
        let named = [shown.as_str(), "only letters, digits and "];
        server.assert_bad(door, request, ErrorKind::InvalidMethod, &named);
    }
}

fn urls_without_scheme_or_host(door: Door) {
    let server = Untouched::new();
    for (url, remedy) in [
        ("example.org/news", "https://example.org/news"),
        ("//example.org/news", "https://example.org/news"),
        ("/news", "https://news"),
        ("example.org:80/x", "https://example.org:80/x"),
        ("localhost:8080", "https://localhost:8080"),
        ("127.0.0.1:8080/x", "https://127.0.0.1:8080/x"),
        ("", "https://"),
    ] {
        let shown = format!("`{url}` has no scheme");
        server.assert_bad(door, get(url), ErrorKind::MissingSchema, &[&shown, remedy]);
    }
    for url in [
        "http://",
        "https://",
        "http:///path",
        "http://?q",
        "http://#f",
        "http://:80/",
        "http:/x/y",
        "http:example.org",
        "http://user@/",
        "http://user:pass@:80/",
    ] {
        server.assert_bad(door, get(url), ErrorKind::InvalidUrl, &["URL `", "it names no host"]);
    }
}

fn urls_with_what_is_not_allowed(door: Door) {
    let server = Untouched::new();
    let mut urls = vec![
        ("http://example.org:0/".to_owned(), "port 0".to_owned()),
        ("http://example.org:65536/".to_owned(), "invalid port".to_owned()),
        ("http://example.org:99999999999/".to_owned(), "invalid port".to_owned()),
        ("http://example.org:-1/".to_owned(), "invalid port".to_owned()),
        ("http://example.org:80a/".to_owned(), "invalid port".to_owned()),
        ("http://exa mple.org/".to_owned(), "' ' is not allowed before the path".to_owned()),
        ("http://example.org\\evil.example/".to_owned(), "is not allowed before".to_owned()),
        ("http://[::1/".to_owned(), "invalid IPv6 address".to_owned()),
        ("http://[fe80::1%25a%2fb]/".to_owned(), "the zone of its address".to_owned()),
        ("http://[fe80::1%]/".to_owned(), "the zone of its address".to_owned()),
        ("http://[x%25eth0]/".to_owned(), "invalid IPv6 address".to_owned()),
        ("http://1.2.3.4.5/".to_owned(), "invalid IPv4 address".to_owned()),
        ("http://xn--a/".to_owned(), "domain".to_owned()),
        ("http://a<b/".to_owned(), "domain".to_owned()),
        ("http://a%00b/".to_owned(), "domain".to_owned()),
    ];
    for control in CONTROLS {
        let first = control.chars().next().unwrap();
        for url in ["http://exa@mple.org/", "http://example.org/a@b", "http://example.org/?a@b#"] {
            let url = url.replace('@', control);
            let at = url.find(control).unwrap();
            urls.push((url, format!("the control character {first:?} at {at}")));
        }
        urls.push((format!("http://example.org/{control}"), "control character".to_owned()));
        urls.push((format!("{control}http://example.org/"), "control character".to_owned()));
    }
    for (url, rule) in urls {
        let shown = format!("URL `{}`", url.escape_debug());
        server.assert_bad(door, get(&url), ErrorKind::InvalidUrl, &[&shown, &rule]);
    }
    let parsed = Url::parse("http://example.org:0/").unwrap();
    server.assert_bad(door, get(parsed), ErrorKind::InvalidUrl, &["port 0"]);
}

fn targets_are_visible(door: Door) {
    let server = Untouched::new();
    let mut targets = vec!["/a b".into(), "/é".into(), " ".into(), "/ HTTP/1.1\r\nX: y".into()];
    targets.extend(CONTROLS.map(|control| format!("/a{control}b")));
    targets.extend(CONTROLS.map(str::to_owned));
    for target in targets {
        let mut prepared = get(server.url()).prepare().unwrap();
        prepared.target = Some(target.clone());
        let shown = format!("request target `{}`", target.escape_debug());
        let named = [shown.as_str(), "is not allowed", "percent-encode it"];
        server.assert_unsendable(door, prepared, ErrorKind::InvalidUrl, &named);
    }
    let mut prepared = get(server.url()).prepare().unwrap();
    prepared.target = Some(String::new());
    let named = ["the request target is empty", "write at least `/`"];
    server.assert_unsendable(door, prepared, ErrorKind::InvalidUrl, &named);
}

fn schemes_without_an_adapter(door: Door) {
    let server = Untouched::new();
    let mut s = door.session();
    for url in ["ftp://example.org/x", "mock://x", "mailto:x@example.org", "file:///etc/passwd"] {
        let error = s.send(get(url)).unwrap_err();
        server.assert_refused(&error, ErrorKind::InvalidSchema, &[url, "https:// or http://"]);
        assert_eq!(error.request().unwrap().url.as_str(), url);
    }
    s.mount("mock://", adapter_fn(|_, _| Response::builder().build()));
    assert_eq!(s.send(get("mock://x")).unwrap().status(), 200);
}

fn impossible_timeouts(door: Door) {
    let server = Untouched::new();
    let new = Timeout::new;
    for (bad, rule) in [
        (Duration::ZERO, "a timeout must be more than zero"),
        (Duration::MAX, "the clock does not reach that far"),
    ] {
        for (timeout, part) in [
            (new().connect(bad), "connect"),
            (new().read(bad), "read"),
            (new().write(bad), "write"),
            (new().total(bad), "total"),
            (bad.into(), "connect"),
            ((None, bad).into(), "read"),
        ] {
            let named = [part, rule, &format!("{bad:?}"), "use `None` to wait for ever"];
            let error = door.send(get(server.url()).timeout(timeout)).unwrap_err();
            server.assert_refused(&error, ErrorKind::InvalidTimeout, &named);
            assert_eq!(error.phase(), Some(Phase::Prepare));
            assert_eq!(error.request().unwrap().url.as_str(), server.url());
            let mut s = door.session();
            *s.timeout() = timeout;
            let error = s.send(get(server.url())).unwrap_err();
            server.assert_refused(&error, ErrorKind::InvalidTimeout, &named);
        }
    }
}

fn conflicting_bodies(door: Door) {
    let server = Untouched::new();
    for (request, named) in [
        (post(server.url()).body("a").form([("b", "c")]), ["`body`", "`form`"]),
        (post(server.url()).form([("b", "c")]).json(1), ["`form`", "`json`"]),
        (post(server.url()).json(1).body("a"), ["`json`", "`body`"]),
        (post(server.url()).json(1).body(""), ["`json`", "`body`"]),
    ] {
        server.assert_bad(door, request, ErrorKind::InvalidRequest, &named);
    }
}

fn bodies_without_a_form(door: Door) {
    let server = Untouched::new();
    let unordered = std::collections::HashMap::from([((1, 2), 3)]);
    let request = post(server.url()).json(unordered);
    let error = door.send(request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidJson, "{error}");
    for request in [get(server.url()).params(5), post(server.url()).form(5)] {
        let error = door.send(request).unwrap_err();
        server.assert_refused(&error, ErrorKind::InvalidRequest, &[]);
    }
}

fn contradicting_framing(door: Door) {
    let server = Untouched::new();
    let reader = || Body::reader("abc".as_bytes());
    let both: &[_] = &[("Content-Length", "3"), ("Transfer-Encoding", "chunked")];
    for (body, headers, kind, named) in [
        (
            Body::from("abc"),
            &[("Content-Length", "2")][..],
            ErrorKind::LengthMismatch,
            "is 2, the body has 3 bytes",
        ),
        (
            "abc".into(),
            &[("content-length", "4")],
            ErrorKind::LengthMismatch,
            "is 4, the body has 3 bytes",
        ),
        (
            Body::empty(),
            &[("Content-Length", "1")],
            ErrorKind::LengthMismatch,
            "is 1, the body has 0 bytes",
        ),
        (
            reader().with_length(3),
            &[("Content-Length", "4")],
            ErrorKind::LengthMismatch,
            "is 4, the body has 3 bytes",
        ),
        (
            "abc".into(),
            both,
            ErrorKind::InvalidRequest,
            "both Content-Length and Transfer-Encoding",
        ),
        (reader(), both, ErrorKind::InvalidRequest, "both Content-Length and Transfer-Encoding"),
        (
            reader(),
            &[("Transfer-Encoding", "gzip, chunked")],
            ErrorKind::InvalidRequest,
            "no Transfer-Encoding but `chunked`",
        ),
        (
            reader(),
            &[("Transfer-Encoding", "identity")],
            ErrorKind::InvalidRequest,
            "no Transfer-Encoding but `chunked`",
        ),
        (
            "abc".into(),
            &[("Content-Length", "+3")],
            ErrorKind::InvalidHeader,
            "Content-Length `+3`",
        ),
        (
            "abc".into(),
            &[("Content-Length", "3, 3")],
            ErrorKind::InvalidHeader,
            "Content-Length `3, 3`",
        ),
        ("abc".into(), &[("Content-Length", "")], ErrorKind::InvalidHeader, "Content-Length ``"),
        (
            "abc".into(),
            &[("Content-Length", "3"), ("Content-Length", "3")],
            ErrorKind::InvalidHeader,
            "one decimal number",
        ),
    ] {
        let mut prepared = post(server.url()).headers(headers).prepare().unwrap();
        prepared.body = body;
        server.assert_unsendable(door, prepared, kind, &[named]);
    }
}

/// These are found only while sending; what was sent is not a whole request then.
fn sources_that_break_their_word(door: Door) {
    let (mismatch, io) = (ErrorKind::LengthMismatch, ErrorKind::Io);
    let failing = [Ok("abc"), Err(std::io::Error::other("disk on fire"))];
    for (body, kind, named) in [
        (Body::chunks(["abc"]).with_length(2), mismatch, "gives more than the 2 bytes"),
        (Body::reader("abc".as_bytes()).with_length(5), mismatch, "ended after 3 of the 5 bytes"),
        (Body::try_chunks(failing), io, "disk on fire"),
    ] {
        let server = RawServer::start(Script::new().read_head().wait_close());
        let s = door.session();
        let error = s.send(post(server.url("/")).body(body)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(named), "{error}");
        assert_eq!(error.phase(), Some(Phase::Send), "{error}");
        assert!(error.request().is_some());
        // The connection is not used again: the server still waits for the rest.
        let _ = s.send(get(server.url("/")).timeout((None, Duration::from_millis(1))));
        until("another one is open", || server.connections() == 2);
        let sent = String::from_utf8(server.received(0)).unwrap();
        assert!(!sent.ends_with("0\r\n\r\n"), "the chunked body looks whole: {sent}");
    }
}

fn sources_that_go_on(door: Door) {
    for body in [
        Body::chunks(["ab", "c"]).with_length(2),
        Body::chunks(["abc"]).with_length(0),
        Body::reader("abc".as_bytes()).with_length(2),
    ] {
        let server = RawServer::start(Script::respond("HTTP/1.1 204 No Content\r\n\r\n"));
        let error = door.send(post(server.url("/")).body(body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LengthMismatch, "{error}");
        assert!(error.to_string().contains("gives more than"), "{error}");
    }
}

fn a_wrong_argument_is_the_first_error(door: Door) {
    let server = Untouched::new();
    let request = Request::new("G T", "example.org").params(5).timeout(Duration::ZERO);
    server.assert_bad(door, request, ErrorKind::InvalidMethod, &["method `G T`"]);
    let request = get("example.org").params(5).header("a b", "c");
    server.assert_bad(door, request, ErrorKind::MissingSchema, &["`example.org`"]);
}

fn what_a_hook_spoils_is_refused(door: Door) {
    let server = Untouched::new();
    let mut s = door.session();
    s.hooks().request.push(|request| {
        request.headers.insert("X-Bad", "a\r\nEvil: 1");
        Ok(())
    });
    let error = s.send(get(server.url())).unwrap_err();
    server.assert_refused(&error, ErrorKind::InvalidHeader, &["header `X-Bad`"]);
}
