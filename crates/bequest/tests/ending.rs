//! Requests that are ended by others while they wait: by a token, and by closing the session.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::io::Read as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(feature = "async")]
use bequest::Auth;
use bequest::{
    Adapter, Body, BoxFuture, CancelToken, Error, ErrorKind, HttpAdapter, Phase, PreparedRequest,
    Request, Response, Retry, Settings, Timeout,
};
use support::{Client, Door, doors, full, get, post, until};
use testbed::{RawServer, Script, Testbed};

const SOON: Duration = Duration::from_millis(1500);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Who ends it.
#[derive(Clone, Copy, Debug)]
enum By {
    Token,
    Close,
}

const BOTH: [By; 2] = [By::Token, By::Close];

impl By {
    fn kind(self) -> ErrorKind {
        match self {
            Self::Token => ErrorKind::Cancelled,
            Self::Close => ErrorKind::Closed,
        }
    }
}

/// A session and a token, and what its requests end with.
struct Ending {
    by: By,
    client: Client,
    token: CancelToken,
}

impl Ending {
    fn new(door: Door, by: By) -> Self {
        Self { by, client: door.session(), token: CancelToken::new() }
    }

    fn request(&self, request: Request) -> Request {
        match self.by {
            By::Token => request.cancel_with(&self.token),
            By::Close => request,
        }
    }

    fn end(&self) {
        match self.by {
            By::Token => self.token.cancel(),
            By::Close => self.client.close(),
        }
    }

    /// The error of a request that is ended once it has `reached` where it is meant to wait.
    #[track_caller]
    fn error(&self, request: Request, reached: impl Fn() -> bool) -> Error {
        let request = self.request(request);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| self.client.send(request).map(|reply| reply.content()));
            until("the request waits", reached);
            self.ends(|| waiting.join().unwrap().unwrap_err())
        })
    }

    /// What `join` waits for is over soon after the end.
    #[track_caller]
    fn ends(&self, join: impl FnOnce() -> Error) -> Error {
        let start = Instant::now();
        self.end();
        let error = join();
        assert!(start.elapsed() < SOON, "{error} after {:?}", start.elapsed());
        assert_eq!(error.kind(), self.by.kind(), "{error}");
        assert!(!error.is_timeout() && error.url().is_some(), "{error}");
        error
    }
}

/// How many attempts to connect to that port are under way.
fn attempts(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let peer = format!(":{port:04X}");
    let is_attempt = |line: &&str| {
        let mut columns = line.split_whitespace().skip(2);
        // The peer, and SYN_SENT.
        columns.next().is_some_and(|to| to.ends_with(&peer)) && columns.next() == Some("02")
    };
    table.lines().filter(is_attempt).count()
}

