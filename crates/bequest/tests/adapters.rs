//! Adapters: what is mounted where, and what is set for one.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bequest::{
    Adapter, BoxFuture, ErrorKind, HttpAdapter, PreparedRequest, Response, Result, Settings,
    adapter_fn,
};
use support::{Client, Door, doors, get};
use testbed::{RawServer, Script, Testbed};

doors![
    what_is_mounted_is_listed,
    what_is_unmounted_serves_no_more,
    a_prefix_is_written_as_anybody_would,
    a_clone_has_a_table_of_its_own,
    what_a_server_may_send_is_settable,
    busy_polling_changes_no_outcome,
    busy_polling_ends_with_a_timeout,
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

fn with(door: Door, adapter: HttpAdapter) -> Client {
    let mut s = door.session();
    s.mount("http://", adapter);
    s
}

fn what_a_server_may_send_is_settable(door: Door) {
    let fields = |count: usize| {
        let fields = "a:\n".repeat(count - 1);
        format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok")
    };
    let chunked = |extensions: &str, trailers: &str| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}2{extensions}\r\nok\r\n0\r\n{trailers}\r\n")
    };
    let interim = |count| "HTTP/1.1 102 Wait\r\n\r\n".repeat(count) + &fields(1);
    let head = "HTTP/1.1 200 OK\r\nX: ".len() + "\r\nContent-Length: 2\r\n\r\n".len();
    let large = |size: usize| {
        format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 2\r\n\r\nok", "x".repeat(size - head))
    };
    let new = HttpAdapter::new;
    let (too_large, chunks) = (ErrorKind::TooLarge, ErrorKind::ChunkedEncoding);
    for (adapter, good, bad, kind) in [
        (new().max_head(100), large(100), large(101), too_large),
        (new().max_head(1 << 20), large(1 << 20), large((1 << 20) + 1), too_large),
        (new().max_fields(2), fields(2), fields(3), too_large),
        (new().max_fields(5000), fields(5000), fields(5001), too_large),
        (new().max_fields(2), chunked("", "a:\nb:\n"), chunked("", "a:\nb:\nc:\n"), chunks),
        (new().max_trailers(7), chunked("", "a: b\n"), chunked("", "a: bc\n"), chunks),
        (new().max_chunk_extensions(4), chunked(";a=b", ""), chunked(";a=bc", ""), chunks),
        (new().max_interim(2), interim(2), interim(3), ErrorKind::InvalidResponse),
    ] {
        let server = RawServer::sequence(vec![Script::respond(good), Script::respond(bad)]);
        let s = with(door, adapter);
        let shown = |sent: Result<_>| sent.and_then(|r: support::Reply| r.text());
        assert_eq!(shown(s.send(get(server.url("/")))).unwrap(), "ok", "{kind:?}");
        s.close();
        let error = shown(s.send(get(server.url("/")))).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let told = error.remedy().is_some_and(|remedy| remedy.contains("`max_"));
        assert!(told, "it says what to set: {error}");
    }
}

fn busy_polling_changes_no_outcome(door: Door) {
    let server = Testbed::start();
    let s = with(door, HttpAdapter::new().busy_poll(Duration::from_micros(500)));
    for _ in 0..20 {
        assert_eq!(s.send(get(server.url("/status/418"))).unwrap().status(), 418);
        assert_eq!(
            s.send(get(server.url("/big/300000"))).unwrap().content().unwrap().len(),
            300_000
        );
    }
    let mut https = door.session();
    https.mount("https://", HttpAdapter::new().busy_poll(Duration::MAX));
    for _ in 0..3 {
        let request = get(server.https_url("/big/100000")).verify(server.ca_file());
        assert_eq!(https.send(request).unwrap().content().unwrap().len(), 100_000);
    }
    assert_eq!((server.connections(), server.https_connections()), (1, 1));
    let lost = RawServer::start(Script::new().read_head().reset());
    let error = s.send(get(lost.url("/"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
}

fn busy_polling_ends_with_a_timeout(door: Door) {
    let silent = RawServer::start(Script::new().read_head().stall());
    let s = with(door, HttpAdapter::new().busy_poll(Duration::from_secs(60)));
    let start = Instant::now();
    let request = get(silent.url("/")).timeout(Duration::from_millis(100));
    assert_eq!(s.send(request).unwrap_err().kind(), ErrorKind::ReadTimeout);
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(100) && elapsed < Duration::from_millis(1500));
}
