//! The jar as a program edits it.

use std::time::{Duration, UNIX_EPOCH};

use super::super::filter::CookieFilter;
use super::super::policy::CookiePolicy;
use super::{A, Cookie, CookieJar, S, url};
use crate::error::ErrorKind;
use url::Url;

fn names(cookies: impl IntoIterator<Item = Cookie>) -> Vec<String> {
    cookies.into_iter().map(|c| format!("{}={}", c.name(), c.value())).collect()
}

fn header(jar: &CookieJar, to: &str) -> String {
    String::from_utf8(jar.header_for(&url(to)).unwrap_or_default()).unwrap()
}

#[test]
fn a_cookie_is_set_by_hand() {
    let jar = CookieJar::new();
    jar.set("name", "value", "http://A.example:8080/x/y?z").unwrap();
    let cookie = jar.get("name").unwrap().unwrap();
    assert_eq!((cookie.domain(), cookie.path(), cookie.host_only()), ("a.example", "/", true));
    assert_eq!((cookie.secure(), cookie.expires()), (false, None));
    assert_eq!(header(&jar, S), "name=value");
    assert_eq!(header(&jar, "http://b.a.example/"), "");
    jar.set("__Host-n", "v", S).unwrap();
    jar.set("name", "secure", S).unwrap();
    assert_eq!(header(&jar, S), "name=secure; __Host-n=v");
    assert_eq!(header(&jar, A), "");
    jar.set("ip", "6", "http://[::1]:80/").unwrap();
    assert_eq!(header(&jar, "http://[::1]/"), "ip=6");
}

#[test]
fn what_can_not_be_sent_is_refused_without_its_value() {
    let jar = CookieJar::new();
    for (name, value, rule) in [
        ("sid", "secret\r\nX: y", "its value has '\\r' at 6"),
        ("sid", "secret\n", "its value has '\\n' at 6"),
        ("sid", "secret\0", "its value has '\\0' at 6"),
        ("sid", "secret; b=c", "its value has ';' at 6"),
        ("sid", "secret\u{7f}", "its value has '\\u{7f}' at 6"),
        ("si\nd", "secret", "cookie `si\\nd`: its name has '\\n' at 2"),
        ("s=d", "secret", "its name has '=' at 1"),
        ("s;d", "secret", "its name has ';' at 1"),
        ("sid", "secret\t", "its value has '\\t' at 6"),
        (" sid", "secret", "it begins with a blank"),
        ("", "", "it has neither name nor value"),
        ("sid", &"secret".repeat(700), "name and value have 4203 bytes, more than 4096"),
        ("__Secure-a", "secret", "isn't what the prefix of its name says"),
        ("__host-a", "secret", "isn't what the prefix of its name says"),
    ] {
        let error = jar.set(name, value, A).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCookie, "{name:?}");
        assert!(error.to_string().contains(rule), "{error}");
        assert!(error.remedy().is_some() && !error.to_string().contains("secret"), "{error}");
    }
    assert!(jar.is_empty());
    for bad in ["example.org", "data:x", "", "http://"] {
        assert_eq!(jar.set("a", "b", bad).unwrap_err().kind(), ErrorKind::InvalidUrl, "{bad}");
    }
    assert!(!jar.set("a", "b", "u:secret@h").unwrap_err().to_string().contains("secret"));
}

