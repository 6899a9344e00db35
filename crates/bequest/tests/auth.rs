//! Who asks: credentials in each request, and rounds that answer a challenge.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Seek, Write};

use bequest::{
    Auth, Basic, Bearer, Body, Error, ErrorKind, NoAuth, PreparedRequest, Response, Result, Round,
    auth_fn,
};
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Door, doors, get, post, until};
use testbed::{RawServer, Script, Testbed};

doors![
    each_form_of_credentials_is_sent,
    the_requests_auth_wins,
    credentials_of_the_url_are_used,
    an_auth_sees_the_request_as_it_will_be,
    an_auths_error_ends_the_request,
    a_user_name_with_a_colon_is_refused,
    what_latin1_has_not_is_refused,
    a_challenge_is_answered_on_the_same_connection,
    a_round_may_change_the_request,
    bodies_are_sent_again,
    a_body_that_is_gone_can_not_be_sent_again,
    rounds_come_to_an_end,
    hooks_see_each_round,
    an_error_of_an_answer_is_the_requests,
    a_streamed_round_keeps_its_connection,
];

#[cfg(feature = "http2")]
http2_doors![
    each_form_of_credentials_is_sent,
    the_requests_auth_wins,
    credentials_of_the_url_are_used,
    an_auth_sees_the_request_as_it_will_be,
    an_auths_error_ends_the_request,
    a_user_name_with_a_colon_is_refused,
    what_latin1_has_not_is_refused,
    a_challenge_is_answered_on_the_same_connection,
    a_round_may_change_the_request,
    bodies_are_sent_again,
    a_body_that_is_gone_can_not_be_sent_again,
    rounds_come_to_an_end,
    hooks_see_each_round,
    an_error_of_an_answer_is_the_requests,
];

fn authorization(server: &Testbed) -> Option<String> {
    server.requests().pop().unwrap().header("authorization").map(str::to_owned)
}

fn each_form_of_credentials_is_sent(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let url = || server.url("/get");
    let own = |request: &mut PreparedRequest| {
        request.headers.insert("Authorization", "own scheme");
        Ok(())
    };
    for (request, expected) in [
        (get(url()).auth(("user", "pass")), "Basic dXNlcjpwYXNz"),
        (get(url()).auth((String::from("user"), "pass")), "Basic dXNlcjpwYXNz"),
        (get(url()).auth(Basic::new("user", "pa:ss")), "Basic dXNlcjpwYTpzcw=="),
        (get(url()).auth(("", "")), "Basic Og=="),
        (get(url()).auth(("ü", "☃")), "Basic w7w64piD"),
        (get(url()).auth(Basic::new("ü", "ÿ").latin1()), "Basic /Dr/"),
        (get(url()).auth(Bearer::new("to.ken==")), "Bearer to.ken=="),
        (get(url()).auth(auth_fn(own)), "own scheme"),
        (get(url()).auth(std::sync::Arc::new(Bearer::new("shared"))), "Bearer shared"),
        (get(url()).header("authorization", "by hand"), "by hand"),
        (get(url()).header("Authorization", "by hand").auth(Bearer::new("t")), "Bearer t"),
    ] {
        let r = s.send(request).unwrap();
        assert_eq!(r.status(), 200);
        assert_eq!(authorization(&server).unwrap(), expected);
        assert_eq!(r.request().headers.get_all("authorization").count(), 1);
    }
    let r = s.send(get(server.url("/basic-auth/user/pass")).auth(("user", "pass"))).unwrap();
    assert_eq!(r.status(), 200);
    let r = s.send(get(server.url("/basic-auth/user/pass")).auth(("user", "wrong"))).unwrap();
    assert_eq!(r.status(), 401);
    let r = s.send(get(server.url("/bearer")).auth(Bearer::new("token"))).unwrap();
    assert_eq!(r.status(), 200);
}

fn the_requests_auth_wins(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.set_auth(("session", "s"));
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(authorization(&server).as_deref(), Some("Basic c2Vzc2lvbjpz"));
    s.send(get(server.url("/get")).auth(Bearer::new("own"))).unwrap();
    assert_eq!(authorization(&server).as_deref(), Some("Bearer own"));
    s.send(get(server.url("/get")).auth(NoAuth)).unwrap();
    assert_eq!(authorization(&server), None);
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(authorization(&server).as_deref(), Some("Basic c2Vzc2lvbjpz"));
    *s.auth() = None;
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(authorization(&server), None);
}

