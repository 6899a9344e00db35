//! "Example: Automatic Retries" of Requests' Advanced Usage, and what there is beyond it.
//!
//! ```text
//! cargo run --release --example retries
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::time::{Duration, Instant};

use bequest::{
    Body, Error, ErrorKind, Expectation, HttpAdapter, Jitter, MockAdapter, Response, Result, Retry,
    RetryBudget, Session,
};
use support::{check, conclude, section};
use testbed::{RawServer, Script};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    on_an_adapter()?;
    waits()?;
    what_stays()?;
    by_header()?;
    for_one_request()?;
    once_is_once()?;
    budgets()?;
    conclude()
}

/// A server that is busy for so many requests.
fn busy_for(requests: usize) -> RawServer {
    let busy = Script::new().repeat(requests, Script::new().read_head().send(BUSY));
    RawServer::start(busy.forever(Script::new().read_head().send(OK)))
}

fn show(r: &Response) {
    for attempt in r.attempts() {
        println!("   {attempt:?}");
    }
    println!("   then {r:?}");
}

fn on_an_adapter() -> Result<()> {
    section("Retries are mounted with an adapter");
    let mut s = Session::new();
    let retries = Retry::new()
        .total(3)
        .backoff_factor(0.01)
        .status_forcelist([502, 503, 504])
        .allowed_methods(["POST"]);
    s.mount("http://", HttpAdapter::new().max_retries(retries));
    let server = busy_for(2);
    let r = s.post(server.url("/")).send()?;
    show(&r);
    check("it went through", r.status() == 200);
    check("the third time", r.attempts().len() == 2);
    let server = RawServer::sequence(vec![Script::new(), Script::respond(OK)]);
    s.mount("http://", HttpAdapter::new().max_retries(3));
    let r = s.get(server.url("/")).send()?;
    show(&r);
    check("a lost connection, too", r.attempts()[0].error().is_some_and(Error::is_connection));
    Ok(())
}

fn waits() -> Result<()> {
    section("Waits double, the first being none; chance keeps clients apart");
    let mut s = Session::new();
    s.retry = Some(Retry::new().backoff_factor(0.02).status_forcelist([503]));
    let server = busy_for(4);
    let r = s.get(server.url("/")).send()?;
    show(&r);
    let ms: Vec<_> = r.attempts().iter().map(|attempt| attempt.wait().as_millis()).collect();
    check("nothing, then twice as long each time", ms == [0, 40, 80, 160]);
    let server = busy_for(4);
    let retry = Retry::new().backoff_factor(0.02).status_forcelist([503]).jitter(Jitter::Full);
    let r = s.get(server.url("/")).retry(retry).send()?;
    show(&r);
    let most = [20, 40, 80, 160].map(Duration::from_millis);
    check("no longer than that", r.attempts().iter().zip(most).all(|(a, most)| a.wait() <= most));
    Ok(())
}

fn what_stays() -> Result<()> {
    section("What is still wrong after the last retry is an error, with the response in it");
    let s = Session::new();
    let server = busy_for(99);
    let retry = Retry::new().total(2).status_forcelist([503]);
    let error = s.get(server.url("/")).retry(retry.clone()).send().err();
    let error = error.ok_or_else(|| Error::other("it went through"))?;
    println!("   {error}");
    check("of its own kind", error.kind() == ErrorKind::Retry);
    check("it says how often", error.attempts().len() == 2);
    check("the response is there", error.response().is_some_and(|r| r.status() == 503));
    let r = s.get(server.url("/")).retry(retry.raise_on_status(false)).send()?;
    check("or it is the response", r.status() == 503);
    Ok(())
}

fn by_header() -> Result<()> {
    section("A server may say when to come back");
    let answer = |value| Response::builder().status(429).header("Retry-After", value);
    let mock = MockAdapter::new().expect(
        Expectation::get("mock://x/").answer(answer("3600")).answer(answer("0")).status(200),
    );
    let mut s = Session::new();
    s.mount("mock://", mock);
    let retry = Retry::new().retry_after_max(Duration::from_millis(50));
    let r = s.get("mock://x/").retry(retry).send()?;
    show(&r);
    check("it is obeyed, up to a limit", r.attempts()[0].wait() == Duration::from_millis(50));
    check("nothing is nothing", r.attempts()[1].wait().is_zero());
    Ok(())
}

fn for_one_request() -> Result<()> {
    section("A request may have its own, or none");
    let mut s = Session::new();
    s.retry = Some(Retry::standard());
    let server = busy_for(1);
    let r = s.get(server.url("/")).retry(Retry::none()).send()?;
    check("none", r.status() == 503 && r.attempts().is_empty());
    let start = Instant::now();
    let server = busy_for(99);
    let hasty = Retry::standard().backoff_factor(3600.0).time_budget(Duration::from_secs(10));
    let r = s.get(server.url("/")).retry(hasty.jitter(Jitter::Equal)).send();
    check("it does not wait for what can't be in time", start.elapsed() < Duration::from_secs(5));
    check("but says so", r.is_err_and(|e| e.remedy().is_some_and(|r| r.contains("time budget"))));
    Ok(())
}

fn once_is_once() -> Result<()> {
    section("What can be read only once is not sent twice");
    let s = Session::new();
    let script = Script::new().read_head().read_body(4).send(BUSY).close();
    let server = RawServer::start(script);
    let body = Body::reader(&b"once"[..]).with_length(4);
    let retry = Retry::new().status_forcelist([503]);
    let error = s.put(server.url("/")).body(body).retry(retry).send().err();
    println!("   {}", error.as_ref().map_or_else(String::new, ToString::to_string));
    check("one request", server.connections() == 1);
    check("and the reason", error.is_some_and(|e| e.to_string().contains("read only once")));
    Ok(())
}

fn budgets() -> Result<()> {
    section("A budget that requests share spares a server that is down");
    let budget = RetryBudget::new(5, 0.1);
    let mut s = Session::new();
    s.retry = Some(Retry::new().total(3).status_forcelist([503]).budget(budget.clone()));
    let server = busy_for(999);
    for _ in 0..10 {
        check("it stays busy", s.get(server.url("/")).send().is_err());
    }
    println!("   10 requests were sent {} times; {budget:?}", server.requests());
    check("5 retries, not 30", server.requests() == 15);
    Ok(())
}
