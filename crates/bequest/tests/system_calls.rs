//! Which system calls a request makes, counted by `strace`: this program runs itself under it.
//! `harness = false`, since the usual harness has threads of its own.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.
#![allow(clippy::print_stdout)] // This is a program that reports.

use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use bequest::{HttpAdapter, Session, Timeout};
use testbed::{RawServer, Script};

const ROLE: &str = "BEQUEST_TEST_SYSTEM_CALLS";
const URL: &str = "BEQUEST_TEST_SYSTEM_CALLS_URL";
const TIMES: usize = 100;
/// What requests would have credentials from: the variable that says that there is no such file.
const NETRC: (&str, &str) = ("NETRC", "");
const BODY: &str = "key=value";

fn main() {
    if let Ok(role) = std::env::var(ROLE) {
        return play(&role, &std::env::var(URL).unwrap());
    }
    if std::env::args().skip(1).any(|argument| argument == "--list") {
        return;
    }
    if !cfg!(target_os = "linux") || Command::new("strace").arg("-V").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "strace has to be installed");
        println!("skipped: there is no strace");
        return;
    }
    let checks: [fn(); 9] = [
        first_request,
        localhost_within_a_timeout,
        kept_alive,
        kept_alive_within_timeouts,
        small_puts,
        small_posts,
        a_fresh_session_each_time,
        socket_options_cost_their_own,
        netrc_is_read_once,
    ];
    for check in checks {
        check();
    }
    println!("{} checks passed", checks.len());
}

/// What is traced. Only what lies between two calls of [`mark`] counts.
fn play(role: &str, url: &str) {
    let mut session = Session::new();
    let get = |session: &Session| {
        assert_eq!(session.get(url).send().unwrap().text().unwrap(), "ok");
    };
    match role {
        "first" => marked(|| get(&session)),
        "first within a timeout" => {
            session.timeout = Timeout::from(Duration::from_secs(5)).total(Duration::from_secs(30));
            marked(|| get(&session));
        }
        "kept" => {
            get(&session);
            marked(|| (0..TIMES).for_each(|_| get(&session)));
        }
        "kept within timeouts" => {
            session.timeout = Timeout::from(Duration::from_secs(5)).total(Duration::from_secs(30));
            get(&session);
            marked(|| (0..TIMES).for_each(|_| get(&session)));
        }
        "PUT" | "POST" => {
            let send = || {
                let response = session.request(role, url).body(BODY).send().unwrap();
                assert_eq!(response.text().unwrap(), "ok");
            };
            send();
            marked(|| (0..TIMES).for_each(|_| send()));
        }
        "netrc" => marked(|| (0..TIMES).for_each(|_| get(&session))),
        "fresh" => {
            get(&session);
            marked(|| (0..TIMES).for_each(|_| get(&Session::new())));
        }
        "no options" | "nodelay off" | "keepalive" | "local address" => {
            let adapter = HttpAdapter::new();
            session.mount(
                "http://",
                match role {
                    "nodelay off" => adapter.tcp_nodelay(false),
                    "keepalive" => adapter.tcp_keepalive(Duration::from_secs(60)),
                    "local address" => adapter.local_address([127, 0, 0, 1]),
                    _ => adapter,
                },
            );
            marked(|| get(&session));
        }
        other => panic!("no such role: {other}"),
    }
}

/// Nothing else asks for the parent's number.
fn marked(act: impl FnOnce()) {
    let _ = parent_id();
    act();
    let _ = parent_id();
}

/// A system call: when it began, its name, and all that `strace` says of it.
#[derive(Debug)]
struct Call {
    at: f64,
    name: String,
    line: String,
}

/// The calls that a role makes between its marks, of all threads and processes.
fn trace(role: &str, url: &str) -> Vec<Call> {
    trace_with(NETRC, role, url)
}

fn trace_with(variable: (&str, &str), role: &str, url: &str) -> Vec<Call> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(role.replace(' ', "-"));
    let output = Command::new("strace")
        .args(["-f", "-ttt", "-o"])
        .arg(&file)
        .arg(std::env::current_exe().unwrap())
        .env_remove(NETRC.0)
        .env(variable.0, variable.1)
        .env(ROLE, role)
        .env(URL, url)
        .output()
        .unwrap();
    assert!(output.status.success(), "{role}: {}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let calls: Vec<Call> = text.lines().filter_map(parse).collect();
    let mut parts = calls.split_inclusive(|call| call.name == "getppid");
    let (_, between) = (parts.next().unwrap(), parts.next().unwrap());
    let mut between: Vec<Call> = between.iter().map(Call::again).collect();
    assert_eq!(between.pop().unwrap().name, "getppid");
    between
}

/// `PID TIME NAME(...`; signals and ends of processes have no parenthesis there.
fn parse(line: &str) -> Option<Call> {
    let mut words = line.split_whitespace().skip(1);
    let at = words.next()?.parse().ok()?;
    let (name, _) = words.next()?.split_once('(')?;
    Some(Call { at, name: name.to_owned(), line: line.to_owned() })
}

impl Call {
    fn again(&self) -> Self {
        Self { at: self.at, name: self.name.clone(), line: self.line.clone() }
    }
}

/// A connection that has idled for a moment, because this machine is busy, is looked at before it
/// is used again. That is no fault, but only if there was such a moment.
fn without_checks(calls: Vec<Call>) -> Vec<Call> {
    let mut kept: Vec<Call> = Vec::new();
    for call in calls {
        if call.line.contains("MSG_PEEK") {
            let idle = kept.last().map_or(0.0, |last| call.at - last.at);
            assert!(idle > 0.004, "checked after {idle} s: {}", call.line);
        } else {
            kept.push(call);
        }
    }
    kept
}

