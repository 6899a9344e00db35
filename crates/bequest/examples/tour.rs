//! A walk through the library, against a server of its own: no network is needed.
//!
//! ```text
//! cargo run --release --example tour
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use bequest::{
    Auth, Body, ErrorKind, PreparedRequest, Request, Response, Result, SendOptions, Session,
    Timeout, adapter_fn,
};
use serde::Deserialize;
use support::{check, conclude, section};
use testbed::Testbed;

const MIB: usize = 1024 * 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    one_shot(&server)?;
    json(&server)?;
    session(&server)?;
    headers(&server)?;
    prepared_request(&server)?;
    form(&server)?;
    download(&server)?;
    lines(&server)?;
    upload(&server)?;
    https(&server)?;
    timeouts(&server)?;
    errors(&server)?;
    hooks(&server)?;
    custom_auth(&server)?;
    mock()?;
    conclude()
}

fn one_shot(server: &Testbed) -> Result<()> {
    section("A request is one line");
    let r = bequest::get(server.url("/get")).params([("q", "rust"), ("page", "2")]).send()?;
    println!("   {} {}", r.request().method, r.url());
    println!("   {}, {} bytes, {:?}", r.status(), r.content()?.len(), r.elapsed());
    check("the status compares with numbers", r.status() == 200);
    check("parameters are in the URL", r.url().query() == Some("q=rust&page=2"));
    Ok(())
}

/// What the server says about a request. `Response::json` fills it in.
#[derive(Deserialize)]
struct Echo {
    #[serde(default)]
    args: BTreeMap<String, String>,
    #[serde(default)]
    form: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
}

fn json(server: &Testbed) -> Result<()> {
    section("JSON becomes a struct of yours");
    let echo: Echo = bequest::get(server.url("/get?language=rust")).send()?.json()?;
    println!("   the server saw {:?}", echo.args);
    check("the struct is filled in", echo.args["language"] == "rust");
    Ok(())
}

fn session(server: &Testbed) -> Result<()> {
    #[derive(Deserialize)]
    struct Connection {
        connection: u64,
        requests: u64,
    }

    section("A session keeps settings and connections");
    let mut s = Session::new();
    s.headers.insert("X-Team", "lumberjacks");
    s.params.insert("lang", "en");
    s.timeout = Duration::from_secs(5).into();
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let r = s.get(server.url("/connection")).send()?;
        let Connection { connection, requests } = r.json()?;
        println!("   {} is request {requests} on connection {connection}", r.url());
        check("a setting of the session is sent", r.request().headers.contains("x-team"));
        numbers.push((connection, requests));
    }
    let first = numbers[0].0;
    check("one connection served all", numbers == [(first, 1), (first, 2), (first, 3)]);
    let r = s.get(server.url("/get")).without_header("X-Team").without_param("lang").send()?;
    check("a request can do without", !r.json::<Echo>()?.headers.contains_key("X-Team"));
    check("without the parameter, too", r.url().query().is_none());
    Ok(())
}

fn headers(server: &Testbed) -> Result<()> {
    section("Headers leave in your order and case");
    let s = Session::new();
    let r = s.get(server.url("/wire")).header("x-LOWER-first", "1").header("Accept", "a/b").send()?;
    let wire = r.text()?; // This page shows the bytes that the server received.
    wire.trim_end().lines().for_each(|line| println!("   > {line}"));
    check("r.request() shows them all", wire.contains(&r.request().headers.to_string()));
    for (name, value) in r.headers() {
        println!("   < {name}: {}", String::from_utf8_lossy(value));
    }
    let content_type = r.headers().get("CONTENT-TYPE");
    check("case does not matter in a look-up", content_type.is_some());
    Ok(())
}

fn prepared_request(server: &Testbed) -> Result<()> {
    section("A prepared request can be edited; what you see is what is sent");
    let s = Session::new();
    let request = Request::new("POST", server.url("/wire")).form([("key", "value")]);
    let mut prepared = s.prepare(request)?;
    prepared.body = "No, I want exactly this as the body.".into();
    prepared.headers.remove("Content-Type");
    prepared.headers.insert("Keep-Dead", "parrot");
    let head = String::from_utf8_lossy(&prepared.wire_head()?).into_owned();
    head.trim_end().lines().for_each(|line| println!("   > {line}"));
    let r = s.send(prepared, SendOptions::new())?;
    check("byte for byte", r.text()? == head + "No, I want exactly this as the body.");
    Ok(())
}

fn form(server: &Testbed) -> Result<()> {
    section("A form is pairs, a map or a struct");
    let r = bequest::post(server.url("/post")).form([("name", "Brian"), ("rank", "M&P")]).send()?;
    let sent = r.request().body.as_bytes().unwrap_or_default();
    println!("   {}", String::from_utf8_lossy(sent));
    check("the server reads it back", r.json::<Echo>()?.form["rank"] == "M&P");
    Ok(())
}

fn download(server: &Testbed) -> Result<()> {
    section("A large body is read in pieces, as large as you like");
    let r = bequest::get(server.url(&format!("/big/{}", 16 * MIB))).stream(true).send()?;
    let (mut pieces, mut bytes) = (0, 0);
    for piece in r.iter_content(256 * 1024) {
        pieces += 1;
        bytes += piece?.len();
    }
    println!("   {pieces} pieces, {} MiB", bytes / MIB);
    check("every piece is full", pieces == 64);
    check("nothing is missing", r.content_length() == Some(bytes as u64));
    Ok(())
}

