//! URLs as callers write them: what is read as what, what is sent of it, and who is connected to.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use bequest::{ErrorKind, Response, adapter_fn};
use support::{Door, doors, get};
use testbed::{RawServer, Script, Testbed};

doors![
    blanks_around_a_url_are_dropped,
    user_info_ends_at_the_last_at_sign,
    user_info_is_not_the_host,
    escapes_stay_as_they_are,
    characters_that_a_url_has_none_of_are_escaped,
    old_forms_of_an_address_are_that_address,
    hosts_are_mapped_as_browsers_do,
    default_ports_are_dropped,
    other_schemes_are_urls_too,
    text_is_a_query_as_it_is,
    long_urls_take_no_long_time,
    an_empty_password_is_one,
    a_path_is_sent_as_it_was_typed,
    a_zone_is_connected_to_and_not_told,
    zones_have_connections_of_their_own,
    a_zone_that_is_not_there_is_named,
];

/// What a URL is prepared to.
fn prepared(door: Door, url: &str) -> String {
    door.session().prepare(get(url)).unwrap_or_else(|error| panic!("{error}")).url.into()
}

fn blanks_around_a_url_are_dropped(door: Door) {
    for url in ["http://h/a", "  http://h/a", "http://h/a  ", " http://h/a "] {
        assert_eq!(prepared(door, url), "http://h/a", "{url:?}");
    }
}

fn user_info_ends_at_the_last_at_sign(door: Door) {
    assert_eq!(prepared(door, "http://a@b@h/"), "http://a%40b@h/");
    let request = door.session().prepare(get("http://a@b:c@d@h/")).unwrap();
    assert_eq!(request.url.host_str(), Some("h"));
    assert_eq!(request.headers.get("authorization"), Some("Basic YUBiOmNAZA=="));
}

/// There is one parser for where a request goes, what its Host says, and whose credentials it has.
fn user_info_is_not_the_host(door: Door) {
    let server = Testbed::start();
    let s = door.session();
    let host = server.addr().to_string();
    for user in ["evil.example:@", "evil.example:80@", "evil.example%2F:x@", "evil.example%23:@"] {
        let r = s.send(get(format!("http://{user}{host}/get"))).unwrap();
        assert_eq!((r.status().as_u16(), r.remote_addr()), (200, Some(server.addr())), "{user}");
        assert_eq!(r.request().headers.get("host"), Some(host.as_str()), "{user}");
    }
}

fn escapes_stay_as_they_are(door: Door) {
    for url in ["http://h/%41%7e%2f%2F", "http://h/%zz%4", "http://h/?%41%zz%", "http://h/?a=%20+"]
    {
        assert_eq!(prepared(door, url), url);
    }
}

fn characters_that_a_url_has_none_of_are_escaped(door: Door) {
    assert_eq!(prepared(door, "http://h/a b\"<>`{}é"), "http://h/a%20b%22%3C%3E%60%7B%7D%C3%A9");
    assert_eq!(prepared(door, "http://h/[]|!$&'()*+,;=:@~"), "http://h/[]|!$&'()*+,;=:@~");
    assert_eq!(prepared(door, "http://h/?a b\"<>'é"), "http://h/?a%20b%22%3C%3E%27%C3%A9");
    assert_eq!(prepared(door, "http://h/?[]{}|^`\\/?"), "http://h/?[]{}|^`\\/?");
    assert_eq!(prepared(door, "http://h/a\\b"), "http://h/a/b");
}

/// As a number, short, octal and hexadecimal: told from names before anybody is asked or trusted.
fn old_forms_of_an_address_are_that_address(door: Door) {
    for host in ["2130706433", "127.1", "0x7f.1", "0177.0.0.1", "0x7f000001", "127.0.0.1."] {
        assert_eq!(prepared(door, &format!("http://{host}/")), "http://127.0.0.1/", "{host}");
    }
    let server = Testbed::start();
    let r = door.send(get(format!("http://127.1:{}/get", server.addr().port()))).unwrap();
    assert_eq!(r.request().headers.get("host"), Some(&*server.addr().to_string()));
}

