use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use serde_json::{Value, json};

use crate::client::{Client, Response};
use crate::{Testbed, pattern};

fn get(target: &str) -> Response {
    request("GET", target, &[])
}

fn request(method: &str, target: &str, headers: &[&str]) -> Response {
    let testbed = Testbed::start();
    Client::connect(testbed.addr()).request(method, target, headers)
}

#[test]
fn wire_shows_the_head_byte_for_byte() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let head = b"REPORT /wire?a=%20b HTTP/1.1\r\nhOsT: x\r\nX-Two:  2 \r\nx-one: caf\xe9\r\n\
        X-TWO: again\r\nContent-Length: 4\r\n\r\n";
    for body in [b"\r\n\r\n", b"\xff\x00ab"] {
        let sent = [&head[..], body].concat();
        client.write(&sent);
        let response = client.response(false);
        assert_eq!(response.header("content-type"), Some("text/plain; charset=iso-8859-1"));
        assert_eq!(response.body, sent);
    }
}

#[test]
fn wire_takes_chunked_bodies_apart() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let head = "POST /wire HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n";
    client.write(format!("{head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
    assert_eq!(client.response(false).text(), format!("{head}abcde"));
    assert_eq!(client.get("/wire").text(), "GET /wire HTTP/1.1\r\nHost: test\r\n\r\n");
}

#[test]
fn get_echoes_the_request() {
    let echo = request("GET", "/get?a=1&b=x+y&a=2", &["X-Some: 1", "x-some: 2", "B: c"]).json();
    let expected = json!({
        "args": { "a": ["1", "2"], "b": "x y" },
        "headers": { "Host": "test", "X-Some": "1,2", "B": "c" },
        "origin": "127.0.0.1",
        "url": "http://test/get?a=1&b=x+y&a=2",
    });
    assert_eq!(echo, expected);
}

#[test]
fn bodies_are_shown_by_their_type() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let echo = client.send("POST", "/post", form, "a=1&a=2&b=%C3%A9").json();
    assert_eq!(echo["form"], json!({ "a": ["1", "2"], "b": "é" }));
    assert_eq!((&echo["data"], &echo["json"]), (&json!(""), &Value::Null));

    let echo = client.send("PUT", "/put", "application/json", r#"{"a": [1]}"#).json();
    assert_eq!((&echo["data"], &echo["json"]), (&json!(r#"{"a": [1]}"#), &json!({ "a": [1] })));

    let echo = client.send("PATCH", "/patch", "image/x", b"\xff").json();
    assert_eq!(echo["data"], "data:application/octet-stream;base64,/w==");

    let multipart = "--B\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n--B\r\n\
        Content-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\nfile\r\n--B--\r\n";
    let echo =
        client.send("DELETE", "/delete", "multipart/form-data; boundary=B", multipart).json();
    assert_eq!((&echo["form"], &echo["files"]), (&json!({ "k": "v" }), &json!({ "f": "file" })));
    assert_eq!(testbed.connections(), 1);
}

#[test]
fn methods_are_held_to() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let refused = client.request("PUT", "/post", &["Content-Length: 0"]);
    assert_eq!((refused.status, refused.header("allow")), (405, Some("POST, HEAD, OPTIONS")));
    assert_eq!(client.request("OPTIONS", "/get", &[]).status, 200);
    assert_eq!(client.request("MKCOL", "/anything/a/b", &[]).json()["method"], "MKCOL");
    let missing = client.get("/nowhere");
    assert_eq!((missing.status, missing.json()["error"].is_string()), (404, true));
}

#[test]
fn head_works_everywhere_and_sends_no_body() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    for target in ["/get", "/post", "/bytes/9?seed=1", "/big/9", "/stream/3", "/wire", "/sink"] {
        assert_eq!(client.request("HEAD", target, &[]).status, 200, "{target}");
    }
    let length = client.request("HEAD", "/big/1000000000000", &[]);
    assert_eq!(length.header("content-length"), Some("1000000000000"));
    assert_eq!(client.get("/connection").json()["requests"], 9);
}

#[test]
fn absolute_targets_are_taken_as_a_proxy_does() {
    let echo = get("http://example.com/get?a=b").json();
    assert_eq!(echo["url"], "http://example.com/get?a=b");
    assert_eq!(echo["args"], json!({ "a": "b" }));
}

#[test]
fn small_echoes() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    assert_eq!(client.get("/headers").json(), json!({ "headers": { "Host": "test" } }));
    assert_eq!(client.get("/ip").json(), json!({ "origin": "127.0.0.1" }));
    let agent = client.request("GET", "/user-agent", &["user-agent: me"]).json();
    assert_eq!(agent, json!({ "user-agent": "me" }));
    assert_ne!(client.get("/uuid").json(), client.get("/uuid").json());
}

#[test]
fn status_codes() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    for code in [200, 204, 304, 404, 418, 503] {
        assert_eq!(client.request("PATCH", &format!("/status/{code}"), &[]).status, code);
    }
    assert_eq!(client.get("/status/302").header("location"), Some("/redirect/1"));
    assert!([201, 202].contains(&client.get("/status/201,202").status));
}

