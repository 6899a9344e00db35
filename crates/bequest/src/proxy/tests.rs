use std::ffi::OsString;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The host of the proxy for a URL, or `direct`.
fn chosen(proxies: &Proxies, target: &str) -> String {
    let chosen = proxies.select(&url(target)).unwrap();
    chosen.map_or_else(|| "direct".to_owned(), |server| server.host.to_string())
}

#[test]
fn the_key_that_says_most_wins() {
    let keys = ["all", "all://h", "http", "http://h"];
    for most in 0..keys.len() {
        // In any order.
        for turn in 0..=most {
            let mut proxies = Proxies::new();
            for at in 0..=most {
                let at = (at + turn) % (most + 1);
                proxies = proxies.on(keys[at], format!("http://proxy{at}:1")).unwrap();
            }
            assert_eq!(chosen(&proxies, "http://h/"), format!("proxy{most}"));
        }
    }
}

#[test]
fn which_key_is_for_which_url() {
    for (key, target, fits) in [
        ("http", "http://h/", true),
        ("HTTP", "http://h/", true),
        ("http", "https://h/", false),
        ("https", "https://h:8443/", true),
        ("all", "https://h/", true),
        ("mock", "mock://h/", true),
        ("http://h", "http://h/", true),
        ("http://H", "http://h/", true),
        ("http://h", "http://H:81/", true),
        ("http://h", "https://h/", false),
        ("http://h", "http://a.h/", false),
        ("http://h", "http://i/", false),
        ("all://h", "https://h/", true),
        ("all://h", "https://i/", false),
        ("http://[::1]", "http://[0::1]:80/", true),
        ("http://127.1", "http://127.0.0.1/", true),
        ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example/", true),
    ] {
        let proxies = Proxies::new().on(key, "http://proxy").unwrap();
        assert_eq!(chosen(&proxies, target) == "proxy", fits, "{key} for {target}");
    }
    for key in [
        "",
        "://h",
        "http:",
        "http://",
        "http://h:80",
        "http://h/",
        "http://u@h",
        "http://h?x",
        "http://a b",
        "http://h\\",
        "no_proxy",
        "1http",
        "http://[::1]:80",
        "http://[",
        "h:80",
        "http://h\n",
        "example.org",
        "10.0.0.1",
    ] {
        let error = Proxies::new().on(key, "http://proxy").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidProxyUrl, "{key:?}");
        assert!(Proxies::none().direct(key).is_err(), "{key:?}");
    }
    let error = Proxies::new().on("example.org", "http://proxy").unwrap_err();
    assert!(error.to_string().contains("write `all://example.org`"), "{error}");
}

#[test]
fn what_is_said_again_replaces() {
    let proxies = Proxies::new().http("http://a").unwrap().http("http://b").unwrap();
    assert_eq!(chosen(&proxies, "http://h/"), "b");
    assert_eq!(chosen(&proxies.direct("http").unwrap(), "http://h/"), "direct");
}

#[test]
fn who_is_nearer_is_asked_first() {
    let all = |name: &str| Proxies::new().all(format!("http://{name}")).unwrap();
    let environment = all("environment").no_proxy("h");
    let session = Proxies::new().http("http://session").unwrap();
    let merged = |request: &Proxies, session: &Proxies, target| {
        let merged = request.over(&session.over(&environment));
        // However they are put together.
        assert_eq!(
            chosen(&request.over(session).over(&environment), target),
            chosen(&merged, target)
        );
        chosen(&merged, target)
    };
    let new = Proxies::new();
    for (request, session, target, expected) in [
        (&new, &new, "https://i/", "environment"),
        (&new, &new, "https://h/", "direct"),
        (&new, &session, "http://i/", "session"),
        (&new, &session, "https://i/", "environment"),
        // What the environment excepts is excepted from the environment's proxies alone.
        (&new, &session, "http://h/", "session"),
        (&all("request"), &session, "http://h/", "request"),
        (&all("request"), &session, "https://h/", "request"),
        (&Proxies::none(), &session, "http://i/", "direct"),
        (&Proxies::none(), &session, "https://i/", "direct"),
        (&new, &Proxies::none(), "https://i/", "direct"),
        (&new.clone().direct("http").unwrap(), &session, "http://i/", "direct"),
        (&new.clone().direct("http").unwrap(), &session, "https://i/", "environment"),
        (&new.clone().direct("https://i").unwrap(), &session, "https://i/", "direct"),
        // Its own exceptions go for all that would follow.
        (&new.clone().no_proxy("i"), &session, "http://i/", "direct"),
        (&new.clone().no_proxy("i"), &session, "http://j/", "session"),
        (&all("request").no_proxy("i"), &session, "http://i/", "direct"),
        (&Proxies::none().http("http://request").unwrap(), &session, "http://i/", "request"),
    ] {
        assert_eq!(merged(request, session, target), expected, "{request:?} {session:?} {target}");
    }
}

#[test]
fn what_says_nothing_costs_nothing() {
    assert_eq!(size_of::<Proxies>(), size_of::<usize>());
    let (new, some) = (Proxies::new(), Proxies::none());
    assert!(new.0.is_none() && new.over(&new).0.is_none());
    for merged in [new.over(&some), some.over(&new)] {
        assert!(Arc::ptr_eq(merged.0.as_ref().unwrap(), some.0.as_ref().unwrap()));
    }
}

