//! Redirects: followed, refused, and what goes along.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bequest::{
    Auth, Error, ErrorKind, Hop, Next, PreparedRequest, Request, Response, Result, Round,
    SendOptions, Timeout, Verify, auth_fn,
};
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Door, doors, get, post};
use testbed::{RawServer, Script, Testbed};

doors![
    a_chain_is_followed_over_one_connection,
    methods_and_bodies_go_along_or_not,
    another_origin_sees_no_secrets,
    an_auth_is_applied_anew_for_each_url_of_its_origin,
    an_auth_is_not_asked_about_another_origin,
    there_is_a_most_of_redirects,
    what_is_not_followed_says_where_it_leads,
    head_is_not_followed_unless_told,
    a_policy_decides,
    https_can_be_all_there_is,
    trust_in_one_server_is_not_trust_in_the_next,
    nor_is_it_in_the_next_request,
    a_location_that_leads_nowhere_carries_the_response,
    hooks_see_every_hop,
    the_total_timeout_is_for_the_whole_journey,
    the_fragment_goes_along,
    the_last_hop_is_streamed,
];

#[cfg(feature = "http2")]
http2_doors![
    a_chain_is_followed_over_one_connection,
    another_origin_sees_no_secrets,
    an_auth_is_not_asked_about_another_origin,
    there_is_a_most_of_redirects,
    what_is_not_followed_says_where_it_leads,
    head_is_not_followed_unless_told,
    a_policy_decides,
    https_can_be_all_there_is,
    trust_in_one_server_is_not_trust_in_the_next,
    nor_is_it_in_the_next_request,
    a_location_that_leads_nowhere_carries_the_response,
    the_fragment_goes_along,
    the_last_hop_is_streamed,
];

/// A request that is led to `to`.
fn led(server: &Testbed, method: &str, to: &str, status: u16) -> Request {
    let params = [("url", to), ("status_code", &status.to_string())];
    Request::new(method, server.url("/redirect-to")).params(params)
}

fn a_chain_is_followed_over_one_connection(door: Door) {
    let server = Testbed::start();
    let r = door.send(get(server.url("/redirect/3"))).unwrap();
    assert_eq!((r.status().as_u16(), r.url().path()), (200, "/get"));
    let paths: Vec<_> = r.history().iter().map(|hop| hop.url().path()).collect();
    assert_eq!(paths, ["/redirect/3", "/relative-redirect/2", "/relative-redirect/1"]);
    for hop in r.history() {
        assert!(hop.is_redirect() && hop.status() == 302 && hop.elapsed() > Duration::ZERO);
        assert!(hop.history().is_empty());
    }
    assert_eq!(server.connections(), 1);
    let absolute = door.send(get(server.url("/absolute-redirect/2"))).unwrap();
    assert_eq!((absolute.history().len(), absolute.url().path()), (2, "/get"));
}

fn methods_and_bodies_go_along_or_not(door: Door) {
    let server = Testbed::start();
    for (status, method, arrives, body) in [
        (301, "POST", "GET", ""),
        (301, "PUT", "PUT", "body"),
        (302, "POST", "GET", ""),
        (302, "PUT", "GET", ""),
        (303, "PATCH", "GET", ""),
        (307, "POST", "POST", "body"),
        (308, "DELETE", "DELETE", "body"),
    ] {
        let request = led(&server, method, "/anything", status).body("body");
        let r = door.send(request.header("Content-Type", "text/plain")).unwrap();
        let seen = r.json().unwrap();
        let shown = format!("{status} {method}");
        assert_eq!(
            (seen["method"].as_str(), seen["data"].as_str()),
            (Some(arrives), Some(body)),
            "{shown}"
        );
        let kept = !body.is_empty();
        assert_eq!(seen["headers"].get("Content-Type").is_some(), kept, "{shown}");
        // An announced length of nothing belongs to methods that may have a body.
        let length = seen["headers"].get("Content-Length").and_then(|length| length.as_str());
        assert_eq!(length, kept.then_some("4"), "{shown}");
    }
}

