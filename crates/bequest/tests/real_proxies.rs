//! Through proxies that are not ours: squid, tinyproxy, stunnel, HAProxy, mitmproxy, and four of SOCKS.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "tls")]

mod support;

use std::fs;

use bequest::{Body, Error, ErrorKind, HttpAdapter, Proxies, Request};
use support::{Client, Door, doors, get};
use testbed::{Lab, Server};

doors![
    each_proxy_leads_to_each_server,
    bodies_stream_both_ways,
    names_are_looked_up_by_the_proxy,
    what_squid_refuses,
    a_proxy_has_its_own_trust,
    a_proxy_may_ask_for_a_certificate,
    mitmproxy_opens_what_it_may,
];

fn lab() -> &'static Lab {
    Lab::shared(&[
        Server::Httpbin,
        Server::Nginx,
        Server::Badserver,
        Server::Proxy,
        Server::Haproxy,
        Server::Mitmproxy,
    ])
}

/// A session that trusts the lab's servers.
fn session(door: Door) -> Client {
    door.trusting(lab().ca_file())
}

/// All requests go through this proxy, which is trusted as the lab's servers are.
fn through(url: &str) -> Proxies {
    Proxies::new().all(url).unwrap().verify(lab().ca_file())
}

/// Those that want no credentials.
const OPEN: [&str; 4] = ["SQUID_PROXY", "TINYPROXY", "SQUID_TLS_PROXY", "HAPROXY_TLS_PROXY"];

/// The ways to one server, without TLS and with it.
fn servers() -> [String; 2] {
    ["NGINX_URL", "NGINX_TLS_URL"].map(|name| lab().var(name).to_owned())
}

#[track_caller]
fn failure<S>(client: &Client, request: Request<S>) -> Error {
    client.send(request).map(|r| r.status()).unwrap_err()
}

fn each_proxy_leads_to_each_server(door: Door) {
    let s = session(door);
    for name in OPEN {
        let proxies = through(lab().var(name));
        for base in servers() {
            for _ in 0..2 {
                let r = s.send(get(format!("{base}/whoami")).proxies(&proxies)).unwrap();
                assert_eq!(r.status(), 200, "{name} to {base}");
                let is_secure = r.json().unwrap()["tls"] != "";
                assert_eq!(is_secure, base.starts_with("https"), "{name} to {base}");
            }
        }
    }
}

fn bodies_stream_both_ways(door: Door) {
    const LENGTH: usize = 3 << 20;
    let mut s = session(door);
    // tinyproxy closes each connection and does not say so: what can be sent only once might be on
    // its way by then.
    for scheme in ["http://", "https://"] {
        s.mount(scheme, HttpAdapter::new().pool_maxsize(0));
    }
    let big = fs::read(lab().state_dir().join("data/nginx/www/big.bin")).unwrap();
    for name in OPEN {
        let proxies = through(lab().var(name));
        for (base, scheme) in servers().into_iter().zip(["http", "https"]) {
            let range = format!("bytes=0-{}", LENGTH - 1);
            let request = get(format!("{base}/big.bin")).header("Range", range).stream(true);
            let r = s.send(request.proxies(&proxies)).unwrap();
            assert_eq!(r.status(), 206, "{name} to {base}");
            assert!(r.content().unwrap() == big[..LENGTH], "{name} to {base}");

            let url = format!("{base}/dav/{door:?}-{name}-{scheme}.bin");
            for (body, from) in [
                (Body::reader(std::io::Cursor::new(big[1..LENGTH].to_vec())), 1),
                (Body::from(big[2..LENGTH].to_vec()), 2),
            ] {
                let put = Request::new("PUT", &url).body(body).proxies(&proxies);
                assert!(s.send(put).unwrap().ok(), "{name} to {url}");
                let back = s.send(get(&url).proxies(&proxies)).unwrap().content().unwrap();
                assert!(back == big[from..LENGTH], "{name} to {url}");
            }
        }
    }
}

fn names_are_looked_up_by_the_proxy(door: Door) {
    let s = session(door);
    let port = lab().var("NGINX_URL").rsplit(':').next().unwrap();
    let url = format!("http://proxy-only.test:{port}/whoami");
    for name in ["SQUID_PROXY", "TINYPROXY", "SQUID_TLS_PROXY"] {
        let r = s.send(get(&url).proxies(through(lab().var(name)))).unwrap();
        assert_eq!(r.status(), 200, "{name}");
    }
    // Also the name that a tunnel leads to; the certificate is for another one.
    let port = lab().var("NGINX_TLS_URL").rsplit(':').next().unwrap();
    let tunnel = get(format!("https://proxy-only.test:{port}/whoami")).verify(false);
    let r = s.send(tunnel.proxies(through(lab().var("SQUID_PROXY")))).unwrap();
    assert_eq!(r.status(), 200);
    let error = failure(&s, get(&url));
    assert_eq!(error.kind(), ErrorKind::Resolve, "{error}");
}

