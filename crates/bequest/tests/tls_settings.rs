//! What an adapter sets for its TLS connections, and what a response tells of them.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "tls")]

mod support;

use std::fs;
use std::process::Command;

use bequest::{
    Adapter, BoxFuture, CryptoProvider, ErrorKind, HttpAdapter, Phase, PreparedRequest, Proxies,
    Response, Result, Settings, TlsVersion,
};
use serde_json::Value;
use support::hello::Hello;
use support::{Client, Door, Reply, case, doors, get};
use testbed::{Lab, Server, Testbed};

doors![
    what_was_agreed_on_is_told,
    #[cfg(feature = "http2")]
    http2_is_told_and_shares_the_settings,
    without_tls_nothing_is_told,
    versions_are_offered_as_they_are_allowed,
    servers_of_one_version,
    an_adapter_of_ones_own_sets_the_version,
    cipher_suites_are_offered_in_order,
    which_protocols_are_offered,
    the_name_is_told_or_not,
    the_name_of_the_server_can_be_said,
    sessions_are_resumed_unless_that_is_off,
    sessions_are_not_shared_between_settings,
    each_provider_connects,
    revoked_certificates_are_refused,
    lists_that_are_none,
    keys_are_logged_only_when_that_is_asked_for,
    proxies_are_spoken_to_in_the_same_way,
];

/// A session with that adapter for https.
fn session(door: Door, adapter: impl Adapter) -> Client {
    let mut s = door.session();
    s.mount("https://", adapter);
    s
}

/// What a session with that adapter offers to a server of that host name.
fn offered(door: Door, adapter: HttpAdapter, host: &str) -> Hello {
    let s = session(door, adapter);
    Hello::of(|port| {
        let error = s.send(get(format!("https://{host}:{port}/"))).unwrap_err();
        assert!(error.is_connection(), "{error:?}");
    })
}

/// nginx, and a session that trusts it.
fn nginx(door: Door, adapter: impl Adapter) -> (&'static Lab, Client) {
    let lab = Lab::shared(&[Server::Nginx]);
    let mut s = session(door, adapter);
    *s.verify() = lab.ca_file().into();
    (lab, s)
}

/// What the server says of the connection.
fn whoami(r: &Reply) -> Value {
    r.json().unwrap()
}

fn what_was_agreed_on_is_told(door: Door) {
    let (lab, s) = nginx(door, HttpAdapter::new().tls_resumption(false));
    for (name, version) in
        [("NGINX_TLS12_URL", TlsVersion::V1_2), ("NGINX_TLS13_URL", TlsVersion::V1_3)]
    {
        let r = s.send(get(format!("{}/whoami", lab.var(name)))).unwrap();
        let (tls, told) = (r.tls().unwrap(), whoami(&r));
        assert_eq!(tls.version(), version);
        assert_eq!(told["tls"], tls.version().to_string().replace("TLS ", "TLSv"));
        assert_eq!((tls.alpn(), &told["alpn"]), (Some(&b"http/1.1"[..]), &"http/1.1".into()));
        assert_eq!((tls.server_name(), &told["sni"]), (Some("localhost"), &"localhost".into()));
        assert!(!tls.is_resumed() && told["resumed"] == ".", "{told}");
        assert!(tls.key_exchange().is_some(), "{tls:?}");
        // OpenSSL has names of its own for those of TLS 1.2.
        assert!(tls.cipher_suite().starts_with("TLS_"), "{tls:?}");
        if version == TlsVersion::V1_3 {
            assert_eq!(told["cipher"], tls.cipher_suite());
        }
        // The server's own and the one between it and the root.
        assert_eq!(tls.certificates().len(), 2);
        assert!(tls.certificates().all(|der| der.starts_with(&[0x30, 0x82])));
    }
    // It stays with the connection.
    let url = format!("{}/whoami", lab.var("NGINX_TLS13_URL"));
    let r = s.send(get(&url)).unwrap();
    assert_eq!(whoami(&r)["requests_on_connection"], 2);
    assert_eq!(r.tls().unwrap().version(), TlsVersion::V1_3);
}

