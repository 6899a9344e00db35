//! Proxies that variables of the environment name. Those of this process can't be changed while other
//! threads read them, so that each case is this program once more, with variables of its own.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use bequest::{Proxies, Result, SendOptions};
use support::{Client, Door, case, doors, get};
use testbed::{RawServer, Script};

doors![
    each_variable_leads_to_its_proxy,
    what_no_proxy_names_is_reached_directly,
    what_is_explicit_wins,
    a_malformed_variable_is_an_error_where_it_counts,
    credentials_in_a_variable_are_for_the_proxy,
    proxies_are_chosen_for_each_hop,
    a_program_of_cgi_is_not_led_away,
];

const ORIGIN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\norigin";
const PROXY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy";
const OTHER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother";

fn serving(reply: &str) -> RawServer {
    RawServer::start(Script::respond(reply))
}

fn url_of(server: &RawServer) -> String {
    format!("http://{}", server.addr())
}

/// A process with these variables asks for a URL in some way; the text of what it got, or the error.
#[track_caller]
fn asked(door: Door, how: &str, url: &str, variables: &[(&str, &str)]) -> String {
    let mut child = case::command(door, "case_asks");
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        child.env_remove(name).env_remove(name.to_ascii_uppercase());
    }
    child.env_remove("REQUEST_METHOD").envs(variables.iter().copied());
    child.env("CASE_HOW", how).env("CASE_URL", url);
    let said = case::run(child);
    let (_, told) = said.split_once("told: ").unwrap();
    told.lines().next().unwrap().to_owned()
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_asks() {
    let variable = |name| std::env::var(name).unwrap();
    let (url, mut s) = (variable("CASE_URL"), case::door().unwrap().session());
    let other = || Proxies::new().http(variable("CASE_OTHER")).unwrap();
    let sent = |s: &Client, proxies| s.send(get(&url).proxies(proxies))?.text();
    let text = match variable("CASE_HOW").as_str() {
        "session" => own(&s, &url),
        "sent" => {
            let prepared = s.prepare(get(&url)).unwrap();
            s.send_prepared(prepared, SendOptions::new()).and_then(|r| r.text())
        }
        "again" => {
            own(&s, &url).unwrap();
            s.reload_environment();
            own(&s, &url)
        }
        "alone" => bequest::get(&url).send().and_then(|r| r.text()),
        "untrusting" => {
            *s.trust_env() = false;
            own(&s, &url)
        }
        "by session" => {
            *s.proxies() = other();
            own(&s, &url)
        }
        "none by session" => {
            *s.proxies() = Proxies::none();
            own(&s, &url)
        }
        "by request" => sent(&s, other()),
        "none by request" => sent(&s, Proxies::none()),
        "direct by request" => sent(&s, Proxies::new().direct("http").unwrap()),
        "no_proxy by request" => sent(&s, Proxies::new().no_proxy("127.0.0.1")),
        other => panic!("no case {other}"),
    };
    match text {
        Ok(text) => println!("told: {text}"),
        Err(error) => println!("told: {error}"),
    }
}

/// By the request's own `send()`.
fn own(s: &Client, url: &str) -> Result<String> {
    match s {
        Client::Blocking(s) => s.get(url).send()?.text(),
        #[cfg(feature = "async")]
        Client::Aio(s) => {
            let response = s.get(url).send();
            support::tokio_runtime::run(async { response.await?.text().await })
        }
    }
}

fn each_variable_leads_to_its_proxy(door: Door) {
    let (origin, proxy) = (serving(ORIGIN), serving(PROXY));
    let (url, through) = (origin.url("/"), url_of(&proxy));
    let bare = proxy.addr().to_string();
    for how in ["session", "sent", "again"] {
        assert_eq!(asked(door, how, &url, &[]), "origin", "{how}");
        assert_eq!(asked(door, how, &url, &[("http_proxy", &through)]), "proxy", "{how}");
    }
    for variables in [
        [("HTTP_PROXY", &through)],
        [("all_proxy", &through)],
        [("ALL_PROXY", &through)],
        [("http_proxy", &bare)],
    ] {
        let [(name, value)] = variables;
        assert_eq!(asked(door, "session", &url, &[(name, value)]), "proxy", "{name}");
    }
    assert_eq!(asked(door, "session", &url, &[("https_proxy", &through)]), "origin");
    assert_eq!(asked(door, "session", &url, &[("no_proxy", "x"), ("http_proxy", "")]), "origin");
    if door == Door::Blocking {
        assert_eq!(asked(door, "alone", &url, &[("http_proxy", &through)]), "proxy");
    }
}

fn what_no_proxy_names_is_reached_directly(door: Door) {
    let (origin, proxy) = (serving(ORIGIN), serving(PROXY));
    let (url, through) = (origin.url("/"), url_of(&proxy));
    for (name, list, expected) in [
        ("no_proxy", "127.0.0.1", "origin"),
        ("NO_PROXY", "a.example, 127.0.0.0/8", "origin"),
        ("no_proxy", "*", "origin"),
        ("no_proxy", "127.0.0.1:1", "proxy"),
        ("no_proxy", "0.0.1", "proxy"),
    ] {
        let variables = [("http_proxy", &*through), (name, list)];
        assert_eq!(asked(door, "session", &url, &variables), expected, "{list}");
    }
}

