//! Credentials from .netrc, each case in a process of its own.
#![cfg(feature = "tls")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bequest::{NoAuth, Request, SendOptions, Session, auth_fn};
use support::{Client, Door, Reply, case, doors, get};
use tempfile::TempDir;
use testbed::Testbed;

doors![
    where_the_file_is,
    what_wins_over_it,
    nothing_is_read_that_is_not_needed,
    it_is_read_once,
    the_host_is_the_urls,
    within_an_origin_it_stays,
    another_origin_gets_its_own_entry_over_https,
    what_the_caller_says_is_not_completed_elsewhere,
];

/// Runs the case in a process that has these variables.
#[track_caller]
fn run(door: Door, test: &str, server: &Testbed, variables: &[(&str, &Path)]) {
    let mut child = case::command(door, test);
    for name in ["NETRC", "HOME", "USERPROFILE"] {
        child.env_remove(name);
    }
    child.envs(variables.iter().copied()).env("REQUESTS_CA_BUNDLE", server.ca_file());
    child.env("CASE_PORT", port(&server.url("")));
    child.env("CASE_SECURE_PORT", port(&server.https_url("")));
    case::run(child);
}

fn port(url: &str) -> String {
    bequest::Url::parse(url).unwrap().port().unwrap().to_string()
}

/// Runs the case with a file of this content, which is there once more as `CASE_FILE`.
#[track_caller]
fn with(door: Door, case: &str, content: &str) {
    let (server, folder) = (Testbed::start(), tempfile::tempdir().unwrap());
    let file = written(&folder, "netrc", content);
    run(door, case, &server, &[("NETRC", &file), ("CASE_FILE", &file)]);
}

fn written(folder: &TempDir, name: &str, content: &str) -> std::path::PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// What a case was told.
struct Case {
    door: Door,
    port: String,
    secure_port: String,
}

impl Case {
    fn told() -> Self {
        let variable = |name| std::env::var(name).unwrap();
        Self {
            door: case::door().unwrap(),
            port: variable("CASE_PORT"),
            secure_port: variable("CASE_SECURE_PORT"),
        }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}/{path}", self.port)
    }

    fn secure(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}/{path}", self.secure_port)
    }

    /// Where a redirect leads that begins at a URL.
    fn led(&self, to: &str) -> String {
        self.url("a.localhost", &format!("redirect-to?url={to}"))
    }

    /// Who asks according to a request to this URL, from a new session.
    fn who(&self, url: &str) -> Option<String> {
        who(&sent(&self.door.session(), get(url)))
    }
}

/// Prepared by the session and sent, where the environment says whom to trust.
fn sent(client: &Client, request: Request) -> Reply {
    let prepared = client.prepare(request).unwrap();
    let options = client.merge_environment(&secure_of(&prepared.url), SendOptions::new());
    client.send_prepared(prepared, options).unwrap()
}

/// Redirects lead to https, where the URL does not.
fn secure_of(url: &bequest::Url) -> bequest::Url {
    let mut url = url.clone();
    url.set_scheme("https").unwrap();
    url
}

/// `user:password` of the last request, or what else it has.
fn who(reply: &Reply) -> Option<String> {
    assert_eq!(reply.status(), 200);
    let seen: serde_json::Value = reply.json().unwrap();
    let seen = seen["headers"]["Authorization"].as_str();
    assert_eq!(seen, reply.request().headers.get("authorization"));
    let seen = seen?;
    let decoded = seen.strip_prefix("Basic ").map(|basic| BASE64_STANDARD.decode(basic).unwrap());
    Some(decoded.map_or_else(|| seen.to_owned(), |decoded| String::from_utf8(decoded).unwrap()))
}

const FILE: &str = "machine a.localhost login a password pa\n\
    machine localhost login l password pl\n\
    machine b.localhost login b\n\
    machine empty.localhost\n\
    default login d password pd\n";

