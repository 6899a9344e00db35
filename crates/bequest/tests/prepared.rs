//! Requests that are prepared, edited, and sent with settings of their own.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use bequest::{Body, ErrorKind, PreparedRequest, SendOptions};
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Client, Door, doors, get, post};
use testbed::Testbed;

doors![
    a_session_applies_its_state,
    a_body_is_given_to_any_request,
    what_the_sending_says_wins,
    what_the_request_says_comes_along,
    an_edited_url_is_where_it_goes,
];

#[cfg(feature = "http2")]
http2_doors![what_the_sending_says_wins, what_the_request_says_comes_along,];

/// What arrives of a request at `/wire`.
fn wire(s: &Client, prepared: &PreparedRequest) -> String {
    s.send_prepared(prepared.clone(), SendOptions::new()).unwrap().text().unwrap()
}

fn a_session_applies_its_state(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.headers().insert("X-Team", "lumberjacks");
    s.params().insert("lang", "en");
    s.set_auth(("user", "pass"));
    let request = || post(server.url("/wire")).params([("a", "1")]).form([("k", "v")]);

    let alone = request().prepare().unwrap();
    let names: Vec<&str> = alone.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Content-Type"]);
    assert_eq!(alone.url.query(), Some("a=1"));
    let sent = wire(&s, &alone);
    for name in ["X-Team", "Authorization", "User-Agent", "Accept"] {
        assert!(!sent.contains(name), "the session that sends it adds nothing: {sent}");
    }

    let mut prepared = s.prepare(request()).unwrap();
    assert_eq!(prepared.headers.get("x-team"), Some("lumberjacks"));
    assert_eq!(prepared.headers.get("authorization"), Some("Basic dXNlcjpwYXNz"));
    assert_eq!(prepared.url.query(), Some("lang=en&a=1"));
    // What the session brought can be taken out again.
    prepared.headers.remove("X-TEAM");
    prepared.headers.remove("authorization");
    let sent = wire(&s, &prepared);
    assert!(!sent.contains("lumberjacks") && !sent.contains("Authorization"), "{sent}");
    // It is the session of that time: what is set later changes nothing.
    let prepared = s.prepare(request()).unwrap();
    s.headers().insert("X-Team", "knights");
    assert!(wire(&s, &prepared).contains("\r\nX-Team: lumberjacks\r\n"));
}

fn a_body_is_given_to_any_request(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let mut prepared = s.prepare(get(server.url("/wire"))).unwrap();
    prepared.headers.insert("Keep-Dead", "parrot");
    for (body, field) in [
        (Body::from("Seriously, send exactly these bytes."), "Content-Length: 36"),
        (Body::chunks(["Seriously, send ", "exactly these bytes."]), "Transfer-Encoding: chunked"),
    ] {
        prepared.body = body;
        let sent = wire(&s, &prepared);
        let end =
            format!("Keep-Dead: parrot\r\n{field}\r\n\r\nSeriously, send exactly these bytes.");
        assert!(sent.starts_with("GET /wire ") && sent.ends_with(&end), "{sent}");
    }
    prepared.body = Body::empty();
    assert!(wire(&s, &prepared).ends_with("\r\nKeep-Dead: parrot\r\n\r\n"));
}

fn what_the_sending_says_wins(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let long = Duration::from_secs(60);
    let slow = get(server.https_url("/delay/0.2")).timeout(Duration::from_millis(20)).stream(false);
    let prepared = s.prepare(slow.verify(server.ca_file())).unwrap();
    let send = |options| s.send_prepared(prepared.clone(), options);

    let error = send(SendOptions::new()).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let r = send(SendOptions::new().timeout((long, long))).unwrap();
    assert_eq!(r.status(), 200);
    // A limit on what is held says whether the body was left for later.
    let options = SendOptions::new().timeout(long).max_content(1);
    assert_eq!(send(options.clone()).unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(send(options.stream(true)).unwrap().status(), 200);
    let error = send(SendOptions::new().timeout(long).verify(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    // The next sending knows nothing of it.
    assert_eq!(send(SendOptions::new().timeout(long)).unwrap().status(), 200);
}

fn what_the_request_says_comes_along(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    *s.verify() = true.into();
    let request = get(server.https_url("/stream/3")).verify(server.ca_file()).stream(true);
    let prepared = s.prepare(request).unwrap();
    let r = s.send_prepared(prepared, SendOptions::new()).unwrap().into_response();
    assert_eq!(r.iter_lines().filter(Result::is_ok).count(), 3);
}

fn an_edited_url_is_where_it_goes(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let s = door.session();
    let mut prepared = s.prepare(get(first.url("/wire?a=1"))).unwrap();
    prepared.url.set_port(Some(second.addr().port())).unwrap();
    prepared.url.query_pairs_mut().append_pair("b", "2");
    let sent = wire(&s, &prepared);
    let start = format!("GET /wire?a=1&b=2 HTTP/1.1\r\nHost: {}\r\n", second.addr());
    assert!(sent.starts_with(&start), "{sent}");
    // The target alone says what is asked there.
    prepared.target = Some("/%77ire?B=2&a=1".into());
    assert!(wire(&s, &prepared).starts_with("GET /%77ire?B=2&a=1 HTTP/1.1\r\n"));
    assert_eq!((first.connections(), second.connections()), (0, 1));
}
