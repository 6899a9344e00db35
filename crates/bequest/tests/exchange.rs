//! Whole exchanges with a good server: what is sent is echoed, what is answered is returned.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use bequest::{Body, Request, Session, Version};
use serde::Serialize;
use serde_json::{Value, json};
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Door, doors, get, post};
use testbed::{Recorded, Testbed};

/// A socket that stays open would keep the request waiting for ever.
fn a_reader_is_not_asked_beyond_its_length(door: Door) {
    struct Open(bool);
    impl Read for Open {
        fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
            assert!(!std::mem::replace(&mut self.0, true), "asked once more");
            room[..4].copy_from_slice(b"body");
            Ok(4)
        }
    }
    let server = Testbed::start();
    let body = Body::reader(Open(false)).with_length(4);
    let r = door.send(post(server.url("/sink")).body(body)).unwrap();
    assert_eq!(r.json().unwrap()["length"], 4);
}

doors![
    a_reader_is_not_asked_beyond_its_length,
    any_method_is_sent_in_upper_case,
    parameters_are_echoed,
    bodies_are_echoed,
    headers_of_session_and_request_are_both_sent,
    session_parameters_are_merged,
    files_are_sent_from_where_they_stand,
    readers_and_chunks_are_framed_by_what_is_known,
    a_body_may_go_with_any_method,
    responses_without_a_body,
    statuses_are_no_errors,
    what_a_response_tells,
    a_streamed_response_is_read_by_content,
];

#[cfg(feature = "http2")]
http2_doors![
    a_reader_is_not_asked_beyond_its_length,
    any_method_is_sent_in_upper_case,
    parameters_are_echoed,
    bodies_are_echoed,
    headers_of_session_and_request_are_both_sent,
    session_parameters_are_merged,
    files_are_sent_from_where_they_stand,
    a_body_may_go_with_any_method,
    statuses_are_no_errors,
    a_streamed_response_is_read_by_content,
];

fn last(server: &Testbed) -> Recorded {
    server.requests().pop().unwrap()
}

fn any_method_is_sent_in_upper_case(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let methods = ["GET", "OPTIONS", "HEAD", "POST", "PUT", "PATCH", "DELETE", "MKCOL", "pRopfind"];
    for method in methods {
        let r = s.send(Request::new(method, server.url("/anything"))).unwrap();
        let sent = last(&server);
        assert_eq!(r.status(), 200, "{method}");
        assert_eq!(sent.method, method.to_ascii_uppercase());
        assert_eq!(r.request().method, sent.method.as_str());
        // An empty body is announced wherever a body would be expected.
        let announced = (!matches!(method, "GET" | "HEAD")).then_some("0");
        assert_eq!(sent.header("content-length"), announced, "{method}");
        assert_eq!(sent.header("transfer-encoding"), None, "{method}");
        match method {
            "HEAD" => assert_eq!(r.content().unwrap(), ""),
            _ => assert_eq!(r.json().unwrap()["method"], sent.method),
        }
    }
    assert_eq!(server.connections(), 1);
}

macro_rules! verbs {
    ($session:expr, $url:expr) => {{
        let (s, url) = (&$session, $url);
        let verbs = [
            ("GET", s.get(url)),
            ("OPTIONS", s.options(url)),
            ("HEAD", s.head(url)),
            ("POST", s.post(url)),
            ("PUT", s.put(url)),
            ("PATCH", s.patch(url)),
            ("DELETE", s.delete(url)),
            ("MKCOL", s.request("MKCOL", url)),
        ];
        verbs
    }};
}

#[test]
fn each_verb_has_its_method() {
    let server = Testbed::start();
    let s = Session::new();
    for (method, request) in verbs!(s, &server.url("/anything")) {
        let r = request.header("X-Verb", method).send().unwrap();
        assert_eq!((r.status().as_u16(), last(&server).method.as_str()), (200, method));
        assert_eq!(last(&server).header("x-verb"), Some(method));
    }
}

#[cfg(feature = "async")]
#[tokio::test]
async fn each_verb_has_its_method_in_async_code() {
    let server = Testbed::start();
    let s = bequest::aio::Session::new();
    for (method, request) in verbs!(s, &server.url("/anything")) {
        let r = request.header("X-Verb", method).send().await.unwrap();
        assert_eq!((r.status().as_u16(), last(&server).method.as_str()), (200, method));
        assert_eq!(last(&server).header("x-verb"), Some(method));
    }
}