/// What the second of two servers sees of each secret that was meant for the first.
fn another_origin_sees_no_secrets(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let s = door.session();
    let secrets = [
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "X-Api-Key",
        "Api-Key",
        "X-Auth-Token",
        "X-Access-Token",
        "X-Csrf-Token",
        "X-Amz-Security-Token",
    ];
    for status in [301, 302, 303, 307, 308] {
        for secret in secrets {
            let request = led(&first, "POST", &second.url("/anything"), status).body("body");
            let request = request.header(secret, "s3cret").header("X-Plain", "plain");
            let r = s.send(request).unwrap();
            assert_eq!(r.history().len(), 1);
            // Which is meant for no origin at all.
            let arrives = secret != "Proxy-Authorization";
            assert_eq!(first.requests().last().unwrap().header(secret).is_some(), arrives);
            let seen = second.requests().pop().unwrap();
            assert_eq!(seen.header(secret), None, "{status} {secret}");
            assert_eq!(seen.header("x-plain"), Some("plain"), "{status} {secret}");
        }
        // A host of one's own, credentials of the URL, an auth, whatever it sets.
        let url = second.url("/anything");
        let auth = auth_fn(|request| {
            request.headers.insert("X-Signature", "s3cret");
            Ok(())
        });
        let user = led(&first, "GET", &url, status);
        let with_user = user.clone().auth(("user", "s3cret"));
        for request in [user.clone().header("Host", "virtual"), with_user, user.auth(auth)] {
            s.send(request).unwrap();
            let seen = second.requests().pop().unwrap();
            assert_eq!(seen.header("host"), Some(second.addr().to_string().as_str()), "{status}");
            assert_eq!(seen.header("authorization"), None, "{status}");
            assert_eq!(seen.header("x-signature"), None, "{status}");
        }
        // Nor does what the session has; and what another origin was not told is not told again.
        let mut s = door.session();
        s.set_auth(("user", "s3cret"));
        s.headers().insert("X-Api-Key", "s3cret");
        let back = led(&second, "GET", &first.url("/anything"), status).prepare().unwrap();
        s.send(led(&first, "GET", back.url.as_str(), status)).unwrap();
        for seen in [second.requests().pop().unwrap(), first.requests().pop().unwrap()] {
            assert_eq!(seen.header("authorization"), None, "{status}");
            assert_eq!(seen.header("x-api-key"), None, "{status}");
        }
    }
}

fn an_auth_is_applied_anew_for_each_url_of_its_origin(door: Door) {
    let server = Testbed::start();
    let signed = auth_fn(|request: &mut PreparedRequest| {
        let signature = format!("{} {}", request.method, request.url.path());
        request.headers.insert("X-Signature", signature);
        Ok(())
    });
    let r = door.send(led(&server, "POST", "/anything/x", 303).body("body").auth(signed)).unwrap();
    assert_eq!(r.json().unwrap()["headers"]["X-Signature"], "GET /anything/x");
}

/// Answers whatever challenge comes.
struct Eager(AtomicUsize);

impl Auth for Eager {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        if response.status() != 401 {
            return Ok(Round::Done);
        }
        self.0.fetch_add(1, Ordering::SeqCst);
        request.headers.insert("Authorization", "Basic dXNlcjpwYXNz");
        Ok(Round::Again)
    }
}

fn an_auth_is_not_asked_about_another_origin(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let eager = Arc::new(Eager(AtomicUsize::new(0)));
    let path = "/basic-auth/user/pass";
    let r = door.send(led(&first, "GET", &second.url(path), 302).auth(Arc::clone(&eager))).unwrap();
    assert_eq!((r.status().as_u16(), eager.0.load(Ordering::SeqCst)), (401, 0));
    // On its own origin it is: 302, 401, 200.
    let r = door.send(led(&first, "GET", path, 302).auth(Arc::clone(&eager))).unwrap();
    let statuses: Vec<_> = r.history().iter().map(|hop| hop.status().as_u16()).collect();
    assert_eq!((r.status().as_u16(), statuses), (200, vec![302, 401]));
}

fn there_is_a_most_of_redirects(door: Door) {
    let server = Testbed::start();
    let refused = |result: Result<support::Reply>, followed: usize| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyRedirects, "{error}");
        assert!(error.to_string().contains(&format!("more than {followed} redirects")), "{error}");
        let response = error.response().unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (302, followed));
        assert!(error.request().is_some());
    };
    let s = door.session();
    assert_eq!(s.send(get(server.url("/redirect/30"))).unwrap().history().len(), 30);
    refused(s.send(get(server.url("/redirect/31"))), 30);
    refused(s.send(get(server.url("/redirect/1")).max_redirects(0)), 0);
    assert_eq!(s.send(get(server.url("/redirect/2")).max_redirects(2)).unwrap().status(), 200);
    let mut short = door.session();
    *short.max_redirects() = 2;
    refused(short.send(get(server.url("/redirect/3"))), 2);
    let prepared = short.prepare(get(server.url("/redirect/3"))).unwrap();
    let r = short.send_prepared(prepared, SendOptions::new().max_redirects(3)).unwrap();
    assert_eq!(r.status(), 200);
}

