//! HTTPS: whom to trust, what is refused, and that all else is as without TLS.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "tls")]

mod support;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bequest::{Body, ErrorKind, Phase, Verify};
use support::{Door, doors, get, post, until};
use testbed::{RawServer, Script, Testbed};

doors![
    each_way_of_trusting_works,
    an_unknown_authority_is_refused,
    nothing_is_sent_to_whom_is_not_trusted,
    another_name_is_refused,
    the_host_header_is_not_what_is_verified,
    bundles_that_are_none,
    http_and_https_mixed_up,
    a_server_that_hangs_up,
    a_silent_server_ends_with_the_connect_timeout,
    a_connection_is_kept,
    settings_that_differ_have_connections_of_their_own,
    a_bundle_is_read_again_when_it_changed,
    bodies_of_any_length_go_both_ways,
    a_cut_is_not_an_end,
    streams_are_read_in_every_way,
];

fn each_way_of_trusting_works(door: Door) {
    let server = Testbed::start();
    let url = server.https_url("/get");
    let file = server.ca_file();
    for verify in [
        file.into(),
        file.to_str().unwrap().into(),
        file.to_path_buf().into(),
        Verify::bundle(file),
        Verify::Pem(Arc::from(server.ca_pem().as_bytes())),
        false.into(),
        Verify::No,
    ] {
        let r = door.send(get(&url).verify(verify.clone())).unwrap();
        assert_eq!(r.status(), 200, "{verify:?}");
        assert_eq!(r.json().unwrap()["url"], url);
        assert_eq!(r.remote_addr(), Some(server.https_addr()));
        assert!(r.timings().tls.is_some());
        let mut s = door.session();
        *s.verify() = verify;
        assert_eq!(s.send(get(&url)).unwrap().status(), 200);
    }
    assert!(server.requests().iter().all(|request| request.secure));
    // The certificate is for addresses, too.
    let url = format!("https://{}/get", server.https_addr());
    assert_eq!(door.send(get(&url).verify(file)).unwrap().status(), 200);
}

