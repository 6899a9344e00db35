//! Hooks: what they see, and what becomes of what they return.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bequest::{
    Auth, Error, ErrorKind, PreparedRequest, Response, Result, Round, SendOptions, Verify,
    adapter_fn,
};
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Door, doors, get, post};
use testbed::Testbed;

doors![
    what_replaces_a_response_answers_its_request,
    what_replaces_a_response_has_its_limit,
    a_redirect_that_was_replaced_is_not_followed,
    a_redirect_that_replaces_is_followed,
    the_history_of_what_a_hook_brings_is_kept,
    an_auth_hears_of_what_replaces_a_response,
    a_hook_that_fails_tells_the_request,
    hooks_see_the_settings,
    each_hop_shows_its_request,
    #[cfg(feature = "cookies")]
    cookies_are_in_the_jar_when_a_hook_runs,
    #[cfg(feature = "async")]
    a_hook_that_awaits_may_send_by_its_session,
    what_request_hooks_set_stays_at_its_origin,
    a_request_hook_may_send_it_elsewhere,
    #[cfg(feature = "cookies")]
    credentials_go_where_a_request_hook_sends_them,
];

#[cfg(feature = "http2")]
http2_doors![
    what_replaces_a_response_answers_its_request,
    what_replaces_a_response_has_its_limit,
    a_redirect_that_was_replaced_is_not_followed,
    a_redirect_that_replaces_is_followed,
    the_history_of_what_a_hook_brings_is_kept,
    an_auth_hears_of_what_replaces_a_response,
    a_hook_that_fails_tells_the_request,
    hooks_see_the_settings,
    each_hop_shows_its_request,
    #[cfg(feature = "cookies")]
    cookies_are_in_the_jar_when_a_hook_runs,
    #[cfg(feature = "async")]
    a_hook_that_awaits_may_send_by_its_session,
    what_request_hooks_set_stays_at_its_origin,
];

fn what_replaces_a_response_answers_its_request(door: Door) {
    let server = Testbed::start();
    let url = server.url("/robots.txt");
    let other = Response::builder;
    let request = get(&url).hook(move |_| other().status(202).build()).hook(move |r: Response| {
        assert_eq!((r.status().as_u16(), r.url().path()), (202, "/robots.txt"));
        other().status(203).header("Link", "<next>; rel=next").build()
    });
    let r = door.send(request).unwrap();
    assert_eq!((r.status().as_u16(), r.url().as_str()), (203, url.as_str()));
    let own = server.addr().to_string();
    assert_eq!(r.request().headers.get("host"), Some(own.as_str()), "as it went out");
    assert!(r.request().settings().is_some());
    // One that says where it is from is from there, and answers that request all the same.
    let elsewhere: bequest::Url = "http://elsewhere.example/x".parse().unwrap();
    let r = door
        .send(get(&url).hook(move |_| Response::builder().url(elsewhere.clone()).build()))
        .unwrap();
    assert_eq!(r.url().as_str(), "http://elsewhere.example/x");
    assert_eq!(r.request().url.as_str(), url);
}

fn what_replaces_a_response_has_its_limit(door: Door) {
    let server = Testbed::start();
    let replaced = |_| Response::builder().body("12345678").build();
    let r = door.send(get(server.url("/get")).max_content(1000).hook(replaced)).unwrap();
    assert_eq!(r.content().unwrap(), "12345678");
    let tiny = get(server.url("/status/204")).max_content(7).hook(replaced);
    assert_eq!(door.send(tiny).unwrap().content().unwrap_err().kind(), ErrorKind::TooLarge);
}

fn a_redirect_that_was_replaced_is_not_followed(door: Door) {
    let server = Testbed::start();
    let request = get(server.url("/redirect/1")).hook(|r| {
        assert!(r.is_redirect());
        Response::builder().status(200).body("stay").build()
    });
    let r = door.send(request).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (200, 0));
    assert_eq!(r.text().unwrap(), "stay");
    assert_eq!(server.requests().len(), 1);
}

/// As in Requests: what the hooks leave decides.
fn a_redirect_that_replaces_is_followed(door: Door) {
    let (server, other) = (Testbed::start(), Testbed::start());
    for (to, arrives) in [("/anything", &server), (&*other.url("/anything"), &other)] {
        let to = to.to_owned();
        let request = post(server.url("/post")).body("body").header("X-Api-Key", "s3cret");
        let r = door
            .send(request.hook(move |r| match r.url().path() {
                "/post" => Response::builder().status(307).header("Location", &to).build(),
                _ => Ok(r),
            }))
            .unwrap();
        assert_eq!((r.status().as_u16(), r.url().path()), (200, "/anything"));
        assert_eq!(r.json().unwrap()["data"], "body");
        assert_eq!((r.history().len(), r.history()[0].status().as_u16()), (1, 307));
        let seen = arrives.requests().pop().unwrap();
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/anything"));
        let key = seen.header("x-api-key");
        assert_eq!(key.is_some(), arrives.addr() == server.addr(), "another origin");
    }
    // And by the same rules.
    let leaves = |_| Response::builder().status(302).header("Location", "file:///x").build();
    let error = door.send(get(server.url("/get")).hook(leaves)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSchema);
    let stays = get(server.url("/get")).allow_redirects(false).hook(leaves);
    assert_eq!(door.send(stays).unwrap().status(), 302);
}

