//! Each kind of proxy, with each kind of server, in this process: what the proxy is asked for, by whom,
//! and that the server learns nothing of it.
#![cfg(all(feature = "socks", feature = "tls"))]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use bequest::{ErrorKind, Proxies, ProxyAuth};
use support::{Client, Door, doors, get};
use testbed::{Proxy, Testbed};

doors![
    each_kind_leads_to_each_server,
    each_kind_refuses_who_is_unknown,
    a_proxy_is_verified_by_its_own_settings,
    who_knows_the_password_is_asked_once,
];

const KINDS: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// Trusts both the servers and the proxy, each by its own authority.
fn through(door: Door, server: &Testbed, proxy: &Proxy, url: &str) -> Client {
    let mut s = door.session();
    *s.verify() = server.ca_file().into();
    *s.proxies() = Proxies::new().all(url).unwrap().verify(proxy.ca_file()).header("X-Team", "a");
    s
}

/// SOCKS 4 has no passwords, so that only the user is told.
fn login_of(proxy: &Proxy, kind: &str) -> String {
    let url = proxy.url_with_login(kind);
    if kind.starts_with("socks4") { url.replace(":secret@", "@") } else { url }
}

fn each_kind_leads_to_each_server(door: Door) {
    let server = Testbed::start();
    for kind in KINDS {
        let proxy = Proxy::with_login("me", "secret");
        let s = through(door, &server, &proxy, &login_of(&proxy, kind));
        for url in [server.url("/get"), server.https_url("/get")] {
            assert_eq!(s.send(get(&url)).unwrap().status(), 200, "{kind} to {url}");
            let asked = proxy.asked().pop().unwrap();
            // The name is the proxy's to look up, or this machine's.
            let is_address = url.starts_with("http:");
            let scheme = match (kind, is_address) {
                ("socks4a", true) => "socks4",
                ("socks5h", true) => "socks5",
                _ => kind,
            };
            assert_eq!((asked.scheme, asked.user.as_deref()), (scheme, Some("me")), "{asked:?}");
            assert_eq!(asked.head.contains("X-Team: a\r\n"), kind.starts_with("http"), "{asked:?}");
            let seen = server.requests().pop().unwrap();
            for field in ["proxy-authorization", "authorization"] {
                assert!(seen.header(field).is_none(), "{kind}: {seen:?}");
            }
            let is_tunnel = url.starts_with("https") || kind.starts_with("socks");
            assert!(!is_tunnel || seen.header("x-team").is_none(), "{kind}: {seen:?}");
        }
    }
}

fn each_kind_refuses_who_is_unknown(door: Door) {
    let server = Testbed::start();
    for kind in KINDS {
        let proxy = Proxy::with_login("me", "secret");
        let wrong = login_of(&proxy, kind).replace("me", "you");
        for url in [proxy.url(kind), wrong] {
            let s = through(door, &server, &proxy, &url);
            let error = s.send(get(server.https_url("/get"))).map(|r| r.status()).unwrap_err();
            let kinds = [ErrorKind::Proxy, ErrorKind::Auth];
            assert!(kinds.contains(&error.kind()), "{kind}: {error:?}");
            assert!(error.to_string().contains("localhost"), "it is named: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
            if kind.starts_with("http") {
                assert_eq!(error.response().unwrap().status(), 407, "{kind}");
                let r = s.send(get(server.url("/get"))).unwrap();
                assert_eq!(r.status(), 407, "a proxy that is asked itself answers itself");
            }
        }
    }
    assert_eq!(server.requests().len(), 0);
}

fn a_proxy_is_verified_by_its_own_settings(door: Door) {
    let (server, proxy) = (Testbed::start(), Proxy::start());
    let mut s = door.session();
    let https = || Proxies::new().all(proxy.url("https")).unwrap();
    for (url, is_https) in [(server.url("/get"), false), (server.https_url("/get"), true)] {
        // What is set for the server does not count for the proxy.
        *s.verify() = false.into();
        *s.proxies() = https();
        let error = s.send(get(&url)).map(|r| r.status()).unwrap_err();
        assert!([ErrorKind::Proxy, ErrorKind::Tls].contains(&error.kind()), "{error:?}");
        assert_eq!(proxy.asked().len(), usize::from(is_https), "it learns nothing");
        // Nor the other way round.
        *s.verify() = true.into();
        *s.proxies() = https().verify(false);
        let sent = s.send(get(&url)).map(|r| r.status().as_u16());
        assert_eq!(
            sent.map_err(|error| error.kind()),
            if is_https { Err(ErrorKind::Tls) } else { Ok(200) }
        );
    }
}

fn who_knows_the_password_is_asked_once(door: Door) {
    let server = Testbed::start();
    for url in [server.url("/get"), server.https_url("/get")] {
        let proxy = Proxy::with_login("me", "secret");
        let mut s = through(door, &server, &proxy, &proxy.url("http"));
        let proxies = s.proxies().clone();
        *s.proxies() = proxies.auth(ProxyAuth::ask(|challenge| {
            assert_eq!(challenge.realm(), Some("testbed"));
            (!challenge.is_again()).then(|| ("me".into(), "secret".into()))
        }));
        for _ in 0..2 {
            assert_eq!(s.send(get(&url)).unwrap().status(), 200, "{url}");
        }
        let users: Vec<_> = proxy.asked().into_iter().map(|asked| asked.user).collect();
        assert_eq!(users.iter().filter(|user| user.is_none()).count(), 1, "{users:?}");
    }
}
