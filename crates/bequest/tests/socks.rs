//! Through SOCKS proxies: four that are not ours, and scripts for what these don't do.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "socks")]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bequest::{Body, Error, ErrorKind, Phase, Proxies, Request, Timeout};
use serde_json::Value;
use support::{Client, Door, doors, get};
use testbed::{Lab, RawServer, Script, Server};

doors![
    each_proxy_leads_to_each_server,
    bodies_stream_both_ways,
    who_looks_up_names,
    users_and_passwords,
    ipv6_servers_are_reached,
    each_refusal_is_told,
    a_refusal_in_four_is_told,
    each_address_is_tried,
    a_proxy_that_dies_is_named,
    a_silent_proxy_is_given_up_in_time,
    replies_may_come_in_pieces,
    the_connection_is_kept,
];

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const SHORT: Duration = Duration::from_millis(200);

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Nginx, Server::Socks])
}

/// A session that trusts the lab's servers.
fn session(door: Door) -> Client {
    door.trusting(lab().ca_file())
}

fn through(url: impl AsRef<str>) -> Proxies {
    Proxies::new().all(url).unwrap()
}

/// A proxy of the lab, where it listens, and what it speaks.
const PROXIES: [(&str, &[&str]); 4] = [
    ("SOCKS5", &["socks5", "socks5h"]),
    ("SOCKS_DANTE", &["socks4", "socks5", "socks5h"]),
    ("SOCKS_SSH", &["socks4", "socks4a", "socks5", "socks5h"]),
    ("SOCKS_ANY", &["socks4", "socks4a", "socks5", "socks5h"]),
];

/// The same as schemes and URLs.
fn ways() -> impl Iterator<Item = (&'static str, String)> {
    PROXIES.into_iter().flat_map(|(name, schemes)| {
        schemes.iter().map(move |scheme| (*scheme, format!("{scheme}://{}", lab().var(name))))
    })
}

#[track_caller]
fn failure<S>(client: &Client, request: Request<S>) -> Error {
    client.send(request).map(|r| r.status()).unwrap_err()
}

fn each_proxy_leads_to_each_server(door: Door) {
    let s = session(door);
    for (_, proxy) in ways() {
        for base in ["NGINX_URL", "NGINX_TLS_URL"].map(|name| lab().var(name)) {
            let r = s.send(get(format!("{base}/whoami")).proxies(through(&proxy))).unwrap();
            assert_eq!(r.status(), 200, "{proxy} to {base}");
            let is_secure = r.json().unwrap()["tls"] != "";
            assert_eq!(is_secure, base.starts_with("https"), "{proxy} to {base}");
        }
    }
}

fn bodies_stream_both_ways(door: Door) {
    const LENGTH: usize = 3 << 20;
    let s = session(door);
    let big = fs::read(lab().state_dir().join("data/nginx/www/big.bin")).unwrap();
    for (name, scheme) in
        [("SOCKS5", "socks5h"), ("SOCKS_DANTE", "socks4"), ("SOCKS_SSH", "socks4a")]
    {
        let proxies = through(format!("{scheme}://{}", lab().var(name)));
        for base in ["NGINX_URL", "NGINX_TLS_URL"].map(|name| lab().var(name)) {
            let kind = base.split(':').next().unwrap();
            let url = format!("{base}/dav/{door:?}-{name}-{kind}.bin");
            let body = Body::reader(std::io::Cursor::new(big[1..LENGTH].to_vec()));
            let put = Request::new("PUT", &url).body(body).proxies(&proxies);
            assert!(s.send(put).unwrap().ok(), "{name} to {url}");
            let r = s.send(get(&url).stream(true).proxies(&proxies)).unwrap();
            assert!(r.content().unwrap() == big[1..LENGTH], "{name} to {url}");
        }
    }
}

fn who_looks_up_names(door: Door) {
    let s = session(door);
    let port = lab().var("NGINX_URL").rsplit(':').next().unwrap();
    let url = format!("http://proxy-only.test:{port}/whoami");
    for (scheme, proxy) in ways() {
        let request = get(&url).proxies(through(&proxy));
        if matches!(scheme, "socks4a" | "socks5h") {
            assert_eq!(s.send(request).unwrap().status(), 200, "{proxy}");
        } else {
            let error = failure(&s, request);
            assert_eq!(error.kind(), ErrorKind::Resolve, "{proxy}: {error}");
        }
    }
    // Two names of this machine, of which the proxy saw one, and of the other the address.
    for (scheme, kind) in
        [("socks5h", "domain"), ("socks4a", "domain"), ("socks5", "ipv4"), ("socks4", "ipv4")]
    {
        let url = format!("http://{scheme}.{door:?}.localhost:{port}/whoami").to_lowercase();
        let proxy = format!("{scheme}://{}", lab().var("SOCKS_ANY"));
        let r = s.send(get(&url).proxies(through(proxy)));
        let log = fs::read_to_string(lab().var("SOCKS_ANY_LOG")).unwrap();
        let asked = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let asked: Vec<_> = asked.collect();
        if kind == "domain" {
            // It knows few names; what it was asked counts.
            let host = url.split('/').nth(2).unwrap().split(':').next().unwrap();
            let seen = asked.iter().rfind(|asked| asked["host"] == host).unwrap();
            assert_eq!(
                (&seen["atyp"], seen["version"].as_u64()),
                (&"domain".into(), version(scheme))
            );
        } else {
            assert_eq!(r.unwrap().status(), 200);
            let host = "127.0.0.1";
            let seen = |asked: &&Value| {
                asked["host"] == host && asked["version"].as_u64() == version(scheme)
            };
            assert_eq!(asked.iter().rfind(seen).unwrap()["atyp"], kind);
        }
    }
}

