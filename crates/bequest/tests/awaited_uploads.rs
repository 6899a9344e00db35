//! Bodies whose source is awaited. Those here need no runtime, so that either door sends them.
#![cfg(feature = "async")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::error::Error as _;
use std::io::{self, Read};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{
    Body, CancelToken, Error, ErrorKind, Expectation, MockAdapter, Phase, Response, Retry, Timeout,
    adapter_fn,
};
use support::fed::{Fed, fed};
use support::tokio_runtime::block_on;
use support::{Door, doors, get, post};
use testbed::{RawServer, Script, Testbed};
use tokio::io::AsyncWriteExt;

doors![
    streams_and_readers_go_up,
    an_announced_length_is_kept,
    what_has_given_all_is_not_asked_again,
    an_error_of_the_source_ends_the_request,
    a_body_that_is_spent_is_not_sent_again,
    a_source_may_take_its_time,
    limits_end_the_waiting_for_a_source,
    an_answer_ends_the_waiting_for_a_source,
    #[cfg(feature = "multipart")]
    parts_of_forms_may_be_awaited,
    adapters_of_all_kinds_take_it,
    #[cfg(feature = "http2")]
    over_http_2_as_well,
];

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What tokio's tasks would hand each other.
fn pipe(content: Vec<u8>) -> impl tokio::io::AsyncRead + Send + 'static {
    let (mut near, far) = tokio::io::duplex(1000);
    thread::spawn(move || block_on(async { near.write_all(&content).await }).unwrap());
    far
}

fn streams_and_readers_go_up(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let pattern = testbed::pattern(300_000);
    let sent = || Body::async_reader(pipe(pattern.clone()));
    for (body, framing) in [
        (sent(), ("transfer-encoding", "chunked")),
        (sent().with_length(300_000), ("content-length", "300000")),
    ] {
        let r = s.send(post(server.url("/count")).body(body)).unwrap();
        assert_eq!(r.json().unwrap()["length"], 300_000);
        assert_eq!(server.requests().last().unwrap().header(framing.0), Some(framing.1));
    }
    let r = s.send(post(server.url("/post")).body(sent())).unwrap();
    assert!(r.json().unwrap()["data"].as_str().unwrap().len() >= 300_000);
    for (stream, data) in [(Fed::ready(&["one ", "", "two"]), "one two"), (Fed::ready(&[]), "")] {
        let r = s.send(post(server.url("/post")).body(Body::stream(stream))).unwrap();
        assert_eq!(r.json().unwrap()["data"], data);
    }
    assert_eq!(server.connections(), 1);
}

fn an_announced_length_is_kept(door: Door) {
    for (pieces, what) in [
        (&["123", "4"][..], "ended after 4 of the 5"),
        (&["123", "456"], "more than the 5"),
        (&[], "ended after 0 of the 5"),
    ] {
        let server = RawServer::start(Script::new().read_head().wait_close());
        let body = Body::stream(Fed::ready(pieces)).with_length(5);
        let error = door.send(post(server.url("/")).body(body)).unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::LengthMismatch, Some(Phase::Send)));
        assert!(error.to_string().contains(what), "{error}");
    }
}

/// It may be a socket that stays open.
fn what_has_given_all_is_not_asked_again(door: Door) {
    let server = RawServer::start(Script::new().read_head().read_body(5).send(OK).stall());
    let body = Body::stream(Fed::endless(&["12", "345"])).with_length(5);
    let r = door.send(post(server.url("/")).body(body).timeout(support::PATIENCE)).unwrap();
    assert_eq!(r.text().unwrap(), "ok");
}

fn an_error_of_the_source_ends_the_request(door: Door) {
    let server = RawServer::start(Script::new().forever(Script::new().read_head().wait_close()));
    let (sender, stream) = fed();
    sender.send(Ok("some")).unwrap();
    sender.send(Err(Error::other(io::Error::other("the disk is on fire")))).unwrap();
    let error = door.send(post(server.url("/")).body(Body::stream(stream))).unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Send), "{error}");
    assert!(error.to_string().contains("the disk is on fire"), "{error}");
    let reader = Body::async_reader(Broken);
    let error = door.send(post(server.url("/")).body(reader)).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Io, Some(Phase::Send)));
    assert!(error.to_string().contains("source failed"), "{error}");
    let cause = error.source().unwrap();
    assert!(cause.to_string().contains("broken"), "{cause}");
}

