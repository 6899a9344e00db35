//! Many HTTP/2 streams on one connection, and who drives it.

#![cfg(feature = "http2")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{
    Body, CancelToken, ErrorKind, HttpAdapter, HttpVersions, Request, Session, Timeout, Version,
};
use support::{Client, Door, doors, get, post, until};
use testbed::StreamServer;

doors![
    a_hundred_share_a_connection,
    a_server_that_allows_one_at_a_time,
    one_that_stalls_does_not_stall_the_others,
    one_that_nobody_reads_does_not_stall_the_others,
    what_is_dropped_is_cancelled,
    a_server_that_leaves_in_the_midst,
    one_that_gives_up_leaves_the_others_driven,
    the_total_timeout_and_a_token_end_a_stream,
    closing_ends_what_is_under_way,
    a_silent_server_is_asked_and_given_up,
    a_pool_that_blocks_counts_requests,
    a_place_with_streams_is_kept,
];

fn client(door: Door) -> Client {
    let mut client = door.session();
    *client.http_versions() = Some(HttpVersions::Http2);
    client
}

fn text(client: &Client, url: &str) -> String {
    let reply = client.send(get(url)).unwrap();
    assert_eq!(reply.version(), Version::HTTP_2);
    reply.text().unwrap()
}

fn a_hundred_share_a_connection(door: Door) {
    let server = StreamServer::start(200);
    let client = client(door);
    thread::scope(|scope| {
        let held: Vec<_> =
            (0..100).map(|_| scope.spawn(|| text(&client, &server.url("/hold")))).collect();
        until("all are there", || server.open() == 100);
        server.release();
        assert!(held.into_iter().all(|thread| thread.join().unwrap() == "held"));
    });
    assert_eq!((server.connections(), server.most()), (1, 100));
    let stats = client.stats();
    assert_eq!((stats.opened, stats.requests, stats.idle, stats.in_use), (1, 100, 1, 0));
}

fn a_server_that_allows_one_at_a_time(door: Door) {
    let server = StreamServer::start(1);
    let client = client(door);
    assert_eq!(text(&client, &server.url("/hello")), "hello");
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| (0..5).all(|_| text(&client, &server.url("/hello")) == "hello"))
            })
            .collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
    // What finds no room has a connection of its own, as in HTTP/1.1.
    assert!(server.connections() <= 8, "{}", server.connections());
    assert_eq!(server.requests(), 41);
    let held = client.send(get(server.url("/stall")).stream(true)).unwrap();
    assert_eq!(text(&client, &server.url("/hello")), "hello", "one that is held stops nobody");
    drop(held);
}

fn one_that_stalls_does_not_stall_the_others(door: Door) {
    let server = StreamServer::start(100);
    let client = client(door);
    let stalled: Vec<_> =
        (0..5).map(|_| client.send(get(server.url("/stall")).stream(true)).unwrap()).collect();
    thread::scope(|scope| {
        for _ in 0..5 {
            scope
                .spawn(|| assert_eq!(text(&client, &server.url("/fill/2000000")).len(), 2_000_000));
        }
    });
    drop(stalled);
    until("they are cancelled", || server.cancelled() == 5);
    assert_eq!(server.connections(), 1);
}

fn one_that_nobody_reads_does_not_stall_the_others(door: Door) {
    let server = StreamServer::start(100);
    let client = client(door);
    let url = server.url("/fill/5000000");
    let unread: Vec<_> = (0..4).map(|_| client.send(get(&url).stream(true)).unwrap()).collect();
    for _ in 0..3 {
        assert_eq!(text(&client, &url).len(), 5_000_000);
    }
    for reply in &unread {
        assert_eq!(reply.content().unwrap().len(), 5_000_000);
    }
    assert_eq!(server.connections(), 1);
}

