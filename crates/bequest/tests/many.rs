//! Many requests at once from blocking code: `map` and `imap`.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::cell::Cell;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use bequest::{Body, ErrorKind, Request, Response, Session};
use support::until;
use testbed::{RawServer, Script, Testbed};

fn get(url: impl AsRef<str>) -> Request {
    Request::new("GET", url.as_ref())
}

fn number(r: &Response) -> u32 {
    let json: serde_json::Value = r.json().unwrap();
    json["args"]["n"].as_str().unwrap().parse().unwrap()
}

#[test]
fn map_keeps_the_order_whatever_finishes_first() {
    let server = Testbed::start();
    let s = Session::new();
    for at_once in [1, 2, 8, 33, 500] {
        let requests = (0..100).map(|n| get(server.url(&format!("/get?n={n}"))));
        let answers = s.map(requests, at_once).map(|r| number(&r.unwrap()));
        assert_eq!(answers.collect::<Vec<_>>(), (0..100).collect::<Vec<_>>(), "{at_once} at once");
        assert!(server.most_connections() <= at_once, "{at_once} at once");
    }
}

#[test]
fn imap_tells_which_request_it_was() {
    let server = Testbed::start();
    let s = Session::new();
    let requests = (0..200).map(|n| get(server.url(&format!("/get?n={n}"))));
    let mut seen: Vec<usize> = Vec::new();
    for (index, r) in s.imap(requests, 16) {
        assert_eq!(number(&r.unwrap()) as usize, index);
        seen.push(index);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..200).collect::<Vec<_>>());
    assert!(server.most_connections() <= 16);
}

#[test]
fn imap_does_not_wait_for_the_slow_ones() {
    let server = Testbed::start();
    let silent = RawServer::start(Script::new().read_head().stall());
    let s = Session::new();
    let slow = get(silent.url("/")).timeout(Duration::from_millis(300));
    let quick = (0..20).map(|n| get(server.url(&format!("/get?n={n}"))));
    let started = Instant::now();
    let order: Vec<(usize, Option<ErrorKind>)> = s
        .imap(std::iter::once(slow).chain(quick), 4)
        .map(|(index, r)| (index, r.err().map(|error| error.kind())))
        .collect();
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_millis(1500), "{took:?}");
    assert_eq!(order.len(), 21);
    assert_eq!(order.last(), Some(&(0, Some(ErrorKind::ReadTimeout))), "{order:?}");
}

#[test]
fn an_error_is_a_value_in_its_place() {
    let server = Testbed::start();
    let s = Session::new();
    let requests = [
        get(server.url("/get?n=0")),
        get("no scheme"),
        get("http://127.0.0.1:1/"),
        get(server.url("/get?n=3")).header("bad name", "x"),
        get(server.url("/get?n=4")),
    ];
    let kinds: Vec<_> =
        s.map(requests, 3).map(|r| r.map(|r| number(&r)).map_err(|error| error.kind())).collect();
    assert_eq!(
        kinds,
        [
            Ok(0),
            Err(ErrorKind::MissingSchema),
            Err(ErrorKind::Connect),
            Err(ErrorKind::InvalidHeader),
            Ok(4)
        ]
    );
}

#[test]
fn requests_are_taken_as_there_is_room_and_no_earlier() {
    let server = Testbed::start();
    let s = Session::new();
    let taken = Cell::new(0);
    let endless = (0..).map(|n| {
        taken.set(n + 1);
        get(server.url(&format!("/get?n={n}")))
    });
    let mut responses = s.map(endless, 5);
    assert_eq!(taken.get(), 0, "nothing is sent before it is asked for");
    for n in 0..20 {
        assert_eq!(number(&responses.next().unwrap().unwrap()), n);
        assert!(taken.get() <= n + 5, "{} taken for {n}", taken.get());
    }
    drop(responses);
}

#[test]
fn what_is_not_waited_for_is_closed() {
    let server = Testbed::start();
    let s = Session::new();
    let requests =
        (0..3).map(|_| get(server.url("/delay/10"))).chain([get(server.url("/get?n=3"))]);
    let mut responses = s.imap(requests, 4);
    let (index, r) = responses.next().unwrap();
    assert_eq!((index, number(&r.unwrap())), (3, 3));
    until("all of them are there", || server.open_connections() == 4);
    drop(responses);
    until("the three are closed, and one is kept", || server.open_connections() == 1);
}

#[test]
fn redirects_hooks_cookies_and_bodies_are_as_ever() {
    let server = Testbed::start();
    let mut s = Session::new();
    s.hooks.response.push(Response::error_for_status);
    let url = server.url("/get?n=9");
    let requests = [
        get(server.url("/redirect/3")),
        get(server.url("/cookies/set/a/b")),
        Request::new("POST", server.url("/post")).body("x".repeat(300_000)),
        Request::new("POST", server.url("/post")).body(Body::chunks(["a", "b"])),
        // A hook that sends a request of its own blocks the others, and they go on after it.
        get(server.url("/get")).hook(move |_| bequest::get(&url).send()),
        get(server.url("/status/500")),
        get(server.https_url("/get?n=6")).verify(server.ca_file().to_path_buf()),
        get(server.url("/gzip")),
    ];
    let r: Vec<_> = s.map(requests, 8).collect();
    assert_eq!(r[0].as_ref().unwrap().history().len(), 3);
    assert!(s.cookies.iter().any(|cookie| cookie.name() == "a"));
    let echoed: serde_json::Value = r[2].as_ref().unwrap().json().unwrap();
    assert_eq!(echoed["data"].as_str().map(str::len), Some(300_000));
    let echoed: serde_json::Value = r[3].as_ref().unwrap().json().unwrap();
    assert_eq!(echoed["data"], "ab");
    assert_eq!(number(r[4].as_ref().unwrap()), 9);
    assert_eq!(r[5].as_ref().unwrap_err().kind(), ErrorKind::HttpStatus);
    assert_eq!(number(r[6].as_ref().unwrap()), 6);
    assert!(r[7].as_ref().unwrap().text().unwrap().contains("gzip"));
}

