//! Bodies of servers that are not ours, large and packed: every byte, however it is read.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Read;
use std::sync::LazyLock;

use bequest::{Bytes, Request, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};
use support::{Client, Door, Reply, doors, get};
use testbed::{Lab, Server, Testbed};

doors![
    small_bodies_are_unpacked,
    streams_arrive_whole,
    parts_are_what_was_asked_for,
    pages_in_utf8_are_text,
    pages_link_to_others,
    large_files_are_unpacked,
    lines_of_large_files,
    a_large_file_that_can_not_be_packed,
    a_large_file_comes_in_parts,
];

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Httpbin, Server::Nginx, Server::Apache, Server::Caddy])
}

/// A session that trusts the lab.
fn session(door: Door) -> Client {
    door.trusting(lab().ca_file())
}

/// httpbin without and with TLS, and the testbed, which answers alike.
fn httpbins(testbed: &Testbed) -> [String; 3] {
    let httpbin = |name| lab().var(name).to_owned();
    [httpbin("HTTPBIN_URL"), httpbin("HTTPBIN_TLS_URL"), testbed.url("")]
        .map(|url| url.trim_end_matches('/').to_owned())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file that three servers have, and pack: seven megabytes of numbers.
static MILLION: LazyLock<String> =
    LazyLock::new(|| (1..=1_000_000).map(|number| format!("{number}\n")).collect());

/// The content by an iterator.
fn pieces(s: &Client, request: Request, size: impl Into<Option<usize>>) -> Vec<Bytes> {
    whole(s.send(request.stream(true)).unwrap().iter_content(size))
}

fn whole<T>(items: impl Iterator<Item = Result<T>>) -> Vec<T> {
    items.collect::<Result<_>>().unwrap()
}

fn sent(r: &Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    r.raw().read_to_end(&mut bytes).unwrap();
    bytes
}

fn small_bodies_are_unpacked(door: Door) {
    let (s, testbed) = (session(door), Testbed::start());
    for base in httpbins(&testbed) {
        for (path, coding, flag) in [
            ("gzip", "gzip", "gzipped"),
            ("deflate", "deflate", "deflated"),
            ("brotli", "br", "brotli"),
        ] {
            let url = format!("{base}/{path}");
            let r = s.send(get(&url)).unwrap();
            assert_eq!(r.headers().get("content-encoding"), Some(coding), "{url}");
            assert_eq!(r.json().unwrap()[flag], true, "{url}");
            assert_eq!(r.text().unwrap().as_bytes(), r.content().unwrap(), "{url}");
            let streamed: Value =
                serde_json::from_slice(&pieces(&s, get(&url), 7).concat()).unwrap();
            assert_eq!(streamed, r.json().unwrap(), "{url}");
            let r = s.send(get(&url).stream(true)).unwrap();
            let length = r.content_length();
            let sent = sent(&r);
            assert_eq!(
                length,
                Some(sent.len() as u64),
                "{url}: the length is that of what was sent"
            );
            assert!(serde_json::from_slice::<Value>(&sent).is_err(), "{url}");
        }
    }
}

fn streams_arrive_whole(door: Door) {
    let (s, testbed) = (session(door), Testbed::start());
    for base in httpbins(&testbed) {
        let url = |path: &str| get(format!("{base}/{path}"));
        for count in [1, 10, 100] {
            let text = pieces(&s, url(&format!("stream/{count}")), None).concat();
            let ids: Vec<Value> = text
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| serde_json::from_slice::<Value>(line).unwrap()["id"].clone())
                .collect();
            assert_eq!(ids, (0..count).map(Value::from).collect::<Vec<_>>(), "{base}");
        }
        let drip = url("drip?numbytes=20&duration=0.2&delay=0");
        assert_eq!(pieces(&s, drip, None).concat(), [b'*'; 20], "{base}");
        let bytes = s.send(url("bytes/50000?seed=7")).unwrap().content().unwrap();
        assert_eq!(bytes.len(), 50_000, "{base}");
        let streamed = || url("stream-bytes/50000?seed=7&chunk_size=777");
        let parts = pieces(&s, streamed(), 1000);
        assert_eq!(parts.concat(), bytes, "{base}: the seed makes them the same");
        assert!(parts.iter().all(|part| part.len() == 1000), "{base}: chunks don't show");
        assert_eq!(s.send(streamed()).unwrap().content().unwrap(), bytes, "{base}");
    }
}

