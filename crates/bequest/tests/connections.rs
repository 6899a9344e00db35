//! Which connection a request takes: kept, shared, limited, closed.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, Read};
use std::time::Duration;

use bequest::{ErrorKind, HttpAdapter, SendOptions};
use support::{Client, Door, doors, get, post, until};
use testbed::{RawServer, Script, Testbed};

doors![
    requests_in_a_row_share_one_connection,
    clones_share_connections_and_not_settings,
    threads_share_a_session,
    an_unread_stream_keeps_its_connection_to_itself,
    a_dropped_unread_stream_closes_its_connection,
    a_closed_unread_response_closes_its_connection,
    a_connection_is_closed_where_the_server_says_so,
    a_connection_that_the_server_closed_is_not_used,
    pool_maxsize_limits_what_is_kept,
    a_pool_of_none_keeps_none,
    pool_connections_limits_the_origins,
    an_idle_connection_is_not_kept_for_ever,
    close_closes_what_idles,
    close_closes_what_is_in_use,
    the_last_clone_closes_the_connections,
    max_content_limits_what_is_held,
    max_content_closes_what_it_refuses,
    every_way_of_reading_to_the_end_gives_the_connection_back,
    max_content_does_not_limit_what_is_streamed,
];

fn requests_in_a_row_share_one_connection(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for n in 1..=20 {
        let r = s.send(get(server.url("/connection"))).unwrap();
        assert_eq!(r.json().unwrap()["requests"], n);
        assert_eq!(r.timings().connect.is_some(), n == 1);
    }
    for path in ["/get", "/status/404", "/big-chunked/100000", "/stream/3", "/status/204"] {
        s.send(get(server.url(path))).unwrap();
    }
    s.send(post(server.url("/post")).body("x")).unwrap();
    assert_eq!(server.connections(), 1);
    // Another name of the same address is another origin.
    let port = server.addr().port();
    s.send(get(format!("http://localhost:{port}/get"))).unwrap();
    assert_eq!(server.connections(), 2);
    s.send(get(format!("http://LOCALHOST:{port}/get"))).unwrap();
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2);
}

fn clones_share_connections_and_not_settings(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    s.send(get(server.url("/get"))).unwrap();
    let mut clone = s.clone();
    clone.headers().insert("X-Clone", "1");
    clone.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.requests()[1].header("x-clone"), Some("1"));
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.requests()[2].header("x-clone"), None);
    assert_eq!(server.connections(), 1);
    // Sessions of their own have connections of their own.
    door.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2);
}

fn threads_share_a_session(door: Door) {
    let server = Testbed::start();
    let s = &door.session();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let url = server.url("/get");
            scope.spawn(move || {
                for n in 0..25 {
                    let r = s.send(get(&url).params([("id", thread * 100 + n)])).unwrap();
                    assert_eq!(r.json().unwrap()["args"]["id"], (thread * 100 + n).to_string());
                }
            });
        }
    });
    assert_eq!(server.requests().len(), 200);
    assert!(server.connections() <= 8, "{} connections", server.connections());
}

fn an_unread_stream_keeps_its_connection_to_itself(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let first = s.send(get(server.url("/big/100000")).stream(true)).unwrap();
    let second = s.send(get(server.url("/get"))).unwrap();
    assert_eq!(second.status(), 200);
    assert_eq!(server.connections(), 2);
    assert_eq!(first.content().unwrap().len(), 100_000);
    for _ in 0..3 {
        s.send(get(server.url("/get"))).unwrap();
    }
    assert_eq!(server.connections(), 2);
    // An empty body is read from the start.
    let empty = s.send(get(server.url("/bytes/0")).stream(true)).unwrap();
    let also = s.send(get(server.url("/status/204")).stream(true)).unwrap();
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2);
    drop((empty, also));
}

fn a_dropped_unread_stream_closes_its_connection(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let r = s.send(get(server.url("/big/10000000")).stream(true)).unwrap();
    assert_eq!(server.open_connections(), 1);
    drop(r);
    until("the connection is closed", || server.open_connections() == 0);
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2);
}

fn a_closed_unread_response_closes_its_connection(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let r = s.send(get(server.url("/big/10000000")).stream(true)).unwrap();
    r.close();
    until("the connection is closed", || server.open_connections() == 0);
    assert_eq!(r.content().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(r.status(), 200);
    // What was read already stays, and so does its connection.
    let read = s.send(get(server.url("/bytes/5"))).unwrap();
    read.close();
    assert_eq!(read.content().unwrap().len(), 5);
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2);
}

