//! "Chunk-Encoded Requests" of Requests' Advanced Usage: a body that is made while it is sent, and
//! a response that is read as it comes.
//!
//! ```text
//! cargo run --release --example chunked_uploads
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::io;
use std::sync::mpsc;
use std::thread;

use bequest::{Body, Result, Session};
use serde_json::Value;
use support::{check, conclude, section};
use testbed::{RawServer, Script, Testbed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    let s = Session::new();
    on_the_wire(&s)?;
    generators(&s, &server)?;
    from_another_thread(&s, &server)?;
    known_length(&s, &server)?;
    failing(&s, &server);
    responses(&s, &server)?;
    conclude()
}

fn on_the_wire(s: &Session) -> Result<()> {
    section("Each item is one chunk");
    let end = "2\r\nhi\r\n5\r\nthere\r\n0\r\n\r\n";
    let script = Script::new().read_head().read_body(end.len());
    let server = RawServer::start(script.send("HTTP/1.1 204 No Content\r\n\r\n"));
    s.post(server.url("/chunked")).body(Body::chunks(["hi", "", "there"])).send()?;
    let wire = String::from_utf8_lossy(&server.received(0)).into_owned();
    wire.lines().for_each(|line| println!("   > {line}"));
    check("the head says so", wire.contains("\r\nTransfer-Encoding: chunked\r\n"));
    check("no length is announced", !wire.contains("Content-Length"));
    check("an empty item, which would end the body, is left out", wire.ends_with(end));
    Ok(())
}

fn generators(s: &Session, server: &Testbed) -> Result<()> {
    section("Any iterator will do, and it is asked for an item when there is room for it");
    let mut left = 10;
    let countdown = std::iter::from_fn(move || {
        left -= 1;
        (left >= 0).then(|| format!("{left}…"))
    });
    let echo: Value = s.post(server.url("/post")).body(Body::chunks(countdown)).send()?.json()?;
    println!("   {}", echo["data"]);
    check("all items arrived in order", echo["data"] == "9…8…7…6…5…4…3…2…1…0…");
    Ok(())
}

fn from_another_thread(s: &Session, server: &Testbed) -> Result<()> {
    section("A channel is an iterator");
    let (sender, receiver) = mpsc::sync_channel(1);
    let writer = thread::spawn(move || {
        let lines = ["spam\n", "eggs\n", "spam\n"];
        lines.into_iter().all(|line| sender.send(line).is_ok())
    });
    let echo: Value = s.post(server.url("/post")).body(Body::chunks(receiver)).send()?.json()?;
    println!("   {}", echo["data"]);
    check("the thread's lines arrived", echo["data"] == "spam\neggs\nspam\n");
    check("all were taken", writer.join().is_ok_and(|all| all));
    Ok(())
}

fn known_length(s: &Session, server: &Testbed) -> Result<()> {
    section("Some servers take no chunks: say how long it will be");
    let body = Body::chunks(["hi", "there"]).with_length(7);
    let echo: Value = s.post(server.url("/post")).body(body).send()?.json()?;
    println!("   Content-Length: {}", echo["headers"]["Content-Length"]);
    check("it is announced", echo["headers"]["Content-Length"] == "7");
    check("and nothing is chunked", echo["headers"]["Transfer-Encoding"].is_null());
    check("the same arrived", echo["data"] == "hithere");
    Ok(())
}

fn failing(s: &Session, server: &Testbed) {
    section("An iterator may fail: then the body is never ended, and the request fails");
    let chunks = [Ok("half"), Err(io::Error::other("the printer is out of ink"))];
    match s.post(server.url("/post")).body(Body::try_chunks(chunks)).send() {
        Ok(_) => check("a failure is an error", false),
        Err(error) => {
            println!("   {error}");
            check("the cause is told", error.to_string().contains("out of ink"));
        }
    }
}

fn responses(s: &Session, server: &Testbed) -> Result<()> {
    section("A chunked response is read as it comes, or in pieces of a size");
    let url = server.url("/stream-bytes/10000?chunk_size=3000&seed=1");
    let r = s.get(&url).stream(true).send()?;
    check("it is chunked", r.headers().get("transfer-encoding") == Some("chunked"));
    let mut total = 0;
    for piece in r.iter_content(None) {
        let piece = piece?;
        println!("   {} bytes arrived", piece.len());
        total += piece.len();
    }
    check("nothing is missing", total == 10_000);
    let r = s.get(&url).stream(true).send()?;
    let sizes: Result<Vec<_>> = r.iter_content(4096).map(|piece| Ok(piece?.len())).collect();
    let sizes = sizes?;
    println!("   {sizes:?} bytes");
    check("each has the size asked for, but the last", sizes == [4096, 4096, 1808]);
    Ok(())
}
