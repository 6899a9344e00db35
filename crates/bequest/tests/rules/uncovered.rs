//! Rules that no CVE covers, of what was found to be of their kind.

use std::io::Read as _;

use bequest::{Body, ErrorKind, Request};
use testbed::{RawServer, Script};

use super::support::{Door, doors, get, post};
use super::{ELSEWHERE, Net};

doors![
    interim_responses_are_not_the_answer,
    a_request_has_one_framing,
    a_truncated_coding_is_an_error,
    own_cookies_and_headers_stay_at_their_origin,
    a_host_header_stays_at_its_origin,
    cookies_of_a_host_are_not_for_those_below_it,
    no_cookies_for_public_suffixes,
    a_body_that_is_gone_is_not_sent_empty,
    a_malformed_line_takes_no_fields_along,
    bodies_of_redirects_are_limited,
    content_is_limited,
];

const FIRST: &str = "https://first.example/";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn interim_responses_are_not_the_answer(door: Door) {
    for status in [100, 102, 103, 150, 199] {
        let interim = format!("HTTP/1.1 {status} Wait\r\nContent-Length: 4\r\nX: y\r\n\r\n");
        let server = RawServer::start(Script::respond(interim.repeat(2) + OK));
        let client = door.session();
        for _ in 0..2 {
            let reply = client.send(get(server.url("/"))).unwrap();
            assert_eq!((reply.status().as_u16(), &*reply.text().unwrap()), (200, "ok"), "{status}");
        }
        assert_eq!(server.connections(), 1, "{status}");
    }
}

/// Whatever the caller says: one field, that is true; or an error.
fn a_request_has_one_framing(door: Door) {
    let client = door.session();
    for fields in [
        &[("Content-Length", "4"), ("Transfer-Encoding", "chunked")][..],
        &[("Transfer-Encoding", "chunked"), ("content-length", "4")],
        &[("Content-Length", "3")],
        &[("Content-Length", "4, 4")],
        &[("Content-Length", "+4")],
        &[("Transfer-Encoding", "gzip")],
        &[("Transfer-Encoding", "chunked, identity")],
        &[("Transfer-Encoding", "xchunked")],
        &[("Transfer-Encoding", "chunked")],
        &[("Content-Length", "4")],
        &[],
    ] {
        for body in [Body::from("body"), Body::chunks(["bo", "dy"])] {
            let server = RawServer::start(Script::new().read_head().send(OK).wait_close());
            let mut request = post(server.url("/")).body(body);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let sent = client.send(request).is_ok();
            let received = String::from_utf8(server.received(0)).unwrap().to_ascii_lowercase();
            let count = |name| received.matches(name).count();
            let framings = count("content-length:") + count("transfer-encoding:");
            // What turned out to have another length was begun.
            assert!(framings <= 1 && (framings == 1 || !sent), "{fields:?}: {received}");
        }
    }
}

fn a_truncated_coding_is_an_error(door: Door) {
    let mut whole = Vec::new();
    let text = "text ".repeat(1000);
    let mut encoder = flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::default());
    encoder.read_to_end(&mut whole).unwrap();
    for length in [1, 5, 10, 20, whole.len() - 8, whole.len() - 1] {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"
        );
        let body = [head.as_bytes(), &whole[..length]].concat();
        let server = RawServer::start(Script::respond(body));
        let error = door.send(get(server.url("/"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContentDecoding, "{length}: {error}");
    }
}

fn own_cookies_and_headers_stay_at_their_origin(door: Door) {
    for to in ELSEWHERE {
        let net = Net::leading(door, 302, FIRST, to);
        let request = get(FIRST).cookie("k", "s3cret");
        let names = ["X-Api-Key", "Api-Key", "X-Auth-Token", "X-Access-Token", "X-Csrf-Token"];
        let request =
            names.into_iter().fold(request, |request, name| request.header(name, "s3cret"));
        net.client.send(request.header("X-Amz-Security-Token", "s3cret")).unwrap();
        let seen = net.taken();
        assert_eq!(seen[0].head.matches("s3cret").count(), 7);
        assert!(!seen[1].head.contains("s3cret"), "{to}: {}", seen[1].head);
    }
}

