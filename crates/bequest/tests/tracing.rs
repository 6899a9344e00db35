//! What is told of requests while they are under way: spans, events and their fields (feature
//! `tracing`; docs/tracing.md).
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(all(feature = "tls", feature = "tracing"))]

#[path = "tracing/listener.rs"]
mod listener;
mod support;

use bequest::{ErrorKind, Expectation, HttpAdapter, MockAdapter, Retry, SensitiveHeaders};
use listener::{Ear, Told};
use support::{Door, doors, get, until};
use testbed::{Proxy, RawServer, Script, Testbed};

doors![
    a_request_tells_its_steps,
    a_kept_connection_is_told,
    a_request_that_is_sent_once_more_tells_why,
    redirects_are_told,
    retries_are_told_with_their_sleep,
    tls_through_a_tunnel_is_told,
    what_fails_tells_how_far_it_came,
    streamed_bodies_are_told_where_they_belong,
    a_pool_that_blocks_is_told,
    #[cfg(feature = "http2")]
    a_request_by_http2_tells_its_steps,
    #[cfg(feature = "http2")]
    a_request_by_http2_that_is_sent_once_more_tells_why,
    no_secret_is_told,
];

/// The texts of events with the spans that they are in, of levels that most listen to.
fn steps(told: &Told) -> Vec<String> {
    let events = told.events.iter().filter(|event| event.level != tracing::Level::TRACE);
    events.map(|event| format!("{}: {}", event.spans.join(" "), event.text)).collect()
}

/// An adapter to which `localhost` has one address.
fn loopback() -> HttpAdapter {
    HttpAdapter::new().resolve("localhost", std::net::Ipv4Addr::LOCALHOST).unwrap()
}

fn a_request_tells_its_steps(door: Door) {
    let ear = Ear::alone();
    let server = Testbed::start();
    let mut s = door.session();
    s.mount("http://", loopback());
    let url = server.url("/bytes/10").replace("127.0.0.1", "localhost");
    let told = ear.listen(|| drop(s.send(get(&url)).unwrap()));
    assert_eq!(
        steps(&told),
        [
            "request: sending",
            "request send: on a new connection",
            "request send: resolved",
            "request send connect: connecting",
            "request send connect: connected",
            "request send: answered",
            "request send: body",
            "request: done",
        ]
    );
    let request = told.span("request");
    assert_eq!(request.fields["method"], "GET");
    assert_eq!(request.fields["url"], url);
    assert_eq!(request.fields["status"], "200");
    assert_eq!(told.span("send").fields["status"], "200");
    assert_eq!(told.span("resolve").fields["host"], "localhost");
    let answered = told.event("answered");
    assert_eq!(answered["status"], "200");
    assert_eq!(answered["version"], "HTTP/1.1");
    assert!(answered["peer"].contains(&server.addr().to_string()), "{answered:?}");
    assert_eq!(told.event("connected")["address"], server.addr().to_string());
    let done = told.event("done");
    assert_eq!((&*done["bytes"], &*done["redirects"]), ("10", "0"));
    let elapsed: f64 = done["elapsed_ms"].parse().unwrap();
    assert!(elapsed > 0.0 && elapsed < 1500.0, "{elapsed}");
    let body = told.event("body");
    assert_eq!((&*body["bytes"], &*body["whole"]), ("10", "true"));
    let sent = &told.event("request")["headers"];
    assert!(sent.contains("\"User-Agent\": \"bequest/"), "{sent}");
    assert!(told.event("response")["headers"].contains("Content-Length"), "{told:?}");
}

fn a_kept_connection_is_told(door: Door) {
    let ear = Ear::alone();
    let (server, s) = (Testbed::start(), door.session());
    s.send(get(server.url("/get"))).unwrap();
    let told = ear.listen(|| drop(s.send(get(server.url("/get"))).unwrap()));
    let expected = [
        "request: sending",
        "request send: on a kept connection",
        "request send: answered",
        "request send: body",
        "request: done",
    ];
    assert_eq!(steps(&told), expected);
    assert_eq!(told.spans.len(), 2, "{told:?}");
}

