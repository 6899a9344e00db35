//! The adapter for users' own tests.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::time::{Duration, Instant};

use bequest::{
    Body, ErrorKind, Expectation, MockAdapter, Phase, Request, Response, Retry, Timeout,
};
use support::{Client, Door, doors, get, post};

doors![
    each_rule_must_hold,
    answers_come_one_after_the_other,
    how_often_is_up_to_the_test,
    the_first_that_fits_and_is_not_used_up_answers,
    order_may_matter,
    what_is_not_expected_is_an_error_that_says_why,
    verify_says_what_is_missing,
    what_was_seen_is_what_would_have_been_sent,
    what_could_not_be_sent_is_not_answered,
    a_delay_is_ended_by_timeouts,
    errors_are_those_of_a_network,
    a_function_may_answer,
    redirects_and_retries_work_as_ever,
    secrets_are_not_shown,
];

const URL: &str = "http://h.example/x?page=1&sort=name%20up";
const MS: Duration = Duration::from_millis(1);

fn session(door: Door, mock: &MockAdapter) -> Client {
    let mut s = door.session();
    s.mount("http://", mock.clone());
    s
}

fn each_rule_must_hold(door: Door) {
    let ok = || get(URL).header("X-One", "1").header("X-Two", "2").body("the body");
    let fits = |expectation: Expectation| {
        let mock = MockAdapter::new().expect(expectation);
        session(door, &mock).send(ok()).is_ok()
    };
    let any = Expectation::any;
    assert!(fits(any()) && fits(any().method("get")) && !fits(any().method("POST")));
    assert!(fits(Expectation::get(URL)) && fits(Expectation::get(format!("{URL}#part"))));
    assert!(fits(Expectation::get("http://H.example:80/x?page=1&sort=name up")), "as URLs are");
    assert!(!fits(Expectation::get("http://h.example/x")), "the query is a part of it");
    assert!(!fits(Expectation::post(URL)) && !fits(Expectation::get("no URL")));
    assert!(fits(any().url_prefix("http://h.example/")) && !fits(any().url_prefix("https://")));
    assert!(fits(any().host("h.example")) && !fits(any().host("other.example")));
    assert!(fits(any().path("/x")) && !fits(any().path("/")));
    assert!(fits(any().query("sort", "name up").query("page", "1")));
    assert!(!fits(any().query("page", "2")) && !fits(any().query("missing", "")));
    assert!(fits(any().header("x-one", "1").header("X-Two", "2")));
    assert!(!fits(any().header("x-one", "2")) && !fits(any().header("x-three", "3")));
    assert!(fits(any().without_header("x-three")) && !fits(any().without_header("X-ONE")));
    assert!(fits(any().body("the body")) && !fits(any().body("the bod")));
    assert!(fits(any().that(|seen| seen.text().len() == 8)) && !fits(any().that(|_| false)));
    assert!(!fits(Expectation::get(URL).header("x-one", "1").body("other")), "all of them");
}

fn answers_come_one_after_the_other(door: Door) {
    let mock = MockAdapter::new().expect(
        Expectation::get(URL)
            .status(503)
            .answer(Response::builder().status(201).header("X-Nth", "2").body("second"))
            .error(ErrorKind::Disconnected, "gone"),
    );
    let s = session(door, &mock);
    assert_eq!(s.send(get(URL)).unwrap().status(), 503);
    let r = s.send(get(URL)).unwrap();
    assert_eq!((r.status().as_u16(), r.headers().get("x-nth")), (201, Some("2")));
    assert_eq!(r.text().unwrap(), "second");
    assert!(mock.verify().is_err(), "the third has not come");
    assert_eq!(s.send(get(URL)).unwrap_err().kind(), ErrorKind::Disconnected);
    mock.verify().unwrap();
    assert_eq!(s.send(get(URL)).unwrap_err().kind(), ErrorKind::Other);
    assert!(mock.verify().is_err(), "the fourth was not expected");
}

fn how_often_is_up_to_the_test(door: Door) {
    let served = |expectation: Expectation, requests: usize| {
        let mock = MockAdapter::new().expect(expectation.answer(Response::builder().body("x")));
        let s = session(door, &mock);
        let served = (0..requests).filter(|_| s.send(get(URL)).is_ok()).count();
        (served, mock.verify().is_ok())
    };
    let any = Expectation::any;
    assert_eq!((served(any(), 1), served(any(), 0)), ((1, true), (0, false)));
    assert_eq!((served(any().times(3), 3), served(any().times(3), 4)), ((3, true), (3, false)));
    assert_eq!((served(any().times(0), 0), served(any().times(0), 1)), ((0, true), (0, false)));
    assert_eq!(served(any().at_least(2), 1), (1, false));
    assert_eq!(served(any().at_least(2), 9), (9, true));
    assert_eq!(
        (served(any().any_times(), 0), served(any().any_times(), 9)),
        ((0, true), (9, true))
    );
}

