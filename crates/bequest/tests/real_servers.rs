//! Against servers that are not ours: httpbin under gunicorn, and nginx.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Seek, Write};

use bequest::{Body, Request, Session};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Client, Door, doors, get, post};
use testbed::{Lab, Server};

doors![
    httpbin_echoes,
    httpbin_statuses,
    httpbin_streams,
    #[cfg(feature = "compression")]
    httpbin_packs,
    httpbin_speaks_utf_8,
    nginx_serves_files,
    nginx_answers_head,
    nginx_sends_a_large_file_whole,
    nginx_takes_uploads,
    nginx_closes_after_two_requests,
    nginx_closes_after_each_response,
    nginx_refuses_a_large_body_early,
    nginx_speaks_one_version_of_tls,
    nginx_answers_over_ipv6,
];

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Httpbin, Server::Nginx])
}

/// A session that trusts the lab.
fn session(door: Door) -> Client {
    door.trusting(lab().ca_file())
}

/// A server's URLs without and with TLS.
fn both(plain: &str, tls: &str) -> [String; 2] {
    [lab().var(plain).to_owned(), lab().var(tls).to_owned()]
}

fn httpbin_echoes(door: Door) {
    let s = session(door);
    for base in both("HTTPBIN_URL", "HTTPBIN_TLS_URL") {
        let r = s.send(get(format!("{base}/get")).params([("k", "v 1"), ("k", "é&")])).unwrap();
        let told = r.json().unwrap();
        assert_eq!(told["args"], json!({ "k": ["v 1", "é&"] }));
        let agent = concat!("bequest/", env!("CARGO_PKG_VERSION"));
        assert_eq!(told["headers"]["User-Agent"], agent);

        let url = |path: &str| format!("{base}/{path}");
        let reader = || Body::reader("from a reader".as_bytes());
        let cases: Vec<(Request, &str, Value)> = vec![
            (
                post(url("post")).form([("a", "b c"), ("ü", "&=")]),
                "form",
                json!({"a": "b c", "ü": "&="}),
            ),
            (post(url("post")).json(json!({"a": [1, null]})), "json", json!({"a": [1, null]})),
            (post(url("post")).body("text"), "data", json!("text")),
            (post(url("post")).body(""), "data", json!("")),
            (post(url("post")).body(reader().with_length(13)), "data", json!("from a reader")),
            (post(url("post")).body(reader()), "data", json!("from a reader")),
            (post(url("post")).body(Body::chunks(["hi", "there"])), "data", json!("hithere")),
            (Request::new("PUT", url("put")).body("put"), "data", json!("put")),
            (Request::new("PATCH", url("patch")).json(1), "json", json!(1)),
            (Request::new("DELETE", url("delete")), "data", json!("")),
            (Request::new("DELETE", url("delete")).body("gone"), "data", json!("gone")),
            (Request::new("PUT", url("anything/x/y")), "method", json!("PUT")),
            (get(url("anything")).header("X-Own", "1"), "method", json!("GET")),
        ];
        for (at, (request, field, expected)) in cases.into_iter().enumerate() {
            let r = s.send(request).unwrap();
            assert_eq!(r.status(), 200, "case {at} of {base}");
            assert_eq!(r.json().unwrap()[field], expected, "case {at} of {base}");
        }
        let r = s.send(get(url("basic-auth/user/pass")).auth(("user", "pass"))).unwrap();
        assert_eq!(r.json().unwrap()["authenticated"], true);
        let r = s.send(Request::new("OPTIONS", url("get"))).unwrap();
        assert!(r.headers().get("allow").unwrap().contains("GET"));
    }
}

fn httpbin_statuses(door: Door) {
    let s = session(door);
    for base in both("HTTPBIN_URL", "HTTPBIN_TLS_URL") {
        for status in [200, 201, 204, 304, 400, 404, 418, 500, 503] {
            let r = s.send(get(format!("{base}/status/{status}"))).unwrap();
            assert_eq!(r.status().as_u16(), status, "{base}");
            assert_eq!(r.ok(), status < 400);
        }
    }
}

#[cfg(feature = "compression")]
fn httpbin_packs(door: Door) {
    let s = session(door);
    for base in both("HTTPBIN_URL", "HTTPBIN_TLS_URL") {
        for (path, coding, flag) in [
            ("gzip", "gzip", "gzipped"),
            ("deflate", "deflate", "deflated"),
            ("brotli", "br", "brotli"),
        ] {
            let r = s.send(get(format!("{base}/{path}"))).unwrap();
            assert_eq!(r.headers().get("content-encoding"), Some(coding));
            assert_eq!(r.json().unwrap()[flag], true, "{base}/{path}");
        }
    }
}

