//! Requests on threads of the session.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{CancelToken, ErrorKind, PreparedRequest, Response, Session, auth_fn};
use support::{PATIENCE, until};
use testbed::{RawServer, Script, Testbed};

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A server that takes requests and never answers.
fn silent() -> RawServer {
    RawServer::start(Script::new().read_head().wait_close())
}

#[test]
fn responses_come_to_whoever_waits() {
    let server = Testbed::start();
    let s = Session::new();
    let pending: Vec<_> =
        (0..200).map(|n| s.spawn(s.get(server.url("/get")).params([("n", n)]))).collect();
    for (n, pending) in pending.into_iter().enumerate().rev() {
        let json: serde_json::Value = pending.wait().unwrap().json().unwrap();
        assert_eq!(json["args"]["n"], n.to_string());
    }
    assert!(server.connections() <= 8, "one for each thread: {}", server.connections());
}

#[test]
fn they_are_on_their_way_at_once_and_no_more_than_wanted() {
    let server = Testbed::start();
    let mut s = Session::new();
    assert_eq!(s.spawn_threads, 8);
    s.spawn_threads = 3;
    let (barrier, names) = (Arc::new(Barrier::new(3)), Arc::new(Mutex::new(BTreeSet::new())));
    let seen = Arc::clone(&names);
    s.hooks.request.push(move |_: &mut PreparedRequest| {
        barrier.wait();
        seen.lock().unwrap().insert(thread::current().name().unwrap().to_owned());
        Ok(())
    });
    // A clone has the same threads.
    let clone = s.clone();
    let pending =
        (0..9).map(|n| if n % 2 == 0 { &s } else { &clone }.spawn(s.get(server.url("/get"))));
    for pending in pending.collect::<Vec<_>>() {
        assert_eq!(pending.wait().unwrap().status(), 200);
    }
    let names: Vec<String> = names.lock().unwrap().iter().cloned().collect();
    assert_eq!(names, ["bequest-1", "bequest-2", "bequest-3"]);
}

#[test]
fn settings_are_those_of_when_it_was_spawned() {
    let server = Testbed::start();
    let mut s = Session::new();
    s.headers.insert("X-Now", "one");
    let pending = s.spawn(s.get(server.url("/headers")));
    s.headers.insert("X-Now", "two");
    drop(s);
    let json: serde_json::Value = pending.wait().unwrap().json().unwrap();
    assert_eq!(json["headers"]["X-Now"], "one");
}

#[test]
fn what_is_wrong_is_told_when_it_is_asked_for() {
    let s = Session::new();
    let mut pending = s.spawn(s.get("no URL"));
    assert!(pending.is_done());
    assert_eq!(pending.try_wait().unwrap().unwrap_err().kind(), ErrorKind::MissingSchema);
    let error = pending.wait().unwrap_err();
    assert!(error.to_string().contains("taken before"), "{error}");
}

#[test]
fn it_can_be_asked_without_waiting() {
    let (s, server) = (Session::new(), silent());
    let mut pending = s.spawn(s.get(server.url("/")));
    assert!(!pending.is_done() && pending.try_wait().is_none());
    let start = Instant::now();
    assert!(pending.wait_timeout(ms(100)).is_none());
    assert!(start.elapsed() >= ms(100) && start.elapsed() < ms(1500), "{:?}", start.elapsed());
    until("it has arrived", || server.requests() == 1);
    s.close();
    assert_eq!(pending.wait_timeout(PATIENCE).unwrap().unwrap_err().kind(), ErrorKind::Closed);
    assert!(pending.is_done());
}

#[test]
fn a_panic_is_the_request_s_own() {
    let server = Testbed::start();
    let mut s = Session::new();
    s.spawn_threads = 1;
    let url = server.url("/get");
    let hook = |_: Response| -> bequest::Result<Response> { panic!("of a hook") };
    let auth = auth_fn(|_: &mut PreparedRequest| -> bequest::Result<()> { panic!("of an auth") });
    let pending = [
        s.spawn(s.get(&url).hook(hook)),
        s.spawn(s.get(&url).auth(auth)),
        s.spawn(s.get(&url).hook(|_| std::panic::panic_any(7))),
        s.spawn(s.get(&url)),
    ];
    let [hook, auth, other, fine] = pending.map(bequest::Pending::wait);
    for (result, text) in [(hook, "of a hook"), (auth, "of an auth"), (other, "no text")] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(error.to_string().contains(text) && error.url().is_some(), "{error}");
    }
    assert_eq!(fine.unwrap().status(), 200, "the thread is there for others");
}