fn what_is_dropped_is_cancelled(door: Door) {
    let server = StreamServer::start(100);
    let client = client(door);
    let reply = client.send(get(server.url("/stall")).stream(true)).unwrap();
    drop(reply);
    until("it is cancelled", || server.cancelled() == 1);
    let limit = Timeout::new().read(Duration::from_millis(100));
    let error = client.send(get(server.url("/silent")).timeout(limit)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadTimeout);
    until("it is cancelled, too", || server.cancelled() == 2);
    assert_eq!(text(&client, &server.url("/hello")), "hello");
    assert_eq!(server.connections(), 1, "the connection is as good as before");
}

/// The connection is replaced each time, and no request fails for it.
fn a_server_that_leaves_in_the_midst(door: Door) {
    let server = StreamServer::start(100);
    let client = client(door);
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..8 {
            let (client, server, done) = (&client, &server, &done);
            scope.spawn(move || {
                for round in 0..25 {
                    let last = (number + round) % 8 == 0;
                    let (path, expected) =
                        if last { ("/last", "last") } else { ("/hello", "hello") };
                    let reply = client.send(post(server.url(path)).body("x")).unwrap();
                    assert_eq!(reply.text().unwrap(), expected);
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 200);
    assert!(server.connections() > 5, "{}", server.connections());
}

/// Whoever leads gives up first.
fn one_that_gives_up_leaves_the_others_driven(door: Door) {
    let server = StreamServer::start(100);
    let client = client(door);
    let limit = Timeout::new().read(Duration::from_millis(150));
    for _ in 0..3 {
        thread::scope(|scope| {
            let before = server.requests();
            let gives_up = scope.spawn(|| {
                client.send(get(server.url("/silent")).timeout(limit)).unwrap_err().kind()
            });
            until("the first is there", || server.requests() > before);
            let holds: Vec<_> =
                (0..4).map(|_| scope.spawn(|| text(&client, &server.url("/hold")))).collect();
            assert_eq!(gives_up.join().unwrap(), ErrorKind::ReadTimeout);
            server.release();
            assert!(holds.into_iter().all(|thread| thread.join().unwrap() == "held"));
        });
    }
    assert_eq!(server.connections(), 1);
}

fn the_total_timeout_and_a_token_end_a_stream(door: Door) {
    let server = StreamServer::start(100);
    let client = client(door);
    let limit = Duration::from_millis(200);
    for path in ["/silent", "/stall"] {
        let started = Instant::now();
        let request = get(server.url(path)).timeout(Timeout::new().total(limit));
        let error = client.send(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        let took = started.elapsed();
        assert!(limit <= took && took < Duration::from_millis(1500), "{took:?}");
    }
    let stop = CancelToken::new();
    thread::scope(|scope| {
        let before = server.requests();
        let waiting = scope.spawn(|| {
            let request = get(server.url("/silent")).cancel_with(&stop);
            client.send(request).unwrap_err().kind()
        });
        until("it waits", || server.requests() > before);
        stop.cancel();
        assert_eq!(waiting.join().unwrap(), ErrorKind::Cancelled);
    });
    until("all are cancelled", || server.cancelled() == 3);
    assert_eq!(server.connections(), 1);
}

fn closing_ends_what_is_under_way(door: Door) {
    let server = StreamServer::start(100);
    let client = client(door);
    let begun = client.send(get(server.url("/stall")).stream(true)).unwrap();
    thread::scope(|scope| {
        let waiting: Vec<_> = ["/silent", "/silent", "/stall"]
            .into_iter()
            .map(|path| {
                let (client, url) = (client.clone(), server.url(path));
                scope.spawn(move || client.send(get(url)).unwrap_err().kind())
            })
            .collect();
        until("they wait", || server.open() == 4);
        client.close();
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap() == ErrorKind::Closed));
    });
    assert_eq!(begun.content().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(text(&client, &server.url("/hello")), "hello");
    assert_eq!((server.connections(), client.stats().opened), (2, 2));
}

fn a_silent_server_is_asked_and_given_up(door: Door) {
    let server = StreamServer::start(100);
    let mut client = client(door);
    let interval = Duration::from_millis(150);
    client.mount("http://", HttpAdapter::new().http2_keepalive(interval));
    thread::scope(|scope| {
        let held = scope.spawn(|| text(&client, &server.url("/hold")));
        until("it is held", || server.open() == 1);
        // PINGs are answered: nothing is given up.
        let (before, ping) = (server.received(), 9 + 8);
        until("it is asked often", || server.received() >= before + 4 * ping);
        server.release();
        assert_eq!(held.join().unwrap(), "held");
    });
    assert_eq!(text(&client, &server.url("/hello")), "hello");
    server.fall_silent();
    let started = Instant::now();
    let error = client.send(post(server.url("/silent"))).unwrap_err();
    let took = started.elapsed();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains("PING"), "{error}");
    assert!(2 * interval <= took && took < Duration::from_millis(1500), "{took:?}");
}

fn a_pool_that_blocks_counts_requests(door: Door) {
    let server = StreamServer::start(100);
    let mut client = client(door);
    client.mount("http://", HttpAdapter::new().pool_maxsize(2).pool_block(true));
    let held = [0, 1].map(|_| client.send(get(server.url("/stall")).stream(true)).unwrap());
    let limit = Timeout::new().pool(Duration::from_millis(100));
    let error = client.send(get(server.url("/hello")).timeout(limit)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolTimeout, "{error}");
    drop(held);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(text(&client, &server.url("/hello")), "hello"));
        }
    });
    assert_eq!(server.connections(), 1);
    assert!(server.most() <= 3, "{}", server.most());
}

