//! "Header Ordering" of Requests' Advanced Usage: headers leave in the order, the case and the
//! number that you say.
//!
//! ```text
//! cargo run --release --example header_order
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{Headers, Request, Result, Session};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    // It answers with the very bytes that it received.
    let url = server.url("/wire");
    a_requests_own(&url)?;
    defaults_replaced(&url)?;
    a_sessions(&url)?;
    host_and_length(&url)?;
    conclude()
}

fn a_requests_own(url: &str) -> Result<()> {
    section("New headers follow the defaults, in the order given");
    let s = Session::new();
    let own = [("x-THIRD", "3"), ("X-First", "1"), ("X-Second", "2"), ("x-first", "once more")];
    let names = names(s.get(url).headers(own))?;
    let expected = ["Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"];
    check("the defaults come first", names[..5] == expected);
    check("then yours", names[5..] == ["x-THIRD", "X-First", "X-Second", "x-first"]);
    Ok(())
}

fn defaults_replaced(url: &str) -> Result<()> {
    section("One that replaces a default takes its place, out of order with the others");
    let s = Session::new();
    let own = [("X-Before", "1"), ("accept", "text/html"), ("X-After", "2")];
    let names = names(s.get(url).headers(own))?;
    check("where Accept was, as it is written", names[3] == "accept");
    check("the others behind the defaults", names[5..] == ["X-Before", "X-After"]);
    Ok(())
}

fn a_sessions(url: &str) -> Result<()> {
    section("To decide on all of it, replace the session's headers");
    let mut s = Session::new();
    s.headers = Headers::from([
        ("Accept", "text/html"),
        ("accept-language", "en-GB"),
        ("User-Agent", "Spanish Inquisition/1.0"),
        ("Connection", "keep-alive"),
    ]);
    let names = names(s.get(url).header("USER-AGENT", "Nobody/1.0").header("X-Last", "1"))?;
    let expected = ["Host", "Accept", "accept-language", "USER-AGENT", "Connection", "X-Last"];
    check("that order holds, whatever a request replaces", names == expected);
    Ok(())
}

fn host_and_length(url: &str) -> Result<()> {
    section("Host comes first and the length last, unless you give them a place");
    let mut s = Session::new();
    s.headers = Headers::from([("A", "1"), ("B", "2")]);
    let theirs = names(s.post(url).body("spam"))?;
    check("by default", theirs == ["Host", "A", "B", "Content-Length"]);
    s.headers = Headers::from([("A", "1"), ("host", "cheese.example"), ("B", "2")]);
    let yours = names(s.post(url).header("content-length", 4).header("Z", "3").body("spam"))?;
    check("in their places", yours == ["A", "host", "B", "content-length", "Z"]);
    Ok(())
}

/// Sends a request, and tells the names of the headers as the server received them.
fn names(request: Request<&Session>) -> Result<Vec<String>> {
    let r = request.send()?;
    let wire = r.text()?;
    let (head, _) = wire.split_once("\r\n\r\n").unwrap_or_default();
    head.lines().for_each(|line| println!("   > {line}"));
    check("r.request() shows the same", head.ends_with(r.request().headers.to_string().trim_end()));
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    Ok(fields.map(|(name, _)| name.to_owned()).collect())
}