struct Broken;

impl tokio::io::AsyncRead for Broken {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Err(io::Error::other("broken")))
    }
}

fn a_body_that_is_spent_is_not_sent_again(door: Door) {
    let s = door.session();
    let read =
        Script::new().read_head().read_body(9).send("HTTP/1.1 307 There\r\nLocation: /x\r\n");
    let server = RawServer::start(read.send("Content-Length: 0\r\n\r\n").stall());
    let once = Body::stream(Fed::ready(&["once"]));
    let error = s.send(post(server.url("/")).body(once.clone())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
    assert_eq!(server.requests(), 1);
    let error = s.send(post(server.url("/")).body(once)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "a clone is the same body: {error}");
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    let server = RawServer::start(Script::new().read_head().read_body(9).send(busy).stall());
    let retry = Retry::new().any_method().status_forcelist([503]);
    let once = Body::async_reader(&b"once"[..]);
    let error = s.send(post(server.url("/")).body(once).retry(retry)).unwrap_err();
    assert!(error.remedy().unwrap().contains("can be read only once"), "{error}");
    assert_eq!(server.requests(), 1);
}

/// The write timeout is the server's, not the source's.
fn a_source_may_take_its_time(door: Door) {
    let server = Testbed::start();
    let (sender, stream) = fed();
    let timeout = Timeout::new().read(ms(100)).write(ms(100)).total(support::PATIENCE);
    let feeder = thread::spawn(move || {
        let start = Instant::now();
        support::until("three times the limit is over", || start.elapsed() > ms(300));
        sender.send(Ok("late")).unwrap();
    });
    let request = post(server.url("/post")).body(Body::stream(stream)).timeout(timeout);
    assert_eq!(door.send(request).unwrap().json().unwrap()["data"], "late");
    feeder.join().unwrap();
}

fn limits_end_the_waiting_for_a_source(door: Door) {
    let server = RawServer::start(Script::new().forever(Script::new().read_head().wait_close()));
    let request = || post(server.url("/")).body(Body::stream(Fed::endless(&["some"])));
    let start = Instant::now();
    let error = door.send(request().timeout(Timeout::new().total(ms(150)))).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Deadline, Some(Phase::Send)));
    assert!(start.elapsed() >= ms(150) && start.elapsed() < ms(1500), "{:?}", start.elapsed());
    let (token, s) = (CancelToken::new(), door.session());
    let stop = token.clone();
    thread::scope(|scope| {
        scope.spawn(|| {
            support::until("it is on its way", || server.connections() == 2);
            stop.cancel();
        });
        let error = s.send(request().cancel_with(&token)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    });
    thread::scope(|scope| {
        scope.spawn(|| {
            support::until("it is on its way", || server.connections() == 3);
            s.close();
        });
        let error = s.send(request()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    });
}

fn an_answer_ends_the_waiting_for_a_source(door: Door) {
    let refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
    let some = || Body::stream(Fed::endless(&["some"]));
    let server = RawServer::start(Script::new().read_head().send(refusal).wait_close());
    let r = door.send(post(server.url("/")).body(some()).timeout(support::PATIENCE)).unwrap();
    assert_eq!((r.status().as_u16(), r.text().unwrap().as_str()), (413, "no"));
    let server = RawServer::start(Script::new().read_head().close());
    let error = door.send(post(server.url("/")).body(some()).timeout(support::PATIENCE));
    assert!(error.unwrap_err().is_connection(), "nobody is there to send to");
    // A success does not: the rest is still wanted.
    let (sender, stream) = fed();
    let script = Script::new().read_head().send(OK).read_body(14).wait_close();
    let server = RawServer::start(script);
    thread::scope(|scope| {
        scope.spawn(|| {
            support::until("the answer is out", || server.sent() == OK.len());
            sender.send(Ok("rest")).unwrap();
            drop(sender);
        });
        let r = door.send(post(server.url("/")).body(Body::stream(stream))).unwrap();
        assert_eq!(r.text().unwrap(), "ok");
    });
    support::until("all of it is there", || {
        server.received(0).ends_with(b"4\r\nrest\r\n0\r\n\r\n")
    });
}

#[cfg(feature = "multipart")]
fn parts_of_forms_may_be_awaited(door: Door) {
    use bequest::Part;
    let (server, directory) = (Testbed::start(), tempfile::tempdir().unwrap());
    let file = directory.path().join("file.txt");
    std::fs::write(&file, "in a file").unwrap();
    let (sender, stream) = fed();
    let feeder = thread::spawn(move || {
        for piece in ["by ", "and ", "by"] {
            thread::yield_now();
            sender.send(Ok(piece)).unwrap();
        }
    });
    let request = post(server.url("/post")).files([
        ("read", Part::new(Body::reader(&b"read"[..])).file_name("a")),
        ("awaited", Part::new(Body::stream(stream)).file_name("b")),
        ("sized", Part::new(Body::async_reader(&b"sized"[..]).with_length(5)).file_name("c")),
        ("file", Part::file(&file).unwrap()),
    ]);
    let told = door.send(request).unwrap().json().unwrap();
    for (name, content) in
        [("read", "read"), ("awaited", "by and by"), ("sized", "sized"), ("file", "in a file")]
    {
        assert_eq!(told["files"][name], content, "{told}");
    }
    feeder.join().unwrap();
}

fn adapters_of_all_kinds_take_it(door: Door) {
    let mut s = door.session();
    let mock = MockAdapter::new().expect(Expectation::post("mock://seen/"));
    s.mount("mock://seen/", mock.clone());
    let r = s.send(post("mock://seen/").body(Body::stream(Fed::ready(&["a", "b"])))).unwrap();
    assert_eq!(r.status(), 200);
    assert_eq!(mock.requests()[0].body(), "ab");
    // And one may answer with such a body.
    s.mount(
        "mock://brought/",
        adapter_fn(|_, _| {
            Response::builder().body(Body::async_reader(pipe(vec![b'x'; 5000]))).build()
        }),
    );
    let r = s.send(get("mock://brought/").stream(true)).unwrap();
    assert_eq!(r.iter_content(1000).map(|piece| piece.unwrap().len()).sum::<usize>(), 5000);
    let r = s.send(get("mock://brought/").stream(true)).unwrap();
    let mut all = Vec::new();
    r.into_reader().read_to_end(&mut all).unwrap();
    assert_eq!(all, [b'x'; 5000]);
}

#[cfg(feature = "http2")]
fn over_http_2_as_well(door: Door) {
    let server = testbed::StreamServer::start(100);
    let mut s = door.session();
    *s.http_versions() = Some(bequest::HttpVersions::Http2);
    let sent = || Body::async_reader(pipe(testbed::pattern(300_000)));
    let (sender, stream) = fed();
    let feeder = thread::spawn(move || {
        for piece in ["by ", "", "and by"] {
            thread::yield_now();
            sender.send(Ok(piece)).unwrap();
        }
    });
    let bodies = [sent(), sent().with_length(300_000), Body::stream(stream)];
    for (body, length) in bodies.into_iter().zip(["300000", "300000", "9"]) {
        let r = s.send(post(server.url("/sink")).body(body)).unwrap();
        assert_eq!(r.text().unwrap(), length);
    }
    feeder.join().unwrap();
    let silent = post(server.url("/sink")).body(Body::stream(Fed::endless(&["some"])));
    let error = s.send(silent.timeout(Timeout::new().total(ms(150)))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
    let broken = post(server.url("/sink")).body(Body::async_reader(Broken));
    assert_eq!(s.send(broken).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(server.connections(), 1, "what ends a stream does not end its connection");
}
