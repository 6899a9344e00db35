//! Client certificates: every form of them, what is wrong with them, and who gets to see them.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "tls")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bequest::{Error, ErrorKind, HttpAdapter, Identity, Phase, SendOptions, TlsVersion};
use serde_json::Value;
use support::{Client, Door, doors, get};
use testbed::{Lab, Server, Testbed};

doors![
    a_certificate_is_shown_in_each_form,
    kinds_of_keys,
    who_has_none_is_told_so,
    a_certificate_that_is_not_accepted,
    a_server_that_hangs_up_says_why,
    each_identity_has_connections_of_its_own,
    another_origin_does_not_see_it,
    what_is_closest_to_the_sending_is_shown,
    paths_are_read_when_they_are_needed,
    a_changed_file_is_read_again,
];

fn lab() -> &'static Lab {
    Lab::shared(&[Server::Nginx])
}

/// A session that trusts the lab.
fn session(door: Door) -> Client {
    door.trusting(lab().ca_file())
}

fn file(name: &str) -> PathBuf {
    lab().state_dir().join("certs").join(name)
}

fn text(name: &str) -> Vec<u8> {
    fs::read(file(name)).unwrap()
}

/// Certificate and key in one text.
fn both(certificate: &str, key: &str) -> Vec<u8> {
    [text(certificate), text(key)].concat()
}

/// Where a certificate must be shown, and where it may be.
fn urls() -> [String; 2] {
    ["NGINX_MTLS_URL", "NGINX_MTLS_OPTIONAL_URL"].map(|name| format!("{}/whoami", lab().var(name)))
}

/// Who the server says that the client is.
fn shown(s: &Client, url: &str, cert: impl Into<Identity>) -> String {
    let r = s.send(get(url).cert(cert)).unwrap();
    let told: Value = r.json().unwrap();
    assert_eq!(told["client_verify"], "SUCCESS", "{told}");
    told["client_dn"].as_str().unwrap().to_owned()
}

fn a_certificate_is_shown_in_each_form(door: Door) {
    let (certificate, key) = (file("client.pem"), file("client.key"));
    let text_of = |path: &Path| path.to_str().unwrap().to_owned();
    for url in urls() {
        for cert in [
            file("client-both.pem").into(),
            file("client-both.pem").as_path().into(),
            text_of(&file("client-both.pem")).into(),
            (&certificate, &key).into(),
            (text_of(&certificate).as_str(), text_of(&key)).into(),
            Identity::from_pem_file(file("client-both.pem")).unwrap(),
            Identity::from_pem_files(&certificate, &key).unwrap(),
            Identity::from_pem(both("client.pem", "client.key")).unwrap(),
            Identity::from_pem(both("client.key", "client.pem")).unwrap(),
            #[cfg(feature = "encrypted-keys")]
            Identity::from_pem_encrypted(both("client.pem", "client-encrypted.key"), "secret")
                .unwrap(),
            #[cfg(feature = "pkcs12")]
            Identity::from_pkcs12(text("client.p12"), "secret").unwrap(),
        ] {
            let s = session(door);
            assert!(shown(&s, &url, cert.clone()).contains("alice"), "{cert:?}");
        }
    }
}

fn kinds_of_keys(door: Door) {
    let s = session(door);
    for (certificate, key, name) in [
        ("client.pem", "client-ec-sec1.key", "alice"),
        ("client-rsa.pem", "client-rsa.key", "bob"),
        ("client-rsa.pem", "client-rsa-pkcs1.key", "bob"),
        ("client-ed25519.pem", "client-ed25519.key", "dave"),
    ] {
        for url in urls() {
            let cert = Identity::from_pem(both(certificate, key)).unwrap();
            assert!(shown(&s, &url, cert).contains(name), "{key} at {url}");
        }
    }
}

fn who_has_none_is_told_so(door: Door) {
    let [required, optional] = urls();
    let s = session(door);
    let r = s.send(get(required)).unwrap();
    assert_eq!(r.status(), 400);
    assert!(r.text().unwrap().contains("No required SSL certificate"));
    let told: Value = s.send(get(optional)).unwrap().json().unwrap();
    assert_eq!(told["client_verify"], "NONE");
}

