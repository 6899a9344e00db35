//! What a caller is told while a body is sent.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Read;
use std::sync::{Arc, Mutex};

use bequest::{Body, Progress, Request, SendOptions};
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Door, doors, get, post};
use testbed::{RawServer, Script, Testbed};

doors![
    every_kind_of_body_is_counted,
    a_body_that_is_sent_again_is_counted_anew,
    without_a_body_nobody_is_told,
    options_win_over_the_request,
    what_is_received_is_counted,
    a_stream_is_counted_as_it_is_read,
];

#[cfg(feature = "http2")]
http2_doors![
    every_kind_of_body_is_counted,
    options_win_over_the_request,
    a_stream_is_counted_as_it_is_read,
];

/// What was told, and a function that is told.
fn watched() -> (Arc<Mutex<Vec<Progress>>>, impl Fn(Progress) + Send + Sync + Clone + 'static) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tell = {
        let seen = Arc::clone(&seen);
        move |progress| seen.lock().unwrap().push(progress)
    };
    (seen, tell)
}

/// What was told before there was a response.
fn sending(seen: &Mutex<Vec<Progress>>) -> Vec<Progress> {
    let seen = seen.lock().unwrap();
    seen.iter().copied().take_while(|progress| progress.received == 0).collect()
}

fn every_kind_of_body_is_counted(door: Door) {
    let server = Testbed::start();
    let length = 300_000;
    let text = "x".repeat(length);
    let read = || Body::reader(std::io::repeat(b'x').take(length as u64));
    let chunks = || Body::chunks(vec!["y".repeat(length / 3); 3]);
    let known = Some(length as u64);
    for (body, coding, to_send) in [
        (Body::from(text.clone()), "", known),
        (Body::from(text), "chunked", known),
        (read(), "", None),
        (read().with_length(length as u64), "", known),
        (chunks(), "", None),
        (chunks().with_length(length as u64), "", known),
    ] {
        let shown = format!("{body:?} {coding}");
        let (seen, tell) = watched();
        let mut request = post(server.url("/post")).body(body).on_progress(tell);
        if !coding.is_empty() {
            request = request.header("Transfer-Encoding", coding);
        }
        assert_eq!(door.send(request).unwrap().status(), 200, "{shown}");
        let seen = sending(&seen);
        assert!(seen.iter().all(|progress| progress.to_send == to_send), "{shown}");
        assert!(seen.is_sorted_by(|a, b| a.sent < b.sent), "{shown}: {seen:?}");
        assert_eq!(seen.last().unwrap().sent, length as u64, "{shown}");
        assert!(seen[0].sent > 0, "{shown}");
    }
    let (seen, tell) = watched();
    door.send(post(server.url("/post")).body("small").on_progress(tell)).unwrap();
    let seen = sending(&seen);
    assert_eq!((seen.len(), seen[0].sent, seen[0].to_send), (1, 5, Some(5)));
}

fn a_body_that_is_sent_again_is_counted_anew(door: Door) {
    // The second request finds its connection closed, and is sent once more.
    let no_content = "HTTP/1.1 204 No Content\r\n\r\n";
    let server = RawServer::sequence(vec![
        Script::new().read_head().send(no_content).read_head().read_body(4).close(),
        Script::respond(no_content),
    ]);
    let s = door.session();
    s.send(get(server.url("/"))).unwrap();
    let (seen, tell) = watched();
    let put = Request::new("PUT", server.url("/")).body("body").on_progress(tell);
    assert_eq!(s.send(put).unwrap().status(), 204);
    let sent: Vec<u64> = seen.lock().unwrap().iter().map(|progress| progress.sent).collect();
    assert_eq!(sent, [4, 4]);
}

fn without_a_body_nobody_is_told(door: Door) {
    let server = RawServer::start(Script::respond("HTTP/1.1 204 No Content\r\n\r\n"));
    let (seen, tell) = watched();
    door.send(get(server.url("/get")).on_progress(tell.clone())).unwrap();
    door.send(post(server.url("/post")).body("").on_progress(tell)).unwrap();
    assert_eq!(*seen.lock().unwrap(), []);
}

fn options_win_over_the_request(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let ((first, tell_first), (second, tell_second)) = (watched(), watched());
    let request = post(server.url("/post")).body("body").on_progress(tell_first);
    let prepared = s.prepare(request).unwrap();
    s.send_prepared(prepared, SendOptions::new().on_progress(tell_second)).unwrap();
    assert_eq!((first.lock().unwrap().len(), sending(&second).len()), (0, 1));
}

fn what_is_received_is_counted(door: Door) {
    let length = 300_000;
    for (head, body) in [
        (format!("Content-Length: {length}"), "x".repeat(length)),
        ("Connection: close".to_owned(), "x".repeat(length)),
        (
            "Transfer-Encoding: chunked".to_owned(),
            format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length)),
        ),
    ] {
        let known = head.starts_with("Content-Length").then_some(length as u64);
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
        let server = RawServer::start(Script::new().read_head().read_body(4).send(answer).close());
        let (seen, tell) = watched();
        let r = door.send(post(server.url("/")).body("body").on_progress(tell)).unwrap();
        assert_eq!(r.content().unwrap().len(), length, "{head}");
        let seen = seen.lock().unwrap();
        assert_eq!((seen[0].sent, seen[0].received, seen[0].to_receive), (4, 0, None), "{head}");
        let received = &seen[1..];
        assert!(received.is_sorted_by(|a, b| a.received < b.received), "{head}");
        assert!(received.iter().all(|progress| progress.sent == 4), "{head}");
        assert!(received.iter().all(|progress| progress.to_receive == known), "{head}");
        assert_eq!(received.last().unwrap().received, length as u64, "{head}");
    }
}

fn a_stream_is_counted_as_it_is_read(door: Door) {
    let server = Testbed::start();
    let (seen, tell) = watched();
    let url = server.url("/bytes/100000");
    let r = door.send(get(url).stream(true).on_progress(tell)).unwrap();
    assert_eq!(*seen.lock().unwrap(), []);
    r.content().unwrap();
    let last = *seen.lock().unwrap().last().unwrap();
    assert_eq!((last.received, last.to_receive), (100_000, Some(100_000)));
    let (seen, tell) = watched();
    let r = door.send(get(server.url("/bytes/1000000")).stream(true).on_progress(tell)).unwrap();
    let mut read = 0;
    for piece in r.iter_content(100_000) {
        read += piece.unwrap().len() as u64;
        let last = *seen.lock().unwrap().last().unwrap();
        assert!(last.received >= read && last.received <= read + 100_000, "{last:?} of {read}");
    }
    assert_eq!(read, 1_000_000);
}