#[test]
fn lengths_and_streams() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let bytes = client.get("/bytes/1000?seed=5");
    assert_eq!((bytes.body.len(), bytes.header("content-length")), (1000, Some("1000")));
    let streamed = client.get("/stream-bytes/1000?seed=5&chunk_size=300");
    assert_eq!(streamed.header("transfer-encoding"), Some("chunked"));
    assert_eq!(streamed.body, bytes.body);
    let lines = client.get("/stream/3?a=b").text();
    let lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[2]["id"], &lines[0]["args"]["a"]), (3, &json!(2), &json!("b")));
    client.write("GET /stream-bytes/25?chunk_size=10 HTTP/1.1\r\nHost: test\r\n\r\n");
    client.head();
    let sizes: Vec<_> = client.chunks().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 5]);
}

#[test]
fn large_bodies_follow_the_pattern() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let sized = client.get("/big/200000");
    assert_eq!(sized.header("content-length"), Some("200000"));
    assert!(sized.body == pattern(200_000));
    let chunked = client.get("/big-chunked/200000");
    assert_eq!(chunked.header("transfer-encoding"), Some("chunked"));
    assert!(chunked.body == sized.body);
    assert_eq!(client.get("/big-chunked/0").body, b"");
}

#[test]
fn times_are_kept() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let start = Instant::now();
    assert_eq!(client.get("/delay/0.03?a=b").json()["args"]["a"], "b");
    assert!(start.elapsed() >= Duration::from_millis(30));
    let start = Instant::now();
    let drip = client.get("/drip?duration=0.02&numbytes=5&delay=0.02&code=203");
    assert_eq!((drip.status, drip.body.as_slice()), (203, &b"*****"[..]));
    assert!(start.elapsed() >= Duration::from_millis(36));
    assert_eq!(client.get("/delay/-1").status, 400);
}

#[test]
fn documents_and_codings() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    assert!(client.get("/json").json()["slideshow"]["slides"].is_array());
    assert!(client.get("/html").text().contains("<h1>"));
    assert!(client.get("/xml").text().starts_with("<?xml"));
    assert!(client.get("/robots.txt").text().contains("Disallow"));
    assert!(client.get("/encoding/utf8").text().contains("∀x ∈ ℝ"));
    assert!(client.get("/image/png").body.starts_with(b"\x89PNG"));
    assert!(client.get("/links/3/1").text().contains("1 <a href='/links/3/2'>2</a>"));

    let gzip = client.get("/gzip");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let read = |mut decoder: Box<dyn std::io::Read + '_>| {
        let mut text = String::new();
        decoder.read_to_string(&mut text).expect("compressed text");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    assert_eq!(read(Box::new(GzDecoder::new(&*gzip.body)))["gzipped"], true);
    let zlib = client.get("/deflate").body;
    assert_eq!(read(Box::new(ZlibDecoder::new(&*zlib)))["deflated"], true);
    let raw = client.get("/deflate?format=raw").body;
    assert_eq!(read(Box::new(DeflateDecoder::new(&*raw)))["method"], "GET");

    // Both are stored, so that what is in them can be seen.
    for (path, coding, flag, start) in [
        ("/brotli", "br", "\"brotli\": true", None),
        ("/zstd", "zstd", "\"zstd\": true", Some(&[0x28, 0xb5, 0x2f, 0xfd][..])),
    ] {
        let reply = client.get(path);
        assert_eq!(reply.header("content-encoding"), Some(coding));
        assert!(String::from_utf8_lossy(&reply.body).contains(flag), "{path}");
        assert!(reply.body.starts_with(start.unwrap_or_default()));
    }
}

