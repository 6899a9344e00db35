//! A pool that blocks: no more connections than there may be, and nobody waits in vain.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use bequest::{
    Auth, CancelToken, Error, ErrorKind, HttpAdapter, Phase, PreparedRequest, Request, Response,
    Result, Round, Timeout,
};
use support::{Client, Door, Reply, doors, get, post, until};
use testbed::{RawServer, Script, Testbed};

const SHORT: Duration = Duration::from_millis(100);
const SOON: Duration = Duration::from_millis(1500);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const UNREAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart";

doors![
    no_more_than_there_may_be,
    one_at_a_time_is_enough_for_redirects_and_rounds,
    other_origins_are_not_concerned,
    the_wait_ends_in_time,
    the_wait_ends_by_others,
    who_waits_goes_on_when_a_connection_is_free,
    whatever_ends_a_connection_makes_room,
    what_is_sent_again_has_its_turn_already,
    without_blocking_nobody_waits,
];

/// A session that has so many connections to an origin.
fn session(door: Door, most: usize) -> Client {
    let mut s = door.session();
    s.mount("http://", HttpAdapter::new().pool_maxsize(most).pool_block(true));
    s
}

/// Its only connection is the one of this response.
fn holding(door: Door, server: &RawServer) -> (Client, Reply) {
    let s = session(door, 1);
    let held = s.send(get(server.url("/")).stream(true)).unwrap();
    (s, held)
}

/// A server that answers its first connection with a body that does not end, and all others.
fn unread_first() -> RawServer {
    let script = Script::new().read_head().send(UNREAD).stall();
    RawServer::sequence(vec![script, Script::respond(OK)])
}

fn no_more_than_there_may_be(door: Door) {
    let server = Testbed::start();
    let s = &session(door, 3);
    let url = &server.url("/get");
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(move || {
                for n in 0..25 {
                    let reply = s.send(get(url).stream(n % 5 == 0)).unwrap();
                    assert!(reply.text().unwrap().contains("/get"));
                }
            });
        }
    });
    assert_eq!(server.requests().len(), 300);
    assert!(server.connections() <= 3, "{} connections", server.connections());
}

/// Wants each request to be sent twice.
struct Twice;

impl Auth for Twice {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        let is_first = response.request().headers.get("x-round").is_none();
        request.headers.insert("X-Round", "2");
        Ok(if is_first { Round::Again } else { Round::Done })
    }
}

fn one_at_a_time_is_enough_for_redirects_and_rounds(door: Door) {
    let server = Testbed::start();
    let s = session(door, 1);
    let timeout = Timeout::new().pool(SHORT);
    let r = s.send(get(server.url("/redirect/5")).timeout(timeout)).unwrap();
    assert_eq!((r.status(), r.history().len()), (bequest::StatusCode::OK, 5));
    let r = s.send(get(server.url("/get")).auth(Twice).timeout(timeout)).unwrap();
    assert_eq!((r.status(), r.history().len()), (bequest::StatusCode::OK, 1));
    assert_eq!(server.connections(), 1);
}

fn other_origins_are_not_concerned(door: Door) {
    let (server, other) = (unread_first(), RawServer::start(Script::respond(OK)));
    let (s, held) = holding(door, &server);
    let request = get(other.url("/")).timeout(Timeout::new().pool(SHORT));
    assert_eq!(s.send(request).unwrap().text().unwrap(), "ok");
    drop(held);
}

/// The error of a request that waits for the connection of another.
#[track_caller]
fn waits_in_vain(s: &Client, request: Request) -> Error {
    let start = Instant::now();
    let error = s.send(request).unwrap_err();
    assert!(start.elapsed() < SOON, "{error} after {:?}", start.elapsed());
    assert_eq!(error.phase(), Some(Phase::Pool), "{error}");
    assert!(error.url().is_some());
    let timings = error.timings().unwrap();
    assert!(timings.pool.is_some() && timings.resolve.is_none(), "{timings:?}");
    error
}

fn the_wait_ends_in_time(door: Door) {
    let server = unread_first();
    let (s, _held) = holding(door, &server);
    for (timeout, kind) in [
        (Timeout::new().pool(SHORT), ErrorKind::PoolTimeout),
        (Timeout::new().pool(SHORT).total(SOON), ErrorKind::PoolTimeout),
        (Timeout::new().total(SHORT), ErrorKind::Deadline),
        (Timeout::new().pool(SOON).total(SHORT), ErrorKind::Deadline),
        // Nothing is connected to meanwhile, and nothing read.
        (Timeout::from(SHORT / 10).pool(SHORT), ErrorKind::PoolTimeout),
    ] {
        let start = Instant::now();
        let error = waits_in_vain(&s, get(server.url("/")).timeout(timeout));
        assert!(start.elapsed() >= SHORT, "{error} after {:?}", start.elapsed());
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.is_timeout() && error.to_string().contains("100ms"), "{error}");
        assert!(error.timings().unwrap().pool.unwrap() >= SHORT, "{error}");
    }
    assert_eq!(server.connections(), 1);
}