fn what_is_not_followed_says_where_it_leads(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let request = led(&server, "POST", "/anything#there", 302).body("body").allow_redirects(false);
    let r = s.send(request).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (302, 0));
    assert!(r.is_redirect() && !r.is_permanent_redirect());
    let next = r.next_request().unwrap().unwrap();
    assert_eq!((next.method.as_str(), next.url.fragment()), ("GET", Some("there")));
    assert!(next.body.is_empty() && !next.headers.contains("content-length"));
    let r = s.send_prepared(next, SendOptions::new()).unwrap();
    assert_eq!(r.json().unwrap()["method"], "GET");
    assert!(r.next_request().unwrap().is_none());
    let permanent = led(&server, "GET", "http:///nowhere", 308).allow_redirects(false);
    let r = s.send(permanent).unwrap();
    assert!(r.is_permanent_redirect());
    assert_eq!(r.next_request().unwrap_err().kind(), ErrorKind::InvalidUrl);
    let choices = s.send(led(&server, "GET", "/get", 300)).unwrap();
    assert!(!choices.is_redirect() && choices.status() == 300);
}

fn head_is_not_followed_unless_told(door: Door) {
    let server = Testbed::start();
    let head = || Request::new("HEAD", server.url("/redirect/1"));
    assert_eq!(door.send(head()).unwrap().status(), 302);
    let r = door.send(head().allow_redirects(true)).unwrap();
    assert_eq!((r.status().as_u16(), r.request().method.as_str()), (200, "HEAD"));
}

fn a_policy_decides(door: Door) {
    let server = Testbed::start();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut s = door.session();
    *s.redirect_policy() = Some(Arc::new({
        let seen = Arc::clone(&seen);
        move |hop: &Hop<'_>| {
            let paths = format!("{} -> {}", hop.from.path(), hop.to.path());
            seen.lock().unwrap().push((hop.status.as_u16(), hop.followed, paths));
            Ok(if hop.followed < 2 { Next::Follow } else { Next::Stop })
        }
    }));
    let r = s.send(get(server.url("/redirect/5"))).unwrap();
    assert_eq!(
        (r.status().as_u16(), r.history().len(), r.url().path()),
        (302, 2, "/relative-redirect/3")
    );
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (302, 0, "/redirect/5 -> /relative-redirect/4".to_owned()),
            (302, 1, "/relative-redirect/4 -> /relative-redirect/3".to_owned()),
            (302, 2, "/relative-redirect/3 -> /relative-redirect/2".to_owned()),
        ]
    );
    let refusing = |_: &Hop<'_>| -> Result<Next> { Err(Error::other("not there")) };
    let error = s.send(get(server.url("/redirect/1")).redirect_policy(refusing)).unwrap_err();
    assert_eq!(
        (error.kind(), error.response().unwrap().status().as_u16()),
        (ErrorKind::Other, 302)
    );
}

fn https_can_be_all_there_is(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    *s.https_only() = true;
    *s.verify() = Verify::bundle(server.ca_file());
    assert_eq!(s.send(get(server.https_url("/get"))).unwrap().status(), 200);
    let secure = server.https_url("/redirect-to");
    let leaving = || get(&secure).params([("url", server.url("/get"))]);
    let before = server.connections();
    for request in [get(server.url("/get")), leaving()] {
        let error = s.send(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSchema, "{error}");
    }
    assert_eq!(server.connections(), before, "nothing was connected to");
    assert_eq!(s.send(leaving().https_only(false)).unwrap().status(), 200);
}

