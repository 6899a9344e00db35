//! Forms with files: what is on the wire, what servers make of it, and what becomes of the parts when
//! sending fails or is done again.
#![cfg(feature = "multipart")]
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::time::Duration;

use bequest::{
    Auth, Body, Error, ErrorKind, Part, PreparedRequest, Request, Response, Result, Round,
    SendOptions, Timeout,
};
use serde_json::json;
#[cfg(feature = "http2")]
use support::http2_doors;
use support::{Door, doors, post, until};
use testbed::{Lab, RawServer, Script, Server, Testbed};

doors![
    the_bytes_on_the_wire,
    httpbin_reads_what_was_meant,
    parts_come_from_paths_bytes_and_readers,
    the_length_is_announced_where_it_is_known,
    files_are_read_from_where_they_stand,
    a_boundary_of_the_callers_is_honoured_or_refused,
    a_source_with_another_length_ends_the_request,
    files_are_sent_again_after_a_lost_connection,
    files_are_sent_again_in_each_round_of_an_auth,
    what_can_be_read_once_is_refused_the_second_time,
    a_refusal_in_the_middle_gives_the_parts_back,
    a_timeout_in_the_middle_gives_the_parts_back,
    bytes_can_be_sent_by_several_at_once,
    a_form_can_be_sent_within_another,
];

#[cfg(feature = "http2")]
http2_doors![
    the_bytes_on_the_wire,
    parts_come_from_paths_bytes_and_readers,
    files_are_read_from_where_they_stand,
    files_are_sent_again_in_each_round_of_an_auth,
    what_can_be_read_once_is_refused_the_second_time,
    bytes_can_be_sent_by_several_at_once,
    a_form_can_be_sent_within_another,
];

fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

/// With a boundary that is known.
fn form(url: &str) -> Request {
    post(url).header("Content-Type", "multipart/form-data; boundary=B")
}

fn head(name: &str, more: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n")
}

fn the_bytes_on_the_wire(door: Door) {
    let server = Testbed::start();
    let request = form(&server.url("/wire"))
        .files([(
            "images",
            Part::new(file(b"\0\r\n--\xff")).file_name("foo.png").mime("image/png"),
        )])
        .files([("images", Part::new(Body::reader(&b"2"[..])).header("X-A", "b").guess_mime())])
        .files([("a\"\r\n\\é", ("\"\r\n\\é", "3")), ("plain", ("", "4"))])
        .files([("note", Part::field("5").mime("text/plain"))])
        .form([("k", Some(vec!["v", "w"])), ("none", None), ("n", Some(vec!["1"]))]);
    let r = door.send(request).unwrap();
    let wire = r.content().unwrap();
    let at = wire.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let expected = [
        head("k", "").as_bytes(),
        b"v\r\n",
        head("k", "").as_bytes(),
        b"w\r\n",
        head("n", "").as_bytes(),
        b"1\r\n",
        head("images", "; filename=\"foo.png\"\r\nContent-Type: image/png").as_bytes(),
        b"\0\r\n--\xff\r\n",
        head("images", "; filename=\"images\"\r\nContent-Type: application/octet-stream\r\nX-A: b")
            .as_bytes(),
        b"2\r\n",
        head("a%22%0D%0A\\é", "; filename=\"%22%0D%0A\\é\"").as_bytes(),
        b"3\r\n",
        head("plain", "; filename=\"\"").as_bytes(),
        b"4\r\n",
        head("note", "\r\nContent-Type: text/plain").as_bytes(),
        b"5\r\n--B--\r\n",
    ]
    .concat();
    let (told, expected) = (wire[at..].escape_ascii(), expected.escape_ascii());
    assert_eq!(told.to_string(), expected.to_string());
}

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Httpbin])
}

fn httpbin_reads_what_was_meant(door: Door) {
    let mut s = door.session();
    *s.verify() = lab().ca_file().into();
    let binary: Vec<u8> = (0..=255).collect();
    for base in ["HTTPBIN_URL", "HTTPBIN_TLS_URL"] {
        let url = format!("{}/post", lab().var(base));
        let request = post(url)
            .form([("k", "v 1"), ("k", "é&"), ("empty", "")])
            .files([(
                "file",
                Part::new(file(b"<a>\r\n\r\n")).file_name("a.html").mime("text/html"),
            )])
            .files([("bytes", Part::new(binary.clone()).file_name("b").mime("x/y"))])
            .files([("ü \"q\"", "named by its field"), ("nothing", "")])
            .files([("late", Part::field("a field behind the files"))])
            .files([("sized", Part::new(Body::reader(&b"12345"[..]).with_length(5)))])
            .files([("reader", Part::new(Body::reader(&b"chunked"[..])))]);
        // gunicorn reads both framings.
        let r = s.send(request).unwrap();
        let told = r.json().unwrap();
        assert_eq!(
            told["form"],
            json!({"k": ["v 1", "é&"], "empty": "", "late": "a field behind the files"})
        );
        let encoded = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7\
                       PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3\
                       eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKz\
                       tLW2t7i5uru8vb6/wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v\
                       8PHy8/T19vf4+fr7/P3+/w==";
        assert_eq!(
            told["files"],
            json!({
                "file": "<a>\r\n\r\n",
                "bytes": format!("data:x/y;base64,{encoded}"),
                "ü \"q\"": "named by its field",
                "nothing": "",
                "sized": "12345",
                "reader": "chunked",
            })
        );
        assert_eq!(told["data"], "");
    }
}