fn a_certificate_that_is_not_accepted(door: Door) {
    let [required, _] = urls();
    for name in ["client-untrusted-both.pem", "client-expired-both.pem"] {
        let r = session(door).send(get(&required).cert(file(name))).unwrap();
        assert_eq!(r.status(), 400, "{name}");
        assert!(r.text().unwrap().contains("SSL certificate error"), "{name}");
    }
}

fn a_server_that_hangs_up_says_why(door: Door) {
    // In TLS 1.3 the client is through with the handshake when the server refuses.
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let server = Testbed::for_known_clients();
        let (certificate, key) = server.client_pem().unwrap();
        let mut s = door.session();
        s.mount("https://", HttpAdapter::new().tls_versions(version..=version));
        *s.verify() = server.ca_file().into();
        let url = server.https_url("/get");
        let error = s.send(get(&url)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{version}: {error}");
        assert!(error.to_string().contains("the server wants a client certificate"), "{error}");
        assert!(error.remedy().unwrap().contains(".cert("), "{error}");
        let error = s.send(get(&url).cert(file("client-both.pem"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{version}: {error}");
        assert!(error.to_string().contains("client certificate"), "{error}");
        // It is not tried again.
        let before = server.https_connections();
        s.send(get(&url).retry(3)).unwrap_err();
        assert_eq!(server.https_connections(), before + 1);
        let own = Identity::from_pem([certificate, key].concat()).unwrap();
        s.send(get(&url).cert(own)).unwrap();
        let seen = server.requests();
        assert!(seen.len() == 1 && seen[0].client.is_some(), "{seen:?}");
    }
}

fn each_identity_has_connections_of_its_own(door: Door) {
    let (s, [_, optional]) = (session(door), urls());
    let connection = |cert: Option<&str>| {
        let request = get(&optional);
        let request = match cert {
            Some(name) => request.cert(file(name)),
            None => request,
        };
        s.send(request).unwrap().json().unwrap()
    };
    let all = [None, Some("client-both.pem"), Some("client-rsa-both.pem")];
    let first = all.map(|cert| connection(cert)["connection"].as_u64().unwrap());
    assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2], "{first:?}");
    for (cert, number) in all.into_iter().zip(first) {
        let told = connection(cert);
        assert_eq!(told["connection"].as_u64(), Some(number), "{cert:?}: {told}");
    }
    // Nor does it resume what another one began.
    s.close();
    let verified = all.map(|cert| connection(cert)["client_verify"].as_str().unwrap().to_owned());
    assert_eq!(verified, ["NONE", "SUCCESS", "SUCCESS"]);
}

fn another_origin_does_not_see_it(door: Door) {
    let (server, [_, optional]) = (Testbed::start(), urls());
    let mut s = session(door);
    // What a server of another origin leads to does not learn who asks.
    let led = server.url(&format!("/redirect-to?url={optional}"));
    for from_session in [false, true] {
        let request = match from_session {
            false => get(&led).cert(file("client-both.pem")),
            true => {
                *s.cert() = Some(file("client-both.pem").into());
                get(&led)
            }
        };
        let r = s.send(request.clone()).unwrap();
        assert_eq!(r.history().len(), 1);
        assert_eq!(r.json().unwrap()["client_verify"], "NONE");
        // Nor if the caller takes the step.
        let r = s.send(request.allow_redirects(false)).unwrap().into_response();
        let next = r.next_request().unwrap().unwrap();
        let r = s.send_prepared(next, SendOptions::new()).unwrap();
        assert_eq!(r.json().unwrap()["client_verify"], "NONE");
    }
    // The same origin does.
    let base = lab().var("NGINX_MTLS_OPTIONAL_URL");
    let r = s.send(get(format!("{base}/redirect/302"))).unwrap();
    assert_eq!((r.history().len(), r.status().as_u16()), (1, 200));
    let r = s.send(get(format!("{base}/whoami"))).unwrap();
    assert_eq!(r.json().unwrap()["client_verify"], "SUCCESS");
}

fn what_is_closest_to_the_sending_is_shown(door: Door) {
    let (mut s, [_, optional]) = (session(door), urls());
    let name = |reply: support::Reply| reply.json().unwrap()["client_dn"].to_string();
    *s.cert() = Some(file("client-both.pem").into());
    assert!(name(s.send(get(&optional)).unwrap()).contains("alice"));
    let request = || get(&optional).cert(file("client-rsa-both.pem"));
    assert!(name(s.send(request()).unwrap()).contains("bob"));
    let options = SendOptions::new().cert(file("client-ed25519-both.pem"));
    let prepared = s.prepare(request()).unwrap();
    assert!(name(s.send_prepared(prepared, options).unwrap()).contains("dave"));
}

fn paths_are_read_when_they_are_needed(door: Door) {
    let server = Testbed::start();
    let s = session(door);
    let missing = || file("missing.pem");
    s.send(get(server.url("/get")).cert(missing())).unwrap();
    let error = s.send(get(&urls()[0]).cert((file("client.pem"), missing()))).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Some(Phase::Prepare)));
    assert!(error.to_string().contains("missing.pem"), "{error}");
}

