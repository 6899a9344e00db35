//! Servers whose certificates or handshakes are wrong for one reason each, and good ones that are
//! unusual: the kit's bad TLS server, case by case.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "tls")]

mod support;

use std::fs;
use std::time::Duration;

use bequest::{Error, ErrorKind, HttpAdapter, Verify};
use serde_json::Value;
use support::{Client, Door, doors, get};
use testbed::{Lab, Server};

doors![
    each_case_is_judged_right,
    what_there_is_none_of_is_told,
    without_verification_certificates_do_not_matter,
    a_pin_alone_still_wants_the_key,
];

#[derive(Debug)]
struct Case {
    name: String,
    url: String,
    host: String,
    accept: bool,
    differ: bool,
    is_certificate: bool,
}

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Badtls])
}

fn cases() -> Vec<Case> {
    let list: Vec<Value> =
        serde_json::from_slice(&fs::read(lab().var("BADTLS_CASES")).unwrap()).unwrap();
    let cases = list.iter().map(|case| {
        let text = |key: &str| case[key].as_str().unwrap().to_owned();
        Case {
            name: text("case"),
            url: text("url"),
            host: text("host"),
            accept: case["accept"].as_bool().unwrap(),
            differ: case["implementations_differ"].as_bool().unwrap(),
            is_certificate: case["kind"] == "certificate",
        }
    });
    cases.collect()
}

/// A session that finds the names, and trusts the lab.
fn session(door: Door, cases: &[Case]) -> Client {
    let mut adapter = HttpAdapter::new();
    for case in cases {
        if case.host.ends_with("wild.test") {
            adapter = adapter.resolve(&case.host, [127, 0, 0, 1]).unwrap();
        }
    }
    let mut s = door.session();
    s.mount("https://", adapter);
    *s.verify() = lab().ca_file().into();
    s
}

fn fetch(s: &Client, case: &Case) -> Result<Vec<u8>, Error> {
    // One of them never answers.
    let limit = Duration::from_millis(if case.name == "hang" { 300 } else { 20_000 });
    let r = s.send(get(&case.url).timeout(limit))?;
    assert_eq!(r.status(), 200, "{case:?}");
    Ok(r.content()?.to_vec())
}

/// What is said of those that are refused, and whether it is the certificate's fault or another.
const REFUSED: &[(&str, ErrorKind, &str)] = &[
    ("expired", ErrorKind::Tls, "the certificate expired on"),
    ("not-yet", ErrorKind::Tls, "the certificate is not valid before"),
    ("self-signed", ErrorKind::Tls, "the certificate is self-signed"),
    ("wrong-host", ErrorKind::Tls, "asked for localhost, the certificate is for wrong.test"),
    ("cn-only", ErrorKind::Tls, "the certificate is for no name"),
    ("dns-only", ErrorKind::Tls, "asked for 127.0.0.1, the certificate is for localhost"),
    ("ip-as-dns", ErrorKind::Tls, "asked for 127.0.0.1, the certificate is for"),
    ("ip-only-by-name", ErrorKind::Tls, "asked for localhost, the certificate is for 127.0.0.1"),
    ("wildcard-deep", ErrorKind::Tls, "asked for a.b.wild.test, the certificate is for *.wild"),
    ("wildcard-bare", ErrorKind::Tls, "asked for wild.test, the certificate is for *.wild.test"),
    ("wildcard-partial", ErrorKind::Tls, "the certificate is for a*.wild.test"),
    ("untrusted-root", ErrorKind::Tls, "issuer is unknown: `somebody else's root`"),
    ("incomplete-chain", ErrorKind::Tls, "issuer is unknown: `httpkit intermediate`"),
    ("expired-intermediate", ErrorKind::Tls, "the certificate expired on"),
    ("client-eku", ErrorKind::Tls, "is not meant for servers"),
    ("non-ca-issuer", ErrorKind::Tls, "do not make a chain that can be trusted"),
    ("pathlen", ErrorKind::Tls, "do not make a chain that can be trusted (PathLen"),
    ("name-constraints", ErrorKind::Tls, "do not make a chain that can be trusted (NameCon"),
    ("name-constraints-permitted", ErrorKind::Tls, "that can be trusted (NameConstraint"),
    ("bad-signature", ErrorKind::Tls, "was not signed by the issuer that is trusted"),
    ("wrong-signer", ErrorKind::Tls, "was not signed by the issuer that is trusted"),
    ("unknown-critical", ErrorKind::Tls, "CriticalExtension"),
    ("rsa1024", ErrorKind::Tls, "does not prove that it has the key of its certificate"),
    ("self-signed-ca", ErrorKind::Tls, "do not make a chain that can be trusted (CaUsed"),
    ("sha1", ErrorKind::Tls, "signed by a method that is not safe"),
    // asyncio's TLS hangs up without an alert.
    ("tls10", ErrorKind::Tls, HUNG_UP),
    ("tls11", ErrorKind::Tls, HUNG_UP),
    ("tls12-cbc", ErrorKind::Tls, HUNG_UP),
    ("tls12-rsa-kex", ErrorKind::Tls, HUNG_UP),
    ("tls12-null", ErrorKind::Tls, HUNG_UP),
    ("tls12-anonymous", ErrorKind::Tls, HUNG_UP),
    ("plain-http", ErrorKind::Tls, "what the server sends is not TLS"),
    ("hang", ErrorKind::ConnectTimeout, "in the TLS handshake"),
    ("close", ErrorKind::Tls, ""),
    ("reset", ErrorKind::Tls, ""),
    ("garbage", ErrorKind::Tls, "what the server sends is not TLS"),
    ("alert-handshake-failure", ErrorKind::Tls, "no cipher suite in common"),
    ("alert-protocol-version", ErrorKind::Tls, "no TLS version in common"),
    ("alert-internal-error", ErrorKind::Tls, "InternalError"),
    ("alert-unrecognized-name", ErrorKind::Tls, "does not know the name"),
    ("alert-close-notify", ErrorKind::Tls, HUNG_UP),
    ("eof-no-length", ErrorKind::IncompleteBody, "close_notify"),
    ("eof-length-short", ErrorKind::IncompleteBody, "close_notify"),
    ("eof-length-short-notify", ErrorKind::IncompleteBody, "8 bytes before its end"),
];

