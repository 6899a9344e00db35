//! Variables of the environment, each case in a process of its own.
#![cfg(feature = "tls")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use bequest::{ErrorKind, SendOptions, Session, Verify};
use support::{Door, case, doors, get};
use testbed::Testbed;

doors![
    a_bundle_is_read_from_each_variable,
    what_is_explicit_wins,
    send_does_not_ask,
    a_redirect_to_https_asks,
];

/// Runs the case in a process that has these variables, beside the server's URLs.
fn with(door: Door, test: &str, server: &Testbed, variables: &[(&str, &str)]) {
    let mut child = case::command(door, test);
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        child.env_remove(name);
    }
    child.envs(variables.iter().copied());
    child.env("CASE_PLAIN", server.url(""));
    child.env("CASE_SECURE", server.https_url("")).env("CASE_CA", server.ca_file());
    case::run(child);
}

/// What a case was told.
struct Case {
    door: Door,
    plain: String,
    secure: String,
    ca: String,
}

impl Case {
    fn told() -> Option<Self> {
        let variable = |name| std::env::var(name).ok();
        let door = case::door()?;
        let (plain, secure) = (variable("CASE_PLAIN")?, variable("CASE_SECURE")?);
        Some(Self { door, plain, secure, ca: variable("CASE_CA")? })
    }
}

impl Case {
    fn secure(&self) -> String {
        format!("{}get", self.secure)
    }
}

/// Sends with the request's own `send()`, which is what asks the environment.
fn sends(
    case: &Case,
    change: impl Fn(&mut Verify, &mut bool),
    url: &str,
    verify: Option<bool>,
) -> Result<u16, ErrorKind> {
    macro_rules! own {
        ($session:expr) => {{
            let mut s = $session;
            change(&mut s.verify, &mut s.trust_env);
            let request = s.get(url);
            match verify {
                Some(verify) => request.verify(verify).send(),
                None => request.send(),
            }
        }};
    }
    let status = match case.door {
        Door::Blocking => own!(Session::new()).map(|r| r.status()),
        #[cfg(feature = "async")]
        Door::Aio => {
            support::tokio_runtime::run(own!(bequest::aio::Session::new())).map(|r| r.status())
        }
    };
    status.map(|status| status.as_u16()).map_err(|error| error.kind())
}

fn as_it_is(_: &mut Verify, _: &mut bool) {}

fn a_bundle_is_read_from_each_variable(door: Door) {
    let server = Testbed::start();
    let ca = server.ca_file().to_str().unwrap();
    let folder = server.ca_file().parent().unwrap().to_str().unwrap();
    let nothing = "/nonexistent.pem";
    for variables in [
        &[("REQUESTS_CA_BUNDLE", ca)][..],
        &[("CURL_CA_BUNDLE", ca)],
        &[("SSL_CERT_FILE", ca)],
        &[("REQUESTS_CA_BUNDLE", ca), ("CURL_CA_BUNDLE", nothing), ("SSL_CERT_FILE", nothing)],
        &[("REQUESTS_CA_BUNDLE", ""), ("CURL_CA_BUNDLE", ca)],
        &[("REQUESTS_CA_BUNDLE", folder)],
        &[("SSL_CERT_DIR", folder)],
        &[("SSL_CERT_DIR", folder), ("SSL_CERT_FILE", "")],
        &[("SSL_CERT_DIR", nothing), ("CURL_CA_BUNDLE", ca)],
    ] {
        with(door, "case_trusted", &server, variables);
    }
    for variables in [
        &[][..],
        &[("REQUESTS_CA_BUNDLE", "")],
        &[("CURL_CA_BUNDLE", nothing), ("SSL_CERT_FILE", ca)],
        &[("SSL_CERT_FILE", ca), ("SSL_CERT_DIR", nothing)],
        &[("SSL_CERT_DIR", "")],
    ] {
        with(door, "case_refused", &server, variables);
    }
}

fn what_is_explicit_wins(door: Door) {
    let server = Testbed::start();
    with(door, "case_explicit", &server, &[("REQUESTS_CA_BUNDLE", "/nonexistent.pem")]);
}

fn send_does_not_ask(door: Door) {
    let server = Testbed::start();
    let ca = server.ca_file().to_str().unwrap();
    with(door, "case_merged", &server, &[("REQUESTS_CA_BUNDLE", ca)]);
}

fn a_redirect_to_https_asks(door: Door) {
    let server = Testbed::start();
    let ca = server.ca_file().to_str().unwrap();
    with(door, "case_led", &server, &[("REQUESTS_CA_BUNDLE", ca)]);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_trusted() {
    let case = Case::told().unwrap();
    assert_eq!(sends(&case, as_it_is, &case.secure(), None), Ok(200));
    // Whatever the environment says, it is not for those who do not trust it.
    let distrustful = |_: &mut Verify, trust_env: &mut bool| *trust_env = false;
    assert_eq!(sends(&case, distrustful, &case.secure(), None), Err(ErrorKind::Tls));
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_refused() {
    let case = Case::told().unwrap();
    assert_eq!(sends(&case, as_it_is, &case.secure(), None), Err(ErrorKind::Tls));
    let plain = format!("{}get", case.plain);
    assert_eq!(sends(&case, as_it_is, &plain, None), Ok(200), "nothing is read for it");
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_explicit() {
    let case = Case::told().unwrap();
    for explicit in [Verify::bundle(&case.ca), Verify::No] {
        let session = |verify: &mut Verify, _: &mut bool| *verify = explicit.clone();
        assert_eq!(sends(&case, session, &case.secure(), None), Ok(200));
    }
    assert_eq!(sends(&case, as_it_is, &case.secure(), Some(false)), Ok(200));
    assert_eq!(sends(&case, as_it_is, &case.secure(), Some(true)), Err(ErrorKind::Tls));
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_merged() {
    let case = Case::told().unwrap();
    let s = case.door.session();
    let prepared = || s.prepare(get(case.secure())).unwrap();
    let error = s.send_prepared(prepared(), SendOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    let url = prepared().url;
    let merged = s.merge_environment(&url, SendOptions::new());
    assert_eq!(s.send_prepared(prepared(), merged).unwrap().status(), 200);
    let explicit = s.merge_environment(&url, SendOptions::new().verify(Verify::Yes));
    assert_eq!(s.send_prepared(prepared(), explicit).unwrap_err().kind(), ErrorKind::Tls);
    s.reload_environment();
    let again = s.merge_environment(&url, SendOptions::new());
    assert_eq!(s.send_prepared(prepared(), again).unwrap().status(), 200);
}

#[test]
#[ignore = "run by others, with an environment"]
fn case_led() {
    let case = Case::told().unwrap();
    let url = format!("{}redirect-to?url={}", case.plain, case.secure());
    assert_eq!(sends(&case, as_it_is, &url, None), Ok(200));
}
