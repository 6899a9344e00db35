//! What leaves, byte for byte.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;

use bequest::{Body, Bytes, Headers, Request, SendOptions, Url};
use support::{Client, Door, doors, get, post};
use testbed::{RawServer, Script, Testbed};

doors![
    the_head_of_a_new_session,
    the_head_of_no_session,
    headers_keep_order_and_case,
    host_goes_where_the_caller_puts_it,
    host_and_target_follow_the_url,
    the_length_is_announced_last_unless_it_is_placed,
    chunks_are_framed_one_by_one,
    a_known_body_can_be_sent_as_one_chunk,
    the_target_can_be_anything_visible,
    what_is_edited_is_what_is_sent,
    a_sent_request_can_be_sent_again,
    values_are_bytes,
    a_request_leaves_in_one_write,
];

const AGENT: &str = concat!("bequest/", env!("CARGO_PKG_VERSION"));

/// What a new session says that it takes.
const CODINGS: &str =
    if cfg!(feature = "compression") { "gzip, deflate, br, zstd" } else { "identity" };

/// The fields of a new session.
fn defaults() -> String {
    format!(
        "User-Agent: {AGENT}\r\nAccept-Encoding: {CODINGS}\r\nAccept: */*\r\n\
         Connection: keep-alive\r\n"
    )
}

