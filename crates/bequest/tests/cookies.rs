//! Cookies: kept by a session, said by a request, and where they go.
#![cfg(feature = "cookies")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use bequest::{
    Auth, Cookie, CookieJar, CookiePolicy, ErrorKind, PreparedRequest, Request, Response, Result,
    Round, SendOptions, Url,
};
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Client, Door, doors, get};
use testbed::{RawServer, Script, Testbed};

doors![
    a_session_remembers,
    every_hop_is_heard,
    a_response_has_its_own,
    one_shot_calls_remember_within_a_redirect,
    clones_share_the_jar,
    a_request_has_cookies_of_its_own,
    its_own_cookies_stay_at_their_origin,
    a_cookie_header_of_the_caller_is_all,
    a_cookie_header_may_be_edited,
    a_session_without_its_cookies,
    cookies_of_a_challenge_go_with_the_answer,
    cookies_go_by_host_not_by_port,
    a_host_header_is_no_domain,
    bad_cookies_are_errors,
    cookies_are_edited_between_requests,
    a_policy_decides,
    the_field_stands_before_those_of_the_body,
    threads_lose_nothing,
];

#[cfg(feature = "http2")]
http2_doors![
    one_shot_calls_remember_within_a_redirect,
    its_own_cookies_stay_at_their_origin,
    a_cookie_header_may_be_edited,
    a_session_without_its_cookies,
    threads_lose_nothing,
];

/// What the server was sent.
fn sent(s: &Client, request: Request) -> Option<String> {
    let r = s.send(request).unwrap();
    let sent = r.request().headers.get("cookie").map(str::to_owned);
    if let Ok(json) = r.json() {
        let seen = json["headers"].get("Cookie").and_then(|value| value.as_str());
        assert_eq!(seen, sent.as_deref(), "what was sent is what arrived");
    }
    sent
}

fn set(server: &Testbed, name: &str, value: &str) -> Request {
    get(server.url(&format!("/cookies/set/{name}/{value}")))
}

fn a_session_remembers(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    s.send(set(&server, "sessioncookie", "123456789")).unwrap();
    assert_eq!(sent(&s, get(server.url("/headers"))).as_deref(), Some("sessioncookie=123456789"));
    let r = s.send(get(server.url("/cookies"))).unwrap();
    assert_eq!(r.json().unwrap()["cookies"]["sessioncookie"], "123456789");
    s.send(get(server.url("/cookies/delete?sessioncookie"))).unwrap();
    assert_eq!(sent(&s, get(server.url("/headers"))), None);
    assert_eq!(sent(&door.session(), get(server.url("/headers"))), None, "another session");
}

fn every_hop_is_heard(door: Door) {
    let first =
        "HTTP/1.1 302 Found\r\nSet-Cookie: a=1\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n";
    let second = "HTTP/1.1 307 Temporary Redirect\r\nSet-Cookie: b=2; Path=/\r\nset-cookie: a=3\r\n\
                  Location: /three\r\nContent-Length: 0\r\n\r\n";
    let third = "HTTP/1.1 200 OK\r\nSet-Cookie: c=4\r\nContent-Length: 0\r\n\r\n";
    let script = [first, second, third]
        .into_iter()
        .fold(Script::new(), |script, answer| script.read_head().send(answer));
    let server = RawServer::start(script.wait_close());
    let s = door.session();
    let r = s.send(get(server.url("/one"))).unwrap();
    let sent: Vec<_> = r
        .history()
        .iter()
        .map(|hop| hop.request())
        .chain([r.request()])
        .map(|request| request.headers.get("cookie").map(str::to_owned))
        .collect();
    assert_eq!(sent, [None, Some("a=1".to_owned()), Some("a=3; b=2".to_owned())]);
    let names: Vec<_> = r.cookies().iter().map(|cookie| cookie.name().into_owned()).collect();
    assert_eq!(names, ["c"], "those of the redirects are theirs");
    assert_eq!(r.history()[1].cookies().len(), 2);
    assert_eq!(s.cookies().len(), 3);
}

fn a_response_has_its_own(door: Door) {
    let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/x; HttpOnly\r\n\
                  Set-Cookie: b=2; Domain=elsewhere.example\r\nContent-Length: 0\r\n\r\n";
    let server = RawServer::start(Script::respond(answer));
    let s = door.session();
    s.cookies().set("old", "0", server.url("/")).unwrap();
    let r = s.send(get(server.url("/"))).unwrap();
    let all: Vec<Cookie> = r.cookies().iter().collect();
    assert_eq!(all.len(), 1, "of another's domain nothing is taken");
    assert_eq!((&*all[0].name(), &*all[0].value(), all[0].path()), ("a", "1", "/x"));
    assert!(all[0].http_only());
}

fn one_shot_calls_remember_within_a_redirect(door: Door) {
    let server = Testbed::start();
    // Each `send` here makes a session of its own; the calls without one have a test below.
    let r = door.send(set(&server, "k", "v")).unwrap();
    assert_eq!(r.json().unwrap()["cookies"]["k"], "v");
}