#[cfg(feature = "http2")]
fn http2_is_told_and_shares_the_settings(door: Door) {
    let versions = bequest::HttpVersions::Negotiate;
    let adapter = HttpAdapter::new().http_versions(versions).tls_versions(..=TlsVersion::V1_2);
    let (lab, s) = nginx(door, adapter);
    for count in 1..=2 {
        let r = s.send(get(format!("{}/whoami", lab.var("NGINX_TLS_URL")))).unwrap();
        let told = whoami(&r);
        assert_eq!(told["protocol"], "HTTP/2.0", "{told}");
        assert_eq!(told["requests_on_connection"], count, "{told}");
        let tls = r.tls().unwrap();
        assert_eq!((tls.version(), tls.alpn()), (TlsVersion::V1_2, Some(&b"h2"[..])));
    }
}

fn without_tls_nothing_is_told(door: Door) {
    let server = Testbed::start();
    assert!(door.send(get(server.url("/get"))).unwrap().tls().is_none());
    // What leads to a proxy is not what leads to the server.
    let proxy = testbed::Proxy::start();
    let proxies = Proxies::new().all(proxy.url("http")).unwrap();
    let r = door.send(get(server.url("/get")).proxies(&proxies)).unwrap();
    assert!(r.tls().is_none());
    let r = door.send(get(server.https_url("/get")).proxies(&proxies).verify(server.ca_file()));
    assert_eq!(r.unwrap().tls().unwrap().version(), TlsVersion::V1_3, "in a tunnel");
}

fn versions_are_offered_as_they_are_allowed(door: Door) {
    use TlsVersion::{V1_2, V1_3};
    let offers = |adapter| offered(door, adapter, "localhost").versions();
    let (both, old, new) = (vec![0x0304, 0x0303], vec![0x0303], vec![0x0304]);
    assert_eq!(offers(HttpAdapter::new()), both);
    for (adapter, expected) in [
        (HttpAdapter::new().tls_versions(..), &both),
        (HttpAdapter::new().tls_versions(V1_2..), &both),
        (HttpAdapter::new().tls_versions(V1_2..=V1_2), &old),
        (HttpAdapter::new().tls_versions(V1_2..V1_3), &old),
        (HttpAdapter::new().tls_versions(..=V1_2), &old),
        (HttpAdapter::new().tls_versions(V1_3..), &new),
        (HttpAdapter::new().tls_versions(V1_3..=V1_3), &new),
    ] {
        assert_eq!(offers(adapter), *expected);
    }
    // What allows none is told at the first request, not sent.
    let server = Testbed::start();
    let adapter = HttpAdapter::new().tls_versions(V1_2..V1_2);
    let error = session(door, adapter).send(get(server.https_url("/get"))).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Some(Phase::Prepare)), "{error}");
    assert!(error.remedy().unwrap().contains("tls_versions"), "{error}");
    assert!(server.requests().is_empty());
}

fn servers_of_one_version(door: Door) {
    for (allowed, works, fails) in [
        (TlsVersion::V1_2, "NGINX_TLS12_URL", "NGINX_TLS13_URL"),
        (TlsVersion::V1_3, "NGINX_TLS13_URL", "NGINX_TLS12_URL"),
    ] {
        let (lab, s) = nginx(door, HttpAdapter::new().tls_versions(allowed..=allowed));
        let r = s.send(get(format!("{}/whoami", lab.var(works)))).unwrap();
        assert_eq!(r.tls().unwrap().version(), allowed);
        let error = s.send(get(format!("{}/whoami", lab.var(fails)))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains("no TLS version in common"), "{error}");
        assert!(error.remedy().unwrap().contains("tls_versions"), "{error}");
    }
}

/// As Requests' documentation does it: a transport adapter that is one, with other settings.
struct OldTls(HttpAdapter);

