//! Digest authentication: rounds, what is remembered, and servers that are not ours.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

#[path = "digest/servers.rs"]
mod servers;
mod support;

use std::collections::HashSet;
use std::fs::File;
use std::io::{Seek, Write};
use std::sync::{Arc, Mutex};

use bequest::{
    Body, Digest, Error, ErrorKind, PreparedRequest, Request, Response, Result, adapter_fn,
};
use sha2::{Digest as _, Sha256};
use support::{Client, Door, doors, get, post};
use testbed::{RawServer, Script};

doors![
    a_challenge_is_met_on_the_same_connection,
    what_is_sent_is_what_is_signed,
    later_requests_are_not_challenged,
    a_wrong_password_ends_with_the_401,
    a_stale_nonce_is_replaced,
    the_next_nonce_is_taken,
    only_401_is_a_challenge,
    a_challenge_that_can_not_be_met_is_the_callers,
    other_origins_get_nothing,
    a_redirect_of_the_origin_is_answered,
    #[cfg(feature = "multipart")]
    a_form_is_hashed_as_it_is_sent,
    a_body_that_can_not_be_hashed_says_why,
    no_two_threads_have_the_same_count,
];

/// A parameter of the Authorization that a request has.
fn sent(request: &PreparedRequest, name: &str) -> Option<String> {
    let field = request.headers.get("authorization")?;
    let (_, rest) = field.split_once(&format!("{name}="))?;
    let end = if rest.starts_with('"') { "\"" } else { "," };
    let rest = rest.trim_start_matches('"');
    Some(rest.split(end).next().unwrap_or_default().to_owned())
}

/// What was asked, as `METHOD target nonce/count`, with `-` where nothing was proven.
type Log = Arc<Mutex<Vec<String>>>;

/// A session whose requests go to a function, and their log.
fn served<F>(door: Door, answer: F) -> (Client, Log)
where
    F: Fn(&PreparedRequest) -> bequest::ResponseBuilder + Send + Sync + 'static,
{
    let log = Log::default();
    let (mut s, kept) = (door.session(), Arc::clone(&log));
    s.mount(
        "http://",
        adapter_fn(move |request, _| {
            let proof = match (sent(request, "nonce"), sent(request, "nc")) {
                (None, _) => "-".to_owned(),
                (Some(nonce), count) => format!("{nonce}/{}", count.unwrap_or_default()),
            };
            let line = format!("{} {} {proof}", request.method, request.url);
            kept.lock().unwrap().push(line);
            answer(request).build()
        }),
    );
    (s, log)
}

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

fn challenge(more: &str) -> bequest::ResponseBuilder {
    let challenge = format!("Digest realm=\"r\", qop=\"auth\", {more}");
    Response::builder().status(401).header("WWW-Authenticate", challenge)
}