#[test]
fn one_shot_calls_share_connections() {
    let server = Testbed::start();
    let url = &server.url("/anything");
    let verbs = [
        ("GET", bequest::get(url)),
        ("OPTIONS", bequest::options(url)),
        ("HEAD", bequest::head(url)),
        ("POST", bequest::post(url)),
        ("PUT", bequest::put(url)),
        ("PATCH", bequest::patch(url)),
        ("DELETE", bequest::delete(url)),
        ("MKCOL", bequest::request("mkcol", url)),
    ];
    for (method, request) in verbs {
        assert_eq!(request.send().unwrap().status(), 200);
        assert_eq!(last(&server).method, method);
    }
    assert_eq!(server.connections(), 1);
}

#[derive(Serialize)]
struct Query<'a> {
    name: &'a str,
    page: Option<u32>,
    tag: Vec<&'a str>,
    exact: bool,
}

fn parameters_are_echoed(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let url = |path: &str| server.url(path);
    let map = BTreeMap::from([("b", 2), ("a", 1)]);
    let query = Query { name: "a b", page: None, tag: vec!["x", "y"], exact: true };
    for (request, target) in [
        (get(url("/get")).params([("k", "v1"), ("k", "v2")]), "/get?k=v1&k=v2"),
        (get(url("/get?z=1")).params([("a", "1")]), "/get?z=1&a=1"),
        (get(url("/get#end")).params([("a", "1")]), "/get?a=1"),
        (get(url("/get?")).params([("a", "1")]), "/get?a=1"),
        (get(url("/get")).params(map), "/get?a=1&b=2"),
        (get(url("/get")).params(query), "/get?name=a+b&tag=x&tag=y&exact=true"),
        (get(url("/get")).params([("k", "")]), "/get?k="),
        (get(url("/get")).params([("é&=", "*'()~")]), "/get?%C3%A9%26%3D=%2A%27%28%29~"),
        (get(url("/get")).params([("k", None), ("l", Some("v"))]), "/get?l=v"),
        (get(url("/get")).params([("a", "1")]).params([("b", "2")]), "/get?a=1&b=2"),
        (get(url("/get")).params("raw=1&b"), "/get?raw=1&b"),
        (get(url("/get")).params(()), "/get"),
    ] {
        let r = s.send(request).unwrap();
        assert_eq!(r.status(), 200, "{target}");
        assert_eq!(last(&server).target, target);
    }
    let r = s.send(get(url("/get")).params([("k", "v 1"), ("k", "é&")])).unwrap();
    assert_eq!(r.json().unwrap()["args"], json!({ "k": ["v 1", "é&"] }));
}

fn bodies_are_echoed(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let url = server.url("/anything");
    let form = Some("application/x-www-form-urlencoded");
    let json = Some("application/json");
    let nested = json!({ "a": [1, 2.5, null, true], "ü": "☃" });
    let map = BTreeMap::from([("q", "a b&=é")]);
    let binary = b"\x00\xff\r\n".as_slice();
    let cases: Vec<(Request, &str, Value, Option<&str>)> = vec![
        (post(&url).form([("a", "b c"), ("a", "d")]), "form", json!({"a": ["b c", "d"]}), form),
        (post(&url).form(map), "form", json!({"q": "a b&=é"}), form),
        (post(&url).form("a=1&b=%20"), "form", json!({"a": "1", "b": " "}), form),
        (post(&url).json(&nested), "json", nested.clone(), json),
        (post(&url).json("text"), "data", json!("\"text\""), json),
        (post(&url).json([0; 0]), "data", json!("[]"), json),
        (post(&url).json(&nested).header("content-type", "a/b"), "json", nested, Some("a/b")),
        (post(&url).body("hé"), "data", json!("hé"), None),
        (post(&url).body(String::from("s")), "data", json!("s"), None),
        (post(&url).body(vec![b'v']), "data", json!("v"), None),
        (post(&url).body(bequest::Bytes::from("b")), "data", json!("b"), None),
        (
            post(&url).body(binary),
            "data",
            json!("data:application/octet-stream;base64,AP8NCg=="),
            None,
        ),
        (post(&url).body(""), "data", json!(""), None),
        (post(&url), "data", json!(""), None),
    ];
    for (at, (request, field, expected, mime)) in cases.into_iter().enumerate() {
        let r = s.send(request).unwrap();
        assert_eq!(r.json().unwrap()[field], expected, "case {at}");
        let sent = last(&server);
        assert_eq!(sent.header("content-type"), mime, "case {at}");
        assert_eq!(sent.header("content-length").unwrap(), sent.body_length.to_string());
    }
    assert_eq!(server.connections(), 1);
}

