//! What is told to the program's log (feature `tracing`).
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(all(feature = "tls", feature = "tracing"))]

mod support;

use std::fmt::{Debug, Write};
use std::sync::{Mutex, Once};

use bequest::{ErrorKind, Expectation, HttpAdapter, MockAdapter, Retry};
use support::{Door, case, doors, get};
use testbed::Testbed;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

doors![
    what_is_not_verified_is_warned_of,
    a_prefix_that_is_more_than_its_host_is_warned_of,
    a_prefix_with_which_no_url_begins_is_warned_of,
    what_is_sent_again_is_told,
    a_netrc_that_others_can_read_is_warned_of,
];

/// Keeps the text of each warning, of all threads: an async session is on others than the test.
struct Log;

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What is told during the work; one at a time.
fn warnings(work: impl FnOnce()) -> Vec<String> {
    static INSTALLED: Once = Once::new();
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap();
    INSTALLED.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
    WARNINGS.lock().unwrap().clear();
    work();
    std::mem::take(&mut WARNINGS.lock().unwrap())
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target().starts_with("bequest")
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        WARNINGS.lock().unwrap().push(text.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

fn what_is_not_verified_is_warned_of(door: Door) {
    let (server, s) = (Testbed::start(), door.session());
    let told = warnings(|| {
        s.send(get(server.https_url("/get")).verify(server.ca_file())).unwrap();
        s.send(get(server.url("/get")).verify(false)).unwrap();
    });
    assert!(told.is_empty(), "{told:?}");
    let told = warnings(|| {
        s.send(get(server.https_url("/get?token=secret")).verify(false)).unwrap();
        s.send(get(server.https_url("/get")).verify(false)).unwrap();
    });
    // Once for a connection; what goes over it is not told.
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("localhost") && told[0].contains("`verify`"), "{told:?}");
    assert!(!told[0].contains("secret"), "{told:?}");
}

fn a_prefix_that_is_more_than_its_host_is_warned_of(door: Door) {
    let mut s = door.session();
    let told = warnings(|| {
        for prefix in ["http://localhost/", "https://", "mock:", "http://localhost/deep", "", "h"] {
            s.mount(prefix, HttpAdapter::new());
        }
    });
    assert!(told.is_empty(), "{told:?}");
    let told = warnings(|| s.mount("http://u:secret@localhost", HttpAdapter::new()));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("`http://***@localhost`") && told[0].contains("slash"), "{told:?}");
}

fn a_prefix_with_which_no_url_begins_is_warned_of(door: Door) {
    for prefix in ["example.org", "example.org/", "127.0.0.1:8080/", "[::1]/", "/path"] {
        let mut s = door.session();
        let told = warnings(|| s.mount(prefix, HttpAdapter::new()));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(prefix) && told[0].contains("scheme"), "{told:?}");
    }
}

fn what_is_sent_again_is_told(door: Door) {
    let url = "mock://h/?token=secret";
    let mock = MockAdapter::new().expect(
        Expectation::get(url).error(ErrorKind::Connect, "out of order").status(503).status(200),
    );
    let mut s = door.session();
    s.mount("mock://", mock);
    let told = warnings(|| {
        let retry = Retry::new().status_forcelist([503]).backoff_factor(0.001);
        s.send(get(url).retry(retry)).unwrap();
    });
    let again = "GET mock://h/?token=*** is sent again";
    let first = format!("{again}, in 0ns: out of order while connecting");
    assert_eq!(told, [first, format!("{again}, in 2ms: 503 Service Unavailable")]);
}

#[cfg(unix)]
fn a_netrc_that_others_can_read_is_warned_of(door: Door) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netrc");
    for (content, mode, warned) in [
        ("machine h login user password secret", 0o600, false),
        ("machine h login user password secret", 0o640, true),
        ("machine h login user password secret", 0o604, true),
        ("", 0o644, false),
    ] {
        std::fs::write(&file, content).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut child = case::command(door, "netrc_case");
        child.env("NETRC", &file);
        let said = case::run(child);
        assert_eq!(said.contains("told: the passwords in"), warned, "{mode:o} {content:?}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[cfg(unix)]
#[test]
#[ignore = "a case of the test above"]
fn netrc_case() {
    let mut s = case::door().unwrap().session();
    s.mount(
        "mock://",
        MockAdapter::new().expect(Expectation::get("mock://h/").status(200).status(200)),
    );
    let told = warnings(|| {
        s.send(get("mock://h/")).unwrap();
        s.send(get("mock://h/")).unwrap();
    });
    assert!(told.len() <= 1, "it is read once: {told:?}");
    told.iter().for_each(|told| println!("told: {told}"));
}
