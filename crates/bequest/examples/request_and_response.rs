//! "Request and Response Objects" of Requests' Advanced Usage: what a response knows of the answer,
//! and of the question.
//!
//! ```text
//! cargo run --release --example request_and_response
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{Headers, Response, Result, Session};
use support::{check, conclude, section};
use testbed::{RawServer, Script};

/// A page, with header fields in an order and case that mean something, and one that repeats.
const PAGE: &str = "HTTP/1.1 200 Nobody Expects It\r\n\
    Server: Apache\r\n\
    X-Content-Type-Options: nosniff\r\n\
    SET-COOKIE: castle=camelot\r\n\
    vary: Accept-Encoding,Cookie\r\n\
    Set-Cookie: colour=blue\r\n\
    Content-Type: text/html; charset=utf-8\r\n\
    Content-Length: 18\r\n\
    \r\n\
    <h1>Spam\u{2009}!</h1>\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = RawServer::start(Script::respond(PAGE));
    let r = Session::new()
        .get(server.url("/wiki/Monty_Python"))
        .params([("action", "view")])
        .headers([("x-FIRST", "1"), ("Accept", "text/html"), ("X-Twice", "a"), ("X-Twice", "b")])
        .send()?;
    answer(&r)?;
    received(r.headers());
    url(&r);
    sent(&r.request().headers, &server.received(0));
    conclude()
}

fn answer(r: &Response) -> Result<()> {
    section("The answer");
    println!("   {:?} {} {}", r.version(), r.status().as_u16(), r.reason());
    println!("   {}", r.text()?.trim_end());
    check("a status compares with numbers", r.status() == 200);
    check("the reason is the server's own", r.reason() == "Nobody Expects It");
    check("the text is decoded", r.text()?.contains("Spam\u{2009}!"));
    Ok(())
}

fn received(headers: &Headers) {
    section("The headers that the server sent, r.headers()");
    show(headers);
    check("any case finds a field", headers.get("server") == headers.get("SERVER"));
    let names: Vec<&str> = headers.iter().map(|(name, _)| name).collect();
    check("order and case are the server's", names[2..5] == ["SET-COOKIE", "vary", "Set-Cookie"]);
    let cookies: Vec<&str> = headers.get_all("set-cookie").collect();
    check("repeats are kept apart", cookies == ["castle=camelot", "colour=blue"]);
    check("get() has the first", headers.get("set-cookie") == Some("castle=camelot"));
    check("a field that is not there is None", headers.get("x-parrot").is_none());
}

fn url(r: &Response) {
    section("The URL that answered, r.url()");
    println!("   {}", r.url());
    check("path", r.url().path() == "/wiki/Monty_Python");
    check("query", r.url().query() == Some("action=view"));
    check("it is the request's", *r.url() == r.request().url);
}

/// `wire` is what the server received.
fn sent(headers: &Headers, wire: &[u8]) {
    section("The headers that we sent, r.request().headers");
    show(headers);
    check("Host is there, though nobody set it", headers.contains("host"));
    let replaced = headers.iter().position(|(name, _)| name == "Accept");
    check("Accept took the place of the session's", replaced == Some(3));
    check("repeats leave as repeats", headers.get_all("X-Twice").eq(["a", "b"]));
    let head = format!("GET /wiki/Monty_Python?action=view HTTP/1.1\r\n{headers}\r\n");
    check("these are the bytes that went out", wire == head.as_bytes());
}

fn show(headers: &Headers) {
    for (name, value) in headers {
        println!("   {name}: {}", String::from_utf8_lossy(value));
    }
}
