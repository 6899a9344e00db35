use url::Url;

use super::*;
use crate::auth::auth_fn;
use crate::request::Request;

/// The response to a request, with a Location.
fn response(request: PreparedRequest, status: u16, location: &[u8]) -> Response {
    let response = Response::builder().status(status).header("Location", location);
    let mut response = response.build().unwrap();
    response.head_mut().request = Some(Box::new(request));
    response
}

fn prepared(method: &str, url: &str) -> PreparedRequest {
    Request::new(method, url).prepare().unwrap()
}

fn follow(response: &Response) -> Result<Option<Box<PreparedRequest>>> {
    next(response, &Settings::default()).map(|led| led.map(|led| led.request))
}

/// Where a GET of `base` is led.
fn led(base: &str, location: &[u8]) -> Result<String> {
    let next = follow(&response(prepared("GET", base), 302, location))?;
    Ok(next.map(|next| next.url.into()).unwrap_or_default())
}

#[test]
fn methods_and_bodies() {
    // Status, method; then what the next request has: its method, whether the body goes along.
    for (status, method, then, keeps) in [
        (301, "GET", "GET", false),
        (301, "HEAD", "HEAD", false),
        (301, "POST", "GET", false),
        (301, "PUT", "PUT", true),
        (301, "PATCH", "PATCH", true),
        (301, "DELETE", "DELETE", true),
        (301, "OPTIONS", "OPTIONS", true),
        (302, "GET", "GET", false),
        (302, "HEAD", "HEAD", false),
        (302, "POST", "GET", false),
        (302, "PUT", "GET", false),
        (302, "DELETE", "GET", false),
        (302, "MKCOL", "GET", false),
        (303, "GET", "GET", false),
        (303, "HEAD", "HEAD", false),
        (303, "POST", "GET", false),
        (303, "PATCH", "GET", false),
        (307, "GET", "GET", true),
        (307, "POST", "POST", true),
        (307, "PUT", "PUT", true),
        (308, "HEAD", "HEAD", true),
        (308, "POST", "POST", true),
        (308, "MKCOL", "MKCOL", true),
    ] {
        let request = Request::new(method, "http://h/a")
            .body("body")
            .header("Content-Type", "text/plain")
            .header("content-encoding", "identity")
            .header("Transfer-Encoding", "chunked")
            .header("X-Kept", "x");
        let next = follow(&response(request.prepare().unwrap(), status, b"/b")).unwrap().unwrap();
        let shown = format!("{status} {method}");
        assert_eq!(next.method.as_str(), then, "{shown}");
        assert_eq!(next.url.as_str(), "http://h/b", "{shown}");
        assert_eq!(next.body.as_bytes(), Some(if keeps { &b"body"[..] } else { b"" }), "{shown}");
        let expected: &[&str] = match keeps {
            true => &["Content-Type", "content-encoding", "Transfer-Encoding", "X-Kept"],
            false => &["X-Kept"],
        };
        let names: Vec<_> = next.headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{shown}");
    }
    for status in [200, 300, 304, 305, 306, 309, 399] {
        assert!(follow(&response(prepared("GET", "http://h/"), status, b"/b")).unwrap().is_none());
    }
}

#[test]
fn where_locations_lead() {
    let base = "http://h:81/a/b?c#d";
    for (location, url) in [
        ("/x", "http://h:81/x#d"),
        ("x?y", "http://h:81/a/x?y#d"),
        ("../x/./y", "http://h:81/x/y#d"),
        ("?q", "http://h:81/a/b?q#d"),
        ("#e", "http://h:81/a/b?c#e"),
        ("/x#", "http://h:81/x#"),
        ("//other/x", "http://other/x#d"),
        ("https://other:82/x#y", "https://other:82/x#y"),
        ("HTTP://OTHER", "http://other/#d"),
        ("  /x  ", "http://h:81/x#d"),
        ("/a b\"\u{e9}", "http://h:81/a%20b%22%C3%A9#d"),
        ("/%41%7e", "http://h:81/%41%7e#d"),
        ("http://u:p@other/", "http://u:p@other/#d"),
        ("/x:y", "http://h:81/x:y#d"),
        ("./x:y", "http://h:81/a/x:y#d"),
    ] {
        assert_eq!(led(base, location.as_bytes()).unwrap(), url, "{location}");
    }
    assert_eq!(led(base, b"").unwrap(), "", "nowhere to go: the response is the caller's");
}

#[test]
fn locations_that_lead_nowhere_are_errors() {
    for location in [
        &b"http:///x"[..],
        b"http:/x",
        b"http://",
        b"http://h:0/",
        b"http://h:65536/",
        b"http://h:x/",
        b"http://[::1/",
        b"http://a b/",
        b"http://a\\@b/",
        b"\\\\other/x",
        b"/\\other/x",
        b"//",
        b"/\x01",
        b"/\x7f",
        b"/\xff",
    ] {
        let error = led("http://h/", location).unwrap_err();
        let shown = String::from_utf8_lossy(location);
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{shown}");
        assert!(error.to_string().contains("the redirect's Location"), "{error}");
    }
    for location in
        ["file:///etc/passwd", "ftp://h/x", "javascript:alert(1)", "mailto:x@y", "mock://x"]
    {
        let error = led("http://h/", location.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSchema, "{location}");
        assert!(error.remedy().is_some());
    }
}

#[test]
fn several_locations_must_agree() {
    let two = |second| {
        let builder = Response::builder().status(302).header("Location", "/a");
        let mut response = builder.header("location", second).build().unwrap();
        response.head_mut().request = Some(Box::new(prepared("GET", "http://h/")));
        follow(&response).map(|next| next.unwrap().url.to_string())
    };
    assert_eq!(two("/a").unwrap(), "http://h/a");
    assert_eq!(two("/b").unwrap_err().kind(), ErrorKind::InvalidResponse);
}

