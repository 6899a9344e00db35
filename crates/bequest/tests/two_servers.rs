//! Redirects and cookies of real servers: httpbin, which sends elsewhere, and nginx before it, under
//! host names of their own.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "cookies")]

mod support;

use std::net::SocketAddr;

use bequest::{
    Bearer, ErrorKind, HttpAdapter, PreparedRequest, Request, SensitiveHeaders, Url, auth_fn,
};
use serde_json::{Value, json};
use support::{Client, Door, doors, get};
use testbed::{Lab, Server};

doors![
    secrets_stay_at_their_origin,
    secrets_stay_between_hosts,
    #[cfg_attr(not(feature = "tls"), ignore = "there is no TLS")]
    secrets_stay_between_hosts_over_tls,
    #[cfg_attr(not(feature = "tls"), ignore = "there is no TLS")]
    secrets_go_up_to_https,
    cookies_go_by_host,
    there_and_back_again,
    every_method_of_every_status,
    httpbin_leads_along,
    httpbin_sets_cookies,
];

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Httpbin, Server::Nginx])
}

/// A server under another name; the library itself knows that names in `.localhost` are this host.
fn named(name: &str, variable: &str) -> String {
    let url = lab().var(variable);
    let port = url.rsplit(':').next().unwrap();
    format!("http://{name}.localhost:{port}")
}

/// The server that is asked.
fn first() -> String {
    named("first", "HTTPBIN_URL")
}

fn led(base: &str, method: &str, to: &str, status: u16) -> Request {
    let params = [("url", to), ("status_code", &status.to_string())];
    Request::new(method, format!("{base}/redirect-to")).params(params)
}

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
const SECRET: &str = "s3cret";

/// What carries a secret, the header that it arrives in, and what that says.
struct Credential {
    name: &'static str,
    give: fn(Request, &mut Client) -> Request,
    header: &'static str,
    value: &'static str,
}

/// Every kind that stays at the origin that it was given for.
const CREDENTIALS: [Credential; 15] = {
    const fn by(
        name: &'static str,
        header: &'static str,
        value: &'static str,
        give: fn(Request, &mut Client) -> Request,
    ) -> Credential {
        Credential { name, give, header, value }
    }
    const BASIC: &str = "Basic dXNlcjpzM2NyZXQ=";
    [
        by("a header", "Authorization", SECRET, |r, _| r.header("authorization", SECRET)),
        by("a pair", "Authorization", BASIC, |r, _| r.auth(("user", SECRET))),
        by("the session's pair", "Authorization", BASIC, |r, s| {
            s.set_auth(("user", SECRET));
            r
        }),
        by("a token", "Authorization", "Bearer s3cret", |r, _| r.auth(Bearer::new(SECRET))),
        by("an auth's own header", "X-Own", SECRET, |r, _| r.auth(auth_fn(own))),
        by("a Cookie header", "Cookie", "k=s3cret", |r, _| r.header("Cookie", "k=s3cret")),
        by("a cookie", "Cookie", "k=s3cret", |r, _| r.cookie("k", SECRET)),
        by("a host", "Host", "s3cret.example", |r, _| r.header("Host", "s3cret.example")),
        by("a session's header", "X-Api-Key", SECRET, |r, s| {
            s.headers().insert("X-Api-Key", SECRET);
            r
        }),
        by("api-key", "Api-Key", SECRET, |r, _| r.header("api-key", SECRET)),
        by("x-auth-token", "X-Auth-Token", SECRET, |r, _| r.header("X-Auth-Token", SECRET)),
        by("x-access-token", "X-Access-Token", SECRET, |r, _| r.header("X-Access-Token", SECRET)),
        by("x-csrf-token", "X-Csrf-Token", SECRET, |r, _| r.header("X-CSRF-Token", SECRET)),
        by("one that was named", "X-Tenant", SECRET, |r, _| {
            r.header("X-Tenant", SECRET).sensitive_headers(SensitiveHeaders::from(["x-tenant"]))
        }),
        by("a request hook's", "X-Hook", SECRET, |r, s| {
            s.hooks().request.push(|request| {
                if request.url.path() == "/redirect-to" {
                    request.headers.insert("X-Hook", SECRET);
                }
                Ok(())
            });
            r
        }),
    ]
};

