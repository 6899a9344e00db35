use super::super::{HeadReader, Limits};
use super::*;

fn framed(method: &Method, head: &str) -> Result<ResponseFraming> {
    let head = head.replace('\n', "\r\n") + "\r\n\r\n";
    let read = HeadReader::default().read(head.as_bytes(), &Limits::default());
    frame_response(method, &read.unwrap().expect("a whole head").0)
}

const fn kept(framing: Framing) -> ResponseFraming {
    ResponseFraming { framing, keep_alive: true, keeps: None }
}

const fn closed(framing: Framing) -> ResponseFraming {
    ResponseFraming { framing, keep_alive: false, keeps: None }
}

#[test]
fn one_line_a_rule() {
    use Framing::{Chunked, Length, UntilClose};
    for (head, expected) in [
        ("HTTP/1.1 200 OK\nContent-Length: 5", kept(Length(5))),
        ("HTTP/1.1 200 OK\nContent-Length: 0", kept(Length(0))),
        ("HTTP/1.1 200 OK\nContent-Length: 007", kept(Length(7))),
        ("HTTP/1.1 200 OK\nContent-Length: 5, 5\ncontent-length: 5", kept(Length(5))),
        ("HTTP/1.1 200 OK\nContent-Length: 18446744073709551615", kept(Length(u64::MAX))),
        ("HTTP/1.1 200 OK", closed(UntilClose)),
        ("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 5", closed(Length(5))),
        ("HTTP/1.1 200 OK\nConnection: foo, CLOSE\nContent-Length: 5", closed(Length(5))),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", kept(Chunked)),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: identity\nTransfer-Encoding: Chunked", kept(Chunked)),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: identity", closed(UntilClose)),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 5", closed(Chunked)),
        ("HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: identity", closed(Length(5))),
        ("HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: ,", closed(Length(5))),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: , chunked ,", kept(Chunked)),
        ("HTTP/1.0 200 OK\nContent-Length: 5", closed(Length(5))),
        ("HTTP/1.0 200 OK\nConnection: Keep-Alive\nContent-Length: 5", kept(Length(5))),
        ("HTTP/1.0 200 OK\nConnection: Keep-Alive", closed(UntilClose)),
        ("HTTP/1.0 200 OK\nConnection: keep-alive\nTransfer-Encoding: chunked", closed(Chunked)),
        ("HTTP/1.1 204 No Content\nContent-Length: 5", kept(Length(0))),
        ("HTTP/1.1 304 Not Modified\nTransfer-Encoding: chunked", kept(Length(0))),
        ("HTTP/1.1 205 Reset Content\nContent-Length: 2", kept(Length(2))),
        ("HTTP/1.1 101 Switching Protocols\nUpgrade: x", closed(Length(0))),
    ] {
        assert_eq!(framed(&Method::GET, head).unwrap(), expected, "{head}");
    }
    let head = "HTTP/1.1 200 OK\nContent-Length: 5";
    assert_eq!(framed(&Method::CONNECT, head).unwrap(), closed(Length(0)));
    assert_eq!(framed(&Method::HEAD, head).unwrap(), kept(Length(0)));
    assert_eq!(framed(&Method::HEAD, "HTTP/1.1 200 OK").unwrap(), kept(Length(0)));
}

#[test]
fn lengths_that_are_none_are_errors() {
    for bad in
        ["", "-1", "+1", "1 2", "0x5", "5;", "1.0", "18446744073709551616", "5, 6", "5,", "a"]
    {
        let error = framed(&Method::GET, &format!("HTTP/1.1 200 OK\nContent-Length: {bad}"));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidResponse, "{bad}");
    }
    let twice = "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6";
    assert!(framed(&Method::GET, twice).is_err());
}

#[test]
fn codings_that_were_not_asked_for_are_errors() {
    for bad in [
        "gzip",
        "gzip, chunked",
        "gzip\nTransfer-Encoding: chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked\nTransfer-Encoding: chunked",
        "chunked, identity",
        "chunked;a=b",
        "\"chunked\"",
        "x",
    ] {
        let error = framed(&Method::GET, &format!("HTTP/1.1 200 OK\nTransfer-Encoding: {bad}"));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidResponse, "{bad}");
    }
}
