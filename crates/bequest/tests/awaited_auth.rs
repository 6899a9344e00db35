//! An auth that waits: each door calls its own form of it, wherever an auth is called.
#![cfg(feature = "async")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};

use bequest::{Auth, BoxFuture, PreparedRequest, Response, Result, Round, SendOptions};
use support::{Door, doors, get};
use testbed::{RawServer, Script, Testbed};

doors![
    each_door_calls_its_form,
    a_challenge_is_answered_in_the_same_form,
    a_redirect_has_it_applied_anew,
    who_follows_by_hand_has_it_applied_too,
    what_the_auth_says_is_the_error,
];

/// Notes how it was called.
#[derive(Clone, Default)]
struct Token(Arc<Mutex<Vec<&'static str>>>);

impl Token {
    fn note(&self, call: &'static str) {
        self.0.lock().unwrap().push(call);
    }

    /// What was called since, of which nothing may be the other door's.
    fn calls(&self, door: Door) -> Vec<&'static str> {
        let calls = std::mem::take(&mut *self.0.lock().unwrap());
        let awaited = calls.iter().filter(|call| call.ends_with("async")).count();
        assert_eq!(awaited, if door == Door::Blocking { 0 } else { calls.len() }, "{calls:?}");
        calls.into_iter().map(|call| call.trim_end_matches("_async")).collect()
    }

    fn set(&self, request: &mut PreparedRequest) -> Result<()> {
        request.headers.insert("X-Token", "sesame");
        Ok(())
    }

    fn round(&self, response: &Response, request: &mut PreparedRequest) -> Round {
        if response.status() != 401 || request.extensions.insert(()).is_some() {
            return Round::Done;
        }
        request.headers.insert("X-Token", "fresh");
        Round::Again
    }
}

/// Lets others run first.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

impl Auth for Token {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        self.note("apply");
        self.set(request)
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        self.note("answer");
        Ok(self.round(response, request))
    }

    fn apply_async<'a>(&'a self, request: &'a mut PreparedRequest) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            pause().await;
            self.note("apply_async");
            self.set(request)
        })
    }

    fn answer_async<'a>(
        &'a self,
        response: &'a Response,
        request: &'a mut PreparedRequest,
    ) -> BoxFuture<'a, Result<Round>> {
        Box::pin(async {
            pause().await;
            self.note("answer_async");
            Ok(self.round(response, request))
        })
    }
}

fn each_door_calls_its_form(door: Door) {
    let (server, token) = (Testbed::start(), Token::default());
    let mut s = door.session();
    s.set_auth(token.clone());
    let r = s.send(get(server.url("/get"))).unwrap();
    assert_eq!(r.json().unwrap()["headers"]["X-Token"], "sesame");
    assert_eq!(token.calls(door), ["apply", "answer"]);
    let prepared = s.prepare(get(server.url("/get"))).unwrap();
    assert_eq!(prepared.headers.get("x-token"), Some("sesame"));
    assert_eq!(token.calls(door), ["apply"]);
    s.send_prepared(prepared, SendOptions::new()).unwrap();
    assert_eq!(token.calls(door), ["answer"]);
    // Behind an `Arc`, too, where it is another's.
    *s.auth() = None;
    s.send(get(server.url("/get")).auth(Arc::new(token.clone()))).unwrap();
    assert_eq!(token.calls(door), ["apply", "answer"]);
}

fn a_challenge_is_answered_in_the_same_form(door: Door) {
    let denied = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
    let script = Script::new().read_head().send(denied).read_head();
    let server = RawServer::start(script.send("HTTP/1.1 204 Yes\r\n\r\n").stall());
    let token = Token::default();
    let r = door.send(get(server.url("/")).auth(token.clone())).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (204, 1));
    assert_eq!(token.calls(door), ["apply", "answer", "answer"]);
    let received = String::from_utf8(server.received(0)).unwrap();
    assert!(received.contains("X-Token: sesame") && received.contains("X-Token: fresh"));
}

fn a_redirect_has_it_applied_anew(door: Door) {
    let (server, token) = (Testbed::start(), Token::default());
    let r = door.send(get(server.url("/redirect/2")).auth(token.clone())).unwrap();
    assert_eq!(r.history().len(), 2);
    let calls = ["apply", "answer"].repeat(3);
    assert_eq!(token.calls(door), calls);
}

fn who_follows_by_hand_has_it_applied_too(door: Door) {
    let (server, token) = (Testbed::start(), Token::default());
    let request = get(server.url("/redirect/1")).auth(token.clone()).allow_redirects(false);
    let r = door.send(request).unwrap();
    assert_eq!(token.calls(door), ["apply", "answer"]);
    let next = r.next_request().unwrap().unwrap();
    assert_eq!(next.headers.get("x-token"), Some("sesame"));
    assert_eq!(token.calls(door), ["apply"]);
}

/// Refuses in both forms.
struct Refuses;

impl Auth for Refuses {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Err(bequest::Error::new(bequest::ErrorKind::Auth, "no token for you"))
    }
}

fn what_the_auth_says_is_the_error(door: Door) {
    let server = Testbed::start();
    let error = door.send(get(server.url("/get")).auth(Refuses)).unwrap_err();
    assert_eq!(error.kind(), bequest::ErrorKind::Auth);
    assert!(error.to_string().contains("no token for you"), "{error}");
    assert_eq!(server.requests().len(), 0);
}