fn a_changed_file_is_read_again(door: Door) {
    let (s, [required, _]) = (session(door), urls());
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.pem");
    fs::write(&own, text("client-both.pem")).unwrap();
    assert!(shown(&s, &required, &*own).contains("alice"));
    fs::write(&own, text("client-rsa-both.pem")).unwrap();
    assert!(shown(&s, &required, &*own).contains("alice"), "a connection stays what it is");
    s.close();
    assert!(shown(&s, &required, &*own).contains("bob"));
}

/// An error of an identity that can't be used: what it says.
fn refused(outcome: Result<Identity, Error>, what: &str, remedy: &str) {
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Some(Phase::Prepare)), "{error}");
    assert!(error.to_string().contains(what), "{error}");
    let told = error.remedy().unwrap_or_else(|| panic!("no remedy: {error}"));
    assert!(told.contains(remedy), "{error}");
}

#[test]
fn what_can_not_be_used_is_said_at_once() {
    refused(
        Identity::from_pem_file("/nonexistent.pem"),
        "`/nonexistent.pem` can't be read",
        "path",
    );
    refused(
        Identity::from_pem_file(file("client.pem")),
        "client.pem` has no private key",
        "both files",
    );
    refused(Identity::from_pem_file(file("client.key")), "has no client certificate", "PEM");
    let swapped = Identity::from_pem_files(file("client.key"), file("client.pem"));
    refused(swapped, "has no client certificate", "PEM");
    let wrong = Identity::from_pem_files(file("client.pem"), file("client-wrong.key"));
    refused(wrong, "is not that of the client certificate", "belong");
    let other_kind = Identity::from_pem_files(file("client.pem"), file("client-rsa.key"));
    refused(other_kind, "is not that of the client certificate", "belong");
    let encrypted = Identity::from_pem_files(file("client.pem"), file("client-encrypted.key"));
    refused(encrypted, "client-encrypted.key` is encrypted", "from_pem_encrypted");
    refused(Identity::from_pem(""), "no private key", "both files");
    refused(Identity::from_pem("no PEM"), "no private key", "both files");
    let cut = &text("client-both.pem")[..700];
    assert!(Identity::from_pem(cut).is_err());
    let nothing = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let no_key = [text("client.pem"), nothing.into()].concat();
    refused(Identity::from_pem(no_key), "private key can't be used", "RSA");
    let nothing = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_certificate = [text("client.key"), nothing.into()].concat();
    refused(Identity::from_pem(no_certificate), "malformed", "openssl");
    refused(Identity::from_pem_file("/dev/zero"), "can't be read", "path");
}