fn a_connection_is_closed_where_the_server_says_so(door: Door) {
    let close = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let old = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let kept = "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok";
    let listed = "HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\nContent-Length: 2\r\n\r\nok";
    for (response, connections) in [(close, 3), (old, 3), (kept, 1), (listed, 3)] {
        let server = RawServer::start(Script::respond(response));
        let s = door.session();
        for _ in 0..3 {
            assert_eq!(s.send(get(server.url("/"))).unwrap().text().unwrap(), "ok");
        }
        assert_eq!(server.connections(), connections, "{response}");
    }
}

fn a_connection_that_the_server_closed_is_not_used(door: Door) {
    let once = Script::new().read_head().send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let server = RawServer::start(once);
    let s = door.session();
    for n in 1..=3 {
        // Also with a method that must not be sent twice: it was not sent once.
        assert_eq!(s.send(post(server.url("/"))).unwrap().text().unwrap(), "ok");
        assert_eq!(server.connections(), n);
        until_closed_by_server(&server);
    }
    assert_eq!(server.requests(), 3);
}

/// A server's FIN arrives a moment after its last byte: the client's socket is in CLOSE_WAIT then.
fn until_closed_by_server(server: &RawServer) {
    let port = format!(":{:04X}", server.addr().port());
    until("the server has closed", || {
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        sockets.lines().any(|line| {
            let columns: Vec<_> = line.split_whitespace().collect();
            columns[2].ends_with(&port) && columns[3] == "08"
        })
    });
}

/// Two responses whose bodies are on their way at the same time, read to their ends.
fn two_at_once(s: &Client, url: &str) {
    let first = s.send(get(url).stream(true)).unwrap();
    let second = s.send(get(url).stream(true)).unwrap();
    first.content().unwrap();
    second.content().unwrap();
}

fn pool_maxsize_limits_what_is_kept(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.mount("http://", HttpAdapter::new().pool_maxsize(1));
    two_at_once(&s, &server.url("/big/100000"));
    assert_eq!(server.connections(), 2, "the limit is on what idles");
    until("one is closed", || server.open_connections() == 1);
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2);

    let other = Testbed::start();
    two_at_once(&door.session(), &other.url("/big/100000"));
    let s = door.session();
    two_at_once(&s, &other.url("/big/100000"));
    two_at_once(&s, &other.url("/big/100000"));
    assert_eq!(other.connections(), 4, "both are kept by default");
}

fn a_pool_of_none_keeps_none(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.mount("http://", HttpAdapter::new().pool_maxsize(0));
    for n in 1..=3 {
        s.send(get(server.url("/get"))).unwrap();
        assert_eq!(server.connections(), n);
        until("it is closed", || server.open_connections() == 0);
    }
}

fn pool_connections_limits_the_origins(door: Door) {
    let servers = [Testbed::start(), Testbed::start(), Testbed::start()];
    let mut s = door.session();
    s.mount("http://", HttpAdapter::new().pool_connections(2));
    for server in &servers {
        s.send(get(server.url("/get"))).unwrap();
    }
    until("the first origin made room", || servers[0].open_connections() == 0);
    for server in [2, 1, 2, 1] {
        s.send(get(servers[server].url("/get"))).unwrap();
    }
    assert_eq!(servers.each_ref().map(Testbed::connections), [1, 1, 1]);
    s.send(get(servers[0].url("/get"))).unwrap();
    assert_eq!(servers[0].connections(), 2);
    until("the least recently used made room", || servers[2].open_connections() == 0);
    assert_eq!(servers[1].open_connections(), 1);
}

fn an_idle_connection_is_not_kept_for_ever(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    s.mount("http://", HttpAdapter::new().idle_timeout(Duration::from_nanos(1)));
    for n in 1..=3 {
        s.send(get(server.url("/get"))).unwrap();
        assert_eq!(server.connections(), n);
    }
    // The server may say less than we would keep it.
    let response = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0, max=9\r\nContent-Length: 0\r\n\r\n";
    let raw = RawServer::start(Script::respond(response));
    for n in 1..=2 {
        s.send(get(raw.url("/"))).unwrap();
        assert_eq!(raw.connections(), n);
    }
}

fn close_closes_what_idles(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.open_connections(), 1);
    s.close();
    until("the connection is closed", || server.open_connections() == 0);
    s.close();
    s.send(get(server.url("/get"))).unwrap();
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2, "a closed session opens anew");
}

fn close_closes_what_is_in_use(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let r = s.send(get(server.url("/big/1000000")).stream(true)).unwrap();
    s.close();
    until("the connection is closed", || server.open_connections() == 0);
    drop(r);
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 2);
}

fn the_last_clone_closes_the_connections(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let clone = s.clone();
    s.send(get(server.url("/get"))).unwrap();
    drop(s);
    clone.send(get(server.url("/get"))).unwrap();
    assert_eq!((server.connections(), server.open_connections()), (1, 1));
    // A response outlives its session.
    let r = clone.send(get(server.url("/big/1000000")).stream(true)).unwrap();
    drop(clone);
    assert_eq!(r.content().unwrap().len(), 1_000_000);
    until("the connection is closed", || server.open_connections() == 0);
}

