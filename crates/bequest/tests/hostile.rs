//! Servers that break off, stall, send rubbish or never stop: each ends in the right error, soon.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::time::{Duration, Instant};

use bequest::{Error, ErrorKind, Phase, Timeout};
use support::{Client, Door, doors, get};
use testbed::{RawServer, Script};

const READ: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_millis(1500);

/// Where a response is when something happens to it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Start,
    StatusLine,
    Fields,
    Body,
    Chunk,
    ChunkSize,
    LastChunk,
}

use At::{Body, Chunk, ChunkSize, Fields, LastChunk, Start, StatusLine};

const PLACES: [At; 7] = [Start, StatusLine, Fields, Body, Chunk, ChunkSize, LastChunk];

impl At {
    fn is_in_head(self) -> bool {
        matches!(self, Start | StatusLine | Fields)
    }

    fn phase(self) -> Phase {
        if self.is_in_head() { Phase::Wait } else { Phase::Body }
    }

    /// What has arrived by then.
    fn bytes(self) -> &'static str {
        match self {
            Start => "",
            StatusLine => "HTTP/1.1 20",
            Fields => "HTTP/1.1 200 OK\r\nContent-Le",
            Body => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
            Chunk => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\npart",
            ChunkSize => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n6",
            LastChunk => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
        }
    }
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn client(door: Door) -> Client {
    let mut client = door.session();
    *client.timeout() = Timeout::new().read(READ);
    client
}

/// The error of a GET, which comes soon and frees the session for the next request.
#[track_caller]
fn failure(door: Door, script: Script) -> Error {
    let server = RawServer::sequence(vec![script, Script::respond(answer("next"))]);
    let client = client(door);
    let start = Instant::now();
    let error = match client.send(get(server.url("/"))) {
        Ok(reply) => panic!("{reply:?} {:?}", reply.content()),
        Err(error) => error,
    };
    assert!(start.elapsed() < SOON, "{error} after {:?}", start.elapsed());
    assert_eq!(error.url().map(bequest::Url::as_str), Some(&*server.url("/")));
    assert_eq!(server.connections(), 1, "{error}: was tried again");
    let next = client.send(get(server.url("/"))).unwrap();
    assert_eq!((next.text().unwrap().as_str(), server.connections()), ("next", 2), "{error}");
    error
}

