//! However a response is cut into reads, and whoever reads its body, it is the same.

use std::io::{BufRead, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::reactor::given::SOCKETS;

/// A test of so many inputs. One that fails is told in its smallest form.
fn check<S: Strategy>(cases: u32, inputs: S, test: impl Fn(S::Value)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&inputs, |input| {
        test(input);
        Ok(())
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
}

/// Text with all kinds of line ends and of characters, some of it longer than a read.
fn text() -> impl Strategy<Value = String> {
    let words = ["a", "\u{e9}", "\u{20ac}", "\u{1f600}", "\r", "\n", "\r\n", "||", "|", "{}"];
    let word = prop_oneof![
        20 => select(words.map(str::to_owned).to_vec()),
        1 => (1..9_000usize).prop_map(|count| "x".repeat(count)),
    ];
    vec(word, 0..40).prop_map(|words| words.concat())
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunked { trailer: bool },
    UntilClose,
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![
        Just(Framing::Length),
        any::<bool>().prop_map(|trailer| Framing::Chunked { trailer }),
        Just(Framing::UntilClose),
    ]
}

/// The codings that can be made here, and what was coded in them.
fn coded(codings: &[&str], content: &[u8]) -> Vec<u8> {
    let pack = |content: Vec<u8>, coding: &&str| match *coding {
        "gzip" => {
            let level = flate2::Compression::fast();
            let mut packed = Vec::new();
            flate2::read::GzEncoder::new(&content[..], level).read_to_end(&mut packed).unwrap();
            packed
        }
        "deflate" => {
            let level = flate2::Compression::fast();
            let mut packed = Vec::new();
            flate2::read::ZlibEncoder::new(&content[..], level).read_to_end(&mut packed).unwrap();
            packed
        }
        other => panic!("no {other}"),
    };
    codings.iter().fold(content.to_vec(), pack)
}

fn codings() -> impl Strategy<Value = &'static [&'static str]> {
    let all: &[&[&str]] = if cfg!(feature = "compression") {
        &[&[], &["gzip"], &["deflate"], &["deflate", "gzip"]]
    } else {
        &[&[]]
    };
    select(all)
}

/// The lengths of pieces, over and over: small ones, and some beyond any buffer.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![3 => 1..4usize, 2 => 4..200usize, 1 => 200..20_000usize], 1..12)
}

fn cut<'a>(mut bytes: &'a [u8], lengths: &'a [usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    // Very many tiny ones tell no more than many.
    let lengths = lengths.iter().cycle().take(300).chain([&usize::MAX]);
    for &length in lengths {
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        pieces.extend((!piece.is_empty()).then_some(piece));
        bytes = rest;
    }
    pieces
}

fn message(codings: &[&str], body: &[u8], framing: Framing, chunks: &[usize]) -> Vec<u8> {
    let mut message = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n".to_vec();
    for coding in codings {
        message.extend(format!("Content-Encoding: {coding}\r\n").bytes());
    }
    match framing {
        Framing::Length => {
            message.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
        }
        Framing::UntilClose => message.extend(b"\r\n"),
        Framing::Chunked { .. } => message.extend(b"Transfer-Encoding: chunked\r\n\r\n"),
    }
    let Framing::Chunked { trailer } = framing else { return [&message, body].concat() };
    for chunk in cut(body, chunks) {
        message.extend(format!("{:x};a=\"b\"\r\n", chunk.len()).bytes());
        message.extend_from_slice(chunk);
        message.extend(b"\r\n");
    }
    message.extend(b"0\r\n");
    message.extend_from_slice(if trailer { b"X-Sum: 1\r\n\r\n" } else { b"\r\n" });
    message
}

