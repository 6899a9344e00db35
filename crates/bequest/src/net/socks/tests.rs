use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::headers::Headers;
use crate::net::tls::Verify;

fn server(protocol: ProxyProtocol, credentials: Option<(&str, &str)>) -> ProxyServer {
    ProxyServer {
        protocol,
        host: "proxy".into(),
        port: 1080,
        credentials: credentials.map(|(user, password)| (user.into(), password.into())),
        verify: Verify::Yes,
        cert: None,
        headers: Headers::new(),
        proof: None,
    }
}

const HOST: SocksTarget<'_> = SocksTarget::Name("h.example");
const FOUR: SocksTarget<'_> = SocksTarget::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));

fn six() -> SocksTarget<'static> {
    SocksTarget::Address("2001:db8::1".parse().unwrap())
}

/// One conversation, the proxy's replies cut into pieces of `at_once` bytes; what was sent, message
/// by message, and how much of the replies was taken.
fn talk(mut socks: Socks, replies: &[u8], at_once: usize) -> Result<(Vec<Vec<u8>>, usize)> {
    let (mut sent, mut taken) = (Vec::new(), 0);
    loop {
        match socks.turn() {
            SocksStep::Send(bytes) => {
                sent.push(bytes.to_vec());
                socks.sent();
            }
            SocksStep::Receive(most) => {
                let there = replies.len() - taken;
                let piece = most.min(at_once).min(there);
                if piece == 0 {
                    return Err(socks.closed());
                }
                socks.received(&replies[taken..taken + piece])?;
                taken += piece;
            }
            SocksStep::Done => return Ok((sent, taken)),
        }
    }
}

#[test]
fn what_is_said_byte_for_byte() {
    use ProxyProtocol::{Socks4, Socks4a, Socks5, Socks5h};
    let granted = b"\x00\x5a\0\0\0\0\0\0";
    let bound = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x1f\x90";
    let five = |method: &[u8]| [method, bound].concat();
    for (protocol, credentials, target, replies, expected) in [
        (Socks4, None, FOUR, granted.to_vec(), &[&b"\x04\x01\x01\xbb\xc0\x00\x02\x07\0"[..]][..]),
        (
            Socks4,
            Some(("me", "")),
            FOUR,
            granted.to_vec(),
            &[b"\x04\x01\x01\xbb\xc0\x00\x02\x07me\0"],
        ),
        (
            Socks4a,
            None,
            HOST,
            granted.to_vec(),
            &[b"\x04\x01\x01\xbb\x00\x00\x00\x01\0h.example\0"],
        ),
        (
            Socks4a,
            Some(("me", "")),
            HOST,
            granted.to_vec(),
            &[b"\x04\x01\x01\xbb\x00\x00\x00\x01me\0h.example\0"],
        ),
        (
            Socks5,
            None,
            FOUR,
            five(b"\x05\x00"),
            &[b"\x05\x01\x00", b"\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb"],
        ),
        (
            Socks5,
            None,
            six(),
            five(b"\x05\x00"),
            &[
                b"\x05\x01\x00",
                b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb",
            ],
        ),
        (
            Socks5h,
            None,
            HOST,
            five(b"\x05\x00"),
            &[b"\x05\x01\x00", b"\x05\x01\x00\x03\x09h.example\x01\xbb"],
        ),
        (
            Socks5h,
            Some(("me", "secret")),
            HOST,
            five(b"\x05\x02\x01\x00"),
            &[
                b"\x05\x02\x00\x02",
                b"\x01\x02me\x06secret",
                b"\x05\x01\x00\x03\x09h.example\x01\xbb",
            ],
        ),
        // It may do without, and another version of the login's reply does no harm.
        (
            Socks5h,
            Some(("me", "secret")),
            HOST,
            five(b"\x05\x00"),
            &[b"\x05\x02\x00\x02", b"\x05\x01\x00\x03\x09h.example\x01\xbb"],
        ),
        (
            Socks5h,
            Some(("", "")),
            HOST,
            five(b"\x05\x02\x05\x00"),
            &[b"\x05\x02\x00\x02", b"\x01\0\0", b"\x05\x01\x00\x03\x09h.example\x01\xbb"],
        ),
    ] {
        // What the target says at once is not touched, however the replies are cut.
        let wire = [&replies[..], b"220 mail.example"].concat();
        for at_once in 1..=wire.len() {
            let server = server(protocol, credentials);
            let socks = Socks::new(&server, target, 443).unwrap();
            let (sent, taken) = talk(socks, &wire, at_once).unwrap();
            assert_eq!(sent, expected, "{protocol:?}");
            assert_eq!(taken, replies.len(), "{protocol:?} in pieces of {at_once}");
        }
        // Nor is less than a whole reply enough.
        for length in 0..replies.len() {
            let server = server(protocol, credentials);
            let socks = Socks::new(&server, target, 443).unwrap();
            let error = talk(socks, &replies[..length], usize::MAX).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Disconnected, "{protocol:?}");
        }
    }
}