fn hash(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn user() -> Digest {
    Digest::new("user", "passwd")
}

fn a_challenge_is_met_on_the_same_connection(door: Door) {
    let script = Script::new()
        .read_head()
        .send(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", \
             qop=\"auth\", opaque=\"o\", algorithm=SHA-256\r\nSet-Cookie: seen=1\r\n\
             Content-Length: 4\r\n\r\nwho?",
        )
        .read_head()
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let server = RawServer::start(script);
    let r = door.send(get(server.url("/a?b=c")).auth(user())).unwrap();
    assert_eq!((r.status().as_u16(), &*r.text().unwrap()), (200, "ok"));
    let history: Vec<_> = r.history().iter().map(|r| r.text().unwrap()).collect();
    assert_eq!(history, ["who?"]);
    assert!(!r.history()[0].request().headers.contains("authorization"));
    assert_eq!(server.connections(), 1);
    let all = String::from_utf8(server.received(0)).unwrap();
    let (first, second) = all.split_once("\r\n\r\n").unwrap();
    assert!(!first.contains("Authorization"), "{first}");
    #[cfg(feature = "cookies")]
    assert!(second.contains("\r\nCookie: seen=1\r\n"), "{second}");
    let field = second.lines().find(|line| line.starts_with("Authorization: ")).unwrap();
    let names: Vec<_> =
        field[22..].split(", ").map(|param| param.split_once('=').unwrap().0).collect();
    let expected = "username realm nonce uri response opaque algorithm qop nc cnonce";
    assert_eq!(names.join(" "), expected);
    assert!(field.starts_with("Authorization: Digest username=\"user\", realm=\"r\", nonce=\"n\""));

    let cnonce = sent(r.request(), "cnonce").unwrap();
    assert!(cnonce.len() == 16 && cnonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{cnonce}");
    let (secret, asked) = (hash("user:r:passwd"), hash("GET:/a?b=c"));
    let response = hash(format!("{secret}:n:00000001:{cnonce}:auth:{asked}"));
    assert_eq!(sent(r.request(), "response"), Some(response));
}

fn what_is_sent_is_what_is_signed(door: Door) {
    let (s, _) = served(door, |request| match sent(request, "uri") {
        None => challenge("nonce=n"),
        Some(_) => Response::builder(),
    });
    for (url, target) in [
        ("http://h", "/"),
        ("http://h?q", "/?q"),
        ("http://h//a/%7e/\u{e9} b?x=1&y#fragment", "//a/%7e/%C3%A9%20b?x=1&y"),
    ] {
        let r = s.send(get(url).auth(user())).unwrap();
        assert_eq!(sent(r.request(), "uri").as_deref(), Some(target));
    }
    let mut prepared = s.prepare(get("http://h/").auth(user())).unwrap();
    prepared.target = Some("/as/../typed".into());
    let r = s.send_prepared(prepared, bequest::SendOptions::new()).unwrap();
    assert_eq!(sent(r.request(), "uri").as_deref(), Some("/as/../typed"));
    let head = String::from_utf8(r.request().wire_head().unwrap()).unwrap();
    assert!(head.starts_with("GET /as/../typed HTTP/1.1\r\n"), "{head}");
}

fn later_requests_are_not_challenged(door: Door) {
    let (mut s, log) = served(door, |request| match sent(request, "nonce") {
        None => challenge("nonce=n, domain=\"/in /also\""),
        Some(_) => Response::builder(),
    });
    let auth = user();
    s.set_auth(auth.clone());
    for path in ["in", "in/x?y", "out", "also", "out"] {
        let r = s.send(get(format!("http://h/{path}"))).unwrap();
        assert_eq!(r.status(), 200);
    }
    assert_eq!(
        taken(&log),
        [
            "GET http://h/in -",
            "GET http://h/in n/00000001",
            "GET http://h/in/x?y n/00000002",
            // Not in the space; its own challenge is of the same one.
            "GET http://h/out -",
            "GET http://h/out n/00000003",
            "GET http://h/also n/00000004",
            "GET http://h/out -",
            "GET http://h/out n/00000005",
        ]
    );
    // Another session with it, and without one.
    let (other, log) = served(door, |_| Response::builder());
    other.send(get("http://h/in").auth(auth)).unwrap();
    other.send(get("http://h/in").auth(user())).unwrap();
    assert_eq!(taken(&log), ["GET http://h/in n/00000006", "GET http://h/in -"]);
}

fn a_wrong_password_ends_with_the_401(door: Door) {
    let (mut s, log) = served(door, |_| challenge("nonce=n").body("who?"));
    s.set_auth(user());
    for _ in 0..2 {
        let r = s.send(get("http://h/")).unwrap();
        assert_eq!((r.status().as_u16(), r.history().len()), (401, 1));
        assert_eq!(r.text().unwrap(), "who?");
    }
    // What did not help is not tried unasked.
    let asked = taken(&log);
    assert_eq!(
        asked,
        [
            "GET http://h/ -",
            "GET http://h/ n/00000001",
            "GET http://h/ -",
            "GET http://h/ n/00000002"
        ]
    );
}

fn a_stale_nonce_is_replaced(door: Door) {
    let count = Mutex::new(0);
    let (mut s, log) = served(door, move |request| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let path = request.url.path();
        match sent(request, "nonce") {
            None => challenge("nonce=first"),
            Some(_) if path == "/always" => challenge("nonce=never, stale=TRUE"),
            Some(nonce) if path == "/renew" && nonce != "second" => {
                challenge("nonce=second, stale=true")
            }
            Some(_) => Response::builder(),
        }
    });
    s.set_auth(user());
    assert_eq!(s.send(get("http://h/renew")).unwrap().history().len(), 2);
    assert_eq!(s.send(get("http://h/")).unwrap().history().len(), 0);
    assert_eq!(
        taken(&log),
        [
            "GET http://h/renew -",
            "GET http://h/renew first/00000001",
            "GET http://h/renew second/00000001",
            "GET http://h/ second/00000002",
        ]
    );
    // Of what was sent unasked too, but not for ever.
    let r = s.send(get("http://h/always")).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (401, 2));
    assert_eq!(
        taken(&log),
        [
            "GET http://h/always second/00000003",
            "GET http://h/always never/00000001",
            "GET http://h/always never/00000002",
        ]
    );
}