#[test]
fn calls_without_a_session_keep_no_cookies() {
    let server = Testbed::start();
    let url = server.url("/cookies/set/k/v");
    let r = bequest::get(&url).send().unwrap();
    assert_eq!(
        r.json::<serde_json::Value>().unwrap()["cookies"]["k"],
        "v",
        "on the way it has them"
    );
    let r = bequest::get(server.url("/cookies")).send().unwrap();
    assert_eq!(r.json::<serde_json::Value>().unwrap()["cookies"], serde_json::json!({}));
}

fn clones_share_the_jar(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let clone = s.clone();
    clone.send(set(&server, "k", "v")).unwrap();
    assert_eq!(sent(&s, get(server.url("/headers"))).as_deref(), Some("k=v"));
    let mut apart = clone;
    *apart.cookies_mut() = Arc::default();
    assert_eq!(sent(&apart, get(server.url("/headers"))), None);
    assert_eq!(sent(&s, get(server.url("/headers"))).as_deref(), Some("k=v"));
}

fn a_request_has_cookies_of_its_own(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let url = server.url("/headers");
    s.cookies().set("kept", "1", &url).unwrap();
    s.cookies().set("both", "session", &url).unwrap();
    let request = get(&url).cookie("from-my", "browser").cookies([("both", "request")]);
    assert_eq!(sent(&s, request.clone()).as_deref(), Some("kept=1; from-my=browser; both=request"));
    assert_eq!(sent(&s, get(&url)).as_deref(), Some("kept=1; both=session"), "they are not kept");
    let alone = request.prepare().unwrap();
    assert_eq!(alone.headers.get("cookie"), Some("from-my=browser; both=request"));
    // What is prepared can be edited.
    let mut prepared = s.prepare(get(&url)).unwrap();
    prepared.headers.remove("Cookie");
    let r = s.send_prepared(prepared, SendOptions::new()).unwrap();
    assert_eq!(r.json().unwrap()["headers"].get("Cookie"), None);
}

fn its_own_cookies_stay_at_their_origin(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let s = door.session();
    let led = |to: &str| get(first.url("/redirect-to")).params([("url", to)]).cookie("own", "1");
    let own = s.send(led("/headers")).unwrap();
    assert_eq!(own.request().headers.get("cookie"), Some("own=1"));
    let other = s.send(led(&second.url("/headers"))).unwrap();
    assert_eq!(other.request().headers.get("cookie"), None);
    assert_eq!(second.requests().pop().unwrap().header("cookie"), None);
    // Not on the way back either.
    let back = get(second.url("/redirect-to")).params([("url", first.url("/headers"))]);
    let round = led(back.prepare().unwrap().url.as_str());
    assert_eq!(s.send(round).unwrap().request().headers.get("cookie"), None);
}

fn a_cookie_header_of_the_caller_is_all(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let s = door.session();
    s.send(set(&first, "kept", "1")).unwrap();
    let own = get(first.url("/headers")).header("Cookie", "mine=1").cookie("x", "y");
    assert_eq!(sent(&s, own).as_deref(), Some("mine=1"));
    let led =
        |to: &str| get(first.url("/redirect-to")).params([("url", to)]).header("Cookie", "mine=1");
    assert_eq!(sent(&s, led("/headers")).as_deref(), Some("mine=1"));
    // Elsewhere the jar's go: one jar, two ports of one host.
    assert_eq!(sent(&s, led(&second.url("/headers"))).as_deref(), Some("kept=1"));
}

/// What was prepared is the caller's to change, and then it is as if he had given it.
fn a_cookie_header_may_be_edited(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    s.cookies().set("jars", "1", server.url("/")).unwrap();
    for edit in [
        |prepared: &mut PreparedRequest| prepared.headers.insert("Cookie", "mine=2"),
        |prepared: &mut PreparedRequest| prepared.headers.append("cookie", "mine=2"),
    ] {
        let mut prepared = s.prepare(get(server.url("/redirect-to?url=/headers"))).unwrap();
        edit(&mut prepared);
        let edited: Vec<_> = prepared.headers.get_all("cookie").map(str::to_owned).collect();
        let r = s.send_prepared(prepared, SendOptions::new()).unwrap();
        assert_eq!(r.history().len(), 1);
        assert!(r.request().headers.get_all("cookie").eq(edited), "{:?}", r.request().headers);
    }
}

fn a_session_without_its_cookies(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    s.send(set(&server, "kept", "1")).unwrap();
    let without = |path: &str| get(server.url(path)).without_header("Cookie");
    assert_eq!(sent(&s, without("/headers")), None);
    // Nor has what follows from it.
    let led = || without("/redirect-to?url=/headers");
    assert_eq!(sent(&s, led()), None);
    let r = s.send(led().allow_redirects(false)).unwrap();
    assert_eq!(r.next_request().unwrap().unwrap().headers.get("Cookie"), None);
}

/// Answers a challenge, and must be sent back what the challenge set.
struct Answering;

