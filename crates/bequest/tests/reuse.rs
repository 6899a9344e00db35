//! Connections used again: what is left on one is never an answer, and what was lost with one is
//! sent again only where that is safe.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{Body, Error, ErrorKind, Phase, Request};
use support::{Client, Door, doors, get, post};
use testbed::{RawServer, Script};

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn text(client: &Client, request: Request) -> Result<String, Error> {
    client.send(request)?.text()
}

/// Longer than the time in which a connection is believed to be as it was left.
fn let_it_idle() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(20) {
        thread::yield_now();
    }
}

/// The first connection is answered with `first`, the others as they should be.
fn poisoned(first: impl Into<Vec<u8>>) -> RawServer {
    RawServer::sequence(vec![Script::respond(first), Script::respond(answer("good"))])
}

fn what_follows_a_response_is_not_the_next_one(door: Door) {
    let evil = answer("evil");
    let large = |length: usize| answer(&"x".repeat(length)) + &evil;
    let chunked = |length: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{}\r\n0\r\n\r\n{evil}",
            "x".repeat(length)
        )
    };
    let mut wrong = Vec::new();
    for (what, bytes) in [
        ("a small body", answer("ok") + &evil),
        ("no body", answer("") + &evil),
        ("a body longer than the buffer", large(20_000)),
        ("a body of exactly the buffer's rest", large(8 * 1024 - 41)),
        ("a large body", large(1 << 20)),
        ("chunks", chunked(5)),
        ("large chunks", chunked(100_000)),
        ("204", format!("HTTP/1.1 204 No Content\r\n\r\n{evil}")),
        ("204 with a length", format!("HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n{evil}")),
        ("304", format!("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n{evil}")),
    ] {
        let server = poisoned(bytes);
        let client = door.session();
        text(&client, get(server.url("/"))).unwrap();
        let next = text(&client, get(server.url("/"))).unwrap();
        if (next.as_str(), server.connections()) != ("good", 2) {
            wrong.push(what);
        }
    }
    assert!(wrong.is_empty(), "answered by what followed {wrong:?}");
}

fn a_body_after_head_is_not_the_next_response(door: Door) {
    let server = poisoned(answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
    let client = door.session();
    assert_eq!(text(&client, Request::new("HEAD", server.url("/"))).unwrap(), "");
    assert_eq!(text(&client, get(server.url("/"))).unwrap(), "good");
    assert_eq!(server.connections(), 2);
}

/// Answers one request on each connection; then does something when it is told to.
struct Obedient {
    address: SocketAddr,
    go: Sender<()>,
    done: Receiver<()>,
}

impl Obedient {
    fn start(then: impl Fn(&mut Option<TcpStream>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (go, wait) = channel();
        let (tell, done) = channel();
        // The test's end ends `wait`, and this thread with it.
        thread::spawn(move || serve(&listener, &then, &wait, &tell));
        Self { address, go, done }
    }

    /// When this returns, it has happened.
    fn act(&self) {
        self.go.send(()).unwrap();
        self.done.recv().unwrap();
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

fn serve(
    listener: &TcpListener,
    then: &dyn Fn(&mut Option<TcpStream>),
    wait: &Receiver<()>,
    tell: &Sender<()>,
) {
    let mut open = Vec::new();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).unwrap() == 0 {
                return;
            }
            head.extend_from_slice(&byte);
        }
        let number = open.len().to_string();
        stream.write_all(answer(&number).as_bytes()).unwrap();
        let mut slot = Some(stream);
        if wait.recv().is_err() {
            return;
        }
        then(&mut slot);
        open.push(slot);
        tell.send(()).unwrap();
    }
}

fn unsolicited(slot: &mut Option<TcpStream>) {
    slot.as_mut().unwrap().write_all(answer("evil").as_bytes()).unwrap();
}

fn bytes_on_an_idle_connection_are_not_the_next_response(door: Door) {
    let server = Obedient::start(unsolicited);
    let client = door.session();
    for number in ["0", "1", "2"] {
        assert_eq!(text(&client, get(server.url())).unwrap(), number);
        server.act();
        let_it_idle();
    }
}

/// Whatever the method: the close was there to be seen before anything was sent.
fn a_connection_closed_while_idle_is_not_used(door: Door) {
    for method in ["GET", "POST", "PATCH"] {
        let server = Obedient::start(|slot| *slot = None);
        let client = door.session();
        for number in ["0", "1", "2"] {
            let request = Request::new(method, server.url()).header("X-Body", "none");
            assert_eq!(text(&client, request).unwrap(), number, "{method}");
            server.act();
            let_it_idle();
        }
    }
}

/// Closed just now: a GET is sent again where it has to be, and arrives once; what can't be sent
/// again is not sent there.
fn a_connection_closed_just_now_costs_no_request(door: Door) {
    for method in ["GET", "POST", "PATCH"] {
        let server = Obedient::start(|slot| *slot = None);
        let client = door.session();
        for number in ["0", "1", "2", "3"] {
            assert_eq!(text(&client, Request::new(method, server.url())).unwrap(), number);
            server.act();
        }
    }
}

/// A connection that answers one request, then reads another with a body of 4 bytes, and closes.
fn reads_and_closes(body: usize) -> Script {
    Script::new().read_head().send(answer("first")).read_head().read_body(body).close()
}

fn what_a_fresh_connection_lost_is_not_sent_again(door: Door) {
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"] {
        let server = RawServer::start(Script::new().read_head().read_body(4).close());
        let error = text(&door.session(), Request::new(method, server.url("/")).body("body"));
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Disconnected, Some(Phase::Wait)));
        assert_eq!((server.requests(), server.connections()), (1, 1), "{method}");
    }
}