fn version(scheme: &str) -> Option<u64> {
    Some(if scheme.starts_with("socks4") { 4 } else { 5 })
}

fn users_and_passwords(door: Door) {
    let s = session(door);
    let port = lab().var("NGINX_URL").rsplit(':').next().unwrap();
    let url = format!("http://proxy-only.test:{port}/whoami");
    for name in ["SOCKS5_AUTH", "SOCKS_ANY_AUTH"] {
        let proxy = format!("socks5h://{}", lab().var(name));
        let r = s.send(get(&url).proxies(through(&proxy))).unwrap();
        assert_eq!(r.status(), 200, "{name}");
        let wrong = proxy.replace("passwd", "s3cret");
        let none = proxy.replace("user:passwd@", "");
        for proxy in [wrong, none] {
            let error = failure(&s, get(&url).proxies(through(&proxy)));
            assert_eq!(error.kind(), ErrorKind::Proxy, "{name}: {error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
            assert!(error.remedy().is_some() && error.to_string().contains("password"), "{error}");
        }
    }
}

fn ipv6_servers_are_reached(door: Door) {
    let s = session(door);
    let url = format!("{}/whoami", lab().var("NGINX_V6_URL"));
    for scheme in ["socks5", "socks5h"] {
        let proxy = format!("{scheme}://{}", lab().var("SOCKS_ANY"));
        assert_eq!(s.send(get(&url).proxies(through(proxy))).unwrap().status(), 200);
    }
    for scheme in ["socks4", "socks4a"] {
        let proxy = format!("{scheme}://{}", lab().var("SOCKS_ANY"));
        let error = failure(&s, get(&url).proxies(through(proxy)));
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
        assert!(error.to_string().contains("SOCKS 4 has no IPv6"), "{error}");
    }
}

/// A proxy that takes anybody, and gives this reply to a request for an IPv4 address.
fn five(reply: &[u8]) -> Script {
    Script::new().read_body(3).send([5, 0]).read_body(10).send(reply)
}

fn failing_at(door: Door, scheme: &str, script: Script, port: u16) -> (Error, SocketAddr) {
    let proxy = RawServer::start(script);
    let proxies = through(format!("{scheme}://{}", proxy.addr()));
    let request = get(format!("http://192.0.2.1:{port}/")).proxies(proxies);
    (failure(&door.session(), request), proxy.addr())
}

fn each_refusal_is_told(door: Door) {
    for (code, says) in [
        (1, "failed"),
        (2, "rules"),
        (3, "network"),
        (4, "host"),
        (5, "refused"),
        (6, "TTL"),
        (7, "CONNECT"),
        (8, "address"),
        (99, "code 99"),
    ] {
        let script = five(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        let (error, addr) = failing_at(door, "socks5", script, 81);
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Some(Phase::Proxy)));
        let line = error.to_string();
        assert!(line.contains(&format!("proxy socks5://{addr}: ")), "{line}");
        assert!(line.contains("192.0.2.1:81") && line.contains(says), "{line}");
    }
}

fn a_refusal_in_four_is_told(door: Door) {
    for code in [91, 92, 93, 1] {
        let script = Script::new().read_body(9).send([0, code, 0, 0, 0, 0, 0, 0]);
        let (error, addr) = failing_at(door, "socks4", script, 81);
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Some(Phase::Proxy)));
        let line = error.to_string();
        assert!(line.contains(&format!("proxy socks4://{addr}: ")), "{line}");
        assert!(line.contains(&format!("code {code}")), "{line}");
    }
}

