//! "Transport Adapters" of Requests' Advanced Usage: what carries the requests of which URLs.
//!
//! ```text
//! cargo run --release --example adapters
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bequest::{
    Adapter, BoxFuture, Error, ErrorKind, Expectation, HttpAdapter, MockAdapter, PreparedRequest,
    Response, Result, Session, Settings, adapter_fn,
};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    settings(&server)?;
    prefixes(&server)?;
    table()?;
    of_your_own(&server)?;
    functions()?;
    mock()?;
    conclude()
}

fn settings(server: &Testbed) -> Result<()> {
    section("A session has an HttpAdapter; one with other settings takes its place");
    let mut s = Session::new();
    s.mount(
        "http://",
        HttpAdapter::new()
            .pool_connections(10)
            .pool_maxsize(2)
            .idle_timeout(Duration::from_secs(15)),
    );
    for _ in 0..3 {
        s.get(server.url("/get")).send()?;
    }
    println!("   3 requests, {} connection", server.connections());
    check("it keeps connections", server.connections() == 1);
    Ok(())
}

/// Marks what it carries, and has another adapter carry it.
struct Marked(&'static str, HttpAdapter);

impl Adapter for Marked {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        request.headers.insert("X-Via", self.0);
        self.1.send(request, settings)
    }

    fn close(&self) {
        self.1.close();
    }
}

fn prefixes(server: &Testbed) -> Result<()> {
    section("The longest prefix wins, without regard to case");
    let mut s = Session::new();
    let one = HttpAdapter::new();
    s.mount(server.url("/"), Marked("whole", one.clone()));
    s.mount(server.url("/anything/").to_uppercase(), Marked("deep", one));
    for (path, via) in [("/anything/x", "deep"), ("/anything", "whole"), ("/get", "whole")] {
        let r = s.get(server.url(path)).send()?;
        let sent = r.request().headers.get("x-via").unwrap_or_default();
        println!("   {path} by {sent}");
        check("the longest prefix", sent == via);
    }
    let elsewhere = s.get(server.https_url("/get")).verify(server.ca_file()).send()?;
    check("other URLs have the session's", !elsewhere.request().headers.contains("x-via"));
    Ok(())
}

fn table() -> Result<()> {
    section("What is mounted can be listed, and taken away");
    let mut s = Session::new();
    s.mount("https://github.example/", HttpAdapter::new());
    s.mount("http://www.b\u{fc}cher.example:80/", HttpAdapter::new());
    for (prefix, _) in s.adapters() {
        println!("   {prefix}");
    }
    let all =
        ["http://www.xn--bcher-kva.example/", "https://github.example/", "https://", "http://"];
    check("the longest first", s.adapters().map(|(prefix, _)| prefix).eq(all));
    let url = "https://github.example/x".parse().map_err(Error::other)?;
    let its_own = Arc::clone(s.adapter_for(&url)?);
    let taken = s.unmount("https://github.example/");
    check("it is the one", taken.is_some_and(|taken| Arc::ptr_eq(&taken, &its_own)));
    check("it serves no more", !Arc::ptr_eq(s.adapter_for(&url)?, &its_own));
    let error = s.get("ftp://example.org/").send().err();
    println!("   {}", error.as_ref().map_or_else(String::new, ToString::to_string));
    check("no adapter, no answer", error.is_some_and(|e| e.kind() == ErrorKind::InvalidSchema));
    Ok(())
}

/// Keeps what was answered, by URL.
struct Cached<A> {
    below: A,
    kept: std::sync::Mutex<Vec<(String, bequest::Bytes)>>,
}

impl<A: Adapter> Adapter for Cached<A> {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            let url = request.url.to_string();
            let find = || {
                let kept = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                kept.iter().find(|(of, _)| *of == url).map(|(_, body)| body.clone())
            };
            if let Some(body) = find() {
                return Response::builder().header("X-Cache", "hit").body(body).build();
            }
            let r = self.below.send(request, settings).await?;
            if r.ok() {
                let body = r.content()?;
                self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((url, body));
            }
            Ok(r)
        })
    }
}

fn of_your_own(server: &Testbed) -> Result<()> {
    section("An adapter of your own, around another one");
    let mut s = Session::new();
    s.mount("http://", Cached { below: HttpAdapter::new(), kept: Default::default() });
    let first = s.get(server.url("/robots.txt")).send()?;
    let second = s.get(server.url("/robots.txt")).send()?;
    check("the first is the server's", !first.headers().contains("x-cache"));
    check("the second is not", second.headers().get("x-cache") == Some("hit"));
    check("it is the same", first.content()? == second.content()?);
    check(
        "it was asked once",
        server.requests().iter().filter(|r| r.target == "/robots.txt").count() == 1,
    );
    Ok(())
}

fn functions() -> Result<()> {
    section("A function serves a scheme of the program's own");
    let mut s = Session::new();
    s.mount(
        "memory:",
        adapter_fn(|request, _settings| match request.url.path() {
            "greeting" => Response::builder().body("hello").build(),
            _ => Response::builder().status(404).build(),
        }),
    );
    check("found", s.get("memory:greeting").send()?.text()? == "hello");
    check("not found", s.get("memory:else").send()?.status() == 404);
    Ok(())
}

/// What a program wants to test.
fn name_of(s: &Session, user: u32) -> Result<String> {
    let r = s.get(format!("https://api.example/users/{user}")).send()?;
    r.error_for_status()?.text()
}

fn mock() -> Result<()> {
    section("MockAdapter is for a program's tests: it answers what is expected, and remembers it");
    let mock = MockAdapter::new()
        .expect(
            Expectation::get("https://api.example/users/7")
                .header("X-Token", "let me in")
                .answer(Response::builder().body("kenneth")),
        )
        .expect(Expectation::get("https://api.example/users/8").status(404));
    let mut s = Session::new();
    s.headers.insert("X-Token", "let me in");
    s.mount("https://", mock.clone());
    check("answered", name_of(&s, 7)? == "kenneth");
    let missing = mock.verify().err();
    println!("   {}", missing.as_ref().map_or_else(String::new, ToString::to_string));
    check("one is missing", missing.is_some());
    check("refused", name_of(&s, 8).is_err_and(|e| e.kind() == ErrorKind::HttpStatus));
    check("all came", mock.verify().is_ok());
    check("they are remembered", mock.requests().len() == 2);
    let error = name_of(&s, 9).err().ok_or_else(|| Error::other("answered"))?;
    println!("   {error}");
    check("others are errors", error.to_string().contains("unexpected: GET"));
    Ok(())
}
