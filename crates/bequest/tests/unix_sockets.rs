//! Requests over Unix sockets: what the URL still means, and that no redirect leads to one.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{Error, ErrorKind, Phase, Proxies, SendOptions, Session, Timeout};
use support::{Client, Door, doors, get, post};
use tempfile::TempDir;
use testbed::{Lab, Server, Testbed};

doors![
    requests_go_over_it,
    a_request_wins_over_the_session,
    connections_are_kept_by_socket,
    no_proxy_leads_there,
    #[cfg_attr(not(feature = "tls"), ignore = "there is no TLS")]
    tls_goes_by_the_urls_name,
    a_redirect_within_the_origin_stays,
    a_redirect_to_another_origin_leaves,
    what_was_not_followed_leaves_when_it_is_sent,
    sockets_that_are_none,
    #[cfg_attr(not(target_os = "linux"), ignore = "other systems refuse at once")]
    a_full_queue_is_waited_for,
    #[cfg_attr(not(target_os = "linux"), ignore = "only Linux has them")]
    abstract_names,
    nginx_listens_on_sockets,
];

/// What leads from a Unix socket to a server on TCP.
struct Relay {
    folder: TempDir,
    accepted: Arc<AtomicUsize>,
}

impl Relay {
    fn to(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let accepted = Arc::<AtomicUsize>::default();
        relay(listener, server, Arc::clone(&accepted));
        Self { folder, accepted }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
}

fn relay(listener: UnixListener, server: SocketAddr, accepted: Arc<AtomicUsize>) {
    thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), TcpStream::connect(server).unwrap());
            accepted.fetch_add(1, Ordering::Relaxed);
            let (mut near_in, mut far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || {
                let _ = io::copy(&mut near_in, &mut far_out);
                let _ = far_out.shutdown(Shutdown::Write);
            });
            let (mut far_in, mut near_out): (TcpStream, UnixStream) = (far, near);
            thread::spawn(move || {
                let _ = io::copy(&mut far_in, &mut near_out);
                let _ = near_out.shutdown(Shutdown::Write);
            });
        }
    });
}

fn with(door: Door, path: impl Into<PathBuf>) -> Client {
    let mut s = door.session();
    *s.unix_socket() = Some(path.into());
    s
}

fn requests_go_over_it(door: Door) {
    let server = Testbed::start();
    let relay = Relay::to(server.addr());
    let s = with(door, relay.path());
    let url = "http://nobody.invalid/anything";
    let r = s.send(post(url).body("body")).unwrap();
    assert_eq!(r.remote_addr(), None);
    assert!(r.timings().connect.is_some());
    assert_eq!(r.url().as_str(), url);
    assert_eq!(r.json().unwrap()["data"], "body");
    assert_eq!(server.requests()[0].header("host"), Some("nobody.invalid"));
    // Without a session that says so, and for a large body.
    let sent = "x".repeat(3 << 20);
    let r = door.send(post(url).unix_socket(relay.path()).body(sent.clone())).unwrap();
    assert_eq!(r.json().unwrap()["data"], sent);
    // As it is sent.
    let prepared = door.session().prepare(get(url)).unwrap();
    let options = SendOptions::new().unix_socket(relay.path());
    assert_eq!(door.session().send_prepared(prepared, options).unwrap().status(), 200);
    assert_eq!(relay.accepted(), 3);
}

fn a_request_wins_over_the_session(door: Door) {
    let server = Testbed::start();
    let relay = Relay::to(server.addr());
    let s = with(door, "/nowhere/at/all");
    let url = "http://nobody.invalid/get";
    assert_eq!(s.send(get(url).unix_socket(relay.path())).unwrap().status(), 200);
    assert_eq!(s.send(get(url)).unwrap_err().kind(), ErrorKind::Connect);
}

fn connections_are_kept_by_socket(door: Door) {
    let server = Testbed::start();
    let (one, two) = (Relay::to(server.addr()), Relay::to(server.addr()));
    let s = door.session();
    let url = server.url("/get");
    for _ in 0..3 {
        s.send(get(&url).unix_socket(one.path())).unwrap();
        s.send(get(&url).unix_socket(two.path())).unwrap();
        s.send(get(&url)).unwrap();
    }
    assert_eq!((one.accepted(), two.accepted(), server.connections()), (1, 1, 3));
    s.send(get("http://other.invalid/get").unix_socket(one.path())).unwrap();
    assert_eq!(one.accepted(), 2, "another origin has connections of its own");
}

