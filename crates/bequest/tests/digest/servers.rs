//! Against servers that are not ours.

use bequest::{Body, Digest, ErrorKind, Request};
use testbed::{Lab, Server};

use super::support::{self, Door, doors, get};
use super::{file, sent, user};

doors![
    bodies_are_sent_again,
    a_body_is_hashed_where_the_server_insists,
    httpbin_knows_its_algorithms,
    httpbin_has_nonces_that_become_stale,
    apache_knows_md5,
    apache_has_nonces_that_become_stale,
    lighttpd_knows_rfc_7616,
    the_bad_servers_challenges_end,
];

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Httpbin, Server::Apache, Server::Lighttpd, Server::Badserver])
}

fn bodies_are_sent_again(door: Door) {
    let url = format!("{}/dav-digest/digest-{door:?}", lab().url(Server::Apache));
    let s = door.session();
    let put = |body: Body| Request::new("PUT", &url).body(body).auth(user());
    for (body, expected) in [
        (Body::from("text"), "text".to_owned()),
        (Body::from(file("of a file")), "of a file".to_owned()),
        (Body::from("x".repeat(100_000)), "x".repeat(100_000)),
    ] {
        let r = s.send(put(body)).unwrap();
        assert!(r.ok() && r.history().len() == 1, "{}", r.status());
        let r = s.send(get(&url).auth(user())).unwrap();
        assert_eq!(r.text().unwrap(), expected);
    }
    let error = s.send(put(Body::chunks(["on", "ce"]))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnrewindableBody, "{error}");
    assert!(error.remedy().is_some());
    // Once the challenge is known there is no need to send it twice.
    let auth = user();
    s.send(get(&url).auth(auth.clone())).unwrap();
    let r = s.send(put(Body::chunks(["on", "ce"])).auth(auth)).unwrap();
    assert!(r.ok() && r.history().is_empty(), "{}", r.status());
    let r = s.send(get(&url).auth(user())).unwrap();
    assert_eq!(r.text().unwrap(), "once");
}

fn a_body_is_hashed_where_the_server_insists(door: Door) {
    let url = format!("{}/digest-auth/auth-int/user/passwd/SHA-256", lab().url(Server::Httpbin));
    let s = door.session();
    // httpbin hashes what it has got, but knows GET alone.
    let auth = user();
    for body in [Body::from("text"), Body::from(file("of a file")), Body::empty()] {
        let r = s.send(get(&url).body(body).auth(auth.clone())).unwrap();
        assert_eq!(r.status(), 200);
        assert_eq!(sent(r.request(), "qop").as_deref(), Some("auth-int"));
    }
}

fn httpbin_knows_its_algorithms(door: Door) {
    let s = door.session();
    for algorithm in ["MD5", "SHA-256", "SHA-512"] {
        // Where a word is neither, both are offered.
        for (qop, expected) in [("auth", "auth"), ("auth-int", "auth-int"), ("both", "auth")] {
            let base = lab().url(Server::Httpbin);
            let url = format!("{base}/digest-auth/{qop}/user/passwd/{algorithm}");
            let r = s.send(get(&url).auth(user())).unwrap();
            assert_eq!((r.status().as_u16(), r.history().len()), (200, 1), "{url}");
            assert_eq!(r.json().unwrap()["authenticated"], true);
            assert_eq!(sent(r.request(), "qop").as_deref(), Some(expected), "{url}");
            assert_eq!(sent(r.request(), "algorithm").as_deref(), Some(algorithm));
            let r = s.send(get(&url).auth(Digest::new("user", "wrong"))).unwrap();
            assert_eq!((r.status().as_u16(), r.history().len()), (401, 1), "{url}");
        }
    }
}

/// It counts in a cookie.
fn httpbin_has_nonces_that_become_stale(door: Door) {
    let url = format!("{}/digest-auth/auth/user/passwd/MD5/2", lab().url(Server::Httpbin));
    let mut s = door.session();
    s.set_auth(user());
    let mut rounds = Vec::new();
    for _ in 0..6 {
        let r = s.send(get(&url)).unwrap();
        assert_eq!(r.status(), 200);
        rounds.push(r.history().len());
    }
    assert_eq!(rounds[0], 1);
    #[cfg(feature = "cookies")]
    assert!(rounds[1..].contains(&0) && rounds[1..].contains(&1), "{rounds:?}");
}