/// The look-up goes on, for nobody.
fn while_looking_up(door: Door) {
    for by in BOTH {
        let (asked, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let hanging = {
            let (asked, release) = (Arc::clone(&asked), Arc::clone(&release));
            move |_: &str| {
                asked.wait();
                release.wait();
                Ok(vec![[127, 0, 0, 1].into()])
            }
        };
        let mut ending = Ending::new(door, by);
        ending.client.mount("http://", HttpAdapter::new().resolver(hanging));
        // Where nothing limits how long, the calling thread itself looks up.
        let request = get("http://hanging.test/").timeout(Duration::from_secs(60));
        let request = ending.request(request);
        let error = thread::scope(|scope| {
            let waiting = scope.spawn(|| ending.client.send(request).unwrap_err());
            asked.wait();
            ending.ends(|| waiting.join().unwrap())
        });
        assert_eq!(error.phase(), Some(Phase::Resolve), "{error}");
        release.wait();
    }
}

fn while_connecting(door: Door) {
    let (address, _full) = full::listener();
    let settled = attempts(address.port());
    for by in BOTH {
        for host in ["127.0.0.1", "localhost"] {
            let url = format!("http://{host}:{}/", address.port());
            let ending = Ending::new(door, by);
            let error = ending.error(get(&url), || attempts(address.port()) > settled);
            assert!(matches!(error.phase(), Some(Phase::Connect(_))), "{error}");
            assert!(error.timings().unwrap().connect.is_some());
            until("the attempt is over", || attempts(address.port()) == settled);
        }
    }
}

fn in_the_handshake(door: Door) {
    for by in BOTH {
        let server = RawServer::start(Script::new().wait_close());
        let url = format!("https://{}/", server.addr());
        let error = Ending::new(door, by).error(get(&url), || !server.received(0).is_empty());
        assert_eq!(error.phase(), Some(Phase::Tls), "{error}");
    }
}

fn while_sending(door: Door) {
    for by in BOTH {
        let bodies: [fn() -> Body; 2] =
            [|| vec![b'x'; 32 << 20].into(), || Body::reader(std::io::repeat(b'x').take(32 << 20))];
        for body in bodies {
            let server = RawServer::start(Script::new().read_head().stall());
            let request = post(server.url("/")).body(body());
            let error = Ending::new(door, by).error(request, || server.requests() == 1);
            assert_eq!(error.phase(), Some(Phase::Send), "{error}");
        }
    }
}

/// The server may have all of a request before its sender knows.
#[track_caller]
fn is_between_send_and_wait(error: &Error) {
    assert!(matches!(error.phase(), Some(Phase::Send | Phase::Wait)), "{error}");
    let timings = error.timings().unwrap();
    assert!(timings.send.or(timings.wait).is_some(), "{timings:?}");
}

fn while_waiting(door: Door) {
    for by in BOTH {
        for timeout in [Timeout::new(), Timeout::from(Duration::from_secs(60))] {
            let server =
                RawServer::sequence(vec![Script::new().read_head().stall(), Script::respond(OK)]);
            let ending = Ending::new(door, by);
            let request = get(server.url("/")).timeout(timeout);
            let error = ending.error(request, || server.requests() == 1);
            is_between_send_and_wait(&error);
            // Nothing was tried again, and later requests are not concerned.
            assert_eq!(server.connections(), 1);
            let reply = ending.client.send(get(server.url("/"))).unwrap();
            assert_eq!(reply.text().unwrap(), "ok");
            assert_eq!(server.connections(), 2);
        }
    }
}

/// A connection that was kept is no different.
fn while_waiting_on_a_kept_connection(door: Door) {
    for by in BOTH {
        let script = Script::new().read_head().send(OK).read_head().stall();
        let server = RawServer::sequence(vec![script, Script::respond(OK)]);
        let ending = Ending::new(door, by);
        assert_eq!(ending.client.send(get(server.url("/"))).unwrap().text().unwrap(), "ok");
        let error = ending.error(get(server.url("/")), || server.requests() == 2);
        is_between_send_and_wait(&error);
        assert_eq!(server.connections(), 1);
    }
}

/// The end of a body that only the end of its connection marks is not taken for one.
fn while_reading(door: Door) {
    for by in BOTH {
        for head in ["", "Content-Length: 999\r\n", "Transfer-Encoding: chunked\r\n"] {
            let part = if head.starts_with('T') { "4\r\npart\r\n" } else { "part" };
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n{part}");
            let server = RawServer::start(Script::new().read_head().send(answer).stall());
            for stream in [false, true] {
                let ending = Ending::new(door, by);
                let read = Arc::new(AtomicU64::new(0));
                let request = get(server.url("/")).stream(stream).on_progress({
                    let read = Arc::clone(&read);
                    move |progress| read.store(progress.received, Ordering::SeqCst)
                });
                let request = ending.request(request);
                let error = thread::scope(|scope| {
                    let reading = scope.spawn(|| ending.client.send(request)?.content().map(drop));
                    until("the part was read", || read.load(Ordering::SeqCst) == 4);
                    ending.ends(|| reading.join().unwrap().unwrap_err())
                });
                assert_eq!(error.phase(), Some(Phase::Body), "{head}: {error}");
                assert!(error.timings().unwrap().body.is_some(), "{head}");
            }
        }
    }
}

fn over_tls(door: Door) {
    let server = Testbed::start();
    for by in BOTH {
        let mut ending = Ending::new(door, by);
        *ending.client.verify() = server.ca_file().into();
        let before = server.requests().len();
        let error =
            ending.error(get(server.https_url("/delay/5")), || server.requests().len() > before);
        is_between_send_and_wait(&error);
    }
}

/// Before it is sent, and between two reads that find something each time.
fn what_never_waits_ends_too(door: Door) {
    let server = RawServer::start(Script::respond(OK));
    let token = CancelToken::new();
    token.cancel();
    assert!(token.is_cancelled());
    let error = door.send(get(server.url("/")).cancel_with(&token)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(server.requests(), 0);
    let flood = Script::new().read_head().send("HTTP/1.1 200 OK\r\n\r\n");
    let flood = flood.repeat(1 << 20, Script::new().send("x".repeat(1 << 20)));
    for by in BOTH {
        let server = RawServer::start(flood.clone());
        let ending = Ending::new(door, by);
        let received = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&received);
        let request = get(server.url("/"))
            .on_progress(move |progress| counted.store(progress.received, Ordering::Relaxed));
        let error = ending.error(request, || received.load(Ordering::Relaxed) > 0);
        assert_eq!(error.phase(), Some(Phase::Body), "{error}");
    }
}

/// Between two tries, whoever decides that there is another.
fn while_waiting_for_the_next_try(door: Door) {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    for by in BOTH {
        let retry = || Retry::new().status_forcelist([503]).backoff_factor(60.0);
        for by_the_adapter in [false, true] {
            let server = RawServer::start(Script::respond(busy));
            let mut ending = Ending::new(door, by);
            let mut request = get(server.url("/"));
            if by_the_adapter {
                ending.client.mount("http://", HttpAdapter::new().max_retries(retry()));
            } else {
                request = request.retry(retry());
            }
            // There is no pause before the second try.
            let is_paused = || ending.client.stats().retried == 2;
            let error = ending.error(request, is_paused);
            assert_eq!(error.phase(), Some(Phase::Retry), "{error}");
            assert!(error.timings().unwrap().sleep.is_some(), "{error}");
            assert_eq!((error.attempts().len(), server.requests()), (2, 2));
        }
    }
}

/// Never comes to an end by itself.
struct Endless;

impl Adapter for Endless {
    fn send<'a>(
        &'a self,
        _: &'a mut PreparedRequest,
        _: &'a Settings,
    ) -> BoxFuture<'a, bequest::Result<Response>> {
        Box::pin(std::future::pending())
    }
}

