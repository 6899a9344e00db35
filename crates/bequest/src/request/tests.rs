use super::*;
use crate::error::ErrorKind;
use crate::headers::Headers;
use crate::hooks::Hooks;

fn url(text: &str) -> String {
    Request::new("GET", text).prepare().map(|prepared| prepared.url.into()).unwrap()
}

fn refused(text: &str) -> Error {
    Request::new("GET", text).prepare().expect_err(text)
}

fn head(request: Request) -> String {
    String::from_utf8(request.prepare().unwrap().wire_head().unwrap()).unwrap()
}

#[test]
fn urls_are_read_as_the_standard_says() {
    assert_eq!(url("HTTP://Example.ORG"), "http://example.org/");
    assert_eq!(url("  http://h/"), "http://h/", "leading blanks are forgiven");
    assert_eq!(url("http://h:80/%41%zz/a b?c d#f g"), "http://h/%41%zz/a%20b?c%20d#f%20g");
    assert_eq!(url("http://stra\u{df}e.de/"), "http://xn--strae-oqa.de/");
    assert_eq!(url("http://[::1]:8080/"), "http://[::1]:8080/");
    assert_eq!(url("mock://anything/x"), "mock://anything/x");
}

#[test]
fn bad_urls_are_refused_with_rule_and_remedy() {
    for text in ["example.org", "localhost:8080/x", "example.org:80", "//h/x", "/x", "", "h"] {
        let error = refused(text);
        assert_eq!(error.kind(), ErrorKind::MissingSchema, "{text}");
        assert!(error.remedy().is_some_and(|remedy| remedy.starts_with("write `https://")));
    }
    for text in [
        "http://",
        "http:///x",
        "http:/h/x",
        "http:h",
        "http://:80/",
        "http://u:p@/",
        "https://?x",
        "http://h:0/",
        "http://h:65536/",
        "http://h:x/",
        "http://[::1/",
        "http://h h/",
        "http://a\\b/",
        "http://h\\@evil/",
        "http://h/\r\nX: y",
        "http://h/\t",
        "http://h/\0",
        "http://h/\x7f",
        "http://ho\tst/",
        "http://h/a\nb",
        "http://*%/",
    ] {
        let error = refused(text);
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{text:?}");
        assert!(!error.to_string().contains(|c: char| c.is_control()), "{error}");
    }
    assert!(!refused("http://u:secret@/").to_string().contains("secret"));
    assert!(!refused("http://u:secret@h h/").to_string().contains("secret"));
}

#[test]
fn methods_are_tokens_in_upper_case() {
    let method = |text| Request::new(text, "http://h/").prepare().map(|p| p.method.to_string());
    assert_eq!(method("mkCol").unwrap(), "MKCOL");
    for bad in ["", "GET ", "G\r\nX", "G\tT", "G\0", "GÉT", "A/B"] {
        let error = method(bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidMethod, "{bad:?}");
        assert!(error.remedy().is_some());
    }
}

#[test]
fn params_come_behind_the_query_and_before_the_fragment() {
    let with = |text: &str, params: &[(&str, &str)]| {
        let request = Request::new("GET", text).params(params);
        String::from(request.prepare().unwrap().url)
    };
    assert_eq!(
        with("http://h/?z=1#f", &[("a", "1"), ("a", "\u{e9} &")]),
        "http://h/?z=1&a=1&a=%C3%A9+%26#f"
    );
    assert_eq!(with("http://h/?", &[("a", "1")]), "http://h/?a=1");
    assert_eq!(with("http://h/", &[]), "http://h/");
    let raw = Request::new("GET", "http://h/").params("a=b c");
    assert_eq!(raw.prepare().unwrap().url.as_str(), "http://h/?a=b%20c");
    let both = Request::new("GET", "http://h/").params([("k", "v")]).params("raw");
    assert_eq!(both.prepare().unwrap().url.as_str(), "http://h/?raw&k=v");
}

#[test]
fn session_params_are_overridden_in_place() {
    let session = Params::from([("k", "s"), ("drop", "1"), ("x", "y"), ("k", "s2")]);
    let defaults = Defaults { params: Some(&session), ..Defaults::none() };
    let prepare = |request: Request| String::from(request.parts.prepare(&defaults).unwrap().url);
    let get = || Request::new("GET", "http://h/");
    assert_eq!(prepare(get()), "http://h/?k=s&drop=1&x=y&k=s2");
    let own = get().params([("k", "r"), ("k", "r2"), ("n", "1")]).without_param("drop");
    assert_eq!(prepare(own), "http://h/?k=r&k=r2&x=y&n=1");
    assert_eq!(prepare(get().params("raw")), "http://h/?raw");
    assert_eq!(session.get("x"), Some("y"));
}