fn blocking() -> Session {
    let mut s = Session::new();
    s.http_versions = Some(HttpVersions::Http2);
    s
}

/// A crowd on one thread.
#[test]
fn a_map_shares_a_connection() {
    let server = StreamServer::start(200);
    let s = blocking();
    let requests: Vec<_> = (0..100).map(|_| Request::new("GET", server.url("/hold"))).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            until("all are there", || server.open() == 100);
            server.release();
        });
        let texts = s.map(requests, 100).map(|reply| reply.unwrap().text().unwrap());
        assert!(texts.collect::<Vec<_>>().iter().all(|text| text == "held"));
    });
    assert_eq!((server.connections(), server.most()), (1, 100));
}

/// A crowd that gives out a result is not driven until the next one is asked for: one of it may have
/// led.
#[test]
fn a_map_that_is_put_aside_stops_nobody() {
    let server = StreamServer::start(200);
    let s = blocking();
    let paths = ["/hold", "/hello", "/hold", "/hello", "/hold"];
    let requests: Vec<_> = paths.iter().map(|path| Request::new("GET", server.url(path))).collect();
    let mut answers = s.imap(requests, 5);
    for _ in 0..2 {
        let (_, reply) = answers.next().unwrap();
        assert_eq!(reply.unwrap().text().unwrap(), "hello");
        // On the same thread, and on another.
        assert_eq!(s.get(server.url("/hello")).send().unwrap().text().unwrap(), "hello");
        thread::scope(|scope| {
            let other = scope.spawn(|| s.get(server.url("/fill/3000000")).send().unwrap());
            assert_eq!(other.join().unwrap().content().unwrap().len(), 3_000_000);
        });
    }
    thread::scope(|scope| {
        let waits = scope.spawn(|| s.get(server.url("/hold")).send().unwrap().text().unwrap());
        until("it waits, too", || server.open() == 4);
        server.release();
        assert_eq!(waits.join().unwrap(), "held");
    });
    let rest: Vec<_> = answers.map(|(_, reply)| reply.unwrap().text().unwrap()).collect();
    assert_eq!(rest, ["held"; 3]);
    assert_eq!(server.connections(), 1);
}

/// What is sent is read from another stream of the same connection, within the sending.
#[test]
fn a_response_is_the_body_of_a_request() {
    let server = StreamServer::start(200);
    let s = blocking();
    for _ in 0..3 {
        let from = s.get(server.url("/fill/3000000")).stream(true).send().unwrap();
        let body = Body::reader(from.into_reader());
        let reply = s.post(server.url("/sink")).body(body).send().unwrap();
        assert_eq!(reply.text().unwrap(), "3000000");
    }
    assert_eq!(server.connections(), 1);
}

