//! A blocking call may be made anywhere: inside another, inside async code, while a thread ends or
//! unwinds; and whatever wakes a future wakes it.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::cell::RefCell;
use std::fs;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{
    Adapter, BoxFuture, Error, ErrorKind, HttpAdapter, PreparedRequest, Response, Result, Session,
    Settings,
};
use support::until;
use testbed::{RawServer, Script, Testbed};

fn ok(session: &Session, url: &str) {
    assert_eq!(session.get(url).send().unwrap().status(), 200);
}

#[test]
fn inside_a_hook_of_the_same_session() {
    let server = Testbed::start();
    let session = Session::new();
    let (inner, url) = (session.clone(), server.url("/get"));
    let (seen, hook_seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&hook_seen);
    for _ in 0..3 {
        let (inner, url, count) = (inner.clone(), url.clone(), Arc::clone(&count));
        let request = session.get(server.url("/anything")).stream(true).hook(move |response| {
            // The outer response is still being read; the inner one has a connection of its own.
            ok(&inner, &url);
            count.fetch_add(1, SeqCst);
            Ok(response)
        });
        let response = request.send().unwrap();
        assert!(response.text().unwrap().contains("/anything"));
        seen.fetch_add(1, SeqCst);
    }
    assert_eq!((seen.load(SeqCst), hook_seen.load(SeqCst)), (3, 3));
    assert_eq!(server.connections(), 2);
}

#[test]
fn inside_a_hook_of_another_session_and_deeper() {
    let server = Testbed::start();
    let depth = 5;
    let urls: Vec<String> = (0..=depth).map(|n| server.url(&format!("/anything/{n}"))).collect();
    fn nest(urls: &[String]) -> Result<String> {
        let [url, rest @ ..] = urls else { return Ok(String::new()) };
        let (rest, inner) = (rest.to_vec(), Arc::new(Mutex::new(String::new())));
        let found = Arc::clone(&inner);
        let mut session = Session::new();
        session.hooks.response.push(move |response| {
            *found.lock().unwrap() = nest(&rest)?;
            Ok(response)
        });
        let text = session.get(url).send()?.text()?;
        assert!(text.contains(url.as_str()));
        Ok(format!("{}{}", url.rsplit('/').next().unwrap(), inner.lock().unwrap()))
    }
    assert_eq!(nest(&urls).unwrap(), "012345");
}

#[test]
fn inside_a_request_hook_and_an_auth() {
    let server = Testbed::start();
    let inner = Session::new();
    let (a, b) = ((inner.clone(), server.url("/get")), (inner, server.url("/get")));
    let mut session = Session::new();
    session.hooks.request.push(move |_| {
        ok(&a.0, &a.1);
        Ok(())
    });
    session.set_auth(bequest::auth_fn(move |request| {
        let token = b.0.get(&b.1).send()?.status().as_u16().to_string();
        request.headers.insert("X-Token", token);
        Ok(())
    }));
    let response = session.get(server.url("/anything")).send().unwrap();
    assert_eq!(response.request().headers.get("x-token"), Some("200"));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn while_a_body_is_read_for_another() {
    let server = Testbed::start();
    let session = Session::new();
    let source = session.get(server.url("/big/300000")).stream(true).send().unwrap();
    let body = bequest::Body::reader(source.into_reader());
    let sunk = session.post(server.url("/sink")).body(body).send().unwrap();
    let sunk: serde_json::Value = sunk.json().unwrap();
    assert_eq!(sunk["length"], 300_000);
    assert_eq!(server.connections(), 2);
}

#[cfg(feature = "async")]
fn inside(runtime: &tokio::runtime::Runtime) {
    let server = Testbed::start();
    let url = server.url("/get");
    runtime.block_on(async {
        let session = Session::new();
        ok(&session, &url);
        let (theirs, target) = (session.clone(), url.clone());
        tokio::spawn(async move { ok(&theirs, &target) }).await.unwrap();
        let task_url = url.clone();
        // Both doors in turn on one thread: each finds its own connections.
        tokio::spawn(async move {
            let (blocking, aio) = (Session::new(), bequest::aio::Session::new());
            for _ in 0..3 {
                ok(&blocking, &task_url);
                assert_eq!(aio.get(&task_url).send().await.unwrap().status(), 200);
            }
        })
        .await
        .unwrap();
        tokio::task::spawn_blocking(move || ok(&session, &url)).await.unwrap();
    });
    assert_eq!(server.connections(), 3);
}

#[cfg(feature = "async")]
#[test]
fn inside_a_task_of_a_runtime_with_threads() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    inside(&builder.worker_threads(1).enable_all().build().unwrap());
}

