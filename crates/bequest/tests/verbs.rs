//! Each verb in turn, on an API that keeps what is written and answers by status and header.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use bequest::{Request, StatusCode};
use serde_json::{Value, json};
use support::{Client, Door, doors, get, post};
use testbed::Testbed;

doors![
    a_commit_is_read,
    options_fails_or_tells,
    a_comment_is_written_changed_and_deleted,
    nothing_is_written_without_the_password,
    head_brings_the_headers_of_get,
    collections_are_made,
];

const COMMIT: &str = "/repos/psf/requests/git/commits/a050faf084662f3a352dd1a941f2c7c9f886d4ad";
const ISSUE: &str = "/repos/psf/requests/issues/482";
const COMMENTS: &str = "/repos/psf/requests/issues/482/comments";

/// A server, a session with the password, and the server's URLs without and with TLS.
fn api(door: Door) -> (Testbed, Client, [String; 2]) {
    let server = Testbed::start();
    let mut s = door.session();
    s.set_auth(("fake@example.com", "not_a_real_password"));
    *s.verify() = server.ca_file().into();
    let bases = [server.url(""), server.https_url("")].map(|url| url.trim_end_matches('/').into());
    (server, s, bases)
}

fn a_commit_is_read(door: Door) {
    let (_server, s, bases) = api(door);
    for base in bases {
        let r = s.send(get(format!("{base}{COMMIT}"))).unwrap();
        assert_eq!(r.status(), StatusCode::OK);
        assert_eq!(r.headers().get("Content-Type"), Some("application/json; charset=utf-8"));
        let commit = r.json().unwrap();
        assert_eq!(commit["sha"], "a050faf084662f3a352dd1a941f2c7c9f886d4ad");
        assert_eq!(commit["url"], r.url().as_str());
        assert_eq!(serde_json::from_str::<Value>(&r.text().unwrap()).unwrap(), commit);
    }
}

fn options_fails_or_tells(door: Door) {
    let (server, s, bases) = api(door);
    for base in bases {
        let r = s.send(Request::new("OPTIONS", format!("{base}{COMMIT}"))).unwrap();
        assert_eq!((r.status(), r.ok()), (StatusCode::INTERNAL_SERVER_ERROR, false));
        let r = s.send(Request::new("OPTIONS", format!("{base}/api/cats"))).unwrap();
        assert_eq!(r.headers().get("allow"), Some("GET,HEAD,POST,OPTIONS"));
    }
    assert_eq!((server.connections(), server.https_connections()), (1, 1));
}

fn a_comment_is_written_changed_and_deleted(door: Door) {
    let (_server, s, bases) = api(door);
    for base in bases {
        let send = |request: Request| s.send(request).unwrap();
        let thread = format!("{base}{COMMENTS}");
        let count = || send(get(format!("{base}{ISSUE}"))).json().unwrap()["comments"].clone();
        assert_eq!(count(), 3);

        let r = send(post(&thread).json(json!({ "body": "first" })));
        assert_eq!(r.status(), StatusCode::CREATED);
        let posted = r.json().unwrap();
        assert_eq!(r.headers().get("location"), posted["url"].as_str());
        assert_eq!(send(get(&thread)).json().unwrap()[3], posted);
        assert_eq!(count(), 4);

        let url = posted["url"].as_str().unwrap();
        let r = send(Request::new("PATCH", url).json(json!({ "body": "second" })));
        assert_eq!(r.status(), StatusCode::OK);
        let patched = r.json().unwrap();
        assert_eq!((&patched["body"], &patched["id"]), (&json!("second"), &posted["id"]));
        assert_eq!(send(get(url)).json().unwrap(), patched);

        let r = send(Request::new("DELETE", url));
        assert_eq!((r.status(), r.reason()), (StatusCode::NO_CONTENT, "No Content"));
        assert_eq!(r.headers().get("status"), Some("204 No Content"));
        assert_eq!(r.content().unwrap(), "");
        assert_eq!(send(get(url)).status(), StatusCode::NOT_FOUND);
        assert_eq!(count(), 3);
    }
}

fn nothing_is_written_without_the_password(door: Door) {
    let (server, mut s, [base, _]) = api(door);
    *s.auth() = None;
    let thread = || post(format!("{base}{COMMENTS}")).json(json!({ "body": "spam" }));
    assert_eq!(s.send(thread()).unwrap().status(), StatusCode::NOT_FOUND);
    let wrong = thread().auth(("fake@example.com", "a wrong one"));
    assert_eq!(s.send(wrong).unwrap().status(), StatusCode::UNAUTHORIZED);
    let right = thread().auth(("fake@example.com", "not_a_real_password"));
    assert_eq!(s.send(right).unwrap().status(), StatusCode::CREATED);
    assert_eq!(s.send(thread()).unwrap().status(), StatusCode::NOT_FOUND, "it is not kept");
    assert_eq!(server.connections(), 1);
}

fn head_brings_the_headers_of_get(door: Door) {
    let (server, s, bases) = api(door);
    for (at, base) in bases.iter().enumerate() {
        let told = s.send(get(format!("{base}{ISSUE}"))).unwrap();
        let r = s.send(Request::new("HEAD", format!("{base}{ISSUE}"))).unwrap();
        assert_eq!(r.content().unwrap(), "");
        assert_eq!(r.content_length(), told.content_length());
        assert_eq!(r.headers().get("content-type"), told.headers().get("content-type"));
        assert_eq!(r.headers().get("x-ratelimit-limit"), Some("5000"));
        let left = (4998 - 2 * at).to_string();
        assert_eq!(r.headers().get("X-RateLimit-Remaining"), Some(&*left));
    }
    assert_eq!((server.connections(), server.https_connections()), (1, 1));
}

fn collections_are_made(door: Door) {
    let (_server, s, bases) = api(door);
    for (name, base) in ["one", "two"].into_iter().zip(bases) {
        let url = format!("{base}/dav/{name}/");
        let status = |method: &str| s.send(Request::new(method, &url)).unwrap().status();
        assert_eq!(status("MKCOL"), StatusCode::CREATED);
        assert_eq!(status("mkcol"), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(status("PROPFIND"), StatusCode::MULTI_STATUS);
        assert_eq!(status("DELETE"), StatusCode::NO_CONTENT);
        assert_eq!(status("PROPFIND"), StatusCode::NOT_FOUND);
    }
}
