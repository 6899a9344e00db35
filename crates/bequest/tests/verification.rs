//! Whom to trust: directories, several sources, pins, checks of the user's own.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "tls")]

mod support;

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bequest::{Error, ErrorKind, Phase, TlsServer, Verify};
use support::{Door, doors, get};
use testbed::{Lab, Server, Testbed};

doors![
    a_directory_of_certificates,
    roots_replace_unless_they_are_added,
    a_pinned_key,
    pins_of_authorities,
    a_check_of_ones_own,
    the_system_does_not_know_the_testbed,
    rules_have_connections_of_their_own,
    unverified_with_rules_is_withdrawn_elsewhere,
];

fn a_directory_of_certificates(door: Door) {
    let (one, two) = (Testbed::start(), Testbed::start());
    let folder = tempfile::tempdir().unwrap();
    let mut s = door.session();
    *s.verify() = folder.path().into();
    fs::write(folder.path().join("any name"), one.ca_pem()).unwrap();
    s.send(get(one.https_url("/get"))).unwrap();
    assert_eq!(s.send(get(two.https_url("/get"))).unwrap_err().kind(), ErrorKind::Tls);
    // As c_rehash names them.
    fs::write(folder.path().join("0a1b2c3d.0"), two.ca_pem()).unwrap();
    s.send(get(two.https_url("/get"))).unwrap();
    // Changed in place, without a change of the directory.
    fs::write(folder.path().join("0a1b2c3d.0"), one.ca_pem()).unwrap();
    s.close();
    assert_eq!(s.send(get(two.https_url("/get"))).unwrap_err().kind(), ErrorKind::Tls);
    s.send(get(one.https_url("/get"))).unwrap();
}

fn roots_replace_unless_they_are_added(door: Door) {
    let (one, two) = (Testbed::start(), Testbed::start());
    let (own, other) = (Verify::bundle(one.ca_file()), Verify::bundle(two.ca_file()));
    let send = |server: &Testbed, verify: &Verify| {
        door.send(get(server.https_url("/get")).verify(verify.clone())).is_ok()
    };
    assert!(send(&one, &own) && !send(&two, &own) && send(&two, &other));
    assert!(send(&one, &own.clone().and_default()));
    assert!(!send(&two, &own.and_default()), "only Mozilla's are added");
    let pem = Verify::from_pem(one.ca_pem()).unwrap().and_default();
    assert!(send(&one, &pem));
    let missing = Verify::bundle("/nonexistent.pem").and_default();
    assert!(!send(&one, &missing), "what was asked for must be there");
}

/// The pin in what an error says of a server.
fn shown_pin(error: &Error) -> String {
    let message = error.to_string();
    let start = message.find("the server's is sha256/").unwrap_or_else(|| panic!("{message}"));
    message[start + 16..].split([';', ' ']).next().unwrap().to_owned()
}

fn a_pinned_key(door: Door) {
    let (server, other) = (Testbed::start(), Testbed::start());
    let own = Verify::bundle(server.ca_file());
    let foreign = format!("sha256/{}=", "A".repeat(43));
    let send = |verify: Verify| door.send(get(server.https_url("/get")).verify(verify));
    let error = send(own.clone().pinned([&foreign]).unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Some(Phase::Tls)));
    assert!(error.remedy().is_some_and(|remedy| remedy.contains("pin")), "{error}");
    let pin = shown_pin(&error);
    send(own.clone().pinned([&pin]).unwrap()).unwrap();
    send(own.clone().pinned([&foreign, &pin]).unwrap()).unwrap();
    send(own.pinned([&foreign]).unwrap().pinned([&pin]).unwrap()).unwrap();
    // A pin does not take the place of verification, unless that is off.
    let stranger = Verify::bundle(other.ca_file()).pinned([&pin]).unwrap();
    let error = send(stranger).unwrap_err().to_string();
    assert!(error.contains("issuer"), "{error}");
    send(Verify::No.pinned([&pin]).unwrap()).unwrap();
    let error = send(Verify::No.pinned([&foreign]).unwrap()).unwrap_err();
    assert_eq!(shown_pin(&error), pin);
    assert_eq!(server.requests().len(), 4);
}

