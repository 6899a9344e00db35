//! Hooks, auth and adapters: what a program adds of its own.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bequest::{
    Adapter, Auth, BoxFuture, Error, ErrorKind, HttpAdapter, PreparedRequest, Response, Result,
    SendOptions, Settings, adapter_fn,
};
use support::{Door, doors, get, post};
use testbed::{RawServer, Script, Testbed};

doors![
    the_sessions_hooks_run_first,
    a_hook_may_replace_the_response,
    a_hook_may_fail_the_request,
    a_status_may_be_made_an_error,
    a_hook_finds_the_body_unless_it_is_streamed,
    a_hook_may_send_requests_of_its_own,
    a_request_hook_edits_what_is_sent,
    a_request_hook_may_refuse,
    #[cfg(feature = "async")]
    hooks_may_await,
    hooks_come_along_with_a_prepared_request,
    an_adapter_may_be_a_function,
    an_adapter_may_wrap_another,
    the_longest_prefix_wins,
    an_adapters_error_carries_the_request,
    an_adapter_gets_settings_merged,
    close_reaches_every_adapter,
    extensions_travel_along,
    errors_carry_what_there_was,
];

/// What was called, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A response hook that says it was called.
    fn hook(
        &self,
        name: &'static str,
    ) -> impl Fn(Response) -> Result<Response> + Send + Sync + 'static {
        let log = self.clone();
        move |response| {
            log.add(name);
            Ok(response)
        }
    }

    fn request_hook(
        &self,
        name: &'static str,
    ) -> impl Fn(&mut PreparedRequest) -> Result<()> + Send + Sync + 'static {
        let log = self.clone();
        move |_| {
            log.add(name);
            Ok(())
        }
    }
}

fn the_sessions_hooks_run_first(door: Door) {
    let server = Testbed::start();
    let log = Log::default();
    let mut s = door.session();
    s.hooks().response.push(log.hook("session 1"));
    s.hooks().response.push(log.hook("session 2"));
    s.hooks().request.push(log.request_hook("request 1"));
    s.hooks().request.push(log.request_hook("request 2"));
    let request = get(server.url("/get")).hook(log.hook("own 1")).hook(log.hook("own 2"));
    for _ in 0..2 {
        s.send(request.clone()).unwrap();
        let expected = ["request 1", "request 2", "session 1", "session 2", "own 1", "own 2"];
        assert_eq!(log.take(), expected);
    }
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(log.take(), ["request 1", "request 2", "session 1", "session 2"]);
    s.hooks().response.clear();
    s.hooks().request.clear();
    s.send(request).unwrap();
    assert_eq!(log.take(), ["own 1", "own 2"]);
}

fn a_hook_may_replace_the_response(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.hooks().response.push(|r| Response::builder().status(202).body(r.text()? + "!").build());
    let r = s
        .send(get(server.url("/robots.txt")).hook(|r| {
            assert_eq!(r.status(), 202, "the one before replaced it");
            Response::builder().status(203).body(r.text()?.to_uppercase()).build()
        }))
        .unwrap();
    assert_eq!(r.status(), 203);
    assert_eq!(r.text().unwrap(), "USER-AGENT: *\nDISALLOW: /DENY\n!");
}

