//! What there may be no more of, and ends that are not quite one.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use bequest::{ErrorKind, Phase, Retry, Timeout};
use support::{Door, case, doors, get, post, until};
use testbed::{RawServer, Script, Testbed};

const SOON: Duration = Duration::from_millis(1500);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

doors![
    no_descriptors_are_left,
    a_server_that_is_done_sending_is_heard,
    a_server_that_will_send_nothing_ends_an_upload,
];

/// The limit is the whole process's, so that there is one for it.
fn no_descriptors_are_left(door: Door) {
    let (server, other) = (Testbed::start(), Testbed::start());
    let child = case::command(door, "descriptors_case");
    // What the shell sets, the test has.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 48 && exec \"$0\" \"$@\""]).arg(child.get_program());
    limited.args(child.get_args());
    limited.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.env("CASE_SERVER", server.url("")).env("CASE_OTHER", other.url(""));
    case::run(limited);
}

#[test]
#[ignore = "a case of the test above"]
fn descriptors_case() {
    let s = case::door().unwrap().session();
    let url = |name| std::env::var(name).unwrap() + "bytes/10";
    let (kept, other) = (url("CASE_SERVER"), url("CASE_OTHER"));
    // Also starts what the door needs.
    assert_eq!(s.send(get(&kept)).unwrap().content().unwrap().len(), 10);
    let open = std::iter::repeat_with(|| File::open("/dev/null"));
    let files: Vec<_> = open.map_while(Result::ok).collect();
    assert!(files.len() < 48);
    for _ in 0..3 {
        let error = s.send(get(&other)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(matches!(error.phase(), Some(Phase::Connect(_))), "{error}");
        assert!(error.remedy().is_some_and(|remedy| remedy.contains("ulimit -n")), "{error}");
        assert!(error.to_string().contains("oo many open files"), "{error}");
        // What is open can be used.
        assert_eq!(s.send(get(&kept)).unwrap().content().unwrap().len(), 10);
    }
    let many = bequest::Session::new();
    let error = many.map([get(&other)], 2).next().unwrap().unwrap_err();
    assert!(error.remedy().is_some_and(|remedy| remedy.contains("ulimit -n")), "{error}");
    let stats = s.stats();
    assert_eq!((stats.opened, stats.in_use, stats.idle), (1, 0, 1), "{stats:?}");
    drop(files);
    for _ in 0..100 {
        assert_eq!(s.send(get(&other)).unwrap().content().unwrap().len(), 10);
        assert!(many.map([get(&other)], 2).next().unwrap().unwrap().ok());
    }
    assert_eq!(s.stats().opened, 2, "{:?}", s.stats());
}

/// It closes its side of the connection, and would still listen.
fn a_server_that_is_done_sending_is_heard(door: Door) {
    let until_close = "HTTP/1.1 200 OK\r\n\r\nok";
    for answer in [
        OK,
        until_close,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ] {
        let half = Script::new().read_head().send(answer).shutdown_write().wait_close();
        let server = RawServer::start(half);
        let s = door.session();
        for number in 1..=3 {
            let start = Instant::now();
            let reply = s.send(get(server.url("/")).timeout(Duration::from_secs(60))).unwrap();
            assert_eq!(reply.text().unwrap(), "ok");
            assert!(start.elapsed() < SOON);
            drop(reply);
            assert_eq!(server.connections(), number, "it was used again");
        }
        s.close();
        until("our side is closed, too", || server.closed() == 3);
    }
}

fn a_server_that_will_send_nothing_ends_an_upload(door: Door) {
    let large = || vec![b'x'; 8 << 20];
    for read_on in [false, true] {
        let script = Script::new().read_head().shutdown_write();
        let script = if read_on { script.wait_close() } else { script.stall() };
        let server = RawServer::start(script);
        let s = door.session();
        let start = Instant::now();
        let limit = Timeout::new().read(Duration::from_secs(60)).write(Duration::from_secs(60));
        let error = s.send(post(server.url("/")).body(large()).timeout(limit)).unwrap_err();
        assert!(start.elapsed() < SOON, "{error} after {:?}", start.elapsed());
        assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
        assert_eq!(server.connections(), 1, "a POST is not sent twice");
        drop(server);
        assert_eq!(s.stats().in_use, 0);
    }
}

/// A future that is dropped while it sleeps before another try ends there, and leaves nothing.
#[cfg(feature = "async")]
#[test]
fn dropped_before_the_next_try() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let server = RawServer::start(Script::respond(busy));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let s = bequest::aio::Session::new();
        let (own, url) = (s.clone(), server.url("/"));
        let retry = Retry::new().status_forcelist([503]).backoff_factor(60.0);
        let task = tokio::spawn(async move { own.get(url).retry(retry).send().await.map(drop) });
        while s.stats().retried < 2 {
            tokio::task::yield_now().await;
        }
        let start = Instant::now();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        let stats = s.stats();
        assert_eq!((stats.in_use, stats.idle, stats.requests), (0, 1, 2), "{stats:?}");
        assert_eq!(server.requests(), 2);
    });
}
