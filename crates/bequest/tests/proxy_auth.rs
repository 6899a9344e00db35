//! Who we are at a proxy: told to the proxy when it may be, and never to anybody else.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(all(feature = "digest", feature = "tls"))]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bequest::{Body, Digest, Error, ErrorKind, Proxies, ProxyAuth, Request};
use support::{Client, Door, doors, get, post};
use testbed::{Lab, RawServer, Script, Server, Testbed};

doors![
    basic_is_told_at_once,
    digest_is_told_when_asked,
    a_challenge_may_end_the_connection,
    what_is_wrong_is_told_once,
    whoever_knows_is_asked,
    bodies_are_sent_again,
    bodies_that_are_gone_are_an_error,
    an_origin_s_challenge_is_not_met,
    redirects_take_nothing_along,
    tunnels_of_two_users_are_two,
    real_proxies_know_us,
    real_proxies_refuse_others,
    real_origins_learn_nothing,
];

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const BASIC: &str = "Basic dXNlcjpwYXNzd2Q=";
const ASKS_BASIC: &str = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"kit\"\r\n\
                          Content-Length: 4\r\n\r\nwho?";
const ASKS_DIGEST: &str = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm=\"kit\", \
                           nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\r\n\
                           Content-Length: 4\r\n\r\nwho?";
const REFUSES: &str = "HTTP/1.1 502 Gone\r\nContent-Length: 0\r\n\r\n";

fn proxy_url(server: &RawServer) -> String {
    format!("http://{}", server.addr())
}

fn known(server: &RawServer) -> Proxies {
    Proxies::new().all(format!("http://user:passwd@{}", server.addr())).unwrap()
}

/// The request heads that a connection brought.
fn heads(server: &RawServer, connection: usize) -> Vec<String> {
    let text = String::from_utf8(server.received(connection)).unwrap();
    text.split_inclusive("\r\n\r\n").map(str::to_owned).collect()
}

/// What a head says of us.
fn told(head: &str) -> Option<&str> {
    let mut lines = head.lines();
    lines.find_map(|line| line.strip_prefix("Proxy-Authorization: "))
}

#[track_caller]
fn failure<S>(client: &Client, request: Request<S>) -> Error {
    client.send(request).map(|r| r.status()).unwrap_err()
}

/// The two forms of what a proxy is asked.
const URLS: [&str; 2] = ["http://origin.test/a?b", "https://origin.test/a?b"];

/// Sends it; through a tunnel, that ends with what the proxy says in the end.
fn send_to(s: &Client, url: &str, proxies: &Proxies) -> Result<u16, Error> {
    s.send(get(url).proxies(proxies)).map(|r| r.status().as_u16())
}

fn basic_is_told_at_once(door: Door) {
    for url in URLS {
        let proxy = RawServer::start(Script::respond(REFUSES));
        let by_pair = Proxies::new().all(proxy_url(&proxy)).unwrap().auth(("user", "passwd"));
        for proxies in [known(&proxy), by_pair] {
            let _ = send_to(&door.session(), url, &proxies);
        }
        for connection in 0..2 {
            assert_eq!(told(&heads(&proxy, connection)[0]), Some(BASIC), "{url}");
        }
    }
    // A caller's own field makes way.
    let proxy = RawServer::start(Script::respond(OK));
    let request = get(URLS[0]).header("proxy-authorization", "mine").proxies(known(&proxy));
    door.send(request).unwrap();
    let head = &heads(&proxy, 0)[0];
    assert_eq!(told(head), Some(BASIC));
    assert!(!head.contains("mine"), "{head}");
}

fn digest_is_told_when_asked(door: Door) {
    for (url, uri, replies) in
        [(URLS[0], "http://origin.test/a?b", OK), (URLS[1], "origin.test:443", REFUSES)]
    {
        let script = Script::new().read_head().send(ASKS_DIGEST);
        let proxy = RawServer::start(script.forever(Script::new().read_head().send(replies)));
        let hidden =
            Proxies::new().all(proxy_url(&proxy)).unwrap().auth(Digest::new("user", "passwd"));
        let s = door.session();
        let _ = send_to(&s, url, &hidden);
        let asked = heads(&proxy, 0);
        assert_eq!(asked.len(), 2, "on the connection that it had: {asked:?}");
        assert_eq!(told(&asked[0]), None, "{asked:?}");
        let answer = told(&asked[1]).unwrap();
        let begin = "Digest username=\"user\", realm=\"kit\", nonce=\"n1\", ";
        assert!(answer.starts_with(begin), "{answer}");
        assert!(answer.contains(&format!("uri=\"{uri}\"")), "{answer}");
        assert!(answer.contains("nc=00000001") && answer.contains("algorithm=\"SHA-256\""));
        // From then on it is known.
        let _ = send_to(&s, url, &hidden);
        let again = heads(&proxy, usize::from(url.starts_with("https")));
        let again = again.last().unwrap();
        if url.starts_with("http:") {
            assert!(told(again).unwrap().contains("nc=00000002"), "{again}");
        } else {
            // The second connection plays the script from its beginning.
            assert!(told(again).unwrap().contains("nc=0000000"), "{again}");
        }
        // Those of the URL are told at once, but a proxy may want them another way.
        let script = Script::new().read_head().send(ASKS_DIGEST).read_head().send(replies);
        let proxy = RawServer::start(script);
        let _ = send_to(&s, url, &known(&proxy));
        let asked = heads(&proxy, 0);
        assert_eq!(told(&asked[0]), Some(BASIC));
        assert!(told(&asked[1]).unwrap().starts_with("Digest "), "{asked:?}");
    }
}

