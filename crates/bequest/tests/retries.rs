//! Retries: what is sent again, when, and what is told of it.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use bequest::{
    Body, Error, ErrorKind, HttpAdapter, Phase, Request, Response, Retry, RetryBudget, SendOptions,
    Timeout, Verify, adapter_fn,
};
use support::{Client, Door, Reply, doors, get, post};
use testbed::{RawServer, Script, Testbed};

doors![
    nothing_is_retried_unless_told,
    a_status_is_retried_until_it_is_another,
    a_status_that_stays_is_an_error_with_the_response,
    or_a_response_like_any_other,
    no_retry_at_all_makes_an_error_of_a_status,
    a_lost_connection_is_made_again,
    a_body_that_fails_tells_what_was_tried_before,
    a_read_timeout_is_retried,
    connecting_is_retried_for_every_method,
    post_is_retried_only_if_that_is_allowed,
    a_certificate_is_not_asked_twice,
    a_lost_handshake_is_begun_anew,
    what_is_not_tls_is_another_failure,
    retry_after_is_obeyed,
    the_backoff_is_waited_for,
    the_total_timeout_ends_a_wait,
    a_wait_beyond_the_time_budget_is_not_begun,
    a_body_that_is_spent_is_not_sent_again,
    a_body_that_was_not_begun_is,
    a_file_is_sent_again_from_its_beginning,
    the_budget_is_shared,
    what_is_said_closest_wins,
    an_adapters_own_policy_serves_its_urls,
    every_adapter_is_retried,
    the_connection_is_used_again,
    hooks_and_auth_see_what_is_left,
    each_redirect_has_its_own_retries,
];

const MS: Duration = Duration::from_millis(1);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";

/// Answers the requests of one connection one after the other.
fn answers<const N: usize>(answers: [&str; N]) -> RawServer {
    let script = answers
        .iter()
        .fold(Script::new(), |script, answer| script.read_head().send(answer.as_bytes()));
    RawServer::start(script.stall())
}

fn on_503() -> Retry {
    Retry::new().total(3).status_forcelist([503])
}

#[track_caller]
fn failure(sent: Result<Reply, Error>) -> Error {
    match sent {
        Ok(reply) => panic!("{reply:?}"),
        Err(error) => error,
    }
}

fn nothing_is_retried_unless_told(door: Door) {
    let server = answers([BUSY, OK]);
    let s = door.session();
    let r = s.send(get(server.url("/"))).unwrap();
    assert_eq!((r.status().as_u16(), r.attempts().len()), (503, 0));
    let server = RawServer::sequence(vec![Script::new(), Script::respond(OK)]);
    let error = failure(s.send(get(server.url("/"))));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Disconnected, 0));
    assert_eq!(server.connections(), 1);
}

fn a_status_is_retried_until_it_is_another(door: Door) {
    let server = answers([BUSY, BUSY, OK]);
    let r = door.send(get(server.url("/")).retry(on_503())).unwrap();
    assert_eq!(r.text().unwrap(), "ok");
    let statuses: Vec<_> = r.attempts().iter().map(|attempt| attempt.status().unwrap()).collect();
    assert_eq!(statuses, [503, 503]);
    assert!(r.attempts().iter().all(|attempt| attempt.error().is_none()));
    assert!(r.history().is_empty(), "they are no redirects");
    // Another status is not.
    let server = answers([BUSY, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", OK]);
    let r = door.send(get(server.url("/")).retry(on_503())).unwrap();
    assert_eq!((r.status().as_u16(), r.attempts().len()), (500, 1));
}

fn a_status_that_stays_is_an_error_with_the_response(door: Door) {
    let server = answers([BUSY; 9]);
    let url = server.url("/x?key=secret");
    let error = failure(door.send(get(&url).header("a", "b").retry(on_503())));
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert_eq!(error.attempts().len(), 3);
    let shown = url.replace("secret", "***");
    assert_eq!(
        error.to_string(),
        format!(
            "GET {shown}: too many 503 error responses, in attempt 4; allow more retries, or have \
             `raise_on_status(false)` return them"
        )
    );
    assert_eq!(error.request().unwrap().headers.get("a"), Some("b"));
    let response = error.into_response().unwrap();
    assert_eq!((response.status().as_u16(), response.attempts().len()), (503, 3));
    assert_eq!(response.content().unwrap(), "busy");
    assert_eq!(response.url().as_str(), url);
    assert_eq!(server.requests(), 4);
}

fn or_a_response_like_any_other(door: Door) {
    let server = answers([BUSY; 9]);
    let retry = on_503().raise_on_status(false);
    let r = door.send(get(server.url("/")).retry(retry)).unwrap();
    assert_eq!((r.status().as_u16(), r.attempts().len()), (503, 3));
    assert_eq!(r.text().unwrap(), "busy");
}

fn no_retry_at_all_makes_an_error_of_a_status(door: Door) {
    let server = answers([BUSY; 9]);
    let error = failure(door.send(get(server.url("/")).retry(on_503().total(0))));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Retry, 0));
    assert_eq!(error.response().unwrap().status(), 503);
    let r = door.send(get(server.url("/")).retry(Retry::none())).unwrap();
    assert_eq!(r.status(), 503);
}