fn headers_of_session_and_request_are_both_sent(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.headers().insert("x-test", "true");
    s.send(get(server.url("/headers")).header("x-test2", "true")).unwrap();
    let sent = last(&server);
    assert_eq!((sent.header("x-test"), sent.header("x-test2")), (Some("true"), Some("true")));
    s.send(get(server.url("/headers")).header("X-Test", 7)).unwrap();
    assert_eq!(last(&server).header("x-test"), Some("7"));
    s.send(get(server.url("/headers")).without_header("X-TEST")).unwrap();
    assert_eq!(last(&server).header("x-test"), None);
    s.send(get(server.url("/headers"))).unwrap();
    let sent = last(&server);
    assert_eq!((sent.header("x-test"), sent.header("x-test2")), (Some("true"), None));
}

fn session_parameters_are_merged(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.params().insert("key", "k");
    s.params().insert("lang", "en");
    let url = || server.url("/get?a=1");
    for (request, target) in [
        (get(url()), "/get?a=1&key=k&lang=en"),
        (get(url()).params([("key", "mine"), ("x", "y")]), "/get?a=1&key=mine&lang=en&x=y"),
        (get(url()).without_param("key"), "/get?a=1&lang=en"),
        (get(url()).params("raw"), "/get?a=1&raw"),
        (get(url()), "/get?a=1&key=k&lang=en"),
    ] {
        s.send(request).unwrap();
        assert_eq!(last(&server).target, target);
    }
}

fn file_of(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

fn files_are_sent_from_where_they_stand(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let large: Vec<u8> = testbed::pattern(300_000).iter().map(|byte| byte % 26 + b'a').collect();
    for (content, position) in [
        (b"0123456789".as_slice(), 0),
        (b"0123456789", 4),
        (b"0123456789", 10),
        (b"0123456789", 25),
        (b"", 0),
        (&large, 0),
        (&large, 299_999),
    ] {
        let rest = &content[position.min(content.len())..];
        let mut file = file_of(content);
        file.seek(SeekFrom::Start(position as u64)).unwrap();
        let r = s.send(post(server.url("/post")).body(file)).unwrap();
        let sent = last(&server);
        assert_eq!(sent.header("content-length").unwrap(), rest.len().to_string());
        assert_eq!(sent.header("transfer-encoding"), None);
        assert_eq!(r.json().unwrap()["data"], std::str::from_utf8(rest).unwrap());
    }
    assert_eq!(server.connections(), 1);
}

/// A reader of a piece at a time, as pipes are.
struct Pieces(Vec<&'static str>);

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() {
            return Ok(0);
        }
        let piece = self.0.remove(0);
        out[..piece.len()].copy_from_slice(piece.as_bytes());
        Ok(piece.len())
    }
}

fn readers_and_chunks_are_framed_by_what_is_known(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let pieces = || Pieces(vec!["hi", " ", "there"]);
    for (body, length, expected) in [
        (Body::reader(pieces()), None, "hi there"),
        (Body::reader(pieces()).with_length(8), Some("8"), "hi there"),
        (Body::reader(Cursor::new("in memory")), None, "in memory"),
        (Body::reader(std::io::empty()), None, ""),
        (Body::reader(std::io::empty()).with_length(0), Some("0"), ""),
        (Body::chunks(["hi", "", " ", "there"]), None, "hi there"),
        (Body::chunks(vec![vec![b'a'], vec![b'b']]), None, "ab"),
        (Body::chunks(["a", "bc"]).with_length(3), Some("3"), "abc"),
        (Body::chunks([""; 0]), None, ""),
        (Body::try_chunks(["a", "b"].map(Ok)), None, "ab"),
        (Body::chunks((1..=5).map(|n| n.to_string())), None, "12345"),
    ] {
        let r = s.send(post(server.url("/post")).body(body)).unwrap();
        let sent = last(&server);
        assert_eq!(r.json().unwrap()["data"], expected);
        assert_eq!(sent.header("content-length"), length, "{expected}");
        let coding = length.is_none().then_some("chunked");
        assert_eq!(sent.header("transfer-encoding"), coding, "{expected}");
    }
    assert_eq!(server.connections(), 1);
}