fn credentials_of_the_url_are_used(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    let url = server.url("/get").replace("://", "://us%65r:p%40ss@");
    s.send(get(&url)).unwrap();
    assert_eq!(authorization(&server).as_deref(), Some("Basic dXNlcjpwQHNz"));
    s.send(get(&url).auth(NoAuth)).unwrap();
    assert_eq!(authorization(&server), None);
    s.send(get(&url).header("Authorization", "by hand")).unwrap();
    assert_eq!(authorization(&server).as_deref(), Some("by hand"));
    s.set_auth(Bearer::new("session"));
    s.send(get(&url)).unwrap();
    assert_eq!(authorization(&server).as_deref(), Some("Bearer session"));
    // They are neither in the target nor in what errors say.
    assert!(server.requests().iter().all(|request| request.target == "/get"));
    let error = s.send(get(&url).max_content(1)).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("p%40ss"), "{error}");
    assert_eq!(error.url().unwrap().as_str(), server.url("/get"));
}

fn an_auth_sees_the_request_as_it_will_be(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.headers().insert("X-Session", "1");
    s.params().insert("p", "q");
    let signed = auth_fn(|request| {
        assert_eq!(request.method, "POST");
        assert_eq!(request.url.query(), Some("p=q"));
        assert_eq!(request.headers.get("x-session"), Some("1"));
        assert_eq!(request.headers.get("content-type"), Some("application/json"));
        let length = request.body.as_bytes().unwrap().len();
        request.headers.insert("X-Signature", format!("{length} bytes"));
        request.body = "signed".into();
        Ok(())
    });
    s.send(post(server.url("/post")).json([1, 2]).auth(signed)).unwrap();
    let sent = server.requests().pop().unwrap();
    assert_eq!(sent.header("x-signature"), Some("5 bytes"));
    assert_eq!((sent.header("content-length"), sent.body_length), (Some("6"), 6));
}

