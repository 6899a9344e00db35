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
    Auth, Body, Error, ErrorKind, Part, PreparedRequest, Response, Result, SendOptions, Session,
    Timeout, adapter_fn,
};
use serde::Deserialize;
use serde_json::Value;
use support::{check, conclude, section};
use testbed::Testbed;

const MIB: usize = 1024 * 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    one_shot(&server)?;
    form_and_json(&server)?;
    files(&server)?;
    session(&server)?;
    cookies(&server)?;
    redirects(&server)?;
    headers(&server)?;
    prepared_request(&server)?;
    download(&server)?;
    lines(&server)?;
    decoding(&server)?;
    links()?;
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

fn form_and_json(server: &Testbed) -> Result<()> {
    #[derive(Deserialize)]
    struct Echo {
        form: BTreeMap<String, String>,
    }

    section("A form goes out, JSON comes back as a struct of yours");
    let r = bequest::post(server.url("/post")).form([("name", "Brian"), ("rank", "M&P")]).send()?;
    let sent = r.request().body.as_bytes().unwrap_or_default();
    let echo: Echo = r.json()?;
    println!("   {} was read as {:?}", String::from_utf8_lossy(sent), echo.form);
    check("the struct is filled in", echo.form["rank"] == "M&P");
    Ok(())
}

fn files(server: &Testbed) -> Result<()> {
    section("A form with files is streamed, whatever they are read from");
    let report = Part::from(Body::reader("spam,eggs\n".as_bytes())).file_name("report.csv");
    let r = bequest::post(server.url("/post"))
        .files([("file", report.mime("text/csv"))])
        .form([("name", "Brian")])
        .send()?;
    let seen: Value = r.json()?;
    println!("   {} and {}", seen["form"], seen["files"]);
    check("the field arrived", seen["form"]["name"] == "Brian");
    check("the file arrived", seen["files"]["file"] == "spam,eggs\n");
    Ok(())
}

fn session(server: &Testbed) -> Result<()> {
    section("A session keeps settings and connections");
    let mut s = Session::new();
    s.headers.insert("X-Team", "lumberjacks");
    s.params.insert("lang", "en");
    s.timeout = Duration::from_secs(5).into();
    for nth in 1..=3 {
        let r = s.get(server.url("/connection")).send()?;
        let seen: Value = r.json()?;
        println!("   {}: request {nth} on connection {}", r.url(), seen["connection"]);
        check("all use one connection", seen["requests"] == nth);
        check("each has the session's header", r.request().headers.contains("x-team"));
    }
    let r = s.get(server.url("/get")).without_header("X-Team").send()?;
    check("a request can do without", r.json::<Value>()?["headers"]["X-Team"].is_null());
    Ok(())
}

fn cookies(server: &Testbed) -> Result<()> {
    section("A session keeps cookies, each for the place that it was set for");
    let s = Session::new();
    s.get(server.url("/cookies/set/session/123456789")).send()?;
    s.cookies.set("lang", "en", server.url("/"))?; // One of your own.
    let r = s.get(server.url("/cookies")).cookie("from-my", "browser").send()?;
    let seen: Value = r.json()?;
    println!("   {}", seen["cookies"]);
    check("all three were sent", seen["cookies"].as_object().is_some_and(|all| all.len() == 3));
    check("that of the request is not kept", s.cookies.len() == 2);
    Ok(())
}

fn redirects(server: &Testbed) -> Result<()> {
    section("Redirects are followed; credentials don't leave the origin that they are for");
    let other = Testbed::start();
    let to = [("url", other.url("/headers"))];
    let r = bequest::get(server.url("/redirect-to")).params(to).auth(("user", "pass")).send()?;
    for hop in r.history().iter().chain([&r]) {
        let sent = hop.request().headers.contains("authorization");
        println!("   {} from port {:?}, credentials: {sent}", hop.status(), hop.url().port());
        check("only the first saw them", sent == hop.is_redirect());
    }
    let r = bequest::get(server.url("/redirect/3")).allow_redirects(false).send()?;
    let next = r.next_request()?;
    println!("   {}: {:?}", r.status(), next.as_ref().map(|next| next.url.path()));
    check("or not followed", r.is_redirect() && next.is_some());
    Ok(())
}

fn headers(server: &Testbed) -> Result<()> {
    section("Headers leave in your order and case");
    let request = bequest::get(server.url("/wire")); // It shows the bytes that it received.
    let r = request.header("x-mIXed", "1").header("Accept", "text/plain").send()?;
    let wire = r.text()?;
    wire.trim_end().lines().for_each(|line| println!("   > {line}"));
    check("r.request() shows them all", wire.contains(&r.request().headers.to_string()));
    for (name, value) in r.headers() {
        println!("   < {name}: {}", String::from_utf8_lossy(value));
    }
    Ok(())
}

