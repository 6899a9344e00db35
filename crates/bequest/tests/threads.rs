//! Many threads, one session.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

use std::thread;

use bequest::{ErrorKind, Session, Timeout};
use testbed::Testbed;

const THREADS: usize = 64;
const REQUESTS: usize = 1_000;

#[test]
fn each_thread_gets_its_own_answers() {
    let server = Testbed::start();
    let session = Session::new();
    let url = server.url("/get");
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (session, url) = (&session, &url);
            scope.spawn(move || {
                for n in 0..REQUESTS {
                    let unique = format!("{thread}-{n}");
                    let response = session.get(url).params([("unique", &unique)]).send().unwrap();
                    let json: serde_json::Value = response.json().unwrap();
                    assert_eq!(json["args"]["unique"], unique.as_str());
                }
            });
        }
    });
    assert!(server.most_connections() <= THREADS, "{} at once", server.most_connections());
    assert!(server.connections() <= THREADS, "{} in all", server.connections());
}

/// Bodies of every framing and length, streamed or not, some of them given up.
#[test]
fn bodies_don_t_mix() {
    let server = Testbed::start();
    let session = Session::new();
    thread::scope(|scope| {
        for thread in 0..16_u64 {
            let (session, server) = (&session, &server);
            scope.spawn(move || {
                for n in 0..20 {
                    let length = (thread * 7919 + n * 104_729) % 200_000;
                    let framing = if n % 2 == 0 { "big" } else { "big-chunked" };
                    let url = server.url(&format!("/{framing}/{length}"));
                    let response = session.get(&url).stream(n % 3 == 0).send().unwrap();
                    if n % 6 == 3 {
                        drop(response); // Its connection must not serve anybody else.
                        continue;
                    }
                    let content = response.content().unwrap();
                    assert!(content == testbed::pattern(length as usize), "{url}");
                }
            });
        }
    });
}

/// More threads than a pool keeps connections, and a session that is closed all the time: what is
/// in flight ends with `Closed` and no other error, and what comes later opens anew.
#[test]
fn closing_ends_what_is_in_flight() {
    let server = Testbed::start();
    let mut session = Session::new();
    session.timeout = Timeout::from(std::time::Duration::from_secs(10));
    session.mount("http://", bequest::HttpAdapter::new().pool_maxsize(2));
    let url = server.url("/get");
    thread::scope(|scope| {
        for thread in 0..8 {
            let (session, url) = (&session, &url);
            scope.spawn(move || {
                for n in 0..50 {
                    match session.get(url).send() {
                        Ok(response) => assert_eq!(response.status(), 200),
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Closed, "{error}"),
                    }
                    if n % 8 == thread {
                        session.close();
                    }
                }
            });
        }
    });
    assert_eq!(session.get(&url).send().unwrap().status(), 200);
}
