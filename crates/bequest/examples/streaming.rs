//! "Streaming Requests" of Requests' Advanced Usage: a stream of JSON is read line by line, each as
//! it arrives.
//!
//! ```text
//! cargo run --release --example streaming
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::time::{Duration, Instant};

use bequest::{Error, ErrorKind, Result};
use serde_json::Value;
use support::{check, conclude, section};
use testbed::{RawServer, Script, Testbed};

/// How long the servers here are silent between two parts.
const PAUSE: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    lines(&server)?;
    live()?;
    fallback_encoding()?;
    in_several_places(&server)?;
    pieces_of_text()?;
    breaks()?;
    conclude()
}

fn parse(line: &[u8]) -> Result<Value> {
    serde_json::from_slice(line).map_err(Error::other)
}

fn lines(server: &Testbed) -> Result<()> {
    section("Each line is JSON of its own");
    let r = bequest::get(server.url("/stream/20")).stream(true).send()?;
    let mut seen = Vec::new();
    for line in r.iter_lines() {
        let line = line?;
        // Filters out what only keeps the connection alive.
        if !line.is_empty() {
            seen.push(parse(&line)?["id"].clone());
        }
    }
    println!("   {} events, the last {}", seen.len(), seen[seen.len() - 1]);
    check("all twenty came, in order", seen.iter().enumerate().all(|(n, id)| *id == n));
    Ok(())
}

/// A server that says what it has to say bit by bit, and then no more.
fn says(content_type: &str, parts: &[&[u8]]) -> RawServer {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let mut script = Script::new().read_head().send(head);
    for part in parts {
        let size = format!("{:x}\r\n", part.len()).into_bytes();
        script = script.send([&size, *part, b"\r\n"].concat()).sleep(PAUSE);
    }
    RawServer::start(script.send("0\r\n\r\n").wait_close())
}

fn live() -> Result<()> {
    section("A line is there as soon as it has arrived, not when the server is done");
    // What keeps the connection alive is an empty line; the last line's end comes in two parts.
    let server = says("application/json", &[b"{\"said\": \"Ni!\"}\r\n", b"\r\n", b"{}\r", b"\n"]);
    let r = bequest::get(server.url("/")).stream(true).send()?;
    let start = Instant::now();
    let mut arrived = Vec::new();
    for line in r.iter_lines().decode_unicode() {
        let line = line?;
        println!("   after {:3} ms: {line:?}", start.elapsed().as_millis());
        arrived.push((line, start.elapsed()));
    }
    let lines: Vec<&str> = arrived.iter().map(|(line, _)| line.as_str()).collect();
    check("three lines", lines == ["{\"said\": \"Ni!\"}", "", "{}"]);
    check("the first came before the last was sent", arrived[0].1 + PAUSE / 2 < arrived[2].1);
    Ok(())
}

fn fallback_encoding() -> Result<()> {
    section("Where the server names no encoding, say which one it is");
    let lines: &[&[u8]] = &[b"{\"said\": \"\xa4\"}\n", b"{\"said\": \"\xbd\"}\n"];
    let server = says("application/octet-stream", lines);
    let mut r = bequest::get(server.url("/")).stream(true).send()?;
    check("it does not say", r.encoding().is_none());
    if r.encoding().is_none() {
        r.set_encoding("iso-8859-15");
    }
    let mut said = String::new();
    for line in r.iter_lines().decode_unicode() {
        said += parse(line?.as_bytes())?["said"].as_str().unwrap_or_default();
    }
    println!("   {said}");
    check("it is decoded as was said", said == "\u{20ac}\u{153}");
    let server = says("application/octet-stream", &["\u{20ac}\n".as_bytes()]);
    let r = bequest::get(server.url("/")).stream(true).send()?;
    let line = r.iter_lines().decode_unicode().next().transpose()?;
    check("else it is UTF-8: nothing has to be said", line.as_deref() == Some("\u{20ac}"));
    Ok(())
}

fn in_several_places(server: &Testbed) -> Result<()> {
    section("Lines may be read in several places: nothing is lost between them");
    let r = bequest::get(server.url("/stream/5")).stream(true).send()?;
    let first = r.iter_lines().next().transpose()?.unwrap_or_default();
    println!("   the first by itself: event {}", parse(&first)?["id"]);
    let mut ids = vec![parse(&first)?["id"].clone()];
    for line in r.iter_lines() {
        ids.push(parse(&line?)?["id"].clone());
    }
    println!("   then the rest: {} events in all", ids.len());
    check("all five came once", ids == [0, 1, 2, 3, 4]);
    Ok(())
}

fn pieces_of_text() -> Result<()> {
    section("Pieces can be text, too: a character that is split comes whole");
    let word = "caf\u{e9}".as_bytes();
    let server = says("text/plain; charset=utf-8", &[&word[..4], &word[4..]]);
    let r = bequest::get(server.url("/")).stream(true).send()?;
    let pieces: Vec<String> = r.iter_content(None).decode_unicode().collect::<Result<_>>()?;
    println!("   {pieces:?}");
    check("with the piece that ends it", pieces == ["caf", "\u{e9}"]);
    Ok(())
}

fn breaks() -> Result<()> {
    section("A stream that breaks off says so, after the lines that came");
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let server =
        RawServer::start(Script::new().read_head().send(head).send("4\r\none\n\r\n").close());
    let r = bequest::get(server.url("/")).stream(true).send()?;
    let mut lines = r.iter_lines();
    check("there was a line", lines.next().transpose()?.is_some_and(|line| line == "one"));
    let error = lines.next().and_then(Result::err);
    println!("   {}", error.as_ref().map(Error::to_string).unwrap_or_default());
    check("then an error", error.is_some_and(|error| error.kind() == ErrorKind::IncompleteBody));
    check("and no more", lines.next().is_none());
    Ok(())
}