fn a_lost_connection_is_made_again(door: Door) {
    for lost in [
        Script::new(),
        Script::new().read_head(),
        Script::new().read_head().reset(),
        Script::new().read_head().send("HTTP/1.1 200"),
        Script::new().read_head().send("not HTTP\r\n\r\n"),
    ] {
        let server = RawServer::sequence(vec![lost.clone(), lost, Script::respond(OK)]);
        let r = door.send(get(server.url("/")).retry(3)).unwrap();
        assert_eq!(r.text().unwrap(), "ok");
        assert_eq!((r.attempts().len(), server.connections()), (2, 3));
        let error = r.attempts()[0].error().unwrap();
        assert!(
            matches!(error.kind(), ErrorKind::Disconnected | ErrorKind::InvalidResponse),
            "{error}"
        );
    }
    let server = RawServer::start(Script::new());
    let error = failure(door.send(get(server.url("/")).retry(3)));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Disconnected, 3));
    assert!(error.to_string().contains(", in attempt 4"), "{error}");
    assert_eq!(server.connections(), 4);
}

fn a_body_that_fails_tells_what_was_tried_before(door: Door) {
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut";
    let script = Script::new().read_head().send(busy).read_head().send(busy);
    let server = RawServer::start(script.read_head().send(cut).close());
    let retry = on_503().backoff_factor(0.05);
    let error = failure(door.send(get(server.url("/")).retry(retry)));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::IncompleteBody, 2), "{error}");
    assert_eq!(error.attempts()[1].status().unwrap(), 503);
    assert!(error.to_string().contains(", in attempt 3"), "{error}");
    let timings = error.timings().unwrap();
    assert!(timings.sleep.unwrap() >= Duration::from_millis(100), "{timings:?}");
    assert!(timings.wait.is_some() && timings.body.is_some(), "{timings:?}");
}

fn a_read_timeout_is_retried(door: Door) {
    let silent = Script::new().read_head().stall();
    let server = RawServer::sequence(vec![silent, Script::respond(OK)]);
    let timeout = Timeout::new().read(100 * MS);
    let r = door.send(get(server.url("/")).timeout(timeout).retry(1)).unwrap();
    let error = r.attempts()[0].error().unwrap();
    assert_eq!((r.text().unwrap().as_str(), error.kind()), ("ok", ErrorKind::ReadTimeout));
    assert!(r.attempts()[0].elapsed() >= 100 * MS);
}

fn connecting_is_retried_for_every_method(door: Door) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    for request in [get(&url), post(&url).body("x")] {
        let error = failure(door.send(request.retry(2)));
        assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Connect, 2));
    }
    let error = failure(door.send(get(&url).retry(Retry::new().connect(0))));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Connect, 0));
}

fn post_is_retried_only_if_that_is_allowed(door: Door) {
    let read = || Script::new().read_head().read_body(4);
    let send = |retry: Retry| {
        let script = read().close();
        let server = RawServer::sequence(vec![script.clone(), script, read().send(OK).stall()]);
        (door.send(post(server.url("/")).body("once").retry(retry)), server.connections())
    };
    let (sent, connections) = send(Retry::new());
    assert_eq!((failure(sent).kind(), connections), (ErrorKind::Disconnected, 1));
    let (sent, connections) = send(Retry::new().allowed_methods(["POST"]));
    assert_eq!((sent.unwrap().text().unwrap().as_str(), connections), ("ok", 3));
    let server = answers([BUSY, OK]);
    let r = door.send(post(server.url("/")).retry(on_503())).unwrap();
    assert_eq!(r.status(), 503, "nor is its status an error");
}

