//! Bodies over HTTP/2, in both directions.

#![cfg(feature = "http2")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Read;
use std::thread;

use bequest::{Body, ErrorKind, HttpVersions, Version};
use support::{Client, Door, doors, get, post, until};
use testbed::StreamServer;

doors![
    uploads_and_downloads_go_on_at_once,
    an_upload_is_told_of,
    a_piece_leaves_before_the_next_is_made,
    what_came_before_an_error_is_given_out,
];

fn client(door: Door) -> Client {
    let mut client = door.session();
    *client.http_versions() = Some(HttpVersions::Http2);
    client
}

fn text(client: &Client, url: &str) -> String {
    let reply = client.send(get(url)).unwrap();
    assert_eq!(reply.version(), Version::HTTP_2);
    reply.text().unwrap()
}

fn uploads_and_downloads_go_on_at_once(door: Door) {
    let server = StreamServer::start(100);
    let client = client(door);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let body = Body::reader(std::io::repeat(b'x').take(3_000_000));
                let reply = client.send(post(server.url("/sink")).body(body)).unwrap();
                assert_eq!(reply.text().unwrap(), "3000000");
            });
            scope
                .spawn(|| assert_eq!(text(&client, &server.url("/fill/3000000")).len(), 3_000_000));
        }
    });
    assert_eq!(server.connections(), 1);
}

fn an_upload_is_told_of(door: Door) {
    let server = StreamServer::start(100);
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&told);
    let request = post(server.url("/sink")).body(vec![0; 300_000]);
    let request = request.on_progress(move |progress| log.lock().unwrap().push(progress));
    assert_eq!(client(door).send(request).unwrap().text().unwrap(), "300000");
    let told = told.lock().unwrap();
    let sent: Vec<_> = told.iter().map(|progress| progress.sent).collect();
    assert!(sent.is_sorted() && told.len() > 2, "{sent:?}");
    let last = told.last().unwrap();
    assert_eq!((last.sent, last.to_send, last.received), (300_000, Some(300_000), 6));
}

/// A body of which each piece is made when the one before has arrived.
struct Pieces {
    server: &'static StreamServer,
    made: usize,
    /// What had arrived when the last one was made.
    before: usize,
}

const PIECE: usize = 1000;

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        until("the head has arrived", || self.server.requests() == 1);
        if self.made > 0 {
            until("the piece has arrived", || self.server.received() >= self.before + PIECE);
        }
        if self.made == 3 {
            return Ok(0);
        }
        (self.made, self.before) = (self.made + 1, self.server.received());
        room[..PIECE].fill(b'x');
        Ok(PIECE)
    }
}

fn a_piece_leaves_before_the_next_is_made(door: Door) {
    // A source may live as long as the process.
    let server: &'static StreamServer = Box::leak(Box::new(StreamServer::start(10)));
    let body = Body::reader(Pieces { server, made: 0, before: 0 });
    let reply = client(door).send(post(server.url("/sink")).body(body)).unwrap();
    assert_eq!(reply.text().unwrap(), "3000");
}

fn what_came_before_an_error_is_given_out(door: Door) {
    let server = StreamServer::start(10);
    let reply = client(door).send(get(server.url("/torn")).stream(true)).unwrap();
    server.release();
    until("the stream is reset", || server.open() == 0);
    let mut pieces = reply.iter_content(None);
    assert_eq!(pieces.next().unwrap().unwrap(), "begun");
    assert_eq!(pieces.next().unwrap().unwrap_err().kind(), ErrorKind::IncompleteBody);
}
