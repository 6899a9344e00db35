//! HTTP/2 with servers that are not ours, and what requests and responses are in it.

#![cfg(feature = "http2")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::error::Error as _;
use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use bequest::{Body, ErrorKind, HttpAdapter, HttpVersions, Request, Timeout, Version};
use support::{Client, Door, doors, get, post};
use testbed::{Lab, Server, StreamServer, Testbed};

doors![
    known_beforehand,
    #[cfg(feature = "tls")]
    negotiated_with_all_servers,
    #[cfg(feature = "tls")]
    negotiation_may_end_in_http_1,
    #[cfg(feature = "tls")]
    a_request_chooses_for_itself,
    a_large_file_comes_whole,
    few_streams_and_trailers,
    heads_are_in_the_words_of_http_2,
    responses_without_bodies,
    bodies_of_all_kinds,
    a_body_is_asked_for,
    a_server_that_speaks_no_http_2,
    what_can_not_be_sent_opens_no_connection,
    limits_hold,
    a_restarted_server_costs_nothing,
    #[cfg(feature = "tls")]
    through_proxies,
    redirects_cookies_and_auths,
];

fn http2(door: Door) -> Client {
    let mut client = door.session();
    *client.http_versions() = Some(HttpVersions::Http2);
    client
}

fn known_beforehand(door: Door) {
    let lab = Lab::shared(&[Server::Nginx, Server::Nghttp2, Server::Caddy, Server::Apache]);
    let client = http2(door);
    let mut opened = 0;
    for name in ["NGINX_H2C_URL", "NGHTTPD_H2C_URL"] {
        let url = format!("{}/hello.txt", lab.var(name));
        for _ in 0..3 {
            let reply = client.send(get(&url)).unwrap();
            assert_eq!((reply.status().as_u16(), reply.version()), (200, Version::HTTP_2));
            assert_eq!((reply.reason(), reply.text().unwrap()), ("OK", "hello\n".to_owned()));
        }
        opened += 1;
        let stats = client.stats();
        assert_eq!((stats.opened, stats.requests), (opened, 3 * opened), "{name}");
        assert_eq!((stats.reused, stats.idle, stats.in_use), (2 * opened, stats.idle, 0));
    }
}

#[cfg(feature = "tls")]
fn negotiated_with_all_servers(door: Door) {
    let lab = Lab::shared(&[Server::Nginx, Server::Nghttp2, Server::Caddy, Server::Apache]);
    let mut client = door.session();
    *client.verify() = lab.ca_file().into();
    *client.http_versions() = Some(HttpVersions::Negotiate);
    for name in ["NGINX_TLS_URL", "NGHTTPD_URL", "CADDY_TLS_URL", "APACHE_TLS_URL"] {
        let url = lab.var(name);
        let first = client.send(get(format!("{url}/"))).unwrap();
        assert_eq!(first.version(), Version::HTTP_2, "{name}");
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let reply = client.send(get(format!("{url}/"))).unwrap();
                    assert_eq!(reply.version(), Version::HTTP_2, "{name}");
                    assert_eq!(reply.content().unwrap(), first.content().unwrap(), "{name}");
                });
            }
        });
    }
}

#[cfg(feature = "tls")]
fn negotiation_may_end_in_http_1(door: Door) {
    let lab = Lab::shared(&[Server::Nginx]);
    let url = format!("{}/hello.txt", lab.var("NGINX_H1TLS_URL"));
    let mut client = door.session();
    *client.verify() = lab.ca_file().into();
    for versions in [HttpVersions::Negotiate, HttpVersions::Http1, HttpVersions::Negotiate] {
        *client.http_versions() = Some(versions);
        let reply = client.send(get(&url)).unwrap();
        assert_eq!((reply.version(), reply.text().unwrap()), (Version::HTTP_11, "hello\n".into()));
    }
    let stats = client.stats();
    assert_eq!(stats.opened, 1, "the connection that was negotiated is used by both");
    *client.http_versions() = Some(HttpVersions::Http2);
    let error = client.send(get(&url)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.remedy().is_some(), "{error}");
}

#[cfg(feature = "tls")]
fn a_request_chooses_for_itself(door: Door) {
    let server = Testbed::start();
    let mut client = door.session();
    *client.verify() = server.ca_file().into();
    let version = |client: &Client, url: String, versions: Option<HttpVersions>| {
        let request = get(url);
        let request = match versions {
            Some(versions) => request.http_versions(versions),
            None => request,
        };
        client.send(request).unwrap().version()
    };
    use HttpVersions::{Http1, Http2, Negotiate};
    let (h1, h2) = (Version::HTTP_11, Version::HTTP_2);
    for (adapter, session, request, plain, secure) in [
        (None, None, None, h1, h1),
        (None, None, Some(Negotiate), h1, h2),
        (None, Some(Negotiate), None, h1, h2),
        (None, Some(Http2), Some(Http1), h1, h1),
        (Some(Negotiate), None, None, h1, h2),
        (Some(Http2), None, None, h2, h2),
        (Some(Http2), Some(Negotiate), None, h1, h2),
        (Some(Http2), Some(Negotiate), Some(Http1), h1, h1),
    ] {
        let adapter = adapter.map(|versions| HttpAdapter::new().http_versions(versions));
        for prefix in ["http://", "https://"] {
            client.mount(prefix, adapter.clone().unwrap_or_default());
        }
        *client.http_versions() = session;
        let told = [server.url("/get"), server.https_url("/get")]
            .map(|url| version(&client, url, request));
        assert_eq!(told, [plain, secure], "{adapter:?} {session:?} {request:?}");
    }
}

