//! Bodies on the way of a redirect: those of requests, which go along, and those of the redirects.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Seek, SeekFrom, Write};

use bequest::{
    Auth, Body, ErrorKind, Hop, Next, PreparedRequest, Request, Response, Result, Timeout,
};
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Door, doors, get};
use testbed::{RawServer, Script, Testbed};

doors![
    the_body_of_one_not_followed_is_the_callers,
    who_hears_of_a_redirect_has_its_body,
    bodies_are_rewound,
    bodies_that_are_gone_are_an_error,
    large_bodies_of_redirects_are_not_read,
];

#[cfg(feature = "http2")]
http2_doors![bodies_are_rewound];

/// A request that is led to `to`.
fn led(server: &Testbed, method: &str, to: &str, status: u16) -> Request {
    let params = [("url", to), ("status_code", &status.to_string())];
    Request::new(method, server.url("/redirect-to")).params(params)
}

fn the_body_of_one_not_followed_is_the_callers(door: Door) {
    let length = 1 << 20;
    let head = format!("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: {length}\r\n\r\n");
    let redirect = [head.into_bytes(), vec![b'x'; length]].concat();
    let server = RawServer::start(Script::respond(redirect));
    let stop = |_: &Hop<'_>| Ok(Next::Stop);
    for request in [get(server.url("/")).redirect_policy(stop), get(server.url("/"))] {
        for stream in [false, true] {
            let request = request.clone().stream(stream).max_redirects(0);
            match door.send(request) {
                Ok(r) => assert_eq!(r.content().unwrap().len(), length, "{stream}"),
                // Of one that comes with an error a little was read, at most.
                Err(error) => {
                    let content = error.response().unwrap().content();
                    assert_eq!(content.unwrap_err().kind(), ErrorKind::TooLarge);
                }
            }
        }
    }
}

/// Wants to see each response, and is content with all of them.
struct Content;

impl Auth for Content {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }
}

fn who_hears_of_a_redirect_has_its_body(door: Door) {
    let length = 1 << 20;
    let head = format!("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: {length}\r\n\r\n");
    let redirect = [head.into_bytes(), vec![b'x'; length]].concat();
    let server = RawServer::start(Script::respond(redirect.clone()));
    let stop = |_: &Hop<'_>| Ok(Next::Stop);
    let request = || get(server.url("/")).redirect_policy(stop);
    for request in [request().auth(Content), request().hook(Ok)] {
        for stream in [false, true] {
            let r = door.send(request.clone().stream(stream)).unwrap();
            assert_eq!(r.content().unwrap().len(), length, "{stream}");
        }
    }
    let r = door.send(get(server.url("/")).hook(move |r: Response| {
        assert_eq!(r.content()?.len(), length);
        Response::builder().body("instead").build()
    }));
    assert_eq!(r.unwrap().text().unwrap(), "instead");
    // One that is cut short is no success, whoever has heard of it.
    let server = RawServer::start(Script::new().read_head().send(&redirect[..length]).close());
    for request in [get(server.url("/")), get(server.url("/")).hook(Ok)] {
        let error = door.send(request.redirect_policy(stop)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IncompleteBody, "{error}");
    }
}

fn bodies_are_rewound(door: Door) {
    let server = Testbed::start();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    file.seek(SeekFrom::Start(4)).unwrap();
    for body in [Body::from("456789"), Body::from(file)] {
        let shown = format!("{body:?}");
        let r = door.send(led(&server, "PUT", "/anything", 307).body(body)).unwrap();
        assert_eq!(r.json().unwrap()["data"], "456789", "{shown}");
    }
}

fn bodies_that_are_gone_are_an_error(door: Door) {
    let server = Testbed::start();
    let body = || Body::reader(&b"once"[..]);
    let error = door.send(led(&server, "POST", "/anything", 307).body(body())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
    assert_eq!(error.response().unwrap().status(), 307);
    assert_eq!(
        door.send(led(&server, "POST", "/anything", 303).body(body())).unwrap().status(),
        200
    );
    // A server that answers before the body was begun has not used it up.
    let asking = led(&server, "POST", "/anything", 307).body(body());
    let asking = asking.header("Expect", "100-continue");
    let r = door.send(asking.timeout(Timeout::new().expect_continue(None))).unwrap();
    assert_eq!(r.json().unwrap()["data"], "once");
}

fn large_bodies_of_redirects_are_not_read(door: Door) {
    let most = 64 << 10;
    for (length, connections) in [(1000, 1), (most, 1), (most + 1, 2), (10 << 20, 2)] {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: {length}\r\n\r\n");
        let redirect = [head.into_bytes(), vec![b'x'; length]].concat();
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let server = RawServer::sequence(vec![
            Script::new().read_head().send(redirect).read_head().send(answer).wait_close(),
            Script::respond(answer),
        ]);
        let r = door.send(get(server.url("/"))).unwrap();
        assert_eq!(r.text().unwrap(), "ok");
        assert_eq!(server.connections(), connections, "{length}");
        let kept = r.history()[0].content();
        assert_eq!(kept.is_ok_and(|body| body.len() == length), length <= most);
    }
}