fn prepared_request(server: &Testbed) -> Result<()> {
    section("A prepared request can be edited; what you see is what is sent");
    let s = Session::new();
    let mut prepared = s.post(server.url("/wire")).form([("key", "value")]).prepare()?;
    prepared.body = "No, I want exactly this.".into();
    prepared.headers.remove("Content-Type");
    prepared.headers.insert("Keep-Dead", "parrot");
    let head = String::from_utf8_lossy(&prepared.wire_head()?).into_owned();
    head.trim_end().lines().for_each(|line| println!("   > {line}"));
    let r = s.send(prepared, SendOptions::new())?;
    check("byte for byte", r.text()? == head + "No, I want exactly this.");
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
    section("A stream of JSON is read line by line, each as it arrives");
    let r = bequest::get(server.url("/stream/3")).stream(true).send()?;
    for (expected, line) in r.iter_lines().enumerate() {
        let event: Value = serde_json::from_slice(&line?).map_err(Error::other)?;
        println!("   event {}", event["id"]);
        check("events come in order", event["id"] == expected);
    }
    Ok(())
}

fn decoding(server: &Testbed) -> Result<()> {
    section("What comes packed is unpacked, and text is read in its charset");
    for path in ["/gzip", "/deflate", "/brotli", "/zstd"] {
        let r = bequest::get(server.url(path)).send()?;
        let coding = r.headers().get("content-encoding").unwrap_or("none").to_owned();
        println!("   {coding}: {:?} bytes became {}", r.content_length(), r.content()?.len());
        check("it is JSON again", r.json::<Value>()?["headers"].is_object());
    }
    let r = bequest::get(server.url("/encoding/utf8")).send()?;
    let text = r.text()?;
    let french = text.lines().find(|line| line.contains("cœur")).unwrap_or_default();
    println!("   {}", french.trim());
    check("French is French", r.encoding().as_deref() == Some("utf-8") && !french.is_empty());
    Ok(())
}

fn links() -> Result<()> {
    section("Links of a response turn pages");
    let mut s = Session::new();
    s.mount(
        "https://api.example/",
        adapter_fn(|request, _settings| {
            let page = request.url.query().and_then(|query| query.strip_prefix("page="));
            let next = match page {
                None => "<?page=2>; rel=next",
                Some("2") => "<?page=3>; rel=next",
                Some(_) => "<?>; rel=first",
            };
            Response::builder().header("Link", next).build()
        }),
    );
    let mut page = Some("https://api.example/spam".to_owned());
    let mut seen = 0;
    while let Some(url) = page {
        let r = s.get(&url).send()?;
        println!("   {}", r.url());
        seen += 1;
        page = r.links().get("next").map(|link| link.url().to_owned());
    }
    check("the last page has no next one", seen == 3);
    Ok(())
}

fn upload(server: &Testbed) -> Result<()> {
    section("An upload is read from a file, an iterator, or anything else that can be read");
    let size = 8 * MIB as u64;
    let reader = || Body::reader(std::io::repeat(b'x').take(size));
    for (body, field) in [
        (reader(), "Transfer-Encoding"), // Its length is not known, so it goes in chunks.
        (reader().with_length(size), "Content-Length"),
    ] {
        let r = bequest::put(server.url("/sink")).body(body).send()?;
        println!("   {field}: {}", r.request().headers.get(field).unwrap_or("none"));
        check("the head announces it", r.request().headers.contains(field));
        check("all of it arrived", r.json::<Value>()?["length"] == size);
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
    let slow = bequest::get(server.url("/delay/30")).timeout((long, short));
    refused("silence", slow.send(), ErrorKind::ReadTimeout);
    let dripping = bequest::get(server.url("/drip")).timeout(Timeout::new().total(2 * short));
    refused("a body that drips for two seconds", dripping.send(), ErrorKind::Deadline);
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
    Ok(())
}

/// Shows an error as a person sees it, and checks its kind as a program does.
fn refused(what: &str, result: Result<Response>, kind: ErrorKind) {
    match result {
        Ok(_) => check(what, false),
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
    let echo: Value = s.get(server.url("/get")).send()?.json()?;
    check("one changed the request", echo["headers"]["X-Sent-By"] == "a hook");
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
    let signature = r.request().headers.get("X-Signature").unwrap_or_default();
    println!("   X-Signature: {signature}");
    check("the body was there to be signed", signature == "PUT /put 4");
    Ok(())
}

fn mock() -> Result<()> {
    section("An adapter answers for a scheme or a host: your tests need no server");
    let mut s = Session::new();
    let adapter = adapter_fn(|request, _settings| {
        Response::builder().status(418).body(format!("no {}", request.url.path())).build()
    });
    s.mount("https://kitchen.example/", adapter);
    let r = s.get("https://kitchen.example/coffee").send()?;
    println!("   {}: {}", r.status(), r.text()?);
    check("the adapter answered", r.status() == 418);
    Ok(())
}