fn own(request: &mut PreparedRequest) -> bequest::Result<()> {
    request.headers.insert("X-Own", SECRET);
    Ok(())
}

fn secrets_stay_at_their_origin(door: Door) {
    // Another name on the same port, another server, another port of the same name.
    let others = [
        format!("{}/anything", named("second", "HTTPBIN_URL")),
        format!("{}/httpbin/anything", named("second", "NGINX_URL")),
        format!("{}/httpbin/anything", named("first", "NGINX_URL")),
    ];
    let others = others.iter().map(String::as_str).collect::<Vec<_>>();
    secrets_stay(|| door.session(), &first(), &[&format!("{}/anything", first())], &others);
}

/// Two hosts on the ports that http and https have, which an adapter leads to httpbin and nginx.
fn secrets_stay_between_hosts(door: Door) {
    let new = two_hosts(door);
    let others = ["http://second.wild.test/httpbin/anything"];
    secrets_stay(&new, "http://first.wild.test", &["http://first.wild.test/anything"], &others);
}

fn secrets_stay_between_hosts_over_tls(door: Door) {
    let new = two_hosts(door);
    let within = ["https://first.wild.test/anything"];
    let others = [
        "https://second.wild.test/httpbin/anything",
        "https://first.wild.test:8443/httpbin/anything",
        // A step down to plain text, of the same host even.
        "http://second.wild.test/httpbin/anything",
        "http://first.wild.test/anything",
    ];
    secrets_stay(&new, "https://first.wild.test", &within, &others);
}

/// From http to https of one host is no step to another origin; to https of another host it is.
fn secrets_go_up_to_https(door: Door) {
    let new = two_hosts(door);
    let within = ["https://first.wild.test/anything"];
    let others = [
        "https://second.wild.test/httpbin/anything",
        "https://first.wild.test:8443/httpbin/anything",
    ];
    secrets_stay(&new, "http://first.wild.test", &within, &others);
}

/// Makes sessions to which httpbin is first.wild.test and nginx is second.wild.test, each over http
/// and https. Whoever leads elsewhere, or verifies another name, fails: no resolver knows these.
fn two_hosts(door: Door) -> impl Fn() -> Client {
    let at = |variable: &str| {
        let url = Url::parse(lab().var(variable)).unwrap();
        SocketAddr::new([127, 0, 0, 1].into(), url.port().unwrap())
    };
    let mut adapter = HttpAdapter::new();
    for (host, variable) in [
        ("first.wild.test:80", "HTTPBIN_URL"),
        ("first.wild.test:443", "HTTPBIN_TLS_URL"),
        ("second.wild.test:80", "NGINX_URL"),
        ("second.wild.test:443", "NGINX_H1TLS_URL"),
        ("first.wild.test:8443", "NGINX_H1TLS_URL"),
    ] {
        adapter = adapter.resolve(host, at(variable)).unwrap();
    }
    move || {
        let mut s = door.session();
        *s.verify() = lab().ca_file().into();
        s.mount("http://", adapter.clone());
        s.mount("https://", adapter.clone());
        s
    }
}