fn an_unknown_authority_is_refused(door: Door) {
    let (server, other) = (Testbed::start(), Testbed::start());
    let url = server.https_url("/get");
    for verify in [Verify::Yes, true.into(), Verify::bundle(other.ca_file())] {
        let error = door.send(get(&url).verify(verify)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
        assert_eq!(error.phase(), Some(Phase::Tls));
        assert!(error.is_connection());
        let message = error.to_string();
        let start = format!("GET {url}: no secure connection to localhost in the TLS handshake: ");
        assert!(message.starts_with(&start), "{message}");
        let remedy = error.remedy().unwrap_or_else(|| panic!("no remedy: {message}"));
        assert!(remedy.contains(".verify(\"/path/to/ca.pem\")"), "{message}");
        assert!(std::error::Error::source(&error).is_some());
        assert!(error.request().is_some());
    }
    assert_eq!(door.send(get(&url)).unwrap_err().kind(), ErrorKind::Tls, "by default, too");
}

fn nothing_is_sent_to_whom_is_not_trusted(door: Door) {
    let server = Testbed::start();
    for _ in 0..3 {
        door.send(post(server.https_url("/post")).body("secret")).unwrap_err();
    }
    assert_eq!(server.https_connections(), 3, "a refused certificate is not tried again");
    until("they are closed", || server.open_connections() == 0);
    assert!(server.requests().is_empty());
}

fn another_name_is_refused(door: Door) {
    let server = Testbed::start();
    // An address of this machine that the certificate does not name, and the server's own port.
    let port = server.https_addr().port();
    let listener = std::net::TcpListener::bind(("127.0.0.2", 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let upstream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (upstream, client);
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    let url = format!("https://{addr}/get");
    let error = door.send(get(&url).verify(server.ca_file())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("GET {url}: no secure connection to 127.0.0.2")),
        "{message}"
    );
    assert!(error.remedy().unwrap().contains("another host"), "{message}");
    assert!(server.requests().is_empty());
    assert_eq!(door.send(get(&url).verify(false)).unwrap().status(), 200);
}

fn the_host_header_is_not_what_is_verified(door: Door) {
    let server = Testbed::start();
    let request = get(server.https_url("/get")).header("Host", "other.example");
    let r = door.send(request.verify(server.ca_file())).unwrap();
    assert_eq!(r.status(), 200);
    assert_eq!(server.requests()[0].header("host"), Some("other.example"));
}

fn bundles_that_are_none(door: Door) {
    let server = Testbed::start();
    let url = server.https_url("/get");
    let file = |content: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    };
    let (text, empty) = (file(b"no certificate"), file(b""));
    let broken = file(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let cut = file(&server.ca_pem().as_bytes()[..200]);
    let missing = server.ca_file().with_file_name("missing.pem");
    let folder = tempfile::tempdir().unwrap();
    for path in [
        text.path(),
        empty.path(),
        broken.path(),
        cut.path(),
        &missing,
        folder.path(),
        Path::new(""),
    ] {
        let error = door.send(get(&url).verify(path)).unwrap_err();
        let message = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Tls, "{message}");
        assert!(message.contains(path.to_str().unwrap()), "{message}");
        assert!(message.starts_with(&format!("GET {url}: ")), "{message}");
        assert!(error.remedy().is_some(), "{message}");
        // It does not matter where nothing is verified.
        assert_eq!(door.send(get(server.url("/get")).verify(path)).unwrap().status(), 200);
    }
    for pem in [b"".as_slice(), b"no certificate"] {
        let error = door.send(get(&url).verify(Verify::Pem(pem.into()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    }
    assert!(server.requests().iter().all(|request| !request.secure));
}

fn http_and_https_mixed_up(door: Door) {
    let server = Testbed::start();
    // https:// to a server that speaks HTTP.
    let url = format!("https://{}/get", server.addr());
    let error = door.send(get(&url).verify(server.ca_file())).unwrap_err();
    let message = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Tls, "{message}");
    assert!(message.starts_with(&format!("GET {url}: no secure connection")), "{message}");
    assert!(error.remedy().unwrap().contains("use http://"), "{message}");
    // http:// to a server that speaks TLS: it answers with an alert, or hangs up.
    let url = format!("http://{}/get", server.https_addr());
    let error = door.send(get(&url)).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with(&format!("GET {url}: ")), "{message}");
    assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{message}");
    assert!(error.remedy().is_some_and(|remedy| remedy.contains("https://")), "{message}");
}

fn a_server_that_hangs_up(door: Door) {
    for script in [Script::new().close(), Script::new().read_body(5).reset()] {
        let server = RawServer::start(script);
        let url = format!("https://{}/", server.addr());
        let error = door.send(get(&url)).unwrap_err();
        let message = error.to_string();
        assert!(error.is_connection(), "{error:?}");
        assert_eq!(error.phase(), Some(Phase::Tls), "{message}");
        assert!(message.starts_with(&format!("GET {url}: ")), "{message}");
    }
}

fn a_silent_server_ends_with_the_connect_timeout(door: Door) {
    let server = RawServer::start(Script::new().stall());
    let url = format!("https://{}/", server.addr());
    let limit = Duration::from_millis(150);
    let start = std::time::Instant::now();
    let error = door.send(get(&url).timeout((limit, None))).unwrap_err();
    let took = start.elapsed();
    assert_eq!(error.kind(), ErrorKind::ConnectTimeout, "{error}");
    assert!(error.is_timeout());
    assert_eq!(error.phase(), Some(Phase::Tls), "{error}");
    assert!(took >= limit && took < Duration::from_millis(1500), "{took:?}");
}

fn a_connection_is_kept(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    *s.verify() = server.ca_file().into();
    for n in 1..=5 {
        let r = s.send(get(server.https_url("/connection"))).unwrap();
        assert_eq!(r.json().unwrap()["requests"], n);
        assert_eq!(r.timings().tls.is_some(), n == 1);
    }
    let r = s.send(get(server.https_url("/big-chunked/300000")).stream(true)).unwrap();
    assert_eq!(r.content().unwrap(), testbed::pattern(300_000));
    s.send(post(server.https_url("/post")).body("x")).unwrap();
    assert_eq!(server.https_connections(), 1);
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 1, "without TLS it is another origin");
    drop(s.send(get(server.https_url("/big/10000000")).stream(true)).unwrap());
    until("the unread one is closed", || server.open_connections() == 1);
    s.close();
    until("all are closed", || server.open_connections() == 0);
}

fn settings_that_differ_have_connections_of_their_own(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let url = server.https_url("/get");
    assert_eq!(s.send(get(&url).verify(false)).unwrap().status(), 200);
    // A connection to nobody knows whom must not serve who wants to know.
    let error = s.send(get(&url).verify(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert_eq!(s.send(get(&url)).unwrap_err().kind(), ErrorKind::Tls);
    assert_eq!(server.https_connections(), 3);
    s.send(get(&url).verify(server.ca_file())).unwrap();
    assert_eq!(server.https_connections(), 4);
    let pem = Verify::Pem(Arc::from(server.ca_pem().as_bytes()));
    s.send(get(&url).verify(pem.clone())).unwrap();
    assert_eq!(server.https_connections(), 5);
    // Each is there to be used again by who wants the same.
    for verify in [Verify::No, server.ca_file().into(), pem] {
        s.send(get(&url).verify(verify)).unwrap();
    }
    assert_eq!(server.https_connections(), 5);
    // Where there is no TLS, it makes no difference.
    s.send(get(server.url("/get")).verify(false)).unwrap();
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 1);
}

fn a_bundle_is_read_again_when_it_changed(door: Door) {
    let (one, two) = (Testbed::start(), Testbed::start());
    let directory = tempfile::tempdir().unwrap();
    let bundle = directory.path().join("bundle.pem");
    std::fs::write(&bundle, one.ca_pem()).unwrap();
    let mut s = door.session();
    *s.verify() = Verify::bundle(&bundle);
    assert_eq!(s.send(get(one.https_url("/get"))).unwrap().status(), 200);
    assert_eq!(s.send(get(two.https_url("/get"))).unwrap_err().kind(), ErrorKind::Tls);
    // Several certificates may be in it, and text between them.
    let both = format!("# one\n{}\n# two\n{}", one.ca_pem(), two.ca_pem());
    std::fs::write(&bundle, both).unwrap();
    assert_eq!(s.send(get(two.https_url("/get"))).unwrap().status(), 200);
    assert_eq!(s.send(get(one.https_url("/get"))).unwrap().status(), 200);
    assert_eq!(one.https_connections(), 1);
}

fn bodies_of_any_length_go_both_ways(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    *s.verify() = server.ca_file().into();
    // Around the size of a TLS record, and beyond what sockets buffer.
    for length in [0, 1, 16_383, 16_384, 16_385, 100_000, 5_000_000] {
        let pattern = testbed::pattern(length);
        let r = s.send(get(server.https_url(&format!("/big/{length}")))).unwrap();
        assert!(r.content().unwrap() == pattern, "{length} down");
        let sink = server.https_url("/sink");
        for body in [Body::from(pattern.clone()), Body::reader(std::io::Cursor::new(pattern))] {
            let r = s.send(post(&sink).body(body)).unwrap();
            assert_eq!(r.json().unwrap()["length"], length, "{length} up");
        }
    }
    assert_eq!(server.https_connections(), 1);
}

/// A TCP proxy before a TLS server that cuts the connection after so many bytes of its answer.
fn cutting_proxy(upstream: std::net::SocketAddr, after: usize) -> std::net::SocketAddr {
    use std::io::Read;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = std::net::TcpStream::connect(upstream).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut Read::by_ref(&mut server).take(after as u64), &mut client);
        let _ = client.shutdown(std::net::Shutdown::Write);
        let _ = server.shutdown(std::net::Shutdown::Both);
    });
    addr
}

