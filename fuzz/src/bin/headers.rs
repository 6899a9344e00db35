//! Headers as they are edited, against a list; then method, headers and body in a request: refused, or
//! sent exactly. The input is records that end in 0xFE: the method and the body (0xFF between them),
//! then edits: `a`ppend, `i`nsert, `r`emove or `u`pdate, with a name and a value (0xFF between them).
#![no_main]

use bequest::{Headers, Request};
use bequest_fuzz::{fields, is_token, parse_request, trim};
use libfuzzer_sys::{Corpus, fuzz_target};

/// As many fields; an update may double them.
const MOST: usize = 64;

type Fields = Vec<(String, Vec<u8>)>;

fuzz_target!(|input: &[u8]| -> Corpus {
    let mut records = input.split(|&byte| byte == 0xfe);
    let (method, body) = pair(records.next().unwrap_or_default());
    let (mut headers, mut model) = (Headers::new(), Fields::new());
    for record in records {
        if model.len() > MOST {
            return Corpus::Reject;
        }
        let Some((edit, rest)) = record.split_first() else { continue };
        let (name, value) = pair(rest);
        let Ok(name) = std::str::from_utf8(name) else { return Corpus::Reject };
        match edit {
            b'a' => {
                headers.append(name, value);
                model.push((name.to_owned(), value.to_vec()));
            }
            b'i' => {
                headers.insert(name, value);
                insert(&mut model, name, value);
            }
            b'r' => assert_eq!(headers.remove(name), remove(&mut model, name)),
            b'u' => {
                // The list so far, and the field twice.
                let mut other = headers.clone();
                other.append(name, value);
                other.append(name, value);
                let fresh = Headers::from([(name, value)]);
                let before = model.clone();
                headers.update(&fresh);
                insert(&mut model, name, value);
                assert_eq!(fields(&headers), model);
                headers.update(&other);
                model = updated(model, before, name, value);
            }
            _ => return Corpus::Reject,
        }
        assert_eq!(fields(&headers), model);
    }
    for (name, _) in &model {
        let first = model.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        assert_eq!(headers.get_bytes(name), first.map(|(_, value)| &value[..]));
    }
    let method = String::from_utf8_lossy(method);
    send(&method, body, headers, &model);
    Corpus::Keep
});

fn pair(record: &[u8]) -> (&[u8], &[u8]) {
    match record.iter().position(|&byte| byte == 0xff) {
        Some(at) => (&record[..at], &record[at + 1..]),
        None => (record, b""),
    }
}

fn is_named(field: &(String, Vec<u8>), name: &str) -> bool {
    field.0.eq_ignore_ascii_case(name)
}

fn insert(model: &mut Fields, name: &str, value: &[u8]) {
    match model.iter().position(|field| is_named(field, name)) {
        None => model.push((name.to_owned(), value.to_vec())),
        Some(first) => {
            let behind = model.split_off(first + 1);
            model[first] = (name.to_owned(), value.to_vec());
            model.extend(behind.into_iter().filter(|field| !is_named(field, name)));
        }
    }
}

fn remove(model: &mut Fields, name: &str) -> bool {
    let before = model.len();
    model.retain(|field| !is_named(field, name));
    model.len() < before
}

fn updated(mut model: Fields, mut other: Fields, name: &str, value: &[u8]) -> Fields {
    other.push((name.to_owned(), value.to_vec()));
    other.push((name.to_owned(), value.to_vec()));
    for (at, (name, value)) in other.iter().enumerate() {
        if other[..at].iter().any(|field| is_named(field, name)) {
            model.push((name.clone(), value.clone()));
        } else {
            insert(&mut model, name, value);
        }
    }
    model
}

fn send(method: &str, body: &[u8], headers: Headers, model: &Fields) {
    let control = |byte: &u8| *byte < 0x20 || *byte == 0x7f;
    let good = model.iter().all(|(name, value)| {
        is_token(name.as_bytes()) && !value.iter().any(control) && value.first() != Some(&b' ')
    });
    let request = Request::new(method, "http://h/p").headers(headers).body(body.to_vec());
    let prepared = match request.prepare() {
        Ok(prepared) => prepared,
        Err(error) => {
            assert!(!good || !is_token(method.as_bytes()), "{error}");
            assert!(!error.to_string().contains(char::is_control), "an error is one line");
            return;
        }
    };
    assert!(good && is_token(method.as_bytes()));
    let has = |name: &str| model.iter().any(|field| is_named(field, name));
    let framed = has("content-length") || has("transfer-encoding");
    let head = match prepared.wire_head() {
        Ok(head) => head,
        Err(error) => {
            assert!(framed, "{error}");
            return;
        }
    };
    let (sent_method, target, sent) = parse_request(&head);
    assert_eq!((&sent_method[..], &target[..]), (&method.to_ascii_uppercase()[..], "/p"));
    let mut expected = Fields::new();
    if !has("host") {
        expected.push(("Host".to_owned(), b"h".to_vec()));
    }
    expected.extend(model.iter().map(|(name, value)| (name.clone(), trim(value).to_vec())));
    if sent.len() > expected.len() {
        let length = ("Content-Length".to_owned(), body.len().to_string().into_bytes());
        assert!(!framed);
        expected.push(length);
    } else {
        assert!(framed || body.is_empty(), "a body is announced");
    }
    assert_eq!(sent, expected);
    let bytes: usize = model.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    assert!(head.len() >= bytes, "white space behind values is kept");
    if framed {
        let named = |name| sent.iter().filter(move |field| is_named(field, name));
        let lengths: Vec<_> = named("content-length").collect();
        let codings = named("transfer-encoding").count();
        assert_eq!(lengths.len() + codings, 1, "one framing");
        if let Some((_, length)) = lengths.first() {
            let length = std::str::from_utf8(length).expect("digits");
            assert_eq!(length.parse(), Ok(body.len()), "the body's length");
        }
    }
}