/// Plays `end` at every place of a response.
#[track_caller]
fn everywhere(door: Door, end: impl Fn(Script) -> Script, expected: impl Fn(At) -> ErrorKind) {
    let mut wrong = Vec::new();
    for at in PLACES {
        let error = failure(door, end(Script::new().read_head().send(at.bytes())));
        let (found, expected) = ((error.kind(), error.phase()), (expected(at), Some(at.phase())));
        if found != expected {
            wrong.push(format!("{at:?}: {found:?}, not {expected:?}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn lost(at: At) -> ErrorKind {
    if at.is_in_head() { ErrorKind::Disconnected } else { ErrorKind::IncompleteBody }
}

fn closes(door: Door) {
    everywhere(door, Script::close, lost);
}

fn resets(door: Door) {
    everywhere(door, Script::reset, lost);
}

fn stalls(door: Door) {
    everywhere(door, Script::stall, |_| ErrorKind::ReadTimeout);
}

/// Longer than every body that it interrupts, and with an empty line.
fn garbage() -> Vec<u8> {
    let mut bytes = b"\x00\xff garbage \x01\x02\r\n\r\n".to_vec();
    bytes.resize(250, 0xfe);
    bytes
}

fn sends_garbage(door: Door) {
    let end = |script: Script| script.send(garbage()).wait_close();
    let mut wrong = Vec::new();
    for at in PLACES.into_iter().filter(|at| *at != Body) {
        let error = failure(door, end(Script::new().read_head().send(at.bytes())));
        let kind =
            if at.is_in_head() { ErrorKind::InvalidResponse } else { ErrorKind::ChunkedEncoding };
        if (error.kind(), error.phase()) != (kind, Some(at.phase())) {
            wrong.push(format!("{at:?}: {:?} {:?}: {error}", error.kind(), error.phase()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A body is any bytes; what exceeds it is nobody's.
fn garbage_is_a_body_like_any_other(door: Door) {
    let first = Script::new().read_head().send(Body.bytes()).send(garbage()).wait_close();
    let server = RawServer::sequence(vec![first, Script::respond(answer("next"))]);
    let client = client(door);
    let reply = client.send(get(server.url("/"))).unwrap();
    assert_eq!(reply.content().unwrap(), [b"part", &garbage()[..96]].concat());
    let next = client.send(get(server.url("/"))).unwrap();
    assert_eq!((next.text().unwrap().as_str(), server.connections()), ("next", 2));
}

/// A body that only the connection's end ends may end in good order, not by a reset.
fn a_reset_does_not_end_a_body(door: Door) {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart";
    let server = RawServer::start(Script::new().read_head().send(head).close());
    assert_eq!(client(door).send(get(server.url("/"))).unwrap().text().unwrap(), "part");
    let error = failure(door, Script::new().read_head().send(head).reset());
    assert_eq!((error.kind(), error.phase()), (ErrorKind::IncompleteBody, Some(Phase::Body)));
}

/// What costs time with the square of the length takes more than ten times as long as allowed.
#[track_caller]
fn drip(door: Door, head: String) {
    let mut head = head.into_bytes();
    head.extend_from_slice(b"Content-Length: 2\r\n\r\nok");
    let server =
        RawServer::start(Script::new().read_head().drip(head, Duration::ZERO).wait_close());
    let start = Instant::now();
    let reply = client(door).send(get(server.url("/"))).unwrap();
    assert_eq!(reply.text().unwrap(), "ok");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

fn a_head_byte_by_byte(door: Door) {
    let field = format!("X-Some-Field: {}\r\n", "value ".repeat(50));
    drip(door, format!("HTTP/1.1 200 OK\r\n{}", field.repeat(200)));
}

fn a_long_line_byte_by_byte(door: Door) {
    drip(door, format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n", "x".repeat(64 * 1024)));
}

fn empty_lines_byte_by_byte(door: Door) {
    drip(door, format!("{}HTTP/1.1 200 OK\r\n", "\r\n".repeat(32 * 1024)));
}

fn at_most_a_hundred_interim_responses(door: Door) {
    let interim = "HTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\n";
    let script = |count| Script::respond(interim.repeat(count) + &answer("ok"));
    let server = RawServer::start(script(100));
    assert_eq!(client(door).send(get(server.url("/"))).unwrap().text().unwrap(), "ok");
    let endless = Script::new().read_head().forever(Script::new().send(interim));
    for script in [script(101), endless] {
        let error = failure(door, script);
        assert_eq!((error.kind(), error.phase()), (ErrorKind::InvalidResponse, Some(Phase::Wait)));
    }
}

fn early_hints_are_passed_over(door: Door) {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
    let server = RawServer::start(Script::respond(hints.to_owned() + &answer("ok")));
    let client = client(door);
    for _ in 0..2 {
        let reply = client.send(get(server.url("/"))).unwrap();
        assert_eq!((reply.status().as_u16(), reply.text().unwrap().as_str()), (200, "ok"));
        assert!(!reply.headers().contains("link"));
    }
    assert_eq!(server.connections(), 1);
}

fn heads_have_a_largest_size(door: Door) {
    let head = |size: usize| {
        let around = "HTTP/1.1 200 OK\r\nX: \r\nContent-Length: 2\r\n\r\n".len();
        let value = "x".repeat(size - around);
        Script::respond(format!("HTTP/1.1 200 OK\r\nX: {value}\r\nContent-Length: 2\r\n\r\nok"))
    };
    let server = RawServer::start(head(256 * 1024));
    let reply = client(door).send(get(server.url("/"))).unwrap();
    assert_eq!(reply.text().unwrap(), "ok");
    let endless = Script::new()
        .read_head()
        .send("HTTP/1.1 200 OK\r\nX: ")
        .forever(Script::new().send("x".repeat(1024)));
    for script in [head(256 * 1024 + 1), endless] {
        let error = failure(door, script);
        assert_eq!((error.kind(), error.phase()), (ErrorKind::TooLarge, Some(Phase::Wait)));
    }
}

fn heads_have_a_most_of_fields(door: Door) {
    let fields = |count: usize| {
        let fields = "X: y\r\n".repeat(count - 1);
        Script::respond(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok"))
    };
    let server = RawServer::start(fields(256));
    let reply = client(door).send(get(server.url("/"))).unwrap();
    assert_eq!((reply.text().unwrap().as_str(), reply.headers().len()), ("ok", 256));
    let error = failure(door, fields(257));
    assert_eq!((error.kind(), error.phase()), (ErrorKind::TooLarge, Some(Phase::Wait)));
}

/// Both framings: chunked wins (RFC 9112, section 6.3), and the connection ends.
fn chunked_wins_over_a_length(door: Door) {
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
                5\r\nhello\r\n0\r\n\r\n";
    let server = RawServer::sequence(vec![Script::respond(both), Script::respond(answer("next"))]);
    let client = client(door);
    assert_eq!(client.send(get(server.url("/"))).unwrap().text().unwrap(), "hello");
    assert_eq!(client.send(get(server.url("/"))).unwrap().text().unwrap(), "next");
    assert_eq!(server.connections(), 2);
}

fn lengths_that_differ(door: Door) {
    let respond =
        |fields: &str| Script::respond(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nhello"));
    for fields in [
        "Content-Length: 5\r\nContent-Length: 3",
        "Content-Length: 5, 3",
        "Content-Length: +5",
        "Content-Length: 5 5",
        "Content-Length: -1",
        "Content-Length: 0x5",
        "Content-Length:",
        "Content-Length: 99999999999999999999",
    ] {
        let error = failure(door, respond(fields));
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{fields}: {error}");
        assert_eq!(error.phase(), Some(Phase::Wait), "{fields}: {error}");
    }
    for fields in ["Content-Length: 5, 5", "Content-Length: 5\r\ncontent-length: 5"] {
        let server = RawServer::start(respond(fields));
        let reply = client(door).send(get(server.url("/"))).unwrap();
        assert_eq!(reply.text().unwrap(), "hello", "{fields}");
    }
}

fn heads_that_are_malformed(door: Door) {
    for head in [
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nNa me: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<html>\r\n",
    ] {
        let error = failure(door, Script::new().read_head().send(head).wait_close());
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{head:?}: {error}");
        assert_eq!(error.phase(), Some(Phase::Wait), "{head:?}: {error}");
    }
}

fn trailers_are_kept(door: Door) {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
                   3;ext=1\r\nabc\r\n0\r\nX-Sum: 6\r\nX-More: y\r\n\r\n";
    let server = RawServer::start(Script::respond(chunked));
    let client = client(door);
    for _ in 0..2 {
        let reply = client.send(get(server.url("/"))).unwrap();
        assert_eq!(reply.text().unwrap(), "abc");
        let trailers = reply.trailers().unwrap();
        assert_eq!((trailers.get("x-sum"), trailers.get("x-more")), (Some("6"), Some("y")));
        assert!(!reply.headers().contains("x-sum"), "a trailer is no header");
    }
    assert_eq!(server.connections(), 1);
}

fn folded_lines_and_bare_line_feeds(door: Door) {
    let folded =
        "HTTP/1.1 200 OK\r\nX-Folded: a\r\n  b\r\n\tc\r\nX-Next: d\r\nContent-Length: 2\r\n\r\nok";
    let bare = "HTTP/1.1 200 OK\nX-Folded: a b c\nX-Next: d\nContent-Length: 2\n\nok";
    for bytes in [folded, bare] {
        let server = RawServer::start(Script::respond(bytes));
        let client = client(door);
        for _ in 0..2 {
            let reply = client.send(get(server.url("/"))).unwrap();
            let headers = reply.headers();
            assert_eq!(
                (headers.get("x-folded"), headers.get("x-next")),
                (Some("a b c"), Some("d"))
            );
            assert_eq!(reply.text().unwrap(), "ok");
        }
        assert_eq!(server.connections(), 1);
    }
}

doors! {
    closes,
    resets,
    stalls,
    sends_garbage,
    garbage_is_a_body_like_any_other,
    a_reset_does_not_end_a_body,
    a_head_byte_by_byte,
    a_long_line_byte_by_byte,
    empty_lines_byte_by_byte,
    at_most_a_hundred_interim_responses,
    early_hints_are_passed_over,
    heads_have_a_largest_size,
    heads_have_a_most_of_fields,
    chunked_wins_over_a_length,
    lengths_that_differ,
    heads_that_are_malformed,
    trailers_are_kept,
    folded_lines_and_bare_line_feeds,
}
