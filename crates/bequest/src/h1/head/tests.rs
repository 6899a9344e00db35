use super::*;

fn read(input: &[u8]) -> Result<Option<(ResponseHead, usize)>> {
    HeadReader::default().read(input, &Limits::default())
}

fn whole(input: &[u8]) -> ResponseHead {
    let (head, taken) = read(input).unwrap().expect("a whole head");
    assert_eq!(taken, input.len());
    head
}

fn refused(input: &[u8]) -> ErrorKind {
    read(input).expect_err("a refusal").kind()
}

#[test]
fn status_line_and_fields_as_sent() {
    let head = whole(b"HTTP/1.1 200 OK\r\nServer: x\r\nX-A:b\r\nx-a:  c  \r\nEmpty:\r\n\r\n");
    assert_eq!((head.version, head.status.as_u16()), (Version::HTTP_11, 200));
    assert_eq!(head.reason, "OK");
    assert!(matches!(head.reason, Cow::Borrowed(_)));
    assert_eq!(head.headers.to_string(), "Server: x\r\nX-A: b\r\nx-a: c\r\nEmpty: \r\n");
}

#[test]
fn odd_but_allowed_heads() {
    let head = whole(b"HTTP/1.0 599 Odd  One\r\n\r\n");
    assert_eq!((head.version, head.status.as_u16()), (Version::HTTP_10, 599));
    assert_eq!(head.reason, "Odd  One");
    assert_eq!(whole(b"HTTP/1.1 204\r\n\r\n").reason, "");
    assert_eq!(whole(b"HTTP/1.1 204 \r\n\r\n").reason, "");
    assert_eq!(whole(b"HTTP/1.1 999 x\r\n\r\n").status.as_u16(), 999);
    assert_eq!(whole(b"HTTP/1.1 200 caf\xc3\xa9\r\n\r\n").reason, "caf\u{e9}");
    assert_eq!(whole(b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").reason, "OK", "empty lines before it");
    let bare = whole(b"HTTP/1.1 200 OK\nA: b\n\n");
    assert_eq!(bare.headers.get("a"), Some("b"), "bare line feeds");
    let latin = whole(b"HTTP/1.1 200 OK\r\nA: caf\xe9\r\n\r\n");
    assert_eq!(latin.headers.get_bytes("a"), Some(b"caf\xe9".as_slice()));
}

#[test]
fn folded_lines_become_one() {
    let head = whole(b"HTTP/1.1 200 OK\r\nA: one\r\n  two\r\n\tthree\r\nB: x\r\n\r\n");
    assert_eq!(head.headers.get("a"), Some("one two three"));
    assert_eq!(head.headers.get("b"), Some("x"));
}

#[test]
fn what_follows_is_left_alone() {
    let (_, taken) = read(b"HTTP/1.1 200 OK\r\n\r\nbody").unwrap().unwrap();
    assert_eq!(taken, 19);
}

#[test]
fn malformed_heads_are_refused() {
    for bad in [
        &b"HTTP/1.1 2x0 OK\r\n\r\n"[..],
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 No\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : space before colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: nul\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: cr\rX: y\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"<html>",
        b"\x15\x03\x03\x00\x02\x02\x0a",
    ] {
        let shown = bad.escape_ascii();
        assert_eq!(refused(bad), ErrorKind::InvalidResponse, "{shown}");
    }
    let tls = read(b"\x15\x03\x03\x00\x02\x02\x0a").unwrap_err();
    assert_eq!(tls.remedy(), Some("it speaks TLS; use https://"));
}

#[test]
fn heads_have_limits() {
    let long = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &vec![b'x'; 256 * 1024]].concat();
    assert_eq!(refused(&long), ErrorKind::TooLarge);
    let fields = |n| [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"A: b\r\n".repeat(n), b"\r\n"].concat();
    assert_eq!(whole(&fields(256)).headers.len(), 256);
    assert_eq!(refused(&fields(257)), ErrorKind::TooLarge);
}

/// Whatever the pieces, the head is the same; and what was searched is not searched again.
#[test]
fn a_head_may_come_byte_by_byte() {
    let input = b"HTTP/1.1 200 OK\r\nA: one\r\n\r\n";
    let mut reader = HeadReader::default();
    for end in 0..input.len() {
        assert!(reader.read(&input[..end], &Limits::default()).unwrap().is_none(), "{end}");
        assert!(reader.searched + 2 >= end);
    }
    let (head, taken) = reader.read(input, &Limits::default()).unwrap().unwrap();
    assert_eq!((head.headers.get("A"), taken), (Some("one"), input.len()));
}