fn the_history_of_what_a_hook_brings_is_kept(door: Door) {
    let server = Testbed::start();
    let s = bequest::Session::new();
    let bring = move |path: &str| {
        let (s, url) = (s.clone(), server.url(path));
        move |r: Response| match r.status().as_u16() {
            // A request of its own; its hooks are its own, too.
            418 => s.get(&url).send(),
            _ => Ok(r),
        }
    };
    let teapot = Testbed::start();
    let r = door.send(get(teapot.url("/status/418")).hook(bring("/redirect/2"))).unwrap();
    assert_eq!((r.status().as_u16(), r.url().path()), (200, "/get"));
    let paths: Vec<_> = r.history().iter().map(|hop| hop.url().path()).collect();
    assert_eq!(paths, ["/redirect/2", "/relative-redirect/1"]);
    // Behind a redirect of the outer one.
    let led = get(teapot.url("/redirect-to?url=/status/418")).hook(bring("/redirect/1"));
    let r = door.send(led).unwrap();
    let paths: Vec<_> = r.history().iter().map(|hop| hop.url().path()).collect();
    assert_eq!(paths, ["/redirect-to", "/redirect/1"]);
}

/// Asks once more what was answered 401.
struct Insisting;

impl Auth for Insisting {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        let again = response.status() == 401 && request.headers.get("x-again").is_none();
        request.headers.insert("X-Again", "1");
        Ok(if again { Round::Again } else { Round::Done })
    }
}

fn an_auth_hears_of_what_replaces_a_response(door: Door) {
    let server = Testbed::start();
    let refuse = |r: Response| {
        if r.request().headers.contains("x-again") {
            return Ok(r);
        }
        Response::builder().status(401).build()
    };
    let r = door.send(get(server.url("/get")).auth(Insisting).hook(refuse)).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (200, 1));
    assert_eq!(server.requests().len(), 2);
}

fn a_hook_that_fails_tells_the_request(door: Door) {
    let server = Testbed::start();
    let fail = |r: Response| match r.url().path() {
        "/get" => Err(Error::other("not with me")),
        _ => Ok(r),
    };
    let error = door.send(get(server.url("/redirect/1")).hook(fail)).unwrap_err();
    assert_eq!(error.to_string(), format!("GET {}: not with me", server.url("/get")));
    let request = error.request().unwrap();
    assert_eq!((request.url.path(), request.headers.contains("host")), ("/get", true));
    // One of another request, sent in the hook, stays that one's.
    let nowhere = |_| bequest::get("nowhere").send();
    let error = door.send(get(server.url("/get")).hook(nowhere)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSchema);
}

fn hooks_see_the_settings(door: Door) {
    let server = Testbed::start();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut s = door.session();
    *s.timeout() = Duration::from_secs(27).into();
    *s.max_redirects() = 3;
    s.hooks().response.push({
        let seen = Arc::clone(&seen);
        move |r: Response| {
            let settings = r.request().settings().unwrap();
            seen.lock().unwrap().push((
                settings.timeout.read_limit().map(|limit| limit.as_secs()),
                settings.verify == Verify::No,
                settings.stream,
                settings.max_redirects,
            ));
            Ok(r)
        }
    });
    s.send(get(server.url("/get"))).unwrap();
    let own = get(server.url("/redirect/1")).verify(false).stream(true);
    s.send(own.timeout(Duration::from_secs(5))).unwrap().content().unwrap();
    let prepared = s.prepare(get(server.url("/get")).max_redirects(4)).unwrap();
    s.send_prepared(prepared, SendOptions::new().max_redirects(5)).unwrap();
    let hop = (Some(5), true, true, 3);
    assert_eq!(
        *seen.lock().unwrap(),
        [(Some(27), false, false, 3), hop, hop, (Some(27), false, false, 5)]
    );
}

fn each_hop_shows_its_request(door: Door) {
    let server = Testbed::start();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let request = post(server.url("/redirect/2")).body("body").hook({
        let seen = Arc::clone(&seen);
        move |r: Response| {
            let sent = r.request();
            let shown = format!("{} {} {:?}", sent.method, sent.url.path(), sent.body.len());
            seen.lock().unwrap().push((shown, r.history().len()));
            Ok(r)
        }
    });
    door.send(request).unwrap();
    let expected = [
        "POST /redirect/2 Some(4)".to_owned(),
        "GET /relative-redirect/1 Some(0)".to_owned(),
        "GET /get Some(0)".to_owned(),
    ];
    assert_eq!(*seen.lock().unwrap(), expected.map(|shown| (shown, 0)));
}