#[test]
fn response_headers_are_sent_and_shown() {
    let response = get("/response-headers?X-A=1&x-b=2&X-A=3");
    let length = response.body.len().to_string();
    assert_eq!(response.header("content-length"), Some(length.as_str()));
    assert!(response.head.contains("X-A: 1\r\nX-A: 3\r\n"), "{}", response.head);
    let shown = response.json();
    assert_eq!((&shown["X-A"], &shown["Content-Length"]), (&json!(["1", "3"]), &json!(length)));
    assert_eq!(get("/response-headers?a%0Ab=c").status, 400);
}

#[test]
fn credentials() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    // Of "user:pass word".
    let basic = "Authorization: Basic dXNlcjpwYXNzIHdvcmQ=";
    let right = client.request("GET", "/basic-auth/user/pass%20word", &[basic]);
    assert_eq!(right.json(), json!({ "authenticated": true, "user": "user" }));
    let wrong = client.request("GET", "/basic-auth/user/other", &[basic]);
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.header("www-authenticate"), Some("Basic realm=\"Fake Realm\""));
    assert_eq!(client.get("/hidden-basic-auth/a/b").status, 404);
    let bearer = client.request("GET", "/bearer", &["authorization: Bearer t0"]);
    assert_eq!(bearer.json(), json!({ "authenticated": true, "token": "t0" }));
    assert_eq!(client.get("/bearer").header("www-authenticate"), Some("Bearer"));
}

#[test]
fn cookies() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let shown = client.request("GET", "/cookies", &["Cookie: a=1; b=x=y"]).json();
    assert_eq!(shown, json!({ "cookies": { "a": "1", "b": "x=y" } }));
    let set = client.get("/cookies/set?a=1&b=2");
    assert_eq!((set.status, set.header("location")), (302, Some("/cookies")));
    assert!(set.head.contains("Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/\r\n"));
    let set = client.get("/cookies/set/k/v");
    assert_eq!(set.header("set-cookie"), Some("k=v; Path=/"));
    let deleted = client.get("/cookies/delete?k");
    assert!(deleted.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
}

#[test]
fn redirects() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let mut location = |target: &str| {
        let response = client.get(target);
        assert!((300..400).contains(&response.status), "{target}");
        response.header("location").map(str::to_owned)
    };
    assert_eq!(location("/redirect/2").as_deref(), Some("/relative-redirect/1"));
    assert_eq!(location("/relative-redirect/1").as_deref(), Some("/get"));
    let absolute = location("/absolute-redirect/3");
    assert_eq!(absolute.as_deref(), Some("http://test/absolute-redirect/2"));
    assert_eq!(location("/redirect-to?url=%2Fx%3Fa").as_deref(), Some("/x?a"));
    let response = client.get("/redirect-to?url=/x&status_code=308");
    assert_eq!(response.status, 308);
}

#[test]
fn conditions_and_ranges() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    assert_eq!(client.get("/etag/t").header("etag"), Some("\"t\""));
    let mut status = |target, header| client.request("GET", target, &[header]).status;
    assert_eq!(status("/etag/t", "If-None-Match: \"s\", W/\"t\""), 304);
    assert_eq!(status("/etag/t", "If-Match: \"s\""), 412);
    assert_eq!(status("/etag/t", "If-Match: *"), 200);
    assert_eq!(status("/cache", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"), 304);
    assert_eq!(status("/range/30", "Range: bytes=30-"), 416);
    let part = client.request("GET", "/range/30", &["Range: bytes=24-27"]);
    assert_eq!((part.status, part.text().as_str()), (206, "yzab"));
    assert_eq!(part.header("content-range"), Some("bytes 24-27/30"));
    let stale = ["Range: bytes=24-27", "If-Range: \"old\""];
    assert_eq!(client.request("GET", "/range/30", &stale).status, 200);
    assert!(client.get("/cache").header("last-modified").is_some());
}

#[test]
fn the_sink_counts_and_digests() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let sunk = client.send("PURGE", "/sink", "a/b", "abc").json();
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sunk, json!({ "length": 3, "sha256": digest }));
    assert_eq!(client.send("PUT", "/sink", "a/b", vec![0; 1 << 20]).json()["length"], 1 << 20);
    assert_eq!(testbed.requests()[1].body_length, 1 << 20);
}