#[cfg(feature = "async")]
impl Auth for Endless {
    fn apply(&self, _: &mut PreparedRequest) -> bequest::Result<()> {
        Ok(())
    }

    fn apply_async<'a>(&'a self, _: &'a mut PreparedRequest) -> BoxFuture<'a, bequest::Result<()>> {
        Box::pin(std::future::pending())
    }
}

/// What knows nothing of tokens and timeouts ends by them, too: adapters, hooks and auths that
/// await something.
fn what_others_wait_for(door: Door) {
    let server = RawServer::start(Script::respond(OK));
    let mut sessions = vec![door.session()];
    sessions[0].mount("http://", Endless);
    #[cfg(feature = "async")]
    {
        let (mut request, mut response) = (door.session(), door.session());
        request.hooks().request.push_async(|_| Box::pin(std::future::pending()));
        response.hooks().response.push_async(|_| std::future::pending());
        sessions.extend([request, response]);
    }
    for s in &sessions {
        ends_by_token_and_total(|request| s.send(request).map(drop), &server.url("/"));
    }
    #[cfg(feature = "async")]
    if let Client::Aio(s) = door.session() {
        type Bound<'a> = Request<&'a bequest::aio::Session>;
        let send = |limit: &dyn Fn(Bound<'_>) -> Bound<'_>| {
            let request = limit(s.get(server.url("/")).auth(Endless));
            support::tokio_runtime::run(request.send()).unwrap_err().kind()
        };
        let total = Timeout::new().total(Duration::from_millis(100));
        assert_eq!(send(&|request| request.timeout(total)), ErrorKind::Deadline);
        let token = CancelToken::new();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| send(&|request| request.cancel_with(&token)));
            token.cancel();
            assert_eq!(waiting.join().unwrap(), ErrorKind::Cancelled);
        });
    }
}