const HUNG_UP: &str = "the server closed the connection in the middle of it";

/// Whether those are accepted that implementations judge in different ways.
const DIFFER: &[(&str, bool)] = &[
    ("good-ed25519", true),
    ("good-misordered", true),
    ("ip-as-dns", false),
    ("wildcard-partial", false),
    ("rsa1024", false),
    ("long-lived", true),
    // Nobody has given the list that it is in.
    ("revoked", true),
    ("sha1", false),
    // CBC ciphers, and keys without forward secrecy: rustls has neither.
    ("tls12-cbc", false),
    ("tls12-rsa-kex", false),
    ("alpn-other", true),
    ("eof-no-length", false),
];

fn each_case_is_judged_right(door: Door) {
    let cases = cases();
    let s = session(door, &cases);
    let mut wrong = Vec::new();
    for case in &cases {
        let differs = DIFFER.iter().find(|(name, _)| *name == case.name);
        assert_eq!(case.differ, differs.is_some(), "{case:?}");
        let accept = differs.map_or(case.accept, |(_, accept)| *accept);
        let refused = REFUSED.iter().find(|(name, ..)| *name == case.name);
        assert_eq!(refused.is_none(), accept, "{case:?}");
        match (fetch(&s, case), refused) {
            (Ok(body), None) if !body.is_empty() => {}
            (Err(error), Some((_, kind, words)))
                if error.kind() == *kind && error.to_string().contains(words) => {}
            (outcome, _) => wrong.push((&case.name, outcome)),
        }
    }
    assert!(wrong.is_empty() && cases.len() > 60, "{wrong:#?}");
}

fn what_there_is_none_of_is_told(door: Door) {
    let cases = cases();
    let s = session(door, &cases);
    let names = ["tls10", "tls12-cbc", "tls12-rsa-kex", "tls12-null", "alert-handshake-failure"];
    for case in cases.iter().filter(|case| names.contains(&case.name.as_str())) {
        let error = fetch(&s, case).unwrap_err();
        let remedy = error.remedy().unwrap_or_else(|| panic!("{error}"));
        for suite in ["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"] {
            assert!(remedy.contains(suite), "{case:?}: {error}");
        }
    }
}

fn without_verification_certificates_do_not_matter(door: Door) {
    let cases = cases();
    let mut s = session(door, &cases);
    *s.verify() = false.into();
    for case in cases.iter().filter(|case| case.is_certificate) {
        let body = fetch(&s, case).unwrap_or_else(|error| panic!("{case:?}: {error}"));
        assert!(!body.is_empty(), "{case:?}");
    }
    // What is wrong with the connection stays so.
    for case in cases.iter().filter(|case| !case.is_certificate) {
        let is_refused = REFUSED.iter().any(|(name, ..)| *name == case.name);
        assert_eq!(fetch(&s, case).is_err(), is_refused, "{case:?}");
    }
}

fn a_pin_alone_still_wants_the_key(door: Door) {
    // Whose pin it is does not matter: the error says which it was.
    let cases = cases();
    let of = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
    let mut s = session(door, &cases);
    let wrong = format!("sha256/{}=", "A".repeat(43));
    for (name, works) in [("self-signed", true), ("rsa1024", false)] {
        *s.verify() = Verify::No.pinned([&wrong]).unwrap();
        let message = fetch(&s, of(name)).unwrap_err().to_string();
        let pin = message.split("the server's is ").nth(1).unwrap().split(';').next().unwrap();
        *s.verify() = Verify::No.pinned([pin]).unwrap();
        let sent = fetch(&s, of(name));
        assert_eq!(sent.is_ok(), works, "{name}: {sent:?}");
    }
}
