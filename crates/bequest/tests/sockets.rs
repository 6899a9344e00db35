//! What connections are made of: this machine's address, and probes.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bequest::{ErrorKind, HttpAdapter, Phase};
use support::{Client, Door, doors, get};
use testbed::Testbed;

doors![
    #[cfg_attr(not(target_os = "linux"), ignore = "only 127.0.0.1 is this machine's")]
    connections_come_from_the_local_address,
    a_local_address_that_is_not_ours,
    options_do_not_hinder,
];

fn with(door: Door, adapter: HttpAdapter) -> Client {
    let mut s = door.session();
    s.mount("http://", adapter.clone());
    s.mount("https://", adapter);
    s
}

fn connections_come_from_the_local_address(door: Door) {
    let server = Testbed::start();
    let s = with(door, HttpAdapter::new().local_address([127, 0, 0, 5]));
    // Of localhost's addresses, that of the other family can't be reached from there.
    for host in ["127.0.0.1", "localhost"] {
        let r = s.send(get(format!("http://{host}:{}/get", server.addr().port()))).unwrap();
        assert_eq!(r.json().unwrap()["origin"], "127.0.0.5");
        assert_eq!(r.remote_addr(), Some(server.addr()));
    }
}

fn a_local_address_that_is_not_ours(door: Door) {
    let server = Testbed::start();
    let failure = |local: IpAddr| {
        let s = with(door, HttpAdapter::new().local_address(local));
        s.send(get(server.url("/get"))).unwrap_err()
    };
    let error = failure(Ipv4Addr::new(192, 0, 2, 1).into());
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.phase(), Some(Phase::Connect(Some(server.addr()))));
    assert!(error.to_string().contains("from 192.0.2.1"), "{error}");
    let error = failure(Ipv6Addr::LOCALHOST.into());
    assert_eq!(error.kind(), ErrorKind::Resolve);
    assert!(error.to_string().contains("local_address"), "{error}");
    assert_eq!(server.connections(), 0);
}

fn options_do_not_hinder(door: Door) {
    let server = Testbed::start();
    let adapter = HttpAdapter::new().tcp_nodelay(false).tcp_keepalive(Duration::from_secs(30));
    let s = with(door, adapter.clone());
    for _ in 0..2 {
        assert_eq!(s.send(get(server.url("/get"))).unwrap().status(), 200);
    }
    assert_eq!(server.connections(), 1);
    // Connections of an adapter that is set another way are others.
    let s = with(door, adapter.tcp_keepalive(None));
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2);
}