#[test]
fn cancelling_ends_it_wherever_it_is() {
    let server = silent();
    let mut s = Session::new();
    s.spawn_threads = 1;
    let request = || s.get(server.url("/"));
    let (running, waiting) = (s.spawn(request()), s.spawn(request()));
    until("one is on its way", || server.requests() == 1);
    waiting.cancel();
    assert!(waiting.is_done());
    assert_eq!(waiting.wait().unwrap_err().kind(), ErrorKind::Cancelled);
    running.cancel();
    let error = running.wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.url().unwrap().as_str(), server.url("/"));
    until("its connection is closed", || server.closed() == 1);
    assert_eq!(server.requests(), 1, "the other one was never sent");
    // A token of the caller's does the same.
    let token = CancelToken::new();
    let server = silent();
    let pending = s.spawn(s.get(server.url("/")).cancel_with(&token));
    until("it is on its way", || server.requests() == 1);
    token.cancel();
    assert_eq!(pending.wait().unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn dropping_cancels_and_detaching_does_not() {
    let (server, stalled) = (Testbed::start(), silent());
    let s = Session::new();
    let dropped = s.spawn(s.get(stalled.url("/")));
    until("it is on its way", || stalled.requests() == 1);
    drop(dropped);
    until("its connection is closed", || stalled.closed() == 1);
    s.spawn(s.get(server.url("/get"))).detach();
    drop(s);
    until("it was sent", || server.requests().len() == 1);
}

#[test]
fn close_ends_what_is_on_its_way_and_what_waits() {
    let server = silent();
    let mut s = Session::new();
    s.spawn_threads = 2;
    let pending: Vec<_> = (0..5).map(|_| s.spawn(s.get(server.url("/")))).collect();
    until("two are on their way", || server.requests() == 2);
    s.close();
    for pending in pending {
        assert_eq!(pending.wait().unwrap_err().kind(), ErrorKind::Closed);
    }
    assert_eq!(server.requests(), 2);
    let server = Testbed::start();
    assert_eq!(s.spawn(s.get(server.url("/get"))).wait().unwrap().status(), 200);
}

/// From threads, hooks and one another.
#[test]
fn spawning_may_be_nested() {
    let server = Testbed::start();
    let (s, url) = (Session::new(), server.url("/get"));
    let count = Arc::new(AtomicUsize::new(0));
    let (inner, counted, again) = (s.clone(), Arc::clone(&count), url.clone());
    let hook = move |r: Response| {
        let other = inner.spawn(inner.get(&again)).wait()?;
        counted.fetch_add(usize::from(other.status().as_u16() == 200), Ordering::SeqCst);
        Ok(r)
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| s.spawn(s.get(&url).hook(hook.clone())).wait().unwrap());
        }
    });
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[test]
fn a_stream_is_read_by_whoever_waited() {
    let server = Testbed::start();
    let s = Session::new();
    let r = s.spawn(s.get(server.url("/big/300000")).stream(true)).wait().unwrap();
    let bytes: Vec<_> = r.iter_content(1000).map(Result::unwrap).collect();
    assert!(bytes.concat() == testbed::pattern(300_000));
}

#[cfg(feature = "async")]
#[test]
fn waiting_in_vain_keeps_nothing() {
    let (server, s) = (silent(), Session::new());
    let mut pending: Vec<_> = (0..50).map(|_| s.spawn(s.get(server.url("/")))).collect();
    until("all threads are busy", || server.connections() == s.spawn_threads);
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(pending[0].wait_timeout(ms(1)).is_none());
    let before = descriptors();
    assert!(pending.iter_mut().all(|pending| pending.wait_timeout(ms(1)).is_none()));
    // Other tests of this process may open some.
    assert!(descriptors() < before + 50, "{} after {before}", descriptors());
}

#[test]
fn asking_takes_nobody_s_wakeup_away() {
    let (server, s) = (Testbed::start(), Session::new());
    let url = server.url("/delay/0.3");
    let mut pending = s.spawn(s.get(&url));
    let mut has_asked = false;
    let r = pollster(std::future::poll_fn(|context| {
        let polled = std::pin::Pin::new(&mut pending).poll(context);
        if polled.is_pending() && !std::mem::replace(&mut has_asked, true) {
            assert!(pending.try_wait().is_none());
        }
        polled
    }));
    assert!(has_asked && r.unwrap().ok());
}

#[test]
fn it_can_be_awaited_by_any_executor() {
    let server = Testbed::start();
    let s = Session::new();
    let pending: Vec<_> = (0..3).map(|_| s.spawn(s.get(server.url("/get")))).collect();
    let statuses = support::tokio_runtime::run(async move {
        let mut statuses = Vec::new();
        for pending in pending {
            statuses.push(pending.await.unwrap().status().as_u16());
        }
        statuses
    });
    assert_eq!(statuses, [200; 3]);
    // On this thread, though nothing of tokio is here.
    let pending = s.spawn(s.get(server.url("/get")));
    assert_eq!(pollster(pending).unwrap().status(), 200);
}

/// The smallest executor there is.
#[cfg(feature = "async")]
fn pollster<F: Future>(future: F) -> F::Output {
    use std::task::{Context, Poll, Wake, Waker};
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, start) = (std::pin::pin!(future), Instant::now());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
        assert!(start.elapsed() < PATIENCE, "nobody has woken it");
    }
}