fn trust_in_one_server_is_not_trust_in_the_next(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let led = || get(first.https_url("/redirect-to")).params([("url", second.https_url("/get"))]);
    let s = door.session();
    let error = s.send(led().verify(false)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert_eq!(error.request().unwrap().url.port(), Some(second.https_addr().port()));
    let own = get(first.https_url("/redirect/2")).verify(false);
    assert_eq!(s.send(own).unwrap().status(), 200, "within the origin it holds");
    let mut careless = door.session();
    *careless.verify() = Verify::No;
    assert_eq!(careless.send(led()).unwrap().status(), 200, "a session says it for all");
    assert_eq!(careless.send(led().verify(false)).unwrap().status(), 200);
}

/// The request that a redirect asks for has the settings of the first.
fn nor_is_it_in_the_next_request(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    for (server, refused) in [(&first, false), (&second, true)] {
        let s = door.session();
        let to = [("url", server.https_url("/get"))];
        let led = get(first.https_url("/redirect-to")).params(to).verify(false);
        let r = s.send(led.allow_redirects(false)).unwrap();
        let next = r.next_request().unwrap().unwrap();
        let result = s.send_prepared(next, SendOptions::new());
        assert_eq!(result.is_err_and(|error| error.kind() == ErrorKind::Tls), refused);
    }
}

fn a_location_that_leads_nowhere_carries_the_response(door: Door) {
    let server = Testbed::start();
    for (location, kind) in [
        ("http:///x", ErrorKind::InvalidUrl),
        ("http://h:99999/", ErrorKind::InvalidUrl),
        ("ftp://h/x", ErrorKind::InvalidSchema),
        ("file:///etc/passwd", ErrorKind::InvalidSchema),
        ("mock://x", ErrorKind::InvalidSchema),
    ] {
        let mut s = door.session();
        s.mount("mock://", bequest::adapter_fn(|_, _| Response::builder().build()));
        let error = s.send(led(&server, "GET", location, 302)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.response().unwrap().status(), 302, "{location}");
    }
}

fn hooks_see_every_hop(door: Door) {
    let server = Testbed::start();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut s = door.session();
    s.hooks().request.push(|request| {
        let count = request.headers.get("x-hop").and_then(|count| count.parse().ok()).unwrap_or(0);
        request.headers.insert("X-Hop", count + 1);
        Ok(())
    });
    let request = get(server.url("/redirect/2")).hook({
        let seen = Arc::clone(&seen);
        move |r: Response| {
            seen.lock()
                .unwrap()
                .push((r.status().as_u16(), r.content().map(|body| !body.is_empty())?));
            Ok(r)
        }
    });
    let r = s.send(request).unwrap();
    assert_eq!(*seen.lock().unwrap(), [(302, false), (302, false), (200, true)]);
    assert_eq!(r.json().unwrap()["headers"]["X-Hop"], "3");
}

fn the_total_timeout_is_for_the_whole_journey(door: Door) {
    let step = Duration::from_millis(120);
    let hop = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
    let server =
        RawServer::start(Script::new().forever(Script::new().read_head().sleep(step).send(hop)));
    let total = Duration::from_millis(500);
    let started = Instant::now();
    let error = door.send(get(server.url("/")).timeout(Timeout::new().total(total))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    let taken = started.elapsed();
    assert!(taken >= total && taken < total + Duration::from_millis(1500), "{taken:?}");
}

fn the_fragment_goes_along(door: Door) {
    let server = Testbed::start();
    let with_own = format!("{}#old", server.url("/redirect-to?url=/get"));
    assert_eq!(door.send(get(with_own)).unwrap().url().fragment(), Some("old"));
    let with_new = format!("{}#old", server.url("/redirect-to?url=/get%23new"));
    assert_eq!(door.send(get(with_new)).unwrap().url().fragment(), Some("new"));
}

fn the_last_hop_is_streamed(door: Door) {
    let server = Testbed::start();
    let r = door.send(get(server.url("/redirect/2")).stream(true)).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (200, 2));
    assert!(r.text().unwrap().contains("headers"));
    assert_eq!(server.connections(), 1);
}

/// The prepared request of a redirect goes by the settings that the first one was sent with.
#[test]
fn the_settings_are_at_hand() {
    let server = Testbed::start();
    let s = bequest::Session::new();
    let seen = Arc::new(Mutex::new(None));
    let r = s
        .get(server.url("/get"))
        .timeout(Duration::from_secs(5))
        .hook({
            let seen = Arc::clone(&seen);
            move |r: Response| {
                let settings = r.request().settings().unwrap();
                *seen.lock().unwrap() = settings.timeout.read_limit();
                Ok(r)
            }
        })
        .send()
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), Some(Duration::from_secs(5)));
    assert!(r.request().settings().unwrap().allow_redirects);
    assert!(post(server.url("/post")).prepare().unwrap().settings().is_none());
}

/// A call without a session has no jar, but what a response sets is for what follows.
#[test]
fn what_follows_has_the_cookies_that_were_set() {
    let server = Testbed::start();
    let r = bequest::get(server.url("/cookies/set/k/v")).allow_redirects(false).send().unwrap();
    let next = r.next_request().unwrap().unwrap();
    assert_eq!(next.headers.get("cookie"), Some("k=v"));
}