fn a_hook_may_fail_the_request(door: Door) {
    let server = Testbed::start();
    let log = Log::default();
    let mut s = door.session();
    s.hooks().response.push(|_| Err(Error::other("not with me")));
    let error = s.send(get(server.url("/get")).hook(log.hook("later"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    let url = server.url("/get");
    assert_eq!(error.to_string(), format!("GET {url}: not with me"));
    assert_eq!(error.method().unwrap(), "GET");
    assert_eq!(error.url().unwrap().as_str(), url);
    assert!(log.take().is_empty(), "what follows an error is not called");
    assert_eq!(server.requests().len(), 1);
}

fn a_status_may_be_made_an_error(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.hooks().response.push(Response::error_for_status);
    assert_eq!(s.send(get(server.url("/get"))).unwrap().status(), 200);
    let url = server.url("/status/418");
    let error = s.send(get(&url)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HttpStatus);
    assert_eq!(error.to_string(), format!("418 Client Error: I'm a teapot for url: {url}"));
    let response = error.into_response().unwrap();
    assert_eq!(response.content().unwrap(), "I'm a teapot\n");
    assert_eq!(response.request().url.as_str(), url);
}

fn a_hook_finds_the_body_unless_it_is_streamed(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let url = server.url("/big/100000");
    let r = s.send(get(&url).hook(|r| {
        assert_eq!(r.content()?.len(), 100_000);
        assert!(r.request().headers.contains("user-agent"));
        Ok(r)
    }));
    assert_eq!(r.unwrap().content().unwrap().len(), 100_000);
    let r = s.send(get(&url).stream(true).hook(|r| {
        assert_eq!(r.content_length(), Some(100_000));
        Ok(r)
    }));
    assert_eq!(r.unwrap().content().unwrap().len(), 100_000);
    assert_eq!(server.connections(), 1);
}

fn a_hook_may_send_requests_of_its_own(door: Door) {
    let server = Testbed::start();
    let s = bequest::Session::new();
    let inner = s.clone();
    let url = server.url("/get?inner");
    let hook = move |r: Response| {
        let nested = inner.get(&url).send()?;
        assert_eq!(nested.status(), 200);
        Ok(r)
    };
    // A blocking session may be used anywhere, also in a hook of the async one; here on the very
    // session whose hook it is.
    let r = match door {
        Door::Blocking => s.get(server.url("/get?outer")).hook(hook).send().unwrap(),
        #[cfg(feature = "async")]
        Door::Aio => door.send(get(server.url("/get?outer")).hook(hook)).unwrap().into_response(),
    };
    assert_eq!(r.url().query(), Some("outer"));
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/get?outer", "/get?inner"]);
}

fn a_request_hook_edits_what_is_sent(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    let url = server.url("/post");
    s.hooks().request.push(|request| {
        request.headers.insert("X-Sent-By", "us");
        request.headers.remove("accept");
        request.url.set_query(Some("edited"));
        request.body = "edited, too".into();
        request.method = "POST".parse().unwrap();
        Ok(())
    });
    s.set_auth(("user", "pass"));
    s.hooks().request.push(|request| {
        let authorization = request.headers.get("authorization");
        assert_eq!(authorization, Some("Basic dXNlcjpwYXNz"), "the auth was before");
        Ok(())
    });
    let r = s.send(get(&url)).unwrap();
    assert_eq!(r.json().unwrap()["data"], "edited, too");
    let sent = server.requests().pop().unwrap();
    assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/post?edited"));
    assert_eq!(sent.header("x-sent-by"), Some("us"));
    assert_eq!(sent.header("accept"), None);
    assert_eq!(r.request().headers.get("x-sent-by"), Some("us"));
    assert_eq!(r.url().query(), Some("edited"));
}

fn a_request_hook_may_refuse(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    let log = Log::default();
    s.hooks().request.push(|_| Err(Error::new(ErrorKind::Cancelled, "not today")));
    s.hooks().request.push(log.request_hook("later"));
    s.hooks().response.push(log.hook("response"));
    let error = s.send(get(server.url("/get"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.to_string(), format!("GET {}: not today", server.url("/get")));
    assert_eq!(error.request().unwrap().url.as_str(), server.url("/get"));
    assert!(log.take().is_empty());
    assert_eq!(server.connections(), 0);
}

fn hooks_come_along_with_a_prepared_request(door: Door) {
    let server = Testbed::start();
    let log = Log::default();
    let mut s = door.session();
    s.hooks().response.push(log.hook("session"));
    let mut prepared = s.prepare(get(server.url("/get")).hook(log.hook("own"))).unwrap();
    assert_eq!(prepared.hooks.response.len(), 2);
    s.hooks().response.push(log.hook("too late"));
    s.send_prepared(prepared.clone(), SendOptions::new()).unwrap();
    assert_eq!(log.take(), ["session", "own"]);
    prepared.hooks.response.clear();
    prepared.hooks.response.push(log.hook("edited"));
    s.send_prepared(prepared, SendOptions::new()).unwrap();
    assert_eq!(log.take(), ["edited"]);
}

fn an_adapter_may_be_a_function(door: Door) {
    let mut s = door.session();
    s.mount(
        "mock://",
        adapter_fn(|request, _| {
            Response::builder()
                .status(201)
                .reason("Made Up")
                .header("X-Method", request.method.as_str())
                .header("X-Body", request.body.as_bytes().unwrap_or_default())
                .body(request.url.path())
                .build()
        }),
    );
    let r = s.send(post("mock://host/here?x").body("b")).unwrap();
    assert_eq!((r.status().as_u16(), r.reason()), (201, "Made Up"));
    assert_eq!(r.text().unwrap(), "/here");
    assert_eq!(r.headers().get("x-method"), Some("POST"));
    assert_eq!(r.headers().get("x-body"), Some("b"));
    assert_eq!(r.url().as_str(), "mock://host/here?x");
    assert_eq!(r.remote_addr(), None);
    assert!(r.request().headers.contains("user-agent"));
    let body = || bequest::Body::chunks(["a", "b", "c"]);
    s.mount("mock://", adapter_fn(move |_, _| Response::builder().body(body()).build()));
    assert_eq!(s.send(get("mock://x")).unwrap().text().unwrap(), "abc", "the last one mounted");
    let r = s.send(get("mock://x").stream(true)).unwrap();
    assert_eq!(r.content().unwrap(), "abc");
    let error = s.send(get("mock://x").max_content(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

/// Marks what it passes on.
struct Marked(HttpAdapter);

impl Adapter for Marked {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            request.headers.insert("X-Via", "Marked");
            let mut response = self.0.send(request, settings).await?;
            response.extensions_mut().insert("marked");
            Ok(response)
        })
    }
}

fn an_adapter_may_wrap_another(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.mount(&server.url("/headers"), Marked(HttpAdapter::new()));
    for _ in 0..2 {
        let r = s.send(get(server.url("/headers"))).unwrap();
        assert_eq!(r.extensions().get::<&str>(), Some(&"marked"));
        assert_eq!(r.request().headers.get("x-via"), Some("Marked"));
        assert_eq!(server.requests().pop().unwrap().header("x-via"), Some("Marked"));
    }
    assert_eq!(server.connections(), 1);
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.requests().pop().unwrap().header("x-via"), None);
    assert_eq!(server.connections(), 2, "another adapter, another pool");
}

fn the_longest_prefix_wins(door: Door) {
    let mut s = door.session();
    for prefix in ["http://a.example/", "http://a.example/deep/", "HTTP://A.example/Deep/er", "x:"]
    {
        s.mount(prefix, adapter_fn(move |_, _| Response::builder().body(prefix).build()));
    }
    let old = s.clone();
    s.mount("http://", adapter_fn(|_, _| Response::builder().body("rest").build()));
    for (url, expected) in [
        ("http://a.example/", "http://a.example/"),
        ("http://A.EXAMPLE/x", "http://a.example/"),
        ("http://a.example/deep/x", "http://a.example/deep/"),
        ("http://a.example/deep/er", "HTTP://A.example/Deep/er"),
        ("http://a.example/DEEP/ERA", "HTTP://A.example/Deep/er"),
        ("http://a.example.evil/", "rest"),
        ("http://b.example/", "rest"),
        ("x:y", "x:"),
    ] {
        assert_eq!(s.send(get(url)).unwrap().text().unwrap(), expected, "{url}");
    }
    // Clones that were made before are as they were.
    let server = Testbed::start();
    assert_eq!(old.send(get(server.url("/status/418"))).unwrap().status(), 418);
    assert_eq!(old.send(get("x:y")).unwrap().text().unwrap(), "x:");
}

fn an_adapters_error_carries_the_request(door: Door) {
    let mut s = door.session();
    s.mount("mock://", adapter_fn(|_, _| Err(Error::new(ErrorKind::Connect, "out of order"))));
    let error = s.send(get("mock://user:secret@host/x").header("a", "b")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.to_string(), "GET mock://host/x: out of order");
    assert_eq!(error.request().unwrap().headers.get("A"), Some("b"));
    assert!(error.response().is_none());
    assert!(error.is_connection());
    let error = s.send(get("mock://x").hook(|_| panic!("there is no response"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    s.mount("mock://", adapter_fn(|_, _| Response::builder().status(99).build()));
    assert_eq!(s.send(get("mock://x")).unwrap_err().kind(), ErrorKind::InvalidResponse);
}

fn an_adapter_gets_settings_merged(door: Door) {
    let seen = Arc::new(Mutex::new(None));
    let mut s = door.session();
    let keep = Arc::clone(&seen);
    s.mount(
        "mock://",
        adapter_fn(move |_, settings| {
            *keep.lock().unwrap() = Some(settings.clone());
            Response::builder().build()
        }),
    );
    let secs = std::time::Duration::from_secs;
    *s.timeout() = (secs(3), secs(27)).into();
    *s.max_content() = Some(7);
    let timeout = bequest::Timeout::new().read(secs(1)).total(secs(9));
    s.send(get("mock://x").timeout(timeout).verify(false).stream(true)).unwrap();
    let settings = seen.lock().unwrap().take().unwrap();
    assert_eq!(settings.timeout.connect_limit(), Some(secs(3)));
    assert_eq!(settings.timeout.read_limit(), Some(secs(1)));
    assert_eq!(settings.verify, bequest::Verify::No);
    assert_eq!((settings.stream, settings.max_content), (true, Some(7)));
    assert!(settings.deadline.is_some());
}

#[derive(Clone, Default)]
struct Closing(Arc<AtomicUsize>);

impl Adapter for Closing {
    fn send<'a>(
        &'a self,
        _: &'a mut PreparedRequest,
        _: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async { Response::builder().build() })
    }

    fn close(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn close_reaches_every_adapter(door: Door) {
    let (one, two) = (Closing::default(), Closing::default());
    let mut s = door.session();
    s.mount("one://", one.clone());
    s.mount("two://", Arc::new(two.clone()));
    s.close();
    assert_eq!((one.0.load(Ordering::Relaxed), two.0.load(Ordering::Relaxed)), (1, 1));
    assert_eq!(s.send(get("one://x")).unwrap().status(), 200);
}

#[derive(Clone, Debug, PartialEq)]
struct Mark(u32);

struct Remembering;

impl Auth for Remembering {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        let Mark(mark) = request.extensions.get::<Mark>().cloned().unwrap();
        request.extensions.insert(Mark(mark + 1));
        Ok(())
    }
}

fn extensions_travel_along(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let request = get(server.url("/get")).extension(Mark(1)).auth(Remembering).hook(|mut r| {
        let mark = r.request().extensions.get::<Mark>().cloned().unwrap();
        r.extensions_mut().insert(mark.0);
        Ok(r)
    });
    let r = s.send(request).unwrap();
    assert_eq!(r.extensions().get::<u32>(), Some(&2));
    assert_eq!(r.extensions().get::<Mark>(), None);
    assert_eq!(r.request().extensions.get(), Some(&Mark(2)));
}

fn errors_carry_what_there_was(door: Door) {
    let s = door.session();
    // Nothing was sent: the request as it was.
    let error = s.send(get("ftp://host/x").header("a", "b")).unwrap_err();
    assert_eq!(error.request().unwrap().headers.get("a"), Some("b"));
    assert!(error.response().is_none());
    // The answer was cut short: the fields that went out.
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    let server = RawServer::start(Script::new().read_head().send(cut));
    let error = s.send(post(server.url("/"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompleteBody);
    let sent = error.request().unwrap();
    assert_eq!(sent.headers.get("host"), Some(&*server.addr().to_string()));
    assert_eq!(sent.headers.get("content-length"), Some("0"));
    let server = RawServer::start(Script::new().read_head().send("nonsense\r\n\r\n"));
    let error = s.send(get(server.url("/"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert_eq!(error.request().unwrap().headers.get("host"), Some(&*server.addr().to_string()));
}

/// Hooks that await run in both doors, in their place among the others.
#[cfg(feature = "async")]
fn hooks_may_await(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.hooks().request.push_async(|request| {
        Box::pin(async move {
            std::future::ready(()).await;
            request.headers.insert("X-Hook", "awaited");
            Ok(())
        })
    });
    s.hooks().response.push_async(|mut response: Response| async move {
        std::future::ready(()).await;
        response.extensions_mut().insert(1_u8);
        Ok(response)
    });
    s.hooks().response.push(|mut response| {
        assert_eq!(response.extensions_mut().insert(2_u8), Some(1), "the one before ran before");
        Ok(response)
    });
    let r = s.send(get(server.url("/get"))).unwrap();
    assert_eq!(r.request().headers.get("x-hook"), Some("awaited"));
    assert_eq!(r.extensions().get::<u8>(), Some(&2));
}