fn the_next_nonce_is_taken(door: Door) {
    let (mut s, log) = served(door, |request| match sent(request, "nonce").as_deref() {
        None => challenge("nonce=a"),
        Some("a") => Response::builder()
            .header("Authentication-Info", "qop=auth, nextnonce=\"b,\\\"\", rspauth=\"wrong\""),
        // A TAB could not be sent back.
        Some(_) => Response::builder().header("Authentication-Info", "=junk, nextnonce=\"\t\""),
    });
    s.set_auth(user());
    for _ in 0..3 {
        assert_eq!(s.send(get("http://h/")).unwrap().status(), 200);
    }
    let asked = taken(&log);
    assert_eq!(asked[1], "GET http://h/ a/00000001");
    assert_eq!(asked[2..], ["GET http://h/ b,\\/00000001", "GET http://h/ b,\\/00000002"]);
}

fn only_401_is_a_challenge(door: Door) {
    for status in [200, 400, 403, 404, 407, 500] {
        let (s, log) = served(door, move |_| challenge("nonce=n").status(status));
        let r = s.send(get("http://h/").auth(user())).unwrap();
        assert_eq!(r.status().as_u16(), status);
        assert_eq!(taken(&log).len(), 1);
    }
}

fn a_challenge_that_can_not_be_met_is_the_callers(door: Door) {
    for challenge in [
        "Basic realm=\"r\"",
        "Digest realm=\"r\"",
        "Digest nonce=\"n\"",
        "Digest realm=\"r\", nonce=\"n\", algorithm=FROB",
        "Digest realm=\"r\", nonce=\"n\", qop=\"frob\"",
        ",,,=\"",
    ] {
        let (s, log) = served(door, move |_| {
            Response::builder().status(401).header("WWW-Authenticate", challenge)
        });
        let r = s.send(get("http://h/").auth(user())).unwrap();
        assert_eq!((r.status().as_u16(), r.history().len()), (401, 0));
        assert_eq!(taken(&log).len(), 1, "{challenge}");
    }
}

fn other_origins_get_nothing(door: Door) {
    let (mut s, log) = served(door, |request| match request.url.host_str() {
        Some("h") if sent(request, "nonce").is_none() => {
            challenge("nonce=n, domain=\"/ http://i/\"")
        }
        Some("h") => Response::builder().status(307).header("Location", "http://i/there"),
        _ => challenge("nonce=evil"),
    });
    s.set_auth(user());
    let r = s.send(get("http://h/")).unwrap();
    assert_eq!((r.url().as_str(), r.status().as_u16()), ("http://i/there", 401));
    assert_eq!(
        taken(&log),
        ["GET http://h/ -", "GET http://h/ n/00000001", "GET http://i/there -"]
    );
}