fn parts_come_from_paths_bytes_and_readers(door: Door) {
    let server = Testbed::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv");
    std::fs::write(&path, "some,data\n").unwrap();
    let large = testbed::pattern(300_000);
    let r = door
        .send(
            form(&server.url("/wire"))
                .files([("path", Part::file(&path).unwrap().guess_mime())])
                .files([("bytes", large.clone())])
                .files([
                    ("one", Body::reader(&b"first"[..])),
                    ("two", Body::reader(&b"second"[..])),
                ])
                .files([("chunks", Part::new(Body::chunks(["a", "", "b"])))]),
        )
        .unwrap();
    let wire = r.content().unwrap();
    let named = |name: &str| format!("; filename=\"{name}\"");
    let expected = [
        head("path", &(named("report.csv") + "\r\nContent-Type: text/csv")).as_bytes(),
        b"some,data\n\r\n",
        head("bytes", &named("bytes")).as_bytes(),
        &large,
        b"\r\n",
        head("one", &named("one")).as_bytes(),
        b"first\r\n",
        head("two", &named("two")).as_bytes(),
        b"second\r\n",
        head("chunks", &named("chunks")).as_bytes(),
        b"ab\r\n--B--\r\n",
    ]
    .concat();
    assert!(wire.ends_with(&[b"\r\n\r\n", &expected[..]].concat()), "something else arrived");
}

fn the_length_is_announced_where_it_is_known(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let reader = || Body::reader(&b"12345"[..]);
    let large = "x".repeat(100_000);
    let forms: [(Part, bool); 6] = [
        ("text".into(), true),
        (large.into(), true),
        (file(b"in a file").into(), true),
        (reader().with_length(5).into(), true),
        (reader().into(), false),
        (Body::chunks(["12345"]).into(), false),
    ];
    for (at, (part, is_known)) in forms.into_iter().enumerate() {
        let request = form(&server.url("/sink")).files([("other", Part::new("x"))]);
        let r = s.send(request.files([("f", part)])).unwrap();
        let sent = server.requests().pop().unwrap();
        let length = sent.body_length.to_string();
        let announced = is_known.then_some(&*length);
        assert_eq!(sent.header("content-length"), announced, "form {at}");
        let coding = (!is_known).then_some("chunked");
        assert_eq!(sent.header("transfer-encoding"), coding, "form {at}");
        assert_eq!(r.json().unwrap()["length"], sent.body_length);
    }
    assert_eq!(server.connections(), 1);
}

fn files_are_read_from_where_they_stand(door: Door) {
    let server = Testbed::start();
    let mut file = file(b"skipped, sent");
    file.seek(SeekFrom::Start(9)).unwrap();
    let r = door.send(post(server.url("/post")).files([("f", file)])).unwrap();
    assert_eq!(r.json().unwrap()["files"], json!({"f": "sent"}));
}