/// A name with two addresses, of which the proxy reaches one.
fn each_address_is_tried(door: Door) {
    let refused = [5, 5, 0, 1, 0, 0, 0, 0, 0, 0];
    let opened = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let greeting = || Script::new().read_body(3).send([5, 0]);
    let proxy = RawServer::sequence(vec![
        greeting().read_body(22).send(refused),
        greeting().read_body(10).send(opened).read_head().send(OK),
    ]);
    let proxies = through(format!("socks5://{}", proxy.addr()));
    let s = door.session();
    let r = s.send(get("http://localhost:81/").proxies(&proxies)).unwrap();
    assert_eq!(r.text().unwrap(), "hi");
    assert!(proxy.received(0)[3..].starts_with(&[5, 1, 0, 4]), "::1 is the first");
    assert_eq!(proxy.received(1)[3..13], [5, 1, 0, 1, 127, 0, 0, 1, 0, 81]);
    // What does not depend on the address ends it.
    let proxy = RawServer::start(Script::new().read_body(3).send([5, 0xff]));
    let proxies = through(format!("socks5://{}", proxy.addr()));
    assert_eq!(failure(&s, get("http://localhost:81/").proxies(&proxies)).kind(), ErrorKind::Proxy);
    assert_eq!(proxy.connections(), 1);
}

fn a_proxy_that_dies_is_named(door: Door) {
    for (script, says) in [
        (Script::new().read_body(3), "closed"),
        (Script::new().read_body(3).reset(), "lost"),
        (Script::new().read_body(3).send([5]), "closed"),
        (Script::new().read_body(3).send([5, 0]).read_body(10), "closed"),
        (Script::new().read_body(3).send("HTTP/1.1 400 Bad Request\r\n\r\n"), "http://"),
        (five(&[5, 0, 0, 1]), "closed"),
    ] {
        let (error, addr) = failing_at(door, "socks5", script, 81);
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Proxy, Some(Phase::Proxy)));
        let line = error.to_string();
        assert!(line.contains(&format!("proxy socks5://{addr}: ")), "{line}");
        assert!(line.contains(says), "{line}");
    }
    let closed = RawServer::start(Script::new()).addr();
    let proxies = through(format!("socks5h://{closed}"));
    let error = failure(&door.session(), get("http://192.0.2.1/").proxies(proxies));
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
    assert!(
        error.to_string().contains(&format!("proxy socks5h://{closed}: no connection")),
        "{error}"
    );
    // The way was there: what ends now is the server's, as far as anybody can see.
    let opened = five(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).read_head();
    let (error, _) = failing_at(door, "socks5", opened, 81);
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Disconnected, Some(Phase::Wait)));
}

fn a_silent_proxy_is_given_up_in_time(door: Door) {
    for script in [
        Script::new().wait_close(),
        Script::new().read_body(3).send([5, 0]).wait_close(),
        five(&[5, 0, 0]).wait_close(),
    ] {
        let proxy = RawServer::start(script);
        let proxies = through(format!("socks5://{}", proxy.addr()));
        let timeout = Timeout::new().connect(SHORT);
        let started = Instant::now();
        let request = get("http://192.0.2.1/").proxies(proxies).timeout(timeout);
        let error = failure(&door.session(), request);
        let elapsed = started.elapsed();
        assert_eq!(error.kind(), ErrorKind::ConnectTimeout, "{error}");
        assert_eq!(error.phase(), Some(Phase::Proxy), "{error}");
        assert!(error.to_string().contains("proxy socks5://127.0.0.1:"), "{error}");
        assert!(elapsed >= SHORT && elapsed < SHORT + Duration::from_millis(1500), "{elapsed:?}");
    }
}

fn replies_may_come_in_pieces(door: Door) {
    const PAUSE: Duration = Duration::from_millis(2);
    let name = [&[5, 0, 0, 3, 5][..], b"bound", &[0, 1]].concat();
    let six = [&[5, 0, 0, 4][..], &[1; 16], &[0, 1]].concat();
    for reply in [name, six] {
        let script =
            Script::new().read_body(3).drip([5, 0], PAUSE).read_body(10).drip(reply, PAUSE);
        let proxy = RawServer::start(script.forever(Script::new().read_head().send(OK)));
        let proxies = through(format!("socks5://{}", proxy.addr()));
        let r = door.send(get("http://192.0.2.1/a").proxies(proxies)).unwrap();
        assert_eq!(r.text().unwrap(), "hi");
        let sent = proxy.received(0);
        assert!(sent[13..].starts_with(b"GET /a HTTP/1.1\r\nHost: 192.0.2.1\r\n"));
    }
}

/// One connection through the proxy to one server, not to two.
fn the_connection_is_kept(door: Door) {
    let opened = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let proxy = RawServer::start(five(&opened).forever(Script::new().read_head().send(OK)));
    let proxies = through(format!("socks5://{}", proxy.addr()));
    let s = door.session();
    for (host, connections) in [("192.0.2.1", 1), ("192.0.2.1", 1), ("192.0.2.2", 2)] {
        let r = s.send(get(format!("http://{host}/")).proxies(&proxies)).unwrap();
        assert_eq!((r.status().as_u16(), proxy.connections()), (200, connections));
    }
}
