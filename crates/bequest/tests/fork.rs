//! A child process leaves its parent's connections alone. A program of its own, since only a
//! process with one thread can be forked in Rust: `harness = false`. The server is a third process,
//! this program again.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.
#![allow(clippy::print_stdout)] // This is a program that reports.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use bequest::{ErrorKind, Request, Session, Timeout, Version};
use serde_json::Value;
use testbed::Testbed;

const ROLE: &str = "BEQUEST_TEST_FORK_SERVER";

fn main() {
    if std::env::var_os(ROLE).is_some() {
        return serve();
    }
    // Whoever runs all tests with options of the usual harness, a filter or a listing, runs this
    // only by its name.
    if std::env::args().skip(1).any(|argument| argument == "--list") {
        return;
    }
    let program = std::env::current_exe().unwrap();
    let mut server = Command::new(program)
        .env(ROLE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let base = lines.next().unwrap().unwrap();
    let ca = lines.next().unwrap().unwrap();
    let tls_base = lines.next().unwrap().unwrap();

    let checks: [(&str, Check); 10] = [
        ("connections are not shared", connections_are_not_shared),
        ("streamed responses stay with the parent", streamed_responses_stay_with_the_parent),
        ("a child may close the session", a_child_may_close_the_session),
        ("a fork inside a hook", a_fork_inside_a_hook),
        ("grandchildren", grandchildren),
        ("a child has threads of its own", a_child_has_threads_of_its_own),
        ("what a parent spawned is not its child's", what_a_parent_spawned_is_not_its_childs),
        ("many at once stay with the parent", many_stay_with_the_parent),
        ("a child may drop many at once", a_child_may_drop_many),
        ("what was done before its turn stays with the parent", the_early_stay_with_the_parent),
    ];
    let mut count = 0;
    for base in [base, tls_base] {
        for version in VERSIONS {
            let site = Site { base: base.clone(), ca: ca.clone(), version: *version };
            for (name, check) in &checks {
                println!("check {name} ... {} {version:?}", site.base);
                check(&site);
                count += 1;
            }
        }
    }
    drop(server.stdin.take()); // Ends the server.
    assert!(server.wait().unwrap().success());
    println!("{count} checks passed");
}

fn serve() {
    let server = Testbed::start();
    println!("{}\n{}\n{}", server.url(""), server.ca_file().display(), server.https_url(""));
    let _ = std::io::stdin().read(&mut [0]);
}

type Check = fn(&Site);

/// By what all of it is checked.
const VERSIONS: &[Version] = &[
    Version::HTTP_11,
    #[cfg(feature = "http2")]
    Version::HTTP_2,
];

#[derive(Clone)]
struct Site {
    base: String,
    ca: String,
    version: Version,
}

impl Site {
    fn session(&self) -> Session {
        let mut session = Session::new();
        session.verify = self.ca.as_str().into();
        session.timeout = Timeout::from(std::time::Duration::from_secs(5));
        #[cfg(feature = "http2")]
        if self.version == Version::HTTP_2 {
            session.http_versions = Some(bequest::HttpVersions::Http2);
        }
        session
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The number of the connection that a request goes over, and how many it has carried.
    fn connection(&self, session: &Session) -> (u64, u64) {
        let response = session.get(self.url("connection")).send().unwrap();
        assert_eq!(response.version(), self.version);
        let value: Value = response.json().unwrap();
        (value["connection"].as_u64().unwrap(), value["requests"].as_u64().unwrap())
    }
}

/// Runs `child` in a forked process, and says whether it came to its end. `meanwhile` runs in this
/// one.
fn fork<T>(child: impl FnOnce(), meanwhile: impl FnOnce() -> T) -> T {
    assert_eq!(threads(), 1, "a process with threads must not be forked");
    fork_all_the_same(child, meanwhile)
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}

#[allow(unsafe_code)] // There is no safe way to fork.
fn fork_all_the_same<T>(child: impl FnOnce(), meanwhile: impl FnOnce() -> T) -> T {
    // SAFETY: this is the only thread, or the others wait in the kernel, so that no lock is held
    // by one that the child lacks.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
        // SAFETY: it has no preconditions. The parent's destructors are not this process's.
        unsafe { libc::_exit(i32::from(result.is_err())) };
    }
    let result = meanwhile();
    let mut status = 0;
    // SAFETY: the process is a child of this one, the pointer is to a local.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0, "the child's checks");
    result
}

fn connections_are_not_shared(site: &Site) {
    let session = site.session();
    let before = site.connection(&session);
    assert_eq!(site.connection(&session), (before.0, before.1 + 1));
    let requests = || (0..20).map(|_| site.connection(&session)).collect::<Vec<_>>();
    let parent = fork(
        || {
            let child = requests();
            assert_ne!(child[0].0, before.0, "the child uses a connection of the parent's");
            // Its own, and kept: every request that was ever made there is one of these.
            let own: Vec<_> = (1..=20).map(|nth| (child[0].0, nth)).collect();
            assert_eq!(child, own);
        },
        requests,
    );
    let still: Vec<_> = (3..=22).map(|nth| (before.0, nth)).collect();
    assert_eq!(parent, still);
    assert_eq!(site.connection(&session), (before.0, 23));
}

fn streamed_responses_stay_with_the_parent(site: &Site) {
    let session = site.session();
    let streamed = |path: &str| session.get(site.url(path)).stream(true).send().unwrap();
    let (large, small, begun) =
        (streamed("big/300000"), streamed("bytes/10"), streamed("big/100000"));
    let first = begun.iter_content(10).next().unwrap().unwrap();
    assert_eq!(first.len(), 10);
    let check = || {
        for response in [&large, &small] {
            let error = response.content().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        }
        let error = begun.iter_content(1000).find_map(Result::err).unwrap();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        session.get(site.url("get")).send().unwrap();
    };
    fork(check, || ());
    assert_eq!(large.content().unwrap(), testbed::pattern(300_000));
    assert_eq!(small.content().unwrap().len(), 10);
    let rest: usize = begun.iter_content(1000).map(|piece| piece.unwrap().len()).sum();
    assert_eq!(rest, 100_000 - 10);
}

fn a_child_may_close_the_session(site: &Site) {
    let session = site.session();
    let streamed = session.get(site.url("big/300000")).stream(true).send().unwrap();
    let before = site.connection(&session);
    let (closed, dropped) = (session.clone(), session.clone());
    fork(
        || {
            closed.close();
            drop(dropped);
            streamed.close();
        },
        || (),
    );
    assert_eq!(site.connection(&session), (before.0, before.1 + 1));
    assert_eq!(streamed.content().unwrap().len(), 300_000);
}

/// Within a call, with a connection in use: the child's call goes on with its own.
fn a_fork_inside_a_hook(site: &Site) {
    let session = site.session();
    let before = site.connection(&session);
    let (inner, same) = (session.clone(), site.clone());
    let hook = move |response| {
        let site = &same;
        let child = || assert_eq!(site.connection(&inner).1, 1);
        let parent = || assert_eq!(site.connection(&inner).0, before.0);
        fork(child, parent);
        Ok(response)
    };
    assert_eq!(session.get(site.url("get")).hook(hook).send().unwrap().status(), 200);
    assert_eq!(site.connection(&session).0, before.0);
}

fn grandchildren(site: &Site) {
    let session = site.session();
    let parent = site.connection(&session).0;
    let check = || {
        let child = site.connection(&session).0;
        assert_ne!(child, parent);
        let check = || assert_eq!(site.connection(&session).1, 1);
        fork(check, || assert_eq!(site.connection(&session), (child, 2)));
    };
    fork(check, || assert_eq!(site.connection(&session), (parent, 2)));
}

fn spawn(site: &Site, session: &Session) {
    let pending: Vec<_> = (0..20).map(|_| session.spawn(session.get(site.url("get")))).collect();
    for pending in pending {
        assert_eq!(pending.wait().unwrap().status(), 200);
    }
}

/// How many of this process's threads wait in the kernel (proc_pid_stat(5)).
fn sleeping() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let state = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next())
    };
    tasks.filter_map(state).filter(|state| *state == 'S').count()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed().as_secs() < 10, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