fn a_challenge_may_end_the_connection(door: Door) {
    let closing = ASKS_DIGEST.replace("Content-Length", "Connection: close\r\nContent-Length");
    let longer = ASKS_DIGEST.replace("Length: 4", "Length: 100000") + &"x".repeat(99_996);
    let unsaid =
        "HTTP/1.0 407 Who\r\nProxy-Authenticate: Digest realm=\"kit\", nonce=\"n1\"\r\n\r\nno";
    for challenge in [&closing, ASKS_DIGEST, &longer, unsaid] {
        for (url, reply) in [(URLS[0], OK), (URLS[1], REFUSES)] {
            let proxy = RawServer::sequence(vec![
                Script::new().read_head().send(challenge),
                Script::new().read_head().send(reply),
            ]);
            let proxies =
                Proxies::new().all(proxy_url(&proxy)).unwrap().auth(Digest::new("user", "passwd"));
            let sent = send_to(&door.session(), url, &proxies);
            assert_eq!(proxy.connections(), 2, "{url}");
            assert!(told(&heads(&proxy, 1)[0]).is_some_and(|told| told.starts_with("Digest ")));
            match sent {
                Ok(status) => assert_eq!(status, 200),
                Err(error) => assert_eq!(error.response().unwrap().status(), 502, "{error}"),
            }
        }
    }
}

fn what_is_wrong_is_told_once(door: Door) {
    for challenge in [ASKS_BASIC, ASKS_DIGEST] {
        for url in URLS {
            let proxy = RawServer::start(Script::respond(challenge));
            let sent = send_to(&door.session(), url, &known(&proxy));
            let expected = if challenge == ASKS_BASIC { 1 } else { 2 };
            assert_eq!(proxy.requests(), expected, "{url}");
            match sent {
                Ok(status) => assert_eq!((status, &url[..5]), (407, "http:")),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
                    let response = error.response().unwrap();
                    assert_eq!(response.status(), 407);
                    assert_eq!(response.text().unwrap(), "who?");
                    assert!(error.remedy().unwrap().contains("check the user name"), "{error}");
                    assert!(!format!("{error:?}").contains("passwd"), "{error:?}");
                }
            }
            // Without credentials there is nothing to say.
            let proxies = Proxies::new().all(proxy_url(&proxy)).unwrap();
            let before = proxy.requests();
            let sent = send_to(&door.session(), url, &proxies);
            assert_eq!(proxy.requests(), before + 1);
            assert_eq!(sent.is_err(), url.starts_with("https"), "a tunnel's 407 is an error");
            if let Err(error) = sent {
                assert!(error.remedy().unwrap().contains("URL"), "{error}");
            }
        }
    }
}

fn whoever_knows_is_asked(door: Door) {
    for (challenge, scheme) in [(ASKS_BASIC, BASIC), (ASKS_DIGEST, "Digest ")] {
        for (url, reply) in [(URLS[0], OK), (URLS[1], REFUSES)] {
            let first = Script::new().read_head().send(challenge);
            let proxy = RawServer::start(first.forever(Script::new().read_head().send(reply)));
            let asked = Arc::new(AtomicUsize::new(0));
            let ask = ProxyAuth::ask({
                let (asked, url) = (Arc::clone(&asked), proxy_url(&proxy));
                move |challenge| {
                    asked.fetch_add(1, Ordering::Relaxed);
                    assert_eq!((challenge.proxy(), challenge.realm()), (url.clone(), Some("kit")));
                    assert!(!challenge.is_again());
                    Some(("user".into(), "passwd".into()))
                }
            });
            let proxies = Proxies::new().all(proxy_url(&proxy)).unwrap().auth(ask);
            let _ = send_to(&door.session(), url, &proxies);
            let heads = heads(&proxy, 0);
            assert_eq!(told(&heads[0]), None);
            assert!(told(&heads[1]).unwrap().starts_with(scheme), "{heads:?}");
            assert_eq!(asked.load(Ordering::Relaxed), 1);
        }
    }
}

