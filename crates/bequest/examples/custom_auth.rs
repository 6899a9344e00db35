//! "Custom Authentication" of Requests' Advanced Usage, and a token that is renewed when the server
//! no longer takes it.
//!
//! ```text
//! cargo run --release --example custom_auth
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod support;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bequest::{
    Auth, Basic, Bearer, NoAuth, PreparedRequest, Response, Result, Round, SendOptions, Session,
    StatusCode, auth_fn,
};
use serde_json::Value;
use support::{check, conclude, section};
use testbed::Testbed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Testbed::start();
    a_type(&server)?;
    a_function(&server)?;
    what_is_there(&server)?;
    renewal(&server)?;
    renewal_for_many(&server)?;
    no_renewal_for_ever(&server)?;
    conclude()
}

/// Whom to bake for.
struct PizzaAuth {
    username: String,
}

impl Auth for PizzaAuth {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        request.headers.insert("X-Pizza", &self.username);
        Ok(())
    }
}

fn a_type(server: &Testbed) -> Result<()> {
    section("An auth of your own is a type that changes the request");
    let auth = PizzaAuth { username: "kenneth".into() };
    let r = bequest::get(server.url("/headers")).auth(auth).send()?;
    let seen: Value = r.json()?;
    println!("   X-Pizza: {}", seen["headers"]["X-Pizza"]);
    check("the server saw it", seen["headers"]["X-Pizza"] == "kenneth");

    let elsewhere = server.url("/headers").replace("127.0.0.1", "other.localhost");
    let url = server.url(&format!("/redirect-to?url={elsewhere}"));
    let auth = PizzaAuth { username: "kenneth".into() };
    let seen: Value = bequest::get(url).auth(auth).send()?.json()?;
    check("a redirect to another host goes without", seen["headers"]["X-Pizza"].is_null());
    Ok(())
}

fn a_function(server: &Testbed) -> Result<()> {
    section("Or a function, for a whole session");
    let mut s = Session::new();
    s.set_auth(auth_fn(|request| {
        let length = request.body.len().unwrap_or_default();
        request.headers.insert("X-Pizza", format!("kenneth; bytes={length}"));
        Ok(())
    }));
    let seen: Value = s.post(server.url("/anything")).body("cheese").send()?.json()?;
    println!("   X-Pizza: {}", seen["headers"]["X-Pizza"]);
    check("it comes last, and knows the body", seen["headers"]["X-Pizza"] == "kenneth; bytes=6");
    let seen: Value = s.get(server.url("/headers")).auth(NoAuth).send()?.json()?;
    check("one request may do without", seen["headers"]["X-Pizza"].is_null());
    Ok(())
}

fn what_is_there(server: &Testbed) -> Result<()> {
    section("Basic and Bearer are there");
    let guarded = server.url("/basic-auth/user/pass");
    check("without it", bequest::get(&guarded).send()?.status() == 401);
    check("a pair", bequest::get(&guarded).auth(("user", "pass")).send()?.status() == 200);
    let basic = Basic::new("user", "pass");
    check("or a type", bequest::get(&guarded).auth(basic).send()?.status() == 200);
    let in_url = guarded.replace("://", "://user:pass@");
    check("or in the URL", bequest::get(in_url).send()?.status() == 200);
    let r = bequest::get(server.url("/bearer")).auth(Bearer::new("t0ken")).send()?;
    check("a token", r.json::<Value>()?["token"] == "t0ken");
    Ok(())
}

/// A token that is asked for when it is first needed, and again when the server refuses it; once,
/// however many requests wait for it. In an async session `apply_async` and `answer_async` would do
/// the same and await.
struct Renewed {
    /// A clone of the session: it shares its connections.
    session: Session,
    url: String,
    token: Mutex<Option<String>>,
}

/// What a request remembers: it has been sent with a new token.
#[derive(Clone)]
struct IsRenewed;

impl Renewed {
    /// The token to use, which is not the refused one.
    fn token(&self, refused: Option<&str>) -> Result<String> {
        // Held until there is a token: whoever comes meanwhile gets that one.
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = token.as_deref().filter(|token| Some(*token) != refused) {
            return Ok(token.to_owned());
        }
        let r = self.session.post(&self.url).auth(NoAuth).send()?.error_for_status()?;
        let answer: Value = r.json()?;
        let new = answer["access_token"].as_str().unwrap_or_default().to_owned();
        println!("   a new token: {new}");
        *token = Some(new.clone());
        Ok(new)
    }
}

impl Auth for Renewed {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        Bearer::new(self.token(None)?).apply(request)
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        let is_refused = response.status() == StatusCode::UNAUTHORIZED;
        if !is_refused || request.extensions.get::<IsRenewed>().is_some() {
            return Ok(Round::Done);
        }
        request.extensions.insert(IsRenewed);
        let refused = response.request().headers.get("Authorization");
        let refused = refused.and_then(|field| field.strip_prefix("Bearer "));
        Bearer::new(self.token(refused)?).apply(request)?;
        Ok(Round::Again)
    }
}

/// A session whose token is renewed.
fn session(server: &Testbed) -> Session {
    let mut s = Session::new();
    let token = Mutex::new(None);
    s.set_auth(Renewed { session: s.clone(), url: server.url("/token"), token });
    s
}

fn renewal(server: &Testbed) -> Result<()> {
    section("A token is renewed when it is refused");
    let s = session(server);
    let guarded = server.url("/token/guarded");
    let r = s.get(&guarded).send()?;
    check("the first request gets one", r.status() == 200 && r.history().is_empty());
    check("the next one uses it", s.get(&guarded).send()?.json::<Value>()?["issued"] == 1);
    bequest::delete(server.url("/token")).send()?;
    let r = s.get(&guarded).send()?;
    check("the caller sees the answer to the second try", r.status() == 200);
    let refusal: Vec<_> = r.history().iter().map(Response::status).collect();
    check("the refusal is in the history", refusal == [StatusCode::UNAUTHORIZED]);
    Ok(())
}

fn renewal_for_many(server: &Testbed) -> Result<(), Box<dyn std::error::Error>> {
    section("Once for many threads");
    const THREADS: usize = 8;
    let s = Arc::new(session(server));
    let guarded = server.url("/token/guarded");
    let issued = |r: Response| r.json::<Value>().map(|answer| answer["issued"].as_u64());
    let before = issued(s.get(&guarded).send()?)?.unwrap_or_default();
    // Each has the token that is revoked then.
    let prepared: Vec<_> =
        (0..THREADS).map(|_| s.get(&guarded).prepare()).collect::<Result<_>>()?;
    bequest::delete(server.url("/token")).send()?;
    let threads: Vec<_> = prepared
        .into_iter()
        .map(|request| {
            let s = Arc::clone(&s);
            thread::spawn(move || s.send(request, SendOptions::new()))
        })
        .collect();
    for thread in threads {
        let r = thread.join().map_err(|_| "a thread panicked")??;
        check("each was refused, and then served", r.history().len() == 1 && r.status() == 200);
        check("with the one new token", issued(r)? == Some(before + 1));
    }
    Ok(())
}

fn no_renewal_for_ever(server: &Testbed) -> Result<()> {
    section("A server that takes no token at all gets two");
    let r = session(server).get(server.url("/status/401")).send()?;
    check("the refusal is the caller's", r.status() == 401);
    check("after one more try", r.history().len() == 1);
    Ok(())
}