/// Threads end with their session.
fn wait_for_threads_to_end() {
    wait_until("the threads have ended", || threads() == 1);
}

fn a_child_has_threads_of_its_own(site: &Site) {
    let session = site.session();
    let clone = session.clone();
    fork(|| spawn(site, &clone), || spawn(site, &clone));
    drop((session, clone));
    wait_for_threads_to_end();
}

/// Its threads are not in the child.
fn what_a_parent_spawned_is_not_its_childs(site: &Site) {
    let mut session = site.session();
    session.spawn_threads = 1;
    let mut running = session.spawn(session.get(site.url("delay/1")));
    let mut waiting = session.spawn(session.get(site.url("get")));
    // The thread has taken the first, and waits for the answer.
    wait_until("the thread sleeps", || threads() == 2 && sleeping() >= 1);
    fork_all_the_same(
        || {
            assert!(waiting.is_done() && running.is_done());
            let limit = std::time::Duration::from_secs(5);
            for result in [waiting.try_wait().unwrap(), running.wait_timeout(limit).unwrap()] {
                assert_eq!(result.unwrap_err().kind(), ErrorKind::Closed);
            }
            running.cancel();
            spawn(site, &session);
            session.close();
        },
        || (),
    );
    assert_eq!(waiting.wait().unwrap().status(), 200);
    assert_eq!(running.wait().unwrap().status(), 200);
    drop(session);
    wait_for_threads_to_end();
}