impl OldTls {
    fn new() -> Self {
        Self(HttpAdapter::new().tls_versions(..=TlsVersion::V1_2))
    }
}

impl Adapter for OldTls {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        self.0.send(request, settings)
    }

    fn close(&self) {
        self.0.close();
    }
}

fn an_adapter_of_ones_own_sets_the_version(door: Door) {
    let (lab, mut s) = nginx(door, HttpAdapter::new());
    let [one, other] = ["NGINX_H1TLS_URL", "NGINX_TLS13_URL"].map(|name| lab.var(name));
    s.mount(one, OldTls::new());
    let told = whoami(&s.send(get(format!("{one}/whoami"))).unwrap());
    assert_eq!(told["tls"], "TLSv1.2");
    let told = whoami(&s.send(get(format!("{other}/whoami"))).unwrap());
    assert_eq!(told["tls"], "TLSv1.3", "the others are as before");
}

fn cipher_suites_are_offered_in_order(door: Door) {
    let offers = |names: &[&str]| {
        let adapter = HttpAdapter::new().cipher_suites(names).unwrap();
        let hello = offered(door, adapter, "localhost");
        // The last one says that there is no renegotiation: it is none.
        let real: Vec<u16> = hello.suites.iter().copied().filter(|suite| *suite != 0xFF).collect();
        (real, hello.versions())
    };
    let [aes, chacha, old] = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ];
    assert_eq!(offers(&[chacha, aes]), (vec![0x1303, 0x1301], vec![0x0304]), "TLS 1.3 alone");
    assert_eq!(offers(&[old]), (vec![0xC02B], vec![0x0303]), "TLS 1.2 alone");
    let both = offers(&[old, &aes.to_lowercase(), old]);
    assert_eq!(both, (vec![0xC02B, 0x1301], vec![0x0304, 0x0303]));
    // One that the server has, and one that it has not.
    let server = Testbed::start();
    let s = session(door, HttpAdapter::new().cipher_suites([chacha]).unwrap());
    let r = s.send(get(server.https_url("/get")).verify(server.ca_file())).unwrap();
    assert_eq!(r.tls().unwrap().cipher_suite(), chacha);
    let adapter =
        HttpAdapter::new().cipher_suites([aes]).unwrap().tls_versions(..=TlsVersion::V1_2);
    let error = session(door, adapter).send(get(server.https_url("/get"))).unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Some(Phase::Prepare)), "{error}");
    assert!(error.remedy().unwrap().contains("cipher_suites"), "{error}");
    // What is not there: too old, of another naming, or nothing at all.
    for names in [&["TLS_RSA_WITH_AES_128_CBC_SHA"][..], &["AES128-SHA", aes], &[""], &[]] {
        let error = HttpAdapter::new().cipher_suites(names).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(names.first().is_none_or(|name| error.to_string().contains(name)), "{error}");
        let remedy = error.remedy().unwrap();
        assert!([aes, chacha, old].iter().all(|known| remedy.contains(known)), "{remedy}");
    }
}

fn which_protocols_are_offered(door: Door) {
    let offers = |adapter| offered(door, adapter, "localhost").alpn();
    assert_eq!(offers(HttpAdapter::new()), ["http/1.1"]);
    assert_eq!(offers(HttpAdapter::new().alpn(["x", "http/1.1"]).unwrap()), ["x", "http/1.1"]);
    let none: [&str; 0] = [];
    assert_eq!(offers(HttpAdapter::new().alpn(none).unwrap()), none);
    for refused in ["h2", "", &"x".repeat(256)] {
        let error = HttpAdapter::new().alpn([refused]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.remedy().is_some(), "{error}");
    }
    assert!(HttpAdapter::new().alpn(vec!["x".repeat(255); 257]).is_err(), "more than 64 KiB");
    let server = Testbed::start();
    let fetch = |adapter| {
        let s = session(door, adapter);
        s.send(get(server.https_url("/get")).verify(server.ca_file()))
    };
    let r = fetch(HttpAdapter::new().alpn(none).unwrap()).unwrap();
    assert_eq!(r.tls().unwrap().alpn(), None);
    let error = fetch(HttpAdapter::new().alpn(["x"]).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.remedy().unwrap().contains("alpn"), "{error}");
}