fn a_body_may_go_with_any_method(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for method in ["GET", "DELETE", "OPTIONS", "MKCOL"] {
        let r = s.send(Request::new(method, server.url("/anything")).json([1])).unwrap();
        assert_eq!(r.json().unwrap()["json"], json!([1]), "{method}");
        assert_eq!(last(&server).header("content-length"), Some("3"), "{method}");
    }
    s.send(Request::new("HEAD", server.url("/anything")).body("abc")).unwrap();
    assert_eq!(last(&server).body_length, 3);
    assert_eq!(server.connections(), 1);
}

fn responses_without_a_body(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for (method, path, status, length) in [
        ("HEAD", "/big/1000000", 200, Some(1_000_000)),
        ("HEAD", "/big-chunked/1000000", 200, None),
        ("HEAD", "/get", 200, None),
        ("GET", "/status/204", 204, None),
        ("GET", "/status/304", 304, None),
        ("POST", "/status/204", 204, None),
        ("HEAD", "/status/404", 404, None),
        ("GET", "/bytes/0", 200, Some(0)),
    ] {
        for stream in [false, true] {
            let url = server.url(path);
            let r = s.send(Request::new(method, url).stream(stream)).unwrap();
            assert_eq!(r.status(), status, "{method} {path}");
            assert_eq!(r.content().unwrap(), "", "{method} {path}");
            assert_eq!(r.text().unwrap(), "", "{method} {path}");
            if length.is_some() {
                assert_eq!(r.content_length(), length, "{method} {path}");
            }
        }
    }
    assert_eq!(server.connections(), 1, "each of them left the connection usable");
}

fn statuses_are_no_errors(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for status in [200, 201, 299, 400, 404, 418, 499, 500, 503, 599, 600, 999] {
        let r = s.send(get(server.url(&format!("/status/{status}")))).unwrap();
        assert_eq!(r.status().as_u16(), status);
        assert_eq!(r.ok(), !(400..600).contains(&status), "{status}");
        let url = r.url().clone();
        match r.into_response().error_for_status() {
            Ok(same) => assert!(same.ok()),
            Err(error) => {
                assert_eq!(error.kind(), bequest::ErrorKind::HttpStatus);
                let side = if status < 500 { "Client" } else { "Server" };
                let message = error.to_string();
                assert!(message.starts_with(&format!("{status} {side} Error: ")), "{message}");
                assert!(message.ends_with(&format!(" for url: {url}")), "{message}");
                assert_eq!(error.response().unwrap().status(), status);
                assert_eq!(error.into_response().unwrap().status(), status);
            }
        }
    }
    assert_eq!(server.connections(), 1);
}

fn what_a_response_tells(door: Door) {
    let server = Testbed::start();
    let path = "/response-headers?X-One=1&x-one=2&Y=z#there";
    let s = door.session();
    let r = s.send(get(server.url(path))).unwrap();
    assert_eq!((r.status().as_u16(), r.reason()), (200, "OK"));
    assert_eq!(r.version(), Version::HTTP_11);
    assert_eq!(r.url().as_str(), server.url(path), "with its fragment");
    assert_eq!(r.headers().get_all("X-ONE").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(r.headers().get("y"), Some("z"));
    assert_eq!(r.content_length(), Some(r.content().unwrap().len() as u64));
    assert_eq!(r.remote_addr(), Some(server.addr()));
    assert!(r.history().is_empty());
    assert!(r.trailers().is_none());
    assert!(r.elapsed() > Duration::ZERO && r.elapsed() < Duration::from_secs(5));
    assert!(r.timings().connect.is_some());
    assert!(r.timings().tls.is_none());
    assert_eq!(format!("{:?}", r.into_response()), "<Response [200]>");
    let again = s.send(get(server.url(path))).unwrap();
    assert!(again.timings().connect.is_none(), "the connection was there already");
    assert_eq!(again.remote_addr(), Some(server.addr()));
}

fn a_streamed_response_is_read_by_content(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for path in ["/big/300000", "/big-chunked/300000"] {
        let r = s.send(get(server.url(path)).stream(true)).unwrap();
        let expected = testbed::pattern(300_000);
        assert_eq!(r.content().unwrap(), expected);
        assert_eq!(r.content().unwrap(), expected, "as often as one likes");
    }
    let r = s.send(get(server.url("/json")).stream(true)).unwrap();
    assert_eq!(r.json().unwrap()["slideshow"]["author"], "A. Tester");
    assert!(r.text().unwrap().starts_with('{'));
    assert_eq!(server.connections(), 1);
}