impl Auth for Answering {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        if response.status() != 401 {
            return Ok(Round::Done);
        }
        request.headers.insert("Authorization", "answer");
        Ok(Round::Again)
    }
}

const CHALLENGE: &str =
    "HTTP/1.1 401 Unauthorized\r\nSet-Cookie: nonce=2\r\nContent-Length: 0\r\n\r\n";
const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn cookies_of_a_challenge_go_with_the_answer(door: Door) {
    let script = Script::new().read_head().send(CHALLENGE).read_head().send(DONE).wait_close();
    let server = RawServer::start(script);
    let s = door.session();
    s.cookies().set("nonce", "1", server.url("/")).unwrap();
    let r = s.send(get(server.url("/")).cookie("own", "1").auth(Answering)).unwrap();
    assert_eq!(r.history()[0].request().headers.get("cookie"), Some("nonce=1; own=1"));
    assert_eq!(r.request().headers.get("cookie"), Some("nonce=2; own=1"));
    let server = RawServer::start(
        Script::new().read_head().send(CHALLENGE).read_head().send(DONE).wait_close(),
    );
    let r = s.send(get(server.url("/")).without_header("Cookie").auth(Answering)).unwrap();
    assert_eq!((r.history().len(), r.request().headers.get("cookie")), (1, None));
}

fn cookies_go_by_host_not_by_port(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let s = door.session();
    s.send(set(&first, "k", "v")).unwrap();
    assert_eq!(sent(&s, get(second.url("/headers"))).as_deref(), Some("k=v"));
    let by_name = second.url("/headers").replace("127.0.0.1", "localhost");
    assert_eq!(sent(&s, get(by_name)), None);
    let secure = get(second.https_url("/headers")).verify(second.ca_file());
    assert_eq!(sent(&s, secure), None, "localhost is another host");
}

fn a_host_header_is_no_domain(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    s.cookies().set("theirs", "1", "http://virtual.example/").unwrap();
    s.send(set(&server, "k", "v").header("Host", "virtual.example")).unwrap();
    let request = get(server.url("/headers")).header("Host", "virtual.example");
    assert_eq!(sent(&s, request).as_deref(), Some("k=v"));
    assert_eq!(s.cookies().domains(), ["127.0.0.1", "virtual.example"]);
}

fn bad_cookies_are_errors(door: Door) {
    let s = door.session();
    for (name, value) in [
        ("a\r\nb", "s3cret"),
        ("a", "b\ns3cret"),
        ("a", "b;s3cret"),
        ("a=b", "s3cret"),
        ("a", "s3cret\0"),
    ] {
        let error = s.send(get("http://127.0.0.1:1/").cookie(name, value)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCookie, "{name:?} {value:?}");
        assert!(error.remedy().is_some(), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

fn cookies_are_edited_between_requests(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let url = server.url("/headers");
    s.cookies().set("name", "value", &url).unwrap();
    s.send(set(&server, "other", "1")).unwrap();
    assert_eq!(s.cookies().get("name").unwrap().unwrap().value(), "value");
    assert_eq!(s.cookies().remove("name"), 1);
    assert_eq!(sent(&s, get(&url)).as_deref(), Some("other=1"));
    s.cookies().clear();
    assert_eq!(sent(&s, get(&url)), None);
}

struct OnlyK;

impl CookiePolicy for OnlyK {
    fn may_set(&self, _: &Url, cookie: &Cookie) -> bool {
        cookie.name() == "k"
    }
}

fn a_policy_decides(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    s.cookies().set_policy(OnlyK);
    s.send(set(&server, "j", "1")).unwrap();
    s.send(set(&server, "k", "2")).unwrap();
    assert_eq!(sent(&s, get(server.url("/headers"))).as_deref(), Some("k=2"));
}

fn the_field_stands_before_those_of_the_body(door: Door) {
    let s = door.session();
    let request = support::post("http://h/").cookie("a", "1").form([("k", "v")]).header("X", "y");
    let prepared = s.prepare(request).unwrap();
    let names: Vec<_> = prepared.headers.iter().map(|(name, _)| name).skip(4).collect();
    assert_eq!(names, ["X", "Cookie", "Content-Type"]);
}

fn threads_lose_nothing(door: Door) {
    const THREADS: usize = 32;
    let server = Testbed::start();
    let s = door.session();
    std::thread::scope(|scope| {
        for n in 0..THREADS {
            let (s, server) = (s.clone(), &server);
            scope.spawn(move || {
                let name = format!("cookie{n}");
                for round in 0..5 {
                    let r = s.send(set(server, &name, &round.to_string())).unwrap();
                    assert_eq!(r.json().unwrap()["cookies"][&name], round.to_string());
                }
                // A domain has room for 50.
                let gone = format!("gone{}", n % 16);
                s.send(set(server, &gone, "1")).unwrap();
                s.send(get(server.url(&format!("/cookies/delete?{gone}")))).unwrap();
            });
        }
    });
    assert_eq!(s.cookies().len(), THREADS);
    let jar: CookieJar = (**s.cookies()).clone();
    assert!(jar.iter().all(|cookie| cookie.value() == "4"));
}
