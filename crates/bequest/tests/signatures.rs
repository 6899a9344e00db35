//! The signatures that the documentation promises: this file compiles, or one was changed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, Read};
use std::sync::Arc;
use std::time::Duration;

use bequest::{
    Adapter, Auth, Basic, Bearer, Body, BoxFuture, Bytes, Detector, Error, ErrorKind, Extensions,
    Headers, Hooks, HttpAdapter, IntoAuth, IntoUrl, IterContent, IterLines, Method, NoAuth, Params,
    Pending, PreparedRequest, Reader, Request, Response, Result, Round, SendOptions, Session,
    Settings, StandardDetector, StatusCode, Timeout, ToHeaderValue, Url, Verify, adapter_fn,
    auth_fn,
};

const URL: &str = "mock://host/path";

fn mocked() -> Session {
    let mut s = Session::new();
    s.mount("mock://", adapter_fn(|_, _| Response::builder().status(200).body("[1, 2]").build()));
    s
}

#[test]
fn types_can_be_shared_and_sent() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    fn cloned<T: Clone>() {}
    shared::<Session>();
    shared::<Response>();
    shared::<Pending>();
    shared::<PreparedRequest>();
    shared::<Request>();
    shared::<Error>();
    sent::<Reader<'static>>();
    cloned::<Session>();
    cloned::<Request>();
    cloned::<PreparedRequest>();
    cloned::<SendOptions>();
}

#[test]
fn session_fields_are_plain() {
    let s = mocked();
    let Session { headers, params, auth, hooks, verify, timeout, stream, max_content, .. } = s;
    let _: (Headers, Params, Option<Arc<dyn Auth>>, Hooks) = (headers, params, auth, hooks);
    let _: (Verify, Timeout, bool, Option<u64>) = (verify, timeout, stream, max_content);
}

#[test]
fn one_shot_functions_take_what_is_a_url() {
    fn all(url: impl IntoUrl + Clone) -> [Request<&'static Session>; 8] {
        [
            bequest::get(url.clone()),
            bequest::options(url.clone()),
            bequest::head(url.clone()),
            bequest::post(url.clone()),
            bequest::put(url.clone()),
            bequest::patch(url.clone()),
            bequest::delete(url.clone()),
            bequest::request("MKCOL", url),
        ]
    }
    let (text, url) = (URL.to_owned(), Url::parse(URL).unwrap());
    let uri: http::Uri = "http://host/path".parse().unwrap();
    for request in
        [all(URL), all(text.clone()), all(&text), all(url.clone()), all(&url), all(uri)].concat()
    {
        assert!(request.prepare().is_ok());
    }
}

#[test]
fn a_request_takes_its_arguments_in_many_forms() {
    let s = mocked();
    let request = || s.get(URL);
    let secs = Duration::from_secs_f64;
    let sent = [
        request().header("a", "text").header("b", String::new()).header("c", 5).header("d", b"x"),
        request().header("a", http::HeaderValue::from_static("x")).headers([("a", "b")]),
        request().headers(vec![("a", 1)]).headers(BTreeMap::from([("a", "b")])),
        request().headers(HashMap::from([("a", "b")])).headers(http::HeaderMap::new()),
        request().headers(&[("a", "b")][..]).without_header("accept").without_param("k"),
        request().params([("k", "v1"), ("k", "v2")]).params(BTreeMap::from([("a", 1)])),
        request().params("raw=text"),
        request().body("text"),
        request().body(String::new()),
        request().body(vec![1]),
        request().body(Bytes::new()),
        request().body(File::open("/dev/null").unwrap()),
        request().body(Body::chunks(["hi", "there"])),
        request().body(Body::reader(std::io::empty()).with_length(0)),
        request().form([("k", "v")]),
        request().json([1, 2]),
        request().auth(("user", "pass")).auth(Bearer::new("t")).auth(Basic::new("u", "p")),
        request().auth(NoAuth).auth(auth_fn(|_| Ok(()))).auth(Arc::new(NoAuth)),
        request().hook(Ok).hook(Response::error_for_status),
        request().timeout(secs(5.0)).timeout(Some(secs(5.0))).timeout(None),
        request().timeout((secs(3.05), secs(27.0))).timeout((secs(3.05), None)),
        request().timeout(Timeout::new().connect(secs(3.0)).read(None).total(secs(60.0))),
        request().verify(true).verify("/path").verify(String::new()).verify(Verify::Yes),
        request().stream(true).max_content(5).max_content(None).extension(5_u8),
    ];
    for request in sent {
        assert_eq!(request.send().unwrap().status(), 200);
    }
}