fn httpbin_streams(door: Door) {
    let s = session(door);
    for base in both("HTTPBIN_URL", "HTTPBIN_TLS_URL") {
        let r = s.send(get(format!("{base}/stream/20")).stream(true)).unwrap();
        let text = r.text().unwrap();
        assert_eq!(text.lines().count(), 20);
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["id"], 19);
        let r = s.send(get(format!("{base}/drip?numbytes=5&duration=0.2"))).unwrap();
        assert_eq!(r.content().unwrap(), "*****");
        let r = s.send(get(format!("{base}/bytes/1000?seed=1"))).unwrap();
        let again = s.send(get(format!("{base}/bytes/1000?seed=1")).stream(true)).unwrap();
        assert_eq!(r.content().unwrap().len(), 1000);
        assert_eq!(r.content().unwrap(), again.content().unwrap());
        let r = s.send(get(format!("{base}/stream-bytes/100000?seed=1"))).unwrap();
        assert_eq!(r.content().unwrap().len(), 100_000);
    }
}

/// What nginx tells of the request that asks.
fn whoami(s: &Client, base: &str) -> Value {
    s.send(get(format!("{base}/whoami"))).unwrap().json().unwrap()
}

fn httpbin_speaks_utf_8(door: Door) {
    let r = session(door).send(get(format!("{}/encoding/utf8", lab().var("HTTPBIN_URL")))).unwrap();
    assert_eq!(r.encoding().as_deref(), Some("utf-8"));
    assert_eq!(r.apparent_encoding().unwrap(), Some("utf-8"));
    assert!(r.text().unwrap().contains("STARGΛ̊TE SG-1"));
}

fn nginx_serves_files(door: Door) {
    for base in both("NGINX_URL", "NGINX_TLS_URL") {
        let s = session(door);
        let first = whoami(&s, &base);
        for (path, expected) in [
            ("/hello.txt", "hello\n"),
            ("/☃.txt", "☃\n"),
            ("/%E2%98%83.txt", "☃\n"),
            ("/zero.bin", ""),
        ] {
            let r = s.send(get(format!("{base}{path}"))).unwrap();
            assert_eq!(r.content().unwrap(), expected, "{path}");
            assert_eq!(r.content_length(), Some(expected.len() as u64));
            assert!(r.headers().get("server").unwrap().starts_with("nginx"));
        }
        assert_eq!(s.send(get(format!("{base}/empty"))).unwrap().status(), 204);
        assert_eq!(s.send(get(format!("{base}/nothing"))).unwrap().status(), 404);
        let numbers = s.send(get(format!("{base}/numbers.txt"))).unwrap();
        let expected: String = (1..=20_000).map(|n| format!("{n}\n")).collect();
        assert_eq!(numbers.content().unwrap(), expected);
        let last = whoami(&s, &base);
        assert_eq!(last["connection"], first["connection"]);
        assert_eq!(last["requests_on_connection"], 9);
        assert_eq!(last["protocol"], "HTTP/1.1");
    }
}

