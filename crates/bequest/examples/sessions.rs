//! "Session Objects" of Requests' Advanced Usage: cookies, default data and connections that
//! persist across requests.
//!
//! ```text
//! cargo run --release --example sessions
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{NoAuth, Result, Session};
use serde_json::{Value, json};
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    cookies(&server)?;
    defaults(&server)?;
    for_one_request(&server)?;
    by_hand(&server)?;
    without(&server)?;
    clones()?;
    end(&server)?;
    conclude()
}

fn cookies(server: &Testbed) -> Result<()> {
    section("A session keeps the cookies that servers set");
    let s = Session::new();
    s.get(server.url("/cookies/set/sessioncookie/123456789")).send()?;
    let r = s.get(server.url("/cookies")).send()?;
    println!("   {}", r.json::<Value>()?);
    check(
        "they go along",
        r.json::<Value>()? == json!({"cookies": {"sessioncookie": "123456789"}}),
    );
    for cookie in s.cookies.iter() {
        println!("   {} = {} of {}{}", cookie.name(), cookie.value(), server.addr(), cookie.path());
    }
    check("they can be looked at", s.cookies.len() == 1);
    let other = Session::new().get(server.url("/cookies")).send()?;
    check("another session knows nothing", other.json::<Value>()? == json!({"cookies": {}}));
    Ok(())
}

fn defaults(server: &Testbed) -> Result<()> {
    section("A session has default data for its requests");
    let mut s = Session::new();
    s.set_auth(("user", "pass"));
    s.headers.insert("x-test", "true");
    let r = s.get(server.url("/headers")).header("x-test2", "true").send()?;
    let seen: Value = r.json()?;
    for name in ["x-test", "x-test2"] {
        println!("   {name}: {}", seen["headers"][name]);
        check("both are sent", seen["headers"][name] == "true");
    }
    check("so is the auth", seen["headers"]["Authorization"] == "Basic dXNlcjpwYXNz");
    let r = s.get(server.url("/headers")).header("X-Test", "for once").send()?;
    check("a request wins", r.json::<Value>()?["headers"]["X-Test"] == "for once");
    let r = s.get(server.url("/headers")).send()?;
    check("but for itself alone", r.json::<Value>()?["headers"]["x-test"] == "true");
    Ok(())
}

fn for_one_request(server: &Testbed) -> Result<()> {
    section("What a request says is not kept, its cookies included");
    let s = Session::new();
    let r = s.get(server.url("/cookies")).cookie("from-my", "browser").send()?;
    println!("   {}", r.json::<Value>()?);
    check("the first has it", r.json::<Value>()? == json!({"cookies": {"from-my": "browser"}}));
    let r = s.get(server.url("/cookies")).send()?;
    println!("   {}", r.json::<Value>()?);
    check("the second has not", r.json::<Value>()? == json!({"cookies": {}}));
    Ok(())
}

fn by_hand(server: &Testbed) -> Result<()> {
    section("Cookies can be set by hand, for a place");
    let s = Session::new();
    s.cookies.set("name", "value", server.url("/"))?;
    s.cookies.set("elsewhere", "1", "https://example.org/")?;
    let r = s.get(server.url("/cookies")).send()?;
    println!("   {}", r.json::<Value>()?);
    check(
        "each goes where it belongs",
        r.json::<Value>()? == json!({"cookies": {"name": "value"}}),
    );
    s.cookies.clear();
    let r = s.get(server.url("/cookies")).send()?;
    check("and can be thrown away", r.json::<Value>()? == json!({"cookies": {}}));
    Ok(())
}

fn without(server: &Testbed) -> Result<()> {
    section("A request can go without the session's auth, and stay where it is");
    let mut s = Session::new();
    s.set_auth(("user", "pass"));
    let r = s.get(server.url("/redirect/1")).auth(NoAuth).allow_redirects(false).send()?;
    println!("   {} to {:?}", r.status(), r.headers().get("location"));
    check("no credentials went out", !r.request().headers.contains("authorization"));
    check("the redirect is the answer", r.is_redirect() && r.history().is_empty());
    s.auth = None;
    let r = s.get(server.url("/headers")).send()?;
    check("or the session gives it up", !r.request().headers.contains("authorization"));
    Ok(())
}

fn clones() -> Result<()> {
    section("A clone has settings of its own; cookies and connections are shared");
    let server = Testbed::start();
    let s = Session::new();
    let mut clone = s.clone();
    clone.headers.insert("X-Test", "true");
    clone.get(server.url("/cookies/set/by/clone")).send()?;
    let r = s.get(server.url("/headers")).send()?;
    println!("   {} connection", server.connections());
    check("its cookies came", r.request().headers.get("cookie") == Some("by=clone"));
    check("its headers did not", !r.request().headers.contains("x-test"));
    check("all used one connection", server.connections() == 1);
    Ok(())
}

fn end(server: &Testbed) -> Result<()> {
    section("A session ends with its scope, also when an error leaves it");
    let failed = || -> Result<()> {
        let s = Session::new();
        s.get(server.url("/cookies/set/sessioncookie/123456789")).send()?;
        s.get(server.url("/status/500")).send()?.error_for_status()?;
        Ok(())
    };
    let error = failed().err();
    println!("   {}", error.as_ref().map_or_else(String::new, ToString::to_string));
    check("the error came through", error.is_some());
    let s = Session::new();
    s.get(server.url("/get")).send()?;
    s.close();
    check("one that was closed can go on", s.get(server.url("/get")).send()?.ok());
    Ok(())
}
