//! "Remove a Value From a Dict Parameter" of Requests' Advanced Usage: a request goes without
//! something that its session has.
//!
//! ```text
//! cargo run --release --example omit_values
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::time::Duration;

use bequest::{NoAuth, Result, Session};
use serde_json::Value;
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    let s = session();
    omitted(&server, &s)?;
    defaults_too(&server, &s)?;
    in_the_session(&server, s)?;
    conclude()
}

fn session() -> Session {
    let mut s = Session::new();
    s.headers.insert("X-Test", "true");
    s.headers.insert("X-Team", "lumberjacks");
    s.params.insert("key", "value");
    s.params.insert("lang", "en");
    s.set_auth(("user", "pass"));
    s.timeout = Duration::from_secs(5).into();
    s
}

fn omitted(server: &Testbed, s: &Session) -> Result<()> {
    section("A request omits headers, parameters and the auth of its session");
    let url = server.url("/get");
    let request = s.get(&url).without_header("x-test").without_param("key").auth(NoAuth);
    let r = request.send()?;
    let seen: Value = r.json()?;
    println!("   {}", r.url());
    println!("   {}", seen["headers"]);
    check("not that header, whatever its case", seen["headers"]["X-Test"].is_null());
    check("but the other one", seen["headers"]["X-Team"] == "lumberjacks");
    check("not that parameter, but the other one", r.url().query() == Some("lang=en"));
    check("not the auth", seen["headers"]["Authorization"].is_null());
    let r = s.get(&url).timeout(None).send()?;
    let limit = r.request().settings().and_then(|settings| settings.timeout.read_limit());
    check("nor the timeout", limit.is_none());
    Ok(())
}

fn defaults_too(server: &Testbed, s: &Session) -> Result<()> {
    section("Nothing was taken from the session, and its defaults can be omitted as well");
    let r = s.get(server.url("/get")).send()?;
    println!("   {}", r.url());
    check("the next has it all", r.url().query() == Some("key=value&lang=en"));
    check("headers, too", r.request().headers.contains("x-test"));
    let r = s.get(server.url("/wire")).without_header("User-Agent").without_header("Accept");
    let wire = r.send()?.text()?;
    wire.trim_end().lines().for_each(|line| println!("   > {line}"));
    check("no User-Agent", !wire.contains("User-Agent"));
    check("no Accept", !wire.contains("Accept: "));
    Ok(())
}

fn in_the_session(server: &Testbed, mut s: Session) -> Result<()> {
    section("All values of a session are there to be read, changed and removed");
    for (name, value) in &s.headers {
        println!("   {name}: {}", String::from_utf8_lossy(value));
    }
    s.headers.remove("X-Test");
    s.auth = None;
    s.params.remove("key");
    s.params.remove("lang");
    let r = s.get(server.url("/get")).send()?;
    check("the header is gone", !r.request().headers.contains("x-test"));
    check("the auth is gone", !r.request().headers.contains("authorization"));
    check("the parameters are gone", r.url().query().is_none());
    Ok(())
}
