//! Where names lead: resolvers, overrides, address families.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use bequest::{
    AddressFamily, Error, ErrorKind, HttpAdapter, Phase, Resolver, Result, SystemResolver, Timeout,
};
use support::{Client, Door, doors, get};
use testbed::Testbed;

doors![
    a_resolver_is_asked_for_each_connection,
    a_resolver_is_left_behind_at_the_deadline,
    what_a_resolver_fails_with,
    a_resolvers_panic_is_the_callers,
    a_resolver_is_not_asked_for_what_is_known,
    addresses_can_be_refused,
    names_are_overridden,
    overrides_hold_for_their_port,
    several_addresses_of_an_override_are_tried,
    overrides_win_over_what_is_known,
    families_are_chosen,
    the_systems_resolver_is_one,
];

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn with(door: Door, adapter: HttpAdapter) -> Client {
    let mut s = door.session();
    s.mount("http://", adapter.clone());
    s.mount("https://", adapter);
    s
}

fn resolved_by(door: Door, resolver: impl Resolver) -> Client {
    with(door, HttpAdapter::new().resolver(resolver))
}

fn at(name: &str, server: &Testbed) -> String {
    format!("http://{name}:{}/get", server.addr().port())
}

/// A port that refuses connections.
fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What a resolver was asked, and where.
type Asked = Arc<Mutex<Vec<(String, ThreadId)>>>;

fn noting(asked: &Asked) -> impl Fn(&str) -> Result<Vec<IpAddr>> + Send + Sync + 'static {
    let asked = Arc::clone(asked);
    move |host: &str| {
        asked.lock().unwrap().push((host.to_owned(), thread::current().id()));
        Ok(vec![HERE])
    }
}

fn a_resolver_is_asked_for_each_connection(door: Door) {
    let server = Testbed::start();
    let asked = Asked::default();
    let s = resolved_by(door, noting(&asked));
    for _ in 0..3 {
        let r = s.send(get(at("One.example", &server))).unwrap();
        assert_eq!(r.remote_addr(), Some(server.addr()));
    }
    let host = format!("one.example:{}", server.addr().port());
    assert_eq!(server.requests()[0].header("host"), Some(&host[..]));
    s.close();
    s.send(get(at("one.example", &server)).timeout(Duration::from_secs(5))).unwrap();
    s.send(get(at("two.example.", &server))).unwrap();
    let asked = asked.lock().unwrap();
    let names: Vec<&str> = asked.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["one.example", "one.example", "two.example."]);
    if door == Door::Blocking {
        let own: Vec<bool> = asked.iter().map(|(_, id)| *id == thread::current().id()).collect();
        assert_eq!(own, [true, false, true], "only who gives up waiting has somebody else ask");
    }
}

fn a_resolver_is_left_behind_at_the_deadline(door: Door) {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let s = resolved_by(door, move |_: &str| {
        let _ = released.lock().unwrap().recv();
        Ok(vec![])
    });
    let limit = Duration::from_millis(100);
    for (timeout, kind) in [
        (Timeout::new().connect(limit), ErrorKind::ConnectTimeout),
        (Timeout::new().total(limit), ErrorKind::Deadline),
    ] {
        let start = Instant::now();
        let error = s.send(get("http://one.example/").timeout(timeout)).unwrap_err();
        let took = start.elapsed();
        assert!(took >= limit && took < Duration::from_millis(1500), "{took:?}");
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Resolve)), "{error}");
    }
    drop(release);
}

fn what_a_resolver_fails_with(door: Door) {
    for timeout in [None, Some(Duration::from_secs(5))] {
        let failure = |resolver: fn(&str) -> Result<Vec<IpAddr>>| {
            let s = resolved_by(door, resolver);
            let error = s.send(get("http://one.example/").timeout(timeout)).unwrap_err();
            assert_eq!((error.kind(), error.phase()), (ErrorKind::Resolve, Some(Phase::Resolve)));
            error.to_string()
        };
        let own = failure(|_| Err(Error::other("the moon is in the way")));
        assert!(own.contains("`one.example`") && own.contains("the moon is in the way"), "{own}");
        let none = failure(|_| Ok(vec![]));
        assert!(none.contains("no address for `one.example`"), "{none}");
    }
}

fn a_resolvers_panic_is_the_callers(door: Door) {
    for timeout in [None, Some(Duration::from_secs(5))] {
        let s = resolved_by(door, |_: &str| panic!("broken"));
        let send = || drop(s.send(get("http://one.example/").timeout(timeout)));
        let cause = catch_unwind(AssertUnwindSafe(send)).unwrap_err();
        assert_eq!(cause.downcast_ref::<&str>(), Some(&"broken"));
    }
}

fn a_resolver_is_not_asked_for_what_is_known(door: Door) {
    let server = Testbed::start();
    let asked = Asked::default();
    let s = resolved_by(door, noting(&asked));
    for name in ["127.0.0.1", "localhost", "one.localhost"] {
        s.send(get(at(name, &server))).unwrap();
    }
    assert!(asked.lock().unwrap().is_empty());
}

/// Gives two addresses, and refuses some.
struct Choosy(fn(IpAddr) -> bool);

impl Resolver for Choosy {
    fn resolve(&self, _: &str) -> Result<Vec<IpAddr>> {
        Ok(vec![Ipv6Addr::LOCALHOST.into(), HERE])
    }

    fn check(&self, address: IpAddr) -> Result<()> {
        if self.0(address) { Ok(()) } else { Err(Error::other("not that way")) }
    }
}