fn hosts_are_mapped_as_browsers_do(door: Door) {
    for (host, mapped) in [
        ("EXAMPLE.org", "example.org"),
        ("straße.de", "xn--strae-oqa.de"),
        ("☃.net", "xn--n3h.net"),
        ("ｅｘａｍｐｌｅ.org", "example.org"),
        ("ex%41mple.org", "example.org"),
        ("under_score.example", "under_score.example"),
    ] {
        assert_eq!(prepared(door, &format!("http://{host}/")), format!("http://{mapped}/"));
    }
    assert_eq!(prepared(door, "https://[0:0::1]/"), "https://[::1]/");
}

fn default_ports_are_dropped(door: Door) {
    assert_eq!(prepared(door, "http://h:80/"), "http://h/");
    assert_eq!(prepared(door, "https://h:443/"), "https://h/");
    assert_eq!(prepared(door, "http://h:443/"), "http://h:443/");
    assert_eq!(prepared(door, "http://h:/"), "http://h/");
}

fn other_schemes_are_urls_too(door: Door) {
    let mut s = door.session();
    s.mount(
        "mock+unix:",
        adapter_fn(|request, _| Response::builder().body(request.url.as_str()).build()),
    );
    let r = s.send(get("mock+unix://Some%2Fpath/x").params([("a", "b c")])).unwrap();
    assert_eq!(r.text().unwrap(), "mock+unix://Some%2Fpath/x?a=b+c");
    let error = s.send(get("mailto:x@example.org").params([("a", "b")])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSchema);
}

fn text_is_a_query_as_it_is(door: Door) {
    for (text, query) in [("?x", "?x"), ("a=b&&c", "a=b&&c"), ("é x", "%C3%A9%20x"), ("", "")] {
        let request = door.session().prepare(get("http://h/").params(text)).unwrap();
        assert_eq!(request.url.query().unwrap_or_default(), query);
    }
}

/// What takes time with the square of the length would take minutes.
fn long_urls_take_no_long_time(door: Door) {
    let start = Instant::now();
    for part in ["%", "@", "/..", "é", "a.", ":", "?%41", "#"] {
        let long = part.repeat(200_000);
        for url in [format!("http://{long}"), format!("http://h/{long}"), format!("{long}://h")] {
            let _ = door.session().prepare(get(&url).params(&*url));
        }
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

fn an_empty_password_is_one(door: Door) {
    let sent = |url: &str| {
        let prepared = door.session().prepare(get(url)).unwrap();
        prepared.headers.get("authorization").map(str::to_owned)
    };
    assert_eq!(sent("http://u:@h/").as_deref(), Some("Basic dTo="));
    assert_eq!(sent("http://u%40:@h/@").as_deref(), Some("Basic dUA6"));
    for url in ["http://u@h/", "http://h/", "http://h/u:@", "http://u%3A@h/"] {
        assert_eq!(sent(url), None, "{url}");
    }
}

fn a_path_is_sent_as_it_was_typed(door: Door) {
    let server = RawServer::start(Script::respond("HTTP/1.1 204 No Content\r\n\r\n"));
    let s = door.session();
    for (typed, params, sent) in [
        ("/anything/../x/./%2e%2E/y", None, "/anything/../x/./%2e%2E/y"),
        ("/anything//a|b^`{}'\"<>", None, "/anything//a|b^`{}'\"<>"),
        ("/a/../b?c='d'", Some(("e", "f g")), "/a/../b?c='d'&e=f+g"),
        ("/a/..?", Some(("e", "f")), "/a/..?e=f"),
        ("/a/..#fragment", Some(("e", "f")), "/a/..?e=f"),
        ("?q=/../", None, "/?q=/../"),
        ("", None, "/"),
        ("/plain", Some(("e", "f")), "/plain?e=f"),
    ] {
        let url = server.url("").trim_end_matches('/').to_owned() + typed;
        let request = get(&url).params(params.into_iter().collect::<Vec<_>>());
        s.send(request.clone().path_as_is(true)).unwrap();
        let received = String::from_utf8(server.received(0)).unwrap();
        let line = received.lines().rfind(|line| line.starts_with("GET ")).unwrap();
        assert_eq!(line, format!("GET {sent} HTTP/1.1"), "{typed}");
        let prepared = s.prepare(request.path_as_is(false)).unwrap();
        assert_eq!(prepared.target, None, "{typed}");
    }
    // Not even then may a line be ended, or a word of the request line.
    for typed in ["/a b", "/\u{e9}"] {
        let url = server.url("").trim_end_matches('/').to_owned() + typed;
        let error = s.send(get(&url).path_as_is(true)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{typed}");
        assert_eq!(error.remedy(), Some("percent-encode it"));
    }
}

/// The loopback interface is the first one of each network namespace.
const LOOPBACK: &str = "1";

fn loopback() -> TcpListener {
    TcpListener::bind("[::1]:0").unwrap()
}

/// Answers each request with what its Host field says.
fn serve_hosts(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            thread::spawn(move || {
                let (mut host, mut line) = (String::new(), String::new());
                while stream.read_line(&mut line).is_ok_and(|count| count > 0) {
                    if let Some(value) = line.strip_prefix("Host: ") {
                        host = value.trim_end().to_owned();
                    }
                    if line == "\r\n" {
                        let answer = format!(
                            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{host}",
                            host.len()
                        );
                        stream.get_mut().write_all(answer.as_bytes()).unwrap();
                    }
                    line.clear();
                }
            });
        }
    });
}

