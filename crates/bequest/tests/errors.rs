//! Errors: which kind is whose exception in Requests, what they carry, and what they say.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::error::Error as StdError;
use std::net::TcpListener;
use std::time::Duration;

use bequest::{Body, Error, ErrorKind, HttpAdapter, Proxies, Request, Retry, Timeout};
use support::{Client, Door, doors, get, post};
use testbed::{RawServer, Script, Testbed};

doors![
    wrong_arguments_are_errors_as_any_other,
    what_goes_wrong_on_the_way_has_its_kind,
    what_goes_wrong_with_a_response_has_its_kind,
    errors_carry_their_request_and_response,
    a_message_is_one_line_with_everything_in_it,
];

const SHORT: Duration = Duration::from_millis(100);

/// The error of sending, or of the whole body.
#[track_caller]
fn failure(s: &Client, request: Request) -> Error {
    s.send(request).and_then(|reply| reply.content()).map(drop).unwrap_err()
}

/// A server that answers a request so, and closes.
fn answering(head: &str, body: &str) -> RawServer {
    let answer = format!("HTTP/1.1 {head}\r\n\r\n{body}");
    RawServer::start(Script::new().read_head().send(answer).close())
}

/// A port that nobody listens on.
fn closed() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// In Requests some of them are exceptions of its own, others bare ValueErrors, TypeErrors and
/// UnicodeErrors.
fn wrong_arguments_are_errors_as_any_other(door: Door) {
    let server = Testbed::start();
    let url = server.url("/get");
    let unordered = std::collections::HashMap::from([((1, 2), 3)]);
    let proxies = |url: &str| Proxies::new().all(url).map(drop).unwrap_err();
    for (theirs, error, kind) in [
        ("MissingSchema", failure(&door.session(), get("h/")), ErrorKind::MissingSchema),
        ("InvalidSchema", failure(&door.session(), get("ftp://h/")), ErrorKind::InvalidSchema),
        ("InvalidURL", failure(&door.session(), get("http://")), ErrorKind::InvalidUrl),
        ("InvalidProxyURL", proxies("http://:80"), ErrorKind::InvalidProxyUrl),
        (
            "InvalidHeader",
            failure(&door.session(), get(&url).header("A", "b\nc")),
            ErrorKind::InvalidHeader,
        ),
        (
            "InvalidJSONError",
            failure(&door.session(), post(&url).json(unordered)),
            ErrorKind::InvalidJson,
        ),
        (
            "ValueError",
            failure(&door.session(), get(&url).timeout(Duration::ZERO)),
            ErrorKind::InvalidTimeout,
        ),
        (
            "ValueError",
            failure(&door.session(), Request::new("GE T", &url)),
            ErrorKind::InvalidMethod,
        ),
        (
            "OSError",
            failure(&door.session(), get(server.https_url("/get")).verify("/no/such")),
            ErrorKind::Tls,
        ),
    ] {
        assert_eq!(error.kind(), kind, "{theirs}: {error}");
        assert!(!error.is_connection() || kind == ErrorKind::Tls, "{theirs}: {error}");
        assert!(!error.is_timeout(), "{theirs}: {error}");
    }
    assert!(server.requests().is_empty());
}

fn what_goes_wrong_on_the_way_has_its_kind(door: Door) {
    let (server, silent) = (Testbed::start(), RawServer::start(Script::new().stall()));
    let (gone, port) = (RawServer::start(Script::new().read_head()), closed());
    let s = || door.session();
    let mut nowhere = s();
    nowhere.mount("http://", HttpAdapter::new().resolver(|_: &str| Ok(vec![])));
    let mut behind = s();
    *behind.proxies() = Proxies::new().all(format!("http://{port}")).unwrap();
    let in_time = |timeout: Timeout, url: String| failure(&s(), get(url).timeout(timeout));
    let once = || Body::reader(&b"once"[..]);
    let refused = failure(&s(), get(format!("http://{port}/")));
    let busy = server.url("/status/503");
    let again = server.url("/redirect-to?url=/post&status_code=307");
    for (theirs, error, kind) in [
        ("ConnectionError", refused, ErrorKind::Connect),
        ("ConnectionError", failure(&nowhere, get("http://h.test/")), ErrorKind::Resolve),
        ("ConnectionError", failure(&s(), get(gone.url("/"))), ErrorKind::Disconnected),
        ("ProxyError", failure(&behind, get(server.url("/get"))), ErrorKind::Proxy),
        ("SSLError", failure(&s(), get(server.https_url("/get"))), ErrorKind::Tls),
        (
            "ConnectTimeout",
            in_time(Timeout::new().connect(SHORT), silent.https_url("/")),
            ErrorKind::ConnectTimeout,
        ),
        (
            "ReadTimeout",
            in_time(Timeout::new().read(SHORT), silent.url("/")),
            ErrorKind::ReadTimeout,
        ),
        (
            "TooManyRedirects",
            failure(&s(), get(server.url("/redirect/3")).max_redirects(2)),
            ErrorKind::TooManyRedirects,
        ),
        (
            "RetryError",
            failure(&s(), get(busy).retry(Retry::new().total(0).status_forcelist([503]))),
            ErrorKind::Retry,
        ),
        (
            "UnrewindableBodyError",
            failure(&s(), post(again).body(once())),
            ErrorKind::UnrewindableBody,
        ),
    ] {
        assert_eq!(error.kind(), kind, "{theirs}: {error}");
        let is_timeout = theirs.ends_with("Timeout");
        assert_eq!(error.is_timeout(), is_timeout, "{theirs}: {error}");
        // Requests' ConnectTimeout, ProxyError and SSLError are ConnectionErrors, too.
        let is_connection = ["ConnectionError", "ProxyError", "SSLError", "ConnectTimeout"];
        assert_eq!(error.is_connection(), is_connection.contains(&theirs), "{theirs}: {error}");
        assert!(error.phase().is_some() || !is_connection.contains(&theirs), "{theirs}: {error}");
    }
}

