//! Rules of urllib3's vulnerabilities, and of those of what it is built on.

use std::io::Read as _;
use std::time::{Duration, Instant};

use bequest::{ErrorKind, Request, SendOptions};
use testbed::{Authority, Handshake, RawServer, Script, Testbed};

use super::support::bomb::Bomb;
use super::support::{Door, PATIENCE, doors, get, post};
use super::{ELSEWHERE, Net};

doors![
    cve_2016_9015_servers_are_verified_unless_told_otherwise,
    cve_2018_20060_fields_are_dropped_in_any_case,
    cve_2019_11236_no_line_ends_in_a_request,
    cve_2019_11324_own_roots_replace_the_others,
    cve_2020_7212_escaping_takes_linear_time,
    cve_2020_26137_methods_are_tokens,
    cve_2021_33503_at_signs_take_linear_time,
    cve_2023_43804_cookie_fields_stay_at_their_origin,
    cve_2023_45803_a_body_goes_with_its_method,
    cve_2024_37891_proxy_authorization_stays_at_its_origin,
    cve_2025_50181_the_sessions_limit_of_redirects_holds,
    cve_2025_66418_codings_are_limited,
    cve_2025_66471_decoding_goes_as_far_as_is_read,
    cve_2026_21441_bodies_of_redirects_are_not_decoded,
    cve_2026_44431_all_redirects_follow_the_same_rules,
    cve_2026_44432_no_more_than_asked_for_in_any_order,
    cve_2026_97688_decoding_comes_to_an_end,
    cve_2026_97689_chunk_lines_are_limited,
    hosts_are_strict_and_canonical,
    cve_2024_3651_names_take_linear_time,
];

const FIRST: &str = "https://first.example/";