fn the_name_is_told_or_not(door: Door) {
    let name = |adapter, host| offered(door, adapter, host).server_name();
    assert_eq!(name(HttpAdapter::new(), "localhost").as_deref(), Some("localhost"));
    assert_eq!(name(HttpAdapter::new(), "127.0.0.1"), None);
    assert_eq!(name(HttpAdapter::new().sni(false), "localhost"), None);
    assert_eq!(name(HttpAdapter::new().sni(false).sni(true), "localhost").unwrap(), "localhost");
    // It is verified all the same.
    let server = Testbed::start();
    let s = session(door, HttpAdapter::new().sni(false));
    let r = s.send(get(server.https_url("/get")).verify(server.ca_file())).unwrap();
    assert_eq!(r.tls().unwrap().server_name(), None);
    let wrong = HttpAdapter::new().sni(false).server_name("example.org").unwrap();
    let url = server.https_url("/get");
    let error = session(door, wrong).send(get(&url).verify(server.ca_file())).unwrap_err();
    assert!(error.to_string().contains("asked for example.org"), "{error}");
}

fn the_name_of_the_server_can_be_said(door: Door) {
    let other = || HttpAdapter::new().server_name("www.example.org").unwrap();
    let told = offered(door, other(), "127.0.0.1").server_name();
    assert_eq!(told.as_deref(), Some("www.example.org"));
    // The certificate has to be for that name.
    let server = Testbed::start();
    let url = server.https_url("/get");
    let error = session(door, other()).send(get(&url).verify(server.ca_file())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    let message = error.to_string();
    assert!(message.contains("asked for www.example.org, the certificate is for"), "{message}");
    let s = session(door, HttpAdapter::new().server_name("localhost").unwrap());
    let url = format!("https://{}/get", server.https_addr());
    let r = s.send(get(&url).verify(server.ca_file())).unwrap();
    assert_eq!(r.tls().unwrap().server_name(), Some("localhost"));
    assert_eq!(r.json().unwrap()["url"], url, "nothing else goes by it");
    for name in ["", "a b", "-", "http://localhost"] {
        assert_eq!(HttpAdapter::new().server_name(name).unwrap_err().kind(), ErrorKind::InvalidUrl);
    }
}

/// Whether the second of two connections resumes the session of the first.
fn resumes(s: &Client, url: &str) -> bool {
    let fetch = || s.send(get(url).header("Connection", "close")).unwrap();
    fetch();
    fetch().tls().unwrap().is_resumed()
}

fn sessions_are_resumed_unless_that_is_off(door: Door) {
    for versions in [TlsVersion::V1_2..=TlsVersion::V1_2, TlsVersion::V1_3..=TlsVersion::V1_3] {
        let adapter = HttpAdapter::new().tls_versions(versions.clone());
        let (lab, s) = nginx(door, adapter.clone());
        let url = format!("{}/whoami", lab.var("NGINX_H1TLS_URL"));
        assert!(resumes(&s, &url), "{versions:?}");
        let r = s.send(get(&url)).unwrap();
        assert_eq!(whoami(&r)["resumed"], "r", "the server says so, too");
        assert_eq!(r.tls().unwrap().certificates().len(), 2, "of the first connection");
        let (_, s) = nginx(door, adapter.tls_resumption(false));
        assert!(!resumes(&s, &url), "{versions:?}");
    }
}

fn sessions_are_not_shared_between_settings(door: Door) {
    let lab = nginx(door, HttpAdapter::new()).0;
    let url = format!("{}/whoami", lab.var("NGINX_H1TLS_URL"));
    // A list of its own for each run, so that no other test has begun a session with it.
    let unlike = || HttpAdapter::new().alpn([format!("{door:?}"), "http/1.1".into()]).unwrap();
    let is_resumed = |adapter: HttpAdapter| {
        let (_, s) = nginx(door, adapter);
        s.send(get(&url)).unwrap().tls().unwrap().is_resumed()
    };
    assert!(!is_resumed(unlike()));
    assert!(is_resumed(unlike()), "another adapter of the same settings");
    type Change = fn(HttpAdapter) -> HttpAdapter;
    let others: [(&str, Change); 3] = [
        ("versions", |adapter| adapter.tls_versions(TlsVersion::V1_3..)),
        ("suites", |adapter| adapter.cipher_suites(["TLS_AES_256_GCM_SHA384"]).unwrap()),
        ("names", |adapter| adapter.sni(false)),
    ];
    for (what, changed) in others {
        assert!(!is_resumed(changed(unlike())), "{what}");
        assert!(is_resumed(changed(unlike())), "{what}");
    }
    // Nor with who trusts others.
    let (_, mut s) = nginx(door, unlike());
    *s.verify() = bequest::Verify::bundle(lab.ca_file()).and_default();
    assert!(!s.send(get(&url)).unwrap().tls().unwrap().is_resumed());
}

fn each_provider_connects(door: Door) {
    use CryptoProvider::{AwsLc, Composed, Ring};
    let server = Testbed::start();
    for (provider, is_compiled) in [
        (Composed, cfg!(any(feature = "ring", feature = "aws-lc-rs"))),
        (Ring, cfg!(feature = "ring")),
        (AwsLc, cfg!(feature = "aws-lc-rs")),
    ] {
        let adapter = match HttpAdapter::new().crypto_provider(provider) {
            Ok(adapter) => adapter,
            Err(error) => {
                assert!(!is_compiled && error.kind() == ErrorKind::Unsupported, "{error}");
                assert!(error.remedy().unwrap().contains("feature"), "{error}");
                continue;
            }
        };
        assert!(is_compiled, "{provider:?}");
        // Groups of key exchange: aws-lc-rs' first is one that quantum computers do not break.
        let groups = offered(door, adapter.clone(), "localhost").groups();
        let is_hybrid = groups.first() == Some(&0x11EC);
        let own_aws = provider == AwsLc || (provider == Composed && !cfg!(feature = "ring"));
        assert_eq!(is_hybrid, own_aws, "{provider:?}: {groups:?}");
        for versions in [TlsVersion::V1_2..=TlsVersion::V1_2, TlsVersion::V1_3..=TlsVersion::V1_3] {
            let s = session(door, adapter.clone().tls_versions(versions));
            let r = s.send(get(server.https_url("/big/100000")).verify(server.ca_file())).unwrap();
            assert_eq!(r.content().unwrap(), testbed::pattern(100_000), "{provider:?}");
        }
    }
}

fn revoked_certificates_are_refused(door: Door) {
    let lab = Lab::shared(&[Server::Badtls]);
    let base: u16 = lab.var("BADTLS_BASE").parse().unwrap();
    let url = |case: u16| format!("https://localhost:{}/", base + case);
    let (good, revoked) = (url(0), url(34));
    let list = |name: &str| fs::read(lab.state_dir().join("certs").join(name)).unwrap();
    let send = |lists: &[&str], url: &str| {
        let lists = lists.iter().map(|name| list(name));
        let mut s = session(door, HttpAdapter::new().crls(lists).unwrap());
        *s.verify() = lab.ca_file().into();
        s.send(get(url)).map(drop)
    };
    send(&[], &revoked).unwrap();
    send(&["crl.pem"], &good).unwrap();
    for (lists, url, why) in [
        (&["crl.pem"][..], &revoked, "is revoked"),
        (&["crl-leaf-only.pem", "crl.pem"], &revoked, "is revoked"),
        (&["crl-intermediate-revoked.pem"], &good, "is revoked"),
        (&["crl-leaf-only.pem"], &good, "no revocation list"),
        (&["crl-expired.pem"], &good, "the revocation list expired on"),
    ] {
        let error = send(lists, url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains(why), "{lists:?}: {error}");
        assert!(error.remedy().is_some(), "{error}");
    }
    // As DER.
    let path = lab.state_dir().join("certs/crl-leaf-only.pem");
    let mut openssl = Command::new("openssl");
    let der = openssl.args(["crl", "-outform", "DER", "-in"]).arg(path).output().unwrap().stdout;
    let adapter = HttpAdapter::new().crls([der, list("crl.pem")]).unwrap();
    let error = session(door, adapter).send(get(&revoked).verify(lab.ca_file())).unwrap_err();
    assert!(error.to_string().contains("is revoked"), "{error}");
}

fn lists_that_are_none(_door: Door) {
    let server = Testbed::start();
    let broken = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    let cut = "-----BEGIN X509 CRL-----\nAAAA\n";
    for list in ["", "no list", "0", "0\u{3}abc", broken, cut, server.ca_pem()] {
        let error = HttpAdapter::new().crls([list]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{list:?}: {error}");
        assert!(error.remedy().unwrap().contains("X509 CRL"), "{error}");
    }
}

fn keys_are_logged_only_when_that_is_asked_for(door: Door) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let run = |asked: &str, path: &std::path::Path| {
        let mut child = case::command(door, "case_with_a_key_log");
        child.env("SSLKEYLOGFILE", path).env("CASE_ASKED", asked);
        case::run(child)
    };
    run("no", &path);
    assert!(!path.exists());
    run("yes", &path);
    let text = fs::read_to_string(&path).unwrap();
    for label in ["CLIENT_RANDOM", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"] {
        assert!(text.lines().any(|line| line.split(' ').next() == Some(label)), "{text}");
    }
    for line in text.lines() {
        let [_, random, secret] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert!(random.len() == 64 && secret.len() >= 64, "{line}");
        assert!([random, secret].concat().bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
    }
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // More is added to it.
    run("yes", &path);
    assert!(fs::read_to_string(&path).unwrap().starts_with(&text));
    assert!(run("fails", folder.path()).contains("the key log"));
}

#[test]
#[ignore = "has an environment of its own"]
fn case_with_a_key_log() {
    let Some(door) = case::door() else { return };
    let asked = std::env::var("CASE_ASKED").unwrap();
    let server = Testbed::start();
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let adapter = HttpAdapter::new().key_log(asked != "no").tls_versions(version..=version);
        let s = session(door, adapter);
        let sent = s.send(get(server.https_url("/get")).verify(server.ca_file()));
        if asked == "fails" {
            let error = sent.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Tls);
            assert!(error.remedy().unwrap().contains("SSLKEYLOGFILE"), "{error}");
            println!("{error}");
        } else {
            assert_eq!(sent.unwrap().status(), 200);
        }
    }
}

fn proxies_are_spoken_to_in_the_same_way(door: Door) {
    let adapter = HttpAdapter::new()
        .tls_versions(..=TlsVersion::V1_2)
        .server_name("example.org")
        .and_then(|adapter| adapter.alpn(["x"]))
        .unwrap()
        .sni(false);
    for scheme in ["http", "https"] {
        let mut s = door.session();
        s.mount("http://", adapter.clone());
        s.mount("https://", adapter.clone());
        let hello = Hello::of(|port| {
            let proxies = Proxies::new().all(format!("https://localhost:{port}")).unwrap();
            let sent = s.send(get(format!("{scheme}://example.org/")).proxies(proxies));
            assert_eq!(sent.unwrap_err().kind(), ErrorKind::Proxy);
        });
        assert_eq!(hello.versions(), [0x0303], "{scheme}");
        // What is meant for the origin is not for the proxy.
        assert_eq!(hello.server_name().as_deref(), Some("localhost"), "{scheme}");
        assert_eq!(hello.alpn(), ["http/1.1"], "{scheme}");
    }
}