#[test]
fn a_whole_cookie_is_built() {
    let cookie = Cookie::builder("n", b"\xff", ".Bücher.example").path("/x").secure(true);
    let cookie = cookie.http_only(true).expires(UNIX_EPOCH + Duration::from_secs(1 << 40));
    let cookie = cookie.build().unwrap();
    assert_eq!((cookie.domain(), cookie.host_only()), ("xn--bcher-kva.example", false));
    assert_eq!((cookie.name_bytes(), cookie.value_bytes()), (&b"n"[..], &b"\xff"[..]));
    let jar = CookieJar::from_iter([cookie]);
    assert_eq!(jar.header_for(&url("https://a.bücher.example/x")).unwrap(), b"n=\xff");
    for (domain, rule) in [
        (".com", "`com` is a public suffix"),
        (".co.uk", "`co.uk` is a public suffix"),
        ("", "its domain"),
        ("a b", "its domain"),
        ("..a.example", "its domain"),
        ("a/b", "its domain"),
        (&"a.".repeat(200), "its domain"),
    ] {
        let error = Cookie::builder("n", "v", domain).build().unwrap_err();
        assert!(error.to_string().contains(rule), "{domain}: {error}");
    }
    assert!(Cookie::builder("n", "v", "com").build().unwrap().host_only());
    for path in ["x", "", "/\n"] {
        let error = Cookie::builder("n", "v", "a.example").path(path).build().unwrap_err();
        assert!(error.to_string().contains("path"), "{error}");
    }
    let long = Cookie::builder("n", "v", "h").max_age(Duration::MAX).build().unwrap();
    assert!(long.expires().is_some());
    assert!(Cookie::builder("__Host-n", "v", "h").secure(true).build().is_ok());
    assert!(Cookie::builder("__Host-n", "v", "h").secure(true).path("/x").build().is_err());
    assert!(Cookie::builder("__Host-n", "v", ".a.example").secure(true).build().is_err());
}

#[test]
fn several_of_one_name_are_a_conflict() {
    let jar = CookieJar::new();
    let fields = [&b"k=1"[..], b"k=2; Path=/x", b"k=3; Domain=a.example", b"other=4"];
    jar.store(&url(A), fields);
    let error = jar.get("k").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CookieConflict);
    assert!(error.to_string().starts_with("there are 3 cookies with name `k`"), "{error}");
    assert!(jar.contains("k"));
    let filter = CookieFilter::new().name("k").path("/x");
    assert_eq!(names(jar.get(filter).unwrap()), ["k=2"]);
    assert_eq!(names(jar.select("k")), ["k=1", "k=2", "k=3"]);
    assert_eq!(names(jar.get("other").unwrap()), ["other=4"]);
    assert_eq!(jar.get("K").unwrap(), None);
    assert_eq!(jar.select(CookieFilter::new().domain(".A.example")).len(), 4);
    assert_eq!(jar.select(CookieFilter::new().domain("b.a.example")).len(), 0);
}

#[test]
fn cookies_are_taken_out() {
    let filled = || {
        let jar = CookieJar::new();
        let fields =
            [&b"k=1"[..], b"k=2; Path=/x", b"l=3; Path=/x; Max-Age=600", b"m=4; Max-Age=600"];
        jar.store(&url(A), fields);
        jar.set("k", "5", "http://b.example/").unwrap();
        jar
    };
    let jar = filled();
    assert_eq!((jar.remove("none"), jar.remove("k"), jar.len()), (0, 3, 2));
    let jar = filled();
    assert_eq!(jar.remove(CookieFilter::new().domain("a.example")), 4);
    assert_eq!(names(&jar), ["k=5"]);
    let jar = filled();
    assert_eq!(jar.remove(CookieFilter::new().domain("a.example").path("/x")), 2);
    assert_eq!(jar.remove(CookieFilter::new().domain("a.example").path("/").name("m")), 1);
    assert_eq!(names(&jar), ["k=1", "k=5"]);
    let jar = filled();
    assert_eq!((jar.clear_session(), names(&jar)), (3, vec!["l=3".to_owned(), "m=4".to_owned()]));
    jar.clear();
    assert!(jar.is_empty() && header(&jar, A).is_empty());
}