fn a_zone_is_connected_to_and_not_told(door: Door) {
    let listener = loopback();
    let port = listener.local_addr().unwrap().port();
    serve_hosts(listener);
    let s = door.session();
    for authority in [format!("[::1%25{LOOPBACK}]:{port}"), format!("[::1%{LOOPBACK}]:{port}")] {
        let r = s.send(get(format!("http://{authority}/x"))).unwrap();
        assert_eq!(r.text().unwrap(), format!("[::1]:{port}"));
        assert_eq!(r.url().as_str(), format!("http://[::1]:{port}/x"));
        let Some(SocketAddr::V6(peer)) = r.remote_addr() else { panic!("{r:?}") };
        assert_eq!((peer.port(), peer.scope_id().to_string().as_str()), (port, LOOPBACK));
    }
    // By its name, where the machine has an address that is in a zone.
    let Some((address, interface)) = link_local() else { return };
    let listener = TcpListener::bind((format!("{address}%{interface}").as_str(), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    serve_hosts(listener);
    let r = s.send(get(format!("http://[{address}%25{interface}]:{port}/"))).unwrap();
    assert_eq!(r.text().unwrap(), format!("[{address}]:{port}"));
}

/// A link-local address of this machine, and its interface.
fn link_local() -> Option<(Ipv6Addr, String)> {
    let addresses = std::fs::read_to_string("/proc/net/if_inet6").ok()?;
    addresses.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok().map(Ipv6Addr::from)?;
        let interface = words.next_back()?;
        address.is_unicast_link_local().then(|| (address, interface.to_owned()))
    })
}

fn zones_have_connections_of_their_own(door: Door) {
    let listener = loopback();
    let port = listener.local_addr().unwrap().port();
    serve_hosts(listener);
    let s = door.session();
    let peer = |zone: &str| {
        let r = s.send(get(format!("http://[::1{zone}]:{port}/"))).unwrap();
        r.content().unwrap();
        let Some(SocketAddr::V6(peer)) = r.remote_addr() else { panic!("{r:?}") };
        (peer.scope_id(), r.timings().connect.is_some())
    };
    let zone = format!("%25{LOOPBACK}");
    assert_eq!(peer(&zone), (1, true));
    assert_eq!(peer(""), (0, true));
    assert_eq!(peer(&zone), (1, false));
    assert_eq!(peer(""), (0, false));
}

fn a_zone_that_is_not_there_is_named(door: Door) {
    let error = door.send(get("http://[fe80::1%25nosuch0]:1/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
    assert!(error.to_string().contains("no interface `nosuch0` for [fe80::1]"), "{error}");
}
