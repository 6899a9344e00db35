//! Authentication-Info: whatever a server says, the next request proves itself with a field that can be
//! sent, by a nonce that was told, and counts on.
#![no_main]

use bequest::{Auth, Digest, PreparedRequest, Request, Response};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    let is_control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    if input.iter().any(is_control) {
        return Corpus::Reject;
    }
    let auth = Digest::new("user", "pass");
    let challenge = "Digest realm=\"r\", nonce=\"first\", qop=\"auth\"";
    let response = Response::builder().status(401).header("WWW-Authenticate", challenge);
    let mut request = prepared();
    _ = auth.answer(&response.build().expect("a response"), &mut request).expect("a round");
    assert!(field(&request).ends_with(&last(&request, 1)));

    let response = Response::builder().header("Authentication-Info", input);
    _ = auth.answer(&response.build().expect("a response"), &mut request).expect("no round");
    for count in 1..3 {
        let mut next = prepared();
        auth.apply(&mut next).expect("a turn");
        next.wire_head().expect("a field that can be sent");
        let is_first = field(&next).windows(14).any(|part| part == b"nonce=\"first\",");
        let count = if is_first { count + 1 } else { count };
        assert!(field(&next).ends_with(&last(&next, count)), "{count}");
    }
    Corpus::Keep
});

fn prepared() -> PreparedRequest {
    Request::new("GET", "http://h/").prepare().expect("a request")
}

fn field(request: &PreparedRequest) -> &[u8] {
    request.headers.get_bytes("authorization").expect("credentials")
}

/// How a field with this count ends; its last 26 bytes are the nonce of the client.
fn last(request: &PreparedRequest, count: u32) -> Vec<u8> {
    let field = field(request);
    let cnonce = &field[field.len() - 26..];
    [format!("nc={count:08x},").as_bytes(), cnonce].concat()
}
