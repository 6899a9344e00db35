//! Rules of vulnerabilities that have to do with proxies.

use bequest::{ErrorKind, Proxies, Timeout};
use testbed::{Proxy, Testbed};

use super::support::{Client, Door, doors, get};
use super::{run, told, variable};

doors![
    cve_2016_1000110_a_cgi_program_is_not_led_away,
    cve_2021_28363_the_name_of_a_proxy_is_verified,
    cve_2023_32681_proxy_authorization_is_not_for_tunnels,
    cve_2026_97687_a_proxy_is_trusted_by_its_own_settings,
    no_proxy_ends_at_a_dot,
    nothing_is_slipped_into_connect,
];

/// A session that trusts the server.
fn trusting(door: Door, server: &Testbed) -> Client {
    door.trusting(server.ca_file())
}

fn cve_2016_1000110_a_cgi_program_is_not_led_away(door: Door) {
    let (server, proxy) = (Testbed::start(), Proxy::start());
    let (url, target) = (proxy.url("http"), server.url("/get"));
    for (more, asked) in [(&[][..], 1), (&[("REQUEST_METHOD", "GET")], 1)] {
        let variables = [("HTTP_PROXY", url.as_str()), ("CASE_URL", &target)];
        run(door, "proxies::case_cgi", &[&variables[..], more].concat());
        assert_eq!(proxy.asked().len(), asked, "{more:?}");
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
#[ignore = "run by another test, with an environment"]
fn case_cgi() {
    // A session's own request is what asks the environment; so does a prepared one.
    assert_eq!(told().send(get(variable("CASE_URL"))).unwrap().status(), 200);
}

fn cve_2021_28363_the_name_of_a_proxy_is_verified(door: Door) {
    let (server, proxy) = (Testbed::start(), Proxy::start());
    let s = trusting(door, &server);
    let right = proxy.url("https");
    let wrong = right.replace("localhost", "proxy.localhost");
    for url in [server.url("/get"), server.https_url("/get")] {
        for (proxy_url, is_right) in [(&right, true), (&wrong, false)] {
            let proxies = Proxies::new().all(proxy_url).unwrap().verify(proxy.ca_file());
            let sent = s.send(get(&url).proxies(proxies)).map(|r| r.status().as_u16());
            let expected = if is_right { Ok(200) } else { Err(ErrorKind::Proxy) };
            assert_eq!(sent.map_err(|error| error.kind()), expected, "{proxy_url} for {url}");
        }
    }
}

fn cve_2023_32681_proxy_authorization_is_not_for_tunnels(door: Door) {
    let (server, proxy) = (Testbed::start(), Proxy::with_login("me", "secret"));
    let s = trusting(door, &server);
    let proxies = Proxies::new().all(proxy.url_with_login("http")).unwrap();
    let led = get(server.url("/redirect-to")).params([("url", server.https_url("/get"))]);
    let own = led.header("Proxy-Authorization", "Basic s3cret");
    let r = s.send(own.proxies(&proxies)).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (200, 1));
    let asked = proxy.asked();
    assert!(asked.iter().all(|asked| asked.user.as_deref() == Some("me")), "{asked:?}");
    assert!(asked[1].head.starts_with("CONNECT localhost:") && !asked[1].head.contains("s3cret"));
    for seen in server.requests() {
        assert_eq!(seen.header("proxy-authorization"), None, "{seen:?}");
    }
}

fn cve_2026_97687_a_proxy_is_trusted_by_its_own_settings(door: Door) {
    let (server, proxy) = (Testbed::start(), Proxy::start());
    let mut s = door.session();
    let https = || Proxies::new().all(proxy.url("https")).unwrap();
    // What is right for one is nothing to the other.
    for (verify, proxies, kind) in [
        (false.into(), https(), ErrorKind::Proxy),
        (server.ca_file().into(), https().verify(server.ca_file()), ErrorKind::Proxy),
        (true.into(), https().verify(false), ErrorKind::Tls),
        (proxy.ca_file().into(), https().verify(proxy.ca_file()), ErrorKind::Tls),
    ] {
        *s.verify() = verify;
        let sent = s.send(get(server.https_url("/get")).proxies(proxies)).map(|r| r.status());
        assert_eq!(sent.unwrap_err().kind(), kind);
    }
    assert_eq!(server.requests().len(), 0);
}

fn no_proxy_ends_at_a_dot(door: Door) {
    let (server, proxy) = (Testbed::start(), Proxy::start());
    let s = door.session();
    let proxies = Proxies::new().all(proxy.url("http")).unwrap().no_proxy("example.localhost");
    let port = server.addr().port();
    for (host, is_asked) in [
        ("example.localhost", false),
        ("www.example.localhost", false),
        ("notexample.localhost", true),
        ("example.localhost.test", true),
    ] {
        proxy.leads(host, server.addr());
        let before = proxy.asked().len();
        let url = format!("http://{host}:{port}/get");
        assert_eq!(s.send(get(url).proxies(&proxies)).unwrap().status(), 200, "{host}");
        assert_eq!(proxy.asked().len() > before, is_asked, "{host}");
    }
}

fn nothing_is_slipped_into_connect(door: Door) {
    let proxy = Proxy::start();
    let patience = Timeout::new().total(super::support::PATIENCE);
    let proxies = || Proxies::new().all(proxy.url("http")).unwrap();
    for host in ["a\r\nX: y", "a b", "a%0d%0aX", "a%20b", "a%00", "a<b", "[::1]x", "a\u{7f}"] {
        let request = get(format!("https://{host}/")).proxies(proxies()).timeout(patience);
        let error = door.send(request).map(|r| r.status()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{host:?}: {error}");
    }
    for (name, value) in [("X", "a\r\nY: z"), ("X", "a\0"), ("X\r\nY", "z"), ("X Y", "z")] {
        for url in ["https://127.0.0.1/", "http://127.0.0.1/"] {
            let request = get(url).proxies(proxies().header(name, value)).timeout(patience);
            let error = door.send(request).map(|r| r.status()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{name:?} {value:?}: {error}");
        }
    }
    for (name, value) in [("content-length", "5"), ("Transfer-Encoding", "chunked"), ("HOST", "x")]
    {
        for url in ["https://127.0.0.1/", "http://127.0.0.1/"] {
            let request = get(url).proxies(proxies().header(name, value)).timeout(patience);
            let error = door.send(request).map(|r| r.status()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{name} {url}: {error}");
        }
    }
    assert_eq!(proxy.asked(), [], "it never hears of them");
}
