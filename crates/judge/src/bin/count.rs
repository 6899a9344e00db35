//! What a request costs, for `scripts/count`: does one thing N times, so that the difference
//! between two runs is the cost of it alone.
//!
//! `count MODE N`; without arguments it tells the modes. The server is a second process of this
//! program and so isn't measured with it.
#![allow(clippy::print_stdout, reason = "standard output is what it is for")]

use std::error::Error;
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::mem::ManuallyDrop;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::{env, thread};

use bequest::{CookieJar, Digest, HttpAdapter, Session, Url, Verify};
use testbed::Testbed;

type Outcome = Result<(), Box<dyn Error>>;

const BODY: usize = 100;
/// The mode in which this program is its own server.
const SERVE: &str = "serve";
/// The same over TLS.
const SERVE_TLS: &str = "serve-tls";

/// A mode: its name, what it does, and the function that does it N times with a URL of the server.
type Mode = (&'static str, &'static str, fn(&str, usize) -> Outcome);
const MODES: [Mode; 18] = [
    ("prepare", "prepares a GET from a URL as text; nothing is sent", prepare),
    ("exchange-text", "GET of 100 bytes over a kept connection, the URL as text", exchange_text),
    ("exchange-url", "the same with a URL that was parsed before", exchange_url),
    ("exchange-chunked", "GET of the same 100 bytes in ten chunks", exchange_chunked),
    ("exchange-post", "POST of 100 bytes, answered with 100", exchange_post),
    ("exchange-fresh", "GET over a connection of its own", exchange_fresh),
    ("exchange-cookies", "GET with a jar of 5 cookies, all for the host", exchange_cookies),
    ("exchange-jar", "GET with a jar of 1,000 cookies, 10 of them for the host", exchange_jar),
    ("redirects", "five redirects, each with a cookie, and then the 100 bytes", redirects),
    (
        "exchange-digest",
        "the same GET with digest authentication that is not asked for",
        exchange_digest,
    ),
    ("cookies-none", "the Cookie field of a request, from an empty jar", cookies_none),
    ("cookies-send", "the same, 10 cookies of 1,000 over 100 domains", cookies_send),
    ("cookies-store", "a cookie is set again, in the same jar", cookies_store),
    ("session", "a session that trusts a bundle is made and dropped; nothing is sent", session),
    ("tls-kept", "GET of 100 bytes over a kept connection with TLS", tls_kept),
    (
        "tls-full",
        "GET over a connection of its own with TLS, each with a whole handshake",
        tls_full,
    ),
    ("tls-resumed", "the same, each with a handshake that resumes a session", tls_resumed),
    ("tls-sessions", "the same, each in a `Session` of its own", tls_sessions),
];

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            for (name, what, _) in MODES {
                println!("{name}\t{what}");
            }
            Ok(())
        }
        [SERVE] => Ok(serve()?),
        [SERVE_TLS] => Ok(serve_tls()?),
        [mode, times] => {
            let known = MODES.iter().find(|(name, ..)| *name == mode);
            let (.., run) = known.ok_or("no such mode")?;
            let kind = if mode.starts_with("tls-") { SERVE_TLS } else { SERVE };
            let server = Server::start(kind)?;
            run(&server.url, times.parse()?)
        }
        _ => Err("usage: count [MODE N]".into()),
    }
}

fn prepare(url: &str, times: usize) -> Outcome {
    let session = Session::new();
    for _ in 0..times {
        session.prepare(session.get(url))?;
    }
    Ok(())
}

fn exchange_text(url: &str, times: usize) -> Outcome {
    let session = Session::new();
    for _ in 0..times {
        get(&session, url)?;
    }
    Ok(())
}

fn exchange_url(url: &str, times: usize) -> Outcome {
    let session = Session::new();
    let url = Url::parse(url)?;
    for _ in 0..times {
        whole(&session.get(&url).send()?)?;
    }
    Ok(())
}

fn exchange_chunked(url: &str, times: usize) -> Outcome {
    exchange_text(&format!("{url}chunked"), times)
}

