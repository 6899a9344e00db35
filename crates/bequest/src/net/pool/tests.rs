use std::net::{SocketAddr, TcpListener, TcpStream};

use super::super::sockets::Sockets;
use super::super::tls::Verify;
use super::*;
use crate::error::Phase;
use crate::reactor::block_on;
use crate::timings::Stopwatch;

const LIMITS: PoolLimits =
    PoolLimits { origins: 2, idle: 2, block: false, keep: Duration::from_secs(60) };
/// Longer than a connection goes unchecked.
const LATER: Duration = Duration::from_secs(1);

struct Server {
    listener: TcpListener,
    address: SocketAddr,
    host: String,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address, host: address.ip().to_string() }
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            host: &self.host,
            port: self.address.port(),
            zone: None,
            tls: None,
            route: None,
            unix_socket: None,
        }
    }

    fn open(&self, vacancy: Vacancy) -> (Box<Connection>, TcpStream) {
        let (sockets, now) = (Sockets::default(), Instant::now());
        let proxy_tls = &Arc::default();
        let watch = Stopwatch::start(Phase::Prepare, now);
        let mut dialing =
            Dialing { sockets: &sockets, proxy_tls, deadline: None, ends_early: false, watch };
        let dialed = vacancy.dial(self.origin(), &mut dialing);
        let dialed = block_on(async { dialed.await.map_err(|undialed| undialed.error) });
        (dialed.unwrap(), self.listener.accept().unwrap().0)
    }
}

fn local(connection: &mut Connection) -> String {
    format!("{:?}", rustix::net::getsockname(&*connection.stream.socket()).unwrap())
}

#[test]
fn the_last_used_goes_out_first_and_the_oldest_makes_room() {
    let (pool, server) = (Pool::new(LIMITS), Server::new());
    let mut now = Instant::now();
    let mut opened: Vec<_> =
        (0..3).map(|_| server.open(pool.replay(server.origin(), None))).collect();
    let names: Vec<_> = opened.iter_mut().map(|(connection, _)| local(connection)).collect();
    let mut peers = Vec::new();
    for (connection, peer) in opened {
        pool.put(connection, now);
        peers.push(peer);
    }
    now += LATER;
    for expected in [&names[2], &names[1]] {
        let mut connection = pool.take(server.origin(), now, false).unwrap();
        assert_eq!(local(&mut connection), *expected);
    }
    assert!(pool.take(server.origin(), now, false).is_err(), "two are kept, and both are out");
}

#[test]
fn closed_old_and_dirty_connections_are_not_given_out() {
    let (pool, server) = (Pool::new(LIMITS), Server::new());
    let now = Instant::now();
    let put = || {
        let (connection, peer) = server.open(pool.replay(server.origin(), None));
        pool.put(connection, now);
        peer
    };
    drop(put());
    assert!(pool.take(server.origin(), now + LATER, false).is_err(), "closed by the server");
    let mut peer = put();
    std::io::Write::write_all(&mut peer, b"?").unwrap();
    assert!(
        pool.take(server.origin(), now + LATER, false).is_err(),
        "with bytes that nobody asked for"
    );
    let _peer = put();
    assert!(
        pool.take(server.origin(), now + Duration::from_secs(61), false).is_err(),
        "idle too long"
    );
    let _peer = put();
    assert!(pool.take(server.origin(), now + LATER, false).is_ok());
    let (mut connection, _peer) = server.open(pool.replay(server.origin(), None));
    connection.server_keeps = Some(Duration::from_millis(500));
    pool.put(connection, now);
    assert!(
        pool.take(server.origin(), now + LATER, false).is_err(),
        "longer than the server keeps it"
    );
}

#[test]
fn origins_are_apart_and_the_least_used_makes_room() {
    let pool = Pool::new(LIMITS);
    let servers: Vec<_> = (0..3).map(|_| Server::new()).collect();
    let now = Instant::now();
    let mut peers = Vec::new();
    for server in &servers {
        let (connection, peer) = server.open(pool.replay(server.origin(), None));
        pool.put(connection, now);
        peers.push(peer);
    }
    let (verify, options) = (Verify::No, Arc::default());
    let tls = Some(TlsSettings { verify: &verify, identity: None, options: &options });
    let secure = Origin { tls, ..servers[2].origin() };
    assert!(pool.take(secure, now, false).is_err(), "the same port, but with TLS");
    assert!(pool.take(servers[2].origin(), now, false).is_ok());
    assert!(pool.take(servers[1].origin(), now, false).is_ok());
    assert!(pool.take(servers[0].origin(), now, false).is_err(), "two origins are kept");
}

#[test]
fn what_was_open_at_close_is_not_taken_back() {
    let (pool, server) = (Pool::new(LIMITS), Server::new());
    let now = Instant::now();
    let (connection, _peer) = server.open(pool.replay(server.origin(), None));
    pool.close();
    pool.put(connection, now);
    assert!(pool.take(server.origin(), now, false).is_err());
    let (connection, _peer) = server.open(pool.replay(server.origin(), None));
    pool.put(connection, now);
    assert!(pool.take(server.origin(), now, false).is_ok());
}

#[test]
fn what_idles_too_long_is_closed_though_nobody_asks_for_it() {
    let pool = Pool::new(LIMITS);
    let (asked, forgotten) = (Server::new(), Server::new());
    let mut now = Instant::now();
    let mut peers = Vec::new();
    for server in [&forgotten, &forgotten, &asked] {
        let (connection, peer) = server.open(pool.replay(server.origin(), None));
        pool.put(connection, now);
        peers.push(peer);
    }
    now += Duration::from_secs(61);
    let (connection, _peer) = asked.open(pool.replay(asked.origin(), None));
    pool.put(connection, now);
    for mut peer in peers {
        let read = std::io::Read::read(&mut peer, &mut [0; 1]);
        assert_eq!(read.unwrap(), 0, "closed by the pool");
    }
    assert!(pool.take(asked.origin(), now, false).is_ok());
}
