//! What a session and a request say of texts whose charset nobody names.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use bequest::{Detector, SendOptions};
use support::{Client, Door, doors, get};
use testbed::{RawServer, Script};

doors![a_session_has_a_detector, a_request_has_one_of_its_own, the_old_rule_can_be_switched_off];

/// Knows one answer.
#[derive(Debug)]
struct Always(&'static str);

impl Detector for Always {
    fn detect(&self, _: &[u8]) -> Option<String> {
        Some(self.0.to_owned())
    }
}

/// A server of one byte that is no UTF-8.
fn server(content_type: &str) -> RawServer {
    let head = format!("HTTP/1.1 200 OK\r\n{content_type}Content-Length: 1\r\n\r\n");
    RawServer::start(Script::respond([head.as_bytes(), b"\xe4"].concat()))
}

/// What the byte is in some charsets.
const LATIN1: &str = "\u{e4}";
const CYRILLIC: &str = "\u{434}";
const GREEK: &str = "\u{3b4}";

fn session(door: Door, server: &RawServer) -> (Client, String) {
    let mut s = door.session();
    *s.detector() = Some(Arc::new(Always("windows-1251")));
    (s, server.url("/"))
}

fn a_session_has_a_detector(door: Door) {
    let server = server("");
    let (s, url) = session(door, &server);
    let r = s.send(get(&url)).unwrap();
    assert_eq!(r.text().unwrap(), CYRILLIC);
    // It is not asked where the server says it.
    let named = self::server("Content-Type: text/plain; charset=latin1\r\n");
    assert_eq!(s.send(get(named.url("/"))).unwrap().text().unwrap(), LATIN1);
    assert_eq!(s.send(get(&url)).unwrap().text().unwrap(), CYRILLIC);
    assert_eq!(s.send(get(&url)).unwrap().text().unwrap(), CYRILLIC);
}

fn a_request_has_one_of_its_own(door: Door) {
    let server = server("");
    let (s, url) = session(door, &server);
    let greek = || get(&url).detector(Always("windows-1253"));
    assert_eq!(s.send(greek()).unwrap().text().unwrap(), GREEK);
    let prepared = s.prepare(greek()).unwrap();
    let options = SendOptions::new().detector(Always("latin1"));
    assert_eq!(s.send_prepared(prepared, options).unwrap().text().unwrap(), LATIN1);
    assert_eq!(s.send(get(&url)).unwrap().text().unwrap(), CYRILLIC, "it is not kept");
}

fn the_old_rule_can_be_switched_off(door: Door) {
    let server = server("Content-Type: text/plain\r\n");
    let (mut s, url) = session(door, &server);
    assert_eq!(s.send(get(&url)).unwrap().text().unwrap(), LATIN1);
    assert_eq!(s.send(get(&url).text_is_latin1(false)).unwrap().text().unwrap(), CYRILLIC);
    *s.text_is_latin1() = false;
    assert_eq!(s.send(get(&url)).unwrap().text().unwrap(), CYRILLIC);
    assert_eq!(s.send(get(&url).text_is_latin1(true)).unwrap().text().unwrap(), LATIN1);
}
