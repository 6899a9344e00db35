//! Through proxies: what they are told, what origins are told, and what goes wrong.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use bequest::{Body, Error, ErrorKind, Phase, Proxies, Request, Retry, Timeout};
use support::{Client, Door, doors, get, post, until};
use testbed::{RawServer, Script};

doors![
    a_proxy_is_asked_for_the_whole_url,
    what_the_caller_has_as_target_is_said,
    one_connection_to_a_proxy_serves_all_origins,
    a_tunnel_is_asked_for_by_host_and_port,
    what_a_proxy_says_when_it_refuses_is_told,
    what_a_proxy_calls_it_is_shown,
    of_what_a_proxy_says_64_kib_are_read,
    a_proxy_that_dies_is_named,
    an_https_proxy_that_dies_is_named,
    the_way_through_a_proxy_is_retried,
    a_silent_proxy_is_given_up_in_time,
    bytes_behind_the_reply_are_no_tunnel,
    proxy_authorization_is_for_proxies,
];

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const SHORT: Duration = Duration::from_millis(200);

fn proxy_url(server: &RawServer) -> String {
    format!("http://{}", server.addr())
}

/// A session whose requests all go through a proxy at this URL.
fn through(door: Door, url: &str) -> Client {
    let mut s = door.session();
    *s.proxies() = Proxies::new().all(url).unwrap();
    s
}

fn seen(server: &RawServer, connection: usize) -> String {
    String::from_utf8(server.received(connection)).unwrap()
}

#[track_caller]
fn failure<S>(client: &Client, request: Request<S>) -> Error {
    client.send(request).map(|r| r.status()).unwrap_err()
}

fn a_proxy_is_asked_for_the_whole_url(door: Door) {
    let proxy = RawServer::start(Script::respond(OK));
    let s = through(door, &proxy_url(&proxy));
    for (url, line, host) in [
        ("http://example.test", "GET http://example.test/ HTTP/1.1", "example.test"),
        (
            "http://example.test:80/a?b=c#d",
            "GET http://example.test/a?b=c HTTP/1.1",
            "example.test",
        ),
        ("http://u:p@example.test:81/", "GET http://example.test:81/ HTTP/1.1", "example.test:81"),
        ("http://[::1]:81/x%20y", "GET http://[::1]:81/x%20y HTTP/1.1", "[::1]:81"),
    ] {
        let before = seen(&proxy, 0).len();
        assert_eq!(s.send(get(url)).unwrap().text().unwrap(), "hi");
        let head = seen(&proxy, 0).split_off(before);
        assert!(head.starts_with(&format!("{line}\r\nHost: {host}\r\n")), "{head}");
        let credentials = head.contains("Authorization: Basic dTpw\r\n");
        assert_eq!(credentials, url.contains('@'), "those of the origin are for it: {head}");
        assert!(!head.contains("Proxy-"), "{head}");
    }
    let sent = post("http://example.test/up").body(Body::chunks(["a", "b"]));
    assert_eq!(s.send(sent).unwrap().status(), 200);
    until("the body has come", || seen(&proxy, 0).ends_with("1\r\na\r\n1\r\nb\r\n0\r\n\r\n"));
}

fn what_the_caller_has_as_target_is_said(door: Door) {
    let proxy = RawServer::start(Script::respond(OK));
    let s = through(door, &proxy_url(&proxy));
    for (target, line) in [
        ("/a/../b", "GET http://h.test:8080/a/../b HTTP/1.1\r\n"),
        ("*", "GET * HTTP/1.1\r\n"),
        ("ftp://old.test/x", "GET ftp://old.test/x HTTP/1.1\r\n"),
    ] {
        let before = seen(&proxy, 0).len();
        let mut prepared = s.prepare(get("http://u@h.test:8080/?q")).unwrap();
        prepared.target = Some(target.into());
        s.send_prepared(prepared, bequest::SendOptions::new()).unwrap();
        let head = seen(&proxy, 0).split_off(before);
        assert!(head.starts_with(line), "{head}");
    }
}

