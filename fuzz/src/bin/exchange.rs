//! A whole exchange over a socket: the head, the body and the errors are what the bytes say, and the
//! next request gets nothing of them. The first byte chooses the method and how the body is read; 0xF5
//! and a count repeat the byte before them, for bodies that do not fit a buffer.
#![no_main]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use bequest::fuzzing::{Framing, connections, unused_connections};
use bequest::{Error, ErrorKind, Method, Response, Session};
use bequest_fuzz::chunks::{End, plain};
use bequest_fuzz::{Fields, fields, read_head};
use libfuzzer_sys::{Corpus, fuzz_target};

const LONGEST: usize = 64 * 1024;
const SECOND: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond";

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((&choice, bytes)) = input.split_first() else { return Corpus::Reject };
    let Some(bytes) = expanded(bytes) else { return Corpus::Reject };
    // What is expected below is what was sent; decoding has targets of its own.
    if bytes.to_ascii_lowercase().windows(16).any(|window| window == b"content-encoding") {
        return Corpus::Reject;
    }
    let method = if choice & 1 == 0 { Method::GET } else { Method::HEAD };

    let (first, second) = (serve(&bytes), serve(SECOND));
    connections([first.1, second.1]);
    let mut session = Session::new();
    session.timeout = None.into();
    let request = session.request(method.as_str(), "http://127.0.0.1/").max_content(None);
    // A body that is not streamed is there to be read again from its beginning, so is read once.
    let (stream, how) = (choice & 2 != 0, choice >> 2);
    let how = if stream { how } else { how & !1 };
    let (got, data) = match request.stream(stream).send() {
        Ok(response) => read(&response, how),
        Err(error) => (Err(kind(&error)), None),
    };
    let said = expect(&method, &bytes);
    assert_eq!(got, said.outcome);
    // A body that failed is known by what came before.
    if let Some(data) = data {
        assert!(said.data.starts_with(&data), "{} bytes of {}", data.len(), said.data.len());
    }

    let next = session.get("http://127.0.0.1/2").send().expect("the next request is not harmed");
    assert_eq!(next.content().expect("a body"), "second");
    assert_eq!(unused_connections(), 0);
    Corpus::Keep
});

fn expanded(input: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = input.iter();
    while let Some(&byte) = bytes.next() {
        match (byte, out.last().copied()) {
            (0xf5, Some(last)) => {
                let count = 64 * usize::from(*bytes.next()?);
                out.resize(out.len() + count, last);
            }
            _ => out.push(byte),
        }
        if out.len() > LONGEST {
            return None;
        }
    }
    Some(out)
}

/// A server that has answered before it was asked, and closed. It must live as long as its client.
fn serve(bytes: &[u8]) -> (UnixStream, OwnedFd) {
    let (mut server, client) = UnixStream::pair().expect("a pair of sockets");
    server.write_all(bytes).expect("it fits the socket's buffer");
    server.shutdown(Shutdown::Write).expect("it is open");
    (server, client.into())
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    fields: Fields,
    body: Vec<u8>,
    trailers: Option<Fields>,
}

type Outcome = Result<Answer, ErrorKind>;

fn kind(error: &Error) -> ErrorKind {
    assert!(!error.to_string().contains(char::is_control), "an error is one line");
    error.kind()
}

/// Reads the body in one of several ways; the data that came is given with an error, too.
fn read(response: &Response, how: u8) -> (Outcome, Option<Vec<u8>>) {
    let size = usize::from(how >> 2) * 50 + 1;
    let mut data = Vec::new();
    let end = match how & 3 {
        0 => response.content().map(|content| data.extend_from_slice(&content)),
        1 => response
            .iter_content((how & 4 == 0).then_some(size))
            .try_for_each(|piece| piece.map(|piece| data.extend_from_slice(&piece))),
        2 => response.reader().read_to_end(&mut data).map(|_| ()).map_err(Error::from),
        _ => pieces(response, size, &mut data),
    };
    let answer = end.map_err(|error| kind(&error)).map(|()| Answer {
        status: response.status().as_u16(),
        fields: fields(response.headers()),
        body: data.clone(),
        trailers: response.trailers().map(fields),
    });
    (answer, Some(data))
}

/// A part by one reader, the rest by the next.
fn pieces(response: &Response, size: usize, data: &mut Vec<u8>) -> Result<(), Error> {
    let mut piece = vec![0; size];
    let mut reader = response.reader();
    for _ in 0..3 {
        let count = reader.read(&mut piece).map_err(Error::from)?;
        if count == 0 {
            return Ok(()); // who comes after the end is refused
        }
        data.extend_from_slice(&piece[..count]);
    }
    drop(reader);
    response
        .iter_content(None)
        .try_for_each(|piece| piece.map(|piece| data.extend_from_slice(&piece)))
}

struct Expected {
    outcome: Outcome,
    /// The data up to the end or the error.
    data: Vec<u8>,
}

/// What the bytes say, found without waiting, buffers and state.
fn expect(method: &Method, mut bytes: &[u8]) -> Expected {
    let failed = |kind| Expected { outcome: Err(kind), data: Vec::new() };
    let mut interim = 0;
    let head = loop {
        let (head, taken) = match read_head(bytes) {
            Ok(Some(read)) => read,
            Ok(None) => return failed(ErrorKind::Disconnected),
            Err(error) => return failed(error.kind()),
        };
        bytes = &bytes[taken..];
        if !head.status().is_informational() || head.status() == 101 {
            break head;
        }
        interim += 1;
        if interim > 100 {
            return failed(ErrorKind::InvalidResponse);
        }
    };
    let framing = match head.frame(method) {
        Ok((framing, _)) => framing,
        Err(error) => return failed(error.kind()),
    };
    let (data, end) = match framing {
        Framing::Length(length) => {
            match usize::try_from(length).ok().and_then(|n| bytes.get(..n)) {
                Some(body) => (body.to_vec(), Ok(None)),
                None => (bytes.to_vec(), Err(ErrorKind::IncompleteBody)),
            }
        }
        Framing::UntilClose => (bytes.to_vec(), Ok(None)),
        Framing::Chunked => {
            let found = plain(bytes);
            let end = match found.end {
                End::Whole(trailers, _) => Ok(Some(trailers)),
                End::Incomplete => Err(ErrorKind::IncompleteBody),
                End::Malformed => Err(ErrorKind::ChunkedEncoding),
            };
            (found.data, end)
        }
    };
    let outcome = end.map(|trailers| Answer {
        status: head.status().as_u16(),
        fields: fields(head.headers()),
        body: data.clone(),
        trailers,
    });
    Expected { outcome, data }
}
