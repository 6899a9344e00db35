use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use super::*;
use crate::Testbed;

/// Sends all of it, one after the other, each once the reply before is there; all that came.
fn talk(proxy: &Proxy, messages: &[(&[u8], &[u8])], request: &str) -> String {
    let mut socket = TcpStream::connect(proxy.addr()).unwrap();
    for (message, reply) in messages {
        socket.write_all(message).unwrap();
        let mut read = vec![0; reply.len()];
        socket.read_exact(&mut read).unwrap();
        assert_eq!(read, *reply);
    }
    socket.write_all(request.as_bytes()).unwrap();
    if request.is_empty() {
        socket.shutdown(Shutdown::Write).unwrap();
    }
    let mut text = Vec::new();
    socket.read_to_end(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

const GET: &str = "GET /get HTTP/1.1\r\nHost: far.example\r\nConnection: close\r\n\r\n";
const OPEN: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

fn target(text: &str) -> Vec<u8> {
    let (host, port) = text.rsplit_once(':').unwrap();
    let port = port.parse::<u16>().unwrap().to_be_bytes();
    [&[u8::try_from(host.len()).unwrap()], host.as_bytes(), &port].concat()
}

#[test]
fn each_protocol_leads_to_the_server() {
    let (server, proxy) = (Testbed::start(), Proxy::start());
    proxy.leads("far.example", server.addr());
    let connect = b"CONNECT far.example:81 HTTP/1.1\r\nHost: far.example:81\r\n\r\n";
    let five = [b"\x05\x01\x00\x03", &*target("far.example:81")].concat();
    let bound = b"\x05\x00\x00\x01\0\0\0\0\0\0";
    for (scheme, messages, request) in [
        ("http", &[][..], &*GET.replace("/get", "http://far.example:81/get")),
        ("http", &[(&connect[..], OPEN)], GET),
        (
            "socks4a",
            &[(&b"\x04\x01\0\x51\0\0\0\x01me\0far.example\0"[..], &b"\0\x5a\0\0\0\0\0\0"[..])],
            GET,
        ),
        ("socks5h", &[(b"\x05\x01\x00", b"\x05\x00"), (&five, bound)], GET),
    ] {
        let text = talk(&proxy, messages, request);
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{scheme}: {text}");
        let asked = proxy.asked().pop().unwrap();
        assert_eq!(asked.scheme, scheme);
        assert!(asked.target.contains("far.example:81"), "{asked:?}");
    }
    assert_eq!(proxy.asked().len(), 4);
}

#[test]
fn who_is_unknown_is_refused() {
    let (server, proxy) = (Testbed::start(), Proxy::with_login("me", "secret"));
    proxy.leads("far.example", server.addr());
    let refused = b"HTTP/1.1 407 Proxy Authentication Required\r\n";
    let connect = "CONNECT far.example:81 HTTP/1.1\r\nHost: far.example:81\r\n";
    let text = talk(&proxy, &[(format!("{connect}\r\n").as_bytes(), refused)], "");
    assert!(text.contains("Proxy-Authenticate: Basic realm=\"testbed\"\r\n"), "{text}");
    let known = format!("{connect}Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
    assert!(talk(&proxy, &[(known.as_bytes(), OPEN)], GET).contains("200 OK"));
    assert_eq!(proxy.asked()[1].user.as_deref(), Some("me"));
    assert_eq!(talk(&proxy, &[(b"\x05\x01\x00", b"\x05\xff")], ""), "");
    let wrong: [(&[u8], &[u8]); 2] =
        [(b"\x05\x01\x02", b"\x05\x02"), (b"\x01\x02me\x05wrong", b"\x01\x01")];
    assert_eq!(talk(&proxy, &wrong, ""), "");
    let right: [(&[u8], &[u8]); 2] =
        [(b"\x05\x02\x00\x02", b"\x05\x02"), (b"\x01\x02me\x06secret", b"\x01\x00")];
    let five = [b"\x05\x01\x00\x03", &*target("nobody.example:81")].concat();
    let messages = [&right[..], &[(&five[..], &b"\x05\x04"[..])]].concat();
    talk(&proxy, &messages, "");
    assert_eq!(proxy.asked().pop().unwrap().target, "nobody.example:81");
    let four = b"\x04\x01\0\x51\x7f\0\0\x01you\0";
    talk(&proxy, &[(&four[..], &b"\0\x5b\0\0\0\0\0\0"[..])], "");
}

#[test]
fn its_urls_say_how_and_who() {
    let proxy = Proxy::with_login("me", "secret");
    let port = proxy.addr().port();
    assert_eq!(proxy.url("socks5h"), format!("socks5h://localhost:{port}"));
    assert_eq!(proxy.url_with_login("https"), format!("https://me:secret@localhost:{port}"));
    assert_eq!(Proxy::start().asked(), []);
}