#[test]
fn proxy_urls_are_read() {
    for (text, expected) in [
        ("http://h", "http://h:80"),
        ("https://h", "https://h:443"),
        ("HTTP://H:3128/", "http://h:3128"),
        (" http://h:3128 ", "http://h:3128"),
        ("http://h:80", "http://h:80"),
        ("http://h:443", "http://h:443"),
        ("https://h:80", "https://h:80"),
        ("https://h:443/", "https://h:443"),
        ("http://u:p@h:1", "http://***@h:1"),
        ("http://u@h:1", "http://***@h:1"),
        ("http://@h:1", "http://h:1"),
        ("http://[::1]", "http://[::1]:80"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("http://127.1:3128", "http://127.0.0.1:3128"),
        ("http://b\u{fc}cher.example:1", "http://xn--bcher-kva.example:1"),
    ] {
        assert_eq!(address::parse(text).unwrap().to_string(), expected, "{text}");
    }
    #[cfg(feature = "socks")]
    for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
        for (rest, expected) in
            [("H", "h:1080"), ("h:80", "h:80"), ("h:443", "h:443"), ("u:p@[::1]", "***@[::1]:1080")]
        {
            let parsed = address::parse(&format!("{scheme}://{rest}")).unwrap();
            assert_eq!(parsed.to_string(), format!("{scheme}://{expected}"));
        }
    }
    let credentials = address::parse("http://u%40:%70%3A%C3%A9%2f@h").unwrap().credentials;
    assert_eq!(credentials, Some(("u@".into(), "p:\u{e9}/".into())));
}

#[test]
fn proxy_urls_that_mean_nothing_are_refused() {
    for (text, part) in [
        ("", "direct()"),
        ("10.10.1.10:3128", "write `http://10.10.1.10:3128`"),
        ("proxy", "write `http://proxy`"),
        ("user:secret@proxy:3128", "write `http://***@proxy:3128`"),
        ("http:h:3128", "no scheme"),
        ("ftp://h", "socks5h"),
        ("://h", "socks5h"),
        ("direct://", "socks5h"),
        ("http://", "no host"),
        ("http:///h", "no host"),
        ("http:////h", "no host"),
        ("http://:3128", "host"),
        ("http://u:secret@", "host"),
        ("http://u:secret@:3128", "host"),
        ("http://h:0", "port 0"),
        ("http://h:65536", "port"),
        ("http://h:x", "port"),
        ("http://h/path", "no path"),
        ("http://h/?q", "no path"),
        ("http://h#f", "no path"),
        ("http://u:sec#ret@h", "percent-encode"),
        ("http://u:sec/ret@h", "percent-encode"),
        ("http://u:sec?ret@h", "percent-encode"),
        ("http://u:sec ret@h", "percent-encode"),
        ("http://u:sec\\ret@h", "percent-encode"),
        ("http://h\r\nX-A: b", "percent-encode"),
        ("http://h\0", "percent-encode"),
        ("http://u:%0a@h", "control character"),
        ("http://%00:secret@h", "control character"),
        ("http://u:%ff@h", "UTF-8"),
        ("http://[::1", "write it as"),
        ("http://[fe80::1%25eth0]", "write it as"),
        ("http://a b", "percent-encode"),
    ] {
        let error = Proxies::new().all(text).unwrap_err();
        let shown = error.to_string();
        assert_eq!(error.kind(), ErrorKind::InvalidProxyUrl, "{text:?}: {shown}");
        assert!(shown.contains(part), "{text:?}: {shown}");
        assert!(["secret", "u:sec", "ret@"].iter().all(|part| !shown.contains(part)), "{shown}");
        assert!(!shown.contains(['\r', '\n', '\0']), "{shown:?}");
    }
}

#[cfg(not(feature = "socks"))]
#[test]
fn socks_is_a_feature() {
    for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
        let error = Proxies::new().all(format!("{scheme}://h")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.remedy(), Some("build bequest with its feature `socks`"));
    }
}

/// What is set holds for all proxies, whether it is said before or after them.
#[test]
fn settings_are_for_every_proxy() {
    let before = Proxies::new().verify(false).header("X-Team", "a").http("http://p").unwrap();
    let after = Proxies::new().http("http://p").unwrap().verify(false).header("X-Team", "a");
    let url = url("http://h/");
    let [before, after] = [&before, &after].map(|proxies| proxies.select(&url).unwrap().unwrap());
    assert_eq!(before, after);
    assert_eq!((&before.verify, before.headers.get("x-team")), (&Verify::No, Some("a")));
}

#[test]
fn no_credentials_are_shown() {
    let proxies = Proxies::new()
        .http("http://user:secret@proxy:3128")
        .unwrap()
        .direct("https://h")
        .unwrap()
        .auth(("other", "secret"))
        .header("X-Key", "secret")
        .no_proxy("example.org:80, 10.0.0.0/8, ::1")
        .over(&Proxies::none());
    assert_eq!(
        format!("{proxies:?}"),
        "Proxies { http: http://***@proxy:3128, https://h: direct, \
         no_proxy: NoProxy { entries: [example.org:80, 10.0.0.0/8, [::1]] }, \
         else: Proxies { all: direct } }"
    );
}

mod environment;
mod no_proxy;