#[test]
fn the_count_is_of_any_size() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    assert_eq!(client.send("POST", "/count", "a/b", "abc").json(), json!({ "length": 3 }));
    assert_eq!(client.send("PUT", "/count", "a/b", vec![0; 1 << 20]).json()["length"], 1 << 20);
}

#[test]
fn bodies_beyond_the_limit_are_refused() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let expect = ["Expect: 100-continue", "Content-Length: 67108865"];
    let refused = client.request("POST", "/post", &expect);
    assert_eq!(refused.status, 413);

    let mut client = Client::connect(testbed.addr());
    client.write("POST /post HTTP/1.1\r\nHost: test\r\nContent-Length: 67108865\r\n\r\n");
    let piece = vec![0; 1 << 20];
    for _ in 0..64 {
        client.write(&piece);
    }
    client.write("x");
    assert_eq!(client.response(false).status, 413);
    assert_eq!(client.get("/get").status, 200);
}

#[test]
fn expectations_are_met_only_where_the_body_is_used() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let expect = ["Expect: 100-continue", "Content-Length: 2"];
    assert_eq!(client.request("POST", "/post", &expect).status, 100);
    client.write("ok");
    assert_eq!(client.response(false).json()["data"], "ok");
    assert_eq!(client.request("POST", "/status/403", &expect).status, 403);
}

#[test]
fn heads_and_closing() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let large = client.get("/large-head?bytes=100000");
    assert_eq!(large.header("x-large").map(str::len), Some(100_000));
    assert_eq!(client.get("/close").header("connection"), Some("close"));
    assert!(client.at_end());
}

/// Of "fake@example.com:not_a_real_password".
const FAKE: &str = "Authorization: Basic ZmFrZUBleGFtcGxlLmNvbTpub3RfYV9yZWFsX3Bhc3N3b3Jk";

/// Sends JSON, with one more header line.
fn write(client: &mut Client<TcpStream>, method: &str, target: &str, header: &str, json: &str) {
    let length = json.len();
    client.write(format!(
        "{method} {target} HTTP/1.1\r\nHost: test\r\n{header}\r\nContent-Length: {length}\r\n\r\n\
         {json}"
    ));
}

#[test]
fn github_tells_of_a_commit_and_an_issue() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let commit = "/repos/psf/requests/git/commits/a050faf";
    let told = client.get(commit);
    assert_eq!(told.header("content-type"), Some("application/json; charset=utf-8"));
    let told = told.json();
    assert_eq!(told["url"], format!("http://test{commit}"));
    for key in ["committer", "author", "tree", "sha", "parents", "message"] {
        assert!(!told[key].is_null(), "{key}");
    }
    assert_eq!(client.request("OPTIONS", commit, &[]).status, 500);
    let cats = client.request("OPTIONS", "/api/cats", &[]);
    assert_eq!((cats.status, cats.header("allow")), (200, Some("GET,HEAD,POST,OPTIONS")));
    let issue = client.get("/repos/psf/requests/issues/482").json();
    let comments = client.get("/repos/psf/requests/issues/482/comments").json();
    assert_eq!((&issue["comments"], comments.as_array().map(Vec::len)), (&json!(3), Some(3)));
    let first = client.get(&comments[0]["url"].as_str().expect("a URL")["http://test".len()..]);
    assert_eq!(first.json(), comments[0]);
    for missing in ["/repos/a", "/repos/a/b/issues/483", "/repos/a/b/issues/comments/1"] {
        assert_eq!(client.get(missing).status, 404, "{missing}");
    }
}

