//! Timeouts: each ends its own kind of waiting, in time, and nothing else.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::io::Read as _;
use std::time::{Duration, Instant};

use bequest::{
    Auth, Body, Bytes, Error, ErrorKind, HttpAdapter, Phase, PreparedRequest, Request, Response,
    Round, Timeout,
};
use support::{Client, Door, doors, full, get, until};
use testbed::{RawServer, Script, Testbed};

const SHORT: Duration = Duration::from_millis(100);
const SOON: Duration = Duration::from_millis(1500);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn read() -> Timeout {
    Timeout::new().read(SHORT)
}

fn total() -> Timeout {
    Timeout::new().total(SHORT)
}

fn put(url: &str, body: impl Into<Body>) -> Request {
    Request::new("PUT", url).body(body)
}

/// The error of a request, which comes neither early nor late.
#[track_caller]
fn failure(client: &Client, request: Request, timeout: Timeout) -> Error {
    let start = Instant::now();
    let error = match client.send(request.timeout(timeout)) {
        Ok(reply) => panic!("{reply:?} {:?}", reply.content()),
        Err(error) => error,
    };
    let elapsed = start.elapsed();
    assert!(elapsed >= SHORT && elapsed < SOON, "{error} after {elapsed:?}");
    assert!(error.is_timeout() && error.url().is_some(), "{error}");
    assert!(error.to_string().contains("100ms") || error.is_connection(), "{error}");
    error
}

/// As [`failure`], from a server that plays this script first. The next request succeeds, on
/// another connection.
#[track_caller]
fn times_out(
    door: Door,
    script: Script,
    request: impl Fn(&str) -> Request,
    timeout: Timeout,
    expected: (ErrorKind, Phase),
) {
    let server = RawServer::sequence(vec![script, Script::respond(OK)]);
    let client = door.session();
    let error = failure(&client, request(&server.url("/")), timeout);
    assert_eq!((error.kind(), error.phase()), (expected.0, Some(expected.1)), "{error}");
    assert_eq!(server.connections(), 1, "{error}: was tried again");
    assert_eq!(client.send(get(server.url("/"))).unwrap().text().unwrap(), "ok");
    assert_eq!(server.connections(), 2, "{error}: the connection was used again");
}

fn connecting(door: Door) {
    let (address, _full) = full::listener();
    let url = format!("http://{address}/");
    let client = door.session();
    for (timeout, kind) in [
        (Timeout::new().connect(SHORT), ErrorKind::ConnectTimeout),
        (Timeout::new().connect(SHORT).total(ms(5000)), ErrorKind::ConnectTimeout),
        (Timeout::new().connect(ms(5000)).total(SHORT), ErrorKind::Deadline),
        (SHORT.into(), ErrorKind::ConnectTimeout),
        (total(), ErrorKind::Deadline),
    ] {
        let error = failure(&client, get(&url), timeout);
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Connect(Some(address)))));
    }
}

/// Both addresses of a name are tried within one budget.
fn connecting_to_a_name(door: Door) {
    let (address, _full) = full::listener();
    let url = format!("http://localhost:{}/", address.port());
    // The socket of the second address gets the number of the first, refused one, and must not be
    // taken for connected because of that.
    let timeout = Timeout::new().connect(SHORT).read(ms(1000));
    let error = failure(&door.session(), get(&url), timeout);
    assert_eq!(error.kind(), ErrorKind::ConnectTimeout, "{error}");
    assert!(matches!(error.phase(), Some(Phase::Connect(_))), "{error}");
}

/// The connect timeout lasts until the connection is ready, TLS included.
fn shaking_hands(door: Door) {
    let server = RawServer::start(Script::new().wait_close());
    let url = format!("https://{}/", server.addr());
    for (timeout, kind) in
        [(Timeout::new().connect(SHORT), ErrorKind::ConnectTimeout), (total(), ErrorKind::Deadline)]
    {
        let error = failure(&door.session(), get(&url), timeout);
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Tls)), "{error}");
    }
}