fn a_request_that_is_sent_once_more_tells_why(door: Door) {
    let ear = Ear::alone();
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let once = Script::new().read_head().send(ok).read_head().close();
    let server = RawServer::sequence(vec![once, Script::respond(ok)]);
    let s = door.session();
    s.send(get(server.url("/"))).unwrap();
    let told = ear.listen(|| drop(s.send(get(server.url("/"))).unwrap()));
    let again = "request send: the kept connection was closed: once more, on a new one";
    assert_eq!(steps(&told)[1..3], ["request send: on a kept connection", again]);
    assert_eq!(told.event("connected")["address"], server.addr().to_string());
    let error = &told.event("the kept connection was closed: once more, on a new one")["error"];
    assert!(error.contains("the server closed the connection"), "{error}");
    assert_eq!(s.stats().replayed, 1);
}

fn redirects_are_told(door: Door) {
    let ear = Ear::alone();
    let (server, s) = (Testbed::start(), door.session());
    let told = ear.listen(|| drop(s.send(get(server.url("/redirect/2"))).unwrap()));
    let to: Vec<_> = told.events_of("redirected").map(|event| event["to"].clone()).collect();
    assert_eq!(to, [server.url("/relative-redirect/1"), server.url("/get")]);
    assert_eq!(told.event("done")["redirects"], "2");
    let sends: Vec<_> = told.spans.iter().filter(|span| span.name == "send").collect();
    let statuses: Vec<_> = sends.iter().map(|span| &*span.fields["status"]).collect();
    assert_eq!(statuses, ["302", "302", "200"]);
    assert_eq!(told.spans.iter().filter(|span| span.name == "request").count(), 1);
    assert_eq!(told.span("request").fields["status"], "200");
}

fn retries_are_told_with_their_sleep(door: Door) {
    let ear = Ear::alone();
    let url = "mock://h/";
    let expectation =
        Expectation::get(url).error(ErrorKind::Connect, "out of order").status(503).status(200);
    let mut s = door.session();
    s.mount("mock://", MockAdapter::new().expect(expectation));
    let told = ear.listen(|| {
        let retry = Retry::new().status_forcelist([503]).backoff_factor(0.01);
        s.send(get(url).retry(retry)).unwrap();
    });
    let again: Vec<_> =
        told.events.iter().filter(|event| event.level == tracing::Level::WARN).collect();
    assert_eq!(again.len(), 2, "{told:?}");
    assert!(again.iter().all(|event| event.spans == ["request"]), "{again:?}");
    assert_eq!((&*again[0].fields["kind"], &*again[0].fields["sleep_ms"]), ("Connect", "0.0"));
    assert_eq!((&*again[1].fields["status"], &*again[1].fields["sleep_ms"]), ("503", "20.0"));
}

fn tls_through_a_tunnel_is_told(door: Door) {
    let ear = Ear::alone();
    let (server, proxy) = (Testbed::start(), Proxy::start());
    let mut s = door.session();
    s.mount("https://", loopback());
    *s.verify() = server.ca_file().into();
    *s.proxies() = bequest::Proxies::new().all(proxy.url("http")).unwrap();
    let told = ear.listen(|| drop(s.send(get(server.https_url("/get"))).unwrap()));
    assert_eq!(
        steps(&told),
        [
            "request: sending",
            "request send: on a new connection",
            "request send proxy: resolved",
            "request send proxy connect: connecting",
            "request send proxy connect: connected",
            "request send: a tunnel is open",
            "request send tls: secured",
            "request send: answered",
            "request send: body",
            "request: done",
        ]
    );
    let tunnel = told.span("proxy");
    assert_eq!(tunnel.fields["proxy"], proxy.url("http"));
    assert_eq!(tunnel.fields["port"], server.https_addr().port().to_string());
    let secured = told.event("secured");
    assert!(secured["version"].contains("TLSv1_3"), "{secured:?}");
    assert!(secured["cipher"].contains("TLS13_"), "{secured:?}");
    assert_eq!(told.span("tls").fields["host"], "localhost");
}