fn a_boundary_of_the_callers_is_honoured_or_refused(door: Door) {
    let s = door.session();
    let url = format!("{}/post", lab().var("HTTPBIN_URL"));
    for (mime, told) in [
        ("multipart/form-data; boundary=own", "multipart/form-data; boundary=own"),
        ("multipart/form-data; boundary=\"own one\"", "multipart/form-data; boundary=\"own one\""),
        ("multipart/form-data; charset=utf-8", "multipart/form-data; charset=utf-8; boundary="),
    ] {
        let request = post(&url).header("Content-Type", mime);
        let r = s.send(request.files([("f", "x")]).form([("k", "v")])).unwrap();
        let answer = r.json().unwrap();
        assert_eq!((&answer["files"], &answer["form"]), (&json!({"f": "x"}), &json!({"k": "v"})));
        let seen = answer["headers"]["Content-Type"].as_str().unwrap();
        assert!(seen.starts_with(told), "{seen}");
    }
    let server = Testbed::start();
    for (mime, kind) in [
        ("multipart/form-data; boundary=a b", ErrorKind::InvalidRequest),
        ("multipart/form-data; boundary=a; boundary=b", ErrorKind::InvalidRequest),
        ("multipart/form-data; boundary=\"a\\\\b\"", ErrorKind::InvalidHeader),
        ("application/octet-stream", ErrorKind::InvalidRequest),
        ("multipart/form-data; boundary=in-it", ErrorKind::InvalidRequest),
    ] {
        let request = post(server.url("/post")).header("Content-Type", mime);
        let error = s.send(request.files([("f", "\r\n--in-it--")])).unwrap_err();
        assert_eq!(error.kind(), kind, "{mime}: {error}");
        assert!(error.remedy().is_some(), "{error}");
    }
    assert_eq!(server.connections(), 0);
    // What is streamed is known while it is sent only.
    let request = post(server.url("/post")).header("Content-Type", "multipart/mixed; boundary=b");
    let error = s.send(request.files([("f", file(b"x\r\n--b"))])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

fn a_source_with_another_length_ends_the_request(door: Door) {
    let reader = |length| Body::reader(&b"12345"[..]).with_length(length);
    let mut shrinks = file(b"123456");
    let shrinking: Part = shrinks.try_clone().unwrap().into();
    shrinks.set_len(2).unwrap();
    let mut grows = file(b"123456");
    let growing: Part = grows.try_clone().unwrap().into();
    grows.seek(SeekFrom::End(0)).unwrap();
    grows.write_all(b"7").unwrap();
    grows.rewind().unwrap();
    shrinks.rewind().unwrap();
    for (part, told) in [
        (reader(6).into(), "the source of the part `f` ended after 5 of the 6 bytes announced"),
        (
            Body::chunks(["12345"]).with_length(4).into(),
            "the source of the part `f` gives more than the 4 bytes announced",
        ),
        (shrinking, "the source of the part `f` ended after 2 of the 6 bytes announced"),
        (growing, "the source of the part `f` gives more than the 6 bytes announced"),
    ] {
        let server = Testbed::start();
        let s = door.session();
        let request = post(server.url("/post")).files([("f", part), ("behind", "x".into())]);
        let error = s.send(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LengthMismatch);
        assert!(error.to_string().contains(told), "{error}");
        // The server can't take it for whole, and the connection is not used again.
        until("it is closed", || server.requests().len() == 1 && server.open_connections() == 0);
        let sent = server.requests().pop().unwrap();
        let announced: u64 = sent.header("content-length").unwrap().parse().unwrap();
        assert!(sent.body_length < announced, "{} of {announced}", sent.body_length);
    }
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Lost in the middle of the second file, on a connection that was kept.
fn files_are_sent_again_after_a_lost_connection(door: Door) {
    let content = testbed::pattern(200_000);
    let request = |url: &str, second: Part| {
        let files = [("a", Part::new(file(b"first"))), ("b", second), ("c", "last".into())];
        Request::new("PUT", url)
            .header("Content-Type", "multipart/form-data; boundary=B")
            .files(files)
    };
    let length = request("http://h/", file(&content).into()).prepare().unwrap().body.len().unwrap();
    let length = usize::try_from(length).unwrap();
    let lost = || {
        let first = Script::new().read_head().send(answer("first"));
        first.read_head().read_body(length / 2).reset()
    };
    let again = Script::new().read_head().read_body(length).send(answer("again")).wait_close();
    let server = RawServer::sequence(vec![lost(), again]);
    let s = door.session();
    s.send(support::get(server.url("/"))).unwrap();
    let r = s.send(request(&server.url("/"), file(&content).into())).unwrap();
    assert_eq!(r.text().unwrap(), "again");
    let received = server.received(1);
    let named = |name: &str| head(name, &format!("; filename=\"{name}\""));
    let expected = [
        named("a").as_bytes(),
        b"first\r\n",
        named("b").as_bytes(),
        &content,
        b"\r\n",
        named("c").as_bytes(),
        b"last\r\n--B--\r\n",
    ]
    .concat();
    assert!(received.ends_with(&expected), "not the same again");

    let server = RawServer::sequence(vec![lost(), Script::respond(answer("again"))]);
    let s = door.session();
    s.send(support::get(server.url("/"))).unwrap();
    let once = Body::reader(std::io::Cursor::new(content)).with_length(200_000);
    let error = s.send(request(&server.url("/"), once.into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert_eq!(server.connections(), 1, "what can be read only once is not sent again");
}

/// Sends the same request once more.
struct Once;

#[derive(Clone)]
struct Done;

impl Auth for Once {
    fn apply(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }

    fn answer(&self, _: &Response, request: &mut PreparedRequest) -> Result<Round> {
        let is_done = request.extensions.insert(Done).is_some();
        Ok(if is_done { Round::Done } else { Round::Again })
    }
}

fn files_are_sent_again_in_each_round_of_an_auth(door: Door) {
    let server = Testbed::start();
    let content = "x".repeat(100_000);
    let files = [
        ("file", Part::new(file(b"in a file"))),
        ("large", content.clone().into()),
        ("shared", Body::from(file(b"shared")).into()),
    ];
    let request = post(server.url("/post")).files(files).form([("k", "v")]).auth(Once);
    let r = door.send(request).unwrap();
    let first: serde_json::Value =
        serde_json::from_slice(&r.history()[0].content().unwrap()).unwrap();
    for told in [first, r.json().unwrap()] {
        let expected = json!({"file": "in a file", "large": content, "shared": "shared"});
        assert!(told["files"] == expected, "not the same files");
        assert_eq!(told["form"], json!({"k": "v"}));
    }
}

fn what_can_be_read_once_is_refused_the_second_time(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let request = post(server.url("/post")).files([("f", Body::reader(&b"once"[..]))]);
    let error = s.send(request.auth(Once)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
    assert!(error.remedy().is_some(), "{error}");

    let part = Part::new(Body::reader(&b"once"[..]));
    let prepared = s.prepare(post(server.url("/post")).files([("f", part.clone())])).unwrap();
    s.send_prepared(prepared.clone(), SendOptions::new()).unwrap();
    let before = server.requests().len();
    let again = s.send_prepared(prepared, SendOptions::new()).unwrap_err();
    let elsewhere = s.send(post(server.url("/post")).files([("g", part)])).unwrap_err();
    let shared = Body::reader(&b"once"[..]);
    let twice = s.send(post(server.url("/post")).files([("a", shared.clone()), ("b", shared)]));
    for error in [again, elsewhere, twice.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
    }
    assert_eq!(server.requests().len(), before, "nothing of it was sent");
}

/// Sent to a server that does not take all of it; then the same part to one that does.
fn given_back(door: Door, server: &RawServer, options: SendOptions) -> Result<u16, Error> {
    let s = door.session();
    // More than sockets hold.
    let file = tempfile::tempfile().unwrap();
    file.set_len(64 << 20).unwrap();
    let prepared = s.prepare(post(server.url("/")).files([("f", Part::new(file))])).unwrap();
    let sent = s.send_prepared(prepared.clone(), options);
    let good = Testbed::start();
    let mut again = prepared;
    again.url = good.url("/sink").parse().unwrap();
    let length = again.body.len();
    let r = s.send_prepared(again, SendOptions::new()).unwrap();
    assert_eq!(r.json().unwrap()["length"].as_u64(), length);
    sent.map(|r| r.status().as_u16())
}

fn a_refusal_in_the_middle_gives_the_parts_back(door: Door) {
    let refusal = "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n";
    let script = Script::new().read_head().read_body(100_000).send(refusal).stall();
    let server = RawServer::start(script);
    assert_eq!(given_back(door, &server, SendOptions::new()).unwrap(), 413);
}

fn a_timeout_in_the_middle_gives_the_parts_back(door: Door) {
    let server = RawServer::start(Script::new().read_head().stall());
    let timeout = Timeout::new().write(Duration::from_millis(50));
    let options = SendOptions::new().timeout(timeout);
    let error = given_back(door, &server, options).unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

fn bytes_can_be_sent_by_several_at_once(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let files = [("f", Part::new("x".repeat(100_000)))];
    let prepared = s.prepare(post(server.url("/sink")).files(files)).unwrap();
    let length = prepared.body.len();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let r = s.send_prepared(prepared.clone(), SendOptions::new()).unwrap();
                assert_eq!(r.json().unwrap()["length"].as_u64(), length);
            });
        }
    });
}

fn a_form_can_be_sent_within_another(door: Door) {
    let server = Testbed::start();
    let inner = Request::new("POST", "http://h/").files([("in", file(b"in a file"))]);
    let inner = inner.prepare().unwrap();
    let mime = inner.headers.get("content-type").unwrap().replace("form-data", "mixed");
    let part = Part::new(inner.body).mime(mime);
    let r = door.send(form(&server.url("/wire")).files([("out", part)])).unwrap();
    let text = r.text().unwrap();
    assert!(text.contains("Content-Type: multipart/mixed; boundary="), "{text}");
    assert!(text.contains("\r\n\r\nin a file\r\n--"), "{text}");
    assert!(text.ends_with("--\r\n\r\n--B--\r\n"), "{text}");
}