fn a_host_header_stays_at_its_origin(door: Door) {
    for to in ELSEWHERE {
        let net = Net::leading(door, 302, FIRST, to);
        net.client.send(get(FIRST).header("Host", "virtual.example")).unwrap();
        let seen = net.taken();
        assert_eq!(seen[0].field("host"), Some("virtual.example"));
        let host = to.split("//").nth(1).map(|rest| rest.trim_end_matches('/'));
        assert_eq!(seen[1].field("host"), host, "{to}");
    }
}

/// Cookies that a host sets in a first request, and who gets them in a second.
#[track_caller]
fn kept(door: Door, set_by: &str, cookie: &'static str, asked: &str) -> bool {
    let net = Net::new(door, move |_| bequest::Response::builder().header("Set-Cookie", cookie));
    net.client.send(get(format!("https://{set_by}/"))).unwrap();
    net.client.send(get(format!("https://{asked}/"))).unwrap();
    net.taken()[1].field("cookie").is_some()
}

fn cookies_of_a_host_are_not_for_those_below_it(door: Door) {
    assert!(kept(door, "host.example.org", "k=v", "host.example.org"));
    assert!(!kept(door, "host.example.org", "k=v", "sub.host.example.org"));
    assert!(!kept(door, "host.example.org", "k=v", "example.org"));
    assert!(kept(door, "host.example.org", "k=v; Domain=example.org", "sub.example.org"));
    assert!(!kept(door, "host.example.org", "k=v; Domain=other.example.org", "other.example.org"));
}

fn no_cookies_for_public_suffixes(door: Door) {
    for (host, cookie, other) in [
        ("a.org", "k=v; Domain=org", "b.org"),
        ("a.co.uk", "k=v; Domain=co.uk", "b.co.uk"),
        ("a.github.io", "k=v; Domain=github.io", "b.github.io"),
        ("a.org", "k=v; Domain=.", "b.org"),
    ] {
        assert!(!kept(door, host, cookie, other), "{cookie}");
    }
}

/// By a redirect, and by a round of an auth.
fn a_body_that_is_gone_is_not_sent_empty(door: Door) {
    let redirect = "HTTP/1.1 307 Again\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n";
    let challenge = "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", \
                     algorithm=SHA-256\r\nContent-Length: 0\r\n\r\n";
    for answer in [redirect, challenge] {
        for body in [Body::reader(&b"body"[..]).with_length(4), Body::chunks(["body"])] {
            let script = Script::new().read_head().read_body(4).send(answer).wait_close();
            let server = RawServer::sequence(vec![script, Script::respond(OK)]);
            let request = post(server.url("/")).body(body);
            let request = request.auth(bequest::Digest::new("user", "password"));
            let error = door.send(request).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
            assert_eq!(server.requests(), 1);
        }
    }
}

fn a_malformed_line_takes_no_fields_along(door: Door) {
    for bad in ["no colon", "Na me: x", ": x", "X\0: y", "X : y", "\u{e4}: y"] {
        let head = format!("HTTP/1.1 200 OK\r\n{bad}\r\nSet-Cookie: k=v\r\nContent-Length: 2");
        let server = RawServer::start(Script::respond(format!("{head}\r\n\r\nok")));
        let client = door.session();
        let error = client.send(get(server.url("/"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{bad:?}: {error}");
        assert!(client.cookies().is_empty(), "{bad:?}");
    }
}

fn bodies_of_redirects_are_limited(door: Door) {
    let head = "HTTP/1.1 302 Found\r\nLocation: /there\r\n";
    for rest in ["\r\n", "Content-Length: 1000000000000\r\n\r\n"] {
        let endless = Script::new().read_head().send(format!("{head}{rest}"));
        let endless = endless.forever(Script::new().send("x".repeat(10_000)));
        let server = RawServer::sequence(vec![endless, Script::respond(OK)]);
        let reply = door.send(get(server.url("/"))).unwrap();
        assert_eq!(reply.text().unwrap(), "ok");
        assert_eq!(server.connections(), 2);
    }
}

fn content_is_limited(door: Door) {
    let endless = Script::new().read_head().send("HTTP/1.1 200 OK\r\n\r\n");
    let server = RawServer::start(endless.forever(Script::new().send("x".repeat(10_000))));
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n";
    let large = RawServer::start(Script::new().read_head().send(announced).stall());
    let mut client = door.session();
    let unset = client.max_content().unwrap();
    assert_eq!(unset, 2 << 30, "what holds where nothing is said");
    *client.max_content() = Some(1 << 20);
    for url in [server.url("/"), large.url("/")] {
        let error = client.send(Request::new("GET", url)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    }
}