/// A server for one request, which sends each piece when the one before it was read.
struct Peer {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    fn answer(pieces: Vec<Vec<u8>>) -> Self {
        let (mut server, client) = UnixStream::pair().unwrap();
        let seen = client.try_clone().unwrap();
        SOCKETS.set([client.into()].into());
        let done = Arc::new(AtomicBool::new(false));
        let is_done = Arc::clone(&done);
        let thread = thread::spawn(move || {
            let mut head = [0; 4096];
            let _ = server.read(&mut head).unwrap();
            for piece in pieces {
                server.write_all(&piece).unwrap();
                while rustix::io::ioctl_fionread(&seen).unwrap() > 0 {
                    if is_done.load(SeqCst) {
                        return;
                    }
                    thread::yield_now();
                }
            }
        });
        Self { done, thread: Some(thread) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.done.store(true, SeqCst);
        let thread = self.thread.take().unwrap();
        if let (Err(panicked), false) = (thread.join(), thread::panicking()) {
            std::panic::resume_unwind(panicked);
        }
    }
}

fn streamed(message: &[u8], cuts: &[usize]) -> (Peer, Response) {
    let peer = Peer::answer(cut(message, cuts).into_iter().map(<[u8]>::to_vec).collect());
    let response = crate::session::Session::new().get("http://127.0.0.1/").stream(true).send();
    (peer, response.unwrap())
}

/// Where the first line ends, and where the next one begins.
fn line_end(bytes: &[u8]) -> (usize, usize) {
    match bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        Some(at) if bytes[at..].starts_with(b"\r\n") => (at, at + 2),
        Some(at) => (at, at + 1),
        None => (bytes.len(), bytes.len()),
    }
}

fn record_end(bytes: &[u8], delimiter: &[u8]) -> (usize, usize) {
    match bytes.windows(delimiter.len()).position(|window| window == delimiter) {
        Some(at) => (at, at + delimiter.len()),
        None => (bytes.len(), bytes.len()),
    }
}

fn all(mut bytes: &[u8], end: impl Fn(&[u8]) -> (usize, usize)) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while !bytes.is_empty() {
        let (length, next) = end(bytes);
        lines.push(&bytes[..length]);
        bytes = &bytes[next..];
    }
    lines
}

fn whole<T>(items: impl Iterator<Item = Result<T>>) -> Vec<T> {
    items.collect::<Result<_>>().unwrap()
}

/// Reads all in one of several ways.
fn read(r: &Response, way: usize, size: usize, text: &str, sent: &[u8]) {
    let content = text.as_bytes();
    match way {
        0 => assert_eq!(r.content().unwrap(), content),
        1 => assert_eq!(r.text().unwrap(), text),
        2 => {
            let pieces = whole(r.iter_content(size));
            assert_eq!(pieces, content.chunks(size).collect::<Vec<_>>());
        }
        3 => {
            let pieces = whole(r.iter_content(None));
            assert!(pieces.iter().all(|piece| !piece.is_empty()));
            assert_eq!(pieces.concat(), content);
        }
        4 => assert_eq!(whole(r.iter_lines()), all(content, line_end)),
        5 => {
            let records = whole(r.iter_lines().delimiter("||"));
            assert_eq!(records, all(content, |bytes| record_end(bytes, b"||")));
        }
        6 => {
            let lines = whole(r.iter_lines().decode_unicode()).into_iter().map(String::into_bytes);
            assert_eq!(lines.collect::<Vec<_>>(), all(content, line_end));
        }
        7 => assert_eq!(whole(r.iter_content(size).decode_unicode()).concat(), text),
        8 => assert_eq!(whole(r.iter_content(None).decode_unicode()).concat(), text),
        9 => {
            let mut bytes = Vec::new();
            r.reader().read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, content);
        }
        _ => {
            let mut bytes = Vec::new();
            r.raw().read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, sent);
        }
    }
}

#[test]
fn reads_may_be_cut_anywhere() {
    let inputs = (text(), codings(), framing(), cuts(), cuts(), 0..11usize, 1..300usize);
    check(600, inputs, |(text, codings, framing, chunks, cuts, way, size)| {
        let sent = coded(codings, text.as_bytes());
        let (_peer, r) = streamed(&message(codings, &sent, framing, &chunks), &cuts);
        assert_eq!(r.reason(), "OK");
        read(&r, way, size, &text, &sent);
        let trailer = r.trailers().and_then(|trailers| trailers.get("x-sum"));
        let expected = matches!(framing, Framing::Chunked { trailer: true });
        assert_eq!(trailer, expected.then_some("1"));
    });
}

/// What reads a part of a body.
#[derive(Clone, Copy, Debug)]
enum Part {
    Read(usize),
    Buffered(usize),
    Raw(usize),
    Piece(usize),
    Arrived,
    Line,
    Record,
    TextLine,
    Text(usize),
}