fn max_content_limits_what_is_held(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    *s.max_content() = Some(1000);
    for path in ["big", "big-chunked"] {
        let url = |length: u32| server.url(&format!("/{path}/{length}"));
        assert_eq!(s.send(get(url(1000))).unwrap().content().unwrap().len(), 1000, "{path}");
        let error = s.send(get(url(1001))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{path}");
        let message = error.to_string();
        assert!(message.contains("max_content"), "{message}");
        assert!(message.contains("1000"), "{message}");
        assert!(message.starts_with(&format!("GET {}: ", url(1001))), "{message}");
        assert_eq!(error.url().unwrap().as_str(), url(1001));
        assert!(error.request().is_some());
        // The request says more, or that there is no limit, or less.
        let r = s.send(get(url(1001)).max_content(1001)).unwrap();
        assert_eq!(r.content().unwrap().len(), 1001);
        let r = s.send(get(url(100_000)).max_content(None)).unwrap();
        assert_eq!(r.content().unwrap().len(), 100_000);
        assert_eq!(s.send(get(url(10)).max_content(9)).unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(s.send(get(url(0)).max_content(0)).unwrap().content().unwrap(), "");
        // The options of sending say it last.
        let prepared = s.prepare(get(url(2000)).max_content(5)).unwrap();
        let r = s.send_prepared(prepared, SendOptions::new().max_content(2000)).unwrap();
        assert_eq!(r.content().unwrap().len(), 2000);
        // Of a streamed response, `content()` is what holds it.
        let r = s.send(get(url(1001)).stream(true)).unwrap();
        assert_eq!(r.content().unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(r.content().unwrap_err().kind(), ErrorKind::TooLarge, "asked again");
    }
    assert_eq!(*door.session().max_content(), Some(2 << 30));
}

fn max_content_closes_what_it_refuses(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for path in ["/big/1000000000000", "/big-chunked/1000000000000"] {
        let error = s.send(get(server.url(path)).max_content(100_000)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{path}");
        drop(error);
        until("the connection is closed", || server.open_connections() == 0);
    }
}

fn every_way_of_reading_to_the_end_gives_the_connection_back(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    for path in ["/big/100000", "/big-chunked/100000"] {
        for way in 0..8 {
            let r = s.send(get(server.url(path)).stream(true)).unwrap();
            let mut bytes = Vec::new();
            match way {
                0 => bytes = r.content().unwrap().to_vec(),
                1 => r.iter_content(1000).for_each(|piece| bytes.extend(piece.unwrap())),
                2 => r.iter_content(None).for_each(|piece| bytes.extend(piece.unwrap())),
                3 => drop(r.reader().read_to_end(&mut bytes).unwrap()),
                4 => drop(r.into_reader().read_to_end(&mut bytes).unwrap()),
                5 => r.into_iter_content(3000).for_each(|piece| bytes.extend(piece.unwrap())),
                6 => drop(r.into_raw().read_to_end(&mut bytes).unwrap()),
                _ => {
                    let mut reader = r.reader();
                    while let [_, ..] = reader.fill_buf().unwrap() {
                        let count = reader.fill_buf().unwrap().len();
                        bytes.extend(&reader.fill_buf().unwrap()[..count]);
                        reader.consume(count);
                    }
                }
            }
            assert!(bytes == testbed::pattern(100_000), "{path}, way {way}");
            assert_eq!(server.connections(), 1, "{path}, way {way}");
        }
    }
    for _ in 0..2 {
        let r = s.send(get(server.url("/stream/50")).stream(true)).unwrap();
        assert_eq!(r.iter_lines().map(Result::unwrap).count(), 50);
    }
    let r = s.send(get(server.url("/stream/50")).stream(true)).unwrap();
    assert_eq!(r.into_iter_lines().map(Result::unwrap).count(), 50);
    s.send(get(server.url("/get"))).unwrap();
    assert_eq!(server.connections(), 1);
}

fn max_content_does_not_limit_what_is_streamed(door: Door) {
    let server = Testbed::start();
    let mut s = door.session();
    *s.max_content() = Some(10);
    *s.stream() = true;
    let r = s.send(get(server.url("/big/100000"))).unwrap();
    assert_eq!(r.iter_content(None).map(|piece| piece.unwrap().len()).sum::<usize>(), 100_000);
    let r = s.send(get(server.url("/big-chunked/100000"))).unwrap();
    assert_eq!(std::io::copy(&mut r.reader(), &mut std::io::sink()).unwrap(), 100_000);
    assert_eq!(server.connections(), 1);
}