fn a_large_file_comes_whole(door: Door) {
    use sha2::{Digest, Sha256};
    let lab = Lab::shared(&[Server::Nginx]);
    let base = lab.var("NGINX_H2C_URL");
    let client = http2(door);
    let reply = client.send(get(format!("{base}/big.bin"))).unwrap();
    let hash = Sha256::digest(reply.content().unwrap());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let told = client.send(get(format!("{base}/big.bin.sha256.txt"))).unwrap().text().unwrap();
    assert!(told.starts_with(&hash), "{hash} {told}");
    assert_eq!(client.stats().opened, 1);
}

/// nghttpd allows four streams, and sends trailers.
fn few_streams_and_trailers(door: Door) {
    let lab = Lab::shared(&[Server::Nghttp2]);
    let url = format!("{}/numbers.txt", lab.var("NGHTTPD_H2C_URL"));
    let client = http2(door);
    let first = client.send(get(&url)).unwrap();
    assert_eq!(first.content().unwrap().len(), 108_894);
    assert_eq!(first.trailers().unwrap().get("x-trailer"), Some("after"));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let reply = client.send(get(&url)).unwrap();
                assert_eq!(reply.content().unwrap().len(), 108_894);
            });
        }
    });
    assert!(client.stats().opened <= 16, "{:?}", client.stats());
}

fn heads_are_in_the_words_of_http_2(door: Door) {
    let server = Testbed::start();
    let request = get(server.url("/anything/a%20b"))
        .params([("k", "v w")])
        .header("X-Pizza", "Margherita")
        .header("Connection", "X-Hop")
        .header("X-Hop", "1")
        .header("TE", "trailers");
    let reply = http2(door).send(request).unwrap();
    assert_eq!(reply.request().headers.get("X-Pizza"), Some("Margherita"));
    let seen = server.requests().pop().unwrap();
    assert_eq!(seen.target, "/anything/a%20b?k=v+w");
    let names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["host", "user-agent", "accept-encoding", "accept", "x-pizza", "te"]);
    assert_eq!(seen.header("host"), Some(&*server.addr().to_string()));

    let named = get(server.url("/get")).header("Host", "other.example");
    http2(door).send(named).unwrap();
    assert_eq!(server.requests().pop().unwrap().header("host"), Some("other.example"));
}

fn responses_without_bodies(door: Door) {
    let server = Testbed::start();
    let client = http2(door);
    for (method, path, status, length) in [
        ("HEAD", "/bytes/100", 200, Some(100)),
        ("GET", "/status/204", 204, None),
        ("GET", "/status/304", 304, None),
        ("GET", "/bytes/0", 200, Some(0)),
    ] {
        let reply = client.send(Request::new(method, server.url(path))).unwrap();
        assert_eq!(reply.status(), status, "{method} {path}");
        assert_eq!(reply.content().unwrap().len(), 0, "{method} {path}");
        assert_eq!(reply.content_length().unwrap_or_default(), length.unwrap_or_default());
    }
    assert_eq!(client.stats().opened, 1);
}

