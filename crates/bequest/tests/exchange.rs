//! Whole exchanges with a good server.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use support::{Door, doors, get};
use testbed::Testbed;

doors![params_are_echoed];

fn params_are_echoed(door: Door) {
    let server = Testbed::start();
    let r = door.send(get(server.url("/get")).params([("k", "v")])).unwrap();
    assert_eq!(r.json().unwrap()["args"]["k"], "v");
}