fn one_connection_to_a_proxy_serves_all_origins(door: Door) {
    let proxy = RawServer::start(Script::respond(OK));
    let origin = RawServer::start(Script::respond(OK));
    let url = proxy_url(&proxy);
    let s = through(door, &url);
    for host in ["one.test", "two.test", "three.test:81", "one.test"] {
        s.send(get(format!("http://{host}/"))).unwrap();
    }
    assert_eq!(proxy.connections(), 1);
    // Said by the request, it is the same one.
    s.send(get("http://four.test/").proxies(Proxies::new().http(&url).unwrap())).unwrap();
    assert_eq!(proxy.connections(), 1);
    // The proxy as an origin is something else.
    s.send(get(proxy.url("/")).proxies(Proxies::none())).unwrap();
    assert_eq!(proxy.connections(), 2);
    assert!(seen(&proxy, 1).starts_with("GET / HTTP/1.1\r\n"));
    s.send(get(origin.url("/")).proxies(Proxies::none())).unwrap();
    assert_eq!((proxy.connections(), origin.connections()), (2, 1));
    // Nor is what was opened with other credentials, or other fields.
    let other = Proxies::new().http(url.replace("//", "//u:p@")).unwrap();
    s.send(get("http://one.test/").proxies(&other)).unwrap();
    assert_eq!(proxy.connections(), 3);
    s.send(get("http://one.test/").proxies(other.header("X-Team", "red"))).unwrap();
    assert_eq!(proxy.connections(), 4);
    assert!(seen(&proxy, 3).contains("\r\nX-Team: red\r\n"));
}

#[cfg(feature = "tls")]
fn a_tunnel_is_asked_for_by_host_and_port(door: Door) {
    const GONE: &str = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    let proxy = RawServer::start(Script::respond(GONE));
    let mut s = door.session();
    *s.proxies() = Proxies::new().all(proxy_url(&proxy)).unwrap().header("X-Team", "red");
    for (nth, (url, target)) in [
        ("https://example.test/secret?path#f", "example.test:443"),
        ("https://u:p@example.test:8443/", "example.test:8443"),
        ("https://[::1]/", "[::1]:443"),
    ]
    .into_iter()
    .enumerate()
    {
        let error = failure(&s, get(url).header("X-Own", "1").header("Proxy-Authorization", "x"));
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
        let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nX-Team: red\r\n\r\n");
        assert_eq!(seen(&proxy, nth), head);
    }
}

#[cfg(not(feature = "tls"))]
fn a_tunnel_is_asked_for_by_host_and_port(_: Door) {}

fn what_a_proxy_says_when_it_refuses_is_told(door: Door) {
    let chunked = "HTTP/1.1 403 Not Here\r\nX-Why: policy\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nnot\r\n6\r\n today\r\n0\r\n\r\n";
    let until_close = "HTTP/1.0 403 Not Here\r\nX-Why: policy\r\n\r\nnot today";
    let counted =
        "HTTP/1.1 403 Not Here\r\nX-Why: policy\r\nContent-Length: 9\r\n\r\nnot today and more";
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 403 Not Here\r\nX-Why: policy\r\n\
                   Content-Length: 9\r\n\r\nnot today";
    for reply in [chunked, until_close, counted, interim] {
        let proxy = RawServer::start(Script::new().read_head().send(reply));
        let s = through(door, &proxy_url(&proxy));
        let error = failure(&s, get("https://example.test/x?token=s3cret"));
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Some(Phase::Proxy)));
        let line = format!(
            "GET https://example.test/x?token=***: proxy http://{}: it opens no tunnel to \
             example.test:443: 403 Not Here while waiting for the way through the proxy",
            proxy.addr()
        );
        assert_eq!(error.to_string(), line);
        let response = error.response().unwrap();
        assert_eq!((response.status().as_u16(), response.reason()), (403, "Not Here"));
        assert_eq!(response.headers().get("x-why"), Some("policy"));
        assert_eq!(response.text().unwrap(), "not today", "{reply}");
        assert_eq!(response.request().url.host_str(), Some("example.test"));
    }
}

/// On one line, of a bearable length.
fn what_a_proxy_calls_it_is_shown(door: Door) {
    let long = "x".repeat(10_000);
    for (reason, shown) in [
        ("a\tb", ": 403 a\\tb while"),
        ("caf\u{e9} \u{202e}x", ": 403 caf\u{e9} \\u{202e}x while"),
        ("", ": 403 while"),
        (&long, "xxx while"),
    ] {
        let reply = format!("HTTP/1.1 403 {reason}\r\nContent-Length: 0\r\n\r\n");
        let proxy = RawServer::start(Script::new().read_head().send(reply));
        let error = failure(&through(door, &proxy_url(&proxy)), get("https://example.test/"));
        let line = error.to_string();
        assert!(line.contains(shown) && line.len() < 400, "{line}");
        assert_eq!(error.response().unwrap().reason(), reason);
    }
}