fn a_cut_is_not_an_end(door: Door) {
    let server = Testbed::start();
    for path in ["/big/1000000", "/big-chunked/1000000"] {
        let proxy = cutting_proxy(server.https_addr(), 300_000);
        let url = format!("https://{proxy}{path}");
        let error = door.send(get(&url).verify(server.ca_file())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IncompleteBody, "{error}");
        assert_eq!(error.phase(), Some(Phase::Body), "{error}");
    }
}

fn streams_are_read_in_every_way(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    *s.verify() = server.ca_file().into();
    let length = 3_000_000;
    let url = server.https_url(&format!("/big/{length}"));
    for size in [Some(1), Some(1000), Some(16_384), Some(1 << 20), None] {
        // A byte at a time takes long: of a shorter body.
        let (url, length) = match size {
            Some(1) => (server.https_url("/big/20000"), 20_000),
            _ => (url.clone(), length),
        };
        let r = s.send(get(&url).stream(true)).unwrap();
        let pieces: Vec<_> = r.iter_content(size).map(Result::unwrap).collect();
        assert!(pieces.concat() == testbed::pattern(length), "in pieces of {size:?}");
    }
    let r = s.send(get(&url).stream(true)).unwrap();
    let mut read = Vec::new();
    std::io::copy(&mut r.reader(), &mut read).unwrap();
    assert!(read == testbed::pattern(length));
    let r = s.send(get(server.https_url("/stream/100")).stream(true)).unwrap();
    assert_eq!(r.iter_lines().map(Result::unwrap).count(), 100);
    assert_eq!(server.https_connections(), 1);
}