fn the_first_that_fits_and_is_not_used_up_answers(door: Door) {
    let mock = MockAdapter::new()
        .expect(Expectation::get(URL).status(201))
        .expect(Expectation::any().status(202).times(2))
        .expect(Expectation::get(URL).status(203));
    let s = session(door, &mock);
    let statuses = [URL, URL, "http://other.example/", URL].map(|url| {
        let r = s.send(get(url)).unwrap();
        r.status().as_u16()
    });
    assert_eq!(statuses, [201, 202, 202, 203]);
    mock.verify().unwrap();
}

fn order_may_matter(door: Door) {
    let mock = MockAdapter::new()
        .in_order()
        .expect(Expectation::get("http://h.example/1").times(2))
        .expect(Expectation::get("http://h.example/2"));
    let s = session(door, &mock);
    s.send(get("http://h.example/1")).unwrap();
    let error = s.send(get("http://h.example/2")).unwrap_err();
    assert!(!error.to_string().contains("not GET http://h.example/2"), "{error}");
    s.send(get("http://h.example/1")).unwrap();
    s.send(get("http://h.example/2")).unwrap();
    assert!(mock.verify().is_err(), "one came too early");
}

fn what_is_not_expected_is_an_error_that_says_why(door: Door) {
    let mock = MockAdapter::new()
        .expect(Expectation::post(URL))
        .expect(Expectation::get("http://h.example/y"))
        .expect(Expectation::get(URL).header("X-Mode", "fast"))
        .expect(Expectation::get(URL).query("page", "2"))
        .expect(Expectation::get(URL).body("abc"))
        .expect(Expectation::any().path("/x").times(0));
    let s = session(door, &mock);
    let error = s.send(get(URL).header("x-mode", "slow").body("abxy")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    let request = format!("GET {URL}");
    let expected = format!(
        "{request}: unexpected: {request}, not POST {URL}: the method is another, not GET \
         http://h.example/y: the URL is another, not {request}: the field `X-Mode` is `slow`, not \
         {request} ?page=2: the query has no such `page`, not {request}: the body has 4 bytes, not \
         3, and is another from byte 2 on, not any method /x: that has come already; expect it by \
         `MockAdapter::expect`, or correct the request"
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.request().unwrap().headers.get("x-mode"), Some("slow"));
    assert_eq!(mock.requests().len(), 1, "it was seen all the same");
    // It is not retried, whatever the policy.
    s.send(get("http://h.example/z").retry(Retry::new().any_method())).unwrap_err();
    assert_eq!(mock.requests().len(), 2);
}

fn verify_says_what_is_missing(door: Door) {
    let mock = MockAdapter::new();
    mock.verify().unwrap();
    let mock = mock
        .expect(Expectation::get("http://h.example/a"))
        .expect(Expectation::post("http://h.example/b").times(3))
        .expect(Expectation::any().host("h.example").method("PUT").at_least(1));
    let s = session(door, &mock);
    for _ in 0..2 {
        s.send(post("http://h.example/b")).unwrap();
    }
    let error = mock.verify().unwrap_err();
    assert_eq!(
        error.to_string(),
        "missing: GET http://h.example/a (0 of 1); missing: POST http://h.example/b (2 of 3); \
         missing: PUT at h.example (0 of at least 1)"
    );
}

fn what_was_seen_is_what_would_have_been_sent(door: Door) {
    let mock = MockAdapter::new().expect(Expectation::any().any_times());
    let mut s = session(door, &mock);
    s.headers().insert("X-Session", "kept");
    s.send(post(URL).form([("k", "v")])).unwrap();
    s.send(post(URL).body(Body::chunks(["hi", "there"]))).unwrap();
    let reader = Body::reader(&b"read"[..]).with_length(4);
    s.send(Request::new("PUT", URL).body(reader.clone())).unwrap();
    let seen = mock.requests();
    assert_eq!((seen[0].method().as_str(), seen[0].url().as_str()), ("POST", URL));
    assert_eq!(seen[0].header("host"), Some("h.example"));
    assert_eq!(seen[0].header("content-length"), Some("3"));
    assert_eq!(seen[0].header("x-session"), Some("kept"));
    assert_eq!((seen[0].text().as_str(), seen[1].text().as_str()), ("k=v", "hithere"));
    assert_eq!(seen[1].headers().get("transfer-encoding"), Some("chunked"));
    assert_eq!((&seen[2].body()[..], seen[2].header("content-length")), (&b"read"[..], Some("4")));
    let error = s.send(post(URL).body(reader)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "it was spent");
    assert_eq!(format!("{:?}", seen[0]), format!("SeenRequest(POST {URL}, 3 bytes)"));
}

fn what_could_not_be_sent_is_not_answered(door: Door) {
    let mock = MockAdapter::new().expect(Expectation::any().any_times());
    let s = session(door, &mock);
    for (request, kind) in [
        (post(URL).body("abc").header("Content-Length", "4"), ErrorKind::LengthMismatch),
        (get(URL).header("a", "b\r\nc: d"), ErrorKind::InvalidHeader),
    ] {
        assert_eq!(s.send(request).unwrap_err().kind(), kind);
    }
    assert!(mock.requests().is_empty());
}

fn a_delay_is_ended_by_timeouts(door: Door) {
    let slow = |delay| MockAdapter::new().expect(Expectation::get(URL).status(201).after(delay));
    let start = Instant::now();
    let r = session(door, &slow(100 * MS)).send(get(URL)).unwrap();
    assert_eq!(r.status(), 201);
    assert!(start.elapsed() >= 100 * MS && r.elapsed() >= 100 * MS);
    for (timeout, kind) in [
        (Timeout::new().read(100 * MS), ErrorKind::ReadTimeout),
        (Timeout::new().total(100 * MS), ErrorKind::Deadline),
        (Timeout::new().read(10_000 * MS).total(100 * MS), ErrorKind::Deadline),
    ] {
        let start = Instant::now();
        let error =
            session(door, &slow(3600 * 1000 * MS)).send(get(URL).timeout(timeout)).unwrap_err();
        assert!(start.elapsed() >= 100 * MS && start.elapsed() < 1500 * MS);
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Wait)));
        assert!(error.to_string().contains("100ms"), "{error}");
    }
}

