//! "Proxies" of Requests' Advanced Usage: which requests go through which proxy, and who is told what.
//!
//! ```text
//! cargo run --release --example proxies
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::env;
use std::process::Command;

use bequest::{Digest, Error, ErrorKind, Proxies, ProxyAuth, Result, Session};
use support::{check, conclude, section};
use testbed::{Proxy, Testbed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Ok(url) = env::var("EXAMPLE_ASKS") {
        // This program once more, with an environment of its own.
        println!("{}", bequest::get(url).send()?.status());
        return Ok(());
    }
    let server = Testbed::start();
    of_a_request(&server)?;
    of_a_session(&server)?;
    by_environment(&server)?;
    by_host(&server)?;
    around(&server)?;
    credentials(&server)?;
    tls(&server)?;
    refusals(&server)?;
    conclude()
}

/// What a proxy was asked for last.
fn last(proxy: &Proxy) -> String {
    let asked = proxy.asked().pop().map(|asked| asked.head);
    let line = asked.and_then(|head| head.lines().next().map(str::to_owned));
    println!("   the proxy was asked: {}", line.as_deref().unwrap_or("nothing"));
    line.unwrap_or_default()
}

fn of_a_request(server: &Testbed) -> Result<()> {
    section("A request may have proxies: for http and for https");
    let (plain, secure) = (Proxy::start(), Proxy::start());
    let proxies = Proxies::new().http(plain.url("http"))?.https(secure.url("http"))?;
    let s = trusting(server);
    s.get(server.url("/get")).proxies(&proxies).send()?;
    check(
        "a proxy reads http requests",
        last(&plain) == format!("GET {} HTTP/1.1", server.url("/get")),
    );
    s.get(server.https_url("/get")).proxies(&proxies).send()?;
    let line = last(&secure);
    check("those of https go through a tunnel", line.starts_with("CONNECT localhost:"));
    check("of which it sees host and port alone", !line.contains("/get"));
    let error = Proxies::new().http("10.10.1.10:3128").err();
    println!("   {}", error.as_ref().map_or_else(String::new, ToString::to_string));
    check(
        "a proxy's URL has a scheme",
        error.is_some_and(|e| e.kind() == ErrorKind::InvalidProxyUrl),
    );
    Ok(())
}

/// A session that trusts the server's certificate.
fn trusting(server: &Testbed) -> Session {
    let mut s = Session::new();
    s.verify = server.ca_file().into();
    s
}

fn of_a_session(server: &Testbed) -> Result<()> {
    section("A session has some for all its requests; a request has the last word");
    let proxy = Proxy::start();
    let mut s = Session::new();
    s.proxies = Proxies::new().all(proxy.url("http"))?;
    s.get(server.url("/get")).send()?;
    s.get(server.url("/get")).proxies(Proxies::none()).send()?;
    check("none is none", proxy.asked().len() == 1);
    s.get(server.url("/redirect-to")).params([("url", server.url("/get"))]).send()?;
    check("each redirect is asked of the proxy, too", proxy.asked().len() == 3);
    Ok(())
}

fn by_environment(server: &Testbed) -> Result<(), Box<dyn std::error::Error>> {
    section(
        "Where nothing is said, the environment counts: http_proxy, https_proxy, all_proxy, no_proxy",
    );
    let proxy = Proxy::start();
    let ask = |variables: &[(&str, &str)]| -> std::io::Result<usize> {
        let mut child = Command::new(env::current_exe()?);
        child.env_clear().envs(variables.iter().copied());
        let output = child.env("EXAMPLE_ASKS", server.url("/get")).output()?;
        check("it got an answer", output.stdout.starts_with(b"200"));
        Ok(proxy.asked().len())
    };
    let url = proxy.url("http");
    check("lower case", ask(&[("http_proxy", &url)])? == 1);
    check("upper case", ask(&[("HTTP_PROXY", &url)])? == 2);
    check("for everything", ask(&[("ALL_PROXY", &url)])? == 3);
    check("not for these", ask(&[("http_proxy", &url), ("no_proxy", "127.0.0.0/8")])? == 3);
    check("not from CGI's headers", ask(&[("HTTP_PROXY", &url), ("REQUEST_METHOD", "GET")])? == 3);
    println!(
        "   Credentials in the environment are seen by every program that you start: rather use"
    );
    println!("   `Proxies::auth`. `trust_env = false` has a session read no variable.");
    Ok(())
}

