//! "Prepared Requests" of Requests' Advanced Usage: what would be sent can be looked at and edited
//! first, with a session's state or without.
//!
//! ```text
//! cargo run --release --example prepared_requests
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::time::Duration;

use bequest::{PreparedRequest, Request, Result, SendOptions, Session};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    // It answers with the very bytes that it received.
    let url = server.url("/wire");
    without_a_session(&url)?;
    with_a_session(&url)?;
    options(&server)?;
    target(&url)?;
    again(&url)?;
    conclude()
}

fn without_a_session(url: &str) -> Result<()> {
    section("Prepared by itself, a request has nothing of a session");
    let request = Request::new("POST", url).form([("key", "value")]).header("X-Bruce", "Bruce");
    let mut prepared = request.prepare()?;
    show(&prepared)?;
    check("the headers are its own and its body's", prepared.headers.len() == 2);
    check("the body is there to be read", prepared.body.as_bytes() == Some(b"key=value"));
    prepared.body = "No, I want exactly this as the body.".into();
    prepared.headers.remove("Content-Type");
    println!("   … edited:");
    show(&prepared)?;
    let head = prepared.wire_head()?;
    let r = Session::new().send(prepared, SendOptions::new())?;
    println!("   {}", r.status());
    let sent = [&head[..], b"No, I want exactly this as the body."].concat();
    check("what is edited is what is sent", r.content()? == sent);
    check("the length follows the body", r.text()?.contains("\r\nContent-Length: 36\r\n"));
    Ok(())
}

fn with_a_session(url: &str) -> Result<()> {
    section("Prepared by a session, it has the session's state");
    let mut s = Session::new();
    s.headers.insert("X-Team", "lumberjacks");
    s.params.insert("lang", "en");
    s.set_auth(("user", "pass"));
    let mut prepared = s.prepare(Request::new("GET", url).params([("page", "1")]))?;
    prepared.body = "Seriously, send exactly these bytes.".into();
    prepared.headers.insert("Keep-Dead", "parrot");
    show(&prepared)?;
    check("headers", prepared.headers.get("x-team") == Some("lumberjacks"));
    check("parameters", prepared.url.query() == Some("lang=en&page=1"));
    check("auth", prepared.headers.contains("authorization"));
    let wire = s.send(prepared, SendOptions::new())?.text()?;
    check("the header arrived", wire.contains("\r\nKeep-Dead: parrot\r\n"));
    check("a GET may have a body", wire.ends_with("\r\n\r\nSeriously, send exactly these bytes."));
    Ok(())
}

fn options(server: &Testbed) -> Result<()> {
    section("Settings come with the sending");
    let s = Session::new();
    let url = server.https_url("/stream/2");
    // It has some of its own; those of the sending win.
    let prepared = s.prepare(s.get(url).timeout(Duration::from_millis(1)))?;
    let options = SendOptions::new()
        .stream(true)
        .verify(server.ca_file())
        .timeout((Duration::from_secs(3), Duration::from_secs(27)));
    let r = s.send(prepared.clone(), options)?;
    println!("   {} from {}", r.status(), r.url());
    check("the server is trusted", r.ok());
    check("the body is streamed", r.iter_lines().count() == 2);
    let refused = s.send(prepared, SendOptions::new().timeout(Duration::from_secs(27)));
    check("but for this one request only", refused.is_err());
    Ok(())
}

fn target(url: &str) -> Result<()> {
    section("The target can be spelt by hand, as some signatures want it");
    let s = Session::new();
    let mut prepared = s.prepare(s.get(url))?;
    prepared.target = Some("/%77ire?B=2&a=1&b".into());
    show(&prepared)?;
    let wire = s.send(prepared, SendOptions::new())?.text()?;
    check("nothing was normalised", wire.starts_with("GET /%77ire?B=2&a=1&b HTTP/1.1\r\n"));
    Ok(())
}

fn again(url: &str) -> Result<()> {
    section("A response has the request that was sent, which can be sent again");
    let s = Session::new();
    let first = s.put(url).body("spam").send()?;
    let mut prepared: PreparedRequest = first.request().clone();
    check(
        "the same once more",
        s.send(prepared.clone(), SendOptions::new())?.text()? == first.text()?,
    );
    prepared.body = "spam, spam and eggs".into();
    let second = s.send(prepared, SendOptions::new())?;
    println!(
        "   Content-Length: {}",
        second.request().headers.get("content-length").unwrap_or("?")
    );
    check("with another body", second.text()?.ends_with("\r\n\r\nspam, spam and eggs"));
    Ok(())
}

/// The head as it will leave.
fn show(prepared: &PreparedRequest) -> Result<()> {
    let head = prepared.wire_head()?;
    String::from_utf8_lossy(&head).trim_end().lines().for_each(|line| println!("   > {line}"));
    Ok(())
}