fn a_redirect_of_the_origin_is_answered(door: Door) {
    let (mut s, log) = served(door, |request| match (request.url.path(), sent(request, "nonce")) {
        ("/a", Some(_)) => Response::builder().status(302).header("Location", "/b"),
        ("/a", None) => challenge("nonce=n, domain=\"/a\""),
        (_, None) => challenge("nonce=m, domain=\"/b\""),
        _ => Response::builder(),
    });
    s.set_auth(user());
    let r = s.send(get("http://h/a")).unwrap();
    assert_eq!((r.url().path(), r.status().as_u16(), r.history().len()), ("/b", 200, 3));
    let r = s.send(get("http://h/a")).unwrap();
    assert_eq!((r.url().path(), r.status().as_u16(), r.history().len()), ("/b", 200, 1));
    let asked = taken(&log);
    assert_eq!(asked[..2], ["GET http://h/a -", "GET http://h/a n/00000001"]);
    assert_eq!(asked[2..4], ["GET http://h/b -", "GET http://h/b m/00000001"]);
    assert_eq!(asked[4..], ["GET http://h/a n/00000002", "GET http://h/b m/00000002"]);
    assert_eq!(sent(r.request(), "uri").as_deref(), Some("/b"));
}

fn file(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"skipped").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.seek(std::io::SeekFrom::Start(7)).unwrap();
    file
}

#[cfg(feature = "multipart")]
fn a_form_is_hashed_as_it_is_sent(door: Door) {
    let request = |url: &str| {
        let part = bequest::Part::from(file("of a form"));
        Request::new("POST", url).files([("part", part)]).auth(user())
    };
    let s = door.session();
    let length = s.prepare(request("http://h/")).unwrap().body.len().unwrap();
    let length = usize::try_from(length).unwrap();
    let script = Script::new()
        .read_head()
        .read_body(length)
        .send(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", \
             qop=\"auth-int\", algorithm=SHA-256\r\nContent-Length: 0\r\n\r\n",
        )
        .read_head()
        .read_body(length)
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let server = RawServer::start(script);
    let r = s.send(request(&server.url("/"))).unwrap();
    assert_eq!(r.status(), 200);
    let received = server.received(0);
    let body = hash(&received[received.len() - length..]);
    let (secret, asked) = (hash("user:r:passwd"), hash(format!("POST:/:{body}")));
    let cnonce = sent(r.request(), "cnonce").unwrap();
    let response = hash(format!("{secret}:n:00000001:{cnonce}:auth-int:{asked}"));
    assert_eq!(sent(r.request(), "response"), Some(response));
}

fn a_body_that_can_not_be_hashed_says_why(door: Door) {
    let (s, log) = served(door, |request| match sent(request, "nonce") {
        None => Response::builder()
            .status(401)
            .header("WWW-Authenticate", "Digest realm=r, nonce=n, qop=auth-int"),
        Some(_) => Response::builder(),
    });
    let auth = user();
    let request = || post("http://h/").body(Body::reader("once".as_bytes())).auth(auth.clone());
    let check = |result: Result<_>| {
        let error: Error = result.map(|_: support::Reply| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnrewindableBody);
        assert!(error.to_string().contains("auth-int"), "{error}");
        assert!(error.remedy().is_some());
    };
    check(s.send(request()));
    assert_eq!(taken(&log), ["POST http://h/ -"]);
    // Before anything is sent, once the challenge is known.
    s.send(post("http://h/").body("again").auth(auth.clone())).unwrap();
    taken(&log);
    check(s.send(request()));
    assert_eq!(taken(&log), [""; 0]);
}

fn no_two_threads_have_the_same_count(door: Door) {
    let (mut s, log) = served(door, |request| match sent(request, "nonce") {
        None => challenge("nonce=n"),
        Some(_) => Response::builder(),
    });
    s.set_auth(user());
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(s.send(get("http://h/")).unwrap().status(), 200);
                }
            });
        }
    });
    let asked = taken(&log);
    let proven: Vec<_> = asked.iter().filter(|line| !line.ends_with('-')).collect();
    assert_eq!(proven.len(), 320);
    assert_eq!(proven.iter().collect::<HashSet<_>>().len(), 320);
    assert!(asked.len() <= 320 + 32, "each thread is challenged once at most");
}