fn posts_are_delivered_once(door: Door) {
    for method in ["POST", "PATCH"] {
        let server = RawServer::sequence(vec![reads_and_closes(4), Script::respond(answer("x"))]);
        let client = door.session();
        assert_eq!(text(&client, get(server.url("/"))).unwrap(), "first");
        let error = text(&client, Request::new(method, server.url("/")).body("body")).unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Disconnected, Some(Phase::Wait)));
        assert!(error.is_connection(), "{error}");
        assert_eq!((server.requests(), server.connections()), (2, 1), "{method}");
    }
}

fn what_may_be_repeated_is_sent_once_more(door: Door) {
    for (method, body) in [
        ("GET", ""),
        ("OPTIONS", ""),
        ("HEAD", ""),
        ("DELETE", ""),
        ("DELETE", "body"),
        ("PUT", "body"),
    ] {
        let again = Script::new().read_head().read_body(body.len()).send(answer(""));
        let server = RawServer::sequence(vec![reads_and_closes(body.len()), again.wait_close()]);
        let client = door.session();
        assert_eq!(text(&client, get(server.url("/"))).unwrap(), "first");
        let reply = client.send(Request::new(method, server.url("/")).body(body)).unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!((server.requests(), server.connections()), (3, 2), "{method}");
        let received = String::from_utf8(server.received(1)).unwrap();
        assert!(received.starts_with(method) && received.ends_with(body), "{received}");
    }
}

fn once_more_is_not_twice_more(door: Door) {
    let closes = Script::new().read_head().close();
    let server = RawServer::sequence(vec![reads_and_closes(0), closes]);
    let client = door.session();
    assert_eq!(text(&client, get(server.url("/"))).unwrap(), "first");
    let error = text(&client, get(server.url("/"))).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Disconnected, Some(Phase::Wait)));
    assert_eq!((server.requests(), server.connections()), (3, 2));
}

/// A byte of an answer shows that the server has acted.
fn what_was_answered_in_part_is_not_sent_again(door: Door) {
    for part in ["H", "HTTP/1.1 2", "\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let first = Script::new().read_head().send(answer("first")).read_head().send(part).close();
        let server = RawServer::sequence(vec![first, Script::respond(answer("again"))]);
        let client = door.session();
        assert_eq!(text(&client, get(server.url("/"))).unwrap(), "first");
        let error = text(&client, get(server.url("/")));
        assert!(error.is_err(), "{part:?}: sent again");
        assert_eq!((server.requests(), server.connections()), (2, 1), "{part:?}");
    }
}

