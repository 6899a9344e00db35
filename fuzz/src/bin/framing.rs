//! Where a response's body ends, by its head. The first byte chooses method, version and status, the
//! rest are the fields.
#![no_main]

use bequest::Method;
use bequest::fuzzing::Framing;
use bequest_fuzz::{Fields, fields, read_head};
use libfuzzer_sys::{Corpus, fuzz_target};

const STATUSES: [u16; 8] = [200, 404, 204, 304, 205, 101, 100, 500];

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((&choice, lines)) = input.split_first() else { return Corpus::Reject };
    let status = STATUSES[usize::from(choice & 7)];
    let methods = [Method::GET, Method::HEAD, Method::CONNECT, Method::POST];
    let method = methods[usize::from(choice >> 3 & 3)].clone();
    let minor = u8::from(choice & 32 == 0);
    let mut text = format!("HTTP/1.{minor} {status} X\r\n").into_bytes();
    text.extend_from_slice(lines);
    text.extend_from_slice(b"\r\n\r\n");

    let Ok(Some((head, _))) = read_head(&text) else { return Corpus::Reject };
    assert_eq!(head.status(), status);
    let framed = head.frame(&method);
    let said = Said::by(&fields(head.headers()));

    let bodiless = method == Method::HEAD || matches!(status, 100..=199 | 204 | 304);
    let tunnel = method == Method::CONNECT && matches!(status, 200..=299);
    if bodiless || tunnel {
        let (framing, keep_alive) = framed.expect("no body, no length to be wrong");
        assert_eq!(framing, Framing::Length(0));
        assert!(!(keep_alive && (tunnel || status == 101)), "what follows is not HTTP");
        return Corpus::Keep;
    }
    let Ok((framing, keep_alive)) = framed else {
        assert!(said.length.is_err() || said.chunked.is_err(), "a length or a coding is wrong");
        return Corpus::Keep;
    };
    let length = said.length.expect("a length that is none, or two of them, is refused");
    let chunked = said.chunked.expect("codings that were not asked for are refused");
    match framing {
        Framing::Length(n) => assert_eq!((length, chunked), (Some(n), false)),
        Framing::Chunked => assert!(chunked),
        Framing::UntilClose => assert_eq!((length, chunked, keep_alive), (None, false, false)),
    }
    if keep_alive {
        assert!(!said.close && (minor == 1 || said.keep_alive), "the server said so");
        assert!(!said.coded || length.is_none() && minor == 1, "the shape of an attack");
    }
    Corpus::Keep
});

/// What the fields say, read with strings instead of bytes.
struct Said {
    length: Result<Option<u64>, ()>,
    /// Whether chunked is the coding; an error where another is, or it is not the last.
    chunked: Result<bool, ()>,
    /// The field is there, be it empty.
    coded: bool,
    close: bool,
    keep_alive: bool,
}

impl Said {
    fn by(fields: &Fields) -> Self {
        let members = |wanted: &str| -> Vec<String> {
            let values = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            let text = values.map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase());
            text.flat_map(|value| {
                value.split(',').map(|m| m.trim_matches([' ', '\t']).to_owned()).collect::<Vec<_>>()
            })
            .collect()
        };
        let lengths: Vec<Option<u64>> = members("content-length")
            .iter()
            .map(|text| {
                text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
            })
            .collect();
        let length = match lengths.first() {
            None => Ok(None),
            Some(Some(first)) if lengths.iter().all(|other| *other == Some(*first)) => {
                Ok(Some(*first))
            }
            Some(_) => Err(()),
        };
        let connection = members("connection");
        let codings = members("transfer-encoding");
        let codings: Vec<&str> =
            codings.iter().map(String::as_str).filter(|coding| !coding.is_empty()).collect();
        let chunked = match codings.iter().position(|coding| *coding != "identity") {
            None => Ok(false),
            Some(at) if codings[at..] == ["chunked"] => Ok(true),
            Some(_) => Err(()),
        };
        Self {
            length,
            chunked,
            coded: fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding")),
            close: connection.iter().any(|option| option == "close"),
            keep_alive: connection.iter().any(|option| option == "keep-alive"),
        }
    }
}