#[test]
fn a_streamed_response_is_read_by_whoever_has_it() {
    let server = Testbed::start();
    let s = Session::new();
    let requests = (0..4).map(|_| get(server.url("/big/200000")).stream(true));
    let responses: Vec<_> = s.map(requests, 4).map(Result::unwrap).collect();
    for r in responses.iter().rev() {
        let mut body = Vec::new();
        r.reader().read_to_end(&mut body).unwrap();
        assert_eq!(body.len(), 200_000);
    }
    // And their connections serve others.
    let again = (0..4).map(|n| get(server.url(&format!("/get?n={n}"))));
    assert_eq!(s.map(again, 4).map(|r| number(&r.unwrap())).sum::<u32>(), 6);
    assert_eq!(server.connections(), 4);
}

#[test]
fn a_thousand_at_once() {
    let server = Testbed::start();
    let s = Session::new();
    let requests = (0..3000).map(|n| get(server.url(&format!("/get?n={n}"))));
    let sum: u32 = s.imap(requests, 1000).map(|(_, r)| number(&r.unwrap())).sum();
    assert_eq!(sum, 2999 * 3000 / 2);
}

#[test]
fn maps_nest_and_plain_calls_go_between() {
    let server = Testbed::start();
    let s = Session::new();
    let urls = |from: u32| (from..from + 3).map(|n| get(server.url(&format!("/get?n={n}"))));
    let mut sum = 0;
    for outer in s.map(urls(0), 2) {
        sum += number(&outer.unwrap());
        for inner in s.map(urls(10), 2) {
            sum += number(&inner.unwrap());
            sum += number(&s.get(server.url("/get?n=100")).send().unwrap());
        }
    }
    assert_eq!(sum, 3 + 3 * (33 + 300));
}

#[test]
fn a_hook_that_panics_leaves_the_others_alone() {
    let server = Testbed::start();
    let s = Session::new();
    let requests = || {
        (0..20).map(|n| {
            get(server.url(&format!("/get?n={n}"))).hook(|r: Response| {
                assert_ne!(number(&r), 7, "on purpose");
                Ok(r)
            })
        })
    };
    for at_once in [1, 4, 50] {
        let (mut map, mut seen, mut panics) = (s.map(requests(), at_once), Vec::new(), 0);
        loop {
            match catch_unwind(AssertUnwindSafe(|| map.next())) {
                Ok(Some(r)) => seen.push(number(&r.unwrap())),
                Ok(None) => break,
                Err(_) => panics += 1,
            }
        }
        let others: Vec<_> = (0..20).filter(|n| *n != 7).collect();
        assert_eq!((seen, panics), (others, 1), "{at_once} at once");
        let (mut map, mut seen, mut panics) = (s.imap(requests(), at_once), Vec::new(), 0);
        loop {
            match catch_unwind(AssertUnwindSafe(|| map.next())) {
                Ok(Some((n, r))) => seen.push((n, r.is_ok())),
                Ok(None) => break,
                Err(_) => panics += 1,
            }
        }
        seen.sort_unstable();
        let others: Vec<_> = (0..20).filter(|n| *n != 7).map(|n| (n, true)).collect();
        assert_eq!((seen, panics), (others, 1), "{at_once} at once");
    }
}

/// The end of a connection that comes along with the last data is seen, too.
#[test]
fn bodies_that_end_with_their_connection() {
    let body = "HTTP/1.1 200 OK\r\n\r\nhello";
    let server = RawServer::start(Script::new().read_head().send(body).close());
    let mut s = Session::new();
    s.timeout = Duration::from_secs(5).into();
    let began = Instant::now();
    let requests = (0..200).map(|_| get(server.url("/")));
    for r in s.map(requests, 20) {
        assert_eq!(r.unwrap().text().unwrap(), "hello");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

/// What the server says while the request is still being sent is not said again.
#[test]
fn answers_that_come_before_the_request_is_out() {
    let length = 8 << 20;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let early = Script::new().read_head().send(answer).sleep(Duration::from_millis(50));
    let server = RawServer::start(Script::new().forever(early.read_body(length)));
    let mut s = Session::new();
    s.timeout = Duration::from_secs(5).into();
    let began = Instant::now();
    let requests = (0..8).map(|_| Request::new("PUT", server.url("/")).body(vec![b'x'; length]));
    for r in s.map(requests, 4) {
        assert_eq!(r.unwrap().text().unwrap(), "hello");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