fn waiting_for_the_head(door: Door) {
    let wait = |timeout, kind| {
        let part =
            Script::new().read_head().send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2").stall();
        times_out(door, part, |url| get(url), timeout, (kind, Phase::Wait));
    };
    let silent = Script::new().read_head().stall();
    let expected = (ErrorKind::ReadTimeout, Phase::Wait);
    times_out(door, silent, |url| get(url), read(), expected);
    wait(read(), ErrorKind::ReadTimeout);
    wait(total(), ErrorKind::Deadline);
    wait(Timeout::new().read(SHORT).total(ms(5000)), ErrorKind::ReadTimeout);
    wait(Timeout::new().read(ms(5000)).total(SHORT), ErrorKind::Deadline);
}

/// As [`times_out`], but only once the head has come in time, which is not what it is about.
#[track_caller]
fn times_out_in_the_body(door: Door, answer: &str, timeout: Timeout, kind: ErrorKind) {
    for _ in 0..20 {
        let script = Script::new().read_head().send(answer).stall();
        let server = RawServer::sequence(vec![script, Script::respond(OK)]);
        let client = door.session();
        let error = failure(&client, get(server.url("/")), timeout);
        if error.phase() == Some(Phase::Wait) {
            continue;
        }
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Body)), "{error}");
        assert_eq!(server.connections(), 1, "{error}: was tried again");
        assert_eq!(client.send(get(server.url("/"))).unwrap().text().unwrap(), "ok");
        assert_eq!(server.connections(), 2, "{error}: the connection was used again");
        return;
    }
    panic!("no head ever came in time");
}

fn a_gap_within_the_body(door: Door) {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
        "HTTP/1.1 200 OK\r\n\r\npart",
    ] {
        times_out_in_the_body(door, head, read(), ErrorKind::ReadTimeout);
    }
    let head = "HTTP/1.1 200 OK\r\n\r\npart";
    times_out_in_the_body(door, head, total(), ErrorKind::Deadline);
}

/// What is read later is read with the same timeouts.
fn a_gap_within_a_streamed_body(door: Door) {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart";
    let server = RawServer::start(Script::new().read_head().send(head).stall());
    let reply = door.session().send(get(server.url("/")).stream(true).timeout(read())).unwrap();
    let start = Instant::now();
    let error = reply.content().unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::ReadTimeout, Some(Phase::Body)));
    assert!(start.elapsed() >= SHORT && start.elapsed() < SOON, "{:?}", start.elapsed());
}

fn over_tls(door: Door) {
    let server = Testbed::start();
    let mut client = door.session();
    *client.verify() = server.ca_file().into();
    let error = failure(&client, get(server.https_url("/delay/5")), read());
    assert_eq!((error.kind(), error.phase()), (ErrorKind::ReadTimeout, Some(Phase::Wait)));
    let url = server.https_url("/drip?numbytes=2&duration=10");
    let error = failure(&client, get(&url), read());
    assert_eq!((error.kind(), error.phase()), (ErrorKind::ReadTimeout, Some(Phase::Body)));
    assert_eq!(client.send(get(server.https_url("/get"))).unwrap().status(), 200);
    assert_eq!(server.https_connections(), 3);
}

fn a_server_that_takes_nothing(door: Door) {
    let stall = || Script::new().read_head().stall();
    let bytes = Bytes::from(vec![b'x'; 32 << 20]);
    let reader = || Body::reader(std::io::repeat(b'x').take(32 << 20));
    let write = Timeout::new().write(SHORT);
    let bodies: [&dyn Fn(&str) -> Request; 2] =
        [&|url| put(url, bytes.clone()), &|url| put(url, reader())];
    for body in bodies {
        times_out(door, stall(), body, write, (ErrorKind::WriteTimeout, Phase::Send));
        // Unmentioned, it is the read timeout.
        times_out(door, stall(), body, read(), (ErrorKind::WriteTimeout, Phase::Send));
        times_out(door, stall(), body, total(), (ErrorKind::Deadline, Phase::Send));
    }
}