fn no_proxy_leads_there(door: Door) {
    let server = Testbed::start();
    let relay = Relay::to(server.addr());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut s = with(door, relay.path());
    *s.proxies() = Proxies::new().all(format!("http://{closed}")).unwrap();
    let request = get("http://nobody.invalid/get").header("Proxy-Authorization", "secret");
    assert_eq!(s.send(request).unwrap().status(), 200);
    assert_eq!(server.requests()[0].header("proxy-authorization"), None);
}

fn tls_goes_by_the_urls_name(door: Door) {
    let server = Testbed::start();
    let relay = Relay::to(server.https_addr());
    let s = with(door, relay.path());
    let r = s.send(get("https://localhost/get").verify(server.ca_file())).unwrap();
    assert_eq!((r.status().as_u16(), r.remote_addr()), (200, None));
    assert!(r.timings().tls.is_some() && server.requests()[0].secure);
    let error = s.send(get("https://nobody.invalid/get").verify(server.ca_file())).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Some(Phase::Tls)), "{error}");
}

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

fn led(to: &str, status: u16) -> bequest::Request {
    let params = [("url", to), ("status_code", &status.to_string())];
    get("http://first.invalid/redirect-to").params(params)
}

fn a_redirect_within_the_origin_stays(door: Door) {
    let server = Testbed::start();
    let relay = Relay::to(server.addr());
    let s = with(door, relay.path());
    for status in STATUSES {
        let r = s.send(led("/get", status)).unwrap();
        assert_eq!((r.history().len(), r.remote_addr()), (1, None), "{status}");
        assert_eq!(r.url().as_str(), "http://first.invalid/get");
    }
    assert_eq!(relay.accepted(), 1);
}

/// A server can send the client wherever it likes; but what listens on a Unix socket has not asked
/// for what strangers say.
fn a_redirect_to_another_origin_leaves(door: Door) {
    let (server, other) = (Testbed::start(), Testbed::start());
    let relay = Relay::to(server.addr());
    let by_session = with(door, relay.path());
    let by_request = door.session();
    for status in STATUSES {
        let send = |to: &str| {
            let both = [by_session.send(led(to, status)), {
                by_request.send(led(to, status).unix_socket(relay.path()))
            }];
            both.into_iter()
        };
        for r in send(&other.url("/get")) {
            let r = r.unwrap();
            assert_eq!((r.history().len(), r.remote_addr()), (1, Some(other.addr())), "{status}");
            assert_eq!(r.history()[0].remote_addr(), None);
        }
        // Another port of the same name, or another name, is another origin.
        for to in ["http://first.invalid:81/get", "http://second.invalid/get"] {
            for r in send(to) {
                assert_eq!(r.unwrap_err().kind(), ErrorKind::Resolve, "{status} to {to}");
            }
        }
        // Nor does the way back lead there.
        let home = "http://first.invalid/get";
        let away = format!("{}?url={home}", other.url("/redirect-to"));
        for r in send(&away) {
            assert_eq!(r.unwrap_err().kind(), ErrorKind::Resolve, "{status}");
        }
    }
    let seen = server.requests();
    assert!(seen.iter().all(|request| request.target.starts_with("/redirect-to?")), "{seen:?}");
}

fn what_was_not_followed_leaves_when_it_is_sent(door: Door) {
    let (server, other) = (Testbed::start(), Testbed::start());
    let relay = Relay::to(server.addr());
    let s = with(door, relay.path());
    let next = |to: &str| {
        let r = s.send(led(to, 302).allow_redirects(false)).unwrap();
        r.next_request().unwrap().unwrap()
    };
    let r = s.send_prepared(next(&other.url("/get")), SendOptions::new()).unwrap();
    assert_eq!(r.remote_addr(), Some(other.addr()));
    let r = s.send_prepared(next("/get"), SendOptions::new()).unwrap();
    assert_eq!(r.remote_addr(), None);
}

#[track_caller]
fn unconnected(result: bequest::Result<support::Reply>, says: &str) -> Error {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Some(Phase::Connect(None))));
    assert!(error.to_string().contains(says), "{error}");
    error
}

