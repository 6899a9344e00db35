//! "Keep-Alive" of Requests' Advanced Usage: connections are used again, by themselves.
//!
//! ```text
//! cargo run --release --example keep_alive
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::time::Duration;

use bequest::{HttpAdapter, Response, Result, Session};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    automatic()?;
    streamed()?;
    dropped()?;
    one_shot()?;
    settings()?;
    conclude()
}

/// Shows a response, and whether it came over a new connection.
fn show(r: &Response) -> bool {
    let timings = r.timings();
    match timings.connect {
        Some(connect) => println!("   {}: connected in {connect:?}", r.url().path()),
        None => println!("   {}: on a connection that was there", r.url().path()),
    }
    timings.connect.is_some()
}

fn automatic() -> Result<()> {
    section("Within a session it is automatic");
    let server = Testbed::start();
    let s = Session::new();
    check("the first request connects", show(&s.get(server.url("/get")).send()?));
    for path in ["/headers", "/status/404", "/redirect/3", "/gzip"] {
        check("the next ones need not", !show(&s.get(server.url(path)).send()?));
    }
    check("nor does a POST", !show(&s.post(server.url("/post")).body("spam").send()?));
    check("so there was one", server.connections() == 1);
    Ok(())
}

fn streamed() -> Result<()> {
    section("A connection is free again when the body has been read");
    let server = Testbed::start();
    let s = Session::new();
    let r = s.get(server.url("/big/1000000")).stream(true).send()?;
    show(&r);
    check("while one is streamed, another opens", show(&s.get(server.url("/get")).send()?));
    let length = r.content()?.len();
    println!("   read {length} bytes");
    let both = [s.get(server.url("/big/500000")), s.get(server.url("/big/500001"))];
    let both = both.map(|request| request.stream(true).send());
    for r in both {
        check("then there are two to use", !show(&r?));
    }
    check("and no third was opened", server.connections() == 2);
    Ok(())
}

fn dropped() -> Result<()> {
    section("A response that is dropped unread closes its connection, as does `close`");
    let server = Testbed::start();
    let s = Session::new();
    drop(s.get(server.url("/big/10000000")).stream(true).send()?);
    check("so the next connects", show(&s.get(server.url("/get")).send()?));
    s.close();
    check("and so does one after `close`", show(&s.get(server.url("/get")).send()?));
    check("that makes three", server.connections() == 3);
    Ok(())
}

fn one_shot() -> Result<()> {
    section("Calls without a session share connections, too");
    let server = Testbed::start();
    check("the first connects", show(&bequest::get(server.url("/get")).send()?));
    check("the second need not", !show(&bequest::get(server.url("/get")).send()?));
    Ok(())
}

fn settings() -> Result<()> {
    section("How many are kept, and for how long, can be set");
    let server = Testbed::start();
    let mut s = Session::new();
    s.mount("http://", HttpAdapter::new().idle_timeout(Duration::from_secs(5)).pool_maxsize(1));
    let streams = || s.get(server.url("/big/100000")).stream(true).send();
    for r in [streams()?, streams()?] {
        check("as many as are needed are opened", show(&r));
        r.content()?;
    }
    let (first, second) = (streams()?, streams()?);
    check("one was kept", !show(&first));
    check("and one was not", show(&second));
    Ok(())
}
