//! A GiB goes up to nginx and Apache, in whatever form, and in hardly any memory. Nothing but the
//! client is in this process, so that the peak is the client's.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Read as _, Seek as _};

use bequest::Body;
use support::{Door, doors, peak_memory, post, until};
use testbed::{Lab, Server};

doors![a_file_goes_up, a_reader_of_known_length_goes_up, a_reader_goes_up_in_chunks];

const LENGTH: u64 = 1 << 30;
/// What the process may take in all, with several uploads at once.
const MOST_MEMORY: u64 = 24 << 20;

/// Sends a body to each server, without and with TLS.
fn assert_sent(door: Door, form: &str, body: impl Fn() -> Body) {
    let lab = Lab::shared(&[Server::Apache, Server::Nginx]);
    let mut s = door.session();
    *s.verify() = lab.ca_file().into();
    for server in ["APACHE_URL", "APACHE_TLS_URL", "NGINX_URL", "NGINX_TLS_URL"] {
        let path = if server.starts_with("NGINX") { "sink" } else { "sink.txt" };
        let query = format!("{door:?}-{form}-{server}");
        let url = format!("{}/{path}?{query}", lab.var(server));
        let r = s.send(post(url).body(body())).unwrap();
        assert_eq!((r.status().as_u16(), &*r.text().unwrap()), (200, "taken\n"), "{query}");
        assert!(peak_memory() < MOST_MEMORY, "{query}: {} KiB", peak_memory() / 1024);
        let received = match r.headers().get("x-request-length") {
            Some(received) => received.parse().unwrap(),
            None => logged_by_apache(lab, &query),
        };
        // With the head, and what chunks or TLS add.
        assert!((LENGTH..LENGTH + LENGTH / 50).contains(&received), "{query}: {received}");
    }
}

/// How many bytes Apache received for a request; it writes that down after it has answered.
fn logged_by_apache(lab: &Lab, query: &str) -> u64 {
    let path = lab.state_dir().join("log/apache.access.log");
    let part = format!("?{query} HTTP/1.1\" 200 ");
    let received = || {
        let log = std::fs::read_to_string(&path).unwrap();
        let (_, rest) = log.split_once(&part)?;
        rest.split(' ').next()?.parse().ok()
    };
    until("the request is in the log", || received().is_some());
    received().unwrap()
}

fn a_file_goes_up(door: Door) {
    let file: File = tempfile::tempfile().unwrap();
    file.set_len(LENGTH).unwrap(); // It takes no room on the disk.
    assert_sent(door, "file", || {
        (&file).rewind().unwrap();
        file.try_clone().unwrap().into()
    });
}

fn zeros() -> Body {
    Body::reader(std::io::repeat(0).take(LENGTH))
}

fn a_reader_of_known_length_goes_up(door: Door) {
    assert_sent(door, "reader", || zeros().with_length(LENGTH));
}

fn a_reader_goes_up_in_chunks(door: Door) {
    assert_sent(door, "chunks", zeros);
}
