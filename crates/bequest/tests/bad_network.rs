//! A network that loses packets, and a name server that never answers. Loopback can't show that:
//! this program runs itself in network namespaces of the kit. `harness = false`, since threads can't
//! be moved to another namespace.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.
#![allow(clippy::print_stdout)] // This is a program that reports.

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{CancelToken, Error, ErrorKind, Phase, Request, Timeout};
use support::{Client, DOORS, Door, get, namespaces, post, until};
use testbed::{Lab, Testbed};

const ROLE: &str = "BEQUEST_TEST_BAD_NETWORK";
const SERVER: &str = "BEQUEST_TEST_BAD_NETWORK_SERVER";
/// What is lost of the packets, in each direction, in percent.
const LOSS: &str = "5";

type Check = fn(Door, &str);
const NAMES: [Check; 2] = [a_name_server_that_never_answers, a_look_up_is_given_up];
const LOSSES: [Check; 3] =
    [kept_connections_arrive, own_connections_arrive, what_is_late_ends_in_time];

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("server") => return serve(),
        Ok("names") => return play(&NAMES),
        Ok("losses") => return play(&LOSSES),
        _ => {}
    }
    let Some(lab) = namespaces::start() else { return };
    let mut server = namespaces::inside(lab.var("NETNS_SERVER"));
    server.env(ROLE, "server").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = server.spawn().unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("http://192.0.2.2:{}", port.trim());
    let client = |role: &str| {
        let mut client = namespaces::inside(lab.var("NETNS"));
        assert!(client.env(ROLE, role).env(SERVER, &url).status().unwrap().success(), "{role}");
    };
    client("names");
    kit(&lab, &["loss", LOSS]);
    client("losses");
    kit(&lab, &["clear"]);
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
    println!("{} checks passed, each through every door", NAMES.len() + LOSSES.len());
}

fn kit(lab: &Lab, arguments: &[&str]) {
    let mut kit = Command::new(lab.var("NETNS_KIT"));
    let kit = kit.args(arguments).env("KIT_BASE", lab.var("NETNS_KIT_BASE"));
    assert!(kit.status().unwrap().success(), "{arguments:?}");
}

fn play(checks: &[Check]) {
    let url = std::env::var(SERVER).unwrap();
    for &door in DOORS {
        for check in checks {
            check(door, &url);
        }
    }
}

/// Leads others to the testbed, which listens on loopback alone, until nobody wants it any more.
fn serve() {
    let testbed = Testbed::start();
    let (listener, to) = (TcpListener::bind("0.0.0.0:0").unwrap(), testbed.addr());
    println!("{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for from in listener.incoming() {
            thread::spawn(move || relay(&from?, to));
        }
    });
    let _ = std::io::stdin().read(&mut [0]);
}

fn relay(from: &TcpStream, to: SocketAddr) -> std::io::Result<()> {
    let to = TcpStream::connect(to)?;
    for stream in [from, &to] {
        stream.set_nodelay(true)?;
    }
    let (mut back_from, mut back_to) = (to.try_clone()?, from.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut back_from, &mut back_to);
        back_to.shutdown(std::net::Shutdown::Both)
    });
    let _ = std::io::copy(&mut &*from, &mut &to);
    to.shutdown(std::net::Shutdown::Both)
}

/// The error of a request that ends at its limit: not before, and not much later.
#[track_caller]
fn late(s: &Client, request: Request, limit: Duration) -> Error {
    let start = Instant::now();
    let error = s.send(request).map(|reply| reply.status()).unwrap_err();
    let took = start.elapsed();
    assert!(took >= limit && took < Duration::from_millis(1500), "{error} after {took:?}");
    error
}

/// The system's resolver waits for it, for ten seconds.
fn a_name_server_that_never_answers(door: Door, _: &str) {
    let limit = Duration::from_millis(300);
    for (timeout, kind) in [
        (Timeout::new().connect(limit), ErrorKind::ConnectTimeout),
        (Timeout::new().total(limit), ErrorKind::Deadline),
    ] {
        let s = door.session();
        let error = late(&s, get("http://nobody.example/").timeout(timeout), limit);
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Resolve)), "{error}");
        assert_eq!(s.stats().in_use, 0);
    }
}