fn bodies_are_sent_again(door: Door) {
    let script = Script::new().read_head().read_body(4).send(ASKS_DIGEST);
    let proxy = RawServer::start(script.read_head().read_body(4).send(OK));
    let proxies = Proxies::new().all(proxy_url(&proxy)).unwrap().auth(Digest::new("u", "p"));
    let r = door.send(post(URLS[0]).body("body").proxies(proxies)).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (200, 0));
    let text = String::from_utf8(proxy.received(0)).unwrap();
    assert_eq!(text.matches("\r\n\r\nbody").count(), 2, "{text}");
}

fn bodies_that_are_gone_are_an_error(door: Door) {
    let proxy =
        RawServer::start(Script::new().read_head().read_body(4).send(ASKS_DIGEST).wait_close());
    let proxies = Proxies::new().all(proxy_url(&proxy)).unwrap().auth(Digest::new("u", "p"));
    let body = Body::reader("body".as_bytes()).with_length(4);
    let error = failure(&door.session(), post(URLS[0]).body(body).proxies(proxies));
    assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
}

/// Whether it answers directly or through a tunnel.
fn an_origin_s_challenge_is_not_met(door: Door) {
    let origin = Testbed::start();
    let mut s = door.session();
    *s.verify() = origin.ca_file().into();
    let squid = Lab::shared(&[Server::Proxy]).var("SQUID_BASIC_PROXY");
    let asked = Arc::new(AtomicUsize::new(0));
    let asking = ProxyAuth::ask({
        let asked = Arc::clone(&asked);
        move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            None
        }
    });
    let direct = Proxies::new().all("http://user:passwd@127.0.0.1:1").unwrap().no_proxy("*");
    let direct_asking =
        Proxies::new().all("http://127.0.0.1:1").unwrap().auth(asking).no_proxy("*");
    let tunnel = Proxies::new().all(squid).unwrap();
    let path = "/response-headers?Proxy-Authenticate=Basic%20realm%3Dx";
    let secure = origin.https_url("/status/407").replace("localhost", "127.0.0.1");
    for (url, proxies) in [
        (origin.url("/status/407"), &direct),
        (origin.url("/status/407"), &direct_asking),
        (origin.url(path), &direct),
        (secure.clone(), &direct),
        (secure.clone(), &direct_asking),
        (secure, &tunnel),
    ] {
        let before = origin.requests().len();
        let r = s.send(get(&url).proxies(proxies)).unwrap();
        let expected = if url.contains("/status/407") { 407 } else { 200 };
        assert_eq!(r.status(), expected, "{url}");
        let seen = origin.requests().split_off(before);
        assert_eq!(seen.len(), 1, "{url}");
        assert_eq!(seen[0].header("proxy-authorization"), None, "{url}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

/// From a host behind a proxy to one that is not, and back; the same of the caller's own field.
fn redirects_take_nothing_along(door: Door) {
    fn led(to: &str) -> String {
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
    }
    let direct = RawServer::start(Script::respond(led("http://behind.test/end")));
    let from = Script::new().read_head().send(led(&direct.url("/middle")));
    let proxy = RawServer::start(from.forever(Script::new().read_head().send(OK)));
    let proxies = known(&proxy).no_proxy("127.0.0.1");
    let request = get("http://behind.test/begin").header("Proxy-Authorization", "mine");
    let r = door.send(request.proxies(&proxies)).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (200, 2));
    let seen = heads(&proxy, 0);
    assert!(seen[0].starts_with("GET http://behind.test/begin ") && told(&seen[0]) == Some(BASIC));
    assert!(seen[1].starts_with("GET http://behind.test/end ") && told(&seen[1]) == Some(BASIC));
    let seen = heads(&direct, 0);
    assert!(seen[0].starts_with("GET /middle "), "{seen:?}");
    assert_eq!(told(&seen[0]), None);
    for request in r.history().iter().map(bequest::Response::request).chain([r.request()]) {
        let shown = request.headers.get("proxy-authorization");
        assert_ne!(shown, Some(BASIC), "what is the proxy's is not the request's");
    }
}

fn tunnels_of_two_users_are_two(door: Door) {
    let origin = Testbed::start();
    let mut s = door.session();
    *s.verify() = origin.ca_file().into();
    let lab = Lab::shared(&[Server::Proxy]);
    let url = origin.https_url("/get").replace("localhost", "127.0.0.1");
    let open = Proxies::new().all(lab.var("SQUID_PROXY")).unwrap();
    let user = Proxies::new().all(lab.var("SQUID_PROXY").replace("//", "//a:b@")).unwrap();
    let other = Proxies::new().all(lab.var("SQUID_PROXY").replace("//", "//c:d@")).unwrap();
    let direct = Proxies::none();
    for (proxies, connections) in
        [(&open, 1), (&user, 2), (&other, 3), (&direct, 4), (&open, 4), (&user, 4), (&direct, 4)]
    {
        assert_eq!(s.send(get(&url).proxies(proxies)).unwrap().status(), 200);
        assert_eq!(origin.https_connections(), connections);
    }
}

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Nginx, Server::Proxy, Server::Mitmproxy])
}