#[track_caller]
fn ends_by_token_and_total(send: impl Fn(Request) -> bequest::Result<()> + Sync, url: &str) {
    let (start, short) = (Instant::now(), Duration::from_millis(100));
    let error = send(get(url).timeout(Timeout::new().total(short))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
    assert!(start.elapsed() >= short && start.elapsed() < SOON, "{:?}", start.elapsed());
    let token = CancelToken::new();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| send(get(url).cancel_with(&token)).unwrap_err());
        token.cancel();
        let error = waiting.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
        assert!(error.url().is_some());
    });
}

/// One token ends many, and no others.
fn a_token_ends_all_that_have_it(door: Door) {
    let server = RawServer::start(Script::new().forever(Script::new().read_head().stall()));
    let other =
        RawServer::start(Script::new().read_head().sleep(Duration::from_millis(300)).send(OK));
    let (client, token) = (door.session(), CancelToken::new());
    thread::scope(|scope| {
        let (client, token) = (&client, &token);
        let ended: Vec<_> = (0..8)
            .map(|_| {
                let request = get(server.url("/")).cancel_with(token);
                scope.spawn(move || client.send(request).unwrap_err())
            })
            .collect();
        let request = get(other.url("/")).cancel_with(&CancelToken::new());
        let spared = scope.spawn(move || client.send(request));
        until("all wait", || server.requests() == 8 && other.requests() == 1);
        token.cancel();
        for ended in ended {
            assert_eq!(ended.join().unwrap().kind(), ErrorKind::Cancelled);
        }
        assert_eq!(spared.join().unwrap().unwrap().text().unwrap(), "ok");
    });
}

/// A streamed response whose reader dawdles is ended, too: what follows is not read.
fn close_ends_streams_that_nobody_reads(door: Door) {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\npart";
    let server = RawServer::start(Script::new().read_head().send(answer).wait_close());
    let client = door.session();
    let reply = client.send(get(server.url("/")).stream(true)).unwrap();
    client.close();
    let error = reply.content().unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Closed, Some(Phase::Body)), "{error}");
}

/// A clone shares the connections, and is closed with it; another session is not.
fn close_reaches_clones_and_nobody_else(door: Door) {
    let server =
        RawServer::start(Script::new().read_head().sleep(Duration::from_millis(300)).send(OK));
    let (one, other) = (door.session(), door.session());
    let url = &server.url("/");
    thread::scope(|scope| {
        let clone = one.clone();
        let ended = scope.spawn(move || clone.send(get(url)).unwrap_err());
        let spared = scope.spawn(|| other.send(get(url)));
        until("both wait", || server.requests() == 2);
        one.close();
        assert_eq!(ended.join().unwrap().kind(), ErrorKind::Closed);
        assert_eq!(spared.join().unwrap().unwrap().text().unwrap(), "ok");
    });
}

/// Whenever it comes: each request succeeds or is closed, and none hangs.
fn close_at_any_moment(door: Door) {
    let server = RawServer::start(Script::respond(OK));
    let client = door.session();
    let (url, done) = (server.url("/"), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for n in 0..300 {
                    let request = if n % 2 == 0 { get(&url) } else { post(&url) };
                    match client.send(request).and_then(|reply| reply.text()) {
                        Ok(text) => assert_eq!(text, "ok"),
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Closed, "{error}"),
                    }
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        while done.load(Ordering::SeqCst) < 3 {
            client.close();
            thread::yield_now();
        }
    });
    assert_eq!(client.send(get(&url)).unwrap().text().unwrap(), "ok");
}

doors![
    while_looking_up,
    while_connecting,
    in_the_handshake,
    while_sending,
    while_waiting,
    while_waiting_on_a_kept_connection,
    while_reading,
    over_tls,
    what_never_waits_ends_too,
    while_waiting_for_the_next_try,
    what_others_wait_for,
    a_token_ends_all_that_have_it,
    close_ends_streams_that_nobody_reads,
    close_reaches_clones_and_nobody_else,
    close_at_any_moment,
];
