//! Rules of Requests' vulnerabilities.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use bequest::{CookieFile, CookieJar, ErrorKind, SendOptions};
use testbed::Testbed;

use super::support::{Door, doors, get};
use super::{ELSEWHERE, Net, run, told, variable};

doors![
    cve_2014_1829_authorization_stays_at_its_origin,
    cve_2014_1829_netrc_is_asked_for_the_new_host,
    cve_2014_1830_proxy_authorization_is_not_forwarded,
    cve_2015_2296_a_cookie_is_of_the_host_that_set_it,
    cve_2018_18074_authorization_is_dropped_from_https_to_http,
    cve_2024_35195_how_to_verify_is_of_a_connection,
    cve_2024_47081_netrc_goes_by_the_parsed_host,
    cve_2026_25645_files_have_names_that_nobody_foresees,
    an_empty_bundle_variable_does_not_mean_off,
];

const FIRST: &str = "https://first.example/";

fn cve_2014_1829_authorization_stays_at_its_origin(door: Door) {
    for to in ELSEWHERE {
        let net = Net::leading(door, 302, FIRST, to);
        net.client.send(get(FIRST).header("Authorization", "Bearer s3cret")).unwrap();
        net.client.send(get(FIRST).auth(("user", "s3cret"))).unwrap();
        let fields: Vec<_> =
            net.taken().iter().map(|seen| seen.field("authorization").is_some()).collect();
        assert_eq!(fields, [true, false, true, false], "{to}");
    }
}

const NETRC: &str = "machine first.example login a password pa\n\
                     machine second.example login b password pb\n\
                     default login d password pd\n";
/// Basic credentials as they are sent.
const A: &str = "Basic YTpwYQ==";
const B: &str = "Basic YjpwYg==";

fn with_netrc(door: Door, case: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("netrc");
    fs::write(&path, NETRC).unwrap();
    run(door, &format!("requests::{case}"), &[("NETRC", path.to_str().unwrap())]);
}

fn cve_2014_1829_netrc_is_asked_for_the_new_host(door: Door) {
    with_netrc(door, "case_new_host");
}

#[test]
#[ignore = "run by another test, with an environment"]
fn case_new_host() {
    for (to, expected) in [("https://second.example/", Some(B)), ("https://third.example/", None)] {
        let net = Net::leading(told(), 302, FIRST, to);
        net.client.send(get(FIRST)).unwrap();
        let seen = net.taken();
        assert_eq!(seen[0].field("authorization"), Some(A));
        assert_eq!(seen[1].field("authorization"), expected, "{to}");
    }
}

fn cve_2014_1830_proxy_authorization_is_not_forwarded(door: Door) {
    for to in ELSEWHERE {
        let net = Net::leading(door, 302, FIRST, to);
        net.client.send(get(FIRST).header("Proxy-Authorization", "Basic s3cret")).unwrap();
        let seen = net.taken();
        assert_eq!((seen.len(), seen[1].field("proxy-authorization")), (2, None), "{to}");
    }
}

fn cve_2015_2296_a_cookie_is_of_the_host_that_set_it(door: Door) {
    let net = Net::new(door, |request| {
        let response = bequest::Response::builder();
        match (request.url.host_str(), request.url.path()) {
            (Some("first.example"), "/") => {
                response.status(302).header("Location", "https://second.example/")
            }
            (Some("second.example"), _) => response.header("Set-Cookie", "fixed=1"),
            _ => response,
        }
    });
    net.client.send(get(FIRST)).unwrap();
    let domains: Vec<_> =
        net.client.cookies().iter().map(|cookie| cookie.domain().to_owned()).collect();
    assert_eq!(domains, ["second.example"]);
    net.taken();
    net.client.send(get("https://first.example/after")).unwrap();
    assert_eq!(net.taken()[0].field("cookie"), None);
}

fn cve_2018_18074_authorization_is_dropped_from_https_to_http(door: Door) {
    for (from, to, kept) in [
        ("https://h.example/", "http://h.example/", false),
        ("https://h.example/", "http://h.example:443/", false),
        ("http://h.example/", "https://h.example:8443/", false),
        ("http://h.example:8080/", "https://h.example/", false),
        ("http://h.example/", "https://h.example/", true),
    ] {
        let net = Net::leading(door, 302, from, to);
        net.client.send(get(from).header("Authorization", "Bearer s3cret")).unwrap();
        let seen = net.taken();
        assert_eq!(seen[1].field("authorization").is_some(), kept, "{from} to {to}");
    }
}

fn cve_2024_35195_how_to_verify_is_of_a_connection(door: Door) {
    let server = Testbed::start();
    let client = door.session();
    let url = server.https_url("/get");
    for _ in 0..2 {
        assert_eq!(client.send(get(&url).verify(false)).unwrap().status(), 200);
        let error = client.send(get(&url)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    }
    // The one that was not verified is kept for those who ask for no more.
    assert_eq!((server.requests().len(), server.https_connections()), (2, 3));
}

fn cve_2024_47081_netrc_goes_by_the_parsed_host(door: Door) {
    with_netrc(door, "case_parsed_host");
}

#[test]
#[ignore = "run by another test, with an environment"]
fn case_parsed_host() {
    for url in [
        "http://first.example:@evil.example/",
        "http://first.example:80@evil.example/",
        "http://first.example@evil.example/",
        "http://evil.example/first.example",
        "http://evil.example#@first.example/",
        "http://first.example.evil.example/",
    ] {
        let net = Net::new(told(), |_| bequest::Response::builder());
        net.client.send(get(url)).unwrap();
        let seen = net.taken();
        assert_ne!(seen[0].field("authorization"), Some(A), "{url}");
        assert!(seen[0].field("host").unwrap().ends_with("evil.example"), "{url}");
    }
}

fn cve_2026_25645_files_have_names_that_nobody_foresees(_: Door) {
    let folder = tempfile::tempdir().unwrap();
    let (path, victim) = (folder.path().join("cookies"), folder.path().join("victim"));
    fs::write(&victim, "untouched").unwrap();
    symlink(&victim, &path).unwrap();
    // What somebody else has put where a file of a foreseeable name would be made.
    for name in ["cookies.tmp", ".cookies.tmp", "cookies~", ".cookies.swp"] {
        symlink(&victim, folder.path().join(name)).unwrap();
    }
    for _ in 0..2 {
        CookieFile::json().save(&CookieJar::new(), &path).unwrap();
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    let saved = fs::symlink_metadata(&path).unwrap();
    assert!(saved.is_file(), "a link was followed");
    assert_eq!(saved.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6, "something was left behind");
}

fn an_empty_bundle_variable_does_not_mean_off(door: Door) {
    let server = Testbed::start();
    let url = server.https_url("/get");
    for name in ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"] {
        run(door, "requests::case_empty_bundle", &[(name, ""), ("CASE_URL", &url)]);
    }
    assert!(server.requests().is_empty());
}

#[test]
#[ignore = "run by another test, with an environment"]
fn case_empty_bundle() {
    let (client, url) = (told().session(), variable("CASE_URL"));
    let options = client.merge_environment(&url.parse().unwrap(), SendOptions::new());
    let request = client.prepare(get(&url)).unwrap();
    let error = client.send_prepared(request, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
}
