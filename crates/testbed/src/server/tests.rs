use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;
use crate::client::{Client, tcp, until};

fn tls(
    testbed: &Testbed,
    pem: &[u8],
    name: &'static str,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem).expect("PEM")).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"x".to_vec(), b"http/1.1".to_vec()];
    let name = name.try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    StreamOwned::new(connection, tcp(testbed.https_addr()))
}

#[test]
fn https_with_the_authority_given() {
    let testbed = Testbed::start();
    for name in ["localhost", "127.0.0.1", "::1"] {
        let pem = std::fs::read(testbed.ca_file()).expect("the file");
        let mut client = Client::over(tls(&testbed, &pem, name));
        let response = client.get("/get?over=tls");
        assert_eq!(response.status, 200);
        assert_eq!(response.json()["url"], "https://test/get?over=tls");
        assert_eq!(client.stream().conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    assert_eq!((testbed.connections(), testbed.https_connections()), (0, 3));
    assert!(testbed.requests().iter().all(|request| request.secure));
}

#[test]
fn https_with_the_authority_of_another_server() {
    let (testbed, other) = (Testbed::start(), Testbed::start());
    let mut stream = tls(&testbed, other.ca_pem().as_bytes(), "localhost");
    let error = stream.read(&mut [0]).expect_err("an unknown issuer");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn urls_name_the_listeners() {
    let testbed = Testbed::start();
    assert_eq!(testbed.url("/a?b"), format!("http://{}/a?b", testbed.addr()));
    assert_eq!(testbed.url("a"), testbed.url("/a"));
    let port = testbed.https_addr().port();
    assert_eq!(testbed.https_url("/a"), format!("https://localhost:{port}/a"));
}

#[test]
fn drop_closes_everything_and_frees_the_ports() {
    let testbed = Testbed::start();
    let addresses = [testbed.addr(), testbed.https_addr()];
    let file = testbed.ca_file().to_owned();
    let mut idle = Client::connect(testbed.addr());
    idle.get("/get");
    let mut waiting = Client::connect(testbed.addr());
    waiting.write("GET /delay/3600 HTTP/1.1\r\nHost: test\r\n\r\n");
    until("the request arrives", || testbed.requests().len() == 2);
    let start = Instant::now();
    drop(testbed);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(idle.at_end());
    assert!(waiting.at_end());
    assert!(!file.exists());
    for address in addresses {
        TcpListener::bind(address).expect("the port is free");
    }
}

#[test]
fn connections_are_counted() {
    let testbed = Testbed::start();
    let mut first = Client::connect(testbed.addr());
    let mut second = Client::connect(testbed.addr());
    assert_eq!(first.get("/connection").json()["connection"], 1);
    assert_eq!(second.get("/connection").json()["connection"], 2);
    let again = second.get("/connection").json();
    assert_eq!((&again["connection"], &again["requests"]), (&2.into(), &2.into()));
    assert_eq!(testbed.open_connections(), 2);
    drop(first);
    until("one is closed", || testbed.open_connections() == 1);
    assert_eq!((testbed.connections(), testbed.most_connections()), (2, 2));
}

#[test]
fn requests_are_recorded() {
    let testbed = Testbed::start();
    let mut client = Client::connect(testbed.addr());
    client.send("PROPFIND", "/anything?x", "a/b", "12345");
    client.request("GET", "/get", &["B: 1", "a: 2", "b: 3"]);
    let [first, second] = testbed.requests().try_into().expect("two requests");
    assert_eq!((first.method.as_str(), first.target.as_str()), ("PROPFIND", "/anything?x"));
    assert_eq!((first.body_length, first.connection, first.secure), (5, 1, false));
    assert_eq!(first.header("content-TYPE"), Some("a/b"));
    let names: Vec<_> = second.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Host", "B", "a", "b"]);
}

#[tokio::test]
async fn async_callers_can_start_and_drop_it() {
    let testbed = Testbed::start();
    let stream = tokio::net::TcpStream::connect(testbed.addr()).await.expect("a connection");
    until("it is accepted", || testbed.connections() == 1);
    drop(testbed);
    drop(stream);
}