fn what_goes_wrong_with_a_response_has_its_kind(door: Door) {
    let s = door.session();
    let text = "200 OK\r\nContent-Length: 4";
    let reply = |head: &str, body: &str| s.send(get(answering(head, body).url("/")));
    let read = |head: &str, body: &str| failure(&s, get(answering(head, body).url("/")));
    let no_json = reply(text, "text").unwrap().json().unwrap_err();
    let missing = reply("404 Not Found\r\nContent-Length: 4", "text").unwrap();
    let missing = missing.into_response().error_for_status().map(drop).unwrap_err();
    let server = answering(text, "text");
    let streamed = s.send(get(server.url("/")).stream(true)).unwrap().into_response();
    let taken = match door {
        Door::Blocking => {
            assert_eq!(streamed.iter_content(10).count(), 1);
            streamed.content().unwrap_err()
        }
        // A streamed body of the async door is read there.
        #[cfg(feature = "async")]
        Door::Aio => {
            streamed.close();
            streamed.content().unwrap_err()
        }
    };
    let taken_kind =
        if door == Door::Blocking { ErrorKind::StreamConsumed } else { ErrorKind::Closed };
    for (theirs, error, kind) in [
        ("JSONDecodeError", no_json, ErrorKind::InvalidJson),
        ("HTTPError", missing, ErrorKind::HttpStatus),
        (
            "ChunkedEncodingError",
            read("200 OK\r\nTransfer-Encoding: chunked", "xyz\r\n"),
            ErrorKind::ChunkedEncoding,
        ),
        (
            "ContentDecodingError",
            read("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4", "text"),
            ErrorKind::ContentDecoding,
        ),
        ("StreamConsumedError", taken, taken_kind),
    ] {
        assert_eq!(error.kind(), kind, "{theirs}: {error}");
        assert!(!error.is_timeout() && !error.is_connection(), "{theirs}: {error}");
    }
    // In Requests that is no exception at all, or one of urllib3's.
    assert_eq!(read("200 OK\r\nContent-Length: 9", "text").kind(), ErrorKind::IncompleteBody);
}

fn errors_carry_their_request_and_response(door: Door) {
    let (server, s) = (Testbed::start(), door.session());
    let port = closed();
    let url = format!("http://user:secret@{port}/x");
    let error = failure(&s, post(&url).header("X-Own", "1").body("spam"));
    let request = error.request().unwrap();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", url.as_str()));
    assert_eq!(request.headers.get("X-Own"), Some("1"));
    assert_eq!(error.method().unwrap(), "POST");
    assert_eq!(error.url().unwrap().as_str(), format!("http://{port}/x"), "no credentials");
    assert!(error.response().is_none());
    let error = failure(&s, get(server.url("/redirect/3")).max_redirects(1));
    let response = error.response().unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (302, 1));
    assert_eq!(error.request().unwrap().url.path(), "/relative-redirect/2");
    let missing = s.send(get(server.url("/status/404"))).unwrap().into_response();
    let error = missing.error_for_status().map(drop).unwrap_err();
    assert_eq!(error.response().unwrap().status(), 404);
}

fn a_message_is_one_line_with_everything_in_it(door: Door) {
    let port = closed();
    let url = format!("http://user:secret@{port}/x?token=secret&page=2#access_token=secret");
    let error = failure(&door.session(), get(&url));
    let message = error.to_string();
    for part in [
        "GET http://127.0.0.1:",
        "/x?token=***&page=2#***: no connection",
        "while connecting to 127.0.0.1:",
        "Connection refused (os error 111)",
        "check the port",
    ] {
        assert!(message.contains(part), "no `{part}` in {message}");
    }
    for text in [message, format!("{error:?}"), format!("{error:#?}")] {
        assert!(!text.contains("secret"), "{text}");
    }
    assert_eq!(error.to_string().lines().count(), 1);
    let cause = error.source().unwrap().downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(cause.kind(), std::io::ErrorKind::ConnectionRefused);
    // As callers pass it on.
    let passed: Box<dyn StdError + Send + Sync> = error.into();
    assert!(passed.downcast_ref::<Error>().is_some());
}