/// Each kind of credential arrives where a redirect stays within its origin, and not elsewhere; the
/// rest of the request does.
fn secrets_stay(new: impl Fn() -> Client, from: &str, within: &[&str], others: &[&str]) {
    for Credential { name, give, header, value } in CREDENTIALS {
        for status in STATUSES {
            for to in others.iter().chain(within) {
                let mut s = new();
                let plain = led(from, "POST", to, status).body("body").header("X-Plain", "1");
                let request = give(plain, &mut s);
                let r = s.send(request).unwrap();
                let case = format!("{name}, {status} to {to}");
                assert_eq!((r.status().as_u16(), r.history().len()), (200, 1), "{case}");
                assert_eq!(r.history()[0].request().headers.get(header), Some(value), "{case}");
                let seen = r.json().unwrap();
                let arrived = seen["headers"].get(header).and_then(Value::as_str);
                // Some Host there always is.
                let arrived = arrived.filter(|arrived| *arrived == value || header != "Host");
                let stays = within.contains(to);
                assert_eq!(arrived, stays.then_some(value), "{case}");
                assert!(!seen.to_string().contains(SECRET) || stays, "{case}: {seen}");
                assert_eq!(seen["headers"]["X-Plain"], "1", "{case}");
                let (method, data) = if status > 303 { ("POST", "body") } else { ("GET", "") };
                assert_eq!(seen["method"], method, "{case}");
                assert_eq!(seen["data"], data, "{case}");
            }
        }
    }
}

/// Those of the jar go by host, not by port; `Domain` widens them to names below, not beside.
fn cookies_go_by_host(door: Door) {
    for status in STATUSES {
        let s = door.session();
        s.cookies().set("own", "1", first()).unwrap();
        s.cookies().set("next", "2", named("second", "NGINX_URL")).unwrap();
        for (to, expected) in [
            (format!("{}/anything", first()), Some("own=1")),
            (format!("{}/httpbin/anything", named("first", "NGINX_URL")), Some("own=1")),
            (format!("{}/httpbin/anything", named("second", "NGINX_URL")), Some("next=2")),
            (format!("{}/anything", named("below.first", "HTTPBIN_URL")), None),
            (format!("{}/anything", named("third", "HTTPBIN_URL")), None),
        ] {
            let r = s.send(led(&first(), "GET", &to, status)).unwrap();
            let seen = r.json().unwrap();
            let cookie = seen["headers"].get("Cookie").and_then(Value::as_str);
            assert_eq!(cookie, expected, "{status} to {to}");
        }
    }
}

/// What a redirect has dropped does not come back when the next leads home.
fn there_and_back_again(door: Door) {
    let mut s = door.session();
    s.set_auth(("user", SECRET));
    s.headers().insert("X-Api-Key", SECRET);
    let home = format!("{}/anything", first());
    let away = led(&named("second", "HTTPBIN_URL"), "GET", &home, 302).prepare().unwrap();
    let r = s.send(led(&first(), "GET", away.url.as_str(), 302).cookie("own", SECRET)).unwrap();
    assert_eq!(r.history().len(), 2);
    let seen = r.json().unwrap();
    assert!(!seen.to_string().contains(SECRET), "{seen}");
    // Credentials in a Location are part of the URL, and nobody's auth.
    let with_user = home.replacen("first", "user:pass@third", 1);
    let r = s.send(led(&first(), "GET", &with_user, 302)).unwrap();
    assert_eq!((r.url().username(), r.url().password()), ("user", Some("pass")));
    assert_eq!(r.json().unwrap()["headers"].get("Authorization"), None);
}

fn every_method_of_every_status(door: Door) {
    let s = door.session();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] {
        for status in STATUSES {
            let to = format!("{}/httpbin/anything", named("second", "NGINX_URL"));
            let r = s.send(led(&first(), method, &to, status).allow_redirects(true)).unwrap();
            let case = format!("{method} {status}");
            let expected = match (method, status) {
                ("HEAD", _) => "HEAD",
                (_, 307 | 308) => method,
                ("POST", 301) => "GET",
                (_, 301) => method,
                _ => "GET",
            };
            assert_eq!(r.request().method, expected, "{case}");
            assert_eq!((r.status().as_u16(), r.history().len()), (200, 1), "{case}");
            if expected != "HEAD" {
                assert_eq!(r.json().unwrap()["method"], expected, "{case}");
            }
        }
    }
}