fn total_ends_what_is_slow_but_never_silent(door: Door) {
    // A write is possible again only when a third of the socket's buffer is free.
    let timeout = Timeout::new().read(ms(140)).write(ms(1000)).total(SHORT);
    let send = |bytes: &str| Script::new().send(bytes).sleep(ms(20));
    let head = Script::new().read_head();
    let expected = |phase| (ErrorKind::Deadline, phase);
    let fields = head.clone().send("HTTP/1.1 200 OK\r\n").forever(send("X: y\r\n"));
    times_out(door, fields, |url| get(url), timeout, expected(Phase::Wait));
    let body = head.clone().send("HTTP/1.1 200 OK\r\n\r\n").forever(send("x"));
    times_out(door, body, |url| get(url), timeout, expected(Phase::Body));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = head.clone().send(chunked).forever(send("1\r\nx\r\n"));
    times_out(door, chunks, |url| get(url), timeout, expected(Phase::Body));
    let slow = head.forever(Script::new().read_body(64 * 1024).sleep(ms(20)));
    let large = Bytes::from(vec![b'x'; 64 << 20]);
    times_out(door, slow, |url| put(url, large.clone()), timeout, expected(Phase::Send));
}

/// A server that sends faster than anybody can read gives no occasion to wait. Not endless, so that
/// the test is not, either.
fn total_ends_a_flood(door: Door) {
    let flood = Script::new().read_head().send("HTTP/1.1 200 OK\r\n\r\n");
    let flood = flood.repeat(2048, Script::new().send("x".repeat(1 << 20)));
    let expected = (ErrorKind::Deadline, Phase::Body);
    times_out(door, flood, |url| get(url), total(), expected);
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = Script::new().read_head().send(chunked).repeat(32768, Script::new().send(chunk));
    times_out(door, chunks, |url| get(url), total(), expected);
}

/// Nor does one that takes faster than anything can be made. (Not endless, either.)
fn total_ends_an_endless_upload(door: Door) {
    let taker = Script::new().read_head().wait_close();
    let endless = |url: &str| {
        let start = Instant::now();
        let piece = move || (start.elapsed() < ms(1200)).then_some("a piece of a body");
        put(url, Body::chunks(std::iter::from_fn(piece)))
    };
    times_out(door, taker, endless, total(), (ErrorKind::Deadline, Phase::Send));
}

/// From the first request to the last byte: redirects and rounds of an auth begin nothing anew.
fn total_covers_all_of_a_journey(door: Door) {
    const STEP: Duration = ms(40);
    let elsewhere = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
    let slow = |answer: &str| {
        let each = Script::new().read_head().sleep(STEP).send(answer);
        RawServer::start(Script::new().forever(each))
    };
    let timeout = Timeout::new().read(SHORT).total(SHORT);
    let server = slow(elsewhere);
    let error = failure(&door.session(), get(server.url("/")), timeout);
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
    assert!(server.requests() >= 2, "the test is too slow");
    // What went before counts.
    let timings = error.timings().unwrap();
    assert!(timings.wait.unwrap() >= 2 * STEP && timings.head >= 2 * STEP, "{timings:?}");
    let server = slow(OK);
    let error = failure(&door.session(), get(server.url("/")).auth(Again), timeout);
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
    assert!(server.requests() >= 2, "the test is too slow");
}

/// Never has enough.
struct Again;

impl Auth for Again {
    fn apply(&self, _: &mut PreparedRequest) -> bequest::Result<()> {
        Ok(())
    }

    fn answer(&self, _: &Response, _: &mut PreparedRequest) -> bequest::Result<Round> {
        Ok(Round::Again)
    }
}

/// Looking up, connecting and the handshake share the connect timeout.
fn connecting_is_one_budget(door: Door) {
    const LIMIT: Duration = ms(900);
    let server = RawServer::start(Script::new().wait_close());
    let slow = |_: &str| {
        let asked = Instant::now();
        until("most of the budget is spent", || asked.elapsed() >= ms(600));
        Ok(vec![[127, 0, 0, 1].into()])
    };
    let mut client = door.session();
    client.mount("https://", HttpAdapter::new().resolver(slow));
    let url = format!("https://slow.test:{}/", server.addr().port());
    for (timeout, kind) in [
        (Timeout::new().connect(LIMIT), ErrorKind::ConnectTimeout),
        (Timeout::new().connect(ms(5000)).total(LIMIT), ErrorKind::Deadline),
    ] {
        let start = Instant::now();
        let error = client.send(get(&url).timeout(timeout)).unwrap_err();
        // Two budgets would last for longer than this.
        assert!(start.elapsed() >= LIMIT && start.elapsed() < SOON, "{error}");
        assert_eq!((error.kind(), error.phase()), (kind, Some(Phase::Tls)), "{error}");
        let timings = error.timings().unwrap();
        assert!(timings.resolve.unwrap() >= ms(600), "{timings:?}");
        assert!(timings.tls.unwrap() < ms(600), "{timings:?}");
    }
}