#[cfg(feature = "cookies")]
fn cookies_are_in_the_jar_when_a_hook_runs(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    let (jar, seen) = (Arc::clone(s.cookies()), Arc::new(Mutex::new(Vec::new())));
    s.hooks().response.push({
        let seen = Arc::clone(&seen);
        move |r: Response| {
            let names: Vec<_> = jar.iter().map(|cookie| cookie.name().into_owned()).collect();
            seen.lock().unwrap().push((r.url().path().to_owned(), names));
            Ok(r)
        }
    });
    s.send(get(server.url("/cookies/set/a/1"))).unwrap();
    // One that is thrown away has set its cookies all the same.
    let replaced = |_| Response::builder().header("Set-Cookie", "made=up").build();
    s.send(get(server.url("/cookies/set/b/2")).hook(replaced)).unwrap();
    let known = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            ("/cookies/set/a/1".to_owned(), known(&["a"])),
            ("/cookies".to_owned(), known(&["a"])),
            ("/cookies/set/b/2".to_owned(), known(&["a", "b"])),
        ]
    );
    assert!(!s.cookies().contains("made"), "no server has set it");
}

/// The session whose hook it is sends another request, which the same hooks see.
#[cfg(feature = "async")]
fn a_hook_that_awaits_may_send_by_its_session(door: Door) {
    use support::Client;

    let server = Testbed::start();
    let url = server.url("/get?inner");
    let is_outer = |r: &Response| r.url().query() == Some("outer");
    let mut s = door.session();
    let inner = Arc::new(Mutex::new(None::<Client>));
    s.hooks().response.push_async({
        let inner = Arc::clone(&inner);
        move |r: Response| {
            let (s, url) = (inner.lock().unwrap().clone(), url.clone());
            async move {
                match s {
                    _ if !is_outer(&r) => {}
                    Some(Client::Aio(s)) => assert_eq!(s.get(&url).send().await?.status(), 200),
                    Some(Client::Blocking(s)) => assert_eq!(s.get(&url).send()?.status(), 200),
                    None => panic!("no session"),
                }
                Ok(r)
            }
        }
    });
    *inner.lock().unwrap() = Some(s.clone());
    let r = s.send(get(server.url("/get?outer"))).unwrap();
    assert!(is_outer(&r.into_response()));
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/get?outer", "/get?inner"]);
    // They would keep each other alive.
    inner.lock().unwrap().take();
}

fn what_request_hooks_set_stays_at_its_origin(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let mut s = door.session();
    let port = first.addr().port();
    s.hooks().request.push(move |request| {
        if request.url.port() == Some(port) {
            request.headers.insert("X-Signature", "s3cret");
            request.headers.insert("Content-Type", "text/plain");
        }
        request.headers.insert("X-Trace", request.url.path());
        Ok(())
    });
    for (to, signature) in [(&first, Some("s3cret")), (&second, None)] {
        let request = post(first.url("/redirect-to")).body("body");
        let params = [("url", &*to.url("/anything")), ("status_code", "307")];
        s.send(request.params(params)).unwrap();
        let seen = to.requests().pop().unwrap();
        assert_eq!(seen.header("x-signature"), signature);
        assert_eq!(seen.header("x-trace"), Some("/anything"), "the hook was called again");
        assert_eq!(seen.header("content-type"), Some("text/plain"), "the body is still what it is");
    }
}

fn a_request_hook_may_send_it_elsewhere(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let mut s = door.session();
    s.mount("mock://", adapter_fn(|_, _| Response::builder().body("mock").build()));
    let port = second.addr().port();
    s.hooks().request.push(move |request| {
        if request.url.path() == "/moved" {
            request.url.set_port(Some(port)).unwrap();
            request.url.set_path("/redirect-to");
        }
        Ok(())
    });
    // Where it was sent is where it comes from: this is a redirect within the second.
    let request = get(first.url("/moved?url=/headers")).header("X-Api-Key", "k");
    let r = s.send(request).unwrap();
    assert_eq!((r.url().port(), r.url().path()), (Some(port), "/headers"));
    assert_eq!(r.json().unwrap()["headers"]["X-Api-Key"], "k");
    assert!(first.requests().is_empty());
    // A scheme of another adapter is the hook's to choose, though not a server's.
    s.hooks().request.push(|request| {
        request.url = "mock://x".parse().unwrap();
        Ok(())
    });
    assert_eq!(s.send(get(first.url("/get"))).unwrap().text().unwrap(), "mock");
}

/// They are chosen before; the documentation of request hooks says so.
#[cfg(feature = "cookies")]
fn credentials_go_where_a_request_hook_sends_them(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.send(get(server.url("/cookies/set?k=v"))).unwrap();
    s.hooks().request.push(|request| {
        request.url.set_host(Some("localhost")).unwrap();
        if request.url.path() == "/anything" {
            request.headers.remove("Authorization");
            request.headers.remove("Cookie");
        }
        Ok(())
    });
    for (path, sent) in
        [("/get", [Some("k=v"), Some("Basic dXNlcjpwYXNz")]), ("/anything", [None, None])]
    {
        let r = s.send(get(server.url(path)).auth(("user", "pass"))).unwrap();
        assert_eq!(r.url().host_str(), Some("localhost"));
        let seen = server.requests().pop().unwrap();
        assert_eq!([seen.header("cookie"), seen.header("authorization")], sent, "{path}");
    }
}
