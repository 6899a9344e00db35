//! The kit's HTTP/2 server that is malformed, cut, refuses, floods, or is only odd: a path each.

#![cfg(feature = "http2")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;
use std::time::Duration;

use bequest::ErrorKind::{Disconnected, IncompleteBody, InvalidResponse, ReadTimeout, TooLarge};
use bequest::{ErrorKind, HttpVersions, Request, Result, Timeout};
use serde_json::Value;
use support::{Client, Door, Reply, doors, peak_memory};
use testbed::{Lab, Server};

doors![each_case_ends_as_it_should];

/// What the errors are, by how the paths begin: the first that fits.
const KINDS: [(&str, ErrorKind); 14] = [
    ("/rst-body", IncompleteBody),
    ("/rst", Disconnected),
    ("/refused", Disconnected),
    ("/http11-required", Disconnected),
    ("/eof-body", IncompleteBody),
    ("/eof", Disconnected),
    ("/goaway-error", IncompleteBody),
    // The same for one that is too long: only that it is not as announced is known.
    ("/length-two", InvalidResponse),
    ("/length", IncompleteBody),
    ("/hang", ReadTimeout),
    ("/continuation-flood", TooLarge),
    ("/hpack-bomb", TooLarge),
    ("/push", InvalidResponse),
    ("/", InvalidResponse),
];

/// What is a success though it may be an error, or should be one: the crate `h2` takes no notice of
/// a request's pseudo-header in a response.
const TAKEN: [&str; 5] =
    ["/data-after-end", "/head-256k", "/head-request-pseudo", "/ping-flood", "/settings-flood"];

fn cases() -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kit/badh2.sh");
    let listed = Command::new(script).arg("list").output().unwrap();
    serde_json::from_slice(&listed.stdout).unwrap()
}

fn send(client: &Client, method: &str, path: &str) -> Result<Reply> {
    let base = Lab::shared(&[Server::Badh2]).url(Server::Badh2);
    let timeout = Timeout::new().read(Duration::from_secs(1)).total(Duration::from_secs(20));
    let mut request = Request::new(method, format!("{base}{path}"))
        .http_versions(HttpVersions::Http2)
        .timeout(timeout);
    if method == "POST" {
        request = request.body(vec![b'x'; 200_000]);
    }
    client.send(request)
}

fn each_case_ends_as_it_should(door: Door) {
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let before = peak_memory();
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let (path, expected) = (text("path"), text("expect"));
        let client = door.session();
        let outcome = send(&client, text("method"), path);
        let is_success = expected == "ok" || TAKEN.contains(&path);
        match outcome {
            Ok(reply) => {
                assert!(is_success, "{path} is a success");
                assert_eq!(
                    reply.status(),
                    u16::try_from(case["status"].as_u64().unwrap()).unwrap()
                );
                if let Some(length) = case["body_length"].as_u64() {
                    assert_eq!(reply.content().unwrap().len() as u64, length, "{path}");
                }
            }
            Err(error) => {
                assert!(!is_success, "{path}: {error}");
                let (_, kind) = KINDS.iter().find(|(start, _)| path.starts_with(start)).unwrap();
                assert_eq!(error.kind(), *kind, "{path}: {error}");
            }
        }
        // Whatever it was, the next one is answered.
        let next = send(&client, "GET", "/ok").unwrap();
        assert_eq!(next.text().unwrap(), "hello", "after {path}");
    }
    let grown = peak_memory() - before;
    assert!(grown < 48 << 20, "{grown} bytes more at its peak");
}