/// The error tells what the time went into, its line in a few words.
fn an_error_tells_how_long_each_phase_took(door: Door) {
    let client = door.session();
    let silent = RawServer::start(Script::new().read_head().stall());
    let error = failure(&client, get(silent.url("/")), read());
    let timings = error.timings().unwrap();
    assert!(timings.connect.is_some() && timings.resolve.is_some(), "{timings:?}");
    assert!(timings.wait.unwrap() >= SHORT && timings.head >= SHORT, "{timings:?}");
    assert_eq!((timings.send, timings.body, timings.tls), (None, None, None), "{timings:?}");
    let end = format!("wait {}ms)", timings.wait.unwrap().as_millis());
    assert!(error.to_string().ends_with(&end), "{error}");
    let deaf = RawServer::start(Script::new().read_head().stall());
    let large = put(&deaf.url("/"), vec![0; 32 << 20]);
    let timings = failure(&client, large, read()).timings().unwrap();
    assert!(timings.send.unwrap() >= SHORT && timings.wait.is_none(), "{timings:?}");
    // Of a response that came, and of one that is read later.
    let part = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart";
    let slow = Script::new().read_head().sleep(ms(30)).send(part).stall();
    let server = RawServer::start(slow);
    let reply = client.send(get(server.url("/")).stream(true).timeout(ms(500))).unwrap();
    let head = reply.timings();
    assert!(head.wait.unwrap() >= ms(30) && head.body.is_none(), "{head:?}");
    let timings = reply.content().unwrap_err().timings().unwrap();
    assert_eq!((timings.wait, timings.connect), (head.wait, head.connect));
    assert!(timings.body.unwrap() >= ms(500) && timings.head >= ms(530), "{timings:?}");
}

fn each_request_has_its_own_total(door: Door) {
    let slow = Script::new().read_head().sleep(ms(250)).send(OK);
    let server = RawServer::start(Script::new().forever(slow));
    let mut client = door.session();
    *client.timeout() = Timeout::new().total(ms(450));
    for _ in 0..3 {
        assert_eq!(client.send(get(server.url("/"))).unwrap().text().unwrap(), "ok");
    }
    assert_eq!(server.connections(), 1);
}

/// Nothing is in the way of what takes long but is never silent for long.
fn slow_is_not_silent(door: Door) {
    let drip = Script::new().read_head().drip(OK, ms(10));
    let server = RawServer::start(Script::new().forever(drip));
    let client = door.session();
    let timeout = Timeout::from(ms(300)).total(ms(5000));
    for _ in 0..2 {
        let start = Instant::now();
        let reply = client.send(get(server.url("/")).timeout(timeout)).unwrap();
        assert_eq!(reply.text().unwrap(), "ok");
        assert!(start.elapsed() > ms(300), "the test is too fast");
    }
    assert_eq!(server.connections(), 1);
}

fn a_slow_upload_is_not_silent(door: Door) {
    // All of it takes longer than the timeout; no single wait does.
    let slow = Script::new().read_head().repeat(32, Script::new().sleep(ms(15)).read_body(1 << 19));
    let server = RawServer::start(slow.send(OK).wait_close());
    let timeout = Timeout::new().write(ms(300)).read(ms(5000));
    let start = Instant::now();
    let reply = door.session().send(put(&server.url("/"), vec![0; 16 << 20]).timeout(timeout));
    assert_eq!(reply.unwrap().text().unwrap(), "ok");
    assert!(start.elapsed() > ms(300), "the test is too fast");
}

