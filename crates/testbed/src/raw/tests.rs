use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::*;
use crate::client::{Client, tcp, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const LONG: Duration = Duration::from_secs(3600);

fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an orderly close");
    bytes
}

#[test]
fn respond_answers_every_head_on_a_connection() {
    let server = RawServer::start(Script::respond(OK));
    let mut client = Client::connect(server.addr());
    for _ in 0..3 {
        assert_eq!(client.get("/").text(), "ok");
    }
    assert_eq!((server.connections(), server.requests()), (1, 3));
    let received = String::from_utf8(server.received(0)).expect("text");
    assert_eq!(received, "GET / HTTP/1.1\r\nHost: test\r\n\r\n".repeat(3));
    assert!(server.received(1).is_empty());
    assert_eq!(server.url("/a"), format!("http://{}/a", server.addr()));
}

#[test]
fn pipelined_heads_are_told_apart() {
    let server = RawServer::start(Script::respond(OK));
    let mut client = Client::connect(server.addr());
    client.write("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HT");
    assert_eq!(client.response(false).text(), "ok");
    assert_eq!(client.response(false).text(), "ok");
    assert_eq!(server.requests(), 2);
}

#[test]
fn a_sequence_gives_each_connection_its_script() {
    let server = RawServer::sequence(vec![
        Script::new(),
        Script::new().send("first"),
        Script::new().send("last"),
    ]);
    let all = [(); 4].map(|()| read_all(&mut tcp(server.addr())));
    assert_eq!(all, [&b""[..], b"first", b"last", b"last"]);
    assert_eq!(server.connections(), 4);
}

#[test]
fn bodies_are_read_to_their_length() {
    let script = Script::new().read_head().read_body(5).send("five").read_body(2).send("two");
    let server = RawServer::start(script);
    let mut client = Client::connect(server.addr());
    client.write("PUT / HTTP/1.1\r\n\r\n1234");
    client.write("5");
    assert_eq!(client.exactly(4), b"five");
    client.write("67");
    assert_eq!(client.exactly(3), b"two");
    assert!(client.at_end());
    assert_eq!(server.received(0), b"PUT / HTTP/1.1\r\n\r\n1234567");
}

#[test]
fn read_to_end_goes_on_after_the_client_is_done() {
    let server = RawServer::start(Script::new().read_to_end().send("bye"));
    let mut stream = tcp(server.addr());
    stream.write_all(b"all of it").expect("sent");
    stream.shutdown(Shutdown::Write).expect("shut down");
    assert_eq!(read_all(&mut stream), b"bye");
    assert_eq!(server.received(0), b"all of it");
}

#[test]
fn shutdown_write_leaves_the_reading_side_open() {
    let server = RawServer::start(Script::new().send("done").shutdown_write().wait_close());
    let mut stream = tcp(server.addr());
    assert_eq!(read_all(&mut stream), b"done");
    stream.write_all(b"still here").expect("sent");
    until("it is received", || server.received(0) == b"still here");
}

#[test]
fn drip_and_sleep_take_their_time() {
    let pause = Duration::from_millis(10);
    let server = RawServer::start(Script::new().drip("abc", pause).sleep(pause).send("d"));
    let start = Instant::now();
    assert_eq!(read_all(&mut tcp(server.addr())), b"abcd");
    assert!(start.elapsed() >= 3 * pause);
}

#[test]
fn reset_is_an_error_to_the_client() {
    let server = RawServer::start(Script::new().read_head().send("part").reset());
    let mut stream = tcp(server.addr());
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
    let mut received = Vec::new();
    let error = stream.read_to_end(&mut received).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(received, b"part");
}

#[test]
fn close_is_orderly_even_with_unread_input() {
    let server = RawServer::start(Script::new().read_body(1).send("enough").close().send("never"));
    let mut stream = tcp(server.addr());
    stream.write_all(&[b'x'; 20_000]).expect("sent");
    assert_eq!(read_all(&mut stream), b"enough");
}

#[test]
fn repeat_counts_and_nests() {
    let line = Script::new().send("a").repeat(2, Script::new().send("b"));
    let server = RawServer::start(Script::new().repeat(2, line).send("c"));
    assert_eq!(read_all(&mut tcp(server.addr())), b"abbabbc");
    let server = RawServer::start(Script::new().forever(Script::new().send("x").close()));
    assert_eq!(read_all(&mut tcp(server.addr())), b"x");
}

#[test]
fn a_stall_ends_when_the_client_closes() {
    let server = RawServer::start(Script::new().stall().send("never"));
    let mut stream = tcp(server.addr());
    stream.shutdown(Shutdown::Write).expect("shut down");
    assert_eq!(read_all(&mut stream), b"");
}

#[test]
fn a_stall_reads_nothing() {
    let server = RawServer::start(Script::new().read_body(1).stall());
    let mut stream = tcp(server.addr());
    stream.write_all(b"1").expect("sent");
    until("the byte is read", || server.received(0) == b"1");
    stream.set_write_timeout(Some(Duration::from_millis(50))).expect("a timeout");
    let blocked = loop {
        if let Err(error) = stream.write_all(&[0; 1 << 20]) {
            break error;
        }
    };
    assert!(matches!(blocked.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    assert_eq!(server.received(0), b"1");
}

#[test]
fn drop_ends_every_wait_and_frees_the_port() {
    let endless = Script::new().forever(Script::new().send(vec![0; 1 << 20]));
    let scripts = [
        Script::new().stall(),
        Script::new().sleep(LONG),
        Script::new().drip("ab", LONG),
        Script::new().read_head(),
        Script::new().wait_close(),
        Script::new().read_body(1).stall(),
        Script::new().forever(Script::new()),
        endless,
    ];
    for script in scripts {
        let name = format!("{script:?}");
        let server = RawServer::start(script);
        let addr = server.addr();
        let mut stream = tcp(addr);
        stream.write_all(b"xy").expect("sent");
        until("the connection is accepted", || server.connections() == 1);
        let start = Instant::now();
        drop(server);
        assert!(start.elapsed() < Duration::from_secs(1), "{name:.60}");
        // Whatever was under way, the client now sees an end.
        let _ = stream.read_to_end(&mut Vec::new());
        TcpListener::bind(addr).expect("the port is free");
    }
}
