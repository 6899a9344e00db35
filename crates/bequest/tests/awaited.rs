//! What only the async door has: streams, readers of tokio's kind, and waiting that is given up.
#![cfg(feature = "async")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::future::poll_fn;
use std::time::{Duration, Instant};

use bequest::aio::{Response, Session};
use bequest::{Bytes, Error, ErrorKind, Timeout};
use futures_core::Stream;
use support::tokio_runtime::run;
use testbed::{RawServer, Script, Testbed};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A streamed response of a server that plays this after the request's head.
async fn streamed(script: Script, timeout: Timeout) -> (RawServer, Response) {
    let server = RawServer::start(script);
    let s = Session::new();
    let response = s.get(server.url("/")).stream(true).timeout(timeout).send().await.unwrap();
    (server, response)
}

/// Waits again and again, each time only for a moment, until there is an error.
async fn by_moments(r: &Response) -> (Error, usize) {
    let (mut pieces, mut read) = (r.iter_content(None), 0);
    loop {
        match tokio::time::timeout(ms(20), pieces.next()).await {
            Ok(Some(Ok(piece))) => read += piece.len(),
            Ok(Some(Err(error))) => return (error, read),
            Ok(None) => panic!("the body ended"),
            Err(_) => {}
        }
    }
}

#[test]
fn the_read_timeout_holds_for_those_who_wait_by_moments() {
    run(async {
        let script = Script::new().read_head().send(HEAD).send("part").stall();
        let (_server, r) = streamed(script, Timeout::new().read(ms(200))).await;
        let start = Instant::now();
        let (error, read) = by_moments(&r).await;
        assert_eq!((error.kind(), read), (ErrorKind::ReadTimeout, 4), "{error}");
        assert!(start.elapsed() >= ms(190) && start.elapsed() < ms(1500), "{:?}", start.elapsed());
    });
}

#[test]
fn the_total_timeout_holds_while_a_body_trickles() {
    run(async {
        let trickle = Script::new().send("x").sleep(ms(10));
        let script = Script::new().read_head().send(HEAD).forever(trickle);
        let start = Instant::now();
        let (_server, r) = streamed(script, Timeout::new().total(ms(250))).await;
        let (error, read) = by_moments(&r).await;
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        assert!(start.elapsed() >= ms(250) && start.elapsed() < ms(1500), "{:?}", start.elapsed());
        assert!(read > 0);
        assert_eq!(r.content().await.unwrap_err().kind(), ErrorKind::Deadline, "it is remembered");
    });
}

#[test]
fn a_body_is_read_in_another_task() {
    let server = Testbed::start();
    let url = server.url("/big/100000");
    run(async move {
        let s = Session::new();
        let r = s.get(&url).stream(true).send().await.unwrap();
        let mut pieces = r.into_iter_content(1000);
        let whole = tokio::spawn(async move {
            let mut whole = Vec::new();
            while let Some(piece) = pieces.next().await {
                whole.extend_from_slice(&piece.unwrap());
            }
            whole
        });
        assert!(whole.await.unwrap() == testbed::pattern(100_000));
        let r = s.get(&url).stream(true).send().await.unwrap();
        let mut reader = r.into_reader();
        let copied =
            tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
        assert_eq!(copied.await.unwrap().unwrap(), 100_000);
    });
}

/// As any crate of streams sees them.
async fn next<T>(stream: &mut (dyn Stream<Item = T> + Unpin + Send)) -> Option<T> {
    poll_fn(|context| std::pin::Pin::new(&mut *stream).poll_next(context)).await
}

#[test]
fn iterators_are_streams() {
    let server = Testbed::start();
    let (big, lines) = (server.url("/big/10"), server.url("/stream/2"));
    run(async move {
        let s = Session::new();
        let r = s.get(&big).stream(true).send().await.unwrap();
        let mut pieces: Vec<Bytes> = Vec::new();
        let mut stream = r.iter_content(4);
        while let Some(piece) = next(&mut stream).await {
            pieces.push(piece.unwrap());
        }
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [4, 4, 2]);
        let r = s.get(&lines).stream(true).send().await.unwrap();
        let first = next(&mut r.iter_lines()).await.unwrap().unwrap();
        assert!(first.starts_with(b"{"), "{first:?}");
        let second = next(&mut r.iter_lines().decode_unicode()).await.unwrap().unwrap();
        assert!(second.contains("\"id\":1"), "{second}");
        assert!(next(&mut r.iter_content(1).decode_unicode()).await.is_none());
    });
}

#[test]
fn readers_are_tokio_s() {
    let server = Testbed::start();
    let url = server.url("/stream/3");
    run(async move {
        let s = Session::new();
        let r = s.get(&url).stream(true).send().await.unwrap();
        let mut lines = r.reader().lines();
        assert!(lines.next_line().await.unwrap().unwrap().contains("\"id\":0"));
        drop(lines);
        let mut line = String::new();
        assert!(r.reader().read_line(&mut line).await.unwrap() > 0);
        assert!(line.contains("\"id\":1"), "what the one before had not used comes first: {line}");
        let mut rest = String::new();
        r.reader().read_to_string(&mut rest).await.unwrap();
        assert!(rest.contains("\"id\":2"), "{rest}");
        let error = r.reader().read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(Error::from(error).kind(), ErrorKind::StreamConsumed);
    });
}

#[test]
fn one_reads_at_a_time() {
    let server = Testbed::start();
    let url = server.url("/big/100000");
    run(async move {
        let r = Session::new().get(&url).stream(true).send().await.unwrap();
        let mut first = r.iter_content(10);
        assert!(first.next().await.unwrap().is_ok());
        let mut second = r.iter_content(10);
        let error = second.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StreamConsumed);
        assert!(second.next().await.is_none(), "after an error it is over");
        assert!(first.next().await.unwrap().is_ok());
        let mut none = r.iter_content(0);
        assert_eq!(none.next().await.unwrap().unwrap_err().kind(), ErrorKind::InvalidRequest);
    });
}