fn exchange_post(url: &str, times: usize) -> Outcome {
    let session = Session::new();
    for _ in 0..times {
        whole(&session.post(url).body("x".repeat(BODY)).send()?)?;
    }
    Ok(())
}

fn exchange_fresh(url: &str, times: usize) -> Outcome {
    exchange_text(&format!("{url}close"), times)
}

fn exchange_digest(url: &str, times: usize) -> Outcome {
    let mut session = Session::new();
    session.set_auth(Digest::new("user", "passwd"));
    // The challenge is for the whole server.
    get(&session, &format!("{url}digest"))?;
    for _ in 0..times {
        get(&session, url)?;
    }
    Ok(())
}

fn exchange_cookies(url: &str, times: usize) -> Outcome {
    with_cookies(&Session::new(), url, 5, times)
}

fn exchange_jar(url: &str, times: usize) -> Outcome {
    let session = Session::new();
    for domain in 1..100 {
        for nth in 0..10 {
            let elsewhere = format!("http://host{domain}.example/");
            session.cookies.set(format!("cookie{nth}"), "0123456789abcdef", elsewhere)?;
        }
    }
    with_cookies(&session, url, 10, times)
}

/// GET with so many cookies of its own.
fn with_cookies(session: &Session, url: &str, count: usize, times: usize) -> Outcome {
    for nth in 0..count {
        session.cookies.set(format!("cookie{nth}"), "0123456789abcdef", url)?;
    }
    for _ in 0..times {
        get(session, url)?;
    }
    Ok(())
}

fn redirects(url: &str, times: usize) -> Outcome {
    let session = Session::new();
    let first = format!("{url}hop5");
    for _ in 0..times {
        get(&session, &first)?;
    }
    if session.cookies.len() == 5 { Ok(()) } else { Err("not a cookie of each".into()) }
}

fn cookies_none(_: &str, times: usize) -> Outcome {
    let (jar, url) = (CookieJar::new(), Url::parse("https://www.site7.example/path")?);
    let sent = (0..times).filter(|_| black_box(&jar).header_for(&url).is_some());
    if sent.count() == 0 { Ok(()) } else { Err("cookies from nowhere".into()) }
}

// The jar's table has random keys. So each of the 100 sites is asked for in turn, and the jar is not
// dropped: what it costs to free memory depends on the order.
fn cookies_send(_: &str, times: usize) -> Outcome {
    let (jar, urls) = filled_jar()?;
    let urls = urls.iter().cycle().take(times);
    let sent = urls.filter_map(|url| jar.header_for(url)).map(|header| header.len());
    if sent.sum::<usize>() == times * 238 { Ok(()) } else { Err("not the cookies".into()) }
}

fn cookies_store(_: &str, times: usize) -> Outcome {
    let (jar, urls) = filled_jar()?;
    let field = b"name3=sixteen-bytes-ok; Path=/path; Max-Age=3600; Secure; HttpOnly";
    let urls = urls.iter().cycle().take(times);
    let kept = urls.map(|url| jar.store(url, [&field[..]]).len());
    if kept.sum::<usize>() == times { Ok(()) } else { Err("not kept".into()) }
}

/// 1,000 cookies over 100 domains, and a URL for each domain.
fn filled_jar() -> Result<(ManuallyDrop<CookieJar>, Vec<Url>), Box<dyn Error>> {
    let (jar, mut urls) = (ManuallyDrop::new(CookieJar::new()), Vec::new());
    for site in 100..200 {
        let url = Url::parse(&format!("https://www.site{site}.example/path"))?;
        for name in 0..10 {
            let field = format!("name{name}=sixteen-bytes-ok; Domain=site{site}.example; Path=/");
            jar.store(&url, [field.as_bytes()]);
        }
        urls.push(url);
    }
    Ok((jar, urls))
}

fn session(_: &str, times: usize) -> Outcome {
    for _ in 0..times {
        let mut session = Session::new();
        session.verify = Verify::bundle("/nonexistent.pem").and_default();
        black_box(&session);
    }
    Ok(())
}

/// The URL, and a session that trusts its server beside those whom everybody trusts.
fn trusting(server: &str) -> Result<(&str, Session), Box<dyn Error>> {
    let (url, ca) = server.split_once(' ').ok_or("no certificate to trust")?;
    let mut session = Session::new();
    session.verify = Verify::bundle(ca).and_default();
    Ok((url, session))
}