fn a_certificate_is_not_asked_twice(door: Door) {
    let server = Testbed::start();
    let retry = Retry::new().total(5).other(5).connect(5).any_method();
    let error = failure(door.send(get(server.https_url("/get")).retry(retry.clone())));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Tls, 0));
    assert_eq!(server.https_connections(), 1);
    let missing = Verify::from("/nowhere/ca.pem");
    let error = failure(door.send(get(server.https_url("/get")).retry(retry).verify(missing)));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Tls, 0));
}

fn a_lost_handshake_is_begun_anew(door: Door) {
    let server = RawServer::start(Script::new().read_body(5).reset());
    let url = server.url("/").replace("http:", "https:");
    let error = failure(door.send(post(&url).body("x").retry(2)));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Tls, 2), "{error}");
    assert_eq!(server.connections(), 3);
    let silent = RawServer::start(Script::new().stall());
    let url = silent.url("/").replace("http:", "https:");
    let request = post(&url).timeout(Timeout::new().connect(50 * MS)).retry(2);
    let error = failure(door.send(request));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::ConnectTimeout, 2), "{error}");
}

fn what_is_not_tls_is_another_failure(door: Door) {
    let server =
        RawServer::start(Script::new().read_body(5).send("HTTP/1.1 400 No\r\n\r\n").close());
    let url = server.url("/").replace("http:", "https:");
    let error = failure(door.send(get(&url).retry(Retry::new().connect(0).read(0).other(2))));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Tls, 2), "{error}");
}

/// How long the second request came after the first.
fn retry_after_is_obeyed(door: Door) {
    let after = |value: &str| {
        format!("HTTP/1.1 429 No\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n")
    };
    let answer = after("1");
    let server = answers([&answer, OK]);
    let start = Instant::now();
    let r = door.send(get(server.url("/")).retry(1)).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    assert_eq!(r.attempts()[0].wait(), Duration::from_secs(1));
    // A date, which has whole seconds; and no longer than is allowed.
    let answer = after(&httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600)));
    let server = answers([&answer, OK]);
    let retry = Retry::new().retry_after_max(50 * MS);
    let r = door.send(get(server.url("/")).retry(retry)).unwrap();
    assert_eq!(r.attempts()[0].wait(), 50 * MS);
    // What has passed, and what can't be read, is as nothing.
    for value in ["Sun, 06 Nov 1994 08:49:37 GMT", "0"] {
        let answer = after(value);
        let server = answers([&answer, OK]);
        let r = door.send(get(server.url("/")).retry(1)).unwrap();
        assert_eq!((r.status().as_u16(), r.attempts()[0].wait()), (200, Duration::ZERO));
    }
    let answer = after("tomorrow");
    let server = answers([&answer, OK]);
    assert_eq!(door.send(get(server.url("/")).retry(1)).unwrap().status(), 429);
}

fn the_backoff_is_waited_for(door: Door) {
    let server = answers([BUSY, BUSY, BUSY, OK]);
    let start = Instant::now();
    let r = door.send(get(server.url("/")).retry(on_503().backoff_factor(0.05))).unwrap();
    assert!(start.elapsed() >= 300 * MS, "{:?}", start.elapsed());
    assert!(start.elapsed() < 1500 * MS, "{:?}", start.elapsed());
    let waits: Vec<_> = r.attempts().iter().map(bequest::Attempt::wait).collect();
    assert_eq!(waits, [Duration::ZERO, 100 * MS, 200 * MS]);
}

fn the_total_timeout_ends_a_wait(door: Door) {
    let send = |url: &str, retry: Retry| {
        let start = Instant::now();
        let total = Timeout::new().total(300 * MS);
        let error = failure(door.send(get(url).retry(retry).timeout(total)));
        let elapsed = start.elapsed();
        assert!(elapsed >= 300 * MS && elapsed < 1500 * MS, "{error} after {elapsed:?}");
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Deadline, Some(Phase::Retry)));
        error
    };
    let server = answers([BUSY; 9]);
    let error = send(&server.url("/"), on_503().backoff_factor(60.0));
    assert_eq!((error.attempts().len(), server.requests()), (2, 2));
    assert_eq!(error.response().unwrap().content().unwrap(), "busy");
    let told = "the total timeout of 300ms was over while waiting to try again, in attempt 3: the \
                last answer was 503 Service Unavailable";
    let line = error.to_string();
    let (line, timings) = line.rsplit_once(" (").unwrap();
    assert!(line.ends_with(told), "{error}");
    assert!(timings.contains("sleep "), "{error}");
    let closing = RawServer::start(Script::new());
    let error = send(&closing.url("/"), Retry::new().backoff_factor(60.0));
    assert_eq!((error.attempts().len(), closing.connections()), (2, 2));
    assert!(error.to_string().contains("the server closed the connection"), "{error}");
}