#[test]
fn origins() {
    let same =
        |from: &str, to: &str| origin::same_origin(&from.parse().unwrap(), &to.parse().unwrap());
    for (from, to) in [
        ("http://h/", "http://h/x"),
        ("http://h/", "http://H:80/"),
        ("https://h/", "https://h:443/"),
        ("http://h:81/", "http://h:81/"),
        ("http://h/", "https://h/"),
        ("http://u:p@h/", "http://h/"),
    ] {
        assert!(same(from, to), "{from} {to}");
    }
    for (from, to) in [
        ("https://h/", "http://h/"),
        ("http://h/", "http://h:81/"),
        ("http://h:81/", "https://h/"),
        ("http://h/", "https://h:444/"),
        ("http://h:443/", "https://h/"),
        ("http://h/", "http://www.h/"),
        ("http://h/", "http://h./"),
        ("http://[::1]/", "http://127.0.0.1/"),
    ] {
        assert!(!same(from, to), "{from} {to}");
    }
}

/// A request with everything that is for its origin alone.
fn telling() -> PreparedRequest {
    let auth = auth_fn(|request| {
        request.headers.insert("X-Signature", "signed");
        request.headers.insert("X-Changed", "by the auth");
        Ok(())
    });
    Request::new("GET", "http://h/")
        .headers([
            ("host", "virtual"),
            ("AUTHORIZATION", "secret"),
            ("proxy-authorization", "secret"),
            ("Cookie", "secret"),
            ("x-api-key", "secret"),
            ("Api-Key", "secret"),
            ("X-Auth-Token", "secret"),
            ("X-Access-Token", "secret"),
            ("X-Csrf-Token", "secret"),
            ("X-Amz-Security-Token", "secret"),
            ("X-Own", "secret"),
            ("X-Changed", "before"),
            ("X-Plain", "plain"),
        ])
        .auth(auth)
        .prepare()
        .unwrap()
}

/// What is cheaper for plain paths leads to the same place.
#[test]
fn plain_paths_lead_where_they_would() {
    let bases = ["http://h/", "http://h/a/b?q=1#f", "http://u:p@h:81/%41", "https://[::1]/a%20b/"];
    let paths = ["/", "/x", "/x/", "/a/./b", "/a/../../b", "/..", "/.", "/a//b", "/~x-y_z.9/A"];
    for base in bases {
        for path in paths {
            let joined = base.parse::<Url>().unwrap().join(path).unwrap();
            assert!(location::is_plain_path(path), "{path}");
            let fragment = if base.contains('#') { "#f" } else { "" };
            let led = led(base, path.as_bytes()).unwrap();
            assert_eq!(led, format!("{joined}{fragment}"), "{path} from {base}");
        }
    }
    for other in ["", "x", "//x", "/x?y", "/x#y", "/%2e", "/a b", "/\\x", "/\u{e9}", "/a:b"] {
        assert!(!location::is_plain_path(other), "{other}");
    }
}

#[test]
fn another_origin_gets_no_secrets() {
    let next = follow(&response(telling(), 307, b"http://other/")).unwrap().unwrap();
    let left: Vec<_> = next.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["X-Own", "X-Plain"]);
    assert!(next.auth.is_none());
    let settings = Settings { sensitive_headers: ["x-own"].into(), ..Settings::default() };
    let led = super::next(&response(telling(), 307, b"http://other/"), &settings);
    let next = led.unwrap().unwrap().request;
    assert!(!next.headers.contains("X-Own") && next.headers.contains("X-Api-Key"));
}

#[test]
fn the_same_origin_keeps_what_the_caller_said() {
    let request = telling();
    let before = request.headers.clone();
    let mut next = follow(&response(request, 307, b"/x")).unwrap().unwrap();
    assert!(!next.headers.contains("X-Signature"), "the auth is applied anew");
    next.apply_auth().unwrap();
    for (name, value) in &before {
        assert_eq!(next.headers.get_bytes(name), Some(value), "{name}");
    }
}

#[test]
fn a_body_that_was_read_can_not_go_along() {
    let request = Request::new("POST", "http://h/").body(Body::reader(std::io::empty()));
    let request = request.prepare().unwrap();
    drop(request.body.source().unwrap().lend().unwrap());
    let error = follow(&response(request.clone(), 307, b"/x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnrewindableBody);
    assert!(follow(&response(request, 303, b"/x")).unwrap().is_some(), "it is dropped");
    let untouched = Request::new("POST", "http://h/").body(Body::reader(std::io::empty()));
    let next = follow(&response(untouched.prepare().unwrap(), 307, b"/x")).unwrap();
    assert!(next.is_some(), "it was not read yet");
}

#[test]
fn sensitive_headers_are_not_shown() {
    let mut session = crate::session::Session::new();
    session.headers.insert("X-Tenant", "hidden");
    assert!(format!("{session:?}").contains("hidden"));
    session.sensitive_headers = session.sensitive_headers.with(["x-tenant"]);
    assert!(format!("{session:?}").contains(r#""X-Tenant": "***""#), "{session:?}");
    let mut request = prepared("GET", "http://h/");
    request.headers = session.headers.clone();
    let sensitive_headers = session.sensitive_headers.clone();
    request.set_settings(&Arc::new(Settings { sensitive_headers, ..Settings::default() }));
    assert!(!format!("{request:?}").contains("hidden"), "{request:?}");
}