fn of_what_a_proxy_says_64_kib_are_read(door: Door) {
    let most = 64 << 10;
    for length in [most, most + 1, usize::MAX >> 1] {
        let reply = format!("HTTP/1.1 403 Not Here\r\nContent-Length: {length}\r\n\r\n");
        let said = Script::new().read_head().send(reply).send("x".repeat(length.min(2 * most)));
        let proxy = RawServer::start(said.stall());
        let error = failure(&through(door, &proxy_url(&proxy)), get("https://example.test/"));
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
        let told = error.response().unwrap().content().unwrap();
        assert_eq!(told.len(), length.min(most), "{length}");
    }
}

/// The proxy's end, in each phase.
fn a_proxy_that_dies_is_named(door: Door) {
    let closed = {
        let unused = RawServer::start(Script::new());
        proxy_url(&unused)
    };
    let error = failure(&through(door, &closed), get("http://example.test/"));
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
    assert!(matches!(error.phase(), Some(Phase::Connect(Some(_)))), "{error}");
    assert!(error.to_string().contains(&format!("proxy {closed}: no connection")), "{error}");
    let error = failure(&through(door, &closed), get("https://example.test/"));
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
    let nowhere = through(door, "http://proxy.invalid:3128");
    for url in ["http://example.test/", "https://example.test/"] {
        let error = failure(&nowhere, get(url));
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Some(Phase::Resolve)));
        assert!(
            error.to_string().contains("proxy http://proxy.invalid:3128: no address"),
            "{error}"
        );
    }
    let cut = "HTTP/1.1 200 Connec";
    for (script, says) in [
        (Script::new().read_head(), "it closed the connection without an answer"),
        (Script::new().read_head().send(cut), "within the head of its answer"),
        (Script::new().read_head().reset(), "the connection was lost"),
        (Script::new().read_head().send("SSH-2.0-x\r\n"), "is not HTTP/1"),
    ] {
        let proxy = RawServer::start(script);
        let error = failure(&through(door, &proxy_url(&proxy)), get("https://example.test/"));
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Proxy, Some(Phase::Proxy)),
            "{error}"
        );
        let line = error.to_string();
        assert!(line.contains(&format!("proxy http://{}: ", proxy.addr())), "{line}");
        assert!(line.contains(says), "{line}");
        assert!(error.response().is_none() && error.is_connection());
    }
    // Asked for the origin's resource, it names the proxy, too.
    let proxy = RawServer::start(Script::new().read_head());
    let error = failure(&through(door, &proxy_url(&proxy)), get("http://example.test/"));
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Disconnected, Some(Phase::Wait)));
    assert!(error.to_string().contains(&format!("proxy http://{}: ", proxy.addr())), "{error}");
    // Within the tunnel it is the origin's end, or looks like it.
    let proxy = RawServer::start(Script::new().read_head().send("HTTP/1.1 200 OK\r\n\r\n"));
    let error = failure(&through(door, &proxy_url(&proxy)), get("https://example.test/"));
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Some(Phase::Tls)), "{error}");
}

