//! What a proxy answers to CONNECT: a tunnel if it says so and nothing more, else an error with what it
//! said; a challenge is met on another connection.
#![no_main]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use bequest::fuzzing::{connections, unused_connections};
use bequest::{ErrorKind, Proxies, Response, Session, StatusCode};
use bequest_fuzz::read_head;
use libfuzzer_sys::{Corpus, fuzz_target};

const LONGEST: usize = 64 * 1024;
const TUNNEL: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";

fuzz_target!(|input: &[u8]| -> Corpus {
    if input.len() > LONGEST {
        return Corpus::Reject;
    }
    let (first, second) = (serve(input), serve(TUNNEL));
    connections([first.1, second.1]);
    let mut session = Session::new();
    session.trust_env = false;
    session.proxies = Proxies::new().all("http://user:secret@127.0.0.1").expect("a proxy");
    let sent = session.get("https://origin.test/").send();
    // Nobody shakes hands behind the tunnel, so that it leads no further.
    let error = sent.map(|r| r.status()).expect_err("there is no TLS");
    let is_open = error.kind() == ErrorKind::Tls;
    assert!(is_open || error.kind() == ErrorKind::Proxy, "{error}");
    let line = error.to_string();
    assert!(!line.contains("secret") && !line.contains(char::is_control), "{line}");

    let is_answered = unused_connections() == 0;
    match expect(input) {
        Said::Tunnel => assert!(is_open && !is_answered && error.response().is_none()),
        Said::Challenge if is_answered => assert!(is_open),
        Said::Refusal(status) => {
            assert!(!is_open && !is_answered, "{line}");
            // Its framing may be malformed.
            assert!(error.response().is_none_or(|response| response.status() == status));
        }
        Said::Challenge => assert!(!is_open),
        Said::Nothing => assert!(!is_open && !is_answered && error.response().is_none(), "{line}"),
    }
    if let Some(body) = error.response().map(Response::content) {
        assert!(body.is_ok_and(|body| body.len() <= input.len()), "no more than it has said");
    }
    connections([]);
    let mut asked = Vec::new();
    let (mut server, _) = (first.0, second.0);
    server.read_to_end(&mut asked).expect("it is closed");
    assert!(asked.starts_with(b"CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n"));
    Corpus::Keep
});

enum Said {
    Tunnel,
    /// It may be met.
    Challenge,
    Refusal(StatusCode),
    Nothing,
}

fn expect(mut input: &[u8]) -> Said {
    for _ in 0..=100 {
        let Ok(Some((head, taken))) = read_head(input) else { return Said::Nothing };
        input = &input[taken..];
        let status = head.status();
        if status.is_informational() && status != 101 {
            continue;
        }
        return match status {
            status if !status.is_success() && status != 407 => Said::Refusal(status),
            status if status == 407 => Said::Challenge,
            _ if input.is_empty() => Said::Tunnel,
            _ => Said::Nothing,
        };
    }
    Said::Nothing
}

/// A proxy that has answered before it was asked, and closed. It must live as long as its client.
fn serve(bytes: &[u8]) -> (UnixStream, OwnedFd) {
    let (mut server, client) = UnixStream::pair().expect("a pair of sockets");
    server.write_all(bytes).expect("it fits the socket's buffer");
    server.shutdown(Shutdown::Write).expect("it is open");
    (server, client.into())
}