fn what_squid_refuses(door: Door) {
    let s = session(door);
    let proxies = through(lab().var("SQUID_PROXY"));
    // What it is asked for itself it answers itself.
    let r = s.send(get("http://denied.test/").proxies(&proxies)).unwrap();
    assert_eq!(r.status(), 403);
    let error = failure(&s, get("https://denied.test/").proxies(&proxies));
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
    let refusal = error.response().unwrap();
    assert_eq!(refusal.status(), 403);
    assert!(refusal.headers().get("x-squid-error").unwrap().contains("DENIED"));
    assert!(refusal.text().unwrap().contains("denied.test"));
    let refused = lab().var("REFUSED").trim_start_matches("http://").to_owned();
    let r = s.send(get(format!("http://{refused}/")).proxies(&proxies)).unwrap();
    assert_eq!(r.status(), 503);
    let error = failure(&s, get(format!("https://{refused}/")).proxies(&proxies));
    assert_eq!(error.response().unwrap().status(), 503, "{error}");
}

/// How the server is verified says nothing of the proxy, and the other way round.
fn a_proxy_may_ask_for_a_certificate(door: Door) {
    let mut s = session(door);
    let proxies = through(lab().var("SQUID_MTLS_PROXY"));
    let both = lab().state_dir().join("certs/client-both.pem");
    for base in servers() {
        let target = || get(format!("{base}/whoami"));
        let shown = proxies.clone().cert(both.clone());
        assert_eq!(s.send(target().proxies(&shown)).unwrap().status(), 200, "{base}");
        // A connection that was made with it serves nobody else, and what a server would be shown is
        // not for the proxy.
        *s.cert() = Some(both.clone().into());
        let error = failure(&s, target().proxies(&proxies));
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
        assert!(error.to_string().contains("proxy https://localhost:"), "{error}");
        *s.cert() = None;
    }
}

fn a_proxy_has_its_own_trust(door: Door) {
    let url = lab().var("SQUID_TLS_PROXY");
    let untrusting = Proxies::new().all(url).unwrap();
    for base in servers() {
        let s = session(door);
        let target = || get(format!("{base}/whoami"));
        for request in [target(), target().verify(false)] {
            let error = failure(&s, request.proxies(&untrusting));
            assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
            assert!(error.to_string().contains("proxy https://localhost:"), "{error}");
            assert!(error.remedy().unwrap().contains("Proxies::verify"), "{error}");
        }
        let trusting = untrusting.clone().verify(lab().ca_file());
        let careless = untrusting.clone().verify(false);
        for proxies in [&trusting, &careless] {
            assert_eq!(s.send(target().proxies(proxies)).unwrap().status(), 200);
        }
        // The proxy may be anybody, the server not.
        if base.starts_with("https") {
            let error = failure(&door.session(), target().proxies(&careless));
            assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        }
        // A name that is not the certificate's.
        let other = url.replace("localhost", "proxy.localhost");
        let error = failure(&s, target().proxies(through(&other)));
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
        // One that speaks no TLS.
        let plain = lab().var("SQUID_PROXY").replace("http:", "https:");
        let error = failure(&s, target().proxies(through(&plain)));
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
        assert!(error.remedy().unwrap().contains("http://"), "{error}");
    }
}

fn mitmproxy_opens_what_it_may(door: Door) {
    let s = session(door);
    let proxies = through(lab().var("MITM_PROXY"));
    for base in servers() {
        let url = format!("{base}/whoami");
        let is_tls = base.starts_with("https");
        if is_tls {
            // It shows certificates of its own authority, which has to be trusted.
            let error = failure(&s, get(&url).proxies(&proxies));
            assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        }
        let r = s.send(get(&url).verify(lab().var("MITM_CA")).proxies(&proxies)).unwrap();
        assert_eq!(r.status(), 200);
        assert_eq!(r.json().unwrap()["tls"] != "", is_tls);
        let log = fs::read_to_string(lab().var("MITM_LOG")).unwrap();
        assert!(log.contains(&url), "{log}");
    }
}
