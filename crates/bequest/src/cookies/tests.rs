//! The rules of RFC 6265bis, each in a line with its section.

mod dates;
mod editing;
mod eviction;
mod fields;
mod files;
mod interop;
mod model;
mod threads;

use std::time::{Duration, SystemTime};

use url::Url;

use super::cookie::{Cookie, from_unix};

use super::jar::CookieJar;

/// 2026-11-25 00:00:00 UTC.
const NOW: i64 = 1_795_564_800;

fn now() -> SystemTime {
    from_unix(NOW)
}

fn after(seconds: u64) -> SystemTime {
    now() + Duration::from_secs(seconds)
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn store_at(jar: &CookieJar, from: &str, field: impl AsRef<[u8]>, now: SystemTime) -> usize {
    jar.store_at(&url(from), [field.as_ref()].into_iter(), now).len()
}

fn header_at(jar: &CookieJar, to: &str, now: SystemTime) -> String {
    let header = jar.header_at::<&str, &str>(&url(to), &[], now).unwrap_or_default();
    String::from_utf8(header).unwrap()
}

/// The answers, each from a URL with a Set-Cookie field; then what a request has, or nothing.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

fn check(cases: &[Case<'_>]) {
    for (rule, answers, to, expected) in cases {
        let jar = CookieJar::new();
        for (from, field) in *answers {
            store_at(&jar, from, field, now());
        }
        assert_eq!(header_at(&jar, to, after(1)), *expected, "{rule}: {answers:?}, to {to}");
    }
}

const A: &str = "http://a.example/";
const S: &str = "https://a.example/";

#[test]
fn hosts_match_domains() {
    check(&[
        ("5.1.3 the same", &[(A, "k=v")], "http://a.example/", "k=v"),
        ("5.1.2 in any case", &[("http://A.EXAMPLE/", "k=v")], "http://a.example/", "k=v"),
        ("5.7 host-only", &[(A, "k=v")], "http://b.a.example/", ""),
        ("5.7 host-only, upwards", &[("http://b.a.example/", "k=v")], A, ""),
        ("5.1.3 below", &[(A, "k=v; Domain=a.example")], "http://c.b.a.example/", "k=v"),
        ("5.1.3 itself", &[(A, "k=v; Domain=a.example")], A, "k=v"),
        ("5.1.3 whole labels", &[(A, "k=v; Domain=a.example")], "http://ba.example/", ""),
        ("5.7 set from below", &[("http://b.a.example/", "k=v; Domain=a.example")], A, "k=v"),
        (
            "5.7 not for a sibling",
            &[("http://b.a.example/", "k=v; Domain=c.a.example")],
            "http://c.a.example/",
            "",
        ),
        ("5.7 not for below", &[(A, "k=v; Domain=b.a.example")], "http://b.a.example/", ""),
        ("5.7 not for another", &[(A, "k=v; Domain=b.example")], "http://b.example/", ""),
        ("5.6.3 a dot before", &[(A, "k=v; Domain=.a.example")], "http://b.a.example/", "k=v"),
        ("5.6.3 one dot", &[(A, "k=v; Domain=..a.example")], A, ""),
        ("5.6.3 a dot alone", &[(A, "k=v; Domain=.")], "http://b.a.example/", ""),
        ("5.6.3 a dot alone", &[(A, "k=v; Domain=.")], A, "k=v"),
        ("5.6.3 in any case", &[(A, "k=v; dOMAIN=A.Example")], "http://b.a.example/", "k=v"),
        ("5.6.3 empty", &[(A, "k=v; Domain=")], "http://b.a.example/", ""),
        ("5.6.3 empty", &[(A, "k=v; Domain=")], A, "k=v"),
        (
            "5.7 the last",
            &[(A, "k=v; Domain=b.example; Domain=a.example")],
            "http://b.a.example/",
            "k=v",
        ),
        ("5.7 the last", &[(A, "k=v; Domain=a.example; Domain=b.example")], A, ""),
        (
            "5.7 the last, empty",
            &[(A, "k=v; Domain=a.example; Domain=")],
            "http://b.a.example/",
            "",
        ),
        ("5.7 no port", &[(A, "k=v; Domain=a.example:80")], A, ""),
        (
            "8.5 ports don't isolate",
            &[("http://a.example:1/", "k=v")],
            "http://a.example:2/",
            "k=v",
        ),
        (
            "5.7 not beyond ASCII",
            &[("http://bücher.example/", "k=v; Domain=bücher.example")],
            "http://bücher.example/",
            "",
        ),
        (
            "5.1.2 as A-labels",
            &[("http://bücher.example/", "k=v; Domain=xn--bcher-kva.example")],
            "http://b.BÜCHER.example/",
            "k=v",
        ),
        ("5.1.2 a dot at the end is another host", &[("http://a.example./", "k=v")], A, ""),
        ("5.1.2 a dot at the end", &[("http://a.example./", "k=v")], "http://a.example./", "k=v"),
        ("5.7 a dot at the end", &[(A, "k=v; Domain=a.example.")], A, ""),
        (
            "5.1.3 addresses are whole",
            &[("http://127.0.0.1/", "k=v; Domain=0.0.1")],
            "http://127.0.0.1/",
            "",
        ),
        (
            "5.1.3 addresses are the same",
            &[("http://127.0.0.1/", "k=v; Domain=127.0.0.1")],
            "http://127.0.0.1/",
            "k=v",
        ),
        (
            "5.1.3 addresses are whole",
            &[("http://1.1.1.1/", "k=v; Domain=1.1")],
            "http://2.2.1.1/",
            "",
        ),
        ("5.1.3 IPv6", &[("http://[::1]/", "k=v")], "http://[0:0::1]/", "k=v"),
        ("5.1.3 IPv6", &[("http://[::1]/", "k=v; Domain=[::1]")], "http://[::1]/", "k=v"),
        (
            "hosts that DNS can't have",
            &[(&format!("http://{}/", "a.".repeat(150)), "k=v")],
            &format!("http://{}/", "a.".repeat(150)),
            "",
        ),
        ("no host", &[("data:x", "k=v")], "data:x", ""),
        ("other schemes", &[("echo://H/", "k=v")], "echo://h/", "k=v"),
    ]);
}

#[test]
fn public_suffixes_are_nobodys() {
    check(&[
        ("5.7", &[("http://a.co.uk/", "k=v; Domain=co.uk")], "http://b.co.uk/", ""),
        ("5.7", &[("http://a.co.uk/", "k=v; Domain=co.uk")], "http://a.co.uk/", ""),
        (
            "5.7, private ones",
            &[("http://a.github.io/", "k=v; Domain=github.io")],
            "http://b.github.io/",
            "",
        ),
        ("5.7, below", &[("http://b.a.co.uk/", "k=v; Domain=a.co.uk")], "http://c.a.co.uk/", "k=v"),
        (
            "5.7, the host itself",
            &[("http://github.io/", "k=v; Domain=github.io")],
            "http://github.io/",
            "k=v",
        ),
        (
            "5.7, the host itself alone",
            &[("http://github.io/", "k=v; Domain=github.io")],
            "http://a.github.io/",
            "",
        ),
        ("5.7, unknown", &[("http://a.nowhere/", "k=v; Domain=nowhere")], "http://b.nowhere/", ""),
        (
            "5.7, one label",
            &[("http://localhost/", "k=v; Domain=localhost")],
            "http://localhost/",
            "k=v",
        ),
        ("5.7, a dot at the end", &[("http://a.com./", "k=v; Domain=com.")], "http://b.com./", ""),
        ("5.7, wildcards", &[("http://a.b.ck/", "k=v; Domain=b.ck")], "http://c.b.ck/", ""),
        (
            "5.7, exceptions",
            &[("http://a.www.ck/", "k=v; Domain=www.ck")],
            "http://b.www.ck/",
            "k=v",
        ),
    ]);
}

#[test]
fn paths_match_by_segments() {
    check(&[
        ("5.1.4 default", &[("http://a.example/x/y", "k=v")], "http://a.example/x/z", "k=v"),
        ("5.1.4 default", &[("http://a.example/x/y", "k=v")], "http://a.example/x", "k=v"),
        ("5.1.4 default", &[("http://a.example/x/y", "k=v")], "http://a.example/", ""),
        ("5.1.4 default, a folder", &[("http://a.example/x/", "k=v")], "http://a.example/x", "k=v"),
        ("5.1.4 default, no folder", &[("http://a.example/x", "k=v")], A, "k=v"),
        ("5.1.4 default, without the query", &[("http://a.example/x?/y/", "k=v")], A, "k=v"),
        ("5.1.4 segments", &[(A, "k=v; Path=/x")], "http://a.example/xy", ""),
        ("5.1.4 segments", &[(A, "k=v; Path=/x")], "http://a.example/x/y?z", "k=v"),
        ("5.1.4 segments", &[(A, "k=v; Path=/x")], "http://a.example/x?y", "k=v"),
        ("5.1.4 a slash at the end", &[(A, "k=v; Path=/x/")], "http://a.example/x", ""),
        ("5.1.4 a slash at the end", &[(A, "k=v; Path=/x/")], "http://a.example/x/", "k=v"),
        ("5.1.4 case", &[(A, "k=v; Path=/X")], "http://a.example/x", ""),
        ("5.6.4 that of nobody", &[(A, "k=v; Path=/x/y")], "http://a.example/x/y", "k=v"),
        ("5.6.4 no slash", &[("http://a.example/x/y", "k=v; Path=z")], "http://a.example/x", "k=v"),
        ("5.6.4 empty", &[("http://a.example/x/y", "k=v; Path=")], "http://a.example/z", ""),
        ("5.7 the last", &[(A, "k=v; Path=/x; Path=/y")], "http://a.example/y", "k=v"),
        ("5.7 the last, none", &[(A, "k=v; Path=/x; Path=y")], A, "k=v"),
        (
            "5.6.4 quoted",
            &[("http://a.example/x/y", "k=v; Path=\"/z\"")],
            "http://a.example/x",
            "k=v",
        ),
        (
            "5.7 a long default",
            &[(&format!("http://a.example/{}/", "x".repeat(1024)), "k=v")],
            &format!("http://a.example/{}/", "x".repeat(1024)),
            "",
        ),
        ("5.6.4 beyond ASCII", &[(A, "k=v; Path=/ü")], "http://a.example/ü", ""),
    ]);
}

#[test]
fn secure_is_for_https() {
    check(&[
        ("5.8.3", &[(S, "k=v; Secure")], S, "k=v"),
        ("5.8.3", &[(S, "k=v; Secure")], A, ""),
        ("5.8.3, any port", &[(S, "k=v; secure=0")], "https://a.example:8443/", "k=v"),
        ("5.7", &[(A, "k=v; Secure")], S, ""),
        ("5.7, no exemption", &[("http://localhost/", "k=v; Secure")], "http://localhost/", ""),
        ("5.7, no exemption", &[("http://127.0.0.1/", "k=v; Secure")], "https://127.0.0.1/", ""),
        ("5.8.3, no exemption", &[("https://localhost/", "k=v; Secure")], "http://localhost/", ""),
        ("8.5 schemes don't isolate", &[(A, "k=v")], S, "k=v"),
        ("5.7", &[(S, "k=v; Secure"), (A, "k=w")], S, "k=v"),
        ("5.7, from https", &[(S, "k=v; Secure"), (S, "k=w")], A, "k=w"),
        ("5.7, taken away", &[(S, "k=v; Secure"), (A, "k=w; Max-Age=0")], S, "k=v"),
        ("5.7, another name", &[(S, "k=v; Secure"), (A, "K=w")], S, "k=v; K=w"),
        (
            "5.7, from below",
            &[(S, "k=v; Secure"), ("http://b.a.example/", "k=w; Domain=a.example")],
            S,
            "k=v",
        ),
        (
            "5.7, from above",
            &[("https://b.a.example/", "k=v; Secure"), (A, "k=w; Domain=a.example")],
            "https://b.a.example/",
            "k=v",
        ),
        (
            "5.7, a sibling",
            &[("https://b.a.example/", "k=v; Secure"), ("http://c.a.example/", "k=w")],
            "http://c.a.example/",
            "k=w",
        ),
        (
            "5.7, a path below",
            &[(S, "k=v; Secure; Path=/x"), (A, "k=w; Path=/x/y")],
            "https://a.example/x/y",
            "k=v",
        ),
        (
            "5.7, a path above",
            &[(S, "k=v; Secure; Path=/x"), (A, "k=w; Path=/")],
            "https://a.example/x",
            "k=v; k=w",
        ),
        (
            "5.7, a path beside",
            &[(S, "k=v; Secure; Path=/x"), (A, "k=w; Path=/y")],
            "https://a.example/y",
            "k=w",
        ),
    ]);
}

#[test]
fn prefixes_are_promises() {
    check(&[
        ("5.4", &[(S, "__Secure-k=v; Secure")], S, "__Secure-k=v"),
        ("5.4", &[(S, "__Secure-k=v")], S, ""),
        ("5.4", &[(A, "__Secure-k=v; Secure")], S, ""),
        ("5.4 in any case", &[(S, "__SECURE-k=v")], S, ""),
        (
            "5.4 with a domain",
            &[(S, "__Secure-k=v; Secure; Domain=a.example")],
            "https://b.a.example/",
            "__Secure-k=v",
        ),
        ("5.4", &[(S, "__Host-k=v; Secure; Path=/")], S, "__Host-k=v"),
        ("5.4", &[(S, "__Host-k=v; Path=/")], S, ""),
        ("5.4", &[(S, "__Host-k=v; Secure; Path=/; Domain=a.example")], S, ""),
        ("5.4", &[(S, "__Host-k=v; Secure; Path=/x")], "https://a.example/x", ""),
        ("5.4 the path is said", &[(S, "__Host-k=v; Secure")], S, ""),
        ("5.4 in any case", &[(S, "__hOsT-k=v; Secure; Path=/x")], "https://a.example/x", ""),
        ("5.4 the rest may be nothing", &[(S, "__Host-=v")], S, ""),
        ("5.7, without a name", &[(S, "=__Host-k=v; Secure; Path=/")], S, ""),
        ("5.7, without a name", &[(S, "__secure-k; Secure")], S, ""),
        ("5.4 not a prefix", &[(A, "x__Host-k=v")], A, "x__Host-k=v"),
        ("5.4 not a prefix", &[(A, "__Host=v")], A, "__Host=v"),
    ]);
}