fn tls_kept(server: &str, times: usize) -> Outcome {
    let (url, session) = trusting(server)?;
    for _ in 0..times {
        get(&session, url)?;
    }
    Ok(())
}

fn tls_full(server: &str, times: usize) -> Outcome {
    let (url, mut session) = trusting(server)?;
    session.mount("https://", HttpAdapter::new().tls_resumption(false));
    (0..times).try_for_each(|_| alone(&session, url, false))
}

fn tls_resumed(server: &str, times: usize) -> Outcome {
    let (url, session) = trusting(server)?;
    (0..times).try_for_each(|nth| alone(&session, url, nth > 0))
}

fn tls_sessions(server: &str, times: usize) -> Outcome {
    (0..times).try_for_each(|nth| {
        let (url, session) = trusting(server)?;
        alone(&session, url, nth > 0)
    })
}

/// GET over a connection that is not kept.
fn alone(session: &Session, url: &str, resumes: bool) -> Outcome {
    let response = session.get(url).header("Connection", "close").send()?;
    let is_resumed = response.tls().map(|tls| tls.is_resumed());
    if is_resumed == Some(resumes) { whole(&response) } else { Err("another handshake".into()) }
}

fn get(session: &Session, url: &str) -> Outcome {
    whole(&session.get(url).send()?)
}

fn whole(response: &bequest::Response) -> Outcome {
    if response.content()?.len() == BODY { Ok(()) } else { Err("not the whole body".into()) }
}

/// This program as a server; it ends with its standard input.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(kind: &str) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(env::current_exe()?)
            .arg(kind)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut url)?;
        Ok(Self { process, url: url.trim_end().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        _ = self.process.wait();
    }
}

fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/", listener.local_addr()?);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            thread::spawn(move || answer(&socket));
        }
    });
    _ = io::stdin().read(&mut [0])?;
    Ok(())
}

/// The line has the path of the certificate to trust, too.
fn serve_tls() -> io::Result<()> {
    let server = Testbed::start();
    println!("{} {}", server.https_url(&format!("/big/{BODY}")), server.ca_file().display());
    _ = io::stdin().read(&mut [0])?;
    Ok(())
}

/// Answers requests, each of which comes in one piece, head and body, each with one write.
fn answer(mut socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let body = "x".repeat(BODY);
    let chunks = format!("a\r\n{}\r\n", &body[..10]).repeat(10);
    let head = "HTTP/1.1 200 OK\r\nServer: count\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                Content-Type: text/plain\r\n";
    let kept = format!("{head}Content-Length: {BODY}\r\n\r\n{body}");
    let closed = format!("{head}Connection: close\r\nContent-Length: {BODY}\r\n\r\n{body}");
    let challenge = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: Digest \
                     realm=\"count\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", qop=\"auth\", \
                     algorithm=MD5, opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"\r\n\r\n";
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    let mut buffer = [0; 4096];
    loop {
        let request = match socket.read(&mut buffer)? {
            0 => return Ok(()),
            n => &buffer[..n],
        };
        if request.starts_with(b"GET /close ") {
            return socket.write_all(closed.as_bytes());
        }
        let is_proven = request.windows(11).any(|part| part == b": Digest us");
        if request.starts_with(b"GET /digest ") && !is_proven {
            socket.write_all(challenge.as_bytes())?;
            continue;
        }
        let reply = match request.strip_prefix(b"GET /hop") {
            Some([hop @ b'1'..=b'5', ..]) => &redirect(hop - b'0'),
            _ if request.starts_with(b"GET /chunked ") => &chunked,
            _ => &kept,
        };
        socket.write_all(reply.as_bytes())?;
    }
}

/// A redirect to the next hop, the last of which is 0.
fn redirect(hop: u8) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nServer: count\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         Set-Cookie: hop{hop}=0123456789abcdef; Path=/\r\nLocation: /hop{}\r\n\
         Content-Length: 0\r\n\r\n",
        hop - 1
    )
}