fn where_the_file_is(door: Door) {
    let server = Testbed::start();
    let folder = tempfile::tempdir().unwrap();
    let [home, empty] = ["home", "empty"].map(|name| folder.path().join(name));
    std::fs::create_dir(&home).unwrap();
    std::fs::create_dir(&empty).unwrap();
    let entry = |login: &str| format!("machine a.localhost login {login} password p");
    std::fs::write(home.join("_netrc"), entry("underscore")).unwrap();
    let named = written(&folder, "named", &entry("named"));
    let broken = written(&folder, "broken", "machine a.localhost login x password \"y");
    let latin = folder.path().join("latin");
    std::fs::write(&latin, b"machine a.localhost login x password p # caf\xe9").unwrap();
    let missing = folder.path().join("missing");
    let check = |who: &str, variables: &[(&str, &Path)]| {
        let variables = [variables, &[("CASE_WHO", Path::new(who))]].concat();
        run(door, "case_where", &server, &variables);
    };
    check("", &[]);
    check("underscore:p", &[("HOME", &home)]);
    std::fs::write(home.join(".netrc"), entry("dot")).unwrap();
    check("dot:p", &[("HOME", &home)]);
    check("", &[("HOME", &empty)]);
    check("named:p", &[("HOME", &home), ("NETRC", &named)]);
    check("x:p", &[("NETRC", &latin)]);
    check("dot:p", &[("HOME", &home), ("NETRC", Path::new("~/.netrc"))]);
    // Who names a file means no other.
    for other in [&missing, &broken, &empty, &Path::new("").to_owned()] {
        check("", &[("HOME", &home), ("NETRC", other)]);
    }
    // One that exists is the file, even if nothing can be read from it.
    std::fs::remove_file(home.join(".netrc")).unwrap();
    std::fs::create_dir(home.join(".netrc")).unwrap();
    check("", &[("HOME", &home)]);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_where() {
    let (case, expected) = (Case::told(), std::env::var("CASE_WHO").unwrap());
    let expected = Some(expected).filter(|expected| !expected.is_empty());
    assert_eq!(case.who(&case.url("a.localhost", "headers")), expected);
    let own = match case.door {
        Door::Blocking => {
            Session::new().get(case.url("a.localhost", "headers")).send().map(Reply::Blocking)
        }
        #[cfg(feature = "async")]
        Door::Aio => {
            let s = bequest::aio::Session::new();
            let sending = s.get(case.url("a.localhost", "headers")).send();
            support::tokio_runtime::run(sending).map(Reply::Aio)
        }
    };
    assert_eq!(who(&own.unwrap()), expected, "the request's own send()");
    let one_shot = bequest::get(case.url("a.localhost", "headers")).send().unwrap();
    assert_eq!(who(&Reply::Blocking(one_shot)), expected);
    let bare = get(case.url("a.localhost", "headers")).prepare().unwrap();
    assert_eq!(bare.headers.get("authorization"), None, "prepared by no session");
}

fn what_wins_over_it(door: Door) {
    with(door, "case_precedence", FILE);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_precedence() {
    let case = Case::told();
    let plain = case.url("a.localhost", "headers");
    let with_user_info = case.url("u:pu@a.localhost", "headers");
    let unknown_with_user_info = case.url("u:pu@empty.localhost", "headers");
    let own = |url: &str| get(url).auth(("own", "p"));
    let header = |url: &str| get(url).header("Authorization", "Token t");
    let no_op = || auth_fn(|_| Ok(()));
    // (session's auth, session's header, request, who asks)
    type Row = (bool, bool, Request, Option<&'static str>);
    let rows: [Row; 17] = [
        (false, false, get(&plain), Some("a:pa")),
        (false, false, get(&with_user_info), Some("a:pa")),
        (false, false, get(&unknown_with_user_info), Some("u:pu")),
        (false, false, own(&plain), Some("own:p")),
        (false, false, header(&plain), Some("Token t")),
        (false, false, header(&with_user_info), Some("Token t")),
        (false, false, header(&with_user_info).auth(("own", "p")), Some("own:p")),
        (false, false, get(&plain).auth(NoAuth), None),
        (false, false, get(&with_user_info).auth(NoAuth), None),
        (false, false, get(&with_user_info).auth(no_op()), None),
        (true, false, get(&plain), Some("session:p")),
        (true, false, own(&with_user_info), Some("own:p")),
        (true, false, header(&plain), Some("session:p")),
        (true, false, get(&plain).auth(NoAuth), None),
        (false, true, get(&with_user_info), Some("Session s")),
        (false, true, own(&plain), Some("own:p")),
        (false, true, get(&plain).without_header("Authorization"), Some("a:pa")),
    ];
    for (number, (auth, header, request, expected)) in rows.into_iter().enumerate() {
        let mut s = case.door.session();
        if auth {
            s.set_auth(("session", "p"));
        }
        if header {
            s.headers().insert("Authorization", "Session s");
        }
        assert_eq!(who(&sent(&s, request)).as_deref(), expected, "row {number}");
    }
    for (url, expected) in [(&plain, None), (&with_user_info, Some("u:pu"))] {
        let mut s = case.door.session();
        *s.trust_env() = false;
        assert_eq!(who(&sent(&s, get(url))).as_deref(), expected, "{url}");
    }
}

fn nothing_is_read_that_is_not_needed(door: Door) {
    with(door, "case_unneeded", FILE);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_unneeded() {
    let case = Case::told();
    let url = case.url("a.localhost", "headers");
    let mut s = case.door.session();
    sent(&s, get(&url).auth(NoAuth));
    sent(&s, get(&url).header("Authorization", "Token t"));
    s.set_auth(("session", "p"));
    sent(&s, get(&url));
    *s.auth() = None;
    *s.trust_env() = false;
    sent(&s, get(&url));
    *s.trust_env() = true;
    // Had it been read before, it would still be known.
    std::fs::remove_file(std::env::var("CASE_FILE").unwrap()).unwrap();
    assert_eq!(who(&sent(&s, get(&url))), None);
}

fn it_is_read_once(door: Door) {
    with(door, "case_once", FILE);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_once() {
    let (case, file) = (Case::told(), std::env::var("CASE_FILE").unwrap());
    let url = case.url("a.localhost", "headers");
    let s = case.door.session();
    let asks = |s: &Client| who(&sent(s, get(&url)));
    assert_eq!(asks(&s).as_deref(), Some("a:pa"));
    std::fs::write(&file, "machine a.localhost login new password p").unwrap();
    assert_eq!(asks(&s).as_deref(), Some("a:pa"));
    let clone = s.clone();
    assert_eq!(asks(&clone).as_deref(), Some("a:pa"), "clones share it");
    assert_eq!(asks(&case.door.session()).as_deref(), Some("new:p"), "others read it themselves");
    clone.reload_environment();
    assert_eq!(asks(&s).as_deref(), Some("new:p"));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(asks(&s).as_deref(), Some("new:p"));
    s.reload_environment();
    assert_eq!(asks(&s), None);
}

fn the_host_is_the_urls(door: Door) {
    with(door, "case_host", &format!("machine example.com login e password pe\n{FILE}"));
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_host() {
    let case = Case::told();
    for (host, expected) in [
        ("a.localhost", Some("a:pa")),
        ("A.LocalHost", Some("a:pa")),
        ("b.localhost", Some("b:")),
        ("empty.localhost", None),
        ("127.0.0.1", Some("d:pd")),
        // What only looks like the host (CVE-2024-47081).
        ("example.com:@127.0.0.1", Some("d:pd")),
        ("example.com:80@127.0.0.1", Some("d:pd")),
        ("example.com@127.0.0.1", Some("d:pd")),
        ("example.com:@empty.localhost", Some("example.com:")),
    ] {
        assert_eq!(case.who(&case.url(host, "headers")).as_deref(), expected, "{host}");
    }
}

fn within_an_origin_it_stays(door: Door) {
    with(door, "case_within", FILE);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_within() {
    let case = Case::told();
    let relative = case.url("127.0.0.1", "redirect-to?url=/headers");
    assert_eq!(case.who(&relative).as_deref(), Some("d:pd"), "the default one, too");
    assert_eq!(case.who(&case.led("/headers")).as_deref(), Some("a:pa"));
}

fn another_origin_gets_its_own_entry_over_https(door: Door) {
    with(door, "case_elsewhere", FILE);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_elsewhere() {
    let case = Case::told();
    for (to, expected) in [
        (case.secure("localhost", "headers"), Some("l:pl")),
        // The default is not for those whom a server names; nor is anything for plain http.
        (case.secure("127.0.0.1", "headers"), None),
        (case.url("b.localhost", "headers"), None),
        (case.url("localhost", "headers"), None),
        // What a server writes before an `@` is neither a host nor credentials.
        (case.secure("localhost:@127.0.0.1", "headers"), None),
        (case.url("x:y@b.localhost", "headers"), None),
        // On, within the other origin, and to a third one.
        (case.secure("localhost", "redirect-to?url=/headers"), Some("l:pl")),
        (case.secure("localhost", &format!("redirect-to?url={}", case.led("/headers"))), None),
        // Back home, a server has named it.
        (
            case.url(
                "b.localhost",
                &format!("redirect-to?url={}", case.url("a.localhost", "headers")),
            ),
            None,
        ),
    ] {
        assert_eq!(case.who(&case.led(&to)).as_deref(), expected, "{to}");
    }
    let mut s = case.door.session();
    let ca = std::env::var("REQUESTS_CA_BUNDLE").unwrap();
    *s.verify() = bequest::Verify::bundle(ca);
    let led = get(case.led(&case.secure("localhost", "headers")));
    let first = s.send(led.clone().allow_redirects(false)).unwrap();
    let next = first.next_request().unwrap().unwrap();
    let reply = s.send_prepared(next, SendOptions::new()).unwrap();
    assert_eq!(who(&reply).as_deref(), Some("l:pl"), "the same by hand");
    *s.trust_env() = false;
    assert_eq!(who(&s.send(led).unwrap()), None);
}

fn what_the_caller_says_is_not_completed_elsewhere(door: Door) {
    with(door, "case_said", FILE);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_said() {
    let case = Case::told();
    let led = || get(case.led(&case.secure("localhost", "headers")));
    let mut s = case.door.session();
    for request in
        [led().auth(("own", "p")), led().auth(NoAuth), led().header("Authorization", "Token t")]
    {
        assert_eq!(who(&sent(&s, request)), None);
    }
    let user_info = case.led(&case.secure("localhost", "headers")).replace("//a.", "//u:pu@empty.");
    assert_eq!(who(&sent(&s, get(&user_info))).as_deref(), Some("l:pl"), "a URL is asked after it");
    let sent_by = |s: &Client| {
        let prepared = led().prepare().unwrap();
        let options = s.merge_environment(&secure_of(&prepared.url), SendOptions::new());
        who(&s.send_prepared(prepared, options).unwrap())
    };
    assert_eq!(sent_by(&s).as_deref(), Some("l:pl"), "prepared by no session, sent by one");
    s.set_auth(("session", "p"));
    assert_eq!(who(&sent(&s, led())), None);
    assert_eq!(sent_by(&s), None);
}