fn the_wait_ends_by_others(door: Door) {
    let server = unread_first();
    let (s, held) = holding(door, &server);
    let token = CancelToken::new();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| waits_in_vain(&s, get(server.url("/")).cancel_with(&token)));
        token.cancel();
        assert_eq!(waiting.join().unwrap().kind(), ErrorKind::Cancelled);
        // Whether it waits already can't be seen: close until it has.
        let waiting = scope.spawn(|| waits_in_vain(&s, get(server.url("/"))));
        until("it has ended", || {
            if s.stats().waiting == 1 {
                s.close();
            }
            waiting.is_finished()
        });
        assert_eq!(waiting.join().unwrap().kind(), ErrorKind::Closed);
    });
    // What is still held is of another time.
    let request = get(server.url("/")).timeout(Timeout::new().pool(SHORT));
    assert_eq!(s.send(request).unwrap().text().unwrap(), "ok");
    drop(held);
}

fn who_waits_goes_on_when_a_connection_is_free(door: Door) {
    let script = Script::new().read_head().send(UNREAD).read_head().send(OK);
    let server = RawServer::sequence(vec![script, Script::respond(OK)]);
    let (s, held) = holding(door, &server);
    thread::scope(|scope| {
        let (s, server) = (&s, &server);
        let waiting: Vec<_> = (0..4)
            .map(|_| scope.spawn(move || s.send(get(server.url("/"))).unwrap().text().unwrap()))
            .collect();
        until("all wait", || s.stats().waiting == 4);
        assert_eq!(server.connections(), 1);
        drop(held);
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), "ok");
        }
    });
    assert_eq!(server.connections(), 2, "they took turns on one connection");
    assert_eq!((s.stats().waiting, s.stats().in_use, s.stats().idle), (0, 0, 1));
}

fn short(server: &RawServer) -> Request {
    get(server.url("/")).timeout(Timeout::new().read(SHORT))
}

/// However a request ends, the next one needs no more than the time to be sent.
fn whatever_ends_a_connection_makes_room(door: Door) {
    let stall = || Script::new().read_head().stall();
    let unread = || Script::new().read_head().send(UNREAD).stall();
    let cut = || Script::new().read_head().send(UNREAD).close();
    type Ends = fn(&Client, &RawServer);
    let ends: [(Script, Ends); 9] = [
        (unread(), |s, at| drop(s.send(get(at.url("/")).stream(true)).unwrap())),
        (unread(), |s, at| s.send(get(at.url("/")).stream(true)).unwrap().close()),
        (unread(), |s, at| drop(s.send(short(at)).unwrap_err())),
        (cut(), |s, at| drop(s.send(get(at.url("/"))).unwrap_err())),
        (cut(), |s, at| {
            let reply = s.send(get(at.url("/")).stream(true)).unwrap();
            assert_eq!(reply.content().unwrap_err().kind(), ErrorKind::IncompleteBody);
            // It is still here.
            let request = get(at.url("/")).timeout(Timeout::new().pool(SHORT));
            assert_eq!(s.send(request).unwrap().text().unwrap(), "ok");
        }),
        (Script::new(), |s, at| drop(s.send(post(at.url("/"))).unwrap_err())),
        (stall(), |s, at| drop(s.send(short(at)).unwrap_err())),
        (stall(), |s, at| {
            let token = CancelToken::new();
            let request = get(at.url("/")).cancel_with(&token);
            thread::scope(|scope| {
                let ended = scope.spawn(|| s.send(request).unwrap_err());
                until("it waits", || at.requests() == 1);
                token.cancel();
                assert_eq!(ended.join().unwrap().kind(), ErrorKind::Cancelled);
            });
        }),
        (Script::respond(OK), |s, at| drop(s.send(get(at.url("/"))).unwrap())),
    ];
    for (nth, (script, end)) in ends.into_iter().enumerate() {
        let server = RawServer::sequence(vec![script, Script::respond(OK)]);
        let s = session(door, 1);
        end(&s, &server);
        for _ in 0..2 {
            let request = get(server.url("/")).timeout(Timeout::new().pool(SHORT));
            assert_eq!(s.send(request).unwrap().text().unwrap(), "ok", "{nth}");
        }
        assert_eq!(s.stats().in_use, 0, "{nth}");
    }
    // One that was never there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let s = session(door, 1);
    for _ in 0..3 {
        let request = get(format!("http://{address}/")).timeout(Timeout::new().pool(SHORT));
        assert_eq!(s.send(request).unwrap_err().kind(), ErrorKind::Connect);
    }
}

fn what_is_sent_again_has_its_turn_already(door: Door) {
    let once = Script::new().read_head().send(OK).read_head().close();
    let server = RawServer::start(once);
    let s = session(door, 1);
    let timeout = Timeout::new().pool(SHORT);
    for _ in 0..4 {
        let reply = s.send(get(server.url("/")).timeout(timeout)).unwrap();
        assert_eq!(reply.text().unwrap(), "ok");
    }
    assert_eq!(server.requests(), 7, "three were sent twice");
    let stats = s.stats();
    assert_eq!((stats.requests, stats.opened, stats.reused, stats.replayed), (4, 4, 3, 3));
}

fn without_blocking_nobody_waits(door: Door) {
    let server = unread_first();
    let mut s = door.session();
    s.mount("http://", HttpAdapter::new().pool_maxsize(1));
    let held = s.send(get(server.url("/")).stream(true)).unwrap();
    let request = get(server.url("/")).timeout(Timeout::new().pool(SHORT / 100));
    assert_eq!(s.send(request).unwrap().text().unwrap(), "ok");
    drop(held);
}
