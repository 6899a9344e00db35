//! The head of a response: in whatever pieces it comes, it is read alike; and read as httparse, which
//! looks for its end itself, and as the grammar of RFC 9112 say.
#![no_main]

use bequest::fuzzing::{Head, HeadReader};
use bequest::{ErrorKind, StatusCode, Version};
use bequest_fuzz::{Fields, fields, is_token, is_value, parsed, read_head, trim};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let whole = seen(read_head(input));
    assert_eq!(whole, byte_by_byte(input), "byte by byte");

    let skipped = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let rest = &input[skipped..];
    match by_httparse(rest) {
        Ok(Some(theirs)) if theirs.status >= 100 => {
            let ours = whole.clone().expect("httparse takes it").expect("httparse finds its end");
            compare(&ours, &theirs, skipped);
        }
        Ok(Some(_)) => assert_eq!(whole, Err(ErrorKind::InvalidResponse), "no such status"),
        Ok(None) => assert!(matches!(whole, Ok(None)), "httparse waits for more: {whole:?}"),
        Err(()) => assert!(!matches!(whole, Ok(Some(_))), "httparse refuses it: {whole:?}"),
    }
    if let Some(strict) = by_the_book(rest) {
        let ours = whole.clone().expect("it follows the grammar").expect("it is whole");
        assert_eq!(ours.taken, strict.taken + skipped);
        assert_eq!(ours, Seen { taken: ours.taken, ..strict });
    }
    if let Ok(Some(ours)) = whole {
        check(&ours, &input[..ours.taken]);
    }
});

/// What is compared of a head.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    status: u16,
    minor: u8,
    reason: String,
    fields: Fields,
    taken: usize,
}

fn seen(read: bequest::Result<Option<(Head, usize)>>) -> Result<Option<Seen>, ErrorKind> {
    let read = read.map_err(|error| {
        assert!(!error.to_string().contains(char::is_control), "an error is one line");
        error.kind()
    })?;
    Ok(read.map(|(head, taken)| Seen {
        status: head.status().as_u16(),
        minor: u8::from(head.version() == Version::HTTP_11),
        reason: head.reason().to_owned(),
        fields: fields(head.headers()),
        taken,
    }))
}

fn byte_by_byte(input: &[u8]) -> Result<Option<Seen>, ErrorKind> {
    let mut reader = HeadReader::default();
    for end in 1..=input.len() {
        let read = seen(reader.read(&input[..end]));
        if !matches!(read, Ok(None)) {
            if let Ok(Some(head)) = &read {
                assert_eq!(head.taken, end, "found when its last byte comes");
            }
            return read;
        }
    }
    Ok(None)
}

fn by_httparse(input: &[u8]) -> Result<Option<Seen>, ()> {
    let mut places = [httparse::EMPTY_HEADER; 256];
    let mut response = httparse::Response::new(&mut places);
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    match config.parse_response(&mut response, input) {
        Ok(httparse::Status::Complete(taken)) => Ok(Some(Seen {
            status: response.code.unwrap_or_default(),
            minor: response.version.unwrap_or_default(),
            reason: response.reason.unwrap_or_default().to_owned(),
            fields: parsed(response.headers),
            taken,
        })),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(()),
    }
}

/// Folded values and phrases beyond ASCII are where we differ from httparse on purpose.
fn compare(ours: &Seen, theirs: &Seen, skipped: usize) {
    assert_eq!((ours.status, ours.minor), (theirs.status, theirs.minor));
    assert_eq!(ours.taken, theirs.taken + skipped);
    if !theirs.reason.is_empty() {
        assert_eq!(ours.reason, theirs.reason.trim_end());
    }
    assert_eq!(ours.fields.len(), theirs.fields.len());
    for ((name, value), (their_name, their_value)) in ours.fields.iter().zip(&theirs.fields) {
        assert_eq!(name, their_name);
        if their_value.contains(&b'\n') {
            let solid =
                |text: &[u8]| text.split(u8::is_ascii_whitespace).collect::<Vec<_>>().concat();
            assert_eq!(solid(value), solid(their_value));
        } else {
            assert_eq!(value, their_value);
        }
    }
}

/// RFC 9112, sections 4 and 5, without anything that is merely tolerated.
fn by_the_book(input: &[u8]) -> Option<Seen> {
    let mut lines = Vec::new();
    let mut at = 0;
    loop {
        let length = input[at..].windows(2).position(|pair| pair == b"\r\n")?;
        let line = &input[at..at + length];
        at += length + 2;
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let (status, lines) = lines.split_first()?;
    let (minor, rest) = match status.strip_prefix(b"HTTP/1.")? {
        [minor @ (b'0' | b'1'), b' ', rest @ ..] => (minor - b'0', rest),
        _ => return None,
    };
    let (code, reason) = rest.split_at_checked(3)?;
    let reason = if reason.is_empty() { reason } else { reason.strip_prefix(b" ")? };
    let status: u16 = std::str::from_utf8(code).ok()?.parse().ok()?;
    let digits = code.iter().all(u8::is_ascii_digit);
    if !digits || status < 100 || !is_value(reason) || lines.len() > 256 {
        return None;
    }
    let mut fields = Fields::new();
    for line in lines {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if !is_token(name) || !is_value(value) {
            return None;
        }
        fields.push((String::from_utf8(name.to_vec()).ok()?, trim(value).to_vec()));
    }
    let reason = String::from_utf8_lossy(reason.trim_ascii_end()).into_owned();
    Some(Seen { status, minor, reason, fields, taken: at })
}

/// What holds for every head that is taken.
fn check(head: &Seen, text: &[u8]) {
    assert!(StatusCode::from_u16(head.status).is_ok());
    assert!(text.ends_with(b"\n\n") || text.ends_with(b"\n\r\n"), "it ends in an empty line");
    let inside = text.trim_ascii_start();
    let early = (1..inside.len())
        .find(|&end| inside[..end].ends_with(b"\n\n") || inside[..end].ends_with(b"\n\r\n"));
    assert_eq!(early, None, "it ends in its first empty line");
    for (name, value) in &head.fields {
        assert!(is_token(name.as_bytes()), "{name:?}");
        assert!(is_value(value) && trim(value) == value, "{value:?}");
    }
}