/// A server that is slow takes something all the time, even though its kernel makes room in steps.
/// tokio says that a write is possible only when a third of the socket's buffer is free: that it
/// has not said so yet does not mean that the server takes nothing.
fn a_slow_server_is_not_one_that_takes_nothing(door: Door) {
    // 32 KiB every 10 ms, so that all of it takes 2 s.
    let slow =
        Script::new().read_head().repeat(192, Script::new().sleep(ms(10)).read_body(1 << 15));
    let server = RawServer::start(slow.send(OK).wait_close());
    let timeout = Timeout::new().write(ms(300)).read(ms(5000));
    let reply = door.session().send(put(&server.url("/"), vec![0; 6 << 20]).timeout(timeout));
    assert_eq!(reply.unwrap().text().unwrap(), "ok");
}

/// `None` takes every limit of the session away, a part only its own.
fn none_waits_for_ever(door: Door) {
    let slow = Script::new().read_head().sleep(ms(200)).send(OK);
    let server = RawServer::start(Script::new().forever(slow));
    let mut client = door.session();
    *client.timeout() = Timeout::from(ms(50)).total(ms(60));
    assert!(client.send(get(server.url("/"))).unwrap_err().is_timeout());
    let reply = client.send(get(server.url("/")).timeout(None)).unwrap();
    assert_eq!(reply.text().unwrap(), "ok");
    let only_read = Timeout::new().read(None);
    let error = client.send(get(server.url("/")).timeout(only_read)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
}

/// A connection keeps nothing of the timeouts of the request before.
fn timeouts_don_t_outlive_their_request(door: Door) {
    let slow = Script::new().read_head().sleep(ms(200)).send(OK);
    let script = Script::new().read_head().send(OK).forever(slow);
    let server = RawServer::start(script);
    let client = door.session();
    for timeout in [ms(50).into(), Timeout::from(None), ms(1000).into(), Timeout::from(None)] {
        let reply = client.send(get(server.url("/")).timeout(timeout)).unwrap();
        assert_eq!(reply.text().unwrap(), "ok");
    }
    assert_eq!(server.connections(), 1);
}

fn impossible_timeouts(door: Door) {
    let server = RawServer::start(Script::respond(OK));
    type Part = fn(Timeout, Duration) -> Timeout;
    let parts: [(&str, Part); 6] = [
        ("connect", |whole, limit| whole.connect(limit)),
        ("read", |whole, limit| whole.read(limit)),
        ("write", |whole, limit| whole.write(limit)),
        ("pool", |whole, limit| whole.pool(limit)),
        ("total", |whole, limit| whole.total(limit)),
        ("connect", |_, limit| limit.into()),
    ];
    for limit in [Duration::ZERO, Duration::MAX] {
        for (name, part) in parts {
            let timeout = part(Timeout::new(), limit);
            let mut client = door.session();
            let of_request = client.send(get(server.url("/")).timeout(timeout)).unwrap_err();
            *client.timeout() = timeout;
            for error in [of_request, client.send(get(server.url("/"))).unwrap_err()] {
                let told = (error.kind(), error.phase());
                assert_eq!(told, (ErrorKind::InvalidTimeout, Some(Phase::Prepare)), "{error}");
                assert!(error.to_string().contains(&format!("{name} timeout of ")), "{error}");
            }
        }
    }
    assert_eq!(server.connections(), 0);
}

doors! {
    connecting,
    connecting_to_a_name,
    shaking_hands,
    waiting_for_the_head,
    a_gap_within_the_body,
    a_gap_within_a_streamed_body,
    over_tls,
    a_server_that_takes_nothing,
    total_ends_what_is_slow_but_never_silent,
    total_ends_a_flood,
    total_ends_an_endless_upload,
    total_covers_all_of_a_journey,
    connecting_is_one_budget,
    an_error_tells_how_long_each_phase_took,
    each_request_has_its_own_total,
    slow_is_not_silent,
    a_slow_upload_is_not_silent,
    a_slow_server_is_not_one_that_takes_nothing,
    none_waits_for_ever,
    timeouts_don_t_outlive_their_request,
    impossible_timeouts,
}
