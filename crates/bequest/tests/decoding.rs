//! Bodies that come in a coding, and what may be wrong with them.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::time::Duration;

use bequest::{Auth, ErrorKind, Phase, PreparedRequest, Response, Result, Round, Timeout};
use flate2::Compression;
use flate2::write::GzEncoder;
use support::bomb::Bomb;
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Door, PATIENCE, doors, get};
use testbed::{RawServer, Script, Testbed};

doors![
    each_coding_is_undone,
    headers_stay_as_they_were_sent,
    without_a_body_there_is_nothing_to_decode,
    a_body_that_ends_within_its_coding_is_an_error,
    the_connection_is_used_again,
    the_limit_holds_for_what_is_decoded,
    bombs_end_at_the_limit,
    the_total_timeout_ends_a_bomb,
    what_decodes_to_nothing_has_an_end,
    lines_come_as_they_are_flushed,
    what_nobody_sees_is_not_decoded,
];

#[cfg(feature = "http2")]
http2_doors![each_coding_is_undone, headers_stay_as_they_were_sent,];

/// The testbed's paths, their coding, and what the answer says of itself.
const CODED: [(&str, &str, &str); 5] = [
    ("/gzip", "gzip", "gzipped"),
    ("/deflate", "deflate", "deflated"),
    ("/deflate?format=raw", "deflate", "deflated"),
    ("/brotli", "br", "brotli"),
    ("/zstd", "zstd", "zstd"),
];

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A response with these fields and a body of announced length.
fn answer(fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn each_coding_is_undone(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for (path, _, flag) in CODED {
        let r = s.send(get(server.url(path))).unwrap();
        assert_eq!(r.content().unwrap(), r.text().unwrap());
        assert!(r.text().unwrap().contains(&format!("\"{flag}\": true")), "{path}");

        let mut whole = String::new();
        let r = s.send(get(server.url(path)).stream(true)).unwrap();
        r.into_reader().read_to_string(&mut whole).unwrap();
        assert!(whole.contains("\"method\": \"GET\""), "{path}");
    }
    assert_eq!(server.connections(), 1);
}

fn headers_stay_as_they_were_sent(door: Door) {
    let server = Testbed::start();
    for (path, coding, _) in CODED {
        let r = door.send(get(server.url(path)).stream(true)).unwrap();
        assert_eq!(r.headers().get("content-encoding"), Some(coding));
        let length = r.content_length().unwrap();
        let mut sent = Vec::new();
        r.raw().read_to_end(&mut sent).unwrap();
        assert_eq!(sent.len() as u64, length, "{path}: as many as were announced");
    }
}

fn without_a_body_there_is_nothing_to_decode(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for (path, ..) in CODED {
        let request = bequest::Request::new("HEAD", server.url(path));
        assert_eq!(s.send(request).unwrap().content().unwrap(), "", "{path}");
    }
    for start in ["204 No Content", "304 Not Modified", "200 OK\r\nContent-Length: 0"] {
        for coding in ["gzip", "deflate", "br", "zstd", "zstd, gzip"] {
            let head = format!("HTTP/1.1 {start}\r\nContent-Encoding: {coding}\r\n\r\n");
            let server = RawServer::start(Script::respond(head));
            let r = s.send(get(server.url("/"))).unwrap();
            assert_eq!(r.content().unwrap(), "", "{start} {coding}");
        }
    }
}

/// Short data is never taken for the whole, though the message is as long as it says.
fn a_body_that_ends_within_its_coding_is_an_error(door: Door) {
    let whole = gzip(b"a body that should be whole");
    for length in [1, 10, whole.len() - 8, whole.len() - 1] {
        let sent = answer("Content-Encoding: gzip", &whole[..length]);
        let server = RawServer::start(Script::respond(sent));
        let error = door.send(get(server.url("/"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContentDecoding, "{length}: {error}");
        assert_eq!(error.phase(), Some(Phase::Body));
        let text = error.to_string();
        assert!(text.contains("gzip") && text.contains("raw()"), "{text}");
    }
}

/// After the end of the data the message may go on, if only by its last chunk.
fn the_connection_is_used_again(door: Door) {
    let data = gzip(b"data");
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n";
    let later = Script::new().sleep(Duration::from_millis(20));
    let script = Script::new()
        .read_head()
        .send(head)
        .send(chunk(&data))
        .repeat(1, later.clone())
        .send("0\r\nX-Sum: 4\r\n\r\n")
        .read_head()
        .send(head)
        .send(chunk(&[&data[..], b"ignored"].concat()))
        .repeat(1, later)
        .send([&chunk(&[0; 1000])[..], b"0\r\n\r\n"].concat())
        .read_head()
        .send(answer("X-Last: yes", b"last"))
        .wait_close();
    let server = RawServer::start(script);
    let s = door.session();
    let r = s.send(get(server.url("/"))).unwrap();
    assert_eq!(r.text().unwrap(), "data");
    assert_eq!(r.trailers().unwrap().get("x-sum"), Some("4"));
    assert_eq!(s.send(get(server.url("/"))).unwrap().text().unwrap(), "data");
    assert_eq!(s.send(get(server.url("/"))).unwrap().text().unwrap(), "last");
    assert_eq!(server.connections(), 1);
}

fn the_limit_holds_for_what_is_decoded(door: Door) {
    let zeros = vec![b'0'; 100_000];
    let sent = gzip(&zeros);
    assert!(sent.len() < 1000);
    let server = RawServer::start(Script::respond(answer("Content-Encoding: gzip", &sent)));
    let r = door.send(get(server.url("/")).max_content(100_000)).unwrap();
    assert_eq!(r.content().unwrap(), zeros);
    let error = door.send(get(server.url("/")).max_content(99_999)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("max_content"), "{error}");
}

/// Ten GiB of them: to go on decoding would take a while.
fn bombs_end_at_the_limit(door: Door) {
    for bomb in Bomb::all() {
        let server = RawServer::start(bomb.script(10 << 10));
        let error = door.send(get(server.url("/")).max_content(1 << 20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{}: {error}", bomb.coding);
    }
}

/// Also while there is no need to wait for the server.
fn the_total_timeout_ends_a_bomb(door: Door) {
    // Made small twice: some kilobytes are 32 GiB.
    let sent = gzip(&gzip(&vec![0; 8 << 20]).repeat(4000));
    assert!(sent.len() < 200_000, "{}", sent.len());
    let server = RawServer::start(Script::respond(answer("Content-Encoding: gzip, gzip", &sent)));
    let timeout = Timeout::new().total(Duration::from_millis(100));
    let request = get(server.url("/")).timeout(timeout).max_content(None);
    let error = door.send(request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
}

/// Members without content, made from almost nothing by another coding.
fn what_decodes_to_nothing_has_an_end(door: Door) {
    let sent = gzip(&gzip(b"").repeat(1 << 20));
    assert!(sent.len() < 200_000);
    let server = RawServer::start(Script::respond(answer("Content-Encoding: gzip, gzip", &sent)));
    let error = door.send(get(server.url("/"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContentDecoding);
    assert!(error.to_string().contains("decode to nothing"), "{error}");
}

/// What was flushed is not held back for what comes later.
fn lines_come_as_they_are_flushed(door: Door) {
    let line = "one line of a live stream";
    let flushed: [(&str, &[u8]); 4] = [
        (
            "gzip",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xca\xcfKU\xc8\xc9\x04\x12\xf9i\x0a\x89@VY\
              \xaaBqIQjb.\x17\x00\x00\x00\xff\xff",
        ),
        (
            "deflate",
            b"x\xda\xca\xcfKU\xc8\xc9\x04\x12\xf9i\x0a\x89@VY\xaaBqIQjb.\x17\x00\x00\x00\xff\xff",
        ),
        (
            "br",
            b"\x8b\x0c\x00\xf8\x8dT\xb5\xbf\x04q{+\x85\xb2\x16D\x11FJ\x916P\x22\xd3\xd7BD\x22\x03",
        ),
        ("zstd", b"(\xb5/\xfd\x00X\xd0\x00\x00one line of a live stream\x0a"),
    ];
    for (coding, sent) in flushed {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n");
        let server = RawServer::start(Script::new().read_head().send(head).send(sent).stall());
        let r = door.send(get(server.url("/")).stream(true).timeout(PATIENCE)).unwrap();
        assert_eq!(r.iter_lines().next().unwrap().unwrap(), line, "{coding}");
    }
}

/// Sends a request once more if it was denied.
struct AsksAgain;

impl Auth for AsksAgain {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }

    fn answer(&self, response: &Response, _: &mut PreparedRequest) -> Result<Round> {
        Ok(if response.status() == 401 { Round::Again } else { Round::Done })
    }
}

/// The body of a round before the last is not decoded unless somebody asks for it.
fn what_nobody_sees_is_not_decoded(door: Door) {
    let bomb = gzip(&vec![0; 20 << 20]);
    let denied =
        [&b"HTTP/1.1 401 No\r\n"[..], &answer("Content-Encoding: gzip", &bomb)[17..]].concat();
    let script = Script::new().read_head().send(denied).read_head();
    let server = RawServer::start(script.send(answer("X: y", b"granted")).wait_close());
    let r = door.send(get(server.url("/")).auth(AsksAgain).stream(true)).unwrap();
    assert_eq!(r.text().unwrap(), "granted");
    assert_eq!(server.connections(), 1, "it was read to its end");
    let [denied] = r.history() else { panic!("one round before") };
    assert_eq!(denied.iter_content(1000).next().unwrap().unwrap(), vec![0; 1000]);
}