#[test]
fn jars_are_copied_and_merged() {
    let one = CookieJar::new();
    one.set("a", "1", A).unwrap();
    one.set("b", "2", A).unwrap();
    let copy = one.clone();
    copy.set("a", "3", A).unwrap();
    copy.set("c", "4", "http://c.example/").unwrap();
    assert_eq!(names(&one), ["a=1", "b=2"]);
    one.update(&copy);
    assert_eq!(names(&one), ["a=3", "b=2", "c=4"]);
    one.update(&one);
    assert_eq!(one.len(), 3);
    assert_eq!(one.domains(), ["a.example", "c.example"]);
    assert_eq!(one.paths(), ["/"]);
    assert_eq!(header(&copy, A), "a=3; b=2");
}

#[test]
fn nothing_shows_values() {
    let jar = CookieJar::new();
    jar.set("sid", "secret", A).unwrap();
    let shown = format!("{jar:?} {:?} {:?}", jar.get("sid"), Cookie::builder("a", "secret", "h"));
    assert!(shown.contains("sid") && shown.contains("***") && !shown.contains("secret"), "{shown}");
}

#[test]
fn a_request_has_cookies_of_its_own() {
    let jar = CookieJar::new();
    jar.store(&url(A), [&b"a=1"[..], b"b=2; Path=/x", b"a=3; Path=/x", b"c=4"]);
    let with = |to: &str, own: &[(&str, &str)]| {
        let header = jar.header_with(&url(to), own).unwrap().unwrap_or_default();
        String::from_utf8(header).unwrap()
    };
    let x = "http://a.example/x";
    assert_eq!(with(x, &[]), "b=2; a=3; a=1; c=4");
    assert_eq!(with(x, &[("d", "5")]), "b=2; a=3; a=1; c=4; d=5");
    assert_eq!(with(x, &[("a", "5")]), "b=2; c=4; a=5");
    assert_eq!(with(x, &[("a", "5"), ("d", "6"), ("a", "7")]), "b=2; c=4; a=7; d=6");
    assert_eq!(with("http://other/", &[("a", ""), ("", "bare")]), "a=; bare");
    assert_eq!(names(&jar), ["a=1", "b=2", "a=3", "c=4"], "nothing was kept");
    let error = jar.header_with(&url(A), &[("a", "b\n")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCookie);
    let empty = CookieJar::new();
    assert_eq!(empty.header_with(&url(A), &[("a", b"\xff")]).unwrap().unwrap(), b"a=\xff");
    assert_eq!(empty.header_with::<&str, &str>(&url(A), &[]).unwrap(), None);
}

struct Choosy;

impl CookiePolicy for Choosy {
    fn may_set(&self, url: &Url, cookie: &Cookie) -> bool {
        url.path() != "/no" && cookie.name() != "unwanted"
    }

    fn may_send(&self, url: &Url, cookie: &Cookie) -> bool {
        url.path() != "/quiet" || cookie.name() == "loud"
    }
}

#[test]
fn a_policy_refuses_setting_and_sending() {
    let jar = CookieJar::new();
    assert!(jar.policy().is_none());
    let policy: std::sync::Arc<dyn CookiePolicy> = std::sync::Arc::new(Choosy);
    jar.set_policy(policy);
    assert!(jar.policy().is_some());
    let kept = jar.store(&url(A), [&b"a=1"[..], b"unwanted=2", b"loud=3"]);
    assert_eq!(names(kept), ["a=1", "loud=3"]);
    assert!(jar.store(&url("http://a.example/no"), [&b"b=4"[..], b"a=; Max-Age=0"]).is_empty());
    assert_eq!(header(&jar, A), "a=1; loud=3");
    assert_eq!(header(&jar, "http://a.example/quiet"), "loud=3");
    let copy = jar.clone();
    jar.set("unwanted", "5", A).unwrap();
    assert!(jar.contains("unwanted"), "the program may");
    assert_eq!(header(&copy, "http://a.example/quiet"), "loud=3");
    assert!(!copy.contains("unwanted"));
    copy.set_policy(());
    assert_eq!(header(&copy, "http://a.example/quiet"), "a=1; loud=3");
    assert_eq!(header(&jar, "http://a.example/quiet"), "loud=3");
}