fn an_auths_error_ends_the_request(door: Door) {
    let server = Testbed::start();
    let failing = || auth_fn(|_| Err(Error::new(ErrorKind::Auth, "no ticket")));
    let s = door.session();
    let error = s.send(get(server.url("/get")).auth(failing())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(error.to_string(), format!("GET {}: no ticket", server.url("/get")));
    let error = s.prepare(get(server.url("/get")).auth(failing())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(server.connections(), 0);
}

fn a_user_name_with_a_colon_is_refused(door: Door) {
    let server = Testbed::start();
    let error = door.send(get(server.url("/get")).auth(("us:er", "secret"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("colon"), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    assert!(error.remedy().is_some());
    assert_eq!(server.connections(), 0);
}

fn what_latin1_has_not_is_refused(door: Door) {
    let server = Testbed::start();
    for (user, password) in [("☃", "secret"), ("user", "secretĀ")] {
        let request = get(server.url("/get")).auth(Basic::new(user, password).latin1());
        let error = door.send(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.to_string().contains("Latin-1"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        assert!(error.remedy().is_some());
    }
    assert_eq!(server.connections(), 0);
}

/// Proves itself once it is asked to, as many times as it takes.
struct Challenged {
    rounds: u32,
}

#[derive(Clone)]
struct Seen(u32);

impl Auth for Challenged {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        request.extensions.insert(Seen(0));
        Ok(())
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        let Seen(seen) = request.extensions.get::<Seen>().cloned().unwrap();
        if seen == self.rounds {
            return Ok(Round::Done);
        }
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains("www-authenticate"));
        request.extensions.insert(Seen(seen + 1));
        request.headers.insert("X-Round", seen + 1);
        if seen + 1 == self.rounds {
            Basic::new("user", "pass").apply(request)?;
        }
        Ok(Round::Again)
    }
}

fn a_challenge_is_answered_on_the_same_connection(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for rounds in [0, 1, 3] {
        let before = server.requests().len();
        let request = get(server.url("/basic-auth/user/pass")).auth(Challenged { rounds });
        let r = s.send(request).unwrap();
        assert_eq!(r.status(), if rounds == 0 { 401 } else { 200 });
        assert_eq!(r.history().len(), rounds as usize);
        for (at, earlier) in r.history().iter().enumerate() {
            assert_eq!(earlier.status(), 401);
            let round = (at > 0).then(|| at.to_string());
            assert_eq!(earlier.request().headers.get("x-round"), round.as_deref());
            assert!(earlier.history().is_empty());
            assert_eq!(earlier.content().unwrap(), "");
        }
        assert_eq!(server.requests().len() - before, rounds as usize + 1);
    }
    assert_eq!(server.connections(), 1);
}

fn a_round_may_change_the_request(door: Door) {
    struct Elsewhere(String);
    impl Auth for Elsewhere {
        fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
            Ok(())
        }
        fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
            if response.status() != 401 {
                return Ok(Round::Done);
            }
            request.url = self.0.parse().unwrap();
            request.method = "POST".parse().unwrap();
            request.body = "now with a body".into();
            Ok(Round::Again)
        }
    }
    let (server, other) = (Testbed::start(), Testbed::start());
    let request = get(server.url("/status/401")).auth(Elsewhere(other.url("/post")));
    let r = door.send(request).unwrap();
    assert_eq!(r.url().as_str(), other.url("/post"));
    assert_eq!(r.json().unwrap()["data"], "now with a body");
    let sent = other.requests().pop().unwrap();
    assert_eq!(sent.header("host"), Some(&*other.addr().to_string()));
    assert_eq!(sent.header("content-length"), Some("15"));
    assert_eq!(r.history()[0].url().as_str(), server.url("/status/401"));
}

/// Asks for a round after each of the first responses.
struct Repeat(u32);

impl Auth for Repeat {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        request.extensions.insert(Seen(0));
        Ok(())
    }

    fn answer(&self, _: &Response, request: &mut PreparedRequest) -> Result<Round> {
        let Seen(seen) = request.extensions.get::<Seen>().cloned().unwrap();
        request.extensions.insert(Seen(seen + 1));
        Ok(if seen < self.0 { Round::Again } else { Round::Done })
    }
}

fn bodies_are_sent_again(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(b"skipped, from a file").unwrap();
    file.seek(std::io::SeekFrom::Start(9)).unwrap();
    for (body, expected) in [
        (Body::from("text"), "text"),
        (Body::empty(), ""),
        (Body::from(file), "from a file"),
        (Body::from("x".repeat(100_000)), &"x".repeat(100_000)),
    ] {
        let r = s.send(post(server.url("/post")).body(body).auth(Repeat(2))).unwrap();
        assert_eq!(r.history().len(), 2);
        for response in r.history() {
            let json: serde_json::Value =
                serde_json::from_slice(&response.content().unwrap()).unwrap();
            assert_eq!(json["data"], expected);
        }
        assert_eq!(r.json().unwrap()["data"], expected);
    }
    assert_eq!(server.connections(), 1);
}

fn a_body_that_is_gone_can_not_be_sent_again(door: Door) {
    for body in [
        Body::reader("once".as_bytes()),
        Body::reader("once".as_bytes()).with_length(4),
        Body::chunks(["on", "ce"]),
    ] {
        let server = Testbed::start();
        let url = server.url("/post");
        let s = door.session();
        let error = s.send(post(&url).body(body.clone()).auth(Repeat(1))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
        assert!(error.to_string().starts_with(&format!("POST {url}: ")), "{error}");
        assert!(error.remedy().is_some(), "{error}");
        assert!(error.request().is_some());
        // The same by sending a copy.
        let error = s.send(post(&url).body(body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
        drop(s);
        until("all has arrived", || server.open_connections() == 0);
        let sent: Vec<_> = server.requests().iter().map(|sent| sent.body_length).collect();
        assert_eq!(sent, [4]);
    }
}

fn rounds_come_to_an_end(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let r = s.send(get(server.url("/get")).auth(Repeat(10))).unwrap();
    assert_eq!(r.history().len(), 10);
    let before = server.requests().len();
    let error = s.send(get(server.url("/get")).auth(Repeat(u32::MAX))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("more than 10 rounds"), "{error}");
    assert!(error.request().is_some());
    assert_eq!(server.requests().len() - before, 11);
    assert_eq!(server.connections(), 1);
}

fn hooks_see_each_round(door: Door) {
    let server = Testbed::start();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = std::sync::Arc::clone(&seen);
    let request =
        get(server.url("/basic-auth/user/pass")).auth(Challenged { rounds: 2 }).hook(move |r| {
            keep.lock().unwrap().push(r.status().as_u16());
            Ok(r)
        });
    door.send(request).unwrap();
    assert_eq!(*seen.lock().unwrap(), [401, 401, 200]);
}

fn an_error_of_an_answer_is_the_requests(door: Door) {
    struct Lost;
    impl Auth for Lost {
        fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
            Ok(())
        }
        fn answer(&self, _: &Response, _: &mut PreparedRequest) -> Result<Round> {
            Err(Error::new(ErrorKind::Auth, "nonce missing"))
        }
    }
    let server = Testbed::start();
    let error = door.send(get(server.url("/status/401")).auth(Lost)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(error.to_string(), format!("GET {}: nonce missing", server.url("/status/401")));
    assert_eq!(error.request().unwrap().url.as_str(), server.url("/status/401"));
    assert_eq!(error.response().unwrap().status(), 401);
}

fn a_streamed_round_keeps_its_connection(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let request = get(server.url("/big/10000")).stream(true).auth(Repeat(2));
    let r = s.send(request).unwrap();
    assert_eq!(r.content().unwrap().len(), 10_000);
    assert_eq!(server.connections(), 1, "a short body is read to reuse the connection");
    // A long one is not.
    let endless = Script::new()
        .read_head()
        .send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 99999999999\r\n\r\n")
        .wait_close();
    let ok = Script::respond("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let server = RawServer::sequence(vec![endless, ok]);
    let r = s.send(get(server.url("/")).stream(true).auth(Repeat(1))).unwrap();
    assert_eq!(r.text().unwrap(), "ok");
    assert_eq!(server.connections(), 2);
}
