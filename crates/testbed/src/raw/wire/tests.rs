use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{Client, tcp};
use crate::{Authority, Handshake, RawServer, Script};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn secured<S: Read + Write>(authority: &Authority, stream: S) -> StreamOwned<ClientConnection, S> {
    let certificate = CertificateDer::from_pem_file(authority.ca_file()).expect("PEM");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    StreamOwned::new(connection, stream)
}

/// A script that does a handshake first, met by a client.
fn met(
    rest: impl FnOnce(Script) -> Script,
) -> (RawServer, StreamOwned<ClientConnection, TcpStream>) {
    let authority = Authority::new();
    let script = rest(Script::new().tls(Handshake::whole()));
    let server = RawServer::certified(&authority, vec![script]);
    let client = secured(&authority, tcp(server.addr()));
    (server, client)
}

#[test]
fn a_script_goes_on_within_tls() {
    let (server, stream) = met(|script| script.forever(Script::new().read_head().send(OK)));
    let mut client = Client::over(stream);
    for _ in 0..3 {
        assert_eq!(client.get("/").text(), "ok");
    }
    assert!(server.received(0).starts_with(b"GET / HTTP/1.1\r\n"));
    assert_eq!((server.requests(), server.sent()), (3, 3 * OK.len()));
}

#[test]
fn tls_within_tls() {
    let authority = Authority::new();
    let script = Script::new().tls(Handshake::whole()).send("outer").tls(Handshake::whole());
    let server = RawServer::certified(&authority, vec![script.send("inner")]);
    let mut outer = secured(&authority, tcp(server.addr()));
    let mut word = [0; 5];
    outer.read_exact(&mut word).expect("the first word");
    assert_eq!(&word, b"outer");
    let mut inner = secured(&authority, outer);
    let mut rest = String::new();
    inner.read_to_string(&mut rest).expect("the second one, and a farewell");
    assert_eq!(rest, "inner");
}

#[test]
fn a_close_says_goodbye_and_a_cut_does_not() {
    let mut rest = String::new();
    let (_server, mut closed) = met(|script| script.send("all").close());
    closed.read_to_string(&mut rest).expect("a farewell");
    let (_server, mut cut) = met(|script| script.send("most").cut());
    let error = cut.read_to_string(&mut rest).expect_err("there is no farewell");
    assert_eq!((rest.as_str(), error.kind()), ("allmost", ErrorKind::UnexpectedEof));
}

#[test]
fn a_spoiled_record_is_noticed() {
    let (_server, mut stream) = met(|script| script.send_spoiled("wrong").wait_close());
    let error = stream.read(&mut [0; 5]).expect_err("the record was changed");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

/// What a client makes of a handshake, and what it has read.
fn shaken(handshake: Handshake) -> (ErrorKind, usize) {
    struct Counted(TcpStream, usize);
    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.read(buffer)?;
            self.1 += count;
            Ok(count)
        }
    }
    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            self.0.flush()
        }
    }
    let authority = Authority::new();
    let server = RawServer::certified(&authority, vec![Script::new().tls(handshake).close()]);
    let mut stream = secured(&authority, Counted(tcp(server.addr()), 0));
    let error = stream.read(&mut [0; 1]).expect_err("no handshake");
    (error.kind(), stream.sock.1)
}

#[test]
fn handshakes_are_cut_and_flipped() {
    for at in [0, 1, 100, 400] {
        assert_eq!(shaken(Handshake::cut_at(at)), (ErrorKind::UnexpectedEof, at));
    }
    for at in [0, 20, 400] {
        assert_eq!(shaken(Handshake::flipped_at(at)).0, ErrorKind::InvalidData, "at {at}");
    }
}

#[test]
fn handshakes_are_dripped() {
    let authority = Authority::new();
    let pause = Duration::from_millis(1);
    let script = Script::new().tls(Handshake::dripped_at(300, pause)).send("on time").close();
    let server = RawServer::certified(&authority, vec![script]);
    let (start, mut rest) = (Instant::now(), String::new());
    secured(&authority, tcp(server.addr())).read_to_string(&mut rest).expect("in the end");
    assert_eq!(rest, "on time");
    assert!(start.elapsed() >= pause * 100, "{:?}", start.elapsed());
}