fn addresses_can_be_refused(door: Door) {
    let server = Testbed::start();
    let s = resolved_by(door, Choosy(|address| address.is_ipv4()));
    assert_eq!(s.send(get(at("one.example", &server))).unwrap().remote_addr(), Some(server.addr()));
    let s = resolved_by(door, Choosy(|_| false));
    // What a URL spells out is refused, too, however it is spelt.
    for name in ["one.example", "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "localhost"] {
        let error = s.send(get(at(name, &server))).unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Resolve, Some(Phase::Resolve)));
        let text = error.to_string();
        assert!(text.contains("refused") && text.contains("not that way"), "{text}");
    }
    assert_eq!(server.connections(), 1);
}

fn names_are_overridden(door: Door) {
    let server = Testbed::start();
    let adapter = HttpAdapter::new()
        .resolve("one.example", HERE)
        .unwrap()
        .resolve("TWO.example.", server.addr())
        .unwrap()
        .resolve("bücher.example", [127, 0, 0, 1])
        .unwrap()
        .resolver(|host: &str| Err(Error::other(host.to_owned())));
    let s = with(door, adapter);
    let port = server.addr().port();
    for (url, host) in [
        (format!("http://one.example:{port}/get"), format!("one.example:{port}")),
        ("http://two.example/get".into(), "two.example".into()),
        ("http://two.example.:81/get".into(), "two.example.:81".into()),
        (
            format!("http://xn--bcher-kva.example:{port}/get"),
            format!("xn--bcher-kva.example:{port}"),
        ),
    ] {
        let r = s.send(get(&url)).unwrap();
        assert_eq!(r.remote_addr(), Some(server.addr()), "{url}");
        assert_eq!(server.requests().last().unwrap().header("host"), Some(&host[..]), "{url}");
    }
    let error = s.send(get("http://below.one.example/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
    for wrong in ["", "a b", "http://one.example", "one.example/", "one.example:port", "::1"] {
        let error = HttpAdapter::new().resolve(wrong, HERE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{wrong}");
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

fn overrides_hold_for_their_port(door: Door) {
    let (server, other) = (Testbed::start(), Testbed::start());
    let adapter = HttpAdapter::new()
        .resolve("one.example:8080", server.addr())
        .unwrap()
        .resolve("one.example:80", other.addr())
        .unwrap();
    let s = with(door, adapter);
    for (url, addr) in
        [("http://one.example:8080/get", server.addr()), ("http://one.example/get", other.addr())]
    {
        assert_eq!(s.send(get(url)).unwrap().remote_addr(), Some(addr), "{url}");
    }
}

fn several_addresses_of_an_override_are_tried(door: Door) {
    let server = Testbed::start();
    let dead = closed();
    let adapter = HttpAdapter::new().resolve("one.example", dead).unwrap();
    let error = with(door, adapter.clone()).send(get("http://one.example/get")).unwrap_err();
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Connect, Some(Phase::Connect(Some(dead))))
    );
    let s = with(door, adapter.resolve("one.example", server.addr()).unwrap());
    let r = s.send(get("http://one.example/get")).unwrap();
    assert_eq!(r.remote_addr(), Some(server.addr()));
}

fn overrides_win_over_what_is_known(door: Door) {
    let server = Testbed::start();
    for host in ["localhost", "a.localhost", "192.0.2.1", "[2001:db8::1]"] {
        let s = with(door, HttpAdapter::new().resolve(host, server.addr()).unwrap());
        let r = s.send(get(format!("http://{host}/get"))).unwrap();
        assert_eq!(r.remote_addr(), Some(server.addr()), "{host}");
    }
}

fn families_are_chosen(door: Door) {
    let server = Testbed::start();
    let of = |family| with(door, HttpAdapter::new().address_family(family));
    let r = of(AddressFamily::Ipv4).send(get(at("localhost", &server))).unwrap();
    assert_eq!(r.remote_addr(), Some(server.addr()));
    let failure = |family, host| of(family).send(get(at(host, &server))).unwrap_err();
    // Only ::1 is tried, and nothing listens there.
    let error = failure(AddressFamily::Ipv6, "localhost");
    let v6 = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), server.addr().port());
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Some(Phase::Connect(Some(v6)))));
    for (family, host) in [(AddressFamily::Ipv6, "127.0.0.1"), (AddressFamily::Ipv4, "[::1]")] {
        let error = failure(family, host);
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Resolve, Some(Phase::Resolve)));
        assert!(error.to_string().contains("address_family"), "{error}");
    }
}

fn the_systems_resolver_is_one(door: Door) {
    let error = resolved_by(door, SystemResolver).send(get("http://one.invalid/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
    assert_eq!(SystemResolver.resolve("127.0.0.1").unwrap(), [HERE]);
}

/// One that awaits is not asked the blocking way.
#[cfg(feature = "async")]
#[test]
fn an_async_resolver_awaits() {
    struct Patient(Testbed);

    impl Resolver for Patient {
        fn resolve(&self, _: &str) -> Result<Vec<IpAddr>> {
            panic!("this one awaits")
        }

        fn resolve_async(
            self: Arc<Self>,
            host: String,
        ) -> bequest::BoxFuture<'static, Result<Vec<IpAddr>>> {
            Box::pin(async move {
                let s = bequest::aio::Session::new();
                s.get(self.0.url("/get")).params([("name", host)]).send().await?;
                Ok(vec![HERE])
            })
        }
    }

    let server = Testbed::start();
    let names = Testbed::start();
    let s = resolved_by(Door::Aio, Patient(names));
    assert_eq!(s.send(get(at("one.example", &server))).unwrap().status(), 200);
    assert_eq!(server.requests().len(), 1);
}