#[cfg(feature = "async")]
#[test]
fn inside_a_task_of_a_runtime_on_this_thread() {
    inside(&tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
}

/// A blocking call in a hook of an async one blocks, and leaves the runtime as it was.
#[cfg(feature = "async")]
#[test]
fn inside_a_hook_of_an_async_call() {
    let server = Testbed::start();
    let url = server.url("/get");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let inner = Session::new();
        let mut session = bequest::aio::Session::new();
        session.timeout =
            bequest::Timeout::from(Duration::from_secs(5)).total(Duration::from_secs(5));
        let target = url.clone();
        session.hooks.response.push(move |response| {
            ok(&inner, &target);
            Ok(response)
        });
        for _ in 0..2 {
            assert_eq!(session.get(&url).send().await.unwrap().status(), 200);
        }
    });
    assert_eq!(server.connections(), 2);
}

/// Makes a request when it is dropped, and says how that went.
struct AtDrop(Session, String, Sender<Result<u16>>);

impl Drop for AtDrop {
    fn drop(&mut self) {
        let result = self.0.get(&self.1).send().map(|response| response.status().as_u16());
        self.2.send(result).unwrap();
    }
}

thread_local! {
    static EARLY: RefCell<Option<AtDrop>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<AtDrop>> = const { RefCell::new(None) };
}

#[test]
fn inside_a_drop() {
    let server = Testbed::start();
    let (tell, told) = channel();
    drop(AtDrop(Session::new(), server.url("/get"), tell));
    assert_eq!(told.recv().unwrap().unwrap(), 200);
}

/// Before and after the library's own thread-locals are gone, whatever their order is.
#[test]
fn inside_the_destructors_of_a_thread() {
    let server = Testbed::start();
    let (tell, told) = channel();
    for request_first in [false, true] {
        let (tell, url) = (tell.clone(), server.url("/get"));
        let thread = thread::spawn(move || {
            let session = Session::new();
            let at_drop = || Some(AtDrop(session.clone(), url.clone(), tell.clone()));
            EARLY.set(at_drop());
            if request_first {
                ok(&session, &url);
            }
            LATE.set(at_drop());
        });
        thread.join().unwrap();
        for _ in 0..2 {
            assert_eq!(told.recv().unwrap().unwrap(), 200);
        }
    }
    // The last one to hold a session closed its connections.
    until("all connections are closed", || server.open_connections() == 0);
}

#[test]
fn while_a_panic_unwinds() {
    let server = Testbed::start();
    let session = Session::new();
    let (tell, told) = channel();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _at_drop = AtDrop(session.clone(), server.url("/get"), tell);
        panic!("expected by the test");
    }));
    assert!(unwound.is_err());
    assert_eq!(told.recv().unwrap().unwrap(), 200);
    ok(&session, &server.url("/get"));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_session_dropped_by_a_panic_closes_its_sockets() {
    let server = Testbed::start();
    let url = server.url("/get");
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let session = Session::new();
        ok(&session, &url);
        let _streamed = session.get(server.url("/big/10000000")).stream(true).send().unwrap();
        let clone = session.clone();
        ok(&clone, &url);
        ok(&session, &url);
        panic!("expected by the test");
    }));
    assert!(unwound.is_err());
    until("all connections are closed", || server.open_connections() == 0);
    assert_eq!(server.connections(), 2);
}

/// A panic that passes through a call leaves nothing behind on the thread.
#[test]
fn a_hook_that_panics() {
    let server = Testbed::start();
    let session = Session::new();
    let url = server.url("/get");
    for _ in 0..3 {
        let request = session.get(&url).hook(|_| panic!("expected by the test"));
        assert!(catch_unwind(AssertUnwindSafe(|| request.send())).is_err());
        ok(&session, &url);
    }
    #[cfg(feature = "async")]
    {
        let session = bequest::aio::Session::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            assert_eq!(session.get(&url).send().await.unwrap().status(), 200);
        });
    }
}

