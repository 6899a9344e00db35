//! cookies.txt of others, and ours read by them. What is not installed is not asked.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::super::file::CookieFile;
use super::{Cookie, CookieJar, url};

/// Whether a program is there, by what it says of its version.
fn is_there(program: &str, version: &str) -> bool {
    match Command::new(program).arg("--version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        output => output.unwrap().stdout.starts_with(version.as_bytes()),
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Answers one request with these Set-Cookie fields; the thread gives back the request's head.
fn server(fields: &'static [&'static str]) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(socket.read(&mut byte).unwrap(), 1, "the head ends");
            head.push(byte[0]);
        }
        let lines: String = fields.iter().map(|field| format!("Set-Cookie: {field}\r\n")).collect();
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n{lines}\r\n")
            .unwrap();
        String::from_utf8(head).unwrap()
    });
    (port, serving)
}

/// The Cookie field of a head, its cookies in alphabetical order.
fn sent(head: &str) -> Vec<&str> {
    let field = head.lines().find_map(|line| line.strip_prefix("Cookie: ")).unwrap_or_default();
    let mut cookies: Vec<_> = field.split("; ").filter(|cookie| !cookie.is_empty()).collect();
    cookies.sort_unstable();
    cookies
}

fn ours(path: &Path) {
    let jar = CookieJar::new();
    let year = Duration::from_secs(365 * 86_400);
    let cookie = |name: &str, domain: &str| Cookie::builder(name, "v=\"1\", 2", domain);
    for cookie in [
        cookie("session", "127.0.0.1"),
        cookie("kept", "127.0.0.1").max_age(year),
        cookie("hidden", "127.0.0.1").max_age(year).http_only(true),
        cookie("secure", "a.example").max_age(year).secure(true),
        cookie("elsewhere", "127.0.0.1").max_age(year).path("/x"),
        cookie("below", ".a.example").max_age(year),
    ] {
        jar.insert(cookie.build().unwrap());
    }
    assert_eq!(CookieFile::netscape().session_cookies(true).save(&jar, path).unwrap(), 6);
}

/// What a program has saved of `FIELDS`, as we send it back.
fn check_theirs(path: &Path) {
    let jar = CookieJar::new();
    CookieFile::netscape().load(&jar, path).unwrap();
    let header = jar.header_for(&url("http://127.0.0.1/")).unwrap();
    let header = String::from_utf8(header).unwrap();
    let cookies: Vec<_> = header.split("; ").collect();
    for cookie in ["s=1", "k=\"a b\"", "h=2"] {
        assert!(cookies.contains(&cookie), "{header}");
    }
    assert!(jar.get("s").unwrap().unwrap().expires().is_none());
    assert!(jar.get("k").unwrap().unwrap().expires().is_some());
}

const FIELDS: &[&str] =
    &["s=1; Path=/", "k=\"a b\"; Max-Age=600; Path=/", "h=2; Max-Age=600; HttpOnly; Path=/"];

#[test]
fn curl_reads_and_writes_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("ours"), folder.path().join("theirs"));
    ours(&from);
    if !is_there("curl", "curl ") {
        return;
    }
    let (port, serving) = server(FIELDS);
    let target = format!("http://127.0.0.1:{port}/");
    let files = [&from, &to].map(|path| path.to_str().unwrap());
    run("curl", &["-q", "-s", "--noproxy", "*", "-b", files[0], "-c", files[1], &target]);
    let head = serving.join().unwrap();
    assert_eq!(sent(&head), ["hidden=v=\"1\", 2", "kept=v=\"1\", 2", "session=v=\"1\", 2"]);
    check_theirs(&to);
    assert!(fs::read_to_string(&to).unwrap().contains(".a.example\tTRUE"), "ours is still in it");
}

#[test]
fn wget_reads_and_writes_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("ours"), folder.path().join("theirs"));
    ours(&from);
    if !is_there("wget", "GNU Wget ") {
        return;
    }
    let (port, serving) = server(FIELDS);
    let target = format!("http://127.0.0.1:{port}/");
    let load = format!("--load-cookies={}", from.display());
    let save = format!("--save-cookies={}", to.display());
    let session = "--keep-session-cookies";
    run(
        "wget",
        &[
            "--no-config",
            "--no-hsts",
            "--no-proxy",
            "-q",
            "-O",
            "/dev/null",
            &load,
            &save,
            session,
            &target,
        ],
    );
    // It takes `#HttpOnly_` for a comment.
    let head = serving.join().unwrap();
    assert_eq!(sent(&head), ["kept=v=\"1\", 2", "session=v=\"1\", 2"]);
    check_theirs(&to);
}

/// Reads the first file, says what it found, and writes all of it to the second.
const PYTHON: &str = "\
import sys
from http.cookiejar import MozillaCookieJar
jar = MozillaCookieJar()
jar.load(sys.argv[1], ignore_discard=True, ignore_expires=True)
for c in jar:
    print(c.name, c.value, c.domain, c.path, c.secure, c.expires == 0, c.has_nonstandard_attr('HTTPOnly'), sep='|')
jar.save(sys.argv[2], ignore_discard=True, ignore_expires=True)
";

#[test]
fn python_reads_and_writes_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("ours"), folder.path().join("theirs"));
    ours(&from);
    let files = [&from, &to].map(|path| path.to_str().unwrap());
    if !is_there("python3", "Python 3.") {
        return;
    }
    let found = run("python3", &["-c", PYTHON, files[0], files[1]]);
    let mut found: Vec<_> = found.lines().collect();
    found.sort_unstable();
    let v = "v=\"1\", 2";
    assert_eq!(
        found,
        [
            format!("below|{v}|.a.example|/|False|False|False"),
            format!("elsewhere|{v}|127.0.0.1|/x|False|False|False"),
            format!("hidden|{v}|127.0.0.1|/|False|False|True"),
            format!("kept|{v}|127.0.0.1|/|False|False|False"),
            format!("secure|{v}|a.example|/|True|False|False"),
            format!("session|{v}|127.0.0.1|/|False|True|False"),
        ]
    );
    let [ours, theirs] = [from, to].map(|path| {
        let jar = CookieJar::new();
        CookieFile::netscape().load(&jar, path).unwrap();
        let mut all: Vec<_> = jar
            .iter()
            .map(|c| {
                (
                    c.name().into_owned(),
                    c.domain().to_owned(),
                    c.host_only(),
                    c.http_only(),
                    c.expires(),
                )
            })
            .collect();
        all.sort();
        all
    });
    assert_eq!(theirs, ours);
}
