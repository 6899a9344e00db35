//! "Streaming Uploads" of Requests' Advanced Usage: files and readers are sent as they are read,
//! and never are in memory as a whole.
//!
//! ```text
//! cargo run --release --example streaming_uploads
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};

use bequest::{Body, ErrorKind, Response, Result, Session};
use serde_json::Value;
use support::{check, conclude, section};
use testbed::Testbed;

const MIB: u64 = 1024 * 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Its /sink tells how much it received, and keeps nothing.
    let server = Testbed::start();
    let s = Session::new();
    let sink = server.url("/sink");
    file(&s, &sink)?;
    rest_of_a_file(&s, &server)?;
    readers(&s, &sink)?;
    socket(&s, &sink)?;
    from_a_response(&s, &server)?;
    failing(&s, &sink);
    conclude()
}

fn file(s: &Session, sink: &str) -> Result<()> {
    section("A file goes with its length");
    let massive = tempfile::tempfile()?; // Or File::open("massive-body")?
    massive.set_len(256 * MIB)?;
    let before = peak();
    let r = s.post(sink).body(massive).send()?;
    told(&r)?;
    check("all of it arrived", length(&r)? == 256 * MIB);
    check("announced", r.request().headers.get("content-length") == Some("268435456"));
    if let (Some(before), Some(after)) = (before, peak()) {
        println!("   the process grew by {} KiB", after - before);
        check("in little memory", after - before < 16 * 1024);
    }
    Ok(())
}

fn rest_of_a_file(s: &Session, server: &Testbed) -> Result<()> {
    section("A file is sent from where it stands");
    let mut file: File = tempfile::tempfile()?;
    file.write_all(b"0123456789")?;
    file.seek(SeekFrom::Start(4))?;
    let r = s.post(server.url("/post")).body(file).send()?;
    let echo: Value = r.json()?;
    println!("   {}", echo["data"]);
    check("the rest", echo["data"] == "456789");
    check("and its length", echo["headers"]["Content-Length"] == "6");
    Ok(())
}

fn readers(s: &Session, sink: &str) -> Result<()> {
    section("A reader goes in chunks, unless you know its length");
    let reader = || Body::reader(io::repeat(b'x').take(64 * MIB));
    let r = s.post(sink).body(reader()).send()?;
    told(&r)?;
    check("chunked", r.request().headers.get("transfer-encoding") == Some("chunked"));
    check("whole", length(&r)? == 64 * MIB);
    let r = s.post(sink).body(reader().with_length(64 * MIB)).send()?;
    told(&r)?;
    check("announced", r.request().headers.get("content-length") == Some("67108864"));
    check("and not chunked", !r.request().headers.contains("transfer-encoding"));
    check("whole as well", length(&r)? == 64 * MIB);
    Ok(())
}

fn socket(s: &Session, sink: &str) -> Result<()> {
    section("A pipe or a socket is a reader, too; with a length, nobody waits for its end");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut writer = TcpStream::connect(listener.local_addr()?)?;
    let (socket, _) = listener.accept()?;
    writer.write_all(b"a parrot")?; // And no more, but it stays open.
    let r = s.post(sink).body(Body::reader(socket).with_length(8)).send()?;
    told(&r)?;
    check("as much as was said", length(&r)? == 8);
    Ok(())
}

fn from_a_response(s: &Session, server: &Testbed) -> Result<()> {
    section("What comes from one server can go to another as it comes");
    let source = s.get(server.url("/big/50000000")).stream(true).send()?;
    let size = source.content_length().unwrap_or_default();
    let body = Body::reader(source.into_reader()).with_length(size);
    let r = s.post(server.url("/sink")).body(body).send()?;
    told(&r)?;
    check("all of it", length(&r)? == 50_000_000);
    Ok(())
}

/// A disk that breaks in the middle.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is no more"))
    }
}

fn failing(s: &Session, sink: &str) {
    section("Nothing is sent short: a source that fails, or ends early, fails the request");
    let broken = Body::reader((&b"half"[..]).chain(Broken));
    match s.post(sink).body(broken).send() {
        Ok(_) => check("a broken source is an error", false),
        Err(error) => {
            println!("   {error}");
            check("the cause is told", format!("{error:?} {error}").contains("no more"));
        }
    }
    match s.post(sink).body(Body::reader(&b"short"[..]).with_length(100)).send() {
        Ok(_) => check("a short source is an error", false),
        Err(error) => {
            println!("   {error}");
            check("of its own kind", error.kind() == ErrorKind::LengthMismatch);
        }
    }
}

/// How the body was announced, and how much of it the server saw.
fn told(r: &Response) -> Result<()> {
    for field in ["Content-Length", "Transfer-Encoding"] {
        if let Some(value) = r.request().headers.get(field) {
            println!("   {field}: {value}; {} bytes arrived in {:?}", length(r)?, r.elapsed());
        }
    }
    Ok(())
}

fn length(r: &Response) -> Result<u64> {
    Ok(r.json::<Value>()?["length"].as_u64().unwrap_or_default())
}

/// The most memory that this process has had, in KiB, where the system tells it.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