/// A session that trusts the lab's servers.
fn session(door: Door) -> Client {
    door.trusting(lab().ca_file())
}

fn through(url: &str) -> Proxies {
    Proxies::new().all(url).unwrap().verify(lab().ca_file())
}

/// Proxies that want to know who asks.
const CLOSED: [&str; 6] = [
    "SQUID_BASIC_PROXY",
    "SQUID_DIGEST_PROXY",
    "SQUID_BOTH_PROXY",
    "SQUID_TLS_BASIC_PROXY",
    "TINYPROXY_BASIC",
    "STUNNEL_PROXY",
];

fn servers() -> [String; 2] {
    ["NGINX_URL", "NGINX_TLS_URL"].map(|name| format!("{}/whoami", lab().var(name)))
}

/// The URL of a proxy without user and password.
fn nobody(url: &str) -> String {
    url.replace("user:passwd@", "")
}

fn real_proxies_know_us(door: Door) {
    let s = session(door);
    for name in CLOSED {
        let url = lab().var(name);
        let asking = ProxyAuth::ask(|_| Some(("user".into(), "passwd".into())));
        let mut ways = vec![
            through(url),
            through(&nobody(url)).auth(("user", "passwd")),
            through(&nobody(url)).auth(asking),
        ];
        if name.contains("DIGEST") || name.contains("BOTH") {
            ways.push(through(&nobody(url)).auth(Digest::new("user", "passwd")));
        }
        for proxies in ways {
            for target in servers() {
                // Squid counts the uses of a nonce, and takes fifty.
                for _ in 0..3 {
                    let r = s.send(get(&target).proxies(&proxies)).unwrap();
                    assert_eq!(r.status(), 200, "{name} to {target}");
                    s.close();
                }
            }
        }
    }
    let mitm = through(lab().var("MITM_AUTH_PROXY"));
    for target in servers() {
        let r = s.send(get(target).proxies(&mitm).verify(lab().var("MITM_CA"))).unwrap();
        assert_eq!(r.status(), 200);
    }
}

fn real_proxies_refuse_others(door: Door) {
    let s = session(door);
    for name in CLOSED {
        let url = lab().var(name);
        let [plain, secure] = servers();
        for proxies in [
            through(&nobody(url)),
            through(&url.replace("user:passwd", "other:s3cret")),
            through(&nobody(url)).auth(ProxyAuth::ask(|_| None)),
            // Of another name: squid has been seen to take a wrong password for one that was
            // right on another connection at that moment.
            through(&nobody(url)).auth(Digest::new("other", "s3cret")),
        ] {
            let r = s.send(get(&plain).proxies(&proxies)).unwrap();
            let status = r.status().as_u16();
            // Tinyproxy says 401 to credentials that are wrong.
            assert!(
                status == 407 || status == 401 && name.contains('Y'),
                "{name}, {proxies:?}: {status}"
            );
            let error = failure(&s, get(&secure).proxies(&proxies));
            assert_eq!(error.kind(), ErrorKind::Proxy, "{name}: {error}");
            assert_eq!(error.response().unwrap().status().as_u16(), status, "{name}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}

/// What the servers behind real proxies see.
fn real_origins_learn_nothing(door: Door) {
    let origin = Testbed::start();
    let mut s = door.session();
    *s.verify() = origin.ca_file().into();
    let secure = origin.https_url("/get").replace("localhost", "127.0.0.1");
    for name in CLOSED {
        let proxies = through(lab().var(name)).header("X-For-Proxy", "1");
        for url in [&origin.url("/get"), &secure] {
            let request = get(url).auth(("me", "mine")).header("Proxy-Authorization", "own");
            assert_eq!(s.send(request.proxies(&proxies)).unwrap().status(), 200, "{name}");
            let seen = origin.requests().pop().unwrap();
            assert_eq!(seen.header("proxy-authorization"), None, "{name} to {url}");
            assert_eq!(seen.header("authorization"), Some("Basic bWU6bWluZQ=="), "{name}");
            if url.starts_with("https") {
                assert_eq!(seen.header("x-for-proxy"), None, "{name}");
            }
        }
    }
}
