//! Challenges: read again from how they would be written they are the same, as many as a head may hold
//! take no time, and what meets them can be sent. The input is WWW-Authenticate fields that end in LF;
//! the first byte says how often they repeat.
#![no_main]

use bequest::fuzzing::{Challenge, challenges};
use bequest::{Auth, Digest, Request, Response, Round};
use libfuzzer_sys::{Corpus, fuzz_target};

/// A quadratic search of so much takes longer than a target may.
const LONGEST: usize = 100 * 1024;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((&seed, input)) = input.split_first() else { return Corpus::Reject };
    let is_control = |byte: &u8| (*byte < b' ' && !b"\t\n".contains(byte)) || *byte == 0x7f;
    if input.is_empty() || input.iter().any(is_control) {
        return Corpus::Reject;
    }
    let count = if seed & 1 == 0 { 1 } else { LONGEST / input.len() };
    let text = input.repeat(count.max(1));
    let fields: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();

    let found = challenges(&fields);
    let written: Vec<_> = found.iter().map(write).collect();
    let again: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
    assert_eq!(challenges(&again), found);
    let told = |(_, _, params): &Challenge| {
        params.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    };
    assert!(found.iter().map(told).sum::<usize>() <= text.len());

    let (mut request, mut response) = (prepared(), Response::builder().status(401));
    for field in fields {
        response = response.header("WWW-Authenticate", field);
    }
    let response = response.build().expect("a response");
    let auth = Digest::new("us\"\\er\u{e9}", "pass");
    if auth.answer(&response, &mut request).expect("a round") == Round::Again {
        request.wire_head().expect("a field that can be sent");
        let mut next = prepared();
        auth.apply(&mut next).expect("the next count");
    }
    Corpus::Keep
});

fn prepared() -> bequest::PreparedRequest {
    Request::new("GET", "http://h/x?y").prepare().expect("a request")
}

fn write((scheme, token, params): &Challenge) -> Vec<u8> {
    let mut field = scheme.clone().into_bytes();
    for (name, value) in params {
        field.extend_from_slice(format!(" {name}=\"").as_bytes());
        for &byte in value {
            if b"\"\\".contains(&byte) {
                field.push(b'\\');
            }
            field.push(byte);
        }
        field.extend_from_slice(b"\",");
    }
    if let Some(token) = token {
        // Behind a scheme alone; parameters that follow it come after a comma.
        field.splice(scheme.len()..scheme.len(), format!(" {token},").into_bytes());
    }
    field
}