fn apache_knows_md5(door: Door) {
    let base = lab().url(Server::Apache);
    let s = door.session();
    for (user, password, right) in [
        ("user", "passwd", true),
        ("Mufasa", "Circle Of Life", true),
        ("j\u{f6}rg", "p\u{e4}ss", true),
        ("j\u{f6}rg", "pass", false),
        ("us\"er", "passwd", false),
    ] {
        let auth = Digest::new(user, password);
        for rounds in [1, usize::from(!right)] {
            let r =
                s.send(get(format!("{base}/digest/hello.txt?a=b&c")).auth(auth.clone())).unwrap();
            assert_eq!(r.status(), if right { 200 } else { 401 }, "{user}");
            assert_eq!(r.history().len(), rounds, "{user}");
        }
        if right {
            let r = s.send(get(format!("{base}/digest-domain/hello.txt")).auth(auth)).unwrap();
            assert_eq!((r.status().as_u16(), &*r.text().unwrap()), (200, "hello\n"));
        }
    }
}

/// They live for a second, and each response brings the next one.
fn apache_has_nonces_that_become_stale(door: Door) {
    let url = format!("{}/digest-stale/hello.txt", lab().url(Server::Apache));
    let mut s = door.session();
    s.set_auth(user());
    let r = s.send(get(&url)).unwrap();
    assert_eq!((r.status().as_u16(), r.history().len()), (200, 1));
    let told = r.headers().get("authentication-info").unwrap().to_owned();
    let r = s.send(get(&url)).unwrap();
    let next = format!("nextnonce=\"{}\"", sent(r.request(), "nonce").unwrap());
    assert!(told.contains(&next), "{told}");

    let old = s.prepare(get(&url)).unwrap();
    support::until("the nonce is stale", || {
        let r = s.send_prepared(old.clone(), bequest::SendOptions::new()).unwrap();
        assert_eq!(r.status(), 200);
        let Some(earlier) = r.history().first() else { return false };
        let challenge = earlier.headers().get("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("stale=true"), "{challenge}");
        assert!(earlier.request().headers.contains("authorization"));
        true
    });
}

fn lighttpd_knows_rfc_7616(door: Door) {
    let base = lab().url(Server::Lighttpd);
    let s = door.session();
    for (path, algorithm) in
        [("md5", "MD5"), ("sha256", "SHA-256"), ("any", "SHA-256"), ("userhash", "SHA-256")]
    {
        let (url, auth) = (format!("{base}/{path}/hello.txt"), user());
        for rounds in [1, 0] {
            let r = s.send(get(&url).auth(auth.clone())).unwrap();
            assert_eq!((r.status().as_u16(), r.history().len()), (200, rounds), "{url}");
            assert_eq!(r.text().unwrap(), "hello\n");
            assert_eq!(sent(r.request(), "algorithm").as_deref(), Some(algorithm));
            let name = sent(r.request(), "username").unwrap();
            assert_eq!(name == "user", path != "userhash", "{name}");
        }
        let r = s.send(get(&url).auth(Digest::new("user", "wrong"))).unwrap();
        assert_eq!((r.status().as_u16(), r.history().len()), (401, 1), "{url}");
    }
}

fn the_bad_servers_challenges_end(door: Door) {
    let base = lab().url(Server::Badserver);
    let s = door.session();
    for (path, rounds) in [
        ("none", 0),
        ("unknown", 0),
        ("digest-always", 1),
        ("digest-stale-always", 2),
        ("digest-no-nonce", 0),
        ("digest-unknown-algorithm", 0),
        ("digest-no-realm", 0),
        ("digest-qop-unknown", 0),
        ("digest-md5-sess", 1),
        ("digest-unquoted", 1),
        ("digest-escapes", 1),
        ("two-in-one-line", 1),
        ("digest-second-line", 1),
        ("garbage", 0),
        ("407", 0),
    ] {
        let r = s.send(get(format!("{base}/auth/{path}")).auth(user())).unwrap();
        let status = if path == "407" { 407 } else { 401 };
        assert_eq!((r.status().as_u16(), r.history().len()), (status, rounds), "{path}");
    }
}