fn nginx_answers_head(door: Door) {
    for base in both("NGINX_URL", "NGINX_TLS_URL") {
        let s = session(door);
        let url = |path: &str| format!("{base}{path}");
        for (path, length) in [("/hello.txt", 6), ("/big.bin", 64 << 20), ("/zero.bin", 0)] {
            let r = s.send(Request::new("HEAD", url(path))).unwrap();
            assert_eq!(r.status(), 200, "{path}");
            assert_eq!(r.content_length(), Some(length), "{path}");
            assert_eq!(r.content().unwrap(), "");
        }
        assert_eq!(whoami(&s, &base)["requests_on_connection"], 4);
    }
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn nginx_sends_a_large_file_whole(door: Door) {
    for base in both("NGINX_URL", "NGINX_TLS_URL") {
        let s = session(door);
        let told = s.send(get(format!("{base}/big.bin.sha256.txt"))).unwrap().text().unwrap();
        let r = s.send(get(format!("{base}/big.bin")).stream(true)).unwrap();
        assert_eq!(r.content_length(), Some(64 << 20));
        let digest = match door {
            Door::Blocking => {
                let mut digest = Sha256::new();
                let r = r.into_response();
                r.iter_content(None).for_each(|piece| digest.update(piece.unwrap()));
                digest
            }
            #[cfg(feature = "async")]
            Door::Aio => Sha256::new_with_prefix(r.content().unwrap()),
        };
        assert_eq!(told.split(' ').next().unwrap(), hex(digest), "{base}");
        assert_eq!(whoami(&s, &base)["requests_on_connection"], 3);
    }
}

#[test]
fn nginx_sends_a_large_file_to_readers() {
    let mut s = Session::new();
    s.verify = lab().ca_file().into();
    for base in both("NGINX_URL", "NGINX_TLS_URL") {
        let told = s.get(format!("{base}/big.bin.sha256.txt")).send().unwrap().text().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        let r = s.get(format!("{base}/big.bin")).stream(true).send().unwrap();
        assert_eq!(std::io::copy(&mut r.into_reader(), &mut file).unwrap(), 64 << 20);
        file.rewind().unwrap();
        let mut digest = Sha256::new();
        let mut reader = std::io::BufReader::with_capacity(1 << 20, file);
        while let Ok(bytes @ [_, ..]) = std::io::BufRead::fill_buf(&mut reader) {
            digest.update(bytes);
            let count = bytes.len();
            std::io::BufRead::consume(&mut reader, count);
        }
        assert_eq!(told.split(' ').next().unwrap(), hex(digest), "{base}");
    }
}

fn nginx_takes_uploads(door: Door) {
    let content = testbed::pattern(3_000_000);
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    file.rewind().unwrap();
    for base in both("NGINX_URL", "NGINX_TLS_URL") {
        let s = session(door);
        // Files of their own, since the tests of both doors run at the same time.
        let url = |name: &str| format!("{base}/dav/{door:?}-{}-{name}", base.len());
        let reader = || Body::reader(std::io::Cursor::new(content.clone()));
        for (name, body) in [
            ("file", Body::from(file.try_clone().unwrap())),
            ("bytes", content.clone().into()),
            ("sized", reader().with_length(content.len() as u64)),
            ("chunked", reader()),
        ] {
            file.rewind().unwrap();
            let r = s.send(Request::new("PUT", url(name)).body(body)).unwrap();
            assert!([201, 204].contains(&r.status().as_u16()), "{name}: {}", r.status());
            let r = s.send(get(url(name))).unwrap();
            assert!(r.content().unwrap() == content, "{name} came back different");
            let r = s.send(Request::new("DELETE", url(name))).unwrap();
            assert_eq!(r.status(), 204);
        }
        let r = s.send(Request::new("MKCOL", url("folder/"))).unwrap();
        assert_eq!(r.status(), 201);
        assert_eq!(s.send(Request::new("DELETE", url("folder/"))).unwrap().status(), 204);
        let r =
            s.send(Request::new("PUT", format!("{base}/upload")).body(content.clone())).unwrap();
        assert!([201, 204].contains(&r.status().as_u16()), "{}", r.status());
    }
}

fn nginx_closes_after_two_requests(door: Door) {
    for base in both("NGINX_URL", "NGINX_TLS_URL") {
        let s = session(door);
        for n in 0..6 {
            let r = s.send(get(format!("{base}/keepalive2"))).unwrap();
            assert_eq!(r.json().unwrap()["requests_on_connection"], n % 2 + 1);
            assert_eq!(r.timings().connect.is_some(), n % 2 == 0);
        }
        for _ in 0..3 {
            let r = s.send(post(format!("{base}/keepalive2")).body("x")).unwrap();
            assert_eq!(r.status(), 200);
        }
    }
}

fn nginx_closes_after_each_response(door: Door) {
    for base in both("NGINX_URL", "NGINX_TLS_URL") {
        let s = session(door);
        for _ in 0..3 {
            let r = s.send(get(format!("{base}/close"))).unwrap();
            assert_eq!(r.text().unwrap(), "hello\n");
            assert_eq!(r.headers().get("connection"), Some("close"));
            assert!(r.timings().connect.is_some());
        }
    }
}

fn nginx_refuses_a_large_body_early(door: Door) {
    for base in both("NGINX_URL", "NGINX_TLS_URL") {
        let s = session(door);
        for body in [Body::from(vec![b'x'; 20 << 20]), Body::reader(std::io::repeat(b'x'))] {
            let r = s.send(post(format!("{base}/small")).body(body)).unwrap();
            assert_eq!(r.status(), 413, "{base}");
            assert!(r.text().unwrap().contains("413"));
        }
        assert_eq!(whoami(&s, &base)["requests_on_connection"], 1);
    }
}

fn nginx_speaks_one_version_of_tls(door: Door) {
    let s = session(door);
    for (server, version) in [("NGINX_TLS12_URL", "TLSv1.2"), ("NGINX_TLS13_URL", "TLSv1.3")] {
        let base = lab().var(server);
        for n in 1..=2 {
            let told = whoami(&s, base);
            assert_eq!(told["tls"], version);
            assert_eq!(told["sni"], "localhost");
            assert_eq!(told["requests_on_connection"], n);
        }
        let r = s.send(get(format!("{base}/numbers.txt"))).unwrap();
        assert!(r.text().unwrap().ends_with("\n20000\n"));
    }
}

fn nginx_answers_over_ipv6(door: Door) {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // The machine has no IPv6.
    }
    let s = session(door);
    let base = lab().var("NGINX_V6_URL");
    let told = whoami(&s, base);
    assert_eq!(told["host"], base.strip_prefix("http://").unwrap());
    let r = s.send(get(format!("{base}/hello.txt"))).unwrap();
    assert_eq!(r.text().unwrap(), "hello\n");
    assert!(r.remote_addr().unwrap().is_ipv6());
    // By TLS the address is verified as it is written.
    let port = lab().var("NGINX_TLS_URL").rsplit(':').next().unwrap();
    let told = whoami(&s, &format!("https://[::1]:{port}"));
    assert_eq!((told["sni"].as_str(), told["protocol"].as_str()), (Some(""), Some("HTTP/1.1")));
}