#[test]
fn github_keeps_what_is_written() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let thread = "/repos/psf/requests/issues/482/comments";
    let comment = "/repos/psf/requests/issues/comments/5804413";
    let mut send = |method: &str, target: &str, header: &str, json: &str| {
        write(&mut client, method, target, header, json);
        client.response(false)
    };
    let said = r#"{"body": "spam"}"#;
    let wrong = "Authorization: Basic ZmFrZTpmYWtl";
    assert_eq!(send("POST", thread, "X: y", said).status, 404);
    assert_eq!(send("POST", thread, wrong, said).status, 401);
    assert_eq!(send("POST", thread, FAKE, "spam").status, 400);
    assert_eq!(send("POST", thread, FAKE, "{}").status, 422);
    assert_eq!(send("PUT", thread, FAKE, said).status, 405);
    let posted = send("POST", thread, FAKE, said);
    assert_eq!((posted.status, posted.json()["id"].as_u64()), (201, Some(5_804_413)));
    assert_eq!(posted.header("location"), Some(&*format!("http://test{comment}")));
    assert_eq!(send("GET", thread, FAKE, "").json()[3], posted.json());

    assert_eq!(send("PATCH", comment, "X: y", said).status, 404);
    let patched = send("PATCH", comment, FAKE, r#"{"body": "eggs"}"#);
    assert_eq!((patched.status, &patched.json()["body"]), (200, &json!("eggs")));
    assert_ne!(patched.json()["updated_at"], posted.json()["updated_at"]);
    assert_eq!(send("GET", comment, "X: y", "").json(), patched.json());

    assert_eq!(send("DELETE", comment, wrong, "").status, 401);
    let deleted = send("DELETE", comment, FAKE, "");
    assert_eq!((deleted.status, deleted.header("status")), (204, Some("204 No Content")));
    assert_eq!(send("DELETE", comment, FAKE, "").status, 404);
    assert_eq!(send("GET", thread, FAKE, "").json().as_array().map(Vec::len), Some(3));
    assert_eq!(send("POST", thread, FAKE, said).json()["id"], 5_804_414);
    // Another server knows nothing of it.
    assert_eq!(get("/repos/psf/requests/issues/482").json()["comments"], 3);
}

#[test]
fn github_counts_requests() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    for (header, limit, left) in
        [(FAKE, "5000", "4999"), ("X: y", "60", "59"), (FAKE, "5000", "4998")]
    {
        let told = client.request("HEAD", "/repos/psf/requests/issues/482", &[header]);
        assert_eq!(told.header("x-ratelimit-limit"), Some(limit));
        assert_eq!(told.header("x-ratelimit-remaining"), Some(left));
    }
}

#[test]
fn collections_are_made_found_and_deleted() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let mut status = |method, target| client.request(method, target, &[]).status;
    assert_eq!(status("MKCOL", "/dav/a/b"), 409);
    assert_eq!(status("MKCOL", "/dav/a/"), 201);
    assert_eq!(status("MKCOL", "/dav/a"), 405);
    assert_eq!(status("MKCOL", "/dav/"), 405);
    assert_eq!(status("MKCOL", "/dav/a/b%26c"), 201);
    assert_eq!(status("MKCOL", "/dav/ab"), 201);
    assert_eq!(status("GET", "/dav/a/b&c/"), 200);
    assert_eq!(status("PUT", "/dav/a"), 405);
    let found = client.request("PROPFIND", "/dav/a", &[]);
    assert_eq!(found.status, 207);
    let hrefs: Vec<_> = found.text().lines().filter_map(href).collect();
    assert_eq!(hrefs, ["/dav/a", "/dav/a/b&amp;c"]);
    assert_eq!(client.request("DELETE", "/dav/a", &[]).status, 204);
    assert_eq!(client.request("DELETE", "/dav/a", &[]).status, 404);
    assert_eq!(client.get("/dav/a/b&c").status, 404);
    assert_eq!(client.get("/dav/ab").status, 200);
    assert_eq!(client.send("MKCOL", "/dav/c", "text/plain", "x").status, 415);
    assert_eq!(client.send("MKCOL", "/dav/c", "application/xml", "<x/>").status, 201);
}

fn href(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("<D:href>")?;
    rest.split_once('<').map(|(href, _)| href.to_owned())
}

#[test]
fn one_token_is_valid_at_a_time() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    let mut send = |method: &str, path: &str, token: &str| {
        let header = format!("Authorization: Bearer {token}");
        let response = client.request(method, path, &[&header]);
        (response.status, response)
    };
    assert_eq!(send("GET", "/token/guarded", "token-1").0, 401);
    assert_eq!(send("POST", "/token", "").1.json()["access_token"], "token-1");
    assert_eq!(send("GET", "/token/guarded", "token-1").0, 200);
    assert_eq!(send("POST", "/token", "").1.json()["access_token"], "token-2");
    assert_eq!(send("GET", "/token/guarded", "token-1").0, 401);
    assert_eq!(send("GET", "/token/guarded", "token-2").1.json()["issued"], 2);
    assert_eq!(send("DELETE", "/token", "").0, 204);
    let (status, response) = send("GET", "/token/guarded", "token-2");
    let challenge = response.header("www-authenticate");
    assert_eq!((status, challenge), (401, Some("Bearer error=\"invalid_token\"")));
}