fn bodies_of_all_kinds(door: Door) {
    let server = StreamServer::start(100);
    let client = http2(door);
    let text = || "0123456789".repeat(30_000);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text().as_bytes()).unwrap();
    let file = || {
        use std::io::Seek;
        let mut file: File = file.try_clone().unwrap();
        file.rewind().unwrap();
        file
    };
    let reader = || Body::reader(std::io::Cursor::new(text()));
    let chunks = || Body::chunks(vec![text()[..200_000].to_owned(), text()[200_000..].to_owned()]);
    let bodies: [Body; 7] = [
        text().into(),
        file().into(),
        reader(),
        reader().with_length(300_000),
        chunks(),
        Body::empty(),
        Body::reader(std::io::empty()),
    ];
    for (index, body) in bodies.into_iter().enumerate() {
        let reply = client.send(post(server.url("/sink")).body(body)).unwrap();
        let expected = if index < 5 { "300000" } else { "0" };
        assert_eq!(reply.text().unwrap(), expected, "body {index}");
    }
    for wrong in [299_999, 300_001] {
        let body = reader().with_length(wrong);
        let error = client.send(post(server.url("/sink")).body(body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LengthMismatch, "{error}");
    }
    let failing = Body::try_chunks([Ok("begun"), Err(std::io::Error::other("no more"))]);
    let error = client.send(post(server.url("/sink")).body(failing)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert_eq!(server.connections(), 1);
}

fn a_body_is_asked_for(door: Door) {
    let server = Testbed::start();
    let client = http2(door);
    let ask = |path: &str| {
        let request = post(server.url(path)).header("Expect", "100-continue").body("abc");
        client.send(request.timeout(Timeout::new().expect_continue(Duration::from_millis(200))))
    };
    let started = Instant::now();
    let told: serde_json::Value =
        serde_json::from_str(&ask("/count").unwrap().text().unwrap()).unwrap();
    assert_eq!(told["length"], 3);
    assert_eq!(ask("/status/403").unwrap().status(), 403);
    assert!(started.elapsed() < Duration::from_millis(1500));
}

fn a_server_that_speaks_no_http_2(door: Door) {
    let lab = Lab::shared(&[Server::Nginx]);
    let url = format!("{}/hello.txt", lab.url(Server::Nginx));
    let error = http2(door).send(get(url)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{error}");
    let source = error.source().unwrap();
    let code = source.downcast_ref::<bequest::Http2Code>().unwrap();
    assert!([0x1, 0x6].contains(&code.number()), "{code}");
}

fn what_can_not_be_sent_opens_no_connection(door: Door) {
    let server = Testbed::start();
    let client = http2(door);
    let bad = get(server.url("/get")).header("x", "a\nb");
    assert_eq!(client.send(bad).unwrap_err().kind(), ErrorKind::InvalidHeader);
    let mut prepared = client.prepare(get(server.url("/get"))).unwrap();
    prepared.target = Some("no path".into());
    let error = client.send_prepared(prepared, Default::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{error}");
    assert_eq!(server.connections(), 0);
}

fn limits_hold(door: Door) {
    let server = Testbed::start();
    let mut client = http2(door);
    client.mount("http://", HttpAdapter::new().max_head(2_000));
    let error = client.send(get(server.url("/large-head?bytes=10000"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    client.mount("http://", HttpAdapter::new().max_fields(3));
    let error = client.send(get(server.url("/response-headers?a=1&b=2&c=3"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    *client.max_content() = Some(100);
    client.mount("http://", HttpAdapter::new());
    let error = client.send(get(server.url("/bytes/101"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

/// What is idle is looked at before it is used: a request that must not be sent twice is not lost.
fn a_restarted_server_costs_nothing(door: Door) {
    let server = StreamServer::start(100);
    let client = http2(door);
    for _ in 0..3 {
        // It answers, and takes no more on this connection.
        let reply = client.send(get(server.url("/last"))).unwrap();
        assert_eq!(reply.text().unwrap(), "last");
        support::until("the connection is closed", || server.open() == 0);
        let reply = client.send(post(server.url("/sink")).body("abc")).unwrap();
        assert_eq!(reply.text().unwrap(), "3");
    }
}

#[cfg(feature = "tls")]
fn through_proxies(door: Door) {
    let lab = Lab::shared(&[Server::Nginx, Server::Proxy, Server::Socks]);
    let mut client = door.session();
    *client.verify() = lab.ca_file().into();
    *client.http_versions() = Some(HttpVersions::Http2);
    let mut proxies = vec![lab.var("SQUID_PROXY").to_owned()];
    if cfg!(feature = "socks") {
        proxies.push(format!("socks5h://{}", lab.var("SOCKS5")));
    }
    for proxy in proxies {
        *client.proxies() = bequest::Proxies::new().all(&proxy).unwrap();
        for url in ["NGINX_TLS_URL", "NGINX_H2C_URL"] {
            let reply = client.send(get(format!("{}/hello.txt", lab.var(url)))).unwrap();
            assert_eq!(reply.version(), Version::HTTP_2, "{url} by {proxy}");
            assert_eq!(reply.text().unwrap(), "hello\n");
        }
    }
}

fn redirects_cookies_and_auths(door: Door) {
    let server = Testbed::start();
    let client = http2(door);
    let reply = client.send(get(server.url("/redirect/5"))).unwrap();
    assert_eq!((reply.status().as_u16(), reply.history().len()), (200, 5));
    #[cfg(feature = "cookies")]
    {
        let reply = client.send(get(server.url("/cookies/set/k/v"))).unwrap();
        assert!(reply.text().unwrap().contains("\"k\": \"v\""), "{}", reply.text().unwrap());
    }
    let reply = client.send(get(server.url("/basic-auth/u/p")).auth(("u", "p"))).unwrap();
    assert_eq!(reply.status(), 200);
    let reply = client.send(get(server.url("/gzip"))).unwrap();
    assert_eq!(reply.text().unwrap().contains("gzipped"), cfg!(feature = "compression"));
    assert_eq!((server.connections(), client.stats().opened), (1, 1));
}
