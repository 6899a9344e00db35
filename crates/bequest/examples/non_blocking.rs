//! "Blocking Or Non-Blocking?" of Requests' Advanced Usage: what grequests, requests-futures,
//! requests-threads and httpx are asked for, each in its manner.
//!
//! ```text
//! cargo run --release --features async --example non_blocking
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::time::{Duration, Instant};

use bequest::{Body, CancelToken, ErrorKind, Pending, Request, Response, Result, Session, aio};
use serde_json::Value;
use support::{check, conclude, section};
use testbed::Testbed;

/// How long the server takes for an answer.
const DELAY: Duration = Duration::from_millis(300);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    in_order(&server)?;
    as_they_finish(&server)?;
    errors_are_values(&server);
    futures(&server)?;
    futures_with_hooks(&server)?;
    futures_end(&server)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(threads(&server))?;
    runtime.block_on(awaited(&server))?;
    runtime.block_on(streams(&server))?;
    runtime.block_on(both_doors(&server))?;
    conclude()
}

/// The URL of an answer that takes its time.
fn slow(server: &Testbed, n: usize) -> String {
    server.url(&format!("/delay/{}?n={n}", DELAY.as_secs_f32()))
}

fn number(r: &Response) -> Result<Value> {
    Ok(r.json::<Value>()?["args"]["n"].clone())
}

/// Whether they went side by side, not one after the other.
fn at_once(start: Instant, count: u32) -> bool {
    let took = start.elapsed();
    println!("   {count} answers of {DELAY:?} each, in {took:.1?}");
    took >= DELAY && took < DELAY * count
}

fn in_order(server: &Testbed) -> Result<()> {
    section("grequests.map: many at once from one thread, answers in the order of the requests");
    let (s, start) = (Session::new(), Instant::now());
    let requests = (0..8).map(|n| Request::new("GET", slow(server, n)));
    let mut numbers = Vec::new();
    for r in s.map(requests, 8) {
        numbers.push(number(&r?)?);
    }
    check("all at once", at_once(start, 8));
    check("in order", numbers == ["0", "1", "2", "3", "4", "5", "6", "7"]);
    Ok(())
}

fn as_they_finish(server: &Testbed) -> Result<()> {
    section("grequests.imap: each as soon as it is there, with its number");
    let s = Session::new();
    let urls = [slow(server, 0), server.url("/get?n=1"), server.url("/get?n=2")];
    let mut order = Vec::new();
    for (n, r) in s.imap(urls.iter().map(|url| Request::new("GET", url)), 3) {
        println!("   {n}: {}", r?.url());
        order.push(n);
    }
    check("the slow one is the last", order.len() == 3 && order[2] == 0);
    // Never more than a few at once, however many there are: they are taken as there is room.
    let many = (0..100).map(|n| Request::new("GET", server.url(&format!("/get?n={n}"))));
    let ok = s.imap(many, 4).filter(|(_, r)| r.as_ref().is_ok_and(Response::ok)).count();
    check("a hundred", ok == 100);
    check("over four connections at most", s.stats().opened <= 4);
    Ok(())
}

fn errors_are_values(server: &Testbed) {
    section("exception_handler: what fails is a value among the others");
    let s = Session::new();
    let urls = [server.url("/get"), "http://localhost:1/refused".into(), "no URL".into()];
    let handler = |n: usize, error: &bequest::Error| println!("   {n} failed: {error}");
    let mut failed = 0;
    for (n, r) in s.map(urls.iter().map(|url| Request::new("GET", url)), 3).enumerate() {
        if let Err(error) = r {
            handler(n, &error);
            failed += 1;
        }
    }
    check("two of three", failed == 2);
}

fn futures(server: &Testbed) -> Result<()> {
    section("requests-futures: a request is begun now, and waited for later");
    let (s, start) = (Session::new(), Instant::now());
    let one = s.spawn(s.get(slow(server, 1)));
    let two = s.spawn(s.get(slow(server, 2)));
    println!("   (something else is done meanwhile)");
    check("nothing is waited for yet", start.elapsed() < DELAY);
    check("the first", number(&one.wait()?)? == "1");
    check("the second", number(&two.wait()?)? == "2");
    check("both at once", at_once(start, 2));
    Ok(())
}

/// What a hook puts beside a response.
#[derive(Clone)]
struct Parsed(Value);

