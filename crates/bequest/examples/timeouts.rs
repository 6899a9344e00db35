//! "Timeouts" of Requests' Quickstart and Advanced Usage, and what there is beyond them
//! (docs/timeouts.md).
//!
//! ```text
//! cargo run --release --example timeouts
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bequest::{Error, ErrorKind, HttpAdapter, Phase, Request, Result, Retry, Session, Timeout};
use support::{check, conclude, section};
use testbed::{RawServer, Script, Testbed};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const SHORT: Duration = Duration::from_millis(200);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    one_line()?;
    connecting()?;
    silence()?;
    sending()?;
    everything()?;
    pools()?;
    leave()?;
    telling_apart()?;
    conclude()
}

/// The error of a request that runs out of its time, which it has had.
fn late(request: Request<&Session>, limit: Duration) -> Result<Error> {
    let start = Instant::now();
    let Err(error) = request.send() else { return Err(Error::other("it came in time")) };
    println!("   {error}");
    check("not before its time", start.elapsed() >= limit);
    check("and not long after it", start.elapsed() < limit + Duration::from_secs(1));
    Ok(error)
}

fn one_line() -> Result<()> {
    section("A session waits for ever, unless one line says otherwise");
    let server = Testbed::start();
    let mut s = Session::new();
    check("Requests does so, too", s.timeout == Timeout::new());
    s.timeout = SHORT.into();
    let slow = server.url("/delay/5");
    check("now it does not", late(s.get(&slow), SHORT)?.is_timeout());
    let pair = (Duration::from_secs(3), Duration::from_secs(27));
    let r = s.get(server.url("/delay/0.3")).timeout(pair).send()?;
    check("a request has its own: connect and read", r.status() == 200);
    let r = s.get(server.url("/delay/0.3")).timeout(None).send()?;
    check("or none", r.status() == 200);
    Ok(())
}

fn connecting() -> Result<()> {
    section("The connect timeout: until a connection is ready");
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let mut s = Session::new();
    let hanging = move |_: &str| {
        // As long as nobody releases it.
        let _ = released.lock().map(|released| released.recv());
        Ok(vec![])
    };
    s.mount("http://", HttpAdapter::new().resolver(hanging));
    let timeout = Timeout::new().connect(SHORT);
    let error = late(s.get("http://example.test/").timeout(timeout), SHORT)?;
    check("the look-up of a name is in it", error.phase() == Some(Phase::Resolve));
    let server = RawServer::start(Script::new().stall());
    let error = late(s.get(server.https_url("/")).timeout(timeout), SHORT)?;
    check("and the handshake of TLS", error.phase() == Some(Phase::Tls));
    check("and all is one kind", error.kind() == ErrorKind::ConnectTimeout);
    drop(release);
    Ok(())
}

fn silence() -> Result<()> {
    section("The read timeout: the longest silence, not the whole time");
    let s = Session::new();
    let slow = Script::new().read_head().drip(OK, Duration::from_millis(10));
    let server = RawServer::start(slow);
    let start = Instant::now();
    let r = s.get(server.url("/")).timeout(Timeout::new().read(SHORT)).send()?;
    println!("   {:?} in {:?}", r.text()?, start.elapsed());
    check("who goes on may take longer", r.text()? == "ok" && start.elapsed() > SHORT);
    let server = RawServer::start(Script::new().read_head().send(&OK[..OK.len() - 1]).stall());
    let error = late(s.get(server.url("/")).timeout(Timeout::new().read(SHORT)), SHORT)?;
    check("within a body, too", error.phase() == Some(Phase::Body));
    check("that is a timeout as any other", error.kind() == ErrorKind::ReadTimeout);
    Ok(())
}

fn sending() -> Result<()> {
    section("The write timeout: a server that takes nothing");
    let s = Session::new();
    let server = RawServer::start(Script::new().read_head().stall());
    let large = || vec![b'x'; 16 << 20];
    let post = || s.post(server.url("/")).body(large());
    let error = late(post().timeout(Timeout::new().write(SHORT)), SHORT)?;
    check("ends an upload", error.kind() == ErrorKind::WriteTimeout);
    let error = late(post().timeout(Timeout::new().read(SHORT)), SHORT)?;
    check("unless it is set, it is the read timeout", error.kind() == ErrorKind::WriteTimeout);
    Ok(())
}

fn everything() -> Result<()> {
    section("The total timeout: all of it, by the clock on the wall");
    let s = Session::new();
    let timeout = Timeout::new().read(SHORT).total(2 * SHORT);
    let endless = Script::new().read_head().send("HTTP/1.1 200 OK\r\n\r\n");
    let endless = endless.drip("x".repeat(9999), Duration::from_millis(10));
    let server = RawServer::start(endless);
    let error = late(s.get(server.url("/")).timeout(timeout), 2 * SHORT)?;
    check("ends what is never silent", error.kind() == ErrorKind::Deadline);
    let server = Testbed::start();
    let error = late(
        s.get(server.url("/redirect-to?url=/delay/9")).timeout(timeout.read(None)),
        2 * SHORT,
    )?;
    check("redirects are in it", error.kind() == ErrorKind::Deadline);
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    let server = RawServer::start(Script::respond(busy));
    let retry = Retry::new().status_forcelist([503]).backoff_factor(60.0);
    let error = late(s.get(server.url("/")).retry(retry).timeout(timeout), 2 * SHORT)?;
    check("and waits between two tries", error.phase() == Some(Phase::Retry));
    Ok(())
}

fn pools() -> Result<()> {
    section("The pool timeout: waiting for a connection of a pool that blocks");
    let server = Testbed::start();
    let mut s = Session::new();
    s.mount("http://", HttpAdapter::new().pool_maxsize(1).pool_block(true));
    let streamed = s.get(server.url("/big/1000000")).stream(true).send()?;
    let timeout = Timeout::new().pool(SHORT);
    let error = late(s.get(server.url("/get")).timeout(timeout), SHORT)?;
    check("is a kind of its own", error.kind() == ErrorKind::PoolTimeout);
    drop(streamed);
    let r = s.get(server.url("/get")).timeout(timeout).send()?;
    check("until somebody lets go", r.status() == 200);
    Ok(())
}

fn leave() -> Result<()> {
    section("Waiting for leave to send a body is no error");
    let silent = Script::new().read_head().read_body(4).send(OK);
    let server = RawServer::start(silent);
    let s = Session::new();
    let start = Instant::now();
    let post = s.post(server.url("/")).header("Expect", "100-continue").body("spam");
    let r = post.timeout(Timeout::new().expect_continue(SHORT)).send()?;
    println!("   sent all the same after {:?}", start.elapsed());
    check("a server that keeps silent gets it", r.text()? == "ok" && start.elapsed() >= SHORT);
    Ok(())
}

fn telling_apart() -> Result<()> {
    section("What a timeout tells");
    let server = Testbed::start();
    let s = Session::new();
    let error = late(s.get(server.url("/delay/9")).timeout(SHORT), SHORT)?;
    check("which it was", error.kind() == ErrorKind::ReadTimeout && error.is_timeout());
    check("how far the request had come", error.phase() == Some(Phase::Wait));
    let timings = error.timings().unwrap_or_default();
    check("how long each step took", timings.wait.is_some_and(|wait| wait >= SHORT));
    let zero = s.get(server.url("/get")).timeout(Duration::ZERO).send();
    let Err(error) = zero else { return Err(Error::other("zero was taken")) };
    println!("   {error}");
    check("zero is a mistake", error.kind() == ErrorKind::InvalidTimeout);
    Ok(())
}
