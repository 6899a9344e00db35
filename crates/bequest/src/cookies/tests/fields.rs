//! What a field says, how long its cookie lasts, and in which order cookies are sent.

use super::super::cookie::SameSite;
use super::{A, CookieJar, after, check, header_at, now, store_at, url};

#[test]
fn a_field_is_cut_at_the_signs() {
    let long = |count| "x".repeat(count);
    check(&[
        ("5.6 the first =", &[(A, "a=b=c==")], A, "a=b=c=="),
        ("5.6 blanks", &[(A, " \t a \t= \tb c\t ; Path = / ")], A, "a=b c"),
        ("5.6 quotes stay", &[(A, "a=\"b \\\"c\"")], A, "a=\"b \\\"c\""),
        ("5.6 commas stay", &[(A, "a=b, c=d; Path=/")], A, "a=b, c=d"),
        ("5.6 no =", &[(A, "foo")], A, "foo"),
        ("5.6 no name", &[(A, "=foo")], A, "foo"),
        ("5.6 no name, with =", &[(A, "=foo=bar")], A, "foo=bar"),
        ("5.6 no name is one name", &[(A, "foo"), (A, "=bar")], A, "bar"),
        ("5.6 no value", &[(A, "foo=")], A, "foo="),
        ("5.7 nothing", &[(A, "")], A, ""),
        ("5.7 nothing", &[(A, "=; Path=/")], A, ""),
        ("5.6 unknown attributes", &[(A, "a=b; c; d=e; ;;=; Secured; Path")], A, "a=b"),
        ("5.6 tabs around", &[(A, "a\t=\tb\t;\tPath\t=\t/")], A, "a=b"),
        ("5.6 tabs inside, unlike the RFC", &[(A, "a=b\tc"), (A, "a\tb=c")], A, ""),
        ("5.6", &[(A, "a=b\x00c")], A, ""),
        ("5.6", &[(A, "a=b\x7f")], A, ""),
        ("5.6", &[(A, "a=b\nc")], A, ""),
        ("5.6, in attributes", &[(A, "a=b; c=\x1f")], A, ""),
        ("5.6 the longest", &[(A, &format!("a={}", long(4095)))], A, &format!("a={}", long(4095))),
        ("5.6 longer", &[(A, &format!("a={}", long(4096)))], A, ""),
        ("5.6 a long name", &[(A, &format!("{}=b", long(4096)))], A, ""),
        ("5.6 the longest attribute", &[(A, &format!("a=b; Path=/{}", long(1023)))], A, ""),
        ("5.6 a longer one is ignored", &[(A, &format!("a=b; Path=/{}", long(1024)))], A, "a=b"),
        ("UTF-8", &[(A, "ü=☃")], A, "ü=☃"),
    ]);
}

#[test]
fn bytes_go_both_ways() {
    let jar = CookieJar::new();
    assert_eq!(store_at(&jar, A, b"a=\xff\x80", now()), 1);
    let header = jar.header_at::<&str, &str>(&url(A), &[], now()).unwrap();
    assert_eq!(header, b"a=\xff\x80");
    assert_eq!(jar.get("a").unwrap().unwrap().value(), "\u{fffd}\u{fffd}");
}

#[test]
fn cookies_end() {
    // The request is a second later; what ends then is not sent.
    check(&[
        ("5.6.2", &[(A, "a=b; Max-Age=2")], A, "a=b"),
        ("5.6.2", &[(A, "a=b; Max-Age=1")], A, ""),
        ("5.6.2 ends at once", &[(A, "a=b"), (A, "a=c; Max-Age=0")], A, ""),
        ("5.6.2 ends at once", &[(A, "a=b"), (A, "a=; Max-Age=-1")], A, ""),
        ("5.6.2 large", &[(A, "a=b; Max-Age=99999999999999999999999")], A, "a=b"),
        ("5.6.2 large", &[(A, "a=b"), (A, "a=b; Max-Age=-99999999999999999999999")], A, ""),
        (
            "5.6.2 no number",
            &[(A, "a=b; Max-Age=0x; Max-Age=; Max-Age=-; Max-Age=+0; Max-Age=\"0\"")],
            A,
            "a=b",
        ),
        ("5.7 the last", &[(A, "a=b; Max-Age=0; Max-Age=9")], A, "a=b"),
        (
            "5.7 over Expires",
            &[(A, "a=b; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT")],
            A,
            "a=b",
        ),
        (
            "5.7 over Expires",
            &[(A, "a=b; Max-Age=0; Expires=Thu, 01 Jan 2099 00:00:00 GMT")],
            A,
            "",
        ),
        ("5.6.1", &[(A, "a=b; Expires=Wed, 25 Nov 2026 00:00:02 GMT")], A, "a=b"),
        ("5.6.1", &[(A, "a=b; Expires=Wed, 25 Nov 2026 00:00:01 GMT")], A, ""),
        ("5.6.1 no date", &[(A, "a=b; Expires=0; Expires=-1; Expires=soon")], A, "a=b"),
        (
            "5.7 the last date",
            &[(A, "a=b; Expires=1 Jan 1970 0:0:0; Expires=1 Jan 2027 0:0:0; Expires=x")],
            A,
            "a=b",
        ),
        ("5.7 only the same", &[(A, "a=b"), (A, "a=; Max-Age=0; Path=/x")], A, "a=b"),
        ("5.7 only the same", &[(A, "a=b"), (A, "a=; Max-Age=0; Domain=a.example")], A, "a=b"),
    ]);
}