fn futures_with_hooks(server: &Testbed) -> Result<()> {
    section("Working in the background: hooks run on the thread of the request");
    let mut s = Session::new();
    s.spawn_threads = 4; // FuturesSession(max_workers=4)
    s.hooks.response.push(|mut r: Response| {
        let parsed = Parsed(r.json()?);
        r.extensions_mut().insert(parsed);
        Ok(r)
    });
    let pending: Vec<Pending> =
        (0..10).map(|n| s.spawn(s.get(server.url("/get")).params([("n", n)]))).collect();
    let mut sum = 0;
    for pending in pending {
        let r = pending.wait()?;
        let parsed = r.extensions().get::<Parsed>();
        let n = parsed.and_then(|parsed| parsed.0["args"]["n"].as_str()?.parse::<i32>().ok());
        sum += n.unwrap_or_default();
    }
    check("each was parsed before it was waited for", sum == 45);
    check("by four threads at most", s.stats().opened <= 4);
    Ok(())
}

fn futures_end(server: &Testbed) -> Result<()> {
    section("What is spawned can be asked, waited for a while, and ended");
    let s = Session::new();
    let mut pending = s.spawn(s.get(server.url("/delay/10")));
    check("it is not there", !pending.is_done() && pending.try_wait().is_none());
    check("nor after a while", pending.wait_timeout(Duration::from_millis(20)).is_none());
    pending.cancel();
    let error = pending.wait().err();
    println!("   {}", error.as_ref().map(ToString::to_string).unwrap_or_default());
    check("cancelled", error.is_some_and(|error| error.kind() == ErrorKind::Cancelled));
    let panics = s.get(server.url("/get")).hook(|_| panic!("a bug in a hook"));
    std::panic::set_hook(Box::new(|_| ())); // Not to be seen here.
    let error = s.spawn(panics).wait().err();
    let _ = std::panic::take_hook();
    println!("   {}", error.as_ref().map(ToString::to_string).unwrap_or_default());
    check("a panic is an error", error.is_some_and(|error| error.to_string().contains("a bug")));
    check("of one request alone", s.spawn(s.get(server.url("/get"))).wait()?.ok());
    Ok(())
}

async fn threads(server: &Testbed) -> Result<()> {
    section("requests-threads: threads do the work, and any executor awaits them");
    let (s, start) = (Session::new(), Instant::now());
    let pending: Vec<Pending> = (0..4).map(|n| s.spawn(s.get(slow(server, n)))).collect();
    let mut numbers = Vec::new();
    for pending in pending {
        numbers.push(number(&pending.await?)?);
    }
    check("all at once", at_once(start, 4));
    check("in order", numbers == ["0", "1", "2", "3"]);
    Ok(())
}

async fn awaited(server: &Testbed) -> Result<()> {
    section("httpx: a session for async code");
    let (s, start) = (aio::Session::new(), Instant::now());
    let jobs: Vec<_> = (0..8).map(|n| tokio::spawn(s.get(slow(server, n)).send())).collect();
    let mut ok = 0;
    for job in jobs {
        let r = job.await.map_err(bequest::Error::other)??;
        ok += usize::from(r.json::<Value>().await.is_ok());
    }
    check("all at once", at_once(start, 8));
    check("all eight", ok == 8);
    // Whoever gives up waiting ends the request; a token ends it from elsewhere.
    let given_up = tokio::time::timeout(DELAY / 4, s.get(slow(server, 0)).send()).await;
    check("given up", given_up.is_err());
    let token = CancelToken::new();
    let job = tokio::spawn(s.get(server.url("/delay/10")).cancel_with(&token).send());
    token.cancel();
    let error = job.await.map_err(bequest::Error::other)?.err();
    check("cancelled", error.is_some_and(|error| error.kind() == ErrorKind::Cancelled));
    Ok(())
}

async fn streams(server: &Testbed) -> Result<()> {
    section("Bodies in parts, both ways");
    let s = aio::Session::new();
    let r = s.get(server.url("/stream/3")).stream(true).send().await?;
    let mut lines = r.iter_lines().decode_unicode();
    let mut count = 0;
    while let Some(line) = lines.next().await {
        println!("   {}...", &line?[..30]);
        count += 1;
    }
    check("three lines", count == 3);
    let r = s.get(server.url("/bytes/100000")).stream(true).send().await?;
    let body = Body::stream(r.into_iter_content(None));
    let r = s.post(server.url("/count")).body(body).send().await?;
    check("a response is a request's body", r.json::<Value>().await?["length"] == 100_000);
    Ok(())
}

async fn both_doors(server: &Testbed) -> Result<()> {
    section("One session through both doors: settings, cookies and adapters are shared");
    let mut blocking = Session::new();
    blocking.headers.insert("X-Both", "yes");
    let s = aio::Session::from(&blocking);
    s.get(server.url("/cookies/set/from/aio")).send().await?;
    // Blocking calls work here, too; they block.
    let r = blocking.get(server.url("/cookies")).send()?;
    check("a cookie of the one", r.json::<Value>()?["cookies"]["from"] == "aio");
    check("is the other's, too", r.request().headers.get("x-both") == Some("yes"));
    Ok(())
}