fn part() -> impl Strategy<Value = Part> {
    let size = || prop_oneof![4 => 1..8usize, 1 => 8..9_000usize];
    prop_oneof![
        size().prop_map(Part::Read),
        size().prop_map(Part::Buffered),
        size().prop_map(Part::Raw),
        size().prop_map(Part::Piece),
        Just(Part::Arrived),
        Just(Part::Line),
        Just(Part::Record),
        Just(Part::TextLine),
        size().prop_map(Part::Text),
    ]
}

/// Reads a part of what is left; says how much was used up of it.
fn read_part(r: &Response, part: Part, left: &str) -> Result<usize> {
    let bytes = left.as_bytes();
    let at_most = |mut reader: Reader<'_>, size| {
        let mut piece = vec![0; size];
        let count = reader.read(&mut piece)?;
        assert!(bytes.starts_with(&piece[..count]));
        Ok(count)
    };
    let same = |item: Option<Result<Bytes>>, (length, next): (usize, usize)| {
        assert_eq!(item.transpose()?.unwrap_or_default(), &bytes[..length]);
        Ok(next)
    };
    match part {
        Part::Read(size) => at_most(r.reader(), size),
        Part::Raw(size) => at_most(r.raw(), size),
        Part::Buffered(size) => {
            let mut reader = r.reader();
            let buffered = reader.fill_buf()?;
            assert!(bytes.starts_with(buffered));
            let count = size.min(buffered.len());
            reader.consume(count);
            Ok(count)
        }
        Part::Piece(size) => {
            let length = size.min(bytes.len());
            same(r.iter_content(size).next(), (length, length))
        }
        Part::Arrived => {
            let piece = r.iter_content(None).next().transpose()?.unwrap_or_default();
            assert!(bytes.starts_with(&piece));
            Ok(piece.len())
        }
        Part::Line => same(r.iter_lines().next(), line_end(bytes)),
        Part::Record => same(r.iter_lines().delimiter("||").next(), record_end(bytes, b"||")),
        Part::TextLine => {
            let line = r.iter_lines().decode_unicode().next().transpose()?;
            same(line.map(|line| Ok(line.into())), line_end(bytes))
        }
        Part::Text(size) => {
            let text = r.iter_content(size).decode_unicode().next().transpose()?;
            assert!(left.starts_with(text.as_deref().unwrap_or_default()));
            Ok(text.map_or(0, |text| text.len()))
        }
    }
}

#[test]
fn parts_make_the_whole_body_once() {
    let parts = vec(part(), 1..40);
    check(600, (text(), codings(), framing(), cuts(), cuts(), parts), |input| {
        let (text, codings, framing, chunks, cuts, parts) = input;
        let sent = coded(codings, text.as_bytes());
        let (_peer, r) = streamed(&message(codings, &sent, framing, &chunks), &cuts);
        let mut left = &text[..];
        for part in parts {
            // Bytes as sent are those of the content only where that was not coded; and what splits
            // a character is not for those that read text.
            let part = match part {
                Part::Raw(size) if !codings.is_empty() => Part::Read(size),
                part => part,
            };
            match read_part(&r, part, left) {
                Ok(used) if left.is_char_boundary(used) => left = &left[used..],
                Ok(used) => {
                    let rest = (used..).find(|at| left.is_char_boundary(*at)).unwrap() - used;
                    let mut bytes = vec![0; rest];
                    r.reader().read_exact(&mut bytes).unwrap();
                    assert_eq!(bytes, left.as_bytes()[used..used + rest]);
                    left = &left[used + rest..];
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::StreamConsumed, "{part:?}");
                    assert_eq!(left, "", "{part:?}");
                    return;
                }
            }
        }
        match whole_or_consumed(&r) {
            Some(rest) => assert_eq!(rest, left.as_bytes()),
            None => assert_eq!(left, ""),
        }
    });
}

/// The rest of the body; `None` if there was an end already.
fn whole_or_consumed(r: &Response) -> Option<Vec<u8>> {
    let pieces: Result<Vec<Bytes>> = r.iter_content(None).collect();
    match pieces {
        Ok(pieces) => Some(pieces.concat()),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::StreamConsumed);
            None
        }
    }
}