#[test]
fn the_wire_head_has_host_first_and_the_length_last() {
    let get = Request::new("GET", "http://h:8080/p?q#f").header("X-B", "1").header("x-a", "2");
    assert_eq!(head(get), "GET /p?q HTTP/1.1\r\nHost: h:8080\r\nX-B: 1\r\nx-a: 2\r\n\r\n");
    let post = Request::new("POST", "https://h:443").form([("a", "b c")]);
    let expected = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: \
                    application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(head(post), expected);
    let own = Request::new("PUT", "http://h/").header("a", "1").header("HOST", "other").body("x");
    let expected = "PUT / HTTP/1.1\r\na: 1\r\nHOST: other\r\nContent-Length: 1\r\n\r\n";
    assert_eq!(head(own), expected);
    let chunked = Request::new("POST", "http://h/").body(crate::body::Body::chunks(["x"]));
    assert!(head(chunked).ends_with("\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

#[test]
fn sealing_twice_adds_nothing_twice() {
    let mut prepared = Request::new("POST", "http://h/").body("abc").prepare().unwrap();
    prepared.seal().unwrap();
    prepared.body = "abcdef".into();
    prepared.seal().unwrap();
    assert_eq!(prepared.headers.to_string(), "Host: h\r\nContent-Length: 6\r\n");
    assert!(prepared.clone().headers.is_empty(), "a clone is without them");
}

#[test]
fn session_headers_keep_their_place() {
    let session = Headers::from([("User-Agent", "us"), ("Accept", "*/*"), ("X", "1")]);
    let defaults = Defaults { headers: Some(&session), ..Defaults::none() };
    let request = Request::new("GET", "http://h/").header("Z", "z").header("accept", "a");
    let prepared = request.without_header("x").parts.prepare(&defaults).unwrap();
    assert_eq!(prepared.headers.to_string(), "User-Agent: us\r\naccept: a\r\nZ: z\r\n");
}

#[test]
fn bad_headers_are_refused_when_prepared() {
    let error = Request::new("GET", "http://h/").header("a", "b\nc").prepare().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidHeader);
    assert!(error.to_string().starts_with("GET http://h/: header `a`"), "{error}");
}

#[test]
fn a_request_has_one_body() {
    let error = Request::new("POST", "http://h/").form([("a", "b")]).body("x").prepare();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("both `form` and `body`"), "{error}");
    let twice = Request::new("POST", "http://h/").body("x").body("yz").prepare().unwrap();
    assert_eq!(twice.body.as_bytes(), Some(&b"yz"[..]), "the same one may be set again");
}

#[test]
fn a_query_that_is_text_is_escaped_behind_a_path_as_it_is() {
    for (url, query, line) in [
        ("http://h/a/../b", "ü #", "GET /a/../b?%C3%BC%20%23 HTTP/1.1"),
        ("http://h/a/../b?x#f", "&y", "GET /a/../b?x&&y HTTP/1.1"),
        ("http://h/a/../b?", "y", "GET /a/../b?y HTTP/1.1"),
    ] {
        let request = Request::new("GET", url).path_as_is(true).params(query);
        assert_eq!(head(request).lines().next(), Some(line));
    }
}

#[test]
fn credentials_of_the_url_become_basic_unless_said_otherwise() {
    let authorization = |request: Request| {
        let prepared = request.prepare().unwrap();
        prepared.headers.get("authorization").map(str::to_owned)
    };
    let get = |url: &str| Request::new("GET", url);
    assert_eq!(authorization(get("http://u%40x:p%3Aq@h/")).unwrap(), "Basic dUB4OnA6cQ==");
    assert_eq!(authorization(get("http://u@h/")), None);
    assert_eq!(authorization(get("http://u:p@h/").auth(crate::auth::NoAuth)), None);
    let explicit = get("http://u:p@h/").header("Authorization", "mine");
    assert_eq!(authorization(explicit).unwrap(), "mine");
    let bearer = get("http://u:p@h/").auth(crate::auth::Bearer::new("t"));
    assert_eq!(authorization(bearer).unwrap(), "Bearer t");
    assert!(!head(get("http://u:p@h/x")).contains("u:p"), "never in target or Host");
}

#[test]
fn debug_shows_no_secrets() {
    let request = Request::new("GET", "http://u:secret@h/?token=secret").auth(("u", "secret"));
    assert!(!format!("{request:?}").contains("secret"));
    assert!(!format!("{:?}", request.prepare().unwrap()).contains("secret"));
    let _ = Hooks::new();
}
