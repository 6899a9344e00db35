//! One session for both doors: what they share, and what each has for itself.
#![cfg(feature = "async")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bequest::{ErrorKind, HttpAdapter, Response, Session, adapter_fn, aio};
use support::tokio_runtime::run;
use support::until;
use testbed::{RawServer, Script, Testbed};

#[test]
fn settings_are_those_of_then() {
    let server = Testbed::start();
    let mut s = Session::new();
    s.headers.insert("X-Both", "yes");
    s.set_auth(("user", "pass"));
    (s.timeout, s.max_redirects) = (Duration::from_secs(9).into(), 7);
    s.hooks.response.push(|mut r: Response| {
        r.extensions_mut().insert("hooked");
        Ok(r)
    });
    s.mount("mock://", adapter_fn(|_, _| Response::builder().body("mocked").build()));
    let awaited = aio::Session::from(&s);
    s.headers.insert("X-Both", "no more");
    assert_eq!((awaited.timeout, awaited.max_redirects), (Duration::from_secs(9).into(), 7));
    let url = server.url("/headers");
    let (first, second) = run(async move {
        let r = awaited.get(&url).send().await.unwrap();
        (r, awaited.get("mock://x").send().await.unwrap().text().await.unwrap())
    });
    assert_eq!(first.extensions().get(), Some(&"hooked"));
    let first: serde_json::Value = Response::from(first).json().unwrap();
    assert_eq!(first["headers"]["X-Both"], "yes");
    assert!(first["headers"]["Authorization"].as_str().unwrap().starts_with("Basic "));
    assert_eq!(second, "mocked");
    // And back.
    let mut awaited = aio::Session::from(&s);
    awaited.headers.insert("X-Both", "again");
    let back = Session::from(&awaited);
    let json: serde_json::Value = back.get(server.url("/headers")).send().unwrap().json().unwrap();
    assert_eq!(json["headers"]["X-Both"], "again");
    assert_eq!(back.spawn_threads, 8);
}

#[cfg(feature = "cookies")]
#[test]
fn cookies_are_shared() {
    let server = Testbed::start();
    let s = Session::new();
    let awaited = aio::Session::from(&s);
    s.get(server.url("/cookies/set/blocking/1")).send().unwrap();
    let (set, all) = (server.url("/cookies/set/awaited/2"), server.url("/cookies"));
    let seen = run({
        let all = all.clone();
        async move {
            awaited.get(&set).send().await.unwrap();
            awaited.get(&all).send().await.unwrap().json::<serde_json::Value>().await.unwrap()
        }
    });
    let here: serde_json::Value = s.get(&all).send().unwrap().json().unwrap();
    assert_eq!(seen, here);
    assert_eq!(
        (&here["cookies"]["blocking"], &here["cookies"]["awaited"]),
        (&"1".into(), &"2".into())
    );
    // A jar alone can be shared, too.
    let mut other = aio::Session::new();
    other.cookies = Arc::clone(&s.cookies);
    let jar =
        run(async move { other.get(&all).send().await.unwrap().json::<serde_json::Value>().await });
    assert_eq!(jar.unwrap(), here);
}

/// A connection is read by who waits for it: neither door has the other's.
#[test]
fn an_adapter_has_a_pool_for_each_door() {
    let server = Testbed::start();
    let adapter = Arc::new(HttpAdapter::new());
    let (mut s, mut awaited) = (Session::new(), aio::Session::new());
    s.mount("http://", Arc::clone(&adapter));
    awaited.mount("http://", Arc::clone(&adapter));
    let url = server.url("/connection");
    for n in 1..=3_u64 {
        let mine: serde_json::Value = s.get(&url).send().unwrap().json().unwrap();
        let (other, to) = (awaited.clone(), url.clone());
        let its = run(async move {
            other.get(&to).send().await.unwrap().json::<serde_json::Value>().await.unwrap()
        });
        assert_eq!((mine["requests"].as_u64(), its["requests"].as_u64()), (Some(n), Some(n)));
        assert_ne!(mine["connection"], its["connection"]);
    }
    let stats = s.stats();
    assert_eq!(stats, awaited.stats(), "the adapter's, whoever asks");
    assert_eq!((stats.requests, stats.opened, stats.reused, stats.idle), (6, 2, 4, 2));
    s.close();
    until("those of both doors are closed", || server.open_connections() == 0);
    // Blocking calls inside a runtime have the blocking pool.
    let inside = s.clone();
    run(async move { inside.get(&url).send().unwrap() });
    assert_eq!(s.get(server.url("/get")).send().unwrap().status(), 200);
    assert_eq!(server.connections(), 3);
}

#[test]
fn close_reaches_the_other_door() {
    let server = RawServer::start(Script::new().forever(Script::new().read_head().wait_close()));
    let awaited = aio::Session::new();
    let s = Session::from(&awaited);
    let url = server.url("/");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            until("it is on its way", || server.requests() == 1);
            s.close();
        });
        let result = run(async move { awaited.get(&url).send().await });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Closed);
    });
}

/// A runtime that ends takes its sockets along: another one has its own.
#[test]
fn each_runtime_has_connections_of_its_own() {
    let server = Testbed::start();
    let s = aio::Session::new();
    for n in 1..=3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for _ in 0..2 {
                assert_eq!(s.get(server.url("/get")).send().await.unwrap().status(), 200);
            }
        });
        assert_eq!(server.connections(), n);
    }
}