fn errors_are_those_of_a_network(door: Door) {
    for (kind, phase) in [
        (ErrorKind::Resolve, Phase::Resolve),
        (ErrorKind::Connect, Phase::Connect(None)),
        (ErrorKind::Tls, Phase::Tls),
        (ErrorKind::Disconnected, Phase::Wait),
        (ErrorKind::ReadTimeout, Phase::Wait),
    ] {
        let mock = MockAdapter::new().expect(Expectation::get(URL).error(kind, "as told"));
        let error = session(door, &mock).send(get(URL)).unwrap_err();
        assert_eq!((error.kind(), error.phase()), (kind, Some(phase)));
        assert!(error.to_string().contains("as told"), "{error}");
    }
}

fn a_function_may_answer(door: Door) {
    let mock = MockAdapter::new().expect(
        Expectation::any()
            .answer_with(|request, settings| {
                let told = format!("{} {}", request.url.path(), settings.max_redirects);
                Response::builder().body(told).build()
            })
            .any_times(),
    );
    let r = session(door, &mock).send(get(URL)).unwrap();
    assert_eq!(r.text().unwrap(), "/x 30");
}

fn redirects_and_retries_work_as_ever(door: Door) {
    let moved = Response::builder().status(302).header("Location", "/next");
    let mock = MockAdapter::new()
        .expect(Expectation::get(URL).error(ErrorKind::Connect, "not yet").answer(moved))
        .expect(Expectation::get("http://h.example/next").status(503).status(200));
    let s = session(door, &mock);
    let r = s.send(get(URL).retry(Retry::new().status_forcelist([503]))).unwrap();
    assert_eq!((r.status().as_u16(), r.url().path()), (200, "/next"));
    assert_eq!((r.attempts().len(), r.history()[0].attempts().len()), (1, 1));
    mock.verify().unwrap();
    let paths: Vec<_> = mock.requests().iter().map(|seen| seen.url().path().to_owned()).collect();
    assert_eq!(paths, ["/x", "/x", "/next", "/next"]);
}

fn secrets_are_not_shown(door: Door) {
    let mock = MockAdapter::new().expect(
        Expectation::get("http://u:pass@h.example/?token=hidden")
            .header("Authorization", "Bearer wanted")
            .query("api_key", "parameter")
            .body("body wanted"),
    );
    let url = "http://u:pass@h.example/?token=hidden&api_key=parameter";
    let request = get(url).header("Authorization", "Bearer given").body("body given");
    let error = session(door, &mock).send(request).unwrap_err();
    let told = format!("{error} {error:?} {mock:?} {}", mock.verify().unwrap_err());
    for secret in ["pass", "hidden", "wanted", "given", "=parameter"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
}