fn httpbin_leads_along(door: Door) {
    let s = door.session();
    let url = |path: &str| get(format!("{}{path}", first()));
    for path in ["/redirect/5", "/relative-redirect/5", "/absolute-redirect/5"] {
        let r = s.send(url(path)).unwrap();
        assert_eq!((r.status().as_u16(), r.url().path()), (200, "/get"), "{path}");
        assert_eq!(r.history().len(), 5, "{path}");
        assert!(r.history().iter().all(|hop| hop.status() == 302 && hop.is_redirect()));
        // What a redirect says has been read, too; one of these pages is empty.
        let text = r.history()[0].text().unwrap();
        assert_eq!(text.contains("Redirecting"), path != "/relative-redirect/5", "{path}: {text}");
    }
    let error = s.send(url("/redirect/5").max_redirects(4)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
    assert_eq!(error.response().unwrap().history().len(), 4);
    let r = s.send(url("/redirect/5").allow_redirects(false)).unwrap();
    let next = r.next_request().unwrap().unwrap();
    assert_eq!(next.url.as_str(), format!("{}/relative-redirect/4", first()));
    // Those that are none: choices, not modified, and their like.
    for status in [300, 304, 305, 306] {
        let r = s.send(led(&first(), "GET", "/get", status)).unwrap();
        assert!(r.history().is_empty() && !r.is_redirect(), "{status}");
    }
    // nginx makes a URL of a path, and may put a fragment behind it.
    let nginx = named("second", "NGINX_URL");
    for (path, arrives) in [
        ("/redirect/301", "/whoami"),
        ("/redirect/308", "/whoami"),
        ("/redirect/fragment", "/whoami#there"),
    ] {
        let r = s.send(get(format!("{nginx}{path}"))).unwrap();
        assert_eq!(r.url().as_str(), format!("{nginx}{arrives}"), "{path}");
    }
    let error = s.send(get(format!("{nginx}/redirect/loop"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
}

fn httpbin_sets_cookies(door: Door) {
    let s = door.session();
    let shown = |s: &Client, path: &str| {
        let r = s.send(get(format!("{}{path}", first()))).unwrap();
        assert_eq!(r.url().path(), "/cookies");
        r.json().unwrap()["cookies"].clone()
    };
    assert_eq!(shown(&s, "/cookies"), json!({}));
    let set = "/cookies/set/sessioncookie/123456789";
    assert_eq!(shown(&s, set), json!({"sessioncookie": "123456789"}));
    let more = "/cookies/set?a=1&b=2";
    assert_eq!(shown(&s, more), json!({"sessioncookie": "123456789", "a": "1", "b": "2"}));
    assert_eq!(shown(&s, "/cookies/delete?a&sessioncookie"), json!({"b": "2"}));
    let r = s.send(get(format!("{}/cookies", first())).cookie("from-my", "browser")).unwrap();
    assert_eq!(r.json().unwrap()["cookies"], json!({"b": "2", "from-my": "browser"}));
    assert_eq!(shown(&s, "/cookies"), json!({"b": "2"}));
    // Another name is another host; and so is the name behind an address.
    let elsewhere = format!("{}/cookies", named("second", "HTTPBIN_URL"));
    assert_eq!(s.send(get(&elsewhere)).unwrap().json().unwrap()["cookies"], json!({}));
    let plain = format!("{}/cookies", lab().var("HTTPBIN_URL"));
    assert_eq!(s.send(get(&plain)).unwrap().json().unwrap()["cookies"], json!({}));
    // nginx sets two at once.
    s.send(get(format!("{}/headers", named("third", "NGINX_URL")))).unwrap();
    let third = format!("{}/httpbin/cookies", named("third", "NGINX_URL"));
    let seen = s.send(get(&third)).unwrap().json().unwrap();
    assert_eq!(seen["cookies"], json!({"a": "1", "b": "2"}));
    assert_eq!(s.cookies().len(), 3);
}