/// A response that is held by one thread and read by another, while a third waits.
#[test]
fn a_body_moves_to_another_thread() {
    let server = StreamServer::start(200);
    let s = blocking();
    let response = s.get(server.url("/fill/3000000")).stream(true).send().unwrap();
    thread::scope(|scope| {
        let waits = scope.spawn(|| s.get(server.url("/hold")).send().unwrap().text().unwrap());
        until("it waits", || server.open() >= 2);
        let reads = scope.spawn(move || {
            let mut bytes = Vec::new();
            response.into_reader().read_to_end(&mut bytes).unwrap();
            bytes.len()
        });
        assert_eq!(reads.join().unwrap(), 3_000_000);
        server.release();
        assert_eq!(waits.join().unwrap(), "held");
    });
}

/// Under load, with all that can happen to a stream.
#[test]
fn nobody_waits_in_vain() {
    let server = StreamServer::start(50);
    let s = blocking();
    server.release();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..6_usize {
            let (server, s, done) = (&server, &s, &done);
            scope.spawn(move || {
                for n in 0..60 {
                    match (seed * 7 + n) % 6 {
                        0 => drop(s.get(server.url("/stall")).stream(true).send().unwrap()),
                        1 => {
                            let limit = Timeout::new().read(Duration::from_millis(3));
                            let request = s.get(server.url("/silent")).timeout(limit);
                            assert!(request.send().unwrap_err().is_timeout());
                        }
                        2 => {
                            let requests =
                                (0..4).map(|_| Request::new("GET", server.url("/hello")));
                            assert!(s.map(requests, 3).all(|reply| reply.unwrap().ok()));
                        }
                        3 => {
                            let reply = s.get(server.url("/fill/200000")).send().unwrap();
                            assert_eq!(reply.content().unwrap().len(), 200_000);
                        }
                        4 => {
                            let reply = s.post(server.url("/sink")).body(vec![0; 70_000]).send();
                            assert_eq!(reply.unwrap().text().unwrap(), "70000");
                        }
                        _ => {
                            let reply = s.get(server.url("/hold")).send().unwrap();
                            assert_eq!(reply.text().unwrap(), "held");
                        }
                    }
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 360);
    until("all that was dropped is cancelled", || server.open() == 0);
}

/// Futures of one task that are alive and not polled.
#[cfg(feature = "async")]
#[test]
fn a_future_that_is_put_aside_stops_nobody() {
    use std::future::{Future, poll_fn};
    use std::task::Poll;

    let server = StreamServer::start(200);
    let mut s = bequest::aio::Session::new();
    s.http_versions = Some(HttpVersions::Http2);
    let url = |path: &str| server.url(path);
    support::tokio_runtime::block_on(async {
        let mut aside = Box::pin(s.get(url("/hold")).send());
        poll_fn(|context| {
            assert!(aside.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        let other = s.get(url("/fill/3000000")).send().await.unwrap();
        assert_eq!(other.content().await.unwrap().len(), 3_000_000);
        let joined: Vec<_> = (0..100).map(|_| tokio::spawn(s.get(url("/hello")).send())).collect();
        for task in joined {
            assert_eq!(task.await.unwrap().unwrap().text().await.unwrap(), "hello");
        }
        server.release();
        assert_eq!(aside.await.unwrap().text().await.unwrap(), "held");
    });
}

fn a_place_with_streams_is_kept(door: Door) {
    let (one, other) = (StreamServer::start(10), StreamServer::start(10));
    let mut client = client(door);
    client.mount("http://", HttpAdapter::new().pool_connections(1));
    let held = client.send(get(one.url("/stall")).stream(true)).unwrap();
    assert_eq!(text(&client, &other.url("/hello")), "hello");
    assert_eq!(text(&client, &one.url("/hello")), "hello");
    assert_eq!(one.connections(), 1);
    drop(held);
}
