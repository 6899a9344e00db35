//! A minimal HTTP client for the tests of this crate.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a test waits for at most; it never takes so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection that stays open between requests.
pub(crate) struct Client<S> {
    reader: BufReader<S>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("a body of UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

pub(crate) fn tcp(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("no delay");
    stream
}

impl Client<TcpStream> {
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        Self::over(tcp(addr))
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { reader: BufReader::new(stream) }
    }

    pub(crate) fn stream(&self) -> &S {
        self.reader.get_ref()
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stream = self.reader.get_mut();
        stream.write_all(bytes.as_ref()).expect("the server takes it");
        stream.flush().expect("the server takes it");
    }

    /// A request without a body, with more header lines if any.
    pub(crate) fn request(&mut self, method: &str, target: &str, headers: &[&str]) -> Response {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        self.write(format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{headers}\r\n"));
        self.response(method == "HEAD")
    }

    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.request("GET", target, &[])
    }

    /// A request with a body of known length.
    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        content_type: &str,
        body: impl AsRef<[u8]>,
    ) -> Response {
        let length = body.as_ref().len();
        self.write(format!(
            "{method} {target} HTTP/1.1\r\nHost: test\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n"
        ));
        self.write(body);
        self.response(false)
    }

    pub(crate) fn response(&mut self, headless: bool) -> Response {
        let head = self.head();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a code");
        let mut response = Response { status, head, body: Vec::new() };
        if headless || status < 200 || status == 204 || status == 304 {
            return response;
        }
        if response.header("transfer-encoding").is_some() {
            response.body = self.chunks().concat();
        } else if let Some(length) = response.header("content-length") {
            response.body = self.exactly(length.parse().expect("a length"));
        } else {
            self.reader.read_to_end(&mut response.body).expect("a body");
        }
        response
    }

    pub(crate) fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let length = self.reader.read_line(&mut head).expect("a head");
            assert!(length > 0, "the head ends early: {head:?}");
        }
        head
    }

    pub(crate) fn chunks(&mut self) -> Vec<Vec<u8>> {
        let mut chunks = Vec::new();
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).expect("a chunk size");
            let size = usize::from_str_radix(line.trim(), 16).expect("a chunk size");
            let chunk = self.exactly(size);
            assert_eq!(self.exactly(2), b"\r\n");
            if size == 0 {
                return chunks;
            }
            chunks.push(chunk);
        }
    }

    pub(crate) fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).expect("enough bytes");
        bytes
    }

    /// Whether the server has closed the connection in good order.
    pub(crate) fn at_end(&mut self) -> bool {
        self.reader.fill_buf().expect("no reset").is_empty()
    }
}

/// Waits until a condition holds.
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::yield_now();
    }
}