fn names(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.name.as_str()).collect()
}

#[track_caller]
fn no_threads_no_files(calls: &[Call]) {
    let forbidden = [
        "clone",
        "clone3",
        "fork",
        "vfork",
        "execve",
        "open",
        "openat",
        "openat2",
        "creat",
        "stat",
        "newfstatat",
        "statx",
        "access",
        "readlink",
        "pipe",
        "pipe2",
        "epoll_create1",
        "eventfd2",
    ];
    for call in calls {
        assert!(!forbidden.contains(&call.name.as_str()), "{}", call.line);
    }
}

/// Every request is answered at once, in one piece.
fn server(body: usize) -> RawServer {
    let one = Script::new()
        .read_head()
        .read_body(body)
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    RawServer::start(Script::new().forever(one))
}

fn first_request() {
    let server = server(0);
    for role in ["first", "first within a timeout"] {
        let calls = trace(role, &server.url("/"));
        no_threads_no_files(&calls);
        println!("{role} request: {}", names(&calls).join(" "));
        assert!(names(&calls).contains(&"connect"));
    }
}

/// Both addresses of the name may be tried.
fn localhost_within_a_timeout() {
    let server = server(0);
    let url = format!("http://localhost:{}/", server.addr().port());
    let calls = trace("first within a timeout", &url);
    no_threads_no_files(&calls);
    assert!(names(&calls).contains(&"connect"));
}

#[track_caller]
fn two_for_each(role: &str, body: usize) {
    let server = server(body);
    let calls = without_checks(trace(role, &server.url("/")));
    let lines: Vec<&str> = calls.iter().map(|call| call.line.as_str()).take(20).collect();
    let expected = ["sendto", "recvfrom"].repeat(TIMES);
    assert_eq!(names(&calls), expected, "{role}, beginning with\n{}", lines.join("\n"));
    assert_eq!(server.connections(), 1);
}

fn kept_alive() {
    two_for_each("kept", 0);
}

/// The kernel's timeout is set once.
fn kept_alive_within_timeouts() {
    two_for_each("kept within timeouts", 0);
}

/// Head and body leave together.
fn small_puts() {
    two_for_each("PUT", BODY.len());
}

/// What can't be sent twice is not sent before the connection was looked at.
fn small_posts() {
    let server = server(BODY.len());
    let calls = trace("POST", &server.url("/"));
    assert_eq!(names(&calls), ["recvfrom", "sendto", "recvfrom"].repeat(TIMES));
    for (at, call) in calls.iter().enumerate() {
        assert_eq!(call.line.contains("MSG_PEEK"), at % 3 == 0, "{}", call.line);
    }
    assert_eq!(server.connections(), 1);
}

/// A session costs no system call, a connection those that it needs.
fn a_fresh_session_each_time() {
    let server = server(0);
    let calls = trace("fresh", &server.url("/"));
    no_threads_no_files(&calls);
    let each = calls.len() as f64 / TIMES as f64;
    println!("{each} system calls for a connection and its one request: {}", {
        names(&calls[..calls.len() / TIMES]).join(" ")
    });
    // Without optimisation the standard library looks at a descriptor before it closes it.
    let most = if cfg!(debug_assertions) { 9.0 } else { 8.0 };
    assert!(each <= most, "{each} system calls");
    assert_eq!(server.connections(), TIMES + 1);
}

/// What is not asked for costs nothing.
fn socket_options_cost_their_own() {
    let server = server(0);
    let options = |role| {
        let mut calls = trace(role, &server.url("/"));
        calls.retain(|call| {
            call.name == "bind" || call.line.contains("TCP") || call.line.contains("KEEPALIVE")
        });
        calls.iter().map(|call| call.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(options("no options"), ["setsockopt"]);
    assert!(options("nodelay off").is_empty());
    assert_eq!(options("keepalive"), ["setsockopt"; 4]);
    assert_eq!(options("local address"), ["bind", "setsockopt"]);
}

/// The first request looks for it, and reads it if it is there; those after it look at no file.
fn netrc_is_read_once() {
    let server = server(0);
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap().to_owned();
    let (dot, underscore) = (format!("{home}/.netrc"), format!("{home}/_netrc"));
    let opened = || {
        let calls = trace_with(("HOME", &home), "netrc", &server.url("/"));
        let is_open = |call: &&Call| call.name == "openat" || call.name == "open";
        let opened: Vec<&Call> = calls.iter().filter(is_open).collect();
        // Who else may read it is asked of the open file, once.
        let is_asked = |call: &&Call| call.line.contains("statx(3, \"\"");
        let asked: Vec<&Call> = calls.iter().filter(is_asked).collect();
        assert!(asked.len() <= 1, "{asked:?}");
        let others: Vec<Call> = calls
            .iter()
            .filter(|call| !is_open(call) && !is_asked(call))
            .map(Call::again)
            .collect();
        no_threads_no_files(&others);
        let first_sent = calls.iter().find(|call| call.name == "sendto").unwrap().at;
        let mut looks = opened.iter().chain(&asked);
        assert!(looks.all(|call| call.at < first_sent), "{opened:?} {asked:?}");
        let path = |call: &&Call| call.line.split('"').nth(1).unwrap().to_owned();
        opened.iter().map(path).collect::<Vec<_>>()
    };
    assert_eq!(opened(), [dot.clone(), underscore]);
    std::fs::write(&dot, "machine 127.0.0.1 login u password p").unwrap();
    assert_eq!(opened(), [dot]);
}
