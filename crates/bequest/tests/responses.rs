//! Bodies that arrive over time: what is handed over when, and what becomes of those that break.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use bequest::{Bytes, Error, ErrorKind, Phase};
use support::{Door, Reply, doors, get};
use testbed::{RawServer, Script};

doors![
    elapsed_ends_with_the_head,
    pieces_come_as_they_arrive,
    lines_come_as_they_arrive,
    a_broken_stream_is_its_own_kind_of_error,
];

const LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const CLOSE: &str = "HTTP/1.1 200 OK\r\n\r\n";

fn elapsed_ends_with_the_head(door: Door) {
    let pause = Duration::from_millis(150);
    let head = Script::new().read_head().sleep(pause).send(LENGTH);
    let server = RawServer::start(head.sleep(4 * pause).send("complete").wait_close());
    let r = door.send(get(server.url("/"))).unwrap();
    assert_eq!(r.text().unwrap(), "complete");
    assert!(r.elapsed() >= pause && r.elapsed() < 4 * pause, "{:?}", r.elapsed());
}

/// A streamed response of a server that plays this after the request's head.
fn streamed(door: Door, script: Script) -> (RawServer, Reply) {
    let server = RawServer::start(script);
    let request = get(server.url("/")).stream(true).timeout(Duration::from_millis(200));
    let reply = door.send(request).unwrap();
    (server, reply)
}

/// Without a size, pieces don't wait for what comes later, whatever ends the body.
fn pieces_come_as_they_arrive(door: Door) {
    for (head, part) in [(LENGTH, "part"), (CHUNKED, "4\r\npart\r\n"), (CLOSE, "part")] {
        let (_server, r) = streamed(door, Script::new().read_head().send(head).send(part).stall());
        assert_eq!(r.iter_content(None).next().unwrap().unwrap(), "part", "{head}");
    }
    // With a size, chunks don't show.
    let chunks = "1\r\na\r\n3\r\nbcd\r\n4\r\nefgh\r\n0\r\n\r\n";
    let (_server, r) = streamed(door, Script::new().read_head().send(CHUNKED).send(chunks).stall());
    let pieces: Vec<Bytes> = r.iter_content(3).map(Result::unwrap).collect();
    assert_eq!(pieces, ["abc", "def", "gh"]);
}

/// A line is there when its end is; what ends in CR does not wait for an LF.
fn lines_come_as_they_arrive(door: Door) {
    for (head, lines) in
        [(LENGTH, "one\ntw\r"), (CHUNKED, "7\r\none\ntw\r\r\n"), (CLOSE, "one\ntw\r")]
    {
        let play = || streamed(door, Script::new().read_head().send(head).send(lines).stall());
        let (_server, r) = play();
        let got: Vec<Bytes> = r.iter_lines().take(2).map(Result::unwrap).collect();
        assert_eq!(got, ["one", "tw"], "{head}");
        let (_server, r) = play();
        let got: Vec<String> =
            r.iter_lines().decode_unicode().take(2).map(Result::unwrap).collect();
        assert_eq!(got, ["one", "tw"], "{head}");
        let (_server, r) = play();
        assert_eq!(r.iter_content(None).decode_unicode().next().unwrap().unwrap(), "one\ntw\r");
        let records = |r: &Reply| r.iter_lines().delimiter("w\r").next().unwrap().unwrap();
        let (_server, r) = play();
        assert_eq!(records(&r), "one\nt", "{head}");
    }
}

/// Each way of reading tells of it with the same kind of error, and after it there is no more.
fn a_broken_stream_is_its_own_kind_of_error(door: Door) {
    type Read = fn(&Reply) -> Vec<Error>;
    let ways: [Read; 3] = [
        |r| r.iter_content(None).filter_map(Result::err).collect(),
        |r| r.iter_lines().filter_map(Result::err).collect(),
        |r| vec![std::io::copy(&mut r.reader(), &mut std::io::sink()).unwrap_err().into()],
    ];
    for (head, rest, kind) in [
        (LENGTH, Script::new().send("part").stall(), ErrorKind::ReadTimeout),
        (LENGTH, Script::new().send("part").close(), ErrorKind::IncompleteBody),
        (CHUNKED, Script::new().send("4\r\npart\r\n").close(), ErrorKind::IncompleteBody),
        (
            CHUNKED,
            Script::new().send("4\r\npart\r\nno size\r\n").stall(),
            ErrorKind::ChunkedEncoding,
        ),
    ] {
        for read in ways {
            let play = Script::new().read_head().send(head).repeat(1, rest.clone());
            let (_server, r) = streamed(door, play);
            let errors = read(&r);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert_eq!((errors[0].kind(), errors[0].phase()), (kind, Some(Phase::Body)));
            assert_eq!(r.content().unwrap_err().kind(), kind, "it is remembered");
        }
    }
}