fn a_body_that_can_be_read_once_is_not_sent_again(door: Door) {
    for body in [Body::reader(&b"body"[..]).with_length(4), Body::chunks(["body"]).with_length(4)] {
        let server = RawServer::sequence(vec![reads_and_closes(4), Script::respond(answer("x"))]);
        let client = door.session();
        assert_eq!(text(&client, get(server.url("/"))).unwrap(), "first");
        let error = text(&client, Request::new("PUT", server.url("/")).body(body)).unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Disconnected, Some(Phase::Wait)));
        assert_eq!((server.requests(), server.connections()), (2, 1));
    }
}

fn a_file_is_sent_again_from_its_beginning(door: Door) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("reuse-{door:?}"));
    std::fs::write(&path, "a file's content").unwrap();
    let again = Script::new().read_head().read_body(16).send(answer("again")).wait_close();
    let server = RawServer::sequence(vec![reads_and_closes(16), again]);
    let client = door.session();
    assert_eq!(text(&client, get(server.url("/"))).unwrap(), "first");
    let put = Request::new("PUT", server.url("/")).body(File::open(&path).unwrap());
    assert_eq!(text(&client, put).unwrap(), "again");
    assert!(server.received(0).ends_with(b"a file's content"));
    assert!(server.received(1).ends_with(b"a file's content"));
    std::fs::remove_file(&path).unwrap();
}

/// A server that has had enough, and ends in one way or another while a body is being sent.
#[track_caller]
fn early(door: Door, end: impl Fn(Script) -> Script, large: impl Fn() -> Body) {
    let refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\nenough!\n";
    for _ in 0..10 {
        let script = end(Script::new().read_head().read_body(1000).send(refusal));
        let server = RawServer::sequence(vec![script, Script::respond(answer("next"))]);
        let client = door.session();
        let reply = client.send(post(server.url("/")).body(large())).unwrap();
        assert_eq!((reply.status().as_u16(), reply.text().unwrap().as_str()), (413, "enough!\n"));
        assert_eq!(text(&client, get(server.url("/"))).unwrap(), "next");
        assert_eq!((server.requests(), server.connections()), (2, 2));
    }
}

const LARGE: usize = 16 << 20;

fn bytes() -> Body {
    vec![b'x'; LARGE].into()
}

fn reader() -> Body {
    Body::reader(std::io::repeat(b'x').take(LARGE as u64))
}

fn an_early_answer_counts_if_the_server_stops_reading(door: Door) {
    early(door, Script::stall, bytes);
    early(door, Script::stall, reader);
}

fn an_early_answer_counts_if_the_server_closes(door: Door) {
    early(door, Script::close, bytes);
    early(door, Script::close, reader);
}

fn an_early_answer_counts_if_the_server_resets(door: Door) {
    early(door, Script::reset, bytes);
    early(door, Script::reset, reader);
}

/// A response dropped or closed before its end takes its connection along.
fn an_unread_response_does_not_answer_the_next_request(door: Door) {
    let evil = answer("evil");
    let half = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 100_000);
    let first = Script::new().read_head().send(half).send(evil).wait_close();
    let server = RawServer::sequence(vec![first, Script::respond(answer("good"))]);
    let client = door.session();
    drop(client.send(get(server.url("/")).stream(true)).unwrap());
    assert_eq!(text(&client, get(server.url("/"))).unwrap(), "good");
    assert_eq!(server.connections(), 2);
}

doors! {
    what_follows_a_response_is_not_the_next_one,
    a_body_after_head_is_not_the_next_response,
    bytes_on_an_idle_connection_are_not_the_next_response,
    a_connection_closed_while_idle_is_not_used,
    a_connection_closed_just_now_costs_no_request,
    what_a_fresh_connection_lost_is_not_sent_again,
    posts_are_delivered_once,
    what_may_be_repeated_is_sent_once_more,
    once_more_is_not_twice_more,
    what_was_answered_in_part_is_not_sent_again,
    a_body_that_can_be_read_once_is_not_sent_again,
    a_file_is_sent_again_from_its_beginning,
    an_early_answer_counts_if_the_server_stops_reading,
    an_early_answer_counts_if_the_server_closes,
    an_early_answer_counts_if_the_server_resets,
    an_unread_response_does_not_answer_the_next_request,
}
