//! A server that does as little as possible, so that it's the clients that are measured: blocking threads, HTTP and HTTPS.
//!
//! `bench-server FOLDER` writes `ca.pem` there, prints four ports (plain, TLS, plain for thousands
//! of connections, HTTP/2), and ends with its standard input. `/bytes/N` has N bytes, `/chunked/N`
//! the same in chunks of 16 KiB, with `/close` before it the connection is closed afterwards.
//! `/hops/N/...` redirects N times, with a cookie each, before it answers as the rest says.
//! `/jar/N/...` does so if N cookies came along, else it sets them. Anything with a body is answered
//! with the body's length.

mod crowd;
mod h2;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::{env, fs, thread};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const BLOCK: usize = 64 << 10;
const CHUNK: usize = 16 << 10;
/// How many connections there can be at a time, to each of the two ports.
const THREADS: usize = 8;

fn main() {
    let folder = env::args().nth(1).expect("usage: bench-server FOLDER");
    let config = tls(&folder);
    let (plain, secure) = (listen(), listen());
    let port = |listener: &TcpListener| listener.local_addr().expect("its address").port();
    let (crowd, h2) = (listen(), listen());
    println!("{} {} {} {}", port(&plain), port(&secure), port(&crowd), port(&h2));
    thread::spawn(|| crowd::serve(crowd));
    thread::spawn(|| h2::serve(h2));
    accept(plain, |socket| serve(socket, |_| Ok(())));
    accept(secure, move |socket| {
        let connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        serve(StreamOwned::new(connection, socket), |stream| {
            stream.conn.send_close_notify();
            stream.flush()
        })
    });
    _ = io::stdin().read(&mut [0]);
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

fn tls(folder: &str) -> Arc<ServerConfig> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "bench authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let ca = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .and_then(|params| params.signed_by(&key, &ca))
        .expect("a certificate");
    fs::write(format!("{folder}/ca.pem"), ca.pem()).expect("the folder can be written to");

    let suites = aws_lc_rs::DEFAULT_CIPHER_SUITES.to_vec();
    let provider = CryptoProvider { cipher_suites: suites, ..ring::default_provider() };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .expect("the certificate and its key");
    config.ticketer = ring::Ticketer::new().expect("tickets");
    Arc::new(config)
}

/// Threads that wait for a connection each, so that none is started for one.
fn accept<F>(listener: TcpListener, serve: F)
where
    F: Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static,
{
    let listener = Arc::new(listener);
    for _ in 0..THREADS {
        let (listener, serve) = (Arc::clone(&listener), serve.clone());
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                // A client that goes away is no news.
                _ = socket.set_nodelay(true).and_then(|()| serve(socket));
            }
        });
    }
}