#[test]
fn prepared_requests_are_edited_and_sent() -> Result<()> {
    let s = mocked();
    let request = Request::new("POST", URL).form([("k", "v")]).header("h", "v");
    let _: PreparedRequest = request.clone().prepare()?;
    let mut prepped: PreparedRequest = s.prepare(request)?;
    prepped.body = "No, I want exactly this as the body.".into();
    prepped.headers.remove("Content-Type");
    prepped.headers.insert("Keep-Dead", "parrot");
    prepped.target = Some("/signed/../as%2etyped".into());
    prepped.method = Method::PUT;
    prepped.extensions.insert(1_u8);
    prepped.hooks.response.push(Ok);
    prepped.options = SendOptions::new();
    let _: &Extensions = &prepped.extensions;
    let _: Vec<u8> = prepped.wire_head()?;
    let timeout = Duration::from_secs(5);
    let options = SendOptions::new().stream(true).verify(Verify::Yes).timeout(timeout);
    let r: Response = s.send(prepped.clone(), options)?;
    assert_eq!(r.request().url.as_str(), URL);
    Ok(())
}

#[test]
fn responses_answer() -> Result<()> {
    let s = mocked();
    let mut r: Response = s.get(URL).send()?;
    let _: (StatusCode, &str, bool, &Url) = (r.status(), r.reason(), r.ok(), r.url());
    let _: (&Headers, Option<u64>, &[Response]) = (r.headers(), r.content_length(), r.history());
    let _: (Duration, Option<&Headers>, bequest::Version) =
        (r.elapsed(), r.trailers(), r.version());
    let _: (Option<std::net::SocketAddr>, &Extensions) = (r.remote_addr(), r.extensions());
    r.extensions_mut().insert(1_u8);
    let _: (Bytes, String) = (r.content()?, r.text()?);
    if r.encoding().is_none() {
        r.set_encoding("utf-8");
    }
    let _: (Option<Cow<'_, str>>, Option<&str>) = (r.encoding(), r.apparent_encoding()?);
    let _: String = r.text_with("latin1")?;
    r.set_encoding(None);
    let detector: Arc<dyn Detector> = Arc::new(StandardDetector);
    assert_eq!(detector.detect(b"").as_deref(), None);
    assert_eq!(r.json::<Vec<u8>>()?, [1, 2]);
    let _: (IterContent<'_>, IterContent<'_>) = (r.iter_content(1024), r.iter_content(None));
    let _: IterLines<'_> = r.iter_lines();
    let mut text = String::new();
    r.reader().read_to_string(&mut text)?;
    let owned: Reader<'static> = r.error_for_status()?.into_reader();
    assert_eq!(owned.lines().count(), 1);
    Ok(())
}

#[test]
fn spawned_requests_are_pending() {
    let mut s = Session::new();
    s.spawn_threads = 2;
    s.mount("mock://", adapter_fn(|_, _| Response::builder().body("hi").build()));
    let mut pending: Pending = s.spawn(s.get("mock://x"));
    let _: Option<Result<Response>> = pending.wait_timeout(Duration::from_secs(10));
    let _: (bool, Option<Result<Response>>) = (pending.is_done(), pending.try_wait());
    pending.cancel();
    assert!(pending.wait().is_err(), "it was taken");
    s.spawn(Request::new("GET", "mock://x")).detach();
}

#[test]
fn errors_tell() {
    let error = bequest::get("no scheme").send().unwrap_err();
    let _: (ErrorKind, Option<&Method>, Option<&Url>) = (error.kind(), error.method(), error.url());
    let _: (Option<&PreparedRequest>, Option<&Response>) = (error.request(), error.response());
    let _: (bool, bool) = (error.is_timeout(), error.is_connection());
    assert!(error.into_response().is_none());
    assert_eq!(Error::new(ErrorKind::Auth, "cause").kind(), ErrorKind::Auth);
    assert_eq!(Error::other("cause").kind(), ErrorKind::Other);
}

#[test]
fn plug_ins_have_these_shapes() {
    struct Mine;
    impl Auth for Mine {
        fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
            Ok(())
        }
        fn answer(&self, _: &Response, _: &mut PreparedRequest) -> Result<Round> {
            Ok(Round::Done)
        }
    }
    impl Adapter for Mine {
        fn send<'a>(
            &'a self,
            request: &'a mut PreparedRequest,
            settings: &'a Settings,
        ) -> BoxFuture<'a, Result<Response>> {
            let _: (bool, Timeout) = (settings.stream, settings.timeout);
            let response = Response::builder().url(request.url.clone()).build();
            Box::pin(async move { response })
        }
        fn close(&self) {}
    }
    struct Word;
    impl ToHeaderValue for Word {
        fn write_to(&self, buffer: &mut Vec<u8>) {
            buffer.extend_from_slice(b"word");
        }
    }
    let mut s = Session::new();
    let _: Arc<dyn Auth> = Mine.into_auth();
    s.set_auth(("user", "pass"));
    s.set_auth(Mine);
    s.mount("mock://", Mine);
    s.mount("https://", Arc::new(HttpAdapter::new().pool_connections(10).pool_maxsize(10)));
    s.hooks.response.push(Response::error_for_status);
    s.hooks.request.push(|request| {
        request.headers.insert("X-Sent-By", "us");
        Ok(())
    });
    let r = s.get(URL).header("w", Word).send().unwrap();
    assert_eq!(r.request().headers.get("w"), Some("word"));
    assert_eq!(r.request().headers.get("x-sent-by"), Some("us"));
}