fn parts_are_what_was_asked_for(door: Door) {
    let (s, testbed) = (session(door), Testbed::start());
    let letters: String = ('a'..='z').cycle().take(1024).collect();
    for base in httpbins(&testbed) {
        let url = || get(format!("{base}/range/1024?chunk_size=100&duration=0"));
        let r = s.send(url()).unwrap();
        assert_eq!((r.status().as_u16(), r.text().unwrap()), (200, letters.clone()), "{base}");
        let r = s.send(url().header("Range", "bytes=10-299")).unwrap();
        assert_eq!(r.status(), 206, "{base}");
        assert_eq!(r.headers().get("content-range"), Some("bytes 10-299/1024"), "{base}");
        assert_eq!(r.text().unwrap(), letters[10..300], "{base}");
        let parts = pieces(&s, url().header("Range", "bytes=1000-"), 10);
        assert_eq!(parts.concat(), &letters.as_bytes()[1000..], "{base}");
        let r = s.send(url().header("Range", "bytes=2000-")).unwrap();
        assert_eq!(r.status(), 416, "{base}");
    }
}

fn pages_in_utf8_are_text(door: Door) {
    let (s, testbed) = (session(door), Testbed::start());
    for base in httpbins(&testbed) {
        let url = || get(format!("{base}/encoding/utf8"));
        let r = s.send(url()).unwrap();
        let text = r.text().unwrap();
        assert!(text.contains('\u{2200}') && r.content().unwrap() == text, "{base}");
        for size in [1, 2, 3, 64] {
            let r = s.send(url().stream(true)).unwrap();
            assert_eq!(whole(r.iter_content(size).decode_unicode()).concat(), text, "{base}");
        }
        let r = s.send(url().stream(true)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(whole(r.iter_lines().decode_unicode()), lines, "{base}");
    }
}

fn pages_link_to_others(door: Door) {
    let (s, testbed) = (session(door), Testbed::start());
    for base in httpbins(&testbed) {
        let page = s.send(get(format!("{base}/links/10/3"))).unwrap().text().unwrap();
        let targets: Vec<&str> =
            page.split("<a href='").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
        let expected = (0..10).filter(|page| *page != 3).map(|page| format!("/links/10/{page}"));
        assert_eq!(targets, expected.collect::<Vec<_>>(), "{base}");
    }
    for base in [lab().var("NGINX_URL"), lab().var("NGINX_TLS_URL")] {
        let r = s.send(get(format!("{base}/headers"))).unwrap().into_response();
        let links = r.links();
        assert_eq!(links.get("next").unwrap().url(), format!("{base}/a"));
        assert_eq!(links.get("next").unwrap().param("title"), Some("a"));
        assert_eq!(links.get("last").unwrap().target(), "/b");
    }
}

/// Each server, in each coding that it has.
const PACKED: [(&str, &str, &str); 6] = [
    ("NGINX", "/million.txt", "identity"),
    ("NGINX", "/gzip/million.txt", "gzip"),
    ("APACHE", "/deflate/million.txt", "gzip"),
    ("APACHE", "/brotli/million.txt", "br"),
    ("CADDY", "/million.txt", "gzip"),
    ("CADDY", "/million.txt", "zstd"),
];

fn large_files_are_unpacked(door: Door) {
    let s = session(door);
    for (server, path, coding) in PACKED {
        for base in [lab().var(&format!("{server}_URL")), lab().var(&format!("{server}_TLS_URL"))] {
            let url = || get(format!("{base}{path}")).header("Accept-Encoding", coding);
            let r = s.send(url()).unwrap();
            let named = r.headers().get("content-encoding").unwrap_or("identity");
            assert_eq!(named, coding, "{base}{path}");
            assert!(r.content().unwrap() == MILLION.as_bytes(), "{base}{path} in {coding}");
            for size in [None, Some(100_000)] {
                assert!(
                    pieces(&s, url(), size).concat() == MILLION.as_bytes(),
                    "{base}{path} in {coding}, pieces of {size:?}"
                );
            }
            let r = s.send(url().stream(true)).unwrap();
            let sent = sent(&r).len();
            assert_eq!(sent < MILLION.len() / 2, coding != "identity", "{base}{path} in {coding}");
        }
    }
}

fn lines_of_large_files(door: Door) {
    let s = session(door);
    // Each coding once.
    for (server, path, coding) in [PACKED[1], PACKED[3], PACKED[5]] {
        let url = format!("{}{path}", lab().var(&format!("{server}_URL")));
        let request = get(&url).header("Accept-Encoding", coding).stream(true);
        let r = s.send(request).unwrap();
        let mut count = 0;
        // By turns, so that each goes on where the other stopped.
        while count < 1_000_000 {
            let mut lines = r.iter_lines();
            for line in lines.by_ref().take(99_999) {
                count += 1;
                assert_eq!(line.unwrap(), count.to_string(), "{url}");
            }
            drop(lines);
            if let Some(line) = r.iter_lines().delimiter("\n").decode_unicode().next() {
                count += 1;
                assert_eq!(line.unwrap(), count.to_string(), "{url}");
            }
        }
        assert!(r.iter_content(None).next().is_none_or(|end| end.is_err()), "{url}");
    }
}

/// The file is random: packing it makes it larger.
fn a_large_file_that_can_not_be_packed(door: Door) {
    let s = session(door);
    for base in [lab().var("NGINX_URL"), lab().var("NGINX_TLS_URL")] {
        let told = s.send(get(format!("{base}/big.bin.sha256.txt"))).unwrap().text().unwrap();
        let request = get(format!("{base}/gzip/big.bin")).header("Accept-Encoding", "gzip");
        let r = s.send(request.stream(true)).unwrap();
        assert_eq!(r.headers().get("content-encoding"), Some("gzip"));
        let mut content = Vec::new();
        assert_eq!(r.reader().read_to_end(&mut content).unwrap(), 64 << 20);
        assert_eq!(told.split(' ').next(), Some(&*sha256(&content)));
    }
}

fn a_large_file_comes_in_parts(door: Door) {
    let s = session(door);
    let part = |base: &str, path: &str, range: &str| {
        s.send(get(format!("{base}{path}")).header("Range", format!("bytes={range}"))).unwrap()
    };
    for server in ["NGINX", "APACHE", "CADDY"] {
        let base = lab().var(&format!("{server}_URL"));
        let ranges = ["0-999999", "1000000-6000000", "6000001-"];
        let parts = ranges.map(|range| part(base, "/million.txt", range));
        assert!(parts.iter().all(|r| r.status() == 206), "{server}");
        let content = parts.map(|r| r.content().unwrap()).concat();
        assert_eq!(sha256(&content), sha256(MILLION.as_bytes()), "{server}");
        let r = part(base, "/million.txt", "-8");
        let length = MILLION.len();
        let expected = format!("bytes {}-{}/{length}", length - 8, length - 1);
        assert_eq!(r.headers().get("content-range"), Some(&*expected), "{server}");
        assert_eq!(r.content().unwrap(), "1000000\n", "{server}");
        let r = part(base, "/million.txt", "0-1,4-5");
        assert_eq!(r.status(), 206, "{server}");
        let kind = r.headers().get("content-type").unwrap();
        assert!(kind.starts_with("multipart/byteranges"), "{server}: {kind}");
        let parts = r.text().unwrap().to_ascii_lowercase();
        assert_eq!(parts.matches("content-range: bytes").count(), 2, "{server}");
    }
    assert_eq!(part(lab().var("NGINX_URL"), "/million.txt", "99999999-").status(), 416);
}
