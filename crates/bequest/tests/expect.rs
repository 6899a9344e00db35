//! `Expect: 100-continue`: the body waits for the server's leave (RFC 9110, section 10.1.1).
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{Body, ErrorKind, Request, Timeout};
use support::{Door, doors, post};
use testbed::{RawServer, Script, Testbed};

doors![
    the_body_waits_for_leave,
    each_kind_of_body_waits,
    a_refusal_costs_no_body,
    a_success_without_the_body_is_the_answer,
    silence_is_leave_after_a_second,
    the_wait_can_be_set,
    the_wait_counts_against_the_total,
    other_interim_responses_are_no_leave,
    without_a_body_nothing_waits,
    a_server_that_closes_is_an_error,
    real_leave_is_taken,
];

const LEAVE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const DONE: &str = "HTTP/1.1 204 No Content\r\n\r\n";
/// Later than this is too late.
const LATE: Duration = Duration::from_millis(1500);

fn asking(url: &str) -> Request {
    post(url).header("Expect", "100-continue")
}

/// For ever, so that nothing but the server can begin the body.
fn patient(url: &str) -> Request {
    asking(url).timeout(Timeout::new().expect_continue(None))
}

/// Reads a head and not a byte more, and looks whether there is more.
fn read_head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn the_body_waits_for_leave(door: Door) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let given = Arc::new(AtomicBool::new(false));
    let early = Arc::new(AtomicBool::new(false));
    let server = thread::spawn({
        let given = Arc::clone(&given);
        move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(read_head(&mut stream).contains("Expect: 100-continue\r\n"));
            given.store(true, Ordering::SeqCst);
            stream.write_all(LEAVE.as_bytes()).unwrap();
            let mut body = [0; 4];
            stream.read_exact(&mut body).unwrap();
            stream.write_all(DONE.as_bytes()).unwrap();
            body
        }
    });
    // The source knows when it is asked.
    let source = std::iter::once_with({
        let early = Arc::clone(&early);
        move || {
            early.store(!given.load(Ordering::SeqCst), Ordering::SeqCst);
            "body"
        }
    });
    let r = door.send(patient(&url).body(Body::chunks(source).with_length(4))).unwrap();
    assert_eq!(r.status(), 204);
    assert_eq!(&server.join().unwrap(), b"body");
    assert!(!early.load(Ordering::SeqCst), "the source was asked before the server was");
}

fn each_kind_of_body_waits(door: Door) {
    let large = "x".repeat(100_000);
    for body in [
        Body::from("small"),
        Body::from(large),
        Body::reader(&b"read"[..]),
        Body::reader(&b"read"[..]).with_length(4),
    ] {
        let shown = format!("{body:?}");
        let server =
            RawServer::start(Script::new().read_head().send(LEAVE).send(DONE).wait_close());
        let r = door.send(patient(&server.url("/")).body(body)).unwrap();
        assert_eq!(r.status(), 204, "{shown}");
    }
    // What is known beforehand can be sent in chunks.
    let server = RawServer::start(Script::new().read_head().send(LEAVE).read_body(14).send(DONE));
    let chunked = patient(&server.url("/")).header("Transfer-Encoding", "chunked").body("body");
    assert_eq!(door.send(chunked).unwrap().status(), 204);
    assert!(server.received(0).ends_with(b"\r\n\r\n4\r\nbody\r\n0\r\n\r\n"));
}

fn a_refusal_costs_no_body(door: Door) {
    for status in ["401 Unauthorized", "413 Content Too Large", "417 Expectation Failed"] {
        let refusal = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let server = RawServer::sequence(vec![
            Script::new().read_head().send(refusal).wait_close(),
            Script::respond(DONE),
        ]);
        let s = door.session();
        let r = s.send(patient(&server.url("/")).body("never sent")).unwrap();
        assert_eq!(r.status().as_u16().to_string(), status[..3]);
        assert!(server.received(0).ends_with(b"\r\n\r\n"));
        // On the same connection the server would take the next request for the body.
        s.send(post(server.url("/")).body("x")).unwrap();
        assert_eq!(server.connections(), 2);
    }
}

fn a_success_without_the_body_is_the_answer(door: Door) {
    let server = RawServer::start(Script::new().read_head().send(DONE).wait_close());
    let r = door.send(patient(&server.url("/")).body("never sent")).unwrap();
    assert_eq!(r.status(), 204);
    assert!(server.received(0).ends_with(b"\r\n\r\n"));
}

fn silence_is_leave_after_a_second(door: Door) {
    let server = RawServer::start(Script::new().read_head().read_body(4).send(DONE).wait_close());
    let started = Instant::now();
    let r = door.send(asking(&server.url("/")).body("body")).unwrap();
    assert_eq!(r.status(), 204);
    let taken = started.elapsed();
    assert!(taken >= Duration::from_secs(1) && taken < Duration::from_secs(1) + LATE, "{taken:?}");
}

fn the_wait_can_be_set(door: Door) {
    for wait in [Duration::ZERO, Duration::from_millis(100)] {
        let server =
            RawServer::start(Script::new().read_head().read_body(4).send(DONE).wait_close());
        let mut s = door.session();
        *s.timeout() = Timeout::new().expect_continue(wait);
        let started = Instant::now();
        let r = s.send(asking(&server.url("/")).body("body")).unwrap();
        assert_eq!(r.status(), 204);
        let taken = started.elapsed();
        assert!(taken >= wait && taken < wait + LATE, "{taken:?}");
    }
}

fn the_wait_counts_against_the_total(door: Door) {
    let server = RawServer::start(Script::new().read_head().wait_close());
    let total = Duration::from_millis(150);
    let started = Instant::now();
    let timeout = Timeout::new().expect_continue(None).total(total);
    let error = door.send(asking(&server.url("/")).timeout(timeout).body("body")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    let taken = started.elapsed();
    assert!(taken >= total && taken < total + LATE, "{taken:?}");
}

fn other_interim_responses_are_no_leave(door: Door) {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let no = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let server = RawServer::start(Script::new().read_head().send(hints).send(no).wait_close());
    let r = door.send(patient(&server.url("/")).body("never sent")).unwrap();
    assert_eq!(r.status(), 403);
    assert!(server.received(0).ends_with(b"\r\n\r\n"));
}

fn without_a_body_nothing_waits(door: Door) {
    let server = RawServer::start(Script::respond(DONE));
    assert_eq!(door.send(patient(&server.url("/"))).unwrap().status(), 204);
    assert_eq!(door.send(patient(&server.url("/")).body("")).unwrap().status(), 204);
}

fn a_server_that_closes_is_an_error(door: Door) {
    let server = RawServer::start(Script::new().read_head().close());
    let error = door.send(patient(&server.url("/")).body("body")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(server.received(0).ends_with(b"\r\n\r\n"), "nothing of the body was sent");
}

fn real_leave_is_taken(door: Door) {
    let server = Testbed::start();
    let r = door.send(patient(&server.url("/post")).body("body")).unwrap();
    assert_eq!(r.json().unwrap()["data"], "body");
}