/// What openssl makes of a key; `in` is put before the arguments.
fn openssl(arguments: &[&str], key: &str) -> Vec<u8> {
    let key = file(key);
    let output = Command::new("openssl").args(arguments).arg("-in").arg(key).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
#[cfg(feature = "encrypted-keys")]
fn keys_with_a_passphrase() {
    let text = |key: Vec<u8>| [text("client.pem"), key].concat();
    let to_pkcs8 = ["pkcs8", "-topk8", "-passout", "pass:päss word"];
    for how in [
        &["-v2", "aes128"][..],
        &["-v2", "aes256", "-iter", "10000"],
        &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512"],
        &["-v2", "des3", "-v2prf", "hmacWithSHA1"],
        &["-scrypt"],
    ] {
        let pem = text(openssl(&[&to_pkcs8[..], how].concat(), "client.key"));
        Identity::from_pem_encrypted(&pem, "päss word").unwrap_or_else(|e| panic!("{how:?}: {e}"));
        for wrong in ["", "pass word"] {
            let outcome = Identity::from_pem_encrypted(&pem, wrong);
            refused(outcome, "another passphrase", "passphrase");
        }
        refused(Identity::from_pem(&pem), "is encrypted", "from_pem_encrypted");
    }
    let too_long = openssl(&[&to_pkcs8[..], &["-iter", "10000001"]].concat(), "client.key");
    refused(Identity::from_pem_encrypted(text(too_long), "x"), "takes too long", "fewer");
    let weak = openssl(&[&to_pkcs8[..], &["-v1", "PBE-SHA1-3DES"]].concat(), "client.key");
    refused(Identity::from_pem_encrypted(text(weak), "päss word"), "not safe", "-topk8");
    let old = openssl(&["rsa", "-traditional", "-aes128", "-passout", "pass:x"], "client-rsa.key");
    refused(Identity::from_pem_encrypted(text(old.clone()), "x"), "not safe", "-topk8");
    refused(Identity::from_pem(text(old)), "not safe", "-topk8");
    let plain = both("client.pem", "client.key");
    refused(Identity::from_pem_encrypted(plain, "x"), "no encrypted private key", "from_pem");
    let wrong = both("client-rsa.pem", "client-encrypted.key");
    refused(Identity::from_pem_encrypted(wrong, "secret"), "is not that of", "belong");
    for body in ["", "AAAA", "!", "MAA="] {
        let pem = format!(
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----\n"
        );
        assert!(Identity::from_pem_encrypted(text(pem.into()), "x").is_err(), "{body}");
    }
}

#[test]
#[cfg(feature = "pkcs12")]
fn files_of_pkcs_12() {
    let key = file("client.key").to_str().unwrap().to_owned();
    let certificates = file("client-ca.pem").to_str().unwrap().to_owned();
    let export = ["pkcs12", "-export", "-inkey", &key, "-passout", "pass:secret"];
    for how in [
        &[][..],
        &["-certfile", &certificates],
        &["-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC", "-macalg", "sha512"],
        &["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
    ] {
        let p12 = openssl(&[&export[..], how].concat(), "client.pem");
        Identity::from_pkcs12(&p12, "secret").unwrap_or_else(|e| panic!("{how:?}: {e}"));
        refused(Identity::from_pkcs12(&p12, "wrong"), "another passphrase", "passphrase");
        for cut in [0, 1, 10, p12.len() / 2, p12.len() - 1] {
            let error = Identity::from_pkcs12(&p12[..cut], "secret").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        }
    }
    let only = openssl(&["pkcs12", "-export", "-nokeys", "-passout", "pass:secret"], "client.pem");
    refused(Identity::from_pkcs12(only, "secret"), "no private key", "-export");
    refused(Identity::from_pkcs12(text("client-both.pem"), "secret"), "not PKCS#12", "openssl");
}

#[test]
fn what_is_shown_of_it_is_no_secret() {
    let pem = text("client-both.pem");
    let identity = Identity::from_pem(&pem).unwrap();
    assert_eq!(format!("{identity:?}"), "Identity(..)");
    let files = Identity::from(("a.pem", "b.key"));
    assert_eq!(format!("{files:?}"), "Identity(\"a.pem\", \"b.key\")");
    assert_eq!(identity, Identity::from_pem(pem).unwrap());
    assert_ne!(identity, files);
}