fn sockets_that_are_none(door: Door) {
    let folder = tempfile::tempdir().unwrap();
    let send = |path: &Path| door.send(get("http://nobody.invalid/").unix_socket(path));
    let missing = folder.path().join("missing");
    let error = unconnected(send(&missing), "No such file");
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    let stale = folder.path().join("stale");
    drop(UnixListener::bind(&stale).unwrap());
    unconnected(send(&stale), "refused");
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    unconnected(send(&file), "refused");
    let long = folder.path().join("x".repeat(200));
    unconnected(send(&long), "File name too long");
    unconnected(send(Path::new("a\0b")), "a\\0b");
    unconnected(send(Path::new("")), "Unix socket \"\"");
}

fn a_full_queue_is_waited_for(door: Door) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    let request = || get("http://nobody.invalid/get").unix_socket(&path);
    let limit = Duration::from_millis(100);
    for (timeout, kind) in [
        (Timeout::new().connect(limit), ErrorKind::ConnectTimeout),
        (Timeout::new().total(limit), ErrorKind::Deadline),
    ] {
        let start = Instant::now();
        let error = door.send(request().timeout(timeout)).unwrap_err();
        let took = start.elapsed();
        assert!(took >= limit && took < Duration::from_millis(1500), "{took:?}");
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Connect(None))), "{error}");
    }
    // As soon as there is room it goes on.
    let server = Testbed::start();
    thread::scope(|scope| {
        let asked = scope.spawn(|| door.send(request()).unwrap().status());
        relay(listener, server.addr(), Arc::default());
        assert_eq!(asked.join().unwrap(), 200);
    });
}

#[cfg(target_os = "linux")]
fn abstract_names(door: Door) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr as UnixAddr;

    let server = Testbed::start();
    let name = format!("bequest-test-{door:?}-{}", std::process::id());
    let address = UnixAddr::from_abstract_name(&name).unwrap();
    relay(UnixListener::bind_addr(&address).unwrap(), server.addr(), Arc::default());
    let s = with(door, format!("\0{name}"));
    assert_eq!(s.send(get("http://nobody.invalid/get")).unwrap().status(), 200);
    let error =
        unconnected(with(door, "\0nobody's").send(get("http://nobody.invalid/")), "refused");
    assert!(error.to_string().contains("\\0nobody"), "{error}");
}

#[cfg(not(target_os = "linux"))]
fn abstract_names(_: Door) {}

/// A real server, which makes URLs of Host where it redirects.
fn nginx_listens_on_sockets(door: Door) {
    let lab = Lab::shared(&[Server::Nginx]);
    let s = with(door, lab.var("NGINX_SOCKET"));
    let seen = s.send(get("http://nginx.invalid/whoami")).unwrap().json().unwrap();
    assert_eq!(seen["host"], "nginx.invalid");
    let r = s.send(get("http://nginx.invalid/redirect/301")).unwrap();
    assert_eq!((r.url().as_str(), r.remote_addr()), ("http://nginx.invalid/whoami", None));
    assert_eq!(r.json().unwrap()["requests_on_connection"], 3);
    let big = s.send(get("http://nginx.invalid/big.bin")).unwrap().content().unwrap();
    assert_eq!(big.len(), 64 << 20);
    if cfg!(feature = "tls") {
        let s = with(door, lab.var("NGINX_TLS_SOCKET"));
        let r = s.send(get("https://localhost/whoami").verify(lab.ca_file())).unwrap();
        let seen = r.json().unwrap();
        assert_eq!((&seen["sni"], &seen["host"]), (&"localhost".into(), &"localhost".into()));
        let error = s.send(get("https://nginx.invalid/").verify(lab.ca_file())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
    }
}

#[test]
fn a_blocking_session_without_a_runtime_needs_no_host() {
    let server = Testbed::start();
    let relay = Relay::to(server.addr());
    let mut s = Session::new();
    s.unix_socket = Some(relay.path());
    // A name that no resolver would take, and an address that nobody has.
    for url in ["http://0.0.0.0/get", "http://[2001:db8::1]/get", "http://a..b/get"] {
        assert_eq!(s.get(url).send().unwrap().status(), 200, "{url}");
    }
}
