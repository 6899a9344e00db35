//! The rules that came of other clients' vulnerabilities, a test for each, named after it. What they
//! are about, and which of them have no subject here, is in docs/security.md.
#![cfg(all(feature = "compression", feature = "cookies", feature = "digest", feature = "tls"))]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

#[path = "rules/proxies.rs"]
mod proxies;
#[path = "rules/requests.rs"]
mod requests;
mod support;
#[path = "rules/uncovered.rs"]
mod uncovered;
#[path = "rules/urllib3.rs"]
mod urllib3;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Arc, Mutex};

use bequest::{PreparedRequest, ResponseBuilder, adapter_fn};
use support::{Client, Door};

/// A session whose requests go to a function instead of a network, and what they were.
struct Net {
    client: Client,
    seen: Arc<Mutex<Vec<Seen>>>,
}

struct Seen {
    method: String,
    /// The head, as it would be on the wire.
    head: String,
}

impl Seen {
    /// The value of a field, whose name is in lower case.
    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Net {
    fn new(
        door: Door,
        answer: impl Fn(&PreparedRequest) -> ResponseBuilder + Clone + Send + Sync + 'static,
    ) -> Self {
        let (mut client, seen) = (door.session(), Arc::<Mutex<Vec<Seen>>>::default());
        for scheme in ["http://", "https://"] {
            let (seen, answer) = (Arc::clone(&seen), answer.clone());
            let adapter = adapter_fn(move |request, _| {
                seen.lock().unwrap().push(Seen {
                    method: request.method.to_string(),
                    head: String::from_utf8(request.wire_head()?).unwrap(),
                });
                answer(request).build()
            });
            client.mount(scheme, adapter);
        }
        Self { client, seen }
    }

    /// One address leads to another; all others answer.
    fn leading(door: Door, status: u16, from: &'static str, to: &'static str) -> Self {
        Self::new(door, move |request| {
            let response = bequest::Response::builder();
            match request.url.as_str() == from {
                true => response.status(status).header("Location", to),
                false => response.body("there"),
            }
        })
    }

    /// What was asked since the last time.
    fn taken(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

/// Addresses of other origins than `https://first.example/`.
const ELSEWHERE: [&str; 4] = [
    "https://second.example/",
    "https://sub.first.example/",
    "https://first.example:8443/",
    "http://first.example/",
];

/// Runs a test of this program in a process with variables of its own: those of this one can't be
/// changed while other threads read them.
#[track_caller]
fn run(door: Door, case: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", case, "--include-ignored", "--nocapture"]);
    for name in ["NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        child.env_remove(name);
    }
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        child.env_remove(name).env_remove(name.to_ascii_uppercase());
    }
    child.env_remove("REQUEST_METHOD");
    child.env("CASE_DOOR", format!("{door:?}")).envs(variables.iter().copied());
    let output = child.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{variables:?}\n{said}");
}

/// The door that a process was started for by [`run`].
fn told() -> Door {
    match variable("CASE_DOOR").as_str() {
        "Blocking" => Door::Blocking,
        #[cfg(feature = "async")]
        "Aio" => Door::Aio,
        other => panic!("no door {other}"),
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

/// Each test has a rule that the document knows, and the other way round.
#[test]
fn the_document_names_each_rule() {
    let document = std::fs::read_to_string("../../docs/security.md").unwrap();
    let columns = document.lines().filter_map(|line| line.split('|').nth(3));
    let named = columns.flat_map(|column| column.split(',')).map(str::trim);
    let named: BTreeSet<_> =
        named.filter_map(|name| name.strip_prefix('`')?.strip_suffix('`')).collect();
    let sources = ["proxies", "requests", "urllib3", "uncovered"]
        .map(|name| std::fs::read_to_string(format!("tests/rules/{name}.rs")).unwrap());
    let lists = sources.iter().map(|source| source.split("doors![").nth(1).unwrap());
    let tests = lists.flat_map(|list| list.split("];").next().unwrap().split(','));
    let tests: BTreeSet<_> = tests.map(str::trim).filter(|name| !name.is_empty()).collect();
    assert_eq!(named, tests, "docs/security.md and tests/rules differ");
}
