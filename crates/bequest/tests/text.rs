//! Bodies as text and as JSON: which charset is taken, and on whose word.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(all(feature = "charset", feature = "json"))]

mod support;

use bequest::ErrorKind;
use support::{Door, Reply, doors, get};
use testbed::{RawServer, Script, Testbed};

doors![
    a_page_in_utf_8,
    the_server_says_it,
    nobody_says_it,
    a_mark_says_it,
    the_caller_says_it,
    an_unknown_charset_is_taken_for_utf_8,
    json_in_any_unicode,
    json_that_is_none,
];

const RUSSIAN: &str = "Вчера вечером мы долго гуляли.";
const IN_1251: &[u8] = b"\xc2\xf7\xe5\xf0\xe0 \xe2\xe5\xf7\xe5\xf0\xee\xec \xec\xfb \
    \xe4\xee\xeb\xe3\xee \xe3\xf3\xeb\xff\xeb\xe8.";

/// A response with this Content-Type, or without one.
fn reply(door: Door, content_type: &str, body: &[u8]) -> Reply {
    let field = match content_type {
        "" => String::new(),
        some => format!("Content-Type: {some}\r\n"),
    };
    let head = format!("HTTP/1.1 200 OK\r\n{field}Content-Length: {}\r\n\r\n", body.len());
    let server = RawServer::start(Script::new().read_head().send([head.as_bytes(), body].concat()));
    door.send(get(server.url("/"))).unwrap()
}

/// What is told of a response: its encoding, and its text.
fn told(door: Door, content_type: &str, body: &[u8]) -> (Option<String>, String) {
    let r = reply(door, content_type, body);
    (r.encoding().map(Into::into), r.text().unwrap())
}

fn a_page_in_utf_8(door: Door) {
    let server = Testbed::start();
    let r = door.send(get(server.url("/encoding/utf8"))).unwrap();
    assert_eq!(r.encoding().as_deref(), Some("utf-8"));
    assert_eq!(r.apparent_encoding().unwrap(), Some("utf-8"));
    assert!(r.text().unwrap().contains("∀x ∈ ℝ: ⌈x⌉ = −⌊−x⌋"));
}

fn the_server_says_it(door: Door) {
    for content_type in [
        "text/html; charset=windows-1251",
        "text/html;Charset='windows-1251'",
        "application/octet-stream; a=\";\"; charset=\"windows-1251\"; charset=utf-8",
    ] {
        let wanted = (Some("windows-1251".to_owned()), RUSSIAN.to_owned());
        assert_eq!(told(door, content_type, IN_1251), wanted, "{content_type}");
    }
    let (encoding, text) = told(door, "text/plain; charset=Shift_JIS", b"\x93\xfa\x96{\x8c\xea");
    assert_eq!((encoding.as_deref(), text.as_str()), (Some("Shift_JIS"), "日本語"));
    let (_, text) = told(door, "text/plain; charset=utf-8", b"ok \xff\xfe bad");
    assert_eq!(text, "ok \u{fffd}\u{fffd} bad");
}

fn nobody_says_it(door: Door) {
    // Requests' rules.
    let (encoding, text) = told(door, "TEXT/html", b"caf\xe9");
    assert_eq!((encoding.as_deref(), text.as_str()), (Some("ISO-8859-1"), "café"));
    assert_eq!(told(door, "text/plain; charset=", b"caf\xe9").1, "café");
    for json in ["application/json", "application/problem+json"] {
        assert_eq!(told(door, json, "\"é\"".as_bytes()).0.as_deref(), Some("utf-8"));
    }
    // The rule for text is a guess that valid UTF-8 proves wrong.
    let (encoding, text) = told(door, "text/html", RUSSIAN.as_bytes());
    assert_eq!((encoding.as_deref(), text.as_str()), (Some("ISO-8859-1"), RUSSIAN));
    // What is no text by its type.
    for other in ["", "image/svg+text", "application/octet-stream"] {
        assert_eq!(told(door, other, IN_1251), (None, RUSSIAN.to_owned()), "{other}");
        assert_eq!(told(door, other, RUSSIAN.as_bytes()), (None, RUSSIAN.to_owned()), "{other}");
    }
    let r = reply(door, "", IN_1251);
    assert_eq!(r.apparent_encoding().unwrap(), Some("windows-1251"));
}

fn a_mark_says_it(door: Door) {
    for content_type in
        ["", "text/plain", "text/plain; charset=utf-8", "text/plain; charset=utf-16"]
    {
        for body in [&b"\xef\xbb\xbfh\xc3\xa9"[..], b"\xff\xfeh\0\xe9\0", b"\xfe\xff\0h\0\xe9"] {
            assert_eq!(told(door, content_type, body).1, "hé", "{content_type}");
        }
    }
}

fn the_caller_says_it(door: Door) {
    let mut r = reply(door, "text/html; charset=utf-8", IN_1251);
    assert!(r.text().unwrap().contains('\u{fffd}'));
    r.set_encoding("cp1251");
    assert_eq!(r.encoding().as_deref(), Some("cp1251"));
    assert_eq!(r.text().unwrap(), RUSSIAN);
    r.set_encoding("iso-8859-1");
    assert!(r.text().unwrap().starts_with("Â÷åðà"));
    assert_eq!(r.text_with("windows-1251").unwrap(), RUSSIAN, "for once");
    r.set_encoding(None);
    assert_eq!(r.encoding(), None);
    assert_eq!(r.text().unwrap(), RUSSIAN, "detected");
}

fn an_unknown_charset_is_taken_for_utf_8(door: Door) {
    let (encoding, text) = told(door, "text/plain; charset=frob", "é\u{1f600}".as_bytes());
    assert_eq!((encoding.as_deref(), text.as_str()), (Some("frob"), "é\u{1f600}"));
    assert_eq!(told(door, "text/plain; charset=\u{e9}", b"\xff").1, "\u{fffd}");
}

fn json_in_any_unicode(door: Door) {
    let text = "[\"é\u{1f600}\"]";
    let units: Vec<u16> = text.encode_utf16().collect();
    let of_two = |bytes: fn(u16) -> [u8; 2]| units.iter().copied().flat_map(bytes).collect();
    let of_four = |bytes: fn(u32) -> [u8; 4]| text.chars().map(u32::from).flat_map(bytes).collect();
    let bodies: [Vec<u8>; 5] = [
        text.as_bytes().to_vec(),
        of_two(u16::to_le_bytes),
        of_two(u16::to_be_bytes),
        of_four(u32::to_le_bytes),
        of_four(u32::to_be_bytes),
    ];
    let marks: [&[u8]; 5] =
        [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff"];
    for (body, mark) in bodies.iter().zip(marks) {
        for body in [body.clone(), [mark, body].concat()] {
            for content_type in ["application/json", "text/html", ""] {
                let r = reply(door, content_type, &body);
                assert_eq!(r.json().unwrap()[0], "é\u{1f600}", "{content_type}: {body:x?}");
            }
        }
    }
    let said = reply(door, "application/json; charset=windows-1251", b"[\"\xcf\"]");
    assert_eq!(said.json().unwrap()[0], "П");
}

fn json_that_is_none(door: Door) {
    for body in [&b""[..], b"{", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"[\0"] {
        let error = reply(door, "application/json", body).json().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidJson, "{body:x?}");
    }
}
