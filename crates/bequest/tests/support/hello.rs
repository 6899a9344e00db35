//! What a client offers when it begins TLS.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpListener;
use std::thread;

/// A ClientHello (RFC 8446, section 4.1.2).
pub(crate) struct Hello {
    pub(crate) suites: Vec<u16>,
    /// The numbers of extensions, and what is in them.
    extensions: BTreeMap<u16, Vec<u8>>,
}

impl Hello {
    /// The one that is sent to a server, which then hangs up; `ask` has its port.
    pub(crate) fn of(ask: impl FnOnce(u16)) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let mut client = listener.accept().unwrap().0;
            let mut head = [0; 5];
            client.read_exact(&mut head).unwrap();
            assert_eq!(head[0], 22, "a handshake");
            let mut message = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            client.read_exact(&mut message).unwrap();
            message
        });
        ask(port);
        Self::parse(&server.join().unwrap())
    }

    fn parse(message: &[u8]) -> Self {
        // Kind, length, version and random number.
        let mut rest = &message[4 + 2 + 32..];
        let _session = vector(&mut rest, 1);
        let suites = vector(&mut rest, 2);
        let suites = numbers(suites);
        let _compression = vector(&mut rest, 1);
        let mut list = vector(&mut rest, 2);
        let mut extensions = BTreeMap::new();
        while !list.is_empty() {
            let number = number(&mut list, 2);
            extensions.insert(u16::try_from(number).unwrap(), vector(&mut list, 2).to_vec());
        }
        Self { suites, extensions }
    }

    pub(crate) fn server_name(&self) -> Option<String> {
        let name = self.extensions.get(&0)?;
        // The length of the list, the kind of name, and its length.
        Some(String::from_utf8(name[5..].to_vec()).unwrap())
    }

    pub(crate) fn alpn(&self) -> Vec<String> {
        let Some(mut list) = self.extensions.get(&16).map(|list| &list[2..]) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        while !list.is_empty() {
            names.push(String::from_utf8(vector(&mut list, 1).to_vec()).unwrap());
        }
        names
    }

    /// Those that keys may be exchanged by.
    pub(crate) fn groups(&self) -> Vec<u16> {
        numbers(&self.extensions[&10][2..])
    }

    /// As the protocol numbers them: 0x0303 is TLS 1.2.
    pub(crate) fn versions(&self) -> Vec<u16> {
        self.extensions.get(&43).map_or(vec![0x0303], |list| numbers(&list[1..]))
    }
}

fn numbers(list: &[u8]) -> Vec<u16> {
    list.chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect()
}

fn number(rest: &mut &[u8], size: usize) -> usize {
    let (number, after) = rest.split_at(size);
    *rest = after;
    number.iter().fold(0, |all, byte| all << 8 | usize::from(*byte))
}

/// What has its length before it, in so many bytes.
fn vector<'a>(rest: &mut &'a [u8], size: usize) -> &'a [u8] {
    let length = number(rest, size);
    let (content, after) = rest.split_at(length);
    *rest = after;
    content
}