fn a_wait_beyond_the_time_budget_is_not_begun(door: Door) {
    let server = answers([BUSY; 9]);
    let start = Instant::now();
    let retry = on_503().backoff_factor(60.0).time_budget(Duration::from_secs(100));
    let error = failure(door.send(get(server.url("/")).retry(retry)));
    assert!(start.elapsed() < 1500 * MS);
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Retry, 1));
    assert!(error.remedy().unwrap().contains("time budget"), "{error}");
    let closing = RawServer::start(Script::new());
    let retry = Retry::new().time_budget(Duration::ZERO);
    let error = failure(door.send(get(closing.url("/")).retry(retry)));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Disconnected, 0));
}

fn a_body_that_is_spent_is_not_sent_again(door: Door) {
    let any = || Retry::new().any_method().status_forcelist([503]);
    let reader = || Body::reader(&b"once"[..]).with_length(4);
    let read = Script::new().read_head().read_body(4);
    let server = RawServer::start(read.clone().close());
    let error = failure(door.send(post(server.url("/")).body(reader()).retry(any())));
    assert_eq!((error.kind(), server.connections()), (ErrorKind::Disconnected, 1), "{error}");
    assert!(error.remedy().unwrap().contains("can be read only once"), "{error}");
    let server = RawServer::start(read.send(BUSY).stall());
    let error = failure(door.send(post(server.url("/")).body(reader()).retry(any())));
    assert_eq!((error.kind(), server.requests()), (ErrorKind::Retry, 1));
    assert!(error.remedy().unwrap().contains("can be read only once"), "{error}");
    assert_eq!(error.response().unwrap().content().unwrap(), "busy");
    let returned = any().raise_on_status(false);
    let r = door.send(post(server.url("/")).body(reader()).retry(returned)).unwrap();
    assert_eq!(r.status(), 503);
}

fn a_body_that_was_not_begun_is(door: Door) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let body = Body::reader(&b"once"[..]);
    drop(listener);
    let request = post(format!("http://{address}/")).body(body.clone());
    let error = failure(door.send(request.retry(2)));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Connect, 2), "{error}");
    let server = Testbed::start();
    let r = door.send(post(server.url("/post")).body(body)).unwrap();
    assert!(r.text().unwrap().contains("once"), "it is still there");
}

fn a_file_is_sent_again_from_its_beginning(door: Door) {
    let path =
        std::env::temp_dir().join(format!("bequest-retries-{}-{door:?}", std::process::id()));
    std::fs::write(&path, "massive").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let read = Script::new().read_head().read_body(7);
    let server = RawServer::sequence(vec![read.clone().send(BUSY).close(), read.send(OK).close()]);
    let r = door.send(Request::new("PUT", server.url("/")).body(file).retry(on_503())).unwrap();
    assert_eq!(r.text().unwrap(), "ok");
    for connection in 0..2 {
        assert!(server.received(connection).ends_with(b"\r\n\r\nmassive"));
    }
}

fn the_budget_is_shared(door: Door) {
    let budget = RetryBudget::new(2, 0.5);
    let mut s = door.session();
    *s.retry() = Some(Retry::new().status_forcelist([503]).budget(budget.clone()));
    let server = answers([BUSY; 9]);
    let error = failure(s.send(get(server.url("/"))));
    assert_eq!((error.attempts().len(), budget.left()), (2, 0));
    assert!(error.remedy().unwrap().contains("budget"), "{error}");
    let error = failure(s.clone().send(get(server.url("/"))));
    assert_eq!(error.attempts().len(), 0, "a clone has the same");
    let closing = RawServer::start(Script::new());
    let error = failure(s.send(get(closing.url("/"))));
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Disconnected, 0));
    let good = RawServer::start(Script::respond(OK));
    for left in [0, 1, 1, 2, 2] {
        s.send(get(good.url("/"))).unwrap();
        assert_eq!(budget.left(), left);
    }
    assert_eq!(failure(s.send(get(closing.url("/")))).attempts().len(), 2);
}