fn cve_2016_9015_servers_are_verified_unless_told_otherwise(door: Door) {
    let server = Testbed::start();
    let error = door.send(get(server.https_url("/get"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(server.requests().is_empty());
}

fn cve_2018_20060_fields_are_dropped_in_any_case(door: Door) {
    let fields = ["aUTHORIZATION", "COOKIE", "Proxy-authorization", "x-API-key", "hOST"];
    for to in ELSEWHERE {
        let net = Net::leading(door, 302, FIRST, to);
        let mut request = get(FIRST);
        for name in fields {
            request = request.header(name, "s3cret");
        }
        net.client.send(request).unwrap();
        let seen = net.taken();
        assert_eq!(seen[0].head.matches("s3cret").count(), fields.len(), "{}", seen[0].head);
        assert!(!seen[1].head.contains("s3cret"), "{to}: {}", seen[1].head);
    }
}

/// Such a request is refused, or what was tried is in it in an escaped form.
fn cve_2019_11236_no_line_ends_in_a_request(door: Door) {
    let tries =
        ["\r\nX-Evil: y", "\nX-Evil: y", "\rX-Evil: y", "\0X-Evil: y", " HTTP/1.1\r\nX-Evil: y"];
    let client = door.session();
    for bad in tries {
        for request in [
            get(format!("http://h.example/{bad}")),
            get(format!("http://h.example/?q={bad}")),
            get(format!("http://h.example{bad}/")),
            get(format!("http://h.example:80{bad}/")),
            get(format!("http://user{bad}@h.example/")),
            get("http://h.example/").params([("k", bad), (bad, "v")]),
            get("http://h.example/").header("X-Good", bad),
            get("http://h.example/").header(bad, "good"),
            get("http://h.example/").cookie("k", bad),
            get("http://h.example/").auth(("user", bad)),
        ] {
            let Ok(prepared) = client.prepare(request) else { continue };
            let Ok(head) = prepared.wire_head() else { continue };
            let head = String::from_utf8(head).unwrap();
            let fields = head.trim_end().split("\r\n").skip(1);
            let known = ["Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"];
            for field in fields {
                let name = field.split(':').next().unwrap();
                assert!(
                    known.contains(&name) || ["Authorization", "Cookie"].contains(&name),
                    "{bad:?}: {head}"
                );
            }
            let line = head.lines().next().unwrap();
            assert_eq!(line.split(' ').count(), 3, "{bad:?}: {line}");
        }
    }
}

fn cve_2019_11324_own_roots_replace_the_others(door: Door) {
    let (one, other) = (Testbed::start(), Testbed::start());
    let mut client = door.session();
    *client.verify() = one.ca_file().into();
    assert_eq!(client.send(get(one.https_url("/get"))).unwrap().status(), 200);
    let error = client.send(get(one.https_url("/get")).verify(other.ca_file())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert_eq!(one.requests().len(), 1);
}

/// What takes a time that grows with the square of the length takes hours.
#[track_caller]
fn soon<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    assert!(start.elapsed() < Duration::from_secs(5), "{what} took {:?}", start.elapsed());
    done
}

const MANY: usize = 1 << 20;

fn cve_2020_7212_escaping_takes_linear_time(door: Door) {
    let client = door.session();
    for piece in ["%", "%2", "%zz", "%25", "ä", " ", "../", "&&", "=%"] {
        let long = piece.repeat(MANY / piece.len());
        for url in [
            format!("http://h.example/{long}"),
            format!("http://h.example/?{long}"),
            format!("http://h.example/#{long}"),
        ] {
            // Whether it is one is another question.
            let _ = soon(piece, || client.prepare(get(&url)));
        }
    }
}

fn cve_2020_26137_methods_are_tokens(door: Door) {
    let client = door.session();
    for method in
        ["GET / HTTP/1.1\r\nX: y\r\n\r\nGET", "GET\n", "GET ", "G ET", "G\0", "", "GÉT", "(GET)"]
    {
        let error = client.prepare(Request::new(method, "http://h.example/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidMethod, "{method:?}");
    }
}

fn cve_2021_33503_at_signs_take_linear_time(door: Door) {
    let client = door.session();
    for piece in ["@", ":@", "a@", "@:", "[", "]", "@["] {
        let long = piece.repeat(MANY / piece.len());
        for url in [format!("http://{long}"), format!("http://{long}@h.example/")] {
            let _ = soon(piece, || client.prepare(get(&url)));
        }
    }
}

fn cve_2024_3651_names_take_linear_time(door: Door) {
    let client = door.session();
    for piece in ["\u{221a}", "\u{df}", "a.", "xn--", "\u{663}", "\u{300}", "\u{11a}\u{300}"] {
        let long = piece.repeat((MANY / 16) / piece.len());
        let _ = soon(piece, || client.prepare(get(format!("http://{long}.example/"))));
    }
}

fn cve_2023_43804_cookie_fields_stay_at_their_origin(door: Door) {
    for to in ELSEWHERE {
        let net = Net::leading(door, 302, FIRST, to);
        net.client.send(get(FIRST).header("Cookie", "k=s3cret")).unwrap();
        net.client.cookies().set("own", "kept", "https://second.example/").unwrap();
        net.client.send(get(FIRST).cookie("k", "s3cret")).unwrap();
        let seen = net.taken();
        assert!(seen[0].head.contains("s3cret") && seen[2].head.contains("s3cret"));
        assert_eq!(seen[1].field("cookie"), None, "{to}");
        // The jar's own cookie of the other host is there.
        let own = to.starts_with("https://second").then_some("own=kept");
        assert_eq!(seen[3].field("cookie"), own, "{to}");
    }
}

fn cve_2023_45803_a_body_goes_with_its_method(door: Door) {
    for status in [301, 302, 303] {
        let net = Net::leading(door, status, FIRST, "https://first.example/there");
        let request = post(FIRST).body("s3cret").header("Content-Type", "text/s3cret");
        let request = request.header("Content-Encoding", "s3cret").header("Content-MD5", "s3cret");
        net.client.send(request.header("Content-Language", "s3cret")).unwrap();
        let seen = net.taken();
        assert_eq!((seen[0].method.as_str(), seen[1].method.as_str()), ("POST", "GET"));
        assert_eq!(seen[0].head.matches("s3cret").count(), 4);
        let head = seen[1].head.to_ascii_lowercase();
        assert!(!head.contains("content-") && !head.contains("transfer-encoding"), "{head}");
    }
}

fn cve_2024_37891_proxy_authorization_stays_at_its_origin(door: Door) {
    for name in ["Proxy-Authorization", "proxy-authorization", "PROXY-AUTHORIZATION"] {
        let net = Net::leading(door, 307, FIRST, "https://second.example/");
        net.client.send(post(FIRST).body("x").header(name, "Basic s3cret")).unwrap();
        let seen = net.taken();
        assert!(seen[0].head.contains("s3cret") && !seen[1].head.contains("s3cret"), "{name}");
    }
}

fn cve_2025_50181_the_sessions_limit_of_redirects_holds(door: Door) {
    let mut net =
        Net::new(door, |_| bequest::Response::builder().status(302).header("Location", "/again"));
    for limit in [0, 2] {
        *net.client.max_redirects() = limit;
        for prepared in [false, true] {
            let result = match prepared {
                false => net.client.send(get(FIRST)),
                true => {
                    let request = net.client.prepare(get(FIRST)).unwrap();
                    net.client.send_prepared(request, SendOptions::new())
                }
            };
            assert_eq!(result.unwrap_err().kind(), ErrorKind::TooManyRedirects);
            assert_eq!(net.taken().len(), limit as usize + 1);
        }
    }
}

fn coded(codings: &str, body: impl Into<Vec<u8>>) -> Script {
    let body = body.into();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: {codings}\r\nContent-Length: {length}\r\n\r\n"
    );
    Script::respond([head.into_bytes(), body].concat())
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(data, flate2::Compression::fast());
    encoder.read_to_end(&mut out).unwrap();
    out
}

fn cve_2025_66418_codings_are_limited(door: Door) {
    for (count, ok) in [(5, true), (6, false), (1000, false)] {
        let body = (0..count.min(10)).fold(b"text".to_vec(), |body, _| gzip(&body));
        let server = RawServer::start(coded(&vec!["gzip"; count].join(", "), body));
        match door.send(get(server.url("/"))) {
            Ok(reply) => assert_eq!((reply.text().unwrap().as_str(), ok), ("text", true)),
            Err(error) => assert_eq!((error.kind(), ok), (ErrorKind::ContentDecoding, false)),
        }
    }
}

/// Of a body that never ends, however much a byte of it decodes to.
fn cve_2025_66471_decoding_goes_as_far_as_is_read(door: Door) {
    for bomb in Bomb::all() {
        let server = RawServer::start(bomb.script(1 << 14));
        let response = door.send(get(server.url("/")).stream(true)).unwrap();
        let mut some = [1; 100];
        soon(bomb.coding, || response.reader().read_exact(&mut some)).unwrap();
        assert_eq!(some, [0; 100], "{}", bomb.coding);
    }
}

/// A body that is no gzip, and has no end.
fn cve_2026_21441_bodies_of_redirects_are_not_decoded(door: Door) {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Encoding: gzip\r\n";
    let short = format!("{redirect}Content-Length: 5\r\n\r\nwrong");
    let endless = Script::new().read_head().send(format!("{redirect}\r\n"));
    let endless = endless.forever(Script::new().send("wrong".repeat(1000)));
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere";
    let then = || Script::new().forever(Script::new().read_head().send(ok));
    for script in [Script::new().read_head().send(short).read_head().send(ok), endless] {
        let server = RawServer::sequence(vec![script, then()]);
        let reply = soon("a redirect", || door.send(get(server.url("/")))).unwrap();
        assert_eq!(reply.text().unwrap(), "there");
        assert_eq!(reply.history().len(), 1);
    }
}

/// There is one place that makes the next request: who follows by hand gets the same one, and an
/// adapter alone follows nothing.
fn cve_2026_44431_all_redirects_follow_the_same_rules(door: Door) {
    let net = Net::leading(door, 307, FIRST, "https://second.example/");
    let request = || post(FIRST).body("x").header("Cookie", "k=s3cret");
    let request = || request().header("Authorization", "s3cret").header("X-Api-Key", "s3cret");
    net.client.send(request()).unwrap();
    let reply = net.client.send(request().allow_redirects(false)).unwrap();
    assert_eq!(reply.status(), 307);
    assert_eq!(net.taken().len(), 3, "an adapter followed a redirect");
    let next = reply.next_request().unwrap().unwrap();
    assert_eq!(next.url.as_str(), "https://second.example/");
    net.client.send(request()).unwrap();
    let by_session = net.taken().pop().unwrap().head;
    let by_hand = String::from_utf8(next.wire_head().unwrap()).unwrap();
    assert!(!by_session.contains("s3cret") && !by_hand.contains("s3cret"), "{by_hand}");
    assert_eq!(by_session, by_hand);
}

/// Readers, pieces and lines in turn, of every size.
fn cve_2026_44432_no_more_than_asked_for_in_any_order(door: Door) {
    for bomb in Bomb::all() {
        let server = RawServer::start(bomb.script(16));
        let response = door.send(get(server.url("/")).stream(true)).unwrap();
        let mut whole = 0;
        for (turn, size) in [1, 7, 4096, 3, 65_536, 2, 100_000, 1, 1 << 20].into_iter().enumerate()
        {
            let count = if turn % 2 == 0 {
                let mut room = vec![1; size];
                response.reader().read(&mut room).unwrap()
            } else {
                response.iter_content(size).next().unwrap().unwrap().len()
            };
            assert!((1..=size).contains(&count), "{}: {count} of {size}", bomb.coding);
            whole += count;
        }
        let rest: usize = response.iter_content(1 << 16).map(|piece| piece.unwrap().len()).sum();
        assert_eq!(whole + rest, (16 << 20) + bomb.more, "{}", bomb.coding);
    }
}

/// Bytes behind the end of the data, or nothing but empty blocks.
fn cve_2026_97688_decoding_comes_to_an_end(door: Door) {
    let zlib = [0x78, 0x9c, 0x4b, 0xcc, 0x4c, 0x04, 0x00, 0x02, 0x4d, 0x01, 0x2c];
    let raw = [0x4b, 0xcc, 0x4c, 0x04, 0x00];
    let zeros = [0; 10_000];
    for (coding, body) in [
        ("deflate", [&zlib[..], &zeros].concat()),
        ("deflate", [&raw[..], &zeros].concat()),
        ("deflate", [&zlib[..], &zlib].concat()),
        ("gzip", [gzip(b"aia"), zeros.to_vec()].concat()),
        // Stored blocks of no length.
        ("deflate", [0, 0, 0, 0xff, 0xff].repeat(10_000)),
    ] {
        let server = RawServer::start(coded(coding, body));
        let mut client = door.session();
        *client.timeout() = PATIENCE.into();
        match soon(coding, || client.send(get(server.url("/")))) {
            Ok(reply) => assert_eq!(reply.text().unwrap(), "aia", "{coding}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ContentDecoding, "{coding}: {error}"),
        }
    }
}

fn cve_2026_97689_chunk_lines_are_limited(door: Door) {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for start in ["", "0", "1;", "1;a=\"", "4\r\nbody\r\n;", "0\r\nX: ", "0\r\n"] {
        let more = if start.ends_with('\n') { "X: y\r\n" } else { "0000000000" };
        let endless = Script::new().read_head().send(format!("{chunked}{start}"));
        let server = RawServer::start(endless.forever(Script::new().send(more.repeat(100))));
        let error = soon(start, || door.send(get(server.url("/")))).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::ChunkedEncoding | ErrorKind::TooLarge),
            "{start:?}: {error}"
        );
    }
}

/// Forms of IPv4 addresses that systems know are that address, for the certificate too; what is no
/// host is refused.
fn hosts_are_strict_and_canonical(door: Door) {
    let client = door.session();
    for host in ["0x7f000001", "2130706433", "0177.0.0.1", "127.1", "0x7f.1", "127.0.0.1."] {
        let prepared = client.prepare(get(format!("https://{host}/"))).unwrap();
        assert_eq!(prepared.url.host_str(), Some("127.0.0.1"), "{host}");
    }
    for host in [
        "a b",
        "a%00b",
        "a%0d%0ab",
        "a%20b",
        "a\u{7f}b",
        "a<b",
        "a|b",
        "a^b",
        "[::1",
        "::1]",
        "256.0.0.1",
        "1.2.3.4.5",
        "0x100000000",
        "[::g]",
        "a%2fb",
        "a%40b",
    ] {
        let error = client.prepare(get(format!("https://{host}/"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{host}: {error}");
    }
    // The certificate is of 127.0.0.1, so that it is known which name was asked for.
    let authority = Authority::new();
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let server = RawServer::certified(
        &authority,
        vec![Script::new().tls(Handshake::whole()).read_head().send(ok)],
    );
    let request = get(format!("https://0x7f000001:{}/", server.addr().port()));
    assert_eq!(client.send(request.verify(authority.ca_file())).unwrap().text().unwrap(), "ok");
}
