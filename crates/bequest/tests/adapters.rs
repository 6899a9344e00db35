//! Adapters: what is mounted where.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bequest::{
    Adapter, BoxFuture, ErrorKind, PreparedRequest, Response, Result, Settings, adapter_fn,
};
use support::{Client, Door, doors, get};

doors![
    what_is_mounted_is_listed,
    what_is_unmounted_serves_no_more,
    a_prefix_is_written_as_anybody_would,
    a_clone_has_a_table_of_its_own,
];

/// Answers with a name.
fn named(name: &'static str) -> impl Adapter {
    adapter_fn(move |_, _| Response::builder().body(name).build())
}

#[track_caller]
fn text(client: &Client, url: &str) -> String {
    client.send(get(url)).unwrap().text().unwrap()
}

fn what_is_mounted_is_listed(door: Door) {
    let mut s = door.session();
    assert_eq!(s.mounted(), ["https://", "http://"]);
    for prefix in ["mock://", "http://a.example/", "http://b.example/", "http://a.example/deep"] {
        s.mount(prefix, named(prefix));
    }
    let all = [
        "http://a.example/deep",
        "http://a.example/",
        "http://b.example/",
        "https://",
        "http://",
        "mock://",
    ];
    assert_eq!(s.mounted(), all, "the longest first, then the earlier");
    s.mount("HTTP://A.example/", named("another"));
    assert_eq!(s.mounted(), all, "one that takes another's place has it");
    assert_eq!(text(&s, "http://a.example/x"), "another");
    let listed = s.adapter_for("http://a.example/deep/er").unwrap();
    let same = s.adapter_for("http://a.example/deeper").unwrap();
    assert!(Arc::ptr_eq(&listed, &same));
    assert_eq!(s.adapter_for("ftp://a.example/").err().unwrap().kind(), ErrorKind::InvalidSchema);
}

/// Counts how often it is closed.
struct Closing(Arc<AtomicUsize>);

impl Adapter for Closing {
    fn send<'a>(
        &'a self,
        _: &'a mut PreparedRequest,
        _: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async { Response::builder().body("closing").build() })
    }

    fn close(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn what_is_unmounted_serves_no_more(door: Door) {
    let mut s = door.session();
    s.mount("mock://", named("all"));
    let closed = Arc::new(AtomicUsize::new(0));
    s.mount("mock://deep/", Closing(Arc::clone(&closed)));
    assert_eq!(text(&s, "mock://deep/x"), "closing");
    assert!(s.unmount("mock://de").is_none(), "only what is mounted on exactly that");
    let taken = s.unmount("MOCK://deep/").unwrap();
    assert_eq!(text(&s, "mock://deep/x"), "all", "the next longest prefix is left");
    s.close();
    assert_eq!(closed.load(Relaxed), 0, "it is not the session's any more");
    s.mount("other://", taken);
    assert_eq!(text(&s, "other://x"), "closing");
    s.close();
    assert_eq!(closed.load(Relaxed), 1);
    for prefix in ["http://", "https://"] {
        s.unmount(prefix).unwrap();
    }
    let error = s.send(get("http://localhost:1/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSchema);
    assert!(error.to_string().contains("other:// or mock://"), "{error}");
}

fn a_prefix_is_written_as_anybody_would(door: Door) {
    let mut s = door.session();
    for (prefix, url) in [
        ("http://port.example:80/", "http://port.example/x"),
        ("https://Port.Example:443/", "https://port.example:443/x"),
        ("http://b\u{fc}cher.example/", "http://B\u{dc}CHER.example/x"),
        ("http://xn--mnchen-3ya.example/", "http://m\u{fc}nchen.example/x"),
        ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]/x"),
    ] {
        s.mount(prefix, named(prefix));
        assert_eq!(text(&s, url), prefix);
    }
    // Another port is another place.
    assert!(Arc::ptr_eq(
        &s.adapter_for("http://port.example:81/").unwrap(),
        &s.adapter_for("http://elsewhere.example/").unwrap(),
    ));
}

fn a_clone_has_a_table_of_its_own(door: Door) {
    let mut s = door.session();
    s.mount("mock://", named("one"));
    let mut clone = s.clone();
    clone.mount("mock://", named("two"));
    clone.unmount("https://").unwrap();
    assert_eq!((text(&s, "mock://x"), text(&clone, "mock://x")), ("one".into(), "two".into()));
    assert_eq!(s.mounted(), ["https://", "http://", "mock://"]);
    assert_eq!(clone.mounted(), ["http://", "mock://"]);
}