fn what_fails_tells_how_far_it_came(door: Door) {
    let ear = Ear::alone();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let s = door.session();
    let told = ear.listen(|| {
        let error = s.send(get(format!("http://{nobody}/"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
    });
    let last = &steps(&told)[3..];
    let expected = [
        "request send connect: connecting",
        "request send connect: not connected",
        "request: failed",
    ];
    assert_eq!(last, expected);
    assert_eq!(told.event("not connected")["address"], nobody.to_string());
    let failed = told.event("failed");
    assert_eq!(failed["kind"], "Connect");
    assert!(failed["error"].contains("no connection"), "{failed:?}");
    assert_eq!(told.span("request").fields["error"], failed["error"]);
    assert!(!told.span("request").fields.contains_key("status"));
}

fn streamed_bodies_are_told_where_they_belong(door: Door) {
    let ear = Ear::alone();
    let (server, s) = (Testbed::start(), door.session());
    let streamed = |path: &str| get(server.url(path)).stream(true);
    let told = ear.listen(|| {
        let reply = s.send(streamed("/big/300000")).unwrap();
        assert_eq!(reply.content().unwrap().len(), 300_000);
    });
    let body = told.events.iter().find(|event| event.text == "body").unwrap();
    assert_eq!(body.spans, ["request", "send"], "though the request was over");
    assert_eq!((&*body.fields["bytes"], &*body.fields["whole"]), ("300000", "true"));
    assert!(!told.event("done").contains_key("bytes"), "nobody knows yet");
    let told = ear.listen(|| drop(s.send(streamed("/big/300000")).unwrap()));
    let body = told.event("body");
    assert_eq!((&*body["bytes"], &*body["whole"]), ("0", "false"));
}

fn a_pool_that_blocks_is_told(door: Door) {
    let ear = Ear::alone();
    let server = Testbed::start();
    let mut s = door.session();
    s.mount("http://", HttpAdapter::new().pool_maxsize(1).pool_block(true));
    let told = ear.listen(|| drop(s.send(get(server.url("/get"))).unwrap()));
    assert_eq!(told.span("pool").fields["port"], server.addr().port().to_string());
}

/// Of two at a time, the second is on the first one's connection.
#[cfg(feature = "http2")]
fn a_request_by_http2_tells_its_steps(door: Door) {
    let ear = Ear::alone();
    let server = Testbed::start();
    let mut s = door.trusting(server.ca_file().as_ref());
    s.mount("https://", loopback());
    *s.http_versions() = Some(bequest::HttpVersions::Http2);
    let url = server.https_url("/bytes/10");
    let told = ear.listen(|| {
        let held = s.send(get(&url).stream(true)).unwrap();
        s.send(get(&url)).unwrap();
        assert_eq!(held.content().unwrap().len(), 10);
    });
    assert_eq!(
        steps(&told),
        [
            "request: sending",
            "request send: resolved",
            "request send connect: connecting",
            "request send connect: connected",
            "request send tls: secured",
            "request send: on a new connection",
            "request send: answered",
            "request: done",
            "request: sending",
            "request send: on a kept connection",
            "request send: answered",
            "request send: body",
            "request: done",
            "request send: body",
        ]
    );
    assert_eq!(told.event("connected")["address"], server.https_addr().to_string());
    assert_eq!(told.span("tls").fields["host"], "localhost");
    for answered in told.events_of("answered") {
        assert_eq!((&*answered["status"], &*answered["version"]), ("200", "HTTP/2.0"));
        assert!(answered["peer"].contains(&server.https_addr().to_string()), "{answered:?}");
    }
    let sends: Vec<_> = told.spans.iter().filter(|span| span.name == "send").collect();
    assert!(sends.len() == 2 && sends.iter().all(|span| span.fields["status"] == "200"));
    let bodies: Vec<_> = told.events.iter().filter(|event| event.text == "body").collect();
    assert_ne!(bodies[0].path, bodies[1].path, "each is told of its own request");
    for body in &bodies {
        assert_eq!((&*body.fields["bytes"], &*body.fields["whole"]), ("10", "true"));
    }
}

#[cfg(feature = "http2")]
fn a_request_by_http2_that_is_sent_once_more_tells_why(door: Door) {
    let ear = Ear::alone();
    let server = testbed::StreamServer::start(100);
    let mut s = door.session();
    *s.http_versions() = Some(bequest::HttpVersions::Http2);
    s.send(get(server.url("/hello"))).unwrap();
    let told = ear.listen(|| drop(s.send(get(server.url("/refused"))).unwrap()));
    let again = "it was not processed, or lost: once more";
    assert_eq!(
        steps(&told),
        [
            "request: sending",
            "request send: on a kept connection",
            &format!("request send: {again}"),
            "request send: on a kept connection",
            "request send: answered",
            "request send: body",
            "request: done",
        ]
    );
    let error = &told.event(again)["error"];
    assert!(error.contains("refused to process the request"), "{error}");
    assert_eq!((s.stats().opened, s.stats().replayed, server.requests()), (1, 1, 3));
}

/// What has a password, a token or a cookie in it.
fn no_secret_is_told(door: Door) {
    let ear = Ear::alone();
    const SECRET: &str = "S3cr3t";
    let (server, proxy) = (Testbed::start(), Proxy::with_login("user", SECRET));
    let to = format!(
        "https://u:{SECRET}@localhost:{}/get?page=7&access_token={SECRET}#id_token={SECRET}",
        server.https_addr().port()
    );
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nSet-Cookie: id={SECRET}; Path=/\r\n\
         x-tenant: {SECRET}\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    let first = RawServer::start(Script::new().read_head().send(busy).read_head().send(redirect));
    let mut s = door.session();
    *s.verify() = server.ca_file().into();
    *s.proxies() = bequest::Proxies::new().all(proxy.url_with_login("http")).unwrap();
    s.headers().insert("X-API-Key", SECRET);
    s.headers().insert("X-Vault-Token", SECRET);
    s.headers().insert("X-Tenant", SECRET);
    s.headers().insert("Referer", format!("http://h/?token={SECRET}"));
    let retry = Retry::new().status_forcelist([503]);
    let names = SensitiveHeaders::default().with(["X-Tenant"]);
    let get = |url: String| get(url).sensitive_headers(names.clone());
    let told = ear.listen(|| {
        let from = first.url(&format!("/?code={SECRET}")).replace("//", &format!("//u:{SECRET}@"));
        let reply = s.send(get(from).retry(retry)).unwrap();
        assert!(!format!("{:?}", reply.history()[0].request()).contains(SECRET));
        assert_eq!(reply.history().len(), 1);
        s.send(get(format!("http://{SECRET}:{SECRET}@localhost:1/?key={SECRET}"))).map(drop).ok();
    });
    let all = format!("{told:?}");
    let port = server.https_addr().port();
    let shown = format!("https://***@localhost:{port}/get?page=7&access_token=***#***");
    assert_eq!(told.event("redirected")["to"], shown);
    assert_eq!(told.span("proxy").fields["proxy"], proxy.url("http").replace("//", "//***@"));
    for part in ["?code=***", "?key=***", "\\\"X-API-Key\\\": \\\"***\\\"", "is sent again"] {
        assert!(all.contains(part), "no {part} in {all}");
    }
    // What the base of a credential makes of it, too.
    for form in [SECRET, "UzNjcjN0", "TM2NyM3", "M3JjM3", "czNjcjN0"] {
        assert!(!all.contains(form), "{form} in {all}");
    }
}

/// A thread that drives several requests is in the span of one only while that one goes on.
#[cfg(feature = "async")]
#[test]
fn spans_of_requests_on_one_thread_do_not_mix() {
    let ear = Ear::alone();
    let server = Testbed::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = ear.listen(|| {
        runtime.block_on(async {
            let s = bequest::aio::Session::new();
            let tasks: Vec<_> = (0..8)
                .map(|number| {
                    let (s, url) = (s.clone(), server.url(&format!("/bytes/{}", 100 + number)));
                    tokio::spawn(async move {
                        s.get(url).send().await.unwrap();
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
                assert!(listener::is_outside(), "a span is held across an await");
            }
        });
    });
    assert_eq!(told.events_of("done").count(), 8);
    for event in told.events.iter().filter(|event| ["done", "body"].contains(&&*event.text)) {
        let request = &told.spans[event.path[0]];
        let length = request.fields["url"].rsplit('/').next().unwrap();
        assert_eq!(event.fields["bytes"], length, "{event:?}");
    }
}

/// A future that is dropped half-way leaves no span open.
#[cfg(feature = "async")]
#[test]
fn what_is_given_up_closes_its_spans() {
    let ear = Ear::alone();
    let server = RawServer::start(Script::new().stall());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = ear.listen(|| {
        runtime.block_on(async {
            let s = bequest::aio::Session::new();
            let url = server.url("/");
            let task = tokio::spawn(async move { s.get(url).send().await.map(drop) });
            while server.connections() == 0 {
                tokio::task::yield_now().await;
            }
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert!(listener::is_outside());
    });
    assert_eq!(told.events_of("done").count() + told.events_of("failed").count(), 0);
    assert!(told.spans.iter().any(|span| span.name == "connect"), "{told:?}");
}

/// `map` has many requests on the calling thread.
#[test]
fn requests_of_map_have_a_span_each() {
    let ear = Ear::alone();
    let server = Testbed::start();
    let s = bequest::Session::new();
    let told = ear.listen(|| {
        let requests = (0..5).map(|number| get(server.url(&format!("/bytes/{}", 50 + number))));
        let replies: Vec<_> = s.map(requests, 3).map(|reply| reply.unwrap()).collect();
        assert_eq!(replies.len(), 5);
    });
    for event in told.events_of("done") {
        assert!(event["bytes"].starts_with('5'), "{event:?}");
    }
    assert_eq!(told.spans.iter().filter(|span| span.name == "request").count(), 5);
    until("all are told", || told.events_of("done").count() == 5);
}

/// The thread that sends them is in no span of its own.
#[test]
fn spawned_requests_are_told_where_they_were_spawned() {
    let ear = Ear::alone();
    let (server, s) = (Testbed::start(), bequest::Session::new());
    let told = ear.listen(|| {
        let mine = tracing::info_span!(target: "bequest_user", "job");
        let spawned = mine.in_scope(|| s.spawn(s.get(server.url("/get"))));
        drop(mine);
        assert!(spawned.wait().unwrap().ok());
    });
    let done = told.events.iter().find(|event| event.text == "done").unwrap();
    assert_eq!(done.spans, ["job", "request"]);
}

/// A filter may leave the library's spans out: what the thread is in then is the caller's.
#[test]
fn a_span_of_the_callers_keeps_its_fields() {
    let ear = Ear::alone();
    let (server, s) = (Testbed::start(), bequest::Session::new());
    let told = ear.listen_without_spans(|| {
        let mine = tracing::info_span!(target: "bequest_user", "job", status = 7, error = 8);
        mine.in_scope(|| assert!(s.get(server.url("/get")).send().unwrap().ok()));
        mine.in_scope(|| s.get("http://127.0.0.1:1/").send().unwrap_err());
    });
    assert_eq!(told.spans.len(), 1, "{told:?}");
    let fields = &told.span("job").fields;
    assert_eq!((&*fields["status"], &*fields["error"]), ("7", "8"));
}
