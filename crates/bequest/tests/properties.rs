//! What holds for any input: requests are what was asked for, and forms arrive as they were meant.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use bequest::{Headers, Request};
use percent_encoding::percent_decode_str;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use support::{Client, Door, doors, get, post};
use testbed::{Lab, Server};
use url::form_urlencoded;

doors![forms_arrive_at_httpbin];

#[cfg(feature = "multipart")]
#[path = "properties/multipart.rs"]
mod multipart;

/// A test of so many inputs. One that fails is told in its smallest form.
fn check<S: Strategy>(cases: u32, inputs: S, test: impl Fn(S::Value)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&inputs, |input| {
        test(input);
        Ok(())
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
}

/// Any text, with more of what means something somewhere.
fn text() -> impl Strategy<Value = String> {
    let special = select("\"\\\r\n\t\0;=&?#%+ 02DA-ü".chars().collect::<Vec<_>>());
    let chars = vec(prop_oneof![any::<char>(), special], 0..12);
    chars.prop_map(|chars| chars.into_iter().collect())
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((text(), text()), 0..6)
}

fn token() -> impl Strategy<Value = String> {
    let chars = b"!#$%&'*+-.^_`|~0123456789abcxyzABCXYZ".map(char::from);
    vec(select(chars.to_vec()), 1..12).prop_map(|chars| chars.into_iter().collect())
}

fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let decides =
        |name: &str| matches!(name, "host" | "content-length" | "transfer-encoding" | "expect");
    let name = token().prop_filter("it decides more", move |name| !decides(&name.to_lowercase()));
    let byte = any::<u8>().prop_map(|byte| if byte < 0x20 || byte == 0x7f { b' ' } else { byte });
    let value = vec(byte, 0..20);
    (name, value.prop_filter("white space at its beginning", |value| value.first() != Some(&b' ')))
}

/// One segment of a path as it may be typed, its escapes left out.
fn segment() -> impl Strategy<Value = String> {
    let is_path = |c: &char| !c.is_control() && !"?#%\\/. ".contains(*c);
    vec(any::<char>().prop_filter("not of a path", is_path), 0..6)
        .prop_map(|chars| chars.into_iter().collect())
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[test]
fn a_head_says_what_was_asked_for() {
    let path = vec(segment(), 1..4).prop_map(|segments| segments.join("/"));
    let body = prop_oneof![Just(Vec::new()), vec(any::<u8>(), 0..40)];
    let inputs = (token(), path, pairs(), vec(header(), 0..8), body);
    check(400, inputs, |(method, path, pairs, headers, body)| {
        let given: Headers = headers.iter().cloned().collect();
        let request = Request::new(&method, format!("http://h/{path}")).params(&pairs);
        let prepared = request.headers(given).body(body.clone()).prepare().unwrap();
        let head = prepared.wire_head().unwrap();

        let mut places = [httparse::EMPTY_HEADER; 16];
        let mut parsed = httparse::Request::new(&mut places);
        assert_eq!(parsed.parse(&head).unwrap(), httparse::Status::Complete(head.len()));
        assert_eq!(parsed.method.unwrap(), method.to_ascii_uppercase());
        assert_eq!(parsed.version, Some(1));
        let (told, query) = parsed.path.unwrap().split_once('?').unzip();
        let told = told.unwrap_or(parsed.path.unwrap_or_default());
        assert_eq!(percent_decode_str(told).decode_utf8().unwrap(), format!("/{path}"));
        let query: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        assert_eq!(query, pairs);

        let mut expected = vec![("Host".to_owned(), "h".to_owned())];
        expected.extend(headers.iter().map(|(name, value)| {
            let end = value.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
            (name.clone(), shown(&value[..end]))
        }));
        let expects_body = !matches!(&*method.to_ascii_uppercase(), "GET" | "HEAD");
        if expects_body || !body.is_empty() {
            expected.push(("Content-Length".to_owned(), body.len().to_string()));
        }
        let told: Vec<_> = parsed
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), shown(field.value)))
            .collect();
        assert_eq!(told, expected);
        assert_eq!(prepared.body.as_bytes(), Some(&body[..]));
    });
}

#[test]
fn parameters_read_back_as_they_were_given() {
    check(400, (pairs(), pairs()), |(first, second)| {
        let mut url = url::Url::parse("http://h/p#fragment").unwrap();
        if !first.is_empty() {
            url.query_pairs_mut().extend_pairs(&first);
        }
        let prepared = get(url).params(&second).prepare().unwrap();
        let told: Vec<(String, String)> = prepared.url.query_pairs().into_owned().collect();
        assert_eq!(told, [first, second].concat());
        assert_eq!(prepared.url.fragment(), Some("fragment"));
    });
}

fn httpbin(door: Door) -> (Client, String) {
    let lab = Lab::shared(&[Server::Httpbin]);
    (door.session(), format!("{}/post", lab.var("HTTPBIN_URL")))
}

/// As httpbin shows it: a value, or a list where a name repeats.
fn grouped(pairs: impl IntoIterator<Item = (String, String)>) -> Value {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in pairs {
        groups.entry(name).or_default().push(value);
    }
    let flat = |values: Vec<String>| match &values[..] {
        [one] => json!(one),
        several => json!(several),
    };
    groups.into_iter().map(|(name, values)| (name, flat(values))).collect()
}

fn forms_arrive_at_httpbin(door: Door) {
    let (s, url) = httpbin(door);
    check(200, pairs(), |pairs| {
        let r = s.send(post(&url).form(&pairs)).unwrap();
        assert_eq!(r.json().unwrap()["form"], grouped(pairs));
    });
}
