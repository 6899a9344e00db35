use super::*;
use crate::request::{PreparedRequest, Request};

fn request() -> Request {
    Request::new("POST", "http://h/").header("Content-Type", "multipart/form-data; boundary=B")
}

fn body(request: Request) -> String {
    let prepared = request.prepare().unwrap();
    String::from_utf8(prepared.body.as_bytes().unwrap().to_vec()).unwrap()
}

fn part(name: &str, content: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
}

fn file(name: &str, content: &str) -> String {
    format!(
        "--B\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n\
         {content}\r\n"
    )
}

fn error(request: Request) -> Error {
    request.prepare().unwrap_err()
}

#[test]
fn a_forms_fields_come_before_the_files_whichever_is_given_first() {
    let fields = [("k", Some(vec!["v", "w"])), ("none", None), ("n", Some(vec!["1"]))];
    let expected =
        [part("k", "v"), part("k", "w"), part("n", "1"), file("f", "x"), "--B--\r\n".into()];
    for request in [
        request().form(&fields).files([("f", "x")]),
        request().files([("f", "x")]).form(&fields),
        request().form([("gone", 1)]).files([("f", "x")]).form(&fields),
    ] {
        assert_eq!(body(request), expected.concat());
    }
}

#[test]
fn files_given_twice_are_added() {
    let twice = request().files([("a", "1")]).form([("k", "v")]).files([("a", "2"), ("b", "3")]);
    let expected =
        [part("k", "v"), file("a", "1"), file("a", "2"), file("b", "3"), "--B--\r\n".into()];
    assert_eq!(body(twice), expected.concat());
}

#[test]
fn no_files_are_no_form() {
    let none = || Vec::<(String, Part)>::new();
    let content_type =
        |prepared: &PreparedRequest| prepared.headers.get("content-type").map(str::to_owned);
    let prepared = Request::new("POST", "http://h/").files(none()).prepare().unwrap();
    assert!(prepared.body.is_empty());
    assert_eq!(content_type(&prepared), None);
    for request in [
        Request::new("POST", "http://h/").files(none()).form([("k", "v")]),
        Request::new("POST", "http://h/").form([("k", "v")]).files(none()),
    ] {
        let prepared = request.prepare().unwrap();
        assert_eq!(prepared.body.as_bytes(), Some(&b"k=v"[..]));
        let expected = Some("application/x-www-form-urlencoded".to_owned());
        assert_eq!(content_type(&prepared), expected);
    }
}

#[test]
fn a_form_that_is_text_does_not_go_with_files() {
    for request in
        [request().form("a=b").files([("f", "x")]), request().files([("f", "x")]).form("a=b")]
    {
        let error = error(request);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("give its fields as pairs"), "{error}");
    }
}

#[test]
fn files_go_with_no_other_body() {
    let files = |request: Request| request.files([("f", "x")]);
    for (request, names) in [
        (files(request().body("x")), "both `body` and `files`"),
        (files(request()).body("x"), "both `files` and `body`"),
        #[cfg(feature = "json")]
        (files(request().json(1)), "both `json` and `files`"),
        #[cfg(feature = "json")]
        (files(request()).json(1), "both `files` and `json`"),
    ] {
        let error = error(request);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(names), "{error}");
    }
}

#[test]
fn body_and_content_type_agree_on_the_boundary() {
    let files = |request: Request| request.files([("f", "x")]);
    let prepared = files(Request::new("POST", "http://h/")).prepare().unwrap();
    let mime = prepared.headers.get("content-type").unwrap();
    let boundary = mime.strip_prefix("multipart/form-data; boundary=").unwrap();
    let content = prepared.body.as_bytes().unwrap();
    assert!(content.starts_with(format!("--{boundary}\r\n").as_bytes()));
    assert!(content.ends_with(format!("\r\n--{boundary}--\r\n").as_bytes()));
    let other = files(Request::new("POST", "http://h/")).prepare().unwrap();
    assert_ne!(other.headers.get("content-type"), prepared.headers.get("content-type"));
    // A session's type, or the caller's, that is no form's would tell another boundary than there is.
    for mime in ["application/octet-stream", "multipart/form-data; boundary=a b", "image/png"] {
        let request = Request::new("POST", "http://h/").header("content-type", mime);
        let error = error(files(request));
        assert!(error.to_string().contains("leave it out"), "{error}");
    }
    let without = Request::new("POST", "http://h/").header("content-type", "a/b");
    files(without.without_header("Content-Type")).prepare().unwrap();
}
