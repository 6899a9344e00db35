//! "HTTP Verbs" of Requests' Advanced Usage: each verb in turn, on an API that looks like GitHub's.
//!
//! ```text
//! cargo run --release --example verbs
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{Response, Result, Session, StatusCode};
use serde_json::{Value, json};
use support::{check, conclude, section};
use testbed::Testbed;

const COMMIT: &str = "/repos/psf/requests/git/commits/a050faf084662f3a352dd1a941f2c7c9f886d4ad";
const ISSUE: &str = "/repos/psf/requests/issues/482";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    let mut s = Session::new();
    get(&s, &server.url(COMMIT))?;
    options(&s, &server)?;
    let thread = comments(&s, &server.url(ISSUE))?;
    let comment = post(&mut s, &thread)?;
    patch(&s, &comment)?;
    delete(&s, &comment, &thread)?;
    head(&s, &comment)?;
    put(&s, &server)?;
    conclude()
}

fn get(s: &Session, url: &str) -> Result<()> {
    section("GET: a commit");
    let r = s.get(url).send()?;
    shown(&r);
    check("a status has a name", r.status() == StatusCode::OK);
    check("and a number", r.status() == 200);
    println!("   {}", r.headers().get("content-type").unwrap_or("none"));
    check("it is JSON", r.headers().get("content-type") == Some("application/json; charset=utf-8"));
    let commit: Value = r.json()?;
    let keys: Vec<&String> = commit.as_object().map(|map| map.keys().collect()).unwrap_or_default();
    println!("   {keys:?}\n   {}\n   {}", commit["committer"], commit["message"]);
    check("it has seven fields", keys.len() == 7);
    check("one of which has a name within", commit["committer"]["name"].is_string());
    Ok(())
}

fn options(s: &Session, server: &Testbed) -> Result<()> {
    section("OPTIONS: what else can be done there? Not every server will say");
    let r = s.options(server.url(COMMIT)).send()?;
    shown(&r);
    check("this one fails", r.status() == StatusCode::INTERNAL_SERVER_ERROR);
    check("which is a response like any other", !r.ok());
    let r = s.options(server.url("/api/cats")).send()?;
    println!("   Allow: {}", r.headers().get("allow").unwrap_or("none"));
    check("this one tells", r.headers().get("Allow") == Some("GET,HEAD,POST,OPTIONS"));
    Ok(())
}

/// The URL of the comments.
fn comments(s: &Session, url: &str) -> Result<String> {
    section("GET: an issue, and what was said about it");
    let r = s.get(url).send()?;
    let issue: Value = serde_json::from_str(&r.text()?).map_err(bequest::Error::other)?;
    println!("   {}, {} comments", issue["title"], issue["comments"]);
    check("three comments", issue["comments"] == 3);
    let thread = format!("{}/comments", r.url());
    let said: Value = s.get(&thread).send()?.json()?;
    println!("   the last is by {}: {}", said[2]["user"]["login"], said[2]["body"]);
    check("here they are", said.as_array().is_some_and(|said| said.len() == 3));
    Ok(thread)
}

/// The URL of the new comment.
fn post(s: &mut Session, thread: &str) -> Result<String> {
    section("POST: a comment of ours, which takes a password");
    let body = json!({ "body": "Good idea, it is as good as done!" });
    let r = s.post(thread).json(&body).send()?;
    shown(&r);
    check("to strangers there is nothing", r.status() == StatusCode::NOT_FOUND);
    let r = s.post(thread).json(&body).auth(("fake@example.com", "forgotten")).send()?;
    shown(&r);
    check("a wrong password is told", r.status() == StatusCode::UNAUTHORIZED);
    s.set_auth(("fake@example.com", "not_a_real_password"));
    let r = s.post(thread).json(&body).send()?;
    shown(&r);
    check("ours is taken", r.status() == StatusCode::CREATED);
    let comment: Value = r.json()?;
    println!("   number {}: {}", comment["id"], comment["body"]);
    check("word by word", comment["body"] == body["body"]);
    check("by its number", comment["id"] == 5_804_413);
    Ok(comment["url"].as_str().unwrap_or_default().to_owned())
}

fn patch(s: &Session, comment: &str) -> Result<()> {
    section("PATCH: on second thoughts, the cat comes first");
    let body = json!({ "body": "Good idea, I'll do it when the cat is fed." });
    let r = s.patch(comment).json(&body).send()?;
    shown(&r);
    check("it was changed", r.status() == 200 && r.json::<Value>()?["body"] == body["body"]);
    let kept: Value = bequest::get(comment).send()?.json()?;
    println!("   {}", kept["body"]);
    check("for everybody", kept["body"] == body["body"]);
    Ok(())
}

fn delete(s: &Session, comment: &str, thread: &str) -> Result<()> {
    section("DELETE: let them wonder");
    let r = s.delete(comment).send()?;
    shown(&r);
    check("it is gone", r.status() == StatusCode::NO_CONTENT);
    check("as a header says too", r.headers().get("status") == Some("204 No Content"));
    check("there is no body", r.content()?.is_empty());
    let left: Value = s.get(thread).send()?.json()?;
    check("three again", left.as_array().is_some_and(|left| left.len() == 3));
    Ok(())
}

fn head(s: &Session, url: &str) -> Result<()> {
    section("HEAD: the headers alone say how many requests are left");
    let r = s.head(url).send()?;
    shown(&r);
    check("also where there is nothing any more", r.status() == StatusCode::NOT_FOUND);
    let field = |name| r.headers().get(name).unwrap_or("none");
    println!("   {} of {}", field("x-ratelimit-remaining"), field("x-ratelimit-limit"));
    check("of so many", field("X-RateLimit-Limit") == "5000");
    check("so many", field("X-RateLimit-Remaining") == "4995");
    check("a length is announced", r.content_length().is_some_and(|length| length > 0));
    check("but no body comes", r.content()?.is_empty());
    Ok(())
}

fn put(s: &Session, server: &Testbed) -> Result<()> {
    section("PUT: the one that is left");
    let r = s.put(server.url("/put")).body("a larch").send()?;
    shown(&r);
    check("it was put", r.json::<Value>()?["data"] == "a larch");
    Ok(())
}

fn shown(r: &Response) {
    let name = r.status().canonical_reason().unwrap_or("a status without a name");
    println!("   {} {}: {} {name}", r.request().method, r.url().path(), r.status().as_u16());
}
