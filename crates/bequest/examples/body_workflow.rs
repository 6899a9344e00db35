//! "Body Content Workflow" of Requests' Advanced Usage: look at the head first, then read the body,
//! a part of it or nothing.
//!
//! ```text
//! cargo run --release --example body_workflow
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::fs::File;
use std::io::{Read, Write};

use bequest::{ErrorKind, Response, Result, Session};
use serde_json::Value;
use support::{check, conclude, section};
use testbed::Testbed;

const MIB: usize = 1024 * 1024;
const TOO_LONG: u64 = MIB as u64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    at_once(&server)?;
    head_first(&server)?;
    in_pieces(&server)?;
    to_a_file(&server)?;
    in_lines(&server)?;
    as_sent(&server)?;
    one_after_the_other(&server)?;
    connections(&server)?;
    conclude()
}

fn at_once(server: &Testbed) -> Result<()> {
    section("By default the body is there when the response is, and can be looked at again");
    let r = bequest::get(server.url("/bytes/1000?seed=1")).send()?;
    println!("   {} bytes", r.content()?.len());
    check("all of it, twice", r.content()? == r.content()? && r.content()?.len() == 1000);
    Ok(())
}

fn head_first(server: &Testbed) -> Result<()> {
    section("With `stream` there is the head only, so that it can decide");
    for length in [100 * 1024, 64 * MIB] {
        let r = bequest::get(server.url(&format!("/big/{length}"))).stream(true).send()?;
        let announced = r.content_length().unwrap_or_default();
        if announced < TOO_LONG {
            let content = r.content()?;
            println!("   {announced} bytes: read");
            check("all of it is there", content.len() == length);
        } else {
            println!("   {announced} bytes: not read");
            check("that was too long", length == 64 * MIB);
        } // Dropped here: the connection is closed, the rest never comes.
    }
    let long = bequest::get(server.url("/big/2000000")).max_content(TOO_LONG).send();
    let kind = long.err().map(|error| {
        println!("   {error}");
        error.kind()
    });
    check("`max_content` does the same in one line", kind == Some(ErrorKind::TooLarge));
    Ok(())
}

fn in_pieces(server: &Testbed) -> Result<()> {
    section("`iter_content` gives pieces of a size, or with `None` whatever has arrived");
    let url = server.url("/big/1000000");
    let r = bequest::get(&url).stream(true).send()?;
    let sizes: Vec<usize> = r
        .iter_content(300_000)
        .map(|piece| piece.map(|piece| piece.len()))
        .collect::<Result<_>>()?;
    println!("   {sizes:?}");
    check("only the last is smaller", sizes == [300_000, 300_000, 300_000, 100_000]);
    let r = bequest::get(&url).stream(true).send()?;
    let mut most = 0;
    for piece in r.iter_content(None) {
        most = most.max(piece?.len());
    }
    println!("   no piece had more than {most} bytes");
    check("none is large", most <= 64 * 1024);
    let consumed = r.content().err().map(|error| {
        println!("   {error}");
        error.kind()
    });
    check("what was iterated is gone", consumed == Some(ErrorKind::StreamConsumed));
    Ok(())
}

fn to_a_file(server: &Testbed) -> Result<(), Box<dyn std::error::Error>> {
    section("A download goes to a file without ever being whole in memory");
    let path = std::env::temp_dir().join(format!("bequest-{}", std::process::id()));
    let r = bequest::get(server.url(&format!("/big/{}", 16 * MIB))).stream(true).send()?;
    let mut file = File::create(&path)?;
    let copied = std::io::copy(&mut r.reader(), &mut file)?;
    file.flush()?;
    println!("   {} MiB", copied / TOO_LONG);
    check("all of it is in the file", path.metadata()?.len() == 16 * TOO_LONG);
    std::fs::remove_file(path)?;
    Ok(())
}

fn in_lines(server: &Testbed) -> Result<()> {
    section("`iter_lines` gives lines, or records that end in what you say");
    let r = bequest::get(server.url("/stream/3")).stream(true).send()?;
    check("three lines", r.iter_lines().filter(Result::is_ok).count() == 3);
    let r = bequest::get(server.url("/get")).stream(true).send()?;
    let records: Vec<String> =
        r.iter_lines().delimiter(",").decode_unicode().collect::<Result<_>>()?;
    println!("   {} records between commas, the first {:?}", records.len(), records[0]);
    check("no comma is left in them", records.iter().all(|record| !record.contains(',')));
    Ok(())
}

fn as_sent(server: &Testbed) -> Result<(), Box<dyn std::error::Error>> {
    section("Content is decoded; `raw` has the bytes as they were sent");
    let read = |mut reader: bequest::Reader<'_>| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map(|_| bytes)
    };
    let get = || bequest::get(server.url("/gzip")).stream(true).send();
    let (decoded, r) = (read(get()?.reader())?, get()?);
    let sent = read(r.raw())?;
    println!("   {} bytes sent, {} decoded", sent.len(), decoded.len());
    check("one is JSON", serde_json::from_slice::<Value>(&decoded)?["gzipped"] == true);
    check("the other is gzip", sent.starts_with(b"\x1f\x8b"));
    check("of the length announced", r.content_length() == Some(sent.len() as u64));
    Ok(())
}

fn one_after_the_other(server: &Testbed) -> Result<()> {
    section("Readers may take turns: each goes on where the one before it stopped");
    let r = bequest::get(server.url("/wire")).header("X-Fish", "Wanda").stream(true).send()?;
    let first = next(r.iter_lines().decode_unicode())?;
    let piece = next(r.iter_content(5).decode_unicode())?;
    let rest = next(r.iter_lines().decode_unicode())?;
    println!("   {first:?}, then {piece:?}, then {rest:?}");
    check("the first line", first.starts_with("GET /wire HTTP/1.1"));
    check("and the second, in two parts", piece + &rest == format!("Host: {}", host(&r)));
    Ok(())
}

fn next(mut texts: impl Iterator<Item = Result<String>>) -> Result<String> {
    texts.next().unwrap_or_else(|| Ok(String::new()))
}

fn host(r: &Response) -> &str {
    r.request().headers.get("host").unwrap_or_default()
}

fn connections(server: &Testbed) -> Result<()> {
    section("A body read to its end gives its connection back; one that is dropped closes it");
    let s = Session::new();
    let connection = || s.get(server.url("/connection")).send()?.json::<Value>();
    let first = connection()?["connection"].clone();
    let r = s.get(server.url("/stream/5")).stream(true).send()?;
    for line in r.iter_lines() {
        line?;
    }
    let second = connection()?["connection"].clone();
    println!("   read to its end: connection {first}, and {second} again");
    check("the connection was used again", first == second);
    {
        let r = s.get(server.url("/big/100000000")).stream(true).send()?;
        check("a part was read", r.iter_content(10).next().is_some_and(|piece| piece.is_ok()));
    } // Python's `with` is Rust's block.
    let third = connection()?["connection"].clone();
    println!("   read in part: connection {third} now");
    check("there is a new one", second != third);
    Ok(())
}