/// What arrives when a request is sent. What `wire_head` says before and `request()` afterwards is
/// compared with it.
fn wire<S>(s: &Client, server: &Testbed, request: Request<S>) -> String {
    let prepared = s.prepare(request).unwrap();
    let announced = prepared.wire_head().unwrap();
    let r = s.send_prepared(prepared, SendOptions::new()).unwrap();
    let arrived = r.content().unwrap();
    assert!(arrived.starts_with(&announced), "wire_head() says {}", text(&announced));
    let head = text(&announced);
    let (_, fields) = head.strip_suffix("\r\n").unwrap().split_once("\r\n").unwrap();
    assert_eq!(r.request().headers.to_string(), fields);
    assert_eq!(server.requests().last().unwrap().headers.len(), r.request().headers.len());
    text(&arrived)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn the_head_of_a_new_session(door: Door) {
    let server = Testbed::start();
    let (s, host, defaults) = (door.session(), server.addr(), defaults());
    assert_eq!(
        wire(&s, &server, get(server.url("/wire?a=b#c"))),
        format!("GET /wire?a=b HTTP/1.1\r\nHost: {host}\r\n{defaults}\r\n")
    );
    assert_eq!(
        wire(&s, &server, post(server.url("/wire"))),
        format!("POST /wire HTTP/1.1\r\nHost: {host}\r\n{defaults}Content-Length: 0\r\n\r\n")
    );
    assert_eq!(
        wire(&s, &server, post(server.url("/wire")).form([("a", "b c")])),
        format!(
            "POST /wire HTTP/1.1\r\nHost: {host}\r\n{defaults}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\na=b+c"
        )
    );
    assert_eq!(
        wire(&s, &server, Request::new("PUT", server.url("/wire")).json(["é", "b"])),
        format!(
            "PUT /wire HTTP/1.1\r\nHost: {host}\r\n{defaults}\
             Content-Type: application/json\r\nContent-Length: 10\r\n\r\n[\"é\",\"b\"]"
        )
    );
}

fn the_head_of_no_session(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let prepared = post(server.url("/wire")).header("h", "v").body("x").prepare().unwrap();
    let r = s.send_prepared(prepared, SendOptions::new()).unwrap();
    let host = server.addr();
    assert_eq!(
        r.text().unwrap(),
        format!("POST /wire HTTP/1.1\r\nHost: {host}\r\nh: v\r\nContent-Length: 1\r\n\r\nx")
    );
}

fn headers_keep_order_and_case(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    let url = server.url("/wire");
    let start = format!("GET /wire HTTP/1.1\r\nHost: {}\r\n", server.addr());
    let rest = format!("Accept-Encoding: {CODINGS}\r\nAccept: */*\r\nConnection: keep-alive\r\n");
    // New ones come after the session's, in their order; repeats stay.
    let request = get(&url).header("zZ", "1").headers([("B", "2"), ("a", "3"), ("b", "4")]);
    assert_eq!(
        wire(&s, &server, request),
        format!("{start}{}zZ: 1\r\nB: 2\r\na: 3\r\nb: 4\r\n\r\n", defaults())
    );
    // One that replaces keeps the place, with the case of its own.
    let request = get(&url).header("x", "1").header("USER-agent", "me").header("X", "2");
    assert_eq!(wire(&s, &server, request), format!("{start}USER-agent: me\r\n{rest}X: 2\r\n\r\n"));
    let request = get(&url).headers([("User-Agent", "me"), ("User-Agent", "too")]);
    assert_eq!(
        wire(&s, &server, request),
        format!("{start}User-Agent: me\r\n{rest}User-Agent: too\r\n\r\n")
    );
    let request = get(&url).without_header("user-AGENT").without_header("not-there");
    assert_eq!(wire(&s, &server, request), format!("{start}{rest}\r\n"));
    // The whole list can be replaced: then nothing else is sent.
    *s.headers() = Headers::from([("Connection", "keep-alive"), ("accept", "a/b"), ("X-1", "")]);
    assert_eq!(
        wire(&s, &server, get(&url).header("ACCEPT", "c/d")),
        format!("{start}Connection: keep-alive\r\nACCEPT: c/d\r\nX-1: \r\n\r\n")
    );
    s.headers().clear();
    assert_eq!(wire(&s, &server, get(&url)), format!("{start}\r\n"));
}

fn host_goes_where_the_caller_puts_it(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    *s.headers() = Headers::from([("A", "1"), ("hOST", "other.example"), ("B", "2")]);
    let url = server.url("/wire");
    let start = "GET /wire HTTP/1.1\r\n";
    assert_eq!(
        wire(&s, &server, get(&url)),
        format!("{start}A: 1\r\nhOST: other.example\r\nB: 2\r\n\r\n")
    );
    assert_eq!(
        wire(&s, &server, get(&url).header("HOST", "third.example:81")),
        format!("{start}A: 1\r\nHOST: third.example:81\r\nB: 2\r\n\r\n")
    );
    // Without one of the caller's there is always ours: HTTP/1.1 demands it.
    assert_eq!(
        wire(&s, &server, get(&url).without_header("host")),
        format!("{start}Host: {}\r\nA: 1\r\nB: 2\r\n\r\n", server.addr())
    );
}

fn host_and_target_follow_the_url(door: Door) {
    let s = door.session();
    for (url, host, target) in [
        ("http://example.org", "example.org", "/"),
        ("http://EXAMPLE.org:80/", "example.org", "/"),
        ("https://example.org:443/", "example.org", "/"),
        ("http://example.org:443/", "example.org:443", "/"),
        ("https://example.org:80/", "example.org:80", "/"),
        ("http://user:pass@example.org/", "example.org", "/"),
        ("http://[::1]:8080/x", "[::1]:8080", "/x"),
        ("http://[0:0::1]/x", "[::1]", "/x"),
        ("http://example.org?q", "example.org", "/?q"),
        ("http://example.org/a/../b/./c//d", "example.org", "/b/c//d"),
        ("http://example.org//a", "example.org", "//a"),
        ("http://example.org/a b?c d#e f", "example.org", "/a%20b?c%20d"),
        ("http://example.org/%7euser/%2f", "example.org", "/%7euser/%2f"),
        ("http://example.org/é?é", "example.org", "/%C3%A9?%C3%A9"),
        ("http://straße.de/", "xn--strae-oqa.de", "/"),
        ("  http://example.org/", "example.org", "/"),
    ] {
        let prepared = s.prepare(get(url)).unwrap();
        let head = text(&prepared.wire_head().unwrap());
        let expected = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ");
        assert!(head.starts_with(&expected), "{url}: {head}");
    }
    let server = Testbed::start();
    let mut url = Url::parse(&server.url("/wire?x")).unwrap();
    url.set_username("user").unwrap();
    let head = wire(&s, &server, get(url));
    assert!(head.starts_with(&format!("GET /wire?x HTTP/1.1\r\nHost: {}\r\n", server.addr())));
    assert!(!head.contains("user"), "{head}");
}

fn the_length_is_announced_last_unless_it_is_placed(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.headers().clear();
    let url = server.url("/wire");
    let start = format!("POST /wire HTTP/1.1\r\nHost: {}\r\n", server.addr());
    let request = || post(&url).header("A", "1").body("abc");
    assert_eq!(
        wire(&s, &server, request().header("Z", "2")),
        format!("{start}A: 1\r\nZ: 2\r\nContent-Length: 3\r\n\r\nabc")
    );
    assert_eq!(
        wire(&s, &server, request().header("content-LENGTH", 3).header("Z", "2")),
        format!("{start}A: 1\r\ncontent-LENGTH: 3\r\nZ: 2\r\n\r\nabc")
    );
    assert_eq!(
        wire(&s, &server, request().header("transfer-ENCODING", "Chunked").header("Z", "2")),
        format!("{start}A: 1\r\ntransfer-ENCODING: Chunked\r\nZ: 2\r\n\r\nabc")
    );
    let reader = Body::reader("abc".as_bytes());
    assert_eq!(
        wire(&s, &server, post(&url).body(reader).header("Z", "2")),
        format!("{start}Z: 2\r\nTransfer-Encoding: chunked\r\n\r\nabc")
    );
    // A length that the caller knows of a reader is believed.
    let reader = Body::reader("abc".as_bytes());
    assert_eq!(
        wire(&s, &server, post(&url).header("Content-Length", "3").body(reader).header("Z", "2")),
        format!("{start}Content-Length: 3\r\nZ: 2\r\n\r\nabc")
    );
    // Where no body is expected, one may be announced nevertheless.
    let start = format!("GET /wire HTTP/1.1\r\nHost: {}\r\n", server.addr());
    assert_eq!(
        wire(&s, &server, get(&url).header("Content-Length", "0")),
        format!("{start}Content-Length: 0\r\n\r\n")
    );
}

/// The bytes behind the head that arrive for a request; the last one is `end`.
fn body_on_the_wire(
    door: Door,
    body: impl Into<Body>,
    headers: &[(&str, &str)],
    end: &str,
) -> String {
    let read = Script::new().read_head().read_body(end.len());
    let server = RawServer::start(read.send("HTTP/1.1 204 No Content\r\n\r\n"));
    let request = post(server.url("/")).body(body).headers(headers);
    door.send(request).unwrap();
    let received = text(&server.received(0));
    received.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn chunks_are_framed_one_by_one(door: Door) {
    let long = "x".repeat(4096);
    let framed = format!("1000\r\n{long}\r\na\r\n0123456789\r\n0\r\n\r\n");
    for (body, expected) in [
        (Body::chunks(["hi", "", "there"]), "2\r\nhi\r\n5\r\nthere\r\n0\r\n\r\n"),
        (Body::chunks(["é"]), "2\r\né\r\n0\r\n\r\n"),
        (Body::chunks([""; 3]), "0\r\n\r\n"),
        (Body::chunks([long, "0123456789".into()]), &framed),
        (Body::reader("abc".as_bytes()), "3\r\nabc\r\n0\r\n\r\n"),
        (Body::reader(std::io::empty()), "0\r\n\r\n"),
        (Body::chunks(["ab", "c"]).with_length(3), "abc"),
    ] {
        assert_eq!(body_on_the_wire(door, body, &[], expected), expected);
    }
}

fn a_known_body_can_be_sent_as_one_chunk(door: Door) {
    let chunked = [("Transfer-Encoding", "chunked")];
    for (body, expected) in [
        ("abc".to_owned(), "3\r\nabc\r\n0\r\n\r\n".to_owned()),
        (String::new(), "0\r\n\r\n".to_owned()),
        ("x".repeat(100_000), format!("186a0\r\n{}\r\n0\r\n\r\n", "x".repeat(100_000))),
    ] {
        assert_eq!(body_on_the_wire(door, body, &chunked, &expected), expected);
    }
}

fn the_target_can_be_anything_visible(door: Door) {
    let server = RawServer::start(Script::respond("HTTP/1.1 204 No Content\r\n\r\n"));
    let s = door.session();
    for target in
        ["/signed/../as%2etyped", "*", "http://other.example/x", "//a", "/a#b", "?", "/{}|^"]
    {
        let before = server.received(0).len();
        let mut prepared = s.prepare(get(server.url("/ignored?q"))).unwrap();
        prepared.target = Some(target.into());
        let head = prepared.wire_head().unwrap();
        assert!(
            text(&head).starts_with(&format!("GET {target} HTTP/1.1\r\nHost: {}", server.addr()))
        );
        s.send_prepared(prepared, SendOptions::new()).unwrap();
        assert_eq!(text(&server.received(0)[before..]), text(&head));
    }
    assert_eq!(server.connections(), 1);
}

fn what_is_edited_is_what_is_sent(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let request = post(server.url("/elsewhere")).form([("k", "v")]).header("h", "v");
    let mut prepared = s.prepare(request).unwrap();
    assert_eq!(prepared.headers.get("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(prepared.headers.get("content-length"), None, "it is added when it is sent");
    assert_eq!(prepared.body.as_bytes(), Some(b"k=v".as_slice()));
    prepared.method = "PURGE".parse().unwrap();
    prepared.url.set_path("/wire");
    prepared.body = "No, I want exactly this as the body.".into();
    prepared.headers.remove("Content-Type");
    prepared.headers.insert("accept", "a/b");
    prepared.headers.insert("Keep-Dead", "parrot");
    let r = s.send_prepared(prepared, SendOptions::new()).unwrap();
    assert_eq!(
        r.text().unwrap(),
        format!(
            "PURGE /wire HTTP/1.1\r\nHost: {}\r\nUser-Agent: {AGENT}\r\n\
             Accept-Encoding: {CODINGS}\r\naccept: a/b\r\nConnection: keep-alive\r\nh: v\r\n\
             Keep-Dead: parrot\r\nContent-Length: 36\r\n\r\nNo, I want exactly this as the body.",
            server.addr()
        )
    );
    assert_eq!(r.request().method, "PURGE");
}

fn a_sent_request_can_be_sent_again(door: Door) {
    let (server, other) = (Testbed::start(), Testbed::start());
    let s = door.session();
    let mut prepared = s.prepare(post(server.url("/wire")).body("first")).unwrap();
    let first = s.send_prepared(prepared.clone(), SendOptions::new()).unwrap();
    let again = s.send_prepared(prepared.clone(), SendOptions::new()).unwrap();
    assert_eq!(first.text().unwrap(), again.text().unwrap());
    // What sending had added to a request does not stay with a copy that is edited.
    prepared = first.request().clone();
    assert!(!prepared.headers.contains("host") && !prepared.headers.contains("content-length"));
    prepared.body = Body::chunks(["second", "!"]);
    prepared.url = Url::parse(&other.url("/wire")).unwrap();
    let r = s.send_prepared(prepared, SendOptions::new()).unwrap();
    assert_eq!(
        r.text().unwrap(),
        format!(
            "POST /wire HTTP/1.1\r\nHost: {}\r\n{}Transfer-Encoding: chunked\r\n\r\nsecond!",
            other.addr(),
            defaults()
        )
    );
}

fn values_are_bytes(door: Door) {
    let server = RawServer::start(Script::respond("HTTP/1.1 204 No Content\r\n\r\n"));
    let mut s = door.session();
    s.headers().clear();
    let request = get(server.url("/"))
        .header("Latin", b"caf\xe9")
        .header("Utf8", "café")
        .header("Blank", "a  b ")
        .header("!#$%&'*+-.^_`|~09", -7);
    s.send(request).unwrap();
    let host = server.addr().to_string();
    let head = [
        b"GET / HTTP/1.1\r\nHost: ".as_slice(),
        host.as_bytes(),
        b"\r\nLatin: caf\xe9\r\nUtf8: caf\xc3\xa9\r\nBlank: a  b \r\n!#$%&'*+-.^_`|~09: -7\r\n\r\n",
    ];
    assert_eq!(Bytes::from(server.received(0)), head.concat());
}

/// Head and body are there at once: what is read first is all.
fn a_request_leaves_in_one_write(door: Door) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let s = door.session();
    for length in [0, 1, 1000, 16 << 10, 20_000] {
        std::thread::scope(|scope| {
            let server = scope.spawn(|| {
                let (mut socket, _) = listener.accept().unwrap();
                let mut buffer = vec![0; 1 << 20];
                // On the loopback device, one write is there as a whole or not at all.
                let count = socket.read(&mut buffer).unwrap();
                let response = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
                socket.write_all(response).unwrap();
                buffer.truncate(count);
                buffer
            });
            s.send(post(&url).body("x".repeat(length))).unwrap();
            let received = text(&server.join().unwrap());
            let (head, body) = received.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with(&format!("Content-Length: {length}")), "{head}");
            assert_eq!(body.len(), length);
        });
    }
}