#[test]
fn the_address_that_the_proxy_has_bound_may_be_of_any_kind() {
    for bound in [
        &b"\x01\0\0\0\0\0\0"[..],
        b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x03\x00\0\0",
        b"\x03\x05proxy\0\0",
        &[&b"\x03\xff"[..], &[b'a'; 255], b"\0\0"].concat(),
    ] {
        let replies = [b"\x05\x00", &b"\x05\x00\x00"[..], bound].concat();
        for at_once in [1, 2, 3, 7, usize::MAX] {
            let server = server(ProxyProtocol::Socks5, None);
            let socks = Socks::new(&server, FOUR, 80).unwrap();
            let wire = [&replies[..], b"more"].concat();
            assert_eq!(talk(socks, &wire, at_once).unwrap().1, replies.len(), "{bound:?}");
        }
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    use ErrorKind::{Auth, Connect, InvalidResponse};
    use ProxyProtocol::{Socks4a, Socks5h};
    for (protocol, replies, kind, part, remedy) in [
        (Socks4a, &b"\x00\x5b"[..], Connect, "refuses", "check host and port"),
        (Socks4a, b"\x00\x5c", Auth, "identd", "run identd"),
        (Socks4a, b"\x00\x5d", Auth, "somebody else", "socks4://user@host"),
        (Socks4a, b"\x00\x00", InvalidResponse, "code 0", "ask who"),
        (Socks4a, b"\x05\xff", InvalidResponse, "no SOCKS 4", "socks5h://"),
        (Socks4a, b"HTTP/1.1", InvalidResponse, "no SOCKS 4", "http://"),
        (Socks4a, b"220 ", InvalidResponse, "no SOCKS 4", "host and port"),
        (Socks5h, b"\x05\xff", Auth, "who asks", "socks5h://user:password@host"),
        (Socks5h, b"\x05\x02", InvalidResponse, "authentication 2", "another proxy"),
        (Socks5h, b"\x05\x01", InvalidResponse, "authentication 1", "another proxy"),
        (Socks5h, b"\x00\x5b", InvalidResponse, "no SOCKS 5", "socks4a://"),
        (Socks5h, b"\x04", InvalidResponse, "no SOCKS 5", "socks4a://"),
        (Socks5h, b"HT", InvalidResponse, "no SOCKS 5", "http://"),
        (Socks5h, b"\x05\x00\x05\x01", Connect, "failed", "log"),
        (Socks5h, b"\x05\x00\x05\x02", Connect, "rules", "ask who"),
        (Socks5h, b"\x05\x00\x05\x03", Connect, "network", "check the name"),
        (Socks5h, b"\x05\x00\x05\x04", Connect, "the host", "check the name"),
        (Socks5h, b"\x05\x00\x05\x05", Connect, "refused", "check the port"),
        (Socks5h, b"\x05\x00\x05\x06", Connect, "TTL", "network"),
        (Socks5h, b"\x05\x00\x05\x07", Connect, "CONNECT", "another proxy"),
        (Socks5h, b"\x05\x00\x05\x08", Connect, "no names", "socks5://"),
        (Socks5h, b"\x05\x00\x05\xf0", Connect, "code 240", "ask who"),
        (Socks5h, b"\x05\x00\x04\x00", InvalidResponse, "no SOCKS 5", "socks4a://"),
        (Socks5h, b"\x05\x00\x05\x00\x00\x02", InvalidResponse, "type 2", "another proxy"),
    ] {
        for at_once in [1, usize::MAX] {
            let socks = Socks::new(&server(protocol, None), HOST, 80).unwrap();
            let error = talk(socks, replies, at_once).unwrap_err();
            let shown = error.to_string();
            assert_eq!(error.kind(), kind, "{shown}");
            assert!(shown.contains(part), "{shown}");
            assert!(error.remedy().is_some_and(|said| said.contains(remedy)), "{shown}");
        }
    }
    let socks = Socks::new(&server(Socks5h, None), six(), 80).unwrap();
    let error = talk(socks, b"\x05\x00\x05\x08", 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the SOCKS 5 proxy did not connect to [2001:db8::1]:80: it does not take such an address \
         (code 8); give it names: write `socks5h://` in its URL"
    );
}

#[test]
fn a_login_may_fail() {
    let login = server(ProxyProtocol::Socks5, Some(("me", "secret")));
    let talk = |replies: &[u8]| talk(Socks::new(&login, FOUR, 80).unwrap(), replies, 1);
    for replies in [&b"\x05\x02\x01\x01"[..], b"\x05\x02\x01\xff", b"\x05\xff"] {
        let error = talk(replies).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(!format!("{error:?}").contains("secret"));
    }
    let error = talk(b"\x05\x02").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert_eq!(error.remedy(), Some("check user name and password"));
    assert!(!format!("{:?}", Socks::new(&login, FOUR, 80).unwrap()).contains("secret"));
}

#[test]
fn what_the_protocol_has_no_room_for_is_refused() {
    use ProxyProtocol::{Socks4, Socks4a, Socks5, Socks5h};
    let (fits, long) = ("a".repeat(255), "a".repeat(256));
    let new = |protocol, credentials, target| {
        Socks::new(&server(protocol, credentials), target, 80).map_err(|error| error.kind())
    };
    for (protocol, user, password) in [(Socks4, &*fits, ""), (Socks5, &fits, &fits)] {
        assert!(new(protocol, Some((user, password)), FOUR).is_ok(), "{protocol:?}");
    }
    for protocol in [Socks4a, Socks5h] {
        assert!(new(protocol, None, SocksTarget::Name(&fits)).is_ok(), "{protocol:?}");
        let refused = new(protocol, None, SocksTarget::Name(&long));
        assert!(refused.is_err(), "{protocol:?}");
    }
    for (protocol, user, password) in [
        (Socks4, &*long, ""),
        (Socks4, "a\0b", ""),
        (Socks4, "a", "secret"),
        (Socks5, &long, ""),
        (Socks5, "a", &long),
    ] {
        let refused = new(protocol, Some((user, password)), FOUR);
        assert_eq!(refused.err(), Some(ErrorKind::InvalidProxyUrl), "{protocol:?}");
    }
    assert!(new(Socks4a, None, SocksTarget::Name("a\0b")).is_err());
    assert_eq!(new(Socks4, None, six()).err(), Some(ErrorKind::Connect));
    let signal = SocksTarget::Address(IpAddr::V4(Ipv4Addr::new(0, 0, 0, 9)));
    assert_eq!(new(Socks4a, None, signal).err(), Some(ErrorKind::Connect));
}

#[test]
fn who_looks_up_names() {
    use ProxyProtocol::{Socks4, Socks4a, Socks5, Socks5h};
    for protocol in [Socks4, Socks4a, Socks5, Socks5h] {
        let of = |host| SocksTarget::of(protocol, host);
        let by_proxy = matches!(protocol, Socks4a | Socks5h);
        assert_eq!(of("h.example"), by_proxy.then_some(HOST), "{protocol:?}");
        assert_eq!(of("192.0.2.7"), Some(FOUR));
        assert_eq!(of("[2001:db8::1]"), Some(six()));
    }
}

#[test]
fn more_than_was_asked_for_is_refused() {
    let mut socks = Socks::new(&server(ProxyProtocol::Socks5, None), FOUR, 80).unwrap();
    assert!(socks.received(b"\x05").is_err(), "nothing was asked yet");
    socks.sent();
    assert!(socks.received(b"\x05\x00\x05").is_err());
    let mut socks = Socks::new(&server(ProxyProtocol::Socks4, None), FOUR, 80).unwrap();
    socks.sent();
    socks.received(b"\x00\x5a\0\0\0\0\0\0").unwrap();
    assert_eq!(socks.turn(), SocksStep::Done);
    assert!(socks.received(b"\x05").is_err());
}

/// How replies begin that are worth going on with.
const STARTS: [&[u8]; 5] =
    [b"", b"\x05\x00", b"\x05\x02\x01\x00", b"\x05\x00\x05\x00\x00", b"\x00\x5a"];

proptest! {
    /// Any bytes at all: an end is reached, nothing is taken that was not asked for, and however
    /// they are cut, the end is the same.
    #[test]
    fn any_reply_has_one_meaning(
        start in proptest::sample::select(&STARTS[..]),
        rest in proptest::collection::vec(any::<u8>(), 0..300),
        at_once in 1..40_usize,
        is_four: bool,
        has_login: bool,
    ) {
        let replies = [start, &rest].concat();
        let protocol = if is_four { ProxyProtocol::Socks4a } else { ProxyProtocol::Socks5h };
        let login = if is_four { ("me", "") } else { ("me", "secret") };
        let server = server(protocol, has_login.then_some(login));
        let end = |at_once| {
            let socks = Socks::new(&server, HOST, 443).unwrap();
            talk(socks, &replies, at_once).map_err(|error| error.to_string())
        };
        let whole = end(usize::MAX);
        if let Ok((_, taken)) = &whole {
            prop_assert!(*taken <= 4 + 4 + 1 + 255 + 2);
        }
        prop_assert_eq!(end(at_once), whole);
    }
}