fn serve<S: Read + Write>(mut stream: S, bye: impl Fn(&mut S) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; 4 * BLOCK];
    let mut filled = 0;
    let block = vec![b'x'; BLOCK];
    loop {
        let end = loop {
            if let Some(at) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read(&mut buffer[filled..])? {
                0 => return Ok(()),
                n => filled += n,
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        buffer.copy_within(end..filled, 0);
        filled -= end;

        let path = head.split(' ').nth(1).unwrap_or_default();
        let (path, close) = path.strip_prefix("/close").map_or((path, false), |path| (path, true));
        let field = |name: &str| {
            let line = head.split("\r\n").find(|line| line.starts_with(name))?;
            Some(line[name.len()..].trim())
        };
        if field("expect:").is_some() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let received = if field("transfer-encoding:").is_some() {
            Some(read_chunks(&mut stream, &mut buffer, &mut filled)?)
        } else if let Some(length) = field("content-length:") {
            let length = length.parse().map_err(io::Error::other)?;
            skip(&mut stream, &mut buffer, &mut filled, length)?;
            Some(length)
        } else {
            None
        };

        let connection = if close { "Connection: close\r\n" } else { "" };
        let cookies = field("cookie:").map_or(0, |cookies| cookies.split(';').count());
        let (path, status, more) = session(path, cookies);
        let answer = |framing: String| {
            format!(
                "HTTP/1.1 {status}\r\nServer: bench\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                 Content-Type: text/plain\r\n{connection}{more}{framing}\r\n\r\n"
            )
            .into_bytes()
        };
        let number = |text: &str| text.parse::<usize>().map_err(io::Error::other);
        if let Some(received) = received {
            let text = received.to_string();
            let mut whole = answer(format!("Content-Length: {}", text.len()));
            whole.extend(text.into_bytes());
            stream.write_all(&whole)?;
        } else if let Some(length) = path.strip_prefix("/chunked/") {
            let mut left = number(length)?;
            let mut out = answer("Transfer-Encoding: chunked".to_owned());
            while left > 0 {
                let size = left.min(CHUNK);
                out.extend(format!("{size:x}\r\n").into_bytes());
                out.extend(&block[..size]);
                out.extend(b"\r\n");
                left -= size;
                if out.len() >= BLOCK {
                    stream.write_all(&out)?;
                    out.clear();
                }
            }
            out.extend(b"0\r\n\r\n");
            stream.write_all(&out)?;
        } else {
            let mut left = number(path.strip_prefix("/bytes/").unwrap_or("0"))?;
            let mut out = answer(format!("Content-Length: {left}"));
            let with_head = left.min(BLOCK - out.len());
            out.extend(&block[..with_head]);
            stream.write_all(&out)?;
            left -= with_head;
            while left > 0 {
                let size = left.min(BLOCK);
                stream.write_all(&block[..size])?;
                left -= size;
            }
        }
        if close {
            return bye(&mut stream);
        }
    }
}

/// What is answered to a path of redirects or cookies: the path of the body, the status, and fields.
fn session(path: &str, cookies: usize) -> (&str, &'static str, String) {
    let counted = |rest: &'static str| {
        let (count, rest) = path.strip_prefix(rest)?.split_once('/')?;
        Some((count.parse::<usize>().ok()?, rest))
    };
    let cookie = |n| format!("Set-Cookie: name{n}=sixteen-bytes-ok; Path=/\r\n");
    if let Some((hops @ 1.., rest)) = counted("/hops/") {
        let more = format!("Location: /hops/{}/{rest}\r\n{}", hops - 1, cookie(hops));
        ("/bytes/0", "302 Found", more)
    } else if let Some((wanted, _)) = counted("/jar/")
        && cookies != wanted
    {
        ("/bytes/0", "200 OK", (0..wanted).map(cookie).collect())
    } else {
        let rest = counted("/hops/").or_else(|| counted("/jar/"));
        let rest = rest.map(|(_, rest)| &path[path.len() - rest.len() - 1..]);
        (rest.unwrap_or(path), "200 OK", String::new())
    }
}

/// Takes `length` bytes of body away: first what is in the buffer, then from the stream.
fn skip(
    stream: &mut impl Read,
    buffer: &mut [u8],
    filled: &mut usize,
    length: usize,
) -> io::Result<()> {
    let here = length.min(*filled);
    buffer.copy_within(here..*filled, 0);
    *filled -= here;
    let mut left = length - here;
    while left > 0 {
        let most = left.min(buffer.len());
        match stream.read(&mut buffer[..most])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => left -= n,
        }
    }
    Ok(())
}

fn read_chunks(stream: &mut impl Read, buffer: &mut [u8], filled: &mut usize) -> io::Result<usize> {
    let mut received = 0;
    loop {
        let end = loop {
            if let Some(at) = buffer[..*filled].windows(2).position(|two| two == b"\r\n") {
                break at;
            }
            match stream.read(&mut buffer[*filled..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => *filled += n,
            }
        };
        let size = String::from_utf8_lossy(&buffer[..end]);
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        skip(stream, buffer, filled, end + 2 + size + 2)?;
        if size == 0 {
            return Ok(received);
        }
        received += size;
    }
}