#[test]
fn no_server_sets_for_longer_than_400_days() {
    // 5.5
    for field in ["a=b; Max-Age=34560001", "a=b; Expires=1 Jan 9999 00:00:00"] {
        let jar = CookieJar::new();
        store_at(&jar, A, field, now());
        assert_eq!(header_at(&jar, A, after(34_559_999)), "a=b");
        assert_eq!(header_at(&jar, A, after(34_560_000)), "", "{field}");
    }
}

#[test]
fn the_order_is_that_of_paths_and_of_time() {
    check(&[
        (
            "5.8.3",
            &[(A, "a=1; Path=/"), (A, "b=2; Path=/x"), (A, "c=3; Path=/x/y")],
            "http://a.example/x/y",
            "c=3; b=2; a=1",
        ),
        ("5.8.3, time", &[(A, "b=1"), (A, "a=2"), (A, "c=3")], A, "b=1; a=2; c=3"),
        ("5.7", &[(A, "a=1"), (A, "b=2"), (A, "a=3")], A, "a=3; b=2"),
        (
            "5.7, gone in between",
            &[(A, "a=1"), (A, "b=2"), (A, "a=; Max-Age=0"), (A, "a=3")],
            A,
            "b=2; a=3",
        ),
        ("5.7, another path", &[(A, "a=1"), (A, "a=2; Path=/x")], "http://a.example/x", "a=2; a=1"),
        (
            "5.7, another domain",
            &[("http://b.a.example/", "a=1; Domain=a.example"), ("http://b.a.example/", "a=2")],
            "http://b.a.example/",
            "a=1; a=2",
        ),
        ("5.7, for the host alone", &[(A, "a=1"), (A, "a=2; Domain=a.example")], A, "a=1; a=2"),
    ]);
}

#[test]
fn what_is_kept_and_not_enforced() {
    let jar = CookieJar::new();
    let fields = [
        "a=1; HttpOnly; SameSite=strict",
        "b=2; SameSite=x; SameSite=NONE",
        "c=3; SameSite=Lax; SameSite",
    ];
    for field in fields {
        store_at(&jar, A, field, now());
    }
    let all: Vec<_> =
        jar.iter().map(|c| (c.name().into_owned(), c.http_only(), c.same_site())).collect();
    let expected = [
        ("a", true, Some(SameSite::Strict)),
        ("b", false, Some(SameSite::None)),
        ("c", false, None),
    ];
    assert_eq!(all, expected.map(|(name, http_only, site)| (name.to_owned(), http_only, site)));
    assert_eq!(header_at(&jar, A, now()), "a=1; b=2; c=3");
}

#[test]
fn an_answer_tells_what_it_set() {
    let jar = CookieJar::new();
    let fields: [&[u8]; 7] = [
        b"p=q; Path=/\tx",
        b"a=1",
        b"b=2; Domain=b.example",
        b"a=3",
        b"c=4; Max-Age=0",
        b"d=5",
        b"d=; Max-Age=0",
    ];
    let kept = jar.store_at(&url(A), fields.into_iter(), now());
    let kept: Vec<_> = kept.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
    assert_eq!(kept, ["a=3"]);
    assert!(jar.store(&url(A), []).is_empty());
}