/// The hexadecimal SHA-256 of a certificate's key, as openssl has it.
fn key_hash(lab: &Lab, certificate: &str) -> String {
    let path = lab.state_dir().join("certs").join(certificate);
    let script = "openssl x509 -in \"$1\" -pubkey -noout | openssl pkey -pubin -outform der | \
                  openssl dgst -sha256 -hex";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(path).stderr(Stdio::inherit());
    let output = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    output.trim().rsplit(' ').next().unwrap().to_owned()
}

fn pins_of_authorities(door: Door) {
    let lab = Lab::shared(&[Server::Badtls]);
    let url = lab.url(Server::Badtls);
    let send = |certificate: &str, verify: Verify| {
        door.send(get(url).verify(verify.pinned([key_hash(lab, certificate)]).unwrap()))
    };
    let trusted = || Verify::bundle(lab.ca_file());
    for certificate in ["bad/good.pem", "intermediate.pem", "ca.pem"] {
        send(certificate, trusted()).unwrap_or_else(|error| panic!("{certificate}: {error}"));
    }
    send("other-ca.pem", trusted()).unwrap_err();
    // It vouches for nothing if nobody vouches for it: only the server's own key counts.
    send("bad/good.pem", Verify::No).unwrap();
    send("intermediate.pem", Verify::No).unwrap_err();
    // Sent along, but not what vouches for the server.
    let base: u16 = lab.var("BADTLS_BASE").parse().unwrap();
    let misordered = format!("https://localhost:{}/", base + 6);
    let verify = |certificate| trusted().pinned([key_hash(lab, certificate)]).unwrap();
    door.send(get(&misordered).verify(verify("intermediate.pem"))).unwrap();
    door.send(get(&misordered).verify(verify("other-ca.pem"))).unwrap_err();
}

fn a_check_of_ones_own(door: Door) {
    let server = Testbed::start();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let own = Verify::bundle(server.ca_file()).checked_by(move |server: &TlsServer<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
        assert_eq!(server.name(), "localhost");
        assert!(server.certificates().len() == 1 && server.certificates()[0].len() > 100);
        assert!(server.pin().starts_with("sha256/"));
        Ok(())
    });
    let url = server.https_url("/get");
    door.send(get(&url).verify(own.clone())).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let never = own.checked_by(|_: &TlsServer<'_>| Err(Error::other("on no account")));
    let error = door.send(get(&url).verify(never)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(error.to_string().contains("on no account"), "{error}");
    // It is asked after normal verification, and does not take its place.
    let before = asked.load(Ordering::Relaxed);
    let counted = Arc::clone(&asked);
    let lenient = Verify::Yes.checked_by(move |_: &TlsServer<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    door.send(get(&url).verify(lenient)).unwrap_err();
    assert_eq!(asked.load(Ordering::Relaxed), before);
    assert_eq!(server.requests().len(), 1);
}

fn the_system_does_not_know_the_testbed(door: Door) {
    let server = Testbed::start();
    let send = |verify: Verify| door.send(get(server.https_url("/get")).verify(verify));
    let error = send(Verify::System).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Tls | ErrorKind::Unsupported), "{error:?}");
    assert!(error.remedy().is_some(), "{error}");
    assert!(server.requests().is_empty());
}

fn rules_have_connections_of_their_own(door: Door) {
    let server = Testbed::start();
    let (s, url) = (door.session(), server.https_url("/get"));
    let own = Verify::bundle(server.ca_file());
    let checked = own.clone().checked_by(|_: &TlsServer<'_>| Ok(()));
    let all = [own.clone(), own.and_default(), checked.clone(), checked.and_default(), Verify::No];
    for round in 0..2 {
        for verify in &all {
            s.send(get(&url).verify(verify.clone())).unwrap();
        }
        assert_eq!(server.https_connections(), all.len(), "round {round}");
    }
}

fn unverified_with_rules_is_withdrawn_elsewhere(door: Door) {
    let (first, second) = (Testbed::start(), Testbed::start());
    let url = |to: &Testbed| first.https_url(&format!("/redirect-to?url={}", to.https_url("/get")));
    let lax = || Verify::No.checked_by(|_: &TlsServer<'_>| Ok(()));
    door.send(get(url(&first)).verify(lax())).unwrap();
    let error = door.send(get(url(&second)).verify(lax())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(second.requests().is_empty());
}
