//! URLs as callers write them: what is read as what, what is sent of it, and who is connected to.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use bequest::{ErrorKind, Response, adapter_fn};
use support::{Door, doors, get};
use testbed::Testbed;

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