/// How many sockets of this namespace ask a name server (proc_net(5)); those of look-ups that were
/// given up do so for ten seconds.
fn look_ups() -> usize {
    let table = std::fs::read_to_string("/proc/self/net/udp").unwrap();
    let asked = table.lines().filter_map(|line| line.split_whitespace().nth(2));
    asked.filter(|address| address.ends_with(":0035")).count()
}

fn a_look_up_is_given_up(door: Door, _: &str) {
    let (s, token, before) = (door.session(), CancelToken::new(), look_ups());
    let request = get("http://nobody.example/").cancel_with(&token);
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            until("the name server is asked", || look_ups() > before);
            token.cancel();
        });
        late(&s, request, Duration::ZERO)
    });
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Cancelled, Some(Phase::Resolve)));
}

/// What the kernel of this namespace has sent once more.
fn sent_again() -> u64 {
    let table = std::fs::read_to_string("/proc/self/net/snmp").unwrap();
    let mut lines = table.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let mut pairs = names.split(' ').zip(values.split(' '));
    pairs.find(|(name, _)| *name == "RetransSegs").unwrap().1.parse().unwrap()
}

/// Has ten threads make so many requests each; how many came to a good end. A bad one is a timeout,
/// and none of the others.
#[track_caller]
fn tally(each: usize, request: impl Fn(usize) -> Result<(), Error> + Sync) -> usize {
    let (good, before) = (AtomicUsize::new(0), sent_again());
    thread::scope(|scope| {
        for number in 0..10 {
            let (request, good) = (&request, &good);
            scope.spawn(move || {
                for nth in 0..each {
                    match request(number * each + nth) {
                        Ok(()) => drop(good.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => assert!(error.is_timeout(), "{error}"),
                    }
                }
            });
        }
    });
    assert!(sent_again() > before, "no packet was lost");
    good.into_inner()
}

/// More patience than four losses of the same packet ask for.
fn patient() -> Timeout {
    Timeout::new().connect(Duration::from_secs(20)).read(Duration::from_secs(20))
}

fn kept_connections_arrive(door: Door, url: &str) {
    let s = door.session();
    let good = tally(100, |number| {
        let length = 100 + number;
        let reply = s.send(
            match number % 4 {
                0 => post(format!("{url}/post")).body(vec![b'x'; length]),
                _ => get(format!("{url}/big/{length}")),
            }
            .timeout(patient()),
        )?;
        let content = reply.content()?;
        match number % 4 {
            0 => assert!(content.len() > length && reply.ok()),
            _ => assert_eq!(content, testbed::pattern(length)),
        }
        Ok(())
    });
    assert!(good >= 990, "{good} of 1,000 have arrived");
    let stats = s.stats();
    assert_eq!((stats.requests, stats.in_use), (1000, 0), "{stats:?}");
    assert!(stats.opened <= 10 + (1000 - good as u64) + stats.replayed, "{stats:?}");
    println!("{door:?}: {good} of 1,000 requests on kept connections have arrived");
}

fn own_connections_arrive(door: Door, url: &str) {
    let start = Instant::now();
    let good = tally(5, |_| {
        let s = door.session();
        let reply = s.send(get(format!("{url}/big/20000")).timeout(patient()))?;
        assert_eq!(reply.content()?, testbed::pattern(20_000));
        Ok(())
    });
    assert!(good >= 48, "{good} of 50 have arrived");
    println!("{door:?}: {good} of 50 connections of their own, in {:?}", start.elapsed());
}

/// With less patience than one loss asks for, each request ends: well, or with its timeout.
fn what_is_late_ends_in_time(door: Door, url: &str) {
    let (s, limit) = (door.session(), Duration::from_millis(150));
    let good = tally(20, |number| {
        let start = Instant::now();
        let timeout = Timeout::new().total(limit);
        let sent = s.send(get(format!("{url}/big/{}", 50_000 + number)).timeout(timeout));
        let content = sent.and_then(|reply| reply.content());
        let took = start.elapsed();
        assert!(took < Duration::from_millis(1500), "{took:?}");
        match content {
            Ok(content) => {
                assert_eq!(content, testbed::pattern(50_000 + number));
                Ok(())
            }
            Err(error) => {
                assert!(took >= limit, "{error} after {took:?}");
                assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
                Err(error)
            }
        }
    });
    assert!(good > 0, "none has arrived");
    assert_eq!(s.stats().in_use, 0, "{:?}", s.stats());
    println!("{door:?}: {good} of 200 within {limit:?}");
}