fn by_host(server: &Testbed) -> Result<()> {
    section("Proxies for one scheme and host, for one host, for the rest");
    let (own, rest) = (Proxy::start(), Proxy::start());
    for proxy in [&own, &rest] {
        proxy.leads("intranet.example", server.addr());
        proxy.leads("www.example", server.addr());
    }
    let mut s = Session::new();
    s.proxies =
        Proxies::new().all(rest.url("http"))?.on("http://intranet.example", own.url("http"))?;
    s.get("http://intranet.example/get").send()?;
    check("the one that says most", last(&own).contains("http://intranet.example/get"));
    s.get("http://www.example/get").send()?;
    check("or the one for all", last(&rest).contains("http://www.example/get"));
    check("names are the proxy's to look up", rest.asked().len() == 1 && own.asked().len() == 1);
    Ok(())
}

fn around(server: &Testbed) -> Result<()> {
    section("Hosts that are reached directly");
    let proxy = Proxy::start();
    let mut s = Session::new();
    s.proxies = Proxies::new().all(proxy.url("http"))?.no_proxy("127.0.0.1, .example.org");
    s.get(server.url("/get")).send()?;
    check("by address, name, suffix, port or network", proxy.asked().is_empty());
    s.proxies = Proxies::new().all(proxy.url("http"))?.direct("https")?;
    s.get(server.url("/get")).send()?;
    check("or by scheme", proxy.asked().len() == 1);
    Ok(())
}

fn credentials(server: &Testbed) -> Result<()> {
    section("Who asks is for the proxy to know, and for nobody else");
    let proxy = Proxy::with_login("me", "secret");
    let s = Session::new();
    let by_url = Proxies::new().http(proxy.url_with_login("http"))?;
    s.get(server.url("/get")).proxies(&by_url).send()?;
    let pair = Proxies::new().http(proxy.url("http"))?.auth(("me", "secret"));
    s.get(server.url("/get")).proxies(&pair).send()?;
    let known = proxy.asked().iter().all(|asked| asked.user.as_deref() == Some("me"));
    check("from its URL, or given apart", known);
    let asking = Proxies::new().http(proxy.url("http"))?.auth(ProxyAuth::ask(|challenge| {
        println!("   {} wants a password for {:?}", challenge.proxy(), challenge.realm());
        (!challenge.is_again()).then(|| ("me".into(), "secret".into()))
    }));
    check("or when it asks", s.get(server.url("/get")).proxies(&asking).send()?.ok());
    let leaked = server.requests().iter().any(|r| r.header("proxy-authorization").is_some());
    check("no server sees it", !leaked);
    let hidden = Proxies::new().http(proxy.url("http"))?.auth(Digest::new("me", "secret"));
    let r = s.get(server.url("/get")).proxies(&hidden).send()?;
    let said = proxy.asked().pop().map(|asked| asked.head).unwrap_or_default();
    check(
        "Digest never sends the password, whatever is asked",
        r.status() == 407 && !said.contains("Basic"),
    );
    Ok(())
}

fn tls(server: &Testbed) -> Result<()> {
    section("TLS to the proxy itself, which is trusted by settings of its own");
    let proxy = Proxy::start();
    let s = trusting(server);
    let proxies = Proxies::new().all(proxy.url("https"))?;
    let error = s.get(server.https_url("/get")).proxies(&proxies).send().err();
    println!("   {}", error.as_ref().map_or_else(String::new, ToString::to_string));
    check("the server's are not the proxy's", error.is_some_and(|e| e.kind() == ErrorKind::Proxy));
    let proxies = proxies.verify(proxy.ca_file()).header("X-Team", "red");
    let r = s.get(server.https_url("/get")).proxies(&proxies).send()?;
    check("TLS within TLS", r.ok() && last(&proxy).starts_with("CONNECT "));
    let told = proxy.asked().pop().is_some_and(|asked| asked.head.contains("X-Team: red"));
    let seen = server.requests().pop().is_some_and(|r| r.header("x-team").is_some());
    check("a header for the proxy alone", told && !seen);
    Ok(())
}

fn refusals(server: &Testbed) -> Result<()> {
    section("What a proxy refuses is an error that has its answer");
    let proxy = Proxy::with_login("me", "secret");
    let s = trusting(server);
    let proxies = Proxies::new().all(proxy.url("http"))?;
    let error = s.get(server.https_url("/get")).proxies(&proxies).send().err();
    let error = error.ok_or_else(|| Error::other("the proxy let us in"))?;
    println!("   {error}");
    check("it is the proxy's", error.kind() == ErrorKind::Proxy);
    check("with its status", error.response().is_some_and(|r| r.status() == 407));
    let asks = error.response().and_then(|r| r.headers().get("proxy-authenticate"));
    check("and headers", asks.is_some_and(|asks| asks.starts_with("Basic")));
    let gone = Proxies::new().all("http://127.0.0.1:1")?;
    let error = s.get(server.url("/get")).proxies(gone).send().err();
    let error = error.ok_or_else(|| Error::other("nothing listens there"))?;
    println!("   {error}");
    check("one that is gone is named", error.to_string().contains("proxy http://127.0.0.1:1:"));
    Ok(())
}