fn what_is_said_closest_wins(door: Door) {
    let server = RawServer::start(Script::new());
    let mut s = door.session();
    s.mount("http://", HttpAdapter::new().max_retries(1));
    let tries = |client: &Client, request: Request, options: SendOptions| {
        let before = server.connections();
        let prepared = client.prepare(request).unwrap();
        failure(client.send_prepared(prepared, options));
        server.connections() - before
    };
    let (url, nothing) = (server.url("/"), SendOptions::new);
    assert_eq!(tries(&s, get(&url), nothing()), 2, "the adapter's");
    *s.retry() = Some(2.into());
    assert_eq!(tries(&s, get(&url), nothing()), 3, "the session's, and not times the adapter's");
    assert_eq!(tries(&s, get(&url).retry(3), nothing()), 4, "the request's");
    assert_eq!(tries(&s, get(&url).retry(3), nothing().retry(4)), 5, "what is said last");
    assert_eq!(tries(&s, get(&url).retry(Retry::none()), nothing()), 1);
}

fn an_adapters_own_policy_serves_its_urls(door: Door) {
    let server = RawServer::start(Script::new());
    let mut s = door.session();
    s.mount(&server.url("/deep/"), HttpAdapter::new().max_retries(Retry::new().read(1)));
    let error = failure(s.send(get(server.url("/deep/er"))));
    assert_eq!(error.attempts().len(), 1);
    assert_eq!(failure(s.send(get(server.url("/")))).attempts().len(), 0);
}

fn every_adapter_is_retried(door: Door) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let mut s = door.session();
    s.mount(
        "mock://",
        adapter_fn(move |_, _| match counted.fetch_add(1, Relaxed) {
            0 => Err(Error::new(ErrorKind::Connect, "not yet")),
            1 => Response::builder().status(503).header("Retry-After", "0").body("busy").build(),
            _ => Response::builder().body("at last").build(),
        }),
    );
    *s.retry() = Some(3.into());
    let r = s.send(get("mock://x")).unwrap();
    assert_eq!((r.text().unwrap().as_str(), calls.load(Relaxed)), ("at last", 3));
    assert_eq!(r.attempts()[0].error().unwrap().to_string(), "not yet");
    assert_eq!(r.attempts()[1].status().unwrap(), 503);
}

fn the_connection_is_used_again(door: Door) {
    let large = format!("HTTP/1.1 503 No\r\nContent-Length: 30000\r\n\r\n{}", "x".repeat(30_000));
    let server = answers([&large, &large, OK]);
    let r = door.send(get(server.url("/")).retry(on_503()).stream(true)).unwrap();
    assert_eq!((r.text().unwrap().as_str(), server.connections()), ("ok", 1));
    // What is too large to be read for nothing costs a new one.
    let endless =
        "HTTP/1.1 503 No\r\nContent-Length: 300000\r\n\r\n".to_owned() + &"x".repeat(300_000);
    let server = RawServer::sequence(vec![
        Script::new().read_head().send(endless).stall(),
        Script::respond(OK),
    ]);
    let r = door.send(get(server.url("/")).retry(on_503())).unwrap();
    assert_eq!((r.text().unwrap().as_str(), server.connections()), ("ok", 2));
}

fn hooks_and_auth_see_what_is_left(door: Door) {
    let server = answers([BUSY, OK]);
    let heard = Arc::new(AtomicUsize::new(0));
    let hearing = Arc::clone(&heard);
    let request = get(server.url("/")).retry(on_503()).hook(move |r| {
        hearing.fetch_add(1, Relaxed);
        assert_eq!((r.status().as_u16(), r.attempts().len()), (200, 1));
        Ok(r)
    });
    door.send(request).unwrap();
    assert_eq!(heard.load(Relaxed), 1);
}

fn each_redirect_has_its_own_retries(door: Door) {
    let moved = "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n";
    let server = answers([BUSY, moved, BUSY, BUSY, OK]);
    let r = door.send(get(server.url("/")).retry(on_503().total(2))).unwrap();
    assert_eq!((r.attempts().len(), r.history()[0].attempts().len()), (2, 1));
    assert_eq!(r.url().path(), "/next");
}