/// Something of another thread's, by hand.
#[derive(Clone, Default)]
struct Oneshot(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Oneshot {
    fn fire(&self) {
        self.0.lock().unwrap().0 = true;
        self.wake();
    }

    fn wake(&self) {
        let wakers = self.0.lock().unwrap().1.clone();
        wakers.iter().for_each(Waker::wake_by_ref);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if state.0 {
            return Poll::Ready(());
        }
        state.1.push(context.waker().clone());
        Poll::Pending
    }
}

/// Waits for another thread before it sends; then waits for both at once, if that is asked for.
struct Waits {
    http: HttpAdapter,
    start: Box<dyn Fn(Oneshot) + Send + Sync>,
    old: Arc<Mutex<Vec<Oneshot>>>,
}

impl Adapter for Waits {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            let oneshot = Oneshot::default();
            self.old.lock().unwrap().push(oneshot.clone());
            (self.start)(oneshot.clone());
            poll_fn(|context| oneshot.poll(context)).await;
            self.http.send(request, settings).await
        })
    }
}

fn waiting(start: impl Fn(Oneshot) + Send + Sync + 'static) -> (Session, Arc<Mutex<Vec<Oneshot>>>) {
    let old = Arc::default();
    let mut session = Session::new();
    let adapter = Waits { http: HttpAdapter::new(), start: Box::new(start), old: Arc::clone(&old) };
    session.mount("http://", adapter);
    (session, old)
}

/// Whether the thread is in a system call that waits (proc(5): the state behind the name).
fn is_asleep(thread: &Path) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(thread).join("stat")).unwrap();
    stat.rsplit(')').next().unwrap().trim_start().starts_with('S')
}

#[test]
fn woken_by_another_thread() {
    let server = Testbed::start();
    let (session, _) = waiting(|oneshot| {
        let waiting = fs::read_link("/proc/thread-self").unwrap();
        thread::spawn(move || {
            // The next test wakes without any delay.
            until("the thread sleeps", || is_asleep(&waiting));
            oneshot.fire();
        });
    });
    for _ in 0..3 {
        ok(&session, &server.url("/get"));
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn woken_at_any_moment() {
    let server = Testbed::start();
    let (session, _) = waiting(|oneshot| drop(thread::spawn(move || oneshot.fire())));
    for _ in 0..300 {
        ok(&session, &server.url("/get"));
    }
}

#[test]
fn woken_in_vain() {
    let server = Testbed::start();
    let (session, _) = waiting(|oneshot| {
        thread::spawn(move || {
            for _ in 0..100 {
                oneshot.wake();
                thread::yield_now();
            }
            oneshot.fire();
        });
    });
    ok(&session, &server.url("/get"));
}

/// Wakers of calls that are long over, woken while others wait on the same thread.
#[test]
fn stale_wakers_do_no_harm() {
    let server = Testbed::start();
    let (session, old) = waiting(|oneshot| drop(thread::spawn(move || oneshot.fire())));
    for _ in 0..5 {
        ok(&session, &server.url("/get"));
    }
    let old = std::mem::take(&mut *old.lock().unwrap());
    let stop = Arc::new(AtomicUsize::new(0));
    let stopped = Arc::clone(&stop);
    let waking = thread::spawn(move || {
        while stopped.load(SeqCst) == 0 {
            old.iter().for_each(Oneshot::wake);
            thread::yield_now();
        }
    });
    let plain = Session::new();
    for n in 0..50 {
        let response = plain.get(server.url("/get")).params([("n", n)]).send().unwrap();
        let json: serde_json::Value = response.json().unwrap();
        assert_eq!(json["args"]["n"], n.to_string());
        ok(&session, &server.url("/get"));
    }
    stop.store(1, SeqCst);
    waking.join().unwrap();
}

/// A read of a socket and a word from another thread, whichever comes first.
struct Cancellable(HttpAdapter, Oneshot);

impl Adapter for Cancellable {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            let mut sending = pin!(self.0.send(request, settings));
            poll_fn(|context| {
                if self.1.poll(context).is_ready() {
                    return Poll::Ready(Err(Error::new(ErrorKind::Cancelled, "called off")));
                }
                sending.as_mut().poll(context)
            })
            .await
        })
    }
}

#[test]
fn called_off_by_another_thread() {
    let server = RawServer::start(Script::new().read_head().stall());
    let oneshot = Oneshot::default();
    let mut session = Session::new();
    session.mount("http://", Cancellable(HttpAdapter::new(), oneshot.clone()));
    let start = Instant::now();
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            until("the request has arrived", || server.requests() == 1);
            oneshot.fire();
        });
        session.get(server.url("/")).send().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_session_sent_to_another_thread_keeps_its_connection() {
    let server = Testbed::start();
    let session = Session::new();
    ok(&session, &server.url("/get"));
    for _ in 0..3 {
        let (session, url) = (session.clone(), server.url("/get"));
        thread::spawn(move || ok(&session, &url)).join().unwrap();
    }
    assert_eq!(server.connections(), 1);
}
