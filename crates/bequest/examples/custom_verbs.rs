//! "Custom Verbs" of Requests' Advanced Usage: any token is a method, as WebDAV's are.
//!
//! ```text
//! cargo run --release --example custom_verbs
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use bequest::{ErrorKind, Response, Result, Session};
use serde_json::Value;
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    let s = Session::new();
    collections(&s, &server)?;
    with_a_body(&s, &server)?;
    any_token(&s, &server)?;
    no_token(&server);
    conclude()
}

fn collections(s: &Session, server: &Testbed) -> Result<()> {
    section("MKCOL makes a collection");
    let url = server.url("/dav/cheese/");
    let send = |method: &str, url: &str| s.request(method, url).send();
    // Without a session: bequest::request("MKCOL", &url).send()
    let r = send("MKCOL", &url)?;
    check("it was made", shown(&r) == 201);
    check("it is there", shown(&send("GET", &url)?) == 200);
    check("it is made once", shown(&send("MKCOL", &url)?) == 405);
    check("within another", shown(&send("MKCOL", &server.url("/dav/cheese/brie"))?) == 201);
    check("but not in nothing", shown(&send("MKCOL", &server.url("/dav/wine/red"))?) == 409);

    section("PROPFIND tells what is there, DELETE removes it");
    let r = s.request("PROPFIND", &url).header("Depth", "infinity").send()?;
    check("several statuses in one", shown(&r) == 207);
    let found = r.text()?;
    found.lines().for_each(|line| println!("   {line}"));
    check("both are there", found.matches("<D:href>").count() == 2);
    check("removed", shown(&send("DELETE", &url)?) == 204);
    check("with all within", shown(&send("GET", &server.url("/dav/cheese/brie"))?) == 404);
    Ok(())
}

fn with_a_body(s: &Session, server: &Testbed) -> Result<()> {
    section("Bodies, headers and whatever else are as with every verb");
    let properties = "<mkcol xmlns=\"DAV:\"><set><prop><displayname>Cheese</displayname></prop>\
                      </set></mkcol>";
    let request = s.request("MKCOL", server.url("/dav/shop")).body(properties);
    let r = request.header("Content-Type", "application/xml").send()?;
    check("made as told", shown(&r) == 201);
    let length = properties.len().to_string();
    check("the body was announced", r.request().headers.get("content-length") == Some(&length));
    Ok(())
}

fn any_token(s: &Session, server: &Testbed) -> Result<()> {
    section("A verb of your own; case does not matter, it leaves in upper case");
    let r = s.request("silly-walk", server.url("/anything")).json(["left", "right"]).send()?;
    let echo: Value = r.json()?;
    println!("   {} {} arrived", echo["method"], echo["json"]);
    check("as the server saw it", echo["method"] == "SILLY-WALK");
    check("with its body", echo["json"][1] == "right");
    check("and as the request has it", r.request().method == "SILLY-WALK");
    Ok(())
}

fn no_token(server: &Testbed) {
    section("What is no token is refused, and nothing is sent");
    let sent = server.requests().len();
    for method in ["", "GET /admin HTTP/1.1\r\nX:", "señor"] {
        match bequest::request(method, server.url("/anything")).send() {
            Ok(_) => check("no token is no method", false),
            Err(error) => {
                println!("   {error}");
                check("no token is no method", error.kind() == ErrorKind::InvalidMethod);
            }
        }
    }
    check("nothing arrived", server.requests().len() == sent);
}

fn shown(r: &Response) -> u16 {
    println!(
        "   {} {}: {} {}",
        r.request().method,
        r.url().path(),
        r.status().as_u16(),
        r.reason()
    );
    r.status().as_u16()
}