fn lines(server: &Testbed) -> Result<()> {
    #[derive(Deserialize)]
    struct Event {
        id: usize,
    }

    section("A stream of JSON is read line by line, each as it arrives");
    let r = bequest::get(server.url("/stream/5")).stream(true).send()?;
    let mut ids = Vec::new();
    for line in r.iter_lines() {
        let event: Event = serde_json::from_slice(&line?).map_err(bequest::Error::other)?;
        ids.push(event.id);
    }
    println!("   events {ids:?}");
    check("in order", ids == [0, 1, 2, 3, 4]);
    Ok(())
}

fn upload(server: &Testbed) -> Result<()> {
    #[derive(Deserialize)]
    struct Sink {
        length: usize,
    }

    section("An upload is read from a file, an iterator, or anything else that can be read");
    let endless = std::io::repeat(b'x');
    let chunked = Body::reader(endless.take(8 * MIB as u64));
    let sized = Body::reader(std::io::repeat(b'x').take(5)).with_length(5);
    for (body, expected) in [(chunked, 8 * MIB), (sized, 5)] {
        let r = bequest::put(server.url("/sink")).body(body).send()?;
        let headers = &r.request().headers;
        let coding = headers.get("Transfer-Encoding").or(headers.get("Content-Length"));
        let Sink { length } = r.json()?;
        println!("   {length} bytes, announced as {}", coding.unwrap_or("nothing"));
        check("all of it arrived", length == expected);
    }
    Ok(())
}

fn https(server: &Testbed) -> Result<()> {
    section("HTTPS: certificates are verified, against the authorities that you trust");
    let url = server.https_url("/get");
    let r = bequest::get(&url).verify(server.ca_file()).send()?;
    println!("   {}; the handshake took {:?}", r.status(), r.timings().tls.unwrap_or_default());
    refused("a stranger", bequest::get(&url).send(), ErrorKind::Tls);
    Ok(())
}

fn timeouts(server: &Testbed) -> Result<()> {
    section("Timeouts: for connecting, for silence, for everything");
    let (short, long) = (Duration::from_millis(100), Duration::from_secs(60));
    let slow = bequest::get(server.url("/delay/30")).timeout((long, short)).send();
    refused("silence", slow, ErrorKind::ReadTimeout);
    let total = Timeout::new().total(2 * short);
    let dripping = bequest::get(server.url("/drip?numbytes=600&duration=30")).timeout(total).send();
    refused("a body that drips", dripping, ErrorKind::Deadline);
    Ok(())
}

fn errors(server: &Testbed) -> Result<()> {
    section("Errors say which request, where, why, and what to do");
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?; // Closed again at once.
    refused("a closed port", bequest::get(format!("http://{nobody}/")).send(), ErrorKind::Connect);
    let missing = bequest::get(server.url("/status/404")).send()?.error_for_status();
    refused("a missing page", missing, ErrorKind::HttpStatus);
    let smuggled = bequest::get(server.url("/")).header("X-Name", "a\r\nX-Admin: yes").send();
    refused("a smuggled header", smuggled, ErrorKind::InvalidHeader);
    refused("a URL without a scheme", bequest::get("example.org").send(), ErrorKind::MissingSchema);
    Ok(())
}

/// Shows an error as a person sees it, and checks its kind as a program does.
fn refused(what: &str, result: Result<Response>, kind: ErrorKind) {
    match result {
        Ok(r) => check(&format!("{what} is refused, not {}", r.status()), false),
        Err(error) => {
            println!("   {error}");
            check(what, error.kind() == kind);
        }
    }
}

fn hooks(server: &Testbed) -> Result<()> {
    section("Hooks see every request and every response");
    let mut s = Session::new();
    s.hooks.request.push(|request| {
        request.headers.insert("X-Sent-By", "a hook");
        Ok(())
    });
    s.hooks.response.push(|response| {
        println!("   {} for {}", response.status(), response.url());
        response.error_for_status()
    });
    let echo: Echo = s.get(server.url("/get")).send()?.json()?;
    check("one changed the request", echo.headers["X-Sent-By"] == "a hook");
    let failed = s.get(server.url("/status/503")).send();
    check("one made a status an error", failed.is_err_and(|error| error.response().is_some()));
    Ok(())
}

/// Signs requests; a real one would use a key.
struct Signature;

impl Auth for Signature {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        let length = request.body.len().unwrap_or_default();
        let signature = format!("{} {} {length}", request.method, request.url.path());
        request.headers.insert("X-Signature", signature);
        Ok(())
    }
}

fn custom_auth(server: &Testbed) -> Result<()> {
    section("Authentication: Basic, Bearer, or your own");
    let r = bequest::get(server.url("/basic-auth/user/pass")).auth(("user", "pass")).send()?;
    check("a pair is Basic", r.ok());
    let r = bequest::put(server.url("/put")).body("spam").auth(Signature).send()?;
    let signature = r.request().headers.get("X-Signature");
    println!("   X-Signature: {}", signature.unwrap_or("none"));
    check("the body was there to be signed", signature == Some("PUT /put 4"));
    Ok(())
}

fn mock() -> Result<()> {
    section("An adapter answers for a scheme or a host: your tests need no server");
    let mut s = Session::new();
    let adapter = adapter_fn(|request, _| match request.url.path() {
        "/teapot" => Response::builder().status(418).body("I'm a teapot").build(),
        path => Response::builder().status(404).body(format!("no {path}")).build(),
    });
    s.mount("https://kitchen.example/", adapter);
    let r = s.get("https://kitchen.example/teapot").send()?;
    println!("   {}: {}", r.status(), r.text()?);
    check("the adapter answered", r.status() == 418);
    Ok(())
}
