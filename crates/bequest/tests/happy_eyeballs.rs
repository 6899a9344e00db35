//! Hosts some of whose addresses drop or refuse what is sent to them (RFC 8305). Loopback can't show
//! that: this program runs itself in a network namespace of the kit.
//! `harness = false`, since threads can't be moved to another namespace.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.
#![allow(clippy::print_stdout)] // This is a program that reports.

mod support;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bequest::{AddressFamily, ErrorKind, HttpAdapter, Phase, Resolver, SystemResolver, Timeout};
use support::{Client, DOORS, Door, get, namespaces};

const ROLE: &str = "BEQUEST_TEST_HAPPY_EYEBALLS";
/// How long an address has to answer before the next one is tried as well.
const STAGGER: Duration = Duration::from_millis(250);

const CHECKS: [fn(Door); 6] = [
    a_good_host_costs_no_wait,
    a_dead_family_costs_one_wait,
    a_refusal_costs_none,
    each_dead_address_costs_one_wait,
    families_and_local_addresses_are_kept_to,
    dead_hosts_end_with_the_timeout,
];

fn main() {
    if std::env::var_os(ROLE).is_some() {
        return play();
    }
    let Some(lab) = namespaces::start() else { return };
    let mut client = namespaces::inside(lab.var("NETNS"));
    assert!(client.env(ROLE, "client").status().unwrap().success());
    println!("{} checks passed, each through every door", CHECKS.len());
}

fn play() {
    for &door in DOORS {
        for check in CHECKS {
            check(door);
        }
    }
}

fn with(door: Door, adapter: HttpAdapter) -> Client {
    let mut s = door.session();
    s.mount("http://", adapter);
    s
}

/// Where a request arrives, and how long that took.
fn reach(s: &Client, host: &str) -> (IpAddr, Duration) {
    let start = Instant::now();
    let r = s.send(get(format!("http://{host}/_conn"))).unwrap();
    let took = start.elapsed();
    assert_eq!(r.status(), 200, "{host}");
    (r.remote_addr().unwrap().ip(), took)
}

/// The request arrives at that address, after so many others have been waited for.
#[track_caller]
fn arrives(s: &Client, host: &str, at: &str, waits: u32) {
    let (address, took) = reach(s, host);
    assert_eq!(address, at.parse::<IpAddr>().unwrap(), "{host}");
    let waited = waits * STAGGER;
    assert!(took >= waited && took < waited + STAGGER, "{host}: {took:?} for {waits} waits");
}

fn a_good_host_costs_no_wait(door: Door) {
    for (host, at) in [("good.test", "2001:db8::2"), ("v4.test", "192.0.2.2")] {
        arrives(&door.session(), host, at, 0);
    }
}

fn a_dead_family_costs_one_wait(door: Door) {
    arrives(&door.session(), "v6dead.test", "192.0.2.2", 1);
    // The resolver's first choice is the good one.
    arrives(&door.session(), "v4dead.test", "2001:db8::2", 0);
}

fn a_refusal_costs_none(door: Door) {
    arrives(&door.session(), "v6refused.test", "192.0.2.2", 0);
}

/// The last of five is reached in five shares of time at most.
fn each_dead_address_costs_one_wait(door: Door) {
    let addresses = SystemResolver.resolve("manydead.test").unwrap();
    let good: IpAddr = [192, 0, 2, 200].into();
    assert_eq!((addresses.len(), addresses.last()), (5, Some(&good)), "{addresses:?}");
    arrives(&door.session(), "manydead.test", "192.0.2.200", 4);
    // A timeout is for all of them.
    let limit = Duration::from_millis(600);
    let start = Instant::now();
    let timeout = Timeout::new().connect(limit);
    let error = door.send(get("http://manydead.test/").timeout(timeout)).unwrap_err();
    let took = start.elapsed();
    assert!(took >= limit && took < Duration::from_millis(1500), "{took:?}");
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::ConnectTimeout, Some(Phase::Connect(None)))
    );
}

fn families_and_local_addresses_are_kept_to(door: Door) {
    let v4 = with(door, HttpAdapter::new().address_family(AddressFamily::Ipv4));
    arrives(&v4, "v6dead.test", "192.0.2.2", 0);
    arrives(&v4, "manydead.test", "192.0.2.200", 2);
    let local = with(door, HttpAdapter::new().local_address([192, 0, 2, 1]));
    arrives(&local, "manydead.test", "192.0.2.200", 2);
    let dead: SocketAddr = "[2001:db8::66]:80".parse().unwrap();
    let v6 = with(door, HttpAdapter::new().address_family(AddressFamily::Ipv6));
    let timeout = Timeout::new().connect(Duration::from_millis(100));
    let error = v6.send(get("http://v6dead.test/").timeout(timeout)).unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Connect(Some(dead))), "{error}");
}

fn dead_hosts_end_with_the_timeout(door: Door) {
    for host in ["dead.test", "unreachable.test"] {
        let limit = Duration::from_millis(400);
        let start = Instant::now();
        let timeout = Timeout::new().connect(limit);
        let error = door.send(get(format!("http://{host}/")).timeout(timeout)).unwrap_err();
        let took = start.elapsed();
        assert!(took >= limit && took < Duration::from_millis(1500), "{host}: {took:?}");
        assert_eq!(error.kind(), ErrorKind::ConnectTimeout, "{host}: {error}");
    }
}
