//! "POST Multiple Multipart-Encoded Files" of Requests' Advanced Usage: several files in one form.
//!
//! ```text
//! cargo run --release --example multipart
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::fs;
use std::io::Read;
use std::path::Path;

use bequest::{Body, ErrorKind, Part, Request, Result};
use serde_json::{Value, json};
use support::{check, conclude, section};
use testbed::Testbed;

const MIB: u64 = 1024 * 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("foo.png"), b"\x89PNG\r\n\x1a\n, the first")?;
    fs::write(folder.path().join("bar.png"), b"\x89PNG\r\n\x1a\n, the second")?;
    images(&server, folder.path())?;
    fields(&server, folder.path())?;
    whole(&server)?;
    streamed(&server)?;
    boundary()?;
    conclude()
}

fn images(server: &Testbed, folder: &Path) -> Result<()> {
    section("Several files of one field: a list of the field's name and a part");
    let r = bequest::post(server.url("/post"))
        .files([
            ("images", Part::file(folder.join("foo.png"))?.mime("image/png")),
            ("images", Part::file(folder.join("bar.png"))?.mime("image/png")),
        ])
        .send()?;
    let content_type = r.request().headers.get("Content-Type").unwrap_or_default();
    let length = r.request().headers.get("Content-Length").unwrap_or_default();
    println!("   Content-Type: {content_type}\n   Content-Length: {length}");
    check(
        "the boundary is made for it",
        content_type.starts_with("multipart/form-data; boundary="),
    );
    check(
        "the length is announced before a file is read",
        length.parse().is_ok_and(|n: u64| n > 0),
    );
    let images = &r.json::<Value>()?["files"]["images"];
    check("both arrived, in their order", images.as_array().is_some_and(|all| all.len() == 2));
    Ok(())
}

fn fields(server: &Testbed, folder: &Path) -> Result<()> {
    section("A form's fields go with them, and types can be guessed");
    let r = bequest::post(server.url("/wire"))
        .form([("album", "holidays"), ("tags", "sea")])
        .files([("image", Part::file(folder.join("foo.png"))?.guess_mime())])
        .files([("notes", ("notes.txt", "no type unless you want one"))])
        .files([("caption", Part::field("no file at all").header("X-Lang", "en"))])
        .send()?;
    let wire = r.content()?;
    let wire = String::from_utf8_lossy(&wire);
    let lines: Vec<_> = wire.lines().filter(|line| line.contains(": form-data")).collect();
    lines.iter().for_each(|line| println!("   {line}"));
    let place = |text: &str| wire.find(text).unwrap_or(usize::MAX);
    check("fields come first", place("\"album\"") < place("\"image\""));
    check(
        "the ending said what it is",
        wire.contains("\"foo.png\"\r\nContent-Type: image/png\r\n"),
    );
    check("without a type there is no line", wire.contains("\"notes.txt\"\r\n\r\nno type"));
    check("a part has headers of its own", wire.contains("\"caption\"\r\nX-Lang: en\r\n\r\n"));
    Ok(())
}

fn whole(server: &Testbed) -> Result<()> {
    section("Text, bytes and pairs with a file name are parts by themselves");
    let r = bequest::post(server.url("/post"))
        .files([("report", "some,data,to,send\n")])
        .files([("bytes", [0xff, 0xd8].as_slice())])
        .files([("named", ("a \"quoted\"\r\nname", "x", "text/csv"))])
        .send()?;
    let files = &r.json::<Value>()?["files"];
    println!("   {files}");
    check("text", files["report"] == "some,data,to,send\n");
    check("bytes", files["bytes"] == "data:application/octet-stream;base64,/9g=");
    check("a name can't end its line", files.as_object().is_some_and(|files| files.len() == 3));
    Ok(())
}

fn streamed(server: &Testbed) -> Result<()> {
    section("Nothing is built in memory: each part is read when its turn comes");
    let video = || Body::reader(std::io::repeat(b'x').take(64 * MIB));
    for (body, field) in [
        (video().with_length(64 * MIB), "Content-Length"),
        (video(), "Transfer-Encoding"), // Nobody knows how long it will be.
    ] {
        let files = [("video", Part::new(body).file_name("clip.mp4").guess_mime())];
        let r = bequest::post(server.url("/count")).files(files).form([("k", "v")]).send()?;
        println!("   {field}: {}", r.request().headers.get(field).unwrap_or("none"));
        check("the head announces it", r.request().headers.contains(field));
        let length = r.json::<Value>()?["length"].as_u64();
        check("all of it arrived", length.is_some_and(|length| length > 64 * MIB));
    }
    let short = Body::reader("short".as_bytes()).with_length(MIB);
    let failed = bequest::post(server.url("/count")).files([("f", short)]).send();
    let failed = failed.err().map(|error| {
        println!("   {error}");
        error.kind()
    });
    check("a part shorter than announced is an error", failed == Some(ErrorKind::LengthMismatch));
    Ok(())
}

fn boundary() -> Result<()> {
    section("A Content-Type of yours keeps its boundary, and the body has the same");
    let request = Request::new("POST", "http://example.org/")
        .header("Content-Type", "multipart/form-data; boundary=my-own")
        .files([("f", "x")]);
    let prepared = request.prepare()?;
    check("the body is delimited by it", {
        prepared.body.as_bytes().is_some_and(|body| body.starts_with(b"--my-own\r\n"))
    });
    let request = Request::new("POST", "http://example.org/")
        .header("Content-Type", "multipart/form-data; boundary=my-own")
        .files([("f", "--my-own--")]);
    match request.prepare() {
        Ok(_) => check("a part with the boundary in it is refused", false),
        Err(error) => {
            println!("   {error}");
            check("a part with the boundary in it is refused", error.remedy().is_some());
        }
    }
    check("an empty list of files is no form", {
        let none: [(&str, Part); 0] = [];
        let plain = Request::new("POST", "http://example.org/").files(none).form(json!({"k": 1}));
        plain.prepare()?.body.as_bytes() == Some(b"k=1")
    });
    Ok(())
}
