//! Signals: without a check they don't end a call, with one they do. What is installed here holds
//! for the whole process, so this is one test.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::mem;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{Error, ErrorKind, Session, Timeout};
use support::until;
use testbed::{RawServer, Script};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static SIGNALS: AtomicUsize = AtomicUsize::new(0);
static STOP: AtomicBool = AtomicBool::new(false);

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

extern "C" fn on_signal(_: libc::c_int) {
    SIGNALS.fetch_add(1, SeqCst);
}

#[allow(unsafe_code)] // There is no safe way to have a signal handler.
fn handle(flags: libc::c_int) {
    // SAFETY: the action is complete, and the handler does nothing but an atomic addition.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
    }
}

/// Signals sent to this thread, every 20 ms, while it lives.
struct Rain {
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Rain {
    #[allow(unsafe_code)] // There is no safe way to signal a thread.
    fn start() -> Self {
        // SAFETY: it has no preconditions.
        let target = unsafe { libc::pthread_self() };
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !ended.load(SeqCst) {
                // The pace of the rain; nothing waits for it.
                thread::park_timeout(ms(20));
                // SAFETY: the thread waits for this one before it ends, in `drop`.
                unsafe { libc::pthread_kill(target, libc::SIGUSR1) };
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Rain {
    fn drop(&mut self) {
        self.over.store(true, SeqCst);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Requests that wait for 300 ms in different ways: in a `recv`, with and without a timeout, in
/// the middle of a body, in a write.
fn succeeds() {
    let slow = RawServer::start(
        Script::new().forever(Script::new().read_head().sleep(ms(150)).drip(OK, ms(4))),
    );
    let taker = Script::new().read_head().sleep(ms(300)).read_body(8 << 20).send(OK).wait_close();
    let taker = RawServer::start(taker);
    let session = Session::new();
    let before = SIGNALS.load(SeqCst);
    for timeout in [Timeout::from(None), Timeout::from(ms(5000)).total(ms(9000))] {
        let start = Instant::now();
        let response = session.get(slow.url("/")).timeout(timeout).send().unwrap();
        assert_eq!(response.text().unwrap(), "ok");
        assert!(start.elapsed() > ms(150), "the test is too fast");
        let put = session.put(taker.url("/")).body(vec![0; 8 << 20]).timeout(timeout);
        assert_eq!(put.send().unwrap().text().unwrap(), "ok");
        session.close();
    }
    assert!(SIGNALS.load(SeqCst) > before + 10, "signals were to arrive meanwhile");
    assert_eq!(slow.connections(), 2);
}

/// A read timeout neither comes early nor starts anew with each signal.
fn times_out() {
    let silent = RawServer::start(Script::new().read_head().stall());
    let start = Instant::now();
    let error = Session::new().get(silent.url("/")).timeout(ms(300)).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadTimeout);
    assert!(start.elapsed() >= ms(300) && start.elapsed() < ms(1000), "{:?}", start.elapsed());
}

/// Calls that would wait for ever end when the check says so, with its error.
fn ends_within(limit: Duration) {
    let silent = RawServer::start(Script::new().read_head().stall());
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart";
    let half = RawServer::start(Script::new().read_head().send(head).stall());
    let busy = "HTTP/1.1 503 No\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
    let busy = RawServer::start(Script::respond(busy));
    let session = Session::new();
    for what in ["get", "timeout", "put", "body", "retry"] {
        STOP.store(false, SeqCst);
        let server = match what {
            "body" => &half,
            "retry" => &busy,
            _ => &silent,
        };
        let before = server.requests();
        let (result, ended, stopped) = thread::scope(|scope| {
            let stopping = scope.spawn(|| {
                until("the request has arrived", || server.requests() > before);
                let now = Instant::now();
                STOP.store(true, SeqCst);
                now
            });
            let result = match what {
                "timeout" => session.get(server.url("/")).timeout(ms(5000)).send(),
                "retry" => session.get(server.url("/")).retry(1).send(),
                "put" => session.put(server.url("/")).body(vec![0; 32 << 20]).send(),
                _ => session.get(server.url("/")).send(),
            };
            (result, Instant::now(), stopping.join().unwrap())
        });
        let error = result.unwrap_err();
        let late = ended.saturating_duration_since(stopped);
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{what}: {error}");
        assert!(error.to_string().contains("stopped by the test"), "{what}: {error}");
        assert!(late < limit, "{what}: {late:?} late");
    }
}

fn check() -> bequest::Result<()> {
    match STOP.load(SeqCst) {
        true => Err(Error::new(ErrorKind::Cancelled, "stopped by the test")),
        false => Ok(()),
    }
}

#[test]
fn signals() {
    handle(0);
    {
        let _rain = Rain::start();
        succeeds();
        times_out();
    }
    bequest::on_interrupt(Some(Box::new(check)));
    {
        let _rain = Rain::start();
        succeeds();
        times_out();
        ends_within(ms(100));
        STOP.store(false, SeqCst);
    }
    // No signal ends the system call: the check is asked every 100 ms.
    ends_within(ms(300));
    STOP.store(false, SeqCst);
    handle(libc::SA_RESTART);
    {
        let _rain = Rain::start();
        succeeds();
        ends_within(ms(300));
    }
    bequest::on_interrupt(None);
    // `STOP` is still set, but nobody asks.
    let server = RawServer::start(Script::respond(OK));
    assert_eq!(bequest::get(server.url("/")).send().unwrap().text().unwrap(), "ok");
}
