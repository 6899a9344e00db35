//! Bodies that are made while they are sent: a piece leaves before the next one is asked for.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use bequest::Body;
use support::{Door, PATIENCE, doors, post};

doors![
    a_chunk_leaves_before_the_next_is_made,
    what_was_read_leaves_before_more_is_read,
    a_body_of_known_length_leaves_as_it_is_read,
    #[cfg(feature = "async")]
    what_is_awaited_leaves_before_more_is_there,
];

/// A server that wants to see each of these before it lets the next piece be made, and its URL.
/// What it receives behind the head has to be exactly them.
fn patient(expected: &[&'static str]) -> (String, Receiver<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (allow, allowed) = channel();
    let expected = expected.to_vec();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        allow.send(()).unwrap(); // The first piece needs no other.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(exactly(&mut socket, 1));
        }
        for piece in expected {
            assert_eq!(String::from_utf8(exactly(&mut socket, piece.len())).unwrap(), piece);
            // The end of the body waits for nothing.
            let _ = allow.send(());
        }
        socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    });
    (url, allowed, server)
}

fn exactly(socket: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    socket.read_exact(&mut bytes).unwrap();
    bytes
}

/// Gives a piece when that is allowed.
struct Pieces {
    left: Vec<&'static str>,
    allowed: Receiver<()>,
}

impl Pieces {
    fn new(pieces: &[&'static str], allowed: Receiver<()>) -> Self {
        Self { left: pieces.to_vec(), allowed }
    }
}

impl Iterator for Pieces {
    type Item = &'static str;

    fn next(&mut self) -> Option<&'static str> {
        if self.left.is_empty() {
            return None;
        }
        self.allowed.recv_timeout(PATIENCE).expect("the piece before has arrived");
        Some(self.left.remove(0))
    }
}

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let piece = self.next().unwrap_or_default();
        room[..piece.len()].copy_from_slice(piece.as_bytes());
        Ok(piece.len())
    }
}

const PIECES: [&str; 3] = ["hi", "there", "!"];
const CHUNKS: [&str; 4] = ["2\r\nhi\r\n", "5\r\nthere\r\n", "1\r\n!\r\n", "0\r\n\r\n"];

fn a_chunk_leaves_before_the_next_is_made(door: Door) {
    let (url, allowed, server) = patient(&CHUNKS);
    let r = door.send(post(url).body(Body::chunks(Pieces::new(&PIECES, allowed)))).unwrap();
    assert_eq!(r.status(), 204);
    server.join().unwrap();
}

fn what_was_read_leaves_before_more_is_read(door: Door) {
    let (url, allowed, server) = patient(&CHUNKS);
    let r = door.send(post(url).body(Body::reader(Pieces::new(&PIECES, allowed)))).unwrap();
    assert_eq!(r.status(), 204);
    server.join().unwrap();
}

fn a_body_of_known_length_leaves_as_it_is_read(door: Door) {
    let (url, allowed, server) = patient(&PIECES);
    let body = Body::reader(Pieces::new(&PIECES, allowed)).with_length(8);
    let r = door.send(post(url).body(body)).unwrap();
    assert_eq!(r.status(), 204);
    server.join().unwrap();
}

#[cfg(feature = "async")]
fn what_is_awaited_leaves_before_more_is_there(door: Door) {
    for length in [None, Some(8)] {
        let (url, allowed, server) = patient(if length.is_some() { &PIECES } else { &CHUNKS });
        let (sender, stream) = support::fed::fed();
        let feeder = thread::spawn(move || {
            for piece in Pieces::new(&PIECES, allowed) {
                sender.send(Ok(piece)).unwrap();
            }
        });
        let body = Body::stream(stream);
        let body = match length {
            Some(length) => body.with_length(length),
            None => body,
        };
        assert_eq!(door.send(post(url).body(body)).unwrap().status(), 204);
        feeder.join().unwrap();
        server.join().unwrap();
    }
}
