//! What can't be undercut: a socket, a request that was written before, httparse, no allocation.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use harness::{BUFFER, Job};
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn main() {
    let job = Job::from_args();
    match job.ca_pem() {
        Some(pem) => {
            let config = tls(&pem);
            run(&job, |address| {
                let socket = TcpStream::connect(address)?;
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                let connection = ClientConnection::new(Arc::clone(&config), name);
                Ok(StreamOwned::new(connection.map_err(io::Error::other)?, socket))
            });
        }
        None => run(&job, |address| TcpStream::connect(address)),
    }
}

fn tls(pem: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem).expect("a certificate")).expect("a root");
    let suites = aws_lc_rs::DEFAULT_CIPHER_SUITES.to_vec();
    let provider = CryptoProvider { cipher_suites: suites, ..ring::default_provider() };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn run<S: Read + Write>(job: &Job, connect: impl Fn((&str, u16)) -> io::Result<S>) {
    let (host, port, _) = parts(&job.url);
    let connect = || connect((host, port)).expect("a connection");
    let mut stream = connect();
    let mut buffer = vec![0; BUFFER];
    if let Some(first) = &job.first {
        exchange(&mut stream, &head("GET", first, ""), &mut buffer);
    }
    let close = job.url.contains("/close/");
    match job.mode.as_str() {
        "get" | "get-parsed" | "download" => {
            let request = head("GET", &job.url, "");
            let mut fresh = true;
            job.run(
                |_| 0,
                |_| {
                    if close && !fresh {
                        stream = connect();
                    }
                    fresh = false;
                    exchange(&mut stream, &request, &mut buffer)
                },
            );
        }
        "upload" => {
            let length = format!("Content-Length: {}\r\n", job.file().1);
            let request = head("PUT", &job.url, &length);
            let mut block = vec![0; BUFFER];
            job.run(
                |_| 0,
                |_| {
                    let (mut file, _) = job.file();
                    stream.write_all(&request).expect("to be sent");
                    loop {
                        match file.read(&mut block).expect("the file") {
                            0 => break,
                            n => stream.write_all(&block[..n]).expect("to be sent"),
                        }
                    }
                    let (from, to, _) = receive(&mut stream, &mut buffer);
                    harness::number(&buffer[from..to])
                },
            );
        }
        other => harness::cannot(other),
    }
}

fn parts(url: &str) -> (&str, u16, &str) {
    let (_, rest) = url.split_once("://").expect("a URL");
    let (authority, path) = rest.split_once('/').expect("a path");
    let (host, port) = authority.split_once(':').expect("a port");
    (host, port.parse().expect("a port"), path)
}

fn head(method: &str, url: &str, more: &str) -> Vec<u8> {
    let (host, port, path) = parts(url);
    format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: raw\r\nAccept: */*\r\n\
         {more}\r\n"
    )
    .into_bytes()
}

/// The length of the response's body.
fn exchange(stream: &mut (impl Read + Write), request: &[u8], buffer: &mut [u8]) -> u64 {
    stream.write_all(request).expect("to be sent");
    receive(stream, buffer).2
}

/// Where in the buffer the body began and ended, as far as it's there, and its length.
fn receive(stream: &mut impl Read, buffer: &mut [u8]) -> (usize, usize, u64) {
    let mut filled = 0;
    let (head, length) = loop {
        match stream.read(&mut buffer[filled..]).expect("a response") {
            0 => panic!("closed"),
            n => filled += n,
        }
        if let Some(found) = parse(&buffer[..filled]) {
            break found;
        }
    };
    let mut left = length - (filled - head) as u64;
    while left > 0 {
        match stream.read(buffer).expect("a body") {
            0 => panic!("closed"),
            n => left -= n as u64,
        }
    }
    (head, filled, length)
}

/// The head's length and the body's, when the head is whole.
fn parse(bytes: &[u8]) -> Option<(usize, u64)> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).expect("HTTP/1.1") else {
        return None;
    };
    assert_eq!(response.code, Some(200));
    let length = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let length = std::str::from_utf8(length.expect("a length").value).expect("digits");
    Some((head, length.parse().expect("a number")))
}
