//! What an adapter sets for its TLS connections.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "tls")]

mod support;

use bequest::{ErrorKind, HttpAdapter};
use support::hello::Hello;
use support::{Door, doors, get};

doors![which_protocols_are_offered];

/// What a session with that adapter offers to a server of that host name.
fn offered(door: Door, adapter: HttpAdapter, host: &str) -> Hello {
    let mut s = door.session();
    s.mount("https://", adapter);
    Hello::of(|port| {
        let error = s.send(get(format!("https://{host}:{port}/"))).unwrap_err();
        assert!(error.is_connection(), "{error:?}");
    })
}

fn which_protocols_are_offered(door: Door) {
    let offers = |adapter| offered(door, adapter, "localhost").alpn();
    assert_eq!(offers(HttpAdapter::new()), ["http/1.1"]);
    assert_eq!(offers(HttpAdapter::new().alpn(["x", "http/1.1"]).unwrap()), ["x", "http/1.1"]);
    let none: [&str; 0] = [];
    assert_eq!(offers(HttpAdapter::new().alpn(none).unwrap()), none);
    for refused in ["h2", "", &"x".repeat(256)] {
        let error = HttpAdapter::new().alpn([refused]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.remedy().is_some(), "{error}");
    }
    assert!(HttpAdapter::new().alpn(vec!["x".repeat(255); 257]).is_err(), "more than 64 KiB");
}
