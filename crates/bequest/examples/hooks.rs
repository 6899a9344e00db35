//! "Event Hooks" of Requests' Advanced Usage: functions that see requests and responses pass.
//!
//! ```text
//! cargo run --release --example hooks
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bequest::{Error, ErrorKind, Response, Result, Session};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    of_a_request(&server)?;
    settings(&server)?;
    of_a_session(&server)?;
    replace(&server)?;
    fail(&server)?;
    each_hop(&server)?;
    requests(&server)?;
    conclude()
}

#[expect(clippy::unnecessary_wraps, reason = "a hook may fail")]
fn print_url(r: Response) -> Result<Response> {
    println!("   {}", r.url());
    Ok(r)
}

/// What a hook leaves with a response.
#[derive(Clone)]
struct HookCalled;

#[expect(clippy::unnecessary_wraps, reason = "a hook may fail")]
fn record(mut r: Response) -> Result<Response> {
    r.extensions_mut().insert(HookCalled);
    Ok(r)
}

fn of_a_request(server: &Testbed) -> Result<()> {
    section("A request has hooks: functions that get the response");
    let s = Session::new();
    let r = s.get(server.url("/headers")).hook(print_url).send()?;
    check("the response is the caller's", r.extensions().get::<HookCalled>().is_none());
    let r = s.get(server.url("/get")).hook(print_url).hook(record).send()?;
    check("two hooks at once", r.extensions().get::<HookCalled>().is_some());
    Ok(())
}

fn settings(server: &Testbed) -> Result<()> {
    section("A hook sees what the request was sent with");
    let s = Session::new();
    let request = s.get(server.url("/get")).timeout(Duration::from_secs(5)).stream(true);
    let r = request
        .hook(|r: Response| {
            let settings = r.request().settings().ok_or_else(|| Error::other("not sent"))?;
            println!("   timeout: {:?}", settings.timeout.read_limit());
            println!("   verify: {:?}, stream: {}", settings.verify, settings.stream);
            check("the request's", settings.timeout.read_limit() == Some(Duration::from_secs(5)));
            check("all of them", settings.stream && settings.max_redirects == 30);
            Ok(r)
        })
        .send()?;
    check("and what it sent", r.request().headers.contains("host"));
    Ok(())
}

fn of_a_session(server: &Testbed) -> Result<()> {
    section("A session's hooks run with each request, in order, before the request's own");
    let mut s = Session::new();
    s.hooks.response.push(print_url);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = |nth| {
        let calls = Arc::clone(&calls);
        move |r: Response| {
            check("one after the other", calls.fetch_add(1, Ordering::Relaxed) % 3 == nth);
            Ok(r)
        }
    };
    s.hooks.response.push(count(0));
    s.hooks.response.push(count(1));
    s.get(server.url("/get")).hook(count(2)).send()?;
    s.get(server.url("/headers")).hook(count(2)).send()?;
    check("all of them, each time", calls.load(Ordering::Relaxed) == 6);
    s.hooks.response.clear();
    s.get(server.url("/get")).send()?;
    check("until they are taken away", calls.load(Ordering::Relaxed) == 6);
    Ok(())
}

fn replace(server: &Testbed) -> Result<()> {
    section("A hook may replace the response");
    let s = Session::new();
    let shout =
        |r: Response| Response::builder().status(203).body(r.text()?.to_uppercase()).build();
    let r = s.get(server.url("/robots.txt")).hook(shout).send()?;
    r.text()?.lines().for_each(|line| println!("   {line}"));
    check("the caller gets the other", r.status() == 203 && r.text()?.contains("DISALLOW"));
    check("with the request that led to it", r.url().path() == "/robots.txt");
    Ok(())
}

fn fail(server: &Testbed) -> Result<()> {
    section("The error of a hook is the error of the request");
    let mut s = Session::new();
    s.hooks.response.push(Response::error_for_status);
    check("this one has nothing to say", s.get(server.url("/get")).send()?.ok());
    let error = s.get(server.url("/status/404")).send().err();
    let error = error.ok_or_else(|| Error::other("the hook was not called"))?;
    println!("   {error}");
    check("it is the hook's", error.kind() == ErrorKind::HttpStatus);
    check("the response is in it", error.response().is_some_and(|r| r.status() == 404));
    Ok(())
}

fn each_hop(server: &Testbed) -> Result<()> {
    section("Hooks see every redirect on the way");
    let mut s = Session::new();
    let hops = Arc::new(AtomicUsize::new(0));
    s.hooks.response.push({
        let hops = Arc::clone(&hops);
        move |r: Response| {
            println!("   {} {}", r.status(), r.url());
            hops.fetch_add(1, Ordering::Relaxed);
            Ok(r)
        }
    });
    let r = s.get(server.url("/redirect/2")).send()?;
    check("two redirects and the answer", hops.load(Ordering::Relaxed) == 3);
    check("the redirects are the history", r.history().len() == 2);
    Ok(())
}

fn requests(server: &Testbed) -> Result<()> {
    section("Other hooks see each request before it leaves");
    let mut s = Session::new();
    s.hooks.request.push(|request| {
        request.headers.insert("X-Sent-By", "us");
        println!("   {} {}", request.method, request.url);
        Ok(())
    });
    let r = s.get(server.url("/headers")).send()?;
    check("it was changed", r.text()?.contains("\"X-Sent-By\": \"us\""));
    s.hooks.request.push(|request| match request.method.as_str() {
        "GET" => Ok(()),
        method => Err(Error::other(format!("{method} is not for today"))),
    });
    let error = s.delete(server.url("/delete")).send().err();
    println!("   {}", error.as_ref().map_or_else(String::new, ToString::to_string));
    check("or refused", error.is_some());
    Ok(())
}