fn many_stay_with_the_parent(site: &Site) {
    let session = site.session();
    let taken = std::cell::Cell::new(0);
    let requests = |count: usize| {
        let (url, taken) = (site.url("big/100000"), &taken);
        (0..count).map(move |_| {
            taken.set(taken.get() + 1);
            Request::new("GET", &url)
        })
    };
    for many in [
        &mut session.map(requests(9), 3) as &mut dyn Iterator<Item = _>,
        &mut session.imap(requests(9), 3).map(|(_, response)| response),
    ] {
        assert_eq!(many.next().unwrap().unwrap().content().unwrap().len(), 100_000);
        let before = taken.get();
        let check = || {
            let error = many.next().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
            assert!(error.remedy().is_some() && many.next().is_none());
            assert_eq!(taken.get(), before, "a request was taken for nothing");
            // Begun in the child, they are its own.
            let own = session.map(requests(3), 3);
            assert_eq!(own.filter(|response| response.as_ref().unwrap().ok()).count(), 3);
        };
        fork(check, || ());
        let mut rest = 0;
        for response in many {
            assert_eq!(response.unwrap().content().unwrap(), testbed::pattern(100_000));
            rest += 1;
        }
        assert_eq!(rest, 8);
    }
}

fn the_early_stay_with_the_parent(site: &Site) {
    let session = site.session();
    let paths = ["get", "drip?delay=0.3&duration=0&numbytes=1", "get", "get"];
    let requests = paths.map(|path| Request::new("GET", site.url(path)));
    let mut many = session.map(requests, 3);
    // The third one is there when the second has come at last.
    assert!(many.by_ref().take(2).all(|response| response.unwrap().ok()));
    let check = || {
        let error = many.next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        assert!(many.next().is_none());
    };
    fork(check, || ());
    assert_eq!(many.filter(|response| response.as_ref().unwrap().ok()).count(), 2);
}

fn a_child_may_drop_many(site: &Site) {
    let session = site.session();
    let url = site.url("big/100000");
    let mut many = Some(session.map((0..9).map(|_| Request::new("GET", &url)), 3));
    assert!(many.as_mut().unwrap().next().unwrap().unwrap().ok());
    fork(|| drop(many.take()), || ());
    assert_eq!(many.unwrap().filter(|response| response.as_ref().unwrap().ok()).count(), 8);
}