fn what_is_explicit_wins(door: Door) {
    let (origin, proxy, other) = (serving(ORIGIN), serving(PROXY), serving(OTHER));
    let (url, through, other) = (origin.url("/"), url_of(&proxy), url_of(&other));
    for (how, no_proxy, expected) in [
        ("untrusting", "", "origin"),
        ("by session", "", "other"),
        ("by request", "", "other"),
        // What the environment excepts is excepted from the environment's proxies.
        ("by session", "127.0.0.1", "other"),
        ("by request", "*", "other"),
        ("none by session", "", "origin"),
        ("none by request", "", "origin"),
        ("direct by request", "", "origin"),
        ("no_proxy by request", "", "origin"),
    ] {
        let variables = [("http_proxy", &*through), ("no_proxy", no_proxy), ("CASE_OTHER", &other)];
        assert_eq!(asked(door, how, &url, &variables), expected, "{how} {no_proxy}");
    }
}

fn a_malformed_variable_is_an_error_where_it_counts(door: Door) {
    let origin = serving(ORIGIN);
    let url = origin.url("/");
    let told = asked(door, "session", &url, &[("HTTP_PROXY", "ftp://u:secret@h")]);
    assert!(told.contains("the variable `HTTP_PROXY` of the environment"), "{told}");
    assert!(!told.contains("secret"), "{told}");
    let variables = [("HTTP_PROXY", "ftp://h"), ("no_proxy", "127.0.0.1")];
    assert_eq!(asked(door, "session", &url, &variables), "origin");
    assert_eq!(asked(door, "session", &url, &[("https_proxy", "ftp://h")]), "origin");
    assert_eq!(asked(door, "none by session", &url, &[("http_proxy", "ftp://h")]), "origin");
    assert_eq!(origin.connections(), 3, "who can't use its proxy goes nowhere");
}

fn credentials_in_a_variable_are_for_the_proxy(door: Door) {
    let (origin, proxy) = (serving(ORIGIN), serving(PROXY));
    let through = format!("http://user:pa%40ss@{}", proxy.addr());
    let seen = |server: &RawServer| String::from_utf8(server.received(0)).unwrap();
    assert_eq!(asked(door, "session", &origin.url("/"), &[("http_proxy", &through)]), "proxy");
    assert!(seen(&proxy).contains("\r\nProxy-Authorization: Basic dXNlcjpwYUBzcw==\r\n"));
    let variables = [("http_proxy", &*through), ("no_proxy", "127.0.0.1")];
    assert_eq!(asked(door, "session", &origin.url("/"), &variables), "origin");
    assert!(!seen(&origin).contains("uthorization"), "{}", seen(&origin));
}

fn proxies_are_chosen_for_each_hop(door: Door) {
    let origin = serving(ORIGIN);
    // Through the proxy, and from there to who is reached directly.
    let to =
        |url: &str| format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n");
    let proxy = serving(&to(&origin.url("/")));
    let through = format!("http://user:pass@{}", proxy.addr());
    let variables = [("http_proxy", &*through), ("no_proxy", "127.0.0.1")];
    assert_eq!(asked(door, "session", "http://far.example/", &variables), "origin");
    let seen = String::from_utf8(proxy.received(0)).unwrap();
    assert!(seen.starts_with("GET http://far.example/ HTTP/1.1\r\n"), "{seen}");
    let seen = String::from_utf8(origin.received(0)).unwrap();
    assert!(seen.starts_with("GET / HTTP/1.1\r\n"), "{seen}");
    assert!(!seen.contains("Proxy-"), "{seen}");
    // And the other way.
    let (near, proxy) = (serving(&to("http://far.example/")), serving(PROXY));
    let through = url_of(&proxy);
    let variables = [("http_proxy", &*through), ("no_proxy", "127.0.0.1")];
    assert_eq!(asked(door, "session", &near.url("/"), &variables), "proxy");
}

/// CVE-2016-1000110: the header `Proxy` of a request to a CGI program is its `HTTP_PROXY`.
fn a_program_of_cgi_is_not_led_away(door: Door) {
    let (origin, proxy) = (serving(ORIGIN), serving(PROXY));
    let (url, through) = (origin.url("/"), url_of(&proxy));
    let cgi = ("REQUEST_METHOD", "GET");
    assert_eq!(asked(door, "session", &url, &[("HTTP_PROXY", &through), cgi]), "origin");
    assert_eq!(asked(door, "session", &url, &[("http_proxy", &through), cgi]), "proxy");
    assert_eq!(asked(door, "session", &url, &[("ALL_PROXY", &through), cgi]), "proxy");
}