fn a_silent_proxy_is_given_up_in_time(door: Door) {
    for (script, phase) in [
        (Script::new().wait_close(), Phase::Proxy),
        (Script::new().read_head().send("HTTP/1.1 200").wait_close(), Phase::Proxy),
        (
            Script::new()
                .read_head()
                .send("HTTP/1.1 407 No\r\nContent-Length: 9\r\n\r\n")
                .wait_close(),
            Phase::Proxy,
        ),
        (Script::new().read_head().send("HTTP/1.1 200 OK\r\n\r\n").wait_close(), Phase::Tls),
    ] {
        let proxy = RawServer::start(script);
        let s = through(door, &proxy_url(&proxy).replace("//", "//user:s3cret@"));
        let started = Instant::now();
        let timeout = Timeout::new().connect(SHORT);
        let error = failure(&s, get("https://example.test/").timeout(timeout));
        let elapsed = started.elapsed();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::ConnectTimeout, Some(phase)),
            "{error}"
        );
        assert!(elapsed >= SHORT && elapsed < SHORT + Duration::from_millis(1500), "{elapsed:?}");
        let named = error.to_string().contains(&format!("proxy http://***@{}: ", proxy.addr()));
        assert_eq!(named, phase == Phase::Proxy, "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

/// While TLS to the proxy itself is being agreed on.
#[cfg(feature = "tls")]
fn an_https_proxy_that_dies_is_named(door: Door) {
    for url in ["http://example.test/", "https://example.test/"] {
        for script in [
            Script::new().read_body(1),
            Script::new().read_body(1).reset(),
            Script::new().read_body(1).send("HTTP/1.1 400 Bad Request\r\n\r\n"),
        ] {
            let proxy = RawServer::start(script);
            let s = through(door, &format!("https://{}", proxy.addr()));
            let error = failure(&s, get(url));
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Proxy, Some(Phase::Tls)),
                "{error}"
            );
            let line = error.to_string();
            assert!(line.contains(&format!("proxy https://{}: ", proxy.addr())), "{line}");
            assert!(error.remedy().is_some_and(|remedy| remedy.contains("http://")), "{line}");
        }
        let proxy = RawServer::start(Script::new().wait_close());
        let s = through(door, &format!("https://{}", proxy.addr()));
        for (timeout, kind) in [
            (Timeout::new().connect(SHORT), ErrorKind::ConnectTimeout),
            (Timeout::new().total(SHORT), ErrorKind::Deadline),
        ] {
            let started = Instant::now();
            let error = failure(&s, get(url).timeout(timeout));
            let elapsed = started.elapsed();
            assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Tls)), "{error}");
            assert!(error.to_string().contains("proxy https://127.0.0.1:"), "{error}");
            assert!(
                elapsed >= SHORT && elapsed < SHORT + Duration::from_millis(1500),
                "{elapsed:?}"
            );
        }
    }
}

#[cfg(not(feature = "tls"))]
fn an_https_proxy_that_dies_is_named(_: Door) {}

/// Nothing has reached a server: the request may be tried again, whatever its method.
fn the_way_through_a_proxy_is_retried(door: Door) {
    const NO: &str = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
    const LATER: &str = "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n";
    for first in [
        Script::new().read_head(),
        Script::new().read_head().reset(),
        Script::new().read_head().send(LATER),
    ] {
        let proxy = RawServer::sequence(vec![first, Script::new().read_head().send(NO)]);
        let request = post("https://example.test/")
            .body("body")
            .proxies(Proxies::new().all(proxy_url(&proxy)).unwrap());
        let retry = Retry::new().total(5).allowed_methods(["POST"]);
        let error = failure(&door.session(), request.retry(retry));
        assert_eq!(error.response().unwrap().status(), 403, "{error}");
        assert_eq!(proxy.connections(), 2, "a no is not asked for again");
    }
}

fn bytes_behind_the_reply_are_no_tunnel(door: Door) {
    for reply in ["HTTP/1.1 200 OK\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"] {
        let proxy = RawServer::start(Script::new().read_head().send(reply).wait_close());
        let error = failure(&through(door, &proxy_url(&proxy)), get("https://example.test/"));
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Proxy, Some(Phase::Proxy)),
            "{error}"
        );
        assert!(error.to_string().contains("before anything was asked"), "{error}");
    }
}

/// A caller's own field goes to the proxy that reads the request, and nowhere else.
fn proxy_authorization_is_for_proxies(door: Door) {
    let origin = RawServer::start(Script::respond(OK));
    let proxy = RawServer::start(Script::respond(OK));
    let s = door.session();
    let request = || get(origin.url("/")).header("Proxy-Authorization", "Basic s3cret");
    let r = s.send(request()).unwrap();
    assert!(!seen(&origin, 0).contains("s3cret"), "{}", seen(&origin, 0));
    assert!(!r.request().headers.contains("proxy-authorization"), "it shows what was sent");
    s.send(request().proxies(Proxies::new().all(proxy_url(&proxy)).unwrap())).unwrap();
    assert!(seen(&proxy, 0).contains("\r\nProxy-Authorization: Basic s3cret\r\n"));
}
